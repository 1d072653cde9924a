//! Withdrawing (out of every door, the body stays) and expunging (the body is nowhere any longer); LEDGER.md, "Expunge".
mod steps;

use crate::append::{Append, Expect, IdSource, NewEntry, Outcome, SameRule};
use crate::{CollectionId, Entry, Error, Kind, Ledger, Result, Urgency};
use std::sync::Arc;

pub(crate) use steps::SCHEMA;

/// The kind of an entry that takes another out of every door.
pub const WITHDRAW: &str = "withdraw";
/// The kind of an entry that erases another's body.
pub const EXPUNGE: &str = "expunge";
/// Schema version of both kinds.
const VERSION: u16 = 1;
/// More than this is bulk.
const BULK: usize = 100;
/// Entries of one append: a bulk append's (LEDGER.md, "Append").
const CHUNK: usize = 400;
/// Entries that one call may expunge: an object's versions in all its collections, with room.
const MOST: usize = 2_000;

/// The body of an entry of kind [`WITHDRAW`]; it stands in the collection of what it withdraws and has its subject.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Withdrawal {
    /// `id` of the withdrawn entry, hex.
    pub entry: String,
    /// The object's id.
    pub object: String,
    /// The object's version, µs since the epoch; none for what has no versions.
    pub version: Option<i64>,
    /// Why, in the words of who did it.
    pub reason: String,
}

/// The body of an entry of kind [`EXPUNGE`]; it stands in the collection of what it erases and has its subject.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Expunge {
    /// `id` of the erased entry, hex.
    pub entry: String,
    /// The object's id: it is refused from now on.
    pub object: String,
    /// Why, in the words of who did it; never what was erased.
    pub reason: String,
}

/// What a withdrawal or an erasure takes back; both bodies say it under the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// `id` of the entry that goes.
    pub entry: [u8; 32],
    /// The object's id.
    pub object: String,
    /// The object's version, µs since the epoch, where the entry says it.
    pub version: Option<i64>,
    /// Why, in the words of who did it.
    pub reason: String,
}

impl TakenBack {
    /// Of an entry of kind [`WITHDRAW`] or [`EXPUNGE`]; `None` for others, and for what cannot be read.
    pub fn of(entry: &Entry) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Both {
            entry: String,
            object: String,
            version: Option<i64>,
            #[serde(default)]
            reason: String,
        }
        if entry.kind != WITHDRAW && entry.kind != EXPUNGE {
            return None;
        }
        let both: Both = serde_json::from_str(entry.body.as_deref()?).ok()?;
        let mut id = [0; 32];
        hex::decode_to_slice(both.entry, &mut id).ok()?;
        Some(Self { entry: id, object: both.object, version: both.version, reason: both.reason })
    }
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expunged {
    /// `pos` of the expunge entries, one for each entry touched.
    pub entries: Vec<u64>,
    /// Bodies deleted.
    pub bodies: u64,
}

/// One erased entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpungedEntry {
    /// Its `pos`.
    pub pos: u64,
    /// Its collection.
    pub collection: CollectionId,
    /// Its `id`.
    pub id: [u8; 32],
    /// Its subject.
    pub subject: Arc<str>,
}

/// What other holders of text (quarantine, outbox, status texts, files) are told while an erasure runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpungeNotice {
    /// The object's id.
    pub object: String,
    /// The entries whose bodies go.
    pub entries: Vec<ExpungedEntry>,
}

/// Called by an erasure after the bodies are gone and before the WALs are cut; may be called again after a crash. It
/// may append and write `state`; it may not expunge, rebuild or back up. It is given the ledger, which must not be held by
/// what the ledger holds.
pub type Hook = Box<dyn Fn(&Ledger, &ExpungeNotice) + Send + Sync>;

impl Ledger {
    /// Takes entries out of every door: one entry of kind [`WITHDRAW`] for each, in its collection, under its subject.
    /// Versions stay in the log; the same bytes may come again afterwards as a new entry. Returns the outcomes in the
    /// order of `targets`. More than 400 go in several appends: each stands or falls alone, and a repetition
    /// withdraws what is left.
    ///
    /// `objects` says of each target which object and version it is.
    ///
    /// # Errors
    /// [`Error::Limit`] when a target is no entry, and whatever [`Ledger::append`] answers.
    pub fn withdraw(&self, targets: &[Target], reason: &str, author: u32) -> Result<Vec<Outcome>> {
        let urgency = if targets.len() > BULK { Urgency::Bulk } else { Urgency::Interactive };
        let mut outcomes = Vec::with_capacity(targets.len());
        for chunk in targets.chunks(CHUNK) {
            let mut append = Append::default();
            for target in chunk {
                let entry = self.target(target.pos)?;
                let body = Withdrawal {
                    entry: hex::encode(entry.id),
                    object: target.object.to_string(),
                    version: target.version,
                    reason: reason.to_owned(),
                };
                append.entries.push(about(&entry, WITHDRAW, author, &body)?);
            }
            outcomes.extend(self.append(append, urgency)?.outcomes);
        }
        Ok(outcomes)
    }

    /// Erases the bodies of `targets`, all entries that hold `object`, so that no file of the folder holds them any
    /// longer; every proof still holds. Returns when that is done. After a kill the next [`Ledger::open`] goes on.
    ///
    /// # Errors
    /// [`Error::Limit`] for no, too many or unknown targets; [`Error::Behind`] when a reader outside this program keeps
    /// a file's WAL from being cut (the erasure stands and goes on at the next call or start); the storage's.
    pub fn expunge(&self, targets: &[u64], object: &str, reason: &str, author: u32) -> Result<Expunged> {
        if targets.is_empty() || targets.len() > MOST {
            return Err(Error::Limit(format!("{} entries to expunge; between 1 and {MOST} can be", targets.len())));
        }
        for pos in targets {
            let entry = self.target(*pos)?;
            if entry.kind == EXPUNGE {
                return Err(Error::Limit("an expunge entry says only that something was erased; it stays".into()));
            }
        }
        let erasure = steps::Erasure::begin(self, targets, object, reason, author)?;
        erasure.run(self)
    }

    /// Registers a holder of text outside log and views; it deletes what it holds about the entries named. It hears at
    /// once of erasures that were finished since the start: one that a kill broke off goes on before anybody registers.
    pub fn on_expunge(&self, hook: Hook) {
        // An erasure that runs meanwhile is heard of once, here or there.
        let _no_erasure = self.inner().no_erasure();
        self.inner().resumed().iter().for_each(|notice| hook(self, notice));
        self.inner().hooks().push(hook);
    }

    pub(crate) fn target(&self, pos: u64) -> Result<Entry> {
        self.log().entry(pos)?.ok_or_else(|| Error::Limit(format!("{pos} is no entry of this log")))
    }
}

/// An entry to withdraw, and which object version it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its `pos`.
    pub pos: u64,
    /// The object's id, as given in [`IdSource::Object`].
    pub object: Arc<str>,
    /// The object's version, as given there.
    pub version: Option<i64>,
}

/// An entry about another: in its collection, with its subject and marking, once.
fn about(entry: &Entry, kind: &str, author: u32, body: &impl serde::Serialize) -> Result<NewEntry> {
    let body = serde_json::to_string(body).map_err(|e| Error::Limit(e.to_string()))?;
    Ok(NewEntry {
        collection: entry.collection,
        id: IdSource::Once([kind.as_bytes(), &entry.id].concat()),
        same: SameRule::Refuse,
        subject: Arc::clone(&entry.subject),
        cause: None,
        author,
        time: None,
        kind: Kind::new(kind),
        version: VERSION,
        marking: Arc::clone(&entry.marking),
        body: body.into(),
    })
}

/// The last entry about a subject, as the ledger's index knows it: for callers without a view of their own.
impl Ledger {
    /// What [`Append::expect`] wants for "nobody wrote about this since": reads the index behind its barrier.
    ///
    /// # Errors
    /// The storage's.
    pub fn expect(&self, collection: CollectionId, subject: &str) -> Result<Expect> {
        let view = self.view(crate::index::Index::NAME)?;
        view.wait(self.head().pos, std::time::Duration::from_secs(2))?;
        let row = crate::index::subject_row(self.keys().row(), &collection, subject);
        let last = view.read(|r| Ok(crate::index::last_of_subject(r.conn, row)?))?;
        Ok(Expect { collection, subject: subject.into(), last })
    }
}
