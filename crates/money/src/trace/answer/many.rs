//! Many victims: where their money comes together, and how what was frozen is divided among them.
//!
//! Never: claims that together are more than what is there; a division whose rule is not named.
use super::ground::{Ground, Names};
use super::{AmountsLine, Decided, Within, amounts, unknown};
use crate::chain::{Chain, ChainCode, Result, Room};
use crate::columns::{Accounts, Mode};
use crate::evm::Profile;
use crate::tags::{Sees, Tags};
use crate::trace::{Amounts, Method, Trace};
use ruint::aliases::U256;
use serde::Serialize;
use std::collections::BTreeMap;

/// Most victims of one question.
const MAX_VICTIMS: usize = 10_000;

/// What is asked of many victims' payments, all of one asset.
#[derive(Debug, Clone)]
pub struct AskedMany<'a> {
    /// The chain, one of accounts.
    pub chain: &'a ChainCode,
    /// The payments: `TX`, or `TX:N` where the transaction has several.
    pub payments: &'a [String],
    /// By which methods, and where it ends.
    pub within: Within<'a>,
}

/// An account that several victims' money reached.
#[derive(Debug, Clone, Serialize)]
pub struct CollectorLine {
    /// The account.
    pub account: String,
    /// How many of the victims' payments reached it.
    pub payments: usize,
    /// How much of their money came to it, all in all; what came back to it counts again.
    #[serde(flatten)]
    pub amount: AmountsLine,
    /// Payments from the nearest victim, and from the farthest.
    pub hops: (u32, u32),
    /// Why traces end there, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// Of a tagged service: whose it is said to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
}

/// Where many victims' money comes together.
#[derive(Debug, Clone, Serialize)]
pub struct CollectorsLine {
    /// The method.
    pub method: &'static str,
    /// The asset.
    pub asset: String,
    /// So many accounts were reached by enough of the payments; the first of them follow.
    pub found: usize,
    /// The largest sum first.
    pub accounts: Vec<CollectorLine>,
    /// Services that it went on past.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub past: Vec<String>,
    /// Who decided that, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// How a frozen balance is divided.
#[derive(Debug, Clone, Serialize)]
pub struct RestitutionLine {
    /// The account.
    pub account: String,
    /// The asset.
    pub asset: String,
    /// What is there, base units.
    pub balance: String,
    /// By each method.
    pub methods: Vec<SharesLine>,
    /// Services that the traces went on past.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub past: Vec<String>,
    /// Who decided that, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// The division by one method.
#[derive(Debug, Clone, Serialize)]
pub struct SharesLine {
    /// The method.
    pub method: &'static str,
    /// Why there is no answer.
    pub not_computable: Option<String>,
    /// What the victims claim together, each traced alone.
    pub claimed: AmountsLine,
    /// Claims were more than what is there, and all were cut in equal proportion.
    pub abated: bool,
    /// What no victim claims.
    pub unclaimed: String,
    /// Each victim's.
    pub shares: Vec<ShareLine>,
}

/// One victim's part.
#[derive(Debug, Clone, Serialize)]
pub struct ShareLine {
    /// The payment, as it was asked about.
    pub payment: String,
    /// What was paid.
    pub paid: String,
    /// What of it is there by the method, traced alone.
    pub claim: AmountsLine,
    /// The part of the balance; `null` for bounds, which divide nothing.
    pub share: Option<String>,
}

/// Divides `there` in proportion to claims: each claim whole where they fit, else floors and the largest remainders, the earlier one first.
///
/// ```
/// use money::trace::apportion;
/// assert_eq!(apportion(100, &[30, 50]), [30, 50]);
/// assert_eq!(apportion(10, &[30, 30, 30]), [4, 3, 3]);
/// ```
#[must_use]
pub fn apportion(there: u128, claims: &[u128]) -> Vec<u128> {
    let sum: U256 = claims.iter().map(|claim| U256::from(*claim)).fold(U256::ZERO, |a, b| a + b);
    if sum <= U256::from(there) {
        return claims.to_vec();
    }
    let part = |claim: &u128| (U256::from(*claim) * U256::from(there)).div_rem(sum);
    let parts: Vec<(U256, U256)> = claims.iter().map(part).collect();
    let mut shares: Vec<u128> = parts.iter().map(|(whole, _)| u128::try_from(*whole).unwrap_or(there)).collect();
    let mut left = there.saturating_sub(shares.iter().sum());
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|n| parts.get(*n).map(|(_, rest)| std::cmp::Reverse(*rest)));
    for n in order {
        if let Some(share) = shares.get_mut(n).filter(|_| left > 0) {
            *share += 1;
            left -= 1;
        }
    }
    shares
}

/// The payments of a question, all of one asset.
struct Payments {
    transfers: Vec<u64>,
    asset: u32,
}

impl Payments {
    fn find(names: &Names<'_>, texts: &[String]) -> Result<Payments> {
        if texts.is_empty() || texts.len() > MAX_VICTIMS {
            return Err(unknown(format!("name 1 to {MAX_VICTIMS} payments")));
        }
        let mut found = Payments { transfers: Vec::new(), asset: 0 };
        for text in texts {
            let (tx, nth) = match text.rsplit_once(':') {
                Some((tx, nth)) if nth.parse::<usize>().is_ok() => (tx, nth.parse().ok()),
                _ => (text.as_str(), None),
            };
            let number = names.find_tx(tx).ok_or_else(|| unknown(format!("transaction {tx} is not on record")))?;
            let (transfer, _) =
                names.source(number, nth).map_err(|error| unknown(format!("{tx}: {error}; write TX:N")))?;
            let asset = names.accounts.transfer(transfer).map_or(0, |one| one.asset);
            if !found.transfers.is_empty() && asset != found.asset {
                return Err(unknown(format!("{text} pays another asset than the first one: ask of each asset apart")));
            }
            if found.transfers.contains(&transfer) {
                return Err(unknown(format!("{text} is named twice")));
            }
            found.asset = asset;
            found.transfers.push(transfer);
        }
        Ok(found)
    }
}

fn open(room: &Room, chain: &ChainCode) -> Result<Box<Accounts>> {
    match room.chain(chain, Mode::Read)? {
        Chain::Accounts(accounts) => Ok(Box::new(accounts)),
        Chain::Utxo(..) => {
            Err(unknown("this is answered for chains of accounts; of coins trace each payment (`eye money trace`)"))
        }
    }
}

/// The accounts that the money of at least `least` victims reached, by how much; the first method of the question is used.
///
/// # Errors
/// Payments that are not on record or of several assets; a method that has no answer.
pub fn collector(
    room: &Room,
    asked: &AskedMany<'_>,
    (least, most): (usize, usize),
    (tags, sees): (Option<&Tags>, Sees<'_>),
) -> Result<CollectorsLine> {
    let within = &asked.within;
    within.check()?;
    let accounts = open(room, asked.chain)?;
    let names = Names { accounts: &accounts, profile: Profile::of(asked.chain) };
    let payments = Payments::find(&names, asked.payments)?;
    let ground = Ground::new(names, (asked.chain, payments.asset), (within.stops, within.past), (tags, sees))?;
    let (method, limits) = (within.methods.first().copied().unwrap_or(Method::Fifo), within.limits(&accounts)?);
    let mut reached: BTreeMap<u32, (usize, Amounts, (u32, u32))> = BTreeMap::new();
    for (text, transfer) in asked.payments.iter().zip(&payments.transfers) {
        let trace = ground
            .trace(&[*transfer], method, limits)
            .map_err(|why| unknown(format!("{text}: {}: {why}", method.name())))?;
        let mut own: BTreeMap<u32, (Amounts, (u32, u32))> = BTreeMap::new();
        for carried in &trace.payments {
            let Some(one) = accounts.transfer(carried.transfer) else { continue };
            let (sum, hops) = own.entry(one.to).or_insert((Amounts::default(), (carried.hop, carried.hop)));
            sum.add(carried.traced.lo, carried.traced.hi);
            *hops = (hops.0.min(carried.hop), hops.1.max(carried.hop));
        }
        for (account, (sum, hops)) in own {
            let (many, all, span) = reached.entry(account).or_insert((0, Amounts::default(), hops));
            *many += 1;
            all.add(sum.lo, sum.hi);
            *span = (span.0.min(hops.0), span.1.max(hops.1));
        }
    }
    let mut reached: Vec<_> = reached.into_iter().filter(|(_, (many, ..))| *many >= least).collect();
    reached.sort_by_key(|(account, (many, sum, _))| (std::cmp::Reverse((sum.hi, *many)), *account));
    let line = |(account, (payments, sum, hops)): (u32, (usize, Amounts, (u32, u32)))| CollectorLine {
        account: ground.names.account(account),
        payments,
        amount: amounts(&sum),
        hops,
        why: ground.stops.why(account),
        party: ground.stops.tagged.get(&account).cloned(),
    };
    Ok(CollectorsLine {
        method: method.name(),
        asset: ground.names.text(accounts.asset(payments.asset).unwrap_or_default()),
        found: reached.len(),
        accounts: reached.into_iter().take(most).map(line).collect(),
        past: within.past.to_vec(),
        decided: within.decided.clone(),
    })
}

/// Divides what an account has among victims, under each method of the question. Each victim is traced alone; where their claims together
/// are more than what is there (by lowest intermediate balance several may claim the same money, and each haircut rounds for itself),
/// all are cut in equal proportion.
///
/// # Errors
/// As [`collector`]; an account that is not on record or whose balance is not known.
pub fn restitution(
    room: &Room,
    account: &str,
    asked: &AskedMany<'_>,
    (tags, sees): (Option<&Tags>, Sees<'_>),
) -> Result<RestitutionLine> {
    let within = &asked.within;
    within.check()?;
    let accounts = open(room, asked.chain)?;
    let names = Names { accounts: &accounts, profile: Profile::of(asked.chain) };
    let payments = Payments::find(&names, asked.payments)?;
    let number =
        accounts.find_account(&names.parse(account)?).ok_or_else(|| unknown(format!("{account} is not on record")))?;
    let limits = within.limits(&accounts)?;
    // What the frozen account paid on is gone from there, whatever it looks like.
    let past: Vec<String> = within.past.iter().cloned().chain([account.to_owned()]).collect();
    let ground = Ground::new(names, (asked.chain, payments.asset), (within.stops, &past), (tags, sees))?;
    let held = accounts.history(number, payments.asset).before(limits.end);
    let balance = held
        .balance()
        .ok_or_else(|| unknown(format!("{account} paid more than it had on record: its balance is not known")))?;
    let shares = |method: Method| {
        let traced: std::result::Result<Vec<Trace>, _> =
            payments.transfers.iter().map(|transfer| ground.trace(&[*transfer], method, limits)).collect();
        let (traces, not_computable) = match traced {
            Ok(traces) => (traces, None),
            Err(why) => (Vec::new(), Some(why.to_string())),
        };
        let claims: Vec<Amounts> =
            traces.iter().map(|trace| trace.held.get(&number).copied().unwrap_or_default()).collect();
        let mut claimed = Amounts::default();
        claims.iter().for_each(|claim| claimed.add(claim.lo, claim.hi));
        let divides = method != Method::Bounds;
        let parts = apportion(balance, &claims.iter().map(|claim| claim.hi).collect::<Vec<_>>());
        let line = |((text, trace), (claim, part)): ((&String, &Trace), (&Amounts, &u128))| ShareLine {
            payment: text.clone(),
            paid: trace.source.to_string(),
            claim: amounts(claim),
            share: divides.then(|| part.to_string()),
        };
        SharesLine {
            method: method.name(),
            not_computable,
            abated: divides && claimed.hi > balance,
            unclaimed: balance.saturating_sub(claimed.hi).to_string(),
            shares: asked.payments.iter().zip(&traces).zip(claims.iter().zip(&parts)).map(line).collect(),
            claimed: amounts(&claimed),
        }
    };
    Ok(RestitutionLine {
        account: account.to_owned(),
        asset: ground.names.text(accounts.asset(payments.asset).unwrap_or_default()),
        balance: balance.to_string(),
        methods: within.methods.iter().map(|method| shares(*method)).collect(),
        past: within.past.to_vec(),
        decided: within.decided.clone(),
    })
}
