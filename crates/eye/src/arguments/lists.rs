//! What came in, and what values are told apart by.
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use reference::ListKind;
use std::path::PathBuf;

/// `eye import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// The imports, newest first.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// One import.
    Show {
        /// One JSON document.
        #[arg(long)]
        json: bool,
        /// Its number.
        number: u64,
    },
    /// The records that an import set aside, each with its reason.
    Quarantine {
        /// One JSON object a line.
        #[arg(long, conflicts_with = "raw")]
        json: bool,
        /// The records alone, one a line, to be mended and ingested again; rows of a CSV file below their header.
        #[arg(long)]
        raw: bool,
        /// The mapping with which rows of a CSV file are read again.
        #[arg(long, conflicts_with_all = ["json", "raw", "drop"])]
        mapping: bool,
        /// Drop what is kept of them.
        #[arg(long, conflicts_with_all = ["json", "raw"])]
        drop: bool,
        /// Its number.
        number: u64,
    },
    /// Withdraw what an import brought and no other import has seen.
    Withdraw {
        /// Its number.
        number: u64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// `eye reference`.
#[derive(Debug, Subcommand)]
pub enum Reference {
    /// Install lists; one of the same name is replaced.
    Add {
        /// What standing in it means.
        #[arg(long, value_parser = list_kind())]
        kind: ListKind,
        /// The list's name; else its file's, or its folder's when the file is called `list`.
        #[arg(long)]
        name: Option<String>,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// What is installed: name, kind, entries, day, title.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Take lists away: what they suppressed links again, what they named is listed no more. Undo: add them again.
    Remove {
        /// Which, where lists of several kinds have the name.
        #[arg(long, value_parser = list_kind())]
        kind: Option<ListKind>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Their names, as `eye reference list` shows them.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

fn list_kind() -> impl TypedValueParser<Value = ListKind> {
    PossibleValuesParser::new(ListKind::ALL.map(ListKind::as_str))
        .try_map(|word| ListKind::of(&word).ok_or("no such kind"))
}
