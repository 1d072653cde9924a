//! What somebody may not see changes no answer that they get: no list, no count, no page, no header, no error text.
use super::{CANARY, Got, NO_IMPORT, Seat, Site, id};
use gate::Rule;
use ledger::{CollectionId, INTAKE};

/// Questions beside the bare routes.
const QUESTIONS: [&str; 14] = [
    "/search?q=shared.example",
    "/search?q=hidden.example",
    "/search?q=EXERCISE&type=note",
    "/search?q=EXERCISE&before=0123456789abcdef0123456789abcdef",
    "/selectors?kind=domain&value=shared.example",
    "/selectors?kind=domain&value=hidden.example",
    "/import?before=0123456789abcdef0123456789abcdef",
    "/api/search?q=shared.example",
    "/api/search?q=hidden.example",
    "/api/search?q=EXERCISE&limit=1",
    "/api/links?limit=200",
    "/taxii2/api/collections/4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10/objects/?limit=1",
    "/taxii2/api/collections/4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10/objects/?match[type]=note&match[version]=all",
    "/taxii2/api/collections/4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10/manifest/",
];

impl Site {
    /// Every address that is read, about what is seen, what is hidden, and what is nowhere.
    fn addresses(&self, import: &str) -> Vec<String> {
        let mut all: Vec<String> = QUESTIONS.map(str::to_owned).into();
        for line in self.house.table().iter().filter(|line| ["GET", "*"].contains(&line.method)) {
            all.push(self.address(line, &id(1), INTAKE, NO_IMPORT));
            all.push(self.address(line, &id(77), self.closed, import));
        }
        all.push(format!("/stream/{}", self.closed));
        all.sort();
        all.dedup();
        // The list of assets and the door's own health have nobody who asks.
        all.retain(|path| !path.starts_with("/assets"));
        all
    }

    /// Who sees no proofs and is no supervisor: for them nothing may change.
    fn unknowing(&self) -> Vec<Seat> {
        let rule = Rule::Needs(people::Right::SeeProofs);
        self.patient().into_iter().filter(|s| s.role.is_none_or(|role| !rule.lets(role))).collect()
    }

    /// All but those who would be told to wait longer each time.
    fn patient(&self) -> Vec<Seat> {
        let guesses = |s: &Seat| s.role.is_none() && ["bearer", "basic"].contains(&s.via);
        self.seats.iter().filter(|s| !guesses(s)).cloned().collect()
    }
}

#[tokio::test]
async fn what_comes_in_where_somebody_sees_nothing_changes_no_answer_that_they_get() {
    let site = Site::new();
    let seats = site.unknowing();
    assert!(seats.len() > 9, "{}", seats.len());
    let addresses = site.addresses(NO_IMPORT);
    let mut before = Vec::new();
    for (seat, path) in seats.iter().flat_map(|s| addresses.iter().map(move |p| (s, p))) {
        before.push(site.ask(seat, "GET", path).await.steady());
    }
    site.hide();
    let mut before = before.into_iter();
    for (seat, path) in seats.iter().flat_map(|s| addresses.iter().map(move |p| (s, p))) {
        let after = site.ask(seat, "GET", path).await.steady();
        assert_eq!(after, before.next().unwrap(), "{} by {} at {path}", seat.who, seat.via);
    }
    site.node.close();
}

#[tokio::test]
async fn a_hidden_word_is_in_no_answer_but_the_supervisors() {
    let site = Site::new();
    site.hide();
    let supervisor = site.seat("supervisor", "session").clone();
    let mark = site.import_mark(&supervisor, CANARY).await;
    let addresses = site.addresses(&mark);
    let hidden = [CANARY.to_owned(), id(77), id(78), id(79), site.closed.to_string(), mark.clone()];
    let mut seen = 0;
    for seat in site.patient().iter().filter(|s| s.role != Some(people::Role::Supervisor)) {
        // Administrators and auditors know every collection's title, and an auditor which objects were asked for.
        let titles = seat.role.is_some_and(|role| role.may(people::Right::SeeCollections));
        let told_there = |path: &&String| {
            let lists = ["/ledger", "/access", "/access/rows.csv", "/api/collections"].contains(&path.as_str());
            titles && (lists || path.starts_with("/collections"))
        };
        for path in addresses.iter().filter(|path| !told_there(path)) {
            let got = site.ask(seat, "GET", path).await;
            let told = format!("{:?} {}", got.headers, got.text);
            for word in hidden.iter().filter(|word| !path.contains(word.as_str())) {
                assert!(!told.contains(word.as_str()), "{word} for {} by {} at {path}", seat.who, seat.via);
            }
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
    for path in
        ["/", "/search?q=hidden.example", "/import", &format!("/objects/{}", id(77)), &format!("/import/{mark}")]
    {
        let got = site.ask(&supervisor, "GET", path).await;
        assert!(got.status == 200 && got.text.contains(CANARY), "the test looks for the right thing at {path}");
    }
    site.node.close();
}

#[tokio::test]
async fn what_is_hidden_and_what_is_not_there_are_told_apart_by_nothing() {
    let site = Site::new();
    site.hide();
    let supervisor = site.seat("supervisor", "session").clone();
    let mark = site.import_mark(&supervisor, CANARY).await;
    let (nowhere, none) = (CollectionId::random(), id(404));
    let plain = |got: Got, object: &str, collection: CollectionId, import: &str| {
        let told = got.steady().replace("%2D", "-");
        told.replace(object, "OBJECT").replace(&collection.to_string(), "COLLECTION").replace(import, "IMPORT")
    };
    for line in site.house.table().iter().filter(|line| line.path.contains('{') && line.door != "public") {
        let method = if line.method == "*" { "PUT" } else { line.method };
        // Administrators and auditors know every collection and who is in its audience.
        let knows = |seat: &Seat| {
            let lists = seat.role.is_some_and(|role| role.may(people::Right::SeeCollections));
            seat.role == Some(people::Role::Supervisor) || (lists && line.path.starts_with("/collections"))
        };
        for seat in site.patient().iter().filter(|s| !knows(s)) {
            let hidden = site.ask(seat, method, &site.address(line, &id(77), site.closed, &mark)).await;
            let absent = site.ask(seat, method, &site.address(line, &none, nowhere, NO_IMPORT)).await;
            let (hidden, absent) =
                (plain(hidden, &id(77), site.closed, &mark), plain(absent, &none, nowhere, NO_IMPORT));
            assert_eq!(hidden, absent, "{line} for {} by {}", seat.who, seat.via);
        }
    }
    site.node.close();
}
