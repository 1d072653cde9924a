//! What a scan gives back.

use crate::Kind;
use std::ops::Range;

/// What the caller knows about where a text comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// ISO 3166-1 alpha-2 country of the report; national telephone forms are read with it.
    pub country: Option<&'a str>,
}

impl<'a> Hints<'a> {
    /// Hints of a report from `country` (ISO 3166-1 alpha-2).
    pub const fn country(country: &'a str) -> Self {
        Hints { country: Some(country) }
    }
}

/// Whether a selector may join two objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Stored, shown with its reason, never joins: the checksum fails, or the value is a placeholder.
    Never,
    /// Stored and shown; joins only as supporting evidence beside another selector.
    Weak,
    /// May link two objects by itself.
    Links,
}

/// Circumstances of a finding, as a small set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// Nothing special.
    pub const NONE: Flags = Flags(0);
    /// It was written defanged, in native digits, full-width or styled letters.
    pub const OBFUSCATED: Flags = Flags(1);
    /// An internationalised name that can be mistaken for an ASCII one (UTS 39 skeleton).
    pub const CONFUSABLE: Flags = Flags(2);
    /// The country of a national telephone form was inferred from the language of its cue word.
    pub const ASSUMED_COUNTRY: Flags = Flags(4);
    /// A cue word stood before it.
    pub const CUED: Flags = Flags(8);
    /// A URL written without its scheme; `http` was assumed.
    pub const ASSUMED_SCHEME: Flags = Flags(16);
    /// It comes from a field that names its kind, not from text.
    pub const TYPED: Flags = Flags(32);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The bits, as stored.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// The normal form, which two agencies that write it differently agree on.
    pub value: String,
    /// Where it stands, in bytes of the text that was scanned; empty for values of typed fields.
    pub span: Range<usize>,
    /// Whether it may link.
    pub strength: Strength,
    /// Why it does not link (fully), in words for the page; empty when it links.
    pub why: &'static str,
    /// How it was written.
    pub flags: Flags,
}

impl Found {
    pub(crate) fn links(kind: Kind, value: impl Into<String>) -> Found {
        Found { kind, value: value.into(), span: 0..0, strength: Strength::Links, why: "", flags: Flags::NONE }
    }

    pub(crate) fn weak(kind: Kind, value: impl Into<String>, why: &'static str) -> Found {
        Found { strength: Strength::Weak, why, ..Found::links(kind, value) }
    }

    pub(crate) fn never(kind: Kind, value: impl Into<String>, why: &'static str) -> Found {
        Found { strength: Strength::Never, why, ..Found::links(kind, value) }
    }

    pub(crate) fn at(mut self, span: Range<usize>) -> Found {
        self.span = span;
        self
    }

    pub(crate) fn flag(mut self, flag: Flags) -> Found {
        self.flags = self.flags.with(flag);
        self
    }
}

/// Why a value cannot be read as the kind that its field names. The value itself is not repeated: it may be personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is left after trimming.
    #[error("the value is empty: leave the field out instead")]
    Empty,
    /// Longer than any value of the kind (limit: 4,096 bytes).
    #[error("the value is longer than 4,096 bytes: no {0} is; check the column mapping")]
    TooLong(Kind),
    /// It does not have the shape of the kind.
    #[error("not a {0}: {1}")]
    Shape(Kind, &'static str),
}
