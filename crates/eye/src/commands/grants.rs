use super::accounts::role;
use super::{Io, collection_named};
use crate::arguments::{Grant, GrantAt};
use crate::node::{Node, Problem};
use ledger::CollectionId;
use people::entry::Member;
use people::{Collection, Viewer, Whom};
use serde_json::json;
use std::sync::Arc;

fn place(node: &Node, me: &Viewer, at: &GrantAt) -> Result<(CollectionId, Whom), Problem> {
    let whom = match (&at.account, &at.role) {
        (Some(name), _) => Whom::Account(account(node, me, name)?),
        (None, Some(word)) => Whom::Role(role(word)?),
        (None, None) => return Err(Problem::other("name an account or a role: --account NAME or --role ROLE")),
    };
    Ok((collection_named(node, me, &at.collection)?, whom))
}

/// An account's number by its name.
pub fn account(node: &Node, me: &Viewer, name: &str) -> Result<u32, Problem> {
    let found = node.people.account_named(me, name);
    let none = || Problem::other(format!("no account is called `{name}`; `eye user list` lists them"));
    found.map(|a| a.number).map_err(|e| if e.status() == 404 { none() } else { e.into() })
}

pub fn run(node: &Node, me: &Viewer, grant: &Grant, io: &mut Io<'_>) -> Result<(), Problem> {
    match grant {
        Grant::Add { at, write } => {
            let (id, whom) = place(node, me, at)?;
            let collection = node.people.grant(me, id, whom, *write)?;
            let what = if *write { "reads and writes" } else { "reads" };
            writeln!(io.out, "{} {what} {}", told(at), collection.title())?;
        }
        Grant::Remove { at } => {
            let (id, whom) = place(node, me, at)?;
            let collection = node.people.take_back(me, id, whom)?;
            writeln!(io.out, "taken back: {} on {}", told(at), collection.title())?;
        }
        Grant::List { account: Some(name), json, .. } => of_account(node, me, name, *json, io)?,
        Grant::List { collection, json, .. } => {
            let only = collection.as_deref().map(|c| collection_named(node, me, c)).transpose()?;
            for c in node.people.known_collections(me)?.iter().filter(|c| only.is_none_or(|id| c.id == id)) {
                of_collection(node, c, *json, io)?;
            }
        }
    }
    Ok(())
}

fn told(at: &GrantAt) -> String {
    match (&at.account, &at.role) {
        (Some(name), _) => name.clone(),
        (None, role) => format!("the role {}", role.as_deref().unwrap_or_default()),
    }
}

fn of_account(node: &Node, me: &Viewer, name: &str, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    for reach in node.people.reach(me, account(node, me, name)?)? {
        let (id, title) = (reach.collection.id.to_string(), reach.collection.title());
        if json {
            io.json(&json!({"collection": id, "title": title, "read": reach.reads, "write": reach.writes,
                "by_name": reach.by_name}))?;
        } else {
            let what = if reach.writes {
                "reads and writes"
            } else if reach.reads {
                "reads"
            } else {
                "may nothing"
            };
            let how = if reach.by_name { "by name" } else { "by its role" };
            writeln!(io.out, "{id}\t{title}\t{what}\t{how}")?;
        }
    }
    Ok(())
}

fn of_collection(node: &Node, collection: &Arc<Collection>, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    for member in &collection.audience.members {
        let name = who(node, member)?;
        if json {
            io.json(&json!({"collection": collection.id.to_string(), "title": collection.title(),
                "role": member.role.map(people::Role::as_str), "account": member.account, "name": name,
                "write": member.write}))?;
        } else {
            let name = name.unwrap_or_else(|| format!("role {}", member.role.map_or("", people::Role::as_str)));
            let what = if member.write { "reads and writes" } else { "reads" };
            writeln!(io.out, "{}\t{}\t{name}\t{what}", collection.id, collection.title())?;
        }
    }
    Ok(())
}

/// The name of an account or node; none of a role.
fn who(node: &Node, member: &Member) -> Result<Option<String>, Problem> {
    match (member.account, &member.peer) {
        (Some(number), _) => Ok(Some(node.people.name_of(number)?.unwrap_or_else(|| number.to_string()))),
        (None, peer) => Ok(peer.clone()),
    }
}
