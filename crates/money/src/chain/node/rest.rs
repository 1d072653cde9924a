//! Bitcoin Core's REST (`-rest`) and its relatives': blocks as bytes, one at a time, and nobody is asked who they are.
use super::coins::Told;
use super::follow::{At, Teller, hash_of};
use crate::chain::{Family, Result, parse_spent};
use crate::columns::hex;
use crate::hash::reversed;
use crate::node::{Branch, Node, Refusal, without_text};
use serde::Deserialize;

/// So many hashes are asked ahead of their blocks.
const AHEAD: usize = 16;

/// A node that is asked by REST.
pub struct Rest {
    node: Node,
    family: Family,
}

#[derive(Deserialize)]
struct Info {
    blocks: u64,
}

impl Rest {
    /// Asks nothing yet.
    pub fn new(node: Node, family: Family) -> Rest {
        Rest { node, family }
    }

    /// What stands at a path; `None` when nothing does.
    fn found(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.node.get(path)? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Refusal::Absent | Refusal::Unknown) => Ok(None),
            Err(Refusal::Said(why)) => Err(self.node.fault(format!("{path}: {why}"))),
            Err(Refusal::Busy(_)) => Err(self.node.fault(format!("{path}: it is busy"))),
        }
    }
}

impl Branch for Rest {
    fn node(&self) -> &Node {
        &self.node
    }

    fn last(&mut self) -> Result<u64> {
        let Some(told) = self.found("chaininfo.json")? else {
            return Err(self.node.fault("does not answer REST: start it with -rest=1, or ask it by JSON-RPC"));
        };
        serde_json::from_slice(&told)
            .map(|info: Info| info.blocks)
            .map_err(|error| self.node.fault(format!("chaininfo.json: {}", without_text(&error))))
    }

    fn hash_at(&mut self, height: u64) -> Result<Option<[u8; 32]>> {
        let path = format!("blockhashbyheight/{height}.bin");
        let Some(told) = self.found(&path)? else { return Ok(None) };
        // A node that answers text where bytes were asked for has 64 digits.
        let text = || std::str::from_utf8(&told).ok().and_then(|text| hash_of(text.trim()));
        let hash = <[u8; 32]>::try_from(told.as_slice()).ok().map(reversed).or_else(text);
        hash.map(Some).ok_or_else(|| self.node.fault(format!("{path}: {} bytes are no hash", told.len())))
    }
}

impl Teller for Rest {
    fn hashes(&mut self, from: u64, to: u64) -> Result<Vec<[u8; 32]>> {
        let mut hashes = Vec::new();
        for height in (from..=to).take(AHEAD) {
            match self.hash_at(height)? {
                Some(hash) => hashes.push(hash),
                None => break,
            }
        }
        Ok(hashes)
    }

    fn blocks(&mut self, wanted: &[At]) -> Result<Vec<Vec<u8>>> {
        let mut blocks = Vec::with_capacity(wanted.len());
        for at in wanted {
            let block = self.found(&format!("block/{}.bin", hex(&at.hash)))?;
            blocks.push(block.ok_or_else(|| self.node.fault(format!("block {at}: it does not have it")))?);
        }
        Ok(blocks)
    }

    fn coins(&mut self, at: &At) -> Result<Told> {
        // Bitcoin Core tells it from 30 on.
        let told = match self.node.get(&format!("spenttxouts/{}.bin", hex(&at.hash)))? {
            Ok(told) => told,
            Err(Refusal::Absent | Refusal::Unknown) => return Ok(Told::Never),
            Err(_) => return Ok(Told::NotNow),
        };
        match parse_spent(&told, self.family.max_inputs()) {
            Some(coins) => Ok(Told::Coins(coins)),
            None => Err(self.node.fault(format!("block {at}: its spent outputs cannot be read"))),
        }
    }
}
