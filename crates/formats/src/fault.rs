//! What can be wrong with a record: a code that pages translate, an English sentence for the command line, and what varies.
use std::fmt;

macro_rules! faults {
    ($($name:ident $code:literal $says:literal;)+) => {
        /// What is wrong with a record that was set aside. Its sentence never varies; what does is [`Why::detail`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = $says] $name,)+
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its stable code: lower case, with dashes.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What is wrong and what would be right, in English.
            pub fn says(self) -> &'static str {
                match self { $(Self::$name => $says,)+ }
            }
        }
    };
}

faults! {
    TooLong "too-long" "longer than a record may be (max_object_bytes)";
    TooDeep "too-deep" "nested deeper than may be (max_depth)";
    NotUtf8 "not-utf8" "not valid UTF-8; save the file as UTF-8";
    JsonUnread "json-unread" "it could not be read";
    JsonSyntax "json-syntax" "a syntax error in its JSON";
    JsonType "json-type" "a property of the wrong type";
    JsonCut "json-cut" "its JSON ends too early";
    NoType "no-type" "the object has no `type`; STIX 2.1 requires it";
    NoId "no-id" "the object has no `id`; STIX 2.1 requires it";
    Nested "nested-bundle" "a bundle inside a bundle; hand over its objects";
    IdOfOther "id-of-other-type" "the `id` does not begin with the object's type and two dashes";
    EventShape "event-shape" "an event is an object";
    AttributeShape "attribute-shape" "an attribute needs `type` and `value`";
    ValueOfOther "value-of-other-type" "the value cannot be what its MISP type says";
    TagShape "tag-shape" "a tag is a mapping of fields";
    TagOfNothing "tag-of-nothing" "a tag needs `address` or `tx_hash`";
    TagLabel "tag-label" "a tag needs a `label`, its own or the header's";
    AddressShape "address-shape" "the address is not one word of at most 256 characters";
    ActorId "actor-id" "an actor needs an `id`";
    ActorLabel "actor-label" "an actor needs a `label`";
    PartyName "party-name" "a party without a name";
    RelationShape "relation-shape" "a ProfileRelationship without From-ProfileID, To-ProfileID or RelationTypeID";
    EmptyText "empty-text" "the text is empty";
    LineTooLong "line-too-long" "the line is too long; a list has one value a line";
    NoSelector "no-selector" "neither a domain, URL, address, e-mail address nor wallet with a valid checksum";
    NotQuoted "not-quoted" "a domain in double quotes was expected";
    NotDomain "not-domain" "not a domain name";
    Encoding "encoding" "not valid UTF-8; name the file's encoding in the mapping";
    FieldCount "field-count" "more fields than the header has";
    FieldEmpty "field-empty" "the field is empty; mark the column optional if it may be";
    NotAWord "not-a-word" "not one of the mapping's words";
    NotADate "not-a-date" "not a date as the mapping says";
    Constant "constant" "the mapping's constant is not JSON";
    NotANumber "not-a-number" "not a number";
}

/// Why a record was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What is wrong.
    pub fault: Fault,
    /// Where in the record, or what would be right: numbers, names of the format or of the mapping. Repeats nothing of
    /// the record, and is not translated.
    pub detail: String,
}

impl Why {
    /// A fault with what varies.
    pub fn new(fault: Fault, detail: impl Into<String>) -> Self {
        Self { fault, detail: detail.into() }
    }

    /// What serde_json could not read. Its own words may repeat values of the record; its category and place do not.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        let fault = match error.classify() {
            serde_json::error::Category::Io => Fault::JsonUnread,
            serde_json::error::Category::Syntax => Fault::JsonSyntax,
            serde_json::error::Category::Data => Fault::JsonType,
            serde_json::error::Category::Eof => Fault::JsonCut,
        };
        Self::new(fault, format!("{}:{}", error.line(), error.column()))
    }
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self::new(fault, "")
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.says())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_faults_share_a_code() {
        let codes: std::collections::BTreeSet<&str> = Fault::ALL.iter().map(|f| f.code()).collect();
        assert_eq!(codes.len(), Fault::ALL.len());
        assert!(codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')));
    }
}
