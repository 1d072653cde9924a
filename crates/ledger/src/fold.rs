//! One generation of a room's view while it is written: the room's fold, its file, how far it has come.
use crate::log::{self, Found};
use crate::room::FoldError;
use crate::sqlite::{self, Cache};
use crate::{Error, LogReader, Result, Room, RoomFactory, view};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Entries a transaction may take under backlog (measured: the pages dirtied a commit decide the cost).
const MOST: u64 = 60_000;
/// And bytes of body: rows held back in memory and pages in the WAL grow with what is said, not with how often.
const MOST_BYTES: usize = 64 << 20;
/// A WAL longer than this many pages is copied back (16 MB).
const WAL_PAGES: i64 = 4_000;
/// What is damaged in the log is read so often before its entry is passed by.
const TRIES: u32 = 5;

pub(crate) struct Fold {
    pub(crate) room: Box<dyn Room>,
    pub(crate) conn: Connection,
    pub(crate) path: PathBuf,
    pub(crate) number: u64,
    /// Folded so far, perhaps not committed.
    pub(crate) at: u64,
    /// As the file has it.
    pub(crate) stored: u64,
    pub(crate) unfolded: u64,
    open: Option<Open>,
    /// The last entry of a transaction that was undone: up to it entries go one by one, until the one is found.
    alone_until: u64,
    /// An entry for which something damaged had to be read, and how often that was tried.
    lost: (u64, u32),
}

struct Open {
    since: Instant,
    count: u64,
    bytes: usize,
    last: u64,
}

impl Open {
    fn now(count: u64, last: u64) -> Self {
        Self { since: Instant::now(), count, bytes: 0, last }
    }
}

impl Fold {
    /// Opens (or makes) a view file.
    pub(crate) fn open(path: &Path, number: u64, factory: &RoomFactory) -> Result<Self> {
        let room = factory();
        let conn = sqlite::open_writer(path, false, Cache::Writer)?;
        room.prepare(&conn)?;
        conn.execute_batch(
            "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS unfolded(pos INTEGER PRIMARY KEY, why TEXT NOT NULL);
             INSERT OR IGNORE INTO meta(key, value) VALUES ('position', 0);",
        )?;
        let kinds = room.kinds().words();
        conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('kinds', ?)", [kinds])?;
        conn.execute_batch(room.schema())?;
        let at = view::position(&conn)?;
        let unfolded = count_unfolded(&conn)?;
        Ok(Self {
            room,
            conn,
            path: path.to_owned(),
            number,
            at,
            stored: at,
            unfolded,
            open: None,
            alone_until: 0,
            lost: (0, 0),
        })
    }

    /// Takes one entry: with others in a transaction, or alone where one of them was undone. It need not be of the
    /// room's kinds. `true`: a transaction was ended.
    pub(crate) fn take(&mut self, found: &Found, log: &LogReader) -> Result<bool> {
        if found.pos() <= self.alone_until {
            return self.take_alone(found, log).map(|()| true);
        }
        self.take_with_others(found, log)?;
        if self.is_full() { self.commit() } else { Ok(false) }
    }

    fn take_with_others(&mut self, found: &Found, log: &LogReader) -> Result<()> {
        let pos = found.pos();
        if self.concerns(found) {
            self.begin(pos)?;
            let (room, conn) = (&mut self.room, &self.conn);
            // A fold cannot refuse, so it may not take the node down either.
            let Ok(result) = catch_unwind(AssertUnwindSafe(|| match found {
                Found::Whole(entry) => room.fold(conn, entry, log),
                Found::Bodiless(entry, _) => room.fold_header(conn, entry),
                Found::Torn(..) => Ok(()),
            })) else {
                // Half of it may stand in the transaction.
                return Err(stopped(pos));
            };
            match (result, found) {
                (Ok(()), Found::Whole(_)) => {}
                (Ok(()), Found::Bodiless(_, why) | Found::Torn(_, why)) => self.note_unfolded(pos, why)?,
                (Err(FoldError::Unreadable(why)), _) => self.note_unfolded(pos, &why)?,
                (Err(e), _) => return Err(self.failed(pos, e)),
            }
        }
        if let Some(open) = &mut self.open {
            open.count += 1;
            open.bytes = open.bytes.saturating_add(found.weight());
        }
        self.at = pos;
        Ok(())
    }

    /// Whose kind cannot be read may be anybody's.
    fn concerns(&self, found: &Found) -> bool {
        match found {
            Found::Whole(entry) | Found::Bodiless(entry, _) => self.room.kinds().has(entry.kind.as_str()),
            Found::Torn(..) => true,
        }
    }

    /// Begins a transaction unless one is open; `pos` is its last entry so far.
    fn begin(&mut self, pos: u64) -> Result<()> {
        match &mut self.open {
            Some(open) => open.last = pos,
            None => {
                self.conn.execute_batch("BEGIN IMMEDIATE")?;
                self.open = Some(Open::now(0, pos));
            }
        }
        Ok(())
    }

    /// Nothing of the room's kinds lies before `head`: only the position moves.
    pub(crate) fn pass(&mut self, head: u64) {
        self.at = self.at.max(head);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }
    pub(crate) fn open_for(&self) -> Option<Duration> {
        self.open.as_ref().map(|o| o.since.elapsed())
    }
    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|o| o.count >= MOST || o.bytes >= MOST_BYTES)
    }

    /// Ends the transaction, its position with its rows. `false`: none was open.
    pub(crate) fn commit(&mut self) -> Result<bool> {
        let Some(open) = &self.open else { return Ok(false) };
        let last = open.last;
        let (room, conn) = (&mut self.room, &self.conn);
        let Ok(flushed) = catch_unwind(AssertUnwindSafe(|| room.flush(conn))) else { return Err(stopped(last)) };
        if let Err(e) = flushed {
            return Err(self.failed(last, e));
        }
        self.write_position()?;
        self.conn.execute_batch("COMMIT")?;
        self.open = None;
        self.stored = self.at;
        if sqlite::wal_backlog(&self.conn) > WAL_PAGES {
            self.checkpoint();
        }
        Ok(true)
    }

    /// Writes down a position that moved without rows.
    pub(crate) fn store_position(&mut self) -> Result<()> {
        if self.open.is_none() && self.stored != self.at {
            self.write_position()?;
            self.stored = self.at;
        }
        Ok(())
    }

    fn write_position(&self) -> Result<()> {
        let mut stmt = self.conn.prepare_cached("UPDATE meta SET value = ? WHERE key = 'position'")?;
        stmt.execute([log::signed(self.at)])?;
        Ok(())
    }

    /// [`Error::Damaged`]: the entry cannot be folded, however often it is tried.
    fn failed(&mut self, pos: u64, error: FoldError) -> Error {
        match error {
            FoldError::Sql(e) => e.into(),
            FoldError::Log(why) => Error::Failed(why),
            FoldError::Unreadable(why) => Error::Damaged(format!("entry {pos}: {why}")),
            FoldError::Lost(why) => {
                self.lost = if self.lost.0 == pos { (pos, self.lost.1 + 1) } else { (pos, 1) };
                if self.lost.1 > TRIES { Error::Damaged(why) } else { Error::Failed(why) }
            }
        }
    }

    /// Takes `entry` alone; when even that cannot be written, it is noted as unfolded and passed by.
    fn take_alone(&mut self, found: &Found, log: &LogReader) -> Result<()> {
        match self.take_with_others(found, log).and_then(|()| self.commit()) {
            Ok(_) => Ok(()),
            Err(Error::Damaged(why)) => {
                self.undo()?;
                self.conn.execute_batch("BEGIN IMMEDIATE")?;
                self.open = Some(Open::now(1, found.pos()));
                self.note_unfolded(found.pos(), &why)?;
                self.at = found.pos();
                self.commit().map(|_| ())
            }
            Err(e) => Err(e),
        }
    }

    /// Whether one of these entries could not be folded.
    pub(crate) fn passed_by(&self, entries: &[u64]) -> Result<bool> {
        let mut stmt = self.conn.prepare_cached("SELECT 1 FROM unfolded WHERE pos = ?")?;
        for pos in entries {
            if stmt.exists([log::signed(*pos)])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn note_unfolded(&mut self, pos: u64, why: &str) -> Result<()> {
        tracing::warn!(view = self.room.name(), pos, "an entry could not be folded; `eye doctor` lists it");
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO unfolded(pos, why) VALUES (?,?)")?
            .execute((log::signed(pos), why))?;
        self.unfolded += 1;
        Ok(())
    }

    /// Memory goes back to what the file says.
    pub(crate) fn undo(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            self.alone_until = self.alone_until.max(self.at).max(open.last);
        }
        let room = &mut self.room;
        if catch_unwind(AssertUnwindSafe(|| room.reset())).is_err() {
            tracing::error!(view = self.room.name(), "the room could not forget what was undone");
        }
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        self.at = view::position(&self.conn)?;
        self.stored = self.at;
        self.unfolded = count_unfolded(&self.conn)?;
        Ok(())
    }

    /// The room hears that its position may be read: only the generation that serves.
    pub(crate) fn tell_room(&mut self) {
        let (room, at) = (&mut self.room, self.at);
        if catch_unwind(AssertUnwindSafe(|| room.committed(at))).is_err() {
            tracing::error!(view = self.room.name(), "the room stopped while it heard of a commit");
        }
    }

    /// Folds what the log has after `at` and up to `to`, 1,000 entries at most. `false`: nothing was left.
    pub(crate) fn read_on(&mut self, log: &LogReader, to: u64) -> Result<bool> {
        let entries = log.found(self.at, 1_000, 4 << 20)?;
        let mut any = false;
        for found in entries.iter().take_while(|found| found.pos() <= to) {
            any = true;
            match self.take(found, log) {
                Ok(_) => {}
                Err(e) => {
                    self.undo()?;
                    // Found one by one from where it was undone; anything else is the caller's.
                    let goes_on = matches!(e, Error::Damaged(_)) || self.lost.0 == found.pos();
                    return if goes_on { Ok(true) } else { Err(e) };
                }
            }
        }
        Ok(any)
    }

    /// Gives back the pages that the connection holds in memory.
    pub(crate) fn shrink(&self) {
        if let Err(e) = self.conn.execute_batch("PRAGMA shrink_memory") {
            tracing::warn!(view = self.room.name(), error = %e, "memory");
        }
    }

    pub(crate) fn checkpoint(&self) {
        if let Err(e) = sqlite::checkpoint_passive(&self.conn) {
            tracing::warn!(view = self.room.name(), error = %e, "checkpoint");
        }
    }
}

fn stopped(pos: u64) -> Error {
    Error::Damaged(format!("entry {pos}: the fold stopped at this entry"))
}

fn count_unfolded(conn: &Connection) -> Result<u64> {
    Ok(log::unsigned(conn.query_row("SELECT count(*) FROM unfolded", [], |r| r.get(0))?))
}
