use super::letters::letters;
use serde_json::Value;

/// Bytes of text one object may bring into the full-text index.
const MOST: usize = 1 << 20;

/// Begins the word that stands for an object's type: a private character, which no text that is searched for brings.
const TYPE: char = '\u{E000}';

/// `text` as the index takes it, its letters as they are compared: runs of scripts that write no spaces become overlapping pairs of characters, so that
/// any part of two characters or more is found as a phrase of pairs; other text stays as it is.
pub(crate) fn spaced(text: &str, out: &mut String) {
    // Most texts end here.
    if text.is_ascii() {
        out.push_str(text);
        return;
    }
    let text = &*letters(text);
    if !text.chars().any(writes_no_spaces) {
        out.extend(text.chars().filter(|c| *c != TYPE));
        return;
    }
    let mut before: Option<char> = None;
    let mut alone = false;
    for c in text.chars().filter(|c| *c != TYPE) {
        let pairs = writes_no_spaces(c);
        match before.filter(|b| writes_no_spaces(*b)) {
            Some(last) if pairs => {
                out.push(last);
                out.push(c);
                out.push(' ');
                alone = false;
            }
            Some(last) => {
                if alone {
                    out.push(last);
                }
                out.push(' ');
                out.push(c);
            }
            None if pairs => {
                out.push(' ');
                alone = true;
            }
            None => out.push(c),
        }
        before = Some(c);
    }
    if let Some(last) = before.filter(|b| alone && writes_no_spaces(*b)) {
        out.push(last);
    }
}

/// The word that stands for a type in the index.
pub(crate) fn searchable_type(object_type: &str) -> String {
    std::iter::once(TYPE).chain(object_type.chars().filter(char::is_ascii_alphanumeric)).collect()
}

/// What of an object a person may search for: its type, and its strings but for ids, references, instants and
/// definitions.
pub(crate) fn of_object(object: &Value) -> String {
    let mut out = String::with_capacity(512);
    if let Some(object_type) = object.get("type").and_then(Value::as_str) {
        out.push_str(&searchable_type(object_type));
        out.push('\n');
    }
    walk("", object, 0, &mut out);
    out
}

fn walk(key: &str, value: &Value, depth: usize, out: &mut String) {
    if depth > stix::MAX_DEPTH || out.len() > MOST {
        return;
    }
    match value {
        Value::String(text) if searchable(key, text) => {
            spaced(text, out);
            out.push('\n');
        }
        Value::Array(list) => list.iter().for_each(|v| walk(key, v, depth + 1, out)),
        Value::Object(map) if key != "extensions" || depth > 1 => {
            map.iter().for_each(|(k, v)| walk(k, v, depth + 1, out));
        }
        Value::Object(map) => {
            // An extension's key is its definition's id; what it holds counts.
            for inner in map.values().filter_map(Value::as_object) {
                inner.iter().filter(|(k, _)| *k != "extension_type").for_each(|(k, v)| walk(k, v, depth + 2, out));
            }
        }
        _ => {}
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

    fn cut(text: &str) -> String {
        let mut out = String::new();
        spaced(text, &mut out);
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs_and_others_left_alone() {
        assert_eq!(cut("高薪招聘"), "高薪 薪招 招聘");
        assert_eq!(cut("加LINE群组 abc"), "加 LINE 群组 abc");
        assert_eq!(cut("งาน"), "งา าน");
        assert_eq!(cut("well paid work"), "well paid work");
        assert!(cut("xx我们yy").contains("我们 yy"));
    }

    #[test]
    fn no_text_brings_a_types_word_and_plain_letters_stay_as_they_are() {
        for (text, kept) in [("Well Paid, 100%", "Well Paid, 100%"), ("a\u{E000}b €", "ab €"), ("\u{E000}", "")] {
            let mut out = String::new();
            spaced(text, &mut out);
            assert_eq!(out, kept);
        }
    }

    #[test]
    fn any_part_of_a_text_is_a_part_of_its_pairs() {
        let text = "รับสมัครพนักงานบริการลูกค้าต่างประเทศ";
        let whole = cut(text);
        let chars: Vec<char> = text.chars().collect();
        for window in chars.windows(5) {
            let part: String = window.iter().collect();
            assert!(whole.contains(&cut(&part)), "{part}");
        }
    }

    #[test]
    fn ids_references_and_instants_are_not_text() {
        let object = serde_json::json!({"id": "note--1", "created": "2021", "object_refs": ["x--1"], "content": "hello",
            "extensions": {"extension-definition--1": {"extension_type": "new-sco", "inner": "deep"}}});
        let text = of_object(&object);
        assert!(
            text.contains("hello") && text.contains("deep") && !text.contains("--") && !text.contains("new-sco"),
            "{text}"
        );
    }
}
