//! The thread that takes the node log's leaf once a minute, changed or not, closes what nobody reads, and goes on with
//! erasures that are not finished.
use crate::node::Inner;
use crate::queue::Queue;
use crate::view::View;
use crate::writer::{Message, Writer};
use crate::{Error, Ledger, LogReader, Result};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

/// "Once a minute, changed or not" (LEDGER.md, "Proof").
const MINUTE: Duration = Duration::from_secs(60);

/// What a tick needs; [`crate::Ledger::tick`] does the same by hand.
#[derive(Clone)]
pub(crate) struct Minute {
    pub(crate) queue: Arc<Queue>,
    pub(crate) views: Arc<Vec<View>>,
    pub(crate) log: LogReader,
    stop: Arc<(Mutex<bool>, Condvar)>,
}

impl Minute {
    pub(crate) fn new(queue: Arc<Queue>, views: Arc<Vec<View>>, log: LogReader) -> Self {
        Self { queue, views, log, stop: Arc::default() }
    }

    /// One tick.
    pub(crate) fn tick(&self) -> Result<String> {
        for view in self.views.iter() {
            view.close_long_idle();
        }
        self.log.close_idle();
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        self.queue
            .push(Message::Run(Box::new(move |writer| drop(reply.send(writer.task(Writer::take_node_leaf))))), false)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// The thread: until [`Minute::stop`], or until nobody holds the ledger any longer.
    pub(crate) fn run(&self, ledger: &Weak<Inner>) {
        let (stop, stopped) = &*self.stop;
        loop {
            let guard = stop.lock().unwrap_or_else(PoisonError::into_inner);
            let (guard, _) = stopped.wait_timeout_while(guard, MINUTE, |s| !*s).unwrap_or_else(PoisonError::into_inner);
            if *guard {
                return;
            }
            drop(guard);
            match Error::caught(|| self.tick()) {
                Ok(_) => {}
                Err(Error::Closed) => return,
                Err(e) => tracing::error!(error = %e, "the node log took no leaf; trying again in a minute"),
            }
            let Some(inner) = ledger.upgrade() else { return };
            match Error::caught(|| Ledger { inner }.finish_expunging()) {
                Ok(0) | Err(Error::Closed) => {}
                Ok(n) => tracing::info!(erasures = n, "finished what was broken off"),
                Err(e) => tracing::error!(error = %e, "an erasure is not finished; trying again in a minute"),
            }
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self) {
        let (stop, stopped) = &*self.stop;
        *stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        stopped.notify_all();
    }
}
