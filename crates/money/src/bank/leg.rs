//! What a statement says: facts as they were read, kept one JSON object a line.
use super::{Account, Span};
use serde::{Deserialize, Serialize};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<i64>,
    /// The booked balance after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<i64>,
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
    pub amount: u64,
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
    pub(super) fn new(account: Account, currency: String, amount: u64, span: Span) -> Leg {
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
