//! Regtest blocks, and the files that Bitcoin Core would write of them: `blk*.dat`, `rev*.dat`, `xor.dat`.

#![allow(dead_code)] // each test uses some of it

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::script::Builder;
use bitcoin::{Amount, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness};
use money::chain::{Family, key_of_script};
use money::columns::{Block, Utxo};
use std::path::Path;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
const COIN: u64 = 100_000_000;

/// A block and what its transactions but the coinbase spend.
#[derive(Clone)]
pub struct Made {
    pub block: bitcoin::Block,
    pub height: u64,
    pub spent: Vec<Vec<TxOut>>,
}

impl Made {
    pub fn hash(&self) -> String {
        self.block.block_hash().to_string()
    }

    pub fn coinbase_output(&self) -> (OutPoint, TxOut) {
        let tx = &self.block.txdata[0];
        (OutPoint::new(tx.compute_txid(), 0), tx.output[0].clone())
    }
}

/// Mines blocks on regtest.
#[derive(Clone)]
pub struct Maker {
    parents: Vec<bitcoin::BlockHash>,
    salt: u8,
}

impl Maker {
    pub fn new() -> Maker {
        Maker { parents: vec![bitcoin::BlockHash::all_zeros()], salt: 0 }
    }

    /// Goes on from regtest's own first block.
    pub fn after_the_first() -> Maker {
        let first = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
        Maker { parents: vec![bitcoin::BlockHash::all_zeros(), first.block_hash()], salt: 0 }
    }

    /// Another miner, who goes on from the block at `height`.
    pub fn fork_at(&self, height: usize) -> Maker {
        Maker { parents: self.parents[..height + 2].to_vec(), salt: self.salt + 1 }
    }

    pub fn empty_chain(&mut self, n: usize) -> Vec<Made> {
        (0..n).map(|_| self.block(Vec::new(), Vec::new())).collect()
    }

    pub fn block(&mut self, txs: Vec<Transaction>, spent: Vec<Vec<TxOut>>) -> Made {
        let height = self.parents.len() as u64 - 1;
        let mut txdata = vec![self.coinbase(height)];
        txdata.extend(txs);
        let commit = txdata.iter().any(|tx| tx.input.iter().any(|input| !input.witness.is_empty()));
        let mut block = bitcoin::Block {
            header: Header {
                version: Version::TWO,
                prev_blockhash: *self.parents.last().unwrap(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: 1_600_000_000 + height as u32,
                bits: CompactTarget::from_consensus(0x207f_ffff),
                nonce: 0,
            },
            txdata,
        };
        if commit {
            block.txdata[0].input[0].witness = Witness::from_slice(&[[0u8; 32]]);
            let root = block.witness_root().unwrap();
            let commitment = bitcoin::Block::compute_witness_commitment(&root, &[0; 32]);
            let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], commitment.as_ref()].concat();
            block.txdata[0].output.push(TxOut { value: Amount::ZERO, script_pubkey: script.into() });
        }
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        self.parents.push(block.block_hash());
        Made { block, height, spent }
    }

    fn coinbase(&self, height: u64) -> Transaction {
        let script = Builder::new().push_int(height as i64).push_slice([self.salt; 4]).into_script();
        let input = TxIn {
            previous_output: OutPoint::null(),
            script_sig: script,
            sequence: Sequence::MAX,
            witness: Witness::new(),
        };
        transaction(
            vec![input],
            vec![TxOut { value: Amount::from_sat(50 * COIN), script_pubkey: scripts()[0].clone() }],
        )
    }

    /// Coins of every kind of script, made in one block and spent in the next ones.
    pub fn varied_chain(&mut self) -> Vec<Made> {
        let mut blocks = self.empty_chain(4);
        let coin = blocks[1].coinbase_output();
        let amounts = [1, 10, 123_456_789, 5 * COIN, 546, 1_000_000, 99_999_999, 7, 300, 21];
        let output = scripts().into_iter().zip(amounts);
        let output = output.map(|(script_pubkey, sat)| TxOut { value: Amount::from_sat(sat), script_pubkey }).collect();
        let fan = transaction(vec![input(coin.0, b"\x01\x01", &[])], output);
        blocks.push(self.block(vec![fan.clone()], vec![vec![coin.1]]));
        blocks.extend(self.empty_chain(2));
        let outpoint = |vout: usize| OutPoint::new(fan.compute_txid(), vout as u32);
        for half in [0..5, 5..scripts().len()] {
            let inputs = half.clone().map(|vout| input(outpoint(vout), b"", &[b"\x01witness"])).collect();
            let tx =
                transaction(inputs, vec![TxOut { value: Amount::from_sat(8), script_pubkey: scripts()[1].clone() }]);
            blocks.push(self.block(vec![tx], vec![half.map(|vout| fan.output[vout].clone()).collect()]));
        }
        blocks
    }
}

/// One script of each kind.
fn scripts() -> Vec<ScriptBuf> {
    let secp = bitcoin::secp256k1::Secp256k1::new();
    let key = bitcoin::secp256k1::SecretKey::from_slice(&[7; 32]).unwrap().public_key(&secp);
    let (short, long) = (key.serialize(), key.serialize_uncompressed());
    let raw: Vec<Vec<u8>> = vec![
        [&[0x76, 0xa9, 20][..], &[1; 20], &[0x88, 0xac]].concat(),
        [&[0xa9, 20][..], &[2; 20], &[0x87]].concat(),
        [&[33][..], &short, &[0xac]].concat(),
        [&[65][..], &long, &[0xac]].concat(),
        [&[0, 20][..], &[3; 20]].concat(),
        [&[0, 32][..], &[4; 32]].concat(),
        [&[0x51, 32][..], &[5; 32]].concat(),
        [&[0x51, 33][..], &short, &[0x51, 0xae]].concat(),
        vec![0x51],
        [&[0x51, 2][..], b"Ns"].concat(),
    ];
    raw.into_iter().map(ScriptBuf::from).collect()
}

fn input(previous_output: OutPoint, script_sig: &[u8], witness: &[&[u8]]) -> TxIn {
    TxIn {
        previous_output,
        script_sig: script_sig.to_vec().into(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(witness),
    }
}

fn transaction(input: Vec<TxIn>, output: Vec<TxOut>) -> Transaction {
    Transaction { version: bitcoin::transaction::Version::TWO, lock_time: LockTime::ZERO, input, output }
}

/// Spends a coin with one signature, to an output of `sat`.
pub fn spend((from, _): &(OutPoint, TxOut), signature: &[u8], sat: u64) -> Transaction {
    let script = [&[signature.len() as u8][..], signature].concat();
    let output = TxOut { value: Amount::from_sat(sat), script_pubkey: scripts()[0].clone() };
    transaction(vec![input(*from, &script, &[])], vec![output])
}

/// Writes `blk` and `rev` files: blocks and undo data each in an order of their own, room left at the end.
pub fn write(dir: &Path, number: u32, blocks: &[Made], key: Option<[u8; 8]>, undo: bool) {
    std::fs::create_dir_all(dir).unwrap();
    let (mut blk, mut rev) = (Vec::new(), Vec::new());
    let mut shuffled: Vec<&Made> = blocks.iter().collect();
    if shuffled.len() > 3 {
        shuffled.swap(1, 3);
    }
    for made in shuffled {
        let bytes = serialize(&made.block);
        blk.extend(MAGIC);
        blk.extend((bytes.len() as u32).to_le_bytes());
        blk.extend(bytes);
    }
    for made in blocks.iter().rev().filter(|made| made.height > 0) {
        let bytes = undo_of(made);
        rev.extend(MAGIC);
        rev.extend((bytes.len() as u32).to_le_bytes());
        let hashed = [made.block.header.prev_blockhash.as_ref(), bytes.as_slice()].concat();
        rev.extend(bytes);
        rev.extend(sha256d::Hash::hash(&hashed).to_byte_array());
    }
    for (name, mut bytes) in [("blk", blk), ("rev", rev)] {
        if let Some(key) = key {
            bytes.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
            std::fs::write(dir.join("xor.dat"), key).unwrap();
        }
        bytes.extend([0; 500]);
        if name == "blk" || undo {
            std::fs::write(dir.join(format!("{name}{number:05}.dat")), bytes).unwrap();
        }
    }
}

fn undo_of(made: &Made) -> Vec<u8> {
    let mut bytes = vec![made.spent.len() as u8];
    for coins in &made.spent {
        bytes.push(coins.len() as u8);
        for coin in coins {
            bytes.extend(varint(made.height * 2));
            bytes.push(0);
            bytes.extend(varint(compressed(coin.value.to_sat())));
            bytes.extend(compressed_script(coin.script_pubkey.as_bytes()));
        }
    }
    bytes
}

/// `WriteVarInt` of Core's `serialize.h`.
fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = vec![(n & 0x7f) as u8];
    while n > 0x7f {
        n = (n >> 7) - 1;
        bytes.push((n & 0x7f) as u8 | 0x80);
    }
    bytes.reverse();
    bytes
}

/// `CompressAmount` of Core's `compressor.cpp`.
fn compressed(mut n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    let mut e = 0;
    while n.is_multiple_of(10) && e < 9 {
        n /= 10;
        e += 1;
    }
    if e < 9 { 1 + ((n / 10) * 9 + n % 10 - 1) * 10 + e } else { 1 + (n - 1) * 10 + 9 }
}

/// `CompressScript` of Core's `compressor.cpp`.
fn compressed_script(script: &[u8]) -> Vec<u8> {
    match script {
        [0x76, 0xa9, 20, hash @ .., 0x88, 0xac] if hash.len() == 20 => [&[0], hash].concat(),
        [0xa9, 20, hash @ .., 0x87] if hash.len() == 20 => [&[1], hash].concat(),
        [33, key @ .., 0xac] if key.len() == 33 => key.to_vec(),
        [65, key @ .., 0xac] if key.len() == 65 => [&[4 | (key[64] & 1)], &key[1..33]].concat(),
        other => [varint(other.len() as u64 + 6).as_slice(), other].concat(),
    }
}

/// Compares what is on record with the blocks it was made of: every value, every owner, every spend.
pub fn compare(chain: &Utxo, blocks: &[Made]) {
    assert_eq!(chain.store().blocks(), blocks.len() as u64);
    let (mut number, mut row) = (0, 0);
    for made in blocks {
        for (place, tx) in made.block.txdata.iter().enumerate() {
            assert_eq!(chain.outputs_of(number).count(), tx.output.len());
            for (output, given) in chain.outputs_of(number).zip(&tx.output) {
                let mut block = Block::default();
                let key = key_of_script(given.script_pubkey.as_bytes(), Family::Bitcoin, &mut block);
                let (address, value) = chain.output(output).unwrap();
                assert_eq!(value, given.value.to_sat());
                assert_eq!(chain.address_key(address).unwrap_or_default(), block.bytes(key));
            }
            for coin in place.checked_sub(1).map(|i| made.spent[i].as_slice()).unwrap_or_default() {
                let input = chain.input(row).unwrap();
                assert_eq!(input.value, Some(coin.value.to_sat()));
                assert_eq!(chain.output(input.output.unwrap()), Some((input.address, coin.value.to_sat())));
                assert_eq!(chain.spent_by(input.output.unwrap()), Some(row));
                row += 1;
            }
            number += 1;
        }
    }
    assert_eq!((chain.txs(), chain.inputs()), (number, row));
    chain.store().verify().unwrap();
}
