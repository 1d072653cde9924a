//! Who says who reads and writes a collection, and that what is granted holds at the next request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod node;
use ledger::INTAKE;
use node::{Node, header};
use people::entry::{AudienceBody, Member, Purpose};
use people::{Error, NewToken, Right, Role, Viewer, Whom};
use stix::Tlp;

fn viewer(node: &Node, name: &str, role: Role) -> Viewer {
    let token = node.people.create_token(&node.local(), &NewToken { name, role, days: None }).unwrap();
    node.people.authenticate(&header(Some(&format!("Bearer {token}")), None)).unwrap().unwrap()
}

fn now(node: &Node, viewer: &Viewer) -> Viewer {
    node.people.again(viewer).unwrap().unwrap()
}

#[test]
fn a_peer_reads_and_writes_what_it_was_granted_and_nothing_before_or_after() {
    let node = Node::new();
    let peer = viewer(&node, "EXERCISE neighbour", Role::Peer);
    let administrator = viewer(&node, "desk", Role::Administrator);
    let intake = node.people.collection(INTAKE).unwrap().unwrap();
    assert!(peer.set().is_empty() && peer.writes().is_empty());
    let whom = Whom::Account(peer.account());
    node.people.grant(&administrator, INTAKE, whom, false).unwrap();
    let (peer, before) = (now(&node, &peer), node.ledger.head().pos);
    assert!(peer.sees(intake.col) && !peer.may_write(intake.col));
    node.people.grant(&administrator, INTAKE, whom, true).unwrap();
    let peer = now(&node, &peer);
    assert!(peer.sees(intake.col) && peer.may_write(intake.col));
    assert_eq!(node.ledger.head().pos, before + 1, "each change is one entry");
    node.people.grant(&administrator, INTAKE, whom, true).unwrap();
    assert_eq!(node.ledger.head().pos, before + 1, "and what is so already is none");
    let reach = node.people.reach(&administrator, peer.account()).unwrap();
    assert_eq!(reach.iter().map(|r| (r.reads, r.writes, r.by_name)).collect::<Vec<_>>(), [(true, true, true)]);
    node.people.take_back(&administrator, INTAKE, whom).unwrap();
    assert!(now(&node, &peer).set().is_empty());
    assert!(matches!(node.people.take_back(&administrator, INTAKE, whom), Err(Error::NoGrant)));
    node.ledger.close();
}

#[test]
fn one_rule_says_who_grants_of_which_collection() {
    let node = Node::new();
    let reader = viewer(&node, "reader", Role::Reader);
    let of = |purpose| node.people.collection_for(purpose).unwrap().unwrap();
    let case = AudienceBody { sort: Purpose::Case, ..AudienceBody::shared("EXERCISE case", Tlp::Red, vec![]) };
    let case = node.people.create_collection(&node.local(), &case).unwrap();
    let closed = AudienceBody::shared("EXERCISE analysts", Tlp::Red, vec![Member::role(Role::Reader, false)]);
    let foreign = node.people.create_collection(&node.local(), &closed).unwrap();
    let all = [of(Purpose::House), of(Purpose::Intake), of(Purpose::Restricted), case, foreign];
    for role in Role::GIVEN {
        let who = viewer(&node, role.as_str(), role);
        for c in &all {
            // Supervisors reach what they read; administrators all but cases; of the house nobody says who reads it.
            let due = match role {
                Role::Supervisor => who.sees(c.col),
                Role::Administrator => !matches!(c.audience.sort, Purpose::House | Purpose::Case),
                _ => false,
            };
            assert_eq!(c.may_be_granted_by(&who), due, "{role} {}", c.title());
            let done = node.people.grant(&who, c.id, Whom::Account(reader.account()), false);
            match done {
                Ok(_) => assert!(due, "{role} {}", c.title()),
                Err(Error::NoCollection) => assert!(!due && who.may(Right::Grant), "{role} {}", c.title()),
                Err(Error::Forbidden(Right::Grant)) => assert!(!who.may(Right::Grant)),
                Err(e) => panic!("{role} {}: {e}", c.title()),
            }
            if due {
                node.people.take_back(&who, c.id, Whom::Account(reader.account())).unwrap();
            }
        }
        assert_eq!(node.people.reach(&who, reader.account()).is_ok(), who.may(Right::SeeAudiences), "{role}");
    }
    node.ledger.close();
}

#[test]
fn nothing_is_promised_that_the_role_does_not_allow_and_the_nodes_own_accounts_stay_as_they_are() {
    let node = Node::new();
    let grant = |whom, write| node.people.grant(&node.local(), INTAKE, whom, write).map(drop);
    for role in Role::GIVEN {
        let account = viewer(&node, role.as_str(), role).account();
        for whom in [Whom::Role(role), Whom::Account(account)] {
            for write in [false, true] {
                // Of neighbours each is granted by name: their role would reach whoever comes later too.
                let every_peer = matches!(whom, Whom::Role(Role::Peer));
                let due = role.may(Right::ReadBodies) && (!write || role.may(Right::Write)) && !every_peer;
                assert_eq!(grant(whom, write).is_ok(), due, "{role} {write}");
            }
        }
    }
    assert!(grant(Whom::Role(Role::Local), true).is_err() && grant(Whom::Role(Role::Unknown), false).is_err());
    assert!(matches!(grant(Whom::Account(999), false), Err(Error::NoAccount)));
    let importer = Whom::Account(people::entry::IMPORTER);
    assert!(node.people.take_back(&node.local(), INTAKE, importer).is_err(), "feeds go on");
    node.ledger.close();
}

#[test]
fn a_damaged_change_opens_nothing_that_it_closed() {
    let node = Node::new();
    let peer = viewer(&node, "EXERCISE neighbour", Role::Peer);
    let officer = viewer(&node, "rin", Role::Analyst);
    let whom = Whom::Account(peer.account());
    node.people.grant(&node.local(), INTAKE, whom, false).unwrap();
    assert!(!now(&node, &peer).set().is_empty());
    node.people.take_back(&node.local(), INTAKE, whom).unwrap();
    let taken = node.ledger.head().pos;
    node.people.set_role(&node.local(), officer.account(), Role::Reader).unwrap();
    let demoted = node.ledger.head().pos;
    node.ledger.close();
    let log = rusqlite::Connection::open(node.dir.path().join("log.db")).unwrap();
    let begin = |with: &str| {
        for pos in [taken, demoted] {
            let sql = "UPDATE bodies SET body = ?1 || substr(body, 2) WHERE pos = ?2";
            assert_eq!(log.execute(sql, (with, i64::try_from(pos).unwrap())).unwrap(), 1);
        }
        std::fs::remove_dir_all(node.dir.path().join("views")).unwrap();
    };
    begin("[");
    {
        let folder = node.dir.path();
        let ledger = ledger::Ledger::open(folder, ledger::Options::default(), vec![people::room()]).unwrap();
        let people = people::People::open(&ledger).unwrap();
        let reads = |account| people.viewer(account).unwrap().is_some_and(|v: Viewer| !v.set().is_empty());
        assert!(!reads(peer.account()), "the grant that was taken back");
        assert!(!reads(officer.account()), "nobody knows what she may");
        ledger.close();
    }
    begin("{");
    drop(log);
    let node = node.restart();
    assert!(now(&node, &officer).role() == Role::Reader);
    node.ledger.close();
}

#[test]
fn a_member_that_a_damaged_bit_makes_of_somebody_else_reads_nothing() {
    let node = Node::new();
    let peer = viewer(&node, "EXERCISE neighbour", Role::Peer);
    let other = viewer(&node, "EXERCISE stranger", Role::Peer);
    node.people.grant(&node.local(), INTAKE, Whom::Account(peer.account()), false).unwrap();
    let pos = i64::try_from(node.ledger.head().pos).unwrap();
    node.ledger.close();
    let log = rusqlite::Connection::open(node.dir.path().join("log.db")).unwrap();
    let swap = |from: u32, to: u32| {
        let [from, to] = [from, to].map(|n| format!("\"account\":{n}"));
        let sql = "UPDATE bodies SET body = replace(body, ?1, ?2) WHERE pos = ?3 AND instr(body, ?1) > 0";
        assert_eq!(log.execute(sql, (from, to, pos)).unwrap(), 1);
    };
    swap(peer.account(), other.account());
    let node = node.restart();
    assert!(now(&node, &other).set().is_empty() && now(&node, &peer).set().is_empty());
    node.ledger.close();
    swap(other.account(), peer.account());
    drop(log);
    let node = node.restart();
    assert!(!now(&node, &peer).set().is_empty());
    node.ledger.close();
}
