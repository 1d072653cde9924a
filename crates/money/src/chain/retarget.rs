//! How hard Bitcoin's next block must be: the target changes every 2,016 blocks by the time these took (Bitcoin Core, `pow.cpp`).
use super::Network;
use super::decode::target;
use crate::columns::{self, Utxo};
use ruint::aliases::U256;

/// Blocks between two changes.
const INTERVAL: u64 = 2_016;
/// Seconds that they should take: two weeks.
const TIMESPAN: u32 = 14 * 86_400;

/// The compact target that the block at `height` must have by the blocks before it; `None` where the rule is another chain's, or the
/// headers that it needs are not on record.
///
/// # Errors
/// The record's own files.
pub fn expected(chain: &Utxo, network: Network, height: u64) -> columns::Result<Option<u32>> {
    let header = |height: Option<u64>| -> columns::Result<Option<(u32, u32)>> {
        let Some(height) = height else { return Ok(None) };
        Ok(chain.store().at_height(height)?.and_then(|(place, _)| chain.block(place)))
    };
    if network != Network::Main {
        return Ok(None);
    }
    let Some((last_time, last_bits)) = header(height.checked_sub(1))? else { return Ok(None) };
    if !height.is_multiple_of(INTERVAL) {
        return Ok(Some(last_bits));
    }
    let first = header(height.checked_sub(INTERVAL))?;
    Ok(first.and_then(|(first_time, _)| changed(last_bits, first_time, last_time, network.easiest())))
}

/// The target after a period that began and ended at these times, made four times harder or easier at most.
fn changed(bits: u32, first: u32, last: u32, easiest: u32) -> Option<u32> {
    let took = i64::from(last) - i64::from(first);
    let took = took.clamp(i64::from(TIMESPAN / 4), i64::from(TIMESPAN) * 4);
    let old = U256::from_be_bytes(target(bits)?);
    let new = old.checked_mul(U256::from(took.unsigned_abs()))? / U256::from(TIMESPAN);
    compact(new.min(U256::from_be_bytes(target(easiest)?)))
}

/// A target in four bytes: how many bytes it has, and the first three.
fn compact(target: U256) -> Option<u32> {
    let mut size = target.bit_len().div_ceil(8);
    let shift = 8 * size.abs_diff(3);
    let mut mantissa = u32::try_from(if size <= 3 { target << shift } else { target >> shift }).ok()?;
    // The highest bit is a sign.
    if mantissa & 0x0080_0000 != 0 {
        (mantissa, size) = (mantissa >> 8, size + 1);
    }
    Some(mantissa | (u32::try_from(size).ok()? << 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_change_as_bitcoin_cores_tests_say() {
        // Bitcoin Core, `test/pow_tests.cpp`: get_next_work, _pow_limit, _lower_limit_actual, _upper_limit_actual.
        let limit = Network::Main.easiest();
        for (bits, first, last, next) in [
            (0x1d00_ffff, 1_261_130_161, 1_262_152_739, 0x1d00_d86a),
            (0x1d00_ffff, 1_231_006_505, 1_233_061_996, 0x1d00_ffff),
            (0x1c05_a3f4, 1_279_008_237, 1_279_297_671, 0x1c01_68fd),
            (0x1c38_7f6f, 1_263_163_443, 1_269_211_443, 0x1d00_e1fd),
        ] {
            assert_eq!(changed(bits, first, last, limit), Some(next), "{bits:x}");
        }
        assert_eq!(compact(U256::from(0x80u32)), Some(0x0200_8000));
    }
}
