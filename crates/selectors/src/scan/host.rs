//! Host names and e-mail addresses in a text.

use super::Pass;
use crate::bytes::{ALNUM, HIGH, at, before, char_at, class, floor, is_alnum, is_digit, joins, piece};
use crate::cue::Cue;
use crate::net::host;
use crate::{Strength, net};

/// What a label has, read backwards: Latin letters or digits; letters of a script that only stands beside them.
#[derive(Clone, Copy, Default)]
struct Label {
    ascii: bool,
    beside: bool,
}

impl Pass<'_> {
    /// A dot between two letters or digits: a host name or an IPv4 address.
    pub(super) fn dot(&mut self, i: usize) -> Option<usize> {
        let (left, right) = (class(before(self.bytes, i)), class(at(self.bytes, i + 1)));
        if left & (ALNUM | HIGH) == 0 || right & (ALNUM | HIGH) == 0 {
            return None;
        }
        let start = self.host_start(i);
        let end = self.host_end(start).max(i + 1);
        let written = piece(self.text, start..end);
        let past = floor(self.text, end).max(i + 1);
        // The address or e-mail handler sees what belongs to them.
        if at(self.bytes, end) == b'@' || before(self.bytes, start) == b'@' {
            return Some(past);
        }
        let previous = before(self.bytes, start);
        if written.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return self.dotted_quad(start, end);
        }
        if matches!(previous, b'/' | b'\\' | b'$' | b'=' | b'%') || matches!(at(self.bytes, end), b'(' | b'\\') {
            return Some(past);
        }
        let Some(host) = host::read(written) else {
            return Some(past);
        };
        let path = at(self.bytes, end) == b'/';
        let port = at(self.bytes, end) == b':' && is_digit(at(self.bytes, end + 1));
        let cue = || self.cues.near(start, 24, |cue| cue == Cue::Site).is_some();
        let around = host::Around { evidence: path || port || cue(), defanged: self.source.rewritten(start, end) };
        let Some(why) = host::in_text(written, &host, around) else {
            return Some(past);
        };
        if path && let Some(end) = self.without_scheme(start) {
            return Some(end);
        }
        if crate::net::messaging::is_platform(host.registrable()) {
            let leads = net::web::read(&format!("http://{written}")).map(|web| web.leads).unwrap_or_default();
            self.web_parts(leads, Vec::new(), start, end);
            return Some(past);
        }
        for mut found in host.domains().collect::<Vec<_>>() {
            if !why.is_empty() {
                (found.strength, found.why) = (Strength::Weak, why);
            }
            self.emit(found, start, end);
        }
        Some(past)
    }

    pub(super) fn host_start(&self, i: usize) -> usize {
        let mut start = i;
        let mut dot = i;
        let mut label = Label::default();
        while start > 0 && i - start < 254 {
            let b = before(self.bytes, start);
            match class(b) {
                c if c & ALNUM != 0 => label.ascii = true,
                HIGH if !self.letter(start - 1) => break,
                HIGH if self.joins(start - 1) => {}
                // A script without spaces beside a Latin label is the sentence, not the name.
                HIGH if label.ascii => break,
                HIGH => label.beside = true,
                _ if b == b'.' => {
                    if label.beside && self.stands_alone(dot + 1) {
                        break;
                    }
                    (label, dot) = (Label::default(), start - 1);
                }
                _ if b == b'-' || b == b'_' => {}
                _ => break,
            }
            start -= 1;
        }
        // `24ชม.shop.example`: the words before a name that is whole without them.
        if label.beside && dot < i && self.stands_alone(dot + 1) {
            start = dot + 1;
        }
        while start < i && matches!(at(self.bytes, start), b'-' | b'.' | b'_') {
            start += 1;
        }
        while !self.text.is_char_boundary(start) {
            start += 1;
        }
        start
    }

    pub(super) fn joins(&self, i: usize) -> bool {
        char_at(self.text, i).is_some_and(joins)
    }

    /// Whether a registrable name of Latin letters begins at `i`.
    fn stands_alone(&self, i: usize) -> bool {
        let end = self.host_end(i);
        host::read(piece(self.text, i..end)).is_some_and(|host| host.known && host.registrable > 0)
    }

    /// The end of host characters from `i`, without dots and hyphens at the end; an ASCII label ends at another script.
    pub(super) fn host_end(&self, i: usize) -> usize {
        let mut end = i;
        let mut ascii_label = false;
        while end < self.bytes.len() && end - i < 254 {
            let b = at(self.bytes, end);
            match class(b) {
                c if c & ALNUM != 0 => ascii_label = true,
                HIGH if !self.letter(end) || (ascii_label && !self.joins(end)) => break,
                HIGH => {}
                _ if b == b'.' && at(self.bytes, end + 1) != b'.' => ascii_label = false,
                _ if b == b'-' || b == b'_' => {}
                _ => break,
            }
            end += 1;
        }
        while end > i && matches!(before(self.bytes, end), b'.' | b'-' | b'_') {
            end -= 1;
        }
        floor(self.text, end)
    }

    /// Whether the character at (or around) byte `i` is a letter.
    pub(super) fn letter(&self, i: usize) -> bool {
        let start = floor(self.text, i);
        self.text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| c.is_alphanumeric() || unicode_mark(c))
    }

    pub(super) fn at_sign(&mut self, i: usize) -> Option<usize> {
        let local = |b: u8| is_alnum(b) || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let mut start = i;
        while start > 0
            && i - start < 65
            && (local(before(self.bytes, start)) || (before(self.bytes, start) >= 0x80 && self.joins(start - 1)))
        {
            start -= 1;
        }
        while start < i && !is_alnum(at(self.bytes, start)) && at(self.bytes, start) < 0x80 {
            start += 1;
        }
        if start == i || i - start > 64 {
            return None;
        }
        let end = self.host_end(i + 1);
        if let Some(found) = net::email(piece(self.text, start..end)) {
            self.emit(found, start, end);
            return Some(end);
        }
        let end = crate::bytes::alnum_end(self.bytes, i + 1);
        let found = crate::bank::upi(piece(self.text, start..end))?;
        self.emit(found, start, end);
        Some(end)
    }
}

/// Combining marks of Indic, Thai, Khmer and Burmese scripts, which belong to letters in host names.
fn unicode_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}
