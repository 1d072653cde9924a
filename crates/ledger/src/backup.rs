//! Copies of the ledger in another folder while it serves, and the way back: a new epoch in the open.
//!
//! A backup is `log.db`, `state.db`, `keys.wrapped` and `manifest.json`; views are not in it, the log says what they hold.
mod copy;
mod restore;
mod wrap;

use crate::erase::ExpungeNotice;
use crate::{Error, Ledger, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

pub use restore::{Restored, restore};
#[cfg(any(test, fuzzing))]
pub(crate) use wrap::unwrap_anything;
pub use wrap::{RecoveryKey, Unwrap, Wrap};

pub(crate) const SCHEMA: &str =
    "CREATE TABLE IF NOT EXISTS backup_targets(path TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
     CREATE TABLE IF NOT EXISTS cursors(name TEXT PRIMARY KEY, pos INTEGER NOT NULL) WITHOUT ROWID;";

/// The manifest's first field.
const FORMAT: &str = "compound-eye-backup/2";
/// From before keys were wrapped: they stand in `keys/`, in the clear.
const FORMAT_CLEAR: &str = "compound-eye-backup/1";
const MANIFEST: &str = "manifest.json";
/// What was expunged since the backup was made, a line each: a restore expunges it again.
const EXPUNGED: &str = "expunged.jsonl";
/// What the manifest says of the keys.
const KEYS_NOTE: &str = "keys.wrapped holds the node's secrets, sealed for each of `opened_by` (HPKE, RFC 9180)";

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `compound-eye-backup/2`; `/1` has its keys in the clear.
    pub format: String,
    /// `node/epoch` of what was copied.
    pub origin: String,
    /// The last entry copied; a number of this node's alone.
    pub head: u64,
    /// When it was finished, µs since the epoch.
    pub made: i64,
    /// Hash of the last commit, hex.
    pub commit: String,
    /// The node log's newest checkpoint, a signed note: it fixes every collection's head.
    pub checkpoint: String,
    /// Every file but this one.
    pub files: Vec<BackupFile>,
    /// What to know about the keys.
    pub keys: String,
    /// Who can open them: public keys of recipients, or `passphrase`; nobody has to in format 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened_by: Vec<String>,
    /// The node's public signing key, hex: proofs are checked with it while the keys are wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

impl Manifest {
    /// Whether something is needed to open the keys.
    #[must_use]
    pub fn is_wrapped(&self) -> bool {
        self.format != FORMAT_CLEAR
    }

    /// Whether that is a passphrase.
    #[must_use]
    pub fn wants_passphrase(&self) -> bool {
        self.opened_by.iter().any(|by| by == wrap::PASSPHRASE)
    }

    /// The public key, if it is the one that the origin is named after.
    pub(crate) fn key(&self) -> Option<ed25519_dalek::VerifyingKey> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(self.public_key.as_deref()?, &mut bytes).ok()?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok()?;
        let (node, _) = self.origin.split_once('/')?;
        (crate::node::node_name(&key) == node).then_some(key)
    }
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Its path in the backup.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, hex.
    pub sha256: String,
}

/// A line of the list that a restore reads.
#[derive(Debug, Serialize, Deserialize)]
struct ExpungedLine {
    object: String,
    reason: String,
    /// (collection, entry's `id` in hex).
    entries: Vec<(crate::CollectionId, String)>,
}

impl Ledger {
    /// Copies the ledger into `to` while it serves: entries up to the head noted at start, then `state`, then the keys,
    /// wrapped. A folder that holds an earlier backup of the same epoch gets what is new, and keys that stood there in
    /// the clear are removed. `progress` hears entries copied, of all.
    ///
    /// # Errors
    /// [`Error::Folder`] when `to` is a data folder or another node's or epoch's backup; the storage's.
    pub fn backup(&self, to: &Path, wrap: &Wrap, progress: &dyn Fn(u64, u64)) -> Result<Manifest> {
        self.tick()?;
        let manifest = copy::Copy::begin(self, to, wrap)?.run(progress)?;
        let path = std::path::absolute(to).map_err(Error::io("the backup's path"))?.to_string_lossy().into_owned();
        let at = self.now();
        self.state().write(move |c| {
            c.execute("INSERT OR REPLACE INTO backup_targets(path, at) VALUES (?,?)", (path, at))?;
            Ok(())
        })?;
        Ok(manifest)
    }
}

/// What the backup in `folder` says of itself; `None` when none is there, or none was finished.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Folder`] when its manifest cannot be read.
pub fn backed_up(folder: &Path) -> Result<Option<Manifest>> {
    read_manifest(folder)
}

/// Tells every backup that can be reached what was expunged; one that cannot hears of it with its next copy, for the
/// expunge entry travels in the log.
pub(crate) fn tell_targets(ledger: &Ledger, notice: &ExpungeNotice, reason: &str) {
    let targets = ledger.state().read(|c| {
        let mut stmt = c.prepare("SELECT path FROM backup_targets ORDER BY path")?;
        let rows = stmt.query_map([], |r| r.get::<_, String>(0))?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    let line = ExpungedLine {
        object: notice.object.clone(),
        reason: reason.to_owned(),
        entries: notice.entries.iter().map(|e| (e.collection, hex::encode(e.id))).collect(),
    };
    let told = targets.and_then(|targets| {
        let line = serde_json::to_string(&line).map_err(|e| Error::Failed(e.to_string()))?;
        for target in targets.into_iter().map(PathBuf::from).filter(|t| t.join(MANIFEST).exists()) {
            if let Err(e) = add_line(&target, &line) {
                tracing::warn!(error = %e, "a backup was not told what was expunged; make a new backup there");
            }
        }
        Ok(())
    });
    if let Err(e) = told {
        tracing::warn!(error = %e, "the backups were not told what was expunged; make new ones");
    }
}

fn add_line(target: &Path, line: &str) -> Result<()> {
    let path = target.join(EXPUNGED);
    let write = || {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
        writeln!(file, "{line}")?;
        file.sync_all()
    };
    write().map_err(Error::io(format!("writing {}", path.display())))
}

fn read_manifest(folder: &Path) -> Result<Option<Manifest>> {
    let path = folder.join(MANIFEST);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(format!("reading {}", path.display()))(e)),
    };
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|e| Error::Damaged(format!("{}: {e}; the backup cannot be trusted", path.display())))?;
    if [FORMAT, FORMAT_CLEAR].contains(&manifest.format.as_str()) {
        return Ok(Some(manifest));
    }
    Err(Error::Folder(format!("{} is of format {}, this program reads {FORMAT}", path.display(), manifest.format)))
}

fn describe(folder: &Path, name: &str) -> Result<BackupFile> {
    use sha2::{Digest, Sha256};
    let path = folder.join(name);
    let mut hash = Sha256::new();
    let mut read = || -> std::io::Result<u64> {
        let mut file = std::fs::File::open(&path)?;
        let (mut bytes, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let n = std::io::Read::read(&mut file, &mut buffer)?;
            let Some(part) = buffer.get(..n).filter(|p| !p.is_empty()) else { return Ok(bytes) };
            hash.update(part);
            bytes += n as u64;
        }
    };
    let bytes = read().map_err(Error::io(format!("reading {}", path.display())))?;
    Ok(BackupFile { name: name.to_owned(), bytes, sha256: hex::encode(hash.finalize()) })
}

fn sync_folder(folder: &Path) -> Result<()> {
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(Error::io(format!("syncing {}", folder.display())))
}

/// The wrapped keys, beside and then in place: there is one whole file.
fn write_keys(to: &Path, wrapped: &[u8]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let (beside, path) = (to.join("keys.wrapped.unfinished"), to.join(wrap::WRAPPED));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(wrapped)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(Error::io(format!("writing {}", path.display())))
}

/// Keys of this node that an earlier backup had in the clear; whatever else stands in such a folder is somebody's.
fn remove_clear_keys(to: &Path, ours: &[u8]) -> Result<()> {
    let folder = to.join("keys");
    let mut removed = false;
    for (name, key) in crate::keys::FILES.iter().zip(ours.chunks(ours.len() / crate::keys::FILES.len())) {
        let path = folder.join(name);
        let what = || format!("removing {}, a key in the clear", path.display());
        match std::fs::read(&path) {
            Ok(found) if found == key => std::fs::remove_file(&path).map_err(Error::io(what()))?,
            Ok(_) => continue,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => continue,
            Err(e) => return Err(Error::io(what())(e)),
        }
        removed = true;
    }
    if removed {
        sync_folder(&folder)?;
        // Empty, it was the backup's.
        std::fs::remove_dir(&folder).ok();
    }
    sync_folder(to)
}
