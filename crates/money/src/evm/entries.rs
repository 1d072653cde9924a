//! The rules: from a block as its sources tell it to entries, one for every change of a balance.
use super::model::{Address, CallSort, PaymentKind, RawBlock, RawCall, RawLog, RawTx, TxBody};
use super::profile::{BaseFee, Profile, Writing};
use super::tokens::{Meaning, address_of, meaning, words};
use crate::columns::{
    Amount, BlockFlags, ISSUER, Kind, NewAllowance, NewTransfer, Span, TransferBlock, TransferTx, TxFlags,
};
use std::collections::HashSet;

/// `transferFrom(address,address,uint256)`.
const TRANSFER_FROM: [u8; 4] = [0x23, 0xb8, 0x72, 0xdd];

/// What a block's logs held that is no amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// `Transfer` logs with four topics.
    pub nfts: u64,
    /// Logs with a transfer's topic and not its shape.
    pub misshapen: u64,
}

/// Turns a block into entries. Head and hash are the caller's.
///
/// # Errors
/// A sum that does not fit 256 bits, or more entries than a block can have: with the transaction's place among those given.
pub fn entries(raw: &RawBlock, chain: &Profile, fakes: &HashSet<Address>) -> Result<(TransferBlock, Skipped), Wrong> {
    let block = TransferBlock {
        time: raw.time.unwrap_or(0),
        txs_said: raw.txs_said,
        flags: flags(raw),
        ..TransferBlock::default()
    };
    let mut writer = Writer { raw, chain, fakes, block, skipped: Skipped::default() };
    for (place, tx) in raw.txs.iter().enumerate() {
        writer.tx(tx).ok_or(Wrong { tx: place, why: "an amount does not fit 256 bits" })?;
    }
    writer.payments();
    Ok((writer.block, writer.skipped))
}

/// What cannot be turned into entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The transaction's place among the block's.
    pub tx: usize,
    /// What is wrong.
    pub why: &'static str,
}

fn flags(raw: &RawBlock) -> BlockFlags {
    let whole = raw.txs.iter().filter(|tx| tx.body.is_some()).count();
    let short = raw.txs_said.is_some_and(|said| whole < said as usize) || whole < raw.txs.len();
    [
        (short, BlockFlags::PARTIAL),
        (!raw.with_logs, BlockFlags::NO_LOGS),
        (!raw.with_traces, BlockFlags::NO_TRACES),
        (!raw.with_rewards, BlockFlags::NO_REWARD),
        (raw.hash.is_none(), BlockFlags::HASH_MADE),
    ]
    .iter()
    .filter(|(so, _)| *so)
    .fold(BlockFlags::default(), |flags, (_, flag)| flags.with(*flag))
}

/// An entry's place within its transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among all.
    Known(u64),
    /// Among tokens alone, or coins alone.
    Apart(u64),
    /// Not known.
    Unknown,
}

struct Writer<'a> {
    raw: &'a RawBlock,
    chain: &'a Profile,
    fakes: &'a HashSet<Address>,
    block: TransferBlock,
    skipped: Skipped,
}

impl Writer<'_> {
    fn tx(&mut self, tx: &RawTx) -> Option<()> {
        let first = self.block.transfers.len();
        let root = tx.calls.iter().find(|call| call.root);
        let ok = tx.body.as_ref().and_then(|body| body.ok).or(root.map(|root| root.ok));
        let mut flags = TxFlags::default();
        if ok == Some(false) {
            flags = flags.with(TxFlags::FAILED);
        }
        if !tx.calls.is_empty() {
            flags = flags.with(TxFlags::TRACED);
        }
        if tx.calls.iter().any(|call| call.cut) {
            flags = flags.with(TxFlags::UNSAID);
        }
        let mut signer = Span::default();
        match &tx.body {
            Some(body) => {
                signer = self.block.key(&body.from);
                flags = flags.with(self.costs(body)?);
                if self.own_value(body, root, ok) {
                    flags = flags.with(TxFlags::UNSAID);
                }
            }
            None => {
                flags = flags.with(TxFlags::PARTIAL).with(TxFlags::NO_FEE);
                if let Some(root) = root.filter(|root| root.moves()) {
                    self.coins(root, Place::Known(0));
                }
            }
        }
        if ok != Some(false) {
            self.inner(tx);
            let place = u32::try_from(self.block.txs.len()).ok()?;
            super::control::controls(tx, place, &mut self.block);
        }
        let transfers = u32::try_from(self.block.transfers.len() - first).ok()?;
        let id = self.block.key(&tx.id);
        let time = self.block.time;
        self.block.txs.push(TransferTx { id, time, transfers, place: tx.place, signer, flags });
        Some(())
    }

    /// What a transaction cost, whether it succeeded or not.
    fn costs(&mut self, body: &TxBody) -> Option<TxFlags> {
        let coin = self.chain.coin.as_bytes();
        let payer = Some(&body.from[..]);
        if let Some(fee) = body.fee {
            self.push((payer, Some(&ISSUER)), coin, fee, Kind::Fee);
        } else if let (Some(used), Some(price)) = (body.gas_used, body.gas_price) {
            let used = Amount::from(u128::from(used));
            let all = used.times(&price)?;
            let base = match self.raw.base_fee {
                Some(base_fee) => used.times(&base_fee)?.min(all),
                None => Amount::default(),
            };
            let base_to = match self.chain.base_fee {
                BaseFee::Burnt => Some(ISSUER),
                BaseFee::Kept(by) => Some(by),
                BaseFee::Unknown => None,
            };
            let author = self.raw.author.filter(|_| self.chain.tip_to_author);
            self.push((payer, base_to.as_ref().map(|to| &to[..])), coin, base, Kind::Fee);
            self.push((payer, author.as_ref().map(|to| &to[..])), coin, all.minus(&base)?, Kind::Fee);
        } else {
            return Some(TxFlags::NO_FEE);
        }
        self.push((payer, Some(&ISSUER)), coin, body.blob_fee, Kind::Fee);
        let below = self.chain.l1_fee_to;
        self.push((payer, below.as_ref().map(|to| &to[..])), coin, body.l1_fee, Kind::L1Fee);
        self.push((Some(&ISSUER), payer), coin, body.mint, Kind::L2Deposit);
        Some(TxFlags::default())
    }

    /// The coins that a transaction itself moves. True when it has a value and nobody says of what, or whether it moved.
    fn own_value(&mut self, body: &TxBody, root: Option<&RawCall>, ok: Option<bool>) -> bool {
        let coin = self.chain.coin.as_bytes();
        if let Some(moves) = &body.moves {
            for one in moves.iter().filter(|_| ok != Some(false)) {
                let parties = (one.from.as_ref().map(|from| &from[..]), one.to.as_ref().map(|to| &to[..]));
                self.push(parties, if one.token.is_empty() { coin } else { &one.token }, one.amount, one.kind);
            }
            return body.unsaid;
        }
        if let Some(root) = root {
            if root.moves() && ok != Some(false) {
                self.coins(root, Place::Known(0));
            }
            return false;
        }
        if ok == Some(false) || body.value.is_zero() {
            return false;
        }
        if self.chain.writing == Writing::Tron {
            // java-tron tells an amount whatever the contract is: coins, a TRC-10 token, votes, what is frozen. Only a call of
            // a contract, which has a selector, is said to carry coins.
            let kind = if body.selector.is_some() { Kind::Transfer } else { Kind::Unexplained };
            if let Some(to) = &body.to {
                self.push((Some(&body.from), Some(to)), coin, body.value, kind);
            }
            return body.selector.is_none();
        }
        let kind = if ok.is_some() { self.kind_of_coins(body.to.as_ref()) } else { Kind::Unexplained };
        self.push((Some(&body.from), body.to.as_ref().map(|to| &to[..])), coin, body.value, kind);
        ok.is_none()
    }

    fn kind_of_coins(&self, to: Option<&Address>) -> Kind {
        if to.is_some_and(|to| self.chain.stake.contains(to)) { Kind::Stake } else { Kind::Transfer }
    }

    /// Coins that contracts moved, and tokens.
    fn inner(&mut self, tx: &RawTx) {
        let moved: Vec<&RawCall> = tx.calls.iter().filter(|call| !call.root && call.moves()).collect();
        let traced = tx.logs.iter().all(|log| log.order.is_some());
        let alone = moved.is_empty() || tx.logs.is_empty();
        let mut places: Vec<(u64, Entry<'_>)> = Vec::with_capacity(moved.len() + tx.logs.len());
        places.extend(moved.into_iter().map(|call| (call.order, Entry::Call(call))));
        if traced {
            places.extend(tx.logs.iter().map(|log| (log.order.unwrap_or(0), Entry::Log(log))));
            places.sort_by_key(|(order, _)| *order);
        } else {
            let by_index = |log: &RawLog| u64::from(log.index.unwrap_or(u32::MAX));
            let mut logs: Vec<_> = tx.logs.iter().map(|log| (by_index(log), Entry::Log(log))).collect();
            logs.sort_by_key(|(index, _)| *index);
            places.append(&mut logs);
        }
        for (order, entry) in places {
            let place = if alone || traced { Place::Known(order) } else { Place::Apart(order) };
            match entry {
                Entry::Call(call) => self.coins(call, place),
                Entry::Log(log) if log.index.is_none() && log.order.is_none() => self.log(tx, log, Place::Unknown),
                Entry::Log(log) => self.log(tx, log, place),
            }
        }
    }

    fn coins(&mut self, call: &RawCall, place: Place) {
        let kind = if call.cut { Kind::Unexplained } else { self.kind_of_coins(call.to.as_ref()) };
        let to = call.to.as_ref().map(|to| &to[..]);
        let asset = if call.token.is_empty() { self.chain.coin.as_bytes() } else { &call.token };
        if self.push((Some(&call.from), to), asset, call.value, kind) {
            self.mark(place);
        }
    }

    fn log(&mut self, tx: &RawTx, log: &RawLog, place: Place) {
        match meaning(log, self.chain) {
            Meaning::Moved { from, to, amount, kind } => {
                // `Issue` and `Redeem` are the owner's calls; the log does not say who that is.
                let owner = || caller(tx, &log.address);
                let named = matches!((&from, &to), (Some(_), Some(_)));
                let (from, to) = if named { (from, to) } else { (from.or_else(owner), to.or_else(owner)) };
                let spender = from.as_ref().zip(to.as_ref()).and_then(|pair| spender(tx, &log.address, pair, &amount));
                let fake = self.fakes.contains(&log.address);
                let spender = spender.map_or_else(Span::default, |spender| self.block.key(&spender));
                let parties = (from.as_ref().map(|from| &from[..]), to.as_ref().map(|to| &to[..]));
                self.keep(parties, &log.address, amount, kind);
                if let Some(last) = self.block.transfers.last_mut() {
                    (last.spender, last.fake) = (spender, fake);
                }
                self.mark(place);
            }
            Meaning::Allowed { owner, spender, amount } => {
                let before = u32::try_from(self.block.transfers.len()).unwrap_or(u32::MAX);
                let (owner, spender) = (self.block.key(&owner), self.block.key(&spender));
                let asset = self.block.key(&log.address);
                self.block.allowances.push(NewAllowance { before, owner, spender, asset, amount });
            }
            Meaning::Nft => self.skipped.nfts += 1,
            Meaning::Misshapen => self.skipped.misshapen += 1,
            Meaning::Nothing => {}
        }
    }

    fn mark(&mut self, place: Place) {
        if let Some(last) = self.block.transfers.last_mut() {
            last.apart = matches!(place, Place::Apart(_));
            last.unordered = place == Place::Unknown;
        }
    }

    /// Keeps coins that moved; false when there are none.
    fn push(&mut self, parties: (Option<&[u8]>, Option<&[u8]>), asset: &[u8], amount: Amount, kind: Kind) -> bool {
        if !amount.is_zero() {
            self.keep(parties, asset, amount, kind);
        }
        !amount.is_zero()
    }

    fn keep(&mut self, (from, to): (Option<&[u8]>, Option<&[u8]>), asset: &[u8], amount: Amount, kind: Kind) {
        let block = &mut self.block;
        let (from, to) = (block.key(from.unwrap_or_default()), block.key(to.unwrap_or_default()));
        let asset = block.key(asset);
        block.transfers.push(NewTransfer { from, to, asset, amount, kind, ..NewTransfer::default() });
    }

    /// What the block itself pays, as a transaction without an id at its end.
    fn payments(&mut self) {
        let first = self.block.transfers.len();
        for payment in &self.raw.payments {
            let kind = match payment.why {
                PaymentKind::Reward => Kind::Reward,
                PaymentKind::Withdrawal => Kind::Withdrawal,
                PaymentKind::Genesis => Kind::Mint,
                PaymentKind::Irregular => Kind::Unexplained,
            };
            let from = payment.from.unwrap_or(ISSUER);
            self.push((Some(&from), Some(&payment.to)), self.chain.coin.as_bytes(), payment.amount, kind);
        }
        let transfers = u32::try_from(self.block.transfers.len() - first).unwrap_or(u32::MAX);
        if transfers > 0 {
            let (time, flags) = (self.block.time, TxFlags::BLOCK);
            self.block.txs.push(TransferTx { time, transfers, flags, ..TransferTx::default() });
        }
    }
}

enum Entry<'a> {
    Call(&'a RawCall),
    Log(&'a RawLog),
}

/// Who called a contract in a transaction, when that was one account alone.
fn caller(tx: &RawTx, contract: &Address) -> Option<Address> {
    let plain = |call: &&RawCall| call.ok && call.sort == CallSort::Call && call.to.as_ref() == Some(contract);
    // Sources that tell inner calls alone, or none, leave the transaction's own to its body.
    let rootless = !tx.calls.iter().any(|call| call.root);
    let own = tx.body.iter().filter(|body| rootless && body.to.as_ref() == Some(contract)).map(|body| body.from);
    let mut callers = own.chain(tx.calls.iter().filter(plain).map(|call| call.from));
    callers.next().filter(|first| callers.all(|next| next == *first))
}

/// Who moved a token in its owner's place: the caller of a `transferFrom` with these parties, if that is not the signer.
fn spender(tx: &RawTx, contract: &Address, (from, to): (&Address, &Address), amount: &Amount) -> Option<Address> {
    let signer = tx.body.as_ref().map(|body| body.from);
    let fits = |call: &&RawCall| {
        call.ok
            && call.sort == CallSort::Call
            && call.to.as_ref() == Some(contract)
            && is_transfer_from(call, from, to, amount)
    };
    tx.calls.iter().find(fits).map(|call| call.from).filter(|by| Some(*by) != signer && by != from)
}

fn is_transfer_from(call: &RawCall, from: &Address, to: &Address, amount: &Amount) -> bool {
    let Some((selector, words_of)) = call.input.split_first_chunk::<4>() else { return false };
    let party =
        |place: usize| words_of.get(32 * place..).and_then(|rest| rest.first_chunk::<32>()).and_then(address_of);
    *selector == TRANSFER_FROM
        && party(0).as_ref() == Some(from)
        && party(1).as_ref() == Some(to)
        && words(words_of, 2).as_ref() == Some(amount)
}

#[cfg(test)]
mod tests;
