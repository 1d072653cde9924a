//! What the decisions come to: which of them count, and what of the evidence they switch off or add.
use super::decision::{Decision, Deed, Witnessed, rule_named};
use super::view::Named;
use crate::cluster::accounts::Excluded;
use crate::cluster::{CoSpends, Link, Rule};
use crate::columns::{NOBODY, UNKNOWN};
use crate::tags::TagEvidence;
use std::collections::{BTreeMap, BTreeSet};

/// Decisions that another one undid, each with the one that did. A decision counts unless the last one that counts and speaks of it
/// excludes it.
#[must_use]
pub fn undone(decisions: &[Decision]) -> BTreeMap<u64, u64> {
    let mut last: BTreeMap<u64, (u64, bool)> = BTreeMap::new();
    for decision in decisions.iter().rev() {
        let own = decision.number;
        let (number, on) = match &decision.body.deed {
            Deed::Exclude { what: Witnessed::Decision(number) } => (*number, false),
            Deed::Include { what: Witnessed::Decision(number) } => (*number, true),
            _ => continue,
        };
        let counts = last.get(&own).is_none_or(|(_, on)| *on);
        if counts && number < own {
            last.entry(number).or_insert((own, on));
        }
    }
    last.into_iter().filter(|(_, (_, on))| !on).map(|(number, (by, _))| (number, by)).collect()
}

/// What counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Transactions, rules and batches of tags that are excluded.
    pub off: BTreeSet<u64>,
    pub rules: BTreeSet<Rule>,
    pub tags: BTreeSet<u64>,
    /// Decisions that another undid, with that one.
    pub undone: BTreeMap<u64, u64>,
    /// Merges by hand that a split excludes.
    pub parted: BTreeSet<u64>,
    /// What people merged, by decision.
    pub merges: BTreeMap<u64, (u32, u32)>,
    /// What they split.
    pub splits: Vec<(u64, u32, u32)>,
    /// Decisions that name what is not on record here.
    pub idle: Vec<u64>,
}

impl Standing {
    /// Reads the decisions in order: what was decided last holds.
    pub fn read(chain: &Named, decisions: &[Decision]) -> Standing {
        let mut standing = Standing { undone: undone(decisions), ..Standing::default() };
        let numbers: BTreeSet<u64> = decisions.iter().map(|decision| decision.number).collect();
        for decision in decisions {
            let counts = !standing.undone.contains_key(&decision.number);
            if counts && standing.one(chain, decision, &numbers).is_none() {
                standing.idle.push(decision.number);
            }
        }
        standing
    }

    fn one(&mut self, chain: &Named, decision: &Decision, numbers: &BTreeSet<u64>) -> Option<()> {
        let number = decision.number;
        match &decision.body.deed {
            Deed::Merge { a, b } => {
                let pair = (chain.address(a).ok()?, chain.address(b).ok()?);
                self.merges.insert(number, pair);
            }
            Deed::Change { transaction, output } => {
                let pair = change(chain, transaction, *output)?;
                self.merges.insert(number, pair);
            }
            Deed::Split { a, b, without } => {
                let pair = (chain.address(a).ok()?, chain.address(b).ok()?);
                without.iter().try_for_each(|what| self.switch(chain, what, false))?;
                self.splits.push((number, pair.0, pair.1));
            }
            Deed::Exclude { what: Witnessed::Decision(of) } => return numbers.contains(of).then_some(()),
            Deed::Include { what: Witnessed::Decision(of) } if !numbers.contains(of) => return None,
            Deed::Exclude { what } => self.switch(chain, what, false)?,
            Deed::Include { what } => self.switch(chain, what, true)?,
        }
        Some(())
    }

    /// Switches one thing off or on; `None` when it is not on record here.
    pub fn switch(&mut self, chain: &Named, what: &Witnessed, on: bool) -> Option<()> {
        match what {
            Witnessed::Transaction(id) => set(&mut self.off, chain.transaction(id).ok()?, on),
            Witnessed::Rule(name) => set(&mut self.rules, rule_named(name)?, on),
            Witnessed::Tags(batch) => set(&mut self.tags, *batch, on),
            Witnessed::Decision(number) => set(&mut self.parted, *number, on),
        }
        Some(())
    }

    /// What is no witness of control.
    pub fn excluded(&self) -> Excluded {
        Excluded { transactions: self.off.clone(), rules: self.rules.clone() }
    }

    /// Links that are there before the chain's own: signatures, merges by hand. What is off is not among them.
    pub fn united(&self, told: &TagEvidence) -> Vec<Link> {
        let signed = told.links.iter().copied().filter(|link| !self.tags.contains(&u64::from(link.source)));
        let merges = self.merges.iter().filter(|(number, _)| !self.parted.contains(number));
        let by_hand = merges.filter_map(|(number, &(a, b))| {
            Some(Link { a, b, rule: Rule::Manual, source: u32::try_from(*number).ok()? })
        });
        signed.chain(by_hand).filter(|link| !self.rules.contains(&link.rule)).collect()
    }

    /// What people said holds no permission up: what follows from it would look as if the chain bound it.
    pub fn before(&self, told: &TagEvidence) -> Vec<Link> {
        self.united(told).into_iter().filter(|link| link.rule != Rule::Manual).collect()
    }
}

fn set<T: Ord>(off: &mut BTreeSet<T>, what: T, on: bool) {
    if on {
        off.remove(&what);
    } else {
        off.insert(what);
    }
}

/// The payer's address and the change's; none of a transaction that may have several payers.
pub(super) fn change(chain: &Named, transaction: &str, output: u32) -> Option<(u32, u32)> {
    let Named::Utxo(utxo, _) = chain else { return None };
    let tx = chain.transaction(transaction).ok()?;
    let outputs = utxo.outputs_of(tx);
    let at = outputs.start.checked_add(u64::from(output)).filter(|at| outputs.contains(at))?;
    let (to, _) = utxo.output(at).filter(|(to, _)| *to != NOBODY)?;
    let payers = utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).map(|input| input.address);
    let payers: BTreeSet<u32> = payers.filter(|address| *address != UNKNOWN).collect();
    let one = payers.len() == 1 || CoSpends::unites(utxo, tx);
    Some((payers.first().copied().filter(|_| one)?, to))
}
