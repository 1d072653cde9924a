//! The one pass over a text: stops at the bytes where an identifier can begin and hands them to that kind's reader.

mod chain;
mod host;
mod ip;
mod web;

use crate::bytes::{ALNUM, DIGIT, STOP, at, before, class, floor, is_alnum, is_digit, piece};
use crate::cue::{Cues, Spot};
use crate::refang::{Refanged, refanged};
use crate::{Flags, Found, Hints, MAX_FOUND, MAX_TEXT, cued, numbers, paper, place};
use phonenumber::country::Id;

/// All selectors of a text, in the order they stand, every occurrence. At most [`MAX_FOUND`]; of a text longer than
/// [`MAX_TEXT`] the beginning is read.
///
/// ```
/// use selectors::{scan, Hints, Kind};
/// let found = scan("Call 020 7946 0958 or visit hxxps://shop[.]example/pay", &Hints::country("GB"));
/// let kinds: Vec<_> = found.iter().map(|f| (f.kind, f.value.as_str())).collect();
/// assert_eq!(kinds, [
///     (Kind::Phone, "+442079460958"),
///     (Kind::Url, "https://shop.example/pay"),
///     (Kind::Domain, "shop.example"),
/// ]);
/// ```
pub fn scan(text: &str, hints: &Hints<'_>) -> Vec<Found> {
    let mut out = Vec::new();
    scan_into(text, hints, &mut out);
    out
}

/// Like [`scan`], appended to `out`, which never grows beyond [`MAX_FOUND`].
pub fn scan_into(text: &str, hints: &Hints<'_>, out: &mut Vec<Found>) {
    scan_with(text, hints, false, out);
}

/// `citations`: URLs of public catalogues are citations and are left out.
pub(crate) fn scan_with(text: &str, hints: &Hints<'_>, citations: bool, out: &mut Vec<Found>) {
    // The shortest selector (a host such as `t.co`) has four bytes.
    if text.len() < 4 {
        return;
    }
    let text = piece(text, 0..floor(text, MAX_TEXT));
    let source = refanged(text);
    let read: &str = &source.text;
    let mut spots = Vec::new();
    crate::cue::find(read, &mut spots);
    let from = out.len();
    let country = hints.country.and_then(crate::phone::country);
    let mut pass = Pass {
        text: read,
        bytes: read.as_bytes(),
        source: &source,
        cues: Cues { spots: &spots },
        country,
        citations,
        claims: Vec::new(),
        next_claim: 0,
        parses: 0,
        out,
    };
    pass.claim(&spots);
    pass.run();
    let found = pass.out.get_mut(from..).unwrap_or(&mut []);
    found.sort_by_key(|f| f.span.start);
}

/// The state of one pass.
pub(crate) struct Pass<'a> {
    pub(crate) text: &'a str,
    pub(crate) bytes: &'a [u8],
    source: &'a Refanged<'a>,
    pub(crate) cues: Cues<'a>,
    pub(crate) country: Option<Id>,
    citations: bool,
    /// What stands behind cue words and was read already: ascending, apart.
    claims: Vec<(usize, usize)>,
    next_claim: usize,
    /// Telephone numbers parsed so far: each costs 15 µs, and a text of digits would cost minutes.
    pub(crate) parses: usize,
    out: &'a mut Vec<Found>,
}

impl Pass<'_> {
    /// Values behind cue words that say their kind.
    fn claim(&mut self, spots: &[Spot]) {
        let mut free = 0;
        for (i, spot) in spots.iter().enumerate() {
            if spot.start < free {
                continue;
            }
            let limit = spots.get(i + 1).map_or(self.bytes.len(), |next| next.start);
            if let Some((found, start, end)) = cued::read(self, *spot, limit) {
                self.emit(found.flag(Flags::CUED), start, end);
                self.claims.push((start, end));
                free = end;
            }
        }
    }

    pub(crate) fn emit(&mut self, found: Found, start: usize, end: usize) {
        if self.out.len() >= MAX_FOUND {
            return;
        }
        let found = if self.source.rewritten(start, end) { found.flag(Flags::OBFUSCATED) } else { found };
        self.out.push(found.at(self.source.original(start, end)));
    }

    /// If a claim covers `i`, its end.
    fn claimed(&mut self, i: usize) -> Option<usize> {
        while let Some((start, end)) = self.claims.get(self.next_claim).copied() {
            if end <= i {
                self.next_claim += 1;
            } else {
                return (start <= i).then_some(end);
            }
        }
        None
    }

    fn run(&mut self) {
        let length = self.bytes.len();
        let mut i = 0;
        while i < length {
            if self.out.len() >= MAX_FOUND {
                return;
            }
            let here = class(at(self.bytes, i));
            if here & ALNUM != 0 {
                let start = i;
                let mut seen = 0u8;
                while i < length {
                    let c = class(at(self.bytes, i));
                    if c & ALNUM == 0 {
                        break;
                    }
                    seen |= c;
                    i += 1;
                }
                if seen & DIGIT != 0 || i - start >= 25 {
                    i = self.run_of_alnum(start, i).unwrap_or(i);
                }
            } else if here & STOP != 0 {
                i = self.stop(i).unwrap_or(i + 1);
            } else {
                i += 1;
            }
        }
    }

    /// At `. : + @ <`. The position to go on from, or `None` to step over.
    fn stop(&mut self, i: usize) -> Option<usize> {
        if let Some(end) = self.claimed(i) {
            return Some(end);
        }
        match at(self.bytes, i) {
            b'.' => self.dot(i),
            b':' => self.colon(i),
            b'@' => self.at_sign(i),
            b'+' => self.plus(i),
            _ => self.zone(i),
        }
    }

    fn plus(&mut self, i: usize) -> Option<usize> {
        let mut start = i + 1;
        while matches!(at(self.bytes, start), b' ' | b'(') && start < i + 3 {
            start += 1;
        }
        (is_digit(at(self.bytes, start)) && !is_alnum(before(self.bytes, i)))
            .then(|| numbers::read(self, start, Some(i)))
            .flatten()
    }

    /// A run of letters and digits that has a digit, or is long.
    fn run_of_alnum(&mut self, start: usize, end: usize) -> Option<usize> {
        if let Some(end) = self.claimed(start) {
            return Some(end.max(start + 1));
        }
        let token = piece(self.text, start..end);
        let first = at(self.bytes, start);
        if token.len() >= 25
            && let Some(end) = self.long_run(token, start, end)
        {
            return Some(end);
        }
        // Within a path, a query or an identifier joined by underscores nothing short counts.
        if matches!(before(self.bytes, start), b'_' | b'/' | b'\\') && at(self.bytes, end) != b'.' {
            return None;
        }
        if is_digit(first) {
            if let Some((found, end)) = place::degrees(piece(self.text, start..floor(self.text, start + 48))) {
                self.emit(found, start, start + end);
                return Some(start + end);
            }
            let past = numbers::read(self, start, None);
            if past.is_some() {
                return past;
            }
        }
        // `call09056603010`: a cue that the number ran into.
        if first.is_ascii_alphabetic()
            && let Some(at) = self.cues.ending_in(start, end)
            && is_digit(crate::bytes::at(self.bytes, at))
            && let Some(past) = numbers::read(self, at, None)
        {
            return Some(past);
        }
        if token.len() >= 4
            && first.is_ascii_alphabetic()
            && let Some(past) = numbers::iban(self, start)
        {
            return Some(past);
        }
        None
    }

    /// A machine-readable zone begins with one or two capitals before the first `<`, at the start of a line.
    fn zone(&mut self, i: usize) -> Option<usize> {
        let start = if before(self.bytes, i).is_ascii_uppercase() {
            i - 1
        } else {
            return None;
        };
        let begins = |b: u8| matches!(b, 0 | b'\n' | b'\r' | b' ' | b':' | b'"' | b'>');
        let start = if begins(before(self.bytes, start)) { start } else { start.checked_sub(1)? };
        if !begins(before(self.bytes, start)) || !matches!(at(self.bytes, start), b'P' | b'I' | b'A' | b'C' | b'V') {
            return None;
        }
        let (found, length) = paper::zone(piece(self.text, start..self.text.len()))?;
        self.emit(found, start, start + length);
        Some(start + length)
    }
}
