use crate::Error;
use std::fmt;

/// The last year an instant may name: later ones are typing errors or attacks, and overflow clients' clocks.
pub const MAX_YEAR: i16 = 2200;

/// An instant in UTC, in microseconds since 1970-01-01T00:00:00Z.
///
/// STIX 2.1 §3.17 timestamps are RFC 3339 with `Z`; `.000Z` and `Z` are the same instant, and compare so here.
///
/// ```
/// use stix::Instant;
/// let a: Instant = "2021-01-01T00:00:00.000Z".parse()?;
/// assert_eq!(a, "2021-01-01T00:00:00Z".parse()?);
/// assert_eq!(a.to_string(), "2021-01-01T00:00:00.000000Z");
/// # Ok::<(), stix::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// The instant of the machine's clock.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// RFC 3339 with milliseconds, the form STIX bodies of our own carry.
    pub fn millis_string(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => format!("{t:.3}"),
            Err(_) => String::from("0000-00-00T00:00:00.000Z"),
        }
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t:.6}"),
            Err(_) => f.write_str("0000-00-00T00:00:00.000000Z"),
        }
    }
}

impl std::str::FromStr for Instant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(fast) = parse_plain(text.as_bytes()) {
            return Ok(fast);
        }
        let wrong = |why: String| Error::Invalid { property: "timestamp", why };
        if text.len() > 40 || !text.ends_with(['Z', 'z']) {
            return Err(wrong("write it as RFC 3339 in UTC, such as 2026-01-31T08:00:00.000Z".into()));
        }
        let t: jiff::Timestamp =
            text.parse().map_err(|_| wrong("write it as RFC 3339 in UTC, such as 2026-01-31T08:00:00.000Z".into()))?;
        in_range(t.as_microsecond())
    }
}

fn in_range(micros: i64) -> Result<Instant, Error> {
    const MIN: i64 = -2_208_988_800_000_000; // 1900-01-01
    const MAX: i64 = 7_289_654_400_000_000; // 2201-01-01
    if (MIN..MAX).contains(&micros) {
        Ok(Instant(micros))
    } else {
        Err(Error::Invalid { property: "timestamp", why: format!("the year must lie between 1900 and {MAX_YEAR}") })
    }
}

/// `YYYY-MM-DDTHH:MM:SS[.f{1,6}]Z` of 1970..=2199 without an allocation: nearly all instants are this.
fn parse_plain(b: &[u8]) -> Option<Instant> {
    let two = |at: usize| -> Option<i64> {
        let (a, b) = (*b.get(at)?, *b.get(at + 1)?);
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from((a - b'0') * 10 + (b - b'0')))
    };
    let is = |at: usize, c: u8| b.get(at) == Some(&c);
    if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) || b.len() > 27 {
        return None;
    }
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if !(1970..2200).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day < 1 || day > length {
        return None;
    }
    let mut micros = 0i64;
    let end = b.len().checked_sub(1)?;
    if b.get(end) != Some(&b'Z') {
        return None;
    }
    if end > 19 {
        if !is(19, b'.') || end == 20 {
            return None;
        }
        let mut scale = 100_000;
        for digit in b.get(20..end)? {
            if !digit.is_ascii_digit() {
                return None;
            }
            micros += i64::from(digit - b'0') * scale;
            scale /= 10;
        }
    } else if end != 19 {
        return None;
    }
    // Days from civil, H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let y = if month <= 2 { year - 1 } else { year };
    let era = y / 400;
    let yoe = y - era * 400;
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    Some(Instant((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instant_needs_utc_and_a_year_people_can_mean() {
        for bad in [
            "yesterday",
            "",
            "2021-02-30T00:00:00Z",
            "9999-01-01T00:00:00Z",
            "2021-01-01T00:00:00",
            "2021-01-01T00:00:00.Z",
            "2021-01-01",
        ] {
            assert!(bad.parse::<Instant>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_reader_agrees_with_the_library(micros in 0i64..7_200_000_000_000_000) {
            let t = jiff::Timestamp::from_microsecond(micros).unwrap();
            for text in [format!("{t:.6}"), format!("{t}")] {
                prop_assert_eq!(text.parse::<Instant>().unwrap().micros(), micros);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") { let _ = text.parse::<Instant>(); }
    }
}
