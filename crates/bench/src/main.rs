//! Measurements; each prints JSON lines.
mod ledger;

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
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Cli::parse().what {
        What::Ledger(args) => ledger::run(&args),
    }
}
