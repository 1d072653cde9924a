//! One event: its frame (report or grouping), who made it, what belongs to what.

use super::attribute::{self, Attribute};
use super::pattern::pattern;
use super::{galaxy, list, object, text};
use crate::dates;
use crate::fault::Fault;
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::vocabulary::tlp_marking;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What an attribute or object was turned into.
#[derive(Default)]
pub(super) struct Parts {
    /// Comparisons of the indicator.
    pub clauses: Vec<(String, String)>,
    /// Observables, finished but for their markings.
    pub observables: Vec<Object>,
    /// Observables of ours (wallets, phones, ...) that no indicator is made of.
    pub ours: Vec<Object>,
    /// A domain object in their stead (`id` is filled in).
    pub domain: Option<Object>,
    /// A pattern in another language and its type.
    pub rule: Option<(String, &'static str)>,
}

/// What all objects of an event share.
pub(super) struct Scope {
    creator: Option<String>,
    time: Option<String>,
    markings: Vec<String>,
    refs: Vec<String>,
    by_uuid: HashMap<String, String>,
    links: Vec<(String, String, String)>,
}

/// Most objects of one event's frame.
const MAX_REFS: usize = 200_000;

pub(super) fn write(event: &Value, at: Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    out.record()?;
    let mut scope = Scope::new(event, &at, out)?;
    let frame_type = match event.get("published").and_then(Value::as_bool) {
        Some(true) => "report",
        _ => "grouping",
    };
    let frame_id = id_of(event, frame_type, out);
    for value in list(event, "Attribute") {
        if flag(value, "deleted") {
            continue;
        }
        scope.attribute(value, &at, out)?;
    }
    let objects: Vec<&Value> = list(event, "Object").filter(|value| !flag(value, "deleted")).collect();
    let inner = object::held_by_others(&objects);
    for value in &objects {
        let known = text(value, "uuid").unwrap_or_default();
        if !inner.contains(known.as_ref()) {
            scope.object(value, &objects, &at, out)?;
        }
    }
    scope.galaxies(event, None, &at, out)?;
    scope.judgements(event, &frame_id, &at, out)?;
    scope.write_links(&at, out)?;
    let mut frame = Object::domain(frame_type, frame_id.clone());
    frame.put("name", text(event, "info").unwrap_or_else(|| "MISP event".into()));
    match frame_type {
        "report" => {
            let published = text(event, "publish_timestamp").and_then(|time| dates::from_seconds(time.parse().ok()?));
            frame.put("published", published.or_else(|| scope.time.clone()));
        }
        _ => frame.put("context", "suspicious-activity"),
    }
    if scope.refs.is_empty() {
        let id = out.id("note", &[&frame_id, "empty"]);
        let note = Object::domain("note", id)
            .with("content", "This MISP event is empty.")
            .with("object_refs", json!([frame_id]));
        scope.emit(note, event, None, &at, out)?;
    }
    frame.put("object_refs", std::mem::take(&mut scope.refs));
    if let Some(date) = text(event, "date") {
        frame.also("event_date", date.as_ref());
    }
    frame.also("distribution", text(event, "distribution").as_deref());
    scope.emit(frame, event, None, &at, out).map(drop)
}

impl Scope {
    fn new(event: &Value, at: &Position, out: &mut Out<'_, '_>) -> Result<Self, ReadError> {
        let mut scope = Self {
            creator: None,
            time: time_of(event).or_else(|| text(event, "date").and_then(|date| dates::from_iso(&date))),
            markings: markings_of(event),
            refs: Vec::new(),
            by_uuid: HashMap::new(),
            links: Vec::new(),
        };
        if let Some(organisation) = event.get("Orgc").or_else(|| event.get("Org"))
            && let Some(name) = text(organisation, "name")
        {
            let id = id_of(organisation, "identity", out);
            // Every event repeats its organisation in few words: it never stands over a fuller one.
            let identity = Object::domain("identity", id.clone())
                .with("name", name.as_ref())
                .with("identity_class", "organization")
                .placeholder();
            out.object_once(identity, at)?;
            scope.creator = Some(id);
        }
        Ok(scope)
    }

    /// Hands over an object with what the event and `source` say about it.
    fn emit(
        &mut self,
        mut object: Object,
        source: &Value,
        time: Option<String>,
        at: &Position,
        out: &mut Out<'_, '_>,
    ) -> Result<String, ReadError> {
        let mut markings = markings_of(source);
        if markings.is_empty() {
            markings.clone_from(&self.markings);
        }
        object.put("object_marking_refs", markings);
        if !object.is_observable() {
            if let Some(time) = time.or_else(|| time_of(source)).or_else(|| self.time.clone()) {
                if object.get("created").is_none() {
                    object.put("created", time.as_str());
                }
                object.put("modified", time);
            }
            if let Some(creator) = &self.creator {
                object.put("created_by_ref", creator.as_str());
            }
            label(&mut object, source);
        }
        let id = out.object_once(object, at)?;
        if self.refs.len() < MAX_REFS && !self.refs.contains_last(&id) {
            self.refs.push(id.clone());
        }
        Ok(id)
    }

    fn attribute(&mut self, value: &Value, at: &Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        out.record()?;
        let Some(attribute) = Attribute::read(value) else {
            return out.bad(place(at, "attribute"), Fault::AttributeShape, b"");
        };
        if let Some(fault) = attribute.fault() {
            return out.bad(
                place(at, &format!("attribute of type {}", attribute.kind)),
                fault,
                attribute.value.as_bytes(),
            );
        }
        let mut parts = attribute::parts(&attribute, out);
        if !attribute.to_ids {
            parts.clauses.clear();
        }
        self.parts(parts, value, attribute.comment.as_deref(), at, out)
    }

    fn object(&mut self, value: &Value, all: &[&Value], at: &Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        out.record()?;
        let mut attributes = Vec::new();
        for inner in list(value, "Attribute").filter(|inner| !flag(inner, "deleted")) {
            let Some(attribute) = Attribute::read(inner) else {
                out.bad(place(at, "attribute of an object"), Fault::AttributeShape, b"")?;
                continue;
            };
            match attribute.fault() {
                Some(fault) => out.bad(
                    place(at, &format!("attribute of type {}", attribute.kind)),
                    fault,
                    attribute.value.as_bytes(),
                )?,
                None => attributes.push(attribute),
            }
        }
        let parts = object::parts(value, attributes, all, out);
        self.parts(parts, value, text(value, "comment").as_deref(), at, out)?;
        for inner in list(value, "Attribute") {
            self.galaxies(inner, text(value, "uuid").as_deref(), at, out)?;
        }
        Ok(())
    }

    /// Observables, the observed data that holds them, the indicator based on it.
    fn parts(
        &mut self,
        parts: Parts,
        value: &Value,
        comment: Option<&str>,
        at: &Position,
        out: &mut Out<'_, '_>,
    ) -> Result<(), ReadError> {
        let uuid = text(value, "uuid").unwrap_or_default().into_owned();
        let mut about = Vec::new();
        for object in parts.ours {
            about.push(self.emit(object, value, None, at, out)?);
        }
        if let Some(object) = parts.domain {
            about.push(self.emit(object, value, None, at, out)?);
        }
        let mut observed = Vec::new();
        for object in parts.observables {
            observed.push(self.emit(object, value, None, at, out)?);
        }
        let time = time_of(value).or_else(|| self.time.clone());
        let seen = |name: &str| text(value, name).and_then(|time| dates::from_iso(&time)).or_else(|| time.clone());
        let mut observed_id = None;
        if let (false, Some(first), Some(last)) = (observed.is_empty(), seen("first_seen"), seen("last_seen")) {
            let (first, last) = if first <= last { (first, last) } else { (last.clone(), last) };
            let object = Object::domain("observed-data", id_of(value, "observed-data", out))
                .with("first_observed", first)
                .with("last_observed", last)
                .with("number_observed", 1)
                .with("object_refs", observed.clone());
            observed_id = Some(self.emit(object, value, None, at, out)?);
        }
        let rule = match parts.rule {
            Some(rule) => Some(rule),
            None if parts.clauses.is_empty() => None,
            None => Some((pattern(&parts.clauses), "stix")),
        };
        let mut indicator_id = None;
        if let (Some((pattern, language)), Some(valid_from)) = (rule, seen("first_seen")) {
            let object = Object::domain("indicator", id_of(value, "indicator", out))
                .with("pattern", pattern)
                .with("pattern_type", language)
                .with("valid_from", valid_from)
                .with("description", comment);
            let id = self.emit(object, value, None, at, out)?;
            if let Some(observed) = &observed_id {
                self.links.push((id.clone(), "based-on".to_owned(), observed.clone()));
            }
            indicator_id = Some(id);
        }
        let main =
            indicator_id.or(observed_id).or_else(|| about.first().cloned()).or_else(|| observed.first().cloned());
        if let Some(main) = main {
            self.by_uuid.insert(uuid.clone(), main.clone());
            self.sightings(value, &main, at, out)?;
            self.judgements(value, &main, at, out)?;
        }
        self.galaxies(value, Some(&uuid), at, out)?;
        for reference in list(value, "ObjectReference") {
            if let Some(target) = text(reference, "referenced_uuid").or_else(|| text(reference, "object_uuid")) {
                let kind = text(reference, "relationship_type").unwrap_or_else(|| "related-to".into());
                self.links.push((uuid.clone(), kind.to_lowercase().replace([' ', '_'], "-"), target.into_owned()));
            }
        }
        Ok(())
    }

    fn galaxies(
        &mut self,
        value: &Value,
        about: Option<&str>,
        at: &Position,
        out: &mut Out<'_, '_>,
    ) -> Result<(), ReadError> {
        for group in list(value, "Galaxy") {
            for cluster in list(group, "GalaxyCluster") {
                let Some(object) = galaxy::object(group, cluster, out) else {
                    out.note("a galaxy cluster without a value was left out");
                    continue;
                };
                let id = self.emit(object, cluster, None, at, out)?;
                if let Some(about) = about {
                    self.links.push((about.to_owned(), "related-to".to_owned(), id));
                }
            }
        }
        Ok(())
    }

    fn sightings(&mut self, value: &Value, of: &str, at: &Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        for sighting in list(value, "Sighting") {
            let when = text(sighting, "date_sighting").and_then(|time| dates::from_seconds(time.parse().ok()?));
            // MISP's types: 0 seen, 1 false positive, 2 expired.
            let object = match text(sighting, "type").as_deref() {
                Some("1") => Object::domain("opinion", id_of(sighting, "opinion", out))
                    .with("opinion", "strongly-disagree")
                    .with("explanation", "Sighted as a false positive")
                    .with("object_refs", json!([of])),
                Some("2") => {
                    out.note("a sighting that says `expired` was left out");
                    continue;
                }
                _ => Object::domain("sighting", id_of(sighting, "sighting", out))
                    .with("sighting_of_ref", of)
                    .with("first_seen", when.clone())
                    .with("last_seen", when.clone())
                    .with("count", 1)
                    .with("description", text(sighting, "source").as_deref()),
            };
            self.emit(object, sighting, when, at, out)?;
        }
        Ok(())
    }

    /// Analysts' notes and opinions.
    fn judgements(
        &mut self,
        value: &Value,
        about: &str,
        at: &Position,
        out: &mut Out<'_, '_>,
    ) -> Result<(), ReadError> {
        for note in list(value, "Note") {
            let object = Object::domain("note", id_of(note, "note", out))
                .with("content", text(note, "note").as_deref().unwrap_or("(empty)"))
                .with("authors", text(note, "authors").map(|author| json!([author])))
                .with("lang", text(note, "language").as_deref())
                .with("object_refs", json!([about]));
            let when = text(note, "modified").and_then(|time| dates::from_iso(&time));
            self.emit(object, note, when, at, out)?;
        }
        for opinion in list(value, "Opinion") {
            let percent: u32 = text(opinion, "opinion").and_then(|percent| percent.parse().ok()).unwrap_or(50);
            let word = match percent {
                0..=20 => "strongly-disagree",
                21..=40 => "disagree",
                41..=60 => "neutral",
                61..=80 => "agree",
                _ => "strongly-agree",
            };
            let object = Object::domain("opinion", id_of(opinion, "opinion", out))
                .with("opinion", word)
                .with("explanation", text(opinion, "comment").as_deref())
                .with("authors", text(opinion, "authors").map(|author| json!([author])))
                .with("object_refs", json!([about]));
            let when = text(opinion, "modified").and_then(|time| dates::from_iso(&time));
            self.emit(object, opinion, when, at, out)?;
        }
        Ok(())
    }

    fn write_links(&mut self, at: &Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        for (from, kind, to) in std::mem::take(&mut self.links) {
            let resolve = |end: &str| {
                if end.contains("--") { Some(end.to_owned()) } else { self.by_uuid.get(end).cloned() }
            };
            let (Some(from), Some(to)) = (resolve(&from), resolve(&to)) else {
                out.note("a reference to something that is not in the event was left out");
                continue;
            };
            let id = out.id("relationship", &[&from, &kind, &to]);
            self.emit(Object::relationship(id, &kind, &from, &to), &Value::Null, None, at, out)?;
        }
        Ok(())
    }
}

trait ContainsLast {
    fn contains_last(&self, id: &str) -> bool;
}

impl ContainsLast for Vec<String> {
    /// Repeats come close together; a look at the last few keeps this linear.
    fn contains_last(&self, id: &str) -> bool {
        self.iter().rev().take(64).any(|known| known == id)
    }
}

fn place(at: &Position, what: &str) -> Position {
    Position { what: format!("event, {what}"), ..at.clone() }
}

fn flag(value: &Value, name: &str) -> bool {
    text(value, name).is_some_and(|word| word == "true" || word == "1")
}

/// MISP's uuid under a STIX type, or a keyed id where there is none.
pub(super) fn id_of(value: &Value, object_type: &str, out: &Out<'_, '_>) -> String {
    match text(value, "uuid").and_then(|uuid| uuid::Uuid::parse_str(&uuid).ok()) {
        Some(uuid) => format!("{object_type}--{uuid}"),
        None => out.id(object_type, &[&crate::canonical_json(value)]),
    }
}

fn time_of(value: &Value) -> Option<String> {
    dates::from_seconds(text(value, "timestamp")?.parse().ok()?)
}

fn tags(value: &Value) -> impl Iterator<Item = &str> {
    list(value, "Tag").filter_map(|tag| tag.get("name")?.as_str())
}

fn markings_of(value: &Value) -> Vec<String> {
    let mut markings: Vec<String> =
        tags(value).filter_map(|tag| tlp_marking(tag.strip_prefix("tlp:")?)).map(str::to_owned).collect();
    markings.dedup();
    markings
}

fn label(object: &mut Object, value: &Value) {
    for tag in tags(value) {
        if tag.starts_with("tlp:") {
            continue;
        }
        let confidence = match tag.strip_prefix("misp:confidence-level=").map(|level| level.trim_matches('"')) {
            Some("completely-confident") => Some(100),
            Some("usually-confident") => Some(75),
            Some("fairly-confident") => Some(50),
            Some("rarely-confident") => Some(25),
            Some("unconfident") => Some(0),
            _ => None,
        };
        if let Some(confidence) = confidence {
            // Two analysts may disagree: the lower one counts.
            let lower = object.get("confidence").and_then(Value::as_u64).is_none_or(|known| confidence < known);
            if lower {
                object.put("confidence", confidence);
            }
        }
        object.label(tag);
    }
}
