//! Bitcoin's family: transactions, the outputs they make, the inputs that spend them. 16 bytes each, and dictionaries apart.
use super::bytes::{U40_MAX, U56_MAX, u40, u56};
use super::{ColumnSpec, Dictionary, Error, Head, Layout, Mode, Model, Result, Spent, Store, format};
use std::path::Path;

const fn column(name: &'static str, width: u64) -> ColumnSpec {
    ColumnSpec { name, width }
}

/// The columns of a UTXO chain.
pub const UTXO: Layout = Layout {
    model: Model::Utxo,
    columns: &[
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
    ],
};
const BLOCK_FIRST_TX: usize = 0;
const BLOCK_TIME: usize = 1;
const BLOCK_BITS: usize = 2;
const TX_FIRST_IN: usize = 3;
const TX_FIRST_OUT: usize = 4;
const TX_INFO: usize = 5;
const IN_OUT: usize = 6;
const IN_ADDRESS: usize = 7;
const IN_VALUE: usize = 8;
const OUT_ADDRESS: usize = 9;
const OUT_VALUE: usize = 10;
const TX_ID: usize = 11;
const ADDRESS_END: usize = 12;
const ADDRESS_BYTES: usize = 13;
const IN_FOREIGN: usize = 14;

/// The address of an input that does not reveal it.
pub const UNKNOWN: u32 = u32::MAX;
/// The address of an output that nobody can spend (OP_RETURN).
pub const NOBODY: u32 = u32::MAX - 1;
/// The value of an input whose output is not on this chain's record.
pub const UNKNOWN_VALUE: u64 = U56_MAX;
/// Notes of spent outputs that may wait in memory while the column is brought level.
const NOTES: usize = 1 << 20;

/// What a transaction is, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// Makes new coins; has no inputs here.
    pub const COINBASE: Flags = Flags(1);
    /// Carries witnesses.
    pub const SEGWIT: Flags = Flags(2);
    /// The value of at least one input is unknown.
    pub const PARTIAL: Flags = Flags(4);
    /// The address of at least one input is unknown.
    pub const HIDDEN: Flags = Flags(8);
    /// The address of at least one input is what its script or witness reveals, not what the spent output says.
    pub const REVEALED: Flags = Flags(16);
    /// At least one signature does not sign all inputs and outputs: the inputs may have different owners.
    pub const NOT_ALL: Flags = Flags(32);

    /// Both.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
    /// Whether all bits of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A block to append. Flat, so that it can be filled again and again without new memory.
#[derive(Debug, Default, Clone)]
pub struct Block {
    /// Height, hash and parent (hashes in the order they are displayed).
    pub head: Option<Head>,
    /// The header's time, Unix seconds; it runs backwards at times.
    pub time: u32,
    /// The header's compact target.
    pub bits: u32,
    /// Transactions in order.
    pub txs: Vec<Tx>,
    /// Their inputs, one transaction after another; none for a coinbase.
    pub inputs: Vec<Input>,
    /// Their outputs, one transaction after another.
    pub outputs: Vec<Output>,
    /// Address keys that inputs and outputs point into.
    pub keys: Vec<u8>,
}

/// A piece of [`Block::keys`]; empty when there is none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub(crate) from: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let from = self.from as usize;
        from..from + self.len as usize
    }
}

/// A transaction of a [`Block`].
#[derive(Debug, Clone)]
pub struct Tx {
    /// Transaction id, in the order it is displayed.
    pub id: [u8; 32],
    /// Flags.
    pub flags: Flags,
    /// Weight (BIP 141).
    pub weight: u32,
    /// How many of the block's inputs are its.
    pub inputs: u32,
    /// How many of the block's outputs are its.
    pub outputs: u32,
}

/// An input of a [`Block`].
#[derive(Debug, Clone)]
pub struct Input {
    /// The output it spends.
    pub prevout: Prevout,
    /// Value in base units, when the source says it.
    pub value: Option<u64>,
    /// Address key, when the source says it or the input reveals it.
    pub key: Span,
    /// Whether `key` comes from the spent output itself.
    pub recorded: bool,
}

/// An output by transaction id and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prevout {
    /// Transaction id, in the order it is displayed.
    pub id: [u8; 32],
    /// Place among that transaction's outputs.
    pub vout: u32,
}

/// An output of a [`Block`].
#[derive(Debug, Clone)]
pub struct Output {
    /// Value in base units.
    pub value: u64,
    /// Address key; empty for what nobody can spend.
    pub key: Span,
}

/// An input as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    /// The output it spends, when that is on this chain's record.
    pub output: Option<u64>,
    /// Address, or [`UNKNOWN`].
    pub address: u32,
    /// Value in base units, when known.
    pub value: Option<u64>,
}

impl Block {
    /// Empties the block for the next one.
    pub fn clear(&mut self) {
        self.head = None;
        self.txs.clear();
        self.inputs.clear();
        self.outputs.clear();
        self.keys.clear();
    }

    /// Keeps a key and says where.
    pub fn key(&mut self, parts: &[&[u8]]) -> Span {
        let from = self.keys.len();
        parts.iter().for_each(|part| self.keys.extend_from_slice(part));
        let narrow = |n: usize| u32::try_from(n).unwrap_or(0);
        Span { from: narrow(from), len: narrow(self.keys.len() - from) }
    }

    /// The bytes of a key.
    #[inline]
    pub fn bytes(&self, span: Span) -> &[u8] {
        self.keys.get(span.range()).unwrap_or_default()
    }
}

/// A UTXO chain.
#[derive(Debug)]
pub struct Utxo {
    store: Store,
    addresses: Dictionary,
    ids: Dictionary,
    spent: Spent,
}

impl Utxo {
    /// Opens the chain in `dir` at its last complete block, and brings what is derived level with it.
    pub fn open(dir: &Path, mode: Mode) -> Result<Utxo> {
        Utxo::over(Store::open(dir, &UTXO, mode)?)
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
        let mut chain = Utxo { store, addresses, ids, spent };
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

    fn append_rows(&mut self, block: &Block, head: Head) -> Result<()> {
        self.store.push(BLOCK_FIRST_TX, &u40(self.txs()));
        self.store.push(BLOCK_TIME, &block.time.to_le_bytes());
        self.store.push(BLOCK_BITS, &block.bits.to_le_bytes());
        let (mut inputs, mut outputs) = (block.inputs.iter(), block.outputs.iter());
        for (place, tx) in (0..).zip(&block.txs) {
            let wrong = |why: String| Error::Contradiction { height: head.height, tx: place, why };
            let number = room("transactions", self.txs(), u64::from(u32::MAX))?;
            self.store.push(TX_FIRST_IN, &u40(room("inputs", self.inputs(), U40_MAX - 1)?));
            self.store.push(TX_FIRST_OUT, &u40(room("outputs", self.outputs(), U40_MAX - 1)?));
            let mut totals = Totals { flags: tx.flags, paid_in: 0, paid_out: 0 };
            for input in inputs.by_ref().take(tx.inputs as usize) {
                self.append_input(block, input, &mut totals).map_err(|why| why.at(&wrong))?;
            }
            for output in outputs.by_ref().take(tx.outputs as usize) {
                self.append_output(block, output, &mut totals).map_err(|why| why.at(&wrong))?;
            }
            if !totals.flags.has(Flags::COINBASE)
                && !totals.flags.has(Flags::PARTIAL)
                && totals.paid_in < totals.paid_out
            {
                return Err(wrong(format!("pays out {} but spends only {}", totals.paid_out, totals.paid_in)));
            }
            let [a, b] = totals.flags.0.to_le_bytes();
            let [c, d, e, f] = tx.weight.to_le_bytes();
            self.store.push(TX_INFO, &[a, b, c, d, e, f]);
            self.store.push(TX_ID, &tx.id);
            self.ids.insert(self.ids.hash(&tx.id), narrow(number));
        }
        Ok(())
    }

    fn append_input(&mut self, block: &Block, input: &Input, totals: &mut Totals) -> std::result::Result<(), Why> {
        let number = self.inputs();
        let (output, address, value) = match self.output_at(&input.prevout)? {
            Some(output) => self.spend(block, input, output)?,
            None => {
                let mut foreign = [0; 41];
                let parts = u40(number).into_iter().chain(input.prevout.id).chain(input.prevout.vout.to_le_bytes());
                foreign.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
                self.store.push(IN_FOREIGN, &foreign);
                let address = if input.key.len == 0 { UNKNOWN } else { self.address(block.bytes(input.key))? };
                if address != UNKNOWN && !input.recorded {
                    totals.flags = totals.flags.with(Flags::REVEALED);
                }
                (U40_MAX, address, input.value.unwrap_or(UNKNOWN_VALUE))
            }
        };
        if value == UNKNOWN_VALUE {
            totals.flags = totals.flags.with(Flags::PARTIAL);
        } else {
            totals.paid_in += u128::from(value);
        }
        if address == UNKNOWN {
            totals.flags = totals.flags.with(Flags::HIDDEN);
        }
        self.store.push(IN_OUT, &u40(output));
        self.store.push(IN_ADDRESS, &address.to_le_bytes());
        self.store.push(IN_VALUE, &u56(value));
        if output != U40_MAX {
            self.spent.set(output, number);
        }
        Ok(())
    }

    /// An input whose output is on record: what the output says is taken, and what the source says must agree.
    fn spend(&self, block: &Block, input: &Input, output: u64) -> std::result::Result<(u64, u32, u64), Why> {
        let name = || format!("output {} of {}", input.prevout.vout, super::hex(&input.prevout.id));
        if let Some(other) = self.spent_by(output) {
            return Err(Why::Wrong(format!("{} is spent already, by input {other} of this record", name())));
        }
        let address = self.store.uint(OUT_ADDRESS, output).map_or(UNKNOWN, narrow);
        let value = self.store.uint(OUT_VALUE, output).unwrap_or(UNKNOWN_VALUE);
        if let Some(said) = input.value.filter(|said| *said != value) {
            return Err(Why::Wrong(format!("{} holds {value}, but the source of the input says {said}", name())));
        }
        if input.recorded && self.address_key(address).unwrap_or_default() != block.bytes(input.key) {
            return Err(Why::Wrong(format!("{} has another owner than the source of the input says", name())));
        }
        Ok((output, address, value))
    }

    fn append_output(&mut self, block: &Block, output: &Output, totals: &mut Totals) -> std::result::Result<(), Why> {
        if output.value >= UNKNOWN_VALUE {
            return Err(Why::Wrong(format!("an output of {} does not fit 56 bits", output.value)));
        }
        totals.paid_out += u128::from(output.value);
        let address = if output.key.len == 0 { NOBODY } else { self.address(block.bytes(output.key))? };
        self.store.push(OUT_ADDRESS, &address.to_le_bytes());
        self.store.push(OUT_VALUE, &u56(output.value));
        self.spent.add_output();
        Ok(())
    }

    /// The number of an address, which is given one when it has none.
    fn address(&mut self, key: &[u8]) -> Result<u32> {
        let hash = self.addresses.hash(key);
        if let Some(id) = self.addresses.find(hash, |id| self.address_key(id) == Some(key)) {
            return Ok(id);
        }
        let id = narrow(room("addresses", self.addresses(), u64::from(NOBODY) - 1)?);
        self.store.push(ADDRESS_BYTES, key);
        let end = room("bytes of addresses", self.store.rows(ADDRESS_BYTES), U40_MAX)?;
        self.store.push(ADDRESS_END, &u40(end));
        self.addresses.insert(hash, id);
        Ok(id)
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

/// Reading.
impl Utxo {
    /// How many transactions there are.
    #[inline]
    pub fn txs(&self) -> u64 {
        self.store.rows(TX_ID)
    }
    /// How many inputs.
    #[inline]
    pub fn inputs(&self) -> u64 {
        self.store.rows(IN_VALUE)
    }
    /// How many outputs.
    #[inline]
    pub fn outputs(&self) -> u64 {
        self.store.rows(OUT_VALUE)
    }
    /// How many addresses; their numbers are 0 up to this.
    pub fn addresses(&self) -> u64 {
        self.store.rows(ADDRESS_END)
    }
    /// The inputs of transaction `tx`.
    pub fn inputs_of(&self, tx: u64) -> std::ops::Range<u64> {
        self.range(TX_FIRST_IN, tx, self.inputs())
    }
    /// The outputs of transaction `tx`.
    pub fn outputs_of(&self, tx: u64) -> std::ops::Range<u64> {
        self.range(TX_FIRST_OUT, tx, self.outputs())
    }
    fn range(&self, column: usize, row: u64, all: u64) -> std::ops::Range<u64> {
        let from = self.store.uint(column, row).unwrap_or(all);
        from..self.store.uint(column, row + 1).unwrap_or(all).max(from)
    }
    /// A transaction's id, in the order it is displayed.
    pub fn id(&self, tx: u64) -> Option<&[u8; 32]> {
        self.store.row(TX_ID, tx)?.try_into().ok()
    }
    /// A transaction's flags and weight.
    pub fn info(&self, tx: u64) -> Option<(Flags, u32)> {
        let [a, b, c, d, e, f] = *self.store.row(TX_INFO, tx)? else { return None };
        Some((Flags(u16::from_le_bytes([a, b])), u32::from_le_bytes([c, d, e, f])))
    }
    /// An input.
    #[inline]
    pub fn input(&self, input: u64) -> Option<Spend> {
        Some(Spend {
            output: self.store.uint(IN_OUT, input).filter(|output| *output != U40_MAX),
            address: narrow(self.store.uint(IN_ADDRESS, input)?),
            value: self.store.uint(IN_VALUE, input).filter(|value| *value != UNKNOWN_VALUE),
        })
    }
    /// An output: address (or [`NOBODY`]) and value.
    #[inline]
    pub fn output(&self, output: u64) -> Option<(u32, u64)> {
        Some((narrow(self.store.uint(OUT_ADDRESS, output)?), self.store.uint(OUT_VALUE, output)?))
    }
    /// The input that spends an output, looked at from both sides.
    #[inline]
    pub fn spent_by(&self, output: u64) -> Option<u64> {
        self.spent.get(output).filter(|input| self.store.uint(IN_OUT, *input) == Some(output))
    }
    /// The output that an input spends and that is not on this record.
    pub fn foreign(&self, input: u64) -> Option<Prevout> {
        let rows = self.store.rows(IN_FOREIGN);
        let number =
            |row: u64| self.store.row(IN_FOREIGN, row).and_then(|row| row.get(..5)).map_or(0, super::bytes::uint);
        let row = halve(rows, |row| number(row) < input);
        let bytes = self.store.row(IN_FOREIGN, row).filter(|_| number(row) == input)?;
        Some(Prevout {
            id: bytes.get(5..37)?.try_into().ok()?,
            vout: u32::from_le_bytes(bytes.get(37..41)?.try_into().ok()?),
        })
    }
    /// The transaction that an input belongs to.
    pub fn tx_of_input(&self, input: u64) -> Option<u64> {
        self.owner(TX_FIRST_IN, input, self.inputs())
    }
    /// The transaction that makes an output.
    pub fn tx_of_output(&self, output: u64) -> Option<u64> {
        self.owner(TX_FIRST_OUT, output, self.outputs())
    }
    fn owner(&self, column: usize, row: u64, rows: u64) -> Option<u64> {
        (row < rows)
            .then(|| halve(self.txs(), |tx| self.store.uint(column, tx).is_some_and(|first| first <= row)))?
            .checked_sub(1)
    }
    /// The block of a transaction: its place, and the header's time and compact target.
    pub fn block_of(&self, tx: u64) -> Option<u64> {
        let blocks = self.store.rows(BLOCK_TIME);
        let place = halve(blocks, |block| self.store.uint(BLOCK_FIRST_TX, block).is_some_and(|first| first <= tx));
        place.checked_sub(1).filter(|_| tx < self.txs())
    }
    /// Time and compact target of a block by its place.
    pub fn block(&self, place: u64) -> Option<(u32, u32)> {
        Some((narrow(self.store.uint(BLOCK_TIME, place)?), narrow(self.store.uint(BLOCK_BITS, place)?)))
    }
    /// The newest transaction with this id (two of Bitcoin's coinbases share theirs with older ones, BIP 30).
    pub fn find_tx(&self, id: &[u8; 32]) -> Option<u64> {
        let same = |tx: u32| self.store.row(TX_ID, u64::from(tx)) == Some(id.as_slice());
        self.ids.find(self.ids.hash(id), same).map(u64::from)
    }
    /// The number of an address by its key.
    pub fn find_address(&self, key: &[u8]) -> Option<u32> {
        self.addresses.find(self.addresses.hash(key), |id| self.address_key(id) == Some(key))
    }
    /// The key of an address.
    pub fn address_key(&self, id: u32) -> Option<&[u8]> {
        slice_of(&self.store, ADDRESS_END, ADDRESS_BYTES, id)
    }
    /// The output that is named so, if its transaction is on record; an error when that has no such output.
    fn output_at(&self, prevout: &Prevout) -> std::result::Result<Option<u64>, Why> {
        let Some(tx) = self.find_tx(&prevout.id) else { return Ok(None) };
        let outputs = self.outputs_of(tx);
        let output = outputs.start + u64::from(prevout.vout);
        if !outputs.contains(&output) {
            let id = super::hex(&prevout.id);
            return Err(Why::Wrong(format!("spends output {} of {id}, which has {}", prevout.vout, outputs.count())));
        }
        Ok(Some(output))
    }
    /// Bytes on disk of the two dictionaries and of `out.spent`.
    pub(super) fn derived_bytes(&self) -> [(&'static str, u64, u64); 3] {
        [
            ("address dictionary", self.addresses.bytes(), self.addresses.built()),
            ("tx dictionary", self.ids.bytes(), self.ids.built()),
            ("out.spent", self.spent.bytes(), self.outputs()),
        ]
    }
}

struct Totals {
    flags: Flags,
    paid_in: u128,
    paid_out: u128,
}

/// Why a row cannot be appended, before block and transaction are named.
enum Why {
    Wrong(String),
    Other(Error),
}

impl From<Error> for Why {
    fn from(error: Error) -> Why {
        Why::Other(error)
    }
}

impl Why {
    fn at(self, wrong: &impl Fn(String) -> Error) -> Error {
        match self {
            Why::Wrong(why) => wrong(why),
            Why::Other(error) => error,
        }
    }
}

/// The first number of `0..n` for which `before` no longer holds.
fn halve(n: u64, before: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
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
