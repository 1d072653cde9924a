//! Amounts: whole numbers of base units, up to 256 bits, never floats.
use super::bytes::uint;

/// An amount in base units, 256 bits, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Amount(pub [u8; 32]);

impl From<u128> for Amount {
    fn from(n: u128) -> Amount {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(n.to_le_bytes()).for_each(|(to, from)| *to = from);
        Amount(bytes)
    }
}

impl Amount {
    /// As 128 bits, if it fits.
    pub fn to_u128(&self) -> Option<u128> {
        let (low, high) = self.0.split_first_chunk::<16>()?;
        high.iter().all(|byte| *byte == 0).then(|| u128::from_le_bytes(*low))
    }

    /// As 64 bits, if it fits.
    pub fn to_u64(&self) -> Option<u64> {
        self.to_u128().and_then(|n| u64::try_from(n).ok())
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Reads what tables hold: digits, a fraction, an exponent (`5999895e14`), times ten to the `decimals`; exact or not at all.
    ///
    /// ```
    /// use money::columns::Amount;
    /// assert_eq!(Amount::parse("12.5", 6), Some(Amount::from(12_500_000)));
    /// assert_eq!(Amount::parse("5999895e14", 0).map(|a| a.to_string()).as_deref(), Some("599989500000000000000"));
    /// assert_eq!(Amount::parse("0.1", 0), None);
    /// assert_eq!(Amount::parse("-1", 0), None);
    /// ```
    pub fn parse(text: &str, decimals: u32) -> Option<Amount> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if (whole.is_empty() && fraction.is_empty()) || text.len() > 120 {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let shift = i64::from(exponent) + i64::from(decimals) - i64::try_from(fraction.len()).ok()?;
        let mut amount = Amount::default();
        for digit in whole.bytes().chain(fraction.bytes()) {
            amount.times_ten_plus(digit.checked_sub(b'0').filter(|digit| *digit < 10)?)?;
        }
        amount.shifted(shift)
    }

    /// Times ten to the `shift`; only if nothing is lost.
    fn shifted(mut self, shift: i64) -> Option<Amount> {
        if self.is_zero() {
            return Some(self);
        }
        for _ in 0..shift.max(0) {
            self.times_ten_plus(0)?;
        }
        for _ in 0..shift.min(0).unsigned_abs().min(100) {
            if self.divide_by_ten() != 0 {
                return None;
            }
        }
        Some(self)
    }

    fn limbs(&self) -> [u64; 4] {
        let mut limbs = [0; 4];
        limbs.iter_mut().zip(self.0.chunks_exact(8)).for_each(|(limb, bytes)| *limb = uint(bytes));
        limbs
    }

    fn set(&mut self, limbs: [u64; 4]) {
        self.0.chunks_exact_mut(8).zip(limbs).for_each(|(to, limb)| to.copy_from_slice(&limb.to_le_bytes()));
    }

    fn times_ten_plus(&mut self, digit: u8) -> Option<()> {
        let (mut limbs, mut carry) = (self.limbs(), u128::from(digit));
        for limb in &mut limbs {
            carry += u128::from(*limb) * 10;
            *limb = u64::try_from(carry & u128::from(u64::MAX)).ok()?;
            carry >>= 64;
        }
        self.set(limbs);
        (carry == 0).then_some(())
    }

    fn divide_by_ten(&mut self) -> u8 {
        let (mut limbs, mut rest) = (self.limbs(), 0u128);
        for limb in limbs.iter_mut().rev() {
            let here = (rest << 64) | u128::from(*limb);
            *limb = u64::try_from(here / 10).unwrap_or(u64::MAX);
            rest = here % 10;
        }
        self.set(limbs);
        u8::try_from(rest).unwrap_or(0)
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = *self;
        let mut digits = Vec::new();
        while digits.is_empty() || !rest.is_zero() {
            digits.push(char::from(b'0' + rest.divide_by_ten()));
        }
        let text: String = digits.iter().rev().collect();
        f.pad_integral(true, "", &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_amount_is_read_and_one_more_is_refused() {
        let largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        let amount = Amount::parse(largest, 0).unwrap();
        assert_eq!(amount, Amount([0xff; 32]));
        assert_eq!(amount.to_string(), largest);
        assert_eq!(
            Amount::parse("115792089237316195423570985008687907853269984665640564039457584007913129639936", 0),
            None
        );
    }

    #[test]
    fn an_amount_is_exact_or_refused() {
        assert_eq!(Amount::parse("1.50", 1), Some(Amount::from(15)));
        assert_eq!(Amount::parse("1.55", 1), None);
        assert_eq!(Amount::parse("120e-1", 0), Some(Amount::from(12)));
        assert_eq!(Amount::parse("121e-1", 0), None);
        assert_eq!(Amount::parse("0e2000000000", 0), Some(Amount::default()));
        for bad in ["", ".", "+1", "1_0", "0x10", "NaN", "1e", "1e9999999", "1.2.3", " 1"] {
            assert_eq!(Amount::parse(bad, 0), None, "{bad}");
        }
    }
}
