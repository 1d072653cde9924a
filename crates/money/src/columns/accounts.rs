//! Accounts: transfers of 20 bytes between numbered accounts, whatever chain, bank or exchange they come from.
use super::block::Span;
use super::bytes::{U40_MAX, u40};
use super::control::NewControl;
use super::transfer::{NewAllowance, NewTransfer, TransferBlock};
use super::utxo::{narrow, room, slice_of};
use super::{ColumnSpec, Dictionary, Error, Head, Histories, Layout, Mode, Model, Result, Store, UNKNOWN};
use std::path::Path;

const fn column(name: &'static str, width: u64) -> ColumnSpec {
    ColumnSpec { name, width }
}

/// The columns of an account chain.
pub const ACCOUNTS: Layout = Layout {
    model: Model::Accounts,
    version: 3,
    columns: &[
        column("block.first-tx", 5),
        column("block.time", 4),
        column("block.txs-said", 4),
        column("block.flags", 2),
        column("tx.first-transfer", 5),
        column("tx.time", 4),
        column("tx.place", 4),
        column("tx.signer", 4),
        column("tx.flags", 1),
        column("transfer.from", 4),
        column("transfer.to", 4),
        column("transfer.asset", 4),
        column("transfer.amount", 8),
        column("transfer.wide", 37),
        column("spender", 9),
        column("allowance", 49),
        column("control", 18),
        column("tx.id.end", 5),
        column("tx.id.bytes", 1),
        column("account.end", 5),
        column("account.bytes", 1),
        column("asset.end", 5),
        column("asset.bytes", 1),
    ],
};
pub(super) const BLOCK_FIRST_TX: usize = 0;
pub(super) const BLOCK_TIME: usize = 1;
pub(super) const BLOCK_SAID: usize = 2;
pub(super) const BLOCK_FLAGS: usize = 3;
pub(super) const TX_FIRST: usize = 4;
pub(super) const TX_TIME: usize = 5;
pub(super) const TX_PLACE: usize = 6;
pub(super) const TX_SIGNER: usize = 7;
pub(super) const TX_FLAGS: usize = 8;
pub(super) const FROM: usize = 9;
pub(super) const TO: usize = 10;
pub(super) const ASSET: usize = 11;
pub(super) const AMOUNT: usize = 12;
pub(super) const WIDE: usize = 13;
pub(super) const SPENDER: usize = 14;
pub(super) const ALLOWANCE: usize = 15;
pub(super) const CONTROL: usize = 16;
pub(super) const ID_END: usize = 17;
pub(super) const ID_BYTES: usize = 18;
pub(super) const ACCOUNT_END: usize = 19;
pub(super) const ACCOUNT_BYTES: usize = 20;
pub(super) const ASSET_END: usize = 21;
pub(super) const ASSET_BYTES: usize = 22;

/// Assets have 24 bits; the eight above them are the kind and three marks.
const ASSET_LIMIT: u64 = 1 << 24;
pub(super) const APART: u8 = 1 << 5;
pub(super) const UNORDERED: u8 = 1 << 6;
pub(super) const NO_EDGE: u8 = 1 << 7;
/// An amount of 64 bits that says: look in `transfer.wide`.
pub(super) const WIDE_MARK: u64 = u64::MAX;
/// A number of 32 bits that the source does not tell.
pub(super) const UNTOLD: u32 = u32::MAX;

/// A chain of transfers between accounts.
#[derive(Debug)]
pub struct Accounts {
    pub(super) store: Store,
    pub(super) accounts: Dictionary,
    pub(super) assets: Dictionary,
    pub(super) ids: Dictionary,
    pub(super) histories: Histories,
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
        let transfers_after = |blocks: u64| Ok(store.rows_after(blocks.saturating_sub(1), AMOUNT)?.unwrap_or(0));
        let histories = Histories::open(&store, transfers_after)?;
        Ok(Accounts { store, accounts, assets, ids, histories })
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
        self.store.push(BLOCK_SAID, &block.txs_said.unwrap_or(UNTOLD).to_le_bytes());
        self.store.push(BLOCK_FLAGS, &block.flags.0.to_le_bytes());
        let (first, first_tx) = (self.transfers(), self.txs());
        let mut transfers = block.transfers.iter();
        for tx in &block.txs {
            let number = narrow(room("transactions", self.txs(), u64::from(u32::MAX))?);
            let signer = self.number(block, tx.signer)?;
            self.store.push(TX_FIRST, &u40(room("transfers", self.transfers(), U40_MAX - 1)?));
            self.store.push(TX_TIME, &tx.time.to_le_bytes());
            self.store.push(TX_PLACE, &tx.place.unwrap_or(UNTOLD).to_le_bytes());
            self.store.push(TX_SIGNER, &signer.to_le_bytes());
            self.store.push(TX_FLAGS, &[tx.flags.0]);
            for transfer in transfers.by_ref().take(tx.transfers as usize) {
                self.append_transfer(block, transfer)?;
            }
            let id = block.bytes(tx.id);
            append_bytes(&mut self.store, ID_END, ID_BYTES, id)?;
            if !id.is_empty() {
                self.ids.insert(self.ids.hash(id), number);
            }
        }
        block.allowances.iter().try_for_each(|allowance| self.append_allowance(block, first, allowance))?;
        block.controls.iter().try_for_each(|control| self.append_control(block, first_tx, control))
    }

    fn append_control(&mut self, block: &TransferBlock, first: u64, control: &NewControl) -> Result<()> {
        let (account, other) = (self.number(block, control.account)?, self.number(block, control.other)?);
        let mut row = u40(first + u64::from(control.tx)).to_vec();
        row.push(control.kind as u8);
        [account, other, control.weight].iter().for_each(|number| row.extend_from_slice(&number.to_le_bytes()));
        self.store.push(CONTROL, &row);
        Ok(())
    }

    /// The number of an account, which is given one when it has none.
    fn number(&mut self, block: &TransferBlock, key: Span) -> Result<u32> {
        match block.bytes(key) {
            [] => Ok(UNKNOWN),
            key => {
                let places = (ACCOUNT_END, ACCOUNT_BYTES);
                numbered(&mut self.store, &mut self.accounts, places, key, u64::from(UNKNOWN) - 1)
            }
        }
    }

    fn asset_number(&mut self, block: &TransferBlock, key: Span) -> Result<u32> {
        numbered(&mut self.store, &mut self.assets, (ASSET_END, ASSET_BYTES), block.bytes(key), ASSET_LIMIT)
    }

    fn append_transfer(&mut self, block: &TransferBlock, transfer: &NewTransfer) -> Result<()> {
        let number = self.transfers();
        let (from, to) = (self.number(block, transfer.from)?, self.number(block, transfer.to)?);
        let (spender, asset) = (self.number(block, transfer.spender)?, self.asset_number(block, transfer.asset)?);
        let store = &mut self.store;
        let mut marks = transfer.kind as u8;
        marks |= if transfer.unordered { UNORDERED } else { 0 };
        marks |= if transfer.apart { APART } else { 0 };
        marks |= if transfer.amount.is_zero() || transfer.fake { NO_EDGE } else { 0 };
        let amount = transfer.amount.to_u64().unwrap_or(WIDE_MARK);
        if amount == WIDE_MARK {
            store.push(WIDE, &[&u40(number)[..], &transfer.amount.0].concat());
        }
        if spender != UNKNOWN {
            store.push(SPENDER, &[&u40(number)[..], &spender.to_le_bytes()].concat());
        }
        store.push(FROM, &from.to_le_bytes());
        store.push(TO, &to.to_le_bytes());
        store.push(ASSET, &(asset | (u32::from(marks) << 24)).to_le_bytes());
        store.push(AMOUNT, &amount.to_le_bytes());
        Ok(())
    }

    fn append_allowance(&mut self, block: &TransferBlock, first: u64, allowance: &NewAllowance) -> Result<()> {
        let (owner, spender) = (self.number(block, allowance.owner)?, self.number(block, allowance.spender)?);
        let asset = self.asset_number(block, allowance.asset)?;
        let mut row = u40(first + u64::from(allowance.before)).to_vec();
        [owner, spender, asset].iter().for_each(|number| row.extend_from_slice(&number.to_le_bytes()));
        row.extend_from_slice(&allowance.amount.0);
        self.store.push(ALLOWANCE, &row);
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
        self.histories.lower(head, rows(AMOUNT)?)?;
        let head = self.store.unwind(height)?;
        self.accounts.refill(accounts, &self.store, hash_in(&self.store, ACCOUNT_END, ACCOUNT_BYTES))?;
        self.assets.refill(assets, &self.store, hash_in(&self.store, ASSET_END, ASSET_BYTES))?;
        self.ids.refill(ids, &self.store, hash_in(&self.store, ID_END, ID_BYTES))?;
        Ok(head)
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
