//! A TRON node that is asked by its HTTP API. The stand-in answers made shapes (EXERCISE) as java-tron's `wallet/…` writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::chain::{Chain, ChainCode, Loaded, Options, Result, Room, Source, load};
use money::columns::*;
use money::evm::Endpoint;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

mod standin;
use standin::{Reply, serve};

const GENESIS: &str = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc";
const USDT: &str = "a614f803b6fd780986a42c78ec9c7f77e6ded13c";

fn id(height: u64) -> String {
    if height == 0 { GENESIS.into() } else { format!("{height:016x}{}", "ab".repeat(24)) }
}

fn a(n: u8) -> String {
    format!("41{}", hex::encode([n; 20]))
}

fn contract(n: u8, sort: &str, value: Value) -> Value {
    json!({"txID": hex::encode([n; 32]), "ret": [{"contractRet": "SUCCESS"}],
        "raw_data": {"contract": [{"type": sort, "parameter": {"value": value, "type_url": "EXERCISE"}}]}})
}

fn info(n: u8, more: Value) -> Value {
    let mut info = json!({"id": hex::encode([n; 32]), "fee": 100});
    info.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    info
}

fn block(height: u64, transactions: Vec<Value>) -> Value {
    let mut data = json!({"timestamp": 1_700_000_000_000u64 + height, "parentHash": id(height.saturating_sub(1)), "witness_address": a(9)});
    if height > 0 {
        data["number"] = json!(height);
    }
    let mut block = json!({"blockID": id(height), "block_header": {"raw_data": data}});
    if !transactions.is_empty() {
        block["transactions"] = json!(transactions);
    }
    block
}

/// Blocks and their infos: the first distribution, one with every sort of contract, an empty one.
fn chain() -> Vec<(Value, Value)> {
    let owner = |more: Value| {
        let mut value = json!({"owner_address": a(1)});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let genesis =
        json!({"owner_address": hex::encode("0x000000000000000000000"), "to_address": a(1), "amount": 99_000_000u64});
    let pad = |n: u8| format!("{}{}", "00".repeat(12), hex::encode([n; 20]));
    let topic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
    let log = json!({"address": USDT, "topics": [topic, pad(1), pad(2)], "data": format!("{:064x}", 5_000_000)});
    let inner = |value: u64, rejected: bool| {
        json!({"caller_address": a(3), "transferTo_address": a(4), "callValueInfo": [{"callValue": value}], "note": hex::encode("call"),
            "rejected": rejected})
    };
    let trc10 = json!({"caller_address": a(3), "transferTo_address": a(4), "callValueInfo": [{"callValue": 7, "tokenId": "1002000"}],
        "note": hex::encode("call")});
    let call = owner(json!({"contract_address": format!("41{USDT}"), "data": "a9059cbb", "call_value": 12}));
    let mut failed = contract(8, "TransferContract", owner(json!({"to_address": a(2), "amount": 77})));
    failed["ret"][0]["contractRet"] = json!("REVERT");
    let transactions = vec![
        contract(1, "TransferContract", owner(json!({"to_address": a(2), "amount": 50}))),
        contract(
            2,
            "TransferAssetContract",
            owner(json!({"to_address": a(2), "amount": 60, "asset_name": hex::encode("1002000")})),
        ),
        contract(3, "TriggerSmartContract", call),
        contract(4, "FreezeBalanceV2Contract", owner(json!({"frozen_balance": 70}))),
        contract(5, "VoteWitnessContract", owner(json!({"votes": [{"vote_count": 1000, "vote_address": a(9)}]}))),
        contract(6, "WithdrawBalanceContract", owner(json!({}))),
        contract(7, "WithdrawExpireUnfreezeContract", owner(json!({}))),
        failed,
        contract(9, "ExchangeTransactionContract", owner(json!({"quant": 5}))),
    ];
    let infos = vec![
        info(2, json!({})),
        info(1, json!({})),
        info(3, json!({"log": [log], "internal_transactions": [inner(30, false), inner(31, true), trc10]})),
        info(4, json!({})),
        info(5, json!({})),
        info(6, json!({"withdraw_amount": 80})),
        info(7, json!({"withdraw_expire_amount": 90})),
        info(8, json!({"result": "FAILED"})),
        info(9, json!({})),
    ];
    vec![
        (block(0, vec![contract(0, "TransferContract", genesis)]), json!([])),
        (block(1, transactions), json!(infos)),
        (block(2, Vec::new()), json!([])),
    ]
}

fn node(blocks: Vec<(Value, Value)>) -> Endpoint {
    let answering = move |path: &str, body: &Value| {
        let at = || blocks.get(usize::try_from(body["num"].as_u64().unwrap()).unwrap());
        Reply::Result(match path {
            "wallet/getnowblock" => blocks.last().unwrap().0.clone(),
            "wallet/getblockbynum" => at().map_or(json!({}), |(block, _)| block.clone()),
            "wallet/gettransactioninfobyblocknum" => at().map_or(json!([]), |(_, infos)| infos.clone()),
            other => panic!("{other}"),
        })
    };
    Endpoint::at(&serve(Arc::new(Mutex::new(answering))))
}

fn trx() -> ChainCode {
    ChainCode::parse("trx").unwrap()
}

fn follow(dir: &Path, blocks: Vec<(Value, Value)>) -> Result<Loaded> {
    let source = Source::Node(Box::new(node(blocks)));
    load(&Room::open(dir), &trx(), &source, &Options::default(), &mut |_| ControlFlow::Continue(()))
}

#[test]
fn each_contract_moves_what_its_type_says() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = follow(dir.path(), chain()).unwrap();
    assert_eq!((loaded.blocks, loaded.txs, loaded.txs_said), (3, 10, 10));
    let Chain::Accounts(chain) = Room::open(dir.path()).chain(&trx(), Mode::Read).unwrap() else {
        panic!("no accounts")
    };
    let told: Vec<_> = (0..chain.transfers())
        .map(|number| chain.transfer(number).unwrap())
        .filter(|transfer| transfer.kind != Kind::Fee)
        .map(|t| {
            let first = |id: u32| chain.account(id).map_or(0xff, |name| name[0]);
            let asset = String::from_utf8_lossy(chain.asset(t.asset).unwrap()).chars().take(7).collect::<String>();
            let asset = if asset.is_ascii() { asset } else { "token".into() };
            (t.kind, first(t.from), first(t.to), asset, t.amount.to_u64().unwrap())
        })
        .collect();
    let coin = |kind, from, to, amount| (kind, from, to, "TRX".to_owned(), amount);
    let expected = [
        coin(Kind::Mint, 0, 1, 99_000_000),
        coin(Kind::Transfer, 1, 2, 50),
        (Kind::Transfer, 1, 2, "1002000".into(), 60),
        coin(Kind::Transfer, 1, 0xa6, 12),
        coin(Kind::Transfer, 3, 4, 30),
        (Kind::Transfer, 3, 4, "1002000".into(), 7),
        (Kind::Transfer, 1, 2, "token".into(), 5_000_000),
        coin(Kind::Stake, 1, 0xff, 70),
        coin(Kind::Reward, 0, 1, 80),
        coin(Kind::Stake, 0xff, 1, 90),
    ];
    assert_eq!(told, expected, "votes, a failed payment and a rejected call move nothing");
    let fees = (0..chain.transfers()).filter(|number| chain.transfer(*number).unwrap().kind == Kind::Fee).count();
    assert_eq!(fees, 9, "each of them was paid for, the failed one too");
    let flags = |n: u8| chain.tx_flags(chain.find_tx(&[n; 32]).unwrap());
    assert_eq!((flags(8), flags(9), flags(1)), (TxFlags::FAILED, TxFlags::UNSAID, TxFlags::default()));
    assert_eq!(chain.signer(chain.find_tx(&[1; 32]).unwrap()), chain.find_account(&[1; 20]).unwrap());
    let lacks = |place| chain.block_said(place).0.has(BlockFlags::NO_TRACES);
    assert_eq!(
        [0, 1, 2].map(lacks),
        [true, false, false],
        "a node shows that it keeps inner calls by the first that it tells"
    );
    chain.store().verify().unwrap();
}

#[test]
fn half_a_block_another_network_and_an_error_are_refused() {
    type Change<'a> = &'a dyn Fn(&mut Vec<(Value, Value)>);
    let refused = |change: Change<'_>| {
        let dir = tempfile::tempdir().unwrap();
        let mut blocks = chain();
        change(&mut blocks);
        follow(dir.path(), blocks).unwrap_err().to_string()
    };
    let cases: [(&str, Change<'_>); 5] = [
        ("8 infos for 9 transactions", &|blocks| drop(blocks[1].1.as_array_mut().unwrap().pop())),
        ("transaction 8: its info is missing", &|blocks| blocks[1].1[8]["id"] = json!(hex::encode([77; 32]))),
        ("another block than was asked for", &|blocks| blocks[1].0["blockID"] = json!(id(7))),
        ("another chain than TRON's", &|blocks| {
            blocks[0].0["blockID"] = json!(format!("{:016x}{}", 0, "cd".repeat(24)))
        }),
        ("EXERCISE error", &|blocks| blocks[1].0 = json!({"Error": "EXERCISE error"})),
    ];
    for (expected, change) in cases {
        let text = refused(change);
        assert!(text.contains(expected) && text.contains("the node at 127.0.0.1"), "{text}");
    }
}

#[test]
fn accounts_are_written_as_tron_writes_them_and_their_balances_stay_unproven() {
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path(), chain()).unwrap();
    let room = Room::open(dir.path());
    let ben = money::evm::Profile::of(&trx()).unwrap().text(&[2; 20]);
    assert!(ben.starts_with('T') && ben.len() == 34, "{ben}");
    let lines = money::cli::balances(&room, &trx(), (&ben, None), None).unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.asset.as_str(), line.received.as_str(), line.closed)).collect();
    assert_eq!(
        told,
        [("TRX", "50", false), ("1002000", "60", false), ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "5000000", false)]
    );
    assert_eq!(money::cli::balances(&room, &trx(), (&ben, Some("1002000")), None).unwrap().len(), 1);
    let asked = money::cli::balances(&room, &trx(), (&ben, Some("TRX")), Some(&node(chain()))).unwrap_err().to_string();
    assert!(asked.contains("unproven"), "{asked}");
    let wrong = money::cli::balances(&room, &trx(), (&ben.replace('T', "t"), None), None).unwrap_err().to_string();
    assert!(!wrong.contains(&ben[1..]), "{wrong}");
}
