//! What is known of each network, repeats counted once, and which rules can find nothing there for want of tags.
use super::batch::Marks;
use super::concept::{Role, role};
use super::evidence::{ANY_EVM, is_evm};
use super::store::{Sees, Tags};
use crate::columns::Run;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// So many different statements of one address are told apart; more are counted without looking whether they repeat.
const MOST_STATEMENTS: usize = 10_000;
/// So many actors of a network are told apart.
const MOST_ACTORS: usize = 1 << 20;
/// So many networks have a line of their own; what is on more is told as `other`.
const MOST_NETWORKS: usize = 1_024;

/// What a rule needs tags of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Addresses of services (exchanges, hosted wallets).
    Services,
    /// Addresses of two actors at least.
    Actors,
    /// Tags that may name a cluster.
    Definers,
    /// Listed addresses.
    Listed,
    /// Addresses whose own key says who holds it.
    Signed,
    /// Addresses of desks that trade outside of exchanges.
    Desks,
}

/// The rules that need tags: id, what they conclude, what they need.
pub const RULES: [(&str, &str, Need); 6] = [
    ("customer-of", "a deposit address is a customer's of the service it is swept to", Need::Services),
    ("cluster-name", "a cluster is named by a tag that defines it", Need::Definers),
    ("contradictions", "a cluster that holds two actors is wrong", Need::Actors),
    ("sanctions", "money reaches a listed party", Need::Listed),
    ("signed-ownership", "addresses are one exchange's because their keys say so", Need::Signed),
    ("otc-desk", "money leaves through a desk outside of exchanges", Need::Desks),
];

/// Fewer addresses than this leave most of what a rule looks for unfound.
const FEW: u64 = 100;

/// What is known of one network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NetworkLine {
    /// Its code.
    pub network: String,
    /// Whether a chain of this name is loaded.
    pub loaded: bool,
    /// Tags, repeats counted once.
    pub tags: u64,
    /// Tags that say again what another says.
    pub repeats: u64,
    /// Different addresses and transactions.
    pub addresses: u64,
    /// Of these, with a tag that names an actor.
    pub with_actor: u64,
    /// Different actors.
    pub actors: u64,
    /// Addresses of services.
    pub services: u64,
    /// Addresses of desks.
    pub desks: u64,
    /// Listed or frozen addresses.
    pub listed: u64,
    /// Addresses of offenders.
    pub offenders: u64,
    /// Addresses whose tag may name their cluster.
    pub definers: u64,
    /// Addresses whose tag would name their cluster, and may not: it is about a CoinJoin.
    pub refused_definers: u64,
    /// Addresses whose own key signed.
    pub signed: u64,
    /// Each rule that needs tags. On a loaded chain of Ethereum's kind the tags that name none of these count too (network `evm`).
    pub rules: Vec<RuleLine>,
}

/// Whether a rule can find anything on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleLine {
    /// Its id.
    pub rule: &'static str,
    /// How many addresses it has to go by.
    pub has: u64,
    /// `none`: it finds nothing and that means nothing; `few`: under a hundred; `some`.
    pub tags: &'static str,
}

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Batches looked at.
    pub batches: u64,
    /// Tags read from their files, whatever became of them.
    pub read: u64,
    /// Tags, repeats counted once.
    pub tags: u64,
    /// Tags that say again what another says.
    pub repeats: u64,
    /// Left out: addresses that nobody holds.
    pub placeholders: u64,
    /// Refused.
    pub refused: u64,
    /// Actors of ActorPacks.
    pub actors: u64,
    /// By network, most tags first.
    pub networks: Vec<NetworkLine>,
}

/// Counts the tags that may be seen. `chains` are the chains that are loaded: each has a line, tags or none.
pub fn coverage(tags: &Tags, chains: &[String], sees: Sees<'_>) -> Coverage {
    let mut all = Coverage::default();
    for info in tags.batches().filter(|info| sees(info)) {
        all.batches += 1;
        all.read += info.counts.tags + info.counts.placeholders + info.counts.refused;
        all.placeholders += info.counts.placeholders;
        all.refused += info.counts.refused;
        all.actors += info.counts.actors;
    }
    let mut networks: BTreeMap<String, (NetworkLine, BTreeSet<String>)> = BTreeMap::new();
    for chain in chains {
        networks.entry(chain.clone()).or_default().0.loaded = true;
    }
    let batches: Vec<_> = tags.open_batches(sees).map(|(_, batch)| batch).collect();
    let mut group = Group::default();
    let mut last = None;
    for (hash, batch, n) in by_subject(&batches.iter().map(|batch| &batch.subjects).collect::<Vec<_>>()) {
        if last != Some(hash) {
            group.close(&mut networks);
            last = Some(hash);
        }
        if let Some(row) = batches.get(batch).and_then(|batch| batch.row(n)).filter(|row| !row.actor) {
            group.add(&row);
        }
    }
    group.close(&mut networks);
    let unnamed =
        networks.get(ANY_EVM).map(|(line, actors)| NetworkLine { actors: actors.len() as u64, ..line.clone() });
    for (network, (mut line, actors)) in networks {
        (all.tags, all.repeats) = (all.tags + line.tags, all.repeats + line.repeats);
        line.actors = actors.len() as u64;
        let more = unnamed.as_ref().filter(|_| line.loaded && is_evm(&network));
        let counts = more.map_or_else(|| line.clone(), |more| line.and(more));
        line.rules = RULES.iter().map(|(rule, _, need)| counts.rule(rule, *need)).collect();
        line.network = network;
        all.networks.push(line);
    }
    all.networks.sort_by(|a, b| (Reverse(a.tags), &a.network).cmp(&(Reverse(b.tags), &b.network)));
    all
}

/// All entries of the indexes by hash, with the place of the index.
fn by_subject(runs: &[&Run]) -> impl Iterator<Item = (u64, usize, u32)> {
    let mut entries: Vec<_> = runs.iter().map(|run| run.entries()).collect();
    let mut heap: BinaryHeap<Reverse<(u64, usize, u32)>> = BinaryHeap::new();
    for (place, run) in entries.iter_mut().enumerate() {
        heap.extend(run.next().map(|(hash, n)| Reverse((hash, place, n))));
    }
    std::iter::from_fn(move || {
        let Reverse((hash, place, n)) = heap.pop()?;
        let next = entries.get_mut(place).and_then(Iterator::next);
        heap.extend(next.map(|(hash, n)| Reverse((hash, place, n))));
        Some((hash, place, n))
    })
}

/// All tags under one hash: one address's, or by a chance of one in billions two addresses'.
#[derive(Default)]
struct Group {
    statements: BTreeSet<(String, String, String, String)>,
    about: BTreeMap<(String, String), About>,
    counted: BTreeMap<String, (u64, u64)>,
}

/// What all tags together say of one address on one network.
#[derive(Default)]
struct About {
    actors: BTreeSet<String>,
    marks: u8,
    roles: BTreeSet<Role>,
}

/// Marks of an address that are no row's.
const DEFINES: u8 = 1;
const REFUSED: u8 = 2;
const SIGNED: u8 = 4;

impl Group {
    fn add(&mut self, row: &super::Row<'_>) {
        let said = &row.said;
        let key = [row.subject, said.network, said.currency, said.label].map(str::to_owned);
        let [subject, network, currency, label] = key;
        if self.statements.len() >= MOST_STATEMENTS && !self.about.contains_key(&(subject.clone(), network.clone())) {
            self.counted.entry("other".to_owned()).or_default().0 += 1;
            return;
        }
        let about = self.about.entry((subject.clone(), network.clone())).or_default();
        if !said.actor.is_empty() {
            about.actors.insert(said.actor.to_owned());
        }
        about.roles.extend(said.all_concepts().map(role));
        let (definer, coinjoin) = (row.marks.has(Marks::DEFINER), row.marks.has(Marks::COINJOIN));
        about.marks |= if definer && !coinjoin { DEFINES } else { 0 };
        about.marks |= if definer && coinjoin { REFUSED } else { 0 };
        about.marks |= if row.marks.has(Marks::SIGNED) { SIGNED } else { 0 };
        let counted = self.counted.entry(network.clone()).or_default();
        if self.statements.len() >= MOST_STATEMENTS || self.statements.insert((subject, network, currency, label)) {
            counted.0 += 1;
        } else {
            counted.1 += 1;
        }
    }

    fn close(&mut self, networks: &mut BTreeMap<String, (NetworkLine, BTreeSet<String>)>) {
        self.statements.clear();
        for (network, (tags, repeats)) in std::mem::take(&mut self.counted) {
            let line = &mut networks.entry(of(networks, network)).or_default().0;
            (line.tags, line.repeats) = (line.tags + tags, line.repeats + repeats);
        }
        for ((_, network), about) in std::mem::take(&mut self.about) {
            let (line, actors) = networks.entry(of(networks, network)).or_default();
            let one = |so: bool| u64::from(so);
            let role = |role| one(about.roles.contains(&role));
            line.addresses += 1;
            line.with_actor += one(!about.actors.is_empty());
            line.services += role(Role::Service);
            line.desks += role(Role::Desk);
            line.listed += role(Role::Listed);
            line.offenders += role(Role::Offender);
            line.definers += one(about.marks & DEFINES != 0);
            line.refused_definers += one(about.marks & REFUSED != 0);
            line.signed += one(about.marks & SIGNED != 0);
            if actors.len() < MOST_ACTORS {
                actors.extend(about.actors);
            }
        }
    }
}

/// The line on which a network is told.
fn of<T>(networks: &BTreeMap<String, T>, network: String) -> String {
    let room = networks.len() < MOST_NETWORKS || networks.contains_key(&network);
    if room { network } else { "other".to_owned() }
}

impl NetworkLine {
    /// What the rules have to go by with the tags that name no chain of Ethereum's kind.
    fn and(&self, more: &NetworkLine) -> NetworkLine {
        NetworkLine {
            with_actor: self.with_actor + more.with_actor,
            actors: self.actors + more.actors,
            services: self.services + more.services,
            desks: self.desks + more.desks,
            listed: self.listed + more.listed,
            definers: self.definers + more.definers,
            signed: self.signed + more.signed,
            ..self.clone()
        }
    }

    fn rule(&self, rule: &'static str, need: Need) -> RuleLine {
        let has = match need {
            Need::Services => self.services,
            // One actor contradicts nobody.
            Need::Actors if self.actors < 2 => 0,
            Need::Actors => self.with_actor,
            Need::Definers => self.definers,
            Need::Listed => self.listed,
            Need::Signed => self.signed,
            Need::Desks => self.desks,
        };
        let tags = match has {
            0 => "none",
            1..FEW => "few",
            _ => "some",
        };
        RuleLine { rule, has, tags }
    }
}
