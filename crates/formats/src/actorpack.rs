//! GraphSense ActorPacks: each actor becomes an `identity` with its categories, jurisdictions and pages.

use crate::object::Object;
use crate::pack::{PackActor, actors};
use crate::record::{Out, ReadError};
use crate::tagpack::actor_id;
use serde_json::json;
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
    actors(input, out, &mut |actor, at, out| {
        let object = identity(&actor, out);
        out.object(object, at).map(drop)
    })
}

fn identity(actor: &PackActor, out: &Out<'_, '_>) -> Object {
    let mut identity = Object::domain("identity", actor_id(out, &actor.id))
        .with("name", actor.label.as_str())
        .with("identity_class", "organization");
    let mut sectors: Vec<&str> = actor.categories.iter().filter_map(|category| sector(category)).collect();
    sectors.sort_unstable();
    sectors.dedup();
    identity.put("sectors", sectors);
    for category in &actor.categories {
        identity.label(category);
    }
    let mut references = vec![json!({ "source_name": "GraphSense ActorPack", "external_id": actor.id })];
    references.extend(actor.uris.iter().map(|uri| json!({ "source_name": actor.label, "url": uri })));
    identity.put("external_references", references);
    let mut aliases = actor.aliases.clone();
    aliases.push(actor.id.clone());
    aliases.dedup();
    identity.also("aliases", aliases);
    identity.also("jurisdictions", actor.jurisdictions.clone());
    identity.also("last_modified", actor.lastmod.as_deref());
    identity.also("context", actor.context.as_deref());
    identity
}
