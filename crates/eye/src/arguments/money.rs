use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use money::chain::ChainCode;
use money::cli::Format;
use std::path::PathBuf;

use super::{MoneyBank, MoneyCluster, MoneyContradictions, MoneyDecide, MoneyPair, MoneyTags};

/// `eye money`.
#[derive(Debug, Subcommand)]
pub enum Money {
    /// Load blocks, a dump or a table of transfers; goes on where an earlier load ended.
    Load(MoneyLoad),
    /// Without a chain of one's own: fetch the history of transactions and addresses alone, and follow the money to its frontier.
    Fetch(MoneyFetch),
    /// What is kept of each chain, up to which block, and bytes a row of each column.
    Inspect {
        /// The chain; else all.
        #[arg(long, value_parser = chain_code)]
        chain: Option<ChainCode>,
        /// Read every byte and compare checksums instead; 1 when something is damaged.
        #[arg(long)]
        verify: bool,
        /// One JSON document with --chain, else one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What an address received and paid, entry after entry, with the other side of each.
    Account(MoneyAccount),
    /// What an account of a chain of accounts received, spent and has left. With --node: whether the chain itself says the same.
    Balance(MoneyBalance),
    /// Where the money of one payment went, by every method side by side, exact to the base unit; each sums up to the source.
    Trace(MoneyTrace),
    /// Where many victims' money comes together: accounts that several of their payments reached, by sum.
    Collector(MoneyCollector),
    /// How a frozen balance is divided among victims under each method; together never more than is there.
    Restitution(MoneyRestitution),
    /// Somebody's claimed trace against the record: does it conserve, which method gives it, where does it depart.
    Check(MoneyCheck),
    /// Which addresses are one party's: a chain's clusters in numbers, or one address with its cluster and relations.
    Cluster(MoneyCluster),
    /// Why two addresses are one party's: the chain of witnesses with the best weakest link, and the fewest witnesses.
    Why(MoneyPair),
    /// "These two are not one": the witnesses to exclude. Changes nothing.
    Apart(MoneyPair),
    /// Clusters that hold two parties; the goal is none.
    Contradictions(MoneyContradictions),
    /// A person's decision about clusters: an entry in the ledger, with author and reason.
    #[command(subcommand)]
    Decide(MoneyDecide),
    /// Takes down a decision that `decide` found to do something.
    #[command(hide = true)]
    Enter {
        /// The newest decision of the chain that was known.
        #[arg(long)]
        after: u64,
        /// One JSON document.
        #[arg(long)]
        json: bool,
        /// The decision, JSON.
        body: String,
    },
    /// The decisions, and which of them another one undid.
    Decisions {
        /// The chain; else all.
        #[arg(long, value_parser = chain_code)]
        chain: Option<ChainCode>,
        /// One JSON document a decision.
        #[arg(long)]
        json: bool,
    },
    /// Take blocks back, so that the one at a height is the last.
    Unwind {
        /// The chain.
        #[arg(long, value_parser = chain_code)]
        chain: ChainCode,
        /// The height of the block that is to be the last.
        #[arg(long, value_name = "HEIGHT")]
        to: u64,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Bank statements: who paid whom, when, and which bank says so.
    #[command(subcommand)]
    Bank(MoneyBank),
    /// Tags: who addresses are said to belong to, by whom, and how they know.
    #[command(subcommand)]
    Tags(MoneyTags),
    /// How much is tagged on each chain, and which rules find nothing there for want of tags.
    Doctor {
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
}

impl Money {
    /// Whether it reads or writes the ledger, and so works on a node.
    pub fn needs_node(&self) -> bool {
        matches!(self, Self::Enter { .. } | Self::Decisions { .. })
    }
}

/// `eye money trace`.
#[derive(Debug, Args)]
pub struct MoneyTrace {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// Which of the transaction's transfers (of coins: outputs), from 0; needed where it has several.
    #[arg(long, value_name = "N")]
    pub transfer: Option<usize>,
    /// By which methods, and where it ends.
    #[command(flatten)]
    pub within: MoneyWithin,
    /// One JSON object a method.
    #[arg(long)]
    pub json: bool,
    /// The transaction, as its chain writes it.
    pub tx: String,
}

fn method(word: &str) -> Result<::money::trace::Method, String> {
    let found = ::money::trace::Method::ALL.into_iter().find(|m| m.name() == word);
    found.ok_or_else(|| "fifo, lifo, haircut, libr or bounds".to_owned())
}

/// By which methods traces go, and where they end.
#[derive(Debug, Args)]
pub struct MoneyWithin {
    /// `fifo`, `lifo`, `haircut`, `libr` or `bounds` (what holds under each of them); else all, side by side.
    #[arg(long, value_name = "METHOD", value_parser = method)]
    pub method: Option<::money::trace::Method>,
    /// Payments from the source; money beyond is listed as cut.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub hops: u32,
    /// Payments that carry less are listed as cut, base units.
    #[arg(long, value_name = "AMOUNT", default_value_t = 1)]
    pub least: u128,
    /// An account at which the trace stops; may be given more than once. Tagged services and accounts that mix the money of many
    /// stop it too.
    #[arg(long, value_name = "ACCOUNT")]
    pub stop: Vec<String>,
    /// An account at which the trace goes on though it is a service's: somebody's decision, which stands in every result.
    #[arg(long, value_name = "ACCOUNT", requires_all = ["by", "reason"])]
    pub past: Vec<String>,
    /// Who decides to go on past a service.
    #[arg(long, value_name = "NAME", requires = "past")]
    pub by: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "past")]
    pub reason: Option<String>,
    /// The last block to look at; else the record's last.
    #[arg(long, value_name = "HEIGHT")]
    pub until: Option<u64>,
}

/// `eye money collector`.
#[derive(Debug, Args)]
pub struct MoneyCollector {
    /// The chain, one of accounts.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// Accounts that at least so many of the payments reached.
    #[arg(long, value_name = "K", default_value_t = 2)]
    pub at_least: usize,
    /// Accounts at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// By which method (`fifo` if none is named), and where it ends.
    #[command(flatten)]
    pub within: MoneyWithin,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// The victims' payments of one asset: TX, or TX:N for its transfer N.
    #[arg(required = true, value_name = "TX[:N]")]
    pub payments: Vec<String>,
}

/// `eye money restitution`.
#[derive(Debug, Args)]
pub struct MoneyRestitution {
    /// The chain, one of accounts.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// The account that was frozen.
    #[arg(long)]
    pub account: String,
    /// By which methods, and where traces end.
    #[command(flatten)]
    pub within: MoneyWithin,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// The victims' payments of one asset: TX, or TX:N for its transfer N.
    #[arg(required = true, value_name = "TX[:N]")]
    pub payments: Vec<String>,
}

/// `eye money check`.
#[derive(Debug, Args)]
pub struct MoneyCheck {
    /// The chain, one of accounts.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// Which columns mean what, TOML; else they are tx, from, to, amount (base units).
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// The claimed trace: CSV, packed or not, or a workbook.
    pub claim: PathBuf,
}

/// `eye money account`.
#[derive(Debug, Args)]
pub struct MoneyAccount {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// One asset of a chain of accounts: the coin, or a token's contract; else all.
    #[arg(long)]
    pub asset: Option<String>,
    /// The number to begin at, as the end of the page before says.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from: u64,
    /// Entries at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub limit: u16,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// The address, as its chain writes it.
    pub account: String,
}

/// `eye money balance`.
#[derive(Debug, Args)]
pub struct MoneyBalance {
    /// The chain.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// One asset: the coin, or a token's contract; else all that the account ever had.
    #[arg(long)]
    pub asset: Option<String>,
    /// A node's address, which is asked for the account's balances (and so learns that you look at it).
    #[arg(long, value_name = "ADDRESS")]
    pub node: Option<String>,
    /// Header lines for the node (`Authorization: …`), sent over https alone.
    #[arg(long, value_name = "FILE", requires = "node")]
    pub header_file: Option<PathBuf>,
    /// Authorities whose certificates the node may have, PEM, in place of the public ones.
    #[arg(long, value_name = "FILE", requires = "node")]
    pub ca: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// The account, as its chain writes it.
    pub account: String,
}

/// `eye money load`.
#[derive(Debug, Args)]
pub struct MoneyLoad {
    /// For blocks: btc, btc-testnet3, btc-testnet4, btc-signet, btc-regtest, ltc, ltc-testnet, ltc-regtest, bch, bch-regtest. For
    /// dumps and nodes: eth, eth-sepolia, bsc, polygon, arbitrum, optimism, base, trx, evm-ID. A name of your own for a table.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// Guessed when absent: transfers with a mapping, blocks for Bitcoin's networks, a dump for the account chains above.
    #[arg(long, value_parser = money_format())]
    pub format: Option<Format>,
    /// Which columns of a table mean what, TOML; or `etherscan` for that explorer's exports.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// So many blocks are taken back unasked when the files have a branch with more work.
    #[arg(long, default_value_t = money::chain::Options::default().keep, value_name = "BLOCKS")]
    pub keep: u64,
    /// The first block of a node that an empty record begins with.
    #[arg(long, value_name = "HEIGHT")]
    pub from: Option<u64>,
    /// The last block of a node to load; its newest when absent.
    #[arg(long, value_name = "HEIGHT")]
    pub to: Option<u64>,
    /// Header lines for a node (`Authorization: …`), sent over https alone.
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
    /// Bitcoin Core's cookie (`.cookie` in its folder), or a file of one line NAME:PASSWORD. Sent over https or to this machine alone.
    #[arg(long, value_name = "FILE")]
    pub cookie_file: Option<PathBuf>,
    /// Authorities whose certificates a node may have, PEM, in place of the public ones.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// A node is asked no more often than so many times a second.
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..))]
    pub calls_per_second: Option<u32>,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// Blocks: blk*.dat, their folder (rev*.dat and xor.dat are taken from beside them), raw blocks. A dump: its CSV and JSON-lines
    /// files, or their folder. A node's address (of Bitcoin's family: JSON-RPC, or REST where it ends in /rest). Or one CSV file.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// `eye money fetch`.
#[derive(Debug, Args)]
pub struct MoneyFetch {
    /// The chain: btc, ltc, bch and their test networks, eth and its relatives, evm-ID, trx.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// The address of an API like Esplora's (`https://…/api`), of eth and its relatives one like Etherscan's (`https://…/v2/api`), of
    /// trx one like TronGrid's. It learns what you ask about, and from where.
    #[arg(long, value_name = "ADDRESS")]
    pub endpoint: String,
    /// A transaction that is followed forward; may be given again.
    #[arg(long, value_name = "ID")]
    pub tx: Vec<String>,
    /// An address whose history is fetched; may be given again.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "tx")]
    pub address: Vec<String>,
    /// So many transactions behind the first are looked at.
    #[arg(long, default_value_t = 20)]
    pub hops: u32,
    /// Spends after this time are not followed (2026-01-31T00:00:00Z).
    #[arg(long, value_name = "TIME")]
    pub until: Option<jiff::Timestamp>,
    /// No more calls are made in all.
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u64).range(1..))]
    pub calls: u64,
    /// No more calls are made a second.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// An address with more transactions is a hub, and is not paged.
    #[arg(long, default_value_t = 1_000, value_name = "TRANSACTIONS")]
    pub hub: u64,
    /// Prove that each transaction stands in its block: Merkle branch, header, work. Two more calls each.
    #[arg(long)]
    pub prove: bool,
    /// Ask again for what may have changed, even if it was fetched within the hour.
    #[arg(long)]
    pub anew: bool,
    /// The endpoint may learn what is asked; else you are asked first.
    #[arg(long)]
    pub yes: bool,
    /// Header lines for the endpoint (a key), sent over https alone.
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
    /// Lines NAME=VALUE for the query of each question (`apikey=…`), sent over https alone and never repeated.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Authorities whose certificates the endpoint may have, PEM, in place of the public ones.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn chain_code(text: &str) -> Result<ChainCode, money::chain::Error> {
    ChainCode::parse(text)
}

fn money_format() -> impl TypedValueParser<Value = Format> {
    let named = |word: String| Format::NAMES.into_iter().find(|(name, _)| *name == word).map(|(_, format)| format);
    PossibleValuesParser::new(Format::NAMES.map(|(name, _)| name))
        .try_map(move |word| named(word).ok_or("no such format"))
}
