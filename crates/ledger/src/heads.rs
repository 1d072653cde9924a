//! Signed heads of collections, and the node's own log that takes one leaf a minute (LEDGER.md, "Proof").
use crate::checkpoint::{Checkpoint, Head, heads_root, node_leaf, sign_checkpoint, sign_head, verify_head};
use crate::leaf::commitment;
use crate::log::{self, NODE_LOG};
use crate::names::Names;
use crate::writer::Writer;
use crate::{CollectionId, Error, Result};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// A collection's head as the node signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// What it says.
    pub head: Head,
    /// The signed note (C2SP signed-note) that [`crate::verify_head`] reads.
    pub note: String,
}

/// What the writer remembers of the heads it signed.
#[derive(Default)]
pub(crate) struct Heads {
    /// The newest of each collection.
    pub(crate) newest: BTreeMap<u32, SignedHead>,
    /// The node log's last leaf was made after this commit; `None` = it has none under this origin.
    pub(crate) after_commit: Option<u64>,
}

/// Rows of one leaf of the node's log.
struct Leaf {
    n: u64,
    changed: BTreeMap<u32, SignedHead>,
    checkpoint: String,
}

impl Heads {
    pub(crate) fn load(conn: &Connection, origin: &str) -> Result<Self> {
        let mut newest = BTreeMap::new();
        let mut stmt = conn.prepare(
            "SELECT t.col, h.note FROM trees t JOIN heads h ON h.n = t.head_n AND h.col = t.col WHERE t.head_n IS NOT NULL",
        )?;
        let mut rows = stmt.query([])?;
        while let Some(row) = rows.next()? {
            let (col, note): (u32, String) = (row.get(0)?, row.get(1)?);
            let head = read_head(&note).ok_or_else(|| Error::Damaged(format!("the head of collection {col}")))?;
            newest.insert(col, SignedHead { head, note });
        }
        let last: Option<(i64, String)> = conn
            .query_row("SELECT commit_n, checkpoint FROM nodelog ORDER BY n DESC LIMIT 1", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
            .optional()?;
        let after_commit = last
            .filter(|(_, note)| note.strip_prefix(origin).is_some_and(|rest| rest.starts_with('\n')))
            .map(|(n, _)| log::unsigned(n));
        Ok(Self { newest, after_commit })
    }
}

/// A head's fields from its own note; the signature was made here and is `verify`'s to check.
pub(crate) fn read_head(note: &str) -> Option<Head> {
    let mut lines = note.lines();
    let (line, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    let (origin, id) = line.rsplit_once('/')?;
    use base64::Engine;
    let root = base64::engine::general_purpose::STANDARD.decode(root).ok()?;
    Some(Head {
        origin: origin.to_owned(),
        collection: uuid::Uuid::try_parse(id).ok()?.into_bytes(),
        size: size.parse().ok()?,
        root: root.try_into().ok()?,
    })
}

impl Writer {
    /// Whether entries were written since the node log's last leaf, or it has none.
    pub(crate) fn leaf_is_due(&self) -> bool {
        self.heads.after_commit != Some(self.commit_n)
    }

    /// Signs what changed and takes one leaf into the node's log, in a transaction of its own. Returns the checkpoint.
    ///
    /// # Errors
    /// The storage's: nothing was written.
    pub(crate) fn take_node_leaf(&mut self) -> Result<String> {
        self.recover()?;
        let leaf = self.conn.execute_batch("BEGIN IMMEDIATE").map_err(Error::from).and_then(|()| {
            let leaf = self.write_node_leaf()?;
            self.conn.execute_batch("COMMIT")?;
            Ok(leaf)
        });
        match leaf {
            Ok(leaf) => {
                self.heads.newest.extend(leaf.changed);
                self.heads.after_commit = Some(self.commit_n);
                tracing::debug!(leaf = leaf.n, "node log");
                Ok(leaf.checkpoint)
            }
            Err(e) => {
                self.undo_and_remember();
                Err(e)
            }
        }
    }

    fn write_node_leaf(&mut self) -> Result<Leaf> {
        let n = self.tree(NODE_LOG)?.size();
        let changed = self.sign_changed()?;
        for (col, signed) in &changed {
            self.conn.prepare_cached("INSERT INTO heads(n, col, size, root, note) VALUES (?,?,?,?,?)")?.execute((
                log::signed(n),
                col,
                log::signed(signed.head.size),
                &signed.head.root[..],
                &signed.note,
            ))?;
            self.conn.prepare_cached("UPDATE trees SET head_n = ? WHERE col = ?")?.execute((log::signed(n), col))?;
        }
        let unchanged = self.heads.newest.iter().filter(|(col, _)| !changed.contains_key(col)).map(|(_, s)| s);
        let all: Vec<Head> = changed.values().chain(unchanged).map(|s| s.head.clone()).collect();
        let root = heads_root(&all);
        let at = self.clock.now();
        let seed = self.salts.next_salt().map_err(|e| Error::Failed(e.to_string()))?;
        let leaf = node_leaf(&node_salt(&seed, at), &root, &self.commit_hash);
        self.grow(NODE_LOG, leaf)?;
        self.write_trees()?;
        let checkpoint = Checkpoint { origin: self.origin.to_string(), size: n + 1, root: self.tree(NODE_LOG)?.root() };
        let checkpoint = sign_checkpoint(&checkpoint, self.keys.signing()).map_err(|e| Error::Failed(e.to_string()))?;
        self.conn
            .prepare_cached(
                "INSERT INTO nodelog(n, at, seed, heads_root, commit_n, commit_hash, leaf, checkpoint) \
                 VALUES (?,?,?,?,?,?,?,?)",
            )?
            .execute((
                log::signed(n),
                at,
                &seed[..],
                &root[..],
                log::signed(self.commit_n),
                &self.commit_hash[..],
                &leaf[..],
                &checkpoint,
            ))?;
        Ok(Leaf { n, changed, checkpoint })
    }

    /// A signed head for each collection that grew since its last one.
    fn sign_changed(&self) -> Result<BTreeMap<u32, SignedHead>> {
        let mut stmt = self.conn.prepare_cached("SELECT col, size, root FROM trees WHERE col <> ?")?;
        let mut rows = stmt.query([NODE_LOG])?;
        let mut changed = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (col, size): (u32, i64) = (row.get(0)?, row.get(1)?);
            let size = log::unsigned(size);
            if self.heads.newest.get(&col).is_some_and(|s| s.head.size == size) {
                continue;
            }
            let root = row.get(2)?;
            changed.insert(col, self.sign(col, size, root)?);
        }
        Ok(changed)
    }

    /// Signs one collection's head.
    pub(crate) fn sign(&self, col: u32, size: u64, root: [u8; 32]) -> Result<SignedHead> {
        let collection = collection_of(&self.names, col)?;
        let head = Head { origin: self.origin.to_string(), collection: *collection.as_bytes(), size, root };
        let note = sign_head(&head, self.keys.signing()).map_err(|e| Error::Failed(e.to_string()))?;
        debug_assert!(verify_head(&note, &self.keys.signing().verifying_key()).is_ok());
        Ok(SignedHead { head, note })
    }
}

fn collection_of(names: &Names, col: u32) -> Result<CollectionId> {
    names.text(col).parse().map_err(|_| Error::Damaged(format!("name {col} is no collection's id")))
}

/// The salt of the node log's leaf covers the moment it was made at, so that no column of its row goes unproved.
pub(crate) fn node_salt(seed: &[u8; 32], at: i64) -> [u8; 32] {
    commitment(seed, &at.to_be_bytes())
}
