//! Bitcoin's family: transactions, the outputs they make, the inputs that spend them. 16 bytes each, and dictionaries apart.
use super::appending::Desk;
use super::bytes::{U40_MAX, U56_MAX};
use super::token::TOKEN_ROW;
use super::{Block, ColumnSpec, Dictionary, Error, Head, Layout, Mode, Model, Result, Spent, Store, format};
use std::path::Path;

const fn column(name: &'static str, width: u64) -> ColumnSpec {
    ColumnSpec { name, width }
}

/// The columns of a chain whose outputs can hold tokens; those of every other UTXO chain are the same without the last.
const COLUMNS: [ColumnSpec; 16] = [
    column("block.first-tx", 5),
    column("block.time", 4),
    column("block.bits", 4),
    column("tx.first-in", 5),
    column("tx.first-out", 5),
    column("tx.info", 6),
    column("in.out", 5),
    column("in.address", 4),
    column("in.value", 7),
    column("out.address", 4),
    column("out.value", 7),
    column("tx.id", 32),
    column("address.end", 5),
    column("address.bytes", 1),
    column("in.foreign", 41),
    column("out.token", TOKEN_ROW),
];

/// The columns of a UTXO chain.
pub const UTXO: Layout = Layout { model: Model::Utxo, version: 1, columns: COLUMNS.split_at(OUT_TOKEN).0 };
/// The columns of one whose outputs can hold tokens.
pub const UTXO_WITH_TOKENS: Layout = Layout { model: Model::Utxo, version: 1, columns: &COLUMNS };
pub(super) const BLOCK_FIRST_TX: usize = 0;
pub(super) const BLOCK_TIME: usize = 1;
pub(super) const BLOCK_BITS: usize = 2;
pub(super) const TX_FIRST_IN: usize = 3;
pub(super) const TX_FIRST_OUT: usize = 4;
pub(super) const TX_INFO: usize = 5;
pub(super) const IN_OUT: usize = 6;
pub(super) const IN_ADDRESS: usize = 7;
pub(super) const IN_VALUE: usize = 8;
pub(super) const OUT_ADDRESS: usize = 9;
pub(super) const OUT_VALUE: usize = 10;
pub(super) const TX_ID: usize = 11;
pub(super) const ADDRESS_END: usize = 12;
pub(super) const ADDRESS_BYTES: usize = 13;
pub(super) const IN_FOREIGN: usize = 14;
pub(super) const OUT_TOKEN: usize = 15;

/// The address of an input that does not reveal it.
pub const UNKNOWN: u32 = u32::MAX;
/// The address of an output that nobody can spend (OP_RETURN).
pub const NOBODY: u32 = u32::MAX - 1;
/// The value of an input whose output is not on this chain's record.
pub const UNKNOWN_VALUE: u64 = U56_MAX;
/// Notes of spent outputs that may wait in memory while the column is brought level.
pub(super) const NOTES: usize = 1 << 20;

/// A UTXO chain.
#[derive(Debug)]
pub struct Utxo {
    pub(super) store: Store,
    pub(super) addresses: Dictionary,
    pub(super) ids: Dictionary,
    pub(super) spent: Spent,
    /// Room for what is worked on while a block is appended.
    pub(super) desk: Desk,
}

impl Utxo {
    /// Opens the chain in `dir` at its last complete block, and brings what is derived level with it.
    pub fn open(dir: &Path, mode: Mode) -> Result<Utxo> {
        Utxo::over(Store::open(dir, &UTXO, mode)?)
    }

    /// The same for a chain whose outputs can hold tokens.
    pub fn open_with_tokens(dir: &Path, mode: Mode) -> Result<Utxo> {
        Utxo::over(Store::open(dir, &UTXO_WITH_TOKENS, mode)?)
    }

    /// The same over columns that are open already.
    pub fn over(store: Store) -> Result<Utxo> {
        let after = |column: usize| {
            let store = &store;
            move |blocks: u64| Ok(store.rows_after(blocks.saturating_sub(1), column)?.unwrap_or(0))
        };
        let addresses =
            Dictionary::open(&store, "address", store.rows(ADDRESS_END), after(ADDRESS_END), address_hash(&store))?;
        let ids = Dictionary::open(&store, "tx", store.rows(TX_ID), after(TX_ID), id_hash(&store))?;
        let (spent, built) = Spent::open(&store, store.rows(OUT_VALUE))?;
        let mut chain = Utxo { store, addresses, ids, spent, desk: Desk::default() };
        chain.spend_from(built)?;
        Ok(chain)
    }

    /// Notes what the inputs of the blocks from `blocks` on spend.
    fn spend_from(&mut self, blocks: u64) -> Result<()> {
        let from = match blocks.checked_sub(1) {
            Some(place) => self.store.rows_after(place, IN_OUT)?.unwrap_or(0),
            None => 0,
        };
        let behind = from < self.store.rows(IN_OUT);
        for input in from..self.store.rows(IN_OUT) {
            if let Some(output) = self.store.uint(IN_OUT, input).filter(|output| *output != U40_MAX) {
                self.spent.set(output, input);
            }
            if self.spent.waiting() >= NOTES {
                if !self.store.writes() {
                    return Err(format(self.store.dir(), "out.spent is far behind; `eye money load` brings it level"));
                }
                self.spent.flush()?;
            }
        }
        if self.store.writes() && behind {
            self.spent.flush()?;
            self.spent.set_head(self.store.head())?;
        }
        Ok(())
    }

    /// The columns underneath.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The last block.
    pub fn head(&self) -> Option<Head> {
        self.store.head()
    }

    /// Appends a block. On an error nothing of it stays.
    pub fn append(&mut self, block: &Block) -> Result<()> {
        let Some(head) = block.head else { return Err(Error::NoSuchHeight(0)) };
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let done = self.append_rows(block, head).and_then(|()| self.store.end_block(head));
        if done.is_err() {
            self.store.abandon_block();
            self.spent.take_back(outputs, inputs);
        }
        done
    }

    /// Makes the appended blocks durable, when enough of them wait or `now`.
    pub fn commit(&mut self, now: bool) -> Result<()> {
        if !now && !self.store.commit_due() {
            return Ok(());
        }
        self.spent.flush()?;
        self.store.commit()?;
        let head = self.store.head();
        self.spent.set_head(head)?;
        if self.addresses.flush_due() {
            self.addresses.flush(head, self.store.rows(ADDRESS_END))?;
        }
        if self.ids.flush_due() {
            self.ids.flush(head, self.store.rows(TX_ID))?;
        }
        Ok(())
    }

    /// Goes back so that the block at `height` is the last.
    pub fn unwind(&mut self, height: u64) -> Result<Head> {
        self.commit(true)?;
        let (place, record) = self.store.at_height(height)?.ok_or(Error::NoSuchHeight(height))?;
        let head = Some(Head::from(&record));
        let rows = |column| Ok::<_, Error>(self.store.rows_after(place, column)?.unwrap_or(0));
        let (addresses, txs, outputs) = (rows(ADDRESS_END)?, rows(TX_ID)?, rows(OUT_VALUE)?);
        self.spent.set_head(head)?;
        self.addresses.lower(head, addresses)?;
        self.ids.lower(head, txs)?;
        let head = self.store.unwind(height)?;
        self.spent.unwind(outputs)?;
        self.addresses.refill(addresses, &self.store, address_hash(&self.store))?;
        self.ids.refill(txs, &self.store, id_hash(&self.store))?;
        Ok(head)
    }
}

/// The bytes of entry `id` of a column of ends and a column of bytes.
#[inline]
pub(super) fn slice_of(store: &Store, ends: usize, bytes: usize, id: u32) -> Option<&[u8]> {
    let end = store.uint(ends, u64::from(id))?;
    let from = if id == 0 { 0 } else { store.uint(ends, u64::from(id) - 1)? };
    store.column(bytes)?.bytes(from, end.checked_sub(from)?)
}

/// Checks that one more fits.
pub(super) fn room(what: &'static str, have: u64, limit: u64) -> Result<u64> {
    if have < limit { Ok(have) } else { Err(Error::Full { what, limit }) }
}

pub(super) fn narrow(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn address_hash(store: &Store) -> impl Fn(&Dictionary, u32) -> Option<u64> + '_ {
    |dictionary, id| slice_of(store, ADDRESS_END, ADDRESS_BYTES, id).map(|key| dictionary.hash(key))
}

fn id_hash(store: &Store) -> impl Fn(&Dictionary, u32) -> Option<u64> + '_ {
    |dictionary, id| store.row(TX_ID, u64::from(id)).map(|id| dictionary.hash(id))
}
