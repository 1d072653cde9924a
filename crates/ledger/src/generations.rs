//! Which file of a room's view serves: `ROOM.VERSION.GENERATION.db`. The number stands in `state`; nothing is renamed.
use crate::{Folder, Result, State, log};
use rusqlite::OptionalExtension;
use std::path::{Path, PathBuf};

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS generations(room TEXT NOT NULL, version INTEGER NOT NULL, \
     generation INTEGER NOT NULL, PRIMARY KEY(room, version)) WITHOUT ROWID";

/// One room's files.
#[derive(Clone)]
pub(crate) struct Generations {
    pub(crate) views: PathBuf,
    pub(crate) state: State,
    pub(crate) room: &'static str,
    pub(crate) version: u32,
}

impl Generations {
    pub(crate) fn new(folder: &Folder, state: &State, room: &'static str, version: u32) -> Self {
        Self { views: folder.views(), state: state.clone(), room, version }
    }

    /// The generation that serves, by `state`; 1 when the room is new.
    pub(crate) fn current(&self) -> Result<u64> {
        let key = (self.room, self.version);
        let found: Option<i64> = self.state.read(|c| {
            let sql = "SELECT generation FROM generations WHERE room = ? AND version = ?";
            Ok(c.query_row(sql, key, |r| r.get(0)).optional()?)
        })?;
        match found {
            Some(n) => Ok(log::unsigned(n)),
            None => self.set(1).map(|()| 1),
        }
    }

    /// From now on this one serves.
    pub(crate) fn set(&self, generation: u64) -> Result<()> {
        let row = (self.room, self.version, log::signed(generation));
        self.state.write(move |c| {
            c.execute("INSERT OR REPLACE INTO generations(room, version, generation) VALUES (?,?,?)", row)?;
            Ok(())
        })
    }

    pub(crate) fn path(&self, generation: u64) -> PathBuf {
        self.views.join(format!("{}.{}.{generation}.db", self.room, self.version))
    }

    /// A number that no file has had.
    pub(crate) fn next(&self, current: u64) -> u64 {
        let highest = self.files().into_iter().filter(|f| f.version == self.version).map(|f| f.generation).max();
        highest.unwrap_or(0).max(current) + 1
    }

    /// Removes this version's other generations: what a rebuild left unfinished.
    pub(crate) fn remove_unfinished(&self, current: u64) {
        for file in self.files() {
            if file.version == self.version && file.generation != current {
                remove(&file.path);
            }
        }
    }

    /// Removes other versions' files; called once the current one is level.
    pub(crate) fn remove_other_versions(&self) {
        for file in self.files() {
            if file.version != self.version {
                tracing::info!(room = self.room, version = file.version, "removing the older version's view");
                remove(&file.path);
            }
        }
        let key = (self.room, self.version);
        self.state.soon(move |c| {
            c.execute("DELETE FROM generations WHERE room = ? AND version <> ?", key)?;
            Ok(())
        });
    }

    fn files(&self) -> Vec<ViewFile> {
        let Ok(dir) = std::fs::read_dir(&self.views) else { return Vec::new() };
        dir.flatten().filter_map(|f| ViewFile::of(&f.path())).filter(|f| f.room == self.room).collect()
    }
}

/// A view's file by its name.
pub(crate) struct ViewFile {
    pub(crate) path: PathBuf,
    pub(crate) room: String,
    pub(crate) version: u32,
    pub(crate) generation: u64,
}

impl ViewFile {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".db")?;
        let mut parts = stem.rsplitn(3, '.');
        let (generation, version, room) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            path: path.to_owned(),
            room: room.to_owned(),
            version: version.parse().ok()?,
            generation: generation.parse().ok()?,
        })
    }
}

/// Removes a database file with its WAL and shared memory; what is not there is fine.
pub(crate) fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(file = %Path::new(&name).display(), error = %e, "a view's file could not be removed");
            }
            _ => {}
        }
    }
}
