//! Objects that name persons, places, rules and other things of the domain; templates nobody knows.

use super::attribute::Attribute;
use super::event::{Parts, id_of};
use super::object::leave_over;
use super::{list, text};
use crate::dates;
use crate::object::Object;
use crate::record::Out;
use serde_json::{Map, Value, json};

/// Objects that name persons, places, rules and other things of the domain.
pub(super) fn domain(value: &Value, name: &str, attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let one = |relation: &str| {
        attributes.iter().find(|attribute| attribute.relation == relation).map(|attribute| attribute.value.as_ref())
    };
    let every = |relation: &str| -> Vec<&str> {
        attributes
            .iter()
            .filter(|attribute| attribute.relation == relation)
            .map(|attribute| attribute.value.as_ref())
            .collect()
    };
    let id = |object_type: &str| id_of(value, object_type, out);
    let rule = match name {
        "yara" | "sigma" | "suricata" => Some((
            name,
            match name {
                "yara" => "yara",
                "sigma" => "sigma",
                _ => "suricata",
            },
        )),
        "snort" => Some(("snort", "snort")),
        "stix2-pattern" => Some(("stix2-pattern", "stix")),
        "owasp-crs-rule" => Some(("raw-rule", "crs")),
        "nova-rule" => Some(("raw-rule", "nova")),
        "wazuh-rule" => Some(("wazuh-rule", "wazuh")),
        _ => None,
    };
    if let Some((relation, language)) = rule {
        return Some(Parts { rule: Some((one(relation)?.to_owned(), language)), ..Parts::default() });
    }
    let (mut object, used): (Object, &[&str]) = match name {
        "person" | "employee" | "legal-entity" | "news-agency" | "organization" | "identity" => {
            let class = if matches!(name, "person" | "employee") { "individual" } else { "organization" };
            let spoken: Vec<&str> = ["first-name", "middle-name", "last-name"].into_iter().filter_map(&one).collect();
            let full = one("full-name").or(one("name")).map_or_else(|| spoken.join(" "), str::to_owned);
            let full = if full.is_empty() { format!("unnamed {name}") } else { full };
            let roles = [every("role"), every("employee-type")].concat();
            let reached: Vec<String> =
                ["address", "e-mail", "email-address", "fax-number", "phone-number", "link", "website"]
                    .into_iter()
                    .map(|relation| (relation, every(relation)))
                    .filter(|(_, values)| !values.is_empty())
                    .map(|(relation, values)| format!("{relation}: {}", values.join("; ")))
                    .collect();
            let object = Object::domain("identity", id("identity"))
                .with("name", full)
                .with("identity_class", class)
                .with("description", one("text").or(one("description")))
                .with("roles", roles)
                .with("sectors", every("business"))
                .with("contact_information", reached.join(" / "));
            (
                object,
                &[
                    "first-name",
                    "middle-name",
                    "last-name",
                    "full-name",
                    "name",
                    "text",
                    "description",
                    "role",
                    "employee-type",
                    "business",
                    "address",
                    "e-mail",
                    "email-address",
                    "fax-number",
                    "phone-number",
                    "link",
                    "website",
                ],
            )
        }
        "geolocation" => {
            let degrees = |relation: &str| one(relation).and_then(|text| text.parse::<f64>().ok());
            let object = Object::domain("location", id("location"))
                .with("latitude", degrees("latitude"))
                .with("longitude", degrees("longitude"))
                // MISP's accuracy-radius is in kilometres, STIX's precision in metres.
                .with("precision", degrees("accuracy-radius").map(|radius| radius * 1000.0))
                .with("region", one("region"))
                .with("country", one("countrycode"))
                .with("city", one("city"))
                .with("street_address", one("address"))
                .with("postal_code", one("zipcode"))
                .with("description", one("text"));
            (
                object,
                &[
                    "latitude",
                    "longitude",
                    "accuracy-radius",
                    "region",
                    "countrycode",
                    "city",
                    "address",
                    "zipcode",
                    "text",
                ],
            )
        }
        "vulnerability" => {
            let name = one("id").or(one("name")).unwrap_or("unnamed vulnerability");
            let mut references = vec![json!({ "source_name": "cve", "external_id": name })];
            references.extend(every("references").into_iter().map(|url| json!({ "source_name": "url", "url": url })));
            let object = Object::domain("vulnerability", id("vulnerability"))
                .with("name", name)
                .with("description", one("summary").or(one("description")))
                .with("external_references", references);
            (object, &["id", "name", "summary", "description", "references"])
        }
        "attack-pattern" => {
            let reference = one("id").map(|id| json!([{ "source_name": "capec", "external_id": format!("CAPEC-{}", id.trim_start_matches("CAPEC-")) }]));
            let object = Object::domain("attack-pattern", id("attack-pattern"))
                .with("name", one("name")?)
                .with("description", one("summary"))
                .with("external_references", reference);
            (object, &["id", "name", "summary"])
        }
        "course-of-action" => (
            Object::domain("course-of-action", id("course-of-action"))
                .with("name", one("name")?)
                .with("description", one("description")),
            &["name", "description"],
        ),
        "intrusion-set" => {
            let object = Object::domain("intrusion-set", id("intrusion-set"))
                .with("name", one("name")?)
                .with("description", one("description"))
                .with("aliases", every("aliases"))
                .with("goals", every("goals"))
                .with("resource_level", one("resource_level"))
                .with("primary_motivation", one("primary-motivation").map(|text| text.replace(' ', "-")))
                .with("secondary_motivations", one("secondary-motivation").map(|text| json!([text.replace(' ', "-")])))
                .with("first_seen", one("first_seen").and_then(dates::from_iso))
                .with("last_seen", one("last_seen").and_then(dates::from_iso));
            (
                object,
                &[
                    "name",
                    "description",
                    "aliases",
                    "goals",
                    "resource_level",
                    "primary-motivation",
                    "secondary-motivation",
                    "first_seen",
                    "last_seen",
                ],
            )
        }
        "annotation" => {
            let about: Vec<String> = list(value, "ObjectReference")
                .filter_map(|reference| text(reference, "referenced_uuid"))
                .map(|uuid| format!("observed-data--{uuid}"))
                .collect();
            if about.is_empty() {
                return None;
            }
            (Object::domain("note", id("note")).with("content", one("text")?).with("object_refs", about), &["text"])
        }
        _ => return None,
    };
    let extra: Vec<(&str, &str)> = attributes
        .iter()
        .filter(|attribute| !used.contains(&attribute.relation.as_ref()))
        .map(|attribute| (attribute.relation.as_ref(), attribute.value.as_ref()))
        .collect();
    leave_over(&mut object, &extra);
    Some(Parts { domain: Some(object), ..Parts::default() })
}

/// A template nobody has an object for keeps its attributes as they are.
pub(super) fn unknown(value: &Value, name: &str, attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Object {
    let kept: Vec<Value> = attributes
        .iter()
        .map(|attribute| {
            let mut members = Map::new();
            members.insert("object_relation".into(), attribute.relation.as_ref().into());
            members.insert("type".into(), attribute.kind.as_ref().into());
            members.insert("value".into(), attribute.value.as_ref().into());
            if attribute.to_ids {
                members.insert("to_ids".into(), true.into());
            }
            Value::Object(members)
        })
        .collect();
    Object::domain("x-misp-object", id_of(value, "x-misp-object", out))
        .with("x_misp_name", name)
        .with("x_misp_meta_category", text(value, "meta-category").as_deref())
        .with("x_misp_attributes", kept)
}
