//! What is listed of links: each once, what links apart from what does not, and nothing of what the viewer may not see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use intel::*;
use ledger::{CollectionId, Ledger, Options, Urgency};
use people::entry::{AudienceBody, Member};
use people::{NodeInfo, People, Role, Viewer};

struct Node {
    _dir: tempfile::TempDir,
    intel: Intel,
    me: Viewer,
    cols: Vec<(CollectionId, u32)>,
}

/// A node with so many collections.
fn node(cols: usize) -> Node {
    let dir = tempfile::tempdir().unwrap();
    Ledger::create(dir.path()).unwrap();
    let setup = Setup::new(dir.path(), None).unwrap();
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(dir.path(), options, vec![people::room(), setup.factory()]).unwrap();
    people::init(&ledger, NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true }).unwrap();
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    let me = people.local_viewer().unwrap();
    let made = (0..cols).map(|n| {
        let members = vec![Member::role(Role::Supervisor, false)];
        let body = AudienceBody::shared(&format!("EXERCISE {n}"), stix::Tlp::Amber, members);
        let made = people.create_collection(&me, &body).unwrap();
        (made.id, made.col)
    });
    let cols = made.collect();
    let me = people.local_viewer().unwrap();
    Node { _dir: dir, intel, me, cols }
}

fn note(n: usize, content: &str) -> String {
    let id = format!("note--00000000-0000-4000-8000-{n:012}");
    serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "content": content, "object_refs": [id]})
    .to_string()
}

impl Node {
    fn take(&self, to: usize, notes: impl IntoIterator<Item = (usize, String)>) {
        let bodies: Vec<String> = notes.into_iter().map(|(n, text)| note(n, &text)).collect();
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        self.intel.take(&self.me, self.cols[to].0, &bodies, Urgency::Interactive).unwrap();
    }

    /// Every page for a viewer: the values that link, those that are suppressed, and how many pages there were.
    fn all(&self, viewer: &Viewer, limit: usize) -> (Vec<String>, Vec<String>, usize) {
        let (mut links, mut suppressed, mut next, mut pages) = (Vec::new(), Vec::new(), None, 0);
        loop {
            let page = self.intel.links(viewer, next, limit).unwrap();
            assert!(page.links.iter().all(|l| l.suppressed.is_none()));
            assert!(page.suppressed.iter().all(|l| l.suppressed.is_some()));
            links.extend(page.links.into_iter().map(|l| format!("{} {}", l.value, l.count)));
            suppressed.extend(page.suppressed.into_iter().map(|l| format!("{} {}", l.value, l.count)));
            pages += 1;
            next = page.next;
            if next.is_none() {
                return (links, suppressed, pages);
            }
        }
    }
}

#[test]
fn each_link_is_listed_once_over_all_pages_and_by_its_newest_holder() {
    let node = node(2);
    let named = |n: usize| (n, format!("EXERCISE {n}: shop{}.example and lone{n}.example", n % 60));
    node.take(0, (0..60).map(named));
    node.take(1, (60..180).map(named));
    let (links, suppressed, pages) = node.all(&node.me, 7);
    let expected: Vec<String> = (0..60).rev().map(|n| format!("shop{n}.example 3")).collect();
    assert_eq!(links, expected);
    assert!(suppressed.is_empty() && pages > 8, "{suppressed:?} {pages}");
    assert_eq!(node.intel.latest_links(&node.me, 5).unwrap().len(), 5);
}

#[test]
fn what_links_nothing_is_listed_apart_with_why_and_keeps_no_page_from_what_links() {
    let node = node(1);
    let hub = (0..HUB + 40).map(|n| (n, format!("EXERCISE {n}: everywhere.example, mine{n}.example")));
    node.take(0, (900..902).map(|n| (n, format!("EXERCISE {n}: shop.example"))));
    node.take(0, hub);
    let page = node.intel.links(&node.me, None, 1).unwrap();
    assert!(page.links.is_empty(), "the hub is newest: {:?}", page.links);
    assert_eq!(page.suppressed.len(), 1);
    assert_eq!(page.suppressed[0].suppressed, Some(Suppressed::Hub(HUB + 40)));
    assert!(page.suppressed[0].more && page.suppressed[0].holders.len() < HUB);
    let (links, suppressed, _) = node.all(&node.me, 10);
    assert_eq!(links, ["shop.example 2"]);
    assert_eq!(suppressed, [format!("everywhere.example {}", HUB + 40)]);
}

#[test]
fn a_hidden_collection_changes_no_page_of_links() {
    let told = |hidden: bool| {
        let node = node(2);
        let named = |n: usize| (n, format!("EXERCISE {n}: shop{}.example", n % 50));
        node.take(0, (0..70).map(named));
        if hidden {
            let hub = |n| (n, format!("EXERCISE {n}: shop{}.example, shop49.example, shop2.example", n % 50));
            node.take(1, (1_000..1_000 + HUB * 2).map(hub));
        }
        let viewer = Viewer::for_test(Role::Reader, [node.cols[0].1]);
        node.all(&viewer, 3)
    };
    let alone = told(false);
    assert_eq!(alone.0.len(), 20);
    assert_eq!(told(true), alone);
}
