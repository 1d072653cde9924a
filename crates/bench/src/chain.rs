//! `bench chain`: what blocks cost: one real one decoded and joined, a made chain loaded whole, a log of transfers indexed.
use crate::Failure;
use crate::chain_world::{Plan, write_world};
use crate::machine::{load, memory_mb, size_mb};
use crate::transfers;
use money::chain::{ChainCode, Checks, Loaded, Network, Options, Room, Source, decode_block};
use money::columns::{Block, Head, Mode, Origin, Span, Utxo};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A raw block of Bitcoin's main network: decoding with its checks, and the same with the join and the dictionaries.
    Block {
        /// The block.
        file: PathBuf,
        /// So often; the least counts.
        #[arg(long, default_value_t = 40)]
        repeat: u32,
    },
    /// An EXERCISE chain of so many inputs and outputs, made once in a folder, loaded from its block files.
    World {
        /// The folder; what is not there is made.
        folder: PathBuf,
        /// Inputs and outputs together.
        #[arg(long, default_value_t = 20_000_000)]
        rows: u64,
        /// What the chain is drawn from.
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// A log of transfers: opened, indexed in both directions, durable.
    Transfers(transfers::Args),
}

/// Runs, prints one JSON line.
///
/// # Errors
/// Files that cannot be read or written; a block that is refused.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Block { file, repeat } => block(file, *repeat),
        What::World { folder, rows, seed } => world(folder, Plan { rows: *rows, seed: *seed }),
        What::Transfers(args) => transfers::run(args),
    }
}

fn block(file: &Path, repeat: u32) -> Result<(), Failure> {
    let bytes = std::fs::read(file)?;
    let checks = Checks::all(Network::Main);
    let mut block = Block::default();
    let (mut decoded, mut joined, mut appended) = (f64::MAX, f64::MAX, f64::MAX);
    let folder = std::env::temp_dir().join(format!("eye-bench-chain-{}", std::process::id()));
    for _ in 0..repeat.max(1) {
        let start = cpu();
        let header = decode_block(&bytes, None, &checks, &mut block).map_err(|fault| fault.why)?;
        decoded = decoded.min(cpu() - start);
        block.head = Some(Head { height: 0, hash: header.hash, parent: header.parent });
        appended = appended.min(append(&folder, &block)?);
        // The same without whose the outputs are: ids and the join alone.
        block.inputs.iter_mut().for_each(|input| (input.key, input.origin) = (Span::default(), Origin::Unknown));
        block.outputs.iter_mut().for_each(|output| output.key = Span::default());
        joined = joined.min(append(&folder, &block)?);
    }
    let rows = block.inputs.len() + block.outputs.len();
    let line = json!({"bench": "chain", "what": "block", "inputs": block.inputs.len(), "outputs": block.outputs.len(),
        "decode_cpu_ms": thousandths(decoded * 1e3), "join_cpu_ms": thousandths(joined * 1e3),
        "append_cpu_ms": thousandths(appended * 1e3), "decoded_per_cpu_s": per_second(rows as u64, decoded),
        "joined_per_cpu_s": per_second(rows as u64, decoded + joined),
        "appended_per_cpu_s": per_second(rows as u64, decoded + appended),
        "load": load()});
    println!("{line}");
    Ok(())
}

/// Appends a block to an empty record, without opening it and making it durable, which the whole chain's measurement has.
fn append(folder: &Path, block: &Block) -> Result<f64, Failure> {
    let mut chain = Utxo::open(folder, Mode::Write)?;
    let start = cpu();
    chain.append(block)?;
    let spent = cpu() - start;
    drop(chain);
    std::fs::remove_dir_all(folder)?;
    Ok(spent)
}

fn world(folder: &Path, plan: Plan) -> Result<(), Failure> {
    let blocks = folder.join("blocks");
    let made = write_world(&blocks, &plan)?;
    let record = folder.join("record");
    if record.exists() {
        std::fs::remove_dir_all(&record)?;
    }
    let (room, code) = (Room::open(&record), ChainCode::parse("btc-regtest")?);
    let (start, user) = (cpu(), user_seconds());
    let loaded: Loaded =
        money::chain::load(&room, &code, &Source::Blocks(vec![blocks]), &Options::default(), &mut |_| {
            ControlFlow::Continue(())
        })?;
    let (spent, user) = (cpu() - start, user_seconds() - user);
    if let Some(fault) = loaded.faults.first() {
        return Err(fault.to_string().into());
    }
    let line = json!({"bench": "chain", "what": "world", "blocks": loaded.blocks, "rows": loaded.rows, "made": made,
        "cpu_s": thousandths(spent), "user_cpu_s": thousandths(user), "rows_per_cpu_s": per_second(loaded.rows, spent),
        "peak_mb": memory_mb("self", "VmHWM")?, "peak_anon_mb": memory_mb("self", "RssAnon")?,
        "record_mb": size_mb(&record.join("btc-regtest")), "load": load()});
    println!("{line}");
    Ok(())
}

/// Time of this process, s; finer than the hundredths that /proc tells.
pub fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// User time of this process, s, in hundredths.
pub fn user_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().nth(11).and_then(|ticks| ticks.parse().ok()).unwrap_or(0.0) / 100.0
}

pub fn per_second(n: u64, seconds: f64) -> u64 {
    (n as f64 / seconds.max(1e-9)) as u64
}

pub fn thousandths(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
