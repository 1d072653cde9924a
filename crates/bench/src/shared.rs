//! `bench shared`: objects that all hold one selector. Time and rows must grow with their number, pages must not.
use crate::Failure;
use crate::exercise::{Exercise, Times};
use crate::machine::{cpu_seconds, load, size_mb};
use people::{Role, Viewer};
use std::path::PathBuf;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Objects, several sizes.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
    pub objects: Vec<u64>,
    /// Times each page is asked for.
    #[arg(long, default_value_t = 20)]
    pub repeat: usize,
    /// Where folders are made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

const WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

fn note(n: u64) -> String {
    format!(
        "{{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--00000000-0000-4000-8000-{n:012}\",\
         \"created\":\"2025-01-01T00:00:00.000Z\",\"modified\":\"2025-01-01T00:00:00.000Z\",\
         \"content\":\"EXERCISE report {n}: paid to {WALLET}, contact exercise_{n}@mail.example\",\
         \"object_refs\":[\"note--00000000-0000-4000-8000-{n:012}\"]}}"
    )
}

/// Runs; one JSON line a size.
///
/// # Errors
/// What a node answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    for objects in &args.objects {
        let mut node = Exercise::make(&parent, &format!("shared-{objects}"))?;
        let (a, col_a) = node.collection("EXERCISE one")?;
        let (b, _) = node.collection("EXERCISE two")?;
        node.refresh()?;
        let cpu = cpu_seconds()?;
        for start in (0..*objects).step_by(1_000) {
            let bodies: Vec<String> = (start..(start + 1_000).min(*objects)).map(note).collect();
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            // A tenth stands in a collection of its own.
            let to = if (start / 1_000).is_multiple_of(10) { a } else { b };
            node.intel.take(&node.me, to, &bodies, ledger::Urgency::Bulk)?;
        }
        node.level()?;
        let cpu = cpu_seconds()? - cpu;
        let id = "note--00000000-0000-4000-8000-000000000007";
        let viewers = [
            ("all", node.me.clone()),
            ("one collection", Viewer::for_test(Role::Reader, [col_a])),
            ("nothing", Viewer::for_test(Role::Reader, [])),
        ];
        let mut pages = serde_json::Map::new();
        for (who, viewer) in &viewers {
            let mut times: [Times; 5] = Default::default();
            for _ in 0..args.repeat {
                let [object, selector, search, links, latest] = &mut times;
                object.of(|| node.intel.links_of_object(viewer, id, 0, 50))?;
                selector.of(|| node.intel.links_of_selector(viewer, selectors::Kind::Evm, &WALLET.to_lowercase()))?;
                search.of(|| node.intel.search(viewer, WALLET, None, 50))?;
                links.of(|| node.intel.links(viewer, None, 50))?;
                latest.of(|| node.intel.latest_links(viewer, 10))?;
            }
            let [mut object, mut selector, mut search, mut links, mut latest] = times;
            pages.insert(
                (*who).to_owned(),
                serde_json::json!({"object_ms": object.quantile(0.99), "selector_ms": selector.quantile(0.99),
                    "search_ms": search.quantile(0.99), "all_links_ms": links.quantile(0.99),
                    "latest_links_ms": latest.quantile(0.99), "object_cpu_ms": object.cpu(0.99),
                    "selector_cpu_ms": selector.cpu(0.99), "search_cpu_ms": search.cpu(0.99),
                    "all_links_cpu_ms": links.cpu(0.99), "latest_links_cpu_ms": latest.cpu(0.99)}),
            );
        }
        let rendered = rendered(args, &node, id)?;
        let line = serde_json::json!({"bench": "shared", "objects": objects, "cpu_s": cpu, "rendered": rendered,
            "us_per_object": cpu * 1e6 / *objects as f64, "views_mb": size_mb(&node.folder.join("views")),
            "p99": pages, "load": load()});
        println!("{line}");
    }
    Ok(())
}

/// Pages as a supervisor's browser gets them, through the gate.
fn rendered(args: &Args, node: &Exercise, id: &str) -> Result<serde_json::Value, Failure> {
    let people = node.intel.people();
    let secret = people.link_token(&people.local_viewer()?, Role::Supervisor, 60)?;
    let cookie = format!("eye={}", people.sign_in_with_link(&secret, None, [192, 0, 2, 7].into(), "")?.cookie);
    let catalogue = web::Catalogue::new(&[("en", intel::http::FTL)])?;
    let hall = web::Hall { catalogue, node_name: String::new(), exercise: true, tls: false };
    let house = gate::Gate::new(&node.ledger, people, hall).open(intel::http::routes(node.intel.clone()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut out = serde_json::Map::new();
    let selector = format!("/selectors?kind={}&value={}", selectors::Kind::Evm.as_str(), WALLET.to_lowercase());
    let search = format!("/search?q={WALLET}");
    let pages =
        [("object", format!("/objects/{id}")), ("selector", selector), ("search", search), ("overview", "/".into())];
    for (what, path) in pages {
        let (mut times, mut bytes) = (Times::default(), 0);
        for _ in 0..args.repeat {
            let request = axum::http::Request::get(&path).header("cookie", &cookie).body(axum::body::Body::empty())?;
            let answer = times.of(|| {
                runtime.block_on(async {
                    let answer = house.ask(request).await;
                    let status = answer.status();
                    axum::body::to_bytes(answer.into_body(), 10 << 20).await.map(|body| (status, body.len()))
                })
            })?;
            if !answer.0.is_success() {
                return Err(format!("{what}: {}", answer.0).into());
            }
            bytes = answer.1;
        }
        let of = serde_json::json!({"p50_ms": times.quantile(0.5), "p99_ms": times.quantile(0.99), "bytes": bytes});
        out.insert(what.to_owned(), of);
    }
    Ok(serde_json::Value::Object(out))
}
