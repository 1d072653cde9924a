//! Each agency's folder: which file a report goes to, opened and closed as the months pass. One file an agency is open
//! at a time and nothing is kept of what was written, but for the shared ids of the bundle at hand.

use crate::WorldError;
use crate::cast::{Agency, Desk};
use crate::other_files;
use crate::prng::Rng;
use crate::stix_file;
use crate::story::Report;
use crate::text;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Records of one file; then a new part begins.
const PART: u64 = 20_000;

/// Where a report was written.
pub(crate) struct Filed {
    pub(crate) file: String,
    pub(crate) at: Option<u64>,
    pub(crate) stix: Option<String>,
    pub(crate) objects: Vec<String>,
    /// STIX objects, as counted for the plan.
    pub(crate) count: u64,
}

impl Filed {
    fn one(file: String, count: u64) -> Self {
        Self { file, at: None, stix: None, objects: Vec::new(), count }
    }
}

/// A file of the world, counted.
pub(crate) struct Sheet {
    path: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
}

impl Sheet {
    pub(crate) fn new(path: PathBuf) -> Result<Self, WorldError> {
        let out = File::create(&path).map_err(|source| WorldError::at(&path, source))?;
        Ok(Self { path, out: BufWriter::new(out), bytes: 0 })
    }

    pub(crate) fn write(&mut self, text: &str) -> Result<(), WorldError> {
        self.bytes += text.len() as u64;
        self.out.write_all(text.as_bytes()).map_err(|source| WorldError::at(&self.path, source))
    }

    /// Writes what is buffered and gives the file's size in bytes.
    pub(crate) fn close(mut self) -> Result<u64, WorldError> {
        self.out.flush().map_err(|source| WorldError::at(&self.path, source))?;
        Ok(self.bytes)
    }
}

/// The file an agency is writing.
struct Open {
    name: String,
    month: String,
    sheet: Sheet,
    records: u64,
    tail: &'static str,
    /// Shared ids that stand in this bundle already.
    seen: BTreeSet<String>,
}

/// One agency's folder.
pub(crate) struct Folder<'a> {
    seed: u64,
    agency: &'a Agency,
    root: PathBuf,
    open: Option<Open>,
    parts: u64,
    last_month: String,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl<'a> Folder<'a> {
    pub(crate) fn new(seed: u64, agency: &'a Agency, world: &Path) -> Result<Self, WorldError> {
        let root = world.join(&agency.folder);
        fs::create_dir_all(&root).map_err(|source| WorldError::at(&root, source))?;
        let mut folder =
            Self { seed, agency, root, open: None, parts: 0, last_month: String::new(), files: 0, bytes: 0 };
        if agency.desk == Desk::Hotline {
            folder.whole("mapping.toml", include_str!("mapping.toml"))?;
        }
        Ok(folder)
    }

    /// Writes a report down and says where it stands.
    pub(crate) fn take(&mut self, report: &Report) -> Result<Filed, WorldError> {
        match self.agency.desk {
            Desk::Police => self.stix(report),
            Desk::Csirt => {
                let (uuid, event, objects) = other_files::misp_event(self.seed, report, self.agency);
                let file = self.single(report, &format!("{uuid}.json"), &format!("{event}\n"))?;
                let count = objects.len() as u64 + 1;
                Ok(Filed { stix: Some(format!("report--{uuid}")), objects, ..Filed::one(file, count) })
            }
            Desk::Consulate => {
                let mut rng = Rng::keyed(self.seed, "note", report.number);
                let text = text::note(report, &mut rng);
                let file = self.single(report, &format!("{}.txt", report.reference), &text)?;
                Ok(Filed::one(file, 1))
            }
            Desk::Hotline => {
                let head = format!("{}\n", other_files::COLUMNS.join(","));
                let cells = other_files::csv_row(self.seed, report);
                // Each value in a column of its own becomes an observable and a relationship to the complaint.
                let values = cells.iter().skip(4).filter(|cell| !cell.is_empty()).count() as u64;
                let row = csv_line(&cells)?;
                self.line(report, "csv", &head, &row, 1 + 2 * values)
            }
            Desk::Exchange => {
                let line = other_files::list_line(report).unwrap_or_default();
                let head = format!("# {}: wallets of fictional syndicates\n", self.agency.name);
                let mut filed = self.line(report, "txt", &head, &line, 1)?;
                // Lines are counted with the comment that heads the file.
                filed.at = filed.at.map(|at| at + 1);
                Ok(filed)
            }
            Desk::Fiu => {
                let head = other_files::tagpack_head(self.agency, &month(report.when));
                let tag = other_files::tagpack_tag(report).unwrap_or_default();
                self.line(report, "yaml", &head, &tag, 2)
            }
        }
    }

    fn stix(&mut self, report: &Report) -> Result<Filed, WorldError> {
        let bundle = Rng::keyed(self.seed, &self.agency.folder, report.number).uuid();
        let (id, mut objects) = stix_file::objects(self.seed, report, self.agency);
        let agency = self.agency;
        let before = self.open.as_ref().map(|open| open.name.clone());
        let head = format!("{{\"type\":\"bundle\",\"id\":\"bundle--{bundle}\",\"objects\":[");
        let open = self.page(report, "json", &head, "\n]}\n")?;
        let mut count = 0;
        let fresh = before.as_ref() != Some(&open.name);
        if fresh {
            let mut head = stix_file::head(&[agency]);
            head.append(&mut objects);
            objects = head;
        }
        let mut own = Vec::new();
        for object in objects {
            if object.shared && !open.seen.insert(object.id.clone()) {
                continue;
            }
            open.sheet.write(if open.records == 0 { "\n" } else { ",\n" })?;
            open.sheet.write(&object.body)?;
            open.records += 1;
            count += 1;
            if !object.shared && !object.id.starts_with("identity--") {
                own.push(object.id);
            }
        }
        let file = format!("{}/{}", agency.folder, open.name);
        Ok(Filed { stix: Some(id), objects: own, ..Filed::one(file, count) })
    }

    /// A record in a file of many.
    fn line(
        &mut self,
        report: &Report,
        extension: &str,
        head: &str,
        text: &str,
        count: u64,
    ) -> Result<Filed, WorldError> {
        let folder = self.agency.folder.clone();
        let open = self.page(report, extension, head, "")?;
        open.sheet.write(text)?;
        open.records += 1;
        Ok(Filed { at: Some(open.records), ..Filed::one(format!("{folder}/{}", open.name), count) })
    }

    /// The file at hand; a new one when the month has changed or the part is full.
    fn page(
        &mut self,
        report: &Report,
        extension: &str,
        head: &str,
        tail: &'static str,
    ) -> Result<&mut Open, WorldError> {
        let month = month(report.when);
        if self.open.as_ref().is_some_and(|open| open.month != month || open.records >= PART) {
            self.close()?;
        }
        if self.last_month != month {
            self.parts = 0;
            self.last_month.clone_from(&month);
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                self.parts += 1;
                let name = format!("{month}-{:03}.{extension}", self.parts);
                let mut sheet = Sheet::new(self.root.join(&name))?;
                sheet.write(head)?;
                Open { name, month, sheet, records: 0, tail, seen: BTreeSet::new() }
            }
        };
        Ok(self.open.insert(open))
    }

    /// A file of its own for one report, in the month's folder.
    fn single(&mut self, report: &Report, name: &str, text: &str) -> Result<String, WorldError> {
        let month = month(report.when);
        if self.last_month != month {
            let path = self.root.join(&month);
            fs::create_dir_all(&path).map_err(|source| WorldError::at(&path, source))?;
            self.last_month.clone_from(&month);
        }
        let name = format!("{month}/{name}");
        self.whole(&name, text)?;
        Ok(format!("{}/{name}", self.agency.folder))
    }

    fn whole(&mut self, name: &str, text: &str) -> Result<(), WorldError> {
        let mut sheet = Sheet::new(self.root.join(name))?;
        sheet.write(text)?;
        self.bytes += sheet.close()?;
        self.files += 1;
        Ok(())
    }

    /// Ends the file at hand.
    pub(crate) fn close(&mut self) -> Result<(), WorldError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.sheet.write(open.tail)?;
        self.bytes += open.sheet.close()?;
        self.files += 1;
        Ok(())
    }
}

/// The month of an instant, `2026-01`.
fn month(ms: i64) -> String {
    other_files::day(ms).get(..7).unwrap_or_default().to_owned()
}

fn csv_line(fields: &[String]) -> Result<String, WorldError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |_| WorldError::Plan("a CSV row cannot be written; report this as a fault of the world".to_owned());
    writer.write_record(fields).map_err(broken)?;
    let bytes = writer.into_inner().map_err(|error| WorldError::at(Path::new("csv"), error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a JSON document, two spaces a level.
pub(crate) fn json(path: PathBuf, value: &Value) -> Result<u64, WorldError> {
    let mut sheet = Sheet::new(path)?;
    sheet.write(&format!("{value:#}\n"))?;
    sheet.close()
}
