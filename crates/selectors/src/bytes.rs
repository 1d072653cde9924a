//! Byte classes and total accessors: reading past an end gives 0, never a panic.

use std::ops::Range;

pub(crate) const DIGIT: u8 = 1;
pub(crate) const ALPHA: u8 = 2;
pub(crate) const HIGH: u8 = 4;
/// Bytes where the main pass stops: `. : + @ < ( - `.
pub(crate) const STOP: u8 = 8;
pub(crate) const ALNUM: u8 = DIGIT | ALPHA;

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut i = 0usize;
    while i < 256 {
        let byte = i as u8;
        let class = match byte {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => ALPHA,
            b'.' | b':' | b'+' | b'@' | b'<' => STOP,
            0x80..=0xff => HIGH,
            _ => 0,
        };
        // A const fn has no iterator; `i` is below 256 by the loop's condition.
        #[allow(clippy::indexing_slicing)]
        {
            table[i] = class;
        }
        i += 1;
    }
    table
}

static CLASS: [u8; 256] = classes();

#[inline(always)]
#[allow(clippy::indexing_slicing)] // a u8 cannot leave a table of 256
pub(crate) fn class(byte: u8) -> u8 {
    CLASS[byte as usize]
}

/// The byte at `i`, or 0 past the end.
#[inline(always)]
pub(crate) fn at(bytes: &[u8], i: usize) -> u8 {
    match bytes.get(i) {
        Some(byte) => *byte,
        None => 0,
    }
}

/// The byte before `i`, or 0 at the start.
#[inline(always)]
pub(crate) fn before(bytes: &[u8], i: usize) -> u8 {
    match i.checked_sub(1) {
        Some(j) => at(bytes, j),
        None => 0,
    }
}

/// A piece of text, or nothing when the range is not one.
#[inline]
pub(crate) fn piece(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or("")
}

#[inline]
pub(crate) fn is_alnum(byte: u8) -> bool {
    class(byte) & ALNUM != 0
}

#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    is_alnum(byte) || byte == b'_'
}

#[inline]
pub(crate) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Where the ASCII letters and digits that begin at `i` end.
pub(crate) fn alnum_end(bytes: &[u8], mut i: usize) -> usize {
    while is_alnum(at(bytes, i)) {
        i += 1;
    }
    i
}

/// The largest char boundary at or below `i`.
pub(crate) fn floor(text: &str, mut i: usize) -> usize {
    i = i.min(text.len());
    while !text.is_char_boundary(i) {
        i -= 1;
    }
    i
}

/// Whether a letter is of an alphabet that stands in one word with Latin ones: Latin with marks, Greek, Cyrillic,
/// Armenian, Georgian, Cherokee. Such a letter is part of a name (`münchen`, or `pаypal` with a Cyrillic `а`); scripts
/// without spaces only stand beside it.
pub(crate) fn joins(c: char) -> bool {
    matches!(u32::from(c), 0xc0..=0x58f | 0x10a0..=0x10ff | 0x13a0..=0x13ff | 0x1c90..=0x1cbf | 0x1e00..=0x1fff | 0xab30..=0xabbf)
        && (c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c))
}

/// The character that `i` is in.
pub(crate) fn char_at(text: &str, i: usize) -> Option<char> {
    text.get(floor(text, i)..)?.chars().next()
}

/// Only the digits of a text.
pub(crate) fn digits(text: &str) -> String {
    text.bytes().filter(u8::is_ascii_digit).map(char::from).collect()
}

/// Luhn's check (ISO/IEC 7812-1 annex B) over decimal digits.
pub(crate) fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(d.wrapping_sub(b'0'));
            if i % 2 == 0 {
                d
            } else if d > 4 {
                2 * d - 9
            } else {
                2 * d
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether all bytes are the same one.
pub(crate) fn all_same(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| bytes.all(|b| b == first))
}
