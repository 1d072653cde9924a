//! Any text, any object.
use crate::{Hints, MAX_FOUND, normalise, parse_query};

/// Any text: spans lie within it, and every value is its own normal form.
pub fn scan(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for country in [None, Some("GB"), Some("TH"), Some("BR")] {
        let hints = Hints { country };
        for found in crate::scan(&text, &hints) {
            assert!(text.get(found.span.clone()).is_some());
            let again = normalise(found.kind, &found.value, &hints).expect("a normal form is readable");
            assert_eq!((again.kind, again.value), (found.kind, found.value));
        }
    }
    parse_query(&text);
}

/// Any JSON value, and any pattern.
pub fn of_object(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert!(crate::of_object(&value, &Hints::default()).len() <= MAX_FOUND);
    }
    if let Ok(pattern) = std::str::from_utf8(bytes) {
        let object = serde_json::json!({"type": "indicator", "pattern_type": "stix", "pattern": pattern});
        crate::of_object(&object, &Hints::default());
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(env!("CARGO_MANIFEST_DIR"), &[("scan", super::scan), ("of_object", super::of_object)]);
    }
}
