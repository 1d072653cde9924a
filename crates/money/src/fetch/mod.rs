//! Without a chain of one's own: only the history of what was asked about, from an endpoint that tells single transactions and addresses.
//!
//! Answers are kept as they came (`pages`), so nothing fetched is lost and nothing is asked for twice; [`asker`] keeps to the budget.
//! [`esplora`] reads and verifies them, [`utxo`] walks from a transaction to the frontier. What is known in the end becomes a chain in
//! the same columns as a load's (`snapshot`), in a folder of its own: `docs/fetched.md`.
mod asker;
mod esplora;
mod pages;
mod snapshot;
mod utxo;

use crate::chain::{ChainCode, Error, Network, Result, Room, address_key};
use crate::columns::take_lock;
use crate::node::{Endpoint, Node};
use asker::{Asker, Halt};
pub use esplora::{InBlock, Outspend, Stats, UtxoTx, prove, read_outspends, read_page, read_stats, read_tx};
use pages::Pages;
use serde::Serialize;
pub(crate) use snapshot::current;
use snapshot::{known, rewrite};
use std::ops::ControlFlow;
use utxo::Walk;

/// Pages that may have changed are asked for again after an hour.
pub const KEPT_FOR: u64 = 3_600;

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
    /// How many transactions the endpoint counts.
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
    let network = chain.network().ok_or_else(|| {
        Error::Unknown(format!("{} cannot be fetched yet: Esplora tells {}", chain.as_str(), Network::codes()))
    })?;
    let ids = job.txs.iter().map(|text| esplora::read_hash(text));
    let ids = ids.collect::<std::result::Result<Vec<_>, _>>();
    let ids = ids.map_err(|_| Error::Unknown("a transaction's id is 64 hex digits".into()))?;
    let keys: Option<Vec<_>> =
        job.addresses.iter().map(|text| Some((text.as_str(), address_key(text, network)?))).collect();
    let keys = keys.ok_or_else(|| Error::Unknown(format!("an address is none of {}", chain.as_str())))?;
    let node = Node::new(&job.endpoint)?;
    let (dir, endpoint) = (room.fetched(chain), node.name().to_owned());
    let _lock = take_lock(&dir)?;
    let mut pages = Pages::open(&dir)?;
    let before = known(&pages, network.family());
    let since = if job.anew { job.now } else { job.now.saturating_sub(KEPT_FOR) };
    let mut asker = Asker::new(node, &mut pages, (job.now, since), progress);
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
    let (calls, stored) = asker.calls();
    let transactions = rewrite(&dir, network, known(&pages, network.family()))?;
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
