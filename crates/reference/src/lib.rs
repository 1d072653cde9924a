//! Owns reference files: block lists, warninglists, galaxies. They are no intelligence and never become entries.
//! Never writes to the log, never links two values with each other, never opens the network.
//! Data flows in at `install` (a file becomes sorted tables on disk, once) and out at `listed` and `galaxy`.
//!
//! Tables are files of sorted 64-bit hashes read with `pread`; in memory stand only every 256th hash of a list
//! and one open file each, so that millions of entries cost little. Every hit is confirmed by the value itself.
//!
//! ```
//! use reference::{Library, ListKind};
//! let folder = tempfile::tempdir()?;
//! let list = &b"# scam sites\nscam.example\n"[..];
//! Library::install(folder.path(), ListKind::Block, "sites", "a test list", Box::new(list))?;
//! let library = Library::open(folder.path())?;
//! let hits = library.listed("domain", "shop.scam.example");
//! assert_eq!((hits[0].list.as_str(), hits[0].matched.as_str()), ("sites", "scam.example"));
//! assert!(library.listed("domain", "honest.example").is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod galaxy;
mod install;
mod list;
mod query;
mod ranges;
mod table;
mod words;

pub use galaxy::GalaxyHit;
pub use install::Installed;
pub use list::{ListInfo, MatchKind};

use galaxy::Galaxy;
use list::List;
use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

/// What a list says about its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListKind {
    /// They are bad: a block list.
    Block,
    /// They are common and prove nothing: a warninglist.
    Warning,
    /// They are names of actors, tools, sectors: a galaxy.
    Galaxy,
}

impl ListKind {
    /// The code that a command line names it by.
    ///
    /// ```
    /// use reference::ListKind;
    /// assert!(ListKind::ALL.into_iter().all(|kind| ListKind::of(kind.as_str()) == Some(kind)));
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            ListKind::Block => "blocklist",
            ListKind::Warning => "warninglist",
            ListKind::Galaxy => "galaxy",
        }
    }

    /// All of them.
    pub const ALL: [ListKind; 3] = [ListKind::Block, ListKind::Warning, ListKind::Galaxy];

    /// The kind of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }

    /// The folder below the library's that lists of this kind stand in.
    pub fn folder(self) -> &'static str {
        match self {
            ListKind::Block => "blocklists",
            ListKind::Warning => "warninglists",
            ListKind::Galaxy => "galaxies",
        }
    }
}

/// Why a reference file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The file handed to `install` is not what its kind asks for.
    #[error("list {name}: {why}")]
    Malformed {
        /// The list.
        name: String,
        /// What is wrong, what would be right.
        why: String,
    },
    /// No list is called that.
    #[error("`{0}` is no list's name: 1 to 80 letters, digits, dots, dashes and underscores, the first no dot")]
    Name(String),
    /// A limit was passed.
    #[error("list {name}: over the limit: {why}")]
    Limit {
        /// The list.
        name: String,
        /// Which.
        why: String,
    },
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn at<T>(path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// That a value stands in a list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listing {
    /// The list's name: its folder.
    pub list: String,
    /// Its title, for people.
    pub title: String,
    /// What standing in it means.
    pub what: ListKind,
    /// The entry that matched: the value itself, a domain above it, a network around it, a word in it.
    pub matched: String,
}

/// All reference files of a node.
pub struct Library {
    lists: Vec<List>,
    galaxies: Vec<Galaxy>,
    broken: Vec<(String, String)>,
}

impl Library {
    /// Opens all lists below `dir` (`blocklists/`, `warninglists/`, `galaxies/`); an absent folder is empty.
    ///
    /// A list that cannot be read is left out and told by [`Library::broken`]: one bad file must not keep a
    /// node from starting.
    ///
    /// # Errors
    /// [`Error::Io`] when a folder itself cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let mut library = Self { lists: Vec::new(), galaxies: Vec::new(), broken: Vec::new() };
        for kind in ListKind::ALL {
            for folder in folders(&dir.join(kind.folder()))? {
                let opened = match kind {
                    ListKind::Galaxy => Galaxy::open(&folder).map(|galaxy| library.galaxies.push(galaxy)),
                    _ => List::open(&folder).map(|list| library.lists.push(list)),
                };
                if let Err(error) = opened {
                    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    library.broken.push((name, error.to_string()));
                }
            }
        }
        Ok(library)
    }

    /// Turns one file into a list's tables below `dir`, replacing an older list of the name at once.
    ///
    /// `source` says where the file is from and under which licence. What the file is, is told by its content:
    /// a plain list, eth-phishing-detect's `config.json` (its honest names become a warninglist `NAME.allowed`),
    /// a MISP `list.json`, a MISP galaxy cluster. Memory while installing: 16 bytes an entry.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Limit`]; nothing is changed then.
    pub fn install(
        dir: &Path,
        kind: ListKind,
        name: &str,
        source: &str,
        reader: Box<dyn BufRead + '_>,
    ) -> Result<Installed> {
        install::install(dir, kind, name, source, reader)
    }

    /// That a list may be called so; a name becomes a folder's.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn check_name(name: &str) -> Result<()> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > 80 || name.starts_with('.') || !name.bytes().all(good) {
            return Err(Error::Name(name.chars().take(80).collect()));
        }
        Ok(())
    }

    /// The kinds of which a list of this name stands below `dir`, whether it can be read or not.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn kinds_of(dir: &Path, name: &str) -> Result<Vec<ListKind>> {
        Self::check_name(name)?;
        Ok(ListKind::ALL.into_iter().filter(|kind| dir.join(kind.folder()).join(name).is_dir()).collect())
    }

    /// Takes a list away; `false` when none of the name stood there. It is gone at once, or not at all, whenever the
    /// machine stops. To undo it, install its file again.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Io`].
    pub fn remove(dir: &Path, kind: ListKind, name: &str) -> Result<bool> {
        Self::check_name(name)?;
        let folder = dir.join(kind.folder());
        let (stands, gone) = (folder.join(name), folder.join(format!(".{name}.gone")));
        // What an earlier removal left unfinished.
        if gone.exists() {
            at(&gone, fs::remove_dir_all(&gone))?;
        }
        match fs::rename(&stands, &gone) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            renamed => at(&stands, renamed)?,
        }
        at(&gone, fs::remove_dir_all(&gone))?;
        Ok(true)
    }

    /// The lists that `value` stands in. `kind` is a selector's code (`domain`, `url`, `ipv4`, `ipv6`, `email`,
    /// `md5`, `btc`, `phone`, ...) or a STIX type (`domain-name`, `ipv4-addr`, ...).
    ///
    /// A domain is listed when it or a domain above it is; a URL when it or its host is; an address when a
    /// network around it is; an e-mail address when it or its domain is (by block lists and lists of mail hosts).
    pub fn listed(&self, kind: &str, value: &str) -> Vec<Listing> {
        let query = query::Query::new(kind, value);
        self.lists
            .iter()
            .filter_map(|list| {
                let matched = list.find(&query)?;
                Some(Listing {
                    list: list.info.name.clone(),
                    title: list.info.title.clone(),
                    what: list.info.kind,
                    matched,
                })
            })
            .collect()
    }

    /// What is installed.
    pub fn lists(&self) -> Vec<ListInfo> {
        self.lists
            .iter()
            .map(|list| list.info.clone())
            .chain(self.galaxies.iter().map(|galaxy| galaxy.info.clone()))
            .collect()
    }

    /// Whether a list of what is common is installed.
    pub fn warns(&self) -> bool {
        self.lists.iter().any(|list| list.info.kind == ListKind::Warning)
    }

    /// Lists that could not be opened, with the reason.
    pub fn broken(&self) -> &[(String, String)] {
        &self.broken
    }

    /// The clusters whose name or synonym is `name` (case and outer spaces do not matter), at most 50.
    pub fn galaxy(&self, name: &str) -> Vec<GalaxyHit> {
        self.galaxies.iter().flat_map(|galaxy| galaxy.find(name)).take(50).collect()
    }
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return at(dir, Err(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = at(dir, entry)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
