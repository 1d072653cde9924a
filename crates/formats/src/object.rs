//! The making of one STIX object by a conversion.

use crate::ids::deterministic;
use crate::members::Members;
use crate::record::{Out, Position, Record, TimesKnown};
use crate::vocabulary;
use serde_json::{Value, json};
use std::borrow::Cow;

/// A STIX object under construction. `finish` adds what all converted objects share.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    members: Members,
    imported: Members,
    labels: Vec<String>,
    observable: bool,
    placeholder: bool,
}

impl Object {
    /// A domain or relationship object with an id already made.
    pub fn domain(object_type: &str, id: String) -> Self {
        let mut object = Self::empty(object_type, false);
        object.put("id", id);
        object
    }

    /// An observable whose id follows from its properties (or is made by `keyed`).
    pub fn observable(object_type: &str) -> Self {
        let mut object = Self::empty(object_type, true);
        let extension = match object_type {
            "cryptocurrency-wallet" => vocabulary::WALLET,
            "cryptocurrency-transaction" => vocabulary::TRANSACTION,
            "phone-number" => vocabulary::PHONE,
            "bank-account" => vocabulary::BANK_ACCOUNT,
            "payment-card" => vocabulary::PAYMENT_CARD,
            "lure" => vocabulary::LURE,
            "identity-document" => vocabulary::IDENTITY_DOCUMENT,
            _ => return object,
        };
        object.put("extensions", json!({ extension: { "extension_type": "new-sco" } }));
        object
    }

    /// An observable with one `value`.
    pub fn value(object_type: &str, value: &str) -> Self {
        Self::observable(object_type).with("value", value)
    }

    fn empty(object_type: &str, observable: bool) -> Self {
        let mut members = Members::default();
        members.set("type", object_type);
        members.set("spec_version", "2.1");
        Self { members, imported: Members::default(), labels: Vec::new(), observable, placeholder: false }
    }

    /// A relationship from one object to another.
    pub fn relationship(id: String, kind: &str, source: &str, target: &str) -> Self {
        Self::domain("relationship", id)
            .with("relationship_type", kind)
            .with("source_ref", source)
            .with("target_ref", target)
    }

    /// Sets a property; null, empty text and empty lists are left out (STIX 2.1 section 2.6 forbids them).
    pub fn put(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let value = value.into();
        let empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !empty {
            self.members.set(name, value);
        }
    }

    /// The same, in a chain.
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.put(name, value);
        self
    }

    /// Sets a property of our `imported` extension, for what STIX has no property for.
    pub fn also(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        let empty =
            matches!(&value, Value::Null) || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            self.imported.set(name, value);
        }
    }

    /// Adds a label, once.
    pub fn label(&mut self, label: &str) {
        if !label.is_empty() && !self.labels.iter().any(|known| known == label) {
            self.labels.push(label.to_owned());
        }
    }

    /// Marks the object as standing in for a better one.
    pub fn placeholder(mut self) -> Self {
        self.placeholder = true;
        self
    }

    /// Whether it is an observable (STIX 2.1 section 6).
    pub fn is_observable(&self) -> bool {
        self.observable
    }

    /// A property set before.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Gives back the room that was kept for more properties.
    pub fn shrink(&mut self) {
        self.members.shrink();
        self.imported.shrink();
    }

    /// Bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        256 + self.members.size() + self.imported.size()
    }

    /// The id: given, or deterministic, or keyed by all of its properties.
    pub fn id(&self, out: &Out<'_, '_>) -> String {
        if let Some(id) = self.members.get("id").and_then(Value::as_str) {
            return id.to_owned();
        }
        let object_type = self.members.get("type").and_then(Value::as_str).unwrap_or_default();
        if let Some(id) = deterministic(object_type, |name| self.members.get(name)) {
            return id;
        }
        let mut text = String::new();
        self.members.write(&mut text);
        out.id(object_type, &[&text])
    }

    /// The finished record.
    pub fn finish(mut self, out: &Out<'_, '_>, at: &Position) -> Record {
        let id = self.id(out);
        self.members.set("id", id.as_str());
        if out.options.exercise {
            if self.observable {
                // STIX gives observables no labels.
                self.put("x_exercise", "EXERCISE");
            } else {
                self.label("EXERCISE");
            }
        }
        if !self.observable {
            if let (Some(creator), false) = (out.options.created_by, self.members.has("created_by_ref")) {
                self.put("created_by_ref", creator);
            }
            let labels = std::mem::take(&mut self.labels);
            self.put("labels", labels);
        }
        if !self.imported.is_empty() {
            self.imported.set("extension_type", "property-extension");
            let mut extensions = self.members.take("extensions").unwrap_or_else(|| json!({}));
            if let Some(extensions) = extensions.as_object_mut() {
                extensions.insert(vocabulary::IMPORTED.to_owned(), std::mem::take(&mut self.imported).into());
            }
            self.members.set("extensions", extensions);
        }
        let times = if self.observable || self.members.get("type").is_some_and(|t| t == "marking-definition") {
            TimesKnown::NotVersioned
        } else if self.members.has("modified") {
            TimesKnown::FromSource
        } else if self.members.has("created") {
            TimesKnown::CreatedOnly
        } else {
            TimesKnown::Absent
        };
        if let (TimesKnown::CreatedOnly | TimesKnown::Absent, Some(now)) = (times, &out.options.now) {
            if times == TimesKnown::Absent {
                self.members.set("created", now.as_str());
            }
            self.members.set("modified", now.as_str());
        }
        let mut body = String::with_capacity(512);
        self.members.write(&mut body);
        Record { body, id, at: at.clone(), converted: true, times, placeholder: self.placeholder }
    }
}
