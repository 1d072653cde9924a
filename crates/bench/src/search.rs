//! `bench search`: first pages over many objects, by kind of query and by who asks.
//!
//! ATT&CK enterprise, every id replaced each round, is spread over 200 collections; words whose frequency is known, texts
//! in Chinese and Thai, and one object for each kind of selector stand among it. What "learns nothing" means: for a
//! viewer who sees none of the hits, a word that stands in hidden objects and one that stands nowhere take equally long.
use crate::Failure;
use crate::exercise::{Exercise, Times};
use crate::machine::{load, memory_mb, size_mb};
use ledger::CollectionId;
use people::{Role, Viewer};
use std::path::PathBuf;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A STIX 2.1 bundle (ATT&CK enterprise).
    pub bundle: PathBuf,
    /// Objects to store.
    #[arg(long, default_value_t = 1_000_000)]
    pub objects: u64,
    /// Collections they are spread over.
    #[arg(long, default_value_t = 200)]
    pub collections: u32,
    /// Times each query is asked.
    #[arg(long, default_value_t = 20)]
    pub repeat: usize,
    /// Where the folder is made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// A node's folder that stays: filled when it is new, used again when it stands.
    #[arg(long, conflicts_with = "folder")]
    pub keep: Option<PathBuf>,
    /// Only queries whose name holds this.
    #[arg(long, default_value = "")]
    pub only: String,
}

/// The queries, by what they are.
fn queries() -> Vec<(&'static str, String)> {
    let words = |n: usize| {
        let common = ["the", "and", "used", "to", "of", "can"].iter().cycle().take(n);
        common.fold(String::new(), |all, word| all + word + " ")
    };
    let owned = |list: &[(&'static str, &str)]| list.iter().map(|(a, b)| (*a, (*b).to_owned())).collect::<Vec<_>>();
    let mut out = owned(&[
        ("rare word", "quetzalcoatlus"),
        ("nonsense", "zzxqvnonsense"),
        ("common word", "adversaries"),
        ("word in everything", "everywhere"),
        ("two common words", "adversaries malware"),
        ("common words that never meet", "evenword oddword"),
        ("three that never meet", "evenword oddword everywhere"),
        ("phrase", "\"command and control\""),
        ("phrase of the commonest", "\"of the\""),
        ("phrase that is not", "\"everywhere the of\""),
        ("a star", "a*"),
        ("one letter", "a"),
        ("chinese part", "薪招聘海"),
        ("thai part", "ออนไลน์"),
        ("type alone", "type:attack-pattern"),
        ("type and word", "type:relationship adversaries"),
        ("type and rare", "type:malware quetzalcoatlus"),
        ("type that is not", "type:nothing everywhere"),
        ("domain", "attack.mitre.org"),
        ("url", "https://attack.mitre.org/techniques/T1055"),
        ("email", "exercise@mail.example"),
        ("wallet", "0x52908400098527886e0f7030069857d2e4169ee7"),
        ("phone", "+12015550123"),
        ("ipv4", "198.51.100.7"),
        ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("id", "attack-pattern--00000000-0000-4000-8000-000000000001"),
        ("syntax", "NEAR(a b) OR \"c\" AND NOT d ^e {f}: * -g"),
        ("or bomb", &"a OR b OR ".repeat(50)),
    ]);
    out.push(("hundred common words", words(100)));
    out.push(("thousand different words", (0..1_000).map(|n| format!("w{n} ")).collect()));
    out.push(("long word", "a".repeat(1_000)));
    out
}

/// Runs; a JSON line for each viewer and one for the whole.
///
/// # Errors
/// What a node answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (node, places) = stand(args)?;
    let cols: Vec<u32> = places.iter().map(|(_, col)| *col).collect();
    let one = cols.get(7).copied().unwrap_or_default();
    let viewers = [
        ("all", node.me.clone()),
        ("half", Viewer::for_test(Role::Reader, cols.iter().copied().filter(|c| c % 2 == 0))),
        ("one of all", Viewer::for_test(Role::Reader, [one])),
        ("an empty one", Viewer::for_test(Role::Reader, [one + 1_000_000])),
        ("nothing", Viewer::for_test(Role::Reader, [])),
    ];
    for (who, viewer) in &viewers {
        let mut whole = Times::default();
        let mut lines = serde_json::Map::new();
        for (what, query) in queries().into_iter().filter(|(what, _)| what.contains(&args.only)) {
            let (mut times, mut hits, mut broken) = (Times::default(), 0, false);
            for _ in 0..args.repeat {
                let found = times.of(|| node.intel.search(viewer, &query, None, 50))?;
                (hits, broken) = (found.hits.len(), broken || found.broken_off);
            }
            whole.extend(&times);
            let of = serde_json::json!({"p50": times.quantile(0.5), "p99": times.quantile(0.99), "cpu_p50": times.cpu(0.5), "cpu_p99": times.cpu(0.99), "hits": hits,
                "broken_off": broken});
            lines.insert(what.to_owned(), of);
        }
        let line = serde_json::json!({"bench": "search", "viewer": who, "p50_ms": whole.quantile(0.5),
            "p99_ms": whole.quantile(0.99), "max_ms": whole.quantile(1.0), "cpu_p50_ms": whole.cpu(0.5), "cpu_p99_ms": whole.cpu(0.99), "cpu_max_ms": whole.cpu(1.0), "queries": lines});
        println!("{line}");
    }
    println!("{}", leak(args, &node, &cols)?);
    let line = serde_json::json!({"bench": "search", "objects": args.objects, "collections": args.collections,
        "views_mb": size_mb(&node.folder.join("views")), "peak_mb": memory_mb("self", "VmHWM")?, "load": load()});
    println!("{line}");
    Ok(())
}

/// A node with everything in it, and its collections.
fn stand(args: &Args) -> Result<(Exercise, Vec<(CollectionId, u32)>), Failure> {
    let again = args.keep.as_ref().is_some_and(|folder| folder.exists());
    let mut node = match &args.keep {
        Some(folder) => Exercise::keep(folder)?,
        None => Exercise::make(&args.folder.clone().unwrap_or_else(std::env::temp_dir), "search")?,
    };
    let mut places = Vec::new();
    if again {
        let named = |c: &std::sync::Arc<people::Collection>| c.title().starts_with("EXERCISE ");
        places.extend(node.intel.people().collections(&node.me)?.into_iter().filter(named).map(|c| (c.id, c.col)));
        places.sort_unstable_by_key(|(_, col)| *col);
    } else {
        for n in 0..args.collections {
            places.push(node.collection(&format!("EXERCISE {n}"))?);
        }
        node.refresh()?;
        fill(args, &node, &places)?;
    }
    node.level()?;
    Ok((node, places))
}

/// A viewer of half the collections asks for what stands only in the other half, and for what stands nowhere.
fn leak(args: &Args, node: &Exercise, cols: &[u32]) -> Result<serde_json::Value, Failure> {
    let viewer = Viewer::for_test(Role::Reader, cols.iter().copied().filter(|c| c % 2 == 0));
    let pairs = [
        ("hiddenword", "nowhereword"),
        ("hiddenword everywhere", "nowhereword everywhere"),
        ("\"hiddenword stands\"", "\"nowhereword stands\""),
        ("hiddenhost.example", "nowherehost.example"),
    ];
    let mut out = serde_json::Map::new();
    let mut worst = 0.0_f64;
    for (hidden, nowhere) in pairs {
        let (mut a, mut b) = (Times::default(), Times::default());
        let mut same = true;
        for _ in 0..args.repeat.max(50) {
            let x = a.of(|| node.intel.search(&viewer, hidden, None, 50))?;
            let y = b.of(|| node.intel.search(&viewer, nowhere, None, 50))?;
            same &= x.hits.is_empty()
                && y.hits.is_empty()
                && x.total == y.total
                && x.next == y.next
                && x.broken_off == y.broken_off;
        }
        let differs = (a.cpu(0.99) - b.cpu(0.99)).abs().max((a.quantile(0.5) - b.quantile(0.5)).abs());
        worst = worst.max(differs);
        out.insert(
            hidden.to_owned(),
            serde_json::json!({"hidden_p50": a.quantile(0.5), "nowhere_p50": b.quantile(0.5),
            "hidden_p99": a.quantile(0.99), "nowhere_p99": b.quantile(0.99), "hidden_cpu_p99": a.cpu(0.99), "nowhere_cpu_p99": b.cpu(0.99), "answers_equal": same}),
        );
    }
    Ok(serde_json::json!({"bench": "search", "learns": out, "differs_by_ms": worst}))
}

fn fill(args: &Args, node: &Exercise, places: &[(CollectionId, u32)]) -> Result<(), Failure> {
    let templates = crate::attack::templates(&args.bundle)?;
    let (mut stored, mut round) = (0_u64, 0_u64);
    'all: loop {
        for chunk in templates.chunks(400) {
            // Collections take turns, so that their rows stand mixed in the log.
            let Some((to, col)) = places.get((stored / 400) as usize % places.len().max(1)) else { break 'all };
            let bodies: Vec<String> = (stored..).zip(chunk).map(|(n, t)| marked(&t.renamed(round), n, *col)).collect();
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            node.intel.take(&node.me, *to, &bodies, ledger::Urgency::Bulk)?;
            stored += chunk.len() as u64;
            if stored >= args.objects {
                break 'all;
            }
        }
        round += 1;
    }
    Ok(())
}

/// The object with words whose frequency is known.
fn marked(body: &str, n: u64, col: u32) -> String {
    let mut text = String::from("everywhere ");
    text.push_str(if n.is_multiple_of(2) { "evenword " } else { "oddword " });
    if n % 100_000 == 17 {
        text.push_str("quetzalcoatlus ");
    }
    if n % 100 == 3 {
        text.push_str("高薪招聘海外客服 งานออนไลน์ที่บ้าน ");
    }
    if n % 1_000 == 5 {
        text.push_str("exercise@mail.example +12015550123 0x52908400098527886E0F7030069857D2E4169EE7 198.51.100.7 ");
    }
    if col % 2 == 1 {
        text.push_str("hiddenword stands here, https://hiddenhost.example/ ");
    }
    let end = body.rfind('}').unwrap_or(0);
    format!("{},\"x_exercise\":{}}}", body.get(..end).unwrap_or(""), serde_json::Value::String(text))
}
