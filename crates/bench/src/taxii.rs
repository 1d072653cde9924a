//! `bench taxii`: POST, paging and GET by id over HTTP, ours and the peer's in one run, per second of the server's CPU.
use crate::Failure;
use crate::attack::{Template, templates};
use crate::machine::load;
use crate::server::{MEDIA, Server};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A STIX 2.1 bundle (ATT&CK enterprise).
    pub bundle: PathBuf,
    /// Objects of one POST and of one page.
    #[arg(long, default_value_t = 1_000)]
    pub batch: usize,
    /// Seconds of GET by id.
    #[arg(long, default_value_t = 5)]
    pub secs: u64,
    /// Clients that GET by id at once.
    #[arg(long, default_value_t = 4)]
    pub clients: usize,
    /// Times that the whole bundle is posted, each round with new ids.
    #[arg(long, default_value_t = 1)]
    pub rounds: u64,
    /// The peer's program (`pip install medallion==3.0.0`); measured in the same run.
    #[arg(long)]
    pub medallion: Option<PathBuf>,
    /// Objects that the peer gets: its cost grows with the square of what it holds.
    #[arg(long, default_value_t = 2_000)]
    pub peer_objects: usize,
}

/// Runs, prints one JSON line a server.
///
/// # Errors
/// The servers'.
pub fn run(args: &Args) -> Result<(), Failure> {
    let templates = templates(&args.bundle)?;
    let scratch = std::env::temp_dir().join(format!("bench-taxii-{}", std::process::id()));
    println!("{}", measure(args, &templates, args.rounds, &Server::eye(&scratch)?)?);
    if let Some(program) = &args.medallion {
        let few = templates.get(..args.peer_objects.min(templates.len())).unwrap_or_default();
        println!("{}", measure(args, few, 1, &Server::medallion(program, &scratch)?)?);
    }
    Ok(())
}

fn measure(args: &Args, templates: &[Template], rounds: u64, server: &Server) -> Result<Value, Failure> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(600))).build().into();
    let post = post(args, templates, rounds, server, &agent)?;
    let page = page(args, server, &agent)?;
    let get = get(args, templates, server)?;
    Ok(json!({"bench": "taxii", "server": server.label, "load": load(), "ready_ms": server.ready_ms.round(),
        "post": post, "page": page, "get": get}))
}

fn rate(n: u64, cpu: f64) -> Value {
    if cpu >= 0.05 { json!((n as f64 / cpu * 10.0).round() / 10.0) } else { Value::Null }
}

fn ms(sorted: &[f64], q: f64) -> f64 {
    let at = ((sorted.len() as f64 * q) as usize).min(sorted.len().saturating_sub(1));
    (sorted.get(at).copied().unwrap_or(0.0) * 1e5).round() / 100.0
}

fn post(
    args: &Args,
    templates: &[Template],
    rounds: u64,
    server: &Server,
    agent: &ureq::Agent,
) -> Result<Value, Failure> {
    let (mut cpu, mut last, mut n, mut times, mut failed) = (0.0, 0.0, 0u64, Vec::new(), 0u64);
    for round in 0..rounds {
        let bodies: Vec<(usize, String)> = templates
            .chunks(args.batch)
            .map(|c| {
                let objects: Vec<String> = c.iter().map(|t| t.renamed(round)).collect();
                (c.len(), format!("{{\"objects\":[{}]}}", objects.join(",")))
            })
            .collect();
        let before = server.cpu()?;
        for (count, body) in &bodies {
            let since = Instant::now();
            let text = agent
                .post(format!("{}/objects/", server.collection))
                .header("Authorization", &server.auth)
                .header("Accept", MEDIA)
                .header("Content-Type", MEDIA)
                .send(body)?
                .body_mut()
                .read_to_string()?;
            times.push(since.elapsed().as_secs_f64());
            let status: Value = serde_json::from_str(&text)?;
            failed += status.get("failure_count").and_then(Value::as_u64).unwrap_or(*count as u64);
            n += *count as u64;
        }
        server.settle()?;
        last = server.cpu()? - before;
        cpu += last;
    }
    times.sort_by(f64::total_cmp);
    Ok(json!({"objects": n, "failed": failed, "cpu_s": cpu, "per_cpu_s": rate(n, cpu),
        "last_round_per_cpu_s": rate(templates.len() as u64, last), "p50_ms": ms(&times, 0.5), "p99_ms": ms(&times, 0.99),
        "memory_mb": server.memory()?}))
}

/// Reads the whole collection over and over until the server has worked for a second.
fn page(args: &Args, server: &Server, agent: &ureq::Agent) -> Result<Value, Failure> {
    let (before, mut n, mut times) = (server.cpu()?, 0u64, Vec::new());
    let until = Instant::now() + Duration::from_secs(20);
    while server.cpu()? - before < 1.0 && Instant::now() < until {
        let mut next: Option<String> = None;
        loop {
            let mut request = agent
                .get(format!("{}/objects/", server.collection))
                .header("Authorization", &server.auth)
                .header("Accept", MEDIA)
                .query("limit", args.batch.to_string());
            if let Some(next) = &next {
                request = request.query("next", next);
            }
            let since = Instant::now();
            let mut answer = request.call()?;
            let text = answer.body_mut().with_config().limit(100 << 20).read_to_string()?;
            times.push(since.elapsed().as_secs_f64());
            #[derive(serde::Deserialize)]
            struct Envelope<'a> {
                #[serde(default)]
                more: bool,
                next: Option<String>,
                #[serde(borrow, default)]
                objects: Vec<&'a serde_json::value::RawValue>,
            }
            let envelope: Envelope<'_> = serde_json::from_str(&text)?;
            n += envelope.objects.len() as u64;
            if !envelope.more {
                break;
            }
            next = envelope.next;
        }
    }
    let cpu = server.cpu()? - before;
    times.sort_by(f64::total_cmp);
    Ok(
        json!({"objects": n, "cpu_s": cpu, "per_cpu_s": rate(n, cpu), "p50_ms": ms(&times, 0.5), "p99_ms": ms(&times, 0.99),
        "memory_mb": server.memory()?}),
    )
}

fn get(args: &Args, templates: &[Template], server: &Server) -> Result<Value, Failure> {
    let (before, until, n, bad) =
        (server.cpu()?, Instant::now() + Duration::from_secs(args.secs), AtomicU64::new(0), AtomicU64::new(0));
    let client = |seed: usize| -> Vec<f64> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut times = Vec::new();
        // A fixed stride that is prime to most lengths: every object is asked for, in no order.
        let mut at = seed * 7_919;
        while Instant::now() < until {
            at = (at + 104_729) % templates.len();
            let Some(template) = templates.get(at) else { break };
            let since = Instant::now();
            let text = agent
                .get(format!("{}/objects/{}/", server.collection, template.id))
                .header("Authorization", &server.auth)
                .header("Accept", MEDIA)
                .call()
                .ok()
                .and_then(|mut r| r.body_mut().read_to_string().ok());
            times.push(since.elapsed().as_secs_f64());
            n.fetch_add(1, Ordering::Relaxed);
            if !text.is_some_and(|t| t.contains(&template.id)) {
                bad.fetch_add(1, Ordering::Relaxed);
            }
        }
        times
    };
    let mut times: Vec<f64> = std::thread::scope(|s| {
        let clients: Vec<_> = (0..args.clients).map(|i| s.spawn(move || client(i))).collect();
        clients.into_iter().flat_map(|c| c.join().unwrap_or_default()).collect()
    });
    let (cpu, n) = (server.cpu()? - before, n.into_inner());
    times.sort_by(f64::total_cmp);
    Ok(
        json!({"requests": n, "bad": bad.into_inner(), "cpu_s": cpu, "per_cpu_s": rate(n, cpu), "p50_ms": ms(&times, 0.5),
        "p99_ms": ms(&times, 0.99), "memory_mb": server.memory()?}),
    )
}
