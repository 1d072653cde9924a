//! Copying: rows by `pos`, in rounds between which an erasure may pass.
use super::wrap::{WRAPPED, Wrap};
use super::{
    FORMAT, KEYS_NOTE, MANIFEST, Manifest, describe, read_manifest, remove_clear_keys, sync_folder, write_keys,
};
use crate::sqlite::{self, Cache};
use crate::tree::TILE_WIDTH;
use crate::{Error, Ledger, Result, log};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params};
use std::path::Path;

/// Entries of one round.
const ROUND: u64 = 1_000;

pub(super) struct Copy<'a> {
    ledger: &'a Ledger,
    to: &'a Path,
    wrap: &'a Wrap,
    source: Connection,
    target: Connection,
    /// An earlier backup stays whole until this one is: then everything is one transaction.
    atomic: bool,
    /// The last entry that the target held before.
    before: u64,
}

/// Where the log ended when the copy began, or began again.
struct Noted {
    pos: u64,
    commits: i64,
    leaves: i64,
    names: i64,
    erasures: u64,
}

impl<'a> Copy<'a> {
    pub(super) fn begin(ledger: &'a Ledger, to: &'a Path, wrap: &'a Wrap) -> Result<Self> {
        if to.join("lock").exists() || to.join("views").exists() {
            return Err(Error::Folder(format!("{} is a node's data folder: back up to another", to.display())));
        }
        make_folder(to)?;
        let earlier = read_manifest(to)?;
        let path = to.join("log.db");
        let target = sqlite::open_writer(&path, true, Cache::Log)?;
        log::create(&target)?;
        let found = log::meta_text(&target, "origin")?;
        let origin = ledger.origin();
        let differs = |found: &str| {
            Err(Error::Folder(format!(
                "{} holds a backup of {found}, this node is {origin}: back up to another folder",
                to.display()
            )))
        };
        match (&earlier, &found) {
            (Some(manifest), _) if manifest.origin != origin => return differs(&manifest.origin),
            (_, Some(found)) if found != origin => return differs(found),
            _ => log::set_meta(&target, "origin", origin)?,
        }
        let source = sqlite::open_reader(&ledger.folder().log())?;
        let before = log::last_pos(&target)?;
        Ok(Self { ledger, to, wrap, source, target, atomic: earlier.is_some(), before })
    }

    pub(super) fn run(self, progress: &dyn Fn(u64, u64)) -> Result<Manifest> {
        if self.atomic {
            self.target.execute_batch("BEGIN IMMEDIATE")?;
        }
        loop {
            let noted = self.note()?;
            self.entries(&noted, progress)?;
            self.others(&noted)?;
            // From here on nothing is erased: what was while the entries were copied, is copied again.
            let guard = self.ledger.inner().no_erasure();
            if *guard != noted.erasures {
                continue;
            }
            self.forget_expunged()?;
            if self.atomic {
                self.target.execute_batch("COMMIT")?;
            }
            if !sqlite::checkpoint_truncate(&self.target)? {
                return Err(Error::Folder(format!("somebody reads {}; back up again", self.to.display())));
            }
            return self.finish(&noted);
        }
    }

    fn note(&self) -> Result<Noted> {
        let guard = self.ledger.inner().no_erasure();
        let one = |sql: &str| -> Result<i64> { Ok(self.source.query_row(sql, [], |r| r.get(0))?) };
        self.source.execute_batch("BEGIN")?;
        let noted = Noted {
            pos: log::last_pos(&self.source)?,
            commits: one("SELECT coalesce(max(n), 0) FROM commits")?,
            leaves: one("SELECT coalesce(max(n), -1) FROM nodelog")?,
            names: one("SELECT coalesce(max(n), -1) FROM names")?,
            erasures: *guard,
        };
        // The trees as they stand at this moment; everything else is only added to.
        let copied = self.round(|| self.rows("trees", "1", []));
        self.source.execute_batch("ROLLBACK")?;
        copied?;
        Ok(noted)
    }

    fn entries(&self, noted: &Noted, progress: &dyn Fn(u64, u64)) -> Result<()> {
        let mut at = log::last_pos(&self.target)?;
        while at < noted.pos {
            let guard = self.ledger.inner().no_erasure();
            if *guard != noted.erasures {
                return Ok(());
            }
            let to = (at + ROUND).min(noted.pos);
            let range = (log::signed(at), log::signed(to));
            self.round(|| {
                self.rows("entries", "pos > ? AND pos <= ?", range)?;
                self.rows("bodies", "pos > ? AND pos <= ?", range)
            })?;
            at = to;
            progress(at, noted.pos);
        }
        Ok(())
    }

    fn others(&self, noted: &Noted) -> Result<()> {
        let last = |sql: &str| -> Result<i64> { Ok(self.target.query_row(sql, [], |r| r.get(0))?) };
        let commits = last("SELECT coalesce(max(n), 0) FROM commits")?;
        let leaves = last("SELECT coalesce(max(n), -1) FROM nodelog")?;
        let names = last("SELECT coalesce(max(n), -1) FROM names")?;
        self.round(|| {
            self.rows("commits", "n > ? AND n <= ?", (commits, noted.commits))?;
            self.rows("heads", "n > ? AND n <= ?", (leaves, noted.leaves))?;
            self.rows("nodelog", "n > ? AND n <= ?", (leaves, noted.leaves))?;
            self.rows("names", "n > ? AND n <= ?", (names, noted.names))?;
            self.rows("suppressed", "pos <= ?", [log::signed(noted.pos)])?;
            self.tiles()
        })
    }

    /// Tiles that were full when the trees were noted.
    fn tiles(&self) -> Result<()> {
        let mut stmt = self.target.prepare("SELECT col, size FROM trees")?;
        let trees = stmt.query_map([], |r| Ok((r.get::<_, u32>(0)?, r.get::<_, i64>(1)?)))?;
        for tree in trees.collect::<rusqlite::Result<Vec<_>>>()? {
            let (col, size) = tree;
            let mut covered = (TILE_WIDTH * TILE_WIDTH) as u64;
            let mut level = 1;
            while covered <= log::unsigned(size) {
                let full = log::unsigned(size) / covered;
                let sql = "SELECT coalesce(max(idx), -1) FROM tiles WHERE col = ? AND level = ?";
                let have: i64 = self.target.query_row(sql, (col, level), |r| r.get(0))?;
                let range = (col, level, have, log::signed(full));
                self.rows("tiles", "col = ? AND level = ? AND idx > ? AND idx < ?", range)?;
                covered = covered.saturating_mul(TILE_WIDTH as u64);
                level += 1;
            }
        }
        Ok(())
    }

    /// Bodies that the log no longer holds go from the backup too.
    fn forget_expunged(&self) -> Result<()> {
        let expunge = |conn: &Connection| -> Result<i64> {
            let sql = "SELECT count(*) FROM entries e JOIN names n ON n.n = e.kind WHERE n.text = ? AND e.pos > ?";
            Ok(conn.query_row(sql, (crate::EXPUNGE, log::signed(self.before)), |r| r.get(0))?)
        };
        if expunge(&self.target)? == 0 {
            return Ok(());
        }
        let mut here = self.target.prepare("SELECT pos FROM bodies ORDER BY pos")?;
        let mut there = self.source.prepare_cached("SELECT 1 FROM bodies WHERE pos = ?")?;
        let mut gone = Vec::new();
        let mut rows = here.query([])?;
        while let Some(row) = rows.next()? {
            let pos: i64 = row.get(0)?;
            if there.query_row([pos], |_| Ok(())).optional()?.is_none() {
                gone.push(pos);
            }
        }
        drop(rows);
        self.round(|| {
            for pos in gone {
                self.target.execute("DELETE FROM bodies WHERE pos = ?", [pos])?;
            }
            Ok(())
        })
    }

    /// A transaction of its own, unless all is one.
    fn round(&self, write: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.atomic {
            return write();
        }
        self.target.execute_batch("BEGIN IMMEDIATE")?;
        let written = write();
        self.target.execute_batch(if written.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        written?;
        if sqlite::wal_backlog(&self.target) > 4_000 {
            sqlite::checkpoint_passive(&self.target)?;
        }
        Ok(())
    }

    /// Rows as they are.
    fn rows(&self, table: &str, which: &str, params: impl Params) -> Result<()> {
        let mut select = self.source.prepare_cached(&format!("SELECT * FROM {table} WHERE {which}"))?;
        let columns = select.column_count();
        let marks = vec!["?"; columns].join(",");
        let mut insert = self.target.prepare_cached(&format!("INSERT OR REPLACE INTO {table} VALUES ({marks})"))?;
        let mut found = select.query(params)?;
        while let Some(row) = found.next()? {
            for i in 0..columns {
                insert.raw_bind_parameter(i + 1, ToSqlOutput::Borrowed(row.get_ref(i)?))?;
            }
            insert.raw_execute()?;
        }
        Ok(())
    }

    fn finish(self, noted: &Noted) -> Result<Manifest> {
        let (_, commit) = log::last_commit(&self.target)?;
        let sql = "SELECT checkpoint FROM nodelog ORDER BY n DESC LIMIT 1";
        let checkpoint = self.target.query_row(sql, [], |r| r.get(0))?;
        let Self { ledger, to, wrap, target, .. } = self;
        drop(target);
        state(ledger, to, noted.pos)?;
        let node = crate::node::node_name(&ledger.keys().signing().verifying_key());
        let (wrapped, opened_by) = wrap.wrap(&node, &ledger.keys().packed())?;
        write_keys(to, &wrapped)?;
        let manifest = Manifest {
            format: FORMAT.into(),
            origin: ledger.origin().to_owned(),
            head: noted.pos,
            made: ledger.now(),
            commit: hex::encode(commit),
            checkpoint,
            files: ["log.db", "state.db", WRAPPED].iter().map(|name| describe(to, name)).collect::<Result<_>>()?,
            keys: KEYS_NOTE.into(),
            opened_by,
            public_key: Some(hex::encode(ledger.keys().signing().verifying_key().as_bytes())),
        };
        write_manifest(to, &manifest)?;
        remove_clear_keys(to, ledger.keys().packed().as_slice())?;
        Ok(manifest)
    }
}

fn make_folder(to: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let what = || format!("making the folder {}", to.display());
    std::fs::DirBuilder::new().mode(0o700).recursive(true).create(to).map_err(Error::io(what()))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).map_err(Error::io(what()))
}

/// `state` in one read transaction, its cursors no further than the copied log.
fn state(ledger: &Ledger, to: &Path, head: u64) -> Result<()> {
    let beside = to.join("state.db.unfinished");
    crate::generations::remove(&beside);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(ledger.folder().state(), flags)?;
    source.execute("VACUUM INTO ?", [beside.to_string_lossy()])?;
    drop(source);
    let copy = Connection::open(&beside)?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    copy.execute("UPDATE cursors SET pos = min(pos, ?)", [log::signed(head)])?;
    drop(copy);
    let what = || format!("writing {}", to.join("state.db").display());
    std::fs::File::open(&beside).and_then(|f| f.sync_all()).map_err(Error::io(what()))?;
    std::fs::rename(&beside, to.join("state.db")).map_err(Error::io(what()))
}

fn write_manifest(to: &Path, manifest: &Manifest) -> Result<()> {
    let path = to.join(MANIFEST);
    let beside = to.join("manifest.json.unfinished");
    let text = serde_json::to_vec_pretty(manifest).map_err(|e| Error::Failed(e.to_string()))?;
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::File::open(&beside)?.sync_all())
        .and_then(|()| std::fs::rename(&beside, &path))
        .map_err(Error::io(format!("writing {}", path.display())))?;
    sync_folder(to)
}
