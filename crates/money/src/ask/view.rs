//! A chain's clusters as they stand: its record, the tags somebody may see, and the decisions that were taken.
use super::decision::{Decision, Deed, Witnessed, rule_named};
use crate::chain::{Chain, ChainCode, Error, Network, Result, Room, address_key, address_text};
use crate::cluster::accounts::{Derived, Excluded, Known, Params, derive};
use crate::cluster::{Book, CoSpends, Evidence, Link, Rule, measured};
use crate::columns::{Accounts, Mode, NOBODY, UNKNOWN, Utxo, hex};
use crate::evm::Profile;
use crate::tags::{Sees, TagEvidence, Tags, evidence};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What tags say.
    pub tags: TagEvidence,
    /// Transactions that unite nothing by their shape, by why.
    pub spends: &'a CoSpends,
    /// The decisions.
    pub decisions: &'a [Decision],
    /// Decisions that name what is not on record here: by their numbers.
    pub idle: Vec<u64>,
    /// Splits that something joins again: pairs, with their decision's number.
    pub broken: Vec<(u64, u32, u32)>,
}

/// What the decisions come to.
#[derive(Default)]
struct Taken {
    off: BTreeSet<u64>,
    rules: BTreeSet<Rule>,
    tags: BTreeSet<u64>,
    merges_off: BTreeSet<u64>,
    merges: BTreeMap<u64, (u32, u32)>,
    splits: Vec<(u64, u32, u32)>,
    idle: Vec<u64>,
}

impl Taken {
    /// Reads the decisions in order: what was decided last holds.
    fn read(chain: &Named, decisions: &[Decision]) -> Taken {
        let mut taken = Taken::default();
        for decision in decisions {
            if taken.one(chain, decision).is_none() {
                taken.idle.push(decision.number);
            }
        }
        taken
    }

    fn one(&mut self, chain: &Named, decision: &Decision) -> Option<()> {
        let number = decision.number;
        match &decision.body.deed {
            Deed::Merge { a, b } => {
                let pair = (chain.address(a).ok()?, chain.address(b).ok()?);
                self.merges.insert(number, pair);
            }
            Deed::Change { transaction, output } => {
                let pair = change(chain, transaction, *output)?;
                self.merges.insert(number, pair);
            }
            Deed::Split { a, b, without } => {
                self.splits.push((number, chain.address(a).ok()?, chain.address(b).ok()?));
                without.iter().try_for_each(|what| self.switch(chain, what, false))?;
            }
            Deed::Exclude { what } => self.switch(chain, what, false)?,
            Deed::Include { what } => self.switch(chain, what, true)?,
        }
        Some(())
    }

    fn switch(&mut self, chain: &Named, what: &Witnessed, on: bool) -> Option<()> {
        match what {
            Witnessed::Transaction(id) => set(&mut self.off, chain.transaction(id).ok()?, on),
            Witnessed::Rule(name) => set(&mut self.rules, rule_named(name)?, on),
            Witnessed::Tags(batch) => set(&mut self.tags, *batch, on),
            Witnessed::Decision(number) => set(&mut self.merges_off, *number, on),
        }
        Some(())
    }
}

fn set<T: Ord>(off: &mut BTreeSet<T>, what: T, on: bool) {
    if on {
        off.remove(&what);
    } else {
        off.insert(what);
    }
}

/// The payer's address and the change's; none of a transaction that may have several payers.
fn change(chain: &Named, transaction: &str, output: u32) -> Option<(u32, u32)> {
    let Named::Utxo(utxo, _) = chain else { return None };
    let tx = chain.transaction(transaction).ok()?;
    let outputs = utxo.outputs_of(tx);
    let at = outputs.start.checked_add(u64::from(output)).filter(|at| outputs.contains(at))?;
    let (to, _) = utxo.output(at).filter(|(to, _)| *to != NOBODY)?;
    let payers = utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).map(|input| input.address);
    let payers: BTreeSet<u32> = payers.filter(|address| *address != UNKNOWN).collect();
    let one = payers.len() == 1 || CoSpends::unites(utxo, tx);
    Some((payers.first().copied().filter(|_| one)?, to))
}

/// Solves a chain's clusters and gives them to `with`.
///
/// # Errors
/// The chain or the tags cannot be read, or it has more than 32 bits can number; whatever `with` returns.
pub fn with_view<T>(
    room: &Room,
    code: &ChainCode,
    tags: (&Tags, Sees<'_>),
    decisions: &[Decision],
    with: impl FnOnce(&View<'_>) -> Result<T>,
) -> Result<T> {
    let chain = Named::open(room, code)?;
    let own: Vec<Decision> = decisions.iter().filter(|one| one.body.chain == code.as_str()).cloned().collect();
    let wrong = |error: crate::cluster::Error| Error::Unknown(format!("{}: {error}", code.as_str()));
    let told = evidence(tags.0, code.as_str(), tags.1, |text| chain.find(text).ok().flatten());
    let known = Known::of(&told);
    let taken = Taken::read(&chain, &own);
    let (spends, mut derived) = match &chain {
        Named::Utxo(utxo, _) => (CoSpends::of(utxo).map_err(wrong)?, Derived::default()),
        Named::Accounts(accounts, profile) => {
            let coin = profile.as_ref().map(|profile| profile.coin.as_bytes());
            let excluded = Excluded { transactions: taken.off.clone(), rules: taken.rules.clone() };
            // What people said holds no permission up: what follows from it would look as if the chain bound it.
            let before: Vec<Link> =
                united(&told, &taken).into_iter().filter(|link| link.rule != Rule::Manual).collect();
            let derived = derive(accounts, coin, &known, Params::default(), (&before, &excluded));
            (CoSpends::none(chain.addresses()).map_err(wrong)?, derived)
        }
    };
    let mut evidence = spends.evidence().map_err(wrong)?;
    add(&mut evidence, &told, &taken, std::mem::take(&mut derived.links));
    let mut book = Book::open(evidence).map_err(wrong)?;
    for (rule, rate) in measured::RATES {
        book.measure(rule, rate());
    }
    let label = |address: u32| book.clusters().label(address);
    let broken = taken.splits.iter().copied().filter(|(_, a, b)| label(*a) == label(*b)).collect();
    let (decisions, idle) = (own.as_slice(), taken.idle);
    with(&View { chain: &chain, book, derived, known, tags: told, spends: &spends, decisions, idle, broken })
}

/// Links that are there before the chain's own: signatures, merges by hand.
fn united(told: &TagEvidence, taken: &Taken) -> Vec<Link> {
    let signed = told.links.iter().copied().filter(|link| !taken.tags.contains(&u64::from(link.source)));
    let merges = taken.merges.iter().filter(|(number, _)| !taken.merges_off.contains(number));
    let by_hand = merges
        .filter_map(|(number, &(a, b))| Some(Link { a, b, rule: Rule::Manual, source: u32::try_from(*number).ok()? }));
    let on = |link: &Link| !taken.rules.contains(&link.rule);
    signed.chain(by_hand).filter(on).collect()
}

/// Completes the evidence of spends with links and exclusions. A transaction whose shape forbids merging stays off.
fn add(evidence: &mut Evidence<'_>, told: &TagEvidence, taken: &Taken, controls: Vec<Link>) {
    evidence.links = united(told, taken);
    evidence.links.extend(controls);
    evidence.rules_off.clone_from(&taken.rules);
    for tx in taken.off.iter().filter_map(|tx| u32::try_from(*tx).ok()) {
        evidence.off.insert(tx);
    }
}
