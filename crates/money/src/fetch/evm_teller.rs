//! Asking an API like Etherscan's about transactions and accounts: [`super::told::Teller`].
use super::asker::{Asked, Asker, Read};
use super::etherscan::{List, ROWS, Wanted, read_balance, read_inner, read_page, read_proxied, take};
use super::told::{Account, Gathered, Point, Teller, Told};
use crate::columns::{Amount, hex};
use crate::evm::{Address, Hash, Profile, Stood, header, number, read_one};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// An endpoint like Etherscan.
pub struct Etherscan<'a, 'b> {
    ask: &'a mut Asker<'b>,
    profile: &'a Profile,
    chain: u64,
    /// Blocks that answers named.
    seen: BTreeSet<(u64, Hash)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    chain_id: Option<String>,
    #[serde(default)]
    input: String,
}

#[derive(Deserialize)]
struct Dated {
    timestamp: String,
}

/// The question of a transaction's receipt.
pub fn receipt_path(chain: u64, id: &Hash) -> String {
    format!("?chainid={chain}&module=proxy&action=eth_getTransactionReceipt&txhash=0x{}", hex(id))
}

impl<'a, 'b> Etherscan<'a, 'b> {
    /// Asks nothing yet.
    pub fn new(ask: &'a mut Asker<'b>, profile: &'a Profile) -> Etherscan<'a, 'b> {
        Etherscan { ask, profile, chain: profile.chain_id.unwrap_or(0), seen: BTreeSet::new() }
    }

    fn proxy(&self, what: &str) -> String {
        format!("?chainid={}&module=proxy&action={what}", self.chain)
    }

    fn raw(&mut self, path: &str) -> Asked<Option<Box<RawValue>>> {
        self.ask.must(path, |text| read_proxied(text, |raw| Ok(raw.to_owned())))
    }

    /// Never from what is stored: another endpoint may have told that.
    fn hash_at(&mut self, height: u64) -> Asked<Option<Hash>> {
        let path = self.proxy(&format!("eth_getBlockByNumber&tag={height:#x}&boolean=false"));
        let read = |raw: &RawValue| match header(raw)? {
            Some((told, hash, _)) if told == height => Ok(hash),
            _ => Err("another block than was asked for".to_owned()),
        };
        Ok(self.ask.anew(&path, |text| read_proxied(text, read))?.flatten())
    }

    fn receipt(&mut self, id: &Hash, tx: Option<&RawValue>) -> Asked<Stood> {
        let path = receipt_path(self.chain, id);
        let read = |raw: &RawValue| {
            let stood = read_one(tx, raw)?;
            if stood.tx.id == *id { Ok(stood) } else { Err("it tells another transaction in its place".to_owned()) }
        };
        let lasting = |text: &str| {
            Ok(match read_proxied(text, read)? {
                Read::Now(Some(stood)) => Read::Lasting(Some(stood)),
                other => other,
            })
        };
        self.ask.must(&path, lasting)?.ok_or_else(|| self.ask.fault(&path, "no block has it yet"))
    }

    /// Takes back what the chain no longer has, from the highest block that answers named down to the first that it has; `but` is known to
    /// be there.
    fn unwind(&mut self, but: Option<Hash>) -> Asked<u64> {
        let mut unwound = 0;
        let blocks: Vec<(u64, Hash)> = self.seen.iter().rev().filter(|(_, hash)| Some(*hash) != but).copied().collect();
        for (height, hash) in blocks {
            if self.hash_at(height)? == Some(hash) {
                break;
            }
            self.ask.unwind(&hex(&hash))?;
            self.seen.remove(&(height, hash));
            unwound += 1;
        }
        Ok(unwound)
    }

    /// A list and a receipt name two blocks: what the chain does not have goes, and what was seen below it too.
    fn parted(&mut self, told: &Told, stood: &Stood) -> Asked<()> {
        if told.hash.is_none_or(|listed| listed == stood.hash) {
            return Ok(());
        }
        let stands = self.hash_at(stood.height)? == Some(stood.hash);
        let mut gone = self.unwind(Some(stood.hash))?;
        if !stands {
            self.ask.unwind(&hex(&stood.hash))?;
            gone += 1;
        }
        let why = match gone {
            0 => "both stand: the endpoint is wrong, or lies",
            _ => "the chain reorganised meanwhile. The same command again goes on from there",
        };
        let id = hex(&stood.tx.id);
        let why = format!("a list and the receipt of transaction {id} name two blocks: {why}");
        Err(self.ask.fault(&receipt_path(self.chain, &stood.tx.id), why))
    }
}

impl Teller for Etherscan<'_, '_> {
    fn begin(&mut self, known: &Gathered) -> Asked<(u64, u64)> {
        let path = self.proxy("eth_blockNumber");
        let read = |raw: &RawValue| {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| "is no height".to_owned())?;
            number(&text, "the height")
        };
        let tip = self.ask.anew(&path, |text| read_proxied(text, read))?.flatten();
        let tip = tip.ok_or_else(|| self.ask.fault(&path, "it does not tell where its chain ends"))?;
        if let Some(first) = self.profile.first {
            let told = self.hash_at(0)?;
            if told != Some(first) {
                let told = told.map_or_else(|| "nothing".into(), |told| hex(&told));
                let why = format!("it serves another chain: block 0 is {}, and it has {told}", hex(&first));
                return Err(self.ask.fault(&self.proxy("eth_getBlockByNumber"), why));
            }
        }
        self.seen = known.txs.values().filter_map(|told| told.height.zip(told.hash)).collect();
        let (low, high): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut self.seen).into_iter().partition(|at| at.0 <= tip);
        // The chain has become shorter.
        high.iter().try_for_each(|(_, hash)| self.ask.unwind(&hex(hash)))?;
        self.seen = low;
        Ok((tip, self.unwind(None)? + high.len() as u64))
    }

    fn payment(&mut self, id: &Hash) -> Asked<Told> {
        let path = self.proxy(&format!("eth_getTransactionByHash&txhash=0x{}", hex(id)));
        let raw = self.raw(&path)?.ok_or_else(|| self.ask.fault(&path, "it does not have that"))?;
        let said: Said = serde_json::from_str(raw.get()).map_err(|_| self.ask.fault(&path, "cannot be read"))?;
        let other =
            said.chain_id.as_deref().is_some_and(|told| number(told, "the chain's id").ok() != Some(self.chain));
        if other {
            return Err(self.ask.fault(&path, "it tells a transaction of another chain"));
        }
        let stood = self.receipt(id, Some(&raw))?;
        self.seen.insert((stood.height, stood.hash));
        let path = self.proxy(&format!("eth_getBlockByNumber&tag={:#x}&boolean=false", stood.height));
        let dated = |raw: &RawValue| {
            let block: Dated = serde_json::from_str(raw.get()).map_err(|_| "cannot be read".to_owned())?;
            let time = u32::try_from(number(&block.timestamp, "the time")?).map_err(|_| "the time is too large")?;
            Ok((header(raw)?.map(|(_, hash, _)| hash), time))
        };
        let block = self.ask.must(&path, |text| read_proxied(text, dated))?;
        let Some((_, time)) = block.filter(|(hash, _)| *hash == Some(stood.hash)) else {
            return Err(self.ask.fault(&path, "it has another block than the transaction's: ask again with --anew"));
        };
        let mut told = Told {
            height: Some(stood.height),
            hash: Some(stood.hash),
            time,
            tx: stood.tx,
            whole: true,
            ..Told::default()
        };
        // Only a call can move coins in other places than its own.
        if said.input.len() > 2 && stood.ok != Some(false) {
            let path = inner_path(self.chain, id);
            let calls = self.ask.must(&path, read_inner)?;
            told.calls = (0..).map(|place| vec![place]).zip(calls).collect();
            told.whole_calls = true;
        }
        Ok(told)
    }

    fn confirm(&mut self, told: &Told) -> Asked<Told> {
        let stood = self.receipt(&told.tx.id, None)?;
        self.parted(told, &stood)?;
        let path = receipt_path(self.chain, &told.tx.id);
        let wrong = |why: &str| Err(format!("transaction {}: {why}", hex(&told.tx.id)));
        let failed = told.tx.body.as_ref().and_then(|body| body.ok).is_some_and(|ok| Some(ok) != stood.ok.or(Some(ok)));
        let agreed = match () {
            () if told.height.is_some_and(|height| height != stood.height) => wrong("a list tells another height"),
            () if failed || (stood.ok == Some(false) && !told.tx.logs.is_empty()) => {
                wrong("a list and the receipt do not agree on whether it failed")
            }
            () => told.borne_out(&stood.tx.logs).or_else(|why| wrong(&why)),
        };
        agreed.map_err(|why| self.ask.fault(&path, why))?;
        let mut whole = told.clone();
        (whole.height, whole.hash, whole.whole) = (Some(stood.height), Some(stood.hash), true);
        (whole.tx.logs, whole.tx.place) = (stood.tx.logs, stood.tx.place);
        Ok(whole)
    }

    fn history(&mut self, of: &Account<'_>, since: Point) -> Asked<(Gathered, bool)> {
        let coin = self.profile.coin.as_bytes();
        let token = of.asset.filter(|asset| *asset != coin).and_then(|asset| Address::try_from(asset).ok());
        let lists: &[List] = match of.asset {
            None => &[List::Signed, List::Inner, List::Tokens],
            Some(asset) if asset == coin => &[List::Signed, List::Inner],
            Some(_) => &[List::Tokens],
        };
        let mut all = Gathered::default();
        for list in lists {
            let rows = ROWS.min(usize::try_from(of.most).unwrap_or(ROWS)).max(2);
            let first = Wanted { list: *list, account: *of.address, token, since: since.1, page: None, rows };
            let (mut next, mut many) = (Some(first), 0);
            let mut one = Gathered::default();
            while let Some(wanted) = next.take() {
                let path = wanted.path(self.chain);
                let rows = self.ask.must(&path, |text| read_page(text, &wanted, self.profile))?;
                many += rows.len() as u64;
                self.seen.extend(rows.iter().filter_map(|(height, told, _)| Some((*height, told.hash?))));
                next = take(&mut one, &wanted, rows).map_err(|why| self.ask.fault(&path, why))?;
                if next.is_some() && many >= of.most {
                    return Ok((one, true));
                }
            }
            all.merge(one);
        }
        Ok((all, false))
    }

    fn balance(&mut self, account: &Address, asset: &[u8]) -> Asked<Option<Amount>> {
        let of = hex::encode(account);
        let what = match Address::try_from(asset) {
            _ if asset == self.profile.coin.as_bytes() => format!("balance&address=0x{of}"),
            Ok(token) => format!("tokenbalance&contractaddress=0x{}&address=0x{of}", hex::encode(token)),
            Err(_) => return Ok(None),
        };
        let path = format!("?chainid={}&module=account&action={what}&tag=latest", self.chain);
        self.ask.must(&path, read_balance).map(Some)
    }

    fn note(&mut self, name: &str, body: String) -> Asked<()> {
        self.ask.note(name, body)
    }
}

/// The question of a transaction's inner calls.
pub fn inner_path(chain: u64, id: &Hash) -> String {
    format!("?chainid={chain}&module=account&action=txlistinternal&txhash=0x{}", hex(id))
}
