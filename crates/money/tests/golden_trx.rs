//! The real TRON extracts: transactions with fees, blocks with internal calls. They have no reference; what they say is added up
//! here by other means. Their values may be coins, tokens, votes: java-tron tells one number for all. TRC-20 transfers come from
//! made rows (`dumps.rs`), labelled so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::chain::{Chain, ChainCode, Loaded, Options, Room, Source, load};
use money::columns::*;
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn extract(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("EYE_SHARED").map_or(beside, PathBuf::from);
    let folder = shared.join("data/chains/trx").join(name);
    if !folder.is_dir() {
        println!("skipped: the shared data is absent");
        return None;
    }
    Some(folder)
}

fn loaded(dir: &Path, folder: PathBuf) -> (Loaded, Accounts) {
    let (room, trx) = (Room::open(dir), ChainCode::parse("trx").unwrap());
    let source = Source::Dump(vec![folder]);
    let loaded = load(&room, &trx, &source, &Options::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    match room.chain(&trx, Mode::Read).unwrap() {
        Chain::Accounts(accounts) => (loaded, accounts),
        Chain::Utxo(..) => panic!("not a chain of accounts"),
    }
}

fn rows(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sum(chain: &Accounts, of: Kind) -> (u64, u128) {
    let all = (0..chain.transfers()).map(|number| chain.transfer(number).unwrap()).filter(|t| t.kind == of);
    all.fold((0, 0), |(n, sum), t| (n + 1, sum + t.amount.to_u128().unwrap()))
}

#[test]
fn fees_find_their_blocks_by_the_transactions_hashes_and_values_stay_unexplained() {
    let Some(folder) = extract("0to10000") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (loaded, chain) = loaded(dir.path(), folder.clone());
    assert_eq!((loaded.blocks, loaded.txs, chain.txs()), (661, 2_172, 2_172));
    let fees: Vec<u64> =
        rows(&folder.join("tx_fee.json")).iter().filter_map(|row| row["fee"].as_u64()).filter(|n| *n > 0).collect();
    let told = fees.iter().map(|fee| u128::from(*fee)).sum();
    assert_eq!(sum(&chain, Kind::Fee), (fees.len() as u64, told));
    assert_eq!(told, 277_312_297_920);
    let values: Vec<u128> = rows(&folder.join("transactions.json"))
        .iter()
        .filter(|row| row.get("toAddress").is_some())
        .filter_map(|row| row["value"].as_u64())
        .map(u128::from)
        .filter(|n| *n > 0)
        .collect();
    assert_eq!(sum(&chain, Kind::Unexplained), (values.len() as u64, values.iter().sum()));
    assert_eq!(sum(&chain, Kind::Transfer).0, 0, "none of them calls a contract");
    let heights: Vec<u64> =
        (0..chain.store().blocks()).map(|n| chain.store().record(n).unwrap().unwrap().height).collect();
    assert_eq!((heights.first(), heights.last()), (Some(&342), Some(&9_997)));
    for (number, row) in rows(&folder.join("transactions.json")).iter().enumerate().step_by(97) {
        use base64::Engine;
        let id = base64::engine::general_purpose::STANDARD.decode(row["txHash"].as_str().unwrap()).unwrap();
        let tx = chain.find_tx(&id).unwrap_or_else(|| panic!("transaction {number}"));
        assert_eq!(chain.place(tx).map(u64::from), row["transactionIndex"].as_u64());
        assert_eq!(chain.time(tx).map(u64::from), row["blockTimestamp"].as_u64());
        let height = heights[usize::try_from(chain.block_of(tx).unwrap()).unwrap()];
        assert_eq!(Some(height), row["blockId"].as_u64());
    }
    chain.store().verify().unwrap();
}

#[test]
fn internal_calls_move_coins_unless_they_were_rejected() {
    let Some(folder) = extract("56804500to56805500") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (loaded, chain) = loaded(dir.path(), folder.clone());
    let traces = rows(&folder.join("traces.json"));
    // 22 values are below zero: the dump was made with 32 bits for them, so of all its values nothing above these is known.
    let rest = |row: &Value| row["callValue"].as_i64().unwrap().rem_euclid(1 << 32);
    assert_eq!(traces.iter().filter(|row| row["callValue"].as_i64().unwrap() < 0).count(), 22);
    let with_value: Vec<&Value> = traces.iter().filter(|row| rest(row) > 0).collect();
    let moved: Vec<u128> =
        with_value.iter().filter(|row| row["rejected"] == false).map(|row| rest(row) as u128).collect();
    println!("{} of {} calls with a value were not rejected", moved.len(), with_value.len());
    assert!(moved.len() < with_value.len(), "the extract has rejected ones");
    assert_eq!(sum(&chain, Kind::Unexplained), (moved.len() as u64, moved.iter().sum()));
    assert_eq!((sum(&chain, Kind::Transfer).0, loaded.cut), (0, with_value.len() as u64));
    assert_eq!((loaded.blocks, loaded.txs), (1_001, 0));
    let said = rows(&folder.join("blocks.json")).iter().filter_map(|row| row["transactionCount"].as_u64()).sum::<u64>();
    assert_eq!(loaded.txs_said, said);
    assert!((0..chain.txs()).all(|tx| chain.tx_flags(tx).has(TxFlags::PARTIAL)));
    chain.store().verify().unwrap();
}
