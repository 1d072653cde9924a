//! Columns: append-only files up to a head, a commit record a block, and what is derived from them.
//!
//! [`Store`] keeps the columns of one chain and its commit log; [`Utxo`] and [`Accounts`] give the rows their meaning;
//! [`Dictionary`] finds the number of an address or transaction without holding them all; [`Spent`] points from an output to
//! the input that spent it; [`Histories`] hold each account's transfers with what it had received and spent after each. The bytes on disk are described in `docs/format.md` of this crate.

mod accounts;
mod amount;
mod appending;
mod balance;
mod block;
mod bytes;
mod closed;
mod column;
mod control;
mod derived;
mod dictionary;
mod entries;
mod history;
mod inspect;
mod log;
mod reading;
mod run;
mod spent;
mod store;
mod token;
mod transfer;
mod utxo;

pub use accounts::{ACCOUNTS, Accounts};
pub use amount::Amount;
pub use balance::{Holding, ISSUER, Standing, Sum, Untraceable};
pub use block::{Block, Flags, Hashing, Input, Origin, Output, Prevout, Span, Spend, Tx};
pub(crate) use bytes::{Fields, replace, u40, uint};
pub use bytes::{U40_MAX, U56_MAX};
pub use closed::Closing;
pub use column::Column;
pub(crate) use column::map;
pub use control::{Control, ControlKind, NewControl};
pub use dictionary::Dictionary;
pub(crate) use dictionary::FRESH;
#[cfg(any(test, fuzzing))]
pub(crate) use history::HistoryRun;
pub use history::{Histories, History, Limits, Step, Way};
pub use inspect::{Inspection, Part};
pub use log::{CommitLog, Record};
pub(crate) use run::{Entry, Run, merged};
pub use spent::Spent;
pub(crate) use store::take_lock;
pub use store::{ColumnSpec, Head, Layout, Mode, Model, Store};
pub use token::Token;
pub use transfer::{
    Allowance, BlockFlags, Kind, NewAllowance, NewTransfer, Transfer, TransferBlock, TransferTx, TxFlags,
};
pub use utxo::{NOBODY, UNKNOWN, UNKNOWN_VALUE, UTXO, UTXO_WITH_TOKENS, Utxo};

use std::path::{Path, PathBuf};

/// Why a chain's files could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk or the file system refused: mend that, then run the same command again; it goes on at the last block.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file in question.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what the format says (`docs/format.md`): restore it, or load the chain anew.
    #[error("{}: {why}", path.display())]
    Format {
        /// The file in question.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another process writes to this chain: wait until it is done.
    #[error(
        "{}: {} writes to this chain; wait until it has ended, or stop it with Ctrl-C: it ends at a whole block",
        dir.display(), holder(*pid)
    )]
    Busy {
        /// The chain's folder.
        dir: PathBuf,
        /// The process, when it has said so.
        pid: Option<u32>,
    },
    /// Opened for reading: nothing may be written.
    #[error("{}: opened for reading only", .0.display())]
    ReadOnly(PathBuf),
    /// A counter has reached the width that the format gives it.
    #[error("no more room for {what}: the format holds {limit}")]
    Full {
        /// What is counted.
        what: &'static str,
        /// How many fit.
        limit: u64,
    },
    /// A block does not go on from the head.
    #[error("block {height} {} does not follow the head {} {}", hex(hash), head.0, hex(&head.1))]
    NotNext {
        /// Height of the block that was offered.
        height: u64,
        /// Its hash, in the chain's own byte order.
        hash: [u8; 32],
        /// Height and hash of the head.
        head: (u64, [u8; 32]),
    },
    /// There is no block at the height asked for.
    #[error("no block at height {0} is kept; `eye money inspect` shows what is")]
    NoSuchHeight(u64),
    /// Two blocks say different things about one transaction output.
    #[error("transaction {tx} of block {height}: {why}")]
    Contradiction {
        /// Height of the block.
        height: u64,
        /// Place of the transaction in its block.
        tx: u64,
        /// What contradicts.
        why: String,
    },
}

/// The result of every call here.
pub type Result<T> = std::result::Result<T, Error>;

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
}

/// Names the file in an error of the system.
pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.to_owned(), source }
}

pub(crate) fn format(path: &Path, why: impl Into<String>) -> Error {
    Error::Format { path: path.to_owned(), why: why.into() }
}

/// A block's hash as people write it: the bytes in the order they are kept.
pub(crate) fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
