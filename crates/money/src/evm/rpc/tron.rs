//! TRON by its HTTP API (`wallet/…`): each contract has a type, so each amount is known for what it is.
use super::follow::Teller;
use crate::chain::Result;
use crate::columns::{Amount, ISSUER, Kind};
use crate::evm::Joiner;
use crate::evm::fields::{address, bytes, fixed};
use crate::evm::model::{Address, CallSort, Hash, Move, Permission, RawBlock, RawCall, RawLog, RawTx, TxBody};
use crate::node::{Branch, Node, without_text};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

/// The first block of the main network.
pub const GENESIS: &str = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc";

/// A node of TRON.
pub struct Tron {
    node: Node,
    /// Whether it keeps inner calls: it does not by default, and a block without any does not show it.
    keeps_calls: bool,
}

impl Tron {
    /// Looks whether the node is of the main network.
    pub fn new(node: Node) -> Result<Tron> {
        let mut tron = Tron { node, keeps_calls: false };
        let first = tron.hash_at(0)?;
        if first != fixed(GENESIS) {
            return Err(tron.node.fault("it serves another chain than TRON's main network, or lacks its first block"));
        }
        Ok(tron)
    }
}

impl Branch for Tron {
    fn node(&self) -> &Node {
        &self.node
    }

    fn last(&mut self) -> Result<u64> {
        self.node.post("wallet/getnowblock", &json!({}), |text| {
            let header: Header = parse(text)?;
            header.block_header.map(|header| header.raw_data.number).ok_or_else(|| "is no block".into())
        })
    }

    fn hash_at(&mut self, height: u64) -> Result<Option<Hash>> {
        self.node.post("wallet/getblockbynum", &json!({"num": height}), |text| {
            let header: Header = parse(text)?;
            let Some(id) = header.id else { return Ok(None) };
            let hash: Hash = fixed(&id).ok_or("a hash cannot be read")?;
            // A block's id begins with its height.
            match hash.first_chunk::<8>().map(|first| u64::from_be_bytes(*first)) == Some(height) {
                true => Ok(Some(hash)),
                false => Err("another block than was asked for".to_owned()),
            }
        })
    }
}

impl Teller for Tron {
    fn try_block(&mut self, height: u64) -> Result<std::result::Result<RawBlock, String>> {
        let whole = |text: &str| Ok(text.to_owned());
        let block = self.node.post("wallet/getblockbynum", &json!({"num": height}), whole)?;
        // The first block's transactions have no infos: they made what there was in the beginning.
        let infos = match height {
            0 => "[]".to_owned(),
            _ => self.node.post("wallet/gettransactioninfobyblocknum", &json!({"num": height}), whole)?,
        };
        Ok(read_block(height, &block, &infos).map(|mut block| {
            self.keeps_calls |= block.with_traces;
            block.with_traces = self.keeps_calls;
            block
        }))
    }

    fn looked_at(&mut self, _: &RawBlock, _: &mut Joiner<'_>) -> Result<()> {
        Ok(())
    }
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "blockID")]
    id: Option<String>,
    block_header: Option<HeaderOf>,
}

#[derive(Deserialize)]
struct HeaderOf {
    raw_data: HeaderData,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct HeaderData {
    /// Absent from the first block: it is 0.
    number: u64,
    parent_hash: String,
    /// Milliseconds.
    timestamp: u64,
    #[serde(rename = "witness_address")]
    witness: Option<String>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "blockID")]
    id: String,
    block_header: HeaderOf,
    #[serde(default)]
    transactions: Vec<Tx>,
}

#[derive(Deserialize)]
struct Tx {
    #[serde(rename = "txID")]
    id: String,
    #[serde(default)]
    ret: Vec<Ret>,
    raw_data: TxData,
}

#[derive(Deserialize)]
struct Ret {
    #[serde(rename = "contractRet")]
    result: Option<String>,
    #[serde(default)]
    fee: u64,
}

#[derive(Deserialize)]
struct TxData {
    contract: Vec<Contract>,
}

#[derive(Deserialize)]
struct Contract {
    #[serde(rename = "type")]
    sort: String,
    parameter: Parameter,
}

#[derive(Deserialize)]
struct Parameter {
    value: Said,
}

/// What a contract says; which fields count depends on its type.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    owner_address: Option<String>,
    to_address: Option<String>,
    contract_address: Option<String>,
    amount: u64,
    asset_name: String,
    call_value: u64,
    call_token_value: u64,
    token_id: u64,
    frozen_balance: u64,
    total_supply: u64,
    data: String,
    new_contract: Option<NewContract>,
    /// Of permission updates an object; other contracts have other things in a field of this name.
    owner: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct OwnerPermission {
    threshold: u64,
    keys: Vec<OwnerKey>,
}

#[derive(Deserialize)]
struct OwnerKey {
    address: String,
    weight: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NewContract {
    call_value: u64,
}

#[derive(Deserialize)]
struct Info {
    id: String,
    #[serde(default)]
    fee: u64,
    contract_address: Option<String>,
    result: Option<String>,
    #[serde(default)]
    log: Vec<Log>,
    #[serde(default)]
    internal_transactions: Vec<Inner>,
    #[serde(default)]
    withdraw_amount: u64,
    #[serde(default)]
    unfreeze_amount: u64,
    #[serde(default)]
    withdraw_expire_amount: u64,
    #[serde(rename = "assetIssueID")]
    asset_issue_id: Option<String>,
    #[serde(rename = "blockNumber", default)]
    height: u64,
    /// Milliseconds.
    #[serde(rename = "blockTimeStamp", default)]
    time: u64,
}

#[derive(Deserialize)]
struct Log {
    address: String,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct Inner {
    caller_address: String,
    #[serde(rename = "transferTo_address")]
    to: Option<String>,
    #[serde(rename = "callValueInfo", default)]
    values: Vec<InnerValue>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    rejected: bool,
}

#[derive(Deserialize)]
struct InnerValue {
    #[serde(rename = "callValue", default)]
    value: u64,
    #[serde(rename = "tokenId")]
    token: Option<String>,
}

/// Reads a block and what became of its transactions. `with_traces` says whether any inner call is told.
///
/// # Errors
/// Whatever does not fit: another height, other or fewer infos than transactions, what cannot be read.
pub fn read_block(height: u64, block: &str, infos: &str) -> std::result::Result<RawBlock, String> {
    let block: Block = parse(block)?;
    let infos: Vec<Info> = parse(infos)?;
    let hash: Hash = fixed(&block.id).ok_or("a hash cannot be read")?;
    let data = block.block_header.raw_data;
    if data.number != height || hash.first_chunk::<8>() != Some(&height.to_be_bytes()) {
        return Err("another block than was asked for".into());
    }
    if height > 0 && infos.len() != block.transactions.len() {
        return Err(format!("{} infos for {} transactions", infos.len(), block.transactions.len()));
    }
    let infos: HashMap<Hash, Info> = infos.into_iter().filter_map(|info| Some((fixed(&info.id)?, info))).collect();
    let mut raw = RawBlock {
        height,
        hash: Some(hash),
        parent: Some(fixed(&data.parent_hash).ok_or("the parent's hash cannot be read")?),
        time: u32::try_from(data.timestamp / 1000).ok(),
        author: data.witness.as_deref().and_then(address),
        txs_said: u32::try_from(block.transactions.len()).ok(),
        with_logs: true,
        // What authors and voters earn comes when they withdraw it, in a transaction.
        with_rewards: true,
        ..RawBlock::default()
    };
    let mut log_index = 0;
    for (place, tx) in (0u32..).zip(&block.transactions) {
        let wrong = |why: &str| format!("transaction {place}: {why}");
        let id: Hash = fixed(&tx.id).ok_or_else(|| wrong("its hash cannot be read"))?;
        let info = infos.get(&id);
        if height > 0 && info.is_none() {
            return Err(wrong("its info is missing"));
        }
        let contract = tx.raw_data.contract.first().ok_or_else(|| wrong("it has no contract"))?;
        let (logs, calls) = info
            .map_or(Some((Vec::new(), Vec::new())), |info| told(info, &mut log_index))
            .ok_or_else(|| wrong("its info cannot be read"))?;
        raw.with_traces |= !calls.is_empty();
        let body = body(tx, contract, info).ok_or_else(|| wrong("its contract cannot be read"))?;
        let permissions = match contract.sort.as_str() {
            "AccountPermissionUpdateContract" => {
                let told = permission(&contract.parameter.value);
                vec![told.ok_or_else(|| wrong("its owner permission cannot be read"))?]
            }
            _ => Vec::new(),
        };
        raw.txs.push(RawTx { id, place: Some(place), body: Some(body), logs, calls, permissions });
    }
    Ok(raw)
}

/// What became of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TronInfo {
    /// The block's height.
    pub height: u64,
    /// Milliseconds since 1970.
    pub time: u64,
    /// Whether it succeeded.
    pub ok: bool,
    /// Its id, logs and inner calls, and, where the transaction itself was read too, what it says and cost.
    pub tx: RawTx,
}

/// Reads `wallet/gettransactioninfobyid`, and with it `wallet/gettransactionbyid` where that was asked; `None` when no block has it.
/// Logs are counted from 0, for the info does not say how many stand before them in the block.
///
/// # Errors
/// What cannot be read; parts of two transactions.
pub fn read_info(tx: Option<&str>, info: &str) -> std::result::Result<Option<TronInfo>, String> {
    if info.trim() == "{}" {
        return Ok(None);
    }
    let info: Info = parse(info)?;
    let id: Hash = fixed(&info.id).ok_or("its hash cannot be read")?;
    let (logs, calls) = told(&info, &mut 0).ok_or("its info cannot be read")?;
    let mut read = RawTx { id, logs, calls, ..RawTx::default() };
    let mut ok = info.result.as_deref() != Some("FAILED");
    if let Some(tx) = tx {
        let tx: Tx = parse(tx)?;
        if fixed(&tx.id) != Some(id) {
            return Err("the info is another transaction's".into());
        }
        let contract = tx.raw_data.contract.first().ok_or("it has no contract")?;
        let body = body(&tx, contract, Some(&info)).ok_or("its contract cannot be read")?;
        ok &= body.ok != Some(false);
        read.body = Some(body);
    }
    Ok(Some(TronInfo { height: info.height, time: info.time, ok, tx: read }))
}

/// Reads a transaction as a list tells it, without its info: what only that knows (what comes back from a stake) is marked.
///
/// # Errors
/// What cannot be read.
pub fn read_listed(tx: &str) -> std::result::Result<RawTx, String> {
    let tx: Tx = parse(tx)?;
    let id: Hash = fixed(&tx.id).ok_or("a transaction's hash cannot be read")?;
    let contract = tx.raw_data.contract.first().ok_or("a transaction has no contract")?;
    if contract.parameter.value.owner_address.as_deref().and_then(address).is_none() {
        return Err("a transaction's owner cannot be read".into());
    }
    let mut body = body(&tx, contract, None).ok_or("a transaction's contract cannot be read")?;
    body.fee = tx.ret.first().map(|ret| coins(ret.fee));
    body.unsaid |= ["Unfreeze", "WithdrawBalance", "WithdrawExpire", "CancelAll", "CreateSmart", "AssetIssue"]
        .iter()
        .any(|begin| contract.sort.starts_with(begin));
    Ok(RawTx { id, body: Some(body), ..RawTx::default() })
}

fn body(tx: &Tx, contract: &Contract, info: Option<&Info>) -> Option<TxBody> {
    let said = &contract.parameter.value;
    let failed = info.is_some_and(|info| info.result.as_deref() == Some("FAILED"));
    let ok = !failed && tx.ret.first().and_then(|ret| ret.result.as_deref()).is_none_or(|told| told == "SUCCESS");
    // The first block's payments come from nobody: the name that stands there is no address.
    let from = match said.owner_address.as_deref().and_then(address) {
        None if info.is_none() => ISSUER,
        owner => owner?,
    };
    let (moves, unsaid) = moves(&contract.sort, said, info, from)?;
    let to = said.contract_address.as_deref().or(said.to_address.as_deref());
    Some(TxBody {
        from,
        to: to.map_or(Some(None), |to| address(to).map(Some))?,
        ok: Some(ok),
        fee: Some(coins(info.map_or(0, |info| info.fee))),
        selector: bytes(said.data.get(..8).unwrap_or_default(), true).and_then(|first| first.try_into().ok()),
        moves: Some(moves),
        unsaid,
        ..TxBody::default()
    })
}

/// The owner permission that an update sets: its keys may do everything. Active permissions give parts of it and are left aside.
fn permission(said: &Said) -> Option<Permission> {
    let owner = OwnerPermission::deserialize(said.owner.as_ref()?).ok()?;
    let keys: Option<Vec<_>> = owner.keys.iter().map(|key| Some((address(&key.address)?, key.weight))).collect();
    Some(Permission::of(said.owner_address.as_deref().and_then(address)?, owner.threshold, &keys?))
}

/// What a contract moves by its type, and whether it moves more than is told (protocol.tron, `Contract`).
fn moves(sort: &str, said: &Said, info: Option<&Info>, owner: Address) -> Option<(Vec<Move>, bool)> {
    let one = |from: Option<Address>, to: Option<Address>, token: Vec<u8>, amount: u64, kind: Kind| {
        vec![Move { from, to, token, amount: coins(amount), kind }]
    };
    let whom = |text: &Option<String>| text.as_deref().and_then(address);
    let told = |amount: fn(&Info) -> u64| info.map_or(0, amount);
    let (owner, coin) = (Some(owner), Vec::new());
    Some(match sort {
        "TransferContract" => {
            let kind = if owner == Some(ISSUER) { Kind::Mint } else { Kind::Transfer };
            (one(owner, Some(whom(&said.to_address)?), coin, said.amount, kind), false)
        }
        "TransferAssetContract" => {
            let token = bytes(&said.asset_name, true)?;
            (one(owner, Some(whom(&said.to_address)?), token, said.amount, Kind::Transfer), said.asset_name.is_empty())
        }
        "TriggerSmartContract" => {
            let to = Some(whom(&said.contract_address)?);
            let mut moves = one(owner, to, coin, said.call_value, Kind::Transfer);
            moves.extend(one(owner, to, said.token_id.to_string().into_bytes(), said.call_token_value, Kind::Transfer));
            (moves, false)
        }
        "CreateSmartContract" => {
            let to = info.and_then(|info| whom(&info.contract_address));
            let value = said.new_contract.as_ref().map_or(0, |new| new.call_value);
            (one(owner, to, coin, value, Kind::Transfer), said.call_token_value > 0)
        }
        // What is staked stays its owner's, and is nobody's to spend until it comes back.
        "FreezeBalanceContract" | "FreezeBalanceV2Contract" => {
            (one(owner, None, coin, said.frozen_balance, Kind::Stake), false)
        }
        "UnfreezeBalanceContract" => (one(None, owner, coin, told(|info| info.unfreeze_amount), Kind::Stake), false),
        "UnfreezeBalanceV2Contract" | "WithdrawExpireUnfreezeContract" | "CancelAllUnfreezeV2Contract" => {
            (one(None, owner, coin, told(|info| info.withdraw_expire_amount), Kind::Stake), false)
        }
        "WithdrawBalanceContract" => {
            (one(Some(ISSUER), owner, coin, told(|info| info.withdraw_amount), Kind::Reward), false)
        }
        "AssetIssueContract" => {
            let token = info.and_then(|info| info.asset_issue_id.clone()).unwrap_or_default().into_bytes();
            let unsaid = token.is_empty();
            let moves = one(Some(ISSUER), owner, token, said.total_supply, Kind::Mint);
            (if unsaid { Vec::new() } else { moves }, unsaid)
        }
        "ParticipateAssetIssueContract" => {
            (one(owner, Some(whom(&said.to_address)?), coin, said.amount, Kind::Transfer), true)
        }
        other => {
            let more = ["Exchange", "Market", "Shielded", "UnfreezeAsset"];
            (Vec::new(), more.iter().any(|begin| other.starts_with(begin)))
        }
    })
}

/// Logs and inner calls of a transaction.
fn told(info: &Info, log_index: &mut u32) -> Option<(Vec<RawLog>, Vec<RawCall>)> {
    let mut logs = Vec::with_capacity(info.log.len());
    for log in &info.log {
        let topics: Option<Vec<Hash>> = log.topics.iter().map(|topic| fixed(topic)).collect();
        logs.push(RawLog {
            index: Some(*log_index),
            order: None,
            address: address(&log.address)?,
            topics: topics.filter(|topics| topics.len() <= 4)?,
            data: bytes(&log.data, true)?,
        });
        *log_index += 1;
    }
    let mut calls = Vec::new();
    for inner in &info.internal_transactions {
        let note = bytes(&inner.note, true)?;
        let sort = match note.as_slice() {
            b"call" => CallSort::Call,
            b"create" => CallSort::Create,
            b"suicide" => CallSort::Destruct,
            // Votes, stakes and delegations of contracts.
            _ => CallSort::Static,
        };
        let plain = InnerValue { value: 0, token: None };
        let values = if inner.values.is_empty() { std::slice::from_ref(&plain) } else { &inner.values };
        for value in values {
            calls.push(RawCall {
                order: calls.len() as u64,
                root: false,
                from: address(&inner.caller_address)?,
                to: inner.to.as_deref().map_or(Some(None), |to| address(to).map(Some))?,
                value: coins(value.value),
                token: value.token.clone().unwrap_or_default().into_bytes(),
                sort,
                ok: !inner.rejected,
                cut: false,
                input: Vec::new(),
            });
        }
    }
    Some((logs, calls))
}

fn coins(amount: u64) -> Amount {
    Amount::from(u128::from(amount))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> std::result::Result<T, String> {
    #[derive(Deserialize)]
    struct Wrong {
        #[serde(rename = "Error")]
        error: String,
    }
    // An error comes as an object with 200, like a block that is not there.
    if let Ok(said) = serde_json::from_str::<Wrong>(text) {
        return Err(said.error.chars().take(200).collect());
    }
    serde_json::from_str(text).map_err(|error| format!("cannot be read ({})", without_text(&error)))
}
