//! MT940 (SWIFT Customer Statement Message, category 9), with and without its envelope, as banks write it.
//!
//! Never: an entry in the direction of what it takes back (`RC` takes a credit back, so money leaves), a page counted as a
//! statement of its own where it goes on from the one before, a year guessed where the value date tells it.
use super::camt::{Item, MAX_TEXT, NOT_PROVIDED, bounded, cut};
use super::leg::{Leg, References, Statement, signed, unbalanced};
use super::{Account, Span, minor_units};
use fields::{Field, Fields};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::io::BufRead;
use std::ops::ControlFlow;

mod fields;
mod information;

/// "There is no reference", in SWIFT's word.
const NO_REFERENCE: &str = "NONREF";

type Sink<'s> = &'s mut dyn FnMut(Item) -> ControlFlow<()>;

/// Whether a file's beginning looks like one.
///
/// ```
/// use money::bank::is_mt940;
/// assert!(is_mt940(b"\r\n:20:EX\r\n") && is_mt940(b"{1:F01EXERCISEAXXX0000000000}{4:\r\n:20:EX"));
/// assert!(!is_mt940(b"<Document>") && !is_mt940(b"date;amount"));
/// ```
pub fn is_mt940(head: &[u8]) -> bool {
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(head.len());
    let head = head.get(start..).unwrap_or_default();
    head.starts_with(b"{1:") || head.starts_with(b":20:") || head.starts_with(b":25:")
}

/// Reads the statements of a file. Days are days in `zone`; text that is no UTF-8 is Windows-1252.
///
/// # Errors
/// What is wrong with the file and in which line; what was handed over before was read well.
pub fn read_mt940<'i>(input: Box<dyn BufRead + 'i>, zone: &TimeZone, sink: Sink<'_>) -> Result<(), String> {
    let mut reader = Reader { zone, number: 0, page: None, held: None };
    let mut fields = Fields::new(input);
    while let Some(field) = fields.next()? {
        if reader.field(&field, sink).is_break() {
            return Ok(());
        }
    }
    let _stopped = reader.end(sink);
    match reader.number {
        0 => Err("no statement stands in it: MT940 has fields such as :20:, :25:, :60F: and :61:".into()),
        _ => Ok(()),
    }
}

/// Of one page what was read so far.
#[derive(Default)]
struct Page {
    number: u32,
    id: Option<String>,
    account: Option<Account>,
    statement: Option<u64>,
    currency: Option<String>,
    opening: Option<i128>,
    closing: Option<i128>,
    /// It begins with an intermediate balance that no page before it led to.
    headless: bool,
    /// It ends with an intermediate balance.
    goes_on: bool,
    entries: u32,
    span: Option<Span>,
    closed: Option<Span>,
    sum: Option<i128>,
    /// The entry that was read last: field 86 tells more of it.
    open: Option<Leg>,
}

struct Reader<'z> {
    zone: &'z TimeZone,
    number: u32,
    page: Option<Page>,
    /// A statement whose next page may follow.
    held: Option<Page>,
}

impl Reader<'_> {
    fn field(&mut self, field: &Field, sink: Sink<'_>) -> ControlFlow<()> {
        if field.tag != "86"
            && let Some(leg) = self.page.as_mut().and_then(|page| page.open.take())
        {
            self.add(leg, sink)?;
        }
        match field.tag.as_str() {
            "-" => return self.end_page(sink),
            "20" => {
                self.end_page(sink)?;
                let page = self.begin();
                page.id = Some(cut(field.text.trim())).filter(|id| !id.is_empty());
                return ControlFlow::Continue(());
            }
            "25" | "25P" if self.page.as_ref().is_some_and(|page| page.account.is_some()) => self.end_page(sink)?,
            _ => {}
        }
        let zone = self.zone;
        let page = self.begin();
        let at = (page.number, 0);
        let told = match field.tag.as_str() {
            "25" | "25P" => {
                page.account = account(&field.text);
                page.account.as_ref().map(|_| ()).ok_or("the account's number is empty")
            }
            "28" | "28C" => {
                page.statement = field.text.split('/').next().and_then(|number| number.trim().parse().ok());
                Ok(())
            }
            "60F" | "60M" => return self.opened(field, sink),
            "62F" | "62M" => page.closes(field, zone),
            "61" => return self.entry(field, sink),
            "86" => {
                if let Some(mut leg) = page.open.take() {
                    information::told(&field.text, &mut leg);
                    return self.add(leg, sink);
                }
                Ok(())
            }
            // Available and forward balances, sums, times: not what entries lead to.
            _ => Ok(()),
        };
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(why) => sink(Item::Warning { at, why: format!("line {} field {}: {why}", field.line, field.tag) }),
        }
    }

    /// The page that is being read, a new one where there is none.
    fn begin(&mut self) -> &mut Page {
        let number = self.number + 1;
        self.page.get_or_insert_with(|| Page { number, sum: Some(0), ..Page::default() })
    }

    fn opened(&mut self, field: &Field, sink: Sink<'_>) -> ControlFlow<()> {
        let Some(mut page) = self.page.take() else { return ControlFlow::Continue(()) };
        let balance = balance(&field.text, self.zone);
        let wrong = balance.as_ref().err().copied();
        if let Ok(balance) = balance {
            (page.opening, page.currency) = (Some(balance.amount), Some(balance.currency));
        }
        let held = self.held.take();
        page = match held {
            Some(held) if field.tag == "60M" && held.goes_on_in(&page) => {
                Page { goes_on: false, closing: None, ..held }
            }
            held => {
                if let Some(held) = held {
                    held.finish(sink)?;
                }
                page.headless = field.tag == "60M";
                self.number += 1;
                page.number = self.number;
                page
            }
        };
        let at = (page.number, 0);
        self.page = Some(page);
        match wrong {
            Some(why) => sink(Item::Warning { at, why: format!("line {} field {}: {why}", field.line, field.tag) }),
            None => ControlFlow::Continue(()),
        }
    }

    fn entry(&mut self, field: &Field, sink: Sink<'_>) -> ControlFlow<()> {
        let zone = self.zone;
        let page = self.begin();
        page.entries += 1;
        let at = (page.number, page.entries);
        match page.leg(&field.text, zone) {
            Ok(leg) => {
                page.open = Some(leg);
                ControlFlow::Continue(())
            }
            Err(why) => {
                page.sum = None;
                sink(Item::Refused { at, why: format!("line {} field 61: {why}", field.line) })
            }
        }
    }

    fn add(&mut self, leg: Leg, sink: Sink<'_>) -> ControlFlow<()> {
        if let Some(page) = self.page.as_mut() {
            page.span = Some(page.span.map_or(leg.span, |span| span.hull(leg.span)));
            if !leg.pending {
                page.sum = page.sum.and_then(|sum| sum.checked_add(signed(leg.amount, leg.credit)));
            }
        }
        sink(Item::Leg(Box::new(leg)))
    }

    fn end_page(&mut self, sink: Sink<'_>) -> ControlFlow<()> {
        let Some(page) = self.page.take() else { return ControlFlow::Continue(()) };
        if page.opening.is_none() && page.closing.is_none() && page.entries == 0 {
            // A head alone.
            return ControlFlow::Continue(());
        }
        // Without an opening balance nothing counted it yet.
        self.number = self.number.max(page.number);
        if page.goes_on {
            self.held = Some(page);
            return ControlFlow::Continue(());
        }
        page.finish(sink)
    }

    fn end(&mut self, sink: Sink<'_>) -> ControlFlow<()> {
        if let Some(leg) = self.page.as_mut().and_then(|page| page.open.take()) {
            self.add(leg, sink)?;
        }
        self.end_page(sink)?;
        match self.held.take() {
            Some(held) => held.finish(sink),
            None => ControlFlow::Continue(()),
        }
    }
}

impl Page {
    fn goes_on_in(&self, next: &Page) -> bool {
        self.account == next.account
            && self.statement == next.statement
            && self.currency == next.currency
            && self.closing == next.opening
    }

    fn closes(&mut self, field: &Field, zone: &TimeZone) -> Result<(), &'static str> {
        let balance = balance(&field.text, zone)?;
        if self.currency.as_ref().is_some_and(|own| *own != balance.currency) {
            return Err("the closing balance is not in the opening balance's currency");
        }
        self.goes_on = field.tag == "62M";
        (self.closing, self.closed) = (Some(balance.amount), balance.day);
        self.currency = Some(balance.currency);
        Ok(())
    }

    /// Field 61: `YYMMDD[MMDD]` mark `[letter]` amount type reference `[//reference]`.
    fn leg(&self, text: &str, zone: &TimeZone) -> Result<Leg, &'static str> {
        let account = self.account.clone().ok_or("no account stands before it (field 25)")?;
        let currency = self.currency.clone().ok_or("no opening balance stands before it (field 60F)")?;
        let (line, more) = text.split_once('\n').unwrap_or((text, ""));
        let mut rest = Rest(line);
        let value = day(rest.take(6).ok_or("it has no value date")?).ok_or("its value date is no day (YYMMDD)")?;
        let booked = rest.digits(4).map(|text| booked(value, text).ok_or("its entry date is no day (MMDD)"));
        let booked = booked.transpose()?.unwrap_or(value);
        let (credit, reversal, pending) = match rest.mark().ok_or("its mark is not C, D, RC, RD, EC or ED")? {
            "C" => (true, false, false),
            "D" => (false, false, false),
            // What is taken back is the credit: money leaves.
            "RC" => (false, true, false),
            "RD" => (true, true, false),
            "EC" => (true, false, true),
            _ => (false, false, true),
        };
        rest.funds_code();
        let digits = rest.amount().ok_or("it has no amount, or one without a comma")?;
        let amount = minor_units(&digits, &currency)?;
        let kind = rest.take(4).filter(|kind| kind.is_ascii()).ok_or("its type is missing")?;
        let (own, bank) = rest.0.split_once("//").map_or((rest.0, None), |(own, bank)| (own, Some(bank)));
        let reference = |text: &str| Some(cut(text.trim())).filter(|text| !text.is_empty() && text != NO_REFERENCE);
        let span = Span::read(&booked.to_string(), zone).ok_or("its date is out of range")?;
        let mut leg = Leg::new(account, currency, amount, span);
        (leg.statement, leg.entry, leg.credit) = (self.number, self.entries, credit);
        (leg.reversal, leg.pending, leg.value_date) = (reversal, pending, Some(value.to_string()));
        leg.references = References { owner: reference(own), bank: bank.and_then(reference), ..References::default() };
        leg.text = bounded(more.trim(), MAX_TEXT);
        if leg.text.is_empty() {
            leg.text = kind.to_owned();
        }
        Ok(leg)
    }

    fn finish(self, sink: Sink<'_>) -> ControlFlow<()> {
        let at = (self.number, 0);
        let (Some(account), Some(currency)) = (self.account, self.currency) else {
            return sink(Item::Refused {
                at,
                why: "it names no account (field 25), or no currency (field 60F)".into(),
            });
        };
        let mut warn = |why: &str| sink(Item::Warning { at, why: why.into() });
        if self.headless {
            warn("it begins with an intermediate balance (field 60M): its first page is missing")?;
        }
        if self.goes_on {
            warn("it ends with an intermediate balance (field 62M): its last page is missing")?;
        }
        if let Some(why) = unbalanced(self.opening, self.closing, self.sum) {
            warn(why)?;
        }
        // Pages in several files have one number: only a whole statement goes by it.
        let sequence = self.statement.filter(|_| !self.headless && !self.goes_on);
        sink(Item::Statement(Statement {
            number: self.number,
            id: self.id,
            sequence,
            account,
            currency,
            span: self.span.or(self.closed),
            opening: self.opening,
            closing: self.closing,
        }))
    }
}

struct Balance {
    amount: i128,
    currency: String,
    day: Option<Span>,
}

/// `C` or `D`, `YYMMDD`, the currency, the amount.
fn balance(text: &str, zone: &TimeZone) -> Result<Balance, &'static str> {
    let mut rest = Rest(text.trim());
    let credit = match rest.take(1) {
        Some("C") => true,
        Some("D") => false,
        _ => return Err("the balance is neither a credit (C) nor a debit (D)"),
    };
    let date = rest.take(6).and_then(day).ok_or("the balance's date is no day (YYMMDD)")?;
    let currency = rest.take(3).ok_or("the balance has no currency")?.to_owned();
    let digits = rest.amount().ok_or("the balance has no amount, or one without a comma")?;
    let amount = signed(minor_units(&digits, &currency)?, credit);
    Ok(Balance { amount, currency, day: Span::read(&date.to_string(), zone) })
}

/// An IBAN, with its currency after it or not; `BANK/NUMBER`; a number. Field 25P has the bank's BIC in a line of its own.
fn account(text: &str) -> Option<Account> {
    let mut lines = text.lines();
    let number = lines.next()?.trim();
    let bic = lines.next().map(str::trim).filter(|bic| !bic.is_empty());
    let without_currency = || {
        let at = number.len().checked_sub(3)?;
        let (number, currency) = number.split_at_checked(at)?;
        currency.bytes().all(|byte| byte.is_ascii_uppercase()).then(|| Account::iban(number))?
    };
    if let Some(iban) = Account::iban(number).or_else(without_currency) {
        return Some(iban);
    }
    if !number.chars().any(char::is_alphanumeric) {
        return None;
    }
    Some(match number.split_once('/') {
        Some((bank, number)) => Account::iban(number).unwrap_or_else(|| Account::number(Some(bank), number)),
        None => Account::number(bic, number),
    })
}

fn day(text: &str) -> Option<Date> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| Date::strptime("%y%m%d", text).ok())?
}

/// `MMDD` of the year that is nearest to the value date: what is of value in January can be booked in December.
fn booked(value: Date, text: &str) -> Option<Date> {
    let (month, day) = text.split_at_checked(2)?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    let years = [value.year(), value.year() - 1, value.year() + 1];
    let days = years.into_iter().filter_map(|year| Date::new(year, month, day).ok());
    days.min_by_key(|day| day.duration_since(value).unsigned_abs())
}

/// What of a line is still to be read.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn take(&mut self, bytes: usize) -> Option<&'t str> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn digits(&mut self, many: usize) -> Option<&'t str> {
        let (taken, rest) = self.0.split_at_checked(many)?;
        let fits = taken.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| {
            self.0 = rest;
            taken
        })
    }

    fn mark(&mut self) -> Option<&'t str> {
        let long = matches!(self.0.get(..2), Some("RC" | "RD" | "EC" | "ED"));
        let mark = self.take(if long { 2 } else { 1 })?;
        (long || matches!(mark, "C" | "D")).then_some(mark)
    }

    /// The third letter of the currency, which the mark may be followed by.
    fn funds_code(&mut self) {
        if let Some(rest) = self.0.strip_prefix(|letter: char| letter.is_ascii_uppercase()) {
            self.0 = rest;
        }
    }

    /// Digits and a comma, as digits and a point.
    fn amount(&mut self) -> Option<String> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit() && byte != b',').unwrap_or(self.0.len());
        let text = self.take(end)?;
        let (whole, fraction) = text.split_once(',')?;
        let fits = !whole.is_empty() && !fraction.contains(',');
        fits.then(|| format!("{whole}.{fraction}"))
    }
}

/// A reference that says something.
fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text != NOT_PROVIDED && text != NO_REFERENCE).then(|| cut(text))
}

#[cfg(test)]
mod tests;
