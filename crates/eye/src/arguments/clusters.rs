use super::money::chain_code;
use clap::{Args, Subcommand};
use money::ask::{RULES, Witnessed, rule_named};
use money::chain::ChainCode;

/// What clusters are asked, beside the chains.
#[derive(Debug, Args)]
pub struct MoneyCluster {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// The first address of a page, and of a pool's, from 0.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// So many addresses a page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// An address: its cluster, and what it is to others. Without one: the chain's clusters in numbers.
    pub address: Option<String>,
}

/// Two addresses of a chain.
#[derive(Debug, Args)]
pub struct MoneyPair {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// One address.
    pub a: String,
    /// The other.
    pub b: String,
}

/// `eye money contradictions`.
#[derive(Debug, Args)]
pub struct MoneyContradictions {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// The first of a page, from 0.
    #[arg(long, default_value_t = 0)]
    pub from: usize,
    /// So many a page.
    #[arg(long, default_value_t = 50, value_parser = limit)]
    pub limit: usize,
    /// One JSON document a contradiction.
    #[arg(long)]
    pub json: bool,
}

fn limit(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| "1 to 10000".into())
}

/// `eye money decide`: entries in the ledger, with author and reason.
#[derive(Debug, Subcommand)]
pub enum MoneyDecide {
    /// Two addresses are one party's.
    Merge(Pair),
    /// Two addresses are not: excludes the witnesses that `eye money apart` lists.
    Split(Pair),
    /// An output is change: its address is the payer's.
    Change {
        /// The transaction's id.
        transaction: String,
        /// The place of the output, from 0.
        output: u32,
        /// On which chain, and why.
        #[command(flatten)]
        why: Why,
    },
    /// Something unites nothing from now on.
    Exclude {
        /// What.
        #[command(flatten)]
        what: What,
        /// On which chain, and why.
        #[command(flatten)]
        why: Why,
    },
    /// Takes an exclusion back.
    Include {
        /// What.
        #[command(flatten)]
        what: What,
        /// On which chain, and why.
        #[command(flatten)]
        why: Why,
    },
}

impl MoneyDecide {
    /// On which chain, and why.
    pub fn why(&self) -> &Why {
        match self {
            Self::Merge(pair) | Self::Split(pair) => &pair.why,
            Self::Change { why, .. } | Self::Exclude { why, .. } | Self::Include { why, .. } => why,
        }
    }
}

/// On which chain, and why.
#[derive(Debug, Args)]
pub struct Why {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// Why, in your words; it stands in the ledger.
    #[arg(long)]
    pub reason: String,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Two addresses and why.
#[derive(Debug, Args)]
pub struct Pair {
    /// One address.
    pub a: String,
    /// The other.
    pub b: String,
    /// On which chain, and why.
    #[command(flatten)]
    pub why: Why,
}

/// What is excluded or included: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// A transaction by its id.
    #[arg(long, value_name = "ID")]
    pub transaction: Option<String>,
    /// A rule: signed-ownership, controls, multi-input, tag, manual.
    #[arg(long, value_parser = rule)]
    pub rule: Option<String>,
    /// A batch of tags by its number.
    #[arg(long, value_name = "BATCH")]
    pub tags: Option<u64>,
    /// A decision by its number: it is undone, or counts again.
    #[arg(long, value_name = "NUMBER")]
    pub decision: Option<u64>,
}

impl What {
    /// What it names.
    pub fn witnessed(&self) -> Option<Witnessed> {
        let transaction = || self.transaction.clone().map(Witnessed::Transaction);
        let rule = || self.rule.clone().map(Witnessed::Rule);
        transaction().or_else(rule).or(self.tags.map(Witnessed::Tags)).or(self.decision.map(Witnessed::Decision))
    }
}

fn rule(text: &str) -> Result<String, String> {
    let known = || format!("the rules are {}", RULES.map(|(name, _)| name).join(", "));
    rule_named(text).map(|_| text.to_owned()).ok_or_else(known)
}
