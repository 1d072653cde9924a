//! Bringing entries together by key in bounded memory: counted, spread over ranges of keys, each range sorted by itself.
//!
//! What does not fit the memory goes through one file without a name, a portion after the other, each spread already: it is written
//! and read in long pieces, and every entry once for each time that its range is cut, which depends on how often its key comes alone.
use crate::columns::{Result, io};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use zerocopy::IntoBytes;

/// Key, amount (or the row of a wide one), head of a row with the mark [`WIDE`].
pub type Entry = [u64; 3];
/// In an entry's head: its amount stands in `transfer.wide`.
pub const WIDE: u64 = 1 << 63;

/// The name that the file has for the moment between its making and its removal.
pub const SPILL: &str = "history.sort";

const ENTRY: u64 = 24;
/// Keys are counted in so many cells at most.
const CELLS: u64 = 1 << 16;
/// Entries that are read from a file at a time.
const BLOCK: usize = 1 << 14;

/// How much is worked on at a time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries in memory.
    pub portion: usize,
    /// Entries of a range that is sorted by itself: as many as the processor's second cache holds.
    pub bucket: u64,
    /// Ranges that are written to at once.
    pub buckets: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { portion: 1 << 24, bucket: 1 << 15, buckets: 1 << 10 }
    }
}

/// Where entries come from, in the order of their transfers.
pub trait Source {
    /// In how many portions, none of which has more entries than fit the memory.
    fn portions(&self) -> usize;
    /// Each entry of a portion.
    fn each(&self, portion: usize, with: impl FnMut(Entry)) -> Result<()>;
}

/// Hands on all entries of `source`, whose keys are in `keys`, by key and then as they came: one sorted piece after the other, which
/// may begin with the key that the last one ended with.
pub fn by_key<S: Source>(
    dir: &Path,
    source: &S,
    keys: Range<u64>,
    limits: Limits,
    to: &mut dyn FnMut(&[Entry]) -> Result<()>,
) -> Result<()> {
    let spread = Spread::count(source, &keys, limits)?;
    let mut work = Work::default();
    if let [_] = spread.counts.as_slice() {
        spread.fill(source, 0, &mut work.entries)?;
        let mut rest = work.entries.as_slice();
        for (place, keys) in spread.ranges.iter().enumerate() {
            let (bucket, after) = rest.split_at_checked(spread.of(0, place)).unwrap_or_default();
            rest = after;
            to(work.sorted.sort(bucket, keys))?;
        }
        return Ok(());
    }
    let mut spill = Spill::new(dir)?;
    for portion in 0..source.portions() {
        spread.fill(source, portion, &mut work.entries)?;
        spill.append(&work.entries)?;
    }
    for (place, keys) in spread.ranges.iter().enumerate() {
        let parts = Parts { spill: &spill, portions: spread.parts(place, limits.portion) };
        match parts.portions.as_slice() {
            [] => {}
            [portion] => {
                parts.spill.read(portion, &mut work.entries)?;
                to(work.sorted.sort(&work.entries, keys))?;
            }
            // One key: its entries are in order, and need not be in memory at once.
            portions if keys.end - keys.start == 1 => {
                for portion in portions {
                    parts.spill.read(portion, &mut work.entries)?;
                    to(&work.entries)?;
                }
            }
            _ => {
                work = Work::default();
                by_key(dir, &parts, keys.clone(), limits, to)?;
            }
        }
    }
    Ok(())
}

/// Memory that is used again.
#[derive(Default)]
struct Work {
    entries: Vec<Entry>,
    sorted: Sorted,
}

/// Ranges of keys with about as many entries each, and how many of each portion belong to them.
struct Spread {
    first: u64,
    shift: u32,
    /// By cell: its range.
    range_of: Vec<u32>,
    ranges: Vec<Range<u64>>,
    /// By portion, by range.
    counts: Vec<Vec<u32>>,
}

impl Spread {
    fn count<S: Source>(source: &S, keys: &Range<u64>, limits: Limits) -> Result<Spread> {
        let last = keys.end.saturating_sub(1).saturating_sub(keys.start);
        let shift = (64 - last.leading_zeros()).saturating_sub(CELLS.ilog2());
        let cells = usize::try_from(last >> shift).unwrap_or(0) + 1;
        let mut by_portion = Vec::with_capacity(source.portions());
        for portion in 0..source.portions() {
            let mut count = vec![0u32; cells];
            source.each(portion, |[key, ..]| {
                let cell = usize::try_from((key - keys.start) >> shift).unwrap_or(usize::MAX);
                if let Some(n) = count.get_mut(cell) {
                    *n += 1;
                }
            })?;
            by_portion.push(count);
        }
        let mut spread = Spread {
            first: keys.start,
            shift,
            range_of: Vec::with_capacity(cells),
            ranges: Vec::new(),
            counts: vec![],
        };
        spread.cut(keys, &by_portion, limits);
        let in_ranges = |cells: &Vec<u32>| {
            let mut counts = vec![0; spread.ranges.len()];
            for (range, n) in spread.range_of.iter().zip(cells) {
                if let Some(count) = counts.get_mut(*range as usize) {
                    *count += n;
                }
            }
            counts
        };
        spread.counts = by_portion.iter().map(in_ranges).collect();
        Ok(spread)
    }

    /// Cuts the keys into ranges: neighbouring cells, until there are enough entries in them.
    fn cut(&mut self, keys: &Range<u64>, by_portion: &[Vec<u32>], limits: Limits) {
        let mut counts = vec![0u64; by_portion.first().map_or(0, Vec::len)];
        for cells in by_portion {
            counts.iter_mut().zip(cells).for_each(|(sum, n)| *sum += u64::from(*n));
        }
        let enough = limits.bucket.max(counts.iter().sum::<u64>() / limits.buckets);
        // So that a range of several cells always fits the memory.
        let enough = enough.min(limits.portion as u64 / 2).max(1);
        let (mut begin, mut have) = (keys.start, 0);
        let edge = |cell: u64| (keys.start + (cell << self.shift)).min(keys.end);
        for (count, cell) in counts.iter().zip(0..) {
            let (start, end) = (edge(cell), edge(cell + 1));
            if *count >= enough && begin < start {
                self.ranges.push(begin..start);
                (begin, have) = (start, 0);
            }
            self.range_of.push(u32::try_from(self.ranges.len()).unwrap_or(u32::MAX));
            have += count;
            if have >= enough || end == keys.end {
                self.ranges.push(begin..end);
                (begin, have) = (end, 0);
            }
        }
    }

    /// How many entries of a portion belong to a range.
    fn of(&self, portion: usize, range: usize) -> usize {
        self.counts.get(portion).and_then(|counts| counts.get(range)).map_or(0, |count| *count as usize)
    }

    /// Reads a portion and spreads it, range after range.
    fn fill<S: Source>(&self, source: &S, portion: usize, into: &mut Vec<Entry>) -> Result<()> {
        let counts = self.counts.get(portion).map(Vec::as_slice).unwrap_or_default();
        let mut all = 0;
        let mut places: Vec<usize> = counts
            .iter()
            .map(|count| {
                all += *count as usize;
                all - *count as usize
            })
            .collect();
        match into.len() {
            0 => *into = vec![[0; 3]; all],
            _ => into.resize(all, [0; 3]),
        }
        source.each(portion, |entry| {
            let [key, ..] = entry;
            let cell = usize::try_from((key - self.first) >> self.shift).unwrap_or(usize::MAX);
            if let Some(place) = self.range_of.get(cell).and_then(|range| places.get_mut(*range as usize))
                && let Some(slot) = into.get_mut(*place)
            {
                *slot = entry;
                *place += 1;
            }
        })
    }

    /// Where the entries of a range stand in the file, put together to portions that fit the memory.
    fn parts(&self, range: usize, most: usize) -> Vec<Vec<Range<u64>>> {
        let (mut portions, mut last, mut from): (Vec<Vec<Range<u64>>>, _, _) = (Vec::new(), 0, 0);
        for counts in &self.counts {
            let sum = |counts: Option<&[u32]>| counts.unwrap_or_default().iter().map(|n| u64::from(*n)).sum::<u64>();
            let start = from + sum(counts.get(..range));
            let count = counts.get(range).map_or(0, |count| *count as usize);
            from += sum(Some(counts));
            if count == 0 {
                continue;
            }
            let part = start..start + count as u64;
            match portions.last_mut().filter(|_| last + count <= most) {
                Some(portion) => {
                    portion.push(part);
                    last += count;
                }
                None => {
                    portions.push(vec![part]);
                    last = count;
                }
            }
        }
        portions
    }
}

/// Entries in a file that has no name, so that a crash leaves nothing of it.
struct Spill {
    path: PathBuf,
    file: File,
}

impl Spill {
    fn new(dir: &Path) -> Result<Spill> {
        let path = dir.join(SPILL);
        let opened = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = opened.map_err(io(&path))?;
        std::fs::remove_file(&path).map_err(io(&path))?;
        Ok(Spill { path, file })
    }

    fn append(&mut self, entries: &[Entry]) -> Result<()> {
        self.file.write_all(entries.as_bytes()).map_err(io(&self.path))
    }

    /// Reads the entries of some ranges, one after the other.
    fn read(&self, ranges: &[Range<u64>], into: &mut Vec<Entry>) -> Result<()> {
        let all = ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        into.resize(usize::try_from(all).unwrap_or(0), [0; 3]);
        let mut rest = into.as_mut_slice();
        for range in ranges {
            let count = usize::try_from(range.end - range.start).unwrap_or(0);
            let Some((part, after)) = std::mem::take(&mut rest).split_at_mut_checked(count) else { break };
            self.file.read_exact_at(part.as_mut_bytes(), range.start * ENTRY).map_err(io(&self.path))?;
            rest = after;
        }
        Ok(())
    }
}

/// The entries of one range in a file.
struct Parts<'a> {
    spill: &'a Spill,
    portions: Vec<Vec<Range<u64>>>,
}

impl Source for Parts<'_> {
    fn portions(&self) -> usize {
        self.portions.len()
    }

    fn each(&self, portion: usize, mut with: impl FnMut(Entry)) -> Result<()> {
        let mut block = Vec::new();
        for part in self.portions.get(portion).into_iter().flatten() {
            for from in part.clone().step_by(BLOCK) {
                let some = from..part.end.min(from + BLOCK as u64);
                self.spill.read(std::slice::from_ref(&some), &mut block)?;
                block.iter().for_each(|entry| with(*entry));
            }
        }
        Ok(())
    }
}

/// Sorts the entries of a range by key; those of one key stay as they came.
#[derive(Default)]
struct Sorted {
    entries: Vec<Entry>,
    places: Vec<u32>,
}

impl Sorted {
    fn sort(&mut self, bucket: &[Entry], keys: &Range<u64>) -> &[Entry] {
        let first = keys.start >> 24;
        let accounts = usize::try_from((keys.end.saturating_sub(1) >> 24) - first).unwrap_or(usize::MAX);
        // Counting is cheaper than comparing as long as the accounts are not many more than the entries.
        if accounts / 4 > bucket.len() {
            self.entries.clear();
            self.entries.extend_from_slice(bucket);
        } else {
            self.by_account(bucket, first, accounts + 1);
        }
        if !self.entries.is_sorted_by_key(|[key, ..]| *key) {
            self.entries.sort_by_key(|[key, ..]| *key);
        }
        &self.entries
    }

    /// Puts each account's entries together by counting.
    fn by_account(&mut self, bucket: &[Entry], first: u64, accounts: usize) {
        let place = |key: u64| usize::try_from((key >> 24) - first).unwrap_or(usize::MAX);
        self.places.clear();
        self.places.resize(accounts, 0);
        for [key, ..] in bucket {
            if let Some(n) = self.places.get_mut(place(*key)) {
                *n += 1;
            }
        }
        let mut sum = 0;
        for n in &mut self.places {
            (*n, sum) = (sum, sum + *n);
        }
        self.entries.resize(bucket.len(), [0; 3]);
        for entry in bucket {
            let [key, ..] = entry;
            if let Some(at) = self.places.get_mut(place(*key))
                && let Some(slot) = self.entries.get_mut(*at as usize)
            {
                *slot = *entry;
                *at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Portions of so many entries of a list.
    struct Listed(Vec<Entry>, usize);
    impl Source for Listed {
        fn portions(&self) -> usize {
            self.0.len().div_ceil(self.1)
        }
        fn each(&self, portion: usize, with: impl FnMut(Entry)) -> Result<()> {
            self.0.chunks(self.1).nth(portion).into_iter().flatten().copied().for_each(with);
            Ok(())
        }
    }

    #[test]
    fn whatever_fits_the_memory_the_order_is_that_of_a_stable_sort() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = 41u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        // Half of all is one key's, as an exchange's would be; an account has several assets.
        let entries: Vec<Entry> = (0..3_000)
            .map(|n| [if next() % 2 == 0 { (7 << 24) | 1 } else { ((next() % 90) << 24) | (next() % 3) }, next(), n])
            .collect();
        let mut expected = entries.clone();
        expected.sort_by_key(|[key, ..]| *key);
        for portion in [1, 7, 100, 1_499, 3_000, 9_000] {
            for (bucket, buckets) in [(1, 3), (40, 1_000), (9_000, 1)] {
                let mut sorted = Vec::new();
                by_key(
                    dir.path(),
                    &Listed(entries.clone(), portion),
                    0..90 << 24,
                    Limits { portion, bucket, buckets },
                    &mut |piece| {
                        sorted.extend_from_slice(piece);
                        Ok(())
                    },
                )
                .unwrap();
                assert!(sorted == expected, "{portion} at a time, {bucket} in a range, {buckets} ranges");
            }
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left over");
    }
}
