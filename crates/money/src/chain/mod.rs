//! Chains: blocks and dumps become rows. Each format in a file of its own, each a pure reader with limits.
//!
//! [`Room`] is the folder of all chains; [`load`] reads a source into one of them; [`unwind`] takes blocks back by hand.

mod address;
mod append;
mod bitcoin;
mod blockfiles;
mod commitments;
mod curve;
mod decode;
mod mapping;
mod network;
mod node;
mod retarget;
mod room;
mod script;
mod table;
mod token;
mod transaction;
mod transfers;
mod undo;

pub use crate::hash::{hash160, merkle_root, sha256d};
pub use address::address_key;
pub use append::block_work;
#[cfg(any(test, fuzzing))]
pub(crate) use decode::decode_body;
pub(crate) use decode::decode_some;
pub use decode::{Checks, Fault, Header, decode_block};
pub use mapping::{AmountUnit, Mapping};
pub use network::{Family, Network};
#[cfg(any(test, fuzzing))]
pub(crate) use node::coins_told;
pub use room::{Chain, ChainCode, Loaded, Options, Progress, Room, Source, load, unwind};
pub use script::{Revealed, Rules, address_text, key_of_script, revealed};
pub(crate) use script::{each_push, kind as script_kind};
pub(crate) use table::Table;
#[cfg(any(test, fuzzing))]
pub(crate) use transfers::read_rows;
pub(crate) use transfers::{ShortLines, said, zone};
pub use undo::{Coin, Undo, parse_spent, parse_undo};

use crate::columns;
use std::path::{Path, PathBuf};

/// Why a source could not be loaded. What was loaded before it stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain's own files.
    #[error(transparent)]
    Columns(#[from] columns::Error),
    /// A source file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A block file does not hold what it must: fetch it again from a node that you trust.
    #[error("{} at byte {offset}{}{}: {why}", path.display(), named(" block ", block), named(" transaction ", tx))]
    Block {
        /// The file.
        path: PathBuf,
        /// Where the block (or the record) begins.
        offset: u64,
        /// The block's hash, once it is known.
        block: Option<String>,
        /// The place of the transaction in its block.
        tx: Option<u64>,
        /// What is wrong.
        why: String,
    },
    /// A line of a table: mend it, or the mapping, and load again.
    #[error("{} line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The source has another branch, which left ours further back than is unwound without being asked.
    #[error(
        "the source is on another branch: it has block {} at height {}, where the record has {}; that is {depth} blocks \
         below the head, and no more than {keep} are unwound unasked. If the source is right: eye money unwind --chain {chain} \
         --to {common}",
        theirs, common + 1, ours
    )]
    Fork {
        /// The chain.
        chain: String,
        /// The last height on which both agree.
        common: u64,
        /// The hash on record one above it.
        ours: String,
        /// The source's hash there.
        theirs: String,
        /// How many blocks would be unwound.
        depth: u64,
        /// How many are unwound unasked.
        keep: u64,
    },
    /// Nothing in the source joins the record.
    #[error("the source does not join the record: {0}")]
    Apart(String),
    /// The chain's name or the source's kind is not one that can be loaded.
    #[error("{0}")]
    Unknown(String),
}

fn named(before: &str, what: &Option<impl std::fmt::Display>) -> String {
    what.as_ref().map(|what| format!("{before}{what}")).unwrap_or_default()
}

/// The result of every call here.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.to_owned(), source }
}
