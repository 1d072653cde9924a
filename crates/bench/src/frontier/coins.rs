//! What an API like Esplora's says of a world's block files.
use super::Answering;
use crate::Failure;
use crate::money_truth::Truth;
use bitcoin::consensus::deserialize;
use bitcoin::{Address, Block, Network, OutPoint, Transaction, Txid};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use world::money::truth::Use;

/// The blocks, and where everything stands in them.
struct Coins {
    blocks: Vec<Block>,
    places: HashMap<Txid, (usize, usize)>,
    spent: HashMap<OutPoint, (Txid, usize)>,
}

/// A stand-in over the block files of a folder, and the victims' transactions.
pub fn stand_in(folder: &Path, truth: &Truth) -> Result<(Answering, Vec<String>), Failure> {
    let mut coins = Coins { blocks: blocks(folder)?, places: HashMap::new(), spent: HashMap::new() };
    let mut victims = Vec::new();
    for (height, block) in coins.blocks.iter().enumerate() {
        for (place, tx) in block.txdata.iter().enumerate() {
            let id = tx.compute_txid();
            coins.places.insert(id, (height, place));
            for (n, input) in tx.input.iter().enumerate() {
                coins.spent.insert(input.previous_output, (id, n));
            }
            if tx.output.iter().any(|out| is_collection(truth, &out.script_pubkey)) && !tx.is_coinbase() {
                victims.push(id.to_string());
            }
        }
    }
    let answering = move |path: &str, _: &Value| coins.answer(path);
    Ok((Arc::new(answering), victims))
}

fn is_collection(truth: &Truth, script: &bitcoin::ScriptBuf) -> bool {
    let address = Address::from_script(script, Network::Regtest).map(|address| address.to_string());
    let said = address.ok().and_then(|address| truth.of("btc-regtest", &address));
    said.is_some_and(|said| said.used == Use::Collection)
}

fn blocks(folder: &Path) -> Result<Vec<Block>, Failure> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut blocks = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "dat")) {
        let bytes = std::fs::read(file)?;
        let mut rest = bytes.as_slice();
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let [.., a, b, c, d] = *head;
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            let (block, after) = after.split_at_checked(length).ok_or("a block file breaks off")?;
            blocks.push(deserialize(block)?);
            rest = after;
        }
    }
    Ok(blocks)
}

impl Coins {
    fn answer(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["blocks", "tip", "height"] => Some((self.blocks.len() - 1).to_string()),
            ["blocks", from] => {
                let from = from.parse::<usize>().ok()?;
                let one = |height: usize| {
                    Some(json!({"id": self.blocks.get(height)?.block_hash().to_string(), "height": height}))
                };
                Some(Value::from((from.saturating_sub(9)..=from).rev().filter_map(one).collect::<Vec<_>>()).to_string())
            }
            // The world's first block is its own.
            ["block-height", "0"] => Some(bitcoin::constants::genesis_block(Network::Regtest).block_hash().to_string()),
            ["block-height", height] => Some(self.blocks.get(height.parse::<usize>().ok()?)?.block_hash().to_string()),
            ["tx", id] => self.told(id).map(|told| told.to_string()),
            ["tx", id, "outspends"] => self.outspends(id).map(|told| told.to_string()),
            _ => None,
        }
    }

    fn tx(&self, id: &Txid) -> Option<(usize, &Transaction)> {
        let (height, place) = *self.places.get(id)?;
        Some((height, self.blocks.get(height)?.txdata.get(place)?))
    }

    fn status(&self, height: usize) -> Option<Value> {
        let block = self.blocks.get(height)?;
        let (hash, time) = (block.block_hash().to_string(), block.header.time);
        Some(json!({"confirmed": true, "block_height": height, "block_hash": hash, "block_time": time}))
    }

    fn told(&self, id: &str) -> Option<Value> {
        let (height, tx) = self.tx(&id.parse().ok()?)?;
        let hexed = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let out = |out: &bitcoin::TxOut| json!({"scriptpubkey": hexed(out.script_pubkey.as_bytes()), "value": out.value.to_sat()});
        let vin = tx.input.iter().map(|input| {
            let at = input.previous_output;
            let before = self.tx(&at.txid).and_then(|(_, before)| before.output.get(at.vout as usize));
            json!({"txid": at.txid.to_string(), "vout": at.vout, "prevout": before.map(out), "sequence": input.sequence.0,
                "scriptsig": hexed(input.script_sig.as_bytes()), "is_coinbase": tx.is_coinbase(),
                "witness": input.witness.iter().map(hexed).collect::<Vec<_>>()})
        });
        Some(json!({"txid": id, "version": tx.version.0, "locktime": tx.lock_time.to_consensus_u32(),
            "vin": vin.collect::<Vec<_>>(), "vout": tx.output.iter().map(out).collect::<Vec<_>>(),
            "status": self.status(height)?}))
    }

    fn outspends(&self, id: &str) -> Option<Value> {
        let txid: Txid = id.parse().ok()?;
        let (_, tx) = self.tx(&txid)?;
        let spent = (0u32..).zip(&tx.output).map(|(vout, _)| match self.spent.get(&OutPoint::new(txid, vout)) {
            None => Some(json!({"spent": false})),
            Some((by, vin)) => {
                let status = self.status(self.places.get(by)?.0)?;
                Some(json!({"spent": true, "txid": by.to_string(), "vin": vin, "status": status}))
            }
        });
        spent.collect::<Option<Vec<_>>>().map(Value::from)
    }
}
