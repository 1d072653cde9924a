//! `eye money tags`.
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `eye money tags`.
#[derive(Debug, Subcommand)]
pub enum MoneyTags {
    /// Load files of tags, each as a batch that can be removed whole.
    Load(TagsLoad),
    /// The batches: where each is from, who may see it, what became of its tags.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What is said of an address or transaction, by whom, and where they contradict each other.
    Show {
        /// The address or transaction.
        address: String,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Take batches out, and their files from the disk.
    Remove {
        /// Their numbers, as `list` shows them.
        #[arg(required = true, value_name = "BATCH")]
        batches: Vec<u64>,
        /// One JSON object a batch.
        #[arg(long)]
        json: bool,
    },
}

/// What a file of tags is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TagsFormat {
    /// GraphSense TagPack, YAML.
    #[value(name = "tagpack")]
    TagPack,
    /// GraphSense ActorPack, YAML.
    #[value(name = "actorpack")]
    ActorPack,
    /// OFAC's SDN list as Advanced XML.
    OfacSdn,
    /// Addresses with messages that their keys signed (proof of reserves), CSV.
    Reserves,
}

/// `eye money tags load`.
#[derive(Debug, Args)]
pub struct TagsLoad {
    /// Guessed when absent.
    #[arg(long)]
    pub format: Option<TagsFormat>,
    /// The id of the collection whose readers may see them, or `intake`; else whoever may read this node's reference lists.
    #[arg(long)]
    pub collection: Option<String>,
    /// Their TLP: clear, green, amber, amber+strict, red.
    #[arg(long)]
    pub marking: Option<stix::Tlp>,
    /// Where the files can be had.
    #[arg(long)]
    pub uri: Option<String>,
    /// Who made them, when they do not say so themselves.
    #[arg(long)]
    pub author: Option<String>,
    /// Signed addresses: whose they are, the actor's id in an ActorPack.
    #[arg(long, value_name = "ID")]
    pub actor: Option<String>,
    /// Signed addresses: the name that each message must hold; else the actor's id.
    #[arg(long, value_name = "NAME", requires = "actor")]
    pub signs_as: Option<String>,
    /// One JSON object a file.
    #[arg(long)]
    pub json: bool,
    /// Files, and folders of YAML files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}
