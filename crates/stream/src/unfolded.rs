use crate::Limits;
use intel::Intel;
use ledger::{Entry, TakenBack};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The view of the intelligence room.
const ROOM: &str = "intel";

/// An object in a collection.
type Key = (u32, Arc<str>);

/// What the log has after the view, kept once for every listener: the view's lag behind a bulk ingest delays the stream no
/// further, and nothing goes out after its withdrawal was acknowledged.
#[derive(Default)]
pub(crate) struct Unfolded(Mutex<Lag>);

#[derive(Default)]
struct Lag {
    /// What the view had when entries were forgotten last.
    folded: u64,
    /// Read up to here.
    read: u64,
    /// In the log's order, to be forgotten when the view has them.
    order: VecDeque<(u64, What)>,
    /// Ids of entries that were withdrawn or erased, and where that stands.
    taken_back: HashMap<[u8; 32], u64>,
    /// Entries of each object.
    versions: HashMap<Key, Vec<(u64, [u8; 32])>>,
}

enum What {
    TookBack([u8; 32]),
    Version(Key),
}

/// What the log has after the view that concerns one batch. It is the listener's own: another listener may make
/// [`Unfolded`] forget what the view has by then, while this one's reading of the view is older.
#[derive(Default)]
pub(crate) struct Ahead {
    /// What the view had: a reading of it that has less does not go with this.
    pub(crate) folded: u64,
    taken_back: HashMap<[u8; 32], u64>,
    /// Of an entry's `pos`: the version before, and whether it stands.
    earlier: HashMap<u64, (u64, bool)>,
}

impl Ahead {
    /// Whether it was withdrawn or erased meanwhile.
    pub(crate) fn took_back(&self, entry: &Entry) -> bool {
        self.taken_back.contains_key(&entry.id)
    }

    /// Whether the view has every withdrawal.
    pub(crate) fn took_nothing_back(&self) -> bool {
        self.taken_back.is_empty()
    }

    /// Where it was withdrawn or erased, if the view lacks that.
    pub(crate) fn taken_back_at(&self, entry: &Entry) -> Option<u64> {
        self.taken_back.get(&entry.id).copied()
    }

    /// The version before in the same collection, and whether it stands.
    pub(crate) fn earlier(&self, entry: &Entry) -> Option<(u64, bool)> {
        self.earlier.get(&entry.pos).copied()
    }
}

impl Unfolded {
    /// Reads on to the log's end. Ask before the view is read, so that everything is either in the view or here.
    pub(crate) fn ahead<'a>(
        &self,
        intel: &Intel,
        limits: Limits,
        batch: impl Iterator<Item = &'a Arc<Entry>>,
    ) -> intel::Result<Ahead> {
        let ledger = intel.ledger();
        let view = ledger.view(ROOM)?;
        view.wait(ledger.head().pos.saturating_sub(limits.unfolded), limits.lag)?;
        let mut lag = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lag.forget(view.position());
        // To the end as it is now: what was withdrawn while this waited is in it.
        loop {
            let entries = ledger.entries_after(lag.read)?;
            let Some(last) = entries.last() else { break };
            lag.read = last.pos;
            entries.iter().for_each(|entry| lag.take(entry));
        }
        Ok(lag.ahead(batch))
    }
}

impl Lag {
    fn take(&mut self, entry: &Entry) {
        match entry.kind.as_str() {
            ledger::WITHDRAW | ledger::EXPUNGE => {
                let Some(TakenBack { entry: id, .. }) = TakenBack::of(entry) else { return };
                self.taken_back.insert(id, entry.pos);
                self.order.push_back((entry.pos, What::TookBack(id)));
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
        if folded < self.folded {
            // The view was damaged and is folded anew: what was forgotten is not in it any longer.
            *self = Self::default();
        }
        self.folded = folded;
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

    fn ahead<'a>(&self, batch: impl Iterator<Item = &'a Arc<Entry>>) -> Ahead {
        let stands = |id: &[u8; 32]| !self.taken_back.contains_key(id);
        let before = |entry: &Arc<Entry>| {
            let list = self.versions.get(&(entry.col, Arc::clone(&entry.subject)))?;
            let before = list.iter().filter(|(pos, _)| *pos < entry.pos).max_by_key(|(pos, _)| *pos)?;
            Some((entry.pos, (before.0, stands(&before.1))))
        };
        let earlier = batch.filter_map(before).collect();
        Ahead { folded: self.folded, taken_back: self.taken_back.clone(), earlier }
    }
}

/// The later of two versions, from the view and from what it lacks; it stands only when both say so.
pub(crate) fn later(a: Option<(u64, bool)>, b: Option<(u64, bool)>) -> Option<(u64, bool)> {
    match (a, b) {
        (Some((p, x)), Some((q, y))) if p == q => Some((p, x && y)),
        (a, b) => a.max(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{INTAKE, Kind};

    fn entry(pos: u64, kind: &str, subject: &str, body: &str) -> Arc<Entry> {
        let mut id = [0; 32];
        id[0] = u8::try_from(pos).unwrap();
        Arc::new(Entry {
            pos,
            origin: "EXERCISE".into(),
            collection: INTAKE,
            col: 1,
            seq: pos,
            id,
            subject: subject.into(),
            cause: None,
            author: 1,
            time: 0,
            arrived: 0,
            kind: Kind::new(kind),
            version: 1,
            marking: "TLP:CLEAR".into(),
            commitment: [0; 32],
            leaf: [0; 32],
            body_of: None,
            body: Some(body.into()),
        })
    }

    #[test]
    fn what_one_listener_has_asked_for_stands_when_another_makes_the_rest_forget_it() {
        let (old, new) = (entry(1, "stix", "note--1", "{}"), entry(2, "stix", "note--1", "{}"));
        let named = format!("{{\"entry\":\"{}\",\"object\":\"note--1\"}}", hex::encode(old.id));
        let mut lag = Lag::default();
        for e in [&old, &new, &entry(3, ledger::WITHDRAW, "note--1", &named)] {
            lag.take(e);
        }
        let ahead = lag.ahead([&old, &new].into_iter());
        lag.forget(3);
        assert!(lag.taken_back.is_empty() && lag.versions.is_empty() && lag.order.is_empty(), "the view has it all");
        assert!(ahead.took_back(&old) && !ahead.took_back(&new));
        assert_eq!((ahead.earlier(&old), ahead.earlier(&new)), (None, Some((1, false))));
    }

    #[test]
    fn a_view_that_is_folded_anew_makes_the_log_be_read_again() {
        let mut lag = Lag::default();
        lag.take(&entry(1, "stix", "note--1", "{}"));
        lag.read = 9;
        lag.forget(9);
        lag.forget(0);
        assert_eq!((lag.read, lag.folded), (0, 0), "withdrawals that were forgotten stand before it");
    }

    #[test]
    fn a_version_before_stands_only_when_view_and_log_say_so() {
        assert_eq!(later(Some((7, false)), Some((7, true))), Some((7, false)));
        assert_eq!(later(Some((7, true)), Some((7, false))), Some((7, false)));
        assert_eq!(later(Some((7, true)), Some((9, false))), Some((9, false)));
        assert_eq!(later(Some((7, true)), None), Some((7, true)));
    }
}
