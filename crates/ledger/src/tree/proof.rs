//! Inclusion and consistency proofs: built from leaf hashes and tiles (RFC 6962 section 2.1), checked without them
//! (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use super::tile::TILE_WIDTH;
use super::{EMPTY_ROOT, Hash, node_hash, root_of};

/// Where a proof reads its hashes.
pub trait NodeSource {
    /// What reading can run into.
    type Error: std::error::Error + 'static;

    /// The leaf hashes `start..end` (by `seq`), at most 256 at once.
    ///
    /// # Errors
    /// The store's own.
    fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>, Self::Error>;

    /// The hashes of tile (`level` from 1, `index`), as many as are known from its beginning; `None` when it is not
    /// stored: then it is derived from what lies below, slowly.
    ///
    /// # Errors
    /// The store's own.
    fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, Self::Error>;
}

/// A tree whose leaf hashes are all in memory.
impl NodeSource for &[Hash] {
    type Error = std::convert::Infallible;

    fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>, Self::Error> {
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        Ok(range.and_then(|(start, end)| self.get(start..end)).map(<[Hash]>::to_vec).unwrap_or_default())
    }

    fn tile(&mut self, _: u8, _: u64) -> Result<Option<Vec<Hash>>, Self::Error> {
        Ok(None)
    }
}

/// Why a proof could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError<E: std::error::Error + 'static> {
    /// The store failed.
    #[error("reading the tree's hashes failed")]
    Source(#[source] E),
    /// Asked for a leaf or a size outside the tree.
    #[error("{asked} is outside a tree of {size} leaves")]
    Outside {
        /// The index or size asked for.
        asked: u64,
        /// The tree's size.
        size: u64,
    },
    /// The store holds fewer hashes than the tree has.
    #[error("leaf hashes {start}..{end} are not all there: run `eye verify`")]
    Missing {
        /// First leaf asked for.
        start: u64,
        /// One past the last.
        end: u64,
    },
}

/// Why a proof does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum PathError {
    /// The index or the smaller size lies outside the tree.
    #[error("the leaf or size lies outside the tree")]
    Outside,
    /// More or fewer hashes than a tree of this size has on this path.
    #[error("the path has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the path leads to another root")]
    Root,
}

/// Reads the roots of full subtrees through a source, by the shortest way it offers.
pub(super) struct Nodes<'a, S>(pub &'a mut S);

impl<S: NodeSource> Nodes<'_, S> {
    pub fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>, BuildError<S::Error>> {
        if start == end {
            return Ok(Vec::new());
        }
        let leaves = self.0.leaves(start, end).map_err(BuildError::Source)?;
        if leaves.len() as u64 == end - start { Ok(leaves) } else { Err(BuildError::Missing { start, end }) }
    }

    /// Root of the full subtree number `index` of `2^level` leaves.
    pub fn subtree(&mut self, level: u32, index: u64) -> Result<Hash, BuildError<S::Error>> {
        let (tile_level, above) = (level / 8, level % 8);
        let (first, count) = (index << above, 1u64 << above);
        if tile_level == 0 {
            return Ok(root_of(&self.leaves(first, first + count)?));
        }
        if let Some(hashes) = self.in_tile(tile_level, first, count)? {
            return Ok(root_of(&hashes));
        }
        let hashes = (first..first + count).map(|n| self.below(tile_level, n)).collect::<Result<Vec<_>, _>>()?;
        Ok(root_of(&hashes))
    }

    /// The nodes `first..first + count` of a tile level, when its tile holds them.
    fn in_tile(&mut self, level: u32, first: u64, count: u64) -> Result<Option<Vec<Hash>>, BuildError<S::Error>> {
        let (index, offset) = (first / TILE_WIDTH as u64, (first % TILE_WIDTH as u64) as usize);
        let tile = self.0.tile(level as u8, index).map_err(BuildError::Source)?;
        Ok(tile.and_then(|hashes| hashes.get(offset..offset + count as usize).map(<[Hash]>::to_vec)))
    }

    /// Node `n` of a tile level, from the 256 nodes below it.
    fn below(&mut self, level: u32, n: u64) -> Result<Hash, BuildError<S::Error>> {
        let (first, count) = (n * TILE_WIDTH as u64, TILE_WIDTH as u64);
        if level == 1 {
            return Ok(root_of(&self.leaves(first, first + count)?));
        }
        let hashes = match self.in_tile(level - 1, first, count)? {
            Some(hashes) => hashes,
            None => (first..first + count).map(|n| self.below(level - 1, n)).collect::<Result<_, _>>()?,
        };
        Ok(root_of(&hashes))
    }

    /// `MTH(D[start:end])` of RFC 6962 section 2.1, for ranges that begin where a subtree of the tree begins.
    fn range(&mut self, start: u64, end: u64) -> Result<Hash, BuildError<S::Error>> {
        let mut peaks = Vec::new();
        let mut at = start;
        while at < end {
            let level = (end - at).ilog2();
            peaks.push(self.subtree(level, at >> level)?);
            at += 1 << level;
        }
        Ok(peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT))
    }
}

/// The largest power of two below `n` (`n` ≥ 2).
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// `PATH(index, D[size])` of RFC 6962 section 2.1.1: the siblings from the leaf up to the root.
///
/// ```
/// use ledger::{inclusion_proof, root_of, verify_inclusion};
/// let leaves = [[1u8; 32], [2; 32], [3; 32]];
/// let path = inclusion_proof(3, 2, &mut leaves.as_slice()).unwrap();
/// assert_eq!(verify_inclusion(&leaves[2], 2, 3, &path, &root_of(&leaves)), Ok(()));
/// ```
///
/// # Errors
/// [`BuildError`] when the index lies outside, the source fails, or hashes are missing.
pub fn inclusion_proof<S: NodeSource>(
    size: u64,
    index: u64,
    source: &mut S,
) -> Result<Vec<Hash>, BuildError<S::Error>> {
    if index >= size {
        return Err(BuildError::Outside { asked: index, size });
    }
    let mut nodes = Nodes(source);
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(nodes.range(middle, end)?);
            end = middle;
        } else {
            path.push(nodes.range(start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// `PROOF(first, D[second])` of RFC 6962 section 2.1.2: that the tree of `second` leaves begins with that of `first`.
///
/// # Errors
/// [`BuildError`] when `first > second`, the source fails, or hashes are missing.
pub fn consistency_proof<S: NodeSource>(
    first: u64,
    second: u64,
    source: &mut S,
) -> Result<Vec<Hash>, BuildError<S::Error>> {
    if first > second {
        return Err(BuildError::Outside { asked: first, size: second });
    }
    if first == 0 || first == second {
        return Ok(Vec::new());
    }
    let mut nodes = Nodes(source);
    let (mut start, mut end) = (0, second);
    let mut path = Vec::new();
    // Down to the smaller tree's last peak; `start == 0` means it is the smaller tree itself, which the checker has.
    while first != end {
        let middle = start + split(end - start);
        if first <= middle {
            path.push(nodes.range(middle, end)?);
            end = middle;
        } else {
            path.push(nodes.range(start, middle)?);
            start = middle;
        }
    }
    if start != 0 {
        path.push(nodes.range(start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks an inclusion path by the steps of RFC 9162 section 2.1.3.2.
///
/// # Errors
/// [`PathError`]: outside, wrong length, or another root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> Result<(), PathError> {
    if index >= size {
        return Err(PathError::Outside);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return Err(PathError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(PathError::Root),
        _ => Err(PathError::Length),
    }
}

/// Checks a consistency proof by the steps of RFC 9162 section 2.1.4.2. The empty tree begins every tree.
///
/// # Errors
/// [`PathError`]: `first > second`, wrong length, or another root.
pub fn verify_consistency(
    first: u64,
    second: u64,
    first_root: &Hash,
    second_root: &Hash,
    path: &[Hash],
) -> Result<(), PathError> {
    if first > second {
        return Err(PathError::Outside);
    }
    if first == 0 || first == second {
        let same = if first == second { first_root == second_root } else { *first_root == EMPTY_ROOT };
        return if !path.is_empty() {
            Err(PathError::Length)
        } else if same {
            Ok(())
        } else {
            Err(PathError::Root)
        };
    }
    let (mut node, mut last) = (first - 1, second - 1);
    let shared = node.trailing_ones();
    (node, last) = (node >> shared, last >> shared);
    // A smaller tree that is one full subtree stands for itself.
    let (seed, path) = match path.split_first() {
        _ if first.is_power_of_two() => (*first_root, path),
        Some((seed, rest)) => (*seed, rest),
        None => return Err(PathError::Length),
    };
    let (mut old, mut new) = (seed, seed);
    for sibling in path {
        if last == 0 {
            return Err(PathError::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match (last, old == *first_root && new == *second_root) {
        (0, true) => Ok(()),
        (0, false) => Err(PathError::Root),
        _ => Err(PathError::Length),
    }
}
