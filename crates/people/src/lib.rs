//! Owns who may come in and who sees what: accounts, roles, sessions, tokens, collections' audiences, the access log.
//! Never touches intelligence: it knows collections and markings, no body of any other room's kind.
//! Data flows: credentials in, one [`Viewer`] out; every query of every room filters with it through [`see`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod act;
mod authenticate;
mod collection;
pub mod entry;
mod error;
mod marking;
mod rights;
pub mod see;
mod snapshot;
mod token;
mod view;
mod viewer;
mod visible;

pub use act::{NodeInfo, init};
pub use authenticate::{AuthError, AuthHeader};
pub use collection::{Account, Collection};
pub use error::{Error, Result};
pub use marking::{CollectionPolicy, EffectiveMarking, OTHERS, Place, Refused, accept};
pub use rights::{Right, Role, table as rights_table};
pub use snapshot::People;
pub use token::{NewToken, TokenRow};
pub use view::room;
pub use viewer::{Credential, Viewer};
pub use visible::VisibleSet;
