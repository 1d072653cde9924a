//! Signing in and out, and the session around every page. Rules: the sign-in pages are anybody's, throttled by the hall;
//! every page behind [`signed_in`] wants a session; a form brings its session's CSRF token back.
use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use intel::http::Visitor;
use people::{Access, AuthError, AuthHeader, People, Role, SignIn, SignedIn, Viewer};
use std::net::SocketAddr;
use web::{Chrome, Field, Fields, Hall, NavItem, Problem, UserChip};

/// English strings.
pub const FTL: &str = include_str!("../i18n/en/office.ftl");
/// The session cookie. It has no `__Host-` name, for a node on loopback has no TLS.
const COOKIE: &str = "eye";

/// What the office needs.
#[derive(Clone)]
pub struct Office {
    people: People,
    hall: Hall,
}

impl Office {
    /// An office of this node.
    pub fn new(people: People, hall: Hall) -> Self {
        Self { people, hall }
    }
}

#[derive(askama::Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    chrome: Chrome,
    fields: Vec<Field>,
    refused: String,
    link: bool,
}

/// The office's own pages.
pub fn router(office: Office) -> Router {
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-in/link/{secret}", get(link_form).post(sign_in_with_link))
        .route("/sign-out", post(sign_out))
        .with_state(office)
}

/// Puts the session around pages: without one a reader is led to sign-in, a form is refused.
pub fn signed_in(pages: Router, office: Office) -> Router {
    pages.layer(from_fn_with_state(office, session))
}

async fn session(State(office): State<Office>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let viewer = match who(&office, &parts.headers, peer(&parts.extensions)).await {
        Ok(Some(viewer)) => viewer,
        Ok(None) if parts.method == Method::GET => return web::see_other("/sign-in"),
        Ok(None) => return Problem::of(StatusCode::UNAUTHORIZED).into_response(),
        Err(problem) => return problem.into_response(),
    };
    let mut chrome = office.hall.chrome(&parts);
    chrome.csrf = office.people.csrf(&viewer).unwrap_or_default();
    chrome.user = Some(UserChip { name: viewer.name().into(), role: chrome.t(role_key(viewer.role())) });
    chrome.nav = navigation(parts.uri.path()).into();
    let route = parts.extensions.get::<MatchedPath>().map_or_else(String::new, |m| m.as_str().to_owned());
    let method = parts.method.clone();
    parts.extensions.insert(Visitor { viewer: viewer.clone(), chrome: chrome.clone() });
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.extensions_mut().insert(chrome);
    office.people.access_log().record(&Access {
        viewer: Some(&viewer),
        method: method.as_str(),
        route: &route,
        status: response.status().as_u16(),
        ..Access::default()
    });
    response
}

fn navigation(path: &str) -> Vec<NavItem> {
    let places = [
        ("office-nav-overview", "/"),
        ("office-nav-search", "/search"),
        ("office-nav-report", "/report"),
        ("office-nav-import", "/import"),
        ("office-nav-feeds", "/feeds"),
    ];
    let item = |(key, href): (&'static str, &str)| NavItem { key, href: href.into(), current: path == href };
    places.into_iter().map(item).collect()
}

fn role_key(role: Role) -> &'static str {
    match role {
        Role::Reader => "office-role-reader",
        Role::Analyst => "office-role-analyst",
        Role::Supervisor => "office-role-supervisor",
        Role::Administrator => "office-role-administrator",
        Role::Auditor => "office-role-auditor",
        _ => "office-role-other",
    }
}

fn peer(extensions: &axum::http::Extensions) -> std::net::IpAddr {
    let loopback = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    extensions.get::<ConnectInfo<SocketAddr>>().map_or(loopback, |c| c.0.ip())
}

/// Whoever the cookie says, if it still holds. Pages take no other credential.
async fn who(office: &Office, headers: &HeaderMap, peer: std::net::IpAddr) -> Result<Option<Viewer>, Problem> {
    let cookies = headers.get(header::COOKIE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let Some(cookie) = named(cookies).map(str::to_owned) else { return Ok(None) };
    let people = office.people.clone();
    let asked = tokio::task::spawn_blocking(move || {
        people.authenticate(&AuthHeader { authorization: None, cookie: Some(&cookie), peer })
    });
    match asked.await {
        Ok(Ok(viewer)) => Ok(viewer),
        Ok(Err(e)) if e.status() == 401 => Ok(None),
        Ok(Err(e)) => Err(Problem::of(StatusCode::from_u16(e.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE))),
        Err(_) => Err(Problem::of(StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

fn named(cookies: &str) -> Option<&str> {
    cookies
        .split(';')
        .filter_map(|c| c.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn fields(chrome: &Chrome) -> Vec<Field> {
    vec![
        Field::input("name", chrome.t("office-name")),
        Field::password("password", chrome.t("office-password"), "current-password"),
        Field::input("code", chrome.t("office-code")).hint(chrome.t("office-code-hint")),
    ]
}

fn page(chrome: Chrome, link: bool, refused: &str, status: StatusCode) -> Response {
    let fields = if link { Vec::new() } else { fields(&chrome) };
    let title = chrome.t(if link { "office-link" } else { "office-sign-in" });
    let refused = if refused.is_empty() { String::new() } else { chrome.t(refused) };
    web::page_with(status, &SignInPage { chrome: chrome.titled(title), fields, refused, link })
}

async fn form(State(office): State<Office>, request: Request) -> Response {
    page(office.hall.chrome(&request.into_parts().0), false, "", StatusCode::OK)
}

async fn link_form(State(office): State<Office>, request: Request) -> Response {
    page(office.hall.chrome(&request.into_parts().0), true, "", StatusCode::OK)
}

/// A sign-in form of another site would sign a reader in as somebody else.
fn foreign(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|v| v == "cross-site")
}

async fn sign_in(
    State(office): State<Office>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: axum::http::Uri,
    sent: Fields,
) -> Response {
    let chrome = office.hall.chrome_of(&headers, uri.path(), "");
    let (name, password, code) = (
        sent.text("name").to_owned(),
        sent.raw("password").unwrap_or_default().to_owned(),
        sent.text("code").to_owned(),
    );
    let agent = agent(&headers);
    finish(&office, chrome, false, &headers, move |people| {
        let code = Some(code.as_str()).filter(|c| !c.is_empty());
        people.sign_in(&SignIn { name: &name, password: &password, code, peer: peer.ip(), agent: &agent })
    })
    .await
}

async fn sign_in_with_link(
    State(office): State<Office>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    uri: axum::http::Uri,
) -> Response {
    let chrome = office.hall.chrome_of(&headers, uri.path(), "");
    let agent = agent(&headers);
    finish(&office, chrome, true, &headers, move |people| people.sign_in_with_link(&secret, peer.ip(), &agent)).await
}

fn agent(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

async fn finish(
    office: &Office,
    chrome: Chrome,
    link: bool,
    headers: &HeaderMap,
    f: impl FnOnce(&People) -> Result<SignedIn, AuthError> + Send + 'static,
) -> Response {
    if foreign(headers) {
        return Problem::of(StatusCode::FORBIDDEN).into_response();
    }
    let people = office.people.clone();
    match tokio::task::spawn_blocking(move || f(&people)).await {
        Ok(Ok(signed)) => {
            let cookie =
                format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}", signed.cookie, signed.max_age);
            with_cookie(web::see_other("/"), &cookie)
        }
        Ok(Err(e)) if e.status() == 429 => page(chrome, link, "office-later", StatusCode::TOO_MANY_REQUESTS),
        Ok(Err(_)) => page(chrome, link, "office-refused", StatusCode::UNAUTHORIZED),
        Err(_) => Problem::of(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

async fn sign_out(
    State(office): State<Office>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Fields,
) -> Response {
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    match who(&office, &headers, peer.ip()).await {
        Ok(Some(viewer)) => {
            if !office.people.csrf_is_right(&viewer, sent.raw("csrf")) {
                return Problem::of(StatusCode::FORBIDDEN).into_response();
            }
            let people = office.people.clone();
            match tokio::task::spawn_blocking(move || people.sign_out(&viewer)).await {
                Ok(Ok(())) => with_cookie(web::see_other("/sign-in"), &gone),
                _ => Problem::of(StatusCode::SERVICE_UNAVAILABLE).into_response(),
            }
        }
        Ok(None) => with_cookie(web::see_other("/sign-in"), &gone),
        Err(problem) => problem.into_response(),
    }
}
