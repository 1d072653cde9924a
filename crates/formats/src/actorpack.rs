//! GraphSense ActorPacks: each actor becomes an `identity` with its categories, jurisdictions and pages.

use crate::fault::Fault;
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::tagpack::actor_id;
use crate::yaml::{read_pack, text_of, texts_of};
use serde_json::{Value, json};
use std::io::BufRead;

/// Categories that name STIX sectors (industry-sector-ov).
fn sector(category: &str) -> Option<&'static str> {
    match category {
        "exchange" | "defi" | "defi_dex" | "defi_lending" | "wallet_service" | "payment_processor" | "broker"
        | "fund" => Some("financial-services"),
        "gambling" | "gaming" => Some("entertainment"),
        _ => None,
    }
}

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    read_pack(input, "actors", out, &mut |header, item, number, out| {
        out.record()?;
        let at = Position::of("actor").record(number);
        let field = |name: &str| item.get(name).filter(|value| !value.is_null()).or_else(|| header.get(name));
        let Some(key) = item.get("id").and_then(text_of).filter(|key| !key.is_empty()) else {
            return out.bad(at, Fault::ActorId, item.to_string().as_bytes());
        };
        let Some(label) = item.get("label").and_then(text_of).filter(|label| !label.is_empty()) else {
            return out.bad(at, Fault::ActorLabel, item.to_string().as_bytes());
        };
        let categories = texts_of(field("categories"));
        let mut identity = Object::domain("identity", actor_id(out, &key))
            .with("name", label.as_str())
            .with("identity_class", "organization");
        let mut sectors: Vec<&str> = categories.iter().filter_map(|category| sector(category)).collect();
        sectors.sort_unstable();
        sectors.dedup();
        identity.put("sectors", sectors);
        for category in &categories {
            identity.label(category);
        }
        let mut references = vec![json!({ "source_name": "GraphSense ActorPack", "external_id": key })];
        for uri in texts_of(field("uri")) {
            references.push(json!({ "source_name": label, "url": uri }));
        }
        let context = field("context").map(context_of).unwrap_or_default();
        for page in texts_of(context.get("uris")).into_iter().chain(texts_of(context.get("urls"))) {
            references.push(json!({ "source_name": label, "url": page }));
        }
        identity.put("external_references", references);
        let mut aliases = texts_of(field("aliases"));
        aliases.push(key.clone());
        aliases.dedup();
        identity.also("aliases", aliases);
        identity.also("jurisdictions", texts_of(field("jurisdictions")));
        identity.also("last_modified", field("lastmod").and_then(text_of).and_then(|day| crate::dates::from_iso(&day)));
        identity.also(
            "context",
            field("context").map(|value| text_of(value).unwrap_or_else(|| crate::canonical_json(value))),
        );
        out.object(identity, &at).map(drop)
    })?;
    Ok(())
}

/// The context is JSON inside a text, or a mapping.
fn context_of(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    }
}
