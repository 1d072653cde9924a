//! Passports (with and without their machine-readable zone), company numbers, plates.

use crate::{Found, Kind};

const BAD_DIGIT: &str = "the machine-readable zone's check digits do not hold: a character is wrong or missing";

/// A document number after a cue or in a field: 6 to 9 capitals and digits, mostly digits.
/// Without a letter it is supporting evidence, because countries number alike.
pub(crate) fn passport(raw: &str) -> Option<Found> {
    let value = compact(raw)?;
    let figures = value.bytes().filter(u8::is_ascii_digit).count();
    if !(6..=9).contains(&value.len()) || figures < 5 || crate::bytes::all_same(&value) {
        return None;
    }
    Some(match figures == value.len() {
        true => Found::weak(Kind::Passport, value, "digits only: other countries' documents have the same number"),
        false => Found::links(Kind::Passport, value),
    })
}

/// A company number after a cue or in a field.
pub(crate) fn company(raw: &str) -> Option<Found> {
    let value = compact(raw)?;
    let figures = value.bytes().filter(u8::is_ascii_digit).count();
    ((5..=20).contains(&value.len()) && figures >= 4 && !crate::bytes::all_same(&value))
        .then(|| Found::weak(Kind::CompanyNumber, value, "registers re-use each other's numbers"))
}

/// A vehicle plate after a cue or in a field: letters of any script and digits, without spaces and hyphens.
pub(crate) fn plate(raw: &str) -> Option<Found> {
    let value: String = raw.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '·')).collect::<String>().to_uppercase();
    let figures = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let others = value.chars().count() - figures;
    ((4..=12).contains(&(figures + others)) && (1..=8).contains(&figures) && letters >= 1 && others <= 7)
        .then(|| Found::weak(Kind::Plate, value, "plates repeat between countries and provinces"))
}

fn compact(raw: &str) -> Option<String> {
    let shaped = raw.bytes().all(|b| b.is_ascii_alphanumeric() || b" -./".contains(&b));
    shaped.then(|| raw.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_uppercase())).collect())
}

/// The machine-readable zone that begins at the start of `text`: its document number and how many bytes it takes.
/// TD3 (two lines of 44: passports), TD1 (three lines of 30: cards), TD2 (two lines of 36). ICAO Doc 9303 parts 4 to 6.
pub(crate) fn zone(text: &str) -> Option<(Found, usize)> {
    let (first, second, end) = lines(text)?;
    let (number, check, composite) = match first.len() {
        44 => (second.get(..9)?, second.get(9..10)?, Some(([0..10, 13..20, 21..43], 43))),
        36 => (second.get(..9)?, second.get(9..10)?, Some(([0..10, 13..20, 21..35], 35))),
        30 => (first.get(5..14)?, first.get(14..15)?, None),
        _ => return None,
    };
    let value = number.trim_end_matches('<');
    if value.len() < 5 || value.contains('<') {
        return None;
    }
    let mut holds = digit(number) == check;
    if let Some((parts, place)) = composite {
        let all: String = parts.into_iter().filter_map(|part| second.get(part)).collect();
        holds &= second.get(place..place + 1) == Some(digit(&all));
    }
    let found = match holds {
        true => Found::links(Kind::Passport, value),
        false => Found::never(Kind::Passport, value, BAD_DIGIT),
    };
    Some((found, end))
}

fn lines(text: &str) -> Option<(&str, &str, usize)> {
    let (first, at) = line(text, 0)?;
    let (second, end) = line(text, at)?;
    if second.len() != first.len() {
        return None;
    }
    match first.len() {
        30 => line(text, end).filter(|(third, _)| third.len() == 30).map(|(_, end)| (first, second, end)),
        36 | 44 => Some((first, second, end)),
        _ => None,
    }
}

/// One line of `A-Z0-9<` from `from`, past line breaks before it.
fn line(text: &str, from: usize) -> Option<(&str, usize)> {
    let rest = text.get(from..)?;
    let skipped = rest.bytes().take(4).take_while(|b| matches!(b, b'\r' | b'\n' | b' ')).count();
    let start = from + skipped;
    let rest = text.get(start..)?;
    let length =
        rest.bytes().take(45).take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'<').count();
    (length >= 30).then(|| (rest.get(..length).unwrap_or(""), start + length))
}

/// The check digit of Doc 9303: weights 7, 3, 1; letters count from 10; `<` is 0.
fn digit(text: &str) -> &'static str {
    const FIGURES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let sum: u32 = text
        .bytes()
        .zip([7u32, 3, 1].into_iter().cycle())
        .map(|(byte, weight)| {
            weight
                * match byte {
                    b'0'..=b'9' => u32::from(byte - b'0'),
                    b'A'..=b'Z' => u32::from(byte - b'A') + 10,
                    _ => 0,
                }
        })
        .sum();
    FIGURES.get(sum as usize % 10).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    // Specimens of ICAO Doc 9303, of the invented state of Utopia.
    const TD3: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    const TD1: &str = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";

    #[test]
    fn machine_readable_zones_hold_their_digits() {
        assert_eq!(
            zone(TD3).map(|(f, n)| (f.value, f.strength, n)),
            Some(("L898902C3".into(), Strength::Links, TD3.len()))
        );
        assert_eq!(
            zone(TD1).map(|(f, n)| (f.value, f.strength, n)),
            Some(("D23145890".into(), Strength::Links, TD1.len()))
        );
        assert_eq!(zone(&TD3.replace("L898902C3", "L898902C4")).map(|(f, _)| f.strength), Some(Strength::Never));
    }

    #[test]
    fn numbers_without_a_letter_or_a_register_are_evidence_only() {
        assert_eq!(passport("AB 1234567").map(|f| (f.value, f.strength)), Some(("AB1234567".into(), Strength::Links)));
        assert_eq!(passport("123456789").map(|f| f.strength), Some(Strength::Weak));
        assert_eq!(passport("holder"), None);
        assert_eq!(company("HRB 12345").map(|f| (f.value, f.strength)), Some(("HRB12345".into(), Strength::Weak)));
        assert_eq!(plate("กข 1234").map(|f| f.value), Some("กข1234".into()));
    }
}
