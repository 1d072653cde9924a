//! Addresses that are emptied: where each sends everything, who signs, how much stays, and who pays its gas.
//!
//! Three passes over the transfers. The first finds, in some 17 bytes an account, those that send to one place alone; the second adds
//! up what these received and spent, a range of accounts at a time, so that memory stays bounded; the third counts whom funders pay.
use super::known::Known;
use super::params::Params;
use crate::columns::{Accounts, ISSUER, Kind, Sum, Transfer, UNKNOWN};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Pairs of account and asset that are added up at a time.
const PAIRS: usize = 4 << 20;
const MOVED: u8 = 1;
const MANY: u8 = 2;
/// Somebody signed a move of another's money that is not a contract they had made.
const FOR_OTHERS: u8 = 4;

/// An address that is emptied to one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The address.
    pub account: u32,
    /// Where it goes: an account, or the one that stands for a service's.
    pub to: u32,
    /// Who signs: itself, or whoever had it made.
    pub sweeper: u32,
    /// The contract that made it; [`UNKNOWN`] when it is none or nothing on record says so.
    pub maker: u32,
    /// The transaction of the first sweep, and of the last.
    pub sweeps: (u64, u64),
    /// Who sent it coins: [`UNKNOWN`] when nobody or several did, or not by a payment of their own.
    pub funder: u32,
    /// The transaction of the first of these payments.
    pub funded_in: u64,
    /// Whether the first sweep followed soon.
    pub soon: bool,
    /// So many coins came, whoever sent them.
    pub coins: u128,
    /// So much was spent on fees.
    pub fees: u128,
    /// Whether coins alone are swept: then their sweep pays its own gas.
    pub coins_alone: bool,
    /// Whether most of it came from where it goes to.
    pub internal: bool,
}

impl Swept {
    /// Whether the coins that came were gas: so many thousandths of them were spent as such.
    pub(super) fn spent_gas(&self, thousandths: u32) -> bool {
        self.coins > 0 && self.fees.saturating_mul(1_000) >= self.coins.saturating_mul(u128::from(thousandths))
    }
}

/// Who made a contract, and in which transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) by: u32,
    pub(super) signer: u32,
    pub(super) tx: u64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// By account.
    pub(super) swept: BTreeMap<u32, Swept>,
    /// Of each funder of any of these: how many accounts it pays coins, and where all of them are swept to, if that is one place.
    pub(super) funders: BTreeMap<u32, Funder>,
    flags: Vec<u8>,
}

/// Whom a funder pays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Funder {
    /// Accounts, one more than few at most.
    pub(super) paid: BTreeSet<u32>,
    /// The one place that all whom it pays send to, as far as they sent anything; `None` when one sends elsewhere.
    pub(super) to: Option<u32>,
    /// How many of them are swept, and how many soon after they had their gas.
    pub(super) swept: u32,
    pub(super) soon: u32,
}

impl Funder {
    /// Whether most of those it pays for are emptied at once.
    pub(super) fn prompt(&self, thousandths: u32) -> bool {
        u64::from(self.soon) * 1_000 >= u64::from(self.swept) * u64::from(thousandths)
    }
}

/// What a pass needs to know.
pub(super) struct Reading<'a> {
    pub(super) chain: &'a Accounts,
    pub(super) known: &'a Known,
    pub(super) made: &'a HashMap<u32, Made>,
    pub(super) params: Params,
    /// The coin's number as an asset.
    pub(super) coin: Option<u32>,
    issuer: Option<u32>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        chain: &'a Accounts,
        known: &'a Known,
        made: &'a HashMap<u32, Made>,
        params: Params,
        coin: Option<u32>,
    ) -> Self {
        Self { chain, known, made, params, coin, issuer: chain.find_account(&ISSUER) }
    }

    /// Who may sweep an account: whoever had the contract made, else itself.
    fn sweeper(&self, account: u32) -> u32 {
        self.made.get(&account).map_or(account, |made| made.signer)
    }

    /// Transfers that tell who pays whom, with transaction and signer.
    fn each(&self, mut with: impl FnMut(u64, u32, &Transfer)) {
        for tx in 0..self.chain.txs() {
            let signer = self.chain.signer(tx);
            for number in self.chain.transfers_of(tx) {
                if let Some(transfer) = self.chain.transfer(number) {
                    with(tx, signer, &transfer);
                }
            }
        }
    }

    /// Whether a transfer pays somebody.
    fn pays(&self, transfer: &Transfer) -> bool {
        transfer.edge && transfer.from != transfer.to && transfer.from != UNKNOWN && !is_fee(transfer.kind)
    }
}

fn is_fee(kind: Kind) -> bool {
    matches!(kind, Kind::Fee | Kind::L1Fee)
}

impl Moves {
    pub(super) fn read(reading: &Reading<'_>) -> Moves {
        let mut moves = Moves::default();
        let candidates = moves.places(reading);
        let mut from = 0;
        let all = candidates.len();
        while from < all {
            from = moves.add_up(reading, &candidates, from, PAIRS);
        }
        moves.count_funders(reading, &candidates);
        moves
    }

    fn flag(&self, account: u32) -> u8 {
        self.flags.get(account as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, account: u32, flag: u8) {
        if let Some(flags) = self.flags.get_mut(account as usize) {
            *flags |= flag;
        }
    }

    /// Whether an account pays several others: what is swept into it comes to somebody who hands it out.
    pub(super) fn hands_out(&self, account: u32) -> bool {
        self.flag(account) & MANY != 0
    }

    /// Whether somebody moves money of others than the contracts they had made: a relayer, a bundler, a drainer.
    pub(super) fn acts_for_others(&self, account: u32) -> bool {
        self.flag(account) & FOR_OTHERS != 0
    }

    /// Accounts whose own moves all go to one place, ascending, each with that place.
    fn places(&mut self, reading: &Reading<'_>) -> Vec<(u32, u32)> {
        let n = usize::try_from(reading.chain.accounts()).unwrap_or(0);
        self.flags = vec![0; n];
        let mut first = vec![UNKNOWN; n];
        reading.each(|_, signer, transfer| {
            if !reading.pays(transfer) {
                return;
            }
            if reading.sweeper(transfer.from) != signer {
                if signer != transfer.from && Some(transfer.from) != reading.issuer {
                    self.set(signer, FOR_OTHERS);
                }
                return;
            }
            let to = reading.known.group(transfer.to);
            let Some(place) = first.get_mut(transfer.from as usize) else { return };
            if *place == UNKNOWN && self.flag(transfer.from) & MOVED == 0 {
                *place = to;
            }
            let many = *place != to || transfer.to == UNKNOWN || Some(transfer.to) == reading.issuer;
            self.set(transfer.from, MOVED | if many { MANY } else { 0 });
        });
        let one = |(account, _): &(u32, u32)| self.flag(*account) & (MOVED | MANY) == MOVED;
        (0..).zip(first).filter(one).collect()
    }

    /// One pass for the candidates from place `from` on, as many as fit; where the next begins.
    fn add_up(&mut self, reading: &Reading<'_>, candidates: &[(u32, u32)], from: usize, pairs: usize) -> usize {
        let mut end = candidates.len();
        let mut sums: HashMap<(u32, u32), Pair> = HashMap::new();
        let mut about: HashMap<u32, About> = HashMap::new();
        let last =
            |end: usize| end.checked_sub(1).and_then(|end| candidates.get(end)).map_or(0, |(account, _)| *account);
        // The place that a candidate of this pass sends to.
        let place = |account: u32, end: usize| {
            let here = candidates.get(from..end).unwrap_or_default();
            let at = here.binary_search_by_key(&account, |(account, _)| *account).ok()?;
            here.get(at).map(|(_, to)| *to)
        };
        reading.each(|tx, signer, transfer| {
            if !transfer.edge {
                return;
            }
            if transfer.from == transfer.to {
                return;
            }
            if place(transfer.from, end).is_some() {
                if is_fee(transfer.kind) {
                    about.entry(transfer.from).or_default().pay_fee(transfer);
                } else {
                    let own = reading.sweeper(transfer.from) == signer;
                    let to = reading.known.group(transfer.to);
                    sums.entry((transfer.from, transfer.asset)).or_default().spend(transfer, to, own, tx);
                }
            }
            if let Some(to) = place(transfer.to, end) {
                let from_there = reading.known.group(transfer.from) == to;
                sums.entry((transfer.to, transfer.asset)).or_default().receive(transfer, from_there);
                if Some(transfer.asset) == reading.coin {
                    about.entry(transfer.to).or_default().fund(transfer, signer, tx);
                }
            }
            while sums.len() > pairs && end - from > 1 {
                end = from + (end - from) / 2;
                sums.retain(|(account, _), _| *account <= last(end));
                about.retain(|account, _| *account <= last(end));
            }
        });
        let mut by_account: BTreeMap<u32, Vec<(u32, Pair)>> = BTreeMap::new();
        for ((account, asset), pair) in sums {
            by_account.entry(account).or_default().push((asset, pair));
        }
        for (account, pairs) in by_account {
            let about = about.remove(&account).unwrap_or_default();
            if let Some(swept) = judge(reading, account, &pairs, &about) {
                self.swept.insert(account, swept);
            }
        }
        end
    }

    /// Whom the funders pay, and where all of these are swept to.
    fn count_funders(&mut self, reading: &Reading<'_>, candidates: &[(u32, u32)]) {
        let unknown = |funder: &u32| *funder != UNKNOWN && !reading.known.tagged.contains(funder);
        let mut funders: BTreeMap<u32, Funder> =
            self.swept.values().map(|swept| swept.funder).filter(unknown).map(|f| (f, Funder::default())).collect();
        let most = reading.params.few as usize;
        reading.each(|_, _, transfer| {
            if Some(transfer.asset) != reading.coin || !reading.pays(transfer) {
                return;
            }
            let Some(funder) = funders.get_mut(&transfer.from) else { return };
            // Who sent nothing yet says nothing yet.
            if self.flags.get(transfer.to as usize).is_none_or(|flags| flags & MOVED == 0) {
                return;
            }
            let at = candidates.binary_search_by_key(&transfer.to, |(account, _)| *account).ok();
            let to = at.and_then(|at| candidates.get(at)).map(|(_, to)| *to);
            funder.to = if funder.paid.is_empty() { to } else { funder.to.filter(|before| Some(*before) == to) };
            if funder.paid.len() <= most
                && funder.paid.insert(transfer.to)
                && let Some(swept) = self.swept.get(&transfer.to)
            {
                funder.swept += 1;
                funder.soon += u32::from(swept.soon);
            }
        });
        self.funders = funders;
    }
}

/// What an account received and spent of one asset.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    received: Sum,
    /// What had come in by the last time that some went out.
    by_last: u128,
    spent: Sum,
    /// Of what came in, what the place that it goes to sent.
    from_there: Sum,
    to: Option<u32>,
    many: bool,
    own: bool,
    wrong: bool,
    first: u64,
    last: u64,
}

impl Pair {
    fn receive(&mut self, transfer: &Transfer, from_there: bool) {
        self.wrong |= !self.received.add(&transfer.amount);
        self.wrong |= from_there && !self.from_there.add(&transfer.amount);
    }

    fn spend(&mut self, transfer: &Transfer, to: u32, own: bool, tx: u64) {
        self.wrong |= !self.spent.add(&transfer.amount);
        self.by_last = self.received.0;
        self.many |= *self.to.get_or_insert(to) != to || transfer.kind != Kind::Transfer || transfer.to == UNKNOWN;
        if own {
            self.first = if self.own { self.first } else { tx };
            self.last = tx;
            self.own = true;
        }
    }
}

/// Coins that an account was sent, and its fees.
#[derive(Clone, Copy, Debug, Default)]
struct About {
    fees: Sum,
    coins: Sum,
    funder: Option<u32>,
    several: bool,
    funded_in: u64,
}

impl About {
    fn pay_fee(&mut self, transfer: &Transfer) {
        self.several |= !self.fees.add(&transfer.amount);
    }

    /// A funder pays by its own transaction: what a contract spreads is whoever's called it.
    fn fund(&mut self, transfer: &Transfer, signer: u32, tx: u64) {
        self.several |= !self.coins.add(&transfer.amount);
        self.several |= transfer.kind != Kind::Transfer || transfer.from != signer || signer == UNKNOWN;
        match self.funder {
            None => (self.funder, self.funded_in) = (Some(transfer.from), tx),
            Some(before) => self.several |= before != transfer.from,
        }
    }
}

/// Whether an account that sends to one place is emptied there.
fn judge(reading: &Reading<'_>, account: u32, pairs: &[(u32, Pair)], about: &About) -> Option<Swept> {
    let swept: Vec<&(u32, Pair)> = pairs.iter().filter(|(_, pair)| pair.own).collect();
    let (_, first) = swept.first()?;
    let to = first.to?;
    let whole = |(asset, pair): &(u32, Pair)| {
        let fees = if Some(*asset) == reading.coin { about.fees.0 } else { 0 };
        let (out, came) = (pair.spent.0.checked_add(fees)?, pair.by_last);
        let swept = u128::from(reading.params.swept);
        let enough = out.checked_mul(1_000)? >= came.checked_mul(swept)? && pair.spent.0 <= came;
        Some(enough && !pair.wrong && !pair.many && pair.to == Some(to))
    };
    if !swept.iter().all(|pair| whole(pair) == Some(true)) || reading.known.services.contains_key(&account) {
        return None;
    }
    let from_there = |pair: &Pair| {
        let share = pair.received.0.saturating_mul(u128::from(reading.params.internal));
        pair.from_there.0.saturating_mul(1_000) >= share
    };
    let internal = swept.iter().any(|(_, pair)| pair.received.0 > 0 && from_there(pair));
    let made = reading.made.get(&account);
    let first = swept.iter().map(|(_, pair)| pair.first).min()?;
    let time = |tx: u64| reading.chain.time(tx).map(u64::from);
    let gap = time(first).zip(time(about.funded_in)).and_then(|(swept, funded)| swept.checked_sub(funded));
    Some(Swept {
        account,
        to,
        sweeper: reading.sweeper(account),
        maker: made.map_or(UNKNOWN, |made| made.by),
        sweeps: (first, swept.iter().map(|(_, pair)| pair.last).max()?),
        funder: about.funder.filter(|_| !about.several).unwrap_or(UNKNOWN),
        funded_in: about.funded_in,
        soon: about.funder.is_some() && gap.is_some_and(|gap| gap <= u64::from(reading.params.soon)),
        coins: about.coins.0,
        fees: about.fees.0,
        coins_alone: swept.iter().all(|(asset, _)| Some(*asset) == reading.coin),
        internal,
    })
}
