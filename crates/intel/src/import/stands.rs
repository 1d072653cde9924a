//! What stands already of what a file brings: a window of records is looked up in one reading of the view.
//!
//! A look-up waits until the view has folded all that the log has. One for each record would make the view write its
//! transaction after every append of the import; one for each window leaves it to fold at its own pace.

use super::{Running, patiently};
use crate::Result;
use formats::{Item, Record, TimesKnown};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// Records and bad records in a window.
const RECORDS: usize = 8_192;
/// Their bytes, and the record that passes them.
const BYTES: usize = 16 << 20;

/// Read and not yet judged, in the file's order.
#[derive(Default)]
pub(super) struct Window {
    items: Vec<Item>,
    bytes: usize,
}

impl Window {
    pub(super) fn push(&mut self, item: Item) {
        self.bytes += match &item {
            Item::Object(record) => record.body.len(),
            Item::Skipped(bad) => bad.snippet.as_ref().map_or(0, String::len),
        };
        self.items.push(item);
    }

    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= RECORDS || self.bytes >= BYTES
    }

    pub(super) fn take(&mut self) -> Vec<Item> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

/// For the records of one window: where the version that the importer reads now stands in the log.
pub(super) type Stands = HashMap<String, u64>;

impl Running<'_> {
    pub(super) fn stands(&self, items: &[Item]) -> Result<Stands> {
        let records =
            || items.iter().filter_map(|item| if let Item::Object(record) = item { Some(record) } else { None });
        let asked: Vec<&str> =
            records().filter(|record| record.placeholder || made_up(record)).map(|record| &*record.id).collect();
        if asked.is_empty() {
            return Ok(Stands::default());
        }
        patiently(|| self.intel.current_positions(self.viewer, &asked))
    }

    /// What is written of a record. Where the source has no times, those of the version that stands when nothing else
    /// changed, so that a second run appends nothing. `None`: a stub for an object that is known already.
    pub(super) fn body_of<'r>(&self, record: &'r Record, stands: &Stands) -> Result<Option<Cow<'r, str>>> {
        let as_read = Cow::Borrowed(&*record.body);
        let old = match stands.get(&record.id) {
            // Erased meanwhile: as if it had never stood.
            Some(position) => self.intel.inner.ledger.log().body(*position)?,
            None => None,
        };
        if record.placeholder && old.is_some() {
            return Ok(None);
        }
        let (true, Some(old)) = (made_up(record), old) else { return Ok(Some(as_read)) };
        let (Ok(old_value), Ok(mut value)) =
            (serde_json::from_str::<Value>(&old), serde_json::from_str::<Value>(&record.body))
        else {
            return Ok(Some(as_read));
        };
        if without_times(&old_value) == without_times(&value) {
            return Ok(Some(Cow::Owned(old.as_ref().to_owned())));
        }
        if let (Some(members), Some(created)) = (value.as_object_mut(), old_value.get("created")) {
            members.insert("created".into(), created.clone());
        }
        Ok(Some(stix::canonical_json(&value).map_or(as_read, Cow::Owned)))
    }
}

/// Whether the record's times are the import's, not its source's.
fn made_up(record: &Record) -> bool {
    matches!(record.times, TimesKnown::Absent | TimesKnown::CreatedOnly)
}

fn without_times(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(members) = value.as_object_mut() {
        members.remove("created");
        members.remove("modified");
    }
    value
}
