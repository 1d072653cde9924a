//! Owns what every page shares: shell, parts, forms, errors, translations, assets, figures' layout.
//! Never knows what an object, a case or a user is; it is told what to draw and for whom.
//! Data flows one way: a room fills a struct with a [`Chrome`] and its rows, askama draws it, [`page`] sends it.
#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod assets;
pub mod chrome;
pub mod csrf;
pub mod form;
pub mod graph;
pub mod headers;
pub mod i18n;
pub mod icons;
pub mod parts;
pub mod problem;
pub mod qr;
pub mod when;

// The parts' templates name this crate as `web::`, in it as in every room.
extern crate self as web;

pub use askama;
pub use assets::{asset_routes, asset_url};
pub use chrome::{Chrome, Flash, NavItem, Theme, UserChip};
pub use csrf::{Csrf, OnceTokens};
pub use form::{Check, ErrorSummary, Field, FieldError, Fields};
pub use headers::{Hall, Nonce, secured};
pub use i18n::{Catalogue, Locale, Value};
pub use problem::Problem;
pub use qr::Qr;

use askama::Template;
use axum::response::{IntoResponse, Response};

/// Draws a page or a partial and answers 200 with it as HTML.
///
/// A template that fails to render is a bug in the template: the reader gets the error page (500), the log
/// gets askama's message, which names no data.
pub fn page<T: Template>(template: &T) -> Response {
    page_with(http::StatusCode::OK, template)
}

/// Like [`page`], with a status of its own: 422 for a form that came back with errors.
pub fn page_with<T: Template>(status: http::StatusCode, template: &T) -> Response {
    match template.render() {
        Ok(html) => (status, axum::response::Html(html)).into_response(),
        Err(error) => {
            tracing::error!(template = std::any::type_name::<T>(), %error, "a template failed to render");
            Problem::internal().into_response()
        }
    }
}

/// Whether htmx asks for a part of a page (`HX-Request-Type: partial`), so that the handler may answer with
/// the partial alone. Boosted links, history restores and plain requests want the whole page.
#[must_use]
pub fn wants_partial(headers: &http::HeaderMap) -> bool {
    headers.get("hx-request-type").is_some_and(|v| v.as_bytes() == b"partial")
}

/// `303 See Other`: the answer to every POST that did what it was asked, so that a reload repeats nothing.
#[must_use]
pub fn see_other(path: &str) -> Response {
    axum::response::Redirect::to(path).into_response()
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
