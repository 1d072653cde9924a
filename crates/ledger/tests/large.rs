//! Large bodies: a fold's transaction is bounded by what is said, and so are memory and write-ahead log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::temp_ledger;
use ledger::*;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

const MB: usize = 1 << 20;
/// Notes of a megabyte each.
const NOTES: u32 = 200;
/// Bytes of body that one transaction of a fold may take, and the entry that passes them.
const BOUND: usize = 65 * MB;

/// Keeps bodies in memory until a transaction ends, as a room does that writes its rows sorted.
#[derive(Clone, Default)]
struct Hoards {
    held: Vec<String>,
    most: Arc<AtomicUsize>,
}

impl Room for Hoards {
    fn name(&self) -> &'static str {
        "hoards"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS hoards(n INTEGER PRIMARY KEY, body TEXT NOT NULL)"
    }
    fn fold(&mut self, _: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        self.held.extend(entry.body.as_deref().map(str::to_owned));
        self.most.fetch_max(self.held.iter().map(String::len).sum(), Ordering::AcqRel);
        Ok(())
    }
    fn flush(&mut self, view: &Connection) -> Result<(), FoldError> {
        for body in self.held.drain(..) {
            view.prepare_cached("INSERT INTO hoards(body) VALUES (?)")?.execute([body])?;
        }
        Ok(())
    }
    fn reset(&mut self) {
        self.held.clear();
    }
}

#[test]
fn a_fold_of_large_bodies_is_bounded_in_memory_and_in_its_wal() {
    let room = Hoards::default();
    let most = Arc::clone(&room.most);
    let ledger = temp_ledger(vec![Arc::new(move || Box::new(room.clone()))]);
    let body = format!(r#"{{"type":"note","content":"EXERCISE {}"}}"#, "y".repeat(MB));
    for first in (0..NOTES).step_by(8) {
        let entries = (first..first + 8).map(|n| object(n, &body, Some(1))).collect();
        ledger.append(Append { entries, expect: vec![] }, Urgency::Bulk).unwrap();
    }
    let view = ledger.view("hoards").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(120)).unwrap();
    let wal = ledger.path().join("views/hoards.1.2.db-wal");
    let longest = AtomicU64::new(0);
    ledger
        .rebuild("hoards", &|_, _| {
            longest.fetch_max(std::fs::metadata(&wal).map_or(0, |about| about.len()), Ordering::AcqRel);
        })
        .unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(120)).unwrap();
    let rows: i64 = view.read(|r| Ok(r.conn.query_row("SELECT count(*) FROM hoards", [], |r| r.get(0))?)).unwrap();
    assert_eq!(rows, i64::from(NOTES));
    let (most, longest) = (most.load(Ordering::Acquire), longest.load(Ordering::Acquire) as usize);
    assert!((40 * MB..=BOUND).contains(&most), "{} MB held in memory", most / MB);
    // A transaction's pages, and those of the one before that a reader may still need.
    assert!((40 * MB..=BOUND * 2).contains(&longest), "a WAL of {} MB", longest / MB);
}

#[test]
fn what_a_load_took_on_the_disk_beside_the_files_is_given_back_when_nobody_writes() {
    let ledger = temp_ledger(rooms());
    let body = format!(r#"{{"type":"note","content":"EXERCISE {}"}}"#, "y".repeat(MB));
    let entries = (0..40).map(|n| object(n, &body, Some(1))).collect();
    ledger.append(Append { entries, expect: vec![] }, Urgency::Bulk).unwrap();
    assert_eq!(common::rows(&ledger), 40);
    let wals = ["log.db-wal", "views/words.1.1.db-wal"].map(|wal| ledger.path().join(wal));
    let length = |wal: &std::path::PathBuf| std::fs::metadata(wal).map_or(0, |about| about.len());
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while wals.iter().any(|wal| length(wal) > 32 << 20) {
        assert!(std::time::Instant::now() < until, "{:?}", wals.each_ref().map(length));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(common::rows(&ledger), 40, "readers go on");
}
