//! The door's rules on a real node: who sees what, whose cursor, whose status, and what the access log keeps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::{Gate, House};
use intel::{Intel, Setup};
use ledger::testing::TestFolder;
use ledger::{CollectionId, INTAKE, Ledger, Options};
use people::entry::{AudienceBody, Member};
use people::{NewToken, NodeInfo, People, Role};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

struct Node {
    _dir: TestFolder,
    intel: Intel,
    routes: House,
    unseen: CollectionId,
    analyst: String,
    other: String,
}

fn token(people: &People, role: Role, name: &str) -> String {
    let new = NewToken { role, name, days: None };
    people.create_token(&people.local_viewer().unwrap(), &new).unwrap()
}

fn open(intel: &Intel, limits: taxii::Limits) -> House {
    let hall = web::Hall {
        catalogue: web::Catalogue::new(&[]).unwrap(),
        node_name: String::new(),
        exercise: true,
        tls: false,
    };
    Gate::new(intel.ledger(), intel.people(), hall).open(taxii::routes(intel.clone(), limits))
}

fn node() -> Node {
    bounded(taxii::Limits::default())
}

fn bounded(limits: taxii::Limits) -> Node {
    let dir = TestFolder::new();
    Ledger::create(dir.path()).unwrap();
    let setup = Setup::new(dir.path(), Some("TH".into())).unwrap();
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(dir.path(), options, vec![people::room(), setup.factory()]).unwrap();
    dir.watch(&ledger);
    people::init(&ledger, NodeInfo { name: "EXERCISE bureau".into(), country: "TH".into(), exercise: true }).unwrap();
    let people = People::open(&ledger).unwrap();
    let intel = Intel::open(&ledger, &people, setup).unwrap();
    let mut body = AudienceBody::shared("EXERCISE narrow", stix::Tlp::Red, vec![Member::role(Role::Supervisor, true)]);
    body.listed = true;
    let unseen = people.create_collection(&people.local_viewer().unwrap(), &body).unwrap().id;
    let (analyst, other) = (token(&people, Role::Analyst, "one"), token(&people, Role::Analyst, "two"));
    let routes = open(&intel, limits);
    Node { _dir: dir, intel, routes, unseen, analyst, other }
}

fn note(n: u32) -> String {
    let id = format!("note--00000000-0000-4000-8000-{n:012}");
    // Spaces and an order that no serialiser would write.
    format!(
        r#"{{ "id":"{id}",  "type": "note","spec_version":"2.1" , "content":"EXERCISE é {n}", "object_refs":["{id}"],
        "modified":"2026-01-01T00:00:00Z","created":"2026-01-01T00:00:00.000Z"}}"#
    )
}

struct Got {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Node {
    async fn ask(&self, token: &str, method: &str, path: &str, body: impl Into<Body>) -> Got {
        let request = Request::builder()
            .method(method)
            .uri(format!("/taxii2{path}"))
            .header("accept", taxii::MEDIA)
            .header("content-type", taxii::MEDIA)
            .header("authorization", format!("Bearer {token}"))
            .body(body.into())
            .unwrap();
        let response = self.routes.ask(request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Got { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }
    async fn get(&self, path: &str) -> Got {
        self.ask(&self.analyst, "GET", path, Body::empty()).await
    }
    async fn post(&self, bodies: &[String]) -> Got {
        let envelope = format!("{{\"objects\":[{}]}}", bodies.join(","));
        let got = self.ask(&self.analyst, "POST", &objects(INTAKE), envelope).await;
        assert_eq!(got.status, 202, "{}", got.text);
        got
    }
    fn log(&self) -> Vec<people::AccessRow> {
        let people = self.intel.people();
        people.access_log().page(&people.local_viewer().unwrap(), None, 100).unwrap()
    }
}

fn objects(collection: CollectionId) -> String {
    format!("/api/collections/{collection}/objects/")
}

#[tokio::test]
async fn an_unseen_collection_answers_as_one_that_is_not() {
    let node = node();
    let nowhere = CollectionId::random();
    let paths = ["", "objects/", "manifest/", "objects/note--00000000-0000-4000-8000-000000000001/", "nonsense"];
    for (method, path) in ["GET", "POST", "DELETE"].into_iter().flat_map(|m| paths.map(|p| (m, p))) {
        let mut answers = Vec::new();
        for id in [node.unseen, nowhere] {
            let got =
                node.ask(&node.analyst, method, &format!("/api/collections/{id}/{path}"), "{\"objects\":[]}").await;
            answers.push((got.status, got.text, format!("{:?}", got.headers)));
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
        assert_eq!(answers[0].0, 404, "{method} {path}");
    }
    let listed = node.get("/api/collections/").await;
    assert!(!listed.text.contains(&node.unseen.to_string()) && listed.text.contains(&INTAKE.to_string()));
}

#[tokio::test]
async fn a_body_comes_back_byte_for_byte_alone_and_in_a_page() {
    let node = node();
    node.post(&[note(1), note(2)]).await;
    let page = node.get(&objects(INTAKE)).await;
    assert_eq!(page.text, format!("{{\"objects\":[{},{}]}}", note(1), note(2)));
    let one = node.get(&format!("{}note--00000000-0000-4000-8000-000000000002/", objects(INTAKE))).await;
    assert_eq!(one.text, format!("{{\"objects\":[{}]}}", note(2)));
    assert_eq!(one.headers["content-type"], taxii::MEDIA);
}

#[tokio::test]
async fn a_cursor_walks_its_own_query_and_no_other() {
    let node = node();
    node.post(&(1..=5).map(note).collect::<Vec<_>>()).await;
    let (mut seen, mut query) = (Vec::new(), String::new());
    let first = node.get(&format!("{}?limit=2", objects(INTAKE))).await.json()["next"].as_str().unwrap().to_owned();
    loop {
        let page = node.get(&format!("{}?limit=2{query}", objects(INTAKE))).await.json();
        seen.extend(page["objects"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("&next={next}");
    }
    let mut once = seen.clone();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (5, 5));
    for other in ["match[type]=note&", "added_after=2020-01-01T00:00:00Z&"] {
        assert_eq!(node.get(&format!("{}?{other}next={first}", objects(INTAKE))).await.status, 400, "{other}");
    }
    let manifest = format!("/api/collections/{INTAKE}/manifest/?next={first}");
    assert_eq!(node.get(&manifest).await.status, 400);
    let mut bytes = URL_SAFE_NO_PAD.decode(&first).unwrap();
    bytes[7] ^= 1;
    let forged = URL_SAFE_NO_PAD.encode(bytes);
    assert_eq!(node.get(&format!("{}?next={forged}", objects(INTAKE))).await.status, 400);
}

#[tokio::test]
async fn a_cursor_tells_nothing_but_the_last_date_added() {
    let node = node();
    node.post(&[note(1), note(2)]).await;
    let page = node.get(&format!("{}?limit=1", objects(INTAKE))).await;
    let last: stix::Instant = page.headers["x-taxii-date-added-last"].to_str().unwrap().parse().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(page.json()["next"].as_str().unwrap()).unwrap();
    assert_eq!(bytes[..8], last.micros().to_be_bytes());
}

#[tokio::test]
async fn a_status_is_for_whoever_posted_and_holds_no_body() {
    let node = node();
    let posted = node.post(&[note(1), "{\"type\":\"indicator\",\"name\":\"EXERCISE secret\"}".into()]).await.json();
    assert_eq!((&posted["success_count"], &posted["failure_count"]), (&1.into(), &1.into()));
    let path = format!("/api/status/{}/", posted["id"].as_str().unwrap());
    let mine = node.get(&path).await;
    assert_eq!(mine.json(), posted);
    assert!(!mine.text.contains("EXERCISE"), "{}", mine.text);
    assert_eq!(node.ask(&node.other, "GET", &path, Body::empty()).await.status, 404);
}

#[tokio::test]
async fn a_large_status_is_on_the_disk_when_it_is_answered() {
    let node = node();
    let posted = node.post(&(1..=900).map(note).collect::<Vec<_>>()).await;
    assert!(posted.text.len() > 64 << 10);
    let id = posted.json()["id"].as_str().unwrap().to_owned();
    // A second door has nothing in memory.
    let second = open(&node.intel, taxii::Limits::default());
    let node = Node { routes: second, ..node };
    assert_eq!(node.get(&format!("/api/status/{id}/")).await.text, posted.text);
}

#[tokio::test]
async fn the_body_of_a_stranger_is_not_read_and_the_refusal_is_logged() {
    let node = node();
    let read = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&read);
    let body = Body::from_stream(futures_util::stream::once(async move {
        seen.store(true, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))
    }));
    let got = node.ask("eye_wrong", "POST", &objects(INTAKE), body).await;
    assert_eq!(got.status, 401);
    assert!(got.headers.contains_key("www-authenticate") && !read.load(Ordering::SeqCst));
    let row = &node.log()[0];
    assert_eq!((row.account, row.status, row.method.as_str()), (0, 401, "POST"));
}

#[tokio::test]
async fn the_access_log_says_how_many_objects_went_and_which() {
    let node = node();
    node.post(&(1..=9).map(note).collect::<Vec<_>>()).await;
    node.get(&objects(INTAKE)).await;
    let id = "note--00000000-0000-4000-8000-000000000003";
    node.get(&format!("{}{id}/", objects(INTAKE))).await;
    node.get(&format!("{}a-name/", objects(INTAKE))).await;
    let rows = node.log();
    let told: Vec<_> = rows.iter().map(|r| (r.status, r.objects, r.ids.split_whitespace().count())).collect();
    assert_eq!(told, [(404, 0, 0), (200, 1, 1), (200, 9, 5), (202, 9, 5)]);
    assert_eq!(rows[1].ids, id);
    assert_eq!(rows[1].route, "/taxii2/api/collections/{collection}/objects/{object}/");
}

#[tokio::test]
async fn a_deleted_object_is_gone_from_every_path_and_its_body_stays_in_the_log() {
    let node = node();
    node.post(&[note(1)]).await;
    let path = format!("{}note--00000000-0000-4000-8000-000000000001/", objects(INTAKE));
    let pos = node.intel.versions(
        &node.intel.people().local_viewer().unwrap(),
        &path[path.len() - 43..path.len() - 1],
        &every(),
    );
    let pos = pos.unwrap()[0].pos;
    assert_eq!(node.ask(&node.analyst, "DELETE", &path, Body::empty()).await.status, 200);
    for gone in [path.clone(), format!("{path}versions/")] {
        assert_eq!(node.get(&gone).await.status, 404, "{gone}");
    }
    for empty in [objects(INTAKE), format!("/api/collections/{INTAKE}/manifest/")] {
        assert_eq!(node.get(&empty).await.text, "{}", "{empty}");
    }
    assert_eq!(*node.intel.ledger().log().body(pos).unwrap().unwrap(), *note(1));
}

#[tokio::test]
async fn an_object_of_more_versions_than_a_page_is_deleted_whole_whatever_the_limit() {
    let node = bounded(taxii::Limits { page: 2, ..taxii::Limits::default() });
    let version = |second: u32| {
        note(1).replace("2026-01-01T00:00:00Z", &format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60))
    };
    node.post(&(1..=2_100).map(version).collect::<Vec<_>>()).await;
    // The view folds at its own pace, and a request does not wait for as long as this may take.
    let level = || node.intel.ledger().level(std::time::Duration::from_secs(120)).unwrap();
    level();
    let path = format!("{}note--00000000-0000-4000-8000-000000000001/", objects(INTAKE));
    assert_eq!(node.ask(&node.analyst, "DELETE", &format!("{path}?limit=1"), Body::empty()).await.status, 200);
    level();
    assert_eq!(node.get(&path).await.status, 404);
    assert_eq!(node.get(&format!("{path}?match[version]=all")).await.status, 404);
}

#[tokio::test]
async fn a_page_ends_where_its_bytes_do_and_the_next_goes_on_there() {
    let size = note(1).len();
    let node = bounded(taxii::Limits { page_bytes: 2 * size + 20, ..taxii::Limits::default() });
    let large = note(3).replace("EXERCISE", &"EXERCISE ".repeat(200));
    node.post(&[note(1), note(2), large, note(4), note(5)]).await;
    let (mut pages, mut query) = (Vec::new(), String::new());
    loop {
        let page = node.get(&format!("{}{query}", objects(INTAKE))).await;
        let json = page.json();
        pages.push(json["objects"].as_array().unwrap().len());
        let Some(next) = json["next"].as_str() else { break };
        assert_eq!(json["more"], true);
        query = format!("?next={next}");
    }
    assert_eq!(pages, [2, 1, 2], "the large one stands alone");
    let named: Vec<u32> = node.log().iter().rev().filter(|r| r.method == "GET").map(|r| r.objects).collect();
    assert_eq!(named, [2, 1, 2], "the access log counts what was shown");
}

#[tokio::test]
async fn an_encoded_body_is_refused_by_its_encodings_name() {
    let node = node();
    let request = Request::builder()
        .method("POST")
        .uri(format!("/taxii2{}", objects(INTAKE)))
        .header("accept", taxii::MEDIA)
        .header("content-type", taxii::MEDIA)
        .header("content-encoding", "gzip")
        .header("authorization", format!("Bearer {}", node.analyst))
        .body(Body::from(vec![0x1f, 0x8b, 8, 0]))
        .unwrap();
    let response = node.routes.ask(request).await;
    assert_eq!(response.status().as_u16(), 415);
    let said = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(String::from_utf8_lossy(&said).contains("gzip"));
}

#[tokio::test]
async fn an_erased_objects_id_is_in_no_status_resource() {
    let node = node();
    let kept = node.post(&[note(1)]).await.json()["id"].as_str().unwrap().to_owned();
    let other = node.post(&[note(2)]).await.json()["id"].as_str().unwrap().to_owned();
    let me = node.intel.people().local_viewer().unwrap();
    node.intel.expunge(&me, "note--00000000-0000-4000-8000-000000000001", "EXERCISE").unwrap();
    assert_eq!(node.get(&format!("/api/status/{kept}/")).await.status, 404, "nor in memory");
    let held = node.intel.ledger().state().read(|c| {
        let mut stmt = c.prepare("SELECT id FROM taxii_status")?;
        let ids = stmt.query_map([], |r| r.get::<_, String>(0))?;
        Ok(ids.collect::<Result<Vec<_>, _>>()?)
    });
    assert_eq!(held.unwrap(), [other]);
}

#[tokio::test]
async fn an_envelope_of_too_many_objects_is_refused_whole_and_leaves_nothing() {
    let node = bounded(taxii::Limits { objects: 3, ..taxii::Limits::default() });
    let envelope = |n: u32| format!("{{\"objects\":[{}]}}", (1..=n).map(note).collect::<Vec<_>>().join(","));
    let refused = node.ask(&node.analyst, "POST", &objects(INTAKE), envelope(4)).await;
    assert_eq!(refused.status, 413);
    assert!(refused.text.contains("4 objects") && refused.text.contains("takes 3"), "{}", refused.text);
    assert_eq!(node.get(&objects(INTAKE)).await.text, "{}");
    assert_eq!(node.ask(&node.analyst, "POST", &objects(INTAKE), envelope(3)).await.status, 202);
}

fn every() -> intel::Versions {
    intel::Versions { limit: 2_000, ..Default::default() }
}
