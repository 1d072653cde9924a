//! One column: rows of one width in one file, written with write(2) behind the head, read by mmap up to it.
use super::bytes::uint;
use super::{Result, format, io};
use memmap2::Mmap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that may wait in memory behind the mapped part before it is mapped anew.
const REMAP: usize = 4 << 20;

/// An append-only file of rows of `width` bytes.
///
/// Rows below the head are mapped; rows behind it wait in memory until [`Column::flush`]. The file never gets shorter: what a
/// crash or an unwinding leaves behind the head is written over, so a reader's map stays whole.
#[derive(Debug)]
pub struct Column {
    path: PathBuf,
    width: u64,
    file: Option<File>,
    map: Option<Mmap>,
    mapped: u64,
    tail: Vec<u8>,
    written: usize,
    synced: bool,
}

impl Column {
    /// Opens `path` with `len` bytes below the head; with `write`, makes it when it is not there.
    pub fn open(path: &Path, width: u64, len: u64, write: bool) -> Result<Column> {
        let file = match OpenOptions::new().read(true).write(write).create(write).truncate(false).open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && len == 0 && !write => None,
            Err(error) => return Err(io(path)(error)),
        };
        let mut column = Column {
            path: path.to_owned(),
            width,
            file,
            map: None,
            mapped: 0,
            tail: Vec::new(),
            written: 0,
            synced: true,
        };
        column.remap(len)?;
        Ok(column)
    }

    /// Bytes in the file on disk, which may be more than the head's.
    pub fn file_len(path: &Path) -> Result<u64> {
        match std::fs::metadata(path) {
            Ok(meta) => Ok(meta.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(io(path)(error)),
        }
    }

    /// Bytes of a row.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Bytes up to the last row, those in memory included.
    pub fn len(&self) -> u64 {
        self.mapped + self.tail.len() as u64
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows there are.
    #[inline]
    pub fn rows(&self) -> u64 {
        self.len() / self.width
    }

    /// The bytes `from..from + n`, when they stand in one piece on one side of the mapped head; rows always do.
    #[inline]
    pub fn bytes(&self, from: u64, n: u64) -> Option<&[u8]> {
        if from >= self.mapped {
            let at = usize::try_from(from - self.mapped).ok()?;
            return self.tail.get(at..at.checked_add(usize::try_from(n).ok()?)?);
        }
        let at = usize::try_from(from).ok()?;
        self.map.as_deref()?.get(at..at.checked_add(usize::try_from(n).ok()?)?)
    }

    /// A row's bytes.
    #[inline]
    pub fn row(&self, row: u64) -> Option<&[u8]> {
        self.bytes(row.checked_mul(self.width)?, self.width)
    }

    /// A row of up to 8 bytes as a number.
    #[inline]
    pub fn uint(&self, row: u64) -> Option<u64> {
        self.row(row).map(uint)
    }

    /// The committed rows in one piece: what a scan of the whole column reads.
    pub fn mapped(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    /// The rows behind [`Column::mapped`].
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Appends one row (or several; the caller keeps to the width).
    #[inline]
    pub fn push(&mut self, row: &[u8]) {
        self.tail.extend_from_slice(row);
    }

    /// Takes back what was pushed behind `len` and not yet flushed.
    pub fn take_back(&mut self, len: u64) {
        let keep = usize::try_from(len.saturating_sub(self.mapped)).unwrap_or(usize::MAX);
        self.tail.truncate(keep);
        self.written = self.written.min(self.tail.len());
    }

    /// Writes what waits in memory, with write(2); [`Column::sync`] makes it durable.
    pub fn flush(&mut self) -> Result<()> {
        let Some(waiting) = self.tail.get(self.written..).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        let file = self.file.as_ref().ok_or_else(|| super::Error::ReadOnly(self.path.clone()))?;
        file.write_all_at(waiting, self.mapped + self.written as u64).map_err(io(&self.path))?;
        self.written = self.tail.len();
        self.synced = false;
        Ok(())
    }

    /// fdatasync, when something was written since the last one.
    pub fn sync(&mut self) -> Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| !self.synced) {
            file.sync_data().map_err(io(&self.path))?;
        }
        self.synced = true;
        Ok(())
    }

    /// Maps what was flushed, once enough waits to be worth it.
    pub fn settle(&mut self) -> Result<()> {
        if self.written == self.tail.len() && self.tail.len() >= REMAP {
            self.remap(self.len())?;
        }
        Ok(())
    }

    /// Sets the head to `len` bytes, all of which stand in the file.
    pub fn remap(&mut self, len: u64) -> Result<()> {
        self.tail.clear();
        self.tail.shrink_to(REMAP);
        self.written = 0;
        self.map = match &self.file {
            Some(file) if len > 0 => Some(map(file, len, &self.path)?),
            _ => None,
        };
        self.mapped = len;
        Ok(())
    }

    /// Opens a second pair of eyes on the file, for writing in its middle ([`super::Spent`] alone).
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// Something was written past [`Column::flush`].
    pub(super) fn touched(&mut self) {
        self.synced = false;
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Maps the first `len` bytes of a file.
#[allow(unsafe_code)] // mmap is how columns of hundreds of gigabytes are read without holding them
pub(crate) fn map(file: &File, len: u64, path: &Path) -> Result<Mmap> {
    let have = file.metadata().map_err(io(path))?.len();
    if have < len {
        return Err(format(path, format!("has {have} bytes where the head needs {len}")));
    }
    let len = usize::try_from(len).map_err(|_| format(path, "longer than this machine can map"))?;
    // SAFETY: the bytes stand in the file (checked above) and no file of this format is ever made shorter, so no read can
    // meet a page that is gone. Two things change under a map: `out.spent`, whose every answer is checked against the inputs,
    // and, for a reader beside a writer who unwinds, the rows of the blocks that are gone (`Store::outdated` says so). Each
    // value is copied out as a plain number, for which any bits will do, and every lookup is checked against the lengths.
    // Batches of tags are written once, before they are mapped, and only ever unlinked.
    unsafe { memmap2::MmapOptions::new().len(len).map(file) }.map_err(io(path))
}
