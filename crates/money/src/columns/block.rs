//! A block of transactions as it is appended, and an input as it is kept.
use super::{Head, Token};
use crate::hash::hash160;
use sha2::{Digest, Sha256};

/// What a transaction is, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// Makes new coins; has no inputs here.
    pub const COINBASE: Flags = Flags(1);
    /// Carries witnesses.
    pub const SEGWIT: Flags = Flags(2);
    /// The value of at least one input is unknown.
    pub const PARTIAL: Flags = Flags(4);
    /// The address of at least one input is unknown.
    pub const HIDDEN: Flags = Flags(8);
    /// The address of at least one input is what its script or witness reveals, not what the spent output says.
    pub const REVEALED: Flags = Flags(16);
    /// At least one signature does not sign all inputs and outputs: the inputs may have different owners.
    pub const NOT_ALL: Flags = Flags(32);
    /// Litecoin's HogEx: what the extension block (MWEB) holds, takes in and pays out; its inputs are nobody's.
    pub const HOG_EX: Flags = Flags(64);
    /// Says of itself that it is a CashFusion: its inputs are many people's.
    pub const CASH_FUSION: Flags = Flags(128);

    /// Both.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
    /// Whether all bits of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A block to append. Flat, so that it can be filled again and again without new memory.
#[derive(Debug, Default, Clone)]
pub struct Block {
    /// Height, hash and parent (hashes in the order they are displayed).
    pub head: Option<Head>,
    /// The header's time, Unix seconds; it runs backwards at times.
    pub time: u32,
    /// The header's compact target.
    pub bits: u32,
    /// Transactions in order.
    pub txs: Vec<Tx>,
    /// Their inputs, one transaction after another; none for a coinbase.
    pub inputs: Vec<Input>,
    /// Their outputs, one transaction after another.
    pub outputs: Vec<Output>,
    /// Address keys that inputs and outputs point into.
    pub keys: Vec<u8>,
    /// Tokens of outputs (Bitcoin Cash): the output's place among `outputs`, rising.
    pub tokens: Vec<(u32, Token)>,
}

/// A piece of [`Block::keys`]; empty when there is none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub(crate) from: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let from = self.from as usize;
        from..from + self.len as usize
    }
}

/// A transaction of a [`Block`].
#[derive(Debug, Clone)]
pub struct Tx {
    /// Transaction id, in the order it is displayed.
    pub id: [u8; 32],
    /// Flags.
    pub flags: Flags,
    /// Weight (BIP 141).
    pub weight: u32,
    /// How many of the block's inputs are its.
    pub inputs: u32,
    /// How many of the block's outputs are its.
    pub outputs: u32,
}

/// An input of a [`Block`].
#[derive(Debug, Clone)]
pub struct Input {
    /// The output it spends.
    pub prevout: Prevout,
    /// Value in base units, when the source says it.
    pub value: Option<u64>,
    /// Address key, when the source says it; what the input reveals of it otherwise, its first byte the address's kind.
    pub key: Span,
    /// Where `key` comes from.
    pub origin: Origin,
}

/// Where an input's address key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is not known.
    Unknown,
    /// From the spent output itself.
    Recorded,
    /// From the input's script or witness; behind the kind stands what is to be hashed.
    Revealed(Hashing),
}

/// How an address follows from the key or script that an input shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    /// It is the address's own key already.
    Done,
    /// RIPEMD-160 of SHA-256.
    Hash160,
    /// SHA-256.
    Sha256,
}

impl Hashing {
    /// Appends the hash of what is shown.
    pub fn append(self, shown: &[u8], to: &mut Vec<u8>) {
        match self {
            Hashing::Done => to.extend_from_slice(shown),
            Hashing::Hash160 => to.extend_from_slice(&hash160(shown)),
            Hashing::Sha256 => to.extend_from_slice(&Sha256::digest(shown)),
        }
    }
}

/// An output by transaction id and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prevout {
    /// Transaction id, in the order it is displayed.
    pub id: [u8; 32],
    /// Place among that transaction's outputs.
    pub vout: u32,
}

/// An output of a [`Block`].
#[derive(Debug, Clone)]
pub struct Output {
    /// Value in base units.
    pub value: u64,
    /// Address key; empty for what nobody can spend.
    pub key: Span,
}

/// An input as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    /// The output it spends, when that is on this chain's record.
    pub output: Option<u64>,
    /// Address, or [`super::UNKNOWN`].
    pub address: u32,
    /// Value in base units, when known.
    pub value: Option<u64>,
}

impl Block {
    /// Empties the block for the next one.
    pub fn clear(&mut self) {
        self.head = None;
        self.txs.clear();
        self.inputs.clear();
        self.outputs.clear();
        self.keys.clear();
        self.tokens.clear();
    }

    /// Keeps a key and says where.
    pub fn key(&mut self, parts: &[&[u8]]) -> Span {
        let from = self.keys.len();
        parts.iter().for_each(|part| self.keys.extend_from_slice(part));
        let narrow = |n: usize| u32::try_from(n).unwrap_or(0);
        Span { from: narrow(from), len: narrow(self.keys.len() - from) }
    }

    /// The bytes of a key.
    #[inline]
    pub fn bytes(&self, span: Span) -> &[u8] {
        self.keys.get(span.range()).unwrap_or_default()
    }
}
