//! From a UTXO chain's record to the co-spend input: which addresses each transaction spends, and which transactions unite nothing.
use super::shape::{Apart, CoinJoin, Input, Output, Script, Shape, Sighash, Verdict};
use super::{Error, Evidence, Spends, TransactionSet};
use crate::chain::{Family, script_kind};
use crate::columns::{Flags, NOBODY, UNKNOWN, Utxo};
use std::collections::BTreeMap;

/// Why a transaction's inputs are not united.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A CoinJoin's shape, by its protocol's name.
    CoinJoin(&'static str),
    /// Another shape that may join strangers.
    Apart(&'static str),
}

impl Reason {
    fn of(verdict: Verdict) -> Option<Reason> {
        Some(match verdict {
            Verdict::Merge => return None,
            Verdict::CoinJoin { kind, .. } => Reason::CoinJoin(match kind {
                CoinJoin::JoinMarket => "joinmarket",
                CoinJoin::Wasabi1 => "wasabi-1",
                CoinJoin::Wasabi11 => "wasabi-1.1",
                CoinJoin::Wasabi2 => "wasabi-2",
                CoinJoin::Whirlpool => "whirlpool",
            }),
            Verdict::Apart(why) => Reason::Apart(match why {
                Apart::PartialSighash => "partial-sighash",
                Apart::CashFusion => "cash-fusion",
                Apart::HogEx => "hog-ex",
                Apart::DualFunding => "dual-funding",
                Apart::Stonewall => "stonewall",
                Apart::EqualOutputs => "equal-outputs",
            }),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reason::CoinJoin(name) | Reason::Apart(name) => name,
        }
    }
}

/// The co-spend input of a chain: 8 B a transaction, 4 B an input, all anonymous.
#[derive(Clone, Debug, Default)]
pub struct CoSpends {
    offsets: Vec<u64>,
    inputs: Vec<u32>,
    addresses: u32,
    apart: TransactionSet,
    /// How many transactions are apart, by why.
    pub reasons: BTreeMap<Reason, u64>,
    /// Inputs whose address is not on record: they unite nothing.
    pub hidden: u64,
}

impl CoSpends {
    /// Reads a chain and judges the shape of each transaction that spends two addresses or more.
    ///
    /// # Errors
    /// [`Error::TooMany`] beyond what 32 bits can number.
    pub fn of(chain: &Utxo) -> Result<Self, Error> {
        let narrow = |n: u64| u32::try_from(n).map_err(|_| Error::TooMany);
        narrow(chain.txs())?;
        narrow(chain.inputs())?;
        let mut read = Self { addresses: narrow(chain.addresses())?, ..Self::default() };
        read.offsets.push(0);
        let mut room = (Vec::new(), Vec::new());
        for tx in 0..chain.txs() {
            let from = read.inputs.len();
            let addresses = chain.inputs_of(tx).filter_map(|input| chain.input(input)).map(|input| input.address);
            for address in addresses {
                if address == UNKNOWN {
                    read.hidden += 1;
                } else {
                    read.inputs.push(address);
                }
            }
            read.offsets.push(read.inputs.len() as u64);
            if read.inputs.len() - from < 2 {
                continue;
            }
            if let Some(reason) = Reason::of(verdict(chain, tx, &mut room)) {
                read.apart.insert(narrow(tx)?);
                *read.reasons.entry(reason).or_default() += 1;
            }
        }
        Ok(read)
    }

    /// The co-spend input of a chain of accounts: nothing is spent together there.
    ///
    /// # Errors
    /// [`Error::TooMany`] beyond what 32 bits can number.
    pub fn none(accounts: u64) -> Result<Self, Error> {
        let addresses = u32::try_from(accounts).map_err(|_| Error::TooMany)?;
        Ok(Self { offsets: vec![0], addresses, ..Self::default() })
    }

    /// The evidence of the spends: transactions whose shape forbids it unite nothing.
    ///
    /// # Errors
    /// Those of [`Spends::new`].
    pub fn evidence(&self) -> Result<Evidence<'_>, Error> {
        let mut evidence = Evidence::new(Spends::new(&self.offsets, &self.inputs, self.addresses)?);
        evidence.off = self.apart.clone();
        Ok(evidence)
    }
}

impl CoSpends {
    /// Whether a transaction's inputs are united as far as its shape goes.
    #[must_use]
    pub fn unites(chain: &Utxo, tx: u64) -> bool {
        Self::reason(chain, tx).is_none()
    }

    /// Why a transaction's inputs are not united, if its shape forbids it.
    #[must_use]
    pub fn reason(chain: &Utxo, tx: u64) -> Option<Reason> {
        Reason::of(verdict(chain, tx, &mut (Vec::new(), Vec::new())))
    }
}

/// What a transaction's record says of itself, else its shape. Litecoin's HogEx and Bitcoin Cash's CashFusion are marked where a block is
/// read, for the record keeps no script.
fn verdict(chain: &Utxo, tx: u64, room: &mut (Vec<Input>, Vec<Output>)) -> Verdict {
    let (flags, _) = chain.info(tx).unwrap_or_default();
    if flags.has(Flags::HOG_EX) {
        Verdict::Apart(Apart::HogEx)
    } else if flags.has(Flags::CASH_FUSION) {
        Verdict::Apart(Apart::CashFusion)
    } else {
        shape(chain, flags, tx, room).judge()
    }
}

/// The shape of a transaction as far as the record has it. Its version and what the spender of a script revealed are not kept: each
/// is taken for what merges less.
fn shape<'r>(chain: &Utxo, flags: Flags, tx: u64, (inputs, outputs): &'r mut (Vec<Input>, Vec<Output>)) -> Shape<'r> {
    let kind = |address: u32| chain.address_key(address).and_then(|key| key.first()).copied();
    inputs.clear();
    for input in chain.inputs_of(tx).filter_map(|input| chain.input(input)) {
        let known = input.address != UNKNOWN;
        let witness = match kind(input.address).filter(|_| known) {
            Some(script_kind::P2WPKH | script_kind::P2WSH | script_kind::P2TR | script_kind::WITNESS) => true,
            // A witness within a script's hash, or what is not known: any that carries witnesses may.
            Some(script_kind::P2SH) | None => flags.has(Flags::SEGWIT),
            Some(_) => false,
        };
        inputs.push(Input {
            address: known.then(|| u64::from(input.address)),
            value: input.value,
            sighash: if flags.has(Flags::NOT_ALL) { Sighash::Partial } else { Sighash::Unknown },
            segwit: witness,
        });
    }
    outputs.clear();
    for (output, (address, value)) in chain.outputs_of(tx).filter_map(|n| Some((n, chain.output(n)?))) {
        let (script, kind) = match (address, kind(address)) {
            // Each of its own: nobody is paid twice by these.
            (NOBODY, _) => (u64::from(u32::MAX) + 1 + output, Script::Data(None)),
            (_, Some(script_kind::P2WSH)) => (u64::from(address), Script::WitnessScript { two_of_two: None }),
            _ => (u64::from(address), Script::Key),
        };
        outputs.push(Output { value, script, kind });
    }
    // Whose rules they are decides nothing but what is marked already.
    Shape { family: Family::Bitcoin, version: 2, locktime: 0, inputs, outputs }
}
