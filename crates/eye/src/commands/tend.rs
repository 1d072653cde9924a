use super::{Io, level};
use crate::arguments::Passphrase;
use crate::node::{Node, Problem};
use ledger::{Options, RecoveryKey, Report, Unwrap, Wrap};
use reference::{Library, ListKind};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

fn report(report: &Report, views: &[(&str, bool)], json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let ok = report.ok() && views.iter().all(|(_, equal)| *equal);
    if json {
        let problems: Vec<_> = report.problems.iter().map(|p| json!({"what": p.what, "where": p.place})).collect();
        let views: Vec<_> = views.iter().map(|(name, equal)| json!({"view": name, "equal": equal})).collect();
        io.json(&json!({"ok": ok, "entries": report.entries, "problems": problems, "views": views}))?;
    } else {
        for problem in &report.problems {
            writeln!(io.err, "damaged: {}: {}", problem.place, problem.what)?;
        }
        let word = if report.ok() { "every proof holds" } else { "damage was found" };
        writeln!(io.out, "{} entries: {word}", report.entries)?;
    }
    Ok(u8::from(!ok))
}

pub fn verify_folder(data: &Path, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    if !ledger::Folder::holds_a_node(data) {
        return Err(Problem::other(format!(
            "no node lives in {0}: make one with `eye init --data {0}`",
            data.display()
        )));
    }
    let meter = io.meter.clone();
    report(&ledger::verify_folder(data, &mut |at, of| meter.tell("entries verified", at, Some(of)))?, &[], json, io)
}

pub fn verify(node: &Node, views: bool, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let meter = io.meter.clone();
    let found = node.ledger.verify(&mut |at, of| meter.tell("entries verified", at, Some(of)))?;
    let mut compared_views = Vec::new();
    if views {
        level(node, io)?;
        for view in node.ledger.views() {
            let compared =
                node.ledger.compare(view.name(), &|at, of| meter.tell("entries folded anew", at, Some(of)))?;
            let equal = compared.serving == compared.fresh;
            compared_views.push((view.name(), equal));
            writeln!(
                io.err,
                "view {}: {}",
                view.name(),
                if equal { "equal to a fresh fold" } else { "differs from a fresh fold: run `eye rebuild`" }
            )?;
        }
    }
    report(&found, &compared_views, json, io)
}

pub fn rebuild(node: &Node, io: &mut Io<'_>) -> Result<(), Problem> {
    for view in node.ledger.views() {
        let meter = io.meter.clone();
        let what = format!("view {} anew", view.name());
        node.ledger.rebuild(view.name(), &|at, of| meter.tell(&what, at, Some(of)))?;
        writeln!(io.out, "view {} was folded anew", view.name())?;
        if view.unfolded() > 0 {
            let unfolded = view.unfolded();
            writeln!(io.err, "{unfolded} entries are not in the view {}: `eye doctor` names them", view.name())?;
        }
    }
    Ok(())
}

/// What stands beside the log and is no part of it: the country, which the fold needs, and the configuration.
fn copy_beside(from: &Path, to: &Path) -> Result<(), Problem> {
    for name in ["country", crate::settings::FILE] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name))?;
        }
    }
    Ok(())
}

pub fn backup(
    node: &Node,
    to: &Path,
    recipients: &[String],
    passphrase: &Passphrase,
    io: &mut Io<'_>,
) -> Result<(), Problem> {
    let wrap = match passphrase.read(&io.cwd, io.stdin)? {
        Some(passphrase) => Wrap::under_passphrase(passphrase)?,
        None => Wrap::to_recipients(recipients)?,
    };
    let meter = io.meter.clone();
    let earlier = ledger::backed_up(to)?;
    let manifest = node.ledger.backup(to, &wrap, &|at, of| meter.tell("entries copied", at, Some(of)))?;
    copy_beside(node.ledger.folder().root(), to)?;
    match &earlier {
        Some(before) => writeln!(
            io.out,
            "brought up to date: {} entries more, up to entry {}, in {}",
            manifest.head.saturating_sub(before.head),
            manifest.head,
            to.display()
        )?,
        None => writeln!(io.out, "copied up to entry {} to {}", manifest.head, to.display())?,
    }
    if earlier.is_some_and(|earlier| !earlier.is_wrapped()) {
        let word = "the earlier backup here held the node's keys in the clear; they are removed, and a disk may still hold them";
        writeln!(io.err, "{word}")?;
    }
    Ok(writeln!(
        io.err,
        "it holds everything that was ever said here: keep it on encrypted storage. The node's keys are sealed; {} opens \
         them: without that there is no restore",
        manifest.opened_by.join(", or ")
    )?)
}

pub fn restore(
    from: &Path,
    data: &Path,
    recovery_key: Option<&Path>,
    passphrase: &Passphrase,
    io: &mut Io<'_>,
) -> Result<(), Problem> {
    let from = io.path(from);
    let unwrap = match (recovery_key, passphrase.read(&io.cwd, io.stdin)?) {
        (Some(file), _) => {
            let path = io.path(file);
            let unread = |e| Problem::other(format!("the recovery key {}: {e}", path.display()));
            Unwrap::with_recovery_keys(&zeroize::Zeroizing::new(std::fs::read_to_string(&path).map_err(unread)?))?
        }
        (None, Some(passphrase)) => Unwrap::with_passphrase(passphrase),
        (None, None) => Unwrap::nothing(),
    };
    let meter = io.meter.clone();
    let restored = ledger::restore(&from, data, &unwrap, Options::default(), &mut |at, of| {
        meter.tell("entries restored", at, Some(of))
    })?;
    copy_beside(&from, data)?;
    Ok(writeln!(io.out, "restored as {}: a new epoch; every proof of the backup holds", restored.origin)?)
}

/// Writes a new private key, for its owner alone, and prints the public one.
pub fn recovery_key(file: &Path, io: &mut Io<'_>) -> Result<(), Problem> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt;
    let path = io.path(file);
    let key = RecoveryKey::generate()?;
    let unwritten = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Problem::other(format!("{} stands there; name a new file", path.display()))
        }
        _ => Problem::other(format!("writing {}: {e}", path.display())),
    };
    let mut to = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(unwritten)?;
    to.write_all(key.file().as_bytes()).and_then(|()| to.sync_all()).map_err(unwritten)?;
    writeln!(io.err, "the private key is in {}: keep it away from the node and from its backups", path.display())?;
    Ok(writeln!(io.out, "{}", key.public())?)
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
            let size = f.metadata().ok().map(|m| m.len());
            let reader = Box::new(BufReader::new(io.meter.count(own.clone(), size, f)));
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

/// Entries that `eye doctor` names one by one, in each view.
const TOLD: u32 = 20;

/// An entry that a view could not read: where the log is damaged, or what a newer program may know.
fn unfolded(view: &str, pos: u64, why: &str) -> String {
    let help = if why.starts_with("log.db") {
        "`eye verify` says what else is damaged; restore it from a backup, then `eye rebuild`"
    } else {
        "`eye rebuild` after an upgrade"
    };
    format!("entry {pos} is not in the view {view} ({why}): {help}")
}

/// SQLite maps an index of 4 KB pages beside each write-ahead log. Where a file system hands out less than a page at once,
/// a full disk ends the process in the middle of such a page (SIGBUS) instead of answering that it is full.
fn small_blocks(data: &Path) -> Result<Option<String>, Problem> {
    let blocks = rustix::fs::statvfs(data).map_err(std::io::Error::from)?.f_frsize;
    let text = format!(
        "the data folder's file system hands out blocks of {blocks} bytes: with less than 4096 a full disk may end the \
         process; move the folder to one with blocks of 4096"
    );
    Ok((blocks < 4_096).then_some(text))
}

pub fn doctor(data: &Path, node: &Node, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let mut wrong = Vec::new();
    for view in node.ledger.views() {
        let entries = view.unfolded_entries(TOLD)?;
        let more = view.unfolded().saturating_sub(entries.len() as u64);
        wrong.extend(entries.into_iter().map(|(pos, why)| unfolded(view.name(), pos, &why)));
        if more > 0 {
            wrong.push(format!("{more} entries more are not in the view {}", view.name()));
        }
    }
    if let Some(seconds) = node.ledger.clock_stops_appends()? {
        wrong.push(format!(
            "the clock is {seconds} s behind the last entry and nothing is taken: set the clock, or accept it as it is \
             with `eye doctor --accept-clock`"
        ));
    }
    wrong.extend(small_blocks(data)?);
    for (name, why) in node.intel.library().broken() {
        wrong.push(format!("the reference list {name} cannot be read ({why}): add it again"));
    }
    let values = node.settings.values();
    if json {
        let limits: serde_json::Map<_, _> = values.into_iter().map(|(key, value)| (key, value.into())).collect();
        io.json(&json!({"data": data.display().to_string(), "problems": wrong, "limits": limits}))?;
        return Ok(u8::from(!wrong.is_empty()));
    }
    for (key, value) in values {
        writeln!(io.out, "{key} = {value}")?;
    }
    if wrong.is_empty() {
        writeln!(io.out, "nothing is wrong")?;
    } else {
        wrong.iter().try_for_each(|w| writeln!(io.out, "{w}"))?;
    }
    Ok(u8::from(!wrong.is_empty()))
}
