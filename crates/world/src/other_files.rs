//! The other formats, each one report: a MISP event, a CSV row, a line of a list, a tag of a TagPack.

use crate::cast::{Agency, Kind};
use crate::prng::Rng;
use crate::story::{Mention, Report};
use crate::text;
use crate::truth::Role;
use crate::words;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The columns of a hotline's CSV file; `mapping.toml` says what each becomes.
pub(crate) const COLUMNS: [&str; 15] = [
    "reference",
    "date",
    "language",
    "story",
    "phone",
    "phone_2",
    "telegram",
    "line",
    "wechat",
    "email",
    "website",
    "website_2",
    "wallet",
    "wallet_2",
    "iban",
];

/// A MISP event: its UUID, its JSON, the UUIDs of its attributes.
pub(crate) fn misp_event(seed: u64, report: &Report, agency: &Agency) -> (String, Value, Vec<String>) {
    let mut rng = Rng::keyed(seed, "misp", report.number);
    let event = rng.uuid().to_string();
    let seconds = (report.when / 1000).to_string();
    let mut uuids = Vec::new();
    let mut attributes = Vec::new();
    let mut add = |rng: &mut Rng, kind: &str, category: &str, value: String, comment: &str| {
        let uuid = rng.uuid().to_string();
        attributes.push(json!({
            "uuid": uuid, "type": kind, "category": category, "value": value, "to_ids": false, "distribution": "5",
            "timestamp": seconds, "comment": format!("EXERCISE {comment}"), "deleted": false,
            "disable_correlation": false,
        }));
        uuids.push(uuid);
    };
    for Mention { selector, .. } in &report.mentions {
        let value = selector.value.clone();
        match selector.kind {
            Kind::Phone => add(&mut rng, "phone-number", "Financial fraud", value, "contact"),
            Kind::Email => add(&mut rng, "email", "Social network", value, "contact"),
            Kind::Domain if rng.chance(400) => {
                add(&mut rng, "url", "Network activity", format!("https://{value}/login"), "site");
            }
            Kind::Domain => add(&mut rng, "domain", "Network activity", value, "site"),
            Kind::Wallet(crate::wallets::Coin::Btc) => add(&mut rng, "btc", "Financial fraud", value, "wallet"),
            Kind::Wallet(coin) => {
                let text = format!("{} wallet: {value}", coin.symbol());
                add(&mut rng, "text", "Financial fraud", text, "wallet");
            }
            Kind::Iban => add(&mut rng, "iban", "Financial fraud", value, "account"),
            Kind::Telegram => add(&mut rng, "text", "Social network", format!("Telegram: @{value}"), "contact"),
            Kind::Line => add(&mut rng, "text", "Social network", format!("LINE ID: {value}"), "contact"),
            Kind::Wechat => add(&mut rng, "text", "Social network", format!("WeChat: {value}"), "contact"),
        }
    }
    let summary = text::summary(report, &mut rng);
    add(&mut rng, "text", "Other", summary, "summary");
    let organisation = agency.identity.trim_start_matches("identity--");
    let tlp = rng.word(&["tlp:clear", "tlp:green", "tlp:amber"]);
    let value = json!({ "Event": {
        "uuid": event, "info": format!("EXERCISE {}", report.reference), "date": day(report.when),
        "timestamp": seconds, "publish_timestamp": seconds, "published": true, "threat_level_id": "3",
        "analysis": "2", "distribution": "1", "Orgc": { "uuid": organisation, "name": agency.name },
        "Org": { "uuid": organisation, "name": agency.name },
        "Tag": [{ "name": tlp }, { "name": "exercise:generic=\"comcheck\"" }, { "name": "EXERCISE" }],
        "Attribute": attributes,
    } });
    (event, value, uuids)
}

/// A date without its time, in UTC.
pub(crate) fn day(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

/// Where a kind of value goes, first choice first.
fn columns_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Phone => &["phone", "phone_2"],
        Kind::Email => &["email"],
        Kind::Domain => &["website", "website_2"],
        Kind::Wallet(_) => &["wallet", "wallet_2"],
        Kind::Telegram => &["telegram"],
        Kind::Line => &["line"],
        Kind::Wechat => &["wechat"],
        Kind::Iban => &["iban"],
    }
}

/// A row of a hotline's CSV file, in the order of [`COLUMNS`]. A value whose columns are taken stands in the story, and
/// so does a hotline's own number that the caller quotes.
pub(crate) fn csv_row(seed: u64, report: &Report) -> [String; 15] {
    let mut rng = Rng::keyed(seed, "csv", report.number);
    let mut cells: BTreeMap<&str, String> = BTreeMap::new();
    let mut story = text::summary(report, &mut rng);
    for mention in &report.mentions {
        let free = columns_of(mention.selector.kind).iter().find(|&&column| !cells.contains_key(column));
        match free.filter(|_| mention.role != Role::Hotline) {
            Some(column) => {
                cells.insert(column, mention.selector.value.clone());
            }
            None => story.push_str(&format!(" {}", text::line(mention, report.tongue, &mut rng))),
        }
    }
    cells.insert("reference", format!("EXERCISE {}", report.reference));
    cells.insert("date", day(report.when));
    cells.insert("language", words::tongue(report.tongue).code.to_owned());
    cells.insert("story", story);
    COLUMNS.map(|column| cells.remove(column).unwrap_or_default())
}

/// One line of an exchange's list: the address and, as a comment, the reference.
pub(crate) fn list_line(report: &Report) -> Option<String> {
    let mention = report.mentions.first()?;
    Some(format!("{} # EXERCISE {}\n", mention.selector.value, report.reference))
}

/// The head of a TagPack, up to where its tags begin.
pub(crate) fn tagpack_head(agency: &Agency, month: &str) -> String {
    format!(
        "---\ntitle: {name} tags {month}\ncreator: {name}\ndescription: EXERCISE wallets of fictional syndicates\n\
         is_public: false\nconfidence: authority_data\nsource: {name}\ntags:\n",
        name = agency.name
    )
}

/// One tag of a TagPack.
pub(crate) fn tagpack_tag(report: &Report) -> Option<String> {
    let mention = report.mentions.first()?;
    let Kind::Wallet(coin) = mention.selector.kind else { return None };
    let (label, category) = match mention.role {
        Role::Hub | Role::UnlistedHub => ("pooled wallet of an exchange", "category: exchange"),
        _ => ("payments of victims", "abuse: scam"),
    };
    Some(format!(
        "  - address: '{}'\n    currency: {symbol}\n    network: {symbol}\n    label: EXERCISE {} {label}\n    \
         {category}\n    lastmod: '{}'\n",
        mention.selector.value,
        report.reference,
        day(report.when),
        symbol = coin.symbol()
    ))
}
