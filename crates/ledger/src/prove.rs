//! A proof file for one entry, from the index's leaves, the log's tiles and the heads that the writer signed.
use crate::checkpoint::{Head, head_leaf, sort_heads};
use crate::heads::{SignedHead, node_salt};
use crate::inclusion::{Hex, PROOF_FORMAT, ProofBody, ProofEntry, ProofFile, ProofNode};
use crate::index::{Index, leaf_positions};
use crate::log::{self, NODE_LOG};
use crate::tree::{Hash, NodeSource, inclusion_proof};
use crate::{Entry, Error, Ledger, Result, View};
use rusqlite::{Connection, OptionalExtension};
use std::time::Duration;

impl Ledger {
    /// All that shows offline that the entry at `pos` stands in this ledger; [`crate::verify_proof_file`] reads it.
    /// Before the node log's next leaf the file carries the collection's head alone.
    ///
    /// # Errors
    /// [`Error::Limit`] when `pos` is no entry; [`Error::Behind`]; the storage's.
    pub fn prove(&self, pos: u64, with_body: bool) -> Result<ProofFile> {
        let entry = self.target(pos)?;
        let (signed, node) = self.signed_head(&entry)?;
        let index = self.view(Index::NAME)?;
        index.wait(self.head().pos, Duration::from_secs(2))?;
        self.log().with(|conn, _| {
            let mut leaves = Leaves { conn, index: &index, col: entry.col };
            let path = inclusion_proof(signed.head.size, entry.seq, &mut leaves).map_err(build)?;
            let node = match &node {
                Some(all) => prove_head(conn, &signed.head, all)?,
                None => None,
            };
            Ok(ProofFile {
                format: PROOF_FORMAT.into(),
                entry: proof_entry(conn, &entry)?,
                body: if with_body { body(conn, &entry)? } else { None },
                collection_path: path.into_iter().map(Hex).collect(),
                head: signed.note.clone(),
                node,
                public_key: Hex(self.keys().signing().verifying_key().to_bytes()),
            })
        })
    }

    /// The newest head that covers the entry, and all heads of that leaf of the node's log; a fresh head without them
    /// when the entry is younger than the last leaf.
    fn signed_head(&self, entry: &Entry) -> Result<(SignedHead, Option<NodeLeaf>)> {
        let (col, seq) = (entry.col, entry.seq);
        self.in_writer(move |writer| {
            let newest = &writer.heads.newest;
            if let Some(signed) = newest.get(&col).filter(|s| s.head.size > seq).cloned() {
                let mut heads: Vec<Head> = newest.values().map(|s| s.head.clone()).collect();
                sort_heads(&mut heads);
                let n = writer.tree(NODE_LOG)?.size().saturating_sub(1);
                return Ok((signed, Some(NodeLeaf { n, heads })));
            }
            let tree = writer.tree(col)?;
            let (size, root) = (tree.size(), tree.root());
            Ok((writer.sign(col, size, root)?, None))
        })
    }
}

/// A leaf of the node's log, and what it covers.
struct NodeLeaf {
    n: u64,
    heads: Vec<Head>,
}

fn prove_head(conn: &Connection, head: &Head, leaf: &NodeLeaf) -> Result<Option<ProofNode>> {
    let Some(at) = leaf.heads.iter().position(|h| h == head) else { return Ok(None) };
    let hashes: Vec<Hash> = leaf.heads.iter().map(head_leaf).collect();
    let (index, count) = (at as u64, hashes.len() as u64);
    let heads_path =
        inclusion_proof(count, index, &mut hashes.as_slice()).map_err(|e| Error::Damaged(e.to_string()))?;
    let row = conn
        .query_row(
            "SELECT at, seed, heads_root, commit_hash, checkpoint FROM nodelog WHERE n = ?",
            [log::signed(leaf.n)],
            |r| Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)),
        )
        .optional()?;
    let Some((at, seed, heads_root, commit, checkpoint)) = row else { return Ok(None) };
    let path = inclusion_proof(leaf.n + 1, leaf.n, &mut NodeLeaves { conn }).map_err(build)?;
    Ok(Some(ProofNode {
        heads_index: index,
        heads_count: count,
        heads_path: heads_path.into_iter().map(Hex).collect(),
        heads_root: Hex(heads_root),
        salt: Hex(node_salt(&seed, at)),
        commit: Hex(commit),
        index: leaf.n,
        path: path.into_iter().map(Hex).collect(),
        checkpoint,
    }))
}

fn proof_entry(conn: &Connection, e: &Entry) -> Result<ProofEntry> {
    let cause = match e.cause {
        Some(pos) => {
            let id = conn
                .prepare_cached("SELECT id FROM entries WHERE pos = ?")?
                .query_row([log::signed(pos)], |r| r.get(0))?;
            Some(Hex(id))
        }
        None => None,
    };
    Ok(ProofEntry {
        origin: e.origin.to_string(),
        collection: *e.collection.as_bytes(),
        seq: e.seq,
        id: Hex(e.id),
        subject: e.subject.to_string(),
        cause,
        author: e.author,
        time: e.time,
        kind: e.kind.as_str().to_owned(),
        version: e.version,
        marking: e.marking.to_string(),
        commitment: Hex(e.commitment),
    })
}

fn body(conn: &Connection, e: &Entry) -> Result<Option<ProofBody>> {
    let pos = log::signed(e.body_of.unwrap_or(e.pos));
    let mut stmt = conn.prepare_cached("SELECT salt, body FROM bodies WHERE pos = ?")?;
    Ok(stmt.query_row([pos], |r| Ok(ProofBody { salt: Hex(r.get(0)?), text: r.get(1)? })).optional()?)
}

fn build(e: crate::BuildError<Error>) -> Error {
    match e {
        crate::BuildError::Source(e) => e,
        other => Error::Damaged(other.to_string()),
    }
}

/// A collection's leaf hashes: where they stand says the index, what they are the entries' rows.
struct Leaves<'a> {
    conn: &'a Connection,
    index: &'a View,
    col: u32,
}

impl NodeSource for Leaves<'_> {
    type Error = Error;

    fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>> {
        let blocks = self.index.read(|r| {
            let blocks = (start / 256)..=(end.saturating_sub(1) / 256);
            blocks.map(|b| Ok(leaf_positions(r.conn, self.col, b)?)).collect::<Result<Vec<_>>>()
        })?;
        let first = start - start % 256;
        let (skip, take) = ((start - first) as usize, (end - start) as usize);
        let mut stmt = self.conn.prepare_cached("SELECT leaf FROM entries WHERE pos = ?")?;
        let positions = blocks.into_iter().flatten().skip(skip).take(take);
        positions.map(|pos| Ok(stmt.query_row([log::signed(pos)], |r| r.get(0))?)).collect()
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>> {
        tile(self.conn, self.col, level, index)
    }
}

/// The node log's own leaves.
struct NodeLeaves<'a> {
    conn: &'a Connection,
}

impl NodeSource for NodeLeaves<'_> {
    type Error = Error;

    fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>> {
        let mut stmt = self.conn.prepare_cached("SELECT leaf FROM nodelog WHERE n >= ? AND n < ? ORDER BY n")?;
        let rows = stmt.query_map((log::signed(start), log::signed(end)), |r| r.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>> {
        tile(self.conn, NODE_LOG, level, index)
    }
}

fn tile(conn: &Connection, col: u32, level: u8, index: u64) -> Result<Option<Vec<Hash>>> {
    let mut stmt = conn.prepare_cached("SELECT hashes FROM tiles WHERE col = ? AND level = ? AND idx = ?")?;
    let hashes: Option<Vec<u8>> = stmt.query_row((col, level, log::signed(index)), |r| r.get(0)).optional()?;
    Ok(hashes.map(|bytes| bytes.as_chunks::<32>().0.to_vec()))
}
