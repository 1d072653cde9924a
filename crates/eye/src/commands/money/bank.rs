//! `eye money bank`. Whoever may read the data folder sees every load, whatever its collection.
use super::document;
use super::tags::collection;
use crate::arguments::{BankLoad, MoneyBank};
use crate::commands::Io;
use crate::node::Problem;
use money::bank::{Bank, BatchInfo, Class, Finding, Job, Loaded, Recorded, Refusal, TableMapping, Viewed, zone_named};
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
        MoneyBank::Logins { account, from, limit, json } => {
            logins(&Bank::open(dir)?, account, (*from as usize, usize::from(*limit)), *json, io).map(|()| 0)
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
    let mapping = job.mapping.as_ref().map(|file| mapping(&io.path(file))).transpose()?;
    if job.zone.is_none() && mapping.as_ref().is_none_or(|mapping| mapping.zone.is_none()) {
        writeln!(io.err, "eye: no --zone: days count as days in UTC, which moves a leg by up to 14 hours")?;
    }
    let zone = zone_named(job.zone.as_deref().unwrap_or("UTC")).map_err(Problem::other)?;
    let mut bank = Bank::open_to_write(dir)?;
    let mut whole = true;
    for file in &job.files {
        let (zone, collection, now) = (zone.clone(), collection.clone(), jiff::Timestamp::now());
        let mapping = mapping.clone();
        match bank.load(&Job { file: io.path(file), zone, mapping, collection, now }) {
            Ok(loaded) => told(file, &loaded, job.json, io)?,
            Err(error) => {
                whole = false;
                writeln!(io.err, "eye: {error}")?;
            }
        }
    }
    Ok(u8::from(!whole))
}

fn mapping(file: &Path) -> Result<TableMapping, Problem> {
    let told = |why: String| Problem::other(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
    TableMapping::parse(&text).map_err(told)
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
    for (many, what) in [
        (counts.logins, "logins"),
        (counts.pending, "announced and not booked"),
        (counts.refused, "refused"),
        (counts.warnings, "warnings"),
    ] {
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

fn logins(bank: &Bank, account: &str, page: (usize, usize), json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let (logins, next) = bank.logins(account, page, &all)?;
    if json {
        let logins: Vec<_> =
            logins.iter().map(|(load, login)| serde_json::json!({"load": load, "login": login})).collect();
        return document(&serde_json::json!({"logins": logins, "next": next}), io);
    }
    if logins.is_empty() {
        writeln!(io.err, "no login of this account is loaded")?;
    }
    for (load, login) in &logins {
        let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "not said".into());
        let time = |at: u32| jiff::Timestamp::from_second(at.into()).map(|at| at.to_string()).unwrap_or_default();
        write!(io.out, "{} to {}: ", time(login.span.earliest), time(login.span.latest))?;
        writeln!(io.out, "from {}, with {} (load {load})", word(&login.ip), word(&login.device))?;
    }
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
    if leg.class == Class::Inferred {
        writeln!(io.out, "  inferred: that both sides tell one transfer follows from amount, accounts and days alone")?;
    }
    if let Some(on) = &leg.on_chain {
        let stands = match on.recorded {
            Recorded::OnRecord => "on record here",
            Recorded::Contradicted => "on record here, and not as the exchange says",
            Recorded::NotOnRecord => "not on record here, though the chain is loaded",
            Recorded::ChainNotLoaded => "the chain is not loaded here",
        };
        writeln!(io.out, "  on {} in transaction {}: {stands}", on.says.chain, on.says.tx)?;
        for one in &on.contradictions {
            write!(io.out, "    CONTRADICTION: {}", one.why)?;
            if let Some(says) = &one.says {
                write!(io.out, ": the exchange says {says}, the chain {} base units", one.recorded.join(", "))?;
            }
            writeln!(io.out)?;
        }
    }
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
