//! The one thread that writes the log: takes waiting appends, writes them in one transaction, one fsync, and tells everybody.
use crate::append::{Append, Receipt};
use crate::checkpoint::{CommitEntry, CommitRow, commit_hash};
use crate::commit::Group;
use crate::counters::Counters;
use crate::entry::Entry;
use crate::heads::Heads;
use crate::index::SharedPending;
use crate::keys::Keys;
use crate::log::Found;
use crate::names::Names;
use crate::node::Clock;
use crate::queue::Queue;
use crate::salt::Salts;
use crate::sqlite;
use crate::tail::{LogHead, Tail};
use crate::tree::TileWriter;
use crate::view::View;
use crate::{Error, Result, log};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Called with what became of an append, in the writer's thread: hand it on, do no work.
pub(crate) type Reply = Box<dyn FnOnce(Result<Receipt>) + Send>;

pub(crate) enum Message {
    Append(Append, Reply),
    /// Something else that only the writer's thread may do.
    Run(Box<dyn FnOnce(&mut Writer) + Send>),
}

impl Message {
    /// Bytes of body.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Append(append, _) => append.entries.iter().map(|e| e.body.len()).sum(),
            Self::Run(_) => 0,
        }
    }
}

/// A view that none of the new entries concerns is woken to pass them by when it is this far behind.
const IDLE_LAG: u64 = 1_000;
/// Seconds without an append after which memory is given back.
const QUIET: u32 = 5;
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
    /// `arrived` of the last entry when somebody said that the clock is right.
    pub(crate) clock_accepted: i64,
    pub(crate) commit_n: u64,
    pub(crate) commit_hash: [u8; 32],
    pub(crate) trees: HashMap<u32, TileWriter>,
    pub(crate) touched: BTreeSet<u32>,
    pub(crate) pending: SharedPending,
    pub(crate) index: View,
    pub(crate) suppressed: HashMap<[u8; 32], u64>,
    pub(crate) last_cause: Option<(u64, [u8; 32])>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) views: Arc<Vec<View>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) heads: Heads,
    /// What memory holds and what the disk says may differ: read the disk before anything else.
    pub(crate) unsure: bool,
}

impl Writer {
    /// The loop.
    pub(crate) fn run(mut self, queue: &Queue) {
        let mut quiet = 0u32;
        while let Some(messages) = queue.pop(Duration::from_secs(1)) {
            quiet = if messages.is_empty() { quiet.saturating_add(1) } else { 0 };
            if Error::caught_in(|| self.turn(messages, quiet)).is_err() {
                self.undo_and_remember();
            }
        }
        if self.leaf_is_due()
            && let Err(e) = self.take_node_leaf()
        {
            tracing::error!(error = %e, "the node log took no last leaf; the next start makes up for it");
        }
        if let Err(e) = sqlite::checkpoint_truncate(&self.conn) {
            tracing::warn!(error = %e, "log checkpoint at close");
        }
    }

    fn turn(&mut self, messages: Vec<Message>, quiet: u32) {
        if !messages.is_empty() {
            self.work(messages);
            return self.checkpoint(WAL_PAGES);
        }
        self.checkpoint(1);
        if quiet == QUIET {
            self.rest();
        }
    }

    /// Gives back what only a next load would use: the newest bodies stand in the log.
    fn rest(&self) {
        self.tail.clear();
        if sqlite::wal_is_long(&self.conn)
            && let Err(e) = sqlite::checkpoint_truncate(&self.conn)
        {
            tracing::warn!(error = %e, "cutting the log's write-ahead log");
        }
        if let Err(e) = self.conn.execute_batch("PRAGMA shrink_memory") {
            tracing::warn!(error = %e, "memory");
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

    /// A task between commits; one that panics is undone and has failed.
    pub(crate) fn task<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut ended = false;
        let result = Error::caught(|| {
            let result = f(self);
            ended = true;
            result
        });
        if !ended {
            self.undo_and_remember();
        }
        result
    }

    fn commit_group(&mut self, appends: Vec<(Append, Reply)>) {
        let mut group = Group::default();
        let mut answers = Vec::with_capacity(appends.len());
        let began = Error::caught(|| self.recover().and_then(|()| Ok(self.conn.execute_batch("BEGIN IMMEDIATE")?)));
        let mut broken = began.err();
        for (append, reply) in appends {
            let result = match &broken {
                Some(e) => Err(e.shared()),
                None => Error::caught(|| self.take(&append, &mut group)),
            };
            if let Err(e) = &result
                && broken.is_none()
                && !refused_before_writing(e)
            {
                broken = Some(e.shared());
            }
            answers.push((result, reply));
        }
        if broken.is_none() {
            broken = Error::caught(|| self.finish(&group.written)).err();
        }
        let Some(e) = broken else {
            if Error::caught_in(|| self.announce(group.written)).is_err() {
                // It is on the disk: it is announced from there.
                self.undo_and_remember();
            }
            for (result, reply) in answers {
                self.answer(reply, result);
            }
            return;
        };
        tracing::error!(error = %e, "a commit failed; nothing of it was written");
        self.undo_and_remember();
        for (result, reply) in answers {
            // A refusal stands whatever became of the others.
            let told = Err(result.err().filter(refused_before_writing).unwrap_or_else(|| e.shared()));
            self.answer(reply, told);
        }
    }

    /// Whoever is told may stop in the middle; the others still hear.
    fn answer(&self, reply: Reply, result: Result<Receipt>) {
        self.counters.answered(&result);
        if let Err(e) = Error::caught_in(|| reply(result)) {
            tracing::error!(error = %e, "whoever waited for an append was not told");
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
            self.write_trees()?;
            let began = Instant::now();
            self.conn.execute_batch("COMMIT")?;
            self.counters.commits.note(began.elapsed());
            self.commit_n = row.n;
            self.commit_hash = hash;
        } else {
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// The right edge of each tree that grew in this transaction.
    pub(crate) fn write_trees(&mut self) -> Result<()> {
        for col in std::mem::take(&mut self.touched) {
            let Some(tree) = self.trees.get(&col) else { continue };
            self.conn
                .prepare_cached(
                    "INSERT INTO trees(col, size, root, edge) VALUES (?,?,?,?) ON CONFLICT(col) DO UPDATE SET \
                     size = excluded.size, root = excluded.root, edge = excluded.edge",
                )?
                .execute((col, log::signed(tree.size()), &tree.root()[..], tree.to_bytes()))?;
        }
        Ok(())
    }

    /// After a failed transaction: memory goes back to what the disk says, now or before the next transaction.
    pub(crate) fn undo_and_remember(&mut self) {
        self.unsure = true;
        if let Err(e) = Error::caught(|| self.recover()) {
            tracing::error!(error = %e, "the log could not be read back; trying again before the next append");
        }
    }

    /// Reads the disk when memory may differ from it. Does nothing otherwise.
    pub(crate) fn recover(&mut self) -> Result<()> {
        if !self.unsure {
            return Ok(());
        }
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        self.names.reload(&self.conn)?;
        self.trees.clear();
        self.touched.clear();
        self.last_cause = None;
        self.next_pos = log::last_pos(&self.conn)? + 1;
        self.last_arrived = log::last_arrived(&self.conn)?;
        (self.commit_n, self.commit_hash) = log::last_commit(&self.conn)?;
        self.suppressed = log::suppressed(&self.conn)?;
        self.heads = Heads::load(&self.conn, &self.origin)?;
        // A COMMIT that reported a failure may have reached the disk all the same: then it is so.
        let untold = self.found_after(self.tail.head().pos)?;
        self.unsure = false;
        self.announce_found(&untold);
        Ok(())
    }

    fn found_after(&self, mut at: u64) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        loop {
            let found = log::found(&self.conn, &self.names, at, usize::MAX, usize::MAX)?;
            let Some(last) = found.last() else { return Ok(all) };
            at = last.pos();
            all.extend(found);
        }
    }

    /// Tells of what the disk holds and nobody was told. Where some of it is damaged memory keeps nothing, so that whoever
    /// folds or listens reads the log, finds the damage at its place and names it.
    fn announce_found(&mut self, found: &[Found]) {
        let Some(last) = found.last().map(Found::pos) else { return };
        let entries: Vec<_> = found.iter().cloned().filter_map(Found::entry).collect();
        let mut damaged = false;
        for one in found {
            if let Found::Bodiless(_, why) | Found::Torn(_, why) = one {
                damaged = true;
                tracing::error!(pos = one.pos(), why, "an entry of a commit that seemed to fail is damaged");
            }
        }
        if !damaged {
            return self.announce(entries);
        }
        self.remember(&entries);
        let mut reached = self.reached(&entries);
        if let Some(torn) = found.iter().filter(|f| matches!(f, Found::Torn(..))).map(Found::pos).max() {
            // Whose kind cannot be read may be anybody's.
            reached.iter_mut().for_each(|at| *at = (*at).max(Some(torn)));
        }
        let head = LogHead { pos: last, arrived: self.last_arrived };
        self.tell(last, &reached, |tail| tail.publish_unread(head));
    }

    fn announce(&mut self, written: Vec<Arc<Entry>>) {
        let Some(last) = written.last().map(|e| e.pos) else { return };
        self.remember(&written);
        let reached = self.reached(&written);
        self.tell(last, &reached, |tail| tail.publish(written));
    }

    /// What `index.db` has not folded yet is found by its map.
    fn remember(&self, written: &[Arc<Entry>]) {
        self.counters.written(written);
        let mut pending = self.pending.lock();
        for entry in written {
            let subject = crate::index::subject_row(self.keys.row(), &entry.collection, &entry.subject);
            pending.add(self.keys.row(), entry, subject);
        }
    }

    /// For each view the last of these entries that it folds.
    fn reached(&self, written: &[Arc<Entry>]) -> Vec<Option<u64>> {
        let mut last_of_kind: Vec<(&str, u64)> = Vec::new();
        for entry in written.iter().rev() {
            if !last_of_kind.iter().any(|(k, _)| *k == entry.kind.as_str()) {
                last_of_kind.push((entry.kind.as_str(), entry.pos));
            }
        }
        let of = |v: &View| last_of_kind.iter().filter(|(k, _)| v.shared.kinds.has(k)).map(|(_, p)| *p).max();
        self.views.iter().map(of).collect()
    }

    /// Moves the head, and wakes the views that it concerns.
    fn tell(&self, head: u64, reached: &[Option<u64>], publish: impl FnOnce(&Tail)) {
        // Before the tail moves: a fold that sees the new head and no later `relevant` may pass by what lies between.
        for (view, last) in self.views.iter().zip(reached) {
            if let Some(last) = last {
                view.shared.relevant.fetch_max(*last, Ordering::AcqRel);
            }
        }
        publish(&self.tail);
        for (view, last) in self.views.iter().zip(reached) {
            if last.is_some() || head.saturating_sub(view.position()) > IDLE_LAG {
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

/// Refusals that come before any row of the append was written, so that the others of its commit go on.
fn refused_before_writing(e: &Error) -> bool {
    matches!(e, Error::Conflict | Error::Limit(_) | Error::Clock(_) | Error::Behind { .. })
}

#[cfg(test)]
mod tests;
