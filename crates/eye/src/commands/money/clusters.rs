//! `eye money cluster`, `why`, `apart`, `contradictions`: answered in this process, out of files, after the node was asked which
//! decisions stand.
use super::{document, tags_all};
use crate::arguments::{MoneyCluster, MoneyContradictions, MoneyPair};
use crate::commands::Io;
use crate::commands::read::plain;
use crate::node::Problem;
use money::ask::{AddressLine, ClusterLine, Decision, PooledLine, StepLine, View, with_view};
use money::chain::{ChainCode, Room};
use money::tags::Tags;
use std::path::Path;
use std::process::{Command, Stdio};

/// Most bytes of decisions that are taken from the node.
const MOST: usize = 256 << 20;

/// The decisions that stand: asked of the node by a process of its own, which goes through the server where one runs.
pub fn decisions(data: &Path) -> Result<Vec<Decision>, Problem> {
    let out = Command::new(std::env::current_exe()?)
        .arg("--data")
        .arg(data)
        .args(["money", "decisions", "--json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !out.status.success() {
        return Err(Problem::other(
            "the node did not say which decisions stand; without them no answer would be right",
        ));
    }
    if out.stdout.len() > MOST {
        return Err(Problem::other("the node has more decisions than are read"));
    }
    let text = String::from_utf8_lossy(&out.stdout);
    let read = |line: &str| serde_json::from_str(line).map_err(|e| Problem::other(format!("a decision: {e}")));
    text.lines().map(read).collect()
}

/// Solves a chain and answers.
pub fn view<T>(
    data: &Path,
    chain: &ChainCode,
    decisions: &[Decision],
    answer: impl FnOnce(&mut View<'_>) -> money::chain::Result<T>,
) -> Result<T, Problem> {
    let dir = data.join(super::FOLDER);
    let tags = Tags::open(&dir)?;
    Ok(with_view(&Room::open(&dir), chain, (&tags, &tags_all), decisions, answer)?)
}

pub fn cluster(data: &Path, job: &MoneyCluster, io: &mut Io<'_>) -> Result<(), Problem> {
    let decisions = decisions(data)?;
    let Some(address) = &job.address else {
        let line = view(data, &job.chain, &decisions, |view| Ok(view.summary(job.chain.as_str())))?;
        return if job.json { document(&line, io) } else { numbers(&line, io) };
    };
    let line = view(data, &job.chain, &decisions, |view| view.of(address, (job.from, job.limit)))?;
    if job.json { document(&line, io) } else { show(&line, io) }
}

fn numbers(line: &ClusterLine, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(
        io.out,
        "{}: {} addresses in {} clusters, the largest of {}",
        line.chain, line.addresses, line.clusters, line.largest
    )?;
    for (rule, many) in &line.unions {
        writeln!(io.out, "  {many} unions by {rule}")?;
    }
    for (why, many) in &line.apart {
        writeln!(io.out, "  {many} transactions unite nothing: {why}")?;
    }
    if line.hidden_inputs > 0 {
        writeln!(io.out, "  {} inputs whose address is not on record unite nothing", line.hidden_inputs)?;
    }
    if line.customers > 0 {
        writeln!(io.out, "  {} deposit addresses of tagged services (customer of; unites nothing)", line.customers)?;
    }
    if line.pools > 0 {
        let (pooled, pools) = (line.pooled, line.pools);
        writeln!(io.out, "  {pooled} addresses emptied to {pools} untagged pools (pooled with; unites nothing)")?;
    }
    match line.contradictions {
        0 => writeln!(io.out, "  no cluster holds two parties")?,
        many => writeln!(io.out, "  {many} clusters hold two parties: `eye money contradictions`")?,
    }
    for number in &line.broken_splits {
        writeln!(io.out, "  decision {number} is undone: something joins again what it split")?;
    }
    for number in &line.idle_decisions {
        writeln!(io.out, "  decision {number} names what is not on record")?;
    }
    line.missing.iter().try_for_each(|missing| Ok(writeln!(io.out, "  missing: {missing}")?))
}

fn show(line: &AddressLine, io: &mut Io<'_>) -> Result<(), Problem> {
    let AddressLine { address, cluster, size, .. } = line;
    writeln!(io.out, "{address}: in a cluster of {size}, named by {cluster}")?;
    for party in &line.parties {
        writeln!(io.out, "  said to be {}{}", plain(&party.party), unnamed(party.unnamed_chain))?;
    }
    if let Some(customer) = &line.customer_of {
        let (service, class, measured) = (plain(&customer.service), customer.class, &customer.measured);
        writeln!(io.out, "  a deposit address of {service} ({class}; {measured}): ask them whose")?;
        let [first, last] = &customer.sweeps;
        writeln!(io.out, "    emptied in {first} to {last}, signed by {}", customer.sweeper)?;
        if let Some([funder, first]) = &customer.funder {
            writeln!(io.out, "    gas from {funder}, first in {first}")?;
        }
    }
    if let Some(pool) = &line.pooled_with {
        writeln!(
            io.out,
            "  emptied to {} with {} others ({}):",
            pool.pool,
            pool.size.saturating_sub(1),
            pool.hypothesis
        )?;
        members(pool, io)?;
    }
    if let Some(pool) = &line.pool_of {
        writeln!(io.out, "  {} addresses are emptied to it ({}):", pool.size, pool.hypothesis)?;
        members(pool, io)?;
    }
    line.members.iter().try_for_each(|member| writeln!(io.out, "  {member}"))?;
    if let Some(next) = line.next {
        writeln!(io.out, "  more: --from {next}")?;
    }
    Ok(())
}

/// What stands behind a party whose tags name no chain.
fn unnamed(so: bool) -> &'static str {
    if so { " (the tag names no chain: it may be meant of another one)" } else { "" }
}

fn members(pool: &PooledLine, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(io.out, "    {}; {}", pool.class, pool.measured)?;
    for [address, sweep, who, how] in &pool.members {
        writeln!(io.out, "    {address}: emptied in {sweep}; {who} {how}")?;
    }
    Ok(())
}

pub fn why(data: &Path, job: &MoneyPair, io: &mut Io<'_>) -> Result<(), Problem> {
    let decisions = decisions(data)?;
    let line = view(data, &job.chain, &decisions, |view| view.why(&job.a, &job.b))?;
    if job.json {
        return document(&line, io);
    }
    let Some(class) = line.class else {
        return Ok(writeln!(io.out, "they are one address")?);
    };
    writeln!(io.out, "one party's, {class}: the chain with the best weakest link")?;
    steps(&line.chain, io)?;
    match &line.shortest {
        Some(shortest) if shortest.len() < line.chain.len() => {
            writeln!(io.out, "the fewest witnesses")?;
            steps(shortest, io)
        }
        Some(_) => Ok(()),
        None => Ok(writeln!(io.out, "a shorter chain was looked for up to the limit and not found")?),
    }
}

fn steps(steps: &[StepLine], io: &mut Io<'_>) -> Result<(), Problem> {
    for step in steps {
        let StepLine { from, to, class, rule, .. } = step;
        writeln!(io.out, "  {from}\n    and {to}\n    {class}: {rule}, {}", plain(&step.witness.to_string()))?;
        if let Some(measured) = &step.measured {
            writeln!(io.out, "    error of the rule: {measured}")?;
        }
        if let (Some(author), Some(reason)) = (&step.author, &step.reason) {
            writeln!(io.out, "    {}: {}", plain(author), plain(reason))?;
        }
    }
    Ok(())
}

pub fn apart(data: &Path, job: &MoneyPair, io: &mut Io<'_>) -> Result<(), Problem> {
    let decisions = decisions(data)?;
    let found = view(data, &job.chain, &decisions, |view| view.apart(&job.a, &job.b))?;
    if job.json {
        return document(&found, io);
    }
    let fewest = if found.fewest { "no shorter list does it" } else { "one list that does it; a shorter one may" };
    writeln!(io.out, "without these they are apart ({fewest}); `eye money decide split` excludes them")?;
    found.without.iter().try_for_each(|what| Ok(writeln!(io.out, "  {}", plain(&what.to_string()))?))
}

pub fn contradictions(data: &Path, job: &MoneyContradictions, io: &mut Io<'_>) -> Result<(), Problem> {
    let decisions = decisions(data)?;
    let page = (job.from, job.limit);
    let (all, lines) = view(data, &job.chain, &decisions, |view| Ok(view.contradictions(page)))?;
    if job.json {
        return lines.iter().try_for_each(|line| document(line, io));
    }
    writeln!(io.out, "{}: {all} clusters hold two parties", job.chain.as_str())?;
    for line in &lines {
        writeln!(io.out, "  {}", line.cluster)?;
        for party in &line.parties {
            writeln!(io.out, "    {} at {}{}", plain(&party.party), party.address, unnamed(party.unnamed_chain))?;
        }
    }
    let shown = job.from + lines.len();
    if shown < all {
        writeln!(io.out, "  more: --from {shown}")?;
    }
    Ok(())
}
