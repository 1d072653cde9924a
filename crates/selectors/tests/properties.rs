//! What holds for every input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use selectors::{Found, Hints, Kind, normalise, of_object, parse_query, scan};

/// Texts that look like something: pieces of identifiers, cue words, punctuation, other scripts.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("https://".to_string()),
        Just("hxxp[:]//".to_string()),
        Just("shop.example".to_string()),
        Just("[.]".to_string()),
        Just("@".to_string()),
        Just("+44 20 7946 0958".to_string()),
        Just("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".to_string()),
        Just("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_string()),
        Just("GB82 WEST 1234 5698 7654 32".to_string()),
        Just("telegram: ".to_string()),
        Just("เลขบัญชี ".to_string()),
        Just("๐๘๑".to_string()),
        Just("P<UTO<<".to_string()),
        Just("13.7563,100.5018".to_string()),
        Just("13°45'".to_string()),
        Just("ทะเบียนรถ กข".to_string()),
        "[0-9 .:/-]{0,20}",
        "[a-z.@:/+<\\[\\](){}-]{0,12}",
        "\\PC{0,8}",
        any::<String>(),
    ];
    proptest::collection::vec(pieces, 0..8).prop_map(|p| p.concat())
}

fn readings(found: Vec<Found>) -> Vec<(Kind, String)> {
    found.into_iter().map(|f| (f.kind, f.value)).collect()
}

proptest! {
    #[test]
    fn any_text_is_read_and_spans_lie_within_it(text in texts(), country in proptest::option::of("[A-Z]{2}")) {
        let hints = Hints { country: country.as_deref() };
        for found in scan(&text, &hints) {
            prop_assert!(text.get(found.span.clone()).is_some_and(|s| !s.is_empty()), "{found:?}");
            prop_assert!(!found.value.is_empty());
            prop_assert_eq!(found.why.is_empty(), found.strength == selectors::Strength::Links);
        }
        parse_query(&text);
        selectors::refang(&text);
    }

    /// Four groups of digits fit many a country's telephone numbers: an address of a machine is none of them.
    #[test]
    fn an_address_of_a_machine_is_no_telephone_number_whatever_the_country(
        quad in any::<[u8; 4]>(),
        country in proptest::sample::select(vec!["DE", "CN", "KH", "TH", "GB", "JP", "PH", "MM", "US", "LA", "VN", "IN", "FR"]),
        dot in proptest::sample::select(vec![".", "[.]", "[dot]"]),
        around in proptest::sample::select(vec![("C2 at ", " was seen"), ("", ""), ("443 ", " 80"), ("(", ")"), ("to ", " port 443")]),
    ) {
        let [a, b, c, d] = quad;
        let text = format!("{}{a}{dot}{b}{dot}{c}{dot}{d}{}", around.0, around.1);
        let found = readings(scan(&text, &Hints::country(country)));
        let address = std::net::Ipv4Addr::from(quad).to_string();
        prop_assert_eq!(found, vec![(Kind::Ipv4, address)], "{}", text);
    }

    #[test]
    fn a_normal_form_is_its_own_normal_form(text in texts()) {
        for found in scan(&text, &Hints::country("GB")) {
            let again = normalise(found.kind, &found.value, &Hints::country("GB"));
            prop_assert!(again.is_ok(), "{found:?} {again:?}");
            let again = again.unwrap();
            prop_assert_eq!((again.kind, &again.value), (found.kind, &found.value));
        }
        for kind in Kind::ALL {
            if let Ok(once) = normalise(*kind, &text, &Hints::default()) {
                let twice = normalise(once.kind, &once.value, &Hints::default());
                prop_assert_eq!(twice.map(|f| f.value), Ok(once.value));
            }
        }
    }

    #[test]
    fn any_object_is_read(text in texts(), key in "[a-z_]{1,12}") {
        for kind in ["indicator", "url", "domain-name", "file", "user-account", "bank-account", "note", "location", "lure"] {
            let object = serde_json::json!({"type": kind, "value": text, "pattern": text, "iban": text, "hashes": {"MD5": text},
                "account_login": text, key.as_str(): [{"a": text}], "latitude": 1e300, "longitude": "x"});
            of_object(&object, &Hints::default());
        }
    }

    #[test]
    // Hosts that begin like a bundle name (`com.`) need the evidence that defanging is, so they are left out here.
    fn defanging_changes_nothing_that_is_found(host in "q[a-z]{3,9}", path in "[a-z]{1,8}", name in "[a-z]{3,8}") {
        let plain = format!("go https://{host}.example/{path} or mail {name}@{host}.example or {host}.example today");
        let defanged = plain.replace("https://", "hxxps://").replace('.', "[.]").replace('@', "[at]").replace("://", "[://]");
        prop_assert_eq!(readings(scan(&plain, &Hints::default())), readings(scan(&defanged, &Hints::default())));
    }
}
