//! A dictionary: from the bytes of an address or a transaction id to its number, by sorted runs, never wholly in memory.
use super::bytes::{Fields, Numbers, replace};
use super::derived::{blocks_at, put_head, take_head};
use super::run::{Entry, Run, merged};
use super::{Error, Head, Result, Store, format, io};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"EYEDIC\0\x01";
/// Entries that wait in memory before they become a run.
pub const FRESH: usize = 1 << 20;
/// So many runs of one size become one of the next.
const FAN: usize = 4;
/// How often a manifest is read before the dictionary counts as damaged.
const READS: usize = 3;
/// More than so many entries behind, and a reader asks for a load instead of filling its memory.
const READER_BEHIND: u64 = 4 << 20;

/// Finds numbers by keyed 64-bit hash; whoever asks compares the bytes, which stand in a column of the chain. So a run that
/// holds an entry too many, of a block that was unwound, can never mislead.
#[derive(Debug)]
pub struct Dictionary {
    dir: PathBuf,
    name: &'static str,
    key: [u8; 16],
    runs: Vec<(u64, Run)>,
    fresh: Numbers<u32>,
    twins: Vec<Entry>,
    built: u64,
    next: u64,
    limit: usize,
}

impl Dictionary {
    /// Opens the dictionary `name` of a chain and brings it level with the `rows` numbers that the chain has.
    ///
    /// `rows_after` says how many numbers there were after so many blocks; `hash_of` hashes the bytes of one number, or
    /// `None` when it has none and is not looked for.
    pub fn open(
        store: &Store,
        name: &'static str,
        rows: u64,
        rows_after: impl Fn(u64) -> Result<u64>,
        hash_of: impl Fn(&Dictionary, u32) -> Option<u64>,
    ) -> Result<Dictionary> {
        let mut dictionary = Dictionary {
            dir: store.dir().to_owned(),
            name,
            key: *store.key(),
            runs: Vec::new(),
            fresh: Numbers::default(),
            twins: Vec::new(),
            built: 0,
            next: 0,
            limit: store.fresh(),
        };
        // A writer may merge runs away between the manifest and its runs: then there is a newer manifest.
        let mut level = false;
        for _ in 0..READS {
            level = level || dictionary.read_manifest(store, &rows_after)?;
        }
        if !level {
            (dictionary.runs, dictionary.built) = (Vec::new(), 0);
        }
        if store.writes() {
            dictionary.sweep();
        } else if rows - dictionary.built > READER_BEHIND {
            return Err(format(&dictionary.manifest(), "is behind the chain; `eye money load` brings it level"));
        }
        dictionary.refill(rows, store, hash_of)?;
        Ok(dictionary)
    }

    /// Puts the numbers from what is built up to `rows` into memory; more than fit there become runs.
    pub fn refill(
        &mut self,
        rows: u64,
        store: &Store,
        hash_of: impl Fn(&Dictionary, u32) -> Option<u64>,
    ) -> Result<()> {
        let mut spilled = false;
        for id in self.built..rows {
            let id = u32::try_from(id).unwrap_or(u32::MAX);
            if let Some(hash) = hash_of(self, id) {
                self.insert(hash, id);
            }
            if self.fresh.len() >= self.limit && store.writes() {
                self.spill()?;
                spilled = true;
            }
        }
        if spilled { self.flush(store.head(), rows) } else { Ok(()) }
    }

    /// The keyed hash of some bytes.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(bytes);
        hasher.finish()
    }

    /// The newest number under `hash` that `is` the one looked for.
    #[inline]
    pub fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        if let Some(id) = self.fresh.get(&hash) {
            if is(*id) {
                return Some(*id);
            }
            if let Some((_, id)) = self.twins.iter().rev().find(|twin| twin.0 == hash && is(twin.1)) {
                return Some(*id);
            }
        }
        self.runs.iter().rev().find_map(|(_, run)| run.find(hash, &mut is))
    }

    /// Fetches what is known under some hashes into the processor's cache, all at once: whoever looks for one after the other then
    /// waits for none. `near` gets the newest number that waits in memory under each, `u32::MAX` for none.
    pub fn fetch(&self, hashes: &[u64], near: &mut Vec<u32>) {
        near.clear();
        near.extend(hashes.iter().map(|hash| self.fresh.get(hash).copied().unwrap_or(u32::MAX)));
        if self.runs.is_empty() {
            return;
        }
        let far = hashes.iter().zip(near.iter()).filter(|(_, id)| **id == u32::MAX).map(|(hash, _)| *hash);
        let mut far: Vec<u64> = far.collect();
        for (_, run) in self.runs.iter().rev() {
            std::hint::black_box(far.iter().map(|hash| run.touch_filter(*hash)).fold(0, |sum, byte| sum ^ byte));
            let (held, elsewhere): (Vec<u64>, Vec<u64>) = far.iter().partition(|hash| run.may_hold(**hash));
            std::hint::black_box(held.iter().map(|hash| run.touch_index(*hash)).fold(0, |sum, row| sum ^ row));
            std::hint::black_box(held.iter().map(|hash| run.touch_rows(*hash)).fold(0, |sum, byte| sum ^ byte));
            far = elsewhere;
        }
    }

    /// Adds a number that was not there.
    #[inline]
    pub fn insert(&mut self, hash: u64, id: u32) {
        if let Some(older) = self.fresh.insert(hash, id) {
            self.twins.push((hash, older));
        }
    }

    /// Whether enough waits in memory to be written.
    pub fn flush_due(&self) -> bool {
        self.fresh.len() >= self.limit
    }

    /// Writes what waits as a run and says that the dictionary is level with `head`, which must be committed.
    pub fn flush(&mut self, head: Option<Head>, rows: u64) -> Result<()> {
        self.spill()?;
        self.built = rows;
        self.write_manifest(head)?;
        self.sweep();
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        let mut entries: Vec<Entry> = self.fresh.drain().collect();
        entries.append(&mut self.twins);
        if entries.is_empty() {
            return Ok(());
        }
        entries.sort_unstable();
        let run = Run::write(&self.run_path(self.next), entries.len() as u64, entries.into_iter())?;
        self.runs.push((self.next, run));
        self.next += 1;
        while let Some(from) = self.to_merge() {
            let merging: Vec<Run> = self.runs.drain(from..).map(|(_, run)| run).collect();
            let rows = merging.iter().map(Run::rows).sum();
            let run = Run::write(&self.run_path(self.next), rows, merged(&merging))?;
            self.runs.push((self.next, run));
            self.next += 1;
        }
        Ok(())
    }

    /// Where the last [`FAN`] runs begin, when they are of one size and so due to become one.
    fn to_merge(&self) -> Option<usize> {
        let from = self.runs.len().checked_sub(FAN)?;
        let level = |rows: u64| (rows / self.limit as u64).max(1).ilog(FAN as u64);
        let mut levels = self.runs.get(from..)?.iter().map(|(_, run)| level(run.rows()));
        let first = levels.next()?;
        levels.all(|other| other >= first).then_some(from)
    }

    /// Says that the dictionary goes no further than `head` and its `rows`: before the chain is unwound to there.
    /// [`Dictionary::refill`] follows, after it.
    pub fn lower(&mut self, head: Option<Head>, rows: u64) -> Result<()> {
        self.fresh.clear();
        self.twins.clear();
        if self.built > rows {
            self.built = rows;
            self.write_manifest(head)?;
        }
        Ok(())
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|(_, run)| run.bytes()).sum()
    }

    /// Numbers that stand in runs; the others wait in memory.
    pub fn built(&self) -> u64 {
        self.built
    }

    fn manifest(&self) -> PathBuf {
        self.dir.join(format!("{}.dict", self.name))
    }

    fn run_path(&self, seq: u64) -> PathBuf {
        self.dir.join(format!("{}.{seq}.run", self.name))
    }

    fn write_manifest(&self, head: Option<Head>) -> Result<()> {
        let mut bytes = MAGIC.to_vec();
        put_head(head, &mut bytes);
        bytes.extend_from_slice(&self.built.to_le_bytes());
        bytes.extend_from_slice(&self.next.to_le_bytes());
        self.runs.iter().for_each(|(seq, _)| bytes.extend_from_slice(&seq.to_le_bytes()));
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        replace(&self.manifest(), &bytes)
    }

    /// Reads the manifest and opens its runs; false when the dictionary must be built anew.
    fn read_manifest(&mut self, store: &Store, rows_after: impl Fn(u64) -> Result<u64>) -> Result<bool> {
        let path = self.manifest();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io(&path)(error)),
        };
        let Some((body, crc)) = bytes.split_last_chunk::<4>() else { return Ok(false) };
        let mut fields = Fields(body);
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) || fields.take(8) != Some(MAGIC) {
            return Ok(false);
        }
        let (Some(head), Some(built), Some(next)) = (take_head(&mut fields), fields.u64(), fields.u64()) else {
            return Ok(false);
        };
        self.next = next;
        self.runs.clear();
        let level = match blocks_at(head, store)? {
            Some(0) => built == 0,
            Some(blocks) => rows_after(blocks)? == built,
            None => false,
        };
        if !level {
            return Ok(false);
        }
        while let Some(seq) = fields.u64() {
            match Run::open(&self.run_path(seq)) {
                Ok(run) => self.runs.push((seq, run)),
                Err(Error::Format { .. } | Error::Io { .. }) => return Ok(false),
                Err(other) => return Err(other),
            }
        }
        self.built = built;
        Ok(true)
    }

    /// Deletes runs that no manifest names: those that were merged, and those of a crash.
    fn sweep(&mut self) {
        let Ok(folder) = std::fs::read_dir(&self.dir) else { return };
        for entry in folder.flatten() {
            let file = entry.file_name();
            let seq = file.to_str().and_then(|file| seq_of(file, self.name));
            if let Some(seq) = seq {
                self.next = self.next.max(seq + 1);
                if !self.runs.iter().any(|(kept, _)| *kept == seq) {
                    remove(&entry.path());
                }
            }
        }
    }
}

fn seq_of(file: &str, name: &str) -> Option<u64> {
    file.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".run")?.parse().ok()
}

/// A file that is left over costs room, nothing else: the next load tries again.
fn remove(path: &Path) {
    let _left_over = std::fs::remove_file(path);
}
