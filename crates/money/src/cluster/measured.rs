//! The measured error of each rule: `bench money-truth` on worlds of judging seeds, which no rule was tuned on. It says how often
//! the rule is wrong in those worlds, and nothing of chains that hold what they do not.
//!
//! The numbers stand in `measured.toml`, which `bench money-truth --write` makes; a test refuses one that belongs to other rules.
use super::{ErrorRate, Measured, Rule};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What was measured, as the file has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// What the rates were measured on.
    pub data_set: String,
    /// [`version`] of the rules that were measured.
    pub rules_version: String,
    /// By the rule's name.
    pub rules: BTreeMap<String, Rate>,
}

/// Wrong conclusions among those judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Found wrong.
    pub wrong: u64,
    /// Judged.
    pub of: u64,
    /// The 95 % interval of the share of wrong ones (Wilson 1927).
    pub interval: (f64, f64),
}

/// The file as it was compiled in.
pub const FILE: &str = include_str!("measured.toml");

/// What the rules are made of.
const RULES: [&str; 8] = [
    include_str!("shape.rs"),
    include_str!("cospends.rs"),
    include_str!("accounts/controls.rs"),
    include_str!("accounts/known.rs"),
    include_str!("accounts/mod.rs"),
    include_str!("accounts/moves.rs"),
    include_str!("accounts/params.rs"),
    include_str!("accounts/relations.rs"),
];

static TRUTH: LazyLock<Truth> = LazyLock::new(|| read(FILE).unwrap_or_default());

/// Reads a file of rates.
///
/// # Errors
/// It is not such a file.
pub fn read(text: &str) -> Result<Truth, toml::de::Error> {
    toml::from_str(text)
}

impl Truth {
    /// As a file of rates.
    ///
    /// # Errors
    /// A number that such a file cannot hold.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

/// Which rules these are: the first half of the SHA-256 of their text without comments and white space, in hex.
#[must_use]
pub fn version() -> String {
    let mut hash = Sha256::new();
    let lines = RULES.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.starts_with("//"));
    lines.flat_map(str::split_whitespace).for_each(|word| hash.update(word));
    let mut text = ::hex::encode(hash.finalize());
    text.truncate(32);
    text
}

fn rate(rule: &str) -> Measured {
    let rate = TRUTH.rules.get(rule).filter(|rate| rate.of > 0);
    rate.map_or(Measured::No, |rate| {
        Measured::Rate(ErrorRate { wrong: rate.wrong, of: rate.of, data_set: TRUTH.data_set.clone() })
    })
}

/// Rules whose unions were judged.
pub fn rates() -> impl Iterator<Item = (Rule, Measured)> {
    [(Rule::Controls, "controls"), (Rule::MultiInput, "multi-input")].into_iter().map(|(rule, name)| (rule, rate(name)))
}

/// *Customer of*, by its addresses.
#[must_use]
pub fn customers() -> Measured {
    rate("customer of")
}

/// *Pooled with*, by its addresses.
#[must_use]
pub fn pooled() -> Measured {
    rate("pooled with")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_belong_to_these_rules_and_each_has_its_interval() {
        let truth = read(FILE).unwrap();
        assert_eq!(
            truth.rules_version,
            version(),
            "a rule changed since its error was measured: `cargo run -p bench --release -- money-truth --write \
             crates/money/src/cluster/measured.toml`"
        );
        for rule in ["controls", "multi-input", "customer of", "pooled with"] {
            let rate = truth.rules.get(rule).unwrap();
            let (low, high) = ErrorRate { wrong: rate.wrong, of: rate.of, data_set: String::new() }.interval();
            assert!(
                rate.of > 0 && (rate.interval.0 - low).abs() < 1e-5 && (rate.interval.1 - high).abs() < 1e-5,
                "{rule}"
            );
        }
        assert!(rates().all(|(_, measured)| measured != Measured::No));
    }

    #[test]
    fn a_file_of_something_else_is_no_file_of_rates() {
        assert!(read("data_set = 1").is_err() && read("rules_version = \"x\"\nother = 1").is_err());
    }
}
