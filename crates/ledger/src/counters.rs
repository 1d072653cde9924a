//! What the writer counts for whoever watches the machine: since the process began, no content, no names.
use crate::{Entry, Error, Kind, Outcome, Receipt, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of a histogram of durations, seconds; what is longer stands in one bucket more.
pub const BOUNDS: [f64; 11] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Kinds that are told apart.
const KINDS: usize = 64;
/// Where those beyond are counted.
const OTHERS: &str = "other";

/// A histogram of durations: each note is three additions, and nobody waits.
///
/// ```
/// let times = ledger::Times::default();
/// times.note(std::time::Duration::from_millis(3));
/// let read = times.read();
/// assert_eq!((read.count, read.buckets[2]), (1, (0.005, 1)));
/// ```
#[derive(Debug, Default)]
pub struct Times {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// [`Times`] at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct TimesRead {
    /// Upper bound in seconds, and how many stand in this bucket alone; the last bound is [`f64::INFINITY`].
    pub buckets: Vec<(f64, u64)>,
    /// All of them together, seconds.
    pub seconds: f64,
    /// How many.
    pub count: u64,
}

impl Times {
    /// Notes one.
    pub fn note(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().take_while(|bound| seconds > **bound).count();
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What was noted so far.
    pub fn read(&self) -> TimesRead {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.buckets.iter().map(|b| b.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, n)| n).sum();
        TimesRead { buckets, seconds: self.micros.load(Ordering::Relaxed) as f64 / 1e6, count }
    }
}

/// Why appends came to nothing.
const REFUSALS: [&str; 5] = ["conflict", "limit", "clock", "behind", "failed"];

/// The writer's counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    appends: AtomicU64,
    refused: [AtomicU64; REFUSALS.len()],
    same: AtomicU64,
    kept_out: AtomicU64,
    pub(crate) commits: Times,
    kinds: Mutex<HashMap<Kind, u64>>,
    others: AtomicU64,
}

/// What the writer has counted since the process began: see [`crate::Ledger::counted`].
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Appends that are durable.
    pub appends: u64,
    /// Appends that came to nothing, by why.
    pub refused: Vec<(&'static str, u64)>,
    /// Entries written, by kind.
    pub entries: Vec<(String, u64)>,
    /// Entries that were there already.
    pub same: u64,
    /// Entries that were not taken while the others of their append were.
    pub kept_out: u64,
    /// How long each commit of entries took, its fsync included.
    pub commits: TimesRead,
    /// Interactive appends that wait for the writer.
    pub waiting_interactive: usize,
    /// Bulk appends that wait for it.
    pub waiting_bulk: usize,
}

impl Counters {
    /// What became of an append.
    pub(crate) fn answered(&self, result: &Result<Receipt>) {
        let receipt = match result {
            Ok(receipt) => receipt,
            Err(e) => {
                let why = match e {
                    Error::Conflict => 0,
                    Error::Limit(_) => 1,
                    Error::Clock(_) => 2,
                    Error::Behind { .. } => 3,
                    _ => 4,
                };
                if let Some(refused) = self.refused.get(why) {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
        };
        self.appends.fetch_add(1, Ordering::Relaxed);
        let count = |of: fn(&Outcome) -> bool| receipt.outcomes.iter().filter(|o| of(o)).count() as u64;
        self.same.fetch_add(count(|o| matches!(o, Outcome::Same(_))), Ordering::Relaxed);
        self.kept_out.fetch_add(count(|o| matches!(o, Outcome::Refused(_))), Ordering::Relaxed);
    }

    /// Entries that are durable. Kinds are the rooms' own words, and few.
    pub(crate) fn written(&self, entries: &[Arc<Entry>]) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        for run in entries.chunk_by(|a, b| a.kind == b.kind) {
            let Some(kind) = run.first().map(|e| &e.kind) else { continue };
            let many = run.len() as u64;
            if let Some(n) = kinds.get_mut(kind) {
                *n += many;
            } else if kinds.len() < KINDS {
                kinds.insert(kind.clone(), many);
            } else {
                self.others.fetch_add(many, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn read(&self, (waiting_interactive, waiting_bulk): (usize, usize)) -> Counted {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<(String, u64)> = kinds.iter().map(|(k, n)| (k.as_str().to_owned(), *n)).collect();
        drop(kinds);
        entries.sort_unstable();
        let others = self.others.load(Ordering::Relaxed);
        entries.extend((others > 0).then(|| (OTHERS.to_owned(), others)));
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Counted {
            appends: read(&self.appends),
            refused: REFUSALS.into_iter().zip(self.refused.iter().map(read)).collect(),
            entries,
            same: read(&self.same),
            kept_out: read(&self.kept_out),
            commits: self.commits.read(),
            waiting_interactive,
            waiting_bulk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_stands_in_the_one_bucket_whose_bound_it_does_not_pass() {
        let times = Times::default();
        for micros in [0, 1_000, 1_001, 5_000_000, 60_000_000] {
            times.note(Duration::from_micros(micros));
        }
        let read = times.read();
        assert_eq!((read.count, read.seconds), (5, 65.002_001));
        let filled: Vec<(f64, u64)> = read.buckets.into_iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(filled, [(0.001, 2), (0.002_5, 1), (5.0, 1), (f64::INFINITY, 1)]);
    }
}
