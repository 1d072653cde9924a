//! The union log as rooted trees, so that the chain between two addresses is found by climbing.
use super::path::IdMap;
use super::{Clusters, Error, Evidence, Step, Witness};
use std::collections::HashMap;

const NONE: u32 = u32::MAX;

/// Each address's next one on the way to its tree's root, and the witness between: 8 B an address.
#[derive(Clone, Debug)]
pub struct Forest {
    up: Vec<u32>,
    /// Ordinal of the input that proves the step up; `NONE` at a root and where a link proves it.
    by: Vec<u32>,
    by_link: HashMap<u32, u32>,
}

impl Forest {
    /// Roots the whole union log.
    ///
    /// # Errors
    /// [`Error::Torn`] when a witness is not in the evidence.
    pub fn build(evidence: &Evidence<'_>, clusters: &Clusters) -> Result<Self, Error> {
        let n = clusters.labels.len();
        let mut forest = Self { up: (0..n as u32).collect(), by: vec![NONE; n], by_link: HashMap::new() };
        let mut peel = Peel::new(n);
        let joins = spend_joins(evidence, &clusters.spends)?;
        for (edge, (a, b)) in (0..).zip(joins) {
            peel.join(edge, a, b);
        }
        for (edge, &link) in (clusters.spends.len() as u32..).zip(&clusters.links) {
            let link = evidence.links.get(link as usize).ok_or(Error::Absent("link", link))?;
            peel.join(edge, link.a, link.b);
        }
        peel.run(|at, up, edge| forest.place(at, up, edge, &clusters.spends, &clusters.links));
        Ok(forest)
    }

    /// Roots again the trees of `members` (ascending, whole clusters) from their part of the union log.
    pub(super) fn replace(
        &mut self,
        members: &[u32],
        evidence: &Evidence<'_>,
        spends: (&[u32], &[(u32, u32)]),
        links: &[u32],
    ) -> Result<(), Error> {
        let (spends, joins) = spends;
        for (local, &m) in (0..).zip(members) {
            self.put(m, local, NONE);
            if !self.by_link.is_empty() {
                self.by_link.remove(&m);
            }
        }
        let mut peel = Peel::new(members.len());
        let local = |forest: &Self, a: u32| forest.up.get(a as usize).copied().unwrap_or(NONE);
        for (edge, &(a, b)) in (0..).zip(joins) {
            peel.join(edge, local(self, a), local(self, b));
        }
        for (edge, &link) in (spends.len() as u32..).zip(links) {
            let link = evidence.links.get(link as usize).ok_or(Error::Absent("link", link))?;
            peel.join(edge, local(self, link.a), local(self, link.b));
        }
        members.iter().for_each(|&m| self.put(m, m, NONE));
        let global = |local: u32| members.get(local as usize).copied().unwrap_or(NONE);
        peel.run(|at, up, edge| self.place(global(at), global(up), edge, spends, links));
        Ok(())
    }

    /// The chain of witnesses from `a` to `b` along the forest: the one with the best weakest link. Empty for an address and itself.
    ///
    /// # Errors
    /// [`Error::Different`] when they are in different trees.
    pub fn chain(&self, evidence: &Evidence<'_>, a: u32, b: u32) -> Result<Vec<Step>, Error> {
        let left: Vec<u32> = self.way(a).collect();
        let depth: IdMap<usize> = left.iter().copied().zip(0..).collect();
        let mut right = Vec::new();
        let mut top = None;
        for x in self.way(b) {
            right.push(x);
            top = depth.get(&x).copied();
            if top.is_some() {
                break;
            }
        }
        let left = top.and_then(|t| left.get(..=t)).ok_or(Error::Different(a, b))?;
        let up = left.split_last().map(|(_, below)| below).unwrap_or_default();
        let down = right.split_last().map(|(_, below)| below).unwrap_or_default();
        let rising = up.iter().filter_map(|&x| self.step(evidence, x));
        let falling = down.iter().rev().filter_map(|&x| self.step(evidence, x));
        Ok(rising.chain(falling.map(|s| Step { from: s.to, to: s.from, ..s })).collect())
    }

    /// An address and all above it.
    fn way(&self, from: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(from), |&at| self.up.get(at as usize).copied().filter(|&up| up != at))
    }

    fn step(&self, evidence: &Evidence<'_>, at: u32) -> Option<Step> {
        let (up, input) = (*self.up.get(at as usize)?, *self.by.get(at as usize)?);
        let witness = if input == NONE {
            Witness::Link(*self.by_link.get(&at)?)
        } else {
            Witness::Spend { transaction: evidence.spends.witness(input)?.0, input }
        };
        evidence.step(at, up, witness)
    }

    fn place(&mut self, at: u32, up: u32, edge: u32, spends: &[u32], links: &[u32]) {
        if let Some(&input) = spends.get(edge as usize) {
            self.put(at, up, input);
        } else if let Some(&link) = links.get(edge as usize - spends.len()) {
            self.put(at, up, NONE);
            self.by_link.insert(at, link);
        }
    }

    fn put(&mut self, at: u32, up: u32, input: u32) {
        if let (Some(u), Some(b)) = (self.up.get_mut(at as usize), self.by.get_mut(at as usize)) {
            (*u, *b) = (up, input);
        }
    }
}

/// The two addresses each witness of a sorted log joins, in one walk over the offsets from the first witness on.
fn spend_joins(evidence: &Evidence<'_>, log: &[u32]) -> Result<Vec<(u32, u32)>, Error> {
    let (spends, mut joins) = (evidence.spends, Vec::with_capacity(log.len()));
    let mut transaction = 0;
    for &input in log {
        // A sparse log jumps, a dense one walks.
        let near = (transaction..transaction + 8).find(|&t| holds(evidence, t, input));
        let at = near.or_else(|| Some(spends.witness(input)?.0)).ok_or(Error::Torn(transaction))?;
        let first = spends.of(at).and_then(|i| i.first());
        let (&first, &second) = first.zip(spends.inputs().get(input as usize)).ok_or(Error::Torn(at))?;
        joins.push((first, second));
        transaction = at;
    }
    Ok(joins)
}

fn holds(evidence: &Evidence<'_>, transaction: u32, input: u32) -> bool {
    let ends = evidence.spends.start(transaction).zip(evidence.spends.start(transaction + 1));
    ends.is_some_and(|(from, to)| (from..to).contains(&input))
}

/// Takes leaves off a forest until only roots are left. Of each node it keeps the number of its edges and the exclusive or of its
/// neighbours and of its edges: when one edge is left, these are that edge.
struct Peel {
    degree: Vec<u32>,
    neighbours: Vec<u32>,
    edges: Vec<u32>,
}

impl Peel {
    fn new(n: usize) -> Self {
        Self { degree: vec![0; n], neighbours: vec![0; n], edges: vec![0; n] }
    }

    fn join(&mut self, edge: u32, a: u32, b: u32) {
        self.toggle(a, b, edge, 1);
        self.toggle(b, a, edge, 1);
    }

    fn toggle(&mut self, at: u32, other: u32, edge: u32, by: i32) -> Option<u32> {
        let i = at as usize;
        let degree = self.degree.get_mut(i)?;
        *degree = degree.wrapping_add_signed(by);
        *self.neighbours.get_mut(i)? ^= other;
        *self.edges.get_mut(i)? ^= edge;
        Some(*degree)
    }

    fn run(&mut self, mut place: impl FnMut(u32, u32, u32)) {
        for start in 0..self.degree.len() as u32 {
            let mut at = start;
            while self.degree.get(at as usize) == Some(&1) {
                let i = at as usize;
                let (Some(&up), Some(&edge)) = (self.neighbours.get(i), self.edges.get(i)) else { break };
                place(at, up, edge);
                self.toggle(at, up, edge, -1);
                self.toggle(up, at, edge, -1);
                at = up;
            }
        }
    }
}
