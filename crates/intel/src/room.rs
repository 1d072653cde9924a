use crate::view::Spread;
use crate::{Error, IntelRoom, Result};
use ledger::{Keys, Ledger, RoomFactory, View};
use people::see::RowCols;
use people::{People, Viewer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// What the fold needs before the ledger is open.
pub struct Setup {
    keys: Arc<Keys>,
    rows: Arc<RowCols>,
    spread: Arc<Spread>,
    country: Option<String>,
    root: PathBuf,
    limits: crate::Limits,
}

impl Setup {
    /// Reads the node's keys; `country` is the node's, for national telephone forms.
    ///
    /// # Errors
    /// [`Error::Bad`] when the keys cannot be read.
    pub fn new(root: &Path, country: Option<String>) -> Result<Self> {
        let keys = Arc::new(Keys::open(&root.join("keys")).map_err(|e| Error::Bad(e.to_string()))?);
        Ok(Self {
            keys,
            rows: Arc::default(),
            spread: Arc::default(),
            country,
            root: root.to_path_buf(),
            limits: crate::Limits::default(),
        })
    }

    /// The same with limits of the node's own.
    pub fn within(mut self, limits: crate::Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The room, for [`Ledger::open`].
    pub fn factory(&self) -> RoomFactory {
        let (keys, rows, country) = (Arc::clone(&self.keys), Arc::clone(&self.rows), self.country.clone());
        let spread = Arc::clone(&self.spread);
        Arc::new(move || Box::new(IntelRoom::new(&keys, Arc::clone(&rows), Arc::clone(&spread), country.clone())))
    }
}

/// The intelligence room of an open node; cheap to clone.
#[derive(Clone)]
pub struct Intel {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) ledger: Ledger,
    pub(crate) people: People,
    pub(crate) view: View,
    pub(crate) keys: Arc<Keys>,
    pub(crate) spread: Arc<Spread>,
    pub(crate) country: Option<String>,
    pub(crate) limits: crate::Limits,
    pub(crate) shelf: Arc<crate::quarantine::Shelf>,
    pub(crate) root: PathBuf,
    library: RwLock<Arc<reference::Library>>,
    reference_dir: PathBuf,
}

impl Intel {
    /// Opens the room over an open ledger.
    ///
    /// # Errors
    /// The storage's.
    pub fn open(ledger: &Ledger, people: &People, setup: Setup) -> Result<Self> {
        let view = ledger.view("intel")?;
        let rows = view.read(|r| {
            // Every row, for all: this fills the column that `see_row` asks.
            let mut stmt = r.conn.prepare("SELECT pos, col FROM versions /* for all: the filter's own column */")?;
            let rows =
                stmt.query_map([], |row| Ok((u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<(u64, u32)>>>()?)
        })?;
        for (pos, col) in &rows {
            setup.spread.note(*col, crate::rows::signed(*pos));
        }
        setup.rows.fill(rows);
        let reference_dir = setup.root.join("reference");
        let library = RwLock::new(Arc::new(reference::Library::open(&reference_dir)?));
        let inner = Inner {
            ledger: ledger.clone(),
            people: people.clone(),
            view,
            keys: setup.keys,
            spread: setup.spread,
            country: setup.country,
            shelf: crate::quarantine::Shelf::open(&setup.root, &setup.limits)?,
            limits: setup.limits,
            root: setup.root,
            library,
            reference_dir,
        };
        let intel = Self { inner: Arc::new(inner) };
        intel.watch_erasures()?;
        Ok(intel)
    }

    /// What the room may cost.
    pub fn limits(&self) -> &crate::Limits {
        &self.inner.limits
    }

    /// All readings of what a person typed for a selector, likeliest first; telephone numbers without a country code are the
    /// node's country's.
    pub fn readings(&self, typed: &str) -> Vec<(selectors::Kind, String)> {
        selectors::parse_query_with(typed, &selectors::Hints { country: self.inner.country.as_deref() })
    }

    /// The ledger below.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// The hall beside.
    pub fn people(&self) -> &People {
        &self.inner.people
    }

    /// The reference lists as they are now.
    pub fn library(&self) -> Arc<reference::Library> {
        Arc::clone(&self.inner.library.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the reference lists stand.
    pub fn reference_dir(&self) -> &Path {
        &self.inner.reference_dir
    }

    /// Reads the reference lists anew, after one was installed.
    ///
    /// # Errors
    /// The disk's.
    pub fn reload_library(&self) -> Result<()> {
        let fresh = Arc::new(reference::Library::open(&self.inner.reference_dir)?);
        *self.inner.library.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Whether a reading would wait for nothing now.
    pub fn is_level(&self) -> bool {
        self.inner.view.has_reached(self.inner.ledger.head().pos)
    }

    /// Waits until the view has reached the head of this moment.
    pub(crate) fn reach(&self) -> Result<()> {
        Ok(self.inner.view.wait(self.inner.ledger.head().pos, self.inner.limits.patience)?)
    }

    /// One read transaction behind the barrier, filtered by what the viewer sees.
    pub(crate) fn read<T>(
        &self,
        viewer: &Viewer,
        f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        if !viewer.may_read_bodies() {
            return Err(Error::Forbidden("your role reads no intelligence".into()));
        }
        self.reach()?;
        Ok(people::see::with(viewer, || self.inner.view.read(|r| Ok(f(r.conn)?)))?)
    }
}
