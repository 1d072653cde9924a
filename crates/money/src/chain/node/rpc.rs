//! Bitcoin Core's JSON-RPC and its relatives': blocks in hex, several at once.
use super::coins::{Told, coins};
use super::follow::{At, Teller, hash_of};
use crate::chain::{Family, Result};
use crate::columns::hex;
use crate::node::{Branch, MOST_AT_ONCE, Node, Refusal, without_text};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// A node that is asked by JSON-RPC.
pub struct Rpc {
    node: Node,
    family: Family,
}

/// What `getblockchaininfo` says.
#[derive(Deserialize)]
struct Info {
    blocks: u64,
}

impl Rpc {
    /// Asks nothing yet.
    pub fn new(node: Node, family: Family) -> Rpc {
        Rpc { node, family }
    }
}

impl Branch for Rpc {
    fn node(&self) -> &Node {
        &self.node
    }

    fn last(&mut self) -> Result<u64> {
        self.node.must("getblockchaininfo", &json!([]), |raw| {
            serde_json::from_str(raw.get()).map(|info: Info| info.blocks).map_err(|error| without_text(&error))
        })
    }

    fn hash_at(&mut self, height: u64) -> Result<Option<[u8; 32]>> {
        match self.node.ask("getblockhash", &json!([height]), hash_in)? {
            Ok(hash) => Ok(Some(hash)),
            Err(Refusal::Absent) => Ok(None),
            Err(Refusal::Said(why)) => Err(self.node.fault(format!("getblockhash: {why}"))),
            Err(_) => Err(self.node.fault("does not answer getblockhash: is it a node of Bitcoin's family?")),
        }
    }
}

impl Teller for Rpc {
    fn hashes(&mut self, from: u64, to: u64) -> Result<Vec<[u8; 32]>> {
        let heights: Vec<_> = (from..=to).take(MOST_AT_ONCE).map(|height| json!([height])).collect();
        let told = self.node.batch("getblockhash", &heights, |_, raw| hash_in(raw))?;
        // Where its chain has become shorter, the rest is absent.
        Ok(told.into_iter().map_while(std::result::Result::ok).collect())
    }

    fn blocks(&mut self, wanted: &[At]) -> Result<Vec<Vec<u8>>> {
        let questions: Vec<_> = wanted.iter().map(|at| json!([hex(&at.hash), 0])).collect();
        let told = self.node.batch("getblock", &questions, |place, raw| {
            let text: &str = serde_json::from_str(raw.get()).map_err(|_| named(wanted, place, "is no text in hex"))?;
            hex::decode(text).map_err(|_| named(wanted, place, "is no hex"))
        })?;
        let blocks = told.into_iter().zip(wanted).map(|(block, at)| {
            block.map_err(|refusal| match refusal {
                Refusal::Said(why) => self.node.fault(format!("block {at}: {why}")),
                _ => self.node.fault(format!("block {at}: it does not have it")),
            })
        });
        blocks.collect()
    }

    fn coins(&mut self, at: &At) -> Result<Told> {
        let most = self.family.max_inputs();
        let read = |raw: &RawValue| coins(raw.get(), most).map_err(|why| format!("block {at}: {why}"));
        // An older node knows no third verbosity, and says so or answers the second.
        Ok(match self.node.ask("getblock", &json!([hex(&at.hash), 3]), read)? {
            Ok(Some(coins)) => Told::Coins(coins),
            Ok(None) | Err(Refusal::Unknown) => Told::Never,
            Err(_) => Told::NotNow,
        })
    }
}

fn named(wanted: &[At], place: usize, why: &str) -> String {
    wanted.get(place).map_or_else(|| why.to_owned(), |at| format!("block {at} {why}"))
}

fn hash_in(raw: &RawValue) -> std::result::Result<[u8; 32], String> {
    let text: &str = serde_json::from_str(raw.get()).map_err(|_| "a hash is no text")?;
    hash_of(text).ok_or_else(|| "a hash cannot be read".into())
}
