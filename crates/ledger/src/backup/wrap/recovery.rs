//! Recovery keys: an X25519 key pair whose private half never meets the node. Both are written in Bech32m (BIP 350), so
//! that a slip of the pen is found before a backup is sealed for nobody.
use super::Kem;
use crate::{Error, Result};
use bech32::{Bech32m, Hrp};
use hpke::{Deserializable, Kem as _, Serializable};
use zeroize::Zeroizing;

/// What a public key begins with.
const PUBLIC: &str = "eyerecovery";
/// And a private one.
const PRIVATE: &str = "eyesecret";
/// An identity file is no longer than this.
const LONGEST: usize = 64 << 10;

pub(super) type PublicKey = <Kem as hpke::Kem>::PublicKey;
pub(super) type PrivateKey = <Kem as hpke::Kem>::PrivateKey;

/// A new key pair for a backup's recipient.
///
/// ```
/// let key = ledger::RecoveryKey::generate().unwrap();
/// assert!(key.public().starts_with("eyerecovery1"));
/// let wrap = ledger::Wrap::to_recipients(&[key.public()]).unwrap();
/// let unwrap = ledger::Unwrap::with_recovery_keys(&key.file()).unwrap();
/// # let _ = (wrap, unwrap);
/// ```
pub struct RecoveryKey {
    public: String,
    private: Zeroizing<String>,
}

impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveryKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl RecoveryKey {
    /// Draws one.
    ///
    /// # Errors
    /// [`Error::Failed`] when the machine has no random bytes.
    pub fn generate() -> Result<Self> {
        let mut ikm = Zeroizing::new([0; 32]);
        getrandom::fill(&mut ikm[..]).map_err(|e| Error::Failed(e.to_string()))?;
        // RFC 9180 section 7.1.3: a key pair out of 32 random bytes.
        let (private, public) = Kem::derive_keypair(&ikm[..]);
        let private = Zeroizing::new(text(PRIVATE, &Zeroizing::new(<[u8; 32]>::from(private.to_bytes()))[..])?);
        Ok(Self { public: public_text(&public)?, private })
    }

    /// The public key: what `eye backup --recipient` takes.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// What the file says that its holder keeps apart from the node.
    #[must_use]
    pub fn file(&self) -> Zeroizing<String> {
        let (public, private) = (&self.public, &*self.private);
        let kept =
            "# Opens the keys in backups of a Compound Eye node. Keep it away from the node and from its backups.";
        Zeroizing::new(format!("{kept}\n# public key: {public}\n{private}\n"))
    }
}

pub(super) fn public_text(key: &PublicKey) -> Result<String> {
    text(PUBLIC, &key.to_bytes())
}

/// A public key as it was written.
pub(super) fn public(text: &str) -> Result<PublicKey> {
    let read = || -> Option<PublicKey> {
        let (hrp, bytes) = bech32::decode(text.trim()).ok()?;
        (hrp.as_str().eq_ignore_ascii_case(PUBLIC)).then_some(())?;
        PublicKey::from_bytes(&bytes).ok()
    };
    read().ok_or_else(|| {
        Error::Limit(format!(
            "the recipient {} is no public key of a recovery key: {PUBLIC}1…, as `eye recovery-key` prints it",
            text.trim()
        ))
    })
}

/// The private keys of a file: a line each, `#` before what is none.
pub(super) fn privates(file: &str) -> Result<Vec<PrivateKey>> {
    let wrong = |why: &str| Error::Limit(format!("the recovery key's file {why}"));
    if file.len() > LONGEST {
        return Err(wrong("is too long for one"));
    }
    let mut keys = Vec::new();
    for (n, line) in file.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = || -> Option<PrivateKey> {
            let (hrp, bytes) = bech32::decode(line).ok()?;
            let bytes = Zeroizing::new(bytes);
            (hrp.as_str().eq_ignore_ascii_case(PRIVATE)).then_some(())?;
            PrivateKey::from_bytes(&bytes).ok()
        };
        keys.push(read().ok_or_else(|| wrong(&format!("holds no key {PRIVATE}1… in line {}", n + 1)))?);
    }
    if keys.is_empty() { Err(wrong(&format!("holds no key {PRIVATE}1…"))) } else { Ok(keys) }
}

fn text(prefix: &str, bytes: &[u8]) -> Result<String> {
    let hrp = Hrp::parse(prefix).map_err(|e| Error::Failed(e.to_string()))?;
    bech32::encode::<Bech32m>(hrp, bytes).map_err(|e| Error::Failed(e.to_string()))
}
