//! Ledgers in temporary folders for tests: a clock that stands where the test puts it, and a checker that runs when
//! the ledger is dropped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed check fails the test")]

use crate::{Clock, Ledger, Options, RoomFactory};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use crate::verify::check;

/// 2026-01-01T00:00:00Z, µs: where a test's clock begins.
pub const START: i64 = 1_767_225_600_000_000;

/// A clock that moves only when told.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Stands at [`START`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START)))
    }
    /// Moves forward by `micros`.
    pub fn forward(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::AcqRel);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A node in a temporary folder. Dropping it waits until every view is level, closes the ledger and checks the folder.
pub struct TempLedger {
    ledger: Option<Ledger>,
    clock: Arc<TestClock>,
    rooms: Vec<RoomFactory>,
    unfolded: bool,
    folder: tempfile::TempDir,
}

/// A new node with these rooms.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn temp_ledger(rooms: Vec<RoomFactory>) -> TempLedger {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(&folder.path().join("data")).unwrap();
    let mut new = TempLedger { ledger: None, clock: TestClock::new(), rooms, unfolded: false, folder };
    new.open();
    new
}

impl TempLedger {
    /// Entries that cannot be folded are part of the test.
    #[must_use]
    pub fn allow_unfolded(mut self) -> Self {
        self.unfolded = true;
        self
    }
    /// The node's data folder.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }
    /// A folder beside it, for backups and the like; it goes with the rest.
    #[must_use]
    pub fn beside(&self) -> &Path {
        self.folder.path()
    }
    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<TestClock> {
        &self.clock
    }
    /// Closes, checks, opens again.
    pub fn reopen(&mut self) {
        self.close_and_check();
        self.open();
    }
    /// Closes and checks; the folder is free until [`TempLedger::open`].
    ///
    /// # Panics
    /// When a view does not get level, or the checker finds something.
    pub fn close_and_check(&mut self) {
        let Some(ledger) = self.ledger.take() else { return };
        let level = ledger.level(Duration::from_secs(60));
        ledger.close();
        level.expect("every view gets level");
        let report = check(&self.path(), self.unfolded).unwrap();
        assert!(report.ok(), "the checker found: {:#?}", report.problems);
    }
    /// Opens again.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open(&mut self) {
        let options =
            Options { clock: Arc::clone(&self.clock) as Arc<dyn Clock>, every_minute: false, ..Options::default() };
        self.ledger = Some(Ledger::open(&self.path(), options, self.rooms.clone()).unwrap());
    }
}

impl std::ops::Deref for TempLedger {
    type Target = Ledger;
    fn deref(&self) -> &Ledger {
        self.ledger.as_ref().expect("the ledger is open")
    }
}

impl Drop for TempLedger {
    fn drop(&mut self) {
        // A test that failed already says why by itself.
        if std::thread::panicking() {
            if let Some(ledger) = self.ledger.take() {
                ledger.close();
            }
        } else {
            self.close_and_check();
        }
    }
}

/// A temporary folder for a room's test node: when it is dropped the ledger in it is closed and the checker runs. Let
/// it be the node's field, and tell it each ledger that is opened there.
pub struct TestFolder {
    ledger: Mutex<Option<Ledger>>,
    unfolded: AtomicBool,
    folder: tempfile::TempDir,
}

impl TestFolder {
    /// A new, empty folder.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a folder is made")]
    pub fn new() -> Self {
        Self { ledger: Mutex::default(), unfolded: AtomicBool::default(), folder: tempfile::tempdir().unwrap() }
    }

    /// For a test that writes entries no view can read.
    pub fn allow_unfolded(&self) {
        self.unfolded.store(true, Ordering::Release);
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The ledger that is to be closed and checked at the end.
    pub fn watch(&self, ledger: &Ledger) {
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = Some(ledger.clone());
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let Some(ledger) = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let level = ledger.level(Duration::from_secs(60));
        ledger.close();
        if std::thread::panicking() {
            return;
        }
        // A test may have closed it already; then the views are as far as they came.
        assert!(matches!(level, Ok(()) | Err(crate::Error::Closed)), "{level:?}");
        let report = check(self.path(), self.unfolded.load(Ordering::Acquire)).unwrap();
        assert!(report.ok(), "the checker found: {:#?}", report.problems);
    }
}
