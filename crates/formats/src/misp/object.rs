//! MISP objects by their template: one table for those that are one observable, a function for the rest.

use super::attribute::{Attribute, ours};
use super::domain::{domain, unknown};
use super::event::Parts;
use super::file::{file, image};
use super::pattern::{hash_name, path};
use super::system::{email, process, registry};
use super::{list, text, traffic};
use crate::dates;
use crate::object::Object;
use crate::record::Out;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Templates that are one observable: type, fixed account type, relation → property. `#` is a whole number,
/// `?` a flag, `*` a list, `@` a time.
type Table = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

fn table(name: &str) -> Option<Table> {
    Some(match name {
        "asn" => ("autonomous-system", "", &[("asn", "#number"), ("description", "name")]),
        "artifact" => ("artifact", "", &[("mime_type", "mime_type"), ("url", "url"), ("payload_bin", "payload_bin")]),
        "cpe-asset" => (
            "software",
            "",
            &[
                ("product", "name"),
                ("cpe", "cpe"),
                ("language", "*languages"),
                ("vendor", "vendor"),
                ("version", "version"),
            ],
        ),
        "directory" => ("directory", "", &[("path", "path"), ("path-encoding", "path_enc")]),
        "hashlookup" => ("file", "", &[("FileName", "name"), ("FileSize", "#size")]),
        "mutex" => ("mutex", "", &[("name", "name")]),
        "url" => ("url", "", &[("url", "value")]),
        "credential" => ("user-account", "", &[("username", "user_id"), ("password", "credential")]),
        "facebook-account" => {
            ("user-account", "facebook", &[("account-id", "user_id"), ("account-name", "account_login")])
        }
        "parler-account" => ("user-account", "parler", &[("account-id", "user_id"), ("account-name", "account_login")]),
        "reddit-account" => ("user-account", "reddit", &[("account-id", "user_id"), ("account-name", "account_login")]),
        "telegram-account" => ("user-account", "telegram", &[("id", "user_id"), ("username", "account_login")]),
        "gitlab-user" => {
            ("user-account", "gitlab", &[("id", "user_id"), ("name", "display_name"), ("username", "account_login")])
        }
        "github-user" => (
            "user-account",
            "github",
            &[("id", "user_id"), ("user-fullname", "display_name"), ("username", "account_login")],
        ),
        "twitter-account" => (
            "user-account",
            "twitter",
            &[("id", "user_id"), ("displayed-name", "display_name"), ("name", "account_login")],
        ),
        "user-account" => (
            "user-account",
            "",
            &[
                ("account-type", "account_type"),
                ("display-name", "display_name"),
                ("password", "credential"),
                ("user-id", "user_id"),
                ("username", "account_login"),
                ("privileged", "?is_privileged"),
                ("disabled", "?is_disabled"),
                ("can_escalate_privs", "?can_escalate_privs"),
                ("is_service_account", "?is_service_account"),
                ("group", "*extensions.unix-account-ext.groups"),
                ("group-id", "#extensions.unix-account-ext.gid"),
                ("home_dir", "extensions.unix-account-ext.home_dir"),
                ("shell", "extensions.unix-account-ext.shell"),
                ("created", "@account_created"),
                ("expires", "@account_expires"),
                ("first_login", "@account_first_login"),
                ("last_login", "@account_last_login"),
                ("password_last_changed", "@credential_last_changed"),
            ],
        ),
        "x509" => (
            "x509-certificate",
            "",
            &[
                ("issuer", "issuer"),
                ("serial-number", "serial_number"),
                ("subject", "subject"),
                ("version", "version"),
                ("signature_algorithm", "signature_algorithm"),
                ("pubkey-info-algorithm", "subject_public_key_algorithm"),
                ("pubkey-info-exponent", "#subject_public_key_exponent"),
                ("pubkey-info-modulus", "subject_public_key_modulus"),
                ("validity-not-after", "@validity_not_after"),
                ("validity-not-before", "@validity_not_before"),
                ("self_signed", "?is_self_signed"),
            ],
        ),
        _ => return None,
    })
}

/// Objects that another object of the event carries inside itself.
pub(super) fn held_by_others(objects: &[&Value]) -> HashSet<String> {
    let name = |value: &Value| text(value, "name").unwrap_or_default().into_owned();
    let held = |holder: &str, inner: &[&str]| -> Vec<String> {
        let holders: Vec<&&Value> = objects.iter().filter(|value| name(value) == holder).collect();
        let referenced: HashSet<String> = holders
            .iter()
            .flat_map(|value| list(value, "ObjectReference"))
            .filter_map(|reference| text(reference, "referenced_uuid").map(|uuid| uuid.into_owned()))
            .collect();
        objects
            .iter()
            .filter(|value| inner.contains(&name(value).as_str()))
            .filter_map(|value| text(value, "uuid"))
            .filter(|uuid| referenced.contains(uuid.as_ref()))
            .map(|uuid| uuid.into_owned())
            .collect()
    };
    let mut all: HashSet<String> = held("file", &["pe"]).into_iter().collect();
    all.extend(held("pe", &["pe-section"]));
    all.extend(held("registry-key", &["registry-key-value"]));
    all
}

/// The objects of one template that `value` refers to.
pub(super) fn referenced<'v>(value: &Value, inner: &str, all: &[&'v Value]) -> Vec<&'v Value> {
    let wanted: HashSet<String> = list(value, "ObjectReference")
        .filter_map(|reference| text(reference, "referenced_uuid").map(|uuid| uuid.into_owned()))
        .collect();
    all.iter()
        .filter(|object| {
            text(object, "name").as_deref() == Some(inner)
                && text(object, "uuid").is_some_and(|uuid| wanted.contains(uuid.as_ref()))
        })
        .copied()
        .collect()
}

pub(super) fn parts(value: &Value, attributes: Vec<Attribute<'_>>, all: &[&Value], out: &Out<'_, '_>) -> Parts {
    let name = text(value, "name").unwrap_or_default();
    let name = name.as_ref();
    let made = match name {
        "domain-ip" | "domain|ip" => domain_ip(&attributes, out),
        "ip-port" | "ip|port" | "network-connection" | "network-socket" | "http-request" | "netflow" => {
            traffic::object(name, &attributes, out)
        }
        "file" | "pe" => file(value, name, &attributes, all, out),
        "image" => image(&attributes, out),
        "email" => email(&attributes, out),
        "process" => process(&attributes, out),
        "registry-key" | "registry-key-value" => Some(registry(value, name, &attributes, all)),
        _ => table(name)
            .map(|table| one_observable(table, &attributes))
            .or_else(|| domain(value, name, &attributes, out)),
    };
    let mut parts =
        made.unwrap_or_else(|| Parts { domain: Some(unknown(value, name, &attributes, out)), ..Parts::default() });
    parts.ours.extend(attributes.iter().filter_map(|attribute| ours(attribute, out)));
    parts
}

/// What no property has room for, as MISP's converter names it.
pub(super) fn leave_over(object: &mut Object, extra: &[(&str, &str)]) {
    let mut by_name: Map<String, Value> = Map::new();
    for (relation, value) in extra {
        let name = format!("x_misp_{}", relation.to_lowercase().replace(['-', ' ', '.'], "_"));
        match by_name.get_mut(&name) {
            Some(Value::Array(values)) => values.push((*value).into()),
            Some(one) => *one = json!([one.clone(), value]),
            None => {
                by_name.insert(name, (*value).into());
            }
        }
    }
    for (name, value) in by_name {
        object.put(name, value);
    }
}

fn one_observable((object_type, account, table): Table, attributes: &[Attribute<'_>]) -> Parts {
    let mut parts = Parts::default();
    let mut members = Map::new();
    let mut hashes = Map::new();
    let mut extra = Vec::new();
    for attribute in attributes {
        let value = attribute.value.as_ref();
        let known = table.iter().find(|(relation, _)| *relation == attribute.relation);
        let property = match (known, hash_name(attribute.kind.trim_start_matches("x509-fingerprint-"))) {
            (Some((_, property)), _) => {
                let plain = property.trim_start_matches(['#', '?', '*', '@']);
                place(&mut members, plain, property, value);
                plain.to_owned()
            }
            (None, Some(hash)) => {
                hashes.insert(hash.to_owned(), value.into());
                format!("hashes.{hash}")
            }
            (None, None) => {
                let property = format!("x_misp_{}", attribute.relation.to_lowercase().replace('-', "_"));
                match &attribute.data {
                    Some(data) => drop(members.insert(property.clone(), json!({ "value": value, "data": data }))),
                    None => extra.push((attribute.relation.as_ref(), value)),
                }
                property
            }
        };
        if attribute.to_ids {
            let compared = if object_type == "autonomous-system" { value.trim_start_matches("AS") } else { value };
            parts.clauses.push((path(object_type, &property), compared.to_owned()));
        }
    }
    let mut object =
        Object::observable(object_type).with("account_type", account).with("hashes", Value::Object(hashes));
    for (property, value) in members {
        object.put(property, value);
    }
    leave_over(&mut object, &extra);
    parts.observables.push(object);
    parts
}

/// Puts a value at a dotted path, converted as the property's sign says.
pub(super) fn place(members: &mut Map<String, Value>, plain: &str, sign: &str, text: &str) {
    let value = match sign.chars().next() {
        Some('#') => match text.trim_start_matches("AS").parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
        Some('?') => matches!(text, "1" | "true" | "True").into(),
        Some('@') => dates::from_iso(text).map_or_else(|| text.into(), Value::from),
        _ => Value::from(text),
    };
    let (head, rest) = plain.split_once('.').map_or((plain, ""), |(head, rest)| (head, rest));
    if !rest.is_empty() {
        let inner = members.entry(head).or_insert_with(|| json!({}));
        if let Some(inner) = inner.as_object_mut() {
            let sign = if sign.starts_with('*') {
                "*"
            } else if sign.starts_with('#') {
                "#"
            } else {
                ""
            };
            place(inner, rest, sign, text);
        }
        return;
    }
    if sign.starts_with('*') {
        let known = members.entry(plain).or_insert_with(|| json!([]));
        if let Some(known) = known.as_array_mut() {
            known.push(value);
        }
        return;
    }
    members.entry(plain).or_insert(value);
}

fn domain_ip(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let (mut names, mut addresses, mut extra) = (Vec::new(), Vec::new(), Vec::new());
    for attribute in attributes {
        let value = attribute.value.as_ref();
        let property = match attribute.relation.as_ref() {
            "domain" | "hostname" => {
                names.push(value);
                "domain-name:value".to_owned()
            }
            "ip" => {
                addresses.push(traffic::address(value));
                "domain-name:resolves_to_refs[*].value".to_owned()
            }
            other => {
                extra.push((other, value));
                format!("domain-name:x_misp_{}", other.replace('-', "_"))
            }
        };
        if attribute.to_ids {
            parts.clauses.push((property, value.to_owned()));
        }
    }
    if names.is_empty() {
        return None;
    }
    let resolved: Vec<String> = addresses.iter().map(|address| address.id(out)).collect();
    for name in names {
        let mut object = Object::value("domain-name", name).with("resolves_to_refs", resolved.clone());
        leave_over(&mut object, &extra);
        parts.observables.push(object);
    }
    parts.observables.extend(addresses);
    Some(parts)
}
