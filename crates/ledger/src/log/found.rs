//! Entries as they stand in the log, each proved against its commitment: damage of one body is that entry's own matter,
//! damage of the file is everybody's.
use super::{COLUMNS, header, signed, unsigned};
use crate::error::is_corrupt;
use crate::leaf::commitment;
use crate::names::Names;
use crate::{Entry, Error, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;

/// Where `salt` and `body` stand behind [`COLUMNS`].
const SALT: usize = 16;
const BODY: usize = 17;

/// An entry as whoever folds it finds it.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// As it was written; without a body when that was expunged.
    Whole(Arc<Entry>),
    /// The body is not what was written: the entry stands here without it, and what is wrong.
    Bodiless(Arc<Entry>, String),
    /// The row itself cannot be read: its `pos`, and what is wrong.
    Torn(u64, String),
}

impl Found {
    pub(crate) fn pos(&self) -> u64 {
        match self {
            Self::Whole(entry) | Self::Bodiless(entry, _) => entry.pos,
            Self::Torn(pos, _) => *pos,
        }
    }

    /// The entry, without a body that is damaged; nothing of a row that cannot be read.
    pub(crate) fn entry(self) -> Option<Arc<Entry>> {
        match self {
            Self::Whole(entry) | Self::Bodiless(entry, _) => Some(entry),
            Self::Torn(..) => None,
        }
    }

    /// Bytes of body.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Whole(entry) => entry.body.as_ref().map_or(0, |body| body.len()),
            Self::Bodiless(..) | Self::Torn(..) => 0,
        }
    }
}

/// Entries after `after`, in order, until `most` of them or `bytes` of body; fewer when one had to be read by itself.
///
/// # Errors
/// Of the file as a whole: whoever folds waits.
pub(crate) fn found(conn: &Connection, names: &Names, after: u64, most: usize, bytes: usize) -> Result<Vec<Found>> {
    let sql = format!(
        "SELECT {COLUMNS}, b.salt, b.body FROM entries e LEFT JOIN bodies b ON b.pos = coalesce(e.body_of, e.pos) \
         WHERE e.pos > ? ORDER BY e.pos LIMIT ?"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query((signed(after), i64::try_from(most).unwrap_or(i64::MAX)))?;
    let (mut out, mut size) = (Vec::new(), 0);
    while size < bytes {
        match rows.next() {
            Ok(Some(row)) => {
                let found = read(row, names)?;
                size += found.weight();
                out.push(found);
            }
            Ok(None) => break,
            Err(e) if is_corrupt(&e) => {
                let last = out.last().map_or(after, Found::pos);
                out.extend(alone(conn, names, "e.pos > ? ORDER BY e.pos LIMIT 1", last)?);
                break;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(out)
}

/// The entry at `pos`, as it is found.
///
/// # Errors
/// Of the file as a whole.
pub(crate) fn lookup(conn: &Connection, names: &Names, pos: u64) -> Result<Option<Found>> {
    let sql = format!(
        "SELECT {COLUMNS}, b.salt, b.body FROM entries e LEFT JOIN bodies b ON b.pos = coalesce(e.body_of, e.pos) \
         WHERE e.pos = ?"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query([signed(pos)])?;
    match rows.next() {
        Ok(Some(row)) => read(row, names).map(Some),
        Ok(None) => Ok(None),
        Err(e) if is_corrupt(&e) => alone(conn, names, "e.pos = ?", pos),
        Err(e) => Err(e.into()),
    }
}

/// The entry at `pos`, without its body where that is damaged.
///
/// # Errors
/// [`Error::Damaged`] when its row cannot be read; the storage's.
pub(crate) fn entry(conn: &Connection, names: &Names, pos: u64) -> Result<Option<Entry>> {
    match lookup(conn, names, pos)? {
        Some(Found::Whole(entry) | Found::Bodiless(entry, _)) => Ok(Some(Arc::unwrap_or_clone(entry))),
        Some(Found::Torn(_, why)) => Err(Error::Damaged(why)),
        None => Ok(None),
    }
}

/// The body at `pos` as it was written; `None` when there is no such entry or it was expunged.
///
/// # Errors
/// [`Error::Damaged`] when it is not what was written; the storage's.
pub(crate) fn proved_body(conn: &Connection, names: &Names, pos: u64) -> Result<Option<Arc<str>>> {
    match lookup(conn, names, pos)? {
        Some(Found::Whole(entry)) => Ok(entry.body.clone()),
        Some(Found::Bodiless(_, why) | Found::Torn(_, why)) => Err(Error::Damaged(why)),
        None => Ok(None),
    }
}

fn read(row: &Row<'_>, names: &Names) -> Result<Found> {
    let pos = unsigned(row.get(0)?);
    let mut entry = match header(row, names) {
        Ok(entry) => entry,
        Err(e) => return Ok(torn(pos, &e)),
    };
    Ok(match body(row, SALT, BODY, &entry) {
        Ok(body) => {
            entry.body = body;
            Found::Whole(Arc::new(entry))
        }
        Err(why) => Found::Bodiless(Arc::new(entry), in_bodies(pos, &why)),
    })
}

/// The first entry of which `which` holds, header and body read one after the other: a page that cannot be read under
/// the bodies is the matter of those whose bodies it holds, one under the entries is everybody's.
fn alone(conn: &Connection, names: &Names, which: &str, pos: u64) -> Result<Option<Found>> {
    let sql = format!("SELECT {COLUMNS} FROM entries e WHERE {which}");
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query([signed(pos)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let pos = unsigned(row.get(0)?);
    let mut entry = match header(row, names) {
        Ok(entry) => entry,
        Err(e) => return Ok(Some(torn(pos, &e))),
    };
    let mut stmt = conn.prepare_cached("SELECT salt, body FROM bodies WHERE pos = ?")?;
    let read = stmt.query_row([signed(entry.body_of.unwrap_or(pos))], |row| Ok(body(row, 0, 1, &entry))).optional();
    Ok(Some(match read {
        Ok(Some(Ok(body))) => {
            entry.body = body;
            Found::Whole(Arc::new(entry))
        }
        Ok(None) => Found::Whole(Arc::new(entry)),
        Ok(Some(Err(why))) => Found::Bodiless(Arc::new(entry), in_bodies(pos, &why)),
        Err(e) if is_corrupt(&e) => {
            Found::Bodiless(Arc::new(entry), in_bodies(pos, &format!("the body cannot be read: {e}")))
        }
        Err(e) => return Err(e.into()),
    }))
}

fn torn(pos: u64, why: &rusqlite::Error) -> Found {
    Found::Torn(pos, format!("log.db, entries, pos {pos}: the row cannot be read: {why}"))
}

fn in_bodies(pos: u64, why: &str) -> String {
    format!("log.db, bodies, pos {pos}: {why}")
}

/// A body that matches its entry's commitment, or none; else what is wrong, without a word of it.
fn body(row: &Row<'_>, salt: usize, body: usize, entry: &Entry) -> Result<Option<Arc<str>>, String> {
    let column = |i| row.get_ref(i).map_err(|e| e.to_string());
    let (salt, body) = match (column(salt)?, column(body)?) {
        (ValueRef::Null, ValueRef::Null) => return Ok(None),
        (ValueRef::Blob(salt), ValueRef::Text(body)) => (salt, body),
        (ValueRef::Blob(_), _) => return Err("the body is no text".into()),
        _ => return Err("the salt holds no bytes".into()),
    };
    let salt: &[u8; 32] = salt.try_into().map_err(|_| "the salt is not 32 bytes".to_owned())?;
    if commitment(salt, body) != entry.commitment {
        return Err("the body does not match its commitment".into());
    }
    let text = std::str::from_utf8(body).map_err(|_| "the body is no UTF-8 text".to_owned())?;
    Ok(Some(Arc::from(text)))
}
