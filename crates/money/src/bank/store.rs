//! All loads that a node keeps, each a file of facts; the manifest that names them; and the chain made of them. A load
//! is kept whole or not at all, and erased whole.
use super::book::Gathered;
use super::leg::{Fact, Leg, Login};
use super::returns::Reader;
use super::sheet::each_row;
use super::unpack::unpacked;
use super::view::{self, MAX_FACT, View, fact_at};
use super::{CHAIN, Error, Finding, Item, Result, TableMapping, is_mt940, read_camt, read_mt940};
use crate::columns::{self, replace, take_lock};
use crate::hash::file_sha256;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The folder in the money folder; no chain's name begins so.
const FOLDER: &str = "_bank";
const MANIFEST: &str = "manifest";
/// The version of the files (`docs/bank.md`).
const VERSION: u32 = 2;
/// The oldest version that is read: its amounts are numbers.
const OLDEST: u32 = 1;
/// Most loads.
const MAX_BATCHES: usize = 16_384;
/// Largest manifest that is read.
const MAX_MANIFEST: u64 = 64 << 20;
/// So many refusals and warnings are named.
const NAMED: usize = 100;

/// A load: where it is from and who may see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInfo {
    /// Its number, never used twice.
    pub id: u64,
    /// `camt053` or `mt940`; `table` for what a mapping read.
    pub format: String,
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// When it was loaded: RFC 3339.
    pub loaded: String,
    /// The collection whose readers may see it.
    pub collection: String,
    /// What became of its entries.
    pub counts: Counts,
}

/// What became of a file's entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Statements.
    pub statements: u64,
    /// Legs that are booked.
    pub legs: u64,
    /// Legs that are announced alone: kept, never counted.
    pub pending: u64,
    /// Logins.
    #[serde(default)]
    pub logins: u64,
    /// Entries and statements that could not be taken.
    pub refused: u64,
    /// What whoever reads it must know.
    pub warnings: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    version: u32,
    next: u64,
    /// Rises with every change; `made` is the one that the chain was made of.
    generation: u64,
    made: u64,
    batches: Vec<BatchInfo>,
}

/// The number of a load by the id that `eye expunge` takes.
///
/// ```
/// assert_eq!(money::bank::load_of_id("bank-load--3"), Some(3));
/// assert_eq!(money::bank::load_of_id("money-decision--3"), None);
/// ```
pub fn load_of_id(id: &str) -> Option<u64> {
    id.strip_prefix("bank-load--")?.parse().ok()
}

/// Logins, each with its load, and where to go on.
pub type Logins = (Vec<(u64, Login)>, Option<usize>);

/// Which loads whoever asks may see.
pub type Sees<'s> = &'s dyn Fn(&BatchInfo) -> bool;

/// What is to be loaded.
#[derive(Debug)]
pub struct Job {
    /// The file.
    pub file: PathBuf,
    /// Whose days its days are.
    pub zone: TimeZone,
    /// What the columns of a table mean; without it the file is CAMT.053 or MT940.
    pub mapping: Option<TableMapping>,
    /// The collection whose readers may see it.
    pub collection: String,
    /// The time now.
    pub now: jiff::Timestamp,
}

/// Something of a file that was not taken, or that must be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The statement, from 1.
    pub statement: u32,
    /// The entry, from 1; 0 is the statement itself.
    pub entry: u32,
    /// Why.
    pub why: String,
}

/// What a load did.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The batch that was made.
    pub batch: Option<BatchInfo>,
    /// The batch of an earlier load of the same file.
    pub known: Option<u64>,
    /// Entries that were refused, the first of them.
    pub refused: Vec<Refusal>,
    /// Warnings, the first of them.
    pub warnings: Vec<Refusal>,
    /// What of it does not fit the other loads.
    pub findings: Vec<Finding>,
}

/// The store of bank legs.
#[derive(Debug)]
pub struct Bank {
    money: PathBuf,
    dir: PathBuf,
    manifest: Manifest,
    lock: Option<File>,
}

impl Bank {
    /// Opens the loads of the money folder for reading. There need not be any.
    pub fn open(money: &Path) -> Result<Bank> {
        Bank::read(money)
    }

    /// Opens them for loading and erasing; makes the folder, and ends what a crash has left half done.
    pub fn open_to_write(money: &Path) -> Result<Bank> {
        let dir = money.join(FOLDER);
        let lock = take_lock(&dir)?;
        let mut bank = Bank::read(money)?;
        bank.lock = Some(lock);
        if bank.manifest.made != bank.manifest.generation {
            bank.remake()?;
        }
        bank.sweep()?;
        Ok(bank)
    }

    fn read(money: &Path) -> Result<Bank> {
        let dir = money.join(FOLDER);
        let path = dir.join(MANIFEST);
        let manifest = match std::fs::metadata(&path) {
            Ok(there) if there.len() > MAX_MANIFEST => {
                return Err(columns::format(&path, "is larger than any manifest").into());
            }
            Ok(_) => {
                let bytes = std::fs::read(&path).map_err(columns::io(&path))?;
                read_manifest(&bytes).map_err(|why| columns::format(&path, why))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Manifest { version: VERSION, next: 1, generation: 0, made: 0, batches: Vec::new() }
            }
            Err(error) => return Err(columns::io(&path)(error).into()),
        };
        Ok(Bank { money: money.to_owned(), dir, manifest, lock: None })
    }

    /// All loads, oldest first.
    pub fn batches(&self) -> impl Iterator<Item = &BatchInfo> {
        self.manifest.batches.iter()
    }

    /// What does not fit together, of the loads that may be seen.
    pub fn findings(&self, sees: Sees<'_>) -> Result<Vec<Finding>> {
        let seen: BTreeSet<u64> = self.batches().filter(|info| sees(info)).map(|info| info.id).collect();
        view::findings(&self.money, &|batch| seen.contains(&batch))
    }

    /// The chain with its sources; `None` when nothing is loaded.
    pub fn view(&self) -> Result<Option<View<'_>>> {
        View::open(self, &self.money)
    }

    /// Loads a file; each leg that is on record already is counted once.
    ///
    /// # Errors
    /// A file that cannot be read to its end, or of which nothing can be taken: nothing of it is kept.
    pub fn load(&mut self, job: &Job) -> Result<Loaded> {
        self.writes()?;
        let refused = |why: String| Error::File { path: job.file.clone(), why };
        let sha256 = file_sha256(&job.file).map_err(columns::io(&job.file))?;
        let same = |info: &&BatchInfo| info.sha256 == sha256 && info.collection == job.collection;
        if let Some(known) = self.batches().find(same).map(|info| info.id) {
            return Ok(Loaded { known: Some(known), ..Loaded::default() });
        }
        if self.manifest.batches.len() >= MAX_BATCHES {
            return Err(refused(format!("{MAX_BATCHES} files are loaded, which is the most: erase old ones")));
        }
        let id = self.manifest.next;
        let done = self.take(job, &self.facts(id)).and_then(|(counts, loaded, format)| match counts.kept() {
            0 => {
                let first = loaded
                    .refused
                    .first()
                    .map_or_else(String::new, |one| format!(": statement {}: {}", one.statement, one.why));
                Err(refused(format!("no statement or row in it can be kept{first}")))
            }
            _ => Ok((counts, loaded, format)),
        });
        let Ok((counts, mut loaded, format)) = done else {
            self.sweep()?;
            return done.map(|(_, loaded, _)| loaded);
        };
        let file = job.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (loaded_at, collection) = (job.now.to_string(), job.collection.clone());
        let info = BatchInfo { id, format: format.to_owned(), file, sha256, loaded: loaded_at, collection, counts };
        (self.manifest.next, self.manifest.generation) = (id + 1, self.manifest.generation + 1);
        self.manifest.batches.push(info.clone());
        self.save()?;
        loaded.findings = self.remake()?.into_iter().filter(|one| one.about.iter().any(|at| at.batch == id)).collect();
        loaded.batch = Some(info);
        Ok(loaded)
    }

    /// Erases a load: its facts go from the disk, and the chain is made anew of the others.
    pub fn erase(&mut self, id: u64) -> Result<BatchInfo> {
        self.writes()?;
        let place = self.manifest.batches.iter().position(|info| info.id == id);
        let place =
            place.ok_or_else(|| Error::Unknown(format!("there is no load {id}; `eye money bank list` shows them")))?;
        let info = self.manifest.batches.remove(place);
        self.manifest.generation += 1;
        self.save()?;
        self.sweep()?;
        self.remake()?;
        Ok(info)
    }

    /// A leg that a load tells at a byte of its file.
    pub(super) fn fact(&self, info: &BatchInfo, byte: u64) -> Result<Leg> {
        fact_at(&self.facts(info.id), byte)
    }

    /// The logins of an account that visible loads tell, each with its load, from the one numbered `from` on, at most `most`. The
    /// second value is where to go on.
    ///
    /// # Errors
    /// The files.
    pub fn logins(&self, asked: &str, (from, most): (usize, usize), sees: Sees<'_>) -> Result<Logins> {
        let (mut found, mut place) = (Vec::new(), 0);
        for info in self.batches().filter(|info| info.counts.logins > 0 && sees(info)) {
            each_fact(&self.facts(info.id), &mut |fact, _| {
                if let Fact::Login(login) = fact
                    && login.account.name == asked
                {
                    if place >= from && found.len() <= most {
                        found.push((info.id, login));
                    }
                    place += 1;
                }
                Ok(())
            })?;
        }
        let next = (found.len() > most).then_some(from + most);
        found.truncate(most);
        Ok((found, next))
    }

    fn facts(&self, id: u64) -> PathBuf {
        self.dir.join(format!("{id}.facts"))
    }

    fn writes(&self) -> Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(columns::Error::ReadOnly(self.dir.clone()).into()),
        }
    }

    fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.manifest).map_err(|error| Error::Unknown(error.to_string()))?;
        Ok(replace(&self.dir.join(MANIFEST), &bytes)?)
    }

    /// Reads the job's file into a file of facts.
    fn take(&self, job: &Job, into: &Path) -> Result<(Counts, Loaded, &'static str)> {
        let mut out = BufWriter::new(File::create(into).map_err(columns::io(into))?);
        let (mut counts, mut loaded, mut failed) = (Counts::default(), Loaded::default(), None);
        let read = read_job(job, &mut |item| {
            let Some(fact) = counts.fact(item, &mut loaded) else { return ControlFlow::Continue(()) };
            let line = serde_json::to_vec(&fact).map_err(std::io::Error::other);
            let written = line.and_then(|line| out.write_all(&line)).and_then(|()| out.write_all(b"\n"));
            failed = written.err();
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(error) = failed {
            return Err(columns::io(into)(error).into());
        }
        let format =
            read.map_err(|why| Error::File { path: job.file.clone(), why: format!("{why}; nothing of it was kept") })?;
        let file = out.into_inner().map_err(|error| columns::io(into)(error.into_error()))?;
        file.sync_all().map_err(columns::io(into))?;
        Ok((counts, loaded, format))
    }

    /// Makes the chain of all loads, and puts it in the place of the one before.
    fn remake(&mut self) -> Result<Vec<Finding>> {
        let (made, chain) = (self.dir.join(CHAIN), self.money.join(CHAIN));
        if chain.exists() && !chain.join(view::LEGS).exists() {
            let why = format!(
                "a table was loaded as {CHAIN}, which is the name of all bank legs: move {} away",
                chain.display()
            );
            return Err(Error::Unknown(why));
        }
        // Another crash than one here must not show what is erased: the old chain goes first.
        for folder in [&made, &chain] {
            if folder.exists() {
                std::fs::remove_dir_all(folder).map_err(columns::io(folder))?;
            }
        }
        let mut gathered = Gathered::default();
        for info in self.batches() {
            each_fact(&self.facts(info.id), &mut |fact, byte| gathered.add(fact, (info.id, byte)))?;
        }
        let findings = match self.manifest.batches.is_empty() {
            true => Vec::new(),
            false => {
                let findings = gathered.write(&made)?;
                std::fs::rename(&made, &chain).map_err(columns::io(&chain))?;
                findings
            }
        };
        self.manifest.made = self.manifest.generation;
        self.save()?;
        Ok(findings)
    }

    /// Deletes facts that the manifest does not name: erased ones, and those of a load that did not end.
    fn sweep(&self) -> Result<()> {
        let kept: BTreeSet<PathBuf> = self.batches().map(|info| self.facts(info.id)).collect();
        for path in std::fs::read_dir(&self.dir).map_err(columns::io(&self.dir))?.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|end| end == "facts") && !kept.contains(&path) {
                std::fs::remove_file(&path).map_err(columns::io(&path))?;
            }
        }
        Ok(())
    }
}

/// Hands over what a job's file says; which format it is in.
fn read_job(job: &Job, sink: &mut dyn FnMut(Item) -> ControlFlow<()>) -> std::result::Result<&'static str, String> {
    let Some(mapping) = &job.mapping else {
        return unpacked(&job.file, |mut input| {
            let head = input.fill_buf().map_err(|error| error.to_string())?;
            match is_mt940(head) {
                true => read_mt940(input, &job.zone, sink).map(|()| "mt940"),
                false => read_camt(input, &job.zone, sink).map(|()| "camt053"),
            }
        });
    };
    let mut reader = Reader::new(mapping, &job.zone)?;
    each_row(&job.file, mapping.separator()?, &mut |row| reader.row(&row, &mut *sink))?;
    reader.finish(sink).map(|()| "table")
}

impl Counts {
    fn kept(&self) -> u64 {
        self.statements + self.legs + self.pending + self.logins
    }

    /// Counts an item; what of it is kept as a fact.
    fn fact(&mut self, item: Item, loaded: &mut Loaded) -> Option<Fact> {
        Some(match item {
            Item::Refused { at, why } => {
                self.refused += 1;
                note(&mut loaded.refused, at, why);
                return None;
            }
            Item::Warning { at, why } => {
                self.warnings += 1;
                note(&mut loaded.warnings, at, why);
                return None;
            }
            Item::Leg(leg) => {
                (self.legs, self.pending) =
                    (self.legs + u64::from(!leg.pending), self.pending + u64::from(leg.pending));
                Fact::Leg(leg)
            }
            Item::Statement(statement) => {
                self.statements += 1;
                Fact::Statement(statement)
            }
            Item::Login(login) => {
                self.logins += 1;
                Fact::Login(login)
            }
        })
    }
}

fn note(into: &mut Vec<Refusal>, (statement, entry): (u32, u32), why: String) {
    if into.len() < NAMED {
        into.push(Refusal { statement, entry, why });
    }
}

/// Every fact of a file with the byte that it begins at.
fn each_fact(path: &Path, take: &mut dyn FnMut(Fact, u64) -> Result<()>) -> Result<()> {
    let mut reader = BufReader::new(File::open(path).map_err(columns::io(path))?);
    let (mut line, mut at) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let n = (&mut reader).take(MAX_FACT).read_until(b'\n', &mut line).map_err(columns::io(path))?;
        if n == 0 {
            return Ok(());
        }
        let fact = serde_json::from_slice(&line);
        let fact = fact.map_err(|_| {
            columns::format(path, format!("is damaged at byte {at}: erase the load and load its file again"))
        })?;
        take(fact, at)?;
        at += n as u64;
    }
}

/// A manifest out of any bytes.
pub(crate) fn read_manifest(bytes: &[u8]) -> std::result::Result<Manifest, String> {
    let mut manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| format!("is no manifest of bank legs ({error})"))?;
    if !(OLDEST..=VERSION).contains(&manifest.version) {
        return Err(format!("is of version {}; this program reads {OLDEST} to {VERSION}", manifest.version));
    }
    manifest.version = VERSION;
    let ids: BTreeSet<u64> = manifest.batches.iter().map(|info| info.id).collect();
    if ids.len() != manifest.batches.len() || ids.last().is_some_and(|last| *last >= manifest.next) {
        return Err("names a load twice, or one that was not made yet".into());
    }
    Ok(manifest)
}
