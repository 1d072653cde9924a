//! Nodes of chains of accounts: Ethereum's by JSON-RPC, TRON's by its HTTP API. Nothing that they tell is believed that can be held
//! against something else they tell.
mod block;
mod ethereum;
mod follow;
mod trace;
mod tron;

pub(crate) use block::{Stood, header, number, read_one};
pub(crate) use follow::follow_node;
pub(crate) use tron::{GENESIS as TRON_GENESIS, TronInfo, read_info, read_listed};

#[cfg(any(test, fuzzing))]
pub(crate) use fuzzed::{answers, tron_answers};

#[cfg(any(test, fuzzing))]
mod fuzzed {
    use super::{block, trace, tron};
    use serde_json::value::RawValue;

    /// A block, its receipts, its calls in both forms, a line each: `None` when they cannot be read or do not agree.
    pub fn answers(text: &str) -> Option<crate::evm::RawBlock> {
        let mut lines = text.lines().map(|line| serde_json::from_str::<&RawValue>(line).ok());
        let (block, receipts) = (lines.next()??, lines.next()??);
        let answers = block::Answers { block, receipts, logs: None };
        let mut read = block::read_block(block::header(block).ok()??.0, &answers).ok()?;
        let ids: Vec<_> = read.txs.iter().map(|tx| tx.id).collect();
        let nested = lines.next().flatten().and_then(|raw| trace::nested(raw, &ids).ok());
        let flat = lines.next().flatten().and_then(|raw| trace::flat(raw, &read.hash?, &ids).ok());
        for traced in nested.into_iter().chain(flat.map(|(traced, _)| traced)) {
            let _agree = block::put_traces(&mut read, traced).is_ok();
        }
        Some(read)
    }

    /// A TRON block of height 1 and its infos, a line each.
    pub fn tron_answers(text: &str) -> Option<crate::evm::RawBlock> {
        let (block, infos) = text.split_once('\n')?;
        tron::read_block(1, block, infos).ok()
    }
}
