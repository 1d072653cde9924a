//! A deposit or withdrawal of an exchange and the transaction that it names, on the chain that is loaded here.
use super::leg::OnChain;
use super::view::Viewed;
use crate::ask::Named;
use crate::chain::{ChainCode, Room};
use std::collections::BTreeMap;
use std::path::Path;

/// Whether the transaction is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// It is.
    OnRecord,
    /// The chain is loaded and lacks it: it is of a block that is not, or the exchange names another one.
    NotOnRecord,
    /// Nothing of the chain is loaded.
    ChainNotLoaded,
}

/// A leg's transaction on a chain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Joined {
    /// What the exchange says.
    #[serde(flatten)]
    pub says: OnChain,
    /// Whether the record has it.
    pub recorded: Recorded,
    /// Its number in the chain's record.
    pub number: Option<u64>,
}

/// Looks up every leg's transaction; each chain is opened once.
pub fn join(money: &Path, legs: &mut [Viewed]) {
    let (room, mut open) = (Room::open(money), BTreeMap::new());
    for leg in legs {
        let Some(says) = leg.sources.iter().find_map(|source| source.says.on_chain.clone()) else { continue };
        let chain = open
            .entry(says.chain.clone())
            .or_insert_with_key(|name| ChainCode::parse(name).ok().and_then(|code| Named::open(&room, &code).ok()));
        let number = chain.as_ref().and_then(|chain| chain.transaction(&says.tx).ok());
        let recorded = match (&chain, number) {
            (None, _) => Recorded::ChainNotLoaded,
            (_, None) => Recorded::NotOnRecord,
            _ => Recorded::OnRecord,
        };
        leg.on_chain = Some(Joined { says, recorded, number });
    }
}
