use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the ledger can answer instead of doing what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed. The text is SQLite's own and holds no personal data: statements are prepared, values bound.
    #[error("storage: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The file system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another process owns the data folder.
    #[error("the data folder {0} is in use by another process; stop it, or let this command go through its socket")]
    Locked(String),
    /// The folder holds no node, or one of another make.
    #[error("{0}")]
    Folder(String),
    /// Somebody was faster: what `act` read is no longer so. Read again, check again, try again.
    #[error("something that this change rests on has just changed; read it again and repeat the change")]
    Conflict,
    /// A view has not reached what the caller must see.
    #[error("the view `{view}` is {behind} entries behind; ask again in a moment")]
    Behind {
        /// The room's name.
        view: &'static str,
        /// How many entries it has still to fold.
        behind: u64,
    },
    /// The clock runs more than an hour behind the last entry.
    #[error(
        "the clock is {0} s behind the last entry: set the clock, or accept it as it is with `eye doctor --accept-clock`"
    )]
    Clock(i64),
    /// A limit was passed.
    #[error("{0}")]
    Limit(String),
    /// No room is left on the disk.
    #[error("the disk is full: nothing of this was written; make room and repeat it")]
    Full,
    /// The storage failed while others' appends shared the commit.
    #[error("storage: {0}; nothing of this was written")]
    Failed(String),
    /// The ledger is closing.
    #[error("the ledger is shutting down; nothing was written")]
    Closed,
    /// What is stored contradicts itself; `eye verify` says where.
    #[error("damaged: {0}")]
    Damaged(String),
}

/// The ledger's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether a file, and not what was asked of it, is the trouble: then a view is folded anew.
    pub(crate) fn is_corrupt(&self) -> bool {
        matches!(self, Self::Sql(e) if is_corrupt(e))
    }

    /// Whether what is stored is wrong, which no second reading changes.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::Error as S;
        let wrong = |e: &S| {
            matches!(
                e,
                S::FromSqlConversionFailure(..)
                    | S::IntegralValueOutOfRange(..)
                    | S::Utf8Error(..)
                    | S::InvalidColumnType(..)
            )
        };
        self.is_corrupt() || matches!(self, Self::Damaged(_)) || matches!(self, Self::Sql(e) if wrong(e))
    }

    /// As whoever is told should hear it: a file that cannot grow is a full disk.
    pub(crate) fn told(self) -> Self {
        if self.is_full() { Self::Full } else { self }
    }

    /// Whether the disk has no room, also for the index that SQLite maps beside a write-ahead log.
    fn is_full(&self) -> bool {
        use rusqlite::{ErrorCode::DiskFull, ffi::SQLITE_IOERR_SHMSIZE};
        let grows = |e: &rusqlite::Error| match e.sqlite_error() {
            Some(e) => e.code == DiskFull || e.extended_code == SQLITE_IOERR_SHMSIZE,
            None => false,
        };
        matches!(self, Self::Full) || matches!(self, Self::Sql(e) if grows(e))
    }

    /// The same, for each of those who shared what failed.
    pub(crate) fn shared(&self) -> Self {
        match self {
            full if full.is_full() => Self::Full,
            Self::Closed => Self::Closed,
            Self::Damaged(text) => Self::Damaged(text.clone()),
            other => Self::Failed(other.to_string()),
        }
    }

    /// What `f` answers; a panic in it is a failure of it alone, and the thread goes on.
    pub(crate) fn caught<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
        let stopped = |_| Err(Self::Failed("the work stopped in the middle; the server's log says where".into()));
        catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(stopped)
    }

    /// As [`Error::caught`], for work that answers nothing.
    pub(crate) fn caught_in(f: impl FnOnce()) -> Result<()> {
        Self::caught(|| {
            f();
            Ok(())
        })
    }

    /// An IO error with what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Whether a file's pages are not what SQLite wrote there.
pub(crate) fn is_corrupt(e: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(e.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn a_disk_without_room_is_said_in_words_wherever_sqlite_meets_it() {
        let failed = |code| Error::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(
                matches!(failed(code).told(), Error::Full) && matches!(failed(code).shared(), Error::Full),
                "{code}"
            );
        }
        assert!(!matches!(failed(ffi::SQLITE_IOERR_READ).told(), Error::Full));
    }
}
