//! Selectors of a STIX object: typed fields first, then patterns, then every free text.
//!
//! What is left out: ids and references, timestamps, markings, granular markings, vocabulary properties, names and
//! keys of extensions, and `external_references`, because a citation is where somebody read it and no selector of
//! anybody; only a reference whose `source_name` says that it is evidence (`evidence`, `capture`, `screenshot`,
//! `archive`, `urlscan`) gives its URL. In texts, URLs of public catalogues (ATT&CK, CVE, ...) are citations as well.

use crate::net::{host, web};
use crate::scan::scan_with;
use crate::{Flags, Found, Hints, Kind, MAX_FOUND, normalise, pattern, place, wallet};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Deepest nesting that is walked; deeper values are not read.
const MAX_DEPTH: usize = 32;

/// All selectors of a whole STIX object, each once (the strongest reading), typed fields first. At most [`MAX_FOUND`].
/// Spans of typed fields are empty; spans of texts are within their own property.
///
/// ```
/// use selectors::{of_object, Hints, Kind};
/// let object = serde_json::json!({"type": "domain-name", "id": "domain-name--x", "value": "Shop.Example"});
/// let found = of_object(&object, &Hints::default());
/// assert_eq!((found[0].kind, found[0].value.as_str()), (Kind::Domain, "shop.example"));
/// ```
pub fn of_object(object: &Value, hints: &Hints<'_>) -> Vec<Found> {
    let mut reader = Reader { hints, out: Vec::new() };
    if let Value::Object(map) = object {
        reader.object(map, 0);
    }
    unique(reader.out)
}

struct Reader<'a> {
    hints: &'a Hints<'a>,
    out: Vec<Found>,
}

impl Reader<'_> {
    fn push(&mut self, found: Found) {
        if self.out.len() < MAX_FOUND {
            self.out.push(found.flag(Flags::TYPED));
        }
    }

    fn object(&mut self, map: &Map<String, Value>, depth: usize) {
        let kind = map.get("type").and_then(Value::as_str).unwrap_or("");
        let typed = self.typed_fields(kind, map);
        for (key, value) in map {
            if is_skipped(key) || typed.contains(&key.as_str()) {
                continue;
            }
            match (key.as_str(), value) {
                ("external_references", Value::Array(references)) => self.evidence(references),
                ("pattern", Value::String(text)) if kind == "indicator" => self.pattern(text, map),
                ("objects", Value::Object(objects)) if kind == "observed-data" => {
                    for inner in objects.values().filter_map(Value::as_object) {
                        self.object(inner, depth + 1);
                    }
                }
                _ => self.texts(value, depth + 1),
            }
        }
    }

    /// Every string below a value, as text.
    fn texts(&mut self, value: &Value, depth: usize) {
        if depth > MAX_DEPTH || self.out.len() >= MAX_FOUND {
            return;
        }
        match value {
            Value::String(text) => scan_with(text, self.hints, true, &mut self.out),
            Value::Array(values) => values.iter().for_each(|v| self.texts(v, depth + 1)),
            Value::Object(map) => {
                for (key, value) in map {
                    if !is_skipped(key) && key != "external_references" {
                        self.texts(value, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    /// Reads the fields whose meaning the type gives, and says which those are.
    fn typed_fields(&mut self, kind: &str, map: &Map<String, Value>) -> &'static [&'static str] {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        match kind {
            "relationship" | "attack-pattern" | "malware" | "sighting" => &[],
            "domain-name" => self.value(Kind::Domain, text("value")),
            "url" => self.value(Kind::Url, text("value")),
            "email-addr" => self.value(Kind::Email, text("value")),
            "ipv4-addr" => self.value(Kind::Ipv4, text("value")),
            "ipv6-addr" => self.value(Kind::Ipv6, text("value")),
            "mac-addr" => self.value(Kind::Mac, text("value")),
            "phone-number" => self.value(Kind::Phone, text("value")),
            "payment-card" => self.value(Kind::Card, text("value")),
            "cryptocurrency-transaction" => self.value(Kind::Transaction, text("value").or_else(|| text("hash"))),
            "cryptocurrency-wallet" => self.wallet(text("value").or_else(|| text("address"))),
            "bank-account" => {
                self.value(Kind::Iban, text("iban").or_else(|| text("iban_number")));
                self.value(Kind::BankAccount, text("account_number"));
                self.value(Kind::Bic, text("bic").or_else(|| text("swift")).or_else(|| text("swift_code")));
                &["iban", "iban_number", "account_number", "bic", "swift", "swift_code"]
            }
            "user-account" => self.account(text("account_type"), [text("account_login"), text("user_id")]),
            "location" => {
                let degrees = |key: &str| map.get(key).and_then(Value::as_f64);
                if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
                    place::read(latitude, longitude).into_iter().for_each(|f| self.push(f));
                }
                &[]
            }
            "file" | "artifact" | "x509-certificate" => {
                for (name, value) in map.get("hashes").and_then(Value::as_object).into_iter().flatten() {
                    if let Some(value) = value.as_str() {
                        self.hash(name, value);
                    }
                }
                if kind == "artifact" {
                    self.value(Kind::Url, text("url"));
                }
                &["hashes", "name", "url", "payload_bin", "serial_number", "issuer", "signature_algorithm"]
            }
            _ => &[],
        }
    }

    /// A typed value; with a URL or host come its domains, with a link its account.
    fn value(&mut self, kind: Kind, raw: Option<&str>) -> &'static [&'static str] {
        const VALUE: &[&str] = &["value", "hash"];
        let Some(raw) = raw else { return VALUE };
        match normalise(kind, raw, self.hints) {
            Ok(found) => {
                let plain = crate::refang(raw);
                self.push(found);
                match kind {
                    Kind::Url => {
                        for found in
                            web::read(plain.trim()).into_iter().flat_map(|w| w.leads.into_iter().chain(w.hosts))
                        {
                            self.push(found);
                        }
                    }
                    Kind::Domain => {
                        let host = host::read(plain.trim());
                        for found in host.iter().filter(|h| h.known).flat_map(|h| h.domains()) {
                            self.push(found);
                        }
                    }
                    _ => {}
                }
            }
            // A value in the wrong field is still what it is.
            Err(_) => scan_with(raw, self.hints, false, &mut self.out),
        }
        VALUE
    }

    fn wallet(&mut self, raw: Option<&str>) -> &'static [&'static str] {
        if let Some(found) = raw.and_then(wallet::read_any) {
            self.push(found);
        }
        &["value", "address", "currency", "symbol"]
    }

    fn account(&mut self, platform: Option<&str>, names: [Option<&str>; 2]) -> &'static [&'static str] {
        let kind = platform.and_then(Kind::parse).filter(|k| k.is_handle());
        for name in names.into_iter().flatten() {
            match kind.and_then(|kind| normalise(kind, name, self.hints).ok()) {
                Some(found) => self.push(found),
                None => scan_with(name, self.hints, false, &mut self.out),
            }
        }
        &["account_login", "user_id", "account_type", "credential"]
    }

    fn hash(&mut self, name: &str, value: &str) {
        let named = Kind::parse(name).filter(|k| k.is_hash());
        let found = match named {
            Some(kind) => normalise(kind, value, self.hints).ok().or_else(|| {
                Some(Found::never(kind, value.to_ascii_lowercase(), "not of the length or alphabet its name says"))
                    .filter(|_| value.len() <= 256)
            }),
            None => None,
        };
        found.into_iter().for_each(|f| self.push(f));
    }

    fn evidence(&mut self, references: &[Value]) {
        const EVIDENCE: [&str; 5] = ["evidence", "capture", "screenshot", "archive", "urlscan"];
        for reference in references {
            let Some(url) = reference.get("url").and_then(Value::as_str) else {
                continue;
            };
            let source = reference.get("source_name").and_then(Value::as_str).unwrap_or("");
            if EVIDENCE.iter().any(|word| source.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
            {
                self.value(Kind::Url, Some(url));
            }
        }
    }

    fn pattern(&mut self, text: &str, map: &Map<String, Value>) {
        if map.get("pattern_type").and_then(Value::as_str).is_some_and(|t| t != "stix") {
            scan_with(text, self.hints, true, &mut self.out);
            return;
        }
        pattern::comparisons(text, |kind, path, value| self.comparison(kind, path, value));
    }

    fn comparison(&mut self, kind: &str, path: &str, value: &str) {
        if self.out.len() >= MAX_FOUND {
            return;
        }
        if let Some(name) = path.strip_prefix("hashes.").or_else(|| path.split_once(".hashes.").map(|(_, name)| name)) {
            return self.hash(name, value);
        }
        let by_path = match (kind, path) {
            ("domain-name", "value") => Some(Kind::Domain),
            ("url", "value") => Some(Kind::Url),
            ("ipv4-addr", "value") => Some(Kind::Ipv4),
            ("ipv6-addr", "value") => Some(Kind::Ipv6),
            ("mac-addr", "value") => Some(Kind::Mac),
            ("email-addr", "value") | ("email-message", "from_ref.value" | "sender_ref.value") => Some(Kind::Email),
            ("phone-number", "value") => Some(Kind::Phone),
            ("payment-card", "value") => Some(Kind::Card),
            ("bank-account", "iban") => Some(Kind::Iban),
            ("bank-account", "account_number") => Some(Kind::BankAccount),
            ("cryptocurrency-transaction", "value") => Some(Kind::Transaction),
            _ => None,
        };
        match (kind, by_path) {
            (_, Some(by_path)) => {
                self.value(by_path, Some(value));
            }
            ("cryptocurrency-wallet", _) => {
                self.wallet(Some(value));
            }
            // Names and paths of files, registry keys and processes are no selectors.
            ("file" | "directory" | "process" | "windows-registry-key" | "mutex" | "software", _) => {}
            _ => scan_with(value, self.hints, true, &mut self.out),
        }
    }
}

/// Properties that hold no identifier of anybody.
fn is_skipped(key: &str) -> bool {
    matches!(
        key,
        "type"
            | "id"
            | "spec_version"
            | "created"
            | "modified"
            | "revoked"
            | "confidence"
            | "lang"
            | "labels"
            | "relationship_type"
            | "pattern_type"
            | "pattern_version"
            | "valid_from"
            | "valid_until"
            | "first_seen"
            | "last_seen"
            | "first_observed"
            | "last_observed"
            | "published"
            | "kill_chain_phases"
            | "granular_markings"
            | "extension_type"
            | "definition"
            | "definition_type"
            | "identity_class"
            | "sectors"
            | "x_mitre_attack_spec_version"
            | "x_mitre_version"
            | "x_mitre_domains"
            | "x_mitre_platforms"
            | "x_mitre_contributors"
            | "x_mitre_first_seen_citation"
            | "x_mitre_last_seen_citation"
            | "x_mitre_shortname"
    ) || key.ends_with("_ref")
        || key.ends_with("_refs")
        || key.ends_with("_types")
        || key.ends_with("_time")
}

/// Each kind and value once, the strongest reading, at the place of its first.
fn unique(found: Vec<Found>) -> Vec<Found> {
    if found.len() < 2 {
        return found;
    }
    let mut places: HashMap<(Kind, String), usize> = HashMap::with_capacity(found.len());
    let mut out: Vec<Found> = Vec::with_capacity(found.len());
    for f in found {
        match places.entry((f.kind, f.value.clone())) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(out.len());
                out.push(f);
            }
            std::collections::hash_map::Entry::Occupied(entry) => {
                if let Some(earlier) = out.get_mut(*entry.get())
                    && earlier.strength < f.strength
                {
                    *earlier = f;
                }
            }
        }
    }
    out
}
