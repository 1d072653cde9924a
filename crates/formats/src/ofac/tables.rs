//! The file's own tables: what its numbers mean, and its places.

use super::xml::Xml;
use crate::record::{Out, ReadError};
use std::collections::HashMap;

/// Which table a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Area,
    Country,
    Detail,
    DocumentDate,
    DocumentType,
    Feature,
    PlacePart,
    NamePart,
    PartySubType,
    PartyType,
    Relation,
}

impl Kind {
    fn of(element: &str) -> Option<Self> {
        Some(match element {
            "AreaCode" => Kind::Area,
            "Country" => Kind::Country,
            "DetailReference" => Kind::Detail,
            "IDRegDocDateType" => Kind::DocumentDate,
            "IDRegDocType" => Kind::DocumentType,
            "FeatureType" => Kind::Feature,
            "LocPartType" => Kind::PlacePart,
            "NamePartType" => Kind::NamePart,
            "PartySubType" => Kind::PartySubType,
            "PartyType" => Kind::PartyType,
            "RelationType" => Kind::Relation,
            _ => return None,
        })
    }
}

/// A place: its country's ISO code and the address in one line.
#[derive(Debug, Default, Clone)]
pub(super) struct Place {
    pub country: Box<str>,
    pub line: Box<str>,
}

#[derive(Default)]
pub(super) struct Tables {
    values: HashMap<(Kind, u32), Box<str>>,
    /// The party type of a sub-type (individual, entity, transport).
    party_types: HashMap<u32, u32>,
    places: HashMap<u32, Place>,
    bytes: usize,
}

impl Tables {
    /// Bytes held, about.
    pub fn size(&self) -> usize {
        self.bytes
    }

    pub fn get(&self, kind: Kind, number: u32) -> Option<&str> {
        self.values.get(&(kind, number)).map(AsRef::as_ref)
    }

    /// `Individual`, `Entity`, `Transport`, ... of a party's sub-type.
    pub fn party_type(&self, sub_type: u32) -> Option<&str> {
        self.get(Kind::PartyType, *self.party_types.get(&sub_type)?)
    }

    pub fn place(&self, number: u32) -> Option<&Place> {
        self.places.get(&number)
    }

    /// Reads `ReferenceValueSets`.
    pub fn read(&mut self, xml: &mut Xml<'_>, out: &Out<'_, '_>) -> Result<(), ReadError> {
        while xml.open(out)? {
            while xml.open(out)? {
                let (Some(kind), Some(number)) = (Kind::of(xml.name()), xml.number("ID")) else {
                    xml.skip(out)?;
                    continue;
                };
                let code = xml.attribute("ISO2").map(str::to_owned);
                if let (Kind::PartySubType, Some(party_type)) = (kind, xml.number("PartyTypeID")) {
                    self.party_types.insert(number, party_type);
                }
                let text = xml.leaf(out)?;
                let text: Box<str> = code.as_deref().unwrap_or(text).into();
                self.count(text.len(), xml, out)?;
                self.values.insert((kind, number), text);
            }
        }
        Ok(())
    }

    /// Reads `Locations`.
    pub fn read_places(&mut self, xml: &mut Xml<'_>, out: &Out<'_, '_>) -> Result<(), ReadError> {
        while xml.open(out)? {
            let number = xml.number("ID");
            let mut place = Place::default();
            let mut parts: Vec<String> = Vec::new();
            while xml.open(out)? {
                match xml.name() {
                    "LocationCountry" => {
                        let country = xml.number("CountryID").and_then(|id| self.get(Kind::Country, id));
                        place.country = country.unwrap_or_default().into();
                        xml.skip(out)?;
                    }
                    "LocationAreaCode" => {
                        let area = xml.number("AreaCodeID").and_then(|id| self.get(Kind::Area, id));
                        if let (Some(area), true) = (area, place.country.is_empty()) {
                            place.country = area.into();
                        }
                        xml.skip(out)?;
                    }
                    "LocationPart" => read_part(&mut parts, xml, out)?,
                    _ => xml.skip(out)?,
                }
            }
            place.line = parts.join(", ").into();
            self.count(place.line.len() + place.country.len(), xml, out)?;
            if let Some(number) = number {
                self.places.insert(number, place);
            }
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize, xml: &Xml<'_>, out: &Out<'_, '_>) -> Result<(), ReadError> {
        self.bytes += bytes + 48;
        if self.bytes > out.options.limits.max_held_bytes {
            return Err(ReadError::Limit {
                at: xml.at("element"),
                why: "the file's tables take more memory than max_held_bytes".to_owned(),
            });
        }
        Ok(())
    }
}

fn read_part(parts: &mut Vec<String>, xml: &mut Xml<'_>, out: &Out<'_, '_>) -> Result<(), ReadError> {
    while xml.open(out)? {
        if xml.name() != "LocationPartValue" {
            xml.skip(out)?;
            continue;
        }
        while xml.open(out)? {
            let value = xml.name() == "Value";
            let text = xml.leaf(out)?;
            if value && !text.is_empty() && parts.len() < 32 {
                parts.push(text.to_owned());
            }
        }
    }
    Ok(())
}
