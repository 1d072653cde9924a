//! What was fetched as a chain in columns: rewritten whole after each fetch, in order of height, for it is small and comes in any order.
use super::esplora::{UtxoTx, read_page, read_tx};
use super::pages::Pages;
use crate::chain::{Coin, Error, Family, Network, Result, decode_some, io};
use crate::columns::{Block, Head, Mode, Utxo, hex, replace};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The file that names the folder of the columns that hold.
const CURRENT: &str = "current";

/// Every transaction that the pages tell and whose block its chain still has. They were verified when they came, and are again.
pub fn known(pages: &Pages, family: Family) -> HashMap<[u8; 32], UtxoTx> {
    let mut known: HashMap<[u8; 32], UtxoTx> = HashMap::new();
    for (path, body) in pages.all() {
        let told = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["tx", id] => super::esplora::read_hash(id).and_then(|id| read_tx(body, &id, family)).map(|tx| vec![tx]),
            ["address", _, "txs", ..] => read_page(body, family),
            _ => continue,
        };
        for tx in told.into_iter().flatten() {
            let stands = tx.block.is_some_and(|block| !pages.is_stale(&hex(&block.hash)));
            if stands {
                known.insert(tx.id, tx);
            }
        }
    }
    known
}

/// The folder of the columns that hold, if anything was fetched.
///
/// # Errors
/// The disk; a file that names no folder.
pub fn current(dir: &Path) -> Result<Option<PathBuf>> {
    let path = dir.join(CURRENT);
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(dir.join(name))),
        Ok(_) => Err(Error::Unknown(format!("{}: names no folder: remove it and fetch again", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(&path)(error)),
    }
}

/// Writes columns into a folder beside those that hold, and puts them in their place; says what `write` says.
///
/// # Errors
/// The disk; what `write` says.
pub fn replaced(dir: &Path, write: impl FnOnce(&Path) -> Result<u64>) -> Result<u64> {
    let before = current(dir)?;
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok());
    let next = dir.join((before.as_ref().and_then(number).unwrap_or(0) + 1).to_string());
    // What an earlier writer left half-done.
    match std::fs::remove_dir_all(&next) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&next)(error)),
        _ => {}
    }
    let transactions = write(&next)?;
    let name = next.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    replace(&dir.join(CURRENT), name.as_bytes())?;
    if let Some(before) = before {
        std::fs::remove_dir_all(&before).map_err(io(&before))?;
    }
    Ok(transactions)
}

/// Writes the columns anew; says how many transactions they have.
///
/// # Errors
/// The disk; transactions that contradict each other.
pub fn rewrite(dir: &Path, network: Network, known: HashMap<[u8; 32], UtxoTx>) -> Result<u64> {
    replaced(dir, |next| {
        let mut chain = match network.family() {
            Family::BitcoinCash => Utxo::open_with_tokens(next, Mode::Write)?,
            _ => Utxo::open(next, Mode::Write)?,
        };
        append(&mut chain, network.family(), known)?;
        chain.commit(true)?;
        Ok(chain.txs())
    })
}

fn append(chain: &mut Utxo, family: Family, known: HashMap<[u8; 32], UtxoTx>) -> Result<()> {
    let mut blocks: BTreeMap<_, Vec<UtxoTx>> = BTreeMap::new();
    for tx in known.into_values() {
        if let Some(block) = tx.block {
            blocks.entry(block).or_default().push(tx);
        }
    }
    let mut block = Block::default();
    for (at, txs) in blocks {
        let txs = in_order(txs);
        let raw: Vec<u8> = txs.iter().flat_map(|tx| tx.raw.iter().copied()).collect();
        let each: Vec<(bool, Option<&[Coin]>)> = txs.iter().map(|tx| (tx.coinbase, tx.coins.as_deref())).collect();
        decode_some(&raw, &each, (family, at.time), &mut block)
            .map_err(|fault| Error::Unknown(format!("block {}: {}", at.height, fault.why)))?;
        // What lies between is not known: the record's own last block stands for the parent.
        let parent = chain.head().map_or([0; 32], |head| head.hash);
        block.head = Some(Head { height: at.height, hash: at.hash, parent });
        chain.append(&block)?;
        chain.commit(false)?;
    }
    Ok(())
}

/// The transactions of one block so that each stands behind those whose outputs it spends, else by id: endpoints do not tell places.
fn in_order(mut txs: Vec<UtxoTx>) -> Vec<UtxoTx> {
    txs.sort_by_key(|tx| (!tx.coinbase, tx.id));
    let mut waiting: HashSet<[u8; 32]> = txs.iter().map(|tx| tx.id).collect();
    let mut ordered = Vec::with_capacity(txs.len());
    while !txs.is_empty() {
        let ready = |tx: &UtxoTx| !tx.inputs.iter().any(|input| input.id != tx.id && waiting.contains(&input.id));
        let (mut now, later): (Vec<_>, Vec<_>) = txs.into_iter().partition(ready);
        if now.is_empty() {
            // No block has a circle; what an endpoint made up is kept as it is.
            ordered.extend(later);
            break;
        }
        for tx in &now {
            waiting.remove(&tx.id);
        }
        ordered.append(&mut now);
        txs = later;
    }
    ordered
}
