//! What verification promises: a sound ledger verifies, beside its use too; a change in any column of any table is
//! found and named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::{TempLedger, temp_ledger};
use ledger::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A ledger with everything in it: imports as causes, two collections, withdrawals, an erasure, several leaves.
fn full() -> TempLedger {
    let mut ledger = temp_ledger(rooms());
    let import = NewEntry {
        kind: Kind::new("import"),
        id: IdSource::Fresh,
        subject: "".into(),
        ..object(0, r#"{"source":"EXERCISE"}"#, None)
    };
    let cause = add(&ledger, import);
    many(&ledger, 1, 600);
    ledger.tick().unwrap();
    for n in 1000..1010 {
        let e = object(n, r#"{"type":"note","content":"EXERCISE"}"#, Some(7));
        add(
            &ledger,
            NewEntry { cause: Some(cause), collection: ledger.derived_collection("house"), time: Some(5), ..e },
        );
    }
    ledger.withdraw(&[Target { pos: 20, object: name(19), version: Some(1) }], "a test", 1).unwrap();
    ledger.expunge(&[30, 31], &name(29), "a test", 1).unwrap();
    ledger.tick().unwrap();
    ledger.clock().forward(60_000_000);
    ledger.tick().unwrap();
    ledger.close_and_check();
    ledger
}

fn verify(root: &Path) -> Report {
    verify_folder(root, &mut |_, _| {}).unwrap()
}

#[test]
fn a_sound_ledger_verifies_offline_and_beside_its_use() {
    let mut ledger = full();
    let report = verify(&ledger.path());
    assert!(report.ok(), "{:#?}", report.problems);
    assert_eq!((report.entries, report.collections, report.expunged), (614, 2, 2));
    assert!(report.leaves >= 4 && report.commits > 3);
    ledger.open();
    let running = std::thread::scope(|scope| {
        let writer = scope.spawn(|| many(&ledger, 5_000, 1_000));
        let report = ledger.verify(&mut |_, _| {}).unwrap();
        writer.join().unwrap();
        report
    });
    assert!(running.ok(), "{:#?}", running.problems);
    assert!(matches!(verify_folder(&ledger.path(), &mut |_, _| {}), Err(Error::Locked(_))));
}

/// Each table with its key, and the rows that are changed.
const TABLES: [(&str, &str, &[usize]); 9] = [
    ("entries", "pos", &[0, 1, 100, 605, 613]),
    ("bodies", "pos", &[0, 1, 100, 605]),
    ("commits", "n", &[0, 2]),
    ("trees", "col", &[0, 1, 2]),
    ("tiles", "col", &[0]),
    ("heads", "n", &[0, 1]),
    ("nodelog", "n", &[0, 1, 2]),
    ("names", "n", &[0, 1, 2, 3, 4, 5, 6]),
    ("suppressed", "h", &[0]),
];

/// One bit flipped, in the value's own kind.
fn flipped(value: &Value, by: u32) -> Option<Value> {
    Some(match value {
        Value::Integer(n) => Value::Integer(n ^ (1 << by)),
        Value::Text(t) if !t.is_empty() => {
            let mut bytes = t.clone().into_bytes();
            let at = by as usize * 7 % bytes.len();
            bytes[at] ^= 1;
            Value::Text(String::from_utf8(bytes).ok()?)
        }
        Value::Text(_) => Value::Text("x".into()),
        Value::Blob(b) => {
            let mut bytes = b.clone();
            let at = by as usize * 7 % bytes.len();
            bytes[at] ^= 1 << (by % 8);
            Value::Blob(bytes)
        }
        Value::Null => Value::Integer(3),
        Value::Real(_) => return None,
    })
}

#[test]
fn a_changed_value_in_any_column_of_any_table_is_found_and_named() {
    let ledger = full();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&ledger.path(), copy.path());
    let log = copy.path().join("log.db");
    let mut seen = 0;
    for (table, _, numbers) in TABLES {
        // 65,536 leaves fill a tile: a table without rows is tried with a row that nobody is due.
        let conn = Connection::open(&log).unwrap();
        let (columns, rows) = read(&conn, table);
        if rows.is_empty() {
            assert_eq!(table, "tiles");
            conn.execute("INSERT INTO tiles VALUES (1, 1, 0, x'00')", []).unwrap();
            drop(conn);
            assert!(verify(copy.path()).problems.iter().any(|p| p.place.contains("tiles")));
            Connection::open(&log).unwrap().execute("DELETE FROM tiles", []).unwrap();
            continue;
        }
        for number in numbers.iter().filter(|n| **n < rows.len()) {
            for column in 0..columns.len() {
                for by in [0, 5] {
                    let Some(value) = flipped(&rows[*number][column], by) else { continue };
                    if value == rows[*number][column]
                        || set(&conn, table, &columns, &rows[*number], column, &value).is_err()
                    {
                        continue;
                    }
                    let report = verify(copy.path());
                    let named = report.problems.iter().any(|p| p.place.contains(table) || related(table, &p.place));
                    let name = format!("{table}.{} of row {number}, bit {by}", columns[column]);
                    assert!(named, "{name}: {:?}", report.problems);
                    let mut changed = rows[*number].clone();
                    changed[column] = value;
                    set(&conn, table, &columns, &changed, column, &rows[*number][column]).unwrap();
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(verify(copy.path()).ok());
}

/// Where a change shows besides in its own table: names and times in what refers to them.
fn related(table: &str, place: &str) -> bool {
    match table {
        "names" => place.contains("entries") || place.contains("heads"),
        "heads" => place.contains("nodelog") || place.contains("trees"),
        "entries" => place.contains("commits") || place.contains("bodies"),
        _ => false,
    }
}

fn read(conn: &Connection, table: &str) -> (Vec<String>, Vec<Vec<Value>>) {
    let mut stmt = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns: Vec<String> = stmt.column_names().map(str::to_owned).collect();
    let rows = stmt
        .query_map([], |r| (0..columns.len()).map(|i| r.get(i)).collect::<rusqlite::Result<Vec<Value>>>())
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    (columns, rows)
}

fn set(
    conn: &Connection,
    table: &str,
    columns: &[String],
    row: &[Value],
    column: usize,
    value: &Value,
) -> rusqlite::Result<()> {
    let which: Vec<String> = columns.iter().map(|c| format!("{c} IS ?")).collect();
    let sql = format!("UPDATE {table} SET {} = ? WHERE {}", columns[column], which.join(" AND "));
    let params = std::iter::once(value).chain(row);
    let changed = conn.execute(&sql, rusqlite::params_from_iter(params))?;
    assert_eq!(changed, 1);
    Ok(())
}

#[test]
fn a_full_tile_is_proved_and_a_flip_in_it_is_found() {
    let mut ledger = temp_ledger(rooms());
    for start in (0..66_000u32).step_by(2_000) {
        let entries = (start..start + 2_000).map(|n| object(n, "{}", Some(1))).collect();
        ledger.append(Append { entries, expect: vec![] }, Urgency::Bulk).unwrap();
    }
    ledger.tick().unwrap();
    ledger.level(std::time::Duration::from_secs(60)).unwrap();
    let proof = ledger.prove(1_234, true).unwrap();
    let key = ledger.keys().signing().verifying_key();
    assert!(verify_proof_file(&proof.to_json().unwrap(), Some(&key)).unwrap().checkpoint.is_some());
    ledger.close_and_check();
    let conn = Connection::open(ledger.path().join("log.db")).unwrap();
    let was: Vec<u8> = conn.query_row("SELECT hashes FROM tiles", [], |r| r.get(0)).unwrap();
    let mut now = was.clone();
    now[5_000] ^= 4;
    conn.execute("UPDATE tiles SET hashes = ?", [&now]).unwrap();
    let report = verify(&ledger.path());
    assert!(report.problems.iter().any(|p| p.place.starts_with("tiles")), "{:?}", report.problems);
    conn.execute("UPDATE tiles SET hashes = ?", [&was]).unwrap();
    ledger.open();
}

/// Everything that the log's tables hold; `None` when it cannot be read.
fn dump(log: &Path) -> Option<BTreeMap<String, Vec<String>>> {
    let conn = Connection::open(log).ok()?;
    let names = ["meta", "names", "entries", "bodies", "commits", "trees", "tiles", "heads", "nodelog", "suppressed"];
    let mut out = BTreeMap::new();
    for table in names {
        let mut stmt = conn.prepare(&format!("SELECT * FROM {table}")).ok()?;
        let columns = stmt.column_count();
        let mut rows = stmt.query([]).ok()?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next().ok()? {
            let values =
                (0..columns).map(|i| Some(format!("{:?}", row.get_ref(i).ok()?))).collect::<Option<Vec<_>>>()?;
            lines.push(values.join("|"));
        }
        out.insert(table.to_owned(), lines);
    }
    Some(out)
}

#[test]
fn a_flipped_byte_of_the_file_is_found_or_touches_nothing_that_was_written() {
    let ledger = full();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&ledger.path(), copy.path());
    let log = copy.path().join("log.db");
    let sound = std::fs::read(&log).unwrap();
    let before = dump(&log).unwrap();
    let (mut seed, mut found) = (Seeded(7), 0);
    for _ in 0..150 {
        let (at, bit) = (seed.below(sound.len() as u64) as usize, seed.below(8));
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << bit;
        std::fs::write(&log, &bytes).unwrap();
        let ok = verify_folder(copy.path(), &mut |_, _| {}).is_ok_and(|r| r.ok());
        found += u32::from(!ok);
        if ok {
            assert_eq!(dump(&log).as_ref(), Some(&before), "byte {at}, bit {bit}");
        }
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(log.with_extension(format!("db{end}")));
        }
    }
    assert!(found > 60, "{found}");
}

#[test]
fn a_missing_row_anywhere_is_found() {
    let ledger = full();
    for table in ["entries", "bodies", "commits", "trees", "heads", "nodelog", "names", "suppressed"] {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&ledger.path(), copy.path());
        let conn = Connection::open(copy.path().join("log.db")).unwrap();
        for which in ["min", "max"] {
            conn.execute_batch("BEGIN").unwrap();
            let key = if table == "suppressed" { "h" } else { &read(&conn, table).0[0] };
            let sql = format!("DELETE FROM {table} WHERE {key} = (SELECT {which}({key}) FROM {table})");
            let deleted = conn.execute(&sql, []).unwrap();
            conn.execute_batch("COMMIT").unwrap();
            assert!(deleted >= 1 || table == "suppressed");
            assert!(!verify(copy.path()).ok(), "{which} of {table}");
        }
    }
}

#[test]
fn a_proof_of_every_sort_of_entry_verifies_offline() {
    let mut ledger = full();
    ledger.open();
    let key = ledger.keys().signing().verifying_key();
    let last = ledger.head().pos;
    for pos in [1, 2, 300, 601, 602, 611, last] {
        let file = ledger.prove(pos, true).unwrap();
        let proved = verify_proof_file(&file.to_json().unwrap(), Some(&key)).unwrap();
        assert!(proved.body && proved.checkpoint.is_some(), "{pos}");
    }
    let erased = ledger.prove(30, true).unwrap();
    assert!(!verify_proof_file(&erased.to_json().unwrap(), Some(&key)).unwrap().body);
    // Younger than the last leaf: the head alone, until the next tick.
    let pos = add(&ledger, object(9_999, "{}", Some(1)));
    assert!(ledger.prove(pos, false).unwrap().node.is_none());
    ledger.tick().unwrap();
    assert!(ledger.prove(pos, false).unwrap().node.is_some());
    assert!(matches!(ledger.prove(9_999_999, false), Err(Error::Limit(_))));
}
