//! The measured error of each rule: `bench money-truth` on worlds of judging seeds, which no rule was tuned on. It says how often
//! the rule is wrong in those worlds, and nothing of chains that hold what they do not.
use super::{ErrorRate, Measured, Rule};

/// What the rates were measured on.
const DATA_SET: &str = "EXERCISE money, seeds 1001-1020";

/// Rules whose unions were judged.
pub fn rates() -> [(Rule, Measured); 2] {
    [(Rule::Controls, controls()), (Rule::MultiInput, multi_input())]
}

fn rate(wrong: u64, of: u64) -> Measured {
    Measured::Rate(ErrorRate { wrong, of, data_set: DATA_SET.into() })
}

/// *Controls*, by its unions.
#[must_use]
pub fn controls() -> Measured {
    rate(0, 11_998)
}

/// Inputs of one transaction, by its unions.
#[must_use]
pub fn multi_input() -> Measured {
    rate(118, 156_595)
}

/// *Customer of*, by its addresses.
#[must_use]
pub fn customers() -> Measured {
    rate(6, 21_026)
}

/// *Pooled with*, by its addresses.
#[must_use]
pub fn pooled() -> Measured {
    rate(0, 23_170)
}
