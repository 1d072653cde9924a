//! Tables of banks and exchanges as facts, by a mapping: statements, receipts, and what an exchange returns.
use super::leg::{Deed, Leg, Login, OnChain, References, signed};
use super::mapping::{Rows, Table, TableMapping};
use super::running::Running;
use super::sheet::Row;
use super::{Account, Item, Span, minor_units, zone_named};
use crate::columns::Amount;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Most bytes of a name or reference.
const MAX_NAME: usize = 256;

/// Reads the rows of a file, one after the other; `finish` ends it.
pub struct Reader<'m> {
    mapping: &'m TableMapping,
    zone: TimeZone,
    /// The table that rows belong to now, with its number and the places of its columns.
    open: Option<Open<'m>>,
    sheet: Option<String>,
    tables: u32,
    /// Sheets without a table in the mapping.
    skipped: u32,
}

struct Open<'m> {
    table: &'m Table,
    number: u32,
    places: BTreeMap<&'m str, usize>,
    running: Option<Running>,
}

/// What a row says: where it cannot be taken, the column's heading and why.
type Read<T> = Result<T, (String, String)>;
/// Where items go.
pub type Sink<'s> = &'s mut dyn FnMut(Item) -> ControlFlow<()>;

impl<'m> Reader<'m> {
    /// For a file. Times without a zone are in the mapping's, else in `zone`.
    pub fn new(mapping: &'m TableMapping, zone: &TimeZone) -> Result<Reader<'m>, String> {
        let zone = mapping.zone.as_deref().map(zone_named).transpose()?.unwrap_or_else(|| zone.clone());
        Ok(Reader { mapping, zone, open: None, sheet: None, tables: 0, skipped: 0 })
    }

    /// Takes a row: a sheet's first one holds its headings.
    ///
    /// # Errors
    /// The sheet has none of the mapping's tables; the sink had enough.
    pub fn row(&mut self, row: &Row, sink: Sink<'_>) -> Result<(), String> {
        let flow = if self.sheet.as_ref() == Some(&row.sheet) {
            self.taken(row, sink)
        } else {
            let flow = self.end_table(sink);
            self.sheet = Some(row.sheet.clone());
            self.begin(row)?;
            flow
        };
        if flow.is_break() { Err("it was stopped".into()) } else { Ok(()) }
    }

    /// The file's end.
    ///
    /// # Errors
    /// No table was found.
    pub fn finish(mut self, sink: Sink<'_>) -> Result<(), String> {
        let _stopped = self.end_table(sink);
        match self.tables {
            0 => Err("no sheet in it has the headings that the mapping names".into()),
            _ if self.skipped > 0 => {
                let why = format!("{} sheets have no table in the mapping and were passed over", self.skipped);
                let _stopped = sink(Item::Warning { at: (0, 0), why });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, row: &Row) -> Result<(), String> {
        let mut lacks = Vec::new();
        for table in &self.mapping.table {
            if table.sheet.as_ref().is_some_and(|sheet| !row.sheet.is_empty() && *sheet != row.sheet) {
                continue;
            }
            let place = |heading: &str| row.cells.iter().position(|cell| cell == heading);
            let missing: Vec<&String> = table.columns.values().filter(|heading| place(heading).is_none()).collect();
            if !missing.is_empty() {
                lacks = missing;
                continue;
            }
            let places = table.columns.iter().filter_map(|(word, heading)| Some((word.as_str(), place(heading)?)));
            self.tables += 1;
            let running = (table.rows == Rows::Statement).then(|| Running::new(self.tables, table.newest_first));
            self.open = Some(Open { table, number: self.tables, places: places.collect(), running });
            return Ok(());
        }
        let named = self.mapping.table.iter().any(|table| table.sheet.as_ref() == Some(&row.sheet));
        if row.sheet.is_empty() || named {
            let sheet = if row.sheet.is_empty() { String::new() } else { format!("sheet {:?} ", row.sheet) };
            return Err(format!("{sheet}row {}: there are no columns {lacks:?}; the mapping names them", row.number));
        }
        self.skipped += 1;
        Ok(())
    }

    fn end_table(&mut self, sink: Sink<'_>) -> ControlFlow<()> {
        match self.open.take().and_then(|open| open.running) {
            Some(running) => {
                let (last, flow) = running.finish(sink);
                self.tables = self.tables.max(last);
                flow
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn taken(&mut self, row: &Row, sink: Sink<'_>) -> ControlFlow<()> {
        let Some(open) = self.open.as_mut() else { return ControlFlow::Continue(()) };
        if row.cells.iter().all(String::is_empty) {
            return ControlFlow::Continue(());
        }
        let at = (open.number, row.number);
        let cells = Cells { open, row, mapping: self.mapping, zone: &self.zone };
        let sheet = if row.sheet.is_empty() { String::new() } else { format!("sheet {:?} ", row.sheet) };
        let place = |column: &str| format!("{sheet}row {} column {column:?}", row.number);
        let wrong = |(column, why): (String, String)| Item::Refused { at, why: format!("{}: {why}", place(&column)) };
        if open.table.rows == Rows::Logins {
            return match cells.login() {
                Ok(login) => sink(Item::Login(login)),
                Err(why) => sink(wrong(why)),
            };
        }
        let balance = cells.balance();
        match cells.legs() {
            Ok(legs) => match (open.running.as_mut(), balance) {
                (Some(_), Err(why)) => sink(wrong(why)),
                (Some(running), Ok(balance)) => {
                    legs.into_iter().try_for_each(|leg| running.add(leg, balance, place("balance"), sink))
                }
                (None, _) => legs.into_iter().try_for_each(|leg| sink(Item::Leg(Box::new(leg)))),
            },
            Err(why) => sink(wrong(why)),
        }
    }
}

/// A row's cells by what they mean.
struct Cells<'r, 'm> {
    open: &'r Open<'m>,
    row: &'r Row,
    mapping: &'m TableMapping,
    zone: &'r TimeZone,
}

impl<'r, 'm> Cells<'r, 'm> {
    fn get(&self, word: &str) -> Option<&'r str> {
        let place = self.open.places.get(word)?;
        self.row.cells.get(*place).map(String::as_str).filter(|cell| !cell.is_empty())
    }

    fn must(&self, word: &str) -> Read<&'r str> {
        self.get(word).ok_or_else(|| self.wrong(word, "the cell is empty"))
    }

    fn short(&self, word: &str) -> Read<Option<String>> {
        match self.get(word) {
            Some(cell) if cell.len() > MAX_NAME => Err(self.wrong(word, "the cell is longer than 256 bytes")),
            cell => Ok(cell.map(str::to_owned)),
        }
    }

    fn wrong(&self, word: &str, why: impl Into<String>) -> (String, String) {
        (self.open.table.columns.get(word).map_or(word, String::as_str).to_owned(), why.into())
    }

    fn login(&self) -> Read<Login> {
        let (account, span) = (self.customer("account")?, self.span()?);
        Ok(Login { account, span, ip: self.short("ip")?, device: self.short("device")? })
    }

    fn span(&self) -> Read<Span> {
        let unread = || self.wrong("time", "the time cannot be read; see the mapping's `time_format`");
        Span::written(self.must("time")?, self.open.table.time_format.as_deref(), self.zone).ok_or_else(unread)
    }

    /// An account: an IBAN whose check digits hold, else a number of the institution.
    fn customer(&self, word: &str) -> Read<Account> {
        let own = self.open.table.account.as_deref().filter(|_| word == "account" && self.get(word).is_none());
        let text = own.map_or_else(|| self.must(word), Ok)?;
        if text.len() > MAX_NAME || !text.chars().any(char::is_alphanumeric) {
            return Err(self.wrong(word, "the cell names no account"));
        }
        Ok(Account::iban(text).unwrap_or_else(|| Account::number(Some(&self.mapping.institution), text)))
    }

    /// Digits with a point, and whether a minus stood before them.
    fn number(&self, word: &str) -> Read<(String, bool)> {
        let mut text = self.must(word)?.to_owned();
        if let Some(thousands) = self.mapping.thousands {
            text.retain(|letter| letter != thousands);
        }
        if let Some(decimal) = self.mapping.decimal.filter(|decimal| *decimal != '.') {
            if text.contains('.') {
                return Err(self.wrong(word, "a point is not the mapping's `decimal`"));
            }
            text = text.replace(decimal, ".");
        }
        let (digits, negative) = match text.strip_prefix('-') {
            Some(digits) => (digits.to_owned(), true),
            None => (text.strip_prefix('+').unwrap_or(&text).to_owned(), false),
        };
        Ok((digits, negative))
    }

    /// Base units by the asset's decimals.
    fn units(&self, word: &str, digits: &str, asset: &str) -> Read<u128> {
        match self.mapping.assets.get(asset) {
            Some(known) => Amount::parse(digits, u32::from(known.decimals))
                .and_then(|amount| amount.to_u128())
                .filter(|amount| *amount <= i128::MAX as u128)
                .ok_or_else(|| {
                    self.wrong(word, "the amount has more decimals than the mapping says, or too many digits")
                }),
            None => minor_units(digits, asset)
                .map_err(|why| self.wrong(word, format!("{why}; an asset that is no currency stands in `assets`"))),
        }
    }

    /// An amount that may not be negative unless the table says so.
    fn amount(&self, word: &str, asset: &str) -> Read<u128> {
        let (digits, negative) = self.number(word)?;
        if negative && !self.open.table.signed {
            return Err(self.wrong(word, "the amount is negative; see the mapping's `signed`"));
        }
        self.units(word, &digits, asset)
    }

    fn word(&self, columns: &[&str]) -> Read<String> {
        let cell = columns.iter().find_map(|word| self.get(word));
        let asset = cell.or(self.open.table.asset.as_deref());
        asset.map(str::to_owned).ok_or_else(|| self.wrong(columns.first().unwrap_or(&"asset"), "the cell is empty"))
    }

    /// What the record calls it: a currency, or a claim on the institution, for a token's symbol names nothing.
    fn asset(&self, word: &str) -> String {
        match self.mapping.assets.contains_key(word) {
            true => format!("{}:{word}", self.mapping.institution),
            false => word.to_owned(),
        }
    }

    fn balance(&self) -> Read<Option<i128>> {
        if self.get("balance").is_none() {
            return Ok(None);
        }
        let (digits, negative) = self.number("balance")?;
        let units = self.units("balance", &digits, &self.word(&["currency", "asset"])?)?;
        Ok(Some(signed(units, !negative)))
    }

    fn base(&self, asset: &str, amount: u128, credit: bool, deed: Deed) -> Read<Leg> {
        let done = &self.open.table.done;
        let pending = !done.is_empty() && !self.get("status").is_some_and(|said| done.iter().any(|word| word == said));
        let mut leg = Leg::new(self.customer("account")?, self.asset(asset), amount, self.span()?);
        (leg.statement, leg.entry, leg.credit, leg.pending) = (self.open.number, self.row.number, credit, pending);
        leg.deed = Some(deed);
        leg.references = References { end_to_end: self.short("reference")?, ..References::default() };
        leg.text = self.get("text").unwrap_or_default().to_owned();
        leg.other_name = self.short("name")?;
        if let Some(name) = &leg.other_name {
            leg.other = Some(Account::named(&leg.account, name));
        }
        Ok(leg)
    }

    fn legs(&self) -> Read<Vec<Leg>> {
        match self.open.table.rows {
            Rows::Statement => Ok(vec![self.booked()?]),
            Rows::Receipts | Rows::Transfers => {
                let asset = self.word(&["asset"])?;
                let mut leg = self.base(&asset, self.amount("amount", &asset)?, false, Deed::Transfer)?;
                leg.other = Some(self.customer("to")?);
                Ok(vec![leg])
            }
            Rows::Deposits => self.moved(true, Deed::Deposit),
            Rows::Withdrawals => self.moved(false, Deed::Withdrawal),
            Rows::Trades => self.traded(),
            Rows::Logins => Ok(Vec::new()),
        }
    }

    fn booked(&self) -> Read<Leg> {
        let asset = self.word(&["currency", "asset"])?;
        let (word, credit) = match (self.get("credit"), self.get("debit")) {
            (Some(_), None) => ("credit", true),
            (None, Some(_)) => ("debit", false),
            (Some(_), Some(_)) => return Err(self.wrong("debit", "the row has a credit and a debit")),
            (None, None) => ("amount", !self.number("amount")?.1),
        };
        let (digits, _) = self.number(word)?;
        let mut leg = self.base(&asset, self.units(word, &digits, &asset)?, credit, Deed::Booked)?;
        if self.get("other").is_some() {
            leg.other = Some(self.elsewhere()?);
        }
        Ok(leg)
    }

    /// The other side's account: an IBAN, else a number of a bank that nobody names.
    fn elsewhere(&self) -> Read<Account> {
        let text = self.short("other")?.unwrap_or_default();
        Ok(Account::iban(&text).unwrap_or_else(|| Account::number(None, &text)))
    }

    fn moved(&self, credit: bool, deed: Deed) -> Read<Vec<Leg>> {
        let asset = self.word(&["asset"])?;
        let mut leg = self.base(&asset, self.amount("amount", &asset)?, credit, deed)?;
        leg.on_chain = self.on_chain(&asset)?;
        leg.through.clone_from(&self.mapping.accounts);
        if self.get("other").is_some() {
            leg.other = Some(self.elsewhere()?);
        } else if let Some(OnChain { chain, address: Some(address), .. }) = &leg.on_chain {
            leg.other = Some(Account::address(chain, address));
        }
        let fee = self.get("fee").map(|_| self.fee(&leg, "fee", &asset)).transpose()?.flatten();
        if let Some(on_chain) = &mut leg.on_chain {
            on_chain.fee = fee.as_ref().map(|fee| fee.amount);
        }
        Ok(std::iter::once(leg).chain(fee).collect())
    }

    /// Where it stands on a chain.
    fn on_chain(&self, asset: &str) -> Read<Option<OnChain>> {
        let (Some(known), Some(tx)) = (self.mapping.assets.get(asset), self.short("tx")?) else { return Ok(None) };
        let unknown = || self.wrong("network", "the network is not one of the mapping's `networks`");
        let chain = match self.get("network") {
            Some(network) => self.mapping.networks.get(network).cloned().ok_or_else(unknown)?,
            None => known.chain.clone().ok_or_else(|| {
                self.wrong("network", "the row names no network, and the mapping no `chain` of its asset")
            })?,
        };
        let contract = known.contracts.get(&chain).cloned();
        let (address, own_address) = (self.short("address")?, self.short("own_address")?);
        Ok(Some(OnChain { chain, tx, contract, address, own_address, decimals: Some(known.decimals), fee: None }))
    }

    /// What the institution kept; none when it is nothing.
    fn fee(&self, leg: &Leg, word: &str, asset: &str) -> Read<Option<Leg>> {
        let amount = self.units(word, &self.number(word)?.0, asset)?;
        let mut fee = Leg::new(leg.account.clone(), self.asset(asset), amount, leg.span);
        (fee.statement, fee.entry, fee.detail, fee.pending) = (leg.statement, leg.entry, 9, leg.pending);
        fee.deed = Some(Deed::Fee);
        Ok((amount > 0).then_some(fee))
    }

    /// What was sold and what was bought for it: nobody is said to be the other side.
    fn traded(&self) -> Read<Vec<Leg>> {
        let side = |word: &str, asset: &str, credit: bool, detail: u32| -> Read<Leg> {
            let mut leg = self.base(asset, self.amount(word, asset)?, credit, Deed::Trade)?;
            leg.references = References { bank: leg.references.end_to_end, ..References::default() };
            leg.detail = detail;
            Ok(leg)
        };
        let mut legs = vec![
            side("sold", self.must("sold_asset")?, false, 1)?,
            side("bought", self.must("bought_asset")?, true, 2)?,
        ];
        if self.get("fee").is_some() {
            let asset = self.must("fee_asset")?;
            let fee = legs.first().map(|leg| self.fee(leg, "fee", asset)).transpose()?.flatten();
            legs.extend(fee);
        }
        Ok(legs)
    }
}
