//! One raw block: decoded, its Merkle root, witness commitment and proof of work checked, ready to be appended.
use super::hash::{merkle_root, reversed, sha256d};
use super::script::{each_push, key_of_script, revealed, signs_less, taproot_signs_less};
use super::{Network, Undo};
use crate::columns::{Block, Flags, Input, Output, Prevout, Span, Tx};
use bitcoin_slices::bsl::{Transaction, TxIn, TxOut};
use bitcoin_slices::{Visit, Visitor};
use std::ops::ControlFlow;

/// 21 million coins in base units: no output holds more.
const MAX_MONEY: u64 = 2_100_000_000_000_000;
/// Weight limit of a block (BIP 141).
pub const MAX_WEIGHT: u64 = 4_000_000;
/// 24 August 2017: from then on a commitment is a commitment (block 481,824).
const SEGWIT: u32 = 1_503_539_857;
/// Bytes of a header.
pub const HEADER: usize = 80;
/// Before the witness commitment's hash in a coinbase output (BIP 141): OP_RETURN, push of 36, and four bytes.
const COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// A block's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The hash, in the order it is displayed.
    pub hash: [u8; 32],
    /// The hash of the block before, in the order it is displayed.
    pub parent: [u8; 32],
    /// The Merkle root, in the order in which it is computed.
    pub merkle: [u8; 32],
    /// Version.
    pub version: i32,
    /// Unix seconds.
    pub time: u32,
    /// Compact target.
    pub bits: u32,
}

impl Header {
    /// Reads the 80 bytes; `None` when they are not there.
    pub fn parse(bytes: &[u8]) -> Option<Header> {
        let bytes = bytes.get(..HEADER)?;
        let (version, rest) = bytes.split_first_chunk()?;
        let (parent, rest) = rest.split_first_chunk()?;
        let (merkle, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (bits, _) = rest.split_first_chunk()?;
        Some(Header {
            hash: reversed(sha256d(&[bytes])),
            parent: reversed(*parent),
            merkle: *merkle,
            version: i32::from_le_bytes(*version),
            time: u32::from_le_bytes(*time),
            bits: u32::from_le_bytes(*bits),
        })
    }

    /// Whether the hash is below the target, and the target not easier than the network allows.
    pub fn worked(&self, network: Network) -> bool {
        matches!((target(self.bits), target(network.easiest())),
            (Some(target), Some(easiest)) if target <= easiest && self.hash <= target)
    }
}

/// The 256-bit target of a compact one, highest byte first; `None` for negative, zero or overflowing ones.
fn target(bits: u32) -> Option<[u8; 32]> {
    let [size, mantissa @ ..] = bits.to_be_bytes();
    let mut target = [0; 32];
    if mantissa.first().is_some_and(|byte| byte & 0x80 != 0) || mantissa == [0; 3] {
        return None;
    }
    for (i, byte) in mantissa.into_iter().enumerate() {
        match (32 + i).checked_sub(usize::from(size)).and_then(|at| target.get_mut(at)) {
            Some(place) => *place = byte,
            None if byte == 0 => {}
            None => return None,
        }
    }
    Some(target)
}

/// What is wrong with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place of the transaction in its block, when it is one transaction's fault.
    pub tx: Option<u64>,
    /// What is wrong.
    pub why: String,
}

fn fault(tx: impl Into<Option<u64>>, why: impl Into<String>) -> Fault {
    Fault { tx: tx.into(), why: why.into() }
}

/// What is asked of a block beyond its Merkle root and witness commitment, which are always checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// The network whose proof of work it must carry.
    pub network: Network,
}

/// What one transaction's visit leaves: places of scripts and witness elements in the block's bytes.
struct Visited<'a, 'b> {
    bytes: &'a [u8],
    block: &'b mut Block,
    sigs: Vec<(usize, usize)>,
    witness: Vec<(usize, usize)>,
    witness_ends: Vec<usize>,
    outputs: u32,
    paid: u64,
    commitment: Option<[u8; 32]>,
    wrong: Option<String>,
}

impl<'a> Visited<'a, '_> {
    /// Where a part of the block's bytes stands in them.
    fn place(&self, part: &[u8]) -> (usize, usize) {
        let from = (part.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize);
        (from, part.len())
    }

    fn part(&self, (from, len): (usize, usize)) -> &'a [u8] {
        self.bytes.get(from..from + len).unwrap_or_default()
    }

    fn reset(&mut self) {
        self.sigs.clear();
        self.witness.clear();
        self.witness_ends.clear();
        (self.outputs, self.paid, self.commitment) = (0, 0, None);
    }
}

impl Visitor for Visited<'_, '_> {
    fn visit_tx_in(&mut self, _: usize, input: &TxIn<'_>) -> ControlFlow<()> {
        self.sigs.push(self.place(input.script_sig()));
        let id = input.prevout().txid().try_into().map(reversed).unwrap_or_default();
        let prevout = Prevout { id, vout: input.prevout().vout() };
        self.block.inputs.push(Input { prevout, value: None, key: Span::default(), recorded: false });
        ControlFlow::Continue(())
    }

    fn visit_tx_out(&mut self, _: usize, output: &TxOut<'_>) -> ControlFlow<()> {
        self.outputs += 1;
        self.paid = self.paid.saturating_add(output.value());
        if output.value() > MAX_MONEY || self.paid > MAX_MONEY {
            self.wrong = Some(format!("an output of {} base units exceeds all the money there is", output.value()));
            return ControlFlow::Break(());
        }
        let script = output.script_pubkey();
        if let Some(hash) = script.strip_prefix(&COMMITMENT).and_then(|rest| rest.first_chunk()) {
            self.commitment = Some(*hash);
        }
        let key = key_of_script(script, self.block);
        self.block.outputs.push(Output { value: output.value(), key });
        ControlFlow::Continue(())
    }

    fn visit_witness_element(&mut self, _: usize, element: &[u8]) {
        self.witness.push(self.place(element));
    }

    fn visit_witness_end(&mut self) {
        self.witness_ends.push(self.witness.len());
    }
}

/// Decodes a raw block into `block` and checks it. `undo` gives the coins that its inputs spent, when there is any.
///
/// The head's height is left for the caller, who knows what came before; everything else of `block` is filled.
pub fn decode_block(bytes: &[u8], undo: Option<&Undo>, checks: &Checks, block: &mut Block) -> Result<Header, Fault> {
    let header = Header::parse(bytes).ok_or_else(|| fault(None, "the header breaks off"))?;
    if !header.worked(checks.network) {
        return Err(fault(None, format!("the header has no proof of work for {}", checks.network.code())));
    }
    decode_body(bytes, &header, undo, block)?;
    Ok(header)
}

/// Everything behind the header.
pub(crate) fn decode_body(bytes: &[u8], header: &Header, undo: Option<&Undo>, block: &mut Block) -> Result<(), Fault> {
    block.clear();
    (block.time, block.bits) = (header.time, header.bits);
    let (count, mut at) = count_of(bytes)?;
    if undo.is_some_and(|undo| undo.len() as u64 + 1 != count) {
        return Err(fault(None, "the undo data speak of another number of transactions"));
    }
    let mut hashes = Hashes::default();
    let mut visited = Visited {
        bytes,
        block,
        sigs: Vec::new(),
        witness: Vec::new(),
        witness_ends: Vec::new(),
        outputs: 0,
        paid: 0,
        commitment: None,
        wrong: None,
    };
    for place in 0..count {
        let coins = place.checked_sub(1).and_then(|i| undo?.get(usize::try_from(i).ok()?)).map(Vec::as_slice);
        at += decode_tx(&mut visited, at, place, header.time, coins, &mut hashes)?;
    }
    if at != bytes.len() {
        return Err(fault(None, format!("{} bytes follow the last transaction", bytes.len() - at)));
    }
    hashes.check(header, bytes.len(), at)
}

/// How many transactions the block says it has, and where the first begins.
fn count_of(bytes: &[u8]) -> Result<(u64, usize), Fault> {
    let short = || fault(None, "the count of transactions breaks off");
    let mut size = 0;
    let rest = bytes.get(HEADER..).ok_or_else(short)?;
    let count = bitcoin_slices::bsl::scan_len(rest, &mut size).map_err(|_| short())?;
    // No transaction has fewer than 60 bytes.
    if count == 0 || count > MAX_WEIGHT / 240 {
        return Err(fault(None, format!("the block says it has {count} transactions")));
    }
    Ok((count, HEADER + size))
}

/// Decodes the transaction at `at` and says how many bytes it takes.
fn decode_tx(
    visited: &mut Visited<'_, '_>,
    at: usize,
    place: u64,
    time: u32,
    coins: Option<&[super::Coin]>,
    hashes: &mut Hashes,
) -> Result<usize, Fault> {
    visited.reset();
    let (first_input, rest) = (visited.block.inputs.len(), visited.bytes.get(at..).unwrap_or_default());
    let parsed = match Transaction::visit(rest, visited) {
        Ok(parsed) => parsed,
        Err(error) => {
            let why = visited.wrong.take().unwrap_or_else(|| said(&error, at));
            return Err(fault(place, why));
        }
    };
    let tx = parsed.parsed();
    let (a, b, c) = tx.txid_preimage();
    let txid = sha256d(&[a, b, c]);
    let segwit = !b.is_empty();
    hashes.add(place, txid, segwit, tx.as_ref(), tx.weight());
    let null = |input: &Input| input.prevout.vout == u32::MAX && input.prevout.id == [0; 32];
    let inputs = visited.block.inputs.get(first_input..).unwrap_or_default();
    let coinbase = place == 0;
    if inputs.is_empty() || visited.outputs == 0 {
        return Err(fault(place, "has no inputs or no outputs"));
    }
    if coinbase != inputs.iter().any(null) || (coinbase && inputs.len() != 1) {
        return Err(fault(place, "makes coins where it must not, or does not where it must"));
    }
    let mut flags = if segwit { Flags::SEGWIT } else { Flags::default() };
    let mut count = inputs.len();
    if coinbase {
        flags = flags.with(Flags::COINBASE);
        hashes.reserved = visited.witness.first().map(|place| visited.part(*place)).and_then(|b| b.try_into().ok());
        hashes.commitment = visited.commitment;
        visited.block.inputs.truncate(first_input);
        count = 0;
    } else {
        if coins.is_some_and(|coins| coins.len() != count) {
            return Err(fault(place, "the undo data speak of another number of inputs"));
        }
        if fill_inputs(visited, first_input, time, coins)? {
            flags = flags.with(Flags::NOT_ALL);
        }
    }
    visited.block.txs.push(Tx {
        id: reversed(txid),
        flags,
        weight: u32::try_from(tx.weight()).unwrap_or(u32::MAX),
        inputs: u32::try_from(count).unwrap_or(u32::MAX),
        outputs: visited.outputs,
    });
    Ok(tx.as_ref().len())
}

/// Gives the inputs from `first` on what is known of the outputs they spend. Returns whether a signature signs less than all.
fn fill_inputs(
    visited: &mut Visited<'_, '_>,
    first: usize,
    time: u32,
    coins: Option<&[super::Coin]>,
) -> Result<bool, Fault> {
    let mut signs_little = false;
    let mut witness: Vec<&[u8]> = Vec::new();
    for (i, sig) in visited.sigs.clone().into_iter().enumerate() {
        let script_sig = visited.part(sig);
        let from = i.checked_sub(1).and_then(|before| visited.witness_ends.get(before)).copied().unwrap_or(0);
        let to = visited.witness_ends.get(i).copied().unwrap_or(0);
        witness.clear();
        witness.extend(visited.witness.get(from..to).unwrap_or_default().iter().map(|place| visited.part(*place)));
        signs_little |= witness.iter().any(|element| signs_less(element))
            || each_push(script_sig).any(signs_less)
            || (script_sig.is_empty() && taproot_signs_less(&witness));
        let (value, key, recorded) = match coins.and_then(|coins| coins.get(i)) {
            Some(coin) if coin.value > MAX_MONEY => return Err(fault(None, "undo data hold more than all the money")),
            Some(coin) => (Some(coin.value), key_of_script(&coin.script, visited.block), true),
            None => match revealed(script_sig, &witness, time) {
                Some((kind, rest)) => (None, visited.block.key(&[&[kind], &rest]), false),
                None => (None, Span::default(), false),
            },
        };
        if let Some(input) = visited.block.inputs.get_mut(first + i) {
            (input.value, input.key, input.recorded) = (value, key, recorded);
        }
    }
    Ok(signs_little)
}

fn said(error: &bitcoin_slices::Error, at: usize) -> String {
    use bitcoin_slices::Error::*;
    match error {
        MoreBytesNeeded => format!("breaks off (it begins at byte {at} of the block)"),
        UnknownSegwitFlag(flag) => format!("has SegWit flag {flag}, which Bitcoin does not know"),
        SegwitFlagWithoutWitnesses => "says it has witnesses and has none".into(),
        NonMinimalVarInt => "has a count that is not written in its shortest form".into(),
        other => format!("cannot be decoded: {other:?}"),
    }
}

/// The hashes that the Merkle root and the witness commitment are made of.
#[derive(Default)]
struct Hashes {
    ids: Vec<[u8; 32]>,
    witness_ids: Vec<[u8; 32]>,
    any_witness: bool,
    commitment: Option<[u8; 32]>,
    reserved: Option<[u8; 32]>,
    weight: u64,
}

impl Hashes {
    fn add(&mut self, place: u64, txid: [u8; 32], segwit: bool, whole: &[u8], weight: u64) {
        self.ids.push(txid);
        self.any_witness |= segwit;
        self.weight += weight;
        self.witness_ids.push(match (place, segwit) {
            (0, _) => [0; 32],
            (_, true) => sha256d(&[whole]),
            (_, false) => txid,
        });
    }

    fn check(self, header: &Header, len: usize, at: usize) -> Result<(), Fault> {
        if self.weight > MAX_WEIGHT || at != len {
            return Err(fault(None, format!("weighs {}, more than a block may", self.weight)));
        }
        match merkle_root(self.ids) {
            Some(root) if root == header.merkle => {}
            Some(_) => {
                return Err(fault(None, "the transactions are not those of the header: the Merkle root differs"));
            }
            None => return Err(fault(None, "transactions stand twice, which leaves the Merkle root as it is")),
        }
        match (self.commitment, self.any_witness) {
            (None, false) => Ok(()),
            (None, true) => Err(fault(0, "the coinbase does not commit to the witnesses that the block carries")),
            (Some(_), false) if header.time >= SEGWIT => {
                Err(fault(None, "the coinbase commits to witnesses, but the block carries none: they were stripped"))
            }
            (Some(_), false) => Ok(()),
            (Some(commitment), true) => {
                let reserved = self.reserved.ok_or_else(|| fault(0, "the coinbase has no witness of 32 bytes"))?;
                let root = merkle_root(self.witness_ids).unwrap_or_default();
                match sha256d(&[&root, &reserved]) == commitment {
                    true => Ok(()),
                    false => {
                        Err(fault(None, "the witnesses are not those of the coinbase: the witness commitment differs"))
                    }
                }
            }
        }
    }
}
