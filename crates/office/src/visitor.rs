//! Who asks, and what stands around their page.
use crate::office::{blocking, refused};
use crate::{Office, cookie, nav};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use people::{AuthError, AuthHeader, Credential, Viewer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use web::{Chrome, Fields, Problem, UserChip};

/// Somebody who has signed in, with the frame of their page. As an extractor it sends browsers without a session to
/// `/sign-in?next=PATH` (the path alone: what was searched for stays out of addresses), and answers others 401.
#[derive(Clone)]
pub struct Visitor {
    /// What they see and may do.
    pub viewer: Viewer,
    /// The frame: name, navigation, CSRF token, zone and language are filled in; the title is not.
    pub chrome: Chrome,
    pub(crate) office: Office,
    /// The token in the header that htmx sends.
    header: Option<String>,
}

impl Visitor {
    /// That a form is from this very session. Ask before acting on any POST.
    ///
    /// # Errors
    /// 403 when its token is absent or another session's.
    pub fn check_csrf(&self, fields: &Fields) -> Result<(), Problem> {
        let given = self.header.as_deref().or_else(|| fields.raw(web::csrf::FIELD));
        if self.office.people().csrf_is_right(&self.viewer, given) {
            return Ok(());
        }
        Err(web::csrf::CsrfError::Token.into())
    }

    /// The same visitor, their page titled by a Fluent key.
    #[must_use]
    pub fn titled(mut self, key: &str) -> Self {
        self.chrome.title = self.chrome.t(key);
        self
    }
}

/// Where a request comes from. The server gives it to every connection; loopback stands in where there is none.
pub(crate) fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(Ipv4Addr::LOCALHOST.into(), |info| info.0.ip())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// A browser that opens a page, not a script's or a program's request.
fn opens_a_page(parts: &Parts) -> bool {
    let html = text(&parts.headers, header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    parts.method == Method::GET && html && !web::wants_partial(&parts.headers)
}

/// To the sign-in, and back to the page afterwards; a cookie that opens nothing any more is removed.
fn sign_in_first(office: &Office, parts: &Parts, ended: bool) -> Response {
    let mut response = if opens_a_page(parts) {
        let path = parts.uri.path();
        let next = utf8_percent_encode(path, NON_ALPHANUMERIC);
        web::see_other(&if path == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={next}") })
    } else {
        Problem::of(StatusCode::UNAUTHORIZED).into_response()
    };
    if let (true, Some(clear)) = (ended, cookie::clear(office)) {
        response.headers_mut().append(header::SET_COOKIE, clear);
    }
    response
}

/// The hall's refusal of credentials, other than "sign in".
pub(crate) fn not_let_in(error: &AuthError) -> Response {
    let mut response = match error {
        AuthError::People(error) => refused(error),
        other => Problem::of(StatusCode::from_u16(other.status()).unwrap_or(StatusCode::UNAUTHORIZED)),
    }
    .into_response();
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

async fn viewer(office: &Office, parts: &Parts) -> Result<Viewer, Response> {
    let authorization = text(&parts.headers, header::AUTHORIZATION).map(str::to_owned);
    let (cookie, peer) = (cookie::sent(office, &parts.headers), peer(parts));
    let asks = AuthHeader { authorization: authorization.as_deref(), cookie: cookie.as_deref(), peer };
    let answer = match office.people().quick(&asks) {
        Some(answer) => answer,
        None => {
            let (people, authorization, cookie) = (office.people().clone(), authorization.clone(), cookie.clone());
            let asked = blocking(move || {
                let asks = AuthHeader { authorization: authorization.as_deref(), cookie: cookie.as_deref(), peer };
                people.authenticate(&asks)
            });
            asked.await.map_err(IntoResponse::into_response)?
        }
    };
    match answer {
        Ok(Some(viewer)) => Ok(viewer),
        Ok(None) => Err(sign_in_first(office, parts, false)),
        Err(AuthError::Ended) => Err(sign_in_first(office, parts, true)),
        Err(error) => Err(not_let_in(&error)),
    }
}

/// The frame for whoever asks; `?lang=` shows a page once in another language.
pub(crate) fn chrome(office: &Office, parts: &Parts) -> Chrome {
    let mut chrome = office.hall().chrome(parts);
    let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    if !query.text("lang").is_empty() {
        chrome.l = office.hall().catalogue.locale(query.text("lang"));
    }
    chrome
}

fn chrome_for(office: &Office, parts: &Parts, viewer: &Viewer) -> Chrome {
    let mut chrome = chrome(office, parts);
    let asked = parts.uri.query().is_some_and(|q| q.split('&').any(|pair| pair.starts_with("lang=")));
    if !viewer.locale().is_empty() && !asked {
        chrome.l = office.hall().catalogue.locale(viewer.locale());
    }
    let role = chrome.t(&format!("office-role-{}", viewer.role()));
    chrome.user = Some(UserChip { name: viewer.name().to_owned(), role });
    chrome.nav = nav::nav(viewer, parts.uri.path());
    chrome.csrf = office.people().csrf(viewer).unwrap_or_default();
    chrome.zone = web::when::zone(viewer.zone());
    chrome
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let Some(office) = parts.extensions.get::<Office>().cloned() else {
            tracing::error!("a page asked for its visitor outside of office::layer");
            return Err(Problem::internal().into_response());
        };
        let viewer = viewer(&office, parts).await?;
        if !parts.method.is_safe() && matches!(viewer.via(), Credential::Session(_)) {
            web::csrf::same_site(&parts.headers).map_err(|e| Problem::from(e).into_response())?;
        }
        let chrome = chrome_for(&office, parts, &viewer);
        let header = parts.headers.get(web::csrf::HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let visitor = Self { viewer, chrome, office, header };
        crate::attend::note(parts, &visitor);
        parts.extensions.insert(visitor.clone());
        Ok(visitor)
    }
}
