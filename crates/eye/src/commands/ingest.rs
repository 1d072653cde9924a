use super::{Io, collection_named, level};
use crate::arguments::Ingest;
use crate::fetch;
use crate::node::{Node, Problem};
use intel::{ImportJob, ImportReport};
use people::Viewer;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files one call may name, folders opened.
const MOST_FILES: usize = 100_000;

/// Imports each file; goes on after a bad one. Exit 1 when a whole file could not be read or was refused.
pub fn run(node: &Node, me: &Viewer, job: &Ingest, io: &mut Io<'_>) -> Result<u8, Problem> {
    let mapping = match &job.mapping {
        Some(path) => {
            let path = io.path(path);
            let text =
                std::fs::read_to_string(&path).map_err(|e| Problem::other(format!("{}: {e}", path.display())))?;
            Some(formats::Mapping::parse(&text).map_err(|e| Problem::other(format!("{}: {e}", path.display())))?)
        }
        None => None,
    };
    let collection = job.collection.as_deref().map(|c| collection_named(node, me, c)).transpose()?;
    let mut files = Vec::new();
    for path in &job.files {
        let as_it_is = path == Path::new("-") || address(path).is_some();
        if as_it_is { files.push(path.clone()) } else { spread(&io.path(path), &mut files)? }
    }
    let web = Web {
        headers: job.header_file.as_ref().map(|p| read(&io.path(p))).transpose()?,
        authorities: job.ca.as_ref().map(|p| read(&io.path(p))).transpose()?,
    };
    let mut failed = 0;
    for path in files {
        let import = ImportJob {
            source: match address(&path) {
                Some(address) => fetch::name(address),
                None => path.file_name().map_or_else(|| "stdin".into(), |n| n.to_string_lossy().into_owned()),
            },
            format: job.format,
            collection,
            marking: job.marking,
            country: job.country.clone(),
            mapping: mapping.clone(),
            strict: job.strict,
            ..ImportJob::default()
        };
        // An address is shown without its query, which may hold a key.
        let name = address(&path).map_or_else(|| path.display().to_string(), fetch::name);
        match one(node, me, &import, &path, &web, io) {
            Ok(report) => tell(&name, &report, job.json, io)?,
            Err(e) => {
                failed += 1;
                writeln!(io.err, "eye: {name}: {e}")?;
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

fn address(path: &Path) -> Option<&str> {
    path.to_str().filter(|w| fetch::is_address(w))
}

fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|e| Problem::other(format!("{}: {e}", path.display())))
}

fn one(
    node: &Node,
    me: &Viewer,
    import: &ImportJob,
    path: &Path,
    web: &Web,
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
    Ok(node.intel.import(me, import, Box::new(counted), &mut |_| {})?)
}

fn spread(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    if files.len() > MOST_FILES {
        return Err(Problem::other(format!("more than {MOST_FILES} files; name fewer")));
    }
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    inside.sort();
    inside.iter().try_for_each(|p| spread(p, files))
}

fn tell(name: &str, report: &ImportReport, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    if json {
        let value = serde_json::json!({"file": name, "import": report.import, "format": report.format, "added": report.added,
            "elsewhere": report.elsewhere, "same": report.same, "set_aside": report.aside, "problems": report.problems});
        return io.json(&value);
    }
    writeln!(
        io.out,
        "{name}: import {} as {}: {} new, {} known, {} set aside",
        report.import.unwrap_or(0),
        report.format,
        report.added,
        report.same,
        report.aside
    )?;
    for problem in &report.problems {
        writeln!(io.err, "  set aside: {problem}")?;
    }
    if report.aside > 0 {
        let number = report.import.unwrap_or(0);
        writeln!(io.err, "  look at them with `eye import quarantine {number}`")?;
    }
    for (note, count) in &report.notes {
        writeln!(io.err, "  {count} x {note}")?;
    }
    Ok(())
}
