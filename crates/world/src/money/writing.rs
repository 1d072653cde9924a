//! The two chains of accounts that a world has: how each is called and how it writes an address.
use super::tx::Address;
use crate::wallets::{base58check, eip55};

/// A chain of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Ethereum's kind, with the chain id that development nodes use: no public chain is 31337.
    Evm,
    /// TRON's.
    Tron,
}

impl Writing {
    /// The code that `eye money load --chain` takes.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Evm => "evm-31337",
            Self::Tron => "trx",
        }
    }

    pub(crate) fn text(self, address: &Address) -> String {
        match self {
            Self::Evm => eip55(*address),
            Self::Tron => base58check(0x41, *address),
        }
    }
}
