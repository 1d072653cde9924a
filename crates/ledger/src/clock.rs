//! A clock that was once far ahead: what arrived then stands, and every later entry would have to wait for that time.
//! Whoever has looked says that the clock is right as it is, and entries go on a microsecond at a time.
use crate::{Ledger, Result, State};
use rusqlite::OptionalExtension;

/// A clock further behind the last entry than this stops appends, µs.
pub(crate) const FURTHEST: i64 = 3_600_000_000;

const KEY: &str = "clock_accepted";

/// `arrived` of the last entry when the clock was accepted last.
pub(crate) fn accepted(state: &State) -> Result<i64> {
    let value = state.read(|c| {
        Ok(c.query_row("SELECT value FROM meta WHERE key = ?", [KEY], |r| r.get::<_, i64>(0)).optional()?)
    })?;
    Ok(value.unwrap_or(i64::MIN))
}

/// How far a clock of `now` is behind the last entry, µs, when that stops appends. An accepted clock goes on until entries
/// have moved on by as much again: then it jumped anew.
pub(crate) fn too_far_behind(arrived: i64, now: i64, accepted: i64) -> Option<i64> {
    let behind = arrived.saturating_sub(now);
    let accepted = arrived.saturating_sub(accepted) <= FURTHEST;
    (behind > FURTHEST && !accepted).then_some(behind)
}

impl crate::writer::Writer {
    /// How far the clock is behind, µs, when that stops appends.
    pub(crate) fn too_far_behind(&self) -> Option<i64> {
        too_far_behind(self.last_arrived, self.clock.now(), self.clock_accepted)
    }
}

impl Ledger {
    /// Seconds that the clock is behind the last entry, when nothing is appended for that.
    ///
    /// # Errors
    /// [`crate::Error::Closed`].
    pub fn clock_stops_appends(&self) -> Result<Option<i64>> {
        self.in_writer(|writer| Ok(writer.too_far_behind().map(|behind| behind / 1_000_000)))
    }

    /// Takes the clock as right although entries arrived later than it says: appends go on, each a microsecond after the
    /// one before, until the clock has caught up.
    ///
    /// # Errors
    /// The storage's.
    pub fn accept_clock(&self) -> Result<()> {
        let last = self.in_writer(|writer| {
            writer.recover()?;
            Ok(writer.last_arrived)
        })?;
        self.state().write(move |c| {
            c.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?,?)", (KEY, last))?;
            Ok(())
        })?;
        self.in_writer(move |writer| {
            writer.clock_accepted = last;
            Ok(())
        })
    }
}
