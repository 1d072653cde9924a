//! From victims' transactions of an EXERCISE world to the frontier, with no chain but stand-ins that answer as Esplora, Etherscan and
//! TronGrid do: how many calls, and how long at so many a second.
mod accounts;
mod coins;
mod server;

use crate::Failure;
use crate::machine::{load as machine_load, memory_mb};
use crate::money_truth::Truth;
use money::chain::{Chain, ChainCode, Options, Room, Source, load};
use money::columns::Mode;
use money::fetch::{Job, Why, fetch};
use money::node::Endpoint;
use money::tags::{Role, Tags, role};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use world::money::{MoneyPlan, write_money};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The world's seed.
    #[arg(long, default_value_t = 1_001)]
    pub seed: u64,
    /// Stories that each chain tells.
    #[arg(long, default_value_t = 2_000)]
    pub stories: u64,
    /// Days.
    #[arg(long, default_value_t = 20)]
    pub days: u64,
    /// So many victims' transactions of each chain at most, spread over all.
    #[arg(long, default_value_t = 100)]
    pub victims: usize,
    /// Calls a second; their time is counted, not waited for, unless `--wait` is given.
    #[arg(long, default_value_t = 5)]
    pub rate: u32,
    /// Calls of one frontier at most.
    #[arg(long, default_value_t = 150)]
    pub calls: u64,
    /// Wait as long as the rate demands.
    #[arg(long)]
    pub wait: bool,
    /// Where folders are made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// What answers questions of plain HTTP: the path with its query, and the body.
pub(crate) type Answering = Arc<dyn Fn(&str, &Value) -> Option<String> + Send + Sync>;

/// Runs; one JSON line a shape.
///
/// # Errors
/// What the world, a load or a fetch answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("bench-frontier-{}-{}", args.seed, std::process::id()));
    let done = all(args, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn all(args: &Args, folder: &Path) -> Result<(), Failure> {
    let (files, data) = (folder.join("world"), folder.join("data"));
    let plan = MoneyPlan { seed: args.seed, stories: args.stories, days: args.days, ..MoneyPlan::default() };
    write_money(&plan, &files, &mut |_, _| ())?;
    let truth = Truth::read(&files.join("truth.jsonl"))?;
    let room = Room::open(&data);
    let mut tags = Tags::open_to_write(&data)?;
    let source = money::tags::Source::TagPack;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let (uri, author, collection, marking) = (None, None, None, None);
    let job = money::tags::Job { file: files.join("tags.yaml"), source, uri, author, collection, marking, now };
    tags.load(&job, &mut |_| ControlFlow::Continue(()))?;
    for (shape, code) in [("esplora", "btc-regtest"), ("etherscan", "evm-31337"), ("trongrid", "trx")] {
        let chain = ChainCode::parse(code)?;
        let (answering, victims) = match code {
            "btc-regtest" => coins::stand_in(&files.join(code), &truth)?,
            _ => {
                let source = Source::Dump(vec![files.join(code)]);
                load(&room, &chain, &source, &Options::default(), &mut |_| ControlFlow::Continue(()))?;
                let Chain::Accounts(accounts) = room.chain(&chain, Mode::Read)? else {
                    return Err("no accounts".into());
                };
                accounts::stand_in(accounts, &chain, &truth)?
            }
        };
        let step = victims.len().div_ceil(args.victims.max(1)).max(1);
        let chosen: Vec<&String> = victims.iter().step_by(step).collect();
        let kinds = Arc::new(Mutex::new(BTreeMap::new()));
        let url = server::serve(counted(answering, Arc::clone(&kinds)))?;
        let mut line = measure(args, (shape, &chain), (url, &chosen), (&tags, folder))?;
        let kinds = kinds.lock().map_err(|_| "a question was not answered")?.clone();
        if let Some(line) = line.as_object_mut() {
            line.insert("calls_by_kind".into(), json!(kinds));
        }
        println!("{line}");
    }
    Ok(())
}

/// Counts questions by their kind: an API's action, or a path without what it names.
fn counted(answering: Answering, kinds: Arc<Mutex<BTreeMap<String, u64>>>) -> Answering {
    Arc::new(move |path, body| {
        let kind = match path.split_once("action=") {
            Some((_, rest)) => rest.split('&').next().unwrap_or_default().to_owned(),
            None => {
                let path = path.split('?').next().unwrap_or_default();
                let named = |part: &&str| part.len() < 20 && !part.starts_with(|letter: char| letter.is_ascii_digit());
                path.split('/').filter(named).collect::<Vec<_>>().join("/")
            }
        };
        if let Ok(mut kinds) = kinds.lock() {
            *kinds.entry(kind).or_default() += 1;
        }
        answering(path, body)
    })
}

fn measure(
    args: &Args,
    (shape, chain): (&str, &ChainCode),
    (url, victims): (String, &[&String]),
    (tags, folder): (&Tags, &Path),
) -> Result<Value, Failure> {
    let service = |address: &str| {
        let all = |_: &money::tags::BatchInfo| true;
        let mut hits = tags.of(address, &all);
        let found = hits.find(|hit| hit.row.said.all_concepts().any(|concept| role(concept) == Role::Service))?;
        Some(found.row.said.label.to_owned())
    };
    let (mut calls, mut seconds, mut whole) = (Vec::new(), Vec::new(), 0);
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    for (n, victim) in victims.iter().enumerate() {
        let endpoint =
            Endpoint { budget: Some(args.calls), calls_a_second: args.wait.then_some(args.rate), ..Endpoint::at(&url) };
        let job = Job {
            endpoint,
            txs: vec![(*victim).clone()],
            addresses: Vec::new(),
            hops: 20,
            until: None,
            hub: 1_000,
            prove: false,
            anew: false,
            now: 1_800_000_000,
            service: &service,
        };
        // Each victim's has a folder of its own: nothing is there from another.
        let room = Room::open(&folder.join(format!("{shape}-{n}")));
        let begin = Instant::now();
        let line = fetch(&room, chain, &job, &mut |_| ControlFlow::Continue(()))?;
        let took = begin.elapsed().as_secs_f64();
        let counted = if args.wait { 0.0 } else { line.calls as f64 / f64::from(args.rate.max(1)) };
        calls.push(line.calls as f64);
        seconds.push(took + counted);
        whole += u64::from(line.whole);
        for end in &line.found.ends {
            *ends.entry(word(end.why)?).or_default() += 1;
        }
    }
    let (p50, max) = (spread(&mut calls), spread(&mut seconds));
    Ok(
        json!({"bench": "frontier", "shape": shape, "seed": args.seed, "stories": args.stories, "victims": victims.len(),
        "budget": args.calls, "rate": args.rate, "waited": args.wait, "whole": whole, "calls_p50": p50.0, "calls_max": p50.1,
        "seconds_p50": max.0, "seconds_max": max.1, "ends": ends, "peak_mb": memory_mb("self", "VmHWM")?,
        "load": machine_load()}),
    )
}

fn word(why: Why) -> Result<String, Failure> {
    Ok(serde_json::to_value(why)?.as_str().unwrap_or_default().to_owned())
}

/// The middle one and the largest, to a hundredth.
fn spread(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |n: usize| values.get(n).map_or(0.0, |value| (value * 100.0).round() / 100.0);
    (at(values.len() / 2), at(values.len().saturating_sub(1)))
}
