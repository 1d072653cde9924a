//! Handsets, SIM cards and subscribers.

use crate::bytes::{all_same, digits, luhn};
use crate::{Found, Kind};

const BAD_DIGIT: &str = "its check digit does not hold: a digit is wrong or missing";

fn compact(raw: &str) -> Option<String> {
    raw.bytes().all(|b| b.is_ascii_digit() || b" -/.".contains(&b)).then(|| digits(raw))
}

/// An IMEI of 15 digits (3GPP TS 23.003, Luhn), or an IMEISV of 16 whose software version is dropped.
pub(crate) fn imei(raw: &str) -> Option<Found> {
    let number = compact(raw).filter(|n| !all_same(n))?;
    match number.len() {
        15 if luhn(&number) => Some(Found::links(Kind::Imei, number)),
        15 => Some(Found::never(Kind::Imei, number, BAD_DIGIT)),
        14 | 16 => {
            let body = number.get(..14)?;
            let check = (0..10).find(|d| luhn(&format!("{body}{d}")))?;
            Some(Found::links(Kind::Imei, format!("{body}{check}")))
        }
        _ => None,
    }
}

/// An IMSI: 14 or 15 digits that begin with a mobile country code (ITU-T E.212: 2 to 7, or 901).
pub(crate) fn imsi(raw: &str) -> Option<Found> {
    let number = compact(raw).filter(|n| !all_same(n))?;
    let country = matches!(number.as_bytes().first(), Some(b'2'..=b'7'))
        || number.starts_with("901")
        || number.starts_with("001");
    (matches!(number.len(), 14 | 15) && country).then(|| match number.starts_with("001") {
        true => Found::never(Kind::Imsi, number, "country code 001 is for test networks"),
        false => Found::links(Kind::Imsi, number),
    })
}

/// An ICCID: `89`, 19 or 20 digits (ITU-T E.118). The twentieth, where it holds, is Luhn's.
pub(crate) fn iccid(raw: &str) -> Option<Found> {
    let trimmed = raw.trim_end_matches(['F', 'f']);
    let number = compact(trimmed)?;
    if !number.starts_with("89") || !(18..=20).contains(&number.len()) {
        return None;
    }
    Some(match number.len() == 18 || luhn(&number) {
        true => Found::links(Kind::Iccid, number),
        false => Found::never(Kind::Iccid, number, BAD_DIGIT),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    #[test]
    fn device_numbers_hold_their_digits() {
        assert_eq!(
            imei("49-015420-323751-8").map(|f| (f.value, f.strength)),
            Some(("490154203237518".into(), Strength::Links))
        );
        assert_eq!(imei("490154203237519").map(|f| f.strength), Some(Strength::Never));
        assert_eq!(imei("4901542032375101").map(|f| f.value), Some("490154203237518".into()));
        assert_eq!(iccid("8944500102198304826").map(|f| f.strength), Some(Strength::Links));
        assert_eq!(iccid("8944500102198304827").map(|f| f.strength), Some(Strength::Never));
        assert_eq!(imsi("310150123456789").map(|f| f.strength), Some(Strength::Links));
        assert_eq!(imsi("910150123456789"), None);
    }
}
