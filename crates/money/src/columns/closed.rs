//! Closed accounts: whose sum on record is what their chain itself says at a height. Every other balance is unproven.
use super::bytes::{Fields, uint};
use super::{Accounts, Amount, Error, Holding, Result, io};
use std::io::{BufReader, Read, Write};

const FILE: &str = "closed";
/// Account, asset, height, hash, what the chain says, CRC.
const ROW: usize = 4 + 4 + 8 + 32 + 32 + 4;

/// What is known of an account's balance in an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// At this height the sum on record was what the chain says.
    Closed {
        /// The height.
        height: u64,
    },
    /// At this height it was not: something of the account is not on record.
    Differs {
        /// The height.
        height: u64,
        /// What the chain says.
        told: Amount,
    },
    /// Nobody asked the chain.
    Unproven,
}

impl Accounts {
    /// The number of transfers up to and with the block at a height.
    pub fn transfers_up_to(&self, height: u64) -> Result<u64> {
        let store = self.store();
        let place = store.log().lower_bound(|record| record.height <= height)?;
        // The first transaction of the block after it begins where its transfers end.
        let next = self.txs_of(place).start;
        Ok(if next >= self.txs() { self.transfers() } else { self.transfers_of(next).start })
    }

    /// Compares the sum of an account at a height with what the chain says there, and keeps the answer.
    ///
    /// # Errors
    /// A height that is not on record; the disk.
    pub fn close(&mut self, account: u32, asset: u32, height: u64, told: &Amount) -> Result<Closing> {
        let (_, record) = self.store().at_height(height)?.ok_or(Error::NoSuchHeight(height))?;
        let mut row = Vec::with_capacity(ROW);
        row.extend_from_slice(&account.to_le_bytes());
        row.extend_from_slice(&asset.to_le_bytes());
        row.extend_from_slice(&height.to_le_bytes());
        row.extend_from_slice(&record.hash);
        row.extend_from_slice(&told.0);
        let crc = crc32fast::hash(&row);
        row.extend_from_slice(&crc.to_le_bytes());
        let path = self.store().dir().join(FILE);
        let mut file = std::fs::File::options().append(true).create(true).open(&path).map_err(io(&path))?;
        // A row that a crash tore is written over: rows are found by their places.
        let whole = file.metadata().map_err(io(&path))?.len() / ROW as u64 * ROW as u64;
        file.set_len(whole).and_then(|()| file.write_all(&row)).and_then(|()| file.sync_data()).map_err(io(&path))?;
        self.closing_at(account, asset, height, *told)
    }

    /// The newest answer of the chain about an account and an asset, for a block that is still on record, held against the sum.
    pub fn closing(&self, account: u32, asset: u32) -> Result<Closing> {
        let path = self.store().dir().join(FILE);
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Closing::Unproven),
            Err(error) => return Err(io(&path)(error)),
        };
        let (mut rows, mut row, mut newest) = (BufReader::new(file), [0; ROW], None);
        while rows.read_exact(&mut row).is_ok() {
            let Some((height, told)) = self.row_of(&row, account, asset)? else { continue };
            if newest.is_none_or(|(at, _)| at <= height) {
                newest = Some((height, told));
            }
        }
        newest.map_or(Ok(Closing::Unproven), |(height, told)| self.closing_at(account, asset, height, told))
    }

    /// Height and amount of a row that is of these two and of a block on record.
    fn row_of(&self, row: &[u8; ROW], account: u32, asset: u32) -> Result<Option<(u64, Amount)>> {
        let Some((body, crc)) = row.split_last_chunk::<4>() else { return Ok(None) };
        let mut fields = Fields(body);
        let (Some(of), Some(in_asset), Some(height)) = (fields.u32(), fields.u32(), fields.u64()) else {
            return Ok(None);
        };
        let (Some(hash), Some(told)) = (fields.array::<32>(), fields.array::<32>()) else { return Ok(None) };
        if (of, in_asset) != (account, asset) || u64::from(crc32fast::hash(body)) != uint(crc) {
            return Ok(None);
        }
        let here = self.store().at_height(height)?.is_some_and(|(_, record)| record.hash == hash);
        Ok(here.then_some((height, Amount(told))))
    }

    fn closing_at(&self, account: u32, asset: u32, height: u64, told: Amount) -> Result<Closing> {
        let holding = self.holdings(account, self.transfers_up_to(height)?).remove(&asset).unwrap_or_default();
        let same = Holding::balance(&holding).is_some_and(|sum| Amount::from(sum) == told);
        Ok(if same { Closing::Closed { height } } else { Closing::Differs { height, told } })
    }
}
