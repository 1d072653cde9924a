use crate::{CollectionId, Entry, Kind};
use std::sync::Arc;

/// Where an entry's `id` comes from.
#[derive(Debug, Clone)]
pub enum IdSource {
    /// An object version: HMAC(node key, collection ‖ object id ‖ version ‖ times withdrawn). `None` is an SCO's version.
    Object {
        /// The object's id.
        object: Arc<str>,
        /// `modified`, else `created`, µs; `None` for SCOs.
        version: Option<i64>,
    },
    /// Anything that must not happen twice: a form's token, (clock, due), (rule, cause, target).
    Once(Vec<u8>),
    /// Nothing to compare with: a fresh random id.
    Fresh,
}

/// What "the same again" means for an entry whose id is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameRule {
    /// Same bytes (or the same RFC 8785 form): the same again. Other bytes: refused.
    Refuse,
    /// Same RFC 8785 form: the same again. Other bytes: a new entry (SCOs have no version of their own).
    Add,
}

/// An entry that somebody wants written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The audience.
    pub collection: CollectionId,
    /// What tells "the same again".
    pub id: IdSource,
    /// And what it then means.
    pub same: SameRule,
    /// What it is about.
    pub subject: Arc<str>,
    /// `pos` of the import that brings it.
    pub cause: Option<u64>,
    /// The account that writes it.
    pub author: u32,
    /// The author's claimed time, µs; `None` = the time of arrival.
    pub time: Option<i64>,
    /// Its sort.
    pub kind: Kind,
    /// The kind's schema version.
    pub version: u16,
    /// The effective marking.
    pub marking: Arc<str>,
    /// UTF-8 JSON.
    pub body: Arc<str>,
}

/// "The last entry about this subject is this one": what `act` read before it decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The collection it was read in.
    pub collection: CollectionId,
    /// The subject.
    pub subject: Arc<str>,
    /// The last `pos` that `act` read; `None` = nothing yet.
    pub last: Option<u64>,
}

/// Entries that stand or fall together.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// At most 400 for bulk doors; never more than 2,000.
    pub entries: Vec<NewEntry>,
    /// Subjects of kinds that may be expected: all but [`crate::Ledger`]'s unindexed ones (`stix`, `seen`).
    pub expect: Vec<Expect>,
}

/// Why one entry of an append was not taken, while the others were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The same version with other bytes.
    OtherBytes,
    /// It was expunged by the entry at this `pos`, and must not come back.
    Expunged(u64),
}

/// What became of one entry.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Written.
    New(Arc<Entry>),
    /// It was there already, at this `pos`.
    Same(u64),
    /// Not taken.
    Refused(Refusal),
}

impl Outcome {
    /// The `pos` where what was to be written now stands.
    pub fn pos(&self) -> Option<u64> {
        match self {
            Self::New(e) => Some(e.pos),
            Self::Same(pos) => Some(*pos),
            Self::Refused(_) => None,
        }
    }
}

/// What an append came to, once it is on the disk.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// One for each entry, in order.
    pub outcomes: Vec<Outcome>,
    /// The log's head after it.
    pub head: u64,
}
