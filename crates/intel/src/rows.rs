//! Reading objects: one row form, pages in the log's order, versions, bodies byte for byte.
use crate::search::cols_of_object;
use crate::view::{row, state};
use crate::{Error, Intel, Result};
use ledger::CollectionId;
use people::Viewer;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use std::cmp::Reverse;
use std::collections::HashMap;

/// One version of an object in one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its entry; never leaves the node.
    pub pos: u64,
    /// Its collection's small number; never leaves the node.
    pub col: u32,
    /// The object's id.
    pub id: String,
    /// The object's type.
    pub object_type: String,
    /// µs; for what has no version, its arrival.
    pub version: i64,
    /// When it arrived, µs: TAXII's `date_added`.
    pub arrived: i64,
    /// It is STIX 2.0.
    pub spec_20: bool,
    /// Its effective TLP.
    pub tlp: stix::Tlp,
    /// See [`crate::view::state`].
    pub state: i64,
    /// Who wrote it: an account's number.
    pub author: u32,
    /// The import that brought it.
    pub cause: Option<u64>,
}

/// Which versions of an object; the default is the newest one anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Of this collection alone, by its small number.
    pub col: Option<u32>,
    /// Only those whose entry stands before this one in the log.
    pub entered_before: Option<u64>,
    /// So many of the newest are passed by; at most 100,000.
    pub from: usize,
    /// At most so many.
    pub limit: usize,
}

impl Default for Versions {
    fn default() -> Self {
        Self { col: None, entered_before: None, from: 0, limit: 1 }
    }
}

/// Rows that a page passes by at most.
pub(crate) const DEEPEST: usize = 100_000;

/// A version that stands, and what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The entry of the version before it in its collection as far as the view has come, and whether that one stands.
    pub earlier: Option<(u64, bool)>,
}

/// A version that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its entry.
    pub pos: u64,
    /// Its collection's small number.
    pub col: u32,
    /// Its object's id.
    pub id: &'a str,
}

/// TAXII's filters (TAXII 2.1 §3.4.1): within a field OR, across fields AND.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// Ids; empty = any.
    pub ids: Vec<String>,
    /// Types; empty = any.
    pub types: Vec<String>,
    /// `2.0`, `2.1`; empty = any.
    pub spec_versions: Vec<String>,
    /// Versions.
    pub versions: VersionMatch,
}

/// Which versions; the default is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionMatch {
    /// Every one.
    pub all: bool,
    /// The first.
    pub first: bool,
    /// The last.
    pub last: bool,
    /// These, µs.
    pub at: Vec<i64>,
}

impl Default for VersionMatch {
    fn default() -> Self {
        Self { all: false, first: false, last: true, at: Vec::new() }
    }
}

/// A page in the log's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<ObjectRow>,
    /// There is at least one after them.
    pub more: bool,
}

pub(crate) const COLUMNS: &str =
    "v.pos, v.col, coalesce(o.shown, o.id), w.text, v.version, v.arrived, v.spec, v.tlp, v.state, v.author, v.cause";
pub(crate) const JOINS: &str = "JOIN objects o ON o.obj = v.obj JOIN words w ON w.word = v.type";

pub(crate) fn object_row(r: &Row<'_>) -> rusqlite::Result<ObjectRow> {
    Ok(ObjectRow {
        pos: unsigned(r.get(0)?),
        col: r.get(1)?,
        id: r.get(2)?,
        object_type: r.get(3)?,
        version: r.get(4)?,
        arrived: r.get(5)?,
        spec_20: r.get::<_, i64>(6)? == 20,
        tlp: stix::Tlp::from_level(r.get(7)?),
        state: r.get(8)?,
        author: r.get(9)?,
        cause: r.get::<_, Option<i64>>(10)?.map(unsigned),
    })
}

pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Intel {
    /// The dense number of an object's id.
    pub(crate) fn object_number(&self, conn: &Connection, id: &str) -> rusqlite::Result<Option<i64>> {
        let id = &*people::told(&self.inner.keys, id);
        let h = row(self.inner.keys.row(), "object", 0, id);
        conn.prepare_cached(
            "SELECT obj FROM objects WHERE obj IN (SELECT n FROM object_rows WHERE h = ?1 UNION ALL SELECT n FROM object_rows_new WHERE h = ?1) \
             AND id = ?2 /* for all: a dictionary */",
        )?
            .query_row((h, id), |r| r.get(0))
            .optional()
    }

    /// A collection's objects in the log's order, after `after_pos` and strictly after `added_after`, µs.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a collection the viewer does not see; the storage's.
    pub fn page(
        &self,
        viewer: &Viewer,
        collection: CollectionId,
        matching: &Match,
        after_pos: u64,
        added_after: Option<i64>,
        limit: usize,
    ) -> Result<Page> {
        let col = self.column(viewer, collection)?;
        let mut after = signed(after_pos);
        if let Some(at) = added_after {
            after = after.max(signed(self.inner.ledger.log().first_after(at)?) - 1);
        }
        self.read(viewer, |conn| {
            let mut objects = Vec::new();
            for id in &matching.ids {
                objects.extend(self.object_number(conn, id)?);
            }
            if objects.is_empty() && !matching.ids.is_empty() {
                return Ok(Page::default());
            }
            let by_object = !objects.is_empty();
            let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(col), Box::new(after)];
            let mut wheres = String::new();
            if by_object {
                push_in(&mut wheres, &mut values, "v.obj", objects);
            }
            if !matching.types.is_empty() {
                push_in(&mut wheres, &mut values, "w.text", matching.types.clone());
            }
            if !matching.spec_versions.is_empty() {
                let codes: Vec<i64> = matching
                    .spec_versions
                    .iter()
                    .map(|s| match s.as_str() {
                        "2.0" => 20,
                        "2.1" => 21,
                        _ => -1,
                    })
                    .collect();
                push_in(&mut wheres, &mut values, "v.spec", codes);
            }
            push_versions(&mut wheres, &mut values, &matching.versions);
            let hint = if by_object { "INDEXED BY versions_of_object" } else { "" };
            let sql = format!(
                "SELECT {COLUMNS} FROM versions v {hint} {JOINS} WHERE v.col = ?1 AND see(v.col) AND v.pos > ?2 \
                 AND v.state & {} = 0{wheres} ORDER BY v.pos LIMIT {}",
                state::GONE,
                limit.saturating_add(1)
            );
            let mut stmt = conn.prepare_cached(&sql)?;
            let refs: Vec<&dyn ToSql> = values.iter().map(|v| &**v).collect();
            let mut rows = stmt.query_map(&refs[..], object_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            Ok(Page { rows, more })
        })
    }

    /// The small number of a collection that the viewer sees.
    pub(crate) fn column(&self, viewer: &Viewer, collection: CollectionId) -> Result<u32> {
        let found = self.inner.people.collection(collection)?.ok_or(Error::NotFound)?;
        if viewer.sees(found.col) { Ok(found.col) } else { Err(Error::NotFound) }
    }

    /// Hands out the body of each row, byte for byte, in order; what was expunged meanwhile is passed by.
    ///
    /// # Errors
    /// The storage's.
    pub fn bodies(&self, rows: &[ObjectRow], take: &mut dyn FnMut(&ObjectRow, &str)) -> Result<()> {
        self.bodies_while(rows, &mut |row, body| {
            take(row, body);
            true
        })
    }

    /// As [`Intel::bodies`], for as long as `take` says that there is room for more.
    ///
    /// # Errors
    /// The storage's.
    pub fn bodies_while(&self, rows: &[ObjectRow], take: &mut dyn FnMut(&ObjectRow, &str) -> bool) -> Result<()> {
        let positions: Vec<u64> = rows.iter().map(|r| r.pos).collect();
        let mut at = rows.iter();
        self.inner.ledger.log().bodies_while(&positions, |_, body| match (at.next(), body) {
            (Some(row), Some(body)) => take(row, body),
            _ => true,
        })?;
        Ok(())
    }

    /// When the newest object of the collections that the viewer sees came, or of `only` one of them, µs; 0 when there is none.
    /// Waits for nothing.
    ///
    /// # Errors
    /// The storage's.
    pub fn newest(&self, viewer: &Viewer, only: Option<u32>) -> Result<i64> {
        let sql = "SELECT arrived FROM versions WHERE col = ? AND see(col) ORDER BY pos DESC LIMIT 1";
        let read = || {
            self.inner.view.read(|r| {
                let mut stmt = r.conn.prepare_cached(sql)?;
                let mut newest = 0;
                for col in viewer.set().iter().filter(|col| only.is_none_or(|only| only == *col)) {
                    newest = newest.max(stmt.query_row([col], |r| r.get(0)).optional()?.unwrap_or(0));
                }
                Ok(newest)
            })
        };
        Ok(people::see::with(viewer, read)?)
    }

    /// Versions of an object that stand and that the viewer sees, newest first: one page of them. A page costs its own length
    /// and what it passes by, however many versions there are.
    ///
    /// # Errors
    /// The storage's.
    pub fn versions(&self, viewer: &Viewer, id: &str, which: &Versions) -> Result<Vec<ObjectRow>> {
        let from = which.from.min(DEEPEST);
        let most = from.saturating_add(which.limit);
        let before = which.entered_before.map_or(i64::MAX, signed);
        self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            let mut newest = conn.prepare_cached(&newest_versions())?;
            let mut out: Vec<ObjectRow> = Vec::new();
            for col in self.cols_asked(conn, viewer, obj, which.col)? {
                let rows = newest.query_map((obj, col, before, most as i64), object_row)?;
                out.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            out.sort_unstable_by_key(|r| Reverse((r.version, r.pos)));
            Ok(out.into_iter().skip(from).take(which.limit).collect())
        })
    }

    /// How many versions of an object stand that the viewer sees.
    ///
    /// # Errors
    /// The storage's.
    pub fn count_versions(&self, viewer: &Viewer, id: &str) -> Result<usize> {
        self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(0) };
            let mut count = conn.prepare_cached(
                "SELECT count(*) FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ? AND see(col) \
                 AND (state & 12) = 0",
            )?;
            let mut all = 0;
            for col in cols_of_object(conn, viewer, obj)? {
                all += count.query_row((obj, col), |r| r.get::<_, i64>(0))?;
            }
            Ok(usize::try_from(all).unwrap_or(0))
        })
    }

    /// The last version of an object in each collection where it stands and that the viewer sees, newest first.
    ///
    /// # Errors
    /// The storage's.
    pub fn standings(&self, viewer: &Viewer, id: &str) -> Result<Vec<ObjectRow>> {
        self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            let mut newest = conn.prepare_cached(&newest_versions())?;
            let mut out: Vec<ObjectRow> = Vec::new();
            for col in cols_of_object(conn, viewer, obj)? {
                out.extend(newest.query_row((obj, col, i64::MAX, 1), object_row).optional()?);
            }
            out.sort_unstable_by_key(|r| Reverse((r.version, r.pos)));
            Ok(out)
        })
    }

    fn cols_asked(
        &self,
        conn: &Connection,
        viewer: &Viewer,
        obj: i64,
        only: Option<u32>,
    ) -> rusqlite::Result<Vec<u32>> {
        match only {
            Some(col) if viewer.sees(col) => Ok(vec![col]),
            Some(_) => Ok(Vec::new()),
            None => cols_of_object(conn, viewer, obj),
        }
    }

    /// Of each entry whether it stands, and the entry of the version before it in its collection. Waits for nothing: what
    /// the view has not folded yet counts as standing, and who asks has looked at the log after `folded` itself.
    ///
    /// # Errors
    /// `Behind` when the view has less than `folded` (it is being folded anew); the storage's.
    pub fn standing(&self, viewer: &Viewer, asked: &[Asked<'_>], folded: u64) -> Result<Vec<Option<Standing>>> {
        let one = |conn: &Connection, position: u64, a: &Asked<'_>| -> rusqlite::Result<Option<Standing>> {
            if !viewer.sees(a.col) {
                return Ok(None);
            }
            let mut state_at =
                conn.prepare_cached("SELECT state FROM versions WHERE col = ? AND see(col) AND pos = ?")?;
            if a.pos <= position {
                let state: Option<i64> = state_at.query_row((a.col, signed(a.pos)), |r| r.get(0)).optional()?;
                // What the view has passed by without a row could not be read.
                if state.is_none_or(|state| state & state::GONE != 0) {
                    return Ok(None);
                }
            }
            let Some(obj) = self.object_number(conn, a.id)? else { return Ok(Some(Standing { earlier: None })) };
            // Read off the index alone: an object may have thousands of versions.
            let before: Option<i64> = conn
                .prepare_cached(
                    "SELECT max(pos) FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ? AND see(col) \
                     AND pos < ?",
                )?
                .query_row((obj, a.col, signed(a.pos)), |r| r.get(0))?;
            let mut earlier = None;
            if let Some(pos) = before {
                let state: i64 = state_at.query_row((a.col, pos), |r| r.get(0))?;
                earlier = Some((unsigned(pos), state & state::GONE == 0));
            }
            Ok(Some(Standing { earlier }))
        };
        let read = || {
            self.inner.view.read(|r| {
                if r.position < folded {
                    return Err(ledger::Error::Behind { view: self.inner.view.name(), behind: folded - r.position });
                }
                Ok(asked.iter().map(|a| one(r.conn, r.position, a)).collect::<rusqlite::Result<Vec<_>>>()?)
            })
        };
        Ok(people::see::with(viewer, read)?)
    }

    /// Where the [`current`](Self::current) version of each object stands in the log; what is unknown, withdrawn or unseen
    /// is not in the answer.
    ///
    /// # Errors
    /// The storage's.
    pub(crate) fn current_positions(&self, viewer: &Viewer, ids: &[&str]) -> Result<HashMap<String, u64>> {
        self.read(viewer, |conn| {
            let mut newest = conn.prepare_cached(
                "SELECT version, pos FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ? AND see(col) \
                 AND (state & 12) = 0 ORDER BY version DESC, pos DESC LIMIT 1",
            )?;
            let mut found = HashMap::new();
            for id in ids {
                let Some(obj) = self.object_number(conn, id)? else { continue };
                let mut current: Option<(i64, i64)> = None;
                for col in cols_of_object(conn, viewer, obj)? {
                    current = current.max(newest.query_row((obj, col), |r| Ok((r.get(0)?, r.get(1)?))).optional()?);
                }
                if let Some((_, pos)) = current {
                    found.insert((*id).to_owned(), unsigned(pos));
                }
            }
            Ok(found)
        })
    }

    /// The object's current version for this viewer, with its body: the greatest version over all collections seen.
    ///
    /// # Errors
    /// The storage's.
    pub fn current(&self, viewer: &Viewer, id: &str) -> Result<Option<(ObjectRow, String)>> {
        // One that is erased while it is looked at is passed by.
        for row in self.versions(viewer, id, &Versions { limit: 8, ..Versions::default() })? {
            if let Some(body) = self.inner.ledger.log().body(row.pos)? {
                return Ok(Some((row, body.as_ref().to_owned())));
            }
        }
        Ok(None)
    }
}

/// `?1` object, `?2` collection, `?3` before which entry, `?4` how many: read off the index in its order.
pub(crate) fn newest_versions() -> String {
    format!(
        "SELECT {COLUMNS} FROM versions v INDEXED BY versions_of_object {JOINS} WHERE v.obj = ?1 AND v.col = ?2 \
         AND see(v.col) AND (v.state & 12) = 0 AND v.pos < ?3 ORDER BY v.version DESC, v.pos DESC LIMIT ?4"
    )
}

fn push_in<T: ToSql + 'static>(wheres: &mut String, values: &mut Vec<Box<dyn ToSql>>, column: &str, list: Vec<T>) {
    wheres.push_str(" AND ");
    wheres.push_str(column);
    wheres.push_str(" IN (");
    for (i, value) in list.into_iter().enumerate() {
        if i > 0 {
            wheres.push(',');
        }
        wheres.push('?');
        values.push(Box::new(value));
        wheres.push_str(&values.len().to_string());
    }
    wheres.push(')');
}

fn push_versions(wheres: &mut String, values: &mut Vec<Box<dyn ToSql>>, versions: &VersionMatch) {
    if versions.all {
        return;
    }
    let bits = if versions.last { state::LAST } else { 0 } | if versions.first { state::FIRST } else { 0 };
    wheres.push_str(&format!(" AND (v.state & {bits} <> 0"));
    for at in &versions.at {
        values.push(Box::new(*at));
        wheres.push_str(&format!(" OR v.version = ?{}", values.len()));
    }
    wheres.push(')');
}
