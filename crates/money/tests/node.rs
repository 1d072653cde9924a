//! A node that is asked by JSON-RPC: followed, unwound with, and believed in nothing. The stand-in answers EXERCISE blocks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::chain::{Chain, ChainCode, Error, Loaded, Options, Result, Room, Source, load};
use money::columns::*;
use money::evm::{Endpoint, Node};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod standin;
use standin::{Reply, serve};

const ANA: [u8; 20] = [0xa; 20];
const BEN: [u8; 20] = [0xb; 20];
const TOKEN: [u8; 20] = [0x70; 20];
const AUTHOR: [u8; 20] = [0x99; 20];

fn hexed(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A chain of blocks, each with a payment, a token's transfer and a failed payment; branches differ by their mark.
fn block(height: u64, branch: u8, before: u8) -> Value {
    let hash = |height: u64, branch: u8| hexed(&[&[branch; 24][..], &height.to_be_bytes()].concat());
    let own = hash(height, branch);
    let parent = height.checked_sub(1).map_or(hexed(&[0; 32]), |height| hash(height, before));
    let id = |n: u8| hexed(&[&[branch, n][..], &[0; 22], &height.to_be_bytes()].concat());
    let tx = |n: u8, value: u64| {
        json!({"hash": id(n), "blockHash": own, "transactionIndex": format!("{n:#x}"), "from": hexed(&ANA), "to": hexed(&BEN),
            "value": format!("{value:#x}"), "input": "0x", "gasPrice": "0x5"})
    };
    let pad = |address: &[u8; 20]| hexed(&[&[0; 12][..], address].concat());
    let transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
    let log = json!({"address": hexed(&TOKEN), "topics": [transfer, pad(&ANA), pad(&BEN)], "data": hexed(&[0xff; 32]),
        "logIndex": "0x0", "blockHash": own, "transactionHash": id(0)});
    let receipt = |n: u8, status: &str, logs: Value| json!({"transactionHash": id(n), "blockHash": own, "status": status, "gasUsed": "0x64", "effectiveGasPrice": "0x5", "logs": logs});
    json!({
        "block": {"number": format!("{height:#x}"), "hash": own, "parentHash": parent, "timestamp": format!("{:#x}", 1000 + height),
            "miner": hexed(&AUTHOR), "difficulty": "0x0", "baseFeePerGas": "0x2", "gasUsed": "0xc8",
            "transactions": [tx(0, 1000 + u64::from(branch)), tx(1, 7)], "withdrawals": []},
        "receipts": [receipt(0, "0x1", json!([log])), receipt(1, "0x0", json!([]))],
        "logs": [log],
    })
}

/// So many blocks of one branch, then of another.
fn blocks(trunk: u64, all: u64, branch: u8) -> Vec<Value> {
    let of = |height: u64| if height < trunk { 1 } else { branch };
    (0..all).map(|height| block(height, of(height), of(height.saturating_sub(1)))).collect()
}

fn honest(blocks: &[Value], method: &str, params: &Value) -> Reply {
    let by_hash = |hash: &Value| blocks.iter().find(|block| block["block"]["hash"] == *hash);
    let found = |part: Option<&Value>| Reply::Result(part.cloned().unwrap_or(Value::Null));
    match method {
        "eth_chainId" => Reply::Result(json!("0x7a69")),
        "eth_blockNumber" => Reply::Result(json!(format!("{:#x}", blocks.len() - 1))),
        "eth_getBlockByNumber" => {
            found(blocks.iter().find(|block| block["block"]["number"] == params[0]).map(|b| &b["block"]))
        }
        "eth_getBlockReceipts" => found(by_hash(&params[0]).map(|block| &block["receipts"])),
        "eth_getLogs" => found(by_hash(&params[0]["blockHash"]).map(|block| &block["logs"])),
        _ => Reply::Error(-32601, "Method not found"),
    }
}

fn node(blocks: Vec<Value>) -> Endpoint {
    Endpoint::at(&serve(Arc::new(Mutex::new(move |method: &str, params: &Value| honest(&blocks, method, params)))))
}

/// A node that is honest but for what `other` answers.
fn node_but(blocks: Vec<Value>, mut other: impl FnMut(&str, &Value) -> Option<Reply> + Send + 'static) -> Endpoint {
    let answering = move |method: &str, params: &Value| match other(method, params) {
        Some(reply) => reply,
        None => honest(&blocks, method, params),
    };
    Endpoint::at(&serve(Arc::new(Mutex::new(answering))))
}

fn chain() -> ChainCode {
    ChainCode::parse("evm-31337").unwrap()
}

fn follow(dir: &Path, endpoint: Endpoint, keep: u64) -> Result<Loaded> {
    let source = Source::Node(Box::new(endpoint));
    load(&Room::open(dir), &chain(), &source, &Options { keep }, &mut |_| ControlFlow::Continue(()))
}

fn open(dir: &Path) -> Accounts {
    match Room::open(dir).chain(&chain(), Mode::Read).unwrap() {
        Chain::Accounts(accounts) => accounts,
        Chain::Utxo(..) => panic!("not a chain of accounts"),
    }
}

/// Every transfer with its parties' names, and every transaction's id.
fn told(chain: &Accounts) -> Vec<String> {
    let transfers = (0..chain.transfers()).map(|number| {
        let transfer = chain.transfer(number).unwrap();
        let name = |id: u32| hex::encode(chain.account(id).unwrap_or_default());
        let tx = hex::encode(chain.id(chain.tx_of(number).unwrap()).unwrap());
        format!("{tx} {} {} {} {}", name(transfer.from), name(transfer.to), transfer.amount, transfer.kind.name())
    });
    transfers.collect()
}

#[test]
fn a_node_is_followed_from_where_the_record_ends_and_a_failed_transaction_moves_its_fee_alone() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = follow(dir.path(), node(blocks(9, 4, 1)), 0).unwrap();
    assert_eq!((loaded.blocks, loaded.txs, loaded.txs_said), (4, 8, 8));
    let again = follow(dir.path(), node(blocks(9, 6, 1)), 0).unwrap();
    assert_eq!((again.blocks, again.unwound), (2, 0));
    let chain = open(dir.path());
    assert_eq!((chain.head().unwrap().height, chain.txs()), (5, 12));
    // Base fee to nobody, tip to the author, the value, the token; then the failed one's two fees.
    let first: Vec<_> = (0..6).map(|n| chain.transfer(n).unwrap()).map(|t| (t.kind, t.amount.to_string())).collect();
    let all = Amount([0xff; 32]).to_string();
    let expected = [
        (Kind::Fee, "200"),
        (Kind::Fee, "300"),
        (Kind::Transfer, "1001"),
        (Kind::Transfer, &all),
        (Kind::Fee, "200"),
        (Kind::Fee, "300"),
    ];
    assert_eq!(first, expected.map(|(kind, amount)| (kind, amount.to_owned())));
    let id = |name: &[u8]| chain.find_account(name).unwrap();
    assert_eq!((chain.transfer(0).unwrap().to, chain.transfer(1).unwrap().to), (id(&ISSUER), id(&AUTHOR)));
    assert_eq!((chain.tx_flags(0), chain.tx_flags(1)), (TxFlags::default(), TxFlags::FAILED));
    assert!(chain.block_said(0).0.has(BlockFlags::NO_TRACES), "this node offers no traces, and the record says so");
    assert_eq!(chain.holdings(id(&AUTHOR), u64::MAX)[&chain.find_asset(b"COIN").unwrap()].balance(), Some(12 * 300));
    chain.store().verify().unwrap();
}

#[test]
fn a_reorganisation_is_unwound_exactly() {
    let (dir, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    follow(dir.path(), node(blocks(9, 6, 1)), 0).unwrap();
    let loaded = follow(dir.path(), node(blocks(4, 7, 2)), 2).unwrap();
    assert_eq!((loaded.unwound, loaded.blocks), (2, 3));
    follow(fresh.path(), node(blocks(4, 7, 2)), 0).unwrap();
    let (one, other) = (open(dir.path()), open(fresh.path()));
    assert_eq!(one.head(), other.head());
    assert_eq!(told(&one), told(&other));
    one.store().verify().unwrap();
}

#[test]
fn a_chain_that_reorganises_while_it_is_read_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (blocks(9, 6, 1), blocks(3, 6, 2));
    let mut asked = 0;
    let answering = move |method: &str, params: &Value| {
        asked += u32::from(method == "eth_getLogs");
        honest(if asked < 5 { &before } else { &after }, method, params)
    };
    let loaded = follow(dir.path(), Endpoint::at(&serve(Arc::new(Mutex::new(answering)))), 10).unwrap();
    assert!(loaded.unwound > 0);
    let fresh = tempfile::tempdir().unwrap();
    follow(fresh.path(), node(blocks(3, 6, 2)), 0).unwrap();
    assert_eq!(told(&open(dir.path())), told(&open(fresh.path())));
}

#[test]
fn a_deeper_fork_stops_names_both_hashes_and_says_how_to_go_back() {
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path(), node(blocks(9, 6, 1)), 0).unwrap();
    let head = open(dir.path()).head();
    let error = follow(dir.path(), node(blocks(2, 6, 2)), 3).unwrap_err();
    assert!(matches!(error, Error::Fork { common: 1, depth: 4, keep: 3, .. }), "{error}");
    let text = error.to_string();
    for part in ["0101010101", "0202020202", "eye money unwind --chain evm-31337 --to 1"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(open(dir.path()).head(), head, "nothing was taken back");
}

#[test]
fn a_node_of_another_chain_or_one_that_is_behind_takes_nothing_away() {
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path(), node(blocks(9, 6, 1)), 0).unwrap();
    let head = open(dir.path()).head();
    let refused = |endpoint: Endpoint| follow(dir.path(), endpoint, 100).unwrap_err().to_string();
    let other_id = |method: &str, _: &Value| (method == "eth_chainId").then(|| Reply::Result(json!("0x1")));
    assert!(refused(node_but(blocks(9, 6, 1), other_id)).contains("it serves chain 1, and this one has the id 31337"));
    assert!(refused(node(blocks(0, 6, 2))).contains("serves another chain: at height 0"));
    assert!(refused(node(blocks(9, 3, 1))).contains("it is behind: it has no block 3"));
    assert_eq!(open(dir.path()).head(), head);
}

#[test]
fn half_a_block_is_an_error_and_what_came_before_is_kept() {
    type Spoil = fn(&mut Value);
    let cases: [(&str, &'static str, Spoil); 3] = [
        ("eth_getBlockReceipts", "1 receipts for 2 transactions", |receipts| {
            drop(receipts.as_array_mut().unwrap().pop())
        }),
        ("eth_getLogs", "eth_getLogs has 0", |logs| logs.as_array_mut().unwrap().clear()),
        ("eth_getBlockReceipts", "half a block", |receipts| receipts[0]["gasUsed"] = json!("0x1")),
    ];
    for (method, expected, spoil) in cases {
        let dir = tempfile::tempdir().unwrap();
        let all = blocks(9, 6, 1);
        let (hash, known) = (all[3]["block"]["hash"].clone(), all.clone());
        let lying = move |asked: &str, params: &Value| {
            let here = params[0] == hash || params[0]["blockHash"] == hash;
            let Reply::Result(mut part) = honest(&known, asked, params) else { return None };
            (asked == method && here).then(|| {
                spoil(&mut part);
                Reply::Result(part)
            })
        };
        let text = follow(dir.path(), node_but(all, lying), 0).unwrap_err().to_string();
        assert!(text.contains("block 3") && text.contains(expected), "{text}");
        assert_eq!(open(dir.path()).head().unwrap().height, 2);
        follow(dir.path(), node(blocks(9, 6, 1)), 0).unwrap();
        assert_eq!(open(dir.path()).head().unwrap().height, 5);
    }
}

#[test]
fn a_node_that_limits_is_asked_again_and_given_up_when_it_never_stops() {
    let dir = tempfile::tempdir().unwrap();
    let mut left = 3;
    let busy = move |_: &str, _: &Value| {
        left -= 1;
        match left {
            2 => Some(Reply::Status("429 Too Many Requests")),
            1 => Some(Reply::Status("503 Service Unavailable")),
            _ => None,
        }
    };
    assert_eq!(follow(dir.path(), node_but(blocks(9, 2, 1), busy), 0).unwrap().blocks, 2);
    let limits = |_: &str, _: &Value| Some(Reply::Status("429 Too Many Requests"));
    let text = follow(dir.path(), node_but(Vec::new(), limits), 0).unwrap_err().to_string();
    assert!(text.contains("limits how often") && text.contains("127.0.0.1"), "{text}");
}

#[test]
fn a_node_that_is_silent_or_breaks_off_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let silent = node_but(Vec::new(), |_, _| Some(Reply::Silence));
    let impatient = Endpoint { patience: Duration::from_millis(100), ..silent };
    let text = follow(dir.path(), impatient, 0).unwrap_err().to_string();
    assert!(text.contains("no answer in time"), "{text}");
    let text = follow(dir.path(), node_but(Vec::new(), |_, _| Some(Reply::Cut)), 0).unwrap_err().to_string();
    assert!(text.contains("the node at 127.0.0.1"), "{text}");
    let nonsense = |_: &str, _: &Value| Some(Reply::Result(json!("twelve")));
    let text = follow(dir.path(), node_but(Vec::new(), nonsense), 0).unwrap_err().to_string();
    assert!(text.contains("the chain's id cannot be read"), "{text}");
}

#[test]
fn an_address_with_a_secret_is_never_repeated() {
    let error = |url: &str| Node::new(&Endpoint::at(url)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error("http://user:secret@node.example/").contains("password"));
    let endpoint =
        Endpoint { headers: vec![("X-Key".into(), "secret".into())], ..Endpoint::at("http://node.example/") };
    assert!(Node::new(&endpoint).err().unwrap().to_string().contains("https only"));
    let unknown = Endpoint::at("http://127.0.0.1:1/v3/secret");
    let text = follow(tempfile::tempdir().unwrap().path(), unknown.clone(), 0).unwrap_err().to_string();
    assert!(text.contains("127.0.0.1:1") && !text.contains("secret"), "{text}");
    assert!(!format!("{unknown:?}").contains("secret"));
}

#[test]
fn an_answer_without_end_fills_no_memory() {
    let answered = json!("f".repeat(100_000));
    let endless = node_but(Vec::new(), move |_, _| Some(Reply::Result(answered.clone())));
    let bounded = Endpoint { max_answer: 50_000, ..endless };
    let text = follow(tempfile::tempdir().unwrap().path(), bounded, 0).unwrap_err().to_string();
    assert!(text.contains("more than 50000 bytes"), "{text}");
}

#[test]
fn a_server_with_a_limit_is_asked_no_more_often() {
    let dir = tempfile::tempdir().unwrap();
    let polite = Endpoint { calls_a_second: Some(100), ..node(blocks(9, 2, 1)) };
    let began = std::time::Instant::now();
    let calls = follow(dir.path(), polite, 0).unwrap().calls;
    assert!(calls >= 8 && began.elapsed() >= Duration::from_millis(10) * u32::try_from(calls - 1).unwrap());
}

#[test]
fn a_stop_ends_at_a_whole_block_and_the_next_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::Node(Box::new(Endpoint { from: Some(2), to: Some(5), ..node(blocks(9, 9, 1)) }));
    let stopped = load(&Room::open(dir.path()), &chain(), &source, &Options::default(), &mut |progress| {
        assert_eq!(progress.blocks_total, Some(4));
        if progress.blocks == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(stopped.is_ok_and(|loaded| loaded.stopped && loaded.blocks == 2));
    assert_eq!(follow(dir.path(), Endpoint { to: Some(5), ..node(blocks(9, 9, 1)) }, 0).unwrap().blocks, 2);
    let heights: Vec<u64> = (0..4).map(|n| open(dir.path()).store().record(n).unwrap().unwrap().height).collect();
    assert_eq!(heights, [2, 3, 4, 5]);
}
