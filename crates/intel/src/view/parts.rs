use super::fold::IntelRoom;
use super::{state, text};
use serde_json::Value;

/// Rows an entry may change: beyond this many selectors and references an object is stored and flagged.
pub(crate) const MOST_LINKED: usize = 900;

/// What a version brings into the view.
pub(super) struct Parts {
    pub(super) selectors: Vec<selectors::Found>,
    pub(super) refs: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) all: bool,
}

impl IntelRoom {
    /// What a version brings: the same for the same body, or taking it back would leave rows behind.
    pub(super) fn parts(&self, bits: i64, value: &Value) -> Parts {
        let mut selectors = if bits & state::REVOKED != 0 {
            Vec::new()
        } else {
            crate::reading::selectors_of(value, self.country.as_deref())
        };
        let mut all = selectors.len() <= MOST_LINKED;
        selectors.truncate(MOST_LINKED);
        let room = MOST_LINKED - selectors.len();
        let found = stix::refs_of(value, MOST_LINKED + 1);
        all &= found.len() <= room;
        let kind = value.get("relationship_type").and_then(Value::as_str).filter(|k| k.len() <= 100);
        let refs = found
            .into_iter()
            .take(room)
            .map(|r| {
                let word = match (r.property, kind) {
                    ("source_ref", Some(kind)) => format!("{kind} (from)"),
                    ("target_ref", Some(kind)) => format!("{kind} (to)"),
                    (property, _) => property.to_owned(),
                };
                (r.target.to_owned(), word)
            })
            .collect();
        Parts { selectors, refs, text: text::of_object(value), all }
    }
}
