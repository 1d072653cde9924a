//! `eye money decide` and `eye money decisions`: entries in the ledger, and which of them stand. What a decision would do is found
//! out in the process that asks: a chain is solved there, and the node does nothing but take the entry down.
use super::clusters::{decisions as stand, view};
use super::document;
use crate::arguments::{Arguments, MoneyDecide, Pair, What};
use crate::commands::Io;
use crate::commands::read::plain;
use crate::node::{Node, Problem};
use clap::Parser;
use money::ask::{Decision, DecisionBody, Deed, View, Witnessed};
use money::chain::{ChainCode, Error};
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
        let Decision { number, when, author, body, id, undone_by } = one;
        writeln!(io.out, "{number} {when} {}: {} {}", plain(author), body.chain, deed(&body.deed))?;
        if let Some(by) = undone_by {
            writeln!(io.out, "  undone by decision {by}")?;
        }
        writeln!(io.out, "  {}\n  {id}", plain(&body.reason))?;
    }
    Ok(())
}

fn deed(deed: &Deed) -> String {
    let what = |what: &Witnessed| plain(&what.to_string());
    match deed {
        Deed::Merge { a, b } => format!("{} and {} are one party's", plain(a), plain(b)),
        Deed::Change { transaction, output } => format!("output {output} of {} is change", plain(transaction)),
        Deed::Split { a, b, without } => {
            let list: Vec<String> = without.iter().map(what).collect();
            format!("{} and {} are not one party's, without {}", plain(a), plain(b), list.join(", "))
        }
        Deed::Exclude { what: Witnessed::Decision(number) } => format!("decision {number} is undone"),
        Deed::Include { what: Witnessed::Decision(number) } => format!("decision {number} counts again"),
        Deed::Exclude { what: one } => format!("{} unites nothing", what(one)),
        Deed::Include { what: one } => format!("{} unites again", what(one)),
    }
}

/// Finds out what a decision does, and has the node take it down: through the server where one runs.
pub fn run(data: &Path, act: &MoneyDecide, io: &mut Io<'_>) -> Result<u8, Problem> {
    let why = act.why();
    let stand = stand(data)?;
    let chain = why.chain.as_str();
    let reason = why.reason.trim();
    let body = |deed| DecisionBody { chain: chain.into(), reason: reason.into(), deed };
    // What is wrong with its words is said before a chain is solved for it.
    body(written(act)?).check().map_err(Problem::other)?;
    let deed = view(data, &why.chain, &stand, |view| done(view, act))?;
    let last = stand.iter().rev().find(|one| one.body.chain == chain).map_or(0, |one| one.number);
    let text = serde_json::to_string(&body(deed)).map_err(|e| Problem::other(e.to_string()))?;
    let mut words: Vec<String> = ["eye", "money", "enter", "--data"].map(str::to_owned).to_vec();
    words.push(data.to_string_lossy().into_owned());
    words.extend(["--after".to_owned(), last.to_string()]);
    words.extend(why.json.then(|| "--json".to_owned()));
    words.push(text);
    let entry = Arguments::try_parse_from(&words).map_err(|e| Problem::other(e.to_string()))?;
    io.out.flush()?;
    Ok(crate::dispatch(&entry, &entry.command, &words, None))
}

/// The decision as its words have it; a split has no witnesses yet and stands for its two addresses.
fn written(act: &MoneyDecide) -> Result<Deed, Problem> {
    let what = |what: &What| what.witnessed().ok_or_else(|| Problem::other("name what"));
    Ok(match act {
        MoneyDecide::Merge(Pair { a, b, .. }) | MoneyDecide::Split(Pair { a, b, .. }) => {
            Deed::Merge { a: a.clone(), b: b.clone() }
        }
        MoneyDecide::Change { transaction, output, .. } => {
            Deed::Change { transaction: transaction.clone(), output: *output }
        }
        MoneyDecide::Exclude { what: one, .. } => Deed::Exclude { what: what(one)? },
        MoneyDecide::Include { what: one, .. } => Deed::Include { what: what(one)? },
    })
}

/// What is decided, once it is known to do something.
fn done(view: &mut View<'_>, act: &MoneyDecide) -> Result<Deed, Error> {
    let deed = match act {
        MoneyDecide::Split(Pair { a, b, .. }) => {
            Deed::Split { a: a.clone(), b: b.clone(), without: view.apart(a, b)?.without }
        }
        other => written(other).map_err(|e| Error::Unknown(e.to_string()))?,
    };
    view.allows(&deed)?;
    Ok(deed)
}

/// Takes down what `eye money decide` found to do something.
pub fn enter(node: &Node, me: &Viewer, (text, after): (&str, u64), json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let body: DecisionBody = serde_json::from_str(text).map_err(|e| Problem::other(format!("a decision: {e}")))?;
    let number = decide(&node.ledger, &node.people, me, (&body, after))?;
    match json {
        true => io.json(&serde_json::json!({"decision": number, "chain": body.chain}))?,
        false => writeln!(io.out, "decision {number}: {}", deed(&body.deed))?,
    }
    Ok(())
}
