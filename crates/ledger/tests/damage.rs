//! Damage of one body in the log is that entry's own matter: it is named, everything else is folded, and once the body
//! is mended a rebuild takes it up. Damage of the log as a whole makes nobody forget what a view holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::*;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The first entry of the log, one in the middle of a batch, the last.
const PLACES: [u64; 3] = [1, 300, 600];
const LAST: u64 = 600;

/// What a disk or a hand does to a body.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Harm {
    /// Other letters, still text.
    Letters,
    NoUtf8,
    NoText,
    Salt,
    ShortSalt,
    /// A page under it that SQLite cannot follow.
    Page,
}

const HARMS: [Harm; 6] = [Harm::Letters, Harm::NoUtf8, Harm::NoText, Harm::Salt, Harm::ShortSalt, Harm::Page];

impl Harm {
    fn sql(self) -> Option<&'static str> {
        Some(match self {
            Self::Letters => "UPDATE bodies SET body = replace(body, 'EXERCISE', 'EXERCISF') WHERE pos = ?",
            Self::NoUtf8 => "UPDATE bodies SET body = CAST(x'45ff45' AS TEXT) WHERE pos = ?",
            Self::NoText => "UPDATE bodies SET body = CAST(body AS BLOB) WHERE pos = ?",
            Self::Salt => "UPDATE bodies SET salt = zeroblob(32) WHERE pos = ?",
            Self::ShortSalt => "UPDATE bodies SET salt = x'00' WHERE pos = ?",
            Self::Page => return None,
        })
    }

    fn does(self, data: &Path, pos: u64) {
        let log = data.join("log.db");
        if let Some(sql) = self.sql() {
            assert_eq!(Connection::open(&log).unwrap().execute(sql, [pos as i64]).unwrap(), 1);
            return;
        }
        // The page in the middle of a long body begins with the number of the next.
        let mut bytes = std::fs::read(&log).unwrap();
        let mark = format!("mark{pos}mark");
        let at = bytes.windows(mark.len()).position(|w| w == mark.as_bytes()).unwrap();
        let page = at / 4096 * 4096;
        bytes[page..page + 4].fill(0xff);
        std::fs::write(&log, bytes).unwrap();
    }
}

fn body(n: u32) -> String {
    let long = if PLACES.contains(&u64::from(n)) { "y".repeat(10_000) } else { String::new() };
    format!(r#"{{"type":"note","n":{n},"content":"EXERCISE {long} mark{n}mark {long}"}}"#)
}

/// A closed node with 600 notes; note n stands at `pos` n.
fn node() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let ledger = open(folder.path());
    for first in [1, 201, 401] {
        let entries = (first..first + 200).map(|n| object(n, &body(n), Some(1))).collect();
        ledger.append(Append { entries, expect: vec![] }, Urgency::Bulk).unwrap();
    }
    ledger.level(Duration::from_secs(30)).unwrap();
    ledger.close();
    folder
}

fn open(data: &Path) -> Ledger {
    Ledger::open(data, Options { every_minute: false, ..Options::default() }, rooms()).unwrap()
}

/// Every row of the room: where, and what it says.
fn held(ledger: &Ledger) -> BTreeSet<(u64, String)> {
    let view = ledger.view("words").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(30)).unwrap();
    view.read(|r| {
        let mut stmt = r.conn.prepare("SELECT pos, body FROM words")?;
        let rows = stmt.query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    })
    .unwrap()
}

fn all_but(gone: &[u64]) -> BTreeSet<(u64, String)> {
    (1..=LAST).filter(|pos| !gone.contains(pos)).map(|pos| (pos, body(pos as u32))).collect()
}

/// Where the damage is, as the views that met it say.
fn named(ledger: &Ledger, room: &str) -> Vec<u64> {
    let entries = ledger.view(room).unwrap().unfolded_entries(100).unwrap();
    for (pos, why) in &entries {
        assert!(why.starts_with(&format!("log.db, bodies, pos {pos}: the ")), "{why}");
        assert!(!why.contains("EXERCIS"), "{why}");
    }
    entries.into_iter().map(|(pos, _)| pos).collect()
}

fn rebuild(ledger: &Ledger) {
    for room in ["index", "words"] {
        ledger.rebuild(room, &|_, _| {}).unwrap();
        ledger.view(room).unwrap().wait(ledger.head().pos, Duration::from_secs(30)).unwrap();
    }
}

/// Entries that a verification names.
fn verified(data: &Path) -> BTreeSet<String> {
    let report = verify_folder(data, &mut |_, _| {}).unwrap();
    assert_eq!(report.entries, LAST, "{:#?}", report.problems);
    report.problems.into_iter().map(|p| p.place).filter(|place| place != "log.db").collect()
}

#[test]
fn a_damaged_body_is_named_the_rest_is_folded_and_a_rebuild_takes_it_up_when_it_is_mended() {
    let sound = node();
    for harm in HARMS {
        for pos in PLACES {
            let copy = tempfile::tempdir().unwrap();
            copy_folder(sound.path(), copy.path());
            harm.does(copy.path(), pos);
            let place = format!("bodies, pos {pos}");
            assert_eq!(verified(copy.path()), BTreeSet::from([place]), "{harm:?} {pos}");
            let ledger = open(copy.path());
            assert_eq!(held(&ledger), all_but(&[]), "what was folded before stays");
            rebuild(&ledger);
            assert_eq!(held(&ledger), all_but(&[pos]), "{harm:?} {pos}");
            for room in ["index", "words"] {
                assert_eq!(named(&ledger, room), [pos], "{harm:?} {pos} in {room}");
                assert!(ledger.compare(room, &|_, _| {}).unwrap().same(), "{harm:?} {pos} in {room}");
            }
            // Its neighbours are proved, and so is its own place.
            for proved in [pos, if pos == LAST { pos - 1 } else { pos + 1 }] {
                let proof = ledger.prove(proved, false).unwrap().to_json().unwrap();
                verify_proof_file(&proof, Some(&ledger.keys().signing().verifying_key())).unwrap();
            }
            ledger.close();
            // As a backup has them.
            std::fs::copy(sound.path().join("log.db"), copy.path().join("log.db")).unwrap();
            let ledger = open(copy.path());
            rebuild(&ledger);
            assert_eq!((held(&ledger), named(&ledger, "words")), (all_but(&[]), vec![]), "{harm:?} {pos}");
            ledger.close();
            let report = ledger::testing::check(copy.path(), false).unwrap();
            assert!(report.ok(), "{:#?}", report.problems);
        }
    }
}

#[test]
fn a_row_that_cannot_be_read_is_named_at_its_place_by_every_view_and_costs_itself_alone() {
    let sound = node();
    for pos in PLACES {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(sound.path(), copy.path());
        let log = Connection::open(copy.path().join("log.db")).unwrap();
        let torn = "UPDATE entries SET subject = CAST(x'ff' AS TEXT) WHERE pos = ?";
        assert_eq!(log.execute(torn, [pos as i64]).unwrap(), 1);
        drop(log);
        let report = verify_folder(copy.path(), &mut |_, _| {}).unwrap();
        assert!(report.problems.iter().any(|p| p.place.contains(&format!("pos {pos}"))), "{:#?}", report.problems);
        let ledger = open(copy.path());
        rebuild(&ledger);
        assert_eq!(held(&ledger), all_but(&[pos]), "{pos}");
        for room in ["index", "words"] {
            let named = ledger.view(room).unwrap().unfolded_entries(100).unwrap();
            assert_eq!(named.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [pos], "{pos} in {room}");
            let due = format!("log.db, entries, pos {pos}: the row cannot be read");
            assert!(named[0].1.starts_with(&due) && !named[0].1.contains("EXERCISE"), "{named:?}");
        }
        let next = add(&ledger, object(5_000, &body(5_000), Some(1)));
        assert_eq!(next, LAST + 1);
        assert!(held(&ledger).contains(&(next, body(5_000))), "what comes after is folded");
        ledger.close();
    }
}

#[test]
fn several_damaged_bodies_of_a_node_whose_views_are_lost_cost_themselves_alone() {
    let folder = node();
    for (pos, harm) in PLACES.into_iter().zip([Harm::Page, Harm::Letters, Harm::NoUtf8]) {
        harm.does(folder.path(), pos);
    }
    Harm::Salt.does(folder.path(), 301);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    std::fs::create_dir(folder.path().join("views")).unwrap();
    let gone = [1, 300, 301, 600];
    let ledger = open(folder.path());
    assert_eq!((held(&ledger), named(&ledger, "words")), (all_but(&gone), gone.to_vec()));
    // Listeners pass them by, and know that they were there.
    let mut heard = Vec::new();
    while let Some(last) = ledger.entries_after(heard.last().map_or(0, |(pos, _)| *pos)).unwrap().last() {
        let from = heard.last().map_or(0, |(pos, _)| *pos);
        heard.extend(ledger.entries_after(from).unwrap().iter().map(|e| (e.pos, e.body.is_some())));
        assert_eq!(heard.last().unwrap().0, last.pos);
    }
    assert_eq!(heard, (1..=LAST).map(|pos| (pos, !gone.contains(&pos))).collect::<Vec<_>>());
    // What comes after is folded.
    let next = add(&ledger, object(5_000, &body(5_000), Some(1)));
    assert!(held(&ledger).contains(&(next, body(5_000))));
    // The same again is known by its commitment, where the salt stands; other bytes are other bytes.
    for (n, word, same) in [(300, "EXERCISE", true), (300, "EXERCISF", false), (600, "EXERCISE", true)] {
        let entry = object(n, &body(n).replace("EXERCISE", word), Some(1));
        let outcome = ledger.append(one(entry), Urgency::Interactive).unwrap().outcomes.remove(0);
        assert_eq!(matches!(outcome, Outcome::Same(pos) if pos == u64::from(n)), same, "{n} {word}: {outcome:?}");
        assert!(same || matches!(outcome, Outcome::Refused(Refusal::OtherBytes)), "{outcome:?}");
    }
    ledger.close();
}

/// A room that takes words out by the body that it knows them by, as full text does.
struct ByBody;
impl Room for ByBody {
    fn name(&self) -> &'static str {
        "bybody"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix", EXPUNGE])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS bybody(pos INTEGER PRIMARY KEY, id BLOB NOT NULL, body TEXT NOT NULL);"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, bodies: &dyn Bodies) -> Result<(), FoldError> {
        let Some(gone) = TakenBack::of(entry) else {
            let row = (entry.pos as i64, &entry.id[..], entry.body.as_deref().unwrap_or(""));
            view.execute("INSERT INTO bybody VALUES (?,?,?)", row)?;
            return Ok(());
        };
        let mut stmt = view.prepare("SELECT pos FROM bybody WHERE id = ?")?;
        if let Some(pos) = stmt.query_map([&gone.entry[..]], |r| r.get::<_, i64>(0))?.next() {
            let pos = pos?;
            let body = bodies.body(pos as u64)?;
            view.execute("DELETE FROM bybody WHERE pos = ? AND body = ?", (pos, body))?;
        }
        Ok(())
    }
}

#[test]
fn what_is_erased_is_in_no_file_although_its_body_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let open = || {
        let rooms: Vec<RoomFactory> = vec![std::sync::Arc::new(|| Box::new(ByBody))];
        Ledger::open(folder.path(), Options { every_minute: false, ..Options::default() }, rooms).unwrap()
    };
    let ledger = open();
    for n in [1, 300, 600] {
        add(&ledger, object(n, &body(n), Some(1)));
    }
    ledger.level(Duration::from_secs(30)).unwrap();
    ledger.close();
    Harm::Letters.does(folder.path(), 2);
    let ledger = open();
    ledger.expunge(&[2], &name(300), "EXERCISE", 1).unwrap();
    let view = ledger.view("bybody").unwrap();
    view.wait(ledger.head().pos, Duration::from_secs(30)).unwrap();
    let left: Vec<i64> = view
        .read(|r| {
            let mut stmt = r.conn.prepare("SELECT pos FROM bybody ORDER BY pos")?;
            Ok(stmt.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    // As whoever folds the log now finds it: the tombstone of what was erased stands without a word.
    assert_eq!(left, [1, 2, 3]);
    let holders = |word: &str| -> Vec<std::path::PathBuf> {
        let files = ["", "views"].iter().flat_map(|sub| std::fs::read_dir(folder.path().join(sub)).unwrap().flatten());
        files
            .map(|f| f.path())
            .filter(|p| p.is_file())
            .filter(|p| std::fs::read(p).unwrap().windows(word.len()).any(|w| w == word.as_bytes()))
            .collect()
    };
    assert_eq!(holders("mark300mark"), Vec::<std::path::PathBuf>::new());
    assert!(!holders("mark600mark").is_empty());
    ledger.close();
}

#[test]
fn a_log_whose_entries_cannot_be_read_stops_the_rebuild_and_not_the_view_that_serves() {
    let folder = node();
    let log = folder.path().join("log.db");
    // Leaves of the table of entries, by the names of their subjects; the first and the last are read at start.
    let mut bytes = std::fs::read(&log).unwrap();
    let subject = name(300);
    let found: Vec<usize> =
        (0..bytes.len() - subject.len()).filter(|at| bytes[*at..].starts_with(subject.as_bytes())).collect();
    for at in found {
        bytes[at / 4096 * 4096] = 0x77;
    }
    std::fs::write(&log, bytes).unwrap();
    let ledger = open(folder.path());
    let before = held(&ledger);
    assert_eq!(before, all_but(&[]));
    let files = || {
        let names = std::fs::read_dir(folder.path().join("views")).unwrap().flatten();
        names.map(|f| f.file_name()).filter(|n| n.to_string_lossy().ends_with(".db")).collect::<BTreeSet<_>>()
    };
    let served = files();
    let failed = ledger.rebuild("words", &|_, _| {}).unwrap_err();
    assert!(failed.to_string().contains("log.db"), "{failed}");
    assert_eq!((held(&ledger), files()), (before, served));
    ledger.close();
}
