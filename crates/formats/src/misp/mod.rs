//! MISP events: attributes and objects become observables and indicators, galaxies become what they name,
//! tags become markings and labels, sightings and opinions stay what they are.
//!
//! One event is held at a time. Patterns and values follow the MISP project's own converter (misp-stix); ids
//! of domain objects keep MISP's uuids, ids of standard observables are STIX's deterministic ones.

mod attribute;
mod domain;
mod event;
mod file;
mod galaxy;
mod object;
mod pattern;
mod system;
mod traffic;

use crate::fault::{Fault, Why};
use crate::json::{JsonReader, Next, each_in_array, each_member};
use crate::record::{Out, Position, ReadError};
use serde_json::Value;
use std::io::BufRead;

/// An event may be this many times as long as an object.
const EVENT_FACTOR: usize = 4;

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let limits = &out.options.limits;
    let mut json = JsonReader::new(input, limits.max_object_bytes.saturating_mul(EVENT_FACTOR), limits.max_depth);
    match json.next()? {
        Next::Value(b'[') => {
            json.take(b'[')?;
            each_in_array(&mut json, out, one)
        }
        Next::Value(b'{') => {
            json.keep();
            json.take(b'{')?;
            let mut framed = false;
            each_member(&mut json, out, |json, out, name| match name {
                "response" if json.next()? == Next::Value(b'[') => {
                    framed = true;
                    json.kept();
                    json.take(b'[')?;
                    each_in_array(json, out, one)
                }
                "Event" | "response" => {
                    framed = true;
                    json.kept();
                    one(json, out, 1)
                }
                _ => json.value(out).map(drop),
            })?;
            if framed {
                return Ok(());
            }
            let at = Position::of("event").line(1).record(1);
            match json.kept().map(|bytes| serde_json::from_slice::<Value>(&bytes)) {
                Some(Ok(value)) if value.get("Attribute").is_some() || value.get("info").is_some() => {
                    event::write(&value, at, out)
                }
                Some(Ok(_)) => Err(out.malformed(at, "neither `Event` nor `response` nor an event's own members")),
                Some(Err(error)) => Err(out.malformed(at, Why::json(&error).to_string())),
                None => {
                    Err(ReadError::Limit { at, why: "the event is longer than four times max_object_bytes".to_owned() })
                }
            }
        }
        Next::Value(_) => Err(out.malformed(json.at("JSON"), "a MISP event begins with { or [")),
        Next::End => Err(out.malformed(Position::of("file"), "the file is empty")),
    }
}

fn one(json: &mut JsonReader<'_>, out: &mut Out<'_, '_>, count: u64) -> Result<(), ReadError> {
    let raw = json.value(out)?;
    let at = Position::of("event").line(raw.line).record(count);
    if let Some(fault) = raw.fault {
        return out.bad(at, fault, &raw.bytes);
    }
    match serde_json::from_slice::<Value>(&raw.bytes) {
        Ok(value) => {
            let event = value.get("Event").unwrap_or(&value);
            if !event.is_object() {
                return out.bad(at, Fault::EventShape, &raw.bytes);
            }
            event::write(event, at, out)
        }
        Err(error) => out.bad(at, Why::json(&error), &raw.bytes),
    }
}

/// A member as text; MISP writes numbers and flags as text and as themselves.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<std::borrow::Cow<'v, str>> {
    match value.get(name)? {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(flag) => Some(flag.to_string().into()),
        _ => None,
    }
}

/// The elements of a member that is a list.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}
