//! Accounts: transfers of 20 bytes between numbered accounts, whatever chain, bank or exchange they come from.
use super::bytes::{U40_MAX, u40, uint};
use super::utxo::{narrow, room, slice_of};
use super::{Amount, ColumnSpec, Dictionary, Error, Head, Layout, Mode, Model, Result, Span, Store, UNKNOWN};
use std::path::Path;

const fn column(name: &'static str, width: u64) -> ColumnSpec {
    ColumnSpec { name, width }
}

/// The columns of an account chain.
pub const ACCOUNTS: Layout = Layout {
    model: Model::Accounts,
    columns: &[
        column("block.first-tx", 5),
        column("block.time", 4),
        column("tx.first-transfer", 5),
        column("tx.time", 4),
        column("transfer.from", 4),
        column("transfer.to", 4),
        column("transfer.asset", 4),
        column("transfer.amount", 8),
        column("transfer.wide", 37),
        column("tx.id.end", 5),
        column("tx.id.bytes", 1),
        column("account.end", 5),
        column("account.bytes", 1),
        column("asset.end", 5),
        column("asset.bytes", 1),
    ],
};
const BLOCK_FIRST_TX: usize = 0;
const BLOCK_TIME: usize = 1;
const TX_FIRST: usize = 2;
const TX_TIME: usize = 3;
const FROM: usize = 4;
const TO: usize = 5;
const ASSET: usize = 6;
const AMOUNT: usize = 7;
const WIDE: usize = 8;
const ID_END: usize = 9;
const ID_BYTES: usize = 10;
const ACCOUNT_END: usize = 11;
const ACCOUNT_BYTES: usize = 12;
const ASSET_END: usize = 13;
const ASSET_BYTES: usize = 14;

/// Assets have 24 bits; the eight above them are the kind and two marks.
const ASSET_LIMIT: u64 = 1 << 24;
const UNORDERED: u8 = 1 << 6;
const NO_EDGE: u8 = 1 << 7;
/// An amount of 64 bits that says: look in `transfer.wide`.
const WIDE_MARK: u64 = u64::MAX;

/// What kind of change an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
#[allow(missing_docs)] // the words are the field's own
pub enum Kind {
    #[default]
    Transfer = 0,
    Fee = 1,
    Mint = 2,
    Burn = 3,
    Wrap = 4,
    Unwrap = 5,
    Destroy = 6,
    Reward = 7,
    Withdrawal = 8,
    L2Deposit = 9,
    L1Fee = 10,
    Stake = 11,
    Rebase = 12,
    Unexplained = 13,
}

impl Kind {
    /// All kinds with their names in tables.
    pub const NAMES: [(&'static str, Kind); 14] = [
        ("transfer", Kind::Transfer),
        ("fee", Kind::Fee),
        ("mint", Kind::Mint),
        ("burn", Kind::Burn),
        ("wrap", Kind::Wrap),
        ("unwrap", Kind::Unwrap),
        ("destroy", Kind::Destroy),
        ("reward", Kind::Reward),
        ("withdrawal", Kind::Withdrawal),
        ("l2-deposit", Kind::L2Deposit),
        ("l1-fee", Kind::L1Fee),
        ("stake", Kind::Stake),
        ("rebase", Kind::Rebase),
        ("unexplained", Kind::Unexplained),
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    fn of(bits: u8) -> Kind {
        Kind::NAMES.get(usize::from(bits & 63)).map_or(Kind::Unexplained, |(_, kind)| *kind)
    }
}

/// A block of transfers to append.
#[derive(Debug, Default, Clone)]
pub struct TransferBlock {
    /// Height, hash and parent.
    pub head: Option<Head>,
    /// Unix seconds.
    pub time: u32,
    /// Transactions in order.
    pub txs: Vec<TransferTx>,
    /// Their transfers, one transaction after another.
    pub transfers: Vec<NewTransfer>,
    /// The bytes that spans point into.
    pub keys: Vec<u8>,
}

/// A transaction of a [`TransferBlock`].
#[derive(Debug, Clone)]
pub struct TransferTx {
    /// Its id as text or bytes; may be empty.
    pub id: Span,
    /// Unix seconds.
    pub time: u32,
    /// How many of the block's transfers are its.
    pub transfers: u32,
}

/// A transfer of a [`TransferBlock`].
#[derive(Debug, Clone)]
pub struct NewTransfer {
    /// Who pays; empty when that is not known.
    pub from: Span,
    /// Who is paid; empty when that is not known.
    pub to: Span,
    /// The asset: a contract, a currency, never a symbol.
    pub asset: Span,
    /// Base units.
    pub amount: Amount,
    /// What kind of change.
    pub kind: Kind,
    /// Whether its place within the transaction is not known.
    pub unordered: bool,
}

/// A transfer as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays, or [`UNKNOWN`].
    pub from: u32,
    /// Who is paid, or [`UNKNOWN`].
    pub to: u32,
    /// The asset's number.
    pub asset: u32,
    /// What kind of change.
    pub kind: Kind,
    /// Whether its place within the transaction is not known.
    pub unordered: bool,
    /// Whether it may join two accounts: not when it moves nothing.
    pub edge: bool,
    /// Base units.
    pub amount: Amount,
}

impl TransferBlock {
    /// Keeps some bytes and says where.
    pub fn key(&mut self, bytes: &[u8]) -> Span {
        let from = narrow(self.keys.len() as u64);
        self.keys.extend_from_slice(bytes);
        Span { from, len: narrow(bytes.len() as u64) }
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.keys.get(span.range()).unwrap_or_default()
    }
}

/// A chain of transfers between accounts.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    accounts: Dictionary,
    assets: Dictionary,
    ids: Dictionary,
}

impl Accounts {
    /// Opens the chain in `dir` at its last complete block, and brings what is derived level with it.
    pub fn open(dir: &Path, mode: Mode) -> Result<Accounts> {
        Accounts::over(Store::open(dir, &ACCOUNTS, mode)?)
    }

    /// The same over columns that are open already.
    pub fn over(store: Store) -> Result<Accounts> {
        let open = |name, ends, bytes| {
            let after = |blocks: u64| Ok(store.rows_after(blocks.saturating_sub(1), ends)?.unwrap_or(0));
            Dictionary::open(&store, name, store.rows(ends), after, hash_in(&store, ends, bytes))
        };
        let accounts = open("account", ACCOUNT_END, ACCOUNT_BYTES)?;
        let assets = open("asset", ASSET_END, ASSET_BYTES)?;
        let ids = open("tx", ID_END, ID_BYTES)?;
        Ok(Accounts { store, accounts, assets, ids })
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
    pub fn append(&mut self, block: &TransferBlock) -> Result<()> {
        let Some(head) = block.head else { return Err(Error::NoSuchHeight(0)) };
        let done = self.append_rows(block).and_then(|()| self.store.end_block(head));
        if done.is_err() {
            self.store.abandon_block();
        }
        done
    }

    fn append_rows(&mut self, block: &TransferBlock) -> Result<()> {
        self.store.push(BLOCK_FIRST_TX, &u40(self.txs()));
        self.store.push(BLOCK_TIME, &block.time.to_le_bytes());
        let mut transfers = block.transfers.iter();
        for tx in &block.txs {
            let number = narrow(room("transactions", self.txs(), u64::from(u32::MAX))?);
            self.store.push(TX_FIRST, &u40(room("transfers", self.transfers(), U40_MAX - 1)?));
            self.store.push(TX_TIME, &tx.time.to_le_bytes());
            for transfer in transfers.by_ref().take(tx.transfers as usize) {
                self.append_transfer(block, transfer)?;
            }
            let id = block.bytes(tx.id);
            append_bytes(&mut self.store, ID_END, ID_BYTES, id)?;
            if !id.is_empty() {
                self.ids.insert(self.ids.hash(id), number);
            }
        }
        Ok(())
    }

    fn append_transfer(&mut self, block: &TransferBlock, transfer: &NewTransfer) -> Result<()> {
        let number = self.transfers();
        let store = &mut self.store;
        let mut account = |span| match block.bytes(span) {
            [] => Ok(UNKNOWN),
            key => numbered(store, &mut self.accounts, (ACCOUNT_END, ACCOUNT_BYTES), key, u64::from(UNKNOWN) - 1),
        };
        let (from, to) = (account(transfer.from)?, account(transfer.to)?);
        let asset =
            numbered(store, &mut self.assets, (ASSET_END, ASSET_BYTES), block.bytes(transfer.asset), ASSET_LIMIT)?;
        let mut marks = transfer.kind as u8;
        marks |= if transfer.unordered { UNORDERED } else { 0 };
        marks |= if transfer.amount.is_zero() { NO_EDGE } else { 0 };
        let amount = transfer.amount.to_u64().unwrap_or(WIDE_MARK);
        if amount == WIDE_MARK {
            let mut wide = [0; 37];
            wide.iter_mut().zip(u40(number).into_iter().chain(transfer.amount.0)).for_each(|(to, from)| *to = from);
            store.push(WIDE, &wide);
        }
        store.push(FROM, &from.to_le_bytes());
        store.push(TO, &to.to_le_bytes());
        store.push(ASSET, &(asset | (u32::from(marks) << 24)).to_le_bytes());
        store.push(AMOUNT, &amount.to_le_bytes());
        Ok(())
    }

    /// Makes the appended blocks durable, when enough of them wait or `now`.
    pub fn commit(&mut self, now: bool) -> Result<()> {
        if !now && !self.store.commit_due() {
            return Ok(());
        }
        self.store.commit()?;
        let head = self.store.head();
        for (dictionary, ends) in
            [(&mut self.accounts, ACCOUNT_END), (&mut self.assets, ASSET_END), (&mut self.ids, ID_END)]
        {
            if dictionary.flush_due() {
                dictionary.flush(head, self.store.rows(ends))?;
            }
        }
        Ok(())
    }

    /// Goes back so that the block at `height` is the last.
    pub fn unwind(&mut self, height: u64) -> Result<Head> {
        self.store.abandon_block();
        self.commit(true)?;
        let (place, record) = self.store.at_height(height)?.ok_or(Error::NoSuchHeight(height))?;
        let head = Some(Head::from(&record));
        let rows = |column| Ok::<_, Error>(self.store.rows_after(place, column)?.unwrap_or(0));
        let (accounts, assets, ids) = (rows(ACCOUNT_END)?, rows(ASSET_END)?, rows(ID_END)?);
        self.accounts.lower(head, accounts)?;
        self.assets.lower(head, assets)?;
        self.ids.lower(head, ids)?;
        let head = self.store.unwind(height)?;
        self.accounts.refill(accounts, &self.store, hash_in(&self.store, ACCOUNT_END, ACCOUNT_BYTES))?;
        self.assets.refill(assets, &self.store, hash_in(&self.store, ASSET_END, ASSET_BYTES))?;
        self.ids.refill(ids, &self.store, hash_in(&self.store, ID_END, ID_BYTES))?;
        Ok(head)
    }
}

/// Reading.
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
    /// Time of a block by its place.
    pub fn block_time(&self, place: u64) -> Option<u32> {
        self.store.uint(BLOCK_TIME, place).map(narrow)
    }
    /// A transfer.
    pub fn transfer(&self, number: u64) -> Option<Transfer> {
        let [a, b, c, marks] = *self.store.row(ASSET, number)? else { return None };
        Some(Transfer {
            from: narrow(self.store.uint(FROM, number)?),
            to: narrow(self.store.uint(TO, number)?),
            asset: u32::from_le_bytes([a, b, c, 0]),
            kind: Kind::of(marks),
            unordered: marks & UNORDERED != 0,
            edge: marks & NO_EDGE == 0,
            amount: match self.store.uint(AMOUNT, number)? {
                WIDE_MARK => self.wide(number)?,
                narrow => Amount::from(u128::from(narrow)),
            },
        })
    }
    /// An amount that does not fit 64 bits, by halving.
    fn wide(&self, number: u64) -> Option<Amount> {
        let column = self.store.column(WIDE)?;
        let at = |row| column.row(row).and_then(|row| row.get(..5)).map(uint);
        let (mut low, mut high) = (0, column.rows());
        while low < high {
            let middle = low + (high - low) / 2;
            if at(middle)? < number { low = middle + 1 } else { high = middle }
        }
        let row = column.row(low).filter(|_| at(low) == Some(number))?;
        Some(Amount(row.get(5..)?.try_into().ok()?))
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
    /// Bytes on disk of the dictionaries.
    pub(super) fn derived_bytes(&self) -> [(&'static str, u64, u64); 3] {
        [
            ("account dictionary", self.accounts.bytes(), self.accounts.built()),
            ("asset dictionary", self.assets.bytes(), self.assets.built()),
            ("tx dictionary", self.ids.bytes(), self.ids.built()),
        ]
    }
}

fn append_bytes(store: &mut Store, ends: usize, bytes: usize, key: &[u8]) -> Result<()> {
    store.push(bytes, key);
    let end = room("bytes of names", store.rows(bytes), U40_MAX)?;
    store.push(ends, &u40(end));
    Ok(())
}

/// The number of a name, which is given one when it has none.
fn numbered(
    store: &mut Store,
    dictionary: &mut Dictionary,
    (ends, bytes): (usize, usize),
    key: &[u8],
    limit: u64,
) -> Result<u32> {
    let hash = dictionary.hash(key);
    if let Some(id) = dictionary.find(hash, |id| slice_of(store, ends, bytes, id) == Some(key)) {
        return Ok(id);
    }
    let id = narrow(room("names", store.rows(ends), limit)?);
    append_bytes(store, ends, bytes, key)?;
    dictionary.insert(hash, id);
    Ok(id)
}

fn hash_in(store: &Store, ends: usize, bytes: usize) -> impl Fn(&Dictionary, u32) -> Option<u64> + '_ {
    move |dictionary, id| slice_of(store, ends, bytes, id).filter(|key| !key.is_empty()).map(|key| dictionary.hash(key))
}
