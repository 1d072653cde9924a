//! Owns the exercise world: fictional agencies, syndicates and their reports, the truth beside them, and the score.
//! Never touches the ledger, a network, or anything real: every number, address and name is reserved, invented or void.
//! Data flows one way: a [`Plan`] becomes reports in time's order, each written down in its agency's own format.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod cast;
mod disk;
mod hubs;
pub mod money;
mod other_files;
mod phones;
mod prng;
pub mod rates;
mod readme;
pub mod score;
mod stix_file;
mod story;
mod text;
pub mod truth;
mod wallets;
mod words;

#[cfg(test)]
mod tests;

use cast::Agency;
use disk::{Folder, Sheet};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use story::{Report, Story};
use truth::{AgencyTruth, Line, MentionTruth, ReportTruth, TrapKind, TrapTruth};

/// What to write. Equal plans give equal bytes, on every machine.
///
/// ```
/// let plan = world::Plan { objects: 300, ..world::Plan::default() };
/// let dir = tempfile::tempdir()?;
/// let summary = world::write(&plan, dir.path(), &mut |_, _| ())?;
/// assert!(summary.objects >= 300 && dir.path().join("truth.jsonl").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Another seed, another world.
    pub seed: u64,
    /// How many agencies, 1 to 40: police, emergency team, hotline, consulate, exchange, financial intelligence unit,
    /// and again.
    pub agencies: usize,
    /// How many months the reports cover, 1 to 600.
    pub months: usize,
    /// About how many STIX objects the world gives once it is read; writing ends with the report that reaches it. STIX
    /// files are counted exactly, a MISP event as its attributes and itself, a CSV row as itself and two for each
    /// value, a note or a line of a list as one, a tag as two.
    pub objects: usize,
    /// When it begins; 2025-01-01T00:00:00Z, so that a year of it lies in the past: a node takes nothing from the future.
    pub start: Timestamp,
}

impl Default for Plan {
    fn default() -> Self {
        let start = Timestamp::constant(1_735_689_600, 0);
        Self { seed: 7, agencies: 6, months: 12, objects: 10_000, start }
    }
}

impl Plan {
    /// The plan's length in milliseconds.
    fn span(&self) -> Result<i64, WorldError> {
        let refuse = |what: &str| Err(WorldError::Plan(what.to_owned()));
        if !(1..=words::CODES.len()).contains(&self.agencies) {
            return refuse("agencies must be 1 to 40");
        }
        if !(1..=600).contains(&self.months) {
            return refuse("months must be 1 to 600");
        }
        if !(1..=100_000_000).contains(&self.objects) {
            return refuse("objects must be 1 to 100000000");
        }
        let start = self.start.to_zoned(TimeZone::UTC);
        let months = i64::try_from(self.months).unwrap_or_default();
        let end = start.checked_add(months.months());
        let Ok(end) = end else { return refuse("the plan ends after the year 9999; choose an earlier start") };
        Ok(end.timestamp().as_millisecond() - self.start.as_millisecond())
    }

    fn story<'a>(&self, agencies: &'a [Agency], span: i64) -> Story<'a> {
        let objects = self.objects as u64;
        // A small world still has several syndicates, and each of them several reports.
        let quota = if objects < 4000 { (9, 18) } else { rates::SYNDICATE_REPORTS };
        Story::new(self.seed, agencies, (objects / 2000).clamp(2, 400), quota, span)
    }

    fn when(&self, done: u64, span: i64) -> i64 {
        let total = self.objects as u64;
        let gone = i128::from(span) * i128::from(done.min(total - 1)) / i128::from(total);
        self.start.as_millisecond() + i64::try_from(gone).unwrap_or_default()
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Reports of all agencies.
    pub reports: u64,
    /// STIX objects, as [`Plan::objects`] counts them.
    pub objects: u64,
    /// Syndicates that were at work.
    pub syndicates: u64,
    /// Files, with truth and README.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why no world was written.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The plan cannot be carried out.
    #[error("the plan cannot be carried out: {0}")]
    Plan(String),
    /// The folder holds something else.
    #[error("{0} is not empty and holds no exercise world; choose an empty folder")]
    NotEmpty(PathBuf),
    /// The disk refuses.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl WorldError {
    fn at(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// The first bytes of a world's truth file, by which a folder is known as ours.
const OURS: &str = "{\"kind\":\"world\",";

/// Writes a world into `dir`, which is made when it is not there. A folder with an older world is emptied of that world
/// first: of `README.md`, `truth.jsonl`, `reference/`, `money/` and the folders `agency-*`.
/// `progress` hears objects written and wanted.
///
/// # Errors
/// [`WorldError::Plan`] for a plan out of bounds, [`WorldError::NotEmpty`] for a folder that holds anything but a world
/// of ours, [`WorldError::Io`] when the disk refuses.
pub fn write(plan: &Plan, dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Summary, WorldError> {
    let span = plan.span()?;
    make_room(dir)?;
    let agencies = cast::agencies(plan.seed, plan.agencies);
    let mut story = plan.story(&agencies, span);
    let mut truth = Truth::begin(plan, &agencies, &story, dir)?;
    let mut summary = Summary::default();
    let lists = dir.join("reference");
    fs::create_dir_all(&lists).map_err(|source| WorldError::at(&lists, source))?;
    for (name, list) in story.hubs.lists(&agencies) {
        summary.bytes += disk::json(lists.join(name), &list)?;
        summary.files += 1;
    }
    let mut folders = Vec::new();
    for agency in &agencies {
        folders.push(Folder::new(plan.seed, agency, dir)?);
    }
    let total = plan.objects as u64;
    while summary.objects < total {
        let Some(report) = story.next(plan.when(summary.objects, span)) else { break };
        let Some(folder) = folders.get_mut(report.agency) else { break };
        let filed = folder.take(&report)?;
        summary.objects += filed.count;
        summary.reports += 1;
        let Some(agency) = agencies.get(report.agency) else { break };
        truth.report(report, agency, filed)?;
        for ended in story.ended.drain(..) {
            summary.syndicates += 1;
            truth.line(&Line::Syndicate(ended))?;
        }
        if summary.reports.is_multiple_of(64) {
            progress(summary.objects.min(total), total);
        }
    }
    for mut folder in folders {
        folder.close()?;
        summary.files += folder.files;
        summary.bytes += folder.bytes;
    }
    let (ended, names) = story.finish();
    summary.syndicates += ended.len() as u64;
    for ended in ended {
        truth.line(&Line::Syndicate(ended))?;
    }
    for name in names {
        truth.line(&Line::Trap(name))?;
    }
    summary.bytes += truth.sheet.close()?;
    let mut sheet = Sheet::new(dir.join("README.md"))?;
    sheet.write(&readme::text(plan, &summary))?;
    summary.bytes += sheet.close()?;
    summary.files += 2;
    progress(total, total);
    Ok(summary)
}

/// The objects of a small world of five agencies, all as STIX 2.1, one JSON object a text, about 150 to 300 of them:
/// what a new node shows so that links are seen at once. Ids and bytes depend on the seed alone.
pub fn small(seed: u64) -> Vec<String> {
    let plan = Plan { seed, agencies: 5, months: 6, objects: 230, ..Plan::default() };
    let Ok(span) = plan.span() else { return Vec::new() };
    let mut agencies = cast::agencies(seed, plan.agencies);
    for agency in &mut agencies {
        agency.desk = cast::Desk::Police;
    }
    let mut story = plan.story(&agencies, span);
    let mut seen = std::collections::BTreeSet::new();
    let mut out = Vec::new();
    let mut add = |objects: Vec<stix_file::Object>| {
        for object in objects {
            if seen.insert(object.id) {
                out.push(object.body);
            }
        }
        out.len() as u64
    };
    let mut done = add(stix_file::head(&agencies.iter().collect::<Vec<_>>()));
    while done < plan.objects as u64 {
        let Some(report) = story.next(plan.when(done, span)) else { break };
        let Some(agency) = agencies.get(report.agency) else { break };
        done = add(stix_file::objects(seed, &report, agency).1);
    }
    out
}

/// Empties `dir` of an older world, or makes it.
fn make_room(dir: &Path) -> Result<(), WorldError> {
    fs::create_dir_all(dir).map_err(|source| WorldError::at(dir, source))?;
    let entries = fs::read_dir(dir).map_err(|source| WorldError::at(dir, source))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| WorldError::at(dir, source))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    if names.is_empty() {
        return Ok(());
    }
    let of_a_world = |name: &String| {
        matches!(name.as_str(), "README.md" | "truth.jsonl" | "reference" | "money") || name.starts_with("agency-")
    };
    let ours = fs::File::open(dir.join("truth.jsonl")).is_ok_and(|file| {
        let mut head = Vec::new();
        let read = io::Read::read_to_end(&mut io::Read::take(file, OURS.len() as u64), &mut head);
        read.is_ok() && head == OURS.as_bytes()
    });
    if !ours || !names.iter().all(of_a_world) {
        return Err(WorldError::NotEmpty(dir.to_owned()));
    }
    // The truth goes last, so that a clearing broken off is still known as ours.
    names.sort_by_key(|name| name == "truth.jsonl");
    for name in names {
        let path = dir.join(name);
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.map_err(|source| WorldError::at(&path, source))?;
    }
    Ok(())
}

/// The truth file while it is written.
struct Truth {
    sheet: Sheet,
}

impl Truth {
    fn begin(plan: &Plan, agencies: &[Agency], story: &Story<'_>, dir: &Path) -> Result<Self, WorldError> {
        let mut truth = Self { sheet: Sheet::new(dir.join("truth.jsonl"))? };
        let (seed, months, objects, start) = (plan.seed, plan.months, plan.objects, plan.start.to_string());
        truth.line(&Line::World { seed, agencies: plan.agencies, months, objects, start })?;
        for agency in agencies {
            truth.line(&Line::Agency(AgencyTruth::of(agency)))?;
        }
        for hot in &story.hubs.hot {
            truth.line(&Line::Trap(TrapTruth::new(TrapKind::ListedHub, hot, None, None)))?;
        }
        let site = |value: &str| cast::Selector { kind: cast::Kind::Domain, value: value.to_owned() };
        for host in hubs::POPULAR.iter().chain(&hubs::MAIL_HOSTS) {
            truth.line(&Line::Trap(TrapTruth::new(TrapKind::ListedHub, &site(host), None, None)))?;
        }
        for hidden in [&story.hubs.hot_unlisted, &site(hubs::SHORTENER)] {
            truth.line(&Line::Trap(TrapTruth::new(TrapKind::UnlistedHub, hidden, None, None)))?;
        }
        Ok(truth)
    }

    fn line(&mut self, line: &Line) -> Result<(), WorldError> {
        let text = serde_json::to_string(line).map_err(|error| WorldError::Plan(error.to_string()))?;
        self.sheet.write(&text)?;
        self.sheet.write("\n")
    }

    fn report(&mut self, report: Report, agency: &Agency, filed: disk::Filed) -> Result<(), WorldError> {
        let names = report.mentions.into_iter().map(|mention| MentionTruth {
            selector: mention.selector.kind.code().to_owned(),
            value: mention.selector.value,
            role: mention.role,
        });
        self.line(&Line::Report(ReportTruth {
            id: report.reference,
            agency: agency.code.to_owned(),
            file: filed.file,
            at: filed.at,
            stix: filed.stix,
            objects: filed.objects,
            when: stix_file::timestamp(report.when),
            syndicate: report.syndicate.map(|told| told.code),
            names: names.collect(),
        }))?;
        report.traps.into_iter().try_for_each(|trap| self.line(&Line::Trap(trap)))
    }
}
