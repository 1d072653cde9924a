//! `bench ledger`: the log and its index in process, on ATT&CK with every id replaced each round (or a new version).
//!
//! Counts the CPU of the whole process from the first append until the index is level; making the objects is not in it.
use crate::Failure;
use crate::attack::{Filling, Template, templates};
use crate::machine::{cpu_seconds, memory_mb, size_mb};
use ::ledger::{Append, INTAKE, IdSource, Kind, Ledger, NewEntry, Options, SameRule, Urgency};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Entries of one append (LEDGER.md, "Append").
const BATCH: usize = 400;
/// Where the rate is told, in objects stored.
const AT: [u64; 4] = [25_000, 250_000, 1_000_000, 2_000_000];

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub filling: Filling,
    /// Every round brings new versions of the same objects instead of new ids.
    #[arg(long)]
    pub versions: bool,
}

/// Runs, prints one JSON line a measurement.
///
/// # Errors
/// What reading the bundle or the ledger answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let templates = templates(&args.filling.bundle)?;
    let folder = args.filling.place("ledger");
    Ledger::create(&folder)?;
    let measured = measure(args, &templates, &folder);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(args: &Args, templates: &[Template], folder: &Path) -> Result<(), Failure> {
    let ledger = Ledger::open(folder, Options::default(), Vec::new())?;
    let (mut stored, mut round, mut window) = (0u64, 0u64, Vec::new());
    while stored < args.filling.objects {
        let entries: Vec<NewEntry> = templates.iter().map(|t| entry(t, round, args.versions)).collect();
        let count = entries.len() as u64;
        let (cpu, wall, mut slowest) = (cpu_seconds()?, Instant::now(), Duration::ZERO);
        for batch in entries.chunks(BATCH) {
            let since = Instant::now();
            ledger.append(Append { entries: batch.to_vec(), expect: Vec::new() }, Urgency::Bulk)?;
            slowest = slowest.max(since.elapsed());
        }
        ledger.level(Duration::from_secs(60))?;
        let cpu = cpu_seconds()? - cpu;
        let before = stored;
        stored += count;
        round += 1;
        window.push((count, cpu));
        let rate = |rounds: &[(u64, f64)]| {
            let (n, cpu) = rounds.iter().fold((0, 0.0), |(n, c), (m, d)| (n + m, c + d));
            (n as f64 / cpu).round()
        };
        if AT.iter().any(|at| before < *at && stored >= *at) || stored >= args.filling.objects {
            let last: Vec<_> = window.iter().rev().take(250_000usize.div_ceil(templates.len())).copied().collect();
            let line = serde_json::json!({
                "bench": "ledger", "versions": args.versions, "stored": stored,
                "objects_per_cpu_s": rate(&[(count, cpu)]), "mean_of_last_250k": rate(&last),
                "round_wall_s": wall.elapsed().as_secs_f64(), "slowest_append_ms": slowest.as_millis() as u64,
                "peak_mb": memory_mb("self", "VmHWM")?, "index_mb": size_mb(&folder.join("views")), "log_mb": size_mb(folder),
            });
            println!("{line}");
        }
    }
    ledger.close();
    Ok(())
}

fn entry(template: &Template, round: u64, versions: bool) -> NewEntry {
    let id: Arc<str> = if versions { template.id.as_str().into() } else { template.id(round).into() };
    let body = if versions { template.body.clone() } else { template.renamed(round) };
    NewEntry {
        collection: INTAKE,
        id: IdSource::Object { object: Arc::clone(&id), version: Some(round.cast_signed()) },
        same: SameRule::Refuse,
        subject: id,
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new("stix"),
        version: 1,
        marking: "TLP:CLEAR".into(),
        body: body.into(),
    }
}
