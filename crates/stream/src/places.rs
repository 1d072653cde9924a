//! How many may listen at the same time.
use crate::Limits;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places taken, by account.
#[derive(Clone, Default)]
pub(crate) struct Places {
    taken: Arc<Mutex<HashMap<u32, usize>>>,
    limits: Limits,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.lock().values().sum()
    }

    /// A place for the account, kept until it is dropped; `None` = all are taken.
    pub(crate) fn take(&self, account: u32) -> Option<Place> {
        let mut taken = self.lock();
        let Limits { listeners, of_account, .. } = self.limits;
        if taken.values().sum::<usize>() >= listeners || taken.get(&account).is_some_and(|n| *n >= of_account) {
            return None;
        }
        *taken.entry(account).or_default() += 1;
        Some(Place { places: self.clone(), account })
    }
}

pub(crate) struct Place {
    places: Places,
    account: u32,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(n) = taken.get_mut(&self.account) {
            *n -= 1;
            if *n == 0 {
                taken.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_leaves_places_for_the_others_and_a_place_left_is_free_again() {
        let places = Places::new(Limits { listeners: 9, of_account: 4, ..Limits::default() });
        let mut held: Vec<Place> = (0..4).map(|_| places.take(7).unwrap()).collect();
        assert!(places.take(7).is_none() && places.take(8).is_some());
        held.pop();
        assert!(places.take(7).is_some());
        held.clear();
        assert!(places.lock().is_empty());
        let all: Vec<Place> = (0..9).map(|n| places.take(n).unwrap()).collect();
        assert!(places.take(9_999).is_none(), "{} are taken", all.len());
    }
}
