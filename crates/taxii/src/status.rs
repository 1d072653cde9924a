//! Status resources (TAXII 2.1 §4.3): kept a day and more, for whoever posted; ids and reasons, no bodies.
use intel::Intel;
use rusqlite::OptionalExtension;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS taxii_status(id TEXT PRIMARY KEY, account INTEGER NOT NULL, at INTEGER NOT NULL, \
                      body TEXT NOT NULL) WITHOUT ROWID; CREATE INDEX IF NOT EXISTS taxii_status_at ON taxii_status(at)";
/// The newest that are answered from memory, while the disk is on its way, and their bytes.
const RECENT: usize = 256;
const RECENT_BYTES: usize = 1 << 20;
/// A larger one is on the disk before it is answered.
const LARGE: usize = 64 << 10;

/// Takes the status resources away that name an object: it was erased.
///
/// # Errors
/// The storage's.
pub fn forget(ledger: &ledger::Ledger, object: &str) -> ledger::Result<()> {
    ledger.state().ensure(SCHEMA)?;
    let named = format!("\"{object}\"");
    ledger.state().write(move |c| Ok(c.execute("DELETE FROM taxii_status WHERE instr(body, ?)", [named]).map(drop)?))
}

#[derive(Clone)]
pub(crate) struct Statuses {
    /// How long they are kept, µs.
    kept: i64,
    intel: Intel,
    recent: Arc<Mutex<Recent>>,
}

#[derive(Default)]
struct Recent {
    bodies: HashMap<String, (u32, String)>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Recent {
    fn keep(&mut self, id: &str, account: u32, body: String) {
        self.bytes += body.len();
        self.bodies.insert(id.to_owned(), (account, body));
        self.order.push_back(id.to_owned());
        while self.order.len() > RECENT || self.bytes > RECENT_BYTES {
            let Some(old) = self.order.pop_front() else { return };
            self.bytes -= self.bodies.remove(&old).map_or(0, |(_, body)| body.len());
        }
    }
}

impl Statuses {
    pub(crate) fn new(intel: &Intel, kept: Duration) -> Self {
        if let Err(e) = intel.ledger().state().ensure(SCHEMA) {
            tracing::error!(error = %e, "status resources cannot be kept");
        }
        Self { kept: i64::try_from(kept.as_micros()).unwrap_or(i64::MAX), intel: intel.clone(), recent: Arc::default() }
    }

    pub(crate) fn keep(&self, id: &str, account: u32, body: &Value) {
        let body = body.to_string();
        let large = body.len() > LARGE;
        if !large {
            self.recent.lock().unwrap_or_else(PoisonError::into_inner).keep(id, account, body.clone());
        }
        let (id, now, kept) = (id.to_owned(), self.intel.ledger().now(), self.kept);
        let write = move |c: &rusqlite::Connection| {
            c.prepare_cached("INSERT OR REPLACE INTO taxii_status(id, account, at, body) VALUES (?,?,?,?)")?
                .execute((id, account, now, body))?;
            c.prepare_cached("DELETE FROM taxii_status WHERE at < ?")?.execute([now.saturating_sub(kept)])?;
            Ok(())
        };
        let state = self.intel.ledger().state();
        if !large {
            state.soon(write);
        } else if let Err(e) = state.write(write) {
            tracing::error!(error = %e, "a status resource could not be kept");
        }
    }

    pub(crate) fn get(&self, id: &str, account: u32) -> Option<String> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner).bodies.get(id).cloned();
        let found = recent.or_else(|| {
            let read = self.intel.ledger().state().read(|c| {
                Ok(c.prepare_cached("SELECT account, body FROM taxii_status WHERE id = ?")?
                    .query_row([id], |r| Ok((r.get(0)?, r.get(1)?)))
                    .optional()?)
            });
            read.ok().flatten()
        });
        found.filter(|(owner, _)| *owner == account).map(|(_, body)| body)
    }
}
