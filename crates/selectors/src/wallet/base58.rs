//! Base58Check addresses (Bitcoin, its forks, TRON, Zcash), XRP's alphabet, Monero's blocks, Solana's bare keys.

use super::{BAD_CHECKSUM, PLACEHOLDER};
use crate::{Found, Kind, Strength};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// Reads a token by its length and first character; decoding is tried only where both fit a chain.
pub(super) fn read(token: &str) -> Option<Found> {
    let first = *token.as_bytes().first()?;
    match (first, token.len()) {
        (b'4' | b'8', 95) | (b'4', 106) => monero(token),
        (b'r', 25..=35) => check(token, bs58::Alphabet::RIPPLE),
        (b'1', 26..=34)
        | (b'3' | b'L' | b'M' | b'D' | b'A' | b'9' | b'X' | b'7' | b'G' | b'T', 33..=34)
        | (b't', 35) => check(token, bs58::Alphabet::BITCOIN),
        _ => None,
    }
}

/// What the first characters of a token say it wants to be, for a checksum that fails.
fn wanted(token: &str) -> Option<Kind> {
    Some(match token.as_bytes() {
        [b'1' | b'3', ..] => Kind::Btc,
        [b'T', ..] => Kind::Trx,
        [b'r', ..] => Kind::Xrp,
        [b'L' | b'M', ..] => Kind::Ltc,
        [b'X', ..] => Kind::Dash,
        [b't', b'1' | b'3', ..] => Kind::Zec,
        [b'D', ..] => Kind::Doge,
        [b'4' | b'8', ..] => Kind::Xmr,
        [b'G', ..] => Kind::Btg,
        _ => return None,
    })
}

fn check(token: &str, alphabet: &bs58::Alphabet) -> Option<Found> {
    let mut buffer = [0u8; 32];
    let length = bs58::decode(token).with_alphabet(alphabet).onto(&mut buffer[..]).ok()?;
    let decoded = buffer.get(..length)?;
    let (payload, sum) = decoded.split_at_checked(length.checked_sub(4)?)?;
    let hash = Sha256::digest(Sha256::digest(payload));
    if hash.get(..4) != Some(sum) {
        return wanted(token).map(|kind| Found::never(kind, token, BAD_CHECKSUM));
    }
    let ripple = token.starts_with('r');
    let kind = match (payload, length) {
        ([0x00, ..], 25) if ripple => Kind::Xrp,
        _ if ripple => return None,
        ([0x00 | 0x05, ..], 25) => Kind::Btc,
        ([0x41, ..], 25) => Kind::Trx,
        ([0x30 | 0x32, ..], 25) => Kind::Ltc,
        ([0x4c | 0x10, ..], 25) => Kind::Dash,
        ([0x26 | 0x17, ..], 25) => Kind::Btg,
        ([0x1e | 0x16, ..], 25) => Kind::Doge,
        ([0x1c, 0xb8 | 0xbd, ..], 26) => Kind::Zec,
        _ => return None,
    };
    let key = payload.get(payload.len().checked_sub(20)?..)?;
    let burned = key.iter().all(|b| *b == 0) || token == "1BitcoinEaterAddressDontSendf59kuE";
    Some(if burned { Found::never(kind, token, PLACEHOLDER) } else { Found::links(kind, token) })
}

/// Monero: Base58 in blocks of 8 bytes (11 characters), last four bytes the Keccak-256 of what is before them.
fn monero(token: &str) -> Option<Found> {
    const LENGTHS: [usize; 12] = [0, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8];
    let mut decoded = Vec::with_capacity(80);
    for block in token.as_bytes().chunks(11) {
        let size = LENGTHS.get(block.len()).copied().filter(|size| *size > 0)?;
        let mut number: u128 = 0;
        for byte in block {
            number = number * 58 + monero_digit(*byte)?;
        }
        if number >> (8 * size) != 0 {
            return None;
        }
        decoded.extend_from_slice(number.to_be_bytes().get(16 - size..)?);
    }
    let (payload, sum) = decoded.split_at_checked(decoded.len().checked_sub(4)?)?;
    // Main network: 18 standard, 42 sub-address, 19 integrated (which is longer).
    let network = match payload.first()? {
        18 | 42 => payload.len() == 65,
        19 => payload.len() == 73,
        _ => false,
    };
    if !network {
        return None;
    }
    let holds = Keccak256::digest(payload).get(..4) == Some(sum);
    Some(if holds { Found::links(Kind::Xmr, token) } else { Found::never(Kind::Xmr, token, BAD_CHECKSUM) })
}

fn monero_digit(byte: u8) -> Option<u128> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    ALPHABET.iter().position(|b| *b == byte).map(|i| i as u128)
}

/// A Solana account: exactly 32 bytes. The system program's key (all zero) is nobody's.
pub(super) fn read_sol(token: &str) -> Option<Found> {
    if !(32..=44).contains(&token.len()) {
        return None;
    }
    let mut buffer = [0u8; 40];
    let length = bs58::decode(token).onto(&mut buffer[..]).ok()?;
    if length != 32 {
        return None;
    }
    let mut found = Found::links(Kind::Sol, token);
    if buffer.iter().all(|b| *b == 0) {
        (found.strength, found.why) = (Strength::Never, PLACEHOLDER);
    }
    Some(found)
}
