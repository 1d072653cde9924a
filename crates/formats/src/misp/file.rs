//! Files: `file`, `pe` with its sections, `image`, samples.

use super::attribute::{Attribute, SAMPLE};
use super::event::Parts;
use super::list;
use super::object::{leave_over, place, referenced};
use super::pattern::{hash_name, path};
use crate::dates;
use crate::object::Object;
use crate::record::Out;
use serde_json::{Map, Value, json};

pub(super) fn file(
    value: &Value,
    name: &str,
    attributes: &[Attribute<'_>],
    all: &[&Value],
    out: &Out<'_, '_>,
) -> Option<Parts> {
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
        let mut object =
            Object::observable("artifact").with("payload_bin", data.as_ref()).with("x_misp_filename", name);
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
    clauses
        .extend(SAMPLE.iter().map(|(property, value)| (format!("file:content_ref.{property}"), (*value).to_owned())));
    (artifact, clauses)
}

/// `windows-pebinary-ext` of a `pe` object and its sections.
fn portable_executable(
    value: &Value,
    attributes: &[Attribute<'_>],
    all: &[&Value],
    clauses: &mut Vec<(String, String)>,
) -> Value {
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

pub(super) fn image(attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
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
                let artifact = Object::observable("artifact")
                    .with("payload_bin", attribute.data.as_deref())
                    .with("mime_type", mime)
                    .with("x_misp_filename", text);
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
