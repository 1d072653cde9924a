//! Owns the front office: sign-in, and the pages of accounts, users, tokens, grants, the ledger and the access log.
//! Never reads intelligence: it knows who asks and what their role may, no object and no search.
//! Data flows: a [`gate::Visitor`] and a form in, a page or a changed account out.
//!
//! The roof puts its pages beside the other rooms', and its frame around all of them:
//!
//! ```no_run
//! # fn roof(ledger: &ledger::Ledger, people: &people::People, rooms: gate::Routes) -> Result<gate::House, web::i18n::I18nError> {
//! let catalogue = web::Catalogue::new(&[("en", office::FTL)])?;
//! let hall = web::Hall { catalogue, node_name: "EXERCISE agency".into(), exercise: true, tls: false };
//! let gate = gate::Gate::new(ledger, people, hall).framed(office::frame);
//! let facts = office::Facts::new(Vec::new, || None);
//! Ok(gate.open(office::routes(&gate, facts).and(rooms)))
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod access;
mod account;
mod collections;
mod desk;
mod nav;
mod office;
mod proofs;
mod shown;
mod sign_in;
mod tokens;
mod users;

pub use desk::Facts;
pub use nav::frame;

use gate::{Gate, PAGES, Routes, Rule};
use office::Office;
use people::Right;

/// The room's English strings, for [`web::Catalogue::new`].
pub const FTL: &str = include_str!("../i18n/en/office.ftl");

/// The room's pages; `facts` tells what stands on the administrator's first one.
pub fn routes(gate: &Gate, facts: Facts) -> Routes {
    // Whoever has no session in a browser (another node) has no account pages either.
    let own = Rule::Needs(Right::SignIn);
    let accounts = Rule::Needs(Right::ManageAccounts);
    let (log, audiences) = (Rule::Needs(Right::SeeAccessLog), Rule::Needs(Right::SeeAudiences));
    Routes::new(&PAGES)
        .get("/sign-in", Rule::Open, sign_in::page)
        .post("/sign-in", Rule::Open, sign_in::submit)
        .get("/sign-in/link/{secret}", Rule::Open, sign_in::link_page)
        .post("/sign-in/link/{secret}", Rule::Open, sign_in::link_submit)
        .post("/sign-out", own, sign_in::out)
        .get("/account", own, account::page)
        .post("/account/password", own, account::password)
        .post("/account/settings", own, account::settings)
        .post("/account/sessions/revoke", own, account::revoke)
        .post("/account/second-factor", own, account::enrol)
        .post("/account/second-factor/confirm", own, account::confirm)
        .post("/account/second-factor/remove", own, account::remove)
        .get("/users", accounts, users::list)
        .post("/users", accounts, users::add)
        .get("/users/{number}", accounts, users::one)
        .post("/users/{number}", accounts, users::change)
        .get("/tokens", own, tokens::list)
        .post("/tokens", own, tokens::create)
        .post("/tokens/revoke", own, tokens::revoke)
        .get("/ledger", Rule::Needs(Right::SeeProofs), proofs::page)
        .get("/access", log, access::page)
        .post("/access", log, access::look)
        .get("/access/rows.csv", log, access::rows)
        .get("/collections", audiences, collections::list)
        .post("/collections", Rule::Needs(Right::Grant), collections::make)
        .get("/collections/{collection}", audiences, collections::one)
        .post("/collections/{collection}", Rule::Needs(Right::Grant), collections::change)
        .get("/desk", Rule::Needs(Right::SeeCollections), desk::page)
        .with_state(Office::new(gate, facts))
}
