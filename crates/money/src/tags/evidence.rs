//! What tags give to a chain's clusters: who is said to hold its addresses, and which addresses one signer signed for.
use super::batch::Marks;
use super::concept::{Role, role};
use super::store::{Sees, Tags};
use crate::chain::ChainCode;
use crate::cluster::{Attribution, Link, Rule};
use crate::evm::Profile;
use std::collections::{BTreeMap, BTreeSet};

/// What tags give to a chain's clusters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagEvidence {
    /// Who is said to hold which address. A tag about a CoinJoin says so, and never defines a cluster.
    pub attributions: Vec<Attribution>,
    /// Addresses of one signer, one after the other: their keys signed in one file. The source is the batch's number.
    pub links: Vec<Link>,
    /// Working addresses of services (exchanges, hosted wallets): the address and its party's number.
    pub services: Vec<(u32, u32)>,
    /// The parties by their number: the actor's id, else the label.
    pub parties: Vec<String>,
    /// Numbers of the batches that say anything of an address of the chain.
    pub batches: BTreeSet<u64>,
}

/// The network of a tag that names an address of Ethereum's kind and not which chain.
pub(super) const ANY_EVM: &str = "evm";

/// Whether tags that name no chain speak of this one: their addresses are everywhere the same key's.
pub(super) fn is_evm(network: &str) -> bool {
    let profile = ChainCode::parse(network).ok().and_then(|code| Profile::of(&code));
    profile.is_some_and(|profile| profile.chain_id.is_some())
}

/// Looks up each tagged address of `network` on the chain; `find` gives its number there, if the chain has it. On a chain of
/// Ethereum's kind tags that name none of these count too, and are marked.
pub fn evidence(tags: &Tags, network: &str, sees: Sees<'_>, mut find: impl FnMut(&str) -> Option<u32>) -> TagEvidence {
    let mut evidence = TagEvidence::default();
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let any_evm = is_evm(network);
    for (info, batch) in tags.open_batches(sees) {
        let mut signed: BTreeMap<u32, u32> = BTreeMap::new();
        for row in (0..batch.count()).filter_map(|n| batch.row(u32::try_from(n).ok()?)) {
            let unnamed = any_evm && row.said.network == ANY_EVM;
            if row.actor || (row.said.network != network && !unnamed) {
                continue;
            }
            let Some(address) = find(row.subject) else { continue };
            evidence.batches.insert(info.id);
            let name = if row.said.actor.is_empty() { row.said.label } else { row.said.actor };
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            let party = *numbers.entry(name.to_owned()).or_insert_with(|| {
                evidence.parties.push(name.to_owned());
                next
            });
            let coinjoin = row.marks.has(Marks::COINJOIN);
            if !coinjoin && row.said.all_concepts().any(|concept| role(concept) == Role::Service) {
                evidence.services.push((address, party));
            }
            evidence.attributions.push(Attribution {
                address,
                party,
                coinjoin,
                defines_cluster: row.marks.has(Marks::DEFINER) && !coinjoin,
                unnamed_chain: unnamed,
            });
            if row.marks.has(Marks::SIGNED)
                && let Some(before) = signed.insert(party, address).filter(|before| *before != address)
            {
                let source = u32::try_from(info.id).unwrap_or(u32::MAX);
                evidence.links.push(Link { a: before, b: address, rule: Rule::SignedOwnership, source });
            }
        }
    }
    evidence
}
