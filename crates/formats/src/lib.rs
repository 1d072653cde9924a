//! Owns the reading of other people's files: STIX, MISP, TagPack, OFAC, lists, CSV and free text become STIX 2.1 records.
//! Never opens a file, speaks SQL or asks the network, and never rewrites STIX: what was received is what is handed on.
//! Data flows one way: a `BufRead` and [`Options`] in, [`Item`]s to the caller's sink out, one at a time, in bounded memory.
//!
//! The mapping of each format to STIX is written down, one table a format, in `docs/` beside this crate.
//!
//! ```
//! use std::ops::ControlFlow;
//! let ids = formats::KeyedIds::new([7; 32]);
//! let options = formats::Options::new("gaso.txt", &ids);
//! let mut found = Vec::new();
//! let summary = formats::read(formats::Format::List, Box::new(&b"# sites\nscam.example\n"[..]), &options, &mut |item| {
//!     if let formats::Item::Object(record) = item { found.push(record.body) }
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!((summary.objects, summary.bad), (1, 0));
//! assert!(found[0].contains(r#""value":"scam.example""#));
//! # Ok::<(), formats::ReadError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod actorpack;
mod beside;
mod canonical;
mod csv_file;
mod dates;
mod fault;
mod format;
mod ids;
mod input;
mod json;
mod list;
mod mapping;
mod members;
mod misp;
mod object;
mod ofac;
mod pack;
mod phishing;
mod record;
mod stix_file;
mod tagpack;
mod text;
mod typing;
pub mod vocabulary;
mod yaml;

pub use beside::{Beside, beside};
pub use canonical::canonical_json;
pub use fault::{Fault, Why};
pub use format::{Format, GuessError, guess};
pub use ids::{IdMaker, KeyedIds, deterministic_id};
pub use input::decompress;
pub use mapping::{Column, Mapping, MappingError};
pub use ofac::xml_entity;
pub use pack::{PackActor, PackItem, PackTag, confidence_of, read_pack};
pub use record::{Bad, Item, Limits, Options, Position, ReadError, Record, Summary, TextAs, TimesKnown};
pub use typing::{Typed, is_placeholder, network_of, type_of};

use std::io::BufRead;
use std::ops::ControlFlow;

/// Reads one file of a known format and hands every record to `sink`, good and bad, in the order of the file.
///
/// Gzip and bzip2 are recognised by their first bytes and undone on the way. Memory stays bounded by
/// [`Limits`], whatever the size of the file. `sink` may stop the reading with `ControlFlow::Break`; the
/// summary then says `stopped`.
///
/// # Errors
/// [`ReadError`] when the file as a whole cannot be read on (truncated, malformed beyond one record, over a
/// limit). What was handed to `sink` before stays good; the error carries how far the reading came.
pub fn read<'i>(
    format: Format,
    input: Box<dyn BufRead + 'i>,
    options: &Options<'_>,
    sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, ReadError> {
    let mut out = record::Out::new(format, options, sink);
    let input::Opened { input, marked, utf16 } = input::open(input, options.limits.max_input_bytes, format)?;
    let outcome = match format {
        Format::StixBundle => stix_file::read_bundle(input, &mut out),
        Format::StixLines => stix_file::read_lines(input, &mut out),
        Format::MispEvent => misp::read(input, &mut out),
        Format::TagPack => tagpack::read(input, &mut out),
        Format::ActorPack => actorpack::read(input, &mut out),
        Format::OfacSdn => ofac::read(input, &mut out),
        Format::List => list::read(input, &mut out),
        Format::PhishingConfig => phishing::read(input, &mut out),
        Format::Csv => csv_file::read(input, marked, &mut out),
        Format::Text => text::read(input, utf16, &mut out),
    };
    match outcome {
        Ok(()) | Err(ReadError::Stopped) => Ok(out.finish()),
        Err(error) => Err(error),
    }
}

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
