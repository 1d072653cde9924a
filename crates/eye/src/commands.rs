//! What each command does, with a node in hand: the same beside a server and without one.
mod access;
mod accounts;
mod collections;
mod doctor;
mod grants;
mod imports;
mod ingest;
mod lists;
mod money;
mod proof;
pub mod read;
mod tend;
mod worlds;

pub use doctor::problems;

use crate::arguments::{Command, is_proof_file};
use crate::meter::Meter;
use crate::node::{self, Node, Problem};
use ledger::CollectionId;
use people::Viewer;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Views are waited for as long as this by a command that promises level ones.
pub const PATIENCE: Duration = Duration::from_secs(3_600);

/// Waits until every view has what the log has now, and tells how far they are.
pub fn level(node: &Node, io: &Io<'_>) -> Result<(), Problem> {
    let (head, until) = (node.ledger.head().pos, Instant::now() + PATIENCE);
    for view in node.ledger.views() {
        while let Err(e) = view.wait(head, Duration::from_millis(200)) {
            match e {
                ledger::Error::Behind { behind, .. } if Instant::now() < until => {
                    io.meter.tell("views catch up", head.saturating_sub(behind), Some(head));
                }
                other => return Err(other.into()),
            }
        }
    }
    Ok(node.ledger.level(PATIENCE)?)
}
/// Where a command reads and writes.
pub struct Io<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    pub stdin: &'a mut dyn Read,
    /// The caller's folder, which relative paths start from.
    pub cwd: PathBuf,
    /// Hears how far long work is.
    pub meter: Meter,
    /// What the command turned out to be about, for its row of the access log: ids that only running it tells.
    pub about: Vec<String>,
}

impl Io<'_> {
    /// One JSON value on a line.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<(), Problem> {
        Ok(writeln!(self.out, "{value}")?)
    }
    /// A path as the caller meant it.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }
}

/// Runs a command that opens no node.
pub fn alone(data: &Path, command: &Command, io: &mut Io<'_>) -> u8 {
    let result = match command {
        Command::Init { name, country, exercise } => node::init(data, name, *country, *exercise)
            .and_then(|()| Ok(writeln!(io.out, "a node stands in {}", data.display())?)),
        Command::Restore { from, recovery_key, passphrase } => {
            tend::restore(from, data, recovery_key.as_deref(), passphrase, io)
        }
        Command::RecoveryKey { file } => tend::recovery_key(file, io),
        Command::World(world) => worlds::write(world, io),
        Command::Money(what) => return told(money::run(data, what, io), io),
        Command::Verify { what: Some(what), public_key, json, .. } if is_proof_file(what) => {
            return told(proof::file(data, &io.path(Path::new(what)), public_key.as_deref(), *json, io), io);
        }
        // These read only: a damaged node must be told about, not opened.
        Command::Doctor { json, accept_clock: false } => return told(doctor::run(data, None, *json, io), io),
        Command::Verify { what: None, views: false, json, .. } => {
            return told(tend::verify_folder(data, *json, io), io);
        }
        _ => Err(Problem::other("this command works on an open node")),
    };
    told(result.map(|()| 0), io)
}

/// Runs a command on a node that was opened for it: first its views catch up with the log, as after a restore.
pub fn run_alone(data: &Path, node: &Node, command: &Command, io: &mut Io<'_>) -> u8 {
    // These say how the node is, or mend it: none waits for a view that cannot get level.
    let reads =
        !matches!(command, Command::Doctor { .. } | Command::Verify { .. } | Command::Rebuild | Command::Logged { .. });
    match if reads { level(node, io) } else { Ok(()) } {
        Ok(()) => run(data, node, command, io),
        Err(e) => told(Err(e), io),
    }
}

/// Runs a command on an open node; its exit code.
pub fn run(data: &Path, node: &Node, command: &Command, io: &mut Io<'_>) -> u8 {
    let result = on(data, node, command, io);
    // A verification that found damage was done, but did not hold.
    let held = match command {
        Command::Verify { .. } => matches!(result, Ok(0)),
        Command::Logged { failed, .. } => !failed && result.is_ok(),
        _ => result.is_ok(),
    };
    if let Err(e) = record(node, command, held, &io.about) {
        // Nobody is left to tell when stderr is closed.
        let _ = writeln!(io.err, "eye: the access log: {e}");
    }
    told(result, io)
}

/// A command reads and writes as the account `local`: one row of the access log each, ids and a keyed hash of what was
/// searched for, as of a page.
fn record(node: &Node, command: &Command, done: bool, about: &[String]) -> Result<(), Problem> {
    let me = node.people.local_viewer()?;
    let (method, id, query) = match command {
        Command::Ingest(_) => ("ingest", None, None),
        Command::Search { query, .. } => ("search", None, Some(query.join(" "))),
        Command::Show { id, .. } => ("show", Some(id), None),
        Command::Import(_) => ("import", None, None),
        Command::Links { selector, .. } => ("links", None, selector.clone()),
        Command::Export { .. } => ("export", None, None),
        Command::Withdraw(about) => ("withdraw", Some(&about.id), None),
        Command::Expunge(about) => ("expunge", Some(&about.id), None),
        Command::Verify { what, .. } => ("verify", what.as_ref(), None),
        Command::Backup { .. } => ("backup", None, None),
        Command::User(_) => ("user", None, None),
        Command::Token(_) => ("token", None, None),
        Command::Grant(_) => ("grant", None, None),
        Command::Collections { what: Some(_), .. } => ("collections", None, None),
        Command::Access(asked) => ("access", asked.about.as_ref(), asked.about.clone()),
        Command::World(_) => ("world", None, None),
        Command::Money(_) => ("money", None, None),
        Command::Reference(_) => ("reference", None, None),
        Command::Logged { what, .. } => (what.as_str(), None, None),
        // What these say, whoever may read the folder reads there.
        _ => return Ok(()),
    };
    // What is no id may be a number that somebody typed: it stays out.
    let typed = id.into_iter().map(String::as_str).filter(|id| stix::StixId::parse(id).is_ok());
    let ids: Vec<&str> = typed.chain(about.iter().map(String::as_str)).collect();
    let status = if done { 200 } else { 400 };
    let access = people::Access {
        viewer: Some(&me),
        method,
        route: "eye",
        status,
        ids: &ids,
        query: query.as_deref(),
        ..Default::default()
    };
    node.people.access_log().record(&access)?;
    Ok(node.people.access_log().flush()?)
}

fn told(result: Result<u8, Problem>, io: &mut Io<'_>) -> u8 {
    match result {
        Ok(code) => code,
        Err(e) => e.read_enough().unwrap_or_else(|| {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(io.err, "eye: {e}");
            1
        }),
    }
}

fn on(data: &Path, node: &Node, command: &Command, io: &mut Io<'_>) -> Result<u8, Problem> {
    let me = node.people.local_viewer()?;
    match command {
        Command::Ingest(job) => return ingest::run(node, &me, job, io),
        Command::Search { json, limit, query } => read::search(node, &me, &query.join(" "), *limit, *json, io)?,
        Command::Show { json, id } => read::show(node, &me, id, *json, io)?,
        Command::Import(what) => imports::run(node, &me, what, io)?,
        Command::Links { overrule: Some(word), reason, selector: Some(selector), .. } => {
            read::overrule(node, &me, selector, word, reason.as_deref().unwrap_or_default(), io)?
        }
        Command::Links { json, limit, selector, .. } => read::links(node, &me, selector.as_deref(), *limit, *json, io)?,
        Command::Collections { what: Some(what), json } => collections::run(node, &me, what, *json, io)?,
        Command::Collections { what: None, json } => read::collections(node, &me, *json, io)?,
        Command::Stats { json } => read::stats(node, &me, *json, io)?,
        Command::Export { collection, .. } => {
            let collection = collection.as_deref().map(|c| collection_named(node, &me, c)).transpose()?;
            read::export(node, &me, collection, io)?;
        }
        Command::Withdraw(about) => {
            let gone = node.intel.withdraw(&me, &about.id, &intel::Which::All, None, &about.reason)?;
            node.ledger.level(PATIENCE)?;
            writeln!(io.out, "withdrew {gone} version(s)")?;
        }
        Command::Expunge(about) if ::money::decided::is_id(&about.id) => {
            ::money::decided::expunge(&node.ledger, &me, &about.id, &about.reason)?;
            writeln!(io.out, "erased 1 decision")?;
        }
        Command::Expunge(about) if ::money::bank::load_of_id(&about.id).is_some() => {
            money::expunge_load(data, &me, about, io)?;
        }
        Command::Expunge(about) => {
            let gone = node.intel.expunge(&me, &about.id, &about.reason)?;
            taxii::forget(&node.ledger, &about.id)?;
            writeln!(io.out, "erased {gone} version(s)")?;
        }
        Command::Verify { what: Some(_), public_key: Some(_), .. } => {
            return Err(Problem::other(
                "--public-key is for a proof file; an object here is proved by this node's own key",
            ));
        }
        Command::Verify { what: Some(id), to, without_body, json, .. } => {
            return proof::object(node, &me, id, to.as_deref(), *without_body, *json, io);
        }
        Command::Verify { views, json, .. } => return tend::verify(node, *views, *json, io),
        Command::Rebuild => tend::rebuild(node, io)?,
        Command::Backup { to, recipient, passphrase } => tend::backup(node, &io.path(to), recipient, passphrase, io)?,
        Command::User(user) => accounts::users(node, &me, user, io)?,
        Command::Token(token) => accounts::tokens(node, &me, token, io)?,
        Command::Grant(grant) => grants::run(node, &me, grant, io)?,
        Command::Access(asked) => access::run(node, &me, asked, io)?,
        Command::World(world) => worlds::here(node, &me, world, io)?,
        Command::Reference(what) => lists::run(node, what, io)?,
        Command::Doctor { json, accept_clock } => {
            if *accept_clock {
                node.ledger.accept_clock()?;
            }
            return doctor::run(data, Some(node), *json, io);
        }
        Command::Logged { .. } => {}
        Command::Money(what) => money::on_node(node, &me, what, io)?,
        Command::Init { .. }
        | Command::Serve(_)
        | Command::Restore { .. }
        | Command::RecoveryKey { .. }
        | Command::Completions { .. }
        | Command::Man => {
            return Err(Problem::other("this command works without a node; stop the server or name another folder"));
        }
    }
    Ok(0)
}

/// A collection by its id, its title, or `intake`.
pub fn collection_named(node: &Node, me: &Viewer, name: &str) -> Result<CollectionId, Problem> {
    if name.eq_ignore_ascii_case("intake") {
        return Ok(ledger::INTAKE);
    }
    among(&node.people.collections(me)?, name)
}

/// The one of these that has the id, else the title.
pub fn among(known: &[Arc<people::Collection>], name: &str) -> Result<CollectionId, Problem> {
    if let Some(found) = known.iter().find(|c| c.id.to_string() == name) {
        return Ok(found.id);
    }
    let titled: Vec<_> = known.iter().filter(|c| c.title() == name).map(|c| c.id).collect();
    match titled[..] {
        [one] => Ok(one),
        [] => Err(Problem::other(format!("no collection is called `{name}`; `eye collections` lists them"))),
        _ => {
            let ids: Vec<String> = titled.iter().map(ToString::to_string).collect();
            Err(Problem::other(format!(
                "several collections are called `{name}`: name one by its id, {}",
                ids.join(" or ")
            )))
        }
    }
}
