//! One way to say that something went wrong, as a page or as JSON (RFC 9457).
//!
//! A problem says what was wrong, where, and what to do. It never carries SQL, a path of the machine, a
//! stack, or a word about data that the asker may not see: an unknown object and a forbidden one are both
//! [`Problem::not_found`].

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{chrome::Chrome, csrf::CsrfError, i18n::Locale};

/// What went wrong. As a response it travels to [`crate::secured`], which draws it for whoever asked.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// Fluent key of the title; the same for every problem of this type.
    pub title: &'static str,
    /// Fluent key of what was wrong in general.
    pub what: &'static str,
    /// Where: the field, line, header or object the asker herself named. Empty for nowhere in particular.
    pub place: String,
    /// Fluent key of what to do.
    pub advice: &'static str,
}

impl Problem {
    /// A problem of this status in general words.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        let (title, what, advice) = match status.as_u16() {
            400 | 422 => ("problem-400-title", "problem-400-what", "problem-400-advice"),
            401 => ("problem-401-title", "problem-401-what", "problem-401-advice"),
            403 => ("problem-403-title", "problem-403-what", "problem-403-advice"),
            404 | 410 => ("problem-404-title", "problem-404-what", "problem-404-advice"),
            405 => ("problem-405-title", "problem-405-what", "problem-405-advice"),
            409 => ("problem-409-title", "problem-409-what", "problem-409-advice"),
            413 => ("problem-413-title", "problem-413-what", "problem-413-advice"),
            415 => ("problem-415-title", "problem-415-what", "problem-415-advice"),
            429 => ("problem-429-title", "problem-429-what", "problem-429-advice"),
            503 => ("problem-503-title", "problem-503-what", "problem-503-advice"),
            s if s < 500 => ("problem-400-title", "problem-400-what", "problem-400-advice"),
            _ => ("problem-500-title", "problem-500-what", "problem-500-advice"),
        };
        Self { status, title, what, place: String::new(), advice }
    }

    /// 404: not there, or not for this asker; the two cannot be told apart.
    #[must_use]
    pub fn not_found() -> Self {
        Self::of(StatusCode::NOT_FOUND)
    }

    /// 403: this role does not do that.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::of(StatusCode::FORBIDDEN)
    }

    /// 409: somebody was faster.
    #[must_use]
    pub fn conflict() -> Self {
        Self::of(StatusCode::CONFLICT)
    }

    /// 500: the node's own fault. Say why in the log, not here.
    #[must_use]
    pub fn internal() -> Self {
        Self::of(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// 503: not now.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// 400 with words of the room's own (a Fluent key).
    #[must_use]
    pub fn bad_request(what: &'static str) -> Self {
        Self { what, ..Self::of(StatusCode::BAD_REQUEST) }
    }

    /// 413; `limit` in bytes.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::of(StatusCode::PAYLOAD_TOO_LARGE).at(format!("≤ {} MB", limit >> 20))
    }

    /// Says where: only what the asker herself sent or named.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// Says what was wrong in words of the room's own (a Fluent key).
    #[must_use]
    pub fn because(mut self, what: &'static str) -> Self {
        self.what = what;
        self
    }

    /// Says what to do in words of the room's own (a Fluent key).
    #[must_use]
    pub fn so(mut self, advice: &'static str) -> Self {
        self.advice = advice;
        self
    }

    /// The whole page.
    pub(crate) fn page(&self, chrome: Chrome) -> Response {
        let title = chrome.t(self.title);
        let page = ProblemPage { chrome: chrome.titled(title), problem: self };
        self.html(page.render())
    }

    /// A warning for htmx to put into the page that stands.
    pub(crate) fn partial(&self, chrome: Chrome) -> Response {
        self.html(ProblemPartial { chrome, problem: self }.render())
    }

    fn html(&self, rendered: askama::Result<String>) -> Response {
        match rendered {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(_) => self.status.into_response(),
        }
    }

    /// `application/problem+json` (RFC 9457 §3).
    pub(crate) fn json(&self, l: &Locale) -> Response {
        let mut body = json!({
            "type": format!("urn:compound-eye:problem:{}", self.title.trim_end_matches("-title")),
            "title": l.t(self.title),
            "status": self.status.as_u16(),
            "detail": l.t(self.what),
            "advice": l.t(self.advice),
        });
        if let (Some(map), false) = (body.as_object_mut(), self.place.is_empty()) {
            map.insert("where".to_owned(), json!(self.place));
        }
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        (self.status, [kind], body.to_string()).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<CsrfError> for Problem {
    fn from(error: CsrfError) -> Self {
        match error {
            CsrfError::Token | CsrfError::Expired => {
                Self::forbidden().because("csrf-token-what").so("csrf-token-advice")
            }
            CsrfError::Site => Self::forbidden().because("csrf-site-what").so("csrf-site-advice"),
            CsrfError::Spent => Self::conflict().because("csrf-spent-what").so("csrf-spent-advice"),
            CsrfError::Busy => Self::of(StatusCode::TOO_MANY_REQUESTS),
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    chrome: Chrome,
    problem: &'a Problem,
}

#[derive(Template)]
#[template(path = "problem.html", block = "problem")]
struct ProblemPartial<'a> {
    chrome: Chrome,
    problem: &'a Problem,
}
