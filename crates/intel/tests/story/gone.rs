//! What an erasure and a withdrawal leave, and what a page says of what it did not read.
use super::*;

const PHONE: &str = "phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01";
/// A note with references.
fn note(n: u32, modified: &str, content: &str, refs: &[&str]) -> String {
    let id = format!("note--00000000-0000-4000-8000-{n:012}");
    serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": V1,
        "modified": modified, "content": content, "object_refs": refs})
    .to_string()
}
fn nid(n: u32) -> String {
    format!("note--00000000-0000-4000-8000-{n:012}")
}
fn phone() -> String {
    format!(r#"{{"type":"phone-number","spec_version":"2.1","id":"{PHONE}","value":"EXERCISE"}}"#)
}
impl Node {
    fn import(&self, bodies: &[String]) -> ImportReport {
        let bundle = format!(
            r#"{{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[{}]}}"#,
            bodies.join(",")
        );
        let job = ImportJob { source: "EXERCISE.json".into(), ..ImportJob::default() };
        self.intel.import(&self.me, &job, Box::new(bundle.as_bytes()), &mut |_| {}).unwrap()
    }
    fn same(&self) -> bool {
        self.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
        self.intel.ledger().compare("intel", &|_, _| {}).unwrap().same()
    }
    fn views(&self, needle: &str) -> usize {
        self.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
        std::fs::read_dir(self.dir.path().join("views"))
            .unwrap()
            .filter(|f| {
                std::fs::read(f.as_ref().unwrap().path()).unwrap().windows(needle.len()).any(|w| w == needle.as_bytes())
            })
            .count()
    }
}

#[test]
fn an_erased_object_that_an_import_brought_leaves_nothing_that_a_fold_anew_would_not_have() {
    let n = node();
    n.import(&[note(1, V1, "EXERCISE", &[&nid(1)])]);
    assert!(n.same(), "before");
    n.intel.expunge(&n.me, &nid(1), "EXERCISE").unwrap();
    assert!(n.same(), "after");
    n.end();
}
#[test]
fn an_erased_number_that_a_withdrawn_note_names_is_not_shown_again_by_a_rebuild() {
    let n = node();
    n.take(&[&phone(), &note(1, V1, "EXERCISE", &[PHONE])]);
    n.intel.withdraw(&n.me, &nid(1), &Which::All, None, "EXERCISE").unwrap();
    n.intel.expunge(&n.me, PHONE, "EXERCISE").unwrap();
    let live = n.views("8b0e3a0d-9f4b-5a3c");
    let same = n.same();
    n.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
    assert_eq!((live, same, n.views("8b0e3a0d-9f4b-5a3c")), (0, true, 0));
    n.end();
}
#[test]
fn why_an_object_was_withdrawn_goes_with_its_erasure_unless_others_went_for_the_same_reason() {
    let n = node();
    n.take(&[
        &note(1, V1, "EXERCISE", &[PHONE]),
        &note(2, V1, "EXERCISE", &[PHONE]),
        &note(3, V1, "EXERCISE", &[PHONE]),
    ]);
    for (k, reason) in
        [(1, "EXERCISE zwirblefink asked for it"), (2, "EXERCISE gnorvelblatt"), (3, "EXERCISE gnorvelblatt")]
    {
        n.intel.withdraw(&n.me, &nid(k), &Which::All, None, reason).unwrap();
    }
    assert_eq!((n.views("zwirblefink") > 0, n.views("gnorvelblatt") > 0), (true, true));
    n.intel.expunge(&n.me, &nid(1), "EXERCISE").unwrap();
    n.intel.expunge(&n.me, &nid(2), "EXERCISE").unwrap();
    assert_eq!((n.views("zwirblefink"), n.views("gnorvelblatt") > 0), (0, true));
    assert_eq!(n.intel.withdrawals(&n.me, &nid(3)).unwrap()[0].reason, "EXERCISE gnorvelblatt");
    n.intel.expunge(&n.me, &nid(3), "EXERCISE").unwrap();
    assert_eq!(n.views("gnorvelblatt"), 0);
    n.end();
}
#[test]
fn an_erased_number_that_an_older_version_names_is_not_shown_again_by_a_rebuild() {
    let n = node();
    n.take(&[&phone(), &note(1, V1, "EXERCISE", &[PHONE]), &note(1, V2, "EXERCISE", &[&nid(1)])]);
    n.intel.expunge(&n.me, PHONE, "EXERCISE").unwrap();
    assert!(n.same());
    n.end();
}
#[test]
fn the_hash_that_logs_hold_erases_nothing_for_feeds_would_bring_it_again() {
    let n = node();
    n.take(&[&phone()]);
    let hash = people::told(n.intel.ledger().keys(), PHONE).into_owned();
    assert!(matches!(n.intel.expunge(&n.me, &hash, "EXERCISE"), Err(Error::NotFound)));
    n.intel.expunge(&n.me, PHONE, "EXERCISE").unwrap();
    let again = n.take(&[&phone()]);
    assert!(matches!(again[0], Took::Refused { .. }), "{again:?}");
    n.end();
}
fn red(n: u32, content: &str) -> String {
    let marking = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    note(n, V1, content, &[&nid(n)])
        .replace("\"type\":\"note\"", &format!("\"object_marking_refs\":[\"{marking}\"],\"type\":\"note\""))
}
#[test]
fn a_record_that_cannot_be_read_and_says_a_marking_is_kept_for_nobody_else() {
    let n = node();
    let bad = red(1, "EXERCISE zwirblefink").replace("\"modified\":\"2026", "\"modified\":\"x2026");
    let report = n.import(&[bad]);
    let col = n.intel.people().collection(INTAKE).unwrap().unwrap().col;
    let analyst = Viewer::for_test(people::Role::Analyst, [col]);
    let kept = n.intel.set_aside(&analyst, report.import.unwrap(), 0, 10).unwrap().rows;
    assert!(kept.len() == 1 && kept[0].record.is_none() && kept[0].object.is_none(), "{kept:?}");
    n.end();
}
#[test]
fn a_cut_record_that_names_an_erased_object_keeps_no_text() {
    let n = node();
    n.take(&[&note(1, V1, "EXERCISE", &[&nid(1)])]);
    n.intel.expunge(&n.me, &nid(1), "EXERCISE").unwrap();
    let bad = note(2, V1, &"EXERCISE zwirblefink ".repeat(5_000), &[&nid(2)])
        .replace("\"modified\":\"2026", "\"modified\":\"x2026")
        .replace("\"content\"", &format!("\"a_ref\":\"{}\",\"content\"", nid(1)));
    let report = n.import(&[bad]);
    let kept = n.intel.set_aside(&n.me, report.import.unwrap(), 0, 10).unwrap().rows;
    assert!(kept.len() == 1 && kept[0].record.is_none());
    n.end();
}
#[test]
fn what_is_found_as_a_selector_and_as_words_is_counted_once() {
    let n = node();
    let revoked = note(2, V1, "EXERCISE see shop.example", &[&nid(2)])
        .replace("\"type\":\"note\"", "\"revoked\":true,\"type\":\"note\"");
    n.take(&[&note(1, V1, "EXERCISE see ｓｈｏｐ．example now", &[&nid(1)]), &revoked]);
    assert_eq!(n.intel.search(&n.me, "shop.example", None, 50).unwrap().total, Count::Exactly(2));
    assert_eq!(n.intel.search(&n.me, "shop.example", None, 1).unwrap().total, Count::Exactly(2));
    n.end();
}
#[test]
fn withdrawing_an_import_spares_an_observable_that_another_has_seen() {
    let n = node();
    let b = phone().replace("EXERCISE", "EXERCISE B");
    n.import(&[phone()]);
    let second = n.import(std::slice::from_ref(&b));
    let third = n.import(&[b]);
    assert_eq!((second.added, third.same), (1, 1));
    let gone = n.intel.withdraw_import(&n.me, second.import.unwrap(), "EXERCISE").unwrap();
    assert_eq!(gone, 0, "the third import has seen it");
    n.end();
}
#[test]
fn an_erased_number_is_hidden_when_the_last_that_named_it_is_withdrawn() {
    let n = node();
    // one withdrawn naming + one standing: shown after the phone went
    n.take(&[&phone(), &note(1, V1, "EXERCISE", &[PHONE])]);
    n.intel.expunge(&n.me, PHONE, "EXERCISE").unwrap();
    n.intel.withdraw(&n.me, &nid(1), &Which::All, None, "EXERCISE").unwrap();
    assert!(n.same());
    let shown = |r: &ledger::Reading<'_>| {
        Ok(r.conn.query_row("SELECT count(shown) FROM objects", [], |r| r.get::<_, i64>(0))?)
    };
    assert_eq!(n.intel.ledger().view("intel").unwrap().read(shown).unwrap(), 0, "nothing that stands says it");
    n.end();
}
#[test]
fn what_came_in_last_is_found_behind_a_large_import_that_was_withdrawn() {
    let n = node();
    n.take(&[&note(1, V1, "EXERCISE stays", &[&nid(1)]), &note(2, V1, "EXERCISE stays too", &[&nid(1)])]);
    let many: Vec<String> = (10..9_010).map(|k| note(k, V1, "x", &[&nid(1)])).collect();
    let import = n.import(&many);
    n.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
    let gone = n.intel.withdraw_import(&n.me, import.import.unwrap(), "EXERCISE").unwrap();
    n.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
    let hits = n.intel.latest(&n.me, None, 20).unwrap().len();
    assert_eq!((gone, hits), (9_000, 2));
    n.end();
}
#[test]
fn bounds_that_throw_the_newest_holders_away_still_find_an_older_one() {
    let n = node();
    let report = serde_json::json!({"type":"report","spec_version":"2.1","id":"report--00000000-0000-4000-8000-0000000000b1","created":V1,"modified":V1,
        "name":"EXERCISE wallet 0x52908400098527886e0f7030069857d2e4169ee7","published":V1,"object_refs":[nid(1)]}).to_string();
    n.take(&[&report]);
    let bodies: Vec<String> =
        (10..310).map(|k| note(k, V1, "EXERCISE 0x52908400098527886e0f7030069857d2e4169ee7", &[&nid(1)])).collect();
    let refs: Vec<&str> = bodies.iter().map(String::as_str).collect();
    n.take(&refs);
    let f = n.intel.search(&n.me, "type:report 0x52908400098527886e0f7030069857d2e4169ee7", None, 50).unwrap();
    assert_eq!(f.hits.len(), 1, "more {} broken_off {} total {:?} next {:?}", f.more, f.broken_off, f.total, f.next);
    n.end();
}

/// Another letter in a body, as a disk may leave it.
fn swap(n: &Node, pos: u64, from: &str, to: &str) {
    let log = rusqlite::Connection::open(n.dir.path().join("log.db")).unwrap();
    let sql = "UPDATE bodies SET body = replace(body, ?1, ?2) WHERE pos = ?3 AND instr(body, ?1) > 0";
    assert_eq!(log.execute(sql, (from, to, i64::try_from(pos).unwrap())).unwrap(), 1);
}
fn rebuild(n: &Node) {
    n.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
}

#[test]
fn a_version_whose_body_is_damaged_hides_none_that_came_after_it() {
    let n = node();
    n.take(&[&note(1, V1, "EXERCISE old", &[PHONE])]);
    let old = n.intel.versions(&n.me, &nid(1), &every()).unwrap()[0].pos;
    swap(&n, old, "EXERCISE", "EXERCISF");
    n.take(&[&note(1, V2, "EXERCISE she has moved", &[&nid(2)])]);
    let now = |n: &Node| n.intel.current(&n.me, &nid(1)).unwrap().map(|(_, body)| body.contains("she has moved"));
    assert_eq!(now(&n), Some(true), "folded beside it");
    rebuild(&n);
    assert_eq!((now(&n), n.intel.versions(&n.me, &nid(1), &every()).unwrap().len()), (Some(true), 1), "folded anew");
    swap(&n, old, "EXERCISF", "EXERCISE");
    rebuild(&n);
    assert_eq!(n.intel.versions(&n.me, &nid(1), &every()).unwrap().len(), 2);
    n.end();
}
#[test]
fn an_object_whose_body_is_damaged_is_withdrawn_and_erased_all_the_same() {
    let n = node();
    n.take(&[&note(1, V1, "EXERCISE", &[PHONE]), &note(2, V1, "EXERCISE zwirblefink", &[PHONE])]);
    let [one, two] = [1, 2].map(|i| n.intel.versions(&n.me, &nid(i), &every()).unwrap()[0].pos);
    swap(&n, one, "EXERCISE", "EXERCISF");
    n.intel.withdraw(&n.me, &nid(1), &Which::All, None, "EXERCISE").unwrap();
    assert!(n.intel.versions(&n.me, &nid(1), &every()).unwrap().is_empty(), "it is at no door");
    swap(&n, one, "EXERCISF", "EXERCISE");
    swap(&n, two, "EXERCISE", "EXERCISF");
    // The fold anew knows it by its header alone.
    rebuild(&n);
    assert!(n.intel.versions(&n.me, &nid(2), &every()).unwrap().is_empty());
    assert_eq!(n.intel.expunge(&n.me, &nid(2), "EXERCISE").unwrap(), 1);
    n.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
    let log = rusqlite::Connection::open(n.dir.path().join("log.db")).unwrap();
    let left: i64 =
        log.query_row("SELECT count(*) FROM bodies WHERE instr(body, 'zwirblefink')", [], |r| r.get(0)).unwrap();
    assert_eq!(left, 0);
    drop(log);
    rebuild(&n);
    n.end();
}
#[test]
fn a_withdrawal_whose_body_is_damaged_brings_nothing_back() {
    let n = node();
    n.take(&[&note(1, V1, "EXERCISE", &[PHONE])]);
    n.intel.withdraw(&n.me, &nid(1), &Which::All, None, "EXERCISE reason").unwrap();
    let withdrawal = n.intel.ledger().head().pos;
    swap(&n, withdrawal, "EXERCISE", "EXERCISF");
    rebuild(&n);
    assert!(n.intel.versions(&n.me, &nid(1), &every()).unwrap().is_empty());
    swap(&n, withdrawal, "EXERCISF", "EXERCISE");
    rebuild(&n);
    n.end();
}

#[test]
fn an_erasure_reaches_what_stands_in_a_closed_collection() {
    let n = node();
    let people = n.intel.people();
    let new = people::NewCollection {
        title: "EXERCISE Harbour",
        description: "",
        highest: stix::Tlp::Amber,
        default: None,
        listed: false,
        exercise: true,
    };
    let harbour = people.make_collection(&n.me, &new).unwrap();
    let (open, shut) = (nid(1), nid(2));
    n.take(&[&note(1, V1, "EXERCISE intake", &[&nid(1)])]);
    let me = people.local_viewer().unwrap();
    let bodies = [note(1, V2, "EXERCISE quayside", &[&nid(1)]), note(2, V1, "EXERCISE gangway", &[&nid(2)])];
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    n.intel.take(&me, harbour.id, &bodies, Urgency::Interactive).unwrap();
    people.close_collection(&me, harbour.id, true).unwrap();
    let me = people.local_viewer().unwrap();
    assert_eq!(n.intel.expunge(&me, &open, "EXERCISE").unwrap(), 2, "in the open one and in the closed one");
    assert_eq!(n.intel.expunge(&me, &shut, "EXERCISE").unwrap(), 1, "in the closed one alone");
    people.close_collection(&me, harbour.id, false).unwrap();
    let me = people.local_viewer().unwrap();
    assert!(n.intel.current(&me, &open).unwrap().is_none() && n.intel.current(&me, &shut).unwrap().is_none());
    assert!(n.same());
    n.end();
}

fn every() -> intel::Versions {
    intel::Versions { limit: 2_000, ..Default::default() }
}
