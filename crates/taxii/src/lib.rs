//! Owns the TAXII 2.1 door (OASIS Standard, 10 June 2021): its paths, media types, filters, pages and status resources.
//! Never touches SQL or the log: it asks the intelligence room, and what the viewer may not see is 404 like what is not.
//! Data flows one way: request → who asks → path and filters → the room → JSON, bodies byte for byte.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod answer;
mod cursor;
mod door;
mod filter;
mod media;
mod status;

use answer::Answer;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Request, header};
use axum::response::Response;
use axum::routing::any;
use door::{Asked, Door};
use intel::Intel;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The media type of every answer (TAXII 2.1 §1.6.8).
pub const MEDIA: &str = "application/taxii+json;version=2.1";
/// The largest body, bytes.
pub const MAX_CONTENT: usize = 100 * 1024 * 1024;

/// The door's routes. Every one of them asks who is there first; see [`door`] for each path's rule.
pub fn router(intel: Intel) -> Router {
    let door = Door::new(intel);
    Router::new()
        .route("/taxii2", any(handle))
        .route("/taxii2/", any(handle))
        .route("/taxii2/{*path}", any(handle))
        .with_state(door)
}

async fn handle(State(door): State<Door>, request: Request<Body>) -> Response {
    let peer =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |c| c.0.ip());
    let (parts, body) = request.into_parts();
    // Before the body: a stranger's hundred megabytes are not read.
    let viewer = match door.who(text(&parts.headers, &header::AUTHORIZATION), peer).await {
        Ok(viewer) => viewer,
        Err(answer) => return door.refused(None, parts.method.as_str(), answer).into_response(),
    };
    let body = match read(&parts.method, &parts.headers, body).await {
        Ok(body) => body,
        Err(answer) => return door.refused(Some(&viewer), parts.method.as_str(), answer).into_response(),
    };
    let work = move || {
        let asked = Asked {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            accept: text(&parts.headers, &header::ACCEPT),
            content_type: text(&parts.headers, &header::CONTENT_TYPE),
            body: &body,
        };
        door.answer(&viewer, &asked)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer.into_response(),
        Err(_) => Answer::error(500, "the request could not be worked on").into_response(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

async fn read(method: &Method, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Answer> {
    if *method != Method::POST {
        return Ok(Vec::new());
    }
    let too_large =
        || Answer::error(413, format!("the body is larger than {MAX_CONTENT} bytes; send fewer objects at a time"));
    if text(headers, &header::CONTENT_LENGTH).and_then(|l| l.parse::<usize>().ok()).is_some_and(|l| l > MAX_CONTENT) {
        return Err(too_large());
    }
    to_bytes(body, MAX_CONTENT).await.map(Vec::from).map_err(|_| too_large())
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
