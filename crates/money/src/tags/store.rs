//! All batches of tags that a node keeps: the manifest that names them, the lock of the one writer, and what is found under an
//! address. A batch is loaded whole or not at all, and removed whole.
use super::batch::{Batch, Extent, Paths, Row, Writer, actor_hash, ends_hash, subject_hash};
use super::{Error, Result};
use crate::columns::{self, Mode, replace, take_lock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The folder in the money folder; no chain's name begins so.
const FOLDER: &str = "_tags";
const MANIFEST: &str = "manifest";
/// The version of the files (`docs/tags.md`).
const VERSION: u32 = 1;
/// So many batches are looked through for one address.
pub const MAX_BATCHES: usize = 4_096;
/// Largest manifest that is read.
const MAX_MANIFEST: u64 = 64 << 20;
/// How often the manifest is read while a writer removes batches.
const READS: usize = 3;

/// Where a batch is from and who may see it. What of it is shown goes with every answer out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInfo {
    /// Its number, never used twice.
    pub id: u64,
    /// `tagpack`, `actorpack`, `ofac-sdn`, `reserves`.
    pub format: String,
    /// The file's name.
    pub pack: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The title that it gives itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Where it can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// When it was loaded: RFC 3339.
    pub loaded: String,
    /// The collection whose readers may see it; none: whoever may read this node's reference lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Its TLP marking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<String>,
    /// What the pack itself says of being public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// What became of its records.
    pub counts: Counts,
    /// Lengths and checksums of its files.
    pub extent: Extent,
}

/// What became of a file's records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tags kept, repeats among them.
    pub tags: u64,
    /// Actors kept.
    pub actors: u64,
    /// Left out: addresses that nobody holds.
    pub placeholders: u64,
    /// Refused: each with its reason when the file was loaded.
    pub refused: u64,
    /// Tags of CoinJoin users that call themselves a cluster's definer: kept, but they define none.
    pub coinjoin_definers: u64,
    /// Tags whose currency or network does not fit their address.
    pub misnamed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    key: String,
    next: u64,
    batches: Vec<BatchInfo>,
}

/// Which batches whoever asks may see.
pub type Sees<'s> = &'s dyn Fn(&BatchInfo) -> bool;

/// The store of tags.
#[derive(Debug)]
pub struct Tags {
    dir: PathBuf,
    key: [u8; 16],
    next: u64,
    /// A batch whose files cannot be opened is kept in name by a writer alone, so that it can be removed.
    batches: Vec<(BatchInfo, Option<Batch>)>,
    lock: Option<File>,
}

/// A row and the batch that it stands in.
#[derive(Debug, Clone, Copy)]
pub struct Hit<'t> {
    /// Where it is from.
    pub batch: &'t BatchInfo,
    /// What it says.
    pub row: Row<'t>,
}

impl Tags {
    /// Opens the tags of the money folder for reading. There need not be any.
    pub fn open(money: &Path) -> Result<Tags> {
        let dir = money.join(FOLDER);
        let mut failed = None;
        // A writer may have removed a batch between the manifest and its files: then there is a newer manifest.
        for _ in 0..READS {
            match Tags::read(&dir, Mode::Read) {
                Ok(tags) => return Ok(tags),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or_else(|| Tags::read(&dir, Mode::Read), Err)
    }

    /// Opens them for loading and removing; makes the folder.
    pub fn open_to_write(money: &Path) -> Result<Tags> {
        let dir = money.join(FOLDER);
        let lock = take_lock(&dir).map_err(|error| match error {
            columns::Error::Busy { pid, .. } => Error::Busy(pid),
            other => other.into(),
        })?;
        let mut tags = Tags::read(&dir, Mode::Write)?;
        tags.lock = Some(lock);
        if !dir.join(MANIFEST).is_file() {
            getrandom::fill(&mut tags.key).map_err(|error| Error::Unknown(format!("no randomness: {error}")))?;
            tags.save()?;
        }
        tags.sweep()?;
        Ok(tags)
    }

    fn read(dir: &Path, mode: Mode) -> Result<Tags> {
        let path = dir.join(MANIFEST);
        let mut tags = Tags { dir: dir.to_owned(), key: [0; 16], next: 1, batches: Vec::new(), lock: None };
        let bytes = match std::fs::metadata(&path) {
            Ok(there) if there.len() > MAX_MANIFEST => return Err(damaged(&path, "is larger than any manifest")),
            Ok(_) => std::fs::read(&path).map_err(columns::io(&path))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(tags),
            Err(error) => return Err(columns::io(&path)(error).into()),
        };
        let manifest = read_manifest(&bytes).map_err(|why| damaged(&path, why))?;
        (tags.key, tags.next) = (manifest.0, manifest.1);
        for info in manifest.2 {
            let batch = match (Batch::open(&Paths::new(dir, info.id), &info.extent), mode) {
                (Ok(batch), _) => Some(batch),
                (Err(_), Mode::Write) => None,
                (Err(error), Mode::Read) => {
                    return Err(Error::Damaged { id: info.id, pack: info.pack, source: Box::new(error) });
                }
            };
            tags.batches.push((info, batch));
        }
        Ok(tags)
    }

    fn save(&self) -> Result<()> {
        let batches = self.batches.iter().map(|(info, _)| info.clone()).collect();
        let manifest = Manifest { version: VERSION, key: hex::encode(self.key), next: self.next, batches };
        let path = self.dir.join(MANIFEST);
        let bytes = serde_json::to_vec_pretty(&manifest).map_err(|error| Error::Unknown(error.to_string()))?;
        Ok(replace(&path, &bytes)?)
    }

    /// Deletes files of batches that no manifest names: removed ones, and those of a load that did not end.
    fn sweep(&self) -> Result<()> {
        let kept: BTreeSet<PathBuf> =
            self.batches.iter().flat_map(|(info, _)| Paths::new(&self.dir, info.id).all()).collect();
        let folder = std::fs::read_dir(&self.dir).map_err(columns::io(&self.dir))?;
        for path in folder.flatten().map(|entry| entry.path()) {
            let ours = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
                let number = name.split('.').next().unwrap_or_default();
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && name.contains('.')
            });
            if ours && !kept.contains(&path) {
                std::fs::remove_file(&path).map_err(columns::io(&path))?;
            }
        }
        Ok(())
    }

    /// All batches, oldest first.
    pub fn batches(&self) -> impl Iterator<Item = &BatchInfo> {
        self.batches.iter().map(|(info, _)| info)
    }

    /// The batches that may be seen, with their rows.
    pub(super) fn open_batches<'t>(&'t self, sees: Sees<'t>) -> impl Iterator<Item = (&'t BatchInfo, &'t Batch)> {
        self.batches
            .iter()
            .filter(move |(info, _)| sees(info))
            .filter_map(|(info, batch)| Some((info, batch.as_ref()?)))
    }

    /// The batch that was loaded from these bytes.
    pub fn loaded_as(&self, sha256: &str, collection: Option<&str>) -> Option<&BatchInfo> {
        self.batches().find(|info| info.sha256 == sha256 && info.collection.as_deref() == collection)
    }

    /// Begins a batch; [`Tags::keep`] ends it.
    pub(super) fn begin(&self) -> Result<(u64, Writer)> {
        if self.lock.is_none() {
            return Err(columns::Error::ReadOnly(self.dir.clone()).into());
        }
        if self.batches.len() >= MAX_BATCHES {
            return Err(Error::Unknown(format!(
                "{MAX_BATCHES} files of tags are loaded, which is the most; join some, or remove old ones (`eye money tags list`)"
            )));
        }
        Ok((self.next, Writer::new(&Paths::new(&self.dir, self.next), &self.key)?))
    }

    /// Puts a finished batch into the manifest: from here on it is there.
    pub(super) fn keep(&mut self, info: BatchInfo) -> Result<()> {
        let batch = Batch::open(&Paths::new(&self.dir, info.id), &info.extent)?;
        self.next = info.id + 1;
        self.batches.push((info, Some(batch)));
        self.save()
    }

    /// Deletes what an unfinished batch has left.
    pub(super) fn abandon(&self) -> Result<()> {
        self.sweep()
    }

    /// Takes a batch out, and its files from the disk.
    pub fn remove(&mut self, id: u64) -> Result<BatchInfo> {
        let place = self.batches.iter().position(|(info, _)| info.id == id);
        let place =
            place.ok_or_else(|| Error::Unknown(format!("there is no batch {id}; `eye money tags list` shows them")))?;
        let (info, batch) = self.batches.remove(place);
        drop(batch);
        self.save()?;
        self.sweep()?;
        Ok(info)
    }

    /// The tags of a subject in its agreed spelling, of the batches that may be seen, oldest batch first.
    pub fn of<'t>(&'t self, subject: &'t str, sees: Sees<'t>) -> impl Iterator<Item = Hit<'t>> {
        let hash = subject_hash(&self.key, subject);
        self.open_batches(sees)
            .flat_map(move |(batch, rows)| {
                rows.subjects.all(hash).filter_map(move |n| Some(Hit { batch, row: rows.row(n)? }))
            })
            .filter(move |hit| hit.row.subject == subject && !hit.row.actor)
    }

    /// The actors of that id or other name.
    pub fn actor<'t>(&'t self, id: &'t str, sees: Sees<'t>) -> impl Iterator<Item = Hit<'t>> {
        let hash = actor_hash(&self.key, id);
        self.open_batches(sees)
            .flat_map(move |(batch, rows)| {
                rows.subjects.all(hash).filter_map(move |n| Some(Hit { batch, row: rows.row(n)? }))
            })
            .filter(move |hit| {
                hit.row.actor && (hit.row.subject == id || hit.row.said.actor.lines().any(|name| name == id))
            })
    }

    /// Tagged addresses whose ends are these.
    pub fn alike<'t>(&'t self, ends: &'t str, sees: Sees<'t>) -> impl Iterator<Item = Hit<'t>> {
        let hash = ends_hash(&self.key, ends);
        self.open_batches(sees)
            .flat_map(move |(batch, rows)| {
                rows.alike.all(hash).filter_map(move |n| Some(Hit { batch, row: rows.row(n)? }))
            })
            .filter(move |hit| super::batch::ends_of(&hit.row).as_deref() == Some(ends))
    }

    /// The batches whose bytes are not as they were written.
    pub fn damaged(&self) -> Vec<&BatchInfo> {
        let sound =
            |info: &BatchInfo, batch: &Option<Batch>| batch.as_ref().is_some_and(|batch| batch.sound(&info.extent));
        self.batches.iter().filter(|(info, batch)| !sound(info, batch)).map(|(info, _)| info).collect()
    }
}

fn damaged(path: &Path, why: impl std::fmt::Display) -> Error {
    columns::format(path, format!("{why}; restore it, or remove the folder and load the packs again")).into()
}

/// A manifest out of any bytes: key, next number, batches.
pub(crate) fn read_manifest(bytes: &[u8]) -> std::result::Result<([u8; 16], u64, Vec<BatchInfo>), String> {
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| format!("is no manifest of tags ({error})"))?;
    if manifest.version != VERSION {
        return Err(format!("is of version {}; this program reads {VERSION}", manifest.version));
    }
    let key = hex::decode(&manifest.key).ok().and_then(|key| key.try_into().ok()).ok_or("has no key of 16 bytes")?;
    if manifest.batches.len() > MAX_BATCHES {
        return Err("names more batches than there may be".into());
    }
    let mut ids = BTreeSet::new();
    if !manifest.batches.iter().all(|info| info.id < manifest.next && ids.insert(info.id)) {
        return Err("names a batch twice, or one that is yet to come".into());
    }
    Ok((key, manifest.next, manifest.batches))
}
