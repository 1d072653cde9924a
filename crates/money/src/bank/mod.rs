//! Bank legs: what statements say of accounts, so that one record runs from a bank on to a chain.
//!
//! Never: floats for amounts, an instant where the bank gave a day, a leg counted twice because two files or two banks
//! tell it, two sources that disagree averaged into one, a leg in any file after its load was erased.
//!
//! `camt` and `mt940` read statements into facts (`leg`); `returns` reads tables (`sheet`) of banks and exchanges by a `mapping`; `store` keeps the facts of each load in a file of its own with its
//! collection, and `book` makes the chain [`CHAIN`] of them all, anew after every load and every erasure. Files:
//! `docs/bank.md` of this crate.

mod account;
mod book;
mod camt;
mod currency;
mod joined;
mod leg;
mod mapping;
mod mt940;
mod pages;
mod returns;
mod running;
mod sheet;
mod store;
mod time;
mod unpack;
mod view;
mod xml;

pub use account::{Account, Scheme};
pub use camt::{Item, read_camt};
pub use currency::minor_units;
pub use joined::{Compared, Contradiction, Joined, Recorded};
pub use leg::{Deed, Leg, Login, OnChain, Original, References, Statement};
pub use mapping::{Asset, Rows, Table, TableMapping};
pub use mt940::{is_mt940, read_mt940};
pub use pages::{Finding, Subject};
pub(crate) use sheet::{Row as TableRow, each_row};
pub use store::{Bank, BatchInfo, Counts, Job, Loaded, Logins, Refusal, Sees, load_of_id};
pub use time::{Span, zone_named};
pub use view::{Class, Source, View, Viewed};
#[cfg(any(test, fuzzing))]
pub(crate) use {
    leg::Fact,
    returns::Reader,
    sheet::{csv_rows, workbook_rows},
    store::read_manifest,
};

use std::path::PathBuf;

/// The chain that all loads together make. No table is loaded under this name.
pub const CHAIN: &str = "bank-legs";

/// Why a statement could not be loaded, erased or read. What was there before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The room's own files.
    #[error(transparent)]
    Columns(#[from] crate::columns::Error),
    /// A file cannot be taken; nothing of it was kept.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Where, why, and what to do.
        why: String,
    },
    /// What was asked for is not there or cannot be.
    #[error("{0}")]
    Unknown(String),
}

/// The result of every call here.
pub type Result<T> = std::result::Result<T, Error>;
