//! Dates of many spellings to STIX timestamps.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

/// Seconds since 1970 as STIX writes time; `None` outside the years 1 to 9998.
pub(crate) fn from_seconds(seconds: i64) -> Option<String> {
    stix(Timestamp::from_second(seconds).ok()?)
}

/// A time as STIX writes it: RFC 3339 in UTC with at least milliseconds.
pub(crate) fn stix(time: Timestamp) -> Option<String> {
    let civil = time.to_zoned(TimeZone::UTC);
    if !(1..=9998).contains(&civil.year()) {
        return None;
    }
    let digits =
        if time.subsec_nanosecond() % 1_000_000 == 0 { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    Some(civil.strftime(digits).to_string())
}

/// ISO 8601 dates and times; those without a zone are taken as UTC.
pub(crate) fn from_iso(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return stix(time);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return stix(time.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    let date = text.parse::<Date>().ok()?;
    stix(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// By a `strftime` pattern; patterns without a time of day give midnight UTC.
pub(crate) fn from_pattern(pattern: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if pattern == "unix" {
        let seconds = text.parse().map_err(|_| "not a number of seconds since 1970".to_owned())?;
        return from_seconds(seconds).ok_or_else(|| "outside the years 1 to 9998".to_owned());
    }
    if pattern == "unix-ms" {
        let millis: i64 = text.parse().map_err(|_| "not a number of milliseconds since 1970".to_owned())?;
        return Timestamp::from_millisecond(millis)
            .ok()
            .and_then(stix)
            .ok_or_else(|| "outside the years 1 to 9998".to_owned());
    }
    let wrong = || format!("does not read as a date of the pattern {pattern}");
    let parsed = jiff::fmt::strtime::parse(pattern, text).map_err(|_| wrong())?;
    if let Ok(time) = parsed.to_timestamp() {
        return stix(time).ok_or_else(wrong);
    }
    let civil = match parsed.to_datetime() {
        Ok(civil) => civil,
        Err(_) => parsed.to_date().map_err(|_| wrong())?.to_datetime(jiff::civil::Time::midnight()),
    };
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    stix(zoned.timestamp()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_time_of_day_gives_midnight() {
        assert_eq!(from_pattern("%d/%m/%Y", "03/02/2025").unwrap(), "2025-02-03T00:00:00.000Z");
        assert_eq!(from_pattern("%d.%m.%Y %H:%M", "03.02.2025 17:30").unwrap(), "2025-02-03T17:30:00.000Z");
        assert_eq!(from_pattern("unix", "0").unwrap(), "1970-01-01T00:00:00.000Z");
        assert!(from_pattern("%d/%m/%Y", "13/13/2025").is_err());
    }

    #[test]
    fn years_that_stix_cannot_hold_are_refused() {
        assert_eq!(from_iso("9999-12-31T23:59:59Z"), None);
        assert_eq!(from_iso("2020-10-25").unwrap(), "2020-10-25T00:00:00.000Z");
    }
}
