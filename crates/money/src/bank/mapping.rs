//! Which columns of a table mean what: statements, receipts and exchange returns (TOML; every word in `docs/returns.md`).
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most tables of a mapping.
const MAX_TABLES: usize = 64;
/// Most decimals of an asset.
const MAX_DECIMALS: u8 = 18;

/// A mapping file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableMapping {
    /// Whose tables they are: the bank's code or the exchange's name; accounts are numbers of it.
    pub institution: String,
    /// The zone of times that name none (`Asia/Bangkok`, `+07:00`); absent, the zone that the load names.
    #[serde(default)]
    pub zone: Option<String>,
    /// The institution's own bank accounts: what is paid to one of them and credited to a customer is one transfer.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// What stands between cells of CSV; a comma if not given.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// What stands before the fraction; a point if not given.
    #[serde(default)]
    pub decimal: Option<char>,
    /// What stands between thousands.
    #[serde(default)]
    pub thousands: Option<char>,
    /// The institution's words for assets. A currency of ISO 4217 need not be named.
    #[serde(default)]
    pub assets: BTreeMap<String, Asset>,
    /// Its words for networks, and the chain each is (`TRC20 = "trx"`).
    #[serde(default)]
    pub networks: BTreeMap<String, String>,
    /// The tables.
    pub table: Vec<Table>,
}

/// An asset by the institution's word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Decimals that are kept; what has more is refused.
    pub decimals: u8,
    /// The chain of rows that name no network.
    #[serde(default)]
    pub chain: Option<String>,
    /// The token's contract on each chain; on a chain without one it is the chain's coin.
    #[serde(default)]
    pub contracts: BTreeMap<String, String>,
}

/// What a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the words are the field's own
pub enum Rows {
    Statement,
    Receipts,
    Deposits,
    Withdrawals,
    Trades,
    Transfers,
    Logins,
}

impl Rows {
    /// What columns such a table must have, and what columns it may have.
    fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Rows::Statement => (
                &["time"],
                &["account", "currency", "amount", "credit", "debit", "balance", "other", "name", "reference", "text"],
            ),
            Rows::Receipts | Rows::Transfers => {
                (&["account", "to", "amount", "time"], &["asset", "name", "reference", "text", "status"])
            }
            Rows::Deposits | Rows::Withdrawals => (
                &["account", "amount", "time"],
                &[
                    "asset",
                    "tx",
                    "network",
                    "address",
                    "own_address",
                    "other",
                    "name",
                    "reference",
                    "fee",
                    "text",
                    "status",
                ],
            ),
            Rows::Trades => (
                &["account", "time", "sold", "sold_asset", "bought", "bought_asset"],
                &["fee", "fee_asset", "reference", "status"],
            ),
            Rows::Logins => (&["account", "time"], &["ip", "device"]),
        }
    }
}

/// One table: a sheet of a workbook, or a CSV file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What its rows are.
    pub rows: Rows,
    /// The workbook's sheet; absent, every sheet (or CSV file) that has all its headings.
    #[serde(default)]
    pub sheet: Option<String>,
    /// What each column means, and its heading.
    pub columns: BTreeMap<String, String>,
    /// How times are written (`%d/%m/%Y %H:%M`).
    #[serde(default)]
    pub time_format: Option<String>,
    /// The account of a statement without such a column.
    #[serde(default)]
    pub account: Option<String>,
    /// The asset or currency of a table without such a column.
    #[serde(default)]
    pub asset: Option<String>,
    /// Whether amounts that go out are written negative; else a sign is refused.
    #[serde(default)]
    pub signed: bool,
    /// Whether the newest row of a statement stands first.
    #[serde(default)]
    pub newest_first: bool,
    /// The words of the column `status` that mean that it was done; every other row is kept and never counted.
    #[serde(default)]
    pub done: Vec<String>,
}

impl TableMapping {
    /// Reads a mapping.
    ///
    /// ```
    /// let mapping = money::bank::TableMapping::parse(r#"
    ///     institution = "EXERCISE-EXCHANGE"
    ///     assets.USDT = { decimals = 6, contracts = { trx = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t" } }
    ///     networks.TRC20 = "trx"
    ///     [[table]]
    ///     rows = "deposits"
    ///     columns = { account = "uid", asset = "coin", amount = "qty", time = "at", tx = "txid", network = "net" }
    /// "#)?;
    /// assert_eq!(mapping.table.len(), 1);
    /// assert!(money::bank::TableMapping::parse("institution = 'X'\n[[table]]\nrows = 'logins'\ncolumns = {}").is_err());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with it, and what belongs there.
    pub fn parse(text: &str) -> Result<TableMapping, String> {
        let mapping: TableMapping = toml::from_str(text).map_err(|error| error.to_string())?;
        if mapping.table.is_empty() || mapping.table.len() > MAX_TABLES {
            return Err(format!("a mapping has 1 to {MAX_TABLES} tables"));
        }
        if mapping.institution.chars().filter(|letter| letter.is_alphanumeric()).count() == 0 {
            return Err("`institution` must name the bank or the exchange".into());
        }
        if let Some((word, _)) = mapping.assets.iter().find(|(_, asset)| asset.decimals > MAX_DECIMALS) {
            return Err(format!("the asset {word:?} has more than {MAX_DECIMALS} decimals"));
        }
        for table in &mapping.table {
            table.check()?;
        }
        Ok(mapping)
    }
}

impl TableMapping {
    /// What stands between cells.
    ///
    /// # Errors
    /// It is no plain character.
    pub(super) fn separator(&self) -> Result<u8, String> {
        let delimiter = self.delimiter.unwrap_or(',');
        u8::try_from(delimiter).map_err(|_| "the mapping's `delimiter` must be one plain character".into())
    }
}

impl Table {
    fn check(&self) -> Result<(), String> {
        let (must, may) = self.rows.columns();
        let known: BTreeSet<&str> = must.iter().chain(may).copied().collect();
        let kind = format!("{:?}", self.rows).to_lowercase();
        if let Some(word) = self.columns.keys().find(|word| !known.contains(word.as_str())) {
            let known: Vec<&str> = known.into_iter().collect();
            return Err(format!("a table of {kind} has no column {word:?}; it may have {}", known.join(", ")));
        }
        let has = |word: &str| self.columns.contains_key(word);
        if let Some(word) = must.iter().find(|word| !has(word)) {
            return Err(format!("a table of {kind} needs the column {word:?}"));
        }
        let moves = !matches!(self.rows, Rows::Trades | Rows::Logins);
        if moves && !has("asset") && !has("currency") && self.asset.is_none() {
            return Err(format!("a table of {kind} needs a column of its asset or currency, or `asset`"));
        }
        if self.rows == Rows::Statement {
            if !has("account") && self.account.is_none() {
                return Err("a statement needs a column of its account, or `account`".into());
            }
            let two = has("credit") && has("debit");
            if has("amount") == two || (has("amount") && !self.signed) {
                return Err("a statement needs the columns credit and debit, or amount with `signed = true`".into());
            }
        }
        match has("status") && self.done.is_empty() {
            true => Err("a column `status` needs `done`: the words that mean that a row was done".into()),
            false => Ok(()),
        }
    }
}
