//! A whole node in a folder of its own, for measurements that read as a person would; removed when dropped.
use intel::{Intel, Setup};
use ledger::{Ledger, Options};
use people::{NodeInfo, People, Viewer};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

/// An open node.
pub struct Node {
    /// Its folder.
    pub folder: PathBuf,
    /// Its room.
    pub intel: Intel,
    /// The command line's viewer: sees every collection.
    pub me: Viewer,
}

impl Node {
    /// Makes a node below `parent`.
    ///
    /// # Errors
    /// The ledger's.
    pub fn make(parent: &Path, name: &str) -> Result<Self, Failure> {
        let folder = parent.join(format!("bench-{name}-{}", std::process::id()));
        Ledger::create(&folder)?;
        let node = Self::open(&folder)?;
        Ok(node)
    }

    /// Opens a node that stands.
    ///
    /// # Errors
    /// The ledger's.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let setup = Setup::new(folder, None)?;
        let options = Options { every_minute: false, ..Options::default() };
        let ledger = Ledger::open(folder, options, vec![people::room(), setup.factory()])?;
        if ledger.head().pos == 0 {
            people::init(&ledger, NodeInfo { name: "EXERCISE bench".into(), country: "XA".into(), exercise: true })?;
        }
        let people = People::open(&ledger)?;
        let intel = Intel::open(&ledger, &people, setup)?;
        let me = people.local_viewer()?;
        Ok(Self { folder: folder.to_path_buf(), intel, me })
    }

    /// The viewer again, after audiences changed.
    ///
    /// # Errors
    /// The ledger's.
    pub fn refresh(&mut self) -> Result<(), Failure> {
        self.me = self.intel.people().local_viewer()?;
        Ok(())
    }

    /// Makes a shared collection and gives its id.
    ///
    /// # Errors
    /// The ledger's.
    pub fn collection(&self, title: &str) -> Result<(ledger::CollectionId, u32), Failure> {
        let body = people::entry::AudienceBody::shared(title, stix::Tlp::AmberStrict, Vec::new());
        let made = self.intel.people().create_collection(&self.me, &body)?;
        Ok((made.id, made.col))
    }

    /// Waits until every view has reached the head.
    ///
    /// # Errors
    /// The ledger's.
    pub fn level(&self) -> Result<(), Failure> {
        Ok(self.intel.ledger().level(Duration::from_secs(600))?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.intel.ledger().close();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Times in milliseconds, for quantiles.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Runs and notes how long it took.
    pub fn of<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let out = f();
        self.0.push(since.elapsed().as_secs_f64() * 1e3);
        out
    }

    /// The quantile `q` of 0 to 1, ms to three digits.
    pub fn quantile(&mut self, q: f64) -> f64 {
        self.0.sort_unstable_by(f64::total_cmp);
        let at = ((self.0.len() as f64 * q).ceil() as usize).clamp(1, self.0.len().max(1)) - 1;
        (self.0.get(at).copied().unwrap_or(0.0) * 1e3).round() / 1e3
    }

    /// Takes another's.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }
}

/// User and system time of the process, s.
///
/// # Errors
/// The kernel's.
pub fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    // Linux tells these in hundredths of a second (USER_HZ).
    Ok(ticks as f64 / 100.0)
}
