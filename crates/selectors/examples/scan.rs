//! Measures selectors per object of a STIX bundle and per text of JSON Lines: `scan [--list] FILE...`.
use selectors::{Hints, of_object, scan};
use std::collections::BTreeMap;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list = std::env::args().any(|a| a == "--list");
    for file in std::env::args().skip(1).filter(|a| a != "--list") {
        let bytes = std::fs::read(&file)?;
        let bundle = if file.ends_with(".json") { serde_json::from_slice(&bytes)? } else { serde_json::Value::Null };
        let objects: &[serde_json::Value] = bundle.get("objects").and_then(|o| o.as_array()).map_or(&[], Vec::as_slice);
        let texts: Vec<String> = match objects.is_empty() {
            true => bytes
                .split(|b| *b == b'\n')
                .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
                .filter_map(|row| row.get("text").and_then(|t| t.as_str()).map(str::to_string))
                .collect(),
            false => Vec::new(),
        };
        let hints = Hints::default();
        let count = objects.len() + texts.len();
        let mut best = f64::MAX;
        for round in 0..4 {
            let start = Instant::now();
            let found: Vec<_> = objects
                .iter()
                .flat_map(|o| of_object(o, &hints))
                .chain(texts.iter().flat_map(|t| scan(t, &hints)))
                .collect();
            best = best.min(start.elapsed().as_secs_f64() * 1e6 / count.max(1) as f64);
            if round == 0 {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                for f in &found {
                    *counts.entry(f.kind.as_str()).or_default() += 1;
                    if list {
                        println!("{}\t{}\t{:?}\t{}", f.kind, f.value, f.strength, f.why);
                    }
                }
                println!("{file}: {count} read, {counts:?}");
            }
        }
        println!("  best of 4: {best:.2} µs each");
    }
    Ok(())
}
