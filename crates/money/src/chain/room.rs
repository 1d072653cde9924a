//! The folder of all chains, and what is done with a chain by its name.
use super::Mapping;
use super::bitcoin::load_blocks;
use super::network::Family;
use super::node;
use super::transfers::load_transfers;
use super::{Error, Network, Result, io};
use crate::columns::{Accounts, Head, Mode, Utxo};
use crate::evm::{Profile, follow_node, load_dump};
use crate::node::Endpoint;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Bitcoin's relatives: a table in such a name would stand where their blocks will.
const RELATIVES: [&str; 4] = ["bsv", "dash", "doge", "zec"];

/// Behind a chain's name: what was fetched of it on demand.
const FETCHED: &str = "~partial";

/// A chain's name: small letters, digits and dashes, as it stands in the command line and as its folder's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainCode(String);

impl ChainCode {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<ChainCode> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && text.starts_with(|first: char| first.is_ascii_lowercase());
        match fits {
            true => Ok(ChainCode(text.into())),
            false => {
                Err(Error::Unknown("a chain's name is 1 to 32 small letters, digits and dashes, a letter first".into()))
            }
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The network of Bitcoin's family, if it is one; every other chain is one of accounts.
    pub fn network(&self) -> Option<Network> {
        Network::of(&self.0)
    }
}

/// The room's folder: one folder a chain.
#[derive(Debug, Clone)]
pub struct Room {
    dir: PathBuf,
}

/// An open chain of either model.
#[derive(Debug)]
pub enum Chain {
    /// Bitcoin's family.
    Utxo(Utxo, Network),
    /// Transfers between accounts.
    Accounts(Accounts),
}

impl Room {
    /// The room in `dir`, which need not be there yet.
    pub fn open(dir: &Path) -> Room {
        Room { dir: dir.to_owned() }
    }

    /// The chains that are kept, by name.
    pub fn chains(&self) -> Result<Vec<ChainCode>> {
        self.folders("meta", "")
    }

    /// The chains of which something was fetched on demand, by name.
    pub fn fetched_chains(&self) -> Result<Vec<ChainCode>> {
        self.folders("current", FETCHED)
    }

    /// The chains whose folder has this ending and holds this file.
    fn folders(&self, file: &str, ending: &str) -> Result<Vec<ChainCode>> {
        let folder = match std::fs::read_dir(&self.dir) {
            Ok(folder) => folder,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(&self.dir)(error)),
        };
        let mut chains: Vec<_> = folder
            .flatten()
            .filter(|entry| entry.path().join(file).is_file())
            .filter_map(|entry| ChainCode::parse(entry.file_name().to_str()?.strip_suffix(ending)?).ok())
            .collect();
        chains.sort();
        Ok(chains)
    }

    /// A chain's folder.
    pub fn dir(&self, chain: &ChainCode) -> PathBuf {
        self.dir.join(chain.as_str())
    }

    /// The folder of what was fetched of a chain on demand: no chain's name has a tilde, so it is none, and never counts as one.
    pub fn fetched(&self, chain: &ChainCode) -> PathBuf {
        self.dir.join(format!("{}{FETCHED}", chain.as_str()))
    }

    /// What was fetched of a chain on demand, if anything was.
    pub fn fetched_chain(&self, chain: &ChainCode) -> Result<Option<Chain>> {
        let Some(dir) = crate::fetch::current(&self.fetched(chain))? else { return Ok(None) };
        opened(&dir, chain, Mode::Read).map(Some)
    }

    /// Opens a chain at its last complete block.
    pub fn chain(&self, chain: &ChainCode, mode: Mode) -> Result<Chain> {
        let dir = self.dir(chain);
        if mode == Mode::Read && !dir.join("meta").is_file() {
            return Err(Error::Unknown(format!("nothing of {} was loaded yet", chain.as_str())));
        }
        opened(&dir, chain, mode)
    }
}

/// The columns in a folder, of the chain's kind.
fn opened(dir: &Path, chain: &ChainCode, mode: Mode) -> Result<Chain> {
    Ok(match chain.network() {
        Some(network) if network.family() == Family::BitcoinCash => {
            Chain::Utxo(Utxo::open_with_tokens(dir, mode)?, network)
        }
        Some(network) => Chain::Utxo(Utxo::open(dir, mode)?, network),
        None => Chain::Accounts(Accounts::open(dir, mode)?),
    })
}

/// What is loaded.
#[derive(Debug, Clone)]
pub enum Source {
    /// Raw blocks, `blk*.dat`, or folders of these; `rev*.dat` and `xor.dat` are taken from beside them.
    Blocks(Vec<PathBuf>),
    /// Files of a dump of an account chain (GraphSense, ethereum-etl), or their folder.
    Dump(Vec<PathBuf>),
    /// A node, asked by JSON-RPC; TRON's by its HTTP API, one of Bitcoin's family by REST where its address ends in `/rest`.
    Node(Box<Endpoint>),
    /// A table of transfers.
    Transfers {
        /// The CSV file.
        file: PathBuf,
        /// Which of its columns mean what.
        mapping: Box<Mapping>,
    },
}

/// How a load behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// So many blocks are unwound unasked when another branch has more work.
    pub keep: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { keep: 100 }
    }
}

/// Where a load is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last height.
    pub height: u64,
    /// Blocks appended.
    pub blocks: u64,
    /// Inputs and outputs, or transfers, appended.
    pub rows: u64,
    /// Bytes of the source that were read.
    pub bytes: u64,
    /// Bytes of the source that are to be read.
    pub bytes_total: u64,
    /// Blocks that are to be appended, where the source counts in these instead.
    pub blocks_total: Option<u64>,
}

/// What a load did.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Blocks appended.
    pub blocks: u64,
    /// Inputs and outputs, or transfers, appended.
    pub rows: u64,
    /// Blocks of the source that were on record already.
    pub known: u64,
    /// Blocks that were unwound because the source's branch has more work.
    pub unwound: u64,
    /// Blocks of the source that lost to another branch.
    pub on_other_branches: u64,
    /// Transactions of the source's blocks that it has, and how many the chain says there are (0: it does not say).
    pub txs: u64,
    /// See `txs`.
    pub txs_said: u64,
    /// Calls of a dump whose values were cut to 32 bits; what is left of them is kept as unexplained.
    pub cut: u64,
    /// Questions that a node was asked.
    pub calls: u64,
    /// Rows of a dump that name another block at their height than the dump's own.
    pub elsewhere: u64,
    /// `Transfer` logs that are things, not amounts.
    pub nfts: u64,
    /// Logs with a transfer's topic and not its shape.
    pub misshapen: u64,
    /// Whether `progress` asked to stop before the end.
    pub stopped: bool,
    /// What kept a file from being read to its end; everything before it was loaded.
    pub faults: Vec<Error>,
    /// The head afterwards.
    pub head: Option<Head>,
}

/// Loads a source into a chain. It goes on where an earlier load ended; what is on record already is passed over.
/// `progress` is called after each block, and stops the load with a `Break`; what was appended until then is committed.
///
/// # Errors
/// The first thing that is wrong, named by file, place, block and transaction. What came before it is committed.
pub fn load(
    room: &Room,
    chain: &ChainCode,
    source: &Source,
    options: &Options,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Loaded> {
    suits(chain, source)?;
    let mut open = room.chain(chain, Mode::Write)?;
    match (&mut open, source) {
        (Chain::Utxo(utxo, network), Source::Blocks(paths)) => {
            let loaded = load_blocks(utxo, *network, paths, options, progress)?;
            Ok(Loaded { head: utxo.head(), ..loaded })
        }
        (Chain::Utxo(utxo, network), Source::Node(endpoint)) => {
            let loaded = node::follow_node(utxo, *network, endpoint, options, progress)?;
            Ok(Loaded { head: utxo.head(), ..loaded })
        }
        (Chain::Accounts(accounts), Source::Transfers { file, mapping }) => {
            let loaded = load_transfers(accounts, file, mapping, options, progress)?;
            accounts.settle()?;
            Ok(Loaded { head: accounts.head(), ..loaded })
        }
        (Chain::Accounts(accounts), Source::Dump(paths)) => {
            let profile = Profile::of(chain).ok_or_else(|| unsuited(chain))?;
            let loaded = load_dump(accounts, &profile, paths, options, progress)?;
            accounts.settle()?;
            Ok(Loaded { head: accounts.head(), ..loaded })
        }
        (Chain::Accounts(accounts), Source::Node(endpoint)) => {
            let profile = Profile::of(chain).ok_or_else(|| unsuited(chain))?;
            let loaded = follow_node(accounts, &profile, endpoint, options, progress)?;
            accounts.settle()?;
            Ok(Loaded { head: accounts.head(), ..loaded })
        }
        // `suits` let nothing else through.
        _ => Err(unsuited(chain)),
    }
}

/// Whether a chain is made of what the source has; looked at before a folder is made for it.
fn suits(chain: &ChainCode, source: &Source) -> Result<()> {
    match (chain.network(), source) {
        _ if RELATIVES.contains(&chain.as_str()) => Err(unsuited(chain)),
        _ if chain.as_str() == crate::bank::CHAIN => Err(Error::Unknown(format!(
            "{} is made of all bank statements: load these with `eye money bank load`, or name a table otherwise",
            chain.as_str()
        ))),
        (Some(_), Source::Blocks(_) | Source::Node(_)) | (None, Source::Transfers { .. }) => Ok(()),
        (None, Source::Dump(_) | Source::Node(_)) => match Profile::of(chain) {
            Some(_) => match source {
                Source::Dump(paths) => crate::evm::Dump::open(paths).map(|_| ()),
                _ => Ok(()),
            },
            None => Err(Error::Unknown(format!(
                "dumps and nodes are read of {} and evm-ID (any chain by its id), not of {}",
                Profile::codes().collect::<Vec<_>>().join(", "),
                chain.as_str()
            ))),
        },
        _ => Err(unsuited(chain)),
    }
}

fn unsuited(chain: &ChainCode) -> Error {
    let code = chain.as_str();
    Error::Unknown(match chain.network() {
        Some(_) => format!("{code} is made of blocks, not of transfers: leave the mapping out, or name another chain"),
        None if RELATIVES.contains(&code) => {
            format!("{code} is made of blocks that cannot be read yet; docs/money.md says what can")
        }
        None => format!(
            "{code} is loaded from a table: give --mapping FILE, which says what its columns mean. Blocks are read of {}",
            Network::codes()
        ),
    })
}

/// Takes blocks back so that the one at `height` is the last.
pub fn unwind(room: &Room, chain: &ChainCode, height: u64) -> Result<Head> {
    if chain.as_str() == crate::bank::CHAIN {
        let why = "bank legs are not taken back by height: erase the loads that tell them (`eye money bank erase`)";
        return Err(Error::Unknown(why.into()));
    }
    match room.chain(chain, Mode::Read).and_then(|_| room.chain(chain, Mode::Write))? {
        Chain::Utxo(mut utxo, _) => Ok(utxo.unwind(height)?),
        Chain::Accounts(mut accounts) => Ok(accounts.unwind(height)?),
    }
}
