//! `eye money fetch`: asks somebody else's server, so it says first what that server learns.
use super::{SIGNALLED, asked_to_end, document, with_secrets};
use crate::arguments::MoneyFetch;
use crate::commands::Io;
use crate::node::Problem;
use money::chain::Room;
use money::evm::Endpoint;
use money::fetch::{End, FetchLine, History, Job, Why, fetch, warning};
use money::tags::{BatchInfo, Role, Tags, role};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An endpoint that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// A page of an address is far smaller.
const MAX_ANSWER: u64 = 16 << 20;

fn all(_: &BatchInfo) -> bool {
    true
}

pub fn run(dir: &Path, room: &Room, job: &MoneyFetch, io: &mut Io<'_>) -> Result<u8, Problem> {
    let endpoint = Endpoint {
        patience: PATIENCE,
        calls_a_second: Some(job.rate),
        budget: Some(job.calls),
        max_answer: MAX_ANSWER,
        ..Endpoint::at(&job.endpoint)
    };
    let mut endpoint = with_secrets(endpoint, job.header_file.as_deref(), job.ca.as_deref(), io)?;
    if let Some(path) = job.key_file.as_deref() {
        let text = std::fs::read_to_string(io.path(path));
        let text = text.map_err(|error| Problem::other(format!("{}: {error}", path.display())))?;
        endpoint.query = keys(&text)?;
    }
    let tags = Tags::open(dir)?;
    let service = |address: &str| {
        let mut hits = tags.of(address, &all);
        let found = hits.find(|hit| hit.row.said.all_concepts().any(|concept| role(concept) == Role::Service))?;
        let said = found.row.said;
        Some(if said.actor.is_empty() { said.label } else { said.actor }.to_owned())
    };
    let now = jiff::Timestamp::now().as_second();
    let until = job.until.map(|until| u32::try_from(until.as_second())).transpose();
    let wanted = Job {
        endpoint,
        txs: job.tx.clone(),
        addresses: job.address.clone(),
        hops: job.hops,
        until: until.map_err(|_| Problem::other("--until is no time of a block"))?,
        hub: job.hub,
        prove: job.prove,
        anew: job.anew,
        now: u64::try_from(now).unwrap_or(0),
        service: &service,
    };
    confirm(&warning(&wanted), job.yes, io)?;
    let (stop, meter, what) = (asked_to_end()?, io.meter.clone(), format!("{} asks", job.chain.as_str()));
    let line = fetch(room, &job.chain, &wanted, &mut |calls| {
        meter.tell(&what, calls, Some(job.calls));
        match stop.load(Ordering::Relaxed) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    })?;
    match job.json {
        true => document(&line, io)?,
        false => show(&line, io)?,
    }
    Ok(if line.stopped { SIGNALLED + stop.load(Ordering::Relaxed) } else { u8::from(!line.whole) })
}

/// What stands in a file of keys. An error names the line's number alone.
fn keys(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.~%".contains(&c));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let pair = |(at, line): (usize, &str)| {
        let pair = line.trim().split_once('=').filter(|(name, value)| plain(name) && plain(value));
        let (name, value) =
            pair.ok_or_else(|| Problem::other(format!("line {} of the key file is not NAME=VALUE", at + 1)))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    lines.map(pair).collect()
}

/// Nobody is asked without having been told; and where nobody can answer, nothing is asked.
fn confirm(warning: &str, yes: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(io.err, "eye: {warning}")?;
    if yes {
        return Ok(());
    }
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return Err(Problem::other("nothing was asked: give --yes if the endpoint may learn that"));
    }
    terminal.write_str("Ask? [y/N] ")?;
    match terminal.read_line()?.trim().eq_ignore_ascii_case("y") {
        true => Ok(()),
        false => Err(Problem::other("nothing was asked")),
    }
}

fn show(line: &FetchLine, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(
        io.out,
        "{}: {} calls to {}, {} answers from what is stored; {} transactions on record (partial)",
        line.chain, line.calls, line.endpoint, line.stored, line.transactions
    )?;
    if line.found.unwound > 0 {
        writeln!(io.out, "  {} blocks are no longer in the chain: their rows are gone", line.found.unwound)?;
    }
    line.found.ends.iter().try_for_each(|end| show_end(end, io))?;
    line.found.histories.iter().try_for_each(|history| show_history(history, io))?;
    if !line.whole {
        writeln!(io.err, "eye: this is not the whole of it; the same command goes on from there")?;
    }
    Ok(())
}

fn show_end(end: &End, io: &mut Io<'_>) -> Result<(), Problem> {
    let (place, whose) = (end.vout.map_or_else(String::new, |vout| format!(":{vout}")), end.address.as_deref());
    write!(io.out, "  {} {} of {} at {}{place}", said(end.why), end.at_most, end.amount, end.tx)?;
    write!(io.out, ", {}", whose.unwrap_or("no address"))?;
    match (&end.service, &end.moved_by) {
        (Some(service), _) => writeln!(io.out, ", {service}")?,
        (_, Some(by)) => writeln!(io.out, ", moved by {by}")?,
        _ => writeln!(io.out)?,
    }
    Ok(())
}

fn show_history(history: &History, io: &mut Io<'_>) -> Result<(), Problem> {
    write!(
        io.out,
        "  {} {}: {} of {} transactions",
        history.address, history.asset, history.fetched, history.transactions
    )?;
    let opening = history.opening.as_deref().unwrap_or("not known");
    write!(io.out, ", received {}, spent {}, before that {opening}", history.received, history.spent)?;
    match (history.closed, history.cut) {
        (true, _) => writeln!(io.out, "; closed")?,
        (_, Some(why)) => writeln!(io.out, "; balance unproven: {}", said(why))?,
        _ => writeln!(io.out, "; balance unproven")?,
    }
    Ok(())
}

fn said(why: Why) -> &'static str {
    match why {
        Why::Unspent => "unspent",
        Why::Holds => "held",
        Why::Burnt => "burnt",
        Why::Dust => "dust",
        Why::Service => "at a service",
        Why::Payer => "back to the payer",
        Why::Hub => "a hub",
        Why::Hops => "further than asked",
        Why::After => "moved later than asked",
        Why::Unconfirmed => "moving, in no block yet",
        Why::Budget => "budget used up",
        Why::Stopped => "stopped",
        Why::Short => "the endpoint told fewer than it counts",
    }
}
