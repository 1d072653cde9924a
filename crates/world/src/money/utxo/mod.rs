//! A UTXO chain: deposits and their consolidation, honest payments, collection, and all shapes that join strangers' inputs. Written
//! as a node of the regression test network writes its block files.
mod joins;
mod raw;

use super::truth::{AddressTruth, Line, Trap, Use};
use super::{MoneyPlan, TruthFile};
use crate::WorldError;
use crate::prng::Rng;
use bech32::{Hrp, segwit};
use raw::{Coin, MAGIC, Raw, Script, Signs, block, transaction};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The chain's code.
pub(crate) const CODE: &str = "btc-regtest";
/// Satoshis of a coinbase.
const SUBSIDY: u64 = 50 * 100_000_000;
/// What a transaction pays a block.
const FEE: u64 = 2_000;
/// Deposits that an exchange consolidates at once.
const CONSOLIDATED: usize = 12;

/// An exchange of this chain.
struct House {
    id: String,
    hot: VecDeque<Coin>,
    /// Paid in, not consolidated yet.
    deposits: Vec<Coin>,
}

/// The chain while it is told.
struct Chain {
    rng: Rng,
    story: u64,
    /// The block at which the story is.
    height: u64,
    houses: Vec<House>,
    syndicates: u64,
    waiting: BTreeMap<u64, Vec<Raw>>,
    truth: Vec<AddressTruth>,
}

type Tell = fn(&mut Chain);

/// Stories with the range of how often each begins.
const STORIES: [((u64, u64), Tell); 12] = [
    ((150, 350), Chain::deposit),
    ((100, 300), Chain::payment),
    ((60, 160), Chain::collection),
    ((10, 40), Chain::sale),
    ((5, 20), Chain::whirlpool),
    ((2, 8), Chain::wasabi),
    ((1, 5), Chain::wabisabi),
    ((5, 20), Chain::join_market),
    ((3, 12), Chain::stonewall),
    ((3, 12), Chain::two_stonewall),
    ((5, 25), Chain::dual_funding),
    ((0, 3), Chain::pay_join),
];

/// Writes the chain into `dir`: transactions, files, bytes.
pub(crate) fn tell(plan: &MoneyPlan, dir: &Path, truth: &mut TruthFile) -> Result<(u64, u64, u64), WorldError> {
    std::fs::create_dir_all(dir).map_err(|source| WorldError::at(dir, source))?;
    let rates = super::rates::Rates::draw(plan.seed);
    let mut rng = Rng::keyed(plan.seed, CODE, 0);
    let weights: Vec<u64> = STORIES.iter().map(|((low, high), _)| rng.between(*low, *high)).collect();
    let houses =
        (1..=rates.exchanges).map(|n| House { id: format!("X{n}"), hot: VecDeque::new(), deposits: Vec::new() });
    let mut chain = Chain {
        rng,
        story: 0,
        height: 0,
        houses: houses.collect(),
        syndicates: rates.syndicates,
        waiting: BTreeMap::new(),
        truth: Vec::new(),
    };
    let path = dir.join("blk00000.dat");
    let mut file = BufWriter::new(File::create(&path).map_err(|source| WorldError::at(&path, source))?);
    let (blocks, first) = (plan.days * 144, 60);
    let (mut parent, mut told, mut txs, mut bytes) = ([0; 32], 0, 0, 0);
    for height in 0..blocks {
        chain.height = height;
        while height >= first && told * (blocks - first) < (height - first) * plan.stories {
            chain.story = told;
            chain.rng = Rng::keyed(plan.seed, CODE, 1 + told);
            chain.height = height;
            chain.pick(&weights);
            told += 1;
        }
        let (raw, hash) = chain.close_block(plan, (height, parent), &mut txs)?;
        let head = [&MAGIC[..], &u32::try_from(raw.len()).unwrap_or(0).to_le_bytes()].concat();
        file.write_all(&head).and_then(|()| file.write_all(&raw)).map_err(|source| WorldError::at(&path, source))?;
        (parent, bytes) = (hash, bytes + head.len() as u64 + raw.len() as u64);
        for one in chain.truth.drain(..) {
            truth.line(&Line::Address(one))?;
        }
    }
    file.flush().map_err(|source| WorldError::at(&path, source))?;
    Ok((txs, 1, bytes))
}

impl Chain {
    fn pick(&mut self, weights: &[u64]) {
        let mut at = self.rng.below(weights.iter().sum());
        for ((_, tell), weight) in STORIES.iter().zip(weights) {
            if at < *weight {
                return tell(self);
            }
            at -= weight;
        }
    }

    /// The block of this height; its coins go to one of the exchanges.
    fn close_block(
        &mut self,
        plan: &MoneyPlan,
        (height, parent): (u64, [u8; 32]),
        txs: &mut u64,
    ) -> Result<(Vec<u8>, [u8; 32]), WorldError> {
        let waiting = self.waiting.remove(&height).unwrap_or_default();
        *txs += 1 + waiting.len() as u64;
        let at = (height % self.houses.len().max(1) as u64) as usize;
        let mut rng = Rng::keyed(plan.seed, "regtest coinbase", height);
        let key = rng.bytes();
        let time = u32::try_from(plan.start_seconds() + 600 * height).unwrap_or(u32::MAX);
        let (raw, hash, coin) = block((height, parent, time), key, SUBSIDY, &waiting);
        let id = self.houses.get(at).map(|house| house.id.clone()).unwrap_or_default();
        self.told(&key, &id, Use::Hot, None);
        if let Some(house) = self.houses.get_mut(at) {
            house.hot.push_back(coin);
        }
        Ok((raw, hash))
    }

    fn told(&mut self, key: &[u8; 20], owner: &str, used: Use, trap: Option<Trap>) {
        let address = Hrp::parse("bcrt").ok().and_then(|hrp| segwit::encode_v0(hrp, key).ok()).unwrap_or_default();
        let (owner, chain) = (owner.to_owned(), CODE.to_owned());
        self.truth.push(AddressTruth { chain, address, owner, used, operator: None, by: None, trap });
    }

    /// A new address of somebody.
    fn key(&mut self, owner: &str, used: Use, trap: Option<Trap>) -> [u8; 20] {
        let key = self.rng.bytes();
        self.told(&key, owner, used, trap);
        key
    }

    fn person(&self, letter: &str, n: usize) -> String {
        format!("{letter}u{}-{n}", self.story)
    }

    /// Puts a transaction into the block at hand; the coins that its keys get.
    fn spend(&mut self, inputs: &[(Coin, Signs)], outputs: &[(Script, u64)]) -> Vec<Coin> {
        let raw = transaction(inputs, outputs);
        let from = self.height;
        let coin = |(place, (to, value)): (usize, &(Script, u64))| match to {
            Script::Key(key) => {
                Some(Coin { id: raw.id, place: u32::try_from(place).ok()?, value: *value, key: *key, from })
            }
            Script::Hash(_) => None,
        };
        let coins = outputs.iter().enumerate().filter_map(coin).collect();
        self.waiting.entry(self.height).or_default().push(raw);
        coins
    }

    /// Some exchange pays these; the coins in the same order.
    fn withdraw(&mut self, to: &[([u8; 20], u64)]) -> Vec<Coin> {
        let wanted: u64 = to.iter().map(|(_, value)| value).sum::<u64>() + FEE;
        let at = self.rng.below(self.houses.len() as u64) as usize;
        let (now, mut inputs, mut sum) = (self.height, Vec::new(), 0);
        let Some(house) = self.houses.get_mut(at) else { return Vec::new() };
        // The oldest first: those that are not there yet stand at the end.
        while sum < wanted || inputs.len() < 2 {
            let Some(coin) = house.hot.pop_front().filter(|coin| coin.from <= now) else { break };
            sum += coin.value;
            inputs.push((coin, Signs::All));
        }
        let id = house.id.clone();
        if sum < wanted {
            return Vec::new();
        }
        let mut outputs: Vec<(Script, u64)> = to.iter().map(|(key, value)| (Script::Key(*key), *value)).collect();
        let change = self.key(&id, Use::Hot, None);
        outputs.push((Script::Key(change), sum - wanted));
        let mut coins = self.spend(&inputs, &outputs);
        if let (Some(back), Some(house)) = (coins.pop(), self.houses.get_mut(at)) {
            house.hot.push_front(back);
        }
        coins
    }

    fn later(&mut self, low: u64, high: u64) {
        self.height += self.rng.between(low, high);
    }

    /// A sum that people pay, satoshis.
    fn sum(&mut self) -> u64 {
        let size = 10_u64.pow(u32::try_from(self.rng.between(4, 6)).unwrap_or(4));
        size * self.rng.between(3, 40) + self.rng.below(size)
    }

    /// A wallet of so many coins, each on an address of its own.
    fn wallet(&mut self, owner: &str, coins: usize, trap: Option<Trap>) -> Vec<Coin> {
        let mut to = Vec::new();
        for _ in 0..coins {
            let value = self.sum() + 2 * FEE;
            to.push((self.key(owner, Use::Own, trap), value));
        }
        self.withdraw(&to)
    }

    fn deposit(&mut self) {
        let at = self.rng.below(self.houses.len() as u64) as usize;
        let Some(id) = self.houses.get(at).map(|house| house.id.clone()) else { return };
        let (key, value) = (self.key(&id, Use::Deposit, None), self.sum());
        let coins = self.withdraw(&[(key, value)]);
        let (height, Some(house)) = (self.height, self.houses.get_mut(at)) else { return };
        house.deposits.extend(coins);
        if house.deposits.len() < CONSOLIDATED {
            return;
        }
        let inputs: Vec<(Coin, Signs)> = house.deposits.drain(..).map(|coin| (coin, Signs::All)).collect();
        let all: u64 = inputs.iter().map(|(coin, _)| coin.value).sum();
        let hot = self.key(&id, Use::Hot, None);
        self.height = height;
        let coins = self.spend(&inputs, &[(Script::Key(hot), all - FEE)]);
        if let Some(house) = self.houses.get_mut(at) {
            house.hot.extend(coins);
        }
    }

    /// Pays from several coins at once, with change.
    fn payment(&mut self) {
        let me = self.person("U", 0);
        let n = self.rng.between(1, 5) as usize;
        let coins = self.wallet(&me, n, None);
        self.later(1, 60);
        self.pay_out(&coins, &me, "U");
    }

    fn pay_out(&mut self, coins: &[Coin], owner: &str, letter: &str) {
        let all: u64 = coins.iter().map(|coin| coin.value).sum();
        let Some(all) = all.checked_sub(FEE).filter(|_| !coins.is_empty()) else { return };
        let part = all * self.rng.between(100, 900) / 1_000;
        let shop = self.person(letter, 9);
        let (to, change) = (self.key(&shop, Use::Own, None), self.key(owner, Use::Own, None));
        let inputs: Vec<_> = coins.iter().map(|coin| (*coin, Signs::All)).collect();
        self.spend(&inputs, &[(Script::Key(to), part), (Script::Key(change), all - part)]);
    }

    /// Victims pay; what they paid is swept into a pool, which pays on.
    fn collection(&mut self) {
        let owner = format!("S{}", 1 + self.rng.below(self.syndicates));
        let mut held = Vec::new();
        for n in 0..self.rng.between(1, 12) as usize {
            let (to, victim) = (self.key(&owner, Use::Collection, None), self.person("V", n));
            let value = self.sum();
            if self.rng.chance(500) {
                held.extend(self.withdraw(&[(to, value)]));
            } else {
                let coins = self.wallet(&victim, 2, None);
                let all: u64 = coins.iter().map(|coin| coin.value).sum();
                let Some(all) = all.checked_sub(FEE).filter(|all| *all > 1_000) else { continue };
                let change = self.key(&victim, Use::Own, None);
                let inputs: Vec<_> = coins.iter().map(|coin| (*coin, Signs::All)).collect();
                let paid = self.spend(&inputs, &[(Script::Key(to), all * 3 / 4), (Script::Key(change), all / 4)]);
                held.extend(paid.first());
            }
        }
        self.later(1, 100);
        let all: u64 = held.iter().map(|coin| coin.value).sum();
        let Some(all) = all.checked_sub(FEE).filter(|_| !held.is_empty()) else { return };
        let pool = self.key(&owner, Use::Pool, None);
        let inputs: Vec<_> = held.iter().map(|coin| (*coin, Signs::All)).collect();
        let pooled = self.spend(&inputs, &[(Script::Key(pool), all)]);
        self.later(1, 20);
        self.pay_out(&pooled, &owner, "D");
    }
}
