//! `bench ingest`: what a door does after it has parsed the request, in process, until every view is level: header and
//! marking checks, append, and all folds, on ATT&CK with every id replaced each round (or a new version each round).
//!
//! Counts the CPU of the whole process; making the objects is not in it.
use crate::Failure;
use crate::attack::{Filling, Template, templates};
use crate::machine::{cpu_seconds, load, memory_mb, size_mb};
use crate::node::Node;
use ::ledger::{INTAKE, Urgency};
use intel::Took;
use std::time::{Duration, Instant};

/// Objects of one call.
const BATCH: usize = 1_000;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub filling: Filling,
    /// Once `objects` are stored, three rounds in which every object is a new version of a stored one.
    #[arg(long)]
    pub versions: bool,
    /// Keep the data folder.
    #[arg(long)]
    pub keep: bool,
}

/// Runs, prints one JSON line a round.
///
/// # Errors
/// What reading the bundle or the node answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let templates = templates(&args.filling.bundle)?;
    let folder = args.filling.place("ingest");
    let node = Node::create(&folder)?;
    let measured = measure(args, &templates, &node);
    node.ledger.close();
    if args.keep {
        eprintln!("kept: {}", folder.display());
    } else {
        std::fs::remove_dir_all(&folder)?;
    }
    measured
}

fn measure(args: &Args, templates: &[Template], node: &Node) -> Result<(), Failure> {
    let (mut stored, mut round, mut window) = (0u64, 0u64, Vec::new());
    while stored < args.filling.objects {
        let bodies: Vec<String> = templates.iter().map(|t| t.renamed(round)).collect();
        stored += one_round(node, "new", &bodies, stored, &mut window)?;
        round += 1;
    }
    if args.versions {
        window.clear();
        for round in 0..3 {
            // The last objects stored in the first rounds are long out of every cache.
            let bodies: Vec<String> = templates.iter().filter_map(|t| t.newer(round)).collect();
            stored += one_round(node, "versions", &bodies, stored, &mut window)?;
        }
    }
    Ok(())
}

fn one_round(
    node: &Node,
    what: &str,
    bodies: &[String],
    before: u64,
    window: &mut Vec<(u64, f64)>,
) -> Result<u64, Failure> {
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let (cpu, wall, mut slowest, mut taken, mut refused) = (cpu_seconds()?, Instant::now(), Duration::ZERO, 0u64, 0u64);
    for batch in bodies.chunks(BATCH) {
        let since = Instant::now();
        for one in node.intel.take(&node.me, INTAKE, batch, Urgency::Bulk)? {
            match one.outcome {
                Took::New { .. } => taken += 1,
                _ => refused += 1,
            }
        }
        slowest = slowest.max(since.elapsed());
    }
    node.ledger.level(Duration::from_secs(120))?;
    let cpu = cpu_seconds()? - cpu;
    window.push((taken, cpu));
    let last: Vec<_> = window.iter().rev().take(250_000usize.div_ceil(bodies.len().max(1))).collect();
    let (n, c) = last.iter().fold((0, 0.0), |(n, c), (m, d)| (n + m, c + d));
    let line = serde_json::json!({
        "bench": "ingest", "what": what, "stored": before + taken, "taken": taken, "not_new": refused,
        "objects_per_cpu_s": (taken as f64 / cpu).round(), "mean_of_last_250k": (n as f64 / c).round(),
        "wall_s": (wall.elapsed().as_secs_f64() * 1e3).round() / 1e3, "slowest_call_ms": slowest.as_millis() as u64,
        "peak_mb": memory_mb("self", "VmHWM")?, "views_mb": size_mb(&node.folder.join("views")),
        "log_mb": size_mb(&node.folder), "load": load(),
    });
    println!("{line}");
    Ok(taken)
}
