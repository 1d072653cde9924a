//! Litecoin and Bitcoin Cash: blocks that Bitcoin's readers refuse, or read as something else. Transactions are EXERCISE ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Txid,
    Witness,
};
use money::chain::*;
use money::cluster::{CoSpends, Reason};
use money::columns::{Block, Flags, Mode, Token, Utxo};
use std::ops::ControlFlow;
use std::path::Path;

const COIN: u64 = 100_000_000;
/// After tokens began (15 May 2023).
const NOW: u32 = 1_700_000_000;

fn tx(inputs: &[(OutPoint, &[u8])], outputs: &[(u64, Vec<u8>)]) -> Transaction {
    let input = inputs.iter().map(|(from, script)| TxIn {
        previous_output: *from,
        script_sig: script.to_vec().into(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    });
    let output = outputs
        .iter()
        .map(|(sat, script)| TxOut { value: Amount::from_sat(*sat), script_pubkey: ScriptBuf::from(script.clone()) });
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: input.collect(),
        output: output.collect(),
    }
}

fn out(of: &Transaction, vout: u32) -> OutPoint {
    OutPoint::new(of.compute_txid(), vout)
}

fn coinbase(height: u8) -> Transaction {
    tx(&[(OutPoint::null(), &[0x50 + height, 0x01, 0x07])], &[(50 * COIN, p2pkh(1))])
}

fn p2pkh(n: u8) -> Vec<u8> {
    [&[0x76, 0xa9, 20][..], &[n; 20], &[0x88, 0xac]].concat()
}

fn witness_program(version: u8, n: u8) -> Vec<u8> {
    [&[0x50 + version, 32][..], &[n; 32]].concat()
}

/// A HogEx as Litecoin writes it: marker, the extension block's flag, and a zero where a transaction of it would stand.
fn hog(of: &Transaction) -> Vec<u8> {
    let plain = serialize(of);
    let (version, rest) = plain.split_at(4);
    let (body, locktime) = rest.split_at(rest.len() - 4);
    [version, &[0, 8], body, &[0], locktime].concat()
}

/// A raw block over transactions as they are written, with proof of work for the network.
fn block(
    network: Network,
    parent: BlockHash,
    ids: &[Txid],
    written: &[Vec<u8>],
    behind: &[u8],
) -> (BlockHash, Vec<u8>) {
    let root = merkle_root(ids.iter().map(|id| *id.as_raw_hash().as_byte_array()).collect()).unwrap();
    let mut header = Header {
        version: Version::TWO,
        prev_blockhash: parent,
        merkle_root: TxMerkleNode::from_byte_array(root),
        time: NOW,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    while !money::chain::Header::parse(&serialize(&header)).unwrap().worked(network) {
        header.nonce += 1;
    }
    let bytes = [&serialize(&header)[..], &[written.len() as u8], &written.concat(), behind].concat();
    (header.block_hash(), bytes)
}

/// A chain of one transaction list a block, the last of a block perhaps a HogEx.
fn chain(network: Network, blocks: &[Vec<Transaction>], hogs: bool) -> Vec<Vec<u8>> {
    let mut parent = BlockHash::all_zeros();
    let raw = (0u8..).zip(blocks).map(|(height, txs)| {
        let all: Vec<Transaction> = std::iter::once(coinbase(height)).chain(txs.iter().cloned()).collect();
        let ids: Vec<Txid> = all.iter().map(Transaction::compute_txid).collect();
        let mut written: Vec<Vec<u8>> = all.iter().map(serialize).collect();
        let with_hog = hogs && !txs.is_empty();
        if with_hog {
            *written.last_mut().unwrap() = hog(all.last().unwrap());
        }
        let (hash, bytes) =
            block(network, parent, &ids, &written, if with_hog { b"\x01EXERCISE extension block" } else { b"" });
        parent = hash;
        bytes
    });
    raw.collect()
}

fn load_raw(dir: &Path, code: &str, blocks: &[Vec<u8>]) -> Utxo {
    let files = (0..).zip(blocks).map(|(n, bytes)| {
        let path = dir.join(format!("{n}.raw"));
        std::fs::write(&path, bytes).unwrap();
        path
    });
    let (room, code, files) = (Room::open(&dir.join("room")), ChainCode::parse(code).unwrap(), files.collect());
    let loaded =
        load(&room, &code, &Source::Blocks(files), &Options::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((loaded.blocks, loaded.faults.len()), (blocks.len() as u64, 0), "{:?}", loaded.faults);
    match room.chain(&code, Mode::Read).unwrap() {
        Chain::Utxo(utxo, _) => utxo,
        Chain::Accounts(_) => panic!("not a chain of blocks"),
    }
}

/// Two peg-ins, the HogEx that takes them in, and the next HogEx, which pays one out.
fn litecoin() -> Vec<Vec<Transaction>> {
    let coins = [coinbase(0), coinbase(1)];
    let pegs: Vec<Transaction> = (0u8..)
        .zip(&coins)
        .map(|(n, coin)| {
            tx(&[(out(coin, 0), b"\x01\x01")], &[(50 * COIN - 1000, witness_program(9, n)), (100, p2pkh(2))])
        })
        .collect();
    let first = tx(&[(out(&pegs[0], 0), b""), (out(&pegs[1], 0), b"")], &[(100 * COIN - 3000, witness_program(8, 1))]);
    let second = tx(&[(out(&first, 0), b"")], &[(90 * COIN, witness_program(8, 2)), (10 * COIN - 5000, p2pkh(3))]);
    vec![vec![], vec![], vec![pegs[0].clone(), pegs[1].clone(), first], vec![second]]
}

#[test]
fn litecoins_hog_ex_is_read_by_the_id_that_its_plain_form_has_and_marked() {
    let txs = litecoin();
    let dir = tempfile::tempdir().unwrap();
    let chain = load_raw(dir.path(), "ltc-regtest", &chain(Network::LitecoinRegtest, &txs, true));
    for (hog, inputs, paid) in [(&txs[2][2], 2, 100 * COIN - 3000), (&txs[3][0], 1, 90 * COIN)] {
        let mut id = *hog.compute_txid().as_raw_hash().as_byte_array();
        id.reverse();
        let number = chain.find_tx(&id).unwrap();
        let (flags, weight) = chain.info(number).unwrap();
        assert!(flags.has(Flags::HOG_EX) && !flags.has(Flags::PARTIAL) && !flags.has(Flags::SEGWIT));
        assert_eq!(u64::from(weight), hog.weight().to_wu());
        assert_eq!(chain.inputs_of(number).count(), inputs);
        let (address, value) = chain.output(chain.outputs_of(number).start).unwrap();
        assert_eq!((chain.address_key(address).unwrap()[..2].to_vec(), value), (vec![7, 8], paid));
    }
    let apart = CoSpends::of(&chain).unwrap().reasons;
    assert_eq!(apart.into_iter().collect::<Vec<_>>(), [(Reason::Apart("hog-ex"), 1)], "peg-ins are not one party's");
    let others = (0..chain.txs()).filter(|tx| !chain.info(*tx).unwrap().0.has(Flags::HOG_EX)).count();
    assert_eq!(others, 6, "no other transaction is marked");
    let (address, _) = chain.output(chain.outputs() - 1).unwrap();
    let text = address_text(chain.address_key(address).unwrap(), Network::Litecoin).unwrap();
    assert!(text.starts_with('L'), "{text}");
}

#[test]
fn a_hog_ex_that_is_not_the_last_or_has_no_extension_block_is_refused_and_bitcoin_knows_none() {
    let txs = litecoin();
    let good = chain(Network::LitecoinRegtest, &txs, true).pop().unwrap();
    let mut block = Block::default();
    let all = Checks::all(Network::LitecoinRegtest);
    decode_block(&good, None, &all, &mut block).unwrap();
    let why = |bytes: &[u8], checks: &Checks| decode_block(bytes, None, checks, &mut Block::default()).unwrap_err().why;
    let cut = good.len() - b"\x01EXERCISE extension block".len();
    assert!(why(&good[..cut], &all).contains("extension block behind the HogEx is missing"));
    assert!(why(&[&good[..cut], &[0]].concat(), &all).contains("extension block behind the HogEx is missing"));
    let bitcoin = Checks { network: Network::Regtest, work: false };
    assert!(why(&good, &bitcoin).contains("SegWit flag 8"));
    let (coin, last) = (coinbase(3), &txs[3][0]);
    let ids = [coin.compute_txid(), last.compute_txid(), coin.compute_txid()];
    let written = [serialize(&coin), hog(last), serialize(&coin)];
    let (_, early) = crate::block(Network::LitecoinRegtest, BlockHash::all_zeros(), &ids, &written, b"\x01x");
    assert!(why(&early, &all).contains("stands behind the HogEx"));
    let mut carrying = good.clone();
    let zero = cut - 5;
    assert_eq!(carrying[zero], 0);
    carrying[zero] = 1;
    assert!(why(&carrying, &all).contains("which no block may"));
}

#[test]
fn litecoins_proof_of_work_is_scrypts_and_not_the_hash_that_names_the_block() {
    let mut nonces = [0u32; 2];
    for (network, nonce) in [Network::LitecoinRegtest, Network::Regtest].into_iter().zip(&mut nonces) {
        let coin = coinbase(0);
        let made = block(network, BlockHash::all_zeros(), &[coin.compute_txid()], &[serialize(&coin)], b"");
        *nonce = u32::from_le_bytes(made.1[76..80].try_into().unwrap());
        assert!(decode_block(&made.1, None, &Checks::all(network), &mut Block::default()).is_ok());
    }
    let header = |nonce: u32| {
        let coin = coinbase(0);
        let mut bytes =
            block(Network::Regtest, BlockHash::all_zeros(), &[coin.compute_txid()], &[serialize(&coin)], b"").1;
        bytes[76..80].copy_from_slice(&nonce.to_le_bytes());
        money::chain::Header::parse(&bytes).unwrap()
    };
    let both = |network| (0..64).filter(move |nonce| header(*nonce).worked(network)).collect::<Vec<u32>>();
    assert_ne!(both(Network::LitecoinRegtest), both(Network::Regtest));
}

fn token(category: u8, bits: u8, more: &[u8], script: Vec<u8>) -> Vec<u8> {
    [&[0xef][..], &[category; 32], &[bits], more, &script].concat()
}

/// A fusion of two people's coins, and tokens on both kinds of script.
fn bitcoin_cash() -> Vec<Vec<Transaction>> {
    let coins = [coinbase(0), coinbase(1)];
    let (key, signature) = ([&[2][..], &[7; 32]].concat(), [&[9; 64][..], &[0x41]].concat());
    let script = [&[65][..], &signature, &[33], &key].concat();
    let marked = [&[0x6a, 4][..], b"FUZ\0", &[32], &[5; 32]].concat();
    let fusion = tx(
        &[(out(&coins[0], 0), &script), (out(&coins[1], 0), &script)],
        &[(0, marked), (60 * COIN, p2pkh(4)), (40 * COIN - 900, p2pkh(5))],
    );
    let script_hash = [&[0xaa, 32][..], &[8; 32], &[0x87]].concat();
    let tokens = tx(
        &[(out(&fusion, 1), &script)],
        &[
            (1000, token(0xbb, 0x10, &[0xfd, 0xe8, 3], p2pkh(6))),
            (1000, token(0xcc, 0x72, &[2, 1, 2, 7], script_hash)),
            (59 * COIN, p2pkh(7)),
        ],
    );
    let sale = [&signature[..64], &[0xc1]].concat();
    let sale = tx(&[(out(&tokens, 2), &[&[65][..], &sale, &[33], &key].concat())], &[(58 * COIN, p2pkh(7))]);
    vec![vec![], vec![], vec![fusion], vec![tokens], vec![sale]]
}

#[test]
fn bitcoin_cash_keeps_tokens_beside_the_address_behind_them() {
    let txs = bitcoin_cash();
    let dir = tempfile::tempdir().unwrap();
    let chain = load_raw(dir.path(), "bch-regtest", &chain(Network::BitcoinCashRegtest, &txs, false));
    let mut id = *txs[3][0].compute_txid().as_raw_hash().as_byte_array();
    id.reverse();
    let first = chain.outputs_of(chain.find_tx(&id).unwrap()).start;
    assert_eq!(chain.tokens_of(first), Some(Token { category: [0xbb; 32], bits: 0x10, amount: 1000 }));
    assert_eq!(chain.tokens_of(first + 1), Some(Token { category: [0xcc; 32], bits: 0x72, amount: 7 }));
    assert_eq!(chain.tokens_of(first + 2), None);
    assert_eq!((0..chain.outputs()).filter(|output| chain.tokens_of(*output).is_some()).count(), 2);
    let key = |output| chain.address_key(chain.output(output).unwrap().0).unwrap().to_vec();
    assert_eq!((key(first), key(first + 1)), ([&[1][..], &[6; 20]].concat(), [&[9][..], &[8; 32]].concat()));
    let text = address_text(&key(first), Network::BitcoinCash).unwrap();
    assert!(text.len() == 42 && text.starts_with('q'), "{text}");
    assert!(address_text(&key(first + 1), Network::BitcoinCash).unwrap().starts_with('p'));
    chain.store().verify().unwrap();
}

#[test]
fn a_transaction_may_stand_before_the_one_whose_output_it_spends() {
    // Bitcoin Cash orders a block's transactions by their ids (November 2018).
    let made = tx(&[(out(&coinbase(0), 0), b"\x01\x01")], &[(50 * COIN, p2pkh(2))]);
    let spends = tx(&[(out(&made, 0), b"\x01\x02")], &[(49 * COIN, p2pkh(3))]);
    let dir = tempfile::tempdir().unwrap();
    let blocks = chain(Network::BitcoinCashRegtest, &[vec![], vec![spends.clone(), made.clone()]], false);
    let chain = load_raw(dir.path(), "bch-regtest", &blocks);
    assert!((0..chain.txs()).all(|tx| !chain.info(tx).unwrap().0.has(Flags::PARTIAL)));
    let mut id = *spends.compute_txid().as_raw_hash().as_byte_array();
    id.reverse();
    let input = chain.input(chain.inputs_of(chain.find_tx(&id).unwrap()).start).unwrap();
    assert_eq!((chain.tx_of_output(input.output.unwrap()), input.value), (Some(3), Some(50 * COIN)));
    assert_eq!(chain.spent_by(input.output.unwrap()), Some(0));
}

#[test]
fn a_cash_fusion_is_marked_and_only_signatures_that_sign_less_are() {
    let txs = bitcoin_cash();
    let dir = tempfile::tempdir().unwrap();
    let chain = load_raw(dir.path(), "bch-regtest", &chain(Network::BitcoinCashRegtest, &txs, false));
    let flags: Vec<(bool, bool)> = (0..chain.txs())
        .map(|tx| chain.info(tx).unwrap().0)
        .filter(|flags| !flags.has(Flags::COINBASE))
        .map(|flags| (flags.has(Flags::CASH_FUSION), flags.has(Flags::NOT_ALL)))
        .collect();
    assert_eq!(flags, [(true, false), (false, false), (false, true)]);
    let fused = |tx: &u64| chain.info(*tx).unwrap().0.has(Flags::CASH_FUSION);
    let fusion = (0..chain.txs()).find(fused).unwrap();
    assert!(!CoSpends::unites(&chain, fusion), "those who fuse their coins are not one party");
}

#[test]
fn an_uncompressed_key_of_bitcoin_cash_is_no_signature_whatever_its_last_byte() {
    let rules = Rules { family: Family::BitcoinCash, time: NOW };
    let secp = bitcoin::secp256k1::Secp256k1::new();
    let keys =
        (1..=254u8).map(|seed| bitcoin::secp256k1::SecretKey::from_slice(&[seed; 32]).unwrap().public_key(&secp));
    let keys: Vec<[u8; 65]> = keys.map(|key| key.serialize_uncompressed()).collect();
    assert!(keys.iter().any(|key| matches!(key[64], 0x42 | 0x43 | 0xc1..=0xc3)), "some end as a signature may");
    assert!(keys.iter().all(|key| !rules.signs_less(key)));
    assert!(
        rules.signs_less(&[&[9; 64][..], &[0xc1]].concat()) && !rules.signs_less(&[&[9; 64][..], &[0x41]].concat())
    );
}

#[test]
fn a_schnorr_signature_shows_its_key_on_bitcoin_cash_alone() {
    let signature = [&[9; 64][..], &[0x41]].concat();
    let key = [&[2][..], &[7; 32]].concat();
    let script = [&[65][..], &signature, &[33], &key].concat();
    let shown = |family| revealed(&script, &[], Rules { family, time: NOW }).map(|shown| shown.key());
    assert_eq!(shown(Family::BitcoinCash), Some([&[1][..], &hash160(&key)].concat()));
    assert_eq!(shown(Family::Bitcoin), None);
}

#[test]
fn a_script_of_bitcoin_cash_is_not_guessed_once_its_hash_may_have_two_lengths() {
    let script = [&[33][..], &[2], &[7; 32], &[0xac]].concat();
    let spends = [&[1][..], &[1], &[script.len() as u8], &script].concat();
    let at = |family, time| revealed(&spends, &[], Rules { family, time }).is_some();
    assert!(at(Family::BitcoinCash, 1_600_000_000) && at(Family::Bitcoin, NOW));
    assert!(!at(Family::BitcoinCash, NOW));
}

#[test]
fn a_witness_on_bitcoin_cash_is_of_another_chain() {
    let mut spend = tx(&[(out(&coinbase(0), 0), b"")], &[(1, p2pkh(2))]);
    spend.input[0].witness = Witness::from_slice(&[[1u8; 32]]);
    let coin = coinbase(1);
    let ids = [coin.compute_txid(), spend.compute_txid()];
    let written = [serialize(&coin), serialize(&spend)];
    let (_, bytes) = block(Network::BitcoinCashRegtest, BlockHash::all_zeros(), &ids, &written, b"");
    let fault =
        decode_block(&bytes, None, &Checks::all(Network::BitcoinCashRegtest), &mut Block::default()).unwrap_err();
    assert!(fault.tx == Some(1) && fault.why.contains("another chain"), "{fault:?}");
}
