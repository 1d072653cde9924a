use crate::position;
use serde_json::{Value, json};

/// OpenCTI's own extension, which its client reads without asking whether it is there.
const EXTENSION: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// A data frame. `kind` is `create`, `update` or `delete`.
pub(crate) fn event(kind: &str, arrived: i64, mut object: Value, context: Value) -> String {
    let at = stix::Instant(arrived).millis_string();
    let (id, object_type) = (object.get("id").cloned(), object.get("type").cloned());
    let created = object.get("created").cloned().unwrap_or_else(|| json!(at));
    if let Some(map) = object.as_object_mut() {
        let extensions = map.entry("extensions").or_insert_with(|| json!({}));
        if let Some(extensions) = extensions.as_object_mut() {
            extensions.insert(
                EXTENSION.into(),
                json!({"extension_type": "property-extension", "id": id, "type": object_type,
                "created_at": created, "updated_at": at, "is_inferred": false}),
            );
        }
    }
    let data = json!({"version": "4", "type": kind, "scope": "external", "message": format!("{kind}s an object"),
        "origin": {}, "data": object, "context": context});
    format!("id: {}\nevent: {kind}\ndata: {data}\n\n", position::write(arrived))
}

/// An update: what changed since `before`, forth and back (RFC 6902, members of the top level).
pub(crate) fn update(arrived: i64, before: Option<&Value>, object: Value) -> String {
    let (patch, reverse) = match before {
        Some(before) => (patch(before, &object), patch(&object, before)),
        None => (Vec::new(), Vec::new()),
    };
    event("update", arrived, object, json!({"patch": patch, "reverse_patch": reverse}))
}

fn patch(from: &Value, to: &Value) -> Vec<Value> {
    let empty = serde_json::Map::new();
    let (from, to) = (from.as_object().unwrap_or(&empty), to.as_object().unwrap_or(&empty));
    let path = |key: &str| format!("/{}", key.replace('~', "~0").replace('/', "~1"));
    let removed = from.keys().filter(|k| !to.contains_key(*k)).map(|k| json!({"op": "remove", "path": path(k)}));
    let set = to.iter().filter(|(k, v)| from.get(*k) != Some(v)).map(|(k, v)| {
        let op = if from.contains_key(k) { "replace" } else { "add" };
        json!({"op": op, "path": path(k), "value": v})
    });
    removed.chain(set).collect()
}

/// Tells that the stream is open; without an id, so that it moves nobody's position.
pub(crate) fn connected() -> String {
    format!("event: connected\ndata: {}\n\n", json!({"connectionId": uuid::Uuid::new_v4().to_string()}))
}

/// Tells that nothing happened, and how far the listener is.
pub(crate) fn heartbeat(passed: i64, now: i64) -> String {
    format!(
        "id: {}\nevent: heartbeat\ndata: {}\n\n",
        position::write(passed),
        json!(stix::Instant(now).millis_string())
    )
}
