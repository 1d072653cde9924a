//! A node in process, as `eye` opens one.
use crate::Failure;
use intel::{Intel, Setup};
use ledger::{Ledger, Options};
use people::{NodeInfo, People, Viewer};
use std::path::{Path, PathBuf};

/// An open node and whoever owns it.
pub struct Node {
    pub folder: PathBuf,
    pub ledger: Ledger,
    pub intel: Intel,
    pub me: Viewer,
}

impl Node {
    /// Makes one in a new folder.
    pub fn create(folder: &Path) -> Result<Self, Failure> {
        Ledger::create(folder)?;
        Self::open(folder)
    }

    /// Opens one; a new one becomes an EXERCISE bureau.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let setup = Setup::new(folder, Some("XA".into()))?;
        let ledger = Ledger::open(folder, Options::default(), vec![people::room(), setup.factory()])?;
        if ledger.head().pos == 0 {
            let info = NodeInfo { name: "EXERCISE bench".into(), country: "XA".into(), exercise: true };
            people::init(&ledger, info)?;
        }
        let people = People::open(&ledger)?;
        let intel = Intel::open(&ledger, &people, setup)?;
        let me = people.local_viewer()?;
        Ok(Self { folder: folder.to_owned(), ledger, intel, me })
    }
}
