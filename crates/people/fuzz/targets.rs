//! Whatever stands in an `Authorization` header, or in an address of the access log's page.
use crate::{AccessKind, Outcome, Role, Sought, authenticate, token};

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

/// What an address says is sought: it is written again as it was read, and no guessable id is taken.
pub fn sought(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(sought) = Sought::of_mark(text) {
        assert!(sought.mark().eq_ignore_ascii_case(text) && !crate::is_guessable(text));
        assert_eq!(Sought::of_mark(&sought.mark()), Some(sought));
    }
    let _any = (text.parse::<AccessKind>(), text.parse::<Outcome>());
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        let targets: &[super::replay::Target] = &[("authorization", super::authorization), ("sought", super::sought)];
        super::replay::replay(env!("CARGO_MANIFEST_DIR"), targets);
    }
}
