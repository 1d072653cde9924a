//! The commit log: one record a block. A block is there when its record is, and not before.
use super::bytes::Fields;
use super::{Error, Result, format, io};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"EYECMT\0\x01";
const HEADER: u64 = 16;

/// What a block left in the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The block's height; heights rise from record to record.
    pub height: u64,
    /// The block's hash, bytes in the order they are displayed.
    pub hash: [u8; 32],
    /// The hash of the block before.
    pub parent: [u8; 32],
    /// Length in bytes of each column after this block.
    pub lens: Vec<u64>,
    /// CRC-32 of the bytes that this block added, column after column.
    pub data_crc: u32,
}

impl Record {
    fn size(columns: usize) -> u64 {
        8 + 32 + 32 + 8 * columns as u64 + 4 + 4
    }

    /// The record's own CRC covers its place too, so that a record copied elsewhere is not taken for another.
    fn encode(&self, place: u64, into: &mut Vec<u8>) {
        let from = into.len();
        into.extend_from_slice(&self.height.to_le_bytes());
        into.extend_from_slice(&self.hash);
        into.extend_from_slice(&self.parent);
        self.lens.iter().for_each(|len| into.extend_from_slice(&len.to_le_bytes()));
        into.extend_from_slice(&self.data_crc.to_le_bytes());
        let own = own_crc(place, into.get(from..).unwrap_or_default());
        into.extend_from_slice(&own.to_le_bytes());
    }

    fn decode(place: u64, bytes: &[u8]) -> Option<Record> {
        let (body, own) = bytes.split_last_chunk::<4>()?;
        if own_crc(place, body) != u32::from_le_bytes(*own) {
            return None;
        }
        let mut fields = Fields(body);
        let (height, hash, parent) = (fields.u64()?, fields.array()?, fields.array()?);
        let mut lens = Vec::with_capacity(fields.0.len() / 8);
        while fields.0.len() >= 12 {
            lens.push(fields.u64()?);
        }
        Some(Record { height, hash, parent, lens, data_crc: fields.u32()? })
    }
}

fn own_crc(place: u64, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&place.to_le_bytes());
    crc.update(body);
    crc.finalize()
}

/// The file of records. It is read with read(2), never mapped, so unwinding may cut it.
#[derive(Debug)]
pub struct CommitLog {
    path: PathBuf,
    file: Option<File>,
    columns: usize,
    count: u64,
}

impl CommitLog {
    /// Opens the log; whole records are counted, a torn one behind them is not there.
    pub fn open(path: &Path, columns: usize, write: bool) -> Result<CommitLog> {
        let file = match OpenOptions::new().read(true).write(write).create(write).truncate(false).open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(path)(error)),
        };
        let mut log = CommitLog { path: path.to_owned(), file, columns, count: 0 };
        log.read_header(write)?;
        Ok(log)
    }

    fn read_header(&mut self, write: bool) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let len = file.metadata().map_err(io(&self.path))?.len();
        if len < HEADER {
            if write {
                let mut header = MAGIC.to_vec();
                header.extend_from_slice(&(self.columns as u64).to_le_bytes());
                file.write_all_at(&header, 0).and_then(|()| file.sync_data()).map_err(io(&self.path))?;
            }
            return Ok(());
        }
        let mut header = [0; HEADER as usize];
        file.read_exact_at(&mut header, 0).map_err(io(&self.path))?;
        let mut fields = Fields(&header);
        if fields.take(8) != Some(MAGIC) || fields.u64() != Some(self.columns as u64) {
            return Err(format(&self.path, "is not a commit log of this version"));
        }
        self.count = (len - HEADER) / Record::size(self.columns);
        Ok(())
    }

    /// How many records there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Record `place`, or `None` when it is not there or its CRC says it is damaged.
    pub fn record(&self, place: u64) -> Result<Option<Record>> {
        let Some(file) = self.file.as_ref().filter(|_| place < self.count) else { return Ok(None) };
        let size = Record::size(self.columns);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        file.read_exact_at(&mut bytes, HEADER + place * size).map_err(io(&self.path))?;
        Ok(Record::decode(place, &bytes))
    }

    /// Place and record of the block at `height`, by halving.
    pub fn find(&self, height: u64) -> Result<Option<(u64, Record)>> {
        let at = self.lower_bound(|record| record.height < height)?;
        Ok(self.record(at)?.filter(|record| record.height == height).map(|record| (at, record)))
    }

    /// The first place whose record is not `before`; damaged records count as behind.
    pub fn lower_bound(&self, before: impl Fn(&Record) -> bool) -> Result<u64> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.record(middle)? {
                Some(record) if before(&record) => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Forgets the records from `count` on, in memory alone: they will be written over.
    pub fn ignore_from(&mut self, count: u64) {
        self.count = self.count.min(count);
    }

    /// Appends records and makes them durable. The columns' bytes must be durable before.
    pub fn append(&mut self, records: &[Record]) -> Result<()> {
        let file = self.file.as_ref().ok_or_else(|| Error::ReadOnly(self.path.clone()))?;
        let mut bytes = Vec::new();
        for (place, record) in (self.count..).zip(records) {
            record.encode(place, &mut bytes);
        }
        let from = HEADER + self.count * Record::size(self.columns);
        file.write_all_at(&bytes, from).and_then(|()| file.sync_data()).map_err(io(&self.path))?;
        self.count += records.len() as u64;
        Ok(())
    }

    /// Cuts the log to `count` records and makes that durable.
    pub fn cut(&mut self, count: u64) -> Result<()> {
        let file = self.file.as_ref().ok_or_else(|| Error::ReadOnly(self.path.clone()))?;
        let len = HEADER + count.min(self.count) * Record::size(self.columns);
        file.set_len(len).and_then(|()| file.sync_all()).map_err(io(&self.path))?;
        self.count = self.count.min(count);
        Ok(())
    }
}
