use crate::log;
use crate::room::FoldError;
use crate::sqlite::{self, Cache};
use crate::tail::Tail;
use crate::view::{self, Shared};
use crate::{Entry, Error, LogReader, Result, Room};
use event_listener::Listener;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Entries a transaction may take under backlog (measured: the pages dirtied a commit decide the cost).
const MOST: u64 = 10_000;
/// A transaction may stay open this long while nobody waits: "writes do not wait for views, reads do".
const LAZY: Duration = Duration::from_millis(300);
/// And this long while somebody waits.
const EAGER: Duration = Duration::from_millis(20);
/// Quiet for this long counts as idle.
const IDLE: Duration = Duration::from_secs(2);
/// A WAL longer than this many pages is copied back (16 MB).
const WAL_PAGES: i64 = 4_000;

/// One room's folding thread: it alone writes the room's file.
pub(crate) struct FoldState {
    pub(crate) room: Box<dyn Room>,
    pub(crate) conn: Connection,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) log: LogReader,
    /// Folded so far, perhaps not committed.
    pub(crate) at: u64,
    open: Option<Open>,
    failures: u32,
    dirty: bool,
    pub(crate) closing: bool,
}

struct Open {
    since: Instant,
    count: u64,
}

/// Opens (or makes) a view file.
pub(crate) fn open_view(path: &Path, room: &dyn Room) -> Result<Connection> {
    let conn = sqlite::open_writer(path, false, Cache::Writer)?;
    room.prepare(&conn)?;
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS unfolded(pos INTEGER PRIMARY KEY, why TEXT NOT NULL);
         INSERT OR IGNORE INTO meta(key, value) VALUES ('position', 0);",
    )?;
    conn.execute_batch(room.schema())?;
    Ok(conn)
}

impl FoldState {
    pub(crate) fn new(
        room: Box<dyn Room>,
        conn: Connection,
        shared: Arc<Shared>,
        tail: Arc<Tail>,
        log: LogReader,
    ) -> Result<Self> {
        let at = view::position(&conn)?;
        let unfolded: i64 = conn.query_row("SELECT count(*) FROM unfolded", [], |r| r.get(0))?;
        shared.unfolded.store(log::unsigned(unfolded), Ordering::Release);
        Ok(Self { room, conn, shared, tail, log, at, open: None, failures: 0, dirty: false, closing: false })
    }

    /// The loop: commands, then entries, then rest.
    pub(crate) fn run(mut self) {
        while !self.closing {
            let listener = self.shared.wake.listen();
            if let Some(command) = self.next_command() {
                if self.commit_or_undo() {
                    command(&mut self);
                }
                continue;
            }
            match self.step() {
                Ok(true) => self.failures = 0,
                Ok(false) => self.rest(listener),
                Err(e) => self.undo(&e),
            }
        }
        self.commit_or_undo();
        if let Err(e) = sqlite::checkpoint_truncate(&self.conn) {
            tracing::warn!(view = self.shared.name, error = %e, "checkpoint at close");
        }
    }

    fn next_command(&self) -> Option<view::Command> {
        self.shared.commands.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Folds what is there, commits when it is time. `Ok(false)`: nothing to do now.
    fn step(&mut self) -> Result<bool> {
        let head = self.tail.head().pos;
        if self.at >= head {
            let due = self.open.as_ref().is_some_and(|o| self.somebody_waits() || o.since.elapsed() >= LAZY);
            if due {
                self.commit()?;
            }
            return Ok(due);
        }
        let started = Instant::now();
        for entry in self.next_entries()? {
            self.fold(&entry)?;
            if self.somebody_waits() && started.elapsed() >= EAGER {
                break;
            }
        }
        let caught_up = self.at >= self.shared.relevant.load(Ordering::Acquire);
        let commit = self.open.as_ref().is_some_and(|o| {
            o.count >= MOST
                || (self.somebody_waits() && (caught_up || o.since.elapsed() >= EAGER))
                || o.since.elapsed() >= LAZY
        });
        if commit {
            self.commit()?;
        } else if self.open.is_none() {
            // Nothing of its kinds: only the position moves, and the file hears of it with the next commit.
            self.publish();
        }
        Ok(true)
    }

    /// Folds up to `pos` and commits, for whoever must not go on before (expunge, close, rebuild).
    pub(crate) fn catch_up(&mut self, pos: u64) -> Result<()> {
        while self.at < pos {
            let entries = self.next_entries()?;
            if entries.is_empty() {
                return Err(Error::Damaged(format!("the log ends at {} before {pos}", self.at)));
            }
            for entry in entries {
                self.fold(&entry)?;
                if self.open.as_ref().is_some_and(|o| o.count >= MOST) {
                    self.commit()?;
                }
            }
        }
        self.commit()
    }

    fn somebody_waits(&self) -> bool {
        self.shared.waiting.load(Ordering::Acquire) > 0
    }

    fn next_entries(&self) -> Result<Vec<Arc<Entry>>> {
        match self.tail.after(self.at) {
            Some(batch) => Ok(batch.iter().filter(|e| e.pos > self.at).cloned().collect()),
            None => self.log.range(self.at, 1_000, 4 << 20),
        }
    }

    fn fold(&mut self, entry: &Entry) -> Result<()> {
        if self.shared.kinds.has(entry.kind.as_str()) {
            if self.open.is_none() {
                self.conn.execute_batch("BEGIN IMMEDIATE")?;
                self.open = Some(Open { since: Instant::now(), count: 0 });
            }
            let (room, conn, log) = (&mut self.room, &self.conn, &self.log);
            // A fold cannot refuse, so it may not take the node down either.
            let result = catch_unwind(AssertUnwindSafe(|| room.fold(conn, entry, log)))
                .unwrap_or_else(|_| Err(FoldError::Unreadable("the fold stopped at this entry".into())));
            match result {
                Ok(()) => {}
                Err(FoldError::Unreadable(why)) => self.note_unfolded(entry.pos, &why)?,
                Err(FoldError::Sql(e)) => return Err(e.into()),
            }
        }
        if let Some(open) = &mut self.open {
            open.count += 1;
        }
        self.at = entry.pos;
        Ok(())
    }

    fn note_unfolded(&mut self, pos: u64, why: &str) -> Result<()> {
        tracing::warn!(view = self.shared.name, pos, "an entry could not be folded; `eye doctor` lists it");
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO unfolded(pos, why) VALUES (?,?)")?
            .execute((log::signed(pos), why))?;
        self.shared.unfolded.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Ends the transaction, moves the position with it, and tells whoever waits.
    pub(crate) fn commit(&mut self) -> Result<()> {
        if self.open.is_some() {
            match self.room.flush(&self.conn) {
                Ok(()) => {}
                Err(FoldError::Sql(e)) => return Err(e.into()),
                Err(FoldError::Unreadable(why)) => return Err(Error::Damaged(why)),
            }
            self.conn
                .prepare_cached("UPDATE meta SET value = ? WHERE key = 'position'")?
                .execute([log::signed(self.at)])?;
            self.conn.execute_batch("COMMIT")?;
            self.open = None;
            self.dirty = true;
            self.room.committed(self.at);
            self.checkpoint_if_long();
        }
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        self.shared.position.store(self.at, Ordering::Release);
        self.shared.reached.notify(usize::MAX);
    }

    fn commit_or_undo(&mut self) -> bool {
        match self.commit() {
            Ok(()) => true,
            Err(e) => {
                self.undo(&e);
                false
            }
        }
    }

    fn undo(&mut self, error: &Error) {
        self.failures += 1;
        tracing::error!(view = self.shared.name, error = %error, failures = self.failures, "folding failed; trying again");
        if self.open.take().is_some() && self.conn.execute_batch("ROLLBACK").is_err() {
            tracing::error!(view = self.shared.name, "rollback failed");
        }
        self.room.reset();
        if let Ok(at) = view::position(&self.conn) {
            self.at = at;
        }
        let listener = self.shared.wake.listen();
        let pause = Duration::from_millis(50 * u64::from(self.failures.min(40)));
        listener.wait_deadline(Instant::now() + pause);
    }

    fn rest(&mut self, listener: event_listener::EventListener) {
        match &self.open {
            Some(open) => {
                let deadline = open.since + LAZY;
                listener.wait_deadline(deadline);
            }
            None if self.dirty => {
                // Idle for a while: copy the WAL back, so that a start after a crash has little to recover.
                if listener.wait_deadline(Instant::now() + IDLE).is_none() {
                    self.dirty = false;
                    self.checkpoint();
                }
            }
            None => listener.wait(),
        }
    }

    fn checkpoint(&self) {
        if let Err(e) = sqlite::checkpoint_passive(&self.conn) {
            tracing::warn!(view = self.shared.name, error = %e, "checkpoint");
        }
    }

    fn checkpoint_if_long(&self) {
        if sqlite::wal_backlog(&self.conn) > WAL_PAGES {
            self.checkpoint();
        }
    }
}
