//! Bitcoin's hashes. In here hashes are in the order in which they are computed; displayed, they are reversed.
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// What SHA-256 begins with (FIPS 180-4, 5.3.3).
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// What follows a message of 64 bytes: a one, zeros, the length in bits.
const AFTER_64: [u8; 64] = after_64();

const fn after_64() -> [u8; 64] {
    let mut block = [0; 64];
    let [first, .., high, _] = &mut block;
    (*first, *high) = (0x80, 2);
    block
}

fn bytes_of(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(4).zip(state).for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
    bytes
}

/// SHA-256 of up to 55 bytes, which with their padding are one block: most of what is hashed here, so without a buffer.
fn sha256_short(message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    let Some(head) = block.get_mut(..message.len()).filter(|head| head.len() < 56) else {
        return Sha256::digest(message).into();
    };
    head.copy_from_slice(message);
    if let Some(one) = block.get_mut(message.len()) {
        *one = 0x80;
    }
    if let Some(length) = block.last_chunk_mut::<8>() {
        *length = (8 * message.len() as u64).to_be_bytes();
    }
    let mut state = START;
    compress256(&mut state, &[block]);
    bytes_of(state)
}

/// SHA-256 twice over the parts.
pub fn sha256d(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    sha256_short(&hasher.finalize())
}

/// RIPEMD-160 of SHA-256: what addresses hold of a key or a script.
pub fn hash160(bytes: &[u8]) -> [u8; 20] {
    ripemd::Ripemd160::digest(sha256_short(bytes)).into()
}

/// The hash the other way round, as people write it.
pub fn reversed(mut hash: [u8; 32]) -> [u8; 32] {
    hash.reverse();
    hash
}

/// The Merkle root over transaction hashes; `None` when two neighbours are equal that should differ, which would let another
/// block have the same root (CVE-2012-2459), or when there is none.
pub fn merkle_root(mut level: Vec<[u8; 32]>) -> Option<[u8; 32]> {
    while level.len() > 1 {
        let next = level.chunks(2).map(|pair| match pair {
            [a, b] if a == b => None,
            [a, b] => Some(pair_hash(a, b)),
            [a] => Some(pair_hash(a, a)),
            _ => None,
        });
        level = next.collect::<Option<_>>()?;
    }
    level.first().copied()
}

fn pair_hash(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut block = [0; 64];
    block.iter_mut().zip(a.iter().chain(b)).for_each(|(to, from)| *to = *from);
    let mut state = START;
    compress256(&mut state, &[block, AFTER_64]);
    sha256_short(&bytes_of(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_without_a_buffer_are_those_with_one() {
        let bytes: Vec<u8> = (0..130).collect();
        for len in 0..130 {
            let message = &bytes[..len];
            assert_eq!(sha256_short(message), <[u8; 32]>::from(Sha256::digest(message)), "{len}");
        }
        let (a, b) = (sha256d(&[b"a"]), sha256d(&[b"b"]));
        assert_eq!(pair_hash(&a, &b), sha256d(&[&a, &b]));
    }

    #[test]
    fn a_pair_that_stands_twice_has_no_root() {
        let [a, b, c] = [[1; 32], [2; 32], [3; 32]];
        assert!(merkle_root(vec![a, b, c]).is_some());
        assert_eq!(merkle_root(vec![a, b, c, c]), None);
        assert_eq!(merkle_root(Vec::new()), None);
        assert_eq!(merkle_root(vec![a]), Some(a));
    }
}
