//! What the roof knows of the machine and this room does not. Looking costs seconds of disk, so what was found is kept for a
//! minute: one answer, whoever asks, and one look at a time.
use std::sync::{Arc, Mutex, PoisonError};

/// What was found is told for as long as this, µs: a minute.
const KEPT: i64 = 60_000_000;
/// And for as long as this to somebody who asks for it anew, µs: nobody has the disk read as fast as they press a key.
const KEPT_AT_LEAST: i64 = 5_000_000;

/// What the roof knows: asked for when an administrator opens the page.
#[derive(Clone)]
pub struct Facts(Arc<Inner>);

struct Inner {
    problems: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    set_aside: Box<dyn Fn() -> Option<u64> + Send + Sync>,
    found: Mutex<Option<Found>>,
}

/// What a look found.
struct Found {
    by: Look,
    problems: Vec<String>,
}

/// A look at the machine: when, and what is known without one. When that changed, what was found before is out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The moment, µs.
    pub now: i64,
    /// Entries that views could not read.
    pub unfolded: u64,
    /// An erasure is under way.
    pub erasing: bool,
    /// Somebody asks for what is so now.
    pub again: bool,
}

impl Look {
    /// Whether what an earlier look found may be told.
    fn is_served_by(&self, earlier: &Self) -> bool {
        let age = self.now.saturating_sub(earlier.now);
        let kept = if self.again { KEPT_AT_LEAST } else { KEPT };
        (0..kept).contains(&age) && (self.unfolded, self.erasing) == (earlier.unfolded, earlier.erasing)
    }
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").finish_non_exhaustive()
    }
}

impl Facts {
    /// `problems` is what `eye doctor` finds wrong, in its own words; `set_aside` how many records imports have set aside that
    /// are kept, `None` when it cannot be said now. Both may wait for the disk.
    pub fn new(
        problems: impl Fn() -> Vec<String> + Send + Sync + 'static,
        set_aside: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner { problems: Box::new(problems), set_aside: Box::new(set_aside), found: Mutex::default() }))
    }

    /// What is wrong with the machine, and when that was looked at, µs.
    pub(crate) fn problems(&self, look: Look) -> (Vec<String>, i64) {
        // Held while it looks: whoever comes meanwhile is told what this look finds.
        let mut found = self.0.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = found.as_ref().filter(|kept| look.is_served_by(&kept.by)) {
            return (kept.problems.clone(), kept.by.now);
        }
        let problems = (self.0.problems)();
        *found = Some(Found { by: look, problems: problems.clone() });
        (problems, look.now)
    }

    /// Records that imports have set aside and that are kept.
    pub(crate) fn set_aside(&self) -> Option<u64> {
        (self.0.set_aside)()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn the_machine_is_looked_at_once_a_minute_and_whenever_something_changed() {
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let facts =
            Facts::new(move || vec![format!("EXERCISE {}", counted.fetch_add(1, Ordering::SeqCst) + 1)], || None);
        let look = |seconds: i64| Look { now: seconds * 1_000_000, unfolded: 0, erasing: false, again: false };
        let again = |seconds| Look { again: true, ..look(seconds) };
        let table = [
            (look(100), 1, "the first"),
            (look(159), 1, "a minute long the same is told"),
            (look(160), 2, "then it is looked at again"),
            (again(163), 2, "not faster than every five seconds, whoever asks"),
            (again(165), 3, "but then at once"),
            (Look { unfolded: 1, ..look(166) }, 4, "an entry could not be read"),
            (Look { unfolded: 1, erasing: true, ..look(167) }, 5, "an erasure began"),
            (look(90), 6, "the clock was set back"),
        ];
        for (asked, due, why) in table {
            let (problems, at) = facts.problems(asked);
            assert_eq!(problems, [format!("EXERCISE {due}")], "{why}");
            assert!(at <= asked.now, "{why}");
        }
        assert_eq!(looks.load(Ordering::SeqCst), 6);
    }
}
