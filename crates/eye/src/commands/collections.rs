//! `eye collections create`, `rename`, `close`, `open`.
use super::{Io, among};
use crate::arguments::Collections;
use crate::node::{Node, Problem};
use people::{NewCollection, Viewer};
use serde_json::json;
use stix::Tlp;

/// A marking's word, with `TLP:` before it or not.
fn marking(word: &str) -> Result<Tlp, Problem> {
    let words = || Tlp::ALL.map(|tlp| tlp.as_str().trim_start_matches("TLP:")).join(", ");
    word.parse().map_err(|_| Problem::other(format!("`{word}` is no marking of TLP 2.0: write one of {}", words())))
}

pub fn run(node: &Node, me: &Viewer, what: &Collections, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let people = &node.people;
    let (changed, said) = match what {
        Collections::Create { title, description, marking: highest, default, listed, exercise } => {
            let default = default.as_deref().map(marking).transpose()?;
            let (highest, listed, exercise) = (marking(highest)?, *listed, *exercise);
            let new = NewCollection { title, description, highest, default, listed, exercise };
            let made = people.make_collection(me, &new)?;
            let (id, said) = (made.id, made.id.to_string());
            writeln!(io.err, "nobody reads it yet: `eye grant add --collection {id} --account NAME` lets them")?;
            (made, said)
        }
        Collections::Rename { collection, title, description } => {
            let id = among(&people.grantable_collections(me)?, collection)?;
            let renamed = people.rename_collection(me, id, title, description.as_deref())?;
            let said = format!("{id} is called {}", renamed.title());
            (renamed, said)
        }
        Collections::Close { collection } => {
            let closed = people.close_collection(me, among(&people.grantable_collections(me)?, collection)?, true)?;
            let said = format!("closed: {}; `eye collections open {}` opens it again", closed.title(), closed.id);
            (closed, said)
        }
        Collections::Open { collection } => {
            let opened = people.close_collection(me, among(&people.grantable_collections(me)?, collection)?, false)?;
            let said = format!("open again: {}", opened.title());
            (opened, said)
        }
    };
    // Whoever reads the access log finds whose audience it was.
    io.about.push(format!("collection--{}", changed.id));
    if json {
        let audience = &changed.audience;
        return io.json(&json!({"id": changed.id.to_string(), "title": changed.title(), "closed": audience.closed,
            "highest": audience.highest.as_str(), "default": audience.default.as_str()}));
    }
    Ok(writeln!(io.out, "{said}")?)
}
