use crate::{StixId, canonical_json};
use serde_json::{Map, Value};
use uuid::Uuid;

/// STIX 2.1 §2.9: the namespace of deterministic SCO ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x00abedb4_aa42_466c_9c01_fed23315a9b7);

/// What a deterministic id turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdCheck {
    /// The type has no rule, or the id is not a UUIDv5: nothing to check.
    NotDeterministic,
    /// The id follows from the contributing properties.
    Right,
    /// The id claims to follow from the properties and does not: stored, flagged, never linked.
    Wrong,
}

/// The properties that contribute to a type's deterministic id (STIX 2.1 §6; DESIGN.md for the extension types).
fn contributing(object_type: &str) -> Option<&'static [&'static str]> {
    Some(match object_type {
        "artifact" => &["hashes", "payload_bin"],
        "autonomous-system" => &["number"],
        "directory" => &["path"],
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => &["value"],
        // STIX 2.1 §6.9: a mutex is known by its name.
        "mutex" => &["name"],
        "email-message" => &["from_ref", "subject", "body"],
        "file" => &["hashes", "name", "extensions", "parent_directory_ref"],
        "network-traffic" => &["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"],
        "software" => &["name", "cpe", "swid", "vendor", "version"],
        "user-account" => &["account_type", "user_id", "account_login"],
        "windows-registry-key" => &["key", "values"],
        "x509-certificate" => &["hashes", "serial_number"],
        "cryptocurrency-wallet" => &["value"],
        "cryptocurrency-transaction" => &["symbol", "value"],
        _ => return None,
    })
}

/// The deterministic id of an SCO: UUIDv5 over the canonical JSON (RFC 8785) of its contributing properties.
/// `None` when the type has no rule or none of the properties is present (then a UUIDv4 is right).
///
/// ```
/// let v = serde_json::json!({"type": "ipv4-addr", "value": "198.51.100.3"});
/// assert_eq!(stix::deterministic_id(&v).as_deref(), Some("ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"));
/// ```
pub fn deterministic_id(object: &Value) -> Option<String> {
    let object_type = object.get("type")?.as_str()?;
    let mut chosen = Map::new();
    for key in contributing(object_type)? {
        let Some(value) = object.get(*key) else { continue };
        let value = if *key == "hashes" { one_hash(value)? } else { value.clone() };
        chosen.insert((*key).to_owned(), value);
    }
    if chosen.is_empty() {
        return None;
    }
    let canonical = canonical_json(&Value::Object(chosen)).ok()?;
    Some(format!("{object_type}--{}", Uuid::new_v5(&NAMESPACE, canonical.as_bytes()).hyphenated()))
}

/// STIX 2.1 §2.9: of several hashes the first of MD5, SHA-1, SHA-256, SHA-512 contributes.
fn one_hash(hashes: &Value) -> Option<Value> {
    let map = hashes.as_object()?;
    let (name, value) = ["MD5", "SHA-1", "SHA-256", "SHA-512"]
        .iter()
        .find_map(|n| map.get_key_value(*n))
        .or_else(|| map.iter().next())?;
    Some(Value::Object(Map::from_iter([(name.clone(), value.clone())])))
}

/// Whether an SCO's UUIDv5 id is the one its properties give. Ids of other versions are not deterministic by claim.
pub fn check_deterministic_id(object: &Value) -> IdCheck {
    let Some(id) = object.get("id").and_then(Value::as_str) else { return IdCheck::NotDeterministic };
    match StixId::parse(id) {
        Ok(parsed) if parsed.uuid_version() == Some('5') => match deterministic_id(object) {
            Some(right) if right == id => IdCheck::Right,
            Some(_) => IdCheck::Wrong,
            None => IdCheck::NotDeterministic,
        },
        _ => IdCheck::NotDeterministic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_published_example_ids_come_out() {
        // Values checked against the OASIS `stix2` library.
        let ip = json!({"type": "ipv4-addr", "value": "198.51.100.3"});
        assert_eq!(deterministic_id(&ip).unwrap(), "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
        let domain = json!({"type": "domain-name", "value": "example.com"});
        assert_eq!(deterministic_id(&domain).unwrap(), "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7");
    }

    #[test]
    fn a_forged_deterministic_id_is_found() {
        let wrong = json!({"type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", "value": "198.51.100.4"});
        assert_eq!(check_deterministic_id(&wrong), IdCheck::Wrong);
    }

    #[test]
    fn a_mutex_is_known_by_its_name() {
        let id = |name: &str, other: &str| {
            deterministic_id(&serde_json::json!({"type": "mutex", "name": name, "value": other}))
        };
        assert!(id("__EXERCISE__", "a").is_some());
        assert_eq!(id("__EXERCISE__", "a"), id("__EXERCISE__", "b"));
        assert_ne!(id("__EXERCISE__", "a"), id("__OTHER__", "a"));
    }
}
