//! Who asks, and what stands around their page.
use crate::{About, Gate};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use people::{People, Viewer};
use web::{Chrome, Fields, Problem};

/// Somebody who passed a rule: for doors of programs.
#[derive(Clone)]
pub struct Caller {
    /// What they see and may do.
    pub viewer: Viewer,
    /// Takes the ids of what the answer is about.
    pub about: About,
}

/// Somebody who passed a rule, with the frame of their page.
#[derive(Clone)]
pub struct Visitor {
    /// What they see and may do.
    pub viewer: Viewer,
    /// The frame: name, navigation, CSRF token, zone and language are filled in; the title is not.
    pub chrome: Chrome,
    /// Takes the ids of what the page shows.
    pub about: About,
    people: People,
    /// The token in the header that htmx sends.
    header: Option<String>,
}

impl Visitor {
    /// That a form is from this very session, where the gate could not read it ([`crate::Routes::upload`]).
    ///
    /// # Errors
    /// 403 when its token is absent or another session's.
    pub fn check_csrf(&self, fields: &Fields) -> Result<(), Problem> {
        let given = self.header.as_deref().or_else(|| fields.raw(web::csrf::FIELD));
        if self.people.csrf_is_right(&self.viewer, given) {
            return Ok(());
        }
        Err(web::csrf::CsrfError::Token.into())
    }

    /// The same visitor, their page titled by a Fluent key.
    #[must_use]
    pub fn titled(mut self, key: &str) -> Self {
        self.chrome.title = self.chrome.t(key);
        self
    }
}

/// A handler of an open route that asks who is there is a mistake in its rule.
fn nobody() -> Response {
    tracing::error!("a handler asked who is there, but its rule lets everybody pass");
    Problem::internal().into_response()
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let about = parts.extensions.get::<About>().cloned().unwrap_or_default();
        let viewer = parts.extensions.get::<Viewer>().cloned().ok_or_else(nobody)?;
        Ok(Self { viewer, about })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Caller { viewer, about } = Caller::from_request_parts(parts, state).await?;
        let gate = parts.extensions.get::<Gate>().cloned().ok_or_else(nobody)?;
        let chrome = gate.chrome_for(parts, &viewer);
        about.said().chrome = Some(chrome.clone());
        let header = parts.headers.get(web::csrf::HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Self { viewer, chrome, about, people: gate.people().clone(), header })
    }
}
