//! An EXERCISE chain of accounts, and what APIs like Etherscan's and TronGrid's say of it. Shapes are made after docs.etherscan.io (V2) and
//! developers.tron.network; no answer of a real server is among them.
#![allow(dead_code)] // each test uses some of it

use super::standin::{Reply, serve};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// When block 0 was.
pub const BEGIN: u64 = 1_700_000_000;
/// The time, in these tests.
pub const NOW: u64 = 1_800_000_000;
/// The coin, in place of a token's number.
pub const COIN: u8 = 0;
/// Plenty of coins for fees, from before the first block.
pub const BEFORE: u128 = 1_000_000;
/// What each transaction costs who signs it.
pub const FEE: u128 = 21;

/// A transaction with what it moves: from, to, token (or [`COIN`]), amount.
#[derive(Clone, Debug)]
pub struct Tx {
    pub id: u8,
    pub height: u64,
    pub place: u32,
    pub signer: u8,
    pub failed: bool,
    pub moves: Vec<(u8, u8, u8, u128)>,
}

pub fn pay(id: u8, height: u64, from: u8, to: u8, token: u8, amount: u128) -> Tx {
    Tx { id, height, place: u32::from(id), signer: from, failed: false, moves: vec![(from, to, token, amount)] }
}

#[derive(Clone, Debug)]
pub struct World {
    pub txs: Vec<Tx>,
    /// Of which branch its blocks are.
    pub branch: u8,
    pub tip: u64,
    /// What an account had of a token before.
    pub had: Vec<(u8, u8, u128)>,
    pub symbol: &'static str,
}

pub fn world(txs: Vec<Tx>) -> World {
    World { txs, branch: 1, tip: 1_000, had: Vec::new(), symbol: "EXERCISE" }
}

pub fn hash(n: u8) -> String {
    hex::encode([n; 32])
}

pub fn address(n: u8) -> String {
    format!("0x{}", hex::encode([n; 20]))
}

pub fn tron(n: u8) -> String {
    bs58::encode([&[0x41], &[n; 20][..]].concat()).with_check().into_string()
}

fn padded(n: u8) -> String {
    format!("0x{}{}", "00".repeat(12), hex::encode([n; 20]))
}

const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

impl World {
    pub fn block_hash(&self, height: u64) -> String {
        format!("0x{:064x}", (u128::from(self.branch) << 100) | u128::from(height))
    }

    fn tx(&self, id: &str) -> Option<&Tx> {
        self.txs.iter().find(|tx| hash(tx.id) == id.trim_start_matches("0x"))
    }

    /// Balance now; what signers paid for gas has gone to nobody.
    pub fn balance(&self, who: u8, token: u8) -> u128 {
        let had = self.had.iter().filter(|(one, of, _)| (*one, *of) == (who, token)).map(|had| had.2).sum::<u128>();
        let begin = if token == COIN { BEFORE } else { had };
        let moved = self.txs.iter().filter(|tx| !tx.failed).flat_map(|tx| tx.moves.iter()).filter(|one| one.2 == token);
        let (mut plus, mut minus) = (begin, 0);
        for (from, to, _, amount) in moved {
            plus += if *to == who { *amount } else { 0 };
            minus += if *from == who { *amount } else { 0 };
        }
        let signed = self.txs.iter().filter(|tx| tx.signer == who).count() as u128;
        plus - minus - if token == COIN { signed * FEE } else { 0 }
    }

    fn logs(&self, tx: &Tx) -> Vec<(usize, u8, u8, u8, u128)> {
        let all = tx.moves.iter().enumerate().filter(|(_, one)| one.2 != COIN && !tx.failed);
        all.map(|(n, one)| (n, one.0, one.1, one.2, one.3)).collect()
    }

    /// Rows of one of Etherscan's lists.
    fn rows(&self, action: &str, who: &str, token: Option<&str>) -> Vec<(u64, Value)> {
        let mut rows = Vec::new();
        for tx in &self.txs {
            let base = json!({"blockNumber": tx.height.to_string(), "timeStamp": (BEGIN + tx.height).to_string(),
                "hash": format!("0x{}", hash(tx.id)), "blockHash": self.block_hash(tx.height), "confirmations": "9",
                "transactionIndex": tx.place.to_string(), "gas": "30", "gasUsed": "21", "gasPrice": "1", "nonce": "0"});
            let with = |more: Value| {
                let mut row = base.clone();
                row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                (tx.height, row)
            };
            let own = tx.moves.iter().find(|one| one.2 == COIN && one.0 == tx.signer);
            match action {
                "txlist" => {
                    let called = own.map_or(tx.moves.first().map_or(0, |one| one.2), |own| own.1);
                    if address(tx.signer) == who || address(called) == who {
                        let error = if tx.failed { "1" } else { "0" };
                        rows.push(with(
                            json!({"from": address(tx.signer), "to": address(called), "contractAddress": "",
                            "value": own.map_or(0, |own| own.3).to_string(), "isError": error, "input": "0x",
                            "txreceipt_status": if tx.failed { "0" } else { "1" }, "methodId": "0x"}),
                        ));
                    }
                }
                "txlistinternal" => {
                    let inner = tx.moves.iter().enumerate().filter(|(_, one)| one.2 == COIN && one.0 != tx.signer);
                    for (n, one) in inner.filter(|(_, one)| address(one.0) == who || address(one.1) == who) {
                        let mut row = with(
                            json!({"from": address(one.0), "to": address(one.1), "value": one.3.to_string(),
                            "contractAddress": "", "type": "call", "traceId": format!("0_{n}"), "isError": "0", "errCode": ""}),
                        );
                        ["blockHash", "transactionIndex"]
                            .iter()
                            .for_each(|name| drop(row.1.as_object_mut().unwrap().remove(*name)));
                        rows.push(row);
                    }
                }
                _ => {
                    for (_, from, to, of, amount) in self.logs(tx) {
                        let here = address(from) == who || address(to) == who;
                        if here && token.is_none_or(|token| token == address(of)) {
                            rows.push(with(
                                json!({"from": address(from), "to": address(to), "value": amount.to_string(),
                                "contractAddress": address(of), "tokenName": "EXERCISE", "tokenSymbol": self.symbol,
                                "tokenDecimal": "6", "input": "deprecated"}),
                            ));
                        }
                    }
                }
            }
        }
        rows.sort_by_key(|(height, _)| *height);
        rows
    }

    /// What an API like Etherscan's answers to a query (small letters).
    pub fn etherscan(&self, query: &str) -> Value {
        let value = |name: &str| query.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let rpc = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
        let listed = |rows: Vec<Value>| match rows.is_empty() {
            true => json!({"status": "0", "message": "No transactions found", "result": []}),
            false => json!({"status": "1", "message": "OK", "result": rows}),
        };
        let number = |name: &str| value(name).unwrap().parse::<u64>().unwrap();
        let tx = || self.tx(value("txhash").unwrap());
        match value("action").unwrap() {
            "eth_blocknumber" => rpc(json!(format!("{:#x}", self.tip))),
            "eth_getblockbynumber" => {
                let height = u64::from_str_radix(value("tag").unwrap().trim_start_matches("0x"), 16).unwrap();
                rpc(json!({"number": format!("{height:#x}"), "hash": self.block_hash(height), "transactions": [],
                    "parentHash": self.block_hash(height.saturating_sub(1)), "timestamp": format!("{:#x}", BEGIN + height)}))
            }
            "eth_gettransactionbyhash" => rpc(tx().map_or(Value::Null, |tx| {
                let own = tx.moves.iter().find(|one| one.2 == COIN && one.0 == tx.signer);
                json!({"hash": format!("0x{}", hash(tx.id)), "blockHash": self.block_hash(tx.height), "chainId": "0x7a69",
                    "blockNumber": format!("{:#x}", tx.height), "transactionIndex": format!("{:#x}", tx.place),
                    "from": address(tx.signer), "to": own.map_or(address(200), |own| address(own.1)), "gasPrice": "0x1",
                    "value": format!("{:#x}", own.map_or(0, |own| own.3)), "type": "0x2",
                    "input": if own.is_some() { "0x" } else { "0xa9059cbb00" }})
            })),
            "eth_gettransactionreceipt" => rpc(tx().map_or(Value::Null, |tx| {
                let logs: Vec<Value> = (40u32..).zip(self.logs(tx)).map(|(index, (_, from, to, token, amount))| {
                    json!({"address": address(token), "topics": [TRANSFER, padded(from), padded(to)],
                        "data": format!("0x{amount:064x}"), "logIndex": format!("{index:#x}"),
                        "blockHash": self.block_hash(tx.height), "transactionHash": format!("0x{}", hash(tx.id))})
                }).collect();
                json!({"transactionHash": format!("0x{}", hash(tx.id)), "blockHash": self.block_hash(tx.height),
                    "blockNumber": format!("{:#x}", tx.height), "transactionIndex": format!("{:#x}", tx.place),
                    "from": address(tx.signer), "status": if tx.failed { "0x0" } else { "0x1" }, "gasUsed": "0x15",
                    "effectiveGasPrice": "0x1", "logs": logs})
            })),
            "balance" | "tokenbalance" => {
                let who = (0..=255).find(|n| address(*n) == value("address").unwrap()).unwrap();
                let token = value("contractaddress").map_or(COIN, |t| (0..=255).find(|n| address(*n) == t).unwrap());
                json!({"status": "1", "message": "OK", "result": self.balance(who, token).to_string()})
            }
            "txlistinternal" if value("txhash").is_some() => {
                let inner = tx().into_iter().flat_map(|tx| tx.moves.iter().filter(|one| one.2 == COIN && one.0 != tx.signer));
                listed(inner.map(|one| json!({"from": address(one.0), "to": address(one.1), "value": one.3.to_string(),
                    "contractAddress": "", "type": "call", "isError": "0"})).collect())
            }
            action => {
                let rows = self.rows(action, value("address").unwrap(), value("contractaddress"));
                let within = number("startblock")..=number("endblock");
                let (page, offset) = (number("page") as usize, number("offset") as usize);
                let rows = rows.into_iter().filter(|(height, _)| within.contains(height)).map(|(_, row)| row);
                listed(rows.skip((page - 1) * offset).take(offset).collect())
            }
        }
    }

    /// What an API like TronGrid's answers, a few rows a page. The stand-in hears addresses in small letters.
    pub fn trongrid(&self, path: &str, body: &Value, rows_a_page: usize) -> Value {
        let id = |tx: &Tx| hash(tx.id);
        let time = |height: u64| 1000 * (BEGIN + height);
        let asked = || self.tx(body["value"].as_str().unwrap());
        let contract = |tx: &Tx| {
            let (from, to, token, amount) = tx.moves[0];
            let h = |n: u8| format!("41{}", hex::encode([n; 20]));
            let (sort, value) = match token {
                COIN => (
                    "TransferContract",
                    json!({"owner_address": h(from), "to_address": h(to), "amount": amount as u64}),
                ),
                _ => (
                    "TriggerSmartContract",
                    json!({"owner_address": h(tx.signer), "contract_address": h(token), "data": "a9059cbb"}),
                ),
            };
            json!({"txID": id(tx), "ret": [{"contractRet": if tx.failed { "REVERT" } else { "SUCCESS" }, "fee": FEE as u64}],
                "raw_data": {"contract": [{"type": sort, "parameter": {"value": value}}]}})
        };
        let parts: Vec<&str> = path.split(['/', '?']).collect();
        match parts.as_slice() {
            ["wallet", "getblockbynum"] => json!({"blockID": "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"}),
            ["wallet", "getnowblock"] => json!({"blockID": format!("{:016x}{}", self.tip, "0".repeat(48))}),
            ["wallet", "gettransactionbyid"] => asked().map_or(json!({}), contract),
            ["wallet", "gettransactioninfobyid"] => asked().map_or(json!({}), |tx| {
                let topic = |n: u8| format!("{}{}", "00".repeat(12), hex::encode([n; 20]));
                let logs: Vec<Value> = self.logs(tx).iter().map(|(_, from, to, token, amount)| {
                    json!({"address": hex::encode([*token; 20]), "data": format!("{amount:064x}"),
                        "topics": [TRANSFER.trim_start_matches("0x"), topic(*from), topic(*to)]})
                }).collect();
                let mut info = json!({"id": id(tx), "fee": FEE as u64, "blockNumber": tx.height, "blockTimeStamp": time(tx.height), "log": logs});
                if tx.failed {
                    info["result"] = json!("FAILED");
                }
                info
            }),
            ["v1", "accounts", who, ..] => {
                let who = (0..=255).find(|n| tron(*n).to_ascii_lowercase() == *who).unwrap();
                let value = |name: &str| path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                let named = |tx: &Tx| tx.signer == who || tx.moves.iter().any(|one| one.2 == COIN && one.1 == who);
                let rows: Vec<Value> = match parts.get(3..) {
                    Some(["trc20", _]) | Some(["transactions", "trc20", _]) => {
                        let token = value("contract_address").map(|t| (0..=255).find(|n| tron(*n).to_ascii_lowercase() == t).unwrap());
                        self.txs.iter().flat_map(|tx| self.logs(tx).into_iter().map(move |log| (tx, log)))
                            .filter(|(_, (_, from, to, of, _))| (*from == who || *to == who) && token.is_none_or(|token| token == *of))
                            .map(|(tx, (_, from, to, of, amount))| json!({"transaction_id": id(tx), "block_timestamp": time(tx.height),
                                "from": tron(from), "to": tron(to), "type": "Transfer", "value": amount.to_string(),
                                "token_info": {"symbol": self.symbol, "address": tron(of), "decimals": 6, "name": "EXERCISE"}}))
                            .collect()
                    }
                    Some(["transactions", _]) => self.txs.iter().filter(|tx| named(tx)).map(|tx| {
                        let mut row = contract(tx);
                        row["blockNumber"] = json!(tx.height);
                        row["block_timestamp"] = json!(time(tx.height));
                        row["internal_transactions"] = json!([]);
                        row
                    }).collect(),
                    _ => {
                        let tokens: Vec<Value> = (1..=255u8).filter(|n| self.txs.iter().any(|tx| tx.moves.iter().any(|one| one.2 == *n)))
                            .map(|token| json!({tron(token): self.balance(who, token).to_string()})).collect();
                        let hexed = format!("41{}", hex::encode([who; 20]));
                        vec![json!({"address": hexed, "balance": self.balance(who, COIN) as u64, "trc20": tokens})]
                    }
                };
                let since = value("min_timestamp").map_or(0, |since| since.parse().unwrap());
                let rows: Vec<Value> = rows.into_iter().filter(|row| row["block_timestamp"].as_u64().unwrap_or(u64::MAX) >= since).collect();
                let skip: usize = value("fingerprint").map_or(0, |text| text.parse().unwrap());
                let more = rows.len() > skip + rows_a_page;
                let page: Vec<Value> = rows.into_iter().skip(skip).take(rows_a_page).collect();
                let mut meta = json!({"at": 1, "page_size": page.len()});
                if more {
                    meta["fingerprint"] = json!((skip + rows_a_page).to_string());
                }
                json!({"data": page, "success": true, "meta": meta})
            }
            _ => json!({"Error": "EXERCISE: no such path"}),
        }
    }
}

/// What a test answers in the world's place.
pub type Other = Box<dyn FnMut(&str, &mut World) -> Option<Reply> + Send>;

/// A stand-in like Etherscan; `asked` gets each query.
pub fn like_etherscan(world: World, mut other: Other) -> (String, Arc<Mutex<Vec<String>>>) {
    let (asked, mut world) = (Arc::new(Mutex::new(Vec::new())), world);
    let heard = Arc::clone(&asked);
    let answering = move |path: &str, _: &Value| {
        heard.lock().unwrap().push(path.to_owned());
        other(path, &mut world).unwrap_or_else(|| Reply::Result(world.etherscan(path)))
    };
    (serve(Arc::new(Mutex::new(answering))), asked)
}

/// A stand-in like TronGrid.
pub fn like_trongrid(world: World, rows_a_page: usize, mut other: Other) -> (String, Arc<Mutex<Vec<String>>>) {
    let (asked, mut world) = (Arc::new(Mutex::new(Vec::new())), world);
    let heard = Arc::clone(&asked);
    let answering = move |path: &str, body: &Value| {
        heard.lock().unwrap().push(path.to_owned());
        other(path, &mut world).unwrap_or_else(|| Reply::Result(world.trongrid(path, body, rows_a_page)))
    };
    (serve(Arc::new(Mutex::new(answering))), asked)
}
