//! URLs in a text, with a scheme and without.

use super::Pass;
use crate::bytes::{at, before, floor, is_alnum, piece};
use crate::net::web;
use crate::{Flags, Found};

impl Pass<'_> {
    pub(super) fn url(&mut self, colon: usize) -> Option<usize> {
        let mut start = colon;
        while start > 0 && colon - start < 9 && before(self.bytes, start).is_ascii_alphabetic() {
            start -= 1;
        }
        let scheme = piece(self.text, start..colon);
        if scheme.len() < 2 {
            return None;
        }
        // `gift.Bhttp://`: words that ran into the scheme.
        for known in ["https", "http"] {
            let glued = scheme.len().checked_sub(known.len()).and_then(|at| scheme.get(at..));
            if glued.is_some_and(|end| end.eq_ignore_ascii_case(known)) {
                start = colon - known.len();
                break;
            }
        }
        let end = self.url_end(colon + 3)?;
        if self.citations && web::is_catalogue(piece(self.text, colon + 3..end)) {
            return Some(end);
        }
        let Some(web) = web::read(piece(self.text, start..end)) else {
            return Some(end);
        };
        self.emit(web.url, start, end);
        self.web_parts(web.leads, web.hosts, start, end);
        self.inside_url(colon + 3, end);
        Some(end)
    }

    pub(super) fn web_parts(&mut self, leads: Vec<Found>, hosts: Vec<Found>, start: usize, end: usize) {
        for found in leads.into_iter().chain(hosts) {
            self.emit(found, start, end);
        }
    }

    /// Where a URL ends that has its host at `from`: at a blank, quote, angle, or a letter of another script in its path.
    pub(super) fn url_end(&self, from: usize) -> Option<usize> {
        let mut end = from;
        let mut in_host = true;
        let (mut open, mut last_ascii_label) = (0i32, false);
        while end < self.bytes.len() && end - from < web::MAX_URL {
            let b = at(self.bytes, end);
            match b {
                0..=0x20 | b'"' | b'<' | b'>' | b'`' | b'|' | b'\\' | b'^' | 0x7f => break,
                b'(' => open += 1,
                b')' if open == 0 => break,
                b')' => open -= 1,
                b'/' | b'?' | b'#' => in_host = false,
                b'.' if in_host => last_ascii_label = false,
                0x80.. if !in_host || !self.letter(end) => break,
                0x80.. if last_ascii_label && !self.joins(end) => break,
                _ if in_host && is_alnum(b) => last_ascii_label = true,
                _ => {}
            }
            end += 1;
        }
        while end > from
            && matches!(
                before(self.bytes, end),
                b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'_' | b']' | b'}' | b'('
            )
        {
            end -= 1;
        }
        let end = floor(self.text, end);
        (end > from + 2).then_some(end)
    }

    /// `shop.example/login`: read with `http`, said so by a flag; an account link (`t.me/x`) needs no scheme.
    pub(super) fn without_scheme(&mut self, start: usize) -> Option<usize> {
        let end = self.url_end(start)?;
        let written = piece(self.text, start..end);
        if self.citations && web::is_catalogue(written) {
            return Some(end);
        }
        let platform = web::read(&format!("http://{written}"))?;
        if platform.leads.is_empty() && !platform.hosts.is_empty() {
            self.emit(platform.url.flag(Flags::ASSUMED_SCHEME), start, end);
        }
        self.web_parts(platform.leads, platform.hosts, start, end);
        self.inside_url(start, end);
        Some(end)
    }
}
