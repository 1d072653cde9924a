//! Search over what the viewer sees: selectors first, words of any script, newest first, paged by `pos`.
//!
//! A collection's full-text rows stand in windows, and a search reads windows of the viewer's own for a fixed number of
//! steps (`walk.rs`); then it answers with what is certain and says from where to go on. No clock and nothing hidden
//! moves an answer. What is left to tell by time is that a hidden word stands somewhere: its list is opened in each window.
mod ask;
mod held;
mod once;
mod walk;

use crate::rows::{COLUMNS, JOINS, ObjectRow, object_row, signed, unsigned};
use crate::view::row;
use crate::within::{Bounds, Narrow, only_within};
use crate::{Intel, Result};
pub(crate) use ask::{Query, Words};
use held::objects_of;
pub(crate) use held::{cols_of_object, cols_of_selector, cols_referring_to, count_to};
use people::Viewer;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use walk::Plan;
pub(crate) use walk::{Aim, Met};

/// Counting stops here: "more than 2,000".
const COUNT: usize = 2_000;
/// Rows a page may have.
const MOST_ROWS: usize = 1_000;
/// Holders that are looked at for one page when bounds may throw them away again.
const MOST_BOUNDED: usize = 200;
/// Holders of a selector that bounds may throw away before a page ends early.
const MOST_LOOKED: usize = 4_000;
/// Steps to find a page, and then to count; about a microsecond each.
const TO_FIND: i64 = 16_000;
const TO_COUNT: i64 = 4_000;

/// An object with a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The row.
    pub row: ObjectRow,
    /// Its name, value, or the beginning of its text.
    pub name: String,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(usize),
    /// More than so many.
    MoreThan(usize),
}

impl Count {
    /// When so many are shown already: counting may stop before finding does.
    fn at_least(self, shown: usize) -> Self {
        match self {
            Self::Exactly(n) => Self::Exactly(n.max(shown)),
            Self::MoreThan(n) => Self::MoreThan(n.max(shown)),
        }
    }
}

impl Default for Count {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

/// A page of a search.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// There is at least one older, or the steps were spent before everything was read.
    pub more: bool,
    /// What to ask with as `before` for the next page.
    pub next: Option<u64>,
    /// The steps were spent: this page may be short or empty and there may still be more.
    pub broken_off: bool,
    /// Words beyond the first sixteen, which were not looked for.
    pub ignored: usize,
    /// Of all that the viewer sees.
    pub total: Count,
    /// Reference lists that name what was searched for.
    pub listed: Vec<reference::Listing>,
    /// Types that were asked for and of which the viewer sees nothing, whether others do or nobody: nothing was looked for
    /// when these are all.
    pub unknown_types: Vec<String>,
}

/// One search: what is asked, within which bounds, by whom, and where it is read. It stands behind the barrier.
#[derive(Clone, Copy)]
struct Asking<'a> {
    conn: &'a Connection,
    viewer: &'a Viewer,
    asked: &'a Query,
    bounds: &'a Bounds,
}

impl Intel {
    /// Searches. Several words mean AND, words in quotes stand side by side; `type:indicator` keeps one type; a selector
    /// finds its holders in any spelling. Words are matched whole, in scripts without spaces by any two characters.
    ///
    /// # Errors
    /// The storage's.
    pub fn search(&self, viewer: &Viewer, query: &str, before: Option<u64>, limit: usize) -> Result<Found> {
        self.search_within(viewer, query, &Narrow::default(), before, limit)
    }

    /// [`Intel::search`] within bounds; bounds without words find what arrived last within them.
    ///
    /// # Errors
    /// The storage's; [`crate::Error::NotFound`] for a collection that the viewer does not see.
    pub fn search_within(
        &self,
        viewer: &Viewer,
        query: &str,
        narrow: &Narrow,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Found> {
        let limit = limit.clamp(1, MOST_ROWS);
        let mut asked = Query::read(query, self.inner.country.as_deref());
        asked.types.extend(narrow.types.iter().map(|t| t.to_ascii_lowercase()));
        let unknown_types = self.unknown(viewer, &mut asked.types)?;
        let bounds = Bounds::of(self, viewer, narrow, &asked.types)?;
        let library = self.library();
        let mut listed: Vec<reference::Listing> =
            asked.selectors.iter().flat_map(|(kind, value)| library.listed(kind.as_str(), value)).collect();
        listed.dedup_by(|a, b| a.list == b.list);
        if asked.types.is_empty() && !unknown_types.is_empty() {
            return Ok(Found { listed, unknown_types, ignored: asked.ignored, ..Found::default() });
        }
        let upper = before.map_or(i64::MAX, signed);
        let (rows, page, total) = self.read(viewer, |conn| {
            let asking = Asking { conn, viewer, asked: &asked, bounds: &bounds };
            let mut page = self.page_once(&asking, upper, limit)?;
            let total = match before {
                None if !page.more => Count::Exactly(page.positions.len()),
                _ if page.broken_off => Count::MoreThan(page.positions.len().min(COUNT)),
                _ => self.count_of(&asking)?.at_least(page.positions.len()),
            };
            let rows = page
                .positions
                .drain(..)
                .filter_map(|met| current_row(conn, met.pos).transpose())
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((rows, page, total))
        })?;
        let hits = self.named(rows)?;
        let next = page.more.then(|| unsigned(page.next));
        let Page { more, broken_off, .. } = page;
        Ok(Found { hits, more, next, broken_off, ignored: asked.ignored, total, listed, unknown_types })
    }

    /// Takes out of `types` those of which the viewer sees nothing.
    fn unknown(&self, viewer: &Viewer, types: &mut Vec<String>) -> Result<Vec<String>> {
        if types.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.types(viewer)?;
        let (known, unknown) = std::mem::take(types).into_iter().partition(|name| held.contains_key(name));
        *types = known;
        Ok(unknown)
    }

    /// The newest objects that the viewer sees.
    ///
    /// # Errors
    /// The storage's.
    pub fn latest(&self, viewer: &Viewer, before: Option<u64>, limit: usize) -> Result<Vec<Hit>> {
        self.named(self.latest_rows(viewer, None, before, limit)?.0)
    }

    /// [`Intel::latest`] without names, of one collection or of all, and what to ask with as `before` for the next.
    pub(crate) fn latest_rows(
        &self,
        viewer: &Viewer,
        col: Option<u32>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<ObjectRow>, Option<u64>)> {
        let before = before.map_or(i64::MAX, signed);
        self.read(viewer, |conn| {
            // Planned behind the barrier, or what was just written would be missing.
            let ranges = self.ranges(viewer, &Bounds::of_collection(col), before);
            let walked = walk::walk(conn, &Aim { words: None, tlp: None }, ranges, limit, TO_FIND)?;
            let next = match walked.positions.last() {
                Some(last) if walked.positions.len() == limit => Some(last.pos),
                _ => (walked.down_to > 0).then_some(walked.down_to + 1),
            };
            let rows = walked.positions.iter().filter_map(|met| current_row(conn, met.pos).transpose());
            Ok((rows.collect::<rusqlite::Result<_>>()?, next.map(unsigned)))
        })
    }

    /// The newest `limit` of what is asked for, and whether there may be more.
    fn page_of(&self, asking: &Asking<'_>, before: i64, limit: usize) -> rusqlite::Result<Page> {
        let Asking { conn, viewer, asked, bounds } = *asking;
        if asked.is_blank() && !bounds.any() {
            return Ok(Page::of(Vec::new(), 0, limit, false));
        }
        let mut found = BTreeSet::new();
        let (mut down_to, mut broken_off) = (0, false);
        if let Some(id) = &asked.id
            && let Some(obj) = self.object_number(conn, id)?
        {
            let mut stmt = conn.prepare_cached(
                "SELECT pos FROM versions WHERE obj = ? AND see(col) AND state & 13 = 1 AND pos < ? ORDER BY pos DESC",
            )?;
            let rows = stmt.query_map((obj, before), |r| Ok(Met { pos: r.get(0)?, obj }))?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            found.extend(only_within(conn, rows, bounds, limit + 1)?);
        }
        // What bounds may throw away again is read from a larger share.
        let most = if bounds.any() { limit.max(MOST_BOUNDED) } else { limit + 1 };
        for (kind, value) in &asked.selectors {
            let Some(sel) = self.selector_number(conn, *kind, value)? else { continue };
            let (mut upper, mut kept, mut looked) = (before, 0, 0);
            loop {
                let holders = self.newest_holders(asking, sel, upper, most)?;
                let last = holders.last().map(|met| met.pos).filter(|_| holders.len() == most);
                looked += holders.len();
                let within = only_within(conn, holders, bounds, limit + 1)?;
                kept += within.len();
                found.extend(within);
                let Some(last) = last else { break };
                let spent = looked >= MOST_LOOKED;
                if !bounds.any() || kept > limit || spent {
                    down_to = down_to.max(last - 1);
                    broken_off |= spent && kept <= limit;
                    break;
                }
                upper = last;
            }
        }
        if asked.is_blank() || !asked.phrases.is_empty() {
            let words = Words::new(&asked.phrases, bounds.types());
            let ranges = self.ranges(viewer, bounds, before);
            let walked = walk::walk(conn, &bounds.aim(words.as_ref()), ranges, limit + 1, TO_FIND)?;
            broken_off |= walked.broken_off;
            down_to = down_to.max(walked.down_to);
            if walked.positions.len() == limit + 1 {
                down_to = down_to.max(walked.positions.last().map_or(0, |met| met.pos) - 1);
            }
            found.extend(walked.positions);
        }
        let positions: Vec<Met> = found.into_iter().rev().take_while(|met| met.pos > down_to).collect();
        Ok(Page::of(positions, down_to, limit, broken_off))
    }

    /// The runs within bounds of what the viewer sees, newest first.
    fn ranges(&self, viewer: &Viewer, bounds: &Bounds, before: i64) -> Plan {
        let cols = self.inner.spread.of(viewer.set().iter().filter(|col| bounds.reads(*col)));
        walk::plan(viewer.set(), &cols, bounds.from, before.min(bounds.before))
    }

    /// How many there are: exact when they are few and all were read, else "more than".
    fn count_of(&self, asking: &Asking<'_>) -> rusqlite::Result<Count> {
        let Asking { conn, viewer, asked, bounds } = *asking;
        // What bounds leave of a selector's holders is not known without reading each.
        let (mut met, mut all) = (HashSet::new(), !bounds.any() || asked.selectors.is_empty());
        for (kind, value) in &asked.selectors {
            let Some(sel) = self.selector_number(conn, *kind, value)?.filter(|_| !bounds.any()) else { continue };
            let (objects, whole) = objects_of(conn, viewer, sel, COUNT)?;
            all &= whole;
            met.extend(objects);
        }
        if asked.is_blank() || !asked.phrases.is_empty() {
            let words = Words::new(&asked.phrases, bounds.types());
            let ranges = self.ranges(viewer, bounds, i64::MAX);
            let (objects, whole) = walk::count(conn, &bounds.aim(words.as_ref()), ranges, COUNT, TO_COUNT)?;
            all &= whole;
            met.extend(objects);
        }
        Ok(if all && met.len() <= COUNT { Count::Exactly(met.len()) } else { Count::MoreThan(met.len().min(COUNT)) })
    }

    /// The newest holders of a selector, newest first.
    fn newest_holders(&self, asking: &Asking<'_>, sel: i64, before: i64, most: usize) -> rusqlite::Result<Vec<Met>> {
        let Asking { conn, viewer, bounds, .. } = *asking;
        let mut stmt = conn.prepare_cached(
            "SELECT pos, obj FROM holders WHERE sel = ? AND col = ? AND see(col) AND pos < ? ORDER BY pos DESC LIMIT ?",
        )?;
        let holding = cols_of_selector(conn, viewer, sel)?;
        let mut cols = self.inner.spread.of(holding.into_iter().filter(|col| bounds.reads(*col)));
        cols.sort_unstable_by_key(|(_, newest)| std::cmp::Reverse(*newest));
        let mut out: Vec<Met> = Vec::new();
        for (col, newest) in cols {
            if most.checked_sub(1).and_then(|at| out.get(at)).is_some_and(|met| met.pos > newest) {
                break;
            }
            let met = |r: &rusqlite::Row<'_>| Ok(Met { pos: r.get(0)?, obj: r.get(1)? });
            let rows = stmt.query_map((sel, col, before, most as i64), met)?;
            out.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            out.sort_unstable_by(|a, b| b.cmp(a));
            out.truncate(most);
        }
        Ok(out)
    }

    /// The dense number of a selector.
    pub(crate) fn selector_number(
        &self,
        conn: &Connection,
        kind: selectors::Kind,
        value: &str,
    ) -> rusqlite::Result<Option<i64>> {
        let h = row(self.inner.keys.row(), "selector", kind.code(), value);
        conn.prepare_cached(
            "SELECT sel FROM selectors WHERE sel IN (SELECT n FROM selector_rows WHERE h = ?1 UNION ALL SELECT n FROM selector_rows_new WHERE h = ?1) \
             AND kind = ?2 AND value = ?3 /* for all: a dictionary */",
        )?
        .query_row((h, kind.code(), value), |r| r.get(0))
        .optional()
    }

    /// Rows with names for people, out of their bodies.
    pub(crate) fn named(&self, rows: Vec<ObjectRow>) -> Result<Vec<Hit>> {
        let mut names = std::collections::HashMap::new();
        self.bodies(&rows, &mut |row, body| {
            names.insert(row.pos, serde_json::from_str(body).map(|v| name_of(&v)).unwrap_or_default());
        })?;
        let hit = |row: ObjectRow| Some(Hit { name: names.remove(&row.pos)?, row });
        Ok(rows.into_iter().filter_map(hit).collect())
    }
}

/// The row of a position that the viewer sees; tried in each of the viewer's collections by `see_row`.
pub(crate) fn current_row(conn: &Connection, pos: i64) -> rusqlite::Result<Option<ObjectRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM versions v {JOINS} WHERE v.col = col_of(?1) AND v.pos = ?1 AND see(v.col)");
    let found = conn.prepare_cached(&sql)?.query_row([pos], object_row).optional()?;
    Ok(found.filter(|r| unsigned(pos) == r.pos))
}

/// A page before its rows are read.
struct Page {
    positions: Vec<Met>,
    more: bool,
    next: i64,
    broken_off: bool,
}

impl Page {
    fn of(mut positions: Vec<Met>, down_to: i64, limit: usize, broken_off: bool) -> Self {
        let full = positions.len() > limit;
        positions.truncate(limit);
        let next = if full { positions.last().map_or(0, |met| met.pos) } else { down_to + 1 };
        Self { positions, more: full || down_to > 0, next, broken_off: broken_off && !full }
    }
}

/// A name for people: `name`, `value`, the beginning of the text, or what a relationship says.
pub fn name_of(object: &Value) -> String {
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
    for key in
        ["name", "value", "iban", "account_number", "account_login", "user_id", "display_name", "path", "subject"]
    {
        if let Some(found) = text(key) {
            return short(found);
        }
    }
    if let Some(kind) = text("relationship_type") {
        return kind.replace('-', " ");
    }
    ["abstract", "content", "text", "description", "pattern", "definition_type"]
        .into_iter()
        .find_map(text)
        .map(short)
        .unwrap_or_default()
}

fn short(text: &str) -> String {
    let mut out: String = text.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(120).is_some() {
        out.push('…');
    }
    out
}
