//! Syndicates and their victims.
use super::scene::Scene;
use super::truth::{Trap, Use};
use super::tx::Address;

impl Scene<'_> {
    fn any_syndicate(&mut self) -> (usize, usize, String) {
        let s = self.rng.below(self.cast.syndicates.len() as u64) as usize;
        let Some((pools, id)) = self.cast.syndicates.get(s).map(|s| (s.pools.len(), s.id.clone())) else {
            return (0, 0, String::new());
        };
        (s, self.rng.below(pools as u64) as usize, id)
    }

    fn pool(&self, s: usize, p: usize) -> Address {
        self.cast.syndicates.get(s).and_then(|s| s.pools.get(p)).copied().unwrap_or_default()
    }

    /// Who pays gas for a pool's addresses now; after so many of them another does.
    fn funder(&mut self, s: usize, p: usize) -> Address {
        let next = self.fresh();
        let funded = self.rates.funded;
        let owner = format!("S{}", s + 1);
        let Some(funder) = self.cast.syndicates.get_mut(s).and_then(|s| s.funders.get_mut(p)) else { return next };
        if funder.1 == 0 {
            *funder = (next, funded);
        }
        let new = funder.1 == funded;
        funder.1 -= 1;
        let who = funder.0;
        if new {
            self.told(&who, &owner, Use::Helper);
            let (hot, coins) = (self.any_hot(), 500 * self.token_cost());
            self.pay_coin(hot, who, coins);
        }
        who
    }

    /// Addresses that victims are told, swept to one pool; then the pool pays on.
    pub(crate) fn collection(&mut self) {
        let (s, p, id) = self.any_syndicate();
        let pool = self.pool(s, p);
        let contracts = !self.tron() && self.rng.chance(120);
        let rented = self.tron() && self.rng.chance(150);
        let mut all = 0;
        for n in 0..self.rng.between(1, 10) as usize {
            let address = self.fresh();
            self.swept(&address, &id, Use::Collection, None);
            if contracts && let Some((sweeper, factory)) = self.makers(s) {
                let by = self.writing.text(&sweeper);
                if let Some(told) = self.truth.last_mut() {
                    told.by = Some(by);
                }
                self.made_by(sweeper, factory, &[address], Vec::new());
            }
            let (low, high) = self.rates.payments;
            let mut held = 0;
            for _ in 0..self.rng.between(low, high) {
                let (victim, amount) = (self.person("V", n), self.sum());
                self.paid_by(&victim, address, amount);
                held += amount;
                self.wait((10, 600));
            }
            self.wait(self.rates.sweep_delay);
            let to = if self.rng.chance(self.rates.untidy) { self.elsewhere(&id) } else { pool };
            match self.makers(s).filter(|_| contracts) {
                Some((sweeper, _)) => self.moved_by(sweeper, address, &[(address, to, held)]),
                None if rented => self.pay_free(address, to, held),
                None => {
                    let (funder, coins) = (self.funder(s, p), self.gas_for_sweep());
                    self.pay_coin(funder, address, coins);
                    self.wait(self.rates.gas_lead);
                    let left = if self.rng.chance(self.rates.untidy) { held / 5 } else { 0 };
                    self.pay(address, to, held - left);
                }
            }
            all += held;
        }
        self.wait((5, 400));
        self.paid_on(pool, all);
    }

    fn makers(&self, s: usize) -> Option<(Address, Address)> {
        self.cast.syndicates.get(s).map(|s| (s.sweeper, s.factory))
    }

    /// Another address of the same syndicate.
    fn elsewhere(&mut self, id: &str) -> Address {
        let other = self.fresh();
        self.told(&other, id, Use::Pool);
        other
    }

    /// A pool pays desks and exchanges.
    fn paid_on(&mut self, pool: Address, all: u128) {
        let hot = self.any_hot();
        let coins = 20 * self.token_cost();
        self.pay_coin(hot, pool, coins);
        if self.rng.chance(600) {
            let desks = self.cast.desks.clone();
            let desk = self.rng.pick(&desks).copied().unwrap_or_default();
            self.pay(pool, desk, all / 3);
            let (buyer, owner) = (self.fresh(), self.person("U", 50));
            self.own(&buyer, &owner, None);
            self.pay(desk, buyer, all / 4);
        } else {
            let x = self.rng.below(self.cast.exchanges.len() as u64) as usize;
            let Some((id, gas)) = self.cast.exchanges.get(x).map(|x| (x.id.clone(), x.gas)) else { return };
            let address = self.fresh();
            self.swept(&address, &id, Use::Deposit, None);
            self.pay(pool, address, all / 3);
            self.wait(self.rates.sweep_delay);
            let coins = self.gas_for_sweep();
            self.pay_coin(gas, address, coins);
            let hot = self.hot_of(x);
            self.pay(address, hot, all / 3);
        }
    }

    /// Victims who empty wallets of their own to one address, which is swept in turn.
    pub(crate) fn shared_target(&mut self) {
        self.victims_pay_one(Trap::SharedTarget);
    }

    /// The same, after offenders sent them the gas.
    pub(crate) fn gas_for_victims(&mut self) {
        self.victims_pay_one(Trap::GasForVictims);
    }

    /// The same with accounts that an app activates (TRON).
    pub(crate) fn activation(&mut self) {
        self.victims_pay_one(Trap::Activation);
    }

    fn victims_pay_one(&mut self, trap: Trap) {
        let (s, p, id) = self.any_syndicate();
        let (fresh, helper) = (self.fresh(), self.fresh());
        // Small syndicates have victims pay the pool itself.
        let straight = self.rng.chance(300);
        let target = if straight { self.pool(s, p) } else { fresh };
        if !straight {
            self.swept(&target, &id, Use::Collection, None);
        }
        let activator = if self.rng.chance(500) { self.cast.activator } else { self.fresh() };
        if trap == Trap::GasForVictims {
            self.told(&helper, &id, Use::Helper);
            let (hot, coins) = (self.any_hot(), 100 * self.token_cost());
            self.pay_coin(hot, helper, coins);
        }
        let (low, high) = self.rates.victims;
        let mut held = 0;
        for n in 0..self.rng.between(low, high) as usize {
            let (victim, amount) = (self.person("V", n), self.sum());
            let wallet = self.filled(&victim, amount, trap != Trap::GasForVictims, trap);
            match trap {
                Trap::Activation => self.pay_coin(activator, wallet, 1_100_000),
                Trap::GasForVictims => {
                    let coins = self.gas_for_sweep();
                    self.wait((10, 900));
                    self.pay_coin(helper, wallet, coins);
                }
                _ => {}
            }
            self.wait(self.rates.victim_lead);
            self.pay(wallet, target, amount);
            held += amount;
        }
        self.wait(self.rates.sweep_delay);
        if straight {
            return self.paid_on(target, held);
        }
        let (funder, coins, pool) = (self.funder(s, p), self.gas_for_sweep(), self.pool(s, p));
        self.pay_coin(funder, target, coins);
        self.wait(self.rates.gas_lead);
        self.pay(target, pool, held);
    }

    /// A contract that victims allowed to take their tokens takes them, many at once.
    pub(crate) fn drainer(&mut self) {
        let (s, p, id) = self.any_syndicate();
        let (taker, contract, pool) = (self.fresh(), self.fresh(), self.pool(s, p));
        self.told(&taker, &id, Use::Helper);
        let mut moves = Vec::new();
        for n in 0..self.rng.between(3, 20) as usize {
            let (victim, amount) = (self.person("V", n), self.sum());
            let wallet = self.filled(&victim, amount, true, Trap::Drainer);
            moves.push((wallet, pool, amount));
        }
        self.wait((10, 2_000));
        if self.rng.chance(500) {
            self.moved_by(taker, contract, &moves);
        } else {
            for one in moves {
                self.moved_by(taker, contract, &[one]);
            }
        }
    }
}
