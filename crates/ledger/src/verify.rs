//! Whether a ledger still says what it said: every hash derived again from the rows, every signature checked.
//!
//! Reads in short transactions, up to the head noted at start, in memory bounded by the number of collections, so it
//! runs beside a serving ledger. Changes nothing.
mod offline;
mod rows;
mod start;
mod walk;

use crate::{Ledger, Result};
use rusqlite::Connection;

pub(crate) use offline::verify_with;
pub use offline::{check, verify_folder};
pub(crate) use offline::{missing, open};

/// Problems that are told one by one; more are counted.
const MOST_PROBLEMS: usize = 1_000;

/// What is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What does not hold, in a sentence without personal data.
    pub what: String,
    /// Table and row, such as `bodies, pos 17`.
    pub place: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.what, self.place)
    }
}

/// What a verification came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries whose hashes were derived again.
    pub entries: u64,
    /// Commits in the chain.
    pub commits: u64,
    /// Collections with a tree.
    pub collections: u64,
    /// Leaves of the node's own log.
    pub leaves: u64,
    /// Entries whose body was expunged, each covered by an expunge entry.
    pub expunged: u64,
    /// What is damaged, at most 1,000 of it.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more: u64,
}

impl Report {
    /// Whether everything holds.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { what: what.into(), place: place.into() });
        } else {
            self.more += 1;
        }
    }

    /// A table that could not be read is a problem, not the end.
    pub(crate) fn note(&mut self, place: &str, result: Result<()>) {
        if let Err(e) = result {
            self.add(place, format!("cannot be read: {e}"));
        }
    }
}

impl Ledger {
    /// Proves the whole ledger beside its use, up to the head of this moment; `progress` hears entries done, of all.
    ///
    /// # Errors
    /// Only when the log cannot be opened; what is damaged stands in the report.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
        let conn = crate::open_reader(&self.folder().log())?;
        let key = self.keys().signing().verifying_key();
        let keys = Trust { key: Some(key), index_hmac: Some(self.keys().index_hmac()) };
        Ok(verify_log(&conn, &keys, &|| self.state().read(unfinished_erasure).unwrap_or(false), progress))
    }
}

/// What a verification trusts.
pub(crate) struct Trust<'a> {
    pub(crate) key: Option<ed25519_dalek::VerifyingKey>,
    pub(crate) index_hmac: Option<&'a [u8; 32]>,
}

pub(crate) fn unfinished_erasure(state: &Connection) -> Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'expunges'";
    if state.query_row(sql, [], |r| r.get::<_, i64>(0))? == 0 {
        return Ok(false);
    }
    Ok(state.query_row("SELECT count(*) FROM expunges", [], |r| r.get::<_, i64>(0))? > 0)
}

pub(crate) fn verify_log(
    conn: &Connection,
    trust: &Trust<'_>,
    erasing: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Report {
    let mut report = Report::default();
    let noted = match start::note(conn, &mut report) {
        Ok(noted) => noted,
        Err(e) => {
            report.add("log.db", format!("cannot be read: {e}"));
            return report;
        }
    };
    // After the head was noted: an erasure up to it is either unfinished now, or its bodies are gone.
    let erasing = erasing();
    let expunges = start::expunges(conn, &noted, 0, &mut report);
    let expunges = expunges.unwrap_or_else(|e| {
        report.add("entries", format!("the expunge entries cannot be read: {e}"));
        start::Expunges::default()
    });
    start::suppression(conn, &noted, &expunges, trust, &mut report);
    let mut walk = walk::Walk::new(conn, &noted, expunges, trust, erasing, &mut report);
    if let Err(e) = walk.all(progress) {
        let at = walk.at();
        report.add(format!("entries, after pos {at}"), format!("cannot be read: {e}"));
    }
    report
}
