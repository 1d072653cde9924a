use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How much stands in a collection, and where in the log: for planning a search, never for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Rows, of all versions.
    pub rows: u64,
    /// The first position.
    pub oldest: i64,
    /// The last position.
    pub newest: i64,
}

/// The extent of each collection that holds a row, kept in memory by the fold.
#[derive(Debug, Default)]
pub(crate) struct Spread(Mutex<BTreeMap<u32, Extent>>);

impl Spread {
    /// A row more.
    pub(crate) fn note(&self, col: u32, pos: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let extent = all.entry(col).or_insert(Extent { rows: 0, oldest: pos, newest: pos });
        extent.rows += 1;
        extent.oldest = extent.oldest.min(pos);
        extent.newest = extent.newest.max(pos);
    }

    /// Every collection that holds a row, by its number.
    pub(crate) fn all(&self) -> BTreeMap<u32, Extent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
