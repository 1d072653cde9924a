//! Any JSON value, and any pattern.
#![no_main]
use libfuzzer_sys::fuzz_target;
use selectors::{Hints, MAX_FOUND, of_object};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert!(of_object(&value, &Hints::default()).len() <= MAX_FOUND);
    }
    if let Ok(pattern) = std::str::from_utf8(bytes) {
        of_object(&serde_json::json!({"type": "indicator", "pattern_type": "stix", "pattern": pattern}), &Hints::default());
    }
});
