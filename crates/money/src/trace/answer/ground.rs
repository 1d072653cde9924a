//! One asset of a chain of accounts, ready to be traced: its names, and where traces end by themselves.
use super::{LOOKED_AT, SERVICE, unknown};
use crate::chain::{ChainCode, Result};
use crate::columns::{Accounts, Standing, Untraceable as Why};
use crate::evm::Profile;
use crate::tags::{Sees, Tags, evidence};
use crate::trace::{Limits, Method, OfAsset, Trace, Untraceable, trace};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// What a trace goes over.
pub struct Ground<'a> {
    pub names: Names<'a>,
    pub stops: Stops<'a>,
    of: OfAsset<'a>,
    overflow: bool,
}

impl<'a> Ground<'a> {
    /// Accounts named in `stops` end a trace too; those in `past` do not though they look like services.
    pub fn new(
        names: Names<'a>,
        (chain, asset): (&ChainCode, u32),
        (stops, past): (&[String], &[String]),
        (tags, sees): (Option<&Tags>, Sees<'_>),
    ) -> Result<Ground<'a>> {
        let accounts = names.accounts;
        let standing = accounts.standings()?.get(asset as usize).copied().unwrap_or_default();
        // Where somebody paid more than they had on record, the record is a part: what anybody had before is not known.
        let partial = matches!(standing, Standing::Untraceable(Why::Negative, _));
        let of = OfAsset { chain: accounts, asset, partial };
        let mut tagged = HashMap::new();
        if let Some(tags) = tags {
            let find = |text: &str| names.parse(text).ok().and_then(|name| accounts.find_account(&name));
            let told = evidence(tags, chain.as_str(), sees, find);
            for (account, party) in &told.services {
                let party = told.parties.get(*party as usize).cloned().unwrap_or_default();
                tagged.insert(*account, party);
            }
        }
        let (asked, past) = (names.numbers(stops)?, names.numbers(past)?);
        let stops = Stops { of, tagged, asked, past, known: RefCell::default() };
        let overflow = matches!(standing, Standing::Untraceable(Why::Overflow, _));
        Ok(Ground { names, stops, of, overflow })
    }

    /// Traces the money of some transfers together.
    ///
    /// # Errors
    /// [`Untraceable`].
    pub fn trace(&self, sources: &[u64], method: Method, limits: Limits) -> std::result::Result<Trace, Untraceable> {
        if self.overflow {
            return Err(Untraceable::Overflow);
        }
        trace(&self.of, sources, method, limits, &|account| self.stops.why(account).is_some())
    }
}

/// Names and numbers of one chain of accounts.
pub struct Names<'a> {
    pub accounts: &'a Accounts,
    pub profile: Option<Profile>,
}

impl Names<'_> {
    pub fn parse(&self, text: &str) -> Result<Vec<u8>> {
        match &self.profile {
            Some(profile) => profile.parse(text).map_err(|why| unknown(why.to_owned())),
            None => Ok(text.as_bytes().to_vec()),
        }
    }
    pub fn text(&self, bytes: &[u8]) -> String {
        match &self.profile {
            Some(profile) => profile.text(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
    pub fn account(&self, number: u32) -> String {
        self.accounts.account(number).map_or_else(|| "not loaded".to_owned(), |bytes| self.text(bytes))
    }
    pub fn numbers(&self, of: &[String]) -> Result<BTreeSet<u32>> {
        let number = |text: &String| {
            self.accounts.find_account(&self.parse(text)?).ok_or_else(|| unknown(format!("{text} is not on record")))
        };
        of.iter().map(number).collect()
    }
    pub fn tx_id(&self, tx: u64) -> String {
        let id = self.accounts.id(tx).unwrap_or_default();
        match &self.profile {
            // TRON writes its ids bare.
            Some(profile) if profile.chain_id.is_some() => format!("0x{}", ::hex::encode(id)),
            Some(_) => ::hex::encode(id),
            None => String::from_utf8_lossy(id).into_owned(),
        }
    }
    pub fn find_tx(&self, text: &str) -> Option<u64> {
        let bare = text.strip_prefix("0x").unwrap_or(text);
        let bytes = ::hex::decode(bare).ok().filter(|_| self.profile.is_some());
        self.accounts.find_tx(&bytes.unwrap_or_else(|| text.as_bytes().to_vec()))
    }
    /// The transfer that is meant, by its place among those that move something.
    pub fn source(&self, tx: u64, nth: Option<usize>) -> Result<(u64, usize)> {
        let moves = |number: &u64| {
            self.accounts.transfer(*number).is_some_and(|t| t.edge && t.from != t.to && !t.amount.is_zero())
        };
        let all: Vec<u64> = self.accounts.transfers_of(tx).filter(moves).collect();
        let told = |(place, number): (usize, &u64)| {
            let t = self.accounts.transfer(*number)?;
            let asset = self.text(self.accounts.asset(t.asset).unwrap_or_default());
            let (from, to) = (self.account(t.from), self.account(t.to));
            let amount = t.amount.to_u128().map_or_else(|| "more than fits".to_owned(), |n| n.to_string());
            Some(format!("{place}: {from} pays {to} {amount} of {asset} ({})", t.kind.name()))
        };
        match (nth, all.as_slice()) {
            (_, []) => Err(unknown("the transaction moves nothing")),
            (None, [one]) => Ok((*one, 0)),
            (Some(nth), many) if nth < many.len() => Ok((many.get(nth).copied().unwrap_or_default(), nth)),
            (_, many) => {
                let list: Vec<String> = many.iter().enumerate().filter_map(told).collect();
                Err(unknown(format!("say which of its transfers (--transfer N):\n  {}", list.join("\n  "))))
            }
        }
    }
}

/// Where a trace ends by itself, and why.
pub struct Stops<'a> {
    of: OfAsset<'a>,
    pub tagged: HashMap<u32, String>,
    asked: BTreeSet<u32>,
    past: BTreeSet<u32>,
    known: RefCell<HashMap<u32, bool>>,
}

impl Stops<'_> {
    pub fn why(&self, account: u32) -> Option<&'static str> {
        if self.asked.contains(&account) {
            Some("asked for")
        } else if self.past.contains(&account) {
            None
        } else if self.tagged.contains_key(&account) {
            Some("tagged service")
        } else if *self.known.borrow_mut().entry(account).or_insert_with(|| self.mixes(account)) {
            Some("unidentified service")
        } else {
            None
        }
    }
    /// Whether many pay it and it pays many.
    fn mixes(&self, account: u32) -> bool {
        let history = self.of.chain.history(account, self.of.asset);
        if history.len() < (SERVICE.0 + SERVICE.1) as u64 {
            return false;
        }
        let (mut payers, mut paid) = (BTreeSet::new(), BTreeSet::new());
        for step in history.steps(0).take(LOOKED_AT) {
            if let Some(t) = self.of.chain.transfer(step.transfer).filter(|t| t.edge) {
                if t.to == account {
                    payers.insert(t.from)
                } else {
                    paid.insert(t.to)
                };
            }
            if payers.len() >= SERVICE.0 && paid.len() >= SERVICE.1 {
                return true;
            }
        }
        false
    }
}
