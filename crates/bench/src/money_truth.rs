//! `bench money-truth`: precision and recall of the rules for clusters, against the truth of EXERCISE worlds.
//!
//! Each world's files are loaded as `eye money load` and `eye money tags load` do. A rule's conclusions are counted by what the truth
//! says of them; beside its precision stands the lower end of its 95 % interval (Wilson 1927). Wrong ones are told by the trap that
//! caught them. Rules are tuned on `world::money::TUNING` and judged on `world::money::JUDGING`, which is the default.
use crate::Failure;
use crate::machine::{load as machine_load, memory_mb};
use money::chain::{Chain, ChainCode, Network, Options, Room, Source, load};
use money::cluster::accounts::{Derived, Excluded, Known, Params, derive, recheck};
use money::cluster::{Attribution, Clusters, CoSpends, ErrorRate, Evidence, Rule, Spends, contradictions, measured};
use money::columns::{Accounts, Mode, Utxo};
use money::evm::Profile;
use money::tags::{Job, TagEvidence, Tags, evidence};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use world::money::truth::{AddressTruth, Line, Use};
use world::money::{MoneyPlan, write_money};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seeds, `1001-1020` or `7`.
    #[arg(long, default_value = "1001-1020")]
    pub seeds: String,
    /// Stories that each chain tells.
    #[arg(long, default_value_t = 2_000)]
    pub stories: u64,
    /// Days.
    #[arg(long, default_value_t = 20)]
    pub days: u64,
    /// Where folders are made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// The file of rates that is compiled into `money`: written anew.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Names up to so many wrong conclusions of each rule.
    #[arg(long, default_value_t = 0)]
    pub wrong: usize,
}

/// What became of one rule's conclusions.
#[derive(Debug, Default)]
struct Tally {
    right: u64,
    wrong: u64,
    /// Of what the rule should find, how much it found.
    found: u64,
    of: u64,
    traps: BTreeMap<String, u64>,
    examples: Vec<String>,
}

impl Tally {
    fn judge(&mut self, right: bool, trap: Option<String>, example: impl FnOnce() -> String) {
        if right {
            self.right += 1;
            return;
        }
        self.wrong += 1;
        *self.traps.entry(trap.unwrap_or_else(|| "none".into())).or_default() += 1;
        self.examples.push(example());
    }

    fn line(&self, rule: &str, args: &Args) -> Value {
        let rate = ErrorRate { wrong: self.wrong, of: self.right + self.wrong, data_set: String::new() };
        let (_, high) = rate.interval();
        let share = |part: u64, of: u64| if of == 0 { Value::Null } else { json!(round(part as f64 / of as f64)) };
        json!({"bench": "money-truth", "rule": rule, "seeds": args.seeds, "stories": args.stories, "n": rate.of,
            "precision": share(self.right, rate.of), "precision_low95_wilson": if rate.of == 0 { Value::Null } else { json!(round(1.0 - high)) },
            "recall": share(self.found, self.of), "recall_of": self.of, "wrong_by_trap": self.traps,
            "wrong": self.examples.iter().take(args.wrong).collect::<Vec<_>>()})
    }
}

fn round(x: f64) -> f64 {
    (x * 1e5).floor() / 1e5
}

/// Everything that is judged.
#[derive(Debug, Default)]
struct Tallies {
    rules: BTreeMap<&'static str, Tally>,
    /// Clusters that hold two tagged parties; of coins, clusters that hold two owners by the truth.
    contradictions: u64,
    two_owners: u64,
    /// Witnesses that the record does not bear out.
    unproven: u64,
    txs: u64,
    /// How many addresses each trap was set with.
    traps: BTreeMap<String, u64>,
}

impl Tallies {
    fn of(&mut self, rule: &'static str) -> &mut Tally {
        self.rules.entry(rule).or_default()
    }
}

/// Runs; one JSON line a rule and one for the whole.
///
/// # Errors
/// What a world or a load answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let mut tallies = Tallies::default();
    for seed in seeds(&args.seeds)? {
        let folder = parent.join(format!("bench-money-{seed}-{}", std::process::id()));
        let done = one(args, seed, &folder, &mut tallies);
        std::fs::remove_dir_all(&folder)?;
        done?;
    }
    for (rule, tally) in &tallies.rules {
        println!("{}", tally.line(rule, args));
    }
    if let Some(file) = &args.write {
        std::fs::write(file, rates(args, &tallies).to_toml()?)?;
    }
    println!(
        "{}",
        json!({"bench": "money-truth", "rule": "all", "seeds": args.seeds, "txs": tallies.txs, "trapped_addresses": tallies.traps,
            "contradictions": tallies.contradictions, "coin_clusters_of_two_owners": tallies.two_owners, "witnesses_not_borne_out": tallies.unproven,
            "peak_mb": memory_mb("self", "VmHWM")?, "load": machine_load()})
    );
    Ok(())
}

/// What was measured, of which rules.
fn rates(args: &Args, tallies: &Tallies) -> measured::Truth {
    let rate = |tally: &Tally| {
        let (wrong, of) = (tally.wrong, tally.right + tally.wrong);
        let interval = ErrorRate { wrong, of, data_set: String::new() }.interval();
        measured::Rate { wrong, of, interval }
    };
    measured::Truth {
        data_set: format!("EXERCISE money, seeds {}, {} stories each", args.seeds, args.stories),
        rules_version: measured::version(),
        rules: tallies.rules.iter().map(|(rule, tally)| ((*rule).to_owned(), rate(tally))).collect(),
    }
}

fn seeds(text: &str) -> Result<Vec<u64>, Failure> {
    Ok(match text.split_once('-') {
        Some((from, to)) => (from.parse()?..=to.parse()?).collect(),
        None => vec![text.parse()?],
    })
}

/// The truth of one world.
pub(crate) struct Truth {
    addresses: BTreeMap<(String, String), AddressTruth>,
    /// The actor that tags call an exchange of a chain by.
    actors: BTreeMap<String, String>,
}

impl Truth {
    /// Reads the file of it.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let mut truth = Self { addresses: BTreeMap::new(), actors: BTreeMap::new() };
        for line in std::fs::read_to_string(file)?.lines() {
            match serde_json::from_str(line)? {
                Line::Address(one) => {
                    // What is told first holds: a later line tells the same owner in another part.
                    truth.addresses.entry((one.chain.clone(), one.address.clone())).or_insert(one);
                }
                Line::Party { id, actor: Some(actor), .. } => drop(truth.actors.insert(id, actor)),
                _ => {}
            }
        }
        Ok(truth)
    }

    /// What is true of an address.
    pub(crate) fn of(&self, chain: &str, address: &str) -> Option<&AddressTruth> {
        self.addresses.get(&(chain.to_owned(), address.to_owned()))
    }

    fn on<'t>(&'t self, chain: &'t str) -> impl Iterator<Item = &'t AddressTruth> {
        self.addresses.values().filter(move |truth| truth.chain == chain)
    }

    fn actor(&self, chain: &str, operator: &str) -> Option<&str> {
        self.actors.get(&format!("{operator}@{chain}")).map(String::as_str)
    }
}

fn trap(truths: [Option<&AddressTruth>; 2]) -> Option<String> {
    let trap = truths.into_iter().flatten().find_map(|truth| truth.trap)?;
    serde_json::to_value(trap).ok()?.as_str().map(str::to_owned)
}

fn one(args: &Args, seed: u64, folder: &Path, tallies: &mut Tallies) -> Result<(), Failure> {
    let (files, data) = (folder.join("world"), folder.join("data"));
    let plan = MoneyPlan { seed, stories: args.stories, days: args.days, ..MoneyPlan::default() };
    tallies.txs += write_money(&plan, &files, &mut |_, _| ())?.txs;
    let truth = Truth::read(&files.join("truth.jsonl"))?;
    for one in truth.addresses.values() {
        if let Some(trap) = trap([Some(one), None]) {
            *tallies.traps.entry(trap).or_default() += 1;
        }
    }
    let room = Room::open(&data);
    let mut tags = Tags::open_to_write(&data)?;
    let job = Job {
        file: files.join("tags.yaml"),
        source: money::tags::Source::TagPack,
        uri: None,
        author: None,
        collection: None,
        marking: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let loaded = tags.load(&job, &mut |_| ControlFlow::Continue(()))?;
    if loaded.batch.as_ref().is_none_or(|batch| batch.counts.refused > 0) {
        return Err("the world's tags were refused".into());
    }
    for code in ["evm-31337", "trx"] {
        let chain = ChainCode::parse(code)?;
        let source = Source::Dump(vec![files.join(code)]);
        load(&room, &chain, &source, &Options::default(), &mut |_| ControlFlow::Continue(()))?;
        let Chain::Accounts(accounts) = room.chain(&chain, Mode::Read)? else { return Err("no accounts".into()) };
        judge_accounts(&chain, &accounts, &tags, &truth, tallies)?;
    }
    let chain = ChainCode::parse("btc-regtest")?;
    let source = Source::Blocks(vec![files.join("btc-regtest")]);
    load(&room, &chain, &source, &Options::default(), &mut |_| ControlFlow::Continue(()))?;
    let Chain::Utxo(utxo, network) = room.chain(&chain, Mode::Read)? else { return Err("no coins".into()) };
    judge_coins(&utxo, network, &truth, tallies)
}

fn judge_accounts(
    code: &ChainCode,
    chain: &Accounts,
    tags: &Tags,
    truth: &Truth,
    tallies: &mut Tallies,
) -> Result<(), Failure> {
    let profile = Profile::of(code).ok_or("not a chain of accounts")?;
    let find = |text: &str| chain.find_account(&profile.parse(text).ok()?);
    let told = evidence(tags, code.as_str(), &|_| true, find);
    let known = Known::of(&told);
    let before: Vec<_> = told.links.clone();
    let coin = Some(profile.coin.as_bytes());
    let derived = derive(chain, coin, &known, Params::default(), (&before, &Excluded::default()));
    let text = |account: u32| profile.text(chain.account(account).unwrap_or_default());
    let (code, text): (&str, &dyn Fn(u32) -> String) = (code.as_str(), &text);
    let whose = |account: u32| truth.of(code, &text(account));
    for link in derived.links.iter().filter(|link| link.rule == Rule::Controls) {
        let (a, b) = (whose(link.a), whose(link.b));
        let right = a.zip(b).is_some_and(|(a, b)| a.owner == b.owner);
        tallies.of("controls").judge(right, trap([a, b]), || format!("{code} {} {}", text(link.a), text(link.b)));
    }
    let swept = derived.customers.iter().map(|one| one.swept);
    let swept = swept.chain(derived.pools.iter().flat_map(|pool| pool.members.iter().map(|(swept, _)| *swept)));
    tallies.unproven += swept.filter(|swept| !recheck(chain, &known, swept)).count() as u64;
    judge_relations(code, &derived, &told, truth, (&whose, text), tallies);

    let accounts = u32::try_from(chain.accounts())?;
    let mut all = Evidence::new(Spends::new(&[0], &[], accounts)?);
    all.links = before.into_iter().chain(derived.links.iter().copied()).collect();
    let clusters = Clusters::solve(&all)?;
    tallies.contradictions += contradictions(&clusters, &told.attributions).len() as u64;
    let cluster = |text: &str| clusters.label(chain.find_account(&profile.parse(text).ok()?)?);
    let controls = tallies.of("controls");
    for (one, by) in truth.on(code).filter_map(|one| Some((one, one.by.as_ref()?))) {
        controls.of += 1;
        let (a, b) = (cluster(&one.address), cluster(by));
        controls.found += u64::from(a.is_some() && a == b);
    }
    Ok(())
}

type Whose<'w, 't> = &'w dyn Fn(u32) -> Option<&'t AddressTruth>;

fn judge_relations<'t>(
    code: &str,
    derived: &Derived,
    told: &TagEvidence,
    truth: &'t Truth,
    (whose, text): (Whose<'_, 't>, &dyn Fn(u32) -> String),
    tallies: &mut Tallies,
) {
    let mut found: BTreeMap<String, ()> = BTreeMap::new();
    for one in &derived.customers {
        let (said, actor) = (whose(one.swept.account), told.parties.get(one.party as usize).map(String::as_str));
        let operator = said.filter(|said| said.used == Use::Deposit).and_then(|said| said.operator.as_deref());
        let right = operator.and_then(|operator| truth.actor(code, operator)) == actor;
        let address = text(one.swept.account);
        if right {
            found.insert(address.clone(), ());
        }
        tallies.of("customer of").judge(right, trap([said, None]), || format!("{code} {address}"));
    }
    let deposits = truth.on(code).filter(|one| one.used == Use::Deposit);
    let tagged = deposits.filter(|one| one.operator.as_deref().is_some_and(|o| truth.actor(code, o).is_some()));
    let customers = tallies.of("customer of");
    for one in tagged {
        customers.of += 1;
        customers.found += u64::from(found.contains_key(&one.address));
    }
    found.clear();
    for pool in &derived.pools {
        let owner = whose(pool.to).map(|said| said.owner.as_str());
        for (swept, _) in &pool.members {
            let said = whose(swept.account);
            let operator = said.map(|said| said.operator.as_deref().unwrap_or(&said.owner));
            let (right, address) = (owner.is_some() && operator == owner, text(swept.account));
            if right {
                found.insert(address.clone(), ());
            }
            let example = || format!("{code} {address} {}", text(pool.to));
            tallies.of("pooled with").judge(right, trap([said, None]), example);
        }
    }
    let pooled = tallies.of("pooled with");
    for one in truth.on(code).filter(|one| one.used == Use::Collection) {
        pooled.of += 1;
        pooled.found += u64::from(found.contains_key(&one.address));
    }
}

/// Each union of the co-spend rule, and of each owner's addresses that are spent how many stand with another of theirs.
fn judge_coins(chain: &Utxo, network: Network, truth: &Truth, tallies: &mut Tallies) -> Result<(), Failure> {
    let spends = CoSpends::of(chain)?;
    let evidence = spends.evidence()?;
    let clusters = Clusters::solve(&evidence)?;
    tallies.unproven += clusters.recheck(&evidence);
    let text = |address: u32| {
        chain.address_key(address).and_then(|key| money::chain::address_text(key, network)).unwrap_or_default()
    };
    let whose = |address: u32| truth.of("btc-regtest", &text(address));
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut attributions = Vec::new();
    for address in 0..evidence.spends.addresses() {
        let Some(said) = whose(address) else { continue };
        let next = u32::try_from(numbers.len())?;
        let party = *numbers.entry(&said.owner).or_insert(next);
        attributions.push(Attribution {
            address,
            party,
            coinjoin: false,
            defines_cluster: false,
            unnamed_chain: false,
        });
    }
    tallies.two_owners += contradictions(&clusters, &attributions).len() as u64;
    let tally = tallies.of("multi-input");
    for &ordinal in clusters.spend_log() {
        let Some((_, first, other)) = evidence.spends.witness(ordinal) else { continue };
        let (a, b) = (whose(first), whose(other));
        let right = a.zip(b).is_some_and(|(a, b)| a.owner == b.owner);
        tally.judge(right, trap([a, b]), || format!("{} {}", text(first), text(other)));
    }
    // Of the transactions that spend addresses of one owner alone, those that unite them.
    for tx in 0..evidence.spends.transactions() {
        let Some([first, rest @ ..]) = evidence.spends.of(tx).filter(|inputs| inputs.len() > 1) else { continue };
        let owner = whose(*first).map(|said| &said.owner);
        if rest.iter().all(|input| whose(*input).map(|said| &said.owner) == owner) {
            tally.of += 1;
            tally.found += u64::from(evidence.spend_on(tx));
        }
    }
    Ok(())
}
