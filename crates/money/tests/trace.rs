//! Every trace conserves, agrees with a slow simulation of the whole ledger, and lies within the bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use money::columns::Kind;
use money::trace::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// A small ledger of one asset: transfers in order, on top of what everybody had.
#[derive(Debug, Clone)]
struct Book {
    opening: Vec<u128>,
    moves: Vec<Move>,
    /// Nobody knows what anybody had.
    partial: bool,
}

impl Record for Book {
    fn transfer(&self, number: u64) -> Option<Move> {
        self.moves.get(usize::try_from(number).ok()?).copied()
    }
    fn next(&self, account: u32, after: u64) -> Option<u64> {
        let from = usize::try_from(after).unwrap() + 1;
        let of = |m: &Move| m.from == account || m.to == account;
        self.moves.iter().enumerate().skip(from).find(|(_, m)| of(m)).map(|(n, _)| n as u64)
    }
    fn before(&self, account: u32, transfer: u64) -> Option<u128> {
        let mut balance = self.opening[account as usize];
        for m in &self.moves[..usize::try_from(transfer).unwrap()] {
            balance -= if m.from == account { m.amount } else { 0 };
            balance += if m.to == account { m.amount } else { 0 };
        }
        (!self.partial).then_some(balance)
    }
}

const ACCOUNTS: u32 = 6;
/// Who is paid fees, and who is paid what is burnt.
const FEES: u32 = ACCOUNTS;
const BURNT: u32 = ACCOUNTS + 1;

/// A ledger in which nobody pays what they do not have, and one of its transfers.
fn books() -> impl Strategy<Value = (Book, u64)> {
    let step = (0..ACCOUNTS, 0..ACCOUNTS, 1u128..=40, 0u8..12);
    (
        prop::collection::vec(0u128..30, ACCOUNTS as usize),
        prop::collection::vec(step, 1..60),
        any::<prop::sample::Index>(),
    )
        .prop_filter_map("nobody pays anything", |(mut opening, steps, at)| {
            let mut balance = opening.clone();
            let mut moves = Vec::new();
            for (from, to, amount, kind) in steps {
                // Sometimes all that there is.
                let amount = if amount > 35 { balance[from as usize] } else { amount.min(balance[from as usize]) };
                if amount == 0 || from == to {
                    continue;
                }
                let (to, kind) = match kind {
                    0 => (FEES, Kind::Fee),
                    1 => (BURNT, Kind::Burn),
                    _ => (to, Kind::Transfer),
                };
                balance[from as usize] -= amount;
                if let Some(paid) = balance.get_mut(to as usize) {
                    *paid += amount;
                }
                moves.push(Move { from, to, amount, kind, unordered: false });
            }
            opening.extend([0, 0]);
            let payments: Vec<u64> =
                (0..moves.len() as u64).filter(|n| moves[*n as usize].kind == Kind::Transfer).collect();
            (!payments.is_empty())
                .then(|| (Book { opening, moves, partial: false }, payments[at.index(payments.len())]))
        })
}

/// All units of everybody, one by one: true = of a source.
fn units(book: &Book, sources: &[u64], last_first: bool) -> Vec<u128> {
    let mut held: Vec<VecDeque<bool>> = book.opening.iter().map(|n| (0..*n).map(|_| false).collect()).collect();
    for (n, m) in book.moves.iter().enumerate() {
        let mut moved = Vec::new();
        for _ in 0..m.amount {
            let from = &mut held[m.from as usize];
            moved.push(if last_first { from.pop_back() } else { from.pop_front() }.unwrap());
        }
        held[m.to as usize].extend(moved.into_iter().map(|unit| unit || sources.contains(&(n as u64))));
    }
    // What was of the source when the source was paid is of it alone: earlier marks there are none.
    held.iter().map(|units| units.iter().filter(|unit| **unit).count() as u128).collect()
}

/// Everybody's traced sums, by shares or by the lowest balance.
fn sums(book: &Book, source: u64, haircut: bool) -> Vec<u128> {
    let mut balance = book.opening.clone();
    let mut traced = vec![0u128; balance.len()];
    for (n, m) in book.moves.iter().enumerate() {
        let from = m.from as usize;
        let left = balance[from] - m.amount;
        let goes = if haircut {
            if left == 0 { traced[from] } else { traced[from] * m.amount / balance[from] }
        } else {
            traced[from] - traced[from].min(left)
        };
        traced[from] -= goes;
        balance[from] = left;
        balance[m.to as usize] += m.amount;
        traced[m.to as usize] += if n as u64 == source { m.amount } else { goes };
    }
    traced
}

fn everything() -> Limits {
    Limits { hops: u32::MAX, ..Limits::default() }
}

fn by_account(trace: &Trace) -> Vec<u128> {
    let mut out: Vec<u128> = (0..ACCOUNTS).map(|a| trace.held.get(&a).map_or(0, |a| a.hi)).collect();
    out.extend([trace.fees.hi, trace.destroyed.hi]);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_method_is_what_a_simulation_of_every_unit_of_everybody_gives((book, source) in books()) {
        // The simulation traces nothing before the source, and neither may the source's own units have been traced.
        for (method, due) in [
            (Method::Fifo, units(&book, &[source], false)),
            (Method::Lifo, units(&book, &[source], true)),
            (Method::Haircut, sums(&book, source, true)),
            (Method::Libr, sums(&book, source, false)),
        ] {
            let trace = trace(&book, &[source], method, everything(), &|_| false).unwrap();
            prop_assert_eq!(by_account(&trace), due, "{:?}", method);
        }
    }

    #[test]
    fn several_sources_together_are_what_a_simulation_gives_and_sum_up((book, first) in books(), second: prop::sample::Index) {
        let payments: Vec<u64> = (0..book.moves.len() as u64).filter(|n| book.moves[*n as usize].kind == Kind::Transfer).collect();
        let sources = [first, payments[second.index(payments.len())]];
        for (method, last_first) in [(Method::Fifo, false), (Method::Lifo, true)] {
            let trace = trace(&book, &sources, method, everything(), &|_| false).unwrap();
            prop_assert_eq!(by_account(&trace), units(&book, &sources, last_first), "{:?}", method);
        }
        for method in [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr] {
            let trace = trace(&book, &sources, method, everything(), &|_| false).unwrap();
            prop_assert_eq!((trace.sum().lo, trace.sum().hi), (trace.source, trace.source), "{:?}", method);
        }
    }

    #[test]
    fn source_is_held_stopped_fees_destroyed_and_cut_to_the_last_unit(
        (book, source) in books(), hops in 1u32..4, least in 1u128..12, most in 1u64..40, end in 1u64..60, service in 0..ACCOUNTS,
    ) {
        let limits = Limits { hops, least, end, most };
        for method in [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr] {
            let trace = trace(&book, &[source], method, limits, &|account| account == service).unwrap();
            let sum = trace.sum();
            prop_assert_eq!((sum.lo, sum.hi), (trace.source, trace.source), "{:?} {:?}", method, trace);
        }
    }

    #[test]
    fn every_method_lies_within_the_bounds_with_and_without_a_known_opening((book, source) in books(), partial: bool) {
        let known = Book { partial, ..book.clone() };
        let bounds = trace(&known, &[source], Method::Bounds, everything(), &|_| false).unwrap();
        let within = |account: u32, amount: u128| {
            let a = bounds.held.get(&account).copied().unwrap_or_default();
            a.lo <= amount && amount <= a.hi
        };
        let carried: BTreeMap<u64, Amounts> = bounds.payments.iter().map(|p| (p.transfer, p.traced)).collect();
        for method in [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr] {
            let trace = trace(&book, &[source], method, everything(), &|_| false).unwrap();
            for account in 0..ACCOUNTS {
                let held = trace.held.get(&account).map_or(0, |a| a.hi);
                prop_assert!(within(account, held), "{:?} {} {:?}", method, account, bounds.held.get(&account));
            }
            for p in &trace.payments {
                let a = carried[&p.transfer];
                prop_assert!(a.lo <= p.traced.lo && p.traced.hi <= a.hi, "{:?} {:?} {:?}", method, p, a);
            }
        }
    }

    #[test]
    fn with_an_unknown_opening_the_methods_say_so_and_the_bounds_still_answer((book, source) in books()) {
        let book = Book { partial: true, ..book };
        for method in [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr] {
            prop_assert_eq!(trace(&book, &[source], method, everything(), &|_| false), Err(Untraceable::Opening));
        }
        prop_assert!(trace(&book, &[source], Method::Bounds, everything(), &|_| false).is_ok());
    }
}

fn pay(from: u32, to: u32, amount: u128) -> Move {
    Move { from, to, amount, kind: Kind::Transfer, unordered: false }
}

/// A victim pays 100 into an account that has 50, which pays 60 and then 90.
fn mixed() -> Book {
    let mut opening = vec![0; 8];
    (opening[0], opening[1]) = (100, 50);
    Book { opening, moves: vec![pay(0, 1, 100), pay(1, 2, 60), pay(1, 3, 90)], partial: false }
}

#[test]
fn the_methods_differ_where_money_was_mixed_and_the_bounds_say_how_far() {
    let due = [(Method::Fifo, 10, 90), (Method::Lifo, 60, 40), (Method::Haircut, 40, 60), (Method::Libr, 10, 90)];
    for (method, second, third) in due {
        let trace = trace(&mixed(), &[0], method, everything(), &|_| false).unwrap();
        assert_eq!((trace.held[&2].hi, trace.held[&3].hi), (second, third), "{method:?}");
    }
    let bounds = trace(&mixed(), &[0], Method::Bounds, everything(), &|_| false).unwrap();
    assert_eq!(bounds.held[&2], Amounts { lo: 10, hi: 60 });
    assert_eq!(bounds.held[&3], Amounts { lo: 40, hi: 90 });
}

#[test]
fn an_account_that_pays_what_it_never_had_makes_no_answer() {
    let mut book = mixed();
    book.moves.push(pay(3, 2, 91));
    assert_eq!(trace(&book, &[0], Method::Haircut, everything(), &|_| false), Err(Untraceable::Negative));
    assert_eq!(trace(&book, &[99], Method::Haircut, everything(), &|_| false), Err(Untraceable::NoSource));
}
