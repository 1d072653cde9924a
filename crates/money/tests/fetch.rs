//! Without a chain of one's own: an endpoint like Esplora is asked about single transactions and addresses, and believed in nothing that
//! can be verified. The stand-in answers made shapes (Blockstream's `esplora/API.md`) over EXERCISE blocks of the regression test network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod core_files;
mod standin;

use bitcoin::consensus::{deserialize, serialize};
use bitcoin::{Block, OutPoint, Transaction};
use core_files::{Maker, spend};
use money::chain::{Chain, ChainCode, Result, Room};
use money::fetch::{FetchLine, Job, Why, fetch};
use money::node::Endpoint;
use serde_json::{Value, json};
use standin::{Reply, serve};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: u64 = 1_800_000_000;

/// The first block, and blocks of which the fourth pays and the fifth spends what that paid.
fn story() -> (Maker, Vec<Block>, [Transaction; 2]) {
    let mut maker = Maker::after_the_first();
    let mut made = maker.empty_chain(3);
    let coin = made[0].coinbase_output();
    let mut first = spend(&coin, b"\x30\x44EXERCISE", 4_000_000_000);
    // To somebody else than who pays.
    first.output[0].script_pubkey = [&[0, 20][..], &[3; 20]].concat().into();
    made.push(maker.block(vec![first.clone()], vec![vec![coin.1]]));
    let coin = (OutPoint::new(first.compute_txid(), 0), first.output[0].clone());
    let second = spend(&coin, b"\x30\x45EXERCISE", 3_999_999_999);
    made.push(maker.block(vec![second.clone()], vec![vec![coin.1]]));
    let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
    let blocks = std::iter::once(genesis).chain(made.into_iter().map(|made| made.block)).collect();
    (maker, blocks, [first, second])
}

/// Where a transaction stands: the block's height, its own place, itself.
fn find(blocks: &[Block], id: &str) -> Option<(usize, usize, Transaction)> {
    let all = blocks.iter().enumerate().flat_map(|(height, block)| {
        block.txdata.iter().enumerate().map(move |(place, tx)| (height, place, tx.clone()))
    });
    all.into_iter().find(|(.., tx)| tx.compute_txid().to_string() == id)
}

fn status(blocks: &[Block], height: usize) -> Value {
    let block = &blocks[height];
    json!({"confirmed": true, "block_height": height, "block_hash": block.block_hash().to_string(),
        "block_time": block.header.time})
}

fn told(blocks: &[Block], (height, tx): (usize, &Transaction)) -> Value {
    let out = |out: &bitcoin::TxOut| json!({"scriptpubkey": hex::encode(out.script_pubkey.as_bytes()), "value": out.value.to_sat()});
    let vin = tx.input.iter().map(|input| {
        let before = find(blocks, &input.previous_output.txid.to_string());
        json!({"txid": input.previous_output.txid.to_string(), "vout": input.previous_output.vout,
            "prevout": before.map(|(.., tx)| out(&tx.output[input.previous_output.vout as usize])),
            "scriptsig": hex::encode(input.script_sig.as_bytes()), "sequence": input.sequence.0,
            "witness": input.witness.iter().map(hex::encode).collect::<Vec<_>>(), "is_coinbase": tx.is_coinbase()})
    });
    json!({"txid": tx.compute_txid().to_string(), "version": tx.version.0, "locktime": tx.lock_time.to_consensus_u32(),
        "vin": vin.collect::<Vec<_>>(), "vout": tx.output.iter().map(out).collect::<Vec<_>>(),
        "status": status(blocks, height)})
}

fn outspends(blocks: &[Block], tx: &Transaction) -> Value {
    let id = tx.compute_txid();
    let spent = (0..tx.output.len()).map(|vout| {
        let spender = blocks.iter().enumerate().find_map(|(height, block)| {
            let mut inputs = block.txdata.iter().flat_map(|by| by.input.iter().enumerate().map(move |at| (by, at)));
            inputs
                .find(|(_, (_, input))| input.previous_output == OutPoint::new(id, vout as u32))
                .map(|(by, (place, _))| (height, by.compute_txid(), place))
        });
        match spender {
            Some((height, by, place)) => {
                json!({"spent": true, "txid": by.to_string(), "vin": place, "status": status(blocks, height)})
            }
            None => json!({"spent": false}),
        }
    });
    spent.collect()
}

fn honest(blocks: &[Block], path: &str) -> Reply {
    let text = |text: String| Reply::Bytes(text.into_bytes());
    let parts: Vec<&str> = path.split('/').collect();
    let tx = |id: &str| find(blocks, id);
    let block = |hash: &str| blocks.iter().find(|block| block.block_hash().to_string() == hash);
    let absent = || Reply::Status("404 Not Found");
    match parts.as_slice() {
        ["blocks", "tip", "height"] => text((blocks.len() - 1).to_string()),
        ["blocks", from] => {
            let from: usize = from.parse().unwrap();
            let one = |height: usize| json!({"id": blocks[height].block_hash().to_string(), "height": height});
            Reply::Result((from.saturating_sub(9)..=from).rev().filter(|at| *at < blocks.len()).map(one).collect())
        }
        ["block-height", height] => match blocks.get(height.parse::<usize>().unwrap()) {
            Some(block) => text(block.block_hash().to_string()),
            None => absent(),
        },
        ["block", hash, "header"] => block(hash).map_or_else(absent, |b| text(hex::encode(serialize(&b.header)))),
        ["tx", id] => tx(id).map_or_else(absent, |(height, _, tx)| Reply::Result(told(blocks, (height, &tx)))),
        ["tx", id, "outspends"] => tx(id).map_or_else(absent, |(.., tx)| Reply::Result(outspends(blocks, &tx))),
        ["tx", id, "merkle-proof"] => tx(id).map_or_else(absent, |(height, place, _)| {
            // The made blocks have two transactions: the branch is the other one.
            let other = blocks[height].txdata[1 - place].compute_txid().to_string();
            Reply::Result(json!({"block_height": height, "merkle": [other], "pos": place}))
        }),
        _ => absent(),
    }
}

type Other = Box<dyn FnMut(&str) -> Option<Reply> + Send>;

fn endpoint(blocks: Vec<Block>, mut other: Other) -> Endpoint {
    let answering = move |path: &str, _: &Value| other(path).unwrap_or_else(|| honest(&blocks, path));
    Endpoint { patience: Duration::from_millis(400), ..Endpoint::at(&serve(Arc::new(Mutex::new(answering)))) }
}

fn job<'a>(endpoint: Endpoint, tx: &Transaction, service: &'a dyn Fn(&str) -> Option<String>) -> Job<'a> {
    Job {
        endpoint,
        txs: vec![tx.compute_txid().to_string()],
        addresses: Vec::new(),
        hops: 20,
        until: None,
        hub: 1_000,
        prove: false,
        anew: false,
        now: NOW,
        service,
    }
}

fn nobody(_: &str) -> Option<String> {
    None
}

fn run(dir: &Path, job: &Job<'_>) -> Result<FetchLine> {
    fetch(&Room::open(dir), &ChainCode::parse("btc-regtest").unwrap(), job, &mut |_| ControlFlow::Continue(()))
}

/// Height and transactions of what is on record.
fn on_record(dir: &Path) -> (Option<u64>, u64) {
    match Room::open(dir).fetched_chain(&ChainCode::parse("btc-regtest").unwrap()).unwrap() {
        Some(Chain::Utxo(chain, _)) => (chain.head().map(|head| head.height), chain.txs()),
        _ => (None, 0),
    }
}

#[test]
fn a_payment_is_followed_to_the_frontier_and_nothing_is_asked_or_kept_twice() {
    let (_, blocks, [first, second]) = story();
    let dir = tempfile::tempdir().unwrap();
    let wanted = job(endpoint(blocks, Box::new(|_| None)), &first, &nobody);
    let line = run(dir.path(), &wanted).unwrap();
    let end = &line.found.ends[0];
    assert_eq!((line.found.ends.len(), end.why, end.hop, line.whole), (1, Why::Unspent, 1, true));
    assert_eq!((&end.tx, end.amount.as_str()), (&second.compute_txid().to_string(), "3999999999"));
    // Where the chain ends, whether it is the right one, two calls a transaction.
    assert_eq!((line.calls, line.transactions, on_record(dir.path())), (6, 2, (Some(5), 2)));
    let again = run(dir.path(), &wanted).unwrap();
    // Where the chain ends, its first block and the highest that was fetched are looked at each time.
    assert_eq!((again.calls, again.found.ends == line.found.ends), (3, true));
    assert_eq!(on_record(dir.path()), (Some(5), 2));
    assert!(Room::open(dir.path()).chains().unwrap().is_empty(), "it is no chain that anything else reads");
}

#[test]
fn services_hops_and_the_budget_end_the_walk_and_are_named_and_it_goes_on_where_it_ended() {
    let (_, blocks, [first, second]) = story();
    let wanted = |calls: u64, service| {
        let endpoint = Endpoint { budget: Some(calls), ..endpoint(blocks.clone(), Box::new(|_| None)) };
        job(endpoint, &first, service)
    };
    let somebody = |_: &str| Some("EXERCISE exchange".to_owned());
    let dir = tempfile::tempdir().unwrap();
    let line = run(dir.path(), &wanted(150, &somebody)).unwrap();
    assert_eq!((line.found.ends[0].why, line.found.ends[0].hop, line.calls), (Why::Service, 0, 3));
    let line = run(dir.path(), &Job { hops: 0, ..wanted(150, &nobody) }).unwrap();
    assert_eq!(line.found.ends[0].why, Why::Hops);
    assert_eq!(line.found.ends[0].moved_by, Some(second.compute_txid().to_string()));
    let dir = tempfile::tempdir().unwrap();
    let line = run(dir.path(), &wanted(4, &nobody)).unwrap();
    assert_eq!((line.found.ends[0].why, line.whole, line.calls), (Why::Budget, false, 4));
    let line = run(dir.path(), &wanted(5, &nobody)).unwrap();
    assert_eq!((line.found.ends[0].why, line.whole), (Why::Unspent, true));
}

/// A payment in one large and nine small parts: the small ones move first, and the large one goes on for five transactions.
fn parts() -> (Vec<Block>, Transaction) {
    let mut maker = Maker::after_the_first();
    let mut made = maker.empty_chain(3);
    let coin = made[0].coinbase_output();
    let mut first = spend(&coin, b"\x30\x44EXERCISE", 0);
    let to = |n: u8, sat| bitcoin::TxOut {
        script_pubkey: [&[0, 20][..], &[n; 20]].concat().into(),
        value: bitcoin::Amount::from_sat(sat),
    };
    first.output = std::iter::once(to(100, 730_000_000)).chain((1..10).map(|n| to(n, 30_000_000))).collect();
    made.push(maker.block(vec![first.clone()], vec![vec![coin.1]]));
    let output =
        |tx: &Transaction, vout: u32| (OutPoint::new(tx.compute_txid(), vout), tx.output[vout as usize].clone());
    let onward = |coin: &(OutPoint, bitcoin::TxOut), n: u8, sat| {
        let mut tx = spend(coin, b"\x30\x45EXERCISE", sat);
        tx.output = vec![to(n, sat)];
        tx
    };
    let small: Vec<_> = (1..10).map(|n| onward(&output(&first, n), 20 + n as u8, 29_000_000)).collect();
    made.push(maker.block(small, (1..10).map(|n| vec![output(&first, n).1]).collect()));
    let mut coin = output(&first, 0);
    for n in 0..5 {
        let tx = onward(&coin, 101 + n, 720_000_000);
        made.push(maker.block(vec![tx.clone()], vec![vec![coin.1]]));
        coin = output(&tx, 0);
    }
    let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
    (std::iter::once(genesis).chain(made.into_iter().map(|made| made.block)).collect(), first)
}

#[test]
fn the_largest_branch_is_followed_first_and_what_the_budget_did_not_reach_is_named() {
    let (blocks, first) = parts();
    let wanted = |calls: u64| {
        let endpoint = Endpoint { budget: Some(calls), ..endpoint(blocks.clone(), Box::new(|_| None)) };
        job(endpoint, &first, &nobody)
    };
    let dir = tempfile::tempdir().unwrap();
    // Two calls say which chain it is; six transactions with what spends them are twelve.
    let line = run(dir.path(), &wanted(14)).unwrap();
    let large = line.found.ends.iter().find(|end| end.hop == 5).unwrap();
    assert_eq!((large.why, large.amount.as_str(), line.whole), (Why::Unspent, "720000000", false));
    let rest: Vec<_> = line.found.ends.iter().filter(|end| end.hop < 5).map(|end| (end.why, end.hop)).collect();
    assert_eq!(rest, [(Why::Budget, 0); 9], "each small part is named");
    let line = run(dir.path(), &wanted(150)).unwrap();
    assert_eq!((line.found.ends.len(), line.whole), (10, true));
    assert!(line.found.ends.iter().all(|end| end.why == Why::Unspent));
    let dust = Job { hops: 20, ..wanted(150) };
    let (mut blocks, mut first) = parts();
    first.output[9].value = bitcoin::Amount::from_sat(900_000);
    let at = blocks[4].txdata.iter().position(|tx| tx.output.len() == 10).unwrap();
    blocks[4].txdata[at] = first.clone();
    let endpoint = endpoint(blocks, Box::new(|_| None));
    let line = run(
        tempfile::tempdir().unwrap().path(),
        &Job { endpoint, txs: vec![first.compute_txid().to_string()], ..dust },
    );
    let line = line.unwrap();
    let small = line.found.ends.iter().find(|end| end.amount == "900000").unwrap();
    assert_eq!((small.why, line.whole), (Why::Dust, true), "less than a thousandth");
}

#[test]
fn a_block_of_a_branch_that_lost_is_found_below_one_that_stands() {
    let (_, blocks, [first, second]) = story();
    let id = format!("tx/{}", first.compute_txid());
    let mut lost = told(&blocks, (4, &first));
    lost["status"]["block_hash"] = json!("ab".repeat(32));
    // The chain changes its mind between the two answers.
    let other = move |asked: &str| (asked == id).then(|| Reply::Result(lost.clone()));
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &job(endpoint(blocks.clone(), Box::new(other)), &first, &nobody)).unwrap();
    let line = run(dir.path(), &job(endpoint(blocks.clone(), Box::new(|_| None)), &second, &nobody)).unwrap();
    assert_eq!(line.found.unwound, 1, "block 5 stands, and the one below it does not");
    let line = run(dir.path(), &job(endpoint(blocks, Box::new(|_| None)), &first, &nobody)).unwrap();
    assert_eq!((line.found.unwound, on_record(dir.path())), (0, (Some(5), 2)));
}

#[test]
fn what_an_endpoint_makes_up_is_an_error_that_names_call_and_transaction_and_nothing_is_lost() {
    let (_, blocks, [first, second]) = story();
    let (first_id, second_id) = (first.compute_txid().to_string(), second.compute_txid().to_string());
    let one = told(&blocks, (4, &first));
    let mut richer = told(&blocks, (5, &second));
    richer["vout"][0]["value"] = json!(4_000_000_001u64);
    let mut elsewhere = outspends(&blocks, &first);
    elsewhere[0]["vin"] = json!(7);
    let cases: [(&str, String, Value); 4] = [
        ("told transaction", format!("tx/{second_id}"), one),
        ("it is wrong, or lies", format!("tx/{second_id}"), richer),
        ("it lies", format!("tx/{first_id}/outspends"), elsewhere),
        ("tells of 0 outputs", format!("tx/{first_id}/outspends"), json!([])),
    ];
    for (why, at, answer) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = at.clone();
        let lies =
            endpoint(blocks.clone(), Box::new(move |asked| (asked == at).then(|| Reply::Result(answer.clone()))));
        let said = run(dir.path(), &job(lies, &first, &nobody)).unwrap_err().to_string();
        let why = why.replace("it is wrong", "the endpoint is wrong");
        assert!(said.contains(&why) && said.contains(&path) && said.contains("127.0.0.1"), "{said}");
        assert!(on_record(dir.path()).1 >= 1, "what came before stays: {why}");
    }
}

#[test]
fn an_endpoint_that_stalls_breaks_off_or_serves_another_chain_is_refused_by_name() {
    let (_, blocks, [first, _]) = story();
    for (at, reply, why) in [
        ("block-height/0", Some("ff".repeat(32)), "another chain"),
        ("blocks/tip/height", Some("<html>".into()), "no height"),
        ("blocks/tip/height", None, "no answer in time"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let other = move |asked: &str| {
            (asked == at).then(|| reply.clone().map_or(Reply::Silence, |text| Reply::Bytes(text.into_bytes())))
        };
        let said = run(dir.path(), &job(endpoint(blocks.clone(), Box::new(other)), &first, &nobody)).unwrap_err();
        assert!(said.to_string().contains(why), "{said}");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut busy = 2;
    let limits = move |_: &str| {
        busy -= i32::from(busy > 0);
        (busy > 0).then_some(Reply::Status("429 Too Many Requests"))
    };
    assert!(run(dir.path(), &job(endpoint(blocks, Box::new(limits)), &first, &nobody)).unwrap().whole);
}

#[test]
fn a_block_that_the_chain_no_longer_has_takes_its_rows_along_and_no_others() {
    let (maker, blocks, [first, _]) = story();
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &job(endpoint(blocks.clone(), Box::new(|_| None)), &first, &nobody)).unwrap();
    assert_eq!(on_record(dir.path()), (Some(5), 2));
    let branch = maker.fork_at(4).empty_chain(2).into_iter().map(|made| made.block);
    let other: Vec<Block> = blocks[..5].iter().cloned().chain(branch).collect();
    let line = run(dir.path(), &job(endpoint(other, Box::new(|_| None)), &first, &nobody)).unwrap();
    assert_eq!((line.found.unwound, on_record(dir.path())), (1, (Some(4), 1)));
    assert_eq!(
        (line.found.ends[0].why, line.found.ends[0].hop),
        (Why::Unspent, 0),
        "asked again, for its page named the block"
    );
}

#[test]
fn a_place_in_a_block_is_proven_by_its_branch_and_header() {
    let (_, blocks, [first, _]) = story();
    let dir = tempfile::tempdir().unwrap();
    let wanted = Job { prove: true, ..job(endpoint(blocks.clone(), Box::new(|_| None)), &first, &nobody) };
    assert_eq!(run(dir.path(), &wanted).unwrap().found.proven, 2);
    let wrong = |asked: &str| {
        let answer = json!({"block_height": 4, "merkle": ["00".repeat(32)], "pos": 1});
        asked.ends_with("merkle-proof").then_some(Reply::Result(answer))
    };
    let dir = tempfile::tempdir().unwrap();
    let wanted = Job { prove: true, ..job(endpoint(blocks, Box::new(wrong)), &first, &nobody) };
    let said = run(dir.path(), &wanted).unwrap_err().to_string();
    assert!(said.contains("does not lead to the header's root") && said.contains("merkle-proof"), "{said}");
}

#[test]
fn an_addresss_history_closes_or_says_what_was_there_before_and_repeated_pages_end() {
    let (_, blocks, [first, second]) = story();
    let script = first.output[0].script_pubkey.clone();
    let address = bitcoin::Address::from_script(&script, bitcoin::Network::Regtest).unwrap().to_string();
    let (a, b) = (told(&blocks, (4, &first)), told(&blocks, (5, &second)));
    let received = first.output[0].value.to_sat();
    let answers = move |count: u64, sums: (u64, u64), page: Value| -> Other {
        Box::new(move |asked: &str| {
            let parts: Vec<&str> = asked.split('/').collect();
            match parts.as_slice() {
                ["address", _] => Some(Reply::Result(json!({"chain_stats": {
                    "tx_count": count, "funded_txo_sum": sums.0, "spent_txo_sum": sums.1}}))),
                ["address", ..] => Some(Reply::Result(page.clone())),
                _ => None,
            }
        })
    };
    let both = json!([b, a]);
    let look = |other: Other, hub: u64| {
        let dir = tempfile::tempdir().unwrap();
        let wanted = job(endpoint(blocks.clone(), other), &first, &nobody);
        run(dir.path(), &Job { txs: Vec::new(), addresses: vec![address.clone()], hub, ..wanted })
    };
    let closed = look(answers(2, (received, 4_000_000_000), both.clone()), 1_000).unwrap();
    let history = &closed.found.histories[0];
    assert_eq!((history.closed, history.opening.as_deref(), history.cut), (true, Some("0"), None));
    // The endpoint says that it holds 7 more than what was fetched explains.
    let more = look(answers(2, (received + 7, 4_000_000_000), both.clone()), 1_000).unwrap();
    assert_eq!((more.found.histories[0].closed, more.found.histories[0].opening.as_deref()), (false, Some("7")));
    let hub = look(answers(2, (received, 4_000_000_000), both.clone()), 1).unwrap();
    assert_eq!((hub.found.histories[0].cut, hub.found.histories[0].fetched, hub.calls), (Some(Why::Hub), 0, 3));
    let said = look(answers(3, (received, 4_000_000_000), both), 1_000).unwrap_err().to_string();
    assert!(said.contains("repeats a page"), "{said}");
}

#[test]
fn a_made_blocks_bytes_are_what_its_transactions_say() {
    let (_, blocks, _) = story();
    for block in &blocks {
        assert_eq!(&deserialize::<Block>(&serialize(block)).unwrap(), block);
    }
}
