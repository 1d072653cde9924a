//! Asking an API like TronGrid's about transactions and accounts: [`super::told::Teller`].
use super::asker::{Asked, Asker, Read};
use super::told::{Account, Gathered, Point, Teller, Told};
use super::trongrid::{Wanted, read_holdings, read_page, take};
use crate::columns::{Amount, hex};
use crate::evm::{Address, Hash, Profile, TRON_GENESIS, TronInfo, fixed, read_info};
use crate::node::without_text;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

/// A block under so many others stays (two thirds of the 27 who make blocks have built on it).
const SOLID: u64 = 19;

/// An endpoint like TronGrid.
pub struct TronGrid<'a, 'b> {
    ask: &'a mut Asker<'b>,
    profile: &'a Profile,
    tip: u64,
}

/// What a page of a transaction's info or of itself is stored as.
pub fn name(what: &str, id: &Hash) -> String {
    format!("wallet/{what}?value={}", hex(id))
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "blockID", default)]
    id: String,
}

fn height_of(text: &str) -> Result<(u64, String), String> {
    let block: Block =
        serde_json::from_str(text).map_err(|error| format!("cannot be read ({})", without_text(&error)))?;
    // A block's id begins with its height.
    let hash: Hash = fixed(&block.id).ok_or("a block's hash cannot be read")?;
    Ok((hash.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first)), block.id))
}

/// What an info says of a transaction.
pub fn told(info: TronInfo) -> Result<Told, String> {
    let mut tx = info.tx;
    let calls: BTreeMap<_, _> = (0..).map(|place| vec![place]).zip(std::mem::take(&mut tx.calls)).collect();
    let time = u32::try_from(info.time / 1000).map_err(|_| "its time cannot be read")?;
    // Nodes do not keep inner calls by default: none told are not none.
    let whole_calls = !calls.is_empty();
    Ok(Told { height: Some(info.height), hash: None, time, tx, calls, whole: true, whole_calls })
}

impl<'a, 'b> TronGrid<'a, 'b> {
    /// Asks nothing yet.
    pub fn new(ask: &'a mut Asker<'b>, profile: &'a Profile) -> TronGrid<'a, 'b> {
        TronGrid { ask, profile, tip: 0 }
    }

    fn info(&mut self, id: &Hash, tx: Option<&str>) -> Asked<Told> {
        let (name, last) = (name("gettransactioninfobyid", id), self.tip.saturating_sub(SOLID));
        let read = |text: &str| {
            let Some(info) = read_info(tx, text)? else { return Ok(Read::Now(None)) };
            if info.tx.id != *id {
                return Err("it tells another transaction in its place".to_owned());
            }
            let (ok, solid) = (info.ok, info.height <= last);
            let found = Some((told(info)?, ok));
            Ok(if solid { Read::Lasting(found) } else { Read::Now(found) })
        };
        let body = json!({"value": hex(id)});
        let found = self.ask.post(("wallet/gettransactioninfobyid", &body, &name), read)?.flatten();
        let (told, ok) = found.ok_or_else(|| self.ask.fault(&name, "no block has it yet"))?;
        if !ok && !told.tx.logs.is_empty() {
            return Err(self.ask.fault(&name, "it failed, and has logs"));
        }
        Ok(told)
    }
}

impl Teller for TronGrid<'_, '_> {
    fn begin(&mut self, _: &Gathered) -> Asked<(u64, u64)> {
        let path = "wallet/getblockbynum";
        let read = |text: &str| height_of(text).map(Read::Now);
        let first = self.ask.post_anew((path, &json!({"num": 0}), "wallet/getblockbynum?num=0"), read)?;
        if first.is_none_or(|(_, id)| id != TRON_GENESIS) {
            let why = "it serves another chain than TRON's main network, or lacks its first block";
            return Err(self.ask.fault(path, why));
        }
        let path = "wallet/getnowblock";
        let now = self.ask.post_anew((path, &json!({}), path), read)?;
        self.tip = now.map(|(height, _)| height).ok_or_else(|| self.ask.fault(path, "it is not there"))?;
        // Lists tell what is irreversible alone, and infos of later blocks are asked for again.
        Ok((self.tip, 0))
    }

    fn payment(&mut self, id: &Hash) -> Asked<Told> {
        let name = name("gettransactionbyid", id);
        let read = |text: &str| Ok(Read::Lasting(text.to_owned()));
        let body = json!({"value": hex(id)});
        let tx = self.ask.post(("wallet/gettransactionbyid", &body, &name), read)?;
        let tx = tx.filter(|tx| tx.trim() != "{}").ok_or_else(|| self.ask.fault(&name, "it does not have that"))?;
        self.info(id, Some(&tx))
    }

    fn confirm(&mut self, told: &Told) -> Asked<Told> {
        let info = self.info(&told.tx.id, None)?;
        let name = name("gettransactioninfobyid", &told.tx.id);
        let wrong = |why: &str| format!("transaction {}: {why}", hex(&told.tx.id));
        let agreed = match () {
            () if told.time != info.time => Err(wrong("a list tells another time")),
            () if told.height.is_some_and(|height| Some(height) != info.height) => {
                Err(wrong("a list tells another height"))
            }
            () => told.borne_out(&info.tx.logs).map_err(|why| wrong(&why)),
        };
        agreed.map_err(|why| self.ask.fault(&name, why))?;
        let mut whole = info;
        whole.tx.body.clone_from(&told.tx.body);
        if !whole.whole_calls {
            whole.calls.clone_from(&told.calls);
        }
        Ok(whole)
    }

    fn history(&mut self, of: &Account<'_>, since: Point) -> Asked<(Gathered, bool)> {
        let token = of.asset.and_then(|asset| Address::try_from(asset).ok());
        // The coin and tokens of TRC-10 stand among transactions.
        let lists: &[Option<Option<Address>>] = match (of.asset, token) {
            (None, _) => &[None, Some(None)],
            (Some(_), Some(token)) => &[Some(Some(token))],
            (Some(_), None) => &[None],
        };
        let mut all = Gathered::default();
        for tokens in lists {
            let wanted = Wanted { account: *of.address, tokens: *tokens, since: 1000 * u64::from(since.0) };
            let (mut path, mut many, mut seen) = (Some(wanted.path(self.profile)), 0, HashSet::new());
            let mut one = Gathered::default();
            while let Some(at) = path.take() {
                if !seen.insert(at.clone()) {
                    return Err(self.ask.fault(&at, "it repeats a page that it told before"));
                }
                let page = self.ask.must(&at, |text| read_page(text, &wanted, self.profile))?;
                many += page.rows.len() as u64;
                path = page.next.as_deref().map(|next| wanted.next(next, self.profile));
                take(&mut one, page);
                if path.is_some() && many >= of.most {
                    return Ok((one, true));
                }
            }
            all.merge(one);
        }
        Ok((all, false))
    }

    fn balance(&mut self, account: &Address, asset: &[u8]) -> Asked<Option<Amount>> {
        let path = format!("v1/accounts/{}?only_confirmed=true", self.profile.text(account));
        let (coin, tokens) = self.ask.must(&path, |text| read_holdings(text, account))?;
        Ok(match Address::try_from(asset) {
            Ok(token) => Some(tokens.get(&token).copied().unwrap_or_default()),
            Err(_) if asset == self.profile.coin.as_bytes() => Some(coin),
            Err(_) => None,
        })
    }

    fn note(&mut self, name: &str, body: String) -> Asked<()> {
        self.ask.note(name, body)
    }
}
