//! What is answered, as structs to print.
use super::decision::{Witnessed, rule_name};
use super::view::View;
use crate::chain::{Error, Result};
use crate::cluster::accounts::{Missing, Pooled, Swept};
use crate::cluster::{Class, Rule, Step, Witness, contradictions, measured, weakest};
use crate::columns::UNKNOWN;
use serde::Serialize;
use std::collections::BTreeMap;

/// What there is of a chain.
#[derive(Debug, Serialize)]
pub struct ClusterLine {
    /// The chain's code.
    pub chain: String,
    /// Addresses, and clusters of them; an address alone is one.
    pub addresses: u64,
    /// See `addresses`.
    pub clusters: u32,
    /// Addresses of the largest cluster.
    pub largest: u32,
    /// Unions by their rule.
    pub unions: BTreeMap<&'static str, u64>,
    /// Transactions that unite nothing because of their shape, by why.
    pub apart: BTreeMap<&'static str, u64>,
    /// Inputs whose address is not on record.
    pub hidden_inputs: u64,
    /// Deposit addresses of tagged services.
    pub customers: u64,
    /// Pools that nobody tagged, and addresses emptied to them.
    pub pools: u64,
    /// See `pools`.
    pub pooled: u64,
    /// Clusters that hold two parties.
    pub contradictions: u64,
    /// Splits that something joins again, by the numbers of their decisions.
    pub broken_splits: Vec<u64>,
    /// Decisions that name what is not on record here.
    pub idle_decisions: Vec<u64>,
    /// What rules would need and do not have: that they find nothing means nothing.
    pub missing: Vec<String>,
}

/// One address.
#[derive(Debug, Serialize)]
pub struct AddressLine {
    /// The address.
    pub address: String,
    /// The address that names its cluster, and how many are in it.
    pub cluster: String,
    /// See `cluster`.
    pub size: u64,
    /// Parties that tags name in the cluster.
    pub parties: Vec<HeldLine>,
    /// Addresses of the cluster, this page of them.
    pub members: Vec<String>,
    /// Where the next page begins; `null` at the end.
    pub next: Option<u64>,
    /// Whose customers pay in here.
    pub customer_of: Option<CustomerLine>,
    /// Which addresses it is pooled with.
    pub pooled_with: Option<PooledLine>,
    /// What is emptied to it.
    pub pool_of: Option<PooledLine>,
}

/// A party that tags name.
#[derive(Debug, Serialize)]
pub struct HeldLine {
    /// The party, as tags name it.
    pub party: String,
    /// No tag of it names the chain: it may be meant of another one of Ethereum's kind.
    pub unnamed_chain: bool,
}

/// How a deposit address is emptied.
#[derive(Debug, Serialize)]
pub struct CustomerLine {
    /// The service, as tags name it.
    pub service: String,
    /// Always `attributed`: a rule finds the sweeps, and a tag says whose they are.
    pub class: &'static str,
    /// How often the rule is wrong.
    pub measured: String,
    /// Transactions of the first and the last sweep.
    pub sweeps: [String; 2],
    /// Who signs them.
    pub sweeper: String,
    /// Who pays the gas, and the first transaction that does.
    pub funder: Option<[String; 2]>,
}

/// A pool and what is emptied to it.
#[derive(Debug, Serialize)]
pub struct PooledLine {
    /// The pool.
    pub pool: String,
    /// What it is as long as no tag says whose.
    pub hypothesis: &'static str,
    /// Always `inferred`.
    pub class: &'static str,
    /// How often the rule is wrong.
    pub measured: String,
    /// How many addresses.
    pub size: u64,
    /// Some of them, each with the transaction of its first sweep, who ties it to the others, and how.
    pub members: Vec<[String; 4]>,
}

/// One step of a proof.
#[derive(Debug, Serialize)]
pub struct StepLine {
    /// From this address
    pub from: String,
    /// to this.
    pub to: String,
    /// What kind of statement: recorded, bound, inferred, attributed, asserted.
    pub class: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// What proves it.
    pub witness: Witnessed,
    /// How often the rule is wrong, of rules that infer; else `null`.
    pub measured: Option<String>,
    /// Who decided, and why, of decisions.
    pub author: Option<String>,
    /// See `author`.
    pub reason: Option<String>,
}

/// Why two addresses are together.
#[derive(Debug, Serialize)]
pub struct WhyLine {
    /// The weakest class of the chain: what the answer is.
    pub class: Option<&'static str>,
    /// Of all chains the one with the best weakest link.
    pub chain: Vec<StepLine>,
    /// The fewest witnesses; `null` when the search met its limit.
    pub shortest: Option<Vec<StepLine>>,
}

/// What would part two addresses.
#[derive(Debug, Serialize)]
pub struct Apart {
    /// The witnesses to exclude.
    pub without: Vec<Witnessed>,
    /// Whether no smaller list does it.
    pub fewest: bool,
}

/// A cluster that holds two parties.
#[derive(Debug, Serialize)]
pub struct ContradictionLine {
    /// The address that names the cluster.
    pub cluster: String,
    /// Its parties.
    pub parties: Vec<PartyLine>,
}

/// A party with one of its addresses.
#[derive(Debug, Serialize)]
pub struct PartyLine {
    /// The party, as tags name it.
    pub party: String,
    /// One of its addresses in the cluster.
    pub address: String,
    /// No tag of it names the chain: it may be meant of another one of Ethereum's kind.
    pub unnamed_chain: bool,
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Recorded => "recorded",
        Class::Bound => "bound",
        Class::Inferred => "inferred",
        Class::Attributed => "attributed",
        Class::Asserted => "asserted",
    }
}

pub(super) fn wrong(error: &crate::cluster::Error) -> Error {
    use crate::cluster::Error as Cluster;
    Error::Unknown(match error {
        Cluster::Different(..) => "the two addresses are in different clusters: nothing that counts joins them".into(),
        other => other.to_string(),
    })
}

/// What is missing, in words.
fn says(missing: Missing) -> String {
    match missing {
        Missing::Services => "no tag names a service of this chain: customers cannot be told (`eye money doctor`)".into(),
        Missing::Signers => "no transaction says who signed it: who empties what cannot be told".into(),
        Missing::Calls(blocks) => {
            format!("{blocks} blocks have no calls: contracts' makers, and coins that contracts moved, are not on record")
        }
        Missing::Logs(blocks) => format!("{blocks} blocks have no logs: owners of Safes and tokens are not on record"),
        Missing::Permissions => {
            "no owner, key or administrator is on record: give a dump's logs or its file of permissions, or load from a node".into()
        }
    }
}

impl View<'_> {
    pub(super) fn label(&self, address: u32) -> u32 {
        self.book.clusters().label(address).unwrap_or(address)
    }

    fn party(&self, number: u32) -> String {
        self.tags.parties.get(number as usize).cloned().unwrap_or_default()
    }

    /// The chain's clusters in numbers.
    #[must_use]
    pub fn summary(&self, code: &str) -> ClusterLine {
        let clusters = self.book.clusters();
        let mut sizes = vec![0_u32; clusters.labels().len()];
        for label in clusters.labels() {
            if let Some(size) = sizes.get_mut(*label as usize) {
                *size += 1;
            }
        }
        let mut unions = BTreeMap::new();
        if !clusters.spend_log().is_empty() {
            unions.insert(rule_name(Rule::MultiInput), clusters.spend_log().len() as u64);
        }
        let links = &self.book.evidence().links;
        for link in clusters.link_log().iter().filter_map(|link| links.get(*link as usize)) {
            *unions.entry(rule_name(link.rule)).or_insert(0) += 1;
        }
        ClusterLine {
            chain: code.to_owned(),
            addresses: self.chain.addresses(),
            clusters: clusters.count(),
            largest: sizes.iter().copied().max().unwrap_or(0),
            unions,
            apart: self.spends.reasons.iter().map(|(why, n)| (why.name(), *n)).collect(),
            hidden_inputs: self.spends.hidden,
            customers: self.derived.customers.len() as u64,
            pools: self.derived.pools.len() as u64,
            pooled: self.derived.pools.iter().map(|pool| pool.members.len() as u64).sum(),
            contradictions: contradictions(clusters, &self.tags.attributions).len() as u64,
            broken_splits: self.broken().map(|(number, ..)| number).collect(),
            idle_decisions: self.idle().to_vec(),
            missing: self.derived.missing.iter().copied().map(says).collect(),
        }
    }

    /// What is known of one address: its cluster, a page of so many of its addresses from a place on, its relations.
    ///
    /// # Errors
    /// The address is not on record.
    pub fn of(&self, address: &str, (from, limit): (u64, u64)) -> Result<AddressLine> {
        let number = self.chain.address(address)?;
        let label = self.label(number);
        let members = self.book.clusters().members(&[label]);
        let (skip, take) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
        let end = from.saturating_add(limit);
        let customer = self.derived.customers.iter().find(|one| one.swept.account == number);
        let pool = self.derived.pools.iter().find(|pool| pool.members.iter().any(|(one, _)| one.account == number));
        let filled = self.derived.pools.iter().find(|pool| pool.to == number);
        let pools = pool.into_iter().chain(filled).map(|pool| pool.members.len());
        let longest = pools.max().unwrap_or(0).max(members.len());
        let pooled = |pool: &crate::cluster::accounts::Pool| PooledLine {
            pool: self.chain.text(pool.to),
            hypothesis: "collection, or a service that nobody tagged",
            class: class_name(Class::Inferred),
            measured: measured::pooled().to_string(),
            size: pool.members.len() as u64,
            members: pool.members.iter().skip(skip).take(take).map(|(one, why)| self.member(one, *why)).collect(),
        };
        Ok(AddressLine {
            address: self.chain.text(number),
            cluster: self.chain.text(label),
            size: members.len() as u64,
            parties: (self.held(label).into_iter())
                .map(|(party, unnamed_chain)| HeldLine { party: self.party(party), unnamed_chain })
                .collect(),
            members: members.iter().skip(skip).take(take).map(|one| self.chain.text(*one)).collect(),
            // The page is of each of the three lists.
            next: (end < longest as u64).then_some(end),
            customer_of: customer.map(|one| self.customer(&one.swept, one.party)),
            pooled_with: pool.map(pooled),
            pool_of: filled.map(pooled),
        })
    }

    /// Parties that tags name in a cluster, and whether none of a party's tags names the chain.
    fn held(&self, label: u32) -> BTreeMap<u32, bool> {
        let mut held = BTreeMap::new();
        let said = self.tags.attributions.iter().filter(|said| !said.coinjoin && self.label(said.address) == label);
        for said in said {
            *held.entry(said.party).or_insert(true) &= said.unnamed_chain;
        }
        held
    }

    fn customer(&self, swept: &Swept, party: u32) -> CustomerLine {
        let (first, last) = swept.sweeps;
        CustomerLine {
            service: self.party(party),
            class: class_name(Class::Attributed),
            measured: measured::customers().to_string(),
            sweeps: [self.chain.id(first), self.chain.id(last)],
            sweeper: self.chain.text(swept.sweeper),
            funder: (swept.funder != UNKNOWN).then(|| [self.chain.text(swept.funder), self.chain.id(swept.funded_in)]),
        }
    }

    fn member(&self, swept: &Swept, why: Pooled) -> [String; 4] {
        let (who, how) = match why {
            Pooled::Funder(funder) => (funder, "pays its gas"),
            Pooled::Sweeper(sweeper) => (sweeper, "made and empties it"),
        };
        [self.chain.text(swept.account), self.chain.id(swept.sweeps.0), self.chain.text(who), how.into()]
    }

    /// Why two addresses are together.
    ///
    /// # Errors
    /// They are not, or one is not on record.
    pub fn why(&self, a: &str, b: &str) -> Result<WhyLine> {
        let (a, b) = (self.chain.address(a)?, self.chain.address(b)?);
        let why = self.book.why(a, b).map_err(|error| wrong(&error))?;
        let lines = |steps: &[Step]| steps.iter().map(|step| self.step(step)).collect::<Vec<_>>();
        Ok(WhyLine {
            class: weakest(&why.chain).map(class_name),
            chain: lines(&why.chain),
            shortest: why.shortest.as_deref().map(lines),
        })
    }

    fn step(&self, step: &Step) -> StepLine {
        let witness = self.witness(step.witness);
        let decision = match &witness {
            Witnessed::Decision(number) => self.decisions.iter().find(|one| one.number == *number),
            _ => None,
        };
        StepLine {
            from: self.chain.text(step.from),
            to: self.chain.text(step.to),
            class: class_name(step.class),
            rule: rule_name(step.rule),
            measured: matches!(step.rule, Rule::MultiInput | Rule::Controls)
                .then(|| self.book.measured(step.rule).to_string()),
            author: decision.map(|one| one.author.clone()),
            reason: decision.map(|one| one.body.reason.clone()),
            witness,
        }
    }

    pub(super) fn witness(&self, witness: Witness) -> Witnessed {
        match witness {
            Witness::Spend { transaction, .. } => Witnessed::Transaction(self.chain.id(u64::from(transaction))),
            Witness::Link(number) => match self.book.evidence().links.get(number as usize) {
                Some(link) if link.rule == Rule::Controls => {
                    Witnessed::Transaction(self.chain.id(u64::from(link.source)))
                }
                Some(link) if link.rule == Rule::Manual => Witnessed::Decision(u64::from(link.source)),
                Some(link) => Witnessed::Tags(u64::from(link.source)),
                None => Witnessed::Rule(String::new()),
            },
        }
    }

    /// Clusters that hold two parties, a page of them.
    #[must_use]
    pub fn contradictions(&self, (from, limit): (usize, usize)) -> (usize, Vec<ContradictionLine>) {
        let all = contradictions(self.book.clusters(), &self.tags.attributions);
        let line = |found: &crate::cluster::Contradiction| {
            let held = self.held(found.cluster);
            let party = |&(party, address): &(u32, u32)| PartyLine {
                party: self.party(party),
                address: self.chain.text(address),
                unnamed_chain: held.get(&party).copied().unwrap_or(false),
            };
            let parties = found.parties.iter().map(party).collect();
            ContradictionLine { cluster: self.chain.text(found.cluster), parties }
        };
        (all.len(), all.iter().skip(from).take(limit).map(line).collect())
    }
}
