//! One story of the room on a real ledger: what comes in is found, links, goes again, and leaves no word behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod gone;
mod many;
mod standing;

use intel::*;
use ledger::{INTAKE, Ledger, Options, Urgency};
use people::{NodeInfo, People, Viewer};
use std::path::Path;

struct Node {
    dir: tempfile::TempDir,
    intel: Intel,
    me: Viewer,
}

fn open(dir: &Path) -> (Intel, Viewer) {
    let setup = Setup::new(dir, Some("TH".into())).unwrap();
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(dir, options, vec![people::room(), setup.factory()]).unwrap();
    if ledger.head().pos == 0 {
        people::init(&ledger, NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true })
            .unwrap();
    }
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    let me = people.local_viewer().unwrap();
    (intel, me)
}

fn node() -> Node {
    let dir = tempfile::tempdir().unwrap();
    Ledger::create(dir.path()).unwrap();
    let (intel, me) = open(dir.path());
    Node { dir, intel, me }
}

fn note(n: u32, modified: &str, content: &str) -> String {
    let id = format!("note--00000000-0000-4000-8000-{n:012}");
    serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z",
        "modified": modified, "content": content, "object_refs": [id]})
    .to_string()
}

const V1: &str = "2026-01-01T00:00:00.000Z";
const V2: &str = "2026-02-01T00:00:00.000Z";

impl Node {
    fn take(&self, bodies: &[&str]) -> Vec<Took> {
        self.intel
            .take(&self.me, INTAKE, bodies, Urgency::Interactive)
            .unwrap()
            .into_iter()
            .map(|t| t.outcome)
            .collect()
    }
    fn hits(&self, query: &str) -> Vec<String> {
        self.intel.search(&self.me, query, None, 50).unwrap().hits.into_iter().map(|h| h.row.id).collect()
    }
    fn end(self) {
        let path = self.dir.path().to_path_buf();
        // A close waits for no fold, and the checker wants every view level with the log.
        self.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
        for view in ["intel", "index"] {
            assert!(self.intel.ledger().compare(view, &|_, _| {}).unwrap().same(), "{view} folded anew differs");
        }
        self.intel.ledger().close();
        drop(self.intel);
        let report = ledger::check(&path, false).unwrap();
        assert!(report.ok(), "{report:?}");
    }
}

#[test]
fn what_comes_in_is_found_by_word_selector_and_id_and_only_in_its_last_version() {
    let node = node();
    node.take(&[&note(1, V1, "pay to shop.example today"), &note(2, V1, "งานออนไลน์ รายได้ดี ติดต่อ shop.example")]);
    assert_eq!(node.hits("shop.example").len(), 2);
    assert_eq!(node.hits("hxxps://shop[.]example/").len(), 2, "a defanged address finds its host's holders");
    assert_eq!(node.hits("รายได้").len(), 1, "words of a script without spaces are found");
    assert_eq!(node.hits("today pay"), ["note--00000000-0000-4000-8000-000000000001"]);
    node.take(&[&note(1, V2, "nothing of that any more")]);
    assert!(node.hits("today").is_empty());
    assert_eq!(node.hits("shop.example").len(), 1);
    assert_eq!(node.hits("note--00000000-0000-4000-8000-000000000001").len(), 1);
    node.end();
}

#[test]
fn two_objects_link_by_what_they_share_and_a_withdrawal_unlinks_them() {
    let node = node();
    node.take(&[
        &note(1, V1, "wallet 0x52908400098527886e0f7030069857d2e4169ee7"),
        &note(2, V1, "sent to 0x52908400098527886E0F7030069857D2E4169EE7"),
    ]);
    let links = node.intel.links(&node.me, None, 10).unwrap().links;
    assert_eq!((links.len(), links[0].count), (1, 2));
    assert_eq!(links[0].suppressed, None);
    let of = node.intel.links_of_object(&node.me, "note--00000000-0000-4000-8000-000000000001", 0, 50).unwrap().links;
    assert_eq!(of.len(), 1);
    let gone = node
        .intel
        .withdraw(&node.me, "note--00000000-0000-4000-8000-000000000002", &Which::All, None, "EXERCISE")
        .unwrap();
    assert_eq!(gone, 1);
    assert!(node.intel.links(&node.me, None, 10).unwrap().links.is_empty());
    assert!(node.hits("sent").is_empty());
    // The same bytes may come again after a withdrawal.
    let again = node.take(&[&note(2, V1, "sent to 0x52908400098527886E0F7030069857D2E4169EE7")]);
    assert!(matches!(again[0], Took::New { .. }));
    assert_eq!(node.intel.links(&node.me, None, 10).unwrap().links.len(), 1);
    node.end();
}

#[test]
fn withdrawing_the_newest_brings_the_older_versions_selectors_back() {
    let node = node();
    node.take(&[&note(1, V1, "first shop.example"), &note(1, V2, "second market.example")]);
    let rows = node.intel.versions(&node.me, "note--00000000-0000-4000-8000-000000000001", &every()).unwrap();
    assert_eq!(rows.len(), 2);
    node.intel.withdraw(&node.me, &rows[0].id, &Which::Rows(vec![rows[0].pos]), None, "EXERCISE").unwrap();
    assert_eq!(node.hits("shop.example").len(), 1);
    assert!(node.hits("market.example").is_empty());
    node.end();
}

#[test]
fn an_erased_word_stands_in_no_file_and_the_object_is_not_taken_again() {
    let node = node();
    let body = note(1, V1, "the word quetzalcoatlus-7 and its-unique-host.example");
    node.take(&[&body, &note(2, V1, "another")]);
    assert_eq!(node.hits("quetzalcoatlus").len(), 1);
    node.intel.expunge(&node.me, "note--00000000-0000-4000-8000-000000000001", "EXERCISE").unwrap();
    assert!(node.hits("quetzalcoatlus").is_empty());
    for needle in ["quetzalcoatlus", "its-unique-host"] {
        let wide: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for file in files(node.dir.path()) {
            let bytes = std::fs::read(&file).unwrap();
            let has = |n: &[u8]| bytes.windows(n.len()).any(|w| w == n);
            assert!(!has(needle.as_bytes()) && !has(&wide), "{needle} stands in {}", file.display());
        }
    }
    assert!(matches!(&node.take(&[&body])[0], Took::Refused { .. }));
    node.end();
}

#[test]
fn an_erasure_leaves_no_name_in_the_view_that_only_the_erased_body_said() {
    let node = node();
    let phone = "phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01";
    let relation = "relationship--00000000-0000-4000-8000-000000000001";
    let target = "identity--00000000-0000-4000-8000-00000000abcd";
    let kept = "identity--00000000-0000-4000-8000-00000000beef";
    let number = format!(r#"{{"type":"phone-number","spec_version":"2.1","id":"{phone}","value":"EXERCISE"}}"#);
    let says = |id: &str, kind: &str, from: &str, to: &str| {
        serde_json::json!({"type": "relationship", "spec_version": "2.1", "id": id, "created": V1, "modified": V1,
            "relationship_type": kind, "source_ref": from, "target_ref": to})
        .to_string()
    };
    let other = says("relationship--00000000-0000-4000-8000-000000000002", "known-to", kept, kept);
    node.take(&[&number, &says(relation, "zwirblefinks", phone, target), &other]);
    assert_eq!(node.hits(phone), [phone], "an id that can be guessed is found and shown while it stands");
    let views = |needle: &str| -> usize {
        node.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
        let views = files(&node.dir.path().join("views"));
        views.iter().filter(|f| std::fs::read(f).unwrap().windows(needle.len()).any(|w| w == needle.as_bytes())).count()
    };
    assert!(views("00000000abcd") > 0 && views("zwirblefinks") > 0 && views("8b0e3a0d-9f4b-5a3c") > 0);
    node.intel.expunge(&node.me, relation, "EXERCISE").unwrap();
    node.intel.expunge(&node.me, phone, "EXERCISE").unwrap();
    for needle in ["00000000abcd", "zwirblefinks", "8b0e3a0d-9f4b-5a3c"] {
        assert_eq!(views(needle), 0, "{needle}");
    }
    assert!(views("00000000beef") > 0, "what another body says stays");
    assert!(node.hits(phone).is_empty());
    node.end();
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] }).filter(|p| p.is_file()).collect()
}

#[test]
fn whoever_may_see_nothing_finds_nothing() {
    let node = node();
    node.take(&[&note(1, V1, "shop.example")]);
    let nobody = Viewer::for_test(people::Role::Reader, []);
    let found = node.intel.search(&nobody, "shop.example", None, 10).unwrap();
    assert!(found.hits.is_empty());
    assert_eq!(found.total, Count::Exactly(0));
    assert!(node.intel.links(&nobody, None, 10).unwrap().links.is_empty());
    assert!(node.intel.versions(&nobody, "note--00000000-0000-4000-8000-000000000001", &every()).unwrap().is_empty());
    assert!(node.intel.latest(&nobody, None, 10).unwrap().is_empty());
    assert!(matches!(node.intel.page(&nobody, INTAKE, &Match::default(), 0, None, 10), Err(Error::NotFound)));
    node.end();
}

#[test]
fn a_tighter_object_is_refused_at_the_door_and_told_where_to_go() {
    let node = node();
    let red = format!(
        r#"{{"type":"note","spec_version":"2.1","id":"note--00000000-0000-4000-8000-000000000009","created":"{V1}","modified":"{V1}","content":"x","object_refs":[],"object_marking_refs":["{}"]}}"#,
        stix::Tlp::Red.definition_id()
    );
    let Took::Refused { why } = &node.take(&[&red])[0] else { panic!("a RED object was taken") };
    assert!(why.contains("TLP:RED"), "{why}");
    node.end();
}

#[test]
fn an_import_sets_bad_records_aside_and_a_second_run_adds_nothing() {
    let node = node();
    let list = "# EXERCISE\nshop.example\nmarket.example\n\n";
    let run = || {
        let job = ImportJob { source: "list.txt".into(), format: Some(formats::Format::List), ..ImportJob::default() };
        node.intel.import(&node.me, &job, Box::new(list.as_bytes()), &mut |_| {}).unwrap()
    };
    let first = run();
    assert_eq!((first.added, first.same), (2, 0), "{first:?}");
    let second = run();
    assert_eq!((second.added, second.same), (0, 2), "{second:?}");
    // The second import has seen what the first brought: withdrawing the first leaves it.
    assert_eq!(node.intel.withdraw_import(&node.me, first.import.unwrap(), "EXERCISE").unwrap(), 0);
    let bundle = format!(r#"{{"type":"bundle","objects":[{},{{"type":"note"}}]}}"#, note(1, V1, "good"));
    let job = ImportJob { source: "b.json".into(), ..ImportJob::default() };
    let third = node.intel.import(&node.me, &job, Box::new(bundle.as_bytes()), &mut |_| {}).unwrap();
    assert_eq!((third.added, third.aside), (1, 1), "{third:?}");
    assert_eq!(node.intel.withdraw_import(&node.me, third.import.unwrap(), "EXERCISE").unwrap(), 1);
    let strict = ImportJob { source: "b.json".into(), strict: true, ..ImportJob::default() };
    assert!(node.intel.import(&node.me, &strict, Box::new(bundle.as_bytes()), &mut |_| {}).is_err());
    node.end();
}

#[test]
fn a_fresh_fold_gives_an_equal_view() {
    let node = node();
    node.take(&[
        &note(1, V1, "first shop.example"),
        &note(1, V2, "second shop.example"),
        &note(2, V1, "other shop.example"),
    ]);
    node.intel.withdraw(&node.me, "note--00000000-0000-4000-8000-000000000002", &Which::All, None, "EXERCISE").unwrap();
    node.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
    assert_eq!(node.hits("shop.example").len(), 1);
    node.end();
}

#[test]
fn every_query_of_the_room_takes_the_viewers_set_or_says_why_not() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // The fold writes and reads its own rows; the quarantine is a file of its own behind `importer_of`.
    let own = [src.join("view"), src.join("quarantine.rs")];
    let mut queries = 0;
    for source in files(&src).iter().filter(|f| !own.iter().any(|o| f.starts_with(o))) {
        let text = std::fs::read_to_string(source).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        queries += text.matches("SELECT").count();
        let unguarded = people::see::unguarded(text);
        assert!(unguarded.is_empty(), "{} without see(): {unguarded:#?}", source.display());
    }
    assert!(queries > 30, "{queries}");
}

/// Objects and versions of each collection, counted one by one.
fn counted(node: &Node) -> (u64, u64) {
    let all = Match { versions: VersionMatch { all: true, ..VersionMatch::default() }, ..Match::default() };
    let rows = |matching| node.intel.page(&node.me, INTAKE, matching, 0, None, 10_000).unwrap().rows.len() as u64;
    (rows(&Match::default()), rows(&all))
}

#[test]
fn what_stands_is_counted_right_after_new_versions_withdrawals_erasures_a_restart_and_a_rebuild() {
    let mut node = node();
    let check = |node: &Node, wanted: (u64, u64)| {
        let stock = node.intel.counts(&node.me).unwrap();
        let told = stock.iter().find(|c| c.collection == INTAKE).map_or((0, 0), |c| (c.objects, c.versions));
        assert_eq!((told, counted(node)), (wanted, wanted));
    };
    let id = |n: u32| format!("note--00000000-0000-4000-8000-{n:012}");
    node.take(&[&note(1, V1, "a"), &note(1, V2, "b"), &note(2, V2, "c"), &note(2, V1, "d"), &note(3, V1, "e")]);
    check(&node, (3, 5));
    let newest = |n: u32| Which::Rows(vec![node.intel.versions(&node.me, &id(n), &every()).unwrap()[0].pos]);
    node.intel.withdraw(&node.me, &id(1), &newest(1), None, "EXERCISE").unwrap();
    check(&node, (3, 4));
    node.intel.withdraw(&node.me, &id(3), &Which::All, None, "EXERCISE").unwrap();
    check(&node, (2, 3));
    node.intel.expunge(&node.me, &id(2), "EXERCISE").unwrap();
    check(&node, (1, 1));
    node.intel.expunge(&node.me, &id(3), "EXERCISE").unwrap();
    check(&node, (1, 1));
    node.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
    check(&node, (1, 1));
    node.intel.ledger().close();
    (node.intel, node.me) = open(node.dir.path());
    check(&node, (1, 1));
    node.take(&[&note(4, V1, "f")]);
    check(&node, (2, 2));
    node.end();
}

/// Everything of an answer.
fn said(found: &Found) -> String {
    format!("{found:?}")
}

#[test]
fn what_arrives_in_hidden_collections_changes_no_answer_for_a_scattered_viewer() {
    let mut node = node();
    let made: Vec<_> = (0..30)
        .map(|n| {
            let body =
                people::entry::AudienceBody::shared(&format!("EXERCISE {n}"), stix::Tlp::AmberStrict, Vec::new());
            node.intel.people().create_collection(&node.me, &body).unwrap()
        })
        .collect();
    node.me = node.intel.people().local_viewer().unwrap();
    let mut n = 0;
    let mut fill = |collection, text: &str, count: u32| {
        let bodies: Vec<String> = (n..n + count).map(|n| note(n, V1, &format!("{text} evenly{}", n % 2))).collect();
        n += count;
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        node.intel.take(&node.me, collection, &bodies, Urgency::Interactive).unwrap();
    };
    let (own, hidden): (Vec<_>, Vec<_>) = made.iter().partition(|c| c.col % 2 == 0);
    own.iter().for_each(|c| fill(c.id, "shop.example lured here", 60));
    let viewer = Viewer::for_test(people::Role::Reader, own.iter().map(|c| c.col));
    let queries = [
        "lured",
        "secretly",
        "lured secretly",
        "\"lured here\"",
        "\"lured secretly\"",
        "evenly0 evenly1",
        "shop.example",
        "hidden.example",
        "type:note lured",
        "type:note",
        "type:malware secretly",
    ];
    let ask =
        || -> Vec<String> { queries.iter().map(|q| said(&node.intel.search(&viewer, q, None, 50).unwrap())).collect() };
    let before = ask();
    let newest =
        format!("{:?} {:?}", node.intel.latest(&viewer, None, 20).unwrap(), node.intel.counts(&viewer).unwrap());
    hidden.iter().for_each(|c| fill(c.id, "hidden.example shop.example lured secretly here", 90));
    for (query, (was, is)) in queries.iter().zip(before.iter().zip(ask())) {
        assert_eq!(*was, is, "{query}");
    }
    let after =
        format!("{:?} {:?}", node.intel.latest(&viewer, None, 20).unwrap(), node.intel.counts(&viewer).unwrap());
    assert_eq!(newest, after);
    node.end();
}

fn every() -> intel::Versions {
    intel::Versions { limit: 2_000, ..Default::default() }
}
