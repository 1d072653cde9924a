//! Entries of every version ever written fold, to the same audiences. Lines are added here, never changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use ledger::{Append, IdSource, Kind, Ledger, NewEntry, Options, SameRule, Urgency};
use people::People;

#[test]
fn every_entry_of_the_corpus_folds_and_says_what_it_said() {
    let dir = ledger::testing::TestFolder::new();
    Ledger::create(dir.path()).unwrap();
    let ledger = Ledger::open(dir.path(), Options::default(), vec![people::room()]).unwrap();
    dir.watch(&ledger);
    for line in include_str!("corpus/v1.jsonl").lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap();
        let entry = NewEntry {
            collection: text("collection").parse().unwrap(),
            id: IdSource::Fresh,
            same: SameRule::Refuse,
            subject: text("subject").into(),
            cause: None,
            author: 0,
            time: None,
            kind: Kind::new(text("kind")),
            version: u16::try_from(line["version"].as_u64().unwrap()).unwrap(),
            marking: "TLP:RED".into(),
            body: line["body"].to_string().into(),
        };
        ledger.append(Append { entries: vec![entry], expect: vec![] }, Urgency::Interactive).unwrap();
    }
    let people = People::open(&ledger).unwrap();
    let local = people.local_viewer().unwrap();
    let mut out = String::new();
    for account in people.accounts(&local).unwrap() {
        out += &format!("account {} {:?}\n", account.number, account.body);
        let Some(viewer) = people.viewer(account.number).unwrap() else { continue };
        for c in people.collections(&viewer).unwrap() {
            let (reads, writes) = (viewer.sees(c.col), viewer.may_write(c.col));
            out += &format!("  {} reads {reads} writes {writes}\n", c.title());
        }
    }
    assert_eq!(ledger.view("people").unwrap().unfolded(), 0);
    insta::assert_snapshot!(out);
    ledger.close();
}
