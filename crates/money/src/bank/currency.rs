//! Money as banks write it, in minor units.
use crate::columns::Amount;
use iso_currency::Currency;

/// What a text of digits with a point is in minor units of a currency (ISO 4217): exact or not at all.
///
/// # Errors
/// What is wrong with it, without the amount.
///
/// ```
/// use money::bank::minor_units;
/// assert_eq!(minor_units("1250.50", "EUR"), Ok(125_050));
/// assert_eq!(minor_units("1250", "JPY"), Ok(1_250));
/// assert_eq!(minor_units("1.250", "KWD"), Ok(1_250));
/// assert!(minor_units("0.5", "JPY").is_err() && minor_units("-1", "EUR").is_err());
/// assert!(minor_units("1", "ZZZ").is_err());
/// ```
pub fn minor_units(text: &str, currency: &str) -> std::result::Result<u128, &'static str> {
    let known = Currency::from_code(currency).ok_or("the currency is not one of ISO 4217")?;
    let decimals = known.exponent().ok_or("the currency has no minor unit (ISO 4217)")?;
    // ISO 20022 writes digits and a point: an exponent is nothing that a bank sends.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err("the amount is not digits with at most one point");
    }
    let amount = Amount::parse(text, u32::from(decimals)).ok_or("the amount is no whole number of minor units")?;
    // Sums of them are signed.
    amount.to_u128().filter(|amount| *amount <= i128::MAX as u128).ok_or("the amount does not fit 127 bits")
}
