//! Blocks join the record: what is on it is passed over, another branch takes the place of ours or is refused.
use super::model::{Hash, RawBlock};
use super::{Profile, Skipped, entries};
use crate::chain::{Error, Loaded, Options, Result};
use crate::columns::{Accounts, BlockFlags, Head, TransferBlock, hex};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Puts blocks behind each other.
pub struct Joiner<'a> {
    /// The chain.
    pub chain: &'a mut Accounts,
    profile: &'a Profile,
    options: &'a Options,
    /// Contracts that pass themselves off as others.
    pub fakes: HashSet<[u8; 20]>,
    /// What was done so far.
    pub loaded: Loaded,
    /// What logs held that is no amount.
    pub skipped: Skipped,
}

impl<'a> Joiner<'a> {
    /// Nothing was done yet.
    pub fn new(chain: &'a mut Accounts, profile: &'a Profile, options: &'a Options) -> Joiner<'a> {
        Joiner {
            chain,
            profile,
            options,
            fakes: HashSet::new(),
            loaded: Loaded::default(),
            skipped: Skipped::default(),
        }
    }

    /// Appends a block, passes it over when it is on record, or unwinds what is there instead.
    ///
    /// # Errors
    /// A fork deeper than what is unwound unasked; a block whose parent is another one than on record; one that is on record
    /// with less than the source has now.
    pub fn block(&mut self, raw: &RawBlock) -> Result<()> {
        let (mut block, skipped) = entries(raw, self.profile, &self.fakes).map_err(|wrong| {
            let id = raw.txs.get(wrong.tx).map(|tx| hex(&tx.id)).unwrap_or_default();
            Error::Unknown(format!("block {} transaction {id}: {}", raw.height, wrong.why))
        })?;
        self.loaded.txs += raw.txs.iter().filter(|tx| tx.body.is_some()).count() as u64;
        self.loaded.txs_said += u64::from(raw.txs_said.unwrap_or(0));
        self.loaded.elsewhere += raw.elsewhere;
        self.loaded.cut += raw.cut;
        self.skipped.nfts += skipped.nfts;
        self.skipped.misshapen += skipped.misshapen;
        let before = self.before(raw.height)?;
        let hash = raw.hash.unwrap_or_else(|| made_hash(raw.height, before.map(|(_, hash)| hash), &block));
        if self.on_record(raw, &hash, &block)? {
            self.loaded.known += 1;
            return Ok(());
        }
        let before = self.before(raw.height)?;
        // What lies between is not known: then the record's own last block stands for the parent.
        let parent = before.map_or(raw.parent.unwrap_or([0; 32]), |(_, hash)| hash);
        if let (Some(told), Some((height, _))) = (raw.parent, before)
            && height + 1 == raw.height
            && told != parent
        {
            return Err(Error::Apart(format!(
                "its block {} {} follows {}, and the record has {} at height {height}",
                raw.height,
                hex(&hash),
                hex(&told),
                hex(&parent)
            )));
        }
        block.head = Some(Head { height: raw.height, hash, parent });
        self.chain.append(&block)?;
        self.chain.commit(false)?;
        self.loaded.blocks += 1;
        self.loaded.rows += block.transfers.len() as u64;
        Ok(())
    }

    /// The last block on record below a height.
    fn before(&self, height: u64) -> Result<Option<(u64, Hash)>> {
        if let Some(head) = self.chain.head().filter(|head| head.height < height) {
            return Ok(Some((head.height, head.hash)));
        }
        let store = self.chain.store();
        let place = store.log().lower_bound(|record| record.height < height)?;
        let record = place.checked_sub(1).map(|place| store.record(place)).transpose()?.flatten();
        Ok(record.map(|record| (record.height, record.hash)))
    }

    fn on_record(&mut self, raw: &RawBlock, hash: &Hash, block: &TransferBlock) -> Result<bool> {
        let height = raw.height;
        if self.chain.head().is_none_or(|head| head.height < height) {
            return Ok(false);
        }
        if let Some((place, record)) = self.chain.store().at_height(height)?
            && record.hash == *hash
        {
            let (kept, _) = self.chain.block_said(place);
            let lacked = [(BlockFlags::NO_LOGS, "logs"), (BlockFlags::NO_TRACES, "traces")];
            let more: Vec<&str> = lacked
                .iter()
                .filter(|(flag, _)| kept.has(*flag) && !block.flags.has(*flag))
                .map(|(_, what)| *what)
                .collect();
            let whole = kept.has(BlockFlags::PARTIAL) && !block.flags.has(BlockFlags::PARTIAL);
            if more.is_empty() && !whole {
                return Ok(true);
            }
            let what = if more.is_empty() { "all its transactions".into() } else { more.join(" and ") };
            return Err(Error::Apart(format!(
                "block {height} is on record without {what}, which these files have. Take it back first (eye money unwind --chain {} \
                 --to a height below {height}, or remove the chain's folder), then load all files of the dump at once",
                self.chain.store().code()
            )));
        }
        self.take_back(height, hash, raw.hash.is_some())?;
        Ok(false)
    }

    /// Unwinds the blocks from `height` on, if that is not too many.
    fn take_back(&mut self, height: u64, hash: &Hash, own_hash: bool) -> Result<()> {
        self.chain.commit(true)?;
        let store = self.chain.store();
        let place = store.log().lower_bound(|record| record.height < height)?;
        let depth = store.blocks() - place;
        let ours = store.record(place)?.map(|record| hex(&record.hash)).unwrap_or_default();
        let Some((common, _)) = self.before(height)? else {
            let why = format!(
                "its first block, {height} {}, comes before or differs from the first on record ({ours})",
                hex(hash)
            );
            return Err(Error::Apart(why));
        };
        let keep = if own_hash { self.options.keep } else { 0 };
        if depth > keep {
            let (chain, theirs) = (self.chain.store().code(), hex(hash));
            return Err(Error::Fork { chain, common, ours, theirs, depth, keep });
        }
        self.chain.unwind(common)?;
        self.loaded.unwound += depth;
        Ok(())
    }
}

/// A hash for a block whose source gives none: over its rows and the hash before.
pub fn made_hash(height: u64, before: Option<Hash>, block: &TransferBlock) -> Hash {
    let mut digest = Sha256::new();
    digest.update(before.unwrap_or_default());
    digest.update(height.to_le_bytes());
    for tx in &block.txs {
        digest.update(block.bytes(tx.id));
        digest.update(tx.transfers.to_le_bytes());
    }
    for transfer in &block.transfers {
        for key in [transfer.from, transfer.to, transfer.asset] {
            let bytes = block.bytes(key);
            digest.update(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
            digest.update(bytes);
        }
        digest.update(transfer.amount.0);
        digest.update([transfer.kind as u8]);
    }
    digest.finalize().into()
}
