//! Ethereum and its relatives by JSON-RPC.
use super::block::{self, Answers, number, put_traces, read_block};
use super::follow::Teller;
use super::trace::{Traced, flat, nested};
use crate::chain::Result;
use crate::columns::{Amount, hex};
use crate::evm::model::{Address, Hash, Payment, RawBlock};
use crate::evm::tokens::{TRANSFER, TRANSFER_SHARES};
use crate::evm::{Joiner, Profile};
use crate::node::{Branch, Node, Refusal};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Symbols of no more tokens are remembered; then they are asked again.
const MAX_TOKENS: usize = 1 << 20;

/// How a node tells calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracer {
    /// `debug_traceBlockByHash` with `callTracer`.
    Nested,
    /// `trace_block`.
    Flat,
    /// Not at all.
    None,
}

/// A node of Ethereum's kind.
pub struct Ethereum<'a> {
    node: Node,
    profile: &'a Profile,
    tracer: Tracer,
    asked: HashSet<Address>,
}

impl<'a> Ethereum<'a> {
    /// Looks whether the node is of the chain.
    pub fn new(mut node: Node, profile: &'a Profile) -> Result<Ethereum<'a>> {
        let told = node.must("eth_chainId", &json!([]), |raw| quantity(raw, "the chain's id"))?;
        if let Some(id) = profile.chain_id.filter(|id| *id != told) {
            return Err(node.fault(format!("it serves chain {told}, and this one has the id {id}")));
        }
        Ok(Ethereum { node, profile, tracer: Tracer::Nested, asked: HashSet::new() })
    }
}

impl Branch for Ethereum<'_> {
    fn node(&self) -> &Node {
        &self.node
    }

    fn last(&mut self) -> Result<u64> {
        self.node.must("eth_blockNumber", &json!([]), |raw| quantity(raw, "the last block's number"))
    }

    fn hash_at(&mut self, height: u64) -> Result<Option<Hash>> {
        self.node.hash_at(height)
    }
}

impl Teller for Ethereum<'_> {
    fn try_block(&mut self, height: u64) -> Result<std::result::Result<RawBlock, String>> {
        let whole = |raw: &RawValue| Ok(raw.to_owned());
        let text = self.node.must("eth_getBlockByNumber", &json!([hexed(height), true]), whole)?;
        let Ok(Some((_, hash, _))) = block::header(&text) else {
            return Ok(Err("it has no such block, or one that cannot be read".into()));
        };
        let id = format!("0x{}", hex(&hash));
        let receipts = match self.node.ask("eth_getBlockReceipts", &json!([id]), whole)? {
            Ok(receipts) => receipts,
            Err(_) => self.receipts_one_by_one(&text)?,
        };
        let count = |raw: &RawValue| {
            let logs: std::result::Result<Vec<serde::de::IgnoredAny>, _> = serde_json::from_str(raw.get());
            Ok(logs.map(|logs| logs.len() as u64).ok())
        };
        let logs = match self.node.ask("eth_getLogs", &json!([{"blockHash": id}]), count)? {
            Ok(None) => return Ok(Err("eth_getLogs is no list: it does not have the block any more".into())),
            told => told.ok().flatten(),
        };
        let read = read_block(height, &Answers { block: &text, receipts: &receipts, logs });
        let Ok(mut block) = read else { return Ok(read) };
        match self.traces(&block, &id)? {
            Some(Ok((traced, payments))) => {
                block.with_rewards |= self.tracer == Tracer::Flat;
                block.payments.extend(payments);
                Ok(put_traces(&mut block, traced).map(|()| block))
            }
            Some(Err(why)) => Ok(Err(why)),
            None => Ok(Ok(block)),
        }
    }

    /// Asks new tokens for their symbols, to know those that pass themselves off as others.
    fn looked_at(&mut self, block: &RawBlock, joiner: &mut Joiner<'_>) -> Result<()> {
        if self.profile.known.is_empty() {
            return Ok(());
        }
        let moved = |topics: &[Hash]| topics.len() == 3 && matches!(topics.first(), Some(&TRANSFER | &TRANSFER_SHARES));
        for log in block.txs.iter().flat_map(|tx| &tx.logs).filter(|log| moved(&log.topics)) {
            if self.asked.len() >= MAX_TOKENS {
                self.asked.clear();
            }
            if !self.asked.insert(log.address) || self.profile.known.iter().any(|(_, known)| *known == log.address) {
                continue;
            }
            let call = json!([{"to": format!("0x{}", hex::encode(log.address)), "data": "0x95d89b41"}, "latest"]);
            let symbol = self.node.ask("eth_call", &call, |raw| Ok(symbol(raw)))?.ok().flatten();
            if symbol.is_some_and(|symbol| self.profile.is_fake(&log.address, &symbol)) {
                joiner.fakes.insert(log.address);
            }
        }
        Ok(())
    }
}

impl Ethereum<'_> {
    /// Receipts by their transactions, for nodes that do not give a block's at once.
    fn receipts_one_by_one(&mut self, block: &RawValue) -> Result<Box<RawValue>> {
        #[derive(serde::Deserialize)]
        struct Ids {
            transactions: Vec<Id>,
        }
        #[derive(serde::Deserialize)]
        struct Id {
            hash: String,
        }
        let ids: Ids = serde_json::from_str(block.get()).map_err(|_| self.node.fault("a block that cannot be read"))?;
        let mut list = String::from("[");
        for (place, id) in ids.transactions.iter().enumerate() {
            let receipt =
                self.node.must("eth_getTransactionReceipt", &json!([id.hash]), |raw| Ok(raw.get().to_owned()))?;
            list.push_str(if place == 0 { "" } else { "," });
            list.push_str(&receipt);
        }
        list.push(']');
        RawValue::from_string(list).map_err(|_| self.node.fault("a receipt that cannot be read"))
    }

    /// The calls of a block's transactions, by the first way that the node offers; what it refuses once it is not asked again.
    #[allow(clippy::type_complexity)] // nothing, or what was read, or why it cannot be
    fn traces(
        &mut self,
        block: &RawBlock,
        id: &str,
    ) -> Result<Option<std::result::Result<(Vec<Traced>, Vec<Payment>), String>>> {
        let ids: Vec<Hash> = block.txs.iter().map(|tx| tx.id).collect();
        if self.tracer == Tracer::Nested {
            let how = json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}});
            let read = |raw: &RawValue| Ok(nested(raw, &ids));
            match self.node.ask("debug_traceBlockByHash", &json!([id, how]), read)? {
                Ok(Ok(traced)) => return Ok(Some(Ok((traced, Vec::new())))),
                // Calls may be nested deeper than JSON may; the flat form has no depth.
                Ok(Err(why)) => match self.flat_traces(block, &ids)? {
                    Ok(traced) => return Ok(Some(traced)),
                    Err(_) => return Ok(Some(Err(why))),
                },
                // Geneses cannot be traced.
                Err(Refusal::Said(_)) if block.height == 0 => return Ok(None),
                Err(_) => self.tracer = Tracer::Flat,
            }
        }
        if self.tracer == Tracer::Flat {
            match self.flat_traces(block, &ids)? {
                Ok(traced) => return Ok(Some(traced)),
                Err(Refusal::Said(_)) if block.height == 0 => return Ok(None),
                Err(_) => self.tracer = Tracer::None,
            }
        }
        Ok(None)
    }

    #[allow(clippy::type_complexity)] // refused, or what was read, or why it cannot be
    fn flat_traces(
        &mut self,
        block: &RawBlock,
        ids: &[Hash],
    ) -> Result<std::result::Result<std::result::Result<(Vec<Traced>, Vec<Payment>), String>, Refusal>> {
        let hash = block.hash.unwrap_or_default();
        self.node.ask("trace_block", &json!([hexed(block.height)]), |raw| Ok(flat(raw, &hash, ids)))
    }
}

impl Node {
    /// What the chain itself says an account has of the coin (`token` empty) or a token at the end of a block.
    ///
    /// # Errors
    /// Whatever keeps the node from answering; most nodes know no states but the newest.
    pub fn balance(&mut self, account: &Address, token: Option<&Address>, height: u64) -> Result<Amount> {
        let of = format!("0x{}", hex::encode(account));
        let read = |raw: &RawValue| {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| "is no text".to_owned())?;
            Amount::from_hex(&text).ok_or_else(|| "is no amount".to_owned())
        };
        match token {
            None => self.must("eth_getBalance", &json!([of, hexed(height)]), read),
            Some(token) => {
                let data = format!("0x70a08231{:0>64}", hex::encode(account));
                let call = json!([{"to": format!("0x{}", hex::encode(token)), "data": data}, hexed(height)]);
                self.must("eth_call", &call, read)
            }
        }
    }

    /// The hash of the block at a height, if the node has one.
    pub fn hash_at(&mut self, height: u64) -> Result<Option<Hash>> {
        let told = self.must("eth_getBlockByNumber", &json!([hexed(height), false]), block::header)?;
        match told {
            Some((number, _, _)) if number != height => Err(self.fault("another block than was asked for")),
            told => Ok(told.map(|(_, hash, _)| hash)),
        }
    }
}

fn hexed(n: u64) -> Value {
    Value::String(format!("{n:#x}"))
}

fn quantity(raw: &RawValue, what: &str) -> std::result::Result<u64, String> {
    let text: String = serde_json::from_str(raw.get()).map_err(|_| format!("{what} is no text"))?;
    number(&text, what)
}

/// A symbol as contracts answer it: a string of the ABI, or 32 bytes.
fn symbol(raw: &RawValue) -> Option<String> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    let bytes = hex::decode(text.strip_prefix("0x")?).ok()?;
    let plain =
        |bytes: &[u8]| String::from_utf8(bytes.iter().copied().filter(|byte| *byte != 0).take(64).collect()).ok();
    if bytes.len() == 32 {
        return plain(&bytes);
    }
    let at = |place: usize| crate::evm::tokens::words(&bytes, place).and_then(|word| word.to_u64());
    let (32, len) = (at(0)?, usize::try_from(at(1)?).ok()?) else { return None };
    plain(bytes.get(64..64usize.checked_add(len.min(256))?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_read_as_contracts_write_them() {
        let raw = |hex: &str| RawValue::from_string(format!("\"0x{hex}\"")).unwrap();
        let string = format!("{:064x}{:064x}{:0<64}", 32, 4, hex::encode("USDT"));
        assert_eq!(symbol(&raw(&string)).as_deref(), Some("USDT"));
        assert_eq!(symbol(&raw(&format!("{:0<64}", hex::encode("MKR")))).as_deref(), Some("MKR"));
        for wrong in ["", "00", &format!("{:064x}{}", 32, "f".repeat(64))] {
            assert_eq!(symbol(&raw(wrong)), None);
        }
    }
}
