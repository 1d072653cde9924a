//! Chains of accounts whose contracts write logs: Ethereum, its relatives, TRON.
//!
//! Sources (dumps of GraphSense and ethereum-etl, a node's JSON-RPC) tell blocks ([`RawBlock`]); [`entries`] turns each into
//! entries by the rules of `docs/evm.md`; the block then joins the record, or what is there instead is unwound.

mod dump;
mod entries;
mod fields;
mod join;
mod load;
mod model;
mod profile;
mod rows;
mod sort;
mod tokens;

pub use dump::Dump;
pub use entries::{Skipped, Wrong, entries};
pub(crate) use load::load_dump;
pub use model::{Address, CallSort, Hash, Payment, PaymentKind, RawBlock, RawCall, RawLog, RawTx, TxBody};
pub use profile::{BaseFee, Profile, Writing};
pub use tokens::{Meaning, meaning};
