//! Accounts that others control by what the chain records: Safes, permissions, proxies, contracts of a factory.
use super::scene::Scene;
use super::truth::{Trap, Use};
use super::tx::{Address, Log};

impl Scene<'_> {
    fn controlled(&mut self, account: &Address, owner: &str, by: &Address) {
        let by = self.writing.text(by);
        self.told(account, owner, Use::Own).by = Some(by);
    }

    fn key(&mut self, owner: &str) -> Address {
        let key = self.fresh();
        self.own(&key, owner, None);
        let (hot, coins) = (self.any_hot(), 40 * self.token_cost());
        self.pay_coin(hot, key, coins);
        key
    }

    fn safe(&mut self, by: Address, owners: &[Address], threshold: u64) -> Address {
        let (safe, factory) = (self.fresh(), self.cast.safe_factory);
        self.made_by(by, factory, &[safe], vec![Log::safe_setup(safe, by, owners, threshold)]);
        safe
    }

    /// Tokens come in, and some go out to a stranger: signed by this key.
    fn used(&mut self, account: Address, by: Address) {
        let (amount, name) = (self.sum(), self.person("U", 70));
        self.paid_by(&name, account, amount);
        self.wait((5, 800));
        let to = self.fresh();
        let other = self.person("U", 71);
        self.own(&to, &other, None);
        let part = amount * u128::from(self.rng.between(100, 900)) / 1_000;
        self.moved_by(by, account, &[(account, to, part)]);
    }

    /// Safes: of one key, of partners, of strangers, of a Safe, with a wallet maker's signer, sold, with a service's key.
    pub(crate) fn safes(&mut self) {
        let me = self.person("U", 0);
        match self.rng.below(8) {
            0 | 1 => {
                let key = self.key(&me);
                for _ in 0..self.rng.between(1, 3) {
                    let safe = self.safe(key, &[key], 1);
                    self.controlled(&safe, &me, &key);
                    self.used(safe, key);
                }
            }
            2 => self.shared_safe(1),
            3 => self.shared_safe(2),
            4 => {
                let key = self.key(&me);
                let inner = self.safe(key, &[key], 1);
                self.controlled(&inner, &me, &key);
                let outer = self.safe(key, &[key, inner], 2);
                self.controlled(&outer, &me, &key);
                self.used(outer, key);
            }
            5 => {
                let signer = self.cast.shared_signer;
                for n in 0..self.rng.between(2, 8) as usize {
                    let (name, bundler) = (self.person("U", n), self.cast.bundler);
                    let safe = self.safe(bundler, &[signer], 1);
                    self.own(&safe, &name, Trap::SharedSigner);
                    self.used(safe, bundler);
                }
            }
            6 => {
                let buyer = self.person("U", 1);
                let (a, b) = (self.key(&me), self.key(&buyer));
                let safe = self.safe(a, &[a], 1);
                self.own(&safe, &buyer, Trap::Handover);
                self.used(safe, a);
                self.says(a, safe, vec![Log::added_owner(safe, b), Log::removed_owner(safe, a)]);
                self.used(safe, b);
            }
            _ => {
                let (key, service) = (self.key(&me), self.cast.co_signer);
                let safe = self.safe(key, &[key, service], 2);
                self.own(&safe, &me, Trap::CoSigner);
                self.used(safe, key);
            }
        }
    }

    fn shared_safe(&mut self, threshold: u64) {
        let mut keys = Vec::new();
        for n in 0..3 {
            let name = self.person("U", n);
            keys.push(self.key(&name));
        }
        let Some(&first) = keys.first() else { return };
        let safe = self.safe(first, &keys, threshold);
        let firm = self.person("C", 0);
        self.own(&safe, &firm, Trap::SharedSafe);
        self.used(safe, first);
    }

    /// Owner permissions (TRON): another key from the start, a key that took over, a service's second key, a spare key.
    pub(crate) fn permissions(&mut self) {
        let me = self.person("U", 0);
        let (account, key) = (self.fresh(), self.key(&me));
        match self.rng.below(5) {
            0 | 1 => {
                self.controlled(&account, &me, &key);
                self.permit(account, account, 1, vec![(key, 1)]);
                self.paid_and_pays(account);
            }
            2 => {
                // Stolen: what was paid before was its first owner's.
                let thief = self.fresh();
                let name = self.person("S", 1);
                self.own(&thief, &name, Trap::Handover);
                self.own(&account, &me, Trap::Handover);
                self.paid_and_pays(account);
                self.permit(account, account, 1, vec![(thief, 1)]);
                self.paid_and_pays(account);
            }
            3 => {
                let service = self.cast.co_signer;
                self.own(&account, &me, Trap::CoSigner);
                self.permit(account, account, 2, vec![(key, 1), (service, 1)]);
                self.paid_and_pays(account);
            }
            _ => {
                // Either key alone may: partners.
                let partner = self.person("U", 1);
                let other = self.key(&partner);
                self.own(&account, &self.person("C", 0), Trap::SharedSafe);
                self.permit(account, account, 1, vec![(key, 1), (other, 1)]);
                self.paid_and_pays(account);
            }
        }
    }

    fn paid_and_pays(&mut self, account: Address) {
        let (amount, name) = (self.sum(), self.person("U", 70));
        self.paid_by(&name, account, amount);
        self.wait((5, 800));
        let (to, other) = (self.fresh(), self.person("U", 71));
        self.own(&to, &other, None);
        self.pay_free(account, to, amount / 2);
    }

    /// Contracts behind a proxy: whoever may change the code is its user, a maker, or somebody else from then on.
    pub(crate) fn proxies(&mut self) {
        let me = self.person("U", 0);
        let key = self.key(&me);
        let nobody: Address = [0; 20];
        let proxy = |scene: &mut Self, by: Address, admin: Address| {
            let made = scene.fresh();
            let factory = scene.cast.public_factory;
            scene.made_by(by, factory, &[made], vec![Log::admin_changed(made, nobody, admin)]);
            made
        };
        match self.rng.below(4) {
            0 | 1 => {
                for _ in 0..self.rng.between(1, 3) {
                    let made = proxy(self, key, key);
                    self.controlled(&made, &me, &key);
                    self.used(made, key);
                }
            }
            2 => {
                let vendor = if self.rng.chance(500) { self.cast.vendor } else { self.fresh() };
                for n in 1..=self.rng.between(1, 5) as usize {
                    let name = self.person("U", n);
                    let user = self.key(&name);
                    let made = proxy(self, user, vendor);
                    self.own(&made, &name, Trap::VendorAdmin);
                    self.used(made, user);
                }
            }
            _ => {
                let buyer = self.person("U", 1);
                let other = self.key(&buyer);
                let made = proxy(self, key, key);
                self.own(&made, &buyer, Trap::Handover);
                self.used(made, key);
                self.says(key, made, vec![Log::admin_changed(made, key, other)]);
                self.used(made, other);
            }
        }
    }

    /// A factory that everybody may use: equal contracts, each swept by whoever had it made.
    pub(crate) fn public_factory(&mut self) {
        let factory = self.cast.public_factory;
        for n in 0..self.rng.between(2, 4) as usize {
            let name = self.person("U", n);
            let (key, main) = (self.key(&name), self.fresh());
            self.own(&main, &name, Trap::EqualBytecode);
            for _ in 0..self.rng.between(2, 5) {
                let (forwarder, amount) = (self.fresh(), self.sum());
                self.controlled(&forwarder, &name, &key);
                if let Some(told) = self.truth.last_mut() {
                    told.trap = Some(Trap::EqualBytecode);
                }
                self.made_by(key, factory, &[forwarder], Vec::new());
                let payer = self.person("U", 40 + n);
                self.paid_by(&payer, forwarder, amount);
                self.wait((5, 300));
                self.moved_by(key, forwarder, &[(forwarder, main, amount)]);
            }
        }
    }
}
