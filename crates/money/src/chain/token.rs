//! CashTokens: what stands before an output's script on Bitcoin Cash (CHIP-2022-02, "Token Prefix").
use crate::columns::Token;
use bitcoin_slices::bsl::scan_len;

/// 15 May 2023, 12:00 UTC: before, such bytes were part of a script.
const SINCE: u32 = 1_684_152_000;
const PREFIX: u8 = 0xef;
const RESERVED: u8 = 0x80;
const HAS_COMMITMENT: u8 = 0x40;
const HAS_THING: u8 = 0x20;
const HAS_AMOUNT: u8 = 0x10;
const CAPABILITY: u8 = 0x0f;
/// Mutable is 1, minting 2.
const HIGHEST_CAPABILITY: u8 = 2;

/// An output's tokens and the script behind them. What is no valid prefix is part of the script.
pub fn split(script: &[u8], time: u32) -> (Option<Token>, &[u8]) {
    let found = if time >= SINCE { read(script) } else { None };
    found.map_or((None, script), |(token, script)| (Some(token), script))
}

fn read(script: &[u8]) -> Option<(Token, &[u8])> {
    let rest = script.strip_prefix(&[PREFIX])?;
    let (category, rest) = rest.split_first_chunk::<32>()?;
    let (bits, rest) = rest.split_first()?;
    let has = |bit: u8| bits & bit != 0;
    let fits = !has(RESERVED)
        && (has(HAS_THING) || has(HAS_AMOUNT))
        && (has(HAS_THING) || !has(HAS_COMMITMENT | CAPABILITY))
        && bits & CAPABILITY <= HIGHEST_CAPABILITY;
    if !fits {
        return None;
    }
    let mut rest = rest;
    if has(HAS_COMMITMENT) {
        let len = usize::try_from(compact(&mut rest)?).ok().filter(|len| *len > 0)?;
        rest = rest.split_at_checked(len)?.1;
    }
    let amount = if has(HAS_AMOUNT) { compact(&mut rest).filter(|n| (1..=i64::MAX as u64).contains(n))? } else { 0 };
    let category = crate::hash::reversed(*category);
    Some((Token { category, bits: *bits, amount }, rest))
}

/// A CompactSize in its shortest form.
fn compact(bytes: &mut &[u8]) -> Option<u64> {
    let mut size = 0;
    let n = scan_len(bytes, &mut size).ok()?;
    *bytes = bytes.get(size..)?;
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: [u8; 4] = [0x76, 0xa9, 0x87, 0xac];

    fn prefixed(bits: u8, more: &[u8]) -> Vec<u8> {
        [&[PREFIX][..], &[0xbb; 32], &[bits], more, &SCRIPT].concat()
    }

    #[test]
    fn prefixes_are_read_as_the_specifications_vectors_say() {
        // CHIP-2022-02, "Valid PREFIX_TOKEN Prefix Encodings": category bb…bb with these bit fields and amounts.
        let valid: [(u8, &[u8], u64); 9] = [
            (0x10, &[1], 1),
            (0x10, &[0xfc], 252),
            (0x10, &[0xfd, 0xfd, 0], 253),
            (0x10, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 9_223_372_036_854_775_807),
            (0x20, &[], 0),
            (0x30, &[0xfe, 0, 0, 1, 0], 65_536),
            (0x60, &[1, 0xcc], 0),
            (0x61, &[10, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc], 0),
            (0x72, &[1, 0xcc, 0xfd, 0xff, 0xff], 65_535),
        ];
        for (bits, more, amount) in valid {
            let bytes = prefixed(bits, more);
            let token = Token { category: [0xbb; 32], bits, amount };
            assert_eq!(split(&bytes, SINCE), (Some(token), &SCRIPT[..]), "{bits:#x}");
            assert_eq!(split(&bytes, SINCE - 1), (None, &bytes[..]), "before tokens there were none");
        }
    }

    #[test]
    fn what_the_specification_calls_invalid_is_part_of_the_script() {
        let invalid: [(u8, &[u8]); 12] = [
            (0x00, &[]),
            (0x80, &[]),
            (0x90, &[1]),
            (0x40, &[1, 0xcc]),
            (0x50, &[1, 0xcc, 1]),
            (0x11, &[1]),
            (0x23, &[]),
            (0x60, &[0]),
            (0x10, &[0]),
            (0x10, &[0xfd, 1, 0]),
            (0x10, &[0xff, 0, 0, 0, 0, 0, 0, 0, 0x80]),
            (0x60, &[100, 0xcc]),
        ];
        for (bits, more) in invalid {
            let bytes = prefixed(bits, more);
            assert_eq!(split(&bytes, SINCE), (None, &bytes[..]), "{bits:#x} {more:?}");
        }
        for len in 0..34 {
            let bytes = &prefixed(0x10, &[1])[..len];
            assert_eq!(split(bytes, SINCE), (None, bytes));
        }
    }
}
