//! A person's decisions about clusters as the ledger keeps them: by names that stay true when a chain is loaded anew, each with
//! author and reason.
use crate::cluster::Rule;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest reason, bytes.
pub const REASON: usize = 1_000;
/// Witnesses that one split excludes.
pub const MOST_WITHOUT: usize = 256;
/// Longest name of an address or a transaction, bytes.
const NAME: usize = 256;

/// The rules by their names on the command line and in the ledger.
pub const RULES: [(&str, Rule); 5] = [
    ("signed-ownership", Rule::SignedOwnership),
    ("controls", Rule::Controls),
    ("multi-input", Rule::MultiInput),
    ("tag", Rule::Tag),
    ("manual", Rule::Manual),
];

/// The rule of that name.
#[must_use]
pub fn rule_named(name: &str) -> Option<Rule> {
    RULES.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule)
}

/// A rule's name.
#[must_use]
pub fn rule_name(rule: Rule) -> &'static str {
    RULES.iter().find(|(_, known)| *known == rule).map_or("", |(name, _)| name)
}

/// Something that unites, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witnessed {
    /// A transaction by its id: as a spend, or by what it records of control.
    Transaction(String),
    /// A whole rule by its name.
    Rule(String),
    /// What a batch of tags unites, by its number.
    Tags(u64),
    /// Another decision by its number: a merge by hand, or any that is undone.
    Decision(u64),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Deed {
    /// Two addresses are one party's.
    Merge {
        /// One address.
        a: String,
        /// The other.
        b: String,
    },
    /// An output is change: its address is the payer's.
    Change {
        /// The transaction.
        transaction: String,
        /// The place of the output.
        output: u32,
    },
    /// Two addresses are not one party's, and these witnesses are therefore wrong.
    Split {
        /// One address.
        a: String,
        /// The other.
        b: String,
        /// What is excluded.
        without: Vec<Witnessed>,
    },
    /// Something unites nothing from now on.
    Exclude {
        /// What.
        what: Witnessed,
    },
    /// Takes an exclusion back.
    Include {
        /// What.
        what: Witnessed,
    },
}

/// The body of a `money-decision`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionBody {
    /// The chain's code.
    pub chain: String,
    /// Why, in the author's words.
    pub reason: String,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// A decision with its number, its author and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its number, by which it is excluded.
    pub number: u64,
    /// Its id, by which it is erased.
    pub id: String,
    /// Who, as the node names them.
    pub author: String,
    /// When: RFC 3339.
    pub when: String,
    /// The decision that undid it; `null` when it counts.
    pub undone_by: Option<u64>,
    /// What and why.
    #[serde(flatten)]
    pub body: DecisionBody,
}

impl DecisionBody {
    /// Whether it can be written down.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.reason.trim().is_empty() || self.reason.len() > REASON {
            return Err(format!("say why, in at most {REASON} bytes"));
        }
        let names: Vec<&str> = match &self.deed {
            Deed::Merge { a, b } | Deed::Split { a, b, .. } => vec![a, b],
            Deed::Change { transaction, .. } => vec![transaction],
            Deed::Exclude { what } | Deed::Include { what } => what.name().into_iter().collect(),
        };
        if names.iter().any(|name| name.is_empty() || name.len() > NAME) {
            return Err(format!("an address or a transaction has 1 to {NAME} characters"));
        }
        match &self.deed {
            Deed::Merge { a, b } | Deed::Split { a, b, .. } if a == b => Err("the two addresses are one".into()),
            Deed::Split { without, .. } if without.is_empty() || without.len() > MOST_WITHOUT => {
                Err(format!("name 1 to {MOST_WITHOUT} witnesses to exclude; `eye money apart` lists them"))
            }
            Deed::Exclude { what: Witnessed::Rule(name) } | Deed::Include { what: Witnessed::Rule(name) }
                if rule_named(name).is_none() =>
            {
                Err(format!("the rules are {}", RULES.map(|(name, _)| name).join(", ")))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Witnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Witnessed::Transaction(id) => write!(f, "transaction {id}"),
            Witnessed::Rule(name) => write!(f, "rule {name}"),
            Witnessed::Tags(batch) => write!(f, "tags of batch {batch}"),
            Witnessed::Decision(number) => write!(f, "decision {number}"),
        }
    }
}

impl Witnessed {
    fn name(&self) -> Option<&str> {
        match self {
            Witnessed::Transaction(name) | Witnessed::Rule(name) => Some(name),
            Witnessed::Tags(_) | Witnessed::Decision(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(deed: Deed) -> DecisionBody {
        DecisionBody { chain: "btc".into(), reason: "EXERCISE".into(), deed }
    }

    #[test]
    fn a_decision_is_written_the_way_it_was_the_first_time() {
        let deeds = [
            (Deed::Merge { a: "A".into(), b: "B".into() }, r#""act":"merge","a":"A","b":"B"}"#),
            (Deed::Change { transaction: "T".into(), output: 1 }, r#""act":"change","transaction":"T","output":1}"#),
            (
                Deed::Split { a: "A".into(), b: "B".into(), without: vec![Witnessed::Transaction("T".into())] },
                r#""act":"split","a":"A","b":"B","without":[{"transaction":"T"}]}"#,
            ),
            (Deed::Exclude { what: Witnessed::Tags(4) }, r#""act":"exclude","what":{"tags":4}}"#),
            (Deed::Include { what: Witnessed::Decision(9) }, r#""act":"include","what":{"decision":9}}"#),
        ];
        for (deed, end) in deeds {
            let text = serde_json::to_string(&body(deed.clone())).unwrap();
            assert_eq!(text, format!(r#"{{"chain":"btc","reason":"EXERCISE",{end}"#));
            assert_eq!(serde_json::from_str::<DecisionBody>(&text).unwrap(), body(deed));
        }
    }

    #[test]
    fn a_decision_without_a_reason_or_about_nothing_is_refused() {
        let wrong = [
            DecisionBody { reason: " ".into(), ..body(Deed::Merge { a: "A".into(), b: "B".into() }) },
            body(Deed::Merge { a: "A".into(), b: "A".into() }),
            body(Deed::Merge { a: String::new(), b: "A".into() }),
            body(Deed::Split { a: "A".into(), b: "B".into(), without: Vec::new() }),
            body(Deed::Exclude { what: Witnessed::Rule("guess".into()) }),
        ];
        assert!(wrong.iter().all(|body| body.check().is_err()));
        assert!(body(Deed::Exclude { what: Witnessed::Rule("multi-input".into()) }).check().is_ok());
    }
}
