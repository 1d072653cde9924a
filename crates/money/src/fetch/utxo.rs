//! From transactions forward to the frontier, by an Esplora endpoint: two calls a transaction, none for what a page already told.
use super::asker::{Asked, Asker, Halt, Read};
use super::esplora::{
    InBlock, Outspend, Stats, UtxoTx, prove, read_blocks, read_hash, read_outspends, read_page, read_stats, read_tx,
};
use super::{DUST, End, Frontier, History, Job, ROUNDS, Why, less_than_part};
use crate::chain::{Network, address_text, key_of_script};
use crate::columns::{Amount, Block, hex};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A transaction with more inputs or outputs is a service's: a sweep, a batch of payments, or a mix of many people's.
const MANY: usize = 100;
/// A block with so many above it is there to stay: a fork deeper than Bitcoin has ever had.
const FINAL: u64 = 100;
/// So many pages of one address are asked for at most; the budget is smaller as a rule.
const PAGES: usize = 1_000;

/// What an output that is followed is.
struct Reached {
    tx: [u8; 32],
    vout: usize,
    amount: u64,
    at_most: u64,
    input: u32,
}

/// A transaction that is still to be looked at, and what leads to it.
#[derive(Default)]
struct Pending {
    by: Vec<Reached>,
}

/// The walk.
pub struct Walk<'a, 'b> {
    ask: &'a mut Asker<'b>,
    network: Network,
    job: &'a Job<'a>,
    tip: u64,
    known: HashMap<[u8; 32], UtxoTx>,
    /// What the first transactions paid others.
    paid: u64,
    /// Less than this part of it is not followed in this round.
    part: u128,
    /// Something was not asked for want of budget.
    spent: bool,
    /// The frontier.
    pub found: Frontier,
}

impl<'a, 'b> Walk<'a, 'b> {
    /// Asks where the endpoint's chain ends, and whether it is the one that is meant and still has what was fetched before.
    ///
    /// # Errors
    /// Another chain; the endpoint.
    pub fn begin(
        ask: &'a mut Asker<'b>,
        (network, job): (Network, &'a Job<'a>),
        known: HashMap<[u8; 32], UtxoTx>,
    ) -> Asked<Walk<'a, 'b>> {
        let number = |text: &str| text.trim().parse::<u64>().map(Read::Now).map_err(|_| "is no height".to_owned());
        let path = "blocks/tip/height";
        let tip = ask.anew(path, number)?.ok_or_else(|| ask.fault(path, "it does not tell where its chain ends"))?;
        let mut walk =
            Walk { ask, network, job, tip, known, paid: 0, part: DUST, spent: false, found: Frontier::default() };
        for (height, hash) in network.known().filter(|(height, _)| *height <= tip) {
            let told = walk.hash_at(height)?;
            if told != Some(hash) {
                let told = told.map_or_else(|| "nothing".into(), |told| hex(&told));
                let why = format!("it serves another chain: block {height} of {} is {}", network.code(), hex(&hash));
                return Err(walk.ask.fault(&format!("block-height/{height}"), format!("{why}, and it has {told}")));
            }
        }
        walk.unwind()?;
        Ok(walk)
    }

    /// Never from what is stored: another endpoint may have told that.
    fn hash_at(&mut self, height: u64) -> Asked<Option<[u8; 32]>> {
        self.ask.anew(&format!("block-height/{height}"), |text| read_hash(text).map(Read::Now))
    }

    /// Takes back the rows of blocks that the chain no longer has, from the highest fetched one down to the first that it has and that
    /// is there to stay: a fetch during which the chain changed its mind can have blocks of both branches.
    fn unwind(&mut self) -> Asked<()> {
        let mut blocks: Vec<InBlock> = self.known.values().filter_map(|tx| tx.block).collect();
        blocks.sort_unstable();
        blocks.dedup_by_key(|block| block.hash);
        let mut told = HashMap::new();
        while let Some(block) = blocks.pop() {
            if block.height <= self.tip && self.told_at(block.height, &mut told)? == Some(block.hash) {
                if block.height + FINAL <= self.tip {
                    break;
                }
                continue;
            }
            self.ask.unwind(&hex(&block.hash))?;
            self.known.retain(|_, tx| tx.block.is_none_or(|own| own.hash != block.hash));
            self.found.unwound += 1;
        }
        Ok(())
    }

    /// The hash at a height, by lists of the blocks below one (ten or more a call); where there are no such lists, one by one.
    fn told_at(&mut self, height: u64, told: &mut HashMap<u64, [u8; 32]>) -> Asked<Option<[u8; 32]>> {
        if let Some(hash) = told.get(&height) {
            return Ok(Some(*hash));
        }
        let list = self.ask.anew(&format!("blocks/{height}"), |text| read_blocks(text).map(Read::Now))?;
        told.extend(list.unwrap_or_default());
        match told.get(&height) {
            Some(hash) => Ok(Some(*hash)),
            None => self.hash_at(height),
        }
    }

    /// A transaction by its id.
    fn tx(&mut self, id: &[u8; 32]) -> Asked<UtxoTx> {
        if let Some(tx) = self.known.get(id).filter(|tx| tx.block.is_some()) {
            return Ok(tx.clone());
        }
        let (family, name) = (self.network.family(), hex(id));
        let tx = self.ask.must(&format!("tx/{name}"), |text| {
            read_tx(text, id, family).map(|tx| if tx.block.is_some() { Read::Lasting(tx) } else { Read::Now(tx) })
        })?;
        self.keep(&tx)?;
        Ok(tx)
    }

    fn keep(&mut self, tx: &UtxoTx) -> Asked<()> {
        if self.job.prove
            && let Some(block) = tx.block
        {
            let (name, block) = (hex(&tx.id), hex(&block.hash));
            let text = |text: &str| Ok(Read::Lasting(text.to_owned()));
            let proof = self.ask.must(&format!("tx/{name}/merkle-proof"), text)?;
            let header = self.ask.must(&format!("block/{block}/header"), text)?;
            prove(tx, &proof, &header, self.network).map_err(|why| {
                self.ask.fault(&format!("tx/{name}/merkle-proof"), format!("transaction {name}: {why}"))
            })?;
            self.found.proven += 1;
        }
        self.known.insert(tx.id, tx.clone());
        Ok(())
    }

    /// Follows transactions to the frontier. What is left when the budget ends is listed with that reason.
    ///
    /// # Errors
    /// The endpoint; a stop. What was found until then stands in `found`.
    pub fn follow(&mut self, ids: &[[u8; 32]]) -> Asked<()> {
        for part in ROUNDS {
            self.found.ends.clear();
            (self.part, self.paid, self.spent) = (part, 0, false);
            self.round(ids)?;
            if self.spent {
                break;
            }
        }
        Ok(())
    }

    fn round(&mut self, ids: &[[u8; 32]]) -> Asked<()> {
        let mut waiting: BTreeMap<(u64, u32, [u8; 32]), Pending> = BTreeMap::new();
        ids.iter().for_each(|id| drop(waiting.insert((0, 0, *id), Pending::default())));
        let mut done = HashSet::new();
        while let Some(((height, hop, id), pending)) = waiting.pop_first() {
            let outcome = if done.insert(id) { self.step((hop, &id), &pending, &mut waiting) } else { Ok(()) };
            let why = match outcome {
                Ok(()) => continue,
                Err(Halt::Spent) => Why::Budget,
                Err(halt) => {
                    waiting.insert((height, hop, id), pending);
                    waiting.iter().for_each(|((_, hop, id), pending)| self.unseen(id, *hop, pending, Why::Stopped));
                    return Err(halt);
                }
            };
            // What is stored is used to the end.
            self.spent = true;
            self.unseen(&id, hop, &pending, why);
        }
        Ok(())
    }

    /// What led to a transaction that was not looked at ends before it.
    fn unseen(&mut self, id: &[u8; 32], hop: u32, pending: &Pending, why: Why) {
        pending.by.iter().for_each(|reached| self.end(reached, hop.saturating_sub(1), why, Some(id)));
        if pending.by.is_empty() {
            self.found.ends.push(End { tx: hex(id), hop, why, ..End::default() });
        }
    }

    fn step(
        &mut self,
        (hop, id): (u32, &[u8; 32]),
        pending: &Pending,
        waiting: &mut BTreeMap<(u64, u32, [u8; 32]), Pending>,
    ) -> Asked<()> {
        let tx = self.tx(id)?;
        for reached in &pending.by {
            let spends = usize::try_from(reached.input).ok().and_then(|input| tx.inputs.get(input));
            if spends.is_none_or(|spends| spends.id != reached.tx || spends.vout as usize != reached.vout) {
                let (call, by) = (format!("tx/{}/outspends", hex(&reached.tx)), hex(id));
                return Err(self.ask.fault(&call, format!("output {} is not spent by {by}: it lies", reached.vout)));
            }
        }
        if hop > 0 && (tx.inputs.len() > MANY || tx.outputs.len() > MANY) {
            pending.by.iter().for_each(|reached| self.end(reached, hop - 1, Why::Hub, Some(id)));
            return Ok(());
        }
        let told: u64 = pending.by.iter().map(|reached| reached.at_most).fold(0, u64::saturating_add);
        let at_most = if hop == 0 { u64::MAX } else { told };
        let payers: HashSet<&[u8]> = match hop {
            0 => tx.coins.iter().flatten().map(|coin| coin.script.as_slice()).collect(),
            _ => HashSet::new(),
        };
        let mut open = Vec::new();
        for (vout, output) in tx.outputs.iter().enumerate().filter(|(_, output)| output.value > 0) {
            let (amount, at_most) = (output.value, at_most.min(output.value));
            let reached = Reached { tx: *id, vout, amount, at_most, input: 0 };
            if payers.contains(output.script.as_slice()) {
                self.end(&reached, hop, Why::Payer, None);
            } else if self.address(&tx, vout).is_some_and(|address| (self.job.service)(&address).is_some()) {
                self.end(&reached, hop, Why::Service, None);
            } else {
                open.push(reached);
            }
        }
        if hop == 0 {
            let paid: u64 = open.iter().map(|reached| reached.amount).fold(0, u64::saturating_add);
            self.paid = self.paid.saturating_add(paid);
        }
        let (part, paid) = (self.part, Amount::from(u128::from(self.paid)));
        let small = |reached: &Reached, part| less_than_part(&Amount::from(u128::from(reached.at_most)), part, &paid);
        let (open, small): (Vec<_>, Vec<_>) = open.into_iter().partition(|reached| !small(reached, part));
        for reached in small {
            let dust = less_than_part(&Amount::from(u128::from(reached.at_most)), DUST, &paid);
            self.end(&reached, hop, if dust { Why::Dust } else { Why::Budget }, None);
        }
        if open.is_empty() {
            return Ok(());
        }
        let outputs = tx.outputs.len();
        let spent = self.ask.must(&format!("tx/{}/outspends", hex(id)), |text| {
            let told = read_outspends(text, outputs)?;
            let all = told.iter().all(|spent| matches!(spent, Outspend::By(.., Some(_))));
            Ok(if all { Read::Lasting(told) } else { Read::Now(told) })
        })?;
        for mut reached in open {
            match spent.get(reached.vout) {
                Some(Outspend::By(by, input, block)) => {
                    let after = block.is_some_and(|block| self.job.until.is_some_and(|until| block.time > until));
                    match (block, after) {
                        (None, _) => self.end(&reached, hop, Why::Unconfirmed, Some(by)),
                        (_, true) => self.end(&reached, hop, Why::After, Some(by)),
                        _ if hop >= self.job.hops => self.end(&reached, hop, Why::Hops, Some(by)),
                        (Some(block), _) => {
                            reached.input = *input;
                            // A transaction is found once, at the fewest hops.
                            let found = waiting.keys().find(|(.., id)| id == by).copied();
                            let key = found.unwrap_or((block.height, hop + 1, *by));
                            waiting.entry(key).or_default().by.push(reached);
                        }
                    }
                }
                _ => self.end(&reached, hop, Why::Unspent, None),
            }
        }
        Ok(())
    }

    fn address(&self, tx: &UtxoTx, vout: usize) -> Option<String> {
        let mut scratch = Block::default();
        let script = &tx.outputs.get(vout)?.script;
        let key = key_of_script(script, self.network.family(), &mut scratch);
        address_text(scratch.bytes(key), self.network)
    }

    fn end(&mut self, reached: &Reached, hop: u32, why: Why, by: Option<&[u8; 32]>) {
        let tx = self.known.get(&reached.tx);
        let address = tx.and_then(|tx| self.address(tx, reached.vout));
        self.found.ends.push(End {
            tx: hex(&reached.tx),
            vout: u64::try_from(reached.vout).ok(),
            service: address.as_deref().and_then(|address| (self.job.service)(address)),
            address,
            asset: self.network.code().to_owned(),
            amount: reached.amount.to_string(),
            at_most: reached.at_most.to_string(),
            hop,
            height: tx.and_then(|tx| tx.block).map(|block| block.height),
            time: tx.and_then(|tx| tx.block).map(|block| block.time),
            why,
            moved_by: by.map(hex),
        });
    }

    /// The history of an address, newest first, and what it had before it begins.
    ///
    /// # Errors
    /// The endpoint; a stop; an endpoint that repeats its pages.
    pub fn history(&mut self, address: &str, key: &[u8]) -> Asked<()> {
        let stats = self.ask.must(&format!("address/{address}"), |text| read_stats(text).map(Read::Now));
        let stats = match stats {
            Ok(stats) => stats,
            Err(Halt::Spent) => {
                self.found.histories.push(History::unasked(address));
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let mut seen = HashSet::new();
        let cut = if stats.tx_count > self.job.hub {
            Some(Why::Hub)
        } else {
            match self.pages(address, stats.tx_count, &mut seen) {
                Ok(why) => why,
                Err(Halt::Spent) => Some(Why::Budget),
                Err(other) => return Err(other),
            }
        };
        self.found.histories.push(self.sums(address, key, &stats, &seen, cut));
        Ok(())
    }

    /// Pages of 25 transactions, until all are there.
    fn pages(&mut self, address: &str, count: u64, seen: &mut HashSet<[u8; 32]>) -> Asked<Option<Why>> {
        let family = self.network.family();
        let mut path = format!("address/{address}/txs/chain");
        for _ in 0..PAGES {
            if seen.len() as u64 >= count {
                return Ok(None);
            }
            let page = self.ask.must(&path, |text| read_page(text, family).map(Read::Now))?;
            let Some(last) = page.last().map(|tx| tx.id) else { break };
            if page.iter().filter(|tx| seen.insert(tx.id)).count() == 0 {
                return Err(self.ask.fault(&path, "it repeats a page that it told before"));
            }
            for tx in page.iter().filter(|tx| tx.block.is_some()) {
                if !self.known.contains_key(&tx.id) {
                    self.keep(tx)?;
                }
            }
            path = format!("address/{address}/txs/chain/{}", hex(&last));
        }
        Ok((seen.len() as u64 != count).then_some(Why::Short))
    }

    /// Received and spent by what was told, and what is left of the balance now: that was there before.
    fn sums(&self, address: &str, key: &[u8], stats: &Stats, seen: &HashSet<[u8; 32]>, cut: Option<Why>) -> History {
        let (mut received, mut spent, mut untold) = (0u64, 0u64, false);
        let mut scratch = Block::default();
        let mut own = |script: &[u8]| {
            scratch.clear();
            let found = key_of_script(script, self.network.family(), &mut scratch);
            scratch.bytes(found) == key
        };
        for tx in seen.iter().filter_map(|id| self.known.get(id)) {
            let paid = tx.outputs.iter().filter(|coin| own(&coin.script)).map(|coin| coin.value);
            received = paid.fold(received, u64::saturating_add);
            untold |= tx.coins.is_none() && !tx.coinbase;
            let coins = tx.coins.iter().flatten().filter(|coin| own(&coin.script)).map(|coin| coin.value);
            spent = coins.fold(spent, u64::saturating_add);
        }
        let now = stats.funded_txo_sum.checked_sub(stats.spent_txo_sum);
        // Balance now less net since; a history that needs more than it shows has no opening balance that could be true.
        let opening = now.and_then(|now| now.checked_add(spent)?.checked_sub(received)).filter(|_| !untold);
        History {
            address: address.to_owned(),
            asset: self.network.code().to_owned(),
            transactions: stats.tx_count,
            fetched: seen.len() as u64,
            now: now.map(|now| now.to_string()),
            received: received.to_string(),
            spent: spent.to_string(),
            opening: opening.map(|opening| opening.to_string()),
            closed: cut.is_none() && opening == Some(0),
            cut,
        }
    }

    /// What is known in the end.
    pub fn known(self) -> (HashMap<[u8; 32], UtxoTx>, Frontier, u64) {
        (self.known, self.found, self.tip)
    }
}
