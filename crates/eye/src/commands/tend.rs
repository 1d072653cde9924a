use super::{Io, PATIENCE};
use crate::node::{Node, Problem};
use ledger::{Options, Report};
use reference::{Library, ListKind};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

fn report(report: &Report, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    if json {
        let problems: Vec<_> = report.problems.iter().map(|p| json!({"what": p.what, "where": p.place})).collect();
        io.json(&json!({"ok": report.ok(), "entries": report.entries, "problems": problems}))?;
    } else {
        for problem in &report.problems {
            writeln!(io.err, "damaged: {}: {}", problem.place, problem.what)?;
        }
        let word = if report.ok() { "every proof holds" } else { "damage was found" };
        writeln!(io.out, "{} entries: {word}", report.entries)?;
    }
    Ok(u8::from(!report.ok()))
}

pub fn verify_folder(data: &Path, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    if !ledger::Folder::holds_a_node(data) {
        return Err(Problem::other(format!(
            "no node lives in {0}: make one with `eye init --data {0}`",
            data.display()
        )));
    }
    report(&ledger::verify_folder(data, &mut |_, _| {})?, json, io)
}

pub fn verify(node: &Node, views: bool, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let mut code = report(&node.ledger.verify(&mut |_, _| {})?, json, io)?;
    if views {
        node.ledger.level(PATIENCE)?;
        for view in node.ledger.views() {
            let compared = node.ledger.compare(view.name(), &|_, _| {})?;
            let equal = compared.serving == compared.fresh;
            if !equal {
                code = 1;
            }
            writeln!(
                io.err,
                "view {}: {}",
                view.name(),
                if equal { "equal to a fresh fold" } else { "differs from a fresh fold: run `eye rebuild`" }
            )?;
        }
    }
    Ok(code)
}

pub fn rebuild(node: &Node, io: &mut Io<'_>) -> Result<(), Problem> {
    for view in node.ledger.views() {
        node.ledger.rebuild(view.name(), &|_, _| {})?;
        writeln!(io.out, "view {} was folded anew", view.name())?;
    }
    Ok(())
}

pub fn backup(node: &Node, to: &Path, io: &mut Io<'_>) -> Result<(), Problem> {
    let manifest = node.ledger.backup(to, &|_, _| {})?;
    // What the fold needs beside the log.
    let country = node.ledger.folder().root().join("country");
    if country.exists() {
        std::fs::copy(&country, to.join("country"))?;
    }
    Ok(writeln!(io.out, "copied up to entry {} to {}", manifest.head, to.display())?)
}

pub fn restore(from: &Path, data: &Path, io: &mut Io<'_>) -> Result<(), Problem> {
    let from = io.path(from);
    let restored = ledger::restore(&from, data, Options::default(), &mut |_, _| {})?;
    let country = from.join("country");
    if country.exists() {
        std::fs::copy(&country, data.join("country"))?;
    }
    Ok(writeln!(io.out, "restored as {}: a new epoch; every proof of the backup holds", restored.origin)?)
}

pub fn write_world(
    seed: u64,
    agencies: usize,
    months: usize,
    objects: usize,
    dir: &Path,
    io: &mut Io<'_>,
) -> Result<(), Problem> {
    let plan = world::Plan { seed, agencies, months, objects, ..world::Plan::default() };
    let made = world::write(&plan, dir, &mut |_, _| {}).map_err(|e| Problem::other(e.to_string()))?;
    Ok(writeln!(io.out, "EXERCISE: {} reports, {} objects in {} files", made.reports, made.objects, made.files)?)
}

pub fn add_lists(
    node: &Node,
    kind: &str,
    name: Option<&str>,
    files: &[PathBuf],
    io: &mut Io<'_>,
) -> Result<(), Problem> {
    let kind = match kind {
        "blocklist" => ListKind::Block,
        "galaxy" => ListKind::Galaxy,
        _ => ListKind::Warning,
    };
    let mut failed = Vec::new();
    for file in files {
        let path = io.path(file);
        let stem = |p: &Path| p.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        // Many lists are called `list.json` in a folder of their own name.
        let own = match stem(&path) {
            s if s == "list" || s == "config" => {
                path.parent().map(|p| p.file_name().unwrap_or_default().to_string_lossy().into_owned()).unwrap_or(s)
            }
            s => s,
        };
        let result = File::open(&path).map_err(Problem::from).and_then(|f| {
            let reader = Box::new(BufReader::new(f));
            Ok(Library::install(node.intel.reference_dir(), kind, name.unwrap_or(&own), "", reader)?)
        });
        match result {
            Ok(installed) => writeln!(io.out, "{}: {} entries", installed.list.title, installed.list.entries)?,
            Err(e) => failed.push(format!("{}: {e}", path.display())),
        }
    }
    node.intel.reload_library()?;
    if failed.is_empty() { Ok(()) } else { Err(Problem::other(failed.join("\neye: "))) }
}

pub fn lists(node: &Node, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    for list in node.intel.library().lists() {
        if json {
            io.json(&json!({"name": list.name, "title": list.title, "entries": list.entries}))?;
        } else {
            writeln!(io.out, "{}\t{} entries", list.title, list.entries)?;
        }
    }
    Ok(())
}

pub fn doctor(data: &Path, node: &Node, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let mut wrong = Vec::new();
    for view in node.ledger.views() {
        if view.unfolded() > 0 {
            wrong.push(format!(
                "{} entries could not be read by the view {}: `eye rebuild` after an upgrade",
                view.unfolded(),
                view.name()
            ));
        }
    }
    for (name, why) in node.intel.library().broken() {
        wrong.push(format!("the reference list {name} cannot be read ({why}): add it again"));
    }
    if json {
        io.json(&json!({"data": data.display().to_string(), "problems": wrong}))?;
    } else if wrong.is_empty() {
        writeln!(io.out, "nothing is wrong")?;
    } else {
        wrong.iter().try_for_each(|w| writeln!(io.out, "{w}"))?;
    }
    Ok(u8::from(!wrong.is_empty()))
}
