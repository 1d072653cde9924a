use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use money::chain::ChainCode;
use money::cli::Format;
use std::path::PathBuf;

/// `eye money`.
#[derive(Debug, Subcommand)]
pub enum Money {
    /// Load blocks or a table of transfers; goes on where an earlier load ended.
    Load(MoneyLoad),
    /// What is kept of each chain, up to which block, and bytes a row of each column.
    Inspect {
        /// The chain; else all.
        #[arg(long, value_parser = chain_code)]
        chain: Option<ChainCode>,
        /// One JSON document with --chain, else one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Take blocks back, so that the one at a height is the last.
    Unwind {
        /// The chain.
        #[arg(long, value_parser = chain_code)]
        chain: ChainCode,
        /// The height of the block that is to be the last.
        #[arg(long, value_name = "HEIGHT")]
        to: u64,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
}

/// `eye money load`.
#[derive(Debug, Args)]
pub struct MoneyLoad {
    /// btc, btc-testnet3, btc-testnet4, btc-signet, btc-regtest for blocks; a name of your own for a table.
    #[arg(long, value_parser = chain_code)]
    pub chain: ChainCode,
    /// Guessed when absent: blocks for Bitcoin's networks, transfers for every other chain.
    #[arg(long, value_parser = money_format())]
    pub format: Option<Format>,
    /// Which columns of a table mean what, TOML.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// So many blocks are taken back unasked when the files have a branch with more work.
    #[arg(long, default_value_t = money::chain::Options::default().keep, value_name = "BLOCKS")]
    pub keep: u64,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// Blocks: blk*.dat, their folder (rev*.dat and xor.dat are taken from beside them), raw blocks. Or one CSV file.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

fn chain_code(text: &str) -> Result<ChainCode, money::chain::Error> {
    ChainCode::parse(text)
}

fn money_format() -> impl TypedValueParser<Value = Format> {
    let named = |word: String| Format::NAMES.into_iter().find(|(name, _)| *name == word).map(|(_, format)| format);
    PossibleValuesParser::new(Format::NAMES.map(|(name, _)| name))
        .try_map(move |word| named(word).ok_or("no such format"))
}
