//! Network traffic: addresses, ports and names of attributes and objects.

use super::attribute::Attribute;
use super::event::Parts;
use crate::object::Object;
use crate::record::Out;
use crate::typing::ip_type;
use serde_json::{Map, Value, json};

/// An address as the observable it is.
pub(super) fn address(value: &str) -> Object {
    let plain = value.split('/').next().unwrap_or_default();
    Object::value(ip_type(plain).unwrap_or("ipv4-addr"), value)
}

/// `ip-src`, `ip-dst`, with or without port, and `hostname|port`.
pub(super) fn attribute(kind: &str, value: &str, out: &Out<'_, '_>) -> (Vec<(String, String)>, Vec<Object>) {
    let (host, port) = value.split_once('|').unwrap_or((value, ""));
    let side = if kind.starts_with("ip-src") { "src" } else { "dst" };
    let mut clauses = Vec::new();
    let end = if kind == "hostname|port" {
        clauses.push(("domain-name:value".to_owned(), host.to_owned()));
        Object::value("domain-name", host)
    } else {
        let end = address(host);
        clauses.extend(reference(side, &end, host));
        end
    };
    let mut traffic = Object::observable("network-traffic")
        .with("protocols", json!(["tcp"]))
        .with(format!("{side}_ref"), end.id(out));
    if !port.is_empty() {
        clauses.push((format!("network-traffic:{side}_port"), port.to_owned()));
        traffic.put(format!("{side}_port"), port.parse::<u16>().ok());
    }
    (clauses, vec![traffic, end])
}

fn reference(side: &str, end: &Object, value: &str) -> [(String, String); 2] {
    let object_type = end.get("type").and_then(Value::as_str).unwrap_or_default();
    [
        (format!("network-traffic:{side}_ref.type"), object_type.to_owned()),
        (format!("network-traffic:{side}_ref.value"), value.to_owned()),
    ]
}

/// `ip-port`, `network-connection`, `network-socket`, `http-request`; `None` when no end is known.
pub(super) fn object(name: &str, attributes: &[Attribute<'_>], out: &Out<'_, '_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut traffic = Object::observable("network-traffic");
    let mut ends = Vec::new();
    let (mut protocols, mut request, mut header, mut socket) = (Vec::new(), Map::new(), Map::new(), Map::new());
    let mut extra: Vec<(&str, &str)> = Vec::new();
    let mut resolved = None;
    for attribute in attributes {
        let (relation, value) = (attribute.relation.as_ref(), attribute.value.as_ref());
        let mut clauses = Vec::new();
        match relation {
            "ip" | "ip-dst" | "ip-src" => {
                let side = if relation == "ip-src" { "src" } else { "dst" };
                let end = address(value);
                clauses.extend(reference(side, &end, value));
                if traffic.get(&format!("{side}_ref")).is_none() {
                    let id = end.id(out);
                    if side == "dst" {
                        resolved = Some(id.clone());
                    }
                    traffic.put(format!("{side}_ref"), id);
                }
                ends.push(end);
            }
            "domain" | "hostname" | "hostname-dst" | "hostname-src" | "host" => {
                let side = if relation == "hostname-src" { "src" } else { "dst" };
                clauses.extend(reference(side, &Object::value("domain-name", value), value));
                match (name, relation) {
                    ("http-request", _) => ends.push(Object::value("domain-name", value)),
                    _ => extra.push((relation, value)),
                }
            }
            "dst-port" | "src-port" => {
                let property = relation.replace('-', "_");
                clauses.push((format!("network-traffic:{property}"), value.to_owned()));
                traffic.put(property, value.parse::<u16>().ok());
            }
            "layer3-protocol" | "layer4-protocol" | "layer7-protocol" | "protocol" => {
                protocols.push(value.to_lowercase())
            }
            "first-seen" | "first-packet-seen" => traffic.put("start", crate::dates::from_iso(value)),
            "last-seen" => traffic.put("end", crate::dates::from_iso(value)),
            "method" => {
                request.insert("request_method".into(), value.into());
            }
            "uri" | "url" if name == "http-request" => {
                clauses
                    .push(("network-traffic:extensions.'http-request-ext'.request_value".to_owned(), value.to_owned()));
                match request.contains_key("request_value") {
                    true => extra.push((relation, value)),
                    false => {
                        request.insert("request_value".into(), value.into());
                    }
                }
            }
            "user-agent" | "content-type" | "cookie" | "referer" if name == "http-request" => {
                let field = match relation {
                    "user-agent" => "User-Agent",
                    "content-type" => "Content-Type",
                    "cookie" => "Cookie",
                    _ => "Referer",
                };
                clauses.push((
                    format!("network-traffic:extensions.'http-request-ext'.request_header.'{field}'"),
                    value.to_owned(),
                ));
                header.insert(field.into(), value.into());
            }
            "address-family" | "socket-type" => {
                socket.insert(relation.replace('-', "_"), value.into());
            }
            _ => extra.push((relation, value)),
        }
        if attribute.to_ids {
            parts.clauses.extend(clauses);
        }
    }
    if traffic.get("src_ref").is_none() && traffic.get("dst_ref").is_none() {
        let first = ends.iter().find(|end| end.get("type").is_some_and(|kind| kind == "domain-name"))?;
        traffic.put("dst_ref", first.id(out));
    }
    let default = match name {
        "ip-port" | "ip|port" => vec![
            ends.first()
                .and_then(|end| end.get("type"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim_end_matches("-addr")
                .to_owned(),
        ],
        "http-request" => vec!["tcp".to_owned(), "http".to_owned()],
        _ => vec!["tcp".to_owned()],
    };
    traffic.put("protocols", if protocols.is_empty() { default } else { protocols });
    if !header.is_empty() {
        request.insert("request_header".into(), Value::Object(header));
    }
    let mut extensions = Map::new();
    if !request.is_empty() {
        extensions.insert("http-request-ext".into(), Value::Object(request));
    }
    if !socket.is_empty() {
        extensions.insert("socket-ext".into(), Value::Object(socket));
    }
    traffic.put("extensions", Value::Object(extensions));
    super::object::leave_over(&mut traffic, &extra);
    if let Some(resolved) = resolved {
        for end in ends.iter_mut().filter(|end| end.get("type").is_some_and(|kind| kind == "domain-name")) {
            end.put("resolves_to_refs", json!([resolved]));
        }
    }
    parts.observables.push(traffic);
    parts.observables.extend(ends);
    Some(parts)
}
