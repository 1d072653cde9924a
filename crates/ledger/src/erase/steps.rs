//! An erasure's steps. The row in `state` stands from before the first until after the last, so that a kill at any
//! moment leaves something to go on with; each step may be done twice.
use super::{EXPUNGE, Expunge, ExpungeNotice, Expunged, ExpungedEntry, about};
use crate::append::Append;
use crate::backup;
use crate::folding::FoldState;
use crate::generations::ViewFile;
use crate::{Error, Ledger, Result, Urgency, View, generations, log};
use std::time::{Duration, Instant};

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS expunges(n INTEGER PRIMARY KEY AUTOINCREMENT, \
     targets TEXT NOT NULL, object TEXT NOT NULL, reason TEXT NOT NULL, author INTEGER NOT NULL)";

/// One row of `expunges`.
pub(super) struct Erasure {
    n: i64,
    targets: Vec<u64>,
    object: String,
    reason: String,
    author: u32,
}

impl Ledger {
    /// Goes on with erasures that a kill or an error broke off: at every start, once a minute, and whenever this is
    /// called. Returns how many were finished.
    ///
    /// # Errors
    /// As [`Ledger::expunge`]; what cannot be finished now stands for the next time.
    pub fn finish_expunging(&self) -> Result<usize> {
        let mut finished = 0;
        for erasure in Erasure::unfinished(self)? {
            let mut erasures = self.inner().erasure();
            // Whoever began it may have ended it while this waited.
            if Erasure::unfinished(self)?.iter().any(|e| e.n == erasure.n) {
                *erasures += 1;
                let (notice, _) = erasure.steps(self)?;
                self.inner().resumed().push(notice);
                finished += 1;
            }
        }
        Ok(finished)
    }
}

impl Ledger {
    /// Whether an erasure is at work at this moment: one that stands unfinished and is not is stuck.
    pub fn is_erasing(&self) -> bool {
        self.inner().erasing_now()
    }
}

impl Erasure {
    pub(super) fn begin(ledger: &Ledger, targets: &[u64], object: &str, reason: &str, author: u32) -> Result<Self> {
        let mut targets = targets.to_vec();
        targets.sort_unstable();
        targets.dedup();
        let list = serde_json::to_string(&targets).map_err(|e| Error::Limit(e.to_string()))?;
        let row = (list, object.to_owned(), reason.to_owned(), author);
        let n = ledger.state().write(move |c| {
            c.execute("INSERT INTO expunges(targets, object, reason, author) VALUES (?,?,?,?)", row)?;
            Ok(c.last_insert_rowid())
        })?;
        Ok(Self { n, targets, object: object.to_owned(), reason: reason.to_owned(), author })
    }

    fn unfinished(ledger: &Ledger) -> Result<Vec<Self>> {
        ledger.state().read(|c| {
            let mut stmt = c.prepare("SELECT n, targets, object, reason, author FROM expunges ORDER BY n")?;
            let mut rows = stmt.query([])?;
            let mut out = Vec::new();
            while let Some(r) = rows.next()? {
                let (n, targets): (i64, String) = (r.get(0)?, r.get(1)?);
                let targets = serde_json::from_str(&targets)
                    .map_err(|e| Error::Damaged(format!("state.db, expunges, row {n}: {e}")))?;
                out.push(Self { n, targets, object: r.get(2)?, reason: r.get(3)?, author: r.get(4)? });
            }
            Ok(out)
        })
    }

    /// (1) to (5) of LEDGER.md.
    pub(super) fn run(&self, ledger: &Ledger) -> Result<Expunged> {
        // Nobody copies bodies beside while this is held: rebuilds and backups stand between two of their rounds.
        let mut erasures = ledger.inner().erasure();
        *erasures += 1;
        self.steps(ledger).map(|(_, done)| done)
    }

    fn steps(&self, ledger: &Ledger) -> Result<(ExpungeNotice, Expunged)> {
        let entries = self.append(ledger)?;
        self.remove_unfinished_views(ledger);
        let stuck = self.fold_everywhere(ledger, &entries)?;
        let notice = self.notice(ledger)?;
        let bodies = self.delete_bodies(ledger)?;
        for view in stuck {
            tracing::warn!(
                view = view.name(),
                "what is erased could not be taken out: the view is folded anew without it"
            );
            view.command(FoldState::start_again)?;
        }
        for hook in ledger.inner().hooks().iter() {
            hook(ledger, &notice);
        }
        backup::tell_targets(ledger, &notice, &self.reason);
        cut_every_wal(ledger)?;
        let n = self.n;
        ledger.state().write(move |c| {
            c.execute("DELETE FROM expunges WHERE n = ?", [n])?;
            Ok(())
        })?;
        // The row held the object's id and the reason.
        until_cut(ledger, "state", || ledger.state().truncate())?;
        Ok((notice, Expunged { entries, bodies }))
    }

    /// (1) One entry for each that is touched; written before, they are "the same again".
    fn append(&self, ledger: &Ledger) -> Result<Vec<u64>> {
        let mut append = Append::default();
        for pos in &self.targets {
            let entry = ledger.target(*pos)?;
            let body =
                Expunge { entry: hex::encode(entry.id), object: self.object.clone(), reason: self.reason.clone() };
            append.entries.push(about(&entry, EXPUNGE, self.author, &body)?);
        }
        let known: Vec<_> = append.entries.clone();
        let receipt = ledger.append(append, Urgency::Interactive)?;
        let mut entries = Vec::with_capacity(known.len());
        for (outcome, entry) in receipt.outcomes.iter().zip(known) {
            match outcome.pos() {
                Some(pos) => entries.push(pos),
                // Erased before, for another reason: that entry stands.
                None => tracing::info!(collection = %entry.collection, "the entry was expunged before"),
            }
        }
        Ok(entries)
    }

    /// A generation being built is deleted; whoever builds it starts again. So are files of rooms that are not open
    /// now: nobody could take the text out of them, and the log has what they hold.
    fn remove_unfinished_views(&self, ledger: &Ledger) {
        for path in ledger.inner().building().drain(..) {
            generations::remove(&path);
        }
        let open = |room: &str| ledger.inner().views().iter().any(|v| v.name() == room);
        let Ok(dir) = std::fs::read_dir(ledger.folder().views()) else { return };
        for file in dir.flatten().filter_map(|f| ViewFile::of(&f.path())).filter(|f| !open(&f.room)) {
            tracing::warn!(
                room = file.room,
                "no such room is open: its view is removed, for it may hold what is erased"
            );
            generations::remove(&file.path);
        }
    }

    /// (2) Every view takes its text out while the body can still be read. The answer: those that could not, for the
    /// body they know it by is damaged in the log.
    fn fold_everywhere<'a>(&self, ledger: &'a Ledger, entries: &[u64]) -> Result<Vec<&'a View>> {
        let Some(last) = entries.iter().copied().max() else { return Ok(Vec::new()) };
        let mut stuck = Vec::new();
        for view in ledger.inner().views() {
            let entries = entries.to_vec();
            let passed_by = view.command(move |fold| {
                // The checkpoint syncs: the machine may stop once the bodies are gone, and no view may fall back behind.
                let folded =
                    fold.catch_up(last).and_then(|()| crate::sqlite::checkpoint_passive(&fold.fold.conn).map(|_| ()));
                if let Err(e) = &folded {
                    fold.undo(e);
                }
                // Older versions' files know nothing of this entry.
                fold.generations.remove_other_versions();
                folded.and_then(|()| fold.fold.passed_by(&entries))
            })?;
            if passed_by {
                stuck.push(view);
            }
        }
        Ok(stuck)
    }

    fn notice(&self, ledger: &Ledger) -> Result<ExpungeNotice> {
        let mut entries = Vec::with_capacity(self.targets.len());
        for pos in &self.targets {
            let e = ledger.target(*pos)?;
            entries.push(ExpungedEntry { pos: e.pos, collection: e.collection, id: e.id, subject: e.subject });
        }
        Ok(ExpungeNotice { object: self.object.clone(), entries })
    }

    /// (3) Bodies and salts go, from the file and from memory.
    fn delete_bodies(&self, ledger: &Ledger) -> Result<u64> {
        let targets = self.targets.clone();
        ledger.in_writer(move |writer| {
            let deleted = writer.delete_bodies(&targets)?;
            writer.tail.clear();
            Ok(deleted)
        })
    }
}

/// (4) No WAL keeps an older page.
fn cut_every_wal(ledger: &Ledger) -> Result<()> {
    until_cut(ledger, "log", || {
        ledger.log().close_idle();
        ledger.in_writer(|writer| crate::sqlite::checkpoint_truncate(&writer.conn))
    })?;
    for view in ledger.inner().views() {
        until_cut(ledger, view.name(), || view.command(|fold| fold.truncate()))?;
    }
    until_cut(ledger, "state", || ledger.state().truncate())
}

fn until_cut(ledger: &Ledger, view: &'static str, cut: impl Fn() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + ledger.inner().options().erasing_waits;
    while !cut()? {
        if Instant::now() > deadline || ledger.inner().minute.is_stopped() {
            return Err(Error::Behind { view, behind: 0 });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

impl crate::writer::Writer {
    /// Deletes bodies with their salts, in a transaction of its own (`secure_delete` is on).
    fn delete_bodies(&mut self, targets: &[u64]) -> Result<u64> {
        self.recover()?;
        let deleted = self.conn.execute_batch("BEGIN IMMEDIATE").map_err(Error::from).and_then(|()| {
            let mut deleted = 0;
            for pos in targets {
                let mut stmt = self.conn.prepare_cached("DELETE FROM bodies WHERE pos = ?")?;
                deleted += stmt.execute([log::signed(*pos)])? as u64;
            }
            self.conn.execute_batch("COMMIT")?;
            Ok(deleted)
        });
        if deleted.is_err() {
            self.undo_and_remember();
        }
        deleted
    }
}
