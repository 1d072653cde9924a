//! An object that stands in several collections is one hit: at the newest of its rows that match.
use super::ask::Words;
use super::{Asking, Page, cols_of_object, current_row};
use crate::rows::{ObjectRow, newest_versions, object_row, signed};
use crate::view::{WINDOW_OF, text_row};
use crate::{Intel, Result};
use people::Viewer;
use rusqlite::OptionalExtension;
use std::collections::{HashMap, HashSet};

/// How often a page is filled up with older hits for those that stand on it, or stood before it, already.
const ROUNDS: usize = 4;
/// Other collections that are named for one object.
const ELSEWHERE: usize = 20;
/// The last version that stands of an object in a collection, in one step however many versions it has.
const LAST_IN: &str = "SELECT pos FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ? AND see(col) \
    AND (state & 12) = 0 ORDER BY version DESC, pos DESC LIMIT 1";

impl Intel {
    /// The newest `limit` objects of what is asked for, each once over all pages, and whether there may be more.
    pub(super) fn page_once(&self, asking: &Asking<'_>, before: i64, limit: usize) -> rusqlite::Result<Page> {
        let (mut met, mut kept, mut upper) = (HashSet::new(), Vec::new(), before);
        let mut round = 1;
        loop {
            let mut page = self.page_of(asking, upper, limit - kept.len())?;
            for row in std::mem::take(&mut page.positions) {
                if met.insert(row.obj) && !self.was_before(asking, before, row.obj)? {
                    kept.push(row);
                }
            }
            if kept.len() >= limit || !page.more || page.broken_off || round == ROUNDS {
                page.positions = kept;
                return Ok(page);
            }
            (upper, round) = (page.next, round + 1);
        }
    }

    /// Whether a page before this one had the object: one of its rows from `before` on matches.
    fn was_before(&self, asking: &Asking<'_>, before: i64, obj: i64) -> rusqlite::Result<bool> {
        let Asking { conn, viewer, .. } = *asking;
        if before == i64::MAX {
            return Ok(false);
        }
        let mut last = conn.prepare_cached(LAST_IN)?;
        for col in cols_of_object(conn, viewer, obj)? {
            let pos: Option<i64> = last.query_row((obj, col), |r| r.get(0)).optional()?;
            if let Some(pos) = pos.filter(|pos| *pos >= before)
                && let Some(row) = current_row(conn, pos)?
                && self.matches(asking, &row, obj)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a row is what is asked for; looks no further than its own window.
    fn matches(&self, asking: &Asking<'_>, row: &ObjectRow, obj: i64) -> rusqlite::Result<bool> {
        let Asking { conn, asked, bounds, .. } = *asking;
        if bounds.any() && !bounds.hold(row) {
            return Ok(false);
        }
        if asked.is_blank() {
            return Ok(true);
        }
        if let Some(id) = &asked.id
            && self.object_number(conn, id)? == Some(obj)
        {
            return Ok(true);
        }
        let (col, pos) = (row.col, signed(row.pos));
        let mut holds =
            conn.prepare_cached("SELECT 1 FROM holders WHERE sel = ? AND col = ? AND pos = ? AND see(col)")?;
        for (kind, value) in &asked.selectors {
            if let Some(sel) = self.selector_number(conn, *kind, value)?
                && holds.exists((sel, col, pos))?
            {
                return Ok(true);
            }
        }
        let Some(words) = Words::new(&asked.phrases, bounds.types()).filter(|_| !asked.phrases.is_empty()) else {
            return Ok(false);
        };
        let first: Option<i64> =
            conn.prepare_cached(WINDOW_OF)?.query_row((col, false, pos), |r| r.get(0)).optional()?;
        let Some(first) = first else { return Ok(false) };
        let mut says =
            conn.prepare_cached("SELECT 1 FROM texts t WHERE texts MATCH ?1 AND t.rowid = ?2 AND see(t.rowid >> 36)")?;
        says.exists((words.within(first, false), text_row(col, pos)))
    }

    /// Where else the objects of these rows stand: of each, by its position, the last versions in others of the viewer's
    /// collections, newest first, at most twenty.
    ///
    /// # Errors
    /// The storage's.
    pub fn elsewhere<'a>(
        &self,
        viewer: &Viewer,
        rows: impl IntoIterator<Item = &'a ObjectRow>,
    ) -> Result<HashMap<u64, Vec<ObjectRow>>> {
        let newest = newest_versions();
        self.read(viewer, |conn| {
            let mut number = conn.prepare_cached("SELECT obj FROM versions WHERE col = ? AND pos = ? AND see(col)")?;
            let mut last = conn.prepare_cached(&newest)?;
            let mut out: HashMap<u64, Vec<ObjectRow>> = HashMap::new();
            for row in rows {
                let obj: Option<i64> = number.query_row((row.col, signed(row.pos)), |r| r.get(0)).optional()?;
                let Some(obj) = obj else { continue };
                let mut others: Vec<ObjectRow> = Vec::new();
                for col in cols_of_object(conn, viewer, obj)?.into_iter().filter(|col| *col != row.col) {
                    others.extend(last.query_row((obj, col, i64::MAX, 1), object_row).optional()?);
                }
                others.sort_by_key(|r| std::cmp::Reverse(r.pos));
                others.truncate(ELSEWHERE);
                if !others.is_empty() {
                    out.insert(row.pos, others);
                }
            }
            Ok(out)
        })
    }
}
