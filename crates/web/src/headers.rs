//! What every answer of the node says to the browser, and the one place where problems become pages.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use std::sync::{Arc, OnceLock};

use crate::{
    chrome::{Chrome, Theme, cookie},
    i18n::Catalogue,
    problem::Problem,
};

/// What the hall must know of the node to draw a page that no room draws: the error page.
#[derive(Clone)]
pub struct Hall {
    /// All strings.
    pub catalogue: Catalogue,
    /// What the agency calls this node.
    pub node_name: String,
    /// Whether the node is an exercise.
    pub exercise: bool,
    /// Whether browsers reach the node over TLS alone: then every answer says so for a year (RFC 6797).
    pub tls: bool,
}

/// The nonce of this answer's Content-Security-Policy, in the request's extensions: handlers put it into
/// their [`Chrome`] and so into every `<script nonce>`. It is drawn when a page first asks; a machine's answer has none.
#[derive(Debug, Clone, Default)]
pub struct Nonce(Arc<OnceLock<String>>);

impl Nonce {
    /// The nonce, 18 random bytes; empty where there is no randomness, and then no script of the page runs.
    pub fn text(&self) -> &str {
        self.0.get_or_init(|| {
            let mut random = [0_u8; 18];
            getrandom::fill(&mut random).map_or_else(|_| String::new(), |()| URL_SAFE_NO_PAD.encode(random))
        })
    }
}

impl Hall {
    /// The chrome of a page for whoever asks, before it is known who that is: language, colours, nonce,
    /// path. Sessions add the user, navigation and CSRF token.
    #[must_use]
    pub fn chrome(&self, parts: &http::request::Parts) -> Chrome {
        let nonce = parts.extensions.get::<Nonce>().map_or("", Nonce::text);
        self.chrome_of(&parts.headers, path_of(&parts.uri), nonce)
    }

    /// [`Hall::chrome`] from its three ingredients.
    #[must_use]
    pub fn chrome_of(&self, headers: &HeaderMap, path: &str, nonce: &str) -> Chrome {
        let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        let cookies = text(header::COOKIE).unwrap_or_default();
        let l = self.catalogue.negotiate(cookie(cookies, "lang"), text(header::ACCEPT_LANGUAGE));
        Chrome {
            exercise: self.exercise,
            node_name: self.node_name.clone(),
            path: path.to_owned(),
            theme: Theme::from_cookies(cookies),
            from_here: headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
            ..Chrome::bare("", l, nonce)
        }
    }
}

/// Wraps the node's router: nonce in, security headers out, problems drawn as the asker can read them.
/// The outermost layer but for compression and tracing.
pub fn secured<S: Clone + Send + Sync + 'static>(router: Router<S>, hall: Hall) -> Router<S> {
    router.layer(from_fn_with_state(hall, secure))
}

/// How the asker wants errors told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    Page,
    Partial,
    Json,
}

async fn secure(State(hall): State<Hall>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::default();
    request.extensions_mut().insert(nonce.clone());
    let wants = wants(request.headers());
    let uri = request.uri().clone();
    let ask = pick(request.headers(), &[header::COOKIE, header::ACCEPT_LANGUAGE]);
    let mut response = next.run(request).await;
    if let Some(problem) = problem_in(&response) {
        let chrome = response.extensions_mut().remove::<Chrome>();
        let chrome = chrome.unwrap_or_else(|| hall.chrome_of(&ask, path_of(&uri), nonce.text()));
        response = retold(&problem, response, wants, chrome);
    }
    protect(response.headers_mut(), &nonce, hall.tls);
    response
}

fn path_of(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |p| p.as_str())
}

fn pick(headers: &HeaderMap, names: &[http::HeaderName]) -> HeaderMap {
    names.iter().filter_map(|n| headers.get(n).map(|v| (n.clone(), v.clone()))).collect()
}

fn wants(headers: &HeaderMap) -> Wants {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let html = accept.find("text/html");
    let json = accept.find("json");
    match (html, json) {
        _ if crate::wants_partial(headers) => Wants::Partial,
        (Some(h), Some(j)) if j < h => Wants::Json,
        (Some(_), _) => Wants::Page,
        _ => Wants::Json,
    }
}

/// A problem told by a handler, or one made of the bare text that axum itself answers with (no such route,
/// unreadable path or query, body too large). Answers with a type of their own (TAXII, streams) stay.
fn problem_in(response: &Response) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let bare = kind.is_none_or(|k| k.as_bytes().starts_with(b"text/plain"));
    ((status.is_client_error() || status.is_server_error()) && bare).then(|| Problem::of(status))
}

fn retold(problem: &Problem, old: Response, wants: Wants, chrome: Chrome) -> Response {
    let mut new = match wants {
        Wants::Page => problem.page(chrome),
        Wants::Partial => problem.partial(chrome),
        Wants::Json => problem.json(&chrome.l),
    };
    // What the handler set beside the body (WWW-Authenticate, Retry-After, Allow, Set-Cookie) is kept.
    for (name, value) in old.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    new
}

/// What a page may load and do.
fn policy(nonce: &Nonce) -> Option<HeaderValue> {
    let nonce = match nonce.text() {
        "" => String::new(),
        drawn => format!(" 'nonce-{drawn}'"),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'{nonce}; style-src 'self'{nonce}; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

/// An answer that is no page loads nothing and stands in no frame, wherever it is opened (OWASP, REST Security, "Security
/// Headers").
const NO_PAGE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

/// What every answer says.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    // Answers hold case data: neither the browser's disk nor a proxy keeps them. Assets set their own.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// What every page says besides.
const PAGE: [(HeaderName, HeaderValue); 3] = [
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

fn protect(headers: &mut HeaderMap, nonce: &Nonce, tls: bool) {
    if tls {
        // RFC 6797, section 7.2: never over plain HTTP. Subdomains are the agency's own affair.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    // What names no type may be taken for a page.
    let page = kind.is_none_or(|kind| kind.starts_with(b"text/html"));
    let policy = if page { policy(nonce) } else { Some(NO_PAGE) };
    if let Some(policy) = policy {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    let besides = if page { &PAGE[..] } else { &[] };
    for (name, value) in ALWAYS.iter().chain(besides) {
        headers.entry(name.clone()).or_insert_with(|| value.clone());
    }
}
