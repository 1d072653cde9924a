//! What an erasure promises: the word is nowhere in any file, every proof holds, what was erased stays away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::temp_ledger;
use ledger::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

const WORD: &str = "Xylophonquarz";

/// Every file under `root` that holds the word, in UTF-8 or UTF-16LE.
fn holders(root: &Path) -> Vec<PathBuf> {
    let wide: Vec<u8> = WORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut out = Vec::new();
    for file in std::fs::read_dir(root).unwrap().flatten() {
        if file.file_type().unwrap().is_dir() {
            out.extend(holders(&file.path()));
            continue;
        }
        let bytes = std::fs::read(file.path()).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
        if has(WORD.as_bytes()) || has(&wide) {
            out.push(file.path());
        }
    }
    out
}

fn secret(n: u32, fill: usize) -> NewEntry {
    let body = format!(r#"{{"type":"note","content":"EXERCISE {WORD} {} {WORD}"}}"#, "z".repeat(fill));
    object(n, &body, Some(1))
}

#[test]
fn an_erased_word_stands_in_no_file_and_every_proof_holds() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 300);
    // A short one, and one that spills over several pages.
    let small = add(&ledger, secret(5_000, 10));
    many(&ledger, 400, 300);
    let large = add(&ledger, secret(5_000, 60_000).also(|e| e.id = IdSource::Once(b"second".to_vec())));
    many(&ledger, 800, 300);
    assert_eq!(rows(&ledger), 902);
    assert!(!holders(&ledger.path()).is_empty(), "the word is there before");
    ledger.tick().unwrap();
    let done = ledger.expunge(&[small, large], &name(5_000), "a test", 1).unwrap();
    assert_eq!((done.entries.len(), done.bodies), (2, 2));
    assert_eq!(holders(&ledger.path()), Vec::<PathBuf>::new());
    assert_eq!(rows(&ledger), 900);
    assert_eq!(ledger.log().body(small).unwrap(), None);
    assert!(ledger.verify(&mut |_, _| {}).unwrap().ok());
    let key = ledger.keys().signing().verifying_key();
    let proof = ledger.prove(small, true).unwrap().to_json().unwrap();
    assert!(!verify_proof_file(&proof, Some(&key)).unwrap().body);
}

trait Also: Sized {
    fn also(mut self, f: impl FnOnce(&mut Self)) -> Self {
        f(&mut self);
        self
    }
}
impl Also for NewEntry {}

#[test]
fn an_erasure_ends_once_readers_that_were_there_before_have_ended() {
    let ledger = temp_ledger(rooms());
    let pos = add(&ledger, secret(1, 10));
    assert_eq!(rows(&ledger), 1);
    let (started, begun) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let view = ledger.view("words").unwrap();
            view.read(|r| {
                let body: String = r.conn.query_row("SELECT body FROM words", [], |r| r.get(0))?;
                started.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(400));
                let again: String = r.conn.query_row("SELECT body FROM words", [], |r| r.get(0))?;
                assert_eq!(body, again, "a reader sees one moment");
                Ok(())
            })
            .unwrap();
        });
        scope.spawn(|| {
            // A reader that knows no gate: another program, or the log's own readers.
            let conn = open_reader(&ledger.path().join("log.db")).unwrap();
            conn.execute_batch("BEGIN").unwrap();
            let _: i64 = conn.query_row("SELECT count(*) FROM bodies", [], |r| r.get(0)).unwrap();
            started.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(600));
            conn.execute_batch("ROLLBACK").unwrap();
        });
        begun.recv().unwrap();
        begun.recv().unwrap();
        let since = Instant::now();
        ledger.expunge(&[pos], &name(1), "a test", 1).unwrap();
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
        assert_eq!(holders(&ledger.path()), Vec::<PathBuf>::new());
    });
    // The log goes on.
    many(&ledger, 10, 10);
}

#[test]
fn what_was_erased_is_refused_in_every_collection_and_version_also_after_a_restart() {
    let mut ledger = temp_ledger(rooms());
    let pos = add(&ledger, secret(1, 10));
    let by = ledger.expunge(&[pos], &name(1), "a test", 1).unwrap().entries[0];
    let house = ledger.derived_collection("house");
    for _ in 0..2 {
        for again in [secret(1, 10), object(1, "{}", Some(2)), NewEntry { collection: house, ..secret(1, 10) }] {
            let receipt = ledger.append(one(again), Urgency::Interactive).unwrap();
            assert!(matches!(receipt.outcomes[0], Outcome::Refused(Refusal::Expunged(p)) if p == by));
        }
        // Once more changes nothing.
        assert_eq!(ledger.expunge(&[pos], &name(1), "a test", 1).unwrap().bodies, 0);
        ledger.reopen();
    }
    assert!(matches!(ledger.expunge(&[by], &name(1), "a test", 1), Err(Error::Limit(_))));
    assert!(matches!(ledger.expunge(&[], &name(1), "a test", 1), Err(Error::Limit(_))));
    assert!(matches!(ledger.expunge(&[999], &name(1), "a test", 1), Err(Error::Limit(_))));
}

#[test]
fn a_withdrawn_version_may_come_again_as_a_new_entry_and_others_stay_the_same_again() {
    let mut ledger = temp_ledger(rooms());
    let first = add(&ledger, object(1, r#"{"v":1}"#, Some(1)));
    let second = add(&ledger, object(1, r#"{"v":2}"#, Some(2)));
    let target = Target { pos: second, object: name(1), version: Some(2) };
    let outcomes = ledger.withdraw(&[target], "a test", 1).unwrap();
    let entry = ledger.log().entry(outcomes[0].pos().unwrap()).unwrap().unwrap();
    assert_eq!((&*entry.subject, entry.collection), (&*name(1), INTAKE));
    assert_eq!(rows(&ledger), 1);
    for _ in 0..2 {
        assert_eq!(add(&ledger, object(1, r#"{"v":1}"#, Some(1))), first, "not withdrawn: the same again");
        let again = add(&ledger, object(1, r#"{"v":2}"#, Some(2)));
        assert_eq!(again, 4, "withdrawn: a new entry, once");
        ledger.reopen();
    }
    assert_eq!(rows(&ledger), 2);
}

#[test]
fn holders_of_text_outside_the_log_hear_of_an_erasure_before_it_ends() {
    let ledger = temp_ledger(rooms());
    let pos = add(&ledger, secret(1, 10));
    let note = ledger.path().join("quarantine.txt");
    std::fs::write(&note, WORD).unwrap();
    let heard = Arc::new(AtomicU64::new(0));
    let (path, count) = (note.clone(), Arc::clone(&heard));
    ledger.on_expunge(Box::new(move |_, notice| {
        count.store(notice.entries[0].pos, Ordering::Release);
        std::fs::remove_file(&path).unwrap();
    }));
    ledger.expunge(&[pos], &name(1), "a test", 1).unwrap();
    assert_eq!(heard.load(Ordering::Acquire), pos);
    assert_eq!(holders(&ledger.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_rebuild_that_an_erasure_meets_begins_again_and_holds_no_word() {
    let ledger = temp_ledger(rooms());
    let pos = add(&ledger, secret(1, 10));
    many(&ledger, 10, 6_000);
    let erased = std::sync::Once::new();
    std::thread::scope(|scope| {
        let (reached, hear) = mpsc::channel::<()>();
        let eraser = scope.spawn({
            let ledger = &ledger;
            move || {
                hear.recv().unwrap();
                ledger.expunge(&[pos], &name(1), "a test", 1).unwrap();
            }
        });
        let reached = std::sync::Mutex::new(Some(reached));
        ledger
            .rebuild("words", &|_, _| {
                erased.call_once(|| reached.lock().unwrap().take().unwrap().send(()).unwrap());
            })
            .unwrap();
        eraser.join().unwrap();
    });
    assert_eq!(rows(&ledger), 6_000);
    assert_eq!(holders(&ledger.path()), Vec::<PathBuf>::new());
    assert!(ledger.compare("words", &|_, _| {}).unwrap().same());
}

#[test]
fn erasures_amid_writers_readers_and_verifications_end_and_leave_nothing() {
    let ledger = temp_ledger(rooms());
    let targets: Vec<u64> = (0..10).map(|n| add(&ledger, secret(7_000 + n, 500))).collect();
    many(&ledger, 1, 200);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (ledger, done) = (&*ledger, &done);
        scope.spawn(move || {
            let mut n = 20_000;
            while !done.load(Ordering::Acquire) {
                many(ledger, n, 20);
                n += 20;
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                rows(ledger);
                ledger.log().range(0, 50, 1 << 20).unwrap();
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                let report = ledger.verify(&mut |_, _| {}).unwrap();
                assert!(report.ok(), "{:#?}", report.problems);
            }
        });
        for (n, pos) in targets.iter().enumerate() {
            ledger.expunge(&[*pos], &name(7_000 + n as u32), "a test", 1).unwrap();
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(holders(&ledger.path()), Vec::<PathBuf>::new());
}

#[test]
fn an_erasure_that_a_reader_outside_holds_up_is_finished_once_it_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let options = Options { every_minute: false, erasing_waits: Duration::from_millis(50), ..Options::default() };
    let ledger = Ledger::open(folder.path(), options, rooms()).unwrap();
    let pos = add(&ledger, secret(1, 10));
    let heard = Arc::new(AtomicU64::new(0));
    let reader = open_reader(&folder.path().join("log.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM bodies").unwrap();
    let stuck = ledger.expunge(&[pos], &name(1), "a test", 1);
    assert!(matches!(stuck, Err(Error::Behind { view: "log", .. })), "{stuck:?}");
    assert!(ledger.finish_expunging().is_err(), "the reader is still there");
    assert_eq!(ledger.log().body(pos).unwrap(), None, "out of every door already");
    drop(reader);
    assert_eq!(ledger.finish_expunging().unwrap(), 1);
    assert_eq!(holders(folder.path()), Vec::<PathBuf>::new());
    assert_eq!(ledger.finish_expunging().unwrap(), 0);
    // Who registers afterwards hears of what was finished without them.
    let count = Arc::clone(&heard);
    ledger.on_expunge(Box::new(move |_, notice| count.store(notice.entries[0].pos, Ordering::Release)));
    assert_eq!(heard.load(Ordering::Acquire), pos);
    ledger.level(Duration::from_secs(10)).unwrap();
    ledger.close();
    assert!(check(folder.path(), false).unwrap().ok());
}
