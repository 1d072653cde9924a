//! The money's record: every balance change of a chain or a bank statement as a row in columns of this room's own, and which
//! addresses one party controls, each merge with its witness.
//! Never: floats for amounts, an entry in the ledger but for decisions of people (`decided`), a question to a server nobody was warned of.
//! Chains (`chain`) and bank statements (`bank`) are read into columns (`columns`); clusters (`cluster`) are solved over them and kept beside them; tags
//! (`tags`) say who addresses are said to belong to; `ask` brings these together and answers why two addresses are one party's.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod ask;
pub mod bank;
pub mod chain;
pub mod cli;
pub mod cluster;
pub mod columns;
pub mod decided;
pub mod evm;
pub mod fetch;
mod hash;
pub mod node;
pub mod tags;
pub mod trace;

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
