//! Evidence, its solution, and the indexes that answer for it, kept level with what is switched off and on.
use super::forest::Forest;
use super::solve::{find, unite};
use super::{
    AddressIndex, Class, Clusters, Cut, Error, Evidence, Exclusion, Link, Measured, Rule, Spends, Step, TransactionSet,
};
use super::{cut, path, weakest};
use std::collections::{BTreeMap, BTreeSet};

/// Ways a cut looks for before it gives the simple list.
const MOST_WAYS: usize = 256;

/// Clusters with everything needed to ask why, and to change what unites.
#[derive(Clone, Debug)]
pub struct Book<'a> {
    evidence: Evidence<'a>,
    /// Transactions whose shape forbids merging; nothing switches them on.
    by_shape: TransactionSet,
    clusters: Clusters,
    index: AddressIndex,
    forest: Forest,
    measured: BTreeMap<Rule, Measured>,
}

/// Why two addresses are together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Along the union log: of all chains the one with the best weakest link.
    pub chain: Vec<Step>,
    /// The fewest witnesses, over all that are enabled; `None` when the search met its limit.
    pub shortest: Option<Vec<Step>>,
    /// Weakest class of the chain: what the answer is. `None` for an address and itself.
    pub class: Option<Class>,
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Labels of the clusters it touched, before.
    pub before: Vec<u32>,
    /// Labels of the clusters these addresses are in, after.
    pub after: Vec<u32>,
    /// Addresses solved again.
    pub addresses: usize,
}

impl<'a> Book<'a> {
    /// Solves the evidence and builds the indexes: 24 B an address and 4 B an input besides the evidence, all anonymous, and half of
    /// that again while it builds. What is off in the evidence is off by its shape and stays so.
    ///
    /// # Errors
    /// [`Error::Torn`], [`Error::Address`] when the evidence does not fit together.
    pub fn open(evidence: Evidence<'a>) -> Result<Self, Error> {
        let by_shape = evidence.off.clone();
        Self::open_without(evidence, by_shape)
    }

    /// As [`Book::open`], where of what is off only `by_shape` is off for good.
    ///
    /// # Errors
    /// Those of [`Book::open`].
    pub fn open_without(evidence: Evidence<'a>, by_shape: TransactionSet) -> Result<Self, Error> {
        let clusters = Clusters::solve(&evidence)?;
        let index = AddressIndex::build(evidence.spends, &evidence.links)?;
        let forest = Forest::build(&evidence, &clusters)?;
        Ok(Self { evidence, by_shape, clusters, index, forest, measured: BTreeMap::new() })
    }

    /// Whether a transaction unites nothing because of its shape.
    #[must_use]
    pub fn is_apart(&self, transaction: u32) -> bool {
        self.by_shape.holds(transaction)
    }

    /// The clusters as they are now.
    #[must_use]
    pub fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// What is united and what is off.
    #[must_use]
    pub fn evidence(&self) -> &Evidence<'a> {
        &self.evidence
    }

    /// The chain's spends.
    #[must_use]
    pub fn spends(&self) -> Spends<'a> {
        self.evidence.spends
    }

    /// The error of a rule, as measured; "not measured" until it is told.
    #[must_use]
    pub fn measured(&self, rule: Rule) -> Measured {
        self.measured.get(&rule).cloned().unwrap_or_default()
    }

    /// Tells a rule's measured error.
    pub fn measure(&mut self, rule: Rule, measured: Measured) {
        self.measured.insert(rule, measured);
    }

    /// Why two addresses are together.
    ///
    /// # Errors
    /// [`Error::Different`] when they are not, [`Error::Address`] when one is unknown.
    pub fn why(&self, a: u32, b: u32) -> Result<Why, Error> {
        if self.label(a)? != self.label(b)? {
            return Err(Error::Different(a, b));
        }
        let chain = self.forest.chain(&self.evidence, a, b)?;
        let shortest = match path::shortest(&self.evidence, &self.index, a, b) {
            Ok(steps) => Some(steps),
            Err(Error::TooWide(_)) => None,
            Err(other) => return Err(other),
        };
        let class = weakest(&chain);
        Ok(Why { chain, shortest, class })
    }

    /// "A and B are not one": the witnesses to exclude. Nothing is changed; [`Book::exclude`] takes the list.
    ///
    /// # Errors
    /// [`Error::Different`] when they are apart already.
    pub fn separate(&self, a: u32, b: u32) -> Result<Cut, Error> {
        if self.label(a)? != self.label(b)? {
            return Err(Error::Different(a, b));
        }
        cut::separate(&self.evidence, &self.index, a, b, MOST_WAYS)
    }

    /// Adds a link, a person's word for instance, and solves its two clusters again.
    ///
    /// # Errors
    /// [`Error::Address`] when an end is unknown.
    pub fn merge(&mut self, link: Link) -> Result<Effect, Error> {
        let touched = BTreeSet::from([self.label(link.a)?, self.label(link.b)?]);
        self.add(link);
        self.solve_again(&touched)
    }

    /// Switches off, and solves again only the clusters it touched.
    ///
    /// # Errors
    /// [`Error::Absent`] for a transaction, link or tag nobody has; nothing is changed then.
    pub fn exclude(&mut self, what: &[Exclusion]) -> Result<Effect, Error> {
        self.switch(what, false)
    }

    /// Takes exclusions back. A transaction whose shape forbids merging stays off.
    ///
    /// # Errors
    /// Those of [`Book::exclude`].
    pub fn include(&mut self, what: &[Exclusion]) -> Result<Effect, Error> {
        self.switch(what, true)
    }

    /// Takes `links` for all that a rule says now: what it says no more is switched off, what it says anew is added, and only the
    /// clusters of these are solved again.
    ///
    /// # Errors
    /// [`Error::Address`] when an end is unknown; nothing is changed then.
    pub fn restate(&mut self, rule: Rule, links: &[Link]) -> Result<Effect, Error> {
        let key = |link: &Link| (link.a, link.b, link.source);
        let says: BTreeSet<_> = links.iter().map(key).collect();
        let old = (0u32..).zip(&self.evidence.links).filter(|(_, link)| link.rule == rule);
        let said: Vec<(u32, _)> = old.map(|(number, link)| (number, key(link))).collect();
        let off = &self.evidence.links_off;
        let turns = said.iter().map(|(number, link)| (*number, says.contains(link)));
        let turned: Vec<(u32, bool)> = turns.filter(|(number, on)| off.contains(number) == *on).collect();
        let known: BTreeSet<_> = said.into_iter().map(|(_, link)| link).collect();
        let fresh: Vec<Link> = links.iter().copied().filter(|link| !known.contains(&key(link))).collect();
        let mut touched = BTreeSet::new();
        let ends = turned.iter().filter_map(|(number, _)| self.evidence.links.get(*number as usize));
        for link in ends.chain(&fresh) {
            touched.extend([self.label(link.a)?, self.label(link.b)?]);
        }
        for (number, on) in turned {
            toggle(&mut self.evidence.links_off, number, on);
        }
        fresh.into_iter().for_each(|link| self.add(link));
        self.solve_again(&touched)
    }

    fn add(&mut self, link: Link) {
        self.index.add(self.evidence.links.len() as u32, &link);
        self.evidence.links.push(link);
    }

    fn label(&self, address: u32) -> Result<u32, Error> {
        self.clusters.label(address).ok_or(Error::Address(address, self.evidence.spends.addresses()))
    }

    fn switch(&mut self, what: &[Exclusion], on: bool) -> Result<Effect, Error> {
        let mut touched = BTreeSet::new();
        for &one in what {
            touched.extend(self.touched_by(one)?);
        }
        for &one in what {
            match one {
                Exclusion::Transaction(t) if on && self.by_shape.holds(t) => false,
                Exclusion::Transaction(t) if on => self.evidence.off.remove(t),
                Exclusion::Transaction(t) => self.evidence.off.insert(t),
                Exclusion::Link(l) => toggle(&mut self.evidence.links_off, l, on),
                Exclusion::Tag(t) => toggle(&mut self.evidence.tags_off, t, on),
                Exclusion::Rule(r) => toggle(&mut self.evidence.rules_off, r, on),
            };
        }
        self.solve_again(&touched)
    }

    /// Labels of the clusters that something stands in, on or off.
    fn touched_by(&self, what: Exclusion) -> Result<BTreeSet<u32>, Error> {
        let links = &self.evidence.links;
        let label = |a: &u32| self.clusters.label(*a);
        let ends = |l: &Link| [l.a, l.b];
        let touched = match what {
            Exclusion::Transaction(t) => {
                let inputs = self.evidence.spends.of(t).ok_or(Error::Absent("transaction", t))?;
                inputs.iter().filter_map(label).collect()
            }
            Exclusion::Link(l) => {
                ends(links.get(l as usize).ok_or(Error::Absent("link", l))?).iter().filter_map(label).collect()
            }
            Exclusion::Tag(t) => {
                let of_tag: Vec<&Link> = links.iter().filter(|l| l.batch() == Some(t)).collect();
                if of_tag.is_empty() {
                    return Err(Error::Absent("tag", t));
                }
                of_tag.into_iter().flat_map(ends).filter_map(|a| label(&a)).collect()
            }
            Exclusion::Rule(Rule::MultiInput) => {
                let multiple = self.evidence.spends.inputs().iter();
                multiple.filter_map(label).collect()
            }
            Exclusion::Rule(rule) => {
                links.iter().filter(|l| l.rule == rule).flat_map(ends).filter_map(|a| label(&a)).collect()
            }
        };
        Ok(touched)
    }

    /// Takes the touched clusters apart and solves them again from their own evidence, in the order of the whole: the result is the
    /// same as solving everything, witness by witness.
    fn solve_again(&mut self, touched: &BTreeSet<u32>) -> Result<Effect, Error> {
        let before: Vec<u32> = touched.iter().copied().collect();
        let members = self.clusters.members(&before);
        let near_transactions = members.iter().flat_map(|&m| self.index.transactions(m)).copied();
        let transactions: Vec<u32> = near_transactions.collect::<TransactionSet>().iter().collect();
        let mut near: Vec<u32> = Vec::new();
        if !self.evidence.links.is_empty() {
            near.extend(members.iter().flat_map(|&m| self.index.links(m)));
        }
        let near: BTreeSet<u32> = near.into_iter().collect();

        let links_before = &self.evidence.links;
        let stands = |l: &u32| links_before.get(*l as usize).and_then(|l| self.clusters.label(l.a));
        let stays: Vec<u32> = self
            .clusters
            .links
            .iter()
            .copied()
            .filter(|l| stands(l).is_none_or(|label| !touched.contains(&label)))
            .collect();
        let labels = &mut self.clusters.labels;
        for &m in &members {
            put(labels, m, m);
        }
        let turn = |stronger| self.evidence.links_in_turn(stronger).into_iter().filter(|l| near.contains(l));
        let mut links = unite_links(labels, &self.evidence, turn(true));
        let (spends, joins) = unite_spends(labels, &self.evidence, &transactions);
        links.extend(unite_links(labels, &self.evidence, turn(false)));
        for &m in &members {
            let root = find(labels, m);
            put(labels, m, root);
        }
        self.forest.replace(&members, &self.evidence, (&spends, &joins), &links)?;

        let labels = &self.clusters.labels;
        let after: Vec<u32> = members.iter().copied().filter(|&m| labels.get(m as usize) == Some(&m)).collect();
        self.clusters.count = self.clusters.count - before.len() as u32 + after.len() as u32;
        self.clusters.spends = replaced(&self.clusters.spends, &self.evidence, &transactions, &spends);
        self.clusters.links = stays;
        self.clusters.links.extend(links);
        let class = |&l: &u32| (self.evidence.links.get(l as usize).map(Link::class), l);
        self.clusters.links.sort_by_key(class);
        Ok(Effect { before, after, addresses: members.len() })
    }
}

/// The spends' union log with the witnesses of these transactions (ascending) exchanged for new ones, where a solution from scratch
/// has them: one pass.
fn replaced(log: &[u32], evidence: &Evidence<'_>, transactions: &[u32], new: &[u32]) -> Vec<u32> {
    let (mut old, mut new, mut all) = (log, new, Vec::with_capacity(log.len() + new.len()));
    for &t in transactions {
        let ends = evidence.spends.start(t).zip(evidence.spends.start(t + 1));
        let Some((from, to)) = ends else { continue };
        let (kept, rest) = old.split_at(before(old, from));
        all.extend_from_slice(kept);
        old = rest.get(before(rest, to)..).unwrap_or_default();
        let (fresh, rest) = new.split_at(before(new, to));
        all.extend_from_slice(fresh);
        new = rest;
    }
    all.extend_from_slice(old);
    all
}

/// How many of an ascending log are before `ordinal`; doubling steps, since it is mostly near.
fn before(log: &[u32], ordinal: u32) -> usize {
    let mut reach = 4;
    while log.get(reach).is_some_and(|&i| i < ordinal) {
        reach *= 2;
    }
    log.get(..reach.min(log.len())).unwrap_or_default().partition_point(|&i| i < ordinal)
}

fn toggle<T: Ord>(off: &mut BTreeSet<T>, what: T, on: bool) -> bool {
    if on { off.remove(&what) } else { off.insert(what) }
}

fn put(column: &mut [u32], at: u32, to: u32) {
    if let Some(place) = column.get_mut(at as usize) {
        *place = to;
    }
}

fn unite_links(labels: &mut [u32], evidence: &Evidence<'_>, turn: impl Iterator<Item = u32>) -> Vec<u32> {
    turn.filter(|&l| evidence.links.get(l as usize).is_some_and(|l| unite(labels, l.a, l.b))).collect()
}

/// Ordinals of the inputs that unite, and the two addresses each joins.
fn unite_spends(labels: &mut [u32], evidence: &Evidence<'_>, transactions: &[u32]) -> (Vec<u32>, Vec<(u32, u32)>) {
    let (mut united, mut joins) = (Vec::new(), Vec::new());
    for &t in transactions.iter().filter(|&&t| evidence.spend_on(t)) {
        let Some((start, [first, rest @ ..])) = evidence.spends.start(t).zip(evidence.spends.of(t)) else { continue };
        let mut root = find(labels, *first);
        for (ordinal, &address) in (start + 1..).zip(rest) {
            let other = find(labels, address);
            if other != root {
                put(labels, root.max(other), root.min(other));
                root = root.min(other);
                united.push(ordinal);
                joins.push((*first, address));
            }
        }
    }
    (united, joins)
}
