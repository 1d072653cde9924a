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
    let restored = restore(backup, &to, &unwrap(), Options::default(), &mut |_, _| {}).unwrap();
    (to, restored)
}

#[test]
fn a_backup_made_while_the_node_writes_verifies_and_restores_to_a_new_epoch() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 2_500);
    let backup = ledger.beside().join("backup");
    let manifest = std::thread::scope(|scope| {
        let writer = scope.spawn(|| many(&ledger, 10_000, 2_000));
        let manifest = ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
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
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    many(&ledger, 1_000, 300);
    ledger.expunge(&[17], &name(17), "a test", 1).unwrap();
    let copied = std::sync::atomic::AtomicU64::new(0);
    let count = |_, _| {
        copied.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
    };
    let manifest = ledger.backup(&backup, &wrap(), &count).unwrap();
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
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
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
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
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
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    let to = ledger.beside().join("restored");
    let attempt = |from: &Path| restore(from, &to, &unwrap(), Options::default(), &mut |_, _| {});
    assert!(matches!(
        restore(&backup, &ledger.path(), &unwrap(), Options::default(), &mut |_, _| {}),
        Err(Error::Folder(_))
    ));
    assert!(matches!(ledger.backup(&ledger.path(), &wrap(), &|_, _| {}), Err(Error::Folder(_))));
    let log = std::fs::read(backup.join("log.db")).unwrap();
    let word = b"EXERCISE note number 20";
    let body = log.windows(word.len()).position(|w| w == word).unwrap();
    for (file, at) in [("log.db", body), ("state.db", 100), ("keys.wrapped", 300)] {
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
    assert!(matches!(other.backup(&backup, &wrap(), &|_, _| {}), Err(Error::Folder(_))));
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    attempt(&backup).unwrap();
}

#[test]
fn two_restores_of_one_backup_are_two_origins_and_no_proof_of_one_passes_for_the_other() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 20);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
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
    node.backup(&again, &wrap(), &|_, _| {}).unwrap();
    let (third, restored) = restored(&ledger, &again, "third");
    assert!(restored.origin.contains("/3."));
    sound(&third);
    for (to, _, node) in &nodes {
        node.close();
        assert!(check(to, false).unwrap().ok());
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { out.extend(files(&entry.path())) } else { out.push(entry.path()) }
    }
    out
}

/// Where a key of the node stands in a backup, as it is or in hex.
fn holders_of_keys(node: &Path, backup: &Path) -> Vec<String> {
    let keys: Vec<Vec<u8>> = files(&node.join("keys")).iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(keys.len(), 4);
    let spelled = |key: &Vec<u8>| [key.clone(), hex::encode(key).into(), hex::encode_upper(key).into()];
    let words: Vec<Vec<u8>> = keys.iter().flat_map(spelled).collect();
    let mut holders = Vec::new();
    for file in files(backup) {
        let bytes = std::fs::read(&file).unwrap();
        // A third of a key is as good as half of it.
        let holds = |word: &Vec<u8>| word.chunks_exact(word.len() / 2).any(|w| bytes.windows(w.len()).any(|b| b == w));
        if words.iter().any(holds) {
            holders.push(file.strip_prefix(backup).unwrap().display().to_string());
        }
    }
    holders
}

#[test]
fn no_file_of_a_backup_holds_a_key_and_what_opens_them_restores_the_node() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let phrase = || zeroize::Zeroizing::new("EXERCISE four words here".to_owned());
    for (name, wrap, unwrap) in [
        ("recipient", wrap(), unwrap()),
        ("phrase", Wrap::under_passphrase(phrase()).unwrap(), Unwrap::with_passphrase(phrase())),
    ] {
        let backup = ledger.beside().join(name);
        let manifest = ledger.backup(&backup, &wrap, &|_, _| {}).unwrap();
        assert_eq!(holders_of_keys(&ledger.path(), &backup), Vec::<String>::new(), "{name}");
        assert_eq!((manifest.is_wrapped(), manifest.wants_passphrase()), (true, name == "phrase"));
        // Signatures are checked without opening anything.
        sound(&backup);
        let to = ledger.beside().join(format!("{name} restored"));
        let wrong = Unwrap::with_recovery_keys(&RecoveryKey::generate().unwrap().file()).unwrap();
        for not in [Unwrap::nothing(), wrong, Unwrap::with_passphrase(zeroize::Zeroizing::new("EXERCISE other".into()))]
        {
            let refused = restore(&backup, &to, &not, Options::default(), &mut |_, _| {}).unwrap_err();
            assert!(matches!(refused, Error::Limit(_)), "{name}: {refused}");
            assert!(!to.exists(), "nothing was laid down");
        }
        restore(&backup, &to, &unwrap, Options::default(), &mut |_, _| {}).unwrap();
        let key = |root: &Path| Keys::open(&root.join("keys")).unwrap().signing().to_bytes();
        assert_eq!(key(&to), key(&ledger.path()));
        sound(&to);
    }
}

#[test]
fn a_backup_whose_signatures_another_key_made_does_not_verify() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    let manifest = backup.join("manifest.json");
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let other = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    value["public_key"] = hex::encode(other.as_bytes()).into();
    std::fs::write(&manifest, value.to_string()).unwrap();
    let report = verify_folder(&backup, &mut |_, _| {}).unwrap();
    assert_eq!(report.problems[0].place, "manifest.json");
}

/// What a backup was before keys were wrapped.
fn as_it_was(node: &Path, backup: &Path) {
    use sha2::{Digest, Sha256};
    std::fs::remove_file(backup.join("keys.wrapped")).unwrap();
    copy_folder(&node.join("keys"), &backup.join("keys"));
    let path = backup.join("manifest.json");
    let mut manifest: Manifest = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.format = "compound-eye-backup/1".into();
    (manifest.opened_by, manifest.public_key) = (Vec::new(), None);
    manifest.files.retain(|file| file.name != "keys.wrapped");
    for name in ["signing", "index-hmac", "cookie", "wrap"] {
        let bytes = std::fs::read(node.join("keys").join(name)).unwrap();
        let (sha256, length) = (hex::encode(Sha256::digest(&bytes)), bytes.len() as u64);
        manifest.files.push(BackupFile { name: format!("keys/{name}"), bytes: length, sha256 });
    }
    std::fs::write(path, serde_json::to_string(&manifest).unwrap()).unwrap();
}

#[test]
fn a_folder_of_keys_that_are_not_the_nodes_stays_beside_a_backup() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let backup = ledger.beside().join("stick");
    let theirs = backup.join("keys").join("signing");
    std::fs::create_dir_all(backup.join("keys")).unwrap();
    std::fs::write(&theirs, b"EXERCISE recovery key of somebody").unwrap();
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    assert_eq!(std::fs::read(&theirs).unwrap(), b"EXERCISE recovery key of somebody");
}

#[test]
fn a_backup_from_before_keys_were_wrapped_restores_and_the_next_one_there_wraps_them() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 1, 50);
    let backup = ledger.beside().join("backup");
    ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    as_it_was(&ledger.path(), &backup);
    assert_eq!(holders_of_keys(&ledger.path(), &backup).len(), 4, "the search finds what is there");
    sound(&backup);
    let to = ledger.beside().join("restored");
    restore(&backup, &to, &Unwrap::nothing(), Options::default(), &mut |_, _| {}).unwrap();
    sound(&to);
    many(&ledger, 1_000, 50);
    let manifest = ledger.backup(&backup, &wrap(), &|_, _| {}).unwrap();
    assert_eq!((manifest.head, manifest.is_wrapped()), (100, true));
    assert_eq!(holders_of_keys(&ledger.path(), &backup), Vec::<String>::new());
    assert!(!backup.join("keys").exists());
    restored(&ledger, &backup, "restored again");
}
