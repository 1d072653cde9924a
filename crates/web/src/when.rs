//! Moments and numbers as a reader sees them: UTC inside, the viewer's zone outside.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::{Timestamp, tz::TimeZone};

use crate::i18n::Locale;

/// A moment on a page: `<time>` with the exact UTC instant for machines and the viewer's wall clock for her.
#[derive(Debug, Clone)]
pub struct Moment {
    iso: String,
    text: String,
}

impl Moment {
    /// Date, minute and zone: `24 Nov 2026, 10:50 UTC`. The order comes from Fluent (`date-time`).
    #[must_use]
    pub fn new(at: Timestamp, zone: &TimeZone, l: &Locale) -> Self {
        let local = at.to_zoned(zone.clone());
        let month = l.t(&format!("month-{}", local.month()));
        let text = l.t_args(
            "date-time",
            &[
                ("day", local.day().to_string().into()),
                ("month", month.into()),
                ("year", local.year().to_string().into()),
                ("time", local.strftime("%H:%M").to_string().into()),
                ("zone", local.strftime("%Z").to_string().into()),
            ],
        );
        Self { iso: at.to_string(), text }
    }

    /// The text alone, for attributes and plain text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// RFC 3339, UTC.
    #[must_use]
    pub fn iso(&self) -> &str {
        &self.iso
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time class=\"ce-time\" datetime=\"{}\">", self.iso)?;
        // Strings of a locale may hold any character.
        for c in self.text.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '&' => f.write_str("&amp;")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("</time>")
    }
}
impl HtmlSafe for Moment {}

/// A whole number in groups of three: `4,819`.
///
/// ```
/// assert_eq!(web::when::grouped(-1234567), "-1,234,567");
/// ```
#[must_use]
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// A viewer's zone by its IANA name; an unknown name gives UTC.
#[must_use]
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn a_moment_is_told_in_the_viewers_zone_and_kept_in_utc() {
        let l = Catalogue::new(&[]).unwrap().locale("en");
        let at: Timestamp = "2026-11-24T22:50:09Z".parse().unwrap();
        let shown = Moment::new(at, &TimeZone::fixed(jiff::tz::offset(7)), &l).to_string();
        assert_eq!(shown, "<time class=\"ce-time\" datetime=\"2026-11-24T22:50:09Z\">25 Nov 2026, 05:50 +07</time>");
        assert_eq!(Moment::new(at, &TimeZone::UTC, &l).text(), "24 Nov 2026, 22:50 UTC");
    }

    #[test]
    fn numbers_group_by_threes() {
        for (n, said) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (4819, "4,819"), (i64::MIN, "-9,223,372,036,854,775,808")]
        {
            assert_eq!(grouped(n), said);
        }
    }
}
