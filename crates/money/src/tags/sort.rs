//! An index written in one go, however many entries there are: sorted parts of a bounded size, then one merge.
use crate::columns::{Entry, FRESH, Run, merged};
use crate::columns::{Result, io};
use std::path::{Path, PathBuf};

/// Gathers entries in any order.
pub struct Sorter {
    path: PathBuf,
    fresh: Vec<Entry>,
    parts: Vec<Run>,
    limit: usize,
}

impl Sorter {
    /// For the run that will stand at `path`; parts stand beside it until then.
    pub fn new(path: &Path) -> Sorter {
        Sorter::with_limit(path, FRESH)
    }

    fn with_limit(path: &Path, limit: usize) -> Sorter {
        Sorter { path: path.to_owned(), fresh: Vec::new(), parts: Vec::new(), limit }
    }

    /// Adds an entry.
    pub fn push(&mut self, hash: u64, row: u32) -> Result<()> {
        self.fresh.push((hash, row));
        if self.fresh.len() < self.limit {
            return Ok(());
        }
        self.fresh.sort_unstable();
        let part = self.part(self.parts.len());
        self.parts.push(Run::write(&part, self.fresh.len() as u64, self.fresh.drain(..))?);
        Ok(())
    }

    /// Writes the run and removes the parts; says how many bytes it has.
    pub fn finish(mut self) -> Result<u64> {
        self.fresh.sort_unstable();
        if self.parts.is_empty() {
            return Ok(Run::write(&self.path, self.fresh.len() as u64, self.fresh.into_iter())?.bytes());
        }
        let last = self.part(self.parts.len());
        self.parts.push(Run::write(&last, self.fresh.len() as u64, self.fresh.drain(..))?);
        let rows = self.parts.iter().map(Run::rows).sum();
        let run = Run::write(&self.path, rows, merged(&self.parts))?;
        for n in 0..self.parts.len() {
            let part = self.part(n);
            std::fs::remove_file(&part).map_err(io(&part))?;
        }
        Ok(run.bytes())
    }

    fn part(&self, n: usize) -> PathBuf {
        self.path.with_extension(format!("run.{n}.part"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_the_same_whether_it_fitted_in_memory_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, limit| {
            let path = dir.path().join(name);
            let mut sorter = Sorter::with_limit(&path, limit);
            for row in 0..1000u32 {
                sorter.push(u64::from(row % 100).wrapping_mul(0x9e37_79b9_7f4a_7c15), row).unwrap();
            }
            sorter.finish().unwrap();
            std::fs::read(&path).unwrap()
        };
        assert_eq!(write("whole.run", 5000), write("parts.run", 64));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
