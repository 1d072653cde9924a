//! `eye doctor`: one finding a check, each with what it means and what to do. It reads and never writes, beside a running
//! server (which asks itself) and on a node that nobody serves.
mod folder;
mod machine;
mod state;

use super::Io;
use crate::node::{Node, Problem};
use crate::settings::Settings;
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// A file's structure is looked at for as long as this: longer, and a reader would hold up checkpoints.
const PATIENCE: Duration = Duration::from_secs(1);
/// And when somebody waits for a page.
const PATIENCE_OF_A_PAGE: Duration = Duration::from_millis(20);

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// As it should be.
    Ok,
    /// It works; somebody should look at it.
    Look,
    /// It does not work, or somebody reads what they must not.
    Broken,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Look => "look at",
            Self::Broken => "broken",
        }
    }
}

/// What one check found.
#[derive(Debug, Serialize)]
pub struct Finding {
    check: &'static str,
    state: Standing,
    /// What is so and what it means.
    says: String,
    /// What to do; empty when nothing is.
    #[serde(rename = "do")]
    todo: String,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: Standing::Ok, says: says.into(), todo: String::new() }
    }
    fn look(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: Standing::Look, says: says.into(), todo: todo.into() }
    }
    fn broken(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: Standing::Broken, says: says.into(), todo: todo.into() }
    }
}

/// Looks at everything; `node` is the running server's. Exit code 1 when something is broken.
pub fn run(data: &Path, node: Option<&Node>, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    if !ledger::Folder::holds_a_node(data) {
        let data = data.display();
        return Err(Problem::other(format!("no node lives in {data}: make one with `eye init --data {data}`")));
    }
    tell(data, &look(data, node, PATIENCE), node, json, io)
}

/// What is not as it should be, one line each, for the administrator's first page of a running server.
pub fn problems(data: &Path, node: &Node) -> Vec<String> {
    let found = look(data, Some(node), PATIENCE_OF_A_PAGE);
    let wrong = found.into_iter().filter(|f| f.state != Standing::Ok);
    wrong.map(|f| format!("{}: {} \u{2192} {}", f.check, f.says, f.todo)).collect()
}

/// Each file's structure is looked at for `patience`.
fn look(data: &Path, node: Option<&Node>, patience: Duration) -> Vec<Finding> {
    let now = jiff::Timestamp::now();
    let served = node.is_some() || machine::is_locked(data);
    let mut found = vec![machine::server(node.is_some(), served)];
    found.extend(machine::disk(data));
    found.extend(folder::all(data));
    found.extend(machine::settings(data, node));
    found.extend(state::all(data, node, served, now, patience));
    found.extend(state::reference(data, node, now));
    if let Some(node) = node {
        found.extend(state::running(node));
    }
    found
}

fn tell(data: &Path, found: &[Finding], node: Option<&Node>, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let of = |state| found.iter().filter(|f| f.state == state).count();
    let (look, broken) = (of(Standing::Look), of(Standing::Broken));
    if json {
        let settings = node.map_or_else(|| Settings::read(data).ok(), |node| Some((*node.settings).clone()));
        let limits: serde_json::Map<_, _> =
            settings.unwrap_or_default().values().into_iter().map(|(key, value)| (key, value.into())).collect();
        let wrong = found.iter().filter(|f| f.state == Standing::Broken);
        let problems: Vec<String> = wrong.map(|f| format!("{}: {}: {}", f.check, f.says, f.todo)).collect();
        io.json(&json!({"data": data.display().to_string(), "ok": broken == 0, "checks": found, "problems": problems,
            "limits": limits}))?;
        return Ok(u8::from(broken > 0));
    }
    for f in found {
        let todo = if f.todo.is_empty() { String::new() } else { format!(" -> {}", f.todo) };
        writeln!(io.out, "{:<8} {:<12} {}{todo}", f.state.word(), f.check, f.says)?;
    }
    match (broken, look) {
        (0, 0) => writeln!(io.out, "nothing is wrong")?,
        (0, look) => writeln!(io.out, "nothing is broken; {look} to look at")?,
        (broken, look) => writeln!(io.out, "{broken} broken, {look} to look at")?,
    }
    Ok(u8::from(broken > 0))
}
