//! Whatever stands in an `Authorization` header.
use crate::{Role, authenticate, token};

/// `Basic`: what comes out is what RFC 7617 puts in; tokens and roles of any text.
pub fn authorization(bytes: &[u8]) {
    use base64::Engine;
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some((name, password)) = authenticate::decode_basic(text) {
        let again = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        assert_eq!(authenticate::decode_basic(&again), Some((name, password)));
    }
    token::hash(text);
    let _any = text.parse::<Role>();
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(env!("CARGO_MANIFEST_DIR"), &[("authorization", super::authorization)]);
    }
}
