use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The node that agencies run to fight scam compounds together.
#[derive(Debug, Parser)]
#[command(name = "eye", version, about, propagate_version = true)]
pub struct Arguments {
    /// The node's data folder.
    #[arg(long, global = true, env = "EYE_DATA", default_value = "./data", value_name = "DIR")]
    data: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }
}

/// `eye serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Address and port; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    pub listen: std::net::SocketAddr,
    /// Certificate chain, PEM; needed off loopback.
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a node.
    Init {
        /// The agency's name.
        #[arg(long)]
        name: String,
        /// ISO 3166-1 alpha-2, such as TH.
        #[arg(long)]
        country: String,
        /// Everything on this node is an exercise's.
        #[arg(long)]
        exercise: bool,
    },
    /// Serve pages, TAXII and the API.
    Serve(Serve),
    /// Import files, folders or `-` (stdin).
    Ingest(Ingest),
    /// Search everything you may see; several words mean AND.
    Search {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// At most so many.
        #[arg(long, default_value_t = 200)]
        limit: usize,
        /// Words, a selector in any spelling, an id, `type:indicator`.
        #[arg(required = true)]
        query: Vec<String>,
    },
    /// Show one object with its versions.
    Show {
        /// One JSON document.
        #[arg(long)]
        json: bool,
        /// Its STIX id.
        id: String,
    },
    /// What objects share; without a selector all, most holders first.
    Links {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
        /// A selector in any spelling.
        selector: Option<String>,
    },
    /// The collections and what stands in them.
    Collections {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Numbers of the node.
    Stats {
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Write one STIX bundle to stdout.
    Export {
        /// A collection's id, or `intake`; else everything.
        #[arg(long)]
        collection: Option<String>,
        /// The format.
        #[arg(long, default_value = "stix", value_parser = ["stix"])]
        format: String,
    },
    /// Take an object out of every door; its body stays in the log.
    Withdraw(About),
    /// Erase an object: its body is in no file afterwards.
    Expunge(About),
    /// Prove the whole ledger.
    Verify {
        /// Fold every view anew and compare.
        #[arg(long)]
        views: bool,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Fold every view anew, beside the ones that serve.
    Rebuild,
    /// Copy the node while it serves.
    Backup {
        /// The folder to copy to.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Make a node out of a backup, in a new epoch.
    Restore {
        /// The backup.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
    /// People who sign in.
    #[command(subcommand)]
    User(User),
    /// Bearer tokens for programs.
    #[command(subcommand)]
    Token(Token),
    /// EXERCISE worlds.
    #[command(subcommand)]
    World(World),
    /// Reference lists: block lists, warninglists, galaxies.
    #[command(subcommand)]
    Reference(Reference),
    /// Look for what is wrong, and say what to do.
    Doctor {
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Shell completions on stdout.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The manual page on stdout.
    Man,
}

/// `eye ingest`.
#[derive(Debug, Args)]
pub struct Ingest {
    /// stix, stix-lines, misp, tagpack, actorpack, ofac-sdn, list, eth-phishing-detect, csv, text; guessed when absent.
    #[arg(long)]
    pub format: Option<formats::Format>,
    /// A collection's id, or `intake`.
    #[arg(long)]
    pub collection: Option<String>,
    /// TLP for what carries none: clear, green, amber, amber+strict, red.
    #[arg(long)]
    pub marking: Option<stix::Tlp>,
    /// Country of the report, for national telephone forms.
    #[arg(long)]
    pub country: Option<String>,
    /// Mapping of a CSV file, TOML.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Refuse a whole file when one record of it is bad.
    #[arg(long)]
    pub strict: bool,
    /// One JSON document a file.
    #[arg(long)]
    pub json: bool,
    /// Files, folders, `-`.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// An object and why.
#[derive(Debug, Args)]
pub struct About {
    /// Its STIX id: all versions, all collections.
    pub id: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

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
    /// Print a one-time sign-in path.
    Link {
        /// reader, analyst, supervisor, administrator, auditor.
        #[arg(long, default_value = "analyst")]
        role: String,
        /// How long it may be used.
        #[arg(long, default_value_t = 30)]
        minutes: u32,
    },
    /// List accounts.
    List,
}

/// `eye token`.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token and print it, once.
    Create {
        /// reader, analyst, supervisor, administrator, auditor.
        #[arg(long)]
        role: String,
        /// What uses it.
        #[arg(long, default_value = "")]
        name: String,
        /// Days until it ends.
        #[arg(long)]
        days: Option<u32>,
    },
    /// List tokens.
    List,
    /// Revoke a token by its number.
    Revoke {
        /// Its number in the list.
        number: u64,
    },
}

/// `eye world`.
#[derive(Debug, Subcommand)]
pub enum World {
    /// Write a world of files with its truth beside it.
    Write {
        /// The same seed gives the same bytes.
        #[arg(long, default_value_t = 7)]
        seed: u64,
        /// How many agencies.
        #[arg(long, default_value_t = 6)]
        agencies: usize,
        /// How many months.
        #[arg(long, default_value_t = 12)]
        months: usize,
        /// About how many objects.
        #[arg(long, default_value_t = 10_000)]
        objects: usize,
        /// The folder.
        dir: PathBuf,
    },
    /// Bring a small world into a collection of its own.
    Load {
        /// The same seed gives the same objects.
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// Withdraw it.
    Remove,
}

/// `eye reference`.
#[derive(Debug, Subcommand)]
pub enum Reference {
    /// Install lists; one of the same name is replaced.
    Add {
        /// blocklist, warninglist, galaxy.
        #[arg(long, value_parser = ["blocklist", "warninglist", "galaxy"])]
        kind: String,
        /// The list's name; else its own, else the file's.
        #[arg(long)]
        name: Option<String>,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// What is installed.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    /// Whether it works on a node, and so goes through a running server.
    pub fn needs_node(&self) -> bool {
        !matches!(
            self,
            Self::Init { .. }
                | Self::Serve(_)
                | Self::Restore { .. }
                | Self::Completions { .. }
                | Self::Man
                | Self::World(World::Write { .. })
        )
    }

    /// Whether it opens the node when no server has it. Verifying the ledger only reads files: a damaged node must be
    /// told about, not opened.
    pub fn opens_node(&self) -> bool {
        self.needs_node() && !matches!(self, Self::Verify { views: false, .. })
    }
}
