//! Traces over coins (Bitcoin's kind): taint belongs to an output, never to an address.
//!
//! A transaction is an account that begins empty: its inputs come in in the order of their index and its outputs leave in theirs, and what
//! is left over is the fee, which leaves last. So first in, first out deals the inputs' units out to the outputs; last in, first out
//! takes the last input first; haircut gives each output and the fee the same share. A fee is reported and not followed.
use super::{Amounts, Carried, Cut, Limits, Purse, Trace, Untraceable};
use crate::columns::{NOBODY, Utxo};
use std::collections::{BTreeMap, HashMap};

/// An input, as its transaction sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoinIn {
    /// Its number.
    pub number: u64,
    /// What it brings; `None` where the record does not know.
    pub value: Option<u64>,
}

/// An output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoinOut {
    /// Its number.
    pub number: u64,
    /// Whose; what stands above the addresses' numbers is nobody's or unknown.
    pub address: u32,
    /// Base units.
    pub value: u64,
    /// The transaction and input that spend it.
    pub spent: Option<(u64, u64)>,
}

/// The record that a trace of coins walks over: transactions numbered in the chain's order.
pub trait Coins {
    /// The inputs of a transaction, in order.
    fn inputs(&self, tx: u64) -> Vec<CoinIn>;
    /// Its outputs, in order.
    fn outputs(&self, tx: u64) -> Vec<CoinOut>;
}

/// Where a trace of coins ends by itself.
pub struct CoinStops<'a> {
    /// At an address.
    pub address: &'a dyn Fn(u32) -> bool,
    /// At a transaction that mixes the money of many.
    pub mixes: &'a dyn Fn(u64) -> bool,
}

impl Coins for Utxo {
    fn inputs(&self, tx: u64) -> Vec<CoinIn> {
        let one = |number| self.input(number).map(|spend| CoinIn { number, value: spend.value });
        self.inputs_of(tx).filter_map(one).collect()
    }
    fn outputs(&self, tx: u64) -> Vec<CoinOut> {
        let one = |number| {
            let (address, value) = self.output(number)?;
            let spent = self.spent_by(number).and_then(|input| Some((self.tx_of_input(input)?, input)));
            Some(CoinOut { number, address, value, spent })
        };
        self.outputs_of(tx).filter_map(one).collect()
    }
}

/// Follows some outputs of one transaction (by their place in it) under the method of `P`. Limits count transactions where they count
/// transfers of accounts.
///
/// # Errors
/// [`Untraceable`].
pub fn walk_coins<P: Purse>(
    record: &impl Coins,
    (tx, places): (u64, &[usize]),
    limits: Limits,
    stops: &CoinStops<'_>,
) -> Result<Trace, Untraceable> {
    let outputs = record.outputs(tx);
    let mut walk: WalkCoins<'_, P> = WalkCoins { limits, stops, due: BTreeMap::new(), trace: Trace::default() };
    for place in places {
        let output = outputs.get(*place).filter(|output| output.value > 0).ok_or(Untraceable::NoSource)?;
        walk.trace.source += u128::from(output.value);
        walk.arrive(output, P::source(output.value.into()), 1);
    }
    let mut left = limits.most;
    while let Some((tx, parts)) = walk.due.pop_first() {
        if left == 0 {
            walk.due.insert(tx, parts);
            walk.give_up();
            break;
        }
        left -= 1;
        walk.through(record, tx, parts)?;
    }
    Ok(walk.trace)
}

/// A transaction's inputs that carry traced money: what, and at how many hops.
type Parts<P> = HashMap<u64, (<P as Purse>::Part, u32)>;

struct WalkCoins<'a, P: Purse> {
    limits: Limits,
    stops: &'a CoinStops<'a>,
    due: BTreeMap<u64, Parts<P>>,
    trace: Trace,
}

impl<P: Purse> WalkCoins<'_, P> {
    fn through(&mut self, record: &impl Coins, tx: u64, parts: Parts<P>) -> Result<(), Untraceable> {
        if (self.stops.mixes)(tx) {
            parts
                .values()
                .for_each(|(part, _)| self.trace.mixed.entry(tx).or_default().add(P::least(part), P::of(part)));
            return Ok(());
        }
        let (inputs, outputs) = (record.inputs(tx), record.outputs(tx));
        let hop = parts.values().map(|(_, hop)| *hop).min().unwrap_or(0) + 1;
        let known = inputs.iter().all(|input| input.value.is_some());
        let mut purse = P::open(if known { Some(0) } else { None }).map_err(|_| Untraceable::Value)?;
        for input in &inputs {
            let clean = input.value.map(|value| P::clean(value.into()));
            let part = parts.get(&input.number).map(|(part, _)| part).or(clean.as_ref());
            if let Some(part) = part {
                purse.take(input.value.map_or_else(|| P::of(part), u128::from), part)?;
            }
        }
        for output in &outputs {
            let part = purse.pay(output.value.into())?;
            if P::of(&part) > 0 {
                self.arrive(output, part, hop);
            }
        }
        // With an unknown input nobody knows the fee; what no output can have taken is in it.
        let fee = purse.held();
        if fee.1 > 0 {
            self.trace.fees.add(fee.0, fee.1);
        }
        Ok(())
    }

    fn arrive(&mut self, output: &CoinOut, part: P::Part, hop: u32) {
        let (lo, hi) = (P::least(&part), P::of(&part));
        self.trace.payments.push(Carried { transfer: output.number, traced: Amounts { lo, hi }, hop });
        let into = match output.spent {
            // Nobody can spend it: OP_RETURN and its kind.
            _ if output.address == NOBODY && output.spent.is_none() => {
                return self.trace.destroyed.add(lo, hi);
            }
            _ if output.address < NOBODY && (self.stops.address)(output.address) => &mut self.trace.stopped,
            Some((by, input)) if by < self.limits.end => {
                let cut = if hi < self.limits.least {
                    Cut::Least
                } else if hop > self.limits.hops {
                    Cut::Hops
                } else {
                    self.due.entry(by).or_default().insert(input, (part, hop));
                    return;
                };
                return self.trace.cut.entry(cut).or_default().add(lo, hi);
            }
            _ => &mut self.trace.held,
        };
        into.entry(output.address).or_default().add(lo, hi);
    }

    fn give_up(&mut self) {
        for (part, _) in std::mem::take(&mut self.due).values().flat_map(HashMap::values) {
            self.trace.cut.entry(Cut::Most).or_default().add(P::least(part), P::of(part));
        }
    }
}
