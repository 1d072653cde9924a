//! OFAC's SDN list as Advanced XML: parties become identities with their documents, wallets, phones, places.
//!
//! One pass. The file's order decides what is held: reference values, places and documents (a few MB) come
//! first and are kept until their party; parties are held until their sanctions entries, the
//! last part of the file, name programme and date.

mod document;
mod party;
mod tables;
mod xml;

use crate::fault::Fault;
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use document::Document;
use std::collections::HashMap;
use std::io::BufRead;
use tables::{Kind, Tables};
use xml::Xml;
pub use xml::xml_entity;

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let mut xml = Xml::new(input, out.options.limits.max_object_bytes);
    if !xml.open(out)? {
        return Err(out.malformed(Position::of("file"), "there is no XML element in it"));
    }
    if xml.name() != "Sanctions" {
        return Err(out.malformed(xml.at("root element"), "the root element is not Sanctions (OFAC Advanced XML)"));
    }
    let mut sdn = Sdn::default();
    while xml.open(out)? {
        match xml.name() {
            "ReferenceValueSets" => sdn.tables.read(&mut xml, out)?,
            "Locations" => sdn.tables.read_places(&mut xml, out)?,
            "IDRegDocuments" => sdn.read_documents(&mut xml, out)?,
            "DistinctParties" => {
                while xml.open(out)? {
                    party::read(&mut sdn, &mut xml, out)?;
                }
            }
            "ProfileRelationships" => sdn.read_links(&mut xml, out)?,
            "SanctionsEntries" => sdn.read_entries(&mut xml, out)?,
            _ => xml.skip(out)?,
        }
    }
    sdn.flush(out)
}

/// What is held while reading.
#[derive(Default)]
struct Sdn {
    tables: Tables,
    /// Documents by the identity of the file they belong to, until that identity comes.
    documents: HashMap<u32, Vec<Document>>,
    parties: Vec<Held>,
    by_profile: HashMap<u32, usize>,
    held_bytes: usize,
}

/// A party waiting for its sanctions entries.
struct Held {
    object: Object,
    number: u64,
    programmes: Vec<String>,
    listed: Option<String>,
}

impl Sdn {
    fn read_documents(&mut self, xml: &mut Xml<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        while xml.open(out)? {
            if xml.name() != "IDRegDocument" {
                xml.skip(out)?;
                continue;
            }
            let identity = xml.number("IdentityID").unwrap_or_default();
            let document = Document::read(xml, &self.tables, out)?;
            self.hold(document.size(), xml, out)?;
            self.documents.entry(identity).or_default().push(document);
        }
        Ok(())
    }

    /// Accounts for bytes held until the end of the file.
    fn hold(&mut self, bytes: usize, xml: &Xml<'_>, out: &Out<'_, '_>) -> Result<(), ReadError> {
        self.held_bytes += bytes;
        let all = self.held_bytes + self.tables.size();
        if all > out.options.limits.max_held_bytes {
            return Err(ReadError::Limit {
                at: xml.at("element"),
                why: "places, documents and parties take more memory than max_held_bytes".to_owned(),
            });
        }
        Ok(())
    }

    fn hold_party(
        &mut self,
        profile: u32,
        number: u64,
        mut object: Object,
        xml: &Xml<'_>,
        out: &Out<'_, '_>,
    ) -> Result<(), ReadError> {
        object.shrink();
        self.hold(object.size() + 128, xml, out)?;
        self.by_profile.insert(profile, self.parties.len());
        self.parties.push(Held { object, number, programmes: Vec::new(), listed: None });
        Ok(())
    }

    /// Relationships between parties, by the ids both have.
    fn read_links(&mut self, xml: &mut Xml<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        while xml.open(out)? {
            let link = (xml.number("From-ProfileID"), xml.number("To-ProfileID"), xml.number("RelationTypeID"));
            let former = xml.attribute("Former") == Some("true");
            let at = xml.at("relationship");
            xml.skip(out)?;
            out.record()?;
            let (Some(from), Some(to), Some(kind)) = link else {
                out.bad(at, Fault::RelationShape, b"")?;
                continue;
            };
            let words = self.tables.get(Kind::Relation, kind).unwrap_or("related to").to_owned();
            let kind = kebab(&words);
            let (from, to) = (party::id_of(out, from), party::id_of(out, to));
            let id = out.id("relationship", &[&from, &kind, &to]);
            let mut relationship = Object::relationship(id, &kind, &from, &to);
            relationship.put("description", words);
            if former {
                relationship.also("former", true);
            }
            out.object_once(relationship, &at)?;
        }
        Ok(())
    }

    /// Programmes and the day of listing, for the party they are about.
    fn read_entries(&mut self, xml: &mut Xml<'_>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        while xml.open(out)? {
            let profile = xml.number("ProfileID");
            let mut programmes = Vec::new();
            let mut listed = None;
            while xml.open(out)? {
                match xml.name() {
                    "SanctionsMeasure" => {
                        while xml.open(out)? {
                            match xml.name() {
                                "Comment" => {
                                    let programme = xml.leaf(out)?;
                                    if !programme.is_empty() && programmes.len() < 32 {
                                        programmes.push(programme.to_owned());
                                    }
                                }
                                _ => xml.skip(out)?,
                            }
                        }
                    }
                    "EntryEvent" => {
                        while xml.open(out)? {
                            match xml.name() {
                                "Date" => listed = document::read_date(xml, out)?,
                                _ => xml.skip(out)?,
                            }
                        }
                    }
                    _ => xml.skip(out)?,
                }
            }
            let held =
                profile.and_then(|profile| self.by_profile.get(&profile)).and_then(|at| self.parties.get_mut(*at));
            match held {
                Some(held) => {
                    held.programmes.extend(programmes);
                    held.listed = held.listed.take().or(listed);
                }
                None => out.note("a sanctions entry about a party that is not in the file"),
            }
        }
        Ok(())
    }

    fn flush(self, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        for held in self.parties {
            let mut object = held.object;
            object.label("sanctioned");
            for programme in &held.programmes {
                object.label(programme);
            }
            let mut programmes = held.programmes;
            programmes.sort_unstable();
            programmes.dedup();
            object.also("programmes", programmes);
            object.also("listed_on", held.listed);
            out.object(object, &Position::of("party").record(held.number))?;
        }
        for document in self.documents.into_values().flatten() {
            out.note("an identity document of nobody in the file");
            let at = Position::of("identity document").record(u64::from(document.number));
            document.write(None, &at, out)?;
        }
        Ok(())
    }
}

/// "Owned or Controlled By" as STIX spells relationship types (section 3.7: lower case and hyphens).
fn kebab(words: &str) -> String {
    let lower = words.to_lowercase();
    let parts: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}
