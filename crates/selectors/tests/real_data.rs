//! Real lists: every sanctioned address must validate, and texts must not drown in false findings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use selectors::{Hints, Kind, Strength, normalise, of_object, scan};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("EYE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data").join(path);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn every_sanctioned_address_is_read_as_its_currency_says() {
    let Some(folder) = shared("wallets/ofac") else {
        return;
    };
    let mut refused = Vec::new();
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let Some(symbol) = name.strip_prefix("sanctioned_addresses_").and_then(|n| n.strip_suffix(".txt")) else {
            continue;
        };
        for address in std::fs::read_to_string(&file).unwrap().lines().filter(|l| !l.is_empty()) {
            count += 1;
            // Tokens live on several chains: a wallet field is read by shape.
            let object = serde_json::json!({"type": "cryptocurrency-wallet", "value": address});
            let by_shape = of_object(&object, &Hints::default()).into_iter().next();
            let by_symbol = Kind::parse(symbol).map(|kind| normalise(kind, address, &Hints::default()).ok());
            let links = |f: &Option<selectors::Found>| f.as_ref().is_some_and(|f| f.strength == Strength::Links);
            if !links(&by_shape) || by_symbol.as_ref().is_some_and(|f| !links(f)) {
                refused.push(format!("{symbol} {address}"));
            }
            if symbol != "SOL" && links(&by_shape) {
                let found = scan(&format!("pay {address} now"), &Hints::default());
                assert!(
                    found.len() == 1 && Some(&found[0].value) == by_shape.as_ref().map(|f| &f.value),
                    "{symbol} {address}: {found:?}"
                );
            }
        }
    }
    println!("{count} addresses, refused: {refused:?}");
    // One entry under XMR is a 64-digit key and no address (and one under XBT is TRON's, which its checksum tells).
    assert!(count > 700 && refused.iter().all(|r| r.starts_with("XMR 5be5543f")), "{refused:#?}");
}

#[test]
fn texts_of_many_languages_are_read_fast_and_soberly() {
    let Some(folder) = shared("text") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let texts: Vec<String> = text
            .lines()
            .take(3000)
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["text"].as_str().unwrap_or("").to_string())
            .collect();
        let start = std::time::Instant::now();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in &texts {
            for found in scan(text, &Hints::default()) {
                assert!(text.get(found.span.clone()).is_some());
                *counts.entry(found.kind.as_str()).or_default() += 1;
            }
        }
        let each = start.elapsed().as_micros() as f64 / texts.len() as f64;
        println!("{}: {each:.1} µs a text, {counts:?}", file.file_name().unwrap().to_string_lossy());
    }
}

#[test]
fn attack_gives_few_selectors_and_no_citations() {
    let Some(file) = shared("stix/ics-attack-2.1.json") else {
        return;
    };
    let bundle: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for object in objects {
        for found in of_object(object, &Hints::default()) {
            assert!(!found.value.contains("attack.mitre.org"), "{found:?}");
            *counts.entry(found.kind.as_str()).or_default() += 1;
        }
    }
    println!("{} objects: {counts:?}", objects.len());
    assert!(counts.values().sum::<usize>() < objects.len());
}
