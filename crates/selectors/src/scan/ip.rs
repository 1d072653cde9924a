//! Addresses of machines in a text: IPv4, IPv6, hardware.

use super::Pass;
use crate::bytes::{at, before, is_digit, is_word, piece};
use crate::cue::Cue;
use crate::net::{self, ip};

impl Pass<'_> {
    /// `://`, or groups of an IPv6 or hardware address.
    pub(super) fn colon(&mut self, i: usize) -> Option<usize> {
        if at(self.bytes, i + 1) == b'/' && at(self.bytes, i + 2) == b'/' {
            return self.url(i);
        }
        let hex = |b: u8| b.is_ascii_hexdigit();
        if !(hex(at(self.bytes, i + 1)) || at(self.bytes, i + 1) == b':') {
            return None;
        }
        let mut start = i;
        while start > 0 && i - start < 5 && hex(before(self.bytes, start)) {
            start -= 1;
        }
        if is_word(before(self.bytes, start)) || matches!(before(self.bytes, start), b':' | b'.') {
            return None;
        }
        let mut end = i;
        let mut colons = 0;
        while end < start + 46 && (hex(at(self.bytes, end)) || matches!(at(self.bytes, end), b':' | b'.')) {
            colons += usize::from(at(self.bytes, end) == b':');
            end += 1;
        }
        while matches!(before(self.bytes, end), b'.')
            || (before(self.bytes, end) == b':' && end > start + 2 && at(self.bytes, end.wrapping_sub(2)) != b':')
        {
            end -= 1;
        }
        if colons < 2 || is_word(at(self.bytes, end)) {
            return None;
        }
        let token = piece(self.text, start..end);
        let found = match net::mac(token) {
            Some(mac) => mac,
            None if token.len() >= 6 || token == "::1" => {
                ip::v6(token).filter(|_| token.bytes().any(|b| b.is_ascii_digit()))?
            }
            None => return None,
        };
        self.emit(found, start, end);
        Some(end)
    }

    pub(super) fn dotted_quad(&mut self, start: usize, end: usize) -> Option<usize> {
        let slash = at(self.bytes, end) == b'/' && is_digit(at(self.bytes, end + 1));
        let tail = if slash { crate::bytes::alnum_end(self.bytes, end + 1) } else { end };
        let whole = if tail - end <= 3 { tail } else { end };
        let found = ip::v4(piece(self.text, start..whole)).or_else(|| ip::v4(piece(self.text, start..end)));
        let Some(found) = found else {
            return Some(end.max(start + 1));
        };
        let version = matches!(before(self.bytes, start), b'v' | b'V' | b'-' | b'_')
            || self.cues.near(start, 12, |cue| cue == Cue::Version).is_some();
        if !version && !is_word(before(self.bytes, start)) && !is_word(at(self.bytes, end)) {
            self.emit(found, start, whole);
        }
        Some(whole)
    }
}
