//! Whether a decision does anything: one that would change nothing is refused, and nothing is written.
use super::decision::{Decision, Deed, Witnessed, rule_named};
use super::standing::change;
use super::view::{Named, View};
use crate::chain::{Error, Result};
use crate::cluster::{Reason, Rule};

fn refuse<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::Unknown(format!("{}; nothing was written", why.into())))
}

impl View<'_> {
    /// Whether a decision would do what it says, given all that stand. A split is to be one that [`View::apart`] proposed.
    ///
    /// # Errors
    /// [`Error::Unknown`] with what keeps it from doing anything.
    pub fn allows(&self, deed: &Deed) -> Result<()> {
        match deed {
            Deed::Merge { a, b } => self.merges((self.chain.address(a)?, self.chain.address(b)?)),
            Deed::Change { transaction, output } => {
                self.chain.transaction(transaction)?;
                match change(self.chain, transaction, *output) {
                    None => refuse("it has no such output, or its inputs may be several parties'"),
                    Some((payer, to)) if payer == to => refuse("the output pays its payer's own address already"),
                    Some(pair) => self.merges(pair),
                }
            }
            Deed::Split { without, .. } => {
                let already = without.iter().find(|what| self.is_off(what));
                already.map_or(Ok(()), |what| refuse(format!("{what} is excluded already")))
            }
            Deed::Exclude { what } if self.is_off(what) => refuse(format!("{what} is excluded already")),
            Deed::Exclude { what } => self.unites(what),
            Deed::Include { what } if self.is_off(what) => Ok(()),
            Deed::Include { what } => refuse(self.why_not_off(what)?),
        }
    }

    fn merges(&self, pair: (u32, u32)) -> Result<()> {
        if self.standing.rules.contains(&Rule::Manual) {
            return refuse("merges by hand are excluded on this chain (rule manual)");
        }
        let same = |&(a, b): &(u32, u32)| (a, b) == pair || (b, a) == pair;
        let parted = &self.standing.parted;
        let mut standing = self.standing.merges.iter().filter(|(number, _)| !parted.contains(number));
        match standing.find(|(_, merged)| same(merged)) {
            Some((number, _)) => refuse(format!("decision {number} says so already")),
            None => Ok(()),
        }
    }

    fn is_off(&self, what: &Witnessed) -> bool {
        let standing = &self.standing;
        match what {
            Witnessed::Transaction(id) => self.chain.transaction(id).is_ok_and(|tx| standing.off.contains(&tx)),
            Witnessed::Rule(name) => rule_named(name).is_some_and(|rule| standing.rules.contains(&rule)),
            Witnessed::Tags(batch) => standing.tags.contains(batch),
            Witnessed::Decision(number) => standing.undone.contains_key(number) || standing.parted.contains(number),
        }
    }

    /// Whether something unites that could be excluded.
    fn unites(&self, what: &Witnessed) -> Result<()> {
        match what {
            Witnessed::Transaction(id) => self.transaction_unites(self.chain.transaction(id)?),
            Witnessed::Rule(name) => {
                let rule = rule_named(name);
                let evidence = self.book.evidence();
                let spends = rule == Some(Rule::MultiInput) && !self.book.clusters().spend_log().is_empty();
                match spends || evidence.links.iter().any(|link| Some(link.rule) == rule) {
                    true => Ok(()),
                    false => refuse(format!("{what} unites nothing on this chain")),
                }
            }
            Witnessed::Tags(batch) if self.tags.batches.contains(batch) => Ok(()),
            Witnessed::Tags(_) => refuse(format!("{what}: there is none that says anything of this chain's addresses")),
            Witnessed::Decision(number) => self.decision(*number).map(|_| ()),
        }
    }

    fn transaction_unites(&self, tx: u64) -> Result<()> {
        let narrow = u32::try_from(tx).unwrap_or(u32::MAX);
        if let Some(basis) = &self.basis {
            return if basis.records(tx) { Ok(()) } else { refuse("the transaction records nothing of control") };
        }
        if self.book.is_apart(narrow) {
            return refuse(format!("the transaction unites nothing already{}", self.shape(tx)));
        }
        let inputs = self.book.spends().of(narrow).unwrap_or_default();
        match inputs.first().is_some_and(|first| inputs.iter().any(|one| one != first)) {
            true => Ok(()),
            false => refuse("the transaction spends no two addresses together"),
        }
    }

    /// Why something that is to unite again was not excluded.
    fn why_not_off(&self, what: &Witnessed) -> Result<String> {
        Ok(match what {
            Witnessed::Transaction(id) => {
                let tx = self.chain.transaction(id)?;
                match u32::try_from(tx).is_ok_and(|tx| self.basis.is_none() && self.book.is_apart(tx)) {
                    true => format!("no decision unites what the transaction spends{}", self.shape(tx)),
                    false => format!("no decision excludes {what}"),
                }
            }
            Witnessed::Decision(number) => format!("decision {} was not undone", self.decision(*number)?.number),
            _ => format!("no decision excludes {what}"),
        })
    }

    fn shape(&self, tx: u64) -> String {
        let Named::Utxo(utxo, _) = self.chain else { return String::new() };
        let reason = crate::cluster::CoSpends::reason(utxo, tx);
        reason.map(Reason::name).map_or_else(String::new, |name| format!(": its shape may join strangers ({name})"))
    }

    fn decision(&self, number: u64) -> Result<&Decision> {
        let found = self.decisions.iter().find(|one| one.number == number);
        found.ok_or_else(|| Error::Unknown(format!("there is no decision {number} on this chain; nothing was written")))
    }
}
