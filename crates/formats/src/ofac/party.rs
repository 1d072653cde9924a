//! One party: its names, what is known of it, its documents, wallets and ways to reach it.
//!
//! Every party is an `identity`. Nobody is made a `threat-actor`: a listing is a legal measure of one state,
//! and it travels as what it is, the label `sanctioned` with the programme's name.

use super::Sdn;
use super::document::{Document, read_period};
use super::tables::{Kind, Tables};
use super::xml::Xml;
use crate::fault::Fault;
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::typing::{network_of, type_of, wallet_value};
use serde_json::json;
use std::collections::HashMap;

/// A party has at most this many values of one sort; more are counted in a note.
const MAX_VALUES: usize = 1_000;

pub(super) fn id_of(out: &Out<'_, '_>, profile: u32) -> String {
    out.id("identity", &[&profile.to_string()])
}

/// Reads the `DistinctParty` opened last.
pub(super) fn read(sdn: &mut Sdn, xml: &mut Xml<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    out.record()?;
    let number = xml.number("FixedRef").unwrap_or_default();
    let at = Position::of("party").record(u64::from(number));
    let mut party = Party::default();
    let mut profile = number;
    while xml.open(out)? {
        match xml.name() {
            "Comment" => party.comment = xml.leaf(out)?.to_owned(),
            "Profile" => {
                profile = xml.number("ID").unwrap_or(number);
                party.sub_type = xml.number("PartySubTypeID").unwrap_or_default();
                while xml.open(out)? {
                    match xml.name() {
                        "Identity" => party.read_identity(&sdn.tables, xml, out)?,
                        "Feature" => party.read_feature(&sdn.tables, xml, out)?,
                        _ => xml.skip(out)?,
                    }
                }
            }
            _ => xml.skip(out)?,
        }
    }
    let id = id_of(out, profile);
    if party.names.is_empty() {
        return out.bad(at, Fault::PartyName, number.to_string().as_bytes());
    }
    for identity in std::mem::take(&mut party.identities) {
        for document in sdn.documents.remove(&identity).unwrap_or_default() {
            let size = document.size();
            Document::write(document, Some(&id), &at, out)?;
            sdn.held_bytes = sdn.held_bytes.saturating_sub(size);
        }
    }
    party.write_contacts(&id, &at, out)?;
    let object = party.identity(id, number, &sdn.tables);
    sdn.hold_party(profile, u64::from(number), object, xml, out)
}

/// A name as the file spells it: whether it is primary, whether weak, its parts by their group.
type Spelled = (bool, bool, Vec<(u32, String)>);

#[derive(Default)]
struct Party {
    sub_type: u32,
    comment: String,
    identities: Vec<u32>,
    /// Names, the primary one first; whether OFAC calls it weak.
    names: Vec<(String, bool)>,
    birth_dates: Vec<String>,
    birth_places: Vec<String>,
    nationalities: Vec<String>,
    citizenships: Vec<String>,
    bics: Vec<String>,
    /// Whatever else is known, each with OFAC's name of it.
    facts: Vec<String>,
    learnt: usize,
    places: Vec<(Box<str>, Box<str>)>,
    wallets: Vec<(String, String)>,
    contacts: Vec<(&'static str, String)>,
}

impl Party {
    fn read_identity(&mut self, tables: &Tables, xml: &mut Xml<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        self.identities.extend(xml.number("ID"));
        let mut spelled: Vec<Spelled> = Vec::new();
        let mut groups: HashMap<u32, u32> = HashMap::new();
        while xml.open(out)? {
            match xml.name() {
                "Alias" => {
                    let primary = xml.attribute("Primary") == Some("true");
                    let weak = xml.attribute("LowQuality") == Some("true");
                    read_names(primary, weak, &mut spelled, xml, out)?;
                }
                "NamePartGroups" => {
                    while xml.open(out)? {
                        while xml.open(out)? {
                            if let (Some(group), Some(part)) = (xml.number("ID"), xml.number("NamePartTypeID")) {
                                groups.insert(group, part);
                            }
                            xml.skip(out)?;
                        }
                    }
                }
                _ => xml.skip(out)?,
            }
        }
        for (primary, weak, parts) in spelled {
            let name = assemble(parts, &groups, tables);
            if name.is_empty() || self.names.iter().any(|(known, _)| *known == name) || self.names.len() >= MAX_VALUES {
                continue;
            }
            if primary {
                self.names.insert(0, (name, weak));
            } else {
                self.names.push((name, weak));
            }
        }
        Ok(())
    }

    fn read_feature(&mut self, tables: &Tables, xml: &mut Xml<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        let kind = xml.number("FeatureTypeID").and_then(|number| tables.get(Kind::Feature, number)).unwrap_or_default();
        while xml.open(out)? {
            if xml.name() != "FeatureVersion" {
                xml.skip(out)?;
                continue;
            }
            while xml.open(out)? {
                match xml.name() {
                    "VersionDetail" => {
                        let looked_up =
                            xml.number("DetailReferenceID").and_then(|number| tables.get(Kind::Detail, number));
                        let text = xml.leaf(out)?;
                        let text = if text.is_empty() { looked_up.unwrap_or_default() } else { text };
                        self.learn(kind, text);
                    }
                    "VersionLocation" => {
                        let place = xml.number("LocationID").and_then(|number| tables.place(number));
                        if let (Some(place), true) = (place, self.places.len() < MAX_VALUES) {
                            if kind == "Location" {
                                self.places.push((place.country.clone(), place.line.clone()));
                            } else {
                                let text = if place.line.is_empty() { &place.country } else { &place.line };
                                let text = text.to_string();
                                self.learn(kind, &text);
                            }
                        }
                        xml.skip(out)?;
                    }
                    "DatePeriod" => {
                        if let Some(date) = read_period(xml, out)? {
                            self.learn(kind, &date);
                        }
                    }
                    _ => xml.skip(out)?,
                }
            }
        }
        Ok(())
    }

    fn learn(&mut self, kind: &str, text: &str) {
        let text = text.trim();
        if text.is_empty() || self.learnt >= 5 * MAX_VALUES {
            return;
        }
        self.learnt += 1;
        if let Some(currency) = kind.strip_prefix("Digital Currency Address - ") {
            self.wallets.push((currency.trim().to_owned(), text.to_owned()));
            return;
        }
        let text = text.to_owned();
        match kind.trim_end_matches([':', '-', ' ']) {
            "Email Address" => self.contacts.push(("email-addr", text)),
            "Website" => self.contacts.push(("url", text)),
            "Phone Number" => self.contacts.push(("phone-number", text)),
            "Birthdate" => self.birth_dates.push(text),
            "Place of Birth" => self.birth_places.push(text),
            "Nationality Country" => self.nationalities.push(text),
            "Citizenship Country" => self.citizenships.push(text),
            "SWIFT/BIC" => self.bics.push(text),
            kind => self.facts.push(format!("{kind}: {text}")),
        }
    }

    fn write_contacts(&self, id: &str, at: &Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        for (currency, address) in &self.wallets {
            out.record()?;
            let address = wallet_value(address);
            let wallet = out.object_once(Object::value("cryptocurrency-wallet", &address), at)?;
            let network = network_of(Some(currency), &address);
            let key = out.id("relationship", &[&wallet, "attributed-to", id, currency]);
            let mut link = Object::relationship(key, "attributed-to", &wallet, id);
            link.put("description", format!("Digital Currency Address - {currency}"));
            link.put("confidence", 100);
            link.also("currency", if currency == "XBT" { "BTC" } else { currency.as_str() });
            link.also("network", network);
            link.label("sanctioned");
            out.object_once(link, at)?;
        }
        for (object_type, value) in &self.contacts {
            let observable = match (*object_type, type_of(value)) {
                ("phone-number", _) => {
                    let key = out.options.ids.id("phone-number", &["selector", value]);
                    Object::value("phone-number", value).with("id", key)
                }
                (_, Some(typed)) => Object::value(typed.object_type, &typed.value),
                _ => {
                    out.note("an e-mail address or website that is none was left in the party's description only");
                    continue;
                }
            };
            let observable = out.object_once(observable, at)?;
            let key = out.id("relationship", &[id, "related-to", &observable]);
            out.object_once(Object::relationship(key, "related-to", id, &observable), at)?;
        }
        Ok(())
    }

    fn identity(self, id: String, number: u32, tables: &Tables) -> Object {
        let mut names = self.names.into_iter();
        let name = names.next().map(|(name, _)| name).unwrap_or_default();
        let party_type = tables.party_type(self.sub_type).unwrap_or_default();
        let class = match party_type {
            "Individual" => "individual",
            "Entity" => "organization",
            _ => "unknown",
        };
        let mut identity = Object::domain("identity", id)
            .with("name", name)
            .with("identity_class", class)
            .with("description", self.comment)
            .with(
                "external_references",
                json!([{
                    "source_name": "OFAC SDN",
                    "external_id": number.to_string(),
                    "url": format!("https://sanctionssearch.ofac.treas.gov/Details.aspx?id={number}"),
                }]),
            );
        if party_type == "Transport" {
            identity.label(&tables.get(Kind::PartySubType, self.sub_type).unwrap_or("transport").to_lowercase());
        }
        let (mut aliases, mut weak) = (Vec::new(), Vec::new());
        for (name, is_weak) in names {
            if is_weak { weak.push(name) } else { aliases.push(name) }
        }
        identity.also("aliases", aliases);
        identity.also("weak_aliases", weak);
        identity.also("birth_dates", self.birth_dates);
        identity.also("birth_places", self.birth_places);
        identity.also("nationalities", self.nationalities);
        identity.also("citizenships", self.citizenships);
        identity.also("bic", self.bics);
        identity.also("facts", self.facts);
        let mut countries: Vec<&str> =
            self.places.iter().map(|(country, _)| country.as_ref()).filter(|country| !country.is_empty()).collect();
        countries.sort_unstable();
        countries.dedup();
        identity.also("countries", countries);
        let addresses: Vec<String> = self
            .places
            .iter()
            .filter(|(_, line)| !line.is_empty())
            .map(|(country, line)| if country.is_empty() { line.to_string() } else { format!("{line}, {country}") })
            .collect();
        identity.also("addresses", addresses);
        identity
    }
}

fn read_names(
    primary: bool,
    weak: bool,
    spelled: &mut Vec<Spelled>,
    xml: &mut Xml<'_>,
    out: &mut Out<'_, '_>,
) -> Result<(), ReadError> {
    while xml.open(out)? {
        if xml.name() != "DocumentedName" {
            xml.skip(out)?;
            continue;
        }
        let mut parts = Vec::new();
        while xml.open(out)? {
            if xml.name() != "DocumentedNamePart" {
                xml.skip(out)?;
                continue;
            }
            while xml.open(out)? {
                let group = xml.number("NamePartGroupID").unwrap_or_default();
                let text = xml.leaf(out)?;
                if !text.is_empty() && parts.len() < 32 {
                    parts.push((group, text.to_owned()));
                }
            }
        }
        if spelled.len() < MAX_VALUES {
            // A person's name in another script is another documented name of the same alias.
            spelled.push((primary && !spelled.iter().any(|(known, ..)| *known), weak, parts));
        }
    }
    Ok(())
}

/// The parts in the order of speech: first, middle, then the family's names.
fn assemble(mut parts: Vec<(u32, String)>, groups: &HashMap<u32, u32>, tables: &Tables) -> String {
    let rank = |group: &u32| match groups.get(group).and_then(|part| tables.get(Kind::NamePart, *part)) {
        Some("First Name") => 0,
        Some("Middle Name") => 1,
        Some("Patronymic") => 2,
        Some("Nickname") => 5,
        Some("Maiden Name" | "Matronymic") => 4,
        _ => 3,
    };
    parts.sort_by_key(|(group, _)| rank(group));
    let words: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    words.join(" ")
}
