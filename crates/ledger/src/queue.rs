use crate::writer::Message;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Interactive appends that may wait.
const INTERACTIVE: usize = 1_024;
/// Bulk appends that may wait: few, so that a bulk door feels how fast the log is.
const BULK: usize = 4;
/// Interactive appends that share one commit at most.
const GROUP: usize = 64;
/// And bytes of body, unless the first alone has more.
const GROUP_BYTES: usize = 32 << 20;

/// What waits for the writer. Interactive appends go first; one bulk append rides along in each commit.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
    drained: Condvar,
}

#[derive(Default)]
struct Inner {
    interactive: VecDeque<Message>,
    bulk: VecDeque<Message>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room, then adds.
    pub(crate) fn push(&self, message: Message, bulk: bool) -> Result<()> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return Err(Error::Closed);
            }
            let room = if bulk { inner.bulk.len() < BULK } else { inner.interactive.len() < INTERACTIVE };
            if room {
                break;
            }
            inner = self.drained.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if bulk {
            inner.bulk.push_back(message)
        } else {
            inner.interactive.push_back(message)
        }
        drop(inner);
        self.filled.notify_one();
        Ok(())
    }

    /// The next group, or nothing after `patience`. `None` once closed and empty.
    pub(crate) fn pop(&self, patience: Duration) -> Option<Vec<Message>> {
        let mut inner = self.lock();
        if inner.interactive.is_empty() && inner.bulk.is_empty() && !inner.closed {
            inner = self.filled.wait_timeout(inner, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut bytes = 0usize;
        let shares = |message: &&Message| {
            bytes = bytes.saturating_add(message.weight());
            bytes <= GROUP_BYTES
        };
        let many = inner.interactive.iter().take(GROUP).take_while(shares).count().max(1);
        let many = many.min(inner.interactive.len());
        let mut group: Vec<Message> = inner.interactive.drain(..many).collect();
        group.extend(inner.bulk.pop_front());
        let done = inner.closed && group.is_empty();
        drop(inner);
        self.drained.notify_all();
        (!done).then_some(group)
    }

    /// How many wait: interactive and bulk.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.interactive.len(), inner.bulk.len())
    }

    /// What is queued is still done; nothing more is taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// The writer is gone: whoever waits for an answer hears so.
    pub(crate) fn end(&self) {
        let unheard = {
            let mut inner = self.lock();
            inner.closed = true;
            (std::mem::take(&mut inner.interactive), std::mem::take(&mut inner.bulk))
        };
        drop(unheard);
        self.drained.notify_all();
    }
}
