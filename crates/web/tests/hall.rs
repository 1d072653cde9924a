//! The hall as the rooms meet it: a router wrapped by `secured`, asked over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use askama::Template;
use axum::{
    Router,
    body::Body,
    extract::Query,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http_body_util::BodyExt;
use tower::ServiceExt;
use web::{Catalogue, Chrome, Csrf, Fields, Hall, Problem};

#[derive(Template)]
#[template(source = "{% extends \"shell.html\" %}{% block content %}<p>hello</p>{% endblock %}", ext = "html")]
struct Hello {
    chrome: Chrome,
}

fn hall() -> Hall {
    Hall { catalogue: Catalogue::new(&[]).unwrap(), node_name: "EXERCISE Bureau".into(), exercise: true, tls: false }
}

fn app(hall: Hall) -> Router {
    let for_page = hall.clone();
    let routes = Router::new()
        .route(
            "/",
            get(move |parts: axum::http::request::Parts| {
                let chrome = for_page.chrome(&parts).titled("T");
                async move { web::page(&Hello { chrome }) }
            }),
        )
        .route("/secret", get(async || Problem::internal().into_response()))
        .route(
            "/taxii",
            get(async || (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/taxii+json;version=2.1")], "{}")),
        )
        .route("/login", get(async || (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")])))
        .route("/typed", get(async |_: Query<std::collections::BTreeMap<String, u8>>| "ok"))
        .route("/form", post(async |f: Fields| f.text("a").to_owned()))
        .merge(web::asset_routes());
    web::secured(routes, hall)
}

async fn ask(path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app(hall()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn every_page_is_protected_and_never_stored() {
    let response = ask("/", &[HTML]).await;
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(headers["permissions-policy"].to_str().unwrap().contains("camera=()"));
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
}

#[tokio::test]
async fn browsers_are_bound_to_tls_where_there_is_tls_and_nowhere_else() {
    assert!(!ask("/", &[HTML]).await.headers().contains_key("strict-transport-security"));
    for path in ["/", "/nowhere", "/taxii", "/favicon.svg"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app(Hall { tls: true, ..hall() }).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000", "{path}");
    }
}

#[tokio::test]
async fn what_is_no_page_loads_nothing_wherever_it_is_opened() {
    let headers = ask("/taxii", &[]).await.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("nonce") && !policy.contains("self"), "{policy}");
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        assert_eq!(headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own() {
    let first = ask("/", &[]).await.headers()["content-security-policy"].clone();
    let second = ask("/", &[]).await.headers()["content-security-policy"].clone();
    assert_ne!(first, second);
}

#[tokio::test]
async fn every_page_of_an_exercise_says_so_even_the_error_page() {
    assert!(text(ask("/", &[HTML]).await).await.contains("ce-exercise"));
    assert!(text(ask("/nowhere", &[HTML]).await).await.contains("ce-exercise"));
}

#[tokio::test]
async fn a_browser_gets_an_error_page_a_program_problem_json_and_htmx_a_part() {
    let page = ask("/nowhere", &[HTML]).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(text(page).await.contains("<h1"));
    let json = ask("/nowhere", &[("accept", "application/json")]).await;
    assert_eq!(json.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_str(&text(json).await).unwrap();
    assert_eq!((body["status"].as_u64(), body["title"].as_str()), (Some(404), Some("Not found")));
    let part = text(ask("/nowhere", &[HTML, ("hx-request-type", "partial")]).await).await;
    assert!(part.contains("ce-problem") && !part.contains("<html"), "{part}");
}

#[tokio::test]
async fn an_unreadable_query_does_not_tell_of_our_types() {
    let body = text(ask("/typed?a=x", &[HTML]).await).await;
    assert!(!body.contains("deserialize") && !body.contains("u8"), "{body}");
}

#[tokio::test]
async fn what_was_asked_is_not_written_into_the_error_page_unescaped() {
    let body = text(ask("/nowhere?q=%3Cscript%3Ealert(1)%3C/script%3E", &[HTML]).await).await;
    assert!(!body.contains("<script>alert"), "{body}");
}

#[tokio::test]
async fn headers_beside_an_error_and_bodies_of_other_protocols_stay() {
    assert_eq!(ask("/login", &[HTML]).await.headers()["www-authenticate"], "Bearer");
    let taxii = ask("/taxii", &[HTML]).await;
    assert_eq!(taxii.headers()["content-type"], "application/taxii+json;version=2.1");
    assert_eq!(text(taxii).await, "{}");
}

#[tokio::test]
async fn assets_are_cached_though_pages_are_not() {
    let response = ask(&web::asset_url("app.css"), &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/css"));
}

#[tokio::test]
async fn a_form_too_large_is_refused_in_words() {
    let request = Request::post("/form").header("accept", "text/html").body(Body::from(vec![b'a'; 3 << 20])).unwrap();
    let response = app(hall()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(response).await.contains("larger than"));
}

#[tokio::test]
async fn the_theme_and_language_cookies_reach_the_page() {
    let body = text(ask("/", &[HTML, ("cookie", "theme=dark; lang=en-XA")]).await).await;
    assert!(body.contains("data-theme=\"dark\"") && body.contains("lang=\"en-XA\""), "{body}");
    assert!(body.contains("[ÉX") || body.contains("[Š"), "{body}");
}

#[tokio::test]
async fn a_token_in_a_page_is_the_one_the_check_takes() {
    let csrf = Csrf::new([1; 32]);
    let mut chrome = hall().chrome_of(&http::HeaderMap::new(), "/", "n");
    chrome.csrf = csrf.token("s");
    let html = Hello { chrome }.render().unwrap();
    let sent = html.split("\"x-csrf-token\":\"").nth(1).unwrap().split('"').next().unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("x-csrf-token", sent.parse().unwrap());
    assert_eq!(csrf.check(&headers, "s", None), Ok(()));
}

#[test]
fn every_key_that_the_halls_templates_and_sources_ask_for_exists() {
    let all = Catalogue::new(&[]).unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = 0;
    for file in std::fs::read_dir(root.join("templates")).unwrap() {
        let path = file.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        read += web::i18n::keys_used(&source).len();
        assert_eq!(all.unknown_in(&source), Vec::<String>::new(), "{}", path.display());
    }
    assert!(read > 40, "only {read} keys were found: has the way to ask for them changed?");
    for status in 400..600 {
        let problem = Problem::of(StatusCode::from_u16(status).unwrap());
        for key in [problem.title, problem.what, problem.advice] {
            assert!(all.has(key), "{key}");
        }
    }
    for problem in [web::csrf::CsrfError::Token, web::csrf::CsrfError::Site, web::csrf::CsrfError::Spent] {
        let problem = Problem::from(problem);
        assert!(all.has(problem.what) && all.has(problem.advice));
    }
}

#[test]
fn no_words_stand_in_the_halls_templates_outside_of_fluent() {
    for name in ["shell.html", "problem.html", "field.html", "parts.html"] {
        let source = std::fs::read_to_string(format!("{}/templates/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let found = web::i18n::bare_words(&source);
        assert!(found.iter().all(|w| ["Compound", "Eye"].contains(&w.as_str())), "{name}: {found:?}");
    }
}
