//! What a SIGKILL at any moment may cost: nothing that was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::Seeded;
use ledger::testing::check;
use ledger::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs the program, kills it some time after it opened, and returns the whole lines it had printed.
fn run_and_kill(data: &Path, work: &str, after: Duration) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ledger-crash"))
        .args([data.to_str().unwrap(), work])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert_eq!(first, "open\n", "it opens whatever was killed before");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        text
    });
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let text = reader.join().unwrap();
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    text[..whole].lines().map(str::to_owned).collect()
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
            ledger
                .state()
                .read(|c| {
                    assert_eq!(c.query_row("SELECT count(*) FROM expunges", [], |r| r.get::<_, i64>(0))?, 0);
                    Ok(())
                })
                .unwrap();
        });
        assert!(report.expunged >= gone.len() as u64);
    }
    for name in &gone {
        let n: u64 = name.rsplit('-').next().unwrap().parse().unwrap();
        let word = format!("secret{n}secret");
        for file in
            ["log.db", "log.db-wal", "state.db", "state.db-wal", "views/standing.1.1.db", "views/standing.1.1.db-wal"]
        {
            let bytes = std::fs::read(data.join(file)).unwrap_or_default();
            assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} in {file}");
        }
    }
}

#[test]
fn a_backup_that_was_killed_is_finished_by_the_next() {
    let (folder, data) = node();
    let mut seed = Seeded(3);
    for _ in 0..5 {
        run_and_kill(&data, "backup", Duration::from_millis(5 + seed.below(150)));
    }
    reopened(&data, |ledger| {
        ledger.backup(&data.with_extension("backup"), &|_, _| {}).unwrap();
    });
    let to = folder.path().join("restored");
    let restored = restore(&data.with_extension("backup"), &to, Options::default(), &mut |_, _| {}).unwrap();
    assert!(restored.report.ok() && restored.report.entries > 0);
    let report = check(&to, false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}
