//! Whatever a browser, or somebody who plays one, sends in a form, a token or a header.
use crate::{Catalogue, Csrf, Fields, OnceTokens, Theme};
use http::{HeaderMap, HeaderValue};

/// An urlencoded form: within its limits, and its checks say what they say.
pub fn fields(bytes: &[u8]) {
    let Ok(sent) = Fields::parse(bytes) else { return };
    assert!(sent.pairs().len() <= crate::form::FIELDS_LIMIT);
    let Ok(catalogue) = Catalogue::new(&[]) else { return };
    let locale = catalogue.locale("en");
    for (name, value) in sent.pairs() {
        let mut check = sent.check(&locale);
        let number = check.number(name, 1..=10);
        assert!(number.is_none_or(|n| (1..=10).contains(&n)));
        check.required(name, "form-too-long", 5);
        check.one_of(name, &["a"], "form-too-long");
        assert!(check.done().of(name).len() < 2_000 && sent.has(name, value));
    }
}

/// Tokens: nobody makes one up.
pub fn csrf(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let csrf = Csrf::new([7; 32]);
    assert!(!csrf.verify("session", &text));
    assert!(csrf.verify(&text, &csrf.token(&text)));
    let once = OnceTokens::new(csrf);
    assert!(once.spend("session", &text, 1_000).is_err());
}

/// The headers that pages read.
pub fn headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    for name in ["sec-fetch-site", "origin", "host", "x-csrf-token", "hx-request", "cookie", "accept-language"] {
        if let Ok(name) = http::HeaderName::try_from(name) {
            headers.insert(name, value.clone());
        }
    }
    assert!(Csrf::new([7; 32]).check(&headers, "session", None).is_err());
    let _any = crate::wants_partial(&headers);
    if let Ok(text) = value.to_str() {
        let _any = Theme::from_cookies(text);
        let _any = crate::chrome::cookie(text, "eye");
        if let Ok(catalogue) = Catalogue::new(&[]) {
            assert!(!catalogue.negotiate(Some(text), Some(text)).tag().is_empty());
        }
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(
            env!("CARGO_MANIFEST_DIR"),
            &[("fields", super::fields), ("csrf", super::csrf), ("headers", super::headers)],
        );
    }
}
