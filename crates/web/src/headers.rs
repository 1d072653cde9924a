//! What every answer of the node says to the browser, and the one place where problems become pages.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};

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
/// their [`Chrome`] and so into every `<script nonce>`.
#[derive(Debug, Clone)]
pub struct Nonce(pub String);

impl Hall {
    /// The chrome of a page for whoever asks, before it is known who that is: language, colours, nonce,
    /// path. Sessions add the user, navigation and CSRF token.
    #[must_use]
    pub fn chrome(&self, parts: &http::request::Parts) -> Chrome {
        let nonce = parts.extensions.get::<Nonce>().map(|n| n.0.clone()).unwrap_or_default();
        self.chrome_of(&parts.headers, parts.uri.path_and_query().map_or("/", |p| p.as_str()), &nonce)
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
    let mut random = [0_u8; 18];
    if getrandom::fill(&mut random).is_err() {
        // Without randomness there is no nonce, no token and no session: nothing may be served.
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let nonce = URL_SAFE_NO_PAD.encode(random);
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let wants = wants(request.headers());
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), |p| p.as_str().to_owned());
    let ask = pick(request.headers(), &[header::COOKIE, header::ACCEPT_LANGUAGE]);
    let mut response = next.run(request).await;
    if let Some(problem) = problem_in(&response) {
        let chrome = response.extensions_mut().remove::<Chrome>();
        let chrome = chrome.unwrap_or_else(|| hall.chrome_of(&ask, &path, &nonce));
        response = retold(&problem, response, wants, chrome);
    }
    protect(response.headers_mut(), &nonce, hall.tls);
    response
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

fn protect(headers: &mut HeaderMap, nonce: &str, tls: bool) {
    if tls {
        // RFC 6797, section 7.2: never over plain HTTP. Subdomains are the agency's own affair.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            http::HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
        ),
        (http::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (http::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // Pages hold case data: neither the browser's disk nor a proxy keeps them. Assets set their own.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
