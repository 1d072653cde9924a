//! Verifying a folder that nobody serves, and the checker that tests run after whatever wrote.
use super::{Report, Trust, unfinished_erasure, verify_log};
use crate::backup::backed_up;
use crate::generations::ViewFile;
use crate::keys::Keys;
use crate::{Error, Result, log};
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Proves a folder that nobody serves, or a backup, whose wrapped keys are not needed: its manifest has the public one.
/// Changes nothing; needs no right to write.
///
/// # Errors
/// [`Error::Locked`] while a process serves it (ask that process), [`Error::Folder`] when no node lives there.
pub fn verify_folder(root: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
    let mut report = Report::default();
    let keys = match backed_up(root) {
        Ok(Some(manifest)) if manifest.is_wrapped() => {
            let key = manifest.key();
            if key.is_none() {
                report.add("manifest.json", "no signature can be checked: the public key is not the node's");
            }
            let trust = Trust { key, index_hmac: None };
            return proved(root, &trust, report, progress);
        }
        _ => Keys::open(&root.join("keys")),
    };
    let keys = match keys {
        Ok(keys) => Some(keys),
        Err(e) => {
            report.add("keys", format!("no signature can be checked: {e}"));
            None
        }
    };
    let trust = Trust {
        key: keys.as_ref().map(|k| k.signing().verifying_key()),
        index_hmac: keys.as_ref().map(Keys::index_hmac),
    };
    proved(root, &trust, report, progress)
}

/// As [`verify_folder`], with keys that were unwrapped.
pub(crate) fn verify_with(root: &Path, keys: &Keys, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
    let trust = Trust { key: Some(keys.signing().verifying_key()), index_hmac: Some(keys.index_hmac()) };
    proved(root, &trust, Report::default(), progress)
}

fn proved(root: &Path, trust: &Trust<'_>, mut report: Report, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
    let _lock = lock_if_free(root)?;
    let state = root.join("state.db");
    let erasing = match state.exists().then(|| open(&state).and_then(|c| unfinished_erasure(&c))).transpose() {
        Ok(erasing) => erasing.unwrap_or(false),
        Err(e) => {
            report.add("state.db", format!("cannot be read: {e}"));
            false
        }
    };
    let conn = match open(&root.join("log.db")) {
        Ok(conn) => conn,
        Err(e @ Error::Folder(_)) => return Err(e),
        Err(e) => {
            report.add("log.db", format!("cannot be opened: {e}"));
            return Ok(report);
        }
    };
    let found = verify_log(&conn, trust, &|| erasing, progress);
    let mut report = Report { problems: [report.problems, found.problems.clone()].concat(), ..found };
    let result = structure(&conn, &mut report);
    report.note("log.db", result);
    Ok(report)
}

/// [`verify_folder`], and that every view's file stands at the log's end with nothing unfolded (unless `unfolded` is
/// allowed) and no file of another generation left beside: what must hold after a clean close.
///
/// # Errors
/// As [`verify_folder`].
pub fn check(root: &Path, unfolded: bool) -> Result<Report> {
    let mut report = verify_folder(root, &mut |_, _| {})?;
    let result = views(root, unfolded, &mut report);
    report.note("views", result);
    Ok(report)
}

fn views(root: &Path, allowed: bool, report: &mut Report) -> Result<()> {
    let log = open(&root.join("log.db"))?;
    let state = open(&root.join("state.db"))?;
    let dir = std::fs::read_dir(root.join("views")).map_err(Error::io("reading the views' folder"))?;
    for file in dir.flatten().filter_map(|f| ViewFile::of(&f.path())) {
        let place = format!("views, {} {} {}", file.room, file.version, file.generation);
        let key = (&file.room, file.version);
        let sql = "SELECT generation FROM generations WHERE room = ? AND version = ?";
        let serves = log::optional(state.query_row(sql, key, |r| r.get::<_, i64>(0)))?;
        if serves.map(log::unsigned) != Some(file.generation) {
            report.add(place, "the file of no generation that serves was left");
            continue;
        }
        let conn = open(&file.path)?;
        let position = crate::view::position(&conn)?;
        let kinds: String = conn.query_row("SELECT value FROM meta WHERE key = 'kinds'", [], |r| r.get(0))?;
        let missing = missing(&log, position, &kinds)?;
        if missing > 0 {
            report.add(&place, format!("the view stands at {position}; {missing} entries of its kinds follow"));
        }
        let unfolded: i64 = conn.query_row("SELECT count(*) FROM unfolded", [], |r| r.get(0))?;
        if unfolded > 0 && !allowed {
            report.add(&place, format!("{unfolded} entries could not be folded"));
        }
    }
    Ok(())
}

/// Entries after `position` that the view folds.
pub(crate) fn missing(log: &Connection, position: u64, kinds: &str) -> Result<u64> {
    let mut stmt = log.prepare(
        "SELECT n.text, count(*) FROM entries e JOIN names n ON n.n = e.kind WHERE e.pos > ? GROUP BY e.kind",
    )?;
    let mut rows = stmt.query([log::signed(position)])?;
    let mut missing = 0;
    while let Some(row) = rows.next()? {
        let (kind, count): (String, i64) = (row.get(0)?, row.get(1)?);
        if kinds == "*" || kinds.split(' ').any(|k| k == kind) {
            missing += log::unsigned(count);
        }
    }
    Ok(missing)
}

/// SQLite's own check of the file: pages, order of keys, free list.
fn structure(conn: &Connection, report: &mut Report) -> Result<()> {
    let mut stmt = conn.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            report.add("log.db", format!("the file's structure: {found}"));
        }
    }
    Ok(())
}

/// Opens for reading; a file without a WAL is taken as it is, so that a backup on a read-only disk can be read.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    if !path.exists() {
        return Err(Error::Folder(format!("{} is not there", path.display())));
    }
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    if std::fs::metadata(&wal).is_ok_and(|m| m.len() > 0) {
        return crate::open_reader(path);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let escaped: String = path
        .to_string_lossy()
        .chars()
        .flat_map(|c| match c {
            '%' => "%25".chars().collect::<Vec<_>>(),
            '?' => "%3f".chars().collect(),
            '#' => "%23".chars().collect(),
            c => vec![c],
        })
        .collect();
    Ok(Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?)
}

/// The folder's lock while this lasts; nothing when there is none to take (a backup, a read-only disk).
fn lock_if_free(root: &Path) -> Result<Option<File>> {
    let Ok(file) = OpenOptions::new().write(true).open(root.join("lock")) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Locked(root.display().to_string())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
