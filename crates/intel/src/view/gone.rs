//! What goes again: a version withdrawn or erased, and what takes its place.
use super::earlier::{Readable, readable};
use super::fold::{Ends, IntelRoom, Stood, TOMBSTONE, standing, unsigned, versions_at, versions_of};
use super::state;
use super::texts::text_row;
use ledger::{Bodies, Entry, FoldError, Room, TakenBack};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::collections::BTreeSet;

impl IntelRoom {
    /// A withdrawal or an erasure.
    pub(super) fn gone(
        &mut self,
        view: &Connection,
        entry: &Entry,
        bodies: &dyn Bodies,
        bit: i64,
    ) -> Result<(), FoldError> {
        let goes = TakenBack::of(entry)
            .ok_or_else(|| FoldError::Unreadable("the body does not say which entry of what object goes".into()))?;
        let Some(obj) = self.objects.find(view, 0, &people::told(&self.keys, &goes.object))? else { return Ok(()) };
        let Some(target) = target(view, (obj, entry.col), &goes, bit, bodies)? else {
            // Its body was gone before this generation folded it.
            return if bit == state::EXPUNGED { self.hide(view, obj) } else { Ok(()) };
        };
        // Before a bit is cleared: without the body its words and links would stay.
        let value = match readable(bodies, target.pos)? {
            Readable::Whole(value) => Some(value),
            Readable::Erased => None,
            // Its words are hidden with it. An erasure needs them: the ledger has the view folded anew without them.
            Readable::Damaged if bit == state::WITHDRAWN => {
                self.unlink_unread(view, entry.col, target.pos)?;
                None
            }
            Readable::Damaged => {
                return Err(FoldError::Lost(format!("the body of entry {}, which is erased", target.pos)));
            }
        };
        self.set_state(view, entry.col, target, bit, state::LAST | state::FIRST | state::TEXT)?;
        let place = (entry.col, target.pos);
        if bit == state::EXPUNGED {
            self.forget_withdrawal(view, place.0, place.1)?;
        } else if target.state & state::EXPUNGED == 0 {
            self.note_withdrawal(view, place, (entry.author, entry.arrived), &goes.reason)?;
        }
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
            view.prepare_cached("DELETE FROM brought WHERE pos = ?1 AND cause = (SELECT cause FROM versions WHERE col = ?2 AND pos = ?1 /* for all: the fold's own */)")?
                .execute((target.pos, entry.col))?;
            view.prepare_cached("DELETE FROM brought WHERE pos = ? AND again = 1")?.execute([target.pos])?;
            self.hide(view, obj)?;
        }
        self.promote(view, entry.col, obj, was_last, bodies)
    }

    /// A withdrawal that does not say what it withdraws.
    pub(super) fn withdraw_all(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        let Some(obj) = self.objects.find(view, 0, &people::told(&self.keys, &entry.subject))? else { return Ok(()) };
        for stood in standing(view, obj, entry.col)? {
            self.set_state(view, entry.col, stood, state::WITHDRAWN, state::LAST | state::FIRST | state::TEXT)?;
            self.unlink_unread(view, entry.col, stood.pos)?;
        }
        Ok(())
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
        let Ends { first, last } = Ends::of(view, obj, col)?;
        if let Some(first) = first.filter(|s| s.state & state::FIRST == 0) {
            self.set_state(view, col, first, state::FIRST, 0)?;
        }
        let Some(last) = last else { return Ok(()) };
        let last = match first {
            Some(first) if first.pos == last.pos => Stood { state: last.state | state::FIRST, ..last },
            _ => last,
        };
        if last.state & state::LAST == 0 {
            self.set_state(view, col, last, state::LAST, 0)?;
        }
        if index && let Readable::Whole(value) = readable(bodies, last.pos)? {
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
        let mut words = BTreeSet::new();
        for (target, word) in parts.refs {
            if let Some(target) = self.objects.find(view, 0, &people::told(&self.keys, &target))? {
                self.forget_id(view, target)?;
            }
            words.insert(word);
        }
        for word in words {
            // One that is used is met soon; one that is not costs a pass over the references, and an erasure is rare.
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

    /// An id that can be guessed is shown only while a body that was not erased, or a reference that stands, says it.
    pub(super) fn hide(&mut self, view: &Connection, obj: i64) -> Result<(), FoldError> {
        let said = "SELECT 1 FROM refs WHERE obj = ?1 UNION ALL SELECT 1 FROM versions INDEXED BY versions_of_object \
                    WHERE obj = ?1 AND (state & 12) IN (0, 4) /* for all: the fold's own */";
        if !view.prepare_cached(said)?.exists([obj])? {
            self.shown.remove(&obj);
            view.prepare_cached("UPDATE objects SET shown = NULL WHERE obj = ?")?.execute([obj])?;
        }
        Ok(())
    }

    /// An object's id leaves when neither a version nor a reference has it.
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
        }
        Ok(())
    }
}

/// The version that a withdrawal or an erasure takes. A withdrawal says the version; erasures say none, but take an object's
/// entries oldest first: the oldest that is left is looked at first, and only then each.
fn target(
    view: &Connection,
    (obj, col): (i64, u32),
    goes: &TakenBack,
    bit: i64,
    bodies: &dyn Bodies,
) -> Result<Option<Stood>, FoldError> {
    let named = |stood: Vec<Stood>| -> Result<Option<Stood>, FoldError> {
        for s in stood.into_iter().filter(|s| s.state & bit == 0) {
            if bodies.entry(unsigned(s.pos))?.is_some_and(|e| e.id == goes.entry) {
                return Ok(Some(s));
            }
        }
        Ok(None)
    };
    if let Some(version) = goes.version {
        for gone in [0, state::WITHDRAWN].into_iter().filter(|gone| gone & bit == 0) {
            if let Some(found) = named(versions_at(view, obj, col, gone, version)?)? {
                return Ok(Some(found));
            }
        }
    }
    let mut oldest = view.prepare_cached(
        "SELECT min(pos) FROM versions INDEXED BY versions_of_object WHERE obj = ? AND col = ? AND (state & 12) IN (0, ?) \
         /* for all: the fold's own */",
    )?;
    let withdrawn_too = if bit == state::EXPUNGED { state::WITHDRAWN } else { 0 };
    if let Some(pos) = oldest.query_row((obj, col, withdrawn_too), |r| r.get::<_, Option<i64>>(0))?
        && bodies.entry(unsigned(pos))?.is_some_and(|e| e.id == goes.entry)
    {
        return stood_at(view, col, pos);
    }
    named(versions_of(view, obj, col)?)
}

fn stood_at(view: &Connection, col: u32, pos: i64) -> Result<Option<Stood>, FoldError> {
    let mut one = view.prepare_cached(
        "SELECT pos, version, state, type FROM versions WHERE col = ? AND pos = ? /* for all: the fold's own */",
    )?;
    Ok(one.query_row((col, pos), Stood::of).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry;
    use ledger::{INTAKE, Kind};
    use std::sync::Arc;

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
