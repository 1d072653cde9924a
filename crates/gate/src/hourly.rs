//! Who was taken down this hour: one row of the access log for each account, however often it asks.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// An hour, µs.
const HOUR: i64 = 3_600_000_000;

/// One route's accounts, with the hour of their last row: no more of them than accounts ask within an hour.
#[derive(Debug, Default)]
pub(crate) struct Hourly(Mutex<HashMap<u32, i64>>);

impl Hourly {
    /// Whether a row is due for this account at `now`, µs; from then on it is not, until the next hour.
    pub(crate) fn is_due(&self, account: u32, now: i64) -> bool {
        let hour = now.div_euclid(HOUR);
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.get(&account) == Some(&hour) {
            return false;
        }
        rows.retain(|_, of| *of == hour);
        rows.insert(account, hour);
        true
    }

    /// The row was not written: it is still due.
    pub(crate) fn failed(&self, account: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_one_row_an_hour_whatever_the_clock_does() {
        let hourly = Hourly::default();
        let at = |hour: i64, minute: i64| hour * HOUR + minute * HOUR / 60;
        let asked = [(1, at(5, 0)), (1, at(5, 59)), (2, at(5, 59)), (1, at(6, 0)), (2, at(6, 1)), (2, at(6, 30))];
        assert_eq!(asked.map(|(who, now)| hourly.is_due(who, now)), [true, false, true, true, true, false]);
        // Set back: a row too many, never one too few.
        assert!(hourly.is_due(1, at(5, 10)));
        hourly.failed(1);
        assert!(hourly.is_due(1, at(5, 11)));
        assert_eq!(hourly.0.lock().unwrap().len(), 1, "those of other hours are forgotten");
    }
}
