//! Answers of an API like Etherscan's (docs.etherscan.io, V2: modules `account` and `proxy`): lists of rows in envelopes that say with 200
//! that there is nothing, or that they are asked too often. Pages go by ranges of blocks, so that a full page loses nothing.
use super::asker::Read;
use super::told::{Gathered, Told, transfer_log};
use crate::columns::Amount;
use crate::evm::{Address, CallSort, Hash, Profile, RawCall, RawTx, TxBody, fixed, party, read_bytes};
use crate::node::without_text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Rows of a page; servers of the free tier tell 1,000 to 10,000 at most.
pub const ROWS: usize = 1_000;
/// Pages by number end here: "Result window is too large".
const WINDOW: usize = 10_000;
/// A height above all others.
const LAST: u64 = 999_999_999;

/// A list of an account's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `txlist`: transactions that it signed or was called by.
    Signed,
    /// `txlistinternal`: coins that contracts moved.
    Inner,
    /// `tokentx`: transfers of tokens.
    Tokens,
}

impl List {
    fn action(self) -> &'static str {
        match self {
            List::Signed => "txlist",
            List::Inner => "txlistinternal",
            List::Tokens => "tokentx",
        }
    }
}

/// What is asked of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which list.
    pub list: List,
    /// Whose.
    pub account: Address,
    /// Of one token alone.
    pub token: Option<Address>,
    /// The first height.
    pub since: u64,
    /// A page of one block by number, where that block fills more than a page.
    pub page: Option<usize>,
    /// Rows of a page.
    pub rows: usize,
}

impl Wanted {
    /// Where the page stands.
    pub fn path(&self, chain: u64) -> String {
        let hexed = hex::encode;
        let token = self.token.map(|token| format!("&contractaddress=0x{}", hexed(token))).unwrap_or_default();
        let (last, page) = self.page.map_or((LAST, 1), |page| (self.since, page));
        let (action, account, since, rows) = (self.list.action(), hexed(self.account), self.since, self.rows);
        format!(
            "?chainid={chain}&module=account&action={action}&address=0x{account}{token}&startblock={since}&endblock={last}&page={page}\
             &offset={rows}&sort=asc"
        )
    }

    /// What a path that [`Wanted::path`] made asks.
    pub fn of(path: &str) -> Option<Wanted> {
        let value = |name: &str| path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| value(name)?.parse::<u64>().ok();
        let list = [List::Signed, List::Inner, List::Tokens];
        let action = value("action")?;
        let page = usize::try_from(number("page")?).ok()?;
        Some(Wanted {
            list: list.into_iter().find(|list| list.action() == action)?,
            account: party(value("address")?)?,
            token: value("contractaddress").map(|token| party(token).ok_or(())).transpose().ok()?,
            since: number("startblock")?,
            page: (number("endblock")? != LAST).then_some(page),
            rows: usize::try_from(number("offset")?).ok()?,
        })
    }

    /// How many of a page's rows, which are of these heights in order, are sure to be whole, and the page that goes on from there;
    /// an error when a block has more rows than are told of one.
    pub fn step(&self, heights: &[u64]) -> Result<(usize, Option<Wanted>), &'static str> {
        let full = heights.len() >= self.rows;
        let (first, last) = (heights.first().copied(), heights.last().copied());
        let at = |since: u64, page: Option<usize>| Wanted { since, page, ..self.clone() };
        Ok(match (self.page, last) {
            (Some(page), _) if full && (page + 1) * self.rows > WINDOW => {
                return Err("one block has more rows of this account than are told");
            }
            (Some(page), _) if full => (heights.len(), Some(at(self.since, Some(page + 1)))),
            (Some(_), _) => (heights.len(), Some(at(self.since + 1, None))),
            (None, Some(last)) if full && first == Some(last) => (0, Some(at(last, Some(1)))),
            // The last block may go on behind the page's end.
            (None, Some(last)) if full => {
                (heights.iter().take_while(|height| **height < last).count(), Some(at(last, None)))
            }
            _ => (heights.len(), None),
        })
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    status: String,
    #[serde(default)]
    message: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// What an envelope holds; `Busy` when it is asked too often.
fn opened<T>(text: &str, read: impl FnOnce(&RawValue) -> Result<T, String>) -> Result<Read<T>, String> {
    let unread = |error: serde_json::Error| format!("cannot be read ({})", without_text(&error));
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(unread)?;
    let empty = envelope.result.get().bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"[]");
    if envelope.status == "1" || (envelope.status == "0" && empty) {
        return read(envelope.result).map(Read::Now);
    }
    refused::<T>(&format!("{}: {}", envelope.message, envelope.result.get()))
}

fn refused<T>(said: &str) -> Result<Read<T>, String> {
    let small = said.to_ascii_lowercase();
    // A day's limit does not pass while anybody waits.
    if small.contains("rate limit") && !small.contains("daily") {
        return Ok(Read::Busy);
    }
    Err(format!("it refuses: {}", said.chars().take(200).collect::<String>()))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    block_number: String,
    block_hash: String,
    time_stamp: String,
    hash: String,
    transaction_index: String,
    from: String,
    to: String,
    value: String,
    contract_address: String,
    is_error: String,
    #[serde(rename = "txreceipt_status")]
    status: String,
    gas_used: String,
    gas_price: String,
    input: String,
    token_symbol: String,
    #[serde(rename = "type")]
    sort: String,
    trace_id: String,
}

/// Rows of a page in order: the height, what is told, a contract that passes itself off as another.
pub type Rows = Vec<(u64, Told, Option<Address>)>;

/// Reads a page: rows of the account that was asked about alone, from the first height on, in order.
///
/// # Errors
/// What cannot be read; rows of another account, token or height; more rows than a page has.
pub fn read_page(text: &str, wanted: &Wanted, profile: &Profile) -> Result<Read<Rows>, String> {
    opened(text, |raw| {
        let unread = |error: serde_json::Error| format!("cannot be read ({})", without_text(&error));
        let rows: Vec<Row> = serde_json::from_str(raw.get()).map_err(unread)?;
        if rows.len() > wanted.rows {
            return Err("tells more rows than a page has".into());
        }
        let mut last = wanted.since;
        let mut read = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let wrong = |why: &str| format!("row {place}: {why}");
            let told = row.told(wanted).map_err(wrong)?;
            let height = told.height.unwrap_or(0);
            if height < last || wanted.page.is_some_and(|_| height != wanted.since) {
                return Err(wrong("its block is not in the order that was asked for"));
            }
            last = height;
            let token = party(&row.contract_address).filter(|_| wanted.list == List::Tokens);
            let fake = token.filter(|token| profile.is_fake(token, &row.token_symbol));
            read.push((height, told, fake));
        }
        Ok(read)
    })
}

impl Row {
    fn told(&self, wanted: &Wanted) -> Result<Told, &'static str> {
        let digits = |text: &str| text.parse::<u64>().ok();
        let address = |text: &str| if text.is_empty() { Some(None) } else { party(text).map(Some) };
        let from = party(&self.from).ok_or("its payer cannot be read")?;
        let (to, made) = (address(&self.to), address(&self.contract_address));
        let (to, made) = to.zip(made).ok_or("an address cannot be read")?;
        let amount = Amount::parse(&self.value, 0).ok_or("its amount cannot be read")?;
        let paid = to.or(made.filter(|_| wanted.list != List::Tokens));
        if from != wanted.account && paid != Some(wanted.account) {
            return Err("it is another account's");
        }
        let id: Hash = fixed(&self.hash).ok_or("its hash cannot be read")?;
        let mut told = Told {
            height: Some(digits(&self.block_number).ok_or("its height cannot be read")?),
            hash: if self.block_hash.is_empty() {
                None
            } else {
                Some(fixed(&self.block_hash).ok_or("a hash cannot be read")?)
            },
            time: self.time_stamp.parse().map_err(|_| "its time cannot be read")?,
            tx: RawTx { id, place: self.transaction_index.parse().ok(), ..RawTx::default() },
            ..Told::default()
        };
        match wanted.list {
            List::Signed => {
                let price = Amount::parse(&self.gas_price, 0);
                told.tx.body = Some(TxBody {
                    from,
                    to: paid,
                    value: amount,
                    ok: Some(self.is_error != "1" && self.status != "0"),
                    gas_used: Some(digits(&self.gas_used).ok_or("its gas cannot be read")?),
                    gas_price: Some(price.ok_or("its gas price cannot be read")?),
                    selector: self.input.get(..10).and_then(|first| read_bytes(first, true)?.try_into().ok()),
                    ..TxBody::default()
                });
            }
            List::Inner => {
                let call = self.call(from, paid, amount);
                told.calls.insert(path_of(&self.trace_id), call);
            }
            List::Tokens => {
                let token = made.ok_or("its contract is missing")?;
                if wanted.token.is_some_and(|wanted| wanted != token) {
                    return Err("it is of another token");
                }
                // The zero address stands for nobody.
                told.tx.logs.push(transfer_log(token, &from, &to.unwrap_or_default(), &amount));
            }
        }
        Ok(told)
    }

    fn call(&self, from: Address, to: Option<Address>, value: Amount) -> RawCall {
        let sort = match self.sort.as_str() {
            "create" | "create2" => CallSort::Create,
            "suicide" | "selfdestruct" => CallSort::Destruct,
            "delegatecall" | "callcode" => CallSort::Delegate,
            "staticcall" => CallSort::Static,
            _ => CallSort::Call,
        };
        let ok = self.is_error != "1";
        RawCall { order: 0, root: false, from, to, value, token: Vec::new(), sort, ok, cut: false, input: Vec::new() }
    }
}

/// The place of a call: `0_1_1`. One that is not told so is some other place.
fn path_of(text: &str) -> Vec<u32> {
    let path: Option<Vec<u32>> = text.split('_').map(|part| part.parse().ok()).collect();
    path.unwrap_or_else(|| text.bytes().map(u32::from).collect())
}

/// Reads the inner calls of one transaction, in their order.
///
/// # Errors
/// What cannot be read.
pub fn read_inner(text: &str) -> Result<Read<Vec<RawCall>>, String> {
    opened(text, |raw| {
        let unread = |error: serde_json::Error| format!("cannot be read ({})", without_text(&error));
        let rows: Vec<Row> = serde_json::from_str(raw.get()).map_err(unread)?;
        let call = |row: &Row| {
            let to = party(&row.to).or_else(|| party(&row.contract_address));
            Some(row.call(party(&row.from)?, to, Amount::parse(&row.value, 0)?))
        };
        rows.iter().map(call).collect::<Option<Vec<_>>>().ok_or_else(|| "an inner call cannot be read".into())
    })
}

/// Reads a balance.
///
/// # Errors
/// What cannot be read.
pub fn read_balance(text: &str) -> Result<Read<Amount>, String> {
    opened(text, |raw| {
        let text: String = serde_json::from_str(raw.get()).map_err(|_| "is no amount")?;
        Amount::parse(&text, 0).ok_or_else(|| "is no amount".into())
    })
}

#[derive(Deserialize)]
struct Proxied<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<serde::de::IgnoredAny>,
    status: Option<String>,
}

/// Reads what the module `proxy` passes on from a node; `None` where that has nothing.
///
/// # Errors
/// What cannot be read, and refusals, which come in the envelope of the other modules.
pub fn read_proxied<T>(
    text: &str,
    read: impl FnOnce(&RawValue) -> Result<T, String>,
) -> Result<Read<Option<T>>, String> {
    let unread = |error: serde_json::Error| format!("cannot be read ({})", without_text(&error));
    let proxied: Proxied<'_> = serde_json::from_str(text).map_err(unread)?;
    if proxied.status.as_deref() == Some("0") {
        return refused(proxied.result.map_or("", RawValue::get));
    }
    match proxied.result {
        _ if proxied.error.is_some() => Err("the node behind it answers with an error".into()),
        None => Ok(Read::Now(None)),
        Some(raw) if raw.get() == "null" => Ok(Read::Now(None)),
        Some(raw) => read(raw).map(|found| Read::Now(Some(found))),
    }
}

/// Puts the stored pages of one list together from its first page on: the same steps that asked for them.
pub fn restore<'p>(
    first: Wanted,
    (chain, profile): (u64, &Profile),
    page: &dyn Fn(&str) -> Option<&'p str>,
) -> Gathered {
    let (mut list, mut next) = (Gathered::default(), Some(first));
    while let Some(wanted) = next.take() {
        let Some(Ok(Read::Now(rows))) = page(&wanted.path(chain)).map(|text| read_page(text, &wanted, profile)) else {
            break;
        };
        next = take(&mut list, &wanted, rows).ok().flatten();
    }
    list
}

/// Takes in a page, and says which one comes next.
///
/// # Errors
/// See [`Wanted::step`].
pub fn take(list: &mut Gathered, wanted: &Wanted, rows: Rows) -> Result<Option<Wanted>, &'static str> {
    let heights: Vec<u64> = rows.iter().map(|(height, ..)| *height).collect();
    let (whole, next) = wanted.step(&heights)?;
    for (_, told, fake) in rows.into_iter().take(whole) {
        list.fakes.extend(fake);
        list.add(told);
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An endpoint that has rows at these heights.
    fn page_of(all: &[u64], wanted: &Wanted) -> Vec<(usize, u64)> {
        let (last, page) = wanted.page.map_or((u64::MAX, 1), |page| (wanted.since, page));
        let rows = all.iter().copied().enumerate().filter(|(_, height)| (wanted.since..=last).contains(height));
        rows.skip((page - 1) * wanted.rows).take(wanted.rows).collect()
    }

    proptest::proptest! {
        #[test]
        fn paging_loses_and_doubles_no_row(mut all in proptest::collection::vec(0u64..12, 0..60), rows in 1usize..9) {
            all.sort_unstable();
            let first = Wanted { list: List::Tokens, account: [1; 20], token: None, since: 0, page: None, rows };
            let (mut seen, mut next, mut calls) = (Vec::new(), Some(first), 0);
            while let Some(wanted) = next.take() {
                proptest::prop_assert_eq!(Wanted::of(&wanted.path(1)), Some(wanted.clone()));
                let page = page_of(&all, &wanted);
                let heights: Vec<u64> = page.iter().map(|(_, height)| *height).collect();
                let (whole, after) = wanted.step(&heights).unwrap();
                seen.extend(page.into_iter().take(whole).map(|(n, _)| n));
                next = after;
                calls += 1;
                proptest::prop_assert!(calls < 1_000, "it comes to an end");
            }
            proptest::prop_assert_eq!(seen, (0..all.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_found_too_often_and_refused_are_told_apart() {
        let nothing = r#"{"status":"0","message":"No transactions found","result":[]}"#;
        let often = r#"{"status":"0","message":"NOTOK","result":"Max calls per sec rate limit reached (5/sec)"}"#;
        let daily = r#"{"status":"0","message":"NOTOK","result":"Max daily rate limit reached. 110000 (100%) of 100000 day/limit"}"#;
        let wrong = r#"{"status":"0","message":"NOTOK","result":"Invalid API Key (#err2)"}"#;
        let read = |text| opened(text, |raw| Ok(raw.get().to_owned()));
        assert!(matches!(read(nothing), Ok(Read::Now(_))) && matches!(read(often), Ok(Read::Busy)));
        assert!(read(daily).is_err_and(|why| why.contains("daily")));
        assert!(read(wrong).is_err_and(|why| why.contains("Invalid API Key")));
        let proxied = r#"{"status":"0","message":"NOTOK","result":"Max rate limit reached"}"#;
        assert!(matches!(read_proxied(proxied, |_| Ok(())), Ok(Read::Busy)));
        assert!(matches!(read_proxied(r#"{"jsonrpc":"2.0","id":1,"result":null}"#, |_| Ok(())), Ok(Read::Now(None))));
    }
}
