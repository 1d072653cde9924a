//! After any changes in any order, everybody sees exactly what a naive reading of the audiences says, at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod node;
use node::{Node, header};
use people::entry::{AudienceBody, Member};
use people::{NewToken, Role};
use proptest::prelude::*;
use stix::Tlp;

#[derive(Debug, Clone)]
enum Change {
    Members(usize, Vec<(Who, bool)>),
    Close(usize, bool),
    SetRole(usize, Role),
    Disable(usize, bool),
}

#[derive(Debug, Clone)]
enum Who {
    Role(Role),
    Account(usize),
}

const ACCOUNTS: usize = 4;
const COLLECTIONS: usize = 3;

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(&Role::GIVEN[..])
}

fn change() -> impl Strategy<Value = Change> {
    let who = prop_oneof![role().prop_map(Who::Role), (0..ACCOUNTS).prop_map(Who::Account)];
    let members = prop::collection::vec((who, any::<bool>()), 0..4);
    prop_oneof![
        4 => (0..COLLECTIONS, members).prop_map(|(c, m)| Change::Members(c, m)),
        1 => (0..COLLECTIONS, any::<bool>()).prop_map(|(c, closed)| Change::Close(c, closed)),
        2 => (0..ACCOUNTS, role()).prop_map(|(a, r)| Change::SetRole(a, r)),
        1 => (0..ACCOUNTS, any::<bool>()).prop_map(|(a, off)| Change::Disable(a, off)),
    ]
}

/// The ladder, written out again.
fn counts(role: Role, least: Role) -> bool {
    match least {
        Role::Reader => matches!(role, Role::Reader | Role::Analyst | Role::Supervisor),
        Role::Analyst => matches!(role, Role::Analyst | Role::Supervisor),
        other => role == other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn everybody_sees_at_once_what_a_naive_reading_says(changes in prop::collection::vec(change(), 1..15)) {
        let node = Node::new();
        let local = node.local();
        let mut roles = [Role::Reader; ACCOUNTS];
        let mut disabled = [false; ACCOUNTS];
        let mut members: [Vec<(Who, bool)>; COLLECTIONS] = Default::default();
        let mut closed = [false; COLLECTIONS];
        let bearers: Vec<String> = (0..ACCOUNTS).map(|n| {
            let new = NewToken { name: &format!("program-{n}"), role: Role::Reader, days: None };
            format!("Bearer {}", node.people.create_token(&local, &new).unwrap())
        }).collect();
        let ask = |n: usize| node.people.authenticate(&header(Some(&bearers[n]), None));
        let accounts: Vec<u32> = (0..ACCOUNTS).map(|n| ask(n).unwrap().unwrap().account()).collect();
        let collections: Vec<_> = (0..COLLECTIONS).map(|n| {
            let body = AudienceBody::shared(&format!("EXERCISE {n}"), Tlp::Amber, vec![]);
            node.people.create_collection(&local, &body).unwrap()
        }).collect();
        for change in changes {
            match change {
                Change::Members(c, list) => {
                    let due: Vec<Member> = list.iter().map(|(who, write)| match who {
                        Who::Role(role) => Member::role(*role, *write),
                        Who::Account(n) => Member::account(accounts[*n], *write),
                    }).collect();
                    node.people.change_audience(&local, collections[c].id, |b| b.members = due.clone()).unwrap();
                    members[c] = list;
                }
                Change::Close(c, shut) => {
                    node.people.change_audience(&local, collections[c].id, |b| b.closed = shut).unwrap();
                    closed[c] = shut;
                }
                Change::SetRole(a, role) => {
                    node.people.set_role(&local, accounts[a], role).unwrap();
                    roles[a] = role;
                }
                Change::Disable(a, off) => {
                    node.people.set_disabled(&local, accounts[a], off).unwrap();
                    disabled[a] = off;
                }
            }
            for a in 0..ACCOUNTS {
                let viewer = ask(a);
                prop_assert_eq!(viewer.is_err(), disabled[a]);
                let Ok(Some(viewer)) = viewer else { continue };
                for c in 0..COLLECTIONS {
                    let meant = |(who, _): &&(Who, bool)| match who {
                        Who::Role(least) => counts(roles[a], *least),
                        Who::Account(n) => *n == a,
                    };
                    let bodies = !matches!(roles[a], Role::Administrator | Role::Auditor);
                    let writer = matches!(roles[a], Role::Analyst | Role::Supervisor | Role::Peer);
                    let reads = !closed[c] && bodies && members[c].iter().any(|m| meant(&m));
                    let writes = !closed[c] && writer && members[c].iter().any(|m| m.1 && meant(&m));
                    prop_assert_eq!(viewer.sees(collections[c].col), reads);
                    prop_assert_eq!(viewer.may_write(collections[c].col), writes);
                }
            }
        }
        node.ledger.close();
    }
}
