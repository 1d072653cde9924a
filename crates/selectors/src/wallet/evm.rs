//! EVM accounts: 20 bytes in hexadecimal, with EIP-55's checksum in the letters' case.

use super::PLACEHOLDER;
use crate::{Found, Kind};
use sha3::{Digest, Keccak256};

pub(super) fn read(token: &str) -> Option<Found> {
    token.get(2..).and_then(read_digits)
}

/// Forty hexadecimal digits. All-lower and all-upper carry no checksum; mixed case must be EIP-55's.
pub(super) fn read_digits(digits: &str) -> Option<Found> {
    if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let value = format!("0x{lower}");
    let upper = digits.bytes().any(|b| b.is_ascii_uppercase());
    let mixed = upper && digits.bytes().any(|b| b.is_ascii_lowercase());
    Some(if mixed && !eip55(digits, &lower) {
        Found::never(Kind::Evm, value, "mixed case that does not match EIP-55: a character is wrong or missing")
    } else if placeholder(&lower) {
        Found::never(Kind::Evm, value, PLACEHOLDER)
    } else {
        Found::links(Kind::Evm, value)
    })
}

fn eip55(digits: &str, lower: &str) -> bool {
    let hash = Keccak256::digest(lower.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.bytes().zip(nibbles).all(|(digit, nibble)| match digit {
        b'0'..=b'9' => true,
        _ => digit.is_ascii_uppercase() == (nibble >= 8),
    })
}

/// Zero, precompiled contracts and the usual burn addresses.
fn placeholder(lower: &str) -> bool {
    let tail = lower.trim_start_matches('0');
    tail.len() <= 2
        || matches!(tail, "dead" | "deadbeef")
        || crate::bytes::all_same(lower)
        || lower.starts_with("deaddeaddead")
        || lower.starts_with("eeeeeeeeeeeeeeeeeeee")
}
