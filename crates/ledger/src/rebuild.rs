//! A view folded anew: beside the one that serves, swapped when level; or into a file that is compared and removed.
use crate::fold::Fold;
use crate::generations::{self, Generations};
use crate::node::Inner;
use crate::view::View;
use crate::{Error, Ledger, Result};
use std::path::PathBuf;

/// The last entries before the swap are folded while the old view stands still: so many at most.
const CLOSE: u64 = 2_000;

/// What comparing a view with a fresh fold of the log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The room.
    pub room: &'static str,
    /// The entry up to which both were folded.
    pub position: u64,
    /// The view that serves, by [`crate::Room::digest`].
    pub serving: [u8; 32],
    /// The fresh fold.
    pub fresh: [u8; 32],
}

impl Compared {
    /// Whether the view is what the log says.
    #[must_use]
    pub fn same(&self) -> bool {
        self.serving == self.fresh
    }
}

impl Ledger {
    /// Folds a room's view anew while the old one serves, and swaps them when the new one is level. Blocks until then;
    /// `progress` hears how many entries of how many are folded.
    ///
    /// # Errors
    /// [`Error::Folder`] for an unknown room, [`Error::Limit`] when one is being rebuilt already, the storage's.
    pub fn rebuild(&self, room: &str, progress: &dyn Fn(u64, u64)) -> Result<()> {
        let view = self.view(room)?;
        let mut beside = Beside::new(self, &view)?;
        loop {
            beside.fold_until_close(progress)?;
            let guard = beside.inner.no_erasure();
            if *guard != beside.erasures {
                continue;
            }
            let Some(fold) = beside.fold.take() else { continue };
            let swapped = view.command(move |serving| {
                serving.commit()?;
                let (mut fold, log, to) = (fold, serving.log.clone(), serving.fold.at);
                while fold.at < to && fold.read_on(&log, to)? {}
                fold.commit()?;
                fold.store_position()?;
                serving.swap(fold)
            });
            beside.finish(swapped.is_err());
            return swapped;
        }
    }

    /// Folds the log into a file beside and compares it with the view that serves.
    ///
    /// # Errors
    /// As [`Ledger::rebuild`]; [`Error::Limit`] when an erasure came between: ask again.
    pub fn compare(&self, room: &str, progress: &dyn Fn(u64, u64)) -> Result<Compared> {
        let view = self.view(room)?;
        let mut beside = Beside::new(self, &view)?;
        beside.fold_until_close(progress)?;
        let guard = beside.inner.no_erasure();
        let Some(mut fold) = beside.fold.take().filter(|_| *guard == beside.erasures) else {
            return Err(Error::Limit("something was expunged meanwhile; compare again".into()));
        };
        let compared = view.command(move |serving| {
            serving.commit()?;
            let to = serving.fold.at;
            while fold.at < to && fold.read_on(&serving.log, to)? {}
            fold.commit()?;
            let fresh = fold.room.digest(&fold.conn)?;
            let digest = match serving.fold.room.digest(&serving.fold.conn).map_err(Error::from) {
                // Damage is a difference, found here before a reader met it.
                Err(e) if e.is_corrupt() => {
                    serving.replace_damaged(serving.fold.number, &e.to_string());
                    [0; 32]
                }
                digest => digest?,
            };
            Ok(Compared { room: serving.shared.name, position: to, serving: digest, fresh })
        });
        beside.finish(true);
        compared
    }
}

/// A generation that is folded beside; its file goes when this does, unless it took over.
struct Beside<'a> {
    inner: &'a Inner,
    ledger: &'a Ledger,
    view: &'a View,
    generations: Generations,
    path: PathBuf,
    fold: Option<Fold>,
    /// As counted when the file was begun.
    erasures: u64,
}

impl<'a> Beside<'a> {
    fn new(ledger: &'a Ledger, view: &'a View) -> Result<Self> {
        let inner = ledger.inner();
        let generations = view.command(|fold| Ok(fold.generations.clone()))?;
        let mut new = Self { inner, ledger, view, generations, path: PathBuf::new(), fold: None, erasures: 0 };
        new.begin()?;
        Ok(new)
    }

    fn begin(&mut self) -> Result<()> {
        let guard = self.inner.no_erasure();
        let mut building = self.inner.building();
        let own = |p: &PathBuf| p.parent() == Some(&self.generations.views) && self.is_ours(p);
        if building.iter().any(own) {
            return Err(Error::Limit(format!("the view `{}` is being rebuilt already", self.view.name())));
        }
        let number = self.generations.next(self.generations.current()?);
        self.path = self.generations.path(number);
        building.push(self.path.clone());
        self.erasures = *guard;
        self.fold = Some(Fold::open(&self.path, number, &self.view.shared.factory)?);
        Ok(())
    }

    fn is_ours(&self, path: &std::path::Path) -> bool {
        generations::ViewFile::of(path).is_some_and(|f| f.room == self.view.name())
    }

    /// Folds until nearly level with the log; begins again when an erasure took the file away.
    fn fold_until_close(&mut self, progress: &dyn Fn(u64, u64)) -> Result<()> {
        loop {
            let guard = self.inner.no_erasure();
            if *guard != self.erasures || self.fold.is_none() {
                drop(guard);
                self.fold = None;
                self.begin()?;
                continue;
            }
            let head = self.ledger.head().pos;
            let Some(fold) = &mut self.fold else { continue };
            let more = fold.at < head && fold.read_on(self.ledger.log(), head)?;
            progress(fold.at, head);
            if !more || head - fold.at <= CLOSE.min(head / 2) {
                fold.commit()?;
                return Ok(());
            }
        }
    }

    /// The file is no longer being built; it is removed unless it serves.
    fn finish(&mut self, remove: bool) {
        self.inner.building().retain(|p| *p != self.path);
        if remove {
            self.fold = None;
            generations::remove(&self.path);
        }
        self.path = PathBuf::new();
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            self.finish(true);
        }
    }
}
