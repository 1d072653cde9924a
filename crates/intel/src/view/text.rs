use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};
use serde_json::Value;

/// Bytes of text one object may bring into the full-text index.
const MOST: usize = 1 << 20;

/// Cuts text of scripts that write no spaces into words, so that one index serves every script.
/// Dictionary segmentation (3 µs a text); the LSTM models of ICU4X cost a hundred times more.
#[derive(Debug)]
pub struct Words {
    segmenter: WordSegmenterBorrowed<'static>,
}

impl Default for Words {
    fn default() -> Self {
        Self { segmenter: WordSegmenter::new_dictionary(Default::default()) }
    }
}

impl Words {
    /// `text` with a space between words where its script writes none; other text as it is.
    pub fn spaced(&self, text: &str, out: &mut String) {
        if !text.chars().any(writes_no_spaces) {
            out.push_str(text);
            return;
        }
        let mut last = 0;
        for at in self.segmenter.segment_str(text) {
            if let Some(word) = text.get(last..at).filter(|w| !w.is_empty()) {
                out.push_str(word);
                out.push(' ');
            }
            last = at;
        }
    }

    /// What of an object a person may search for: its strings, but for ids, references, instants and definitions.
    pub fn of_object(&self, object: &Value) -> String {
        let mut out = String::with_capacity(512);
        self.walk("", object, 0, &mut out);
        out
    }

    fn walk(&self, key: &str, value: &Value, depth: usize, out: &mut String) {
        if depth > stix::MAX_DEPTH || out.len() > MOST {
            return;
        }
        match value {
            Value::String(text) if searchable(key, text) => {
                self.spaced(text, out);
                out.push('\n');
            }
            Value::Array(list) => list.iter().for_each(|v| self.walk(key, v, depth + 1, out)),
            Value::Object(map) if key != "extensions" || depth > 1 => {
                map.iter().for_each(|(k, v)| self.walk(k, v, depth + 1, out));
            }
            Value::Object(map) => {
                // An extension's key is its definition's id; what it holds counts.
                for inner in map.values().filter_map(Value::as_object) {
                    inner
                        .iter()
                        .filter(|(k, _)| *k != "extension_type")
                        .for_each(|(k, v)| self.walk(k, v, depth + 2, out));
                }
            }
            _ => {}
        }
    }
}

fn searchable(key: &str, text: &str) -> bool {
    !matches!(
        key,
        "id" | "type"
            | "spec_version"
            | "created"
            | "modified"
            | "valid_from"
            | "valid_until"
            | "pattern_type"
            | "lang"
            | "first_seen"
            | "last_seen"
            | "first_observed"
            | "last_observed"
            | "payload_bin"
    ) && !key.ends_with("_ref")
        && !key.ends_with("_refs")
        && !text.is_empty()
}

/// Thai, Lao, Khmer, Burmese, Chinese, Japanese: scripts without spaces between words.
fn writes_no_spaces(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3134F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_without_spaces_are_cut_into_words_and_others_left_alone() {
        let words = Words::default();
        let mut out = String::new();
        words.spaced("งานออนไลน์เงินดี", &mut out);
        assert!(out.trim().contains(' '), "{out}");
        let mut plain = String::new();
        words.spaced("well paid work", &mut plain);
        assert_eq!(plain, "well paid work");
    }

    #[test]
    fn ids_references_and_instants_are_not_text() {
        let object = serde_json::json!({"id": "note--1", "created": "2021", "object_refs": ["x--1"], "content": "hello",
            "extensions": {"extension-definition--1": {"extension_type": "new-sco", "inner": "deep"}}});
        let text = Words::default().of_object(&object);
        assert!(
            text.contains("hello") && text.contains("deep") && !text.contains("--") && !text.contains("new-sco"),
            "{text}"
        );
    }
}
