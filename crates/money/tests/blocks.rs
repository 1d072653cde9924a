//! Bitcoin's blocks: a real one against another decoder, made ones through files as Bitcoin Core writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod core_files;

use bitcoin::consensus::deserialize;
use core_files::{Maker, spend};
use money::chain::*;
use money::columns::{Block, Flags, Mode, NOBODY, UNKNOWN, Utxo};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The real block, or `None`, said aloud, where the data are absent.
fn real_block() -> Option<(PathBuf, Vec<u8>)> {
    let shared = std::env::var("EYE_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let path = shared.join("data/blocks/mainnet_block_702861.raw");
    match std::fs::read(&path) {
        Ok(bytes) => Some((path, bytes)),
        Err(_) => {
            println!("skipped: data/blocks/mainnet_block_702861.raw is absent");
            None
        }
    }
}

const MAIN: Checks = Checks { network: Network::Main, work: true };

fn load_files(dir: &Path, code: &str, paths: &[PathBuf]) -> Result<Loaded> {
    let (room, code) = (Room::open(dir), ChainCode::parse(code)?);
    load(&room, &code, &Source::Blocks(paths.to_vec()), &Options::default(), &mut |_| ControlFlow::Continue(()))
}

fn utxo(dir: &Path, code: &str) -> Utxo {
    match Room::open(dir).chain(&ChainCode::parse(code).unwrap(), Mode::Read).unwrap() {
        Chain::Utxo(utxo, _) => utxo,
        Chain::Accounts(_) => panic!("not a chain of blocks"),
    }
}

#[test]
fn a_real_block_is_read_as_the_oracle_reads_it() {
    let Some((path, bytes)) = real_block() else { return };
    let dir = tempfile::tempdir().unwrap();
    let loaded = load_files(dir.path(), "btc", &[path]).unwrap();
    assert_eq!((loaded.blocks, loaded.rows, loaded.faults.len()), (1, 6_517 + 6_015, 0));
    let chain = utxo(dir.path(), "btc");
    assert_eq!(chain.head().unwrap().height, 702_861);
    assert_eq!((chain.txs(), chain.inputs(), chain.outputs()), (2_500, 6_517, 6_015));
    let parts = chain.inspect().unwrap().parts;
    let bytes_a_row = |names: &[&str]| {
        let parts = parts.iter().filter(|part| names.contains(&part.name.as_str()));
        parts.map(|part| part.milli_bytes_a_row().unwrap()).sum::<u64>()
    };
    assert_eq!(bytes_a_row(&["tx.first-in", "tx.first-out", "tx.info"]), 16_000);
    assert_eq!(bytes_a_row(&["in.out", "in.address", "in.value"]), 16_000);
    assert_eq!(bytes_a_row(&["out.address", "out.value", "out.spent"]), 16_000);
    let foreign = (0..chain.inputs()).filter(|input| chain.input(*input).unwrap().output.is_none()).count();
    assert_eq!(foreign, 6_190);
    let oracle: bitcoin::Block = deserialize(&bytes).unwrap();
    for (number, tx) in (0..).zip(&oracle.txdata) {
        let mut id = *AsRef::<[u8; 32]>::as_ref(&tx.compute_txid());
        id.reverse();
        assert_eq!(chain.find_tx(&id), Some(number));
        let (flags, weight) = chain.info(number).unwrap();
        assert_eq!(u64::from(weight), tx.weight().to_wu());
        assert_eq!(flags.has(Flags::COINBASE), tx.is_coinbase());
        for (row, output) in chain.outputs_of(number).zip(&tx.output) {
            let (address, value) = chain.output(row).unwrap();
            assert_eq!(value, output.value.to_sat());
            let text = chain.address_key(address).and_then(|key| address_text(key, Network::Main));
            let script = &output.script_pubkey;
            let expected = bitcoin::Address::from_script(script, bitcoin::Network::Bitcoin).ok();
            assert_eq!(text, expected.map(|address| address.to_string()), "{script}");
            assert_eq!(address == NOBODY, script.is_op_return());
        }
        if tx.is_coinbase() {
            continue;
        }
        assert_eq!(chain.inputs_of(number).count(), tx.input.len());
        for (row, input) in chain.inputs_of(number).zip(&tx.input) {
            let kept = chain.input(row).unwrap();
            let mut id = *AsRef::<[u8; 32]>::as_ref(&input.previous_output.txid);
            id.reverse();
            match kept.output {
                Some(output) => {
                    let tx = chain.tx_of_output(output).unwrap();
                    assert_eq!(chain.id(tx), Some(&id));
                    assert_eq!(chain.outputs_of(tx).start + u64::from(input.previous_output.vout), output);
                    assert_eq!(chain.spent_by(output), Some(row));
                    assert_eq!(Some((kept.address, kept.value.unwrap())), chain.output(output));
                }
                None => {
                    let named = chain.foreign(row).unwrap();
                    assert_eq!((named.id, named.vout), (id, input.previous_output.vout));
                    assert!(kept.value.is_none() && flags.has(Flags::PARTIAL));
                }
            }
        }
    }
}

#[test]
fn what_an_input_reveals_is_never_another_address_than_the_output_it_spends() {
    let Some((_, bytes)) = real_block() else { return };
    let oracle: bitcoin::Block = deserialize(&bytes).unwrap();
    let made: std::collections::HashMap<_, _> = oracle.txdata.iter().map(|tx| (tx.compute_txid(), tx)).collect();
    let (mut block, mut right, mut silent, mut inputs) = (Block::default(), 0, 0, 0);
    for input in oracle.txdata.iter().flat_map(|tx| &tx.input) {
        let witness: Vec<&[u8]> = input.witness.iter().collect();
        let shown = revealed(
            input.script_sig.as_bytes(),
            &witness,
            Rules { family: Family::Bitcoin, time: oracle.header.time },
        );
        inputs += usize::from(shown.is_some());
        let Some(tx) = made.get(&input.previous_output.txid) else { continue };
        let script = tx.output[input.previous_output.vout as usize].script_pubkey.as_bytes();
        block.clear();
        let key = key_of_script(script, Family::Bitcoin, &mut block);
        match shown {
            Some(shown) => {
                assert_eq!(shown.key(), block.bytes(key));
                right += 1;
            }
            None => silent += 1,
        }
    }
    assert!(right > 300 && silent < 10, "{right} right, {silent} silent");
    assert!(inputs > 6_400, "{inputs} of 6,517 inputs reveal an address");
}

#[test]
fn a_flipped_witness_bit_passes_the_merkle_root_and_is_found_by_the_witness_commitment() {
    let Some((_, bytes)) = real_block() else { return };
    let oracle: bitcoin::Block = deserialize(&bytes).unwrap();
    let witness = oracle.txdata.iter().skip(1).flat_map(|tx| &tx.input).find_map(|input| input.witness.nth(0)).unwrap();
    let at = bytes.windows(witness.len()).position(|window| window == witness).unwrap() + 20;
    let mut flipped = bytes.clone();
    flipped[at] ^= 1;
    let changed: bitcoin::Block = deserialize(&flipped).unwrap();
    assert!(changed.check_merkle_root() && !changed.check_witness_commitment());
    let mut block = Block::default();
    decode_block(&bytes, None, &MAIN, &mut block).unwrap();
    let fault = decode_block(&flipped, None, &MAIN, &mut block).unwrap_err();
    assert!(fault.why.contains("witness commitment"), "{fault:?}");
}

#[test]
fn no_flipped_bit_of_a_real_block_passes() {
    let Some((_, bytes)) = real_block() else { return };
    let mut block = Block::default();
    // Places all over the block, each another bit.
    for place in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        assert!(decode_block(&flipped, None, &MAIN, &mut block).is_err(), "byte {place}");
    }
    for cut in (0..bytes.len()).step_by(bytes.len() / 40) {
        assert!(decode_block(&bytes[..cut], None, &MAIN, &mut block).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_fault_names_file_offset_block_and_transaction() {
    let Some((_, mut bytes)) = real_block() else { return };
    let dir = tempfile::tempdir().unwrap();
    let cut = dir.path().join("cut.raw");
    bytes.truncate(bytes.len() - 100_000);
    std::fs::write(&cut, &bytes).unwrap();
    let error = load_files(&dir.path().join("room"), "btc", &[cut]).unwrap_err().to_string();
    let hash = "0000000000000000000";
    for part in ["cut.raw at byte 0", "block", hash, "transaction 2", "breaks off"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn block_and_undo_files_give_every_input_its_value_obfuscated_or_not() {
    for key in [None, Some(*b"\x01\x80\xfe\x7f\x00\xaa\x55\xc3")] {
        let dir = tempfile::tempdir().unwrap();
        let mut maker = Maker::new();
        let blocks = maker.varied_chain();
        core_files::write(dir.path(), 0, &blocks, key, true);
        let room = dir.path().join("room");
        let loaded = load_files(&room, "btc-regtest", &[dir.path().to_owned()]).unwrap();
        assert_eq!((loaded.blocks, loaded.faults.len()), (blocks.len() as u64, 0));
        core_files::compare(&utxo(&room, "btc-regtest"), &blocks);
        let again = load_files(&room, "btc-regtest", &[dir.path().to_owned()]).unwrap();
        assert_eq!((again.blocks, again.known), (0, blocks.len() as u64));
    }
}

#[test]
fn without_earlier_blocks_undo_files_give_values_and_owners_of_foreign_outputs() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let blocks = maker.varied_chain();
    let late = &blocks[blocks.len() - 2..];
    core_files::write(dir.path(), 7, late, None, true);
    load_files(&dir.path().join("room"), "btc-regtest", &[dir.path().join("blk00007.dat")]).unwrap();
    let with = utxo(&dir.path().join("room"), "btc-regtest");
    let mut row = 0;
    for made in late {
        for coin in made.spent.iter().flatten() {
            let input = with.input(row).unwrap();
            assert_eq!(input.value, Some(coin.value.to_sat()));
            let mut block = Block::default();
            let key = key_of_script(coin.script_pubkey.as_bytes(), Family::Bitcoin, &mut block);
            assert_eq!(with.address_key(input.address), Some(block.bytes(key)));
            row += 1;
        }
    }
    assert!(row > 5 && with.inputs() == row);
    assert!((0..with.txs()).all(|tx| !with.info(tx).unwrap().0.has(Flags::PARTIAL)));
    std::fs::remove_file(dir.path().join("rev00007.dat")).unwrap();
    load_files(&dir.path().join("other"), "btc-regtest", &[dir.path().join("blk00007.dat")]).unwrap();
    let without = utxo(&dir.path().join("other"), "btc-regtest");
    assert!((0..without.inputs()).any(|input| without.input(input).unwrap().address == UNKNOWN));
    assert!((1..without.txs()).any(|tx| without.info(tx).unwrap().0.has(Flags::PARTIAL)));
}

#[test]
fn the_branch_with_more_work_wins_and_one_too_deep_stops_with_both_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let trunk = maker.empty_chain(10);
    let mut other = maker.fork_at(5);
    let ours = maker.empty_chain(3);
    let theirs = other.empty_chain(12);
    core_files::write(&dir.path().join("ours"), 0, &[trunk.clone(), ours.clone()].concat(), None, true);
    core_files::write(&dir.path().join("theirs"), 0, &theirs, None, true);
    let (room, code) = (Room::open(&dir.path().join("room")), ChainCode::parse("btc-regtest").unwrap());
    let feed = |folder: &str, keep| {
        let source = Source::Blocks(vec![dir.path().join(folder)]);
        load(&room, &code, &source, &Options { keep }, &mut |_| ControlFlow::Continue(()))
    };
    feed("ours", 100).unwrap();
    let error = feed("theirs", 6).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Fork { common: 5, depth: 7, keep: 6, .. }), "{text}");
    assert!(text.contains(&trunk[6].hash()) && text.contains(&theirs[0].hash()) && text.contains("--to 5"), "{text}");
    let loaded = feed("theirs", 7).unwrap();
    assert_eq!((loaded.unwound, loaded.blocks), (7, 12));
    core_files::compare(&utxo(&dir.path().join("room"), "btc-regtest"), &[&trunk[..6], &theirs].concat());
    let loaded = feed("ours", 100).unwrap();
    assert_eq!((loaded.unwound, loaded.blocks, loaded.known, loaded.on_other_branches), (0, 0, 6, 7));
    unwind(&room, &code, 5).unwrap();
    feed("ours", 0).unwrap();
    core_files::compare(&utxo(&dir.path().join("room"), "btc-regtest"), &[trunk, ours].concat());
}

#[test]
fn a_damaged_block_of_a_longer_branch_takes_nothing_from_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let trunk = maker.empty_chain(6);
    let theirs = maker.fork_at(4).empty_chain(5);
    core_files::write(&dir.path().join("ours"), 0, &trunk, None, true);
    core_files::write(&dir.path().join("theirs"), 0, &theirs, None, true);
    let room = dir.path().join("room");
    load_files(&room, "btc-regtest", &[dir.path().join("ours")]).unwrap();
    let blk = dir.path().join("theirs/blk00000.dat");
    let mut bytes = std::fs::read(&blk).unwrap();
    bytes[8 + 80 + 60] ^= 1;
    std::fs::write(&blk, bytes).unwrap();
    assert!(load_files(&room, "btc-regtest", &[dir.path().join("theirs")]).is_err());
    core_files::compare(&utxo(&room, "btc-regtest"), &trunk);
}

#[test]
fn files_of_another_network_torn_or_without_their_key_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let blocks = Maker::new().empty_chain(4);
    let blk = dir.path().join("blk00000.dat");
    let refused = |code: &str, name: &str| {
        load_files(&dir.path().join(name), code, std::slice::from_ref(&blk)).unwrap_err().to_string()
    };
    core_files::write(dir.path(), 0, &blocks, None, true);
    let error = refused("btc", "a");
    assert!(error.contains("blk00000.dat at byte 0") && error.contains("btc-regtest"), "{error}");
    core_files::write(dir.path(), 0, &blocks, Some([3; 8]), true);
    std::fs::remove_file(dir.path().join("xor.dat")).unwrap();
    let error = refused("btc-regtest", "b");
    assert!(error.contains("xor.dat"), "{error}");
    core_files::write(dir.path(), 0, &blocks, None, true);
    let whole = std::fs::read(&blk).unwrap();
    std::fs::write(&blk, &whole[..whole.len() - 900]).unwrap();
    let loaded = load_files(&dir.path().join("c"), "btc-regtest", std::slice::from_ref(&blk)).unwrap();
    let fault = loaded.faults[0].to_string();
    assert!(loaded.blocks < 5 && fault.contains("breaks off"), "{fault}");
    assert_eq!(utxo(&dir.path().join("c"), "btc-regtest").store().blocks(), loaded.blocks);
}

#[test]
fn a_torn_undo_file_is_named_and_the_blocks_before_the_tear_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let blocks = Maker::new().varied_chain();
    core_files::write(dir.path(), 0, &blocks, None, true);
    let rev = dir.path().join("rev00000.dat");
    let bytes = std::fs::read(&rev).unwrap();
    std::fs::write(&rev, &bytes[..40]).unwrap();
    let room = dir.path().join("room");
    let error = load_files(&room, "btc-regtest", &[dir.path().to_owned()]).unwrap_err().to_string();
    assert!(error.contains("rev00000.dat at byte 0") && error.contains("breaks off"), "{error}");
    core_files::compare(&utxo(&room, "btc-regtest"), &blocks[..4]);
    std::fs::write(&rev, bytes).unwrap();
    load_files(&room, "btc-regtest", &[dir.path().to_owned()]).unwrap();
    core_files::compare(&utxo(&room, "btc-regtest"), &blocks);
}

#[test]
fn a_load_that_is_stopped_keeps_what_it_had_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let blocks = Maker::new().varied_chain();
    core_files::write(dir.path(), 0, &blocks, None, true);
    let (room, code) = (Room::open(&dir.path().join("room")), ChainCode::parse("btc-regtest").unwrap());
    let source = Source::Blocks(vec![dir.path().to_owned()]);
    let stop = &mut |progress: &Progress| {
        if progress.blocks == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    for (known, all) in [(0, false), (2, false), (4, false), (6, false), (8, true)] {
        let loaded = load(&room, &code, &source, &Options::default(), stop).unwrap();
        assert_eq!((loaded.known, loaded.stopped), (known, !all));
    }
    core_files::compare(&utxo(&dir.path().join("room"), "btc-regtest"), &blocks);
}

#[test]
fn blocks_that_do_not_join_the_record_are_refused_with_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let blocks = Maker::new().empty_chain(9);
    for (name, part) in [("a", 0..4), ("b", 6..9)] {
        core_files::write(&dir.path().join(name), 0, &blocks[part], None, true);
    }
    let room = dir.path().join("room");
    load_files(&room, "btc-regtest", &[dir.path().join("a")]).unwrap();
    let error = load_files(&room, "btc-regtest", &[dir.path().join("b")]).unwrap_err().to_string();
    assert!(error.contains("blocks 4 to 5 are missing"), "{error}");
}

#[test]
fn a_signature_that_does_not_sign_all_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new();
    let mut blocks = maker.empty_chain(3);
    let coin = blocks[1].coinbase_output();
    let signature = |sighash: u8| [&[0x30, 0x06, 0x02, 0x01, 1, 0x02, 0x01, 1][..], &[sighash]].concat();
    let sigs = [signature(0x01), signature(0x83)];
    let first = spend(&coin, &sigs[0], 2);
    blocks.push(maker.block(vec![first.clone()], vec![vec![coin.1.clone()]]));
    let second = spend(&(bitcoin::OutPoint::new(first.compute_txid(), 0), first.output[0].clone()), &sigs[1], 1);
    blocks.push(maker.block(vec![second], vec![vec![first.output[0].clone()]]));
    core_files::write(dir.path(), 0, &blocks, None, true);
    let room = dir.path().join("room");
    load_files(&room, "btc-regtest", &[dir.path().to_owned()]).unwrap();
    let chain = utxo(&room, "btc-regtest");
    let marked: Vec<u64> = (0..chain.txs()).filter(|tx| chain.info(*tx).unwrap().0.has(Flags::NOT_ALL)).collect();
    assert_eq!(marked, [chain.txs() - 1]);
}
