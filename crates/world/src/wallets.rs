//! Wallet addresses and bank accounts with right checksums whose payload is the world's chance: nobody holds a key.
//! BTC P2PKH (base58check, version 0) and P2WPKH (BIP-173), EVM with EIP-55, TRON (base58check, version 0x41), IBAN
//! (ISO 13616) on the bank codes `EXER` and `TEST`, which no bank has.

use crate::prng::Rng;
use bech32::{hrp, segwit};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// What a wallet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coin {
    Btc,
    Eth,
    Trx,
}

impl Coin {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Btc => "BTC",
            Self::Eth => "ETH",
            Self::Trx => "TRX",
        }
    }
}

/// A new address of a coin.
pub(crate) fn wallet(coin: Coin, rng: &mut Rng) -> String {
    match coin {
        Coin::Btc if rng.chance(400) => base58check(0, rng.bytes()),
        Coin::Btc => segwit::encode_v0(hrp::BC, &rng.bytes::<20>()).unwrap_or_default(),
        Coin::Eth => eip55(rng.bytes()),
        Coin::Trx => base58check(0x41, rng.bytes()),
    }
}

pub(crate) fn base58check(version: u8, payload: [u8; 20]) -> String {
    let mut bytes = vec![version];
    bytes.extend(payload);
    let check = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(check.iter().take(4));
    bs58::encode(bytes).into_string()
}

/// Mixed-case checksum of EIP-55: a letter is upper case where the Keccak-256 of the lower-case text has a nibble of 8
/// or more.
pub(crate) fn eip55(payload: [u8; 20]) -> String {
    let lower: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = Keccak256::digest(lower.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let cased = lower.chars().zip(nibbles).map(|(c, n)| if n >= 8 { c.to_ascii_uppercase() } else { c });
    std::iter::once('0').chain(std::iter::once('x')).chain(cased).collect()
}

/// The same address with one character wrong, so that its checksum fails. `None` for a text too short to be one.
pub(crate) fn mistyped(address: &str, rng: &mut Rng) -> Option<String> {
    // The last quarter: never the prefix, so it still looks like the same kind of address.
    let at = address.len().checked_sub(1 + rng.below(address.len() as u64 / 4) as usize)?;
    let old = address.get(at..=at)?;
    // Both digits are in every alphabet used here (base58, bech32 and hexadecimal all know 2 to 9).
    let new = if old == "7" { "4" } else { "7" };
    Some(format!("{}{new}{}", address.get(..at)?, address.get(at + 1..)?))
}

/// A new IBAN of the United Kingdom, the Netherlands or Ireland.
pub(crate) fn iban(rng: &mut Rng) -> String {
    let account = rng.below(100_000_000);
    match rng.below(3) {
        0 => checked("GB", &format!("EXER000000{account:08}")),
        1 => checked("NL", &format!("TEST00{account:08}")),
        _ => checked("IE", &format!("EXER900000{account:08}")),
    }
}

/// Puts the check digits of ISO 7064 MOD 97-10 before a national account number.
fn checked(country: &str, account: &str) -> String {
    let rest = format!("{account}{country}00").chars().fold(0_u64, |sum, c| {
        let value = u64::from(c.to_digit(36).unwrap_or_default());
        (sum * if value > 9 { 100 } else { 10 } + value) % 97
    });
    format!("{country}{:02}{account}", 98 - rest)
}

/// Checks an address by decoding it, not by the code that made it.
#[cfg(test)]
pub(crate) fn valid(address: &str) -> bool {
    if let Some(hex) = address.strip_prefix("0x") {
        let bytes: Option<Vec<u8>> =
            (0..20).map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()).collect();
        return bytes.and_then(|bytes| bytes.try_into().ok()).is_some_and(|bytes| eip55(bytes) == address);
    }
    if address.starts_with("bc1") {
        return segwit::decode(address).is_ok();
    }
    let version = if address.starts_with('T') { 0x41 } else { 0 };
    let Ok(bytes) = bs58::decode(address).into_vec() else { return false };
    bytes.len() == 25
        && bytes.first() == Some(&version)
        && Sha256::digest(Sha256::digest(&bytes[..21]))[..4] == bytes[21..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of EIP-55's own text.
    #[test]
    fn eip55_gives_the_standards_examples() {
        for text in ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"] {
            let bytes: Vec<u8> =
                (2..42).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
            assert_eq!(eip55(bytes.try_into().unwrap()), text);
        }
    }

    #[test]
    fn an_iban_satisfies_the_registry() {
        let mut rng = Rng::keyed(1, "iban", 0);
        for _ in 0..300 {
            let text = iban(&mut rng);
            assert!(text.parse::<iban::Iban>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_mistyped_address_fails_its_checksum() {
        let mut rng = Rng::keyed(1, "typo", 0);
        for _ in 0..300 {
            for coin in [Coin::Btc, Coin::Trx, Coin::Eth] {
                let right = wallet(coin, &mut rng);
                assert!(valid(&right), "{right}");
                let wrong = mistyped(&right, &mut rng).unwrap();
                assert_ne!(right, wrong);
                assert!(!valid(&wrong), "{right} {wrong}");
            }
        }
    }
}
