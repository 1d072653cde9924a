//! GraphSense TagPacks: each tag becomes a wallet (or transaction), a note with label, source and confidence,
//! and a relationship to the actor's identity.

use crate::object::Object;
use crate::pack::{PackTag, confidence_of, tags};
use crate::record::{Out, Position, ReadError};
use crate::typing::{is_placeholder, network_of, wallet_value};
use serde_json::json;
use std::io::BufRead;

/// The id of an actor's identity: the same from an ActorPack and from any TagPack.
pub(crate) fn actor_id(out: &Out<'_, '_>, actor: &str) -> String {
    out.options.ids.id("identity", &["graphsense-actor", actor])
}

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let mut seen = std::collections::HashMap::new();
    tags(input, out, &mut |tag, at, out| {
        let tagged = tag.address.as_deref().or(tag.tx_hash.as_deref()).unwrap_or_default();
        if is_placeholder(tagged) {
            out.note("a placeholder address was left out");
            return Ok(());
        }
        if tag.confidence.as_deref().is_some_and(|class| confidence_of(class).is_none()) {
            out.note("a confidence class that GraphSense does not list was read as `unknown`");
        }
        tag.write(at, &mut seen, out)
    })
}

/// The level of a class that GraphSense does not list.
const UNLISTED: u8 = 5;

impl PackTag {
    /// The class as it is named, and its level in per cent.
    fn level(&self) -> Option<(&str, u8)> {
        self.confidence.as_deref().map(|class| (class, confidence_of(class).unwrap_or(UNLISTED)))
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
        if let Some((class, percent)) = self.level() {
            object.put("confidence", percent);
            object.also("confidence_class", class);
        }
        object.also("currency", self.currency.as_deref());
        let tagged = self.address.as_deref().or(self.tx_hash.as_deref()).unwrap_or_default();
        object.also("network", self.network.as_deref().or_else(|| network_of(self.currency.as_deref(), tagged)));
        object.also("last_modified", self.lastmod.as_deref());
        object.also("cluster_definer", self.is_cluster_definer);
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
        if let Some((class, percent)) = self.level() {
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
