use selectors::Kind;

use crate::view::{searchable_type, spaced, window_word};

/// Words and quoted phrases of a query that are read; what is beyond is told, not searched.
pub(crate) const MOST_WORDS: usize = 16;
/// Types that one query may name.
const MOST_TYPES: usize = 16;

/// A query as it was understood.
pub(crate) struct Query {
    pub id: Option<String>,
    pub selectors: Vec<(selectors::Kind, String)>,
    /// Words and phrases, as FTS5 takes them; the longest first, for they are the rarest more often than not.
    pub phrases: Vec<String>,
    pub types: Vec<String>,
    /// Words that were left out.
    pub ignored: usize,
}

impl Query {
    /// Whether nothing but bounds is asked.
    pub fn is_blank(&self) -> bool {
        self.id.is_none() && self.selectors.is_empty() && self.phrases.is_empty()
    }

    /// Words mean AND; `"quoted words"` stand side by side; `type:indicator` keeps a type, several keep any of them.
    /// Telephone numbers without a country code are read as numbers of `country`.
    pub fn read(asked: &str, country: Option<&str>) -> Self {
        let (mut types, mut words) = (Vec::new(), Vec::new());
        for part in parts(asked.trim()) {
            // A type is written small (STIX 2.1 §2.15); a person may not.
            match part.strip_prefix("type:").filter(|kind| !kind.is_empty()) {
                Some(kind) if types.len() < MOST_TYPES => types.push(kind.to_ascii_lowercase()),
                Some(_) => {}
                None => words.push(part),
            }
        }
        let rest = words.join(" ");
        let id = stix::StixId::parse(&rest).ok().map(|id| id.as_str().to_owned());
        let hints = selectors::Hints { country };
        let mut selectors = selectors::parse_query_with(&rest, &hints);
        if selectors.is_empty() {
            selectors = labelled(&rest, &hints);
        }
        let whole = selectors.iter().any(|(kind, _)| kind.is_wallet() || WHOLE.contains(kind));
        let mut phrases: Vec<String> = words.iter().filter_map(|w| phrase(w, !whole)).collect();
        phrases.sort_unstable();
        phrases.dedup();
        phrases.sort_by_key(|p| std::cmp::Reverse(p.len()));
        let ignored = phrases.len().saturating_sub(MOST_WORDS);
        phrases.truncate(MOST_WORDS);
        Self { id, selectors, phrases, types, ignored }
    }
}

/// Quotation marks of any keyboard.
const QUOTES: [char; 12] = ['"', '“', '”', '„', '‟', '«', '»', '「', '」', '『', '』', '＂'];

/// Words, and what stands between two quotation marks as one.
fn parts(asked: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for (at, piece) in asked.split(QUOTES).enumerate() {
        // Every second piece stood in quotes, unless the closing mark is missing.
        if at % 2 == 1 { out.push(piece.trim()) } else { out.extend(piece.split_whitespace()) }
    }
    out.retain(|p| !p.is_empty());
    out
}

/// The readings of what stands behind a label, as people paste it: `Tel: 081 234 5678`, `LINE ID: somebody`.
fn labelled(asked: &str, hints: &selectors::Hints<'_>) -> Vec<(Kind, String)> {
    let Some((label, value)) = asked.split_once([':', '：']) else { return Vec::new() };
    let mut label = label.split_whitespace();
    let (Some(first), None) = (label.next(), label.nth(1)) else { return Vec::new() };
    // A label may name the kind.
    let mut out = selectors::parse_query_with(&format!("{}:{}", first.to_lowercase(), value.trim()), hints);
    for reading in selectors::parse_query_with(value, hints) {
        if !out.contains(&reading) {
            out.push(reading);
        }
    }
    out
}

/// Kinds whose values are as long as wallets, and of which one may have the beginning only.
const WHOLE: &[Kind] = &[Kind::Transaction, Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512];
/// Characters that the beginning of a wallet has at least.
const BEGINNING: usize = 6;

/// A word as FTS5 takes it: a phrase in quotes, so that nothing a person types is syntax. Where `beginnings` may be meant, the
/// beginning of a wallet or hash finds it whole.
fn phrase(word: &str, beginnings: bool) -> Option<String> {
    if let Some(beginning) = beginning(word).filter(|_| beginnings) {
        return Some(format!("\"{beginning}\"*"));
    }
    let mut cut = String::new();
    spaced(word, &mut cut);
    cut.chars().any(char::is_alphanumeric).then(|| format!("\"{}\"", cut.trim().replace(['"', '\0'], " ")))
}

/// The beginning of a wallet or hash, also as screens shorten it (`0x529084…9ee7`). Letters and digits mixed, so that few
/// words begin like it: FTS5 reads the lists of all that do.
fn beginning(word: &str) -> Option<&str> {
    let word = word.trim_end_matches('*');
    let first = ["…", "...", ".."].iter().find_map(|gap| word.split_once(gap)).map_or(word, |(first, _)| first);
    let mixed = first.bytes().filter(u8::is_ascii_digit).count() >= 2 && first.bytes().any(|b| b.is_ascii_alphabetic());
    let shaped = first.len() >= BEGINNING && first.bytes().all(|b| b.is_ascii_alphanumeric());
    (shaped && mixed).then_some(first)
}

/// Words that are asked how often they stand in a window before it is searched.
const MOST_WEIGHED: usize = 4;
/// More than any text has words.
const ANYWHERE: u32 = 100_000_000;

/// A search of the full text: every phrase, and any of the types.
pub(crate) struct Words {
    phrases: Vec<String>,
    types: Vec<String>,
    /// Single words of the phrases, the longest first.
    pub weighed: Vec<String>,
    /// Words that FTS5 opens a list for.
    pub lists: i64,
}

impl Words {
    /// `None` when there is neither a word nor a type.
    pub fn new(phrases: &[String], types: &[String]) -> Option<Self> {
        let mut types: Vec<String> = types.iter().map(|t| format!("\"{}\"", searchable_type(t))).collect();
        types.sort_unstable();
        types.dedup();
        let words = |p: &str| -> Vec<String> {
            // The beginning of a word is one word, and asked for as one.
            match p.ends_with('*') {
                true => vec![p.to_owned()],
                // Never at a mark, which is a part of its word: a text that holds the phrase holds each of these.
                false => p
                    .split(|c: char| c.is_whitespace() || (c.is_ascii() && !c.is_ascii_alphanumeric()))
                    .filter(|w| w.chars().any(char::is_alphanumeric))
                    .map(|w| format!("\"{w}\""))
                    .collect(),
            }
        };
        let mut single: Vec<String> = phrases.iter().flat_map(|p| words(p)).collect();
        single.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        single.dedup();
        let lists = single.len().max(phrases.len()) + types.len();
        let weighed = single.into_iter().take(MOST_WEIGHED).collect();
        let words = Self { phrases: phrases.to_vec(), types, weighed, lists: i64::try_from(lists).unwrap_or(i64::MAX) };
        (lists > 0).then_some(words)
    }

    /// FTS5's query when each row that it steps on is a hit: one word, or types alone.
    pub fn simple(&self) -> Option<String> {
        match self.phrases.as_slice() {
            [] => Some(self.types.join(" OR ")),
            [one] if self.types.is_empty() && one.trim_matches(['"', '*']).chars().all(one_word) => Some(one.clone()),
            _ => None,
        }
    }

    /// FTS5's query for the window that begins at `first`. NEAR steps on all its words together, so it ends where the
    /// window's word does; AND would look for the next row that has all others, wherever that stands.
    pub fn within(&self, first: i64, wide: bool) -> String {
        let one = if let [one] = self.types.as_slice() { one.as_str() } else { "" };
        let mut out = format!("NEAR(\"{}\" {} {one}, {ANYWHERE})", window_word(first, wide), self.phrases.join(" "));
        if self.types.len() > 1 {
            out.push_str(&format!(" AND ({})", self.types.join(" OR ")));
        }
        out
    }
}

/// A character that FTS5 surely counts to a word. Marks are left out, for they are not told from symbols here: what
/// holds one is searched as a phrase.
fn one_word(c: char) -> bool {
    c.is_alphanumeric() && !('\u{2000}'..'\u{2C00}').contains(&c) && c < '\u{1F000}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    fn table() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../view/schema.sql")).unwrap();
        conn
    }

    fn found(conn: &Connection, query: &str) -> Vec<i64> {
        let mut stmt = conn.prepare_cached("SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid").unwrap();
        stmt.query_map([query], |r| r.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn nothing_a_person_types_is_syntax() {
        let conn = table();
        for asked in ["a* OR b", "NEAR(a b, 2)", "text:x", "\"", "a AND NOT b", "col : {x} ^y", "-1 + 2", "' OR 1=1"] {
            let Some(words) = Words::new(&Query::read(asked, None).phrases, &[]) else { continue };
            assert!(found(&conn, &words.within(1, true)).is_empty(), "{asked}");
            assert!(words.simple().is_none_or(|q| found(&conn, &q).is_empty()), "{asked}");
        }
    }

    #[test]
    fn quotes_keep_words_together_and_too_many_words_are_told() {
        for asked in ["\"free flight\" visa", "“free flight” visa", "«free flight» visa", "visa 「free flight」"]
        {
            assert_eq!(Query::read(asked, None).phrases, ["\"free flight\"", "\"visa\""], "{asked}");
        }
        assert!(Query::read("type:note type:report", None).phrases.is_empty());
        let many: Vec<String> = (0..100).map(|n| format!("word{n}")).collect();
        let query = Query::read(&many.join(" "), None);
        assert_eq!((query.phrases.len(), query.ignored), (MOST_WORDS, 100 - MOST_WORDS));
    }

    #[test]
    fn the_beginning_of_a_wallet_finds_it_whole_alone_and_beside_other_words() {
        let conn = table();
        let window = window_word(1, false);
        for (row, text) in [
            (1, "pay 0x52908400098527886e0f7030069857d2e4169ee7 today"),
            (2, "0x529084ff"),
            (3, "TXyzAbc12345678901234567890abcdefg"),
            (4, "pay 0x52"),
        ] {
            conn.execute("INSERT INTO texts(rowid, text) VALUES (?,?)", (row, format!("{text}\n{window}"))).unwrap();
        }
        let ask = |asked: &str| {
            let words = Words::new(&Query::read(asked, None).phrases, &[]).unwrap();
            let within = found(&conn, &words.within(1, false));
            assert!(words.simple().is_none_or(|q| found(&conn, &q) == within), "{asked}");
            for word in &words.weighed {
                assert!(found(&conn, word).len() >= within.len(), "{word} of {asked} is weighed as it is looked for");
            }
            within
        };
        assert_eq!(ask("0x529084"), [1, 2]);
        assert_eq!(ask("0x529084000985"), [1]);
        assert_eq!(ask("0x5290840009…9ee7"), [1]);
        assert_eq!(ask("txyzabc12345"), [3]);
        assert_eq!(ask("0x5290840009* today"), [1]);
        assert_eq!(ask("pay 0x529084"), [1]);
        for short in ["0x52", "toda", "golden*", "2026"] {
            assert!(!Query::read(short, None).phrases.iter().any(|p| p.ends_with('*')), "{short}");
        }
    }

    /// Thai tone marks and Khmer signs are no letters to Rust, and parts of their words to the index.
    #[test]
    fn a_word_is_weighed_with_its_marks() {
        let conn = table();
        for (row, text) in (1..).zip(["รายได้ดี", "ប្រាក់ខែខ្ពស់", "ဖုန်းခေါ်ပါ", "q\u{301}ed – shop.example"])
        {
            let mut cut = String::new();
            spaced(text, &mut cut);
            conn.execute("INSERT INTO texts(rowid, text) VALUES (?,?)", (row, cut)).unwrap();
        }
        for (asked, row) in [("ได้", 1), ("ក់ខែ", 2), ("ខ្ពស់", 2), ("ဖုန်း", 3), ("q\u{301}ed", 4), ("shop.example", 4)]
        {
            let words = Words::new(&Query::read(asked, None).phrases, &[]).unwrap();
            assert!(!words.weighed.is_empty(), "{asked}");
            for word in &words.weighed {
                assert_eq!(found(&conn, word), [row], "{word} of {asked}");
            }
        }
    }

    #[test]
    fn one_word_needs_no_window() {
        let simple = |asked: &str| Words::new(&Query::read(asked, None).phrases, &[]).unwrap().simple();
        assert_eq!(simple("visa"), Some("\"visa\"".into()));
        assert_eq!(simple("виза"), Some("\"виза\"".into()));
        for several in ["free flight", "\"free flight\"", "shop.example", "高薪招", "q\u{301}"] {
            assert_eq!(simple(several), None, "{several}");
        }
    }

    proptest! {
        /// NEAR with a boundless distance says the same as AND, also where a phrase holds a word that is asked alone.
        #[test]
        fn a_window_finds_what_a_plain_and_finds(
            texts in prop::collection::vec(prop::collection::vec(0u8..4, 1..7), 1..20),
            asked in prop::collection::vec(prop::collection::vec(0u8..4, 1..4), 1..4),
            types in prop::collection::vec(0usize..3, 0..3),
        ) {
            let kinds = ["note", "report", "malware"];
            let say = |words: &[u8]| words.iter().map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
            let conn = table();
            for (n, words) in texts.iter().enumerate() {
                let kind = searchable_type(kinds[n % 3]);
                let text = format!("{kind}\n{}\n{}", say(words), window_word((n % 2) as i64, false));
                conn.execute("INSERT INTO texts(rowid, text) VALUES (?,?)", (n as i64, text)).unwrap();
            }
            let phrases: Vec<String> = asked.iter().map(|p| format!("\"{}\"", say(p))).collect();
            let types: Vec<String> = types.iter().map(|t| kinds[*t].to_owned()).collect();
            let words = Words::new(&phrases, &types).unwrap();
            let mut plain = phrases.join(" AND ");
            if !types.is_empty() {
                let any: Vec<String> = types.iter().map(|t| format!("\"{}\"", searchable_type(t))).collect();
                plain.push_str(&format!(" AND ({})", any.join(" OR ")));
            }
            let all = found(&conn, &plain);
            for first in 0..2 {
                let here: Vec<i64> = all.iter().copied().filter(|row| row % 2 == first).collect();
                prop_assert_eq!(found(&conn, &words.within(first, false)), here);
            }
            if let Some(simple) = words.simple() {
                prop_assert_eq!(found(&conn, &simple), all);
            }
        }
    }
}
