mod bank;
mod clusters;
mod lists;
mod money;
mod people;
mod tags;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

pub use bank::{BankLoad, MoneyBank};
pub use clusters::{MoneyCluster, MoneyContradictions, MoneyDecide, MoneyPair, Pair, What};
pub use lists::{Import, Reference};
pub use money::{
    Money, MoneyAccount, MoneyBalance, MoneyCheck, MoneyCollector, MoneyFetch, MoneyLoad, MoneyRestitution, MoneyTrace,
    MoneyWithin,
};
pub use people::{Access, Collections, Grant, GrantAt, Token, User};
pub use tags::{MoneyTags, TagsFormat, TagsLoad};

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
    /// A proxy on this machine terminates TLS: its `X-Forwarded-For` says who asks, and cookies are for TLS alone.
    #[arg(long, conflicts_with = "tls_cert")]
    pub behind_proxy: bool,
}

impl Serve {
    /// Whether whoever asks comes over TLS, which ends here or at a proxy on this machine.
    pub fn is_over_tls(&self) -> bool {
        self.tls_cert.is_some() || self.behind_proxy
    }
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a node.
    Init {
        /// The agency's name.
        #[arg(long)]
        name: String,
        /// ISO 3166-1 alpha-2, such as TH; XA to XZ for exercises.
        #[arg(long, value_name = "CC")]
        country: stix::Country,
        /// Everything on this node is an exercise's.
        #[arg(long)]
        exercise: bool,
    },
    /// Serve pages, TAXII and the API.
    Serve(Serve),
    /// Import files, folders, http(s) addresses or `-` (stdin).
    Ingest(Ingest),
    /// What was imported, and the records that were set aside.
    #[command(subcommand)]
    Import(Import),
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
    /// What objects share: what links, then what is suppressed and why; without a selector all, by the newest holder.
    Links {
        /// A word on the selector: it `links` although a rule suppresses it, it links `nothing`, or `undo` that.
        #[arg(long, value_name = "WORD", value_parser = ["links", "nothing", "undo"], requires_all = ["reason", "selector"])]
        overrule: Option<String>,
        /// Why it is overruled.
        #[arg(long, requires = "overrule")]
        reason: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
        /// A selector in any spelling.
        selector: Option<String>,
    },
    /// The collections and what stands in them; makes, renames, closes and opens one.
    Collections {
        /// What to do; without it they are listed.
        #[command(subcommand)]
        what: Option<Collections>,
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
    /// Prove the whole ledger, one object, or a proof file.
    Verify {
        /// A STIX id, or a proof file; without it the whole ledger.
        #[arg(conflicts_with = "views")]
        what: Option<String>,
        /// Write the object's proof here, for others to verify without this node.
        #[arg(long, value_name = "FILE", requires = "what")]
        to: Option<PathBuf>,
        /// The agency's public key, 64 hexadecimal digits, as it was told by another way: no other key's proof holds.
        #[arg(long, value_name = "KEY", requires = "what")]
        public_key: Option<String>,
        /// Leave the body out of what is written.
        #[arg(long, requires = "to")]
        without_body: bool,
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
        /// A public key, eyerecovery1…, for which the node's keys are sealed; may be given more than once.
        #[arg(long, value_name = "KEY", conflicts_with_all = ["passphrase_file", "passphrase_stdin"])]
        recipient: Vec<String>,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Make a node out of a backup, in a new epoch.
    Restore {
        /// The backup.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
        /// The file of a recovery key, as `eye recovery-key` wrote it.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase_file", "passphrase_stdin"])]
        recovery_key: Option<PathBuf>,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Make a recovery key, for which backups seal the node's keys; its file belongs away from the node.
    RecoveryKey {
        /// The new file for the private key; the public one is printed.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// People who sign in.
    #[command(subcommand)]
    User(User),
    /// Bearer tokens for programs.
    #[command(subcommand)]
    Token(Token),
    /// Who reads and writes which collection.
    #[command(subcommand)]
    Grant(Grant),
    /// Who asked for what: the access log, newest first.
    Access(Access),
    /// EXERCISE worlds: write one as files, or load a small one here.
    World(World),
    /// Reference lists: block lists, warninglists, galaxies.
    #[command(subcommand)]
    Reference(Reference),
    /// The money's record: chains and tables of transfers, in DATA/money beside the ledger.
    #[command(subcommand)]
    Money(Money),
    /// Look for what is wrong, and say what to do: a line a check, `ok`, `look at` or `broken`. Exit code 1 when
    /// something is broken, else 0. Reads only.
    Doctor {
        /// One JSON document.
        #[arg(long)]
        json: bool,
        /// Says that the clock is right although entries arrived later than it says; appends go on.
        #[arg(long)]
        accept_clock: bool,
    },
    /// Takes down that a command which opens no node was carried out; `eye` itself calls it.
    #[command(hide = true)]
    Logged {
        /// The command.
        #[arg(value_parser = ["money"])]
        what: String,
        /// It failed.
        #[arg(long)]
        failed: bool,
    },
    /// Shell completions on stdout.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The manual page on stdout.
    Man,
}

/// Where a backup's passphrase comes from: never from an argument, which others on the machine could read.
#[derive(Debug, Args)]
pub struct Passphrase {
    /// Its first line is the passphrase. Without any: `EYE_BACKUP_PASSPHRASE`, else it is asked for at the terminal.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Read the passphrase from stdin, one line.
    #[arg(long, conflicts_with = "passphrase_file")]
    pub passphrase_stdin: bool,
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
    /// Country of the report, ISO 3166-1 alpha-2, for national telephone forms; the node's when absent.
    #[arg(long, value_name = "CC")]
    pub country: Option<stix::Country>,
    /// Mapping of a CSV file, TOML.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Refuse a whole file when one record of it is bad.
    #[arg(long)]
    pub strict: bool,
    /// One JSON document a file.
    #[arg(long)]
    pub json: bool,
    /// Lines of headers for addresses, such as `Authorization: Bearer …`; kept out of the shell's history.
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
    /// Certificates of authorities for addresses, PEM; in place of the public ones.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Files, folders, http(s) addresses, `-`.
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

/// `eye world`.
#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub struct World {
    /// What to do with the small world.
    #[command(subcommand)]
    pub here: Option<WorldHere>,
    /// The world to write.
    #[command(flatten)]
    pub files: WorldFiles,
}

/// A world of files with its truth beside it.
#[derive(Debug, Args)]
pub struct WorldFiles {
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// How many agencies.
    #[arg(long, default_value_t = 6)]
    pub agencies: usize,
    /// How many months.
    #[arg(long, default_value_t = 12)]
    pub months: usize,
    /// About how many objects.
    #[arg(long, default_value_t = 10_000)]
    pub objects: usize,
    /// Chains with money beside the reports, in DIR/money: so many stories each, of some ten transactions.
    #[arg(long, value_name = "STORIES", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub money: Option<u64>,
    /// The folder to write to.
    #[arg(required = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `eye world`'s subcommands.
#[derive(Debug, Subcommand)]
pub enum WorldHere {
    /// Write a world of files: the same as `eye world DIR`.
    #[command(hide = true)]
    Write(WorldFiles),
    /// Bring a small world into a collection of its own.
    Load {
        /// The same seed gives the same objects; 7 when none is given.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Withdraw it.
    Remove,
}

impl World {
    /// The world to write as files, if that is asked for.
    pub fn written(&self) -> Option<&WorldFiles> {
        match &self.here {
            None => Some(&self.files),
            Some(WorldHere::Write(files)) => Some(files),
            Some(_) => None,
        }
    }
}

impl Command {
    /// What is taken down in the access log by a command of its own, for this one opens no node.
    pub fn logged_apart(&self) -> Option<&'static str> {
        matches!(self, Self::Money(what) if !what.needs_node()).then_some("money")
    }

    /// Whether it works on a node, and so goes through a running server.
    pub fn needs_node(&self) -> bool {
        match self {
            Self::Init { .. } | Self::Serve(_) | Self::Restore { .. } | Self::RecoveryKey { .. } => false,
            Self::Completions { .. } | Self::Man => false,
            Self::World(world) => world.written().is_none(),
            // Its folder has locks of its own; decisions stand in the ledger.
            Self::Money(what) => what.needs_node(),
            Self::Verify { what: Some(what), .. } => !is_proof_file(what),
            _ => true,
        }
    }

    /// Whether it opens the node when no server has it. Looking at it and verifying its ledger only read files: a damaged
    /// node must be told about, not opened.
    pub fn opens_node(&self) -> bool {
        let reads_files =
            matches!(self, Self::Verify { what: None, views: false, .. } | Self::Doctor { accept_clock: false, .. });
        self.needs_node() && !reads_files
    }
}

/// Whether a word of `eye verify` names a proof file: anything that is no STIX id.
pub fn is_proof_file(what: &str) -> bool {
    stix::StixId::parse(what).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::money::cli::Format;

    #[test]
    fn a_world_is_written_in_the_form_that_is_promised_and_loaded_or_removed_by_name() {
        let world = |words: &str| match Arguments::try_parse_from(words.split(' ')).unwrap().command {
            Command::World(world) => world,
            other => panic!("{other:?}"),
        };
        let written = world("eye world --seed 9 --agencies 5 --months 3 --objects 100 DIR");
        let files = written.written().unwrap();
        assert_eq!((files.seed, files.agencies, files.months, files.objects), (9, 5, 3, 100));
        assert_eq!(files.dir.as_deref(), Some(std::path::Path::new("DIR")));
        assert!(world("eye world write DIR").written().is_some());
        assert!(matches!(world("eye world load --data D").here, Some(WorldHere::Load { seed: None })));
        assert!(matches!(world("eye world --data D remove").here, Some(WorldHere::Remove)));
        assert!(Arguments::try_parse_from(["eye", "world"]).is_err());
    }

    #[test]
    fn money_is_loaded_by_this_process_even_beside_a_server_and_takes_no_name_that_leaves_its_folder() {
        let read = |words: &str| Arguments::try_parse_from(words.split(' ')).map(|a| a.command);
        let load = read("eye money load --data D --chain btc --format blocks blk00000.dat").unwrap();
        assert!(!load.needs_node());
        assert!(matches!(load, Command::Money(Money::Load(MoneyLoad { format: Some(Format::Blocks), keep: 100, .. }))));
        let bank = read("eye money bank load --data D --collection intake --zone +07:00 s.xml").unwrap();
        assert!(!bank.needs_node() && matches!(bank, Command::Money(Money::Bank(MoneyBank::Load(_)))));
        assert!(read("eye money bank load s.xml").is_err(), "a statement belongs to a collection");
        let tags = read("eye money tags load --data D --collection intake --marking amber pack.yaml").unwrap();
        assert!(!tags.needs_node() && matches!(tags, Command::Money(Money::Tags(MoneyTags::Load(_)))));
        assert!(read("eye money tags load --signs-as X f").is_err(), "a name is the actor's");
        for wrong in ["--chain ../x f", "--chain BTC f", "--chain btc --format parquet f", "--chain btc", "f"] {
            assert!(read(&format!("eye money load {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proof_file_is_verified_without_a_node_and_an_object_with_one() {
        let needs = |words: &str| Arguments::try_parse_from(words.split(' ')).unwrap().command.needs_node();
        assert!(!needs("eye verify proof.json"));
        assert!(needs("eye verify note--00000000-0000-4000-8000-000000000001"));
        assert!(needs("eye verify"));
    }

    #[test]
    fn a_selector_is_overruled_with_a_reason_alone() {
        assert!(Arguments::try_parse_from(["eye", "links", "--overrule", "links", "shop.example"]).is_err());
        assert!(Arguments::try_parse_from(["eye", "links", "--overrule", "links", "--reason", "EXERCISE"]).is_err());
    }
}
