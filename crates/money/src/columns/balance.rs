//! Whether an asset's record adds up: sums never wrap, and an account that pays what it never had is named.
use super::bytes::{Numbers, put_u40, uint};
use super::derived::{built_to, write_head};
use super::{Accounts, Amount, Result, UNKNOWN, io};

/// Pairs of account and asset that are added up at a time.
const PAIRS: usize = 4 << 20;
const FILE: &str = "asset.standing";
/// The zero address: the party of what is minted and burnt.
pub const ISSUER: [u8; 20] = [0; 20];

/// A sum of amounts in base units that says when it no longer holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum(pub u128);

impl Sum {
    /// Adds; false when it does not fit 128 bits, and then nothing changed.
    #[must_use]
    pub fn add(&mut self, amount: &Amount) -> bool {
        amount.to_u128().and_then(|amount| self.0.checked_add(amount)).map(|sum| self.0 = sum).is_some()
    }

    /// Takes away; false when there is not so much, and then nothing changed.
    #[must_use]
    pub fn take(&mut self, amount: &Amount) -> bool {
        amount.to_u128().and_then(|amount| self.0.checked_sub(amount)).map(|sum| self.0 = sum).is_some()
    }
}

/// Whether an asset can be traced by balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Every account had what it paid.
    #[default]
    Sound,
    /// It cannot: why, and the first transfer that shows it.
    Untraceable(Untraceable, u64),
}

/// Why an asset cannot be traced by balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untraceable {
    /// An account paid more than it had received: the record is partial, or the token does not keep to its own logs.
    Negative,
    /// An account's sum does not fit 128 bits.
    Overflow,
}

impl Standing {
    fn worse(&mut self, why: Untraceable, transfer: u64) {
        match self {
            Standing::Untraceable(_, first) if *first <= transfer => {}
            _ => *self = Standing::Untraceable(why, transfer),
        }
    }

    fn encode(self) -> [u8; 6] {
        let (why, transfer) = match self {
            Standing::Sound => (0, 0),
            Standing::Untraceable(Untraceable::Negative, transfer) => (1, transfer),
            Standing::Untraceable(Untraceable::Overflow, transfer) => (2, transfer),
        };
        put_u40(why, transfer)
    }

    fn decode(row: &[u8]) -> Standing {
        let transfer = row.get(1..).map_or(0, uint);
        match row.first() {
            Some(1) => Standing::Untraceable(Untraceable::Negative, transfer),
            Some(2) => Standing::Untraceable(Untraceable::Overflow, transfer),
            _ => Standing::Sound,
        }
    }
}

/// What an account received and spent of one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// What came in.
    pub received: Sum,
    /// What went out.
    pub spent: Sum,
    /// Whether a sum did not fit 128 bits; then both are void.
    pub overflow: bool,
}

impl Holding {
    /// What is left: `None` when a sum overflowed or more was spent than received.
    pub fn balance(&self) -> Option<u128> {
        self.received.0.checked_sub(self.spent.0).filter(|_| !self.overflow)
    }
}

impl Accounts {
    /// Whether an account had paid more of an asset at some block's end than it had received. Within a block the order may be
    /// unknown, so what comes later in it counts.
    pub fn falls_short(&self, account: u32, asset: u32) -> bool {
        let (mut received, mut spent) = (Sum::default(), Sum::default());
        (0..self.store().blocks()).any(|place| {
            let transfers = self.txs_of(place).flat_map(|tx| self.transfers_of(tx));
            for transfer in transfers.filter_map(|number| self.transfer(number)) {
                if transfer.asset != asset || !transfer.edge || transfer.from == transfer.to {
                    continue;
                }
                // A sum that does not fit is told by `holdings`.
                let _fits = match (transfer.from == account, transfer.to == account) {
                    (true, _) => spent.add(&transfer.amount),
                    (_, true) => received.add(&transfer.amount),
                    _ => true,
                };
            }
            spent.0 > received.0
        })
    }

    /// The standing of every asset, by its number. Kept in a file that is built anew when it is not of this head.
    pub fn standings(&self) -> Result<Vec<Standing>> {
        let path = self.store().dir().join(FILE);
        let head_path = path.with_extension("standing.head");
        if built_to(&head_path, self.store())? == Some(self.store().blocks())
            && let Ok(bytes) = std::fs::read(&path)
            && bytes.len() as u64 == 6 * self.assets()
        {
            return Ok(bytes.chunks_exact(6).map(Standing::decode).collect());
        }
        let standings = self.add_up(PAIRS);
        if self.store().writes() && self.store().log().count() == self.store().blocks() {
            let bytes: Vec<u8> = standings.iter().flat_map(|standing| standing.encode()).collect();
            std::fs::write(&path, bytes).map_err(io(&path))?;
            std::fs::File::open(&path).and_then(|file| file.sync_data()).map_err(io(&path))?;
            write_head(&head_path, self.head())?;
        }
        Ok(standings)
    }

    /// Adds up every account's balance in every asset, so many pairs at a time.
    pub(super) fn add_up(&self, pairs: usize) -> Vec<Standing> {
        let mut standings = vec![Standing::Sound; usize::try_from(self.assets()).unwrap_or(0)];
        let (mut from, all) = (0u64, self.accounts());
        while from < all {
            from = self.add_up_from(from, all, pairs, &mut standings);
        }
        standings
    }

    /// One pass over the transfers for the accounts from `from` on, as many as fit; returns where the next pass begins.
    fn add_up_from(&self, from: u64, mut to: u64, pairs: usize, standings: &mut [Standing]) -> u64 {
        let mut sums: Numbers<Sum> = Numbers::default();
        // Whoever issues pays what nobody held before, and is paid what nobody holds afterwards.
        let issuer = self.find_account(&ISSUER);
        let mut seen = Vec::new();
        for number in 0..self.transfers() {
            let Some(transfer) = self.transfer(number) else { break };
            for (account, comes) in [(transfer.from, false), (transfer.to, true)] {
                let here = (from..to).contains(&u64::from(account)) && account != UNKNOWN && Some(account) != issuer;
                if !here || (transfer.from == transfer.to && comes) {
                    continue;
                }
                let sum = sums.entry((u64::from(account) << 24) | u64::from(transfer.asset)).or_default();
                // A transfer to oneself moves nothing, but it must have been there to be moved.
                let held = match (comes, transfer.from == transfer.to) {
                    (true, _) => sum.add(&transfer.amount),
                    (false, true) => transfer.amount.to_u128().is_some_and(|amount| amount <= sum.0),
                    (false, false) => sum.take(&transfer.amount),
                };
                if !held {
                    let fits = transfer.amount.to_u128().is_some();
                    let why = if comes || !fits { Untraceable::Overflow } else { Untraceable::Negative };
                    seen.push((account, transfer.asset, why, number));
                }
            }
            while sums.len() > pairs && to - from > 1 {
                to = from + (to - from) / 2;
                sums.retain(|pair, _| pair >> 24 < to);
            }
        }
        for (account, asset, why, number) in seen {
            if u64::from(account) < to
                && let Some(standing) = standings.get_mut(asset as usize)
            {
                standing.worse(why, number);
            }
        }
        to
    }
}
