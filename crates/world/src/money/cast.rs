//! Who takes part in the stories of one chain of accounts, and their lasting addresses.
use super::rates::Rates;
use super::tx::Address;
use crate::prng::Rng;

/// How an exchange empties deposit addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweeps {
    /// Keys of its own, gas from its gas wallet.
    Keys,
    /// Contracts of its own factory.
    Forwarders,
    /// Keys of its own, energy that costs the address nothing (TRON).
    Energy,
}

/// An exchange.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) id: String,
    /// As whom tags know it, if they do.
    pub(crate) actor: Option<String>,
    pub(crate) hot: Vec<Address>,
    /// Which of these are tagged.
    pub(crate) tagged: Vec<bool>,
    pub(crate) gas: Address,
    pub(crate) sweeper: Address,
    pub(crate) factory: Address,
    pub(crate) sweeps: Sweeps,
}

/// A syndicate.
#[derive(Clone, Debug)]
pub(crate) struct Syndicate {
    pub(crate) id: String,
    pub(crate) pools: Vec<Address>,
    /// Who pays gas for the addresses of each pool now, and for how many more.
    pub(crate) funders: Vec<(Address, u64)>,
    pub(crate) sweeper: Address,
    pub(crate) factory: Address,
}

/// All of them, and what everybody uses.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) syndicates: Vec<Syndicate>,
    pub(crate) desks: Vec<Address>,
    pub(crate) token: Address,
    pub(crate) other_token: Address,
    pub(crate) fake_token: Address,
    pub(crate) bridge: Address,
    pub(crate) bridge_relayer: Address,
    pub(crate) relayer: Address,
    pub(crate) bundler: Address,
    pub(crate) entry_point: Address,
    pub(crate) account_factory: Address,
    pub(crate) disperse: Address,
    pub(crate) public_factory: Address,
    pub(crate) safe_factory: Address,
    pub(crate) shared_signer: Address,
    pub(crate) activator: Address,
    pub(crate) rental: Address,
    pub(crate) gas_free: Address,
    pub(crate) co_signer: Address,
    pub(crate) vendor: Address,
    pub(crate) processor: Address,
    pub(crate) processor_factory: Address,
}

impl Cast {
    /// Draws the cast; `purpose` tells the chains apart.
    pub(crate) fn draw(seed: u64, purpose: &str, rates: &Rates, energy: bool) -> Self {
        let mut rng = Rng::keyed(seed, purpose, 0);
        let rng = &mut rng;
        let exchanges = (1..=rates.exchanges).map(|n| exchange(rng, rates, n, energy)).collect();
        let syndicates = (1..=rates.syndicates).map(|n| syndicate(rng, rates, n)).collect();
        let desks = (0..rng.between(1, 4)).map(|_| rng.bytes()).collect();
        let mut one = || rng.bytes();
        Self {
            exchanges,
            syndicates,
            desks,
            token: one(),
            other_token: one(),
            fake_token: one(),
            bridge: one(),
            bridge_relayer: one(),
            relayer: one(),
            bundler: one(),
            entry_point: one(),
            account_factory: one(),
            disperse: one(),
            public_factory: one(),
            safe_factory: one(),
            shared_signer: one(),
            activator: one(),
            rental: one(),
            gas_free: one(),
            co_signer: one(),
            vendor: one(),
            processor: one(),
            processor_factory: one(),
        }
    }
}

fn exchange(rng: &mut Rng, rates: &Rates, n: u64, energy: bool) -> Exchange {
    // The first is always tagged: a world in which no rule has anything to go by shows nothing.
    let tagged = n == 1 || rng.chance(rates.tagged);
    let hot: Vec<Address> = (0..rng.between(1, rates.hot_wallets)).map(|_| rng.bytes()).collect();
    let marks = (0..hot.len()).map(|i| tagged && (i == 0 || rng.chance(rates.hot_tagged))).collect();
    let sweeps = match (energy, rng.below(3)) {
        (true, 0) => Sweeps::Energy,
        (false, 0) => Sweeps::Forwarders,
        _ => Sweeps::Keys,
    };
    Exchange {
        id: format!("X{n}"),
        actor: tagged.then(|| format!("exercise_exchange_{n}")),
        hot,
        tagged: marks,
        gas: rng.bytes(),
        sweeper: rng.bytes(),
        factory: rng.bytes(),
        sweeps,
    }
}

fn syndicate(rng: &mut Rng, rates: &Rates, n: u64) -> Syndicate {
    let pools: Vec<Address> = (0..rng.between(1, rates.pools)).map(|_| rng.bytes()).collect();
    let funders = pools.iter().map(|_| (rng.bytes(), rates.funded)).collect();
    Syndicate { id: format!("S{n}"), pools, funders, sweeper: rng.bytes(), factory: rng.bytes() }
}
