//! `eye money bank`. Whoever may read the data folder sees every load, whatever its collection.
use super::document;
use super::tags::collection;
use crate::arguments::{BankLoad, MoneyBank};
use crate::commands::Io;
use crate::node::Problem;
use money::bank::{Bank, BatchInfo, Finding, Job, Loaded, Refusal, Viewed, zone_named};
use std::path::Path;

fn all(_: &BatchInfo) -> bool {
    true
}

pub fn run(dir: &Path, what: &MoneyBank, io: &mut Io<'_>) -> Result<u8, Problem> {
    match what {
        MoneyBank::Load(job) => load(dir, job, io),
        MoneyBank::List { json } => list(&Bank::open(dir)?, *json, io).map(|()| 0),
        MoneyBank::Legs { account, from, limit, json } => {
            legs(&Bank::open(dir)?, account, (*from, usize::from(*limit)), *json, io).map(|()| 0)
        }
        MoneyBank::Erase { loads, json } => {
            let mut bank = Bank::open_to_write(dir)?;
            for id in loads {
                let gone = bank.erase(*id)?;
                match json {
                    true => document(&gone, io)?,
                    false => {
                        writeln!(io.out, "load {id} ({}) is erased with its {} legs", gone.file, gone.counts.legs)?
                    }
                }
            }
            Ok(0)
        }
    }
}

fn load(dir: &Path, job: &BankLoad, io: &mut Io<'_>) -> Result<u8, Problem> {
    let collection = collection(&job.collection)?;
    if job.zone.is_none() {
        writeln!(io.err, "eye: no --zone: days count as days in UTC, which moves a leg by up to 14 hours")?;
    }
    let zone = zone_named(job.zone.as_deref().unwrap_or("UTC")).map_err(Problem::other)?;
    let mut bank = Bank::open_to_write(dir)?;
    let mut whole = true;
    for file in &job.files {
        let (zone, collection, now) = (zone.clone(), collection.clone(), jiff::Timestamp::now());
        match bank.load(&Job { file: io.path(file), zone, collection, now }) {
            Ok(loaded) => told(file, &loaded, job.json, io)?,
            Err(error) => {
                whole = false;
                writeln!(io.err, "eye: {error}")?;
            }
        }
    }
    Ok(u8::from(!whole))
}

/// What became of one file; on stderr what was refused, and what must be known.
fn told(file: &Path, loaded: &Loaded, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let counts = loaded.batch.as_ref().map(|batch| batch.counts).unwrap_or_default();
    for (notes, many, end) in
        [(&loaded.refused, counts.refused, "; it was refused"), (&loaded.warnings, counts.warnings, "")]
    {
        for Refusal { statement, entry, why } in notes {
            let entry = if *entry > 0 { format!(" entry {entry}") } else { String::new() };
            writeln!(io.err, "eye: {} statement {statement}{entry}: {why}{end}", file.display())?;
        }
        let unnamed = many.saturating_sub(notes.len() as u64);
        if unnamed > 0 {
            writeln!(io.err, "eye: {}: {unnamed} more like it", file.display())?;
        }
    }
    for finding in &loaded.findings {
        writeln!(io.err, "eye: {}: {}", file.display(), found(finding))?;
    }
    match (&loaded.batch, loaded.known) {
        (batch, known) if json => {
            let (refused, warnings, findings) = (&loaded.refused, &loaded.warnings, &loaded.findings);
            document(
                &serde_json::json!({"load": batch, "known": known, "refused": refused, "warnings": warnings, "findings": findings}),
                io,
            )
        }
        (Some(batch), _) => line(batch, io),
        (None, Some(known)) => Ok(writeln!(io.out, "{}: loaded before, as load {known}", file.display())?),
        (None, None) => Ok(()),
    }
}

fn found(finding: &Finding) -> String {
    let at: Vec<String> = finding
        .about
        .iter()
        .map(|at| match at.entry {
            0 => format!("load {} statement {}", at.batch, at.statement),
            entry => format!("load {} statement {} entry {entry}", at.batch, at.statement),
        })
        .collect();
    format!("{}: {}", at.join(" and "), finding.why)
}

fn line(batch: &BatchInfo, io: &mut Io<'_>) -> Result<(), Problem> {
    let counts = &batch.counts;
    write!(
        io.out,
        "load {}: {} ({}), {} statements, {} legs",
        batch.id, batch.file, batch.format, counts.statements, counts.legs
    )?;
    for (many, what) in
        [(counts.pending, "announced and not booked"), (counts.refused, "refused"), (counts.warnings, "warnings")]
    {
        if many > 0 {
            write!(io.out, ", {many} {what}")?;
        }
    }
    writeln!(io.out)?;
    Ok(())
}

fn list(bank: &Bank, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let findings = bank.findings(&all)?;
    if json {
        let loads: Vec<&BatchInfo> = bank.batches().collect();
        return document(&serde_json::json!({"loads": loads, "findings": findings}), io);
    }
    if bank.batches().next().is_none() {
        writeln!(io.err, "no statement is loaded yet: `eye money bank load --collection ID FILE`")?;
    }
    for batch in bank.batches() {
        line(batch, io)?;
        writeln!(io.out, "  loaded {}, for readers of collection {}", batch.loaded, batch.collection)?;
    }
    for finding in &findings {
        writeln!(io.out, "{}", found(finding))?;
    }
    Ok(())
}

fn legs(bank: &Bank, account: &str, page: (u64, usize), json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let none = || Problem::other("no statement is loaded yet: `eye money bank load --collection ID FILE`");
    let view = bank.view()?.ok_or_else(none)?;
    let (legs, next) = view.legs_of(account, page, &all)?;
    if json {
        return document(&serde_json::json!({"legs": legs, "next": next}), io);
    }
    legs.iter().try_for_each(|leg| show(leg, io))?;
    if let Some(next) = next {
        writeln!(io.out, "and more: --from {next}")?;
    }
    Ok(())
}

fn show(leg: &Viewed, io: &mut Io<'_>) -> Result<(), Problem> {
    let party = |party: &Option<String>| party.clone().unwrap_or_else(|| "not known".into());
    write!(io.out, "{}: {} to {}", leg.leg, leg.earliest, leg.latest)?;
    writeln!(io.out, "  {} {} minor units, {}", leg.amount, leg.currency, leg.kind)?;
    writeln!(io.out, "  from {} to {}", party(&leg.from), party(&leg.to))?;
    for source in &leg.sources {
        let says = &source.says;
        write!(io.out, "    load {} statement {} entry {}", source.batch, says.statement, says.entry)?;
        write!(io.out, ", {}", if says.credit { "the payee's bank" } else { "the payer's bank" })?;
        if let Some(reference) = says.references.shared() {
            write!(io.out, ", reference {reference}")?;
        }
        if says.reversal {
            write!(io.out, ", takes another one back")?;
        }
        writeln!(io.out)?;
        if !says.text.is_empty() {
            writeln!(io.out, "      {}", says.text.replace(['\n', '\r'], " "))?;
        }
    }
    Ok(())
}
