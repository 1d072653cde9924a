//! "A and B are not one": the fewest witnesses whose exclusion separates them.
use super::path::{IdMap, IdSet, LIMIT};
use super::{AddressIndex, Error, Evidence, Exclusion};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// What to exclude so that two addresses are no longer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Transactions and links to exclude, ascending.
    pub without: Vec<Exclusion>,
    /// No smaller list separates them (Menger 1927: as many ways that share no witness were found). Otherwise the search met its
    /// limit, and the list is everything at the address that has less: it separates, but a shorter one may exist.
    pub fewest: bool,
}

/// A transaction or a link: what carries one way and is excluded whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Carrier {
    Transaction(u32),
    Link(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Address(u32),
    In(Carrier),
    Out(Carrier),
}

/// Ways found so far: each carrier that is used, the address before it and the one after.
type Flow = BTreeMap<Carrier, (u32, u32)>;

struct Search<'a> {
    evidence: &'a Evidence<'a>,
    index: &'a AddressIndex,
    flow: Flow,
    /// Where a node was reached from.
    before: HashMap<Node, Node>,
    seen: IdSet,
    read: u64,
}

/// A minimum cut by augmenting paths (Ford and Fulkerson 1956) in which each witness carries one way and addresses any number; at most
/// `most` ways.
///
/// # Errors
/// [`Error::Different`] when they are apart already (or are one address, which nothing separates).
pub(super) fn separate(
    evidence: &Evidence<'_>,
    index: &AddressIndex,
    a: u32,
    b: u32,
    most: usize,
) -> Result<Cut, Error> {
    if a == b {
        return Err(Error::Different(a, b));
    }
    let mut search =
        Search { evidence, index, flow: Flow::new(), before: HashMap::new(), seen: IdSet::default(), read: 0 };
    let mut ways = 0;
    while search.widen(a, b) {
        search.augment(a, b);
        ways += 1;
        if ways >= most || search.read > LIMIT {
            return Ok(all_at_one(evidence, index, a, b));
        }
    }
    let reached =
        |c: &Carrier| search.before.contains_key(&Node::In(*c)) && !search.before.contains_key(&Node::Out(*c));
    let without: Vec<Exclusion> = search.flow.keys().filter(|c| reached(c)).map(|&c| exclusion(c)).collect();
    if without.is_empty() { Err(Error::Different(a, b)) } else { Ok(Cut { without, fewest: true }) }
}

fn exclusion(carrier: Carrier) -> Exclusion {
    match carrier {
        Carrier::Transaction(t) => Exclusion::Transaction(t),
        Carrier::Link(l) => Exclusion::Link(l),
    }
}

fn all_at_one(evidence: &Evidence<'_>, index: &AddressIndex, a: u32, b: u32) -> Cut {
    let at = |x: u32| -> Vec<Exclusion> { carriers(evidence, index, x).into_iter().map(exclusion).collect() };
    let (left, right) = (at(a), at(b));
    Cut { without: if left.len() <= right.len() { left } else { right }, fewest: false }
}

fn carriers(evidence: &Evidence<'_>, index: &AddressIndex, address: u32) -> Vec<Carrier> {
    let links = index.links(address).iter().filter(|&&l| evidence.link_on(l).is_some());
    index.on(evidence, address).map(Carrier::Transaction).chain(links.map(|&l| Carrier::Link(l))).collect()
}

impl Search<'_> {
    fn ends(&self, carrier: Carrier) -> Vec<u32> {
        match carrier {
            Carrier::Transaction(t) => self.evidence.spends.of(t).unwrap_or_default().to_vec(),
            Carrier::Link(l) => self.evidence.links.get(l as usize).map(|l| vec![l.a, l.b]).unwrap_or_default(),
        }
    }

    /// Breadth first over what can still carry a way; true when `b` was reached.
    fn widen(&mut self, a: u32, b: u32) -> bool {
        self.before.clear();
        self.seen.clear();
        self.seen.insert(a);
        // Of each used carrier that leads to an address, so that a way may be taken back there.
        let mut into: IdMap<Vec<Carrier>> = IdMap::default();
        for (&carrier, &(_, after)) in &self.flow {
            into.entry(after).or_default().push(carrier);
        }
        let mut queue = VecDeque::from([Node::Address(a)]);
        while let Some(node) = queue.pop_front() {
            if node == Node::Address(b) {
                return true;
            }
            for next in self.nexts(node, &into) {
                let new = match next {
                    Node::Address(x) => self.seen.insert(x),
                    carrier => !self.before.contains_key(&carrier),
                };
                if new {
                    self.before.insert(next, node);
                    queue.push_back(next);
                }
            }
        }
        false
    }

    fn nexts(&mut self, node: Node, into: &IdMap<Vec<Carrier>>) -> Vec<Node> {
        match node {
            Node::Address(x) => {
                let on = carriers(self.evidence, self.index, x).into_iter().map(Node::In);
                on.chain(into.get(&x).into_iter().flatten().map(|&c| Node::Out(c))).collect()
            }
            // The one way through is free, or taken: then it can only be taken back to where it came from.
            Node::In(c) => vec![self.flow.get(&c).map_or(Node::Out(c), |&(before, _)| Node::Address(before))],
            Node::Out(c) => {
                let ends = self.ends(c);
                self.read += ends.len() as u64;
                let mut next: Vec<Node> = ends.into_iter().map(Node::Address).collect();
                next.extend(self.flow.contains_key(&c).then_some(Node::In(c)));
                next
            }
        }
    }

    /// Adds the way found last; where it runs against an older one, that one is taken back.
    fn augment(&mut self, a: u32, b: u32) {
        let mut way = vec![Node::Address(b)];
        while let Some(&before) = way.last().filter(|n| **n != Node::Address(a)).and_then(|n| self.before.get(n)) {
            way.push(before);
        }
        way.reverse();
        let old = self.flow.clone();
        let mut changed: BTreeMap<Carrier, (Option<u32>, Option<u32>)> = BTreeMap::new();
        for pair in way.windows(2) {
            let &[from, to] = pair else { continue };
            let entry = |c: Carrier, m: &mut BTreeMap<_, (Option<u32>, Option<u32>)>| {
                let was = old.get(&c);
                *m.entry(c).or_insert((was.map(|w| w.0), was.map(|w| w.1)))
            };
            match (from, to) {
                (Node::Address(x), Node::In(c)) => {
                    let now = entry(c, &mut changed);
                    changed.insert(c, (Some(x), now.1));
                }
                (Node::Out(c), Node::Address(x)) => {
                    let now = entry(c, &mut changed);
                    changed.insert(c, (now.0, Some(x)));
                }
                // Against the way through: both ends are given up here, and may be taken again by the steps around.
                (Node::Out(c), Node::In(_)) => {
                    changed.insert(c, (None, None));
                }
                _ => {}
            }
        }
        for (carrier, ends) in changed {
            match ends {
                (Some(before), Some(after)) => self.flow.insert(carrier, (before, after)),
                _ => self.flow.remove(&carrier),
            };
        }
    }
}
