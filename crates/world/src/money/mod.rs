//! The money of a world: chains with the truth beside them, made so that every shape that fools a rule stands in them.
//!
//! Three chains: one of Bitcoin's kind (regression test network), one of Ethereum's (chain id 31337), one of TRON's. EXERCISE, all of
//! it: keys, tokens, exchanges and people are invented, and no chain that anybody uses could hold them. Parameters differ by seed
//! ([`rates`]); rules are tuned on [`TUNING`] and judged on [`JUDGING`]. Written as a stream: only what waits for its turn is kept.
mod accounts;
mod blocks;
mod bridge;
mod cast;
mod control;
mod honest;
mod offender;
mod rates;
mod scene;
mod service;
mod tags;
#[cfg(test)]
mod tests;
pub mod truth;
mod tx;
mod utxo;
mod writing;

use crate::WorldError;
use crate::disk::Sheet;
use jiff::Timestamp;
use std::path::Path;
use truth::Line;
use writing::Writing;

/// Seeds that whoever writes rules may look at.
pub const TUNING: std::ops::RangeInclusive<u64> = 1..=20;
/// Seeds that precision is told on; nothing is tuned on them.
pub const JUDGING: std::ops::RangeInclusive<u64> = 1_001..=1_020;

/// What to write. Equal plans give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyPlan {
    /// Another seed, another world.
    pub seed: u64,
    /// How many stories each chain tells, 1 to 10,000,000; a story is some ten transactions.
    pub stories: u64,
    /// How many days they cover, 1 to 3,650.
    pub days: u64,
    /// When they begin.
    pub start: Timestamp,
}

impl Default for MoneyPlan {
    fn default() -> Self {
        Self { seed: 7, stories: 1_000, days: 20, start: Timestamp::constant(1_735_689_600, 0) }
    }
}

impl MoneyPlan {
    fn check(&self) -> Result<(), WorldError> {
        let refuse = |what: &str| Err(WorldError::Plan(what.to_owned()));
        if !(1..=10_000_000).contains(&self.stories) {
            return refuse("stories must be 1 to 10000000");
        }
        if !(1..=3_650).contains(&self.days) {
            return refuse("days of money must be 1 to 3650");
        }
        let end = self.start_seconds() + 86_400 * (self.days + 365);
        if u32::try_from(end).is_err() {
            return refuse(
                "the money ends after the year 2105, which no block's time can say; choose an earlier start",
            );
        }
        Ok(())
    }

    fn start_seconds(&self) -> u64 {
        u64::try_from(self.start.as_second()).unwrap_or(0)
    }

    /// Seconds that stories begin in.
    fn span(&self) -> u64 {
        86_400 * self.days
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneySummary {
    /// Transactions of all chains.
    pub txs: u64,
    /// Files, with truth, tags and README.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// The truth file while it is written.
pub(crate) struct TruthFile(Sheet);

impl TruthFile {
    pub(crate) fn line(&mut self, line: &Line) -> Result<(), WorldError> {
        let text = serde_json::to_string(line).map_err(|error| WorldError::Plan(error.to_string()))?;
        self.0.write(&text)?;
        self.0.write("\n")
    }
}

/// Writes the money of a world into `dir`, a new or empty folder: `btc-regtest/`, `evm-31337/`, `trx/`, `tags.yaml`, `truth.jsonl`,
/// `README.md`. `progress` hears stories told and to be told.
///
/// # Errors
/// [`WorldError::Plan`] for a plan out of bounds, [`WorldError::NotEmpty`], [`WorldError::Io`].
pub fn write_money(
    plan: &MoneyPlan,
    dir: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MoneySummary, WorldError> {
    plan.check()?;
    std::fs::create_dir_all(dir).map_err(|source| WorldError::at(dir, source))?;
    if std::fs::read_dir(dir).map_err(|source| WorldError::at(dir, source))?.next().is_some() {
        return Err(WorldError::NotEmpty(dir.to_owned()));
    }
    let mut truth = TruthFile(Sheet::new(dir.join("truth.jsonl"))?);
    let (seed, stories, days, start) = (plan.seed, plan.stories, plan.days, plan.start.to_string());
    truth.line(&Line::Money { seed, stories, days, start })?;
    let of = 2 * plan.stories;
    let mut tags = tags::Pack::new(plan, dir)?;
    let mut summary = MoneySummary::default();
    for (n, writing) in (0..).zip([Writing::Evm, Writing::Tron]) {
        let mut here = |told: u64| progress(n * plan.stories + told, of);
        let told = accounts::tell(plan, writing, &dir.join(writing.code()), &mut truth, &mut here)?;
        (summary.txs, summary.files, summary.bytes) =
            (summary.txs + told.txs, summary.files + told.files, summary.bytes + told.bytes);
        tags.exchanges(writing, &told.cast, &mut truth)?;
    }
    let (txs, files, bytes) = utxo::tell(plan, &dir.join(utxo::CODE), &mut truth)?;
    (summary.txs, summary.files, summary.bytes) = (summary.txs + txs, summary.files + files, summary.bytes + bytes);
    summary.bytes += tags.close()? + truth.0.close()?;
    let mut readme = Sheet::new(dir.join("README.md"))?;
    readme.write(&about(plan))?;
    summary.bytes += readme.close()?;
    summary.files += 3;
    progress(of, of);
    Ok(summary)
}

fn about(plan: &MoneyPlan) -> String {
    format!(
        "# EXERCISE money\n\nInvented chains of the world with seed {seed}: no key, token, exchange or person in them is real.\n\n    \
         eye money load --data DIR --chain {evm} {evm}\n    eye money load --data DIR --chain {tron} {tron}\n    \
         eye money load --data DIR --chain {utxo} {utxo}\n    eye money tags load --data DIR tags.yaml\n\n\
         Load them into a data folder of their own. `truth.jsonl` says whose each address is (`owner`), who sweeps it (`operator`),\n\
         which address controls it by what the chain records (`by`), and what makes it look like something else (`trap`).\n",
        seed = plan.seed,
        evm = Writing::Evm.code(),
        tron = Writing::Tron.code(),
        utxo = utxo::CODE,
    )
}
