//! A chain's clusters as they stand: its record, the tags somebody may see, and the decisions that were taken.
use super::decision::{Decision, Witnessed, rule_named};
use super::standing::Standing;
use crate::chain::{Chain, ChainCode, Error, Network, Result, Room, address_key, address_text};
use crate::cluster::accounts::{Basis, Derived, Known, Params};
use crate::cluster::{Book, CoSpends, Exclusion, Link, Rule, measured};
use crate::columns::{Accounts, Mode, Utxo, hex};
use crate::evm::Profile;
use crate::tags::{BatchInfo, Sees, TagEvidence, Tags, evidence};

/// An open chain that names its addresses and transactions.
#[derive(Debug)]
pub enum Named {
    /// Bitcoin's family.
    Utxo(Box<Utxo>, Network),
    /// Accounts; without a profile their names are text.
    Accounts(Box<Accounts>, Option<Profile>),
}

impl Named {
    /// Opens a chain for reading.
    ///
    /// # Errors
    /// Nothing was loaded, or the files cannot be read.
    pub fn open(room: &Room, code: &ChainCode) -> Result<Named> {
        Ok(match room.chain(code, Mode::Read)? {
            Chain::Utxo(utxo, network) => Named::Utxo(Box::new(utxo), network),
            Chain::Accounts(accounts) => Named::Accounts(Box::new(accounts), Profile::of(code)),
        })
    }

    /// The number of an address as people write it.
    ///
    /// # Errors
    /// It is none of this chain's shape, or is not on record; the address is not repeated.
    pub fn address(&self, text: &str) -> Result<u32> {
        self.find(text)?.ok_or_else(|| Error::Unknown("the address is not on record".into()))
    }

    fn find(&self, text: &str) -> Result<Option<u32>> {
        let unknown = |why: &str| Error::Unknown(why.to_owned());
        match self {
            Named::Utxo(utxo, network) => {
                let script = text.trim().strip_prefix("script:").and_then(|key| hex::decode(key).ok());
                let key = script.or_else(|| address_key(text, *network)).ok_or_else(|| {
                    unknown("that is no address of this network: a character is wrong or missing, or it is another's")
                })?;
                Ok(utxo.find_address(&key))
            }
            Named::Accounts(accounts, Some(profile)) => {
                Ok(accounts.find_account(&profile.parse(text).map_err(unknown)?))
            }
            Named::Accounts(accounts, None) => Ok(accounts.find_account(text.as_bytes())),
        }
    }

    /// An address as its chain writes it; for a script without such a form, its key in hex.
    #[must_use]
    pub fn text(&self, address: u32) -> String {
        match self {
            Named::Utxo(utxo, network) => {
                let key = utxo.address_key(address).unwrap_or_default();
                address_text(key, *network).unwrap_or_else(|| format!("script:{}", hex::encode(key)))
            }
            Named::Accounts(accounts, profile) => {
                let name = accounts.account(address).unwrap_or_default();
                let text = || String::from_utf8_lossy(name).into_owned();
                profile.as_ref().map_or_else(text, |profile| profile.text(name))
            }
        }
    }

    /// An asset of a chain of accounts: the coin, or a token's contract.
    #[must_use]
    pub fn asset_text(&self, asset: u32) -> String {
        match self {
            Named::Utxo(..) => self.coin_text(),
            Named::Accounts(accounts, profile) => {
                let name = accounts.asset(asset).unwrap_or_default();
                let text = || String::from_utf8_lossy(name).into_owned();
                profile.as_ref().map_or_else(text, |profile| profile.text(name))
            }
        }
    }

    /// The name of the chain's coin; empty where it has none.
    #[must_use]
    pub fn coin_text(&self) -> String {
        match self {
            Named::Utxo(_, network) => network.code().to_owned(),
            Named::Accounts(_, profile) => profile.as_ref().map(|profile| profile.coin.to_owned()).unwrap_or_default(),
        }
    }

    /// The number of a transaction by its id.
    ///
    /// # Errors
    /// It is no id of this chain's shape, or is not on record.
    pub fn transaction(&self, id: &str) -> Result<u64> {
        let unknown = || Error::Unknown("the transaction is not on record: give its id as the chain writes it".into());
        let bytes = || ::hex::decode(id.trim().trim_start_matches("0x")).map_err(|_| unknown());
        let found = match self {
            Named::Utxo(utxo, _) => utxo.find_tx(&bytes()?.try_into().map_err(|_| unknown())?),
            Named::Accounts(accounts, Some(_)) => accounts.find_tx(&bytes()?),
            Named::Accounts(accounts, None) => accounts.find_tx(id.as_bytes()),
        };
        found.ok_or_else(unknown)
    }

    /// The id of a transaction.
    #[must_use]
    pub fn id(&self, tx: u64) -> String {
        match self {
            Named::Utxo(utxo, _) => utxo.id(tx).map(hex).unwrap_or_default(),
            Named::Accounts(accounts, profile) => {
                let id = accounts.id(tx).unwrap_or_default();
                match profile {
                    Some(profile) if profile.chain_id.is_some() => format!("0x{}", ::hex::encode(id)),
                    Some(_) => ::hex::encode(id),
                    None => String::from_utf8_lossy(id).into_owned(),
                }
            }
        }
    }

    /// How many addresses there are.
    #[must_use]
    pub fn addresses(&self) -> u64 {
        match self {
            Named::Utxo(utxo, _) => utxo.addresses(),
            Named::Accounts(accounts, _) => accounts.accounts(),
        }
    }
}

/// The clusters of a chain, solved, and what they were solved from.
#[derive(Debug)]
pub struct View<'a> {
    /// The chain.
    pub chain: &'a Named,
    /// Clusters with their witnesses.
    pub book: Book<'a>,
    /// Relations that unite nothing, of chains of accounts.
    pub derived: Derived,
    /// What counts as whom, by tags.
    pub known: Known,
    /// What tags say that are not excluded.
    pub tags: TagEvidence,
    /// Transactions that unite nothing by their shape, by why.
    pub spends: &'a CoSpends,
    /// The chain's decisions.
    pub decisions: &'a [Decision],
    /// What they come to.
    pub(super) standing: Standing,
    /// Of a chain of accounts, what its rules read.
    pub(super) basis: Option<Basis>,
}

impl View<'_> {
    /// Decisions that name what is not on record here, by their numbers.
    #[must_use]
    pub fn idle(&self) -> &[u64] {
        &self.standing.idle
    }

    /// Splits that something joins again: pairs, with their decision's number.
    pub fn broken(&self) -> impl Iterator<Item = (u64, u32, u32)> + '_ {
        let label = |address: u32| self.book.clusters().label(address);
        self.standing.splits.iter().copied().filter(move |(_, a, b)| label(*a) == label(*b))
    }

    /// Switches witnesses off or on in this view and solves again the clusters that they touch. Nothing is written. What tags say
    /// beside their signatures stays as it was.
    pub(super) fn switch<'w>(&mut self, what: impl IntoIterator<Item = &'w Witnessed>, on: bool) -> Result<()> {
        let mut turned = Vec::new();
        for one in what {
            if self.standing.switch(self.chain, one, on).is_none() {
                return Err(Error::Unknown("a witness is not on record of this chain".into()));
            }
            turned.extend(self.turned(one));
        }
        let done = if on { self.book.include(&turned) } else { self.book.exclude(&turned) };
        done.map_err(|error| wrong(self.chain, &error))?;
        if let Some(basis) = &self.basis {
            let links = basis.links(&self.known, &self.standing.before(&self.tags), &self.standing.excluded());
            self.book.restate(Rule::Controls, &links).map_err(|error| wrong(self.chain, &error))?;
        }
        Ok(())
    }

    /// What a witness is to the book. Of a chain of accounts a transaction is what its rules read.
    fn turned(&self, what: &Witnessed) -> Vec<Exclusion> {
        let links = &self.book.evidence().links;
        let numbered = |one: &dyn Fn(&Link) -> bool| -> Vec<u32> {
            (0u32..).zip(links).filter(|(_, link)| one(link)).map(|(number, _)| number).collect()
        };
        match what {
            Witnessed::Transaction(id) => {
                let tx = self.chain.transaction(id).ok().filter(|_| self.basis.is_none());
                tx.and_then(|tx| u32::try_from(tx).ok()).map(Exclusion::Transaction).into_iter().collect()
            }
            Witnessed::Rule(name) => rule_named(name).map(Exclusion::Rule).into_iter().collect(),
            Witnessed::Tags(batch) => {
                let batch = u32::try_from(*batch).ok();
                let signed = numbered(&|link| batch.is_some() && link.batch() == batch);
                batch.filter(|_| !signed.is_empty()).map(Exclusion::Tag).into_iter().collect()
            }
            Witnessed::Decision(number) => {
                let by_hand = |link: &Link| link.rule == Rule::Manual && u64::from(link.source) == *number;
                numbered(&by_hand).into_iter().map(Exclusion::Link).collect()
            }
        }
    }
}

fn wrong(chain: &Named, error: &crate::cluster::Error) -> Error {
    let kind = if matches!(chain, Named::Utxo(..)) { "coins" } else { "accounts" };
    Error::Unknown(format!("the clusters of this chain of {kind}: {error}"))
}

/// Solves a chain's clusters and gives them to `with`.
///
/// # Errors
/// The chain or the tags cannot be read, or it has more than 32 bits can number; whatever `with` returns.
pub fn with_view<T>(
    room: &Room,
    code: &ChainCode,
    (tags, sees): (&Tags, Sees<'_>),
    decisions: &[Decision],
    with: impl FnOnce(&mut View<'_>) -> Result<T>,
) -> Result<T> {
    let chain = Named::open(room, code)?;
    let own: Vec<Decision> = decisions.iter().filter(|one| one.body.chain == code.as_str()).cloned().collect();
    let wrong = |error: crate::cluster::Error| wrong(&chain, &error);
    let standing = Standing::read(&chain, &own);
    // An excluded batch says nothing: whose an address is, which are a service's, what was signed.
    let stays = |info: &BatchInfo| sees(info) && !standing.tags.contains(&info.id);
    let tags = evidence(tags, code.as_str(), &stays, |text| chain.find(text).ok().flatten());
    let known = Known::of(&tags);
    let (spends, basis) = match &chain {
        Named::Utxo(utxo, _) => (CoSpends::of(utxo).map_err(wrong)?, None),
        Named::Accounts(accounts, profile) => {
            let coin = profile.as_ref().map(|profile| profile.coin.as_bytes());
            let basis = Basis::read(accounts, coin, &known, Params::default());
            (CoSpends::none(chain.addresses()).map_err(wrong)?, Some(basis))
        }
    };
    let mut derived = match (&chain, &basis) {
        (Named::Accounts(accounts, _), Some(basis)) => {
            basis.derive(accounts, &known, &standing.before(&tags), &standing.excluded())
        }
        _ => Derived::default(),
    };
    let mut evidence = spends.evidence().map_err(wrong)?;
    let by_shape = evidence.off.clone();
    evidence.links = standing.united(&tags);
    evidence.links.append(&mut derived.links);
    evidence.rules_off.clone_from(&standing.rules);
    if basis.is_none() {
        for tx in standing.off.iter().filter_map(|tx| u32::try_from(*tx).ok()) {
            evidence.off.insert(tx);
        }
    }
    let mut book = Book::open_without(evidence, by_shape).map_err(wrong)?;
    for (rule, rate) in measured::rates() {
        book.measure(rule, rate);
    }
    let (chain, decisions) = (&chain, own.as_slice());
    with(&mut View { chain, book, derived, known, tags, spends: &spends, decisions, standing, basis })
}
