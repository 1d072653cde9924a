//! Inner nodes as full 256-wide tiles, completed while leaves are pushed, and derived again after a crash.

use super::proof::{BuildError, Nodes};
use super::{DamagedState, Frontier, Hash, NodeSource};

/// Hashes in a tile: eight levels of the tree.
pub const TILE_WIDTH: usize = 256;
/// Size of a full tile, bytes.
pub const TILE_BYTES: usize = TILE_WIDTH * 32;

/// A full tile. Level `L` holds roots of subtrees of `256^L` leaves; level 0 would be the leaf hashes themselves,
/// which stand in the entries' rows, so tiles begin at level 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// In units of eight tree levels, from 1.
    pub level: u8,
    /// Which tile of its level, from 0: its first hash is node `index * 256` of that level.
    pub index: u64,
    /// [`TILE_BYTES`] bytes: [`TILE_WIDTH`] hashes.
    pub hashes: Vec<u8>,
}

/// A growing tree that hands out each tile as it completes.
///
/// ```
/// use ledger::TileWriter;
/// let mut tree = TileWriter::default();
/// let mut tiles = Vec::new();
/// for n in 0..65_536u64 {
///     let mut leaf = [0; 32];
///     leaf[..8].copy_from_slice(&n.to_be_bytes());
///     tree.push(leaf, &mut tiles);
/// }
/// assert_eq!((tiles.len(), tiles[0].level, tiles[0].index, tiles[0].hashes.len()), (1, 1, 0, 8192));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TileWriter {
    frontier: Frontier,
    /// `pending[L - 1]`: the hashes of the unfinished tile of level `L`, fewer than 256.
    pending: Vec<Vec<Hash>>,
}

impl TileWriter {
    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The right edge of the tree.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The hashes so far of the unfinished tile (`level`, `index`), for a [`NodeSource`] that answers from memory;
    /// `None` when that tile is full (it was handed out) or has not begun.
    #[must_use]
    pub fn unfinished(&self, level: u8, index: u64) -> Option<&[Hash]> {
        let width = 8 * (u32::from(level) + 1);
        let pending = self.pending.get(usize::from(level).checked_sub(1)?)?;
        (self.size().checked_shr(width).unwrap_or(0) == index && !pending.is_empty()).then_some(pending)
    }

    /// Adds a leaf hash; appends to `full` each tile that this completes (every 65,536th leaf, seldom several).
    pub fn push(&mut self, leaf: Hash, full: &mut Vec<Tile>) {
        let size = self.frontier.size() + 1;
        let pending = &mut self.pending;
        self.frontier.push_with(leaf, |level, node| {
            if level % 8 != 0 {
                return;
            }
            let tile_level = (level / 8) as u8;
            if pending.len() < usize::from(tile_level) {
                pending.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(hashes) = pending.get_mut(usize::from(tile_level) - 1) else {
                return;
            };
            hashes.push(*node);
            if hashes.len() == TILE_WIDTH {
                let index = size.checked_shr(level + 8).unwrap_or(0).saturating_sub(1);
                full.push(Tile { level: tile_level, index, hashes: hashes.as_flattened().to_vec() });
                hashes.clear();
            }
        });
    }

    /// Derives the state for a tree of `size` leaves from leaf hashes and full tiles alone: reads the last
    /// `size % 65,536` leaf hashes and at most 255 tiles a level.
    ///
    /// # Errors
    /// [`BuildError`] when the source fails or answers with too few hashes. Whether the hashes are right shows
    /// in the comparison of [`TileWriter::root`] with the head.
    pub fn rebuild<S: NodeSource>(size: u64, source: &mut S) -> Result<Self, BuildError<S::Error>> {
        let mut nodes = Nodes(source);
        let mut pending = Vec::new();
        let mut level = 8;
        while level < u64::BITS && size >> level > 0 {
            let first = (size >> level) & !0xff;
            pending.push((first..size >> level).map(|n| nodes.subtree(level, n)).collect::<Result<Vec<_>, _>>()?);
            level += 8;
        }
        let mut frontier = Frontier::default();
        for (level, hashes) in pending.iter().enumerate().rev() {
            frontier.extend_level(8 * (level as u32 + 1), hashes);
        }
        frontier.extend_level(0, &nodes.leaves(size & !0xff, size)?);
        Ok(Self { frontier, pending })
    }

    /// The whole state, at most 8 KB a level: a shortcut past [`TileWriter::rebuild`] at start.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.frontier.to_bytes();
        for hashes in &self.pending {
            bytes.extend_from_slice(hashes.as_flattened());
        }
        bytes
    }

    /// Reads what [`TileWriter::to_bytes`] wrote; every length follows from the size.
    ///
    /// # Errors
    /// [`DamagedState`] when the length does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedState> {
        let damaged = || DamagedState(bytes.len());
        let size = u64::from_be_bytes(*bytes.first_chunk::<8>().ok_or_else(damaged)?);
        let (frontier, rest) = bytes.split_at_checked(8 + 32 * size.count_ones() as usize).ok_or_else(damaged)?;
        let frontier = Frontier::from_bytes(frontier).map_err(|_| damaged())?;
        let (mut hashes, over) = rest.as_chunks::<32>();
        let mut pending = Vec::new();
        let mut level = 8;
        while level < u64::BITS && size >> level > 0 {
            let (these, rest) = hashes.split_at_checked(((size >> level) & 0xff) as usize).ok_or_else(damaged)?;
            pending.push(these.to_vec());
            hashes = rest;
            level += 8;
        }
        if hashes.is_empty() && over.is_empty() { Ok(Self { frontier, pending }) } else { Err(damaged()) }
    }
}
