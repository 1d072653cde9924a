//! Traces of coins conserve, agree with a simulation of every unit of every output, and lie within the bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use money::trace::*;
use proptest::prelude::*;

/// Of an output: its transaction, its value, what spends it.
type Output = (usize, u64, Option<(u64, u64)>);

/// A small chain: each transaction spends outputs of earlier ones; the first ones spend nothing.
#[derive(Debug, Clone, Default)]
struct Book {
    /// Of each transaction the outputs that it spends, and what it pays.
    txs: Vec<(Vec<usize>, Vec<u64>)>,
    outputs: Vec<Output>,
    /// An output whose value nobody knows when it is spent.
    untold: Option<usize>,
    inputs: u64,
}

impl Book {
    fn add(&mut self, spends: Vec<usize>, pays: Vec<u64>) {
        let tx = self.txs.len();
        for output in &spends {
            self.outputs[*output].2 = Some((tx as u64, self.inputs));
            self.inputs += 1;
        }
        self.outputs.extend(pays.iter().map(|value| (tx, *value, None)));
        self.txs.push((spends, pays));
    }
    fn first_output(&self, tx: usize) -> usize {
        self.txs[..tx].iter().map(|(_, pays)| pays.len()).sum()
    }
}

impl Coins for Book {
    fn inputs(&self, tx: u64) -> Vec<CoinIn> {
        let one = |output: &usize| CoinIn {
            number: self.outputs[*output].2.unwrap().1,
            value: Some(self.outputs[*output].1).filter(|_| self.untold != Some(*output)),
        };
        self.txs[tx as usize].0.iter().map(one).collect()
    }
    fn outputs(&self, tx: u64) -> Vec<CoinOut> {
        let first = self.first_output(tx as usize);
        let one = |n: usize| {
            let (_, value, spent) = self.outputs[first + n];
            CoinOut { number: (first + n) as u64, address: (first + n) as u32, value, spent }
        };
        (0..self.txs[tx as usize].1.len()).map(one).collect()
    }
}

/// Chains of up to 25 transactions over six coins, and an output to trace from.
fn books() -> impl Strategy<Value = (Book, usize)> {
    let step =
        (prop::collection::vec(any::<prop::sample::Index>(), 1..4), prop::collection::vec(1u64..30, 1..4), 0u64..5);
    (prop::collection::vec(1u64..60, 6), prop::collection::vec(step, 1..25), any::<prop::sample::Index>()).prop_map(
        |(coins, steps, at)| {
            let mut book = Book::default();
            coins.into_iter().for_each(|value| book.add(Vec::new(), vec![value]));
            for (picks, shares, fee) in steps {
                let mut spends = Vec::new();
                for pick in picks {
                    let open: Vec<usize> = (0..book.outputs.len())
                        .filter(|n| book.outputs[*n].2.is_none() && book.outputs[*n].1 > 0 && !spends.contains(n))
                        .collect();
                    if !open.is_empty() {
                        spends.push(open[pick.index(open.len())]);
                    }
                }
                let mut left: u64 = spends.iter().map(|n| book.outputs[*n].1).sum();
                let fee = fee.min(left);
                left -= fee;
                let mut pays = Vec::new();
                for share in shares {
                    pays.push(share.min(left));
                    left -= share.min(left);
                }
                *pays.last_mut().unwrap() += left;
                if !spends.is_empty() {
                    book.add(spends, pays);
                }
            }
            let sources: Vec<usize> = (0..book.outputs.len()).filter(|n| book.outputs[*n].1 > 0).collect();
            let source = sources[at.index(sources.len())];
            (book, source)
        },
    )
}

/// Every unit of every output, and of the fees: true = of the source.
fn units(book: &Book, source: usize, last_first: bool) -> (Vec<u64>, u64) {
    let mut of: Vec<Vec<bool>> = Vec::new();
    let mut fees = 0;
    for (spends, pays) in &book.txs {
        let mut pool: Vec<bool> = spends.iter().flat_map(|n| of[*n].clone()).collect();
        for value in pays {
            let number = of.len();
            let coinbase = spends.is_empty();
            let mut units: Vec<bool> = Vec::new();
            for _ in 0..*value {
                units.push(match (coinbase, last_first) {
                    (true, _) => false,
                    (false, true) => pool.pop().unwrap(),
                    (false, false) => pool.remove(0),
                });
            }
            if number == source {
                units.fill(true);
            }
            of.push(units);
        }
        fees += pool.iter().filter(|unit| **unit).count() as u64;
    }
    let unspent = |n: usize| book.outputs[n].2.is_none();
    let held = of
        .iter()
        .enumerate()
        .map(|(n, units)| if unspent(n) { units.iter().filter(|u| **u).count() as u64 } else { 0 });
    (held.collect(), fees)
}

fn everything() -> Limits {
    Limits { hops: u32::MAX, ..Limits::default() }
}

const NOWHERE: CoinStops<'static> = CoinStops { address: &|_| false, mixes: &|_| false };

fn from(book: &Book, source: usize) -> (u64, [usize; 1]) {
    let tx = book.outputs[source].0;
    (tx as u64, [source - book.first_output(tx)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn first_and_last_in_first_out_are_what_a_simulation_of_every_unit_gives((book, source) in books()) {
        let (tx, place) = from(&book, source);
        for (method, last_first) in [(Method::Fifo, false), (Method::Lifo, true)] {
            let trace = trace_coins(&book, (tx, &place), method, everything(), &NOWHERE).unwrap();
            let (held, fees) = units(&book, source, last_first);
            let told: Vec<u64> = (0..book.outputs.len() as u32).map(|n| trace.held.get(&n).map_or(0, |a| a.hi as u64)).collect();
            prop_assert_eq!((told, trace.fees.hi as u64), (held, fees), "{:?}", method);
        }
    }

    #[test]
    fn a_haircut_gives_each_output_its_share_to_within_a_unit_and_all_of_them_together_everything((book, source) in books()) {
        let (tx, place) = from(&book, source);
        let trace = trace_coins(&book, (tx, &place), Method::Haircut, everything(), &NOWHERE).unwrap();
        // The first transaction that spends the source alone: its outputs have floor shares, the last part takes the rest.
        if let Some((by, _)) = book.outputs[source].2 {
            let (spends, pays) = &book.txs[by as usize];
            let whole: u64 = spends.iter().map(|n| book.outputs[*n].1).sum();
            let value = book.outputs[source].1;
            let first = book.first_output(by as usize);
            for (n, pay) in pays.iter().enumerate() {
                let carried = trace.payments.iter().find(|p| p.transfer == (first + n) as u64).map_or(0, |p| p.traced.hi as u64);
                let exact = f64::from(u32::try_from(value * pay).unwrap()) / f64::from(u32::try_from(whole).unwrap());
                prop_assert!((carried as f64 - exact).abs() <= (pays.len() + 1) as f64, "{} {}", carried, exact);
            }
        }
    }

    #[test]
    fn source_is_held_stopped_mixed_fees_and_cut_to_the_last_unit(
        (book, source) in books(), hops in 1u32..4, least in 1u128..12, most in 1u64..20, end in 1u64..30, stop in 0u32..40, mix in 0u64..30,
    ) {
        let limits = Limits { hops, least, end, most };
        let (tx, place) = from(&book, source);
        let stops = CoinStops { address: &|address| address == stop, mixes: &|tx| tx == mix };
        for method in [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr] {
            let trace = trace_coins(&book, (tx, &place), method, limits, &stops).unwrap();
            let sum = trace.sum();
            prop_assert_eq!((sum.lo, sum.hi), (trace.source, trace.source), "{:?} {:?}", method, trace);
        }
    }

    #[test]
    fn every_method_lies_within_the_bounds_also_where_an_inputs_value_is_not_known((book, source) in books(), untold in 0usize..40) {
        let (tx, place) = from(&book, source);
        let part = Book { untold: Some(untold).filter(|n| *n != source && *n < book.outputs.len()), ..book.clone() };
        let bounds = trace_coins(&part, (tx, &place), Method::Bounds, everything(), &NOWHERE).unwrap();
        for method in [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr] {
            let trace = trace_coins(&book, (tx, &place), method, everything(), &NOWHERE).unwrap();
            for n in 0..book.outputs.len() as u32 {
                let held = trace.held.get(&n).map_or(0, |a| a.hi);
                let a = bounds.held.get(&n).copied().unwrap_or_default();
                prop_assert!(a.lo <= held && held <= a.hi, "{:?} {} {:?} {}", method, n, a, held);
            }
            let told = trace_coins(&part, (tx, &place), method, everything(), &NOWHERE);
            prop_assert!(told == Ok(trace) || told == Err(Untraceable::Value), "{:?}", told);
        }
    }
}

#[test]
fn inputs_queue_and_outputs_are_dealt_in_the_order_of_their_index() {
    let mut book = Book::default();
    book.add(vec![], vec![40]);
    book.add(vec![], vec![60]);
    // 60 clean after 40 traced; pays 50 and 45, 5 are the fee.
    book.add(vec![0, 1], vec![50, 45]);
    let told = |method| {
        let trace = trace_coins(&book, (0, &[0]), method, everything(), &NOWHERE).unwrap();
        let of = |n: u32| trace.held.get(&n).map_or(0, |a| a.hi);
        (of(2), of(3), trace.fees.hi)
    };
    assert_eq!(told(Method::Fifo), (40, 0, 0));
    assert_eq!(told(Method::Lifo), (0, 35, 5));
    assert_eq!(told(Method::Haircut), (20, 18, 2));
    let bounds = trace_coins(&book, (0, &[0]), Method::Bounds, everything(), &NOWHERE).unwrap();
    assert_eq!((bounds.held[&2], bounds.held[&3]), (Amounts { lo: 0, hi: 40 }, Amounts { lo: 0, hi: 40 }));
    assert_eq!(trace_coins(&book, (0, &[3]), Method::Fifo, everything(), &NOWHERE), Err(Untraceable::NoSource));
}
