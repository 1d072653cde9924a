//! Runs of digits in a text: telephone numbers, cards, IBANs, coordinates.

use crate::bytes::{at, before, is_alnum, is_digit, piece};
use crate::cue::Cue;
use crate::scan::Pass;
use crate::{Flags, Kind, bank, phone, place};

/// Digits with single separators between them, from the first on.
struct Run {
    digits: String,
    /// After each group: number of digits so far, and where the group ends.
    groups: Vec<(usize, usize)>,
}

const MOST_DIGITS: usize = 24;

/// Most attempts at a telephone number in one text (30 ms).
const MOST_PARSES: usize = 2000;

fn run(bytes: &[u8], start: usize, plus: bool) -> Run {
    let mut run = Run { digits: String::new(), groups: Vec::new() };
    let mut i = start;
    loop {
        while is_digit(at(bytes, i)) && run.digits.len() <= MOST_DIGITS {
            run.digits.push(char::from(at(bytes, i)));
            i += 1;
        }
        run.groups.push((run.digits.len(), i));
        let mut next = i;
        // `0*8*1*2`: signs that nobody puts between numbers, one digit at a time.
        if matches!(at(bytes, i), b'*' | b'_' | b'~') && lone(bytes, i.wrapping_sub(1)) && lone(bytes, i + 1) {
            i += 1;
            continue;
        }
        while next < i + 3 && matches!(at(bytes, next), b' ' | b'-' | b'.' | b'(' | b')' | b'/') {
            next += 1;
        }
        // A bracket opens the area or the trunk zero; later on it opens a remark: `18001234 (0đ)`.
        let remark = run.digits.len() > 4 && bytes.get(i..next).is_some_and(|between| between.contains(&b'('));
        let machine = !plus && at(bytes, i) == b' ' && is_dotted_quad(bytes, next);
        if remark || machine || next == i || !is_digit(at(bytes, next)) || run.digits.len() > MOST_DIGITS {
            return run;
        }
        i = next;
    }
}

/// Whether a digit stands at `i` without others beside it.
fn lone(bytes: &[u8], i: usize) -> bool {
    is_digit(at(bytes, i)) && !is_digit(at(bytes, i + 1)) && !is_digit(before(bytes, i))
}

/// Reads the number at `start`. `plus` is where its `+` stands. The position to go on from, when something was read.
pub(crate) fn read(pass: &mut Pass<'_>, start: usize, plus: Option<usize>) -> Option<usize> {
    let previous = before(pass.bytes, start);
    if plus.is_none()
        && (matches!(previous, b'$' | b'#' | b'%' | b'=')
            || (previous == b'.' && is_digit(before(pass.bytes, start.wrapping_sub(1)))))
    {
        return None;
    }
    if plus.is_none()
        && let Some(past) = coordinates(pass, start)
    {
        return Some(past);
    }
    let run = run(pass.bytes, start, plus.is_some());
    let end = run.groups.last()?.1;
    // `08450501132over18s`: behind a cue the words that follow may have run into the number.
    let runs_on = is_alnum(at(pass.bytes, end));
    let last = run.groups.iter().rev().map(|(count, _)| *count);
    let tail = last.clone().next().unwrap_or(0) - last.clone().nth(1).unwrap_or(0);
    let cued = || pass.cues.near(start, 24, |cue| matches!(cue, Cue::Phone(_))).is_some();
    if run.digits.len() < 5
        || (runs_on && !(run.digits.len() >= 9 && tail >= 3 && at(pass.bytes, end) != b'x' && cued()))
        || (at(pass.bytes, end) == b'-' && is_alnum(at(pass.bytes, end + 1)))
    {
        return None;
    }
    if plus.is_none() && previous == b'-' && is_alnum(before(pass.bytes, start.wrapping_sub(1))) {
        return None;
    }
    if plus.is_none()
        && let Some(past) = card(pass, start, &run)
    {
        return Some(past);
    }
    telephone(pass, start, plus, &run)
}

fn coordinates(pass: &mut Pass<'_>, start: usize) -> Option<usize> {
    // Only a number with a point soon behind it can be one.
    let point = (1..=3).find(|n| at(pass.bytes, start + n) == b'.')?;
    if !is_digit(at(pass.bytes, start + point + 1)) {
        return None;
    }
    let from = if before(pass.bytes, start) == b'-' { start - 1 } else { start };
    let (found, end, decimals) = place::pair(pass.text, from)?;
    let said = || {
        pass.cues.near(start, 32, |cue| cue == Cue::Place).is_some()
            || piece(pass.text, from.saturating_sub(4)..from) == "geo:"
    };
    if decimals < 4 && !(decimals >= 2 && said()) {
        return None;
    }
    pass.emit(found, from, end);
    Some(end)
}

/// Four groups of four (or 4-6-5) with the right digits, or any grouping behind a cue.
fn card(pass: &mut Pass<'_>, start: usize, run: &Run) -> Option<usize> {
    let (count, end) = run.groups.iter().copied().rfind(|(count, _)| (13..=19).contains(count))?;
    let counts: Vec<usize> = run.groups.iter().map(|(count, _)| *count).collect();
    let grouped = counts.starts_with(&[4, 8, 12, 16]) || counts == [4, 10, 15];
    let cue = pass.cues.near(start, 40, |cue| matches!(cue, Cue::Card)).is_some();
    if !grouped && !cue {
        return None;
    }
    let (count, end) = if counts.starts_with(&[4, 8, 12, 16]) { run.groups.get(3).copied()? } else { (count, end) };
    let found = bank::card(run.digits.get(..count)?)?;
    if found.strength == crate::Strength::Never && !cue {
        return None;
    }
    pass.emit(found, start, end);
    Some(end)
}

fn telephone(pass: &mut Pass<'_>, start: usize, plus: Option<usize>, run: &Run) -> Option<usize> {
    if run.digits.len() < 7 && plus.is_none() {
        return None;
    }
    let spot = pass.cues.near(plus.unwrap_or(start), 40, |cue| {
        matches!(cue, Cue::Phone(_))
            || matches!(
                cue,
                Cue::Handle(
                    Kind::Whatsapp
                        | Kind::Viber
                        | Kind::Signal
                        | Kind::Telegram
                        | Kind::Zalo
                        | Kind::Line
                        | Kind::Wechat
                        | Kind::Kakaotalk
                )
            )
    });
    // What a nearer word says otherwise is not a telephone number.
    let spot = spot.filter(|spot| {
        pass.cues
            .near(start, 40, |cue| matches!(cue, Cue::Account | Cue::Card | Cue::Transaction | Cue::Version))
            .is_none_or(|other| other.end < spot.end)
    });
    let cue = spot.map(|spot| match spot.cue {
        Cue::Phone(country) => country,
        Cue::Handle(Kind::Zalo) => "VN",
        _ => "",
    });
    let double_zero = run.digits.starts_with("00") && run.digits.len() >= 10;
    if plus.is_none() && cue.is_none() && (pass.country.is_none() && !double_zero || is_dotted_quad(pass.bytes, start))
    {
        return None;
    }
    // Two numbers with one space between them: the longest prefix of whole groups that is a number, within five tries.
    let mut tries = 0;
    for (at_group, (count, end)) in run.groups.iter().copied().enumerate().rev() {
        let most = if double_zero { 17 } else { 15 };
        if !(7..=most).contains(&count) {
            continue;
        }
        tries += if plus.is_some() || pass.country.is_some() { 1 } else { 2 };
        pass.parses += 1;
        if tries > 5 || pass.parses > MOST_PARSES {
            break;
        }
        let mut digits = run.digits.get(..count)?.to_string();
        if plus.is_some() {
            drop_trunk(pass, start, end, &mut digits);
        }
        let opened = before(pass.bytes, start) == b'(';
        let grouped = at_group > 0 || opened || digits.starts_with('0');
        if plus.is_none() && cue.is_none() && (is_date(&digits, &run.groups) || count > 12 && !double_zero) {
            continue;
        }
        if plus.is_none() && is_slashed_date(piece(pass.text, start..end)) {
            continue;
        }
        // Ten digits in groups of another shape than 3-3-4 are a table's, not North America's.
        let shape: Vec<usize> = run.groups.iter().map(|(n, _)| *n).take(at_group + 1).collect();
        let odd_shape =
            at_group > 0 && !matches!(shape.as_slice(), [3, 6, 10] | [1, 4, 7, 11] | [3, 10] | [6, 10] | [1, 11]);
        let spelled = shape.len() >= 10;
        let american = pass.country.is_some_and(phone::is_north_american);
        if plus.is_none() && cue.is_none() && american && odd_shape && !spelled && !double_zero {
            continue;
        }
        if let Some(mut found) = phone::in_text(&digits, plus.is_some(), pass.country, cue, grouped) {
            if cue.is_some() {
                found = found.flag(Flags::CUED);
            }
            let from = plus.unwrap_or(if opened { start - 1 } else { start });
            pass.emit(found, from, end);
            return Some(end);
        }
    }
    None
}

/// `+44 (0)20`: the zero in brackets is dialled at home only.
fn drop_trunk(pass: &Pass<'_>, start: usize, end: usize, digits: &mut String) {
    let written = piece(pass.text, start..end);
    if let Some(at) = written.find("(0)") {
        let before = written.bytes().take(at).filter(u8::is_ascii_digit).count();
        if before < digits.len() {
            digits.remove(before);
        }
    }
}

/// `45.155.205.233`: what can be a machine's address is one, unless a word says that it is a telephone number.
fn is_dotted_quad(bytes: &[u8], start: usize) -> bool {
    let mut i = start;
    for part in 0..4 {
        if part > 0 {
            if at(bytes, i) != b'.' {
                return false;
            }
            i += 1;
        }
        let from = i;
        let mut value = 0u32;
        while is_digit(at(bytes, i)) && i < from + 4 {
            value = value * 10 + u32::from(at(bytes, i) - b'0');
            i += 1;
        }
        let zero_before = i > from + 1 && at(bytes, from) == b'0';
        if i == from || value > 255 || zero_before {
            return false;
        }
    }
    !(is_digit(at(bytes, i)) || at(bytes, i) == b'.' && is_digit(at(bytes, i + 1)))
}

/// `29/03/2565`, `25/05/64 20:24`: two strokes make a date, also behind a cue.
fn is_slashed_date(written: &str) -> bool {
    let mut parts = written.split('/');
    let mut part = || parts.next().map(str::trim).filter(|p| (1..=2).contains(&p.len()) || p.len() == 4);
    let day =
        |p: Option<&str>| p.and_then(|p| p.parse::<u32>().ok()).is_some_and(|n| (1..=31).contains(&n) || n > 1900);
    day(part()) && day(part()) && parts.next().is_some()
}

/// Eight digits in groups 4-2-2 or 2-2-4 are a date; so are ten or more that go on with an hour.
fn is_date(digits: &str, groups: &[(usize, usize)]) -> bool {
    let counts: Vec<usize> = groups.iter().map(|(count, _)| *count).take(3).collect();
    let number = |range: std::ops::Range<usize>| digits.get(range).and_then(|s| s.parse::<u32>().ok()).unwrap_or(0);
    match counts.as_slice() {
        [4, 6, 8] => is_year(number(0..4)) && (1..=12).contains(&number(4..6)),
        [2, 4, 8] => (1..=31).contains(&number(0..2)) && (1..=31).contains(&number(2..4)) && is_year(number(4..8)),
        [8, ..] => is_year(number(0..4)) && (1..=12).contains(&number(4..6)) && (1..=31).contains(&number(6..8)),
        _ => false,
    }
}

/// A year of the Christian era, or of the Buddhist one (543 years on) that Thailand, Laos and Cambodia write.
fn is_year(year: u32) -> bool {
    (1900..2100).contains(&year) || (2443..2643).contains(&year)
}

/// An IBAN that begins at `start`: two letters, two digits, then groups of letters and digits up to the country's length.
pub(crate) fn iban(pass: &mut Pass<'_>, start: usize) -> Option<usize> {
    let bytes = pass.bytes;
    let head = [at(bytes, start), at(bytes, start + 1)];
    if !head[1].is_ascii_alphabetic() || !is_digit(at(bytes, start + 2)) || !is_digit(at(bytes, start + 3)) {
        return None;
    }
    let length = bank::iban_length(head);
    if length == 0 {
        return None;
    }
    let mut compact = String::with_capacity(length);
    let mut i = start;
    while compact.len() < length {
        match at(bytes, i) {
            b if is_alnum(b) => compact.push(char::from(b)),
            b' ' | b'-' | b'.' if is_alnum(at(bytes, i + 1)) => {}
            _ => return None,
        }
        i += 1;
    }
    if is_alnum(at(bytes, i)) {
        return None;
    }
    let found = bank::iban(&compact)?;
    // Digits alone behind the country are almost surely an IBAN, mistyped; letters may be anything.
    let plain = compact.bytes().skip(2).filter(u8::is_ascii_digit).count() >= length - 6
        && compact.bytes().all(|b| !b.is_ascii_lowercase());
    if found.strength == crate::Strength::Never && !plain {
        return None;
    }
    pass.emit(found, start, i);
    Some(i)
}
