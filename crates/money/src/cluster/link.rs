//! Merges that no spend shows: controls, signed ownership, tags, a person's decision.
use super::{Class, Rule};

/// One reason to unite two addresses, apart from spending them together. Links are numbered by their place in the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// One address.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// Which rule.
    pub rule: Rule,
    /// What brought it: number of the tag, of the permission's transaction, or of the person's operation.
    pub source: u32,
}

impl Link {
    /// The class of its rule.
    #[must_use]
    pub fn class(&self) -> Class {
        self.rule.class()
    }

    /// The batch of tags that brought it; `None` of what no tag says.
    #[must_use]
    pub fn batch(&self) -> Option<u32> {
        matches!(self.rule, Rule::Tag | Rule::SignedOwnership).then_some(self.source)
    }
}
