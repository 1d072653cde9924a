//! The fold of this room and all of its SQL: `fold.rs` and its parts write, `query*.rs` read. Reading SQL filters with
//! `see(col)` or `see_row(rowid)`; a test reads the SQL and fails where it is missing.
mod dictionary;
mod digest;
mod earlier;
mod fold;
mod gone;
mod letters;
mod parts;
mod spread;
mod stock;
mod text;
mod texts;
mod windows;
mod withdrawals;

pub(crate) use dictionary::row;
pub use fold::IntelRoom;
pub(crate) use letters::letters;
pub(crate) use parts::MOST_LINKED;
pub(crate) use spread::Spread;
#[cfg(any(test, fuzzing))]
pub(crate) use text::of_object as text_of_object;
pub(crate) use text::{searchable_type, spaced};
pub(crate) use texts::{of_text_row, text_row};
pub(crate) use windows::{NARROW, WINDOW_OF, window_word};

/// Bit of `holders.flags`: an observable without versions, which stands for itself in each collection.
pub(crate) const OBSERVABLE: i64 = 256;

/// Bits of `versions.state`.
pub mod state {
    /// The greatest version that stands in its collection.
    pub const LAST: i64 = 1;
    /// The smallest version that stands in its collection.
    pub const FIRST: i64 = 2;
    /// Withdrawn: gone from every door.
    pub const WITHDRAWN: i64 = 4;
    /// Expunged: the body is nowhere.
    pub const EXPUNGED: i64 = 8;
    /// Its maker revoked it: shown, linked no more.
    pub const REVOKED: i64 = 16;
    /// Its deterministic id does not follow from its properties: shown, flagged, never linked.
    pub const WRONG_ID: i64 = 32;
    /// More selectors or references than an entry may bring rows: the rest is not linked.
    pub const NOT_ALL_LINKED: i64 = 64;
    /// An SCO or another object without a version of its own: its arrival is its version.
    pub const UNVERSIONED: i64 = 128;
    /// Its words stand in the full-text index: from when it became the last until it is withdrawn or erased.
    pub const TEXT: i64 = 256;
    /// Either of the two that take a version out of every door.
    pub const GONE: i64 = WITHDRAWN | EXPUNGED;
}
