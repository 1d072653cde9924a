//! Sealing small secrets under the wrap key: XChaCha20-Poly1305 with a random nonce of 24 bytes in front.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::Keys;
use crate::salt::NoRandom;

/// Bytes of the nonce that stands before the ciphertext; 192 bits may be drawn at random without counting.
const NONCE: usize = 24;

/// Why something was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Altered, cut, sealed under another key, or for another purpose.
    #[error("the sealed record does not open: it was altered, or belongs to another node or another place")]
    Refused,
    /// No random bytes for the nonce.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

impl Keys {
    /// Seals under the wrap key. `aad` says what this is and where it belongs; opening asks for the same.
    ///
    /// # Errors
    /// [`SealError::Random`]; [`SealError::Refused`] beyond 256 GB.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(NoRandom)?;
        let cipher = XChaCha20Poly1305::new((&*self.wrap).into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad });
        Ok([&nonce[..], &sealed.map_err(|_| SealError::Refused)?].concat())
    }

    /// Opens what [`Keys::seal`] sealed for the same `aad`.
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn unseal(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Refused)?;
        let cipher = XChaCha20Poly1305::new((&*self.wrap).into());
        let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad });
        plain.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_whole_for_its_purpose_and_under_its_key() {
        let root = tempfile::tempdir().unwrap();
        let keys = Keys::create(&root.path().join("one")).unwrap();
        let other = Keys::create(&root.path().join("two")).unwrap();
        let sealed = keys.seal(b"person 7", b"secret").unwrap();
        assert_eq!(**keys.unseal(b"person 7", &sealed).unwrap(), *b"secret");
        assert!(keys.unseal(b"person 8", &sealed).is_err());
        assert!(other.unseal(b"person 7", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.unseal(b"person 7", &changed).is_err(), "{at}");
            assert!(keys.unseal(b"person 7", &sealed[..at]).is_err(), "{at}");
        }
        assert_ne!(sealed, keys.seal(b"person 7", b"secret").unwrap());
    }
}
