//! Files of blocks into a UTXO chain: which branch has the most work, what of it is on record, what must be unwound.
use super::append::{self, Raw, Refused, block_work, coinbase_height, looked_at, tx_count, work_on_record};
use super::blockfiles::{BlockFiles, Entry};
use super::decode::Checks;
use super::{Error, Loaded, Network, Options, Progress, Result};
use crate::columns::{Block, Head, Utxo, hex};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Among so many blocks before the head a parent is looked for by its hash.
const RECENT: u64 = 1000;

/// Loads blocks from files: see [`super::load`].
pub fn load_blocks(
    chain: &mut Utxo,
    network: Network,
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Loaded> {
    let mut files = BlockFiles::open(paths, network)?;
    let mut loaded = Loaded::default();
    for path in branches(&files, chain, network)? {
        follow(chain, network, &mut files, &path, options, &mut loaded, progress)?;
        if loaded.stopped {
            break;
        }
    }
    if !loaded.stopped {
        loaded.on_other_branches = (files.entries.len() as u64).saturating_sub(loaded.blocks + loaded.known);
    }
    loaded.faults = std::mem::take(&mut files.faults);
    if let (0, 0, Some(_)) = (loaded.blocks, loaded.known, loaded.faults.first()) {
        return Err(loaded.faults.swap_remove(0));
    }
    Ok(loaded)
}

/// A branch: the height of its first block, and its blocks in order.
struct Branch {
    height: u64,
    blocks: Vec<usize>,
}

/// For each block that begins something, the branch from it that has the most work; lowest first.
fn branches(files: &BlockFiles, chain: &Utxo, network: Network) -> Result<Vec<Branch>> {
    let entries = &files.entries;
    let at: HashMap<[u8; 32], usize> = entries.iter().enumerate().map(|(i, entry)| (entry.header.hash, i)).collect();
    let parent = |i: usize| entries.get(i).and_then(|entry| at.get(&entry.header.parent)).copied();
    let work = summed_work(entries, &at);
    let mut best: HashMap<usize, usize> = HashMap::new();
    for (i, (root, sum)) in work.iter().enumerate() {
        let tip = best.entry(*root).or_insert(i);
        if work.get(*tip).is_some_and(|(_, most)| most < sum) {
            *tip = i;
        }
    }
    let mut found = Vec::new();
    for (root, tip) in best {
        let mut blocks = vec![tip];
        while let Some(before) = blocks.last().and_then(|last| parent(*last)) {
            blocks.push(before);
        }
        blocks.reverse();
        if let Some(entry) = entries.get(root) {
            found.push(Branch { height: height_of(files, entry, chain, network)?, blocks });
        }
    }
    found.sort_by_key(|branch| branch.height);
    Ok(found)
}

/// For each entry, the block that its branch begins with and the work from there up to it.
fn summed_work(entries: &[Entry], at: &HashMap<[u8; 32], usize>) -> Vec<(usize, u128)> {
    let mut done: Vec<Option<(usize, u128)>> = vec![None; entries.len()];
    let mut waiting = Vec::new();
    for start in 0..entries.len() {
        let mut i = start;
        let mut base = None;
        while base.is_none() {
            if let Some(known) = done.get(i).copied().flatten() {
                base = Some(known);
                break;
            }
            waiting.push(i);
            match entries.get(i).and_then(|entry| at.get(&entry.header.parent)) {
                // A block cannot be its own ancestor; hashes forbid it, and so does this.
                Some(before) if waiting.len() <= entries.len() => i = *before,
                _ => break,
            }
        }
        while let Some(i) = waiting.pop() {
            let (root, sum) = base.unwrap_or((i, 0));
            let own = entries.get(i).map_or(0, |entry| block_work(entry.header.bits));
            base = Some((root, sum.saturating_add(own)));
            if let Some(place) = done.get_mut(i) {
                *place = base;
            }
        }
    }
    done.into_iter().flatten().collect()
}

/// The height of a block whose parent is not among the files.
fn height_of(files: &BlockFiles, entry: &Entry, chain: &Utxo, network: Network) -> Result<u64> {
    if entry.header.parent == [0; 32] {
        return Ok(0);
    }
    if let Some(head) = chain.head().filter(|head| head.hash == entry.header.parent) {
        return Ok(head.height + 1);
    }
    if let Some(height) = coinbase_height(&files.beginning(entry)?).filter(|height| *height >= network.heights_from()) {
        return Ok(height);
    }
    let blocks = chain.store().blocks();
    for place in (blocks.saturating_sub(RECENT)..blocks).rev() {
        if let Some(record) = chain.store().record(place)?.filter(|record| record.hash == entry.header.parent) {
            return Ok(record.height + 1);
        }
    }
    let why = "is older than heights in blocks (BIP 34): load it with the blocks before it, from the first on";
    Err(files.fault(entry, super::Fault { tx: None, why: why.into() }))
}

/// Brings the chain to the end of a branch, if that has more work than what is on record.
fn follow(
    chain: &mut Utxo,
    network: Network,
    files: &mut BlockFiles,
    branch: &Branch,
    options: &Options,
    loaded: &mut Loaded,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<()> {
    let common = common_blocks(chain, files, branch)?;
    loaded.known += common;
    let rest = branch.blocks.get(usize::try_from(common).unwrap_or(usize::MAX)..).unwrap_or_default();
    let Some(first) = rest.first().and_then(|i| files.entries.get(*i)) else { return Ok(()) };
    let height = branch.height + common;
    if let Some(head) = chain.head() {
        joins(chain, head, height, first)?;
        if head.height >= height {
            if work_on_record(chain, height)? >= rest_work(files, rest) {
                return Ok(());
            }
            let depth = head.height + 1 - height;
            if depth > options.keep {
                return Err(fork(chain, height, first, depth, options.keep)?);
            }
            read_ahead(files, network, rest.get(..=usize::try_from(depth).unwrap_or(0)).unwrap_or(rest))?;
            chain.unwind(height - 1)?;
            loaded.unwound += depth;
        }
    }
    let done = append_all(chain, network, files, (height, rest), loaded, progress);
    let kept = chain.commit(true);
    done.and(kept.map_err(Error::from))
}

/// Decodes the blocks that are to take the place of others, so that damaged ones do not.
fn read_ahead(files: &BlockFiles, network: Network, blocks: &[usize]) -> Result<()> {
    let (mut bytes, mut block) = (Vec::new(), Block::default());
    for entry in blocks.iter().filter_map(|i| files.entries.get(*i)) {
        files.read(entry, &mut bytes)?;
        looked_at(&bytes, network, &mut block).map_err(|fault| files.fault(entry, fault))?;
    }
    Ok(())
}

/// How many blocks of a branch are on record: the first that is not ends it, and heights are halved to find it.
fn common_blocks(chain: &Utxo, files: &BlockFiles, branch: &Branch) -> Result<u64> {
    let (mut low, mut high) = (0, branch.blocks.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let hash = branch.blocks.get(middle).and_then(|i| files.entries.get(*i)).map(|entry| entry.header.hash);
        let kept = chain.store().at_height(branch.height + middle as u64)?;
        if kept.map(|(_, record)| record.hash) == hash { low = middle + 1 } else { high = middle }
    }
    Ok(low as u64)
}

/// Whether the block to come has its parent on record.
fn joins(chain: &Utxo, head: Head, height: u64, first: &Entry) -> Result<()> {
    let before = height.checked_sub(1).map(|height| chain.store().at_height(height)).transpose()?.flatten();
    if before.is_some_and(|(_, record)| record.hash == first.header.parent) {
        return Ok(());
    }
    if height > head.height + 1 {
        let missing = format!("blocks {} to {} are missing", head.height + 1, height - 1);
        return Err(Error::Apart(missing));
    }
    Err(Error::Apart(format!(
        "its block {height} {} follows {}, and the record, whose head is {} {}, does not have that",
        hex(&first.header.hash),
        hex(&first.header.parent),
        head.height,
        hex(&head.hash)
    )))
}

fn rest_work(files: &BlockFiles, rest: &[usize]) -> u128 {
    let works = rest.iter().filter_map(|i| files.entries.get(*i)).map(|entry| block_work(entry.header.bits));
    works.fold(0, u128::saturating_add)
}

fn fork(chain: &Utxo, height: u64, first: &Entry, depth: u64, keep: u64) -> Result<Error> {
    let ours = chain.store().at_height(height)?.map(|(_, record)| hex(&record.hash)).unwrap_or_default();
    Ok(Error::Fork {
        chain: chain.store().code(),
        common: height - 1,
        ours,
        theirs: hex(&first.header.hash),
        depth,
        keep,
    })
}

/// Appends blocks from `height` on.
fn append_all(
    chain: &mut Utxo,
    network: Network,
    files: &mut BlockFiles,
    (height, blocks): (u64, &[usize]),
    loaded: &mut Loaded,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<()> {
    let (mut bytes, mut block) = (Vec::new(), Block::default());
    let total = blocks.iter().filter_map(|i| files.entries.get(*i)).map(|entry| entry.len).sum();
    let mut report = Progress { bytes_total: total, ..Progress::default() };
    // The headers' work was looked at when the files were opened.
    let checks = Checks { network, work: false };
    for (height, i) in (height..).zip(blocks) {
        let Some(entry) = files.entries.get(*i).cloned() else { continue };
        files.read(&entry, &mut bytes)?;
        let coins = files.undo(&entry, tx_count(&bytes))?;
        let raw = Raw { bytes: &bytes, height, hash: entry.header.hash, coins: coins.as_ref() };
        append::append(chain, &checks, &raw, &mut block).map_err(|refused| match refused {
            Refused::Block(fault) => files.fault(&entry, fault),
            Refused::Record(error) => error.into(),
        })?;
        loaded.blocks += 1;
        loaded.rows += (block.inputs.len() + block.outputs.len()) as u64;
        report.bytes += entry.len;
        (report.height, report.blocks, report.rows) = (height, loaded.blocks, loaded.rows);
        if progress(&report).is_break() {
            loaded.stopped = true;
            break;
        }
    }
    Ok(())
}
