//! What an erased object said, for finding it in records that were set aside and that name no object: in any spelling.
//!
//! Personal selectors always count, others when nothing else on the node holds them (as the view forgets them then), and a
//! person's or a party's name, in each order of its words: a long one as letters in a row, a shorter one where no word goes on
//! before or after it, a short one as whole words.
mod names;

use crate::view::letters;
use crate::{Intel, Result, quarantine::Shelf};
use names::{ShortName, Text};
use rusqlite::OptionalExtension;
use selectors::{Hints, Kind, Strength};
use serde_json::Value;
use std::collections::BTreeSet;

/// Letters and digits in a row that are looked for at least, or they would be found everywhere.
const SHORTEST: usize = 6;
/// Letters of a name from which on no other word holds them by chance.
const SURE: usize = 10;
/// Words of a name whose orders are looked for.
const WORDS: usize = 4;
/// Digits at the end of a telephone number that are the same in its national and international form (E.164: the country
/// code and the prefix vary).
const LINE: usize = 8;
/// Records that are read at a time.
const AT_ONCE: usize = 500;

/// What erased bodies said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    selectors: BTreeSet<(Kind, String)>,
    /// Letters and digits alone, lower case.
    bare: BTreeSet<String>,
    /// The same of names that other words may hold: "Anna Li" is none of Annalisa.
    bounded: BTreeSet<String>,
    /// Names of fewer letters.
    short: BTreeSet<ShortName>,
    country: Option<String>,
}

impl Intel {
    /// What the bodies at these places say.
    pub(crate) fn said(&self, targets: &[u64], said: &mut Said) -> Result<()> {
        said.country.clone_from(&self.inner.country);
        let (mut personal, mut others) = (Vec::new(), Vec::new());
        self.inner.ledger.log().bodies(targets, |_, body| {
            let Some(Ok(object)) = body.map(serde_json::from_str::<Value>) else { return };
            said.names(&object);
            for found in crate::reading::selectors_of(&object, self.inner.country.as_deref()) {
                if found.kind.is_personal() {
                    personal.push((found.kind, found.value));
                } else if found.strength == Strength::Links {
                    others.push((found.kind, found.value));
                }
            }
        })?;
        others.sort_unstable();
        others.dedup();
        for (kind, value) in others {
            if !self.held_beside(kind, &value, targets)? {
                personal.push((kind, value));
            }
        }
        personal.into_iter().for_each(|(kind, value)| said.selector(kind, value));
        Ok(())
    }

    /// Whether anything but the rows at `targets` holds a selector, whoever sees it; as far as the view had come when the
    /// targets were read.
    fn held_beside(&self, kind: Kind, value: &str, targets: &[u64]) -> Result<bool> {
        Ok(self.inner.view.read(|r| {
            let Some(sel) = self.selector_number(r.conn, kind, value)? else { return Ok(false) };
            let mut stmt = r.conn.prepare_cached(
                "SELECT pos FROM holders WHERE sel = ? AND col = ? AND pos > ? LIMIT ? /* for all: what an erasure leaves */",
            )?;
            let mut cols = r.conn.prepare_cached(
                "SELECT col FROM holders WHERE sel = ? AND col > ? ORDER BY col LIMIT 1 /* for all: what an erasure leaves */",
            )?;
            let (mut at, most) = (-1_i64, targets.len() as i64 + 1);
            while let Some(col) = cols.query_row((sel, at), |c| c.get::<_, i64>(0)).optional()? {
                for pos in stmt.query_map((sel, col, -1_i64, most), |c| c.get::<_, i64>(0))? {
                    if !targets.contains(&crate::rows::unsigned(pos?)) {
                        return Ok(true);
                    }
                }
                at = col;
            }
            Ok(false)
        })?)
    }
}

impl Said {
    fn selector(&mut self, kind: Kind, value: String) {
        let bare = bare(&value);
        let phone = matches!(kind, Kind::Phone | Kind::Whatsapp | Kind::Viber | Kind::Promptpay);
        let bare = match bare.len().checked_sub(LINE).filter(|_| phone) {
            Some(cut) => bare.get(cut..).unwrap_or_default().to_owned(),
            None => bare,
        };
        self.needle(bare);
        self.selectors.insert((kind, value));
    }

    /// The names of a person or party, and what an observable itself is.
    fn names(&mut self, object: &Value) {
        const OF_IDENTITY: &[&str] = &["name"];
        const OF_OBSERVABLE: &[&str] =
            &["value", "account_number", "iban", "account_login", "user_id", "display_name", "number"];
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        let keys = match kind {
            "identity" => OF_IDENTITY,
            _ if object.get("modified").is_none() => OF_OBSERVABLE,
            _ => return,
        };
        for text in keys.iter().filter_map(|key| object.get(key)?.as_str()) {
            match bare(text).chars().count() {
                0..SHORTEST => self.short.extend(ShortName::of(text)),
                n if n < SURE && names::has_spaces(text) => self.bounded.extend(orders(text)),
                _ => self.bare.extend(orders(text)),
            }
        }
    }

    fn needle(&mut self, bare: String) {
        if bare.chars().count() >= SHORTEST {
            self.bare.insert(bare);
        }
    }

    /// Whether a record says any of it.
    fn stands_in(&self, record: &str) -> bool {
        // A record may be JSON that spells its letters as escapes.
        let plain = record.contains("\\u").then(|| serde_json::from_str::<Value>(record).ok()).flatten();
        let plain = plain.map(|value| value.to_string());
        [Some(record), plain.as_deref()].into_iter().flatten().any(|text| self.stands_in_text(text))
    }

    fn stands_in_text(&self, text: &str) -> bool {
        let whole = Bare::of(text);
        let hints = Hints { country: self.country.as_deref() };
        let short = || {
            let text = Text::of(text);
            self.short.iter().any(|name| name.stands_in(&text))
        };
        self.bare.iter().any(|needle| whole.text.contains(needle.as_str()))
            || self.bounded.iter().any(|needle| whole.has_word(needle))
            || selectors::scan(text, &hints).into_iter().any(|f| self.selectors.contains(&(f.kind, f.value)))
            || !self.short.is_empty() && short()
    }

    fn is_empty(&self) -> bool {
        self.bare.is_empty() && self.bounded.is_empty() && self.selectors.is_empty() && self.short.is_empty()
    }
}

/// Letters and digits alone, lower case: what separators and spelling leave the same.
fn bare(text: &str) -> String {
    letters(text).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A name's letters in the orders that its words are given in: which of them is the family name differs, and who lists it first.
fn orders(name: &str) -> Vec<String> {
    let name = letters(name);
    let words: Vec<String> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(|w| w.to_lowercase()).collect();
    if !(2..=WORDS).contains(&words.len()) {
        return vec![bare(&name)];
    }
    let mut orders: Vec<String> = (0..words.len())
        .map(|first| words.iter().cycle().skip(first).take(words.len()).map(String::as_str).collect())
        .collect();
    orders.push(words.iter().rev().map(String::as_str).collect());
    orders
}

/// A text's letters and digits alone, and where its words begin and end.
struct Bare {
    text: String,
    /// Bytes of `text` before which something else stood.
    bounds: BTreeSet<usize>,
}

impl Bare {
    fn of(text: &str) -> Self {
        let mut bare = Self { text: String::new(), bounds: BTreeSet::new() };
        let mut bound = true;
        for c in letters(text).chars() {
            if !c.is_alphanumeric() {
                bound = true;
                continue;
            }
            if bound {
                bare.bounds.insert(bare.text.len());
            }
            bound = false;
            bare.text.extend(c.to_lowercase());
        }
        bare.bounds.insert(bare.text.len());
        bare
    }

    /// Whether it stands there between two bounds.
    fn has_word(&self, needle: &str) -> bool {
        let bound = |at: usize| self.bounds.contains(&at);
        self.text.match_indices(needle).any(|(at, found)| bound(at) && bound(at + found.len()))
    }
}

impl Shelf {
    /// Drops every record and every frame that says any of it; how many.
    pub(crate) fn drop_saying(&self, said: &Said) -> Result<u64> {
        if said.is_empty() {
            return Ok(0);
        }
        Ok(self.drop_frames_saying(said)? + self.drop_records_saying(said)?)
    }

    fn drop_records_saying(&self, said: &Said) -> Result<u64> {
        let (mut gone, mut after) = (0, (0, 0));
        loop {
            let records = self.records(after, AT_ONCE)?;
            let Some(last) = records.last() else { return Ok(gone) };
            after = last.0;
            for (at, record) in &records {
                if said.stands_in(record) {
                    gone += self.drop_record(*at)?;
                }
            }
        }
    }

    /// A header whose file had none is its first row, and a mapping may fill in values of its own.
    fn drop_frames_saying(&self, said: &Said) -> Result<u64> {
        let (mut gone, mut after) = (0, 0);
        loop {
            let frames = self.frames(after, AT_ONCE)?;
            let Some((last, _)) = frames.last() else { return Ok(gone) };
            after = *last;
            for (import, frame) in &frames {
                if said.stands_in(&frame.header) || said.stands_in(&frame.mapping) {
                    gone += self.drop_frame(*import)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: Kind, value: &str) -> Said {
        let mut said = Said { country: Some("TH".into()), ..Said::default() };
        said.selector(kind, value.into());
        said
    }

    #[test]
    fn a_value_is_found_however_it_is_spelled() {
        let phone = said(Kind::Phone, "+66812345678");
        for record in ["EXERCISE;081-234-5678;x", "+66 81 234 5678", r#"{"n":"0812345678","#, "๐๘๑๒๓๔๕๖๗๘"]
        {
            assert!(phone.stands_in(record), "{record}");
        }
        assert!(!phone.stands_in("EXERCISE;081-234-5679;x"));
        let domain = said(Kind::Domain, "golden-crane.example");
        for record in
            ["see hxxp://golden-crane[.]example/x", "GOLDEN-CRANE.EXAMPLE", r#"{"a":"golden-crane.e\u0078ample"}"#]
        {
            assert!(domain.stands_in(record), "{record}");
        }
        assert!(!domain.stands_in("see golden-goose.example"));
    }

    #[test]
    fn a_name_counts_and_what_is_too_short_does_not() {
        let mut said = Said::default();
        said.names(&serde_json::json!({"type": "identity", "modified": "x", "name": "EXERCISE Somchai"}));
        said.names(&serde_json::json!({"type": "identity", "modified": "x", "name": "Li"}));
        said.names(&serde_json::json!({"type": "note", "modified": "x", "name": "another name"}));
        assert!(said.stands_in("1;exercise  somchai;Li"));
        assert!(!said.stands_in("Li another name"));
    }

    #[test]
    fn a_longer_name_is_found_in_any_order_and_spelling_and_not_inside_another() {
        let stands = |name: &str, record: &str| {
            let mut said = Said::default();
            said.names(&serde_json::json!({"type": "identity", "modified": "x", "name": name}));
            said.stands_in(record)
        };
        for (name, record) in [
            ("Anna Li", "EXERCISE;Li, Anna;x"),
            ("Anna Li", "user AnnaLi wrote"),
            ("Nguyen Van Mau", "EXERCISE MAU NGUYEN VAN"),
            ("Nguyen Van Mau", "EXERCISE Van Mau Nguyễn, nguyen, van mau nguyen"),
            ("Somchai Example", "Ｅｘａｍｐｌｅ　Ｓｏｍｃｈａｉ"),
            ("Zoë Example", "EXERCISE example, ZOE\u{308}"),
            ("王小明王小明", "受害者王小明王小明被骗"),
        ] {
            assert!(stands(name, record), "{name} in {record}");
        }
        for (name, record) in
            [("Anna Li", "EXERCISE Annalisa"), ("Anna Li", "Joanna Li"), ("Somchai Example", "Somchai and an example")]
        {
            assert!(!stands(name, record), "{name} in {record}");
        }
    }
}
