//! The co-spend input as files, read through a map: pages of the file are the system's, not ours.
use super::{Error, Spends};
use memmap2::Mmap;
use std::fs::File;
use std::path::{Path, PathBuf};
use zerocopy::FromBytes;

#[cfg(target_endian = "big")]
compile_error!("the columns are little-endian and read in place");

/// `offsets.u64.bin` and `inputs.u32.bin` of a folder, little-endian, without header.
#[derive(Debug)]
pub struct SpendFiles {
    offsets: (PathBuf, Mmap),
    inputs: (PathBuf, Mmap),
}

impl SpendFiles {
    /// Maps both files.
    ///
    /// # Errors
    /// [`Error::Read`] when one is absent or cannot be mapped.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Ok(Self { offsets: map(folder.join("offsets.u64.bin"))?, inputs: map(folder.join("inputs.u32.bin"))? })
    }

    /// The columns in place. `addresses` is the dictionary's size; without it the inputs are read once for their greatest id.
    ///
    /// # Errors
    /// [`Error::Size`] for a file that is not whole rows, and those of [`Spends::new`].
    pub fn spends(&self, addresses: Option<u32>) -> Result<Spends<'_>, Error> {
        let offsets = <[u64]>::ref_from_bytes(&self.offsets.1).map_err(|_| Error::Size(self.offsets.0.clone()))?;
        let inputs = <[u32]>::ref_from_bytes(&self.inputs.1).map_err(|_| Error::Size(self.inputs.0.clone()))?;
        let addresses = match addresses {
            Some(n) => n,
            None => inputs.iter().max().map_or(Ok(0), |&id| id.checked_add(1).ok_or(Error::TooMany))?,
        };
        Spends::new(offsets, inputs, addresses)
    }
}

#[allow(unsafe_code)]
fn map(path: PathBuf) -> Result<(PathBuf, Mmap), Error> {
    let file = File::open(&path).map_err(|e| Error::Read(path.clone(), e))?;
    // SAFETY: the map is read-only, and columns are append-only: a file never shrinks or changes below its head while it is mapped.
    // The one unsafe block of this room: a copy on the heap would cost the input's size in anonymous memory.
    let mapped = unsafe { Mmap::map(&file) }.map_err(|e| Error::Read(path.clone(), e))?;
    Ok((path, mapped))
}
