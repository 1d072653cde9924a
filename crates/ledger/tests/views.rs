//! What views promise: rebuilt beside they are equal, a damaged file is folded anew, nobody waits for ever.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::{check, temp_ledger};
use ledger::*;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn view_files(root: &Path) -> Vec<String> {
    let files = std::fs::read_dir(root.join("views")).unwrap().flatten();
    let mut names: Vec<String> =
        files.map(|f| f.file_name().into_string().unwrap()).filter(|n| n.ends_with(".db")).collect();
    names.sort();
    names
}

#[test]
fn a_rebuilt_view_equals_the_old_one_serves_while_it_is_built_and_leaves_no_file() {
    let mut ledger = temp_ledger(rooms());
    many(&ledger, 1, 5_000);
    ledger.withdraw(&[Target { pos: 7, object: name(7), version: Some(1) }], "a test", 1).unwrap();
    let before = rows(&ledger);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (ledger, done) = (&*ledger, &done);
        let reader = scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                assert!(rows(ledger) >= before);
            }
        });
        let writer = scope.spawn(move || many(ledger, 10_000, 3_000));
        ledger.rebuild("words", &|_, _| {}).unwrap();
        ledger.rebuild("index", &|_, _| {}).unwrap();
        writer.join().unwrap();
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
    assert_eq!(rows(&ledger), before + 3_000);
    assert_eq!(view_files(&ledger.path()), ["index.3.2.db", "words.1.2.db"]);
    for room in ["words", "index"] {
        assert!(ledger.compare(room, &|_, _| {}).unwrap().same(), "{room}");
    }
    assert_eq!(add(&ledger, object(17, r#"{"type":"note","n":17,"content":"EXERCISE note number 17"}"#, Some(1))), 17);
    ledger.reopen();
    assert_eq!(view_files(&ledger.path()), ["index.3.2.db", "words.1.2.db"]);
    assert_eq!(rows(&ledger), before + 3_000);
}

#[test]
fn a_view_that_differs_from_the_log_is_seen_by_comparison() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    assert_eq!(rows(&ledger), 50);
    let file = ledger.path().join("views/words.1.1.db");
    Connection::open(file).unwrap().execute("UPDATE words SET body = 'x' WHERE pos = 3", []).unwrap();
    assert!(!ledger.compare("words", &|_, _| {}).unwrap().same());
    ledger.rebuild("words", &|_, _| {}).unwrap();
    assert!(ledger.compare("words", &|_, _| {}).unwrap().same());
}

#[test]
fn a_view_file_that_is_garbage_is_folded_anew_and_the_node_opens() {
    let mut ledger = temp_ledger(rooms());
    many(&ledger, 1, 500);
    for room in ["words", "index"] {
        ledger.close_and_check();
        let file = view_files(&ledger.path()).into_iter().find(|f| f.starts_with(room)).unwrap();
        let path = ledger.path().join("views").join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..100].fill(0x5a);
        std::fs::write(&path, bytes).unwrap();
        ledger.open();
        assert_eq!(rows(&ledger), 500);
        assert_eq!(
            add(&ledger, object(17, r#"{"type":"note","n":17,"content":"EXERCISE note number 17"}"#, Some(1))),
            17
        );
    }
}

#[test]
fn a_view_damaged_within_is_folded_anew_when_a_reader_meets_the_damage() {
    let mut ledger = temp_ledger(rooms());
    many(&ledger, 1, 2_000);
    ledger.close_and_check();
    let path = ledger.path().join("views/words.1.1.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    // All but the first pages, which hold schema and position.
    bytes[5 * 4096..end].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    ledger.open();
    let view = ledger.view("words").unwrap();
    let count =
        |view: &View| view.read(|r| Ok(r.conn.query_row("SELECT count(*) FROM words", [], |r| r.get::<_, i64>(0))?));
    assert!(count(&view).is_err());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !matches!(count(&view), Ok(2_000)) {
        assert!(Instant::now() < deadline);
        view.wait(ledger.head().pos, Duration::from_secs(10)).unwrap();
    }
}

#[test]
fn older_versions_files_go_once_the_current_view_is_level() {
    let mut ledger = temp_ledger(rooms());
    many(&ledger, 1, 10);
    ledger.close_and_check();
    let old = ledger.path().join("views/words.0.3.db");
    std::fs::write(&old, "an older program's view").unwrap();
    let unfinished = ledger.path().join("views/words.1.9.db");
    std::fs::write(&unfinished, "what a kill left of a rebuild").unwrap();
    assert!(!check(&ledger.path(), false).unwrap().ok());
    ledger.open();
    assert_eq!(rows(&ledger), 10);
    ledger.level(Duration::from_secs(5)).unwrap();
    ledger.close_and_check();
    assert!(!old.exists() && !unfinished.exists());
    ledger.open();
}

/// Stands still at every entry until it may go on.
struct Slow(Arc<AtomicBool>);
impl Room for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::All
    }
    fn schema(&self) -> &'static str {
        ""
    }
    fn fold(&mut self, _: &Connection, _: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        while !self.0.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        Ok(())
    }
}

#[test]
fn whoever_waits_for_a_view_while_the_ledger_closes_hears_so() {
    let go = Arc::new(AtomicBool::new(false));
    let room = Arc::clone(&go);
    let ledger = temp_ledger(vec![Arc::new(move || Box::new(Slow(Arc::clone(&room))))]);
    for n in 0..500 {
        add(&ledger, object(n, "{}", Some(1)));
    }
    let view = ledger.view("slow").unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| view.wait(u64::MAX, Duration::from_secs(60)));
        let closer = scope.spawn(|| ledger.close());
        while !matches!(ledger.append(one(object(1, "{}", Some(9))), Urgency::Interactive), Err(Error::Closed)) {}
        go.store(true, Ordering::Release);
        closer.join().unwrap();
        // Level at the very end, or told that it closed: never left waiting.
        assert!(matches!(waiter.join().unwrap(), Ok(()) | Err(Error::Closed)));
    });
    assert!(matches!(view.read(|_| Ok(())), Err(Error::Closed)));
    assert!(matches!(ledger.rebuild("slow", &|_, _| {}), Err(Error::Closed)));
    assert!(matches!(ledger.tick(), Err(Error::Closed)));
    std::mem::forget(ledger);
}

/// Takes its time for each entry, as a slow disk does.
struct Dragging;
impl Room for Dragging {
    fn name(&self) -> &'static str {
        "dragging"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::All
    }
    fn schema(&self) -> &'static str {
        ""
    }
    fn fold(&mut self, _: &Connection, _: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        std::thread::sleep(Duration::from_millis(60));
        Ok(())
    }
}

#[test]
fn a_clean_close_leaves_every_view_at_the_logs_end_although_it_was_behind_when_it_came() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(folder.path(), options, vec![Arc::new(|| Box::new(Dragging))]).unwrap();
    for n in 0..16 {
        add(&ledger, object(n, "{}", Some(1)));
    }
    ledger.close();
    let report = check(folder.path(), false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}

/// Cannot write down what it held back for entries that say so.
struct Held(Vec<u64>, bool);
impl Room for Held {
    fn name(&self) -> &'static str {
        "held"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS held(pos INTEGER PRIMARY KEY)"
    }
    fn fold(&mut self, _: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        self.0.push(entry.pos);
        self.1 |= entry.body.as_deref().is_some_and(|b| b.contains("panics"));
        Ok(())
    }
    fn flush(&mut self, view: &Connection) -> Result<(), FoldError> {
        assert!(!self.1, "a flush that stops");
        for pos in self.0.drain(..) {
            view.execute("INSERT INTO held VALUES (?)", [pos as i64])?;
        }
        Ok(())
    }
    fn reset(&mut self) {
        *self = Self(Vec::new(), false);
    }
}

#[test]
fn an_entry_that_stops_the_flush_is_found_noted_and_passed_by() {
    let ledger = temp_ledger(vec![Arc::new(|| Box::new(Held(Vec::new(), false)))]).allow_unfolded();
    let bodies = |n| if n == 23 { r#"{"x":"panics"}"# } else { "{}" };
    let entries = (0..50).map(|n| object(n, bodies(n), Some(1))).collect();
    ledger.append(Append { entries, expect: vec![] }, Urgency::Interactive).unwrap();
    let view = ledger.view("held").unwrap();
    view.wait(50, Duration::from_secs(20)).unwrap();
    let count: i64 = view.read(|r| Ok(r.conn.query_row("SELECT count(*) FROM held", [], |r| r.get(0))?)).unwrap();
    assert_eq!((count, view.unfolded()), (49, 1));
}

#[test]
fn a_view_that_nothing_concerns_does_not_fall_behind() {
    let mut ledger = temp_ledger(vec![Arc::new(|| Box::new(Rare))]);
    many(&ledger, 1, 4_000);
    let view = ledger.view("rare").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while view.position() + 1_200 < ledger.head().pos {
        assert!(Instant::now() < deadline, "{} of {}", view.position(), ledger.head().pos);
        std::thread::yield_now();
    }
    assert_eq!(view.behind(), 0);
    ledger.reopen();
    assert_eq!(ledger.view("rare").unwrap().position(), ledger.head().pos);
}

struct Rare;
impl Room for Rare {
    fn name(&self) -> &'static str {
        "rare"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["audience"])
    }
    fn schema(&self) -> &'static str {
        ""
    }
    fn fold(&mut self, _: &Connection, _: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let options = Options { log_pages: Some(60), every_minute: false, ..Options::default() };
    let ledger = Ledger::open(folder.path(), options, rooms()).unwrap();
    let mut acknowledged = Vec::new();
    let body = format!(r#"{{"content":"EXERCISE {}"}}"#, "y".repeat(3_000));
    let full = loop {
        match ledger.append(one(object(acknowledged.len() as u32, &body, Some(1))), Urgency::Interactive) {
            Ok(receipt) => acknowledged.push(receipt.outcomes[0].pos().unwrap()),
            Err(e) => break e,
        }
        assert!(acknowledged.len() < 1_000);
    };
    assert!(matches!(full, Error::Full), "{full}");
    assert!(full.to_string().contains("disk is full"));
    assert!(acknowledged.len() > 5);
    // Still full, still answering.
    assert!(matches!(ledger.append(one(object(900, &body, Some(1))), Urgency::Interactive), Err(Error::Full)));
    ledger.close();
    let ledger = Ledger::open(folder.path(), Options::default(), rooms()).unwrap();
    assert_eq!(ledger.head().pos, acknowledged.len() as u64);
    assert_eq!(add(&ledger, object(900, &body, Some(1))), acknowledged.len() as u64 + 1);
    ledger.level(Duration::from_secs(10)).unwrap();
    ledger.close();
    let report = check(folder.path(), false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}

#[test]
fn a_torn_wal_opens_with_every_commit_that_is_whole() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 400);
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&ledger.path(), copy.path());
    let wal: PathBuf = copy.path().join("log.db-wal");
    let bytes = std::fs::read(&wal).unwrap();
    std::fs::write(&wal, &bytes[..bytes.len() - 3_000]).unwrap();
    let torn = Ledger::open(copy.path(), Options::default(), rooms()).unwrap();
    // All of it only if the WAL had been copied back already.
    assert!([200, 400].contains(&torn.head().pos), "{}", torn.head().pos);
    many(&torn, 1, 400);
    torn.level(Duration::from_secs(10)).unwrap();
    torn.close();
    let report = check(copy.path(), false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
    assert_eq!(report.entries, 400);
}
