//! What stands in one account of one asset, and what of it is traced: one rule for each method that courts accept.
//!
//! A payment that leaves an account carries a [`Purse::Part`]; the account that it reaches takes it in. All amounts are whole base
//! units, and nothing is lost: what a purse held is what it paid and what is left (`tests/trace.rs`).
use super::Untraceable;
use ruint::aliases::U256;
use std::collections::VecDeque;

/// A run of money in the order of its units: so much, and whether it is traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Base units.
    pub amount: u128,
    /// It comes from the source.
    pub traced: bool,
}

/// A method's view of one account.
pub trait Purse: Sized {
    /// What a payment carries.
    type Part: Clone;
    /// With what stood here before the first traced unit came; `None` = nobody knows how much.
    ///
    /// # Errors
    /// [`Untraceable::Opening`] where the method cannot do without it.
    fn open(balance: Option<u128>) -> Result<Self, Untraceable>;
    /// All of a payment is traced.
    fn source(amount: u128) -> Self::Part;
    /// Nothing of it is.
    fn clean(amount: u128) -> Self::Part;
    /// A payment comes in.
    ///
    /// # Errors
    /// [`Untraceable::Overflow`].
    fn take(&mut self, amount: u128, part: &Self::Part) -> Result<(), Untraceable>;
    /// A payment goes out.
    ///
    /// # Errors
    /// [`Untraceable::Negative`]: more goes than stands here.
    fn pay(&mut self, amount: u128) -> Result<Self::Part, Untraceable>;
    /// What is traced of a part: at most so much.
    fn of(part: &Self::Part) -> u128;
    /// At least so much; the same where a method gives one number.
    fn least(part: &Self::Part) -> u128 {
        Self::of(part)
    }
    /// What is traced of what stands here, at least and at most.
    fn held(&self) -> (u128, u128);
}

/// First in, first out: the oldest units leave first (*Clayton's Case* (1816) 1 Mer 572).
#[derive(Debug, Clone)]
pub struct Fifo(VecDeque<Lot>);

/// Last in, first out: a stack, with what stood here at the bottom.
#[derive(Debug, Clone)]
pub struct Lifo(Vec<Lot>);

/// Haircut: each payment takes the same share of what is traced, floor(traced · amount / balance); the remainder stays, and a
/// payment of everything moves everything.
#[derive(Debug, Clone)]
pub struct Haircut {
    balance: u128,
    traced: u128,
}

/// Lowest intermediate balance: an account spends its own money first, and what was spent never comes back
/// (*James Roscoe (Bolton) Ltd v Winder* [1915] 1 Ch 62): claim = min(claim, balance) after every event.
#[derive(Debug, Clone)]
pub struct Libr {
    balance: u128,
    claim: u128,
}

/// Bounds that hold under every method. `[lo, hi]` of balance b; a payment of a takes lo' = max(0, a - (b - lo)) and
/// hi' = min(a, hi), and leaves max(0, lo - a) and min(hi, b - a).
#[derive(Debug, Clone)]
pub struct Bounds {
    /// `None` = more than anybody knows.
    balance: Option<u128>,
    lo: u128,
    hi: u128,
}

fn lot(amount: u128, traced: bool) -> Vec<Lot> {
    vec![Lot { amount, traced }]
}

fn traced(lots: &[Lot]) -> u128 {
    lots.iter().filter(|l| l.traced).map(|l| l.amount).sum()
}

/// Puts a lot behind others; one of the same kind grows.
fn put(lots: &mut Vec<Lot>, lot: Lot) {
    match lots.last_mut() {
        Some(last) if last.traced == lot.traced => last.amount = last.amount.saturating_add(lot.amount),
        _ if lot.amount > 0 => lots.push(lot),
        _ => {}
    }
}

/// Takes `amount` off: `next` gives the lot whose turn it is, `back` gets what is left of the last.
fn draw(amount: u128, mut next: impl FnMut() -> Option<Lot>, back: impl FnOnce(Lot)) -> Result<Vec<Lot>, Untraceable> {
    let (mut left, mut out) = (amount, Vec::new());
    while left > 0 {
        let lot = next().ok_or(Untraceable::Negative)?;
        if lot.amount > left {
            put(&mut out, Lot { amount: left, ..lot });
            back(Lot { amount: lot.amount - left, ..lot });
            break;
        }
        put(&mut out, lot);
        left -= lot.amount;
    }
    Ok(out)
}

impl Purse for Fifo {
    type Part = Vec<Lot>;
    fn open(balance: Option<u128>) -> Result<Self, Untraceable> {
        Ok(Fifo(lot(balance.ok_or(Untraceable::Opening)?, false).into_iter().filter(|l| l.amount > 0).collect()))
    }
    fn source(amount: u128) -> Vec<Lot> {
        lot(amount, true)
    }
    fn clean(amount: u128) -> Vec<Lot> {
        lot(amount, false)
    }
    fn take(&mut self, _: u128, part: &Vec<Lot>) -> Result<(), Untraceable> {
        for lot in part.iter().filter(|l| l.amount > 0) {
            match self.0.back_mut() {
                Some(last) if last.traced == lot.traced => {
                    last.amount = last.amount.checked_add(lot.amount).ok_or(Untraceable::Overflow)?;
                }
                _ => self.0.push_back(*lot),
            }
        }
        Ok(())
    }
    fn pay(&mut self, amount: u128) -> Result<Vec<Lot>, Untraceable> {
        let mut rest = None;
        let out = draw(amount, || self.0.pop_front(), |lot| rest = Some(lot))?;
        if let Some(lot) = rest {
            self.0.push_front(lot);
        }
        Ok(out)
    }
    fn of(part: &Vec<Lot>) -> u128 {
        traced(part)
    }
    fn held(&self) -> (u128, u128) {
        let held = self.0.iter().filter(|l| l.traced).map(|l| l.amount).sum();
        (held, held)
    }
}

impl Purse for Lifo {
    type Part = Vec<Lot>;
    fn open(balance: Option<u128>) -> Result<Self, Untraceable> {
        Ok(Lifo(lot(balance.ok_or(Untraceable::Opening)?, false).into_iter().filter(|l| l.amount > 0).collect()))
    }
    fn source(amount: u128) -> Vec<Lot> {
        lot(amount, true)
    }
    fn clean(amount: u128) -> Vec<Lot> {
        lot(amount, false)
    }
    fn take(&mut self, _: u128, part: &Vec<Lot>) -> Result<(), Untraceable> {
        for lot in part.iter().filter(|l| l.amount > 0) {
            match self.0.last_mut() {
                Some(last) if last.traced == lot.traced => {
                    last.amount = last.amount.checked_add(lot.amount).ok_or(Untraceable::Overflow)?;
                }
                _ => self.0.push(*lot),
            }
        }
        Ok(())
    }
    fn pay(&mut self, amount: u128) -> Result<Vec<Lot>, Untraceable> {
        let mut rest = None;
        let out = draw(amount, || self.0.pop(), |lot| rest = Some(lot))?;
        self.0.extend(rest);
        Ok(out)
    }
    fn of(part: &Vec<Lot>) -> u128 {
        traced(part)
    }
    fn held(&self) -> (u128, u128) {
        let held = traced(&self.0);
        (held, held)
    }
}

impl Purse for Haircut {
    type Part = u128;
    fn open(balance: Option<u128>) -> Result<Self, Untraceable> {
        Ok(Haircut { balance: balance.ok_or(Untraceable::Opening)?, traced: 0 })
    }
    fn source(amount: u128) -> u128 {
        amount
    }
    fn clean(_: u128) -> u128 {
        0
    }
    fn take(&mut self, amount: u128, part: &u128) -> Result<(), Untraceable> {
        self.balance = self.balance.checked_add(amount).ok_or(Untraceable::Overflow)?;
        self.traced += part;
        Ok(())
    }
    fn pay(&mut self, amount: u128) -> Result<u128, Untraceable> {
        let left = self.balance.checked_sub(amount).ok_or(Untraceable::Negative)?;
        let share = if left == 0 {
            self.traced
        } else {
            // Below 2^256, and the quotient is at most `traced`.
            let share = U256::from(self.traced) * U256::from(amount) / U256::from(self.balance);
            u128::try_from(share).map_err(|_| Untraceable::Overflow)?
        };
        (self.balance, self.traced) = (left, self.traced - share);
        Ok(share)
    }
    fn of(part: &u128) -> u128 {
        *part
    }
    fn held(&self) -> (u128, u128) {
        (self.traced, self.traced)
    }
}

impl Purse for Libr {
    type Part = u128;
    fn open(balance: Option<u128>) -> Result<Self, Untraceable> {
        Ok(Libr { balance: balance.ok_or(Untraceable::Opening)?, claim: 0 })
    }
    fn source(amount: u128) -> u128 {
        amount
    }
    fn clean(_: u128) -> u128 {
        0
    }
    fn take(&mut self, amount: u128, part: &u128) -> Result<(), Untraceable> {
        self.balance = self.balance.checked_add(amount).ok_or(Untraceable::Overflow)?;
        self.claim += part;
        Ok(())
    }
    fn pay(&mut self, amount: u128) -> Result<u128, Untraceable> {
        self.balance = self.balance.checked_sub(amount).ok_or(Untraceable::Negative)?;
        let left = self.claim.min(self.balance);
        Ok(std::mem::replace(&mut self.claim, left) - left)
    }
    fn of(part: &u128) -> u128 {
        *part
    }
    fn held(&self) -> (u128, u128) {
        (self.claim, self.claim)
    }
}

impl Purse for Bounds {
    type Part = (u128, u128);
    fn open(balance: Option<u128>) -> Result<Self, Untraceable> {
        Ok(Bounds { balance, lo: 0, hi: 0 })
    }
    fn source(amount: u128) -> (u128, u128) {
        (amount, amount)
    }
    fn clean(_: u128) -> (u128, u128) {
        (0, 0)
    }
    fn take(&mut self, amount: u128, part: &(u128, u128)) -> Result<(), Untraceable> {
        if let Some(balance) = &mut self.balance {
            *balance = balance.checked_add(amount).ok_or(Untraceable::Overflow)?;
        }
        self.lo += part.0;
        self.hi = self.hi.checked_add(part.1).ok_or(Untraceable::Overflow)?;
        Ok(())
    }
    fn pay(&mut self, amount: u128) -> Result<(u128, u128), Untraceable> {
        let most = amount.min(self.hi);
        let Some(balance) = self.balance else {
            // All that goes may be what nobody knows of.
            self.lo = self.lo.saturating_sub(amount);
            return Ok((0, most));
        };
        let left = balance.checked_sub(amount).ok_or(Untraceable::Negative)?;
        let least = amount.saturating_sub(balance.saturating_sub(self.lo));
        (self.lo, self.hi, self.balance) = (self.lo.saturating_sub(amount), self.hi.min(left), Some(left));
        Ok((least, most))
    }
    fn of(part: &(u128, u128)) -> u128 {
        part.1
    }
    fn least(part: &(u128, u128)) -> u128 {
        part.0
    }
    fn held(&self) -> (u128, u128) {
        (self.lo, self.hi)
    }
}
