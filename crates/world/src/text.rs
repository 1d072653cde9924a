//! How people write values down, and the short texts of reports and adverts.

use crate::cast::Kind;
use crate::prng::Rng;
use crate::rates;
use crate::story::{Mention, Report, Shape};
use crate::truth::Role;
use crate::words::{self, Tongue, tongue};

/// A value as an officer or a caller writes it; sometimes defanged, spaced or in the script's own digits.
fn written(mention: &Mention, tongue: &Tongue, rng: &mut Rng) -> String {
    let value = mention.selector.value.as_str();
    let disguised = rng.chance(rates::DISGUISED_VALUES);
    match mention.selector.kind {
        Kind::Phone if disguised && tongue.zero != '0' => native(value, tongue.zero),
        Kind::Phone => spaced(value, if disguised { '-' } else { ' ' }, rng.chance(500)),
        Kind::Email if disguised => value.replace('@', "[@]").replace(".example", "[.]example"),
        Kind::Domain if disguised => format!("hxxps://{}/", value.replace('.', "[.]")),
        Kind::Domain => format!("https://{value}/{}", rng.word(&["", "login", "join", "app"])),
        Kind::Telegram => format!("@{value}"),
        Kind::Iban => grouped(value),
        Kind::Email | Kind::Wallet(_) | Kind::Line | Kind::Wechat => value.to_owned(),
    }
}

/// The same digits in a script's own form; `zero` is that script's zero and its digits follow it in Unicode.
fn native(value: &str, zero: char) -> String {
    let digit = |c: char| c.to_digit(10).and_then(|d| char::from_u32(u32::from(zero) + d)).unwrap_or(c);
    value.chars().map(digit).collect()
}

/// A number with its country code set apart and the rest in groups of three or four.
fn spaced(value: &str, between: char, groups: bool) -> String {
    let country = if value.starts_with("+1") { 2 } else { 3 };
    let (Some(head), Some(rest)) = (value.get(..country), value.get(country..)) else { return value.to_owned() };
    if !groups {
        return value.to_owned();
    }
    let mut out = head.to_owned();
    let count = rest.len();
    for (at, digit) in rest.chars().enumerate() {
        if at % 3 == 0 && count - at >= 3 {
            out.push(between);
        }
        out.push(digit);
    }
    out
}

fn grouped(iban: &str) -> String {
    let mut out = String::new();
    for (at, c) in iban.chars().enumerate() {
        if at % 4 == 0 && at > 0 {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// The words before a value.
fn cue(mention: &Mention, tongue: &Tongue, rng: &mut Rng) -> String {
    if mention.role == Role::Hotline {
        return tongue.hotline.to_owned();
    }
    match mention.selector.kind {
        Kind::Phone if rng.chance(300) => "WhatsApp".to_owned(),
        Kind::Phone => tongue.phone.to_owned(),
        Kind::Email => tongue.email.to_owned(),
        Kind::Domain => tongue.site.to_owned(),
        Kind::Wallet(coin) => format!("{} ({})", tongue.wallet, coin.symbol()),
        Kind::Telegram => "Telegram".to_owned(),
        Kind::Line => "LINE ID".to_owned(),
        Kind::Wechat => "WeChat".to_owned(),
        Kind::Iban => "IBAN".to_owned(),
    }
}

/// One value with the words before it: `cue: value`.
pub(crate) fn line(mention: &Mention, tongue: usize, rng: &mut Rng) -> String {
    let tongue = words::tongue(tongue);
    format!("{}: {}", cue(mention, tongue, rng), written(mention, tongue, rng))
}

/// The lines that name values, one a line.
fn named(report: &Report, rng: &mut Rng, keep: impl Fn(&Mention) -> bool) -> String {
    let mentions = report.mentions.iter().filter(|mention| keep(mention));
    mentions.map(|mention| format!("{}\n", line(mention, report.tongue, rng))).collect()
}

/// An advert or message, with how to reach whoever wrote it. Begins with EXERCISE.
pub(crate) fn advert(report: &Report, rng: &mut Rng) -> String {
    let tongue = tongue(report.tongue);
    let contact = |mention: &Mention| {
        !matches!(mention.selector.kind, Kind::Wallet(_) | Kind::Iban) && mention.role != Role::Hotline
    };
    format!("EXERCISE {}\n{}", rng.word(tongue.adverts), named(report, rng, contact))
}

/// A note about a report, with everything it names. Begins with EXERCISE and the report's reference.
pub(crate) fn note(report: &Report, rng: &mut Rng) -> String {
    let tongue = tongue(report.tongue);
    let first = match report.shape {
        Shape::Lure => rng.word(tongue.adverts),
        Shape::Complaint | Shape::Intelligence => rng.word(tongue.openers),
    };
    let name = format!("{}: {}.", tongue.name, report.recruiter);
    format!("EXERCISE {}\n{first}\n{name}\n{}", report.reference, named(report, rng, |_| true))
}

/// One sentence without any value, for a summary field.
pub(crate) fn summary(report: &Report, rng: &mut Rng) -> String {
    let tongue = tongue(report.tongue);
    let sentence = match report.shape {
        Shape::Lure => rng.word(tongue.adverts),
        Shape::Complaint | Shape::Intelligence => rng.word(tongue.openers),
    };
    format!("EXERCISE {sentence} {}: {}.", tongue.name, report.recruiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_digits_however_they_are_written() {
        assert_eq!(native("+61255501234", '๐'), "+๖๑๒๕๕๕๐๑๒๓๔");
        assert_eq!(spaced("+61255501234", ' ', true), "+61 255 501 234");
        assert_eq!(spaced("+12015550123", '-', true), "+1-201-555-0123");
        assert_eq!(grouped("GB00EXER12"), "GB00 EXER 12");
    }
}
