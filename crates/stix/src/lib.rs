//! Owns what STIX 2.1 says about a body: identifiers, instants, markings, references, bundles.
//! Never touches a file, a socket or SQL, and never rewrites a body: what was received is what is kept.
//! Data flows one way: bytes in, a borrowed [`Header`] or an [`Error`] that tells the sender what to mend out.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod bundle;
mod canonical;
mod country;
mod header;
mod id;
mod marking;
mod refs;
mod sco;
mod time;

pub use bundle::{BundleItem, read_bundle, read_envelope};
pub use canonical::{canonical_json, same_json};
pub use country::{Country, NoCountry};
pub use header::{Header, check_shape, parse_header};
pub use id::{PERSONAL_OURS, PERSONAL_STANDARD, StixId, uuid_v4_from};
pub use marking::{Marking, Tlp, effective_marking};
pub use refs::{Ref, refs_of};
pub use sco::{IdCheck, check_deterministic_id, deterministic_id};
pub use time::{Instant, MAX_YEAR};

/// The greatest number of bytes one object may have; larger ones are refused where they enter.
pub const MAX_OBJECT_BYTES: usize = 16 * 1024 * 1024;
/// The deepest nesting an object may have (RFC 8259 §9 lets a reader set one).
pub const MAX_DEPTH: usize = 64;

/// Why a body cannot be taken. Every text says what is wrong and what to do; none repeats the body.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum Error {
    /// Not JSON, or JSON of another shape.
    #[error("not a STIX object: {0}")]
    Syntax(String),
    /// A required property is absent.
    #[error("the object has no `{0}`; STIX 2.1 requires it")]
    Missing(&'static str),
    /// A property is there, but cannot be what it says.
    #[error("`{property}` is not valid: {why}")]
    Invalid {
        /// The property's name.
        property: &'static str,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// A limit was passed.
    #[error("the object is over the limit: {0}")]
    Limit(String),
}

impl Error {
    /// All that [`Error::code`] answers.
    pub const CODES: [&str; 4] = ["not-stix", "missing", "invalid", "over-limit"];

    /// What is wrong, as a stable code for whoever translates it.
    pub fn code(&self) -> &'static str {
        let [syntax, missing, invalid, limit] = Self::CODES;
        match self {
            Self::Syntax(_) => syntax,
            Self::Missing(_) => missing,
            Self::Invalid { .. } => invalid,
            Self::Limit(_) => limit,
        }
    }

    /// What the code leaves open: the property, the parser's words. It is not translated, and repeats no value.
    pub fn detail(&self) -> String {
        match self {
            Self::Syntax(why) | Self::Limit(why) => why.clone(),
            Self::Missing(property) => (*property).to_owned(),
            Self::Invalid { property, why } => format!("{property}: {why}"),
        }
    }
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
