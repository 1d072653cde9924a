//! STIX 2.1 as received: the objects of a bundle, an envelope, a list, or one a line; bodies byte for byte.

use crate::input::{Line, broken, read_line};
use crate::json::{JsonReader, Next, Raw, each_in_array, each_member};
use crate::record::{Out, Position, ReadError, Record, TimesKnown};
use serde::Deserialize;
use std::borrow::Cow;
use std::io::BufRead;

/// Reads `{"type":"bundle","objects":[…]}`, a TAXII envelope, a bare list, or one object.
pub(crate) fn read_bundle<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let limits = &out.options.limits;
    let mut json = JsonReader::new(input, limits.max_object_bytes, limits.max_depth);
    match json.next()? {
        Next::End => Err(out.malformed(Position::of("file"), "the file is empty")),
        Next::Value(b'[') => {
            json.take(b'[')?;
            each_in_array(&mut json, out, object)?;
            nothing_after(&mut json, out)
        }
        Next::Value(b'{') => {
            json.keep();
            json.take(b'{')?;
            let mut bundled = false;
            each_member(&mut json, out, |json, out, name| {
                if name == "objects" && json.next()? == Next::Value(b'[') {
                    bundled = true;
                    json.kept();
                    json.take(b'[')?;
                    return each_in_array(json, out, object);
                }
                json.value(out).map(drop)
            })?;
            if !bundled {
                let bytes = json.kept().ok_or_else(|| {
                    out.malformed(
                        Position::of("file"),
                        "neither a bundle with `objects` nor one object within max_object_bytes",
                    )
                })?;
                let raw = Raw { bytes, line: 1, fault: None };
                take(raw, Position::of("object").line(1).record(1), out)?;
            }
            nothing_after(&mut json, out)
        }
        Next::Value(_) => Err(out.malformed(json.at("JSON"), "a bundle begins with { or [")),
    }
}

fn nothing_after(json: &mut JsonReader<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    if json.next()? != Next::End {
        out.note("something follows the end of the bundle and was not read");
    }
    Ok(())
}

fn object(json: &mut JsonReader<'_>, out: &mut Out<'_, '_>, count: u64) -> Result<(), ReadError> {
    let raw = json.value(out)?;
    let at = Position::of("object").line(raw.line).record(count);
    take(raw, at, out)
}

/// Reads one object a line; empty lines are skipped.
pub(crate) fn read_lines<'i>(mut input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let max = out.options.limits.max_object_bytes;
    let (mut line, mut bytes) = (0, Vec::new());
    loop {
        line += 1;
        let at = Position::of("object").line(line);
        let fault = match read_line(&mut input, &mut bytes, max).map_err(|error| broken(at.clone(), &error))? {
            Line::End => return Ok(()),
            Line::Whole => None,
            Line::TooLong => Some(format!("longer than {max} bytes (max_object_bytes)")),
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let body = bytes.trim_ascii().to_vec();
        take(Raw { bytes: body, line, fault }, at, out)?;
    }
}

/// What every object must show before it is handed on; the ledger's door checks the rest.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    object_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    created: Option<Cow<'a, str>>,
    #[serde(borrow)]
    modified: Option<Cow<'a, str>>,
}

fn take(raw: Raw, at: Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    out.record()?;
    match check(&raw, out.options.limits.max_depth) {
        Ok((id, times)) => match String::from_utf8(raw.bytes) {
            Ok(body) => out.raw(Record { body, id, at, converted: false, times, placeholder: false }),
            Err(error) => out.bad(at, "not valid UTF-8", error.as_bytes()),
        },
        Err(why) => out.bad(at, why, &raw.bytes),
    }
}

fn check(raw: &Raw, max_depth: usize) -> Result<(String, TimesKnown), String> {
    if let Some(fault) = &raw.fault {
        return Err(fault.clone());
    }
    let text = std::str::from_utf8(&raw.bytes)
        .map_err(|error| format!("not valid UTF-8 at its byte {}", error.valid_up_to() + 1))?;
    if nests_deeper(text, max_depth) {
        return Err(format!("nested deeper than {max_depth} levels (max_depth)"));
    }
    let head: Head<'_> = serde_json::from_str(text).map_err(|error| {
        format!("not a STIX object: {} at its line {}, column {}", kind_of(&error), error.line(), error.column())
    })?;
    let object_type = head.object_type.ok_or("the object has no `type`; STIX 2.1 requires it")?;
    let id = head.id.ok_or("the object has no `id`; STIX 2.1 requires it")?;
    if object_type == "bundle" {
        return Err("a bundle inside a bundle; hand over its objects".to_owned());
    }
    if id.strip_prefix(object_type.as_ref()).and_then(|rest| rest.strip_prefix("--")).is_none() {
        return Err("the `id` does not begin with the object's type and two dashes".to_owned());
    }
    let times = match (head.created, head.modified) {
        (None, None) => TimesKnown::NotVersioned,
        _ => TimesKnown::FromSource,
    };
    Ok((id.into_owned(), times))
}

/// serde_json's own words may repeat values of the record; its category does not.
pub(crate) fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io => "it could not be read",
        serde_json::error::Category::Syntax => "a syntax error in its JSON",
        serde_json::error::Category::Data => "a property of the wrong type",
        serde_json::error::Category::Eof => "its JSON ends too early",
    }
}

fn nests_deeper(text: &str, max_depth: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                if depth > max_depth {
                    return true;
                }
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
