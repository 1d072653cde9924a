//! One raw block: decoded, its Merkle root, witness commitment and proof of work checked, ready to be appended.
use super::commitments::Hashes;
use super::network::Family;
use super::script::Rules;
use super::transaction::Reader;
use super::{Coin, Network, Undo};
use crate::columns::{Block, Flags, Input, Tx};
use crate::hash::{reversed, scrypt, sha256d};

/// Bytes of a header.
pub const HEADER: usize = 80;
/// No transaction weighs less (60 bytes, each counted four times).
const LEAST_WEIGHT: u64 = 240;

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
    /// What the miner counted up.
    pub nonce: u32,
}

impl Header {
    /// Reads the 80 bytes; `None` when they are not there.
    pub fn parse(bytes: &[u8]) -> Option<Header> {
        let bytes = bytes.get(..HEADER)?;
        let (version, rest) = bytes.split_first_chunk()?;
        let (parent, rest) = rest.split_first_chunk()?;
        let (merkle, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (bits, rest) = rest.split_first_chunk()?;
        let nonce = rest.first_chunk()?;
        Some(Header {
            hash: reversed(sha256d(&[bytes])),
            parent: reversed(*parent),
            merkle: *merkle,
            version: i32::from_le_bytes(*version),
            time: u32::from_le_bytes(*time),
            bits: u32::from_le_bytes(*bits),
            nonce: u32::from_le_bytes(*nonce),
        })
    }

    /// The 80 bytes.
    fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let parts = (self.version.to_le_bytes().into_iter())
            .chain(reversed(self.parent))
            .chain(self.merkle)
            .chain([self.time, self.bits, self.nonce].into_iter().flat_map(u32::to_le_bytes));
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Whether the hash that is compared (Litecoin's is another than its name) is below the target, and the target not easier than the
    /// network allows.
    pub fn worked(&self, network: Network) -> bool {
        let (Some(target), Some(easiest)) = (target(self.bits), target(network.easiest())) else { return false };
        let hash = match network.family() {
            Family::Litecoin => scrypt(&self.bytes()).map(reversed),
            Family::Bitcoin | Family::BitcoinCash => Some(self.hash),
        };
        target <= easiest && hash.is_some_and(|hash| hash <= target)
    }
}

/// The 256-bit target of a compact one, highest byte first; `None` for negative, zero or overflowing ones.
pub(super) fn target(bits: u32) -> Option<[u8; 32]> {
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

pub(super) fn fault(tx: impl Into<Option<u64>>, why: impl Into<String>) -> Fault {
    Fault { tx: tx.into(), why: why.into() }
}

/// What is asked of a block beyond its Merkle root and witness commitment, which are always checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// The network whose rules it follows.
    pub network: Network,
    /// Whether the header's proof of work is looked at; whoever has done so for the same header need not again.
    pub work: bool,
}

impl Checks {
    /// Everything.
    pub fn all(network: Network) -> Checks {
        Checks { network, work: true }
    }
}

/// Decodes a raw block into `block` and checks it. `coins` are what its inputs spent, when that is known.
///
/// The head's height is left for the caller, who knows what came before; everything else of `block` is filled.
pub fn decode_block(bytes: &[u8], coins: Option<&Undo>, checks: &Checks, block: &mut Block) -> Result<Header, Fault> {
    let header = Header::parse(bytes).ok_or_else(|| fault(None, "the header breaks off"))?;
    if checks.work && !header.worked(checks.network) {
        return Err(fault(None, format!("the header has no proof of work for {}", checks.network.code())));
    }
    decode_body(bytes, &header, checks.network.family(), coins, block)?;
    Ok(header)
}

/// Everything behind the header.
pub(crate) fn decode_body(
    bytes: &[u8],
    header: &Header,
    family: Family,
    coins: Option<&Undo>,
    block: &mut Block,
) -> Result<(), Fault> {
    block.clear();
    (block.time, block.bits) = (header.time, header.bits);
    let (count, mut at) = count_of(bytes, family)?;
    if coins.is_some_and(|coins| coins.len() as u64 + 1 != count) {
        return Err(fault(None, "the coins it spent are told for another number of transactions"));
    }
    // No transaction is named by fewer than 60 bytes, so a count that lies makes no room that it has no bytes for.
    let mut hashes = Hashes::with_room(usize::try_from(count).unwrap_or(0).min(bytes.len() / 60));
    let mut reader = Reader::new(bytes, block, Rules { family, time: header.time });
    let mut hog_ex = false;
    for place in 0..count {
        if hog_ex {
            return Err(fault(place, "stands behind the HogEx, which is the last"));
        }
        let coins = place.checked_sub(1).and_then(|i| coins?.get(usize::try_from(i).ok()?)).map(Vec::as_slice);
        let (len, flags) = decode_tx(&mut reader, at, place, coins, &mut hashes)?;
        (at, hog_ex) = (at + len, flags.has(Flags::HOG_EX));
    }
    behind(bytes.get(at..).unwrap_or_default(), hog_ex)?;
    hashes.check(header, family)
}

/// Decodes transactions of one block that are not all of it, one behind the other in `bytes`: of each whether it is the coinbase, and
/// what its inputs spent if that is known. Nothing commits to them but their ids, which are the caller's to compare.
pub(crate) fn decode_some(
    bytes: &[u8],
    each: &[(bool, Option<&[Coin]>)],
    (family, time): (Family, u32),
    block: &mut Block,
) -> Result<(), Fault> {
    block.clear();
    block.time = time;
    let mut hashes = Hashes::with_room(each.len());
    let mut reader = Reader::new(bytes, block, Rules { family, time });
    let mut at = 0;
    for (place, (coinbase, coins)) in (1..).zip(each) {
        let (len, _) = decode_tx(&mut reader, at, if *coinbase { 0 } else { place }, *coins, &mut hashes)?;
        at += len;
    }
    match bytes.len() == at {
        true => Ok(()),
        false => Err(fault(None, "bytes follow the last transaction")),
    }
}

/// What stands behind the last transaction: nothing, or behind a HogEx the extension block, whose amounts are hidden.
fn behind(rest: &[u8], hog_ex: bool) -> Result<(), Fault> {
    match (hog_ex, rest) {
        (false, []) | (true, [1, _, ..]) => Ok(()),
        (false, rest) => Err(fault(None, format!("{} bytes follow the last transaction", rest.len()))),
        (true, _) => Err(fault(None, "the extension block behind the HogEx is missing")),
    }
}

/// How many transactions the block says it has, and where the first begins.
fn count_of(bytes: &[u8], family: Family) -> Result<(u64, usize), Fault> {
    let short = || fault(None, "the count of transactions breaks off");
    let mut size = 0;
    let rest = bytes.get(HEADER..).ok_or_else(short)?;
    let count = bitcoin_slices::bsl::scan_len(rest, &mut size).map_err(|_| short())?;
    if count == 0 || count > family.max_weight() / LEAST_WEIGHT {
        return Err(fault(None, format!("the block says it has {count} transactions")));
    }
    Ok((count, HEADER + size))
}

/// Decodes the transaction at `at` and says how many bytes it takes and what it is.
fn decode_tx(
    reader: &mut Reader<'_, '_>,
    at: usize,
    place: u64,
    coins: Option<&[Coin]>,
    hashes: &mut Hashes,
) -> Result<(usize, Flags), Fault> {
    let first_input = reader.block.inputs.len();
    let parts = reader.read(at, place)?;
    let id = hashes.add(place, &parts);
    let null = |input: &Input| input.prevout.vout == u32::MAX && input.prevout.id == [0; 32];
    let inputs = reader.block.inputs.get(first_input..).unwrap_or_default();
    let coinbase = place == 0;
    if inputs.is_empty() || reader.outputs == 0 {
        return Err(fault(place, "has no inputs or no outputs"));
    }
    if coinbase != inputs.iter().any(null) || (coinbase && inputs.len() != 1) {
        return Err(fault(place, "makes coins where it must not, or does not where it must"));
    }
    let mut flags = reader.flags(&parts);
    let mut count = inputs.len();
    if coinbase {
        flags = flags.with(Flags::COINBASE);
        hashes.reserved = reader.first_witness().and_then(|element| element.try_into().ok());
        hashes.commitment = reader.commitment;
        reader.block.inputs.truncate(first_input);
        count = 0;
    } else {
        if coins.is_some_and(|coins| coins.len() != count) {
            return Err(fault(place, "the coins it spent are told for another number of inputs"));
        }
        let filled = reader.fill_inputs(first_input, coins);
        if filled.map_err(|wrong| Fault { tx: Some(place), ..wrong })? {
            flags = flags.with(Flags::NOT_ALL);
        }
    }
    reader.block.txs.push(Tx {
        id: reversed(id),
        flags,
        weight: u32::try_from(parts.weight).unwrap_or(u32::MAX),
        inputs: u32::try_from(count).unwrap_or(u32::MAX),
        outputs: reader.outputs,
    });
    Ok((parts.whole.len(), flags))
}
