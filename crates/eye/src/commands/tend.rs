use super::{Io, level};
use crate::arguments::Passphrase;
use crate::node::{Node, Problem};
use ledger::{Options, RecoveryKey, Report, Unwrap, Wrap};
use serde_json::json;
use std::path::Path;

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
