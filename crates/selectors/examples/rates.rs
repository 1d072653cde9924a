//! How often each kind is found in labelled texts (JSON Lines with `text` and `label`), per thousand texts:
//! `rates [--country CC] [--samples KIND] FILE...`. Label 0 is what honest people write, label 1 is fraud.
use selectors::{Hints, Strength, scan};
use std::collections::BTreeMap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut country = None;
    let mut samples = None;
    let mut files = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--country" => country = args.next(),
            "--samples" => samples = args.next(),
            _ => files.push(arg),
        }
    }
    let hints = Hints { country: country.as_deref() };
    // Texts with the kind, by label: any strength, and strong enough to link.
    let mut with: BTreeMap<&str, [[usize; 2]; 2]> = BTreeMap::new();
    let mut texts = [0usize; 2];
    for file in &files {
        let bytes = std::fs::read(file)?;
        for row in bytes.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice::<serde_json::Value>(l).ok()) {
            let Some(text) = row.get("text").and_then(|t| t.as_str()) else { continue };
            let label = usize::from(row.get("label").and_then(serde_json::Value::as_u64) == Some(1));
            if let Some(count) = texts.get_mut(label) {
                *count += 1;
            }
            let mut kinds: BTreeMap<&str, bool> = BTreeMap::new();
            if samples.as_deref() == Some("none") && scan(text, &hints).is_empty() {
                println!("{label}\tnone\t\t{}", text.replace('\n', "⏎"));
            }
            for found in scan(text, &hints) {
                *kinds.entry(found.kind.as_str()).or_default() |= found.strength == Strength::Links;
                if samples.as_deref() == Some(found.kind.as_str()) {
                    let from = (0..=found.span.start.saturating_sub(30)).rev().find(|i| text.is_char_boundary(*i));
                    let to = (found.span.end + 20..).find(|i| *i >= text.len() || text.is_char_boundary(*i));
                    let around = text.get(from.unwrap_or(0)..to.unwrap_or(0).min(text.len())).unwrap_or("");
                    println!("{label}\t{:?}\t{}\t{}", found.strength, found.value, around.replace('\n', "⏎"));
                }
            }
            for (kind, links) in kinds {
                if let Some([any, linking]) = with.entry(kind).or_default().get_mut(label) {
                    *any += 1;
                    *linking += usize::from(links);
                }
            }
        }
    }
    let [honest, fraud] = texts.map(|n| n.max(1) as f64 / 1000.0);
    println!("{texts:?} texts; per thousand: kind, honest (links), fraud (links)");
    for (kind, [[h, hl], [f, fl]]) in with {
        let of = |n: usize, all: f64| n as f64 / all;
        println!("{kind}\t{:.2} ({:.2})\t{:.2} ({:.2})", of(h, honest), of(hl, honest), of(f, fraud), of(fl, fraud));
    }
    Ok(())
}
