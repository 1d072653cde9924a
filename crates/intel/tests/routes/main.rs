//! The pages on a real node: who may see finds, who may not is told nothing, and a report becomes an object.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use intel::http::{FTL, Visitor, router};
use intel::{Intel, Setup, Took};
use ledger::testing::TestFolder;
use ledger::{CollectionId, INTAKE, Ledger, Options, Urgency};
use people::entry::{AudienceBody, Member};
use people::{NodeInfo, People, Role, Viewer};
use tower::ServiceExt;
use web::{Catalogue, Chrome};

struct Node {
    _dir: TestFolder,
    intel: Intel,
    me: Viewer,
    reader: Viewer,
    strings: Catalogue,
    routes: axum::Router,
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
    let reader = Viewer::for_test(Role::Reader, [people.collection(INTAKE).unwrap().unwrap().col]);
    let strings = Catalogue::new(&[("en", FTL)]).unwrap();
    let routes = router(intel.clone());
    Node { _dir: dir, intel, me, reader, strings, routes }
}

impl Node {
    async fn ask(&self, viewer: &Viewer, request: Request<Body>) -> (StatusCode, String, String) {
        let mut chrome = Chrome::bare("", self.strings.locale("en"), "nonce");
        chrome.csrf = "EXERCISE-token".into();
        let mut request = request;
        request.extensions_mut().insert(Visitor { viewer: viewer.clone(), chrome });
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        let at = answer.headers().get("location").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 10 << 20).await.unwrap();
        (status, at, String::from_utf8(body.to_vec()).unwrap())
    }
    async fn get(&self, viewer: &Viewer, path: &str) -> (StatusCode, String) {
        let (status, _, body) = self.ask(viewer, Request::get(path).body(Body::empty()).unwrap()).await;
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
        "/import",
        "/feeds",
        "/report",
        "/selectors?kind=evm&value=0x52908400098527886e0f7030069857d2e4169ee7",
    ] {
        let (status, body) = node.get(&node.reader, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!body.contains("<script>alert"), "{path}");
        if !["/import", "/feeds", "/report"].contains(&path) {
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
    assert_eq!(node.get(&node.me, &format!("/objects/{id}")).await.0, StatusCode::OK);
    assert_eq!(node.get(&node.reader, &format!("/objects/{id}")).await.0, StatusCode::NOT_FOUND);
    for path in ["/search?q=hidden.example", "/"] {
        let (status, body) = node.get(&node.reader, path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!body.contains(&id) && !body.contains("EXERCISE closed"), "{path}");
    }
    assert_eq!(node.get(&node.reader, "/selectors?kind=domain&value=hidden.example").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn looking_at_a_report_writes_nothing_and_saving_it_without_a_token_is_refused() {
    let node = node();
    let (intake, before) = (INTAKE.to_string(), node.intel.ledger().head().pos);
    let fields = [
        ("csrf", "EXERCISE-token"),
        ("step", "look"),
        ("text", "EXERCISE pay to shop.example"),
        ("collection", &intake),
    ];
    let (status, _, preview) = node.ask(&node.me, form("/report", &fields)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(preview.contains("shop.example"));
    let mut save = fields.to_vec();
    save[1] = ("step", "save");
    assert_eq!(node.ask(&node.me, form("/report", &save)).await.0, StatusCode::FORBIDDEN, "no once-token");
    save[0] = ("csrf", "another");
    assert_eq!(node.ask(&node.me, form("/report", &save)).await.0, StatusCode::FORBIDDEN, "no session's token");
    assert_eq!(node.intel.ledger().head().pos, before);
    assert_eq!(node.ask(&node.reader, form("/report", &fields)).await.0, StatusCode::FORBIDDEN, "readers do not write");
}

#[tokio::test]
async fn a_report_that_was_looked_at_is_saved_once_found_and_withdrawn_with_a_reason() {
    let node = node();
    let intake = INTAKE.to_string();
    let fields = [
        ("csrf", "EXERCISE-token"),
        ("step", "look"),
        ("text", "EXERCISE pay to shop.example"),
        ("collection", &intake),
    ];
    let (_, _, preview) = node.ask(&node.me, form("/report", &fields)).await;
    let once = preview.split("name=\"once\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let mut save = fields.to_vec();
    save[1] = ("step", "save");
    save.push(("once", once));
    let (status, at, _) = node.ask(&node.me, form("/report", &save)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, page) = node.get(&node.reader, &at).await;
    assert_eq!(status, StatusCode::OK, "{at}");
    assert!(page.contains("EXERCISE pay to"));
    assert_eq!(node.ask(&node.me, form("/report", &save)).await.0, StatusCode::CONFLICT, "a form acts once");
    let found = node.intel.search(&node.me, "shop.example", None, 10).unwrap().hits;
    let id = found.iter().find(|h| h.row.object_type != "domain-name").unwrap().row.id.clone();
    let withdraw = format!("/objects/{id}/withdraw");
    assert_eq!(
        node.ask(&node.me, form(&withdraw, &[("csrf", "EXERCISE-token")])).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let why = [("csrf", "EXERCISE-token"), ("reason", "EXERCISE entered twice")];
    assert_eq!(node.ask(&node.reader, form(&withdraw, &why)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.ask(&node.me, form(&withdraw, &why)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(node.get(&node.me, &format!("/objects/{id}")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_is_imported_by_its_form_and_what_was_set_aside_is_told_with_its_reason() {
    let node = node();
    let (_, list) = node.get(&node.me, "/import").await;
    let once = list.split("name=\"once\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let at = "2026-01-01T00:00:00.000Z";
    let id = "note--00000000-0000-4000-8000-000000000007";
    let good = serde_json::json!({"type": "note", "spec_version": "2.1", "id": id, "created": at, "modified": at,
        "content": "EXERCISE market.example", "object_refs": [id]});
    let file = format!("{good}\n{{\"type\": \"note\"}}\n");
    let mut body = String::new();
    for (name, value) in
        [("csrf", "EXERCISE-token"), ("once", &once), ("format", "stix-lines"), ("collection", &INTAKE.to_string())]
    {
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
    let (status, place, page) = node.ask(&node.me, request()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (status, page) = node.get(&node.me, &place).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains(id) && page.contains("What was set aside, and why"), "{page}");
    assert_eq!(node.ask(&node.me, request()).await.0, StatusCode::CONFLICT);
    let why = [("csrf", "EXERCISE-token"), ("reason", "EXERCISE wrong file")];
    assert_eq!(node.ask(&node.me, form(&format!("{place}/withdraw"), &why)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(node.get(&node.me, &format!("/objects/{id}")).await.0, StatusCode::NOT_FOUND);
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
