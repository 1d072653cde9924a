//! Any text: spans lie within it, and every value is its own normal form.
#![no_main]
use libfuzzer_sys::fuzz_target;
use selectors::{Hints, normalise, parse_query, scan};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for country in [None, Some("GB"), Some("TH"), Some("BR")] {
        let hints = Hints { country };
        for found in scan(&text, &hints) {
            assert!(text.get(found.span.clone()).is_some());
            let again = normalise(found.kind, &found.value, &hints).expect("a normal form is readable");
            assert_eq!((again.kind, again.value), (found.kind, found.value));
        }
    }
    parse_query(&text);
});
