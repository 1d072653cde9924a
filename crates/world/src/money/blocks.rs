//! Blocks of a chain of accounts in the shapes of public dumps: ethereum-etl's CSV, GraphSense's JSON lines of TRON.
use super::scene::gas_price;
use super::tx::{Address, Call, Log, Tx};
use super::writing::Writing;
use crate::WorldError;
use crate::disk::Sheet;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Seconds of a block.
pub(crate) const BLOCK: u64 = 300;

/// Writes blocks one after the other; nothing of a block is kept once it is written.
pub(crate) struct Blocks {
    writing: Writing,
    seed: u64,
    start: u64,
    height: u64,
    number: u64,
    waiting: Vec<Tx>,
    author: Address,
    sheets: Sheets,
}

enum Sheets {
    Evm { blocks: Sheet, txs: Sheet, receipts: Sheet, logs: Sheet, traces: Sheet },
    Tron { blocks: Sheet, txs: Sheet, fees: Sheet, logs: Sheet, permissions: Sheet },
}

impl Blocks {
    /// Begins the files of a chain; `start` is Unix seconds.
    pub(crate) fn new(writing: Writing, seed: u64, start: u64, dir: &Path) -> Result<Self, WorldError> {
        std::fs::create_dir_all(dir).map_err(|source| WorldError::at(dir, source))?;
        let headed = |name: &str, head: &str| {
            let mut sheet = Sheet::new(dir.join(name))?;
            sheet.write(head)?;
            Ok::<_, WorldError>(sheet)
        };
        let sheets = match writing {
            Writing::Evm => Sheets::Evm {
                blocks: headed(
                    "blocks.csv",
                    "number,hash,parent_hash,miner,difficulty,timestamp,transaction_count,base_fee_per_gas\n",
                )?,
                txs: headed(
                    "transactions.csv",
                    "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input,block_timestamp\n",
                )?,
                receipts: headed(
                    "receipts.csv",
                    "transaction_hash,transaction_index,block_hash,block_number,cumulative_gas_used,gas_used,status,effective_gas_price\n",
                )?,
                logs: headed(
                    "logs.csv",
                    "log_index,transaction_hash,transaction_index,block_hash,block_number,address,data,topics\n",
                )?,
                traces: headed(
                    "traces.csv",
                    "block_number,transaction_hash,transaction_index,from_address,to_address,value,trace_type,call_type,trace_address,status\n",
                )?,
            },
            Writing::Tron => Sheets::Tron {
                blocks: headed("block.json", "")?,
                txs: headed("transactions.json", "")?,
                fees: headed("tx_fee.json", "")?,
                logs: headed("logs.json", "")?,
                permissions: headed("permissions.json", "")?,
            },
        };
        let author = std::array::from_fn(|i| 0xee ^ i as u8);
        Ok(Self { writing, seed, start, height: 0, number: 0, waiting: Vec::new(), author, sheets })
    }

    /// Coins that there are from the beginning (EVM).
    pub(crate) fn genesis(&mut self, to: &Address, value: u128) -> Result<(), WorldError> {
        match &mut self.sheets {
            Sheets::Evm { traces, .. } => traces.write(&format!("0,,,,{},{value},genesis,,,1\n", hex(to))),
            Sheets::Tron { .. } => Ok(()),
        }
    }

    /// Takes the next transaction in order of time.
    pub(crate) fn take(&mut self, tx: Tx) -> Result<(), WorldError> {
        while self.height < tx.at / BLOCK {
            self.end()?;
        }
        self.waiting.push(tx);
        Ok(())
    }

    fn hash(&self, what: &str, n: u64) -> [u8; 32] {
        let text = format!("EXERCISE {} {} {what} {n}", self.seed, self.writing.code());
        Sha256::digest(text.as_bytes()).into()
    }

    /// Writes the block at hand.
    fn end(&mut self) -> Result<(), WorldError> {
        let txs = std::mem::take(&mut self.waiting);
        let own = self.hash("block", self.height);
        let parent = if self.height == 0 { [0; 32] } else { self.hash("block", self.height - 1) };
        let (height, time) = (self.height, self.start + self.height * BLOCK);
        let base = gas_price(self.height * BLOCK) * 4 / 5;
        match &mut self.sheets {
            Sheets::Evm { blocks, .. } => blocks.write(&format!(
                "{height},{},{},{},0,{time},{},{base}\n",
                hex(&own),
                hex(&parent),
                hex(&self.author),
                txs.len()
            ))?,
            Sheets::Tron { blocks, .. } => {
                let row = json!({"blockId": height, "blockHash": b64(&own), "parentHash": b64(&parent),
                    "miner": b64(&self.author), "timestamp": time, "transactionCount": txs.len()});
                blocks.write(&format!("{row}\n"))?;
            }
        }
        let (mut logs, mut gas) = (0, 0);
        for (place, tx) in txs.iter().enumerate() {
            let id = self.hash("transaction", self.number);
            self.number += 1;
            let here = Here { height, block: own, time, id, place, logs };
            gas += tx.gas;
            match &mut self.sheets {
                Sheets::Evm { .. } => self.evm(tx, &here, gas)?,
                Sheets::Tron { .. } => self.tron(tx, &here)?,
            }
            logs += tx.logs.len();
        }
        self.height += 1;
        Ok(())
    }

    fn evm(&mut self, tx: &Tx, here: &Here, gas: u64) -> Result<(), WorldError> {
        let Sheets::Evm { txs, receipts, logs, traces, .. } = &mut self.sheets else { return Ok(()) };
        let Here { height, time, place, .. } = here;
        let (id, block) = (hex(&here.id), hex(&here.block));
        let to = tx.to.as_ref().map(|to| hex(to)).unwrap_or_default();
        let (from, price) = (hex(&tx.signer), gas_price(tx.at));
        let input = tx.selector.map_or_else(|| "0x".to_owned(), |selector| hex(&selector));
        let (value, used) = (tx.value, tx.gas);
        txs.write(&format!("{id},0,{block},{height},{place},{from},{to},{value},{used},{price},{input},{time}\n"))?;
        receipts.write(&format!("{id},{place},{block},{height},{gas},{used},1,{price}\n"))?;
        for (n, log) in tx.logs.iter().enumerate() {
            let topics: Vec<String> = log.topics.iter().map(|topic| hex(topic)).collect();
            let (index, contract, data, topics) = (here.logs + n, hex(&log.contract), hex(&log.data), topics.join(","));
            logs.write(&format!("{index},{id},{place},{block},{height},{contract},{data},\"{topics}\"\n"))?;
        }
        traces.write(&format!("{height},{id},{place},{from},{to},{value},call,call,,1\n"))?;
        for (n, call) in tx.calls.iter().enumerate() {
            let Call { from, to, value, create } = call;
            let (from, to, sort) = (hex(from), hex(to), if *create { "create" } else { "call" });
            let how = if *create { "" } else { "call" };
            traces.write(&format!("{height},{id},{place},{from},{to},{value},{sort},{how},\"[{n}]\",1\n"))?;
        }
        Ok(())
    }

    fn tron(&mut self, tx: &Tx, here: &Here) -> Result<(), WorldError> {
        let Sheets::Tron { txs, fees, logs, permissions, .. } = &mut self.sheets else { return Ok(()) };
        let (id, block) = (b64(&here.id), b64(&here.block));
        let row = json!({
            "txHash": id, "nonce": 0, "blockHash": block, "blockId": here.height, "transactionIndex": here.place,
            "fromAddress": b64(&tx.signer), "toAddress": tx.to.as_ref().map(|to| b64(to)), "value": number(tx.value),
            "gasPrice": 420, "input": tx.selector.map(|selector| b64(&selector)), "receiptStatus": 1,
            "blockTimestamp": here.time, "contractType": tx.contract.name(),
        });
        txs.write(&format!("{row}\n"))?;
        fees.write(&format!("{}\n", json!({"txHash": id, "fee": number(tx.fee), "energyUsage": 0, "energyFee": 0})))?;
        for (n, log) in tx.logs.iter().enumerate() {
            logs.write(&format!("{}\n", tron_log(log, here, n)))?;
        }
        if let Some(permission) = &tx.permission {
            let text = |address: &Address| Writing::Tron.text(address);
            let keys: Vec<_> = permission
                .keys
                .iter()
                .map(|(address, weight)| json!({"address": text(address), "weight": weight}))
                .collect();
            let row = json!({"blockId": here.height, "blockHash": block, "txHash": id,
                "account": text(&permission.account), "threshold": permission.threshold, "keys": keys});
            permissions.write(&format!("{row}\n"))?;
        }
        Ok(())
    }

    /// Writes the last block and closes the files: transactions, files, bytes.
    pub(crate) fn close(mut self) -> Result<(u64, u64, u64), WorldError> {
        self.end()?;
        let sheets = match self.sheets {
            Sheets::Evm { blocks, txs, receipts, logs, traces } => [blocks, txs, receipts, logs, traces],
            Sheets::Tron { blocks, txs, fees, logs, permissions } => [blocks, txs, fees, logs, permissions],
        };
        let files = sheets.len() as u64;
        let mut bytes = 0;
        for sheet in sheets {
            bytes += sheet.close()?;
        }
        Ok((self.number, files, bytes))
    }
}

/// Where a transaction stands.
struct Here {
    height: u64,
    block: [u8; 32],
    time: u64,
    id: [u8; 32],
    place: usize,
    /// Logs of the block before it.
    logs: usize,
}

fn tron_log(log: &Log, here: &Here, n: usize) -> serde_json::Value {
    let topics: Vec<String> = log.topics.iter().map(|topic| b64(topic)).collect();
    json!({"blockId": here.height, "blockHash": b64(&here.block), "txHash": b64(&here.id),
        "transactionIndex": here.place, "logIndex": here.logs + n, "address": b64(&log.contract), "topics": topics,
        "data": b64(&log.data)})
}

/// A whole number as JSON: all that TRON counts fit 64 bits.
fn number(n: u128) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 + 2 * bytes.len()) + "0x", |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
