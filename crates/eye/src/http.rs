//! The roof's own routes: health, readiness, metrics, and the JSON behind the pages. Every route names its rule.
use crate::commands;
use crate::node::Node;
use axum::Router;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use people::{AuthHeader, Viewer};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Readiness ends when a view is further behind than this.
const READY_BEHIND: u64 = 100_000;

/// The roof's routes.
pub fn router(node: Node) -> Router {
    Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/openapi.json", get(openapi))
        .route("/api/stats", get(stats))
        .route("/api/collections", get(collections))
        .route("/api/search", get(search))
        .route("/api/links", get(links))
        .route("/api/objects/{id}", get(object))
        .with_state(node)
}

async fn ready(State(node): State<Node>) -> Response {
    let behind = node.ledger.behind();
    let status = if behind <= READY_BEHIND { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({"ready": status == StatusCode::OK, "behind": behind}))).into_response()
}

/// Whoever asks, or the answer that says why not.
async fn viewer(node: &Node, headers: &HeaderMap, peer: SocketAddr) -> Result<Viewer, Response> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let people = node.people.clone();
    let asked = tokio::task::spawn_blocking(move || {
        people.authenticate(&AuthHeader { authorization: authorization.as_deref(), cookie: None, peer: peer.ip() })
    });
    match asked.await {
        Ok(Ok(Some(viewer))) => Ok(viewer),
        Ok(Err(e)) if e.status() != 401 => Err(problem(e.status(), &e.to_string())),
        Ok(_) => {
            Err(([(header::WWW_AUTHENTICATE, "Bearer")], problem(401, "sign in, or send a bearer token"))
                .into_response())
        }
        Err(_) => Err(problem(500, "the request could not be worked on")),
    }
}

/// RFC 9457.
fn problem(status: u16, what: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = status.canonical_reason().unwrap_or("error");
    let mut response =
        (status, axum::Json(json!({"status": status.as_u16(), "title": title, "detail": what}))).into_response();
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
    headers: HeaderMap,
    peer: SocketAddr,
    f: impl FnOnce(&Node, &Viewer) -> Result<Value, crate::node::Problem> + Send + 'static,
) -> Response {
    let me = match viewer(&node, &headers, peer).await {
        Ok(me) => me,
        Err(response) => return response,
    };
    match tokio::task::spawn_blocking(move || f(&node, &me)).await {
        Ok(Ok(value)) => axum::Json(value).into_response(),
        Ok(Err(e)) => failed(&e),
        Err(_) => problem(500, "the request could not be worked on"),
    }
}

async fn stats(State(node): State<Node>, ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    answer(node, headers, peer, commands::read::numbers).await
}

async fn collections(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    answer(node, headers, peer, |node, me| {
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
}

async fn search(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Query<Asked>,
) -> Response {
    answer(node, headers, peer, move |node, me| {
        let found = node.intel.search(me, &asked.q, None, asked.limit.unwrap_or(100).clamp(1, 1_000))?;
        let hits: Vec<Value> = found.hits.iter().map(|h| commands::read::hit(node, h)).collect();
        let (total, exact) = match found.total {
            intel::Count::Exactly(n) => (n, true),
            intel::Count::MoreThan(n) => (n, false),
        };
        Ok(json!({"hits": hits, "more": found.more, "total": total, "exact": exact,
            "listed": found.listed.iter().map(|l| json!({"list": l.list, "title": l.title})).collect::<Vec<_>>()}))
    })
    .await
}

async fn links(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Query<Asked>,
) -> Response {
    answer(node, headers, peer, move |node, me| {
        let links = node.intel.links(me, asked.limit.unwrap_or(50).clamp(1, 200))?;
        Ok(json!(links.iter().map(|l| commands::read::link(node, l)).collect::<Vec<_>>()))
    })
    .await
}

async fn object(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    answer(node, headers, peer, move |node, me| commands::read::document(node, me, &id)).await
}

/// For administrators: numbers of the machine, no content, no names.
async fn metrics(State(node): State<Node>, ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    match viewer(&node, &headers, peer).await {
        Ok(me) if me.may_manage_accounts() => {}
        Ok(_) => return problem(403, "metrics are for administrators"),
        Err(response) => return response,
    }
    let mut registry = Registry::with_prefix("eye");
    let mut add = |name: &str, help: &str, value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    add("entries", "Entries in the log", node.ledger.head().pos);
    add("behind", "Entries that the slowest view has still to fold", node.ledger.behind());
    add("unfolded", "Entries that a view could not read", node.ledger.views().iter().map(ledger::View::unfolded).sum());
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        return problem(500, "the metrics could not be written");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn openapi(State(node): State<Node>, ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    answer(node, headers, peer, |_, _| Ok(document())).await
}

/// The JSON routes, as OpenAPI 3.1.
fn document() -> Value {
    let problem = json!({"description": "Why not (RFC 9457)", "content": {"application/problem+json": {"schema": {"type": "object"}}}});
    let text = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "maxLength": 2000}});
    let limit = json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}});
    let get = |summary: &str, parameters: Vec<Value>| {
        json!({"get": {"summary": summary, "parameters": parameters, "security": [{"bearer": []}], "responses": {
            "200": {"description": "Answer", "content": {"application/json": {"schema": {}}}},
            "400": {"description": "The query cannot be read"}, "401": problem, "403": problem, "404": problem, "422": problem,
            "429": problem, "503": problem}}})
    };
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "maxLength": 300}});
    json!({"openapi": "3.1.0", "info": {"title": "Compound Eye", "version": env!("CARGO_PKG_VERSION"),
        "description": "The JSON behind the pages. TAXII 2.1 stands under /taxii2/, the live stream under /stream/."},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/api/stats": get("Numbers of the node", vec![]),
            "/api/collections": get("Collections that you see", vec![]),
            "/api/search": get("Search; several words mean AND", vec![text("q"), limit.clone()]),
            "/api/links": get("What objects share, most holders first", vec![limit]),
            "/api/objects/{id}": get("One object with its versions and selectors", vec![id])}})
}
