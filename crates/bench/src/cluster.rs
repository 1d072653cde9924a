//! `bench cluster`: union over co-spent inputs with a witness per union; what asking why and undoing cost.
use crate::Failure;
use crate::machine::{load, memory_mb};
use money::cluster::{Book, Clusters, Evidence, Exclusion, SpendFiles, Witness, crc32};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with offsets.u64.bin, inputs.u32.bin and, if there, meta.json (its `n_addr` saves counting the addresses).
    pub folder: PathBuf,
    /// Share of the transactions that unite nothing, as CoinJoins do; every witness is then checked against the inputs.
    #[arg(long, default_value_t = 0.0)]
    pub coinjoin: f64,
    /// Ask this many times why two addresses of the largest cluster are together, and undo 20 of its transactions.
    #[arg(long, default_value_t = 0)]
    pub why: usize,
}

/// Runs, prints one JSON line; with `--why` a second one.
///
/// # Errors
/// The input cannot be read.
pub fn run(args: &Args) -> Result<(), Failure> {
    let addresses = addresses(args)?;
    let start = cpu();
    let files = SpendFiles::open(&args.folder)?;
    let mut evidence = Evidence::new(files.spends(addresses)?);
    let opened = cpu() - start;
    if args.coinjoin > 0.0 {
        let below = (args.coinjoin.min(1.0) * f64::from(u32::MAX)) as u32;
        let all = 0..evidence.spends.transactions();
        evidence.off =
            all.filter(|t| t.wrapping_mul(0x9E37_79B1).rotate_left(16).wrapping_mul(0x85EB_CA6B) < below).collect();
    }
    let start = cpu();
    let clusters = Clusters::solve(&evidence)?;
    let solved = cpu() - start;
    let (peak, anonymous) = (memory_mb("self", "VmHWM")?, memory_mb("self", "RssAnon")?);
    let mut line = json!({"bench": "cluster", "clusters": clusters.count(), "crc32": crc32(clusters.labels()),
        "cpu_s": thousandths(opened + solved), "peak_mb": peak, "peak_anon_mb": anonymous,
        "witnesses": clusters.witnesses(), "load": load()});
    if args.coinjoin > 0.0 {
        let start = cpu();
        let wrong = clusters.recheck(&evidence);
        let told = [
            ("wrong", json!(wrong)),
            ("recheck_cpu_s", json!(thousandths(cpu() - start))),
            ("excluded", json!(evidence.off.len())),
        ];
        if let Some(line) = line.as_object_mut() {
            line.extend(told.map(|(name, value)| (name.to_owned(), value)));
        }
    }
    println!("{line}");
    drop(clusters);
    if args.why > 0 { why(evidence, args.why) } else { Ok(()) }
}

/// Asks and undoes in the largest cluster, where both cost most.
fn why(evidence: Evidence<'_>, times: usize) -> Result<(), Failure> {
    let start = cpu();
    let mut book = Book::open(evidence)?;
    let open = cpu() - start;
    let mut size = vec![0_u32; book.clusters().labels().len()];
    for &label in book.clusters().labels() {
        if let Some(n) = size.get_mut(label as usize) {
            *n += 1;
        }
    }
    let (_, largest) = size.iter().zip(0_u32..).max().ok_or("no addresses")?;
    let members = book.clusters().members(&[largest]);
    let mut state = 0x1234_5678_9ABC_DEF1_u64;
    let mut any = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        members.get((state >> 33) as usize % members.len()).copied().unwrap_or(largest)
    };
    let (mut asked, mut longest, mut found) = (Vec::new(), (0, 0), Vec::new());
    for _ in 0..times {
        let (a, b) = (any(), any());
        let start = Instant::now();
        let why = book.why(a, b)?;
        asked.push(start.elapsed().as_secs_f64() * 1e3);
        longest = (longest.0.max(why.chain.len()), longest.1.max(why.shortest.map_or(0, |s| s.len())));
        if let Some(Witness::Spend { transaction, .. }) = why.chain.first().map(|s| s.witness) {
            found.push(transaction);
        }
    }
    let mut undone = Vec::new();
    for transaction in found.into_iter().take(20) {
        let start = cpu();
        book.exclude(&[Exclusion::Transaction(transaction)])?;
        undone.push(cpu() - start);
        book.include(&[Exclusion::Transaction(transaction)])?;
    }
    let line = json!({"bench": "cluster", "what": "why and undo", "largest": members.len(), "open_cpu_s": thousandths(open),
        "why_p50_ms": part(&mut asked, 50), "why_p95_ms": part(&mut asked, 95), "chain_max": longest.0, "shortest_max": longest.1,
        "undo_cpu_s": part(&mut undone, 50), "undo_p95_cpu_s": part(&mut undone, 95), "crc32": crc32(book.clusters().labels()),
        "peak_mb": memory_mb("self", "VmHWM")?, "load": load()});
    println!("{line}");
    Ok(())
}

fn addresses(args: &Args) -> Result<Option<u32>, Failure> {
    let Ok(text) = std::fs::read(args.folder.join("meta.json")) else { return Ok(None) };
    let meta: Value = serde_json::from_slice(&text)?;
    Ok(meta.get("n_addr").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()))
}

/// Time of this process, s; finer than the hundredths that /proc tells.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

fn part(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    thousandths(values.get(at).copied().unwrap_or(0.0))
}

fn thousandths(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
