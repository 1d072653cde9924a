//! Records that an import could not take: kept with their reason until they are mended, withdrawn or erased. They stand
//! in a file of their own beside the log, never in a backup, and its deleted rows leave no bytes.
use crate::rows::{signed, unsigned};
use crate::{Error, ImportRow, Intel, Limits, Reason, Result};
use people::{Right, Viewer};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file's name in the data folder.
const FILE: &str = "quarantine.db";
/// What a row costs beside its texts, bytes.
const ROW: u64 = 64;
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS aside(import INTEGER NOT NULL, n INTEGER NOT NULL, place TEXT NOT NULL, \
    object TEXT, why TEXT NOT NULL, record TEXT, cut INTEGER NOT NULL, bytes INTEGER NOT NULL, code TEXT, detail TEXT, \
    PRIMARY KEY(import, n)) WITHOUT ROWID; \
    CREATE INDEX IF NOT EXISTS aside_object ON aside(object) WHERE object IS NOT NULL; \
    CREATE INDEX IF NOT EXISTS aside_bytes ON aside(bytes); \
    CREATE TABLE IF NOT EXISTS frame(import INTEGER PRIMARY KEY, header TEXT NOT NULL, mapping TEXT NOT NULL); \
    CREATE TRIGGER IF NOT EXISTS frame_goes AFTER DELETE ON aside \
    WHEN NOT EXISTS (SELECT 1 FROM aside WHERE import = OLD.import) \
    BEGIN DELETE FROM frame WHERE import = OLD.import; END;";
/// Frames that no row needs, of before the last row took its frame along.
const ALONE: &str = "DELETE FROM frame WHERE import NOT IN (SELECT import FROM aside)";

/// A record set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its number among those of its import, from 1.
    pub n: u64,
    /// Where it stands in its file.
    pub place: String,
    /// The id it claims or was given.
    pub object: Option<String>,
    /// What is wrong and what would be right, in English.
    pub why: String,
    /// The same as [`crate::Reason::code`]; `None` in rows that were kept before there were codes.
    pub code: Option<String>,
    /// What the code leaves open: [`crate::Reason::detail`].
    pub detail: String,
    /// The record; `None` when there is nothing to show or it may not be kept.
    pub record: Option<String>,
    /// Only its beginning was kept.
    pub cut: bool,
}

impl SetAside {
    /// A record with why; its number follows when it is kept.
    pub(crate) fn new(place: String, object: Option<String>, why: Reason, record: Option<String>) -> Self {
        let Reason { code, detail, text } = why;
        Self { n: 0, place, object, why: text, code: Some(code.to_owned()), detail, record, cut: false }
    }

    fn bytes(&self) -> u64 {
        let texts =
            [Some(&self.place), self.object.as_ref(), Some(&self.why), Some(&self.detail), self.record.as_ref()];
        ROW + texts.into_iter().flatten().map(|t| t.len() as u64).sum::<u64>()
    }
}

/// What rows of a CSV file need beside them so that they can be mended and read alone: it goes with the last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The row that names the columns, in UTF-8; empty when the file had none.
    pub header: String,
    /// The mapping, TOML.
    pub mapping: String,
}

/// What is kept of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// Some of the records, by number.
    pub rows: Vec<SetAside>,
    /// There are more after these.
    pub more: bool,
    /// How many are kept in all; more may have been set aside than were kept.
    pub kept: u64,
    /// Of a CSV file: what its rows need to be read alone. Rows with an object's id are no rows of the file, but
    /// objects that were made of them.
    pub frame: Option<Frame>,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Shelf {
    conn: Mutex<Connection>,
    total: u64,
}

impl Shelf {
    pub(crate) fn open(root: &Path, limits: &Limits) -> Result<Arc<Self>> {
        let path = root.join(FILE);
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.create(true).truncate(false).write(true).open(&path)?;
        let conn = Connection::open(&path)?;
        // No write-ahead log and no journal left behind: what is deleted is overwritten where it stood.
        conn.execute_batch("PRAGMA secure_delete = ON; PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = -1000;")?;
        conn.execute_batch(SCHEMA)?;
        conn.execute(ALONE, [])?;
        // Files of before there were codes: their rows keep their English alone.
        for column in ["code", "detail"] {
            let known = "SELECT count(*) FROM pragma_table_info('aside') WHERE name = ?";
            if conn.query_row(known, [column], |r| r.get::<_, i64>(0))? == 0 {
                conn.execute_batch(&format!("ALTER TABLE aside ADD COLUMN {column} TEXT"))?;
            }
        }
        Ok(Arc::new(Self { conn: Mutex::new(conn), total: limits.aside_total }))
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps rows of an import; the oldest imports' go when there would be too many.
    fn keep(&self, import: u64, rows: &[SetAside], frame: Option<&Frame>) -> Result<()> {
        let mut conn = self.conn();
        let tx = conn.transaction()?;
        let sum =
            |tx: &Connection| tx.query_row("SELECT coalesce(sum(bytes), 0) FROM aside", [], |r| r.get::<_, i64>(0));
        let new: u64 = rows.iter().map(SetAside::bytes).sum();
        while unsigned(sum(&tx)?) + new > self.total {
            let oldest: Option<i64> =
                tx.query_row("SELECT min(import) FROM aside WHERE import <> ?", [signed(import)], |r| r.get(0))?;
            let Some(oldest) = oldest else { return Ok(()) };
            tracing::warn!(
                import = oldest,
                "the quarantine is full: what was set aside of its oldest import is dropped"
            );
            forget(&tx, oldest)?;
        }
        if let Some(frame) = frame {
            tx.execute(
                "INSERT OR IGNORE INTO frame(import, header, mapping) VALUES (?,?,?)",
                (signed(import), &frame.header, &frame.mapping),
            )?;
        }
        for r in rows {
            tx.prepare_cached(
                "INSERT OR IGNORE INTO aside(import, n, place, object, why, record, cut, bytes, code, detail) \
                 VALUES (?,?,?,?,?,?,?,?,?,?)",
            )?
            .execute(params![
                signed(import),
                signed(r.n),
                r.place,
                r.object,
                r.why,
                r.record,
                r.cut,
                signed(r.bytes()),
                r.code,
                r.detail
            ])?;
        }
        Ok(tx.commit()?)
    }

    fn rows(&self, import: u64, after: u64, limit: usize) -> Result<Quarantine> {
        let conn = self.conn();
        let kept =
            conn.query_row("SELECT count(*) FROM aside WHERE import = ?", [signed(import)], |r| r.get::<_, i64>(0))?;
        let mut stmt = conn.prepare_cached(
            "SELECT n, place, object, why, record, cut, code, coalesce(detail, '') FROM aside WHERE import = ? AND n > ? ORDER BY n LIMIT ?",
        )?;
        let row = |r: &rusqlite::Row<'_>| {
            Ok(SetAside {
                n: unsigned(r.get(0)?),
                place: r.get(1)?,
                object: r.get(2)?,
                why: r.get(3)?,
                record: r.get(4)?,
                cut: r.get(5)?,
                code: r.get(6)?,
                detail: r.get(7)?,
            })
        };
        let asked = (signed(import), signed(after), signed(limit as u64).saturating_add(1));
        let mut rows = stmt.query_map(asked, row)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let frame = "SELECT header, mapping FROM frame WHERE import = ?";
        let frame = conn
            .query_row(frame, [signed(import)], |r| Ok(Frame { header: r.get(0)?, mapping: r.get(1)? }))
            .optional()?;
        Ok(Quarantine { rows, more, kept: unsigned(kept), frame })
    }

    fn drop_import(&self, import: u64) -> Result<u64> {
        forget(&self.conn(), signed(import))
    }

    /// Drops every record that is of an object or names it, and every frame that names it.
    pub(crate) fn drop_object(&self, object: &str) -> Result<()> {
        let conn = self.conn();
        conn.execute("DELETE FROM aside WHERE object = ?1 OR instr(record, ?1) > 0", [object])?;
        conn.execute("DELETE FROM frame WHERE instr(header, ?1) > 0 OR instr(mapping, ?1) > 0", [object])?;
        Ok(())
    }

    /// The frames after that of an import, each with its import's number.
    pub(crate) fn frames(&self, after: i64, limit: usize) -> Result<Vec<(i64, Frame)>> {
        let conn = self.conn();
        let sql = "SELECT import, header, mapping FROM frame WHERE import > ? ORDER BY import LIMIT ?";
        let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, Frame { header: r.get(1)?, mapping: r.get(2)? }));
        let mut stmt = conn.prepare_cached(sql)?;
        Ok(stmt.query_map((after, limit as i64), row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Drops one import's frame; its rows stay, to be read by whoever has the file.
    pub(crate) fn drop_frame(&self, import: i64) -> Result<u64> {
        Ok(self.conn().execute("DELETE FROM frame WHERE import = ?", [import])? as u64)
    }

    /// Records by import and number, after one of them.
    pub(crate) fn records(&self, after: (i64, i64), limit: usize) -> Result<Vec<((i64, i64), String)>> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT import, n, record FROM aside WHERE (import, n) > (?, ?) AND record IS NOT NULL ORDER BY import, n LIMIT ?",
        )?;
        let row = |r: &rusqlite::Row<'_>| Ok(((r.get(0)?, r.get(1)?), r.get(2)?));
        Ok(stmt.query_map((after.0, after.1, limit as i64), row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Drops one record.
    pub(crate) fn drop_record(&self, (import, n): (i64, i64)) -> Result<u64> {
        Ok(self.conn().execute("DELETE FROM aside WHERE import = ? AND n = ?", (import, n))? as u64)
    }

    /// Records and their bytes, from the index over bytes alone.
    fn size(&self) -> Result<(u64, u64)> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM aside INDEXED BY aside_bytes";
        let (records, bytes) = self.conn().query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok((unsigned(records), unsigned(bytes)))
    }

    fn objects(&self) -> Result<Vec<String>> {
        let conn = self.conn();
        let mut stmt = conn.prepare("SELECT DISTINCT object FROM aside WHERE object IS NOT NULL")?;
        Ok(stmt.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
    }
}

/// Drops what is kept of an import, its frame with the last row; how many records.
fn forget(conn: &Connection, import: i64) -> Result<u64> {
    Ok(conn.execute("DELETE FROM aside WHERE import = ?", [import])? as u64)
}

/// References of a record that are asked about.
const MOST_NAMED: usize = 900;

/// What one import sets aside, within its bounds.
pub(crate) struct Setting {
    import: u64,
    n: u64,
    bytes: u64,
    waiting: Vec<SetAside>,
    /// The mapping of a CSV file, and its frame once a row of it was set aside.
    mapping: Option<String>,
    frame: Option<Frame>,
}

impl Setting {
    pub(crate) fn of(import: u64, mapping: Option<&formats::Mapping>) -> Self {
        let mapping = mapping.map(formats::Mapping::alone);
        Self { import, n: 0, bytes: 0, waiting: Vec::new(), mapping, frame: None }
    }

    /// Notes the header of the file whose rows come: with it and the mapping each can be read alone.
    pub(crate) fn frame(&mut self, limits: &Limits, header: Option<&str>) {
        let header = header.unwrap_or_default();
        if self.frame.is_none()
            && let Some(mapping) = &self.mapping
            && header.len() + mapping.len() <= limits.file.max_kept_bytes
        {
            self.bytes += (header.len() + mapping.len()) as u64;
            self.frame = Some(Frame { header: header.to_owned(), mapping: mapping.clone() });
        }
    }

    /// Notes a record; `keep` says whether its text may be kept.
    pub(crate) fn add(&mut self, limits: &Limits, mut row: SetAside) {
        self.n += 1;
        row.n = self.n;
        if let Some(record) = row.record.as_mut()
            && record.len() > limits.file.max_kept_bytes
        {
            let most = limits.file.max_kept_bytes;
            let end = (0..=most).rev().find(|at| record.is_char_boundary(*at)).unwrap_or(0);
            record.truncate(end);
            row.cut = true;
        }
        let bytes = row.bytes();
        if self.n <= limits.aside_records && self.bytes + bytes <= limits.aside_bytes {
            self.bytes += bytes;
            self.waiting.push(row);
        }
    }

    /// How many wait to be kept.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn flush(&mut self, intel: &Intel) -> Result<()> {
        let mut rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        for row in &mut rows {
            if erased_of(intel, row.object.as_deref(), row.record.as_deref())?.is_some() {
                row.record = None;
            }
        }
        if let Some(frame) = &self.frame
            && (erased_of(intel, None, Some(&frame.header))?.is_some()
                || erased_of(intel, None, Some(&frame.mapping))?.is_some())
        {
            self.frame = None;
        }
        let shelf = &intel.inner.shelf;
        shelf.keep(self.import, &rows, self.frame.as_ref())?;
        // What was erased between the look and the keeping: its hook may have passed by already.
        for row in rows.iter().filter(|row| row.record.is_some()) {
            if let Some(object) = erased_of(intel, row.object.as_deref(), row.record.as_deref())? {
                shelf.drop_object(&object)?;
            }
        }
        for text in self.frame.iter().flat_map(|frame| [&frame.header, &frame.mapping]) {
            if let Some(object) = erased_of(intel, None, Some(text))? {
                shelf.drop_object(&object)?;
            }
        }
        Ok(())
    }
}

/// An object that was erased here and that a record is of, or its text names: that text must not be kept again.
fn erased_of(intel: &Intel, object: Option<&str>, text: Option<&str>) -> Result<Option<String>> {
    let named = text.map(ids_in).unwrap_or_default();
    for object in object.map(str::to_owned).into_iter().chain(named) {
        if intel.inner.ledger.was_erased(&object)? {
            return Ok(Some(object));
        }
    }
    Ok(None)
}

/// The ids that a text names, whatever its format; it may be cut.
fn ids_in(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let mut out = BTreeSet::new();
    for (at, _) in text.match_indices("--") {
        let (before, after) = text.split_at(at);
        let kind = before.rsplit(|c| !word(c)).next().unwrap_or("");
        let Some(uuid) = after.get(2..38) else { continue };
        let id = format!("{kind}--{uuid}");
        if stix::StixId::parse(&id).is_ok() {
            out.insert(id);
            if out.len() == MOST_NAMED {
                break;
            }
        }
    }
    out
}

impl Intel {
    /// What is kept of the records that an import set aside, after number `after`: for those who may import into its
    /// collection, since a record that could not be taken has no marking of its own.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such import or the viewer does not see it; [`Error::Forbidden`].
    pub fn set_aside(&self, viewer: &Viewer, import: u64, after: u64, limit: usize) -> Result<Quarantine> {
        self.importer_of(viewer, import)?;
        self.inner.shelf.rows(import, after, limit)
    }

    /// Drops what is kept of the records that an import set aside; how many.
    ///
    /// # Errors
    /// As [`Intel::set_aside`].
    pub fn drop_set_aside(&self, viewer: &Viewer, import: u64) -> Result<u64> {
        self.importer_of(viewer, import)?;
        self.inner.shelf.drop_import(import)
    }

    /// How many records the whole quarantine keeps, and their bytes: for whoever watches the machine.
    ///
    /// # Errors
    /// The storage's.
    pub fn quarantine_size(&self) -> Result<(u64, u64)> {
        self.inner.shelf.size()
    }

    /// One import.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none of that number or the viewer does not see it.
    pub fn import_row(&self, viewer: &Viewer, import: u64) -> Result<ImportRow> {
        let found = self.imports(viewer, import.checked_add(1), 1)?.into_iter().find(|r| r.pos == import);
        found.ok_or(Error::NotFound)
    }

    /// Whether the viewer may see what imports into this collection set aside.
    pub fn may_see_aside(&self, viewer: &Viewer, col: u32) -> bool {
        viewer.may(Right::Import) && viewer.may_write(col)
    }

    fn importer_of(&self, viewer: &Viewer, import: u64) -> Result<ImportRow> {
        let row = self.import_row(viewer, import)?;
        if self.may_see_aside(viewer, row.col) {
            return Ok(row);
        }
        Err(Error::Forbidden("what an import set aside is shown to those who may import into its collection".into()))
    }

    /// Follows erasures: from now on, and those that a kill broke off before this room was open.
    pub(crate) fn watch_erasures(&self) -> Result<()> {
        for object in self.inner.shelf.objects()? {
            if self.inner.ledger.was_erased(&object)? {
                self.inner.shelf.drop_object(&object)?;
            }
        }
        let shelf = Arc::clone(&self.inner.shelf);
        self.inner.ledger.on_expunge(Box::new(move |_, notice| {
            if let Err(e) = shelf.drop_object(&notice.object) {
                tracing::error!(error = %e, "the quarantine could not be cleared of what was erased; restart the node");
            }
        }));
        Ok(())
    }
}

/// An import's reason with the place and id of its record, in one line.
impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.object {
            Some(id) => write!(f, "{} ({id}): {}", self.place, self.why),
            None => write!(f, "{}: {}", self.place, self.why),
        }
    }
}
