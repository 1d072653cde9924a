//! `eye money`: the chains in DATA/money. It runs in this process whether a server has the node or not, for that folder has
//! locks of its own: one writer a chain, readers beside it.
mod tags;

use super::Io;
use crate::arguments::{Money, MoneyLoad};
use crate::node::Problem;
use money::chain::{ChainCode, Loaded, Options, Room, load, unwind};
use money::cli::{HeadLine, InspectLine, LoadLine, inspect_lines, source};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// The chains' folder in the data folder.
const FOLDER: &str = "money";
/// What a shell says of a process that a signal ended is this and the signal's number.
const SIGNALLED: u8 = 128;

pub fn run(data: &Path, what: &Money, io: &mut Io<'_>) -> Result<u8, Problem> {
    let data = io.path(data);
    if !ledger::Folder::holds_a_node(&data) {
        let data = data.display();
        return Err(Problem::other(format!("no node lives in {data}: make one with `eye init --data {data}`")));
    }
    let room = Room::open(&data.join(FOLDER));
    match what {
        Money::Load(job) => load_files(&room, job, io),
        Money::Inspect { chain, json } => inspect(&room, chain.as_ref(), *json, io).map(|()| 0),
        Money::Tags(what) => tags::run(&data.join(FOLDER), what, io),
        Money::Doctor { json } => tags::doctor(&data.join(FOLDER), &room, *json, io),
        Money::Unwind { chain, to, json } => {
            let head = HeadLine::from(unwind(&room, chain, *to)?);
            match json {
                true => io.json(&serde_json::json!({"chain": chain.as_str(), "head": head}))?,
                false => writeln!(io.out, "{}: the last block is now {}", chain.as_str(), named(&head))?,
            }
            Ok(0)
        }
    }
}

fn load_files(room: &Room, job: &MoneyLoad, io: &mut Io<'_>) -> Result<u8, Problem> {
    let files: Vec<_> = job.files.iter().map(|file| io.path(file)).collect();
    let mapping = job.mapping.as_deref().map(|path| io.path(path));
    let source = source(&job.chain, job.format, &files, mapping.as_deref())?;
    let (stop, meter, what) = (asked_to_end()?, io.meter.clone(), format!("{} loads", job.chain.as_str()));
    let done = load(room, &job.chain, &source, &Options { keep: job.keep }, &mut |progress| {
        meter.tell_bytes(&what, progress.bytes, Some(progress.bytes_total));
        match stop.load(Ordering::Relaxed) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    });
    let loaded = done.inspect_err(|_| {
        // Nobody is left to tell when stderr is closed.
        let _ = kept(room, &job.chain, io);
    })?;
    tell(job, &loaded, io)?;
    match (loaded.stopped, loaded.faults.is_empty()) {
        (true, _) => Ok(SIGNALLED + stop.load(Ordering::Relaxed)),
        (false, whole) => Ok(u8::from(!whole)),
    }
}

fn document(line: &impl serde::Serialize, io: &mut Io<'_>) -> Result<(), Problem> {
    io.json(&serde_json::to_value(line).map_err(|e| Problem::other(e.to_string()))?)
}

/// What a load did; on stderr what it could not.
fn tell(job: &MoneyLoad, loaded: &Loaded, io: &mut Io<'_>) -> Result<(), Problem> {
    let (chain, line) = (job.chain.as_str(), LoadLine::of(&job.chain, loaded));
    for fault in &line.faults {
        writeln!(io.err, "eye: {fault}")?;
    }
    if line.stopped {
        writeln!(io.err, "eye: stopped at a whole block; the same command goes on from there")?;
    }
    if job.json {
        return document(&line, io);
    }
    let rows = if job.chain.network().is_some() { "inputs and outputs" } else { "transfers" };
    write!(io.out, "{chain}: {} blocks with {} {rows} loaded, {} known", line.blocks, line.rows, line.known)?;
    for (many, what) in [(line.unwound, "taken back"), (line.on_other_branches, "on branches with less work")] {
        if many > 0 {
            write!(io.out, ", {many} {what}")?;
        }
    }
    match &line.head {
        Some(head) => writeln!(io.out, "; the last is {}", named(head))?,
        None => writeln!(io.out)?,
    }
    Ok(())
}

/// Up to where a load that failed has come.
fn kept(room: &Room, chain: &ChainCode, io: &mut Io<'_>) -> Result<(), Problem> {
    let lines = inspect_lines(room, Some(chain))?;
    match lines.first().and_then(|line| line.head.as_ref()) {
        Some(head) => writeln!(io.err, "eye: {} is kept up to block {}", chain.as_str(), named(head))?,
        None => writeln!(io.err, "eye: nothing of {} is kept", chain.as_str())?,
    }
    Ok(())
}

fn named(head: &HeadLine) -> String {
    format!("{} {}", head.height, head.hash)
}

fn inspect(room: &Room, chain: Option<&ChainCode>, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let lines = inspect_lines(room, chain)?;
    if json {
        return lines.iter().try_for_each(|line| document(line, io));
    }
    if lines.is_empty() {
        writeln!(io.err, "nothing was loaded yet: `eye money load --chain CHAIN FILE`")?;
    }
    lines.iter().try_for_each(|line| show(line, io))
}

fn show(line: &InspectLine, io: &mut Io<'_>) -> Result<(), Problem> {
    let head = line.head.as_ref().map_or_else(|| "no block".into(), named);
    writeln!(io.out, "{}: {} blocks, from {} to {head}", line.chain, line.blocks, line.first.unwrap_or(0))?;
    match line.partial.unwrap_or(0) {
        0 => writeln!(io.out, "  {} transactions, {} bytes", line.txs, line.bytes)?,
        partial => writeln!(
            io.out,
            "  {} transactions, {partial} of them partial (an input's value is not known), {} bytes",
            line.txs, line.bytes
        )?,
    }
    writeln!(io.out, "  {:<20} {:>14} {:>16} {:>12}", "column", "rows", "bytes", "bytes a row")?;
    for part in &line.parts {
        let each = part.milli_bytes_a_row.map_or_else(String::new, |n| format!("{}.{:03}", n / 1000, n % 1000));
        let derived = if part.derived { "  derived" } else { "" };
        writeln!(io.out, "  {:<20} {:>14} {:>16} {each:>12}{derived}", part.name, part.rows, part.bytes)?;
    }
    Ok(())
}

/// The number of the signal that asked to end, or 0. A second one ends the process at once, which costs the blocks since the
/// last commit and no more.
fn asked_to_end() -> Result<Arc<AtomicU8>, Problem> {
    let asked = Arc::new(AtomicU8::new(0));
    let note = Arc::clone(&asked);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
    let (mut interrupted, mut terminated) = {
        let _guard = runtime.enter();
        (signal(interrupt)?, signal(terminate)?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            loop {
                let kind = tokio::select! {
                    _ = interrupted.recv() => interrupt,
                    _ = terminated.recv() => terminate,
                };
                let number = u8::try_from(kind.as_raw_value()).unwrap_or(1);
                if note.swap(number, Ordering::Relaxed) != 0 {
                    std::process::exit(i32::from(SIGNALLED + number));
                }
            }
        });
    })?;
    Ok(asked)
}
