//! The roof: configuration, the command line, the list of rooms, the server. It owns no rows and no rules of its own.
//! Data flows one way: a command (from a shell, or through the socket of a running server) → a room → stdout.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
mod arguments;
mod commands;
mod fetch;
mod frames;
mod guard;
mod http;
#[cfg(test)]
mod matrix;
mod memory;
mod meter;
mod metrics;
mod node;
mod openapi;
mod passphrase;
mod serve;
mod settings;
mod socket;
#[cfg(test)]
mod strings;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use commands::Io;
use meter::{Bar, Meter};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    memory::few_arenas();
    let words: Vec<String> = std::env::args().collect();
    // clap prints usage errors itself and ends with 2.
    let arguments = Arguments::parse();
    let code = match &arguments.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "eye", &mut script);
            finish(std::io::stdout().write_all(&script).map_err(Into::into))
        }
        Command::Man => {
            finish(clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout()).map_err(Into::into))
        }
        Command::Serve(serve) => finish(serve::run(&arguments.data(), serve)),
        other => with_passphrase(&arguments, other, words),
    };
    ExitCode::from(code)
}

fn finish(result: Result<(), node::Problem>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(e) => e.read_enough().unwrap_or_else(|| {
            tell(&e);
            1
        }),
    }
}

fn tell(e: &node::Problem) {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr(), "eye: {e}");
}

/// What a command is given to read instead of this process's own stdin.
type Given = Option<zeroize::Zeroizing<String>>;

/// Asks for the passphrase of a backup where the command's words name none, and hands it on by stdin.
fn with_passphrase(arguments: &Arguments, command: &Command, mut words: Vec<String>) -> u8 {
    let cwd = std::env::current_dir().unwrap_or_default();
    match passphrase::wanted(command, &cwd) {
        Ok(None) => dispatch(arguments, command, &words, None),
        Ok(given) => {
            words.push(passphrase::WORD.into());
            match Arguments::try_parse_from(&words) {
                Ok(arguments) => dispatch(&arguments, &arguments.command, &words, given),
                Err(e) => finish(Err(node::Problem::other(e.to_string()))),
            }
        }
        Err(e) => finish(Err(e)),
    }
}

/// Runs a command here, or through the socket of the server that owns the folder. A server that is just starting owns the
/// folder before its socket listens, and one that is ending still does after; so a held lock is asked again for a while.
fn dispatch(arguments: &Arguments, command: &Command, words: &[String], given: Given) -> u8 {
    let data = arguments.data();
    let cwd = std::env::current_dir().unwrap_or_default();
    let until = Instant::now() + node::HANDOVER;
    while command.needs_node() {
        match socket::ask(&data, words, &cwd, given.as_deref()) {
            Ok(Some(code)) => return code,
            Ok(None) if !command.opens_node() => break,
            Ok(None) => {}
            Err(e) => return e.read_enough().unwrap_or_else(|| finish(Err(e))),
        }
        match node::open_alone(&data) {
            Ok(node) => {
                let code = here(cwd, words, given, |io| commands::run_alone(&data, &node, command, io));
                node.close();
                return code;
            }
            Err(e) if e.is_locked() && Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            Err(e) if e.is_locked() => {
                tell(&node::Problem::other(format!(
                    "another process owns {} and answers no commands: wait until it has ended, or stop it",
                    data.display()
                )));
                return 1;
            }
            Err(e) => {
                tell(&e);
                return 1;
            }
        }
    }
    let code = here(cwd, words, given, |io| commands::alone(&data, command, io));
    if let Some(what) = command.logged_apart().filter(|_| ledger::Folder::holds_a_node(&data)) {
        log_apart(&data, what, code == 0);
    }
    code
}

/// The row of a command that opened no node: written by the server that runs now, or on the node for this alone.
fn log_apart(data: &Path, what: &str, done: bool) {
    let mut words =
        vec!["eye".to_owned(), "--data".into(), data.to_string_lossy().into_owned(), "logged".into(), what.into()];
    if !done {
        words.push("--failed".into());
    }
    let written = Arguments::try_parse_from(&words).is_ok_and(|row| dispatch(&row, &row.command, &words, None) == 0);
    if !written {
        tell(&node::Problem::other(format!("the access log has no row of `eye {what}`")));
    }
}

/// Runs with this process's own streams.
fn here(cwd: PathBuf, words: &[String], given: Given, run: impl FnOnce(&mut Io<'_>) -> u8) -> u8 {
    let bar = Bar::default();
    let meter = if meter::is_wanted(words) { bar.meter() } else { Meter::silent() };
    let (stdout, mut err) = (bar.before(std::io::stdout()), bar.before(std::io::stderr()));
    // Whoever looks sees each line when it is said, in order with what stderr says.
    let mut out: Box<dyn Write> = if std::io::stdout().is_terminal() {
        Box::new(std::io::LineWriter::new(stdout))
    } else {
        Box::new(std::io::BufWriter::new(stdout))
    };
    let mut own = std::io::stdin();
    let mut given = given.as_ref().map(|given| given.as_bytes());
    let stdin: &mut dyn Read = match &mut given {
        Some(given) => given,
        None => &mut own,
    };
    let mut io = Io { out: &mut *out, err: &mut err, stdin, cwd, meter, about: Vec::new() };
    let code = run(&mut io);
    bar.clear();
    if out.flush().is_err() { 1 } else { code }
}

/// What is fuzzed, and what tests replay.
#[cfg(test)]
#[path = "../fuzz/targets.rs"]
mod fuzzing;
