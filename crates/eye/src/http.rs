//! The roof's own routes: health, readiness, metrics, and the JSON behind the pages.
use crate::commands;
use crate::metrics::{self, Watched};
use crate::node::Node;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use gate::{API, About, Caller, PUBLIC, Routes, Rule, WATCH};
use people::{Right, Viewer};
use serde_json::{Value, json};

/// Readiness ends when a view is further behind than this.
const READY_BEHIND: u64 = 100_000;

/// The roof's routes.
pub fn routes(node: Node, listeners: stream::Listeners) -> Routes {
    let reads = Rule::Needs(Right::ReadBodies);
    let open = Routes::new(&PUBLIC).get("/health", Rule::Open, async || "ok\n").get("/ready", Rule::Open, ready);
    let watched = Routes::new(&WATCH)
        .get("/metrics", Rule::Needs(Right::ManageMachine), metrics::metrics)
        .with_state(Watched { node: node.clone(), listeners });
    let api = Routes::new(&API)
        .get("/api/openapi.json", Rule::SignedIn, openapi)
        .get("/api/stats", reads, stats)
        .get("/api/collections", Rule::SignedIn, collections)
        .get("/api/search", reads, search)
        .get("/api/links", reads, links)
        .get("/api/objects/{id}", reads, object);
    open.with_state(node.clone()).and(watched).and(api.with_state(node))
}

/// Reads counters alone, so that it answers whatever the disk and the views are doing. Everybody may ask, so it says
/// neither how much is under way nor how much there is.
async fn ready(State(node): State<Node>) -> Response {
    let why = if !node.ledger.is_alive() {
        Some("a thread of the ledger has ended; restart the node")
    } else if node.ledger.behind() > READY_BEHIND {
        Some("the views are far behind the log; wait")
    } else {
        None
    };
    let status = if why.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({"ready": why.is_none(), "why": why}))).into_response()
}

/// RFC 9457.
pub(crate) fn problem(status: u16, what: &str) -> Response {
    problem_with(status, what, json!({}))
}

/// As [`problem`], with members of its own (RFC 9457 §3.2).
fn problem_with(status: u16, what: &str, mut body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(members) = body.as_object_mut() {
        members.insert("status".into(), json!(status.as_u16()));
        members.insert("title".into(), json!(status.canonical_reason().unwrap_or("error")));
        members.insert("detail".into(), json!(what));
    }
    let mut response = (status, axum::Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
    response
}

fn failed(e: &crate::node::Problem) -> Response {
    use crate::node::Problem;
    match e {
        Problem::Intel(e) if e.status() < 500 || e.status() == 503 => problem(e.status(), &e.to_string()),
        Problem::People(e) if e.status() < 500 || e.status() == 503 => problem(e.status(), &e.to_string()),
        other => {
            tracing::error!(error = %other, "a request failed");
            problem(500, "the request could not be worked on; the server's log says why")
        }
    }
}

/// Works on a blocking thread and answers JSON.
async fn answer(
    node: Node,
    caller: Caller,
    f: impl FnOnce(&Node, &Viewer, &About) -> Result<Value, crate::node::Problem> + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(move || f(&node, &caller.viewer, &caller.about)).await {
        Ok(Ok(value)) => axum::Json(value).into_response(),
        Ok(Err(e)) => failed(&e),
        Err(_) => problem(500, "the request could not be worked on"),
    }
}

async fn stats(State(node): State<Node>, caller: Caller) -> Response {
    answer(node, caller, |node, me, _| {
        let mut numbers = commands::read::numbers(node, me)?;
        // The log's length counts what the viewer does not see as well.
        if let (false, Some(map)) = (me.may(Right::SeeProofs), numbers.as_object_mut()) {
            map.retain(|name, _| ["objects", "collections"].contains(&name.as_str()));
        }
        Ok(numbers)
    })
    .await
}

async fn collections(State(node): State<Node>, caller: Caller) -> Response {
    answer(node, caller, |node, me, _| {
        let list = node.people.collections(me)?;
        Ok(json!(list.iter().map(|c| json!({"id": c.id.to_string(), "title": c.title()})).collect::<Vec<_>>()))
    })
    .await
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    before: Option<String>,
}

async fn search(State(node): State<Node>, caller: Caller, asked: Query<Asked>) -> Response {
    answer(node, caller, move |node, me, about| {
        about.asked(&asked.q);
        let before = asked.before.as_deref().map(|mark| node.intel.pos_at(mark).ok_or(intel::Error::NotFound));
        let found =
            node.intel.search(me, &asked.q, before.transpose()?, asked.limit.unwrap_or(100).clamp(1, 1_000))?;
        about.objects(found.hits.iter().map(|h| &h.row.id));
        let hits = commands::read::hits(node, me, &found.hits)?;
        let (total, exact) = match found.total {
            intel::Count::Exactly(n) => (n, true),
            intel::Count::MoreThan(n) => (n, false),
        };
        Ok(json!({"hits": hits, "more": found.more, "next": found.next.map(|pos| node.intel.mark_of(pos)), "broken_off": found.broken_off, "ignored": found.ignored, "unknown_types": found.unknown_types, "total": total, "exact": exact,
            "listed": found.listed.iter().map(|l| json!({"list": l.list, "title": l.title})).collect::<Vec<_>>()}))
    })
    .await
}

#[derive(serde::Deserialize)]
struct AskedLinks {
    limit: Option<usize>,
    before: Option<String>,
}

async fn links(State(node): State<Node>, caller: Caller, asked: Query<AskedLinks>) -> Response {
    answer(node, caller, move |node, me, about| {
        let before = asked.before.as_deref().map(|mark| node.intel.pos_at(mark).ok_or(intel::Error::NotFound));
        let page = node.intel.links(me, before.transpose()?, asked.limit.unwrap_or(50).clamp(1, 200))?;
        about.objects(page.links.iter().chain(&page.suppressed).flat_map(|l| &l.holders).map(|h| &h.row.id));
        let list = |links: &[intel::Link]| commands::read::link_values(node, me, &links.iter().collect::<Vec<_>>());
        Ok(json!({"links": list(&page.links)?, "suppressed": list(&page.suppressed)?,
            "next": page.next.map(|pos| node.intel.mark_of(pos))}))
    })
    .await
}

/// `id` is an object's id, or what stands in its page's address. What was withdrawn is gone (410): the answer says when
/// and why to those who could see it, and by whom to this node's own people.
async fn object(State(node): State<Node>, caller: Caller, Path(id): Path<String>) -> Response {
    let read = move || {
        let id = node.intel.id_at(&id).ok_or(intel::Error::NotFound)?;
        caller.about.objects([&id]);
        commands::read::document(&node, &caller.viewer, &id)
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(document)) if document.get("object").is_some() => axum::Json(document).into_response(),
        Ok(Ok(document)) => {
            let more = json!({"withdrawn": document.get("withdrawn")});
            problem_with(410, "it was withdrawn; `withdrawn` says when and why", more)
        }
        Ok(Err(e)) => failed(&e),
        Err(_) => problem(500, "the request could not be worked on"),
    }
}

async fn openapi() -> Response {
    axum::Json(crate::openapi::document()).into_response()
}
