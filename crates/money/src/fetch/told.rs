//! Transactions of a chain of accounts as endpoints tell them, in parts: rows of lists, receipts, infos. What several pages tell of one
//! transaction becomes one, and nothing counts twice.
use super::asker::Asked;
use crate::columns::{Amount, Kind};
use crate::evm::{Address, Hash, Profile, RawBlock, RawCall, RawLog, RawTx, TRANSFER, entries};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A part of a transaction, or all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The block's height, where told.
    pub height: Option<u64>,
    /// The block's hash, where told.
    pub hash: Option<Hash>,
    /// The block's time, Unix seconds.
    pub time: u32,
    /// The transaction. Its calls stand in `calls` until it is whole.
    pub tx: RawTx,
    /// Its calls by their place.
    pub calls: BTreeMap<Vec<u32>, RawCall>,
    /// Whether all its logs are there: a receipt told them.
    pub whole: bool,
    /// Whether all its calls are there.
    pub whole_calls: bool,
}

/// Where an entry stands: time, height, place of the transaction from 1. What is not told is 0.
pub type Point = (u32, u64, u32);

/// Something that moved between two accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Where it stands.
    pub at: Point,
    /// Its transaction.
    pub tx: Hash,
    /// Who pays; nobody who is known.
    pub from: Option<Address>,
    /// Who is paid; nobody who is known.
    pub to: Option<Address>,
    /// The coin's letters, or the token's name.
    pub asset: Vec<u8>,
    /// Base units.
    pub amount: Amount,
    /// What kind of change.
    pub kind: Kind,
    /// Whether it joins two accounts.
    pub edge: bool,
}

/// Transactions by their ids, and what their tokens call themselves.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// Parts put together.
    pub txs: BTreeMap<Hash, Told>,
    /// Contracts that pass themselves off as others.
    pub fakes: HashSet<Address>,
}

/// A `Transfer` that a list tells: a log whose index is not known.
pub fn transfer_log(token: Address, from: &Address, to: &Address, amount: &Amount) -> RawLog {
    let padded = |address: &Address| {
        let mut topic = [0; 32];
        topic.iter_mut().skip(12).zip(address).for_each(|(to, from)| *to = *from);
        topic
    };
    let mut data = amount.0.to_vec();
    data.reverse();
    RawLog { address: token, topics: vec![TRANSFER, padded(from), padded(to)], data, ..RawLog::default() }
}

impl Gathered {
    /// Takes in what a row says: each row of one list is something of its own.
    pub fn add(&mut self, told: Told) {
        let bare = || Told { time: told.time, tx: RawTx { id: told.tx.id, ..RawTx::default() }, ..Told::default() };
        let known = self.txs.entry(told.tx.id).or_insert_with(bare);
        known.fill(&told);
        known.tx.logs.extend(told.tx.logs);
        known.calls.extend(told.calls);
    }

    /// Takes in another list, which may tell the same: of equal logs so many count as one list has at most.
    pub fn merge(&mut self, other: Gathered) {
        self.fakes.extend(other.fakes);
        for (id, told) in other.txs {
            match self.txs.get_mut(&id) {
                None => drop(self.txs.insert(id, told)),
                Some(known) => known.join(told),
            }
        }
    }

    /// What moved, in order. A transaction whose amounts cannot be added up tells nothing.
    pub fn flows(&self, profile: &Profile) -> Vec<Flow> {
        let mut flows: Vec<Flow> = self.txs.values().flat_map(|told| told.flows(profile, &self.fakes)).collect();
        flows.sort_by_key(|flow| flow.at);
        flows
    }
}

impl Told {
    /// The transaction with its calls in order.
    pub fn raw(&self) -> RawTx {
        let calls = (0..).zip(self.calls.values()).map(|(order, call)| RawCall { order, ..call.clone() });
        RawTx { calls: calls.collect(), ..self.tx.clone() }
    }

    /// Where it stands.
    pub fn at(&self) -> Point {
        (self.time, self.height.unwrap_or(0), self.tx.place.map_or(0, |place| place.saturating_add(1)))
    }

    /// What it moved.
    pub fn flows(&self, profile: &Profile, fakes: &HashSet<Address>) -> Vec<Flow> {
        let raw = RawBlock { time: Some(self.time), txs: vec![self.raw()], ..RawBlock::default() };
        let Ok((block, _)) = entries(&raw, profile, fakes) else { return Vec::new() };
        let party = |bytes: &[u8]| Address::try_from(bytes).ok();
        let flow = |transfer: &crate::columns::NewTransfer| Flow {
            at: self.at(),
            tx: self.tx.id,
            from: party(block.bytes(transfer.from)),
            to: party(block.bytes(transfer.to)),
            asset: block.bytes(transfer.asset).to_vec(),
            amount: transfer.amount,
            kind: transfer.kind,
            edge: !transfer.fake && !transfer.amount.is_zero(),
        };
        block.transfers.iter().map(flow).collect()
    }

    /// What stays of another part: what is not known yet.
    fn fill(&mut self, other: &Told) {
        self.height = self.height.or(other.height);
        self.hash = self.hash.or(other.hash);
        self.tx.place = self.tx.place.or(other.tx.place);
        if self.tx.body.is_none() {
            self.tx.body.clone_from(&other.tx.body);
        }
    }

    /// Puts two lists' parts of one transaction together.
    pub fn join(&mut self, other: Told) {
        self.fill(&other);
        if other.whole && other.tx.body.is_some() {
            self.tx.body.clone_from(&other.tx.body);
        }
        match (self.whole, other.whole) {
            (true, _) => {}
            (false, true) => (self.tx.logs, self.whole) = (other.tx.logs, true),
            (false, false) => self.tx.logs = most_of(std::mem::take(&mut self.tx.logs), other.tx.logs),
        }
        match (self.whole_calls, other.whole_calls) {
            (true, _) => {}
            (false, true) => (self.calls, self.whole_calls) = (other.calls, true),
            (false, false) => self.calls.extend(other.calls),
        }
    }

    /// Whether a receipt bears out what lists say: it has each of their logs.
    ///
    /// # Errors
    /// A transfer that the receipt does not have.
    pub fn borne_out(&self, receipt: &[RawLog]) -> Result<(), String> {
        let mut counts: HashMap<_, i64> = HashMap::new();
        let key = |log: &RawLog| (log.address, log.topics.clone(), log.data.clone());
        receipt.iter().for_each(|log| *counts.entry(key(log)).or_default() += 1);
        for log in &self.tx.logs {
            let left = counts.entry(key(log)).or_default();
            *left -= 1;
            if *left < 0 {
                return Err(
                    "a list tells a transfer that its receipt does not have: the endpoint is wrong, or lies".into()
                );
            }
        }
        Ok(())
    }
}

/// Of equal logs as many as the list that has more of them.
fn most_of(mut logs: Vec<RawLog>, others: Vec<RawLog>) -> Vec<RawLog> {
    let mut unmatched = logs.clone();
    for log in others {
        match unmatched.iter().position(|known| *known == log) {
            Some(place) => drop(unmatched.swap_remove(place)),
            None => logs.push(log),
        }
    }
    logs
}

/// What an endpoint that tells accounts answers, whatever its API is.
pub trait Teller {
    /// Looks whether it serves the chain, takes back what that no longer has, and says where it ends.
    fn begin(&mut self, known: &Gathered) -> Asked<(u64, u64)>;
    /// A transaction with its receipt.
    fn payment(&mut self, id: &Hash) -> Asked<Told>;
    /// A transaction that a list told, borne out by its receipt.
    fn confirm(&mut self, told: &Told) -> Asked<Told>;
    /// What an account received and paid (of one asset, or of all) from a point on; why not all of it, if so.
    fn history(&mut self, of: &Account<'_>, since: Point) -> Asked<(Gathered, bool)>;
    /// What it has now; `None` where that is not told.
    fn balance(&mut self, account: &Address, asset: &[u8]) -> Asked<Option<Amount>>;
    /// Notes something that follows from answers.
    fn note(&mut self, name: &str, body: String) -> Asked<()>;
}

/// Whose history is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The account.
    pub address: &'a Address,
    /// The coin or token; else all.
    pub asset: Option<&'a [u8]>,
    /// An account with more rows is a hub.
    pub most: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(logs: &[u8]) -> Told {
        let log = |n: &u8| transfer_log([9; 20], &[1; 20], &[2; 20], &Amount::from(u128::from(*n)));
        Told { tx: RawTx { id: [7; 32], logs: logs.iter().map(log).collect(), ..RawTx::default() }, ..Told::default() }
    }

    fn gathered(logs: &[u8]) -> Gathered {
        let mut list = Gathered::default();
        logs.iter().for_each(|n| list.add(told(&[*n])));
        list
    }

    #[test]
    fn equal_rows_of_one_list_are_two_transfers_and_of_two_lists_one() {
        let mut all = gathered(&[5, 5, 6]);
        all.merge(gathered(&[5, 7]));
        all.merge(gathered(&[5, 5, 6]));
        let logs = &all.txs[&[7; 32]].tx.logs;
        assert_eq!(logs, &told(&[5, 5, 6, 7]).tx.logs);
        let whole = Told { whole: true, ..told(&[5, 6]) };
        let mut other = Gathered::default();
        other.txs.insert([7; 32], whole);
        all.merge(other);
        assert_eq!(all.txs[&[7; 32]].tx.logs.len(), 2, "a receipt tells all");
    }

    #[test]
    fn a_row_that_the_receipt_lacks_is_told_apart() {
        let receipt = told(&[5, 6]).tx.logs;
        assert!(told(&[5]).borne_out(&receipt).is_ok() && told(&[6, 5]).borne_out(&receipt).is_ok());
        assert!(told(&[5, 5]).borne_out(&receipt).is_err() && told(&[8]).borne_out(&receipt).is_err());
    }
}
