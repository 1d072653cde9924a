//! The kinds of entry this room owns, versioned. A line of every version ever written stands in `tests/corpus`.
use serde::{Deserialize, Serialize};

/// A STIX object, byte for byte as received.
pub const STIX: &str = "stix";
/// Another import met what stands already.
pub const SEEN: &str = "seen";
/// An import begins: what it brings names this entry as its cause.
pub const IMPORT: &str = "import";
/// An import ended.
pub const IMPORTED: &str = "imported";
/// A person's word on a selector.
pub const OVERRULE: &str = "overrule";
// The ledger's kinds that this room folds too.
pub use ledger::{EXPUNGE, WITHDRAW};

/// The body of an `import`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Import {
    /// The feed, the file's name, or `form`: never a path, never a person.
    pub source: String,
    /// The format's code.
    pub format: String,
    /// SHA-256 of the input, hexadecimal, where it was known before reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The version of the mapping to STIX.
    #[serde(default)]
    pub mapping: u32,
}

/// The body of an `imported`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Imported {
    /// The `import` entry's id, hexadecimal.
    pub import: String,
    /// Objects that were new.
    pub added: u64,
    /// Objects that stood already.
    pub same: u64,
    /// Records set aside.
    pub aside: u64,
    /// Why the file could not be read to its end, [`crate::Reason::code`]; what stood before the break was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// The body of a `seen`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Seen {
    /// The id of the entry that was met again, hexadecimal.
    pub entry: String,
    /// The object.
    pub object: String,
    /// Its version, µs; `None` for SCOs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// The body of an `overrule`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Overrule {
    /// The selector's kind.
    pub kind: String,
    /// Its normal value.
    pub value: String,
    /// Whether it links.
    pub links: bool,
    /// Why.
    pub reason: String,
    /// It takes back what was said before, and says nothing itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}
