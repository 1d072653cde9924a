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

    /// A time as tables write it: by a format (`%d/%m/%Y %H:%M`), else Unix seconds or milliseconds, else as in
    /// [`Span::read`], a blank between date and time or a `T`. What is written to the minute is that minute, a date that day.
    ///
    /// ```
    /// use money::bank::{Span, zone_named};
    /// let zone = zone_named("+07:00")?;
    /// let minute = Span::written("01/03/2026 09:14", Some("%d/%m/%Y %H:%M"), &zone).unwrap();
    /// assert_eq!((minute.earliest, minute.latest), (1_772_331_240, 1_772_331_299));
    /// let day = Span::written("01/03/2026", Some("%d/%m/%Y"), &zone).unwrap();
    /// assert_eq!(day.latest - day.earliest, 86_399);
    /// # Ok::<(), String>(())
    /// ```
    pub fn written(text: &str, format: Option<&str>, zone: &TimeZone) -> Option<Span> {
        let Some(format) = format else {
            if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
                let number: i64 = text.parse().ok()?;
                let seconds = if text.len() >= 12 { number / 1_000 } else { number };
                return span(seconds, seconds);
            }
            return Span::read(&text.replacen(' ', "T", 1), zone);
        };
        let parts = jiff::fmt::strtime::parse(format, text).ok()?;
        if let Ok(instant) = parts.to_timestamp() {
            return span(instant.as_second(), instant.as_second());
        }
        if parts.hour().is_none() {
            return Span::read(&parts.to_date().ok()?.to_string(), zone);
        }
        let read = Span::read(&parts.to_datetime().ok()?.to_string(), zone)?;
        let rest = if parts.second().is_none() { 59 } else { 0 };
        Some(Span { latest: read.latest.checked_add(rest)?, ..read })
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
