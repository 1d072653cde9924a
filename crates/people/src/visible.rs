use std::fmt;
use std::sync::Arc;

/// Collections by their small numbers, a bit each. Cloning is one atomic step.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct VisibleSet(Arc<[u64]>);

/// Collection numbers beyond this are never visible: a damaged number must not cost gigabytes.
const MOST: u32 = 1 << 26;

impl VisibleSet {
    /// Whether the collection is in it.
    #[inline]
    pub fn has(&self, col: u32) -> bool {
        self.0.get((col >> 6) as usize).is_some_and(|word| word >> (col & 63) & 1 == 1)
    }

    /// How many collections are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Its collections' numbers, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0
            .iter()
            .zip(0u32..)
            .flat_map(|(word, at)| (0..64).filter(move |b| word >> b & 1 == 1).map(move |b| at * 64 + b))
    }

    /// Its collections as runs of neighbouring numbers, both ends in them, rising: a query over a run never steps on what
    /// is not in the set.
    ///
    /// ```
    /// let set: people::VisibleSet = [1, 2, 3, 7].into_iter().collect();
    /// assert_eq!(set.runs(), [(1, 3), (7, 7)]);
    /// ```
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let mut out: Vec<(u32, u32)> = Vec::new();
        for col in self.iter() {
            match out.last_mut() {
                Some(run) if run.1 + 1 == col => run.1 = col,
                _ => out.push((col, col)),
            }
        }
        out
    }
}

impl FromIterator<u32> for VisibleSet {
    fn from_iter<I: IntoIterator<Item = u32>>(cols: I) -> Self {
        let mut words: Vec<u64> = Vec::new();
        for col in cols.into_iter().filter(|col| *col < MOST) {
            let at = (col >> 6) as usize;
            if words.len() <= at {
                words.resize(at + 1, 0);
            }
            if let Some(word) = words.get_mut(at) {
                *word |= 1 << (col & 63);
            }
        }
        Self(words.into())
    }
}

impl fmt::Debug for VisibleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} collections", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_visible_set_answers_as_a_naive_set_does(cols in prop::collection::vec(0u32..10_000, 0..200), ask in 0u32..11_000) {
            let naive: BTreeSet<u32> = cols.iter().copied().collect();
            let set: VisibleSet = cols.iter().copied().collect();
            prop_assert_eq!(set.has(ask), naive.contains(&ask));
            prop_assert_eq!(set.len(), naive.len());
            prop_assert_eq!(set.is_empty(), naive.is_empty());
            let runs = set.runs();
            prop_assert_eq!(runs.iter().flat_map(|(first, last)| *first..=*last).collect::<Vec<_>>(), set.iter().collect::<Vec<_>>());
            prop_assert!(runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "no two runs touch");
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), naive.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_absurd_number_is_not_visible_and_costs_no_memory() {
        let set: VisibleSet = [3, u32::MAX].into_iter().collect();
        assert!(set.has(3) && !set.has(u32::MAX));
        assert_eq!(set.0.len(), 1);
    }
}
