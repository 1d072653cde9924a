use crate::Entry;
use event_listener::{Event, EventListener};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries of one commit, in order.
pub type Batch = Vec<Arc<Entry>>;

/// Where the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// The last entry's `pos`; 0 = empty.
    pub pos: u64,
    /// The last entry's `arrived`, µs.
    pub arrived: i64,
}

/// The newest commits in memory, so that folds and streams seldom read back what was just written. Bounded in bytes:
/// whoever falls behind it reads the log.
#[derive(Debug)]
pub(crate) struct Tail {
    head: AtomicU64,
    arrived: AtomicI64,
    ring: Mutex<Ring>,
    event: Event,
    limit: usize,
}

#[derive(Debug, Default)]
struct Ring {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
}

fn weight(batch: &Batch) -> usize {
    batch.iter().map(|e| 300 + e.body.as_ref().map_or(0, |b| b.len())).sum()
}

impl Tail {
    pub(crate) fn new(head: LogHead, limit: usize) -> Self {
        Self {
            head: AtomicU64::new(head.pos),
            arrived: AtomicI64::new(head.arrived),
            ring: Mutex::default(),
            event: Event::new(),
            limit,
        }
    }

    pub(crate) fn head(&self) -> LogHead {
        LogHead { pos: self.head.load(Ordering::Acquire), arrived: self.arrived.load(Ordering::Acquire) }
    }

    /// Called by the writer alone, after the commit is durable.
    pub(crate) fn publish(&self, batch: Batch) {
        let Some(last) = batch.last() else { return };
        let (pos, arrived) = (last.pos, last.arrived);
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.bytes += weight(&batch);
            ring.batches.push_back(Arc::new(batch));
            while ring.bytes > self.limit && ring.batches.len() > 1 {
                if let Some(old) = ring.batches.pop_front() {
                    ring.bytes -= weight(&old);
                }
            }
        }
        self.arrived.store(arrived, Ordering::Release);
        self.head.store(pos, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    /// As [`Tail::publish`], of entries that stand in the log alone: memory holds none from before them either, for a batch
    /// that followed upon a gap would hide it.
    pub(crate) fn publish_unread(&self, head: LogHead) {
        self.clear();
        self.arrived.store(head.arrived, Ordering::Release);
        self.head.store(head.pos, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    /// The commit that holds the entry after `after`, when it is still in memory.
    pub(crate) fn after(&self, after: u64) -> Option<Arc<Batch>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ring.batches.front()?.first()?.pos;
        if after + 1 < first {
            return None;
        }
        let at = ring.batches.partition_point(|b| b.last().is_some_and(|e| e.pos <= after));
        ring.batches.get(at).cloned()
    }

    /// Forgets every body (an expunge must leave none behind in memory that a fold could write down again).
    pub(crate) fn clear(&self) {
        *self.ring.lock().unwrap_or_else(PoisonError::into_inner) = Ring::default();
    }

    /// Hears of the next publication after this call.
    pub(crate) fn listen(&self) -> EventListener {
        self.event.listen()
    }

    /// Wakes everybody who listens, without news.
    pub(crate) fn wake(&self) {
        self.event.notify(usize::MAX);
    }
}
