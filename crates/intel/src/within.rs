//! Bounds of a search beside its words: type, marking, collection, arrival.
use crate::rows::ObjectRow;
use crate::search::current_row;
use crate::{Intel, Result};
use people::Viewer;
use rusqlite::Connection;

/// What narrows a search beside its words. Empty means no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// One of these STIX types.
    pub types: Vec<String>,
    /// This effective marking.
    pub marking: Option<stix::Tlp>,
    /// In this collection.
    pub collection: Option<ledger::CollectionId>,
    /// Arrived at or after, µs since 1970.
    pub since: Option<i64>,
    /// Arrived before, µs since 1970.
    pub until: Option<i64>,
}

/// [`Narrow`] with its names looked up.
pub(crate) struct Bounds {
    types: Vec<String>,
    marking: Option<stix::Tlp>,
    col: Option<u32>,
    since: i64,
    until: i64,
}

impl Bounds {
    /// Looks the names up; `types` are those that stand in the query's words.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] for a collection that the viewer does not see.
    pub(crate) fn of(intel: &Intel, viewer: &Viewer, narrow: &Narrow, types: &[String]) -> Result<Self> {
        let col = match narrow.collection {
            Some(id) => {
                let known = intel.people().collection(id)?.filter(|c| viewer.sees(c.col));
                Some(known.ok_or(crate::Error::NotFound)?.col)
            }
            None => None,
        };
        Ok(Self {
            types: types.iter().chain(&narrow.types).cloned().collect(),
            marking: narrow.marking,
            col,
            since: narrow.since.unwrap_or(i64::MIN),
            until: narrow.until.unwrap_or(i64::MAX),
        })
    }

    pub(crate) fn any(&self) -> bool {
        !self.types.is_empty() || self.marking.is_some() || self.col.is_some() || self.times()
    }

    fn times(&self) -> bool {
        self.since > i64::MIN || self.until < i64::MAX
    }

    fn hold(&self, row: &ObjectRow) -> bool {
        (self.types.is_empty() || self.types.contains(&row.object_type))
            && self.marking.is_none_or(|m| m == row.tlp)
            && self.col.is_none_or(|c| c == row.col)
            && (self.since..self.until).contains(&row.arrived)
    }
}

/// Of positions those within bounds, at most so many.
pub(crate) fn only_within(
    conn: &Connection,
    positions: Vec<i64>,
    bounds: &Bounds,
    most: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut out = Vec::new();
    for pos in positions {
        if out.len() >= most {
            break;
        }
        if current_row(conn, pos)?.is_some_and(|row| bounds.hold(&row)) {
            out.push(pos);
        }
    }
    Ok(out)
}

/// What arrived last within bounds, newest first: one walk down each collection that the viewer sees.
pub(crate) fn newest_within(
    conn: &Connection,
    viewer: &Viewer,
    bounds: &Bounds,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut out = Vec::new();
    let tlp = bounds.marking.map(|m| m as i64);
    for col in viewer.set().iter().filter(|col| bounds.col.is_none_or(|c| c == *col)) {
        let mut stmt = conn.prepare_cached(
            "SELECT v.pos, w.text FROM versions v JOIN words w ON w.word = v.type WHERE v.col = ?1 AND see(v.col) AND v.pos < ?2 \
             AND v.state & 13 = 1 AND (?3 IS NULL OR v.tlp = ?3) AND v.arrived >= ?4 AND v.arrived < ?5 ORDER BY v.pos DESC",
        )?;
        let mut rows = stmt.query((col, before, tlp, bounds.since, bounds.until))?;
        let mut here = 0;
        while let Some(row) = rows.next()? {
            let kind = row.get_ref(1)?.as_str().unwrap_or_default();
            if bounds.types.is_empty() || bounds.types.iter().any(|t| t == kind) {
                out.push(row.get(0)?);
                here += 1;
                if here >= limit {
                    break;
                }
            }
        }
    }
    out.sort_unstable_by(|a: &i64, b: &i64| b.cmp(a));
    out.truncate(limit);
    Ok(out)
}
