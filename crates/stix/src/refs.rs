use serde_json::Value;

/// A reference of one object to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ref<'a> {
    /// The property that holds it, such as `source_ref`.
    pub property: &'a str,
    /// The id it names.
    pub target: &'a str,
}

/// Every reference of an object but those to its creator and its markings, in order of appearance: properties that end
/// in `_ref` or `_refs` (STIX 2.1 §2.10), at any depth, at most `limit` of them.
///
/// ```
/// let v: serde_json::Value = serde_json::from_str(r#"{"source_ref":"note--1","created_by_ref":"identity--2"}"#)?;
/// assert_eq!(stix::refs_of(&v, 9).len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn refs_of(object: &Value, limit: usize) -> Vec<Ref<'_>> {
    let mut out = Vec::new();
    walk(object, limit, 0, &mut out);
    out
}

fn walk<'a>(value: &'a Value, limit: usize, depth: usize, out: &mut Vec<Ref<'a>>) {
    if depth > crate::MAX_DEPTH || out.len() >= limit {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::String(target) if key.ends_with("_ref") && counts(key) => push(key, target, limit, out),
                    Value::Array(list) if key.ends_with("_refs") && counts(key) => {
                        for target in list.iter().filter_map(Value::as_str) {
                            push(key, target, limit, out);
                        }
                    }
                    Value::Object(_) | Value::Array(_) => walk(inner, limit, depth + 1, out),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| walk(inner, limit, depth + 1, out)),
        _ => {}
    }
}

/// The creator and the markings are on nearly every object: as edges they would make two hubs out of all others.
fn counts(key: &str) -> bool {
    !matches!(key, "created_by_ref" | "object_marking_refs" | "marking_ref")
}

fn push<'a>(property: &'a str, target: &'a str, limit: usize, out: &mut Vec<Ref<'a>>) {
    let found = Ref { property, target };
    if out.len() < limit && target.contains("--") && !out.contains(&found) {
        out.push(found);
    }
}
