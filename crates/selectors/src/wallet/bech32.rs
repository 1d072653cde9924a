//! Bech32, Bech32m (BIP 173, BIP 350) and CashAddr, by hand: one table, two polynomials, no allocation until it holds.

use super::{BAD_CHECKSUM, PLACEHOLDER};
use crate::{Found, Kind};

const BECH32: u32 = 1;
const BECH32M: u32 = 0x2bc8_30a3;

/// The prefix a token carries, and its kind.
fn prefix(token: &str) -> Option<(&'static str, Kind)> {
    const PREFIXES: [(&str, Kind); 8] = [
        ("bc", Kind::Btc),
        ("ltc", Kind::Ltc),
        ("bnb", Kind::Bnb),
        ("addr", Kind::Ada),
        ("stake", Kind::Ada),
        ("zs", Kind::Zec),
        ("u", Kind::Zec),
        ("tltc", Kind::Ltc),
    ];
    PREFIXES.into_iter().find(|(hrp, _)| {
        token.get(..hrp.len()).is_some_and(|p| p.eq_ignore_ascii_case(hrp))
            && token.as_bytes().get(hrp.len()) == Some(&b'1')
    })
}

/// Reads a segwit, BNB, Cardano, Zcash or CashAddr address. Upper-case is folded, mixed case refused as the standard says.
pub(super) fn read(token: &str) -> Option<Found> {
    let first = token.as_bytes().first()?.to_ascii_lowercase();
    if !matches!(first, b'b' | b'l' | b'a' | b's' | b'z' | b'u' | b'q' | b'p') {
        return None;
    }
    let upper = token.bytes().any(|b| b.is_ascii_uppercase());
    let lower = token.bytes().any(|b| b.is_ascii_lowercase());
    if let Some((hrp, kind)) = prefix(token) {
        let data = token.get(hrp.len() + 1..)?;
        if data.len() < 6 || !data.bytes().all(|b| digit(b).is_some()) {
            return None;
        }
        let value = token.to_ascii_lowercase();
        if upper && lower {
            return Some(Found::never(kind, value, "mixes upper and lower case, which BIP 173 forbids"));
        }
        return Some(match holds(hrp, kind, data) {
            true => Found::links(kind, value),
            false => Found::never(kind, value, BAD_CHECKSUM),
        });
    }
    if token.len() == 42 && matches!(first, b'q' | b'p') && !(upper && lower) {
        return cash(token);
    }
    None
}

fn holds(hrp: &str, kind: Kind, data: &str) -> bool {
    let residue = polymod(hrp, data);
    let long_enough = match kind {
        Kind::Bnb => data.len() == 38,
        Kind::Ada => data.len() >= 53,
        Kind::Zec if hrp == "zs" => data.len() == 75,
        Kind::Zec => data.len() >= 60,
        _ => data.len() >= 8 && hrp.len() + data.len() < 90,
    };
    if !long_enough {
        return false;
    }
    match kind {
        Kind::Bnb | Kind::Ada => residue == BECH32,
        Kind::Zec => residue == if hrp == "u" { BECH32M } else { BECH32 },
        _ => segwit(data, residue),
    }
}

/// A witness program: version 0 takes Bech32 and 20 or 32 bytes, later versions Bech32m and 2 to 40 bytes.
fn segwit(data: &str, residue: u32) -> bool {
    let mut values = data.bytes().filter_map(digit);
    let Some(version) = values.next() else {
        return false;
    };
    let program = values.take(data.len() - 7);
    let (mut bits, mut count, mut length) = (0u32, 0u32, 0usize);
    for value in program {
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            length += 1;
        }
    }
    let padding_is_zero = count < 5 && bits & ((1 << count) - 1) == 0;
    let fits = match version {
        0 => residue == BECH32 && matches!(length, 20 | 32),
        1..=16 => residue == BECH32M && (2..=40).contains(&length),
        _ => false,
    };
    fits && padding_is_zero
}

fn polymod(hrp: &str, data: &str) -> u32 {
    let high = hrp.bytes().map(|b| b >> 5);
    let low = hrp.bytes().map(|b| b & 31);
    let values = high.chain([0]).chain(low).chain(data.bytes().filter_map(digit));
    values.fold(1u32, |sum, value| {
        let top = sum >> 25;
        let mut sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (bit, generator) in
            [0x3b6a_57b2u32, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].into_iter().enumerate()
        {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
        sum
    })
}

/// CashAddr without prefix (42 characters, 160-bit hashes): prefix `bitcoincash` is in the checksum.
fn cash(token: &str) -> Option<Found> {
    let value = token.to_ascii_lowercase();
    if !value.bytes().all(|b| digit(b).is_some()) {
        return None;
    }
    Some(match cash_sum("bitcoincash", value.bytes().filter_map(digit)) {
        0 if value.starts_with("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq") => Found::never(Kind::Bch, value, PLACEHOLDER),
        0 => Found::links(Kind::Bch, value),
        _ => Found::never(Kind::Bch, value, BAD_CHECKSUM),
    })
}

/// CashAddr's checksum over groups of five bits: 0 for an address that holds.
fn cash_sum(prefix: &str, groups: impl Iterator<Item = u8>) -> u64 {
    let input = prefix.bytes().map(|b| b & 31).chain([0]).chain(groups);
    input.fold(1u64, |sum, value| {
        let top = sum >> 35;
        let mut sum = (sum & 0x07_ffff_ffff) << 5 ^ u64::from(value);
        let generators = [0x98_f2bc_8e61u64, 0x79_b76d_99e2, 0xf3_3e5f_b3c4, 0xae_2eab_e2a8, 0x1e_4f43_e470];
        for (bit, generator) in generators.into_iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
        sum
    }) ^ 1
}

/// Writes a hash of 20 or 32 bytes as a Bitcoin Cash address without its prefix, which is in the checksum all the same (CashAddr). `sort` is
/// 0 for a key's hash, 1 for a script's.
///
/// ```
/// let hash = [0xf5, 0xbf, 0x48, 0xb3, 0x97, 0xda, 0xe7, 0x0b, 0xe8, 0x2b, 0x3c, 0xca, 0x47, 0x93, 0xf8, 0xeb, 0x2b, 0x6c, 0xda, 0xc9];
/// let text = |prefix, sort| selectors::cash_address(prefix, sort, &hash).unwrap_or_default();
/// assert_eq!(text("bitcoincash", 0), "qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"); // the specification's vectors
/// assert_eq!(text("bchtest", 1), "pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t");
/// ```
pub fn cash_address(prefix: &str, sort: u8, hash: &[u8]) -> Option<String> {
    let size = match hash.len() {
        20 => 0,
        32 => 3,
        _ => return None,
    };
    let (mut groups, mut bits, mut count) = (Vec::with_capacity(60), 0u32, 0u32);
    for byte in std::iter::once((sort & 15) << 3 | size).chain(hash.iter().copied()) {
        (bits, count) = ((bits << 8 | u32::from(byte)) & 0xfff, count + 8);
        while count >= 5 {
            count -= 5;
            groups.push((bits >> count & 31) as u8);
        }
    }
    if count > 0 {
        groups.push((bits << (5 - count) & 31) as u8);
    }
    let sum = cash_sum(prefix, groups.iter().copied().chain([0; 8]));
    groups.extend((0..8).rev().map(|i| (sum >> (5 * i) & 31) as u8));
    groups.iter().map(|group| ALPHABET.get(usize::from(*group)).map(|byte| char::from(*byte))).collect()
}

/// The other way round of [`cash_address`]: the sort and the hash of an address with or without its prefix. `None` when its
/// checksum fails, as one of another prefix does, or its length is not the one it claims.
///
/// ```
/// let (sort, hash) = selectors::read_cash_address("bitcoincash", "qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2").unwrap();
/// assert_eq!((sort, hash.len()), (0, 20));
/// assert_eq!(selectors::read_cash_address("bchtest", "qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"), None);
/// ```
pub fn read_cash_address(prefix: &str, text: &str) -> Option<(u8, Vec<u8>)> {
    let lower = text.to_ascii_lowercase();
    let bare = lower.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':')).unwrap_or(&lower);
    let groups: Vec<u8> = bare.bytes().map(digit).collect::<Option<_>>()?;
    let payload = groups.get(..groups.len().checked_sub(8)?)?;
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(33), 0u32, 0u32);
    for group in payload {
        (bits, count) = ((bits << 5 | u32::from(*group)) & 0xfff, count + 5);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    let (version, hash) = bytes.split_first()?;
    let sort = version >> 3;
    // Written again it is the same only when checksum, claimed length and padding are right.
    (cash_address(prefix, sort, hash)? == bare).then(|| (sort, hash.to_vec()))
}

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The five bits of a character of BIP 173's alphabet.
fn digit(byte: u8) -> Option<u8> {
    let byte = byte.to_ascii_lowercase();
    ALPHABET.iter().position(|b| *b == byte).map(|i| i as u8)
}
