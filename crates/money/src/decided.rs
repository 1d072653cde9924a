//! Decisions about clusters in the ledger: one kind of entry, a view that knows where they stand, and nothing kept twice: bodies
//! are read back from the log, so that what is erased there is gone here.
use crate::ask::{Decision, DecisionBody, undone};
use ledger::{
    Append, Bodies, Entry, FoldError, IdSource, Kind, Kinds, Ledger, NewEntry, Room, RoomFactory, SameRule, Urgency,
};
use people::entry::Purpose;
use people::{People, Right, Viewer};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The kind of entry: its body is a [`DecisionBody`].
pub const DECISION: &str = "money-decision";
/// The view's name.
const NAME: &str = "money";
/// What stands before the entry's id in a decision's.
const ID: &str = "money-decision--";
/// The most decisions of a node that are read; with more, nothing is answered without them.
const MOST: usize = 100_000;
/// How long a reader waits for the view.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a decision was not taken down, or decisions not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger's.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The hall's: who may.
    #[error(transparent)]
    People(#[from] people::Error),
    /// The decision itself.
    #[error("{0}")]
    Bad(String),
}

/// The room's fold, for the list of rooms.
#[must_use]
pub fn room() -> RoomFactory {
    Arc::new(|| Box::new(Money))
}

struct Money;

/// Decisions are taken one after the other: each looks at those before it.
static TAKING: Mutex<()> = Mutex::new(());

impl Room for Money {
    fn name(&self) -> &'static str {
        NAME
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&[DECISION])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS decisions (number INTEGER PRIMARY KEY, pos INTEGER NOT NULL UNIQUE, col INTEGER NOT NULL) STRICT;"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        // An erased one is there by its place, and has no body to read.
        if let Some(body) = &entry.body {
            serde_json::from_str::<DecisionBody>(body).map_err(|e| FoldError::shape(&e))?;
        }
        let pos = i64::try_from(entry.pos).unwrap_or(i64::MAX);
        // Numbered in the order of the log, whoever sees them.
        let mut insert = view.prepare_cached(
            "INSERT OR IGNORE INTO decisions (number, pos, col) SELECT coalesce(max(number), 0) + 1, ?, ? FROM decisions",
        )?;
        insert.execute((pos, entry.col))?;
        Ok(())
    }
}

/// Takes a decision down; its number. It stands where supervisors alone read, for a reason may speak of people. Whoever decides
/// looked at the clusters as all decisions up to number `after` make them: with a newer one of its chain nothing is written.
///
/// # Errors
/// [`Error::Bad`] without a reason or about nothing, or when another was taken meanwhile; [`Error::People`] for whom it is not
/// allowed; the ledger's.
pub fn decide(
    ledger: &Ledger,
    people: &People,
    viewer: &Viewer,
    (body, after): (&DecisionBody, u64),
) -> Result<u64, Error> {
    viewer.need(Right::OverruleLinks)?;
    body.check().map_err(Error::Bad)?;
    let _one_at_a_time = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let stand = decisions(ledger, people, viewer)?;
    let newest = stand.iter().rev().find(|one| one.body.chain == body.chain).map_or(0, |one| one.number);
    if newest > after {
        return Err(Error::Bad(format!(
            "decision {newest} was taken meanwhile and may change what this one does; nothing was written: ask again"
        )));
    }
    let place = people.collection_for(Purpose::Restricted)?;
    let place = place.ok_or_else(|| Error::Bad("this node has no restricted collection: run `eye init`".into()))?;
    let place = people.writable(viewer, place.id)?;
    let entry = NewEntry {
        collection: place.id,
        id: IdSource::Fresh,
        same: SameRule::Refuse,
        // An address may be a person's: it stands in the body, which can be erased, never as a subject.
        subject: "".into(),
        cause: None,
        author: viewer.account(),
        time: None,
        kind: Kind::new(DECISION),
        version: 1,
        marking: stix::Tlp::AmberStrict.as_str().into(),
        body: serde_json::to_string(body).map_err(|e| Error::Bad(e.to_string()))?.into(),
    };
    let append = Append { entries: vec![entry], expect: viewer.expects([&*place]) };
    let receipt = ledger.append(append, Urgency::Interactive)?;
    let pos = receipt.outcomes.first().and_then(ledger::Outcome::pos);
    let pos = pos.ok_or_else(|| Error::Bad("the ledger refused the decision".into()))?;
    let places = places(ledger)?;
    let known = places.iter().find(|place| place.pos == pos).map(|place| place.number);
    known.ok_or_else(|| Error::Bad("the decision stands in the ledger and its view lacks it: `eye rebuild`".into()))
}

/// Where a decision stands.
struct Place {
    number: u64,
    pos: u64,
    col: u32,
}

fn places(ledger: &Ledger) -> Result<Vec<Place>, Error> {
    let view = ledger.view(NAME)?;
    view.wait(ledger.head().pos, PATIENCE)?;
    let unsigned = |n: i64| u64::try_from(n).unwrap_or(0);
    let all: Vec<Place> = view.read(|reading| {
        let mut query =
            reading.conn.prepare_cached("SELECT number, pos, col FROM decisions ORDER BY number LIMIT ?")?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Place { number: unsigned(row.get(0)?), pos: unsigned(row.get(1)?), col: row.get(2)? })
        };
        Ok(query.query_map([MOST as i64 + 1], row)?.collect::<Result<_, rusqlite::Error>>()?)
    })?;
    if all.len() > MOST {
        return Err(Error::Bad(format!(
            "more than {MOST} decisions stand in the ledger: clusters are not solved without all of them"
        )));
    }
    Ok(all)
}

/// The decisions that a viewer sees, in order, each with the one that undid it. One whose body was erased, or cannot be read, is
/// left out.
///
/// # Errors
/// The ledger's.
pub fn decisions(ledger: &Ledger, people: &People, viewer: &Viewer) -> Result<Vec<Decision>, Error> {
    let mut all = Vec::new();
    for place in places(ledger)?.into_iter().filter(|place| viewer.sees(place.col)) {
        let Some(entry) = ledger.log().entry(place.pos)? else { continue };
        let Some(body) = entry.body.as_deref().and_then(|body| serde_json::from_str(body).ok()) else { continue };
        let author = people.author_for(viewer, entry.author)?.unwrap_or_default();
        let when = jiff::Timestamp::from_microsecond(entry.arrived).unwrap_or_default().to_string();
        all.push(Decision { number: place.number, id: id(&entry), author, when, undone_by: None, body });
    }
    let by_chain = all.iter().map(|one| one.body.chain.clone()).collect::<BTreeSet<_>>();
    for chain in by_chain {
        let own: Vec<Decision> = all.iter().filter(|one| one.body.chain == chain).cloned().collect();
        let undone = undone(&own);
        all.iter_mut()
            .filter(|one| one.body.chain == chain)
            .for_each(|one| one.undone_by = undone.get(&one.number).copied());
    }
    Ok(all)
}

/// A random id, which says nothing of what was decided.
fn id(entry: &Entry) -> String {
    format!("{ID}{}", entry.id.get(..16).map(::hex::encode).unwrap_or_default())
}

/// Whether a word names a decision, by its shape.
#[must_use]
pub fn is_id(word: &str) -> bool {
    word.strip_prefix(ID).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Erases a decision: its body is in no file afterwards, and clusters are solved without it. Its number is not given again.
///
/// # Errors
/// [`Error::Bad`] for an id that no decision has that the viewer sees, [`Error::People`] for whom it is not allowed, the ledger's.
pub fn expunge(ledger: &Ledger, viewer: &Viewer, word: &str, reason: &str) -> Result<(), Error> {
    viewer.need(Right::Expunge)?;
    for place in places(ledger)?.into_iter().filter(|place| viewer.sees(place.col)) {
        let entry = ledger.log().entry(place.pos)?;
        if entry.is_some_and(|entry| entry.body.is_some() && id(&entry) == word) {
            ledger.expunge(&[place.pos], word, reason, viewer.account())?;
            return Ok(());
        }
    }
    Err(Error::Bad("no decision has this id, or it was erased before; `eye money decisions` lists them".into()))
}
