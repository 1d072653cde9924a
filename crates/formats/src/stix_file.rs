//! STIX 2.1 as received: the objects of a bundle, an envelope, a list, or one a line; bodies byte for byte.

use crate::fault::{Fault, Why};
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
            Line::TooLong => Some(Why::new(Fault::TooLong, format!("{max} B"))),
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
            Err(error) => out.bad(at, Fault::NotUtf8, error.as_bytes()),
        },
        Err(why) => out.bad(at, why, &raw.bytes),
    }
}

fn check(raw: &Raw, max_depth: usize) -> Result<(String, TimesKnown), Why> {
    if let Some(fault) = &raw.fault {
        return Err(fault.clone());
    }
    let text = std::str::from_utf8(&raw.bytes)
        .map_err(|error| Why::new(Fault::NotUtf8, format!("{} B", error.valid_up_to())))?;
    if nests_deeper(text, max_depth) {
        return Err(Why::new(Fault::TooDeep, max_depth.to_string()));
    }
    let head: Head<'_> = serde_json::from_str(text).map_err(|error| Why::json(&error))?;
    let object_type = head.object_type.ok_or(Fault::NoType)?;
    let id = head.id.ok_or(Fault::NoId)?;
    if object_type == "bundle" {
        return Err(Fault::Nested.into());
    }
    if id.strip_prefix(object_type.as_ref()).and_then(|rest| rest.strip_prefix("--")).is_none() {
        return Err(Fault::IdOfOther.into());
    }
    let times = match (head.created, head.modified) {
        (None, None) => TimesKnown::NotVersioned,
        _ => TimesKnown::FromSource,
    };
    Ok((id.into_owned(), times))
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
