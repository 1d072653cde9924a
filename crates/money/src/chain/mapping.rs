//! Which columns of a table of transfers mean what, and the mappings that come with the program.
use super::table::Table;
use super::transfers::Columns;
use super::{Error, Result};
use std::path::Path;

/// No line of a table is longer.
pub(super) const MAX_LINE: usize = 1 << 20;

/// Which columns of a table mean what; each by its heading.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Who pays. An empty cell is somebody unknown.
    pub from: String,
    /// Who is paid. An empty cell is somebody unknown.
    pub to: String,
    /// How much.
    pub amount: String,
    /// A second column of amounts, for rows in which the first is empty or nothing: explorers part what came in from what went out.
    #[serde(default)]
    pub amount_out: Option<String>,
    /// What stands between thousands.
    #[serde(default)]
    pub thousands: Option<char>,
    /// What the payer paid besides, in the same asset and unit.
    #[serde(default)]
    pub fee: Option<String>,
    /// A column that is empty for what was done: a row with a word in it moved nothing and cost its fee.
    #[serde(default)]
    pub failed: Option<String>,
    /// When: Unix seconds, RFC 3339, or a date and time in `zone`; written as `time_format` says, if that is given.
    pub time: String,
    /// How times are written (`%d/%m/%Y %H:%M`); a date alone is its midnight.
    #[serde(default)]
    pub time_format: Option<String>,
    /// The asset's column; without one everything is of [`Mapping::asset_is`].
    #[serde(default)]
    pub asset: Option<String>,
    /// The one asset of a table without such a column: a contract or a currency, never a symbol.
    #[serde(default)]
    pub asset_is: Option<String>,
    /// The transaction; rows after each other with the same one are one transaction.
    #[serde(default)]
    pub tx: Option<String>,
    /// The block's height. Without one, a block is a day (UTC), and its height the days since 1970.
    #[serde(default)]
    pub height: Option<String>,
    /// The block's hash, 64 hex digits; without one it is made from the rows and the block before.
    #[serde(default)]
    pub block_hash: Option<String>,
    /// The kind of change, by its name in [`Kind::NAMES`].
    #[serde(default)]
    pub kind: Option<String>,
    /// What the amounts are counted in.
    #[serde(default)]
    pub unit: AmountUnit,
    /// The zone of times that do not name one, `UTC` if not given (`Asia/Phnom_Penh`, `+07:00`).
    #[serde(default)]
    pub zone: Option<String>,
    /// Whether the order of rows within a transaction means nothing.
    #[serde(default)]
    pub unordered: bool,
    /// What stands between cells; a comma if not given.
    #[serde(default)]
    pub delimiter: Option<char>,
}

impl Mapping {
    /// Reads a mapping file (TOML; every word of it in `docs/transfers.md` of this crate).
    ///
    /// ```
    /// let mapping = money::chain::Mapping::parse(r#"
    ///     from = "payer"
    ///     to = "payee"
    ///     amount = "sum"
    ///     time = "booked"
    ///     time_format = "%d/%m/%Y"
    ///     zone = "Asia/Bangkok"
    ///     asset_is = "THB"
    ///     unit = { decimals = 2 }
    /// "#)?;
    /// assert_eq!(mapping.asset_is.as_deref(), Some("THB"));
    /// assert!(money::chain::Mapping::parse("form = 'payer'").is_err());
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(text: &str) -> std::result::Result<Mapping, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

/// Mappings that come with the program, by name: an explorer's exports, each of which has some headings.
const BUILT_IN: [(&str, &str); 1] = [("etherscan", include_str!("mappings/etherscan.toml"))];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    mapping: Vec<Mapping>,
}

impl Mapping {
    /// The names of those that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The mapping of that name that fits a file's headings; `None` when no mapping has that name. Headings of before 2020
    /// (`Txhash`, no block) are taken too.
    ///
    /// # Errors
    /// The file cannot be read, or has none of the name's headings.
    pub fn built_in(name: &str, file: &Path) -> Result<Option<Mapping>> {
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else { return Ok(None) };
        let wrong = |line, why| Error::Line { path: file.to_owned(), line, why };
        let several: Several = toml::from_str(text).map_err(|error| wrong(1, error.to_string()))?;
        let table = Table::open(file, b',', MAX_LINE).map_err(|(line, why)| wrong(line, why))?;
        let has = |heading: &str| table.headings().iter().any(|one| one == heading);
        let fitting = several.mapping.into_iter().map(|mapping| match has("Txhash") {
            true => Mapping { tx: Some("Txhash".into()), ..mapping },
            false => mapping,
        });
        let fitting = fitting.map(|mapping| Mapping { height: mapping.height.filter(|height| has(height)), ..mapping });
        let fits = |mapping: &Mapping| Columns::find(table.headings(), mapping).is_ok();
        let found = fitting.into_iter().find(fits);
        found.map(Some).ok_or_else(|| wrong(1, format!("its headings are none of {name}'s exports")))
    }
}

/// What a table's amounts are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmountUnit {
    /// Base units: satoshi, wei, cent.
    #[default]
    Base,
    /// Coins or money with so many decimals: 2 makes 12.50 into 1250.
    Decimals(u8),
}
