//! One raw block behind the others, whoever tells it: decoded, checked, appended.
use super::decode::{Checks, Fault, HEADER, decode_block};
use super::{Network, Undo, retarget};
use crate::columns::{self, Block, Head, Utxo, hex};

/// Why a block could not be appended.
pub enum Refused {
    /// It is not what it must be.
    Block(Fault),
    /// The record refuses it.
    Record(columns::Error),
}

/// A raw block and what is known of it.
pub struct Raw<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its height.
    pub height: u64,
    /// Its hash, as whoever chose it knows.
    pub hash: [u8; 32],
    /// What its inputs spent, if that is told.
    pub coins: Option<&'a Undo>,
}

/// Appends a block whose header's proof of work was looked at; `block` is room to decode into.
pub fn append(chain: &mut Utxo, checks: &Checks, raw: &Raw<'_>, block: &mut Block) -> Result<(), Refused> {
    let fault = |tx, why: String| Refused::Block(Fault { tx, why });
    let (network, height) = (checks.network, raw.height);
    let header = decode_block(raw.bytes, raw.coins, checks, block).map_err(Refused::Block)?;
    if header.hash != raw.hash {
        return Err(fault(None, format!("the block that came is {}", hex(&header.hash))));
    }
    if let Some(known) = network.known_at(height).filter(|known| *known != header.hash && !network.is_private()) {
        let why = format!("is of another chain: block {height} of {} is {}", network.code(), hex(&known));
        return Err(fault(None, why));
    }
    if height > 0 && height >= network.heights_from() && coinbase_height(raw.bytes) != Some(height) {
        return Err(fault(Some(0), format!("its coinbase does not begin with the height {height}")));
    }
    let due = retarget::expected(chain, network, height).map_err(Refused::Record)?;
    if let Some(due) = due.filter(|due| *due != header.bits) {
        let why =
            format!("its header says target {:08x}, and by the blocks before it that must be {due:08x}", header.bits);
        return Err(fault(None, why));
    }
    block.head = Some(Head { height, hash: header.hash, parent: header.parent });
    chain.append(block).and_then(|()| chain.commit(false)).map_err(Refused::Record)
}

/// Decodes a block that is to take the place of another, and says the work of its header.
pub fn looked_at(bytes: &[u8], network: Network, block: &mut Block) -> Result<u128, Fault> {
    decode_block(bytes, None, &Checks::all(network), block).map(|header| block_work(header.bits))
}

/// The work of the blocks on record from `height` on.
pub fn work_on_record(chain: &Utxo, height: u64) -> columns::Result<u128> {
    let Some((place, _)) = chain.store().at_height(height)? else { return Ok(0) };
    let works =
        (place..chain.store().blocks()).filter_map(|place| chain.block(place)).map(|(_, bits)| block_work(bits));
    Ok(works.fold(0, u128::saturating_add))
}

/// The work that a compact target stands for: about 2^256 / target.
pub fn block_work(bits: u32) -> u128 {
    let [size, mantissa @ ..] = bits.to_be_bytes();
    let mantissa = mantissa.iter().fold(0u128, |n, byte| (n << 8) | u128::from(*byte)).max(1);
    let shift = 256u32.saturating_sub(8 * u32::from(size).saturating_sub(3));
    let work = (1u128 << shift.min(127)) / mantissa;
    work.checked_shl(shift.saturating_sub(127)).filter(|_| shift <= 200).unwrap_or(u128::MAX >> 32)
}

/// The height that a coinbase begins with (BIP 34), from a block's first bytes.
pub fn coinbase_height(bytes: &[u8]) -> Option<u64> {
    let mut skip = 0;
    let rest = bytes.get(HEADER..)?;
    bitcoin_slices::bsl::scan_len(rest, &mut skip).ok()?;
    let after_version = rest.get(skip + 4..)?;
    let inputs = if after_version.starts_with(&[0, 1]) { after_version.get(2..)? } else { after_version };
    let script = inputs.get(1 + 36 + 1..)?;
    let (op, rest) = script.split_first()?;
    match *op {
        0 => Some(0),
        small @ 0x51..=0x60 => Some(u64::from(small) - 0x50),
        len @ 1..=5 => Some(rest.get(..usize::from(len))?.iter().rev().fold(0, |n, byte| (n << 8) | u64::from(*byte))),
        _ => None,
    }
}

/// How many transactions a raw block says it has.
pub fn tx_count(bytes: &[u8]) -> u64 {
    bytes.get(HEADER..).and_then(|rest| bitcoin_slices::bsl::scan_len(rest, &mut 0).ok()).unwrap_or(0)
}
