//! Before each handler: who asks, may they, is the form theirs. After it: a row in the access log.
use crate::hourly::Hourly;
use crate::tally::Tally;
use crate::{About, Door, Gate, Logged, Refusal, Rule};
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, header};
use people::{Access, Credential, Viewer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Instant;
use web::csrf::CsrfError;
use web::{Fields, Problem};

/// Bytes of a form without a file at most: what axum's own extractors take.
const FORM: usize = 2 << 20;

/// Who looks for a form's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The gate: the whole form is read before the handler runs.
    Whole,
    /// The handler: the form holds a file.
    Handler,
}

/// What stands before one handler.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) door: &'static Door,
    pub(crate) path: &'static str,
    pub(crate) rule: Rule,
    pub(crate) form: Form,
    pub(crate) tally: Arc<Tally>,
    pub(crate) hourly: Arc<Hourly>,
}

/// The layer around each handler.
pub(crate) async fn pass(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let response = answer(&guard, request, next).await;
    guard.tally.note(response.status().as_u16(), began.elapsed());
    response
}

async fn answer(guard: &Guard, request: Request, next: Next) -> Response {
    let Some(gate) = request.extensions().get::<Gate>().cloned() else {
        tracing::error!("a route was served outside of its gate");
        return Problem::internal().into_response();
    };
    let (mut parts, body) = request.into_parts();
    let (about, method) = (About::default(), parts.method.clone());
    name_path(&mut parts, &about).await;
    let viewer = match guard.rule {
        Rule::Open => Ok(None),
        _ => gate.who(&parts.headers, Gate::peer(&parts), guard.door).await.map(Some),
    };
    let (viewer, admitted) = match viewer {
        Ok(viewer) => {
            let admitted = match guard.can_record(&gate) {
                Ok(()) => guard.admit(&gate, &parts, viewer.as_ref(), body).await,
                Err(refusal) => Err(refusal),
            };
            (viewer, admitted)
        }
        Err(refusal) => (None, Err(refusal)),
    };
    let mut response = match admitted {
        Ok(body) => {
            parts.extensions.insert(about.clone());
            if let Some(viewer) = &viewer {
                parts.extensions.insert(viewer.clone());
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refusal) => {
            about.said().chrome = viewer.as_ref().map(|viewer| gate.chrome_for(&parts, viewer));
            guard.refuse(&gate, &parts, &refusal)
        }
    };
    if let Err(refusal) = guard.record(&gate, viewer.as_ref(), &method, &response, &about)
        && method.is_safe()
    {
        response = (guard.door.tell)(&refusal);
    }
    // The page of an error keeps the visitor's navigation.
    if let (true, Some(chrome)) = (response.extensions().get::<Problem>().is_some(), about.said().chrome.take()) {
        response.extensions_mut().insert(chrome);
    }
    response
}

/// Objects that the address names are in the log, whatever the answer is.
async fn name_path(parts: &mut Parts, about: &About) {
    if let Ok(params) = RawPathParams::from_request_parts(parts, &()).await {
        about.objects(params.iter().map(|(_, value)| value).filter(|value| stix::StixId::parse(value).is_ok()));
    }
}

impl Guard {
    /// Checks rule and form; the answer is the body that the handler reads.
    async fn admit(&self, gate: &Gate, parts: &Parts, viewer: Option<&Viewer>, body: Body) -> Result<Body, Refusal> {
        if let (Rule::Needs(right), Some(viewer)) = (self.rule, viewer)
            && !viewer.may(right)
        {
            return Err(Refusal::Forbidden(right));
        }
        if !self.door.pages || parts.method.is_safe() {
            return Ok(body);
        }
        web::csrf::same_site(&parts.headers).map_err(Refusal::Form)?;
        let Some(viewer) = viewer else { return Ok(body) };
        // A browser sends a password by itself, so no form counts with it; none is read.
        if matches!(viewer.via(), Credential::Password(_)) {
            return Err(Refusal::Form(CsrfError::Token));
        }
        if self.form == Form::Handler {
            return Ok(body);
        }
        let header = parts.headers.get(web::csrf::HEADER).and_then(|v| v.to_str().ok());
        if gate.people().csrf_is_right(viewer, header) {
            return Ok(body);
        }
        if header.is_some() {
            return Err(Refusal::Form(CsrfError::Token));
        }
        let body = to_bytes(body, FORM).await.map_err(|_| Refusal::TooLarge)?;
        let fields = Fields::parse(&body).map_err(|_| Refusal::TooLarge)?;
        if !gate.people().csrf_is_right(viewer, fields.raw(web::csrf::FIELD)) {
            return Err(Refusal::Form(CsrfError::Token));
        }
        Ok(Body::from(body))
    }

    fn refuse(&self, gate: &Gate, parts: &Parts, refusal: &Refusal) -> Response {
        let led = self.door.pages && matches!(refusal, Refusal::SignIn { .. }) && opens_a_page(parts);
        let mut response = if led { to_sign_in(parts.uri.path()) } else { (self.door.tell)(refusal) };
        if let Some(seconds) = refusal.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // A cookie that opens nothing any more is removed.
        if let (Refusal::SignIn { ended: true }, Some(clear)) = (refusal, gate.no_cookie()) {
            response.headers_mut().append(header::SET_COOKIE, clear);
        }
        response
    }

    /// Asked before the handler runs: what nobody can take down is not done.
    fn can_record(&self, gate: &Gate) -> Result<(), Refusal> {
        match self.door.logged {
            Logged::Each | Logged::Hourly => gate.people().access_log().ready().map_err(unlogged),
            Logged::None => Ok(()),
        }
    }

    fn record(
        &self,
        gate: &Gate,
        viewer: Option<&Viewer>,
        method: &Method,
        response: &Response,
        about: &About,
    ) -> Result<(), Refusal> {
        let answered = viewer.filter(|_| response.status().is_success()).map(Viewer::account);
        let hourly = answered.filter(|_| self.door.logged == Logged::Hourly);
        let due = match (self.door.logged, hourly) {
            (Logged::None, _) => false,
            (_, Some(account)) => self.hourly.is_due(account, gate.ledger().now()),
            (_, None) => true,
        };
        if !due {
            return Ok(());
        }
        let said = about.said();
        let ids: Vec<&str> = said.ids.iter().map(String::as_str).collect();
        let row = Access {
            viewer: viewer.or(said.came_in.as_ref()),
            method: method.as_str(),
            route: self.path,
            status: response.status().as_u16(),
            ids: &ids,
            objects: u32::try_from(said.objects).unwrap_or(u32::MAX),
            query: said.query.as_deref(),
            bytes: response.body().size_hint().exact().unwrap_or(0),
        };
        gate.people().access_log().record(&row).map_err(|error| {
            hourly.into_iter().for_each(|account| self.hourly.failed(account));
            unlogged(error)
        })
    }
}

fn unlogged(error: people::Error) -> Refusal {
    tracing::error!(%error, "the access log takes no row");
    Refusal::Unlogged
}

/// A browser that opens a page, not a script's or a program's request.
fn opens_a_page(parts: &Parts) -> bool {
    let accept = parts.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    let html = accept.is_some_and(|accept| accept.contains("text/html"));
    parts.method == Method::GET && html && !web::wants_partial(&parts.headers)
}

/// To the sign-in, and back to the page afterwards: the path alone, so that what was searched for stays out of addresses.
fn to_sign_in(path: &str) -> Response {
    let next = utf8_percent_encode(path, NON_ALPHANUMERIC);
    web::see_other(&if path == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={next}") })
}
