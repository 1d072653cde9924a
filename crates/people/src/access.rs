//! The access log: who asked for what, one row a request, each bound to the one before by its hash. It holds ids and
//! keyed hashes of queries, never text that was asked for or answered, and no names.
use crate::view::{signed, unsigned};
use crate::{Error, Result, Viewer};
use ledger::{Ledger, State, keyed_id};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS access(
  n INTEGER PRIMARY KEY, at INTEGER NOT NULL, account INTEGER NOT NULL, role TEXT NOT NULL, method TEXT NOT NULL,
  route TEXT NOT NULL, status INTEGER NOT NULL, ids TEXT NOT NULL, objects INTEGER NOT NULL, query BLOB,
  bytes INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS access_base(one INTEGER PRIMARY KEY CHECK(one = 1), n INTEGER NOT NULL, hash BLOB NOT NULL);";

/// Ids kept of one request; of more, `objects` tells how many there were.
const IDS: usize = 50;
/// The longest route, method or id that is kept, bytes.
const LONGEST: usize = 300;
/// Rows that are not known to be on the disk; whoever comes then waits for it, and is refused where it takes none.
const WAITING: usize = 20_000;
/// Rows that are forgotten in one transaction: requests wait for it.
const PIECE: u64 = 5_000;

/// A request, as its door tells it.
#[derive(Debug, Clone, Default)]
pub struct Access<'a> {
    /// Who asked; `None` = nobody signed in.
    pub viewer: Option<&'a Viewer>,
    /// `GET` and so on; for the command line its command.
    pub method: &'a str,
    /// The route's pattern, such as `/objects/{id}`: never the path itself.
    pub route: &'a str,
    /// The answer's status.
    pub status: u16,
    /// What it was about, objects and else accounts and sign-in links: the first fifty are kept, ids that can be guessed as their keyed hash.
    pub ids: &'a [&'a str],
    /// How many objects were answered, if more than `ids` names.
    pub objects: u32,
    /// What was searched for: only its keyed hash is kept.
    pub query: Option<&'a str>,
    /// Bytes answered.
    pub bytes: u64,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRow {
    /// Its number, without gaps.
    pub n: u64,
    /// When, µs.
    pub at: i64,
    /// The account; 0 = nobody signed in.
    pub account: u32,
    /// The account's role at that moment.
    pub role: String,
    /// As in [`Access::method`].
    pub method: String,
    /// As in [`Access::route`].
    pub route: String,
    /// As in [`Access::status`].
    pub status: u16,
    /// Ids, a space between.
    pub ids: String,
    /// How many objects.
    pub objects: u32,
    /// Keyed hash of the query: equal queries have equal ones.
    pub query: Option<Vec<u8>>,
    /// Bytes answered.
    pub bytes: u64,
    /// SHA-256 over the row before's and this one's fields.
    pub hash: Vec<u8>,
}

/// Where the log stands: to be anchored elsewhere, so that cutting its end is found too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessHead {
    /// The last row's number.
    pub n: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl AccessRow {
    /// Fields of varying length are preceded by it, so that no two rows read alike.
    fn seal(&self, prev: &[u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(prev);
        hash.update(self.n.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        hash.update(self.account.to_be_bytes());
        hash.update(self.status.to_be_bytes());
        hash.update(self.objects.to_be_bytes());
        hash.update(self.bytes.to_be_bytes());
        let query = self.query.as_deref().unwrap_or_default();
        for text in [self.role.as_bytes(), self.method.as_bytes(), self.route.as_bytes(), self.ids.as_bytes(), query] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }

    pub(crate) fn read(r: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: unsigned(r.get(0)?),
            at: r.get(1)?,
            account: r.get(2)?,
            role: r.get(3)?,
            method: r.get(4)?,
            route: r.get(5)?,
            status: r.get(6)?,
            ids: r.get(7)?,
            objects: r.get(8)?,
            query: r.get(9)?,
            bytes: unsigned(r.get(10)?),
            hash: r.get(11)?,
        })
    }
}

pub(crate) const COLUMNS: &str = "n, at, account, role, method, route, status, ids, objects, query, bytes, hash";

/// What waits: rows that came since, and rows that were handed to the disk and are not known to be there.
#[derive(Debug, Default)]
struct Waiting {
    fresh: Vec<AccessRow>,
    handed: Vec<AccessRow>,
    /// A job that writes them is under way.
    queued: bool,
}

impl Waiting {
    fn is_full(&self) -> bool {
        self.fresh.len() + self.handed.len() >= WAITING
    }
}

/// Whatever becomes of a job, the next row queues another.
struct Queued(Arc<Mutex<Waiting>>);

impl Drop for Queued {
    fn drop(&mut self) {
        lock(&self.0).queued = false;
    }
}

/// The access log. Cloning is cheap.
#[derive(Clone)]
pub struct AccessLog {
    ledger: Ledger,
    waiting: Arc<Mutex<Waiting>>,
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessLog").finish_non_exhaustive()
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// At most [`LONGEST`] bytes, cut between characters.
fn cut(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("").to_owned()
}

/// Ids, a blank between; those that can be guessed as their keyed hash.
fn join(keys: &ledger::Keys, ids: &[&str]) -> String {
    let kept = ids.iter().filter(|id| id.len() <= LONGEST && !id.contains(char::is_whitespace)).take(IDS);
    let mut out = String::new();
    for id in kept {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&crate::told(keys, id));
    }
    out
}

impl AccessLog {
    pub(crate) fn open(ledger: &Ledger) -> Result<Self> {
        ledger.state().ensure(SCHEMA)?;
        ledger.state().ensure(crate::deeds::SCHEMA)?;
        Ok(Self { ledger: ledger.clone(), waiting: Arc::default() })
    }

    pub(crate) fn state(&self) -> &State {
        self.ledger.state()
    }

    pub(crate) fn keys(&self) -> &ledger::Keys {
        self.ledger.keys()
    }

    /// Whether a row can be taken down now: asked before anything is read, for what nobody takes down nobody may read.
    ///
    /// # Errors
    /// [`ledger::Error::Closed`] when nobody writes any longer; the storage's when too many rows wait for the disk and it
    /// takes none.
    pub fn ready(&self) -> Result<()> {
        if !self.state().is_alive() {
            return Err(ledger::Error::Closed.into());
        }
        // Read before it is tried: the lock is not held while the disk is waited for.
        let full = lock(&self.waiting).is_full();
        if full { self.flush() } else { Ok(()) }
    }

    /// Takes a request down: it is on the disk within 100 ms, hashed and written in the state's thread.
    ///
    /// # Errors
    /// As [`AccessLog::ready`]: the row was not taken, and what it tells of must not be answered.
    pub fn record(&self, access: &Access<'_>) -> Result<()> {
        self.ready()?;
        let key = self.ledger.keys().index_hmac();
        let query = access.query.filter(|q| !q.is_empty()).map(|q| keyed_id(key, &[b"query", q.as_bytes()]).to_vec());
        let no_object = |id: &str| crate::is_link_id(id) || crate::account_of_id(id).is_some();
        let objects = access.ids.iter().filter(|id| !no_object(id)).count();
        let row = AccessRow {
            n: 0,
            at: self.ledger.now(),
            account: access.viewer.map_or(0, Viewer::account),
            role: access.viewer.map_or("", |v| v.role().as_str()).to_owned(),
            method: cut(access.method),
            route: cut(access.route),
            status: access.status,
            ids: join(self.ledger.keys(), access.ids),
            objects: access.objects.max(u32::try_from(objects).unwrap_or(u32::MAX)),
            query,
            bytes: access.bytes,
            hash: Vec::new(),
        };
        let queued = {
            let mut waiting = lock(&self.waiting);
            waiting.fresh.push(row);
            std::mem::replace(&mut waiting.queued, true)
        };
        if !queued {
            let under_way = Queued(Arc::clone(&self.waiting));
            self.state().soon(move |conn| {
                let waiting = Arc::clone(&under_way.0);
                // Before it is written: a row that comes meanwhile queues its own.
                drop(under_way);
                write(conn, &waiting).map(drop)
            });
        }
        Ok(())
    }

    /// Returns when every row taken down so far is on the disk.
    ///
    /// # Errors
    /// The storage's.
    pub fn flush(&self) -> Result<()> {
        let waiting = Arc::clone(&self.waiting);
        let written = self.state().write(move |conn| write(conn, &waiting))?;
        lock(&self.waiting).handed.retain(|row| row.n > written);
        Ok(())
    }

    /// The newest rows before number `before` (all when `None`), at most `limit` and 1,000. [`AccessLog::find`] filters.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; the storage's.
    pub fn page(&self, viewer: &Viewer, before: Option<u64>, limit: u32) -> Result<Vec<AccessRow>> {
        Ok(self.find(viewer, &crate::AccessFilter::default(), before, limit)?.rows)
    }

    /// Where the log stands.
    ///
    /// # Errors
    /// The storage's.
    pub fn head(&self) -> Result<AccessHead> {
        self.flush()?;
        Ok(self.state().read(|conn| Ok(head(conn)?))?)
    }

    /// Rows that were ever taken down, those included that wait for the disk: writes nothing, and waits for nobody who does.
    ///
    /// # Errors
    /// The storage's.
    pub fn rows(&self) -> Result<u64> {
        let waiting = lock(&self.waiting);
        let written = self.state().read(|conn| Ok(head(conn)?.n))?;
        let handed = waiting.handed.last().map_or(0, |row| row.n);
        Ok(written.max(handed) + waiting.fresh.len() as u64)
    }

    /// Checks every row against the one before it; the answer is where the log stands.
    ///
    /// # Errors
    /// [`Error::Ledger`] with `Damaged`, which names the first row that is not as it was written.
    pub fn verify(&self) -> Result<AccessHead> {
        self.flush()?;
        let (mut at, last) = self.state().read(|conn| Ok((base(conn)?, last(conn)?)))?;
        // In pages: no read transaction lasts long.
        loop {
            let rows = self.rows_after(at.n)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let due = row.seal(&at.hash);
                if row.n != at.n + 1 || row.hash != due {
                    return Err(damaged(at.n + 1));
                }
                at = AccessHead { n: row.n, hash: due };
            }
        }
        if at.n < last { Err(damaged(at.n + 1)) } else { Ok(at) }
    }

    fn rows_after(&self, n: u64) -> Result<Vec<AccessRow>> {
        Ok(self.state().read(|conn| {
            let mut stmt =
                conn.prepare_cached(&format!("SELECT {COLUMNS} FROM access WHERE n > ? ORDER BY n LIMIT 1000"))?;
            let rows = stmt.query_map([signed(n)], AccessRow::read)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?)
    }

    /// Forgets the rows that were taken down before `before`, µs, as retention asks, and takes down itself that it did
    /// (`retention`, with how many). What stays is verified from there on. Rows go from the log's beginning alone, up to the
    /// first that is young enough: one whose clock stood wrong never takes those before it along. The answer is how many
    /// went.
    ///
    /// # Errors
    /// The storage's.
    pub fn forget(&self, before: i64) -> Result<u64> {
        let mut gone = 0;
        loop {
            let cut = self.state().write(move |conn| Ok(forget(conn, before)?))?;
            gone += cut;
            if cut < PIECE {
                break;
            }
        }
        if gone > 0 {
            let objects = u32::try_from(gone).unwrap_or(u32::MAX);
            self.record(&Access { method: "retention", route: "eye", status: 200, objects, ..Access::default() })?;
        }
        Ok(gone)
    }
}

/// One piece of the oldest rows, those before `before`; how many.
fn forget(conn: &Connection, before: i64) -> rusqlite::Result<u64> {
    let base = base(conn)?;
    let mut stmt = conn.prepare_cached("SELECT n, hash, at FROM access WHERE n > ? ORDER BY n LIMIT ?")?;
    let mut rows = stmt.query((signed(base.n), signed(PIECE)))?;
    let mut end = base;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(2)? >= before {
            break;
        }
        end = to_head(row)?;
    }
    if end.n > base.n {
        conn.execute("INSERT OR REPLACE INTO access_base(one, n, hash) VALUES (1,?,?)", (signed(end.n), end.hash))?;
        conn.execute("DELETE FROM access WHERE n <= ?", [signed(end.n)])?;
    }
    Ok(end.n - base.n)
}

fn damaged(n: u64) -> Error {
    Error::Ledger(ledger::Error::Damaged(format!("the access log was changed at row {n}")))
}

fn base(conn: &Connection) -> rusqlite::Result<AccessHead> {
    let base = conn.query_row("SELECT n, hash FROM access_base", [], to_head).optional()?;
    Ok(base.unwrap_or(AccessHead { n: 0, hash: [0; 32] }))
}

fn last(conn: &Connection) -> rusqlite::Result<u64> {
    Ok(unsigned(conn.query_row("SELECT coalesce(max(n), 0) FROM access", [], |r| r.get(0))?))
}

fn head(conn: &Connection) -> rusqlite::Result<AccessHead> {
    let mut stmt = conn.prepare_cached("SELECT n, hash FROM access ORDER BY n DESC LIMIT 1")?;
    match stmt.query_row([], to_head).optional()? {
        Some(head) => Ok(head),
        None => base(conn),
    }
}

fn to_head(r: &rusqlite::Row<'_>) -> rusqlite::Result<AccessHead> {
    Ok(AccessHead { n: unsigned(r.get(0)?), hash: r.get(1)? })
}

/// In the state's thread: numbers, hashes and inserts what waits. What was handed over before and did not reach the
/// disk (its transaction failed) goes again, first. The answer is the last row's number.
fn write(conn: &Connection, waiting: &Mutex<Waiting>) -> ledger::Result<u64> {
    let mut at = head(conn)?;
    let mut waiting = lock(waiting);
    let fresh = std::mem::take(&mut waiting.fresh);
    waiting.handed.retain(|row| row.n > at.n);
    waiting.handed.extend(fresh);
    // Every one before the first is inserted: a row without a number would pass for one that is written.
    for row in &mut waiting.handed {
        row.n = at.n + 1;
        at = AccessHead { n: row.n, hash: row.seal(&at.hash) };
        row.hash = at.hash.to_vec();
    }
    let mut stmt = conn.prepare_cached(&format!("INSERT INTO access({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"))?;
    for row in &waiting.handed {
        stmt.execute(rusqlite::params![
            signed(row.n),
            row.at,
            row.account,
            row.role,
            row.method,
            row.route,
            row.status,
            row.ids,
            row.objects,
            row.query,
            signed(row.bytes),
            row.hash,
        ])?;
    }
    Ok(at.n)
}
