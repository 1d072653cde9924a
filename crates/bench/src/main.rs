//! Measurements; each prints JSON lines.
mod attack;
mod chain;
mod chain_world;
mod cluster;
mod exercise;
mod frontier;
mod ingest;
mod ledger;
mod links;
mod machine;
mod money_truth;
mod node;
mod sdn;
mod search;
mod server;
mod shared;
mod size;
mod stream;
mod tags;
mod taxii;
mod transfers;

use clap::{Parser, Subcommand};

type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(about = "Measures the node's parts and prints JSON lines")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The log and its index, in process.
    Ledger(ledger::Args),
    /// Appending and folding, in process.
    Ingest(ingest::Args),
    /// POST, paging, GET by id over HTTP, ours and the peer's.
    Taxii(taxii::Args),
    /// Memory, start and bytes of a node with a million objects.
    Size(size::Args),
    /// From an answered POST to its event.
    Stream(stream::Args),
    /// Precision and recall of links against the truth of EXERCISE worlds.
    Links(links::Args),
    /// First pages of searches over many objects, by who asks.
    Search(search::Args),
    /// OFAC's SDN list: unpacking, bare quick-xml, reading, the whole.
    Sdn(sdn::Args),
    /// Blocks of Bitcoin's kind: decoding, joining, loading.
    Chain(chain::Args),
    /// Clusters over co-spent inputs.
    Cluster(cluster::Args),
    /// Precision and recall of the rules for clusters against the truth of EXERCISE money.
    MoneyTruth(money_truth::Args),
    /// From victims' transactions to the frontier without a chain, over stand-ins of three APIs: calls and seconds.
    Frontier(frontier::Args),
    /// Loading tags, and asking what is said of an address.
    Tags(tags::Args),
    /// Objects that share one selector.
    Shared(shared::Args),
}

fn main() -> Result<(), Failure> {
    match Cli::parse().what {
        What::Ledger(args) => ledger::run(&args),
        What::Ingest(args) => ingest::run(&args),
        What::Taxii(args) => taxii::run(&args),
        What::Size(args) => size::run(&args),
        What::Stream(args) => stream::run(&args),
        What::Links(args) => links::run(&args),
        What::Search(args) => search::run(&args),
        What::Sdn(args) => sdn::run(&args),
        What::Chain(args) => chain::run(&args),
        What::Cluster(args) => cluster::run(&args),
        What::MoneyTruth(args) => money_truth::run(&args),
        What::Frontier(args) => frontier::run(&args),
        What::Tags(args) => tags::run(&args),
        What::Shared(args) => shared::run(&args),
    }
}
