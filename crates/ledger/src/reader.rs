use crate::log::Found;
use crate::names::Names;
use crate::{Bodies, Entry, Error, FoldError, Result, log, sqlite};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the log. Connections open on first use and are kept for the next reader; none holds a transaction open.
#[derive(Debug, Clone)]
pub struct LogReader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    names: Arc<Names>,
    idle: Mutex<Vec<Connection>>,
}

/// More idle connections than this are closed.
const IDLE: usize = 4;

impl LogReader {
    pub(crate) fn new(path: PathBuf, names: Arc<Names>) -> Self {
        Self { shared: Arc::new(Shared { path, names, idle: Mutex::default() }) }
    }

    /// Runs `f` with a connection to the log file.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&Connection, &Names) -> Result<T>) -> Result<T> {
        let taken = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match taken {
            Some(conn) => conn,
            None => sqlite::open_reader(&self.shared.path)?,
        };
        let result = f(&conn, &self.shared.names);
        let mut idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(conn);
        }
        // Whoever asks from within a view must not take the log's damage for the view's.
        result.map_err(|e| if e.is_corrupt() { Error::Damaged(format!("log.db: {e}")) } else { e })
    }

    /// Closes every idle connection, so that a TRUNCATE checkpoint finds no reader.
    pub(crate) fn close_idle(&self) {
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The entry at `pos`; without its body when that is damaged or was expunged.
    ///
    /// # Errors
    /// The storage's.
    pub fn entry(&self, pos: u64) -> Result<Option<Entry>> {
        self.with(|conn, names| log::entry(conn, names, pos))
    }

    /// The body at `pos`: `None` when there is no such entry or it was expunged.
    ///
    /// # Errors
    /// The storage's.
    pub fn body(&self, pos: u64) -> Result<Option<Arc<str>>> {
        self.with(|conn, _| log::body(conn, pos))
    }

    /// The bodies at `positions`, in that order, handed to `take` without copying; an expunged one is `None`.
    ///
    /// # Errors
    /// The storage's.
    pub fn bodies(&self, positions: &[u64], mut take: impl FnMut(u64, Option<&str>)) -> Result<()> {
        self.bodies_while(positions, |pos, body| {
            take(pos, body);
            true
        })
    }

    /// As [`LogReader::bodies`], for as long as `take` says that there is room for more.
    ///
    /// # Errors
    /// The storage's.
    pub fn bodies_while(&self, positions: &[u64], mut take: impl FnMut(u64, Option<&str>) -> bool) -> Result<()> {
        self.with(|conn, _| {
            let mut stmt = conn.prepare_cached(
                "SELECT b.body FROM entries e JOIN bodies b ON b.pos = coalesce(e.body_of, e.pos) WHERE e.pos = ?",
            )?;
            for &pos in positions {
                let mut rows = stmt.query([log::signed(pos)])?;
                let room = match rows.next()? {
                    Some(row) => take(pos, row.get_ref(0)?.as_str().ok()),
                    None => take(pos, None),
                };
                if !room {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Entries after `after`, at most `most` and about `bytes` of body; without its body one whose body is damaged, and
    /// none whose row is. Empty at the end alone.
    ///
    /// # Errors
    /// The storage's.
    pub fn range(&self, mut after: u64, most: usize, bytes: usize) -> Result<Vec<Arc<Entry>>> {
        loop {
            let found = self.found(after, most, bytes)?;
            let Some(last) = found.last().map(Found::pos) else { return Ok(Vec::new()) };
            let entries: Vec<_> = found.into_iter().filter_map(Found::entry).collect();
            if !entries.is_empty() {
                return Ok(entries);
            }
            after = last;
        }
    }

    /// The body at `pos`, proved against what the entry committed to: for what decides who may do something.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not what was written; the storage's.
    pub fn proved_body(&self, pos: u64) -> Result<Option<Arc<str>>> {
        self.with(|conn, names| log::proved_body(conn, names, pos))
    }

    /// As [`LogReader::range`], for whoever folds.
    pub(crate) fn found(&self, after: u64, most: usize, bytes: usize) -> Result<Vec<Found>> {
        self.with(|conn, names| log::found(conn, names, after, most, bytes))
    }

    /// The first `pos` whose `arrived` is greater than `arrived`, µs: by bisection, for `arrived` only grows.
    ///
    /// # Errors
    /// The storage's.
    pub fn first_after(&self, arrived: i64) -> Result<u64> {
        self.with(|conn, _| {
            let (mut low, mut high) = (0u64, log::last_pos(conn)? + 1);
            let mut stmt = conn.prepare_cached("SELECT arrived FROM entries WHERE pos = ?")?;
            while low + 1 < high {
                let mid = low + (high - low) / 2;
                let at: i64 = stmt.query_row([log::signed(mid)], |r| r.get(0))?;
                if at > arrived { high = mid } else { low = mid }
            }
            Ok(high)
        })
    }

    /// A collection's small number on this node, once anything stands in it.
    pub fn collection_number(&self, id: crate::CollectionId) -> Option<u32> {
        self.shared.names.number(&id.to_string())
    }

    /// The collection of a small number.
    pub fn collection_of(&self, col: u32) -> Option<crate::CollectionId> {
        self.shared.names.text(col).parse().ok()
    }
}

impl Bodies for LogReader {
    fn body(&self, pos: u64) -> Result<Option<Arc<str>>, FoldError> {
        self.proved_body(pos).map_err(unread)
    }
    fn entry(&self, pos: u64) -> Result<Option<Entry>, FoldError> {
        LogReader::entry(self, pos).map_err(unread)
    }
}

/// A machine that is short of something may have it again in a moment; bytes that are wrong stay so.
fn unread(error: Error) -> FoldError {
    if error.is_damage() { FoldError::Lost(error.to_string()) } else { FoldError::Log(error.to_string()) }
}
