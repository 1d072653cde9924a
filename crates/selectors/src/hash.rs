//! File hashes by their length, and the hashes of nothing.

use crate::bytes::all_same;
use crate::{Found, Kind};

/// The kind of hash with this many hexadecimal digits.
pub(crate) fn by_length(length: usize) -> Option<Kind> {
    Some(match length {
        32 => Kind::Md5,
        40 => Kind::Sha1,
        64 => Kind::Sha256,
        128 => Kind::Sha512,
        _ => return None,
    })
}

/// Hexadecimal digits as a file hash in lower-case.
pub(crate) fn read(hex: &str) -> Option<Found> {
    let kind = by_length(hex.len())?;
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = hex.to_ascii_lowercase();
    Some(if all_same(&value) {
        Found::never(kind, value, "a placeholder: every digit is the same")
    } else if is_of_nothing(&value) {
        Found::never(kind, value, "the hash of an empty file")
    } else {
        Found::links(kind, value)
    })
}

/// Digits in running text need both letters and figures: numbers and words of a-f are no hashes.
pub(crate) fn looks_random(hex: &str) -> bool {
    let figures = hex.bytes().filter(u8::is_ascii_digit).count();
    figures >= hex.len() / 8 && figures < hex.len()
}

/// `blocksize:hash:hash` of a typed field.
pub(crate) fn ssdeep(raw: &str) -> Option<Found> {
    let mut parts = raw.split(':');
    let (size, first, second) = (parts.next()?, parts.next()?, parts.next()?);
    let base64 = |s: &str| s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let shaped =
        parts.next().is_none() && size.len() <= 10 && size.bytes().all(|b| b.is_ascii_digit()) && !size.is_empty();
    (shaped && base64(first) && base64(second) && first.len() + second.len() > 5)
        .then(|| Found::links(Kind::Ssdeep, raw))
}

fn is_of_nothing(value: &str) -> bool {
    matches!(value, "d41d8cd98f00b204e9800998ecf8427e" | "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        || value == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        || value.starts_with("cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    #[test]
    fn a_hash_is_told_by_its_length_and_nothing_links_nothing() {
        assert_eq!(
            read("D41D8CD98F00B204E9800998ECF8427F").map(|f| (f.kind, f.strength)),
            Some((Kind::Md5, Strength::Links))
        );
        assert_eq!(read("d41d8cd98f00b204e9800998ecf8427e").map(|f| f.strength), Some(Strength::Never));
        assert_eq!(read("00000000000000000000000000000000").map(|f| f.strength), Some(Strength::Never));
        assert_eq!(read("d41d8cd9"), None);
        assert!(!looks_random("12345678901234567890123456789012") && !looks_random("deadbeefdeadbeefdeadbeefdeadbeef"));
    }

    #[test]
    fn ssdeep_has_three_parts() {
        assert!(ssdeep("3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C").is_some());
        assert!(ssdeep("12:34").is_none());
    }
}
