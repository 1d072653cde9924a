//! "These two are not one": the witnesses to exclude, each by what a decision can name. A permission that was stated again, and a
//! batch whose signatures join several times, are one merge with several witnesses, or several merges with one.
use super::answer::{Apart, wrong};
use super::decision::{MOST_WITHOUT, Witnessed};
use super::view::View;
use crate::chain::{Error, Result};
use crate::cluster::{Cut, Exclusion, Witness};
use std::collections::BTreeSet;

/// Of a longer list it is not tried which of its witnesses could stay.
const MOST_TRIED: usize = 64;

impl View<'_> {
    /// The witnesses whose exclusion parts two addresses, tried on these clusters; afterwards all is as it was.
    ///
    /// # Errors
    /// They are apart already, one is not on record, or more witnesses join them than one decision excludes.
    pub fn apart(&mut self, a: &str, b: &str) -> Result<Apart> {
        let (a, b) = (self.chain.address(a)?, self.chain.address(b)?);
        let mut without = BTreeSet::new();
        let found = self.part(a, b, &mut without);
        let tried = found.and_then(|fewest| self.spare((a, b), &mut without, fewest));
        let back = self.switch(&without, true);
        let fewest = tried?;
        back?;
        Ok(Apart { without: without.into_iter().collect(), fewest })
    }

    /// Excludes what joins them until nothing does; whether no shorter list would have done it.
    fn part(&mut self, a: u32, b: u32, without: &mut BTreeSet<Witnessed>) -> Result<bool> {
        let mut rounds = 0;
        let mut fewest = true;
        // Without a witness of control the one before it counts again: the cut is taken until none is left.
        while rounds == 0 || self.label(a) == self.label(b) {
            let cut = self.book.separate(a, b).map_err(|error| wrong(&error))?;
            fewest &= cut.fewest && self.each_has_its_own_witness();
            let names = self.names(&cut);
            if without.len() + names.len() > MOST_WITHOUT {
                return Err(Error::Unknown(format!(
                    "more than {MOST_WITHOUT} witnesses join them, which is more than one decision excludes; exclude a rule"
                )));
            }
            if names.is_subset(without) {
                return Err(Error::Unknown("what joins them cannot be excluded one by one; exclude a rule".into()));
            }
            self.switch(&names, false)?;
            without.extend(names);
            rounds += 1;
        }
        Ok(fewest && rounds == 1 && self.basis.is_none())
    }

    /// Takes back whatever is not needed; one witness alone is the fewest there can be.
    fn spare(&mut self, (a, b): (u32, u32), without: &mut BTreeSet<Witnessed>, fewest: bool) -> Result<bool> {
        let mut before = usize::MAX;
        // Without one statement another may read differently: what was needed before may be needed no more.
        while !fewest && (2..before.min(MOST_TRIED + 1)).contains(&without.len()) {
            before = without.len();
            for one in without.clone() {
                self.switch([&one], true)?;
                if self.label(a) == self.label(b) {
                    self.switch([&one], false)?;
                } else {
                    without.remove(&one);
                }
            }
        }
        Ok(fewest || without.len() == 1)
    }

    fn names(&self, cut: &Cut) -> BTreeSet<Witnessed> {
        let name = |what: &Exclusion| match *what {
            Exclusion::Transaction(transaction) => Witnessed::Transaction(self.chain.id(u64::from(transaction))),
            Exclusion::Link(link) => self.witness(Witness::Link(link)),
            Exclusion::Tag(batch) => Witnessed::Tags(u64::from(batch)),
            Exclusion::Rule(rule) => Witnessed::Rule(super::rule_name(rule).to_owned()),
        };
        cut.without.iter().map(name).collect()
    }

    /// Whether no two links that are on go with one exclusion: only then is the fewest links the fewest exclusions.
    fn each_has_its_own_witness(&self) -> bool {
        let evidence = self.book.evidence();
        let mut seen = BTreeSet::new();
        let numbers = 0..u32::try_from(evidence.links.len()).unwrap_or(u32::MAX);
        let mut on = numbers.filter_map(|number| evidence.link_on(number));
        on.all(|link| seen.insert((link.rule, link.source)))
    }
}
