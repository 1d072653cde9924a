//! Amounts: whole numbers of base units, up to 256 bits, never floats.
use ruint::aliases::U256;

const TEN: U256 = U256::from_limbs([10, 0, 0, 0]);

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
        let mut amount = U256::ZERO;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
            amount = amount.checked_mul(TEN)?.checked_add(U256::from(digit))?;
        }
        shifted(amount, shift).map(Amount::from)
    }

    /// Reads a number of base 16, `0x` before it or not; exact or not at all.
    ///
    /// ```
    /// use money::columns::Amount;
    /// assert_eq!(Amount::from_hex("0x1ff"), Some(Amount::from(511)));
    /// assert_eq!(Amount::from_hex("0x"), None);
    /// ```
    pub fn from_hex(text: &str) -> Option<Amount> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let fits = (1..=64).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        fits.then(|| U256::from_str_radix(digits, 16).ok()).flatten().map(Amount::from)
    }

    /// From 32 bytes, the greatest first: how contracts write them.
    pub fn from_be(bytes: [u8; 32]) -> Amount {
        U256::from_be_bytes(bytes).into()
    }

    /// The sum, if it fits 256 bits.
    #[must_use]
    pub fn plus(&self, other: &Amount) -> Option<Amount> {
        self.number().checked_add(other.number()).map(Amount::from)
    }

    /// The difference, if it is not negative.
    #[must_use]
    pub fn minus(&self, other: &Amount) -> Option<Amount> {
        self.number().checked_sub(other.number()).map(Amount::from)
    }

    /// The product, if it fits 256 bits.
    #[must_use]
    pub fn times(&self, other: &Amount) -> Option<Amount> {
        self.number().checked_mul(other.number()).map(Amount::from)
    }

    fn number(&self) -> U256 {
        U256::from_le_bytes(self.0)
    }
}

impl From<U256> for Amount {
    fn from(number: U256) -> Amount {
        Amount(number.to_le_bytes())
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Amount) -> std::cmp::Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Amount) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Times ten to the `shift`; only if nothing is lost.
fn shifted(mut amount: U256, shift: i64) -> Option<U256> {
    if amount.is_zero() {
        return Some(amount);
    }
    // More than 77 digits fit no amount: either step ends before it can be long.
    for _ in 0..shift.max(0) {
        amount = amount.checked_mul(TEN)?;
    }
    for _ in 0..shift.min(0).unsigned_abs().min(100) {
        let (tenth, rest) = amount.div_rem(TEN);
        amount = rest.is_zero().then_some(tenth)?;
    }
    Some(amount)
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad_integral(true, "", &self.number().to_string())
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
