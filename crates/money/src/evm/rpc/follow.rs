//! From a node into the record: block after block, unwinding what the node's chain no longer has.
use super::client::{Endpoint, Node};
use super::ethereum::Ethereum;
use super::tron::Tron;
use crate::chain::{Error, Loaded, Options, Progress, Result};
use crate::columns::{Accounts, hex};
use crate::evm::model::{Hash, RawBlock};
use crate::evm::{Joiner, Profile, Writing};
use std::ops::ControlFlow;

/// A block that changes while it is read is read again so often.
const TRIES: u32 = 5;

/// A node of any kind that tells blocks.
pub trait Teller {
    /// The node.
    fn node(&self) -> &Node;
    /// The height of its last block.
    fn last(&mut self) -> Result<u64>;
    /// The hash of its block at a height, if it has one.
    fn hash_at(&mut self, height: u64) -> Result<Option<Hash>>;
    /// A block; why not, when what it tells of it does not fit together.
    fn try_block(&mut self, height: u64) -> Result<std::result::Result<RawBlock, String>>;
    /// Looks at a block before it joins the record.
    fn looked_at(&mut self, block: &RawBlock, joiner: &mut Joiner<'_>) -> Result<()>;
}

/// Loads a node's chain: see [`crate::chain::load`].
pub fn follow_node(
    chain: &mut Accounts,
    profile: &Profile,
    endpoint: &Endpoint,
    options: &Options,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Loaded> {
    let node = Node::new(endpoint)?;
    let teller: Box<dyn Teller + '_> = match profile.writing {
        Writing::Hex => Box::new(Ethereum::new(node, profile)?),
        Writing::Tron => Box::new(Tron::new(node)?),
    };
    let mut joiner = Joiner::new(chain, profile, options);
    let mut follower = Follower { teller };
    let done = follower.follow(endpoint, &mut joiner, options, progress);
    let (mut loaded, skipped) = (std::mem::take(&mut joiner.loaded), joiner.skipped);
    chain.commit(true)?;
    done?;
    (loaded.nfts, loaded.misshapen, loaded.calls) = (skipped.nfts, skipped.misshapen, follower.teller.node().calls());
    Ok(loaded)
}

struct Follower<'a> {
    teller: Box<dyn Teller + 'a>,
}

impl Follower<'_> {
    fn follow(
        &mut self,
        endpoint: &Endpoint,
        joiner: &mut Joiner<'_>,
        options: &Options,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<()> {
        let last = self.teller.last()?;
        let to = endpoint.to.unwrap_or(last).min(last);
        self.join(joiner, options)?;
        let mut next = joiner.chain.head().map_or(endpoint.from.unwrap_or(0), |head| head.height + 1);
        let mut report = Progress { blocks_total: Some((to + 1).saturating_sub(next)), ..Progress::default() };
        while next <= to {
            let block = self.block(next)?;
            if let Some(head) = joiner.chain.head()
                && head.height + 1 == next
                && block.parent != Some(head.hash)
            {
                // The node's chain has left ours since the last block.
                self.join(joiner, options)?;
                let joined = joiner.chain.head().map_or(0, |head| head.height + 1);
                if joined == next {
                    return Err(self
                        .teller
                        .node()
                        .fault(format!("block {next} does not follow the block before it that it told")));
                }
                next = joined;
                continue;
            }
            self.teller.looked_at(&block, joiner)?;
            joiner.block(&block)?;
            (report.height, report.blocks, report.rows) = (next, joiner.loaded.blocks, joiner.loaded.rows);
            next += 1;
            if progress(&report).is_break() {
                joiner.loaded.stopped = true;
                break;
            }
        }
        Ok(())
    }

    /// Takes back what the node's chain does not have, if that is not too much.
    fn join(&mut self, joiner: &mut Joiner<'_>, options: &Options) -> Result<()> {
        let Some(head) = joiner.chain.head() else { return Ok(()) };
        if self.teller.hash_at(head.height)? == Some(head.hash) {
            return Ok(());
        }
        joiner.chain.commit(true)?;
        // Both have the same blocks up to some place, and none after it.
        let (mut low, mut high) = (0, joiner.chain.store().blocks());
        while low < high {
            let middle = low + (high - low) / 2;
            let record = joiner.chain.store().record(middle)?.ok_or(crate::columns::Error::NoSuchHeight(middle))?;
            if self.teller.hash_at(record.height)? == Some(record.hash) { low = middle + 1 } else { high = middle }
        }
        let store = joiner.chain.store();
        let above = store.record(low)?.ok_or(crate::columns::Error::NoSuchHeight(low))?;
        let (ours, height) = (hex(&above.hash), above.height);
        let told = self.teller.hash_at(height)?;
        let theirs = told.map_or_else(|| "no block".to_owned(), |hash| hex(&hash));
        let Some(common) = low.checked_sub(1).map(|place| store.record(place)).transpose()?.flatten() else {
            let why =
                format!("it serves another chain: at height {height} it has {theirs}, where the record has {ours}");
            return Err(self.teller.node().fault(why));
        };
        let depth = store.blocks() - low;
        if told.is_none() {
            return Err(self.teller.node().fault(format!(
                "it is behind: it has no block {height}, and the record goes on to {}. Wait until it has caught up",
                head.height
            )));
        }
        if depth > options.keep {
            let (chain, keep) = (store.code(), options.keep);
            return Err(Error::Fork { chain, common: common.height, ours, theirs, depth, keep });
        }
        joiner.chain.unwind(common.height)?;
        joiner.loaded.unwound += depth;
        Ok(())
    }

    /// A block with its receipts, and its calls if the node tells them. One that changes meanwhile is read again.
    fn block(&mut self, height: u64) -> Result<RawBlock> {
        let mut why = String::new();
        for _ in 0..TRIES {
            match self.teller.try_block(height)? {
                Ok(block) => return Ok(block),
                Err(wrong) => why = wrong,
            }
            // What was wrong may have been a reorganisation between two questions; then the block is another one now.
            let first = self.teller.hash_at(height)?;
            if first.is_none() {
                return Err(self.teller.node().fault(format!("it had block {height} and has it no more")));
            }
        }
        Err(self.teller.node().fault(format!("block {height}, asked for {TRIES} times: {why}")))
    }
}
