//! CAMT.053 (ISO 20022 `BankToCustomerStatement`), every version: names are told apart by element, not by namespace.
use super::leg::{Leg, Login, Original, References, Statement, signed, unbalanced};
use super::xml::{Element, Part, Parts};
use super::{Account, Span, minor_units};
use jiff::tz::TimeZone;
use std::io::BufRead;
use std::ops::ControlFlow;

/// Most bytes of a remittance text.
pub(super) const MAX_TEXT: usize = 4_096;
/// Most bytes of a reference.
const MAX_REFERENCE: usize = 256;
/// "No reference was given", in ISO 20022's own word.
pub(super) const NOT_PROVIDED: &str = "NOTPROVIDED";

/// What a statement's reader hands over.
#[derive(Debug)]
pub enum Item {
    /// A leg.
    Leg(Box<Leg>),
    /// A statement, after its legs.
    Statement(Statement),
    /// A login.
    Login(Login),
    /// An entry that cannot be taken, or a whole statement (entry 0): where and why.
    Refused {
        /// Statement and entry, from 1.
        at: (u32, u32),
        /// Why.
        why: String,
    },
    /// Something that whoever reads the statement must know.
    Warning {
        /// Statement and entry; entry 0 is the statement itself.
        at: (u32, u32),
        /// What.
        why: String,
    },
}

/// Reads the statements of a CAMT.053 document. Days are days in `zone`.
///
/// # Errors
/// What is wrong with the document, and at which byte; what was handed over before was read well.
pub fn read_camt<'i>(
    input: Box<dyn BufRead + 'i>,
    zone: &TimeZone,
    sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<(), String> {
    let (mut parts, mut number, mut open) = (Parts::new(input, "Stmt"), 0_u32, None);
    while let Some(part) = parts.next()? {
        let flow = match part {
            Part::Begin => {
                number += 1;
                open = Some(Open { number, sum: Some(0), ..Open::default() });
                ControlFlow::Continue(())
            }
            Part::Child(child) => match open.as_mut() {
                Some(open) => open.take(&child, zone, sink),
                None => ControlFlow::Continue(()),
            },
            Part::End => open.take().map_or(ControlFlow::Continue(()), |open| open.finish(sink)),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    match number {
        0 => Err("no statement stands in it: CAMT.053 has Stmt elements, MT940 begins with :20:, and a table needs --mapping".into()),
        _ => Ok(()),
    }
}

/// A statement that is being read.
#[derive(Default)]
struct Open {
    number: u32,
    id: Option<String>,
    sequence: Option<u64>,
    account: Option<Account>,
    currency: Option<String>,
    span: Option<Span>,
    /// The closing balance's day, for a statement without entries that says no other.
    closed: Option<Span>,
    opening: Option<(String, i128)>,
    closing: Option<(String, i128)>,
    said: Option<u64>,
    entries: u32,
    /// What its booked entries come to, where all of them are of the account's currency and could be read.
    sum: Option<i128>,
}

impl Open {
    fn take(
        &mut self,
        part: &Element,
        zone: &TimeZone,
        sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut wrong = None;
        match part.name() {
            "Id" => self.id = part.own().map(cut),
            "ElctrncSeqNb" => self.sequence = part.own().and_then(|text| text.parse().ok()),
            "LglSeqNb" if self.sequence.is_none() => {
                self.sequence = part.own().and_then(|text| text.parse().ok());
            }
            "FrToDt" => self.span = period(part, zone),
            "Acct" => {
                self.account = account(part, bank_of(part, "Svcr"));
                self.currency = part.text("Ccy").filter(|code| code.len() == 3).map(str::to_owned);
                let said = part.text("Id/IBAN");
                if said.is_some_and(|iban| Account::iban(iban).is_none()) {
                    wrong = Some(
                        "the check digits of the account's IBAN do not hold: it is kept as a number of the bank's own",
                    );
                }
            }
            "Bal" => wrong = self.balance(part, zone).err(),
            "TxsSummry" => self.said = part.text("TtlNtries/NbOfNtries").and_then(|text| text.parse().ok()),
            "Ntry" => return self.entry(part, zone, sink),
            _ => {}
        }
        match wrong {
            Some(why) => sink(Item::Warning { at: (self.number, 0), why: why.into() }),
            None => ControlFlow::Continue(()),
        }
    }

    /// Opening and closing booked balances; others (available, forward, interim) are not what entries lead to.
    fn balance(&mut self, part: &Element, zone: &TimeZone) -> Result<(), &'static str> {
        let code = part.text("Tp/CdOrPrtry/Cd").unwrap_or_default();
        let of = match code {
            "OPBD" | "PRCD" => &mut self.opening,
            "CLBD" => {
                self.closed = part.first(&["Dt/DtTm", "Dt/Dt"]).and_then(|day| Span::read(day, zone));
                &mut self.closing
            }
            _ => return Ok(()),
        };
        let amount = part.at("Amt").ok_or("a balance has no amount")?;
        let currency = amount.currency.clone().ok_or("a balance has no currency")?;
        let minor = minor_units(amount.own().unwrap_or_default(), &currency)?;
        // The first of each: OPBD stands for PRCD where a bank gives both.
        let new = (currency, signed(minor, part.text("CdtDbtInd") != Some("DBIT")));
        if of.is_none() || code == "OPBD" {
            *of = Some(new);
        }
        Ok(())
    }

    fn entry(
        &mut self,
        part: &Element,
        zone: &TimeZone,
        sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.entries += 1;
        let at = (self.number, self.entries);
        let legs = match self.legs(part, zone) {
            Ok(legs) => legs,
            Err(why) => {
                self.sum = None;
                return sink(Item::Refused { at, why: why.into() });
            }
        };
        let (legs, warning) = legs;
        for leg in &legs {
            self.span = Some(self.span.map_or(leg.span, |span| span.hull(leg.span)));
        }
        self.add(&legs);
        if let Some(why) = warning {
            sink(Item::Warning { at, why: why.into() })?;
        }
        legs.into_iter().try_for_each(|leg| sink(Item::Leg(Box::new(leg))))
    }

    fn add(&mut self, legs: &[Leg]) {
        let own = self.own_currency();
        for leg in legs.iter().filter(|leg| !leg.pending) {
            let same = own.as_deref() == Some(leg.currency.as_str());
            self.sum = self.sum.filter(|_| same).and_then(|sum| sum.checked_add(signed(leg.amount, leg.credit)));
        }
    }

    fn own_currency(&self) -> Option<String> {
        let of = |balance: &Option<(String, i128)>| balance.as_ref().map(|(currency, _)| currency.clone());
        self.currency.clone().or_else(|| of(&self.opening)).or_else(|| of(&self.closing))
    }

    /// The legs of an entry: one a detail where the details add up to it, else one.
    fn legs(&self, part: &Element, zone: &TimeZone) -> Result<(Vec<Leg>, Option<&'static str>), &'static str> {
        let account = self.account.clone().ok_or("the statement names no account before it")?;
        let amount = part.at("Amt").ok_or("it has no amount")?;
        let currency = amount.currency.clone().ok_or("its amount has no currency")?;
        let whole = minor_units(amount.own().unwrap_or_default(), &currency)?;
        let credit = direction(part).ok_or("it does not say whether it is a credit or a debit")?;
        let status = part.first(&["Sts/Cd", "Sts/Prtry", "Sts"]);
        let base = Leg {
            statement: self.number,
            entry: self.entries,
            credit,
            value_date: part.first(&["ValDt/Dt", "ValDt/DtTm"]).map(cut),
            pending: status.is_some_and(|status| status != "BOOK"),
            reversal: matches!(part.text("RvslInd"), Some("true" | "1")),
            references: References { bank: part.text("AcctSvcrRef").map(cut), ..References::default() },
            text: part.text("AddtlNtryInf").map(|text| bounded(text, MAX_TEXT)).unwrap_or_default(),
            original: original(part).filter(|original| Some(&original.currency) != amount.currency.as_ref()),
            ..Leg::new(account, currency, whole, when(part, zone)?)
        };
        let details: Vec<&Element> = part.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
        let told: Option<Vec<Leg>> = (1..).zip(&details).map(|(n, detail)| detailed(&base, n, detail)).collect();
        let other =
            self.own_currency().filter(|own| *own != base.currency).map(|_| "it is not in the account's currency");
        match (told, details.as_slice()) {
            (_, []) => Ok((vec![base], other)),
            (_, [one]) => Ok((vec![with_details(base.clone(), one, true)], other)),
            (Some(legs), _) if adds_up(&base, &legs) => Ok((legs, other)),
            _ => Ok((vec![base], Some("its details do not add up to it: it is one leg whose other side is not known"))),
        }
    }

    fn finish(self, sink: &mut dyn FnMut(Item) -> ControlFlow<()>) -> ControlFlow<()> {
        let at = (self.number, 0);
        let (Some(account), Some(currency)) = (self.account.clone(), self.own_currency()) else {
            return sink(Item::Refused { at, why: "it names no account, or no currency".into() });
        };
        let mut warn = |why: String| sink(Item::Warning { at, why });
        if let Some(said) = self.said.filter(|said| *said != u64::from(self.entries)) {
            warn(format!("it says that it has {said} entries and has {}: a page may be missing", self.entries))?;
        }
        let of = |balance: &Option<(String, i128)>| {
            balance.as_ref().filter(|(of, _)| *of == currency).map(|(_, balance)| *balance)
        };
        let (opening, closing) = (of(&self.opening), of(&self.closing));
        if let Some(why) = unbalanced(opening, closing, self.sum) {
            warn(why.into())?;
        }
        sink(Item::Statement(Statement {
            number: self.number,
            id: self.id,
            sequence: self.sequence,
            account,
            currency,
            span: self.span.or(self.closed),
            opening,
            closing,
        }))
    }
}

pub(super) fn cut(text: &str) -> String {
    bounded(text, MAX_REFERENCE)
}

pub(super) fn bounded(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

fn direction(part: &Element) -> Option<bool> {
    match part.text("CdtDbtInd")? {
        "CRDT" => Some(true),
        "DBIT" => Some(false),
        _ => None,
    }
}

/// When the account's record changed: its booking, else its value date.
fn when(part: &Element, zone: &TimeZone) -> Result<Span, &'static str> {
    let said = part.first(&["BookgDt/DtTm", "BookgDt/Dt", "ValDt/DtTm", "ValDt/Dt"]).ok_or("it has no date")?;
    Span::read(said, zone).ok_or("its date cannot be read")
}

fn period(part: &Element, zone: &TimeZone) -> Option<Span> {
    let read = |paths: &[&str]| Span::read(part.first(paths)?, zone);
    Some(read(&["FrDtTm", "FrDt"])?.hull(read(&["ToDtTm", "ToDt"])?))
}

/// An account with its holder's bank, from `Acct` or `DbtrAcct` and its kind.
fn account(part: &Element, bank: Option<&str>) -> Option<Account> {
    if let Some(iban) = part.text("Id/IBAN") {
        return Some(Account::iban(iban).unwrap_or_else(|| Account::number(bank, iban)));
    }
    let number = part.first(&["Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN"])?;
    // Some banks write an IBAN where other numbers stand.
    Some(Account::iban(number).unwrap_or_else(|| Account::number(bank, number)))
}

/// The code of a bank: BIC, else its number in a clearing system.
fn bank_of<'e>(part: &'e Element, agent: &str) -> Option<&'e str> {
    let agent = part.at(agent)?.at("FinInstnId")?;
    agent.first(&["BICFI", "BIC", "ClrSysMmbId/MmbId", "CmbndId/BIC"])
}

fn original(part: &Element) -> Option<Original> {
    let details = part.at("AmtDtls")?;
    let instructed = details.at("InstdAmt").or_else(|| details.at("TxAmt"))?;
    let amount = instructed.at("Amt")?;
    let rate = details.at("InstdAmt/CcyXchg").or_else(|| details.at("TxAmt/CcyXchg"));
    Some(Original {
        amount: amount.own().map(cut)?,
        currency: amount.currency.clone()?,
        rate: rate.and_then(|rate| rate.text("XchgRate")).map(cut),
    })
}

/// A detail as a leg of its own; `None` when it has no amount in the entry's currency.
fn detailed(base: &Leg, place: u32, detail: &Element) -> Option<Leg> {
    let amounts = [detail.at("Amt"), detail.at("AmtDtls/TxAmt/Amt"), detail.at("AmtDtls/InstdAmt/Amt")];
    let own = |amount: &&Element| amount.currency.as_deref() == Some(base.currency.as_str());
    let amount = amounts.into_iter().flatten().find(own)?;
    let amount = minor_units(amount.own()?, &base.currency).ok()?;
    let leg = Leg { detail: place, amount, credit: direction(detail).unwrap_or(base.credit), ..base.clone() };
    Some(with_details(leg, detail, false))
}

fn adds_up(entry: &Leg, legs: &[Leg]) -> bool {
    let sum = legs.iter().try_fold(0_i128, |sum, leg| sum.checked_add(signed(leg.amount, leg.credit)));
    sum == Some(signed(entry.amount, entry.credit))
}

/// A leg with what one detail says of it: the other side, references, text.
fn with_details(mut leg: Leg, detail: &Element, only: bool) -> Leg {
    let (debtor, creditor) = (party(detail, "Dbtr"), party(detail, "Cdtr"));
    let (first, second) = if leg.credit { (debtor, creditor) } else { (creditor, debtor) };
    // What is taken back keeps the parties of the first payment: the other side is whoever we are not.
    let own = |party: &Party| party.account.as_ref() == Some(&leg.account);
    let other = if own(&first) || (leg.reversal && first.is_empty()) { second } else { first };
    leg.other = match (other.account, &other.name) {
        (Some(account), _) => Some(account),
        (None, Some(name)) => Some(Account::named(&leg.account, name)),
        (None, None) => None,
    };
    leg.other_name = other.name;
    let reference = |paths: &[&str]| detail.first(paths).filter(|text| *text != NOT_PROVIDED).map(cut);
    leg.references = References {
        end_to_end: reference(&["Refs/EndToEndId"]),
        transaction: reference(&["Refs/UETR", "Refs/TxId"]),
        bank: reference(&["Refs/AcctSvcrRef"]).or(leg.references.bank.filter(|_| only)),
        owner: None,
    };
    let lines = detail.at("RmtInf").into_iter().flat_map(|text| text.all("Ustrd")).filter_map(Element::own);
    let structured = detail.text("RmtInf/Strd/CdtrRefInf/Ref");
    let text: Vec<&str> = lines.chain(structured).collect();
    if !text.is_empty() {
        leg.text = bounded(&text.join("\n"), MAX_TEXT);
    }
    leg.original = original(detail).or(leg.original).filter(|original| original.currency != leg.currency);
    leg
}

struct Party {
    account: Option<Account>,
    name: Option<String>,
}

impl Party {
    fn is_empty(&self) -> bool {
        self.account.is_none() && self.name.is_none()
    }
}

/// Debtor or creditor of a detail. From version 8 on a party stands in an element `Pty`.
fn party(detail: &Element, role: &str) -> Party {
    let Some(parties) = detail.at("RltdPties") else { return Party { account: None, name: None } };
    let bank = detail.at("RltdAgts").and_then(|agents| bank_of(agents, &format!("{role}Agt")));
    let of = parties.at(&format!("{role}Acct"));
    Party {
        account: of.and_then(|of| account(of, bank)),
        name: parties.first(&[&format!("{role}/Pty/Nm"), &format!("{role}/Nm"), &format!("Ultmt{role}/Nm")]).map(cut),
    }
}
