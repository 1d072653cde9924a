//! Histories: what each account received and spent of each asset, transfer after transfer, with absolute sums on both sides.
//!
//! They stand in slices, each of the transfers of some blocks in a row. A slice is files sorted by account, asset and transfer; its
//! sums go on from those of the slices before. So an account's history is a few pieces, each found by halving, and unwinding
//! lowers the end of a slice instead of writing it anew. Derived: whatever is wrong with them, they are built again from the columns.

mod build;
mod run;
mod sort;
mod step;
mod view;

#[cfg(any(test, fuzzing))]
pub use run::Run as HistoryRun;
pub use sort::Limits;
pub use step::{Step, Way};
pub use view::History;

use run::{Piece, Run};

use super::bytes::{Fields, replace};
use super::derived::{blocks_at, put_head, take_head};
use super::{Head, Holding, Result, Store, io};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"EYEHIX\0\x01";
const NAME: &str = "history.index";
/// How often the manifest is read before the histories count as damaged.
const READS: usize = 3;

/// The transfers of some blocks in a row, by account and asset.
#[derive(Debug)]
struct Slice {
    from: u64,
    /// Rows of later transfers are void: their blocks were unwound.
    to: u64,
    runs: Vec<(u64, Run)>,
}

impl Slice {
    /// The pieces from the first whose key is not below `key` on, without what is void.
    fn from(&self, key: u64) -> impl Iterator<Item = (u64, Piece<'_>)> {
        // A key may go on over several files, so the first of these may be the one before.
        let first = self.runs.partition_point(|(_, run)| run.first() < key).saturating_sub(1);
        let runs = self.runs.get(first..).unwrap_or_default();
        let pieces = runs.iter().flat_map(move |(_, run)| run.from(key));
        pieces.map(|(key, piece)| (key, piece.before(self.to))).filter(|(_, piece)| piece.len() > 0)
    }

    /// The rows of an account and an asset.
    fn pieces(&self, key: u64) -> impl Iterator<Item = Piece<'_>> {
        self.from(key).take_while(move |(have, _)| *have == key).map(|(_, piece)| piece)
    }

    /// The assets of an account, each as often as it has pieces.
    fn assets(&self, account: u32) -> impl Iterator<Item = u32> {
        let of_account = self.from(run::key(account, 0)).map(|(key, _)| key);
        of_account.take_while(move |key| run::account_of(*key) == account).map(run::asset_of)
    }
}

/// All histories of a chain, up to some transfer.
#[derive(Debug)]
pub struct Histories {
    dir: PathBuf,
    slices: Vec<Slice>,
    next: u64,
}

impl Histories {
    /// Opens what is built, as far as it is of this chain; `transfers_after` says how many transfers there were after so many blocks.
    pub fn open(store: &Store, transfers_after: impl Fn(u64) -> Result<u64>) -> Result<Histories> {
        let mut histories = Histories { dir: store.dir().to_owned(), slices: Vec::new(), next: 0 };
        // A writer may replace slices between the manifest and its files: then there is a newer manifest.
        let mut whole = false;
        for _ in 0..READS {
            whole = whole || histories.read_manifest(store, &transfers_after)?;
        }
        if !whole {
            histories.slices.clear();
        }
        if store.writes() {
            histories.sweep();
        }
        Ok(histories)
    }

    /// Up to which transfer they are built.
    pub fn built(&self) -> u64 {
        self.slices.last().map_or(0, |slice| slice.to)
    }

    /// Brings them level with the `transfers` and `accounts` that the chain has up to its head, which must be committed and mapped.
    /// A slice that is no longer than what comes after it is built anew together with that.
    pub fn grow(&mut self, store: &Store, (transfers, accounts): (u64, u64), limits: Limits) -> Result<()> {
        let (mut from, mut keep) = (self.built(), self.slices.len());
        while let Some(slice) = keep.checked_sub(1).and_then(|last| self.slices.get(last))
            && slice.to - slice.from <= transfers - from
        {
            (from, keep) = (slice.from, keep - 1);
        }
        if from == transfers {
            return Ok(());
        }
        self.slices.truncate(keep);
        let (slice, next) = build::build(store, self, from..transfers, accounts, limits)?;
        self.slices.push(slice);
        self.next = next;
        self.write_manifest(store.head())?;
        self.sweep();
        Ok(())
    }

    /// Says that they go no further than `head` and its `transfers`: before the chain is unwound to there.
    pub fn lower(&mut self, head: Option<Head>, transfers: u64) -> Result<()> {
        if self.built() < transfers {
            return Ok(());
        }
        self.slices.retain(|slice| slice.from < transfers);
        if let Some(last) = self.slices.last_mut() {
            last.to = last.to.min(transfers);
        }
        self.write_manifest(head)
    }

    /// The rows of an account and an asset, oldest first.
    fn pieces(&self, key: u64) -> impl Iterator<Item = Piece<'_>> {
        self.slices.iter().flat_map(move |slice| slice.pieces(key))
    }

    /// What an account received and spent of an asset, all in all.
    fn sums(&self, key: u64) -> Holding {
        let last = |slice: &Slice| slice.pieces(key).last().and_then(|piece| piece.step(piece.len().checked_sub(1)?));
        self.slices.iter().rev().find_map(last).map(|step| step.after).unwrap_or_default()
    }

    /// The assets of an account.
    pub fn assets(&self, account: u32) -> BTreeSet<u32> {
        self.slices.iter().flat_map(|slice| slice.assets(account)).collect()
    }

    /// Every row, slice after slice, each by account, asset and transfer.
    pub fn each(&self, mut with: impl FnMut(u32, u32, Step)) {
        for (key, piece) in self.slices.iter().flat_map(|slice| slice.from(0)) {
            let steps = (0..piece.len()).map_while(|row| piece.step(row));
            steps.for_each(|step| with(run::account_of(key), run::asset_of(key), step));
        }
    }

    /// Reads every byte and compares the CRC of each file.
    pub fn verify(&self) -> Result<()> {
        self.runs().try_for_each(|(_, run)| run.verify())
    }

    fn runs(&self) -> impl Iterator<Item = &(u64, Run)> {
        self.slices.iter().flat_map(|slice| &slice.runs)
    }

    /// Bytes on disk, and rows.
    pub fn size(&self) -> (u64, u64) {
        self.runs().fold((0, 0), |(bytes, rows), (_, run)| (bytes + run.bytes(), rows + run.rows()))
    }

    fn path(&self, seq: u64) -> PathBuf {
        self.dir.join(format!("history.{seq}.run"))
    }

    fn write_manifest(&self, head: Option<Head>) -> Result<()> {
        let mut bytes = MAGIC.to_vec();
        put_head(head, &mut bytes);
        bytes.extend_from_slice(&self.next.to_le_bytes());
        for slice in &self.slices {
            for number in [slice.from, slice.to, slice.runs.len() as u64] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            slice.runs.iter().for_each(|(seq, _)| bytes.extend_from_slice(&seq.to_le_bytes()));
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        replace(&self.dir.join(NAME), &bytes)
    }

    /// Reads the manifest and opens its files; false when the histories must be built anew.
    fn read_manifest(&mut self, store: &Store, transfers_after: impl Fn(u64) -> Result<u64>) -> Result<bool> {
        let path = self.dir.join(NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io(&path)(error)),
        };
        let Some((body, crc)) = bytes.split_last_chunk::<4>() else { return Ok(false) };
        let mut fields = Fields(body);
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) || fields.take(8) != Some(MAGIC) {
            return Ok(false);
        }
        let (Some(head), Some(next)) = (take_head(&mut fields), fields.u64()) else { return Ok(false) };
        self.next = self.next.max(next);
        self.slices.clear();
        let transfers = match blocks_at(head, store)? {
            Some(0) => 0,
            Some(blocks) => transfers_after(blocks)?,
            None => return Ok(false),
        };
        while let (Some(from), Some(to), Some(runs)) = (fields.u64(), fields.u64(), fields.u64()) {
            let mut slice = Slice { from, to, runs: Vec::new() };
            for _ in 0..runs {
                let Some(seq) = fields.u64() else { return Ok(false) };
                let Ok(run) = Run::open(&self.path(seq)) else { return Ok(false) };
                slice.runs.push((seq, run));
            }
            if from != self.built() || from >= to {
                return Ok(false);
            }
            self.slices.push(slice);
        }
        Ok(self.built() == transfers)
    }

    /// Deletes files that no manifest names: those that were built anew, and those of a crash.
    fn sweep(&mut self) {
        remove(&self.dir.join(sort::SPILL));
        let Ok(folder) = std::fs::read_dir(&self.dir) else { return };
        for entry in folder.flatten() {
            if let Some(seq) = entry.file_name().to_str().and_then(seq_of) {
                self.next = self.next.max(seq + 1);
                if !self.runs().any(|(kept, _)| *kept == seq) {
                    remove(&entry.path());
                }
            }
        }
    }
}

fn seq_of(file: &str) -> Option<u64> {
    file.strip_prefix("history.")?.strip_suffix(".run")?.parse().ok()
}

/// A file that is left over costs room, nothing else: the next load tries again.
fn remove(path: &Path) {
    let _left_over = std::fs::remove_file(path);
}
