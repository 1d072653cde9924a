//! Money that goes in on one chain of accounts and comes out on the other: planned beforehand, so that both chains and the truth
//! tell the same.
use super::scene::{Scene, TOKEN};
use super::truth::{Trap, Use};
use super::tx::Address;
use super::writing::Writing;
use crate::prng::Rng;

/// One passage.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    /// When it goes in, seconds.
    pub(crate) at: u64,
    /// When it comes out.
    pub(crate) out: u64,
    pub(crate) from: Writing,
    pub(crate) payer: Address,
    pub(crate) paid: Address,
    pub(crate) amount: u128,
    pub(crate) owner: String,
}

impl Passage {
    /// The passage of this number among so many in a world of so many seconds.
    pub(crate) fn of(seed: u64, number: u64, of: u64, span: u64) -> Self {
        let mut rng = Rng::keyed(seed, "money bridge", number);
        let at = span * number / of.max(1);
        Self {
            at,
            out: at + 60 * rng.between(3, 90),
            from: if rng.chance(500) { Writing::Evm } else { Writing::Tron },
            payer: rng.bytes(),
            paid: rng.bytes(),
            amount: TOKEN * u128::from(rng.between(20, 90_000)),
            owner: format!("B{number}"),
        }
    }

    pub(crate) fn to(&self) -> Writing {
        if self.from == Writing::Evm { Writing::Tron } else { Writing::Evm }
    }
}

impl Scene<'_> {
    /// Both ends of a passage, as far as they are on this chain.
    pub(crate) fn passage(&mut self, passage: &Passage) {
        let (bridge, relayer) = (self.cast.bridge, self.cast.bridge_relayer);
        if passage.from == self.writing {
            self.at = passage.at;
            let told = self.told(&passage.payer, &passage.owner, Use::Own);
            told.trap = Some(Trap::Bridge);
            let hot = self.any_hot();
            let coins = 3 * self.token_cost();
            self.pay_coin(hot, passage.payer, coins);
            self.pay(hot, passage.payer, passage.amount);
            self.wait((1, 2));
            self.pay(passage.payer, bridge, passage.amount);
        } else {
            self.at = passage.out;
            self.told(&passage.paid, &passage.owner, Use::Own).trap = Some(Trap::Bridge);
            self.moved_by(relayer, bridge, &[(bridge, passage.paid, passage.amount * 999 / 1_000)]);
        }
    }
}
