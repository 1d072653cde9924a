//! What a view could not read is told to administrators, who read no bodies: place and shape, never a word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use intel::{Intel, Setup, entry};
use ledger::{Append, INTAKE, IdSource, Kind, Ledger, NewEntry, Options, SameRule, Urgency};
use people::{NodeInfo, People};
use std::time::Duration;

/// Writes past `act`, as a later version or a damaged program might.
fn write(ledger: &Ledger, kind: &str, body: &str) -> u64 {
    let entry = NewEntry {
        collection: INTAKE,
        id: IdSource::Fresh,
        same: SameRule::Refuse,
        subject: "note--00000000-0000-4000-8000-000000000001".into(),
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new(kind),
        version: 9,
        marking: "TLP:AMBER".into(),
        body: body.into(),
    };
    let receipt = ledger.append(Append { entries: vec![entry], expect: vec![] }, Urgency::Interactive).unwrap();
    receipt.outcomes[0].pos().unwrap()
}

#[test]
fn why_an_entry_was_not_folded_repeats_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let setup = Setup::new(folder.path(), Some("TH".into())).unwrap();
    let ledger = Ledger::open(folder.path(), Options::default(), vec![people::room(), setup.factory()]).unwrap();
    people::init(&ledger, NodeInfo { name: "EXERCISE".into(), country: "TH".into(), exercise: true }).unwrap();
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    let bodies = [
        (entry::OVERRULE, r#"{"kind":"zwirblefink","value":"x","links":true,"reason":"y"}"#),
        (entry::OVERRULE, r#"{"kind":"domain","value":"x","links":"zwirblefink","reason":"y"}"#),
        (entry::IMPORT, r#"{"source":"x","format":["zwirblefink"]}"#),
        (entry::IMPORTED, r#"{"import":"x","added":"zwirblefink","same":0,"aside":0}"#),
        (entry::STIX, r#"{"type":"zwirblefink"}"#),
        (entry::STIX, r#"{"type":"note","id":"note--1","revoked":"zwirblefink"}"#),
        (entry::WITHDRAW, r#"{"entry":"zwirblefink"}"#),
        ("audience", r#"{"title":"x","default":"zwirblefink","highest":"TLP:RED","members":[]}"#),
    ];
    let written: Vec<u64> = bodies.iter().map(|(kind, body)| write(&ledger, kind, body)).collect();
    ledger.level(Duration::from_secs(60)).unwrap();
    let mut named = Vec::new();
    for view in ledger.views() {
        for (pos, why) in view.unfolded_entries(100).unwrap() {
            assert!(!why.contains("zwirblefink") && !why.is_empty(), "{}: {why}", view.name());
            named.push(pos);
        }
    }
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, written, "each is named");
    drop(intel);
    ledger.close();
}
