//! When: an interval, for a bank that gives a day says no more than that.
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// From the earliest to the latest second that it can have been, both of them in it; Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The earliest.
    pub earliest: u32,
    /// The latest.
    pub latest: u32,
}

impl Span {
    /// A day (`2026-03-01`) or a time (`2026-03-01T09:14:00`, with an offset or in `zone`). A time that clocks show
    /// twice is both; a day is as long as it is there.
    ///
    /// ```
    /// use money::bank::{Span, zone_named};
    /// let zone = zone_named("Asia/Bangkok")?;
    /// let day = Span::read("2026-03-01", &zone).unwrap();
    /// assert_eq!((day.earliest, day.latest - day.earliest), (1_772_298_000, 86_399));
    /// let time = Span::read("2026-03-01T09:14:00+07:00", &zone).unwrap();
    /// assert_eq!(time.earliest, time.latest);
    /// # Ok::<(), String>(())
    /// ```
    pub fn read(text: &str, zone: &TimeZone) -> Option<Span> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return span(instant.as_second(), instant.as_second());
        }
        if text.contains('T') {
            let ambiguous = zone.to_ambiguous_timestamp(text.parse::<DateTime>().ok()?);
            return span(ambiguous.earlier().ok()?.as_second(), ambiguous.later().ok()?.as_second());
        }
        let date: Date = day_of(text)?.parse().ok()?;
        let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_second());
        span(midnight(date)?, midnight(date.tomorrow().ok()?)? - 1)
    }

    /// From the earlier earliest to the later latest.
    #[must_use]
    pub fn hull(self, other: Span) -> Span {
        Span { earliest: self.earliest.min(other.earliest), latest: self.latest.max(other.latest) }
    }

    /// Seconds between the two, 0 when they meet.
    pub fn apart(self, other: Span) -> u32 {
        other.earliest.saturating_sub(self.latest).max(self.earliest.saturating_sub(other.latest))
    }
}

/// XML's dates may carry an offset (`2026-03-01+07:00`): the day is what counts.
fn day_of(text: &str) -> Option<&str> {
    text.get(..10)
}

fn span(earliest: i64, latest: i64) -> Option<Span> {
    Some(Span { earliest: u32::try_from(earliest).ok()?, latest: u32::try_from(latest).ok()? })
}

/// A zone by its name (`Asia/Bangkok`) or offset (`+07:00`).
///
/// # Errors
/// It is not known.
pub fn zone_named(name: &str) -> std::result::Result<TimeZone, String> {
    crate::chain::zone(Some(name))
}
