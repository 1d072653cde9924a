//! The disk under a view stops, fails or drags while the log goes on: what was acknowledged is never lost, and whoever
//! reads behind the barrier gets all of it or hears that the view is behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::{Seeded, object};
use ledger::testing::temp_ledger;
use ledger::*;
use rusqlite::Connection;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Every write waits.
    Stopped,
    /// Every write fails, in the fold or only when the transaction ends.
    Failing {
        late: bool,
    },
    /// Every write takes a while.
    Slow,
}

/// What lies between the log and the view's disk.
struct Between(Mutex<Way>, Condvar);
impl Between {
    fn set(&self, way: Way) {
        *self.0.lock().unwrap() = way;
        self.1.notify_all();
    }
    fn cross(&self, late: bool) -> Result<(), FoldError> {
        let way = self.1.wait_while(self.0.lock().unwrap(), |way| *way == Way::Stopped).unwrap();
        match *way {
            Way::Failing { late: at } if at == late => Err(FoldError::Sql(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
                None,
            ))),
            Way::Slow => {
                drop(way);
                std::thread::sleep(Duration::from_micros(200));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

struct Far(Arc<Between>);
impl Room for Far {
    fn name(&self) -> &'static str {
        "far"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix"])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS far(pos INTEGER PRIMARY KEY)"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        self.0.cross(false)?;
        view.prepare_cached("INSERT INTO far VALUES (?)")?.execute([entry.pos as i64])?;
        Ok(())
    }
    fn flush(&mut self, _: &Connection) -> Result<(), FoldError> {
        self.0.cross(true)
    }
}

fn seen(view: &View) -> (u64, Vec<u64>) {
    view.read(|r| {
        let mut stmt = r.conn.prepare("SELECT pos FROM far ORDER BY pos")?;
        let rows = stmt.query_map([], |row| row.get::<_, i64>(0))?.map(|pos| pos.unwrap() as u64).collect();
        Ok((r.position, rows))
    })
    .unwrap()
}

/// One seeded schedule; how often a reader got everything, and how often it heard that the view is behind.
fn schedule(seed: u64) -> (u32, u32) {
    let between = Arc::new(Between(Mutex::new(Way::Open), Condvar::new()));
    let at = Arc::clone(&between);
    let mut ledger = temp_ledger(vec![Arc::new(move || Box::new(Far(Arc::clone(&at))))]);
    let (mut chance, mut next, mut acknowledged) = (Seeded(seed), 0, Vec::new());
    let (mut read, mut behind) = (0, 0);
    for step in 0..60 {
        let way = match chance.below(8) {
            0 | 1 => Way::Stopped,
            2 => Way::Failing { late: false },
            3 => Way::Failing { late: true },
            4 => Way::Slow,
            _ => Way::Open,
        };
        between.set(way);
        let many = 1 + chance.below(40) as u32;
        let entries = (next..next + many).map(|n| object(n, "{}", Some(1))).collect();
        next += many;
        // Whatever the view's disk does, an append is answered, and answered as durable.
        let receipt = ledger.append(Append { entries, expect: vec![] }, Urgency::Interactive).unwrap();
        acknowledged.extend(receipt.outcomes.iter().map(|o| o.pos().unwrap()));
        let view = ledger.view("far").unwrap();
        let patience = Duration::from_millis([0, 2, 40][chance.below(3) as usize]);
        match view.wait(ledger.head().pos, patience) {
            Ok(()) => {
                assert_eq!(seen(&view).1, acknowledged, "seed {seed}, step {step}: the barrier let through too early");
                assert!(!matches!(way, Way::Stopped | Way::Failing { .. }), "seed {seed}, step {step}: nothing passed");
                read += 1;
            }
            Err(Error::Behind { .. }) => behind += 1,
            Err(other) => panic!("seed {seed}, step {step}: {other}"),
        }
        // Without the barrier: whatever is there is a beginning of the log, none left out and none twice.
        let (position, rows) = seen(&view);
        let expected: Vec<u64> = acknowledged.iter().copied().filter(|pos| *pos <= position).collect();
        assert_eq!(rows, expected, "seed {seed}, step {step}");
        if chance.below(15) == 0 {
            between.set(Way::Open);
            ledger.reopen();
        }
    }
    between.set(Way::Open);
    let view = ledger.view("far").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(30)).unwrap();
    assert_eq!((seen(&view).1, view.unfolded()), (acknowledged, 0), "seed {seed}: a disk's fault is no entry's fault");
    (read, behind)
}

#[test]
fn while_a_views_disk_stops_fails_or_drags_the_log_goes_on_and_readers_wait_or_hear_that_it_is_behind() {
    let told = [1, 2, 3, 4, 5, 6].map(schedule);
    let (read, behind) = told.iter().fold((0, 0), |(r, b), (read, behind)| (r + read, b + behind));
    assert!(read > 20 && behind > 50, "the schedules are too easy: {told:?}");
}

#[test]
fn a_bulk_load_pauses_before_a_view_that_stands_still_and_an_interactive_append_does_not() {
    let between = Arc::new(Between(Mutex::new(Way::Stopped), Condvar::new()));
    let at = Arc::clone(&between);
    let ledger = temp_ledger(vec![Arc::new(move || Box::new(Far(Arc::clone(&at))))]);
    std::thread::scope(|scope| {
        let bulk = scope.spawn(|| common::many(&ledger, 0, 30_000));
        let before = loop {
            let at = ledger.head().pos;
            let pause = Duration::from_millis(500);
            if ledger.view("far").unwrap().wait(u64::MAX, pause).is_err() && ledger.head().pos == at && at > 4_000 {
                break at;
            }
            assert!(!bulk.is_finished(), "nothing paused a load of 30,000 before a view that stands still");
        };
        assert!(before < 30_000);
        common::add(&ledger, object(900_000, "{}", Some(1)));
        between.set(Way::Open);
        bulk.join().unwrap();
    });
    let view = ledger.view("far").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(30)).unwrap();
    assert_eq!(seen(&view).1.len(), 30_001);
}
