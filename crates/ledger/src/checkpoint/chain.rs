//! The chain of commits: what the trees do not cover (order over collections, `arrived`, `body_of`) is covered here.

use sha2::{Digest, Sha256};

use crate::tree::Hash;

/// What the first commit names as the hash of the row before it.
pub const FIRST_COMMIT: Hash = [0; 32];

/// Keeps a commit's hash apart from every other hash of this node; the number is the encoding's version.
const TAG: &[u8] = b"compound-eye commit 1\n";

/// The fixed part of a commit's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRow {
    /// Number of the commit, from 1.
    pub n: u64,
    /// `pos` of its first entry.
    pub first_pos: u64,
    /// Number of its entries, which have consecutive `pos`.
    pub count: u64,
    /// `arrived` of the first entry, µs since the Unix epoch.
    pub arrived_first: i64,
    /// `arrived` of the last entry.
    pub arrived_last: i64,
    /// Hash of the row before, or [`FIRST_COMMIT`].
    pub prev: Hash,
}

/// What a commit's hash covers of each entry, in order of `pos`.
///
/// The leaf hash is here so that entries of two collections cannot change places: no tree would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitEntry {
    /// When it was appended here, µs since the Unix epoch.
    pub arrived: i64,
    /// `pos` of the entry whose body it shows (a share).
    pub body_of: Option<u64>,
    /// Its leaf hash.
    pub leaf: Hash,
}

/// Why a commit's row and its entries do not belong together.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ChainError {
    /// The row counts other entries than there are.
    #[error("commit {n} has {found} entries, its row says {count}")]
    Count {
        /// The commit.
        n: u64,
        /// Entries there.
        found: u64,
        /// Entries according to the row.
        count: u64,
    },
    /// `arrived` does not rise strictly from the row's first to its last.
    #[error("commit {n}: `arrived` of entry {pos} is out of order")]
    Arrived {
        /// The commit.
        n: u64,
        /// The entry.
        pos: u64,
    },
}

/// The hash of a commit's row: SHA-256 over a tag and then fixed-width fields, integers big-endian: the row before,
/// n, first pos, count, and for each entry `arrived`, one byte that says whether `body_of` is there, `body_of`, leaf.
///
/// # Errors
/// [`ChainError`] when the entries are not those the row speaks of.
pub fn commit_hash(row: &CommitRow, entries: impl IntoIterator<Item = CommitEntry>) -> Result<Hash, ChainError> {
    let mut hash = Sha256::new();
    hash.update(TAG);
    hash.update(row.prev);
    for number in [row.n, row.first_pos, row.count] {
        hash.update(number.to_be_bytes());
    }
    let (mut found, mut last) = (0u64, None);
    for entry in entries {
        let in_order = match last {
            None => entry.arrived == row.arrived_first,
            Some(last) => entry.arrived > last,
        };
        if !in_order {
            return Err(ChainError::Arrived { n: row.n, pos: row.first_pos.saturating_add(found) });
        }
        hash.update(entry.arrived.to_be_bytes());
        hash.update([u8::from(entry.body_of.is_some())]);
        hash.update(entry.body_of.unwrap_or(0).to_be_bytes());
        hash.update(entry.leaf);
        (found, last) = (found + 1, Some(entry.arrived));
    }
    if found != row.count || found == 0 {
        return Err(ChainError::Count { n: row.n, found, count: row.count });
    }
    if last != Some(row.arrived_last) {
        return Err(ChainError::Arrived { n: row.n, pos: row.first_pos.saturating_add(found - 1) });
    }
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> CommitRow {
        CommitRow { n: 5, first_pos: 100, count: 3, arrived_first: 10, arrived_last: 30, prev: [9; 32] }
    }

    fn entries() -> Vec<CommitEntry> {
        let entry = |arrived, body_of, leaf| CommitEntry { arrived, body_of, leaf: [leaf; 32] };
        vec![entry(10, None, 1), entry(20, Some(0), 2), entry(30, Some(7), 3)]
    }

    #[test]
    fn a_commits_hash_is_what_it_was() {
        insta::assert_snapshot!(hex::encode(commit_hash(&row(), entries()).unwrap()));
    }

    #[test]
    fn every_changed_field_of_row_or_entry_changes_the_hash_or_is_refused() {
        let sound = commit_hash(&row(), entries());
        let rows: [fn(&mut CommitRow); 6] = [
            |r| r.n ^= 1,
            |r| r.first_pos ^= 1,
            |r| r.count ^= 1,
            |r| r.arrived_first ^= 1,
            |r| r.arrived_last ^= 1,
            |r| r.prev[31] ^= 1,
        ];
        for (n, change) in rows.iter().enumerate() {
            let mut changed = row();
            change(&mut changed);
            assert_ne!(commit_hash(&changed, entries()), sound, "row field {n}");
        }
        for at in 0..3 {
            let changes: [fn(&mut CommitEntry); 4] = [
                |e| e.arrived ^= 1,
                |e| e.body_of = Some(e.body_of.map_or(0, |p| p ^ 1)),
                |e| e.body_of = if e.body_of.is_some() { None } else { Some(0) },
                |e| e.leaf[0] ^= 1,
            ];
            for (n, change) in changes.iter().enumerate() {
                let mut changed = entries();
                change(&mut changed[at]);
                assert_ne!(commit_hash(&row(), changed), sound, "entry {at}, field {n}");
            }
        }
    }

    #[test]
    fn entries_that_changed_places_are_found() {
        let mut swapped = entries();
        let (a, b) = (swapped[0].leaf, swapped[1].leaf);
        (swapped[0].leaf, swapped[1].leaf) = (b, a);
        assert_ne!(commit_hash(&row(), swapped), commit_hash(&row(), entries()));
        let mut reversed = entries();
        reversed.swap(1, 2);
        assert_eq!(commit_hash(&row(), reversed), Err(ChainError::Arrived { n: 5, pos: 102 }));
    }

    #[test]
    fn a_missing_or_extra_entry_is_named() {
        let short = entries()[..2].to_vec();
        assert_eq!(commit_hash(&row(), short), Err(ChainError::Count { n: 5, found: 2, count: 3 }));
        assert_eq!(
            commit_hash(&CommitRow { count: 0, ..row() }, []),
            Err(ChainError::Count { n: 5, found: 0, count: 0 })
        );
    }
}
