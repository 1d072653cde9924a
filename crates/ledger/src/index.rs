//! The ledger's own view: `id` and `subject` to `pos`. A unique index inside the log would cost half its speed,
//! so what this view has not folded yet stands in [`Pending`], which the writer fills and the fold empties.
use crate::erase::{WITHDRAW, Withdrawal};
use crate::keys::{Keys, RowKey, keyed_hash64};
use crate::room::{Bodies, FoldError, Kinds, Room};
use crate::{Entry, Staged, log};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Kinds that come by the million and that nobody `expect`s: their subjects are not indexed (their rooms' views know them).
pub(crate) const UNINDEXED: [&str; 2] = ["stix", "seen"];

/// The first eight bytes of an entry's id; the id is an HMAC or random, so these spread evenly.
pub(crate) fn id_row(id: &[u8; 32]) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *id;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Entries for which the maps keep memory while nothing waits.
const KEPT: usize = 1_024;

/// What the view has not folded yet, bounded by the pause of bulk appends.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    ids: HashMap<i64, Vec<u64>>,
    subjects: HashMap<i64, u64>,
    order: VecDeque<(u64, i64, Option<i64>)>,
    /// (collection, object, version) → how often withdrawn: kept whole, withdrawals are rare.
    pub(crate) withdrawn: HashMap<i64, u32>,
    /// Everything after this `pos` stands here; up to it, the view answers.
    pub(crate) floor: u64,
}

impl Pending {
    pub(crate) fn add(&mut self, key: &RowKey, entry: &Entry, subject: i64) {
        let id = id_row(&entry.id);
        let indexed = (!UNINDEXED.contains(&entry.kind.as_str())).then_some(subject);
        self.ids.entry(id).or_default().push(entry.pos);
        if let Some(subject) = indexed {
            self.subjects.insert(subject, entry.pos);
        }
        if let Some(row) = withdrawn_by(key, entry) {
            *self.withdrawn.entry(row).or_insert(0) += 1;
        }
        self.order.push_back((entry.pos, id, indexed));
    }

    pub(crate) fn ids(&self, id: i64) -> &[u64] {
        self.ids.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn subject(&self, subject: i64) -> Option<u64> {
        self.subjects.get(&subject).copied()
    }

    fn folded_to(&mut self, position: u64) {
        self.floor = self.floor.max(position);
        while let Some(&(pos, id, subject)) = self.order.front() {
            if pos > position {
                break;
            }
            self.order.pop_front();
            if let Some(list) = self.ids.get_mut(&id) {
                list.retain(|p| *p > position);
                if list.is_empty() {
                    self.ids.remove(&id);
                }
            }
            if let Some(subject) = subject
                && self.subjects.get(&subject).is_some_and(|p| *p <= position)
            {
                self.subjects.remove(&subject);
            }
        }
        if self.order.is_empty() {
            // What a load took in memory goes back when its last entry is folded.
            self.order.shrink_to(KEPT);
            self.ids.shrink_to(KEPT);
            self.subjects.shrink_to(KEPT);
        }
    }
}

/// The pending map, shared by writer and fold.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedPending(Arc<Mutex<Pending>>);

impl SharedPending {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fold.
pub(crate) struct Index {
    pending: SharedPending,
    keys: Arc<Keys>,
    ids: Vec<(i64, i64)>,
    id_rows: Staged,
    /// `pos` of each new leaf, by (collection, block of 256), eight bytes each.
    leaves: BTreeMap<(u32, u64), Vec<u8>>,
}

impl Index {
    pub(crate) const NAME: &'static str = "index";

    pub(crate) fn new(pending: SharedPending, keys: Arc<Keys>) -> Self {
        Self { pending, keys, ids: Vec::new(), id_rows: Staged::new("ids"), leaves: BTreeMap::new() }
    }
}

/// The row key under which withdrawals of one object version in one collection are counted.
pub(crate) fn withdrawn_row(key: &RowKey, collection: &crate::CollectionId, object: &str, version: Option<i64>) -> i64 {
    let mut bytes = Vec::with_capacity(25 + object.len());
    bytes.extend_from_slice(collection.as_bytes());
    bytes.push(u8::from(version.is_some()));
    bytes.extend_from_slice(&version.unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(object.as_bytes());
    keyed_hash64(key, "withdrawn", &bytes)
}

/// What a withdrawal counts against: the same bytes may come again afterwards, as a new entry.
pub(crate) fn withdrawn_by(key: &RowKey, entry: &Entry) -> Option<i64> {
    if entry.kind != WITHDRAW {
        return None;
    }
    let body: Withdrawal = serde_json::from_str(entry.body.as_deref()?).ok()?;
    Some(withdrawn_row(key, &entry.collection, &body.object, body.version))
}

/// The row key of (collection, subject).
pub(crate) fn subject_row(key: &RowKey, collection: &crate::CollectionId, subject: &str) -> i64 {
    let mut bytes = Vec::with_capacity(16 + subject.len());
    bytes.extend_from_slice(collection.as_bytes());
    bytes.extend_from_slice(subject.as_bytes());
    keyed_hash64(key, "subject", &bytes)
}

impl Room for Index {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    fn version(&self) -> u32 {
        3
    }
    fn kinds(&self) -> Kinds {
        Kinds::All
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS ids(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS ids_new(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS subjects(h INTEGER NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY(h, pos)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS withdrawn(h INTEGER PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS leaves(col INTEGER NOT NULL, block INTEGER NOT NULL, positions BLOB NOT NULL,
           PRIMARY KEY(col, block)) WITHOUT ROWID;"
    }

    fn fold(&mut self, view: &Connection, entry: &Entry, _bodies: &dyn Bodies) -> Result<(), FoldError> {
        self.fold_header(view, entry)?;
        if let Some(h) = withdrawn_by(self.keys.row(), entry) {
            view.prepare_cached("INSERT INTO withdrawn(h, n) VALUES (?, 1) ON CONFLICT(h) DO UPDATE SET n = n + 1")?
                .execute([h])?;
        }
        Ok(())
    }

    /// Only a withdrawal's body says anything here; every leaf has its place, for those after it are counted from there.
    fn fold_header(&mut self, view: &Connection, entry: &Entry) -> Result<(), FoldError> {
        self.ids.push((id_row(&entry.id), log::signed(entry.pos)));
        self.leaves.entry((entry.col, entry.seq / 256)).or_default().extend_from_slice(&entry.pos.to_le_bytes());
        if !UNINDEXED.contains(&entry.kind.as_str()) {
            let h = subject_row(self.keys.row(), &entry.collection, &entry.subject);
            view.prepare_cached("INSERT OR IGNORE INTO subjects(h, pos) VALUES (?,?)")?
                .execute((h, log::signed(entry.pos)))?;
        }
        Ok(())
    }

    /// Rows go in sorted by key, so that a transaction visits each page once.
    fn flush(&mut self, view: &Connection) -> Result<(), FoldError> {
        self.ids.sort_unstable();
        self.id_rows.write(view, &std::mem::take(&mut self.ids))?;
        let mut stmt = view.prepare_cached(
            "INSERT INTO leaves(col, block, positions) VALUES (?,?,?) \
             ON CONFLICT(col, block) DO UPDATE SET positions = CAST(positions || excluded.positions AS BLOB)",
        )?;
        for ((col, block), positions) in std::mem::take(&mut self.leaves) {
            stmt.execute((col, log::signed(block), positions))?;
        }
        Ok(())
    }

    fn committed(&mut self, position: u64) {
        self.pending.lock().folded_to(position);
    }

    fn reset(&mut self) {
        self.ids.clear();
        self.id_rows.reset();
        self.leaves.clear();
    }
}

/// Every `pos` that the folded part holds for an id's row.
pub(crate) fn positions(conn: &Connection, h: i64, out: &mut Vec<u64>) -> rusqlite::Result<()> {
    for sql in [
        "SELECT n FROM ids_new WHERE h = ? ORDER BY n DESC LIMIT 64",
        "SELECT n FROM ids WHERE h = ? ORDER BY n DESC LIMIT 64",
    ] {
        let mut stmt = conn.prepare_cached(sql)?;
        let mut rows = stmt.query([h])?;
        while let Some(row) = rows.next()? {
            out.push(log::unsigned(row.get(0)?));
        }
    }
    Ok(())
}

/// The last `pos` that the folded part holds for a subject's row.
pub(crate) fn last_of_subject(conn: &Connection, h: i64) -> rusqlite::Result<Option<u64>> {
    let mut stmt = conn.prepare_cached("SELECT max(pos) FROM subjects WHERE h = ?")?;
    stmt.query_row([h], |r| Ok(r.get::<_, Option<i64>>(0)?.map(log::unsigned)))
}

/// Where the leaves of a collection's block of 256 stand, in order.
pub(crate) fn leaf_positions(conn: &Connection, col: u32, block: u64) -> rusqlite::Result<Vec<u64>> {
    let mut stmt = conn.prepare_cached("SELECT positions FROM leaves WHERE col = ? AND block = ?")?;
    let mut rows = stmt.query((col, log::signed(block)))?;
    let Some(row) = rows.next()? else { return Ok(Vec::new()) };
    let (positions, _) = row.get_ref(0)?.as_blob()?.as_chunks::<8>();
    Ok(positions.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
}
