//! What a backup promises: whole at the head noted at start, while the node serves; restored, a new epoch in the open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::{TempLedger, temp_ledger};
use ledger::*;
use std::path::Path;
use std::time::Duration;

fn sound(folder: &Path) -> Report {
    let report = verify_folder(folder, &mut |_, _| {}).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
    report
}

fn restored(ledger: &TempLedger, backup: &Path, name: &str) -> (std::path::PathBuf, Restored) {
    let to = ledger.beside().join(name);
    let restored = restore(backup, &to, Options::default(), &mut |_, _| {}).unwrap();
    (to, restored)
}

#[test]
fn a_backup_made_while_the_node_writes_verifies_and_restores_to_a_new_epoch() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 2_500);
    let backup = ledger.beside().join("backup");
    let manifest = std::thread::scope(|scope| {
        let writer = scope.spawn(|| many(&ledger, 10_000, 2_000));
        let manifest = ledger.backup(&backup, &|_, _| {}).unwrap();
        writer.join().unwrap();
        manifest
    });
    assert!(manifest.head >= 2_500);
    assert_eq!(sound(&backup).entries, manifest.head);
    let (to, restored) = restored(&ledger, &backup, "restored");
    assert!(restored.origin.starts_with(&ledger.origin().replace("/1", "/2.")));
    sound(&to);
    let again = Ledger::open(&to, Options::default(), rooms()).unwrap();
    let first = again.log().entry(manifest.head + 1).unwrap().unwrap();
    assert_eq!((first.kind.as_str(), &*first.origin, first.seq), ("epoch", &*restored.origin, 0));
    assert!(first.body.unwrap().contains(&manifest.commit));
    assert_eq!(rows(&again), manifest.head as i64);
    assert!(again.checkpoint().unwrap().unwrap().starts_with(&restored.origin));
    // Entries of the first epoch are proved under heads of the second.
    many(&again, 90_000, 5);
    again.tick().unwrap();
    let proof = again.prove(7, true).unwrap().to_json().unwrap();
    assert!(verify_proof_file(&proof, Some(&again.keys().signing().verifying_key())).unwrap().checkpoint.is_some());
    again.level(Duration::from_secs(10)).unwrap();
    again.close();
    let report = check(&to, false).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}

#[test]
fn a_second_backup_adds_what_is_new_and_forgets_what_was_expunged() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 300);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &|_, _| {}).unwrap();
    many(&ledger, 1_000, 300);
    ledger.expunge(&[17], &name(17), "a test", 1).unwrap();
    let copied = std::sync::atomic::AtomicU64::new(0);
    let count = |_, _| {
        copied.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
    };
    let manifest = ledger.backup(&backup, &count).unwrap();
    assert_eq!(manifest.head, 601);
    assert_eq!(copied.into_inner(), 1, "one round for what is new");
    let report = sound(&backup);
    assert_eq!((report.entries, report.expunged), (601, 1));
    let bytes = std::fs::read(backup.join("log.db")).unwrap();
    let word = b"EXERCISE note number 17\"";
    assert!(!bytes.windows(word.len()).any(|w| w == word));
}

#[test]
fn what_was_expunged_after_the_backup_is_expunged_again_by_the_restore() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &|_, _| {}).unwrap();
    ledger.expunge(&[17], &name(17), "a test", 1).unwrap();
    let (to, restored) = restored(&ledger, &backup, "restored");
    assert_eq!(restored.expunged, 1);
    let again = Ledger::open(&to, Options::default(), rooms()).unwrap();
    assert_eq!(again.log().body(17).unwrap(), None);
    let outcome = again.append(one(object(17, "{}", Some(5))), Urgency::Interactive).unwrap().outcomes.remove(0);
    assert!(matches!(outcome, Outcome::Refused(Refusal::Expunged(_))));
    again.close();
    sound(&to);
}

#[test]
fn cursors_are_no_further_than_the_copied_log() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let set = |name: &'static str, pos: i64| {
        ledger.state().write(move |c| Ok(c.execute("INSERT INTO cursors VALUES (?,?)", (name, pos))?)).unwrap()
    };
    set("far", 10_000);
    set("near", 20);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &|_, _| {}).unwrap();
    let (to, _) = restored(&ledger, &backup, "restored");
    let again = Ledger::open(&to, Options::default(), rooms()).unwrap();
    let cursor = |name: &'static str| {
        again
            .state()
            .read(|c| Ok(c.query_row("SELECT pos FROM cursors WHERE name = ?", [name], |r| r.get::<_, i64>(0))?))
            .unwrap()
    };
    assert_eq!((cursor("far"), cursor("near")), (50, 20));
    again.close();
}

#[test]
fn a_damaged_or_unfinished_backup_is_not_restored_and_nothing_is_overwritten() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &|_, _| {}).unwrap();
    let to = ledger.beside().join("restored");
    let attempt = |from: &Path| restore(from, &to, Options::default(), &mut |_, _| {});
    assert!(matches!(restore(&backup, &ledger.path(), Options::default(), &mut |_, _| {}), Err(Error::Folder(_))));
    assert!(matches!(ledger.backup(&ledger.path(), &|_, _| {}), Err(Error::Folder(_))));
    let log = std::fs::read(backup.join("log.db")).unwrap();
    let word = b"EXERCISE note number 20";
    let body = log.windows(word.len()).position(|w| w == word).unwrap();
    for (file, at) in [("log.db", body), ("state.db", 100), ("keys/wrap", 3)] {
        let copy = ledger.beside().join("copy");
        copy_folder(&backup, &copy);
        let mut bytes = std::fs::read(copy.join(file)).unwrap();
        bytes[at] ^= 1;
        std::fs::write(copy.join(file), bytes).unwrap();
        assert!(attempt(&copy).is_err(), "{file}");
        std::fs::remove_dir_all(&copy).unwrap();
    }
    std::fs::remove_file(backup.join("manifest.json")).unwrap();
    assert!(matches!(attempt(&backup), Err(Error::Folder(_))));
    assert!(!Folder::holds_a_node(&to));
    // Another node's backup stays another node's.
    let other = temp_ledger(rooms());
    assert!(matches!(other.backup(&backup, &|_, _| {}), Err(Error::Folder(_))));
    ledger.backup(&backup, &|_, _| {}).unwrap();
    attempt(&backup).unwrap();
}

#[test]
fn two_restores_of_one_backup_are_two_origins_and_no_proof_of_one_passes_for_the_other() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 20);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &|_, _| {}).unwrap();
    let nodes = ["one", "other"].map(|name| {
        let (to, restored) = restored(&ledger, &backup, name);
        let node = Ledger::open(&to, Options::default(), rooms()).unwrap();
        many(&node, 500, 5);
        node.tick().unwrap();
        node.level(Duration::from_secs(10)).unwrap();
        (to, restored.origin, node)
    });
    let [(_, one, node), (_, other, _)] = &nodes;
    assert_ne!(one, other);
    let key = node.keys().signing().verifying_key();
    let checkpoint = node.checkpoint().unwrap().unwrap();
    assert!(verify_checkpoint(&checkpoint, one, &key).is_ok());
    assert!(matches!(verify_checkpoint(&checkpoint, other, &key), Err(NoteError::Origin { .. })));
    // A third generation goes on from one of them.
    let again = ledger.beside().join("backup of one");
    node.backup(&again, &|_, _| {}).unwrap();
    let (third, restored) = restored(&ledger, &again, "third");
    assert!(restored.origin.contains("/3."));
    sound(&third);
    for (to, _, node) in &nodes {
        node.close();
        assert!(check(to, false).unwrap().ok());
    }
}
