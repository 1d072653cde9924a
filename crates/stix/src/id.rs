use crate::Error;

/// A STIX identifier, `object-type--UUID` (STIX 2.1 §2.9), borrowed from the text it stands in.
///
/// ```
/// let id = stix::StixId::parse("note--00000000-0000-4000-8000-000000000001")?;
/// assert_eq!(id.object_type(), "note");
/// # Ok::<(), stix::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StixId<'a> {
    text: &'a str,
    split: usize,
}

impl<'a> StixId<'a> {
    /// Reads an identifier.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the type is not 3 to 250 lower-case letters, digits or hyphens, or the UUID is not RFC 9562's text form.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Invalid { property: "id", why: why.into() };
        let split = text.rfind("--").filter(|_| text.len() <= 300).ok_or_else(|| wrong("write `type--UUID`"))?;
        // A type may itself hold "--" nowhere: STIX 2.1 §11.2 forbids two hyphens in a row.
        let (kind, uuid) = (text.get(..split).unwrap_or(""), text.get(split + 2..).unwrap_or(""));
        let kind_ok = (3..=250).contains(&kind.len())
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !kind_ok {
            return Err(wrong("the part before `--` must be 3 to 250 of a-z, 0-9 and hyphen"));
        }
        if !is_uuid(uuid) {
            return Err(wrong("the part after `--` must be a UUID such as 4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10"));
        }
        Ok(Self { text, split })
    }

    /// The whole text.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// The part before `--`.
    pub fn object_type(self) -> &'a str {
        self.text.get(..self.split).unwrap_or("")
    }

    /// The part after `--`.
    pub fn uuid(self) -> &'a str {
        self.text.get(self.split + 2..).unwrap_or("")
    }

    /// The UUID's version digit, `'4'` for random ones.
    pub fn uuid_version(self) -> Option<char> {
        self.uuid().chars().nth(14)
    }
}

/// Types that STIX 2.1 does not know whose value is personal. Nothing prescribes an id for them, so what we make has a
/// keyed one: a UUIDv5 over a telephone number is found again by trying all numbers.
pub const PERSONAL_OURS: [&str; 3] = ["phone-number", "bank-account", "payment-card"];
/// Types of STIX 2.1 whose value is personal, and whose deterministic id the standard prescribes (§2.9).
pub const PERSONAL_STANDARD: [&str; 2] = ["email-addr", "user-account"];

impl StixId<'_> {
    /// Whether the value behind it can be found by trying: it is a UUIDv5 over a personal value alone.
    ///
    /// ```
    /// let guessable = |id| stix::StixId::parse(id).is_ok_and(|id| id.is_guessable());
    /// assert!(guessable("phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01"));
    /// assert!(!guessable("phone-number--8b0e3a0d-9f4b-4a3c-8d39-6f1f1c1f5a01"));
    /// assert!(!guessable("domain-name--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01"));
    /// ```
    pub fn is_guessable(self) -> bool {
        let kind = self.object_type();
        self.uuid_version() == Some('5') && (PERSONAL_OURS.contains(&kind) || PERSONAL_STANDARD.contains(&kind))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// A UUIDv4-shaped identifier out of 16 bytes that a keyed hash gave: it looks random to everybody without the key,
/// and a second run of the same feed meets the same id again.
pub fn uuid_v4_from(object_type: &str, bytes: [u8; 16]) -> String {
    format!("{object_type}--{}", uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_type_and_a_uuid() {
        for bad in [
            "",
            "--",
            "note",
            "note--",
            "Note--00000000-0000-4000-8000-000000000001",
            "n--00000000-0000-4000-8000-000000000001",
            "note--00000000-0000-4000-8000-00000000000g",
            "note--0000000000000-4000-8000-00000000000011",
        ] {
            assert!(StixId::parse(bad).is_err(), "{bad}");
        }
        let id = StixId::parse("x-a-b--00000000-0000-4000-8000-000000000001").unwrap();
        assert_eq!((id.object_type(), id.uuid_version()), ("x-a-b", Some('4')));
    }
}
