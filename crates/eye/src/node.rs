use crate::settings::Settings;
use intel::{Intel, Setup};
use ledger::{Ledger, Options};
use people::People;
use std::path::Path;
use std::time::{Duration, Instant};

/// What can go wrong under the roof; every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The ledger's.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The hall's.
    #[error(transparent)]
    People(#[from] people::Error),
    /// The intelligence room's.
    #[error(transparent)]
    Intel(#[from] intel::Error),
    /// The money room's.
    #[error(transparent)]
    Money(#[from] money::chain::Error),
    /// Decisions about clusters.
    #[error(transparent)]
    Decided(#[from] money::decided::Error),
    /// The bank legs'.
    #[error(transparent)]
    Bank(#[from] money::bank::Error),
    /// The tags'.
    #[error(transparent)]
    Tags(#[from] money::tags::Error),
    /// The reference lists'.
    #[error(transparent)]
    Reference(#[from] reference::Error),
    /// The machine's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Everything else, in words.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// In words.
    pub fn other(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }

    /// Whoever read has read enough (`eye search … | head`): the exit code that a signal would have left, and no word.
    pub fn read_enough(&self) -> Option<u8> {
        matches!(self, Self::Io(e) if e.kind() == std::io::ErrorKind::BrokenPipe).then_some(128 + 13)
    }

    /// Whether another process owns the folder.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Ledger(ledger::Error::Locked(_)))
    }
}

/// An open node.
#[derive(Clone)]
pub struct Node {
    pub ledger: Ledger,
    pub people: People,
    pub intel: Intel,
    pub settings: std::sync::Arc<Settings>,
}

/// The country stands beside the log, for the fold needs it before the log is open.
const COUNTRY: &str = "country";

/// Makes a node in `data`.
pub fn init(data: &Path, name: &str, country: stix::Country, exercise: bool) -> Result<(), Problem> {
    Ledger::create(data)?;
    std::fs::write(data.join(COUNTRY), country.as_str())?;
    let node = open(data)?;
    let made =
        people::init(&node.ledger, people::NodeInfo { name: name.into(), country: country.to_string(), exercise });
    node.close();
    if let Err(e) = made {
        // Half a node is none: the name was refused before anything but empty files stood here.
        std::fs::remove_dir_all(data)?;
        return Err(e.into());
    }
    Ok(())
}

/// One process hands the folder to the next within this.
pub const HANDOVER: Duration = Duration::from_secs(5);

/// Opens the node in `data` with all its rooms; waits a little for a process that is just ending.
pub fn open(data: &Path) -> Result<Node, Problem> {
    let until = Instant::now() + HANDOVER;
    loop {
        match open_now(data) {
            Err(e) if e.is_locked() && Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            Ok(node) => return read_once(&node, until).map(|()| node),
            Err(e) => return Err(e),
        }
    }
}

/// A view whose damage shows here is folded anew, and read again.
fn read_once(node: &Node, until: Instant) -> Result<(), Problem> {
    loop {
        match node.people.node() {
            Err(e) if e.status() == 503 && Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            read => return Ok(read.map(drop)?),
        }
    }
}

/// Opens the node in `data`, or says at once that another process owns it.
pub fn open_now(data: &Path) -> Result<Node, Problem> {
    open_waiting(data, None)
}

/// As [`open_now`], for one command alone: nobody else waits, so it waits for its views as long as they take.
pub fn open_alone(data: &Path) -> Result<Node, Problem> {
    open_waiting(data, Some(crate::commands::PATIENCE))
}

fn open_waiting(data: &Path, patience: Option<Duration>) -> Result<Node, Problem> {
    if !ledger::Folder::holds_a_node(data) {
        let text = format!("no node lives in {0}: make one with `eye init --data {0}`", data.display());
        return Err(Problem::other(text));
    }
    let country = std::fs::read_to_string(data.join(COUNTRY)).ok().map(|c| c.trim().to_owned());
    let settings = Settings::read(data)?;
    let mut limits = settings.room();
    limits.patience = patience.unwrap_or(limits.patience);
    let setup = Setup::new(data, country)?.within(limits);
    let ledger = Ledger::open(data, Options::default(), vec![people::room(), setup.factory(), money::decided::room()])?;
    let people = People::open_with(&ledger, settings.hall())?;
    let intel = Intel::open(&ledger, &people, setup)?;
    Ok(Node { ledger, people, intel, settings: std::sync::Arc::new(settings) })
}

impl Node {
    /// Writes what is still in memory and lets go of the folder.
    pub fn close(&self) {
        if let Err(e) = self.people.access_log().flush() {
            tracing::warn!(error = %e, "the access log's last rows were not written");
        }
        self.ledger.close();
    }
}
