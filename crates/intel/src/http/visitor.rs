//! Who asks, and what stands around her page; put into the request by whoever knows the session.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use web::{Fields, Problem};

/// A signed-in person and her page's frame.
#[derive(Clone)]
pub struct Visitor {
    /// What she sees.
    pub viewer: people::Viewer,
    /// The frame of her page.
    pub chrome: web::Chrome,
}

impl Visitor {
    /// That a form is from her own session.
    ///
    /// # Errors
    /// 403.
    pub fn check_csrf(&self, fields: &Fields) -> Result<(), Problem> {
        let sent = fields.raw("csrf").unwrap_or_default();
        if !self.chrome.csrf.is_empty() && sent == self.chrome.csrf {
            Ok(())
        } else {
            Err(web::csrf::CsrfError::Token.into())
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Problem::of(axum::http::StatusCode::UNAUTHORIZED).into_response())
    }
}
