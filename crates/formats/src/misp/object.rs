//! MISP objects by their template: one table for those that are one observable, a function for the rest.

use super::attribute::{Attribute, SAMPLE, ours};
use super::event::{Parts, id_of};
use super::pattern::{hash_name, path};
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
        "cpe-asset" => ("software", "", &[("product", "name"), ("cpe", "cpe"), ("language", "*languages"), ("vendor", "vendor"), ("version", "version")]),
        "directory" => ("directory", "", &[("path", "path"), ("path-encoding", "path_enc")]),
        "hashlookup" => ("file", "", &[("FileName", "name"), ("FileSize", "#size")]),
        "mutex" => ("mutex", "", &[("name", "name")]),
        "url" => ("url", "", &[("url", "value")]),
        "credential" => ("user-account", "", &[("username", "user_id"), ("password", "credential")]),
        "facebook-account" => ("user-account", "facebook", &[("account-id", "user_id"), ("account-name", "account_login")]),
        "parler-account" => ("user-account", "parler", &[("account-id", "user_id"), ("account-name", "account_login")]),
        "reddit-account" => ("user-account", "reddit", &[("account-id", "user_id"), ("account-name", "account_login")]),
        "telegram-account" => ("user-account", "telegram", &[("id", "user_id"), ("username", "account_login")]),
        "gitlab-user" => ("user-account", "gitlab", &[("id", "user_id"), ("name", "display_name"), ("username", "account_login")]),
        "github-user" => ("user-account", "github", &[("id", "user_id"), ("user-fullname", "display_name"), ("username", "account_login")]),
        "twitter-account" => ("user-account", "twitter", &[("id", "user_id"), ("displayed-name", "display_name"), ("name", "account_login")]),
        "user-account" => (
            "user-account",
            "",
            &[
                ("account-type", "account_type"), ("display-name", "display_name"), ("password", "credential"), ("user-id", "user_id"),
                ("username", "account_login"), ("privileged", "?is_privileged"), ("disabled", "?is_disabled"),
                ("can_escalate_privs", "?can_escalate_privs"), ("is_service_account", "?is_service_account"),
                ("group", "*extensions.unix-account-ext.groups"), ("group-id", "#extensions.unix-account-ext.gid"),
                ("home_dir", "extensions.unix-account-ext.home_dir"), ("shell", "extensions.unix-account-ext.shell"),
                ("created", "@account_created"), ("expires", "@account_expires"), ("first_login", "@account_first_login"),
                ("last_login", "@account_last_login"), ("password_last_changed", "@credential_last_changed"),
            ],
        ),
        "x509" => (
            "x509-certificate",
            "",
            &[
                ("issuer", "issuer"), ("serial-number", "serial_number"), ("subject", "subject"), ("version", "version"),
                ("signature_algorithm", "signature_algorithm"), ("pubkey-info-algorithm", "subject_public_key_algorithm"),
                ("pubkey-info-exponent", "#subject_public_key_exponent"), ("pubkey-info-modulus", "subject_public_key_modulus"),
                ("validity-not-after", "@validity_not_after"), ("validity-not-before", "@validity_not_before"), ("self_signed", "?is_self_signed"),
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
        let referenced: HashSet<String> = holders.iter().flat_map(|value| list(value, "ObjectReference")).filter_map(|reference| text(reference, "referenced_uuid").map(|uuid| uuid.into_owned())).collect();
        objects.iter().filter(|value| inner.contains(&name(value).as_str())).filter_map(|value| text(value, "uuid")).filter(|uuid| referenced.contains(uuid.as_ref())).map(|uuid| uuid.into_owned()).collect()
    };
    let mut all: HashSet<String> = held("file", &["pe"]).into_iter().collect();
    all.extend(held("pe", &["pe-section"]));
    all.extend(held("registry-key", &["registry-key-value"]));
    all
}

/// The objects of one template that `value` refers to.
fn referenced<'v>(value: &Value, inner: &str, all: &[&'v Value]) -> Vec<&'v Value> {
    let wanted: HashSet<String> = list(value, "ObjectReference").filter_map(|reference| text(reference, "referenced_uuid").map(|uuid| uuid.into_owned())).collect();
    all.iter().filter(|object| text(object, "name").as_deref() == Some(inner) && text(object, "uuid").is_some_and(|uuid| wanted.contains(uuid.as_ref()))).copied().collect()
}

pub(super) fn parts(value: &Value, attributes: Vec<Attribute<'_>>, all: &[&Value], out: &Out<'_, '_>) -> Parts {
    let name = text(value, "name").unwrap_or_default();
    let name = name.as_ref();
    let made = match name {
        "domain-ip" | "domain|ip" => domain_ip(&attributes, out),
        "ip-port" | "ip|port" | "network-connection" | "network-socket" | "http-request" | "netflow" => traffic::object(name, &attributes, out),
        "file" | "pe" => file(value, name, &attributes, all, out),
        "image" => image(&attributes, out),
        "email" => email(&attributes, out),
        "process" => process(&attributes, out),
        "registry-key" | "registry-key-value" => Some(registry(value, name, &attributes, all)),
        _ => table(name).map(|table| one_observable(table, &attributes)).or_else(|| domain(value, name, &attributes, out)),
    };
    let mut parts = made.unwrap_or_else(|| Parts { domain: Some(unknown(value, name, &attributes, out)), ..Parts::default() });
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
        object.put(&name, value);
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
    let mut object = Object::observable(object_type).with("account_type", account).with("hashes", Value::Object(hashes));
    for (property, value) in members {
        object.put(&property, value);
    }
    leave_over(&mut object, &extra);
    parts.observables.push(object);
    parts
}

/// Puts a value at a dotted path, converted as the property's sign says.
fn place(members: &mut Map<String, Value>, plain: &str, sign: &str, text: &str) {
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
            let sign = if sign.starts_with('*') { "*" } else if sign.starts_with('#') { "#" } else { "" };
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

fn file(value: &Value, name: &str, attributes: &[Attribute<'_>], all: &[&Value], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut file = Object::observable("file");
    let (mut hashes, mut extra, mut others) = (Map::new(), Vec::new(), Vec::new());
    let mut pe = (name == "pe").then(|| portable_executable(value, attributes, all, &mut parts.clauses));
    if name == "pe" {
        let original = attributes.iter().find(|attribute| attribute.relation == "original-filename");
        file.put("name", original.map(|attribute| attribute.value.as_ref()));
    } else {
        for attribute in attributes {
            let text = attribute.value.as_ref();
            let property = match attribute.relation.as_ref() {
                "filename" if file.get("name").is_none() => {
                    file.put("name", text);
                    "name".to_owned()
                }
                "size-in-bytes" => {
                    file.put("size", text.parse::<u64>().ok());
                    "size".to_owned()
                }
                "mimetype" | "mime-type" => {
                    file.put("mime_type", text);
                    "mime_type".to_owned()
                }
                "file-encoding" => {
                    file.put("name_enc", text);
                    "name_enc".to_owned()
                }
                "creation-time" | "modification-time" | "access-time" => {
                    let property = match attribute.relation.as_ref() {
                        "creation-time" => "ctime",
                        "modification-time" => "mtime",
                        _ => "atime",
                    };
                    file.put(property, dates::from_iso(text));
                    property.to_owned()
                }
                "path" => {
                    let directory = Object::observable("directory").with("path", text);
                    file.put("parent_directory_ref", directory.id(out));
                    others.push(directory);
                    "parent_directory_ref.path".to_owned()
                }
                "malware-sample" => {
                    let (artifact, clauses) = sample(attribute);
                    match artifact {
                        Some(artifact) => {
                            file.put("content_ref", artifact.id(out));
                            others.push(artifact);
                        }
                        None => extra.push(("malware-sample", text)),
                    }
                    if attribute.to_ids {
                        parts.clauses.extend(clauses);
                    }
                    continue;
                }
                "attachment" if attribute.data.is_some() => {
                    file.put("x_misp_attachment", json!({ "value": text, "data": attribute.data.as_deref() }));
                    continue;
                }
                relation => match hash_name(relation) {
                    Some(hash) => {
                        hashes.insert(hash.to_owned(), text.into());
                        format!("hashes.{hash}")
                    }
                    None => {
                        extra.push((relation, text));
                        format!("x_misp_{}", relation.replace('-', "_"))
                    }
                },
            };
            if attribute.to_ids {
                parts.clauses.push((path("file", &property), text.to_owned()));
            }
        }
        if let Some(inner) = referenced(value, "pe", all).first() {
            let inner_attributes: Vec<Attribute<'_>> = list(inner, "Attribute").filter_map(Attribute::read).collect();
            pe = Some(portable_executable(inner, &inner_attributes, all, &mut parts.clauses));
        }
    }
    file.put("hashes", Value::Object(hashes));
    if let Some(pe) = pe {
        file.put("extensions", json!({ "windows-pebinary-ext": pe }));
    }
    leave_over(&mut file, &extra);
    parts.observables.push(file);
    parts.observables.extend(others);
    Some(parts)
}

/// A sample's artifact (when its bytes are there) and what an indicator says of it.
fn sample(attribute: &Attribute<'_>) -> (Option<Object>, Vec<(String, String)>) {
    let (name, hash) = attribute.value.split_once('|').unwrap_or((&attribute.value, ""));
    let mut clauses = Vec::new();
    let mut artifact = None;
    if let Some(data) = &attribute.data {
        clauses.push(("file:content_ref.payload_bin".to_owned(), data.to_string()));
        let mut object = Object::observable("artifact").with("payload_bin", data.as_ref()).with("x_misp_filename", name);
        if !hash.is_empty() {
            object.put("hashes", json!({ "MD5": hash }));
        }
        for (property, value) in SAMPLE {
            object.put(property, value);
        }
        artifact = Some(object);
    }
    clauses.push(("file:content_ref.x_misp_filename".to_owned(), name.to_owned()));
    if !hash.is_empty() {
        clauses.push(("file:content_ref.hashes.MD5".to_owned(), hash.to_owned()));
    }
    clauses.extend(SAMPLE.iter().map(|(property, value)| (format!("file:content_ref.{property}"), (*value).to_owned())));
    (artifact, clauses)
}

/// `windows-pebinary-ext` of a `pe` object and its sections.
fn portable_executable(value: &Value, attributes: &[Attribute<'_>], all: &[&Value], clauses: &mut Vec<(String, String)>) -> Value {
    let mut pe = Map::new();
    let mut extra = Vec::new();
    let at = |property: &str| format!("file:extensions.'windows-pebinary-ext'.{property}");
    for attribute in attributes {
        let text = attribute.value.as_ref();
        let property = match attribute.relation.as_ref() {
            "type" => {
                pe.insert("pe_type".into(), text.into());
                "pe_type".to_owned()
            }
            "imphash" => {
                pe.insert("imphash".into(), text.into());
                "imphash".to_owned()
            }
            "number-sections" => {
                place(&mut pe, "number_of_sections", "#", text);
                "number_of_sections".to_owned()
            }
            "entrypoint-address" => {
                place(&mut pe, "optional_header.address_of_entry_point", "#", text);
                "optional_header.address_of_entry_point".to_owned()
            }
            relation => {
                extra.push((relation, text));
                format!("x_misp_{}", relation.replace('-', "_"))
            }
        };
        if attribute.to_ids {
            clauses.push((at(&property), text.to_owned()));
        }
    }
    let mut sections = Vec::new();
    for (number, section) in referenced(value, "pe-section", all).into_iter().enumerate() {
        let mut members = Map::new();
        let mut hashes = Map::new();
        for attribute in list(section, "Attribute").filter_map(Attribute::read) {
            let text = attribute.value.as_ref();
            let property = match (attribute.relation.as_ref(), hash_name(&attribute.relation)) {
                (_, Some(hash)) => {
                    hashes.insert(hash.to_owned(), text.into());
                    path("", &format!("hashes.{hash}")).trim_start_matches(':').to_owned()
                }
                ("size-in-bytes", _) => {
                    place(&mut members, "size", "#", text);
                    "size".to_owned()
                }
                ("entropy", _) => {
                    members.insert("entropy".into(), text.parse::<f64>().ok().map_or_else(|| text.into(), Value::from));
                    "entropy".to_owned()
                }
                ("name", _) => {
                    members.insert("name".into(), text.into());
                    "name".to_owned()
                }
                (relation, _) => {
                    members.insert(format!("x_misp_{}", relation.replace('-', "_")), text.into());
                    format!("x_misp_{}", relation.replace('-', "_"))
                }
            };
            if attribute.to_ids {
                clauses.push((at(&format!("sections[{number}].{property}")), text.to_owned()));
            }
        }
        if !hashes.is_empty() {
            members.insert("hashes".into(), Value::Object(hashes));
        }
        sections.push(Value::Object(members));
    }
    if !sections.is_empty() {
        pe.insert("sections".into(), sections.into());
    }
    for (relation, text) in extra {
        pe.insert(format!("x_misp_{}", relation.replace('-', "_")), text.into());
    }
    Value::Object(pe)
}

fn image(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut file = Object::observable("file");
    let (mut extra, mut others) = (Vec::new(), Vec::new());
    for attribute in attributes {
        let text = attribute.value.as_ref();
        let property = match attribute.relation.as_ref() {
            "filename" => {
                file.put("name", text);
                "name"
            }
            "attachment" if attribute.data.is_some() => {
                let mime = match text.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).as_deref() {
                    Some("png") => Some("image/png"),
                    Some("jpg" | "jpeg") => Some("image/jpeg"),
                    Some("gif") => Some("image/gif"),
                    _ => None,
                };
                let artifact = Object::observable("artifact").with("payload_bin", attribute.data.as_deref()).with("mime_type", mime).with("x_misp_filename", text);
                file.put("content_ref", artifact.id(out));
                others.push(artifact);
                "content_ref.payload_bin"
            }
            "url" => {
                let artifact = Object::observable("artifact").with("url", text).with("hashes", json!({}));
                if file.get("content_ref").is_none() {
                    file.put("content_ref", artifact.id(out));
                }
                others.push(artifact);
                "content_ref.url"
            }
            relation => {
                extra.push((relation, text));
                continue;
            }
        };
        if attribute.to_ids {
            parts.clauses.push((format!("file:{property}"), text.to_owned()));
        }
    }
    leave_over(&mut file, &extra);
    parts.observables.push(file);
    parts.observables.extend(others);
    Some(parts)
}

fn email(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut message = Object::observable("email-message");
    let (mut extra, mut others, mut headers, mut multipart) = (Vec::new(), Vec::new(), Map::new(), Vec::new());
    let named = |side: &str| -> Vec<&str> { attributes.iter().filter(|attribute| attribute.relation == format!("{side}-display-name")).map(|attribute| attribute.value.as_ref()).collect() };
    for side in ["to", "cc", "bcc", "from"] {
        let addressed: Vec<&Attribute<'_>> = attributes.iter().filter(|attribute| attribute.relation == side).collect();
        let names = named(side);
        let paired = names.len() == addressed.len() && addressed.iter().zip(&names).all(|(attribute, name)| fits(&attribute.value, name));
        let mut refs = Vec::new();
        for (number, attribute) in addressed.iter().enumerate() {
            let name = paired.then(|| names.get(number).copied()).flatten();
            let address = Object::value("email-addr", &attribute.value).with("display_name", name);
            refs.push(address.id(out));
            others.push(address);
            if attribute.to_ids {
                let property = if side == "from" { "email-message:from_ref.value".to_owned() } else { format!("email-message:{side}_refs[{number}].value") };
                parts.clauses.push((property, attribute.value.to_string()));
            }
        }
        if !paired {
            let relation = match side {
                "to" => "to-display-name",
                "cc" => "cc-display-name",
                "bcc" => "bcc-display-name",
                _ => "from-display-name",
            };
            extra.extend(names.into_iter().map(|name| (relation, name)));
        }
        match side {
            "from" => message.put("from_ref", refs.first().map(String::as_str)),
            _ => message.put(&format!("{side}_refs"), refs),
        }
    }
    for attribute in attributes {
        let text = attribute.value.as_ref();
        match attribute.relation.as_ref() {
            "to" | "cc" | "bcc" | "from" => continue,
            relation if relation.ends_with("-display-name") => continue,
            "subject" => message.put("subject", text),
            "email-body" => message.put("body", text),
            "message-id" => message.put("message_id", text),
            "send-date" => message.put("date", dates::from_iso(text)),
            "reply-to" => drop(headers.insert("Reply-To".into(), text.into())),
            "x-mailer" => drop(headers.insert("X-Mailer".into(), text.into())),
            "attachment" | "screenshot" => {
                let kind = if attribute.relation == "attachment" { "attachment" } else { "inline" };
                let file = Object::observable("file").with("name", text);
                if attribute.to_ids {
                    let number = multipart.len();
                    parts.clauses.push((format!("email-message:body_multipart[{number}].body_raw_ref.name"), text.to_owned()));
                    parts.clauses.push((format!("email-message:body_multipart[{number}].content_disposition"), kind.to_owned()));
                }
                multipart.push(json!({ "body_raw_ref": file.id(out), "content_disposition": format!("{kind}; filename='{text}'") }));
                others.push(file);
                continue;
            }
            relation => extra.push((relation, text)),
        }
        if attribute.to_ids {
            parts.clauses.push((format!("email-message:{}", attribute.relation.replace('-', "_")), text.to_owned()));
        }
    }
    let body = message.get("body").is_some();
    message.put("is_multipart", !multipart.is_empty() && !body);
    message.put("body_multipart", multipart);
    message.put("additional_header_fields", Value::Object(headers));
    leave_over(&mut message, &extra);
    parts.observables.push(message);
    parts.observables.extend(others);
    Some(parts)
}

/// Whether a display name may be of this address: a word of it stands in the local part, or nothing speaks
/// against it because the address has no name in it.
fn fits(address: &str, name: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    let words: Vec<String> = name.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_owned).collect();
    let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
    words.iter().any(|word| local.contains(word.as_str())) || local == initials
}

fn process(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let (mut process, mut parent) = (Object::observable("process"), Object::observable("process"));
    let (mut extra, mut children, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut has_parent = false;
    for attribute in attributes {
        let text = attribute.value.as_ref();
        let number = text.parse::<i64>().ok();
        let property = match attribute.relation.as_ref() {
            "pid" => {
                process.put("pid", number);
                "pid"
            }
            "command-line" => {
                process.put("command_line", text);
                "command_line"
            }
            "current-directory" => {
                process.put("cwd", text);
                "cwd"
            }
            "creation-time" => {
                process.put("created_time", dates::from_iso(text));
                "created_time"
            }
            "hidden" => {
                process.put("is_hidden", matches!(text, "True" | "true" | "1"));
                "is_hidden"
            }
            "image" => {
                let file = Object::observable("file").with("name", text);
                process.put("image_ref", file.id(out));
                others.push(file);
                "image_ref.name"
            }
            "parent-pid" => {
                has_parent = true;
                parent.put("pid", number);
                "parent_ref.pid"
            }
            "parent-command-line" => {
                has_parent = true;
                parent.put("command_line", text);
                "parent_ref.command_line"
            }
            "parent-image" => {
                has_parent = true;
                let file = Object::observable("file").with("name", text);
                parent.put("image_ref", file.id(out));
                others.push(file);
                "parent_ref.image_ref.name"
            }
            "child-pid" => {
                let child = Object::observable("process").with("pid", number);
                children.push(child.id(out));
                others.push(child);
                "child_refs[*].pid"
            }
            relation => {
                extra.push((relation, text));
                continue;
            }
        };
        if attribute.to_ids {
            parts.clauses.push((format!("process:{property}"), text.to_owned()));
        }
    }
    process.put("child_refs", children);
    if has_parent {
        process.put("parent_ref", parent.id(out));
        others.push(parent);
    }
    leave_over(&mut process, &extra);
    parts.observables.push(process);
    parts.observables.extend(others);
    Some(parts)
}

fn registry(value: &Value, name: &str, attributes: &[Attribute<'_>], all: &[&Value]) -> Parts {
    let mut parts = Parts::default();
    let mut key = Object::observable("windows-registry-key");
    let (mut extra, mut values, mut own) = (Vec::new(), Vec::new(), Map::new());
    for attribute in attributes {
        let text = attribute.value.as_ref();
        let property = match attribute.relation.as_ref() {
            "key" => {
                key.put("key", text);
                "key"
            }
            "last-modified" => {
                key.put("modified_time", dates::from_iso(text));
                "modified_time"
            }
            "name" | "data" | "data-type" => {
                let property = match attribute.relation.as_ref() {
                    "name" => "name",
                    "data" => "data",
                    _ => "data_type",
                };
                own.insert(property.into(), text.into());
                match property {
                    "name" => "values[0].name",
                    "data" => "values[0].data",
                    _ => "values[0].data_type",
                }
            }
            relation => {
                extra.push((relation, text));
                continue;
            }
        };
        if attribute.to_ids {
            parts.clauses.push((format!("windows-registry-key:{property}"), text.to_owned()));
        }
    }
    if !own.is_empty() {
        values.push(Value::Object(own));
    }
    if name == "registry-key" {
        for inner in referenced(value, "registry-key-value", all) {
            let mut members = Map::new();
            for attribute in list(inner, "Attribute").filter_map(Attribute::read) {
                members.insert(attribute.relation.replace('-', "_"), attribute.value.as_ref().into());
            }
            values.push(Value::Object(members));
        }
    }
    key.put("values", values);
    leave_over(&mut key, &extra);
    parts.observables.push(key);
    parts
}

/// Objects that name persons, places, rules and other things of the domain.
fn domain(value: &Value, name: &str, attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let one = |relation: &str| attributes.iter().find(|attribute| attribute.relation == relation).map(|attribute| attribute.value.as_ref());
    let every = |relation: &str| -> Vec<&str> { attributes.iter().filter(|attribute| attribute.relation == relation).map(|attribute| attribute.value.as_ref()).collect() };
    let id = |object_type: &str| id_of(value, object_type, out);
    let rule = match name {
        "yara" | "sigma" | "suricata" => Some((name, match name { "yara" => "yara", "sigma" => "sigma", _ => "suricata" })),
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
            let reached: Vec<String> = ["address", "e-mail", "email-address", "fax-number", "phone-number", "link", "website"]
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
            (object, &["first-name", "middle-name", "last-name", "full-name", "name", "text", "description", "role", "employee-type", "business", "address", "e-mail", "email-address", "fax-number", "phone-number", "link", "website"])
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
            (object, &["latitude", "longitude", "accuracy-radius", "region", "countrycode", "city", "address", "zipcode", "text"])
        }
        "vulnerability" => {
            let name = one("id").or(one("name")).unwrap_or("unnamed vulnerability");
            let mut references = vec![json!({ "source_name": "cve", "external_id": name })];
            references.extend(every("references").into_iter().map(|url| json!({ "source_name": "url", "url": url })));
            let object = Object::domain("vulnerability", id("vulnerability")).with("name", name).with("description", one("summary").or(one("description"))).with("external_references", references);
            (object, &["id", "name", "summary", "description", "references"])
        }
        "attack-pattern" => {
            let reference = one("id").map(|id| json!([{ "source_name": "capec", "external_id": format!("CAPEC-{}", id.trim_start_matches("CAPEC-")) }]));
            let object = Object::domain("attack-pattern", id("attack-pattern")).with("name", one("name")?).with("description", one("summary")).with("external_references", reference);
            (object, &["id", "name", "summary"])
        }
        "course-of-action" => (Object::domain("course-of-action", id("course-of-action")).with("name", one("name")?).with("description", one("description")), &["name", "description"]),
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
            (object, &["name", "description", "aliases", "goals", "resource_level", "primary-motivation", "secondary-motivation", "first_seen", "last_seen"])
        }
        "annotation" => {
            let about: Vec<String> = list(value, "ObjectReference").filter_map(|reference| text(reference, "referenced_uuid")).map(|uuid| format!("observed-data--{uuid}")).collect();
            if about.is_empty() {
                return None;
            }
            (Object::domain("note", id("note")).with("content", one("text")?).with("object_refs", about), &["text"])
        }
        _ => return None,
    };
    let extra: Vec<(&str, &str)> = attributes.iter().filter(|attribute| !used.contains(&attribute.relation.as_ref()) && attribute.data.is_none()).map(|attribute| (attribute.relation.as_ref(), attribute.value.as_ref())).collect();
    leave_over(&mut object, &extra);
    Some(Parts { domain: Some(object), ..Parts::default() })
}

/// A template nobody has an object for keeps its attributes as they are.
fn unknown(value: &Value, name: &str, attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Object {
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
