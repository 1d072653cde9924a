//! CSV: each row becomes the objects its mapping names, related as it says.

use crate::dates;
use crate::fault::{Fault, Why};
use crate::mapping::{Column, Mapping, ObjectMapping};
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::typing::{type_of, wallet_value};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// A row with more fields than this is no row.
const MAX_FIELDS: usize = 10_000;
/// Rows below a header without the mapping's names that are looked at, to say where the names are.
const LOOKED_AT: u64 = 10;

/// `marked`: a byte order mark said that the input is UTF-8, whatever the mapping says.
pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, marked: bool, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let Some(mapping) = out.options.mapping else {
        return Err(ReadError::Options(
            "a CSV file needs a mapping that says what its columns are: --mapping FILE, or mapping.toml beside it"
                .to_owned(),
        ));
    };
    let encoding = mapping.encoding.0;
    let decoded = !marked && encoding != encoding_rs::UTF_8;
    let input: Box<dyn BufRead + 'i> = match decoded {
        true => {
            let mut decoder = encoding_rs_io::DecodeReaderBytesBuilder::new();
            Box::new(BufReader::new(decoder.encoding(Some(encoding)).bom_sniffing(false).build(input)))
        }
        false => input,
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(mapping.delimiter).unwrap_or(b','))
        .quote(u8::try_from(mapping.quote).unwrap_or(b'"'))
        .has_headers(false)
        .flexible(true)
        .from_reader(BoundedRows {
            input,
            since_line: 0,
            max: out.options.limits.max_object_bytes as u64,
            crlf: None,
            total: 0,
            last: 0,
        });
    let mut rows = Rows { reader: &mut reader, skip: mapping.skip };
    let mut row = csv::ByteRecord::new();
    let Some(line) = rows.next(&mut row, out)? else { return Ok(()) };
    let columns = Columns { decoded, names: names(mapping, &row, line, out)? };
    columns.check(mapping, &row, line, &mut rows, out)?;
    if mapping.header {
        out.header = Some(as_written(mapping, &row).into());
    }
    let mut next = if mapping.header { rows.next(&mut row, out)? } else { Some(line) };
    while let Some(line) = next {
        out.record()?;
        let at = Position::of("row").line(line);
        if let Err((column, why)) = one_row(mapping, &columns, &row, &at, out)? {
            let at = Position { what: format!("row, column `{column}`"), ..at };
            out.bad(at, why, as_written(mapping, &row).as_bytes())?;
        }
        next = rows.next(&mut row, out)?;
    }
    Ok(())
}

/// The rows of a file from the first that the mapping speaks of.
struct Rows<'r, R> {
    reader: &'r mut csv::Reader<BoundedRows<R>>,
    skip: u64,
}

impl<R: BufRead> Rows<'_, R> {
    /// The line that the row just read begins in. The reader's own place of it is before what stands empty above it; it
    /// counts line feeds, and that of a `\r\n` with the row behind it.
    fn line_of(&self, row: &csv::ByteRecord) -> u64 {
        let inside = row.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let (at, bytes) = (self.reader.position(), self.reader.get_ref());
        let without_end = at.byte() == bytes.total && bytes.last != b'\n';
        let its_own = u64::from(!without_end && bytes.crlf != Some(true));
        at.line().saturating_sub(inside + its_own)
    }

    /// Reads the next row; its line, `None` at the end.
    fn next(&mut self, row: &mut csv::ByteRecord, out: &Out<'_, '_>) -> Result<Option<u64>, ReadError> {
        loop {
            let line = self.reader.position().line();
            match self.reader.read_byte_record(row) {
                Ok(false) => return Ok(None),
                // Excel's own word on the delimiter.
                Ok(true) if line == 1 && row.get(0).is_some_and(|field| field.starts_with(b"sep=")) => {}
                Ok(true) if self.skip > 0 => self.skip -= 1,
                Ok(true) => return Ok(Some(self.line_of(row))),
                Err(error) => {
                    let at = Position::of("row").line(line);
                    return Err(match error.into_kind() {
                        csv::ErrorKind::Io(error) => crate::input::broken(at, &error),
                        _ => out.malformed(at, "the row cannot be read"),
                    });
                }
            }
        }
    }
}

/// A row as the file has it, in UTF-8: what cannot be read as letters is shown as such.
fn as_written(mapping: &Mapping, row: &csv::ByteRecord) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(u8::try_from(mapping.delimiter).unwrap_or(b','))
        .quote(u8::try_from(mapping.quote).unwrap_or(b'"'))
        .flexible(true)
        .from_writer(Vec::new());
    // Into memory: nothing fails but memory itself.
    let written = writer.write_record(row.iter().map(|field| String::from_utf8_lossy(field).into_owned()));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default().trim_end_matches('\n').to_owned()
}

/// Stops a quote that is never closed from swallowing the file into one row.
struct BoundedRows<R> {
    input: R,
    since_line: u64,
    max: u64,
    /// Whether its first line ended with `\r\n`.
    crlf: Option<bool>,
    /// Bytes given so far, and the last of them.
    total: u64,
    last: u8,
}

impl<R: BufRead> std::io::Read for BoundedRows<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buf)?;
        let part = buf.get(..count).unwrap_or_default();
        self.total += count as u64;
        self.last = part.last().copied().unwrap_or(self.last);
        if self.crlf.is_none()
            && let Some(at) = part.iter().position(|byte| *byte == b'\n')
        {
            self.crlf = Some(at.checked_sub(1).and_then(|before| part.get(before)) == Some(&b'\r'));
        }
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

/// What the fields of a row are.
struct Columns {
    names: Vec<String>,
    /// The bytes were of another encoding: what was no letter there is U+FFFD here.
    decoded: bool,
}

/// The names of the columns: those of the header, else their numbers.
fn names(mapping: &Mapping, row: &csv::ByteRecord, line: u64, out: &Out<'_, '_>) -> Result<Vec<String>, ReadError> {
    if row.len() > MAX_FIELDS {
        return Err(out.malformed(
            Position::of("row").line(line),
            format!("more than {MAX_FIELDS} fields; is the delimiter right?"),
        ));
    }
    Ok(match mapping.header {
        true => header(row),
        false => (1..=row.len()).map(|number| number.to_string()).collect(),
    })
}

fn header(row: &csv::ByteRecord) -> Vec<String> {
    row.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}

impl Columns {
    /// That all of the mapping's columns are there; else what there is, and where the names may be.
    fn check<R: BufRead>(
        &self,
        mapping: &Mapping,
        row: &csv::ByteRecord,
        line: u64,
        rows: &mut Rows<'_, R>,
        out: &Out<'_, '_>,
    ) -> Result<(), ReadError> {
        let wanted = || mapping.object.values().flat_map(|object| object.columns.keys()).chain(&mapping.key);
        let Some(missing) = wanted().find(|name| !self.names.contains(name)) else { return Ok(()) };
        let there: Vec<String> = self.names.iter().take(30).map(|name| name.chars().take(40).collect()).collect();
        let mut why = format!("no column `{missing}`; there are: {}. ", there.join(", "));
        let other = [';', '\t', ',', '|'].into_iter().find(|d| *d != mapping.delimiter && there.concat().contains(*d));
        if let Some(other) = other.filter(|_| row.len() == 1) {
            why.push_str(&format!("Is `delimiter = {other:?}` missing in the mapping?"));
        } else if let Some(above) = below(mapping, rows, out, |names| wanted().all(|name| names.contains(name))) {
            let skip = mapping.skip + above;
            why.push_str(&format!("The names stand further down: write `skip = {skip}` into the mapping"));
        } else {
            why.push_str("Check the mapping's names and its delimiter");
        }
        Err(out.malformed(Position::of("header").line(line), why))
    }
}

/// How many rows stand above the one that has the names, when one of the next has them.
fn below<R: BufRead>(
    mapping: &Mapping,
    rows: &mut Rows<'_, R>,
    out: &Out<'_, '_>,
    is_it: impl Fn(&[String]) -> bool,
) -> Option<u64> {
    let mut row = csv::ByteRecord::new();
    for above in 1..=LOOKED_AT {
        if !mapping.header || !matches!(rows.next(&mut row, out), Ok(Some(_))) || row.len() > MAX_FIELDS {
            break;
        }
        if is_it(&header(&row)) {
            return Some(above);
        }
    }
    None
}

/// A column and what is wrong with its field.
type BadField = (String, Why);

fn one_row(
    mapping: &Mapping,
    columns: &Columns,
    row: &csv::ByteRecord,
    at: &Position,
    out: &mut Out<'_, '_>,
) -> Result<Result<(), BadField>, ReadError> {
    let names = &columns.names;
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (name, bytes) in names.iter().zip(row) {
        match std::str::from_utf8(bytes) {
            Ok(text) if !(columns.decoded && text.contains('\u{fffd}')) => fields.insert(name, text.trim().to_owned()),
            _ => return Ok(Err((name.clone(), Fault::Encoding.into()))),
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
        object.also("country", mapping.country.map(stix::Country::as_str).or(out.options.country));
    }
    for (property, value) in properties {
        object.put(property, value);
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
