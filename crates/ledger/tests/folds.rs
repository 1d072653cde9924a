//! What a fold does with an entry that it cannot take: that one is noted, whole, and nothing else suffers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::temp_ledger;
use ledger::*;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Does what a body says: `stops` in the middle, `reads 1` another body.
#[derive(Default, Clone)]
struct Asked {
    unreachable: Arc<AtomicBool>,
    commits: Arc<AtomicU64>,
}

impl Room for Asked {
    fn name(&self) -> &'static str {
        "asked"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS asked(n INTEGER PRIMARY KEY, pos INTEGER NOT NULL)"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies) -> Result<(), FoldError> {
        if self.unreachable.load(Ordering::Acquire) {
            return Err(FoldError::Log("EXERCISE: too many open files".into()));
        }
        view.execute("INSERT INTO asked(pos) VALUES (?)", [entry.pos as i64])?;
        let body = entry.body.as_deref().unwrap_or("");
        assert!(!body.contains("stops"), "EXERCISE");
        if body.contains("reads") {
            bodies.body(1)?;
        }
        Ok(())
    }
    fn committed(&mut self, _: u64) {
        self.commits.fetch_add(1, Ordering::AcqRel);
    }
}

fn folded(ledger: &Ledger) -> (i64, u64) {
    let view = ledger.view("asked").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(30)).unwrap();
    (view.read(|r| Ok(r.conn.query_row("SELECT count(*) FROM asked", [], |r| r.get(0))?)).unwrap(), view.unfolded())
}

#[test]
fn of_an_entry_at_which_the_fold_stops_no_row_stays_and_every_other_is_folded() {
    let ledger = temp_ledger(vec![Arc::new(|| Box::new(Asked::default()))]).allow_unfolded();
    many(&ledger, 1, 300);
    add(&ledger, object(5_000, r#"{"type":"note","content":"EXERCISE stops"}"#, Some(1)));
    many(&ledger, 1_000, 300);
    assert_eq!(folded(&ledger), (600, 1));
    // Folded anew, beside, it comes to the same.
    assert!(ledger.compare("asked", &|_, _| {}).unwrap().same());
    ledger.rebuild("asked", &|_, _| {}).unwrap();
    assert_eq!(folded(&ledger), (600, 1));
}

#[test]
fn after_a_failure_entries_go_in_batches_again() {
    let asked = Asked::default();
    asked.unreachable.store(true, Ordering::Release);
    let room = asked.clone();
    let ledger = temp_ledger(vec![Arc::new(move || Box::new(room.clone()))]);
    many(&ledger, 1, 4_000);
    assert_eq!(ledger.view("asked").unwrap().position(), 0);
    asked.unreachable.store(false, Ordering::Release);
    assert_eq!(folded(&ledger), (4_000, 0));
    let commits = asked.commits.load(Ordering::Acquire);
    assert!(commits < 400, "{commits} commits for 4,000 entries");
}

#[test]
fn a_body_that_is_damaged_for_good_stops_neither_the_view_nor_an_erasure() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let open = || {
        let room: RoomFactory = Arc::new(|| Box::new(Asked::default()));
        Ledger::open(folder.path(), Options { every_minute: false, ..Options::default() }, vec![room]).unwrap()
    };
    let ledger = open();
    add(&ledger, object(1, r#"{"type":"note","content":"EXERCISE first"}"#, Some(1)));
    let erased = add(&ledger, object(2, r#"{"type":"note","content":"EXERCISE second"}"#, Some(1)));
    ledger.level(Duration::from_secs(30)).unwrap();
    ledger.close();
    let log = Connection::open(folder.path().join("log.db")).unwrap();
    assert_eq!(log.execute("UPDATE bodies SET body = CAST(x'45ff45' AS TEXT) WHERE pos = 1", []).unwrap(), 1);
    drop(log);
    let ledger = open();
    add(&ledger, object(1, r#"{"type":"note","content":"EXERCISE reads what it replaces"}"#, Some(2)));
    ledger.expunge(&[erased], &name(2), "EXERCISE", 1).unwrap();
    ledger.level(Duration::from_secs(30)).unwrap();
    assert_eq!(folded(&ledger), (2, 1));
    ledger.close();
}

/// Stops at its first entry until the test lets it go on.
struct Slow {
    began: std::sync::mpsc::SyncSender<()>,
    go_on: Arc<std::sync::Mutex<std::sync::mpsc::Receiver<()>>>,
}

impl Room for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS slow(pos INTEGER PRIMARY KEY)"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        if self.began.try_send(()).is_ok() {
            // Nobody lets it go on after the first.
            self.go_on.lock().unwrap().recv().ok();
        }
        view.execute("INSERT INTO slow(pos) VALUES (?)", [entry.pos as i64])?;
        Ok(())
    }
}

/// Tells when its fold has ended.
struct Ends(std::sync::mpsc::Sender<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

impl Room for Ends {
    fn name(&self) -> &'static str {
        "ends"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["none"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS ends(pos INTEGER PRIMARY KEY)"
    }
    fn fold(&mut self, _: &Connection, _: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        Ok(())
    }
}

#[test]
fn a_ledger_that_closes_while_a_view_is_a_little_behind_leaves_it_level() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let ((began, has_begun), (go, go_on)) = (std::sync::mpsc::sync_channel(1), std::sync::mpsc::channel());
    let (ends, has_ended) = std::sync::mpsc::channel();
    let go_on = Arc::new(std::sync::Mutex::new(go_on));
    let slow: RoomFactory = Arc::new(move || Box::new(Slow { began: began.clone(), go_on: Arc::clone(&go_on) }));
    let other: RoomFactory = Arc::new(move || Box::new(Ends(ends.clone())));
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(folder.path(), options, vec![slow, other]).unwrap();
    add(&ledger, object(1, r#"{"type":"note","content":"EXERCISE first"}"#, Some(1)));
    has_begun.recv().unwrap();
    // The fold stands in the first; all these are still before it.
    many(&ledger, 2, 600);
    while has_ended.try_recv().is_ok() {}
    let closing = {
        let ledger = ledger.clone();
        std::thread::spawn(move || ledger.close())
    };
    // Views are told to end one after the other. The other one has ended, or this one is told first and is waited for:
    // either way it knows by then. It must come level also when it does not; the wait is there to try the harder case.
    has_ended.recv_timeout(Duration::from_secs(2)).ok();
    drop(go);
    closing.join().unwrap();
    let report = ledger::testing::check(folder.path(), false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}
