//! What is known of a chain's accounts apart from its transfers: tags, and what a person switched off.
use super::super::Rule;
use crate::tags::TagEvidence;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Tags by account.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Working addresses of services: the account, and the smallest account of the same party, which stands for all of them.
    pub(super) services: HashMap<u32, u32>,
    /// The party of each account that stands for one.
    pub(super) parties: BTreeMap<u32, u32>,
    /// Accounts that any tag names.
    pub(super) tagged: BTreeSet<u32>,
}

impl Known {
    /// Reads what tags give. An account that tags give to two services is neither's: such tags contradict each other.
    #[must_use]
    pub fn of(tags: &TagEvidence) -> Self {
        let mut party: BTreeMap<u32, Option<u32>> = BTreeMap::new();
        for &(account, of) in &tags.services {
            let said = party.entry(account).or_insert(Some(of));
            if *said != Some(of) {
                *said = None;
            }
        }
        let mut first: BTreeMap<u32, u32> = BTreeMap::new();
        let mut known = Self::default();
        for (account, of) in party.into_iter().filter_map(|(account, of)| Some((account, of?))) {
            let stands = *first.entry(of).or_insert(account);
            known.services.insert(account, stands);
            known.parties.insert(stands, of);
        }
        known.tagged = tags.attributions.iter().filter(|said| !said.coinjoin).map(|said| said.address).collect();
        known
    }

    /// Whether there is any service to go by.
    #[must_use]
    pub fn has_services(&self) -> bool {
        !self.services.is_empty()
    }

    /// What an account counts as when somebody pays it: its service's standing account, or itself.
    #[inline]
    pub(super) fn group(&self, account: u32) -> u32 {
        self.services.get(&account).copied().unwrap_or(account)
    }

    /// The party that a group stands for, when it is a service's.
    #[must_use]
    pub fn party(&self, group: u32) -> Option<u32> {
        self.parties.get(&group).copied()
    }
}

/// What is switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Transactions that are no witness of control: what they set, and what they made, unites nothing.
    pub transactions: BTreeSet<u64>,
    /// Whole rules.
    pub rules: BTreeSet<Rule>,
}
