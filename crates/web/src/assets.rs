//! `ui/dist` inside the binary, served under `/assets/` for ever (the address carries the content's hash).

use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

use axum::{
    Router,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Dist;

/// What the hall serves although `ui/dist` was never built: pages stay readable, the logo is ours anyway.
const BUILT_IN: [(&str, &[u8]); 2] =
    [("app.css", include_bytes!("../assets/plain.css")), ("favicon.svg", include_bytes!("../assets/favicon.svg"))];

/// A file below `/assets/`.
struct Asset {
    body: Cow<'static, [u8]>,
    /// `body` as gzip, made when `ui/dist` was built.
    gzip: Option<Cow<'static, [u8]>>,
    /// First 16 hex digits of the SHA-256 of `body`: version in the address and ETag.
    version: String,
}

fn assets() -> &'static HashMap<String, Asset> {
    static ASSETS: OnceLock<HashMap<String, Asset>> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let mut all: HashMap<String, Asset> = HashMap::new();
        for (name, body) in BUILT_IN {
            all.insert(name.to_owned(), Asset::new(Cow::Borrowed(body)));
        }
        for name in Dist::iter().filter(|n| !n.ends_with(".gz")) {
            if let Some(file) = Dist::get(&name) {
                let mut asset = Asset::new(file.data);
                asset.gzip = Dist::get(&format!("{name}.gz")).map(|f| f.data);
                all.insert(name.into_owned(), asset);
            }
        }
        all
    })
}

impl Asset {
    fn new(body: Cow<'static, [u8]>) -> Self {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(&body);
        let version = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
        Self { body, gzip: None, version }
    }
}

/// The address of a file of `ui/dist`, with its content's hash: `/assets/app.css?v=1f0c…`.
/// A file that does not exist gets the bare address (and a 404 when asked for).
///
/// ```
/// assert!(web::asset_url("app.css").starts_with("/assets/app.css?v="));
/// ```
#[must_use]
pub fn asset_url(name: &str) -> String {
    match assets().get(name) {
        Some(asset) => format!("/assets/{name}?v={}", asset.version),
        None => format!("/assets/{name}"),
    }
}

/// Whether `ui/dist` has this file: scripts are only named in a page when they exist.
#[must_use]
pub fn has_asset(name: &str) -> bool {
    assets().contains_key(name)
}

/// The routes `/assets/{name}`, `/favicon.svg` and `/favicon.ico`; public, no session needed.
pub fn asset_routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/assets/{name}", get(serve))
        .route("/favicon.svg", get(favicon))
        .route("/favicon.ico", get(favicon))
}

/// `GET /favicon.svg` and `/favicon.ico`.
pub async fn favicon(headers: HeaderMap) -> Response {
    answer("favicon.svg", None, &headers)
}

/// `GET /assets/{name}`.
pub async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    answer(&name, query.as_deref(), &headers)
}

fn answer(name: &str, query: Option<&str>, asked: &HeaderMap) -> Response {
    let Some(asset) = assets().get(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let versioned = query.and_then(|q| q.strip_prefix("v=")) == Some(asset.version.as_str());
    let cache = if versioned { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    let tag = format!("\"{}\"", asset.version);
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if asked.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let kind = if mime.type_() == "text" { format!("{mime}; charset=utf-8") } else { mime.to_string() };
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    match &asset.gzip {
        Some(gzip) if takes_gzip(asked) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            (headers, gzip.clone()).into_response()
        }
        _ => (headers, asset.body.clone()).into_response(),
    }
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(|c| {
        let mut parts = c.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_the_current_hash_is_cached_for_ever_and_any_other_is_revalidated() {
        let url = asset_url("app.css");
        let query = url.split_once('?').unwrap().1.to_owned();
        let fresh = answer("app.css", Some(&query), &HeaderMap::new());
        assert!(fresh.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let stale = answer("app.css", Some("v=0"), &HeaderMap::new());
        assert_eq!(stale.headers()[header::CACHE_CONTROL], "public, no-cache");
    }

    #[test]
    fn a_matching_etag_costs_no_body() {
        let first = answer("favicon.svg", None, &HeaderMap::new());
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer("favicon.svg", None, &asked).status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn gzip_refused_by_a_zero_weight_is_not_sent() {
        let mut asked = HeaderMap::new();
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0"));
        assert!(!takes_gzip(&asked));
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br;q=1, gzip;q=0.8"));
        assert!(takes_gzip(&asked));
    }

    #[test]
    fn a_name_outside_the_folder_is_not_found() {
        assert_eq!(answer("../Cargo.toml", None, &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
