//! Field 86, information to the account's owner. SWIFT leaves its text to the banks, and three ways are in use: numbered parts
//! (`166?00…?20…?32NAME`, Germany's banks and many in Eastern Europe), words between slashes (`/IBAN/…/NAME/…/EREF/…`, the Dutch and
//! Belgian ones, and SWIFT's own usage), and plain text.
use super::super::leg::Leg;
use super::super::{Account, camt};
use super::{cut, given};

/// Words that stand before a part of a text of SEPA (`EREF+…SVWZ+…`).
const SEPA: [&str; 12] =
    ["EREF", "KREF", "MREF", "CRED", "DEBT", "COAM", "OAMT", "SVWZ", "ABWA", "ABWE", "IBAN", "BIC"];
/// Words that stand between slashes.
const SLASHED: [&str; 30] = [
    "TRTP", "IBAN", "BIC", "NAME", "REMI", "EREF", "CSID", "MARF", "TRCD", "BENM", "ORDP", "CNTP", "PREF", "RTRN",
    "ID", "ADDR", "UDTR", "UCRD", "PURP", "SVCL", "ISDT", "OCMT", "CHGS", "EXCH", "INIT", "NRTX", "PY", "ACCW", "TYPE",
    "SUM",
];

/// What a text says of a leg.
#[derive(Debug, Default)]
struct Said {
    end_to_end: Option<String>,
    iban: Option<String>,
    number: Option<String>,
    bank: Option<String>,
    name: Option<String>,
    text: String,
}

/// Takes over what the field tells.
pub fn told(field: &str, leg: &mut Leg) {
    let joined: String = field.lines().collect();
    let said = numbered(&joined).or_else(|| slashed(&joined)).unwrap_or_else(|| plain(field));
    let account = said.iban.as_deref().and_then(Account::iban).or_else(|| {
        let number = said.number.as_deref().or(said.iban.as_deref())?;
        Some(Account::iban(number).unwrap_or_else(|| Account::number(said.bank.as_deref(), number)))
    });
    leg.other_name = said.name.as_deref().map(cut);
    leg.other = account.or_else(|| said.name.as_deref().map(|name| Account::named(&leg.account, name)));
    leg.references.end_to_end = said.end_to_end;
    if !said.text.is_empty() {
        leg.text = camt::bounded(&said.text, camt::MAX_TEXT);
    }
}

/// `NNN`, a separator, and then parts that begin with it and two digits.
fn numbered(text: &str) -> Option<Said> {
    let (code, rest) = text.split_at_checked(3)?;
    let separator = rest.chars().next().filter(|letter| letter.is_ascii_punctuation())?;
    let digits = |text: &str| text.len() >= 2 && text.bytes().take(2).all(|byte| byte.is_ascii_digit());
    if !code.bytes().all(|byte| byte.is_ascii_digit()) || !digits(rest.get(1..)?) {
        return None;
    }
    let (mut said, mut name, mut text) = (Said::default(), String::new(), String::new());
    let mut into: Option<u8> = None;
    for part in rest.split(separator).skip(1) {
        let (number, words) = match part.split_at_checked(2).filter(|_| digits(part)) {
            Some((number, words)) => (number.parse().ok(), words.to_owned()),
            // The separator stood in the text.
            None => (into, format!("{separator}{part}")),
        };
        into = number;
        match number {
            Some(20..=29 | 60..=63) => text.push_str(&words),
            Some(30) => said.bank = given(&words),
            Some(31) => said.number = given(&words),
            Some(32 | 33) => name.push_str(&words),
            Some(38) => said.iban = given(&words),
            _ => {}
        }
    }
    said.name = given(&name);
    sepa(&text, &mut said);
    Some(said)
}

/// The parts of a text of SEPA; without one, the text as it is.
fn sepa(text: &str, said: &mut Said) {
    let mut marks: Vec<(usize, &str)> = SEPA
        .iter()
        .flat_map(|word| text.match_indices(word).map(move |(at, _)| (at, *word)))
        .filter(|(at, word)| text.get(at + word.len()..).is_some_and(|rest| rest.starts_with('+')))
        .collect();
    marks.sort_unstable();
    if marks.is_empty() {
        text.trim().clone_into(&mut said.text);
        return;
    }
    let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let mut rest = text.get(..marks.first().map_or(0, |(at, _)| *at)).unwrap_or_default().trim().to_owned();
    for ((at, word), end) in marks.iter().zip(ends) {
        let part = text.get(at + word.len() + 1..end).unwrap_or_default().trim();
        match *word {
            "EREF" => said.end_to_end = given(part),
            "IBAN" => said.iban = said.iban.take().or_else(|| given(part)),
            "BIC" => said.bank = said.bank.take().or_else(|| given(part)),
            "SVWZ" => part.clone_into(&mut rest),
            _ => {}
        }
    }
    said.text = rest;
}

/// `/WORD/value/WORD/value`.
fn slashed(text: &str) -> Option<Said> {
    let mut parts = text.strip_prefix('/')?.split('/');
    let mut word = parts.next().filter(|word| SLASHED.contains(word))?;
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut values = Vec::new();
    for part in parts {
        if SLASHED.contains(&part) {
            found.push((word, std::mem::take(&mut values)));
            word = part;
        } else {
            values.push(part);
        }
    }
    found.push((word, values));
    let mut said = Said::default();
    for (word, values) in found {
        let whole = values.join("/");
        let whole = whole.trim().trim_end_matches('/');
        match word {
            "EREF" => said.end_to_end = given(whole),
            "IBAN" => said.iban = given(whole),
            "BIC" => said.bank = given(whole),
            "NAME" => said.name = given(whole),
            "REMI" => {
                let text = whole.trim_start_matches("USTD//").trim_start_matches("STRD/");
                text.trim().clone_into(&mut said.text);
            }
            // IBAN, BIC, name, place.
            "CNTP" => {
                let value = |place: usize| values.get(place).and_then(|value| given(value));
                (said.iban, said.bank, said.name) = (value(0), value(1), value(2));
            }
            _ => {}
        }
    }
    if said.text.is_empty() {
        text.clone_into(&mut said.text);
    }
    Some(said)
}

fn plain(text: &str) -> Said {
    let mut said = Said::default();
    let joined: String = text.lines().collect();
    sepa(&joined, &mut said);
    if said.end_to_end.is_none() && said.iban.is_none() {
        text.trim().clone_into(&mut said.text);
    }
    said
}
