//! All SQL of the log file. Rows are only ever added; the one deletion is an expunged body with its salt.
mod found;

use crate::entry::{CollectionId, Entry, Kind};
use crate::names::Names;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use found::{Found, entry, found, lookup, proved_body};

/// The layout's number; a log of another number is not opened.
pub(crate) const LAYOUT: i64 = 1;

pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names(n INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries(
  pos INTEGER PRIMARY KEY, origin INTEGER NOT NULL, col INTEGER NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL,
  subject TEXT NOT NULL, cause INTEGER, author INTEGER NOT NULL, time INTEGER NOT NULL, arrived INTEGER NOT NULL,
  kind INTEGER NOT NULL, version INTEGER NOT NULL, marking INTEGER NOT NULL, commitment BLOB NOT NULL, leaf BLOB NOT NULL,
  body_of INTEGER);
CREATE TABLE IF NOT EXISTS bodies(pos INTEGER PRIMARY KEY, salt BLOB NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS commits(n INTEGER PRIMARY KEY, first_pos INTEGER NOT NULL, count INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS trees(col INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, head_n INTEGER, edge BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tiles(col INTEGER NOT NULL, level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY(col, level, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads(n INTEGER NOT NULL, col INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
  note TEXT NOT NULL, PRIMARY KEY(n, col)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nodelog(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, seed BLOB NOT NULL, heads_root BLOB NOT NULL,
  commit_n INTEGER NOT NULL, commit_hash BLOB NOT NULL, leaf BLOB NOT NULL, checkpoint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS suppressed(h BLOB PRIMARY KEY, pos INTEGER NOT NULL) WITHOUT ROWID;
";

/// The number under which the node's own log keeps its tree and tiles; no collection gets so far.
pub(crate) const NODE_LOG: u32 = u32::MAX;

/// The columns of one entry, in [`header`]'s order.
const COLUMNS: &str = "e.pos, e.origin, e.col, e.seq, e.id, e.subject, e.cause, e.author, e.time, e.arrived, e.kind, \
                       e.version, e.marking, e.commitment, e.leaf, e.body_of";

pub(crate) fn create(conn: &Connection) -> Result<()> {
    conn.execute_batch(SCHEMA)?;
    conn.execute("INSERT OR IGNORE INTO meta(key, value) VALUES ('layout', ?)", [LAYOUT])?;
    let layout: i64 = conn.query_row("SELECT value FROM meta WHERE key = 'layout'", [], |r| r.get(0))?;
    if layout == LAYOUT {
        return Ok(());
    }
    Err(Error::Folder(format!(
        "the log has layout {layout}, this program reads {LAYOUT}: use the program that wrote it"
    )))
}

pub(crate) fn meta_text(conn: &Connection, key: &str) -> Result<Option<String>> {
    Ok(conn.query_row("SELECT value FROM meta WHERE key = ?", [key], |r| r.get(0)).optional()?)
}

pub(crate) fn set_meta(conn: &Connection, key: &str, value: &str) -> Result<()> {
    conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (key, value))?;
    Ok(())
}

/// One entry to be written, its numbers known.
pub(crate) struct Row_<'a> {
    pub entry: &'a Entry,
    pub origin: u32,
    pub kind: u32,
    pub marking: u32,
    pub salt: &'a [u8; 32],
    pub body: Option<&'a str>,
}

pub(crate) fn insert(conn: &Connection, row: &Row_<'_>) -> Result<()> {
    let e = row.entry;
    conn.prepare_cached(
        "INSERT INTO entries(pos, origin, col, seq, id, subject, cause, author, time, arrived, kind, version, marking, \
         commitment, leaf, body_of) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(rusqlite::params![
        signed(e.pos),
        row.origin,
        e.col,
        signed(e.seq),
        &e.id[..],
        &*e.subject,
        e.cause.map(signed),
        e.author,
        e.time,
        e.arrived,
        row.kind,
        e.version,
        row.marking,
        &e.commitment[..],
        &e.leaf[..],
        e.body_of.map(signed)
    ])?;
    if let Some(body) = row.body {
        conn.prepare_cached("INSERT INTO bodies(pos, salt, body) VALUES (?,?,?)")?.execute(rusqlite::params![
            signed(e.pos),
            &row.salt[..],
            body
        ])?;
    }
    Ok(())
}

/// Positions and sequence numbers stay far below 2^63.
pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

pub(crate) fn last_pos(conn: &Connection) -> Result<u64> {
    let pos: Option<i64> = conn.query_row("SELECT max(pos) FROM entries", [], |r| r.get(0))?;
    Ok(pos.map_or(0, unsigned))
}

pub(crate) fn last_arrived(conn: &Connection) -> Result<i64> {
    let at = conn.query_row("SELECT arrived FROM entries ORDER BY pos DESC LIMIT 1", [], |r| r.get(0)).optional()?;
    Ok(at.unwrap_or(0))
}

/// `None` for no row.
pub(crate) fn optional<T>(result: rusqlite::Result<T>) -> Result<Option<T>> {
    Ok(result.optional()?)
}

/// Number and hash of the last commit.
pub(crate) fn last_commit(conn: &Connection) -> Result<(u64, [u8; 32])> {
    let last: Option<(i64, Vec<u8>)> = conn
        .query_row("SELECT n, hash FROM commits ORDER BY n DESC LIMIT 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let Some((n, hash)) = last else { return Ok((0, crate::checkpoint::FIRST_COMMIT)) };
    let hash = hash.try_into().map_err(|_| Error::Damaged("the last commit's hash is not 32 bytes".into()))?;
    Ok((unsigned(n), hash))
}

/// What was expunged and must not come back: HMAC of the object's id, and the expunge entry's `pos`.
pub(crate) fn suppressed(conn: &Connection) -> Result<HashMap<[u8; 32], u64>> {
    let mut stmt = conn.prepare("SELECT h, pos FROM suppressed")?;
    let mut rows = stmt.query([])?;
    let mut out = HashMap::new();
    while let Some(row) = rows.next()? {
        let h: Vec<u8> = row.get(0)?;
        let h = h.try_into().map_err(|_| Error::Damaged("a row of the suppression list is not 32 bytes".into()))?;
        out.insert(h, unsigned(row.get(1)?));
    }
    Ok(out)
}

pub(crate) fn body(conn: &Connection, pos: u64) -> Result<Option<Arc<str>>> {
    let mut stmt = conn.prepare_cached(
        "SELECT b.body FROM entries e JOIN bodies b ON b.pos = coalesce(e.body_of, e.pos) WHERE e.pos = ?",
    )?;
    let mut rows = stmt.query([signed(pos)])?;
    Ok(match rows.next()? {
        Some(row) => Some(Arc::from(row.get_ref(0)?.as_str().map_err(|e| Error::Damaged(e.to_string()))?)),
        None => None,
    })
}

/// An entry without its body.
fn header(row: &Row<'_>, names: &Names) -> rusqlite::Result<Entry> {
    let hash = |i: usize| -> rusqlite::Result<[u8; 32]> {
        let bytes = row.get_ref(i)?.as_blob()?;
        bytes
            .try_into()
            .map_err(|_| rusqlite::Error::InvalidColumnType(i, "32 bytes".into(), rusqlite::types::Type::Blob))
    };
    let col: u32 = row.get(2)?;
    let collection: CollectionId = names
        .text(col)
        .parse()
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Integer, Box::new(e)))?;
    Ok(Entry {
        pos: unsigned(row.get(0)?),
        origin: names.text(row.get(1)?),
        collection,
        col,
        seq: unsigned(row.get(3)?),
        id: hash(4)?,
        subject: Arc::from(row.get_ref(5)?.as_str()?),
        cause: row.get::<_, Option<i64>>(6)?.map(unsigned),
        author: row.get(7)?,
        time: row.get(8)?,
        arrived: row.get(9)?,
        kind: Kind(names.text(row.get(10)?)),
        version: row.get(11)?,
        marking: names.text(row.get(12)?),
        commitment: hash(13)?,
        leaf: hash(14)?,
        body_of: row.get::<_, Option<i64>>(15)?.map(unsigned),
        body: None,
    })
}
