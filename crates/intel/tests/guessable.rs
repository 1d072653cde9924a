//! Ids that tell whom they are about: hashed wherever they stand beside a body, and erased like any other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use intel::{Intel, Setup, Took};
use ledger::testing::TestFolder;
use ledger::{INTAKE, Ledger, Options, Urgency};
use people::{NodeInfo, People};
use serde_json::{Value, json};
use std::time::Duration;

/// One of each personal type with a UUIDv5, and a domain.
fn observables() -> Vec<Value> {
    let id = |kind: &str, n: u32| format!("{kind}--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5{n:03}");
    let mut all = vec![json!({"type": "domain-name", "id": id("domain-name", 0), "value": "shop.example"})];
    for (n, kind) in stix::PERSONAL_OURS.iter().chain(&stix::PERSONAL_STANDARD).enumerate() {
        all.push(json!({"type": kind, "id": id(kind, n as u32 + 1), "value": format!("EXERCISE {n}")}));
    }
    for object in &mut all {
        object["spec_version"] = "2.1".into();
    }
    all
}

#[test]
fn the_subject_of_every_personal_observable_is_a_keyed_hash_and_its_erasure_leaves_equal_views() {
    let dir = TestFolder::new();
    Ledger::create(dir.path()).unwrap();
    let setup = Setup::new(dir.path(), Some("TH".into())).unwrap();
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(dir.path(), options, vec![people::room(), setup.factory()]).unwrap();
    dir.watch(&ledger);
    people::init(&ledger, NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true }).unwrap();
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    let me = people.local_viewer().unwrap();
    for object in observables() {
        let (id, body) = (object["id"].as_str().unwrap().to_owned(), object.to_string());
        let taken = intel.take(&me, INTAKE, &[&body], Urgency::Interactive).unwrap();
        let Took::New { pos, .. } = taken[0].outcome else { panic!("{taken:?}") };
        let entry = ledger.log().entry(pos).unwrap().unwrap();
        let told = people::told(ledger.keys(), &id);
        assert_eq!(*entry.subject, *told, "{id}");
        assert_eq!(people::is_guessable(&id), !entry.subject.contains(id.rsplit("--").next().unwrap()), "{id}");
        assert_eq!(intel.versions(&me, &id, &every()).unwrap().len(), 1, "found by its own id");
        intel.expunge(&me, &id, "EXERCISE").unwrap();
        assert!(intel.versions(&me, &id, &every()).unwrap().is_empty());
    }
    ledger.level(Duration::from_secs(30)).unwrap();
    for view in ledger.views() {
        let compared = ledger.compare(view.name(), &|_, _| {}).unwrap();
        assert_eq!(compared.serving, compared.fresh, "{}", view.name());
    }
}

fn every() -> intel::Versions {
    intel::Versions { limit: 2_000, ..Default::default() }
}
