//! One room's folding thread: it alone writes the room's file.
use crate::fold::Fold;
use crate::generations::{self, Generations};
use crate::log::Found;
use crate::sqlite;
use crate::tail::Tail;
use crate::view::{Command, Generation, Shared};
use crate::{Error, LogReader, Result};
use event_listener::{EventListener, Listener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// A transaction may stay open this long while nobody waits: "writes do not wait for views, reads do".
const LAZY: Duration = Duration::from_millis(300);
/// And this long while much is left to fold: a longer transaction visits each page once for more rows.
const BACKLOG: Duration = Duration::from_millis(3_000);
/// So much is much.
const MUCH: u64 = 4_000;
/// And this long while somebody waits.
const EAGER: Duration = Duration::from_millis(20);
/// A view that lacks no more than this when the ledger closes is brought level first, so that the next start finds it so;
/// what lacks more goes on folding then.
const LAST: u64 = 4_000;
/// Quiet for this long counts as idle.
const IDLE: Duration = Duration::from_secs(2);
/// Whoever waits in this thread hears of a failure that stays after as many: more than a damaged body is tried.
const FAILURES: u32 = 8;
/// A position that moved this far without rows is written down.
const UNSTORED: u64 = 50_000;

pub(crate) struct FoldState {
    pub(crate) fold: Fold,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) log: LogReader,
    pub(crate) generations: Generations,
    /// Older versions' files stand until this view is level with the log as it was at start.
    level_at: Option<u64>,
    failures: u32,
    dirty: bool,
    pub(crate) closing: bool,
}

impl FoldState {
    pub(crate) fn new(
        fold: Fold,
        shared: Arc<Shared>,
        tail: Arc<Tail>,
        log: LogReader,
        generations: Generations,
    ) -> Self {
        shared.unfolded.store(fold.unfolded, Ordering::Release);
        let level_at = Some(tail.head().pos);
        Self { fold, shared, tail, log, generations, level_at, failures: 0, dirty: false, closing: false }
    }

    /// The loop: commands, then entries, then rest.
    pub(crate) fn run(mut self) {
        // Whatever ends this thread, nobody waits for it any longer.
        let _end = EndOnDrop(Arc::clone(&self.shared));
        while !self.closing {
            if let Err(e) = Error::caught(|| self.turn()) {
                self.undo(&e);
                self.pause();
            }
        }
        let head = self.tail.head().pos;
        let relevant = self.shared.relevant.load(Ordering::Acquire);
        let lacks = relevant.saturating_sub(self.fold.at);
        if lacks > 0
            && lacks <= LAST
            && let Err(e) = Error::caught(|| self.catch_up(relevant))
        {
            self.undo(&e);
        }
        if self.fold.at >= relevant {
            self.fold.pass(head);
        }
        if let Err(e) = self.commit().and_then(|()| self.fold.store_position()).and_then(|()| self.when_level()) {
            tracing::warn!(view = self.shared.name, error = %e, "last commit; the next start folds it again");
        }
        if let Err(e) = sqlite::checkpoint_truncate(&self.fold.conn) {
            tracing::warn!(view = self.shared.name, error = %e, "checkpoint at close");
        }
    }

    fn turn(&mut self) -> Result<()> {
        let listener = self.shared.wake.listen();
        if let Some(command) = self.next_command() {
            if let Err(e) = self.commit() {
                self.undo(&e);
            }
            command(self);
        } else if !self.step()? {
            self.failures = 0;
            self.rest(listener);
        }
        Ok(())
    }

    /// A task between transactions; one that panics is undone and has failed.
    pub(crate) fn task<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut ended = false;
        let result = Error::caught(|| {
            let result = f(self);
            ended = true;
            result
        });
        if let (false, Err(e)) = (ended, &result) {
            self.undo(e);
        }
        result
    }

    fn next_command(&self) -> Option<Command> {
        self.shared.commands.lock().unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }

    /// Folds what is there, commits when it is time. `Ok(false)`: nothing to do now.
    fn step(&mut self) -> Result<bool> {
        let head = self.tail.head().pos;
        // Read after the head: the writer stores it before the head, so nothing of these kinds is missed.
        if self.fold.at >= self.shared.relevant.load(Ordering::Acquire) {
            self.fold.pass(head);
            self.publish_if_clean();
        }
        if self.fold.at >= head {
            self.when_level()?;
            let due = self.fold.open_for().is_some_and(|since| self.somebody_waits() || since >= LAZY);
            if due {
                self.commit()?;
            }
            return Ok(due);
        }
        let started = Instant::now();
        for entry in self.next_entries()? {
            if self.fold.take(&entry, &self.log)? {
                self.failures = 0;
                self.tell_room();
                self.publish_if_clean();
            }
            if self.somebody_waits() && started.elapsed() >= EAGER {
                break;
            }
        }
        let caught_up = self.fold.at >= self.shared.relevant.load(Ordering::Acquire);
        let lazy = if head.saturating_sub(self.fold.at) > MUCH { BACKLOG } else { LAZY };
        let commit = self
            .fold
            .open_for()
            .is_some_and(|since| (self.somebody_waits() && (caught_up || since >= EAGER)) || since >= lazy);
        if commit {
            self.commit()?;
        } else {
            // Nothing of its kinds: only the position moves, and the file hears of it with the next commit.
            self.publish_if_clean();
        }
        Ok(true)
    }

    fn when_level(&mut self) -> Result<()> {
        if self.fold.at.saturating_sub(self.fold.stored) >= UNSTORED {
            self.fold.store_position()?;
        }
        if self.level_at.is_some_and(|at| self.fold.at >= at) && !self.fold.is_open() {
            self.level_at = None;
            self.generations.remove_other_versions();
        }
        Ok(())
    }

    /// Folds up to `pos` and commits, for whoever must not go on before (expunge, rebuild).
    pub(crate) fn catch_up(&mut self, pos: u64) -> Result<()> {
        while let Err(e) = self.fold_to(pos) {
            self.undo(&e);
            if self.failures > FAILURES {
                return Err(e);
            }
            self.pause();
        }
        Ok(())
    }

    fn fold_to(&mut self, pos: u64) -> Result<()> {
        while self.fold.at < pos {
            let entries = self.next_entries()?;
            if entries.is_empty() {
                return Err(Error::Damaged(format!("the log ends at {} before {pos}", self.fold.at)));
            }
            for entry in entries {
                if self.fold.take(&entry, &self.log)? {
                    self.failures = 0;
                    self.tell_room();
                    self.publish_if_clean();
                }
            }
        }
        self.commit()
    }

    fn somebody_waits(&self) -> bool {
        self.shared.waiting.load(Ordering::Acquire) > 0
    }

    fn next_entries(&self) -> Result<Vec<Found>> {
        match self.tail.after(self.fold.at) {
            Some(batch) => {
                Ok(batch.iter().filter(|e| e.pos > self.fold.at).map(|e| Found::Whole(Arc::clone(e))).collect())
            }
            None => self.log.found(self.fold.at, 1_000, 4 << 20),
        }
    }

    /// Ends the transaction and tells whoever waits.
    pub(crate) fn commit(&mut self) -> Result<()> {
        if self.fold.commit()? {
            self.tell_room();
        }
        self.publish_if_clean();
        Ok(())
    }

    /// After a commit and before anybody who waits: the room may keep in memory what goes with its rows.
    fn tell_room(&mut self) {
        self.dirty = true;
        self.shared.committed.store(self.fold.at, Ordering::Release);
        self.fold.tell_room();
    }

    fn publish_if_clean(&self) {
        if self.fold.is_open() {
            return;
        }
        self.shared.unfolded.store(self.fold.unfolded, Ordering::Release);
        self.shared.position.store(self.fold.at, Ordering::Release);
        self.shared.reached.notify(usize::MAX);
    }

    /// After a failure: back to the file, or to a new file when that one is damaged.
    pub(crate) fn undo(&mut self, error: &Error) {
        self.failures += 1;
        tracing::error!(view = self.shared.name, error = %error, failures = self.failures, "folding failed; trying again");
        if error.is_corrupt() {
            self.replace_damaged(self.fold.number, &error.to_string());
        } else if let Err(e) = self.fold.undo() {
            tracing::error!(view = self.shared.name, error = %e, "the view could not be read back; trying again");
        }
    }

    /// Folds anew when the damaged generation still serves.
    pub(crate) fn replace_damaged(&mut self, number: u64, why: &str) {
        if number != self.fold.number {
            return;
        }
        tracing::warn!(
            view = self.shared.name,
            error = why,
            "the view's file is damaged: it is folded anew from the log"
        );
        if let Err(e) = self.start_again() {
            tracing::error!(view = self.shared.name, error = %e, "a new file could not be made");
        }
    }

    /// A new, empty generation takes the place of a damaged one.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        let number = self.generations.next(self.fold.number);
        let fold = Fold::open(&self.generations.path(number), number, &self.shared.factory)?;
        self.swap(fold)
    }

    /// Another generation serves from now on; the old one's file is removed once its readers have gone.
    pub(crate) fn swap(&mut self, fold: Fold) -> Result<()> {
        self.generations.set(fold.number)?;
        let old = std::mem::replace(&mut self.fold, fold);
        {
            let mut gate = self.shared.gate.write().unwrap_or_else(PoisonError::into_inner);
            *gate = Generation { number: self.fold.number, path: self.fold.path.clone() };
            self.shared.position.store(self.fold.at, Ordering::Release);
            self.shared.committed.store(self.fold.at, Ordering::Release);
            self.shared.pool.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        let path = old.path.clone();
        drop(old);
        generations::remove(&path);
        self.fold.tell_room();
        self.publish_if_clean();
        Ok(())
    }

    /// Cuts the WAL behind the gate: no reader of ours holds a page of it meanwhile.
    pub(crate) fn truncate(&mut self) -> Result<bool> {
        self.commit()?;
        let _alone = self.shared.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.shared.pool.lock().unwrap_or_else(PoisonError::into_inner).clear();
        sqlite::checkpoint_truncate(&self.fold.conn)
    }

    fn pause(&self) {
        let listener = self.shared.wake.listen();
        let pause = Duration::from_millis(50 * u64::from(self.failures.min(40)));
        listener.wait_deadline(Instant::now() + pause);
    }

    fn rest(&mut self, listener: EventListener) {
        match self.fold.open_for() {
            Some(since) => {
                listener.wait_deadline(Instant::now() + LAZY.saturating_sub(since));
            }
            None if self.dirty => {
                // Idle for a while: copy the WAL back, so that a start after a crash has little to recover.
                if listener.wait_deadline(Instant::now() + IDLE).is_none() {
                    self.dirty = false;
                    self.fold.checkpoint();
                    if sqlite::wal_is_long(&self.fold.conn)
                        && let Err(e) = self.truncate()
                    {
                        tracing::warn!(view = self.shared.name, error = %e, "cutting the write-ahead log");
                    }
                    self.fold.shrink();
                }
            }
            None => listener.wait(),
        }
    }
}

struct EndOnDrop(Arc<Shared>);
impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}
