//! CSV: each row becomes the objects its mapping names, related as it says.

use crate::dates;
use crate::fault::{Fault, Why};
use crate::mapping::{Column, Encoding, Mapping, ObjectMapping};
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::typing::{type_of, wallet_value};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::BufRead;

/// A row with more fields than this is no row.
const MAX_FIELDS: usize = 10_000;

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let Some(mapping) = out.options.mapping else {
        return Err(ReadError::Options(
            "a CSV file needs a mapping (--mapping FILE) that says what its columns are".to_owned(),
        ));
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(mapping.delimiter).unwrap_or(b','))
        .quote(u8::try_from(mapping.quote).unwrap_or(b'"'))
        .has_headers(false)
        .flexible(true)
        .from_reader(BoundedRows { input, since_line: 0, max: out.options.limits.max_object_bytes as u64 });
    let mut names: Vec<String> = Vec::new();
    let mut row = csv::ByteRecord::new();
    let mut first = true;
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                let at = Position::of("row").line(line);
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => crate::input::broken(at, &error),
                    _ => out.malformed(at, "the row cannot be read"),
                });
            }
        }
        let line = row.position().map_or(line, csv::Position::line);
        if std::mem::take(&mut first) {
            names = columns(mapping, &row, line, out)?;
            if mapping.header {
                continue;
            }
        }
        out.record()?;
        let at = Position::of("row").line(line);
        if let Err((column, why)) = one_row(mapping, &names, &row, &at, out)? {
            let at = Position { what: format!("row, column `{column}`"), ..at };
            out.bad(at, why, row.as_slice())?;
        }
    }
}

/// Stops a quote that is never closed from swallowing the file into one row.
struct BoundedRows<R> {
    input: R,
    since_line: u64,
    max: u64,
}

impl<R: BufRead> std::io::Read for BoundedRows<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buf)?;
        let part = buf.get(..count).unwrap_or_default();
        self.since_line = match part.iter().rposition(|byte| *byte == b'"' || *byte == b'\n') {
            Some(at) if part.contains(&b'\n') => (count - at) as u64,
            _ => self.since_line + count as u64,
        };
        if self.since_line > self.max {
            return Err(std::io::Error::new(
                std::io::ErrorKind::FileTooLarge,
                "one row is longer than max_object_bytes",
            ));
        }
        Ok(count)
    }
}

/// The names of the columns, and that all the mapping's are there.
fn columns(mapping: &Mapping, row: &csv::ByteRecord, line: u64, out: &Out<'_, '_>) -> Result<Vec<String>, ReadError> {
    if row.len() > MAX_FIELDS {
        return Err(out.malformed(
            Position::of("row").line(line),
            format!("more than {MAX_FIELDS} fields; is the delimiter right?"),
        ));
    }
    let names: Vec<String> = match mapping.header {
        true => row.iter().map(|name| decode(name, mapping.encoding).unwrap_or_default().trim().to_owned()).collect(),
        false => (1..=row.len()).map(|number| number.to_string()).collect(),
    };
    let wanted = mapping.object.values().flat_map(|object| object.columns.keys()).chain(&mapping.key);
    for name in wanted {
        if !names.contains(name) {
            let there: Vec<String> = names.iter().take(30).map(|name| name.chars().take(40).collect()).collect();
            return Err(out.malformed(
                Position::of("header").line(line),
                format!(
                    "no column `{name}`; there are: {}. Check the mapping's names and its delimiter",
                    there.join(", ")
                ),
            ));
        }
    }
    Ok(names)
}

/// A column and what is wrong with its field.
type BadField = (String, Why);

fn one_row(
    mapping: &Mapping,
    names: &[String],
    row: &csv::ByteRecord,
    at: &Position,
    out: &mut Out<'_, '_>,
) -> Result<Result<(), BadField>, ReadError> {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (name, bytes) in names.iter().zip(row) {
        match decode(bytes, mapping.encoding) {
            Some(text) => fields.insert(name, text.trim().to_owned()),
            None => {
                return Ok(Err((name.clone(), Fault::Encoding.into())));
            }
        };
    }
    if row.len() > names.len() {
        return Ok(Err((
            names.len().to_string(),
            Why::new(Fault::FieldCount, format!("{} > {}", row.len(), names.len())),
        )));
    }
    if fields.values().all(String::is_empty) {
        return Ok(Ok(()));
    }
    let key: Vec<&str> = match mapping.key.is_empty() {
        true => fields.values().map(String::as_str).collect(),
        false => mapping.key.iter().filter_map(|name| fields.get(name.as_str())).map(String::as_str).collect(),
    };
    // All of a row is made before any of it is handed over: a bad field sets the whole row aside.
    let mut made: BTreeMap<&str, (Object, String)> = BTreeMap::new();
    for (name, rule) in &mapping.object {
        match one_object(mapping, name, rule, &fields, &key, out) {
            Ok(Some(object)) => {
                let id = object.id(out);
                made.insert(name, (object, id));
            }
            Ok(None) => {}
            Err(fault) => return Ok(Err(fault)),
        }
    }
    let mut links = Vec::new();
    for (name, rule) in &mapping.object {
        let Some(target) = &rule.related_to else {
            continue;
        };
        if let (Some((_, from)), Some((_, to))) = (made.get(name.as_str()), made.get(target.as_str())) {
            let id = out.id("relationship", &[from, &rule.relationship, to]);
            links.push(Object::relationship(id, &rule.relationship, from, to));
        }
    }
    for (object, _) in made.into_values() {
        out.object_once(object, at)?;
    }
    for link in links {
        out.object_once(link, at)?;
    }
    Ok(Ok(()))
}

fn one_object(
    mapping: &Mapping,
    name: &str,
    rule: &ObjectMapping,
    fields: &BTreeMap<&str, String>,
    key: &[&str],
    out: &Out<'_, '_>,
) -> Result<Option<Object>, BadField> {
    let mut properties = Map::new();
    for (column, how) in &rule.columns {
        let text = fields.get(column.as_str()).map(String::as_str).unwrap_or_default();
        if text.is_empty() {
            if how.optional {
                continue;
            }
            return Err((column.clone(), Fault::FieldEmpty.into()));
        }
        let value = convert(how, text).map_err(|why| (column.clone(), why))?;
        place(&mut properties, &how.to, value);
    }
    if properties.is_empty() {
        return Ok(None);
    }
    let value_column =
        || rule.columns.iter().find(|(_, how)| how.to == "value").map(|(column, _)| column.clone()).unwrap_or_default();
    let mut object = match rule.object_type.as_str() {
        "auto" => {
            let text =
                properties.remove("value").and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
            let typed = type_of(&text).ok_or_else(|| (value_column(), Fault::NoSelector.into()))?;
            Object::value(typed.object_type, &typed.value)
        }
        "cryptocurrency-wallet" => {
            let text =
                properties.remove("value").and_then(|value| value.as_str().map(wallet_value)).unwrap_or_default();
            Object::value("cryptocurrency-wallet", &text)
        }
        known if is_observable(known) => Object::observable(known),
        domain => Object::domain(domain, out.id(domain, &[&[name], key].concat())),
    };
    if object.get("value").is_none() && is_ours(&rule.object_type) {
        // Phones, accounts, cards and documents get keyed ids over what names them, never over the row.
        let named = crate::canonical_json(&Value::Object(properties.clone()));
        object.put("id", out.options.ids.id(&rule.object_type, &["selector", &named]));
    }
    for (constant, value) in &rule.constants {
        let value = serde_json::to_value(value).map_err(|_| (constant.clone(), Fault::Constant.into()))?;
        place(&mut properties, constant, value);
    }
    let observable = object.get("value").is_some() || is_observable(&rule.object_type);
    if !observable {
        for label in &mapping.labels {
            object.label(label);
        }
        if let Some(labels) = properties.remove("labels").as_ref().and_then(Value::as_array) {
            labels.iter().filter_map(Value::as_str).for_each(|label| object.label(label));
        }
        if let Some(lang) = mapping.lang.as_deref().or(out.options.lang) {
            object.put("lang", lang);
        }
        object.also("country", mapping.country.as_deref().or(out.options.country));
    }
    for (property, value) in properties {
        object.put(&property, value);
    }
    Ok(Some(object))
}

fn is_observable(object_type: &str) -> bool {
    matches!(
        object_type,
        "domain-name"
            | "url"
            | "ipv4-addr"
            | "ipv6-addr"
            | "email-addr"
            | "mac-addr"
            | "user-account"
            | "file"
            | "cryptocurrency-wallet"
            | "cryptocurrency-transaction"
    ) || is_ours(object_type)
}

/// Types that no standard gives an id: a keyed one is made, over what names them.
fn is_ours(object_type: &str) -> bool {
    stix::PERSONAL_OURS.contains(&object_type) || matches!(object_type, "identity-document" | "lure")
}

fn convert(how: &Column, text: &str) -> Result<Value, Why> {
    if let Some(separator) = how.split.as_deref().filter(|separator| !separator.is_empty()) {
        let single = Column { split: None, ..how.clone() };
        return text
            .split(separator)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| convert(&single, part))
            .collect();
    }
    if let Some(values) = &how.values {
        return values.get(text).map(|meaning| meaning.as_str().into()).ok_or_else(|| {
            let words: Vec<&str> = values.keys().map(String::as_str).take(20).collect();
            Why::new(Fault::NotAWord, words.join(", "))
        });
    }
    if let Some(pattern) = &how.date {
        let date = if pattern == "iso" {
            dates::from_iso(text).ok_or_else(|| Why::new(Fault::NotADate, "ISO 8601"))?
        } else {
            dates::from_pattern(pattern, text).map_err(|_| Why::new(Fault::NotADate, pattern))?
        };
        return Ok(date.into());
    }
    if how.number {
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(whole.into());
        }
        let float: f64 = text.replace(',', ".").parse().map_err(|_| Fault::NotANumber)?;
        return serde_json::Number::from_f64(float).map(Value::Number).ok_or_else(|| Fault::NotANumber.into());
    }
    Ok(text.into())
}

fn place(properties: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            properties.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let inner = properties.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                place(inner, rest, value);
            }
        }
    }
}

fn decode(bytes: &[u8], encoding: Encoding) -> Option<String> {
    Some(match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).ok()?.to_owned(),
        Encoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Encoding::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    })
}

/// Windows-1252 differs from ISO 8859-1 in 0x80-0x9f (WHATWG Encoding standard, index windows-1252).
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let high = usize::from(byte).checked_sub(0x80).and_then(|at| HIGH.get(at));
    high.copied().unwrap_or_else(|| char::from(byte))
}
