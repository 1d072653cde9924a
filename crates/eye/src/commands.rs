//! What each command does, with a node in hand: the same beside a server and without one.
mod ingest;
pub mod read;
mod tend;

use crate::arguments::{Command, Reference, Token, User, World};
use crate::node::{self, Node, Problem};
use ledger::CollectionId;
use people::entry::Member;
use people::{Role, Viewer};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Views are waited for as long as this by a command that promises level ones.
pub const PATIENCE: Duration = Duration::from_secs(3_600);
/// Bytes of a line with a password, at most; the hall refuses shorter ones than this already.
const LONGEST_PASSWORD: u64 = 1 << 16;
/// The title of the collection that `eye world load` fills.
const WORLD: &str = "EXERCISE world";

/// Where a command reads and writes.
pub struct Io<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    pub stdin: &'a mut dyn Read,
    /// The caller's folder, which relative paths start from.
    pub cwd: PathBuf,
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
        Command::Init { name, country, exercise } => node::init(data, name, country, *exercise)
            .and_then(|()| Ok(writeln!(io.out, "a node stands in {}", data.display())?)),
        Command::Restore { from } => tend::restore(from, data, io),
        Command::World(World::Write { seed, agencies, months, objects, dir }) => {
            tend::write_world(*seed, *agencies, *months, *objects, &io.path(dir), io)
        }
        // Verifying reads only: a damaged node must be told about, not opened.
        Command::Verify { views: false, json } => return told(tend::verify_folder(data, *json, io), io),
        _ => Err(Problem::other("this command works on an open node")),
    };
    told(result.map(|()| 0), io)
}

/// Runs a command on an open node; its exit code.
pub fn run(data: &Path, node: &Node, command: &Command, io: &mut Io<'_>) -> u8 {
    told(on(data, node, command, io), io)
}

fn told(result: Result<u8, Problem>, io: &mut Io<'_>) -> u8 {
    match result {
        Ok(code) => code,
        Err(e) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(io.err, "eye: {e}");
            1
        }
    }
}

fn on(data: &Path, node: &Node, command: &Command, io: &mut Io<'_>) -> Result<u8, Problem> {
    let me = node.people.local_viewer()?;
    match command {
        Command::Ingest(job) => return ingest::run(node, &me, job, io),
        Command::Search { json, limit, query } => read::search(node, &me, &query.join(" "), *limit, *json, io)?,
        Command::Show { json, id } => read::show(node, &me, id, *json, io)?,
        Command::Links { json, limit, selector } => read::links(node, &me, selector.as_deref(), *limit, *json, io)?,
        Command::Collections { json } => read::collections(node, &me, *json, io)?,
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
        Command::Expunge(about) => {
            let gone = node.intel.expunge(&me, &about.id, &about.reason)?;
            writeln!(io.out, "erased {gone} version(s)")?;
        }
        Command::Verify { views, json } => return tend::verify(node, *views, *json, io),
        Command::Rebuild => tend::rebuild(node, io)?,
        Command::Backup { to } => tend::backup(node, &io.path(to), io)?,
        Command::User(user) => users(node, &me, user, io)?,
        Command::Token(token) => tokens(node, &me, token, io)?,
        Command::World(World::Load { seed }) => load_world(node, &me, *seed, io)?,
        Command::World(World::Remove) => remove_world(node, &me, io)?,
        Command::Reference(Reference::Add { kind, name, files }) => {
            tend::add_lists(node, kind, name.as_deref(), files, io)?
        }
        Command::Reference(Reference::List { json }) => tend::lists(node, *json, io)?,
        Command::Doctor { json } => return tend::doctor(data, node, *json, io),
        Command::Init { .. }
        | Command::Serve(_)
        | Command::Restore { .. }
        | Command::Completions { .. }
        | Command::Man
        | Command::World(World::Write { .. }) => {
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
    let known = node.people.collections(me)?;
    let found = known.iter().find(|c| c.id.to_string() == name || c.title() == name).map(|c| c.id);
    found.ok_or_else(|| Problem::other(format!("no collection is called `{name}`; `eye collections` lists them")))
}

/// The words of roles that people and programs may have.
fn role(word: &str) -> Result<Role, Problem> {
    Ok(match word {
        "reader" => Role::Reader,
        "analyst" => Role::Analyst,
        "supervisor" => Role::Supervisor,
        "administrator" => Role::Administrator,
        "auditor" => Role::Auditor,
        _ => {
            return Err(Problem::other(format!(
                "no role is called `{word}`: write reader, analyst, supervisor, administrator or auditor"
            )));
        }
    })
}

fn users(node: &Node, me: &Viewer, user: &User, io: &mut Io<'_>) -> Result<(), Problem> {
    match user {
        User::Add { name, role: word, .. } => {
            let mut password = String::new();
            std::io::BufRead::read_line(
                &mut std::io::BufReader::new((&mut *io.stdin).take(LONGEST_PASSWORD)),
                &mut password,
            )?;
            let account = node.people.add_user(me, name, role(word)?, password.trim_end_matches(['\r', '\n']))?;
            writeln!(io.out, "account {account}")?;
        }
        User::Link { role: word, minutes } => {
            let secret = node.people.link_token(me, role(word)?, *minutes)?;
            writeln!(io.err, "signs in once as {word}, within {minutes} minutes")?;
            writeln!(io.out, "/sign-in/link/{secret}")?;
        }
        User::List => {
            for account in node.people.accounts(me)? {
                writeln!(io.out, "{}\t{}\t{:?}", account.number, account.display(), account.body.role)?;
            }
        }
    }
    Ok(())
}

fn tokens(node: &Node, me: &Viewer, token: &Token, io: &mut Io<'_>) -> Result<(), Problem> {
    match token {
        Token::Create { role: word, name, days } => {
            let secret = node.people.create_token(me, &people::NewToken { name, role: role(word)?, days: *days })?;
            writeln!(io.out, "{secret}")?;
        }
        Token::List => {
            for row in node.people.tokens(me) {
                writeln!(io.out, "{}\taccount {}", row.number, row.account)?;
            }
        }
        Token::Revoke { number } => node.people.revoke_token(me, *number)?,
    }
    Ok(())
}

/// Brings the small world once; a second call changes nothing.
fn load_world(node: &Node, me: &Viewer, seed: u64, io: &mut Io<'_>) -> Result<(), Problem> {
    let known = node.people.collections(me)?.into_iter().find(|c| c.title() == WORLD);
    let collection = match known {
        Some(collection) => collection,
        None => {
            let members = vec![Member::role(Role::Reader, false), Member::role(Role::Analyst, true)];
            let mut audience = people::entry::AudienceBody::shared(WORLD, stix::Tlp::AmberStrict, members);
            audience.exercise = true;
            audience.listed = true;
            audience.description = "An invented world that shows how objects link. EXERCISE, all of it.".into();
            node.people.create_collection(me, &audience)?
        }
    };
    let me = node.people.local_viewer()?;
    let bodies = world::small(seed);
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let taken = node.intel.take(&me, collection.id, &bodies, ledger::Urgency::Bulk)?;
    node.ledger.level(PATIENCE)?;
    let new = taken.iter().filter(|t| matches!(t.outcome, intel::Took::New { .. })).count();
    writeln!(
        io.out,
        "the EXERCISE world stands in the collection \"{WORLD}\": {} objects, {new} of them new",
        bodies.len()
    )?;
    Ok(())
}

fn remove_world(node: &Node, me: &Viewer, io: &mut Io<'_>) -> Result<(), Problem> {
    let Some(collection) = node.people.collections(me)?.into_iter().find(|c| c.title() == WORLD) else {
        writeln!(io.out, "no EXERCISE world is loaded")?;
        return Ok(());
    };
    let gone = node.intel.withdraw_collection(me, collection.id, "the EXERCISE world was removed")?;
    node.ledger.level(PATIENCE)?;
    writeln!(io.out, "withdrew {gone} objects of the EXERCISE world")?;
    Ok(())
}
