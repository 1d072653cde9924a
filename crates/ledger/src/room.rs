use crate::Entry;
use rusqlite::Connection;
use std::sync::Arc;

/// Which entries a room folds.
#[derive(Debug, Clone, Copy)]
pub enum Kinds {
    /// Every one.
    All,
    /// Those of these kinds.
    Of(&'static [&'static str]),
}

impl Kinds {
    pub(crate) fn has(self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(list) => list.contains(&kind),
        }
    }

    /// The words with spaces between, `*` for all: how a view's file says what it folds.
    pub(crate) fn words(self) -> String {
        match self {
            Self::All => "*".into(),
            Self::Of(list) => list.join(" "),
        }
    }
}

/// Bodies of earlier entries, for a fold that must take back what an older version brought.
pub trait Bodies {
    /// The body at `pos`, proved against its commitment, unless it was expunged or never was.
    ///
    /// # Errors
    /// [`FoldError::Log`], [`FoldError::Lost`]: what could not be read is not taken for absent.
    fn body(&self, pos: u64) -> Result<Option<Arc<str>>, FoldError>;
    /// The entry at `pos`, for what its header says: its body is absent when it is damaged, and [`Bodies::body`] tells.
    ///
    /// # Errors
    /// As [`Bodies::body`].
    fn entry(&self, pos: u64) -> Result<Option<Entry>, FoldError>;
}

/// Why a fold did not take an entry. A fold cannot refuse: what it cannot read is noted and passed by.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The body is not what its kind promises: noted in `unfolded`, never there again.
    #[error("{0}")]
    Unreadable(String),
    /// The view's storage failed: the transaction is undone and tried again.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// The log could not be read: the transaction is undone and tried again.
    #[error("the log: {0}")]
    Log(String),
    /// What stands in the log is damaged: tried again a few times, then noted in `unfolded`.
    #[error("damaged in the log: {0}")]
    Lost(String),
}

impl FoldError {
    /// A body that is not of its kind's shape: where, and in which way. serde's own words quote the body, and what a view
    /// could not read is told to administrators, who read no bodies.
    pub fn shape(error: &serde_json::Error) -> Self {
        let (line, column, class) = (error.line(), error.column(), error.classify());
        Self::Unreadable(format!("line {line}, column {column}: not the shape of this kind ({class:?})"))
    }
}

/// A room's view: a pure fold of the log into one SQLite file that the ledger owns.
///
/// The rows hold `pos` and dense numbers, never bodies; each carries its collection's number.
pub trait Room: Send {
    /// Its name, the first part of the file's name.
    fn name(&self) -> &'static str;
    /// The version of its schema and of everything its fold uses. Another version is another file.
    fn version(&self) -> u32;
    /// What it folds.
    fn kinds(&self) -> Kinds;
    /// `CREATE TABLE` statements.
    fn schema(&self) -> &'static str;
    /// Registers functions on each connection, the writer's and the readers'.
    ///
    /// # Errors
    /// SQLite's.
    fn prepare(&self, _conn: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }
    /// Takes one entry into the running transaction.
    ///
    /// # Errors
    /// [`FoldError`].
    fn fold(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies) -> Result<(), FoldError>;
    /// Takes an entry whose body is damaged in the log: what its header says, where the room keeps that. The entry is
    /// noted in `unfolded` whatever this does, and `eye rebuild` folds it whole once the body is mended.
    ///
    /// # Errors
    /// [`FoldError`].
    fn fold_header(&mut self, _view: &Connection, _entry: &Entry) -> Result<(), FoldError> {
        Ok(())
    }
    /// Writes what [`Room::fold`] held back; called before each commit.
    ///
    /// # Errors
    /// [`FoldError`].
    fn flush(&mut self, _view: &Connection) -> Result<(), FoldError> {
        Ok(())
    }
    /// The commit is durable as far as views are: `position` may be read. Only the generation that serves hears it;
    /// one that is folded beside hears it first when it takes over.
    fn committed(&mut self, _position: u64) {}
    /// The transaction was undone, or the file is new: forget what memory holds of it.
    fn reset(&mut self) {}
    /// What two folds of one log must have in common: the hash of every table but `meta` and `unfolded`, its rows in
    /// order of the primary key. A room whose numbers depend on the order of its transactions resolves them to values
    /// here; virtual tables (full text) and their shadows are left out and are the room's to add.
    ///
    /// # Errors
    /// SQLite's.
    fn digest(&self, view: &Connection) -> rusqlite::Result<[u8; 32]> {
        crate::digest::tables(view)
    }
}
