use serde::{Deserialize, Serialize};
use std::fmt;

/// The Traffic Light Protocol 2.0 (FIRST, August 2022), loosest first, so that `max` is the tighter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[repr(u8)]
pub enum Tlp {
    /// May be published.
    #[serde(rename = "TLP:CLEAR")]
    Clear = 0,
    /// May go round the community.
    #[serde(rename = "TLP:GREEN")]
    Green = 1,
    /// The recipient's organisation and its clients, need to know.
    #[serde(rename = "TLP:AMBER")]
    #[default]
    Amber = 2,
    /// The recipient's organisation alone.
    #[serde(rename = "TLP:AMBER+STRICT")]
    AmberStrict = 3,
    /// The named recipients alone.
    #[serde(rename = "TLP:RED")]
    Red = 4,
}

impl Tlp {
    /// Loosest to tightest.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// `TLP:AMBER+STRICT` and so on, as the standard writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// The number it is stored under, 0 to 4.
    pub const fn level(self) -> u8 {
        self as u8
    }

    /// The colour of a stored number; what is unknown counts as the tightest.
    pub const fn from_level(level: u8) -> Self {
        match level {
            0 => Self::Clear,
            1 => Self::Green,
            2 => Self::Amber,
            3 => Self::AmberStrict,
            _ => Self::Red,
        }
    }

    /// TLP 2.0's marking-definition id (OASIS extension 60a3c5c5-0d10-413e-aab3-9e08dde9e88d).
    pub const fn definition_id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The colour a marking-definition id stands for: TLP 2.0's ids, TLP 1's of STIX 2.1 §7.2.1.4, OpenCTI's own.
    pub fn from_definition_id(id: &str) -> Option<Self> {
        Some(match id.strip_prefix("marking-definition--")? {
            "94868c89-83c2-464b-929b-a1a8aa3c8487" | "613f2e26-407d-48c7-9eca-b8e91df99dc9" => Self::Clear,
            "bab4a63c-aed9-4cf5-a766-dfca5abac2bb" | "34098fce-860f-48ae-8e50-ebd3cc5e41da" => Self::Green,
            "55d920b0-5e8b-4f79-9ee9-91f868d9b421" | "f88d31f6-486f-44da-b317-01333bde0b82" => Self::Amber,
            "939a9414-2ddd-4d32-a0cd-375ea402b003" | "826578e1-40ad-459f-bc73-ede076f81f37" => Self::AmberStrict,
            "e828b379-4e03-4974-9ac4-e53a884c97c1" | "5e57c739-391a-4eb3-b6be-7d15ca92d5ed" => Self::Red,
            _ => return None,
        })
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Tlp {
    type Err = String;

    /// Reads `TLP:AMBER+STRICT`, `amber+strict`, `WHITE` (TLP 1) and the like.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.trim().to_ascii_uppercase();
        match upper.strip_prefix("TLP:").unwrap_or(&upper) {
            "CLEAR" | "WHITE" => Ok(Self::Clear),
            "GREEN" => Ok(Self::Green),
            "AMBER" => Ok(Self::Amber),
            "AMBER+STRICT" | "AMBER-STRICT" => Ok(Self::AmberStrict),
            "RED" => Ok(Self::Red),
            _ => Err("write one of clear, green, amber, amber+strict, red".into()),
        }
    }
}

/// What bounds who may read an object: its TLP and whether it carries markings this node cannot resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marking {
    /// The tightest TLP of the object and of its granular markings; `None` when the object names none.
    pub tlp: Option<Tlp>,
    /// It refers to marking-definitions other than TLP: statements, PAP, caveats. Their text travels; a caveat that
    /// does not resolve here keeps the object from being shared onward.
    pub others: bool,
}

/// The effective marking of an object's marking references (object and granular ones alike: the tightest holds).
pub fn effective_marking<'a>(refs: impl IntoIterator<Item = &'a str>) -> Marking {
    let mut marking = Marking { tlp: None, others: false };
    for id in refs {
        match Tlp::from_definition_id(id) {
            Some(tlp) => marking.tlp = marking.tlp.max(Some(tlp)),
            None => marking.others = true,
        }
    }
    marking
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_of_several_markings_holds() {
        let m =
            effective_marking([Tlp::Green.definition_id(), "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]);
        assert_eq!(m.tlp, Some(Tlp::Red));
        assert!(effective_marking(["marking-definition--00000000-0000-4000-8000-000000000001"]).others);
    }

    #[test]
    fn every_colour_survives_its_own_text_and_id() {
        for tlp in Tlp::ALL {
            assert_eq!(tlp.as_str().parse::<Tlp>().unwrap(), tlp);
            assert_eq!(Tlp::from_definition_id(tlp.definition_id()), Some(tlp));
            assert_eq!(Tlp::from_level(tlp.level()), tlp);
        }
    }
}
