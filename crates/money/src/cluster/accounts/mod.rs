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
use crate::columns::Accounts;
use controls::Controls;
use moves::{Moves, Reading};

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

/// Reads the chain. `coin` is the name of its coin as an asset; `before` are links of other rules, which say which keys are one
/// party's already. The result depends on nothing but these: undoing is deriving again.
#[must_use]
pub fn derive(
    chain: &Accounts,
    coin: Option<&[u8]>,
    known: &Known,
    params: Params,
    (before, excluded): (&[Link], &Excluded),
) -> Derived {
    let records = controls::records(chain);
    let made = controls::made(chain, &records);
    let coin = coin.and_then(|coin| chain.find_asset(coin));
    let reading = Reading::new(chain, known, &made, params, coin);
    let moves = Moves::read(&reading);
    let controls = Controls::new(chain, known, params, (&made, excluded), &records);
    let links = match excluded.rules.contains(&super::Rule::Controls) {
        true => Vec::new(),
        false => controls.links(&moves, before),
    };
    let missing = relations::missing(chain, known, &controls);
    let (customers, pools) = relations::relations(known, params, &moves, &made);
    Derived { links, customers, pools, missing }
}
