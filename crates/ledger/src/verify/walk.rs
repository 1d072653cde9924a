//! One pass over entries, commits and the node's log together, in the order in which they were written.
mod commits;
mod leaves;

use super::start::{Expunges, Noted, expunges};
use super::{Report, Trust, rows};
use crate::checkpoint::{FIRST_COMMIT, Head};
use crate::error::is_corrupt;
use crate::leaf::{LeafFields, commitment, leaf_hash};
use crate::log::{self, NODE_LOG};
use crate::tree::{Hash, TileWriter};
use crate::{Error, Result};
use commits::OpenCommit;
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Rows and bytes of one read transaction.
const ROWS: u64 = 1_000;
const BYTES: usize = 8 << 20;

pub(super) struct Walk<'a> {
    conn: &'a Connection,
    noted: &'a Noted,
    expunges: Expunges,
    trust: &'a Trust<'a>,
    erasing: bool,
    report: &'a mut Report,
    at: u64,
    trees: BTreeMap<u32, TileWriter>,
    used: Vec<bool>,
    tiles: u64,
    commit: Option<OpenCommit>,
    commit_n: u64,
    commit_hash: Hash,
    arrived: i64,
    epoch: u64,
    /// The origin of that epoch, by its name's number.
    origin: usize,
    leaf_n: u64,
    heads: BTreeMap<u32, (u64, Head)>,
    heads_seen: u64,
    causes: HashMap<u64, [u8; 32]>,
    cause_order: VecDeque<u64>,
    /// Bodies that are absent without an expunge entry so far: `pos`, key of the expunge entry that must follow.
    absent: Vec<(u64, (u32, [u8; 32]))>,
}

/// A row of `entries` with its body.
struct Raw {
    pos: u64,
    origin: usize,
    col: u32,
    seq: u64,
    id: [u8; 32],
    subject: String,
    cause: Option<u64>,
    author: u32,
    time: i64,
    arrived: i64,
    kind: usize,
    version: u16,
    marking: usize,
    commitment: Hash,
    leaf: Hash,
    body_of: Option<u64>,
}

const COLUMNS: &str = "SELECT e.pos, e.origin, e.col, e.seq, e.id, e.subject, e.cause, e.author, e.time, e.arrived, \
     e.kind, e.version, e.marking, e.commitment, e.leaf, e.body_of, b.pos, b.salt, b.body \
     FROM entries e LEFT JOIN bodies b ON b.pos = e.pos WHERE e.pos > ? AND e.pos <= ? ORDER BY e.pos";

/// The next entry by itself; its body is asked for in [`BODY`].
const ALONE: &str = "SELECT pos, origin, col, seq, id, subject, cause, author, time, arrived, kind, version, marking, \
     commitment, leaf, body_of FROM entries WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT 1";
const BODY: &str = "SELECT pos, salt, body FROM bodies WHERE pos = ?";

fn raw(row: &Row<'_>) -> Result<Raw, rows::Wrong> {
    Ok(Raw {
        pos: rows::count(row, 0, "pos")?,
        origin: rows::small(row, 1, "origin")?,
        col: rows::small(row, 2, "col")?,
        seq: rows::count(row, 3, "seq")?,
        id: rows::hash(row, 4, "id")?,
        subject: rows::text(row, 5, "subject")?.to_owned(),
        cause: rows::maybe(row, 6, "cause")?,
        author: rows::small(row, 7, "author")?,
        time: rows::int(row, 8, "time")?,
        arrived: rows::int(row, 9, "arrived")?,
        kind: rows::small(row, 10, "kind")?,
        version: rows::small(row, 11, "version")?,
        marking: rows::small(row, 12, "marking")?,
        commitment: rows::hash(row, 13, "commitment")?,
        leaf: rows::hash(row, 14, "leaf")?,
        body_of: rows::maybe(row, 15, "body_of")?,
    })
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        noted: &'a Noted,
        expunges: Expunges,
        trust: &'a Trust<'a>,
        erasing: bool,
        report: &'a mut Report,
    ) -> Self {
        Self {
            conn,
            noted,
            expunges,
            trust,
            erasing,
            report,
            at: 0,
            trees: BTreeMap::new(),
            used: vec![false; noted.names.len()],
            tiles: 0,
            commit: None,
            commit_n: 0,
            commit_hash: FIRST_COMMIT,
            arrived: i64::MIN,
            epoch: 0,
            origin: usize::MAX,
            leaf_n: 0,
            heads: BTreeMap::new(),
            heads_seen: 0,
            causes: HashMap::new(),
            cause_order: VecDeque::new(),
            absent: Vec::new(),
        }
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn all(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        self.node_leaves()?;
        while self.at < self.noted.last_pos {
            let before = self.at;
            self.page()?;
            progress(self.at, self.noted.last_pos);
            if self.at == before {
                return Err(Error::Damaged(format!("entries end at {before}, not at {}", self.noted.last_pos)));
            }
        }
        self.end()
    }

    /// Some entries in one read transaction.
    fn page(&mut self) -> Result<()> {
        let (from, to) = (self.at, (self.at + ROWS).min(self.noted.last_pos));
        let mut stmt = self.conn.prepare_cached(COLUMNS)?;
        let mut found = stmt.query((log::signed(from), log::signed(to)))?;
        let (mut bytes, mut bodies) = (0, 0);
        while bytes <= BYTES {
            let row = match found.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                // A page under the bodies: the entry whose body lies there is looked at by itself.
                Err(e) if is_corrupt(&e) => {
                    bodies += u64::from(self.alone(to)?);
                    break;
                }
                Err(e) => return Err(e.into()),
            };
            let pos = self.reached(row)?;
            let body = self.body(row, pos, 16);
            bodies += u64::from(body.is_some());
            bytes += body.as_ref().map_or(0, |(_, text)| text.len());
            self.row(row, pos, body)?;
        }
        drop(found);
        if self.at == from {
            // Nothing in the whole stretch.
            self.report.add(format!("entries, pos {}", from + 1), format!("entries {} to {to} are missing", from + 1));
            self.at = to;
        }
        let sql = "SELECT count(*) FROM bodies WHERE pos > ? AND pos <= ?";
        let mut stmt = self.conn.prepare_cached(sql)?;
        let there: i64 = match stmt.query_row((log::signed(from), log::signed(self.at)), |r| r.get(0)) {
            // Each whose body lies there was named.
            Err(e) if is_corrupt(&e) => 0,
            there => there?,
        };
        if log::unsigned(there) > bodies {
            self.report.add(format!("bodies, pos {} to {}", from + 1, self.at), "a body stands under no entry");
        }
        Ok(())
    }

    /// The row's `pos`; those between it and the last are missing.
    fn reached(&mut self, row: &Row<'_>) -> Result<u64> {
        let pos = rows::count(row, 0, "pos").map_err(Error::Damaged)?;
        if pos != self.at + 1 {
            self.report.add(
                format!("entries, pos {}", self.at + 1),
                format!("entries {} to {} are missing", self.at + 1, pos - 1),
            );
        }
        self.at = pos;
        Ok(pos)
    }

    fn row(&mut self, row: &Row<'_>, pos: u64, body: Option<([u8; 32], String)>) -> Result<()> {
        match raw(row) {
            Ok(entry) => self.entry(&entry, body)?,
            Err(wrong) => self.report.add(format!("entries, pos {pos}"), format!("entry {pos}: {wrong}")),
        }
        Ok(())
    }

    /// The next entry, header and body read one after the other. `true`: a body stands there.
    fn alone(&mut self, to: u64) -> Result<bool> {
        let mut stmt = self.conn.prepare_cached(ALONE)?;
        let mut found = stmt.query((log::signed(self.at), log::signed(to)))?;
        let Some(row) = found.next()? else { return Ok(false) };
        let pos = self.reached(row)?;
        let mut stmt = self.conn.prepare_cached(BODY)?;
        let mut found = stmt.query([log::signed(pos)])?;
        let body = match found.next() {
            Ok(Some(of)) => self.body(of, pos, 0),
            Ok(None) => None,
            Err(e) if is_corrupt(&e) => {
                self.report.add(format!("bodies, pos {pos}"), format!("entry {pos}: the body cannot be read: {e}"));
                Some(([0; 32], String::new()))
            }
            Err(e) => return Err(e.into()),
        };
        let stands = body.is_some();
        self.row(row, pos, body)?;
        Ok(stands)
    }

    /// Columns from `first`: `pos`, `salt`, `body`.
    fn body(&mut self, row: &Row<'_>, pos: u64, first: usize) -> Option<([u8; 32], String)> {
        if matches!(row.get_ref(first), Ok(rusqlite::types::ValueRef::Null)) {
            return None;
        }
        let read = || Ok((rows::hash(row, first + 1, "salt")?, rows::text(row, first + 2, "body")?.to_owned()));
        match read() {
            Ok(body) => Some(body),
            Err(wrong) => {
                let wrong: rows::Wrong = wrong;
                self.report.add(format!("bodies, pos {pos}"), format!("entry {pos}: {wrong}"));
                Some(([0; 32], String::new()))
            }
        }
    }

    fn entry(&mut self, e: &Raw, body: Option<([u8; 32], String)>) -> Result<()> {
        let pos = e.pos;
        self.leaf(e)?;
        self.commitment(e, body)?;
        self.arrived(e);
        self.report.entries += 1;
        let due = match self.trees.get(&e.col) {
            Some(tree) => tree.size(),
            None => 0,
        };
        if e.seq != due {
            let what = format!("entry {pos}: its number in its collection is {}, not {due}", e.seq);
            self.report.add(format!("entries, pos {pos}"), what);
        }
        self.grow(e.col, e.leaf)?;
        self.commit_entry(e)
    }

    /// The leaf says what the row's columns say.
    fn leaf(&mut self, e: &Raw) -> Result<()> {
        let place = format!("entries, pos {}", e.pos);
        let name = |n: usize| self.noted.names.get(n).map(String::as_str);
        let (origin, collection, kind, marking) = (name(e.origin), name(e.col as usize), name(e.kind), name(e.marking));
        let (Some(origin), Some(collection), Some(kind), Some(marking)) = (origin, collection, kind, marking) else {
            self.report.add(place, format!("entry {}: a name's number is not in the dictionary", e.pos));
            return Ok(());
        };
        for n in [e.origin, e.col as usize, e.kind, e.marking] {
            if let Some(used) = self.used.get_mut(n) {
                *used = true;
            }
        }
        let Ok(collection) = collection.parse::<crate::CollectionId>() else {
            self.report.add(place, format!("entry {}: its collection is no id", e.pos));
            return Ok(());
        };
        match crate::checkpoint::epoch_of(origin) {
            Some(epoch) if epoch > self.epoch => (self.epoch, self.origin) = (epoch, e.origin),
            // Two restores of one backup are two logs: no log holds entries of both.
            Some(epoch) if epoch == self.epoch && e.origin == self.origin => {}
            Some(epoch) if epoch == self.epoch => {
                self.report
                    .add(&place, format!("entry {}: its epoch is another restore's than the entry's before", e.pos));
            }
            _ => self.report.add(&place, format!("entry {}: its epoch is before that of an earlier entry", e.pos)),
        }
        let cause = match e.cause {
            Some(pos) => match self.cause(pos)? {
                Some(id) => Some(id),
                None => {
                    self.report.add(&place, format!("entry {}: its cause {pos} is no entry", e.pos));
                    None
                }
            },
            None => None,
        };
        let fields = LeafFields {
            origin,
            collection: collection.as_bytes(),
            seq: e.seq,
            id: &e.id,
            subject: &e.subject,
            cause: cause.as_ref(),
            author: e.author,
            time: e.time,
            kind,
            version: e.version,
            marking,
            commitment: &e.commitment,
        };
        if leaf_hash(&fields) != e.leaf {
            self.report.add(place, format!("entry {}: the leaf does not match the entry's fields", e.pos));
        }
        Ok(())
    }

    /// The id of a cause; the last few are remembered, for an import's entries all name the same.
    fn cause(&mut self, pos: u64) -> Result<Option<[u8; 32]>> {
        if let Some(id) = self.causes.get(&pos) {
            return Ok(Some(*id));
        }
        let mut stmt = self.conn.prepare_cached("SELECT id FROM entries WHERE pos = ?")?;
        let id = stmt.query_row([log::signed(pos)], |r| Ok(rows::hash(r, 0, "id").ok())).optional()?.flatten();
        if let Some(id) = id {
            self.causes.insert(pos, id);
            self.cause_order.push_back(pos);
            if self.cause_order.len() > 64
                && let Some(old) = self.cause_order.pop_front()
            {
                self.causes.remove(&old);
            }
        }
        Ok(id)
    }

    /// The commitment holds for the body, or an expunge entry says why there is none.
    fn commitment(&mut self, e: &Raw, body: Option<([u8; 32], String)>) -> Result<()> {
        let pos = e.pos;
        if let Some(of) = e.body_of {
            if body.is_some() {
                self.report.add(format!("bodies, pos {pos}"), format!("entry {pos} shows {of}'s body and has one too"));
            }
            let mut stmt = self.conn.prepare_cached("SELECT commitment FROM entries WHERE pos = ?")?;
            let other = stmt.query_row([log::signed(of)], |r| r.get::<_, Vec<u8>>(0)).optional()?;
            if other.as_deref() != Some(&e.commitment[..]) {
                let what = format!("entry {pos}: the entry {of} whose body it shows commits to another");
                self.report.add(format!("entries, pos {pos}"), what);
            }
            return Ok(());
        }
        let key = (e.col, e.id);
        match (body, self.expunges.entries.get(&key)) {
            (Some((salt, text)), by) => {
                if commitment(&salt, text.as_bytes()) != e.commitment {
                    let what = format!("entry {pos}: the body does not match its commitment");
                    self.report.add(format!("bodies, pos {pos}"), what);
                }
                if let Some(by) = by
                    && !self.erasing
                    && *by <= self.noted.last_pos
                {
                    let what = format!("entry {pos}: the body still stands though entry {by} expunged it");
                    self.report.add(format!("bodies, pos {pos}"), what);
                }
            }
            (None, Some(_)) => self.report.expunged += 1,
            // Perhaps expunged since this began: looked up at the end.
            (None, None) => self.absent.push((pos, key)),
        }
        Ok(())
    }

    fn arrived(&mut self, e: &Raw) {
        if e.arrived <= self.arrived {
            let what = format!("entry {}: it arrived no later than the entry before", e.pos);
            self.report.add(format!("entries, pos {}", e.pos), what);
        }
        self.arrived = e.arrived;
    }

    /// Grows a tree and compares the tiles that this fills.
    fn grow(&mut self, col: u32, leaf: Hash) -> Result<()> {
        let mut full = Vec::new();
        self.trees.entry(col).or_default().push(leaf, &mut full);
        for tile in full {
            self.tiles += 1;
            let place = format!("tiles, col {col}, level {}, idx {}", tile.level, tile.index);
            let mut stmt =
                self.conn.prepare_cached("SELECT hashes FROM tiles WHERE col = ? AND level = ? AND idx = ?")?;
            let key = (col, tile.level, log::signed(tile.index));
            let same = stmt.query_row(key, |r| Ok(rows::blob(r, 0, "hashes").is_ok_and(|b| b == tile.hashes)));
            match same.optional()? {
                Some(true) => {}
                Some(false) => self.report.add(place, "the tile does not match the leaves below it"),
                None => self.report.add(place, "the tile is missing"),
            }
        }
        Ok(())
    }

    /// What can be said only at the end: nothing is left over, trees stand as noted, no body is absent without reason.
    fn end(&mut self) -> Result<()> {
        self.close_commit();
        self.node_leaves()?;
        if self.commit_n != self.noted.commits {
            let what = format!("there are {} commits, {} hold all entries", self.noted.commits, self.commit_n);
            self.report.add("commits", what);
        }
        if self.heads_seen != self.noted.heads {
            self.report
                .add("heads", format!("{} heads stand there, {} were signed", self.noted.heads, self.heads_seen));
        }
        if self.tiles != self.noted.tiles {
            self.report.add("tiles", format!("{} tiles stand there, {} are due", self.noted.tiles, self.tiles));
        }
        self.end_trees();
        for (n, used) in self.used.iter().enumerate() {
            if !used && self.noted.names.get(n) != Some(&self.noted.origin) {
                self.report.add(format!("names, n {n}"), "no entry uses the name");
            }
        }
        if self.absent.is_empty() {
            return Ok(());
        }
        let since = expunges(self.conn, self.noted, self.noted.last_pos, self.report)?;
        for (pos, key) in std::mem::take(&mut self.absent) {
            if since.entries.contains_key(&key) {
                self.report.expunged += 1;
            } else {
                let what = format!("entry {pos}: the body is missing and no entry says that it was expunged");
                self.report.add(format!("bodies, pos {pos}"), what);
            }
        }
        Ok(())
    }

    fn end_trees(&mut self) {
        for (col, tree) in &self.trees {
            let place = format!("trees, col {col}");
            self.report.collections += u64::from(*col != NODE_LOG);
            let Some(noted) = self.noted.trees.get(col) else {
                self.report.add(place, "the tree is missing");
                continue;
            };
            if (noted.size, noted.root) != (tree.size(), tree.root()) {
                self.report.add(&place, "size and root are not those of the entries");
            }
            if noted.edge != <[u8; 32]>::from(Sha256::digest(tree.to_bytes())) {
                self.report.add(&place, "the edge is not that of the entries");
            }
            if noted.head_n != self.heads.get(col).map(|(n, _)| *n) {
                self.report.add(&place, "the newest head is another than it says");
            }
        }
        for col in self.noted.trees.keys().filter(|col| !self.trees.contains_key(col)) {
            self.report.add(format!("trees, col {col}"), "no entry stands in this tree");
        }
    }
}
