//! Wallet addresses by shape and checksum, and transaction ids.
//!
//! The shape decides the chain; where chains share a shape (Bitcoin and its forks, all EVM chains, Dogecoin and Verge) the
//! kind is the family's, so that one key is one selector.

mod base58;
mod bech32;
mod evm;
mod ton;

pub use bech32::{cash_address, read_cash_address};

use crate::{Found, Kind, Strength};

const BAD_CHECKSUM: &str = "the address's checksum does not hold: a character is wrong or missing";
const PLACEHOLDER: &str = "a placeholder or burn address that nobody holds";

/// Longest wallet that is read: a Zcash unified address.
pub(crate) const MAX_WALLET: usize = 256;

/// Reads one whole token as a wallet. A token that plainly wants to be a wallet but fails its checksum comes back
/// with [`Strength::Never`]; one of another shape as `None`. Solana has no checksum and is not read here.
pub(crate) fn read(token: &str) -> Option<Found> {
    if token.len() > MAX_WALLET {
        return None;
    }
    let bytes = token.as_bytes();
    if matches!(bytes, [b'0', b'x' | b'X', ..]) {
        return evm::read(token);
    }
    bech32::read(token).or_else(|| base58::read(token)).or_else(|| ton::read(token))
}

/// A bare 40-digit hexadecimal account, for fields and cues that say it is one.
pub(crate) fn read_bare_evm(token: &str) -> Option<Found> {
    evm::read_digits(token)
}

/// Reads a Solana account: 32 bytes of Base58 and nothing else to check, so only behind a cue or a field.
pub(crate) fn read_sol(token: &str) -> Option<Found> {
    base58::read_sol(token)
}

/// Reads a wallet where a field or the reader says which kind it is. A checksum that holds knows better than a field:
/// forks' addresses come back as their family, and another chain's address as that chain's.
pub(crate) fn read_as(kind: Kind, raw: &str) -> Option<Found> {
    let token = strip_scheme(raw);
    let by_shape = read(token);
    match kind {
        Kind::Sol if by_shape.as_ref().is_none_or(|f| f.strength == Strength::Never) => read_sol(token),
        Kind::Evm => by_shape.or_else(|| read_bare_evm(token)),
        Kind::Ton => by_shape.or_else(|| ton::read_raw(raw.trim())),
        _ => by_shape.filter(|f| f.kind == kind || f.strength == Strength::Links),
    }
}

/// Reads a value from a field that says "wallet" without a currency.
pub(crate) fn read_any(raw: &str) -> Option<Found> {
    let token = strip_scheme(raw);
    let by_shape = read(token).or_else(|| ton::read_raw(raw.trim())).or_else(|| read_bare_evm(token));
    match by_shape {
        Some(found) if found.strength != Strength::Never => Some(found),
        failed => read_sol(token).or(failed),
    }
}

/// `bitcoin:ADDRESS?amount=1` and its like lose scheme and query.
fn strip_scheme(raw: &str) -> &str {
    let raw = raw.trim();
    let raw = match raw.split_once(':') {
        Some((scheme, rest)) if scheme.len() > 2 && scheme.bytes().all(|b| b.is_ascii_alphabetic()) => rest,
        _ => raw,
    };
    raw.split(['?', '@', '/']).next().unwrap_or(raw)
}

/// Reads 64 hexadecimal digits, with or without `0x`, as a transaction id: lower-case, without `0x`.
pub(crate) fn read_transaction(token: &str) -> Option<Found> {
    let hex = token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")).unwrap_or(token);
    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = hex.to_ascii_lowercase();
    Some(if crate::bytes::all_same(&value) {
        Found::never(Kind::Transaction, value, "a placeholder: every digit is the same")
    } else {
        Found::links(Kind::Transaction, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(token: &str, kind: Kind) -> String {
        let found = read(token).unwrap_or_else(|| panic!("{token} is not read"));
        assert_eq!((found.kind, found.strength), (kind, Strength::Links), "{token}: {}", found.why);
        found.value
    }

    fn never(token: &str) {
        let found = read(token);
        assert!(found.as_ref().is_none_or(|f| f.strength == Strength::Never), "{token} links: {found:?}");
    }

    #[test]
    fn published_vectors_of_every_chain_are_read() {
        // BIP 173 and BIP 350 examples, the genesis coinbase, EIP-55's examples, and each project's documented addresses.
        ok("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Kind::Btc);
        ok("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", Kind::Btc);
        assert_eq!(
            ok("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", Kind::Btc),
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        );
        ok("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", Kind::Btc);
        ok("BC1SW50QGDZ25J", Kind::Btc);
        assert_eq!(
            ok("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Kind::Evm),
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
        );
        ok("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", Kind::Evm);
        ok("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", Kind::Evm);
        ok("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Kind::Trx);
        ok("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", Kind::Xrp);
        assert_eq!(
            ok("EQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p4q2", Kind::Ton),
            ok("UQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p9dz", Kind::Ton)
        );
        ok(
            "addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x",
            Kind::Ada,
        );
        ok("DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", Kind::Doge);
        ok("qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", Kind::Bch);
        ok(
            "4AdUndXHHZ6cfufTMvppY6JwXNouMBzSkbLYfpAV5Usx3skxNgYeYTRj5UzqtReoS44qo9mtmXCqY45DJ852K5Jv2684Rge",
            Kind::Xmr,
        );
    }

    #[test]
    fn one_wrong_character_never_links() {
        never("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb");
        never("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5");
        never("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD");
        never("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u");
        never("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi");
        never("EQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p4q3");
        never("qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6b");
    }

    #[test]
    fn segwit_version_zero_with_the_other_checksum_never_links() {
        // BIP 350's invalid vectors.
        never("bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd");
        never("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4");
        never("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R");
        never("bc1gmk9yu");
        never("bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    }

    #[test]
    fn burn_and_zero_addresses_never_link() {
        never("0x0000000000000000000000000000000000000000");
        never("0x000000000000000000000000000000000000dEaD");
        never("1111111111111111111114oLvT2");
        never("1BitcoinEaterAddressDontSendf59kuE");
        never("T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb");
    }

    #[test]
    fn a_solana_account_is_read_only_where_it_is_named() {
        let account = "42RLPACwZPx3vYYmxSueqsogfynBDqXK298EDsNoyoHi";
        assert_eq!(read(account), None);
        assert_eq!(read_as(Kind::Sol, account).unwrap().kind, Kind::Sol);
        assert_eq!(read_any(account).unwrap().kind, Kind::Sol);
        assert_eq!(read_sol("11111111111111111111111111111111").unwrap().strength, Strength::Never);
    }

    #[test]
    fn a_payment_uri_is_its_address() {
        let found = read_any("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa?amount=0.1").unwrap();
        assert_eq!((found.kind, found.value.as_str()), (Kind::Btc, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
    }
}
