//! A sorted table of values on disk: `hashes` (16 bytes an entry: hash, offset, length) beside `values`.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of an entry: hash (8), offset into `values` (6), length (2), big-endian.
const ENTRY: usize = 16;
/// Entries a block; the first hash of each block stays in memory.
const BLOCK: usize = 256;
/// The longest value, in bytes.
pub(crate) const MAX_VALUE: usize = u16::MAX as usize;

/// The first 64 bits of SHA-256: nobody crafts a list whose entries pile up under one hash.
pub(crate) fn hash_of(value: &str) -> u64 {
    Sha256::digest(value.as_bytes()).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Writes the two files, value by value.
pub(crate) struct TableWriter {
    values: BufWriter<File>,
    offset: u64,
    entries: Vec<[u8; ENTRY]>,
}

impl TableWriter {
    pub fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self { values: BufWriter::new(File::create(folder.join("values"))?), offset: 0, entries: Vec::new() })
    }

    /// Adds `value` to be found by `key`; values over [`MAX_VALUE`] are refused by the caller.
    pub fn add(&mut self, key: &str, value: &str) -> io::Result<()> {
        let mut entry = [0; ENTRY];
        let packed = self.offset << 16 | value.len() as u64;
        for (to, from) in entry.iter_mut().zip(hash_of(key).to_be_bytes().into_iter().chain(packed.to_be_bytes())) {
            *to = from;
        }
        self.entries.push(entry);
        self.values.write_all(value.as_bytes())?;
        self.values.write_all(b"\n")?;
        self.offset += value.len() as u64 + 1;
        Ok(())
    }

    /// The same value under one more key.
    pub fn add_key(&mut self, key: &str) {
        if let Some(mut entry) = self.entries.last().copied() {
            for (to, from) in entry.iter_mut().zip(hash_of(key).to_be_bytes()) {
                *to = from;
            }
            self.entries.push(entry);
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn finish(mut self, folder: &Path) -> io::Result<usize> {
        self.entries.sort_unstable();
        let mut file = BufWriter::new(File::create(folder.join("hashes"))?);
        for entry in &self.entries {
            file.write_all(entry)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        self.values.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(self.entries.len())
    }
}

/// The two files, open for reading.
pub(crate) struct Table {
    hashes: File,
    values: File,
    entries: usize,
    fences: Box<[u64]>,
}

impl Table {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let hashes = File::open(folder.join("hashes"))?;
        let values = File::open(folder.join("values"))?;
        let bytes = usize::try_from(hashes.metadata()?.len()).unwrap_or(usize::MAX);
        if bytes % ENTRY != 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the table is broken off; install the list again"));
        }
        let entries = bytes / ENTRY;
        let mut fences = Vec::with_capacity(entries.div_ceil(BLOCK));
        for block in 0..entries.div_ceil(BLOCK) {
            let mut hash = [0; 8];
            hashes.read_exact_at(&mut hash, (block * BLOCK * ENTRY) as u64)?;
            fences.push(u64::from_be_bytes(hash));
        }
        Ok(Self { hashes, values, entries, fences: fences.into() })
    }

    /// The values stored under `key`, as far as `wanted` says yes to them; a file that cannot be read has none.
    pub fn find(&self, key: &str, mut wanted: impl FnMut(&str) -> bool) -> Option<String> {
        let hash = hash_of(key);
        // The last block that begins below the hash may hold its first entry.
        let mut block = self.fences.partition_point(|fence| *fence < hash).saturating_sub(1);
        let mut bytes = [0; BLOCK * ENTRY];
        while self.fences.get(block).is_some_and(|fence| *fence <= hash) {
            let count = BLOCK.min(self.entries - block * BLOCK);
            let page = bytes.get_mut(..count * ENTRY)?;
            self.hashes.read_exact_at(page, (block * BLOCK * ENTRY) as u64).ok()?;
            for entry in page.chunks_exact(ENTRY) {
                let (found, packed) = entry.split_at_checked(8)?;
                let found = u64::from_be_bytes(found.try_into().ok()?);
                if found > hash {
                    return None;
                }
                if found == hash {
                    let packed = u64::from_be_bytes(packed.try_into().ok()?);
                    let mut value = vec![0; (packed & 0xffff) as usize];
                    self.values.read_exact_at(&mut value, packed >> 16).ok()?;
                    let value = String::from_utf8(value).ok()?;
                    if wanted(&value) {
                        return Some(value);
                    }
                }
            }
            block += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_table_of_many_blocks_is_found_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = TableWriter::create(folder.path()).unwrap();
        for number in 0..3_000 {
            let value = format!("host{number}.example");
            writer.add(&value, &value).unwrap();
        }
        assert_eq!(writer.finish(folder.path()).unwrap(), 3_000);
        let table = Table::open(folder.path()).unwrap();
        for number in 0..3_000 {
            let value = format!("host{number}.example");
            assert_eq!(table.find(&value, |found| found == value), Some(value.clone()));
        }
        for number in 3_000..6_000 {
            assert_eq!(table.find(&format!("host{number}.example"), |_| true), None);
        }
    }
}
