//! What a SIGKILL at any moment may cost: nothing that was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::{Seeded, unwrap, wrap};
use ledger::testing::check;
use ledger::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// When to kill.
enum Aim<'a> {
    /// Some time after it opened.
    After(Duration),
    /// Some time after it began to erase something.
    Erasing(Duration),
    /// As soon as, while it erases something, this file became shorter.
    Cut(&'a str),
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |about| about.len())
}

impl Aim<'_> {
    fn wait(&self, data: &Path, heard: &Receiver<Vec<u8>>, lines: &mut String) {
        if let Self::After(time) = self {
            return std::thread::sleep(*time);
        }
        while !lines.contains("erasing ") {
            let line = heard.recv_timeout(Duration::from_secs(30)).expect("it erases something");
            lines.push_str(&String::from_utf8(line).unwrap());
        }
        match self {
            Self::Erasing(time) => std::thread::sleep(*time),
            Self::Cut(file) => {
                let (file, until) = (data.join(file), Instant::now() + Duration::from_secs(2));
                let mut longest = length(&file);
                while Instant::now() < until && length(&file) >= longest {
                    longest = longest.max(length(&file));
                }
            }
            Self::After(_) => {}
        }
    }
}

/// Runs the program, kills it some time after it opened, and returns the whole lines it had printed.
fn run_and_kill(data: &Path, work: &str, after: Duration) -> Vec<String> {
    run_and_aim(data, work, &Aim::After(after))
}

fn run_and_aim(data: &Path, work: &str, aim: &Aim<'_>) -> Vec<String> {
    let mut child = started(data, work);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert_eq!(first, "open\n", "it opens whatever was killed before");
    // Its pipe is read meanwhile: it must not stand still because nobody listens.
    let (tell, heard) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).unwrap() > 0 {
            drop(tell.send(std::mem::take(&mut line)));
        }
    });
    let mut text = String::new();
    aim.wait(data, &heard, &mut text);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    text.extend(heard.iter().map(|line| String::from_utf8(line).unwrap()));
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    text[..whole].lines().map(str::to_owned).collect()
}

fn started(data: &Path, work: &str) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ledger-crash"));
    command.args([data.to_str().unwrap(), work]).stdout(Stdio::piped()).spawn().unwrap()
}

fn acknowledged(lines: &[String]) -> BTreeMap<u64, String> {
    let pair = |line: &String| line.split_once(' ').and_then(|(pos, name)| Some((pos.parse().ok()?, name.to_owned())));
    lines.iter().filter_map(pair).collect()
}

/// Opens without rooms (an unfinished erasure goes on), closes, proves the folder.
fn reopened(data: &Path, see: impl FnOnce(&Ledger)) -> Report {
    let ledger = Ledger::open(data, Options { every_minute: false, ..Options::default() }, Vec::new()).unwrap();
    see(&ledger);
    ledger.close();
    let report = verify_folder(data, &mut |_, _| {}).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
    report
}

fn node() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    Ledger::create(&data).unwrap();
    (folder, data)
}

#[test]
fn twenty_kills_or_more_lose_nothing_that_was_acknowledged() {
    let (_folder, data) = node();
    let (mut seed, mut all) = (Seeded(20), BTreeMap::new());
    for round in 0.. {
        if round >= 20 && all.len() > 100 {
            break;
        }
        assert!(round < 100, "next to nothing is ever acknowledged");
        let lines = run_and_kill(&data, "append", Duration::from_millis(5 + seed.below(150)));
        all.extend(acknowledged(&lines));
        reopened(&data, |ledger| {
            for (pos, name) in &all {
                let entry = ledger.log().entry(*pos).unwrap().unwrap();
                assert_eq!((&*entry.subject, entry.body.is_some()), (name.as_str(), true));
            }
        });
    }
}

#[test]
fn kills_in_the_middle_of_a_rebuild_leave_a_view_that_equals_the_log() {
    let (_folder, data) = node();
    let mut seed = Seeded(5);
    let mut rebuilt = 0;
    for round in 0.. {
        if round >= 5 && rebuilt > 0 {
            break;
        }
        assert!(round < 60, "no rebuild ever ends");
        let lines = run_and_kill(&data, "rebuild", Duration::from_millis(20 + seed.below(200)));
        rebuilt += lines.iter().filter(|l| *l == "rebuilt").count();
        reopened(&data, |_| {});
    }
    // Level, one file a room: what a kill left of a rebuild is gone once the room was opened again.
    run_and_kill(&data, "append", Duration::from_millis(300));
    let files = std::fs::read_dir(data.join("views")).unwrap().flatten();
    let names: Vec<_> = files.map(|f| f.file_name().into_string().unwrap()).filter(|n| n.ends_with(".db")).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn kills_in_the_middle_of_a_rebuild_over_damaged_bodies_leave_them_named_and_everything_else_folded() {
    let (_folder, data) = node();
    run_and_kill(&data, "append", Duration::from_millis(400));
    let log = rusqlite::Connection::open(data.join("log.db")).unwrap();
    let last: i64 = log.query_row("SELECT max(pos) FROM entries", [], |r| r.get(0)).unwrap();
    let damaged = [1, last / 2, last];
    for pos in damaged {
        let sql = "UPDATE bodies SET body = replace(body, 'EXERCISE', 'EXERCISF') WHERE pos = ?";
        assert_eq!(log.execute(sql, [pos]).unwrap(), 1);
    }
    drop(log);
    for file in std::fs::read_dir(data.join("views")).unwrap().flatten() {
        std::fs::remove_file(file.path()).unwrap();
    }
    let (mut seed, mut rebuilt) = (Seeded(23), 0);
    for round in 0.. {
        if round >= 5 && rebuilt > 0 {
            break;
        }
        assert!(round < 60, "no rebuild ever ends");
        let lines = run_and_kill(&data, "rebuild", Duration::from_millis(20 + seed.below(200)));
        rebuilt += lines.iter().filter(|l| *l == "rebuilt").count();
    }
    let level = started(&data, "level").wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&level.stdout).contains("equal"), "{level:?}");
    let places: Vec<String> = damaged.iter().map(|pos| format!("bodies, pos {pos}")).collect();
    let report = verify_folder(&data, &mut |_, _| {}).unwrap();
    assert_eq!(report.problems.iter().map(|p| p.place.clone()).collect::<Vec<_>>(), places);
    let files = std::fs::read_dir(data.join("views")).unwrap().flatten().map(|f| f.path());
    let views: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "db")).collect();
    assert_eq!(views.len(), 2, "{views:?}");
    for view in views {
        let view = rusqlite::Connection::open(view).unwrap();
        let mut stmt = view.prepare("SELECT pos FROM unfolded ORDER BY pos").unwrap();
        let named: Vec<i64> = stmt.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(named, damaged);
    }
}

#[test]
fn an_erasure_that_was_killed_goes_on_at_the_next_start() {
    let (_folder, data) = node();
    let mut seed = Seeded(11);
    let mut gone = Vec::new();
    for round in 0.. {
        if round >= 8 && !gone.is_empty() {
            break;
        }
        assert!(round < 60, "no erasure ever ends");
        let lines = run_and_kill(&data, "expunge", Duration::from_millis(10 + seed.below(120)));
        gone.extend(lines.iter().filter_map(|l| l.strip_prefix("erased ").map(str::to_owned)));
        // Begun or ended: once the room's view was opened again, an erasure that stands in `state` is finished.
        run_and_kill(&data, "append", Duration::from_millis(50));
        let report = reopened(&data, |ledger| {
            nothing_is_left_to_erase(ledger);
        });
        assert!(report.expunged >= gone.len() as u64);
    }
    for name in &gone {
        assert_eq!(holders(&data, name), Vec::<&str>::new(), "{name} was erased");
    }
}

fn nothing_is_left_to_erase(ledger: &Ledger) {
    let count =
        |c: &rusqlite::Connection| Ok(c.query_row("SELECT count(*) FROM expunges", [], |r| r.get::<_, i64>(0))?);
    assert_eq!(ledger.state().read(count).unwrap(), 0, "an erasure could not be finished; is the disk full?");
}

/// The files that hold the words of an object.
fn holders(data: &Path, name: &str) -> Vec<&'static str> {
    let n: u64 = name.rsplit('-').next().unwrap().parse().unwrap();
    let word = format!("secret{n}secret");
    let mut files = FILES.to_vec();
    files.retain(|file| {
        let bytes = std::fs::read(data.join(file)).unwrap_or_default();
        bytes.windows(word.len()).any(|w| w == word.as_bytes())
    });
    files
}

const FILES: [&str; 6] =
    ["log.db", "log.db-wal", "state.db", "state.db-wal", "views/standing.1.1.db", "views/standing.1.1.db-wal"];

#[test]
fn a_kill_while_bodies_are_deleted_and_each_file_is_cut_leaves_all_of_an_object_or_no_byte_of_it() {
    let (_folder, data) = node();
    let (mut seed, mut within, mut finished) = (Seeded(17), 0, 0);
    for round in 0..24 {
        let aim = match round % 6 {
            0 => Aim::Cut("log.db-wal"),
            1 => Aim::Cut("views/standing.1.1.db-wal"),
            2 => Aim::Cut("state.db-wal"),
            _ => Aim::Erasing(Duration::from_micros(seed.below(30_000))),
        };
        let lines = run_and_aim(&data, "expunge", &aim);
        let names = |what: &str| -> Vec<String> {
            lines.iter().filter_map(|l| l.strip_prefix(what)).map(str::to_owned).collect()
        };
        let (begun, ended) = (names("erasing "), names("erased "));
        within += usize::from(begun.len() > ended.len());
        // What was begun goes on at the next start, where its room is open.
        let level = started(&data, "level").wait_with_output().unwrap();
        assert!(String::from_utf8_lossy(&level.stdout).contains("equal"), "round {round}: {level:?}");
        reopened(&data, |ledger| {
            nothing_is_left_to_erase(ledger);
            let all = ledger.log().range(0, 1_000_000, 1 << 28).unwrap();
            for name in &begun {
                let entry = all.iter().find(|e| &*e.subject == name && e.kind == "stix").unwrap();
                let erased = all.iter().any(|e| {
                    e.kind == EXPUNGE && e.body.as_deref().is_some_and(|b| b.contains(&hex::encode(entry.id)))
                });
                // Never begun, then it is whole; else there is nothing of it.
                assert_eq!(entry.body.is_none(), erased, "round {round}: {name}");
                assert!(erased || !ended.contains(name), "round {round}: {name} was said to be erased");
                finished += usize::from(erased);
                let holders = holders(&data, name);
                assert_eq!(holders.is_empty(), erased, "round {round}: {name} in {holders:?}, said {ended:?}");
            }
        });
    }
    assert!(within >= 12 && finished >= 12, "the kills miss: {within} within an erasure, {finished} erased");
}

#[test]
fn kills_while_the_views_disk_stands_still_lose_nothing_and_no_reading_lacked_what_was_there() {
    let (_folder, data) = node();
    let (mut seed, mut all, mut said) = (Seeded(9), BTreeMap::new(), BTreeMap::<String, u32>::new());
    for round in 0.. {
        if round >= 12 && said.contains_key("saw") && said.contains_key("behind") {
            break;
        }
        assert!(round < 60, "no reading ever waited: {said:?}");
        let lines = run_and_kill(&data, "partition", Duration::from_millis(10 + seed.below(250)));
        all.extend(acknowledged(&lines));
        for line in lines.into_iter().filter(|l| !l.starts_with(|c: char| c.is_ascii_digit())) {
            assert!(!line.starts_with("wrong"), "round {round}: {line}");
            *said.entry(line).or_default() += 1;
        }
        reopened(&data, |ledger| {
            for (pos, name) in &all {
                assert_eq!(&*ledger.log().entry(*pos).unwrap().unwrap().subject, name);
            }
        });
    }
    let level = started(&data, "level").wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&level.stdout).contains("equal"), "{level:?}");
}

#[test]
fn a_backup_that_was_killed_is_finished_by_the_next() {
    let (folder, data) = node();
    let mut seed = Seeded(3);
    for _ in 0..5 {
        run_and_kill(&data, "backup", Duration::from_millis(5 + seed.below(150)));
    }
    reopened(&data, |ledger| {
        ledger.backup(&data.with_extension("backup"), &wrap(), &|_, _| {}).unwrap();
    });
    let to = folder.path().join("restored");
    let restored = restore(&data.with_extension("backup"), &to, &unwrap(), Options::default(), &mut |_, _| {}).unwrap();
    assert!(restored.report.ok() && restored.report.entries > 0);
    let report = check(&to, false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}
