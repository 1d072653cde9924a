//! What is read in an object: its selectors, with the report's country and what a person corrected.
//!
//! Both stand in the object's `imported` extension: `country` (ISO 3166-1 alpha-2) and `corrections`
//! (`left_out` and `added`, lists of `kind:value` in normal form).
use selectors::{Found, Hints, Kind, normalise};
use serde_json::{Value, json};

/// Corrections of one report at most; the rest is not looked at.
const MOST: usize = 200;

/// What a person says of what was read in a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corrections {
    /// Read, but not what it looks like.
    pub left_out: Vec<(Kind, String)>,
    /// Not read, but said.
    pub added: Vec<(Kind, String)>,
}

impl Corrections {
    /// Whether there is anything to say.
    pub fn is_empty(&self) -> bool {
        self.left_out.is_empty() && self.added.is_empty()
    }

    /// As it stands in the object.
    pub(crate) fn json(&self) -> Value {
        let list = |pairs: &[(Kind, String)]| pairs.iter().take(MOST).map(spell).collect::<Vec<_>>();
        json!({"left_out": list(&self.left_out), "added": list(&self.added)})
    }

    /// Of an object; what does not read as `kind:value` says nothing.
    pub(crate) fn of(object: &Value) -> Self {
        let list = |name: &str| {
            let list = imported(object, "corrections").and_then(|c| c.get(name)).and_then(Value::as_array);
            list.into_iter().flatten().take(MOST).filter_map(Value::as_str).filter_map(unspell).collect()
        };
        Self { left_out: list("left_out"), added: list("added") }
    }

    /// Applies them: what was left out goes, what was added comes, each once.
    pub fn apply(&self, found: &mut Vec<Found>, hints: &Hints<'_>) {
        found.retain(|f| !self.left_out.iter().any(|(kind, value)| *kind == f.kind && *value == f.value));
        for (kind, value) in &self.added {
            if let Ok(new) = normalise(*kind, value, hints)
                && !found.iter().any(|f| f.kind == new.kind && f.value == new.value)
            {
                found.push(new);
            }
        }
    }
}

/// A selector as one word: `phone:+6625550100`.
pub(crate) fn spell((kind, value): &(Kind, String)) -> String {
    format!("{}:{value}", kind.as_str())
}

/// The selector that [`spell`] wrote.
pub(crate) fn unspell(text: &str) -> Option<(Kind, String)> {
    let (kind, value) = text.split_once(':')?;
    Some((Kind::parse(kind)?, value.to_owned())).filter(|(_, value)| !value.is_empty())
}

fn imported<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.get("extensions")?.get(formats::vocabulary::IMPORTED)?.get(name)
}

/// The country that an object is read with: its own, else the node's.
pub(crate) fn country_of<'a>(object: &'a Value, node: Option<&'a str>) -> Option<&'a str> {
    let own = object.get("x_country").or_else(|| imported(object, "country"));
    own.and_then(Value::as_str).or(node)
}

/// The selectors of an object, strongest reading of each, in the finder's order.
pub(crate) fn selectors_of(object: &Value, node: Option<&str>) -> Vec<Found> {
    let hints = Hints { country: country_of(object, node) };
    let mut found = selectors::of_object(object, &hints);
    let corrections = Corrections::of(object);
    if !corrections.is_empty() {
        corrections.apply(&mut found, &hints);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(country: Option<&str>, corrections: &Corrections) -> Value {
        let mut imported = json!({"extension_type": "property-extension", "corrections": corrections.json()});
        if let Some(country) = country {
            imported["country"] = json!(country);
        }
        json!({"type": "incident", "id": "incident--x", "description": "EXERCISE phone: 02 555 0100, golden-crane.example",
            "extensions": {formats::vocabulary::IMPORTED: imported}})
    }

    fn values(object: &Value) -> Vec<String> {
        selectors_of(object, None).into_iter().map(|f| spell(&(f.kind, f.value))).collect()
    }

    #[test]
    fn a_national_number_is_read_with_the_country_that_the_report_was_saved_with() {
        let number =
            |country| values(&report(country, &Corrections::default())).into_iter().find(|v| v.starts_with("phone:"));
        assert_ne!(number(Some("TH")), number(Some("KH")));
        assert!(number(Some("TH")).is_some_and(|n| n.starts_with("phone:+66")), "{:?}", number(Some("TH")));
    }

    #[test]
    fn what_a_person_left_out_links_nothing_and_what_she_added_does() {
        let corrections = Corrections {
            left_out: vec![(Kind::Domain, "golden-crane.example".into())],
            added: vec![(Kind::Email, "mei.exercise@example.com".into())],
        };
        let found = values(&report(Some("TH"), &corrections));
        assert!(!found.contains(&"domain:golden-crane.example".to_owned()), "{found:?}");
        assert!(found.contains(&"email:mei.exercise@example.com".to_owned()), "{found:?}");
        assert_eq!(Corrections::of(&report(None, &corrections)), corrections);
    }
}
