//! Files of blocks: raw ones, Bitcoin Core's `blk*.dat` and, beside them, `rev*.dat`; all may be obfuscated with `xor.dat`.
//!
//! A first pass reads headers alone; blocks are read one at a time, when their turn comes.
use super::decode::{HEADER, Header};
use super::undo::{parse_undo, undo_txs};
use super::{Error, Family, Network, Result, Undo, io};
use crate::hash::{reversed, sha256d};
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// More blocks than any chain of this kind will have for decades; it bounds the memory of the first pass.
const MAX_BLOCKS: usize = 4 << 20;
/// Undo data of the largest block stay below this.
const MAX_UNDO: u64 = 64 << 20;
/// So many indexes of undo files are kept.
const UNDO_FILES: usize = 8;

/// A block in a file.
#[derive(Debug, Clone)]
pub struct Entry {
    pub header: Header,
    pub file: usize,
    pub offset: u64,
    pub len: u64,
}

/// The files of a source and where their blocks stand.
#[derive(Debug)]
pub struct BlockFiles {
    network: Network,
    files: Vec<Source>,
    pub entries: Vec<Entry>,
    /// What kept a file from being read to its end.
    pub faults: Vec<Error>,
    undo: VecDeque<(usize, UndoFile)>,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    file: File,
    key: Key,
}

/// The eight bytes that obfuscate a file (`xor.dat`), by offset.
#[derive(Debug, Clone, Copy, Default)]
struct Key([u8; 8]);

impl Key {
    /// The key that stands beside `path`, or none.
    fn beside(path: &Path) -> Result<Key> {
        let path = path.with_file_name("xor.dat");
        match std::fs::read(&path) {
            Ok(bytes) => bytes.try_into().map(Key).map_err(|_| Error::Block {
                path,
                offset: 0,
                block: None,
                tx: None,
                why: "a key has 8 bytes".into(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Key::default()),
            Err(error) => Err(io(&path)(error)),
        }
    }

    fn apply(self, bytes: &mut [u8], offset: u64) {
        if self.0 == [0; 8] {
            return;
        }
        let start = usize::try_from(offset % 8).unwrap_or(0);
        bytes.iter_mut().zip(self.0.iter().cycle().skip(start)).for_each(|(byte, key)| *byte ^= key);
    }
}

impl Source {
    fn open(path: &Path) -> Result<Source> {
        Ok(Source { path: path.to_owned(), file: File::open(path).map_err(io(path))?, key: Key::beside(path)? })
    }

    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(io(&self.path))?.len())
    }

    fn read(&self, offset: u64, len: u64, into: &mut Vec<u8>) -> Result<()> {
        into.resize(usize::try_from(len).unwrap_or(0), 0);
        self.file.read_exact_at(into, offset).map_err(io(&self.path))?;
        self.key.apply(into, offset);
        Ok(())
    }

    fn fault(&self, offset: u64, why: impl Into<String>) -> Error {
        Error::Block { path: self.path.clone(), offset, block: None, tx: None, why: why.into() }
    }

    /// Whether nothing but zeros follows, as Core leaves it at the end of a file that it made room in.
    fn blank_from(&self, mut offset: u64, len: u64) -> Result<bool> {
        let mut bytes = vec![0; 1 << 16];
        while offset < len {
            let n = usize::try_from(len - offset).unwrap_or(usize::MAX).min(bytes.len());
            let part = bytes.get_mut(..n).unwrap_or_default();
            self.file.read_exact_at(part, offset).map_err(io(&self.path))?;
            if part.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            offset += n as u64;
        }
        Ok(true)
    }

    /// The next record after magic and length: where its bytes begin and how many they are; `None` at the end.
    fn record(&self, at: u64, len: u64, network: Network, trailer: u64, limit: u64) -> Result<Option<(u64, u64)>> {
        if at >= len || self.blank_head(at, len)? {
            return Ok(None);
        }
        let broken = || self.fault(at, "breaks off within a record; was the file copied while the node wrote to it?");
        if len - at < 8 {
            return Err(broken());
        }
        let mut head = Vec::with_capacity(8);
        self.read(at, 8, &mut head)?;
        let (magic, size) = head.split_first_chunk::<4>().ok_or_else(broken)?;
        if *magic != network.magic() {
            return Err(self.fault(at, wrong_magic(*magic, network)));
        }
        let size = u64::from(size.try_into().map(u32::from_le_bytes).unwrap_or(0));
        if size > limit {
            return Err(self.fault(at, format!("says that {size} bytes follow, more than there can be")));
        }
        if at + 8 + size + trailer > len {
            return Err(broken());
        }
        Ok(Some((at + 8, size)))
    }

    /// Whether eight zero bytes stand here and nothing but zeros to the end.
    fn blank_head(&self, at: u64, len: u64) -> Result<bool> {
        let mut head = [0; 8];
        let n = usize::try_from(len - at).unwrap_or(8).min(8);
        let part = head.get_mut(..n).unwrap_or_default();
        self.file.read_exact_at(part, at).map_err(io(&self.path))?;
        Ok(head == [0; 8] && self.blank_from(at, len)?)
    }
}

fn wrong_magic(magic: [u8; 4], network: Network) -> String {
    match Network::whose(magic) {
        Some(whose) => format!("is of {whose}, not of {}", network.code()),
        None => format!(
            "no block of {} begins here; if the node obfuscates its files, put its xor.dat beside them",
            network.code()
        ),
    }
}

impl BlockFiles {
    /// Reads where the blocks of these files stand. A folder stands for its `blk*.dat`.
    pub fn open(paths: &[PathBuf], network: Network) -> Result<BlockFiles> {
        let mut all =
            BlockFiles { network, files: Vec::new(), entries: Vec::new(), faults: Vec::new(), undo: VecDeque::new() };
        for path in expanded(paths)? {
            if let Err(error) = all.add(&path) {
                all.faults.push(error);
            }
        }
        Ok(all)
    }

    fn add(&mut self, path: &Path) -> Result<()> {
        let source = Source::open(path)?;
        let len = source.len()?;
        let number = self.files.len();
        let found = if numbered(path, "blk") || begins_with_magic(&source, len)? {
            self.records(&source, number, len)
        } else {
            self.raw(&source, number, len)
        };
        self.files.push(source);
        found
    }

    fn raw(&mut self, source: &Source, file: usize, len: u64) -> Result<()> {
        if len > self.network.family().max_bytes() {
            return Err(source.fault(0, format!("{len} bytes are more than a block has")));
        }
        self.entry(source, file, 0, len)
    }

    fn records(&mut self, source: &Source, file: usize, len: u64) -> Result<()> {
        let mut at = 0;
        while let Some((offset, size)) = source.record(at, len, self.network, 0, self.network.family().max_bytes())? {
            self.entry(source, file, offset, size)?;
            at = offset + size;
        }
        Ok(())
    }

    fn entry(&mut self, source: &Source, file: usize, offset: u64, len: u64) -> Result<()> {
        let mut bytes = Vec::with_capacity(HEADER);
        if len < HEADER as u64 {
            return Err(source.fault(offset, "is shorter than a block's header"));
        }
        if self.entries.len() >= MAX_BLOCKS {
            return Err(source.fault(offset, format!("more than {MAX_BLOCKS} blocks in one load")));
        }
        source.read(offset, HEADER as u64, &mut bytes)?;
        let header = Header::parse(&bytes).ok_or_else(|| source.fault(offset, "the header breaks off"))?;
        if !header.worked(self.network) {
            let why = format!("the header has no proof of work for {}", self.network.code());
            return Err(Error::Block {
                path: source.path.clone(),
                offset,
                block: Some(crate::columns::hex(&header.hash)),
                tx: None,
                why,
            });
        }
        self.entries.push(Entry { header, file, offset, len });
        Ok(())
    }

    /// Reads a block's bytes.
    pub fn read(&self, entry: &Entry, into: &mut Vec<u8>) -> Result<()> {
        match self.files.get(entry.file) {
            Some(source) => source.read(entry.offset, entry.len, into),
            None => {
                into.clear();
                Ok(())
            }
        }
    }

    /// The first bytes of a block: header, count, coinbase's beginning.
    pub fn beginning(&self, entry: &Entry) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(source) = self.files.get(entry.file) {
            source.read(entry.offset, entry.len.min(256), &mut bytes)?;
        }
        Ok(bytes)
    }

    /// The file of a block.
    pub fn path(&self, entry: &Entry) -> &Path {
        self.files.get(entry.file).map_or(Path::new(""), |source| &source.path)
    }

    /// Names file, offset, block and transaction in what is wrong with a block.
    pub fn fault(&self, entry: &Entry, fault: super::Fault) -> Error {
        Error::Block {
            path: self.path(entry).to_owned(),
            offset: entry.offset,
            block: Some(crate::columns::hex(&entry.header.hash)),
            tx: fault.tx,
            why: fault.why,
        }
    }

    /// The coins that a block of `txs` transactions spent, if the `rev*.dat` beside its file has them.
    ///
    /// A record of undo data does not name its block; its checksum does, since it covers the hash of the block before.
    pub fn undo(&mut self, entry: &Entry, txs: u64) -> Result<Option<Undo>> {
        if txs <= 1 {
            return Ok(Some(Vec::new()));
        }
        let Some(path) = self.files.get(entry.file).and_then(|source| undo_path(&source.path)) else { return Ok(None) };
        if !self.undo.iter().any(|(file, _)| *file == entry.file) {
            let file = UndoFile::open(&path, self.network)?;
            self.undo.truncate(UNDO_FILES - 1);
            self.undo.push_front((entry.file, file));
        }
        match self.undo.iter_mut().find(|(file, _)| *file == entry.file) {
            Some((_, file)) => file.find(entry, txs, self.network.family()),
            None => Ok(None),
        }
    }
}

/// The records of one `rev*.dat`.
#[derive(Debug, Default)]
struct UndoFile {
    source: Option<Source>,
    records: Vec<(u64, u64, u64)>,
    next: usize,
    /// What kept the file from being read to its end, until a block is asked for that is not before it.
    fault: Option<Error>,
}

impl UndoFile {
    fn open(path: &Path, network: Network) -> Result<UndoFile> {
        if !path.exists() {
            return Ok(UndoFile::default());
        }
        let source = Source::open(path)?;
        let (len, mut at, mut records) = (source.len()?, 0, Vec::new());
        let mut count = Vec::new();
        let fault = loop {
            match source.record(at, len, network, 32, MAX_UNDO) {
                Ok(Some((offset, size))) => {
                    source.read(offset, size.min(9), &mut count)?;
                    records.push((offset, size, undo_txs(&count).unwrap_or(u64::MAX)));
                    at = offset + size + 32;
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        Ok(UndoFile { source: Some(source), records, next: 0, fault })
    }

    /// Looks from where the last one was found, since blocks and their undo data are nearly in one order.
    fn find(&mut self, entry: &Entry, txs: u64, family: Family) -> Result<Option<Undo>> {
        let Some(source) = &self.source else { return Ok(None) };
        let mut bytes = Vec::new();
        for step in 0..self.records.len() {
            let at = (self.next + step) % self.records.len();
            let Some((offset, size, count)) = self.records.get(at).copied() else { continue };
            if count.checked_add(1) != Some(txs) {
                continue;
            }
            source.read(offset, size + 32, &mut bytes)?;
            let Some((data, sum)) = bytes.split_last_chunk::<32>() else { continue };
            if sha256d(&[&reversed(entry.header.parent), data]) != *sum {
                continue;
            }
            self.next = at + 1;
            return match parse_undo(data, family) {
                Some(undo) => Ok(Some(undo)),
                None => Err(source.fault(offset, "the undo data cannot be read, though their checksum is right")),
            };
        }
        self.fault.take().map_or(Ok(None), Err)
    }
}

fn begins_with_magic(source: &Source, len: u64) -> Result<bool> {
    let mut head = Vec::new();
    source.read(0, len.min(4), &mut head)?;
    Ok(head.first_chunk::<4>().is_some_and(|magic| Network::whose(*magic).is_some()))
}

/// Whether a file is called `blk00000.dat` or the like.
fn numbered(path: &Path, prefix: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(".dat"))
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn undo_path(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_prefix("blk")?;
    Some(path.with_file_name(format!("rev{name}")))
}

/// Folders become their block files, in order.
fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(io(path))? {
            inside.push(entry.map_err(io(path))?.path());
        }
        inside.retain(|path| numbered(path, "blk"));
        inside.sort();
        if inside.is_empty() {
            return Err(Error::Unknown(format!("{}: no blk*.dat in this folder", path.display())));
        }
        files.append(&mut inside);
    }
    Ok(files)
}
