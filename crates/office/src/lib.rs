//! Owns the front office: sign-in, and the pages of accounts, users, tokens, the ledger and the access log.
//! Never reads intelligence: it knows who asks and what their role may, no object and no search.
//! Data flows: a request's cookie in, one [`Visitor`] out, and every request of a page into the access log.
//!
//! The roof mounts it, and lets other rooms' pages ask for a [`Visitor`]:
//!
//! ```no_run
//! # fn roof(ledger: &ledger::Ledger, people: &people::People, rooms: axum::Router) -> Result<axum::Router, web::i18n::I18nError> {
//! let catalogue = web::Catalogue::new(&[("en", office::FTL)])?;
//! let hall = web::Hall { catalogue: catalogue.clone(), node_name: "EXERCISE agency".into(), exercise: true, tls: false };
//! let office = office::Office::new(ledger, people, catalogue, hall.clone());
//! let pages = office::layer(office::router().merge(rooms), office);
//! # Ok(web::secured(pages.merge(web::asset_routes()), hall))
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod access;
mod account;
mod attend;
mod cookie;
mod nav;
mod office;
mod proofs;
mod shown;
mod sign_in;
mod tokens;
mod users;
mod visitor;

pub use attend::layer;
pub use office::Office;
pub use visitor::Visitor;

use axum::Router;
use axum::routing::{get, post};

/// The room's English strings, for [`web::Catalogue::new`].
pub const FTL: &str = include_str!("../i18n/en/office.ftl");

/// The room's pages; they find the [`Office`] that [`layer`] puts around them.
pub fn router() -> Router {
    Router::new()
        .route("/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/sign-in/link/{secret}", get(sign_in::link_page).post(sign_in::link_submit))
        .route("/sign-out", post(sign_in::out))
        .route("/account", get(account::page))
        .route("/account/password", post(account::password))
        .route("/account/settings", post(account::settings))
        .route("/account/sessions/revoke", post(account::revoke))
        .route("/account/second-factor", post(account::enrol))
        .route("/account/second-factor/confirm", post(account::confirm))
        .route("/account/second-factor/remove", post(account::remove))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{number}", get(users::one).post(users::change))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/revoke", post(tokens::revoke))
        .route("/ledger", get(proofs::page))
        .route("/access", get(access::page))
}
