//! What goes in with a file and what comes out of it: options, limits, records, the summary.

use crate::fault::Why;
use crate::format::Format;
use crate::ids::IdMaker;
use crate::mapping::Mapping;
use crate::object::Object;
use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Bounds on what one file may cost. The defaults suit an import from a file on two cores.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest single record or object, in bytes; a larger one is set aside.
    pub max_object_bytes: usize,
    /// The most records read from one file; more end the reading with an error.
    pub max_records: u64,
    /// The most bytes read from one file after decompression.
    pub max_input_bytes: u64,
    /// The deepest nesting of JSON, YAML or XML.
    pub max_depth: usize,
    /// The most bytes of lookup tables held while reading (places of an OFAC file, held-back parties, ...).
    pub max_held_bytes: usize,
    /// The most bytes of a bad record handed on for the quarantine; a longer one is cut.
    pub max_kept_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_object_bytes: 16 * 1024 * 1024,
            max_records: 50_000_000,
            max_input_bytes: 16 * 1024 * 1024 * 1024,
            max_depth: 64,
            max_held_bytes: 96 * 1024 * 1024,
            max_kept_bytes: 64 * 1024,
        }
    }
}

/// What a free text becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextAs {
    /// A complaint, a hotline note, a report of an event: an `incident`.
    #[default]
    Complaint,
    /// An advert, a chat, a call script: a `lure`.
    Lure,
}

/// How a file is read.
pub struct Options<'a> {
    /// The feed's or file's name: part of the ids of converted objects, so a renamed file is another source.
    pub source: &'a str,
    /// Makes the ids of converted objects that have no deterministic one.
    pub ids: &'a dyn IdMaker,
    /// The mapping of a CSV file; other formats ignore it.
    pub mapping: Option<&'a Mapping>,
    /// ISO 3166-1 alpha-2 code of the country the report comes from, for national spellings.
    pub country: Option<&'a str>,
    /// RFC 5646 language of the text, when known; else it is guessed.
    pub lang: Option<&'a str>,
    /// What one file may cost.
    pub limits: Limits,
    /// The STIX id of this node's identity, written as `created_by_ref` of converted objects.
    pub created_by: Option<&'a str>,
    /// Marks converted objects EXERCISE.
    pub exercise: bool,
    /// What a free text becomes.
    pub text_as: TextAs,
    /// What a person corrected in a free text; written into our `imported` extension as it is.
    pub corrections: Option<&'a serde_json::Value>,
    /// The time of the reading, RFC 3339 with milliseconds: `created` and `modified` of converted objects that have
    /// versions and whose source has no times. Without it these properties are missing.
    pub now: Option<String>,
}

impl<'a> Options<'a> {
    /// Options with default limits for a source, with ids from `ids`.
    pub fn new(source: &'a str, ids: &'a dyn IdMaker) -> Self {
        Self {
            source,
            ids,
            mapping: None,
            country: None,
            lang: None,
            limits: Limits::default(),
            created_by: None,
            exercise: false,
            text_as: TextAs::default(),
            corrections: None,
            now: None,
        }
    }
}

/// Where in its file a record stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1, where the format has lines.
    pub line: Option<u64>,
    /// Number of the record, from 1.
    pub record: Option<u64>,
    /// What it is there: `object`, `tag`, `party 36`, ... Never a value from the record's text.
    pub what: String,
}

impl Position {
    /// A position in words only.
    pub fn of(what: impl Into<String>) -> Self {
        Self { line: None, record: None, what: what.into() }
    }

    /// The same with a line, from 1.
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same with a record number, from 1.
    pub fn record(mut self, record: u64) -> Self {
        self.record = Some(record);
        self
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.what.is_empty() { "record" } else { &self.what })?;
        if let Some(record) = self.record {
            write!(f, " {record}")?;
        }
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        Ok(())
    }
}

/// Where a body's `created` and `modified` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimesKnown {
    /// They come from the source.
    FromSource,
    /// `created` comes from the source, `modified` is [`Options::now`]; see [`TimesKnown::Absent`].
    CreatedOnly,
    /// The source has none, both are [`Options::now`]: where the object stands already, the caller keeps the times it has,
    /// such that a second run of the same file appends nothing.
    Absent,
    /// An observable or marking: such objects have no versions.
    NotVersioned,
}

/// One STIX object out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// STIX 2.1 JSON: byte for byte as received for STIX input, RFC 8785 for conversions.
    pub body: String,
    /// The object's STIX id.
    pub id: String,
    /// Where it was read.
    pub at: Position,
    /// Whether we made the object from another format.
    pub converted: bool,
    /// Where the body's times come from.
    pub times: TimesKnown,
    /// Stands for an object that another file describes better: append it only where the id is not known yet.
    pub placeholder: bool,
}

/// One record that could not be read: to be shown and set aside, not to be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Where it stands.
    pub at: Position,
    /// What is wrong and what would be right. Repeats nothing of the record.
    pub why: Why,
    /// The record, or its first [`Limits::max_kept_bytes`]: for the quarantine only, never for a log.
    pub snippet: Option<String>,
    /// Whether the record is longer than that.
    pub cut: bool,
    /// The row that names a CSV file's columns: with it, and the mapping, the record can be read alone.
    pub header: Option<Arc<str>>,
}

/// What a file holds, one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A STIX object.
    Object(Record),
    /// A record that could not be read.
    Skipped(Bad),
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects handed over.
    pub objects: u64,
    /// Records of the source (tags, parties, lines, ...) that gave them.
    pub records: u64,
    /// Records set aside.
    pub bad: u64,
    /// What a reader of the import should know, each with a count (placeholders left out, ...).
    pub notes: Vec<(String, u64)>,
    /// Whether the sink asked to stop.
    pub stopped: bool,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes could not be read: broken off, or not what their compression says.
    #[error("{at}: the file cannot be read on: {why}; fetch it again, it may be broken off")]
    Broken {
        /// How far the reading came.
        at: Position,
        /// The reader's words.
        why: String,
    },
    /// The file is not of the format it was taken for.
    #[error("{at}: not {format}: {why}")]
    Malformed {
        /// Where.
        at: Position,
        /// The format's code.
        format: &'static str,
        /// What is wrong, what would be right.
        why: String,
    },
    /// A limit was passed.
    #[error("{at}: over the limit: {why}")]
    Limit {
        /// Where.
        at: Position,
        /// Which limit, and how to raise it.
        why: String,
    },
    /// The options do not suit the format.
    #[error("{0}")]
    Options(String),
    /// The sink asked to stop; never leaves this crate.
    #[error("stopped")]
    Stopped,
}

impl ReadError {
    /// All that [`ReadError::code`] answers.
    pub const CODES: [&str; 4] = ["file-broken", "file-malformed", "file-limit", "file-options"];

    /// Why, as a stable code for whoever translates it.
    pub fn code(&self) -> &'static str {
        let [broken, malformed, limit, options] = Self::CODES;
        match self {
            Self::Broken { .. } => broken,
            Self::Malformed { .. } => malformed,
            Self::Limit { .. } => limit,
            Self::Options(_) | Self::Stopped => options,
        }
    }

    /// What the code leaves open: where, and the reader's words. It is not translated, and repeats nothing of a record.
    pub fn detail(&self) -> String {
        match self {
            Self::Broken { at, why } | Self::Limit { at, why } => format!("{at}: {why}"),
            Self::Malformed { at, format, why } => format!("{format}, {at}: {why}"),
            Self::Options(why) => why.clone(),
            Self::Stopped => String::new(),
        }
    }
}

/// The way out of a reader: counts, fills in what all converted objects share, and hands over.
pub(crate) struct Out<'a, 's> {
    pub options: &'a Options<'a>,
    pub format: Format,
    /// The header of a CSV file, once it is read.
    pub header: Option<Arc<str>>,
    sink: &'s mut dyn FnMut(Item) -> ControlFlow<()>,
    summary: Summary,
    seen: HashSet<u64>,
}

/// Beyond this many ids an import stops leaving out repeated objects of itself (8 bytes each).
const MAX_SEEN: usize = 1 << 18;
/// The most different notes in a summary.
const MAX_NOTES: usize = 64;

impl<'a, 's> Out<'a, 's> {
    pub fn new(format: Format, options: &'a Options<'a>, sink: &'s mut dyn FnMut(Item) -> ControlFlow<()>) -> Self {
        Self { options, format, header: None, sink, summary: Summary::default(), seen: HashSet::new() }
    }

    /// The keyed id of a record of this source.
    pub fn id(&self, object_type: &str, key: &[&str]) -> String {
        let mut parts = vec![self.format.as_str(), self.options.source];
        parts.extend_from_slice(key);
        self.options.ids.id(object_type, &parts)
    }

    /// Counts one record of the source.
    pub fn record(&mut self) -> Result<(), ReadError> {
        self.summary.records += 1;
        if self.summary.records > self.options.limits.max_records {
            return Err(ReadError::Limit {
                at: Position::of("record").record(self.summary.records),
                why: format!(
                    "more than {} records in one file (max_records); split it",
                    self.options.limits.max_records
                ),
            });
        }
        Ok(())
    }

    /// Hands over an object byte for byte.
    pub fn raw(&mut self, record: Record) -> Result<(), ReadError> {
        self.summary.objects += 1;
        self.send(Item::Object(record))
    }

    /// Hands over a converted object; gives its id.
    pub fn object(&mut self, object: Object, at: &Position) -> Result<String, ReadError> {
        let record = object.finish(self, at);
        let id = record.id.clone();
        self.raw(record)?;
        Ok(id)
    }

    /// The same, unless this file gave an object with this id already.
    pub fn object_once(&mut self, object: Object, at: &Position) -> Result<String, ReadError> {
        use std::hash::{BuildHasher, RandomState};
        let record = object.finish(self, at);
        let id = record.id.clone();
        let state = SEEN_STATE.get_or_init(RandomState::new);
        if self.seen.len() < MAX_SEEN {
            if !self.seen.insert(state.hash_one(&id)) {
                return Ok(id);
            }
        } else if self.seen.contains(&state.hash_one(&id)) {
            return Ok(id);
        }
        self.raw(record)?;
        Ok(id)
    }

    /// Sets a record aside.
    pub fn bad(&mut self, at: Position, why: impl Into<Why>, record: &[u8]) -> Result<(), ReadError> {
        self.summary.bad += 1;
        let most = self.options.limits.max_kept_bytes;
        let head = record.get(..record.len().min(most)).unwrap_or_default();
        let snippet = (!head.is_empty()).then(|| String::from_utf8_lossy(head).into_owned());
        let cut = record.len() > most;
        self.send(Item::Skipped(Bad { at, why: why.into(), snippet, cut, header: self.header.clone() }))
    }

    /// Notes something worth telling, counted by its text; the text repeats nothing of the record.
    pub fn note(&mut self, text: &str) {
        let notes = &mut self.summary.notes;
        if let Some((_, count)) = notes.iter_mut().find(|(known, _)| known == text) {
            *count += 1;
        } else if notes.len() < MAX_NOTES {
            notes.push((text.to_owned(), 1));
        }
    }

    /// An error about the whole file.
    pub fn malformed(&self, at: Position, why: impl Into<String>) -> ReadError {
        ReadError::Malformed { at, format: self.format.as_str(), why: why.into() }
    }

    /// Says that whoever takes the records has had enough.
    pub fn stopped(&mut self) -> ReadError {
        self.summary.stopped = true;
        ReadError::Stopped
    }

    fn send(&mut self, item: Item) -> Result<(), ReadError> {
        if (self.sink)(item).is_break() {
            return Err(self.stopped());
        }
        Ok(())
    }

    pub fn finish(self) -> Summary {
        self.summary
    }
}

/// Keyed hashing, so that nobody crafts two ids that hide each other.
static SEEN_STATE: std::sync::OnceLock<std::hash::RandomState> = std::sync::OnceLock::new();
