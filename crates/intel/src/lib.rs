//! Owns objects, versions, search, selectors' holders, links, imports and reference lists; their pages and commands.
//! Never touches cases, accounts' secrets, or what the viewer may not see.
//! Data flows one way: a command becomes entries (`take`, `import`, `withdraw`), the fold makes rows (`view`), a reading answers a Viewer.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod entry;
mod error;
pub mod http;
mod import;
mod limits;
mod links;
mod overrule;
mod quarantine;
mod reading;
mod reason;
mod room;
mod rows;
mod said;
mod search;
mod stock;
mod strict;
mod take;
pub mod view;
mod withdraw;
mod withdrawals;
mod within;

pub use error::{Error, Result};
pub use import::{ImportJob, ImportReport, ImportRow};
pub use limits::Limits;
pub use links::{HUB, Link, LinkPage, Neighbour, ObjectLinks, Statement, Suppressed, Told, Verdict};
pub use overrule::{Overruled, Word};
pub use people::entry::WORLD;
pub use quarantine::{Frame, Quarantine, SetAside};
pub use reading::Corrections;
pub use reason::Reason;
pub use room::{Intel, Setup};
pub use rows::{Asked, Match, ObjectRow, Page, Standing, VersionMatch, Versions};
pub use search::{Count, Found, Hit, name_of};
pub use stock::CollectionCount;
pub use take::{Taken, Took};
pub use view::IntelRoom;
pub use withdraw::Which;
pub use withdrawals::{Withdrawn, WithdrawnOfImport};
pub use within::Narrow;

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
