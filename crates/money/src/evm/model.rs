//! A block of an account chain as its sources tell it, whatever they are: dumps or a node. Rules come after ([`super::entries`]).
use crate::columns::{Amount, Kind};

/// Twenty bytes, without TRON's first one (0x41).
pub type Address = [u8; 20];
/// The hash of a block or a transaction, bytes in the order they are displayed.
pub type Hash = [u8; 32];

/// A block with all that its sources say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawBlock {
    /// Its height.
    pub height: u64,
    /// Its hash, if a source tells.
    pub hash: Option<Hash>,
    /// The hash of the block before, if a source tells.
    pub parent: Option<Hash>,
    /// Unix seconds.
    pub time: Option<u32>,
    /// Who is paid the tips.
    pub author: Option<Address>,
    /// What each unit of gas costs at least, and is burnt (EIP-1559).
    pub base_fee: Option<Amount>,
    /// How many transactions it has.
    pub txs_said: Option<u32>,
    /// The transactions that are there, in order.
    pub txs: Vec<RawTx>,
    /// What the block itself pays: rewards, withdrawals (EIP-4895), the first distribution.
    pub payments: Vec<Payment>,
    /// Rows of its height that belong to another branch's block.
    pub elsewhere: u64,
    /// Calls whose values were cut to 32 bits.
    pub cut: u64,
    /// Whether its sources have logs.
    pub with_logs: bool,
    /// Whether they have the calls of transactions.
    pub with_traces: bool,
    /// Whether they have what its author was paid for it, or nothing is paid.
    pub with_rewards: bool,
}

/// What a block pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Whom it is taken from, where it does not come out of nothing (the change of 2016 that undid the DAO's loss).
    pub from: Option<Address>,
    /// To whom.
    pub to: Address,
    /// Base units.
    pub amount: Amount,
    /// For what.
    pub why: PaymentKind,
}

/// For what a block pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentKind {
    /// For making the block, or an uncle.
    Reward,
    /// A validator's balance (EIP-4895).
    Withdrawal,
    /// The first distribution.
    Genesis,
    /// A change that no transaction made.
    Irregular,
}

/// A transaction with its logs and calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawTx {
    /// Its hash.
    pub id: Hash,
    /// Its place in the block.
    pub place: Option<u32>,
    /// The transaction itself; without it only logs or calls of it are there.
    pub body: Option<TxBody>,
    /// Its logs, in order.
    pub logs: Vec<RawLog>,
    /// Its calls, in order, the transaction's own first.
    pub calls: Vec<RawCall>,
    /// Permissions that it sets, where its source tells (TRON).
    pub permissions: Vec<Permission>,
}

/// Who may act for an account from then on: keys whose weights reach the threshold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    /// Whose.
    pub account: Address,
    /// What the weights must reach.
    pub threshold: u32,
    /// Keys, by their addresses, with their weights.
    pub keys: Vec<(Address, u32)>,
}

impl Permission {
    /// A permission as TRON has it, in 64 bits. One that needs more than 32 to be said has no keys that are known to suffice:
    /// making its numbers smaller could let one key do what two must.
    #[must_use]
    pub fn of(account: Address, threshold: u64, keys: &[(Address, u64)]) -> Permission {
        let narrow: Option<Vec<_>> =
            keys.iter().map(|(key, weight)| Some((*key, u32::try_from(*weight).ok()?))).collect();
        match (u32::try_from(threshold), narrow) {
            (Ok(threshold), Some(keys)) => Permission { account, threshold, keys },
            _ => Permission { account, threshold: u32::MAX, keys: Vec::new() },
        }
    }
}

/// What a transaction says and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TxBody {
    /// Who signed it.
    pub from: Address,
    /// Whom it calls; nobody when it makes a contract.
    pub to: Option<Address>,
    /// Base units of the coin.
    pub value: Amount,
    /// Whether it succeeded, if a source tells.
    pub ok: Option<bool>,
    /// Units of gas that it used.
    pub gas_used: Option<u64>,
    /// What it paid for each.
    pub gas_price: Option<Amount>,
    /// What it cost in all, where that is told as one number (TRON).
    pub fee: Option<Amount>,
    /// What its blobs cost (EIP-4844).
    pub blob_fee: Amount,
    /// What its data cost on the chain below.
    pub l1_fee: Amount,
    /// What was made for its sender out of a deposit on the chain below.
    pub mint: Amount,
    /// The first four bytes of its input.
    pub selector: Option<[u8; 4]>,
    /// What it moves itself, where its source names each (TRON): then `value` counts for nothing.
    pub moves: Option<Vec<Move>>,
    /// Whether it moves more than its source tells.
    pub unsaid: bool,
}

/// Something that a transaction moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Who pays, if anybody is named.
    pub from: Option<Address>,
    /// Who is paid, if anybody is named.
    pub to: Option<Address>,
    /// The token's name; empty for the coin.
    pub token: Vec<u8>,
    /// Base units.
    pub amount: Amount,
    /// What kind of change.
    pub kind: Kind,
}

/// A log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawLog {
    /// Its index in the block, if a source tells.
    pub index: Option<u32>,
    /// Its place among the calls, if the tracer tells: on the scale of [`RawCall::order`].
    pub order: Option<u64>,
    /// The contract that wrote it.
    pub address: Address,
    /// Up to four topics.
    pub topics: Vec<Hash>,
    /// Its data.
    pub data: Vec<u8>,
}

/// A call between contracts, or the transaction's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCall {
    /// Its place.
    pub order: u64,
    /// Whether it is the transaction's own.
    pub root: bool,
    /// Who calls.
    pub from: Address,
    /// Whom.
    pub to: Option<Address>,
    /// Base units of the coin; some sources repeat the caller's for a call that moves none.
    pub value: Amount,
    /// What the value is of, where that is a token (TRC-10); empty for the coin.
    pub token: Vec<u8>,
    /// What sort of call.
    pub sort: CallSort,
    /// Whether it and all above it succeeded.
    pub ok: bool,
    /// Whether its source cut values to 32 bits: what is told is the rest after dividing by 2^32.
    pub cut: bool,
    /// The first bytes of its input, as far as a `transferFrom` needs them.
    pub input: Vec<u8>,
}

/// Sorts of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallSort {
    /// Moves its value.
    Call,
    /// Makes a contract and moves its value there.
    Create,
    /// Ends a contract and moves what is left.
    Destruct,
    /// Runs other code in the caller's place: moves nothing, whatever value its source repeats.
    Delegate,
    /// May change nothing.
    Static,
}

impl RawCall {
    /// Whether it moves coins.
    pub fn moves(&self) -> bool {
        self.ok && !self.value.is_zero() && !matches!(self.sort, CallSort::Delegate | CallSort::Static)
    }
}

/// The bytes that a constant writes in small hex digits; one of another length does not compile.
pub(super) const fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let digits = hex.as_bytes();
    assert!(digits.len() == 2 * N);
    let (mut bytes, mut i) = ([0; N], 0);
    while i < N {
        #[allow(clippy::indexing_slicing)] // run by the compiler: a wrong index does not compile
        {
            bytes[i] = (digit(digits[2 * i]) << 4) | digit(digits[2 * i + 1]);
        }
        i += 1;
    }
    bytes
}

const fn digit(c: u8) -> u8 {
    if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
}
