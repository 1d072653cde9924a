//! `eye money bank`.
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `eye money bank`.
#[derive(Debug, Subcommand)]
pub enum MoneyBank {
    /// Load bank statements (CAMT.053), or tables of banks and exchanges by a mapping; each file is a load that can be erased.
    Load(BankLoad),
    /// The loads, who may see each, and what does not fit together.
    List {
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// The legs of an account, each once, with every statement that tells it.
    Legs {
        /// The account: an IBAN without spaces, or as other legs name it.
        account: String,
        /// The number of the leg to begin with; the answer before says it.
        #[arg(long, default_value_t = 0, value_name = "LEG")]
        from: u64,
        /// So many at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// The logins of an account that exchanges returned.
    Logins {
        /// The account, as legs name it.
        account: String,
        /// The number of the login to begin with; the answer before says it.
        #[arg(long, default_value_t = 0, value_name = "LOGIN")]
        from: u32,
        /// So many at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Erase loads: their legs leave every file.
    Erase {
        /// Their numbers, as `list` shows them.
        #[arg(required = true, value_name = "LOAD")]
        loads: Vec<u64>,
        /// One JSON object a load.
        #[arg(long)]
        json: bool,
    },
}

/// `eye money bank load`.
#[derive(Debug, Args)]
pub struct BankLoad {
    /// The id of the collection whose readers may see them, or `intake`.
    #[arg(long)]
    pub collection: String,
    /// Whose days the statements' days are: `Asia/Bangkok`, `+07:00`. Absent: UTC, with a warning.
    #[arg(long)]
    pub zone: Option<String>,
    /// What the columns of CSV or .xlsx files mean: statements, receipts, exchange returns (TOML).
    #[arg(long, value_name = "TOML")]
    pub mapping: Option<PathBuf>,
    /// One JSON object a file.
    #[arg(long)]
    pub json: bool,
    /// CAMT.053 files, gzip or not; with a mapping, CSV or .xlsx.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}
