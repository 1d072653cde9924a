//! Owns who passes: every route with its rule, the [`Visitor`], the session's cookie, forms' tokens, the access log's rows.
//! Never decides over collections or objects: that is each handler's second question, to its Viewer.
//! Data flows one way: request → credentials → rule → handler; then status and ids, never a query, into the access log.
//!
//! A room hands out [`Routes`]: each is a method, a path, a [`Rule`] and a handler. [`Gate::open`] makes a [`House`] of
//! them, and a server takes nothing else:
//!
//! ```
//! use gate::{PAGES, Routes, Rule};
//! use people::Right;
//! let routes: Routes = Routes::new(&PAGES)
//!     .get("/hello", Rule::SignedIn, async || "hello")
//!     .post("/greet", Rule::Needs(Right::Write), async || "greeted");
//! assert_eq!(routes.table()[1].to_string(), "pages   POST    /greet  write");
//! ```
//!
//! A route without a rule does not compile:
//!
//! ```compile_fail
//! let routes: gate::Routes = gate::Routes::new(&gate::PAGES).get("/hello", async || "hello");
//! ```
//!
//! Neither does a router that brings its own:
//!
//! ```compile_fail
//! let routes: gate::Routes = gate::Routes::new(&gate::PAGES);
//! let routes = routes.and(axum::Router::new().route("/hello", axum::routing::get(async || "hello")));
//! ```
//!
//! ```compile_fail
//! fn serve(gate: &gate::Gate) -> gate::House {
//!     gate.open(axum::Router::new())
//! }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod about;
mod cookie;
mod door;
mod gate;
mod hourly;
mod house;
mod pass;
mod routes;
mod rule;
mod tally;
mod visitor;

pub use about::About;
pub use door::{API, Door, Logged, PAGES, PUBLIC, Refusal, WATCH};
pub use gate::{Frame, Gate};
pub use house::{BODY_PAUSE, House};
pub use routes::Routes;
pub use rule::{Line, Rule};
pub use tally::{Answered, CLASSES, Tallies};
pub use visitor::{Caller, Visitor};
