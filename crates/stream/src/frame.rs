use crate::position;
use serde_json::{Value, json};
use std::borrow::Cow;

/// OpenCTI's own extension, which its client reads without asking whether it is there.
const EXTENSION: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// What a frame needs of an object's text.
#[derive(serde::Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    object_type: Cow<'a, str>,
    #[serde(borrow)]
    created: Option<Cow<'a, str>>,
    extensions: Option<serde::de::IgnoredAny>,
}

impl<'a> Head<'a> {
    /// Reads it; `None` for what is no object.
    pub(crate) fn read(body: &'a str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

/// The frame of a new object: its text as it is, with OpenCTI's extension before its end. Most of a bulk ingest is this,
/// and building each object's tree anew would make a listener fall behind it.
pub(crate) fn create(arrived: i64, head: &Head<'_>, body: &str) -> Option<String> {
    let open = body.trim_end().strip_suffix('}').filter(|b| !b.contains(['\n', '\r']));
    let Some(open) = open.filter(|_| head.extensions.is_none()) else {
        return Some(event("create", arrived, serde_json::from_str(body).ok()?, json!({})));
    };
    let at = stix::Instant(arrived).millis_string();
    let extension = json!({"extension_type": "property-extension", "id": head.id, "type": head.object_type,
        "created_at": head.created.as_deref().unwrap_or(&at), "updated_at": at, "is_inferred": false});
    Some(format!(
        "id: {}\nevent: create\ndata: {{\"version\":\"4\",\"type\":\"create\",\"scope\":\"external\",\
         \"message\":\"creates an object\",\"origin\":{{}},\"context\":{{}},\
         \"data\":{open},\"extensions\":{{\"{EXTENSION}\":{extension}}}}}}}\n\n",
        position::write(arrived)
    ))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON of a frame.
    fn data(frame: &str) -> Value {
        let line = frame.lines().find_map(|l| l.strip_prefix("data: ")).unwrap();
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_new_objects_frame_says_the_same_whether_its_text_is_taken_as_it_is_or_built_anew() {
        let bodies = [
            r#"{"type":"note","id":"note--1","created":"2026-01-01T00:00:00.000Z","content":"a } \" b"}"#,
            r#"{"type":"ipv4-addr","id":"ipv4-addr--1","value":"203.0.113.1"} "#,
            r#"{"type":"note","id":"note--2","extensions":{"extension-definition--1":{"a":1}}}"#,
            "{\"type\":\"note\",\n\"id\":\"note--3\"}",
        ];
        for body in bodies {
            let quick = create(1_767_225_600_000_000, &Head::read(body).unwrap(), body).unwrap();
            let built = event("create", 1_767_225_600_000_000, serde_json::from_str(body).unwrap(), json!({}));
            assert_eq!(data(&quick), data(&built), "{body}");
            assert_eq!(quick.lines().count(), built.lines().count(), "one line of data: {quick}");
        }
    }
}
