//! A person's decisions about clusters, each with author and reason. Plain values: the ledger keeps them.
use super::Rule;

/// What can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// A transaction unites nothing.
    Transaction(u32),
    /// One link, by its number.
    Link(u32),
    /// All links of one tag.
    Tag(u32),
    /// A whole rule.
    Rule(Rule),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Two addresses are one party's.
    Merge {
        /// One address.
        a: u32,
        /// The other.
        b: u32,
    },
    /// Two addresses are not one party's, and these witnesses are therefore wrong.
    Split {
        /// One address.
        a: u32,
        /// The other.
        b: u32,
        /// What to exclude; `Book::separate` proposes it.
        without: Vec<Exclusion>,
    },
    /// Something unites nothing from now on.
    Exclude(Exclusion),
    /// Takes an exclusion back. A transaction whose shape forbids merging stays off.
    Include(Exclusion),
}

/// An act with who and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Number of the operation; a merge's link names it as its source.
    pub number: u32,
    /// Account number of the author.
    pub author: u32,
    /// Why, in the author's words.
    pub reason: String,
    /// What.
    pub act: Act,
}
