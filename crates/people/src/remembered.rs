//! Passwords that were right a moment ago, as keyed hashes in memory: a client that sends one with each request must not
//! cost a password hash each time.
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// How long one is remembered, µs.
const LASTING: i64 = 600_000_000;
/// How many.
const MOST: usize = 1_024;

#[derive(Default)]
pub(crate) struct Remembered(RwLock<HashMap<[u8; 32], (u32, i64)>>);

impl Remembered {
    /// The account of a mark. Marks are HMACs under the node's key: nobody steers which entry is compared.
    pub(crate) fn account(&self, mark: &[u8; 32], now: i64) -> Option<u32> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(mark).filter(|(_, at)| (0..LASTING).contains(&(now - at))).map(|(account, _)| *account)
    }

    pub(crate) fn keep(&self, mark: [u8; 32], account: u32, now: i64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (_, at)| (0..LASTING).contains(&(now - *at)));
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(mark, (account, now));
    }
}
