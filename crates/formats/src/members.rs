//! The properties of one object in the making.

use crate::canonical::write_sorted;
use serde_json::Value;
use std::borrow::Cow;

/// Names and values in the order they were set. An object has a dozen: looking one up is a walk, and a name that the
/// program spells itself costs nothing to hold, unlike in a map.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Vec<(Cow<'static, str>, Value)>);

impl Members {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a property, in place of one that has this name.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes a property out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As RFC 8785 has it.
    pub fn write(&self, out: &mut String) {
        write_sorted(self.0.iter().map(|(name, value)| (&**name, value)).collect(), out);
    }

    /// Gives back the room that was kept for more.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| 56 + name.len() + size(value)).sum()
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 32 + size(item)).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| 64 + name.len() + size(value)).sum(),
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        Value::Object(members.0.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
    }
}
