//! `eye collections create`, `rename`, `close`, `open`.
use super::Io;
use crate::arguments::Collections;
use crate::node::{Node, Problem};
use ledger::CollectionId;
use people::{NewCollection, Viewer};
use stix::Tlp;

/// A marking's word, with `TLP:` before it or not.
fn marking(word: &str) -> Result<Tlp, Problem> {
    let words = || Tlp::ALL.map(|tlp| tlp.as_str().trim_start_matches("TLP:")).join(", ");
    word.parse().map_err(|_| Problem::other(format!("`{word}` is no marking of TLP 2.0: write one of {}", words())))
}

/// One whose audience the command line may change, closed or not.
fn changeable(node: &Node, me: &Viewer, name: &str) -> Result<CollectionId, Problem> {
    let known = node.people.grantable_collections(me)?;
    let found = known.iter().find(|c| c.id.to_string() == name || c.title() == name).map(|c| c.id);
    found.ok_or_else(|| Problem::other(format!("no collection is called `{name}`; `eye collections` lists open ones")))
}

pub fn run(node: &Node, me: &Viewer, what: &Collections, io: &mut Io<'_>) -> Result<(), Problem> {
    let changed = match what {
        Collections::Create { title, description, marking: highest, default, listed, exercise } => {
            let default = default.as_deref().map(marking).transpose()?;
            let (highest, listed, exercise) = (marking(highest)?, *listed, *exercise);
            let new = NewCollection { title, description, highest, default, listed, exercise };
            let made = node.people.make_collection(me, &new)?;
            writeln!(io.out, "{}", made.id)?;
            writeln!(io.err, "nobody reads it yet: `eye grant add --collection {} --account NAME` lets them", made.id)?;
            made
        }
        Collections::Rename { collection, title, description } => {
            let id = changeable(node, me, collection)?;
            let renamed = node.people.rename_collection(me, id, title, description.as_deref())?;
            writeln!(io.out, "{id} is called {}", renamed.title())?;
            renamed
        }
        Collections::Close { collection } => {
            let closed = node.people.close_collection(me, changeable(node, me, collection)?, true)?;
            writeln!(io.out, "closed: {}; `eye collections open {}` opens it again", closed.title(), closed.id)?;
            closed
        }
        Collections::Open { collection } => {
            let opened = node.people.close_collection(me, changeable(node, me, collection)?, false)?;
            writeln!(io.out, "open again: {}", opened.title())?;
            opened
        }
    };
    io.about.push(format!("collection--{}", changed.id));
    Ok(())
}
