use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The last position of each collection that holds a row, kept in memory by the fold: for the order in which collections
/// are read, never for an answer.
#[derive(Debug, Default)]
pub(crate) struct Spread(Mutex<BTreeMap<u32, i64>>);

impl Spread {
    /// A row more.
    pub(crate) fn note(&self, col: u32, pos: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = all.entry(col).or_insert(pos);
        *newest = pos.max(*newest);
    }

    /// Of these collections those that hold a row, each with its last position.
    pub(crate) fn of(&self, cols: impl Iterator<Item = u32>) -> Vec<(u32, i64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cols.filter_map(|col| Some((col, *all.get(&col)?))).collect()
    }
}
