//! JSON in the canonical form of RFC 8785, so that equal objects are equal bytes.

use serde_json::{Map, Number, Value};
use std::cmp::Ordering;

/// Writes `value` as RFC 8785 canonical JSON: members sorted by UTF-16 code units, no white space,
/// numbers as ECMAScript writes them.
///
/// ```
/// let value = serde_json::json!({"b": 1.0, "a": "é"});
/// assert_eq!(formats::canonical_json(&value), r#"{"a":"é","b":1}"#);
/// ```
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::with_capacity(256);
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_members(members, out),
    }
}

/// The same for the members of an object that is not wrapped in a `Value`.
pub(crate) fn write_members(members: &Map<String, Value>, out: &mut String) {
    write_sorted(members.iter().map(|(name, value)| (name.as_str(), value)).collect(), out);
}

/// The same for members in any order; their names are all different.
pub(crate) fn write_sorted(mut members: Vec<(&str, &Value)>, out: &mut String) {
    members.sort_unstable_by(|(left, _), (right, _)| by_utf16(left, right));
    out.push('{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// By UTF-16 code units, which is by bytes for names of ASCII alone.
fn by_utf16(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() { left.cmp(right) } else { left.encode_utf16().cmp(right.encode_utf16()) }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    // Nearly no text has anything to escape, and one look without a branch for each byte finds that out.
    if text.bytes().fold(false, |any, byte| any | (byte < 0x20) | (byte == b'"') | (byte == b'\\')) {
        write_escaped(text, out);
    } else {
        out.push_str(text);
    }
    out.push('"');
}

fn write_escaped(text: &str, out: &mut String) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x09 => "\\t",
            0x0a => "\\n",
            0x0c => "\\f",
            0x0d => "\\r",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        if short.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(short);
        }
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

/// RFC 8785 §3.2.2.3: every number is a double, written as ECMAScript writes it.
fn write_number(number: &Number, out: &mut String) {
    match number.as_i64() {
        // Exact as a double, and most numbers are.
        Some(whole) if whole.unsigned_abs() < 1 << 53 => out.push_str(&whole.to_string()),
        _ => match number.as_f64() {
            Some(float) => out.push_str(ryu_js::Buffer::new().format(float)),
            None => out.push_str(&number.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was_written(text in ".*") {
            let written = canonical_json(&Value::String(text.clone()));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }

        #[test]
        fn any_number_is_written_as_the_library_writes_it(bits: u64, whole: i64, small in -400i32..400) {
            let float = f64::from_bits(bits);
            let scaled = (whole as f64) * 10f64.powi(small);
            let floats = [float, scaled].into_iter().filter_map(Number::from_f64);
            for number in floats.chain([Number::from(whole), Number::from(bits)]) {
                let value = Value::Number(number);
                let library = serde_json_canonicalizer::to_string(&value).unwrap();
                prop_assert_eq!(canonical_json(&value), library);
            }
        }
    }

    #[test]
    fn members_are_sorted_by_utf16_and_controls_are_escaped_in_lower_case() {
        let value = serde_json::json!({"\u{ff}": 1, "a": "\u{1f}\n", "A": [true, null, 2.5]});
        assert_eq!(canonical_json(&value), "{\"A\":[true,null,2.5],\"a\":\"\\u001f\\n\",\"\u{ff}\":1}");
    }
}
