//! Attributes that stand alone in an event.

use super::event::Parts;
use super::pattern::{fault, for_detection, hash_name, path};
use super::text;
use super::traffic::address;
use crate::fault::Fault;
use crate::object::Object;
use crate::record::Out;
use crate::typing::wallet_value;
use serde_json::{Value, json};
use std::borrow::Cow;

/// An attribute as MISP has it.
#[derive(Debug, Clone)]
pub(super) struct Attribute<'v> {
    pub kind: Cow<'v, str>,
    pub relation: Cow<'v, str>,
    pub value: Cow<'v, str>,
    pub to_ids: bool,
    pub data: Option<Cow<'v, str>>,
    pub comment: Option<Cow<'v, str>>,
    pub category: Option<Cow<'v, str>>,
    pub raw: &'v Value,
}

impl<'v> Attribute<'v> {
    pub fn read(raw: &'v Value) -> Option<Self> {
        let relation = text(raw, "object_relation").unwrap_or_default();
        let kind = text(raw, "type").or_else(|| (!relation.is_empty()).then(|| "text".into()))?;
        let to_ids = match raw.get("to_ids") {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(word)) => !matches!(word.as_str(), "" | "0" | "false" | "False"),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => for_detection(&kind),
        };
        Some(Self {
            value: text(raw, "value")?,
            data: text(raw, "data").map(base64_only),
            comment: text(raw, "comment").filter(|comment| !comment.is_empty()),
            category: text(raw, "category"),
            kind,
            relation,
            to_ids,
            raw,
        })
    }

    pub fn fault(&self) -> Option<Fault> {
        fault(&self.kind, &self.value)
    }
}

/// Base64 without what does not belong to it (line ends, stray quotes).
fn base64_only(data: Cow<'_, str>) -> Cow<'_, str> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if data.chars().all(good) { data } else { data.chars().filter(|c| good(*c)).collect::<String>().into() }
}

/// `first|second`, the second empty where there is no bar.
fn halves(value: &str) -> (&str, &str) {
    value.split_once('|').unwrap_or((value, ""))
}

/// What MISP calls a value is ours to type where STIX and MISP's converter have no observable.
pub(super) fn ours(attribute: &Attribute<'_>, out: &Out<'_, '_>) -> Option<Object> {
    let value = attribute.value.trim();
    let keyed = |object_type: &str, property: &'static str| {
        let id = out.options.ids.id(object_type, &["selector", value]);
        Object::observable(object_type).with("id", id).with(property, value)
    };
    Some(match attribute.kind.as_ref() {
        "btc" | "xmr" | "dash" => Object::value("cryptocurrency-wallet", &wallet_value(value)),
        "phone-number" | "whois-registrant-phone" => keyed("phone-number", "value"),
        "iban" => keyed("bank-account", "iban"),
        "bank-account-nr" => keyed("bank-account", "account_number"),
        "cc-number" => keyed("payment-card", "value"),
        "passport-number" => keyed("identity-document", "value").with("document_type", "passport"),
        _ => return None,
    })
}

pub(super) fn parts(attribute: &Attribute<'_>, out: &Out<'_, '_>) -> Parts {
    let mut parts = Parts::default();
    let value = attribute.value.as_ref();
    if let Some(object) = ours(attribute, out) {
        parts.ours.push(object);
        return parts;
    }
    let kind = attribute.kind.as_ref();
    if let Some(name) = hash_name(kind) {
        parts.clauses.push((path("file", &format!("hashes.{name}")), value.to_owned()));
        parts.observables.push(Object::observable("file").with("hashes", json!({ name: value })));
        return parts;
    }
    if let Some(name) = kind.strip_prefix("filename|").and_then(hash_name) {
        let (file, hash) = halves(value);
        parts.clauses.push(("file:name".to_owned(), file.to_owned()));
        parts.clauses.push((path("file", &format!("hashes.{name}")), hash.to_owned()));
        parts.observables.push(Object::observable("file").with("name", file).with("hashes", json!({ name: hash })));
        return parts;
    }
    if let Some(name) = kind.strip_prefix("x509-fingerprint-").and_then(hash_name) {
        parts.clauses.push((path("x509-certificate", &format!("hashes.{name}")), value.to_owned()));
        parts.observables.push(Object::observable("x509-certificate").with("hashes", json!({ name: value })));
        return parts;
    }
    if let Some((property, spelled)) = mail_property(kind) {
        parts.clauses.push((format!("email-message:{spelled}"), value.to_owned()));
        parts.observables.extend(mail(property, value, out));
        return parts;
    }
    let simple = |object_type: &'static str, property: &'static str| {
        (
            vec![(path(object_type, property), value.to_owned())],
            vec![Object::observable(object_type).with(property, value)],
        )
    };
    let (clauses, observables) = match kind {
        "domain" | "hostname" => simple("domain-name", "value"),
        "email" => simple("email-addr", "value"),
        "filename" => simple("file", "name"),
        "mutex" => simple("mutex", "name"),
        "regkey" => simple("windows-registry-key", "key"),
        "url" | "uri" | "link" => simple("url", "value"),
        "mac-address" => {
            let mac = value.trim_matches(['\'', '"']).to_ascii_lowercase();
            (vec![("mac-addr:value".to_owned(), mac.clone())], vec![Object::value("mac-addr", &mac)])
        }
        "AS" => {
            let number: u64 = value.trim_start_matches("AS").parse().unwrap_or_default();
            (
                vec![("autonomous-system:number".to_owned(), number.to_string())],
                vec![Object::observable("autonomous-system").with("number", number)],
            )
        }
        "github-username" => (
            vec![
                ("user-account:account_type".to_owned(), "github".to_owned()),
                ("user-account:account_login".to_owned(), value.to_owned()),
            ],
            vec![Object::observable("user-account").with("account_type", "github").with("account_login", value)],
        ),
        "regkey|value" => {
            let (key, data) = halves(value);
            (
                vec![
                    ("windows-registry-key:key".to_owned(), key.to_owned()),
                    ("windows-registry-key:values.data".to_owned(), data.to_owned()),
                ],
                vec![
                    Object::observable("windows-registry-key")
                        .with("key", key)
                        .with("values", json!([{ "data": data }])),
                ],
            )
        }
        "domain|ip" => {
            let (domain, ip) = halves(value);
            let ip_object = address(ip);
            let resolved = ip_object.id(out);
            (
                vec![
                    ("domain-name:value".to_owned(), domain.to_owned()),
                    ("domain-name:resolves_to_refs[*].value".to_owned(), ip.to_owned()),
                ],
                vec![Object::value("domain-name", domain).with("resolves_to_refs", json!([resolved])), ip_object],
            )
        }
        "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port" | "hostname|port" => {
            super::traffic::attribute(kind, value, out)
        }
        "attachment" => file_with(value, attribute, out, false),
        "malware-sample" => file_with(value, attribute, out, true),
        "user-agent" | "http-method" | "port" | "size-in-bytes" if attribute.to_ids => {
            let property = match kind {
                "user-agent" => "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
                "http-method" => "network-traffic:extensions.'http-request-ext'.request_method",
                "port" => "network-traffic:dst_port",
                _ => "file:size",
            };
            (vec![(property.to_owned(), value.to_owned())], Vec::new())
        }
        _ => {
            named(attribute, &mut parts, out);
            return parts;
        }
    };
    parts.clauses = clauses;
    parts.observables = observables;
    parts
}

/// Attributes that become domain objects, and those nobody has an object for.
fn named(attribute: &Attribute<'_>, parts: &mut Parts, out: &Out<'_, '_>) {
    let value = attribute.value.as_ref();
    let id = |object_type: &str| super::event::id_of(attribute.raw, object_type, out);
    match attribute.kind.as_ref() {
        "vulnerability" => {
            let reference = json!([{ "source_name": "cve", "external_id": value }]);
            parts.domain = Some(
                Object::domain("vulnerability", id("vulnerability"))
                    .with("name", value)
                    .with("external_references", reference),
            );
        }
        "campaign-name" => parts.domain = Some(Object::domain("campaign", id("campaign")).with("name", value)),
        "sigma" => parts.rule = Some((value.to_owned(), "sigma")),
        "snort" => parts.rule = Some((value.to_owned(), "snort")),
        "suricata" => parts.rule = Some((value.to_owned(), "suricata")),
        "yara" => parts.rule = Some((value.to_owned(), "yara")),
        "stix2-pattern" => parts.rule = Some((value.to_owned(), "stix")),
        kind => {
            parts.domain = Some(
                Object::domain("x-misp-attribute", id("x-misp-attribute"))
                    .with("x_misp_type", kind)
                    .with("x_misp_value", value)
                    .with("x_misp_category", attribute.category.as_deref())
                    .with("x_misp_comment", attribute.comment.as_deref()),
            );
        }
    }
}

/// MISP's mail types: which property, and how a pattern spells it.
fn mail_property(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "email-src" => ("from_ref", "from_ref.value"),
        "email-dst" => ("to_refs", "to_refs[*].value"),
        "email-subject" => ("subject", "subject"),
        "email-body" => ("body", "body"),
        "email-message-id" => ("message_id", "message_id"),
        "email-header" => ("received_lines", "received_lines"),
        "email-reply-to" => ("Reply-To", "additional_header_fields.reply_to"),
        "email-x-mailer" => ("X-Mailer", "additional_header_fields.x_mailer"),
        "email-attachment" => ("body_multipart", "body_multipart[*].body_raw_ref.name"),
        _ => return None,
    })
}

fn mail(property: &'static str, value: &str, out: &Out<'_, '_>) -> Vec<Object> {
    let message = Object::observable("email-message").with("is_multipart", property == "body_multipart");
    let about = Object::value(if property == "body_multipart" { "file" } else { "email-addr" }, value);
    match property {
        "from_ref" => vec![message.with("from_ref", about.id(out)), about],
        "to_refs" => vec![message.with("to_refs", json!([about.id(out)])), about],
        "received_lines" => vec![message.with("received_lines", json!([value]))],
        "Reply-To" | "X-Mailer" => {
            vec![message.with("additional_header_fields", json!({ property: value }))]
        }
        "body_multipart" => {
            let file = Object::observable("file").with("name", value);
            let part = json!([{ "body_raw_ref": file.id(out), "content_disposition": format!("attachment; filename='{value}'") }]);
            vec![message.with("body_multipart", part), file]
        }
        other => vec![message.with(other, value)],
    }
}

/// How MISP packs a sample: a zip with a known password.
pub(super) const SAMPLE: [(&str, &str); 3] =
    [("mime_type", "application/zip"), ("encryption_algorithm", "mime-type-indicated"), ("decryption_key", "infected")];

/// A file whose bytes MISP holds as base64.
fn file_with(
    value: &str,
    attribute: &Attribute<'_>,
    out: &Out<'_, '_>,
    sample: bool,
) -> (Vec<(String, String)>, Vec<Object>) {
    let (name, hash) = if sample { halves(value) } else { (value, "") };
    let mut clauses = vec![("file:name".to_owned(), name.to_owned())];
    let mut file = Object::observable("file").with("name", name);
    if !hash.is_empty() {
        clauses.push(("file:hashes.MD5".to_owned(), hash.to_owned()));
        file.put("hashes", json!({ "MD5": hash }));
    }
    let Some(data) = &attribute.data else {
        return (clauses, vec![file]);
    };
    clauses.push(("file:content_ref.payload_bin".to_owned(), data.to_string()));
    let mut artifact = Object::observable("artifact").with("payload_bin", data.as_ref());
    if sample {
        for (property, value) in SAMPLE {
            artifact.put(property, value);
            clauses.push((format!("file:content_ref.{property}"), value.to_owned()));
        }
    }
    let file = file.with("content_ref", artifact.id(out));
    (clauses, vec![file, artifact])
}
