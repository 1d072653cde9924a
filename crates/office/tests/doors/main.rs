//! The front office at its doors: sign-in, rights, forms, the access log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod pages;
use axum::body::Body;
use gate::{Gate, House, PAGES, Routes, Rule, Visitor};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use ledger::testing::TestFolder;
use ledger::{Ledger, Options};
use people::{Cost, NodeInfo, People, Role};
use web::{Catalogue, Hall};

/// What the roof would tell.
fn facts() -> office::Facts {
    office::Facts::new(|| vec!["EXERCISE the disk is full".into()], || Some(7))
}

struct Node {
    _dir: TestFolder,
    ledger: Ledger,
    people: People,
    catalogue: Catalogue,
    app: House,
}

/// A page of another room, for whoever has signed in.
async fn other_room(visitor: Visitor) -> String {
    format!("{} {}", visitor.viewer.name(), visitor.chrome.nav.len())
}

impl Node {
    fn new() -> Self {
        Self::with(false)
    }

    fn with(tls: bool) -> Self {
        let dir = TestFolder::new();
        Ledger::create(dir.path()).unwrap();
        let ledger = Ledger::open(dir.path(), Options::default(), vec![people::room()]).unwrap();
        dir.watch(&ledger);
        let info = NodeInfo { name: "EXERCISE agency".into(), country: "TH".into(), exercise: true };
        people::init(&ledger, info).unwrap();
        let options = people::Options { cost: Cost { kib: 64, passes: 1 }, ..Default::default() };
        let people = People::open_with(&ledger, options).unwrap();
        let catalogue = Catalogue::new(&[("en", office::FTL)]).unwrap();
        let hall =
            Hall { catalogue: catalogue.clone(), node_name: "EXERCISE agency".into(), exercise: true, tls: false };
        let gate = Gate::new(&ledger, &people, hall).over_tls(tls).framed(office::frame);
        let rooms = Routes::new(&PAGES).get("/objects/{id}", Rule::SignedIn, other_room);
        let app = gate.open(office::routes(&gate, facts()).and(rooms));
        Self { _dir: dir, ledger, people, catalogue, app }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        Answer::of(self.app.ask(request).await).await
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::get(path).header(header::ACCEPT, "text/html").header(header::COOKIE, cookie);
        // As after a form of one of this node's own pages.
        let request = request.header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    fn link(&self, role: Role) -> String {
        let secret = self.people.link_token(&self.people.local_viewer().unwrap(), role, 60).unwrap();
        format!("/sign-in/link/{secret}")
    }

    /// The cookie of somebody of this role.
    async fn signed_in(&self, role: Role) -> String {
        self.post(&self.link(role), "", "").await.cookie()
    }

    async fn csrf(&self, cookie: &str) -> String {
        self.get("/account", cookie).await.hidden("csrf")
    }
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Self { status: parts.status, headers: parts.headers, text }
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// `NAME=VALUE` of the cookie that was set.
    fn cookie(&self) -> String {
        self.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
    }

    fn hidden(&self, name: &str) -> String {
        let rest = self.text.split_once(&format!("name=\"{name}\" value=\"")).expect("the hidden field").1;
        rest.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_only_when_its_button_is_pressed() {
    let node = Node::new();
    let link = node.link(Role::Analyst);
    for _ in 0..2 {
        let page = node.get(&link, "").await;
        assert_eq!((page.status, page.header(header::SET_COOKIE)), (StatusCode::OK, ""), "looking uses nothing up");
        assert!(page.text.contains("analyst-1"), "it says whom it signs in");
    }
    let first = node.post(&link, "", "").await;
    assert_eq!((first.status, first.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert!(first.header(header::SET_COOKIE).starts_with("eye="));
    let account = node.get("/account", &first.cookie()).await;
    assert_eq!(account.status, StatusCode::OK);
    assert!(account.text.contains("analyst-1"));
    let second = node.post(&link, "", "").await;
    assert_eq!((second.status, second.header(header::SET_COOKIE)), (StatusCode::GONE, ""));
    let looked = node.get(&link, "").await;
    for spent in [second, looked, node.get("/sign-in/link/ei_none", "").await] {
        assert_eq!(spent.status, StatusCode::GONE);
        assert!(!spent.text.contains("<form"), "no button is offered that does nothing");
        assert!(spent.text.contains("href=\"/sign-in\""), "but the way on is");
    }
    assert!(node.get(&link, "").await.text.contains("Somebody signed in with it on"));
    node.ledger.close();
}

#[tokio::test]
async fn the_cookie_is_bound_to_this_host_and_to_tls_where_there_is_tls() {
    let node = Node::with(true);
    let answer = node.post(&node.link(Role::Reader), "", "").await;
    let cookie = answer.header(header::SET_COOKIE);
    assert!(cookie.starts_with("__Host-eye="), "{cookie}");
    for word in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
    let plain = answer.cookie().replace("__Host-", "");
    assert_eq!(node.get("/account", &plain).await.status, StatusCode::SEE_OTHER, "the plain name opens nothing");
    node.ledger.close();
}

#[tokio::test]
async fn who_has_no_session_is_sent_to_sign_in_and_back_without_what_they_searched_for() {
    let node = Node::new();
    let browser = node.get("/objects/note--1?q=%2B15550100", "").await;
    assert_eq!(browser.status, StatusCode::SEE_OTHER);
    let to = browser.header(header::LOCATION);
    assert_eq!(to, "/sign-in?next=%2Fobjects%2Fnote%2D%2D1");
    assert_eq!(node.get(to, "").await.hidden("next"), "/objects/note--1");
    let program = node.ask(Request::get("/objects/note--1").body(Body::empty()).unwrap()).await;
    assert_eq!(program.status, StatusCode::UNAUTHORIZED);
    assert_eq!(program.header(header::CONTENT_TYPE), "application/problem+json");
    let ended = node.get("/objects/note--1", "eye=AAAA").await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    assert!(ended.header(header::SET_COOKIE).contains("Max-Age=0"));
    node.ledger.close();
}

#[tokio::test]
async fn name_and_password_sign_in_and_go_back_and_wrong_ones_are_told_alike() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    node.people.add_user(&local, "rin", Role::Analyst, "quiet harbour lanterns").unwrap();
    let right = "name=rin&password=quiet+harbour+lanterns&next=%2Fobjects%2Fnote--1";
    let answer = node.post("/sign-in", "", right).await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/objects/note--1"));
    let page = node.get("/objects/note--1", &answer.cookie()).await;
    assert_eq!((page.status, page.text.as_str()), (StatusCode::OK, "rin 5"));
    let wrong = node.post("/sign-in", "", "name=rin&password=wrong+wrong+wrong").await;
    let nobody = node.post("/sign-in", "", "name=nob&password=wrong+wrong+wrong").await;
    assert_eq!((wrong.status, nobody.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert!(wrong.text.contains("is not right") && nobody.text.contains("is not right"));
    assert!(!wrong.text.contains("wrong wrong"), "no password is drawn back");
    node.ledger.close();
}

#[tokio::test]
async fn who_guesses_on_is_told_to_wait() {
    let node = Node::new();
    let mut last = None;
    for _ in 0..30 {
        let answer = node.post("/sign-in", "", "name=rin&password=wrong+wrong+wrong").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            last = Some(answer);
            break;
        }
    }
    let last = last.expect("guessing is slowed down");
    assert!(last.header(header::RETRY_AFTER).parse::<u64>().unwrap() > 0);
    assert!(last.text.contains("too many attempts"));
    node.ledger.close();
}

#[tokio::test]
async fn each_page_opens_for_its_roles_alone() {
    let node = Node::new();
    let table = [
        ("/users", [403, 403, 200, 403]),
        ("/users/1", [403, 403, 200, 403]),
        ("/access", [403, 403, 403, 200]),
        ("/ledger", [403, 200, 200, 200]),
        ("/tokens", [200, 200, 200, 200]),
        ("/account", [200, 200, 200, 200]),
        ("/collections", [403, 200, 200, 200]),
        ("/desk", [403, 403, 200, 200]),
        ("/access/rows.csv", [403, 403, 403, 200]),
    ];
    let roles = [Role::Reader, Role::Supervisor, Role::Administrator, Role::Auditor];
    for (at, role) in roles.into_iter().enumerate() {
        let cookie = node.signed_in(role).await;
        for (path, due) in table {
            assert_eq!(node.get(path, &cookie).await.status.as_u16(), due[at], "{role} at {path}");
        }
    }
    let cookie = node.signed_in(Role::Reader).await;
    let csrf = node.csrf(&cookie).await;
    let form = format!("csrf={csrf}&name=mole&password=quiet+harbour+lanterns&role=administrator");
    assert_eq!(node.post("/users", &cookie, &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(node.post("/users/1", &cookie, &format!("csrf={csrf}&deed=disabled")).await.status, 403);
    assert!(node.get("/users", &cookie).await.text.contains("reader-2"), "the error page keeps the visitor's frame");
    node.ledger.close();
}

#[tokio::test]
async fn no_form_acts_without_its_sessions_token_or_from_another_site() {
    let node = Node::new();
    let cookie = node.signed_in(Role::Administrator).await;
    let others = node.csrf(&node.signed_in(Role::Reader).await).await;
    let forms = [
        "/sign-out",
        "/users",
        "/users/3",
        "/tokens",
        "/tokens/revoke",
        "/account/password",
        "/account/settings",
        "/account/sessions/revoke",
        "/account/second-factor",
        "/account/second-factor/confirm",
        "/account/second-factor/remove",
        "/collections",
        "/collections/4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10",
    ];
    for path in forms {
        for form in [String::new(), "csrf=".into(), format!("csrf={others}")] {
            assert_eq!(node.post(path, &cookie, &form).await.status, StatusCode::FORBIDDEN, "{path} {form}");
        }
    }
    let csrf = node.csrf(&cookie).await;
    for path in ["/sign-out".to_owned(), "/sign-in".into(), node.link(Role::Reader)] {
        let request = Request::post(&path)
            .header(header::COOKIE, &cookie)
            .header("sec-fetch-site", "cross-site")
            .body(Body::from(format!("csrf={csrf}")));
        assert_eq!(node.ask(request.unwrap()).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(node.get("/account", &cookie).await.status, StatusCode::OK, "still signed in");
    let out = node.post("/sign-out", &cookie, &format!("csrf={csrf}")).await;
    assert!(out.header(header::SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(node.get("/account", &cookie).await.status, StatusCode::SEE_OTHER);
    node.ledger.close();
}

#[tokio::test]
async fn a_token_is_shown_once_and_made_once() {
    let node = Node::new();
    let cookie = node.signed_in(Role::Administrator).await;
    let page = node.get("/tokens", &cookie).await;
    let form = format!("csrf={}&once={}&name=feed&role=reader&days=90", page.hidden("csrf"), page.hidden("once"));
    let made = node.post("/tokens", &cookie, &form).await;
    assert_eq!(made.status, StatusCode::OK);
    assert!(made.text.contains("ey_"));
    assert_eq!(node.post("/tokens", &cookie, &form).await.status, StatusCode::CONFLICT);
    let list = node.get("/tokens", &cookie).await;
    assert!(list.text.contains("feed") && !list.text.contains("ey_"));
    let revoke = format!("csrf={}&token={}", page.hidden("csrf"), list.hidden("token"));
    assert_eq!(node.post("/tokens/revoke", &cookie, &revoke).await.status, StatusCode::SEE_OTHER);
    assert!(!node.get("/tokens", &cookie).await.text.contains("name=\"token\""));
    node.ledger.close();
}

#[tokio::test]
async fn an_administrator_adds_a_person_and_never_changes_their_own_role() {
    let node = Node::new();
    let cookie = node.signed_in(Role::Administrator).await;
    let page = node.get("/users", &cookie).await;
    let csrf = page.hidden("csrf");
    let weak = format!("csrf={csrf}&once={}&name=rin&password=short&role=analyst", page.hidden("once"));
    assert_eq!(node.post("/users", &cookie, &weak).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = weak.replace("short", "quiet+harbour+lanterns");
    assert_eq!(node.post("/users", &cookie, &form).await.header(header::LOCATION), "/users?done=added");
    let accounts = node.people.accounts(&node.people.local_viewer().unwrap()).unwrap();
    let rin = accounts.iter().find(|a| a.body.name == "rin").unwrap().number;
    let own = accounts.iter().find(|a| a.body.name == "administrator-1").unwrap().number;
    let theirs = node.post("/sign-in", "", "name=rin&password=quiet+harbour+lanterns").await.cookie();
    for deed in ["role&role=reader", "password&password=other+harbour+lanterns", "disabled"] {
        let answer = node.post(&format!("/users/{rin}"), &cookie, &format!("csrf={csrf}&deed={deed}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{deed}");
        assert_eq!(node.get(answer.header(header::LOCATION), &cookie).await.status, StatusCode::OK);
    }
    assert_eq!(node.get("/account", &theirs).await.status, StatusCode::SEE_OTHER, "their session ended");
    let form = format!("csrf={csrf}&deed=role&role=reader");
    assert_eq!(node.post(&format!("/users/{own}"), &cookie, &form).await.status, StatusCode::FORBIDDEN);
    node.ledger.close();
}

#[tokio::test]
async fn the_access_log_holds_patterns_and_never_what_was_asked_for() {
    let node = Node::new();
    let link = node.link(Role::Analyst);
    let cookie = node.post(&link, "", "").await.cookie();
    node.get("/objects/note--1?q=findme", &cookie).await;
    let rows = node.people.access_log().page(&node.people.local_viewer().unwrap(), None, 10).unwrap();
    let told: Vec<_> = rows.iter().map(|r| (r.method.as_str(), r.route.as_str(), r.status, r.role.as_str())).collect();
    let due = [("GET", "/objects/{id}", 200, "analyst"), ("POST", "/sign-in/link/{secret}", 303, "analyst")];
    assert_eq!(told, due);
    let auditor = node.signed_in(Role::Auditor).await;
    let page = node.get("/access", &auditor).await;
    assert!(page.text.contains("/objects/{id}") && page.text.contains("analyst-1"));
    let secret = link.rsplit('/').next().unwrap();
    assert!(!page.text.contains("findme") && !page.text.contains(secret));
    node.ledger.close();
}

#[tokio::test]
async fn the_row_of_a_sign_in_says_who_came_in_and_of_a_link_which_and_who_issued_it() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    let rin = node.people.add_user(&local, "rin", Role::Administrator, "quiet harbour lanterns").unwrap();
    node.post("/sign-in", "", "name=rin&password=quiet+harbour+lanterns").await;
    node.post("/sign-in", "", "name=rin&password=wrong+wrong+wrong").await;
    let keeper = node.people.viewer(rin).unwrap().unwrap();
    let link = people::NewLink { user: "mei", role: Some(Role::Auditor), minutes: 30 };
    let made = node.people.sign_in_link(&keeper, &link).unwrap();
    let path = format!("/sign-in/link/{}", made.secret);
    node.get(&path, "").await;
    let mei = node.post(&path, "", "").await.cookie();
    node.post("/sign-in/link/ei_none", "", "").await;
    let mut rows = node.people.access_log().page(&local, None, 10).unwrap();
    rows.reverse();
    let told: Vec<_> = rows.iter().map(|r| (r.account, r.status, r.ids.clone())).collect();
    let about = format!("{} {}", made.id, people::account_id(rin));
    let due = [
        (rin, 303, String::new()),
        (0, 401, String::new()),
        (0, 200, about.clone()),
        (made.account, 303, about),
        (0, 410, String::new()),
    ];
    assert_eq!(told, due);
    assert!(!format!("{rows:?}").contains(&made.secret));
    assert!(rows.iter().all(|row| row.objects == 0), "neither a link nor an account is an object: {rows:?}");
    let page = node.get("/access", &mei).await;
    assert!(page.text.contains(&made.id) && page.text.contains("issued by rin"), "{}", page.text);
    let found = node.get(&format!("/access?about={}", made.id), &mei).await;
    assert_eq!(found.text.matches("/sign-in/link/{secret}").count(), 2, "who looked at it and who used it");
    node.ledger.close();
}

#[tokio::test]
async fn a_link_for_somebody_with_a_second_factor_asks_for_its_code() {
    let node = Node::new();
    let local = node.people.local_viewer().unwrap();
    node.people.add_user(&local, "rin", Role::Reader, "quiet harbour lanterns").unwrap();
    let cookie = node.post("/sign-in", "", "name=rin&password=quiet+harbour+lanterns").await.cookie();
    let form = format!("csrf={}", node.csrf(&cookie).await);
    let enrol = node.post("/account/second-factor", &cookie, &form).await;
    let secret = enrol.text.split_once("secret=").unwrap().1.split(['&', '"']).next().unwrap().to_owned();
    let code = |later: i64| {
        let secret = totp_rs::Secret::try_from_base32(&secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        totp.generate(u64::try_from(node.ledger.now() / 1_000_000 + later).unwrap()).to_string()
    };
    let confirm = format!("{form}&code={}", code(-30));
    let codes = node.post("/account/second-factor/confirm", &cookie, &confirm).await;
    assert_eq!(codes.status, StatusCode::OK);
    let link = people::NewLink { user: "rin", role: None, minutes: 30 };
    let path = format!("/sign-in/link/{}", node.people.sign_in_link(&local, &link).unwrap().secret);
    assert!(node.get(&path, "").await.text.contains("name=\"code\""), "it is asked for at once");
    for (form, says) in [("", "The link is not used up"), ("code=000000", "That code is not right")] {
        let answer = node.post(&path, "", form).await;
        assert_eq!((answer.status, answer.header(header::SET_COOKIE)), (StatusCode::UNAUTHORIZED, ""), "{form}");
        assert!(answer.text.contains(says) && answer.text.contains("name=\"code\""), "{form}");
    }
    let came = node.post(&path, "", &format!("code={}", code(0))).await;
    assert_eq!((came.status, came.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(node.post(&path, "", &format!("code={}", code(30))).await.status, StatusCode::GONE);
    node.ledger.close();
}

#[tokio::test]
async fn a_national_number_finds_what_was_asked_for_in_its_international_form() {
    let node = Node::new();
    let row = people::Access { route: "/selectors", query: Some("+66812345678"), ..Default::default() };
    node.people.access_log().record(&row).unwrap();
    let auditor = node.signed_in(Role::Auditor).await;
    let form = format!("csrf={}&about=081+234+5678", node.csrf(&auditor).await);
    let answer = node.post("/access", &auditor, &form).await;
    let found = node.get(answer.header(header::LOCATION), &auditor).await;
    assert!(found.text.contains("<code> /selectors</code>"), "the node's country is TH");
    node.ledger.close();
}

#[tokio::test]
async fn who_came_in_with_a_link_sets_a_password_of_their_own() {
    let node = Node::new();
    let cookie = node.signed_in(Role::Reader).await;
    assert!(!node.get("/account", &cookie).await.text.contains("name=\"old\""));
    let csrf = node.csrf(&cookie).await;
    let form = format!("csrf={csrf}&new=quiet+harbour+lanterns");
    assert_eq!(node.post("/account/password", &cookie, &form).await.status, StatusCode::SEE_OTHER);
    let answer = node.post("/sign-in", "", "name=reader-1&password=quiet+harbour+lanterns").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(node.get("/account", &cookie).await.text.contains("name=\"old\""));
    assert_eq!(node.post("/account/password", &cookie, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    node.ledger.close();
}

#[tokio::test]
async fn every_string_of_every_page_exists_and_none_stands_in_a_template() {
    let node = Node::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let mut looked_at = 0;
    for folder in ["templates", "src", "src/access", "src/collections", "src/desk"] {
        for file in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(node.catalogue.unknown_in(&text), Vec::<String>::new(), "{}", path.display());
            if folder == "templates" {
                assert_eq!(web::i18n::bare_words(&text), Vec::<String>::new(), "{}", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 10);
    node.ledger.tick().unwrap();
    let admin = node.signed_in(Role::Administrator).await;
    let auditor = node.signed_in(Role::Auditor).await;
    for (path, cookie) in [
        ("/sign-in", ""),
        ("/account", &*admin),
        ("/users", &*admin),
        ("/users/1", &*admin),
        ("/users/3", &*admin),
        ("/users/4", &*admin),
        ("/tokens", &*admin),
        ("/ledger", &*admin),
        ("/access", &*auditor),
        ("/access?account=0&kind=sign-in&outcome=answered&method=POST&since=2026-01-01&until=2026-12-31", &*auditor),
        ("/desk", &*auditor),
        ("/desk", &*admin),
        ("/collections", &*auditor),
        ("/collections", &*admin),
        ("/collections/4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10?account=3", &*admin),
        ("/users?factor=none", &*admin),
        ("/tokens?ends=soon", &*admin),
        ("/account?done=password", &*admin),
    ] {
        assert_eq!(node.get(path, cookie).await.status, StatusCode::OK, "{path}");
    }
    let form = format!("csrf={}", node.csrf(&admin).await);
    let enrol = node.post("/account/second-factor", &admin, &form).await;
    assert!(enrol.text.contains("otpauth://"));
    let wrong = node.post("/account/second-factor/confirm", &admin, &format!("{form}&code=000000x")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!wrong.text.contains("otpauth://"), "the secret is shown once");
    assert_eq!(node.catalogue.missing(), Vec::<String>::new());
    node.ledger.close();
}
