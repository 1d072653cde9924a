//! Every route of the real house, asked by every role with every credential, on a node with EXERCISE data.
mod absent;
mod authors;
mod logged;
mod metrics;
mod nowhere;
mod rules;

use crate::node::{self, Node};
use crate::serve::house;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::{House, Line};
use intel::{ImportJob, Took};
use ledger::{CollectionId, INTAKE, Urgency};
use people::entry::{AudienceBody, Member};
use people::{NewToken, Role, SignIn, Viewer};
use serde_json::json;
use std::net::SocketAddr;

const PASSWORD: &str = "quiet harbour lanterns";
/// A telephone number's deterministic id: guessable, so it stands neither in an address nor in the access log.
const PHONE: &str = "phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01";
/// Words that stand in nothing but what the supervisor alone sees.
const CANARY: &str = "CANARYWORD";

/// What somebody comes in with.
#[derive(Clone)]
struct Seat {
    who: &'static str,
    /// None: what they bring does not stand.
    role: Option<Role>,
    via: &'static str,
    header: Option<(header::HeaderName, String)>,
    csrf: String,
}

struct Site {
    dir: tempfile::TempDir,
    node: Node,
    house: House,
    seats: Vec<Seat>,
    /// Seen by supervisors alone.
    closed: CollectionId,
}

struct Got {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |v| v.to_str().unwrap())
    }

    /// The answer without what is new each time: nonces, once-only tokens and sealed searches.
    fn steady(&self) -> String {
        let policy = self.headers.get(header::CONTENT_SECURITY_POLICY).map_or("", |v| v.to_str().unwrap());
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("no nonce");
        let headers = format!("{:?}", self.headers).replace(nonce, "NONCE");
        let mut text = self.text.replace(nonce, "NONCE");
        for (before, after) in [("name=\"once\" value=\"", '"'), ("name=\"s\" value=\"", '"'), ("/search?s=", '&')] {
            let fresh = |text: &str| Some(text.split(before).nth(1)?.split([after, '"']).next()?.to_owned());
            while let Some(fresh) = fresh(&text).filter(|fresh| fresh.len() > 30) {
                text = text.replace(&fresh, "FRESH");
            }
        }
        format!("{} {headers}\n{text}", self.status)
    }
}

fn id(n: u32) -> String {
    format!("note--00000000-0000-4000-8000-{n:012}")
}

fn note(id: &str, content: &str) -> String {
    let at = "2026-01-01T00:00:00.000Z";
    json!({"type": "note", "spec_version": "2.1", "id": id, "created": at, "modified": at, "content": content,
        "object_refs": [id]})
    .to_string()
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        node::init(&data, "EXERCISE bureau", "TH".parse().unwrap(), true).unwrap();
        let node = node::open(&data).unwrap();
        let members = vec![Member::role(Role::Supervisor, true)];
        let mut body = AudienceBody::shared(&format!("EXERCISE {CANARY} title"), stix::Tlp::Red, members);
        body.listed = true;
        let local = node.people.local_viewer().unwrap();
        let closed = node.people.create_collection(&local, &body).unwrap().id;
        let mut site = Self { house: house(&node, false).unwrap(), dir, node, seats: Vec::new(), closed };
        site.take(INTAKE, &note(&id(1), "EXERCISE asks for help at shared.example"));
        let phone = json!({"type": "phone-number", "spec_version": "2.1", "id": PHONE, "value": "+15550100"});
        site.take(INTAKE, &phone.to_string());
        site.seats = site.all_seats();
        site
    }

    fn local(&self) -> Viewer {
        self.node.people.local_viewer().unwrap()
    }

    fn take(&self, collection: CollectionId, body: &str) {
        let taken = self.node.intel.take(&self.local(), collection, &[body], Urgency::Interactive).unwrap();
        assert!(matches!(taken[0].outcome, Took::New { .. }), "{taken:?}");
    }

    /// What the supervisor alone may know of: objects, a selector shared with a seen object, an import, a withdrawal.
    fn hide(&self) {
        let body = format!("EXERCISE {CANARY} at shared.example and hidden.example");
        self.take(self.closed, &note(&id(77), &body));
        self.take(self.closed, &note(&id(78), &format!("EXERCISE {CANARY} taken back")));
        let job = ImportJob {
            source: format!("{CANARY}.jsonl"),
            collection: Some(self.closed),
            format: formats::Format::all().iter().find(|f| f.as_str() == "stix-lines").copied(),
            ..ImportJob::default()
        };
        let file = format!("{}\n", note(&id(79), &format!("EXERCISE {CANARY} from a file, hidden.example")));
        let report = self.node.intel.import(&self.local(), &job, Box::new(file.as_bytes()), &mut |_| {}).unwrap();
        assert_eq!(report.added, 1, "{report:?}");
        self.node.intel.withdraw(&self.local(), &id(78), &intel::Which::All, None, CANARY).unwrap();
    }

    fn all_seats(&self) -> Vec<Seat> {
        let people = &self.node.people;
        let mut seats = vec![Seat { who: "nobody", role: None, via: "none", header: None, csrf: String::new() }];
        for role in Role::GIVEN {
            seats.extend(self.seats_of(role.as_str(), role, Some(role)));
        }
        let gone = self.seats_of("disabled", Role::Supervisor, None);
        for account in people.accounts(&self.local()).unwrap().iter().filter(|a| a.body.name.starts_with("disabled")) {
            people.set_disabled(&self.local(), account.number, true).unwrap();
        }
        seats.extend(gone);
        let (before, revoked) = (people.tokens(&self.local()), self.seats_of("revoked", Role::Supervisor, None));
        for token in people.tokens(&self.local()).iter().filter(|t| !before.contains(t)) {
            people.revoke_token(&self.local(), token.number).unwrap();
        }
        let accounts = people.accounts(&self.local()).unwrap();
        let account = accounts.iter().find(|a| a.body.name == "revoked").unwrap().number;
        for session in people.sessions(&self.local(), account).unwrap() {
            people.revoke_session(&self.local(), session.id).unwrap();
        }
        people.set_password(&self.local(), account, "other harbour lanterns").unwrap();
        seats.extend(revoked);
        seats
    }

    fn seats_of(&self, who: &'static str, given: Role, role: Option<Role>) -> Vec<Seat> {
        let people = &self.node.people;
        let name = format!("{who}-token");
        let token = people.create_token(&self.local(), &NewToken { name: &name, role: given, days: None }).unwrap();
        let seat = |via, header, csrf| Seat { who, role, via, header: Some(header), csrf };
        let basic = |name: &str, word: &str| {
            (header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{name}:{word}"))))
        };
        let bearer = seat("bearer", (header::AUTHORIZATION, format!("Bearer {token}")), String::new());
        if !given.may(people::Right::SignIn) {
            return vec![bearer, seat("basic", basic("anybody", &token), String::new())];
        }
        people.add_user(&self.local(), who, given, PASSWORD).unwrap();
        let asks = SignIn { name: who, password: PASSWORD, code: None, peer: [127, 0, 0, 1].into(), agent: "" };
        let signed_in = people.sign_in(&asks).unwrap();
        let csrf = people.csrf(&signed_in.viewer).unwrap();
        let session = seat("session", (header::COOKIE, format!("eye={}", signed_in.cookie)), csrf);
        vec![session, bearer, seat("basic", basic(who, PASSWORD), String::new())]
    }

    fn seat(&self, who: &str, via: &str) -> &Seat {
        self.seats.iter().find(|s| s.who == who && s.via == via).unwrap()
    }

    async fn ask(&self, seat: &Seat, method: &str, path: &str) -> Got {
        // No form that does anything: its fields are missing or wrong.
        let form = format!("csrf={}&days=x", seat.csrf);
        self.send(seat, Request::builder().method(method).uri(path), &form).await
    }

    async fn send(&self, seat: &Seat, mut request: axum::http::request::Builder, form: &str) -> Got {
        let path = request.uri_ref().unwrap().path().to_owned();
        let taxii = path.starts_with("/taxii2");
        let accept = if taxii { taxii::MEDIA } else { "text/html" };
        request = request.header(header::ACCEPT, accept);
        if let Some((name, value)) = &seat.header {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(form.to_owned())).unwrap();
        // Whoever guesses comes from elsewhere, so that the others are not slowed down.
        let from: [u8; 4] = if seat.role.is_some() { [192, 0, 2, 7] } else { [198, 51, 100, seat.who.len() as u8] };
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((from, 9))));
        let response = self.house.ask(request).await;
        let (parts, body) = response.into_parts();
        // A stream has no end: that it opened is the answer.
        let endless = path.starts_with("/stream") && parts.status.is_success();
        let bytes = if endless { Default::default() } else { to_bytes(body, 10 << 20).await.unwrap() };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Got { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// A route's address: about an object, a collection, an import; or with what nothing has.
    fn address(&self, line: &Line, object: &str, collection: CollectionId, import: &str) -> String {
        line.path
            .replace("{id}", if line.door == "stream" { "live" } else { object })
            .replace("{object}", object)
            .replace("{collection}", &collection.to_string())
            .replace("{import}", import)
            .replace("{name}", "app.css")
            .replace("{number}", "999")
            .replace("{status}", "00000000-0000-4000-8000-000000000000")
            .replace("{secret}", "ei_none")
            .replace("{*path}", "nowhere")
    }

    /// The mark of the import whose source holds these words, from the page of who sees it.
    async fn import_mark(&self, seat: &Seat, source: &str) -> String {
        let page = self.ask(seat, "GET", "/import").await.text;
        let row = page
            .split("<tr")
            .find(|row| row.contains(source) && row.contains("/import/"))
            .expect("the import is on the page");
        row.split("/import/").nth(1).unwrap().chars().take_while(char::is_ascii_hexdigit).collect()
    }
}

/// An import that is none.
const NO_IMPORT: &str = "0123456789abcdef0123456789abcdef";
