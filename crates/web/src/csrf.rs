//! Nobody else's page may act with our user's session, and one form acts once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The hidden field's name in every form.
pub const FIELD: &str = "csrf";

/// The header's name in htmx requests (the shell sets it on `<body>` with `hx-headers:inherited`).
pub const HEADER: &str = "x-csrf-token";

/// Makes and checks CSRF tokens: HMAC-SHA-256 of the session's id under a key of this process.
#[derive(Clone)]
pub struct Csrf {
    key: [u8; 32],
}

/// Why a form was refused.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum CsrfError {
    /// The token is absent, malformed, or another session's.
    #[error("the form is not from this session: load the page again and send it once more")]
    Token,
    /// The browser says that another site sent it.
    #[error("the form came from another site: open this node's own page and send it from there")]
    Site,
    /// This very form was sent before.
    #[error("the form was sent already: look at the result of the first time before sending another")]
    Spent,
    /// The form lay open too long.
    #[error("the form is too old: load the page again and send it once more")]
    Expired,
    /// More forms are open than the node remembers.
    #[error("too many forms were sent in a short time: wait a minute and send it once more")]
    Busy,
}

impl Csrf {
    /// With a key of 32 random bytes; all processes of one node use the same.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// With a fresh key from the system.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key })
    }

    /// The token for one session, the same for its whole life.
    #[must_use]
    pub fn token(&self, session: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&[b"csrf", session.as_bytes()]))
    }

    /// Checks a token in constant time.
    #[must_use]
    pub fn verify(&self, session: &str, token: &str) -> bool {
        let Ok(sent) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        self.mac(&[b"csrf", session.as_bytes()]).ct_eq(&sent).into()
    }

    /// The whole check of a request that changes something: where it came from, then its token, taken from
    /// the header [`HEADER`] or else from the form's field.
    ///
    /// # Errors
    /// [`CsrfError::Site`] or [`CsrfError::Token`].
    pub fn check(&self, headers: &HeaderMap, session: &str, field: Option<&str>) -> Result<(), CsrfError> {
        same_site(headers)?;
        let header = headers.get(HEADER).and_then(|v| v.to_str().ok());
        match header.or(field) {
            Some(token) if self.verify(session, token) => Ok(()),
            _ => Err(CsrfError::Token),
        }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return [0; 32];
        };
        for part in parts {
            // Length first, so that no two lists of parts give the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Fetch metadata first (<https://www.w3.org/TR/fetch-metadata/>), else `Origin` against `Host`. A request
/// with neither is no browser's; its token decides.
///
/// # Errors
/// [`CsrfError::Site`] when another site sent it.
pub fn same_site(headers: &HeaderMap) -> Result<(), CsrfError> {
    if let Some(site) = headers.get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Ok(()),
            _ => Err(CsrfError::Site),
        };
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    let from = origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, rest)| rest);
    if from.is_some() && from == host { Ok(()) } else { Err(CsrfError::Site) }
}

/// Forms that act once: a token for each form drawn, spent when the form is sent. A double click or a
/// reload then shows the first result instead of doing the thing twice.
///
/// The spent tokens stand in memory, at most [`OnceTokens::LIMIT`], until they expire; each process keeps
/// its own.
#[derive(Clone)]
pub struct OnceTokens {
    csrf: Csrf,
    /// Spent token's random part → when it expires (seconds since 1970).
    spent: Arc<Mutex<BTreeMap<[u8; 16], i64>>>,
}

impl OnceTokens {
    /// Spent tokens remembered at most.
    pub const LIMIT: usize = 100_000;

    /// How long a form may lie open, in seconds: a working day.
    pub const LIFE: i64 = 12 * 3600;

    /// Uses the same key as the CSRF tokens.
    #[must_use]
    pub fn new(csrf: Csrf) -> Self {
        Self { csrf, spent: Arc::default() }
    }

    /// A token for one drawing of one form. `now` in seconds since 1970.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn issue(&self, session: &str, now: i64) -> Result<String, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let until = now.saturating_add(Self::LIFE).to_be_bytes();
        let mac = self.csrf.mac(&[b"once", session.as_bytes(), &until, &random]);
        Ok(URL_SAFE_NO_PAD.encode([&until[..], &random[..], &mac[..]].concat()))
    }

    /// Spends a token. `now` in seconds since 1970.
    ///
    /// # Errors
    /// Forged, expired, or spent before.
    pub fn spend(&self, session: &str, token: &str, now: i64) -> Result<(), CsrfError> {
        let sent = URL_SAFE_NO_PAD.decode(token).map_err(|_| CsrfError::Token)?;
        let (until, rest) = sent.split_first_chunk::<8>().ok_or(CsrfError::Token)?;
        let (random, mac) = rest.split_first_chunk::<16>().ok_or(CsrfError::Token)?;
        let right = self.csrf.mac(&[b"once", session.as_bytes(), until, random]);
        if !bool::from(right.ct_eq(mac)) {
            return Err(CsrfError::Token);
        }
        let until = i64::from_be_bytes(*until);
        if until < now {
            return Err(CsrfError::Expired);
        }
        let mut spent = self.spent.lock().map_err(|_| CsrfError::Busy)?;
        if spent.len() >= Self::LIMIT {
            spent.retain(|_, until| *until >= now);
        }
        if spent.contains_key(random) {
            return Err(CsrfError::Spent);
        }
        if spent.len() >= Self::LIMIT {
            return Err(CsrfError::Busy);
        }
        spent.insert(*random, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_token_serves_its_own_session_only() {
        let csrf = Csrf::new([7; 32]);
        let token = csrf.token("s1");
        assert!(csrf.verify("s1", &token));
        assert!(!csrf.verify("s2", &token));
        assert!(!csrf.verify("s1", ""));
        assert!(!Csrf::new([8; 32]).verify("s1", &token));
    }

    #[test]
    fn another_site_is_refused_even_with_the_right_token() {
        let csrf = Csrf::new([7; 32]);
        let token = csrf.token("s");
        for bad in [
            headers(&[("sec-fetch-site", "cross-site")]),
            headers(&[("sec-fetch-site", "same-site")]),
            headers(&[("origin", "https://evil.example"), ("host", "eye.example")]),
            headers(&[("origin", "null"), ("host", "eye.example")]),
        ] {
            assert_eq!(csrf.check(&bad, "s", Some(&token)), Err(CsrfError::Site));
        }
        let own = headers(&[("origin", "https://eye.example"), ("host", "eye.example")]);
        assert_eq!(csrf.check(&own, "s", Some(&token)), Ok(()));
        assert_eq!(csrf.check(&own, "s", None), Err(CsrfError::Token));
    }

    #[test]
    fn the_header_serves_htmx_and_a_wrong_header_is_not_saved_by_the_field() {
        let csrf = Csrf::new([7; 32]);
        let token = csrf.token("s");
        assert_eq!(csrf.check(&headers(&[("x-csrf-token", &token)]), "s", None), Ok(()));
        assert_eq!(csrf.check(&headers(&[("x-csrf-token", "no")]), "s", Some(&token)), Err(CsrfError::Token));
    }

    #[test]
    fn a_form_acts_once_in_its_own_session_and_time() {
        let once = OnceTokens::new(Csrf::new([7; 32]));
        let token = once.issue("s", 1000).unwrap();
        assert_eq!(once.spend("other", &token, 1001), Err(CsrfError::Token));
        assert_eq!(once.spend("s", &token, 1001), Ok(()));
        assert_eq!(once.spend("s", &token, 1002), Err(CsrfError::Spent));
        let old = once.issue("s", 0).unwrap();
        assert_eq!(once.spend("s", &old, OnceTokens::LIFE + 1), Err(CsrfError::Expired));
        assert_eq!(once.spend("s", "AAAA", 0), Err(CsrfError::Token));
    }
}
