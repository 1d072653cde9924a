//! The fold: which entry holds for each collection and account.
use crate::entry::{ACCOUNT, AUDIENCE, AccountBody, AudienceBody, Purpose, account_subject, audience_subject};
use ledger::{Bodies, CollectionId, Entry, FoldError, Kinds, Room, RoomFactory};
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The room's name.
pub(crate) const NAME: &str = "people";

/// Moves whenever a fold of this process has committed an account or an audience. It counts for all ledgers of the
/// process (there is one, outside tests): a count too many costs one look at the view, none is ever missed.
static FOLDED: AtomicU64 = AtomicU64::new(1);

/// The count that tells whether what memory holds may be old.
pub(crate) fn folded() -> u64 {
    FOLDED.load(Ordering::Acquire)
}

/// The people's fold, for the list of rooms.
pub fn room() -> RoomFactory {
    Arc::new(|| Box::new(People { touched: false }))
}

struct People {
    touched: bool,
}

impl Room for People {
    fn name(&self) -> &'static str {
        NAME
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&[ACCOUNT, AUDIENCE])
    }
    fn schema(&self) -> &'static str {
        include_str!("schema.sql")
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        self.touched = true;
        if entry.kind == AUDIENCE { audience(view, entry) } else { account(view, entry) }
    }
    /// Damaged counts as unreadable: nobody sees the collection, the account may do nothing. What stood before it is over.
    fn fold_header(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        debug_assert!(entry.body.is_none());
        self.touched = true;
        if entry.kind == AUDIENCE { audience(view, entry) } else { account(view, entry) }
    }
    fn committed(&mut self, _position: u64) {
        if std::mem::take(&mut self.touched) {
            FOLDED.fetch_add(1, Ordering::AcqRel);
        }
    }
    fn reset(&mut self) {
        // Memory may hold what was undone.
        FOLDED.fetch_add(1, Ordering::AcqRel);
    }
}

fn unreadable(why: &str) -> FoldError {
    FoldError::Unreadable(why.into())
}

/// `node/epoch` without the epoch: a restored node goes on writing its collections.
fn node_of(origin: &str) -> &str {
    origin.split_once('/').map_or(origin, |(node, _)| node)
}

/// The newest audience holds even when it cannot be read: then nobody sees the collection, rather than whom the one
/// before named.
fn audience(view: &Connection, entry: &Entry) -> Result<(), FoldError> {
    if *entry.subject != *audience_subject(entry.collection) {
        return Err(unreadable("an audience must stand in its own collection"));
    }
    let node: Option<String> = view
        .prepare_cached("SELECT node FROM collections WHERE col = ? /* for all: the fold's own */")?
        .query_row([entry.col], |r| r.get(0))
        .optional()?;
    if node.is_some_and(|node| node != node_of(&entry.origin)) {
        return Err(unreadable("only the node that made a collection says who reads it"));
    }
    view.prepare_cached(
        "INSERT INTO collections(col, id, node, first, pos) VALUES (?1,?2,?3,?4,?4)
         ON CONFLICT(col) DO UPDATE SET pos = ?4",
    )?
    .execute((entry.col, entry.collection.to_string(), node_of(&entry.origin), signed(entry.pos)))?;
    let Some(body) = entry.body.as_deref() else { return Ok(()) };
    let body: AudienceBody = serde_json::from_str(body).map_err(|e| FoldError::shape(&e))?;
    if body.sort == Purpose::House {
        // The first is `eye init`'s, before anything else could be written; a later one changes nothing.
        view.prepare_cached("INSERT OR IGNORE INTO house(one, col) VALUES (1, ?)")?.execute([entry.col])?;
    }
    Ok(())
}

/// An account's newest entry holds; when it cannot be read the account may do nothing.
fn account(view: &Connection, entry: &Entry) -> Result<(), FoldError> {
    let house: Option<u32> = view
        .prepare_cached("SELECT col FROM house /* for all: the fold's own */")?
        .query_row([], |r| r.get(0))
        .optional()?;
    if house != Some(entry.col) {
        return Err(unreadable("accounts stand in the house collection alone"));
    }
    let number = entry.subject.strip_prefix("account:").and_then(|n| n.parse::<u32>().ok());
    let number = number.ok_or_else(|| unreadable("the subject is no account's"))?;
    if *entry.subject != *account_subject(number) {
        return Err(unreadable("the subject is no account's"));
    }
    let read = entry.body.as_deref().map(serde_json::from_str::<AccountBody>);
    let (role, disabled) = match &read {
        Some(Ok(body)) if body.account == number => (body.role.as_str(), body.disabled),
        _ => ("unknown", true),
    };
    view.prepare_cached(
        "INSERT INTO accounts(n, role, disabled, first, pos, rights) VALUES (?1,?2,?3,?4,?4,?4)
         ON CONFLICT(n) DO UPDATE SET pos = ?4,
           rights = CASE WHEN role = ?2 AND disabled = ?3 THEN rights ELSE ?4 END, role = ?2, disabled = ?3",
    )?
    .execute((number, role, disabled, signed(entry.pos)))?;
    match read {
        Some(Err(e)) => Err(FoldError::shape(&e)),
        Some(Ok(body)) if body.account != number => Err(unreadable("the body names another account")),
        _ => Ok(()),
    }
}

/// A collection's row.
pub(crate) struct CollectionRow {
    pub(crate) col: u32,
    pub(crate) id: CollectionId,
    pub(crate) node: String,
    pub(crate) first: u64,
    pub(crate) pos: u64,
}

/// An account's row.
pub(crate) struct AccountRow {
    pub(crate) number: u32,
    pub(crate) first: u64,
    pub(crate) pos: u64,
    pub(crate) rights: u64,
}

/// What moved after `pos`, for the hall's memory.
pub(crate) fn collections_after(conn: &Connection, pos: u64) -> rusqlite::Result<Vec<CollectionRow>> {
    let mut stmt =
        conn.prepare_cached(
        "SELECT col, id, node, first, pos FROM collections WHERE pos > ? ORDER BY pos /* for all: what `see` is made from */")?;
    let rows = stmt.query_map([signed(pos)], |r| {
        Ok(CollectionRow {
            col: r.get(0)?,
            id: r.get_ref(1)?.as_str()?.parse().map_err(|_| rusqlite::Error::InvalidQuery)?,
            node: r.get(2)?,
            first: unsigned(r.get(3)?),
            pos: unsigned(r.get(4)?),
        })
    })?;
    rows.collect()
}

/// As [`collections_after`], for accounts.
pub(crate) fn accounts_after(conn: &Connection, pos: u64) -> rusqlite::Result<Vec<AccountRow>> {
    let mut stmt = conn.prepare_cached(
        "SELECT n, first, pos, rights FROM accounts WHERE pos > ? ORDER BY pos /* for all: what `see` is made from */",
    )?;
    let rows = stmt.query_map([signed(pos)], |r| {
        Ok(AccountRow {
            number: r.get(0)?,
            first: unsigned(r.get(1)?),
            pos: unsigned(r.get(2)?),
            rights: unsigned(r.get(3)?),
        })
    })?;
    rows.collect()
}

/// The house's number.
pub(crate) fn house(conn: &Connection) -> rusqlite::Result<Option<u32>> {
    conn.prepare_cached("SELECT col FROM house /* for all: what `see` is made from */")?
        .query_row([], |r| r.get(0))
        .optional()
}

/// SQLite's integers are signed; no log reaches 2⁶³.
pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The way back.
pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
