//! Transactions whose inputs are not one party's, and one that only looks so.
use super::raw::{Coin, Script, Signs};
use super::{Chain, FEE, Trap, Use};

/// WabiSabi's denominations that these rounds use: powers of three and of two, doubled powers of three.
const DENOMINATIONS: [u64; 8] = [6_561, 13_122, 19_683, 59_049, 65_536, 118_098, 177_147, 1_594_323];

impl Chain {
    /// People with one coin of a value each.
    fn people(&mut self, values: &[u64], trap: Trap) -> Vec<(String, Coin)> {
        let mut out = Vec::new();
        let mut to = Vec::new();
        for (n, value) in values.iter().enumerate() {
            let name = self.person("U", n);
            to.push((self.key(&name, Use::Own, Some(trap)), *value));
            out.push(name);
        }
        // Some in one withdrawal, so that what is joined was not all paid by one.
        let mut coins = Vec::new();
        for part in to.chunks(7) {
            coins.extend(self.withdraw(part));
        }
        self.later(1, 40);
        out.into_iter().zip(coins).collect()
    }

    fn all(people: &[(String, Coin)]) -> Vec<(Coin, Signs)> {
        people.iter().map(|(_, coin)| (*coin, Signs::All)).collect()
    }

    /// A sale: the seller signs their own input and output alone, the buyer adds the money.
    pub(super) fn sale(&mut self) {
        let price = self.sum();
        let parts = 1 + self.rng.below(3) as usize;
        let mut values = vec![546];
        values.extend(std::iter::repeat_n(price / parts as u64 + 2 * FEE, parts));
        let (seller, buyer) = (self.person("U", 0), self.person("U", 1));
        let thing = self.key(&seller, Use::Own, Some(Trap::Sale));
        let mut to = vec![(thing, 546)];
        for value in values.iter().skip(1) {
            to.push((self.key(&buyer, Use::Own, Some(Trap::Sale)), *value));
        }
        let coins = self.withdraw(&to);
        if coins.len() < 2 {
            return;
        }
        self.later(1, 40);
        let all: u64 = coins.iter().map(|coin| coin.value).sum();
        let signs = |n: usize| if n == 0 { Signs::One } else { Signs::All };
        let inputs: Vec<_> = coins.iter().enumerate().map(|(n, coin)| (*coin, signs(n))).collect();
        let (paid, got) = (self.key(&seller, Use::Own, None), self.key(&buyer, Use::Own, None));
        self.spend(&inputs, &[(Script::Key(paid), all - 546 - FEE), (Script::Key(got), 546)]);
    }

    pub(super) fn whirlpool(&mut self) {
        let pool = [100_000, 1_000_000, 5_000_000].get(self.rng.below(3) as usize).copied().unwrap_or(100_000);
        let new = 1 + self.rng.below(4);
        let values: Vec<u64> = (0..5).map(|n| if n < new { pool + 400 + self.rng.below(900) } else { pool }).collect();
        let people = self.people(&values, Trap::Whirlpool);
        if people.len() < 5 {
            return;
        }
        let mut outputs = Vec::new();
        for (name, _) in &people {
            outputs.push((Script::Key(self.key(name, Use::Own, None)), pool));
        }
        self.spend(&Self::all(&people), &outputs);
    }

    /// Equal outputs near 0.1 BTC, changes, and the coordinator's.
    pub(super) fn wasabi(&mut self) {
        let (n, base) = (self.rng.between(10, 40) as usize, 10_000_000 + self.rng.below(900_000));
        let mut values = Vec::new();
        for _ in 0..n {
            let inputs = self.rng.between(1, 3);
            let each = (base + 20_000 + self.rng.below(4_000_000)) / inputs + 1;
            values.push((inputs, each));
        }
        let (mut inputs, mut outputs, mut left) = (Vec::new(), Vec::new(), 0);
        for (who, (parts, each)) in values.into_iter().enumerate() {
            let name = self.person("U", who);
            let mut to = Vec::new();
            for _ in 0..parts {
                to.push((self.key(&name, Use::Own, Some(Trap::Wasabi)), each));
            }
            let coins = self.withdraw(&to);
            let sum: u64 = coins.iter().map(|coin| coin.value).sum();
            let Some(change) = sum.checked_sub(base + 12_000) else { continue };
            left += 12_000;
            inputs.extend(coins.into_iter().map(|coin| (coin, Signs::All)));
            outputs.push((Script::Key(self.key(&name, Use::Own, None)), base));
            outputs.push((Script::Key(self.key(&name, Use::Own, None)), change));
        }
        if outputs.len() < 20 {
            return;
        }
        self.later(1, 40);
        let coordinator = self.key("coordinator", Use::Own, None);
        outputs.push((Script::Key(coordinator), left / 2));
        self.spend(&inputs, &outputs);
    }

    /// Many denominations, none round.
    pub(super) fn wabisabi(&mut self) {
        let n = self.rng.between(15, 60) as usize;
        let mut values = Vec::new();
        for _ in 0..n {
            let pick = self.rng.pick(&DENOMINATIONS).copied().unwrap_or(6_561);
            values.push(pick + 600);
        }
        let people = self.people(&values, Trap::Wasabi);
        if people.len() < 15 {
            return;
        }
        let mut outputs = Vec::new();
        for (name, coin) in &people {
            outputs.push((Script::Key(self.key(name, Use::Own, None)), coin.value - 600));
        }
        self.spend(&Self::all(&people), &outputs);
    }

    pub(super) fn join_market(&mut self) {
        let (n, value) = (self.rng.between(3, 9) as usize, self.sum());
        let values: Vec<u64> = (0..n).map(|_| value + 5_000 + self.rng.below(value)).collect();
        let people = self.people(&values, Trap::JoinMarket);
        if people.len() < 3 {
            return;
        }
        let mut outputs = Vec::new();
        for (name, coin) in &people {
            outputs.push((Script::Key(self.key(name, Use::Own, None)), value));
            let change = coin.value - value - 1_000;
            outputs.push((Script::Key(self.key(name, Use::Own, None)), change));
        }
        self.spend(&Self::all(&people), &outputs);
    }

    /// One wallet makes its payment look as if two had joined.
    pub(super) fn stonewall(&mut self) {
        let me = self.person("U", 0);
        self.twins(&me.clone(), &me);
    }

    /// Two do join, and pay somebody.
    pub(super) fn two_stonewall(&mut self) {
        let (one, other) = (self.person("U", 0), self.person("U", 1));
        self.twins(&one, &other);
    }

    fn twins(&mut self, one: &str, other: &str) {
        let (value, trap) = (self.sum(), Some(Trap::Stonewall));
        let (more, less) = (self.rng.below(value) + 9_000, self.rng.below(value) + 9_000);
        let to = [(self.key(one, Use::Own, trap), value + more), (self.key(other, Use::Own, trap), value + less)];
        let coins = self.withdraw(&to);
        if coins.len() < 2 {
            return;
        }
        self.later(1, 40);
        let shop = self.person("U", 7);
        let outputs = [
            (Script::Key(self.key(&shop, Use::Own, None)), value),
            (Script::Key(self.key(other, Use::Own, None)), value),
            (Script::Key(self.key(one, Use::Own, None)), more - FEE),
            (Script::Key(self.key(other, Use::Own, None)), less - FEE),
        ];
        let inputs: Vec<_> = coins.into_iter().map(|coin| (coin, Signs::All)).collect();
        self.spend(&inputs, &outputs);
    }

    /// A channel that both ends pay into (BOLT 2): a script of two keys and two changes.
    pub(super) fn dual_funding(&mut self) {
        let values = [self.sum() + 50_000, self.sum() + 50_000];
        let people = self.people(&values, Trap::DualFunding);
        let [(one, a), (other, b)] = people.as_slice() else { return };
        let funding = (Script::Hash(self.rng.bytes()), (a.value + b.value) / 2);
        let changes = [(self.key(one, Use::Own, None), a.value), (self.key(other, Use::Own, None), b.value)];
        let mut outputs = vec![funding];
        outputs.extend(changes.map(|(key, value)| (Script::Key(key), value / 2 - FEE)));
        self.spend(&Self::all(&people), &outputs);
    }

    /// Who is paid adds an input (BIP 78): no shape shows it.
    pub(super) fn pay_join(&mut self) {
        let values = [self.sum() + 50_000, self.sum() + 50_000];
        let people = self.people(&values, Trap::PayJoin);
        let [(payer, a), (shop, b)] = people.as_slice() else { return };
        let (paid, change) = (self.key(shop, Use::Own, None), self.key(payer, Use::Own, None));
        let outputs = [(Script::Key(paid), b.value + a.value / 2), (Script::Key(change), a.value / 2 - FEE)];
        self.spend(&Self::all(&people), &outputs);
    }
}
