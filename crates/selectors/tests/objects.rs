//! What is read from STIX objects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use selectors::{Hints, Kind, Strength, of_object};
use serde_json::{Value, json};

fn readings(object: Value) -> Vec<(Kind, String)> {
    of_object(&object, &Hints::default()).into_iter().map(|f| (f.kind, f.value)).collect()
}

fn one(kind: Kind, value: &str) -> Vec<(Kind, String)> {
    vec![(kind, value.to_string())]
}

#[test]
fn typed_fields_are_what_they_say() {
    assert_eq!(
        readings(json!({"type": "domain-name", "value": "WWW.Shop.example"})),
        one(Kind::Domain, "shop.example")
    );
    assert_eq!(
        readings(json!({"type": "email-addr", "value": "Jo@Mail.example", "display_name": "Jo"})),
        one(Kind::Email, "jo@mail.example")
    );
    assert_eq!(readings(json!({"type": "ipv4-addr", "value": "198.51.100.7/32"})), one(Kind::Ipv4, "198.51.100.7"));
    assert_eq!(
        readings(json!({"type": "phone-number", "value": "+44 20 7946 0958"})),
        one(Kind::Phone, "+442079460958")
    );
    assert_eq!(
        readings(json!({"type": "cryptocurrency-wallet", "value": "42RLPACwZPx3vYYmxSueqsogfynBDqXK298EDsNoyoHi"})),
        one(Kind::Sol, "42RLPACwZPx3vYYmxSueqsogfynBDqXK298EDsNoyoHi")
    );
    assert_eq!(
        readings(json!({"type": "user-account", "account_type": "telegram", "account_login": "Some_Body"})),
        one(Kind::Telegram, "some_body")
    );
    assert_eq!(
        readings(
            json!({"type": "bank-account", "iban": "GB82 WEST 1234 5698 7654 32", "account_number": "12345678901"})
        ),
        [(Kind::Iban, "GB82WEST12345698765432".into()), (Kind::BankAccount, "12345678901".into())]
    );
    assert_eq!(
        readings(json!({"type": "file", "name": "evil.com", "hashes": {"MD5": "D41D8CD98F00B204E9800998ECF8427F"}})),
        one(Kind::Md5, "d41d8cd98f00b204e9800998ecf8427f")
    );
    assert_eq!(
        readings(json!({"type": "location", "latitude": 13.7563, "longitude": 100.5018})),
        one(Kind::Coordinates, "13.75630,100.50180")
    );
}

#[test]
fn a_url_gives_its_host_and_a_platform_its_account() {
    assert_eq!(
        readings(json!({"type": "url", "value": "https://a.shop.example/x"})),
        [
            (Kind::Url, "https://a.shop.example/x".into()),
            (Kind::Domain, "a.shop.example".into()),
            (Kind::Domain, "shop.example".into())
        ]
    );
    assert_eq!(
        readings(json!({"type": "url", "value": "https://t.me/some_body"})),
        [(Kind::Url, "https://t.me/some_body".into()), (Kind::Telegram, "some_body".into())]
    );
}

#[test]
fn patterns_give_their_literals() {
    let object = json!({"type": "indicator", "pattern_type": "stix", "pattern":
        "[domain-name:value = 'shop.example' OR file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80708' AND file:name = 'evil.com']"});
    assert_eq!(
        readings(object),
        [(Kind::Domain, "shop.example".into()), (Kind::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80708".into())]
    );
}

#[test]
fn citations_references_and_names_are_no_selectors() {
    let object = json!({"type": "malware", "id": "malware--0b2b6a4c-8a57-4ea5-8fbc-1234567890ab", "name": "Some Malware",
        "created_by_ref": "identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5", "created": "2020-01-01T00:00:00.000Z",
        "description": "[Some](https://attack.mitre.org/software/S0001) talks to shop.example.(Citation: News 2020)",
        "external_references": [{"source_name": "News 2020", "url": "https://news.example/a", "description": "see news.example"},
            {"source_name": "evidence capture", "url": "https://bad.example/pay"}]});
    assert_eq!(
        readings(object),
        [
            (Kind::Domain, "shop.example".into()),
            (Kind::Url, "https://bad.example/pay".into()),
            (Kind::Domain, "bad.example".into())
        ]
    );
}

#[test]
fn a_value_is_given_once_at_its_strongest() {
    let object = json!({"type": "note", "content": "thanks.in and https://thanks.in/ and thanks.in"});
    let found = of_object(&object, &Hints::default());
    let domains: Vec<_> = found.iter().filter(|f| f.kind == Kind::Domain).collect();
    assert_eq!((domains.len(), domains[0].strength), (1, Strength::Links));
}

#[test]
fn extension_values_are_read_and_their_ids_are_not() {
    let object = json!({"type": "lure", "text": "hi", "extensions": {"extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7":
        {"extension_type": "property-extension", "contact": "https://t.me/some_body"}}});
    assert_eq!(readings(object), [(Kind::Url, "https://t.me/some_body".into()), (Kind::Telegram, "some_body".into())]);
}
