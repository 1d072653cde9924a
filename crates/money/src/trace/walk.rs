//! The walk: every transfer of every account that traced money reached, in the chain's order, each once.
use super::{Cut, Limits, Move, Purse, Record, Trace, Untraceable};
use crate::columns::{Kind, UNKNOWN};
use std::collections::{BTreeSet, HashMap};

/// An account that traced money reached.
struct Reached<P> {
    purse: P,
    hop: u32,
}

/// Follows the money of some transfers together under the method of `P`.
///
/// # Errors
/// [`Untraceable`].
pub fn walk<P: Purse>(
    record: &impl Record,
    sources: &[u64],
    limits: Limits,
    stops: &dyn Fn(u32) -> bool,
) -> Result<Trace, Untraceable> {
    let sources: BTreeSet<u64> = sources.iter().copied().collect();
    if sources.is_empty() || sources.iter().any(|source| record.transfer(*source).is_none()) {
        return Err(Untraceable::NoSource);
    }
    let mut walk: Walk<'_, P, _> =
        Walk { record, limits, stops, sources, reached: HashMap::new(), due: BTreeSet::new(), trace: Trace::default() };
    let mut left = limits.most;
    while let Some(number) = walk.turn() {
        // A source is always looked at.
        if number >= limits.end && !walk.sources.contains(&number) {
            break;
        }
        if left == 0 {
            walk.give_up();
            break;
        }
        left -= 1;
        walk.step(number)?;
    }
    for (account, reached) in &walk.reached {
        let (lo, hi) = reached.purse.held();
        if hi > 0 {
            walk.trace.held.entry(*account).or_default().add(lo, hi);
        }
    }
    Ok(walk.trace)
}

struct Walk<'a, P, R> {
    record: &'a R,
    limits: Limits,
    stops: &'a dyn Fn(u32) -> bool,
    /// Transfers whose money is followed, and that did not come yet.
    sources: BTreeSet<u64>,
    reached: HashMap<u32, Reached<P>>,
    /// The next transfer of each account that was reached.
    due: BTreeSet<(u64, u32)>,
    trace: Trace,
}

impl<P: Purse, R: Record> Walk<'_, P, R> {
    /// The next transfer, of an account that was reached or of a source.
    fn turn(&self) -> Option<u64> {
        let due = self.due.first().map(|(number, _)| *number);
        due.into_iter().chain(self.sources.first().copied()).min()
    }

    /// One transfer, of one or two accounts that were reached.
    fn step(&mut self, number: u64) -> Result<(), Untraceable> {
        let mut turned = Vec::new();
        while let Some((at, account)) = self.due.first().copied().filter(|(at, _)| *at == number) {
            self.due.remove(&(at, account));
            turned.push(account);
        }
        if let Some(moved) = self.record.transfer(number) {
            let (mut part, mut hop) = match self.reached.get_mut(&moved.from) {
                Some(payer) => (payer.purse.pay(moved.amount)?, payer.hop + 1),
                None => (P::clean(moved.amount), 0),
            };
            if self.sources.remove(&number) {
                // What another source brought already is not counted twice.
                self.trace.source += moved.amount - P::of(&part);
                (part, hop) = (P::source(moved.amount), 1);
            }
            self.arrive(number, &moved, part, hop)?;
        }
        for account in turned {
            // Whoever has none of it left is like any other account again: hubs are not walked to their end.
            match self.reached.get(&account).is_some_and(|reached| reached.purse.held().1 > 0) {
                true => self.due.extend(self.record.next(account, number).map(|next| (next, account))),
                false => drop(self.reached.remove(&account)),
            }
        }
        Ok(())
    }

    /// What a payment carries comes to whoever is paid.
    fn arrive(&mut self, number: u64, moved: &Move, part: P::Part, hop: u32) -> Result<(), Untraceable> {
        let (lo, hi) = (P::least(&part), P::of(&part));
        let carries = hi > 0;
        if carries {
            let traced = super::Amounts { lo, hi };
            self.trace.payments.push(super::Carried { transfer: number, traced, hop });
            self.trace.unordered |= moved.unordered;
        }
        match moved.kind {
            Kind::Fee | Kind::L1Fee if carries => self.trace.fees.add(lo, hi),
            Kind::Burn | Kind::Destroy if carries => self.trace.destroyed.add(lo, hi),
            _ => {
                if let Some(paid) = self.reached.get_mut(&moved.to) {
                    paid.hop = if carries { paid.hop.min(hop) } else { paid.hop };
                    return paid.purse.take(moved.amount, &part);
                }
                if carries {
                    return self.reach(number, moved, part, hop);
                }
            }
        }
        Ok(())
    }

    /// Traced money comes to an account for the first time.
    fn reach(&mut self, number: u64, moved: &Move, part: P::Part, hop: u32) -> Result<(), Untraceable> {
        let (lo, hi) = (P::least(&part), P::of(&part));
        let cut = if moved.to == UNKNOWN {
            Cut::NotLoaded
        } else if (self.stops)(moved.to) {
            self.trace.stopped.entry(moved.to).or_default().add(lo, hi);
            return Ok(());
        } else if hi < self.limits.least {
            Cut::Least
        } else if hop > self.limits.hops {
            Cut::Hops
        } else {
            let mut purse = P::open(self.record.before(moved.to, number))?;
            purse.take(moved.amount, &part)?;
            self.reached.insert(moved.to, Reached { purse, hop });
            self.due.extend(self.record.next(moved.to, number).map(|next| (next, moved.to)));
            return Ok(());
        };
        self.trace.cut.entry(cut).or_default().add(lo, hi);
        Ok(())
    }

    /// More transfers than are looked at: what is held now is cut.
    fn give_up(&mut self) {
        for (_, reached) in self.reached.drain() {
            let (lo, hi) = reached.purse.held();
            self.trace.cut.entry(Cut::Most).or_default().add(lo, hi);
        }
    }
}
