//! Reading a chain of accounts: transactions, transfers, names and numbers.
use super::Amount;
use super::accounts::*;
use super::bytes::{Fields, uint};
use super::transfer::{Allowance, BlockFlags, Kind, NewTransfer, Transfer, TransferBlock, TxFlags};
use super::utxo::{narrow, slice_of};

impl Accounts {
    /// How many transactions there are.
    pub fn txs(&self) -> u64 {
        self.store.rows(ID_END)
    }
    /// How many transfers.
    pub fn transfers(&self) -> u64 {
        self.store.rows(AMOUNT)
    }
    /// How many accounts; their numbers are 0 up to this.
    pub fn accounts(&self) -> u64 {
        self.store.rows(ACCOUNT_END)
    }
    /// How many assets.
    pub fn assets(&self) -> u64 {
        self.store.rows(ASSET_END)
    }
    /// The transactions of a block by its place.
    pub fn txs_of(&self, place: u64) -> std::ops::Range<u64> {
        let from = self.store.uint(BLOCK_FIRST_TX, place).unwrap_or(self.txs());
        from..self.store.uint(BLOCK_FIRST_TX, place + 1).unwrap_or(self.txs()).max(from)
    }
    /// Whether the last block is what `block` begins with: the same transactions, and then perhaps more.
    pub fn last_grows_into(&self, block: &TransferBlock) -> bool {
        let Some(place) = self.store.blocks().checked_sub(1) else { return false };
        let mut transfers = block.transfers.iter();
        let (kept, mut txs) = (self.txs_of(place), block.txs.iter());
        for tx in kept.clone() {
            let Some(new) = txs.next() else { return false };
            let count = self.transfers_of(tx).count();
            let last = tx + 1 == kept.end;
            let enough = if last { count <= new.transfers as usize } else { count == new.transfers as usize };
            if !enough || self.id(tx) != Some(block.bytes(new.id)) || self.time(tx) != Some(new.time) {
                return false;
            }
            let same = self.transfers_of(tx).zip(transfers.by_ref().take(count));
            if !same.into_iter().all(|(number, new)| self.same(number, block, new)) {
                return false;
            }
        }
        true
    }
    fn same(&self, number: u64, block: &TransferBlock, new: &NewTransfer) -> bool {
        self.transfer(number).is_some_and(|kept| {
            self.account(kept.from).unwrap_or_default() == block.bytes(new.from)
                && self.account(kept.to).unwrap_or_default() == block.bytes(new.to)
                && self.asset(kept.asset) == Some(block.bytes(new.asset))
                && (kept.amount, kept.kind, kept.unordered) == (new.amount, new.kind, new.unordered)
        })
    }
    /// The transfers of transaction `tx`.
    pub fn transfers_of(&self, tx: u64) -> std::ops::Range<u64> {
        let from = self.store.uint(TX_FIRST, tx).unwrap_or(self.transfers());
        from..self.store.uint(TX_FIRST, tx + 1).unwrap_or(self.transfers()).max(from)
    }
    /// When a transaction was, Unix seconds.
    pub fn time(&self, tx: u64) -> Option<u32> {
        self.store.uint(TX_TIME, tx).map(narrow)
    }
    /// The place of a transaction in the chain's block, if its source told.
    pub fn place(&self, tx: u64) -> Option<u32> {
        self.store.uint(TX_PLACE, tx).map(narrow).filter(|place| *place != UNTOLD)
    }
    /// Who signed a transaction, or [`super::UNKNOWN`].
    pub fn signer(&self, tx: u64) -> u32 {
        self.store.uint(TX_SIGNER, tx).map_or(super::UNKNOWN, narrow)
    }
    /// What is known of a transaction.
    pub fn tx_flags(&self, tx: u64) -> TxFlags {
        TxFlags(self.store.row(TX_FLAGS, tx).and_then(|row| row.first()).copied().unwrap_or(0))
    }
    /// What is known of a block, and how many transactions its chain says that it has.
    pub fn block_said(&self, place: u64) -> (BlockFlags, Option<u32>) {
        let flags =
            self.store.row(BLOCK_FLAGS, place).and_then(|row| row.try_into().ok()).map_or(0, u16::from_le_bytes);
        (BlockFlags(flags), self.store.uint(BLOCK_SAID, place).map(narrow).filter(|said| *said != UNTOLD))
    }
    /// The transaction that a transfer belongs to.
    pub fn tx_of(&self, transfer: u64) -> Option<u64> {
        if transfer >= self.transfers() {
            return None;
        }
        self.last_not_after(TX_FIRST, self.txs(), transfer)
    }
    /// The place of a transaction's block.
    pub fn block_of(&self, tx: u64) -> Option<u64> {
        if tx >= self.txs() {
            return None;
        }
        self.last_not_after(BLOCK_FIRST_TX, self.store.blocks(), tx)
    }
    /// The last of `rows` whose first entry is not behind `number`: rows without an entry share theirs with the next one.
    fn last_not_after(&self, column: usize, rows: u64, number: u64) -> Option<u64> {
        let (mut low, mut high) = (0, rows);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.store.uint(column, middle)? <= number { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }
    /// Time of a block by its place.
    pub fn block_time(&self, place: u64) -> Option<u32> {
        self.store.uint(BLOCK_TIME, place).map(narrow)
    }
    /// Who pays and who is paid in a transfer.
    pub(super) fn parties(&self, number: u64) -> Option<(u32, u32)> {
        Some((narrow(self.store.uint(FROM, number)?), narrow(self.store.uint(TO, number)?)))
    }
    /// A transfer.
    pub fn transfer(&self, number: u64) -> Option<Transfer> {
        let [a, b, c, marks] = *self.store.row(ASSET, number)? else { return None };
        let (from, to) = self.parties(number)?;
        Some(Transfer {
            from,
            to,
            asset: u32::from_le_bytes([a, b, c, 0]),
            kind: Kind::of(marks),
            unordered: marks & UNORDERED != 0,
            apart: marks & APART != 0,
            edge: marks & NO_EDGE == 0,
            amount: match self.store.uint(AMOUNT, number)? {
                WIDE_MARK => self.wide(number)?,
                narrow => Amount::from(u128::from(narrow)),
            },
        })
    }
    /// An amount that does not fit 64 bits.
    fn wide(&self, number: u64) -> Option<Amount> {
        Some(Amount(self.sparse(WIDE, number)?.try_into().ok()?))
    }
    /// The account that moved a transfer in its payer's place, where the record knows one that is not the signer.
    pub fn spender(&self, number: u64) -> Option<u32> {
        self.sparse(SPENDER, number).map(|bytes| narrow(uint(bytes)))
    }
    /// What stands behind a transfer's number in a column that has rows for some alone.
    fn sparse(&self, column: usize, number: u64) -> Option<&[u8]> {
        let row = self.first_from(column, number);
        let (at, rest) = self.store.row(column, row)?.split_at_checked(5)?;
        (uint(at) == number).then_some(rest)
    }
    /// The first row of such a column that is of this transfer or a later one, by halving.
    fn first_from(&self, column: usize, number: u64) -> u64 {
        let at = |row| self.store.row(column, row).and_then(|row| row.get(..5)).map_or(u64::MAX, uint);
        let (mut low, mut high) = (0, self.store.rows(column));
        while low < high {
            let middle = low + (high - low) / 2;
            if at(middle) < number { low = middle + 1 } else { high = middle }
        }
        low
    }
    /// How many allowances are on record.
    pub fn allowances(&self) -> u64 {
        self.store.rows(ALLOWANCE)
    }
    /// An allowance by its place.
    pub fn allowance(&self, place: u64) -> Option<Allowance> {
        let mut fields = Fields(self.store.row(ALLOWANCE, place)?);
        Some(Allowance {
            from_transfer: uint(fields.take(5)?),
            owner: fields.u32()?,
            spender: fields.u32()?,
            asset: fields.u32()?,
            amount: Amount(fields.array()?),
        })
    }
    /// What `owner` last allowed `spender` before a transfer, looked for among the newest `at_most` allowances before it.
    pub fn allowed(&self, transfer: u64, pair: (u32, u32), asset: u32, at_most: u64) -> Option<Allowance> {
        let end = self.first_from(ALLOWANCE, transfer + 1);
        let of = |allowance: &Allowance| (allowance.owner, allowance.spender) == pair && allowance.asset == asset;
        (end.saturating_sub(at_most)..end).rev().filter_map(|place| self.allowance(place)).find(of)
    }
    /// The name of an account.
    pub fn account(&self, id: u32) -> Option<&[u8]> {
        slice_of(&self.store, ACCOUNT_END, ACCOUNT_BYTES, id)
    }
    /// The name of an asset.
    pub fn asset(&self, id: u32) -> Option<&[u8]> {
        slice_of(&self.store, ASSET_END, ASSET_BYTES, id)
    }
    /// The id of a transaction; empty when its source gives none.
    pub fn id(&self, tx: u64) -> Option<&[u8]> {
        slice_of(&self.store, ID_END, ID_BYTES, narrow(tx))
    }
    /// The number of an account.
    pub fn find_account(&self, name: &[u8]) -> Option<u32> {
        self.accounts.find(self.accounts.hash(name), |id| self.account(id) == Some(name))
    }
    /// The number of an asset.
    pub fn find_asset(&self, name: &[u8]) -> Option<u32> {
        self.assets.find(self.assets.hash(name), |id| self.asset(id) == Some(name))
    }
    /// The newest transaction with this id.
    pub fn find_tx(&self, id: &[u8]) -> Option<u64> {
        self.ids.find(self.ids.hash(id), |tx| self.id(u64::from(tx)) == Some(id)).map(u64::from)
    }
    /// Bytes on disk and entries of the dictionaries and the histories.
    pub(super) fn derived_bytes(&self) -> [(&'static str, u64, u64); 4] {
        let (bytes, rows) = self.histories.size();
        [
            ("account dictionary", self.accounts.bytes(), self.accounts.built()),
            ("asset dictionary", self.assets.bytes(), self.assets.built()),
            ("tx dictionary", self.ids.bytes(), self.ids.built()),
            ("history", bytes, rows),
        ]
    }
}
