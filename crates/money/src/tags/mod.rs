//! Tags: who an address is said to belong to, by whom, and how they know.
//!
//! Never: two sources averaged into one, a chain guessed from a token's name, a cluster named by a CoinJoin's tag, a tag counted
//! twice because two lists copied it from each other.
//!
//! `load` reads a file (`formats` knows TagPacks, ActorPacks and OFAC's list; `reserves` an exchange's signed addresses, whose
//! signatures `signed` verifies) into a batch (`batch`) of the store (`store`), which stands beside the chains. `answer` is what is
//! said of one address, `coverage` what is known of each chain, and which rules find nothing there for want of tags.

mod answer;
mod batch;
mod bip322;
mod concept;
mod coverage;
mod evidence;
mod load;
mod reserves;
mod signed;
mod sort;
mod store;
mod subject;

pub use answer::{Answer, Conflict, LookAlike, Saying, Statement};
pub use batch::{Marks, Row, Said};
pub use concept::{Concept, OWN, Role, own_concept, role, speaks_of_coinjoin};
pub use coverage::{Coverage, Need, NetworkLine, RULES, RuleLine, coverage};
pub use evidence::{TagEvidence, evidence};
pub use load::{Job, Loaded, Refusal, Source};
pub use reserves::Signer;
#[cfg(any(test, fuzzing))]
pub(crate) use reserves::read_reserves;
pub use signed::{Proof, Scheme, verify};
pub use store::{BatchInfo, Counts, Hit, MAX_BATCHES, Sees, Tags};
pub use subject::{Subject, Unfit};
#[cfg(any(test, fuzzing))]
pub(crate) use {batch::read_row, store::read_manifest};

use std::path::PathBuf;

/// Why tags could not be loaded, removed or read. What was there before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store's own files.
    #[error(transparent)]
    Columns(#[from] crate::columns::Error),
    /// A file of tags could not be read on; nothing of it was kept.
    #[error("{}: {source}; nothing of it was kept", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: formats::ReadError,
    },
    /// A file of tags cannot be taken.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// A batch's files are not as they were written.
    #[error("batch {id} ({pack}): {source}: `eye money tags remove {id}`, then load its file again")]
    Damaged {
        /// The batch's number.
        id: u64,
        /// Its file's name.
        pack: String,
        /// What is wrong with which file.
        source: Box<crate::columns::Error>,
    },
    /// Another process loads or removes tags.
    #[error("{} loads or removes tags; wait until it has ended, or stop it with Ctrl-C: nothing of its file is kept then", .0.map_or_else(|| "another process".into(), |pid| format!("process {pid}")))]
    Busy(Option<u32>),
    /// What was asked for is not there or cannot be.
    #[error("{0}")]
    Unknown(String),
}

/// The result of every call here.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn columns_io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |source| crate::columns::io(path)(source).into()
}
