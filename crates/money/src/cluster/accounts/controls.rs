//! *Controls*: who can move what an account holds, by what the chain records. The only relation of accounts that unites.
//!
//! An account and a key are one party's when the key's party alone meets the threshold, in every state of the account under which
//! money left it and in the last one, and that party's keys signed whatever left. A contract says of itself what it wants, so what
//! it says counts only where its supposed owner acts on it; a tagged service is never named by another's word.
use super::Basis;
use super::known::{Excluded, Known};
use super::moves::{Made, Moves, Swept};
use super::params::Params;
use crate::cluster::{Link, Rule};
use crate::columns::{Accounts, Control, ControlKind, Kind, UNKNOWN};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Payments of one account that are looked at; with more it is a service's contract and is left aside.
const MOST_PAYMENTS: usize = 10_000;
/// Rounds of "whoever controls the owner controls what it owns".
const MOST_ROUNDS: usize = 16;

/// Who may act from a transaction on.
#[derive(Clone, Debug, Default)]
struct State {
    from: u64,
    threshold: u32,
    keys: BTreeMap<u32, u32>,
}

/// The records of control, in order.
pub(super) fn records(chain: &Accounts) -> Vec<Control> {
    (0..chain.controls()).filter_map(|place| chain.control(place)).collect()
}

/// Contracts that were made on record; the first time counts.
pub(super) fn made(chain: &Accounts, records: &[Control]) -> HashMap<u32, Made> {
    let mut made = HashMap::new();
    for record in records.iter().filter(|record| record.kind == ControlKind::Made) {
        let signer = chain.signer(record.tx);
        made.entry(record.account).or_insert(Made { by: record.other, signer, tx: record.tx });
    }
    made
}

/// An account with more keys at once, or more states, is nobody's: whoever writes such a record wants the memory of whoever reads it.
const MOST_KEYS: usize = 256;
/// See [`MOST_KEYS`].
const MOST_STATES: usize = 1_000;

/// The states of each account, in order. What an excluded transaction says of them was never said.
fn states(records: &[Control], excluded: &Excluded) -> BTreeMap<u32, Vec<State>> {
    let mut states: BTreeMap<u32, Vec<State>> = BTreeMap::new();
    let mut beyond = HashSet::new();
    let counts = |record: &&Control| record.kind != ControlKind::Made && !excluded.transactions.contains(&record.tx);
    for record in records.iter().filter(counts) {
        if beyond.contains(&record.account) {
            continue;
        }
        let of = states.entry(record.account).or_default();
        // An administrator counts where no owners are on record.
        let owned = of.last().is_some_and(|state| state.threshold > 0);
        let mut state = of.last().cloned().unwrap_or_default();
        match record.kind {
            ControlKind::Anew => (state.threshold, state.keys) = (record.weight, BTreeMap::new()),
            ControlKind::Owner => drop(state.keys.insert(record.other, record.weight)),
            ControlKind::NoOwner => drop(state.keys.remove(&record.other)),
            ControlKind::Threshold => state.threshold = record.weight,
            ControlKind::Admin if owned => continue,
            ControlKind::Admin => {
                state = State { threshold: 0, keys: BTreeMap::from([(record.other, 1)]), ..State::default() };
            }
            ControlKind::Made => continue,
        }
        match of.last_mut().filter(|last| last.from == record.tx) {
            // One transaction says one thing in the end.
            Some(last) => *last = State { from: record.tx, ..state },
            None => of.push(State { from: record.tx, ..state }),
        }
        if of.len() > MOST_STATES || of.last().is_some_and(|state| state.keys.len() > MOST_KEYS) {
            states.remove(&record.account);
            beyond.insert(record.account);
        }
    }
    states
}

/// Payments by account: transaction and signer.
pub(super) type Payments = BTreeMap<u32, Vec<(u64, u32)>>;

/// Payments of the accounts of which anything is recorded but that they were made.
pub(super) fn payments(chain: &Accounts, records: &[Control]) -> Payments {
    let told = records.iter().filter(|record| record.kind != ControlKind::Made);
    let of: BTreeSet<u32> = told.map(|record| record.account).collect();
    let mut payments = Payments::new();
    for tx in 0..chain.txs() {
        let signer = chain.signer(tx);
        for transfer in chain.transfers_of(tx).filter_map(|number| chain.transfer(number)) {
            let pays = transfer.edge && !matches!(transfer.kind, Kind::Fee | Kind::L1Fee);
            if !pays || transfer.from == transfer.to || !of.contains(&transfer.from) {
                continue;
            }
            let all = payments.entry(transfer.from).or_default();
            if all.last().is_none_or(|last| last.0 != tx) && all.len() <= MOST_PAYMENTS {
                all.push((tx, signer));
            }
        }
    }
    payments
}

/// Parties as far as they are united: a union-find over the accounts that any link names.
#[derive(Default)]
struct Parties {
    up: HashMap<u32, u32>,
    /// Accounts that something was united under.
    grown: HashSet<u32>,
}

impl Parties {
    fn of(&self, account: u32) -> u32 {
        let mut at = account;
        while let Some(&up) = self.up.get(&at) {
            at = up;
        }
        at
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.of(a), self.of(b));
        if a != b {
            self.up.insert(a.max(b), a.min(b));
            self.grown.insert(a.min(b));
        }
    }
}

/// What the rule reads.
pub(super) struct Controls<'a> {
    known: &'a Known,
    params: Params,
    excluded: &'a Excluded,
    made: &'a HashMap<u32, Made>,
    states: BTreeMap<u32, Vec<State>>,
    payments: &'a Payments,
}

impl<'a> Controls<'a> {
    pub(super) fn new(basis: &'a Basis, known: &'a Known, excluded: &'a Excluded) -> Self {
        let Basis { params, records, made, payments, .. } = basis;
        Self { known, params: *params, excluded, made, states: states(records, excluded), payments }
    }

    /// Links of accounts and keys, then of contracts and whoever makes and empties them.
    pub(super) fn links(&self, moves: &Moves, before: &[Link]) -> Vec<Link> {
        let mut links = self.forwarders(moves);
        let mut parties = Parties::default();
        before.iter().chain(&links).for_each(|link| parties.unite(link.a, link.b));
        let mut left: BTreeSet<u32> = self.states.keys().copied().collect();
        let mut held: BTreeMap<u32, Vec<Link>> = BTreeMap::new();
        let mut services = BTreeSet::new();
        for _ in 0..MOST_ROUNDS {
            let mut found = Vec::new();
            for &account in &left {
                if let Some((key, source)) = self.controller(account, &parties) {
                    found.push(Link { a: account, b: key, rule: Rule::Controls, source });
                }
            }
            found.retain(|link| !services.contains(&link.b));
            for link in &found {
                let all = held.entry(link.b).or_default();
                all.push(*link);
                if all.len() > self.params.held as usize {
                    services.insert(link.b);
                }
                left.remove(&link.a);
            }
            if found.is_empty() {
                break;
            }
            found.iter().filter(|link| !services.contains(&link.b)).for_each(|link| parties.unite(link.a, link.b));
        }
        let few = held.into_iter().filter(|(key, _)| !services.contains(key)).flat_map(|(_, links)| links);
        links.extend(few);
        links
    }

    /// The key whose party controls an account, and the transaction that says so.
    fn controller(&self, account: u32, parties: &Parties) -> Option<(u32, u32)> {
        let states = self.states.get(&account)?;
        let payments = self.payments.get(&account).filter(|all| all.len() <= MOST_PAYMENTS)?;
        let last = states.last()?;
        let (party, key) = self.meets(account, last, parties)?;
        // What was in force when money left.
        for (tx, signer) in payments {
            let at = states.partition_point(|state| state.from <= *tx).checked_sub(1)?;
            let (then, _) = self.meets(account, states.get(at)?, parties)?;
            if then != party || (*signer != account && parties.of(*signer) != party) {
                return None;
            }
        }
        if let Some(made) = self.made.get(&account)
            && parties.of(made.signer) != party
        {
            return None;
        }
        let free = !self.known.tagged.contains(&key) && !self.known.tagged.contains(&account);
        free.then_some((key, u32::try_from(last.from).ok()?))
    }

    /// The one party whose keys alone reach the threshold, and its strongest key. `None` when nobody's do, or several parties'.
    fn meets(&self, account: u32, state: &State, parties: &Parties) -> Option<(u32, u32)> {
        let threshold = state.threshold.max(1);
        let mut sums: BTreeMap<u32, (u32, u32, u32)> = BTreeMap::new();
        for (&key, &weight) in state.keys.iter().filter(|(key, _)| **key != UNKNOWN && **key != account) {
            let party = parties.of(key);
            // A contract acts for whoever controls it; who that is must be known.
            if self.made.contains_key(&key) && party == key && !parties.grown.contains(&key) {
                continue;
            }
            let (sum, best, strongest) = sums.entry(party).or_insert((0, 0, key));
            *sum = sum.saturating_add(weight);
            if weight > *best {
                (*best, *strongest) = (weight, key);
            }
        }
        let own = state.keys.get(&account).copied().unwrap_or(0);
        let mut enough = sums.iter().filter(|(_, (sum, ..))| *sum >= threshold);
        let (&party, &(.., key)) = enough.next()?;
        (enough.next().is_none() && own < threshold).then_some((party, key))
    }

    /// Contracts of a factory that whoever had them made empties: both are that key's.
    fn forwarders(&self, moves: &Moves) -> Vec<Link> {
        let mut by_pair: BTreeMap<(u32, u32), Vec<&Swept>> = BTreeMap::new();
        for swept in moves.swept.values().filter(|swept| self.made.contains_key(&swept.account)) {
            by_pair.entry((swept.maker, swept.sweeper)).or_default().push(swept);
        }
        let mut links = Vec::new();
        for ((_, sweeper), contracts) in by_pair {
            let places: BTreeSet<u32> = contracts.iter().map(|swept| swept.to).collect();
            let few = places.len() <= self.params.places as usize && 2 * places.len() <= contracts.len();
            let own = sweeper != UNKNOWN && !moves.acts_for_others(sweeper) && !self.known.tagged.contains(&sweeper);
            if !few || !own {
                continue;
            }
            for swept in contracts {
                // That a contract was made stays so when its making is no witness any more.
                let made = self.made.get(&swept.account).map(|made| made.tx);
                let made = made.filter(|tx| !self.excluded.transactions.contains(tx));
                if let Some(source) = made.and_then(|tx| u32::try_from(tx).ok()) {
                    links.push(Link { a: swept.account, b: sweeper, rule: Rule::Controls, source });
                }
            }
        }
        links
    }

    /// How many accounts have owners, keys or administrators on record.
    pub(super) fn told(&self) -> usize {
        self.states.len()
    }
}
