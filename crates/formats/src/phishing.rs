//! eth-phishing-detect's `config.json`: the domains of its `blacklist` become `domain-name` observables.
//!
//! `fuzzylist` and `whitelist` name honest sites: they are counted and never become intelligence.

use crate::fault::Fault;
use crate::json::{JsonReader, each_in_array, each_member};
use crate::object::Object;
use crate::record::{Out, ReadError};
use crate::typing::type_of;
use std::io::BufRead;

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let limits = &out.options.limits;
    let mut json = JsonReader::new(input, limits.max_object_bytes, limits.max_depth);
    json.expect(b'{', out, "the { of config.json")?;
    let mut listed = false;
    each_member(&mut json, out, |json, out, name| match name {
        "blacklist" | "blocklist" => {
            listed = true;
            json.expect(b'[', out, "the list of domains")?;
            each_in_array(json, out, blocked)
        }
        "fuzzylist" | "whitelist" | "allowlist" => {
            out.note(&format!("a {name} of honest sites was left out"));
            json.value(out).map(drop)
        }
        _ => json.value(out).map(drop),
    })?;
    if !listed {
        return Err(out.malformed(json.at("config"), "there is no `blacklist` in it"));
    }
    Ok(())
}

fn blocked(json: &mut JsonReader<'_>, out: &mut Out<'_, '_>, count: u64) -> Result<(), ReadError> {
    out.record()?;
    let raw = json.value(out)?;
    let at = json.at("domain").record(count);
    let Ok(domain) = serde_json::from_slice::<String>(&raw.bytes) else {
        return out.bad(at, Fault::NotQuoted, &raw.bytes);
    };
    match type_of(&domain) {
        Some(typed) => out.object_once(Object::value(typed.object_type, &typed.value), &at).map(drop),
        None => out.bad(at, Fault::NotDomain, domain.as_bytes()),
    }
}
