//! What a machine shows: mail, processes, registry keys.

use super::attribute::Attribute;
use super::event::Parts;
use super::list;
use super::object::{leave_over, referenced};
use crate::dates;
use crate::object::Object;
use crate::record::Out;
use serde_json::{Map, Value, json};

pub(super) fn email(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut message = Object::observable("email-message");
    let (mut extra, mut others, mut headers, mut multipart) = (Vec::new(), Vec::new(), Map::new(), Vec::new());
    let named = |side: &str| -> Vec<&str> {
        attributes
            .iter()
            .filter(|attribute| attribute.relation == format!("{side}-display-name"))
            .map(|attribute| attribute.value.as_ref())
            .collect()
    };
    for side in ["to", "cc", "bcc", "from"] {
        let addressed: Vec<&Attribute<'_>> = attributes.iter().filter(|attribute| attribute.relation == side).collect();
        let names = named(side);
        let paired = names.len() == addressed.len()
            && addressed.iter().zip(&names).all(|(attribute, name)| fits(&attribute.value, name));
        let mut refs = Vec::new();
        for (number, attribute) in addressed.iter().enumerate() {
            let name = paired.then(|| names.get(number).copied()).flatten();
            let address = Object::value("email-addr", &attribute.value).with("display_name", name);
            refs.push(address.id(out));
            others.push(address);
            if attribute.to_ids {
                let property = if side == "from" {
                    "email-message:from_ref.value".to_owned()
                } else {
                    format!("email-message:{side}_refs[{number}].value")
                };
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
            _ => message.put(format!("{side}_refs"), refs),
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
                    parts
                        .clauses
                        .push((format!("email-message:body_multipart[{number}].body_raw_ref.name"), text.to_owned()));
                    parts
                        .clauses
                        .push((format!("email-message:body_multipart[{number}].content_disposition"), kind.to_owned()));
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
    let words: Vec<String> = name
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 1)
        .map(str::to_owned)
        .collect();
    let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
    words.iter().any(|word| local.contains(word.as_str())) || local == initials
}

pub(super) fn process(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
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

pub(super) fn registry(value: &Value, name: &str, attributes: &[Attribute<'_>], all: &[&Value]) -> Parts {
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
