//! Exchanges and what their customers do with them.
use super::cast::Sweeps;
use super::scene::Scene;
use super::truth::{Trap, Use};
use super::tx::Address;

impl Scene<'_> {
    /// A customer's deposit address at some exchange, paid and swept.
    pub(crate) fn deposit(&mut self) {
        let x = self.rng.below(self.cast.exchanges.len() as u64) as usize;
        let Some(exchange) = self.cast.exchanges.get(x) else { return };
        let (id, sweeps, sweeper, factory) = (exchange.id.clone(), exchange.sweeps, exchange.sweeper, exchange.factory);
        let address = self.fresh();
        self.swept(&address, &id, Use::Deposit, None);
        if sweeps == Sweeps::Forwarders {
            let by = self.writing.text(&sweeper);
            if let Some(told) = self.truth.last_mut() {
                told.by = Some(by);
            }
            self.made_by(sweeper, factory, &[address], Vec::new());
        }
        if self.rng.chance(150) {
            let (spammer, other) = (self.fresh(), self.cast.other_token);
            self.pay_of(other, spammer, address, 77);
        }
        let customer = self.person("U", 0);
        let in_coins = sweeps != Sweeps::Forwarders && self.rng.chance(250);
        let (low, high) = self.rates.payments;
        for _ in 0..self.rng.between(low, high) {
            if in_coins {
                self.coins_in_and_swept(x, address);
            } else {
                let amount = self.sum();
                self.paid_by(&customer, address, amount);
                self.wait(self.rates.sweep_delay);
                self.sweep_deposit(x, address, amount, sweeps);
            }
            self.wait((30, 3_000));
        }
        if self.rng.chance(150) {
            // What came last is not swept yet.
            let amount = self.sum();
            self.paid_by(&customer, address, amount);
        }
    }

    fn coins_in_and_swept(&mut self, exchange: usize, address: Address) {
        let (from, coins) = (self.any_hot(), self.coins());
        self.pay_coin(from, address, coins);
        self.wait(self.rates.sweep_delay);
        let (hot, cost) = (self.hot_of(exchange), self.coin_cost());
        if coins > cost {
            self.pay_coin(address, hot, coins - cost);
        }
    }

    fn sweep_deposit(&mut self, exchange: usize, address: Address, amount: u128, sweeps: Sweeps) {
        let hot = self.hot_of(exchange);
        let Some((gas, sweeper)) = self.cast.exchanges.get(exchange).map(|x| (x.gas, x.sweeper)) else { return };
        match sweeps {
            Sweeps::Keys => {
                let coins = self.gas_for_sweep();
                self.pay_coin(gas, address, coins);
                self.wait(self.rates.gas_lead);
                self.pay(address, hot, amount);
            }
            Sweeps::Energy => self.pay_free(address, hot, amount),
            Sweeps::Forwarders => self.moved_by(sweeper, address, &[(address, hot, amount)]),
        }
    }

    /// Somebody brings together what an exchange paid into several wallets of theirs.
    pub(crate) fn withdrawal(&mut self) {
        let (main, me) = (self.fresh(), self.person("U", 0));
        self.own(&main, &me, Trap::Withdrawal);
        for _ in 0..self.rng.between(1, 6) {
            let amount = self.sum();
            let wallet = self.filled(&me, amount, true, Trap::Withdrawal);
            self.wait((5, 500));
            self.pay(wallet, main, amount);
        }
        let (shop, owner, amount) = (self.fresh(), self.person("U", 9), self.sum());
        self.own(&shop, &owner, None);
        self.pay(main, shop, amount / 2);
    }

    /// Somebody pays a working wallet from their own, as only those do who were told that address.
    pub(crate) fn direct_payer(&mut self) {
        let (wallet, me) = (self.fresh(), self.person("U", 0));
        self.own(&wallet, &me, Trap::DirectPayer);
        let x = self.rng.below(self.cast.exchanges.len() as u64) as usize;
        for n in 1..=self.rng.between(1, 3) {
            let amount = self.sum();
            let friend = self.person("U", n as usize);
            self.paid_by(&friend, wallet, amount);
            let from = self.any_hot();
            let coins = 3 * self.token_cost();
            self.pay_coin(from, wallet, coins);
            self.wait((5, 900));
            let hot = self.hot_of(x);
            self.pay(wallet, hot, amount);
        }
    }

    /// A store that is given up: all that its exchange put there goes back.
    pub(crate) fn retired_cold(&mut self) {
        let x = self.rng.below(self.cast.exchanges.len() as u64) as usize;
        let Some((id, gas)) = self.cast.exchanges.get(x).map(|x| (x.id.clone(), x.gas)) else { return };
        let cold = self.fresh();
        self.told(&cold, &id, Use::Cold).trap = Some(Trap::RetiredCold);
        let mut held = 0;
        for _ in 0..self.rng.between(1, 5) {
            let (hot, amount) = (self.hot_of(x), 40 * self.sum());
            self.pay(hot, cold, amount);
            held += amount;
            self.wait((100, 2_000));
        }
        let coins = self.gas_for_sweep();
        self.pay_coin(gas, cold, coins);
        let hot = self.hot_of(x);
        self.pay(cold, hot, held);
    }

    /// A payment firm: contracts of its factory gather for its merchants, who hold what is paid out.
    pub(crate) fn processor(&mut self) {
        let (firm, factory) = (self.cast.processor, self.cast.processor_factory);
        let by = self.writing.text(&firm);
        for m in 1..=self.rng.between(1, 4) {
            let (wallet, merchant) = (self.fresh(), self.person("M", m as usize));
            self.own(&wallet, &merchant, Trap::Processor);
            for _ in 0..self.rng.between(1, 5) {
                let (forwarder, amount) = (self.fresh(), self.sum());
                let told = self.told(&forwarder, "F1", Use::Deposit);
                (told.by, told.trap) = (Some(by.clone()), Some(Trap::Processor));
                told.operator = Some("F1".into());
                self.made_by(firm, factory, &[forwarder], Vec::new());
                let payer = self.person("U", m as usize);
                self.paid_by(&payer, forwarder, amount);
                self.wait((5, 300));
                self.moved_by(firm, forwarder, &[(forwarder, wallet, amount)]);
            }
            let (shop, owner) = (self.fresh(), self.person("U", 90));
            self.own(&shop, &owner, None);
            self.pay(wallet, shop, 5_000_000);
        }
    }
}
