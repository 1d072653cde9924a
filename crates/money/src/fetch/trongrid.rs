//! Answers of an API like TronGrid's (developers.tron.network, "TronGrid v1 API"): lists by account, page after page by fingerprint.
//! Transfers of TRC-20 come without their block's height; a transaction's info tells it.
use super::asker::Read;
use super::told::{Gathered, Told, transfer_log};
use crate::columns::Amount;
use crate::evm::{Address, CallSort, Hash, Profile, RawCall, RawTx, fixed, party, read_bytes, read_listed};
use crate::node::without_text;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Rows of a page: no more are told.
pub const ROWS: usize = 200;
/// A longer fingerprint is none.
const LONGEST: usize = 2_048;

/// A list of an account's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub account: Address,
    /// Transfers of TRC-20 (of one token, or all), in place of transactions.
    pub tokens: Option<Option<Address>>,
    /// The first time, milliseconds.
    pub since: u64,
}

impl Wanted {
    /// Where the first page stands.
    pub fn path(&self, profile: &Profile) -> String {
        let (list, token) = match self.tokens {
            None => ("transactions", String::new()),
            Some(None) => ("transactions/trc20", String::new()),
            Some(Some(token)) => ("transactions/trc20", format!("&contract_address={}", profile.text(&token))),
        };
        let (account, since) = (profile.text(&self.account), self.since);
        format!(
            "v1/accounts/{account}/{list}?only_confirmed=true&limit={ROWS}&order_by=block_timestamp,asc&min_timestamp={since}{token}"
        )
    }

    /// What a first page's path asks; `None` for later pages.
    pub fn of(path: &str, profile: &Profile) -> Option<Wanted> {
        let (list, query) = path.strip_prefix("v1/accounts/")?.split_once('?')?;
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (account, list) = list.split_once('/')?;
        let address = |text: &str| profile.parse(text).ok()?.try_into().ok();
        let token = value("contract_address").map(|token| address(token).ok_or(())).transpose().ok()?;
        if value("fingerprint").is_some() {
            return None;
        }
        Some(Wanted {
            account: address(account)?,
            tokens: match list {
                "transactions" => None,
                "transactions/trc20" => Some(token),
                _ => return None,
            },
            since: value("min_timestamp")?.parse().ok()?,
        })
    }

    /// Where the page behind a fingerprint stands.
    pub fn next(&self, fingerprint: &str, profile: &Profile) -> String {
        format!("{}&fingerprint={fingerprint}", self.path(profile))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    success: bool,
    #[serde(default)]
    meta: Meta,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    fingerprint: Option<String>,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What it tells, a part of a transaction a row.
    pub rows: Vec<Told>,
    /// Contracts that pass themselves off as others.
    pub fakes: Vec<Address>,
    /// What the next page is asked by.
    pub next: Option<String>,
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("cannot be read ({})", without_text(&error)))
}

fn rows(text: &str) -> Result<(Vec<&RawValue>, Option<String>), String> {
    let envelope: Envelope<'_> = read(text)?;
    if !envelope.success {
        let said = envelope.error.unwrap_or_default();
        return Err(format!("it refuses: {}", said.chars().take(200).collect::<String>()));
    }
    let rows = envelope.data.unwrap_or_default();
    if rows.len() > ROWS {
        return Err("tells more rows than a page has".into());
    }
    // It goes into the next question as it is.
    let plain = |text: &String| {
        (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=.~%".contains(&byte))
    };
    let next = envelope.meta.fingerprint.filter(|text| !text.is_empty());
    match next {
        Some(next) if !plain(&next) => Err("tells a fingerprint that cannot be asked by".into()),
        next => Ok((rows, next)),
    }
}

/// Reads a page: rows of the account that was asked about alone, from the first time on, in order.
///
/// # Errors
/// What cannot be read; rows of another account, token or time; more rows than a page has.
pub fn read_page(text: &str, wanted: &Wanted, profile: &Profile) -> Result<Read<Page>, String> {
    let (rows, next) = rows(text)?;
    let (mut page, mut last) = (Page { next, ..Page::default() }, wanted.since);
    for (place, row) in rows.into_iter().enumerate() {
        let wrong = |why: String| format!("row {place}: {why}");
        let told = match wanted.tokens {
            Some(token) => token_row(row.get(), &wanted.account, token, profile, &mut page.fakes),
            None => row_of(row.get(), &wanted.account),
        };
        let Some((told, time)) = told.map_err(wrong)? else { continue };
        if time < last {
            return Err(wrong("its time is not in the order that was asked for".into()));
        }
        last = time;
        page.rows.push(told);
    }
    Ok(Read::Now(page))
}

#[derive(Deserialize)]
struct TokenRow {
    transaction_id: String,
    token_info: Token,
    block_timestamp: u64,
    from: String,
    to: String,
    #[serde(rename = "type")]
    sort: String,
    value: String,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    symbol: String,
    address: String,
}

fn seconds(milliseconds: u64) -> Result<u32, String> {
    u32::try_from(milliseconds / 1000).map_err(|_| "its time cannot be read".to_owned())
}

/// A transfer of a token; `None` for what is none (approvals, things).
fn token_row(
    text: &str,
    account: &Address,
    wanted: Option<Address>,
    profile: &Profile,
    fakes: &mut Vec<Address>,
) -> Result<Option<(Told, u64)>, String> {
    let row: TokenRow = read(text)?;
    if row.sort != "Transfer" {
        return Ok(None);
    }
    let parties = [&row.from, &row.to, &row.token_info.address].map(|text| party(text));
    let [Some(from), Some(to), Some(token)] = parties else { return Err("an address cannot be read".into()) };
    if from != *account && to != *account {
        return Err("it is another account's".into());
    }
    if wanted.is_some_and(|wanted| wanted != token) {
        return Err("it is of another token".into());
    }
    let amount = Amount::parse(&row.value, 0).ok_or("its amount cannot be read")?;
    let id: Hash = fixed(&row.transaction_id).ok_or("its hash cannot be read")?;
    if profile.is_fake(&token, &row.token_info.symbol) {
        fakes.push(token);
    }
    let tx = RawTx { id, logs: vec![transfer_log(token, &from, &to, &amount)], ..RawTx::default() };
    Ok(Some((Told { time: seconds(row.block_timestamp)?, tx, ..Told::default() }, row.block_timestamp)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(rename = "block_timestamp")]
    time: u64,
    block_number: Option<u64>,
    #[serde(rename = "internal_tx_id")]
    inner: Option<String>,
    #[serde(rename = "tx_id")]
    id: Option<String>,
    #[serde(rename = "from_address")]
    from: Option<String>,
    #[serde(rename = "to_address")]
    to: Option<String>,
    data: Option<InnerData>,
}

#[derive(Deserialize)]
struct InnerData {
    #[serde(default)]
    note: String,
    #[serde(default)]
    rejected: bool,
    /// Of the coin under `_`, of TRC-10 tokens under their numbers.
    #[serde(default)]
    call_value: HashMap<String, u64>,
}

/// A transaction, or an inner call, which stands in the same list.
fn row_of(text: &str, account: &Address) -> Result<Option<(Told, u64)>, String> {
    let row: Listed = read(text)?;
    let time = seconds(row.time)?;
    let Some(inner) = &row.inner else {
        let tx = read_listed(text)?;
        let body = tx.body.as_ref();
        let moves = body.and_then(|body| body.moves.as_ref());
        let parties = moves.into_iter().flatten().flat_map(|one| [one.from, one.to]).flatten();
        let named = parties.chain(body.and_then(|body| body.to)).any(|party| party == *account);
        if !named && body.is_none_or(|body| body.from != *account) {
            return Err("it is another account's".into());
        }
        return Ok(Some((Told { height: row.block_number, time, tx, ..Told::default() }, row.time)));
    };
    let place: Hash = fixed(inner).ok_or("an inner call's hash cannot be read")?;
    let id: Hash = row.id.as_deref().and_then(fixed).ok_or("its hash cannot be read")?;
    let from = row.from.as_deref().and_then(party).ok_or("an address cannot be read")?;
    let to = row.to.as_deref().filter(|to| !to.is_empty()).map(|to| party(to).ok_or("an address cannot be read"));
    let to = to.transpose()?;
    if from != *account && to != Some(*account) {
        return Err("it is another account's".into());
    }
    let data = row.data.ok_or("an inner call tells nothing")?;
    let note = read_bytes(&data.note, true).unwrap_or_default();
    let sort = match note.as_slice() {
        b"create" => CallSort::Create,
        b"suicide" => CallSort::Destruct,
        b"call" | b"" => CallSort::Call,
        _ => CallSort::Static,
    };
    let mut told = Told { height: row.block_number, time, tx: RawTx { id, ..RawTx::default() }, ..Told::default() };
    let values = data.call_value.into_iter().collect::<std::collections::BTreeMap<_, _>>();
    for (n, (token, value)) in (0u32..).zip(values) {
        let token = if token == "_" { Vec::new() } else { token.into_bytes() };
        let (value, ok) = (Amount::from(u128::from(value)), !data.rejected);
        let call = RawCall { order: 0, root: false, from, to, value, token, sort, ok, cut: false, input: Vec::new() };
        let path = place.iter().map(|byte| u32::from(*byte)).chain([n]).collect();
        told.calls.insert(path, call);
    }
    Ok(Some((told, row.time)))
}

#[derive(Deserialize)]
struct Holding {
    address: String,
    #[serde(default)]
    balance: u64,
    #[serde(default)]
    trc20: Vec<HashMap<String, String>>,
}

/// The coin, and tokens by their contracts.
pub type Holdings = (Amount, HashMap<Address, Amount>);

/// Reads what an account has: the coin, and each token of TRC-20 by its contract. An account that nobody used yet has nothing.
///
/// # Errors
/// What cannot be read; another account.
pub fn read_holdings(text: &str, account: &Address) -> Result<Read<Holdings>, String> {
    let (rows, _) = rows(text)?;
    let Some(row) = rows.first() else { return Ok(Read::Now(Default::default())) };
    let holding: Holding = read(row.get())?;
    if party(&holding.address) != Some(*account) {
        return Err("it is another account's".into());
    }
    let token = |(token, amount): (&String, &String)| Some((party(token)?, Amount::parse(amount, 0)?));
    let tokens: Option<HashMap<_, _>> = holding.trc20.iter().flatten().map(token).collect();
    Ok(Read::Now((Amount::from(u128::from(holding.balance)), tokens.ok_or("a token's balance cannot be read")?)))
}

/// Puts the stored pages of one list together from its first page on, as their fingerprints say.
pub fn restore<'p>(wanted: &Wanted, profile: &Profile, page: &dyn Fn(&str) -> Option<&'p str>) -> Gathered {
    let (mut list, mut path) = (Gathered::default(), Some(wanted.path(profile)));
    let mut seen = std::collections::HashSet::new();
    while let Some(at) = path.take().filter(|at| seen.insert(at.clone())) {
        let Some(Ok(Read::Now(page))) = page(&at).map(|text| read_page(text, wanted, profile)) else { break };
        path = page.next.as_deref().map(|next| wanted.next(next, profile));
        take(&mut list, page);
    }
    list
}

/// Takes in a page.
pub fn take(list: &mut Gathered, page: Page) {
    list.fakes.extend(page.fakes);
    page.rows.into_iter().for_each(|told| list.add(told));
}
