//! A set of transactions, a bit each.

/// Transactions that unite nothing: by their shape, or because a person excluded them. A bit a transaction (1.2 MB for 10 M).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionSet {
    words: Vec<u64>,
    size: u32,
}

impl TransactionSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many transactions it holds.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.size
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Whether it holds this transaction.
    #[must_use]
    #[inline]
    pub fn holds(&self, transaction: u32) -> bool {
        self.words.get(transaction as usize / 64).is_some_and(|w| w >> (transaction % 64) & 1 == 1)
    }

    /// The transactions it holds, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let bits =
            |word: u64| std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1))).take_while(|w| *w != 0);
        (0_u32..).zip(&self.words).flat_map(move |(n, &word)| bits(word).map(move |w| n * 64 + w.trailing_zeros()))
    }

    /// Adds one; false when it was there.
    pub fn insert(&mut self, transaction: u32) -> bool {
        let at = transaction as usize / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        let Some(word) = self.words.get_mut(at) else { return false };
        let (bit, was) = (1 << (transaction % 64), *word);
        *word |= bit;
        self.size += u32::from(was & bit == 0);
        was & bit == 0
    }

    /// Removes one; false when it was not there.
    pub fn remove(&mut self, transaction: u32) -> bool {
        let Some(word) = self.words.get_mut(transaction as usize / 64) else { return false };
        let (bit, was) = (1 << (transaction % 64), *word);
        *word &= !bit;
        self.size -= u32::from(was & bit != 0);
        was & bit != 0
    }
}

impl FromIterator<u32> for TransactionSet {
    fn from_iter<I: IntoIterator<Item = u32>>(transactions: I) -> Self {
        let mut set = Self::new();
        for t in transactions {
            set.insert(t);
        }
        set
    }
}
