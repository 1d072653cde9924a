//! Union over co-spent inputs and links, a witness per union. Classes run strongest first, so the union log is a maximum spanning
//! forest: of all chains of witnesses between two addresses, the one in the log has the best weakest link.
use super::{Class, Error, Link, Rule, Spends, TransactionSet};
use std::collections::BTreeSet;

/// Everything that may unite addresses, and what of it is switched off.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The chain's spends.
    pub spends: Spends<'a>,
    /// Merges that no spend shows.
    pub links: Vec<Link>,
    /// Transactions that unite nothing: their shape forbids it, or a person excluded them.
    pub off: TransactionSet,
    /// Rules switched off.
    pub rules_off: BTreeSet<Rule>,
    /// Tags switched off (`source` of a link by [`Rule::Tag`]).
    pub tags_off: BTreeSet<u32>,
    /// Single links switched off.
    pub links_off: BTreeSet<u32>,
}

impl<'a> Evidence<'a> {
    /// Spends alone, all on.
    #[must_use]
    pub fn new(spends: Spends<'a>) -> Self {
        let (off, rules_off) = (TransactionSet::new(), BTreeSet::new());
        Self { spends, links: Vec::new(), off, rules_off, tags_off: BTreeSet::new(), links_off: BTreeSet::new() }
    }

    /// Whether this transaction's inputs are united.
    #[must_use]
    pub fn spend_on(&self, transaction: u32) -> bool {
        !self.rules_off.contains(&Rule::MultiInput) && !self.off.holds(transaction)
    }

    /// The link, when it is there and on.
    #[must_use]
    pub fn link_on(&self, number: u32) -> Option<&Link> {
        let link = self.links.get(number as usize)?;
        let tag_off = link.rule == Rule::Tag && self.tags_off.contains(&link.source);
        (!tag_off && !self.links_off.contains(&number) && !self.rules_off.contains(&link.rule)).then_some(link)
    }

    /// Numbers of the links that are on, strongest class first; before the spends' class with `stronger`, after it without.
    pub(super) fn links_in_turn(&self, stronger: bool) -> Vec<u32> {
        let mut turn: Vec<(Class, u32)> = (0..self.links.len() as u32)
            .filter_map(|n| Some((self.link_on(n)?.class(), n)))
            .filter(|(class, _)| (*class < Class::Inferred) == stronger)
            .collect();
        turn.sort_unstable();
        turn.into_iter().map(|(_, n)| n).collect()
    }
}

/// The answer: a label an address, and the union log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clusters {
    pub(super) labels: Vec<u32>,
    pub(super) count: u32,
    /// Ordinals of the inputs that united, ascending: each joins its transaction's first input.
    pub(super) spends: Vec<u32>,
    /// Numbers of the links that united, in order of class, then number.
    pub(super) links: Vec<u32>,
}

impl Clusters {
    /// Solves everything that is on.
    ///
    /// # Errors
    /// [`Error::Torn`] or [`Error::Address`] when offsets or ids lie outside the input.
    pub fn solve(evidence: &Evidence<'_>) -> Result<Self, Error> {
        let spends = evidence.spends;
        let mut unions = Unions {
            parent: Vec::with_capacity(spends.addresses() as usize),
            addresses: spends.addresses(),
            log: Vec::with_capacity(spends.addresses() as usize),
        };
        let mut links = unions.links(evidence, true)?;
        if !evidence.rules_off.contains(&Rule::MultiInput) {
            if evidence.off.is_empty() {
                unions.spends(spends, |_| true)?;
            } else {
                unions.spends(spends, |t| !evidence.off.holds(t))?;
            }
        }
        links.extend(unions.links(evidence, false)?);
        unions.grow(spends.addresses())?;
        let count = flatten(&mut unions.parent);
        Ok(Self { labels: unions.parent, count, spends: unions.log, links })
    }

    /// Smallest address id of each address's cluster.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Label of one address.
    #[must_use]
    pub fn label(&self, address: u32) -> Option<u32> {
        self.labels.get(address as usize).copied()
    }

    /// Number of clusters, single addresses among them.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Unions made: addresses − clusters, each with its witness.
    #[must_use]
    pub fn witnesses(&self) -> u32 {
        (self.spends.len() + self.links.len()) as u32
    }

    /// The spends' part of the union log: ordinals of inputs, ascending. Each joins its transaction's first input's address.
    #[must_use]
    pub fn spend_log(&self) -> &[u32] {
        &self.spends
    }

    /// The links' part of the union log: numbers of links, strongest class first.
    #[must_use]
    pub fn link_log(&self) -> &[u32] {
        &self.links
    }

    /// Checks every witness of a spend against the inputs: its transaction is on and both its addresses are in one cluster.
    /// Returns how many are wrong.
    #[must_use]
    pub fn recheck(&self, evidence: &Evidence<'_>) -> u64 {
        let (inputs, mut wrong) = (evidence.spends.inputs(), 0);
        let mut log = self.spends.iter().copied().peekable();
        for (transaction, ends) in evidence.spends.offsets().windows(2).enumerate() {
            let &[from, to] = ends else { continue };
            let Some(&next) = log.peek() else { break };
            if u64::from(next) >= to {
                continue;
            }
            let first = inputs.get(from as usize).and_then(|&a| self.label(a));
            let on = evidence.spend_on(transaction as u32);
            while let Some(ordinal) = log.next_if(|&o| u64::from(o) < to) {
                let second = inputs.get(ordinal as usize).and_then(|&a| self.label(a));
                let joins = first.is_some() && first == second && u64::from(ordinal) > from;
                wrong += u64::from(!(on && joins));
            }
        }
        wrong + log.count() as u64
    }

    /// Addresses of the clusters with these labels, ascending. Reads all labels once (3 ms for 8 M).
    #[must_use]
    pub fn members(&self, of: &[u32]) -> Vec<u32> {
        let all = self.labels.iter().zip(0u32..);
        match of {
            [one] => all.filter(|(l, _)| *l == one).map(|(_, a)| a).collect(),
            _ => {
                let wanted: BTreeSet<u32> = of.iter().copied().collect();
                all.filter(|(l, _)| wanted.contains(l)).map(|(_, a)| a).collect()
            }
        }
    }
}

/// CRC-32 (ISO-HDLC, as zlib's) of the labels as u32 little-endian.
#[must_use]
pub fn crc32(labels: &[u32]) -> u32 {
    crc32fast::hash(zerocopy::IntoBytes::as_bytes(labels))
}

struct Unions {
    /// Grows as ids appear: an id beyond the end is a new address, which needs no look-up.
    parent: Vec<u32>,
    addresses: u32,
    log: Vec<u32>,
}

impl Unions {
    fn grow(&mut self, to: u32) -> Result<(), Error> {
        if to > self.addresses {
            return Err(Error::Address(to - 1, self.addresses));
        }
        self.parent.extend(self.parent.len() as u32..to);
        Ok(())
    }

    fn links(&mut self, evidence: &Evidence<'_>, stronger: bool) -> Result<Vec<u32>, Error> {
        let mut united = Vec::new();
        for number in evidence.links_in_turn(stronger) {
            let Some(link) = evidence.links.get(number as usize) else { continue };
            self.grow(link.a.max(link.b).saturating_add(1).max(self.parent.len() as u32))?;
            if unite(&mut self.parent, link.a, link.b) {
                united.push(number);
            }
        }
        Ok(united)
    }

    fn spends(&mut self, spends: Spends<'_>, on: impl Fn(u32) -> bool) -> Result<(), Error> {
        let inputs = spends.inputs();
        for (transaction, ends) in spends.offsets().windows(2).enumerate() {
            let &[from, to] = ends else { continue };
            if to.wrapping_sub(from) < 2 || !on(transaction as u32) {
                continue;
            }
            let span = inputs.get(from as usize..to as usize);
            let Some([first, rest @ ..]) = span else { return Err(Error::Torn(transaction as u32)) };
            self.transaction(*first, rest, from as u32)?;
        }
        Ok(())
    }

    #[inline]
    fn transaction(&mut self, first: u32, rest: &[u32], ordinal: u32) -> Result<(), Error> {
        if first as usize >= self.parent.len() {
            self.grow(first.saturating_add(1))?;
        }
        let mut root = find(&mut self.parent, first);
        for (&address, ordinal) in rest.iter().zip(ordinal + 1..) {
            let Some(&up) = self.parent.get(address as usize) else {
                self.grow(address)?;
                if address >= self.addresses {
                    return Err(Error::Address(address, self.addresses));
                }
                self.parent.push(root);
                self.log.push(ordinal);
                continue;
            };
            if up == root {
                continue;
            }
            let other = find(&mut self.parent, address);
            if other != root {
                let (low, high) = (root.min(other), root.max(other));
                set(&mut self.parent, high, low);
                root = low;
                self.log.push(ordinal);
            }
        }
        Ok(())
    }
}

/// Root of an address, halving the path on the way. Parents are never greater than their children.
#[inline]
pub(super) fn find(parent: &mut [u32], mut at: u32) -> u32 {
    loop {
        let Some(&up) = parent.get(at as usize) else { return at };
        if up == at {
            return at;
        }
        let Some(&over) = parent.get(up as usize) else { return up };
        if over == up {
            return up;
        }
        set(parent, at, over);
        at = over;
    }
}

#[inline]
fn set(parent: &mut [u32], at: u32, to: u32) {
    if let Some(place) = parent.get_mut(at as usize) {
        *place = to;
    }
}

/// Unites two addresses under the smaller root; false when they were one already.
pub(super) fn unite(parent: &mut [u32], a: u32, b: u32) -> bool {
    let (a, b) = (find(parent, a), find(parent, b));
    set(parent, a.max(b), a.min(b));
    a != b
}

/// Makes every parent its root and counts the roots. One ascending pass is enough, since parents are smaller than children.
fn flatten(parent: &mut [u32]) -> u32 {
    let mut roots = 0;
    for at in 0..parent.len() {
        let Some(&up) = parent.get(at) else { break };
        if up as usize == at {
            roots += 1;
        } else if let Some(&root) = parent.get(up as usize) {
            set(parent, at as u32, root);
        }
    }
    roots
}
