//! The folder `keys/`: four secrets of 32 bytes, one file each, and what is computed with them.
//!
//! Whoever reads this folder is administrator: can sign as the node, find guessable ids, forge sessions and open what
//! is sealed. Nothing here is ever printed or logged; everything is wiped from memory on drop.

mod keyed;
mod seal;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use rustix::{fs::OFlags, io::Errno};
use zeroize::Zeroizing;

pub use keyed::{RowKey, keyed_hash64, keyed_id};
pub use seal::SealError;

/// The files in `keys/`, in the order of the fields of [`Keys`].
pub(crate) const FILES: [&str; 4] = ["signing", "index-hmac", "cookie", "wrap"];
/// Bytes in each file.
const KEY_BYTES: usize = 32;
/// Bits that nobody but the owner may have.
const OTHERS: u32 = 0o077;

type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// All keys, one after the other, in the order of [`FILES`]: how they travel, wrapped, in a backup.
pub(crate) type Packed = Zeroizing<[u8; PACKED]>;
/// Bytes of them.
pub(crate) const PACKED: usize = KEY_BYTES * FILES.len();

/// Why the keys could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The folder is there already: keys are made once.
    #[error("{0} exists already; keys are made once, by `eye init`, and never overwritten")]
    Exists(PathBuf),
    /// A file or the folder is not there.
    #[error("{0} is missing; restore it from the backup of the keys")]
    Missing(PathBuf),
    /// Group or others have rights on it.
    #[error("{path} may be read or changed by others (mode {mode:04o}); run: chmod {due} {path}", path = .path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        due: &'static str,
    },
    /// It belongs to another user of the machine.
    #[error("{path} belongs to user {uid}, not to the user this runs as", path = .path.display())]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// Not a regular file of 32 random bytes, or not a folder.
    #[error("{0} is damaged (not 32 bytes, empty, or not a plain file); restore it from the backup of the keys")]
    Damaged(PathBuf),
    /// The operating system failed.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        #[source]
        error: io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] crate::salt::NoRandom),
}

/// The node's secrets.
///
/// ```
/// let dir = tempfile::tempdir().unwrap();
/// let made = ledger::Keys::create(&dir.path().join("keys")).unwrap();
/// let read = ledger::Keys::open(&dir.path().join("keys")).unwrap();
/// assert_eq!(made.signing().verifying_key(), read.signing().verifying_key());
/// ```
pub struct Keys {
    signing: SigningKey,
    index_hmac: Secret,
    cookie: Secret,
    wrap: Secret,
    row: RowKey,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let public = hex::encode(self.signing.verifying_key().as_bytes());
        f.debug_struct("Keys").field("public", &public).finish_non_exhaustive()
    }
}

impl Keys {
    /// Makes the folder (0700) with four new keys (0600). It is built beside and renamed, so it is there whole or
    /// not at all, whenever the machine stops.
    ///
    /// # Errors
    /// [`KeysError::Exists`] when the folder is there and not empty; else what the operating system says.
    pub fn create(dir: &Path) -> Result<Self, KeysError> {
        let mut secrets: [Secret; FILES.len()] = std::array::from_fn(|_| Secret::default());
        for secret in &mut secrets {
            getrandom::fill(secret.as_mut()).map_err(crate::salt::NoRandom)?;
        }
        Self::lay_down(dir, &secrets)?;
        Ok(Self::from_secrets(secrets))
    }

    /// As [`Keys::create`], with the keys of a backup.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub(crate) fn create_from(dir: &Path, packed: &Packed) -> Result<Self, KeysError> {
        let secrets = Self::unpacked(packed);
        Self::lay_down(dir, &secrets)?;
        Ok(Self::from_secrets(secrets))
    }

    /// Keys in memory alone.
    pub(crate) fn from_packed(packed: &Packed) -> Self {
        Self::from_secrets(Self::unpacked(packed))
    }

    fn unpacked(packed: &Packed) -> [Secret; FILES.len()] {
        let mut secrets: [Secret; FILES.len()] = std::array::from_fn(|_| Secret::default());
        for (secret, bytes) in secrets.iter_mut().zip(packed.as_chunks::<KEY_BYTES>().0) {
            secret.copy_from_slice(bytes);
        }
        secrets
    }

    /// To be wrapped, and nothing else.
    pub(crate) fn packed(&self) -> Packed {
        let mut packed = Zeroizing::new([0; PACKED]);
        let signing = Zeroizing::new(self.signing.to_bytes());
        let secrets = [&signing, &self.index_hmac, &self.cookie, &self.wrap];
        for (bytes, secret) in packed.as_chunks_mut::<KEY_BYTES>().0.iter_mut().zip(secrets) {
            bytes.copy_from_slice(&secret[..]);
        }
        packed
    }

    fn lay_down(dir: &Path, secrets: &[Secret; FILES.len()]) -> Result<(), KeysError> {
        let beside = dir.with_extension("unfinished");
        clear(&beside)?;
        DirBuilder::new().mode(0o700).create(&beside).map_err(at(&beside))?;
        for (name, secret) in FILES.iter().zip(secrets) {
            write(&beside.join(name), secret)?;
        }
        sync(&beside)?;
        // rename(2) replaces an empty folder and no other.
        fs::rename(&beside, dir).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                let _ = clear(&beside);
                KeysError::Exists(dir.to_owned())
            }
            _ => at(dir)(error),
        })?;
        sync(dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }

    /// Reads the folder, after checking that nobody else can.
    ///
    /// # Errors
    /// [`KeysError`], each naming the file and what to do.
    pub fn open(dir: &Path) -> Result<Self, KeysError> {
        let folder = fs::symlink_metadata(dir).map_err(at(dir))?;
        if !folder.is_dir() {
            return Err(KeysError::Damaged(dir.to_owned()));
        }
        check(dir, &folder, "700")?;
        let mut secrets: [Secret; FILES.len()] = std::array::from_fn(|_| Secret::default());
        for (name, secret) in FILES.iter().zip(&mut secrets) {
            read(&dir.join(name), secret)?;
        }
        Ok(Self::from_secrets(secrets))
    }

    fn from_secrets([signing, index_hmac, cookie, wrap]: [Secret; 4]) -> Self {
        let row = RowKey::new(&index_hmac);
        Self { signing: SigningKey::from_bytes(&signing), index_hmac, cookie, wrap, row }
    }

    /// Signs checkpoints and heads (Ed25519).
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// Key of [`keyed_id`]: ids, and subjects that would be guessable.
    #[must_use]
    pub fn index_hmac(&self) -> &[u8; KEY_BYTES] {
        &self.index_hmac
    }

    /// Key of [`keyed_hash64`], derived from [`Keys::index_hmac`].
    #[must_use]
    pub fn row(&self) -> &RowKey {
        &self.row
    }

    /// Authenticates session cookies.
    #[must_use]
    pub fn cookie(&self) -> &[u8; KEY_BYTES] {
        &self.cookie
    }

    /// Wraps the keys of sealed records.
    #[must_use]
    pub fn wrap(&self) -> &[u8; KEY_BYTES] {
        &self.wrap
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> KeysError {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::NotFound => KeysError::Missing(path.clone()),
        _ => KeysError::Io { path: path.clone(), error },
    }
}

fn check(path: &Path, found: &fs::Metadata, due: &'static str) -> Result<(), KeysError> {
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us && us != 0 {
        return Err(KeysError::Owner { path: path.to_owned(), uid: found.uid() });
    }
    match found.mode() & 0o7777 {
        mode if mode & OTHERS != 0 => Err(KeysError::Open { path: path.to_owned(), mode, due }),
        _ => Ok(()),
    }
}

fn read(path: &Path, secret: &mut Secret) -> Result<(), KeysError> {
    let damaged = || KeysError::Damaged(path.to_owned());
    let no_link = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(no_link).open(path);
    let mut file = match opened {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(damaged());
        }
        opened => opened.map_err(at(path))?,
    };
    let found = file.metadata().map_err(at(path))?;
    if !found.is_file() {
        return Err(damaged());
    }
    check(path, &found, "600")?;
    if found.len() != KEY_BYTES as u64 {
        return Err(damaged());
    }
    file.read_exact(secret.as_mut()).map_err(at(path))?;
    // What a file system leaves of a file that was never flushed.
    if secret.iter().all(|byte| *byte == 0) { Err(damaged()) } else { Ok(()) }
}

fn write(path: &Path, secret: &Secret) -> Result<(), KeysError> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at(path))?;
    file.write_all(secret.as_ref()).and_then(|()| file.sync_all()).map_err(at(path))
}

fn sync(dir: &Path) -> Result<(), KeysError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

/// Removes what an earlier, interrupted [`Keys::create`] left beside; those keys were never used.
fn clear(beside: &Path) -> Result<(), KeysError> {
    match fs::remove_dir_all(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(beside)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn made() -> (tempfile::TempDir, PathBuf, Keys) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("keys");
        let keys = Keys::create(&dir).unwrap();
        (root, dir, keys)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn the_folder_is_0700_its_files_0600_and_all_keys_differ() {
        let (root, dir, keys) = made();
        assert_eq!(mode(&dir), 0o700);
        let contents: std::collections::HashSet<_> = FILES.iter().map(|f| fs::read(dir.join(f)).unwrap()).collect();
        assert_eq!(contents.len(), 4);
        assert!(FILES.iter().all(|f| mode(&dir.join(f)) == 0o600));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside");
        let read = Keys::open(&dir).unwrap();
        assert_eq!(read.signing().to_bytes(), keys.signing().to_bytes());
        assert_eq!((read.index_hmac(), read.cookie(), read.wrap()), (keys.index_hmac(), keys.cookie(), keys.wrap()));
    }

    #[test]
    fn keys_are_never_overwritten() {
        let (_root, dir, keys) = made();
        assert!(matches!(Keys::create(&dir), Err(KeysError::Exists(_))));
        assert_eq!(Keys::open(&dir).unwrap().signing().to_bytes(), keys.signing().to_bytes());
        assert!(!dir.with_extension("unfinished").exists());
    }

    #[test]
    fn an_interrupted_creation_does_not_stand_in_the_way() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("keys");
        fs::create_dir(dir.with_extension("unfinished")).unwrap();
        fs::write(dir.with_extension("unfinished").join("signing"), b"torn").unwrap();
        assert!(matches!(Keys::open(&dir), Err(KeysError::Missing(_))));
        Keys::create(&dir).unwrap();
        Keys::open(&dir).unwrap();
    }

    #[test]
    fn keys_that_others_could_read_are_refused_with_the_command_that_helps() {
        let (_root, dir, _) = made();
        fs::set_permissions(dir.join("cookie"), fs::Permissions::from_mode(0o640)).unwrap();
        let said = Keys::open(&dir).unwrap_err().to_string();
        assert!(said.contains("chmod 600") && said.contains("cookie"), "{said}");
        fs::set_permissions(dir.join("cookie"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(Keys::open(&dir).unwrap_err().to_string().contains("chmod 700"));
    }

    #[test]
    fn a_torn_missing_zeroed_or_linked_key_is_refused() {
        let (_root, dir, _) = made();
        let file = dir.join("wrap");
        let sound = fs::read(&file).unwrap();
        for bad in [&sound[..31], &[], &[0; 32], &[&sound[..], &[1]].concat()] {
            fs::write(&file, bad).unwrap();
            assert!(matches!(Keys::open(&dir), Err(KeysError::Damaged(_))), "{bad:?}");
        }
        fs::remove_file(&file).unwrap();
        assert!(matches!(Keys::open(&dir), Err(KeysError::Missing(_))));
        std::os::unix::fs::symlink(dir.join("cookie"), &file).unwrap();
        assert!(matches!(Keys::open(&dir), Err(KeysError::Damaged(_))));
    }

    #[test]
    fn no_secret_is_ever_printed() {
        let (_root, _dir, keys) = made();
        let said = format!("{keys:?} {:?}", keys.row());
        for secret in [&keys.signing().to_bytes(), keys.index_hmac(), keys.cookie(), keys.wrap()] {
            assert!(!said.contains(&hex::encode(secret)) && !said.contains(&format!("{secret:?}")));
        }
        assert!(said.contains(&hex::encode(keys.signing().verifying_key().as_bytes())));
    }
}
