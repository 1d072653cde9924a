//! Whole numbers of 4, 5, 7 and 8 bytes, little-endian, and small files written whole or not at all.
use super::{Result, io};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Write;
use std::path::Path;

/// Largest number of 40 bits; as a row number it means "none".
pub const U40_MAX: u64 = (1 << 40) - 1;
/// Largest number of 56 bits; as a value it means "unknown".
pub const U56_MAX: u64 = (1 << 56) - 1;

/// Reads up to 8 bytes as a little-endian number.
#[inline]
pub fn uint(bytes: &[u8]) -> u64 {
    match *bytes {
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e] => u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]),
        [a, b, c, d, e, f, g] => u64::from_le_bytes([a, b, c, d, e, f, g, 0]),
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => bytes.iter().take(8).rev().fold(0, |n, byte| (n << 8) | u64::from(*byte)),
    }
}

/// The low five bytes.
#[inline]
pub fn u40(n: u64) -> [u8; 5] {
    let [a, b, c, d, e, ..] = n.to_le_bytes();
    [a, b, c, d, e]
}

/// A byte, then the low five bytes.
pub fn put_u40(first: u8, n: u64) -> [u8; 6] {
    let [a, b, c, d, e] = u40(n);
    [first, a, b, c, d, e]
}

/// The low seven bytes.
#[inline]
pub fn u56(n: u64) -> [u8; 7] {
    let [a, b, c, d, e, f, g, _] = n.to_le_bytes();
    [a, b, c, d, e, f, g]
}

/// A map whose keys are numbers or keyed hashes; nobody outside chooses them so that they collide.
pub type Numbers<V> = HashMap<u64, V, BuildHasherDefault<Mix>>;

/// One multiplication: enough for keys that are spread, or dense.
#[derive(Default)]
pub struct Mix(u64);
impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0 ^ u64::from(*byte)));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// A cursor over a small record: each read takes its bytes or says that they are not there.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

/// Replaces a small file whole: beside it first, then over it, then the folder, each made durable.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside).map_err(io(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(io(&beside))?;
    std::fs::rename(&beside, path).map_err(io(path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes a folder's names durable.
pub fn sync_folder(folder: &Path) -> Result<()> {
    std::fs::File::open(folder).and_then(|dir| dir.sync_all()).map_err(io(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_come_back_as_written() {
        for n in [0, 1, 255, 256, 0x01_0203_0405, U40_MAX] {
            assert_eq!(uint(&u40(n)), n);
            assert_eq!(uint(&u56(n)), n);
            assert_eq!(uint(&n.to_le_bytes()), n);
        }
        assert_eq!(uint(&u56(U56_MAX)), U56_MAX);
        assert_eq!(uint(&7u32.to_le_bytes()), 7);
        assert_eq!(uint(&[1, 2]), 513);
    }
}
