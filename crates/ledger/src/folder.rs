use crate::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A node's data folder. One process owns it while it holds the lock; the lock goes with the process, SIGKILL included.
///
/// ```text
/// DATA/lock  eye.sock  keys/  log.db  state.db  views/ROOM.VERSION.GENERATION.db  reference/
/// ```
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    lock: Mutex<Option<File>>,
}

impl Folder {
    /// Whether a node lives in `root`.
    pub fn holds_a_node(root: &Path) -> bool {
        root.join("log.db").exists()
    }

    /// Makes the folders and takes the lock.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it, [`Error::Io`] when the folder cannot be made.
    pub fn take(root: &Path) -> Result<Self> {
        let make = |dir: &Path| {
            std::fs::create_dir_all(dir).map_err(Error::io(format!("making the folder {}", dir.display())))
        };
        make(root)?;
        restrict(root)?;
        make(&root.join("views"))?;
        let path = root.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io(format!("opening {}", path.display())))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_path_buf(), lock: Mutex::new(Some(lock)) }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(root.display().to_string())),
            Err(TryLockError::Error(source)) => Err(Error::Io { what: format!("locking {}", path.display()), source }),
        }
    }

    /// Lets another process in; called once every file is closed.
    pub(crate) fn release(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log.db")
    }
    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state.db")
    }
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }
    pub(crate) fn views(&self) -> PathBuf {
        self.root.join("views")
    }
}

/// Whoever reads the folder is administrator, so only its owner reads it.
fn restrict(root: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o700))
        .map_err(Error::io(format!("restricting {}", root.display())))
}
