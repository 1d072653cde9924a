//! `eye money account`: what an address received and paid.
use super::document;
use crate::arguments::MoneyAccount;
use crate::commands::Io;
use crate::node::Problem;
use money::ask::{EntryLine, Named, account};
use money::chain::Room;

pub fn run(room: &Room, job: &MoneyAccount, io: &mut Io<'_>) -> Result<(), Problem> {
    let chain = Named::open(room, &job.chain)?;
    let page = account(&chain, (&job.account, job.asset.as_deref()), (job.from, usize::from(job.limit)))?;
    if job.json {
        return document(&page, io);
    }
    if page.entries.is_empty() {
        writeln!(io.err, "nothing moved")?;
    }
    page.entries.iter().try_for_each(|entry| tell(entry, io))?;
    if let Some(next) = page.next {
        writeln!(io.out, "and more: --from {next}")?;
    }
    Ok(())
}

fn tell(entry: &EntryLine, io: &mut Io<'_>) -> Result<(), Problem> {
    let others = match (entry.others.is_empty(), entry.more) {
        (true, _) => "nobody known".to_owned(),
        (_, 0) => entry.others.join(", "),
        (_, more) => format!("{} and {more} more", entry.others.join(", ")),
    };
    let side = if entry.way == "in" { "from" } else { "to" };
    let left = entry.left.as_ref().map(|left| format!(", {left} left")).unwrap_or_default();
    let kind = if entry.kind == "transfer" { String::new() } else { format!(" ({})", entry.kind) };
    writeln!(io.out, "{}  {:<4} {} {}{kind} {side} {others}{left}", entry.time, entry.way, entry.amount, entry.asset)?;
    let notes = [
        (!entry.counts, "does not count: it moves nothing, or is of a fake token"),
        (entry.unordered, "its place in the transaction is not known"),
        (entry.partial, "not all of the transaction is known"),
    ];
    let notes: String = notes.iter().filter(|(is, _)| *is).map(|(_, why)| format!("; {why}")).collect();
    writeln!(io.out, "    {}{notes}", entry.tx)?;
    Ok(())
}
