//! Owns who may come in and who sees what: accounts, roles, sessions, tokens, collections' audiences, the access log.
//! Never touches intelligence: it knows collections and markings, no body of any other room's kind.
//! Data flows: credentials in, one [`Viewer`] out; every query of every room filters with it through [`see`].
//!
//! ```
//! use people::{AuthHeader, NewToken, NodeInfo, People, Role};
//! let dir = tempfile::tempdir()?;
//! ledger::Ledger::create(dir.path())?;
//! let ledger = ledger::Ledger::open(dir.path(), ledger::Options::default(), vec![people::room()])?;
//! people::init(&ledger, NodeInfo { name: "EXERCISE agency".into(), country: "TH".into(), exercise: true })?;
//! let people = People::open(&ledger)?;
//!
//! let new = NewToken { name: "feed", role: Role::Reader, days: Some(90) };
//! let header = format!("Bearer {}", people.create_token(&people.local_viewer()?, &new)?);
//! let asks = AuthHeader { authorization: Some(&header), cookie: None, peer: [192, 0, 2, 1].into() };
//! let viewer = people.authenticate(&asks)?.ok_or("nobody")?;
//! let intake = people.collection(ledger::INTAKE)?.ok_or("no intake")?;
//! assert!(viewer.sees(intake.col) && !viewer.may_write(intake.col));
//! # ledger.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod access;
mod act;
mod authenticate;
mod collection;
mod deeds;
pub mod entry;
mod error;
mod filter;
mod grant;
mod link;
mod marking;
mod password;
mod people;
mod personal;
mod remembered;
mod rights;
mod second_factor;
pub mod see;
mod session;
mod snapshot;
mod throttle;
mod token;
mod user;
mod view;
mod viewer;
mod visible;

pub use access::{Access, AccessHead, AccessLog, AccessRow};
pub use act::{LONGEST_NAME, LONGEST_TEXT, NewCollection, NodeInfo, init};
pub use authenticate::{AuthError, AuthHeader, Options, SignIn};
pub use collection::{Account, Collection};
pub use deeds::DeedAbout;
pub use error::{Error, Result};
pub use filter::{AccessFilter, AccessKind, AccessPage, Outcome, Sought};
pub use grant::{Reach, Whom};
pub use link::{IssuedLink, LinkState, MadeLink, NewLink, is_link_id};
pub use marking::{CollectionPolicy, EffectiveMarking, OTHERS, Place, Refused, accept};
pub use password::{Cost, SHORTEST as SHORTEST_PASSWORD, check_rules};
pub use people::People;
pub use personal::{account_id, account_of_id, is_guessable, subject, told};
pub use rights::{Right, Role, table as rights_table};
pub use second_factor::Enrolment;
pub use session::{Lasting, SessionRow, SignedIn};
pub use throttle::Guessing;
pub use token::{NewToken, TokenRow};
pub use view::room;
pub use viewer::{Credential, Viewer};
pub use visible::VisibleSet;

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
