//! A deposit or withdrawal of an exchange and the transaction that it names, on the chain that is loaded here: is it there, and does
//! it move what the exchange says, to whom the exchange says.
//!
//! Never: a transaction taken for the exchange's because its id is right while it moves something else; two amounts that differ made
//! one; a token of another contract.
use super::leg::{Leg, OnChain};
use super::view::Viewed;
use crate::ask::Named;
use crate::chain::{ChainCode, Room};
use crate::columns::{Accounts, Amount, Kind, Utxo};
use std::collections::BTreeMap;
use std::path::Path;

/// Decimals of Bitcoin's kind, of Ethereum's and of TRON's coin.
const COIN_DECIMALS: [u8; 3] = [8, 18, 6];
/// Most movements of a transaction that are looked at.
const MOST: usize = 4_096;
/// Most amounts that are named.
const NAMED: usize = 8;

/// Whether the transaction is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// It is, and moves what the exchange says.
    OnRecord,
    /// It is, and moves something else, or to somebody else: [`Joined::contradictions`].
    Contradicted,
    /// The chain is loaded and lacks it: it is of a block that is not, or the exchange names another one.
    NotOnRecord,
    /// Nothing of the chain is loaded.
    ChainNotLoaded,
}

/// A leg's transaction on a chain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Joined {
    /// What the exchange says.
    #[serde(flatten)]
    pub says: OnChain,
    /// Whether the record has it.
    pub recorded: Recorded,
    /// Its number in the chain's record.
    pub number: Option<u64>,
    /// The transfer that it is (its number in the record; of Bitcoin's kind the output's).
    pub movement: Option<u64>,
    /// What was compared and found equal.
    pub agrees: Vec<Compared>,
    /// What the exchange says and the chain does not.
    pub contradictions: Vec<Contradiction>,
}

/// What of a leg is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// The coin, or the token's contract.
    Asset,
    /// The address that is not the customer's: who was paid, or who paid.
    Address,
    /// The exchange's own address, where the money came in.
    OwnAddress,
    /// The amount.
    Amount,
    /// The amount, the fee that the exchange names taken off or added.
    AmountAndFee,
}

/// Something that the exchange says and the chain does not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Contradiction {
    /// What of it.
    pub what: Compared,
    /// What the record says instead.
    pub why: String,
    /// Of an amount: what the exchange says, in the chain's base units.
    pub says: Option<String>,
    /// Of an amount: what the record has, the first of them.
    pub recorded: Vec<String>,
}

/// Looks up every leg's transaction; each chain is opened once.
pub fn join(money: &Path, legs: &mut [Viewed]) {
    let (room, mut open) = (Room::open(money), BTreeMap::new());
    for leg in legs {
        let Some(source) = leg.sources.iter().map(|source| &source.says).find(|says| says.on_chain.is_some()) else {
            continue;
        };
        let Some(says) = source.on_chain.clone() else { continue };
        let chain = open
            .entry(says.chain.clone())
            .or_insert_with_key(|name| ChainCode::parse(name).ok().and_then(|code| Named::open(&room, &code).ok()));
        let number = chain.as_ref().and_then(|chain| chain.transaction(&says.tx).ok());
        let mut joined = Joined {
            recorded: if chain.is_some() { Recorded::NotOnRecord } else { Recorded::ChainNotLoaded },
            number,
            movement: None,
            agrees: Vec::new(),
            contradictions: Vec::new(),
            says,
        };
        if let (Some(chain), Some(number)) = (chain.as_ref(), number) {
            joined.compare(chain, number, source);
        }
        leg.on_chain = Some(joined);
    }
}

/// What a transaction moves of the leg's asset.
struct Movement {
    number: u64,
    from: Vec<u32>,
    to: u32,
    amount: Amount,
}

impl Joined {
    fn compare(&mut self, chain: &Named, tx: u64, leg: &Leg) {
        self.recorded = Recorded::OnRecord;
        let moved = movements(chain, tx, self.says.contract.as_deref());
        if moved.is_empty() {
            self.contradict(Compared::Asset, "the transaction moves none of that asset");
            return;
        }
        self.agrees.push(Compared::Asset);
        let moved = self.parties(chain, leg.credit, moved);
        if !moved.is_empty() {
            self.amount(chain, leg, &moved);
        }
        if !self.contradictions.is_empty() {
            self.recorded = Recorded::Contradicted;
        }
    }

    /// Those movements that go between the addresses that the exchange names.
    fn parties(&mut self, chain: &Named, credit: bool, mut moved: Vec<Movement>) -> Vec<Movement> {
        let named = [
            (self.says.own_address.clone(), Compared::OwnAddress, credit),
            (self.says.address.clone(), Compared::Address, !credit),
        ];
        for (address, what, paid) in named {
            let Some(address) = address else { continue };
            let Some(number) = chain.address(&address).ok() else {
                self.contradict(what, "the address is not on the chain's record, or none of that chain");
                return Vec::new();
            };
            let is = |one: &Movement| if paid { one.to == number } else { one.from.contains(&number) };
            let (fitting, other): (Vec<Movement>, Vec<Movement>) = moved.into_iter().partition(is);
            if fitting.is_empty() {
                let turned = other.iter().any(|one| if paid { one.from.contains(&number) } else { one.to == number });
                self.contradict(
                    what,
                    match (turned, paid) {
                        (true, true) => "the address is the one that paid, not the one that was paid",
                        (true, false) => {
                            "the address is the one that was paid, not the one that paid: it may be the exchange's own"
                        }
                        (false, _) => "the transaction moves nothing of that asset there",
                    },
                );
                return Vec::new();
            }
            self.agrees.push(what);
            moved = fitting;
        }
        moved
    }

    fn amount(&mut self, chain: &Named, leg: &Leg, moved: &[Movement]) {
        let to_base = |amount: u128| {
            rescaled(amount, self.says.decimals, coin_decimals(chain).filter(|_| self.says.contract.is_none()))
        };
        let Some(said) = to_base(leg.amount) else {
            return self.contradict(Compared::Amount, "the amount is no whole number of the chain's base units");
        };
        // What the customer pays can have the exchange's fee in it; what a customer is credited can lack it.
        let fee = self.says.fee.and_then(to_base);
        let with_fee = fee.and_then(|fee| if leg.credit { said.plus(&fee) } else { said.minus(&fee) });
        let find = |amount: &Amount| moved.iter().find(|one| one.amount == *amount).map(|one| one.number);
        if let Some(number) = find(&said) {
            (self.movement, _) = (Some(number), self.agrees.push(Compared::Amount));
        } else if let Some(number) = with_fee.as_ref().and_then(find) {
            (self.movement, _) = (Some(number), self.agrees.push(Compared::AmountAndFee));
        } else {
            let recorded = moved.iter().take(NAMED).map(|one| one.amount.to_string()).collect();
            self.contradictions.push(Contradiction {
                what: Compared::Amount,
                why: "the transaction moves another amount".into(),
                says: Some(said.to_string()),
                recorded,
            });
        }
    }

    fn contradict(&mut self, what: Compared, why: &str) {
        self.recorded = Recorded::Contradicted;
        self.contradictions.push(Contradiction { what, why: why.into(), says: None, recorded: Vec::new() });
    }
}

fn coin_decimals(chain: &Named) -> Option<u8> {
    let [bitcoin, ethereum, tron] = COIN_DECIMALS;
    match chain {
        Named::Utxo(..) => Some(bitcoin),
        Named::Accounts(_, Some(profile)) => Some(if profile.chain_id.is_some() { ethereum } else { tron }),
        // A table's own units.
        Named::Accounts(_, None) => None,
    }
}

/// An amount that an institution keeps with so many decimals, in base units of a coin. Of a token, and where the coin's
/// decimals are not known, the institution's are taken for the contract's.
fn rescaled(amount: u128, decimals: Option<u8>, coin: Option<u8>) -> Option<Amount> {
    let (Some(decimals), Some(coin)) = (decimals, coin) else { return Some(Amount::from(amount)) };
    Amount::parse(&format!("{amount}e{}", i32::from(coin) - i32::from(decimals)), 0)
}

fn movements(chain: &Named, tx: u64, contract: Option<&str>) -> Vec<Movement> {
    match chain {
        Named::Utxo(utxo, _) if contract.is_none() => outputs(utxo, tx),
        // Tokens that stand beside coins on chains of Bitcoin's kind are not looked up.
        Named::Utxo(..) => Vec::new(),
        Named::Accounts(accounts, profile) => {
            let name = match (contract, profile) {
                (Some(contract), Some(profile)) => profile.parse(contract).ok(),
                (Some(contract), None) => Some(contract.as_bytes().to_vec()),
                (None, Some(profile)) => Some(profile.coin.as_bytes().to_vec()),
                (None, None) => None,
            };
            match name.map(|name| accounts.find_asset(&name)) {
                Some(Some(asset)) => transfers(accounts, tx, Some(asset)),
                Some(None) => Vec::new(),
                // A table names no coin: each of its assets may be it.
                None => transfers(accounts, tx, None),
            }
        }
    }
}

fn outputs(utxo: &Utxo, tx: u64) -> Vec<Movement> {
    let from: Vec<u32> =
        utxo.inputs_of(tx).take(MOST).filter_map(|input| utxo.input(input)).map(|spend| spend.address).collect();
    let output = |number: u64| {
        let (to, value) = utxo.output(number)?;
        Some(Movement { number, from: from.clone(), to, amount: Amount::from(u128::from(value)) })
    };
    utxo.outputs_of(tx).take(MOST).filter_map(output).collect()
}

fn transfers(accounts: &Accounts, tx: u64, asset: Option<u32>) -> Vec<Movement> {
    let fits = |kind: Kind| !matches!(kind, Kind::Fee | Kind::L1Fee);
    let one = |number: u64| {
        let one = accounts.transfer(number)?;
        let is = asset.is_none_or(|asset| asset == one.asset) && one.edge && fits(one.kind) && !one.amount.is_zero();
        is.then(|| Movement { number, from: vec![one.from], to: one.to, amount: one.amount })
    };
    accounts.transfers_of(tx).take(MOST).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_in_the_coins_base_units_exactly_or_not_at_all() {
        let wei = |amount, decimals| rescaled(amount, Some(decimals), Some(18)).map(|amount| amount.to_string());
        assert_eq!(wei(150_000_000, 8).as_deref(), Some("1500000000000000000"));
        assert_eq!(rescaled(15, Some(9), Some(8)), None, "half a satoshi");
        assert_eq!(rescaled(150, Some(9), Some(8)), Some(Amount::from(15)));
        assert_eq!(rescaled(15, None, Some(8)), Some(Amount::from(15)));
    }
}
