//! Nothing tighter than its audience may hold comes in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod node;
use ledger::INTAKE;
use node::Node;
use people::{CollectionPolicy, NewToken, Role, accept};
use stix::{Marking, Tlp};

#[test]
fn an_object_enters_exactly_when_it_is_no_tighter_than_the_collection_takes() {
    for highest in Tlp::ALL {
        for default in Tlp::ALL.into_iter().filter(|d| *d <= highest) {
            let policy = CollectionPolicy::new(default, highest, []);
            for own in Tlp::ALL.into_iter().map(Some).chain([None]) {
                for given in Tlp::ALL.into_iter().map(Some).chain([None]) {
                    for others in [false, true] {
                        let due = own.or(given).unwrap_or(default);
                        let got = accept(&policy, Marking { tlp: own, others }, given);
                        assert_eq!(got.is_ok(), due <= highest, "{own:?} {given:?} in {default}..{highest}");
                        match got {
                            Ok(it) => {
                                assert_eq!((it.tlp, it.others, it.text.starts_with(due.as_str())), (due, others, true))
                            }
                            Err(it) => assert_eq!((it.marking, it.highest), (due, highest)),
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_refusal_names_the_marking_and_only_places_where_the_sender_may_write() {
    let node = Node::new();
    let red = Marking { tlp: Some(Tlp::Red), others: false };
    let told = |role| {
        let new = NewToken { name: "", role, days: None };
        let line = format!("Bearer {}", node.people.create_token(&node.local(), &new).unwrap());
        let viewer = node.people.authenticate(&node::header(Some(&line), None)).unwrap().unwrap();
        let intake = node.people.writable(&viewer, INTAKE).unwrap();
        let refused = accept(&node.people.policy(&viewer, &intake).unwrap(), red, None).unwrap_err();
        (refused.where_to_send.iter().map(|p| p.title.to_string()).collect::<Vec<_>>(), refused.to_string())
    };
    let (places, text) = told(Role::Analyst);
    assert_eq!(places, Vec::<String>::new(), "an analyst does not hear of `restricted`");
    assert!(text.contains("TLP:RED") && text.contains("ask a supervisor"), "{text}");
    let (places, text) = told(Role::Supervisor);
    assert_eq!(places, ["Restricted"]);
    assert!(text.contains("send it to Restricted"), "{text}");
    node.ledger.close();
}
