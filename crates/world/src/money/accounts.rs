//! Tells the stories of one chain of accounts in order of time, with bounded memory: only what waits for its turn is kept.
use super::blocks::Blocks;
use super::bridge::Passage;
use super::cast::Cast;
use super::rates::{Rates, Weight, weights};
use super::scene::{Scene, TOKEN};
use super::truth::{Line, Use};
use super::tx::{Address, Log, Tx};
use super::writing::Writing;
use super::{MoneyPlan, TruthFile};
use crate::WorldError;
use crate::prng::Rng;
use std::collections::BTreeMap;
use std::path::Path;

/// Which chains tell a story.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Both,
    Evm,
    Tron,
}

type Tell = fn(&mut Scene<'_>);

/// Every story with how often it begins.
const STORIES: [(Weight, On, Tell); 22] = [
    ((200, 400), On::Both, |scene| scene.deposit()),
    ((50, 150), On::Both, |scene| scene.withdrawal()),
    ((100, 250), On::Both, |scene| scene.honest()),
    ((60, 160), On::Both, |scene| scene.collection()),
    ((10, 40), On::Both, |scene| scene.shared_target()),
    ((0, 3), On::Both, |scene| scene.gas_for_victims()),
    ((2, 10), On::Both, |scene| scene.drainer()),
    ((3, 20), On::Tron, |scene| scene.activation()),
    ((0, 6), On::Both, |scene| scene.direct_payer()),
    ((0, 3), On::Both, |scene| scene.retired_cold()),
    ((5, 25), On::Both, |scene| scene.relayer()),
    ((5, 25), On::Evm, |scene| scene.shared_delegate()),
    ((5, 25), On::Evm, |scene| scene.bundler()),
    ((5, 25), On::Tron, |scene| scene.gas_free()),
    ((3, 15), On::Evm, |scene| scene.disperse()),
    ((5, 25), On::Tron, |scene| scene.energy_rental()),
    ((5, 25), On::Both, |scene| scene.spam()),
    ((20, 60), On::Evm, |scene| scene.safes()),
    ((20, 60), On::Tron, |scene| scene.permissions()),
    ((10, 30), On::Evm, |scene| scene.proxies()),
    ((3, 15), On::Evm, |scene| scene.public_factory()),
    ((1, 6), On::Evm, |scene| scene.processor()),
];

/// A passage over the bridge for so many stories.
const STORIES_A_PASSAGE: u64 = 40;

/// What was written of a chain.
pub(crate) struct Told {
    pub(crate) txs: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) cast: Cast,
}

/// Writes a chain of accounts into `dir`.
pub(crate) fn tell(
    plan: &MoneyPlan,
    writing: Writing,
    dir: &Path,
    truth: &mut TruthFile,
    progress: &mut dyn FnMut(u64),
) -> Result<Told, WorldError> {
    let rates = Rates::draw(plan.seed);
    let mut cast = Cast::draw(plan.seed, writing.code(), &rates, writing == Writing::Tron);
    let mut blocks = Blocks::new(writing, plan.seed, plan.start_seconds(), dir)?;
    for line in lasting(&cast, writing) {
        truth.line(&line)?;
    }
    begin(&cast, &mut blocks)?;
    let draws = draws(plan.seed, writing);
    let mut waiting: BTreeMap<(u64, u64), Tx> = BTreeMap::new();
    let (span, mut next) = (plan.span(), 0);
    let passages = plan.stories / STORIES_A_PASSAGE;
    let mut passed = 0;
    for number in 0..plan.stories {
        let at = 600 + span * number / plan.stories.max(1);
        let rng = Rng::keyed(plan.seed, writing.code(), 1 + number);
        let mut scene =
            Scene { rng, rates: &rates, cast: &mut cast, writing, number, at, txs: Vec::new(), truth: Vec::new() };
        while passed < passages && span * passed / passages.max(1) <= span * number / plan.stories.max(1) {
            let mut passage = Passage::of(plan.seed, passed, passages, span);
            (passage.at, passage.out) = (passage.at + 600, passage.out + 600);
            scene.passage(&passage);
            if passage.from == writing {
                truth.line(&bridged(&passage))?;
            }
            passed += 1;
        }
        scene.at = at;
        pick(&mut scene, &draws);
        let (txs, told) = (scene.txs, scene.truth);
        for one in told {
            truth.line(&Line::Address(one))?;
        }
        for tx in txs {
            waiting.insert((tx.at, next), tx);
            next += 1;
        }
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 < at) {
            blocks.take(first.remove())?;
        }
        progress(number);
    }
    for (_, tx) in waiting {
        blocks.take(tx)?;
    }
    let (txs, files, bytes) = blocks.close()?;
    Ok(Told { txs, files, bytes, cast })
}

fn bridged(passage: &Passage) -> Line {
    let end = |writing: Writing, address: &Address| (writing.code().to_owned(), writing.text(address));
    Line::Bridged { from: end(passage.from, &passage.payer), to: end(passage.to(), &passage.paid) }
}

/// The stories of a chain with the sums of their weights up to each.
fn draws(seed: u64, writing: Writing) -> Vec<(u64, Tell)> {
    let drawn = weights(seed, STORIES.iter().map(|(weight, ..)| *weight));
    let other = if writing == Writing::Evm { On::Tron } else { On::Evm };
    let mut sum = 0;
    let here = STORIES.iter().zip(drawn).filter(|((_, on, _), _)| *on != other);
    here.map(|((_, _, tell), weight)| {
        sum += weight;
        (sum, *tell)
    })
    .collect()
}

fn pick(scene: &mut Scene<'_>, draws: &[(u64, Tell)]) {
    let all = draws.last().map_or(1, |(sum, _)| *sum);
    let at = scene.rng.below(all);
    if let Some((_, tell)) = draws.iter().find(|(sum, _)| at < *sum) {
        tell(scene);
    }
}

/// Coins and tokens that there are from the beginning.
fn begin(cast: &Cast, blocks: &mut Blocks) -> Result<(), WorldError> {
    let rich = 1_000_000_000_u128;
    let hot: Vec<Address> = cast.exchanges.iter().flat_map(|x| x.hot.iter().copied()).collect();
    let firms = [
        cast.relayer,
        cast.bundler,
        cast.bridge_relayer,
        cast.processor,
        cast.gas_free,
        cast.activator,
        cast.public_factory,
    ];
    let makers = cast.syndicates.iter().map(|s| s.sweeper);
    let helpers = cast.exchanges.iter().flat_map(|x| [x.gas, x.sweeper]).chain(makers).chain(firms);
    for to in hot.iter().copied().chain(helpers) {
        blocks.genesis(&to, rich * 1_000_000_000_000_000_000)?;
    }
    for to in hot.into_iter().chain([cast.bridge]).chain(cast.desks.iter().copied()) {
        let logs = vec![Log::transfer(cast.token, [0; 20], to, rich * TOKEN)];
        let signer = cast.vendor;
        blocks.take(Tx { signer, to: Some(cast.token), gas: 65_000, logs, ..issue() })?;
    }
    Ok(())
}

fn issue() -> Tx {
    Tx { selector: Some([0; 4]), contract: super::tx::Contract::Trigger, ..Tx::default() }
}

/// The lasting addresses.
fn lasting(cast: &Cast, writing: Writing) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |address: &Address, owner: &str, used: Use| {
        let truth = super::truth::AddressTruth {
            chain: writing.code().to_owned(),
            address: writing.text(address),
            owner: owner.to_owned(),
            used,
            operator: None,
            by: None,
            trap: None,
        };
        lines.push(Line::Address(truth));
    };
    for x in &cast.exchanges {
        x.hot.iter().for_each(|hot| add(hot, &x.id, Use::Hot));
        [x.gas, x.sweeper, x.factory].iter().for_each(|helper| add(helper, &x.id, Use::Helper));
    }
    for s in &cast.syndicates {
        s.pools.iter().for_each(|pool| add(pool, &s.id, Use::Pool));
        [s.sweeper, s.factory].iter().for_each(|helper| add(helper, &s.id, Use::Helper));
    }
    for (n, desk) in cast.desks.iter().enumerate() {
        add(desk, &format!("D{}", n + 1), Use::Desk);
    }
    let firms = [
        (cast.bridge, "bridge"),
        (cast.bridge_relayer, "bridge"),
        (cast.relayer, "relayer"),
        (cast.bundler, "bundler"),
        (cast.entry_point, "bundler"),
        (cast.account_factory, "wallet-maker"),
        (cast.disperse, "disperse"),
        (cast.public_factory, "public-factory"),
        (cast.safe_factory, "safe"),
        (cast.shared_signer, "wallet-maker"),
        (cast.activator, "activator"),
        (cast.rental, "rental"),
        (cast.gas_free, "gas-free"),
        (cast.co_signer, "co-signer"),
        (cast.vendor, "vendor"),
        (cast.processor, "F1"),
        (cast.processor_factory, "F1"),
    ];
    firms.iter().for_each(|(address, owner)| add(address, owner, Use::Helper));
    lines
}
