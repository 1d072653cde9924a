//! A trace as the command line and its JSON tell it: names in place of numbers, methods side by side.
mod check;
mod coins;
mod ground;
mod many;

pub use check::{CheckLine, Claim, ClaimLine, ClaimTable, Departure, MethodLine, check};
pub use coins::MANY;
pub use many::{
    AskedMany, CollectorLine, CollectorsLine, RestitutionLine, ShareLine, SharesLine, apportion, collector, restitution,
};

use ground::{Ground, Names};

use super::{Amounts, Cut, Limits, Method, Trace};
use crate::ask::Named;
use crate::chain::{Chain, ChainCode, Error, Result, Room};
use crate::columns::{Accounts, Mode};
use crate::evm::Profile;
use crate::tags::{Sees, Tags};
use serde::Serialize;
use std::collections::BTreeMap;

/// An account with so many payers, and so many whom it pays, mixes others' money: an unidentified service.
pub const SERVICE: (usize, usize) = (100, 100);
/// Transfers of one account that are looked at to tell.
const LOOKED_AT: usize = 20_000;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The chain.
    pub chain: &'a ChainCode,
    /// The transaction's id, as the chain writes it.
    pub tx: &'a str,
    /// Which of its transfers, from 0; needed where it has several.
    pub transfer: Option<usize>,
    /// By which methods, and where it ends.
    pub within: Within<'a>,
}

/// By which methods traces go, and where they end.
#[derive(Debug, Clone)]
pub struct Within<'a> {
    /// The methods, in the order in which they are told.
    pub methods: &'a [Method],
    /// Where it ends.
    pub limits: Limits,
    /// Accounts at which it ends, beside those of tagged services.
    pub stops: &'a [String],
    /// Accounts at which it goes on though they look like services.
    pub past: &'a [String],
    /// Who decided that, and why: in every answer. Needed where `past` names anybody.
    pub decided: Option<Decided>,
    /// The last block that is looked at; else the record's last.
    pub until: Option<u64>,
}

impl Within<'_> {
    /// Going on past a service must be somebody's decision.
    fn check(&self) -> Result<()> {
        let said = |it: &Decided| !it.by.trim().is_empty() && !it.reason.trim().is_empty();
        match self.past.is_empty() || self.decided.as_ref().is_some_and(said) {
            true => Ok(()),
            false => Err(unknown("to go on past a service is somebody's decision: say who takes it, and why")),
        }
    }

    /// Its limits on a chain of accounts.
    fn limits(&self, accounts: &Accounts) -> Result<Limits> {
        let end = self.until.map(|height| accounts.transfers_up_to(height)).transpose()?;
        Ok(Limits { end: end.unwrap_or(u64::MAX).min(self.limits.end), ..self.limits })
    }
}

/// An analyst's act: the trace goes on past a service, through the money of everybody there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// At least and at most, in base units.
#[derive(Debug, Clone, Serialize)]
pub struct AmountsLine {
    /// At least.
    pub lo: String,
    /// At most; the same as `lo` for every method but `bounds`.
    pub hi: String,
}

/// What is in one account.
#[derive(Debug, Clone, Serialize)]
pub struct PlaceLine {
    /// The account.
    pub account: String,
    /// How much.
    #[serde(flatten)]
    pub amount: AmountsLine,
    /// Of a stop: `tagged service`, `unidentified service`, `asked for`; of coins `CoinJoin`, and the place is a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// Of a tagged service: whose it is said to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
}

/// A payment that carried traced money.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentLine {
    /// The transaction.
    pub tx: String,
    /// Of coins: which of its outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Who paid; of coins the first of them.
    pub from: String,
    /// Who was paid.
    pub to: String,
    /// What kind of change.
    pub kind: &'static str,
    /// How much of it was traced money.
    #[serde(flatten)]
    pub traced: AmountsLine,
    /// All of the payment.
    pub amount: String,
    /// Payments from the source.
    pub hop: u32,
}

/// The answer of one method.
#[derive(Debug, Clone, Serialize)]
pub struct TraceLine {
    /// The chain's code.
    pub chain: String,
    /// The method.
    pub method: &'static str,
    /// The asset: the coin, or a token's contract.
    pub asset: String,
    /// The transaction that is the source, and its transfer's number in it.
    pub source: (String, usize),
    /// What it paid, in base units.
    pub amount: String,
    /// Why there is no answer; then all that follows is empty.
    pub not_computable: Option<String>,
    /// What still stands where.
    pub held: Vec<PlaceLine>,
    /// Where it stopped.
    pub stopped: Vec<PlaceLine>,
    /// Paid as fees.
    pub fees: Option<AmountsLine>,
    /// Burnt and destroyed.
    pub destroyed: Option<AmountsLine>,
    /// Followed no further: `below-least`, `hops`, `too-many-transfers`, `not-loaded`.
    pub cut: BTreeMap<&'static str, AmountsLine>,
    /// The payments that carried it, in the chain's order.
    pub payments: Vec<PaymentLine>,
    /// A place within a transaction was not known: another order may give another answer.
    pub unordered: bool,
    /// Accounts of services that it went on past.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub past: Vec<String>,
    /// Who decided that, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// The class of the result: *recorded*, for every step is on the chain; the method is a rule of law, not a finding.
    pub class: &'static str,
}

fn amounts(a: &Amounts) -> AmountsLine {
    AmountsLine { lo: a.lo.to_string(), hi: a.hi.to_string() }
}

fn largest_first<K: Ord>(of: &BTreeMap<K, Amounts>) -> impl Iterator<Item = (&K, &Amounts)> {
    let mut all: Vec<(&K, &Amounts)> = of.iter().collect();
    all.sort_by_key(|(_, amount)| std::cmp::Reverse((amount.hi, amount.lo)));
    all.into_iter()
}

fn cut_name(cut: Cut) -> &'static str {
    match cut {
        Cut::Least => "below-least",
        Cut::Hops => "hops",
        Cut::Most => "too-many-transfers",
        Cut::NotLoaded => "not-loaded",
    }
}

fn unknown(why: impl Into<String>) -> Error {
    Error::Unknown(why.into())
}

/// Traces the money of one payment by each method that is asked for.
///
/// # Errors
/// A chain without accounts, a transaction or account that is not on record, several transfers of which none was named.
pub fn answer(room: &Room, asked: &Asked<'_>, (tags, sees): (Option<&Tags>, Sees<'_>)) -> Result<Vec<TraceLine>> {
    let within = &asked.within;
    within.check()?;
    let accounts = match room.chain(asked.chain, Mode::Read)? {
        Chain::Accounts(accounts) => accounts,
        Chain::Utxo(utxo, network) => {
            let named = Named::Utxo(Box::new(utxo), network);
            let Named::Utxo(utxo, _) = &named else { return Ok(Vec::new()) };
            return coins::answer(&named, utxo, asked, (tags, sees));
        }
    };
    let names = Names { accounts: &accounts, profile: Profile::of(asked.chain) };
    let tx = names.find_tx(asked.tx).ok_or_else(|| unknown("the transaction is not on record"))?;
    let (source, nth) = names.source(tx, asked.transfer)?;
    let transfer = accounts.transfer(source).ok_or_else(|| unknown("the transfer cannot be read"))?;
    let ground = Ground::new(names, (asked.chain, transfer.asset), (within.stops, within.past), (tags, sees))?;
    let (names, stops) = (&ground.names, &ground.stops);
    let limits = within.limits(&accounts)?;
    let line = |method: Method| {
        let done = ground.trace(&[source], method, limits);
        let (trace, not_computable) = match done {
            Ok(trace) => (trace, None),
            Err(why) => (Trace::default(), Some(why.to_string())),
        };
        let computed = not_computable.is_none();
        let place = |(account, amount): (&u32, &Amounts), stop: bool| PlaceLine {
            account: names.account(*account),
            amount: amounts(amount),
            why: stops.why(*account).filter(|_| stop),
            party: stops.tagged.get(account).filter(|_| stop).cloned(),
        };
        let payment = |carried: &super::Carried| {
            let t = accounts.transfer(carried.transfer)?;
            Some(PaymentLine {
                tx: names.tx_id(accounts.tx_of(carried.transfer)?),
                output: None,
                from: names.account(t.from),
                to: names.account(t.to),
                kind: t.kind.name(),
                traced: amounts(&carried.traced),
                amount: t.amount.to_u128().map(|n| n.to_string()).unwrap_or_default(),
                hop: carried.hop,
            })
        };
        TraceLine {
            chain: asked.chain.as_str().to_owned(),
            method: method.name(),
            asset: names.text(accounts.asset(transfer.asset).unwrap_or_default()),
            source: (names.tx_id(tx), nth),
            amount: transfer.amount.to_u128().map(|n| n.to_string()).unwrap_or_default(),
            not_computable,
            held: largest_first(&trace.held).map(|held| place(held, false)).collect(),
            stopped: largest_first(&trace.stopped).map(|stopped| place(stopped, true)).collect(),
            fees: computed.then(|| amounts(&trace.fees)),
            destroyed: computed.then(|| amounts(&trace.destroyed)),
            cut: trace.cut.iter().map(|(cut, amount)| (cut_name(*cut), amounts(amount))).collect(),
            payments: trace.payments.iter().filter_map(payment).collect(),
            unordered: trace.unordered,
            past: within.past.to_vec(),
            decided: within.decided.clone(),
            class: "recorded",
        }
    };
    Ok(within.methods.iter().map(|method| line(*method)).collect())
}
