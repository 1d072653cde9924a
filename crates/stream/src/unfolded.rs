use intel::Intel;
use ledger::Entry;
use serde_json::Value;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The view of the intelligence room.
const ROOM: &str = "intel";
/// Entries that the view may lack while the stream goes on, and how long it is waited for when it lacks more.
const UNFOLDED: u64 = 25_000;
const LAG: Duration = Duration::from_secs(2);

/// An object in a collection.
type Key = (u32, Arc<str>);

/// What the log has after the view, kept once for every listener: the view's lag behind a bulk ingest delays the stream no
/// further, and nothing goes out after its withdrawal was acknowledged.
#[derive(Default)]
pub(crate) struct Unfolded(Mutex<Lag>);

#[derive(Default)]
struct Lag {
    /// Read up to here.
    read: u64,
    /// In the log's order, to be forgotten when the view has them.
    order: VecDeque<(u64, What)>,
    /// Ids of entries that were withdrawn or erased.
    taken_back: HashSet<String>,
    /// Entries of each object.
    versions: HashMap<Key, Vec<(u64, [u8; 32])>>,
}

enum What {
    TookBack(String),
    Version(Key),
}

impl Unfolded {
    /// Reads on to the log's end; call it before the view is asked, so that everything is either in the view or here.
    pub(crate) fn catch_up(&self, intel: &Intel) -> intel::Result<()> {
        let ledger = intel.ledger();
        let (view, head) = (ledger.view(ROOM)?, ledger.head().pos);
        view.wait(head.saturating_sub(UNFOLDED), LAG)?;
        let mut lag = self.lock();
        let folded = view.position();
        lag.forget(folded);
        while lag.read < head {
            let entries = ledger.entries_after(lag.read)?;
            let Some(last) = entries.last() else { break };
            lag.read = last.pos;
            entries.iter().for_each(|entry| lag.take(entry));
        }
        Ok(())
    }

    /// Whether it was withdrawn or erased meanwhile.
    pub(crate) fn took_back(&self, entry: &Entry) -> bool {
        self.lock().took_back(&entry.id)
    }

    /// The version before in the same collection, and whether it stands.
    pub(crate) fn earlier(&self, entry: &Entry) -> Option<(u64, bool)> {
        let lag = self.lock();
        let list = lag.versions.get(&(entry.col, Arc::clone(&entry.subject)))?;
        list.iter().filter(|(pos, _)| *pos < entry.pos).map(|(pos, id)| (*pos, !lag.took_back(id))).max()
    }

    fn lock(&self) -> MutexGuard<'_, Lag> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lag {
    fn take(&mut self, entry: &Entry) {
        match entry.kind.as_str() {
            ledger::WITHDRAW | ledger::EXPUNGE => {
                let body: Option<Value> = entry.body.as_deref().and_then(|b| serde_json::from_str(b).ok());
                let Some(id) = body.as_ref().and_then(|b| b.get("entry")).and_then(Value::as_str) else { return };
                self.taken_back.insert(id.to_owned());
                self.order.push_back((entry.pos, What::TookBack(id.to_owned())));
            }
            intel::entry::STIX => {
                let key = (entry.col, Arc::clone(&entry.subject));
                self.versions.entry(key.clone()).or_default().push((entry.pos, entry.id));
                self.order.push_back((entry.pos, What::Version(key)));
            }
            _ => {}
        }
    }

    fn forget(&mut self, folded: u64) {
        self.read = self.read.max(folded);
        while self.order.front().is_some_and(|(pos, _)| *pos <= folded) {
            match self.order.pop_front() {
                Some((_, What::TookBack(id))) => {
                    self.taken_back.remove(&id);
                }
                Some((_, What::Version(key))) => {
                    if let Some(list) = self.versions.get_mut(&key) {
                        list.retain(|(pos, _)| *pos > folded);
                        if list.is_empty() {
                            self.versions.remove(&key);
                        }
                    }
                }
                None => {}
            }
        }
    }

    fn took_back(&self, id: &[u8; 32]) -> bool {
        !self.taken_back.is_empty() && self.taken_back.contains(&hex::encode(id))
    }
}
