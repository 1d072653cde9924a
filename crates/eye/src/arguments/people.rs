//! The words of `eye user`, `token`, `grant` and `access`.
use clap::{Args, Subcommand};

/// `eye user`.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add somebody.
    Add {
        /// The name to sign in with.
        #[arg(long)]
        name: String,
        /// reader, analyst, supervisor, administrator, auditor.
        #[arg(long)]
        role: String,
        /// Read the password from stdin, one line.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Print a sign-in path that works once, for one person: without --user for an account of its own.
    Link {
        /// Whom it signs in: an account by its name, made if there is none.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        user: String,
        /// reader, analyst, supervisor, administrator, auditor; else the account's own, of a new one analyst.
        #[arg(long)]
        role: Option<String>,
        /// How long it may be used.
        #[arg(long, default_value_t = 30)]
        minutes: u32,
    },
    /// List accounts.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// `eye token`.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token and print it, once.
    Create {
        /// reader, analyst, supervisor, administrator, auditor, peer (another node: `eye grant` says what it sees).
        #[arg(long)]
        role: String,
        /// What uses it.
        #[arg(long, default_value = "")]
        name: String,
        /// Days until it ends.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        days: Option<u32>,
    },
    /// List tokens.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token by its number.
    Revoke {
        /// Its number in the list.
        number: u64,
    },
}

/// `eye grant`.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Let an account or a role read a collection; granted again, the last word holds.
    Add {
        /// The collection.
        #[command(flatten)]
        at: GrantAt,
        /// It may write, too.
        #[arg(long)]
        write: bool,
    },
    /// Take a grant back.
    Remove {
        /// The collection.
        #[command(flatten)]
        at: GrantAt,
    },
    /// Who may what.
    List {
        /// One collection: its id, its title, or `intake`.
        #[arg(long, conflicts_with = "account")]
        collection: Option<String>,
        /// What one account may, by its role and by name.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// A collection and whom a grant on it is for.
#[derive(Debug, Args)]
pub struct GrantAt {
    /// Its id, its title, or `intake`.
    #[arg(long)]
    pub collection: String,
    /// An account, by its name.
    #[arg(long, value_name = "NAME", required_unless_present = "role", conflicts_with = "role")]
    pub account: Option<String>,
    /// A role, and those above it: reader, analyst, supervisor (a neighbour is granted by name).
    #[arg(long)]
    pub role: Option<String>,
}

/// `eye collections`.
#[derive(Debug, Subcommand)]
pub enum Collections {
    /// Make a collection for an audience of its own, and print its id. Nobody reads it until `eye grant` lets them.
    Create {
        /// What people call it.
        title: String,
        /// What stands in it.
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// The tightest marking that may stand in it: CLEAR, GREEN, AMBER, AMBER+STRICT, RED.
        #[arg(long, value_name = "TLP", default_value = "AMBER+STRICT")]
        marking: String,
        /// The marking of objects that bring none; else that of --marking.
        #[arg(long, value_name = "TLP")]
        default: Option<String>,
        /// Its readers find it over TAXII.
        #[arg(long)]
        listed: bool,
        /// Its contents are an exercise's.
        #[arg(long)]
        exercise: bool,
    },
    /// Give a collection another title.
    Rename {
        /// Its id or title.
        collection: String,
        /// What people call it from now on.
        title: String,
        /// What stands in it; else as it was.
        #[arg(long)]
        description: Option<String>,
    },
    /// Close a collection: nobody reads or writes it, and what stands in it stays.
    Close {
        /// Its id or title.
        collection: String,
    },
    /// Open a closed collection again, with the audience that it had.
    Open {
        /// Its id or title.
        collection: String,
    },
}

/// `eye access`.
#[derive(Debug, Args)]
pub struct Access {
    /// One account, by its name; `nobody` = requests of nobody who had signed in.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// object, selector, search, overview, report, import, sign-in, accounts, record, taxii, stream, command.
    #[arg(long)]
    pub kind: Option<::people::AccessKind>,
    /// One method or command, such as POST or expunge.
    #[arg(long, value_name = "WORD")]
    pub method: Option<String>,
    /// An object's id, a selector in any spelling, or the very words of a search.
    #[arg(long, value_name = "TEXT")]
    pub about: Option<String>,
    /// answered, refused, wrong, failed.
    #[arg(long)]
    pub outcome: Option<::people::Outcome>,
    /// From this day or moment on, UTC: 2026-11-24 or 2026-11-24T10:50:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<i64>,
    /// Before this day or moment.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<i64>,
    /// Rows before this number.
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
    /// Check every row against the one before it, and say where the log stands.
    #[arg(long, conflicts_with_all = ["account", "kind", "method", "about", "outcome", "since", "until", "before"])]
    pub verify: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// A day or moment, UTC, as µs since 1970.
fn moment(text: &str) -> Result<i64, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let read = whole.parse::<stix::Instant>().map(|at| at.0);
    read.map_err(|_| "write a day such as 2026-11-24, or a moment such as 2026-11-24T10:50:00Z".to_owned())
}
