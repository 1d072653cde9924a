//! Identity documents: passports, national ids, tax numbers, company numbers, ship numbers, ...

use super::tables::{Kind, Tables};
use super::xml::Xml;
use crate::object::Object;
use crate::record::{Out, Position, ReadError};

/// One `IDRegDocument`.
pub(super) struct Document {
    pub number: u32,
    kind: Box<str>,
    value: Box<str>,
    country: Box<str>,
    authority: Box<str>,
    issued: Option<String>,
    expires: Option<String>,
    invalid: bool,
}

impl Document {
    /// Bytes it takes, about.
    pub fn size(&self) -> usize {
        160 + self.value.len() + self.kind.len() + self.authority.len()
    }

    /// Reads the element opened last.
    pub fn read(xml: &mut Xml<'_>, tables: &Tables, out: &Out<'_, '_>) -> Result<Self, ReadError> {
        let named =
            |kind, attribute| xml.number(attribute).and_then(|number| tables.get(kind, number)).unwrap_or_default();
        let mut document = Self {
            number: xml.number("ID").unwrap_or_default(),
            kind: named(Kind::DocumentType, "IDRegDocTypeID").into(),
            country: named(Kind::Country, "IssuedBy-CountryID").into(),
            value: Box::default(),
            authority: Box::default(),
            issued: None,
            expires: None,
            // ValidityID 2 is "Valid", 1 "Fraudulent" in OFAC's table Validity; the wording differs a version.
            invalid: false,
        };
        while xml.open(out)? {
            match xml.name() {
                "IDRegistrationNo" => document.value = xml.leaf(out)?.into(),
                "IssuingAuthority" => document.authority = xml.leaf(out)?.into(),
                "Comment" => document.invalid |= xml.leaf(out)?.to_ascii_lowercase().contains("fraudulent"),
                "DocumentDate" => {
                    let kind =
                        xml.number("IDRegDocDateTypeID").and_then(|number| tables.get(Kind::DocumentDate, number));
                    let expires = kind.is_some_and(|kind| kind.starts_with("Expiration"));
                    let date = read_period(xml, out)?;
                    match expires {
                        true => document.expires = date,
                        false => document.issued = date,
                    }
                }
                _ => xml.skip(out)?,
            }
        }
        Ok(document)
    }

    /// Hands it over as an `identity-document` of `owner`.
    pub fn write(self, owner: Option<&str>, at: &Position, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
        out.record()?;
        if self.value.is_empty() {
            out.note("an identity document without a number");
        }
        let id = out.id("identity-document", &[&self.number.to_string()]);
        let mut object = Object::observable("identity-document")
            .with("id", id)
            .with("document_type", code_of(&self.kind))
            .with("document_name", self.kind.as_ref())
            .with("value", self.value.as_ref())
            .with("issuing_country", self.country.as_ref())
            .with("issuing_authority", self.authority.as_ref())
            .with("issued", self.issued)
            .with("expires", self.expires)
            .with("belongs_to_ref", owner);
        if self.invalid {
            object.put("fraudulent", true);
        }
        out.object(object, at).map(drop)
    }
}

/// OFAC's names in the few classes that matter for linking.
fn code_of(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["passport"]) {
        "passport"
    } else if has(&["travel document", "visa"]) {
        "travel-document"
    } else if has(&["driver"]) {
        "driving-licence"
    } else if has(&["tax", "fiscal", "v.a.t", "r.f.c", "rfc", "fein", "ruc", "nit ", "inn"]) {
        "tax-number"
    } else if has(&["vessel", "mmsi", "imo"]) {
        "vessel-number"
    } else if has(&["aircraft", "serial"]) {
        "serial-number"
    } else if has(&[
        "company",
        "registration",
        "registry",
        "commercial",
        "credit code",
        "incorporation",
        "license",
        "business",
        "legal entity",
        "enterprise",
        "c.r. no",
        "matricula",
        "organization code",
    ]) {
        "company-number"
    } else if has(&[
        "national",
        "identification",
        "cedula",
        "personal",
        "id card",
        "d.n.i",
        "c.u.r.p",
        "citizen",
        "identidad",
        "social security",
        "ssn",
        "tazkira",
        "electoral",
    ]) {
        "national-id"
    } else {
        "other"
    }
}

/// The first date of a `DatePeriod` inside the element opened last.
pub(super) fn read_period(xml: &mut Xml<'_>, out: &Out<'_, '_>) -> Result<Option<String>, ReadError> {
    let mut first = None;
    let mut inner = 1;
    while inner > 0 {
        match xml.open(out)? {
            true if matches!(xml.name(), "From" | "Date") => {
                let date = read_date(xml, out)?;
                first = first.or(date);
            }
            true => inner += 1,
            false => inner -= 1,
        }
    }
    Ok(first)
}

/// `Year`, `Month`, `Day` of the element opened last as ISO 8601, as far as they are given.
pub(super) fn read_date(xml: &mut Xml<'_>, out: &Out<'_, '_>) -> Result<Option<String>, ReadError> {
    let mut date = [0_u32; 3];
    while xml.open(out)? {
        let part = match xml.name() {
            "Year" => 0,
            "Month" => 1,
            "Day" => 2,
            _ => {
                xml.skip(out)?;
                continue;
            }
        };
        let number = xml.leaf(out)?.parse().unwrap_or_default();
        if let Some(place) = date.get_mut(part) {
            *place = number;
        }
    }
    Ok(match date {
        [0, _, _] => None,
        [year, 0, _] => Some(format!("{year:04}")),
        [year, month, 0] => Some(format!("{year:04}-{month:02}")),
        [year, month, day] => Some(format!("{year:04}-{month:02}-{day:02}")),
    })
}
