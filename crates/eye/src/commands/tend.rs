use super::{Io, level};
use crate::node::{Node, Problem};
use ledger::{Options, Report};
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

pub fn backup(node: &Node, to: &Path, io: &mut Io<'_>) -> Result<(), Problem> {
    let meter = io.meter.clone();
    let earlier = ledger::backed_up(to)?;
    let manifest = node.ledger.backup(to, &|at, of| meter.tell("entries copied", at, Some(of)))?;
    copy_beside(node.ledger.folder().root(), to)?;
    match earlier {
        Some(before) => writeln!(
            io.out,
            "brought up to date: {} entries more, up to entry {}, in {}",
            manifest.head.saturating_sub(before),
            manifest.head,
            to.display()
        )?,
        None => writeln!(io.out, "copied up to entry {} to {}", manifest.head, to.display())?,
    }
    Ok(writeln!(
        io.err,
        "it holds everything, and in keys/ the node's secrets in the clear: keep it as you keep the node itself"
    )?)
}

pub fn restore(from: &Path, data: &Path, io: &mut Io<'_>) -> Result<(), Problem> {
    let from = io.path(from);
    let meter = io.meter.clone();
    let restored =
        ledger::restore(&from, data, Options::default(), &mut |at, of| meter.tell("entries restored", at, Some(of)))?;
    copy_beside(&from, data)?;
    Ok(writeln!(io.out, "restored as {}: a new epoch; every proof of the backup holds", restored.origin)?)
}
