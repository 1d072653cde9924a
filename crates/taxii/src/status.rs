//! Status resources (TAXII 2.1 §4.3): kept a day and more, for whoever posted; ids and reasons, no bodies.
use intel::Intel;
use rusqlite::OptionalExtension;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS taxii_status(id TEXT PRIMARY KEY, account INTEGER NOT NULL, at INTEGER NOT NULL, \
                      body TEXT NOT NULL) WITHOUT ROWID; CREATE INDEX IF NOT EXISTS taxii_status_at ON taxii_status(at); \
                      CREATE INDEX IF NOT EXISTS taxii_status_of ON taxii_status(account, at, length(body))";
/// Of one account so many are kept at most, the newest, and so many bytes of them.
const OF_ACCOUNT: usize = 10_000;
const OF_ACCOUNT_BYTES: i64 = 64 << 20;
/// They are counted after so many.
const COUNT_AFTER: usize = 64;
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

/// Takes an account's oldest away, beyond what one account may keep.
fn bound(c: &rusqlite::Connection, account: u32) -> rusqlite::Result<()> {
    let mut newest = c.prepare_cached(
        "SELECT at, length(body) FROM taxii_status INDEXED BY taxii_status_of WHERE account = ? ORDER BY at DESC",
    )?;
    let mut rows = newest.query([account])?;
    let (mut count, mut bytes) = (0, 0i64);
    while let Some(row) = rows.next()? {
        count += 1;
        bytes += row.get::<_, i64>(1)?;
        if count > OF_ACCOUNT || bytes > OF_ACCOUNT_BYTES {
            let oldest: i64 = row.get(0)?;
            c.execute("DELETE FROM taxii_status WHERE account = ? AND at <= ?", (account, oldest))?;
            break;
        }
    }
    Ok(())
}

#[derive(Clone)]
pub(crate) struct Statuses {
    /// How long they are kept, µs.
    kept: i64,
    intel: Intel,
    recent: Arc<Mutex<Recent>>,
    /// Written since the accounts were counted.
    uncounted: Arc<AtomicUsize>,
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
        let recent: Arc<Mutex<Recent>> = Arc::default();
        // Whoever erases, on a page or by a command: what memory and the disk hold of the object goes with its body.
        let held = Arc::downgrade(&recent);
        intel.ledger().on_expunge(Box::new(move |ledger, notice| {
            if let Some(held) = held.upgrade() {
                *held.lock().unwrap_or_else(PoisonError::into_inner) = Recent::default();
            }
            if let Err(e) = forget(ledger, &notice.object) {
                tracing::error!(error = %e, "status resources could not be cleared of what was erased; erase it again");
            }
        }));
        let kept = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
        Self { kept, intel: intel.clone(), recent, uncounted: Arc::default() }
    }

    pub(crate) fn keep(&self, id: &str, account: u32, body: &Value) {
        let body = body.to_string();
        let large = body.len() > LARGE;
        if !large {
            self.recent.lock().unwrap_or_else(PoisonError::into_inner).keep(id, account, body.clone());
        }
        let (id, now, kept) = (id.to_owned(), self.intel.ledger().now(), self.kept);
        let count = large || self.uncounted.fetch_add(1, Ordering::Relaxed) % COUNT_AFTER == COUNT_AFTER - 1;
        let write = move |c: &rusqlite::Connection| {
            c.prepare_cached("INSERT OR REPLACE INTO taxii_status(id, account, at, body) VALUES (?,?,?,?)")?
                .execute((id, account, now, body))?;
            c.prepare_cached("DELETE FROM taxii_status WHERE at < ?")?.execute([now.saturating_sub(kept)])?;
            if count {
                bound(c, account)?;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_account_the_newest_are_kept_and_no_others_pay_for_it() {
        let c = rusqlite::Connection::open_in_memory().unwrap();
        c.execute_batch(SCHEMA).unwrap();
        let put = |id: &str, account: u32, at: i64, bytes: usize| {
            c.execute("INSERT INTO taxii_status VALUES (?,?,?,?)", (id, account, at, "x".repeat(bytes))).unwrap();
        };
        put("other", 2, 0, 1);
        let part = usize::try_from(OF_ACCOUNT_BYTES / 4).unwrap();
        (0..6).for_each(|n| put(&format!("large{n}"), 1, n, part));
        bound(&c, 1).unwrap();
        let left = || -> Vec<String> {
            let mut all = c.prepare("SELECT id FROM taxii_status ORDER BY account, at").unwrap();
            all.query_map([], |r| r.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(left(), ["large2", "large3", "large4", "large5", "other"]);
        (0..OF_ACCOUNT as i64 + 5).for_each(|n| put(&format!("small{n}"), 1, 100 + n, 1));
        bound(&c, 1).unwrap();
        assert_eq!(left().len(), OF_ACCOUNT + 1, "the large ones were older");
    }
}
