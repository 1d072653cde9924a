//! Owns finding identifiers (wallets, telephones, accounts, hosts, ...) in text and STIX objects, and their normal forms.
//! Never reads files, networks, clocks or databases, and never decides who links with whom: it says whether a value may.
//! Text → refang → cue words → one pass over the bytes → selectors with spans; objects → typed fields, patterns, text.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod bank;
mod bytes;
mod cue;
mod cued;
mod device;
mod found;
mod hash;
mod kind;
mod net;
mod normalise;
mod numbers;
mod object;
mod paper;
mod pattern;
mod phone;
mod place;
mod refang;
mod scan;
mod wallet;

pub use found::{Flags, Found, Hints, Refused, Strength};
pub use kind::Kind;
pub use normalise::{normalise, parse_query, parse_query_with};
pub use object::of_object;
pub use refang::refang;
pub use scan::{scan, scan_into};
pub use wallet::{cash_address, read_cash_address};

/// Most selectors of one call; a ledger entry may change 1,000 rows, and references need some.
pub const MAX_FOUND: usize = 900;

/// Most bytes of one text that are read.
pub const MAX_TEXT: usize = 1 << 20;

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
