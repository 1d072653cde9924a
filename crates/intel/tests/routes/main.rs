//! The pages on a real node: who may see finds, who may not is told nothing, and a report becomes an object.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod deeds;
mod imports;
mod objects;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use gate::{Gate, House};
use intel::http::{FTL, routes};
use intel::{Intel, Setup, Took};
use ledger::testing::TestFolder;
use ledger::{CollectionId, INTAKE, Ledger, Options, Urgency};
use people::entry::{AudienceBody, Member};
use people::{NodeInfo, People, Role, Viewer};
use web::{Catalogue, Hall};

struct Node {
    _dir: TestFolder,
    intel: Intel,
    /// Takes objects; asks for no page.
    me: Viewer,
    supervisor: Seat,
    reader: Seat,
    strings: Catalogue,
    house: House,
}

/// Somebody at a browser.
struct Seat {
    cookie: String,
    csrf: String,
}

fn seat(people: &People, role: Role) -> Seat {
    let secret = people.link_token(&people.local_viewer().unwrap(), role, 60).unwrap();
    let signed_in = people.sign_in_with_link(&secret, None, [192, 0, 2, 7].into(), "").unwrap();
    Seat { cookie: format!("eye={}", signed_in.cookie), csrf: people.csrf(&signed_in.viewer).unwrap() }
}

fn node() -> Node {
    let dir = TestFolder::new();
    Ledger::create(dir.path()).unwrap();
    let setup = Setup::new(dir.path(), Some("TH".into())).unwrap();
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(dir.path(), options, vec![people::room(), setup.factory()]).unwrap();
    dir.watch(&ledger);
    people::init(&ledger, NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true }).unwrap();
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    let me = people.local_viewer().unwrap();
    let (supervisor, reader) = (seat(&people, Role::Supervisor), seat(&people, Role::Reader));
    let strings = Catalogue::new(&[("en", FTL)]).unwrap();
    let hall = Hall { catalogue: strings.clone(), node_name: String::new(), exercise: true, tls: false };
    let house = Gate::new(&ledger, &people, hall).open(routes(intel.clone()));
    Node { _dir: dir, intel, me, supervisor, reader, strings, house }
}

impl Node {
    async fn ask(&self, seat: &Seat, mut request: Request<Body>) -> (StatusCode, String, String) {
        request.headers_mut().insert("cookie", seat.cookie.parse().unwrap());
        let answer = self.house.ask(request).await;
        let at = answer.headers().get("location").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 10 << 20).await.unwrap();
        (status, at, String::from_utf8(body.to_vec()).unwrap())
    }
    async fn get(&self, seat: &Seat, path: &str) -> (StatusCode, String) {
        // As after a form of one of this node's own pages.
        let request = Request::get(path).header("sec-fetch-site", "same-origin");
        let (status, _, body) = self.ask(seat, request.body(Body::empty()).unwrap()).await;
        (status, body)
    }
    fn take(&self, collection: CollectionId, n: u32, content: &str) -> String {
        let id = format!("note--00000000-0000-4000-8000-{n:012}");
        let at = "2026-01-01T00:00:00.000Z";
        let body = serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": at, "modified": at,
            "content": content, "object_refs": [id]})
        .to_string();
        let taken = self.intel.take(&self.me, collection, &[&body], Urgency::Interactive).unwrap();
        assert!(matches!(taken[0].outcome, Took::New { .. }), "{taken:?}");
        id
    }
}

fn form(path: &str, pairs: &[(&str, &str)]) -> Request<Body> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Request::post(path).header("content-type", "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn a_reader_sees_what_came_in_on_every_page_and_what_is_written_in_it_is_escaped() {
    let node = node();
    let (status, empty) = node.get(&node.reader, "/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(empty.contains("Nothing has come in yet"));
    let id = node.take(
        INTAKE,
        1,
        "EXERCISE <script>alert(1)</script> shop.example 0x52908400098527886e0f7030069857d2e4169ee7",
    );
    node.take(INTAKE, 2, "EXERCISE 0x52908400098527886e0f7030069857d2e4169ee7");
    for path in [
        "/",
        "/search?q=shop.example",
        &format!("/objects/{id}"),
        "/feeds",
        "/selectors?kind=evm&value=0x52908400098527886e0f7030069857d2e4169ee7",
    ] {
        let (status, body) = node.get(&node.reader, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!body.contains("<script>alert"), "{path}");
        if path != "/feeds" {
            assert!(body.contains(&id), "{path}");
        }
    }
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn an_object_of_an_unseen_collection_is_not_found_by_address_nor_by_search() {
    let node = node();
    let audience = AudienceBody::shared("EXERCISE closed", stix::Tlp::Red, vec![Member::role(Role::Supervisor, true)]);
    let closed = node.intel.people().create_collection(&node.me, &audience).unwrap().id;
    let me = node.intel.people().local_viewer().unwrap();
    let node = Node { me, ..node };
    let id = node.take(closed, 1, "EXERCISE hidden.example");
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{id}")).await.0, StatusCode::OK);
    assert_eq!(node.get(&node.reader, &format!("/objects/{id}")).await.0, StatusCode::NOT_FOUND);
    for path in ["/search?q=hidden.example", "/"] {
        let (status, body) = node.get(&node.reader, path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!body.contains(&id) && !body.contains("EXERCISE closed"), "{path}");
    }
    assert_eq!(node.get(&node.reader, "/selectors?kind=domain&value=hidden.example").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_withdrawn_objects_page_says_why_and_nothing_that_it_said_to_those_who_could_see_it() {
    let node = node();
    let audience = AudienceBody::shared("EXERCISE closed", stix::Tlp::Red, vec![Member::role(Role::Supervisor, true)]);
    let closed = node.intel.people().create_collection(&node.me, &audience).unwrap().id;
    let me = node.intel.people().local_viewer().unwrap();
    let node = Node { me, ..node };
    let (open, hidden) = (node.take(INTAKE, 1, "EXERCISE zwirblefink"), node.take(closed, 2, "EXERCISE gnorvelblatt"));
    for id in [&open, &hidden] {
        node.intel.withdraw(&node.me, id, &intel::Which::All, None, "EXERCISE <b>told twice</b>").unwrap();
    }
    let seen = |body: &str| body.contains("told twice") && !body.contains("<b>told") && !body.contains("zwirble");
    for seat in [&node.reader, &node.supervisor] {
        let (status, body) = node.get(seat, &format!("/objects/{open}")).await;
        assert!(status == StatusCode::GONE && seen(&body), "{status}");
    }
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{hidden}")).await.0, StatusCode::GONE);
    let never = "note--00000000-0000-4000-8000-000000000077";
    let page = |id: &str, body: String| body.replace(id, "ID");
    let (status, one) = node.get(&node.reader, &format!("/objects/{hidden}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, other) = node.get(&node.reader, &format!("/objects/{never}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let line = |body: String| body.lines().filter(|l| !l.contains("nonce")).collect::<Vec<_>>().join("\n");
    assert_eq!(line(page(&hidden, one)), line(page(never, other)), "as if it had never been");
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_searched_for_stands_in_no_address_and_opens_for_nobody_else() {
    let node = node();
    node.take(INTAKE, 1, "EXERCISE zwirblefink +66 2 555 0100");
    let pairs = [("csrf", node.reader.csrf.as_str()), ("q", "zwirblefink"), ("type", "note"), ("marking", "")];
    let (status, to, _) = node.ask(&node.reader, form("/search", &pairs)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(to.starts_with("/search?s=") && to.ends_with("&type=note") && !to.contains("zwirble"), "{to}");
    let (status, body) = node.get(&node.reader, &to).await;
    assert!(
        status == StatusCode::OK && body.contains("value=\"zwirblefink\"") && body.contains("EXERCISE zwirblefink")
    );
    assert!(!body.contains("search?q="), "{body}");
    for (seat, path) in [(&node.supervisor, to.clone()), (&node.reader, to.replace("s=", "s=A"))] {
        let (status, body) = node.get(seat, &path).await;
        assert!(status == StatusCode::NOT_FOUND && !body.contains("zwirblefink"), "{path}");
    }
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn a_type_of_which_nothing_is_seen_is_said_and_those_that_there_are_are_offered() {
    let node = node();
    node.take(INTAKE, 1, "EXERCISE zwirblefink");
    let (status, body) = node.get(&node.reader, "/search?q=zwirblefink&type=foo").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("foo") && body.contains("there is nothing that you may read"), "{body}");
    let offered =
        body.split("href=\"").filter_map(|rest| rest.split_once('"')).map(|(href, _)| href.replace("&#38;", "&"));
    let offered: Vec<String> =
        offered.filter(|href| href.starts_with("/search?s=") && href.ends_with("&type=note")).collect();
    let (_, there) = node.get(&node.reader, offered.first().expect("a note is offered")).await;
    assert!(there.contains("EXERCISE zwirblefink") && !there.contains("?q="), "{there}");
    let (_, body) = node.get(&node.reader, "/search?q=zwirblefink").await;
    assert!(body.contains(r#"<option value="note""#) && !body.contains(r#"<option value="malware""#));
    assert_eq!(node.strings.missing(), Vec::<String>::new());
}

#[tokio::test]
async fn looking_at_a_report_writes_nothing_and_saving_it_without_a_token_is_refused() {
    let node = node();
    let (intake, before) = (INTAKE.to_string(), node.intel.ledger().head().pos);
    let fields = [
        ("csrf", &*node.supervisor.csrf),
        ("step", "look"),
        ("text", "EXERCISE pay to shop.example"),
        ("collection", &intake),
    ];
    let (status, _, preview) = node.ask(&node.supervisor, form("/report", &fields)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(preview.contains("shop.example"));
    let mut save = fields.to_vec();
    save[1] = ("step", "save");
    assert_eq!(node.ask(&node.supervisor, form("/report", &save)).await.0, StatusCode::FORBIDDEN, "no once-token");
    save[0] = ("csrf", "another");
    assert_eq!(node.ask(&node.supervisor, form("/report", &save)).await.0, StatusCode::FORBIDDEN, "no session's token");
    assert_eq!(node.intel.ledger().head().pos, before);
    assert_eq!(node.ask(&node.reader, form("/report", &fields)).await.0, StatusCode::FORBIDDEN, "readers do not write");
}

#[tokio::test]
async fn a_report_that_was_looked_at_is_saved_once_found_and_withdrawn_with_a_reason() {
    let node = node();
    let intake = INTAKE.to_string();
    let fields = [
        ("csrf", &*node.supervisor.csrf),
        ("step", "look"),
        ("text", "EXERCISE pay to shop.example"),
        ("collection", &intake),
    ];
    let (_, _, preview) = node.ask(&node.supervisor, form("/report", &fields)).await;
    let once = preview.split("name=\"once\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let mut save = fields.to_vec();
    save[1] = ("step", "save");
    save.push(("once", once));
    let (status, at, _) = node.ask(&node.supervisor, form("/report", &save)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, page) = node.get(&node.reader, &at).await;
    assert_eq!(status, StatusCode::OK, "{at}");
    assert!(page.contains("EXERCISE pay to"));
    assert_eq!(node.ask(&node.supervisor, form("/report", &save)).await.0, StatusCode::CONFLICT, "a form acts once");
    let found = node.intel.search(&node.me, "shop.example", None, 10).unwrap().hits;
    let id = found.iter().find(|h| h.row.object_type != "domain-name").unwrap().row.id.clone();
    let withdraw = format!("/objects/{id}/withdraw");
    assert_eq!(
        node.ask(&node.supervisor, form(&withdraw, &[("csrf", &*node.supervisor.csrf)])).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let why = [("csrf", &*node.supervisor.csrf), ("reason", "EXERCISE entered twice")];
    assert_eq!(node.ask(&node.reader, form(&withdraw, &why)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.ask(&node.supervisor, form(&withdraw, &why)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{id}")).await.0, StatusCode::GONE);
}

#[tokio::test]
async fn a_file_is_imported_by_its_form_and_what_was_set_aside_is_told_with_its_reason() {
    let node = node();
    let (_, list) = node.get(&node.supervisor, "/import").await;
    let once = list.split("name=\"once\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let at = "2026-01-01T00:00:00.000Z";
    let id = "note--00000000-0000-4000-8000-000000000007";
    let good = serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": at, "modified": at,
        "content": "EXERCISE market.example", "object_refs": [id]});
    let file = format!("{good}\n{{\"type\": \"note\"}}\n");
    let mut body = String::new();
    for (name, value) in [
        ("csrf", &*node.supervisor.csrf),
        ("once", &once),
        ("format", "stix-lines"),
        ("collection", &INTAKE.to_string()),
    ] {
        body.push_str(&format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!(
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"EXERCISE.jsonl\"\r\n\r\n{file}\r\n--b--\r\n"
    ));
    let request = || {
        Request::post("/import")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from(body.clone()))
            .unwrap()
    };
    let (status, place, page) = node.ask(&node.supervisor, request()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (status, page) = node.get(&node.supervisor, &place).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains(id) && page.contains("What was set aside, and why"), "{page}");
    // Whatever language: the reason goes through Fluent, and what varies in it is data.
    let pseudo = Request::get(&place).header("accept-language", "en-XA").body(Body::empty()).unwrap();
    let (_, _, page) = node.ask(&node.supervisor, pseudo).await;
    let aside = page.split("id=\"aside\"").nth(1).and_then(|rest| rest.split("</ol>").next()).unwrap();
    assert!(aside.contains(": [") && !aside.contains("has no `id`") && !aside.contains('⟦'), "{aside}");
    assert_eq!(node.ask(&node.supervisor, request()).await.0, StatusCode::CONFLICT);
    let why = [("csrf", &*node.supervisor.csrf), ("reason", "EXERCISE wrong file")];
    assert_eq!(node.ask(&node.supervisor, form(&format!("{place}/withdraw"), &why)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(node.get(&node.supervisor, &format!("/objects/{id}")).await.0, StatusCode::GONE);
}

#[test]
fn every_reason_to_set_something_aside_is_said_in_the_readers_language() {
    let strings = Catalogue::new(&[("en", FTL)]).unwrap();
    let mut codes: Vec<&str> = intel::Reason::codes().collect();
    for code in &codes {
        assert!(strings.has(&format!("aside-{code}")), "no string for {code}");
        assert!(strings.locale("en-XA").said("aside", code).starts_with('['), "{code} stands bare");
    }
    let said = FTL.lines().filter(|l| l.starts_with("aside-")).count();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(said, codes.len(), "a string is of no reason, or two reasons share a code");
}

#[test]
fn every_string_of_the_pages_is_known_and_none_stands_bare() {
    let strings = Catalogue::new(&[("en", FTL)]).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert_eq!(strings.unknown_in(&text), Vec::<String>::new());
        assert_eq!(web::i18n::bare_words(&text), Vec::<String>::new());
        read += 1;
    }
    assert!(read >= 10);
}

#[tokio::test]
async fn filters_narrow_a_search_and_a_collection_that_is_not_seen_finds_nothing() {
    let node = node();
    let audience = AudienceBody::shared("EXERCISE closed", stix::Tlp::Red, vec![Member::role(Role::Supervisor, true)]);
    let closed = node.intel.people().create_collection(&node.me, &audience).unwrap().id;
    let node = Node { me: node.intel.people().local_viewer().unwrap(), ..node };
    let (open, hidden) = (node.take(INTAKE, 1, "EXERCISE open.example"), node.take(closed, 2, "EXERCISE open.example"));
    let intake = INTAKE.to_string();
    for (query, finds) in [
        ("q=open.example&type=note", true),
        ("q=open.example&type=report", false),
        ("type=note", true),
        ("marking=TLP:CLEAR", false),
        (&format!("in={intake}"), true),
        (&format!("q=open.example&in={closed}"), false),
        ("q=open.example&in=nowhere", false),
        ("since=2000-01-01", true),
        ("until=2000-01-01", false),
    ] {
        let (status, body) = node.get(&node.reader, &format!("/search?{query}")).await;
        assert_eq!((status, body.contains(&open)), (StatusCode::OK, finds), "{query}");
        assert!(!body.contains(&hidden) && !body.contains("EXERCISE closed"), "{query}");
    }
    for wrong in ["since=2026-13-01", "since=2026-02-02&until=2026-01-01"] {
        let (status, body) = node.get(&node.reader, &format!("/search?q=open.example&{wrong}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(body.contains("value=\"open.example\""), "{wrong}: what was typed is lost");
        assert!(!body.contains("Nothing found"), "{wrong}: nothing was looked for");
    }
    let words = (0..18).map(|n| format!("word{n}")).collect::<Vec<_>>().join("+");
    let (_, body) = node.get(&node.reader, &format!("/search?q={words}")).await;
    assert!(body.contains("more were left out"), "words that were not looked for are told");
}

#[tokio::test]
async fn a_report_is_saved_as_it_was_corrected() {
    let node = node();
    let intake = INTAKE.to_string();
    let token = |page: &str| {
        let (_, rest) = page.split_once("name=\"once\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let text = "EXERCISE phone 02 555 0100 and golden-crane.example";
    let fields = |step, once: &str| {
        [
            ("csrf", node.supervisor.csrf.clone()),
            ("step", String::from(step)),
            ("text", text.to_owned()),
            ("country", "TH".to_owned()),
            ("collection", intake.clone()),
            ("left_out", "domain:golden-crane.example".to_owned()),
            ("add", "mei.exercise@example.com\n".to_owned()),
            ("once", once.to_owned()),
        ]
    };
    let sent = |pairs: &[(&str, String); 8]| form("/report", &pairs.each_ref().map(|(n, v)| (*n, v.as_str())));
    let (status, _, preview) = node.ask(&node.supervisor, sent(&fields("look", ""))).await;
    assert_eq!(status, StatusCode::OK);
    let (status, at, _) = node.ask(&node.supervisor, sent(&fields("save", &token(&preview)))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, page) = node.get(&node.supervisor, &at).await;
    assert!(
        page.contains("data-copy=\"mei.exercise@example.com\"") && page.contains("data-copy=\"+6625550100\""),
        "{page}"
    );
    assert!(!page.contains("data-copy=\"golden-crane.example\""), "{page}");
    assert!(
        node.get(&node.supervisor, "/selectors?kind=domain&value=golden-crane.example").await.0
            == StatusCode::NOT_FOUND
    );
    // A line that reads as nothing is told, and saves nothing.
    let before = node.intel.ledger().head().pos;
    let mut wrong = fields("save", &token(&preview));
    wrong[6].1 = "nothing at all".to_owned();
    let (status, _, page) = node.ask(&node.supervisor, sent(&wrong)).await;
    assert_eq!((status, node.intel.ledger().head().pos), (StatusCode::UNPROCESSABLE_ENTITY, before));
    assert!(page.contains("add-error") && page.contains("nothing at all"));
}
