//! Galaxy clusters: what a cluster names becomes an object of its own.

use super::event::id_of;
use super::{list, text};
use crate::object::Object;
use crate::record::Out;
use serde_json::{Value, json};

/// The STIX type of a galaxy's type.
fn type_of(galaxy: &str) -> Option<&'static str> {
    let galaxy = galaxy.trim_start_matches("stix-2.1-").trim_start_matches("stix-2.0-");
    Some(match galaxy {
        "branded-vulnerability" | "vulnerability" => "vulnerability",
        "sector" => "identity",
        "country" | "region" | "location" => "location",
        "campaign" => "campaign",
        _ if galaxy.contains("attack-pattern") => "attack-pattern",
        _ if galaxy.contains("course-of-action") => "course-of-action",
        _ if galaxy.contains("intrusion-set") => "intrusion-set",
        "threat-actor" | "microsoft-activity-group" => "threat-actor",
        "malpedia" | "ransomware" | "rat" | "banker" | "stealer" | "backdoor" | "botnet" | "android"
        | "cryptominers" => "malware",
        _ if galaxy.contains("malware") => "malware",
        "tool" | "exploit-kit" | "tds" => "tool",
        _ if galaxy.ends_with("-tool") => "tool",
        _ => return None,
    })
}

pub(super) fn object(galaxy: &Value, cluster: &Value, out: &Out<'_, '_>) -> Option<Object> {
    let value = text(cluster, "value").filter(|value| !value.is_empty())?;
    let kind = text(cluster, "type").or_else(|| text(galaxy, "type")).unwrap_or_default();
    let object_type = type_of(&kind).unwrap_or("x-misp-galaxy-cluster");
    let mut object = Object::domain(object_type, id_of(cluster, object_type, out));
    let description = text(cluster, "description");
    if object_type == "x-misp-galaxy-cluster" {
        object.put("x_misp_name", text(galaxy, "name").as_deref());
        object.put("x_misp_type", kind.as_ref());
        object.put("x_misp_value", value.as_ref());
        object.put("x_misp_description", description.as_deref());
        return Some(object);
    }
    // "BISCUIT - S0017" names the cluster and its id in ATT&CK.
    let name = value
        .rsplit_once(" - ")
        .filter(|(_, code)| code.len() <= 12 && code.chars().any(|c| c.is_ascii_digit()))
        .map_or(value.as_ref(), |(name, _)| name);
    object.put("name", name);
    object.put("description", description.as_deref());
    let meta = cluster.get("meta").unwrap_or(&Value::Null);
    let words = |field: &str| -> Vec<&str> {
        match meta.get(field) {
            Some(Value::String(word)) => vec![word.as_str()],
            _ => list(meta, field).filter_map(Value::as_str).collect(),
        }
    };
    match object_type {
        "identity" => object.put("identity_class", "class"),
        "malware" => {
            object.put("is_family", words("is_family").first().is_some_and(|word| word.eq_ignore_ascii_case("true")));
            object.put("aliases", words("synonyms"));
        }
        "location" => {
            object.put("country", words("ISO").first().or(words("iso_code").first()).map(|code| code.to_uppercase()));
            if kind == "region" {
                object.put("region", name.to_lowercase().replace(' ', "-"));
            }
        }
        "threat-actor" | "intrusion-set" | "tool" | "campaign" | "attack-pattern" => {
            object.put("aliases", words("synonyms"))
        }
        _ => {}
    }
    let mut references: Vec<Value> = words("external_id")
        .into_iter()
        .map(|code| json!({ "source_name": source_of(code), "external_id": code }))
        .collect();
    references.extend(words("refs").into_iter().map(|url| json!({ "source_name": "url", "url": url })));
    object.put("external_references", references);
    object.label(&format!("misp:galaxy-type=\"{kind}\""));
    Some(object)
}

fn source_of(code: &str) -> &'static str {
    match code {
        _ if code.starts_with("CAPEC-") => "capec",
        _ if code.starts_with("CVE-") => "cve",
        _ if code.starts_with("CWE-") => "cwe",
        _ => "mitre-attack",
    }
}
