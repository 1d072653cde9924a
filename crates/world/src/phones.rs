//! Phone numbers that no subscriber has: only ranges which a regulator set aside for fiction. Ranges that parsers call
//! invalid (UK 07700 900 and 01632 960, French 06 39 98) are left out, since a number must still read as a number.
//!
//! Sources: Ofcom, "Numbers for use in TV and radio drama programmes"; ARCEP, decision 2018-0881, annex 1 (numbers for
//! audiovisual works); Bundesnetzagentur, Mitteilung 148/2021 (drama numbers); ACMA, "Phone numbers for use in TV
//! shows, films and creative works"; PTS (Sweden), numbers for fiction; NANPA, 555 line numbers 0100-0199.

/// A range: everything before the free digits, and how many digits are free; `low` is the first of them.
pub(crate) struct Range {
    pub(crate) prefix: &'static str,
    digits: usize,
    low: u64,
    count: u64,
}

const fn range(prefix: &'static str, digits: usize, low: u64, count: u64) -> Range {
    Range { prefix, digits, low, count }
}

/// The ranges, without the North American area codes and without the freephone range of the hotlines.
pub(crate) const RANGES: [Range; 37] = [
    range("+6125550", 4, 0, 10_000),
    range("+6127010", 4, 0, 10_000),
    range("+6135550", 4, 0, 10_000),
    range("+6137010", 4, 0, 10_000),
    range("+6175550", 4, 0, 10_000),
    range("+6177010", 4, 0, 10_000),
    range("+6185550", 4, 0, 10_000),
    range("+6187010", 4, 0, 10_000),
    range("+3319900", 4, 0, 10_000),
    range("+3326191", 4, 0, 10_000),
    range("+3335301", 4, 0, 10_000),
    range("+3346571", 4, 0, 10_000),
    range("+3353649", 4, 0, 10_000),
    range("+44113496", 4, 0, 1000),
    range("+44114496", 4, 0, 1000),
    range("+44116496", 4, 0, 1000),
    range("+44117496", 4, 0, 1000),
    range("+44118496", 4, 0, 1000),
    range("+44121496", 4, 0, 1000),
    range("+44131496", 4, 0, 1000),
    range("+44141496", 4, 0, 1000),
    range("+44151496", 4, 0, 1000),
    range("+44161496", 4, 0, 1000),
    range("+44191498", 4, 0, 1000),
    range("+44207946", 4, 0, 1000),
    range("+44289649", 4, 6000, 1000),
    range("+44292018", 4, 0, 1000),
    range("+44306999", 4, 0, 1000),
    range("+493023125", 3, 0, 1000),
    range("+496990009", 3, 0, 1000),
    range("+494066969", 3, 0, 1000),
    range("+492214710", 3, 0, 1000),
    range("+498999998", 3, 0, 1000),
    range("+4631390", 4, 600, 100),
    range("+4640628", 4, 400, 100),
    range("+46846500", 3, 400, 100),
    range("+4670174", 4, 605, 95),
];

/// Area codes of the North American plan in service, each with 100 fictional numbers.
pub(crate) const AREAS: [u16; 60] = [
    201, 202, 203, 206, 207, 212, 213, 215, 216, 217, 301, 302, 303, 305, 307, 308, 312, 313, 314, 315, 401, 402, 404,
    405, 406, 410, 412, 413, 414, 415, 501, 502, 503, 504, 505, 512, 513, 515, 516, 518, 601, 602, 603, 605, 606, 612,
    614, 615, 616, 617, 701, 702, 703, 704, 706, 712, 713, 714, 715, 716,
];

/// The freephone range of the agencies' own hotlines (Ofcom, 08081 570 000-999), never an offender's.
pub(crate) const HOTLINE: &str = "+448081570";

/// How many numbers there are to give away.
pub(crate) fn capacity() -> u64 {
    RANGES.iter().map(|range| range.count).sum::<u64>() + 100 * AREAS.len() as u64
}

/// The `at`th number of all ranges in E.164; `None` from [`capacity`] on.
pub(crate) fn number(mut at: u64) -> Option<String> {
    for range in &RANGES {
        if at < range.count {
            return Some(format!("{}{:0width$}", range.prefix, range.low + at, width = range.digits));
        }
        at -= range.count;
    }
    let area = AREAS.get((at / 100) as usize)?;
    Some(format!("+1{area}5550{}", 100 + at % 100))
}

/// The hotline's number of one agency (at most 1,000 agencies).
pub(crate) fn hotline(agency: usize) -> String {
    format!("{HOTLINE}{:03}", (agency * 37 + 11) % 1000)
}

/// The same number with one digit wrong, still within its range: the last digit moves.
pub(crate) fn mistyped(number: &str, by: u64) -> String {
    let Some((head, last)) = number.split_at_checked(number.len().saturating_sub(1)) else { return String::new() };
    let digit = last.parse::<u64>().unwrap_or_default();
    // Ranges end at a full ten, but for Swedish mobiles, whose first ten numbers begin at 5.
    let next = if head.ends_with("+467017406") || head.ends_with("060") && head.starts_with("+4670174") {
        5 + (digit + 1 + by % 4) % 5
    } else {
        (digit + 1 + by % 9) % 10
    };
    format!("{head}{next}")
}

/// Whether a number lies in one of the reserved ranges; what the tests hold every written number to.
#[cfg(test)]
pub(crate) fn reserved(number: &str) -> bool {
    let ours = |range: &Range| {
        number.strip_prefix(range.prefix).is_some_and(|rest| {
            rest.len() == range.digits
                && rest.parse::<u64>().is_ok_and(|n| n >= range.low && n < range.low + range.count)
        })
    };
    let american = || {
        number
            .strip_prefix("+1")
            .is_some_and(|rest| rest.len() == 10 && rest.get(3..7) == Some("5550") && rest.get(7..8) == Some("1"))
    };
    RANGES.iter().any(ours) || american() || number.strip_prefix(HOTLINE).is_some_and(|rest| rest.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_reserved_and_none_is_given_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for at in 0..capacity() {
            let number = number(at).unwrap();
            assert!(reserved(&number), "{number}");
            assert!(reserved(&mistyped(&number, at)), "{number} mistyped");
            assert_ne!(number, mistyped(&number, at));
            assert!(seen.insert(number));
        }
        assert_eq!(number(capacity()), None);
    }

    #[test]
    fn numbers_of_every_range_parse_as_valid() {
        let mut at = 0;
        for range in &RANGES {
            let text = number(at + range.count / 2).unwrap();
            let parsed = phonenumber::parse(None, &text).unwrap();
            assert!(phonenumber::is_valid(&parsed), "{text}");
            at += range.count;
        }
        for area in AREAS {
            let text = format!("+1{area}5550123");
            assert!(phonenumber::is_valid(&phonenumber::parse(None, &text).unwrap()), "{text}");
        }
        assert!(phonenumber::is_valid(&phonenumber::parse(None, hotline(3)).unwrap()));
    }
}
