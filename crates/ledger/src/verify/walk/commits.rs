//! The chain of commits: every entry in one, each naming the one before.
use super::super::rows;
use super::{Raw, Walk};
use crate::checkpoint::{CommitEntry, CommitRow, commit_hash};
use crate::tree::Hash;
use crate::{Result, log};
use rusqlite::OptionalExtension;

/// A commit whose entries are being read.
pub(super) struct OpenCommit {
    n: u64,
    first_pos: u64,
    count: u64,
    hash: Option<Hash>,
    entries: Vec<CommitEntry>,
}

impl Walk<'_> {
    /// Adds an entry to the commit it belongs to; the last one closes it.
    pub(super) fn commit_entry(&mut self, e: &Raw) -> Result<()> {
        if self.commit.is_none() {
            self.open_commit(e.pos)?;
        }
        let Some(open) = &mut self.commit else { return Ok(()) };
        open.entries.push(CommitEntry { arrived: e.arrived, body_of: e.body_of, leaf: e.leaf });
        if open.entries.len() as u64 >= open.count || e.pos == self.noted.last_pos {
            self.close_commit();
            self.node_leaves()?;
        }
        Ok(())
    }

    fn open_commit(&mut self, pos: u64) -> Result<()> {
        let n = self.commit_n + 1;
        let mut stmt = self.conn.prepare_cached("SELECT first_pos, count, hash FROM commits WHERE n = ?")?;
        let row = stmt.query_row([log::signed(n)], |r| {
            Ok((rows::count(r, 0, "first_pos"), rows::count(r, 1, "count"), rows::hash(r, 2, "hash")))
        });
        let place = format!("commits, n {n}");
        let (first, count, hash) = match row.optional()? {
            Some((first, count, hash)) => (first, count, hash),
            None => (Err("the commit is missing".to_owned()), Ok(1), Err("the commit is missing".to_owned())),
        };
        let mut wrong = |w: rows::Wrong| self.report.add(&place, w);
        let first = first.unwrap_or_else(|w| {
            wrong(w);
            pos
        });
        let count = count.unwrap_or_else(|w| {
            wrong(w);
            1
        });
        let hash = hash.map_err(wrong).ok();
        if first != pos {
            self.report.add(&place, format!("it begins at entry {first}, where entry {pos} is due"));
        }
        // A count that a flip made huge may not fill the memory.
        let most = 2 * crate::commit::MOST_ENTRIES as u64 * 64;
        if !(1..=most).contains(&count) {
            self.report.add(&place, format!("it counts {count} entries; a commit has between 1 and {most}"));
        }
        let count = count.clamp(1, most);
        self.commit = Some(OpenCommit { n, first_pos: first, count, hash, entries: Vec::new() });
        Ok(())
    }

    pub(super) fn close_commit(&mut self) {
        let Some(open) = self.commit.take() else { return };
        let (first, last) = (open.entries.first(), open.entries.last());
        let row = CommitRow {
            n: open.n,
            first_pos: open.first_pos,
            count: open.count,
            arrived_first: first.map_or(0, |e| e.arrived),
            arrived_last: last.map_or(0, |e| e.arrived),
            prev: self.commit_hash,
        };
        let place = format!("commits, n {}", open.n);
        match commit_hash(&row, open.entries) {
            Ok(hash) if open.hash.is_none_or(|stored| stored == hash) => self.commit_hash = hash,
            Ok(hash) => {
                let what = format!("commit {}: its hash does not match its entries and the commit before", open.n);
                self.report.add(place, what);
                // The chain goes on from what stands there, so that one flip is told once.
                self.commit_hash = open.hash.unwrap_or(hash);
            }
            Err(e) => {
                self.report.add(place, e.to_string());
                self.commit_hash = open.hash.unwrap_or(self.commit_hash);
            }
        }
        self.commit_n = open.n;
        self.report.commits += 1;
    }
}
