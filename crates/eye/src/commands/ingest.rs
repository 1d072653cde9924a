mod found;

use super::{Io, collection_named, level};
use crate::arguments::Ingest;
use crate::fetch;
use crate::node::{Node, Problem};
use found::{Found, Mappings, address, read, read_mapping};
use intel::{ImportJob, ImportReport};
use people::Viewer;
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Imports each file; goes on after a bad one. Exit 1 when a file could not be read, not to its end, or was refused.
pub fn run(node: &Node, me: &Viewer, job: &Ingest, io: &mut Io<'_>) -> Result<u8, Problem> {
    let named = job.mapping.as_ref().map(|path| read_mapping(&io.path(path))).transpose()?;
    let collection = job.collection.as_deref().map(|c| collection_named(node, me, c)).transpose()?;
    let found = Found::of(&job.files, io)?;
    let web = Web {
        headers: job.header_file.as_ref().map(|p| read(&io.path(p))).transpose()?,
        authorities: job.ca.as_ref().map(|p| read(&io.path(p))).transpose()?,
    };
    let mut failed = found.failed.len();
    for (path, e) in &found.failed {
        writeln!(io.err, "eye: {}: {e}", path.display())?;
    }
    for (path, why) in &found.passed {
        writeln!(io.err, "{}: passed by: {why}", path.display())?;
    }
    if found.sources.is_empty() && failed == 0 {
        writeln!(io.err, "nothing to import was found")?;
    }
    let mut mappings = Mappings::default();
    for path in &found.sources {
        // An address is shown without its query, which may hold a key.
        let name = address(path).map_or_else(|| path.display().to_string(), fetch::name);
        let mapping = match &named {
            Some(mapping) => Ok(Some(mapping.clone())),
            None => mappings.beside(path, job.format).and_then(|beside| {
                let Some(beside) = beside else { return Ok(None) };
                writeln!(io.err, "{name}: read with the mapping {}", beside.path.display())?;
                Ok(Some(beside.mapping))
            }),
        };
        let mut reached = ImportReport::default();
        let done = mapping.and_then(|mapping| {
            let import = ImportJob {
                source: match address(path) {
                    Some(address) => fetch::name(address),
                    None => path.file_name().map_or_else(|| "stdin".into(), |n| n.to_string_lossy().into_owned()),
                },
                format: job.format,
                collection,
                marking: job.marking,
                country: job.country,
                mapping,
                strict: job.strict,
                ..ImportJob::default()
            };
            one(node, me, &import, path, &web, &mut reached, io)
        });
        match done {
            Ok(report) => {
                failed += usize::from(report.broken.is_some());
                tell(&name, &report, job.json, io)?;
            }
            Err(e) => {
                failed += 1;
                tell_failed(&name, &e, &reached, job.json, io)?;
            }
        }
    }
    level(node, io)?;
    Ok(u8::from(failed > 0))
}

/// What the command line gave for addresses.
struct Web {
    headers: Option<String>,
    authorities: Option<String>,
}

/// Imports one; `reached` is how far it came when it fails.
fn one(
    node: &Node,
    me: &Viewer,
    import: &ImportJob,
    path: &Path,
    web: &Web,
    reached: &mut ImportReport,
    io: &mut Io<'_>,
) -> Result<ImportReport, Problem> {
    let meter = io.meter.clone();
    let (input, size): (Box<dyn Read + '_>, Option<u64>) = if let Some(text) = address(path) {
        let authorities = web.authorities.as_deref().map(str::as_bytes);
        let asked = fetch::Address { text, headers: web.headers.as_deref(), authorities };
        let fetched = fetch::fetch(&asked, &node.settings.fetch)?;
        (fetched.body, fetched.size)
    } else if path == Path::new("-") {
        (Box::new(&mut *io.stdin), None)
    } else {
        let file = File::open(path)?;
        let size = file.metadata().ok().map(|m| m.len());
        (Box::new(file), size)
    };
    let counted = meter.count(import.source.clone(), size, input);
    let mut note = |report: &ImportReport| {
        let ImportReport { import, added, same, aside, .. } = *report;
        *reached = ImportReport { import, added, same, aside, ..ImportReport::default() };
    };
    Ok(node.intel.import(me, import, Box::new(counted), &mut note)?)
}

/// How what was taken of a file can be taken back.
fn take_back(import: Option<u64>) -> String {
    let number = import.unwrap_or(0);
    format!(
        "to go on, mend the file and ingest it again: what is known is not taken twice; to take it back, \
         `eye import withdraw {number} --reason TEXT`"
    )
}

fn tell_failed(name: &str, e: &Problem, reached: &ImportReport, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let ImportReport { import, added, same, .. } = *reached;
    writeln!(io.err, "eye: {name}: {e}")?;
    if added > 0 {
        writeln!(io.err, "  {added} objects were taken before that and stay, in import {}", import.unwrap_or(0))?;
        writeln!(io.err, "  {}", take_back(import))?;
    }
    if json {
        io.json(&json!({"file": name, "error": e.to_string(), "import": import, "added": added, "same": same}))?;
    }
    Ok(())
}

fn tell(name: &str, report: &ImportReport, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    if json {
        let broken = report.broken.as_ref().map(|why| json!({"code": why.code, "detail": why.detail, "why": why.text}));
        let value = json!({"file": name, "import": report.import, "format": report.format, "added": report.added,
            "elsewhere": report.elsewhere, "same": report.same, "set_aside": report.aside, "broken": broken,
            "problems": report.problems});
        return io.json(&value);
    }
    let number = report.import.unwrap_or(0);
    writeln!(
        io.out,
        "{name}: import {number} as {}: {} new, {} known, {} set aside{}",
        report.format,
        report.added,
        report.same,
        report.aside,
        if report.broken.is_some() { ", not read to its end" } else { "" }
    )?;
    // Why it was not read to its end is said by itself.
    let end = report.broken.as_ref().map(|why| why.text.as_str());
    for problem in report.problems.iter().filter(|problem| end.is_none_or(|why| !problem.ends_with(why))) {
        writeln!(io.err, "  set aside: {problem}")?;
    }
    if report.aside > 0 {
        writeln!(io.err, "  look at them with `eye import quarantine {number}`")?;
    }
    for (note, count) in &report.notes {
        writeln!(io.err, "  {count} x {note}")?;
    }
    if let Some(why) = &report.broken {
        writeln!(io.err, "eye: {name}: {why}")?;
        writeln!(io.err, "  {} objects were taken before that and stay, in import {number}", report.added)?;
        writeln!(io.err, "  {}", take_back(report.import))?;
    }
    Ok(())
}
