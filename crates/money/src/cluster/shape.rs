//! Which transactions may unite their inputs, judged by their shape alone. Pure functions; every rule errs to the side of not merging,
//! since a lost merge can be found again and a wrong one names a stranger.
//!
//! Sources: Schnoering and Vazirgiannis 2023, "Heuristics for Detecting CoinJoin Transactions on the Bitcoin Blockchain",
//! arXiv:2311.12491 (JoinMarket, Wasabi 1, 1.1, 2, Whirlpool), with changes named at each rule; BIP 341 and Bitcoin Cash's replay
//! protection for signature hashes; LIP 3 for Litecoin's HogEx; the CashFusion specification; BOLT 2 for dual funding.
//!
//! Cannot be seen by shape and therefore merged: PayJoin (BIP 78), a dual-funded channel without two changes or paid to a Taproot
//! output, CoinJoins of unequal outputs. `measured` has the error rate of what they let through.
use crate::chain::Family;
use std::collections::{BTreeMap, BTreeSet};

/// What an input's signatures cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighash {
    /// Everything: whoever signed agreed to all inputs and outputs.
    All,
    /// Less (NONE, SINGLE, ANYONECANPAY): others can add inputs, as sales of Ordinals and Runes do.
    Partial,
    /// No signature was read.
    Unknown,
}

impl Sighash {
    /// Reads the byte after an ECDSA signature; `None` is a Schnorr signature of 64 bytes (BIP 341's default, all).
    ///
    /// ```
    /// use money::{chain::Family, cluster::shape::Sighash};
    /// assert_eq!(Sighash::of(Family::Bitcoin, Some(0x01)), Sighash::All);
    /// assert_eq!(Sighash::of(Family::Bitcoin, Some(0x83)), Sighash::Partial); // SINGLE | ANYONECANPAY
    /// assert_eq!(Sighash::of(Family::BitcoinCash, Some(0x41)), Sighash::All); // ALL | FORKID
    /// ```
    #[must_use]
    pub fn of(family: Family, byte: Option<u8>) -> Self {
        let beside = if family == Family::BitcoinCash { 0x60 } else { 0 }; // FORKID 0x40, UTXOS 0x20
        match byte.map(|b| b & !beside) {
            None | Some(0x01) => Self::All,
            Some(_) => Self::Partial,
        }
    }
}

/// One input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Number of its address, when known.
    pub address: Option<u64>,
    /// Its value in base units, when known; a raw block does not say it.
    pub value: Option<u64>,
    /// What its signatures cover.
    pub sighash: Sighash,
    /// It spends by witness (native or nested segwit, Taproot).
    pub segwit: bool,
}

/// What an output's script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Pays to a key or a script hash.
    Key,
    /// Witness version 0, 32 bytes. `two_of_two` is what its spender revealed, when it was spent.
    WitnessScript {
        /// Two keys of two.
        two_of_two: Option<bool>,
    },
    /// OP_RETURN; its first push of four bytes, if it is that.
    Data(Option<[u8; 4]>),
    /// Litecoin's HogEx output (witness version 8).
    Hog,
}

/// One output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Value in base units.
    pub value: u64,
    /// Number of its script, equal for equal scripts.
    pub script: u64,
    /// What the script is.
    pub kind: Script,
}

/// A transaction as far as the rules look.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// Whose rules hold.
    pub family: Family,
    /// The transaction's version.
    pub version: i32,
    /// Its lock time.
    pub locktime: u32,
    /// Its inputs; none for a coinbase.
    pub inputs: &'a [Input],
    /// Its outputs.
    pub outputs: &'a [Output],
}

/// A protocol of CoinJoin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoinJoin {
    /// Makers and a taker, one equal output each.
    JoinMarket,
    /// Equal outputs near 0.1 BTC.
    Wasabi1,
    /// The same with doubled levels.
    Wasabi11,
    /// WabiSabi: many denominations.
    Wasabi2,
    /// One pool's denomination, as many inputs as outputs.
    Whirlpool,
}

/// Whether a transaction's inputs are one party's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Merge,
    /// A CoinJoin's shape.
    CoinJoin {
        /// Whose.
        kind: CoinJoin,
        /// Equal outputs of the most frequent (or base) value: at least so many took part.
        participants: usize,
        /// That value, base units.
        denomination: u64,
        /// The input values were known and fit; without them the shape of outputs alone speaks.
        values_checked: bool,
    },
    /// Not merged, and not called a CoinJoin.
    Apart(Apart),
}

/// Why inputs are not merged though nothing calls it a CoinJoin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// A signature that does not cover everything.
    PartialSighash,
    /// A CashFusion.
    CashFusion,
    /// Litecoin's HogEx: the extension block's own.
    HogEx,
    /// A channel's funding by both its ends.
    DualFunding,
    /// Two equal outputs and two changes: Stonewall, or two parties.
    Stonewall,
    /// Equal outputs in the majority and as many distinct inputs: the paper's JoinMarket shape without the makers' changes. A payroll
    /// from many coins looks the same.
    EqualOutputs,
}

/// Satoshis of one bitcoin.
const COIN: u64 = 100_000_000;
/// Outputs up to this are no denomination (JoinMarket's dust threshold).
const DUST: u64 = 2_730;
/// Whirlpool's pools, and the two of its successor.
const POOLS: [u64; 6] = [100_000, 1_000_000, 2_500_000, 5_000_000, 25_000_000, 50_000_000];
/// What a new entrant's input has above the pool's denomination for fees, at most.
const POOL_FEE: u64 = 100_000;
/// Inputs one participant of Wasabi 1 brought at most.
const WASABI1_INPUTS: usize = 7;
/// Inputs one participant of Wasabi 2 brings at most, and the least value of an output.
const WASABI2_INPUTS: usize = 10;
const WASABI2_LEAST: u64 = 5_000;
/// Inputs of the smallest rounds of Wasabi 2. The paper has 50; rounds of coordinators after 2024 are smaller.
const WASABI2_ROUND: usize = 15;

impl Shape<'_> {
    /// Judges the shape.
    #[must_use]
    pub fn judge(&self) -> Verdict {
        if self.distinct_inputs() < 2 {
            return Verdict::Merge;
        }
        if self.inputs.iter().any(|i| i.sighash == Sighash::Partial) {
            return Verdict::Apart(Apart::PartialSighash);
        }
        if self.hog_ex() {
            return Verdict::Apart(Apart::HogEx);
        }
        if self.cash_fusion() {
            return Verdict::Apart(Apart::CashFusion);
        }
        let coin_join =
            self.whirlpool().or_else(|| self.wasabi1()).or_else(|| self.wasabi2()).or_else(|| self.join_market());
        if let Some(found) = coin_join {
            return found;
        }
        if self.dual_funding() {
            return Verdict::Apart(Apart::DualFunding);
        }
        if self.stonewall() {
            return Verdict::Apart(Apart::Stonewall);
        }
        if self.equal_outputs() { Verdict::Apart(Apart::EqualOutputs) } else { Verdict::Merge }
    }

    /// Addresses spent; an unknown one counts as its own.
    fn distinct_inputs(&self) -> usize {
        let known: BTreeSet<u64> = self.inputs.iter().filter_map(|i| i.address).collect();
        known.len() + self.inputs.iter().filter(|i| i.address.is_none()).count()
    }

    fn payments(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().filter(|o| !matches!(o.kind, Script::Data(_)))
    }

    fn has_data(&self) -> bool {
        self.payments().count() < self.outputs.len()
    }

    /// No script is paid twice: every CoinJoin's clients take care of that.
    fn distinct_outputs(&self) -> bool {
        let scripts: BTreeSet<u64> = self.outputs.iter().map(|o| o.script).collect();
        scripts.len() == self.outputs.len()
    }

    /// The value most outputs share (the greater of two) and how many do, among those `among` lets through.
    fn most_frequent(&self, among: impl Fn(u64) -> bool) -> Option<(u64, usize)> {
        let mut count: BTreeMap<u64, usize> = BTreeMap::new();
        for output in self.payments().filter(|o| among(o.value)) {
            *count.entry(output.value).or_default() += 1;
        }
        count.into_iter().max_by_key(|&(value, n)| (n, value))
    }

    /// Values of outputs that have a twin.
    fn repeated(&self) -> impl Iterator<Item = u64> {
        let mut values: Vec<u64> = self.payments().map(|o| o.value).collect();
        values.sort_unstable();
        let runs: Vec<Vec<u64>> = values.chunk_by(|a, b| a == b).filter(|c| c.len() > 1).map(<[u64]>::to_vec).collect();
        runs.into_iter().flatten()
    }

    fn values(&self) -> Option<Vec<u64>> {
        self.inputs.iter().map(|i| i.value).collect()
    }

    fn hog_ex(&self) -> bool {
        self.family == Family::Litecoin && self.outputs.first().is_some_and(|o| o.kind == Script::Hog)
    }

    /// CashFusion marks itself: an output OP_RETURN "FUZ\0" and the session's hash.
    fn cash_fusion(&self) -> bool {
        let marked = |o: &Output| o.kind == Script::Data(Some(*b"FUZ\0"));
        self.family == Family::BitcoinCash && self.outputs.iter().any(marked)
    }

    /// As many inputs as outputs, 5 (to 8 in surge cycles), all outputs of one pool's denomination; inputs of the denomination
    /// (remixers) or up to the fee more (new entrants), at least one of each.
    fn whirlpool(&self) -> Option<Verdict> {
        let n = self.outputs.len();
        let (denomination, equal) = self.most_frequent(|v| POOLS.contains(&v))?;
        let even = (5..=8).contains(&n) && equal == n && self.inputs.len() == n && self.distinct_inputs() == n;
        if !even || !self.distinct_outputs() {
            return None;
        }
        let values = self.values();
        if let Some(values) = &values {
            let above = values.iter().filter(|&&v| v > denomination).count();
            let fits = values.iter().all(|v| (denomination..=denomination + POOL_FEE).contains(v));
            if !fits || above == 0 || above == n {
                return None;
            }
        }
        Some(self.called(CoinJoin::Whirlpool, n, denomination, values.is_some()))
    }

    /// Ten or more equal outputs near 0.1 BTC (0.02 more or less: the base drifted with fees and was 0.109 in 2021), outputs of the
    /// base's doubles (within a thousandth, two or more of a value) beside them, together at least half of all but the coordinator's; 1 to 7 inputs a participant.
    fn wasabi1(&self) -> Option<Verdict> {
        let (base, n) = self.most_frequent(|v| v.abs_diff(COIN / 10) <= COIN / 50)?;
        let level = |&v: &u64| {
            let times = v.saturating_add(base / 2) / base;
            v == base || times > 1 && times.is_power_of_two() && v.abs_diff(times * base) <= v / 1_000
        };
        let mixed: Vec<u64> = self.repeated().filter(level).collect();
        let inputs = self.distinct_inputs();
        let fits = n >= 10 && inputs >= n && inputs <= WASABI1_INPUTS * n && 2 * mixed.len() + 1 >= self.outputs.len();
        if !fits || !self.distinct_outputs() || self.has_data() {
            return None;
        }
        let doubled = mixed.iter().any(|&v| v > base);
        let kind = if doubled { CoinJoin::Wasabi11 } else { CoinJoin::Wasabi1 };
        Some(self.called(kind, n, base, false))
    }

    /// A large round whose outputs are of WabiSabi's denominations, at least half of all but the coordinator's, some of them no
    /// round number: an exchange pays 0.05, nobody but WabiSabi 0.04782969.
    fn wasabi2(&self) -> Option<Verdict> {
        let standard: Vec<u64> = self.payments().map(|o| o.value).filter(|&v| wabisabi_denomination(v)).collect();
        let uneven = standard.iter().filter(|&&v| v % WASABI2_LEAST != 0).count();
        let inputs = self.inputs.len();
        let small = self.payments().any(|o| o.value < WASABI2_LEAST);
        let most = 2 * standard.len() + 1 >= self.outputs.len() && standard.len() * WASABI2_INPUTS >= inputs;
        let large = inputs >= WASABI2_ROUND && self.outputs.len() >= 10;
        if !large || !most || small || 4 * uneven < standard.len() || !self.distinct_outputs() || self.has_data() {
            return None;
        }
        let (denomination, n) = self.most_frequent(wabisabi_denomination)?;
        Some(self.called(CoinJoin::Wasabi2, n, denomination, false))
    }

    /// Three or more equal outputs, each other output a change: makers always have one, only the taker may have none. The paper also
    /// allows fewer changes (see [`Apart::EqualOutputs`]) and two participants (see [`Apart::Stonewall`]).
    fn join_market(&self) -> Option<Verdict> {
        let (denomination, n) = self.most_frequent(|v| v > DUST)?;
        let outputs = self.outputs.len();
        let fits = n >= 3 && self.distinct_inputs() >= n && (2 * n - 1..=2 * n).contains(&outputs);
        if !fits || !self.distinct_outputs() || self.has_data() {
            return None;
        }
        let values = self.values();
        if values.as_ref().is_some_and(|v| can_fill(v, denomination) < n - 1) {
            return None;
        }
        Some(self.called(CoinJoin::JoinMarket, n, denomination, values.is_some()))
    }

    fn equal_outputs(&self) -> bool {
        let Some((value, n)) = self.most_frequent(|v| v > DUST) else { return false };
        let fits = n >= 3 && self.distinct_inputs() >= n && 2 * n >= self.outputs.len() && self.distinct_outputs();
        fits && self.values().is_none_or(|v| can_fill(&v, value) >= n - 1)
    }

    /// Four outputs, two of them equal, and inputs that can be told apart into one set for each equal output and its change.
    fn stonewall(&self) -> bool {
        let Some((value, 2)) = self.most_frequent(|v| v > DUST) else { return false };
        if self.outputs.len() != 4 || self.has_data() || !self.distinct_outputs() {
            return false;
        }
        let changes: Vec<u64> = self.payments().map(|o| o.value).filter(|&v| v != value).collect();
        match (self.values(), changes.as_slice()) {
            (Some(values), [one, other]) => two_sets(&values, value.saturating_add(*one), value.saturating_add(*other)),
            _ => true,
        }
    }

    /// Version 2, all inputs by witness (BOLT 2 asks for it), one output to a script of two keys (not yet spent: any witness script)
    /// and the two ends' changes.
    fn dual_funding(&self) -> bool {
        let funding = |o: &&Output| matches!(o.kind, Script::WitnessScript { two_of_two } if two_of_two != Some(false));
        let scripts = |o: &&Output| matches!(o.kind, Script::WitnessScript { .. });
        let one = self.payments().filter(funding).count() == 1 && self.payments().filter(scripts).count() == 1;
        one && self.version == 2 && self.outputs.len() == 3 && !self.has_data() && self.inputs.iter().all(|i| i.segwit)
    }

    fn called(&self, kind: CoinJoin, participants: usize, denomination: u64, values_checked: bool) -> Verdict {
        Verdict::CoinJoin { kind, participants, denomination, values_checked }
    }
}

/// WabiSabi's standard denominations: 2^i, 3^i, 2·3^i, and 1, 2, 5 times 10^i, from 5,000 satoshis on.
fn wabisabi_denomination(value: u64) -> bool {
    let left = |mut v: u64, factor: u64| {
        while v > 0 && v.is_multiple_of(factor) {
            v /= factor;
        }
        v
    };
    let series = value.is_power_of_two() || matches!(left(value, 3), 1 | 2) || matches!(left(value, 10), 1 | 2 | 5);
    value >= WASABI2_LEAST && series
}

/// How many disjoint sets of inputs reach `value` each, at most: the large ones alone, the rest by sum. An upper bound.
fn can_fill(values: &[u64], value: u64) -> usize {
    let alone = values.iter().filter(|&&v| v >= value).count();
    let rest: u128 = values.iter().filter(|&&v| v < value).map(|&v| u128::from(v)).sum();
    alone + usize::try_from(rest / u128::from(value.max(1))).unwrap_or(usize::MAX)
}

/// Whether the inputs fall into two sets that reach these sums. Above 16 inputs it is not tried: they may.
fn two_sets(values: &[u64], one: u64, other: u64) -> bool {
    if values.len() > 16 {
        return true;
    }
    let total: u128 = values.iter().map(|&v| u128::from(v)).sum();
    (1_u32..1 << values.len()).any(|set| {
        let chosen = values.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
        let sum: u128 = chosen.map(|(_, &v)| u128::from(v)).sum();
        sum >= u128::from(one) && total - sum >= u128::from(other)
    })
}

#[cfg(test)]
mod tests;
