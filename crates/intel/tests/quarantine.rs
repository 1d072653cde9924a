//! What an import sets aside, what `--strict` refuses, and what a person says of a selector: on a real node.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use intel::{Error, ImportJob, ImportReport, Intel, Limits, Setup, Word};
use ledger::{INTAKE, Ledger, Options, Urgency};
use people::{NodeInfo, People, Role, Viewer};
use selectors::Kind;
use std::path::Path;

const AT: &str = "2026-01-01T00:00:00.000Z";

fn open(dir: &Path, limits: Limits) -> (Ledger, Intel) {
    let setup = Setup::new(dir, Some("TH".into())).unwrap().within(limits);
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(dir, options, vec![people::room(), setup.factory()]).unwrap();
    if ledger.head().pos == 0 {
        people::init(&ledger, NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true })
            .unwrap();
    }
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    (ledger, intel)
}

fn node(limits: Limits) -> (tempfile::TempDir, Ledger, Intel, Viewer) {
    let dir = tempfile::tempdir().unwrap();
    Ledger::create(dir.path()).unwrap();
    let (ledger, intel) = open(dir.path(), limits);
    let me = intel.people().local_viewer().unwrap();
    (dir, ledger, intel, me)
}

fn note(n: u32, content: &str) -> String {
    let id = format!("note--00000000-0000-4000-8000-{n:012}");
    serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": AT, "modified": AT,
        "content": content, "object_refs": [id]})
    .to_string()
}

fn bundle(objects: &[String]) -> String {
    format!(
        r#"{{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[{}]}}"#,
        objects.join(",")
    )
}

fn import(intel: &Intel, me: &Viewer, text: &str, strict: bool) -> intel::Result<ImportReport> {
    let job = ImportJob { source: "EXERCISE.json".into(), strict, ..ImportJob::default() };
    intel.import(me, &job, Box::new(text.as_bytes()), &mut |_| {})
}

/// One good note and one whose `modified` is no time.
fn mixed() -> String {
    bundle(&[
        note(1, "EXERCISE good"),
        note(2, "EXERCISE zwirblefink").replace("\"modified\":\"2026", "\"modified\":\"x2026"),
    ])
}

#[test]
fn a_record_set_aside_is_kept_with_place_id_reason_and_text_over_a_restart() {
    let (dir, ledger, intel, me) = node(Limits::default());
    let report = import(&intel, &me, &mixed(), false).unwrap();
    assert_eq!((report.added, report.aside), (1, 1));
    let number = report.import.unwrap();
    let before = intel.set_aside(&me, number, 0, 10).unwrap();
    ledger.close();
    drop((intel, ledger));
    let (_ledger, intel) = open(dir.path(), Limits::default());
    let me = intel.people().local_viewer().unwrap();
    let kept = intel.set_aside(&me, number, 0, 10).unwrap();
    assert_eq!(kept, before);
    let row = &kept.rows[0];
    assert!(row.record.as_deref().unwrap().contains("zwirblefink"));
    assert!(row.object.as_deref().unwrap().starts_with("note--") && !row.why.is_empty() && !row.place.is_empty());
    assert!(!row.why.contains("zwirblefink"));
}

#[test]
fn a_row_that_was_kept_before_there_were_codes_keeps_its_english() {
    let (dir, ledger, intel, me) = node(Limits::default());
    let number = import(&intel, &me, &mixed(), false).unwrap().import.unwrap();
    let row = intel.set_aside(&me, number, 0, 10).unwrap().rows.remove(0);
    assert_eq!(
        (row.code.as_deref(), &*row.detail),
        (Some("invalid"), "modified: write it as RFC 3339 in UTC, such as 2026-01-31T08:00:00.000Z"),
        "{}",
        row.why
    );
    ledger.close();
    drop((intel, ledger));
    let old = rusqlite::Connection::open(dir.path().join("quarantine.db")).unwrap();
    old.execute_batch("ALTER TABLE aside DROP COLUMN code; ALTER TABLE aside DROP COLUMN detail").unwrap();
    drop(old);
    let (_ledger, intel) = open(dir.path(), Limits::default());
    let me = intel.people().local_viewer().unwrap();
    let kept = intel.set_aside(&me, number, 0, 10).unwrap().rows.remove(0);
    assert_eq!(kept, intel::SetAside { code: None, detail: String::new(), ..row });
    let second = import(&intel, &me, &mixed(), false).unwrap().import.unwrap();
    assert_eq!(intel.set_aside(&me, second, 0, 10).unwrap().rows[0].code.as_deref(), Some("invalid"));
}

#[test]
fn an_import_waits_for_the_view_longer_than_a_page_does_and_takes_the_whole_file() {
    let limits = Limits { patience: std::time::Duration::ZERO, ..Limits::default() };
    let (_dir, ledger, intel, me) = node(limits);
    for run in 0..3 {
        let list: String =
            (0..900).map(|n| format!("exercise-{n}-{run}.example\nEXERCISE-again-{n}.example\n")).collect();
        let job = ImportJob { source: "EXERCISE.txt".into(), ..ImportJob::default() };
        let report = intel.import(&me, &job, Box::new(list.as_bytes()), &mut |_| {}).unwrap();
        assert_eq!((report.added + report.same, report.aside), (1_800, 0), "run {run}");
    }
    ledger.level(std::time::Duration::from_secs(30)).unwrap();
}

#[test]
fn only_who_may_import_there_sees_what_was_set_aside() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    let number = import(&intel, &me, &mixed(), false).unwrap().import.unwrap();
    let col = intel.people().collection(INTAKE).unwrap().unwrap().col;
    let reader = Viewer::for_test(Role::Reader, [col]);
    assert!(matches!(intel.set_aside(&reader, number, 0, 10), Err(Error::Forbidden(_))));
    let stranger = Viewer::for_test(Role::Analyst, []);
    assert!(matches!(intel.set_aside(&stranger, number, 0, 10), Err(Error::NotFound)));
}

#[test]
fn withdrawing_the_import_or_erasing_an_object_that_is_named_drops_what_was_set_aside() {
    let (dir, _ledger, intel, me) = node(Limits::default());
    let first = import(&intel, &me, &mixed(), false).unwrap().import.unwrap();
    intel.withdraw_import(&me, first, "EXERCISE").unwrap();
    assert_eq!(intel.set_aside(&me, first, 0, 10).unwrap().kept, 0);

    let good = note(3, "EXERCISE stands");
    intel.take(&me, INTAKE, &[&good], Urgency::Interactive).unwrap();
    let broken = note(3, "EXERCISE gnorvelblatt").replace("\"modified\":\"2026", "\"modified\":\"x2026");
    let second = import(&intel, &me, &bundle(std::slice::from_ref(&broken)), false).unwrap_or_default();
    let kept = |word: &str| {
        std::fs::read(dir.path().join("quarantine.db")).unwrap().windows(word.len()).any(|w| w == word.as_bytes())
    };
    assert_eq!(second.aside, 1);
    assert!(kept("gnorvelblatt") && !kept("zwirblefink"));
    intel.expunge(&me, "note--00000000-0000-4000-8000-000000000003", "EXERCISE").unwrap();
    assert!(!kept("gnorvelblatt"));
    let again = import(&intel, &me, &bundle(&[broken]), false).unwrap_or_default();
    assert_eq!(again.aside, 1);
    assert!(!kept("gnorvelblatt"), "what was erased is not kept when it comes again");
}

#[test]
fn the_quarantine_is_bounded_by_import_and_in_all() {
    let limits = Limits { aside_records: 3, aside_total: 2_000, ..Limits::default() };
    let (_dir, _ledger, intel, me) = node(limits);
    let bad = |from: u32| {
        bundle(
            &(from..from + 5)
                .map(|n| note(n, "EXERCISE").replace("\"modified\":\"2026", "\"modified\":\"x2026"))
                .collect::<Vec<_>>(),
        )
    };
    let first = import(&intel, &me, &bad(10), false).unwrap();
    assert_eq!(first.aside, 5);
    assert_eq!(intel.set_aside(&me, first.import.unwrap(), 0, 10).unwrap().kept, 3);
    let second = import(&intel, &me, &bad(20), false).unwrap();
    assert_eq!(intel.set_aside(&me, second.import.unwrap(), 0, 10).unwrap().kept, 3);
    assert_eq!(intel.set_aside(&me, first.import.unwrap(), 0, 10).unwrap().kept, 0, "the oldest import's go");
}

#[test]
fn a_strict_import_appends_nothing_unless_every_record_is_good() {
    let (_dir, ledger, intel, me) = node(Limits::default());
    let before = ledger.head().pos;
    let why = import(&intel, &me, &mixed(), true).unwrap_err().to_string();
    assert!(
        why.contains("note--00000000-0000-4000-8000-000000000002") && why.contains("nothing was imported"),
        "{why}"
    );
    assert!(import(&intel, &me, &mixed()[..200], true).is_err());
    assert_eq!(ledger.head().pos, before);
    assert_eq!(import(&intel, &me, &bundle(&[note(1, "EXERCISE"), note(2, "EXERCISE")]), true).unwrap().added, 2);
}

#[test]
fn a_word_on_a_selector_counts_until_it_is_undone_and_needs_a_reason_and_the_right() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    for n in 1..3 {
        intel.take(&me, INTAKE, &[&note(n, "EXERCISE write to shop.example")], Urgency::Interactive).unwrap();
    }
    let suppressed = || {
        intel.links_of_selector(&me, Kind::Domain, "shop.example").unwrap().unwrap().suppressed.map(|s| s.to_string())
    };
    let by_rule = suppressed();
    let say = |word, reason: &str| intel.overrule(&me, Kind::Domain, "shop.example", word, reason);
    assert!(matches!(say(Word::LinksNothing, " "), Err(Error::Bad(_))));
    assert_eq!(say(Word::LinksNothing, "EXERCISE a hotline's own site").unwrap(), 1);
    assert!(suppressed().unwrap().contains("hotline's own site"));
    assert_eq!(intel.overruled(&me, Kind::Domain, "shop.example").unwrap().unwrap().author, me.account());
    say(Word::Links, "EXERCISE it links after all").unwrap();
    assert_eq!(suppressed(), None);
    say(Word::Undo, "EXERCISE mistaken").unwrap();
    assert_eq!((suppressed(), intel.overruled(&me, Kind::Domain, "shop.example").unwrap()), (by_rule, None));
    assert!(matches!(
        intel.overrule(&me, Kind::Domain, "nobody.example", Word::Links, "EXERCISE"),
        Err(Error::NotFound)
    ));
    let col = intel.people().collection(INTAKE).unwrap().unwrap().col;
    let reader = Viewer::for_test(Role::Reader, [col]);
    assert!(intel.overrule(&reader, Kind::Domain, "shop.example", Word::Links, "EXERCISE").is_err());
}

/// TLP:RED (TLP 2.0 of OASIS).
fn red(n: u32, content: &str) -> String {
    let marking = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    note(n, content).replace("\"type\":\"note\"", &format!("\"object_marking_refs\":[\"{marking}\"],\"type\":\"note\""))
}

#[test]
fn what_is_marked_tighter_than_the_imports_collection_is_kept_for_no_other_reader_of_it() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    let first = import(&intel, &me, &bundle(&[red(1, "EXERCISE zwirblefink")]), false).unwrap();
    assert_eq!((first.added, first.elsewhere), (1, 1), "{:?}", first.problems);
    let done = intel.imports(&me, None, 1).unwrap().remove(0).done.unwrap();
    assert_eq!(done.added, 0, "readers of the import's own collection hear of nothing that went elsewhere");
    let again = import(&intel, &me, &bundle(&[red(1, "EXERCISE other zwirblefink")]), false).unwrap();
    assert_eq!(again.aside, 1, "whoever imports is told");
    assert!(again.problems[0].contains("other content"));
    assert!(intel.set_aside(&me, again.import.unwrap(), 0, 10).unwrap().rows.is_empty(), "nobody else is");

    let col = intel.people().collection(INTAKE).unwrap().unwrap().col;
    let analyst = Viewer::for_test(Role::Analyst, [col]);
    let tight = import(&intel, &analyst, &bundle(&[red(2, "EXERCISE zwirblefink")]), false).unwrap();
    assert_eq!((tight.added, tight.aside), (0, 1));
    let kept = intel.set_aside(&analyst, tight.import.unwrap(), 0, 10).unwrap().rows;
    assert!(kept.iter().all(|row| row.record.is_none() && row.object.is_none()), "{kept:?}");
}

#[test]
fn withdrawing_an_import_or_a_collection_needs_the_right() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    let number = import(&intel, &me, &mixed(), false).unwrap().import.unwrap();
    let col = intel.people().collection(INTAKE).unwrap().unwrap().col;
    let peer = Viewer::for_test(Role::Peer, [col]);
    assert!(peer.may_write(col));
    assert!(matches!(intel.withdraw_import(&peer, number, "EXERCISE"), Err(Error::Forbidden(_))));
    assert!(matches!(intel.withdraw_collection(&peer, INTAKE, "EXERCISE"), Err(Error::Forbidden(_))));
}

#[test]
fn a_record_that_names_an_erased_object_keeps_no_text() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    import(&intel, &me, &bundle(&[note(1, "EXERCISE good")]), false).unwrap();
    let erased = "note--00000000-0000-4000-8000-000000000001";
    intel.expunge(&me, erased, "EXERCISE").unwrap();
    let naming = note(2, "EXERCISE zwirblefink").replace("\"modified\":\"2026", "\"modified\":\"x2026").replacen(
        "\"object_refs\":[\"note--00000000-0000-4000-8000-000000000002\"]",
        &format!("\"object_refs\":[\"{erased}\"]"),
        1,
    );
    let report = import(&intel, &me, &bundle(&[naming]), false).unwrap();
    let kept = intel.set_aside(&me, report.import.unwrap(), 0, 10).unwrap().rows;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].record.is_none(), "{kept:?}");
}

const SITES: &str = "encoding = \"windows-1252\"\nskip = 1\n[object.site]\ntype = \"auto\"\n\
    columns.site = { to = \"value\" }\n";

fn csv(intel: &Intel, me: &Viewer, file: &[u8], mapping: &str) -> ImportReport {
    let mapping = Some(formats::Mapping::parse(mapping).unwrap());
    let job = ImportJob { source: "EXERCISE.csv".into(), mapping, ..ImportJob::default() };
    intel.import(me, &job, Box::new(file), &mut |_| {}).unwrap()
}

#[test]
fn a_row_set_aside_comes_with_its_header_and_a_mapping_that_reads_it_once_it_is_mended() {
    let (dir, ledger, intel, me) = node(Limits::default());
    let file = b"Sites 2026,\nsite,\"why; so\"\nscam.example,1\nno site,caf\xe9\nneither,3\n";
    let report = csv(&intel, &me, file, SITES);
    assert_eq!((report.added, report.aside), (1, 2), "{:?}", report.problems);
    let number = report.import.unwrap();
    ledger.close();
    drop((intel, ledger));
    let (_ledger, intel) = open(dir.path(), Limits::default());
    let me = intel.people().local_viewer().unwrap();
    let kept = intel.set_aside(&me, number, 0, 10).unwrap();
    let frame = kept.frame.unwrap();
    assert_eq!((&*frame.header, kept.rows[0].record.as_deref()), ("site,why; so", Some("no site,café")));
    let mended = format!("{}\n{}\n", frame.header, "worse.example,café");
    let again = csv(&intel, &me, mended.as_bytes(), &frame.mapping);
    assert_eq!((again.added, again.aside), (1, 0), "{:?}", again.problems);
    assert_eq!(intel.set_aside(&me, again.import.unwrap(), 0, 10).unwrap().frame, None);
    // It goes with the rows.
    intel.drop_set_aside(&me, number).unwrap();
    assert_eq!(intel.set_aside(&me, number, 0, 10).unwrap().frame, None);
}

#[test]
fn a_row_whose_header_names_a_marking_may_be_marked_tighter_and_is_kept_for_nobody() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    let report = csv(&intel, &me, b"x\nsite,TLP\nzwirblefink zwirblefink,RED\n", SITES);
    let kept = intel.set_aside(&me, report.import.unwrap(), 0, 10).unwrap();
    assert_eq!((report.aside, kept.rows.len(), kept.rows[0].record.as_ref()), (1, 1, None));
}

#[test]
fn an_import_that_breaks_off_says_what_stays_and_it_can_be_taken_back() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    let whole = bundle(&[note(1, "EXERCISE"), note(2, "EXERCISE"), note(3, "EXERCISE")]);
    let cut = &whole[..whole.len() - 40];
    let report = import(&intel, &me, cut, false).unwrap();
    assert_eq!((report.added, report.aside), (2, 1), "{:?}", report.problems);
    let code = report.broken.map(|why| why.code);
    let row = intel.import_row(&me, report.import.unwrap()).unwrap();
    assert!(code.is_some() && row.done.unwrap().broken.as_deref() == code, "{code:?}");
    // Whole, it adds what was missing and takes nothing twice.
    let again = import(&intel, &me, &whole, false).unwrap();
    assert_eq!((again.added, again.same, again.broken), (1, 2, None));
    assert_eq!(intel.brought_count(&me, again.import.unwrap()).unwrap(), Some(1));
    assert_eq!(intel.withdraw_import(&me, again.import.unwrap(), "EXERCISE").unwrap(), 1);
    assert_eq!(intel.brought_count(&me, again.import.unwrap()).unwrap(), Some(0));
    // Nothing at all of it could be read: that is no import but an error.
    assert!(matches!(import(&intel, &me, "{\"type\":\"bundle\",\"objects\":[", false), Err(Error::Read(_))));
}

#[test]
fn an_erased_value_leaves_the_records_that_name_no_object_in_whatever_spelling() {
    let (dir, ledger, intel, me) = node(Limits::default());
    // What is neither domain nor wallet is set aside without an id.
    let lines = [
        "081-234-5678;zwirblefink",
        "gnorvelblatt;mei.exercise[at]golden-crane[.]example;x",
        "quorbelsnatz;golden-goose",
    ];
    let job = ImportJob { source: "EXERCISE.txt".into(), format: Some(formats::Format::List), ..ImportJob::default() };
    let report = intel.import(&me, &job, Box::new(lines.join("\n").as_bytes()), &mut |_| {}).unwrap();
    assert_eq!(report.aside, 3, "{:?}", report.problems);
    assert!(intel.set_aside(&me, report.import.unwrap(), 0, 10).unwrap().rows.iter().all(|r| r.object.is_none()));
    let kept = |word: &str| {
        std::fs::read(dir.path().join("quarantine.db")).unwrap().windows(word.len()).any(|w| w == word.as_bytes())
    };
    assert!(lines.iter().all(|line| kept(line)));
    let erased = note(1, "EXERCISE phone +66 81 234 5678 and mail mei.exercise@golden-crane.example");
    let stays = note(2, "EXERCISE says +66 81 234 5678 as well");
    intel.take(&me, INTAKE, &[&erased, &stays], Urgency::Interactive).unwrap();
    ledger.level(std::time::Duration::from_secs(60)).unwrap();
    intel.expunge(&me, "note--00000000-0000-4000-8000-000000000001", "EXERCISE").unwrap();
    for gone in ["zwirblefink", "081-234-5678", "gnorvelblatt", "mei.exercise"] {
        assert!(!kept(gone), "{gone}");
    }
    assert!(kept("quorbelsnatz"));
    assert_eq!(intel.set_aside(&me, report.import.unwrap(), 0, 10).unwrap().kept, 1);
}

#[test]
fn what_others_hold_too_leaves_no_record_unless_it_is_personal() {
    let (_dir, _ledger, intel, me) = node(Limits::default());
    let job = ImportJob { source: "EXERCISE.txt".into(), format: Some(formats::Format::List), ..ImportJob::default() };
    let line = "EXERCISE;golden-crane.example;more";
    let report = intel.import(&me, &job, Box::new(line.as_bytes()), &mut |_| {}).unwrap();
    let number = report.import.unwrap();
    assert_eq!(report.aside, 1, "{:?}", report.problems);
    let bodies = [note(1, "EXERCISE golden-crane.example"), note(2, "EXERCISE golden-crane.example")];
    intel.take(&me, INTAKE, &[&bodies[0], &bodies[1]], Urgency::Interactive).unwrap();
    intel.expunge(&me, "note--00000000-0000-4000-8000-000000000001", "EXERCISE").unwrap();
    assert_eq!(intel.set_aside(&me, number, 0, 10).unwrap().kept, 1, "another object says it still");
    intel.expunge(&me, "note--00000000-0000-4000-8000-000000000002", "EXERCISE").unwrap();
    assert_eq!(intel.set_aside(&me, number, 0, 10).unwrap().kept, 0);
}

#[test]
fn a_short_name_of_somebody_who_was_erased_leaves_the_records_that_name_them_and_no_others() {
    let (_dir, ledger, intel, me) = node(Limits::default());
    let rows = [
        "no site,Li Na",
        "no site,EXERCISE Oli Nadal",
        "no site,\u{53d7}\u{5bb3}\u{8005}\u{674e}\u{5a1c}\u{88ab}\u{9a97}",
    ];
    let mapping = "[object.site]\ntype = \"auto\"\ncolumns.site = { to = \"value\" }\n";
    let report = csv(&intel, &me, format!("site,who\n{}\n", rows.join("\n")).as_bytes(), mapping);
    assert_eq!(report.aside, 3, "{:?}", report.problems);
    for (n, name) in [(1, "Li Na"), (2, "\u{674e}\u{5a1c}")] {
        let id = format!("identity--00000000-0000-4000-8000-{n:012}");
        let person = serde_json::json!({"type": "identity", "spec_version": "2.1", "id": id, "created": AT,
            "modified": AT, "name": name, "identity_class": "individual"});
        intel.take(&me, INTAKE, &[&person.to_string()], Urgency::Interactive).unwrap();
        ledger.level(std::time::Duration::from_secs(60)).unwrap();
        intel.expunge(&me, &id, "EXERCISE").unwrap();
    }
    let kept = intel.set_aside(&me, report.import.unwrap(), 0, 10).unwrap().rows;
    assert_eq!(kept.iter().map(|r| r.record.as_deref().unwrap()).collect::<Vec<_>>(), [rows[1]]);
}

#[test]
fn a_frame_goes_with_the_last_row_that_needs_it_and_says_nothing_that_was_erased() {
    let (dir, ledger, intel, me) = node(Limits::default());
    let frame = |report: &ImportReport| intel.set_aside(&me, report.import.unwrap(), 0, 10).unwrap().frame;
    let stands = |word: &str| {
        std::fs::read(dir.path().join("quarantine.db")).unwrap().windows(word.len()).any(|w| w == word.as_bytes())
    };
    let last = csv(&intel, &me, b"x\nsite,zwirblekopf\nno site,mei.exercise@golden-crane.example\n", SITES);
    let header = csv(&intel, &me, b"x\nsite,gnorvel tom.exercise@silver-heron.example\nno site,kept\n", SITES);
    assert!(frame(&last).is_some() && frame(&header).is_some() && stands("zwirblekopf") && stands("gnorvel"));
    for (n, mail) in [(1, "mei.exercise@golden-crane.example"), (2, "tom.exercise@silver-heron.example")] {
        let erased = note(n, &format!("EXERCISE mail {mail}"));
        intel.take(&me, INTAKE, &[&erased], Urgency::Interactive).unwrap();
        ledger.level(std::time::Duration::from_secs(60)).unwrap();
        intel.expunge(&me, &format!("note--00000000-0000-4000-8000-{n:012}"), "EXERCISE").unwrap();
    }
    assert_eq!((frame(&last), frame(&header)), (None, None));
    assert!(!stands("zwirblekopf"), "its only row went, and the header with it");
    assert!(!stands("gnorvel"), "the header itself said what was erased");
    assert_eq!(intel.set_aside(&me, header.import.unwrap(), 0, 10).unwrap().kept, 1, "the row did not");
}
