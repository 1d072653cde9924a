//! The stream's rules on a real node: what is told, in which order, from where, to whom, and when it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::StreamExt;
use gate::{Gate, House};
use intel::{Intel, Setup, Which};
use ledger::testing::TestFolder;
use ledger::{CollectionId, INTAKE, Ledger, Options, Urgency};
use people::entry::{AudienceBody, Member};
use people::{NewToken, NodeInfo, People, Role, Viewer};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

struct Node {
    _dir: TestFolder,
    intel: Intel,
    me: Viewer,
    routes: House,
    wide: CollectionId,
    narrow: CollectionId,
    token: String,
}

fn token(people: &People, role: Role) -> String {
    let new = NewToken { role, name: role.as_str(), days: None };
    people.create_token(&people.local_viewer().unwrap(), &new).unwrap()
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
    let mut made = [Role::Reader, Role::Supervisor].map(|least| {
        let mut body =
            AudienceBody::shared(&format!("EXERCISE {least}"), stix::Tlp::AmberStrict, vec![Member::role(least, true)]);
        body.listed = true;
        people.create_collection(&me, &body).unwrap().id
    });
    made.reverse();
    let [narrow, wide] = made;
    let token = token(&people, Role::Reader);
    let hall = web::Hall {
        catalogue: web::Catalogue::new(&[]).unwrap(),
        node_name: String::new(),
        exercise: true,
        tls: false,
    };
    let routes = Gate::new(&ledger, &people, hall).open(stream::routes(intel.clone(), &stream::Listeners::default()));
    let me = people.local_viewer().unwrap();
    Node { _dir: dir, intel, me, routes, wide, narrow, token }
}

const V1: &str = "2026-01-01T00:00:00.000Z";
const V2: &str = "2026-02-01T00:00:00.000Z";

fn id(n: u32) -> String {
    format!("note--00000000-0000-4000-8000-{n:012}")
}

/// `event`, `id`, `data` of one frame.
type Frame = (String, String, Value);

struct Ears {
    body: BodyDataStream,
    text: String,
}

impl Ears {
    /// The next frame, heartbeats too; `None` at the end.
    async fn any(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let frame: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    let line = frame.lines().find_map(|l| l.strip_prefix(name).and_then(|r| r.strip_prefix(": ")));
                    line.unwrap_or("").to_owned()
                };
                return Some((field("event"), field("id"), serde_json::from_str(&field("data")).unwrap()));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await.expect("silence")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }
    /// The next frame that tells of an object: event and object id; `None` at the end.
    async fn object(&mut self) -> Option<(String, String)> {
        loop {
            let (event, _, data) = self.any().await?;
            if event != "heartbeat" && event != "connected" {
                return Some((event, data["data"]["id"].as_str().unwrap().to_owned()));
            }
        }
    }
    async fn expect(&mut self, event: &str, n: u32) {
        assert_eq!(self.object().await.unwrap(), (event.to_owned(), id(n)));
    }
}

impl Node {
    fn take(&self, collection: CollectionId, n: u32, modified: &str) {
        self.take_words(collection, n, modified, "EXERCISE words");
    }
    fn take_words(&self, collection: CollectionId, n: u32, modified: &str, words: &str) {
        let body = json!({"type": "note", "spec_version": "2.1", "id": id(n), "created": V1, "modified": modified,
            "content": words, "object_refs": [id(n)]});
        let took = self.intel.take(&self.me, collection, &[&body.to_string()], Urgency::Interactive).unwrap();
        assert!(matches!(took[0].outcome, intel::Took::New { .. }), "{took:?}");
    }
    fn withdraw(&self, collection: CollectionId, n: u32) {
        self.intel.withdraw(&self.me, &id(n), &Which::All, Some(collection), "EXERCISE").unwrap();
    }
    async fn open(&self, token: &str, path: &str) -> (u16, Ears) {
        self.open_with("authorization", &format!("Bearer {token}"), path).await
    }
    async fn open_with(&self, name: &str, credential: &str, path: &str) -> (u16, Ears) {
        let mut request = Request::get(format!("/stream/{path}")).header(name, credential).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        let response = self.routes.ask(request).await;
        let status = response.status().as_u16();
        (status, Ears { body: response.into_body().into_data_stream(), text: String::new() })
    }
    async fn listen(&self, path: &str) -> Ears {
        let (status, mut ears) = self.open(&self.token, path).await;
        assert_eq!(status, 200);
        assert_eq!(ears.any().await.unwrap().0, "connected");
        ears
    }
}

#[tokio::test]
async fn what_comes_is_told_as_create_update_and_delete_without_a_word_of_its_body() {
    let node = node();
    let mut ears = node.listen("live").await;
    node.take(INTAKE, 1, V1);
    let (event, _, data) = ears.any().await.unwrap();
    assert_eq!(
        (event.as_str(), &data["version"], &data["data"]["content"]),
        ("create", &json!("4"), &json!("EXERCISE words"))
    );
    assert!(data["data"]["extensions"]["extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"].is_object());
    node.take(INTAKE, 1, V2);
    ears.expect("update", 1).await;
    node.withdraw(INTAKE, 1);
    // Two withdrawals, one for each version; nothing is left after either.
    let (event, _, data) = ears.any().await.unwrap();
    assert_eq!((event.as_str(), &data["data"]["id"]), ("delete", &json!(id(1))));
    assert!(!data.to_string().contains("words"), "{data}");
}

#[tokio::test]
async fn a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice() {
    let node = node();
    (1..=3).for_each(|n| node.take(INTAKE, n, V1));
    let mut ears = node.listen("live?from=0").await;
    let (_, first, data) = ears.any().await.unwrap();
    assert_eq!(data["data"]["id"], json!(id(1)));
    drop(ears);
    let mut again = node.listen(&format!("live?from={first}")).await;
    again.expect("create", 2).await;
    again.expect("create", 3).await;
    node.take(INTAKE, 4, V1);
    again.expect("create", 4).await;
}

#[tokio::test]
async fn what_was_withdrawn_is_not_told_to_a_listener_who_comes_later() {
    let node = node();
    node.take(INTAKE, 1, V1);
    node.withdraw(INTAKE, 1);
    node.take(INTAKE, 2, V1);
    let mut ears = node.listen("live?from=0").await;
    ears.expect("delete", 1).await;
    ears.expect("create", 2).await;
    let mut quiet = node.listen("live?from=0&listen-delete=false").await;
    quiet.expect("create", 2).await;
}

#[tokio::test]
async fn an_update_says_what_changed_but_never_what_was_withdrawn() {
    let node = node();
    node.take_words(INTAKE, 1, V1, "EXERCISE withdrawn words");
    let mut ears = node.listen("live").await;
    node.take_words(INTAKE, 1, V2, "EXERCISE newer");
    let (event, _, data) = ears.any().await.unwrap();
    let back = json!({"op": "replace", "path": "/content", "value": "EXERCISE withdrawn words"});
    assert_eq!(event, "update");
    assert!(data["context"]["reverse_patch"].as_array().unwrap().contains(&back), "{data}");
    let rows = node.intel.versions(&node.me, &id(1), &every()).unwrap();
    let first = Which::Rows(vec![rows.iter().map(|r| r.pos).min().unwrap()]);
    node.intel.withdraw(&node.me, &id(1), &first, None, "EXERCISE").unwrap();
    // While the view may lag behind the withdrawal, and when it does not.
    for _ in 0..2 {
        let mut later = node.listen("live?from=0&listen-delete=false").await;
        let (event, _, data) = later.any().await.unwrap();
        assert_eq!((event.as_str(), &data["data"]["content"]), ("update", &json!("EXERCISE newer")));
        assert!(!data.to_string().contains("withdrawn words"), "{data}");
        node.intel.ledger().level(Duration::from_secs(10)).unwrap();
    }
}

#[tokio::test]
async fn an_unseen_collection_is_silent_and_its_stream_is_not_there() {
    let node = node();
    let mut ears = node.listen("live?from=0").await;
    node.take(node.narrow, 1, V1);
    node.take(INTAKE, 2, V1);
    ears.expect("create", 2).await;
    for there in [node.narrow, CollectionId::random()] {
        assert_eq!(node.open(&node.token, &there.to_string()).await.0, 404);
    }
    assert_eq!(node.open("eye_wrong", "live").await.0, 401);
    let auditor = token(node.intel.people(), Role::Auditor);
    assert_eq!(node.open(&auditor, "live").await.0, 403);
}

#[tokio::test]
async fn an_object_that_still_stands_in_a_collection_of_the_stream_is_not_told_as_deleted() {
    let node = node();
    node.take(INTAKE, 1, V1);
    node.take(node.wide, 1, V1);
    let (mut live, mut one) = (node.listen("live").await, node.listen(&node.wide.to_string()).await);
    node.withdraw(node.wide, 1);
    live.expect("update", 1).await;
    one.expect("delete", 1).await;
}

#[tokio::test]
async fn a_listener_whose_token_is_revoked_hears_no_object_any_more() {
    let node = node();
    let mut ears = node.listen("live").await;
    let people = node.intel.people();
    let number = people.tokens(&node.me)[0].number;
    people.revoke_token(&node.me, number).unwrap();
    node.take(INTAKE, 1, V1);
    assert_eq!(ears.object().await, None);
}

#[tokio::test]
async fn a_page_that_listens_hears_no_object_after_its_session_is_revoked_or_its_account_disabled() {
    let node = node();
    let people = node.intel.people();
    for ends in ["revoked", "disabled"] {
        let secret = people.link_token(&node.me, Role::Reader, 60).unwrap();
        let signed_in = people.sign_in_with_link(&secret, None, [192, 0, 2, 7].into(), "").unwrap();
        let cookie = format!("eye={}", signed_in.cookie);
        let (status, mut ears) = node.open_with("cookie", &cookie, "live").await;
        assert_eq!((status, ears.any().await.unwrap().0.as_str()), (200, "connected"));
        node.take(INTAKE, ends.len() as u32, V1);
        ears.expect("create", ends.len() as u32).await;
        match (ends, signed_in.viewer.via()) {
            ("revoked", people::Credential::Session(session)) => people.revoke_session(&node.me, session).unwrap(),
            _ => people.set_disabled(&node.me, signed_in.viewer.account(), true).unwrap(),
        }
        node.take(INTAKE, ends.len() as u32, V2);
        assert_eq!(ears.object().await, None, "{ends}");
        assert_eq!(node.open_with("cookie", &cookie, "live").await.0, 401, "{ends}");
    }
}

#[tokio::test]
async fn a_listener_who_lost_sight_of_a_collection_is_let_go() {
    let node = node();
    let (mut live, mut one) = (node.listen("live").await, node.listen(&node.wide.to_string()).await);
    let narrowed = |a: &mut AudienceBody| a.members = vec![Member::role(Role::Supervisor, true)];
    node.intel.people().change_audience(&node.me, node.wide, narrowed).unwrap();
    let me = node.intel.people().local_viewer().unwrap();
    let node = Node { me, ..node };
    node.take(node.wide, 1, V1);
    assert_eq!((live.object().await, one.object().await), (None, None));
}

#[tokio::test]
async fn a_silent_stream_beats_with_the_position_it_has_passed() {
    let node = node();
    node.take(INTAKE, 1, V1);
    let mut ears = node.listen("live?from=0").await;
    let (_, told, _) = ears.any().await.unwrap();
    let (event, beat, at) = ears.any().await.unwrap();
    assert_eq!((event.as_str(), beat), ("heartbeat", told));
    assert!(at.is_string());
}

#[tokio::test]
async fn a_heartbeat_tells_nothing_of_what_the_listener_may_not_see() {
    let node = node();
    node.take(node.wide, 1, V1);
    let shown = node.intel.versions(&node.me, &id(1), &every()).unwrap()[0].arrived;
    node.take(node.narrow, 2, V1);
    let mut ears = node.listen("live").await;
    let (event, beat, _) = ears.any().await.unwrap();
    assert_eq!(event, "heartbeat");
    assert_eq!(beat, format!("{}-{}", shown.div_euclid(1_000), shown.rem_euclid(1_000)));
    node.take(node.narrow, 3, V1);
    let (event, again, _) = ears.any().await.unwrap();
    assert_eq!((event.as_str(), again), ("heartbeat", beat.clone()));
    // And the place told is one to go on from.
    node.take(node.wide, 4, V1);
    node.listen(&format!("live?from={beat}")).await.expect("create", 4).await;
}

#[tokio::test]
async fn the_access_log_names_who_listened_and_what_was_told() {
    let node = node();
    node.take(INTAKE, 1, V1);
    node.listen("live?from=0").await.expect("create", 1).await;
    let rows = node.intel.people().access_log().page(&node.me, None, 10).unwrap();
    let told: Vec<_> = rows.iter().map(|r| (r.role.as_str(), r.objects, r.ids.clone())).collect();
    assert_eq!(told, [("reader", 1, id(1)), ("reader", 0, String::new())]);
}

#[tokio::test]
async fn what_comes_again_after_its_withdrawal_is_created_and_not_updated() {
    let node = node();
    let mut live = node.listen("live").await;
    node.take_words(INTAKE, 1, V1, "EXERCISE words");
    live.expect("create", 1).await;
    node.withdraw(INTAKE, 1);
    node.take_words(INTAKE, 1, V1, "EXERCISE words");
    live.expect("delete", 1).await;
    live.expect("create", 1).await;
    node.take_words(INTAKE, 1, V2, "EXERCISE newer");
    live.expect("update", 1).await;
    // Whoever replays the log, and whoever began to listen between the two.
    for _ in 0..2 {
        let mut again = node.listen("live?from=0").await;
        again.expect("delete", 1).await;
        again.expect("create", 1).await;
        again.expect("update", 1).await;
        let mut quiet = node.listen("live?from=0&listen-delete=false").await;
        quiet.expect("create", 1).await;
        quiet.expect("update", 1).await;
        node.intel.ledger().level(Duration::from_secs(10)).unwrap();
    }
    let mut late = node.listen("live").await;
    node.withdraw(INTAKE, 1);
    late.expect("delete", 1).await;
    late.expect("delete", 1).await;
    let mut later = node.listen("live").await;
    node.take_words(INTAKE, 1, V2, "EXERCISE again");
    late.expect("create", 1).await;
    later.expect("create", 1).await;
}

#[tokio::test]
async fn a_withdrawn_version_before_leaves_an_update_while_an_older_one_stands() {
    let node = node();
    let mut live = node.listen("live").await;
    node.take_words(INTAKE, 1, V1, "EXERCISE words");
    live.expect("create", 1).await;
    node.take_words(INTAKE, 1, V2, "EXERCISE newer");
    live.expect("update", 1).await;
    let newest = node.intel.versions(&node.me, &id(1), &every()).unwrap().iter().map(|r| r.pos).max().unwrap();
    node.intel.withdraw(&node.me, &id(1), &Which::Rows(vec![newest]), None, "EXERCISE").unwrap();
    live.expect("update", 1).await;
    node.take_words(INTAKE, 1, "2026-03-01T00:00:00.000Z", "EXERCISE newest");
    live.expect("update", 1).await;
}

fn every() -> intel::Versions {
    intel::Versions { limit: 2_000, ..Default::default() }
}
