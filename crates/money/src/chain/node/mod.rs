//! A node of Bitcoin's family: asked by JSON-RPC, or by REST where its address ends in `/rest`; followed block after block.
mod coins;
mod follow;
mod rest;
mod rpc;

#[cfg(any(test, fuzzing))]
pub(crate) use coins::coins as coins_told;
pub use follow::follow_node;
