//! Who sees what, and how soon it moves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod node;
use ledger::{Append, INTAKE, IdSource, Kind, NewEntry, SameRule, Urgency};
use node::{Node, header};
use people::entry::{AudienceBody, Member, Purpose};
use people::{Collection, Error, NewToken, Right, Role, Viewer, VisibleSet, see};
use std::sync::Arc;
use stix::Tlp;

fn token(node: &Node, role: Role) -> String {
    let new = NewToken { name: "", role, days: None };
    format!("Bearer {}", node.people.create_token(&node.local(), &new).unwrap())
}

fn viewer(node: &Node, bearer: &str) -> Viewer {
    node.people.authenticate(&header(Some(bearer), None)).unwrap().unwrap()
}

fn make(node: &Node, members: Vec<Member>) -> Arc<Collection> {
    let body = AudienceBody::shared("EXERCISE north", Tlp::Amber, members);
    node.people.create_collection(&node.local(), &body).unwrap()
}

#[test]
fn init_makes_three_collections_once_and_only_intake_is_listed() {
    let node = Node::new();
    let all = node.people.collections(&node.local()).unwrap();
    let told: Vec<_> = all.iter().map(|c| (c.title(), c.audience.listed, c.audience.highest.as_str())).collect();
    let due = [("House", false, "TLP:RED"), ("Intake", true, "TLP:AMBER+STRICT"), ("Restricted", false, "TLP:RED")];
    assert_eq!(told, due);
    assert_eq!(node.people.collection(INTAKE).unwrap().unwrap().title(), "Intake");
    assert!(
        people::init(&node.ledger, people::NodeInfo { country: "TH".into(), name: "x".into(), exercise: false })
            .is_err()
    );
    assert_eq!(node.people.node().unwrap().unwrap().country, "TH");
    node.ledger.close();
}

#[test]
fn each_role_sees_of_the_first_collections_what_its_audience_says() {
    let node = Node::new();
    let mut out = String::new();
    for role in Role::GIVEN {
        let who = viewer(&node, &token(&node, role));
        for purpose in [Purpose::House, Purpose::Intake, Purpose::Restricted] {
            let c = node.people.collection_for(purpose).unwrap().unwrap();
            out += &format!("{role} {}: reads {}, writes {}\n", c.title(), who.sees(c.col), who.may_write(c.col));
        }
        out += &format!("{role} lists {}\n", node.people.collections(&who).unwrap().len());
    }
    insta::assert_snapshot!(out);
    node.ledger.close();
}

#[test]
fn the_table_of_rights_is_what_it_was_agreed_to_be() {
    insta::assert_snapshot!(people::rights_table());
}

#[test]
fn a_reader_administrator_auditor_never_gets_a_write_whatever_an_audience_says() {
    let node = Node::new();
    let members: Vec<_> = Role::ALL.iter().map(|r| Member::role(*r, true)).collect();
    let c = make(&node, members);
    for role in Role::GIVEN {
        let who = viewer(&node, &token(&node, role));
        let due = matches!(role, Role::Analyst | Role::Supervisor | Role::Peer);
        assert_eq!(who.may_write(c.col), due, "{role}");
        assert_eq!(node.people.writable(&who, c.id).is_ok(), due, "{role}");
        assert_eq!(who.sees(c.col), !matches!(role, Role::Administrator | Role::Auditor), "{role}");
    }
    node.ledger.close();
}

#[test]
fn a_new_collection_and_a_grant_are_seen_by_the_next_request_and_a_revocation_too() {
    let node = Node::new();
    let bearer = token(&node, Role::Reader);
    let before = viewer(&node, &bearer);
    let c = make(&node, vec![Member::role(Role::Supervisor, true)]);
    assert!(!viewer(&node, &bearer).sees(c.col));
    assert!(node.local().sees(c.col));
    let grant = |b: &mut AudienceBody| b.members.push(Member::account(before.account(), false));
    node.people.change_audience(&node.local(), c.id, grant).unwrap();
    assert!(!before.sees(c.col), "a viewer is as old as its request");
    assert!(node.people.again(&before).unwrap().unwrap().sees(c.col));
    assert!(viewer(&node, &bearer).sees(c.col));
    node.people.change_audience(&node.local(), c.id, |b| b.members.retain(|m| m.account.is_none())).unwrap();
    assert!(!viewer(&node, &bearer).sees(c.col));
    node.people.change_audience(&node.local(), c.id, |b| b.closed = true).unwrap();
    assert!(!node.local().sees(c.col), "a closed collection is seen by nobody");
    node.people.change_audience(&node.local(), c.id, |b| b.closed = false).unwrap();
    assert!(node.local().sees(c.col));
    node.ledger.close();
}

#[test]
fn cases_and_personal_notes_are_not_for_the_command_line() {
    let node = Node::new();
    for sort in [Purpose::Case, Purpose::Notes] {
        let body = AudienceBody { sort, ..AudienceBody::shared("EXERCISE", Tlp::Red, vec![]) };
        let c = node.people.create_collection(&node.local(), &body).unwrap();
        assert!(!node.local().sees(c.col) && !node.local().may_write(c.col));
    }
    node.ledger.close();
}

#[test]
fn a_grant_with_words_of_a_newer_version_grants_nothing() {
    let node = Node::new();
    node.dir.allow_unfolded();
    let c = make(&node, vec![Member::role(Role::Reader, false)]);
    let who = token(&node, Role::Reader);
    assert!(viewer(&node, &who).sees(c.col));
    for body in [
        r#"{"title":"x","default":"TLP:RED","highest":"TLP:RED","members":[{"role":"reader","until":"2001-01-01"}]}"#,
        r#"{"title":"x","default":"TLP:RED","highest":"TLP:RED","members":[{"role":"sage"}]}"#,
        r#"{"title":"x","default":"TLP:RED","highest":"TLP:BLACK","members":[{"role":"reader"}]}"#,
        r#"{"title":"#,
    ] {
        write(&node, "audience", c.id, &format!("audience:{}", c.id), body);
        assert!(!viewer(&node, &who).sees(c.col), "{body}");
    }
    // An unknown field elsewhere is read over.
    let body = r#"{"title":"x","default":"TLP:RED","highest":"TLP:RED","members":[{"role":"reader"}],"colour":"red"}"#;
    write(&node, "audience", c.id, &format!("audience:{}", c.id), body);
    assert!(viewer(&node, &who).sees(c.col));
    node.ledger.close();
}

#[test]
fn an_account_outside_the_house_and_an_audience_of_another_collection_change_nothing() {
    let node = Node::new();
    node.dir.allow_unfolded();
    let c = make(&node, vec![Member::role(Role::Supervisor, true)]);
    let who = token(&node, Role::Reader);
    let number = viewer(&node, &who).account();
    let body = format!(r#"{{"account":{number},"name":"x","role":"supervisor"}}"#);
    write(&node, "account", c.id, &format!("account:{number}"), &body);
    assert_eq!(viewer(&node, &who).role(), Role::Reader);
    let body = r#"{"title":"x","default":"TLP:RED","highest":"TLP:RED","members":[{"role":"reader"}]}"#;
    write(&node, "audience", INTAKE, &format!("audience:{}", c.id), body);
    assert!(!viewer(&node, &who).sees(c.col));
    node.ledger.close();
}

/// Writes past `act`, as a later version or a damaged program might.
fn write(node: &Node, kind: &str, collection: ledger::CollectionId, subject: &str, body: &str) {
    let entry = NewEntry {
        collection,
        id: IdSource::Fresh,
        same: SameRule::Refuse,
        subject: subject.into(),
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new(kind),
        version: 9,
        marking: "TLP:RED".into(),
        body: body.into(),
    };
    node.ledger.append(Append { entries: vec![entry], expect: vec![] }, Urgency::Interactive).unwrap();
}

#[test]
fn whoever_lost_their_rights_meanwhile_gets_a_conflict_at_the_append() {
    let node = Node::new();
    let bearer = token(&node, Role::Analyst);
    let who = viewer(&node, &bearer);
    let intake = node.people.writable(&who, INTAKE).unwrap();
    let append = |subject: &str| Append {
        entries: vec![NewEntry {
            collection: INTAKE,
            id: IdSource::Fresh,
            same: SameRule::Refuse,
            subject: subject.into(),
            cause: None,
            author: who.account(),
            time: None,
            kind: Kind::new("stix"),
            version: 1,
            marking: "TLP:AMBER".into(),
            body: "{}".into(),
        }],
        expect: who.expects([&*intake]),
    };
    assert_eq!(append("a").expect.len(), 2);
    node.ledger.append(append("a"), Urgency::Interactive).unwrap();
    node.people.set_role(&node.local(), who.account(), Role::Reader).unwrap();
    assert!(matches!(node.ledger.append(append("b"), Urgency::Interactive), Err(ledger::Error::Conflict)));
    node.ledger.close();
}

#[test]
fn only_those_who_may_make_collections_and_accounts() {
    let node = Node::new();
    for role in Role::GIVEN {
        let who = viewer(&node, &token(&node, role));
        let body = AudienceBody::shared("EXERCISE", Tlp::Green, vec![Member::role(Role::Reader, false)]);
        let made = node.people.create_collection(&who, &body);
        assert_eq!(made.is_ok(), who.may(Right::Grant), "{role}");
        let made = node.people.create_token(&who, &NewToken { name: "", role: Role::Supervisor, days: None });
        assert_eq!(made.is_ok(), who.may(Right::ManageAccounts), "{role}");
        if !who.may(Right::ManageAccounts) {
            assert!(matches!(made, Err(Error::Forbidden(Right::ManageAccounts))));
            assert!(matches!(node.people.accounts(&who), Err(Error::Forbidden(_))));
        }
    }
    node.ledger.close();
}

#[test]
fn see_denies_when_nobody_asks_and_counts_only_what_the_asker_sees() {
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    see::register(&conn).unwrap();
    let rows = Arc::new(see::RowCols::default());
    see::register_rows(&conn, Arc::clone(&rows)).unwrap();
    conn.execute_batch("CREATE TABLE t(pos INTEGER PRIMARY KEY, col INTEGER)").unwrap();
    for pos in 1..=100u32 {
        conn.execute("INSERT INTO t VALUES (?,?)", (pos, pos % 4)).unwrap();
        rows.set(u64::from(pos), Some(pos % 4));
    }
    let count = |sql: &str| -> i64 { conn.prepare_cached(sql).unwrap().query_row([], |r| r.get(0)).unwrap() };
    let (by_col, by_row) = ("SELECT count(*) FROM t WHERE see(col)", "SELECT count(*) FROM t WHERE see_row(pos)");
    let both = || (count(by_col), count(by_row));
    assert_eq!(both(), (0, 0));
    let (one, two) = (Viewer::for_test(Role::Reader, [1]), Viewer::for_test(Role::Reader, [1, 2]));
    see::with(&two, || {
        assert_eq!(both(), (50, 50));
        see::with(&one, || assert_eq!(both(), (25, 25)));
        assert_eq!(both(), (50, 50));
        see::with(&Viewer::for_test(Role::Administrator, [1, 2]), || assert_eq!(both(), (0, 0)));
        see::with_set(&VisibleSet::default(), || assert_eq!(both(), (0, 0)));
    });
    assert_eq!(both(), (0, 0));
    let stopped = std::panic::catch_unwind(|| see::with(&two, || panic!("a query that stops")));
    assert!(stopped.is_err());
    assert_eq!(both(), (0, 0), "a query that stops leaves nobody asking");
    rows.set(1, None);
    see::with(&one, || assert_eq!(both(), (25, 24)));
    for odd in ["NULL", "'1'", "1.0", "-1", "9223372036854775807", "x'01'"] {
        see::with(&two, || assert_eq!(count(&format!("SELECT see({odd}) + see_row({odd})")), 0, "{odd}"));
    }
}

#[test]
fn the_door_answers_without_waiting_while_intelligence_comes_in() {
    let node = Node::new();
    let bearer = token(&node, Role::Reader);
    viewer(&node, &bearer);
    for n in 0..50 {
        write(&node, "stix", INTAKE, &format!("note--{n}"), "{}");
        assert!(node.people.quick(&header(Some(&bearer), None)).is_some(), "{n}");
    }
    node.ledger.close();
}

#[test]
fn this_halls_own_queries_say_why_they_need_no_viewer() {
    assert_eq!(see::unguarded(include_str!("../src/view.rs")), Vec::<String>::new());
    assert_eq!(see::unguarded(r#""SELECT a FROM b WHERE see(col)"; "SELECT c FROM d""#), ["SELECT c FROM d"]);
}

#[test]
fn nobody_writes_into_the_house() {
    let node = Node::new();
    let house = node.people.collection_for(Purpose::House).unwrap().unwrap();
    assert!(node.local().sees(house.col) && !node.local().may_write(house.col));
    assert!(node.people.change_audience(&node.local(), house.id, |b| b.listed = true).is_err());
    node.ledger.close();
}

#[test]
fn the_hall_opened_twice_is_one_hall() {
    let node = Node::new();
    let other = people::People::open(&node.ledger).unwrap();
    let bearer = token(&node, Role::Reader);
    let who = other.authenticate(&header(Some(&bearer), None)).unwrap().unwrap();
    node.people.revoke_token(&node.local(), node.people.tokens(&who)[0].number).unwrap();
    assert!(other.authenticate(&header(Some(&bearer), None)).is_err());
    node.ledger.close();
}

#[test]
fn what_memory_holds_survives_a_restart() {
    let node = Node::new();
    let bearer = token(&node, Role::Reader);
    let c = make(&node, vec![Member::role(Role::Reader, false)]);
    let node = node.restart();
    assert!(viewer(&node, &bearer).sees(c.col));
    node.ledger.close();
}

#[test]
fn what_memory_held_of_an_account_goes_with_its_body_and_it_can_do_nothing_more() {
    let node = Node::new();
    let new = NewToken { name: "EXERCISE quillfeather", role: Role::Analyst, days: None };
    let bearer = format!("Bearer {}", node.people.create_token(&node.local(), &new).unwrap());
    let number = viewer(&node, &bearer).account();
    let account = node.people.accounts(&node.local()).unwrap().into_iter().find(|a| a.number == number).unwrap();
    assert!(node.people.name_of(number).unwrap().unwrap().contains("quillfeather"));
    node.ledger.expunge(&[account.pos], "account", "a test", 0).unwrap();
    assert!(!node.people.name_of(number).unwrap().unwrap().contains("quillfeather"));
    assert!(!matches!(node.people.authenticate(&header(Some(&bearer), None)), Ok(Some(_))));
    node.ledger.close();
}

#[test]
fn only_who_would_still_know_it_closes_a_collection_and_the_exercise_world_keeps_its_name() {
    let node = Node::new();
    let local = node.local();
    node.people.add_user(&local, "officer-a", Role::Supervisor, "four words of nonsense").unwrap();
    let sign_in = people::SignIn {
        name: "officer-a",
        password: "four words of nonsense",
        code: None,
        peer: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)),
        agent: "",
    };
    let supervisor = node.people.sign_in(&sign_in).unwrap().viewer;
    let new = |title| people::NewCollection {
        title,
        description: "",
        highest: Tlp::Amber,
        default: None,
        listed: false,
        exercise: true,
    };
    let made = node.people.make_collection(&supervisor, &new("EXERCISE Harbour")).unwrap();
    let supervisor = node.people.sign_in(&sign_in).unwrap().viewer;
    assert!(matches!(node.people.close_collection(&supervisor, made.id, true), Err(Error::Forbidden(_))));
    node.people.close_collection(&node.local(), made.id, true).unwrap();
    node.people.close_collection(&node.local(), made.id, false).unwrap();
    let world = node.people.make_collection(&node.local(), &new(people::entry::WORLD)).unwrap();
    assert!(matches!(node.people.close_collection(&node.local(), world.id, true), Err(Error::Invalid(_))));
    assert!(matches!(node.people.rename_collection(&node.local(), world.id, "Another", None), Err(Error::Invalid(_))));
    node.ledger.close();
}
