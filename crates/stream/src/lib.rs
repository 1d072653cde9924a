//! Owns the live stream: Server-Sent Events in OpenCTI's format (version 4), resumable from any position.
//! Never buffers for a listener: a slow one reads the log later, a gone one costs nothing.
//! Data flows one way: the log → what this listener may see now (asked again for each batch) → frames.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod frame;
mod heard;
mod limits;
mod listener;
mod places;
mod position;
mod unfolded;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gate::{Caller, Refusal, Routes, Rule};
use intel::Intel;
use ledger::CollectionId;
pub use limits::Limits;
use listener::Listener;
use people::{Right, Viewer};
use places::Places;
use std::collections::HashMap;

/// A page listens with its session's cookie; nothing here changes anything.
static STREAM: gate::Door = gate::Door { name: "stream", cookie: true, pages: false, logged: gate::Logged::Each, tell };

/// The door's route: `/stream/live` for everything the listener sees, `/stream/{collection}` for one listed collection.
/// A collection that the listener does not see is 404 like one that is not.
pub fn routes(intel: Intel, listeners: &Listeners) -> Routes {
    let door =
        Door { intel, places: listeners.0.clone(), unfolded: std::sync::Arc::default(), limits: listeners.0.limits() };
    Routes::new(&STREAM).get(ROUTE, Rule::Needs(Right::ReadBodies), open).with_state(door)
}

/// Who listens to one node's streams. Cloning is cheap: every clone counts the same.
#[derive(Clone, Default)]
pub struct Listeners(Places);

impl Listeners {
    /// Nobody yet, within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Places::new(limits))
    }

    /// How many at this moment.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.taken()
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Listeners").field(&self.count()).finish()
    }
}

fn tell(refusal: &Refusal) -> Response {
    refuse(refusal.status(), &refusal.words())
}

/// The route's pattern.
const ROUTE: &str = "/stream/{id}";

#[derive(Clone)]
struct Door {
    intel: Intel,
    places: Places,
    unfolded: std::sync::Arc<unfolded::Unfolded>,
    limits: Limits,
}

async fn open(
    State(door): State<Door>,
    Caller { viewer, .. }: Caller,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let wants = Wants::read(&query, &headers);
    let asked = move || prepare(&door, &viewer, &id, &wants);
    match tokio::task::spawn_blocking(asked).await {
        Ok(Ok(listener)) => {
            let mut response = Response::new(Body::from_stream(listener.frames()));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Ok(Err((status, what))) => refuse(status, what),
        Err(_) => refuse(500, "the stream could not be opened"),
    }
}

fn refuse(status: u16, what: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        (status, axum::Json(serde_json::json!({"status": status.as_u16(), "detail": what}))).into_response();
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"eye\""));
    }
    response
}

/// What a listener asks for, in its query or its headers.
struct Wants {
    from: Option<String>,
    recover: Option<String>,
    deletes: bool,
}

impl Wants {
    fn read(query: &HashMap<String, String>, headers: &HeaderMap) -> Self {
        let value = |name: &str| {
            let header = || headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
            query.get(name).cloned().or_else(header).filter(|v| !v.is_empty())
        };
        Self {
            from: value("from").or_else(|| value("last-event-id")),
            recover: value("recover"),
            deletes: value("listen-delete").is_none_or(|v| v != "false"),
        }
    }
}

type Refused = (u16, &'static str);

fn prepare(door: &Door, viewer: &Viewer, id: &str, wants: &Wants) -> Result<Listener, Refused> {
    let intel = &door.intel;
    let only = match id {
        "live" => None,
        id => {
            let id: CollectionId = id.parse().map_err(|_| (404, "there is no such stream"))?;
            let found = intel.people().collection(id).map_err(|_| (503, "the node is catching up; ask again"))?;
            let found = found.filter(|c| c.listed_for(viewer)).ok_or((404, "there is no such stream"))?;
            Some(found.col)
        }
    };
    let from = wants.from.as_deref().or(wants.recover.as_deref());
    let named = position::start(intel.ledger(), from)
        .map_err(|()| (400, "`from` must be 0, MILLISECONDS-MICROSECONDS or an instant"))?;
    let begin = match named {
        Some(begin) => begin,
        None => {
            // The head first: what comes in between is told, and the place told is before it.
            let after = intel.ledger().head().pos;
            let seen = intel.newest(viewer, only).map_err(|_| (503, "the node is catching up; ask again"))?;
            position::Begin { after, seen }
        }
    };
    let place = door.places.take(viewer.account()).ok_or((503, "too many listen already; come again later"))?;
    Ok(Listener::new(door, viewer.clone(), only, begin, wants.deletes, place))
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
