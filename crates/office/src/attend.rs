//! Around every page: who was it that asked, what came of it, into the access log.
use crate::{Office, Visitor};
use axum::Router;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::request::Parts;
use people::{Access, Viewer};
use std::sync::{Arc, OnceLock};
use web::{Chrome, Problem};

/// Where the extractor leaves word of who asked.
#[derive(Clone, Default)]
struct Seen(Arc<OnceLock<(Viewer, Chrome)>>);

/// Tells the layer who asks.
pub(crate) fn note(parts: &Parts, visitor: &Visitor) {
    if let Some(seen) = parts.extensions.get::<Seen>() {
        // Set already: the same visitor.
        drop(seen.0.set((visitor.viewer.clone(), visitor.chrome.clone())));
    }
}

/// Puts the office around pages: they may ask for a [`Visitor`], and each of their requests is in the access log with
/// the route's pattern, never the path or the query. Assets and doors with logs of their own stay outside.
pub fn layer(router: Router, office: Office) -> Router {
    router.layer(from_fn_with_state(office, attend))
}

async fn attend(State(office): State<Office>, mut request: Request, next: Next) -> Response {
    let seen = Seen::default();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    request.extensions_mut().insert(seen.clone());
    request.extensions_mut().insert(office.clone());
    let mut response = next.run(request).await;
    let seen = seen.0.get();
    if let Some(route) = route {
        let bytes = response.body().size_hint().exact().unwrap_or(0);
        office.people().access_log().record(&Access {
            viewer: seen.map(|(viewer, _)| viewer),
            method: method.as_str(),
            route: &route,
            status: response.status().as_u16(),
            bytes,
            ..Access::default()
        });
    }
    // The page of an error keeps the visitor's navigation.
    if let (Some((_, chrome)), true) = (seen, response.extensions().get::<Problem>().is_some()) {
        response.extensions_mut().insert(chrome.clone());
    }
    response
}
