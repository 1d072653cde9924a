//! What was fetched of a chain of accounts as columns: the blocks of the transactions told, by the same rules as a load's, and the
//! opening balances that follow.
use super::evm_teller::receipt_path;
use super::pages::Pages;
use super::told::{Gathered, Told};
use super::{etherscan, snapshot, tron_teller, trongrid};
use crate::chain::{Error, Result};
use crate::columns::{
    Accounts, Amount, BlockFlags, Head, Kind, Mode, NewTransfer, Span, TransferBlock, TransferTx, TxFlags, hex,
};
use crate::evm::{Hash, Profile, RawBlock, Writing, entries, fixed, made_hash, read_info};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;

/// What a page of `opening/…` says.
#[derive(Deserialize)]
struct Noted {
    height: u64,
    hash: Option<String>,
    amount: String,
}

/// A block's hash and time.
#[derive(Deserialize)]
struct Dated {
    hash: String,
    timestamp: String,
}

/// An opening balance: of whom and what, before which block, how much.
struct Opening {
    account: Vec<u8>,
    asset: Vec<u8>,
    height: u64,
    amount: Amount,
}

/// Every transaction that the pages tell and whose block its chain still has.
pub fn known(pages: &Pages, profile: &Profile) -> Gathered {
    let mut all = Gathered::default();
    let page = |path: &str| pages.last(path);
    for (path, _) in pages.all().filter(|(path, _)| pages.last(path).is_some()) {
        let list = match profile.writing {
            Writing::Hex => {
                let first = etherscan::Wanted::of(path).filter(|wanted| wanted.page.is_none());
                first.map(|first| etherscan::restore(first, (profile.chain_id.unwrap_or(0), profile), &page))
            }
            Writing::Tron => trongrid::Wanted::of(path, profile).map(|first| trongrid::restore(&first, profile, &page)),
        };
        all.merge(list.unwrap_or_default());
    }
    // Transactions by themselves need what lists tell of them: the time, who signed.
    for (path, body) in pages.all().filter(|(path, _)| pages.last(path).is_some()) {
        let told = match profile.writing {
            Writing::Hex => receipt(path, body, pages, profile),
            Writing::Tron => info(path, body, pages),
        };
        let Some(mut told) = told else { continue };
        if told.time == 0 {
            let Some(listed) = all.txs.get(&told.tx.id) else { continue };
            told.time = listed.time;
        }
        let mut one = Gathered::default();
        one.txs.insert(told.tx.id, told);
        all.merge(one);
    }
    all.txs.retain(|_, told| told.hash.is_none_or(|hash| !pages.is_stale(&hex(&hash))));
    all
}

fn proxied(body: &str) -> Option<Box<RawValue>> {
    match etherscan::read_proxied(body, |raw| Ok(raw.to_owned())) {
        Ok(super::asker::Read::Now(found)) => found,
        _ => None,
    }
}

/// A receipt, with its transaction where that was asked for.
fn receipt(path: &str, body: &str, pages: &Pages, profile: &Profile) -> Option<Told> {
    let chain = profile.chain_id.unwrap_or(0);
    let id: Hash = fixed(path.split_once("action=eth_getTransactionReceipt&txhash=")?.1)?;
    if path != receipt_path(chain, &id) {
        return None;
    }
    let page = |path: String| pages.last(&path);
    let tx = page(path.replace("eth_getTransactionReceipt", "eth_getTransactionByHash")).and_then(proxied);
    let stood = crate::evm::read_one(tx.as_deref(), &proxied(body)?).ok()?;
    let block =
        format!("?chainid={chain}&module=proxy&action=eth_getBlockByNumber&tag={:#x}&boolean=false", stood.height);
    let dated = page(block).and_then(proxied).and_then(|raw| serde_json::from_str::<Dated>(raw.get()).ok());
    let time = dated.filter(|dated| fixed(&dated.hash) == Some(stood.hash));
    let time = time.and_then(|dated| u32::try_from(crate::evm::number(&dated.timestamp, "").ok()?).ok()).unwrap_or(0);
    let inner = page(super::evm_teller::inner_path(chain, &id)).map(etherscan::read_inner);
    let calls = match inner {
        Some(Ok(super::asker::Read::Now(calls))) => Some(calls),
        _ => None,
    };
    Some(Told {
        height: Some(stood.height),
        hash: Some(stood.hash),
        time,
        tx: stood.tx,
        whole: true,
        whole_calls: calls.is_some(),
        calls: (0..).map(|place| vec![place]).zip(calls.into_iter().flatten()).collect(),
    })
}

fn info(path: &str, body: &str, pages: &Pages) -> Option<Told> {
    let id: Hash = fixed(path.strip_prefix("wallet/gettransactioninfobyid?value=")?)?;
    let tx = pages.last(&tron_teller::name("gettransactionbyid", &id));
    tron_teller::told(read_info(tx, body).ok()??).ok()
}

fn openings(pages: &Pages) -> Vec<Opening> {
    let read = |(path, body): (&str, &str)| {
        let (account, asset) = path.strip_prefix("opening/")?.split_once('/')?;
        let noted: Noted = serde_json::from_str(body).ok()?;
        let gone = noted.hash.is_some_and(|hash| pages.is_stale(&hash));
        let (account, asset) = (hex::decode(account).ok()?, hex::decode(asset).ok()?);
        Some(Opening { account, asset, height: noted.height, amount: Amount::parse(&noted.amount, 0)? })
            .filter(|_| !gone)
    };
    pages.all().filter_map(read).collect()
}

/// Writes the columns anew and puts them in place; says how many transactions they have.
///
/// # Errors
/// The disk; amounts that do not fit.
pub fn rewrite(dir: &Path, profile: &Profile, pages: &Pages, known: &Gathered) -> Result<u64> {
    let mut blocks = blocks(profile, known)?;
    for opening in openings(pages) {
        open(&mut blocks, &opening);
    }
    snapshot::replaced(dir, |next| {
        let mut chain = Accounts::open(next, Mode::Write)?;
        for mut block in blocks.into_values() {
            if let Some(head) = &mut block.head {
                // What lies between is not known: the record's own last block stands for the parent.
                head.parent = chain.head().map_or([0; 32], |head| head.hash);
            }
            chain.append(&block)?;
            chain.commit(false)?;
        }
        chain.commit(true)?;
        let txs = (0..chain.txs()).filter(|tx| !chain.tx_flags(*tx).has(TxFlags::BLOCK)).count();
        Ok(txs as u64)
    })
}

/// The transactions whose height is told, block by block. A height that is told with two hashes has the first.
fn blocks(profile: &Profile, known: &Gathered) -> Result<BTreeMap<u64, TransferBlock>> {
    let mut raws: BTreeMap<u64, RawBlock> = BTreeMap::new();
    for told in known.txs.values() {
        let Some(height) = told.height else { continue };
        let raw = raws.entry(height).or_insert_with(|| RawBlock {
            height,
            time: Some(told.time),
            with_logs: true,
            with_traces: true,
            ..RawBlock::default()
        });
        raw.hash = raw.hash.or(told.hash);
        raw.txs.push(told.raw());
    }
    let mut blocks = BTreeMap::new();
    for (height, mut raw) in raws {
        raw.txs.sort_by_key(|tx| (tx.place.unwrap_or(u32::MAX), tx.id));
        let read = entries(&raw, profile, &known.fakes);
        let (mut block, _) = read.map_err(|wrong| Error::Unknown(format!("block {height}: {}", wrong.why)))?;
        block.flags = block.flags.with(BlockFlags::PARTIAL);
        let hash = raw.hash.unwrap_or_else(|| made_hash(height, None, &block));
        block.head = Some(Head { height, hash, parent: [0; 32] });
        blocks.insert(height, block);
    }
    Ok(blocks)
}

/// Puts an opening balance before the account's first entry on record, less what other pages tell of it before the height that the
/// balance is known from; more than that was never there, then nothing is said.
fn open(blocks: &mut BTreeMap<u64, TransferBlock>, opening: &Opening) {
    let mut first = None;
    let (mut received, mut paid) = (Amount::default(), Amount::default());
    for (height, block) in blocks.range(..=opening.height) {
        let own = |span: Span| block.bytes(span) == opening.account;
        for transfer in block.transfers.iter().filter(|one| block.bytes(one.asset) == opening.asset) {
            if !own(transfer.from) && !own(transfer.to) {
                continue;
            }
            first = first.or(Some(*height));
            if *height < opening.height {
                let sum = if own(transfer.to) { &mut received } else { &mut paid };
                *sum = sum.plus(&transfer.amount).unwrap_or(*sum);
            }
        }
    }
    let amount = opening.amount.plus(&paid).and_then(|sum| sum.minus(&received)).filter(|amount| !amount.is_zero());
    let Some((block, amount)) = first.and_then(|height| blocks.get_mut(&height)).zip(amount) else { return };
    let (to, asset) = (block.key(&opening.account), block.key(&opening.asset));
    let (time, flags) = (block.time, TxFlags::BLOCK);
    block.txs.insert(0, TransferTx { time, transfers: 1, flags, ..TransferTx::default() });
    block.transfers.insert(0, NewTransfer { to, asset, amount, kind: Kind::Opening, ..NewTransfer::default() });
    block.allowances.iter_mut().for_each(|allowance| allowance.before += 1);
    block.controls.iter_mut().for_each(|control| control.tx += 1);
}
