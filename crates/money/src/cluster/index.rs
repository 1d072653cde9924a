//! From an address to what may unite it: the transactions that spend it together with others, and its links.
use super::{Error, Evidence, Link, Spends};
use std::collections::BTreeMap;

/// Address index of the evidence: 4 B an address, 4 B an input of a transaction with two or more. Independent of what is switched off.
#[derive(Clone, Debug)]
pub struct AddressIndex {
    starts: Vec<u32>,
    transactions: Vec<u32>,
    links: BTreeMap<u32, Vec<u32>>,
}

impl AddressIndex {
    /// Reads the spends twice: once to count, once to place.
    ///
    /// # Errors
    /// [`Error::Torn`] or [`Error::Address`] when offsets or ids lie outside the input.
    pub fn build(spends: Spends<'_>, links: &[Link]) -> Result<Self, Error> {
        let mut starts = vec![0_u32; spends.addresses() as usize + 1];
        each(spends, |_, address| match starts.get_mut(address as usize) {
            Some(n) if address < spends.addresses() => {
                *n += 1;
                Ok(())
            }
            _ => Err(Error::Address(address, spends.addresses())),
        })?;
        let mut sum = 0;
        for n in &mut starts {
            sum += *n;
            *n = sum;
        }
        // Each start is now its successor's; placing from the last transaction back moves it to its own.
        let mut transactions = vec![0_u32; sum as usize];
        each_back(spends, |transaction, address| {
            if let Some(start) = starts.get_mut(address as usize) {
                *start -= 1;
                if let Some(place) = transactions.get_mut(*start as usize) {
                    *place = transaction;
                }
            }
        });
        let mut index = Self { starts, transactions, links: BTreeMap::new() };
        for (number, link) in (0..).zip(links) {
            index.add(number, link);
        }
        Ok(index)
    }

    /// Makes a new link findable.
    pub fn add(&mut self, number: u32, link: &Link) {
        for end in [link.a, link.b] {
            self.links.entry(end).or_default().push(number);
        }
    }

    /// Transactions that spend this address with others, ascending; one that spends it twice stands twice.
    #[must_use]
    pub fn transactions(&self, address: u32) -> &[u32] {
        let at = address as usize;
        let ends = self.starts.get(at).zip(self.starts.get(at + 1));
        ends.and_then(|(&from, &to)| self.transactions.get(from as usize..to as usize)).unwrap_or_default()
    }

    /// Numbers of the links at this address.
    #[must_use]
    pub fn links(&self, address: u32) -> &[u32] {
        self.links.get(&address).map(Vec::as_slice).unwrap_or_default()
    }

    /// Transactions that are on and spend this address, each once.
    pub(super) fn on<'b>(&'b self, evidence: &'b Evidence<'_>, address: u32) -> impl Iterator<Item = u32> + 'b {
        let mut last = None;
        let all = self.transactions(address).iter().copied();
        all.filter(move |&t| last.replace(t) != Some(t) && evidence.spend_on(t))
    }
}

fn each(spends: Spends<'_>, mut see: impl FnMut(u32, u32) -> Result<(), Error>) -> Result<(), Error> {
    for transaction in 0..spends.transactions() {
        let inputs = spends.of(transaction).ok_or(Error::Torn(transaction))?;
        if inputs.len() > 1 {
            inputs.iter().try_for_each(|&address| see(transaction, address))?;
        }
    }
    Ok(())
}

fn each_back(spends: Spends<'_>, mut see: impl FnMut(u32, u32)) {
    for transaction in (0..spends.transactions()).rev() {
        let inputs = spends.of(transaction).unwrap_or_default();
        if inputs.len() > 1 {
            inputs.iter().for_each(|&address| see(transaction, address));
        }
    }
}
