//! What the files say: log, views, erasures, clock, backup, reference lists; and what only a running server knows.
use super::{Finding, machine};
use crate::node::Node;
use jiff::{SignedDuration, Timestamp};
use ledger::{FileState, Inspection, ViewState};
use reference::{Library, ListInfo};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Entries that a view of a running server may lack for the moment.
const BEHIND: u64 = 20_000;
/// A list that was loaded longer ago is old, days.
const OLD: i64 = 30;
/// A backup that was made longer ago is old, days.
const OLD_BACKUP: i64 = 7;
/// A clock may be this much behind the last entry before it is told, seconds.
const BEHIND_CLOCK: i64 = 2;
/// Lists that are named; the rest is counted.
const NAMED: usize = 5;

pub fn all(data: &Path, node: Option<&Node>, served: bool, now: Timestamp, patience: Duration) -> Vec<Finding> {
    let seen = match ledger::inspect(data, served, patience) {
        Ok(seen) => seen,
        Err(e) => {
            let todo = "stop writing, copy the folder, restore the last good backup beside it, compare";
            return vec![Finding::broken("log", format!("log.db or state.db cannot be read: {e}"), todo)];
        }
    };
    let mut found = vec![log(&seen)];
    found.extend(seen.views.iter().map(|view| view_of(view, node)));
    found.push(erasures(&seen, node, served));
    found.push(clock(&seen, now));
    found.push(backup(&seen, now));
    found
}

fn part(state: &FileState) -> &'static str {
    if *state == FileState::WholeSoFar { "; its structure was looked at in part" } else { "" }
}

fn log(seen: &Inspection) -> Finding {
    match &seen.log {
        FileState::Damaged(why) => Finding::broken(
            "log",
            format!("log.db is damaged: {why}"),
            "stop writing, copy the folder, restore the last good backup beside it, compare (`eye verify`)",
        ),
        state => Finding::ok("log", format!("{} entries{}; `eye verify` proves them", seen.entries, part(state))),
    }
}

fn view_of(view: &ViewState, node: Option<&Node>) -> Finding {
    let room = &view.room;
    let open = node.and_then(|node| node.ledger.views().into_iter().find(|v| v.name() == *room));
    // What a running fold has not committed is not behind.
    let (behind, unfolded) = open.map_or((view.behind, view.unfolded), |v| (v.behind(), v.unfolded()));
    let anew = "`eye rebuild` folds it anew from the log";
    match &view.file {
        None => Finding::look("view", format!("{room} has no file"), "the next start folds it anew from the log"),
        Some(FileState::Damaged(why)) => Finding::broken("view", format!("{room} is damaged: {why}"), anew),
        Some(_) if unfolded > 0 => passed_by(view, unfolded),
        Some(_) if behind > BEHIND => {
            Finding::look("view", format!("{room} is {behind} entries behind"), "if it stays so: disk full or slow?")
        }
        Some(_) if behind > 0 && node.is_none() => {
            Finding::look("view", format!("{room} is {behind} entries behind"), "the next start or command folds them")
        }
        Some(state) => Finding::ok("view", format!("{room} is level{}", part(state))),
    }
}

/// Entries that a view could not read, the first of them by their number.
fn passed_by(view: &ViewState, unfolded: u64) -> Finding {
    let mut says = format!("{} could not read {unfolded} entries: they are in no answer", view.room);
    for (pos, why) in &view.passed_by {
        says.push_str(&format!("; entry {pos} ({why})"));
    }
    let todo = match view.passed_by.iter().any(|(_, why)| why.starts_with("log.db")) {
        true => "`eye verify` says what else is damaged; restore it from a backup, then `eye rebuild`",
        false => "`eye rebuild` after an upgrade; else report it as a bug",
    };
    Finding::broken("view", says, todo)
}

fn erasures(seen: &Inspection, node: Option<&Node>, served: bool) -> Finding {
    let n = seen.erasures;
    match node {
        _ if n == 0 => Finding::ok("erasures", "none is unfinished"),
        Some(node) if node.ledger.is_erasing() => {
            Finding::look("erasures", format!("{n} under way"), "ask again in a minute")
        }
        Some(_) => Finding::broken(
            "erasures",
            format!("{n} not finished: what was to be erased may still be in a file; it is tried every minute"),
            "the server's log says why: a full disk, or a program that reads the node's files",
        ),
        None if served => Finding::look("erasures", format!("{n} under way or broken off"), "ask again in a minute"),
        None => Finding::broken(
            "erasures",
            format!("{n} broken off: what was to be erased may still be in a file"),
            "start the node, or run any command: it goes on with them first",
        ),
    }
}

fn clock(seen: &Inspection, now: Timestamp) -> Finding {
    let behind = (seen.arrived - now.as_microsecond()) / 1_000_000;
    if let Some(seconds) = seen.clock_stops_appends(now.as_microsecond()) {
        return Finding::broken(
            "clock",
            format!("the clock is {seconds} s behind the last entry and nothing is taken"),
            "set the clock, or accept it as it is with `eye doctor --accept-clock`",
        );
    }
    if behind > BEHIND_CLOCK {
        let says = format!("the clock is {behind} s behind the last entry: new entries are dated after it");
        return Finding::look("clock", says, "set the clock; over an hour nothing is taken");
    }
    Finding::ok("clock", format!("{}; no entry is later", now.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

fn days_since(at: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(at).max(SignedDuration::ZERO).as_hours() / 24
}

fn backup(seen: &Inspection, now: Timestamp) -> Finding {
    let Some(at) = seen.backed_up.and_then(|at| Timestamp::from_microsecond(at).ok()) else {
        return Finding::look("backup", "none was made by `eye backup`", "eye backup --to FOLDER, on another disk");
    };
    match days_since(at, now) {
        days if days > OLD_BACKUP => {
            Finding::look("backup", format!("the last is {days} days old"), "eye backup --to FOLDER")
        }
        days => Finding::ok("backup", format!("the last is {days} days old")),
    }
}

/// Reference lists: damaged ones, none at all, empty ones, old ones.
pub fn reference(data: &Path, node: Option<&Node>, now: Timestamp) -> Vec<Finding> {
    // A running server's are open already; it is the one who changes them.
    let open = || Library::open(&data.join("reference")).map(Arc::new);
    let library = match node.map_or_else(open, |node| Ok(node.intel.library())) {
        Ok(library) => library,
        Err(e) => return vec![Finding::broken("lists", e.to_string(), "look at the rights of DATA/reference")],
    };
    let broken = library.broken().iter().map(|(name, why)| {
        let todo = format!("add it again, or `eye reference remove {name}`");
        Finding::broken("lists", format!("{name} cannot be read ({why}): it names nothing"), todo)
    });
    let mut found: Vec<Finding> = broken.collect();
    let lists = library.lists();
    if lists.is_empty() {
        let says =
            "no reference list is loaded: nothing is \"listed by\", and what is common links like what is telling";
        found.push(Finding::look("lists", says, "eye reference add --kind warninglist FILE, --kind blocklist FILE"));
        return found;
    }
    let age = |list: &ListInfo| list.loaded.and_then(|at| Timestamp::try_from(at).ok()).map(|at| days_since(at, now));
    let (empty, full): (Vec<_>, Vec<_>) = lists.iter().partition(|list| list.entries == 0);
    if !empty.is_empty() {
        let says = format!("{} empty: {}", empty.len(), names(&empty));
        found.push(Finding::look("lists", says, "add them again from a whole file, or `eye reference remove`"));
    }
    let (old, fresh): (Vec<_>, Vec<_>) = full.into_iter().partition(|list| age(list).is_some_and(|days| days > OLD));
    if !old.is_empty() {
        let says = format!("{} loaded more than {OLD} days ago: {}", old.len(), names(&old));
        found.push(Finding::look("lists", says, "fetch them and add them again (`scripts/feeds.sh`)"));
    }
    if old.is_empty() && empty.is_empty() {
        found.push(Finding::ok("lists", format!("{} loaded, none older than {OLD} days", fresh.len())));
    }
    found
}

fn names(lists: &[&ListInfo]) -> String {
    let mut named: Vec<&str> = lists.iter().take(NAMED).map(|list| list.name.as_str()).collect();
    if lists.len() > NAMED {
        named.push("…");
    }
    named.join(", ")
}

/// What only the server knows of itself.
pub fn running(node: &Node) -> Vec<Finding> {
    let mut found = vec![machine::open_files(node.settings.server.connections)];
    found.push(match node.people.access_log().ready() {
        Ok(()) => Finding::ok("access log", "it takes rows"),
        Err(e) => Finding::broken("access log", format!("{e}: nobody who reads is answered"), "make room; start anew"),
    });
    let most = node.settings.quarantine.total_bytes;
    found.push(match node.intel.quarantine_size() {
        Ok((_, bytes)) if bytes > most - most / 10 => Finding::look(
            "quarantine",
            format!("{bytes} of {most} bytes are taken: soon the oldest import's records go"),
            "mend or drop what was set aside (`eye import quarantine N`), or raise quarantine.total_bytes",
        ),
        Ok((records, _)) => Finding::ok("quarantine", format!("{records} records are set aside")),
        Err(e) => Finding::broken(
            "quarantine",
            format!("it cannot be read: {e}"),
            "stop the node and move quarantine.db away",
        ),
    });
    found
}
