//! Salts for commitments: 32 bytes each from the kernel's generator, read in blocks so that a salt costs a copy.

use zeroize::{Zeroize, Zeroizing};

/// Bytes fetched with one system call: 128 salts.
const BLOCK: usize = 4096;

/// The kernel gave no random bytes: nothing may be appended.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes, so nothing can be written safely: {0}")]
pub struct NoRandom(#[from] pub(crate) getrandom::Error);

/// A buffered source of salts; each one is wiped from the buffer when it is handed out.
///
/// ```
/// let mut salts = ledger::Salts::default();
/// assert_ne!(salts.next_salt().unwrap(), salts.next_salt().unwrap());
/// ```
pub struct Salts {
    block: Zeroizing<Vec<u8>>,
}

impl Default for Salts {
    fn default() -> Self {
        Self { block: Zeroizing::new(Vec::with_capacity(BLOCK)) }
    }
}

impl std::fmt::Debug for Salts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Salts").finish_non_exhaustive()
    }
}

impl Salts {
    /// The next salt.
    ///
    /// # Errors
    /// [`NoRandom`] when the operating system gives no random bytes.
    pub fn next_salt(&mut self) -> Result<[u8; 32], NoRandom> {
        if self.block.is_empty() {
            self.block.resize(BLOCK, 0);
            if let Err(error) = getrandom::fill(&mut self.block) {
                self.block.zeroize();
                return Err(error.into());
            }
        }
        let last = self.block.last_chunk_mut::<32>().ok_or(getrandom::Error::UNEXPECTED)?;
        let salt = *last;
        last.zeroize();
        let keep = self.block.len() - salt.len();
        self.block.truncate(keep);
        Ok(salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_never_repeat_across_blocks_and_are_never_zero() {
        let mut salts = Salts::default();
        let drawn: std::collections::HashSet<_> = (0..1000).map(|_| salts.next_salt().unwrap()).collect();
        assert_eq!(drawn.len(), 1000);
        assert!(!drawn.contains(&[0; 32]));
    }
}
