//! Which statements go on from each other, which overlap, and where one is missing.
use super::leg::Statement;
use serde::{Deserialize, Serialize};

/// A day.
const DAY: u32 = 86_400;

/// What does not fit together, among all that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where.
    pub about: Vec<Subject>,
    /// What, without accounts, names or amounts.
    pub why: String,
}

/// A statement, or one of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The batch.
    pub batch: u64,
    /// The statement's place in its file, from 1.
    pub statement: u32,
    /// The entry's place; 0 is the statement itself.
    pub entry: u32,
}

/// A statement and the batch that it stands in.
#[derive(Debug)]
pub struct Page {
    /// The batch.
    pub batch: u64,
    /// What it says.
    pub statement: Statement,
}

impl Page {
    pub fn subject(&self) -> Subject {
        Subject { batch: self.batch, statement: self.statement.number, entry: 0 }
    }
}

/// Pages that go on from each other, so that no leg stands in two of them; by their places.
pub type Chained = Vec<usize>;

/// Puts each account's pages in order. The first run of an account begins first; a page that overlaps a run begins
/// another.
pub fn runs(pages: &[Page], findings: &mut Vec<Finding>) -> Vec<Chained> {
    // A page without any day has no entry.
    let dated = |place: &usize| pages.get(*place).is_some_and(|page| page.statement.span.is_some());
    let mut order: Vec<usize> = (0..pages.len()).filter(dated).collect();
    let key = |place: &usize| {
        pages.get(*place).map(|page| {
            let said = &page.statement;
            (&said.account, &said.currency, said.span, said.sequence, page.batch, said.number)
        })
    };
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    let (mut done, mut first) = (Vec::<Chained>::new(), 0);
    let mut account = None;
    for place in order {
        let Some(page) = pages.get(place) else { continue };
        let own = Some((&page.statement.account, &page.statement.currency));
        if own != account {
            (account, first) = (own, done.len());
        }
        let last = |run: &Chained| run.last().and_then(|last| pages.get(*last));
        let of = done.get(first..).unwrap_or_default();
        let goes_on = of.iter().position(|run| last(run).is_some_and(|last| goes_on(&last.statement, &page.statement)));
        let later =
            || of.iter().position(|run| last(run).is_some_and(|last| is_later(&last.statement, &page.statement)));
        match goes_on.or_else(later).and_then(|at| done.get_mut(first + at)) {
            Some(run) => {
                if let Some(before) = run.last().and_then(|last| pages.get(*last)) {
                    findings.extend(missing(before, page));
                }
                run.push(place);
            }
            None => done.push(vec![place]),
        }
    }
    done
}

/// Whether the second begins with the balance that the first ends with, and shares no more than a day with it.
fn goes_on(before: &Statement, after: &Statement) -> bool {
    let (Some(closing), Some(opening)) = (before.closing, after.opening) else { return false };
    let (Some(first), Some(second)) = (before.span, after.span) else { return false };
    let numbered = matches!((before.sequence, after.sequence), (Some(a), Some(b)) if a < b);
    // A page whose entries come to nothing goes on from itself: the same one, told twice, has the same span.
    let twice = first == second && before.opening == before.closing && !numbered;
    let same_number = before.sequence.is_some() && before.sequence == after.sequence && first == second;
    closing == opening && second.earliest.saturating_add(DAY) > first.latest && !twice && !same_number
}

fn is_later(before: &Statement, after: &Statement) -> bool {
    matches!((before.span, after.span), (Some(first), Some(second)) if second.earliest > first.latest)
}

/// What is missing between two pages, by their balances or their numbers.
fn missing(before: &Page, after: &Page) -> Option<Finding> {
    let about = vec![before.subject(), after.subject()];
    let (first, second) = (&before.statement, &after.statement);
    let balances = matches!((first.closing, second.opening), (Some(closing), Some(opening)) if closing != opening);
    // Numbers begin anew each year.
    let numbers = matches!((first.sequence, second.sequence), (Some(a), Some(b)) if b > a + 1);
    let why = match (balances, numbers) {
        (true, true) => {
            "a page is missing between them: the numbers leave some out, and the balance that one ends with is not the one \
                         that the other begins with"
        }
        (true, false) => {
            "a page may be missing between them: the balance that one ends with is not the one that the other begins with"
        }
        (false, true) => "a page may be missing between them: their numbers leave some out",
        (false, false) => return None,
    };
    Some(Finding { about, why: why.into() })
}
