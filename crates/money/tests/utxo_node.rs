//! A node of Bitcoin's family that is asked by JSON-RPC or REST: followed, unwound with, and believed in nothing. The stand-in answers
//! EXERCISE blocks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod core_files;
mod standin;

use bitcoin::consensus::serialize;
use core_files::{Made, Maker, spend};
use money::chain::{Chain, ChainCode, Error, Loaded, Options, Result, Room, Source, load};
use money::columns::{Flags, Mode, Utxo};
use money::node::Endpoint;
use serde_json::{Value, json};
use standin::{Reply, serve};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A block as a node knows it.
#[derive(Clone)]
struct Known {
    hash: String,
    bytes: Vec<u8>,
    made: Option<Made>,
}

/// Regtest's first block and those that were made after it.
fn with_first(made: &[Made]) -> Vec<Known> {
    let first = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
    let first = Known { hash: first.block_hash().to_string(), bytes: serialize(&first), made: None };
    let rest =
        made.iter().map(|made| Known { hash: made.hash(), bytes: serialize(&made.block), made: Some(made.clone()) });
    std::iter::once(first).chain(rest).collect()
}

/// Empty blocks, one that spends, and one that spends what that one made.
fn story() -> (Maker, Vec<Made>) {
    let mut maker = Maker::after_the_first();
    let mut blocks = maker.empty_chain(3);
    let coin = blocks[0].coinbase_output();
    let pay = spend(&coin, b"\x30\x44EXERCISE", 4_000_000_000);
    blocks.push(maker.block(vec![pay.clone()], vec![vec![coin.1]]));
    let coin = (bitcoin::OutPoint::new(pay.compute_txid(), 0), pay.output[0].clone());
    blocks.push(maker.block(vec![spend(&coin, b"\x30\x45EXERCISE", 3_999_999_999)], vec![vec![coin.1]]));
    blocks.extend(maker.empty_chain(2));
    (maker, blocks)
}

fn in_coins(sat: u64) -> Value {
    serde_json::from_str(&format!("{}.{:08}", sat / 100_000_000, sat % 100_000_000)).unwrap()
}

/// `getblock` with verbosity 3, as far as it is read.
fn told(known: &Known, with_coins: bool) -> Value {
    let made = known.made.as_ref();
    let txs = made.map_or(Vec::new(), |made| made.spent.clone()).into_iter().map(|coins| {
        let vin = coins.into_iter().map(|coin| {
            let prevout = json!({"generated": false, "value": in_coins(coin.value.to_sat()),
                "scriptPubKey": {"hex": hex::encode(coin.script_pubkey.as_bytes())}});
            if with_coins { json!({"txid": "00", "prevout": prevout}) } else { json!({"txid": "00"}) }
        });
        json!({"vin": vin.collect::<Vec<_>>()})
    });
    let all: Vec<Value> = std::iter::once(json!({"vin": [{"coinbase": "00"}]})).chain(txs).collect();
    json!({"hash": known.hash, "nTx": all.len(), "tx": all})
}

/// `spenttxouts` in bytes: lists shorter than 253 have a count of one byte.
fn spent(known: &Known) -> Vec<u8> {
    let spent = known.made.as_ref().map_or(Vec::new(), |made| made.spent.clone());
    let mut bytes = vec![spent.len() as u8 + 1, 0];
    for coins in &spent {
        bytes.push(coins.len() as u8);
        coins.iter().for_each(|coin| bytes.extend(serialize(coin)));
    }
    bytes
}

fn honest(blocks: &[Known], method: &str, params: &Value) -> Reply {
    let by_hash = |hash: &str| blocks.iter().find(|known| known.hash == hash);
    let by_height = |height: u64| blocks.get(usize::try_from(height).unwrap());
    let absent = || Reply::Status("404 Not Found");
    match method {
        "getblockchaininfo" => Reply::Result(json!({"chain": "regtest", "blocks": blocks.len() - 1})),
        "getblockhash" => match by_height(params[0].as_u64().unwrap()) {
            Some(known) => Reply::Result(json!(known.hash)),
            None => Reply::Error(-8, "Block height out of range"),
        },
        "getblock" => match (by_hash(params[0].as_str().unwrap()), params[1].as_u64()) {
            (Some(known), Some(0)) => Reply::Result(json!(hex::encode(&known.bytes))),
            (Some(known), Some(3)) => Reply::Result(told(known, true)),
            _ => Reply::Error(-5, "Block not found"),
        },
        "rest/chaininfo.json" => Reply::Result(json!({"chain": "regtest", "blocks": blocks.len() - 1})),
        path => match path.trim_end_matches(".bin").rsplit_once('/').unwrap() {
            ("rest/blockhashbyheight", height) => by_height(height.parse().unwrap()).map_or_else(absent, |known| {
                let mut hash = hex::decode(&known.hash).unwrap();
                hash.reverse();
                Reply::Bytes(hash)
            }),
            ("rest/block", hash) => by_hash(hash).map_or_else(absent, |known| Reply::Bytes(known.bytes.clone())),
            ("rest/spenttxouts", hash) => by_hash(hash).map_or_else(absent, |known| Reply::Bytes(spent(known))),
            _ => absent(),
        },
    }
}

fn node(blocks: Vec<Known>) -> Endpoint {
    node_but(blocks, |_, _| None)
}

fn rest(blocks: Vec<Known>) -> Endpoint {
    let rpc = node(blocks);
    Endpoint::at(&format!("{}/rest", rpc.url))
}

/// A node that is honest but for what `other` answers.
fn node_but(blocks: Vec<Known>, mut other: impl FnMut(&str, &Value) -> Option<Reply> + Send + 'static) -> Endpoint {
    let answering = move |method: &str, params: &Value| match other(method, params) {
        Some(reply) => reply,
        None => honest(&blocks, method, params),
    };
    Endpoint { patience: Duration::from_millis(400), ..Endpoint::at(&serve(Arc::new(Mutex::new(answering)))) }
}

fn follow(dir: &Path, endpoint: Endpoint, keep: u64) -> Result<Loaded> {
    let source = Source::Node(Box::new(endpoint));
    let chain = ChainCode::parse("btc-regtest").unwrap();
    load(&Room::open(dir), &chain, &source, &Options { keep }, &mut |_| ControlFlow::Continue(()))
}

fn refused(endpoint: Endpoint) -> String {
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path(), endpoint, 100).unwrap_err().to_string()
}

fn open(dir: &Path) -> Utxo {
    match Room::open(dir).chain(&ChainCode::parse("btc-regtest").unwrap(), Mode::Read).unwrap() {
        Chain::Utxo(utxo, _) => utxo,
        Chain::Accounts(_) => panic!("not a chain of blocks"),
    }
}

/// Every column's bytes.
fn columns(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let folder = dir.join("btc-regtest");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "col"));
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

#[test]
fn files_rpc_and_rest_make_equal_columns_from_the_first_block_on_and_from_a_later_one() {
    let (_, made) = story();
    let blocks = with_first(&made);
    let files = tempfile::tempdir().unwrap();
    core_files::write(files.path(), 0, &made, None, true);
    let genesis = files.path().join("genesis.raw");
    std::fs::write(&genesis, &blocks[0].bytes).unwrap();
    for from in [0, 4] {
        let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let chain = ChainCode::parse("btc-regtest").unwrap();
        let later = tempfile::tempdir().unwrap();
        core_files::write(later.path(), 0, &made[3..], None, true);
        let paths = if from == 0 {
            vec![genesis.clone(), files.path().join("blk00000.dat")]
        } else {
            vec![later.path().into()]
        };
        load(&Room::open(dirs[0].path()), &chain, &Source::Blocks(paths), &Options::default(), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        let from_height = |endpoint| Endpoint { from: Some(from), ..endpoint };
        for (dir, endpoint) in dirs[1..].iter().zip([node(blocks.clone()), rest(blocks.clone())]) {
            let loaded = follow(dir.path(), from_height(endpoint), 100).unwrap();
            assert_eq!(loaded.blocks, blocks.len() as u64 - from);
            let chain = open(dir.path());
            assert!((0..chain.txs()).all(|tx| !chain.info(tx).unwrap().0.has(Flags::PARTIAL)), "from {from}");
        }
        let [one, two, three] = dirs.each_ref().map(|dir| columns(dir.path()));
        assert!(one.iter().any(|(name, bytes)| name == "in.value.col" && !bytes.is_empty()));
        assert_eq!(one, two, "from {from}: files and RPC");
        assert_eq!(two, three, "from {from}: RPC and REST");
    }
}

#[test]
fn a_node_that_tells_no_coins_leaves_a_later_record_partial_and_says_so() {
    let (_, made) = story();
    let older = |method: &str, params: &Value| {
        let (_, made) = story();
        let known = with_first(&made);
        let known = known.iter().find(|known| known.hash == params[0].as_str().unwrap_or_default());
        (method == "getblock" && params[1] == 3).then(|| Reply::Result(told(known.unwrap(), false)))
    };
    let dir = tempfile::tempdir().unwrap();
    let endpoint = node_but(with_first(&made), older);
    follow(dir.path(), Endpoint { from: Some(4), ..endpoint }, 100).unwrap();
    let chain = open(dir.path());
    let partial = (0..chain.txs()).filter(|tx| chain.info(*tx).unwrap().0.has(Flags::PARTIAL)).count();
    assert_eq!((partial, chain.input(0).unwrap().value, chain.input(1).unwrap().value), (1, None, Some(4_000_000_000)));
}

#[test]
fn a_stopped_load_goes_on_where_it_ended() {
    let (_, made) = story();
    let (dir, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut left = 3;
    let mut stop = |_: &money::chain::Progress| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let source = Source::Node(Box::new(node(with_first(&made))));
    let chain = ChainCode::parse("btc-regtest").unwrap();
    let loaded = load(&Room::open(dir.path()), &chain, &source, &Options::default(), &mut stop).unwrap();
    assert_eq!((loaded.blocks, loaded.stopped, loaded.head.unwrap().height), (3, true, 2));
    let loaded = follow(dir.path(), node(with_first(&made)), 100).unwrap();
    assert_eq!(
        (loaded.blocks, loaded.stopped, loaded.head.unwrap().height),
        (made.len() as u64 - 2, false, made.len() as u64)
    );
    assert_eq!(
        follow(dir.path(), node(with_first(&made)), 100).unwrap().blocks,
        0,
        "a second time there is nothing to load"
    );
    follow(whole.path(), node(with_first(&made)), 100).unwrap();
    assert_eq!(columns(dir.path()), columns(whole.path()));
}

#[test]
fn a_reorganisation_is_unwound_exactly_and_a_deeper_one_stops_with_both_hashes() {
    let (maker, made) = story();
    let mut other = maker.fork_at(4);
    let branch: Vec<Made> = made[..4].iter().cloned().chain(other.empty_chain(5)).collect();
    let (dir, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    follow(dir.path(), node(with_first(&made)), 100).unwrap();
    let before = columns(dir.path());
    let error = follow(dir.path(), node(with_first(&branch)), 2).unwrap_err();
    let Error::Fork { common, ours, theirs, depth, keep, .. } = &error else { panic!("{error}") };
    assert_eq!((*common, *depth, *keep), (4, 3, 2));
    assert_eq!((ours, theirs), (&made[4].hash(), &branch[4].hash()));
    assert!(error.to_string().contains("eye money unwind --chain btc-regtest --to 4"), "{error}");
    assert_eq!(columns(dir.path()), before, "nothing was taken back");
    let loaded = follow(dir.path(), node(with_first(&branch)), 3).unwrap();
    assert_eq!((loaded.unwound, loaded.blocks, loaded.head.unwrap().height), (3, 5, 9));
    follow(fresh.path(), node(with_first(&branch)), 100).unwrap();
    let (kept, whole) = (open(dir.path()), open(fresh.path()));
    assert_eq!(
        (kept.txs(), kept.inputs(), kept.outputs(), kept.addresses()),
        (whole.txs(), whole.inputs(), whole.outputs(), whole.addresses())
    );
    assert!(
        (0..kept.outputs()).all(
            |output| (kept.output(output), kept.spent_by(output)) == (whole.output(output), whole.spent_by(output))
        )
    );
    kept.store().verify().unwrap();
}

#[test]
fn a_branch_with_no_more_work_than_the_records_takes_nothing_back() {
    let (maker, made) = story();
    let mut other = maker.fork_at(4);
    let branch: Vec<Made> = made[..4].iter().cloned().chain(other.empty_chain(3)).collect();
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path(), node(with_first(&made)), 100).unwrap();
    let loaded = follow(dir.path(), node(with_first(&branch)), 100).unwrap();
    assert_eq!((loaded.unwound, loaded.blocks, loaded.on_other_branches), (0, 0, 3));
    let behind = follow(dir.path(), node(with_first(&made[..2])), 100).unwrap_err().to_string();
    assert!(behind.contains("it is behind: it has no block 3"), "{behind}");
}

#[test]
fn a_damaged_block_of_another_branch_takes_nobodys_place() {
    let (maker, made) = story();
    let mut other = maker.fork_at(4);
    let mut branch = with_first(&made[..4].iter().cloned().chain(other.empty_chain(5)).collect::<Vec<_>>());
    let last = branch[6].bytes.len() - 10;
    branch[6].bytes[last] ^= 1;
    let dir = tempfile::tempdir().unwrap();
    follow(dir.path(), node(with_first(&made)), 100).unwrap();
    let before = columns(dir.path());
    let error = follow(dir.path(), node(branch.clone()), 100).unwrap_err().to_string();
    assert!(error.contains(&format!("block 6 {}", branch[6].hash)) && error.contains("Merkle root"), "{error}");
    assert_eq!(columns(dir.path()), before);
}

#[test]
fn what_a_node_does_wrong_is_named_by_height_and_block() {
    let (_, made) = story();
    let blocks = with_first(&made);
    let at = |height: usize| format!("block {height} {}", blocks[height].hash);
    let but = |height: usize, change: fn(&mut Vec<u8>)| {
        let mut blocks = blocks.clone();
        change(&mut blocks[height].bytes);
        refused(node(blocks))
    };
    let half = but(4, |bytes| bytes.truncate(bytes.len() / 2));
    assert!(half.contains(&at(4)) && half.contains("transaction 0") && half.contains("breaks off"), "{half}");
    let longer = but(4, |bytes| bytes.push(0));
    assert!(longer.contains(&at(4)) && longer.contains("1 bytes follow the last transaction"), "{longer}");
    let no_work = but(4, |bytes| bytes[76] ^= 0xff);
    assert!(
        no_work.contains(&at(4)) && (no_work.contains("proof of work") || no_work.contains("the block that came is")),
        "{no_work}"
    );
    let another = {
        let mut blocks = blocks.clone();
        blocks[4].bytes = blocks[5].bytes.clone();
        refused(node(blocks))
    };
    assert!(another.contains("block 4") && another.contains("does not follow the one before it"), "{another}");
    let counts = node_but(blocks.clone(), |method, params| {
        let short = json!({"nTx": 3, "tx": [{"vin": []}]});
        (method == "getblock" && params[1] == 3).then_some(Reply::Result(short))
    });
    let counts = refused(Endpoint { from: Some(4), ..counts });
    assert!(counts.contains(&at(4)) && counts.contains("says it has 3 transactions and tells 1"), "{counts}");
    let few = node_but(blocks.clone(), |method, params| {
        let one = json!({"tx": [{"vin": [{"coinbase": "00"}]}, {"vin": [{"prevout": {"value": 1, "scriptPubKey": {"hex": ""}}}, {"prevout": {"value": 1, "scriptPubKey": {"hex": ""}}}]}]});
        (method == "getblock" && params[1] == 3).then_some(Reply::Result(one))
    });
    let few = refused(Endpoint { from: Some(4), ..few });
    assert!(few.contains(&at(4)) && few.contains("another number of inputs"), "{few}");
    let pruned = node_but(blocks.clone(), |method, _| {
        (method == "getblock").then_some(Reply::Error(-1, "Block not available (pruned data)"))
    });
    let pruned = refused(pruned);
    assert!(pruned.contains(&at(0)) && pruned.contains("pruned"), "{pruned}");
}

#[test]
fn a_node_of_another_chain_is_refused_before_anything_is_loaded() {
    let (_, made) = story();
    for (code, known) in
        [("btc", "000000000019d6689c08"), ("ltc", "12a765e31ffd4059bada"), ("bch", "000000000019d6689c08")]
    {
        for endpoint in [node(with_first(&made)), rest(with_first(&made))] {
            let dir = tempfile::tempdir().unwrap();
            let (room, chain) = (Room::open(dir.path()), ChainCode::parse(code).unwrap());
            let source = Source::Node(Box::new(endpoint));
            let error = load(&room, &chain, &source, &Options::default(), &mut |_| ControlFlow::Continue(()))
                .unwrap_err()
                .to_string();
            assert!(error.contains("it serves another chain: block 0") && error.contains(known), "{error}");
        }
    }
}

#[test]
fn a_node_that_stalls_limits_or_hangs_up_is_waited_for_so_long_and_no_longer() {
    let (_, made) = story();
    let blocks = with_first(&made);
    let silent = node_but(blocks.clone(), |method, _| (method == "getblock").then_some(Reply::Silence));
    assert!(refused(silent).contains("getblock: no answer in time"));
    let cut = node_but(blocks.clone(), |method, _| (method == "getblock").then_some(Reply::Cut));
    assert!(refused(cut).contains("getblock: the answer breaks off"));
    let mut busy = 3;
    let endpoint = node_but(blocks.clone(), move |method, _| {
        let limits = method == "getblock" && busy > 0;
        busy -= i32::from(limits);
        limits.then_some(Reply::Status("503 Service Unavailable"))
    });
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(follow(dir.path(), endpoint, 100).unwrap().blocks, blocks.len() as u64);
    let stranger = node_but(blocks.clone(), |_, _| Some(Reply::Status("401 Unauthorized")));
    assert!(refused(stranger).contains("wants to know who asks"));
    let no_rest = node_but(blocks, |_, _| Some(Reply::Status("404 Not Found")));
    let no_rest = Endpoint::at(&format!("{}/rest", no_rest.url));
    assert!(refused(no_rest).contains("start it with -rest=1"));
}
