//! The columns of one chain, its commit log and the lock of its one writer.
use super::bytes::{Fields, replace, sync_folder};
use super::log::{CommitLog, Record};
use super::{Column, Error, Result, format, io};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"EYEMONEY";
/// At most so many blocks stand in one commit; so many records are checked when a chain is opened.
const BATCH_BLOCKS: usize = 4096;
/// A commit is due once so many bytes wait.
const BATCH_BYTES: u64 = 32 << 20;

/// Which rows a chain has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Outputs that inputs spend: Bitcoin's family.
    Utxo,
    /// Transfers between accounts: Ethereum's family, banks, exchanges.
    Accounts,
}

/// One column of a layout.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// Name, which is the file's name without `.col`.
    pub name: &'static str,
    /// Bytes of a row.
    pub width: u64,
}

/// The columns of a model, in the order in which commit records list them.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The model these columns serve.
    pub model: Model,
    /// Version of everything in such a chain's folder; another is refused, never guessed at.
    pub version: u32,
    /// The columns.
    pub columns: &'static [ColumnSpec],
}

/// How a chain is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Beside a writer; sees the blocks that were committed at this moment.
    Read,
    /// The one writer; makes the folder when it is not there.
    Write,
}

/// Where a chain ends: height, hash, parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Height of the last block.
    pub height: u64,
    /// Its hash, in the order it is displayed.
    pub hash: [u8; 32],
    /// The hash of the block before.
    pub parent: [u8; 32],
}

impl From<&Record> for Head {
    fn from(record: &Record) -> Head {
        Head { height: record.height, hash: record.hash, parent: record.parent }
    }
}

/// The columns of one chain up to their head.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    mode: Mode,
    columns: Vec<Column>,
    log: CommitLog,
    pending: Vec<Record>,
    head: Option<Record>,
    key: [u8; 16],
    unwound: u64,
    fresh: usize,
    _lock: Option<File>,
}

impl Store {
    /// Opens the chain in `dir` at its last complete block.
    pub fn open(dir: &Path, layout: &Layout, mode: Mode) -> Result<Store> {
        let lock = if mode == Mode::Write { Some(take_lock(dir)?) } else { None };
        let key = identity(dir, layout, mode)?;
        let write = mode == Mode::Write;
        let mut log = CommitLog::open(&dir.join("commits"), layout.columns.len(), write)?;
        let paths: Vec<_> = layout.columns.iter().map(|column| dir.join(format!("{}.col", column.name))).collect();
        let (count, head) = last_complete(&log, &paths)?;
        if write && count < log.count() {
            log.cut(count)?;
        }
        log.ignore_from(count);
        let columns = layout
            .columns
            .iter()
            .zip(&paths)
            .enumerate()
            .map(|(i, (spec, path))| {
                let len = head.as_ref().and_then(|head| head.lens.get(i)).copied().unwrap_or(0);
                Column::open(path, spec.width, len, write)
            })
            .collect::<Result<Vec<_>>>()?;
        if write {
            sync_folder(dir)?;
        }
        let unwound = Column::file_len(&dir.join("unwinds"))?;
        Ok(Store {
            dir: dir.into(),
            mode,
            columns,
            log,
            pending: Vec::new(),
            head,
            key,
            unwound,
            fresh: super::dictionary::FRESH,
            _lock: lock,
        })
    }

    /// Sets how many entries of a dictionary wait in memory before they become a run.
    #[must_use]
    pub fn with_fresh(self, fresh: usize) -> Store {
        Store { fresh: fresh.max(1), ..self }
    }

    pub(super) fn fresh(&self) -> usize {
        self.fresh
    }

    /// So many transfers may be behind the histories and are read from the columns instead.
    pub(super) fn fresh_transfers(&self) -> u64 {
        (self.fresh as u64 / 16).max(1)
    }

    /// The chain's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The chain's name: its folder's.
    pub fn code(&self) -> String {
        self.dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether this is the writer.
    pub fn writes(&self) -> bool {
        self.mode == Mode::Write
    }

    /// The secret that this chain's dictionaries hash with, so that nobody can choose addresses that collide.
    pub fn key(&self) -> &[u8; 16] {
        &self.key
    }

    /// The last block, committed or waiting.
    pub fn head(&self) -> Option<Head> {
        self.head.as_ref().map(Head::from)
    }

    /// How many blocks there are, those that wait included.
    pub fn blocks(&self) -> u64 {
        self.log.count() + self.pending.len() as u64
    }

    /// The commit log, up to what is durable.
    pub fn log(&self) -> &CommitLog {
        &self.log
    }

    /// Record `place`, durable or waiting.
    pub fn record(&self, place: u64) -> Result<Option<Record>> {
        match place.checked_sub(self.log.count()) {
            None => self.log.record(place),
            Some(waiting) => Ok(usize::try_from(waiting).ok().and_then(|i| self.pending.get(i)).cloned()),
        }
    }

    /// The block at `height`, durable or waiting.
    pub fn at_height(&self, height: u64) -> Result<Option<(u64, Record)>> {
        if let Some((i, record)) = self.pending.iter().enumerate().find(|(_, record)| record.height == height) {
            return Ok(Some((self.log.count() + i as u64, record.clone())));
        }
        self.log.find(height)
    }

    /// A column by its place in the layout.
    #[inline]
    pub fn column(&self, i: usize) -> Option<&Column> {
        self.columns.get(i)
    }

    /// How many rows a column has.
    #[inline]
    pub fn rows(&self, i: usize) -> u64 {
        self.columns.get(i).map_or(0, Column::rows)
    }

    /// A row as a number.
    #[inline]
    pub fn uint(&self, i: usize, row: u64) -> Option<u64> {
        self.columns.get(i)?.uint(row)
    }

    /// A row's bytes.
    #[inline]
    pub fn row(&self, i: usize, row: u64) -> Option<&[u8]> {
        self.columns.get(i)?.row(row)
    }

    /// Appends to a column; the row counts once [`Store::end_block`] and [`Store::commit`] have said so.
    #[inline]
    pub fn push(&mut self, i: usize, row: &[u8]) {
        if let Some(column) = self.columns.get_mut(i) {
            column.push(row);
        }
    }

    /// Rows that `column` had after block `place` (all blocks up to and with it).
    pub fn rows_after(&self, place: u64, i: usize) -> Result<Option<u64>> {
        let width = self.columns.get(i).map_or(1, Column::width);
        Ok(self.record(place)?.and_then(|record| record.lens.get(i).map(|len| len / width)))
    }

    /// Closes a block over all that was pushed since the last one. Heights must rise; `parent` must be the head's hash.
    pub fn end_block(&mut self, head: Head) -> Result<()> {
        if let Some(last) = &self.head
            && (head.height <= last.height || head.parent != last.hash)
        {
            return Err(Error::NotNext { height: head.height, hash: head.hash, head: (last.height, last.hash) });
        }
        let mut crc = crc32fast::Hasher::new();
        let mut lens = Vec::with_capacity(self.columns.len());
        for (i, column) in self.columns.iter().enumerate() {
            let from = self.head.as_ref().and_then(|last| last.lens.get(i)).copied().unwrap_or(0);
            crc.update(column.bytes(from, column.len() - from).unwrap_or_default());
            lens.push(column.len());
        }
        let record =
            Record { height: head.height, hash: head.hash, parent: head.parent, lens, data_crc: crc.finalize() };
        self.head = Some(record.clone());
        self.pending.push(record);
        Ok(())
    }

    /// Takes back what was pushed since the last [`Store::end_block`].
    pub fn abandon_block(&mut self) {
        for (i, column) in self.columns.iter_mut().enumerate() {
            column.take_back(self.head.as_ref().and_then(|head| head.lens.get(i)).copied().unwrap_or(0));
        }
    }

    /// Whether so much waits that a commit is due.
    pub fn commit_due(&self) -> bool {
        let committed = |i: usize| self.columns.get(i).map_or(0, |column| column.tail().len() as u64);
        self.pending.len() >= BATCH_BLOCKS || (0..self.columns.len()).map(committed).sum::<u64>() >= BATCH_BYTES
    }

    /// Makes the columns' bytes durable: the first half of a commit. [`Store::record_commit`] is the second.
    pub fn flush(&mut self) -> Result<()> {
        if !self.writes() {
            return Err(Error::ReadOnly(self.dir.clone()));
        }
        self.columns.iter_mut().try_for_each(Column::flush)?;
        self.columns.iter_mut().try_for_each(Column::sync)
    }

    /// Writes the waiting records, durably, behind bytes that are durable already.
    pub fn record_commit(&mut self) -> Result<()> {
        self.log.append(&self.pending)?;
        self.pending.clear();
        self.columns.iter_mut().try_for_each(Column::settle)
    }

    /// Makes every closed block durable.
    pub fn commit(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.flush()?;
        self.record_commit()
    }

    /// Maps every committed row, so that each column is one piece.
    pub fn map_all(&mut self) -> Result<()> {
        self.columns.iter_mut().try_for_each(|column| column.remap(column.len()))
    }

    /// Goes back so that the block at `height` is the last. What is derived must have been lowered before.
    pub fn unwind(&mut self, height: u64) -> Result<Head> {
        self.abandon_block();
        self.commit()?;
        let (place, record) = self.log.find(height)?.ok_or(Error::NoSuchHeight(height))?;
        let Some(last) = self.head.take() else { return Err(Error::NoSuchHeight(height)) };
        self.journal(&last, &record)?;
        self.log.cut(place + 1)?;
        for (column, len) in self.columns.iter_mut().zip(&record.lens) {
            column.remap(*len)?;
        }
        let head = Head::from(&record);
        self.head = Some(record);
        Ok(head)
    }

    /// What was unwound, from which block to which: a reader sees by its growth that its rows may have changed.
    fn journal(&mut self, from: &Record, to: &Record) -> Result<()> {
        let path = self.dir.join("unwinds");
        let mut file = File::options().append(true).create(true).open(&path).map_err(io(&path))?;
        let mut line = Vec::with_capacity(80);
        for record in [from, to] {
            line.extend_from_slice(&record.height.to_le_bytes());
            line.extend_from_slice(&record.hash);
        }
        file.write_all(&line).and_then(|()| file.sync_all()).map_err(io(&path))?;
        self.unwound += line.len() as u64;
        Ok(())
    }

    /// Whether blocks that this reader saw were unwound since it opened: then open again.
    pub fn outdated(&self) -> Result<bool> {
        Ok(Column::file_len(&self.dir.join("unwinds"))? != self.unwound)
    }

    /// Reads every committed byte and compares the CRC of each block. Returns how many blocks were read.
    pub fn verify(&self) -> Result<u64> {
        let mut before = vec![0; self.columns.len()];
        for place in 0..self.log.count() {
            let damaged = || format(&self.dir, format!("record {place} of the commit log is damaged"));
            let record = self.log.record(place)?.ok_or_else(damaged)?;
            let mut crc = crc32fast::Hasher::new();
            for ((column, from), to) in self.columns.iter().zip(&before).zip(&record.lens) {
                read_range(column, *from, *to, &mut crc)?;
            }
            if crc.finalize() != record.data_crc {
                let why = format!("block {} is not what was written: its checksum differs", record.height);
                return Err(format(&self.dir, why));
            }
            before = record.lens;
        }
        Ok(self.log.count())
    }
}

/// Feeds bytes of a column, which may stand on both sides of its mapped head.
fn read_range(column: &Column, from: u64, to: u64, crc: &mut crc32fast::Hasher) -> Result<()> {
    let mapped = column.mapped().len() as u64;
    let middle = to.min(mapped).max(from);
    for (from, to) in [(from, middle), (middle, to)] {
        if from < to {
            let short = || format(column.path(), format!("has no bytes {from}..{to}"));
            crc.update(column.bytes(from, to - from).ok_or_else(short)?);
        }
    }
    Ok(())
}

/// How many records lead to the last block whose bytes are all there, and that block's record.
fn last_complete(log: &CommitLog, paths: &[PathBuf]) -> Result<(u64, Option<Record>)> {
    let have = paths.iter().map(|path| Column::file_len(path)).collect::<Result<Vec<_>>>()?;
    let mut count = log.count();
    for place in log.count().saturating_sub(BATCH_BLOCKS as u64)..log.count() {
        if log.record(place)?.is_none() {
            count = place;
            break;
        }
    }
    let fits = |record: &Record| record.lens.iter().zip(&have).all(|(need, have)| need <= have);
    let mut whole = log.lower_bound(fits)?.min(count);
    while let Some(place) = whole.checked_sub(1) {
        let before = match place.checked_sub(1) {
            Some(before) => log.record(before)?.map(|record| record.lens),
            None => Some(vec![0; paths.len()]),
        };
        if let (Some(record), Some(before)) = (log.record(place)?, before)
            && block_crc(paths, &before, &record.lens)? == record.data_crc
        {
            return Ok((whole, Some(record)));
        }
        whole = place;
    }
    Ok((0, None))
}

/// CRC of the bytes that one block added, read from the files.
fn block_crc(paths: &[PathBuf], before: &[u64], after: &[u64]) -> Result<u32> {
    use std::os::unix::fs::FileExt;
    let mut crc = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    for ((path, from), to) in paths.iter().zip(before).zip(after) {
        if from >= to {
            continue;
        }
        let file = File::open(path).map_err(io(path))?;
        let mut at = *from;
        while at < *to {
            let n = usize::try_from(to - at).unwrap_or(usize::MAX).min(buffer.len());
            let Some(part) = buffer.get_mut(..n) else { break };
            file.read_exact_at(part, at).map_err(io(path))?;
            crc.update(part);
            at += n as u64;
        }
    }
    Ok(crc.finalize())
}

/// The lock of a folder's one writer, with the number of the process that holds it in the file.
pub(crate) fn take_lock(dir: &Path) -> Result<File> {
    // Bank legs are personal: nobody but the node's own user looks in.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io(dir))?;
    let path = dir.join("lock");
    // Not truncated: until the lock is ours, the number in it is somebody else's.
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(io(&path))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(io(&path))?;
            Ok(file)
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.take(16).read_to_string(&mut text);
            Err(Error::Busy { dir: dir.to_owned(), pid: read.ok().and_then(|_| text.parse().ok()) })
        }
        Err(std::fs::TryLockError::Error(error)) => Err(io(&path)(error)),
    }
}

/// Reads `meta`, or writes it for a new chain: magic, version, model, the dictionaries' key, the layout, CRC.
fn identity(dir: &Path, layout: &Layout, mode: Mode) -> Result<[u8; 16]> {
    let path = dir.join("meta");
    match std::fs::read(&path) {
        Ok(bytes) => read_identity(&path, &bytes, layout),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && mode == Mode::Write => {
            let mut key = [0; 16];
            getrandom::fill(&mut key).map_err(|error| format(&path, format!("no randomness: {error}")))?;
            replace(&path, &write_identity(layout, &key))?;
            Ok(key)
        }
        Err(error) => Err(io(&path)(error)),
    }
}

fn write_identity(layout: &Layout, key: &[u8; 16]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&layout.version.to_le_bytes());
    bytes.extend_from_slice(&(layout.model as u32).to_le_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(described(layout).as_bytes());
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// The layout in words, `name:width`, so that a file says of itself what it holds.
fn described(layout: &Layout) -> String {
    layout.columns.iter().map(|column| format!("{}:{}\n", column.name, column.width)).collect()
}

fn read_identity(path: &Path, bytes: &[u8], layout: &Layout) -> Result<[u8; 16]> {
    let torn = || format(path, "is damaged; restore it from a backup");
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or_else(torn)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return Err(torn());
    }
    let mut fields = Fields(body);
    let (magic, version) = (fields.take(8).ok_or_else(torn)?, fields.u32().ok_or_else(torn)?);
    let (model, key) = (fields.u32().ok_or_else(torn)?, fields.array().ok_or_else(torn)?);
    let same_model = model == layout.model as u32;
    if magic != MAGIC || (same_model && version != layout.version) {
        let why = format!(
            "is of version {version}; this program reads {}: move the chain's folder away and load it again",
            layout.version
        );
        return Err(format(path, why));
    }
    if !same_model || fields.0 != described(layout).as_bytes() {
        return Err(format(path, "holds another kind of chain"));
    }
    Ok(key)
}
