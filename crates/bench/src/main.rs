//! Measurements; each prints JSON lines.
mod attack;
mod ingest;
mod ledger;
mod machine;
mod node;
mod server;
mod stream;
mod taxii;

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
    /// From an answered POST to its event.
    Stream(stream::Args),
}

fn main() -> Result<(), Failure> {
    match Cli::parse().what {
        What::Ledger(args) => ledger::run(&args),
        What::Ingest(args) => ingest::run(&args),
        What::Taxii(args) => taxii::run(&args),
        What::Stream(args) => stream::run(&args),
    }
}
