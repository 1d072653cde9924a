//! What differs from world to world: each number is drawn from a range by the seed. Whoever writes rules looks at worlds of
//! tuning seeds alone ([`super::TUNING`]); precision is told on others ([`super::JUDGING`]).
use crate::prng::Rng;

/// One world's draw.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    /// Exchanges, and of a thousand how many have any tag.
    pub(crate) exchanges: u64,
    pub(crate) tagged: u64,
    /// Hot wallets of an exchange, and of a thousand of a tagged exchange how many are tagged.
    pub(crate) hot_wallets: u64,
    pub(crate) hot_tagged: u64,
    /// Syndicates, and pools of each.
    pub(crate) syndicates: u64,
    pub(crate) pools: u64,
    /// Collection addresses that one funder pays gas for before the next one takes its place.
    pub(crate) funded: u64,
    /// Gas that a funder sends, in thousandths of what a sweep costs.
    pub(crate) gas_margin: (u64, u64),
    /// Minutes from a payment to its sweep.
    pub(crate) sweep_delay: (u64, u64),
    /// Payments to one deposit or collection address.
    pub(crate) payments: (u64, u64),
    /// Of a thousand sweeps how many leave something behind, or go elsewhere than to the pool.
    pub(crate) untidy: u64,
    /// Victims who pay one address.
    pub(crate) victims: (u64, u64),
    /// Minutes from gas to the sweep it is for, and from the gas that a victim was sent to the victim's payment.
    pub(crate) gas_lead: (u64, u64),
    pub(crate) victim_lead: (u64, u64),
    /// Of a thousand victims' payments how many come straight from an exchange.
    pub(crate) straight: u64,
}

impl Rates {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = Rng::keyed(seed, "money rates", 0);
        let low = rng.between(1_000, 1_300);
        let soon = rng.between(1, 30);
        Self {
            exchanges: rng.between(3, 7),
            tagged: rng.between(500, 1_000),
            hot_wallets: rng.between(1, 4),
            hot_tagged: rng.between(600, 1_000),
            syndicates: rng.between(3, 8),
            pools: rng.between(1, 4),
            funded: rng.between(4, 80),
            gas_margin: (low, low + rng.between(0, 1_200)),
            sweep_delay: (soon, soon + rng.between(10, 2_000)),
            payments: (1, rng.between(1, 6)),
            untidy: rng.between(0, 80),
            victims: (3, rng.between(5, 30)),
            straight: rng.between(200, 700),
            gas_lead: (1, rng.between(10, 90)),
            victim_lead: (2, rng.between(60, 600)),
        }
    }
}

/// How often each story begins, of a thousand of all: a range a seed draws from.
pub(crate) type Weight = (u64, u64);

/// The weights of this world's stories.
pub(crate) fn weights(seed: u64, ranges: impl Iterator<Item = Weight>) -> Vec<u64> {
    let mut rng = Rng::keyed(seed, "money weights", 0);
    ranges.map(|(low, high)| rng.between(low, high)).collect()
}
