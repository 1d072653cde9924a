//! Telephone numbers to E.164. The parser costs 15 µs a number, so callers come here only with a `+`, a cue or a country.

use crate::bytes::digits;
use crate::{Flags, Found, Kind};
use phonenumber::country::Id;
use std::sync::LazyLock;

/// The parser keeps 100 compiled patterns for all countries and compiles again when they do not suffice, at 100 µs and
/// more each; reports speak of more countries than that. 600 patterns are room for about fifty countries.
static ROOM: LazyLock<()> = LazyLock::new(|| {
    if let Ok(mut cache) = phonenumber::metadata::DATABASE.cache().lock() {
        *cache = regex_cache::RegexCache::new(600);
    }
});

/// Where a run of digits says it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Written with `+`.
    International,
    /// As dialled in this country.
    National(Id),
}

/// A country of ISO 3166-1 that has telephone numbers.
pub(crate) fn country(code: &str) -> Option<Id> {
    let bytes = code.as_bytes();
    if bytes.len() != 2 || !bytes.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let upper = code.to_ascii_uppercase();
    upper.parse().ok()
}

/// Reads digits (nothing else) as a number; `None` when the numbering plan knows no such number.
pub(crate) fn read(digits: &str, form: Form) -> Option<String> {
    if !(5..=17).contains(&digits.len()) {
        return None;
    }
    if let Some(number) = north_american(digits, form) {
        return number;
    }
    LazyLock::force(&ROOM);
    let parsed = match form {
        Form::International if digits.starts_with('0') => return None,
        Form::International => phonenumber::parse(None, format!("+{digits}")),
        Form::National(country) => phonenumber::parse(Some(country), digits),
    }
    .ok()?;
    if !phonenumber::is_valid(&parsed) {
        return None;
    }
    let national = parsed.national();
    let zeros = if parsed.code().value() == 39 { usize::from(national.zeros()) } else { 0 };
    Some(format!("+{}{}{}", parsed.code().value(), "0".repeat(zeros), national.value()))
}

/// Whose country code is 1.
#[rustfmt::skip]
const NORTH_AMERICAN: [Id; 25] = [Id::US, Id::CA, Id::AG, Id::AI, Id::AS, Id::BB, Id::BM, Id::BS, Id::DM, Id::DO, Id::GD, Id::GU, Id::JM, Id::KN, Id::KY, Id::LC, Id::MP, Id::MS, Id::PR, Id::SX, Id::TC, Id::TT, Id::VC, Id::VG, Id::VI];

/// Whether a country dials after the North American plan.
pub(crate) fn is_north_american(country: Id) -> bool {
    NORTH_AMERICAN.contains(&country)
}

/// Country code 1 is shared by 25 countries, whose patterns the parser would try one after the other. The shape that the
/// North American plan gives all of them (area and exchange begin with 2 to 9; no `N11`, no `37x`, no `96x`) decides instead.
/// `None` when the number is of another plan.
fn north_american(digits: &str, form: Form) -> Option<Option<String>> {
    let national = match form {
        Form::International => digits.strip_prefix('1')?,
        Form::National(country) if is_north_american(country) => digits
            .strip_prefix("011")
            .filter(|r| r.len() > 8)
            .map_or(digits.strip_prefix('1').filter(|r| r.len() == 10).or(Some(digits)), |_| None)?,
        Form::National(_) => return None,
    };
    let shaped = match national.as_bytes() {
        [a @ b'2'..=b'9', b, c, x @ b'2'..=b'9', y, z, _, _, _, _] => {
            (*b, *c) != (b'1', b'1')
                && (*y, *z) != (b'1', b'1')
                && *b != b'9'
                && (*a, *b) != (b'3', b'7')
                && (*a, *b) != (b'9', b'6')
                && *x > b'1'
        }
        _ => false,
    };
    Some((shaped && !crate::bytes::all_same(national)).then(|| format!("+1{national}")))
}

/// A number with `+` whose range the plan does not know: shown, because plans grow faster than their copies.
fn unknown_range(digits: &str) -> Option<Found> {
    ((8..=15).contains(&digits.len()) && !digits.starts_with('0') && !crate::bytes::all_same(digits))
        .then(|| Found::weak(Kind::Phone, format!("+{digits}"), "no numbering plan we know has this number"))
}

/// A field that holds a telephone number, national or international, or a `tel:` URI.
pub(crate) fn typed(raw: &str, hint: Option<&str>) -> Option<Found> {
    let raw = raw.trim();
    let raw = raw.strip_prefix("tel:").unwrap_or(raw);
    let raw = raw.split([';', 'x', 'X']).next().unwrap_or(raw).trim();
    if !raw.chars().all(|c| c.is_ascii_digit() || " +-.()/".contains(c)) {
        return None;
    }
    let number = digits(&raw.replace("(0)", ""));
    if raw.starts_with('+') {
        return read(&number, Form::International)
            .map(|value| Found::links(Kind::Phone, value))
            .or_else(|| unknown_range(&number));
    }
    if let Some(rest) = number.strip_prefix("00")
        && let Some(value) = read(rest, Form::International)
    {
        return Some(Found::links(Kind::Phone, value));
    }
    if let Some(value) = hint.and_then(country).and_then(|c| read(&number, Form::National(c))) {
        return Some(Found::links(Kind::Phone, value));
    }
    // A field without country: digits that begin with a country's code and are valid there.
    (number.len() >= 10)
        .then(|| read(&number, Form::International))
        .flatten()
        .map(|value| Found::weak(Kind::Phone, value, "written without + and without a country: read as international"))
}

/// Reads digits found in a text.
///
/// - `plus`: a `+` stood before them.
/// - `hint`: the report's country.
/// - `cue`: the country of the cue word's language, empty when it tells none; `None` without a cue.
/// - `grouped`: written in groups, or with a trunk zero.
pub(crate) fn in_text(number: &str, plus: bool, hint: Option<Id>, cue: Option<&str>, grouped: bool) -> Option<Found> {
    if plus {
        // Too short for E.164, or far too long, is a calculation rather than a number.
        return read(number, Form::International)
            .map(|value| Found::links(Kind::Phone, value))
            .or_else(|| cue.and_then(|_| unknown_range(number)));
    }
    if let Some(rest) = number.strip_prefix("00").filter(|rest| rest.len() >= 8)
        && let Some(value) = read(rest, Form::International)
    {
        return Some(Found::links(Kind::Phone, value));
    }
    if let Some(value) = hint.and_then(|c| read(number, Form::National(c))) {
        let found = Found::links(Kind::Phone, value);
        return Some(match cue.is_some() || grouped {
            true => found,
            false => Found::weak(
                Kind::Phone,
                found.value,
                "a bare run of digits that fits the report's country, without a cue word",
            ),
        });
    }
    let cue = cue?;
    if let Some(value) = country(cue).and_then(|c| read(number, Form::National(c))) {
        return Some(Found::links(Kind::Phone, value).flag(Flags::ASSUMED_COUNTRY));
    }
    // International without its plus, behind a cue: country code and a valid number.
    (number.len() >= 11 && !number.starts_with('0'))
        .then(|| read(number, Form::International))
        .flatten()
        .map(|value| Found::weak(Kind::Phone, value, "written without +: read as international"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    #[test]
    fn national_and_international_spellings_are_one_number() {
        for (raw, country) in [
            ("+44 20 7946 0958", None),
            ("0044 20 7946 0958", None),
            ("020 7946 0958", Some("GB")),
            ("(020) 7946-0958", Some("gb")),
            ("+44 (0)20 7946 0958", None),
            ("tel:+44-20-7946-0958", None),
        ] {
            let found = typed(raw, country).unwrap();
            assert_eq!((found.value.as_str(), found.strength), ("+442079460958", Strength::Links), "{raw}");
        }
    }

    #[test]
    fn italian_numbers_keep_their_zero() {
        assert_eq!(typed("+39 06 6982", None).map(|f| f.value), Some("+39066982".into()));
    }

    #[test]
    fn what_no_plan_knows_is_weak_and_nonsense_is_nothing() {
        assert_eq!(typed("+999 1234 5678", None).map(|f| f.strength), Some(Strength::Weak));
        assert_eq!(typed("12", Some("US")), None);
        assert_eq!(typed("call me", Some("US")), None);
        assert_eq!(in_text("2024011512", false, None, None, true), None);
    }
}
