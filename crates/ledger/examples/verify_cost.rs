//! What `eye verify` costs: a ledger of N entries in 20 collections, proved from its files. Prints seconds and memory.
//!
//! `cargo run --release -p ledger --example verify_cost -- 1000000`
use ledger::{
    Append, CollectionId, IdSource, Kind, Ledger, NewEntry, Options, SameRule, Urgency, verify_folder,
    verify_proof_file,
};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// A line of `/proc/self/status`, KB.
fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// CPU seconds of this thread, which proves alone.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn note(n: u64, collection: CollectionId) -> NewEntry {
    let object: std::sync::Arc<str> = format!("note--00000000-0000-4000-8000-{n:012}").into();
    NewEntry {
        collection,
        id: IdSource::Object { object: object.clone(), version: Some(1) },
        same: SameRule::Refuse,
        subject: object,
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new("stix"),
        version: 1,
        marking: "TLP:AMBER".into(),
        body: format!(r#"{{"type":"note","n":{n},"content":"EXERCISE {}"}}"#, "x".repeat(400)).into(),
    }
}

fn main() -> Result<(), Failure> {
    let count: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir()?;
    Ledger::create(folder.path())?;
    let ledger = Ledger::open(folder.path(), Options { every_minute: false, ..Options::default() }, Vec::new())?;
    let collections: Vec<CollectionId> = (0..20).map(|_| CollectionId::random()).collect();
    for first in (0..count).step_by(400) {
        let of = |n: u64| collections.get((n % 20) as usize).copied().unwrap_or(ledger::INTAKE);
        let entries = (first..(first + 400).min(count)).map(|n| note(n, of(n))).collect();
        ledger.append(Append { entries, expect: Vec::new() }, Urgency::Bulk)?;
    }
    ledger.tick()?;
    let proof = ledger.prove(count / 2, true)?.to_json()?;
    let key = ledger.keys().signing().verifying_key();
    ledger.close();
    drop(ledger);
    let began = (Instant::now(), cpu());
    let offline = verify_proof_file(&proof, Some(&key))?;
    let took = began.0.elapsed();
    println!("one proof: {} bytes, {took:?}, under a checkpoint: {}", proof.len(), offline.checkpoint.is_some());
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (before, began) = (status("VmRSS"), (Instant::now(), cpu()));
    let mut told = 0u64;
    let report = verify_folder(folder.path(), &mut |_, _| told += 1)?;
    let (wall, cpu) = (began.0.elapsed().as_secs_f64(), cpu() - began.1);
    let grown = status("VmHWM").saturating_sub(before);
    println!(
        "{} entries: {wall:.1} s, {cpu:.1} CPU-s, {grown} KB more at most, progress told {told} times",
        report.entries
    );
    if report.ok() { Ok(()) } else { Err(format!("{:?}", report.problems).into()) }
}
