//! A trace of coins in words: outputs named by transaction and place, addresses as the chain writes them.
use super::{AmountsLine, Asked, PaymentLine, PlaceLine, TraceLine, amounts, cut_name, largest_first, unknown};
use crate::ask::Named;
use crate::chain::Result;
use crate::cluster::{CoSpends, Reason};
use crate::columns::{NOBODY, UNKNOWN, Utxo};
use crate::tags::{Sees, Tags, evidence};
use crate::trace::{Amounts, Carried, CoinStops, Limits, Method, Trace, trace_coins};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// A transaction with more inputs or outputs gathers or pays for many: an unidentified service's.
pub const MANY: usize = 100;

/// Why a trace ends at a transaction, if it does.
fn mixes(utxo: &Utxo, tx: u64) -> Option<&'static str> {
    let many = |range: std::ops::Range<u64>| range.end - range.start > MANY as u64;
    match CoSpends::reason(utxo, tx) {
        Some(Reason::CoinJoin(_)) => Some("CoinJoin"),
        _ if many(utxo.inputs_of(tx)) || many(utxo.outputs_of(tx)) => Some("unidentified service"),
        _ => None,
    }
}

/// Traces the coins of a transaction's outputs by each method that is asked for.
pub fn answer(
    named: &Named,
    utxo: &Utxo,
    asked: &Asked<'_>,
    (tags, sees): (Option<&Tags>, Sees<'_>),
) -> Result<Vec<TraceLine>> {
    let tx = named.transaction(asked.tx)?;
    let places = sources(named, utxo, tx, asked.transfer)?;
    let numbers = |of: &[String]| of.iter().map(|text| named.address(text)).collect::<Result<BTreeSet<u32>>>();
    let (stop, past) = (numbers(asked.within.stops)?, numbers(asked.within.past)?);
    let mut tagged = HashMap::new();
    if let Some(tags) = tags {
        let told = evidence(tags, asked.chain.as_str(), sees, |text| named.address(text).ok());
        for (address, party) in &told.services {
            tagged.insert(*address, told.parties.get(*party as usize).cloned().unwrap_or_default());
        }
    }
    let why = |address: u32| {
        if stop.contains(&address) {
            Some("asked for")
        } else if past.contains(&address) {
            None
        } else {
            tagged.get(&address).map(|_| "tagged service")
        }
    };
    let known: RefCell<HashMap<u64, bool>> = RefCell::default();
    let mixed = |tx: u64| *known.borrow_mut().entry(tx).or_insert_with(|| mixes(utxo, tx).is_some());
    let stops = CoinStops { address: &|address| why(address).is_some(), mixes: &mixed };
    let limits = Limits { end: end(utxo, asked)?, ..asked.within.limits };
    let whole: u128 = places
        .iter()
        .filter_map(|place| utxo.output(utxo.outputs_of(tx).start + *place as u64))
        .map(|(_, value)| u128::from(value))
        .sum();
    let line = |method: Method| {
        let done = trace_coins(utxo, (tx, &places), method, limits, &stops);
        let (trace, not_computable) = match done {
            Ok(trace) => (trace, None),
            Err(why) => (Trace::default(), Some(why.to_string())),
        };
        let computed = not_computable.is_none();
        let place = |(address, amount): (&u32, &Amounts), stop: bool| PlaceLine {
            account: text(named, *address),
            amount: amounts(amount),
            why: why(*address).filter(|_| stop),
            party: tagged.get(address).filter(|_| stop).cloned(),
        };
        let stopped = largest_first(&trace.stopped).map(|one| place(one, true));
        let mixing = largest_first(&trace.mixed).map(|(tx, amount)| PlaceLine {
            account: named.id(*tx),
            amount: amounts(amount),
            why: mixes(utxo, *tx),
            party: None,
        });
        TraceLine {
            chain: asked.chain.as_str().to_owned(),
            method: method.name(),
            asset: named.coin_text(),
            source: (named.id(tx), places.first().copied().unwrap_or_default()),
            amount: whole.to_string(),
            not_computable,
            held: largest_first(&trace.held).map(|held| place(held, false)).collect(),
            stopped: stopped.chain(mixing).collect(),
            fees: computed.then(|| amounts(&trace.fees)),
            destroyed: computed.then(|| amounts(&trace.destroyed)),
            cut: trace.cut.iter().map(|(cut, amount)| (cut_name(*cut), amounts(amount))).collect(),
            payments: trace.payments.iter().filter_map(|carried| payment(named, utxo, carried)).collect(),
            unordered: false,
            past: asked.within.past.to_vec(),
            decided: asked.within.decided.clone(),
            class: "recorded",
        }
    };
    Ok(asked.within.methods.iter().map(|method| line(*method)).collect())
}

fn text(named: &Named, address: u32) -> String {
    match address {
        NOBODY => "nobody".into(),
        UNKNOWN => "not known".into(),
        address => named.text(address),
    }
}

fn payment(named: &Named, utxo: &Utxo, carried: &Carried) -> Option<PaymentLine> {
    let tx = utxo.tx_of_output(carried.transfer)?;
    let (to, value) = utxo.output(carried.transfer)?;
    // Of several payers the first is named: whose all of them are is a question to clusters.
    let from = utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).map(|spend| spend.address).next();
    Some(PaymentLine {
        tx: named.id(tx),
        output: Some(carried.transfer - utxo.outputs_of(tx).start),
        from: from.map_or_else(|| "newly made".into(), |from| text(named, from)),
        to: text(named, to),
        kind: "transfer",
        traced: AmountsLine { lo: carried.traced.lo.to_string(), hi: carried.traced.hi.to_string() },
        amount: value.to_string(),
        hop: carried.hop,
    })
}

/// The outputs that are meant, by their places.
fn sources(named: &Named, utxo: &Utxo, tx: u64, nth: Option<usize>) -> Result<Vec<usize>> {
    let outputs: Vec<(usize, (u32, u64))> = utxo
        .outputs_of(tx)
        .filter_map(|number| utxo.output(number))
        .enumerate()
        .filter(|(_, (_, value))| *value > 0)
        .collect();
    match (nth, outputs.as_slice()) {
        (_, []) => Err(unknown("the transaction pays nothing")),
        (None, [(place, _)]) => Ok(vec![*place]),
        (Some(nth), many) if many.iter().any(|(place, _)| *place == nth) => Ok(vec![nth]),
        (_, many) => {
            let told = |(place, (to, value)): &(usize, (u32, u64))| format!("{place}: {value} to {}", text(named, *to));
            let list: Vec<String> = many.iter().take(MANY).map(told).collect();
            Err(unknown(format!("say which of its outputs (--transfer N):\n  {}", list.join("\n  "))))
        }
    }
}

/// The first transaction that is not looked at.
fn end(utxo: &Utxo, asked: &Asked<'_>) -> Result<u64> {
    let Some(until) = asked.within.until else { return Ok(asked.within.limits.end) };
    let place = utxo.store().log().lower_bound(|record| record.height <= until)?;
    Ok(utxo.first_tx_of(place).min(asked.within.limits.end))
}
