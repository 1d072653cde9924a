//! Grants, the first pages of administrators and auditors, the access log's filters.
use super::*;

const INTAKE: &str = "/collections/4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10";

#[tokio::test]
async fn a_peer_is_granted_a_collection_and_it_is_taken_back_and_each_is_a_row() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let admin = node.signed_in(Role::Administrator).await;
    let page = node.get("/tokens", &admin).await;
    let form = format!("csrf={}&once={}&name=neighbour&role=peer", page.hidden("csrf"), page.hidden("once"));
    let made = node.post("/tokens", &admin, &form).await;
    assert!(made.text.contains("/collections"), "what lets it see anything is one step away");
    let peer = node.people.account_named(&local, "neighbour").unwrap().number;
    let reach = || node.people.reach(&local, peer).unwrap().iter().map(|r| (r.reads, r.writes)).collect::<Vec<_>>();
    let post = async |form: &str| {
        let csrf = node.csrf(&admin).await;
        node.post(INTAKE, &admin, &format!("csrf={csrf}&{form}")).await
    };
    assert_eq!(reach(), []);
    for (form, due) in [("read", (true, false)), ("write", (true, true))] {
        let done = post(&format!("deed=grant&name=neighbour&role=&may={form}")).await;
        assert_eq!(done.header(header::LOCATION), format!("{INTAKE}?done=granted"));
        assert_eq!(reach(), [due]);
        let user = node.get(&format!("/users/{peer}"), &admin).await;
        assert!(user.text.contains("Granted by name"), "the account's page says what it may");
    }
    assert!(node.get(INTAKE, &admin).await.text.contains("neighbour"));
    let taken = post(&format!("deed=take&account={peer}")).await;
    assert_eq!(taken.header(header::LOCATION), format!("{INTAKE}?done=taken"));
    assert_eq!(reach(), []);
    let rows = node.people.access_log().page(&local, None, 100).unwrap();
    let grants: Vec<_> = rows.iter().filter(|r| r.method == "POST" && r.route == "/collections/{collection}").collect();
    assert_eq!(grants.len(), 3);
    assert!(grants.iter().all(|r| r.ids == "collection--4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10" && r.status == 303));
    node.ledger.close();
}

#[tokio::test]
async fn taking_back_what_is_not_granted_says_so_and_what_may_not_be_taken_is_an_error() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let rin = node.people.add_user(&local, "rin", Role::Reader, "quiet harbour lanterns").unwrap();
    let admin = node.signed_in(Role::Administrator).await;
    let csrf = node.csrf(&admin).await;
    let head = node.ledger.head().pos;
    let take = async |who: u32| node.post(INTAKE, &admin, &format!("csrf={csrf}&deed=take&account={who}")).await;
    let none = take(rin).await;
    assert_eq!(none.header(header::LOCATION), format!("{INTAKE}?done=nothing-taken"));
    let told = node.get(none.header(header::LOCATION), &admin).await;
    assert!(told.text.contains("nothing was changed") && !told.text.contains("It was taken back"));
    let machine = take(people::entry::IMPORTER).await;
    assert_eq!(machine.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(machine.text.contains("own accounts") && !machine.text.contains("taken back"));
    assert_eq!(node.ledger.head().pos, head);
    node.ledger.close();
}

#[tokio::test]
async fn a_collection_is_made_for_nobody_and_is_renamed_closed_and_opened_again() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let admin = node.signed_in(Role::Administrator).await;
    let make = async |form: &str| {
        let page = node.get("/collections", &admin).await;
        let form = format!("csrf={}&once={}&{form}", page.hidden("csrf"), page.hidden("once"));
        (node.post("/collections", &admin, &form).await, form)
    };
    let asked = "title=EXERCISE+harbour&description=EXERCISE&highest=TLP%3AAMBER&default=TLP%3AGREEN&listed=yes";
    let (made, form) = make(asked).await;
    let page = made.header(header::LOCATION).strip_suffix("?done=made").unwrap().to_owned();
    let id: ledger::CollectionId = page.rsplit('/').next().unwrap().parse().unwrap();
    let now = || (*node.people.collection(id).unwrap().unwrap().audience).clone();
    let audience = now();
    assert_eq!((audience.title.as_str(), audience.members.len()), ("EXERCISE harbour", 0), "nobody reads it");
    assert_eq!((audience.highest, audience.default, audience.listed), (stix::Tlp::Amber, stix::Tlp::Green, true));
    assert_eq!(node.post("/collections", &admin, &form).await.status, StatusCode::CONFLICT, "once");
    let row = node.people.access_log().page(&local, None, 3).unwrap();
    assert!(row.iter().any(|r| r.route == "/collections" && r.ids == format!("collection--{id}")), "{row:?}");
    for (form, field) in [
        ("title=&highest=TLP%3ARED", "title"),
        ("title=exercise+HARBOUR&highest=TLP%3ARED", "title"),
        ("title=Intake&highest=TLP%3ARED", "title"),
        ("title=EXERCISE+a%0Ab&highest=TLP%3ARED", "title"),
        ("title=EXERCISE+other&highest=", "highest"),
        ("title=EXERCISE+other&highest=TLP%3AGREEN&default=TLP%3ARED", "default"),
    ] {
        let (back, _) = make(form).await;
        assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(back.text.contains(&format!("id=\"{field}-error\"")), "{form}");
    }
    let csrf = node.csrf(&admin).await;
    let change = async |form: &str| node.post(&page, &admin, &format!("csrf={csrf}&{form}")).await;
    node.people.grant(&local, id, people::Whom::Role(Role::Reader), false).unwrap();
    for (form, word) in [
        ("deed=rename&title=EXERCISE+quay&description=EXERCISE+boats", "renamed"),
        ("deed=close", "closed"),
        ("deed=open", "opened"),
    ] {
        let done = change(form).await;
        assert_eq!(done.header(header::LOCATION), format!("{page}?done={word}"), "{form}");
        assert_eq!(now().closed, word == "closed", "{form}");
        assert_eq!(node.get(done.header(header::LOCATION), &admin).await.status, StatusCode::OK);
    }
    // What is too long is said beside its field, and what was typed stays.
    let long = change(&format!("deed=rename&title=EXERCISE+pier&description={}", "x".repeat(4_001))).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.text.contains("id=\"description-error\"") && long.text.contains("value=\"EXERCISE pier\""));
    assert_eq!((now().title, now().description), ("EXERCISE quay".into(), "EXERCISE boats".into()));
    assert_eq!(now().members.len(), 1, "the audience that it had");
    let intake = node.post(INTAKE, &admin, &format!("csrf={csrf}&deed=close")).await;
    assert_eq!(intake.status, StatusCode::UNPROCESSABLE_ENTITY, "what the node rests on stays open");
    let reader = node.signed_in(Role::Auditor).await;
    assert!(!node.get("/collections", &reader).await.text.contains("action=\"/collections\""));
    node.ledger.close();
}

#[tokio::test]
async fn a_grant_that_cannot_be_is_told_beside_its_field_and_changes_nothing() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    node.people.add_user(&local, "rin", Role::Reader, "quiet harbour lanterns").unwrap();
    let (admin, auditor) = (node.signed_in(Role::Administrator).await, node.signed_in(Role::Auditor).await);
    let head = node.ledger.head().pos;
    let csrf = node.csrf(&admin).await;
    for (form, field) in [
        ("deed=grant&may=read&name=&role=", "name"),
        ("deed=grant&may=read&name=nobody", "name"),
        ("deed=grant&may=read&name=importer", "name"),
        ("deed=grant&may=write&name=rin", "name"),
        ("deed=grant&may=write&name=rin&role=analyst", "role"),
        ("deed=grant&may=write&name=&role=reader", "role"),
        ("deed=grant&may=read&name=&role=auditor", "role"),
    ] {
        let back = node.post(INTAKE, &admin, &format!("csrf={csrf}&{form}")).await;
        assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(back.text.contains(&format!("id=\"{field}-error\"")), "{form}");
    }
    for form in ["deed=grant&may=all&name=rin", "deed=x", "deed=take"] {
        assert_eq!(node.post(INTAKE, &admin, &format!("csrf={csrf}&{form}")).await.status, StatusCode::BAD_REQUEST);
    }
    let nowhere = "/collections/00000000-0000-4000-8000-000000000000";
    let form = format!("csrf={csrf}&deed=grant&may=read&name=rin");
    assert_eq!(node.post(nowhere, &admin, &form).await.status, StatusCode::NOT_FOUND);
    assert_eq!(node.ledger.head().pos, head);
    let looks = node.get(INTAKE, &auditor).await;
    assert!(
        looks.status == StatusCode::OK && !looks.text.contains("value=\"grant\""),
        "auditors look and change nothing"
    );
    node.ledger.close();
}

#[tokio::test]
async fn who_may_grant_in_one_collection_reads_no_account_names_off_by_their_numbers() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let number = |name| node.people.add_user(&local, name, Role::Reader, "quiet harbour lanterns").unwrap();
    let (rin, mei) = (number("exercise-rin"), number("exercise-mei"));
    node.people.grant(&local, ledger::INTAKE, people::Whom::Account(mei), false).unwrap();
    let (supervisor, admin) = (node.signed_in(Role::Supervisor).await, node.signed_in(Role::Administrator).await);
    let told = async |cookie: &str, number: u32, name: &str| {
        let page = node.get(&format!("{INTAKE}?account={number}"), cookie).await;
        assert!(page.text.contains("value=\"grant\""), "both grant here");
        page.text.contains(&format!("value=\"{name}\""))
    };
    assert!(!told(&supervisor, rin, "exercise-rin").await);
    assert!(told(&supervisor, mei, "exercise-mei").await, "who is in the audience is named there anyway");
    assert!(told(&admin, rin, "exercise-rin").await);
    node.ledger.close();
}

#[tokio::test]
async fn administrators_and_auditors_have_a_first_page_of_their_own() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    node.people.create_token(&local, &people::NewToken { name: "feed", role: Role::Reader, days: Some(3) }).unwrap();
    let admin = node.signed_in(Role::Administrator).await;
    let desk = node.get("/desk", &admin).await;
    for words in ["EXERCISE the disk is full", "eye doctor", "/users?factor=none", "/tokens?ends=soon"] {
        assert!(desk.text.contains(words), "{words}");
    }
    assert!(!desk.text.contains("/access"), "the log is the auditor's");
    assert!(node.get("/users?factor=none", &admin).await.text.contains("administrator-1"));
    assert!(!node.get("/users?factor=none", &admin).await.text.contains("importer"));
    assert!(node.get("/tokens?ends=soon", &admin).await.text.contains("feed"));
    let row = |method, ids: &[&str], status| {
        let access = people::Access { viewer: Some(&local), method, route: "eye", ids, status, ..Default::default() };
        node.people.access_log().record(&access).unwrap();
    };
    row("verify", &[], 200);
    row("verify", &["note--00000000-0000-4000-8000-000000000001"], 400);
    row("expunge", &["note--00000000-0000-4000-8000-000000000002"], 200);
    // More rows than a page of the log looks through: written at once, for their hashes are no matter here.
    let many = "INSERT INTO access WITH RECURSIVE k(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM k WHERE i < 200001) \
        SELECT (SELECT max(n) FROM access) + i, 0, 0, '', 'GET', '/search', 200, '', 0, NULL, 0, zeroblob(32) FROM k";
    node.people.access_log().flush().unwrap();
    node.ledger.state().write(|conn| Ok(conn.execute(many, [])?)).unwrap();
    let auditor = node.signed_in(Role::Auditor).await;
    let desk = node.get("/desk", &auditor).await;
    assert!(desk.text.contains("every proof held"), "the last verification of the whole, not of one object");
    assert!(desk.text.contains("note--00000000-0000-4000-8000-000000000002"));
    assert!(
        !desk.text.contains("the disk is full") && !desk.text.contains("eye doctor"),
        "who has no shell gets no command"
    );
    node.ledger.close();
}

#[tokio::test]
async fn the_access_log_is_filtered_without_a_name_or_number_in_an_address_and_leaves_as_csv() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let rin = node.people.add_user(&local, "rin", Role::Analyst, "quiet harbour lanterns").unwrap();
    let theirs = node.post("/sign-in", "", "name=rin&password=quiet+harbour+lanterns").await.cookie();
    node.get("/objects/note--1", &theirs).await;
    let search = people::Access {
        method: "GET",
        route: "/search",
        status: 200,
        query: Some("+447700900123"),
        ..Default::default()
    };
    node.people.access_log().record(&search).unwrap();
    let auditor = node.signed_in(Role::Auditor).await;
    let csrf = node.csrf(&auditor).await;
    let look = async |form: &str| node.post("/access", &auditor, &format!("csrf={csrf}&{form}")).await;
    let to = look("who=RIN&about=&kind=object&outcome=answered&since=2020-01-01&until=").await;
    let address = to.header(header::LOCATION).to_owned();
    assert_eq!(address, format!("/access?account={rin}&kind=object&outcome=answered&since=2020-01-01"));
    let page = node.get(&address, &auditor).await;
    assert!(page.text.contains("/objects/{id}") && !page.text.contains("/sign-in</code>"));
    let found = look("who=&about=%2B44+%287700%29+900-123").await;
    let address = found.header(header::LOCATION).to_owned();
    assert!(address.starts_with("/access?about=") && !address.contains("7700"), "{address}");
    assert!(node.get(&address, &auditor).await.text.contains("GET /search"), "a number is found in any spelling");
    for (form, field) in
        [("who=nobody", "who"), ("since=2026-13-45", "since"), ("since=2026-02-02&until=2026-02-01", "until")]
    {
        let back = look(form).await;
        assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(back.text.contains(&format!("id=\"{field}-error\"")), "{form}");
    }
    let csv = node.get(&format!("/access/rows.csv?account={rin}"), &auditor).await;
    assert_eq!(csv.header(header::CONTENT_TYPE), "text/csv; charset=utf-8; header=present");
    let lines: Vec<_> = csv.text.lines().collect();
    assert!(lines[0].starts_with("n,at,account,name,role,method,route,status"));
    assert!(lines.len() > 1 && lines[1..].iter().all(|l| l.contains(",rin,analyst,")), "{lines:?}");
    let newest = node.people.access_log().page(&local, None, 1).unwrap().remove(0);
    assert_eq!((newest.route.as_str(), newest.status), ("/access/rows.csv", 200), "the download is a row itself");
    node.ledger.close();
}

#[tokio::test]
async fn an_address_says_that_something_was_done_only_where_a_page_of_this_node_led_there() {
    let node = Node::new();
    let admin = node.signed_in(Role::Administrator).await;
    let ask = async |site: Option<&str>| {
        let mut request =
            Request::get("/users?done=added").header(header::ACCEPT, "text/html").header(header::COOKIE, &admin);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        node.ask(request.body(Body::empty()).unwrap()).await.text
    };
    for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        assert!(!ask(site).await.contains("ce-notice--done"), "{site:?}: anybody can send a link");
    }
    assert!(ask(Some("same-origin")).await.contains("ce-notice--done"));
    node.ledger.close();
}
