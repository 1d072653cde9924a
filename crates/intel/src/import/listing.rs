//! The imports that a viewer sees, and how much of what each brought was withdrawn.
use crate::entry::Imported;
use crate::rows::{signed, unsigned};
use crate::{Intel, Result};
use people::Viewer;
use rusqlite::Connection;

/// Withdrawn versions that one list counts, for all its rows together, newest first: a hundred nanoseconds each.
const COUNTED: u64 = 200_000;

/// An import as the view has it.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// Its number.
    pub pos: u64,
    /// Its collection's small number.
    pub col: u32,
    /// What was read.
    pub source: String,
    /// As what.
    pub format: String,
    /// By whom.
    pub author: u32,
    /// When, µs.
    pub arrived: i64,
    /// Its end, once it has one.
    pub done: Option<Imported>,
    /// Versions that it brought and that were withdrawn, of those that the viewer could see, as far as the list counts.
    pub withdrawn: u64,
    /// There are more than were counted.
    pub withdrawn_more: bool,
}

impl ImportRow {
    /// Whether all that was new with it was withdrawn, as far as they were counted.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        !self.withdrawn_more && self.withdrawn > 0 && self.done.as_ref().is_some_and(|d| d.added <= self.withdrawn)
    }
}

impl Intel {
    /// The imports that the viewer sees, newest first.
    ///
    /// # Errors
    /// The storage's.
    pub fn imports(&self, viewer: &Viewer, before: Option<u64>, limit: usize) -> Result<Vec<ImportRow>> {
        let before = before.map_or(i64::MAX, signed);
        self.read(viewer, |conn| {
            let mut stmt = conn.prepare_cached(
                "SELECT pos, col, source, format, author, arrived, summary FROM imports WHERE see(col) AND pos < ? \
                 ORDER BY pos DESC LIMIT ?",
            )?;
            let rows = stmt.query_map((before, limit as i64), |r| {
                let summary: Option<String> = r.get(6)?;
                Ok(ImportRow {
                    pos: unsigned(r.get(0)?),
                    col: r.get(1)?,
                    source: r.get(2)?,
                    format: r.get(3)?,
                    author: r.get(4)?,
                    arrived: r.get(5)?,
                    done: summary.and_then(|s| serde_json::from_str(&s).ok()),
                    withdrawn: 0,
                    withdrawn_more: false,
                })
            })?;
            let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut left = COUNTED;
            for row in &mut rows {
                let withdrawn = withdrawn(conn, viewer, row.pos, left + 1)?;
                (row.withdrawn, row.withdrawn_more) = (withdrawn.min(left), withdrawn > left);
                left -= row.withdrawn;
            }
            Ok(rows)
        })
    }
}

/// How many versions that an import brought were withdrawn, of those that the viewer could see; `most` at most.
fn withdrawn(conn: &Connection, viewer: &Viewer, import: u64, most: u64) -> rusqlite::Result<u64> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM withdrawals INDEXED BY withdrawals_of_import \
         WHERE cause = ?1 AND col BETWEEN ?2 AND ?3 AND see(col) LIMIT ?4)",
    )?;
    let mut found = 0;
    for (first, last) in viewer.set().runs() {
        let left = signed(most.saturating_sub(found));
        found += unsigned(stmt.query_row((signed(import), first, last, left), |r| r.get::<_, i64>(0))?);
    }
    Ok(found)
}
