//! Whatever a listener names as the place where it begins.
use crate::position;

/// `from` and `Last-Event-ID`: what is read is written as something that is read alike.
pub fn position(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(micros) = position::read(text)
    {
        assert_eq!(position::read(&position::write(micros)), Some(micros));
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(env!("CARGO_MANIFEST_DIR"), &[("position", super::position)]);
    }
}
