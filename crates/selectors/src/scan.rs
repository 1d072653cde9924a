//! The one pass over a text: stops at the bytes where an identifier can begin and hands them to that kind's reader.

use crate::bytes::{ALNUM, DIGIT, HIGH, STOP, at, before, class, floor, is_alnum, is_digit, is_word, piece};
use crate::cue::{Cue, Cues, Spot};
use crate::net::{host, ip, web};
use crate::refang::{Refanged, refanged};
use crate::{Flags, Found, Hints, Kind, MAX_FOUND, MAX_TEXT, Strength, cued, hash, net, numbers, paper, place, wallet};
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
        if token.len() >= 4
            && first.is_ascii_alphabetic()
            && let Some(past) = numbers::iban(self, start)
        {
            return Some(past);
        }
        None
    }

    fn wallet_cue(&self, start: usize) -> bool {
        self.cues.near(start, 64, |cue| matches!(cue, Cue::Wallet | Cue::Sol)).is_some()
    }

    /// Wallets, transactions and hashes.
    fn long_run(&mut self, token: &str, start: usize, end: usize) -> Option<usize> {
        // TON's alphabet has - and _.
        if (matches!(token.as_bytes(), [b'E' | b'U', b'Q' | b'f', ..])
            || (start > 0 && matches!(before(self.bytes, start), b'-' | b'_')))
            && let Some(past) = self.ton(start)
        {
            return Some(past);
        }
        let joined = matches!(before(self.bytes, start), b'_') || at(self.bytes, end) == b'_';
        let tx_cue = |pass: &Self| {
            pass.cues.near(start, 64, |cue| cue == Cue::Transaction).is_some() || {
                let path = piece(pass.text, floor(pass.text, start.saturating_sub(14))..start);
                path.ends_with("/tx/") || path.ends_with("/transaction/")
            }
        };
        if token.starts_with("0x") || token.starts_with("0X") {
            let found = wallet::read(token).or_else(|| wallet::read_transaction(token))?;
            self.emit(found, start, end);
            return Some(end);
        }
        if token.bytes().all(|b| b.is_ascii_hexdigit()) {
            let found = match token.len() {
                64 if tx_cue(self) => wallet::read_transaction(token),
                _ if joined || matches!(before(self.bytes, start), b'/' | b'=') => None,
                40 if self.wallet_cue(start) => wallet::read_bare_evm(token),
                32 | 40 | 64 | 128 if hash::looks_random(token) => hash::read(token),
                _ => None,
            };
            if let Some(found) = found {
                self.emit(found, start, end);
                return Some(end);
            }
        }
        if let Some(found) = wallet::read(token) {
            // A failed checksum is worth showing only where somebody says it is a wallet.
            let shaped = matches!(found.kind, Kind::Btc) && token.to_ascii_lowercase().starts_with("bc1");
            if found.strength != Strength::Never || shaped || self.wallet_cue(start) {
                self.emit(found, start, end);
                return Some(end);
            }
        }
        if (32..=44).contains(&token.len())
            && self.cues.near(start, 48, |cue| cue == Cue::Sol).is_some()
            && let Some(found) = wallet::read_sol(token)
        {
            self.emit(found, start, end);
            return Some(end);
        }
        None
    }

    fn ton(&mut self, near: usize) -> Option<usize> {
        let mut start = near;
        while start > 0
            && near - start < 48
            && (is_word(before(self.bytes, start)) || before(self.bytes, start) == b'-')
        {
            start -= 1;
        }
        let mut end = near;
        while end < start + 49 && (is_word(at(self.bytes, end)) || at(self.bytes, end) == b'-') {
            end += 1;
        }
        let found = wallet::read(piece(self.text, start..end))
            .filter(|f| f.kind == Kind::Ton && f.strength != Strength::Never)?;
        self.emit(found, start, end);
        Some(end)
    }

    /// `://`, or groups of an IPv6 or hardware address.
    fn colon(&mut self, i: usize) -> Option<usize> {
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

    fn url(&mut self, colon: usize) -> Option<usize> {
        let mut start = colon;
        while start > 0 && colon - start < 9 && before(self.bytes, start).is_ascii_alphabetic() {
            start -= 1;
        }
        let scheme = piece(self.text, start..colon);
        if scheme.len() < 2 {
            return None;
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

    fn web_parts(&mut self, leads: Vec<Found>, hosts: Vec<Found>, start: usize, end: usize) {
        for found in leads.into_iter().chain(hosts) {
            self.emit(found, start, end);
        }
    }

    /// Wallets and transactions in a path or query: block explorers, payment links.
    fn inside_url(&mut self, start: usize, end: usize) {
        let mut i = start;
        while i < end {
            if is_alnum(at(self.bytes, i)) {
                let from = i;
                i = crate::bytes::alnum_end(self.bytes, i).min(end);
                if i - from >= 25 {
                    self.long_run(piece(self.text, from..i), from, i);
                }
            } else {
                i += 1;
            }
        }
    }

    /// Where a URL ends that has its host at `from`: at a blank, quote, angle, or a letter of another script in its path.
    fn url_end(&self, from: usize) -> Option<usize> {
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
                0x80.. if !in_host || last_ascii_label => break,
                0x80.. if !self.letter(end) => break,
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

    /// Whether the character at (or around) byte `i` is a letter.
    fn letter(&self, i: usize) -> bool {
        let start = floor(self.text, i);
        self.text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| c.is_alphanumeric() || unicode_mark(c))
    }

    fn at_sign(&mut self, i: usize) -> Option<usize> {
        let local = |b: u8| is_alnum(b) || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let mut start = i;
        while start > 0 && i - start < 65 && local(before(self.bytes, start)) {
            start -= 1;
        }
        while start < i && !is_alnum(at(self.bytes, start)) {
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

    /// The end of host characters from `i`, without dots and hyphens at the end; an ASCII label ends at another script.
    fn host_end(&self, i: usize) -> usize {
        let mut end = i;
        let mut ascii_label = false;
        while end < self.bytes.len() && end - i < 254 {
            let b = at(self.bytes, end);
            match class(b) {
                c if c & ALNUM != 0 => ascii_label = true,
                HIGH if ascii_label || !self.letter(end) => break,
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

    /// A dot between two letters or digits: a host name or an IPv4 address.
    fn dot(&mut self, i: usize) -> Option<usize> {
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

    fn host_start(&self, i: usize) -> usize {
        let mut start = i;
        let mut ascii_label = is_alnum(before(self.bytes, i));
        while start > 0 && i - start < 254 {
            let b = before(self.bytes, start);
            match class(b) {
                c if c & ALNUM != 0 => ascii_label = true,
                HIGH if ascii_label || !self.letter(start - 1) => break,
                HIGH => {}
                _ if b == b'.' => ascii_label = false,
                _ if b == b'-' || b == b'_' => {}
                _ => break,
            }
            start -= 1;
        }
        while start < i && matches!(at(self.bytes, start), b'-' | b'.' | b'_') {
            start += 1;
        }
        while !self.text.is_char_boundary(start) {
            start += 1;
        }
        start
    }

    /// `shop.example/login`: read with `http`, said so by a flag; an account link (`t.me/x`) needs no scheme.
    fn without_scheme(&mut self, start: usize) -> Option<usize> {
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

    fn dotted_quad(&mut self, start: usize, end: usize) -> Option<usize> {
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

/// Combining marks of Indic, Thai, Khmer and Burmese scripts, which belong to letters in host names.
fn unicode_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}
