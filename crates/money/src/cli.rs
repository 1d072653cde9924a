//! What the command line says of chains: which source its files stand for, structs to print as JSON. The words and flags
//! are the roof's.
use crate::chain::{Chain, ChainCode, Loaded, Mapping, Result, Room, Source};
use crate::columns::{
    Accounts, BlockFlags, Closing, Flags, Head, Holding, Inspection, Mode, Standing, TxFlags, Untraceable, hex,
};
use crate::evm::{Endpoint, Node, Profile, Writing};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What `inspect` prints of one chain.
#[derive(Debug, Serialize)]
pub struct InspectLine {
    /// The chain's code.
    pub chain: String,
    /// The last block, `null` when there is none.
    pub head: Option<HeadLine>,
    /// The first block's height.
    pub first: Option<u64>,
    /// How many blocks.
    pub blocks: u64,
    /// How many transactions.
    pub txs: u64,
    /// Of these, how many have an input whose value is not known, or of chains whose blocks are known, are known by their logs
    /// or calls alone; `null` for tables.
    pub partial: Option<u64>,
    /// How many transactions the chain says that the blocks on record have; `null` when its sources do not say.
    pub txs_said: Option<u64>,
    /// How many blocks lack what their chain has; `null` for UTXO chains and tables.
    pub blocks_without: Option<WithoutLine>,
    /// Bytes of all parts.
    pub bytes: u64,
    /// Columns, then what is derived.
    pub parts: Vec<PartLine>,
}

/// So many blocks lack something.
#[derive(Debug, Default, Serialize)]
pub struct WithoutLine {
    /// Logs: token transfers are missing.
    pub logs: u64,
    /// Traces: coins that contracts moved are missing.
    pub traces: u64,
    /// Rewards: what their authors were paid is missing.
    pub rewards: u64,
}

/// A block as the command line names it.
#[derive(Debug, Serialize)]
pub struct HeadLine {
    /// Height.
    pub height: u64,
    /// Hash in hex.
    pub hash: String,
}

/// A column or derived file.
#[derive(Debug, Serialize)]
pub struct PartLine {
    /// Its name.
    pub name: String,
    /// Rows or entries.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Bytes a row in thousandths.
    pub milli_bytes_a_row: Option<u64>,
    /// Whether it can be built anew.
    pub derived: bool,
}

/// What `load` prints when it is done.
#[derive(Debug, Serialize)]
pub struct LoadLine {
    /// The chain's code.
    pub chain: String,
    /// Blocks appended.
    pub blocks: u64,
    /// Inputs and outputs, or transfers, appended.
    pub rows: u64,
    /// Blocks that were on record already.
    pub known: u64,
    /// Blocks that were unwound.
    pub unwound: u64,
    /// Blocks that lost to another branch.
    pub on_other_branches: u64,
    /// Of the transactions that the source's blocks have, how many it gave; `null` when it does not say how many there are.
    pub partial: Option<PartialLine>,
    /// Rows of a dump that name another block at their height than the dump's own: passed over.
    pub elsewhere: u64,
    /// Calls of a dump whose values were cut to 32 bits: kept as unexplained, for what is above these bits is lost.
    pub cut: u64,
    /// `Transfer` logs that are things (NFTs), not amounts.
    pub nfts: u64,
    /// Logs with a transfer's topic and not its shape: nothing was read out of them.
    pub misshapen: u64,
    /// The head afterwards.
    pub head: Option<HeadLine>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
    /// What kept files from being read to their end: then the exit code should not be 0.
    pub faults: Vec<String>,
}

/// How much of something there is.
#[derive(Debug, Serialize)]
pub struct PartialLine {
    /// So many are there.
    pub have: u64,
    /// Of so many.
    pub of: u64,
}

impl From<Head> for HeadLine {
    fn from(head: Head) -> HeadLine {
        HeadLine { height: head.height, hash: hex(&head.hash) }
    }
}

impl InspectLine {
    fn of(chain: &ChainCode, inspection: Inspection) -> InspectLine {
        let parts: Vec<PartLine> = inspection
            .parts
            .into_iter()
            .map(|part| PartLine {
                milli_bytes_a_row: part.milli_bytes_a_row(),
                name: part.name,
                rows: part.rows,
                bytes: part.bytes,
                derived: part.derived,
            })
            .collect();
        InspectLine {
            chain: chain.as_str().into(),
            head: inspection.head.map(HeadLine::from),
            first: inspection.first,
            blocks: inspection.blocks,
            txs: 0,
            partial: None,
            txs_said: None,
            blocks_without: None,
            bytes: parts.iter().map(|part| part.bytes).sum(),
            parts,
        }
    }
}

impl LoadLine {
    /// The line of a load.
    pub fn of(chain: &ChainCode, loaded: &Loaded) -> LoadLine {
        LoadLine {
            chain: chain.as_str().into(),
            blocks: loaded.blocks,
            rows: loaded.rows,
            known: loaded.known,
            unwound: loaded.unwound,
            on_other_branches: loaded.on_other_branches,
            partial: (loaded.txs_said > 0).then_some(PartialLine { have: loaded.txs, of: loaded.txs_said }),
            elsewhere: loaded.elsewhere,
            cut: loaded.cut,
            nfts: loaded.nfts,
            misshapen: loaded.misshapen,
            head: loaded.head.map(HeadLine::from),
            stopped: loaded.stopped,
            faults: loaded.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The inspections of one chain, or of all that the room has and of what was fetched on demand.
pub fn inspect_lines(room: &Room, chain: Option<&ChainCode>) -> Result<Vec<InspectLine>> {
    if let Some(chain) = chain {
        return Ok(vec![inspect_line(chain, room.chain(chain, Mode::Read)?)?]);
    }
    let chains = room.chains()?;
    let lines = chains.iter().map(|chain| inspect_line(chain, room.chain(chain, Mode::Read)?));
    let mut lines = lines.collect::<Result<Vec<_>>>()?;
    for chain in room.fetched_chains()? {
        if let Some(fetched) = room.fetched_chain(&chain)? {
            let line = inspect_line(&chain, fetched)?;
            lines.push(InspectLine { chain: format!("{}~partial", line.chain), ..line });
        }
    }
    Ok(lines)
}

/// What `inspect --verify` prints of one chain.
#[derive(Debug, Serialize)]
pub struct VerifyLine {
    /// The chain's code.
    pub chain: String,
    /// Blocks whose rows are what was written.
    pub blocks: u64,
    /// Why the columns, or what is derived of them, are not; `null` when all is well.
    pub damaged: Option<String>,
}

/// Reads every byte of one chain, or of all: columns against the checksum of each block, histories against their files'.
///
/// # Errors
/// A chain that cannot be opened.
pub fn verify_lines(room: &Room, chain: Option<&ChainCode>) -> Result<Vec<VerifyLine>> {
    let chains = chain.map_or_else(|| room.chains(), |chain| Ok(vec![chain.clone()]))?;
    let verified = |code: &ChainCode, open: Chain| {
        let (store, histories) = match &open {
            Chain::Utxo(utxo, _) => (utxo.store(), None),
            Chain::Accounts(accounts) => (accounts.store(), Some(accounts.histories())),
        };
        let blocks = store.verify();
        let derived = histories.map_or(Ok(()), |histories| histories.verify());
        let damaged = match (&blocks, derived) {
            (Err(error), _) => Some(format!("{error}; load the chain anew from its source, under another name first")),
            (Ok(_), Err(error)) => Some(format!(
                "{error}; it is derived: delete {} and load again",
                store.dir().join("history.index").display()
            )),
            _ => None,
        };
        VerifyLine { chain: code.as_str().into(), blocks: blocks.unwrap_or(0), damaged }
    };
    chains.iter().map(|code| Ok(verified(code, room.chain(code, Mode::Read)?))).collect()
}

fn inspect_line(chain: &ChainCode, open: Chain) -> Result<InspectLine> {
    Ok(match open {
        Chain::Utxo(utxo, _) => {
            let has = |tx: u64, flag: Flags| utxo.info(tx).is_some_and(|(flags, _)| flags.has(flag));
            let partial = (0..utxo.txs()).filter(|tx| has(*tx, Flags::PARTIAL)).count() as u64;
            InspectLine { txs: utxo.txs(), partial: Some(partial), ..InspectLine::of(chain, utxo.inspect()?) }
        }
        Chain::Accounts(accounts) => {
            let flags = (0..accounts.txs()).map(|tx| accounts.tx_flags(tx));
            let (mut txs, mut partial) = (0, 0);
            for flags in flags.filter(|flags| !flags.has(TxFlags::BLOCK)) {
                txs += 1;
                partial += u64::from(flags.has(TxFlags::PARTIAL));
            }
            let (mut txs_said, mut without) = (None, WithoutLine::default());
            for (flags, said) in (0..accounts.store().blocks()).map(|place| accounts.block_said(place)) {
                txs_said = said.map(|said| txs_said.unwrap_or(0) + u64::from(said)).or(txs_said);
                without.logs += u64::from(flags.has(BlockFlags::NO_LOGS));
                without.traces += u64::from(flags.has(BlockFlags::NO_TRACES));
                without.rewards += u64::from(flags.has(BlockFlags::NO_REWARD));
            }
            let profile = Profile::of(chain);
            let (blocks_without, partial) = (profile.map(|_| without), profile.map(|_| partial));
            InspectLine { txs, partial, txs_said, blocks_without, ..InspectLine::of(chain, accounts.inspect()?) }
        }
    })
}

/// What `balance` prints of an account and an asset.
#[derive(Debug, Serialize)]
pub struct BalanceLine {
    /// The chain's code.
    pub chain: String,
    /// The account as its chain writes it.
    pub account: String,
    /// The asset: the coin, or a token's contract.
    pub asset: String,
    /// The height that the sums go to.
    pub height: u64,
    /// What came in, in base units.
    pub received: String,
    /// What went out.
    pub spent: String,
    /// What is left; `null` when more went out than came in, or a sum overflowed.
    pub sum: Option<String>,
    /// Why the asset cannot be traced by balance: `negative` (somebody paid more than they had; of bank legs: this account) or `overflow`; `null` when it can.
    pub untraceable: Option<&'static str>,
    /// Whether the sum is what the chain itself says at `proven_at`: else the balance is unproven.
    pub closed: bool,
    /// The height at which the chain was asked, `null` if it never was.
    pub proven_at: Option<u64>,
    /// What the chain said there, when that is something else.
    pub chain_says: Option<String>,
}

/// The balances of an account: of one asset, or of all that it ever had. With a node, it is asked what the chain says, and the
/// answer is kept.
///
/// # Errors
/// A chain without accounts, names that cannot be read, a node that is of another chain or does not answer.
pub fn balances(
    room: &Room,
    chain: &ChainCode,
    (account, asset): (&str, Option<&str>),
    node: Option<&Endpoint>,
) -> Result<Vec<BalanceLine>> {
    let unknown = |why: &str| crate::chain::Error::Unknown(why.to_owned());
    let mode = if node.is_some() { Mode::Write } else { Mode::Read };
    room.chain(chain, Mode::Read)?;
    let Chain::Accounts(mut accounts) = room.chain(chain, mode)? else {
        return Err(unknown("this chain has no accounts; a UTXO chain's balances are its unspent outputs"));
    };
    let profile = Profile::of(chain);
    let name = |text: &str| match &profile {
        Some(profile) => profile.parse(text).map_err(unknown),
        None => Ok(text.as_bytes().to_vec()),
    };
    let number = accounts.find_account(&name(account)?).ok_or_else(|| unknown("the account is not on record"))?;
    let asset = asset.map(|asset| name(asset).map(|name| accounts.find_asset(&name))).transpose()?;
    let head = accounts.head().ok_or_else(|| unknown("there is no block on record"))?;
    let mut holdings = accounts.holdings(number, u64::MAX);
    match asset {
        Some(Some(asset)) => {
            holdings.entry(asset).or_default();
            holdings.retain(|held, _| *held == asset);
        }
        Some(None) => return Err(unknown("the asset is not on record")),
        None => {}
    }
    if let Some(endpoint) = node {
        let profile = profile.as_ref().ok_or_else(|| unknown("nodes are asked about chains of docs/evm.md alone"))?;
        ask_balances(&mut accounts, profile, endpoint, number, (head, holdings.keys().copied()))?;
    }
    let text = |bytes: &[u8]| match &profile {
        Some(profile) => profile.text(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    };
    let standings = accounts.standings()?;
    let line = |(asset, holding): (u32, Holding)| {
        let closing = accounts.closing(number, asset)?;
        let (closed, proven_at, chain_says) = match closing {
            Closing::Closed { height } => (true, Some(height), None),
            Closing::Differs { height, told } => (false, Some(height), Some(told.to_string())),
            Closing::Unproven => (false, None, None),
        };
        Ok(BalanceLine {
            chain: chain.as_str().into(),
            account: text(accounts.account(number).unwrap_or_default()),
            asset: text(accounts.asset(asset).unwrap_or_default()),
            height: head.height,
            received: holding.received.0.to_string(),
            spent: holding.spent.0.to_string(),
            untraceable: match standings.get(asset as usize) {
                // Of bank accounts, one whose first balance nobody told says nothing of the others.
                Some(Standing::Untraceable(Untraceable::Negative, _))
                    if chain.as_str() == crate::bank::CHAIN && !accounts.falls_short(number, asset) =>
                {
                    None
                }
                Some(Standing::Untraceable(Untraceable::Negative, _)) => Some("negative"),
                Some(Standing::Untraceable(Untraceable::Overflow, _)) => Some("overflow"),
                _ => None,
            },
            sum: holding.balance().map(|sum| sum.to_string()),
            closed,
            proven_at,
            chain_says,
        })
    };
    holdings.into_iter().map(line).collect()
}

/// Asks a node for the balances at the head of the record.
fn ask_balances(
    accounts: &mut Accounts,
    profile: &Profile,
    endpoint: &Endpoint,
    account: u32,
    (head, assets): (Head, impl Iterator<Item = u32>),
) -> Result<()> {
    let unknown = |why: String| crate::chain::Error::Unknown(why);
    if profile.writing == Writing::Tron {
        let why = "TRON's nodes tell balances of their newest block alone, which need not be the record's: the balance stays unproven";
        return Err(unknown(why.into()));
    }
    let mut node = Node::new(endpoint)?;
    if node.hash_at(head.height)? != Some(head.hash) {
        let why = format!("the node at {} does not have block {} of the record: load first", node.name(), head.height);
        return Err(unknown(why));
    }
    let of = accounts.account(account).unwrap_or_default();
    let of = of.try_into().map_err(|_| unknown("the account is no address".into()))?;
    for asset in assets {
        let token = match accounts.asset(asset).unwrap_or_default() {
            coin if coin == profile.coin.as_bytes() => None,
            token => Some(token.try_into().map_err(|_| unknown("the asset is no contract".into()))?),
        };
        let told = node.balance(&of, token.as_ref(), head.height)?;
        accounts.close(account, asset, head.height, &told)?;
    }
    Ok(())
}

/// What the files of a load are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Raw blocks, `blk*.dat`, folders of these.
    Blocks,
    /// A table of transfers.
    Transfers,
    /// A dump of an account chain.
    Dump,
}

impl Format {
    /// The words of the command line.
    pub const NAMES: [(&'static str, Format); 3] =
        [("blocks", Format::Blocks), ("transfers", Format::Transfers), ("dump", Format::Dump)];
}

/// The source that files stand for. Without a format: a table where there is a mapping (a TOML file), a dump for the account
/// chains that are known, else blocks.
pub fn source(chain: &ChainCode, format: Option<Format>, files: &[PathBuf], mapping: Option<&Path>) -> Result<Source> {
    let unknown = |why: String| crate::chain::Error::Unknown(why);
    for path in files {
        std::fs::metadata(path).map_err(crate::chain::io(path))?;
    }
    let guessed = match (chain.network(), mapping, Profile::of(chain)) {
        (None, Some(_), _) => Format::Transfers,
        (None, None, Some(_)) => Format::Dump,
        _ => Format::Blocks,
    };
    match (format.unwrap_or(guessed), files, mapping) {
        (_, [], _) => Err(unknown("name at least one file".into())),
        (Format::Blocks, files, None) => Ok(Source::Blocks(files.to_vec())),
        (Format::Dump, files, None) => Ok(Source::Dump(files.to_vec())),
        (Format::Dump, _, Some(_)) => Err(unknown("a dump needs no mapping: its fields have names".into())),
        (Format::Blocks, _, Some(_)) => Err(unknown(format!(
            "blocks need no mapping: leave it out, or name another chain than {} for a table",
            chain.as_str()
        ))),
        (Format::Transfers, [file], Some(path)) => {
            let name = path.file_name().and_then(|name| name.to_str()).filter(|_| !path.exists()).unwrap_or_default();
            let mapping = match Mapping::built_in(name, file)? {
                Some(mapping) => mapping,
                None if !path.exists() => {
                    let names: Vec<&str> = Mapping::names().collect();
                    let (file, names) = (path.display(), names.join(", "));
                    return Err(unknown(format!("{file} is not there; mappings that come with the program: {names}")));
                }
                None => {
                    let text = std::fs::read_to_string(path).map_err(crate::chain::io(path))?;
                    Mapping::parse(&text).map_err(|error| unknown(format!("{}: {error}", path.display())))?
                }
            };
            Ok(Source::Transfers { file: file.clone(), mapping: Box::new(mapping) })
        }
        (Format::Transfers, _, None) => {
            Err(unknown("a table needs --mapping FILE, which says what its columns mean".into()))
        }
        _ => Err(unknown("a table is loaded alone: one file with one mapping".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    #[test]
    fn what_inspect_prints_is_json_with_integers_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        std::fs::write(&file, "from,to,amount,time\nana,ben,1,86400\n").unwrap();
        let mapping = dir.path().join("m.toml");
        std::fs::write(&mapping, "from = 'from'\nto = 'to'\namount = 'amount'\ntime = 'time'\nasset_is = 'USD'")
            .unwrap();
        let (room, chain) = (Room::open(dir.path()), ChainCode::parse("bank").unwrap());
        let source = source(&chain, None, &[file], Some(&mapping)).unwrap();
        let loaded =
            crate::chain::load(&room, &chain, &source, &Default::default(), &mut |_| ControlFlow::Continue(()))
                .unwrap();
        let line = serde_json::to_value(LoadLine::of(&chain, &loaded)).unwrap();
        assert_eq!((&line["blocks"], &line["head"]["height"]), (&1.into(), &1.into()));
        let lines = inspect_lines(&room, None).unwrap();
        let json = serde_json::to_string(&lines).unwrap();
        assert_eq!((lines[0].txs, lines[0].partial, lines[0].txs_said), (1, None, None));
        assert!(json.contains(r#""chain":"bank""#) && json.contains("transfer.amount"));
        assert_eq!(lines[0].parts.iter().map(|part| part.bytes).sum::<u64>(), lines[0].bytes);
    }

    #[test]
    fn files_that_cannot_be_what_they_are_called_are_refused_before_a_folder_is_made_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        std::fs::write(&file, "").unwrap();
        let asked = |chain: &str, format, files: &[PathBuf], mapping: Option<&Path>| {
            source(&ChainCode::parse(chain).unwrap(), format, files, mapping).unwrap_err().to_string()
        };
        let files = [file.clone()];
        assert!(asked("bank", Some(Format::Transfers), &files, None).contains("--mapping"));
        assert!(asked("btc", None, &files, Some(&file)).contains("no mapping"));
        assert!(asked("bank", None, &[file.clone(), file.clone()], Some(&file)).contains("alone"));
        assert!(asked("btc", None, &[dir.path().join("none.dat")], None).contains("none.dat"));
        let loaded = |chain: &str| {
            let chain = ChainCode::parse(chain).unwrap();
            let source = source(&chain, None, &files, None).unwrap();
            let room = Room::open(&dir.path().join("money"));
            let done =
                crate::chain::load(&room, &chain, &source, &Default::default(), &mut |_| ControlFlow::Continue(()));
            done.unwrap_err().to_string()
        };
        assert!(loaded("doge").contains("cannot be read yet"));
        assert!(loaded("thai-bank").contains("--mapping"));
        assert!(loaded("eth").contains("no file has blocks"));
        assert!(!dir.path().join("money").exists());
    }
}
