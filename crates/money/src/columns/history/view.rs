//! Reading histories: those that are built, and behind them the newest transfers, which are read from the columns.
use super::Limits;
use super::run::{Piece, key};
use super::step::{MAX_TRANSFERS, Step, Way};
use crate::columns::reading::halve;
use crate::columns::{Accounts, Error, Holding, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What an account received and spent of one asset, transfer after transfer.
///
/// Rows are numbered from 0, oldest first. Both sums never fall, so any row is found by halving.
#[derive(Debug, Clone, Default)]
pub struct History<'a> {
    pieces: Vec<Piece<'a>>,
    newest: Vec<Step>,
}

impl History<'_> {
    /// How many transfers.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum::<u64>() + self.newest.len() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row.
    #[must_use]
    pub fn step(&self, mut row: u64) -> Option<Step> {
        for piece in &self.pieces {
            match row.checked_sub(piece.len()) {
                None => return piece.step(row),
                Some(rest) => row = rest,
            }
        }
        self.newest.get(usize::try_from(row).ok()?).copied()
    }

    /// The first row for which `before` no longer holds; it must hold for all rows up to some one, and for none after.
    #[must_use]
    pub fn first(&self, before: impl Fn(&Step) -> bool) -> u64 {
        halve(self.len(), |row| self.step(row).is_some_and(|step| before(&step)))
    }

    /// The rows from one on, oldest first.
    pub fn steps(&self, from: u64) -> impl Iterator<Item = Step> {
        (from..self.len()).map_while(|row| self.step(row))
    }

    /// What the account had received and spent before a transfer.
    #[must_use]
    pub fn before(&self, transfer: u64) -> Holding {
        let row = self.first(|step| step.transfer < transfer);
        row.checked_sub(1).and_then(|last| self.step(last)).map(|step| step.after).unwrap_or_default()
    }
}

impl Accounts {
    /// What an account received and spent of an asset, by their numbers.
    pub fn history(&self, account: u32, asset: u32) -> History<'_> {
        let mut history = History { pieces: self.histories.pieces(key(account, asset)).collect(), newest: Vec::new() };
        let mut after = history.before(u64::MAX);
        for (number, way) in self.newest(account) {
            let Some(transfer) = self.transfer(number).filter(|transfer| transfer.asset == asset) else { continue };
            after.count(way, if transfer.edge { transfer.amount.to_u128() } else { Some(0) });
            history.newest.push(Step { transfer: number, way, after });
        }
        history
    }

    /// The assets that an account has a history in, by their numbers.
    pub fn assets_of(&self, account: u32) -> BTreeSet<u32> {
        let mut assets = self.histories.assets(account);
        assets.extend(self.newest(account).filter_map(|(number, _)| self.transfer(number)).map(|one| one.asset));
        assets
    }

    /// What an account received and spent of each asset, by the assets' numbers, over the transfers before `end`. Fakes and
    /// transfers to oneself are left out.
    pub fn holdings(&self, account: u32, end: u64) -> BTreeMap<u32, Holding> {
        let built =
            |asset| History { pieces: self.histories.pieces(key(account, asset)).collect(), newest: Vec::new() };
        let assets = self.histories.assets(account).into_iter();
        let mut holdings: BTreeMap<u32, Holding> = assets.map(|asset| (asset, built(asset).before(end))).collect();
        for (number, way) in self.newest(account).take_while(|(number, _)| *number < end) {
            if let Some(transfer) = self.transfer(number).filter(|transfer| transfer.edge) {
                holdings.entry(transfer.asset).or_default().count(way, transfer.amount.to_u128());
            }
        }
        holdings.retain(|_, holding| *holding != Holding::default());
        holdings
    }

    /// The transfers of an account that no history holds yet: a few at most, once a load has ended.
    fn newest(&self, account: u32) -> impl Iterator<Item = (u64, Way)> + '_ {
        (self.histories.built()..self.transfers()).filter_map(move |number| {
            let (from, to) = self.parties(number)?;
            match (from == account, to == account) {
                (true, true) => Some((number, Way::Own)),
                (true, false) => Some((number, Way::Out)),
                (false, true) => Some((number, Way::In)),
                (false, false) => None,
            }
        })
    }

    /// Brings what is derived level, after a load: what was appended becomes durable, and the histories are built once more than a
    /// few transfers are behind them.
    pub fn settle(&mut self) -> Result<()> {
        self.settle_within(Limits::default())
    }

    /// The same with so much memory.
    pub fn settle_within(&mut self, limits: Limits) -> Result<()> {
        if !self.store.writes() {
            return Err(Error::ReadOnly(self.store.dir().to_owned()));
        }
        self.commit(true)?;
        if self.transfers() - self.histories.built() < self.store.fresh_transfers() {
            return Ok(());
        }
        if self.transfers() >= MAX_TRANSFERS {
            return Err(Error::Full { what: "transfers with a history", limit: MAX_TRANSFERS });
        }
        self.store.map_all()?;
        self.histories.grow(&self.store, (self.transfers(), self.accounts()), limits)
    }

    /// The histories that are built.
    pub fn histories(&self) -> &super::Histories {
        &self.histories
    }
}
