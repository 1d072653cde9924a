//! How a folder is, told by reading its files alone: of a node that nobody serves, and beside whoever serves it.
use crate::verify::{missing, open};
use crate::{Error, Result, clock, log, open_reader};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// What the log and the views' files say of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The last entry: how many there are.
    pub entries: u64,
    /// When the last one arrived, µs since the epoch; 0 in an empty log.
    pub arrived: i64,
    /// The log's own file.
    pub log: FileState,
    /// Erasures that were begun and not ended.
    pub erasures: u64,
    /// When a backup was made last, µs since the epoch.
    pub backed_up: Option<i64>,
    /// The file of each room that serves, or would.
    pub views: Vec<ViewState>,
    accepted: i64,
}

/// What SQLite says of a file's structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// All of it was looked at.
    Whole,
    /// What was looked at in the time given is whole.
    WholeSoFar,
    /// It cannot be read, in SQLite's words.
    Damaged(String),
}

/// The file of a room's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// The room.
    pub room: String,
    /// Its file; `None` when there is none: the next start folds it anew.
    pub file: Option<FileState>,
    /// Entries of its kinds that it has not folded.
    pub behind: u64,
    /// Entries that it could not read.
    pub unfolded: u64,
    /// The first of them, with what was wrong.
    pub passed_by: Vec<(u64, String)>,
}

impl ViewState {
    fn of(room: String, file: Option<FileState>) -> Self {
        Self { room, file, behind: 0, unfolded: 0, passed_by: Vec::new() }
    }
}

/// Entries of one view that are named.
const NAMED: u32 = 5;

impl Inspection {
    /// Seconds that a clock of `now` (µs) is behind the last entry, when nothing is appended for that.
    pub fn clock_stops_appends(&self, now: i64) -> Option<i64> {
        clock::too_far_behind(self.arrived, now, self.accepted).map(|behind| behind / 1_000_000)
    }
}

/// Looks at the folder's log, state and views; of each file's structure as much as `patience` allows. Takes no lock and
/// writes nothing. `served`: another process, or this one, has the folder open.
///
/// # Errors
/// [`Error::Folder`] when no node lives there, the storage's when `log.db` or `state.db` cannot be read at all.
pub fn inspect(root: &Path, served: bool, patience: Duration) -> Result<Inspection> {
    let reader = |path: &Path| if served { open_reader(path) } else { open(path) };
    let conn = reader(&root.join("log.db"))?;
    let state = reader(&root.join("state.db"))?;
    let count = |table: &str, sql: &str| -> Result<Option<i64>> {
        let known = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?";
        if state.query_row(known, [table], |r| r.get::<_, i64>(0))? == 0 {
            return Ok(None);
        }
        Ok(log::optional(state.query_row(sql, [], |r| r.get::<_, Option<i64>>(0)))?.flatten())
    };
    let erasures = count("expunges", "SELECT count(*) FROM expunges")?;
    let accepted = count("meta", "SELECT value FROM meta WHERE key = 'clock_accepted'")?;
    let backed_up = count("backup_targets", "SELECT max(at) FROM backup_targets")?;
    let mut views = Vec::new();
    for (room, version, generation) in serving(&state)? {
        let path = root.join("views").join(format!("{room}.{version}.{generation}.db"));
        views.push(match path.exists() {
            false => ViewState::of(room, None),
            true => view(room, &path, &reader, &conn, patience),
        });
    }
    Ok(Inspection {
        entries: log::last_pos(&conn)?,
        arrived: log::last_arrived(&conn)?,
        log: structure(&conn, patience),
        erasures: log::unsigned(erasures.unwrap_or(0)),
        backed_up,
        views,
        accepted: accepted.unwrap_or(i64::MIN),
    })
}

/// Room, version and generation of each view that serves: a newer version's before an older one's.
fn serving(state: &Connection) -> Result<Vec<(String, u32, u64)>> {
    let mut stmt = state.prepare("SELECT room, version, generation FROM generations ORDER BY room, version")?;
    let rows = stmt.query_map([], |r| Ok((r.get(0)?, r.get(1)?, log::unsigned(r.get(2)?))))?;
    let newest: BTreeMap<String, (u32, u64)> =
        rows.map(|row| row.map(|(room, version, n)| (room, (version, n)))).collect::<rusqlite::Result<_>>()?;
    Ok(newest.into_iter().map(|(room, (version, generation))| (room, version, generation)).collect())
}

fn view(
    room: String,
    path: &Path,
    reader: &impl Fn(&Path) -> Result<Connection>,
    entries: &Connection,
    patience: Duration,
) -> ViewState {
    let read = || -> Result<ViewState> {
        let conn = reader(path)?;
        let position = crate::view::position(&conn)?;
        let kinds: String = conn.query_row("SELECT value FROM meta WHERE key = 'kinds'", [], |r| r.get(0))?;
        let unfolded: i64 = conn.query_row("SELECT count(*) FROM unfolded", [], |r| r.get(0))?;
        Ok(ViewState {
            behind: missing(entries, position, &kinds)?,
            unfolded: log::unsigned(unfolded),
            passed_by: crate::view::unfolded(&conn, NAMED)?,
            ..ViewState::of(room.clone(), Some(structure(&conn, patience)))
        })
    };
    read().unwrap_or_else(|e| ViewState::of(room.clone(), Some(FileState::Damaged(e.to_string()))))
}

/// SQLite's quick check of a file, given up after `patience`.
fn structure(conn: &Connection, patience: Duration) -> FileState {
    let (interrupt, (ended, over)) = (conn.get_interrupt_handle(), sync_channel::<()>(0));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let found: rusqlite::Result<String> = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0));
        drop(ended);
        match found {
            Ok(word) if word == "ok" => FileState::Whole,
            Ok(damage) => FileState::Damaged(damage),
            Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => FileState::WholeSoFar,
            Err(e) => FileState::Damaged(Error::from(e).to_string()),
        }
    })
}
