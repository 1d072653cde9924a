use crate::{Door, House, PAGES, Refusal, Routes, Tallies, cookie};
use axum::Extension;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use ledger::Ledger;
use people::{AuthHeader, People, Viewer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use web::{Chrome, Fields, Hall, Problem};

/// Puts a visitor's name, role and navigation around their page; the last is the page's path.
pub type Frame = fn(&mut Chrome, &Viewer, &str);

/// The gate of one node. Cloning is cheap.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    ledger: Ledger,
    people: People,
    hall: Hall,
    frame: Frame,
    tls: bool,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// The gate of a node that is served over plain HTTP on loopback, with pages without navigation: see
    /// [`Gate::over_tls`] and [`Gate::framed`].
    #[must_use]
    pub fn new(ledger: &Ledger, people: &People, hall: Hall) -> Self {
        let (ledger, people) = (ledger.clone(), people.clone());
        Self(Arc::new(Inner { ledger, people, hall, frame: |_, _, _| {}, tls: false }))
    }

    /// Says whether browsers come over TLS: then the session's cookie is `Secure` and its name begins with `__Host-`.
    #[must_use]
    pub fn over_tls(self, tls: bool) -> Self {
        Self(Arc::new(Inner { tls, ..(*self.0).clone() }))
    }

    /// With what stands around a visitor's page.
    #[must_use]
    pub fn framed(self, frame: Frame) -> Self {
        Self(Arc::new(Inner { frame, ..(*self.0).clone() }))
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Who is who.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.0.people
    }

    /// What error pages need.
    #[must_use]
    pub fn hall(&self) -> &Hall {
        &self.0.hall
    }

    /// Opens the routes: what a server serves.
    #[must_use]
    pub fn open(&self, routes: Routes) -> House {
        let (router, table, tallies) = routes.behind();
        let router = router.fallback(nowhere).layer(Extension(self.clone())).layer(Extension(tallies));
        House::new(web::secured(router, self.0.hall.clone()), table)
    }

    /// The frame of whoever opened an address that is none, by their session alone: no password is tried there.
    async fn chrome_of_session(&self, parts: &Parts) -> Option<Chrome> {
        let cookie = parts.headers.get(header::COOKIE)?.clone();
        let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
        let viewer = self.who(&headers, Self::peer(parts), &PAGES).await.ok()?;
        Some(self.chrome_for(parts, &viewer))
    }

    /// `Set-Cookie` for a session of `max_age` seconds.
    #[must_use]
    pub fn cookie(&self, value: &str, max_age: u64) -> Option<HeaderValue> {
        cookie::set(self.0.tls, value, max_age)
    }

    /// `Set-Cookie` that removes it.
    #[must_use]
    pub fn no_cookie(&self) -> Option<HeaderValue> {
        self.cookie("", 0)
    }

    /// Where a request comes from. The server gives it to every connection; loopback stands in where there is none.
    #[must_use]
    pub fn peer(parts: &Parts) -> IpAddr {
        parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(Ipv4Addr::LOCALHOST.into(), |info| info.0.ip())
    }

    /// The frame for whoever asks; `?lang=` shows a page once in another language.
    #[must_use]
    pub fn chrome(&self, parts: &Parts) -> Chrome {
        let mut chrome = self.hall().chrome(parts);
        if let Some(lang) = lang(parts) {
            chrome.l = self.hall().catalogue.locale(&lang);
        }
        chrome
    }

    /// The frame of a visitor's page.
    pub(crate) fn chrome_for(&self, parts: &Parts, viewer: &Viewer) -> Chrome {
        let mut chrome = self.chrome(parts);
        if !viewer.locale().is_empty() && lang(parts).is_none() {
            chrome.l = self.hall().catalogue.locale(viewer.locale());
        }
        chrome.csrf = self.people().csrf(viewer).unwrap_or_default();
        chrome.zone = web::when::zone(viewer.zone());
        // How much is under way tells how much comes in where the viewer sees nothing.
        (self.0.frame)(&mut chrome, viewer, parts.uri.path());
        chrome
    }

    /// Who asks: at once where no password has to be hashed and no view waited for, else on a blocking thread.
    pub(crate) async fn who(&self, headers: &HeaderMap, peer: IpAddr, door: &Door) -> Result<Viewer, Refusal> {
        let authorization = headers.get(header::AUTHORIZATION).map(|v| v.to_str().unwrap_or_default().to_owned());
        let cookie = if door.cookie { cookie::sent(self.0.tls, headers) } else { None };
        let asks = AuthHeader { authorization: authorization.as_deref(), cookie: cookie.as_deref(), peer };
        let found = match self.people().quick(&asks) {
            Some(found) => found,
            None => {
                let people = self.people().clone();
                let work = move || {
                    let asks = AuthHeader { authorization: authorization.as_deref(), cookie: cookie.as_deref(), peer };
                    people.authenticate(&asks)
                };
                tokio::task::spawn_blocking(work).await.map_err(|error| {
                    tracing::error!(%error, "a request's work ended badly");
                    Refusal::Broken
                })?
            }
        };
        found?.ok_or(Refusal::SignIn { ended: false })
    }
}

/// An address that is none: whoever is signed in keeps their navigation.
async fn nowhere(
    Extension(gate): Extension<Gate>,
    Extension(tallies): Extension<Tallies>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (parts, _) = request.into_parts();
    let mut response = Problem::not_found().into_response();
    if let Some(chrome) = gate.chrome_of_session(&parts).await {
        response.extensions_mut().insert(chrome);
    }
    tallies.nowhere().note(response.status().as_u16(), began.elapsed());
    response
}

fn lang(parts: &Parts) -> Option<String> {
    let query = Fields::parse(parts.uri.query()?.as_bytes()).ok()?;
    Some(query.text("lang").to_owned()).filter(|lang| !lang.is_empty())
}
