use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// Ids that the access log names for one answer.
const NAMED: usize = 5;

/// What goes back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// For the access log: how many objects, and the first of their ids.
    pub(crate) objects: usize,
    pub(crate) ids: Vec<String>,
}

impl Answer {
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, value.to_string().into_bytes())
    }

    pub(crate) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, headers: Vec::new(), objects: 0, ids: Vec::new() }
    }

    /// Tells the access log what the answer is about.
    pub(crate) fn about<'a>(mut self, ids: impl ExactSizeIterator<Item = &'a str>) -> Self {
        self.objects = ids.len();
        self.ids = ids.take(NAMED).map(str::to_owned).collect();
        self
    }

    /// An error message resource (TAXII 2.1 §3.6.1).
    pub(crate) fn error(status: u16, what: impl Into<String>) -> Self {
        let title = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Error");
        Self::json(status, &json!({"title": title, "description": what.into(), "http_status": status.to_string()}))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(crate::MEDIA));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }
}

impl From<intel::Error> for Answer {
    fn from(e: intel::Error) -> Self {
        let status = e.status();
        if status == 503 {
            return Self::error(503, "the node is catching up; ask again in a moment").with(header::RETRY_AFTER, "1");
        }
        if status >= 500 {
            tracing::error!(error = %e, "a TAXII request failed");
            return Self::error(status, "the request could not be worked on; the server's log says why");
        }
        Self::error(status, e.to_string())
    }
}

impl From<people::Error> for Answer {
    fn from(e: people::Error) -> Self {
        intel::Error::from(e).into()
    }
}
