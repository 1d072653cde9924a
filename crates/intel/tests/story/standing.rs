//! One object in several collections is one object; what was withdrawn is told to those who could see it, and to nobody else.
use super::*;
use ledger::CollectionId;
use people::Role;

fn id(n: u32) -> String {
    format!("note--00000000-0000-4000-8000-{n:012}")
}

impl Node {
    /// New collections, each with its small number.
    fn places(&mut self, count: usize) -> Vec<(CollectionId, u32)> {
        let made = (0..count).map(|n| {
            let body =
                people::entry::AudienceBody::shared(&format!("EXERCISE {n}"), stix::Tlp::AmberStrict, Vec::new());
            let made = self.intel.people().create_collection(&self.me, &body).unwrap();
            (made.id, made.col)
        });
        let made = made.collect();
        self.me = self.intel.people().local_viewer().unwrap();
        made
    }
    fn put(&self, place: (CollectionId, u32), bodies: &[&str]) {
        let taken = self.intel.take(&self.me, place.0, bodies, Urgency::Interactive).unwrap();
        assert!(taken.iter().all(|t| matches!(t.outcome, Took::New { .. })), "{taken:?}");
    }
    /// The ids of every page of a search, `limit` hits at a time.
    fn pages(&self, viewer: &Viewer, query: &str, limit: usize) -> Vec<String> {
        let (mut out, mut before) = (Vec::new(), None);
        loop {
            let found = self.intel.search(viewer, query, before, limit).unwrap();
            out.extend(found.hits.into_iter().map(|h| h.row.id));
            assert!(found.next.is_none() || found.next < before.or(Some(u64::MAX)), "a page goes on");
            before = found.next;
            if before.is_none() {
                return out;
            }
        }
    }
}

#[test]
fn a_search_shows_an_object_that_stands_in_several_collections_once_on_whatever_page() {
    let mut node = node();
    let places = node.places(3);
    // Six objects in each of three collections; of the odd ones the newest standing says something else.
    for (at, place) in places.iter().enumerate() {
        for n in 0..6 {
            let says = if at == 2 && n % 2 == 1 { "EXERCISE silent" } else { "EXERCISE lured shop.example" };
            let version = [V1, V2, "2026-03-01T00:00:00.000Z"][at];
            node.put(*place, &[&note(n, version, says)]);
        }
    }
    for query in ["lured", "shop.example", "EXERCISE lured", "type:note", "type:note lured"] {
        let mut whole = node.pages(&node.me, query, 100);
        assert_eq!(whole.len(), 6, "{query}: {whole:?}");
        for limit in [1, 2, 3, 5] {
            let mut paged = node.pages(&node.me, query, limit);
            assert_eq!(paged.len(), 6, "{query}, {limit} a page: {paged:?}");
            whole.sort_unstable();
            paged.sort_unstable();
            assert_eq!(whole, paged, "{query}, {limit} a page");
        }
        assert_eq!(node.intel.search(&node.me, query, None, 2).unwrap().total, Count::Exactly(6), "{query}");
    }
    let silent = node.pages(&node.me, "silent", 1);
    assert_eq!(silent.len(), 3, "{silent:?}");
    // Who sees one collection has each once, and is told of no other place.
    let one = Viewer::for_test(Role::Reader, [places[0].1]);
    let found = node.intel.search(&one, "lured", None, 50).unwrap();
    assert_eq!((found.hits.len(), found.total), (6, Count::Exactly(6)));
    assert!(node.intel.elsewhere(&one, found.hits.iter().map(|h| &h.row)).unwrap().is_empty());
    let found = node.intel.search(&node.me, "silent", None, 50).unwrap();
    let elsewhere = node.intel.elsewhere(&node.me, found.hits.iter().map(|h| &h.row)).unwrap();
    for hit in &found.hits {
        let cols: Vec<u32> = elsewhere[&hit.row.pos].iter().map(|r| r.col).collect();
        assert_eq!((hit.row.col, cols), (places[2].1, vec![places[1].1, places[0].1]));
    }
    node.end();
}

#[test]
fn a_withdrawal_is_told_with_its_reason_to_who_could_see_the_object_and_to_nobody_else() {
    let mut node = node();
    let places = node.places(2);
    node.put(places[0], &[&note(1, V1, "EXERCISE a"), &note(1, V2, "EXERCISE b")]);
    node.put(places[1], &[&note(1, V1, "EXERCISE c"), &note(2, V1, "EXERCISE d")]);
    let told = |node: &Node, viewer: &Viewer| -> Vec<(u32, String)> {
        let all = node.intel.withdrawals(viewer, &id(1)).unwrap();
        all.into_iter().map(|w| (w.col, w.reason)).collect()
    };
    assert!(told(&node, &node.me).is_empty());
    let all =
        |n: u32| node.intel.withdraw(&node.me, &id(n), &Which::All, Some(places[0].0), "EXERCISE taken back").unwrap();
    assert_eq!(all(1), 2);
    let both = told(&node, &node.me);
    assert_eq!(both, vec![(places[0].1, "EXERCISE taken back".to_owned()); 2]);
    let mut versions: Vec<_> =
        node.intel.withdrawals(&node.me, &id(1)).unwrap().into_iter().filter_map(|w| w.version).collect();
    versions.dedup();
    assert_eq!(versions.len(), 2);
    let (one, other) = (Viewer::for_test(Role::Reader, [places[0].1]), Viewer::for_test(Role::Reader, [places[1].1]));
    assert_eq!(told(&node, &one).len(), 2);
    assert!(told(&node, &other).is_empty(), "she could not see what was withdrawn");
    assert!(told(&node, &Viewer::for_test(Role::Reader, [])).is_empty());
    // A rebuild says the same; an erasure takes it away, also from a view that is folded anew.
    node.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
    assert_eq!(told(&node, &node.me), both);
    node.intel.expunge(&node.me, &id(1), "EXERCISE").unwrap();
    assert!(told(&node, &node.me).is_empty());
    node.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
    assert!(told(&node, &node.me).is_empty());
    node.end();
}

#[test]
fn an_import_says_what_of_it_was_withdrawn_and_why() {
    let node = node();
    let bodies: Vec<String> = (1..=1_450).map(|n| note(n, V1, "EXERCISE")).collect();
    let bundle = format!(r#"{{"type":"bundle","objects":[{}]}}"#, bodies.join(","));
    let job = ImportJob { source: "EXERCISE.json".into(), ..ImportJob::default() };
    let import = node.intel.import(&node.me, &job, Box::new(bundle.as_bytes()), &mut |_| {}).unwrap().import.unwrap();
    node.intel.withdraw(&node.me, &id(7), &Which::All, None, "EXERCISE one alone").unwrap();
    node.intel.withdraw_import(&node.me, import, "EXERCISE all the rest").unwrap();
    let told = node.intel.withdrawn_of_import(&node.me, import).unwrap();
    let said: Vec<_> = told.iter().map(|w| (w.versions, w.more, w.reason.as_str())).collect();
    assert_eq!(said, [(1_449, false, "EXERCISE all the rest"), (1, false, "EXERCISE one alone")]);
    assert!(node.intel.withdrawn_of_import(&Viewer::for_test(Role::Reader, []), import).unwrap().is_empty());
    let listed = node.intel.import_row(&node.me, import).unwrap();
    assert_eq!((listed.withdrawn, listed.withdrawn_more, listed.is_withdrawn()), (1_450, false, true));
    node.end();
}

#[test]
fn types_are_those_of_the_viewers_own_collections_and_an_unknown_one_is_said() {
    let mut node = node();
    let places = node.places(2);
    node.put(places[0], &[&note(1, V1, "EXERCISE a"), &note(2, V1, "EXERCISE b")]);
    let malware = note(3, V1, "EXERCISE c").replace("note", "malware").replace("content", "name");
    let malware = malware.replace("\"name\"", "\"is_family\":false,\"name\"");
    node.put(places[1], &[&malware]);
    let types = |viewer: &Viewer| -> Vec<(String, u64)> { node.intel.types(viewer).unwrap().into_iter().collect() };
    let one = Viewer::for_test(Role::Reader, [places[0].1]);
    assert_eq!(types(&one), [("note".to_owned(), 2)]);
    assert_eq!(types(&node.me), [("malware".to_owned(), 1), ("note".to_owned(), 2)]);
    let unknown = |viewer: &Viewer, query: &str| node.intel.search(viewer, query, None, 10).unwrap().unknown_types;
    assert_eq!(unknown(&one, "type:malware EXERCISE"), ["malware"], "as if nobody had any");
    assert_eq!(unknown(&one, "type:foo EXERCISE"), ["foo"]);
    assert_eq!(unknown(&node.me, "type:foo type:Note EXERCISE"), ["foo"]);
    assert_eq!(node.intel.search(&node.me, "type:foo type:Note EXERCISE", None, 10).unwrap().hits.len(), 2);
    assert_eq!(node.intel.search(&node.me, "type:foo EXERCISE", None, 10).unwrap().hits.len(), 0);
    node.intel.withdraw(&node.me, &id(1), &Which::All, None, "EXERCISE").unwrap();
    node.intel.withdraw(&node.me, &id(2), &Which::All, None, "EXERCISE").unwrap();
    assert!(types(&one).is_empty(), "nothing of it stands any longer");
    node.end();
}

#[test]
fn what_a_person_types_finds_what_was_written_otherwise() {
    let node = node();
    let texts = [
        "EXERCISE Cảnh báo lừa đảo tuyển dụng ở Campuchia",
        "EXERCISE مَكْتَب توظيف إحتيال ٠٩٩",
        "EXERCISE ការ\u{200B}ងារ\u{200B}ប្រាក់ខែខ្ពស់ ០១២",
        "EXERCISE အလုပ်ခေါ်စာ လစာကောင်း ၀၉၁",
        "EXERCISE โทร ๐๘๑-๒๓๔-๕๖๗๘ งานสบายรายได้ดี",
        "EXERCISE 高薪招聘海外客服",
        "EXERCISE paid to 0x52908400098527886E0F7030069857D2E4169EE7 twice",
        "EXERCISE see hxxps://golden-crane[.]example/apply now",
    ];
    let bodies: Vec<String> = (0..).zip(texts).map(|(n, text)| note(n, V1, text)).collect();
    node.take(&bodies.iter().map(String::as_str).collect::<Vec<_>>());
    node.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
    for (n, asked) in [
        (0, "lua dao"),
        (0, "lừa đảo"),
        (0, "LỪA ĐẢO tuyen dung"),
        (1, "مكتب"),
        (1, "احتيال"),
        (1, "099"),
        (2, "ការងារ"),
        (2, "ប្រាក់ខែ"),
        (2, "012"),
        (3, "လစာကောင်း"),
        (3, "091"),
        (4, "0812345678"),
        (4, "081 234 5678"),
        (4, "+66 81-234-5678"),
        (4, "๐๘๑๒๓๔๕๖๗๘"),
        (4, "Tel: 0812345678"),
        (4, "โทร： 081 234 5678"),
        (4, "รายได้ดี"),
        (4, "ได้"),
        (5, "招聘"),
        (5, "海外客服"),
        (6, "0x529084"),
        (6, "0x529084…9EE7"),
        (6, "0x52908400098527886e0f7030069857d2e4169ee7"),
        (7, "https://golden-crane.example/apply"),
        (7, "golden-crane[.]example"),
        (7, "hxxp://golden-crane.example"),
    ] {
        assert_eq!(node.hits(asked), [id(n)], "{asked}");
    }
    node.end();
}

#[test]
fn a_word_that_a_views_file_lost_is_found_when_it_is_compared() {
    let mut node = node();
    node.take(&[&note(1, V1, "EXERCISE zwirblefink"), &note(2, V1, "EXERCISE zwirblefink too")]);
    node.intel.ledger().level(std::time::Duration::from_secs(60)).unwrap();
    assert!(node.intel.ledger().compare("intel", &|_, _| {}).unwrap().same());
    node.intel.ledger().close();
    let file = files(&node.dir.path().join("views")).into_iter().find(|f| {
        f.file_name().unwrap().to_str().is_some_and(|name| name.starts_with("intel.") && name.ends_with(".db"))
    });
    let view = rusqlite::Connection::open(file.unwrap()).unwrap();
    let row: (i64, Vec<u8>) = view
        .query_row("SELECT id, sz FROM texts_docsize ORDER BY id LIMIT 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    view.execute("INSERT INTO texts(texts, rowid, text) VALUES ('delete', ?, 'zwirblefink')", [row.0]).unwrap();
    view.execute("INSERT INTO texts_docsize(id, sz) VALUES (?, ?)", row).unwrap();
    drop(view);
    (node.intel, node.me) = open(node.dir.path());
    assert_eq!(node.hits("zwirblefink").len(), 1, "the word was lost");
    assert!(!node.intel.ledger().compare("intel", &|_, _| {}).unwrap().same());
    node.intel.ledger().rebuild("intel", &|_, _| {}).unwrap();
    assert_eq!(node.hits("zwirblefink").len(), 2);
    node.end();
}
