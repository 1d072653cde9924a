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
fn a_large_import_that_links_nothing_does_not_hide_the_links_of_other_collections() {
    let node = node(2);
    node.take(0, (0..4).map(|n| (n, format!("EXERCISE {n}: shop{}.example", n / 2))));
    node.take(1, (4..400).map(|n| (n, format!("EXERCISE {n}: lone{n}.example"))));
    let latest = |viewer| node.intel.latest_links(viewer, 5).unwrap().into_iter().map(|l| l.value).collect::<Vec<_>>();
    assert_eq!(latest(&node.me), ["shop1.example", "shop0.example"]);
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

/// Notes of so many pairs of reports that share a domain each, the first of each pair naming what `extra` says too.
fn pairs(count: usize, extra: impl Fn(usize) -> String) -> Vec<(usize, String)> {
    let first = |n: usize| (n, format!("EXERCISE {n}: shop{n}.example {}", extra(n)));
    let second = |n: usize| (1_000 + n, format!("EXERCISE {n}: shop{n}.example, other{n}.example"));
    (0..count).map(first).chain((0..count).map(second)).collect()
}

fn suppressed(node: &Node, viewer: &Viewer, domain: &str) -> Option<Suppressed> {
    node.intel.links_of_selector(viewer, selectors::Kind::Domain, domain).unwrap().unwrap().suppressed
}

#[test]
fn what_only_unrelated_reports_share_is_a_hub_and_its_bare_address_too() {
    let node = node(1);
    node.take(0, pairs(12, |_| "via https://short-link.example/".to_owned()));
    let why = suppressed(&node, &node.me, "short-link.example");
    assert_eq!(why, Some(Suppressed::Unrelated { holders: 12, looked_at: 12 }));
    let url = node.intel.links_of_selector(&node.me, selectors::Kind::Url, "https://short-link.example/").unwrap();
    assert_eq!(url.unwrap().suppressed, why);
    assert_eq!(suppressed(&node, &node.me, "shop3.example"), None);
    let selector = (selectors::Kind::Domain, "short-link.example");
    node.intel.overrule(&node.me, selector.0, selector.1, Word::Links, "EXERCISE one offender's own").unwrap();
    assert_eq!(suppressed(&node, &node.me, "short-link.example"), None);
}

#[test]
fn what_victims_name_alone_or_what_related_reports_share_goes_on_linking() {
    let node = node(1);
    node.take(0, (0..40).map(|n| (n, format!("EXERCISE {n}: pay.example, mine{n}.example"))));
    assert_eq!(suppressed(&node, &node.me, "pay.example"), None, "nothing says that they are unrelated");
    // Every third of another contact: some of the pairs share more than the one thing.
    let related = |n: usize| (2_000 + n, format!("EXERCISE {n}: crew.example, contact{}.example", n % 4));
    node.take(0, (0..12).map(related));
    assert_eq!(suppressed(&node, &node.me, "crew.example"), None);
    node.take(0, pairs(9, |_| "small.example".to_owned()).into_iter().map(|(n, t)| (5_000 + n, t)));
    assert_eq!(suppressed(&node, &node.me, "small.example"), None, "nine prove nothing");
}

#[test]
fn whether_a_selector_is_a_hub_is_judged_by_what_the_viewer_sees_alone() {
    let node = node(2);
    let (seen, hidden): (Vec<_>, Vec<_>) =
        pairs(12, |_| "short-link.example".to_owned()).into_iter().partition(|(n, _)| *n < 1_000);
    node.take(0, seen);
    node.take(1, hidden);
    let viewer = Viewer::for_test(Role::Reader, [node.cols[0].1]);
    assert!(suppressed(&node, &node.me, "short-link.example").is_some());
    assert_eq!(suppressed(&node, &viewer, "short-link.example"), None, "that they link elsewhere is hidden");
}

#[test]
fn a_number_that_comes_back_after_half_a_year_links_less_surely_and_says_so() {
    let node = node(1);
    let call = |n: usize, at: &str| note(n, "EXERCISE call +1 202 555 0142").replace("2026-01-01", at);
    let take = |body: String| node.intel.take(&node.me, node.cols[0].0, &[&body], Urgency::Interactive).unwrap();
    let link = || node.intel.links_of_selector(&node.me, selectors::Kind::Phone, "+12025550142").unwrap().unwrap();
    take(call(1, "2025-01-01"));
    take(call(2, "2025-02-01"));
    assert_eq!((link().suppressed, link().silent_days), (None, None));
    take(call(3, "2025-12-01"));
    assert_eq!((link().suppressed, link().silent_days), (None, Some(303)));
}

#[test]
fn a_relationship_names_both_its_ends_and_no_end_that_is_hidden() {
    let node = node(2);
    let id = |kind: &str, n: usize| format!("{kind}--00000000-0000-4000-8000-{n:012}");
    let at = "2026-01-01T00:00:00.000Z";
    let actor = |n: usize, name: &str| {
        serde_json::json!({"type": "threat-actor", "spec_version": "2.1", "id": id("threat-actor", n),
        "created": at, "modified": at, "name": name})
        .to_string()
    };
    let says = |n: usize, from: usize, to: usize| {
        serde_json::json!({"type": "relationship", "spec_version": "2.1",
        "id": id("relationship", n), "created": at, "modified": at, "relationship_type": "attributed-to",
        "source_ref": id("threat-actor", from), "target_ref": id("threat-actor", to)})
        .to_string()
    };
    let take = |to: usize, bodies: &[String]| {
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        node.intel.take(&node.me, node.cols[to].0, &bodies, Urgency::Interactive).unwrap();
    };
    take(0, &[actor(1, "EXERCISE crew"), actor(2, "EXERCISE boss"), says(5, 1, 2), says(6, 3, 1)]);
    take(1, &[actor(3, "EXERCISE hidden")]);
    let told = |viewer: &Viewer| -> Vec<(String, bool, Option<String>)> {
        let all = node.intel.neighbours(viewer, &id("threat-actor", 1), 0, 10).unwrap().0;
        all.into_iter().filter_map(|n| n.says).map(|s| (s.kind, s.forward, s.other.map(|h| h.name))).collect()
    };
    let boss = ("attributed-to".to_owned(), true, Some("EXERCISE boss".to_owned()));
    let hidden = |name: Option<&str>| ("attributed-to".to_owned(), false, name.map(str::to_owned));
    assert_eq!(told(&node.me), [hidden(Some("EXERCISE hidden")), boss.clone()]);
    let viewer = Viewer::for_test(Role::Reader, [node.cols[0].1]);
    assert_eq!(told(&viewer), [hidden(None), boss]);
}
