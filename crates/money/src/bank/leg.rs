//! What a statement says: facts as they were read, kept one JSON object a line.
use super::{Account, Span};
use serde::{Deserialize, Serialize};

/// Amounts are written as text in digits: most readers of JSON lose what a number has beyond 53 bits. Facts of version 1 have numbers.
mod digits {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use std::fmt::{Display, Formatter, Result as Written};
    use std::marker::PhantomData;
    use std::str::FromStr;

    pub trait Digits: Display + FromStr + TryFrom<u64> + TryFrom<i64> {}
    impl<T: Display + FromStr + TryFrom<u64> + TryFrom<i64>> Digits for T {}

    pub fn serialize<T: Digits, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'d, T: Digits, D: Deserializer<'d>>(from: D) -> Result<T, D::Error> {
        from.deserialize_any(Read(PhantomData))
    }

    struct Read<T>(PhantomData<T>);

    impl<T: Digits> Visitor<'_> for Read<T> {
        type Value = T;
        fn expecting(&self, to: &mut Formatter<'_>) -> Written {
            to.write_str("an amount in digits")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|_| E::custom("not an amount in digits"))
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
            T::try_from(number).map_err(|_| E::custom("not an amount"))
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
            T::try_from(number).map_err(|_| E::custom("not an amount"))
        }
    }

    /// Where there need not be one.
    pub mod maybe {
        use super::{Deserializer, Digits, Serializer};

        // serde hands a field over by reference.
        #[allow(clippy::ref_option)]
        pub fn serialize<T: Digits, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => to.collect_str(value),
                None => to.serialize_none(),
            }
        }

        pub fn deserialize<'d, T: Digits, D: Deserializer<'d>>(from: D) -> Result<Option<T>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}

/// An amount with its sign: it has at most 127 bits.
pub(super) fn signed(amount: u128, credit: bool) -> i128 {
    let amount = i128::try_from(amount).unwrap_or(i128::MAX);
    if credit { amount } else { -amount }
}

/// What is wrong with a statement whose entries come to `sum`.
pub(super) fn unbalanced(opening: Option<i128>, closing: Option<i128>, sum: Option<i128>) -> Option<&'static str> {
    match (opening, closing, sum) {
        (Some(opening), Some(closing), Some(sum)) if opening.checked_add(sum) != Some(closing) => {
            Some("its opening balance and its entries do not come to its closing balance")
        }
        (Some(_), Some(_), None) => Some("its balances cannot be checked: not every entry could be added up"),
        (None, _, _) | (_, None, _) => Some("it has no opening or no closing balance: nothing checks its entries"),
        _ => None,
    }
}

/// A line of a batch's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Fact {
    /// A statement, after its legs.
    Statement(Statement),
    /// A leg.
    Leg(Box<Leg>),
    /// Somebody logged in to an account: no money moved.
    Login(Login),
}

/// What an institution calls a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the words are the field's own
pub enum Deed {
    Booked,
    Transfer,
    Deposit,
    Withdrawal,
    Trade,
    Fee,
}

/// Where an exchange says that a deposit or withdrawal stands on a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnChain {
    /// The chain's name.
    pub chain: String,
    /// The transaction's id, as the exchange writes it.
    pub tx: String,
    /// The token's contract; absent for the chain's coin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The other side's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The exchange's own address, at which a deposit came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_address: Option<String>,
    /// Decimals that the exchange keeps of the asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// What the exchange kept of it, in the leg's units.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digits::maybe")]
    pub fee: Option<u128>,
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The account.
    pub account: Account,
    /// When.
    pub span: Span,
    /// From where, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// With what, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// One statement (one page) of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Its place in its file, from 1.
    pub number: u32,
    /// The bank's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its sequence number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Whose.
    pub account: Account,
    /// The account's currency.
    pub currency: String,
    /// From its first to its last day; `None` when neither it nor an entry says one.
    pub span: Option<Span>,
    /// The booked balance before its entries, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digits::maybe")]
    pub opening: Option<i128>,
    /// The booked balance after them.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digits::maybe")]
    pub closing: Option<i128>,
}

/// One movement of money on an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Its statement's place in the file, from 1.
    pub statement: u32,
    /// Its entry's place in the statement, from 1.
    pub entry: u32,
    /// Its place among the entry's details, from 1.
    pub detail: u32,
    /// Whose statement says so.
    pub account: Account,
    /// The other side, as far as it is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Account>,
    /// The other side's name, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_name: Option<String>,
    /// Whether the account was paid; else it paid.
    pub credit: bool,
    /// Minor units.
    #[serde(with = "digits")]
    pub amount: u128,
    /// ISO 4217.
    pub currency: String,
    /// When, from its booking (and the time of the transaction, where that is said).
    pub span: Span,
    /// The value date, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<String>,
    /// Announced and not booked: kept, never counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// It takes back another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reversal: bool,
    /// What identifies it.
    #[serde(default)]
    pub references: References,
    /// The remittance text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What was instructed in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
    /// What the institution calls it, where a table says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    /// Where it stands on a chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_chain: Option<OnChain>,
    /// The institution's own bank accounts that it can have gone through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
}

impl Leg {
    /// A booked debit with nothing else known of it.
    pub(super) fn new(account: Account, currency: String, amount: u128, span: Span) -> Leg {
        Leg {
            statement: 1,
            entry: 1,
            detail: 1,
            account,
            other: None,
            other_name: None,
            credit: false,
            amount,
            currency,
            span,
            value_date: None,
            pending: false,
            reversal: false,
            references: References::default(),
            text: String::new(),
            original: None,
            deed: None,
            on_chain: None,
            through: Vec::new(),
        }
    }
}

/// What identifies a leg.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// The payer's own, which travels to the payee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end: Option<String>,
    /// The transaction's, between the banks (UETR, else the transaction id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The account's bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    /// The account owner's own, which nobody else need know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// An amount in the currency that it was instructed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// As written.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The rate, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
}

impl References {
    /// The reference that both sides' banks know.
    pub fn shared(&self) -> Option<&str> {
        self.end_to_end.as_deref().or(self.transaction.as_deref())
    }
}
