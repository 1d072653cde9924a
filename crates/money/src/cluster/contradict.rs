//! Clusters that hold two parties. The goal is none.
use super::Clusters;
use std::collections::{BTreeMap, BTreeSet};

/// Who an address is said to belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The address.
    pub address: u32,
    /// Number of the party (an OFAC entry, an exchange, an actor).
    pub party: u32,
    /// The tag speaks of taking part in a CoinJoin: that names no owner, whatever the pack says.
    pub coinjoin: bool,
    /// The pack says that the tag holds for the whole cluster (`is_cluster_definer`).
    pub defines_cluster: bool,
    /// The tag names an address of Ethereum's kind and not on which chain.
    pub unnamed_chain: bool,
}

/// A cluster with more than one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Label of the cluster.
    pub cluster: u32,
    /// Each party and the smallest of its addresses in this cluster; ask why these are together.
    pub parties: Vec<(u32, u32)>,
}

/// All clusters that hold two or more parties, ascending. Attributions by CoinJoin tags and of unknown addresses are left out.
#[must_use]
pub fn contradictions(clusters: &Clusters, attributions: &[Attribution]) -> Vec<Contradiction> {
    let mut held: BTreeMap<u32, BTreeMap<u32, u32>> = BTreeMap::new();
    for said in attributions.iter().filter(|s| !s.coinjoin) {
        let Some(cluster) = clusters.label(said.address) else { continue };
        let smallest = held.entry(cluster).or_default().entry(said.party).or_insert(said.address);
        *smallest = said.address.min(*smallest);
    }
    let many = held.into_iter().filter(|(_, parties)| parties.len() > 1);
    many.map(|(cluster, parties)| Contradiction { cluster, parties: parties.into_iter().collect() }).collect()
}

/// Parties that name whole clusters: label and party. A CoinJoin's tag never does, and a cluster in contradiction gets no name.
#[must_use]
pub fn naming(clusters: &Clusters, attributions: &[Attribution]) -> BTreeMap<u32, u32> {
    let torn: BTreeSet<u32> = contradictions(clusters, attributions).into_iter().map(|c| c.cluster).collect();
    let defining = attributions.iter().filter(|s| s.defines_cluster && !s.coinjoin);
    let named = defining.filter_map(|s| Some((clusters.label(s.address)?, s.party)));
    named.filter(|(cluster, _)| !torn.contains(cluster)).collect()
}
