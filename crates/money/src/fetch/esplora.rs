//! Esplora's answers (Blockstream's `esplora/API.md`, and what answers alike): a transaction in JSON becomes the bytes that its id is
//! the hash of, so an endpoint cannot tell another one than was asked for. Only what its inputs spent has to be believed.
use crate::chain::{Coin, Family, Header, Network, decode_some, sha256d};
use crate::columns::{Block, Prevout};
use crate::hash::reversed;
use crate::node::without_text;
use serde::Deserialize;

/// No answer tells of more transactions, or of more outputs of one.
const MOST: usize = 100_000;
/// Most blocks of one list; servers give 10 or 15.
const MAX_BLOCKS: usize = 100;
/// No Merkle branch is longer.
const DEEPEST: usize = 32;

#[derive(Deserialize)]
struct Told {
    txid: String,
    version: i64,
    locktime: u32,
    vin: Vec<Vin>,
    vout: Vec<Vout>,
    status: Status,
}

#[derive(Deserialize)]
struct Vin {
    txid: String,
    vout: u32,
    prevout: Option<Vout>,
    #[serde(default)]
    scriptsig: String,
    #[serde(default)]
    witness: Vec<String>,
    #[serde(default)]
    is_coinbase: bool,
    sequence: u32,
}

#[derive(Deserialize)]
struct Vout {
    scriptpubkey: String,
    value: u64,
}

/// Where a transaction stands.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    confirmed: bool,
    block_height: Option<u64>,
    block_hash: Option<String>,
    block_time: Option<u32>,
}

#[derive(Deserialize)]
struct Spent {
    spent: bool,
    txid: Option<String>,
    vin: Option<u32>,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Address {
    chain_stats: Stats,
}

#[derive(Deserialize)]
struct Proof {
    block_height: u64,
    merkle: Vec<String>,
    pos: u64,
}

/// The block that a transaction stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InBlock {
    /// Its height.
    pub height: u64,
    /// Its hash, as it is displayed.
    pub hash: [u8; 32],
    /// Unix seconds, as its header says.
    pub time: u32,
}

/// A transaction as an endpoint tells it, its id verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UtxoTx {
    /// Its id, as it is displayed.
    pub id: [u8; 32],
    /// Its bytes.
    pub raw: Vec<u8>,
    /// Whether it makes new coins.
    pub coinbase: bool,
    /// What its inputs spend.
    pub inputs: Vec<Prevout>,
    /// The coins that its inputs spend, where all are told.
    pub coins: Option<Vec<Coin>>,
    /// Its outputs.
    pub outputs: Vec<Coin>,
    /// Where it stands; `None` when no block has it yet.
    pub block: Option<InBlock>,
}

/// What became of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outspend {
    /// Nobody spent it.
    Unspent,
    /// This transaction's input did, in this block or in none yet.
    By([u8; 32], u32, Option<InBlock>),
}

/// Counts and sums of an address, in blocks alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Stats {
    /// How many transactions name it.
    pub tx_count: u64,
    /// What it received.
    pub funded_txo_sum: u64,
    /// What it spent.
    pub spent_txo_sum: u64,
}

fn json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("cannot be read ({})", without_text(&error)))
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text.trim(), &mut hash).map(|()| hash).map_err(|_| "a hash cannot be read".to_owned())
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    hex::decode(text).map_err(|_| "a script cannot be read".to_owned())
}

impl Status {
    fn block(&self) -> Result<Option<InBlock>, String> {
        let told = (self.block_height, self.block_hash.as_deref(), self.block_time);
        match (self.confirmed, told) {
            (false, _) => Ok(None),
            (true, (Some(height), Some(text), Some(time))) => Ok(Some(InBlock { height, hash: hash(text)?, time })),
            (true, _) => Err("it is said to be in a block, and not in which".into()),
        }
    }
}

/// Reads a transaction and verifies its id; `wanted` is the one that was asked for.
///
/// # Errors
/// What cannot be read, and a transaction that is not what it says it is.
pub fn read_tx(text: &str, wanted: &[u8; 32], family: Family) -> Result<UtxoTx, String> {
    let tx = verified(json(text)?, family)?;
    if tx.id != *wanted {
        return Err(format!("the endpoint told transaction {} in its place", hex::encode(tx.id)));
    }
    Ok(tx)
}

/// Reads a page of an address's transactions.
///
/// # Errors
/// As [`read_tx`].
pub fn read_page(text: &str, family: Family) -> Result<Vec<UtxoTx>, String> {
    let told: Vec<Told> = json(text)?;
    if told.len() > MOST {
        return Err("tells more transactions than a page has".into());
    }
    told.into_iter().map(|told| verified(told, family)).collect()
}

/// A transaction whose bytes have the id that it says.
fn verified(told: Told, family: Family) -> Result<UtxoTx, String> {
    let id = hash(&told.txid)?;
    let named = |why: String| format!("transaction {}: {why}", hex::encode(id));
    if told.vin.len() > MOST || told.vout.len() > MOST {
        return Err(named("it has more inputs or outputs than a block can".into()));
    }
    let raw = raw(&told).map_err(named)?;
    let block = told.status.block().map_err(named)?;
    let coinbase = told.vin.iter().any(|vin| vin.is_coinbase);
    let coin = |out: &Vout| Ok::<_, String>(Coin { value: out.value, script: bytes(&out.scriptpubkey)? });
    let outputs = told.vout.iter().map(coin).collect::<Result<Vec<_>, _>>().map_err(named)?;
    let coins = told.vin.iter().map(|vin| vin.prevout.as_ref().map(coin).transpose());
    let coins: Option<Vec<Coin>> = coins.collect::<Result<_, _>>().map_err(named)?;
    let coins = coins.filter(|_| !coinbase);
    let inputs = told.vin.iter().map(|vin| Ok::<_, String>(Prevout { id: hash(&vin.txid)?, vout: vin.vout }));
    let inputs = inputs.collect::<Result<Vec<_>, _>>().map_err(named)?;
    let mut scratch = Block::default();
    let time = block.map_or(u32::MAX, |block| block.time);
    decode_some(&raw, &[(coinbase, coins.as_deref())], (family, time), &mut scratch)
        .map_err(|fault| named(fault.why))?;
    let own = scratch.txs.first().map(|tx| tx.id);
    if own != Some(id) {
        let own = own.map_or_else(|| "no transaction".into(), hex::encode);
        return Err(named(format!("what is told of it is {own}: the endpoint is wrong, or lies")));
    }
    Ok(UtxoTx { id, raw, coinbase, inputs, coins, outputs, block })
}

/// The bytes of a transaction (BIP 144).
fn raw(told: &Told) -> Result<Vec<u8>, String> {
    let count = |to: &mut Vec<u8>, n: usize| match (u8::try_from(n), u16::try_from(n), u32::try_from(n)) {
        (Ok(n), ..) if n < 253 => to.push(n),
        (_, Ok(n), _) => to.extend([&[253], &n.to_le_bytes()[..]].concat()),
        (.., n) => to.extend([&[254], &n.unwrap_or(u32::MAX).to_le_bytes()[..]].concat()),
    };
    let put = |to: &mut Vec<u8>, text: &str| {
        bytes(text).map(|script| {
            count(to, script.len());
            to.extend(script);
        })
    };
    let low = u32::try_from(told.version).ok().or_else(|| i32::try_from(told.version).ok().map(i32::cast_unsigned));
    let segwit = told.vin.iter().any(|vin| !vin.witness.is_empty());
    let mut to = low.ok_or("its version cannot be read")?.to_le_bytes().to_vec();
    if segwit {
        to.extend([0, 1]);
    }
    count(&mut to, told.vin.len());
    for vin in &told.vin {
        to.extend(reversed(hash(&vin.txid)?));
        to.extend(vin.vout.to_le_bytes());
        put(&mut to, &vin.scriptsig)?;
        to.extend(vin.sequence.to_le_bytes());
    }
    count(&mut to, told.vout.len());
    for vout in &told.vout {
        to.extend(vout.value.to_le_bytes());
        put(&mut to, &vout.scriptpubkey)?;
    }
    for vin in told.vin.iter().filter(|_| segwit) {
        count(&mut to, vin.witness.len());
        vin.witness.iter().try_for_each(|element| put(&mut to, element))?;
    }
    to.extend(told.locktime.to_le_bytes());
    Ok(to)
}

/// Reads what became of a transaction's outputs, so many as it has.
///
/// # Errors
/// What cannot be read; a list of another length.
pub fn read_outspends(text: &str, outputs: usize) -> Result<Vec<Outspend>, String> {
    let told: Vec<Spent> = json(text)?;
    if told.len() != outputs {
        return Err(format!("tells of {} outputs, and the transaction has {outputs}", told.len()));
    }
    let read = |spent: &Spent| match (spent.spent, &spent.txid, spent.vin) {
        (false, ..) => Ok(Outspend::Unspent),
        (true, Some(by), Some(vin)) => {
            let block = spent.status.as_ref().map_or(Ok(None), Status::block)?;
            Ok(Outspend::By(hash(by)?, vin, block))
        }
        (true, ..) => Err("an output is said to be spent, and not by what".to_owned()),
    };
    told.iter().map(read).collect()
}

/// Reads the counts and sums of an address.
///
/// # Errors
/// What cannot be read.
pub fn read_stats(text: &str) -> Result<Stats, String> {
    json(text).map(|address: Address| address.chain_stats)
}

/// Reads a hash in 64 digits.
///
/// # Errors
/// Anything else.
pub fn read_hash(text: &str) -> Result<[u8; 32], String> {
    hash(text)
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    height: u64,
}

/// Reads a list of blocks: height and hash of each.
///
/// # Errors
/// What cannot be read; more than [`MAX_BLOCKS`].
pub fn read_blocks(text: &str) -> Result<Vec<(u64, [u8; 32])>, String> {
    let list: Vec<Listed> = json(text)?;
    if list.len() > MAX_BLOCKS {
        return Err(format!("more than {MAX_BLOCKS} blocks in one list"));
    }
    list.into_iter().map(|block| Ok((block.height, hash(&block.id)?))).collect()
}

/// Verifies that a transaction stands in a block: its Merkle branch leads to the root in the header, the header is the block's own, and
/// work was done for it.
///
/// # Errors
/// What does not hold.
pub fn prove(tx: &UtxoTx, proof: &str, header: &str, network: Network) -> Result<(), String> {
    let block = tx.block.ok_or("it is in no block yet")?;
    let proof: Proof = json(proof)?;
    let header = Header::parse(&bytes(header.trim())?).ok_or("the header breaks off")?;
    if proof.block_height != block.height || proof.merkle.len() > DEEPEST {
        return Err("the proof is for another block".into());
    }
    if header.hash != block.hash || !header.worked(network) {
        return Err("the header is not the block's, or has no proof of work".into());
    }
    let mut node = reversed(tx.id);
    for (level, other) in proof.merkle.iter().enumerate() {
        let other = reversed(hash(other)?);
        node = if proof.pos >> level & 1 == 0 { sha256d(&[&node, &other]) } else { sha256d(&[&other, &node]) };
    }
    match node == header.merkle {
        true => Ok(()),
        false => Err("the Merkle branch does not lead to the header's root".into()),
    }
}
