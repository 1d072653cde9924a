//! Whose account: by IBAN, by the bank's own number, or by nothing but a name.
use selectors::{Hints, Kind, Strength, normalise};
use serde::{Deserialize, Serialize};

/// Most bytes of a number, a name or a bank's code.
const MAX_NAME: usize = 140;

/// How an account is identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// An IBAN whose check digits hold (ISO 13616).
    Iban,
    /// A number of the bank's own, with the bank's code where it is known.
    Number,
    /// An address of a chain, as an exchange's return gives it.
    Address,
    /// A name alone, as the bank of another account gives it: it is nobody's elsewhere.
    Named,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// How it is identified.
    pub scheme: Scheme,
    /// Its name in the record: the IBAN; `BANK/NUMBER`, `?/NUMBER` where no bank is named; `CHAIN:ADDRESS`; `OWN#NAME` of whom
    /// `OWN`'s bank gives only a name.
    pub name: String,
}

impl Account {
    /// By an IBAN, however it is written; `None` when its check digits fail or it has no IBAN's shape.
    ///
    /// ```
    /// use money::bank::Account;
    /// let account = Account::iban("GB29 NWBK 6016 1331 9268 19");
    /// assert_eq!(account.map(|account| account.name).as_deref(), Some("GB29NWBK60161331926819"));
    /// assert_eq!(Account::iban("GB28 NWBK 6016 1331 9268 19"), None);
    /// ```
    pub fn iban(text: &str) -> Option<Account> {
        let found = normalise(Kind::Iban, text, &Hints::default()).ok()?;
        let holds = found.kind == Kind::Iban && found.strength != Strength::Never;
        holds.then_some(Account { scheme: Scheme::Iban, name: found.value })
    }

    /// By the bank's own number.
    pub fn number(bank: Option<&str>, number: &str) -> Account {
        let bank = bank.map(bare).filter(|bank| !bank.is_empty()).unwrap_or_else(|| "?".into());
        Account { scheme: Scheme::Number, name: format!("{bank}/{}", bare(number)) }
    }

    /// By an address of a chain: `btc:ADDRESS`.
    pub fn address(chain: &str, address: &str) -> Account {
        Account { scheme: Scheme::Address, name: format!("{chain}:{address}") }
    }

    /// By a name that the bank of the account `own` gives.
    pub fn named(own: &Account, name: &str) -> Account {
        let name: Vec<&str> = name.split_whitespace().collect();
        let name: String = name.join(" ").to_uppercase().chars().take(MAX_NAME).collect();
        Account { scheme: Scheme::Named, name: format!("{}#{name}", own.name) }
    }
}

/// Letters and digits alone, in capitals.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).take(MAX_NAME).collect()
}
