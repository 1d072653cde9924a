//! What an address received and paid, entry after entry: the page that an investigator reads first.
//!
//! Never: a transfer that moves nothing, or of a fake token, shown as if it counted; a page that grows with the account's history.
use super::Named;
use crate::chain::{Error, Result};
use crate::columns::{Accounts, Kind, NOBODY, UNKNOWN, Utxo, Way};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Addresses that are named of the other side of an entry.
const NAMED: usize = 5;
/// Most entries of a page.
pub const MAX_ENTRIES: usize = 10_000;

/// A page of an address's entries.
#[derive(Debug, Serialize)]
pub struct AccountLine {
    /// The address as its chain writes it.
    pub address: String,
    /// Oldest first.
    pub entries: Vec<EntryLine>,
    /// Where the next page begins; `null` on the last one.
    pub next: Option<u64>,
}

/// One entry.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct EntryLine {
    /// Its number in the record: of the transfer, or of the transaction where the chain is of Bitcoin's kind.
    pub number: u64,
    /// The transaction.
    pub tx: String,
    /// When its block was, RFC 3339.
    pub time: String,
    /// `in`, `out`, or `self`, which moves nothing.
    pub way: &'static str,
    /// Base units.
    pub amount: String,
    /// The coin, or a token's contract.
    pub asset: String,
    /// What kind of change.
    pub kind: &'static str,
    /// Who paid, or was paid: the first of them.
    pub others: Vec<String>,
    /// So many others more.
    pub more: u64,
    /// What the record has left of the asset afterwards; `null` where it cannot say, and on chains of Bitcoin's kind.
    pub left: Option<String>,
    /// Whether it counts: not a transfer of nothing, or of a fake token.
    pub counts: bool,
    /// Whether its place within its transaction is not known.
    pub unordered: bool,
    /// Whether something of the transaction is not known: then amounts may be missing.
    pub partial: bool,
}

/// The entries of an address from the one numbered `from` on, at most `limit`; of one asset, or of all.
///
/// # Errors
/// The address or asset is none of this chain's, or is not on record.
pub fn account(
    chain: &Named,
    (address, asset): (&str, Option<&str>),
    (from, limit): (u64, usize),
) -> Result<AccountLine> {
    let number = chain.address(address)?;
    let limit = limit.clamp(1, MAX_ENTRIES);
    let (entries, next) = match chain {
        Named::Utxo(utxo, _) => coins(chain, utxo, number, (from, limit)),
        Named::Accounts(accounts, profile) => {
            let unknown = |why: &str| Error::Unknown(why.to_owned());
            let name = |text: &str| match profile {
                Some(profile) => profile.parse(text).map_err(unknown),
                None => Ok(text.as_bytes().to_vec()),
            };
            let asset = asset.map(name).transpose()?;
            let found =
                asset.map(|name| accounts.find_asset(&name).ok_or_else(|| unknown("the asset is not on record")));
            transfers(chain, accounts, (number, found.transpose()?), (from, limit))
        }
    };
    Ok(AccountLine { address: chain.text(number), entries, next })
}

/// Merges the histories of an account's assets by the transfers' numbers.
fn transfers(
    chain: &Named,
    accounts: &Accounts,
    (account, asset): (u32, Option<u32>),
    (from, limit): (u64, usize),
) -> (Vec<EntryLine>, Option<u64>) {
    let assets: Vec<u32> = match asset {
        Some(asset) => vec![asset],
        None => accounts.assets_of(account).into_iter().collect(),
    };
    let histories: Vec<_> = assets.iter().map(|asset| accounts.history(account, *asset)).collect();
    let mut heap = BinaryHeap::new();
    for (place, history) in histories.iter().enumerate() {
        let row = history.first(|step| step.transfer < from);
        heap.extend(history.step(row).map(|step| Reverse((step.transfer, place, row))));
    }
    let mut entries = Vec::new();
    while let Some(Reverse((number, place, row))) = heap.pop() {
        if entries.len() == limit {
            return (entries, Some(number));
        }
        let Some(history) = histories.get(place) else { continue };
        heap.extend(history.step(row + 1).map(|step| Reverse((step.transfer, place, row + 1))));
        let (Some(step), Some(one)) = (history.step(row), accounts.transfer(number)) else { continue };
        let tx = accounts.tx_of(number).unwrap_or(0);
        let (way, other) = match step.way {
            Way::In => ("in", one.from),
            Way::Out => ("out", one.to),
            Way::Own => ("self", UNKNOWN),
        };
        entries.push(EntryLine {
            number,
            tx: chain.id(tx),
            time: rfc(accounts.time(tx)),
            way,
            amount: one.amount.to_string(),
            asset: chain.asset_text(one.asset),
            kind: one.kind.name(),
            others: Some(other).filter(|other| *other != UNKNOWN).map(|other| chain.text(other)).into_iter().collect(),
            more: 0,
            left: step.after.balance().map(|left| left.to_string()),
            counts: one.edge && way != "self",
            unordered: one.unordered,
            partial: accounts.tx_flags(tx).has(crate::columns::TxFlags::PARTIAL),
        });
    }
    (entries, None)
}

/// Of Bitcoin's kind no index says where an address occurs: its columns are read from transaction `from` on.
fn coins(chain: &Named, utxo: &Utxo, address: u32, (from, limit): (u64, usize)) -> (Vec<EntryLine>, Option<u64>) {
    let mut entries = Vec::new();
    let mut before = None;
    for tx in utxo.occurrences(address, from) {
        if before.replace(tx) == Some(tx) {
            continue;
        }
        if entries.len() >= limit {
            return (entries, Some(tx));
        }
        let (mut paid, mut got) = (Some(0_u64), 0_u64);
        for spend in utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).filter(|spend| spend.address == address) {
            paid = paid.zip(spend.value).and_then(|(sum, value)| sum.checked_add(value));
        }
        let outputs = utxo.outputs_of(tx).filter_map(|output| utxo.output(output));
        outputs.filter(|(to, _)| *to == address).for_each(|(_, value)| got = got.saturating_add(value));
        let payers = utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).map(|spend| spend.address);
        let paid_to = utxo.outputs_of(tx).filter_map(|output| utxo.output(output)).map(|(to, _)| to);
        let pays = utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).any(|spend| spend.address == address);
        let mut entry = |way: &'static str, amount: String, others: Vec<u32>| {
            let mut distinct: Vec<u32> = Vec::new();
            let named = others.into_iter().filter(|other| *other != address && *other < NOBODY);
            named.for_each(|other| {
                if !distinct.contains(&other) && distinct.len() <= MAX_ENTRIES {
                    distinct.push(other);
                }
            });
            let more = distinct.len().saturating_sub(NAMED) as u64;
            entries.push(EntryLine {
                number: tx,
                tx: chain.id(tx),
                time: rfc(utxo.block_of(tx).and_then(|place| utxo.block(place)).map(|(time, _)| time)),
                way,
                amount,
                asset: chain.coin_text(),
                kind: Kind::Transfer.name(),
                others: distinct.into_iter().take(NAMED).map(|other| chain.text(other)).collect(),
                more,
                left: None,
                counts: true,
                unordered: false,
                partial: utxo.info(tx).is_some_and(|(flags, _)| flags.has(crate::columns::Flags::PARTIAL)),
            });
        };
        if pays {
            entry("out", paid.map_or_else(|| "not known".into(), |paid| paid.to_string()), paid_to.collect());
        }
        if got > 0 {
            entry("in", got.to_string(), payers.collect());
        }
    }
    (entries, None)
}

fn rfc(at: Option<u32>) -> String {
    at.and_then(|at| jiff::Timestamp::from_second(at.into()).ok()).map(|at| at.to_string()).unwrap_or_default()
}
