//! Reading a UTXO chain: transactions, inputs, outputs, who spends what, names and numbers.
use super::bytes::{U40_MAX, uint};
use super::utxo::*;
use super::{Flags, Prevout, Spend};

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
        let number = |row: u64| self.store.row(IN_FOREIGN, row).and_then(|row| row.get(..5)).map_or(0, uint);
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
    /// The first transaction of a block by its place; the number of all behind the last block.
    pub fn first_tx_of(&self, place: u64) -> u64 {
        self.store.uint(BLOCK_FIRST_TX, place).unwrap_or(self.txs())
    }
    /// Time and compact target of a block by its place.
    pub fn block(&self, place: u64) -> Option<(u32, u32)> {
        Some((narrow(self.store.uint(BLOCK_TIME, place)?), narrow(self.store.uint(BLOCK_BITS, place)?)))
    }
    /// The transactions from `from` on that an address pays in or is paid by, in order, some of them more than once. No index says
    /// where: the columns are read.
    pub fn occurrences(&self, address: u32, from: u64) -> impl Iterator<Item = u64> + '_ {
        let (first_in, first_out) = (self.inputs_of(from).start, self.outputs_of(from).start);
        let is = move |column: usize, row: u64| self.store.uint(column, row) == Some(u64::from(address));
        let paying = (first_in..self.inputs()).filter(move |row| is(IN_ADDRESS, *row));
        let paid = (first_out..self.outputs()).filter(move |row| is(OUT_ADDRESS, *row));
        let mut paying = paying.filter_map(|row| self.tx_of_input(row)).peekable();
        let mut paid = paid.filter_map(|row| self.tx_of_output(row)).peekable();
        std::iter::from_fn(move || match (paying.peek().copied(), paid.peek().copied()) {
            (Some(a), Some(b)) if a <= b => paying.next(),
            (Some(_), None) => paying.next(),
            _ => paid.next(),
        })
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
    /// Goes through all transactions: number, flags, and the addresses of its inputs ([`UNKNOWN`] where they are not known).
    pub fn each_spend(&self, mut with: impl FnMut(u64, Flags, &[u32])) {
        let mut addresses = Vec::new();
        for tx in 0..self.txs() {
            addresses.clear();
            addresses
                .extend(self.inputs_of(tx).map(|input| self.store.uint(IN_ADDRESS, input).map_or(UNKNOWN, narrow)));
            with(tx, self.info(tx).unwrap_or_default().0, &addresses);
        }
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

/// The first number of `0..n` for which `before` no longer holds.
pub(super) fn halve(n: u64, before: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
