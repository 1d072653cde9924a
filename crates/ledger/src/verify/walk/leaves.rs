//! The node log's leaves and the heads that were signed with them.
use super::super::rows;
use super::Walk;
use crate::Result;
use crate::checkpoint::{Head, heads_root, node_leaf, verify_checkpoint, verify_head};
use crate::heads::node_salt;
use crate::log::{self, NODE_LOG};
use crate::tree::Hash;
use rusqlite::{OptionalExtension, Row};

impl Walk<'_> {
    /// The node log's leaves that were taken after the commits so far.
    pub(super) fn node_leaves(&mut self) -> Result<()> {
        while self.leaf_n < self.noted.leaves {
            let n = self.leaf_n;
            let mut stmt = self.conn.prepare_cached(
                "SELECT at, seed, heads_root, commit_n, commit_hash, leaf, checkpoint FROM nodelog WHERE n = ?",
            )?;
            let row = stmt.query_row([log::signed(n)], |r| Ok(node_row(r))).optional()?;
            let place = format!("nodelog, n {n}");
            let row = match row {
                Some(Ok(row)) => row,
                Some(Err(wrong)) => {
                    self.report.add(place, wrong);
                    self.leaf_n += 1;
                    continue;
                }
                None => {
                    self.report.add(place, "the leaf is missing");
                    self.leaf_n += 1;
                    continue;
                }
            };
            if row.commit_n > self.commit_n && self.commit_n < self.noted.commits {
                return Ok(());
            }
            self.leaf_n += 1;
            self.node_leaf(n, &place, &row)?;
        }
        Ok(())
    }

    fn node_leaf(&mut self, n: u64, place: &str, row: &NodeRow) -> Result<()> {
        self.heads_of(n)?;
        self.report.leaves += 1;
        if row.commit_n != self.commit_n || row.commit_hash != self.commit_hash {
            self.report.add(place, format!("leaf {n} names another commit than the last before it"));
        }
        let heads: Vec<Head> = self.heads.values().map(|(_, head)| head.clone()).collect();
        if heads_root(&heads) != row.heads_root {
            self.report.add(place, format!("leaf {n}: the root over the heads does not match them"));
        }
        if node_leaf(&node_salt(&row.seed, row.at), &row.heads_root, &row.commit_hash) != row.leaf {
            self.report.add(place, format!("leaf {n} does not match its row"));
        }
        self.grow(NODE_LOG, row.leaf)?;
        let root = self.trees.entry(NODE_LOG).or_default().root();
        let Some(key) = &self.trust.key else { return Ok(()) };
        let origin = row.checkpoint.lines().next().unwrap_or_default();
        if origin.split_once('/').map(|(node, _)| node) != Some(crate::node::node_name(key).as_str()) {
            self.report.add(place, format!("leaf {n}: the checkpoint is another node's"));
        }
        match verify_checkpoint(&row.checkpoint, origin, key) {
            Ok(c) if c.size == n + 1 && c.root == root => {}
            Ok(_) => self.report.add(place, format!("leaf {n}: the checkpoint is of another tree")),
            Err(e) => self.report.add(place, format!("leaf {n}: {e}")),
        }
        if n + 1 == self.noted.leaves && origin != self.noted.origin {
            self.report.add("meta, origin", "the last checkpoint is of another origin");
        }
        Ok(())
    }

    /// The heads that were signed with leaf `n`: each is its collection's root at this point of the log.
    fn heads_of(&mut self, n: u64) -> Result<()> {
        let mut stmt = self.conn.prepare_cached("SELECT col, size, root, note FROM heads WHERE n = ? ORDER BY col")?;
        let mut found = stmt.query([log::signed(n)])?;
        while let Some(row) = found.next()? {
            self.heads_seen += 1;
            let read = || -> Result<(u32, u64, Hash, String), rows::Wrong> {
                let (col, size) = (rows::small(row, 0, "col")?, rows::count(row, 1, "size")?);
                Ok((col, size, rows::hash(row, 2, "root")?, rows::text(row, 3, "note")?.to_owned()))
            };
            let (col, size, root, note) = match read() {
                Ok(head) => head,
                Err(wrong) => {
                    self.report.add(format!("heads, n {n}"), wrong);
                    continue;
                }
            };
            let place = format!("heads, n {n}, col {col}");
            let (now, here) = self.trees.get(&col).map_or((0, crate::EMPTY_ROOT), |t| (t.size(), t.root()));
            if (size, root) != (now, here) {
                self.report.add(&place, format!("the head is not its collection's: {size} entries, {now} are there"));
            }
            let Some(key) = &self.trust.key else { continue };
            match verify_head(&note, key) {
                Ok(head) => {
                    let collection = uuid::Uuid::from_bytes(head.collection).hyphenated().to_string();
                    let same = head.size == size && head.root == root;
                    if !same || self.noted.names.get(col as usize) != Some(&collection) {
                        self.report.add(&place, "the signed note says something else than its row");
                    }
                    self.heads.insert(col, (n, head));
                }
                Err(e) => self.report.add(&place, e.to_string()),
            }
        }
        Ok(())
    }
}

/// A row of `nodelog`.
struct NodeRow {
    at: i64,
    seed: [u8; 32],
    heads_root: Hash,
    commit_n: u64,
    commit_hash: Hash,
    leaf: Hash,
    checkpoint: String,
}

fn node_row(row: &Row<'_>) -> Result<NodeRow, rows::Wrong> {
    Ok(NodeRow {
        at: rows::int(row, 0, "at")?,
        seed: rows::hash(row, 1, "seed")?,
        heads_root: rows::hash(row, 2, "heads_root")?,
        commit_n: rows::count(row, 3, "commit_n")?,
        commit_hash: rows::hash(row, 4, "commit_hash")?,
        leaf: rows::hash(row, 5, "leaf")?,
        checkpoint: rows::text(row, 6, "checkpoint")?.to_owned(),
    })
}
