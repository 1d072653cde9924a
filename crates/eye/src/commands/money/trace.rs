//! `eye money trace`: where the money of one payment went.
use super::document;
use crate::arguments::{MoneyTrace, MoneyWithin};
use crate::commands::Io;
use crate::node::Problem;
use money::chain::Room;
use money::tags::Tags;
use money::trace::{AmountsLine, Asked, Decided, Limits, MANY, Method, SERVICE, TraceLine, Within, answer};
use std::path::Path;

/// Payments that a text names; JSON has all of them.
const NAMED: usize = 40;

/// The method that is named, else those.
pub fn methods(job: &MoneyWithin, others: &[Method]) -> Vec<Method> {
    job.method.map_or_else(|| others.to_vec(), |method| vec![method])
}

/// Where traces end, as the command line says.
pub fn within<'a>(job: &'a MoneyWithin, methods: &'a [Method]) -> Within<'a> {
    Within {
        methods,
        limits: Limits { hops: job.hops, least: job.least, ..Limits::default() },
        stops: &job.stop,
        past: &job.past,
        decided: job.by.clone().zip(job.reason.clone()).map(|(by, reason)| Decided { by, reason }),
        until: job.until,
    }
}

pub fn run(folder: &Path, room: &Room, job: &MoneyTrace, io: &mut Io<'_>) -> Result<(), Problem> {
    let methods = methods(&job.within, &Method::ALL);
    let asked = Asked { chain: &job.chain, tx: &job.tx, transfer: job.transfer, within: within(&job.within, &methods) };
    let tags = Tags::open(folder).map_err(|e| Problem::other(e.to_string()))?;
    // Whoever holds the folder reads all of it.
    let lines = answer(room, &asked, (Some(&tags), &|_| true))?;
    if job.json {
        return lines.iter().try_for_each(|line| document(line, io));
    }
    if let Some(first) = lines.first() {
        writeln!(io.out, "{} of {} from {} (transfer {})", first.amount, first.asset, first.source.0, first.source.1)?;
        let (payers, paid) = SERVICE;
        let mixing = match job.chain.network() {
            Some(_) => format!("CoinJoins, transactions of more than {MANY} inputs or outputs"),
            None => format!("accounts with {payers} payers and {paid} paid"),
        };
        writeln!(
            io.out,
            "ends at {} hops, payments below {}, tagged services, {mixing}",
            job.within.hops, job.within.least
        )?;
        if let Some(decided) = &first.decided {
            writeln!(
                io.out,
                "WENT ON PAST {}: {} decided so ({})",
                job.within.past.join(", "),
                decided.by,
                decided.reason
            )?;
        }
    }
    lines.iter().try_for_each(|line| tell(line, io))
}

pub fn of(amount: &AmountsLine) -> String {
    if amount.lo == amount.hi { amount.hi.clone() } else { format!("{} to {}", amount.lo, amount.hi) }
}

fn tell(line: &TraceLine, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(io.out, "\n{}", line.method)?;
    if let Some(why) = &line.not_computable {
        writeln!(io.out, "  {why}")?;
        return Ok(());
    }
    for held in &line.held {
        writeln!(io.out, "  held       {}  {}", of(&held.amount), held.account)?;
    }
    for stop in &line.stopped {
        let party = stop.party.as_ref().map(|party| format!(", {party}")).unwrap_or_default();
        let why = stop.why.unwrap_or_default();
        writeln!(io.out, "  stopped    {}  {} ({why}{party})", of(&stop.amount), stop.account)?;
    }
    for (name, amount) in [("fees", &line.fees), ("destroyed", &line.destroyed)] {
        if let Some(amount) = amount.as_ref().filter(|a| a.hi != "0") {
            writeln!(io.out, "  {name:<10} {}", of(amount))?;
        }
    }
    for (why, amount) in &line.cut {
        writeln!(io.out, "  cut        {}  ({why})", of(amount))?;
    }
    if line.unordered {
        writeln!(io.out, "  the order within a transaction is not known: another order may give another answer")?;
    }
    for p in line.payments.iter().take(NAMED) {
        let output = p.output.map(|place| format!(":{place}")).unwrap_or_default();
        writeln!(io.out, "    {} {}{output}  {} of {}  {} -> {}", p.hop, p.tx, of(&p.traced), p.amount, p.from, p.to)?;
    }
    if line.payments.len() > NAMED {
        writeln!(io.out, "    and {} payments more (--json)", line.payments.len() - NAMED)?;
    }
    Ok(())
}
