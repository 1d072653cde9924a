//! The access log: whole, bound, without text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod node;
use node::Node;
use people::{Access, AccessFilter, AccessKind, Error, Outcome, Right, Role, Viewer};

fn record(node: &Node, n: u32) {
    let viewer = node.local();
    let id = format!("note--00000000-0000-4000-8000-{n:012}");
    let route = "/objects/{id}";
    let ids = [id.as_str()];
    let access =
        Access { viewer: Some(&viewer), method: "GET", route, status: 200, ids: &ids, bytes: 9, ..Access::default() };
    node.people.access_log().record(&access).unwrap();
}

#[test]
fn every_request_is_a_row_and_every_row_is_bound_to_the_one_before() {
    let node = Node::new();
    let log = node.people.access_log().clone();
    (0..2_500).for_each(|n| record(&node, n));
    let head = log.verify().unwrap();
    assert_eq!(head.n, 2_500);
    let page = log.page(&node.local(), Some(101), 50).unwrap();
    assert_eq!((page.len(), page[0].n, page[49].n), (50, 100, 51));
    assert_eq!(page[0].ids, "note--00000000-0000-4000-8000-000000000099");
    let node = node.restart();
    record(&node, 1);
    let log = node.people.access_log().clone();
    assert_eq!(log.verify().unwrap().n, 2_501);
    node.ledger.close();
}

#[test]
fn retention_takes_the_oldest_rows_alone_says_so_and_breaks_no_chain() {
    let node = Node::new();
    let log = node.people.access_log().clone();
    (0..12_000).for_each(|n| record(&node, n));
    log.flush().unwrap();
    // As if the clock had stood wrong at one row, and as if the rows after the 11,000th were young.
    let aged = |sql: &'static str| node.ledger.state().write(move |c| Ok(c.execute(sql, [])?)).unwrap();
    aged("UPDATE access SET at = n");
    aged("UPDATE access SET at = 1 WHERE n = 11500");
    assert_eq!(log.forget(11_001).unwrap(), 11_000);
    let rows = log.page(&node.local(), None, 1_000).unwrap();
    assert_eq!((rows[0].n, rows[0].method.as_str(), rows[0].objects), (12_001, "retention", 11_000));
    assert_eq!((rows[1].n, rows.last().unwrap().n), (12_000, 11_002), "an old row among young ones stays");
    assert_eq!(log.forget(11_001).unwrap(), 0, "and nothing is said where nothing went");
    assert_eq!(log.head().unwrap().n, 12_001);
    node.ledger.close();

    let node = Node::new();
    let log = node.people.access_log().clone();
    (0..10).for_each(|n| record(&node, n));
    log.flush().unwrap();
    log.forget(i64::MAX).unwrap();
    record(&node, 2);
    assert_eq!(log.verify().unwrap().n, 12, "what follows is bound to the last row that went");
    node.ledger.close();
}

#[test]
fn a_changed_a_removed_and_an_added_row_are_found_and_named() {
    for (sql, at) in [
        ("UPDATE access SET account = 7 WHERE n = 5", 5),
        ("UPDATE access SET ids = ids || ' ' WHERE n = 6", 6),
        ("UPDATE access SET route = method, method = route WHERE n = 3", 3),
        ("DELETE FROM access WHERE n = 4", 4),
        ("DELETE FROM access WHERE n = 1", 1),
        ("UPDATE access SET hash = zeroblob(32) WHERE n = 10", 10),
    ] {
        let node = Node::new();
        let log = node.people.access_log();
        (0..10).for_each(|n| record(&node, n));
        let whole = log.verify().unwrap();
        assert_eq!(whole, log.head().unwrap());
        node.ledger.state().write(move |c| Ok(c.execute(sql, [])?)).unwrap();
        let said = log.verify().unwrap_err().to_string();
        assert!(said.ends_with(&format!("row {at}")), "{sql}: {said}");
        node.ledger.close();
    }
}

#[test]
fn only_auditors_and_the_command_line_read_the_access_log() {
    let node = Node::new();
    for role in Role::ALL {
        let page = node.people.access_log().page(&Viewer::for_test(role, []), None, 10);
        assert_eq!(page.is_ok(), matches!(role, Role::Auditor | Role::Local), "{role}");
        assert!(page.is_ok() || matches!(page, Err(Error::Forbidden(Right::SeeAccessLog))));
    }
    node.ledger.close();
}

#[test]
fn what_was_searched_for_is_in_no_file_and_equal_queries_look_alike() {
    let node = Node::new();
    let log = node.people.access_log();
    let secret = "+1 555 0100 north-gate";
    for query in [secret, secret, "another"] {
        let access = Access { method: "GET", route: "/search", status: 200, query: Some(query), ..Access::default() };
        log.record(&access).unwrap();
    }
    log.flush().unwrap();
    let rows = log.page(&node.local(), None, 10).unwrap();
    assert!(rows[1].query == rows[2].query && rows[0].query != rows[1].query && rows[0].query.is_some());
    node.ledger.close();
    for file in std::fs::read_dir(node.dir.path()).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(10).any(|w| w == b"north-gate"), "{}", file.display());
    }
}

#[test]
fn a_row_is_bounded_whatever_a_request_was_about() {
    let node = Node::new();
    let long = "x".repeat(100_000);
    let (ids, route) = (vec![long.as_str(), "two words", "note--1"], "é".repeat(1_000));
    let many: Vec<&str> = ids.iter().copied().cycle().take(3_000).collect();
    let access = Access { method: &long, route: &route, status: 200, ids: &many, ..Access::default() };
    node.people.access_log().record(&access).unwrap();
    let row = node.people.access_log().page(&node.local(), None, 1).unwrap().remove(0);
    assert_eq!((row.objects, row.ids.split(' ').count()), (3_000, 50));
    assert!(row.method.len() <= 300 && row.route.len() <= 300);
    node.people.access_log().verify().unwrap();
    node.ledger.close();
}

#[test]
fn no_row_is_lost_while_the_disk_takes_none_and_beyond_what_memory_holds_nobody_is_served() {
    let node = Node::new();
    let log = node.people.access_log().clone();
    let stop = "CREATE TRIGGER full BEFORE INSERT ON access WHEN NEW.n > 2 BEGIN SELECT RAISE(FAIL, 'full'); END";
    node.ledger.state().write(move |c| Ok(c.execute_batch(stop)?)).unwrap();
    record(&node, 1);
    log.flush().unwrap();
    let access = Access { method: "GET", route: "/objects/{id}", status: 200, ..Access::default() };
    let mut taken = 1;
    while log.record(&access).is_ok() {
        taken += 1;
        assert!(taken <= 30_000, "what waits in memory has an end");
        if taken % 1_000 == 0 {
            assert!(log.flush().is_err());
        }
    }
    assert!(log.ready().is_err());
    node.ledger.state().write(|c| Ok(c.execute_batch("DROP TRIGGER full")?)).unwrap();
    log.ready().unwrap();
    record(&node, 2);
    assert_eq!(log.verify().unwrap().n, taken + 1);
    node.ledger.close();
    let closed = log.record(&access).unwrap_err();
    assert_eq!(closed.status(), 503, "{closed}");
}

fn took(
    node: &Node,
    viewer: Option<&Viewer>,
    method: &str,
    route: &str,
    status: u16,
    ids: &[&str],
    query: Option<&str>,
) {
    let access = Access { viewer, method, route, status, ids, query, ..Access::default() };
    node.people.access_log().record(&access).unwrap();
}

#[test]
fn rows_are_found_by_person_by_what_was_asked_for_by_time_and_by_outcome() {
    let node = Node::new();
    let (local, id) = (node.local(), "note--00000000-0000-4000-8000-000000000001");
    let phone = "phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01";
    let number = node.people.create_token(&local, &people::NewToken { name: "feed", role: Role::Reader, days: None });
    let bearer = format!("Bearer {}", number.unwrap());
    let feed = node.people.authenticate(&node::header(Some(&bearer), None)).unwrap().unwrap();
    took(&node, Some(&local), "show", "eye", 200, &[id], None);
    took(&node, Some(&feed), "GET", "/objects/{id}", 200, &[phone], None);
    took(&node, Some(&feed), "GET", "/search", 200, &[], Some("+1 555 0100"));
    node.clock.forward(60);
    let minute = node.ledger.now();
    took(&node, Some(&feed), "GET", "/users", 403, &[], None);
    took(&node, None, "POST", "/sign-in", 401, &[], None);
    took(&node, Some(&feed), "GET", "/objects/{id}", 404, &[], None);
    took(&node, Some(&feed), "GET", "/", 500, &[], None);
    let log = node.people.access_log();
    let sought = |text: &str, readings: &[&str]| {
        let readings: Vec<String> = readings.iter().map(|r| (*r).to_owned()).collect();
        Some(log.sought(text, &readings))
    };
    let all = AccessFilter::default;
    let table = [
        (all(), vec![7, 6, 5, 4, 3, 2, 1]),
        (AccessFilter { account: Some(feed.account()), ..all() }, vec![7, 6, 4, 3, 2]),
        (AccessFilter { account: Some(0), ..all() }, vec![5]),
        (AccessFilter { kind: Some(AccessKind::Object), ..all() }, vec![6, 2]),
        (AccessFilter { kind: Some(AccessKind::Command), ..all() }, vec![1]),
        (AccessFilter { kind: Some(AccessKind::Overview), ..all() }, vec![7]),
        (AccessFilter { method: Some("show".into()), ..all() }, vec![1]),
        (AccessFilter { outcome: Some(Outcome::Answered), ..all() }, vec![3, 2, 1]),
        (AccessFilter { outcome: Some(Outcome::Refused), ..all() }, vec![5, 4]),
        (AccessFilter { outcome: Some(Outcome::Wrong), ..all() }, vec![6]),
        (AccessFilter { outcome: Some(Outcome::Failed), ..all() }, vec![7]),
        (AccessFilter { from: Some(minute), ..all() }, vec![7, 6, 5, 4]),
        (AccessFilter { to: Some(minute), ..all() }, vec![3, 2, 1]),
        (AccessFilter { sought: sought(id, &[]), ..all() }, vec![1]),
        (AccessFilter { sought: sought(phone, &[]), ..all() }, vec![2]),
        (AccessFilter { sought: sought("(1) 555-0100", &["+1 555 0100"]), ..all() }, vec![3]),
        (AccessFilter { sought: sought("another", &[]), ..all() }, vec![]),
        (AccessFilter { account: Some(feed.account()), outcome: Some(Outcome::Refused), ..all() }, vec![4]),
    ];
    for (filter, due) in table {
        let page = log.find(&local, &filter, None, 100).unwrap();
        assert_eq!(page.rows.iter().map(|r| r.n).collect::<Vec<_>>(), due, "{filter:?}");
        assert_eq!((page.next, page.broken_off), (None, false));
        for mark in filter.sought.iter().map(people::Sought::mark) {
            assert!(!mark.contains(phone) && !mark.contains("555"), "no address tells what was sought: {mark}");
            assert_eq!(people::Sought::of_mark(&mark), filter.sought);
        }
    }
    node.ledger.close();
}

#[test]
fn a_filter_goes_through_the_whole_log_page_by_page_and_every_route_kind_is_one() {
    let node = Node::new();
    (0..2_500).for_each(|n| record(&node, n));
    let log = node.people.access_log();
    let (mut before, mut found) = (None, Vec::new());
    let nobody = AccessFilter { account: Some(0), ..AccessFilter::default() };
    took(&node, None, "GET", "/sign-in", 200, &[], None);
    loop {
        let page = log.find(&node.local(), &AccessFilter::default(), before, 900).unwrap();
        found.extend(page.rows.iter().map(|r| r.n));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert!(found.iter().copied().eq((1..=2_501).rev()), "nothing is missed and nothing comes twice");
    assert_eq!(log.find(&node.local(), &nobody, Some(2_501), 900).unwrap().rows, []);
    for kind in AccessKind::ALL {
        assert_eq!(kind.as_str().parse::<AccessKind>(), Ok(kind));
    }
    assert!("x' OR 1".parse::<AccessKind>().is_err() && "x".parse::<Outcome>().is_err());
    node.ledger.close();
}
