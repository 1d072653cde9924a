//! Clusters of a chain of accounts: three relations, of which one unites.
//!
//! *Controls* unites: owners that alone meet a Safe's threshold or an owner permission's, an administrator who uses what it
//! administers, a factory's contracts and whoever has them made and empties them. *Customer of* (a deposit address and the tagged
//! service that it is emptied to) and *pooled with* (addresses that one funder pays the gas of, emptied to one untagged pool) say
//! something of two addresses and make them no party. **Senders to one address are never joined: they are the victims.**
mod controls;
mod known;
mod moves;
mod params;
mod relations;

pub use known::{Excluded, Known};
pub use moves::Swept;
pub use params::Params;
pub use relations::{Customer, Missing, Pool, Pooled, recheck};

use super::Link;
use crate::columns::{Accounts, Control};
use controls::{Controls, Payments};
use moves::{Made, Moves, Reading};
use std::collections::HashMap;

/// What the record of a chain of accounts gives.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    /// *Controls*: what unites.
    pub links: Vec<Link>,
    /// *Customer of*, by account.
    pub customers: Vec<Customer>,
    /// *Pooled with*: each pool with what is emptied to it.
    pub pools: Vec<Pool>,
    /// What the rules would need and do not have here: that they find nothing means nothing then.
    pub missing: Vec<Missing>,
}

/// What the rules read of a chain: everything that no exclusion changes, so that undoing reads no transfer again.
#[derive(Clone, Debug)]
pub struct Basis {
    params: Params,
    records: Vec<Control>,
    made: HashMap<u32, Made>,
    moves: Moves,
    payments: Payments,
}

impl Basis {
    /// Reads the chain. `coin` is the name of its coin as an asset.
    #[must_use]
    pub fn read(chain: &Accounts, coin: Option<&[u8]>, known: &Known, params: Params) -> Basis {
        let records = controls::records(chain);
        let made = controls::made(chain, &records);
        let coin = coin.and_then(|coin| chain.find_asset(coin));
        let moves = Moves::read(&Reading::new(chain, known, &made, params, coin));
        let payments = controls::payments(chain, &records);
        Basis { params, records, made, moves, payments }
    }

    /// *Controls*. `before` are links of other rules, which say which keys are one party's already. The result depends on nothing
    /// but these: undoing is deriving again.
    #[must_use]
    pub fn links(&self, known: &Known, before: &[Link], excluded: &Excluded) -> Vec<Link> {
        self.controls(known, before, excluded).0
    }

    fn controls(&self, known: &Known, before: &[Link], excluded: &Excluded) -> (Vec<Link>, usize) {
        let controls = Controls::new(self, known, excluded);
        let off = excluded.rules.contains(&super::Rule::Controls);
        (if off { Vec::new() } else { controls.links(&self.moves, before) }, controls.told())
    }

    /// Whether a transaction records anything of control.
    #[must_use]
    pub fn records(&self, tx: u64) -> bool {
        self.records.iter().any(|record| record.tx == tx)
    }

    /// All that the record gives.
    #[must_use]
    pub fn derive(&self, chain: &Accounts, known: &Known, before: &[Link], excluded: &Excluded) -> Derived {
        let (links, told) = self.controls(known, before, excluded);
        let (customers, pools) = relations::relations(known, self.params, &self.moves, &self.made);
        Derived { links, customers, pools, missing: relations::missing(chain, known, told) }
    }
}

/// Reads a chain and derives, once; see [`Basis`].
#[must_use]
pub fn derive(
    chain: &Accounts,
    coin: Option<&[u8]>,
    known: &Known,
    params: Params,
    (before, excluded): (&[Link], &Excluded),
) -> Derived {
    Basis::read(chain, coin, known, params).derive(chain, known, before, excluded)
}
