//! A trace that somebody claims, held against the record: are its payments there, does it conserve, which method gives it, and where
//! does it depart.
//!
//! Never: a claim rejected for a reason that is not shown; a payment counted twice because two rows name it.
use super::ground::{Ground, Names};
use super::unknown;
use crate::bank::{TableRow, each_row};
use crate::chain::{Chain, ChainCode, Result, Room};
use crate::columns::{Amount, Mode};
use crate::evm::Profile;
use crate::tags::Tags;
use crate::trace::{Limits, Method, Trace};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Most rows of a claim.
const MAX_ROWS: usize = 200_000;

/// Which columns of a claim's table mean what (TOML); without one they are `tx`, `from`, `to`, `amount`, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimTable {
    /// The transaction.
    pub tx: String,
    /// Who pays.
    pub from: String,
    /// Who is paid.
    pub to: String,
    /// How much of the payment is claimed to be the victim's.
    pub amount: String,
    /// Decimals of the amounts: 6 makes 12.50 into 12500000.
    pub decimals: u8,
    /// What stands between thousands.
    pub thousands: Option<char>,
    /// What stands between cells.
    pub delimiter: char,
}

impl Default for ClaimTable {
    fn default() -> Self {
        let (tx, from, to, amount) = ("tx".into(), "from".into(), "to".into(), "amount".into());
        ClaimTable { tx, from, to, amount, decimals: 0, thousands: None, delimiter: ',' }
    }
}

/// A row of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its row in the file.
    pub row: u32,
    /// The transaction.
    pub tx: String,
    /// Who pays.
    pub from: String,
    /// Who is paid.
    pub to: String,
    /// Base units.
    pub amount: u128,
}

impl ClaimTable {
    /// Reads the words of a mapping.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<ClaimTable, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Reads a claim: CSV, packed or not, or a workbook.
    ///
    /// # Errors
    /// The first row that cannot be read.
    pub fn read(&self, path: &Path) -> std::result::Result<Vec<Claim>, String> {
        let delimiter = u8::try_from(self.delimiter).map_err(|_| "`delimiter` must be one plain character")?;
        let (mut claims, mut places, mut sheet) = (Vec::new(), None::<[usize; 4]>, String::new());
        each_row(path, delimiter, &mut |row: TableRow| {
            let at = |why: &str| format!("row {}: {why}", row.number);
            let find = |heading: &str| {
                row.cells
                    .iter()
                    .position(|cell| cell == heading)
                    .ok_or_else(|| at(&format!("there is no column {heading:?}; the mapping names it")))
            };
            let Some([tx, from, to, amount]) = places else {
                places = Some([find(&self.tx)?, find(&self.from)?, find(&self.to)?, find(&self.amount)?]);
                sheet.clone_from(&row.sheet);
                return Ok(());
            };
            if row.sheet != sheet || row.cells.iter().all(String::is_empty) {
                return Ok(());
            }
            if claims.len() >= MAX_ROWS {
                return Err(at(&format!("more than {MAX_ROWS} rows")));
            }
            let cell = |place: usize| row.cells.get(place).map(String::as_str).filter(|cell| !cell.is_empty());
            let must = |place: usize, what: &str| {
                cell(place).map(str::to_owned).ok_or_else(|| at(&format!("the cell of {what} is empty")))
            };
            let text = must(amount, "the amount")?;
            let bare = self.thousands.map_or(text.clone(), |mark| text.replace(mark, ""));
            let amount = Amount::parse(&bare, u32::from(self.decimals)).and_then(|amount| amount.to_u128());
            let amount = amount
                .ok_or_else(|| at("the amount is no whole number of base units; see the mapping's `decimals`"))?;
            let (tx, from, to) = (must(tx, "the transaction")?, must(from, "who pays")?, must(to, "who is paid")?);
            claims.push(Claim { row: row.number, tx, from, to, amount });
            Ok(())
        })?;
        if claims.is_empty() { Err("the table has no row".into()) } else { Ok(claims) }
    }
}

/// What is said of one row.
#[derive(Debug, Clone, Serialize)]
pub struct ClaimLine {
    /// The row in the file.
    pub row: u32,
    /// The transaction.
    pub tx: String,
    /// What is claimed.
    pub claimed: String,
    /// What is wrong with it.
    pub why: String,
    /// What the record has instead, where that is an amount.
    pub recorded: Option<String>,
}

/// Where a method and the claim part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Departure {
    /// The row in the file; `null` for a payment that the claim lacks.
    pub row: Option<u32>,
    /// The transaction.
    pub tx: String,
    /// Payments from the source, as the method counts.
    pub hop: Option<u32>,
    /// What the claim says.
    pub claimed: String,
    /// What the method gives.
    pub method: String,
}

/// What one method makes of the claim's sources.
#[derive(Debug, Clone, Serialize)]
pub struct MethodLine {
    /// The method.
    pub method: &'static str,
    /// Why there is no answer.
    pub not_computable: Option<String>,
    /// It gives every row of the claim, and no other payment by those whom the claim follows.
    pub gives: bool,
    /// Rows on which both agree.
    pub agrees: usize,
    /// Where they part first.
    pub departs: Option<Departure>,
}

/// A claim, checked.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLine {
    /// Rows.
    pub rows: usize,
    /// The asset, as the first row's payment has it.
    pub asset: String,
    /// Rows that pay money of nobody whom another row pays: where the claim begins.
    pub sources: Vec<u32>,
    /// What the claim begins with.
    pub source: String,
    /// What is left with those who pay nothing on.
    pub held: String,
    /// Whether every account pays on no more than the claim brought it, and all rows stand on record.
    pub conserves: bool,
    /// Rows that are wrong by themselves, or that pay more than came.
    pub wrong: Vec<ClaimLine>,
    /// Methods side by side.
    pub methods: Vec<MethodLine>,
}

/// A row that stands on record.
struct Found<'c> {
    claim: &'c Claim,
    transfer: u64,
    from: u32,
    to: u32,
}

/// Checks a claim against a chain of accounts.
///
/// # Errors
/// A chain of another kind, or one of which nothing is loaded; a claim none of whose rows stands on record.
pub fn check(room: &Room, chain: &ChainCode, claims: &[Claim]) -> Result<CheckLine> {
    let Chain::Accounts(accounts) = room.chain(chain, Mode::Read)? else {
        return Err(unknown("claims are checked on chains of accounts"));
    };
    let names = Names { accounts: &accounts, profile: Profile::of(chain) };
    let (mut found, mut wrong, mut asset) = (Vec::new(), Vec::new(), None);
    let mut taken: BTreeMap<u64, u128> = BTreeMap::new();
    for claim in claims {
        match find(&names, claim, &mut asset, &taken) {
            Ok(row) => {
                *taken.entry(row.transfer).or_default() += claim.amount;
                found.push(row);
            }
            Err((why, recorded)) => wrong.push(line(claim, &why, recorded)),
        }
    }
    found.sort_by_key(|row| (row.transfer, row.claim.row));
    let Some(asset) = asset.filter(|_| !found.is_empty()) else {
        let first = wrong.first().map(|line| format!(": row {}: {}", line.row, line.why)).unwrap_or_default();
        return Err(unknown(format!("no row of the claim stands on record{first}")));
    };
    // Who is paid by the claim before paying is followed; everybody else is where it begins.
    let (mut brought, mut sources) = (BTreeMap::<u32, u128>::new(), Vec::new());
    for row in &found {
        match brought.get_mut(&row.from) {
            None => sources.push(row),
            Some(have) => match have.checked_sub(row.claim.amount) {
                Some(left) => *have = left,
                None => {
                    wrong.push(line(
                        row.claim,
                        "it pays on more than the claim brought there before",
                        Some(have.to_string()),
                    ));
                    *have = 0;
                }
            },
        }
        *brought.entry(row.to).or_default() += row.claim.amount;
    }
    let source: u128 = sources.iter().map(|row| row.claim.amount).sum();
    let payers: BTreeSet<u32> = found.iter().map(|row| row.from).collect();
    let leaves: Vec<String> = found
        .iter()
        .map(|row| row.to)
        .filter(|to| !payers.contains(to))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|to| names.account(to))
        .collect();
    let followed: Vec<String> = payers.iter().map(|account| names.account(*account)).collect();
    let held: u128 = brought.values().sum();
    // Where the claim ends the methods end too; whom it follows they follow.
    let none: (Option<&Tags>, crate::tags::Sees<'_>) = (None, &|_| true);
    let ground = Ground::new(names, (chain, asset), (&leaves, &followed), none)?;
    let begins: Vec<u64> = sources.iter().map(|row| row.transfer).collect();
    let last = found.iter().map(|row| row.transfer).max().unwrap_or(0);
    let limits = Limits { hops: u32::MAX, end: last + 1, ..Limits::default() };
    let whole = sources.iter().all(|row| {
        accounts.transfer(row.transfer).and_then(|one| one.amount.to_u128()) == taken.get(&row.transfer).copied()
    });
    let compared = |method: Method| match ground.trace(&begins, method, limits) {
        Err(why) => MethodLine {
            method: method.name(),
            not_computable: Some(why.to_string()),
            gives: false,
            agrees: 0,
            departs: None,
        },
        Ok(_) if !whole => MethodLine {
            method: method.name(),
            not_computable: Some("not computable: the claim begins with a part of a payment".into()),
            gives: false,
            agrees: 0,
            departs: None,
        },
        Ok(trace) => compare(method, &trace, (&found, &taken), &ground),
    };
    let methods = [Method::Fifo, Method::Lifo, Method::Haircut, Method::Libr].map(compared);
    wrong.sort_by_key(|line| line.row);
    Ok(CheckLine {
        rows: claims.len(),
        asset: ground.names.text(accounts.asset(asset).unwrap_or_default()),
        sources: sources.iter().map(|row| row.claim.row).collect(),
        source: source.to_string(),
        held: held.to_string(),
        conserves: wrong.is_empty(),
        wrong,
        methods: methods.into(),
    })
}

fn line(claim: &Claim, why: &str, recorded: Option<String>) -> ClaimLine {
    ClaimLine { row: claim.row, tx: claim.tx.clone(), claimed: claim.amount.to_string(), why: why.into(), recorded }
}

/// The transfer that a row names. Of several like it the first that has room for the amount.
fn find<'c>(
    names: &Names<'_>,
    claim: &'c Claim,
    asset: &mut Option<u32>,
    taken: &BTreeMap<u64, u128>,
) -> std::result::Result<Found<'c>, (String, Option<String>)> {
    let wrong = |why: &str| (why.to_owned(), None);
    let account = |text: &str, who: &str| {
        let name = names.parse(text).map_err(|why| (format!("{who}: {why}"), None))?;
        names.accounts.find_account(&name).ok_or_else(|| (format!("{who} is not on record"), None))
    };
    let tx = names.find_tx(&claim.tx).ok_or_else(|| wrong("the transaction is not on record"))?;
    let (from, to) = (account(&claim.from, "who pays")?, account(&claim.to, "who is paid")?);
    let is = |number: &u64| {
        names.accounts.transfer(*number).is_some_and(|one| {
            one.edge && (one.from, one.to) == (from, to) && asset.is_none_or(|asset| one.asset == asset)
        })
    };
    let like: Vec<u64> = names.accounts.transfers_of(tx).filter(is).collect();
    if like.is_empty() {
        return Err(wrong("the transaction has no such payment of that asset"));
    }
    let room = |number: &u64| {
        let amount = names.accounts.transfer(*number).and_then(|one| one.amount.to_u128()).unwrap_or(0);
        (amount, amount.saturating_sub(taken.get(number).copied().unwrap_or(0)))
    };
    let Some(transfer) = like.iter().copied().find(|number| room(number).1 >= claim.amount) else {
        let most: u128 = like.iter().map(|number| room(number).0).max().unwrap_or(0);
        let twice = like.iter().any(|number| taken.contains_key(number));
        let why = if twice {
            "rows claim more of the payment than it paid: it is counted twice"
        } else {
            "the payment is smaller"
        };
        return Err((why.into(), Some(most.to_string())));
    };
    *asset = asset.or(names.accounts.transfer(transfer).map(|one| one.asset));
    Ok(Found { claim, transfer, from, to })
}

fn compare(
    method: Method,
    trace: &Trace,
    (found, taken): (&[Found<'_>], &BTreeMap<u64, u128>),
    ground: &Ground<'_>,
) -> MethodLine {
    let given: BTreeMap<u64, (u128, u32)> =
        trace.payments.iter().map(|carried| (carried.transfer, (carried.traced.hi, carried.hop))).collect();
    let rows: BTreeMap<u64, u32> = found.iter().rev().map(|row| (row.transfer, row.claim.row)).collect();
    let all: BTreeSet<u64> = given.keys().chain(taken.keys()).copied().collect();
    let (mut agrees, mut departs) = (0, None);
    for transfer in all {
        let claimed = taken.get(&transfer).copied().unwrap_or(0);
        let (gives, hop) = given.get(&transfer).map_or((0, None), |(amount, hop)| (*amount, Some(*hop)));
        if claimed == gives {
            agrees += 1;
        } else if departs.is_none() {
            let tx = ground.names.accounts.tx_of(transfer).map(|tx| ground.names.tx_id(tx)).unwrap_or_default();
            let row = rows.get(&transfer).copied();
            departs = Some(Departure { row, tx, hop, claimed: claimed.to_string(), method: gives.to_string() });
        }
    }
    MethodLine { method: method.name(), not_computable: None, gives: departs.is_none(), agrees, departs }
}
