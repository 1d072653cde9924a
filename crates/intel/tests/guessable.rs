//! Ids that tell whom they are about do not stand beside a body.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use intel::{Intel, Setup, Took};
use ledger::testing::TestFolder;
use ledger::{INTAKE, Ledger, Options, Urgency};
use people::{NodeInfo, People};
use serde_json::json;

#[test]
fn the_subject_of_a_personal_observable_that_no_standard_gives_an_id_is_a_keyed_hash() {
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
    for (n, kind) in stix::PERSONAL_OURS.iter().chain(&["domain-name"]).enumerate() {
        let id = format!("{kind}--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5{n:03}");
        let body = json!({"type": kind, "spec_version": "2.1", "id": id, "value": format!("EXERCISE {n}")}).to_string();
        let taken = intel.take(&me, INTAKE, &[&body], Urgency::Interactive).unwrap();
        let Took::New { pos, .. } = taken[0].outcome else { panic!("{taken:?}") };
        let entry = ledger.log().entry(pos).unwrap().unwrap();
        assert_eq!(*entry.subject, *people::told(ledger.keys(), &id), "as the access log tells it");
        assert_eq!(*kind == "domain-name", *entry.subject == *id, "{id}");
        assert_eq!(intel.versions(&me, &id).unwrap().len(), 1, "found by its own id");
    }
}
