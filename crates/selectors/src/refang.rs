//! Undoing what people do to identifiers: defanging, full-width and styled letters, native digits, zero-width characters.
//!
//! The result is read instead of the original, and spans are mapped back to the original.

use crate::bytes::{at, before, is_alnum};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::LazyLock;
use unicode_normalization::char::{compose, decompose_compatible};

/// A text ready to scan and the way back to the original.
pub(crate) struct Refanged<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Where the two part: `(position in text, position in the original, whether this stretch was rewritten)`,
    /// ascending. Empty when the text is the original.
    pieces: Vec<(usize, usize, bool)>,
    original: usize,
}

impl Refanged<'_> {
    /// The span of the original that `start..end` of the read text came from.
    pub(crate) fn original(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        if self.pieces.is_empty() {
            return start..end;
        }
        self.map(start, false)..self.map(end, true)
    }

    fn map(&self, position: usize, is_end: bool) -> usize {
        let index = self.pieces.partition_point(|(p, _, _)| *p <= position);
        let Some((p, o, rewritten)) = index.checked_sub(1).and_then(|i| self.pieces.get(i)).copied() else {
            return position;
        };
        let next = self.pieces.get(index).map_or(self.original, |(_, o, _)| *o);
        match (rewritten, is_end) {
            (false, _) => (o + position - p).min(next),
            (true, false) => o,
            (true, true) if position == p => o,
            (true, true) => next,
        }
    }

    /// Whether any of `start..end` was written otherwise in the original.
    pub(crate) fn rewritten(&self, start: usize, end: usize) -> bool {
        let first = self.pieces.partition_point(|(p, _, _)| *p <= start).saturating_sub(1);
        self.pieces.iter().skip(first).take_while(|(p, _, _)| *p < end).any(|(_, _, rewritten)| *rewritten)
    }
}

/// The text as it would read without obfuscation: `hxxp`, `[.]`, `(dot)`, `[at]`, `[://]`, full-width and native digits,
/// styled letters, zero-width characters. Text without any is returned as it is.
///
/// ```
/// assert_eq!(selectors::refang("hxxps[://]shop[.]example/a"), "https://shop.example/a");
/// assert_eq!(selectors::refang("โทร ๐๘๙-๑๒๓-๔๕๖๗"), "โทร 089-123-4567");
/// ```
pub fn refang(text: &str) -> Cow<'_, str> {
    refanged(text).text
}

pub(crate) fn refanged(text: &str) -> Refanged<'_> {
    let ascii = text.is_ascii();
    let first = first_change(text, ascii);
    let Some(first) = first else {
        return Refanged { text: Cow::Borrowed(text), pieces: Vec::new(), original: text.len() };
    };
    let mut writer = Writer { text, out: String::with_capacity(text.len()), pieces: Vec::new(), copied: 0 };
    let mut i = first;
    while i < text.len() {
        match change(text, i) {
            Some((end, with)) => {
                writer.replace(i, end, with);
                i = end;
            }
            None => i += text.get(i..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8),
        }
    }
    writer.finish()
}

struct Writer<'a> {
    text: &'a str,
    out: String,
    pieces: Vec<(usize, usize, bool)>,
    copied: usize,
}

impl<'a> Writer<'a> {
    fn copy_to(&mut self, to: usize) {
        if let Some(same) = self.text.get(self.copied..to).filter(|s| !s.is_empty()) {
            self.pieces.push((self.out.len(), self.copied, false));
            self.out.push_str(same);
        }
        self.copied = to;
    }

    fn replace(&mut self, from: usize, to: usize, with: Change) {
        self.copy_to(from);
        self.pieces.push((self.out.len(), from, true));
        match with {
            Change::Text(text) => self.out.push_str(text),
            Change::Char(c) => self.out.push(c),
        }
        self.copied = to;
    }

    fn finish(mut self) -> Refanged<'a> {
        self.copy_to(self.text.len());
        if !self.pieces.iter().any(|(_, _, rewritten)| *rewritten) {
            return Refanged { text: Cow::Borrowed(self.text), pieces: Vec::new(), original: self.text.len() };
        }
        Refanged { text: Cow::Owned(self.out), pieces: self.pieces, original: self.text.len() }
    }
}

enum Change {
    Text(&'static str),
    Char(char),
}

/// Where the first change may be, so that clean text costs two vectorised searches.
fn first_change(text: &str, ascii: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let bracket = memchr::memchr3_iter(b'[', b'(', b'{', bytes).find(|i| bracketed(bytes, *i).is_some());
    let scheme = memchr::memchr2_iter(b':', b'\\', bytes).find_map(|i| match at(bytes, i) {
        b':' => scheme_start(bytes, i),
        _ => escaped(bytes, i).map(|_| i),
    });
    let high =
        if ascii { None } else { text.char_indices().find(|(i, c)| !c.is_ascii() && fold(bytes, *i, *c).is_some()) };
    let word = DOT.iter().flat_map(|dot| dot.find_iter(bytes)).filter(|i| spelled(bytes, *i).is_some()).min();
    let sign = word.and_then(|_| AT.find_iter(bytes).find(|i| spelled(bytes, *i).is_some()));
    [bracket, scheme, high.map(|(i, _)| i), word, sign].into_iter().flatten().min()
}

/// ` dot ` and ` AT `, looked for in every text.
static DOT: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| [Finder::new(b" dot "), Finder::new(b" DOT ")]);
static AT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" AT "));

/// `evil\.example`, `evil.example\/a`: the escapes of patterns and of JSON.
fn escaped(bytes: &[u8], i: usize) -> Option<(usize, &'static str)> {
    let with = match at(bytes, i + 1) {
        b'.' => ".",
        b'/' => "/",
        _ => return None,
    };
    (is_alnum(before(bytes, i)) && is_alnum(at(bytes, i + 2))).then_some((i + 2, with))
}

/// `shop dot com` and, before such a name, `jo AT mail dot com`: only in front of endings that nobody says otherwise.
fn spelled(bytes: &[u8], i: usize) -> Option<(usize, &'static str)> {
    const ENDINGS: [&[u8]; 16] = [
        b"com", b"net", b"org", b"info", b"top", b"xyz", b"vip", b"cc", b"shop", b"online", b"site", b"io", b"co",
        b"example", b"cn", b"club",
    ];
    if !is_alnum(before(bytes, i)) {
        return None;
    }
    let dot = |i: usize| {
        let word = bytes.get(i..i + 5)?;
        let rest = bytes.get(i + 5..)?;
        let length = rest.iter().take(16).take_while(|b| is_alnum(**b)).count();
        let ending = rest.get(..length)?;
        ((word == b" dot " || word == b" DOT ") && ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
            .then_some(i + 5)
    };
    if let Some(end) = dot(i) {
        return Some((end, "."));
    }
    if bytes.get(i..i + 4)? != b" AT " {
        return None;
    }
    let rest = bytes.get(i + 4..)?;
    let length = rest.iter().take(64).take_while(|b| is_alnum(**b) || **b == b'-').count();
    (length > 0 && (dot(i + 4 + length).is_some())).then_some((i + 4, "@"))
}

fn change(text: &str, i: usize) -> Option<(usize, Change)> {
    let bytes = text.as_bytes();
    match at(bytes, i) {
        b'[' | b'(' | b'{' => bracketed(bytes, i).map(|(end, with)| (end, Change::Text(with))),
        b'h' | b'H' | b'm' | b'f' | b'F' => scheme(bytes, i).map(|(end, with)| (end, Change::Text(with))),
        b'\\' => escaped(bytes, i).map(|(end, with)| (end, Change::Text(with))),
        b' ' => spelled(bytes, i).map(|(end, with)| (end, Change::Text(with))),
        0x80.. => {
            let c = text.get(i..)?.chars().next()?;
            fold(bytes, i, c).map(|with| (i + c.len_utf8(), with))
        }
        _ => None,
    }
}

/// `[.]`, `(dot)`, `[at]`, `[://]`, `[:]` and their like, at the opening bracket.
fn bracketed(bytes: &[u8], i: usize) -> Option<(usize, &'static str)> {
    let close = match at(bytes, i) {
        b'[' => b']',
        b'(' => b')',
        b'{' => b'}',
        _ => return None,
    };
    // `[ dot ]`: blanks inside count with the brackets.
    let blank = usize::from(at(bytes, i + 1) == b' ');
    let rest = bytes.get(i + 1 + blank..)?;
    let (inner, with): (usize, &'static str) = match rest {
        [b'.', ..] => (1, "."),
        [b'@', ..] => (1, "@"),
        [b':', b'/', b'/', ..] => (3, "://"),
        [b':', ..] if close == b']' => (1, ":"),
        [b'/', ..] if close == b']' => (1, "/"),
        [a, b, ..] if a.eq_ignore_ascii_case(&b'a') && b.eq_ignore_ascii_case(&b't') => (2, "@"),
        [d, o, t, ..] if [*d, *o, *t].eq_ignore_ascii_case(b"dot") => (3, "."),
        _ => return None,
    };
    let blanks = blank + usize::from(at(rest, inner) == b' ');
    if at(rest, inner + blanks - blank) == close {
        return Some((i + inner + blanks + 2, with));
    }
    // `example[.com`: half a bracket between two letters or digits.
    (close == b']'
        && blank == 0
        && with == "."
        && is_alnum(before(bytes, i))
        && is_alnum(at(bytes, i + 2))
        && inner == 1)
        .then_some((i + 2, "."))
}

/// A defanged scheme (`hxxp`, `hXXps`, `h**p`, `meow`, `fxp`) at `i`, with what follows it.
fn scheme(bytes: &[u8], i: usize) -> Option<(usize, &'static str)> {
    if is_alnum(before(bytes, i)) {
        return None;
    }
    let rest = bytes.get(i..)?;
    let odd = |b: &u8| matches!(b, b'x' | b'X' | b'*' | b'_' | b't' | b'T' | b'p' | b'P');
    let (length, with): (usize, &'static str) = match rest {
        [b'h' | b'H', a, b, b'p' | b'P', b's' | b'S', b':' | b'[', ..] if odd(a) && odd(b) => (5, "https"),
        [b'h' | b'H', a, b, b'p' | b'P', b':' | b'[', ..] if odd(a) && odd(b) => (4, "http"),
        [b'm', b'e', b'o', b'w', b's', b':' | b'[', ..] => (5, "https"),
        [b'm', b'e', b'o', b'w', b':' | b'[', ..] => (4, "http"),
        [b'f' | b'F', b'x' | b'X', b'p' | b'P', b':' | b'[', ..] => (3, "ftp"),
        _ => return None,
    };
    let written = rest.get(..length)?;
    let follows = rest.get(length..)?;
    let separates = follows.starts_with(b"://")
        || follows.starts_with(b"[:]")
        || follows.starts_with(b"[://]")
        || follows.starts_with(b":\\\\");
    if !separates || written.eq_ignore_ascii_case(with.as_bytes()) && !follows.starts_with(b":\\\\") {
        return None;
    }
    if follows.starts_with(b":\\\\") {
        return Some((
            i + length + 3,
            if with == "https" {
                "https://"
            } else if with == "ftp" {
                "ftp://"
            } else {
                "http://"
            },
        ));
    }
    Some((i + length, with))
}

/// The start of a defanged scheme that ends at the colon `i`.
fn scheme_start(bytes: &[u8], colon: usize) -> Option<usize> {
    let colon = if before(bytes, colon) == b'[' { colon - 1 } else { colon };
    (3..=5).filter_map(|back| colon.checked_sub(back)).find(|start| scheme(bytes, *start).is_some())
}

/// What one non-ASCII character should have been, or `None` when it stands for itself.
fn fold(bytes: &[u8], i: usize, c: char) -> Option<Change> {
    let code = u32::from(c);
    match code {
        0..0x80 => None,
        // Zero-width characters, soft hyphen, variation selector and keycap mark, beside ASCII only: inside Persian,
        // Khmer or Indic words they are spelling.
        0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2064 | 0x2066..=0x2069 | 0xfeff | 0xfe0f | 0x20e3 => {
            let near = before(bytes, i).is_ascii() && (at(bytes, i + c.len_utf8()).is_ascii() || code == 0xfe0f);
            (near || (code == 0x20e3 && i > 0)).then_some(Change::Text(""))
        }
        0x3002 | 0xff61 => (is_alnum(before(bytes, i)) && is_alnum(at(bytes, i + 3))).then_some(Change::Text(".")),
        // `evil点com`; `one․leader`.
        0x70b9 | 0x9ede | 0x2024 => (is_alnum(before(bytes, i))
            && at(bytes, i + 3).is_ascii_alphabetic()
            && at(bytes, i + 4).is_ascii_alphabetic())
        .then_some(Change::Text(".")),
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).map(Change::Char),
        0x3000 | 0xa0 | 0x2000..=0x200a | 0x202f => Some(Change::Text(" ")),
        0x2010..=0x2015 | 0x2212 => Some(Change::Text("-")),
        0x2460..=0x2468 => char::from_u32(code - 0x2460 + 0x31).map(Change::Char),
        0x24ea => Some(Change::Char('0')),
        0x2776..=0x277e => char::from_u32(code - 0x2776 + 0x31).map(Change::Char),
        0x24b6..=0x24cf => char::from_u32(code - 0x24b6 + 0x41).map(Change::Char),
        0x24d0..=0x24e9 => char::from_u32(code - 0x24d0 + 0x61).map(Change::Char),
        0x1d400..=0x1d7ff => styled(c).map(Change::Char),
        0x3007 | 0x4e00..=0x9fff => han_digit(c).filter(|_| in_han_number(bytes, i)).map(Change::Char),
        _ => native_digit(code).map(Change::Char),
    }
}

/// Chinese numerals, plain, for cheques, and `幺` as one says one on the telephone.
fn han_digit(c: char) -> Option<char> {
    Some(match c {
        '〇' | '零' => '0',
        '一' | '壹' | '幺' => '1',
        '二' | '贰' | '貳' => '2',
        '三' | '叁' | '參' => '3',
        '四' | '肆' => '4',
        '五' | '伍' => '5',
        '六' | '陆' | '陸' => '6',
        '七' | '柒' => '7',
        '八' | '捌' => '8',
        '九' | '玖' => '9',
        _ => return None,
    })
}

/// Whether at least seven numerals stand together around the one at `i`: fewer are words.
fn in_han_number(bytes: &[u8], i: usize) -> bool {
    // All of them have three bytes.
    let numeral = |from: usize| {
        let c = bytes.get(from..from + 3).and_then(|b| std::str::from_utf8(b).ok()).and_then(|s| s.chars().next());
        c.and_then(han_digit).is_some()
    };
    let behind = (1..7).take_while(|n| i.checked_sub(3 * n).is_some_and(numeral)).count();
    let ahead = (0..7).take_while(|n| numeral(i + 3 * n)).count();
    behind + ahead >= 7
}

/// Mathematical letters and digits, which their NFKC form names.
fn styled(c: char) -> Option<char> {
    let mut only = None;
    decompose_compatible(c, |d| only = Some(only.map_or(d, |first| compose(first, d).unwrap_or(first))));
    only.filter(char::is_ascii)
}

/// Decimal digits of the scripts that people write telephone numbers in (Unicode general category Nd), by their zero.
fn native_digit(code: u32) -> Option<char> {
    const ZEROS: [u32; 30] = [
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
        0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
        0xa9d0, 0xaa50,
    ];
    if !(0x0660..=0xaa59).contains(&code) || (0x2000..0xa9d0).contains(&code) {
        return None;
    }
    let below = ZEROS.partition_point(|zero| *zero <= code);
    let zero = ZEROS.get(below.checked_sub(1)?)?;
    char::from_digit(code - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defanged_spellings_read_as_the_plain_ones() {
        for (written, plain) in [
            ("hxxp://a[.]example", "http://a.example"),
            ("hXXps[:]//a(.)example", "https://a.example"),
            ("h**p://a{.}example", "http://a.example"),
            ("meow://a[dot]example", "http://a.example"),
            ("fxp://a[.example", "ftp://a.example"),
            ("hxxps:\\\\a.example", "https://a.example"),
            ("jo[at]mail[.]example", "jo@mail.example"),
            ("ａｂｃ．ｃｏｍ", "abc.com"),
            ("www。example。com", "www.example.com"),
            ("+၆၆ 1️⃣2️⃣", "+66 12"),
            ("𝐭.𝐦𝐞/𝐚𝐛", "t.me/ab"),
            ("ex\u{200b}ample.com", "example.com"),
            ("a[ dot ]example, jo( at )mail[ . ]example", "a.example, jo@mail.example"),
            ("a\\.example\\/b", "a.example/b"),
            ("a点com", "a.com"),
            ("shop dot com", "shop.com"),
            ("jo AT mail DOT com", "jo@mail.com"),
            ("一三八零零一三八零零零", "13800138000"),
            ("壹叁捌零零壹叁捌零零零", "13800138000"),
        ] {
            assert_eq!(refang(written), plain, "{written}");
        }
    }

    #[test]
    fn clean_text_is_not_copied() {
        for text in [
            "plain (see [1]) text: http://a.example",
            "ข้อความไทย",
            "می\u{200c}خواهم",
            "the dot on it, AT last, C:\\.ssh",
            "三十三点钟二零二五年",
            "",
        ] {
            assert!(matches!(refang(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn spans_map_back_to_what_was_written() {
        let text = "see ａhxxp://x[.]example now";
        let refanged = refanged("go hxxp://x[.]example/p now");
        let start = refanged.text.find("http").unwrap();
        let end = refanged.text.find(" now").unwrap();
        assert_eq!("go hxxp://x[.]example/p now".get(refanged.original(start, end)), Some("hxxp://x[.]example/p"));
        assert!(refanged.rewritten(start, end) && !refanged.rewritten(0, 2));
        assert!(!text.is_empty());
    }
}
