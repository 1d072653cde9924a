//! The co-spend input: which addresses were spent together, flat.
use super::Error;

/// Which addresses each transaction spends. Inputs of transaction `t` are `inputs[offsets[t] .. offsets[t + 1]]`, address ids of the
/// dictionary, dense from 0 and best numbered by first appearance (then a new address needs no look-up).
#[derive(Clone, Copy, Debug)]
pub struct Spends<'a> {
    offsets: &'a [u64],
    inputs: &'a [u32],
    addresses: u32,
}

impl<'a> Spends<'a> {
    /// Takes the two columns and the dictionary's size.
    ///
    /// # Errors
    /// [`Error::TooMany`] beyond 2³² − 2 rows; [`Error::Torn`] when the last offset is not the number of inputs. The offsets between
    /// are checked where they are used.
    pub fn new(offsets: &'a [u64], inputs: &'a [u32], addresses: u32) -> Result<Self, Error> {
        let most = u32::MAX as usize;
        if inputs.len() >= most || offsets.len() > most || addresses == u32::MAX {
            return Err(Error::TooMany);
        }
        let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
        if first != 0 || last != inputs.len() as u64 {
            return Err(Error::Torn(offsets.len().saturating_sub(2) as u32));
        }
        Ok(Self { offsets, inputs, addresses })
    }

    /// Addresses in the dictionary.
    #[must_use]
    pub fn addresses(&self) -> u32 {
        self.addresses
    }

    /// Number of transactions.
    #[must_use]
    pub fn transactions(&self) -> u32 {
        self.offsets.len().saturating_sub(1) as u32
    }

    /// All offsets, one more than there are transactions.
    #[must_use]
    pub fn offsets(&self) -> &'a [u64] {
        self.offsets
    }

    /// All inputs, in order of transactions.
    #[must_use]
    pub fn inputs(&self) -> &'a [u32] {
        self.inputs
    }

    /// The addresses one transaction spends; `None` when there is no such transaction.
    #[must_use]
    pub fn of(&self, transaction: u32) -> Option<&'a [u32]> {
        let at = transaction as usize;
        let (from, to) = (*self.offsets.get(at)?, *self.offsets.get(at + 1)?);
        self.inputs.get(from as usize..to as usize)
    }

    /// Ordinal of a transaction's first input.
    #[must_use]
    pub fn start(&self, transaction: u32) -> Option<u32> {
        self.offsets.get(transaction as usize).map(|&o| o as u32)
    }

    /// The transaction that holds an input, and the two addresses a witness joins: the transaction's first input and this one.
    #[must_use]
    pub fn witness(&self, input: u32) -> Option<(u32, u32, u32)> {
        let after = self.offsets.partition_point(|&o| o <= u64::from(input));
        let transaction = after.checked_sub(1)? as u32;
        let first = *self.of(transaction)?.first()?;
        Some((transaction, first, *self.inputs.get(input as usize)?))
    }
}
