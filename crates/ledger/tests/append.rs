//! What `append` promises: durable, ordered, the same again is no second row, a conflict writes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use ledger::*;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;

struct Words;
impl Room for Words {
    fn name(&self) -> &'static str {
        "words"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS words(pos INTEGER PRIMARY KEY, body TEXT)"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        let body = entry.body.as_deref().unwrap_or("");
        if body.contains("unreadable") {
            return Err(FoldError::Unreadable("as the test wants".into()));
        }
        if body.contains("panics") {
            panic!("a fold that stops");
        }
        view.execute("INSERT INTO words VALUES (?,?)", (entry.pos as i64, body))?;
        Ok(())
    }
}

fn rooms() -> Vec<RoomFactory> {
    vec![Arc::new(|| Box::new(Words))]
}

fn object(n: u32, body: &str, version: Option<i64>, same: SameRule) -> NewEntry {
    let id: Arc<str> = format!("note--00000000-0000-4000-8000-{n:012}").into();
    NewEntry {
        collection: INTAKE,
        id: IdSource::Object { object: Arc::clone(&id), version },
        same,
        subject: id,
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new("stix"),
        version: 1,
        marking: "TLP:AMBER".into(),
        body: body.into(),
    }
}

fn one(entry: NewEntry) -> Append {
    Append { entries: vec![entry], expect: vec![] }
}

fn open(dir: &std::path::Path) -> Ledger {
    if !Folder::holds_a_node(dir) {
        Ledger::create(dir).unwrap();
    }
    Ledger::open(dir, Options::default(), rooms()).unwrap()
}

fn rows(ledger: &Ledger) -> i64 {
    let view = ledger.view("words").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(10)).unwrap();
    view.read(|r| Ok(r.conn.query_row("SELECT count(*) FROM words", [], |r| r.get(0))?)).unwrap()
}

#[test]
fn the_same_version_again_is_no_second_entry_and_other_bytes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let add = |e| ledger.append(one(e), Urgency::Interactive).unwrap().outcomes.remove(0);
    assert!(matches!(add(object(1, r#"{"a":1,"b":2}"#, Some(5), SameRule::Refuse)), Outcome::New(_)));
    assert!(matches!(add(object(1, r#"{"a":1,"b":2}"#, Some(5), SameRule::Refuse)), Outcome::Same(1)));
    assert!(matches!(add(object(1, r#"{"b": 2, "a": 1}"#, Some(5), SameRule::Refuse)), Outcome::Same(1)));
    assert!(matches!(add(object(1, r#"{"a":2}"#, Some(5), SameRule::Refuse)), Outcome::Refused(Refusal::OtherBytes)));
    assert!(matches!(add(object(1, r#"{"a":2}"#, Some(6), SameRule::Refuse)), Outcome::New(_)));
    // SCOs have no version: other bytes are a new entry, each of them once.
    assert!(matches!(add(object(2, r#"{"v":1}"#, None, SameRule::Add)), Outcome::New(_)));
    assert!(matches!(add(object(2, r#"{"v":2}"#, None, SameRule::Add)), Outcome::New(_)));
    assert!(matches!(add(object(2, r#"{"v":1}"#, None, SameRule::Add)), Outcome::Same(3)));
    assert_eq!(rows(&ledger), 4);
    ledger.close();
    // The rule holds across a restart, when the index answers and not memory.
    let ledger = open(dir.path());
    let again = ledger.append(one(object(1, r#"{"a":2}"#, Some(6), SameRule::Refuse)), Urgency::Interactive).unwrap();
    assert!(matches!(again.outcomes[0], Outcome::Same(2)));
    ledger.close();
}

#[test]
fn twice_in_one_append_is_once_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let e = object(1, r#"{"a":1}"#, Some(5), SameRule::Refuse);
    let r = ledger.append(Append { entries: vec![e.clone(), e], expect: vec![] }, Urgency::Interactive).unwrap();
    assert!(matches!((&r.outcomes[0], &r.outcomes[1]), (Outcome::New(_), Outcome::Same(1))));
    ledger.close();
}

#[test]
fn whoever_read_an_older_state_gets_a_conflict_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let event = |last| Append {
        entries: vec![NewEntry {
            id: IdSource::Fresh,
            kind: Kind::new("audience"),
            subject: "audience:1".into(),
            ..object(1, "{}", None, SameRule::Refuse)
        }],
        expect: vec![Expect { collection: INTAKE, subject: "audience:1".into(), last }],
    };
    let first = ledger.append(event(None), Urgency::Interactive).unwrap();
    assert!(matches!(ledger.append(event(None), Urgency::Interactive), Err(Error::Conflict)));
    assert_eq!(ledger.head().pos, first.head);
    ledger.append(event(Some(first.head)), Urgency::Interactive).unwrap();
    ledger.close();
    let ledger = open(dir.path());
    assert!(matches!(ledger.append(event(Some(first.head)), Urgency::Interactive), Err(Error::Conflict)));
    ledger.close();
}

#[test]
fn a_fold_that_cannot_read_or_stops_hinders_neither_the_log_nor_the_next_entry() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    for (n, body) in [(1, r#"{"x":"unreadable"}"#), (2, r#"{"x":"panics"}"#), (3, r#"{"x":"fine"}"#)] {
        ledger.append(one(object(n, body, Some(1), SameRule::Refuse)), Urgency::Interactive).unwrap();
    }
    assert_eq!(rows(&ledger), 1);
    assert_eq!(ledger.view("words").unwrap().unfolded(), 2);
    ledger.close();
}

#[test]
fn a_second_process_finds_the_folder_locked_and_a_closed_ledger_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    assert!(matches!(Ledger::open(dir.path(), Options::default(), rooms()), Err(Error::Locked(_))));
    ledger.close();
    let e = one(object(1, "{}", None, SameRule::Add));
    assert!(matches!(ledger.append(e, Urgency::Interactive), Err(Error::Closed)));
}

#[test]
fn arrived_rises_with_every_entry_even_when_the_clock_stands_still() {
    struct Still;
    impl Clock for Still {
        fn now(&self) -> i64 {
            1_000
        }
    }
    let dir = tempfile::tempdir().unwrap();
    Ledger::create(dir.path()).unwrap();
    let options = Options { clock: Arc::new(Still), ..Options::default() };
    let ledger = Ledger::open(dir.path(), options, rooms()).unwrap();
    for n in 0..5 {
        ledger.append(one(object(n, "{}", None, SameRule::Add)), Urgency::Bulk).unwrap();
    }
    let arrived: Vec<i64> = ledger.log().range(0, 10, 1 << 20).unwrap().iter().map(|e| e.arrived).collect();
    assert_eq!(arrived, [1_000, 1_001, 1_002, 1_003, 1_004]);
    assert_eq!(ledger.log().first_after(1_002).unwrap(), 4);
    assert_eq!(ledger.log().first_after(5_000).unwrap(), 6);
    ledger.close();
}
