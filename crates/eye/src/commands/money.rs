//! `eye money`: the chains in DATA/money. It runs in this process whether a server has the node or not, for that folder has
//! locks of its own: one writer a chain, readers beside it.
mod account;
mod bank;
mod clusters;
mod decide;
mod fetched;
mod tags;
mod trace;
mod victims;

use super::Io;
use crate::arguments::{About, Money, MoneyBalance, MoneyLoad};
use crate::fetch::{headers as header_lines, is_address};
use crate::node::{Node, Problem};
use money::chain::{ChainCode, Loaded, Options, Room, Source, load, unwind};
use money::cli::{HeadLine, InspectLine, LoadLine, balances, inspect_lines, source, verify_lines};
use money::evm::Endpoint;
use people::Viewer;
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
        Money::Fetch(job) => fetched::run(&data.join(FOLDER), &room, job, io),
        Money::Inspect { chain, verify: true, json } => verify(&room, chain.as_ref(), *json, io),
        Money::Inspect { chain, json, .. } => inspect(&room, chain.as_ref(), *json, io).map(|()| 0),
        Money::Account(job) => account::run(&room, job, io).map(|()| 0),
        Money::Balance(job) => balance(&room, job, io).map(|()| 0),
        Money::Trace(job) => trace::run(&data.join(FOLDER), &room, job, io).map(|()| 0),
        Money::Collector(job) => victims::collect(&data.join(FOLDER), &room, job, io).map(|()| 0),
        Money::Restitution(job) => victims::restore(&data.join(FOLDER), &room, job, io).map(|()| 0),
        Money::Check(job) => victims::examine(&room, job, io),
        Money::Cluster(job) => clusters::cluster(&data, job, io).map(|()| 0),
        Money::Why(job) => clusters::why(&data, job, io).map(|()| 0),
        Money::Apart(job) => clusters::apart(&data, job, io).map(|()| 0),
        Money::Contradictions(job) => clusters::contradictions(&data, job, io).map(|()| 0),
        Money::Decide(act) => decide::run(&data, act, io),
        Money::Enter { .. } | Money::Decisions { .. } => Err(Problem::other("decisions stand in the ledger of a node")),
        Money::Bank(what) => bank::run(&data.join(FOLDER), what, io),
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

/// `eye expunge bank-load--N`: the load leaves every file.
pub fn expunge_load(data: &Path, me: &Viewer, about: &About, io: &mut Io<'_>) -> Result<(), Problem> {
    me.need(people::Right::Expunge)?;
    if about.reason.trim().is_empty() {
        return Err(Problem::other("an erasure needs a reason: --reason"));
    }
    let load = ::money::bank::load_of_id(&about.id).unwrap_or_default();
    let gone = ::money::bank::Bank::open_to_write(&data.join(FOLDER))?.erase(load)?;
    io.about.push(about.id.clone());
    Ok(writeln!(io.out, "erased load {load} with its {} legs", gone.counts.legs)?)
}

/// What works on an open node: decisions.
pub fn on_node(node: &Node, me: &Viewer, what: &Money, io: &mut Io<'_>) -> Result<(), Problem> {
    match what {
        Money::Enter { after, json, body } => decide::enter(node, me, (body, *after), *json, io),
        Money::Decisions { chain, json } => decide::list(node, me, chain.as_ref(), *json, io),
        _ => Err(Problem::other("this command works without a node; stop the server or name another folder")),
    }
}

/// Whoever may read the data folder sees every batch of tags.
fn tags_all(_: &money::tags::BatchInfo) -> bool {
    true
}

fn load_files(room: &Room, job: &MoneyLoad, io: &mut Io<'_>) -> Result<u8, Problem> {
    let source = match node(job, io)? {
        Some(endpoint) => Source::Node(Box::new(endpoint)),
        None => {
            let files: Vec<_> = job.files.iter().map(|file| io.path(file)).collect();
            let mapping = job.mapping.as_deref().map(|path| io.path(path));
            source(&job.chain, job.format, &files, mapping.as_deref())?
        }
    };
    let (stop, meter, what) = (asked_to_end()?, io.meter.clone(), format!("{} loads", job.chain.as_str()));
    let done = load(room, &job.chain, &source, &Options { keep: job.keep }, &mut |progress| {
        match progress.blocks_total {
            Some(total) => meter.tell(&what, progress.blocks, Some(total)),
            None => meter.tell_bytes(&what, progress.bytes, Some(progress.bytes_total)),
        }
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

/// The node that a load asks, when an address stands where files do.
fn node(job: &MoneyLoad, io: &Io<'_>) -> Result<Option<Endpoint>, Problem> {
    let address = |file: &Path| file.to_str().filter(|word| is_address(word)).map(str::to_owned);
    let Some(url) = job.files.iter().find_map(|file| address(file)) else {
        let secrets = job.header_file.is_some() || job.cookie_file.is_some();
        if job.from.is_some() || job.to.is_some() || secrets || job.calls_per_second.is_some() {
            return Err(Problem::other(
                "--from, --to, --header-file, --cookie-file and --calls-per-second belong to a node's address",
            ));
        }
        return Ok(None);
    };
    if job.files.len() > 1 || job.mapping.is_some() || job.format.is_some() {
        return Err(Problem::other("a node is asked alone: one address, no files, no mapping, no format"));
    }
    let from = Endpoint { from: job.from, to: job.to, calls_a_second: job.calls_per_second, ..Endpoint::at(&url) };
    let node = with_secrets(from, job.header_file.as_deref(), job.ca.as_deref(), io)?;
    let Some(path) = job.cookie_file.as_deref() else { return Ok(Some(node)) };
    let text = std::fs::read_to_string(io.path(path));
    let text = text.map_err(|error| Problem::other(format!("{}: {error}", path.display())))?;
    Ok(Some(node.with_password(&text)?))
}

/// A node's address with the header lines and authorities that stand in files.
fn with_secrets(node: Endpoint, headers: Option<&Path>, ca: Option<&Path>, io: &Io<'_>) -> Result<Endpoint, Problem> {
    let read = |path: &Path| {
        std::fs::read(io.path(path)).map_err(|error| Problem::other(format!("{}: {error}", path.display())))
    };
    let text = headers.map(read).transpose()?.map(String::from_utf8).transpose();
    let text = text.map_err(|_| Problem::other("the header file is not UTF-8"))?;
    let lines = header_lines(text.as_deref()).map_err(Problem::other)?;
    let headers = lines.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Endpoint { headers, authorities: ca.map(read).transpose()?, ..node })
}

fn balance(room: &Room, job: &MoneyBalance, io: &mut Io<'_>) -> Result<(), Problem> {
    let node = job.node.as_deref().map(Endpoint::at);
    let node = node.map(|node| with_secrets(node, job.header_file.as_deref(), job.ca.as_deref(), io)).transpose()?;
    let lines = balances(room, &job.chain, (&job.account, job.asset.as_deref()), node.as_ref())?;
    if job.json {
        return lines.iter().try_for_each(|line| document(line, io));
    }
    if lines.is_empty() {
        writeln!(io.out, "{}: no asset moved", job.account)?;
    }
    for line in &lines {
        let sum = line.sum.as_deref().unwrap_or("more than it received, or more than fits");
        write!(io.out, "{}: received {}, spent {}, sum {sum}: ", line.asset, line.received, line.spent)?;
        match (line.closed, line.proven_at, &line.chain_says) {
            (true, Some(height), _) => writeln!(io.out, "closed at block {height}")?,
            (_, Some(height), Some(told)) => {
                writeln!(io.out, "balance unproven: at block {height} the chain says {told}")?;
            }
            _ => writeln!(io.out, "balance unproven: the chain was not asked (--node)")?,
        }
        match line.untraceable {
            Some("negative") => {
                writeln!(io.out, "  untraceable by balance: somebody paid more of it than they had on record")?
            }
            Some(_) => writeln!(io.out, "  untraceable by balance: a sum of it does not fit 128 bits")?,
            None => {}
        }
    }
    Ok(())
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
    if let Some(partial) = line.partial.as_ref().filter(|partial| partial.have < partial.of) {
        writeln!(
            io.out,
            "  partial: {} of {} transactions of these blocks are in the source",
            partial.have, partial.of
        )?;
    }
    for (many, what) in [
        (line.nfts, "Transfer logs are things (NFTs), not amounts"),
        (line.misshapen, "logs have a transfer's name and not its shape; nothing was read out of them"),
        (
            line.cut,
            "calls have values that were cut to 32 bits when the dump was made; the rest is kept as unexplained",
        ),
        (line.elsewhere, "rows name another block at their height; they were passed over"),
    ] {
        if many > 0 {
            writeln!(io.out, "  {many} {what}")?;
        }
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

fn verify(room: &Room, chain: Option<&ChainCode>, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let lines = verify_lines(room, chain)?;
    for line in &lines {
        match (&line.damaged, json) {
            (_, true) => document(line, io)?,
            (None, _) => writeln!(io.out, "{}: all {} blocks are what was written", line.chain, line.blocks)?,
            (Some(why), _) => writeln!(io.err, "eye: {}: {why}", line.chain)?,
        }
    }
    Ok(u8::from(lines.iter().any(|line| line.damaged.is_some())))
}

fn show(line: &InspectLine, io: &mut Io<'_>) -> Result<(), Problem> {
    let head = line.head.as_ref().map_or_else(|| "no block".into(), named);
    writeln!(io.out, "{}: {} blocks, from {} to {head}", line.chain, line.blocks, line.first.unwrap_or(0))?;
    let partial = match (line.partial.unwrap_or(0), line.txs_said) {
        (0, _) => String::new(),
        (partial, None) => format!(", {partial} of them partial (an input's value is not known)"),
        (partial, Some(_)) => format!(", {partial} of them known by their logs or calls alone"),
    };
    let said = line.txs_said.map_or_else(String::new, |said| format!("; the blocks have {said} by their own count"));
    writeln!(io.out, "  {} transactions{partial}{said}, {} bytes", line.txs, line.bytes)?;
    if let Some(without) = &line.blocks_without {
        for (many, what) in [
            (without.logs, "logs: token transfers are missing"),
            (without.traces, "traces: coins that contracts moved are missing"),
            (without.rewards, "rewards: what their authors were paid is missing"),
        ] {
            if many > 0 {
                writeln!(io.out, "  {many} blocks without {what}")?;
            }
        }
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
