//! Keyed ids and keyed 64-bit hashes.

use std::hash::Hasher;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use siphasher::sip::SipHasher24;
use zeroize::Zeroizing;

/// HMAC-SHA256 (RFC 2104) over parts, each preceded by its length in bytes (u64, big-endian), so that
/// `["ab", "c"]` and `["a", "bc"]` differ.
///
/// ```
/// use ledger::keyed_id;
/// assert_ne!(keyed_id(&[1; 32], &[b"ab", b"c"]), keyed_id(&[1; 32], &[b"a", b"bc"]));
/// ```
#[must_use]
pub fn keyed_id(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104 section 2: a key shorter than the block is filled up with zeros.
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The 128-bit key of [`keyed_hash64`].
pub struct RowKey(Zeroizing<[u8; 16]>);

impl RowKey {
    /// Derives the key from the index key: the first half of a [`keyed_id`].
    #[must_use]
    pub fn new(index_hmac: &[u8; 32]) -> Self {
        let derived = Zeroizing::new(keyed_id(index_hmac, &[b"row key"]));
        let mut key = Zeroizing::new([0; 16]);
        for (to, from) in key.iter_mut().zip(derived.iter()) {
            *to = *from;
        }
        Self(key)
    }
}

impl std::fmt::Debug for RowKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowKey").finish_non_exhaustive()
    }
}

/// A keyed 64-bit hash for row keys: SipHash-2-4 (Aumasson and Bernstein 2012) over tag length, tag and bytes.
///
/// SipHash and not a shortened HMAC: with 64 bits out it is as hard to steer for whoever lacks the key, and some ten
/// times faster, at about five calls an object. Whoever stores it confirms on insert: 64 bits do collide. The tag,
/// of at most 255 bytes, keeps kinds of values apart.
///
/// ```
/// use ledger::{RowKey, keyed_hash64};
/// let key = RowKey::new(&[1; 32]);
/// assert_ne!(keyed_hash64(&key, "phone", b"+15550100"), keyed_hash64(&key, "id", b"+15550100"));
/// ```
#[must_use]
pub fn keyed_hash64(key: &RowKey, tag: &str, bytes: &[u8]) -> i64 {
    let mut hash = SipHasher24::new_with_key(&key.0);
    hash.write(&[tag.len() as u8]);
    hash.write(tag.as_bytes());
    hash.write(bytes);
    hash.finish().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_id_is_hmac_sha256_of_length_prefixed_parts() {
        let mut by_slice = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        by_slice.update(&[0, 0, 0, 0, 0, 0, 0, 2]);
        by_slice.update(b"ab");
        by_slice.update(&[0; 8]);
        assert_eq!(keyed_id(&[7; 32], &[b"ab", b""]), <[u8; 32]>::from(by_slice.finalize().into_bytes()));
    }

    #[test]
    fn where_parts_end_matters() {
        let id = |parts: &[&[u8]]| keyed_id(&[7; 32], parts);
        let all = [id(&[b"ab", b"c"]), id(&[b"a", b"bc"]), id(&[b"abc"]), id(&[b"abc", b""]), id(&[])];
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), all.len());
    }

    #[test]
    fn keyed_hash64_is_siphash_2_4_and_what_it_was() {
        // Appendix A of the SipHash paper: key 00..0f, input 00..0e.
        let key = RowKey(Zeroizing::new(std::array::from_fn(|n| n as u8)));
        let mut hash = SipHasher24::new_with_key(&key.0);
        hash.write(&(0..15).collect::<Vec<u8>>());
        assert_eq!(hash.finish(), 0xa129_ca61_49be_45e5);
        // The same through the function: tag length 1, tag 0x01, then the rest spelled so that the input differs.
        let mut by_hand = SipHasher24::new_with_key(&key.0);
        by_hand.write(b"\x05phone+15550100");
        assert_eq!(keyed_hash64(&key, "phone", b"+15550100"), by_hand.finish().cast_signed());
        assert_ne!(keyed_hash64(&key, "phon", b"e+15550100"), keyed_hash64(&key, "phone", b"+15550100"));
        assert_ne!(keyed_hash64(&RowKey::new(&[1; 32]), "id", b"x"), keyed_hash64(&RowKey::new(&[2; 32]), "id", b"x"));
    }
}
