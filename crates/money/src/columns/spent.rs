//! Which input spent an output: one number of 40 bits an output, written after the fact, so derived and never believed blindly.
use super::bytes::{Numbers, U40_MAX, u40, uint};
use super::derived::{built_to, write_head};
use super::{Column, Head, Result, Store, io};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Rows that are changed by one write.
const CHUNK: u64 = 4096;

/// The column `out.spent`. A pointer is believed only if the input it names spends that very output, so what unwinding or a
/// crash leaves behind can never mislead; the caller of [`Spent::get`] makes that check.
#[derive(Debug)]
pub struct Spent {
    column: Column,
    head_path: PathBuf,
    patches: Numbers<u64>,
}

impl Spent {
    /// Opens the column. Returns it with how many blocks it is built to; the caller spends the inputs of the blocks behind.
    pub fn open(store: &Store, outputs: u64) -> Result<(Spent, u64)> {
        let path = store.dir().join("out.spent");
        let head_path = store.dir().join("out.spent.head");
        let write = store.writes();
        let len = outputs * 5;
        let whole = Column::file_len(&path)? >= len;
        let built = if whole { built_to(&head_path, store)?.unwrap_or(0) } else { 0 };
        let mut column = Column::open(&path, 5, if whole { len } else { 0 }, write)?;
        match column.file() {
            // A hole reads as input 0, which is looked at like any other pointer.
            Some(file) if write && !whole => {
                file.set_len(len).map_err(io(&path))?;
                column.remap(len)?;
            }
            _ if !whole => column.push(&vec![0xff; usize::try_from(len).unwrap_or(0)]),
            _ => {}
        }
        Ok((Spent { column, head_path, patches: Numbers::default() }, built))
    }

    /// Gives a new output its row.
    #[inline]
    pub fn add_output(&mut self) {
        self.column.push(&[0xff; 5]);
    }

    /// The input that is said to spend `output`: believe it after a look at the input.
    #[inline]
    pub fn get(&self, output: u64) -> Option<u64> {
        let said = match self.patches.get(&output) {
            Some(input) => *input,
            None => uint(self.column.row(output)?),
        };
        (said != U40_MAX).then_some(said)
    }

    /// Notes that `input` spends `output`.
    #[inline]
    pub fn set(&mut self, output: u64, input: u64) {
        self.patches.insert(output, input);
    }

    /// How many notes wait in memory.
    pub fn waiting(&self) -> usize {
        self.patches.len()
    }

    /// Takes back the rows behind `outputs`, and every note for inputs from `inputs` on.
    pub fn take_back(&mut self, outputs: u64, inputs: u64) {
        self.column.take_back(outputs * 5);
        self.patches.retain(|_, input| *input < inputs);
    }

    /// Writes the new rows, then the notes, in chunks of neighbours; durable on return.
    pub fn flush(&mut self) -> Result<()> {
        self.column.flush()?;
        let mut notes: Vec<(u64, u64)> = self.patches.drain().collect();
        notes.sort_unstable();
        for near in notes.chunk_by(|a, b| a.0 / CHUNK == b.0 / CHUNK) {
            self.patch(near)?;
        }
        self.column.sync()?;
        self.column.remap(self.column.len())
    }

    fn patch(&mut self, near: &[(u64, u64)]) -> Result<()> {
        let (Some((first, _)), Some((last, _))) = (near.first(), near.last()) else { return Ok(()) };
        let Some(file) = self.column.file() else { return Ok(()) };
        let mut rows = vec![0; usize::try_from((last - first + 1) * 5).unwrap_or(0)];
        file.read_exact_at(&mut rows, first * 5).map_err(io(self.column.path()))?;
        for (output, input) in near {
            let at = usize::try_from((output - first) * 5).unwrap_or(0);
            if let Some(row) = rows.get_mut(at..at + 5) {
                row.copy_from_slice(&u40(*input));
            }
        }
        file.write_all_at(&rows, first * 5).map_err(io(self.column.path()))?;
        self.column.touched();
        Ok(())
    }

    /// Says up to which block the column is built, after that block is committed or before it is unwound.
    pub fn set_head(&self, head: Option<Head>) -> Result<()> {
        write_head(&self.head_path, head)
    }

    /// Forgets the rows behind `outputs`, which were unwound.
    pub fn unwind(&mut self, outputs: u64) -> Result<()> {
        self.patches.clear();
        self.column.remap(outputs * 5)
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.column.len()
    }
}
