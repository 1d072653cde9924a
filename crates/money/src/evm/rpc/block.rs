//! A node's answers about one block, held against each other: what does not fit is an error, never half a block.
use super::trace::Traced;
use crate::columns::Amount;
use crate::evm::fields::{address, bytes, fixed};
use crate::evm::model::{Address, Hash, Payment, PaymentKind, RawBlock, RawLog, RawTx, TxBody};
use crate::node::without_text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The transactions' types that carry a deposit of the chain below (OP Stack).
const DEPOSIT: &str = "0x7e";
/// A withdrawal counts in 10^9 of the base unit (EIP-4895).
const GWEI: u128 = 1_000_000_000;

/// What a node answered about one block.
pub struct Answers<'a> {
    /// `eth_getBlockByNumber` with whole transactions.
    pub block: &'a RawValue,
    /// `eth_getBlockReceipts`, or the receipts one by one.
    pub receipts: &'a RawValue,
    /// How many logs `eth_getLogs` has of the block.
    pub logs: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    number: String,
    hash: String,
    parent_hash: String,
    timestamp: String,
    miner: Option<String>,
    difficulty: Option<String>,
    base_fee_per_gas: Option<String>,
    gas_used: String,
    transactions: Vec<Tx>,
    #[serde(default)]
    withdrawals: Option<Vec<Withdrawal>>,
}

#[derive(Deserialize)]
struct Withdrawal {
    address: String,
    amount: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tx {
    hash: String,
    block_hash: Option<String>,
    transaction_index: String,
    from: String,
    to: Option<String>,
    value: String,
    gas_price: Option<String>,
    #[serde(default)]
    input: String,
    #[serde(rename = "type")]
    sort: Option<String>,
    mint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: String,
    block_hash: String,
    status: Option<String>,
    gas_used: String,
    effective_gas_price: Option<String>,
    l1_fee: Option<String>,
    blob_gas_used: Option<String>,
    blob_gas_price: Option<String>,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    address: String,
    topics: Vec<String>,
    data: String,
    log_index: String,
    block_hash: Option<String>,
    transaction_hash: Option<String>,
}

/// Number, hash and parent of a block, without its transactions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    number: String,
    hash: String,
    parent_hash: String,
}

/// Reads number, hash and parent; `None` when the node has no such block.
pub fn header(raw: &RawValue) -> Result<Option<(u64, Hash, Hash)>, String> {
    if raw.get() == "null" {
        return Ok(None);
    }
    let header: Header = read(raw)?;
    Ok(Some((number(&header.number, "the number")?, hash(&header.hash)?, hash(&header.parent_hash)?)))
}

/// Reads a block and its receipts. Traces come after, with [`put_traces`].
///
/// # Errors
/// Whatever does not fit: another height, other transactions, receipts of another block, gas or logs that do not add up.
pub fn read_block(height: u64, answers: &Answers<'_>) -> Result<RawBlock, String> {
    let block: Block = read(answers.block)?;
    let receipts: Vec<Receipt> = read(answers.receipts)?;
    let own = hash(&block.hash)?;
    if number(&block.number, "the number")? != height {
        return Err("another block than was asked for".into());
    }
    if receipts.len() != block.transactions.len() {
        return Err(format!("{} receipts for {} transactions", receipts.len(), block.transactions.len()));
    }
    let base_fee = block.base_fee_per_gas.as_deref().map(amount).transpose()?;
    let staked = block.difficulty.as_deref().map(amount).transpose()?.is_some_and(|difficulty| difficulty.is_zero());
    let mut raw = RawBlock {
        height,
        hash: Some(own),
        parent: Some(hash(&block.parent_hash)?),
        time: u32::try_from(number(&block.timestamp, "the time")?).ok(),
        author: block.miner.as_deref().map(party).transpose()?,
        base_fee,
        txs_said: u32::try_from(block.transactions.len()).ok(),
        with_logs: true,
        with_rewards: base_fee.is_some() && staked,
        ..RawBlock::default()
    };
    let (mut gas, mut next_log) = (0u64, 0);
    for (place, (tx, receipt)) in (0u32..).zip(block.transactions.iter().zip(&receipts)) {
        let read = transaction(tx, receipt, &own, place, &mut next_log);
        let (tx, used) = read.map_err(|why| format!("transaction {place}: {why}"))?;
        gas = gas.checked_add(used).ok_or("the gas does not add up")?;
        raw.txs.push(tx);
    }
    if gas != number(&block.gas_used, "the gas")? {
        return Err(format!("its receipts have used {gas} gas, and the block says {}: half a block", block.gas_used));
    }
    if answers.logs.is_some_and(|logs| logs != u64::from(next_log)) {
        let logs = answers.logs.unwrap_or(0);
        return Err(format!("its receipts have {next_log} logs, and eth_getLogs has {logs}: one of them is not whole"));
    }
    for withdrawal in block.withdrawals.iter().flatten() {
        let gwei = amount(&withdrawal.amount)?;
        let amount = gwei.times(&Amount::from(GWEI)).ok_or("a withdrawal does not fit 256 bits")?;
        raw.payments.push(Payment {
            from: None,
            to: party(&withdrawal.address)?,
            amount,
            why: PaymentKind::Withdrawal,
        });
    }
    Ok(raw)
}

fn transaction(tx: &Tx, receipt: &Receipt, own: &Hash, place: u32, next_log: &mut u32) -> Result<(RawTx, u64), String> {
    let id = hash(&tx.hash)?;
    if hash(&receipt.transaction_hash)? != id {
        return Err("the receipt is another transaction's".into());
    }
    if hash(&receipt.block_hash)? != *own
        || tx.block_hash.as_deref().map(hash).transpose()?.is_some_and(|told| told != *own)
    {
        return Err("it is told to be in another block: the chain reorganised meanwhile".into());
    }
    if number(&tx.transaction_index, "the place")? != u64::from(place) {
        return Err("it does not stand in its place".into());
    }
    let used = number(&receipt.gas_used, "the gas that was used")?;
    let maybe = |text: &Option<String>| text.as_deref().map(amount).transpose();
    let price = maybe(&receipt.effective_gas_price)?.or(maybe(&tx.gas_price)?);
    let blobs = maybe(&receipt.blob_gas_used)?.unwrap_or_default();
    let blob_fee = blobs.times(&maybe(&receipt.blob_gas_price)?.unwrap_or_default());
    let deposit = tx.sort.as_deref() == Some(DEPOSIT);
    let body = TxBody {
        from: party(&tx.from)?,
        to: tx.to.as_deref().map(party).transpose()?,
        value: amount(&tx.value)?,
        ok: receipt.status.as_deref().map(|status| status == "0x1"),
        gas_used: Some(used),
        // A deposit has paid for its gas on the chain below.
        gas_price: if deposit { Some(Amount::default()) } else { price },
        fee: None,
        blob_fee: blob_fee.ok_or("the fee of its blobs does not fit 256 bits")?,
        l1_fee: maybe(&receipt.l1_fee)?.filter(|_| !deposit).unwrap_or_default(),
        mint: maybe(&tx.mint)?.unwrap_or_default(),
        moves: None,
        unsaid: false,
        selector: tx.input.get(..10).and_then(|first| bytes(first, true)).and_then(|first| first.try_into().ok()),
    };
    let logs = logs(receipt, own, &id, next_log)?;
    Ok((RawTx { id, place: Some(place), body: Some(body), logs, ..RawTx::default() }, used))
}

/// The logs of a receipt, which stand one after another from `next_log` on.
fn logs(receipt: &Receipt, own: &Hash, id: &Hash, next_log: &mut u32) -> Result<Vec<RawLog>, String> {
    let mut logs = Vec::with_capacity(receipt.logs.len());
    for log in &receipt.logs {
        let index = number(&log.log_index, "a log's index")?;
        if index != u64::from(*next_log) {
            return Err(format!("log {next_log} of the block is missing"));
        }
        *next_log += 1;
        let elsewhere =
            |text: &Option<String>, hash: &Hash| text.as_deref().is_some_and(|told| fixed(told) != Some(*hash));
        if elsewhere(&log.block_hash, own) || elsewhere(&log.transaction_hash, id) {
            return Err("it has a log of another transaction or block".into());
        }
        let topics: Option<Vec<Hash>> = log.topics.iter().map(|topic| fixed(topic)).collect();
        logs.push(RawLog {
            index: u32::try_from(index).ok(),
            order: None,
            address: party(&log.address)?,
            topics: topics.filter(|topics| topics.len() <= 4).ok_or("a topic cannot be read")?,
            data: bytes(&log.data, true).ok_or("a log's data cannot be read")?,
        });
    }
    Ok(logs)
}

/// A receipt alone: its transaction's logs, whether it succeeded, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    /// The block.
    pub hash: Hash,
    /// The block's height.
    pub height: u64,
    /// Whether the transaction succeeded, if told.
    pub ok: Option<bool>,
    /// Its id and logs, and, where the transaction itself was read too, what it says and cost.
    pub tx: RawTx,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    block_number: String,
    transaction_index: String,
}

/// Reads `eth_getTransactionReceipt`, and with it `eth_getTransactionByHash` where that was asked.
///
/// # Errors
/// What cannot be read; parts that are another transaction's or block's; a log that is missing.
pub fn read_one(tx: Option<&RawValue>, receipt: &RawValue) -> Result<Stood, String> {
    let (placed, receipt): (Placed, Receipt) = (read(receipt)?, read(receipt)?);
    let own = hash(&receipt.block_hash)?;
    let place = u32::try_from(number(&placed.transaction_index, "the place")?).map_err(|_| "the place is too large")?;
    let first = receipt.logs.first().map_or(Ok(0), |log| number(&log.log_index, "a log's index"))?;
    let mut next_log = u32::try_from(first).map_err(|_| "a log's index is too large")?;
    let read = match tx {
        Some(tx) => transaction(&read(tx)?, &receipt, &own, place, &mut next_log)?.0,
        None => {
            let id = hash(&receipt.transaction_hash)?;
            let logs = logs(&receipt, &own, &id, &mut next_log)?;
            RawTx { id, place: Some(place), logs, ..RawTx::default() }
        }
    };
    let ok = receipt.status.as_deref().map(|status| status == "0x1");
    Ok(Stood { hash: own, height: number(&placed.block_number, "the height")?, ok, tx: read })
}

/// Gives transactions their calls, and their logs the places among these where the tracer tells.
///
/// # Errors
/// A trace that says another thing than the receipt.
pub fn put_traces(block: &mut RawBlock, traced: Vec<Traced>) -> Result<(), String> {
    for (place, (tx, traced)) in block.txs.iter_mut().zip(traced).enumerate() {
        let (Some(root), Some(body)) = (traced.calls.iter().find(|call| call.root), &tx.body) else {
            return Err(format!("transaction {place} has no call of its own"));
        };
        if root.from != body.from || root.value != body.value || body.ok.is_some_and(|ok| ok != root.ok) {
            return Err(format!("transaction {place}: its trace and its receipt do not agree"));
        }
        let places = traced.logs.filter(|logs| {
            logs.len() == tx.logs.len()
                && logs.iter().zip(&tx.logs).all(|((contract, _), log)| *contract == log.address)
        });
        for (log, (_, order)) in tx.logs.iter_mut().zip(places.into_iter().flatten()) {
            log.order = Some(order);
        }
        tx.calls = traced.calls;
    }
    block.with_traces = true;
    Ok(())
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| format!("cannot be read ({})", without_text(&error)))
}

fn hash(text: &str) -> Result<Hash, String> {
    fixed(text).ok_or_else(|| "a hash cannot be read".into())
}

fn party(text: &str) -> Result<Address, String> {
    address(text).ok_or_else(|| "an address cannot be read".into())
}

fn amount(text: &str) -> Result<Amount, String> {
    Amount::from_hex(text).ok_or_else(|| "an amount cannot be read".into())
}

/// A whole number in hex.
pub fn number(text: &str, what: &str) -> Result<u64, String> {
    Amount::from_hex(text).and_then(|number| number.to_u64()).ok_or_else(|| format!("{what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn h(n: u8) -> String {
        format!("0x{}", hex::encode([n; 32]))
    }

    fn a(n: u8) -> String {
        format!("0x{}", hex::encode([n; 20]))
    }

    fn answers() -> (Value, Value) {
        let tx = |n: u8, place: &str| {
            json!({"hash": h(n), "blockHash": h(1), "transactionIndex": place, "from": a(1), "to": a(2), "value": "0x5",
                "gasPrice": "0x2", "input": "0x23b872dd00"})
        };
        let log = |index: &str| json!({"address": a(3), "topics": [h(9)], "data": "0x", "logIndex": index, "blockHash": h(1)});
        let receipt = |n: u8, logs: Value| {
            json!({"transactionHash": h(n), "blockHash": h(1), "status": "0x1", "gasUsed": "0x64", "effectiveGasPrice": "0x3",
                "logs": logs})
        };
        let block = json!({"number": "0x7", "hash": h(1), "parentHash": h(0), "timestamp": "0x10", "miner": a(8), "difficulty": "0x0",
            "baseFeePerGas": "0x1", "gasUsed": "0xc8", "transactions": [tx(11, "0x0"), tx(12, "0x1")],
            "withdrawals": [{"address": a(4), "amount": "0x2"}]});
        (block, json!([receipt(11, json!([log("0x0")])), receipt(12, json!([log("0x1"), log("0x2")]))]))
    }

    fn told((block, receipts): &(Value, Value), logs: u64) -> Result<RawBlock, String> {
        let raw = |value: &Value| RawValue::from_string(value.to_string()).unwrap();
        let (block, receipts) = (raw(block), raw(receipts));
        read_block(7, &Answers { block: &block, receipts: &receipts, logs: Some(logs) })
    }

    #[test]
    fn a_block_whose_parts_agree_is_read_whole() {
        let block = told(&answers(), 3).unwrap();
        assert_eq!((block.height, block.txs_said, block.with_logs, block.with_rewards), (7, Some(2), true, true));
        assert_eq!(block.payments[0].amount, Amount::from(2 * GWEI));
        let body = block.txs[1].body.as_ref().unwrap();
        assert_eq!(
            (body.gas_used, body.gas_price, body.selector),
            (Some(100), Some(Amount::from(3)), Some([0x23, 0xb8, 0x72, 0xdd]))
        );
        assert_eq!(block.txs[1].logs[1].index, Some(2));
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_the_transaction() {
        let wrong = |logs: u64, change: &dyn Fn(&mut Value, &mut Value)| {
            let (mut block, mut receipts) = answers();
            change(&mut block, &mut receipts);
            told(&(block, receipts), logs).unwrap_err()
        };
        type Change<'a> = &'a dyn Fn(&mut Value, &mut Value);
        let cases: [(&str, u64, Change<'_>); 9] = [
            ("1 receipts for 2", 3, &|_, r| drop(r.as_array_mut().unwrap().pop())),
            ("another block than was asked", 3, &|b, _| b["number"] = json!("0x8")),
            ("transaction 1: the receipt is another", 3, &|_, r| r[1]["transactionHash"] = json!(h(11))),
            ("transaction 0: it is told to be in another block", 3, &|_, r| r[0]["blockHash"] = json!(h(5))),
            ("half a block", 3, &|b, _| b["gasUsed"] = json!("0xc9")),
            ("log 1 of the block is missing", 3, &|_, r| drop(r[1]["logs"].as_array_mut().unwrap().remove(0))),
            ("eth_getLogs has 4", 4, &|_, _| {}),
            ("amount cannot be read", 3, &|b, _| b["transactions"][0]["value"] = json!("five")),
            ("an address cannot be read", 3, &|b, _| b["transactions"][0]["from"] = json!("0x12")),
        ];
        for (expected, logs, change) in cases {
            let why = wrong(logs, change);
            assert!(why.contains(expected), "{why}");
        }
    }
}
