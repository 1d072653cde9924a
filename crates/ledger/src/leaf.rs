//! What an entry looks like to the tree: its leaf hash, and the salted commitment to its body.
//!
//! Never holds a body: a leaf commits to `SHA-256(salt ‖ body)`, so salt and body can be expunged while every
//! proof over the leaf still holds, and a guessable body (a phone number) cannot be found by trying.

use sha2::{Digest, Sha256};

use crate::tree::Hash;

/// The fields of an entry that its leaf hash covers, in the order in which they are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafFields<'a> {
    /// The writing node and its epoch, `node/epoch`.
    pub origin: &'a str,
    /// The collection's random id.
    pub collection: &'a [u8; 16],
    /// Index of this leaf in its collection, from 0.
    pub seq: u64,
    /// Keyed id that tells the same again.
    pub id: &'a [u8; 32],
    /// What the entry is about: a STIX id, a case, or a keyed HMAC where that would be guessable.
    pub subject: &'a str,
    /// The `id` of the import entry that brought it.
    pub cause: Option<&'a [u8; 32]>,
    /// Account number of the author; names stay at home.
    pub author: u32,
    /// The author's claimed time, µs since the Unix epoch.
    pub time: i64,
    /// The entry's kind.
    pub kind: &'a str,
    /// Schema version of the kind.
    pub version: u16,
    /// The effective marking.
    pub marking: &'a str,
    /// [`commitment`] to the body.
    pub commitment: &'a [u8; 32],
}

/// Number of items in the leaf's CBOR array.
const FIELDS: u64 = 12;
/// RFC 6962 section 2.1: the first byte of what a leaf hashes.
const LEAF_PREFIX: u8 = 0x00;

/// CBOR major types, RFC 8949 section 3.1.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
/// RFC 8949 section 3.3: simple value 22.
const NULL: u8 = 0xf6;

/// The leaf hash: `SHA-256(0x00 ‖ leaf_bytes)`, RFC 6962 section 2.1.
///
/// ```
/// use ledger::{LeafFields, commitment, leaf_hash};
/// let body = commitment(&[7; 32], br#"{"type":"domain-name"}"#);
/// let mut fields = LeafFields {
///     origin: "node.example/1", collection: &[1; 16], seq: 0, id: &[2; 32], subject: "domain-name--x",
///     cause: None, author: 1, time: 1_700_000_000_000_000, kind: "stix", version: 1, marking: "amber",
///     commitment: &body,
/// };
/// let first = leaf_hash(&fields);
/// fields.seq = 1;
/// assert_ne!(first, leaf_hash(&fields));
/// ```
#[must_use]
pub fn leaf_hash(fields: &LeafFields<'_>) -> Hash {
    let mut bytes = Vec::with_capacity(room(fields) + 1);
    bytes.push(LEAF_PREFIX);
    encode(fields, &mut bytes);
    Sha256::digest(&bytes).into()
}

/// The deterministic CBOR array that a leaf hashes (RFC 8949 section 4.2: shortest heads, definite lengths).
///
/// Items: origin, collection, seq, id, subject, cause or null, author, time, kind, version, marking, commitment.
#[must_use]
pub fn leaf_bytes(fields: &LeafFields<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(room(fields));
    encode(fields, &mut bytes);
    bytes
}

/// `SHA-256(salt ‖ body)`: binds a leaf to a body without revealing it.
#[must_use]
pub fn commitment(salt: &[u8; 32], body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(body);
    hash.finalize().into()
}

/// Upper bound of the encoded size: four binary fields, numbers and heads fit in 224 bytes.
fn room(fields: &LeafFields<'_>) -> usize {
    224 + fields.origin.len() + fields.subject.len() + fields.kind.len() + fields.marking.len()
}

fn encode(fields: &LeafFields<'_>, out: &mut Vec<u8>) {
    head(out, ARRAY, FIELDS);
    string(out, TEXT, fields.origin.as_bytes());
    string(out, BYTES, fields.collection);
    head(out, UNSIGNED, fields.seq);
    string(out, BYTES, fields.id);
    string(out, TEXT, fields.subject.as_bytes());
    match fields.cause {
        Some(cause) => string(out, BYTES, cause),
        None => out.push(NULL),
    }
    head(out, UNSIGNED, u64::from(fields.author));
    match u64::try_from(fields.time) {
        Ok(time) => head(out, UNSIGNED, time),
        // RFC 8949 section 3.1: a negative integer n is stored as -1 - n, which in two's complement is !n.
        Err(_) => head(out, NEGATIVE, (!fields.time).cast_unsigned()),
    }
    string(out, TEXT, fields.kind.as_bytes());
    head(out, UNSIGNED, u64::from(fields.version));
    string(out, TEXT, fields.marking.as_bytes());
    string(out, BYTES, fields.commitment);
}

fn string(out: &mut Vec<u8>, major: u8, bytes: &[u8]) {
    head(out, major, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// An item's head in its shortest form, RFC 8949 section 4.2.1.
fn head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    if value < 24 {
        out.push(major | value as u8);
    } else if let Ok(value) = u8::try_from(value) {
        out.extend_from_slice(&[major | 24, value]);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(major | 25);
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(major | 26);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(major | 27);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciborium::Value;
    use proptest::prelude::*;

    fn by_ciborium(f: &LeafFields<'_>) -> Vec<u8> {
        let value = Value::Array(vec![
            Value::Text(f.origin.into()),
            Value::Bytes(f.collection.to_vec()),
            Value::Integer(f.seq.into()),
            Value::Bytes(f.id.to_vec()),
            Value::Text(f.subject.into()),
            f.cause.map_or(Value::Null, |c| Value::Bytes(c.to_vec())),
            Value::Integer(f.author.into()),
            Value::Integer(f.time.into()),
            Value::Text(f.kind.into()),
            Value::Integer(f.version.into()),
            Value::Text(f.marking.into()),
            Value::Bytes(f.commitment.to_vec()),
        ]);
        let mut out = Vec::new();
        ciborium::into_writer(&value, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn the_hand_written_cbor_equals_ciboriums(
            origin in ".{0,40}", subject in ".{0,300}", kind in "[a-z.]{0,30}", marking in ".{0,24}",
            seq in any::<u64>(), author in any::<u32>(), time in any::<i64>(), version in any::<u16>(),
            shift in 0u32..64, cause in any::<Option<[u8; 32]>>(), id in any::<[u8; 32]>(), collection in any::<[u8; 16]>(),
        ) {
            let f = LeafFields {
                origin: &origin, collection: &collection, seq: seq >> shift, id: &id, subject: &subject,
                cause: cause.as_ref(), author: author >> (shift / 2), time: time >> shift, kind: &kind,
                version: version >> (shift / 4), marking: &marking, commitment: &[9; 32],
            };
            prop_assert_eq!(leaf_bytes(&f), by_ciborium(&f));
            prop_assert!(leaf_bytes(&f).len() <= room(&f));
        }
    }

    #[test]
    fn numbers_take_their_shortest_form_at_every_boundary() {
        for n in [0u64, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            let mut ours = Vec::new();
            head(&mut ours, UNSIGNED, n);
            let mut theirs = Vec::new();
            ciborium::into_writer(&Value::Integer(n.into()), &mut theirs).unwrap();
            assert_eq!(ours, theirs, "{n}");
        }
    }

    #[test]
    fn a_commitment_hides_and_binds_salt_and_body() {
        let (salt, body) = ([1; 32], b"{}");
        let one = commitment(&salt, body);
        assert_ne!(one, commitment(&[2; 32], body));
        assert_ne!(one, commitment(&salt, b"{ }"));
        assert_eq!(one, <[u8; 32]>::from(Sha256::digest([&salt[..], body].concat())));
    }
}
