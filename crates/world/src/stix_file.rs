//! A police service's reports as STIX 2.1. Each report is a `report` that refers to an `incident`, adverts (`lure`) and
//! the observables it names; intelligence reports add the syndicate, its compounds and recruiters.

use crate::cast::{Agency, Kind, Selector};
use crate::prng::Rng;
use crate::story::{Mention, Report, Shape, Told};
use crate::text;
use crate::wallets::Coin;
use crate::words;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Namespace of deterministic ids: STIX 2.1 section 2.9.
const SCO_NAMESPACE: Uuid = Uuid::from_u128(0x00abedb4_aa42_466c_9c01_fed23315a9b7);
/// `labels` on an observable, which STIX has on domain objects only; so that every object says EXERCISE.
const EXERCISE: &str = "extension-definition--c85bceac-8a51-4851-9fb0-6ba03c44f600";
/// The `lure` of the type table in the design.
const LURE: &str = "extension-definition--7c1e9c4e-0f3b-4a86-9b0b-6f1d0a9a52c7";
const WALLET: &str = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7";
const TRANSACTION: &str = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5";
const PHONE: &str = "extension-definition--14a97ee2-e666-5ada-a6bd-b7177f79e211";
const ACCOUNT: &str = "extension-definition--f19f3291-6a84-5674-b311-d75a925d5bd9";
const INCIDENT: &str = "extension-definition--ef765651-680c-498d-9894-99799f2fa126";
const TLP_2: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// Who publishes the two extension definitions of the world.
const AUTHOR: &str = "identity--99ccbcae-1632-4c88-b3cd-fbdc5c096efb";
const AUTHORED: &str = "2025-01-01T00:00:00.000Z";

/// TLP 2.0: name, id, how many of ten reports carry it.
const TLP: [(&str, &str, u64); 3] = [
    ("clear", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", 2),
    ("green", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", 4),
    ("amber", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", 4),
];

/// One object of a file.
pub(crate) struct Object {
    pub(crate) id: String,
    pub(crate) body: String,
    /// The id follows from the value, so other reports may hold the same object.
    pub(crate) shared: bool,
}

impl Object {
    fn of(value: &Value, shared: bool) -> Self {
        let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { id, body: value.to_string(), shared }
    }
}

/// RFC 3339 with milliseconds, as STIX writes a timestamp.
pub(crate) fn timestamp(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// What stands at the head of a file: markings, the two extension definitions with their author, the agency.
pub(crate) fn head(agencies: &[&Agency]) -> Vec<Object> {
    let mut out: Vec<Object> = TLP
        .iter()
        .map(|(name, id, _)| {
            // Byte for byte what FIRST publishes in meaning; these are not the world's, so they carry no label.
            json!({
                "type": "marking-definition", "spec_version": "2.1", "id": id,
                "created": "2022-10-01T00:00:00.000Z", "name": format!("TLP:{}", name.to_ascii_uppercase()),
                "extensions": { TLP_2: { "extension_type": "property-extension", "tlp_2_0": name } },
            })
        })
        .map(|value| Object::of(&value, true))
        .collect();
    let author = json!({
        "type": "identity", "spec_version": "2.1", "id": AUTHOR, "created": AUTHORED, "modified": AUTHORED,
        "name": "EXERCISE world", "description": "EXERCISE: the author of the exercise world's extensions.",
        "identity_class": "system", "labels": ["exercise"],
    });
    let definition = |id: &str, name: &str, about: &str, kind: &str, properties: Option<[&str; 1]>| {
        let mut value = json!({
            "type": "extension-definition", "spec_version": "2.1", "id": id, "created_by_ref": AUTHOR,
            "created": AUTHORED, "modified": AUTHORED, "name": name, "description": about,
            "schema": format!("https://compound-eye.example/schemas/{name}.json"), "version": "1.0.0",
            "extension_types": [kind], "labels": ["exercise"],
        });
        if let (Some(properties), Some(map)) = (properties, value.as_object_mut()) {
            map.insert("extension_properties".to_owned(), json!(properties));
        }
        value
    };
    out.push(Object::of(&author, true));
    let lure = "EXERCISE: an advert, message or call script by which people are lured.";
    out.push(Object::of(&definition(LURE, "lure", lure, "new-sco", None), true));
    let about = "EXERCISE: labels on observables, so that every object says it belongs to an exercise.";
    let labels = definition(EXERCISE, "exercise-labels", about, "toplevel-property-extension", Some(["labels"]));
    out.push(Object::of(&labels, true));
    out.extend(agencies.iter().map(|agency| {
        let value = json!({
            "type": "identity", "spec_version": "2.1", "id": agency.identity, "created": AUTHORED,
            "modified": AUTHORED, "name": agency.name, "identity_class": "organization",
            "description": format!("EXERCISE agency of a country that does not exist ({}).", agency.code),
            "labels": ["exercise"],
        });
        Object::of(&value, true)
    }));
    out
}

/// Builds the objects of one report.
struct Writer<'a> {
    agency: &'a Agency,
    when: String,
    marking: &'static str,
    rng: Rng,
    out: Vec<Object>,
    refs: Vec<String>,
}

impl Writer<'_> {
    fn id(&mut self, kind: &str) -> String {
        format!("{kind}--{}", self.rng.uuid())
    }

    /// Adds a domain or relationship object whose own members are `more`, and gives its id.
    fn domain(&mut self, id: String, more: Value) -> String {
        let kind = id.split_once("--").map(|(kind, _)| kind).unwrap_or_default();
        let mut map = Map::new();
        let base = json!({
            "type": kind, "spec_version": "2.1", "id": id, "created_by_ref": self.agency.identity,
            "created": self.when, "modified": self.when,
        });
        extend(&mut map, base);
        extend(&mut map, more);
        extend(&mut map, json!({ "labels": ["exercise"], "object_marking_refs": [self.marking] }));
        self.out.push(Object::of(&Value::Object(map), false));
        self.refs.push(id.clone());
        id
    }

    fn relate(&mut self, from: &str, how: &str, to: &str) {
        let id = self.id("relationship");
        let more = json!({
            "relationship_type": how, "description": "EXERCISE", "source_ref": from, "target_ref": to,
        });
        self.domain(id, more);
    }

    /// Adds an observable. With `key`, its id follows from those members; else it is random and carries the marking.
    fn observable(&mut self, kind: &str, key: Option<Value>, extension: Option<&str>, more: Value) -> String {
        let id = match &key {
            Some(key) => format!("{kind}--{}", Uuid::new_v5(&SCO_NAMESPACE, key.to_string().as_bytes())),
            None => self.id(kind),
        };
        let mut extensions = Map::new();
        if let Some(extension) = extension {
            extensions.insert(extension.to_owned(), json!({ "extension_type": "new-sco" }));
        }
        extensions.insert(EXERCISE.to_owned(), json!({ "extension_type": "toplevel-property-extension" }));
        let mut map = Map::new();
        extend(&mut map, json!({ "type": kind, "spec_version": "2.1", "id": id }));
        extend(&mut map, more);
        extend(&mut map, json!({ "labels": ["exercise"], "extensions": extensions }));
        if key.is_none() {
            extend(&mut map, json!({ "object_marking_refs": [self.marking] }));
        }
        if !self.refs.contains(&id) {
            self.out.push(Object::of(&Value::Object(map), key.is_some()));
            self.refs.push(id.clone());
        }
        id
    }

    /// The observable of a selector.
    fn selector(&mut self, selector: &Selector) -> String {
        let value = &selector.value;
        let one = json!({ "value": value });
        match selector.kind {
            Kind::Phone => self.observable("phone-number", None, Some(PHONE), one),
            Kind::Email => self.observable("email-addr", Some(one.clone()), None, one),
            Kind::Domain => self.observable("domain-name", Some(one.clone()), None, one),
            Kind::Wallet(_) => self.observable("cryptocurrency-wallet", Some(one.clone()), Some(WALLET), one),
            Kind::Iban => self.observable("bank-account", None, Some(ACCOUNT), json!({ "iban": value })),
            Kind::Telegram => self.account("telegram", value),
            Kind::Line => self.account("line", value),
            Kind::Wechat => self.account("wechat", value),
        }
    }

    fn account(&mut self, service: &str, login: &str) -> String {
        // In the order of RFC 8785, since the id is made of it.
        let key = json!({ "account_login": login, "account_type": service });
        self.observable("user-account", Some(key.clone()), None, key)
    }

    /// What the victim paid.
    fn payment(&mut self, wallet: &str, coin: Coin) {
        let hash: String = self.rng.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
        let value = if coin == Coin::Eth { format!("0x{hash}") } else { hash };
        let key = json!({ "symbol": coin.symbol(), "value": value });
        let amount = self.rng.between(50, 90_000);
        let more = json!({
            "symbol": coin.symbol(), "value": value, "outputs": [{ "address_ref": wallet, "amount": amount }],
        });
        self.observable("cryptocurrency-transaction", Some(key), Some(TRANSACTION), more);
    }

    fn lure(&mut self, report: &Report, text: &str, mentioned: &[(Kind, String)]) -> String {
        let ids = |keep: fn(Kind) -> bool| -> Vec<&String> {
            mentioned.iter().filter(|(kind, _)| keep(*kind)).map(|(_, id)| id).collect()
        };
        let contacts =
            ids(|kind| matches!(kind, Kind::Phone | Kind::Email | Kind::Telegram | Kind::Line | Kind::Wechat));
        let urls = ids(|kind| kind == Kind::Domain);
        let mut more = json!({
            "text": text, "language": words::tongue(report.tongue).code, "channel": self.rng.word(&words::CHANNELS),
        });
        if let Some(map) = more.as_object_mut() {
            for (name, refs) in [("contact_refs", contacts), ("url_refs", urls)] {
                if !refs.is_empty() {
                    map.insert(name.to_owned(), json!(refs));
                }
            }
        }
        self.observable("lure", None, Some(LURE), more)
    }

    /// Who runs which compound; in full when this agency says so for the first time.
    fn intelligence(&mut self, seed: u64, told: &Told) {
        let mut known = Rng::keyed(seed, &told.code, self.agency.at as u64);
        let group = format!("intrusion-set--{}", known.uuid());
        if !told.first {
            self.refs.push(group);
            return;
        }
        let more = json!({
            "name": told.name, "description": "EXERCISE: a fictional syndicate.", "resource_level": "organization",
            "primary_motivation": "organizational-gain",
        });
        let group = self.domain(group, more);
        for compound in &told.compounds {
            let id = format!("infrastructure--{}", known.uuid());
            let more = json!({
                "name": compound, "description": "EXERCISE: a fictional compound.",
                "infrastructure_types": ["scam-compound"],
            });
            let compound_id = self.domain(id, more);
            // The open sea around 0, 0: within two degrees there is no land.
            let degrees = |rng: &mut Rng| (rng.between(1, 399) as i32 - 200) as f64 / 100.0;
            let (latitude, longitude) = (degrees(&mut known), degrees(&mut known));
            let id = format!("location--{}", known.uuid());
            let more = json!({
                "name": format!("{compound}, open sea"), "description": "EXERCISE: a place in the open sea.",
                "latitude": latitude, "longitude": longitude,
            });
            let place = self.domain(id, more);
            self.relate(&compound_id, "located-at", &place);
            self.relate(&group, "owns", &compound_id);
        }
        for recruiter in &told.recruiters {
            let id = format!("threat-actor--{}", known.uuid());
            let more = json!({
                "name": format!("EXERCISE {recruiter}"), "description": "EXERCISE: a fictional recruiter.",
                "threat_actor_types": ["criminal"], "roles": ["agent"],
            });
            let person = self.domain(id, more);
            self.relate(&group, "attributed-to", &person);
        }
    }
}

fn extend(map: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        map.extend(more);
    }
}

/// The objects of a report, the `report` last. With them, its id.
pub(crate) fn objects(seed: u64, report: &Report, agency: &Agency) -> (String, Vec<Object>) {
    let mut rng = Rng::keyed(seed, "stix", report.number);
    let text = text::note(report, &mut rng);
    let mut ticket = rng.below(10);
    let marking = TLP.iter().find(|(_, _, share)| {
        let found = ticket < *share;
        ticket = ticket.saturating_sub(*share);
        found
    });
    let marking = marking.map_or("", |(_, id, _)| id);
    let when = timestamp(report.when);
    let mut writer = Writer { agency, when: when.clone(), marking, rng, out: Vec::new(), refs: Vec::new() };
    let mentioned: Vec<(Kind, String)> =
        report.mentions.iter().map(|Mention { selector, .. }| (selector.kind, writer.selector(selector))).collect();
    if let Some((Kind::Wallet(coin), wallet)) = mentioned.iter().find(|(kind, _)| matches!(kind, Kind::Wallet(_)))
        && writer.rng.chance(300)
    {
        writer.payment(wallet, *coin);
    }
    if report.shape == Shape::Lure {
        let advert = text::advert(report, &mut writer.rng);
        writer.lure(report, &advert, &mentioned);
    }
    if let Some(told) = report.syndicate.as_ref().filter(|_| report.shape == Shape::Intelligence) {
        writer.intelligence(seed, told);
    }
    let summary = text::summary(report, &mut writer.rng);
    let id = writer.id("incident");
    let more = json!({
        "name": format!("EXERCISE complaint {}", report.reference), "description": summary,
        "extensions": { INCIDENT: {
            "extension_type": "property-extension", "determination": "suspected",
            "investigation_status": "new", "incident_types": ["fraud"],
        } },
    });
    writer.domain(id, more);
    let id = writer.id("report");
    let refs = std::mem::take(&mut writer.refs);
    let kind = if report.shape == Shape::Intelligence { "threat-actor" } else { "observed-data" };
    let more = json!({
        "name": format!("EXERCISE report {}", report.reference), "description": text,
        "report_types": [kind], "published": when, "object_refs": refs,
        "external_references": [{ "source_name": agency.name, "external_id": report.reference }],
    });
    let id = writer.domain(id, more);
    (id, writer.out)
}
