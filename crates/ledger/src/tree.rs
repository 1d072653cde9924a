//! The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): growing it, its root, its tiles, its proofs.
//!
//! Owns no storage: leaf hashes stand in the entries' rows, inner nodes in full tiles that the caller keeps.
//! Leaves flow in through [`TileWriter::push`]; roots, tiles and, through a [`NodeSource`], proofs flow out.

mod proof;
mod tile;

use sha2::{Digest, Sha256};

pub use proof::{
    BuildError, NodeSource, PathError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
pub use tile::{TILE_BYTES, TILE_WIDTH, Tile, TileWriter};

/// A SHA-256 hash: of a leaf, an inner node, or a root.
pub type Hash = [u8; 32];

/// The root of a tree without leaves: SHA-256 of nothing, RFC 6962 section 2.1.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Most leaves that a stored state may speak of: what an SQLite integer counts.
const MAX_SIZE: u64 = i64::MAX as u64;

/// RFC 6962 section 2.1: the first byte of what an inner node hashes.
const NODE_PREFIX: u8 = 0x01;

/// An inner node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([NODE_PREFIX]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The root over these leaf hashes (or over the roots of equal, full subtrees).
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

/// Bytes that are no frontier.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("stored tree state is damaged: {0} bytes do not fit its size; derive it again from the leaf hashes")]
pub struct DamagedState(pub usize);

/// The right edge of a tree: the roots of the full subtrees it falls into, at most 64 hashes.
///
/// ```
/// use ledger::{Frontier, root_of};
/// let leaves = [[1u8; 32], [2; 32], [3; 32]];
/// let mut frontier = Frontier::default();
/// for leaf in leaves {
///     frontier.push(leaf);
/// }
/// assert_eq!(frontier.root(), root_of(&leaves));
/// assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit that is set in `size`, the largest (leftmost) subtree first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf hash; O(1) amortised: one inner node a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _| {});
    }

    /// Adds a leaf hash and tells of each inner node that this completes: its level above the leaves, its hash.
    pub(crate) fn push_with(&mut self, leaf: Hash, mut completed: impl FnMut(u32, &Hash)) {
        let mut node = leaf;
        for level in 1..=self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            completed(level, &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT)
    }

    /// Size (u64, big-endian), then the hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.size.to_be_bytes(), self.peaks.as_flattened()].concat()
    }

    /// Reads what [`Frontier::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DamagedState`] when the length does not fit the size. The hashes themselves are only as good as the
    /// comparison of [`Frontier::root`] with a signed head.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedState> {
        let damaged = || DamagedState(bytes.len());
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let size = u64::from_be_bytes(*size);
        if size > MAX_SIZE {
            return Err(damaged());
        }
        match rest.as_chunks::<32>() {
            (peaks, []) if peaks.len() == size.count_ones() as usize => Ok(Self { size, peaks: peaks.to_vec() }),
            _ => Err(damaged()),
        }
    }

    /// Appends the peaks of `nodes`, roots of full subtrees of `2^level` leaves that follow what stands here.
    fn extend_level(&mut self, level: u32, nodes: &[Hash]) {
        let mut part = Frontier::default();
        for node in nodes {
            part.push(*node);
        }
        self.size += part.size << level;
        self.peaks.append(&mut part.peaks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 section 2.1, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves.len() {
            0 => Sha256::digest([]).into(),
            1 => leaves[0],
            n => {
                let k = n.next_power_of_two() / 2;
                node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_frontiers_root_is_rfc_6962s_at_every_size() {
        let leaves: Vec<Hash> = (0u64..600).map(|n| Sha256::digest(n.to_be_bytes()).into()).collect();
        let mut frontier = Frontier::default();
        for (n, leaf) in leaves.iter().enumerate() {
            assert_eq!(frontier.root(), naive(&leaves[..n]), "{n}");
            assert_eq!(frontier.size(), n as u64);
            frontier = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
            frontier.push(*leaf);
        }
    }

    #[test]
    fn a_frontier_of_the_wrong_length_is_refused() {
        let mut frontier = Frontier::default();
        (0..7).for_each(|n| frontier.push([n; 32]));
        let bytes = frontier.to_bytes();
        for cut in 0..bytes.len() {
            assert!(Frontier::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        let beyond = [&u64::MAX.to_be_bytes()[..], &[0; 64 * 32]].concat();
        assert!(Frontier::from_bytes(&beyond).is_err());
        assert_eq!(Frontier::from_bytes(&[bytes, vec![0]].concat()), Err(DamagedState(8 + 96 + 1)));
    }
}
