//! A file of histories: rows by (account, asset, transfer), where each account and asset begins, and fences; never changed.
use super::step::{Step, Widths};
use crate::columns::bytes::{Fields, uint};
use crate::columns::column::map;
use crate::columns::reading::halve;
use crate::columns::{Holding, Result, format, io};
use memmap2::Mmap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"EYEHST\0\x01";
/// Magic, pieces, rows, bytes of the rows, CRC of all before it, its own CRC.
const FOOTER: u64 = 8 + 8 + 8 + 8 + 4 + 4;
/// An entry of the directory: account and asset (7 bytes), widths, where its rows begin.
const ENTRY: u64 = 12;
/// So many entries stand between two fences.
const FENCE: u64 = 64;
/// Rows wait in memory until there are so many bytes of them.
const BUFFER: usize = 1 << 20;

/// An account and an asset as one number that sorts as they do.
pub fn key(account: u32, asset: u32) -> u64 {
    (u64::from(account) << 24) | u64::from(asset & 0xff_ffff)
}

/// The account of a key.
pub fn account_of(key: u64) -> u32 {
    u32::try_from(key >> 24).unwrap_or(u32::MAX)
}

/// The asset of a key.
pub fn asset_of(key: u64) -> u32 {
    u32::try_from(key & 0xff_ffff).unwrap_or(0)
}

/// Rows of one account and asset that stand together.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    rows: &'a [u8],
    widths: Widths,
}

impl Piece<'_> {
    /// How many rows.
    pub fn len(&self) -> u64 {
        (self.rows.len() / self.widths.row()) as u64
    }

    /// A row.
    #[inline]
    pub fn step(&self, row: u64) -> Option<Step> {
        let from = usize::try_from(row).ok()?.checked_mul(self.widths.row())?;
        self.widths.read(self.rows.get(from..from.checked_add(self.widths.row())?)?)
    }

    /// The rows of the transfers before `end` alone.
    #[must_use]
    pub fn before(self, end: u64) -> Self {
        let whole = self.len().checked_sub(1).and_then(|last| self.step(last)).is_some_and(|last| last.transfer < end);
        if whole {
            return self;
        }
        let keep = halve(self.len(), |row| self.step(row).is_some_and(|step| step.transfer < end));
        let bytes = usize::try_from(keep).unwrap_or(0) * self.widths.row();
        Piece { rows: self.rows.get(..bytes).unwrap_or_default(), widths: self.widths }
    }
}

/// An open file.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    map: Mmap,
    pieces: u64,
    rows: u64,
    body: u64,
    crc: u32,
}

impl Run {
    /// Opens a file; its length must be what its footer says.
    pub fn open(path: &Path) -> Result<Run> {
        let torn = || format(path, "is damaged; it will be built anew by the next load");
        let file = File::open(path).map_err(io(path))?;
        let len = file.metadata().map_err(io(path))?.len();
        let footer_at = len.checked_sub(FOOTER).ok_or_else(torn)?;
        let map = map(&file, len, path)?;
        let footer = usize::try_from(footer_at).ok().and_then(|at| map.get(at..)).ok_or_else(torn)?;
        let (body, own) = footer.split_last_chunk::<4>().ok_or_else(torn)?;
        let mut fields = Fields(body);
        if crc32fast::hash(body) != u32::from_le_bytes(*own) || fields.take(8) != Some(MAGIC) {
            return Err(torn());
        }
        let mut next = || fields.u64().ok_or_else(torn);
        let (pieces, rows, body) = (next()?, next()?, next()?);
        let crc = fields.u32().ok_or_else(torn)?;
        let parts = pieces.checked_mul(ENTRY).zip(pieces.div_ceil(FENCE).checked_mul(8));
        let whole = parts.and_then(|(entries, fences)| body.checked_add(entries)?.checked_add(fences));
        if whole != Some(footer_at) {
            return Err(torn());
        }
        Ok(Run { path: path.to_owned(), map, pieces, rows, body, crc })
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// The least key.
    pub fn first(&self) -> u64 {
        self.fence(0).unwrap_or(u64::MAX)
    }

    /// Reads every byte and compares the CRC.
    pub fn verify(&self) -> Result<()> {
        let bytes = self.map.get(..self.map.len().saturating_sub(8)).unwrap_or_default();
        // The footer's fields stand before its two sums, and in both.
        let (body, footer) = bytes.split_at(bytes.len().saturating_sub(32));
        match crc32fast::hash(body) == self.crc && footer.len() == 32 {
            true => Ok(()),
            false => Err(format(&self.path, "is not what was written: its checksum differs; remove it and load again")),
        }
    }

    fn number(&self, at: u64, width: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        self.map.get(at..at.checked_add(width)?).map(uint)
    }

    fn fence(&self, place: u64) -> Option<u64> {
        let inside = place < self.pieces.div_ceil(FENCE);
        self.number(self.body + self.pieces * ENTRY + 8 * place, 8).filter(|_| inside)
    }

    /// The key of an entry.
    #[inline]
    fn key(&self, place: u64) -> Option<u64> {
        let inside = place < self.pieces;
        self.number(self.body + place * ENTRY, 7).filter(|_| inside)
    }

    /// The first entry whose key is not below `key`.
    fn lower_bound(&self, key: u64) -> u64 {
        let fences = self.pieces.div_ceil(FENCE);
        let after = halve(fences, |place| self.fence(place).is_some_and(|fence| fence < key));
        let from = after.saturating_sub(1) * FENCE;
        let count = self.pieces.min(after * FENCE).saturating_sub(from);
        from + halve(count, |place| self.key(from + place).is_some_and(|have| have < key))
    }

    /// Key and rows of an entry.
    fn entry(&self, place: u64) -> Option<(u64, Piece<'_>)> {
        let at = |place| self.number(self.body + place * ENTRY + 8, 4);
        let (key, from) = (self.key(place)?, at(place)?);
        let to = if place + 1 < self.pieces { at(place + 1)? } else { self.body };
        let widths = Widths::of_byte(u8::try_from(self.number(self.body + place * ENTRY + 7, 1)?).ok()?);
        let rows = self.map.get(usize::try_from(from).ok()?..usize::try_from(to.min(self.body)).ok()?)?;
        Some((key, Piece { rows, widths }))
    }

    /// The pieces from the first whose key is not below `key` on, by key.
    pub fn from(&self, key: u64) -> impl Iterator<Item = (u64, Piece<'_>)> {
        (self.lower_bound(key)..self.pieces).map_while(|place| self.entry(place))
    }
}

/// Writes one file, from its first key to its last. Memory grows with its keys, not with its rows.
pub struct Writer {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    written: u64,
    directory: Vec<u8>,
    fences: Vec<u8>,
    crc: crc32fast::Hasher,
    rows: u64,
}

impl Writer {
    /// Begins a file.
    pub fn new(path: &Path) -> Result<Writer> {
        let file = File::create(path).map_err(io(path))?;
        Ok(Writer {
            path: path.to_owned(),
            file,
            buffer: Vec::with_capacity(BUFFER + BUFFER / 4),
            written: 0,
            directory: Vec::new(),
            fences: Vec::new(),
            crc: crc32fast::Hasher::new(),
            rows: 0,
        })
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Begins a piece; its key is not below the last one's.
    pub fn begin(&mut self, key: u64, widths: Widths) -> Result<()> {
        if (self.directory.len() as u64 / ENTRY).is_multiple_of(FENCE) {
            self.fences.extend_from_slice(&key.to_le_bytes());
        }
        let at = u32::try_from(self.written + self.buffer.len() as u64)
            .map_err(|_| format(&self.path, "has more than 4 GiB of rows"))?;
        let key_and_widths = (key & ((1 << 56) - 1)) | (u64::from(widths.byte()) << 56);
        self.directory.extend_from_slice(&key_and_widths.to_le_bytes());
        self.directory.extend_from_slice(&at.to_le_bytes());
        Ok(())
    }

    /// Adds a row to the piece.
    #[inline]
    pub fn row(&mut self, head: u64, after: &Holding, widths: Widths) -> Result<()> {
        widths.put(head, after, &mut self.buffer);
        self.rows += 1;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.crc.update(&self.buffer);
        self.file.write_all(&self.buffer).map_err(io(&self.path))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the file and makes it durable.
    pub fn finish(mut self) -> Result<Run> {
        self.flush()?;
        let (body, pieces) = (self.written, self.directory.len() as u64 / ENTRY);
        for part in [std::mem::take(&mut self.directory), std::mem::take(&mut self.fences)] {
            self.buffer = part;
            self.flush()?;
        }
        let mut footer = MAGIC.to_vec();
        [pieces, self.rows, body].iter().for_each(|number| footer.extend_from_slice(&number.to_le_bytes()));
        footer.extend_from_slice(&self.crc.clone().finalize().to_le_bytes());
        let own = crc32fast::hash(&footer);
        footer.extend_from_slice(&own.to_le_bytes());
        self.file.write_all(&footer).and_then(|()| self.file.sync_data()).map_err(io(&self.path))?;
        Run::open(&self.path)
    }
}
