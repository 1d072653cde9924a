//! What the rows of a dump are, and what each says of its block.
use super::fields::{Row, address, bytes, fixed};
use super::model::{
    Address, CallSort, Hash, Move, Payment, PaymentKind, Permission, RawBlock, RawCall, RawLog, RawTx, TxBody,
};
use crate::columns::Amount;
use std::collections::HashMap;

/// No log and no input of a call has more bytes that are looked at.
const MAX_DATA: usize = 1 << 20;
/// No account has more keys.
const MOST_KEYS: usize = 256;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Blocks.
    Blocks,
    /// Transactions.
    Transactions,
    /// What became of transactions.
    Receipts,
    /// What transactions cost, by their hash alone (TRON).
    Fees,
    /// Logs.
    Logs,
    /// Calls, rewards, the first distribution.
    Traces,
    /// Token transfers that somebody read out of logs.
    TokenTransfers,
    /// Who may act for accounts, by transaction.
    Permissions,
    /// Symbols of tokens.
    Tokens,
    /// Rates, counts, results: nothing that belongs into a record.
    Other,
}

impl Sort {
    /// What rows with these fields are. A file name decides nothing.
    pub fn of(row: &Row<'_>) -> Sort {
        let has = |name: &str| row.has(name);
        match () {
            () if has("parenthash") && (has("blockhash") || has("hash")) => Sort::Blocks,
            () if has("topics") => Sort::Logs,
            () if has("threshold") && has("keys") => Sort::Permissions,
            () if has("traceid") || has("tracetype") || has("calleraddress") => Sort::Traces,
            () if has("cumulativegasused") => Sort::Receipts,
            () if has("energyusage") || has("energyfee") => Sort::Fees,
            () if has("nonce") && has("gasprice") => Sort::Transactions,
            () if has("logindex") && has("tokenaddress") => Sort::TokenTransfers,
            () if (has("symbol") || has("currencyticker")) && (has("address") || has("tokenaddress")) => Sort::Tokens,
            () => Sort::Other,
        }
    }
}

type Read<T> = Result<T, String>;

const HEIGHT: [&str; 3] = ["blockid", "blocknumber", "number"];
const TX: [&str; 3] = ["txhash", "transactionhash", "hash"];
const PLACE: [&str; 1] = ["transactionindex"];

fn wrong(what: &str) -> String {
    format!("{what} is missing or cannot be read")
}

/// A block's height in any of its rows.
pub fn height(row: &Row<'_>) -> Read<u64> {
    row.number(&HEIGHT).and_then(Result::ok).ok_or_else(|| wrong("the block's number"))
}

/// A transaction's hash in any of its rows.
pub fn tx_id(row: &Row<'_>) -> Read<Hash> {
    row.text(&TX).and_then(|text| fixed(&text)).ok_or_else(|| wrong("the transaction's hash"))
}

/// A token with its symbol.
pub fn token(row: &Row<'_>) -> Option<(Address, String)> {
    let contract = row.text(&["address", "tokenaddress"]).and_then(|text| address(&text))?;
    Some((contract, row.text(&["symbol", "currencyticker"])?.chars().take(64).collect()))
}

/// A field that may be missing, but not wrong.
fn maybe<T>(row: &Row<'_>, names: &[&str], read: impl Fn(&str) -> Option<T>, what: &str) -> Read<Option<T>> {
    row.text(names).map(|text| read(&text).ok_or_else(|| wrong(what))).transpose()
}

fn amount(row: &Row<'_>, names: &[&str], what: &str) -> Read<Option<Amount>> {
    row.amount(names).transpose().map_err(|()| format!("{what} is not a whole number of base units"))
}

fn number(row: &Row<'_>, names: &[&str], what: &str) -> Read<Option<u64>> {
    row.number(names).transpose().map_err(|()| format!("{what} is not a whole number"))
}

fn small(row: &Row<'_>, names: &[&str], what: &str) -> Read<Option<u32>> {
    let narrow = |n: u64| u32::try_from(n).map_err(|_| format!("{what} is too large"));
    number(row, names, what)?.map(narrow).transpose()
}

/// A block that is being gathered from its rows.
#[derive(Debug, Default)]
pub struct Gathering {
    block: RawBlock,
    places: HashMap<Hash, usize>,
    /// Where the calls of a transaction that no other row places belong.
    order: HashMap<Hash, u64>,
    /// Whether the block itself was told, not only rows of it.
    told: bool,
    rows: usize,
}

impl Gathering {
    /// How many rows were added.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn tx(&mut self, id: Hash) -> &mut RawTx {
        let txs = &mut self.block.txs;
        let place = *self.places.entry(id).or_insert_with(|| {
            txs.push(RawTx { id, ..RawTx::default() });
            txs.len() - 1
        });
        // `place` is one of `txs`: made here, or before.
        if place >= txs.len() {
            txs.push(RawTx { id, ..RawTx::default() });
        }
        let last = txs.len() - 1;
        #[allow(clippy::indexing_slicing)] // bounded in the line above
        &mut txs[place.min(last)]
    }

    /// Adds what a row says. `cut`: the values of its file were cut to 32 bits.
    pub fn add(&mut self, sort: Sort, row: &Row<'_>, cut: bool) -> Read<()> {
        self.rows += 1;
        match sort {
            Sort::Blocks => self.block_row(row),
            Sort::Transactions => self.transaction(row),
            Sort::Receipts => self.receipt(row),
            Sort::Fees => self.fee(row),
            Sort::Logs => self.log(row),
            Sort::Traces => self.trace(row, cut),
            Sort::TokenTransfers => self.token_transfer(row),
            Sort::Permissions => self.permission(row),
            Sort::Tokens | Sort::Other => Ok(()),
        }
    }

    /// Whether a row belongs to this block by the hash it names: where the block itself is told, rows of another branch are
    /// passed over and counted.
    fn here(&mut self, row: &Row<'_>) -> Read<bool> {
        let told = maybe(row, &["blockhash"], fixed, "the block's hash")?;
        match (self.block.hash, told) {
            (Some(known), Some(told)) if known != told && self.told => {
                self.block.elsewhere += 1;
                Ok(false)
            }
            (Some(known), Some(told)) if known != told => {
                Err("its block's hash is another one than in the rows before: two branches, and no file of blocks"
                    .into())
            }
            (_, told) => {
                self.block.hash = self.block.hash.or(told);
                Ok(true)
            }
        }
    }

    fn block_row(&mut self, row: &Row<'_>) -> Read<()> {
        let hash = maybe(row, &["blockhash", "hash"], fixed, "the block's hash")?;
        if self.told && hash != self.block.hash {
            return Err("the block is there twice, with two hashes: two branches in one dump".into());
        }
        (self.told, self.block.hash) = (true, hash);
        self.block.parent = maybe(row, &["parenthash"], fixed, "the parent's hash")?;
        self.block.time = small(row, &["timestamp"], "the block's time")?;
        self.block.author = maybe(row, &["miner"], address, "the block's author")?;
        // Some dumps write 0 for what a chain does not have.
        self.block.base_fee = amount(row, &["basefeepergas"], "the base fee")?.filter(|fee| !fee.is_zero());
        // Since the merge no author is paid by the block; TRON has no difficulty either, and no base fee.
        let difficulty = amount(row, &["difficulty"], "the difficulty")?;
        self.block.with_rewards |= self.block.base_fee.is_some() && difficulty.is_some_and(|d| d.is_zero());
        self.block.txs_said = small(row, &["transactioncount"], "the number of transactions")?;
        if let Some(text) = row.text(&["withdrawals"]) {
            self.withdrawals(&text)?;
        }
        Ok(())
    }

    /// Withdrawals as ethereum-etl writes them: a list of objects, amounts in 10^9 of the base unit.
    fn withdrawals(&mut self, text: &str) -> Read<()> {
        let unread = || wrong("the list of withdrawals");
        let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).map_err(|_| unread())?;
        for one in list {
            let row = Row::json(one.get()).ok_or_else(unread)?;
            let to = row.text(&["address"]).and_then(|text| address(&text)).ok_or_else(unread)?;
            let amount = amount(&row, &["amount"], "a withdrawal")?.unwrap_or_default();
            let amount = amount.times(&Amount::from(1_000_000_000)).ok_or_else(unread)?;
            self.block.payments.push(Payment { from: None, to, amount, why: PaymentKind::Withdrawal });
        }
        Ok(())
    }

    fn transaction(&mut self, row: &Row<'_>) -> Read<()> {
        let id = tx_id(row)?;
        if !self.here(row)? {
            return Ok(());
        }
        if self.block.time.is_none() {
            self.block.time = small(row, &["blocktimestamp"], "the block's time")?;
        }
        let from = maybe(row, &["fromaddress", "from"], address, "the sender")?.ok_or_else(|| wrong("the sender"))?;
        let gas_used = number(row, &["receiptgasused"], "the gas that was used")?;
        let told = TxBody {
            from,
            to: maybe(row, &["toaddress", "to"], address, "the recipient")?,
            value: amount(row, &["value"], "the value")?.unwrap_or_default(),
            ok: status(row, &["receiptstatus"]),
            gas_used,
            gas_price: amount(row, &["receipteffectivegasprice", "effectivegasprice", "gasprice"], "the gas price")?,
            selector: row.text(&["input"]).and_then(|input| selector(&input)),
            ..TxBody::default()
        };
        let told = by_contract(row, told);
        let place = small(row, &PLACE, "the transaction's place")?;
        let tx = self.tx(id);
        tx.place = place.or(tx.place);
        let before = tx.body.take().unwrap_or_default();
        tx.body = Some(TxBody {
            ok: told.ok.or(before.ok),
            gas_used: told.gas_used.or(before.gas_used),
            gas_price: before.gas_price.or(told.gas_price),
            ..told
        });
        Ok(())
    }

    /// Who may act for an account from this transaction on: TRON's owner permission, as no dump carries it.
    fn permission(&mut self, row: &Row<'_>) -> Read<()> {
        let id = tx_id(row)?;
        if !self.here(row)? {
            return Ok(());
        }
        let account = maybe(row, &["account"], address, "the account")?.ok_or_else(|| wrong("the account"))?;
        let threshold = small(row, &["threshold"], "the threshold")?.ok_or_else(|| wrong("the threshold"))?;
        let text = row.text(&["keys"]).ok_or_else(|| wrong("the list of keys"))?;
        let list: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(&text).map_err(|_| wrong("the list of keys"))?;
        let mut keys = Vec::with_capacity(list.len().min(MOST_KEYS));
        for one in list {
            let row = Row::json(one.get()).ok_or_else(|| wrong("a key"))?;
            let key = maybe(&row, &["address"], address, "a key")?.ok_or_else(|| wrong("a key"))?;
            keys.push((key, small(&row, &["weight"], "a key's weight")?.unwrap_or(1)));
        }
        if keys.len() > MOST_KEYS {
            return Err(format!("more than {MOST_KEYS} keys of one account"));
        }
        self.tx(id).permissions.push(Permission { account, threshold, keys });
        Ok(())
    }

    /// A receipt comes after its transaction: records are sorted so.
    fn receipt(&mut self, row: &Row<'_>) -> Read<()> {
        let id = tx_id(row)?;
        if !self.here(row)? {
            return Ok(());
        }
        let used = number(row, &["gasused"], "the gas that was used")?;
        let price = amount(row, &["effectivegasprice"], "the gas price")?;
        let l1_fee = amount(row, &["l1fee"], "the fee of the chain below")?;
        let blobs = amount(row, &["blobgasused"], "the blob gas")?.unwrap_or_default();
        let blob_price = amount(row, &["blobgasprice"], "the blob gas price")?.unwrap_or_default();
        let blob_fee = blobs.times(&blob_price).ok_or("the fee of blobs does not fit 256 bits")?;
        if let Some(body) = &mut self.tx(id).body {
            body.ok = status(row, &["status"]).or(body.ok);
            (body.gas_used, body.gas_price) = (used.or(body.gas_used), price.or(body.gas_price));
            (body.l1_fee, body.blob_fee) = (l1_fee.unwrap_or_default(), blob_fee);
        }
        Ok(())
    }

    fn fee(&mut self, row: &Row<'_>) -> Read<()> {
        let id = tx_id(row)?;
        let fee = amount(row, &["fee"], "the fee")?.ok_or_else(|| wrong("the fee"))?;
        if let Some(body) = &mut self.tx(id).body {
            body.fee = Some(fee);
        }
        Ok(())
    }

    fn log(&mut self, row: &Row<'_>) -> Read<()> {
        let id = tx_id(row)?;
        if !self.here(row)? {
            return Ok(());
        }
        // By its length: base64 may begin with 0x too.
        let in_hex = row.text(&TX).is_some_and(|text| text.trim_start_matches("0x").len() == 64);
        let topics = row.list("topics").ok_or_else(|| wrong("the topics"))?;
        let topics: Option<Vec<Hash>> = topics.iter().map(|topic| fixed(topic)).collect();
        let topics = topics.filter(|topics| topics.len() <= 4).ok_or_else(|| wrong("a topic"))?;
        let data = row.text(&["data"]).unwrap_or_default();
        if data.len() > MAX_DATA {
            return Err("a log of more than 1 MiB".into());
        }
        let log = RawLog {
            index: small(row, &["logindex"], "the log's index")?,
            order: None,
            address: maybe(row, &["address"], address, "the contract")?.ok_or_else(|| wrong("the contract"))?,
            topics,
            data: bytes(&data, in_hex).ok_or_else(|| wrong("the log's data"))?,
        };
        let place = small(row, &PLACE, "the transaction's place")?;
        self.block.with_logs = true;
        let tx = self.tx(id);
        tx.place = tx.place.or(place);
        tx.logs.push(log);
        Ok(())
    }

    /// GraphSense's token transfers are read out of logs of known tokens; they stand in for these where there are none.
    fn token_transfer(&mut self, row: &Row<'_>) -> Read<()> {
        let id = tx_id(row)?;
        let party =
            |names: &[&str]| maybe(row, names, address, "a party").map(|party| party.map(|party| padded(&party)));
        let from = party(&["from", "fromaddress"])?.ok_or_else(|| wrong("the sender"))?;
        let to = party(&["to", "toaddress"])?.ok_or_else(|| wrong("the recipient"))?;
        let mut data = amount(row, &["value"], "the value")?.ok_or_else(|| wrong("the value"))?.0.to_vec();
        data.reverse();
        let contract = maybe(row, &["tokenaddress"], address, "the token")?.ok_or_else(|| wrong("the token"))?;
        let index = small(row, &["logindex"], "the log's index")?;
        let place = small(row, &PLACE, "the transaction's place")?;
        self.block.with_logs = true;
        let topics = vec![super::tokens::TRANSFER, from, to];
        let tx = self.tx(id);
        tx.place = tx.place.or(place);
        tx.logs.push(RawLog { index, order: None, address: contract, topics, data });
        Ok(())
    }

    fn trace(&mut self, row: &Row<'_>, cut: bool) -> Read<()> {
        self.block.with_traces = true;
        let said = row.text(&["traceid"]).unwrap_or_default().into_owned();
        let sort = row
            .text(&["tracetype", "note"])
            .map_or_else(|| said.split('_').next().unwrap_or_default().into(), |t| t.into_owned());
        let to = maybe(row, &["toaddress", "transfertoaddress"], address, "whom it calls")?;
        let value = match cut_value(row) {
            Some(value) => value,
            None => amount(row, &["value", "callvalue"], "the value")?.unwrap_or_default(),
        };
        let why = match sort.as_str() {
            "reward" => Some(PaymentKind::Reward),
            "genesis" => Some(PaymentKind::Genesis),
            "daofork" => Some(PaymentKind::Irregular),
            _ => None,
        };
        if let (Some(why), Some(to)) = (why, to) {
            let from = maybe(row, &["fromaddress"], address, "whom it is taken from")?;
            self.block.with_rewards |= why == PaymentKind::Reward;
            self.block.payments.push(Payment { from, to, amount: value, why });
            return Ok(());
        }
        let id = tx_id(row)?;
        let from =
            maybe(row, &["fromaddress", "calleraddress"], address, "who calls")?.ok_or_else(|| wrong("who calls"))?;
        let order = number(row, &["traceindex"], "the call's place")?;
        let order = order.unwrap_or(self.rows as u64);
        let rejected = row.text(&["rejected"]).is_some_and(|text| text == "true");
        let tron = row.has("calleraddress");
        let call = RawCall {
            order,
            // TRON tells internal calls alone.
            root: !tron && is_root(row, &said),
            from,
            to,
            value,
            sort: call_sort(&sort, row.text(&["calltype"]).as_deref().unwrap_or_default()),
            ok: !rejected && status(row, &["status"]).unwrap_or(true),
            token: Vec::new(),
            cut: cut && !value.is_zero(),
            input: Vec::new(),
        };
        self.block.cut += u64::from(call.cut);
        let place = small(row, &["internalindex", "transactionindex"], "the transaction's place")?;
        self.order.entry(id).or_insert(order);
        let tx = self.tx(id);
        tx.place = tx.place.or(place);
        tx.calls.push(call);
        Ok(())
    }

    /// The block, its transactions in order: by their places; those that only calls tell of, between the ones that their calls
    /// stand between. `has` says whether the dump has rows of a sort at all.
    ///
    /// # Errors
    /// A log or a call that is there twice.
    pub fn finish(mut self, height: u64, has: impl Fn(Sort) -> bool) -> Read<RawBlock> {
        self.block.height = height;
        self.block.with_logs |= has(Sort::Logs);
        self.block.with_traces |= has(Sort::Traces) && self.block.txs.is_empty();
        let order = &self.order;
        let mut known: Vec<(u64, u32)> = Vec::new();
        for tx in &mut self.block.txs {
            tx.calls.sort_by_key(|call| call.order);
            tx.logs.sort_by_key(|log| log.index.unwrap_or(u32::MAX));
            known.extend(order.get(&tx.id).copied().zip(tx.place));
            let same = |a: &RawLog, b: &RawLog| a.index.is_some() && a.index == b.index;
            if tx.logs.windows(2).any(|pair| matches!(pair, [a, b] if same(a, b)))
                || tx.calls.windows(2).any(|pair| matches!(pair, [a, b] if a.order == b.order))
            {
                let id = hex::encode(tx.id);
                return Err(format!("transaction 0x{id} has a log or a call twice: was a file given twice?"));
            }
        }
        known.sort_unstable();
        // Places rise with the order of calls, or the order of calls says nothing of this block's places.
        let rising = known.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if a <= b));
        let before = |at: u64| {
            let n = known.partition_point(|(order, _)| *order <= at);
            known.get(n.wrapping_sub(1)).map_or(0, |(_, place)| u64::from(*place) + 1)
        };
        self.block.txs.sort_by_cached_key(|tx| {
            let at = order.get(&tx.id).copied().unwrap_or(u64::MAX);
            let place = match tx.place {
                Some(place) => u64::from(place) + 1,
                None if rising => before(at),
                None => u64::MAX,
            };
            (place, tx.place.is_none(), at, tx.id)
        });
        Ok(self.block)
    }
}

/// Where a row tells TRON's type of contract, its value is what that type says: coins, or nothing that is coins.
fn by_contract(row: &Row<'_>, told: TxBody) -> TxBody {
    let Some(contract) = row.text(&["contracttype"]) else { return told };
    let coins = matches!(contract.as_ref(), "TransferContract" | "TriggerSmartContract" | "CreateSmartContract");
    let one = Move {
        from: Some(told.from),
        to: told.to,
        token: Vec::new(),
        amount: told.value,
        kind: crate::columns::Kind::Transfer,
    };
    let unsaid = !coins && !told.value.is_zero();
    TxBody { moves: Some(if coins { vec![one] } else { Vec::new() }), unsaid, ..told }
}

/// A value below zero of an internal call of TRON: it was put into 32 bits and lost what is above them. The rest after dividing by
/// 2^32 is what is left.
pub fn cut_value(row: &Row<'_>) -> Option<Amount> {
    let negative: i32 = row.text(&["callvalue"]).filter(|text| text.starts_with('-'))?.parse().ok()?;
    Some(Amount::from(u128::from(negative.cast_unsigned())))
}

fn padded(address: &Address) -> Hash {
    let mut hash = [0; 32];
    hash.iter_mut().skip(12).zip(address).for_each(|(to, from)| *to = *from);
    hash
}

/// The first four bytes of an input.
fn selector(input: &str) -> Option<[u8; 4]> {
    // Base64 may begin with 0x too; four bytes of it are eight characters, and no hex digits then.
    let hex = input.strip_prefix("0x").and_then(|digits| hex::decode(digits.get(..8)?).ok());
    hex.or_else(|| bytes(input.get(..8)?, false))?.first_chunk().copied()
}

fn status(row: &Row<'_>, names: &[&str]) -> Option<bool> {
    row.text(names).map(|text| matches!(text.as_ref(), "1" | "0x1" | "true" | "1.0"))
}

fn is_root(row: &Row<'_>, said: &str) -> bool {
    match row.has("traceaddress") {
        true => row.text(&["traceaddress"]).is_none_or(|path| path == "[]"),
        false => said.ends_with('_'),
    }
}

fn call_sort(sort: &str, call_type: &str) -> CallSort {
    match (sort, call_type) {
        ("create", _) => CallSort::Create,
        ("suicide" | "selfdestruct", _) => CallSort::Destruct,
        (_, "delegatecall" | "callcode") => CallSort::Delegate,
        (_, "staticcall") => CallSort::Static,
        _ => CallSort::Call,
    }
}
