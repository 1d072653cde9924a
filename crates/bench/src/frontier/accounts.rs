//! What APIs like Etherscan's and TronGrid's say of a world's chain of accounts, told from its columns.
use super::Answering;
use crate::Failure;
use crate::money_truth::Truth;
use money::chain::ChainCode;
use money::columns::{Accounts, Amount, Kind, Transfer, TxFlags};
use money::evm::{Profile, Writing};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use world::money::truth::Use;

const TRANSFER: &str = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TRON_FIRST: &str = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc";

/// A chain, and which transfers are of whom.
struct Told {
    chain: Accounts,
    profile: Profile,
    coin: Option<u32>,
    /// Transfers by account, in order.
    of: HashMap<u32, Vec<u64>>,
    signed: HashMap<u32, Vec<u64>>,
}

/// A stand-in over a chain, and the victims' transactions: payments to collection addresses by others than who collects.
pub fn stand_in(chain: Accounts, code: &ChainCode, truth: &Truth) -> Result<(Answering, Vec<String>), Failure> {
    let profile = Profile::of(code).ok_or("not a chain of accounts")?;
    let coin = chain.find_asset(profile.coin.as_bytes());
    let mut told = Told { chain, profile, coin, of: HashMap::new(), signed: HashMap::new() };
    let collects = |account: u32| {
        let name = told.chain.account(account).map(|name| told.profile.text(name));
        let said = name.and_then(|name| truth.of(code.as_str(), &name));
        said.is_some_and(|said| said.used == Use::Collection)
    };
    let mut victims = Vec::new();
    let (mut of, mut signed): (HashMap<u32, Vec<u64>>, HashMap<u32, Vec<u64>>) = Default::default();
    for tx in 0..told.chain.txs() {
        signed.entry(told.chain.signer(tx)).or_default().push(tx);
        let mut paid = false;
        for number in told.chain.transfers_of(tx) {
            let Some(one) = told.chain.transfer(number) else { continue };
            of.entry(one.from).or_default().push(number);
            if one.to != one.from {
                of.entry(one.to).or_default().push(number);
            }
            let token = Some(one.asset) != told.coin && one.kind == Kind::Transfer && one.edge;
            paid |= token && collects(one.to) && !collects(one.from);
        }
        if let Some(id) = told.chain.id(tx).filter(|_| paid) {
            victims.push(hexed(id));
        }
    }
    (told.of, told.signed) = (of, signed);
    let tron = profile.writing == Writing::Tron;
    let answering = move |path: &str, body: &Value| {
        let answer = if tron { told.trongrid(path, body) } else { told.etherscan(path) };
        answer.map(|answer| answer.to_string())
    };
    Ok((Arc::new(answering), victims))
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    (0..digits.len() / 2).map(|n| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}

fn value<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// A transaction as both APIs need it.
struct Tx {
    number: u64,
    id: String,
    height: u64,
    hash: String,
    time: u32,
    place: u32,
    failed: bool,
    fee: Amount,
}

impl Told {
    fn tx(&self, number: u64) -> Option<Tx> {
        let block = self.chain.block_of(number)?;
        let record = self.chain.store().record(block).ok()??;
        let transfers = self.chain.transfers_of(number).filter_map(|n| self.chain.transfer(n));
        let fees = transfers.filter(|one| one.kind == Kind::Fee);
        Some(Tx {
            number,
            id: hexed(self.chain.id(number).filter(|id| id.len() == 32)?),
            height: record.height,
            hash: hexed(&record.hash),
            time: self.chain.time(number)?,
            place: self.chain.place(number).unwrap_or(0),
            failed: self.chain.tx_flags(number).has(TxFlags::FAILED),
            fee: fees.fold(Amount::default(), |sum, one| sum.plus(&one.amount).unwrap_or(sum)),
        })
    }

    fn find_tx(&self, text: &str) -> Option<Tx> {
        self.tx(self.chain.find_tx(&unhexed(text)?)?)
    }

    fn name(&self, account: u32) -> Vec<u8> {
        self.chain.account(account).unwrap_or(&[0; 20]).to_vec()
    }

    fn text(&self, account: u32) -> String {
        match self.profile.writing {
            Writing::Hex => format!("0x{}", hexed(&self.name(account))),
            Writing::Tron => self.profile.text(&self.name(account)),
        }
    }

    fn is_token(&self, one: &Transfer) -> bool {
        Some(one.asset) != self.coin && matches!(one.kind, Kind::Transfer | Kind::Mint | Kind::Burn)
    }

    /// The coins that a transaction moves itself.
    fn own(&self, tx: u64) -> Option<Transfer> {
        let signer = self.chain.signer(tx);
        let mut all = self.chain.transfers_of(tx).filter_map(|n| self.chain.transfer(n));
        all.find(|one| Some(one.asset) == self.coin && one.kind != Kind::Fee && one.from == signer)
    }

    fn tokens_of(&self, tx: u64) -> Vec<(String, Transfer)> {
        let all = self.chain.transfers_of(tx).filter_map(|n| self.chain.transfer(n));
        let tokens = all.filter(|one| self.is_token(one));
        tokens.map(|one| (hexed(self.chain.asset(one.asset).unwrap_or_default()), one)).collect()
    }

    /// The numbers of the transactions and transfers of an account in order; for a list of those it signed, those alone.
    fn balance(&self, account: u32, asset: Option<u32>) -> String {
        let (mut plus, mut minus) = (Amount::default(), Amount::default());
        for one in self.of.get(&account).into_iter().flatten().filter_map(|n| self.chain.transfer(*n)) {
            if Some(one.asset) == asset && one.from != one.to {
                let sum = if one.to == account { &mut plus } else { &mut minus };
                *sum = sum.plus(&one.amount).unwrap_or(*sum);
            }
        }
        plus.minus(&minus).unwrap_or_default().to_string()
    }

    fn etherscan(&self, path: &str) -> Option<Value> {
        let rpc = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
        let tx = || self.find_tx(value(path, "txhash")?);
        Some(match value(path, "action")? {
            "eth_blockNumber" => rpc(json!(format!("{:#x}", self.chain.head()?.height))),
            "eth_getBlockByNumber" => {
                let height = u64::from_str_radix(value(path, "tag")?.strip_prefix("0x")?, 16).ok()?;
                let (place, record) = self.chain.store().at_height(height).ok()??;
                let (hash, time) = (hexed(&record.hash), self.chain.block_time(place)?);
                rpc(json!({"number": format!("{height:#x}"), "hash": format!("0x{hash}"), "transactions": [],
                    "parentHash": format!("0x{}", hexed(&record.parent)), "timestamp": format!("{time:#x}")}))
            }
            "eth_getTransactionByHash" => {
                let tx = tx()?;
                let (own, token) = (self.own(tx.number), self.tokens_of(tx.number));
                let to =
                    own.as_ref().map(|own| self.text(own.to)).or(token.first().map(|(token, _)| format!("0x{token}")));
                rpc(json!({"hash": format!("0x{}", tx.id), "blockHash": format!("0x{}", tx.hash), "chainId": "0x7a69",
                    "blockNumber": format!("{:#x}", tx.height), "transactionIndex": format!("{:#x}", tx.place),
                    "from": self.text(self.chain.signer(tx.number)), "to": to, "gasPrice": hex_of(&tx.fee),
                    "value": own.map_or("0x0".into(), |own| hex_of(&own.amount)),
                    "input": if token.is_empty() { "0x" } else { "0xa9059cbb" }}))
            }
            "eth_getTransactionReceipt" => {
                let tx = tx()?;
                let padded = |account: u32| format!("0x{}{}", "00".repeat(12), hexed(&self.name(account)));
                let logs = (0u32..).zip(self.tokens_of(tx.number)).map(|(n, (token, one))| {
                    json!({"address": format!("0x{token}"), "topics": [format!("0x{TRANSFER}"), padded(one.from), padded(one.to)],
                        "data": format!("0x{}", word(&one.amount)), "logIndex": format!("{n:#x}")})
                });
                rpc(
                    json!({"transactionHash": format!("0x{}", tx.id), "blockHash": format!("0x{}", tx.hash), "gasUsed": "0x1",
                    "blockNumber": format!("{:#x}", tx.height), "transactionIndex": format!("{:#x}", tx.place),
                    "effectiveGasPrice": hex_of(&tx.fee), "status": if tx.failed { "0x0" } else { "0x1" },
                    "logs": logs.collect::<Vec<_>>()}),
                )
            }
            "balance" | "tokenbalance" => {
                let account = self.chain.find_account(&unhexed(value(path, "address")?)?);
                let token = value(path, "contractaddress").map(|token| unhexed(token).unwrap_or_default());
                let asset = token.map_or(self.coin, |token| self.chain.find_asset(&token));
                let balance = account.map_or_else(|| "0".into(), |account| self.balance(account, asset));
                json!({"status": "1", "message": "OK", "result": balance})
            }
            action => {
                let rows = self.listed(action, path)?;
                let page: usize = value(path, "page").map_or(Some(1), |page| page.parse().ok())?;
                let many: usize = value(path, "offset").map_or(Some(10_000), |rows| rows.parse().ok())?;
                let rows: Vec<Value> = rows.into_iter().skip((page - 1) * many).take(many).collect();
                let (status, message) = if rows.is_empty() { ("0", "No transactions found") } else { ("1", "OK") };
                json!({"status": status, "message": message, "result": rows})
            }
        })
    }

    /// All rows of a list in the range of blocks.
    fn listed(&self, action: &str, path: &str) -> Option<Vec<Value>> {
        if let Some(id) = value(path, "txhash") {
            let tx = self.find_tx(id)?;
            let inner = self.chain.transfers_of(tx.number).filter_map(|n| self.chain.transfer(n));
            let inner = inner.filter(|one| self.is_inner(one, tx.number));
            return Some(inner.map(|one| self.row(&tx, &one, json!({"type": "call", "isError": "0"}))).collect());
        }
        let number = |name: &str| value(path, name)?.parse::<u64>().ok();
        let within = number("startblock")?..=number("endblock")?;
        let Some(account) = self.chain.find_account(&unhexed(value(path, "address")?)?) else {
            return Some(Vec::new());
        };
        let token = value(path, "contractaddress").map(|token| unhexed(token).unwrap_or_default());
        let mut rows = Vec::new();
        if action == "txlist" {
            let paid = self.of.get(&account).into_iter().flatten().filter_map(|n| self.chain.tx_of(*n));
            let called = paid.filter(|tx| self.own(*tx).is_some_and(|own| own.to == account));
            let signed = self.signed.get(&account).into_iter().flatten().copied();
            let all: std::collections::BTreeSet<u64> = signed.chain(called).collect();
            for tx in all.into_iter().filter_map(|tx| self.tx(tx)).filter(|tx| within.contains(&tx.height)) {
                let own = self.own(tx.number);
                let to = own.as_ref().map_or_else(|| format!("0x{}", "ee".repeat(20)), |own| self.text(own.to));
                let amount = own.map_or_else(|| "0".into(), |own| own.amount.to_string());
                let error = if tx.failed { "1" } else { "0" };
                let more = json!({"from": self.text(self.chain.signer(tx.number)), "to": to, "value": amount, "isError": error,
                    "gasUsed": "1", "gasPrice": tx.fee.to_string(), "txreceipt_status": if tx.failed { "0" } else { "1" }});
                rows.push(with(self.base(&tx), more));
            }
            return Some(rows);
        }
        for number in self.of.get(&account).into_iter().flatten() {
            let (one, tx) = (self.chain.transfer(*number)?, self.chain.tx_of(*number)?);
            let right = match action {
                "txlistinternal" => self.is_inner(&one, tx),
                _ => {
                    self.is_token(&one) && token.as_ref().is_none_or(|token| self.chain.asset(one.asset) == Some(token))
                }
            };
            let Some(tx) = Some(tx).filter(|_| right).and_then(|tx| self.tx(tx)) else { continue };
            if within.contains(&tx.height) {
                let asset = format!("0x{}", hexed(self.chain.asset(one.asset).unwrap_or_default()));
                rows.push(match action {
                    "txlistinternal" => {
                        self.row(&tx, &one, json!({"type": "call", "isError": "0", "traceId": number.to_string()}))
                    }
                    _ => self.row(&tx, &one, json!({"contractAddress": asset, "tokenSymbol": "EXERCISE"})),
                });
            }
        }
        Some(rows)
    }

    fn is_inner(&self, one: &Transfer, tx: u64) -> bool {
        Some(one.asset) == self.coin && one.kind == Kind::Transfer && one.from != self.chain.signer(tx)
    }

    fn base(&self, tx: &Tx) -> Value {
        json!({"blockNumber": tx.height.to_string(), "blockHash": format!("0x{}", tx.hash), "timeStamp": tx.time.to_string(),
            "hash": format!("0x{}", tx.id), "transactionIndex": tx.place.to_string(), "contractAddress": ""})
    }

    fn row(&self, tx: &Tx, one: &Transfer, more: Value) -> Value {
        let parties = json!({"from": self.text(one.from), "to": self.text(one.to), "value": one.amount.to_string()});
        with(with(self.base(tx), parties), more)
    }

    fn trongrid(&self, path: &str, body: &Value) -> Option<Value> {
        let parts: Vec<&str> = path.split(['/', '?']).collect();
        let asked = || self.find_tx(body["value"].as_str()?);
        Some(match parts.as_slice() {
            ["wallet", "getblockbynum"] => json!({"blockID": TRON_FIRST}),
            ["wallet", "getnowblock"] => {
                json!({"blockID": format!("{:016x}{}", self.chain.head()?.height, "0".repeat(48))})
            }
            ["wallet", "gettransactionbyid"] => self.contract(&asked()?),
            ["wallet", "gettransactioninfobyid"] => {
                let tx = asked()?;
                let padded = |account: u32| format!("{}{}", "00".repeat(12), hexed(&self.name(account)));
                let logs = self.tokens_of(tx.number).into_iter().map(|(token, one)| {
                    json!({"address": token, "topics": [TRANSFER, padded(one.from), padded(one.to)], "data": word(&one.amount)})
                });
                let result = if tx.failed { "FAILED" } else { "SUCESS" };
                json!({"id": tx.id, "fee": tx.fee.to_u64()?, "blockNumber": tx.height, "result": result,
                    "blockTimeStamp": 1000 * u64::from(tx.time), "log": logs.collect::<Vec<_>>()})
            }
            ["v1", "accounts", account, rest @ ..] => {
                let account = self.chain.find_account(&self.profile.parse(account).ok()?);
                let rows = account.map_or_else(Vec::new, |account| match rest {
                    ["transactions", "trc20", _] => self.trc20(account, path),
                    ["transactions", _] => self.transactions(account, path),
                    _ => vec![self.holdings(account)],
                });
                let many: usize = value(path, "limit").map_or(Some(1), |limit| limit.parse().ok())?;
                let skip: usize = value(path, "fingerprint").map_or(Some(0), |at| at.parse().ok())?;
                let mut meta = json!({"at": 1, "page_size": many});
                if rows.len() > skip + many {
                    meta = with(meta, json!({"fingerprint": (skip + many).to_string()}));
                }
                let page: Vec<Value> = rows.into_iter().skip(skip).take(many).collect();
                json!({"data": page, "success": true, "meta": meta})
            }
            _ => return None,
        })
    }

    fn since(path: &str) -> u64 {
        value(path, "min_timestamp").and_then(|since| since.parse().ok()).unwrap_or(0)
    }

    fn trc20(&self, account: u32, path: &str) -> Vec<Value> {
        let token = value(path, "contract_address").and_then(|token| self.profile.parse(token).ok());
        let row = |number: &u64| {
            let one = self.chain.transfer(*number).filter(|one| self.is_token(one))?;
            let asset = self.chain.asset(one.asset)?;
            let tx = self.tx(self.chain.tx_of(*number)?)?;
            let time = 1000 * u64::from(tx.time);
            if token.as_ref().is_some_and(|token| token != asset) || time < Self::since(path) {
                return None;
            }
            Some(
                json!({"transaction_id": tx.id, "block_timestamp": time, "from": self.text(one.from), "to": self.text(one.to),
                "type": "Transfer", "value": one.amount.to_string(),
                "token_info": {"symbol": "EXERCISE", "address": self.profile.text(asset), "decimals": 6}}),
            )
        };
        self.of.get(&account).into_iter().flatten().filter_map(row).collect()
    }

    fn transactions(&self, account: u32, path: &str) -> Vec<Value> {
        let paid = self.of.get(&account).into_iter().flatten().filter_map(|n| self.chain.tx_of(*n));
        let called = paid.filter(|tx| self.own(*tx).is_some_and(|own| own.to == account));
        let signed = self.signed.get(&account).into_iter().flatten().copied();
        let all: std::collections::BTreeSet<u64> = signed.chain(called).collect();
        let rows =
            all.into_iter().filter_map(|tx| self.tx(tx)).filter(|tx| 1000 * u64::from(tx.time) >= Self::since(path));
        rows.map(|tx| {
            with(self.contract(&tx), json!({"blockNumber": tx.height, "block_timestamp": 1000 * u64::from(tx.time)}))
        })
        .collect()
    }

    fn contract(&self, tx: &Tx) -> Value {
        let h = |account: u32| format!("41{}", hexed(&self.name(account)));
        let signer = h(self.chain.signer(tx.number));
        let (sort, said) = match (self.own(tx.number), self.tokens_of(tx.number).first()) {
            (Some(own), _) => (
                "TransferContract",
                json!({"owner_address": signer, "to_address": h(own.to), "amount": own.amount.to_u64()}),
            ),
            (None, Some((token, _))) => (
                "TriggerSmartContract",
                json!({"owner_address": signer, "contract_address": format!("41{token}"), "data": "a9059cbb"}),
            ),
            _ => ("VoteWitnessContract", json!({"owner_address": signer})),
        };
        let result = if tx.failed { "REVERT" } else { "SUCCESS" };
        json!({"txID": tx.id, "ret": [{"contractRet": result, "fee": tx.fee.to_u64()}],
            "raw_data": {"contract": [{"type": sort, "parameter": {"value": said}}]}})
    }

    fn holdings(&self, account: u32) -> Value {
        let assets =
            self.of.get(&account).into_iter().flatten().filter_map(|n| self.chain.transfer(*n)).map(|one| one.asset);
        let assets: std::collections::BTreeSet<u32> = assets.filter(|asset| Some(*asset) != self.coin).collect();
        let token = |asset: u32| {
            let name = self.chain.asset(asset).unwrap_or_default();
            (self.profile.text(name), Value::from(self.balance(account, Some(asset))))
        };
        let tokens: Vec<Value> =
            assets.into_iter().map(|asset| Value::Object([token(asset)].into_iter().collect())).collect();
        let coins = self.balance(account, self.coin).parse::<u64>().unwrap_or(0);
        json!({"address": format!("41{}", hexed(&self.name(account))), "balance": coins, "trc20": tokens})
    }
}

fn with(mut row: Value, more: Value) -> Value {
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}

fn word(amount: &Amount) -> String {
    let mut bytes = amount.0;
    bytes.reverse();
    hexed(&bytes)
}

fn hex_of(amount: &Amount) -> String {
    let digits = word(amount);
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}
