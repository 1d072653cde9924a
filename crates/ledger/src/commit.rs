//! What happens to one append inside the writer's transaction: checks first, rows after.
use crate::append::{Append, Expect, IdSource, NewEntry, Outcome, Receipt, Refusal, SameRule};
use crate::entry::Entry;
use crate::erase::{EXPUNGE, Expunge, WITHDRAW, Withdrawal};
use crate::index::{self, id_row, subject_row, withdrawn_row};
use crate::keys::keyed_id;
use crate::writer::Writer;
use crate::{Error, Result, log};
use rusqlite::OptionalExtension;
use std::collections::HashMap;
use std::sync::Arc;

/// Entries one append may hold.
pub(crate) const MOST_ENTRIES: usize = 2_000;
/// Bytes one body may hold: an object's limit and room for what a form adds.
const MOST_BYTES: usize = 17 * 1024 * 1024;

/// What earlier appends of the same transaction did, which neither index nor pending map knows yet.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) written: Vec<Arc<Entry>>,
    ids: HashMap<[u8; 32], Vec<u64>>,
    subjects: HashMap<i64, u64>,
    withdrawn: HashMap<i64, u32>,
}

/// One entry with its id and its subject's row key.
struct Keyed<'a> {
    new: &'a NewEntry,
    id: [u8; 32],
    subject: i64,
    may_be_known: bool,
}

impl Writer {
    /// Takes one append into the running transaction.
    ///
    /// `Err(Conflict | Limit | Clock | Behind)` came before any row was written; any other error undoes the whole group.
    pub(crate) fn take(&mut self, append: &Append, group: &mut Group) -> Result<Receipt> {
        self.check_limits(append)?;
        self.check_index()?;
        for expect in &append.expect {
            self.check_expect(expect, group)?;
        }
        // All refusals come before the first row.
        for cause in append.entries.iter().filter_map(|e| e.cause) {
            self.id_of(cause)?;
        }
        let keyed = self.keyed(append, group)?;
        let known = self.known(&keyed)?;
        let mut outcomes = Vec::with_capacity(keyed.len());
        for (entry, mut positions) in keyed.iter().zip(known) {
            // The same id twice in one append: the later one meets the earlier.
            if let Some(now) = group.ids.get(&entry.id) {
                positions.extend(now);
            }
            let outcome = match self.the_same(entry, &positions)? {
                Some(outcome) => outcome,
                None => Outcome::New(self.write(entry, group)?),
            };
            outcomes.push(outcome);
        }
        Ok(Receipt { outcomes, head: self.next_pos - 1 })
    }

    fn check_limits(&self, append: &Append) -> Result<()> {
        if append.entries.len() > MOST_ENTRIES {
            return Err(Error::Limit(format!(
                "{} entries in one append; the limit is {MOST_ENTRIES}",
                append.entries.len()
            )));
        }
        if append.entries.iter().any(|e| e.body.len() > MOST_BYTES) {
            return Err(Error::Limit(format!("a body is larger than {MOST_BYTES} bytes")));
        }
        match self.too_far_behind() {
            Some(behind) => Err(Error::Clock(behind / 1_000_000)),
            None => Ok(()),
        }
    }

    /// A view that is being folded anew (its file was damaged) answers only once it meets what memory holds.
    fn check_index(&self) -> Result<()> {
        let floor = self.pending.lock().floor;
        let committed = self.index.shared.committed.load(std::sync::atomic::Ordering::Acquire);
        let behind = floor.saturating_sub(committed);
        if behind == 0 { Ok(()) } else { Err(Error::Behind { view: index::Index::NAME, behind }) }
    }

    fn check_expect(&self, expect: &Expect, group: &Group) -> Result<()> {
        let row = subject_row(self.keys.row(), &expect.collection, &expect.subject);
        let last = match group.subjects.get(&row).copied().or_else(|| self.pending.lock().subject(row)) {
            Some(pos) => Some(pos),
            None => self.index.read(|r| Ok(index::last_of_subject(r.conn, row)?))?,
        };
        if last == expect.last { Ok(()) } else { Err(Error::Conflict) }
    }

    fn keyed<'a>(&mut self, append: &'a Append, group: &mut Group) -> Result<Vec<Keyed<'a>>> {
        let mut out = Vec::with_capacity(append.entries.len());
        for new in &append.entries {
            let subject = subject_row(self.keys.row(), &new.collection, &new.subject);
            let (id, may_be_known) = match &new.id {
                IdSource::Object { object, version } => {
                    let row = withdrawn_row(self.keys.row(), &new.collection, object, *version);
                    let withdrawn = self.withdrawn(row, group);
                    let version = version.map(i64::to_be_bytes);
                    let version = version.as_ref().map_or(&[][..], |v| &v[..]);
                    let parts = [
                        b"object",
                        &new.collection.as_bytes()[..],
                        object.as_bytes(),
                        version,
                        &withdrawn.to_be_bytes(),
                    ];
                    (keyed_id(self.keys.index_hmac(), &parts), true)
                }
                IdSource::Once(material) => {
                    (keyed_id(self.keys.index_hmac(), &[b"once", &new.collection.as_bytes()[..], material]), true)
                }
                IdSource::Fresh => (self.salts.next_salt().map_err(|e| Error::Damaged(e.to_string()))?, false),
            };
            if new.kind == WITHDRAW
                && let Ok(body) = serde_json::from_str::<Withdrawal>(&new.body)
            {
                let row = withdrawn_row(self.keys.row(), &new.collection, &body.object, body.version);
                *group.withdrawn.entry(row).or_insert(0) += 1;
            }
            out.push(Keyed { new, id, subject, may_be_known });
        }
        Ok(out)
    }

    fn withdrawn(&self, row: i64, group: &Group) -> u32 {
        let before = self.pending.lock().withdrawn.get(&row).copied().unwrap_or(0);
        before + group.withdrawn.get(&row).copied().unwrap_or(0)
    }

    /// For each entry the positions that may hold the same id (a row key is 64 bits of it).
    fn known(&self, keyed: &[Keyed<'_>]) -> Result<Vec<Vec<u64>>> {
        let mut known: Vec<Vec<u64>> = vec![Vec::new(); keyed.len()];
        {
            let pending = self.pending.lock();
            for (entry, out) in keyed.iter().zip(&mut known) {
                out.extend(pending.ids(id_row(&entry.id)));
            }
        }
        // In order of the key, so that neighbours share a page.
        let mut order: Vec<(i64, usize)> =
            keyed.iter().enumerate().filter(|(_, k)| k.may_be_known).map(|(i, k)| (id_row(&k.id), i)).collect();
        order.sort_unstable();
        if !order.is_empty() {
            self.index.read(|r| {
                for (row, i) in order {
                    if let Some(out) = known.get_mut(i) {
                        index::positions(r.conn, row, out)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(known)
    }

    /// Whether it is there already, refused, or new (`None`).
    fn the_same(&self, entry: &Keyed<'_>, positions: &[u64]) -> Result<Option<Outcome>> {
        if let IdSource::Object { object, .. } = &entry.new.id
            && let Some(by) = self.suppressed_by(object)
        {
            return Ok(Some(Outcome::Refused(Refusal::Expunged(by))));
        }
        for &pos in positions {
            let Some(found) = log::lookup(&self.conn, &self.names, pos)? else { continue };
            let same = match &found {
                log::Found::Whole(stored) | log::Found::Bodiless(stored, _) if stored.id != entry.id => continue,
                log::Found::Whole(stored) => match &stored.body {
                    Some(body) => **body == *entry.new.body || same_canonical(body, &entry.new.body),
                    None => false,
                },
                // What stands there cannot be compared; its commitment can.
                log::Found::Bodiless(stored, _) => self.is_committed(stored, &entry.new.body)?,
                log::Found::Torn(..) => continue,
            };
            match (same, entry.new.same) {
                (true, _) => return Ok(Some(Outcome::Same(pos))),
                (false, SameRule::Refuse) => return Ok(Some(Outcome::Refused(Refusal::OtherBytes))),
                (false, SameRule::Add) => {}
            }
        }
        Ok(None)
    }

    /// Whether an entry, whose own body is damaged, was written with this one.
    fn is_committed(&self, stored: &Entry, body: &str) -> Result<bool> {
        let pos = log::signed(stored.body_of.unwrap_or(stored.pos));
        let mut stmt = self.conn.prepare_cached("SELECT salt FROM bodies WHERE pos = ?")?;
        let salt: Option<[u8; 32]> = stmt.query_row([pos], |r| r.get(0)).optional().unwrap_or(None);
        Ok(salt.is_some_and(|salt| crate::leaf::commitment(&salt, body.as_bytes()) == stored.commitment))
    }

    pub(crate) fn suppressed_by(&self, object: &str) -> Option<u64> {
        if self.suppressed.is_empty() {
            return None;
        }
        self.suppressed.get(&suppression(self.keys.index_hmac(), object)).copied()
    }

    /// From the moment its erasure is written the object is refused, whatever step the erasure has reached.
    fn suppress(&mut self, entry: &Entry) -> Result<()> {
        let Some(Ok(body)) = entry.body.as_deref().map(serde_json::from_str::<Expunge>) else { return Ok(()) };
        let h = suppression(self.keys.index_hmac(), &body.object);
        if self.suppressed.contains_key(&h) {
            return Ok(());
        }
        self.conn
            .prepare_cached("INSERT INTO suppressed(h, pos) VALUES (?,?)")?
            .execute((&h[..], log::signed(entry.pos)))?;
        self.suppressed.insert(h, entry.pos);
        Ok(())
    }

    fn write(&mut self, keyed: &Keyed<'_>, group: &mut Group) -> Result<Arc<Entry>> {
        let new = keyed.new;
        let col = self.names.number_or_add(&self.conn, &new.collection.to_string())?;
        let kind = self.names.number_or_add(&self.conn, new.kind.as_str())?;
        let marking = self.names.number_or_add(&self.conn, &new.marking)?;
        let salt = self.salts.next_salt().map_err(|e| Error::Damaged(e.to_string()))?;
        let arrived = self.clock.now().max(self.last_arrived + 1);
        let cause_id = new.cause.map(|pos| self.id_of(pos)).transpose()?;
        let mut entry = Entry {
            pos: self.next_pos,
            origin: Arc::clone(&self.origin),
            collection: new.collection,
            col,
            seq: self.tree(col)?.size(),
            id: keyed.id,
            subject: Arc::clone(&new.subject),
            cause: new.cause,
            author: new.author,
            time: new.time.unwrap_or(arrived),
            arrived,
            kind: new.kind.clone(),
            version: new.version,
            marking: Arc::clone(&new.marking),
            commitment: crate::leaf::commitment(&salt, new.body.as_bytes()),
            leaf: [0; 32],
            body_of: None,
            body: Some(Arc::clone(&new.body)),
        };
        entry.leaf = leaf_of(&entry, cause_id.as_ref());
        log::insert(
            &self.conn,
            &log::Row_ { entry: &entry, origin: self.origin_n, kind, marking, salt: &salt, body: Some(&new.body) },
        )?;
        self.grow(col, entry.leaf)?;
        if entry.kind == EXPUNGE {
            self.suppress(&entry)?;
        }
        self.next_pos += 1;
        self.last_arrived = arrived;
        let entry = Arc::new(entry);
        group.ids.entry(keyed.id).or_default().push(entry.pos);
        group.subjects.insert(keyed.subject, entry.pos);
        group.written.push(Arc::clone(&entry));
        Ok(entry)
    }

    /// The id of the import an entry names as its cause: asked for by the thousand, always the same few.
    fn id_of(&mut self, pos: u64) -> Result<[u8; 32]> {
        if let Some((known, id)) = self.last_cause
            && known == pos
        {
            return Ok(id);
        }
        let id: Vec<u8> = self
            .conn
            .prepare_cached("SELECT id FROM entries WHERE pos = ?")?
            .query_row([log::signed(pos)], |r| r.get(0))
            .map_err(|_| Error::Limit(format!("the cause {pos} is no entry of this log")))?;
        let id: [u8; 32] =
            id.try_into().map_err(|_| Error::Damaged(format!("the id of entry {pos} is not 32 bytes")))?;
        self.last_cause = Some((pos, id));
        Ok(id)
    }
}

/// The suppression list's key of an object.
pub(crate) fn suppression(key: &[u8; 32], object: &str) -> [u8; 32] {
    keyed_id(key, &[b"suppress", object.as_bytes()])
}

/// The leaf of an entry (LEDGER.md, "Proof").
pub(crate) fn leaf_of(entry: &Entry, cause: Option<&[u8; 32]>) -> [u8; 32] {
    crate::leaf::leaf_hash(&crate::leaf::LeafFields {
        origin: &entry.origin,
        collection: entry.collection.as_bytes(),
        seq: entry.seq,
        id: &entry.id,
        subject: &entry.subject,
        cause,
        author: entry.author,
        time: entry.time,
        kind: entry.kind.as_str(),
        version: entry.version,
        marking: &entry.marking,
        commitment: &entry.commitment,
    })
}

/// Whether two bodies have one RFC 8785 form.
fn same_canonical(a: &str, b: &str) -> bool {
    let canonical = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        serde_json_canonicalizer::to_string(&value).ok()
    };
    matches!((canonical(a), canonical(b)), (Some(a), Some(b)) if a == b)
}
