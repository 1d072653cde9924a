//! Hashes of Bitcoin's family. In here they are in the order in which they are computed; displayed, they are reversed.
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

/// What Litecoin compares with the target: scrypt of the header (N 1024, r 1, p 1), the header itself its salt.
pub fn scrypt(header: &[u8; 80]) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let params = scrypt::Params::new(10, 1, 1).ok()?;
    scrypt::scrypt(header, header, &params, &mut hash).ok()?;
    Some(hash)
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
        let half = level.len().div_ceil(2);
        for i in 0..half {
            let parent = match level.get(2 * i..(2 * i + 2).min(level.len()))? {
                [a, b] if a == b => return None,
                [a, b] => sha256d(&[a, b]),
                [a] => sha256d(&[a, a]),
                _ => return None,
            };
            *level.get_mut(i)? = parent;
        }
        level.truncate(half);
    }
    level.first().copied()
}

/// SHA-256 of a file, in hex.
pub(crate) fn file_sha256(path: &std::path::Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(buffer.get(..n).unwrap_or_default());
    }
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

    #[test]
    fn litecoins_first_block_has_its_proof_of_work() {
        // Litecoin Core, `chainparams.cpp`: the header of the first block; its scrypt hash is below 0x1e0ffff0.
        let mut header = [0; 80];
        let text = "010000000000000000000000000000000000000000000000000000000000000000000000d9ced4ed1130f7b7faad9be25323ff\
                    afa33232a17c3edf6cfd97bee6bafbdd97b9aa8e4ef0ff0f1ecd513f7c";
        hex::decode_to_slice(text, &mut header).unwrap();
        assert_eq!(
            hex::encode(reversed(sha256d(&[&header]))),
            "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2"
        );
        assert_eq!(
            hex::encode(reversed(scrypt(&header).unwrap())),
            "0000050c34a64b415b6b15b37f2216634b5b1669cb9a2e38d76f7213b0671e00"
        );
    }
}
