//! Chains of accounts whose contracts write logs: Ethereum, its relatives, TRON.
//!
//! Sources (dumps of GraphSense and ethereum-etl, a node's JSON-RPC) tell blocks ([`RawBlock`]); [`entries`] turns each into
//! entries by the rules of `docs/evm.md`; the block then joins the record, or what is there instead is unwound.

mod control;
mod dump;
mod entries;
mod fields;
mod join;
mod load;
mod model;
mod profile;
mod rows;
mod rpc;
mod sort;
mod tokens;

pub use crate::node::{Endpoint, Node};
pub use dump::Dump;
pub use entries::{Skipped, Wrong, entries};
pub(crate) use fields::{address as party, bytes as read_bytes, fixed};
pub(crate) use join::{Joiner, made_hash};
pub(crate) use load::load_dump;
pub use model::{
    Address, CallSort, Hash, Move, Payment, PaymentKind, Permission, RawBlock, RawCall, RawLog, RawTx, TxBody,
};
pub use profile::{BaseFee, Profile, Writing};
pub(crate) use rpc::{Stood, TRON_GENESIS, TronInfo, follow_node, header, number, read_info, read_listed, read_one};
pub(crate) use tokens::TRANSFER;
pub use tokens::{Meaning, meaning};

/// What is fuzzed: rows of a dump, a JSON object a line.
#[cfg(any(test, fuzzing))]
pub(crate) fn gathered(text: &str) -> Option<RawBlock> {
    let mut gathering = rows::Gathering::default();
    for row in text.lines().filter_map(fields::Row::json) {
        gathering.add(rows::Sort::of(&row), &row, rows::cut_value(&row).is_some()).ok()?;
        let _named = (rows::token(&row), rows::height(&row), rows::tx_id(&row));
    }
    gathering.finish(7, |_| true).ok()
}

#[cfg(any(test, fuzzing))]
pub(crate) use rpc::{answers, tron_answers};
