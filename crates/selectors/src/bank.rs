//! Bank accounts, cards and instant-payment keys, with their check digits.

use crate::bytes::{all_same, digits, luhn};
use crate::{Found, Kind};
use iban::{Iban, IbanLike};

const BAD_DIGITS: &str = "its check digits do not hold: a digit is wrong or missing";

/// An IBAN without separators, upper- or lower-case. `None` when it does not have an IBAN's shape.
pub(crate) fn iban(compact: &str) -> Option<Found> {
    let value = compact.to_ascii_uppercase();
    match value.parse::<Iban>() {
        Ok(iban) => Some(Found::links(Kind::Iban, iban.electronic_str())),
        Err(iban::ParseIbanError::InvalidBban(_)) | Err(iban::ParseIbanError::UnknownCountry(_)) => {
            Some(Found::never(Kind::Iban, value, "its check digits hold, but no register has this country and length"))
        }
        Err(iban::ParseIbanError::InvalidBaseIban { source }) => match source {
            iban::ParseBaseIbanError::InvalidChecksum => Some(Found::never(Kind::Iban, value, BAD_DIGITS)),
            _ => None,
        },
    }
}

/// How long an IBAN of the country is (ISO 13616 register), 0 when the country has none.
#[rustfmt::skip]
pub(crate) fn iban_length(country: [u8; 2]) -> usize {
    match &[country[0].to_ascii_uppercase(), country[1].to_ascii_uppercase()] {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" | b"FK" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"CR" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"TL" | b"OM" | b"SO" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" | b"YE" => 29,
        b"JO" | b"KW" | b"MU" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => 0,
    }
}

/// A BIC of 8 or 11 characters: bank, country, place, branch. `XXX` is the head office and is dropped.
pub(crate) fn bic(token: &str) -> Option<Found> {
    let value = token.to_ascii_uppercase();
    let bytes = value.as_bytes();
    let shaped = matches!(bytes.len(), 8 | 11)
        && bytes.iter().take(6).all(u8::is_ascii_uppercase)
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && crate::phone::country(value.get(4..6)?).is_some();
    let value = match value.strip_suffix("XXX") {
        Some(head) if head.len() == 8 => head.to_string(),
        _ => value,
    };
    shaped.then(|| Found::weak(Kind::Bic, value, "a bank's code: all its customers share it"))
}

/// A payment card: 13 to 19 digits, an issuer range that exists, Luhn's digit.
pub(crate) fn card(number: &str) -> Option<Found> {
    if !(13..=19).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()) || all_same(number) {
        return None;
    }
    let prefix: u32 = number.get(..6)?.parse().ok()?;
    let length = number.len();
    let issued = match prefix {
        400_000..=499_999 => matches!(length, 13 | 16 | 19),
        510_000..=559_999 | 222_100..=272_099 => length == 16,
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => (14..=19).contains(&length),
        352_800..=358_999 => (16..=19).contains(&length),
        601_100..=601_199 | 644_000..=659_999 | 620_000..=629_999 | 810_000..=817_199 => (16..=19).contains(&length),
        500_000..=509_999 | 560_000..=589_999 | 600_000..=699_999 => (12..=19).contains(&length),
        220_000..=220_499 | 979_200..=979_299 => (16..=19).contains(&length),
        _ => false,
    };
    if !issued {
        return None;
    }
    Some(match luhn(number) {
        true => Found::links(Kind::Card, number),
        false => Found::never(Kind::Card, number, BAD_DIGITS),
    })
}

/// A bank account number after a cue or in a field: 5 to 20 digits once separators are gone.
pub(crate) fn account(raw: &str) -> Option<Found> {
    if !raw.bytes().all(|b| b.is_ascii_digit() || b" -./".contains(&b)) {
        return None;
    }
    let number = digits(raw);
    match number.len() {
        _ if all_same(&number) => None,
        5..=8 => Some(Found::weak(Kind::BankAccount, number, "short account numbers repeat between banks")),
        9..=20 => Some(Found::links(Kind::BankAccount, number)),
        _ => None,
    }
}

/// A PIX key of the random sort (UUID), a CPF or a CNPJ.
pub(crate) fn pix(raw: &str) -> Option<Found> {
    let raw = raw.trim();
    if is_uuid(raw) {
        return Some(Found::links(Kind::Pix, raw.to_ascii_lowercase()));
    }
    if !raw.bytes().all(|b| b.is_ascii_digit() || b".-/ ".contains(&b)) {
        return None;
    }
    let number = digits(raw);
    let holds = match number.len() {
        11 => brazil(&number, 9, 11) && brazil(&number, 10, 11),
        14 => brazil(&number, 12, 9) && brazil(&number, 13, 9),
        _ => return None,
    };
    Some(match holds && !all_same(&number) {
        true => Found::links(Kind::Pix, number),
        false => Found::never(Kind::Pix, number, BAD_DIGITS),
    })
}

/// The check digit at `place` of a CPF (weights 2 to 11) or CNPJ (weights 2 to 9, again and again): both modulo 11.
fn brazil(number: &str, place: usize, top: u32) -> bool {
    let bytes = number.as_bytes();
    let weights = (2..=top).cycle();
    let before = bytes.iter().take(place).rev();
    let sum: u32 = before.zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let expected = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    bytes.get(place).is_some_and(|digit| u32::from(digit - b'0') == expected)
}

/// A UUID in its usual spelling.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// PromptPay: a Thai mobile, a national or tax number of 13 digits, an e-wallet of 15.
pub(crate) fn promptpay(raw: &str) -> Option<Found> {
    if !raw.bytes().all(|b| b.is_ascii_digit() || b" -+".contains(&b)) {
        return None;
    }
    let number = digits(raw);
    match number.len() {
        13 => Some(match thai(&number) {
            true => Found::links(Kind::Promptpay, number),
            false => Found::never(Kind::Promptpay, number, BAD_DIGITS),
        }),
        15 if !all_same(&number) => Some(Found::links(Kind::Promptpay, number)),
        9..=11 => {
            let thailand = crate::phone::country("TH")?;
            let form = match raw.trim_start().starts_with('+') {
                true => crate::phone::Form::International,
                false => crate::phone::Form::National(thailand),
            };
            crate::phone::read(&number, form).map(|value| Found::links(Kind::Promptpay, value))
        }
        _ => None,
    }
}

/// A Thai national number: weights 13 to 2, modulo 11.
fn thai(number: &str) -> bool {
    let sum: u32 =
        number.bytes().take(12).zip((2..=13).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    number.as_bytes().get(12).copied().is_some_and(|digit| u32::from(digit - b'0') == (11 - sum % 11) % 10)
}

/// Handles of UPI payment service providers (NPCI's list, the common ones).
#[rustfmt::skip]
const UPI: &[&str] = &[
    "abcdicici", "abfspay", "airtel", "allbank", "amazonpay", "apb", "apl", "aubank", "axb", "axis", "axisb", "axisbank", "axisgo", "axl", "bandhan",
    "barodampay", "barodapay", "bpaxis", "cbin", "cboi", "citi", "cmsidfc", "cnrb", "csbpay", "cub", "dbs", "dcb", "dhanlaxmi", "dlb", "eazypay",
    "equitas", "esaf", "ezeepay", "fam", "fbl", "federal", "finobank", "freecharge", "freoicici", "goaxb", "hdfcbank", "hdfcbankjd", "hsbc", "ibl",
    "icici", "icicibank", "idbi", "idfcbank", "idfcfirst", "idfcnetc", "ikwik", "imobile", "indbank", "indianbank", "indus", "inhdfc", "iob", "jio",
    "jkb", "jupiteraxis", "juspay", "karb", "kaypay", "kbl", "kmbl", "kotak", "kvb", "lvb", "mahb", "myicici", "naviaxis", "niyoicici", "nsdl",
    "obc", "okaxis", "okbizaxis", "okbizicici", "okhdfcbank", "okicici", "oksbi", "paytm", "payzapp", "pingpay", "pnb", "pockets", "postbank", "psb",
    "ptaxis", "pthdfc", "ptsbi", "ptyes", "pz", "rajgovhdfcbank", "rapl", "ratn", "rbl", "rblbank", "rmhdfcbank", "sbi", "sc", "seyes",
    "shriramhdfcbank", "sib", "slice", "sliceaxis", "stan", "superyes", "tapicici", "timecosmos", "tjsb", "tmb", "trans", "ubi", "uboi", "uco",
    "ucobank", "ujjivan", "unionbank", "united", "unity", "upi", "utbi", "vijb", "waaxis", "wahdfcbank", "waicici", "wasbi", "yapl", "ybl",
    "yesbank", "yesbankltd", "yescred", "yesfam", "yespay", "yespop", "zoicici",
];

/// A UPI address `name@provider`.
pub(crate) fn upi(raw: &str) -> Option<Found> {
    let (name, provider) = raw.split_once('@')?;
    let shaped =
        (2..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let provider = provider.to_ascii_lowercase();
    (shaped && UPI.binary_search(&provider.as_str()).is_ok())
        .then(|| Found::links(Kind::Upi, format!("{}@{provider}", name.to_ascii_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    fn strength(found: Option<Found>) -> Option<Strength> {
        found.map(|f| f.strength)
    }

    #[test]
    fn ibans_hold_their_check_digits() {
        for good in
            ["GB82WEST12345698765432", "DE89370400440532013000", "fr1420041010050500013m02606", "NO9386011117947"]
        {
            let found = iban(good).unwrap();
            assert_eq!(
                (found.strength, iban_length([good.as_bytes()[0], good.as_bytes()[1]])),
                (Strength::Links, good.len())
            );
        }
        assert_eq!(strength(iban("GB83WEST12345698765432")), Some(Strength::Never));
        assert_eq!(iban("hello"), None);
    }

    #[test]
    fn cards_need_luhn_and_an_issuer() {
        assert_eq!(strength(card("4111111111111111")), Some(Strength::Links));
        assert_eq!(strength(card("378282246310005")), Some(Strength::Links));
        assert_eq!(strength(card("4111111111111112")), Some(Strength::Never));
        assert_eq!(card("1234567812345670"), None);
        assert_eq!(card("4444444444444444"), None);
    }

    #[test]
    fn brazilian_numbers_hold_both_digits() {
        assert_eq!(pix("529.982.247-25").map(|f| (f.value, f.strength)), Some(("52998224725".into(), Strength::Links)));
        assert_eq!(
            pix("11.222.333/0001-81").map(|f| (f.value, f.strength)),
            Some(("11222333000181".into(), Strength::Links))
        );
        assert_eq!(strength(pix("529.982.247-26")), Some(Strength::Never));
        assert_eq!(strength(pix("111.111.111-11")), Some(Strength::Never));
        assert_eq!(
            pix("123E4567-E12B-12D1-A456-426655440000").map(|f| f.value),
            Some("123e4567-e12b-12d1-a456-426655440000".into())
        );
    }

    #[test]
    fn promptpay_reads_mobiles_and_national_numbers() {
        assert_eq!(promptpay("081-234-5678").map(|f| f.value), Some("+66812345678".into()));
        assert_eq!(strength(promptpay("1-1017-00230-70-8")), Some(Strength::Links));
        assert_eq!(strength(promptpay("1-1017-00230-70-9")), Some(Strength::Never));
    }

    #[test]
    fn upi_needs_a_provider_that_exists() {
        assert!(UPI.is_sorted());
        assert_eq!(upi("Some.One@OkSBI").map(|f| f.value), Some("some.one@oksbi".into()));
        assert_eq!(upi("someone@nowhere"), None);
    }

    #[test]
    fn a_bic_is_evidence_and_never_a_link() {
        assert_eq!(bic("DEUTDEFFXXX").map(|f| (f.value, f.strength)), Some(("DEUTDEFF".into(), Strength::Weak)));
        assert_eq!(bic("ABCDEFGH"), None);
    }
}
