//! Search over what the viewer sees: selectors first, words of any script, newest first, paged by `pos`.
use crate::rows::{COLUMNS, JOINS, ObjectRow, object_row, signed, unsigned};
use crate::view::{Words, row};
use crate::within::{Bounds, Narrow, newest_within, only_within};
use crate::{Intel, Result};
use people::Viewer;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::collections::BTreeSet;

/// Counting stops here: "more than 10,000".
const COUNT: usize = 10_000;
/// Words of a query that are read.
const MOST_WORDS: usize = 32;
/// Rows a page may have.
const MOST_ROWS: usize = 1_000;

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

/// A page of a search.
#[derive(Debug, Clone)]
pub struct Found {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// There is at least one older.
    pub more: bool,
    /// Of all that the viewer sees.
    pub total: Count,
    /// Reference lists that name what was searched for.
    pub listed: Vec<reference::Listing>,
}

impl Intel {
    /// Searches. Several words mean AND; `type:indicator` keeps one type; a selector finds its holders in any spelling.
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
        let asked = Query::read(query);
        let bounds = Bounds::of(self, viewer, narrow, &asked.types)?;
        let library = self.library();
        let mut listed: Vec<reference::Listing> =
            asked.selectors.iter().flat_map(|(kind, value)| library.listed(kind.as_str(), value)).collect();
        listed.dedup_by(|a, b| a.list == b.list);
        let before = before.map_or(i64::MAX, signed);
        let (rows, more, total) = self.read(viewer, |conn| {
            let mut positions = self.matching(conn, viewer, &asked, &bounds, before, limit + 1)?;
            let more = positions.len() > limit;
            positions.truncate(limit);
            let total = if before == i64::MAX && !more {
                Count::Exactly(positions.len())
            } else {
                let n = self.matching(conn, viewer, &asked, &bounds, i64::MAX, COUNT + 1)?.len();
                if n > COUNT { Count::MoreThan(COUNT) } else { Count::Exactly(n) }
            };
            let rows = positions
                .iter()
                .filter_map(|p| current_row(conn, *p).transpose())
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((rows, more, total))
        })?;
        Ok(Found { hits: self.named(rows)?, more, total, listed })
    }

    /// The newest objects that the viewer sees.
    ///
    /// # Errors
    /// The storage's.
    pub fn latest(&self, viewer: &Viewer, before: Option<u64>, limit: usize) -> Result<Vec<Hit>> {
        let before = before.map_or(i64::MAX, signed);
        let rows = self.read(viewer, |conn| {
            let mut positions = Vec::new();
            for col in viewer.set().iter() {
                let mut stmt = conn.prepare_cached(
                    "SELECT v.pos FROM versions v WHERE v.col = ?1 AND see(v.col) AND v.pos < ?2 AND v.state & 13 = 1 ORDER BY v.pos DESC LIMIT ?3",
                )?;
                let rows = stmt.query_map((col, before, limit as i64), |r| r.get::<_, i64>(0))?;
                positions.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            positions.sort_unstable_by(|a, b| b.cmp(a));
            positions.truncate(limit);
            positions.iter().filter_map(|p| current_row(conn, *p).transpose()).collect()
        })?;
        self.named(rows)
    }

    fn matching(
        &self,
        conn: &Connection,
        viewer: &Viewer,
        asked: &Query,
        bounds: &Bounds,
        before: i64,
        limit: usize,
    ) -> rusqlite::Result<Vec<i64>> {
        if asked.is_blank() {
            return if bounds.any() { newest_within(conn, viewer, bounds, before, limit) } else { Ok(Vec::new()) };
        }
        let mut found = BTreeSet::new();
        if let Some(id) = &asked.id
            && let Some(obj) = self.object_number(conn, id)?
        {
            let mut stmt = conn
                .prepare_cached("SELECT pos FROM versions WHERE obj = ? AND see(col) AND state & 13 = 1 AND pos < ?")?;
            found.extend(stmt.query_map((obj, before), |r| r.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?);
        }
        for (kind, value) in &asked.selectors {
            let Some(sel) = self.selector_number(conn, *kind, value)? else { continue };
            let mut stmt = conn.prepare_cached(
                "SELECT pos FROM holders WHERE sel = ? AND see(col) AND pos < ? ORDER BY pos DESC LIMIT ?",
            )?;
            found.extend(
                stmt.query_map((sel, before, limit as i64), |r| r.get::<_, i64>(0))?
                    .collect::<rusqlite::Result<Vec<_>>>()?,
            );
        }
        if let Some(words) = &asked.words {
            let mut stmt = conn.prepare_cached(
                "SELECT rowid FROM texts WHERE texts MATCH ?1 AND rowid < ?2 AND see_row(rowid) ORDER BY rowid DESC LIMIT ?3",
            )?;
            let most = if bounds.any() { COUNT } else { limit };
            found.extend(
                stmt.query_map((words, before, most as i64), |r| r.get::<_, i64>(0))?
                    .collect::<rusqlite::Result<Vec<_>>>()?,
            );
        }
        let mut out: Vec<i64> = found.into_iter().rev().collect();
        if bounds.any() {
            out = only_within(conn, out, bounds, limit)?;
        }
        out.truncate(limit);
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
            "SELECT s.sel FROM selector_rows r JOIN selectors s ON s.sel = r.sel WHERE r.h = ? AND s.kind = ? AND s.value = ? /* for all: a dictionary */",
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

pub(crate) struct Query {
    id: Option<String>,
    selectors: Vec<(selectors::Kind, String)>,
    pub(crate) words: Option<String>,
    types: Vec<String>,
}

impl Query {
    /// Whether nothing but bounds is asked.
    fn is_blank(&self) -> bool {
        self.id.is_none() && self.selectors.is_empty() && self.words.is_none()
    }

    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim();
        let mut types = Vec::new();
        let mut words = Vec::new();
        for word in text.split_whitespace().take(MOST_WORDS) {
            match word.strip_prefix("type:") {
                Some(kind) if !kind.is_empty() => types.push(kind.to_owned()),
                _ => words.push(word),
            }
        }
        let rest = words.join(" ");
        let id = stix::StixId::parse(&rest).ok().map(|id| id.as_str().to_owned());
        Self { id, selectors: selectors::parse_query(&rest), words: match_text(&words), types }
    }
}

/// FTS5's query: every word a phrase in quotes, all of them wanted. Nothing a person types is syntax.
fn match_text(words: &[&str]) -> Option<String> {
    let cut = Words::default();
    let mut out = String::new();
    for word in words {
        let mut spaced = String::new();
        cut.spaced(word, &mut spaced);
        if !spaced.chars().any(char::is_alphanumeric) {
            continue;
        }
        if !out.is_empty() {
            out.push_str(" AND ");
        }
        out.push('"');
        // FTS5 reads its query as a C string: a NUL would end it within the quotes.
        out.push_str(&spaced.replace(['"', '\0'], " "));
        out.push('"');
    }
    (!out.is_empty()).then_some(out)
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
