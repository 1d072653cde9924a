//! What can be switched off. Who decided so, and why, is kept elsewhere (`ask`, and the ledger).
use super::Rule;

/// What can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// A transaction unites nothing.
    Transaction(u32),
    /// One link, by its number.
    Link(u32),
    /// All links of one batch of tags: what they name, and what its signatures prove.
    Tag(u32),
    /// A whole rule.
    Rule(Rule),
}
