//! `bench tags`: loading packs of tags into a store, and what is asked of it.
use crate::Failure;
use crate::machine::{cpu_seconds, load, memory_mb};
use money::tags::{BatchInfo, Job, Source, Tags, coverage, evidence};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of TagPacks, those in its folders included.
    pub packs: PathBuf,
    /// So many addresses are asked about, every other one of them untagged.
    #[arg(long, default_value_t = 100_000)]
    pub asked: usize,
}

/// Loads every pack into a store that is removed again, asks, prints one JSON line.
///
/// # Errors
/// A pack cannot be read.
pub fn run(args: &Args) -> Result<(), Failure> {
    let dir = std::env::temp_dir().join(format!("bench-tags-{}", std::process::id()));
    let measured = measure(args, &dir);
    std::fs::remove_dir_all(&dir)?;
    println!("{}", measured?);
    Ok(())
}

fn measure(args: &Args, dir: &Path) -> Result<serde_json::Value, Failure> {
    let mut files = Vec::new();
    gather(&args.packs, &mut files)?;
    files.sort();
    std::fs::create_dir_all(dir)?;
    let (start, wall) = (cpu_seconds()?, Instant::now());
    let mut tags = Tags::open_to_write(dir)?;
    for file in &files {
        let job = Job {
            file: file.clone(),
            source: Source::Guess(None),
            uri: None,
            author: None,
            collection: None,
            marking: None,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        tags.load(&job, &mut |_| ControlFlow::Continue(()))?;
    }
    let (load_cpu, load_wall) = (cpu_seconds()? - start, wall.elapsed().as_secs_f64());
    let (peak, anonymous) = (memory_mb("self", "VmHWM")?, memory_mb("self", "RssAnon")?);
    drop(tags);
    let start = Instant::now();
    let tags = Tags::open(dir)?;
    let disk = tags.batches().map(|info| info.extent.bytes).sum::<u64>().div_ceil(1_000_000);
    let open_ms = start.elapsed().as_secs_f64() * 1e3;
    let start = cpu_seconds()?;
    let all = coverage(&tags, &[], &sees);
    let coverage_cpu = cpu_seconds()? - start;
    let asked = addresses(&tags, args.asked);
    let (mut found, mut times) = (0, Vec::with_capacity(asked.len()));
    for address in &asked {
        let start = Instant::now();
        found += usize::from(!tags.show(address, &sees).statements.is_empty());
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default().round();
    Ok(json!({"bench": "tags", "packs": files.len(), "read": all.read, "tags": all.tags, "repeats": all.repeats,
        "load_cpu_s": hundredths(load_cpu), "load_wall_s": hundredths(load_wall), "peak_mb": peak, "peak_anon_mb": anonymous,
        "disk_mb": disk, "open_ms": hundredths(open_ms), "coverage_cpu_s": hundredths(coverage_cpu),
        "asked": asked.len(), "found": found, "p50_us": at(0.5), "p95_us": at(0.95), "p99_us": at(0.99), "load": load()}))
}

/// Tagged addresses from everywhere in the store, and after each one that nobody tagged.
fn addresses(tags: &Tags, many: usize) -> Vec<String> {
    let mut all = Vec::new();
    for network in ["btc", "eth", "trx"] {
        evidence(tags, network, &sees, |address| {
            all.push(address.to_owned());
            None
        });
    }
    let step = (all.len() / (many / 2).max(1)).max(1);
    let tagged = all.into_iter().step_by(step).take(many / 2);
    let strangers =
        (0..many / 2).map(|n| format!("0x{:040x}", (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060)));
    tagged.zip(strangers).flat_map(|(tagged, stranger)| [tagged, stranger]).collect()
}

fn sees(_: &BatchInfo) -> bool {
    true
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}

fn hundredths(n: f64) -> f64 {
    (n * 100.0).round() / 100.0
}
