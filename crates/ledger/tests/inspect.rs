//! What a folder's files say of it: nothing is opened, locked or written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::{add, many, object, rooms};
use ledger::testing::{START, temp_ledger};
use ledger::*;
use std::path::PathBuf;
use std::time::Duration;

const HOUR: i64 = 3_600_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn files(root: &std::path::Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push((path.clone(), std::fs::read(path).unwrap())) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_served_and_a_closed_folder_say_the_same_and_a_look_changes_no_file() {
    let ledger = temp_ledger(rooms());
    many(&ledger, 0, 300);
    ledger.level(PATIENCE).unwrap();
    let root = ledger.folder().root().to_owned();
    let served = inspect(&root, true, PATIENCE).unwrap();
    assert_eq!((served.entries, served.erasures, served.backed_up), (ledger.head().pos, 0, None));
    assert_eq!((served.arrived, &served.log), (ledger.head().arrived, &FileState::Whole));
    ledger.close();
    let before = files(&root);
    let closed = inspect(&root, false, PATIENCE).unwrap();
    assert!(closed.views.len() > 1);
    for view in &closed.views {
        assert_eq!((&view.file, view.behind, view.unfolded), (&Some(FileState::Whole), 0, 0), "{}", view.room);
    }
    assert!(before == files(&root), "a look wrote something");
}

#[test]
fn a_clock_stops_appends_for_the_look_as_it_does_for_the_writer() {
    let ledger = temp_ledger(rooms());
    ledger.clock().forward(3 * HOUR);
    add(&ledger, object(1, "{}", Some(1)));
    ledger.clock().forward(-3 * HOUR);
    let seen = || inspect(ledger.folder().root(), true, PATIENCE).unwrap().clock_stops_appends(ledger.clock().now());
    assert_eq!((seen(), ledger.clock_stops_appends().unwrap()), (Some(3 * 3_600), Some(3 * 3_600)));
    ledger.accept_clock().unwrap();
    assert_eq!((seen(), ledger.clock_stops_appends().unwrap()), (None, None));
    assert_eq!(ledger.clock().now(), START);
}
