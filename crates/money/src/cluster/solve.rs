//! Union over co-spent inputs and links, a witness per union. Classes run strongest first, so the union log is a maximum spanning
//! forest: of all chains of witnesses between two addresses, the one in the log has the best weakest link.
use super::{Class, Error, Link, Rule, Spends, Step, TransactionSet, Witness};
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
    /// Batches of tags switched off ([`Link::batch`]).
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
        let tag_off = link.batch().is_some_and(|batch| self.tags_off.contains(&batch));
        (!tag_off && !self.links_off.contains(&number) && !self.rules_off.contains(&link.rule)).then_some(link)
    }

    /// A step with its rule and class; `None` for a link nobody has.
    #[must_use]
    pub fn step(&self, from: u32, to: u32, witness: Witness) -> Option<Step> {
        let rule = match witness {
            Witness::Spend { .. } => Rule::MultiInput,
            Witness::Link(number) => self.links.get(number as usize)?.rule,
        };
        Some(Step { from, to, witness, rule, class: rule.class() })
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
        let mut unions = Unions::new(spends.addresses());
        let mut links = unions.links(evidence, true);
        if !evidence.rules_off.contains(&Rule::MultiInput) {
            if evidence.off.is_empty() {
                unions.spends(spends, |_| true)?;
            } else {
                unions.spends(spends, |t| !evidence.off.holds(t))?;
            }
        }
        links.extend(unions.links(evidence, false));
        if unions.greatest >= spends.addresses() && (unions.greatest, unions.made) != (0, 0) {
            return Err(Error::Address(unions.greatest, spends.addresses()));
        }
        unions.log.truncate(unions.made);
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

    /// Checks every witness of a spend against the inputs: its transaction is on, it is not that transaction's first input, and both
    /// its addresses are in one cluster. Returns how many are wrong.
    #[must_use]
    pub fn recheck(&self, evidence: &Evidence<'_>) -> u64 {
        let (offsets, inputs, mut wrong) = (evidence.spends.offsets(), evidence.spends.inputs(), 0);
        let mut ends = offsets.iter().skip(1);
        let (mut transaction, mut from, mut to) = (0_u32, 0, ends.next().copied().unwrap_or(0));
        let mut block = [(0_u64, 0_u32); BLOCK];
        let rule_on = !evidence.rules_off.contains(&Rule::MultiInput);
        for witnesses in self.spends.chunks(BLOCK) {
            for (place, &ordinal) in block.iter_mut().zip(witnesses) {
                while to <= u64::from(ordinal) {
                    let Some(&end) = ends.next() else { break };
                    (transaction, from, to) = (transaction + 1, to, end);
                }
                let on = rule_on & !evidence.off.holds(transaction);
                wrong += u64::from(!(on & (from < u64::from(ordinal)) & (u64::from(ordinal) < to)));
                *place = (from, ordinal);
            }
            // The labels apart from the walk, so that they are fetched many at once.
            wrong += block
                .iter()
                .take(witnesses.len())
                .filter(|(from, ordinal)| !self.joins(inputs, *from, *ordinal))
                .count() as u64;
        }
        wrong
    }

    #[inline]
    fn joins(&self, inputs: &[u32], from: u64, ordinal: u32) -> bool {
        let Some(&first) = inputs.get(from as usize) else { return false };
        let Some(&second) = inputs.get(ordinal as usize) else { return false };
        let Some(&a) = self.labels.get(first as usize) else { return false };
        let Some(&b) = self.labels.get(second as usize) else { return false };
        a == b
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

/// Transactions looked at together. Those that unite are listed first, so that the loop over them has no branch to guess; then their
/// parents are read, all at once instead of one after the other, so that they are in the cache when their turn comes.
const BLOCK: usize = 512;

struct Unions {
    parent: Vec<u32>,
    log: Vec<u32>,
    made: usize,
    /// Greatest address met.
    greatest: u32,
}

impl Unions {
    fn new(addresses: u32) -> Self {
        // A union log is never longer than the addresses are many; pages of it that stay zero are never taken.
        Self { parent: (0..addresses).collect(), log: vec![0; addresses as usize], made: 0, greatest: 0 }
    }

    fn links(&mut self, evidence: &Evidence<'_>, stronger: bool) -> Vec<u32> {
        let mut turn = evidence.links_in_turn(stronger);
        turn.retain(|&number| {
            let Some(link) = evidence.links.get(number as usize) else { return false };
            self.greatest = self.greatest.max(link.a).max(link.b);
            unite(&mut self.parent, link.a, link.b)
        });
        turn
    }

    fn spends(&mut self, spends: Spends<'_>, on: impl Fn(u32) -> bool) -> Result<(), Error> {
        let (offsets, inputs) = (spends.offsets(), spends.inputs());
        let (parent, log) = (self.parent.as_mut_slice(), self.log.as_mut_slice());
        let mut block = [(0_usize, 0_usize); BLOCK];
        let (mut transaction, mut made, mut greatest, mut warm) = (0_u32, 0, self.greatest, 0_u32);
        while let Some(rest) = offsets.get(transaction as usize..).filter(|r| r.len() > 1) {
            let mut uniting = 0;
            for ends in rest.windows(2).take(BLOCK) {
                let &[from, to] = ends else { continue };
                if let Some(place) = block.get_mut(uniting) {
                    *place = (from as usize, to as usize);
                }
                uniting += usize::from((to.wrapping_sub(from) >= 2) & on(transaction));
                transaction += 1;
            }
            let uniting = block.get(..uniting).unwrap_or_default();
            for &(from, to) in uniting {
                let Some(span) = inputs.get(from..to) else { return Err(Error::Torn(transaction)) };
                for &address in span {
                    let Some(&up) = parent.get(address as usize) else { break };
                    let Some(&over) = parent.get(up as usize) else { break };
                    warm = warm.wrapping_add(over);
                }
            }
            for &(from, to) in uniting {
                let Some([first, rest @ ..]) = inputs.get(from..to) else { return Err(Error::Torn(transaction)) };
                greatest = greatest.max(*first);
                let mut root = find(parent, *first);
                // `else return` above and in `find`, never a default: a default makes every address wait for its check, twice the time.
                // Without branches but for find's: which inputs unite cannot be guessed.
                for (i, &address) in rest.iter().enumerate() {
                    greatest = greatest.max(address);
                    let other = find(parent, address);
                    set(log, made as u32, (from + 1 + i) as u32);
                    made += usize::from(other != root);
                    let (low, high) = (root.min(other), root.max(other));
                    set(parent, high, low);
                    root = low;
                }
            }
        }
        std::hint::black_box(warm);
        (self.made, self.greatest) = (made, greatest);
        Ok(())
    }
}

/// Root of an address, halving the path on the way: one test for depths 0 and 1, which are most.
#[inline(always)]
pub(super) fn find(parent: &mut [u32], mut at: u32) -> u32 {
    loop {
        let Some(&up) = parent.get(at as usize) else { return at };
        let Some(&over) = parent.get(up as usize) else { return up };
        if over == up {
            return up;
        }
        set(parent, at, over);
        at = over;
    }
}

#[inline(always)]
fn set(column: &mut [u32], at: u32, to: u32) {
    if let Some(place) = column.get_mut(at as usize) {
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
