//! Where a record and a node's chain part: what is the same for every kind of chain.
use super::Node;
use crate::chain::{Error, Result};
use crate::columns::{Store, hex};

/// A node as the chain that it follows.
pub trait Branch {
    /// The node.
    fn node(&self) -> &Node;
    /// The height of its last block.
    fn last(&mut self) -> Result<u64>;
    /// The hash of its block at a height, if it has one.
    fn hash_at(&mut self, height: u64) -> Result<Option<[u8; 32]>>;
}

/// A record that goes on otherwise than its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parting {
    /// The last height on which both agree.
    pub common: u64,
    /// How many blocks the record has above it.
    pub depth: u64,
}

/// Where the record and the node part, by halving; `None` when the node has the record's last block, or there is no record.
///
/// # Errors
/// A node that shares no block with the record, that lacks the first block above the parting (it is behind), or whose branch leaves
/// the record further back than `keep`.
pub fn parting<B: Branch + ?Sized>(store: &Store, branch: &mut B, keep: u64) -> Result<Option<Parting>> {
    let Some(head) = store.head() else { return Ok(None) };
    if branch.hash_at(head.height)? == Some(head.hash) {
        return Ok(None);
    }
    // Both have the same blocks up to some place, and none after it.
    let (mut low, mut high) = (0, store.blocks());
    while low < high {
        let middle = low + (high - low) / 2;
        let record = store.record(middle)?.ok_or(crate::columns::Error::NoSuchHeight(middle))?;
        if branch.hash_at(record.height)? == Some(record.hash) { low = middle + 1 } else { high = middle }
    }
    let above = store.record(low)?.ok_or(crate::columns::Error::NoSuchHeight(low))?;
    let (ours, height) = (hex(&above.hash), above.height);
    let told = branch.hash_at(height)?;
    let theirs = told.map_or_else(|| "no block".to_owned(), |hash| hex(&hash));
    let Some(common) = low.checked_sub(1).map(|place| store.record(place)).transpose()?.flatten() else {
        let why = format!("it serves another chain: at height {height} it has {theirs}, where the record has {ours}");
        return Err(branch.node().fault(why));
    };
    if told.is_none() {
        return Err(branch.node().fault(format!(
            "it is behind: it has no block {height}, and the record goes on to {}. Wait until it has caught up",
            head.height
        )));
    }
    let depth = store.blocks() - low;
    if depth > keep {
        return Err(Error::Fork { chain: store.code(), common: common.height, ours, theirs, depth, keep });
    }
    Ok(Some(Parting { common: common.height, depth }))
}
