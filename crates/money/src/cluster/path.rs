//! The shortest proof: breadth first over all enabled witnesses, from both ends.
use super::{AddressIndex, Error, Evidence, Step, Witness};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Inputs a search may read before it gives up; some 0.5 s.
pub(super) const LIMIT: u64 = 20_000_000;

/// Ids are dense and not chosen by an attacker who sees the table: one multiplication mixes them enough (Knuth, 6.4).
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.write_u32(u32::from(b)));
    }
    fn write_u32(&mut self, id: u32) {
        let mixed = (self.0 ^ u64::from(id)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 32;
    }
}

pub(super) type IdMap<V> = HashMap<u32, V, BuildHasherDefault<IdHasher>>;
pub(super) type IdSet = HashSet<u32, BuildHasherDefault<IdHasher>>;

/// Addresses one end has reached, each with the one before it and the witness between.
struct Side {
    from: IdMap<(u32, Witness)>,
    transactions: IdSet,
    edge: Vec<u32>,
}

impl Side {
    fn new(start: u32) -> Self {
        let mut side = Self { from: IdMap::default(), transactions: IdSet::default(), edge: vec![start] };
        side.from.insert(start, (start, Witness::Link(u32::MAX)));
        side
    }

    /// One witness further all around; the first address that `other` knows, when there is one.
    fn widen(&mut self, evidence: &Evidence<'_>, index: &AddressIndex, other: &Self, read: &mut u64) -> Option<u32> {
        let mut next = Vec::new();
        for address in std::mem::take(&mut self.edge) {
            for transaction in index.on(evidence, address) {
                if !self.transactions.insert(transaction) {
                    continue;
                }
                let (start, inputs) = evidence.spends.start(transaction).zip(evidence.spends.of(transaction))?;
                *read += inputs.len() as u64;
                for (input, &to) in (start..).zip(inputs) {
                    if self.reach(address, to, Witness::Spend { transaction, input }, &mut next)
                        && other.from.contains_key(&to)
                    {
                        return Some(to);
                    }
                }
            }
            for &number in index.links(address) {
                let Some(link) = evidence.link_on(number) else { continue };
                let to = if link.a == address { link.b } else { link.a };
                *read += 1;
                if self.reach(address, to, Witness::Link(number), &mut next) && other.from.contains_key(&to) {
                    return Some(to);
                }
            }
        }
        self.edge = next;
        None
    }

    fn reach(&mut self, from: u32, to: u32, witness: Witness, next: &mut Vec<u32>) -> bool {
        let new = !self.from.contains_key(&to);
        if new {
            self.from.insert(to, (from, witness));
            next.push(to);
        }
        new
    }

    /// Steps from `at` back to this side's start.
    fn back<'a>(&'a self, evidence: &'a Evidence<'_>, at: u32) -> impl Iterator<Item = Step> + 'a {
        let mut at = at;
        std::iter::from_fn(move || {
            let &(before, witness) = self.from.get(&at)?;
            let step = (before != at).then(|| evidence.step(at, before, witness))?;
            at = before;
            step
        })
    }
}

/// The fewest witnesses that join `a` to `b`, of all that are on. Empty for an address and itself.
///
/// # Errors
/// [`Error::Different`] when nothing joins them, [`Error::TooWide`] when the limit of inputs read is met first.
pub(super) fn shortest(evidence: &Evidence<'_>, index: &AddressIndex, a: u32, b: u32) -> Result<Vec<Step>, Error> {
    if a == b {
        return Ok(Vec::new());
    }
    let (mut left, mut right, mut read) = (Side::new(a), Side::new(b), 0);
    loop {
        let met = if left.edge.len() <= right.edge.len() {
            left.widen(evidence, index, &right, &mut read)
        } else {
            right.widen(evidence, index, &left, &mut read)
        };
        if let Some(met) = met {
            let mut steps: Vec<Step> = left.back(evidence, met).map(|s| Step { from: s.to, to: s.from, ..s }).collect();
            steps.reverse();
            steps.extend(right.back(evidence, met));
            return Ok(steps);
        }
        if left.edge.is_empty() || right.edge.is_empty() {
            return Err(Error::Different(a, b));
        }
        if read > LIMIT {
            return Err(Error::TooWide(read));
        }
    }
}
