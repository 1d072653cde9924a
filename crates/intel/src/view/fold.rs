use super::dictionary::Dictionary;
use super::spread::Spread;
use super::stock::Stock;
use super::texts::{Texts, text_row};
use super::windows::Windows;
use super::{OBSERVABLE, state, text};
use crate::entry::{self, Import, Imported, Overrule, Seen};
use ledger::{Bodies, Entry, FoldError, Kinds, Room};
use people::see::RowCols;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Rows an entry may change: beyond this many selectors and references an object is stored and flagged.
pub(crate) const MOST_LINKED: usize = 900;

/// The intelligence room's fold.
pub struct IntelRoom {
    objects: Dictionary,
    /// Guessable ids that stood in a body since the last flush, by their objects' numbers.
    shown: HashMap<i64, String>,
    keys: Arc<ledger::Keys>,
    selectors: Dictionary,
    words: HashMap<String, i64>,
    texts: Texts,
    windows: Windows,
    stock: Stock,
    rows: Arc<RowCols>,
    spread: Arc<Spread>,
    country: Option<String>,
}

/// One version that stands in `versions`.
#[derive(Debug, Clone, Copy)]
struct Stood {
    pos: i64,
    version: i64,
    state: i64,
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
        let value: Value = serde_json::from_str(body).map_err(|e| FoldError::Unreadable(e.to_string()))?;
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
        let stood = if new { Vec::new() } else { standing(view, obj, entry.col)? };
        let row = NewRow {
            obj,
            version,
            bits,
            spec: spec_code(&header.spec_version),
            tlp: tlp_of(entry),
            kind: &header.object_type,
        };
        self.insert_version(view, entry, &row, &stood, Some(&value), bodies)
    }

    /// A body that was expunged before this generation folded it: the row says that something stood here.
    fn tombstone(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        let (obj, _) = self.objects.number(view, 0, &entry.subject)?;
        let kind = entry.subject.split("--").next().unwrap_or("").to_owned();
        let row = NewRow {
            obj,
            version: entry.time,
            bits: state::EXPUNGED,
            spec: TOMBSTONE,
            tlp: tlp_of(entry),
            kind: &kind,
        };
        self.windows.note(view, entry.col, signed(entry.pos))?;
        self.write_row(view, entry, &row, state::EXPUNGED)?;
        Ok(())
    }

    fn insert_version(
        &mut self,
        view: &Connection,
        entry: &Entry,
        row: &NewRow<'_>,
        stood: &[Stood],
        value: Option<&Value>,
        bodies: &dyn Bodies,
    ) -> Result<(), FoldError> {
        let pos = signed(entry.pos);
        self.windows.note(view, entry.col, pos)?;
        let last = stood.iter().max_by_key(|s| (s.version, s.pos)).copied();
        let first = stood.iter().min_by_key(|s| (s.version, s.pos)).copied();
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
        self.stock.change(entry.col, None, bits);
        self.spread.note(entry.col, signed(entry.pos));
        self.rows.set(entry.pos, Some(entry.col));
        Ok(())
    }

    /// The version is the last no more: its selectors and references go. Its text stays in the index until it is withdrawn
    /// or erased (a search asks which version is the last): taking it out costs FTS5 a rewrite of every word's page,
    /// 1.8 ms an object, and the old text is no secret, for the log has it too.
    fn retire(&mut self, view: &Connection, col: u32, old: Stood, bodies: &dyn Bodies) -> Result<(), FoldError> {
        let value = body_value(bodies, old.pos)?;
        self.set_state(view, col, old, 0, state::LAST)?;
        if let Some(value) = value {
            self.unlink(view, col, old.pos, &self.parts(old.state, &value))?;
        }
        Ok(())
    }

    /// Selectors, references and text of a version that is now the last. Returns the bits that this sets.
    fn index(
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

    fn unlink(&mut self, view: &Connection, col: u32, pos: i64, parts: &Parts) -> Result<(), FoldError> {
        for found in &parts.selectors {
            let (sel, _) = self.selectors.number(view, found.kind.code(), &found.value)?;
            view.prepare_cached("DELETE FROM holders WHERE sel = ? AND col = ? AND pos = ?")?
                .execute((sel, col, pos))?;
        }
        for (target, word) in &parts.refs {
            let (target, _) = self.number(view, target)?;
            let word = self.word(view, word)?;
            view.prepare_cached("DELETE FROM refs WHERE obj = ? AND pos = ? AND word = ?")?
                .execute((target, pos, word))?;
        }
        Ok(())
    }

    /// What a version brings: the same for the same body, or taking it back would leave rows behind.
    fn parts(&self, bits: i64, value: &Value) -> Parts {
        let mut selectors = if bits & state::REVOKED != 0 {
            Vec::new()
        } else {
            crate::reading::selectors_of(value, self.country.as_deref())
        };
        let mut all = selectors.len() <= MOST_LINKED;
        selectors.truncate(MOST_LINKED);
        let room = MOST_LINKED - selectors.len();
        let found = stix::refs_of(value, MOST_LINKED + 1);
        all &= found.len() <= room;
        let kind = value.get("relationship_type").and_then(Value::as_str).filter(|k| k.len() <= 100);
        let refs = found
            .into_iter()
            .take(room)
            .map(|r| {
                let word = match (r.property, kind) {
                    ("source_ref", Some(kind)) => format!("{kind} (from)"),
                    ("target_ref", Some(kind)) => format!("{kind} (to)"),
                    (property, _) => property.to_owned(),
                };
                (r.target.to_owned(), word)
            })
            .collect();
        Parts { selectors, refs, text: text::of_object(value), all }
    }

    fn gone(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies, bit: i64) -> Result<(), FoldError> {
        // Withdrawals and erasures name the entry that goes and its object; an erasure's body has no version.
        let goes: Gone = read(entry)?;
        let Some(obj) = self.objects.find(view, 0, &people::told(&self.keys, &goes.object))? else { return Ok(()) };
        let stood = versions_of(view, obj, entry.col)?;
        let mut target = None;
        for s in stood.into_iter().filter(|s| s.state & bit == 0) {
            if bodies.entry(unsigned(s.pos))?.is_some_and(|e| hex::encode(e.id) == goes.entry) {
                target = Some(s);
                break;
            }
        }
        let Some(target) = target else { return Ok(()) };
        // Before a bit is cleared: without the body its words and links would stay.
        let value = body_value(bodies, target.pos)?;
        self.set_state(view, entry.col, target, bit, state::LAST | state::FIRST | state::TEXT)?;
        let was_last = target.state & state::LAST != 0;
        if let Some(value) = value {
            let parts = self.parts(target.state, &value);
            if was_last {
                self.unlink(view, entry.col, target.pos, &parts)?;
            }
            if target.state & state::TEXT != 0 {
                let text = parts.text + &self.windows.words(view, entry.col, target.pos)?;
                self.texts.remove(view, text_row(entry.col, target.pos), text)?;
            }
            if bit == state::EXPUNGED {
                self.forget_values(view, obj, &value, target.state)?;
            }
        }
        if bit == state::EXPUNGED {
            // As whoever folds the log later finds it: only the body said more.
            view.prepare_cached("UPDATE versions SET spec = ?, state = state & ? WHERE col = ? AND pos = ? /* for all: the fold's own */")?
                .execute((TOMBSTONE, state::GONE, entry.col, target.pos))?;
        }
        self.promote(view, entry.col, obj, was_last, bodies)
    }

    /// After a version went, the greatest and the smallest of what still stands take its place.
    fn promote(
        &mut self,
        view: &Connection,
        col: u32,
        obj: i64,
        index: bool,
        bodies: &dyn Bodies,
    ) -> Result<(), FoldError> {
        let stood = standing(view, obj, col)?;
        if let Some(first) = stood.iter().min_by_key(|s| (s.version, s.pos)).copied() {
            self.set_state(view, col, first, state::FIRST, 0)?;
        }
        let Some(last) = stood.iter().max_by_key(|s| (s.version, s.pos)).copied() else { return Ok(()) };
        self.set_state(view, col, last, state::LAST, 0)?;
        if index && let Some(value) = body_value(bodies, last.pos)? {
            let bits = self.index(view, col, last.pos, obj, last.state, &value)?;
            self.set_state(view, col, Stood { state: last.state | state::LAST, ..last }, bits, 0)?;
        }
        Ok(())
    }

    /// What an expunged body alone said leaves the dictionaries: values, ids and words that nothing else holds.
    fn forget_values(&mut self, view: &Connection, obj: i64, value: &Value, bits: i64) -> Result<(), FoldError> {
        self.flush(view)?;
        let parts = self.parts(bits, value);
        for found in parts.selectors {
            let Some(sel) = self.selectors.find(view, found.kind.code(), &found.value)? else { continue };
            // A person's word on a selector holds it too: its number must not become another's.
            let held = "SELECT 1 FROM holders WHERE sel = ?1 UNION ALL SELECT 1 FROM overrules WHERE sel = ?1 /* for all: the fold's own */";
            if !view.prepare_cached(held)?.exists([sel])? {
                view.execute("DELETE FROM selectors WHERE sel = ?", [sel])?;
                self.selectors.remove(view, found.kind.code(), &found.value, sel)?;
            }
        }
        self.forget_id(view, obj)?;
        for (target, word) in parts.refs {
            if let Some(target) = self.objects.find(view, 0, &people::told(&self.keys, &target))? {
                self.forget_id(view, target)?;
            }
            let used = "SELECT 1 FROM refs r JOIN words w ON w.word = r.word WHERE w.text = ?1 UNION ALL \
                        SELECT 1 FROM versions v JOIN words w ON w.word = v.type WHERE w.text = ?1 LIMIT 1 /* for all: the fold's own */";
            if !view.prepare_cached(used)?.exists([&word])? {
                view.execute("DELETE FROM words WHERE text = ?", [&word])?;
            }
        }
        self.objects.reset();
        self.selectors.reset();
        self.words.clear();
        Ok(())
    }

    /// An object's id leaves when neither a version nor a reference has it; what can be guessed from, when nothing that says
    /// it stands.
    fn forget_id(&mut self, view: &Connection, obj: i64) -> Result<(), FoldError> {
        let one = |sql: &str| view.prepare_cached(sql)?.exists([obj]);
        if one("SELECT 1 FROM refs WHERE obj = ? /* for all: the fold's own */")? {
            return Ok(());
        }
        if !one("SELECT 1 FROM versions INDEXED BY versions_of_object WHERE obj = ? /* for all: the fold's own */")? {
            let id: Option<String> =
                view.query_row("SELECT id FROM objects WHERE obj = ?", [obj], |r| r.get(0)).optional()?;
            if let Some(id) = id {
                view.execute("DELETE FROM objects WHERE obj = ?", [obj])?;
                self.objects.remove(view, 0, &id, obj)?;
            }
        } else if !one(
            "SELECT 1 FROM versions INDEXED BY versions_of_object WHERE obj = ? AND state & 8 = 0 /* for all: the fold's own */",
        )? {
            view.execute("UPDATE objects SET shown = NULL WHERE obj = ?", [obj])?;
        }
        Ok(())
    }

    /// Changes the bits of a version whose state is `of.state`.
    fn set_state(&mut self, view: &Connection, col: u32, of: Stood, set: i64, clear: i64) -> Result<(), FoldError> {
        view.prepare_cached("UPDATE versions SET state = (state | ?1) & ~?2 WHERE col = ?3 AND pos = ?4")?
            .execute((set, clear, col, of.pos))?;
        self.stock.change(col, Some(of.state), (of.state | set) & !clear);
        Ok(())
    }

    fn seen(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        let seen: Seen = read(entry)?;
        let Some(cause) = entry.cause else { return Ok(()) };
        let Some(obj) = self.objects.find(view, 0, &people::told(&self.keys, &seen.object))? else { return Ok(()) };
        let stood = standing(view, obj, entry.col)?;
        let met = stood.iter().find(|s| seen.version.is_none_or(|v| v == s.version));
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

struct Parts {
    selectors: Vec<selectors::Found>,
    refs: Vec<(String, String)>,
    text: String,
    all: bool,
}

fn read<T: serde::de::DeserializeOwned>(entry: &Entry) -> Result<T, FoldError> {
    let body = entry.body.as_deref().ok_or_else(|| FoldError::Unreadable("the entry has no body".into()))?;
    serde_json::from_str(body).map_err(|e| FoldError::Unreadable(format!("{}: {e}", entry.kind.as_str())))
}

/// The specification's number of what has no body any longer.
const TOMBSTONE: i64 = 21;

/// What both `withdraw` and `expunge` say.
#[derive(serde::Deserialize)]
struct Gone {
    entry: String,
    object: String,
}

fn unsigned(n: i64) -> u64 {
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

fn body_value(bodies: &dyn Bodies, pos: i64) -> Result<Option<Value>, FoldError> {
    Ok(bodies.body(unsigned(pos))?.and_then(|body| serde_json::from_str(&body).ok()))
}

fn versions_of(view: &Connection, obj: i64, col: u32) -> rusqlite::Result<Vec<Stood>> {
    let mut stmt = view.prepare_cached(
        "SELECT pos, version, state FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ?",
    )?;
    let rows = stmt.query_map((obj, col), |r| Ok(Stood { pos: r.get(0)?, version: r.get(1)?, state: r.get(2)? }))?;
    rows.collect()
}

fn standing(view: &Connection, obj: i64, col: u32) -> rusqlite::Result<Vec<Stood>> {
    Ok(versions_of(view, obj, col)?.into_iter().filter(|s| s.state & state::GONE == 0).collect())
}

impl Room for IntelRoom {
    fn name(&self) -> &'static str {
        "intel"
    }
    fn version(&self) -> u32 {
        6
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
            entry::SEEN => self.seen(view, entry),
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
                let summary = serde_json::to_string(&done).map_err(|e| FoldError::Unreadable(e.to_string()))?;
                view.prepare_cached("UPDATE imports SET state = 1, summary = ? WHERE pos = ?")?
                    .execute((summary, entry.cause.map(signed)))?;
                Ok(())
            }
            entry::OVERRULE => {
                let word: Overrule = read(entry)?;
                let Some(kind) = selectors::Kind::parse(&word.kind) else {
                    return Err(FoldError::Unreadable(format!("no selector kind is called `{}`", word.kind)));
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
    fn flush(&mut self, view: &Connection) -> Result<(), FoldError> {
        self.objects.flush(view)?;
        for (obj, id) in self.shown.drain() {
            view.prepare_cached("UPDATE objects SET shown = ? WHERE obj = ?")?.execute((id, obj))?;
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
    use ledger::{INTAKE, Kind};

    /// The log as a fold sees it: one body, or nothing that can be read.
    struct Log(Option<Entry>);
    impl Bodies for Log {
        fn body(&self, pos: u64) -> Result<Option<Arc<str>>, FoldError> {
            Ok(self.entry(pos)?.and_then(|e| e.body))
        }
        fn entry(&self, _: u64) -> Result<Option<Entry>, FoldError> {
            self.0.clone().map(Some).ok_or_else(|| FoldError::Log("too many open files".into()))
        }
    }

    fn entry(pos: u64, kind: &'static str, body: &str) -> Entry {
        Entry {
            pos,
            seq: pos,
            id: [u8::try_from(pos).unwrap(); 32],
            collection: INTAKE,
            col: 1,
            kind: Kind::new(kind),
            version: 1,
            subject: "note--00000000-0000-4000-8000-000000000001".into(),
            author: 1,
            arrived: 1,
            time: 1,
            origin: "EXERCISE".into(),
            commitment: [0; 32],
            leaf: [0; 32],
            body_of: None,
            marking: "TLP:CLEAR".into(),
            cause: None,
            body: Some(body.into()),
        }
    }

    #[test]
    fn a_withdrawal_whose_target_cannot_be_read_is_not_passed_by() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(ledger::Keys::create(folder.path()).unwrap());
        let mut room = IntelRoom::new(&keys, Arc::default(), Arc::default(), None);
        let view = Connection::open_in_memory().unwrap();
        view.execute_batch(room.schema()).unwrap();
        let id = "note--00000000-0000-4000-8000-000000000001";
        let time = "2026-01-01T00:00:00.000Z";
        let note = serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": time, "modified": time,
            "content": "EXERCISE zwirblefink", "object_refs": [id]});
        let first = entry(1, entry::STIX, &note.to_string());
        let readable = Log(Some(first.clone()));
        room.fold(&view, &first, &readable).unwrap();
        let gone = serde_json::json!({"entry": hex::encode(first.id), "object": id, "reason": "EXERCISE"});
        let gone = entry(2, entry::WITHDRAW, &gone.to_string());
        assert!(matches!(room.fold(&view, &gone, &Log(None)), Err(FoldError::Log(_))));
        let state = || view.query_row("SELECT state FROM versions", [], |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!(state() & state::GONE, 0);
        room.fold(&view, &gone, &readable).unwrap();
        assert_eq!(state() & state::GONE, state::WITHDRAWN);
    }
}
