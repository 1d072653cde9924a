//! The one thread that writes the log: takes waiting appends, writes them in one transaction, one fsync, and tells everybody.
use crate::append::{Append, Receipt};
use crate::checkpoint::{CommitEntry, CommitRow, commit_hash};
use crate::commit::Group;
use crate::entry::Entry;
use crate::index::SharedPending;
use crate::keys::Keys;
use crate::names::Names;
use crate::node::Clock;
use crate::queue::Queue;
use crate::salt::Salts;
use crate::sqlite;
use crate::tail::Tail;
use crate::tree::TileWriter;
use crate::view::View;
use crate::{Error, Result, log};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Called with what became of an append, in the writer's thread: hand it on, do no work.
pub(crate) type Reply = Box<dyn FnOnce(Result<Receipt>) + Send>;

pub(crate) enum Message {
    Append(Append, Reply),
    /// Something else that only the writer's thread may do.
    Run(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// Pages of WAL that are copied back when the writer has a moment (16 MB).
const WAL_PAGES: i64 = 4_000;

pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) names: Arc<Names>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) salts: Salts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) origin: Arc<str>,
    pub(crate) origin_n: u32,
    pub(crate) next_pos: u64,
    pub(crate) last_arrived: i64,
    pub(crate) commit_n: u64,
    pub(crate) commit_hash: [u8; 32],
    pub(crate) trees: HashMap<u32, TileWriter>,
    pub(crate) touched: BTreeSet<u32>,
    pub(crate) pending: SharedPending,
    pub(crate) index: View,
    pub(crate) suppressed: HashMap<[u8; 32], u64>,
    pub(crate) last_cause: Option<(u64, [u8; 32])>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) views: Vec<View>,
}

impl Writer {
    /// The loop.
    pub(crate) fn run(mut self, queue: &Queue) {
        while let Some(messages) = queue.pop(Duration::from_secs(1)) {
            if messages.is_empty() {
                self.checkpoint(1);
                continue;
            }
            self.work(messages);
            self.checkpoint(WAL_PAGES);
        }
        if let Err(e) = sqlite::checkpoint_truncate(&self.conn) {
            tracing::warn!(error = %e, "log checkpoint at close");
        }
    }

    fn work(&mut self, messages: Vec<Message>) {
        let mut appends = Vec::new();
        for message in messages {
            match message {
                Message::Append(append, reply) => appends.push((append, reply)),
                Message::Run(f) => f(self),
            }
        }
        if !appends.is_empty() {
            self.commit_group(appends);
        }
    }

    fn commit_group(&mut self, appends: Vec<(Append, Reply)>) {
        let mut group = Group::default();
        let mut answers = Vec::with_capacity(appends.len());
        let mut broken = self.conn.execute_batch("BEGIN IMMEDIATE").err().map(Error::from);
        for (append, reply) in appends {
            if broken.is_some() {
                answers.push((Err(Error::Closed), reply));
                continue;
            }
            match self.take(&append, &mut group) {
                Ok(receipt) => answers.push((Ok(receipt), reply)),
                Err(e @ (Error::Conflict | Error::Limit(_) | Error::Clock(_))) => answers.push((Err(e), reply)),
                Err(e) => {
                    broken = Some(e);
                    answers.push((Err(Error::Closed), reply));
                }
            }
        }
        if broken.is_none() {
            broken = self.finish(&group.written).err();
        }
        match broken {
            None => {
                self.announce(group.written);
                for (result, reply) in answers {
                    reply(result);
                }
            }
            Some(e) => {
                tracing::error!(error = %e, "a commit failed; nothing of it was written");
                let text = e.to_string();
                let recovered = self.undo();
                for (_, reply) in answers {
                    reply(Err(Error::Damaged(text.clone())));
                }
                if let Err(e) = recovered {
                    tracing::error!(error = %e, "the log could not be read back; it takes no more entries");
                }
            }
        }
    }

    /// The commit's own row, the trees, and the fsync.
    fn finish(&mut self, written: &[Arc<Entry>]) -> Result<()> {
        if let (Some(first), Some(last)) = (written.first(), written.last()) {
            let row = CommitRow {
                n: self.commit_n + 1,
                first_pos: first.pos,
                count: written.len() as u64,
                arrived_first: first.arrived,
                arrived_last: last.arrived,
                prev: self.commit_hash,
            };
            let entries = written.iter().map(|e| CommitEntry { arrived: e.arrived, body_of: e.body_of, leaf: e.leaf });
            let hash = commit_hash(&row, entries).map_err(|e| Error::Damaged(e.to_string()))?;
            self.conn.prepare_cached("INSERT INTO commits(n, first_pos, count, hash) VALUES (?,?,?,?)")?.execute((
                log::signed(row.n),
                log::signed(first.pos),
                log::signed(row.count),
                &hash[..],
            ))?;
            for col in std::mem::take(&mut self.touched) {
                let Some(tree) = self.trees.get(&col) else { continue };
                self.conn
                    .prepare_cached("INSERT OR REPLACE INTO trees(col, size, root, edge) VALUES (?,?,?,?)")?
                    .execute((col, log::signed(tree.size()), &tree.root()[..], tree.to_bytes()))?;
            }
            self.conn.execute_batch("COMMIT")?;
            self.commit_n = row.n;
            self.commit_hash = hash;
        } else {
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// Memory goes back to what the disk says.
    fn undo(&mut self) -> Result<()> {
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        self.names.reload(&self.conn)?;
        self.trees.clear();
        self.touched.clear();
        self.last_cause = None;
        self.next_pos = log::last_pos(&self.conn)? + 1;
        self.last_arrived = log::last_arrived(&self.conn)?;
        Ok(())
    }

    fn announce(&mut self, written: Vec<Arc<Entry>>) {
        if written.is_empty() {
            return;
        }
        {
            let mut pending = self.pending.lock();
            for entry in &written {
                let subject = crate::index::subject_row(self.keys.row(), &entry.collection, &entry.subject);
                pending.add(entry, subject);
            }
        }
        let mut last_of_kind: Vec<(&str, u64)> = Vec::new();
        for entry in written.iter().rev() {
            if !last_of_kind.iter().any(|(k, _)| *k == entry.kind.as_str()) {
                last_of_kind.push((entry.kind.as_str(), entry.pos));
            }
        }
        let reached: Vec<Option<u64>> = self
            .views
            .iter()
            .map(|v| last_of_kind.iter().filter(|(k, _)| v.shared.kinds.has(k)).map(|(_, p)| *p).max())
            .collect();
        self.tail.publish(written.clone());
        for (view, last) in self.views.iter().zip(reached) {
            if let Some(last) = last {
                view.shared.relevant.fetch_max(last, Ordering::AcqRel);
                view.shared.wake.notify(usize::MAX);
            }
        }
    }

    /// The tree of a collection, read back when memory does not hold it.
    pub(crate) fn tree(&mut self, col: u32) -> Result<&mut TileWriter> {
        if !self.trees.contains_key(&col) {
            let edge: Option<Vec<u8>> = self
                .conn
                .prepare_cached("SELECT edge FROM trees WHERE col = ?")?
                .query_row([col], |r| r.get(0))
                .optional()?;
            let tree = match edge {
                Some(bytes) => {
                    TileWriter::from_bytes(&bytes).map_err(|e| Error::Damaged(format!("tree {col}: {e}")))?
                }
                None => TileWriter::default(),
            };
            self.trees.insert(col, tree);
        }
        self.trees.get_mut(&col).ok_or(Error::Closed)
    }

    pub(crate) fn grow(&mut self, col: u32, leaf: [u8; 32]) -> Result<()> {
        let mut full = Vec::new();
        self.tree(col)?.push(leaf, &mut full);
        self.touched.insert(col);
        for tile in full {
            self.conn
                .prepare_cached("INSERT OR REPLACE INTO tiles(col, level, idx, hashes) VALUES (?,?,?,?)")?
                .execute((col, tile.level, log::signed(tile.index), tile.hashes))?;
        }
        Ok(())
    }

    fn checkpoint(&self, pages: i64) {
        if sqlite::wal_backlog(&self.conn) >= pages
            && let Err(e) = sqlite::checkpoint_passive(&self.conn)
        {
            tracing::warn!(error = %e, "log checkpoint");
        }
    }
}
