//! A sorted run of a dictionary: (hash, number) by hash, an index of buckets and a filter, in one file that is never changed.
use super::bytes::Fields;
use super::column::map;
use super::{Result, format, io};
use memmap2::Mmap;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

const MAGIC: &[u8; 8] = b"EYERUN\0\x01";
const HEADER: u64 = 32;
/// Bytes of an entry: a hash of 64 bits and a number of 32.
pub const ENTRY: u64 = 12;
/// Rows a bucket holds on average.
const BUCKET: u64 = 32;
/// Bits of the filter a row, and bits set a row: about one false hit in a hundred.
const FILTER_BITS: u64 = 10;
const PROBES: u32 = 6;

/// An entry: hash, number.
pub type Entry = (u64, u32);

/// Where the parts of a run of so many rows stand.
#[derive(Debug, Clone, Copy)]
struct Shape {
    rows: u64,
    bucket_bits: u32,
    blocks: u64,
}

impl Shape {
    fn of(rows: u64) -> Shape {
        let buckets = (rows / BUCKET).max(1).next_power_of_two();
        Shape { rows, bucket_bits: buckets.trailing_zeros(), blocks: rows * FILTER_BITS / 512 + 1 }
    }
    fn index_at(self) -> u64 {
        HEADER + self.rows * ENTRY
    }
    fn filter_at(self) -> u64 {
        self.index_at() + 4 * ((1 << self.bucket_bits) + 1)
    }
    fn len(self) -> u64 {
        self.filter_at() + 64 * self.blocks
    }
    fn bucket(self, hash: u64) -> u64 {
        hash.checked_shr(64 - self.bucket_bits).unwrap_or(0)
    }
    fn block(self, hash: u64) -> u64 {
        u64::try_from((u128::from(hash) * u128::from(self.blocks)) >> 64).unwrap_or(0)
    }
}

/// The bits that a hash sets in its block of 512.
fn probes(hash: u64) -> impl Iterator<Item = (usize, u8)> {
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..PROBES).map(move |i| {
        let bit = (mixed >> (9 * i)) & 511;
        (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
    })
}

/// An open run.
#[derive(Debug)]
pub struct Run {
    map: Mmap,
    shape: Shape,
}

impl Run {
    /// Opens a run; its header must say what its length is.
    pub fn open(path: &Path) -> Result<Run> {
        let file = File::open(path).map_err(io(path))?;
        let len = file.metadata().map_err(io(path))?.len();
        let torn = || format(path, "is damaged; it will be built anew by the next load");
        if len < HEADER {
            return Err(torn());
        }
        let map = map(&file, len, path)?;
        let mut fields = Fields(&map);
        if fields.take(8) != Some(MAGIC) {
            return Err(torn());
        }
        let rows = fields.u64().filter(|rows| *rows <= u64::from(u32::MAX)).ok_or_else(torn)?;
        let shape = Shape::of(rows);
        if shape.len() != len {
            return Err(torn());
        }
        Ok(Run { map, shape })
    }

    /// Writes `rows` entries, sorted by hash and number, to `path`. Memory does not grow with them.
    pub fn write(path: &Path, rows: u64, entries: impl Iterator<Item = Entry>) -> Result<Run> {
        let fail = io(path);
        match Writer::new(path, Shape::of(rows)).and_then(|writer| writer.all(entries)) {
            Ok(()) => Run::open(path),
            Err(error) => Err(fail(error)),
        }
    }

    /// How many entries there are.
    pub fn rows(&self) -> u64 {
        self.shape.rows
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.shape.len()
    }

    /// The entry in row `row`.
    #[inline]
    pub fn entry(&self, row: u64) -> Option<Entry> {
        let at = usize::try_from(HEADER + row * ENTRY).ok()?;
        let bytes = self.map.get(at..at + 12).filter(|_| row < self.shape.rows)?;
        let (hash, id) = bytes.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*hash), u32::from_le_bytes(id.try_into().ok()?)))
    }

    /// All entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        (0..self.shape.rows).map_while(|row| self.entry(row))
    }

    /// Reads a byte of the filter's block for a hash.
    #[inline]
    pub fn touch_filter(&self, hash: u64) -> u64 {
        let at = usize::try_from(self.shape.filter_at() + 64 * self.shape.block(hash)).unwrap_or(usize::MAX);
        self.map.get(at).copied().map_or(0, u64::from)
    }

    /// Reads where the bucket of a hash begins.
    #[inline]
    pub fn touch_index(&self, hash: u64) -> u64 {
        self.bucket_start(self.shape.bucket(hash))
    }

    /// Reads the middle of a hash's bucket.
    #[inline]
    pub fn touch_rows(&self, hash: u64) -> u64 {
        let bucket = self.shape.bucket(hash);
        let (low, high) = (self.bucket_start(bucket), self.bucket_start(bucket + 1));
        self.entry(low + high.saturating_sub(low) / 2).map_or(0, |entry| entry.0)
    }

    /// Whether the filter lets a hash pass: all that the run holds, and one in a hundred others.
    #[inline]
    pub fn may_hold(&self, hash: u64) -> bool {
        let Ok(at) = usize::try_from(self.shape.filter_at() + 64 * self.shape.block(hash)) else { return true };
        let Some(block) = self.map.get(at..at + 64) else { return true };
        probes(hash).all(|(byte, bit)| block.get(byte).is_some_and(|have| have & bit != 0))
    }

    fn bucket_start(&self, bucket: u64) -> u64 {
        let at = usize::try_from(self.shape.index_at() + 4 * bucket).unwrap_or(usize::MAX - 4);
        let start = self.map.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        u64::from(start).min(self.shape.rows)
    }

    /// The highest number under `hash` that `is` the one looked for.
    pub fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        self.all(hash).filter(|id| is(*id)).last()
    }

    /// All numbers under `hash`, ascending.
    pub fn all(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let (start, end) = self.rows_of(hash).unwrap_or((0, 0));
        (start..end).map_while(move |row| self.entry(row).filter(|entry| entry.0 == hash)).map(|entry| entry.1)
    }

    /// From where the rows of `hash` stand, if there are any, and where its bucket ends.
    fn rows_of(&self, hash: u64) -> Option<(u64, u64)> {
        if !self.may_hold(hash) {
            return None;
        }
        let bucket = self.shape.bucket(hash);
        let (mut low, mut high) = (self.bucket_start(bucket), self.bucket_start(bucket + 1));
        let end = high;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.0 < hash { low = middle + 1 } else { high = middle }
        }
        Some((low, end))
    }
}

/// Merges runs into one stream, by hash and number.
pub fn merged(runs: &[Run]) -> impl Iterator<Item = Entry> + '_ {
    let mut heads: Vec<_> = runs.iter().map(|run| run.entries().peekable()).collect();
    std::iter::from_fn(move || {
        let next = heads.iter_mut().filter_map(|run| run.peek().copied()).min()?;
        heads.iter_mut().find_map(|run| run.next_if_eq(&next))
    })
}

/// Three writers on one file: entries, index and filter grow together, since all go by the hash.
struct Writer {
    shape: Shape,
    entries: BufWriter<File>,
    index: BufWriter<File>,
    filter: BufWriter<File>,
    next_bucket: u64,
    block: (u64, [u8; 64]),
}

impl Writer {
    fn new(path: &Path, shape: Shape) -> std::io::Result<Writer> {
        File::create(path)?.set_len(shape.len())?;
        let at = |offset| {
            let mut file = File::options().write(true).open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok::<_, std::io::Error>(BufWriter::with_capacity(1 << 16, file))
        };
        let mut entries = at(0)?;
        entries.write_all(MAGIC)?;
        entries.write_all(&shape.rows.to_le_bytes())?;
        entries.write_all(&[0; 16])?;
        let (index, filter) = (at(shape.index_at())?, at(shape.filter_at())?);
        Ok(Writer { shape, entries, index, filter, next_bucket: 0, block: (0, [0; 64]) })
    }

    fn all(mut self, entries: impl Iterator<Item = Entry>) -> std::io::Result<()> {
        let mut row: u32 = 0;
        for (hash, id) in entries {
            self.entries.write_all(&hash.to_le_bytes())?;
            self.entries.write_all(&id.to_le_bytes())?;
            self.buckets_to(self.shape.bucket(hash), row)?;
            self.blocks_to(self.shape.block(hash))?;
            for (byte, bit) in probes(hash) {
                if let Some(have) = self.block.1.get_mut(byte) {
                    *have |= bit;
                }
            }
            row = row.saturating_add(1);
        }
        self.buckets_to(1 << self.shape.bucket_bits, row)?;
        self.blocks_to(self.shape.blocks)?;
        for part in [self.entries, self.index, self.filter] {
            part.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_data()?;
        }
        Ok(())
    }

    fn buckets_to(&mut self, bucket: u64, row: u32) -> std::io::Result<()> {
        while self.next_bucket <= bucket {
            self.index.write_all(&row.to_le_bytes())?;
            self.next_bucket += 1;
        }
        Ok(())
    }

    fn blocks_to(&mut self, block: u64) -> std::io::Result<()> {
        while self.block.0 < block {
            self.filter.write_all(&self.block.1)?;
            self.block = (self.block.0 + 1, [0; 64]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_merged_runs_is_found_and_the_newest_of_twins_first() {
        let dir = tempfile::tempdir().unwrap();
        let hash = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let write = |name: &str, ids: std::ops::Range<u32>| {
            let mut entries: Vec<Entry> = ids.map(|id| (hash(u64::from(id) % 900), id)).collect();
            entries.sort_unstable();
            Run::write(&dir.path().join(name), entries.len() as u64, entries.into_iter()).unwrap()
        };
        let runs = [write("a", 0..500), write("b", 500..1000), write("c", 1000..1001)];
        let all = Run::write(&dir.path().join("d"), 1001, merged(&runs)).unwrap();
        assert_eq!(all.rows(), 1001);
        for key in 0..900u64 {
            let newest = if key <= 100 { key + 900 } else { key };
            assert_eq!(all.find(hash(key), |_| true), u32::try_from(newest).ok(), "{key}");
        }
        let strangers = (0..10_000u64).filter(|i| all.find(hash(i + 5_000), |_| true).is_some()).count();
        assert_eq!(strangers, 0);
        let passed = (0..10_000u64).filter(|i| all.may_hold(hash(i + 5_000))).count();
        assert!(passed < 300, "the filter lets {passed} of 10,000 strangers pass");
    }

    #[test]
    fn a_run_cut_anywhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        let whole = Run::write(&path, 3, [(1, 1), (2, 2), (u64::MAX, 3)].into_iter()).unwrap().bytes();
        for cut in 0..whole {
            File::options().write(true).open(&path).unwrap().set_len(cut).unwrap();
            assert!(Run::open(&path).is_err());
            Run::write(&path, 3, [(1, 1), (2, 2), (u64::MAX, 3)].into_iter()).unwrap();
        }
    }
}
