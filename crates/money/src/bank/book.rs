//! One chain of all that is loaded: each leg once, whoever tells it, in the order of time.
use super::leg::{Fact, Leg};
use super::pages::{Chained, Finding, Page, Subject, runs};
use super::view::Writer;
use super::{Error, Result, Span};
use crate::columns::{Accounts, Amount, Head, Kind, Mode, NewTransfer, TransferBlock, TransferTx};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Most legs of all loads together: about 500 bytes each while the chain is made.
pub const MAX_LEGS: usize = 2_000_000;
/// Both banks book a transfer within so many seconds of each other, weekends and holidays in between.
const SETTLES: u32 = 5 * 86_400;
/// Legs under one reference that are looked at: more, and the reference identifies nothing.
const MOST_OF_A_REFERENCE: usize = 64;
const DAY: u32 = 86_400;

/// A leg's place: its batch and the byte that its line begins at.
pub type Place = (u64, u64);

/// A leg while the chain is made.
#[derive(Debug)]
struct Row {
    payer: String,
    payee: String,
    /// Whether the payer's or the payee's bank says so.
    credit: bool,
    /// Whether the other side is identified by more than a name.
    other_known: bool,
    amount: u128,
    currency: String,
    span: Span,
    reference: String,
    /// Whether the other side's bank knows that reference.
    shared: bool,
    subject: Subject,
    sources: Vec<Place>,
    kind: Kind,
    /// The institution's own bank accounts that it can have gone through.
    through: Vec<String>,
}

/// Everything of the loads.
#[derive(Default)]
pub struct Gathered {
    pages: Vec<Page>,
    /// With what makes two legs of an account equal.
    legs: Vec<(Row, [u8; 32])>,
}

impl Gathered {
    /// Adds a line of a batch.
    pub fn add(&mut self, fact: Fact, (batch, offset): Place) -> Result<()> {
        match fact {
            Fact::Statement(statement) => self.pages.push(Page { batch, statement }),
            Fact::Login(_) => {}
            Fact::Leg(leg) if leg.pending => {}
            Fact::Leg(leg) if self.legs.len() < MAX_LEGS => self.legs.push(Row::with_identity(*leg, batch, offset)),
            Fact::Leg(_) => {
                let why = format!(
                    "more than {MAX_LEGS} legs are loaded, which is the most: erase loads that are no longer needed"
                );
                return Err(Error::Unknown(why));
            }
        }
        Ok(())
    }

    /// Writes the chain into an empty folder. Returns what does not fit together.
    pub fn write(self, dir: &Path) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let runs = runs(&self.pages, &mut findings);
        let balances = balances(&self.pages, &runs);
        let mut rows = once(self.legs, &self.pages, &runs);
        both_sides(&mut rows, &mut findings);
        rows.extend(balances.iter().flat_map(|balance| balance.unexplained.iter().map(|entry| balance.row(*entry))));
        // What an account had at first comes before what it did with it.
        rows.sort_by_key(|row| (row.span.earliest, row.kind != Kind::Unexplained, row.span.latest, row.subject));
        let mut accounts = Accounts::open(dir, Mode::Write)?;
        let mut writer = Writer::create(dir)?;
        let mut parent = [0; 32];
        for day in rows.chunk_by(|a, b| a.span.earliest / DAY == b.span.earliest / DAY) {
            parent = append_day(&mut accounts, day, parent)?;
            day.iter().try_for_each(|row| writer.leg(row.span, &row.sources))?;
        }
        accounts.commit(true)?;
        for balance in &balances {
            findings.extend(balance.close(&mut accounts)?);
        }
        writer.finish(&findings)?;
        Ok(findings)
    }
}

fn append_day(accounts: &mut Accounts, day: &[Row], parent: [u8; 32]) -> Result<[u8; 32]> {
    let Some(first) = day.first() else { return Ok(parent) };
    let mut block = TransferBlock { time: first.span.earliest, ..TransferBlock::default() };
    let mut hash = Sha256::new();
    hash.update(parent);
    for row in day {
        let id = block.key(row.reference.as_bytes());
        block.txs.push(TransferTx { id, time: row.span.earliest, transfers: 1, ..TransferTx::default() });
        let (from, to) = (block.key(row.payer.as_bytes()), block.key(row.payee.as_bytes()));
        let (asset, amount) = (block.key(row.currency.as_bytes()), Amount::from(row.amount));
        block.transfers.push(NewTransfer { from, to, asset, amount, kind: row.kind, ..NewTransfer::default() });
        for part in [&row.reference, &row.payer, &row.payee, &row.currency] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.update(row.amount.to_le_bytes());
    }
    let hash: [u8; 32] = hash.finalize().into();
    block.head = Some(Head { height: u64::from(first.span.earliest / DAY), hash, parent });
    accounts.append(&block)?;
    accounts.commit(false)?;
    Ok(hash)
}

/// Each leg of an account once: the n-th of several equal ones in one run is the n-th in another run of the same
/// account.
fn once(legs: Vec<(Row, [u8; 32])>, pages: &[Page], runs: &[Chained]) -> Vec<Row> {
    let mut run_of = HashMap::new();
    for (run, places) in runs.iter().enumerate() {
        for page in places.iter().filter_map(|place| pages.get(*place)) {
            run_of.insert((page.batch, page.statement.number), run);
        }
    }
    let mut seen: HashMap<([u8; 32], u32), usize> = HashMap::new();
    let mut times: HashMap<([u8; 32], usize), u32> = HashMap::new();
    let mut rows: Vec<Row> = Vec::with_capacity(legs.len());
    for (row, key) in legs {
        // A table without balances is in no run of pages: each is one of its own.
        let next = runs.len() + run_of.len();
        let run = *run_of.entry((row.subject.batch, row.subject.statement)).or_insert(next);
        let nth = times.entry((key, run)).or_default();
        *nth += 1;
        match seen.get(&(key, *nth)).and_then(|place| rows.get_mut(*place)) {
            Some(known) => known.sources.extend(row.sources),
            None => {
                seen.insert((key, *nth), rows.len());
                rows.push(row);
            }
        }
    }
    rows
}

/// What makes two legs of an account equal.
fn identity(leg: &Leg) -> [u8; 32] {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    let other = leg.other.as_ref().map(|other| other.name.clone()).unwrap_or_default();
    let refs = &leg.references;
    let span = format!("{} {} {} {}", leg.span.earliest, leg.span.latest, leg.amount, leg.credit);
    let parts = [
        leg.account.name.clone(),
        leg.currency.clone(),
        span,
        other,
        of(&leg.value_date),
        of(&refs.end_to_end),
        of(&refs.transaction),
        of(&refs.bank),
        of(&refs.owner),
        leg.text.clone(),
        leg.on_chain.as_ref().map(|at| format!("{}:{}", at.chain, at.tx)).unwrap_or_default(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Row {
    fn with_identity(leg: Leg, batch: u64, offset: u64) -> (Row, [u8; 32]) {
        let key = identity(&leg);
        (Row::of(leg, batch, offset), key)
    }

    fn of(leg: Leg, batch: u64, offset: u64) -> Row {
        let other_known = leg.other.as_ref().is_some_and(|other| other.scheme != super::Scheme::Named);
        let other = leg.other.map(|other| other.name).unwrap_or_default();
        let own = leg.account.name;
        let (payer, payee) = if leg.credit { (other, own) } else { (own, other) };
        Row {
            payer,
            payee,
            credit: leg.credit,
            other_known,
            amount: leg.amount,
            currency: leg.currency,
            span: leg.span,
            shared: leg.references.shared().is_some(),
            reference: leg.references.shared().or(leg.references.bank.as_deref()).unwrap_or_default().to_owned(),
            subject: Subject { batch, statement: leg.statement, entry: leg.entry },
            sources: vec![(batch, offset)],
            kind: if leg.deed == Some(super::Deed::Fee) { Kind::Fee } else { Kind::Transfer },
            through: leg.through,
        }
    }

    /// Whether the two can be one transfer, told by the payer's bank and by the payee's.
    fn faces(&self, got: &Row) -> bool {
        // An exchange tells of its customer's account what its bank tells of the exchange's.
        let payee = self.payee == got.payee || got.through.contains(&self.payee) || !self.other_known;
        let payer = self.payer == got.payer || self.through.contains(&got.payer) || !got.other_known;
        let named = self.other_known || got.other_known;
        payee && payer && named && self.payer != got.payee && self.currency == got.currency
    }
}

/// A transfer that both banks tell is one. First those with one reference, then those of one amount where a side gives
/// no reference.
fn both_sides(rows: &mut Vec<Row>, findings: &mut Vec<Finding>) {
    let mut gone = vec![false; rows.len()];
    let by_reference = |row: &Row| (!row.reference.is_empty()).then(|| row.reference.clone());
    pair(rows, &mut gone, findings, true, &by_reference);
    let by_amount = |row: &Row| Some(format!("{} {}", row.amount, row.currency));
    pair(rows, &mut gone, findings, false, &by_amount);
    let mut gone = gone.into_iter();
    rows.retain(|_| !gone.next().unwrap_or(false));
}

fn pair(
    rows: &mut [Row],
    gone: &mut [bool],
    findings: &mut Vec<Finding>,
    referenced: bool,
    key: &dyn Fn(&Row) -> Option<String>,
) {
    let mut sides: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let free = !gone.get(place).copied().unwrap_or(true);
        if let Some(key) = key(row).filter(|_| free) {
            let [paid, got] = sides.entry(key).or_default();
            if row.credit { got.push(place) } else { paid.push(place) }
        }
    }
    for [paid, got] in sides.into_values() {
        if referenced && paid.len().max(got.len()) > MOST_OF_A_REFERENCE {
            continue;
        }
        let mut got = got;
        got.sort_by_key(|place| rows.get(*place).map(|row| row.span));
        for out in paid {
            let fits = |place: &usize, equal: bool| {
                let (Some(a), Some(b)) = (rows.get(out), rows.get(*place)) else { return false };
                let near = a.span.apart(b.span) <= SETTLES && a.amount == b.amount;
                a.faces(b) && (near || !equal) && (referenced || !a.shared || !b.shared)
            };
            let equal = got.iter().position(|place| fits(place, true));
            if let Some(incoming) = equal.map(|at| got.remove(at)) {
                join(rows, out, incoming);
                if let Some(gone) = gone.get_mut(incoming) {
                    *gone = true;
                }
            } else if let Some(incoming) =
                got.iter().position(|place| referenced && fits(place, false)).map(|at| got.remove(at))
            {
                findings.extend(part(rows, out, incoming));
            }
        }
    }
}

/// Both banks tell it alike.
fn join(rows: &mut [Row], out: usize, incoming: usize) {
    let Some((payee, span, sources)) =
        rows.get_mut(incoming).map(|row| (row.payee.clone(), row.span, std::mem::take(&mut row.sources)))
    else {
        return;
    };
    if let Some(row) = rows.get_mut(out) {
        (row.payee, row.span) = (payee, row.span.hull(span));
        row.sources.extend(sources);
    }
}

/// The two banks disagree: each account keeps what its own bank says, and nothing says that it is one sum.
fn part(rows: &mut [Row], out: usize, incoming: usize) -> Option<Finding> {
    let (paid, got) = (rows.get(out)?.subject, rows.get(incoming)?.subject);
    if let Some(row) = rows.get_mut(out) {
        row.payee.clear();
    }
    if let Some(row) = rows.get_mut(incoming) {
        row.payer.clear();
    }
    let why = "the payer's and the payee's statement tell one transfer (same reference) with other amounts or times: both are kept, each \
               for its own account";
    Some(Finding { about: vec![paid, got], why: why.into() })
}

/// What an account's statements say of its balance.
struct Balance {
    account: String,
    currency: String,
    /// What came before the first page or between two: when, how much, and the page that says so.
    unexplained: Vec<(u32, i128, Subject)>,
    /// The last page's end and balance.
    last: Option<(u32, i128, Subject)>,
}

fn balances(pages: &[Page], runs: &[Chained]) -> Vec<Balance> {
    let mut all: BTreeMap<(String, String), Balance> = BTreeMap::new();
    for run in runs {
        let pages: Vec<&Page> = run.iter().filter_map(|place| pages.get(*place)).collect();
        let Some(first) = pages.first().map(|page| &page.statement) else { continue };
        let key = (first.account.name.clone(), first.currency.clone());
        let known = all.contains_key(&key);
        let balance = all.entry(key.clone()).or_insert_with(|| Balance {
            account: key.0,
            currency: key.1,
            unexplained: Vec::new(),
            last: None,
        });
        let (mut before, mut entries) = (Some(0), Vec::new());
        for page in pages {
            let said = &page.statement;
            let Some(span) = said.span else { continue };
            if let (Some(before), Some(opening)) = (before, said.opening) {
                entries.push((span.earliest, opening.saturating_sub(before), page.subject()));
            }
            before = said.closing;
            // Of pages of one day the last says it; another run does so where it goes further.
            let further = balance.last.is_none_or(|(last, ..)| last < span.latest || (!known && last == span.latest));
            if let Some(closing) = said.closing.filter(|_| further) {
                balance.last = Some((span.latest, closing, page.subject()));
            }
        }
        // A run that overlaps the first says the same of the same money.
        if !known {
            entries.retain(|(_, amount, _)| *amount != 0);
            balance.unexplained = entries;
        }
    }
    all.into_values().collect()
}

impl Balance {
    fn row(&self, (at, amount, subject): (u32, i128, Subject)) -> Row {
        let (payer, payee) = if amount > 0 { ("", self.account.as_str()) } else { (self.account.as_str(), "") };
        Row {
            payer: payer.into(),
            payee: payee.into(),
            credit: amount > 0,
            other_known: false,
            amount: amount.unsigned_abs(),
            currency: self.currency.clone(),
            span: Span { earliest: at, latest: at },
            reference: String::new(),
            shared: false,
            subject,
            sources: Vec::new(),
            kind: Kind::Unexplained,
            through: Vec::new(),
        }
    }

    /// Compares the account's sum with the balance that its bank says at the end of the last page. What is overdrawn cannot be
    /// closed, for a closing is no negative number: where it differs it is a finding.
    fn close(&self, accounts: &mut Accounts) -> Result<Option<Finding>> {
        let Some((end, told, page)) = self.last else { return Ok(None) };
        let (Some(account), Some(asset)) =
            (accounts.find_account(self.account.as_bytes()), accounts.find_asset(self.currency.as_bytes()))
        else {
            return Ok(None);
        };
        let place = accounts.store().log().lower_bound(|record| record.height <= u64::from(end / DAY))?;
        let Some(record) = place.checked_sub(1).map(|place| accounts.store().record(place)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        if let Ok(told) = u128::try_from(told) {
            accounts.close(account, asset, record.height, &Amount::from(told))?;
            return Ok(None);
        }
        let up_to = accounts.transfers_up_to(record.height)?;
        let held = accounts.holdings(account, up_to).remove(&asset).unwrap_or_default();
        let short = held.spent.0.checked_sub(held.received.0).filter(|_| !held.overflow);
        let why = "the account is overdrawn at its end, and its legs do not come to that: a page or a row is missing";
        let differs = short != Some(told.unsigned_abs());
        Ok(differs.then(|| Finding { about: vec![page], why: why.into() }))
    }
}
