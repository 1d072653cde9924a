//! The JSON behind the pages, as OpenAPI 3.1.
use serde_json::{Value, json};

fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn list(of: Value) -> Value {
    json!({"type": "array", "items": of})
}

fn text(why: &str) -> Value {
    json!({"type": "string", "description": why})
}

fn count(why: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": why})
}

fn time(why: &str) -> Value {
    json!({"type": "string", "format": "date-time", "description": why})
}

/// As [`object`], with properties that may be absent.
fn object_or(there: Value, absent: Value) -> Value {
    let mut whole = object(there);
    if let (Some(properties), Value::Object(absent)) =
        (whole.get_mut("properties").and_then(Value::as_object_mut), absent)
    {
        properties.extend(absent);
    }
    whole
}

/// All of these properties are there.
fn object(properties: Value) -> Value {
    let names: Vec<String> = properties.as_object().map(|p| p.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "required": names, "properties": properties})
}

fn schemas() -> Value {
    let mark = json!({"type": ["string", "null"], "description": "What to ask with as `before` for the next page; null: there is none"});
    let collection = json!({"type": ["string", "null"], "format": "uuid", "description": "The collection's id"});
    json!({
        "Problem": {"type": "object", "description": "RFC 9457", "properties": {
            "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}}},
        "Stats": {"type": "object", "properties": {
            "objects": {"type": ["integer", "null"], "description": "Objects that you see; null while they are counted"},
            "collections": count("Collections that you see"),
            "entries": count("Entries of the log; only for who may see proofs"),
            "behind": count("Entries that the slowest view has still to fold; only for who may see proofs"),
            "unfolded": count("Entries that a view could not fold; only for who may see proofs")}},
        "Collection": object(json!({"id": {"type": "string", "format": "uuid"}, "title": text("Its title")})),
        "Hit": object_or(json!({"id": text("STIX id"), "type": text("STIX type"), "name": text("For people; from the object"),
            "collection": collection.clone(), "version": time("`modified`; for what has no versions its arrival"),
            "date_added": time("When it arrived here"), "tlp": text("TLP 2.0 label, such as TLP:GREEN")}),
            json!({"reported_by": text("Who reported it: the identity that created it, where you see that, else its first source"),
            "says": text("Of a relationship: its two ends and what it says of them"),
            "also_in": list(json!({"type": "string", "format": "uuid", "description": "Another collection in which you see the object"}))})),
        "Listing": object(json!({"list": text("The reference list's name"), "title": text("Its title")})),
        "Search": object(json!({"hits": list(named("Hit")), "more": {"type": "boolean"}, "next": mark.clone(),
            "broken_off": {"type": "boolean", "description": "The steps of one answer were spent: older hits may be missing; go on from `next`"},
            "ignored": count("Words beyond the sixteenth, which were not looked for"), "total": count("Objects that you see"),
            "unknown_types": list(text("A type that was asked for and of which there is nothing that you may read")),
            "exact": {"type": "boolean", "description": "false: there are more than `total`"},
            "listed": list(named("Listing"))})),
        "Link": {"type": "object", "required": ["kind", "value", "count", "holders", "verdict", "why"], "properties": {
            "kind": text("Kind of the selector"), "value": text("Normalised value"), "count": count("Objects that hold it"),
            "verdict": {"type": "string", "enum": ["links", "links-less-surely", "links-nothing"], "description": "Whether sharing it links them"},
            "why": text("Why the verdict is what it is"), "strength": text("Links, Weak or Never: how sure the value itself is"),
            "suppressed": {"type": ["string", "null"], "description": "Why it links nothing"},
            "silent_days": {"type": ["integer", "null"], "description": "Days without a holder in between, where that weakens it"},
            "more": {"type": "boolean"}, "holders": list(named("Hit"))}},
        "Links": object(json!({"links": list(named("Link")), "suppressed": list(named("Link")), "next": mark})),
        "Withdrawn": object(json!({"at": time("When it was withdrawn"), "by": json!({"type": ["string", "null"], "description": "Which account of the node withdrew it; null for neighbours"}),
            "reason": text("Why, in their words"), "collection": collection.clone(),
            "version": {"type": ["string", "null"], "format": "date-time", "description": "The version that was withdrawn; null: it has no versions"}})),
        "Gone": {"type": "object", "description": "RFC 9457", "required": ["withdrawn"], "properties": {
            "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}, "withdrawn": list(named("Withdrawn"))}},
        "Object": object_or(json!({
            "object": {"type": "object", "description": "The STIX object as it came"},
            "versions": list(object(json!({"version": time("`modified`"), "date_added": time("When it arrived here"), "tlp": text("TLP 2.0 label"), "collection": collection,
                "reported_by": {"type": ["string", "null"], "description": "Who reported it in this collection"}}))),
            "selectors": list(object(json!({"kind": text("Kind"), "value": text("Normalised value"), "strength": text("links, weak or never"),
                "why": {"type": ["string", "null"], "description": "Why it is not stronger"}}))),
            "withdrawn": list(named("Withdrawn"))}),
            json!({"reported_by": text("Who reported it"), "says": text("Of a relationship: its two ends and what it says of them")})),
    })
}

/// The document.
pub fn document() -> Value {
    let problem = json!({"description": "Why not (RFC 9457)", "content": {"application/problem+json": {"schema": named("Problem")}}});
    let words = |name: &str, why: &str| json!({"name": name, "in": "query", "description": why, "schema": {"type": "string", "maxLength": 2000}});
    let limit = |most: u32| json!({"name": "limit", "in": "query", "description": "Rows of a page", "schema": {"type": "integer", "minimum": 1, "maximum": most}});
    let before = words("before", "`next` of the page before");
    let get = |summary: &str, parameters: Vec<Value>, answer: Value| {
        json!({"get": {"summary": summary, "parameters": parameters, "security": [{"bearer": []}], "responses": {
            "200": {"description": "Answer", "content": {"application/json": {"schema": answer}}},
            "400": {"description": "The query cannot be read"}, "401": problem, "403": problem, "404": problem, "422": problem,
            "429": problem, "503": problem}}})
    };
    let id = json!({"name": "id", "in": "path", "required": true, "description": "STIX id", "schema": {"type": "string", "maxLength": 300}});
    let mut one = get("One object with its versions and selectors", vec![id], named("Object"));
    if let Some(answers) = one.pointer_mut("/get/responses").and_then(Value::as_object_mut) {
        let gone = json!({"description": "It was withdrawn", "content": {"application/problem+json": {"schema": named("Gone")}}});
        answers.insert("410".into(), gone);
    }
    json!({"openapi": "3.1.0", "info": {"title": "Compound Eye", "version": env!("CARGO_PKG_VERSION"),
        "description": "The JSON behind the pages. TAXII 2.1 stands under /taxii2/, the live stream under /stream/."},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}, "schemas": schemas()},
        "paths": {
            "/api/stats": get("Numbers of the node", vec![], named("Stats")),
            "/api/collections": get("Collections that you see", vec![], list(named("Collection"))),
            "/api/search": get("Search; several words mean AND, words in quotes stand side by side, a selector finds its holders in any spelling",
                vec![words("q", "What is looked for"), before.clone(), limit(1000)], named("Search")),
            "/api/links": get("What objects share: what links, by its newest holder, and what is suppressed with why. A page ends after the object with which `limit` is reached: an object's links are not torn apart",
                vec![before, limit(1000)], named("Links")),
            "/api/objects/{id}": one}})
}
