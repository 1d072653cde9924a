//! `eye reference`: the lists that values are told apart by.
use super::Io;
use crate::arguments::Reference;
use crate::node::{Node, Problem};
use reference::{Library, ListKind};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

pub fn run(node: &Node, what: &Reference, io: &mut Io<'_>) -> Result<(), Problem> {
    match what {
        Reference::Add { kind, name, files } => add(node, *kind, name.as_deref(), files, io),
        Reference::List { json } => list(node, *json, io),
        Reference::Remove { kind, json, names } => remove(node, *kind, names, *json, io),
    }
}

/// What a list is called that was given no name: its file's, or its folder's.
fn own_name(path: &Path) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    // Many lists are called `list.json` in a folder of their own name.
    let folder = || path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    if matches!(stem.as_str(), "list" | "config") { folder().unwrap_or(stem) } else { stem }
}

fn add(node: &Node, kind: ListKind, name: Option<&str>, files: &[PathBuf], io: &mut Io<'_>) -> Result<(), Problem> {
    if let Some(name) = name {
        Library::check_name(name).map_err(|e| Problem::other(format!("--name: {e}")))?;
        if files.len() > 1 {
            return Err(Problem::other("--name is one list's: each file would take the place of the one before"));
        }
    }
    let mut failed = Vec::new();
    for file in files {
        let path = io.path(file);
        let own = name.map_or_else(|| own_name(&path), str::to_owned);
        let named = Library::check_name(&own).map_err(|e| Problem::other(format!("{e}; give it one with --name")));
        let stood = Library::kinds_of(node.intel.reference_dir(), &own).is_ok_and(|kinds| kinds.contains(&kind));
        let result = named.and_then(|()| {
            let opened = File::open(&path)?;
            let size = opened.metadata().ok().map(|m| m.len());
            let reader = Box::new(BufReader::new(io.meter.count(own.clone(), size, opened)));
            Ok(Library::install(node.intel.reference_dir(), kind, &own, "", reader)?)
        });
        match result {
            Ok(installed) if installed.list.entries == 0 => {
                let (list, kind) = (&installed.list.title, kind.as_str());
                match (installed.structured, installed.left_out) {
                    // Some are published before they list anything: nothing is wrong, and nothing stands to be named.
                    (true, 0) => {
                        Library::remove(node.intel.reference_dir(), installed.list.kind, &own)?;
                        let then = if stood { "the list that stood was taken away" } else { "it was not added" };
                        writeln!(io.out, "{list}: it lists nothing as published; {then}")?;
                    }
                    (_, 0) => {
                        writeln!(io.err, "{}: the file holds no entries; was it fetched whole?", path.display())?;
                    }
                    (_, n) => {
                        writeln!(io.err, "{}: none of its {n} entries can be one of a {kind}", path.display())?;
                    }
                }
            }
            Ok(installed) => writeln!(io.out, "{}: {} entries", installed.list.title, installed.list.entries)?,
            Err(e) => failed.push(format!("{}: {e}", path.display())),
        }
    }
    node.intel.reload_library()?;
    if failed.is_empty() { Ok(()) } else { Err(Problem::other(failed.join("\neye: "))) }
}

fn list(node: &Node, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let library = node.intel.library();
    for list in library.lists() {
        let loaded = list.loaded.and_then(|at| jiff::Timestamp::try_from(at).ok());
        let (kind, version) = (list.kind.as_str(), list.version.as_deref());
        if json {
            let loaded = loaded.map(|at| stix::Instant(at.as_microsecond()).millis_string());
            io.json(&json!({"name": list.name, "title": list.title, "kind": kind, "entries": list.entries,
                "version": version, "loaded": loaded}))?;
        } else {
            let day = loaded.map_or_else(|| "-".into(), |at| at.strftime("%Y-%m-%d").to_string());
            writeln!(io.out, "{}\t{kind}\t{} entries\tloaded {day}\t{}", list.name, list.entries, list.title)?;
        }
    }
    for (name, why) in library.broken() {
        if json {
            io.json(&json!({"name": name, "broken": why}))?;
        } else {
            writeln!(io.err, "{name}: cannot be read: {why}")?;
        }
    }
    Ok(())
}

/// What falls away with a list, and how it comes back.
fn consequence(kind: ListKind, name: &str) -> String {
    let falls = match kind {
        ListKind::Block => "no value is \"listed by\" it any more",
        ListKind::Warning => "what it kept from linking links from now on",
        ListKind::Galaxy => "its names are explained no more",
    };
    format!("{falls}; to undo: `eye reference add --kind {} --name {name} FILE`", kind.as_str())
}

fn remove(node: &Node, kind: Option<ListKind>, names: &[String], json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let dir = node.intel.reference_dir();
    let mut going = Vec::new();
    // All are looked for before any goes.
    for name in names {
        let stands = Library::kinds_of(dir, name)?;
        match (stands.as_slice(), kind) {
            (stands, Some(kind)) if stands.contains(&kind) => going.push((kind, name)),
            ([one], None) => going.push((*one, name)),
            ([], _) | (_, Some(_)) => {
                return Err(Problem::other(format!("no list is called `{name}`: `eye reference list` shows them")));
            }
            (several, None) => {
                let kinds: Vec<&str> = several.iter().map(|kind| kind.as_str()).collect();
                return Err(Problem::other(format!("`{name}` names several lists: say --kind {}", kinds.join(" or "))));
            }
        }
    }
    for (kind, name) in going {
        let removed = Library::remove(dir, kind, name)?;
        let falls = consequence(kind, name);
        if json {
            io.json(&json!({"name": name, "kind": kind.as_str(), "removed": removed, "consequence": falls}))?;
        } else {
            writeln!(io.out, "{name}: removed; {falls}")?;
        }
    }
    Ok(node.intel.reload_library()?)
}
