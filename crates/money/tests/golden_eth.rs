//! The real Ethereum extract against its reference (GraphSense's), which counts what calls carried and no fees: received, spent and
//! relations in ether of 782 addresses, and every USDT transfer. What it counts and the record does not is named to the last wei.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use money::chain::{Chain, ChainCode, Loaded, Options, Room, Source, load};
use money::columns::*;
use money::evm::{Address, CallSort, Dump, RawBlock};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn extract() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("EYE_SHARED").map_or(beside, PathBuf::from);
    let folder = shared.join("data/chains/eth-tokens");
    if !folder.is_dir() {
        println!("skipped: the shared data is absent");
        return None;
    }
    Some(folder)
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// Numbers of the reference reach past 64 bits: read from their text.
fn wei(line: &str, field: &str) -> u128 {
    let after = line.split(&format!("\"{field}\":{{\"value\":")).nth(1).unwrap();
    after.split(',').next().unwrap().parse().unwrap()
}

fn eth() -> ChainCode {
    ChainCode::parse("eth").unwrap()
}

fn loaded(dir: &Path, folder: &Path) -> (Loaded, Accounts) {
    let room = Room::open(dir);
    let source = Source::Dump(vec![folder.to_owned()]);
    let loaded = load(&room, &eth(), &source, &Options::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    match room.chain(&eth(), Mode::Read).unwrap() {
        Chain::Accounts(accounts) => (loaded, accounts),
        Chain::Utxo(..) => panic!("not a chain of accounts"),
    }
}

/// Sums by party and by pair.
#[derive(Default)]
struct Sums {
    received: HashMap<Vec<u8>, u128>,
    spent: HashMap<Vec<u8>, u128>,
    between: HashMap<(Vec<u8>, Vec<u8>), u128>,
}

impl Sums {
    fn add(&mut self, from: &[u8], to: &[u8], amount: u128) {
        *self.received.entry(to.to_vec()).or_default() += amount;
        *self.spent.entry(from.to_vec()).or_default() += amount;
        *self.between.entry((from.to_vec(), to.to_vec())).or_default() += amount;
    }
}

/// The record's ether without fees and without what no source proves to have moved.
fn recorded(chain: &Accounts) -> Sums {
    let coin = chain.find_asset(b"ETH").unwrap();
    let mut sums = Sums::default();
    for transfer in (0..chain.transfers()).map(|n| chain.transfer(n).unwrap()).filter(|t| t.asset == coin) {
        let name = |id: u32| chain.account(id).unwrap_or_default();
        if !matches!(transfer.kind, Kind::Fee | Kind::Unexplained) {
            // The reference has no payer where the record has the zero address, who issues.
            let issued = matches!(transfer.kind, Kind::Reward | Kind::Mint);
            let from = if issued { &[] } else { name(transfer.from) };
            sums.add(from, name(transfer.to), transfer.amount.to_u128().unwrap());
        }
    }
    sums
}

/// What delegated calls repeat of their caller's value: it stays where it is.
fn repeated(folder: &Path) -> (u64, Sums) {
    let (mut count, mut sums) = (0, Sums::default());
    let dir = tempfile::tempdir().unwrap();
    let mut each = |block: RawBlock, _| {
        for call in block.txs.iter().flat_map(|tx| &tx.calls) {
            if call.ok && call.sort == CallSort::Delegate && !call.value.is_zero() {
                count += 1;
                sums.add(&call.from, &call.to.unwrap(), call.value.to_u128().unwrap());
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    let dump = Dump::open(&[folder.to_owned()]).unwrap();
    let _whole = dump.blocks(dir.path(), &mut |_| ControlFlow::Continue(()), &mut each).unwrap();
    (count, sums)
}

#[test]
fn received_spent_and_relations_equal_the_reference_and_the_difference_is_what_delegated_calls_repeat() {
    let Some(folder) = extract() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (_, chain) = loaded(dir.path(), &folder);
    let (ours, (count, delegated)) = (recorded(&chain), repeated(&folder));
    assert_eq!(count, 126);

    let text = std::fs::read_to_string(folder.join("reference/addresses.json")).unwrap();
    let (mut names, mut alone) = (BTreeMap::new(), 0);
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = bytes(&row["address"]);
        let of = |sums: &HashMap<Vec<u8>, u128>| sums.get(&name).copied().unwrap_or(0);
        let told = (wei(line, "totalReceived"), wei(line, "totalSpent"));
        let record = (of(&ours.received), of(&ours.spent));
        let more = (of(&delegated.received), of(&delegated.spent));
        assert_eq!((record.0 + more.0, record.1 + more.1), told, "{}", hex::encode(&name));
        alone += u64::from(record == told);
        names.insert(row["addressId"].as_u64().unwrap(), name);
    }
    println!("{alone} of {} addresses without any delegated value", names.len());
    assert_eq!(names.len(), 782);
    assert!(alone >= 750);

    let text = std::fs::read_to_string(folder.join("reference/address_relations.json")).unwrap();
    let mut seen = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = |field: &str| names.get(&row[field].as_u64().unwrap()).cloned();
        // The others name addresses that the reference's own sample lacks.
        let (Some(from), Some(to)) = (name("srcAddressId"), name("dstAddressId")) else { continue };
        seen += 1;
        let of = |sums: &Sums| sums.between.get(&(from.clone(), to.clone())).copied().unwrap_or(0);
        assert_eq!(of(&ours) + of(&delegated), wei(line, "value"), "{line}");
    }
    assert_eq!(seen, 1_306);
}

#[test]
fn every_usdt_transfer_is_the_references_and_nfts_are_no_amounts() {
    let Some(folder) = extract() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (loaded, chain) = loaded(dir.path(), &folder);
    assert_eq!((loaded.nfts, loaded.misshapen), (389, 0));
    let usdt: Address = hex::decode("dac17f958d2ee523a2206206994597c13d831ec7").unwrap().try_into().unwrap();
    let asset = chain.find_asset(&usdt).unwrap();
    let mut ours = Vec::new();
    for number in 0..chain.transfers() {
        let transfer = chain.transfer(number).unwrap();
        if transfer.asset == asset {
            let tx = chain.tx_of(number).unwrap();
            let height = chain.store().record(chain.block_of(tx).unwrap()).unwrap().unwrap().height;
            let name = |id: u32| chain.account(id).unwrap().to_vec();
            let amount = transfer.amount.to_string();
            ours.push((
                height,
                chain.place(tx).unwrap(),
                chain.id(tx).unwrap().to_vec(),
                name(transfer.from),
                name(transfer.to),
                amount,
            ));
        }
    }
    let mut theirs: Vec<_> = lines(&folder.join("reference/USDT_token_transfers.json"))
        .iter()
        .map(|row| {
            let number = |field: &str| row[field].as_u64().unwrap();
            let place = u32::try_from(number("transactionIndex")).unwrap();
            let order = (number("blockId"), number("logIndex"));
            let (id, from, to) = (bytes(&row["txHash"]), bytes(&row["from"]), bytes(&row["to"]));
            (order, (number("blockId"), place, id, from, to, row["value"].to_string()))
        })
        .collect();
    theirs.sort();
    let theirs: Vec<_> = theirs.into_iter().map(|(_, row)| row).collect();
    assert_eq!(ours.len(), 143);
    assert_eq!(ours, theirs, "and in the same order");
}

#[test]
fn the_extract_is_partial_and_says_so() {
    let Some(folder) = extract() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (loaded, chain) = loaded(dir.path(), &folder);
    println!("{} of {} transactions", loaded.txs, loaded.txs_said);
    assert_eq!((loaded.blocks, loaded.txs, loaded.elsewhere), (90, 326, 6));
    assert!(loaded.txs_said > loaded.txs);
    let flags = (0..chain.store().blocks()).map(|place| chain.block_said(place).0);
    assert!({ flags }.next_back().unwrap().has(BlockFlags::PARTIAL));
    let of = |flag| (0..chain.txs()).filter(|tx| chain.tx_flags(*tx).has(flag)).count();
    let (failed, partial) = (of(TxFlags::FAILED), of(TxFlags::PARTIAL));
    println!("{failed} failed, {partial} known by logs or calls alone, {} transactions in all", chain.txs());
    assert!(failed > 0 && partial > 0);
    for tx in (0..chain.txs()).filter(|tx| chain.tx_flags(*tx).has(TxFlags::FAILED)) {
        for number in chain.transfers_of(tx) {
            assert_eq!(chain.transfer(number).unwrap().kind, Kind::Fee, "a failed transaction moves nothing");
        }
    }
    let wide = chain.inspect().unwrap().parts.into_iter().find(|part| part.name == "transfer.wide").unwrap();
    assert!(wide.rows >= 215, "{}", wide.rows);
    chain.store().verify().unwrap();
}

#[test]
fn loaded_again_it_is_known_and_its_parts_one_after_another_are_refused() {
    let Some(folder) = extract() else { return };
    let dir = tempfile::tempdir().unwrap();
    let load = |files: Vec<PathBuf>| {
        let room = Room::open(dir.path());
        load(&room, &eth(), &Source::Dump(files), &Options::default(), &mut |_| ControlFlow::Continue(()))
    };
    let of = |name: &str| folder.join(name);
    load(vec![of("blocks.csv"), of("transactions.csv")]).unwrap();
    let error = load(vec![of("blocks.csv"), of("transactions.csv"), of("logs.json")]).unwrap_err().to_string();
    assert!(error.contains("on record without logs"), "{error}");
    std::fs::remove_dir_all(dir.path().join("eth")).unwrap();
    load(vec![folder.clone()]).unwrap();
    let again = load(vec![folder.clone()]).unwrap();
    assert_eq!((again.blocks, again.known, again.unwound), (0, 90, 0));
}
