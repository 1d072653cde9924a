//! TON accounts. The bounceable, non-bounceable and raw spellings are one account, so the raw one is the normal form.

use super::BAD_CHECKSUM;
use crate::{Found, Kind};

/// The friendly form: 48 characters of Base64 (either alphabet), tag, workchain, 32 bytes, CRC-16.
pub(super) fn read(token: &str) -> Option<Found> {
    if token.len() != 48 || !matches!(token.as_bytes(), [b'E' | b'U', b'Q' | b'f', ..]) {
        return None;
    }
    let bytes = decode(token)?;
    let (body, sum) = bytes.split_at_checked(34)?;
    let [tag, workchain, hash @ ..] = body else {
        return None;
    };
    if !matches!(tag, 0x11 | 0x51) || !matches!(workchain, 0 | 0xff) {
        return None;
    }
    let chain = if *workchain == 0 { "0" } else { "-1" };
    let mut value = format!("{chain}:");
    for byte in hash {
        value.push_str(&format!("{byte:02x}"));
    }
    Some(match crc16(body).to_be_bytes() == *sum {
        true => Found::links(Kind::Ton, value),
        false => Found::never(Kind::Ton, token, BAD_CHECKSUM),
    })
}

/// The raw form `workchain:64 hexadecimal digits`, which has no checksum: typed fields only.
pub(super) fn read_raw(token: &str) -> Option<Found> {
    let (chain, hash) = token.split_once(':')?;
    let shaped = matches!(chain, "0" | "-1") && hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    shaped.then(|| Found::links(Kind::Ton, token.to_ascii_lowercase()))
}

fn decode(token: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(36);
    for group in token.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for byte in group {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' | b'+' => 62,
                b'_' | b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bytes.extend_from_slice(bits.to_be_bytes().get(1..)?);
    }
    Some(bytes)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| if sum & 0x8000 != 0 { sum << 1 ^ 0x1021 } else { sum << 1 })
    })
}
