//! One row of a dump, a CSV record or a JSON object, by the names of its fields; text to bytes and numbers.
use super::model::Address;
use crate::columns::Amount;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// Names of fields without capitals and underscores: `block_number`, `blockNumber` are one.
pub fn bare(name: &str) -> String {
    name.trim_start_matches('\u{feff}').chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

/// A row.
pub enum Row<'a> {
    /// Cells with the places of their headings.
    Csv(&'a HashMap<String, usize>, &'a csv::StringRecord),
    /// Members of an object by their bare names.
    Json(HashMap<String, &'a RawValue>),
}

impl<'a> Row<'a> {
    /// Reads a line that holds one JSON object.
    pub fn json(line: &'a str) -> Option<Row<'a>> {
        let members: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(line).ok()?;
        Some(Row::Json(members.into_iter().map(|(name, value)| (bare(&name), value)).collect()))
    }

    /// The text of the first field there is of these; numbers as they are written. Empty cells and null are not there.
    pub fn text(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().find_map(|name| self.one(name)).filter(|text| !text.is_empty())
    }

    fn one(&self, name: &str) -> Option<Cow<'a, str>> {
        match self {
            Row::Csv(places, record) => record.get(*places.get(name)?).map(Cow::Borrowed),
            Row::Json(members) => {
                let raw = members.get(name)?.get();
                match raw.as_bytes().first()? {
                    b'"' => serde_json::from_str::<Cow<'a, str>>(raw).ok(),
                    b'n' => None,
                    _ => Some(Cow::Borrowed(raw)),
                }
            }
        }
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Row::Csv(places, _) => places.contains_key(name),
            Row::Json(members) => members.contains_key(name),
        }
    }

    /// Texts of a list: a JSON array, or a cell that separates them with commas.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.text(&[name])?;
        if text.starts_with('[') {
            return serde_json::from_str(&text.replace('\'', "\"")).ok();
        }
        Some(text.split([',', '|', ';']).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
    }

    /// A whole number, in digits or (0x) hex.
    pub fn number(&self, names: &[&str]) -> Option<Result<u64, ()>> {
        self.amount(names).map(|amount| amount.and_then(|amount| amount.to_u64().ok_or(())))
    }

    /// An amount of base units: digits, a fraction, an exponent, or (0x) hex; exact or wrong.
    pub fn amount(&self, names: &[&str]) -> Option<Result<Amount, ()>> {
        self.text(names).map(|text| {
            let read = if text.starts_with("0x") { Amount::from_hex(&text) } else { Amount::parse(&text, 0) };
            read.ok_or(())
        })
    }
}

/// Bytes of a known number, in hex or base64. The length tells which: no text has both.
pub fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() == 2 * N && hex::decode_to_slice(digits, &mut bytes).is_ok() {
        return Some(bytes);
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// An address: twenty bytes, or TRON's twenty-one with 0x41 before them, or its Base58Check.
pub fn address(text: &str) -> Option<Address> {
    if text.len() == 34 && text.starts_with('T') {
        return bs58::decode(text).with_check(Some(0x41)).into_vec().ok()?.get(1..)?.try_into().ok();
    }
    fixed::<20>(text).or_else(|| {
        let [0x41, rest @ ..] = fixed::<21>(text)? else { return None };
        Some(rest)
    })
}

/// Bytes of any number: hex if they begin with 0x or the row writes its hashes so, else base64.
pub fn bytes(text: &str, in_hex: bool) -> Option<Vec<u8>> {
    if in_hex { hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok() } else { STANDARD.decode(text).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_whatever_its_dump_calls_it_and_read_exactly() {
        let line = r#"{"blockId": 15, "block_hash": "\/w==", "value": 123456789012345678901234567890, "none": null, "topics": ["a","b"]}"#;
        let row = Row::json(line).unwrap();
        assert_eq!(row.number(&["blocknumber", "blockid"]), Some(Ok(15)));
        assert_eq!(row.text(&["blockhash"]).as_deref(), Some("/w=="));
        assert_eq!(row.amount(&["value"]).unwrap().unwrap().to_string(), "123456789012345678901234567890");
        assert_eq!((row.text(&["none"]), row.has("none"), row.has("more")), (None, true, false));
        assert_eq!(row.list("topics").unwrap(), ["a", "b"]);
        let places = HashMap::from([("value".to_owned(), 0), ("topics".to_owned(), 1)]);
        let record = csv::StringRecord::from(vec!["5999895e14", "0x1,0x2"]);
        let row = Row::Csv(&places, &record);
        assert_eq!(row.amount(&["value"]).unwrap().unwrap().to_string(), "599989500000000000000");
        assert_eq!(row.list("topics").unwrap(), ["0x1", "0x2"]);
        assert!(Row::json("{\"a\":1").is_none() && Row::json("[1]").is_none());
    }

    #[test]
    fn bytes_are_read_in_hex_and_in_base64() {
        let usdt = address("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t").unwrap();
        assert_eq!(address("phT4A7b9eAmGpCx47Jx/d+be0Tw="), Some(usdt));
        assert_eq!(address(&format!("41{}", hex::encode(usdt))), Some(usdt));
        assert_eq!(address(&format!("0x{}", hex::encode(usdt))), Some(usdt));
        assert_eq!(address("0x00"), None);
        assert_eq!(fixed::<2>("0x0102"), Some([1, 2]));
        assert_eq!(bytes("0x", true), Some(Vec::new()));
        assert_eq!(bytes("/w==", false), Some(vec![255]));
    }
}
