//! Writes a world and prints one JSON line: objects, files, bytes, CPU seconds, peak memory; then scores the linker
//! that links on every value, hubs and all, which is the most the score can be asked to count.
//! `cargo run -p world --example world -- DIR [OBJECTS] [SEED] [AGENCIES]`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use world::score::{Truth, score_groups};
use world::truth::Line;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("a folder is wanted")?);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let objects = number(100_000)? as usize;
    let seed = number(7)?;
    let agencies = number(6)? as usize;
    let plan = world::Plan { seed, objects, agencies, ..world::Plan::default() };
    let summary = world::write(&plan, &dir, &mut |_, _| ())?;
    let (cpu, peak) = used()?;
    let line = serde_json::json!({
        "reports": summary.reports, "objects": summary.objects, "syndicates": summary.syndicates,
        "files": summary.files, "mb": summary.bytes / 1_000_000, "cpu_s": cpu, "peak_mb": peak,
    });
    println!("{line}");
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in BufReader::new(File::open(dir.join("truth.jsonl"))?).lines() {
        if let Line::Report(report) = serde_json::from_str(&line?)? {
            for name in report.names {
                let group = groups.entry(format!("{} {}", name.selector, name.value)).or_default();
                group.push(report.id.clone());
            }
        }
    }
    let truth = Truth::open(&dir)?;
    let before = used()?.0;
    let score = score_groups(&truth, groups);
    let (after, peak) = used()?;
    println!("{}", serde_json::json!({ "score": score.direct, "cpu_s": after - before, "peak_mb": peak }));
    Ok(())
}

/// CPU seconds and peak megabytes so far. Linux counts CPU in ticks of a hundredth of a second and memory in kilobytes
/// (proc(5)).
fn used() -> Result<(f64, u64), Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok((ticks as f64 / 100.0, peak.map_or(Ok(0), str::parse::<u64>)? / 1000))
}
