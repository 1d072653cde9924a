//! Asking a node or a server over HTTP: bounded in size and time, again while it is busy, and its address never repeated.
//!
//! [`Endpoint`] says where it is and what of it is loaded, [`Node`] asks: JSON-RPC one by one or several at once, plain HTTP, bytes.
mod batch;
mod client;
mod get;
mod parting;

pub(crate) use batch::MOST_AT_ONCE;
pub use client::{Endpoint, Node, Refusal};
pub(crate) use client::{TRIES, without_text};
pub(crate) use parting::{Branch, parting};
