//! Clusters: which addresses one party controls, and the witness of every merge.
//!
//! Never: a merge without a witness, a number for certainty that nobody measured, a cluster out of a CoinJoin's tag.
//! `shape` says which transactions may unite their inputs; `solve` unites them (`spends`, `link`), strongest class first, and logs a
//! witness per union; `forest` and `path` say why two addresses are together; `book` holds it all and keeps it level with what is
//! switched off and on.
/// Clusters of chains of accounts.
pub mod accounts;
mod apart;
mod book;
mod class;
mod contradict;
mod cospends;
mod cut;
mod exclusion;
mod files;
mod forest;
mod index;
mod link;
/// What is measured of each rule.
pub mod measured;
mod path;
/// Which transactions may unite their inputs.
pub mod shape;
mod solve;
mod spends;

pub use apart::TransactionSet;
pub use book::{Book, Effect, Why};
pub use class::{Class, ErrorRate, Measured, Rule, Step, Witness, weakest};
pub use contradict::{Attribution, Contradiction, contradictions, naming};
pub use cospends::{CoSpends, Reason};
pub use cut::Cut;
pub use exclusion::Exclusion;
pub use files::SpendFiles;
pub use forest::Forest;
pub use index::AddressIndex;
pub use link::Link;
pub use solve::{Clusters, Evidence, crc32};
pub use spends::Spends;

use std::path::PathBuf;
use thiserror::Error;

/// Why clusters could not be solved or a question about them not be answered.
#[derive(Debug, Error)]
pub enum Error {
    /// A file of the input cannot be opened or mapped.
    #[error("{0}: {1}; give the folder that holds offsets.u64.bin and inputs.u32.bin")]
    Read(PathBuf, std::io::Error),
    /// A file is not a whole number of its rows.
    #[error("{0}: not a whole number of rows; write it again from the chain")]
    Size(PathBuf),
    /// The offsets do not describe the inputs.
    #[error("transaction {0}: its inputs lie outside the file; write the offsets again from the chain")]
    Torn(u32),
    /// More rows than ordinals of 32 bits can name.
    #[error("more than {} inputs, addresses or transactions; split the chain", u32::MAX - 1)]
    TooMany,
    /// An address beyond the dictionary.
    #[error("address {0} is not in the dictionary of {1} addresses")]
    Address(u32, u32),
    /// A transaction, link or tag nobody has.
    #[error("there is no such {0}: {1}")]
    Absent(&'static str, u32),
    /// Two addresses that no enabled witness joins.
    #[error("addresses {0} and {1} are in different clusters")]
    Different(u32, u32),
    /// A search met its limit of inputs read.
    #[error(
        "the search read {0} inputs and found no way; the addresses are too widely connected for an answer within the limit"
    )]
    TooWide(u64),
}
