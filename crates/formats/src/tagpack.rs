//! GraphSense TagPacks: each tag becomes a wallet (or transaction), a note with label, source and confidence,
//! and a relationship to the actor's identity.

use crate::fault::Fault;
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::typing::{is_placeholder, network_of, wallet_value};
use crate::yaml::{Fields, read_pack, text_of, texts_of};
use serde_json::{Value, json};
use std::io::BufRead;

/// The fields of a tag that the header may give for all.
const INHERITED: [&str; 15] = [
    "label",
    "source",
    "currency",
    "network",
    "confidence",
    "context",
    "is_cluster_definer",
    "lastmod",
    "category",
    "abuse",
    "actor",
    "concepts",
    "tag_type",
    "address",
    "tx_hash",
];
/// Fields a header has for itself.
const HEADER: [&str; 5] = ["title", "creator", "description", "owner", "is_public"];

/// GraphSense's confidence classes as percentages (its `confidence.csv`).
pub(crate) fn confidence_of(class: &str) -> Option<u64> {
    Some(match class {
        "override" | "ownership" | "ledger_immanent" => 100,
        "manual_transaction" => 90,
        "service_api" | "forensic_investigation" => 70,
        "authority_data" => 60,
        "trusted_provider" | "service_data" | "forensic" => 50,
        "untrusted_transaction" => 40,
        "web_crawl" => 20,
        "heuristic" => 10,
        "unknown" => 5,
        _ => return None,
    })
}

/// The id of an actor's identity: the same from an ActorPack and from any TagPack.
pub(crate) fn actor_id(out: &Out<'_, '_>, actor: &str) -> String {
    out.options.ids.id("identity", &["graphsense-actor", actor])
}

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let mut seen = std::collections::HashMap::new();
    read_pack(input, "tags", out, &mut |header, item, number, out| {
        out.record()?;
        let at = Position::of("tag").record(number);
        let Value::Object(own) = item else {
            return out.bad(at, Fault::TagShape, item.to_string().as_bytes());
        };
        if number == 1 {
            for name in header.keys().filter(|name| !known(name)) {
                out.note(&format!("an unknown header field was left out ({})", short(name)));
            }
        }
        match Tag::new(header, &own, out) {
            Ok(Some(tag)) => tag.write(&at, &mut seen, out),
            Ok(None) => Ok(()),
            Err(why) => out.bad(at, why, Value::Object(own).to_string().as_bytes()),
        }
    })?;
    Ok(())
}

fn known(name: &str) -> bool {
    INHERITED.contains(&name) || HEADER.contains(&name)
}

fn short(name: &str) -> String {
    name.chars().take(32).collect()
}

/// A tag with what it inherits.
struct Tag {
    label: String,
    source: Option<String>,
    address: Option<String>,
    tx_hash: Option<String>,
    currency: Option<String>,
    network: Option<String>,
    confidence: Option<(String, u64)>,
    actor: Option<String>,
    lastmod: Option<String>,
    context: Option<String>,
    cluster_definer: Option<bool>,
    tag_type: Option<String>,
    concepts: Vec<String>,
    abuse: Option<String>,
    category: Option<String>,
    title: Option<String>,
    creator: Option<String>,
}

impl Tag {
    /// `None` when the tag holds a placeholder, which is counted and left out.
    fn new(header: &Fields, own: &Fields, out: &mut Out<'_, '_>) -> Result<Option<Tag>, Fault> {
        let field = |name: &str| own.get(name).filter(|value| !value.is_null()).or_else(|| header.get(name));
        let text = |name: &str| field(name).and_then(text_of).filter(|text| !text.is_empty());
        let address = text("address");
        let tx_hash = text("tx_hash");
        let of_a_wallet = match (&address, &tx_hash) {
            (None, None) => return Err(Fault::TagOfNothing),
            (Some(address), _) => address,
            (None, Some(tx_hash)) => tx_hash,
        };
        if is_placeholder(of_a_wallet) {
            out.note("a placeholder address was left out");
            return Ok(None);
        }
        if of_a_wallet.len() > 256 || of_a_wallet.chars().any(char::is_whitespace) {
            return Err(Fault::AddressShape);
        }
        let currency = text("currency").map(|text| text.to_ascii_uppercase());
        let stated = text("network").map(|text| text.to_ascii_lowercase());
        let network = stated.or_else(|| network_of(currency.as_deref(), of_a_wallet).map(str::to_owned));
        let confidence = match text("confidence") {
            None => None,
            Some(class) => match confidence_of(&class) {
                Some(percent) => Some((class, percent)),
                None => {
                    out.note("a confidence class that GraphSense does not list was read as `unknown`");
                    Some((class, 5))
                }
            },
        };
        Ok(Some(Tag {
            label: text("label").ok_or(Fault::TagLabel)?,
            source: text("source"),
            lastmod: text("lastmod").and_then(|day| crate::dates::from_iso(&day)),
            context: field("context").map(|value| text_of(value).unwrap_or_else(|| crate::canonical_json(value))),
            cluster_definer: field("is_cluster_definer").and_then(Value::as_bool),
            tag_type: text("tag_type"),
            concepts: texts_of(field("concepts")),
            abuse: text("abuse"),
            category: text("category"),
            actor: text("actor"),
            title: header.get("title").and_then(text_of),
            creator: header.get("creator").and_then(text_of),
            address,
            tx_hash,
            currency,
            network,
            confidence,
        }))
    }

    fn write(
        &self,
        at: &Position,
        seen: &mut std::collections::HashMap<u64, u32>,
        out: &mut Out<'_, '_>,
    ) -> Result<(), ReadError> {
        let (tagged, value) = match (&self.address, &self.tx_hash) {
            (Some(address), _) => {
                let value = wallet_value(address);
                (Object::value("cryptocurrency-wallet", &value), value)
            }
            (None, hash) => {
                let hash = hash.as_deref().unwrap_or_default().to_ascii_lowercase();
                let symbol = self.currency.as_deref().unwrap_or_default();
                (Object::value("cryptocurrency-transaction", &hash).with("symbol", symbol), hash)
            }
        };
        let tagged = out.object_once(tagged, at)?;
        let actor = self.actor.as_deref().unwrap_or_default();
        let key = [
            value.as_str(),
            self.currency.as_deref().unwrap_or_default(),
            &self.label,
            actor,
            self.source.as_deref().unwrap_or_default(),
        ];
        // Two tags may agree in all that names them: the second is numbered.
        let note_id = out.id("note", &key);
        let number = hash_of(&note_id);
        let mut beyond = 0;
        let again = if seen.len() < MAX_REPEATS {
            seen.entry(number).or_insert(0)
        } else {
            seen.get_mut(&number).unwrap_or(&mut beyond)
        };
        *again += 1;
        let note_id = if *again > 1 { out.id("note", &[&key[..], &[&again.to_string()]].concat()) } else { note_id };
        if !actor.is_empty() {
            let actor_id = actor_id(out, actor);
            out.object_once(
                Object::domain("identity", actor_id.clone())
                    .with("name", actor)
                    .with("identity_class", "organization")
                    .placeholder(),
                at,
            )?;
            let id = out.id("relationship", &[&tagged, "attributed-to", &actor_id]);
            let mut link = Object::relationship(id, "attributed-to", &tagged, &actor_id);
            self.common(&mut link);
            out.object_once(link, at)?;
        }
        let mut note = Object::domain("note", note_id)
            .with("abstract", self.label.as_str())
            .with("content", self.content())
            .with("object_refs", json!([tagged]));
        self.common(&mut note);
        if let Some(creator) = &self.creator {
            note.put("authors", json!([creator]));
        }
        out.object(note, at).map(drop)
    }

    /// What the note and the relationship both say.
    fn common(&self, object: &mut Object) {
        if let Some(source) = &self.source {
            let reference = match source.contains("://") {
                true => {
                    json!([{ "source_name": self.title.as_deref().unwrap_or("TagPack"), "url": source }])
                }
                false => json!([{ "source_name": source }]),
            };
            object.put("external_references", reference);
        }
        if let Some((class, percent)) = &self.confidence {
            object.put("confidence", *percent);
            object.also("confidence_class", class.as_str());
        }
        object.also("currency", self.currency.as_deref());
        object.also("network", self.network.as_deref());
        object.also("last_modified", self.lastmod.as_deref());
        object.also("cluster_definer", self.cluster_definer);
        object.also("tag_type", self.tag_type.as_deref());
        for label in [&self.category, &self.abuse].into_iter().flatten().chain(&self.concepts) {
            object.label(label);
        }
    }

    fn content(&self) -> String {
        let mut text = format!("Tagged \"{}\"", self.label);
        for (what, value) in [
            ("category", &self.category),
            ("abuse", &self.abuse),
            ("actor", &self.actor),
            ("source", &self.source),
            ("context", &self.context),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("; {what}: {value}"));
            }
        }
        if let Some((class, percent)) = &self.confidence {
            text.push_str(&format!("; confidence: {class} ({percent})"));
        }
        text
    }
}

/// The last 64 bits of a keyed id, which nobody chooses.
fn hash_of(id: &str) -> u64 {
    let digits = id.len().checked_sub(12).and_then(|at| id.get(at..)).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

/// Beyond this many tags repeated ones are no longer told apart.
const MAX_REPEATS: usize = 1 << 20;
