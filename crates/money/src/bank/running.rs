//! A statement that is a table: its running balance, row by row, and what it comes to.
use super::leg::{Leg, Statement, signed};
use super::returns::Sink;
use super::{Account, Item, Span};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Most rows of a table that stands newest first: they are held until its end.
const MAX_HELD: usize = 200_000;

/// A row: its leg, the balance after it, and where that stands.
type Booked = (Leg, Option<i128>, String);

/// The statements of a table, by account and currency.
pub struct Running {
    first: u32,
    newest_first: bool,
    held: Vec<Booked>,
    of: BTreeMap<(Account, String), Sums>,
}

#[derive(Default)]
struct Sums {
    number: u32,
    span: Option<Span>,
    opening: Option<i128>,
    balance: Option<i128>,
    /// Whether a row without a balance came since.
    without: bool,
}

impl Running {
    /// For the table of this number.
    pub fn new(first: u32, newest_first: bool) -> Running {
        Running { first, newest_first, held: Vec::new(), of: BTreeMap::new() }
    }

    /// Takes a row's leg with the balance after it.
    pub fn add(&mut self, leg: Leg, balance: Option<i128>, place: String, sink: Sink<'_>) -> ControlFlow<()> {
        if !self.newest_first {
            return self.book(leg, balance, &place, sink);
        }
        if self.held.len() >= MAX_HELD {
            let why = format!("{place}: more than {MAX_HELD} rows, newest first: turn the table round");
            return sink(Item::Refused { at: (leg.statement, leg.entry), why });
        }
        self.held.push((leg, balance, place));
        ControlFlow::Continue(())
    }

    fn book(&mut self, mut leg: Leg, balance: Option<i128>, place: &str, sink: Sink<'_>) -> ControlFlow<()> {
        let next = self.first + u32::try_from(self.of.len()).unwrap_or(u32::MAX - self.first);
        let second = self.of.keys().any(|(account, currency)| *account == leg.account && *currency != leg.currency);
        let key = (leg.account.clone(), leg.currency.clone());
        let new = !self.of.contains_key(&key);
        let sums = self.of.entry(key).or_insert_with(|| Sums { number: next, ..Sums::default() });
        leg.statement = sums.number;
        let at = (leg.statement, leg.entry);
        if new && second {
            let why = format!("{place}: the account has rows in a second currency: they are a statement of their own");
            sink(Item::Warning { at, why })?;
        }
        sums.span = Some(sums.span.map_or(leg.span, |span| span.hull(leg.span)));
        let amount = signed(leg.amount, leg.credit);
        let before = balance.and_then(|balance| balance.checked_sub(amount));
        match (sums.balance, before) {
            (Some(last), Some(before)) if last != before => {
                let why = format!(
                    "{place}: the balance is not the one before it with this amount: a row or a page is missing, or one of \
                     them is wrong"
                );
                sink(Item::Warning { at, why })?;
            }
            (None, Some(before)) if new => sums.opening = Some(before),
            _ => {}
        }
        sums.balance = balance.or_else(|| sums.balance.and_then(|last| last.checked_add(amount)));
        sums.without |= balance.is_none();
        sink(Item::Leg(Box::new(leg)))
    }

    /// The table's end: its statements. The first value is the last one's number.
    pub fn finish(mut self, sink: Sink<'_>) -> (u32, ControlFlow<()>) {
        for (leg, balance, place) in std::mem::take(&mut self.held).into_iter().rev() {
            if self.book(leg, balance, &place, sink).is_break() {
                return (self.first, ControlFlow::Break(()));
            }
        }
        let last = self.of.values().map(|sums| sums.number).max().unwrap_or(self.first);
        (last, self.of.into_iter().try_for_each(|(key, sums)| sums.told(key, sink)))
    }
}

impl Sums {
    fn told(self, (account, currency): (Account, String), sink: Sink<'_>) -> ControlFlow<()> {
        if self.without {
            let why = "not every row has a balance: nothing checks its amounts".into();
            sink(Item::Warning { at: (self.number, 0), why })?;
        }
        let closing = self.balance.filter(|_| self.opening.is_some());
        sink(Item::Statement(Statement {
            number: self.number,
            id: None,
            sequence: None,
            account,
            currency,
            span: self.span,
            opening: self.opening,
            closing,
        }))
    }
}
