//! From a transaction of a chain of accounts forward to the frontier, in order of time: what reached an account can leave it with each
//! payment that follows, and is gone when nothing is left there.
use super::asker::{Asked, Halt};
use super::told::{Account, Flow, Gathered, Point, Teller, Told};
use super::{DUST, End, Frontier, History, Job, ROUNDS, Why, less_than_part};
use crate::columns::{Amount, ISSUER, Kind, hex};
use crate::evm::{Address, Hash, Profile};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An account that pays more others than these is a service's: a hot wallet, a router, a pool.
const MANY: usize = 100;
/// Balances of so many tokens of one account are asked for.
const TOKENS: usize = 20;

/// Whose, and what.
type Place = (Address, Vec<u8>);

/// An account that the money reached, and what it paid since.
struct Holder {
    /// No more of what reached it can still be there.
    left: Amount,
    hop: u32,
    /// The last transaction that brought some.
    by: Flow,
    flows: Vec<Flow>,
    /// What it has after each, where that is known.
    after: Vec<Option<Amount>>,
    now: Option<Amount>,
    why: Why,
    moved_by: Option<Hash>,
}

/// The walk.
pub struct Onward<'a, 'b> {
    ask: &'a mut dyn Teller,
    profile: &'a Profile,
    job: &'a Job<'b>,
    /// Transactions that receipts bore out.
    whole: HashMap<Hash, Told>,
    fakes: HashSet<Address>,
    holders: BTreeMap<Place, Holder>,
    /// Payments that wait for their turn: when, in which transaction, whose, which.
    waiting: BTreeSet<(Point, Hash, usize, Place)>,
    payers: HashSet<Place>,
    paid: HashMap<Vec<u8>, Amount>,
    /// Less than this part of what was paid is not followed in this round.
    part: u128,
    /// Something was not asked for want of budget.
    spent: bool,
    /// The frontier.
    pub found: Frontier,
}

impl<'a, 'b> Onward<'a, 'b> {
    /// Asks nothing yet.
    pub fn new(ask: &'a mut dyn Teller, profile: &'a Profile, job: &'a Job<'b>) -> Onward<'a, 'b> {
        Onward {
            ask,
            profile,
            job,
            whole: HashMap::new(),
            fakes: HashSet::new(),
            holders: BTreeMap::new(),
            waiting: BTreeSet::new(),
            payers: HashSet::new(),
            paid: HashMap::new(),
            part: DUST,
            spent: false,
            found: Frontier::default(),
        }
    }

    /// Follows transactions to the frontier. What is left when the budget ends is listed with that reason.
    ///
    /// # Errors
    /// The endpoint; a stop. What was found until then stands in `found`.
    pub fn follow(&mut self, ids: &[Hash]) -> Asked<()> {
        for part in ROUNDS {
            self.holders.clear();
            self.waiting.clear();
            self.payers.clear();
            self.paid.clear();
            self.found.ends.clear();
            (self.part, self.spent) = (part, false);
            let done = self.round(ids);
            if done.is_err() || self.spent || part == DUST {
                return done;
            }
        }
        Ok(())
    }

    fn round(&mut self, ids: &[Hash]) -> Asked<()> {
        let done = self.begin(ids).and_then(|()| self.walk());
        if done.is_err() {
            self.waiting.iter().for_each(|(.., place)| {
                if let Some(holder) = self.holders.get_mut(place).filter(|holder| holder.why == Why::Holds) {
                    holder.why = Why::Stopped;
                }
            });
        }
        self.list();
        done
    }

    fn begin(&mut self, ids: &[Hash]) -> Asked<()> {
        for (n, id) in ids.iter().enumerate() {
            let end = |why| move |id: &Hash| End { tx: hex(id), why, ..End::default() };
            match self.ask.payment(id) {
                Ok(told) => self.first(&told)?,
                Err(Halt::Spent) => {
                    self.spent = true;
                    self.found.ends.push(end(Why::Budget)(id));
                }
                Err(halt) => {
                    self.found.ends.extend(ids.iter().skip(n).map(end(Why::Stopped)));
                    return Err(halt);
                }
            }
        }
        Ok(())
    }

    /// What a first transaction paid: from those who paid more than they got, past those who only passed it on.
    fn first(&mut self, told: &Told) -> Asked<()> {
        let flows = told.flows(self.profile, &self.fakes);
        self.whole.insert(told.tx.id, told.clone());
        let sums = Sums::of(&flows);
        let starts: Vec<&Flow> = flows.iter().filter(|flow| follows(flow) && sums.pays(flow)).collect();
        for flow in &starts {
            let Some(from) = flow.from else { continue };
            self.payers.insert((from, flow.asset.clone()));
            let paid = self.paid.entry(flow.asset.clone()).or_default();
            *paid = paid.plus(&flow.amount).unwrap_or(*paid);
        }
        for flow in starts {
            self.reach(flow, flow.amount, 0, (&flows, &sums))?;
        }
        Ok(())
    }

    fn walk(&mut self) -> Asked<()> {
        while let Some(event) = self.waiting.pop_first() {
            match self.step(&event) {
                Ok(()) => {}
                // What is stored is used to the end.
                Err(Halt::Spent) => {
                    self.spent = true;
                    if let Some(holder) = self.holders.get_mut(&event.3).filter(|holder| holder.why == Why::Holds) {
                        (holder.why, holder.moved_by) = (Why::Budget, Some(event.1));
                    }
                }
                Err(halt) => {
                    self.waiting.insert(event);
                    return Err(halt);
                }
            }
        }
        Ok(())
    }

    /// A payment by an account that the money reached.
    fn step(&mut self, (_, id, n, place): &(Point, Hash, usize, Place)) -> Asked<()> {
        let Some(holder) = self.holders.get_mut(place) else { return Ok(()) };
        let (Some(flow), Some(after)) = (holder.flows.get(*n).cloned(), holder.after.get(*n).copied()) else {
            return Ok(());
        };
        if holder.left.is_zero() || holder.why == Why::After {
            return Ok(());
        }
        if self.job.until.is_some_and(|until| flow.at.0 > until) {
            (holder.why, holder.moved_by) = (Why::After, Some(*id));
            return Ok(());
        }
        let (left, hop) = (holder.left, holder.hop);
        if follows(&flow) {
            let told = self.confirmed(id)?;
            let flow = Flow { at: told.at(), ..flow };
            let flows = told.flows(self.profile, &self.fakes);
            let moved = left.min(flow.amount);
            self.reach(&flow, moved, hop + 1, (&flows, &Sums::of(&flows)))?;
        }
        if let (Some(holder), Some(after)) = (self.holders.get_mut(place), after) {
            holder.left = holder.left.min(after);
        }
        Ok(())
    }

    /// A transaction with its receipt.
    fn confirmed(&mut self, id: &Hash) -> Asked<Told> {
        if let Some(told) = self.whole.get(id).filter(|told| told.whole) {
            return Ok(told.clone());
        }
        let Some(told) = self.whole.get(id).cloned() else { return self.ask.payment(id) };
        let told = self.ask.confirm(&told)?;
        self.whole.insert(*id, told.clone());
        Ok(told)
    }

    /// `moved` of a flow reaches its recipient, or whom that passes it on to in the same transaction.
    fn reach(&mut self, flow: &Flow, moved: Amount, hop: u32, (flows, sums): (&[Flow], &Sums)) -> Asked<()> {
        let (mut open, mut steps) = (vec![(flow.clone(), moved)], 0);
        while let Some((flow, moved)) = open.pop() {
            let Some(to) = flow.to else { continue };
            steps += 1;
            // Accounts that pay each other in a circle come to an end too.
            if !sums.passes(&to, &flow.asset) || steps > 2 * flows.len() {
                self.arrive((to, flow.asset.clone()), &flow, moved, hop)?;
                continue;
            }
            let onward = flows.iter().filter(|next| follows(next) && next.from == Some(to) && next.asset == flow.asset);
            open.extend(onward.map(|next| (next.clone(), moved.min(next.amount))));
        }
        Ok(())
    }

    fn arrive(&mut self, place: Place, flow: &Flow, moved: Amount, hop: u32) -> Asked<()> {
        if moved.is_zero() {
            return Ok(());
        }
        if let Some(holder) = self.holders.get_mut(&place) {
            let paid = self.paid.get(&place.1).copied().unwrap_or(moved);
            holder.left = holder.left.plus(&moved).unwrap_or(paid).min(paid);
            (holder.hop, holder.by) = (holder.hop.min(hop), flow.clone());
            return Ok(());
        }
        let service = (self.job.service)(&self.profile.text(&place.0));
        let paid = self.paid.get(&place.1).copied().unwrap_or_default();
        let small = |part| less_than_part(&moved, part, &paid);
        let why = match () {
            () if place.0 == ISSUER => Some(Why::Burnt),
            () if self.payers.contains(&place) => Some(Why::Payer),
            () if service.is_some() => Some(Why::Service),
            () if small(DUST) => Some(Why::Dust),
            () if hop > self.job.hops => Some(Why::Hops),
            // The next round looks there, if there is one.
            () if small(self.part) => Some(Why::Budget),
            () => None,
        };
        let why = match why {
            Some(why) => Some(why),
            None => match self.enter(&place, flow, moved, hop) {
                Ok(why) => why,
                Err(Halt::Spent) => {
                    self.spent = true;
                    Some(Why::Budget)
                }
                Err(other) => return Err(other),
            },
        };
        if let Some(why) = why {
            let end = self.end_of(&place, flow, hop);
            self.found.ends.push(End { at_most: moved.to_string(), why, service, ..end });
        }
        Ok(())
    }

    /// Looks at what an account paid since the money reached it; why it is not followed, if so.
    fn enter(&mut self, place: &Place, flow: &Flow, moved: Amount, hop: u32) -> Asked<Option<Why>> {
        let of = Account { address: &place.0, asset: Some(&place.1), most: self.job.hub };
        let (list, cut) = self.ask.history(&of, flow.at)?;
        if cut {
            return Ok(Some(Why::Hub));
        }
        self.fakes.extend(list.fakes.iter().copied());
        let mut flows = list.flows(self.profile);
        flows.retain(|one| one.asset == place.1 && (one.from == Some(place.0) || one.to == Some(place.0)) && one.edge);
        let paid: HashSet<_> = flows.iter().filter(|one| one.from == Some(place.0)).map(|one| one.to).collect();
        if paid.len() > MANY {
            return Ok(Some(Why::Hub));
        }
        let now = match self.ask.balance(&place.0, &place.1) {
            Err(Halt::Spent) => {
                self.spent = true;
                None
            }
            now => now?,
        };
        let opening = self.opening(place, &flows, now);
        let after = after_each(place, &flows, opening, flow.at);
        for (n, one) in flows.iter().enumerate() {
            let goes = one.from == Some(place.0) && one.to != one.from;
            if goes && (one.tx == flow.tx || !earlier(one.at, flow.at)) {
                self.waiting.insert((one.at.max(flow.at), one.tx, n, place.clone()));
            }
        }
        self.learn(list);
        self.note(place, flows.first(), opening)?;
        let (by, why) = (flow.clone(), Why::Holds);
        let holder = Holder { left: moved, hop, by, flows, after, now, why, moved_by: None };
        self.holders.insert(place.clone(), holder);
        Ok(None)
    }

    /// Keeps what lists tell of transactions.
    fn learn(&mut self, list: Gathered) {
        for (id, told) in list.txs {
            match self.whole.get_mut(&id) {
                Some(known) => known.join(told),
                None => drop(self.whole.insert(id, told)),
            }
        }
    }

    /// The balance now less net since; `None` where it is not known, and where no true balance could be.
    fn opening(&self, place: &Place, flows: &[Flow], now: Option<Amount>) -> Option<Amount> {
        // What a chain above another pays it for data is in no list.
        let untold = place.1 == self.profile.coin.as_bytes() && self.profile.l1_fee_to.is_some();
        let (received, paid) = sums_of(place, flows)?;
        now.filter(|_| !untold)?.plus(&paid)?.minus(&received)
    }

    /// Keeps an opening balance, to be told in the columns: before which block, and how much. Where a list does not tell the block of the
    /// first entry, its transaction is asked for.
    fn note(&mut self, place: &Place, first: Option<&Flow>, opening: Option<Amount>) -> Asked<()> {
        let (Some(first), Some(amount)) = (first, opening) else { return Ok(()) };
        let told = match self.whole.get(&first.tx) {
            Some(told) if told.height.is_some() => told.clone(),
            _ => match self.confirmed(&first.tx) {
                Err(Halt::Spent) => return Ok(()),
                told => told?,
            },
        };
        let body =
            json!({"height": told.height, "hash": told.hash.map(|hash| hex(&hash)), "amount": amount.to_string()});
        let name = format!("opening/{}/{}", hex::encode(place.0), hex::encode(&place.1));
        self.ask.note(&name, body.to_string())
    }

    /// The accounts that still have, or may have, some.
    fn list(&mut self) {
        for (place, holder) in std::mem::take(&mut self.holders) {
            if holder.left.is_zero() {
                continue;
            }
            let end = self.end_of(&place, &holder.by, holder.hop);
            self.found.ends.push(End {
                amount: holder.now.map_or_else(|| holder.by.amount.to_string(), |now| now.to_string()),
                at_most: holder.left.to_string(),
                why: holder.why,
                moved_by: holder.moved_by.as_ref().map(hex),
                ..end
            });
        }
    }

    fn end_of(&self, place: &Place, flow: &Flow, hop: u32) -> End {
        End {
            tx: hex(&flow.tx),
            address: Some(self.profile.text(&place.0)),
            asset: self.profile.text(&place.1),
            amount: flow.amount.to_string(),
            hop,
            height: Some(flow.at.1).filter(|height| *height > 0),
            time: Some(flow.at.0),
            ..End::default()
        }
    }

    /// The history of an account: each asset that moved, and what it had before.
    ///
    /// # Errors
    /// The endpoint; a stop.
    pub fn history(&mut self, text: &str, address: &Address) -> Asked<()> {
        let of = Account { address, asset: None, most: self.job.hub };
        let (list, cut) = match self.ask.history(&of, Point::default()) {
            Ok((list, cut)) => (list, cut.then_some(Why::Hub)),
            Err(Halt::Spent) => {
                self.found.histories.push(History::unasked(text));
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let mut assets: BTreeMap<Vec<u8>, Vec<Flow>> = BTreeMap::new();
        for flow in list.flows(self.profile) {
            if flow.edge && (flow.from == Some(*address) || flow.to == Some(*address)) {
                assets.entry(flow.asset.clone()).or_default().push(flow);
            }
        }
        self.learn(list);
        let mut tokens = 0;
        for (asset, flows) in assets {
            let place = (*address, asset);
            tokens += 1;
            let now = match tokens <= TOKENS && cut.is_none() {
                true => self.ask.balance(address, &place.1),
                false => Ok(None),
            };
            let now = if matches!(now, Err(Halt::Spent)) { None } else { now? };
            let opening = self.opening(&place, &flows, now);
            self.note(&place, flows.first(), opening)?;
            let (received, spent) = sums_of(&place, &flows).unwrap_or_default();
            let txs: HashSet<Hash> = flows.iter().map(|flow| flow.tx).collect();
            let cut = cut.or(now.is_none().then_some(Why::Budget).filter(|_| tokens <= TOKENS));
            self.found.histories.push(History {
                address: text.to_owned(),
                asset: self.profile.text(&place.1),
                transactions: txs.len() as u64,
                fetched: txs.len() as u64,
                now: now.map(|now| now.to_string()),
                received: received.to_string(),
                spent: spent.to_string(),
                opening: opening.map(|opening| opening.to_string()),
                closed: cut.is_none() && opening.is_some_and(|opening| opening.is_zero()),
                cut,
            });
        }
        Ok(())
    }
}

/// Whether a flow carries the money on: fees, stakes and what a contract makes of it do not.
fn follows(flow: &Flow) -> bool {
    flow.edge && matches!(flow.kind, Kind::Transfer | Kind::Burn)
}

/// Whether a point is known to lie before another.
fn earlier(a: Point, b: Point) -> bool {
    let told = |a: u64, b: u64| a > 0 && b > 0 && a < b;
    a.0 < b.0 || (a.0 == b.0 && (told(a.1, b.1) || (a.1 == b.1 && told(u64::from(a.2), u64::from(b.2)))))
}

/// Received and paid; `None` where a sum does not fit.
fn sums_of(place: &Place, flows: &[Flow]) -> Option<(Amount, Amount)> {
    flows.iter().try_fold((Amount::default(), Amount::default()), |(received, paid), flow| {
        let (comes, goes) = (flow.to == Some(place.0), flow.from == Some(place.0));
        let received = if comes { received.plus(&flow.amount)? } else { received };
        Some((received, if goes { paid.plus(&flow.amount)? } else { paid }))
    })
}

/// What an account has after the last payment of each second. Within a block lists do not tell the order, so only the end is known; where
/// that would be less than nothing, nothing is known.
fn after_each(place: &Place, flows: &[Flow], opening: Option<Amount>, since: Point) -> Vec<Option<Amount>> {
    let none = || vec![None; flows.len()];
    let Some(mut balance) = opening else { return none() };
    let mut after = Vec::with_capacity(flows.len());
    for second in flows.chunk_by(|a, b| a.at.0 == b.at.0) {
        let Some((received, paid)) = sums_of(place, second) else { return none() };
        let Some(left) = balance.plus(&received).and_then(|sum| sum.minus(&paid)) else { return none() };
        balance = left;
        let payments = second.iter().enumerate().filter(|(_, flow)| flow.from == Some(place.0) && flow.to != flow.from);
        let last = payments.max_by_key(|(n, flow)| (flow.at.max(since), flow.tx, *n)).map(|(n, _)| n);
        after.extend((0..second.len()).map(|n| (Some(n) == last).then_some(left)));
    }
    after
}

/// What each account received and paid in one transaction.
struct Sums(HashMap<Place, (Amount, Amount)>);

impl Sums {
    fn of(flows: &[Flow]) -> Sums {
        let mut sums: HashMap<Place, (Amount, Amount)> = HashMap::new();
        for flow in flows.iter().filter(|flow| follows(flow)) {
            let mut add = |party: Option<Address>, comes: bool| {
                let Some(party) = party else { return };
                let (received, paid) = sums.entry((party, flow.asset.clone())).or_default();
                let sum = if comes { received } else { paid };
                *sum = sum.plus(&flow.amount).unwrap_or(*sum);
            };
            add(flow.from, false);
            add(flow.to, true);
        }
        Sums(sums)
    }

    /// Whether whoever pays a flow paid more than they got.
    fn pays(&self, flow: &Flow) -> bool {
        let sums = flow.from.and_then(|from| self.0.get(&(from, flow.asset.clone())));
        sums.is_some_and(|(received, paid)| paid > received)
    }

    /// Whether somebody passed on all that they got.
    fn passes(&self, party: &Address, asset: &[u8]) -> bool {
        let sums = self.0.get(&(*party, asset.to_vec()));
        sums.is_some_and(|(received, paid)| received == paid && !paid.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(time: u32, from: u8, to: u8, amount: u128) -> Flow {
        let party = |n: u8| Some([n; 20]);
        let (asset, kind, edge) = (b"ETH".to_vec(), Kind::Transfer, true);
        let amount = Amount::from(amount);
        Flow {
            at: (time, u64::from(time), 0),
            tx: [to; 32],
            from: party(from),
            to: party(to),
            asset,
            amount,
            kind,
            edge,
        }
    }

    #[test]
    fn what_is_left_is_known_after_the_last_payment_of_a_second_and_nothing_where_it_would_be_less_than_nothing() {
        let place = ([1; 20], b"ETH".to_vec());
        let flows = [flow(1, 9, 1, 10), flow(2, 1, 2, 25), flow(2, 9, 1, 20), flow(3, 1, 3, 5)];
        let left = |opening: Option<u128>| -> Vec<Option<u128>> {
            after_each(&place, &flows, opening.map(Amount::from), Point::default())
                .iter()
                .map(|a| a.and_then(|a| a.to_u128()))
                .collect()
        };
        assert_eq!(left(Some(0)), [None, Some(5), None, Some(0)]);
        assert_eq!(left(Some(7)), [None, Some(12), None, Some(7)]);
        assert_eq!(left(None), [None; 4]);
        let more = [flow(1, 9, 1, 10), flow(2, 1, 2, 25)];
        assert_eq!(after_each(&place, &more, Some(Amount::default()), Point::default()), [None, None]);
    }

    #[test]
    fn who_only_passes_on_in_one_transaction_is_no_payer_and_no_holder() {
        let flows = [flow(1, 1, 2, 10), flow(1, 2, 3, 6), flow(1, 2, 4, 4), flow(1, 1, 5, 3)];
        let sums = Sums::of(&flows);
        assert!(sums.passes(&[2; 20], b"ETH") && !sums.passes(&[3; 20], b"ETH") && !sums.passes(&[1; 20], b"ETH"));
        assert_eq!(flows.iter().map(|flow| sums.pays(flow)).collect::<Vec<_>>(), [true, false, false, true]);
    }
}
