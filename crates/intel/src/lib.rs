//! Owns objects, versions, search, selectors' holders, links, imports and reference lists; their pages and commands.
//! Never touches cases, accounts' secrets, or what the viewer may not see.
//! Data flows one way: a command becomes entries (`act`), the fold makes rows (`view`), a reading answers a Viewer (`read`).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod entry;
pub mod view;
mod withdrawal;

pub use view::IntelRoom;
pub use withdrawal::Withdrawal;
