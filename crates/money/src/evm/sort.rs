//! Sorting more records than memory holds: runs in files that have no name, merged as they are read.
use crate::chain::{Result, io};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

/// Bytes of records that wait in memory before they become a run.
const RUN: usize = 64 << 20;
/// What a record costs beside its bytes.
const OVERHEAD: usize = 64;

/// A record: where it belongs, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Records come back in the order of their keys.
    pub key: Vec<u8>,
    /// Whatever belongs to the key.
    pub body: Vec<u8>,
}

/// Takes records in any order.
#[derive(Debug)]
pub struct Sorter {
    folder: PathBuf,
    waiting: Vec<Record>,
    bytes: usize,
    run: usize,
    runs: Vec<BufReader<File>>,
}

impl Sorter {
    /// A sorter that puts what does not fit its memory into `folder`.
    pub fn new(folder: &Path) -> Sorter {
        Sorter { folder: folder.to_owned(), waiting: Vec::new(), bytes: 0, run: RUN, runs: Vec::new() }
    }

    /// The same with so many bytes in memory.
    #[cfg(test)]
    pub fn with_run(self, run: usize) -> Sorter {
        Sorter { run, ..self }
    }

    /// Takes a record.
    pub fn push(&mut self, key: Vec<u8>, body: Vec<u8>) -> Result<()> {
        self.bytes += key.len() + body.len() + OVERHEAD;
        self.waiting.push(Record { key, body });
        if self.bytes >= self.run { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<()> {
        self.waiting.sort_unstable();
        let path = self.folder.join(format!("sort.{}.{}", std::process::id(), self.runs.len()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(io(&path))?;
        // Without a name it is gone with this process, whatever ends it.
        std::fs::remove_file(&path).map_err(io(&path))?;
        let mut writer = BufWriter::new(file);
        for record in self.waiting.drain(..) {
            write_record(&mut writer, &record).map_err(io(&path))?;
        }
        let mut file = writer.into_inner().map_err(|error| io(&path)(error.into_error()))?;
        file.rewind().map_err(io(&path))?;
        self.runs.push(BufReader::new(file));
        self.bytes = 0;
        Ok(())
    }

    /// All records, in order.
    pub fn sorted(mut self) -> Result<Sorted> {
        self.waiting.sort_unstable();
        let mut sorted =
            Sorted { folder: self.folder, memory: self.waiting.into_iter(), runs: self.runs, heap: BinaryHeap::new() };
        // Source 0 is what is still in memory, 1 the first run.
        for source in 0..=sorted.runs.len() {
            sorted.refill(source)?;
        }
        Ok(sorted)
    }
}

/// Records in order.
#[derive(Debug)]
pub struct Sorted {
    folder: PathBuf,
    memory: std::vec::IntoIter<Record>,
    runs: Vec<BufReader<File>>,
    heap: BinaryHeap<Reverse<(Record, usize)>>,
}

impl Sorted {
    fn refill(&mut self, source: usize) -> Result<()> {
        let next = match source.checked_sub(1).and_then(|run| self.runs.get_mut(run)) {
            Some(run) => read_record(run).map_err(io(&self.folder))?,
            None => self.memory.next(),
        };
        self.heap.extend(next.map(|record| Reverse((record, source))));
        Ok(())
    }

    /// The next record.
    pub fn next(&mut self) -> Result<Option<Record>> {
        let Some(Reverse((record, source))) = self.heap.pop() else { return Ok(None) };
        self.refill(source)?;
        Ok(Some(record))
    }

    /// The key of the next record.
    pub fn peek(&self) -> Option<&[u8]> {
        self.heap.peek().map(|Reverse((record, _))| record.key.as_slice())
    }
}

fn write_record(into: &mut impl Write, record: &Record) -> std::io::Result<()> {
    let len = |part: &[u8]| u32::try_from(part.len()).map_err(|_| std::io::Error::other("a record of more than 4 GiB"));
    into.write_all(&len(&record.key)?.to_le_bytes())?;
    into.write_all(&len(&record.body)?.to_le_bytes())?;
    into.write_all(&record.key)?;
    into.write_all(&record.body)
}

fn read_record(from: &mut impl BufRead) -> std::io::Result<Option<Record>> {
    if from.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut len = || {
        let mut len = [0; 4];
        from.read_exact(&mut len).map(|()| u32::from_le_bytes(len) as usize)
    };
    let (key, body) = (len()?, len()?);
    let mut part = |len: usize| {
        let mut bytes = vec![0; len];
        from.read_exact(&mut bytes).map(|()| bytes)
    };
    Ok(Some(Record { key: part(key)?, body: part(body)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_order_whether_they_fit_the_memory_or_not() {
        let dir = tempfile::tempdir().unwrap();
        for run in [1, 500, 1 << 20] {
            let mut sorter = Sorter::new(dir.path()).with_run(run);
            for n in (0..100u16).filter_map(|n| u8::try_from(n * 37 % 100).ok()) {
                sorter.push(vec![n / 10], vec![n; usize::from(n)]).unwrap();
            }
            let mut sorted = sorter.sorted().unwrap();
            assert_eq!(sorted.peek(), Some(&[0u8][..]));
            let mut found = Vec::new();
            while let Some(record) = sorted.next().unwrap() {
                assert!(record.body.iter().all(|byte| usize::from(*byte) == record.body.len()));
                found.push(record.body.len());
            }
            assert_eq!(found, (0..100).collect::<Vec<_>>(), "{run}");
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a run has no name");
        }
    }
}
