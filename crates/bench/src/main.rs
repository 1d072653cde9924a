//! Measurements; each prints JSON lines.
mod ledger;
mod links;
mod node;

use clap::{Parser, Subcommand};

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
    /// Precision and recall of links against the truth of EXERCISE worlds.
    Links(links::Args),
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Cli::parse().what {
        What::Ledger(args) => ledger::run(&args),
        What::Links(args) => links::run(&args),
    }
}
