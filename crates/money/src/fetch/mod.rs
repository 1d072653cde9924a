//! Without a chain of one's own: only the history of what was asked about, from an endpoint that tells single transactions and addresses.
//!
//! Answers are kept as they came (`pages`), so nothing fetched is lost and nothing is asked for twice; [`asker`] keeps to the budget.
//! Of coins, [`esplora`] reads and verifies them, [`utxo`] walks from a transaction to the frontier. Of accounts, [`etherscan`] and
//! [`trongrid`] read them, [`told`] puts together what they tell of one transaction, [`onward`] walks. What is known in the end becomes
//! a chain in the same columns as a load's (`snapshot`, `account_snapshot`), in a folder of its own: `docs/fetched.md`.
mod account_snapshot;
mod asker;
mod esplora;
mod etherscan;
mod evm_teller;
mod onward;
mod pages;
mod snapshot;
mod told;
mod tron_teller;
mod trongrid;
mod utxo;

use crate::chain::{ChainCode, Error, Network, Result, Room, address_key};
use crate::columns::{Amount, take_lock};
use crate::evm::{Address, Hash, Profile, Writing};
use crate::node::{Endpoint, Node};
use asker::{Asked, Asker, Halt};
pub use esplora::{InBlock, Outspend, Stats, UtxoTx, prove, read_outspends, read_page, read_stats, read_tx};
use onward::Onward;
use pages::Pages;
use serde::Serialize;
pub(crate) use snapshot::current;
use snapshot::{known, rewrite};
use std::ops::ControlFlow;
use told::Teller;
use utxo::Walk;

/// Pages that may have changed are asked for again after an hour.
pub const KEPT_FOR: u64 = 3_600;

/// A walk goes in rounds: first where at least a tenth of what the first transactions paid goes, then a hundredth, then a thousandth. So
/// a budget that ends too soon was spent on the largest branches. Each round begins anew: what is stored is not asked for again.
const ROUNDS: [u128; 3] = [10, 100, DUST];
/// What is less than this part of what the first transactions paid is listed and not followed.
const DUST: u128 = 1_000;

/// Whether an amount is less than such a part of what was paid.
fn less_than_part(amount: &Amount, part: u128, paid: &Amount) -> bool {
    amount.times(&Amount::from(part)).is_some_and(|scaled| scaled < *paid)
}

/// What is fetched.
pub struct Job<'a> {
    /// The endpoint, with its budget and how often it may be asked.
    pub endpoint: Endpoint,
    /// Transactions that are followed forward.
    pub txs: Vec<String>,
    /// Addresses whose history is fetched.
    pub addresses: Vec<String>,
    /// So many transactions behind the first are looked at.
    pub hops: u32,
    /// Spends after this time (Unix seconds) are not followed.
    pub until: Option<u32>,
    /// An address with more transactions is a hub: it is not paged.
    pub hub: u64,
    /// Whether each transaction's place in its block is proven.
    pub prove: bool,
    /// Whether what may have changed is asked for again even if it is younger than [`KEPT_FOR`].
    pub anew: bool,
    /// The time, Unix seconds.
    pub now: u64,
    /// Who is said to hold an address, when that is a service.
    pub service: &'a dyn Fn(&str) -> Option<String>,
}

/// Why the money is followed no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody has spent it.
    #[default]
    Unspent,
    /// The account still has it, or may.
    Holds,
    /// It went to nobody.
    Burnt,
    /// Less than a thousandth of what the first transaction paid.
    Dust,
    /// A tag says that a service holds it.
    Service,
    /// It went back to an address that paid.
    Payer,
    /// A transaction or address of very many.
    Hub,
    /// As many hops as were asked for.
    Hops,
    /// It moved after the time that was asked for.
    After,
    /// A transaction moves it that is in no block yet.
    Unconfirmed,
    /// The budget of calls was used up.
    Budget,
    /// Asking was stopped, or failed.
    Stopped,
    /// The endpoint told fewer transactions than it counts.
    Short,
}

/// An end of the frontier.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct End {
    /// The transaction.
    pub tx: String,
    /// Which of its outputs; `null` when the transaction itself was not looked at.
    pub vout: Option<u64>,
    /// Whose it is; `null` where no address says so.
    pub address: Option<String>,
    /// The asset.
    pub asset: String,
    /// What stands there, in base units.
    pub amount: String,
    /// No more of that can come from where the walk began.
    pub at_most: String,
    /// How many transactions behind the first.
    pub hop: u32,
    /// The block's height, and its time.
    pub height: Option<u64>,
    /// Unix seconds.
    pub time: Option<u32>,
    /// Why it ends here.
    pub why: Why,
    /// The service's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The transaction that moved it on and was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_by: Option<String>,
}

/// The history of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// The address.
    pub address: String,
    /// The asset: the chain's coin, or a token's contract.
    pub asset: String,
    /// How many transactions the endpoint counts; of an account, how many of this asset it tells.
    pub transactions: u64,
    /// How many were fetched.
    pub fetched: u64,
    /// The balance now, as the endpoint says; `null` when it was not asked.
    pub now: Option<String>,
    /// Received by what was fetched.
    pub received: String,
    /// Spent by what was fetched.
    pub spent: String,
    /// What was there before: balance now less net since, one lot of which nothing else is known. `null` where it is unknown.
    pub opening: Option<String>,
    /// Whether all of it is there and adds up; else the balance is unproven.
    pub closed: bool,
    /// Why it was cut.
    pub cut: Option<Why>,
}

impl History {
    fn unasked(address: &str) -> History {
        History { address: address.to_owned(), cut: Some(Why::Budget), ..History::default() }
    }
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Frontier {
    /// Where the money is followed no further.
    pub ends: Vec<End>,
    /// The addresses that were asked about.
    pub histories: Vec<History>,
    /// Blocks that the chain no longer has: their rows are gone.
    pub unwound: u64,
    /// Transactions whose place in their block is proven.
    pub proven: u64,
}

/// What `eye money fetch` prints.
#[derive(Debug, Serialize)]
pub struct FetchLine {
    /// The chain's code.
    pub chain: String,
    /// Host and port.
    pub endpoint: String,
    /// Questions asked.
    pub calls: u64,
    /// Questions that stored pages answered.
    pub stored: u64,
    /// The endpoint's last block.
    pub tip: Option<u64>,
    /// Transactions on record now.
    pub transactions: u64,
    /// Whether the whole frontier is there: no end for want of budget, and no stop.
    pub whole: bool,
    /// Whether it was stopped.
    pub stopped: bool,
    /// The frontier.
    #[serde(flatten)]
    pub found: Frontier,
}

/// What an endpoint will learn from a job, in words, for whoever has to decide.
pub fn warning(job: &Job<'_>) -> String {
    let host = Node::new(&job.endpoint).map_or_else(|_| "the endpoint".into(), |node| node.name().to_owned());
    format!(
        "{host} will learn, from this machine's IP address, that you look at {} transactions and {} addresses, and at every transaction \
         that their money went through",
        job.txs.len(),
        job.addresses.len()
    )
}

/// Fetches: see [`Job`]. `progress` hears the calls so far before each, and stops with a `Break`.
///
/// # Errors
/// What names nothing on this chain; an endpoint that is wrong, lies or is out of reach. What came before is kept.
pub fn fetch(
    room: &Room,
    chain: &ChainCode,
    job: &Job<'_>,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<FetchLine> {
    let Some(network) = chain.network() else { return fetch_accounts(room, chain, job, progress) };
    let ids = ids(job)?;
    let keys: Option<Vec<_>> =
        job.addresses.iter().map(|text| Some((text.as_str(), address_key(text, network)?))).collect();
    let keys = keys.ok_or_else(|| Error::Unknown(format!("an address is none of {}", chain.as_str())))?;
    let node = Node::new(&job.endpoint)?;
    let (dir, endpoint) = (room.fetched(chain), node.name().to_owned());
    let _lock = take_lock(&dir)?;
    let mut pages = Pages::open(&dir)?;
    let before = known(&pages, network.family());
    let mut asker = Asker::new(node, &mut pages, (job.now, since(job)), progress);
    let (done, found, tip) = match Walk::begin(&mut asker, (network, job), before) {
        Ok(mut walk) => {
            let mut done = walk.follow(&ids);
            for (text, key) in keys {
                done = done.and_then(|()| walk.history(text, &key));
            }
            let (_, found, tip) = walk.known();
            (done, found, Some(tip))
        }
        Err(halt) => (Err(halt), Frontier::default(), None),
    };
    let calls = asker.calls();
    let transactions = rewrite(&dir, network, known(&pages, network.family()))?;
    line(chain, (endpoint, calls), (transactions, tip), (done, found))
}

/// Fetches of a chain of accounts.
fn fetch_accounts(
    room: &Room,
    chain: &ChainCode,
    job: &Job<'_>,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<FetchLine> {
    let profile = Profile::of(chain).ok_or_else(|| {
        let codes: Vec<_> = Profile::codes().collect();
        let (coins, accounts) = (Network::codes(), codes.join(", "));
        Error::Unknown(format!("{} cannot be fetched: {coins}, {accounts} and evm-ID can", chain.as_str()))
    })?;
    if job.prove {
        return Err(Error::Unknown("places in blocks are proven of Bitcoin's family alone: leave --prove out".into()));
    }
    let ids = ids(job)?;
    let account = |text| {
        let address = profile.parse(text).map_err(|why| Error::Unknown(why.to_owned()))?;
        let address = Address::try_from(address);
        Ok((text, address.map_err(|_| Error::Unknown("that names an asset, not an account".into()))?))
    };
    let accounts = job.addresses.iter().map(String::as_str).map(account).collect::<Result<Vec<(&str, Address)>>>()?;
    let node = Node::new(&job.endpoint)?;
    let (dir, endpoint) = (room.fetched(chain), node.name().to_owned());
    let _lock = take_lock(&dir)?;
    let mut pages = Pages::open(&dir)?;
    let before = account_snapshot::known(&pages, &profile);
    let mut asker = Asker::new(node, &mut pages, (job.now, since(job)), progress);
    let (mut tip, mut found) = (None, Frontier::default());
    let done = {
        let mut teller: Box<dyn Teller + '_> = match profile.writing {
            Writing::Hex => Box::new(evm_teller::Etherscan::new(&mut asker, &profile)),
            Writing::Tron => Box::new(tron_teller::TronGrid::new(&mut asker, &profile)),
        };
        let mut walk = || -> Asked<()> {
            let (height, unwound) = teller.begin(&before)?;
            let mut onward = Onward::new(teller.as_mut(), &profile, job);
            let mut done = onward.follow(&ids);
            for (text, address) in &accounts {
                done = done.and_then(|()| onward.history(text, address));
            }
            (tip, found) = (Some(height), onward.found);
            found.unwound = unwound;
            done
        };
        walk()
    };
    let calls = asker.calls();
    let known = account_snapshot::known(&pages, &profile);
    let transactions = account_snapshot::rewrite(&dir, &profile, &pages, &known)?;
    line(chain, (endpoint, calls), (transactions, tip), (done, found))
}

fn ids(job: &Job<'_>) -> Result<Vec<Hash>> {
    let id = |text: &String| esplora::read_hash(text.strip_prefix("0x").unwrap_or(text));
    let ids = job.txs.iter().map(id).collect::<std::result::Result<Vec<_>, _>>();
    ids.map_err(|_| Error::Unknown("a transaction's id is 64 hex digits".into()))
}

fn since(job: &Job<'_>) -> u64 {
    if job.anew { job.now } else { job.now.saturating_sub(KEPT_FOR) }
}

/// What is printed, or what went wrong.
fn line(
    chain: &ChainCode,
    (endpoint, (calls, stored)): (String, (u64, u64)),
    (transactions, tip): (u64, Option<u64>),
    (done, found): (Asked<()>, Frontier),
) -> Result<FetchLine> {
    let (spent, stopped) = match done {
        Ok(()) => (false, false),
        Err(Halt::Spent) => (true, false),
        Err(Halt::Stopped) => (false, true),
        Err(Halt::Wrong(error)) => return Err(error),
    };
    let short = |why: Why| matches!(why, Why::Budget | Why::Stopped | Why::Short);
    let cut = found.ends.iter().any(|end| short(end.why))
        || found.histories.iter().any(|history| history.cut.is_some_and(short));
    let whole = !(spent || stopped || cut);
    Ok(FetchLine { chain: chain.as_str().into(), endpoint, calls, stored, tip, transactions, whole, stopped, found })
}

/// What is fuzzed: a page of an API like Etherscan's, of each list, or an answer that it passes on.
#[cfg(any(test, fuzzing))]
pub(crate) fn etherscan_rows(text: &str, account: Address, profile: &Profile) -> Vec<told::Gathered> {
    let lists = [etherscan::List::Signed, etherscan::List::Inner, etherscan::List::Tokens];
    let first = |list| etherscan::Wanted { list, account, token: None, since: 0, page: None, rows: etherscan::ROWS };
    let page = |_: &str| Some(text);
    let _read = (
        etherscan::read_balance(text).is_ok(),
        etherscan::read_inner(text).is_ok(),
        etherscan::read_proxied(text, |raw| crate::evm::read_one(None, raw)).is_ok(),
    );
    lists.into_iter().map(|list| etherscan::restore(first(list), (1, profile), &page)).collect()
}

/// What is fuzzed: a page of an API like TronGrid's, of each list, an account, an info.
#[cfg(any(test, fuzzing))]
pub(crate) fn trongrid_rows(text: &str, account: Address, profile: &Profile) -> Vec<told::Gathered> {
    let page = |_: &str| Some(text);
    let _read = (
        trongrid::read_holdings(text, &account).is_ok(),
        crate::evm::read_info(None, text).is_ok(),
        crate::evm::read_info(Some(text), text).is_ok(),
    );
    let first = |tokens| trongrid::Wanted { account, tokens, since: 0 };
    [None, Some(None)].into_iter().map(|tokens| trongrid::restore(&first(tokens), profile, &page)).collect()
}

#[cfg(any(test, fuzzing))]
pub(crate) use told::Flow;
