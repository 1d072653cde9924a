//! How many requests each route answered and how long that took: patterns and status classes, never an address or a name.
use crate::{Line, Rule};
use ledger::{Times, TimesRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Status classes, from 1xx.
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// One route's counters.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    classes: [AtomicU64; CLASSES.len()],
    took: Times,
}

impl Tally {
    /// Notes an answer of this status whose head was ready after `took`.
    pub(crate) fn note(&self, status: u16, took: Duration) {
        if let Some(class) = self.classes.get(usize::from(status / 100).wrapping_sub(1)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        self.took.note(took);
    }
}

/// What a house's routes have answered since it was opened. It stands in each request's extensions.
#[derive(Debug, Clone)]
pub struct Tallies {
    routes: Arc<[(Line, Arc<Tally>)]>,
    nowhere: Arc<Tally>,
}

/// What one route has answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The route.
    pub line: Line,
    /// How many answers, in the order of [`CLASSES`].
    pub classes: [u64; CLASSES.len()],
    /// From the request's head to the answer's; what a body then takes to send is not in it.
    pub took: TimesRead,
}

impl Tallies {
    pub(crate) fn new(routes: Vec<(Line, Arc<Tally>)>) -> Self {
        Self { routes: routes.into(), nowhere: Arc::default() }
    }

    pub(crate) fn nowhere(&self) -> &Tally {
        &self.nowhere
    }

    /// Every route that has answered anything, and last, with the pattern `none`, the addresses that are none.
    #[must_use]
    pub fn read(&self) -> Vec<Answered> {
        let none = Line { door: "none", method: "*", path: "none", rule: Rule::Open };
        let all = self.routes.iter().map(|(line, tally)| (*line, &**tally)).chain([(none, &*self.nowhere)]);
        let read = |(line, tally): (Line, &Tally)| {
            let classes = tally.classes.each_ref().map(|n| n.load(Ordering::Relaxed));
            Answered { line, classes, took: tally.took.read() }
        };
        all.map(read).filter(|a| a.took.count > 0).collect()
    }
}
