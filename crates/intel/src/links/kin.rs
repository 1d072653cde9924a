//! Hubs that no list has, by how their holders relate. Two reports of one offender share more than one thing now and then;
//! the customers of one exchange share its wallet and nothing else, while each of them links elsewhere.
//!
//! Measured in EXERCISE worlds of 100,000 objects (seed 11): of the pairs of an offender's holders 5 % at the fewest share
//! something else (from ten holders on; median 24 %), of a hot wallet's or a link shortener's none of 200. Few holders prove
//! nothing either way, nor do holders that link nowhere else: a wallet that thirty victims name alone goes on linking.
use super::{HUB, Holding};
use crate::search::{cols_of_selector, count_to};
use crate::{Intel, Result};
use people::Viewer;
use rusqlite::Connection;
use selectors::{Kind, Strength};
use std::collections::{BTreeMap, BTreeSet};

/// Holders that are read.
const SAMPLE: usize = 24;
/// As many must link elsewhere: with eight some of an offender's selectors had one kin pair in 28, with ten none so few.
pub(super) const ENOUGH: usize = 10;
/// Related are holders of whose pairs at least one in so many shares something else.
const ONE_IN: usize = 30;
/// Other selectors of one holder that are looked at.
const OTHERS: usize = 50;
/// Bytes beyond which a holder is passed by: to read it would cost more than it can say.
pub(super) const LONG: usize = 64 << 10;

/// How holders relate that link elsewhere too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kin {
    /// So many were looked at that link elsewhere.
    pub holders: usize,
    /// So many pairs of them share something else.
    pub pairs: usize,
}

impl Kin {
    /// There are enough to tell, and they are unrelated.
    pub fn unrelated(self) -> bool {
        self.holders >= ENOUGH && self.pairs * ONE_IN < self.holders * (self.holders - 1) / 2
    }
}

impl Intel {
    /// How the holders of a selector relate, of those that the viewer sees. Reads a sample, evenly over all.
    pub(super) fn kin(&self, viewer: &Viewer, value: &str, held: &[Holding]) -> Result<Kin> {
        let most = SAMPLE.min(held.len());
        let sample: Vec<Holding> = (0..most).filter_map(|n| held.get(n * held.len() / most)).copied().collect();
        let positions: Vec<u64> = sample.iter().filter_map(|h| u64::try_from(h.pos).ok()).collect();
        let mut others: BTreeMap<(Kind, String), BTreeSet<usize>> = BTreeMap::new();
        let (library, mut at) = (self.library(), 0..);
        self.inner.ledger.log().bodies(&positions, |_, body| {
            let Some(n) = at.next() else { return };
            let body = body.filter(|body| body.len() <= LONG);
            let Some(Ok(object)) = body.map(serde_json::from_str::<serde_json::Value>) else { return };
            let found = crate::reading::selectors_of(&object, self.inner.country.as_deref());
            let strong = found.into_iter().filter(|f| f.strength == Strength::Links && !is_part(&f.value, value));
            for f in strong.take(OTHERS) {
                let warns = |l: &reference::Listing| l.what == reference::ListKind::Warning;
                if !library.listed(f.kind.as_str(), &f.value).iter().any(warns) {
                    others.entry((f.kind, f.value)).or_default().insert(n);
                }
            }
        })?;
        self.read(viewer, |conn| {
            let (mut elsewhere, mut pairs) = (BTreeSet::new(), BTreeSet::new());
            for ((kind, value), members) in &others {
                let lone = members.len() == 1;
                if lone && members.iter().all(|n| elsewhere.contains(n)) {
                    continue;
                }
                let Some(sel) = self.selector_number(conn, *kind, value)? else { continue };
                let counts = match members.first().and_then(|n| sample.get(*n)) {
                    Some(one) if lone => held_by_another(conn, viewer, sel, one)?,
                    // What everybody names makes nobody kin.
                    _ => count_to(conn, viewer, sel, HUB + 1)? <= HUB,
                };
                if counts {
                    elsewhere.extend(members.iter().copied());
                    let pair = |a: &usize| members.range(a + 1..).map(|b| (*a, *b)).collect::<Vec<_>>();
                    pairs.extend(members.iter().flat_map(pair));
                }
            }
            Ok(Kin { holders: elsewhere.len(), pairs: pairs.len() })
        })
    }
}

/// Whether two values are one and the same thing told twice: an address and its host.
fn is_part(one: &str, other: &str) -> bool {
    one.contains(other) || other.contains(one)
}

/// Whether another object that the viewer sees holds a selector; the observables of one's own collection are one's own words.
fn held_by_another(conn: &Connection, viewer: &Viewer, sel: i64, one: &Holding) -> rusqlite::Result<bool> {
    let mut stmt = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM holders WHERE sel = ?1 AND col = ?2 AND see(col) AND obj <> ?3 \
         AND NOT (col = ?4 AND flags & 256 <> 0))",
    )?;
    for col in cols_of_selector(conn, viewer, sel)? {
        if stmt.query_row((sel, col, one.obj, one.col), |r| r.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_holders_and_holders_that_link_nowhere_else_are_no_hub() {
        assert!(!Kin { holders: ENOUGH - 1, pairs: 0 }.unrelated());
        assert!(!Kin { holders: 0, pairs: 0 }.unrelated());
        assert!(Kin { holders: ENOUGH, pairs: 1 }.unrelated());
        assert!(!Kin { holders: ENOUGH, pairs: 2 }.unrelated());
        assert!(Kin { holders: 24, pairs: 9 }.unrelated());
        assert!(!Kin { holders: 24, pairs: 10 }.unrelated());
    }
}
