use crate::Result;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// How much of a file a connection may hold in memory, KiB (LEDGER.md, "Memory").
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cache {
    Log = 2_048,
    Writer = 8_192,
    Small = 256,
}

/// How long a connection waits for another's lock.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);

/// Opens a file for its one writer.
pub(crate) fn open_writer(path: &Path, full_sync: bool, cache: Cache) -> Result<Connection> {
    let conn = Connection::open(path)?;
    one_plan(&conn)?;
    conn.pragma_update(None, "page_size", 4096)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", if full_sync { "FULL" } else { "NORMAL" })?;
    conn.pragma_update(None, "cache_size", -(cache as i64))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "secure_delete", "ON")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    conn.pragma_update(None, "foreign_keys", "OFF")?;
    // Checkpoints are made when the writer is idle or the WAL is long, not by whoever commits the 1,000th page.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Opens a file for reading only: no statement through it can change a row.
///
/// # Errors
/// [`crate::Error::Sql`] when the file is absent or no database.
pub fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(path, flags)?;
    one_plan(&conn)?;
    conn.pragma_update(None, "cache_size", -(Cache::Small as i64))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "query_only", "ON")?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(32);
    Ok(conn)
}

/// A statement keeps the plan it was prepared with. Without this SQLite plans anew whenever a parameter that its planner
/// looked at changes, which was four tenths of a read by id (Query Planner Stability Guarantee, `SQLITE_DBCONFIG_ENABLE_QPSG`).
fn one_plan(conn: &Connection) -> Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Copies what no reader needs from the WAL into the file. Never waits.
pub(crate) fn checkpoint_passive(conn: &Connection) -> Result<(i64, i64)> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |r| Ok((r.get(1)?, r.get(2)?))).map_err(Into::into)
}

/// Copies the whole WAL and cuts it to nothing. `Ok(false)` when a reader stood in the way (the first result column).
pub(crate) fn checkpoint_truncate(conn: &Connection) -> Result<bool> {
    // Our own readers take a second at most; the writer's lock is held no longer than that.
    conn.busy_timeout(std::time::Duration::from_millis(1_200))?;
    let busy = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0));
    conn.busy_timeout(BUSY)?;
    Ok(busy? == 0)
}

/// A write-ahead log of this length is cut when nobody writes: what one large transaction took is given back (32 MB).
const LONG_WAL: u64 = 32 << 20;

/// Whether the file's write-ahead log is that long, and all of it is copied.
pub(crate) fn wal_is_long(conn: &Connection) -> bool {
    let path = conn.path().filter(|path| !path.is_empty()).map(|path| format!("{path}-wal"));
    let long = path.and_then(|path| std::fs::metadata(path).ok()).is_some_and(|wal| wal.len() > LONG_WAL);
    long && wal_backlog(conn) == 0
}

/// Pages in the WAL that are not yet in the file (SQLite 3.51's NOOP checkpoint only counts).
pub(crate) fn wal_backlog(conn: &Connection) -> i64 {
    conn.prepare_cached("PRAGMA wal_checkpoint(NOOP)")
        .and_then(|mut s| s.query_row([], |r| Ok(r.get::<_, i64>(1)? - r.get::<_, i64>(2)?)))
        .unwrap_or(0)
}
