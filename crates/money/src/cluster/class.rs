//! What kind of statement a step is. Never an invented number: a rule's error was measured on a named data set, or it was not.
use std::fmt;

/// The kind of statement a merge rests on, strongest first. A result has its weakest class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Stands on chain as such, or is signed by the key itself.
    Recorded,
    /// Follows from a protocol's rule (owners that meet a Safe's threshold, a TRON owner permission).
    Bound,
    /// A rule's conclusion; its error is measured or said not to be.
    Inferred,
    /// A tag says so; the tag has a source.
    Attributed,
    /// An analyst says so; the entry has author and reason.
    Asserted,
}

/// A rule that may unite addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A message signed by the addresses' keys names their owner (proof of reserves).
    SignedOwnership,
    /// A contract's or account's permission (Safe, TRON permission, forwarder factory plus sweeper, proxy admin).
    Controls,
    /// Inputs of one transaction (Nakamoto 2008, §10), unless its shape forbids it.
    MultiInput,
    /// One party's name on both in a tag.
    Tag,
    /// A person's decision.
    Manual,
}

impl Rule {
    /// The class of what this rule unites.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::SignedOwnership => Class::Recorded,
            Self::Controls => Class::Bound,
            Self::MultiInput => Class::Inferred,
            Self::Tag => Class::Attributed,
            Self::Manual => Class::Asserted,
        }
    }
}

/// Wrong merges among merges judged, on a named data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRate {
    /// Merges found wrong.
    pub wrong: u64,
    /// Merges judged.
    pub of: u64,
    /// The data set, as it can be found again.
    pub data_set: String,
}

impl ErrorRate {
    /// 95 % interval of the share of wrong merges (Wilson 1927); the whole of 0 to 1 when nothing was judged.
    ///
    /// ```
    /// let none_in_a_hundred = money::cluster::ErrorRate { wrong: 0, of: 100, data_set: "EXERCISE 7".into() };
    /// let (low, high) = none_in_a_hundred.interval();
    /// assert!(low == 0.0 && high > 0.03 && high < 0.04);
    /// ```
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (n, z) = (self.of as f64, 1.959_964);
        let p = self.wrong.min(self.of) as f64 / n;
        let (mid, half) = (p + z * z / (2.0 * n), z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt());
        let whole = 1.0 + z * z / n;
        (((mid - half) / whole).max(0.0), ((mid + half) / whole).min(1.0))
    }
}

/// Whether a rule's error is known.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Measured {
    /// Nobody judged this rule's merges.
    #[default]
    No,
    /// Judged on a data set.
    Rate(ErrorRate),
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("not measured"),
            Self::Rate(rate) => {
                let (low, high) = rate.interval();
                let ErrorRate { wrong, of, data_set } = rate;
                write!(f, "{wrong} of {of} wrong on {data_set} (95 %: {:.2}-{:.2} %)", low * 100.0, high * 100.0)
            }
        }
    }
}

/// What proves one merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Witness {
    /// A transaction that spends both addresses, and the ordinal of the input that brought the second one.
    Spend {
        /// Number of the transaction.
        transaction: u32,
        /// Ordinal of the input among all inputs.
        input: u32,
    },
    /// A link that is no spend, by its number.
    Link(u32),
}

/// One step of an answer: these two addresses are one party's, because of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the step starts.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
    /// What proves it.
    pub witness: Witness,
    /// Which rule.
    pub rule: Rule,
    /// The rule's class.
    pub class: Class,
}

/// The class of a whole answer: its weakest step's. `None` without steps (an address and itself need no proof).
#[must_use]
pub fn weakest(steps: &[Step]) -> Option<Class> {
    steps.iter().map(|s| s.class).max()
}
