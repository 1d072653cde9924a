//! `eye money collector`, `restitution` and `check`: many victims, and what others claim of them.
use super::document;
use super::trace::{methods, of, within};
use crate::arguments::{MoneyCheck, MoneyCollector, MoneyRestitution};
use crate::commands::Io;
use crate::node::Problem;
use money::chain::Room;
use money::tags::Tags;
use money::trace::{AskedMany, ClaimTable, Decided, Method, check, collector, restitution};
use std::path::Path;

/// Rows that a text names; JSON has all of them.
const NAMED: usize = 40;

fn tags(folder: &Path) -> Result<Tags, Problem> {
    Tags::open(folder).map_err(|error| Problem::other(error.to_string()))
}

fn past(past: &[String], decided: Option<&Decided>, io: &mut Io<'_>) -> Result<(), Problem> {
    match decided {
        Some(it) => Ok(writeln!(io.out, "WENT ON PAST {}: {} decided so ({})", past.join(", "), it.by, it.reason)?),
        None => Ok(()),
    }
}

pub fn collect(folder: &Path, room: &Room, job: &MoneyCollector, io: &mut Io<'_>) -> Result<(), Problem> {
    let methods = methods(&job.within, &[Method::Fifo]);
    let asked = AskedMany { chain: &job.chain, payments: &job.payments, within: within(&job.within, &methods) };
    let line = collector(room, &asked, (job.at_least, job.limit), (Some(&tags(folder)?), &|_| true))?;
    if job.json {
        return document(&line, io);
    }
    let (many, least) = (job.payments.len(), job.at_least);
    writeln!(
        io.out,
        "{many} payments of {}, {}: {} accounts that {least} or more of them reached",
        line.asset, line.method, line.found
    )?;
    past(&line.past, line.decided.as_ref(), io)?;
    for one in &line.accounts {
        let stops = one.why.map(|why| format!(", ends there: {why}")).unwrap_or_default();
        let party = one.party.as_ref().map(|party| format!(", {party}")).unwrap_or_default();
        writeln!(
            io.out,
            "  {}  {} by {} of them, at hop {} to {}{stops}{party}",
            one.account,
            of(&one.amount),
            one.payments,
            one.hops.0,
            one.hops.1
        )?;
    }
    let more = line.found.saturating_sub(line.accounts.len());
    if more > 0 {
        writeln!(io.out, "  and {more} more (--limit)")?;
    }
    Ok(())
}

pub fn restore(folder: &Path, room: &Room, job: &MoneyRestitution, io: &mut Io<'_>) -> Result<(), Problem> {
    let methods = methods(&job.within, &Method::ALL);
    let asked = AskedMany { chain: &job.chain, payments: &job.payments, within: within(&job.within, &methods) };
    let line = restitution(room, &job.account, &asked, (Some(&tags(folder)?), &|_| true))?;
    if job.json {
        return document(&line, io);
    }
    writeln!(io.out, "{} has {} of {}", line.account, line.balance, line.asset)?;
    past(&line.past, line.decided.as_ref(), io)?;
    for method in &line.methods {
        if let Some(why) = &method.not_computable {
            writeln!(io.out, "{}: {why}", method.method)?;
            continue;
        }
        let abated =
            if method.abated { ", cut in equal proportion, for together they are more than is there" } else { "" };
        let (claimed, unclaimed) = (of(&method.claimed), &method.unclaimed);
        writeln!(io.out, "{}: {claimed} claimed{abated}; {unclaimed} claimed by none of them", method.method)?;
        for one in method.shares.iter().take(NAMED) {
            let share = one.share.as_ref().map(|share| format!(", share {share}")).unwrap_or_default();
            writeln!(io.out, "  {}  paid {}, claims {}{share}", one.payment, one.paid, of(&one.claim))?;
        }
        if method.shares.len() > NAMED {
            writeln!(io.out, "  and {} more (--json)", method.shares.len() - NAMED)?;
        }
    }
    Ok(())
}

/// 1 when the claim does not hold.
pub fn examine(room: &Room, job: &MoneyCheck, io: &mut Io<'_>) -> Result<u8, Problem> {
    let told = |path: &Path, why: &str| Problem::other(format!("{}: {why}", path.display()));
    let table = match &job.mapping {
        None => ClaimTable::default(),
        Some(file) => {
            let path = io.path(file);
            let text = std::fs::read_to_string(&path).map_err(|error| told(&path, &error.to_string()))?;
            ClaimTable::parse(&text).map_err(|why| told(&path, &why))?
        }
    };
    let path = io.path(&job.claim);
    let claims = table.read(&path).map_err(|why| told(&path, &why))?;
    let line = check(room, &job.chain, &claims)?;
    let holds = u8::from(!line.conserves);
    if job.json {
        return document(&line, io).map(|()| holds);
    }
    writeln!(
        io.out,
        "{} rows of {}, from {} in rows {:?}; {} is left where it ends",
        line.rows, line.asset, line.source, line.sources, line.held
    )?;
    match line.wrong.len() {
        0 => writeln!(io.out, "conserves: nobody pays on more than the claim brought there")?,
        many => writeln!(io.out, "DOES NOT CONSERVE: {many} rows are wrong")?,
    }
    for one in line.wrong.iter().take(NAMED) {
        let recorded = one.recorded.as_ref().map(|amount| format!(" (the record has {amount})")).unwrap_or_default();
        writeln!(io.out, "  row {}, {}: claims {}: {}{recorded}", one.row, one.tx, one.claimed, one.why)?;
    }
    if line.wrong.len() > NAMED {
        writeln!(io.out, "  and {} more (--json)", line.wrong.len() - NAMED)?;
    }
    for method in &line.methods {
        match (&method.not_computable, &method.departs) {
            (Some(why), _) => writeln!(io.out, "{}: {why}", method.method)?,
            (None, None) => writeln!(io.out, "{}: gives the claim, payment by payment", method.method)?,
            (None, Some(at)) => {
                let row =
                    at.row.map_or_else(|| "a payment that the claim lacks".to_owned(), |row| format!("row {row}"));
                let hop = at.hop.map(|hop| format!(", hop {hop}")).unwrap_or_default();
                writeln!(
                    io.out,
                    "{}: agrees on {} payments, departs first at {row} ({}{hop}): claimed {}, the method gives {}",
                    method.method, method.agrees, at.tx, at.claimed, at.method
                )?;
            }
        }
    }
    Ok(holds)
}
