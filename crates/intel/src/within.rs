//! Bounds of a search beside its words: type, marking, collection, arrival.
use crate::rows::{ObjectRow, signed};
use crate::search::{Aim, Met, Words, current_row};
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
    /// The first position that may be within.
    pub(crate) from: i64,
    /// The first position that is too new.
    pub(crate) before: i64,
}

impl Bounds {
    /// One collection, or all.
    pub(crate) fn of_collection(col: Option<u32>) -> Self {
        Self { col, ..Self::default() }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { types: Vec::new(), marking: None, col: None, from: 0, before: i64::MAX }
    }
}

impl Bounds {
    /// Looks the names up; `types` are those asked for in words and in `narrow`. Times become positions, for what arrives
    /// later stands later in the log.
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
        let log = intel.ledger().log();
        let at = |time: i64| log.first_after(time.saturating_sub(1)).map(signed);
        Ok(Self {
            types: types.to_vec(),
            marking: narrow.marking,
            col,
            from: narrow.since.map_or(Ok(0), at)?,
            before: narrow.until.map_or(Ok(i64::MAX), at)?,
        })
    }

    pub(crate) fn any(&self) -> bool {
        !self.types.is_empty()
            || self.marking.is_some()
            || self.col.is_some()
            || self.from > 0
            || self.before < i64::MAX
    }

    /// Whether anything of the collection may be within.
    pub(crate) fn reads(&self, col: u32) -> bool {
        self.col.is_none_or(|c| c == col)
    }

    pub(crate) fn types(&self) -> &[String] {
        &self.types
    }

    /// What a walk looks for; its words say the types, its ranges the collection and the time.
    pub(crate) fn aim<'a>(&self, words: Option<&'a Words>) -> Aim<'a> {
        Aim { words, tlp: self.marking.map(|m| i64::from(m.level())) }
    }

    /// Whether a row is within.
    pub(crate) fn hold(&self, row: &ObjectRow) -> bool {
        (self.types.is_empty() || self.types.contains(&row.object_type))
            && self.marking.is_none_or(|m| m == row.tlp)
            && self.reads(row.col)
            && (self.from..self.before).contains(&signed(row.pos))
    }
}

/// Of rows those within bounds, at most so many.
pub(crate) fn only_within(
    conn: &Connection,
    met: Vec<Met>,
    bounds: &Bounds,
    most: usize,
) -> rusqlite::Result<Vec<Met>> {
    if !bounds.any() {
        return Ok(met);
    }
    let mut out = Vec::new();
    for one in met {
        if out.len() >= most {
            break;
        }
        if current_row(conn, one.pos)?.is_some_and(|row| bounds.hold(&row)) {
            out.push(one);
        }
    }
    Ok(out)
}
