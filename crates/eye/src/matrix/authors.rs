//! Who of this node's people entered, imported, withdrew or overruled something is told to no neighbour, at no address.
use super::{PASSWORD, Site, id, note};
use intel::{ImportJob, Which, Word};
use ledger::{INTAKE, Urgency};
use people::{Role, Whom};
use selectors::Kind;

const OFFICER: &str = "exercise-officer-zwirblefink";

#[tokio::test]
async fn no_neighbour_is_told_which_account_did_what_and_this_nodes_people_are() {
    let site = Site::new();
    let (people, intel) = (&site.node.people, &site.node.intel);
    let officer = people.add_user(&site.local(), OFFICER, Role::Supervisor, PASSWORD).unwrap();
    let peer = people.account_named(&site.local(), "peer-token").unwrap().number;
    people.grant(&site.local(), INTAKE, Whom::Account(peer), true).unwrap();
    let me = people.viewer(officer).unwrap().unwrap();
    let bodies = [note(&id(21), "EXERCISE stands at shared.example"), note(&id(22), "EXERCISE taken back")];
    intel.take(&me, INTAKE, &[&bodies[0], &bodies[1]], Urgency::Interactive).unwrap();
    let job = ImportJob { source: "EXERCISE.jsonl".into(), ..ImportJob::default() };
    let file = format!("{}\n", note(&id(23), "EXERCISE from a file, shared.example"));
    intel.import(&me, &job, Box::new(file.as_bytes()), &mut |_| {}).unwrap();
    intel.withdraw(&me, &id(22), &Which::All, None, "EXERCISE mistaken").unwrap();
    intel.overrule(&me, Kind::Domain, "shared.example", Word::LinksNothing, "EXERCISE our own site").unwrap();
    let supervisor = site.seat("supervisor", "session").clone();
    let mark = site.import_mark(&supervisor, "EXERCISE.jsonl").await;
    let mut addresses = vec![format!("/import/{mark}"), "/selectors?kind=domain&value=shared.example".to_owned()];
    addresses
        .extend([21, 22, 23].iter().flat_map(|n| ["/objects", "/api/objects"].map(|at| format!("{at}/{}", id(*n)))));
    for line in site.house.table().iter().filter(|line| line.method == "GET") {
        addresses.push(site.address(line, &id(22), INTAKE, &mark));
    }
    let mut told = 0;
    for path in &addresses {
        for seat in site.seats.iter().filter(|seat| seat.role == Some(Role::Peer)) {
            let got = site.ask(seat, "GET", path).await;
            assert!(!got.text.contains(OFFICER), "{} at {path}: {}", seat.via, got.text);
            told += usize::from(got.text.contains("EXERCISE mistaken"));
        }
    }
    assert!(told >= 4, "the neighbour reads that it was withdrawn and why, page and JSON: {told}");
    for path in [format!("/objects/{}", id(22)), format!("/objects/{}", id(21)), format!("/import/{mark}")] {
        assert!(site.ask(&supervisor, "GET", &path).await.text.contains(OFFICER), "{path}");
    }
    let reader = site.seat("reader", "bearer").clone();
    assert!(site.ask(&reader, "GET", &format!("/api/objects/{}", id(22))).await.text.contains(OFFICER));
    site.node.close();
}
