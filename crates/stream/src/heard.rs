//! What one listener has passed of withdrawals: whether a version before still stood for it when the next one came.
use std::collections::{HashMap, HashSet};

/// Withdrawals, and versions never told, that one listener remembers; beyond it begins anew.
const MOST: usize = 50_000;

/// What a listener passed since `from`.
pub(crate) struct Heard {
    from: u64,
    /// Ids of entries that were withdrawn or erased, and where that stands.
    taken_back: HashMap<[u8; 32], u64>,
    /// Versions that were gone when the listener came to them.
    untold: HashSet<u64>,
}

impl Heard {
    pub(crate) fn new(from: u64) -> Self {
        Self { from, taken_back: HashMap::new(), untold: HashSet::new() }
    }

    /// A withdrawal or an erasure at `pos` is passed.
    pub(crate) fn took_back(&mut self, entry: [u8; 32], pos: u64) {
        self.room(pos);
        self.taken_back.insert(entry, pos);
    }

    /// A version is passed without a word, for it is gone by now.
    pub(crate) fn passed_over(&mut self, pos: u64) {
        self.room(pos);
        self.untold.insert(pos);
    }

    fn room(&mut self, pos: u64) {
        if self.taken_back.len() + self.untold.len() >= MOST {
            *self = Self::new(pos);
        }
    }

    /// Whether a listener to whom deletions are told was told by `now` that a version at `pos` is gone. What was withdrawn
    /// before it began to listen stands for it as gone.
    pub(crate) fn gone_before(&self, pos: u64, entry: &[u8; 32], now: u64) -> bool {
        match self.taken_back.get(entry) {
            Some(at) => *at < now,
            None => pos <= self.from,
        }
    }

    /// Whether a version was never told.
    pub(crate) fn untold(&self, pos: u64) -> bool {
        self.untold.contains(&pos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_gone_from_its_withdrawal_on_and_not_before() {
        let mut heard = Heard::new(10);
        heard.took_back([1; 32], 14);
        assert!(heard.gone_before(12, &[1; 32], 15) && !heard.gone_before(12, &[1; 32], 13));
        assert!(!heard.gone_before(12, &[2; 32], 15), "it was heard, and its withdrawal comes later");
        assert!(heard.gone_before(9, &[3; 32], 15), "it went before anybody listened");
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        let mut heard = Heard::new(0);
        (1..=60_000).for_each(|pos| heard.passed_over(pos));
        assert!(heard.untold.len() <= MOST && heard.from > 0);
    }
}
