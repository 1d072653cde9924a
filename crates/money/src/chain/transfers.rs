//! A table of transfers (CSV, Parquet) with a mapping that says which column means what. Amounts are read exactly or not at all.
use super::mapping::{AmountUnit, MAX_LINE, Mapping};
use super::table::Table;
use super::{Error, Loaded, Options, Progress, Result, io};
use crate::columns::{Accounts, Amount, Head, Kind, NewTransfer, TransferBlock, TransferTx, hex};
use csv::ByteRecord;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

/// No name of an account, asset or transaction is longer.
const MAX_NAME: usize = 256;
/// No block (or day) has more rows.
const MAX_BLOCK_ROWS: usize = 4 << 20;
const DAY: i64 = 86_400;

/// The places of the columns, found by their headings.
pub(super) struct Columns {
    from: usize,
    to: usize,
    amount: usize,
    amount_out: Option<usize>,
    fee: Option<usize>,
    failed: Option<usize>,
    time: usize,
    asset: Option<usize>,
    tx: Option<usize>,
    height: Option<usize>,
    block_hash: Option<usize>,
    kind: Option<usize>,
}

impl Columns {
    pub(super) fn find(headings: &[String], mapping: &Mapping) -> std::result::Result<Columns, String> {
        let place = |name: &str| {
            let found = headings.iter().position(|heading| heading == name);
            found.ok_or_else(|| format!("there is no column {name:?}; the mapping names it"))
        };
        let maybe = |name: &Option<String>| name.as_deref().map(place).transpose();
        Ok(Columns {
            from: place(&mapping.from)?,
            to: place(&mapping.to)?,
            amount: place(&mapping.amount)?,
            amount_out: maybe(&mapping.amount_out)?,
            fee: maybe(&mapping.fee)?,
            failed: maybe(&mapping.failed)?,
            time: place(&mapping.time)?,
            asset: maybe(&mapping.asset)?,
            tx: maybe(&mapping.tx)?,
            height: maybe(&mapping.height)?,
            block_hash: maybe(&mapping.block_hash)?,
            kind: maybe(&mapping.kind)?,
        })
    }
}

/// One row, read.
struct Row<'a> {
    height: u64,
    time: u32,
    hash: Option<[u8; 32]>,
    from: &'a [u8],
    to: &'a [u8],
    asset: &'a [u8],
    tx: &'a [u8],
    amount: Amount,
    kind: Kind,
    fee: Option<Amount>,
}

/// Stops at a line that is too long, before it fills the memory.
pub(crate) struct ShortLines<R> {
    inner: R,
    max: usize,
    since: usize,
    /// Bytes that were read.
    pub(crate) read: u64,
}

impl<R> ShortLines<R> {
    /// No line may have more than `max` bytes.
    pub(crate) fn new(inner: R, max: usize) -> ShortLines<R> {
        ShortLines { inner, max, since: 0, read: 0 }
    }
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(into)?;
        let part = into.get(..n).unwrap_or_default();
        self.since = match part.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => n - at,
            None => self.since + n,
        };
        self.read += n as u64;
        match self.since > self.max {
            true => Err(std::io::Error::other(format!("a line of more than {} MiB", self.max >> 20))),
            false => Ok(n),
        }
    }
}

/// Loads a table of transfers: see [`super::load`].
pub fn load_transfers(
    chain: &mut Accounts,
    path: &Path,
    mapping: &Mapping,
    options: &Options,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Loaded> {
    let bytes_total = std::fs::metadata(path).map_err(io(path))?.len();
    let mut report = Progress { bytes_total, ..Progress::default() };
    let mut loader = Loader { chain, path, mapping, options, loaded: Loaded::default(), before: None };
    let done = loader.read(&mut |height, loaded, bytes| {
        (report.height, report.blocks, report.rows, report.bytes) = (height, loaded.blocks, loaded.rows, bytes);
        progress(&report)
    });
    let loaded = std::mem::take(&mut loader.loaded);
    chain.commit(true)?;
    done.map(|()| loaded)
}

struct Loader<'a> {
    chain: &'a mut Accounts,
    path: &'a Path,
    mapping: &'a Mapping,
    options: &'a Options,
    loaded: Loaded,
    before: Option<(u64, [u8; 32])>,
}

impl Loader<'_> {
    fn line(&self, line: u64, why: impl Into<String>) -> Error {
        Error::Line { path: self.path.to_owned(), line, why: why.into() }
    }

    fn read(&mut self, progress: &mut dyn FnMut(u64, &Loaded, u64) -> ControlFlow<()>) -> Result<()> {
        let delimiter = self.mapping.delimiter.unwrap_or(',');
        let delimiter =
            u8::try_from(delimiter).map_err(|_| self.line(1, "the delimiter must be one plain character"))?;
        let zone = zone(self.mapping.zone.as_deref()).map_err(|why| self.line(1, why))?;
        let wrong = |(line, why): (u64, String)| Error::Line { path: self.path.to_owned(), line, why };
        let mut table = Table::open(self.path, delimiter, MAX_LINE).map_err(wrong)?;
        let columns = Columns::find(table.headings(), self.mapping).map_err(|why| self.line(1, why))?;
        let (mut record, mut block, mut line) = (ByteRecord::new(), Gathered::default(), 1);
        loop {
            if !table.next(&mut record).map_err(|(line, why)| self.line(line, why))? {
                break;
            }
            line = table.line;
            let row = read_row(&record, &columns, self.mapping, &zone).map_err(|why| self.line(line, why))?;
            if block.height.is_some_and(|height| height != row.height) {
                let height = self.close(&mut block, line)?;
                if progress(height, &self.loaded, table.read()).is_break() {
                    self.loaded.stopped = true;
                    return Ok(());
                }
            }
            block.add(&row, self.mapping.unordered).map_err(|why| self.line(line, why))?;
        }
        if block.height.is_some() {
            let height = self.close(&mut block, line)?;
            let _last = progress(height, &self.loaded, table.read());
        }
        Ok(())
    }

    /// Appends a gathered block, passes it over when it is on record, or takes back what is there instead.
    fn close(&mut self, gathered: &mut Gathered, line: u64) -> Result<u64> {
        let height = gathered.height.take().unwrap_or(0);
        if let Some((last, _)) = self.before.filter(|(last, _)| *last >= height) {
            let why = format!("block {height} comes after block {last}; the table must be in the order of blocks");
            return Err(self.line(line, why));
        }
        let parent = self.parent(height)?;
        let hash = gathered.hash.take().unwrap_or_else(|| gathered.own_hash(height, &parent));
        self.before = Some((height, hash));
        if self.on_record(height, &hash, &gathered.block)? {
            self.loaded.known += 1;
        } else {
            let block = &mut gathered.block;
            block.head = Some(Head { height, hash, parent });
            self.chain.append(block)?;
            self.chain.commit(false)?;
            self.loaded.blocks += 1;
            self.loaded.rows += block.transfers.len() as u64;
        }
        *gathered = Gathered::default();
        Ok(height)
    }

    /// The hash of the block before `height`: the table's, or the one on record.
    fn parent(&self, height: u64) -> Result<[u8; 32]> {
        if let Some((_, hash)) = self.before {
            return Ok(hash);
        }
        let store = self.chain.store();
        let place = store.log().lower_bound(|record| record.height < height)?;
        Ok(place
            .checked_sub(1)
            .map(|place| store.record(place))
            .transpose()?
            .flatten()
            .map_or([0; 32], |record| record.hash))
    }

    /// Whether the block is on record. If another one is, or one that the table does not have, that is taken back: when both
    /// have hashes of the chain's own, or when it is the last one that grew. Any other table that says something else about the
    /// same days would put its rows in the place of somebody else's.
    fn on_record(&mut self, height: u64, hash: &[u8; 32], block: &TransferBlock) -> Result<bool> {
        let Some(head) = self.chain.head().filter(|head| head.height >= height) else { return Ok(false) };
        let there = self.chain.store().at_height(height)?;
        if there.as_ref().is_some_and(|(_, record)| record.hash == *hash) {
            return Ok(true);
        }
        self.chain.commit(true)?;
        let store = self.chain.store();
        let place = store.log().lower_bound(|record| record.height < height)?;
        let depth = store.blocks() - place;
        let ours = store.record(place)?.map(|record| hex(&record.hash)).unwrap_or_default();
        let Some(common) = place.checked_sub(1).map(|place| store.record(place)).transpose()?.flatten() else {
            let why = format!("its first block, {height}, comes before or differs from the first on record ({ours})");
            return Err(Error::Apart(why));
        };
        let grew = depth == 1 && head.height == height && self.chain.last_grows_into(block);
        let keep = if self.mapping.block_hash.is_some() { self.options.keep } else { 0 };
        if depth > keep && !grew {
            let theirs = hex(hash);
            return Err(Error::Fork { chain: store.code(), common: common.height, ours, theirs, depth, keep });
        }
        self.chain.unwind(common.height)?;
        self.loaded.unwound += depth;
        Ok(false)
    }
}

/// The rows of one block, as they come.
#[derive(Default)]
struct Gathered {
    height: Option<u64>,
    hash: Option<[u8; 32]>,
    block: TransferBlock,
    digest: Sha256,
}

impl Gathered {
    fn add(&mut self, row: &Row<'_>, unordered: bool) -> std::result::Result<(), String> {
        let block = &mut self.block;
        if block.transfers.len() >= MAX_BLOCK_ROWS {
            return Err(format!("more than {MAX_BLOCK_ROWS} rows in one block or day"));
        }
        if self.height.is_none() {
            (self.height, self.hash, block.time) = (Some(row.height), row.hash, row.time);
        }
        if self.hash != row.hash {
            return Err("the block's hash differs from the one in the rows before".into());
        }
        match block.txs.last_mut().filter(|last| !row.tx.is_empty() && block.keys.get(last.id.range()) == Some(row.tx))
        {
            Some(last) => last.transfers += 1,
            None => {
                let id = block.key(row.tx);
                block.txs.push(TransferTx { id, time: row.time, transfers: 1, ..TransferTx::default() });
            }
        }
        let moved = (row.to, row.amount, row.kind);
        // Who is paid a fee is not told.
        let fee = row.fee.map(|fee| (&b""[..], fee, Kind::Fee));
        for (to, amount, kind) in std::iter::once(moved).chain(fee) {
            for part in [row.tx, row.from, to, row.asset, &amount.0, &[kind as u8], &row.time.to_le_bytes()] {
                self.digest.update(u32::try_from(part.len()).unwrap_or(0).to_le_bytes());
                self.digest.update(part);
            }
            let (from, to, asset) = (block.key(row.from), block.key(to), block.key(row.asset));
            block.transfers.push(NewTransfer { from, to, asset, amount, kind, unordered, ..NewTransfer::default() });
        }
        if let Some(last) = block.txs.last_mut().filter(|_| row.fee.is_some()) {
            last.transfers += 1;
        }
        Ok(())
    }

    fn own_hash(&self, height: u64, parent: &[u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(parent);
        hash.update(height.to_le_bytes());
        hash.update(self.digest.clone().finalize());
        hash.finalize().into()
    }
}

fn read_row<'a>(
    record: &'a ByteRecord,
    columns: &Columns,
    mapping: &'a Mapping,
    zone: &jiff::tz::TimeZone,
) -> std::result::Result<Row<'a>, String> {
    let cell = |place: usize| record.get(place).unwrap_or_default().trim_ascii();
    let text = |place: usize| std::str::from_utf8(cell(place)).map_err(|_| "a cell is not UTF-8".to_owned());
    let name = |place: Option<usize>| match place.map(cell).unwrap_or_default() {
        long if long.len() > MAX_NAME => Err(format!("a name of more than {MAX_NAME} bytes")),
        name => Ok(name),
    };
    let decimals = match mapping.unit {
        AmountUnit::Base => 0,
        AmountUnit::Decimals(decimals) => u32::from(decimals),
    };
    let amount_at = |place: usize| {
        let text = text(place)?;
        let bare = mapping.thousands.map(|mark| text.replace(mark, ""));
        let wrong = "the amount is not a whole number of base units between 0 and 2^256; see the mapping's unit";
        Amount::parse(bare.as_deref().unwrap_or(text), decimals).ok_or_else(|| wrong.to_owned())
    };
    let given = |place: &usize| !cell(*place).is_empty();
    let failed = columns.failed.as_ref().is_some_and(given);
    let amount = match columns.amount_out.filter(given) {
        _ if failed => Amount::default(),
        Some(out) if !given(&columns.amount) => amount_at(out)?,
        Some(out) => {
            Some(amount_at(columns.amount)?).filter(|amount| !amount.is_zero()).map_or_else(|| amount_at(out), Ok)?
        }
        None => amount_at(columns.amount)?,
    };
    let fee = columns.fee.filter(given).map(amount_at).transpose()?.filter(|fee| !fee.is_zero());
    let time = seconds(text(columns.time)?, mapping.time_format.as_deref(), zone)?;
    let height = match columns.height {
        Some(place) => text(place)?.parse().map_err(|_| "the height is not a whole number".to_owned())?,
        None => u64::try_from(time.div_euclid(DAY)).map_err(|_| "the time is before 1970")?,
    };
    let asset = match columns.asset {
        Some(_) => name(columns.asset)?,
        None => mapping.asset_is.as_deref().unwrap_or_default().as_bytes(),
    };
    if asset.is_empty() {
        return Err("the asset is not named; the mapping may name one with `asset_is`".into());
    }
    let kind = match columns.kind {
        Some(place) => Kind::named(text(place)?).ok_or("the kind is not one that is known")?,
        None => Kind::Transfer,
    };
    Ok(Row {
        height,
        time: u32::try_from(time).map_err(|_| "the time is before 1970 or after 2105")?,
        hash: columns.block_hash.map(|place| hash_of(cell(place))).transpose()?,
        from: name(Some(columns.from))?,
        to: name(Some(columns.to))?,
        asset,
        tx: name(columns.tx)?,
        amount,
        kind,
        fee,
    })
}

/// Reads every row of a table without keeping any. What is right, what is not.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_rows(table: &[u8], mapping: &Mapping) -> (u64, u64) {
    let mut reader = csv::ReaderBuilder::new().from_reader(ShortLines::new(table, MAX_LINE));
    let (mut right, mut wrong) = (0, 0);
    let Ok(headings) = reader.headers() else { return (0, 0) };
    let headings: Vec<String> = headings.iter().map(str::to_owned).collect();
    let Ok(columns) = Columns::find(&headings, mapping) else { return (0, 0) };
    let mut record = ByteRecord::new();
    while let Ok(true) = reader.read_byte_record(&mut record) {
        match read_row(&record, &columns, mapping, &jiff::tz::TimeZone::UTC) {
            Ok(_) => right += 1,
            Err(_) => wrong += 1,
        }
    }
    (right, wrong)
}

fn hash_of(text: &[u8]) -> std::result::Result<[u8; 32], String> {
    let wrong = || "the block's hash is not 64 hex digits".to_owned();
    let digits = std::str::from_utf8(text.strip_prefix(b"0x").unwrap_or(text)).map_err(|_| wrong())?;
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash).map_err(|_| wrong())?;
    Ok(hash)
}

/// Unix seconds of a time as tables write it.
fn seconds(text: &str, format: Option<&str>, zone: &jiff::tz::TimeZone) -> std::result::Result<i64, String> {
    let unread = || "the time cannot be read; see the mapping's `time_format`".to_owned();
    if let Some(format) = format {
        let parts = jiff::fmt::strtime::parse(format, text).map_err(|_| unread())?;
        if let Ok(instant) = parts.to_timestamp() {
            return Ok(instant.as_second());
        }
        let midnight = || parts.to_date().map(|date| date.to_datetime(jiff::civil::Time::midnight()));
        return in_zone(parts.to_datetime().or_else(|_| midnight()).map_err(|_| unread())?, zone.clone());
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(instant.as_second());
    }
    let plain = text.trim_end_matches(" UTC");
    let zone = if plain.len() == text.len() { zone.clone() } else { jiff::tz::TimeZone::UTC };
    in_zone(plain.parse().map_err(|_| unread())?, zone)
}

/// An hour that the clocks show twice is taken the first time; one that they pass over counts as if they had not yet.
fn in_zone(civil: jiff::civil::DateTime, zone: jiff::tz::TimeZone) -> std::result::Result<i64, String> {
    civil.to_zoned(zone).map(|zoned| zoned.timestamp().as_second()).map_err(|_| "the time is out of range".to_owned())
}

pub(crate) fn zone(name: Option<&str>) -> std::result::Result<jiff::tz::TimeZone, String> {
    let Some(name) = name else { return Ok(jiff::tz::TimeZone::UTC) };
    let offset = || {
        let (sign, rest) = name.split_at_checked(1)?;
        let (hours, minutes) = rest.split_once(':')?;
        let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
        let seconds = match sign {
            "+" => seconds,
            "-" => -seconds,
            _ => return None,
        };
        jiff::tz::Offset::from_seconds(seconds).ok().map(jiff::tz::TimeZone::fixed)
    };
    match offset() {
        Some(zone) => Ok(zone),
        None => jiff::tz::TimeZone::get(name).map_err(|_| format!("the zone {name:?} is not known")),
    }
}

/// A table's error without its cells, which may name people.
pub(crate) fn said(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells where {expected_len} belong")
        }
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => "cannot be read as CSV".into(),
    }
}
