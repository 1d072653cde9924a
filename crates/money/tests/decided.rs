//! Decisions in the ledger: who may take, see and erase them, and that each looks at those before it (EXERCISE).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ledger::{Ledger, Options};
use money::ask::{DecisionBody, Deed, Witnessed};
use money::decided::{decide, decisions, expunge, is_id, room};
use people::{AuthHeader, NewToken, NodeInfo, People, Role, Viewer};

struct Node {
    dir: tempfile::TempDir,
    ledger: Ledger,
    people: People,
}

impl Node {
    fn new() -> Node {
        let dir = tempfile::tempdir().unwrap();
        Ledger::create(dir.path()).unwrap();
        let ledger = Ledger::open(dir.path(), Options::default(), vec![people::room(), room()]).unwrap();
        let info = NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true };
        people::init(&ledger, info).unwrap();
        let people = People::open_with(&ledger, people::Options::default()).unwrap();
        Node { dir, ledger, people }
    }

    fn who(&self, role: Role) -> Viewer {
        let local = self.people.local_viewer().unwrap();
        let token = self.people.create_token(&local, &NewToken { name: "", role, days: None }).unwrap();
        let bearer = format!("Bearer {token}");
        let header = AuthHeader { authorization: Some(&bearer), cookie: None, peer: [192, 0, 2, 7].into() };
        self.people.authenticate(&header).unwrap().unwrap()
    }

    fn numbers(&self, who: &Viewer) -> Vec<u64> {
        decisions(&self.ledger, &self.people, who).unwrap().iter().map(|one| one.number).collect()
    }
}

fn merge(chain: &str) -> DecisionBody {
    let deed = Deed::Merge { a: "A".into(), b: "B".into() };
    DecisionBody { chain: chain.into(), reason: "EXERCISE words that go".into(), deed }
}

#[test]
fn supervisors_alone_decide_see_who_did_and_erase() {
    let node = Node::new();
    let (supervisor, analyst) = (node.who(Role::Supervisor), node.who(Role::Analyst));
    assert!(decide(&node.ledger, &node.people, &analyst, (&merge("btc"), 0)).is_err());
    assert_eq!(decide(&node.ledger, &node.people, &supervisor, (&merge("btc"), 0)).unwrap(), 1);
    assert!(node.numbers(&analyst).is_empty(), "a reason may speak of people: it stands where supervisors read");
    let seen = decisions(&node.ledger, &node.people, &supervisor).unwrap();
    assert!(!seen[0].author.is_empty() && is_id(&seen[0].id));
    assert!(expunge(&node.ledger, &analyst, &seen[0].id, "EXERCISE").is_err());
    assert_eq!(node.numbers(&supervisor), [1]);
    expunge(&node.ledger, &supervisor, &seen[0].id, "EXERCISE").unwrap();
    assert!(node.numbers(&supervisor).is_empty());
    assert!(expunge(&node.ledger, &supervisor, &seen[0].id, "EXERCISE").is_err(), "it was erased before");
    assert_eq!(decide(&node.ledger, &node.people, &supervisor, (&merge("btc"), 0)).unwrap(), 2, "no number twice");
    node.ledger.close();
    drop(node.dir);
}

#[test]
fn a_decision_that_another_of_its_chain_overtook_is_not_taken() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let take = |body: &DecisionBody, after| decide(&node.ledger, &node.people, &local, (body, after));
    assert_eq!(take(&merge("btc"), 0).unwrap(), 1);
    let late = take(&merge("btc"), 0).unwrap_err().to_string();
    assert!(late.contains("decision 1 was taken meanwhile"), "{late}");
    assert_eq!(take(&merge("eth"), 0).unwrap(), 2, "another chain's is none of its");
    assert_eq!(take(&merge("btc"), 1).unwrap(), 3);
    assert_eq!(node.numbers(&local), [1, 2, 3]);
    node.ledger.close();
}

#[test]
fn an_undone_decision_says_by_which() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let undo = DecisionBody { deed: Deed::Exclude { what: Witnessed::Decision(1) }, ..merge("btc") };
    for (body, after) in [(&merge("btc"), 0), (&undo, 1), (&merge("eth"), 0)] {
        decide(&node.ledger, &node.people, &local, (body, after)).unwrap();
    }
    let by: Vec<_> = decisions(&node.ledger, &node.people, &local).unwrap().iter().map(|one| one.undone_by).collect();
    assert_eq!(by, [Some(2), None, None]);
    node.ledger.close();
}
