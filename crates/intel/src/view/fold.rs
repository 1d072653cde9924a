use super::dictionary::Dictionary;
use super::earlier::{Readable, readable};
use super::parts::Parts;
use super::spread::Spread;
use super::stock::Stock;
use super::texts::{Texts, text_row};
use super::windows::Windows;
use super::{OBSERVABLE, state};
use crate::entry::{self, Import, Imported, Overrule, Seen};
use ledger::{Bodies, Entry, FoldError, Kinds, Room};
use people::see::RowCols;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The intelligence room's fold.
pub struct IntelRoom {
    pub(super) objects: Dictionary,
    /// Guessable ids that stood in a body since the last flush, by their objects' numbers.
    pub(super) shown: HashMap<i64, String>,
    pub(super) keys: Arc<ledger::Keys>,
    pub(super) selectors: Dictionary,
    pub(super) words: HashMap<String, i64>,
    pub(super) texts: Texts,
    pub(super) windows: Windows,
    stock: Stock,
    rows: Arc<RowCols>,
    spread: Arc<Spread>,
    pub(super) country: Option<String>,
}

/// One version that stands in `versions`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stood {
    pub(super) pos: i64,
    pub(super) version: i64,
    pub(super) state: i64,
    /// The number of its type's word.
    pub(super) kind: i64,
}

impl IntelRoom {
    /// A fold that fills `rows` with each position's collection; `country` is the node's, for national telephone forms.
    pub(crate) fn new(
        keys: &Arc<ledger::Keys>,
        rows: Arc<RowCols>,
        spread: Arc<Spread>,
        country: Option<String>,
    ) -> Self {
        Self {
            objects: Dictionary::objects(Arc::clone(keys)),
            shown: HashMap::new(),
            keys: Arc::clone(keys),
            selectors: Dictionary::selectors(Arc::clone(keys)),
            words: HashMap::new(),
            texts: Texts::default(),
            windows: Windows::default(),
            stock: Stock::default(),
            rows,
            spread,
            country,
        }
    }

    fn word(&mut self, view: &Connection, text: &str) -> rusqlite::Result<i64> {
        if let Some(n) = self.words.get(text) {
            return Ok(*n);
        }
        view.prepare_cached("INSERT OR IGNORE INTO words(text) VALUES (?)")?.execute([text])?;
        let n = view.prepare_cached("SELECT word FROM words WHERE text = ?")?.query_row([text], |r| r.get(0))?;
        self.words.insert(text.to_owned(), n);
        Ok(n)
    }

    /// The number of an object that a body names.
    fn number(&mut self, view: &Connection, id: &str) -> rusqlite::Result<(i64, bool)> {
        match people::told(&self.keys, id) {
            Cow::Borrowed(id) => self.objects.number(view, 0, id),
            Cow::Owned(hash) => {
                let found = self.objects.number(view, 0, &hash)?;
                self.shown.insert(found.0, id.to_owned());
                Ok(found)
            }
        }
    }

    fn object(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies) -> Result<(), FoldError> {
        let Some(body) = entry.body.as_deref() else { return self.tombstone(view, entry) };
        let header = stix::parse_header(body).map_err(|e| FoldError::Unreadable(e.to_string()))?;
        let value: Value = serde_json::from_str(body).map_err(|e| FoldError::shape(&e))?;
        let (obj, new) = self.number(view, &header.id)?;
        let version = header.version().map_or(entry.arrived, stix::Instant::micros);
        let mut bits = 0;
        if header.version().is_none() {
            bits |= state::UNVERSIONED;
        }
        if header.revoked {
            bits |= state::REVOKED;
        }
        if stix::check_deterministic_id(&value) == stix::IdCheck::Wrong {
            bits |= state::WRONG_ID;
        }
        let stood = if new { Ends::default() } else { Ends::of(view, obj, entry.col)? };
        let row = NewRow {
            obj,
            version,
            bits,
            spec: spec_code(&header.spec_version),
            tlp: tlp_of(entry),
            kind: &header.object_type,
        };
        self.insert_version(view, entry, &row, stood, Some(&value), bodies)
    }

    /// A body that was expunged before this generation folded it: the row says that something stood here.
    fn tombstone(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        self.placeholder(view, entry, state::EXPUNGED)
    }

    /// A row without what only the body said, out of every door by `bits`.
    fn placeholder(&mut self, view: &Connection, entry: &Entry, bits: i64) -> Result<(), FoldError> {
        let (obj, _) = self.objects.number(view, 0, &people::told(&self.keys, &entry.subject))?;
        let kind = entry.subject.split("--").next().unwrap_or("").to_owned();
        let row = NewRow { obj, version: entry.time, bits, spec: TOMBSTONE, tlp: tlp_of(entry), kind: &kind };
        self.windows.note(view, entry.col, signed(entry.pos))?;
        self.write_row(view, entry, &row, bits)?;
        Ok(())
    }

    fn insert_version(
        &mut self,
        view: &Connection,
        entry: &Entry,
        row: &NewRow<'_>,
        Ends { first, last }: Ends,
        value: Option<&Value>,
        bodies: &dyn Bodies,
    ) -> Result<(), FoldError> {
        let pos = signed(entry.pos);
        self.windows.note(view, entry.col, pos)?;
        let becomes_last = last.is_none_or(|l| (row.version, pos) >= (l.version, l.pos));
        let becomes_first = first.is_none_or(|f| (row.version, pos) < (f.version, f.pos));
        let mut bits = row.bits;
        if becomes_last {
            bits |= state::LAST;
            if let Some(old) = last {
                self.retire(view, entry.col, old, bodies)?;
            }
        }
        if becomes_first {
            bits |= state::FIRST;
            if let Some(old) = first {
                self.set_state(view, entry.col, old, 0, state::FIRST)?;
            }
        }
        if let Some(value) = value
            && becomes_last
        {
            bits |= self.index(view, entry.col, pos, row.obj, bits, value)?;
        }
        self.write_row(view, entry, row, bits)?;
        if let Some(cause) = entry.cause {
            view.prepare_cached("INSERT OR IGNORE INTO brought(cause, pos, col, again) VALUES (?,?,?,0)")?
                .execute((signed(cause), pos, entry.col))?;
        }
        Ok(())
    }

    fn write_row(&mut self, view: &Connection, entry: &Entry, row: &NewRow<'_>, bits: i64) -> Result<(), FoldError> {
        let kind = self.word(view, row.kind)?;
        view.prepare_cached(
            "INSERT OR REPLACE INTO versions(col, pos, obj, version, state, type, spec, tlp, arrived, cause, author) \
             VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        )?
        .execute(params![
            entry.col,
            signed(entry.pos),
            row.obj,
            row.version,
            bits,
            kind,
            row.spec,
            row.tlp,
            entry.arrived,
            entry.cause.map(signed),
            entry.author
        ])?;
        self.stock.change(entry.col, kind, None, bits);
        self.spread.note(entry.col, signed(entry.pos));
        self.rows.set(entry.pos, Some(entry.col));
        Ok(())
    }

    /// The version is the last no more: its selectors and references go. Its text stays in the index until it is withdrawn
    /// or erased (a search asks which version is the last): taking it out costs FTS5 a rewrite of every word's page,
    /// 1.8 ms an object, and the old text is no secret, for the log has it too.
    fn retire(&mut self, view: &Connection, col: u32, old: Stood, bodies: &dyn Bodies) -> Result<(), FoldError> {
        let value = readable(bodies, old.pos)?;
        self.set_state(view, col, old, 0, state::LAST)?;
        match value {
            Readable::Whole(value) => self.unlink(view, col, old.pos, &self.parts(old.state, &value)),
            Readable::Damaged => self.unlink_unread(view, col, old.pos),
            Readable::Erased => Ok(()),
        }
    }

    /// Takes the selectors and references of a version whose body is damaged: found by a pass over all, and that is rare.
    pub(super) fn unlink_unread(&mut self, view: &Connection, col: u32, pos: i64) -> Result<(), FoldError> {
        self.flush(view)?;
        for table in ["holders", "refs"] {
            view.execute(&format!("DELETE FROM {table} WHERE col = ? AND pos = ?"), (col, pos))?;
        }
        Ok(())
    }

    /// Selectors, references and text of a version that is now the last. Returns the bits that this sets.
    pub(super) fn index(
        &mut self,
        view: &Connection,
        col: u32,
        pos: i64,
        obj: i64,
        bits: i64,
        value: &Value,
    ) -> Result<i64, FoldError> {
        let mut parts = self.parts(bits, value);
        {
            let observable = if bits & state::UNVERSIONED != 0 { OBSERVABLE } else { 0 };
            let mut add = view.prepare_cached(
                "INSERT OR REPLACE INTO holders(sel, col, pos, obj, strength, flags) VALUES (?,?,?,?,?,?)",
            )?;
            for found in &parts.selectors {
                let (sel, _) = self.selectors.number(view, found.kind.code(), &found.value)?;
                let strength = if bits & state::WRONG_ID != 0 { 0 } else { strength_code(found.strength) };
                add.execute((sel, col, pos, obj, strength, i64::from(found.flags.bits()) | observable))?;
            }
        }
        for (target, word) in &parts.refs {
            let (target, _) = self.number(view, target)?;
            let word = self.word(view, word)?;
            view.prepare_cached("INSERT OR IGNORE INTO refs(obj, pos, word, col, src) VALUES (?,?,?,?,?)")?
                .execute((target, pos, word, col, obj))?;
        }
        if bits & state::TEXT == 0 {
            parts.text.push_str(&self.windows.words(view, col, pos)?);
            self.texts.add(view, text_row(col, pos), parts.text)?;
        }
        Ok(state::TEXT | if parts.all { 0 } else { state::NOT_ALL_LINKED })
    }

    pub(super) fn unlink(&mut self, view: &Connection, col: u32, pos: i64, parts: &Parts) -> Result<(), FoldError> {
        for found in &parts.selectors {
            let Some(sel) = self.selectors.find(view, found.kind.code(), &found.value)? else { continue };
            view.prepare_cached("DELETE FROM holders WHERE sel = ? AND col = ? AND pos = ?")?
                .execute((sel, col, pos))?;
        }
        for (target, _) in &parts.refs {
            let told = people::told(&self.keys, target);
            let Some(obj) = self.objects.find(view, 0, &told)? else { continue };
            view.prepare_cached("DELETE FROM refs WHERE obj = ? AND col = ? AND pos = ?")?.execute((obj, col, pos))?;
            if matches!(told, Cow::Owned(_)) {
                self.hide(view, obj)?;
            }
        }
        Ok(())
    }

    /// Changes the bits of a version whose state is `of.state`.
    pub(super) fn set_state(
        &mut self,
        view: &Connection,
        col: u32,
        of: Stood,
        set: i64,
        clear: i64,
    ) -> Result<(), FoldError> {
        view.prepare_cached("UPDATE versions SET state = (state | ?1) & ~?2 WHERE col = ?3 AND pos = ?4")?
            .execute((set, clear, col, of.pos))?;
        self.stock.change(col, of.kind, Some(of.state), (of.state | set) & !clear);
        Ok(())
    }

    fn seen(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies) -> Result<(), FoldError> {
        let seen: Seen = read(entry)?;
        let Some(cause) = entry.cause else { return Ok(()) };
        let Some(obj) = self.objects.find(view, 0, &people::told(&self.keys, &seen.object))? else { return Ok(()) };
        let stood = match seen.version {
            Some(version) => versions_at(view, obj, entry.col, 0, version)?,
            None => standing(view, obj, entry.col)?,
        };
        let mut met = stood.first();
        if stood.len() > 1 {
            // Several of an object without versions stand: the entry says which.
            met = None;
            for s in &stood {
                if bodies.entry(unsigned(s.pos))?.is_some_and(|e| hex::encode(e.id) == seen.entry) {
                    met = Some(s);
                }
            }
        }
        if let Some(met) = met {
            view.prepare_cached("INSERT OR IGNORE INTO brought(cause, pos, col, again) VALUES (?,?,?,1)")?
                .execute((signed(cause), met.pos, entry.col))?;
        }
        Ok(())
    }
}

struct NewRow<'a> {
    obj: i64,
    version: i64,
    bits: i64,
    spec: i64,
    tlp: i64,
    kind: &'a str,
}

fn read<T: serde::de::DeserializeOwned>(entry: &Entry) -> Result<T, FoldError> {
    let body = entry.body.as_deref().ok_or_else(|| FoldError::Unreadable("the entry has no body".into()))?;
    serde_json::from_str(body).map_err(|e| FoldError::shape(&e))
}

/// The specification's number of what has no body any longer.
pub(super) const TOMBSTONE: i64 = 21;

pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn spec_code(spec: &str) -> i64 {
    if spec == "2.0" { 20 } else { 21 }
}

/// The entry's effective TLP; what cannot be read counts as the tightest.
fn tlp_of(entry: &Entry) -> i64 {
    let word = entry.marking.split(' ').next().unwrap_or("");
    i64::from(word.parse::<stix::Tlp>().unwrap_or(stix::Tlp::Red).level())
}

pub(crate) fn strength_code(strength: selectors::Strength) -> i64 {
    match strength {
        selectors::Strength::Never => 0,
        selectors::Strength::Weak => 1,
        selectors::Strength::Links => 2,
    }
}

impl Stood {
    pub(super) fn of(r: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { pos: r.get(0)?, version: r.get(1)?, state: r.get(2)?, kind: r.get(3)? })
    }
}

/// The first and the last version of an object that stand in a collection, by (version, position).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) first: Option<Stood>,
    pub(super) last: Option<Stood>,
}

pub(super) const FIRST: &str = "SELECT pos, version, state, type FROM versions INDEXED BY versions_of_object \
    WHERE obj = ? AND col = ? AND (state & 12) = 0 ORDER BY version, pos LIMIT 1";
pub(super) const LAST: &str = "SELECT pos, version, state, type FROM versions INDEXED BY versions_of_object \
    WHERE obj = ? AND col = ? AND (state & 12) = 0 ORDER BY version DESC, pos DESC LIMIT 1";

impl Ends {
    /// Two steps, however many versions there are.
    pub(super) fn of(view: &Connection, obj: i64, col: u32) -> rusqlite::Result<Self> {
        let one = |sql: &str| view.prepare_cached(sql)?.query_row((obj, col), Stood::of).optional();
        let Some(last) = one(LAST)? else { return Ok(Self::default()) };
        // Most objects have one version.
        let first = if last.state & state::FIRST != 0 { Some(last) } else { one(FIRST)? };
        Ok(Self { first, last: Some(last) })
    }
}

/// Every version of an object in a collection, also what was withdrawn or erased.
pub(super) fn versions_of(view: &Connection, obj: i64, col: u32) -> rusqlite::Result<Vec<Stood>> {
    let mut stmt = view.prepare_cached(
        "SELECT pos, version, state, type FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ?",
    )?;
    stmt.query_map((obj, col), Stood::of)?.collect()
}

/// The versions of an object in a collection that have this version and these of the bits of [`state::GONE`].
pub(super) fn versions_at(
    view: &Connection,
    obj: i64,
    col: u32,
    gone: i64,
    version: i64,
) -> rusqlite::Result<Vec<Stood>> {
    let mut stmt = view.prepare_cached(
        "SELECT pos, version, state, type FROM versions INDEXED BY versions_of_object \
         WHERE obj = ? AND col = ? AND (state & 12) = ? AND version = ?",
    )?;
    stmt.query_map((obj, col, gone, version), Stood::of)?.collect()
}

pub(super) fn standing(view: &Connection, obj: i64, col: u32) -> rusqlite::Result<Vec<Stood>> {
    let mut stmt = view.prepare_cached(
        "SELECT pos, version, state, type FROM versions INDEXED BY versions_of_object \
         WHERE obj = ? AND col = ? AND (state & 12) = 0",
    )?;
    stmt.query_map((obj, col), Stood::of)?.collect()
}

impl Room for IntelRoom {
    fn name(&self) -> &'static str {
        "intel"
    }
    fn version(&self) -> u32 {
        10
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&[
            entry::STIX,
            entry::SEEN,
            entry::IMPORT,
            entry::IMPORTED,
            entry::OVERRULE,
            entry::WITHDRAW,
            entry::EXPUNGE,
        ])
    }
    fn schema(&self) -> &'static str {
        include_str!("schema.sql")
    }
    fn prepare(&self, conn: &Connection) -> rusqlite::Result<()> {
        people::see::register(conn)?;
        people::see::register_rows(conn, Arc::clone(&self.rows))?;
        // The collection a row stands in, for joining by `pos` alone; what it finds is filtered by `see` all the same.
        let rows = Arc::clone(&self.rows);
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        conn.create_scalar_function("col_of", 1, flags, move |ctx| {
            Ok(u64::try_from(ctx.get::<i64>(0)?).ok().and_then(|pos| rows.get(pos)))
        })
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies) -> Result<(), FoldError> {
        match entry.kind.as_str() {
            entry::STIX => self.object(view, entry, bodies),
            entry::SEEN => self.seen(view, entry, bodies),
            entry::WITHDRAW => self.gone(view, entry, bodies, state::WITHDRAWN),
            entry::EXPUNGE => self.gone(view, entry, bodies, state::EXPUNGED),
            entry::IMPORT => {
                let import: Import = read(entry)?;
                view.prepare_cached(
                    "INSERT OR REPLACE INTO imports(pos, col, source, format, author, arrived) VALUES (?,?,?,?,?,?)",
                )?
                .execute(params![
                    signed(entry.pos),
                    entry.col,
                    import.source,
                    import.format,
                    entry.author,
                    entry.arrived
                ])?;
                Ok(())
            }
            entry::IMPORTED => {
                let done: Imported = read(entry)?;
                let summary = serde_json::to_string(&done).map_err(|e| FoldError::shape(&e))?;
                view.prepare_cached("UPDATE imports SET state = 1, summary = ? WHERE pos = ?")?
                    .execute((summary, entry.cause.map(signed)))?;
                Ok(())
            }
            entry::OVERRULE => {
                let word: Overrule = read(entry)?;
                let Some(kind) = selectors::Kind::parse(&word.kind) else {
                    return Err(FoldError::Unreadable("this program knows no such kind of selector".into()));
                };
                let (sel, _) = self.selectors.number(view, kind.code(), &word.value)?;
                if word.undone {
                    view.execute("DELETE FROM overrules WHERE sel = ? AND col = ?", (sel, entry.col))?;
                    return Ok(());
                }
                view.execute(
                    "INSERT OR REPLACE INTO overrules(sel, links, author, arrived, reason, col) VALUES (?,?,?,?,?,?)",
                    params![sel, word.links, entry.author, entry.arrived, word.reason, entry.col],
                )?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
    /// An object whose body is damaged stands at no door, but where an erasure finds it; a damaged withdrawal withdraws all
    /// that stands of its object there, for which version it meant nobody can say.
    fn fold_header(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        match entry.kind.as_str() {
            entry::STIX => self.placeholder(view, entry, state::WITHDRAWN),
            entry::WITHDRAW => self.withdraw_all(view, entry),
            _ => Ok(()),
        }
    }
    fn flush(&mut self, view: &Connection) -> Result<(), FoldError> {
        self.objects.flush(view)?;
        for (obj, id) in self.shown.drain() {
            view.prepare_cached("UPDATE objects SET shown = ? WHERE obj = ? AND shown IS NULL")?.execute((id, obj))?;
        }
        self.selectors.flush(view)?;
        self.texts.flush(view)?;
        self.stock.flush(view)?;
        Ok(())
    }
    fn reset(&mut self) {
        self.texts.reset();
        self.windows.reset();
        self.stock.reset();
        self.objects.reset();
        self.shown.clear();
        self.selectors.reset();
        self.words.clear();
    }
    fn digest(&self, view: &Connection) -> rusqlite::Result<[u8; 32]> {
        super::digest::of(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_the_last_and_the_newest_versions_that_stand_are_read_off_the_index_in_its_order() {
        let conn = Connection::open_in_memory().unwrap();
        people::see::register(&conn).unwrap();
        conn.execute_batch(include_str!("schema.sql")).unwrap();
        let newest = crate::rows::newest_versions();
        for sql in [FIRST, LAST, newest.as_str()] {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = vec![1; plan.parameter_count()];
            let rows = plan.query_map(rusqlite::params_from_iter(values), |r| r.get(3)).unwrap();
            let plan: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
            let by = "versions_of_object (obj=? AND col=? AND <expr>=?)";
            assert!(plan.iter().any(|step| step.contains(by)), "{plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
        }
    }
}
