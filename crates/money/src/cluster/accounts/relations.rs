//! *Customer of* and *pooled with*: what emptied addresses say of each other and of whom they are emptied to. Neither unites.
use super::known::Known;
use super::moves::{Made, Moves, Swept};
use super::params::Params;
use crate::columns::{Accounts, BlockFlags, UNKNOWN};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A deposit address: whoever pays into it is a customer of the service that empties it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The address and how it is emptied: the witness.
    pub swept: Swept,
    /// The service's party, by its number among the tags.
    pub party: u32,
}

/// Why an address is said to be pooled with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pooled {
    /// One untagged funder pays the gas of few addresses that are all emptied to this pool.
    Funder(u32),
    /// Contracts of one factory, made and emptied by one key, to this pool alone.
    Sweeper(u32),
}

/// A pool and what is emptied to it. It is a *collection hypothesis* as long as no tag says whose the pool is: a service that
/// nobody tagged looks the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where everything goes.
    pub to: u32,
    /// Each address with how it is emptied, and why it is said to be of these.
    pub members: Vec<(Swept, Pooled)>,
}

/// What a rule would need and does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// No tag names a service of this chain: *customer of* cannot find anything.
    Services,
    /// No transaction says who signed it (a table): nothing can be said of who empties what.
    Signers,
    /// So many blocks have no calls: contracts' makers and coins that contracts moved are not on record.
    Calls(u64),
    /// So many blocks have no logs: Safes' owners, proxies' administrators and tokens are not on record.
    Logs(u64),
    /// No owner, key or administrator is on record. Dumps of TRON have none: give a file of permissions, or load from a node.
    Permissions,
}

/// All relations.
pub(super) fn relations(
    known: &Known,
    params: Params,
    moves: &Moves,
    made: &HashMap<u32, Made>,
) -> (Vec<Customer>, Vec<Pool>) {
    let places = places(moves, made);
    let mut customers = Vec::new();
    let mut pools: BTreeMap<u32, Vec<(Swept, Pooled)>> = BTreeMap::new();
    for swept in moves.swept.values() {
        if let Some(party) = known.party(swept.to) {
            if is_deposit(swept, known, params, moves, &places) {
                customers.push(Customer { swept: *swept, party });
            }
        } else if let Some(why) = pooled(swept, known, params, moves, &places) {
            pools.entry(swept.to).or_default().push((*swept, why));
        }
    }
    let enough = pools.into_iter().filter(|(_, members)| members.len() >= params.pool as usize);
    (customers, enough.map(|(to, members)| Pool { to, members }).collect())
}

/// Where each pair of factory and sweeper empties its contracts to.
fn places(moves: &Moves, made: &HashMap<u32, Made>) -> BTreeMap<(u32, u32), BTreeSet<u32>> {
    let mut places: BTreeMap<(u32, u32), BTreeSet<u32>> = BTreeMap::new();
    for swept in moves.swept.values().filter(|swept| made.contains_key(&swept.account)) {
        places.entry((swept.maker, swept.sweeper)).or_default().insert(swept.to);
    }
    places
}

type Places = BTreeMap<(u32, u32), BTreeSet<u32>>;

fn is_contract(swept: &Swept) -> bool {
    swept.maker != UNKNOWN
}

/// Whether whoever makes and empties this contract empties all of theirs here.
fn alone_here(swept: &Swept, moves: &Moves, places: &Places) -> bool {
    let here = places.get(&(swept.maker, swept.sweeper));
    here.is_some_and(|here| here.len() == 1) && !moves.acts_for_others(swept.sweeper)
}

/// An address that is emptied to a service by the service: not by a person who sends it everything.
fn is_deposit(swept: &Swept, known: &Known, params: Params, moves: &Moves, places: &Places) -> bool {
    if swept.internal || known.tagged.contains(&swept.account) {
        return false;
    }
    if is_contract(swept) {
        return alone_here(swept, moves, places);
    }
    // Coins pay their own way; tokens need gas, and whoever pays it shows who empties.
    if swept.coins_alone || (swept.coins == 0 && swept.fees == 0) {
        return true;
    }
    let by_service = known.group(swept.funder) == swept.to;
    let by_helper = moves.funders.get(&swept.funder).is_some_and(|f| f.to == Some(swept.to) && f.paid.len() >= 2);
    swept.spent_gas(params.gas) && (by_service || by_helper)
}

fn pooled(swept: &Swept, known: &Known, params: Params, moves: &Moves, places: &Places) -> Option<Pooled> {
    if swept.internal || known.tagged.contains(&swept.account) {
        return None;
    }
    if is_contract(swept) {
        return alone_here(swept, moves, places).then_some(Pooled::Sweeper(swept.sweeper));
    }
    // Whoever sends everything to an address that is itself emptied pays it: that may be a victim, to whom gas was sent.
    if !moves.hands_out(swept.to) {
        return None;
    }
    let funder = moves.funders.get(&swept.funder)?;
    let few = (params.pool as usize..=params.few as usize).contains(&funder.paid.len());
    let at_once = swept.soon && funder.prompt(params.mostly);
    let fits = few && at_once && funder.to == Some(swept.to) && swept.spent_gas(params.gas);
    (fits && swept.funder != swept.to).then_some(Pooled::Funder(swept.funder))
}

/// What the rules lack on this chain, where `told` accounts have owners, keys or administrators on record.
pub(super) fn missing(chain: &Accounts, known: &Known, told: usize) -> Vec<Missing> {
    let mut missing = Vec::new();
    let (mut calls, mut logs) = (0, 0);
    for (flags, _) in (0..chain.store().blocks()).map(|place| chain.block_said(place)) {
        calls += u64::from(flags.has(BlockFlags::NO_TRACES));
        logs += u64::from(flags.has(BlockFlags::NO_LOGS));
    }
    if !known.has_services() {
        missing.push(Missing::Services);
    }
    if chain.txs() > 0 && (0..chain.txs()).all(|tx| chain.signer(tx) == UNKNOWN) {
        missing.push(Missing::Signers);
    }
    if calls > 0 {
        missing.push(Missing::Calls(calls));
    }
    if logs > 0 {
        missing.push(Missing::Logs(logs));
    }
    if told == 0 {
        missing.push(Missing::Permissions);
    }
    missing
}

/// Checks a relation's witness against the record: the first and last sweep move something from the address to where it is said
/// to go, and the funder's transaction pays it coins. `group` says what an account counts as.
#[must_use]
pub fn recheck(chain: &Accounts, known: &Known, swept: &Swept) -> bool {
    let moves = |tx: u64, from: u32, to: &dyn Fn(u32) -> bool| {
        let mut all = chain.transfers_of(tx).filter_map(|number| chain.transfer(number));
        all.any(|transfer| transfer.edge && transfer.from == from && to(transfer.to))
    };
    let there = |to: u32| known.group(to) == swept.to;
    let signed = |tx: u64| chain.signer(tx) == swept.sweeper;
    let (first, last) = swept.sweeps;
    let emptied = [first, last].into_iter().all(|tx| signed(tx) && moves(tx, swept.account, &there));
    let funded = swept.funder == UNKNOWN || moves(swept.funded_in, swept.funder, &|to| to == swept.account);
    emptied && funded
}
