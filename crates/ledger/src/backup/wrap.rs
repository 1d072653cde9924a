//! The node's keys in a backup: sealed with HPKE (RFC 9180; X25519, HKDF-SHA256, ChaCha20-Poly1305) for each recipient. A
//! passphrase is a recipient too, whose key pair is derived from it with Argon2id (RFC 9106).
mod recovery;

use crate::keys::{PACKED, Packed};
use crate::{Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use recovery::{PrivateKey, PublicKey, privates, public, public_text};
use serde::{Deserialize, Serialize};
use std::io::Read;
use zeroize::Zeroizing;

pub use recovery::RecoveryKey;

type Kem = X25519HkdfSha256;

/// The file in a backup.
pub(super) const WRAPPED: &str = "keys.wrapped";
/// How a manifest names a passphrase among those who can open.
pub(super) const PASSPHRASE: &str = "passphrase";
/// The file's first field, and what HPKE binds each sealing to.
const FORMAT: &str = "compound-eye-keys/1";
/// The fewest characters of a passphrase: whoever has the file may try for ever.
const SHORTEST: usize = 12;
/// A file longer than this is none of ours.
const LONGEST: u64 = 1 << 20;
/// Recipients of one backup.
const MOST_RECIPIENTS: usize = 100;

/// To whom a backup's keys are sealed. There is no way to copy them in the clear.
pub struct Wrap(To);

enum To {
    Recipients(Vec<PublicKey>),
    Passphrase(Zeroizing<String>),
}

/// What opens a backup's keys.
pub struct Unwrap(With);

enum With {
    Nothing,
    Keys(Vec<PrivateKey>),
    Passphrase(Zeroizing<String>),
}

/// The file.
#[derive(Serialize, Deserialize)]
struct WrappedKeys {
    format: String,
    /// The node whose keys they are; sealed with them.
    node: String,
    sealed: Vec<Sealed>,
}

/// The keys, for one recipient.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Public key, or `passphrase`.
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    argon2id: Option<Derivation>,
    /// The encapsulated key, hex.
    enc: String,
    /// The ciphertext, hex.
    keys: String,
}

/// How a passphrase becomes a key pair.
#[derive(Serialize, Deserialize)]
struct Derivation {
    /// Hex, 16 bytes.
    salt: String,
    kib: u32,
    passes: u32,
    lanes: u32,
}

impl std::fmt::Debug for Wrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wrap").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Unwrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unwrap").finish_non_exhaustive()
    }
}

impl Wrap {
    /// For the holders of these recovery keys: public keys, `eyerecovery1…` each.
    ///
    /// # Errors
    /// [`Error::Limit`] for none, too many, or one that is no such key.
    pub fn to_recipients(keys: &[impl AsRef<str>]) -> Result<Self> {
        if keys.is_empty() || keys.len() > MOST_RECIPIENTS {
            let n = keys.len();
            return Err(Error::Limit(format!("{n} recipients of a backup; between 1 and {MOST_RECIPIENTS} can be")));
        }
        Ok(Self(To::Recipients(keys.iter().map(|key| public(key.as_ref())).collect::<Result<_>>()?)))
    }

    /// Under a passphrase.
    ///
    /// # Errors
    /// [`Error::Limit`] when it is shorter than twelve characters.
    pub fn under_passphrase(passphrase: Zeroizing<String>) -> Result<Self> {
        if passphrase.chars().count() < SHORTEST {
            let text = format!("a backup's passphrase has at least {SHORTEST} characters; several words are best");
            return Err(Error::Limit(text));
        }
        Ok(Self(To::Passphrase(passphrase)))
    }

    /// The file's bytes, and whom they name.
    pub(super) fn wrap(&self, node: &str, keys: &Packed) -> Result<(Vec<u8>, Vec<String>)> {
        let sealed = match &self.0 {
            To::Recipients(all) => {
                all.iter().map(|key| seal(public_text(key)?, None, key, node, keys)).collect::<Result<Vec<_>>>()?
            }
            To::Passphrase(phrase) => {
                let how = Derivation::new()?;
                let (_, key) = how.pair(phrase)?;
                vec![seal(PASSPHRASE.into(), Some(how), &key, node, keys)?]
            }
        };
        let names = sealed.iter().map(|sealed| sealed.to.clone()).collect();
        let file = WrappedKeys { format: FORMAT.into(), node: node.into(), sealed };
        let bytes = serde_json::to_vec_pretty(&file).map_err(|e| Error::Failed(e.to_string()))?;
        Ok((bytes, names))
    }
}

fn seal(to: String, argon2id: Option<Derivation>, key: &PublicKey, node: &str, keys: &Packed) -> Result<Sealed> {
    let (enc, sealed) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        key,
        FORMAT.as_bytes(),
        &keys[..],
        node.as_bytes(),
    )
    .map_err(|e| Error::Limit(format!("nothing can be sealed for {to}: {e}")))?;
    Ok(Sealed { to, argon2id, enc: hex::encode(enc.to_bytes()), keys: hex::encode(sealed) })
}

impl Derivation {
    /// RFC 9106 section 4, the second recommended choice: 64 MiB, three passes, four lanes.
    fn new() -> Result<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|e| Error::Failed(e.to_string()))?;
        Ok(Self { salt: hex::encode(salt), kib: 64 << 10, passes: 3, lanes: 4 })
    }

    /// What a file asks for may cost a gigabyte and some seconds, no more.
    fn pair(&self, phrase: &str) -> Result<(PrivateKey, PublicKey)> {
        let wrong = || damaged("it asks for work that no backup of this program asks for");
        if self.kib > 1 << 20 || self.passes > 16 || self.lanes > 16 {
            return Err(wrong());
        }
        let params = Params::new(self.kib, self.passes, self.lanes, Some(32)).map_err(|_| wrong())?;
        let salt: [u8; 16] = hex_of(&self.salt)?;
        let mut ikm = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(phrase.as_bytes(), &salt, &mut ikm[..])
            .map_err(|e| Error::Failed(format!("the passphrase's key: {e}")))?;
        Ok(Kem::derive_keypair(&ikm[..]))
    }
}

impl Unwrap {
    /// For a backup from before keys were wrapped.
    #[must_use]
    pub fn nothing() -> Self {
        Self(With::Nothing)
    }

    /// With the private keys of a file, as [`RecoveryKey::file`] writes it.
    ///
    /// # Errors
    /// [`Error::Limit`] when it holds none.
    pub fn with_recovery_keys(file: &str) -> Result<Self> {
        privates(file).map(With::Keys).map(Self)
    }

    /// With the passphrase.
    #[must_use]
    pub fn with_passphrase(passphrase: Zeroizing<String>) -> Self {
        Self(With::Passphrase(passphrase))
    }

    /// # Errors
    /// [`Error::Limit`] when this does not open it, [`Error::Damaged`] when nothing can.
    pub(super) fn unwrap(&self, node: &str, wrapped: &[u8]) -> Result<Packed> {
        let file: WrappedKeys = serde_json::from_slice(wrapped).map_err(|e| damaged(&e.to_string()))?;
        if file.format != FORMAT {
            return Err(damaged(&format!("it is of format {}, this program reads {FORMAT}", file.format)));
        }
        if file.node != node || file.sealed.len() > MOST_RECIPIENTS {
            return Err(damaged("it holds another node's keys"));
        }
        match &self.0 {
            With::Nothing => Err(Error::Limit(format!(
                "the backup's keys are sealed: {} opens them",
                file.sealed.iter().map(|s| s.to.as_str()).collect::<Vec<_>>().join(", or ")
            ))),
            With::Passphrase(phrase) => {
                let under = file.sealed.iter().find_map(|sealed| Some((sealed, sealed.argon2id.as_ref()?)));
                let Some((sealed, how)) = under else {
                    return Err(Error::Limit("the backup is under no passphrase: a recovery key opens it".into()));
                };
                let (key, _) = how.pair(phrase)?;
                let opened = sealed.open(&key, node)?;
                opened.ok_or_else(|| Error::Limit("the passphrase does not open the backup's keys".into()))
            }
            With::Keys(keys) => {
                for (sealed, key) in file.sealed.iter().flat_map(|s| keys.iter().map(move |key| (s, key))) {
                    if sealed.argon2id.is_none()
                        && let Some(opened) = sealed.open(key, node)?
                    {
                        return Ok(opened);
                    }
                }
                Err(Error::Limit("no recovery key of this file opens the backup's keys".into()))
            }
        }
    }
}

impl Sealed {
    /// `None`: not with this key, or not as it was sealed.
    fn open(&self, key: &PrivateKey, node: &str) -> Result<Option<Packed>> {
        let enc: [u8; 32] = hex_of(&self.enc)?;
        let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&enc).map_err(|e| damaged(&e.to_string()))?;
        let sealed = hex::decode(&self.keys).map_err(|e| damaged(&e.to_string()))?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            key,
            &enc,
            FORMAT.as_bytes(),
            &sealed,
            node.as_bytes(),
        );
        let Ok(opened) = opened.map(Zeroizing::new) else { return Ok(None) };
        let mut keys = Zeroizing::new([0; PACKED]);
        if opened.len() != keys.len() {
            return Err(damaged("it does not hold a node's keys"));
        }
        keys.copy_from_slice(&opened);
        Ok(Some(keys))
    }
}

fn hex_of<const N: usize>(text: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|e| damaged(&e.to_string()))?;
    Ok(bytes)
}

fn damaged(why: &str) -> Error {
    Error::Damaged(format!("{WRAPPED} in the backup: {why}"))
}

/// The file of a backup, whole.
pub(super) fn read(path: &std::path::Path) -> Result<Vec<u8>> {
    let what = || format!("reading {}", path.display());
    let file = std::fs::File::open(path).map_err(Error::io(what()))?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(Error::io(what()))?;
    Ok(bytes)
}

/// What is fuzzed: a file of a backup that somebody else made.
#[cfg(any(test, fuzzing))]
pub(crate) fn unwrap_anything(file: &[u8]) {
    let key = Unwrap(With::Keys(vec![Kem::derive_keypair(&[7; 32]).0]));
    for with in [key, Unwrap::nothing()] {
        assert!(with.unwrap("0123456789abcdef", file).is_err(), "nothing was sealed for this key");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "0123456789abcdef";

    fn keys() -> Packed {
        let mut keys = Zeroizing::new([0; PACKED]);
        getrandom::fill(&mut keys[..]).unwrap();
        keys
    }

    fn phrase(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    fn opener(key: &RecoveryKey) -> Unwrap {
        Unwrap::with_recovery_keys(&key.file()).unwrap()
    }

    #[test]
    fn each_recipient_opens_the_keys_and_nobody_else() {
        let keys = keys();
        let [one, two, other] = std::array::from_fn(|_| RecoveryKey::generate().unwrap());
        let wrap = Wrap::to_recipients(&[one.public(), two.public()]).unwrap();
        let (wrapped, names) = wrap.wrap(NODE, &keys).unwrap();
        assert_eq!(names, [one.public(), two.public()]);
        for key in [&one, &two] {
            assert_eq!(opener(key).unwrap(NODE, &wrapped).unwrap(), keys);
        }
        for not in [opener(&other), Unwrap::with_passphrase(phrase("EXERCISE words")), Unwrap::nothing()] {
            assert!(matches!(not.unwrap(NODE, &wrapped), Err(Error::Limit(_))));
        }
        assert!(matches!(opener(&one).unwrap("fedcba9876543210", &wrapped), Err(Error::Damaged(_))));
        assert_ne!(wrapped, wrap.wrap(NODE, &keys).unwrap().0, "sealed anew each time");
        let text = String::from_utf8(wrapped).unwrap();
        assert!(keys.chunks(8).all(|part| !text.contains(&hex::encode(part))));
    }

    #[test]
    fn a_passphrase_opens_the_keys_and_no_other_one() {
        let keys = keys();
        let wrap = Wrap::under_passphrase(phrase("EXERCISE several words")).unwrap();
        let (wrapped, names) = wrap.wrap(NODE, &keys).unwrap();
        assert_eq!(names, [PASSPHRASE]);
        let right = Unwrap::with_passphrase(phrase("EXERCISE several words"));
        assert_eq!(right.unwrap(NODE, &wrapped).unwrap(), keys);
        let refused = Unwrap::with_passphrase(phrase("EXERCISE several word")).unwrap(NODE, &wrapped).unwrap_err();
        assert!(refused.to_string().contains("passphrase does not open"), "{refused}");
        let said = Unwrap::nothing().unwrap(NODE, &wrapped).unwrap_err().to_string();
        assert!(said.contains("passphrase opens them"), "{said}");
        let costly = String::from_utf8(wrapped).unwrap().replace("\"kib\": 65536", "\"kib\": 4000000000");
        assert!(matches!(right.unwrap(NODE, costly.as_bytes()), Err(Error::Damaged(_))));
    }

    #[test]
    fn a_changed_or_cut_file_opens_for_nobody_or_as_it_was() {
        let (keys, key) = (keys(), RecoveryKey::generate().unwrap());
        let (wrapped, _) = Wrap::to_recipients(&[key.public()]).unwrap().wrap(NODE, &keys).unwrap();
        let unwrap = opener(&key);
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            // Only the name of the recipient and blanks mean nothing.
            assert!(unwrap.unwrap(NODE, &changed).map_or(true, |opened| opened == keys), "{at}");
            assert!(unwrap.unwrap(NODE, &wrapped[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_in_a_public_key_is_found_before_anything_is_sealed() {
        let key = RecoveryKey::generate().unwrap();
        let text = key.public();
        for at in 0..text.len() {
            let mut slip = text.as_bytes().to_vec();
            slip[at] = if slip[at] == b'q' { b'p' } else { b'q' };
            assert!(Wrap::to_recipients(&[String::from_utf8(slip).unwrap()]).is_err(), "{at}");
        }
        assert!(Wrap::to_recipients(&[text.to_uppercase()]).is_ok());
        assert!(Wrap::to_recipients(&[] as &[&str]).is_err());
        assert!(Wrap::under_passphrase(phrase("EXERCISE")).is_err());
        for wrong in ["", "# nothing\n", text, "eyesecret1qqqq"] {
            let said = Unwrap::with_recovery_keys(wrong).unwrap_err().to_string();
            assert!(said.contains("recovery key's file"), "{said}");
        }
        assert!(!format!("{key:?}").contains("eyesecret"));
    }
}
