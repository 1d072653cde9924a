//! From a node into the record: block after block, unwinding what the node's chain no longer has.
use super::coins::{Telling, Told};
use super::rest::Rest;
use super::rpc::Rpc;
use crate::chain::append::{self, Raw, Refused, looked_at, tx_count, work_on_record};
use crate::chain::{Checks, Fault, Loaded, Network, Options, Progress, Result};
use crate::columns::{Block, Utxo, hex};
use crate::node::{Branch, Endpoint, Node, parting};
use std::ops::ControlFlow;

/// A node whose chain changes is looked at anew so often in a row without a block gained.
const TRIES: u32 = 5;
/// Bytes of blocks that are asked for at once, about; so many blocks at most.
const AT_ONCE: u64 = 8 << 20;
const MOST_BLOCKS: u64 = 16;
/// So many blocks of a branch are looked at to see whether it has more work than the record's.
const LOOK_AHEAD: u64 = 2_016;

/// A block that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.height, hex(&self.hash))
    }
}

/// A node that tells raw blocks.
pub trait Teller: Branch {
    /// The hashes of its blocks from a height on, up to another or as many as it tells at once; none where its chain ends before.
    fn hashes(&mut self, from: u64, to: u64) -> Result<Vec<[u8; 32]>>;
    /// The bytes of blocks, in order.
    fn blocks(&mut self, wanted: &[At]) -> Result<Vec<Vec<u8>>>;
    /// What a block's inputs spent: asked once, whatever comes of it.
    fn coins(&mut self, at: &At) -> Result<Told>;
}

/// A hash of 64 digits, as people write it.
pub fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

/// Loads a node's chain: see [`crate::chain::load`].
pub fn follow_node(
    chain: &mut Utxo,
    network: Network,
    endpoint: &Endpoint,
    options: &Options,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Loaded> {
    let node = Node::new(endpoint)?;
    let teller: Box<dyn Teller> = match endpoint.url.trim_end_matches('/').ends_with("/rest") {
        true => Box::new(Rest::new(node, network.family())),
        false => Box::new(Rpc::new(node, network.family())),
    };
    // An answer in hex has twice the bytes; half of what is taken is left for what stands around them.
    let most = (endpoint.max_answer / 4 / network.family().max_bytes()).clamp(1, MOST_BLOCKS);
    let mut follower = Follower {
        teller,
        network,
        chain,
        loaded: Loaded::default(),
        block: Block::default(),
        telling: Telling::default(),
        each: AT_ONCE,
        most,
    };
    let done = follower.follow(endpoint, options, progress);
    let kept = follower.chain.commit(true);
    let calls = follower.teller.node().calls();
    let loaded = Loaded { calls, ..follower.loaded };
    done?;
    kept?;
    Ok(loaded)
}

struct Follower<'a> {
    teller: Box<dyn Teller>,
    network: Network,
    chain: &'a mut Utxo,
    loaded: Loaded,
    block: Block,
    telling: Telling,
    /// About how many bytes a block has now, and how many blocks may be asked for at once.
    each: u64,
    most: u64,
}

impl Follower<'_> {
    fn follow(
        &mut self,
        endpoint: &Endpoint,
        options: &Options,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<()> {
        let last = self.teller.last()?;
        self.is_of_the_network(last)?;
        let to = endpoint.to.unwrap_or(last).min(last);
        let from = endpoint.from.unwrap_or(0);
        let mut report = Progress::default();
        let mut tries = TRIES;
        if self.join(options)?.is_break() {
            return Ok(());
        }
        loop {
            let next = self.chain.head().map_or(from, |head| head.height + 1);
            report.blocks_total.get_or_insert((to + 1).saturating_sub(next));
            if next > to {
                return Ok(());
            }
            let before = self.loaded.blocks;
            match self.some(next, to, &mut report, progress)? {
                Step::On => {}
                Step::Stopped => {
                    self.loaded.stopped = true;
                    return Ok(());
                }
                // The node's chain has left ours since the last block.
                Step::Left => {
                    if self.join(options)?.is_break() {
                        return Ok(());
                    }
                }
            }
            tries = if self.loaded.blocks > before { TRIES } else { tries - 1 };
            if tries == 0 {
                return Err(self.teller.node().fault(format!(
                    "block {next}: its chain changes whenever it is asked, or the block does not follow the one before it"
                )));
            }
        }
    }

    /// Looks at the blocks whose hashes are known: the first one, and the one at which chains with one beginning part.
    fn is_of_the_network(&mut self, last: u64) -> Result<()> {
        let code = self.network.code();
        for (height, known) in self.network.known().filter(|(height, _)| *height <= last) {
            let told = self.teller.hash_at(height)?;
            if told != Some(known) {
                let (told, known) = (told.map_or_else(|| "nothing".into(), |hash| hex(&hash)), hex(&known));
                let why = format!("it serves another chain: block {height} of {code} is {known}, and it has {told}");
                return Err(self.teller.node().fault(why));
            }
        }
        Ok(())
    }

    /// Loads some blocks from `next` on.
    fn some(
        &mut self,
        next: u64,
        to: u64,
        report: &mut Progress,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Step> {
        let hashes = self.teller.hashes(next, to)?;
        let wanted: Vec<At> = (next..).zip(hashes).map(|(height, hash)| At { height, hash }).collect();
        if wanted.is_empty() {
            return Ok(Step::Left);
        }
        let mut rest = wanted.as_slice();
        while !rest.is_empty() {
            let many = usize::try_from((AT_ONCE / self.each.max(1)).clamp(1, self.most)).unwrap_or(1);
            let (now, later) = rest.split_at(many.min(rest.len()));
            let blocks = self.teller.blocks(now)?;
            self.each = blocks.iter().map(|bytes| bytes.len() as u64).sum::<u64>() / (now.len() as u64);
            for (at, bytes) in now.iter().zip(&blocks) {
                if let Step::Left = self.append(at, bytes)? {
                    return Ok(Step::Left);
                }
                (report.height, report.blocks, report.rows) = (at.height, self.loaded.blocks, self.loaded.rows);
                report.bytes += bytes.len() as u64;
                if progress(report).is_break() {
                    return Ok(Step::Stopped);
                }
            }
            rest = later;
        }
        Ok(Step::On)
    }

    fn append(&mut self, at: &At, bytes: &[u8]) -> Result<Step> {
        let parent = crate::chain::Header::parse(bytes).map(|header| header.parent);
        let head = self.chain.head();
        if head.is_some_and(|head| parent.is_some_and(|parent| parent != head.hash)) {
            return Ok(Step::Left);
        }
        // A record that begins with the first block has every output that is spent.
        let first = self.chain.store().record(0)?.map_or(at.height, |record| record.height);
        let coins = if first == 0 || tx_count(bytes) <= 1 {
            None
        } else {
            let (telling, teller) = (&mut self.telling, &mut self.teller);
            telling.ask(|| teller.coins(at))?
        };
        let raw = Raw { bytes, height: at.height, hash: at.hash, coins: coins.as_ref() };
        append::append(self.chain, &Checks::all(self.network), &raw, &mut self.block).map_err(
            |refused| match refused {
                Refused::Block(fault) => self.fault(at, fault),
                Refused::Record(error) => error.into(),
            },
        )?;
        self.loaded.blocks += 1;
        self.loaded.rows += (self.block.inputs.len() + self.block.outputs.len()) as u64;
        Ok(Step::On)
    }

    fn fault(&self, at: &At, fault: Fault) -> crate::chain::Error {
        let tx = fault.tx.map(|tx| format!(" transaction {tx}")).unwrap_or_default();
        self.teller.node().fault(format!("block {at}{tx}: {}", fault.why))
    }

    /// Takes back what the node's chain does not have, if that is not too much and its branch has more work. Breaks when it has not.
    fn join(&mut self, options: &Options) -> Result<ControlFlow<()>> {
        self.chain.commit(true)?;
        let Some(parting) = parting(self.chain.store(), self.teller.as_mut(), options.keep)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let ours = work_on_record(self.chain, parting.common + 1)?;
        let theirs = self.work_above(parting.common, ours)?;
        if theirs <= ours {
            self.loaded.on_other_branches += self.teller.last()?.saturating_sub(parting.common);
            return Ok(ControlFlow::Break(()));
        }
        self.chain.unwind(parting.common)?;
        self.loaded.unwound += parting.depth;
        Ok(ControlFlow::Continue(()))
    }

    /// The work of the node's blocks above a height, until it is more than `enough`: each is decoded, so that damaged ones take
    /// nobody's place.
    fn work_above(&mut self, common: u64, enough: u128) -> Result<u128> {
        let last = self.teller.last()?.min(common + LOOK_AHEAD);
        let (mut sum, mut height, mut parent) = (0u128, common + 1, self.teller.hash_at(common)?);
        while height <= last && sum <= enough {
            let Some(hash) = self.teller.hash_at(height)? else { break };
            let at = At { height, hash };
            for bytes in self.teller.blocks(&[at])? {
                let header = crate::chain::Header::parse(&bytes);
                if header.is_none_or(|header| header.hash != hash || Some(header.parent) != parent) {
                    let why = "is not the block that was asked for, or does not follow the one before it".into();
                    return Err(self.fault(&at, Fault { tx: None, why }));
                }
                let work = looked_at(&bytes, self.network, &mut self.block).map_err(|fault| self.fault(&at, fault))?;
                sum = sum.saturating_add(work);
            }
            (height, parent) = (height + 1, Some(hash));
        }
        Ok(sum)
    }
}

/// How far some blocks have come.
enum Step {
    /// All of them are appended.
    On,
    /// Whoever watches asked to stop.
    Stopped,
    /// The node's chain no longer goes on from the record's.
    Left,
}
