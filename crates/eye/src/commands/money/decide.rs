//! `eye money decide` and `eye money decisions`: entries in the ledger, and which of them stand.
use super::clusters::view;
use super::document;
use crate::arguments::{MoneyDecide, Pair, Why};
use crate::commands::Io;
use crate::commands::read::plain;
use crate::node::{Node, Problem};
use money::ask::{Decision, DecisionBody, Deed, MOST_WITHOUT, Witnessed};
use money::chain::ChainCode;
use money::decided::{decide, decisions};
use people::Viewer;
use std::path::Path;

pub fn list(node: &Node, me: &Viewer, chain: Option<&ChainCode>, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let all = decisions(&node.ledger, &node.people, me)?;
    for one in all.iter().filter(|one| chain.is_none_or(|chain| chain.as_str() == one.body.chain)) {
        if json {
            document(one, io)?;
            continue;
        }
        let (number, when, author, chain) = (one.number, &one.when, plain(&one.author), &one.body.chain);
        writeln!(io.out, "{number} {when} {author}: {chain} {}", deed(&one.body.deed))?;
        writeln!(io.out, "  {}", plain(&one.body.reason))?;
    }
    Ok(())
}

fn deed(deed: &Deed) -> String {
    let what = |what: &Witnessed| match what {
        Witnessed::Transaction(id) => format!("transaction {}", plain(id)),
        Witnessed::Rule(name) => format!("rule {}", plain(name)),
        Witnessed::Tags(batch) => format!("tags of batch {batch}"),
        Witnessed::Decision(number) => format!("decision {number}"),
    };
    match deed {
        Deed::Merge { a, b } => format!("{} and {} are one party's", plain(a), plain(b)),
        Deed::Change { transaction, output } => format!("output {output} of {} is change", plain(transaction)),
        Deed::Split { a, b, without } => {
            let list: Vec<String> = without.iter().map(what).collect();
            format!("{} and {} are not one party's, without {}", plain(a), plain(b), list.join(", "))
        }
        Deed::Exclude { what: one } => format!("{} unites nothing", what(one)),
        Deed::Include { what: one } => format!("{} unites again", what(one)),
    }
}

/// Takes a decision, once it is known to do what it says.
pub fn run(data: &Path, node: &Node, me: &Viewer, act: &MoneyDecide, io: &mut Io<'_>) -> Result<(), Problem> {
    let stand = decisions(&node.ledger, &node.people, me)?;
    let (why, deed) = match act {
        MoneyDecide::Merge(Pair { a, b, why }) => (why, Deed::Merge { a: a.clone(), b: b.clone() }),
        MoneyDecide::Split(pair) => (&pair.why, split(data, pair, &stand)?),
        MoneyDecide::Change { transaction, output, why } => {
            (why, Deed::Change { transaction: transaction.clone(), output: *output })
        }
        MoneyDecide::Exclude { what, why } => {
            (why, Deed::Exclude { what: what.witnessed().ok_or_else(|| Problem::other("name what"))? })
        }
        MoneyDecide::Include { what, why } => {
            (why, Deed::Include { what: what.witnessed().ok_or_else(|| Problem::other("name what"))? })
        }
    };
    let Why { chain, reason, json } = why;
    let body = DecisionBody { chain: chain.as_str().into(), reason: reason.trim().into(), deed };
    body.check().map_err(Problem::other)?;
    holds(data, chain, &stand, &body)?;
    let number = decide(&node.ledger, &node.people, me, &body)?;
    match json {
        true => io.json(&serde_json::json!({"decision": number, "chain": body.chain}))?,
        false => writeln!(io.out, "decision {number}: {}", self::deed(&body.deed))?,
    }
    Ok(())
}

/// A split with the witnesses that part the two.
fn split(data: &Path, pair: &Pair, stand: &[Decision]) -> Result<Deed, Problem> {
    let found = view(data, &pair.why.chain, stand, |view| view.apart(&pair.a, &pair.b))?;
    if found.without.len() > MOST_WITHOUT {
        let text = format!("{} witnesses join them, more than one split excludes; exclude a rule", found.without.len());
        return Err(Problem::other(text));
    }
    Ok(Deed::Split { a: pair.a.clone(), b: pair.b.clone(), without: found.without })
}

/// Refuses what would do nothing, or not what it says; nothing is written then.
fn holds(data: &Path, chain: &ChainCode, stand: &[Decision], body: &DecisionBody) -> Result<(), Problem> {
    let number = stand.last().map_or(1, |last| last.number + 1);
    let new = Decision { number, author: String::new(), when: String::new(), body: body.clone() };
    let with: Vec<Decision> = stand.iter().cloned().chain([new]).collect();
    let (idle, joined) = view(data, chain, &with, |view| {
        let joined = match &body.deed {
            Deed::Merge { a, b } | Deed::Split { a, b, .. } => Some(view.together(a, b)?),
            _ => None,
        };
        Ok((view.idle.contains(&number), joined))
    })?;
    if idle {
        return Err(Problem::other("what it names is not on record of this chain; nothing was written"));
    }
    match (&body.deed, joined) {
        (Deed::Split { .. }, Some(true)) => Err(Problem::other("they would still be one cluster; nothing was written")),
        (Deed::Merge { .. }, Some(false)) => {
            Err(Problem::other("merges by hand are excluded on this chain (rule manual); nothing was written"))
        }
        _ => Ok(()),
    }
}
