//! The filter that every query of every view carries: `WHERE see(col)`, or `see_row(rowid)` where full text knows
//! only rows. Who asks is set around the query by [`with`]; outside of it nothing is visible.
//!
//! ```
//! let conn = rusqlite::Connection::open_in_memory()?;
//! people::see::register(&conn)?;
//! let seen: bool = conn.query_row("SELECT see(1)", [], |r| r.get(0))?;
//! assert!(!seen, "nobody asks, so nothing is seen");
//! # Ok::<(), rusqlite::Error>(())
//! ```
use crate::{Viewer, VisibleSet};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

thread_local! {
    static ASKING: RefCell<Option<VisibleSet>> = const { RefCell::new(None) };
}

/// Puts back what was asked with before, also when the query unwinds.
struct Before(Option<VisibleSet>);
impl Drop for Before {
    fn drop(&mut self) {
        let before = self.0.take();
        ASKING.with(|asking| *asking.borrow_mut() = before);
    }
}

/// Runs `f`; every `see` on this thread inside it answers for `viewer`. It nests: the innermost counts.
pub fn with<T>(viewer: &Viewer, f: impl FnOnce() -> T) -> T {
    with_set(viewer.set(), f)
}

/// As [`with`], for a set of collections narrower than a Viewer's: one collection of a TAXII request, for instance.
pub fn with_set<T>(set: &VisibleSet, f: impl FnOnce() -> T) -> T {
    let _before = Before(ASKING.with(|asking| asking.borrow_mut().replace(set.clone())));
    f()
}

/// Whether whoever asks on this thread now sees the collection.
#[inline]
pub fn sees(col: u32) -> bool {
    ASKING.with(|asking| asking.borrow().as_ref().is_some_and(|set| set.has(col)))
}

/// Not `DIRECTONLY` would let a schema call it; its answer is fixed for the time of one statement.
const FLAGS: FunctionFlags =
    FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC).union(FunctionFlags::SQLITE_DIRECTONLY);

/// The first argument, unless it is no number that a collection or a row could have.
fn number<N: TryFrom<i64>>(ctx: &Context<'_>) -> Option<N> {
    match ctx.get_raw(0) {
        ValueRef::Integer(n) => N::try_from(n).ok(),
        _ => None,
    }
}

/// Registers `see(col)` on a connection: call it in a room's `prepare`.
///
/// # Errors
/// SQLite's.
pub fn register(conn: &Connection) -> rusqlite::Result<()> {
    conn.create_scalar_function("see", 1, FLAGS, |ctx| Ok(number(ctx).is_some_and(sees)))
}

/// Registers `see_row(rowid)`: whoever asks sees the collection of the entry at this `pos`.
///
/// # Errors
/// SQLite's.
pub fn register_rows(conn: &Connection, rows: Arc<RowCols>) -> rusqlite::Result<()> {
    conn.create_scalar_function("see_row", 1, FLAGS, move |ctx| {
        Ok(number(ctx).and_then(|pos| rows.get(pos)).is_some_and(sees))
    })
}

/// Rows of one chunk: 256 KB of memory each.
const CHUNK: u64 = 65_536;
/// Chunks at most: 268 million rows; rows beyond are never visible.
const CHUNKS: usize = 4_096;

/// The collection of each row by its `pos`, four bytes a row. One fold writes, any thread reads; no lock.
///
/// ```
/// let rows = people::see::RowCols::default();
/// rows.set(70_000, Some(4));
/// assert_eq!((rows.get(70_000), rows.get(1)), (Some(4), None));
/// ```
pub struct RowCols {
    /// Each number is the collection's plus one; 0 says that the row is not there.
    chunks: Box<[OnceLock<Box<[AtomicU32]>>]>,
}

impl Default for RowCols {
    fn default() -> Self {
        Self { chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect() }
    }
}

impl std::fmt::Debug for RowCols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowCols").field("chunks", &self.chunks.iter().filter(|c| c.get().is_some()).count()).finish()
    }
}

impl RowCols {
    /// The collection of the row at `pos`, if it is there.
    #[inline]
    pub fn get(&self, pos: u64) -> Option<u32> {
        let chunk = self.chunks.get(usize::try_from(pos / CHUNK).ok()?)?.get()?;
        chunk.get((pos % CHUNK) as usize)?.load(Ordering::Acquire).checked_sub(1)
    }

    /// Says in which collection the row at `pos` stands, or that it is gone.
    pub fn set(&self, pos: u64, col: Option<u32>) {
        let Some(chunk) = usize::try_from(pos / CHUNK).ok().and_then(|at| self.chunks.get(at)) else { return };
        if col.is_none() && chunk.get().is_none() {
            return;
        }
        let rows = chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU32::new(0)).collect());
        if let Some(row) = rows.get((pos % CHUNK) as usize) {
            row.store(col.and_then(|c| c.checked_add(1)).unwrap_or(0), Ordering::Release);
        }
    }

    /// Takes many rows, at start from a view's table.
    pub fn fill(&self, rows: impl IntoIterator<Item = (u64, u32)>) {
        rows.into_iter().for_each(|(pos, col)| self.set(pos, Some(col)));
    }

    /// Forgets every row, for a fold that begins anew.
    pub fn clear(&self) {
        for row in self.chunks.iter().filter_map(OnceLock::get).flatten() {
            row.store(0, Ordering::Release);
        }
    }
}

/// What a query says in a comment when everybody may see its rows (dictionaries, positions): `/* for all: why */`.
const FOR_ALL: &str = "/* for all:";

/// The queries in a Rust source or SQL file that read a table and filter with neither `see(` nor `see_row(`: for the
/// test of each room that reads its own `view.rs`. A query for everybody says so, and why, in a comment.
///
/// ```
/// let source = r#"let sql = "SELECT pos FROM objects WHERE kind = ?";
///                 let fine = "SELECT pos FROM objects WHERE see(col)";
///                 let too = "SELECT n FROM words /* for all: numbers of words tell nothing */";"#;
/// let found = people::see::unguarded(source);
/// assert_eq!(found, ["SELECT pos FROM objects WHERE kind = ?"]);
/// ```
pub fn unguarded(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("SELECT") {
        let tail = rest.get(at..).unwrap_or("");
        // To the end of the literal: a query that is pasted together must be guarded in each piece, or say why not.
        let query = tail.split('"').next().unwrap_or("");
        let guarded = query.contains("see(") || query.contains("see_row(") || query.contains(FOR_ALL);
        if query.contains("FROM") && !guarded {
            found.push(query.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        rest = tail.get(query.len()..).unwrap_or("");
    }
    found
}
