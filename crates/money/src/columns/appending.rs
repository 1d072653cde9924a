//! A block's rows: first all transactions with their outputs, then all inputs. Each column and dictionary is walked over a whole block
//! before it is needed row by row, so that what is not in the processor's cache is fetched many at once instead of one after the other.
use super::bytes::{U40_MAX, u40, u56};
use super::utxo::*;
use super::{Block, Error, Flags, Head, Input, Origin, Output, Prevout, Result};

/// Room for what is worked on while a block is appended.
#[derive(Debug, Default)]
pub struct Desk {
    /// The key of an input's address while it is made.
    key: Vec<u8>,
    /// Hashes of what is looked for, and the numbers that wait in memory under them.
    hashes: Vec<u64>,
    near: Vec<u32>,
    /// What each transaction pays.
    paid: Vec<u128>,
    /// The output that each input spends, [`U40_MAX`] when it is not on record.
    spent: Vec<u64>,
}

impl Utxo {
    pub(super) fn append_rows(&mut self, block: &Block, head: Head) -> Result<()> {
        let mut desk = std::mem::take(&mut self.desk);
        let done =
            self.append_outputs(block, head, &mut desk).and_then(|()| self.append_inputs(block, head, &mut desk));
        self.desk = desk;
        done
    }

    /// Transactions and their outputs. They come before all inputs, for on Bitcoin Cash a transaction may stand before the one whose
    /// output it spends.
    fn append_outputs(&mut self, block: &Block, head: Head, desk: &mut Desk) -> Result<()> {
        self.store.push(BLOCK_FIRST_TX, &u40(self.txs()));
        self.store.push(BLOCK_TIME, &block.time.to_le_bytes());
        self.store.push(BLOCK_BITS, &block.bits.to_le_bytes());
        desk.hashes.clear();
        desk.hashes.extend(block.outputs.iter().map(|output| self.addresses.hash(block.bytes(output.key))));
        self.fetch_addresses(desk);
        desk.paid.clear();
        let first = self.outputs();
        let mut outputs = block.outputs.iter().zip(&desk.hashes);
        for (place, tx) in (0..).zip(&block.txs) {
            let wrong = |why: String| Error::Contradiction { height: head.height, tx: place, why };
            let number = room("transactions", self.txs(), u64::from(u32::MAX))?;
            self.store.push(TX_FIRST_OUT, &u40(room("outputs", self.outputs(), U40_MAX - 1)?));
            let mut paid = 0;
            for (output, hash) in outputs.by_ref().take(tx.outputs as usize) {
                paid += u128::from(output.value);
                self.append_output(block, output, *hash).map_err(|why| why.at(&wrong))?;
            }
            desk.paid.push(paid);
            self.store.push(TX_ID, &tx.id);
            self.ids.insert(self.ids.hash(&tx.id), narrow(number));
        }
        for (output, token) in &block.tokens {
            self.store.push(OUT_TOKEN, &token.row(first + u64::from(*output)));
        }
        Ok(())
    }

    fn append_output(&mut self, block: &Block, output: &Output, hash: u64) -> std::result::Result<(), Why> {
        if output.value >= UNKNOWN_VALUE {
            return Err(Why::Wrong(format!("an output of {} does not fit 56 bits", output.value)));
        }
        let address = if output.key.len == 0 { NOBODY } else { self.address(block.bytes(output.key), hash)? };
        self.store.push(OUT_ADDRESS, &address.to_le_bytes());
        self.store.push(OUT_VALUE, &u56(output.value));
        self.spent.add_output();
        Ok(())
    }

    fn append_inputs(&mut self, block: &Block, head: Head, desk: &mut Desk) -> Result<()> {
        self.find_spent(block, head, desk)?;
        let mut inputs = block.inputs.iter().zip(&desk.spent);
        for ((place, tx), paid_out) in (0..).zip(&block.txs).zip(&desk.paid) {
            let wrong = |why: String| Error::Contradiction { height: head.height, tx: place, why };
            self.store.push(TX_FIRST_IN, &u40(room("inputs", self.inputs(), U40_MAX - 1)?));
            let mut totals = Totals { flags: tx.flags, paid_in: 0 };
            for (input, output) in inputs.by_ref().take(tx.inputs as usize) {
                self.append_input(block, input, *output, &mut totals, &mut desk.key).map_err(|why| why.at(&wrong))?;
            }
            let known = !totals.flags.has(Flags::COINBASE) && !totals.flags.has(Flags::PARTIAL);
            if known && totals.paid_in < *paid_out {
                return Err(wrong(format!("pays out {paid_out} but spends only {}", totals.paid_in)));
            }
            let [a, b] = totals.flags.0.to_le_bytes();
            let [c, d, e, f] = tx.weight.to_le_bytes();
            self.store.push(TX_INFO, &[a, b, c, d, e, f]);
        }
        Ok(())
    }

    /// Looks for the output that each input spends.
    fn find_spent(&self, block: &Block, head: Head, desk: &mut Desk) -> Result<()> {
        desk.hashes.clear();
        desk.hashes.extend(block.inputs.iter().map(|input| self.ids.hash(&input.prevout.id)));
        self.ids.fetch(&desk.hashes, &mut desk.near);
        let row = |tx: &u32| (self.store.row(TX_ID, u64::from(*tx)), self.store.uint(TX_FIRST_OUT, u64::from(*tx)));
        let first = |(id, first): (Option<&[u8]>, Option<u64>)| {
            id.and_then(|id| id.first().copied()).map_or(0, u64::from) ^ first.unwrap_or(0)
        };
        std::hint::black_box(desk.near.iter().map(|tx| first(row(tx))).fold(0, |sum, n| sum ^ n));
        desk.spent.clear();
        let mut inputs = block.inputs.iter().zip(&desk.hashes);
        for (place, tx) in (0..).zip(&block.txs) {
            let wrong = |why: String| Error::Contradiction { height: head.height, tx: place, why };
            for (input, hash) in inputs.by_ref().take(tx.inputs as usize) {
                let output = self.output_at(&input.prevout, *hash).map_err(|why| why.at(&wrong))?;
                desk.spent.push(output.unwrap_or(U40_MAX));
            }
        }
        let known = desk.spent.iter().filter(|output| **output != U40_MAX);
        let touched = known.map(|output| {
            let (address, value) = (self.store.uint(OUT_ADDRESS, *output), self.store.uint(OUT_VALUE, *output));
            address.unwrap_or(0) ^ value.unwrap_or(0) ^ self.spent.get(*output).unwrap_or(0)
        });
        std::hint::black_box(touched.fold(0, |sum, n| sum ^ n));
        Ok(())
    }

    /// Fetches the names of the addresses under some hashes, column after column.
    fn fetch_addresses(&self, desk: &mut Desk) {
        self.addresses.fetch(&desk.hashes, &mut desk.near);
        let end = |id: &u32| self.store.uint(ADDRESS_END, u64::from(*id));
        let ends = desk.near.iter().map(|id| end(id).unwrap_or(0));
        let last = |end: u64| end.checked_sub(1).and_then(|at| self.store.uint(ADDRESS_BYTES, at)).unwrap_or(0);
        // The ends first, for where a name stands follows from them.
        desk.spent.clear();
        desk.spent.extend(ends);
        std::hint::black_box(desk.spent.iter().map(|end| last(*end)).fold(0, |sum, n| sum ^ n));
    }

    fn append_input(
        &mut self,
        block: &Block,
        input: &Input,
        output: u64,
        totals: &mut Totals,
        key: &mut Vec<u8>,
    ) -> std::result::Result<(), Why> {
        let number = self.inputs();
        let (address, value) = if output == U40_MAX {
            let mut foreign = [0; 41];
            let parts = u40(number).into_iter().chain(input.prevout.id).chain(input.prevout.vout.to_le_bytes());
            foreign.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
            self.store.push(IN_FOREIGN, &foreign);
            let address = self.shown(block, input, key)?;
            if address != UNKNOWN && input.origin != Origin::Recorded {
                totals.flags = totals.flags.with(Flags::REVEALED);
            }
            (address, input.value.unwrap_or(UNKNOWN_VALUE))
        } else {
            let spent = self.spend(block, input, output)?;
            self.spent.set(output, number);
            spent
        };
        if value == UNKNOWN_VALUE {
            totals.flags = totals.flags.with(Flags::PARTIAL);
        } else {
            totals.paid_in += u128::from(value);
        }
        if address == UNKNOWN {
            totals.flags = totals.flags.with(Flags::HIDDEN);
        }
        self.store.push(IN_OUT, &u40(output));
        self.store.push(IN_ADDRESS, &address.to_le_bytes());
        self.store.push(IN_VALUE, &u56(value));
        Ok(())
    }

    /// An input whose output is on record: what the output says is taken, and what the source says must agree.
    fn spend(&self, block: &Block, input: &Input, output: u64) -> std::result::Result<(u32, u64), Why> {
        let name = || format!("output {} of {}", input.prevout.vout, super::hex(&input.prevout.id));
        if let Some(other) = self.spent_by(output) {
            return Err(Why::Wrong(format!("{} is spent already, by input {other} of this record", name())));
        }
        let address = self.store.uint(OUT_ADDRESS, output).map_or(UNKNOWN, narrow);
        let value = self.store.uint(OUT_VALUE, output).unwrap_or(UNKNOWN_VALUE);
        if let Some(said) = input.value.filter(|said| *said != value) {
            return Err(Why::Wrong(format!("{} holds {value}, but the source of the input says {said}", name())));
        }
        if input.origin == Origin::Recorded && self.address_key(address).unwrap_or_default() != block.bytes(input.key) {
            return Err(Why::Wrong(format!("{} has another owner than the source of the input says", name())));
        }
        Ok((address, value))
    }

    /// The address of an input whose output is not on record: as the source says, or as the input shows, hashed only now.
    fn shown(&mut self, block: &Block, input: &Input, key: &mut Vec<u8>) -> Result<u32> {
        let bytes = block.bytes(input.key);
        let Some((kind, shown)) = bytes.split_first() else { return Ok(UNKNOWN) };
        let Origin::Revealed(hashing) = input.origin else {
            return self.address(bytes, self.addresses.hash(bytes));
        };
        key.clear();
        key.push(*kind);
        hashing.append(shown, key);
        self.address(key, self.addresses.hash(key))
    }

    /// The number of an address, which is given one when it has none.
    fn address(&mut self, key: &[u8], hash: u64) -> Result<u32> {
        if let Some(id) = self.addresses.find(hash, |id| self.address_key(id) == Some(key)) {
            return Ok(id);
        }
        let id = narrow(room("addresses", self.addresses(), u64::from(NOBODY) - 1)?);
        self.store.push(ADDRESS_BYTES, key);
        let end = room("bytes of addresses", self.store.rows(ADDRESS_BYTES), U40_MAX)?;
        self.store.push(ADDRESS_END, &u40(end));
        self.addresses.insert(hash, id);
        Ok(id)
    }

    /// The output that is named so, if its transaction is on record; an error when that has no such output.
    fn output_at(&self, prevout: &Prevout, hash: u64) -> std::result::Result<Option<u64>, Why> {
        let same = |tx: u32| self.store.row(TX_ID, u64::from(tx)) == Some(prevout.id.as_slice());
        let Some(tx) = self.ids.find(hash, same).map(u64::from) else { return Ok(None) };
        let outputs = self.outputs_of(tx);
        let output = outputs.start + u64::from(prevout.vout);
        if !outputs.contains(&output) {
            let id = super::hex(&prevout.id);
            return Err(Why::Wrong(format!("spends output {} of {id}, which has {}", prevout.vout, outputs.count())));
        }
        Ok(Some(output))
    }
}

struct Totals {
    flags: Flags,
    paid_in: u128,
}

/// Why a row cannot be appended, before block and transaction are named.
enum Why {
    Wrong(String),
    Other(Error),
}

impl From<Error> for Why {
    fn from(error: Error) -> Why {
        Why::Other(error)
    }
}

impl Why {
    fn at(self, wrong: &impl Fn(String) -> Error) -> Error {
        match self {
            Why::Wrong(why) => wrong(why),
            Why::Other(error) => error,
        }
    }
}
