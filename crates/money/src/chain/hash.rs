//! Bitcoin's hashes. In here hashes are in the order in which they are computed; displayed, they are reversed.
use sha2::{Digest, Sha256};

/// SHA-256 twice over the parts.
pub fn sha256d(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Sha256::digest(hasher.finalize()).into()
}

/// RIPEMD-160 of SHA-256: what addresses hold of a key or a script.
pub fn hash160(bytes: &[u8]) -> [u8; 20] {
    ripemd::Ripemd160::digest(Sha256::digest(bytes)).into()
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
            [a, b] => Some(sha256d(&[a, b])),
            [a] => Some(sha256d(&[a, a])),
            _ => None,
        });
        level = next.collect::<Option<_>>()?;
    }
    level.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_stands_twice_has_no_root() {
        let [a, b, c] = [[1; 32], [2; 32], [3; 32]];
        assert!(merkle_root(vec![a, b, c]).is_some());
        assert_eq!(merkle_root(vec![a, b, c, c]), None);
        assert_eq!(merkle_root(Vec::new()), None);
        assert_eq!(merkle_root(vec![a]), Some(a));
    }
}
