//! Traffic that no rule should make anything of: payments, and everybody who signs or pays gas for others.
use super::scene::{Scene, TOKEN};
use super::truth::{Trap, Use};
use super::tx::{Address, Log};

impl Scene<'_> {
    /// People pay each other.
    pub(crate) fn honest(&mut self) {
        let me = self.person("U", 0);
        let amount = self.sum();
        let mut at = self.filled(&me, amount, true, None);
        let mut left = amount;
        for n in 1..=self.rng.between(1, 5) as usize {
            self.wait((5, 2_000));
            let (next, owner) = (self.fresh(), self.person("U", n));
            self.own(&next, &owner, None);
            let part = left * u128::from(self.rng.between(100, 1_000)) / 1_000;
            let coins = 4 * self.token_cost();
            let hot = self.any_hot();
            self.pay_coin(hot, next, coins);
            self.pay(at, next, part);
            (at, left) = (next, part);
        }
    }

    /// Somewhere that people send everything: a friend, a shop, a deposit address of theirs.
    fn recipient(&mut self, owner: &str) -> Address {
        let to = self.fresh();
        if !self.rng.chance(400) {
            self.own(&to, owner, None);
            return to;
        }
        let x = self.rng.below(self.cast.exchanges.len() as u64) as usize;
        let id = self.cast.exchanges.get(x).map(|x| x.id.clone()).unwrap_or_default();
        // Nobody empties it as long as the world lasts: it has no operator that shows.
        self.told(&to, &id, Use::Deposit);
        to
    }

    fn many(&mut self) -> usize {
        self.rng.between(3, 12) as usize
    }

    /// A relayer signs and pays; its users hold no coins.
    pub(crate) fn relayer(&mut self) {
        let relayer = if self.rng.chance(700) { self.cast.relayer } else { self.fresh() };
        self.for_others(relayer, self.cast.token, Trap::Relayer);
    }

    /// Wallets that run one maker's code; its relayer moves what each says.
    pub(crate) fn shared_delegate(&mut self) {
        self.for_others(self.cast.relayer, self.cast.account_factory, Trap::SharedDelegate);
    }

    fn for_others(&mut self, signer: Address, through: Address, trap: Trap) {
        let shop = self.fresh();
        let owner = self.person("M", 0);
        self.own(&shop, &owner, None);
        let one_shop = self.rng.chance(300);
        for n in 0..self.many() {
            let (name, amount) = (self.person("U", n), self.sum());
            let wallet = self.filled(&name, amount, false, trap);
            self.wait((2, 300));
            let to = if one_shop { shop } else { self.recipient(&name) };
            self.moved_by(signer, through, &[(wallet, to, amount)]);
        }
    }

    /// Accounts that are contracts (ERC-4337): a bundler signs, a paymaster pays.
    pub(crate) fn bundler(&mut self) {
        let (bundler, factory, entry) = (self.cast.bundler, self.cast.account_factory, self.cast.entry_point);
        for n in 0..self.many() {
            let (account, name, amount) = (self.fresh(), self.person("U", n), self.sum());
            self.own(&account, &name, Trap::Bundler);
            self.made_by(bundler, factory, &[account], Vec::new());
            self.paid_by(&name, account, amount);
            self.wait((2, 300));
            let to = self.recipient(&name);
            self.moved_by(bundler, entry, &[(account, to, amount)]);
        }
    }

    /// GasFree accounts: their provider signs, and is paid out of the tokens.
    pub(crate) fn gas_free(&mut self) {
        let provider = self.cast.gas_free;
        let (shop, merchant) = (self.fresh(), self.person("M", 0));
        self.own(&shop, &merchant, None);
        for n in 0..self.many() {
            let (account, name, amount) = (self.fresh(), self.person("U", n), self.sum());
            self.own(&account, &name, Trap::GasFree);
            self.paid_by(&name, account, amount + 2 * TOKEN);
            self.wait((2, 300));
            let to = if self.rng.chance(500) { shop } else { self.recipient(&name) };
            self.moved_by(provider, provider, &[(account, to, amount), (account, provider, 2 * TOKEN)]);
        }
    }

    /// One transaction sends gas to many: to wallets of one owner, or of as many people.
    pub(crate) fn disperse(&mut self) {
        let (contract, payer) = (self.cast.disperse, self.fresh());
        let alone = self.rng.chance(400);
        let boss = self.person("U", 0);
        self.own(&payer, &boss, None);
        let main = self.fresh();
        self.own(&main, &boss, None);
        let mut wallets = Vec::new();
        for n in 0..self.many() {
            let (name, amount) = (if alone { boss.clone() } else { self.person("E", n) }, self.sum());
            let wallet = self.filled(&name, amount, false, Trap::Disperse);
            wallets.push((wallet, name, amount));
        }
        let to: Vec<Address> = wallets.iter().map(|(wallet, ..)| *wallet).collect();
        let each = self.gas_for_sweep();
        self.spread(payer, contract, &to, each);
        for (wallet, name, amount) in wallets {
            self.wait((2, 200));
            let to = if alone { main } else { self.recipient(&name) };
            self.pay(wallet, to, amount);
        }
    }

    /// People rent energy and pay without fee (TRON).
    pub(crate) fn energy_rental(&mut self) {
        let rental = self.cast.rental;
        let (shop, merchant) = (self.fresh(), self.person("M", 0));
        self.own(&shop, &merchant, None);
        for n in 0..self.many() {
            let (name, amount) = (self.person("U", n), self.sum());
            let wallet = self.filled(&name, amount, false, Trap::EnergyRental);
            let hot = self.any_hot();
            self.pay_coin(hot, wallet, 6_000_000);
            self.wait((1, 100));
            self.pay_coin(wallet, rental, 3_000_000);
            let to = if self.rng.chance(500) { shop } else { self.recipient(&name) };
            self.pay_free(wallet, to, amount);
        }
    }

    /// Payments of nothing from look-alikes, and a token that only calls itself like another.
    pub(crate) fn spam(&mut self) {
        let (poisoner, token, fake) = (self.fresh(), self.cast.token, self.cast.fake_token);
        let who = self.person("P", 0);
        self.own(&poisoner, &who, Trap::Spam);
        let mut logs = Vec::new();
        for n in 0..self.many() {
            let (name, amount) = (self.person("U", n), self.sum());
            let victim = self.filled(&name, amount, true, None);
            let friend = self.recipient(&name);
            self.pay(victim, friend, amount / 2);
            // The last bytes stay, and so do the first: a glance takes it for the friend.
            let mut alike: Address = self.rng.bytes();
            for (at, byte) in friend.iter().enumerate().filter(|(at, _)| !(2..18).contains(at)) {
                if let Some(place) = alike.get_mut(at) {
                    *place = *byte;
                }
            }
            self.own(&alike, &who, Trap::Spam);
            logs.push(Log::transfer(token, victim, alike, 0));
            logs.push(Log::transfer(fake, victim, alike, amount / 2));
        }
        self.says(poisoner, token, logs);
    }
}
