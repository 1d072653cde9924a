//! Transfers: what is appended to a chain of accounts, and what is kept of it.
use super::block::Span;
use super::control::NewControl;
use super::utxo::narrow;
use super::{Amount, Head};

/// What kind of change an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
#[allow(missing_docs)] // the words are the field's own
pub enum Kind {
    #[default]
    Transfer = 0,
    Fee = 1,
    Mint = 2,
    Burn = 3,
    Wrap = 4,
    Unwrap = 5,
    Destroy = 6,
    Reward = 7,
    Withdrawal = 8,
    L2Deposit = 9,
    L1Fee = 10,
    Stake = 11,
    Rebase = 12,
    Unexplained = 13,
    /// What an account had before its fetched history begins: one lot of which nothing else is known.
    Opening = 14,
}

/// Bits of a transfer's mark that hold its kind.
pub(super) const KIND_BITS: u8 = 31;

impl Kind {
    /// All kinds with their names in tables.
    pub const NAMES: [(&'static str, Kind); 15] = [
        ("transfer", Kind::Transfer),
        ("fee", Kind::Fee),
        ("mint", Kind::Mint),
        ("burn", Kind::Burn),
        ("wrap", Kind::Wrap),
        ("unwrap", Kind::Unwrap),
        ("destroy", Kind::Destroy),
        ("reward", Kind::Reward),
        ("withdrawal", Kind::Withdrawal),
        ("l2-deposit", Kind::L2Deposit),
        ("l1-fee", Kind::L1Fee),
        ("stake", Kind::Stake),
        ("rebase", Kind::Rebase),
        ("unexplained", Kind::Unexplained),
        ("opening", Kind::Opening),
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        Kind::NAMES.iter().find(|(_, kind)| *kind == self).map_or("unexplained", |(name, _)| name)
    }

    pub(super) fn of(bits: u8) -> Kind {
        Kind::NAMES.get(usize::from(bits & KIND_BITS)).map_or(Kind::Unexplained, |(_, kind)| *kind)
    }
}

/// What is known of a block's sources, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockFlags(pub u16);

impl BlockFlags {
    /// Transactions that the block has are not on record.
    pub const PARTIAL: BlockFlags = BlockFlags(1);
    /// Its source gave no logs: token transfers are missing.
    pub const NO_LOGS: BlockFlags = BlockFlags(2);
    /// Its source gave no traces: coins that contracts moved are missing.
    pub const NO_TRACES: BlockFlags = BlockFlags(4);
    /// What its author was paid for it is not on record.
    pub const NO_REWARD: BlockFlags = BlockFlags(8);
    /// Its hash was made from its rows: the source gave none.
    pub const HASH_MADE: BlockFlags = BlockFlags(16);

    /// Both.
    #[must_use]
    pub fn with(self, other: BlockFlags) -> BlockFlags {
        BlockFlags(self.0 | other.0)
    }
    /// Whether all bits of `other` are set.
    pub fn has(self, other: BlockFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What is known of a transaction, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TxFlags(pub u8);

impl TxFlags {
    /// It failed: it moved nothing but its fee.
    pub const FAILED: TxFlags = TxFlags(1);
    /// Only logs or traces of it are on record: who signed it, what it cost and whether it moved coins itself is not known.
    pub const PARTIAL: TxFlags = TxFlags(2);
    /// The calls that it made are on record.
    pub const TRACED: TxFlags = TxFlags(4);
    /// What it cost is not known.
    pub const NO_FEE: TxFlags = TxFlags(8);
    /// It has a value, and no source says whether that moved, or of what it is (TRON: coins, a TRC-10 token, votes).
    pub const UNSAID: TxFlags = TxFlags(16);
    /// Not a transaction: what the block itself paid (rewards, withdrawals).
    pub const BLOCK: TxFlags = TxFlags(32);

    /// Both.
    #[must_use]
    pub fn with(self, other: TxFlags) -> TxFlags {
        TxFlags(self.0 | other.0)
    }
    /// Whether all bits of `other` are set.
    pub fn has(self, other: TxFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A block of transfers to append.
#[derive(Debug, Default, Clone)]
pub struct TransferBlock {
    /// Height, hash and parent.
    pub head: Option<Head>,
    /// Unix seconds.
    pub time: u32,
    /// How many transactions the chain says that it has, if its source tells.
    pub txs_said: Option<u32>,
    /// What its sources lack.
    pub flags: BlockFlags,
    /// Transactions in order.
    pub txs: Vec<TransferTx>,
    /// Their transfers, one transaction after another.
    pub transfers: Vec<NewTransfer>,
    /// Allowances that were set among them.
    pub allowances: Vec<NewAllowance>,
    /// What its transactions record of who may act for whom.
    pub controls: Vec<NewControl>,
    /// The bytes that spans point into.
    pub keys: Vec<u8>,
}

/// A transaction of a [`TransferBlock`].
#[derive(Debug, Clone, Default)]
pub struct TransferTx {
    /// Its id as text or bytes; may be empty.
    pub id: Span,
    /// Unix seconds.
    pub time: u32,
    /// How many of the block's transfers are its.
    pub transfers: u32,
    /// Its place in the chain's block, if its source tells.
    pub place: Option<u32>,
    /// Who signed it; empty when that is not known.
    pub signer: Span,
    /// What is known of it.
    pub flags: TxFlags,
}

/// A transfer of a [`TransferBlock`].
#[derive(Debug, Clone, Default)]
pub struct NewTransfer {
    /// Who pays; empty when that is not known.
    pub from: Span,
    /// Who is paid; empty when that is not known.
    pub to: Span,
    /// The asset: a contract, a currency, never a symbol.
    pub asset: Span,
    /// Base units.
    pub amount: Amount,
    /// What kind of change.
    pub kind: Kind,
    /// Whether its place within the transaction is not known.
    pub unordered: bool,
    /// Whether its place is known among the transfers of its own sort alone (tokens, coins), not between the two.
    pub apart: bool,
    /// Whether the asset only passes itself off as one: kept, never an edge.
    pub fake: bool,
    /// Who moved it in the payer's place; empty when that is the signer, the payer, or not known.
    pub spender: Span,
}

/// An allowance of a [`TransferBlock`]: from then on `spender` may move so much of `owner`'s.
#[derive(Debug, Clone, Default)]
pub struct NewAllowance {
    /// It holds before the block's transfer of this place.
    pub before: u32,
    /// Whose.
    pub owner: Span,
    /// Who may.
    pub spender: Span,
    /// The asset.
    pub asset: Span,
    /// How much.
    pub amount: Amount,
}

/// A transfer as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays, or [`super::UNKNOWN`].
    pub from: u32,
    /// Who is paid, or [`super::UNKNOWN`].
    pub to: u32,
    /// The asset's number.
    pub asset: u32,
    /// What kind of change.
    pub kind: Kind,
    /// Whether its place within the transaction is not known.
    pub unordered: bool,
    /// Whether its place is known among tokens alone, or among coins alone.
    pub apart: bool,
    /// Whether it may join two accounts: not when it moves nothing, and not when its asset is a fake.
    pub edge: bool,
    /// Base units.
    pub amount: Amount,
}

/// An allowance as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The number of the first transfer that it holds for.
    pub from_transfer: u64,
    /// Whose.
    pub owner: u32,
    /// Who may.
    pub spender: u32,
    /// The asset's number.
    pub asset: u32,
    /// How much.
    pub amount: Amount,
}

impl TransferBlock {
    /// Keeps some bytes and says where.
    pub fn key(&mut self, bytes: &[u8]) -> Span {
        let from = narrow(self.keys.len() as u64);
        self.keys.extend_from_slice(bytes);
        Span { from, len: narrow(bytes.len() as u64) }
    }

    /// The bytes of a key.
    pub fn bytes(&self, span: Span) -> &[u8] {
        self.keys.get(span.range()).unwrap_or_default()
    }
}
