//! Countries as STIX names them (2.1, §4.10, `country`): ISO 3166-1 alpha-2.
use country_code_enum::CountryCode;
use std::fmt;
use std::str::FromStr;

/// Codes that ISO 3166-1 leaves to its users for ever: exercises play countries with them.
const LEFT_TO_USERS: [&str; 26] = [
    "XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH", "XI", "XJ", "XK", "XL", "XM", "XN", "XO", "XP", "XQ", "XR", "XS",
    "XT", "XU", "XV", "XW", "XX", "XY", "XZ",
];
/// Countries named to somebody who wrote none.
const NEAR: usize = 3;
/// A name at least as like (Jaro-Winkler) may be what was meant.
const LIKE: f64 = 0.88;
/// Characters shown of what was written.
const SHOWN: usize = 40;

/// A country: a code of ISO 3166-1 alpha-2 in capitals, or one of XA to XZ.
///
/// ```
/// use stix::Country;
/// assert_eq!("th".parse::<Country>()?.as_str(), "TH");
/// assert_eq!("XA".parse::<Country>()?.name(), None);
/// let wrong = "Thailnd".parse::<Country>().unwrap_err();
/// assert_eq!(wrong.near[0].as_str(), "TH");
/// # Ok::<(), stix::NoCountry>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(&'static str);

impl Country {
    /// Its two letters, in capitals.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Its common name in English; none for what ISO leaves to its users.
    pub fn name(self) -> Option<&'static str> {
        if LEFT_TO_USERS.contains(&self.0) { None } else { self.0.parse::<CountryCode>().ok().map(|c| c.name()) }
    }

    fn all() -> impl Iterator<Item = (Self, &'static str)> {
        CountryCode::iter().map(|code| (Self(code.into()), code.name()))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Country {
    type Err = NoCountry;

    /// Reads two letters in any case; spaces around them do not matter.
    fn from_str(text: &str) -> Result<Self, NoCountry> {
        let text = text.trim();
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let upper = text.to_ascii_uppercase();
            if let Some(code) = LEFT_TO_USERS.iter().find(|code| **code == upper) {
                return Ok(Self(code));
            }
            if let Ok(code) = upper.parse::<CountryCode>() {
                return Ok(Self(code.into()));
            }
        }
        Err(NoCountry { written: text.chars().take(SHOWN).collect(), near: near(text) })
    }
}

impl<'de> serde::Deserialize<'de> for Country {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: std::borrow::Cow<'de, str> = serde::Deserialize::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What was written names no country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCountry {
    /// What was written, its beginning.
    pub written: String,
    /// What may have been meant, the likeliest first; at most three.
    pub near: Vec<Country>,
}

impl std::error::Error for NoCountry {}

impl fmt::Display for NoCountry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no country code of ISO 3166-1; write two letters such as TH", self.written)?;
        if !self.near.is_empty() {
            let named = |c: &Country| format!("{c} ({})", c.name().unwrap_or_default());
            write!(f, ". Did you mean {}?", self.near.iter().map(named).collect::<Vec<_>>().join(" or "))?;
        }
        f.write_str(if self.near.is_empty() { "; XA to XZ are for exercises" } else { " XA to XZ are for exercises" })
    }
}

/// What somebody may have meant who wrote a name, an abbreviation or three letters.
fn near(text: &str) -> Vec<Country> {
    let meant = text.to_lowercase();
    if meant.chars().count() < 2 {
        return Vec::new();
    }
    let mut found: Vec<(u8, f64, Country)> = Country::all()
        .filter_map(|(country, name)| {
            let name = name.to_lowercase();
            let like = strsim::jaro_winkler(&meant, &name);
            let rank = if name == meant || initials(&name) == meant {
                0
            } else if name.starts_with(&meant) {
                1
            } else if is_three_letters(&meant, country, &name) {
                2
            } else if meant.len() > 3 && like >= LIKE {
                3
            } else {
                return None;
            };
            Some((rank, like, country))
        })
        .collect();
    found.sort_by(|a, b| (a.0, b.1, a.2).partial_cmp(&(b.0, a.1, b.2)).unwrap_or(std::cmp::Ordering::Equal));
    found.into_iter().map(|(.., country)| country).take(NEAR).collect()
}

/// `united kingdom` is `uk`.
fn initials(name: &str) -> String {
    let small = ["of", "and", "the", "da"];
    name.split([' ', '-']).filter(|word| !small.contains(word)).filter_map(|word| word.chars().next()).collect()
}

/// Whether an ISO 3166-1 alpha-3 code may be this country's: its letters stand in the name in this order, and those of
/// the two-letter code stand in it.
fn is_three_letters(meant: &str, country: Country, name: &str) -> bool {
    let code = country.as_str().to_ascii_lowercase();
    meant.len() == 3 && is_within(meant, name) && is_within(&code, meant)
}

/// Whether the letters of `part` stand in `whole` in their order.
fn is_within(part: &str, whole: &str) -> bool {
    let mut letters = whole.chars();
    part.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(text: &str) -> Vec<&'static str> {
        text.parse::<Country>().unwrap_err().near.into_iter().map(Country::as_str).collect()
    }

    #[test]
    fn every_code_of_iso_3166_1_reads_in_any_case_and_nothing_else_does() {
        let read = (b'A'..=b'Z')
            .flat_map(|a| (b'A'..=b'Z').map(move |b| String::from_utf8(vec![a, b]).unwrap()))
            .filter(|code| {
                let read = code.parse::<Country>().ok();
                assert_eq!(read, format!(" {} ", code.to_lowercase()).parse().ok(), "{code}");
                read.is_some_and(|country| country.as_str() == code)
            })
            .count();
        // 249 officially assigned, 26 for users.
        assert_eq!(read, 249 + 26);
        for wrong in ["", " ", "T", "THA", "Thailand", "ZZ", "AA", "EU", "UK", "ＴＨ", "T1", "ไทย", "T H"] {
            assert!(wrong.parse::<Country>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_wrote_a_name_is_told_its_code() {
        for (written, meant) in [
            ("Thailand", "TH"),
            ("thailnd", "TH"),
            ("Phillipines", "PH"),
            ("UK", "GB"),
            ("THA", "TH"),
            ("CHN", "CN"),
            ("uae", "AE"),
            ("Viet", "VN"),
            ("Singapur", "SG"),
        ] {
            assert_eq!(near(written).first(), Some(&meant), "{written}: {:?}", near(written));
        }
        assert!(near("qqqqqq").is_empty() && near("").is_empty());
        assert!((0..200).map(|n| "a".repeat(n)).all(|long| near(&long).len() <= NEAR));
    }

    #[test]
    fn an_error_says_what_was_written_what_is_right_and_what_may_have_been_meant() {
        let said = "Cambodja".parse::<Country>().unwrap_err().to_string();
        assert_eq!(
            said,
            "`Cambodja` is no country code of ISO 3166-1; write two letters such as TH. Did you mean KH (Cambodia)? \
             XA to XZ are for exercises"
        );
        assert!("x".repeat(4_000).parse::<Country>().unwrap_err().to_string().len() < 200);
    }
}
