//! Mainnet block 702861: the shapes of 2,500 real transactions, without the values of their inputs, which a block does not say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use bitcoin::hashes::{Hash, sha256};
use bitcoin::script::Instruction;
use bitcoin::{Block, Script as Bytes, Transaction, TxIn, TxOut};
use money::chain::Family;
use money::cluster::shape::{Apart, CoinJoin, Input, Output, Script, Shape, Sighash, Verdict};
use std::path::PathBuf;

fn block() -> Option<Block> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("EYE_SHARED").map_or(beside, PathBuf::from);
    let Ok(raw) = std::fs::read(shared.join("data/blocks/mainnet_block_702861.raw")) else {
        println!("skipped: the shared data is absent");
        return None;
    };
    Some(bitcoin::consensus::deserialize(&raw).unwrap())
}

fn number(bytes: &[u8]) -> u64 {
    let hash = sha256::Hash::hash(bytes).to_byte_array();
    u64::from_le_bytes(hash[..8].try_into().unwrap())
}

fn pushes(script: &Bytes) -> Vec<Vec<u8>> {
    let pushed = |i: Result<Instruction<'_>, _>| i.ok()?.push_bytes().map(|b| b.as_bytes().to_vec());
    script.instructions().filter_map(pushed).collect()
}

fn input(of: &TxIn) -> Input {
    let items: Vec<Vec<u8>> = if of.witness.is_empty() { pushes(&of.script_sig) } else { of.witness.to_vec() };
    let signatures = items.iter().filter(|i| i.first() == Some(&0x30) && (9..=73).contains(&i.len()));
    let flags: Vec<Sighash> = signatures.map(|s| Sighash::of(Family::Bitcoin, s.last().copied())).collect();
    let sighash =
        if flags.contains(&Sighash::Partial) { Sighash::Partial } else { *flags.first().unwrap_or(&Sighash::Unknown) };
    let address = (items.len() > 1).then(|| number(items.last().unwrap()));
    Input { address, value: None, sighash, segwit: !of.witness.is_empty() }
}

fn output(of: &TxOut) -> Output {
    let script = &of.script_pubkey;
    let kind = if script.is_op_return() {
        Script::Data(pushes(script).first().and_then(|p| p.as_slice().try_into().ok()))
    } else if script.is_p2wsh() {
        Script::WitnessScript { two_of_two: None }
    } else {
        Script::Key
    };
    Output { value: of.value.to_sat(), script: number(script.as_bytes()), kind }
}

fn judge(of: &Transaction) -> Verdict {
    let inputs: Vec<Input> = of.input.iter().map(input).collect();
    let outputs: Vec<Output> = of.output.iter().map(output).collect();
    let (version, locktime) = (of.version.0, of.lock_time.to_consensus_u32());
    Shape { family: Family::Bitcoin, version, locktime, inputs: &inputs, outputs: &outputs }.judge()
}

#[test]
fn block_702861_has_seven_whirlpools_and_one_wasabi_of_a_hundred_inputs() {
    let Some(block) = block() else { return };
    assert_eq!(block.txdata.len(), 2_500);
    let verdicts: Vec<(&Transaction, Verdict)> = block.txdata.iter().map(|t| (t, judge(t))).collect();
    let called: Vec<_> = verdicts.iter().filter(|(_, v)| matches!(v, Verdict::CoinJoin { .. })).collect();
    assert_eq!(called.len(), 8);
    let whirlpool = |v: &Verdict| matches!(v, Verdict::CoinJoin { kind: CoinJoin::Whirlpool, participants: 5, .. });
    let pools: Vec<_> = called.iter().filter(|(_, v)| whirlpool(v)).collect();
    assert_eq!(pools.len(), 7);
    assert!(pools.iter().all(|(t, _)| t.input.len() == 5 && t.output.len() == 5));
    let (wasabi, verdict) = called.iter().find(|(_, v)| !whirlpool(v)).unwrap();
    assert_eq!((wasabi.input.len(), wasabi.output.len()), (100, 122));
    let want = Verdict::CoinJoin {
        kind: CoinJoin::Wasabi11,
        participants: 60,
        denomination: 10_944_832,
        values_checked: false,
    };
    assert_eq!(*verdict, want);
}

#[test]
fn block_702861_loses_few_merges_to_shapes_that_are_no_coinjoin() {
    let Some(block) = block() else { return };
    let several: Vec<&Transaction> = block.txdata.iter().filter(|t| t.input.len() > 1).collect();
    let apart: Vec<Apart> =
        several.iter().filter_map(|t| if let Verdict::Apart(why) = judge(t) { Some(why) } else { None }).collect();
    println!("{} of {} transactions with several inputs are kept apart: {apart:?}", apart.len(), several.len());
    assert!(apart.len() * 50 < several.len(), "less than 2 %");
}
