//! Traces forward from a payment, exact to the base unit: of one asset over a chain of accounts (`walk`), and of coins (`coins`).
//!
//! The walk goes over the transfers of every account that traced money reached, in the chain's order, and each account's
//! [`Purse`] says what a payment carries. So a result is the same on every machine, and what the source held is what is held, stopped,
//! paid as fees, destroyed and cut together: [`Trace::sum`]. For bounds the two ends are followed at once and do not add up: they say
//! what no method can exceed.
mod answer;
mod coins;
mod purse;
mod walk;

pub use answer::{AmountsLine, Asked, Decided, MANY, PaymentLine, PlaceLine, SERVICE, TraceLine, answer};
pub use answer::{
    AskedMany, CheckLine, Claim, ClaimLine, ClaimTable, CollectorLine, CollectorsLine, Departure, MethodLine,
    RestitutionLine, ShareLine, SharesLine, Within, apportion, check, collector, restitution,
};
pub use coins::{CoinIn, CoinOut, CoinStops, Coins, walk_coins};
pub use purse::{Bounds, Fifo, Haircut, Libr, Lifo, Lot, Purse};
pub use walk::walk;

use crate::columns::{Accounts, Kind, UNKNOWN};
use std::collections::BTreeMap;

/// Why a method gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untraceable {
    /// What an account had before its history begins is not known, and the method cannot do without it.
    #[error("not computable: what the account had before its history begins is not known")]
    Opening,
    /// An account paid more than it had.
    #[error("not computable: an account paid more than it had received")]
    Negative,
    /// The value of an input is not on record.
    #[error("not computable: the value of an input is not on record")]
    Value,
    /// A sum does not fit 128 bits.
    #[error("not computable: a sum does not fit 128 bits")]
    Overflow,
    /// There is no such transfer, or it moves nothing.
    #[error("there is no such transfer, or it moves nothing")]
    NoSource,
}

/// A method that has one answer, or the bounds of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The oldest money leaves first.
    Fifo,
    /// The newest leaves first.
    Lifo,
    /// All leaves in equal shares.
    Haircut,
    /// An account spends its own first.
    Libr,
    /// What holds under each of them.
    Bounds,
}

impl Method {
    /// All, in the order in which they are shown.
    pub const ALL: [Method; 5] = [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr, Method::Bounds];

    /// Its name on the command line and in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Fifo => "fifo",
            Method::Lifo => "lifo",
            Method::Haircut => "haircut",
            Method::Libr => "libr",
            Method::Bounds => "bounds",
        }
    }
}

/// Where a trace ends that could go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Payments between the source and an account; money beyond is cut.
    pub hops: u32,
    /// A payment that carries less than this is cut.
    pub least: u128,
    /// Transfers from this number on are not looked at: what is held is held before it.
    pub end: u64,
    /// Transfers that are looked at; then all that is held is cut.
    pub most: u64,
}

impl Default for Limits {
    /// Eight hops, every unit, the whole chain, ten million transfers.
    fn default() -> Self {
        Limits { hops: 8, least: 1, end: u64::MAX, most: 10_000_000 }
    }
}

/// A transfer of the traced asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Who pays.
    pub from: u32,
    /// Who is paid.
    pub to: u32,
    /// Base units.
    pub amount: u128,
    /// What kind of change.
    pub kind: Kind,
    /// Its place within its transaction is not known.
    pub unordered: bool,
}

/// The record that a trace walks over: the transfers of one asset, numbered in the chain's order.
pub trait Record {
    /// A transfer; `None` where it moves nothing, is a fake or is of another asset.
    fn transfer(&self, number: u64) -> Option<Move>;
    /// The first transfer of an account after another, that moves something.
    fn next(&self, account: u32, after: u64) -> Option<u64>;
    /// What an account had before a transfer; `None` where nobody knows.
    fn before(&self, account: u32, transfer: u64) -> Option<u128>;
}

/// Why money is followed no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// A payment carried less than the least.
    Least,
    /// It is too many hops from the source.
    Hops,
    /// More transfers than are looked at.
    Most,
    /// Who is paid is not loaded.
    NotLoaded,
}

/// At least and at most, base units; both are the same for a method that has one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// At least.
    pub lo: u128,
    /// At most.
    pub hi: u128,
}

/// A payment that carried traced money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The transfer's number.
    pub transfer: u64,
    /// How much of it.
    pub traced: Amounts,
    /// Payments from the source, this one counted.
    pub hop: u32,
}

/// Where the money went under one method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// What the source was.
    pub source: u128,
    /// What still stands in each account.
    pub held: BTreeMap<u32, Amounts>,
    /// What reached an account at which the trace stops: a service.
    pub stopped: BTreeMap<u32, Amounts>,
    /// What reached a transaction that mixes the money of many, by its number: the trace stops there.
    pub mixed: BTreeMap<u64, Amounts>,
    /// Paid as fees.
    pub fees: Amounts,
    /// Burnt and destroyed.
    pub destroyed: Amounts,
    /// Followed no further, and why.
    pub cut: BTreeMap<Cut, Amounts>,
    /// The payments that carried it, in the chain's order.
    pub payments: Vec<Carried>,
    /// A payment's place within its transaction was not known: another order may give another answer.
    pub unordered: bool,
}

impl Amounts {
    fn add(&mut self, lo: u128, hi: u128) {
        self.lo = self.lo.saturating_add(lo);
        self.hi = self.hi.saturating_add(hi);
    }
}

impl Trace {
    /// Everything together: the source, to the last unit, for each method but bounds.
    #[must_use]
    pub fn sum(&self) -> Amounts {
        let mut sum = Amounts::default();
        let parts = self.held.values().chain(self.stopped.values()).chain(self.mixed.values()).chain(self.cut.values());
        parts.chain([&self.fees, &self.destroyed]).for_each(|a| sum.add(a.lo, a.hi));
        sum
    }
}

/// Traces the money of some transfers together by one method. `stops` says at which accounts it ends.
///
/// # Errors
/// [`Untraceable`].
pub fn trace(
    record: &impl Record,
    sources: &[u64],
    method: Method,
    limits: Limits,
    stops: &dyn Fn(u32) -> bool,
) -> Result<Trace, Untraceable> {
    match method {
        Method::Fifo => walk::<Fifo>(record, sources, limits, stops),
        Method::Lifo => walk::<Lifo>(record, sources, limits, stops),
        Method::Haircut => walk::<Haircut>(record, sources, limits, stops),
        Method::Libr => walk::<Libr>(record, sources, limits, stops),
        Method::Bounds => walk::<Bounds>(record, sources, limits, stops),
    }
}

/// Traces some outputs of a transaction by one method.
///
/// # Errors
/// [`Untraceable`].
pub fn trace_coins(
    record: &impl Coins,
    source: (u64, &[usize]),
    method: Method,
    limits: Limits,
    stops: &CoinStops<'_>,
) -> Result<Trace, Untraceable> {
    match method {
        Method::Fifo => walk_coins::<Fifo>(record, source, limits, stops),
        Method::Lifo => walk_coins::<Lifo>(record, source, limits, stops),
        Method::Haircut => walk_coins::<Haircut>(record, source, limits, stops),
        Method::Libr => walk_coins::<Libr>(record, source, limits, stops),
        Method::Bounds => walk_coins::<Bounds>(record, source, limits, stops),
    }
}

/// One asset of a chain of accounts.
#[derive(Debug, Clone, Copy)]
pub struct OfAsset<'a> {
    /// The chain.
    pub chain: &'a Accounts,
    /// The asset's number.
    pub asset: u32,
    /// The chain holds only what was asked for, so that histories begin in the middle.
    pub partial: bool,
}

impl Record for OfAsset<'_> {
    fn transfer(&self, number: u64) -> Option<Move> {
        let t = self.chain.transfer(number).filter(|t| t.asset == self.asset && t.edge && t.from != t.to)?;
        let amount = t.amount.to_u128().filter(|amount| *amount > 0)?;
        Some(Move { from: t.from, to: t.to, amount, kind: t.kind, unordered: t.unordered })
    }
    fn next(&self, account: u32, after: u64) -> Option<u64> {
        let history = self.chain.history(account, self.asset);
        let from = history.first(|step| step.transfer <= after);
        let next = history.steps(from).map(|step| step.transfer).find(|number| self.transfer(*number).is_some());
        next.filter(|_| account != UNKNOWN)
    }
    fn before(&self, account: u32, transfer: u64) -> Option<u128> {
        let holding = self.chain.history(account, self.asset).before(transfer);
        holding.balance().filter(|_| !self.partial)
    }
}
