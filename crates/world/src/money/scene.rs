//! One story while it is told: whose addresses, which transactions, when.
use super::cast::Cast;
use super::rates::Rates;
use super::truth::{AddressTruth, Trap, Use};
use super::tx::{Address, Call, Contract, Log, Permission, Tx};
use super::writing::Writing;
use crate::prng::Rng;

/// Base units of one of the invented token: six decimals.
pub(crate) const TOKEN: u128 = 1_000_000;
/// Gas of a payment of coins, of a token's transfer (EVM).
const GAS_COIN: u64 = 21_000;
const GAS_TOKEN: u64 = 65_000;
/// What a token's transfer and a payment of coins burn without energy (TRON), sun.
const BURNT_TOKEN: u128 = 13_844_850;
const BURNT_COIN: u128 = 267_000;
/// `transfer(address,uint256)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// The selector of whatever else is called; invented.
const CALL: [u8; 4] = [0xe8, 0xe8, 0xe8, 0xe8];

/// A story.
pub(crate) struct Scene<'w> {
    pub(crate) rng: Rng,
    pub(crate) rates: &'w Rates,
    pub(crate) cast: &'w mut Cast,
    pub(crate) writing: Writing,
    pub(crate) number: u64,
    /// Seconds since the world began.
    pub(crate) at: u64,
    pub(crate) txs: Vec<Tx>,
    pub(crate) truth: Vec<AddressTruth>,
}

/// Wei for a unit of gas: what it was in that hour.
pub(crate) fn gas_price(at: u64) -> u128 {
    let hour = at / 3_600;
    let wave = (hour.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) % 40;
    (8 + u128::from(wave)) * 1_000_000_000
}

impl Scene<'_> {
    pub(crate) fn tron(&self) -> bool {
        self.writing == Writing::Tron
    }

    pub(crate) fn fresh(&mut self) -> Address {
        self.rng.bytes()
    }

    /// Somebody's name in the truth.
    pub(crate) fn person(&self, letter: &str, n: usize) -> String {
        format!("{letter}{}-{n}", self.number)
    }

    pub(crate) fn wait(&mut self, (low, high): (u64, u64)) {
        self.at += 60 * self.rng.between(low, high);
    }

    /// Tokens of a size that people pay, in base units.
    pub(crate) fn sum(&mut self) -> u128 {
        // Between 20 and 50,000, as many in each of four decades and a bit.
        let size = 10_u128.pow(u32::try_from(self.rng.between(1, 4)).unwrap_or(1));
        let cents = u128::from(self.rng.between(200, 1_100));
        cents * size * TOKEN / 100
    }

    pub(crate) fn told(&mut self, address: &Address, owner: &str, used: Use) -> &mut AddressTruth {
        let truth = AddressTruth {
            chain: self.writing.code().to_owned(),
            address: self.writing.text(address),
            owner: owner.to_owned(),
            used,
            operator: None,
            by: None,
            trap: None,
        };
        let at = self.truth.len();
        self.truth.push(truth);
        // Just pushed: there is one at `at`.
        #[allow(clippy::indexing_slicing)]
        &mut self.truth[at]
    }

    pub(crate) fn own(&mut self, address: &Address, owner: &str, trap: impl Into<Option<Trap>>) {
        self.told(address, owner, Use::Own).trap = trap.into();
    }

    /// An address that its operator sweeps.
    pub(crate) fn swept(&mut self, address: &Address, owner: &str, used: Use, trap: impl Into<Option<Trap>>) {
        let told = self.told(address, owner, used);
        (told.operator, told.trap) = (Some(owner.to_owned()), trap.into());
    }

    /// What a token's transfer costs now, in base units of the coin.
    pub(crate) fn token_cost(&self) -> u128 {
        if self.tron() { BURNT_TOKEN } else { u128::from(GAS_TOKEN) * gas_price(self.at) }
    }

    pub(crate) fn coin_cost(&self) -> u128 {
        if self.tron() { BURNT_COIN } else { u128::from(GAS_COIN) * gas_price(self.at) }
    }

    /// A sum of coins that people pay.
    pub(crate) fn coins(&mut self) -> u128 {
        let thousandths = u128::from(self.rng.between(50, 20_000));
        if self.tron() { thousandths * 1_000_000 } else { thousandths * 1_000_000_000_000_000 }
    }

    pub(crate) fn pay_coin(&mut self, from: Address, to: Address, value: u128) {
        let fee = self.coin_cost();
        let at = self.at;
        self.txs.push(Tx { at, signer: from, to: Some(to), value, gas: GAS_COIN, fee, ..Tx::default() });
        self.at += 1;
    }

    fn token_tx(&self, signer: Address, to: Address) -> Tx {
        Tx {
            at: self.at,
            signer,
            to: Some(to),
            gas: GAS_TOKEN,
            fee: self.token_cost(),
            selector: Some(CALL),
            contract: Contract::Trigger,
            ..Tx::default()
        }
    }

    /// A token's transfer that its holder signs.
    pub(crate) fn pay(&mut self, from: Address, to: Address, amount: u128) {
        let token = self.cast.token;
        self.pay_of(token, from, to, amount);
    }

    pub(crate) fn pay_of(&mut self, token: Address, from: Address, to: Address, amount: u128) {
        let tx = Tx { selector: Some(TRANSFER), ..self.token_tx(from, token) };
        self.push(Tx { logs: vec![Log::transfer(token, from, to, amount)], ..tx });
    }

    /// The same with rented energy: it costs its signer nothing (TRON).
    pub(crate) fn pay_free(&mut self, from: Address, to: Address, amount: u128) {
        let token = self.cast.token;
        let tx = Tx { selector: Some(TRANSFER), fee: 0, ..self.token_tx(from, token) };
        self.push(Tx { logs: vec![Log::transfer(token, from, to, amount)], ..tx });
    }

    /// Tokens that somebody else's transaction moves by way of a contract.
    pub(crate) fn moved_by(&mut self, signer: Address, through: Address, moves: &[(Address, Address, u128)]) {
        let token = self.cast.token;
        let logs = moves.iter().map(|&(from, to, amount)| Log::transfer(token, from, to, amount)).collect();
        let gas = GAS_TOKEN * moves.len().max(1) as u64;
        self.push(Tx { logs, gas, ..self.token_tx(signer, through) });
    }

    /// Contracts that a factory makes when somebody asks it.
    pub(crate) fn made_by(&mut self, signer: Address, factory: Address, contracts: &[Address], logs: Vec<Log>) {
        let made = |to: &Address| Call { from: factory, to: *to, value: 0, create: true };
        let calls = contracts.iter().map(made).collect();
        self.push(Tx { calls, logs, gas: 10 * GAS_TOKEN, ..self.token_tx(signer, factory) });
    }

    /// A call that moves nothing but logs something.
    pub(crate) fn says(&mut self, signer: Address, contract: Address, logs: Vec<Log>) {
        self.push(Tx { logs, ..self.token_tx(signer, contract) });
    }

    /// Coins that a contract spreads.
    pub(crate) fn spread(&mut self, signer: Address, contract: Address, to: &[Address], each: u128) {
        let calls = to.iter().map(|to| Call { from: contract, to: *to, value: each, create: false }).collect();
        let value = each * to.len() as u128;
        self.push(Tx { value, calls, gas: GAS_COIN * (1 + to.len() as u64), ..self.token_tx(signer, contract) });
    }

    /// New permissions of an account (TRON).
    pub(crate) fn permit(&mut self, signer: Address, account: Address, threshold: u64, keys: Vec<(Address, u64)>) {
        let permission = Some(Permission { account, threshold, keys });
        let (at, fee) = (self.at, 100_000_000);
        self.push(Tx { at, signer, contract: Contract::Permission, permission, fee, ..Tx::default() });
    }

    fn push(&mut self, tx: Tx) {
        self.txs.push(tx);
        self.at += 1;
    }

    /// A working wallet of some exchange.
    pub(crate) fn any_hot(&mut self) -> Address {
        let x = self.rng.below(self.cast.exchanges.len() as u64) as usize;
        self.hot_of(x)
    }

    pub(crate) fn hot_of(&mut self, exchange: usize) -> Address {
        let hot = self.cast.exchanges.get(exchange).map(|x| x.hot.clone()).unwrap_or_default();
        self.rng.pick(&hot).copied().unwrap_or_default()
    }

    /// A wallet that an exchange fills: with tokens, and with coins for gas.
    pub(crate) fn filled(&mut self, owner: &str, tokens: u128, gas: bool, trap: impl Into<Option<Trap>>) -> Address {
        let (wallet, hot) = (self.fresh(), self.any_hot());
        self.own(&wallet, owner, trap);
        if gas {
            let coins = 3 * self.token_cost() * u128::from(self.rng.between(1_000, 9_000)) / 1_000;
            self.pay_coin(hot, wallet, coins);
        }
        self.pay(hot, wallet, tokens);
        wallet
    }

    /// Somebody pays tokens: straight from an exchange, or from a wallet that keeps something.
    pub(crate) fn paid_by(&mut self, owner: &str, to: Address, amount: u128) {
        if self.rng.chance(self.rates.straight) {
            let hot = self.any_hot();
            return self.pay(hot, to, amount);
        }
        let more = amount * u128::from(self.rng.between(0, 900)) / 1_000;
        let wallet = self.filled(owner, amount + more, true, None);
        self.wait((1, 90));
        self.pay(wallet, to, amount);
        if more > 0 && self.rng.chance(500) {
            let (friend, name) = (self.fresh(), format!("{owner}-friend"));
            self.own(&friend, &name, None);
            self.pay(wallet, friend, more / 2);
        }
    }

    /// Gas for one sweep, as whoever sweeps reckons it.
    pub(crate) fn gas_for_sweep(&mut self) -> u128 {
        let (low, high) = self.rates.gas_margin;
        // The price may rise within the hour before the sweep.
        self.token_cost() * u128::from(self.rng.between(low, high)) / 1_000
    }
}
