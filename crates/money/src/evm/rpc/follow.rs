//! From a node into the record: block after block, unwinding what the node's chain no longer has.
use super::ethereum::Ethereum;
use super::tron::Tron;
use crate::chain::{Loaded, Options, Progress, Result};
use crate::columns::Accounts;
use crate::evm::model::RawBlock;
use crate::evm::{Joiner, Profile, Writing};
use crate::node::{Branch, Endpoint, Node, parting};
use std::ops::ControlFlow;

/// A block that changes while it is read is read again so often.
const TRIES: u32 = 5;

/// A node of any kind that tells blocks.
pub trait Teller: Branch {
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
        joiner.chain.commit(true)?;
        if let Some(parting) = parting(joiner.chain.store(), self.teller.as_mut(), options.keep)? {
            joiner.chain.unwind(parting.common)?;
            joiner.loaded.unwound += parting.depth;
        }
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
