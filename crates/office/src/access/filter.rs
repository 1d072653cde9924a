//! What a page of the access log is asked for: read from its address, written into it, drawn as a form.
use crate::office::{Office, blocking, refused};
use gate::Visitor;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use people::{AccessFilter, AccessKind, Error, Outcome, Sought};
use std::collections::HashMap;
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// The longest name or text that is looked for, characters.
const LONGEST: usize = 1_000;
/// Names of what stands in an address.
const NAMES: [&str; 7] = ["account", "kind", "method", "outcome", "about", "since", "until"];

/// A filter with the words of its address.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) filter: AccessFilter,
    pairs: Vec<(&'static str, String)>,
}

/// The beginning of a day of the reader's, µs; `later` days after it.
fn day(text: &str, zone: &TimeZone, later: i64) -> Option<i64> {
    let date = text.parse::<Date>().ok()?.checked_add(jiff::Span::new().try_days(later).ok()?).ok()?;
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

impl Asked {
    /// Reads an address: what cannot be read is as if it were not there.
    pub(crate) fn read(query: &Fields, zone: &TimeZone) -> Self {
        let text = |name| Some(query.text(name)).filter(|text| !text.is_empty());
        let plain = |m: &&str| m.len() <= 20 && m.bytes().all(|b| b.is_ascii_alphabetic());
        let filter = AccessFilter {
            account: text("account").and_then(|n| n.parse().ok()),
            kind: text("kind").and_then(|k| k.parse().ok()),
            method: text("method").filter(plain).map(str::to_owned),
            sought: text("about").and_then(Sought::of_mark),
            from: text("since").and_then(|d| day(d, zone, 0)),
            to: text("until").and_then(|d| day(d, zone, 1)),
            outcome: text("outcome").and_then(|o| o.parse().ok()),
        };
        let read = |name: &str| match name {
            "account" => filter.account.is_some(),
            "kind" => filter.kind.is_some(),
            "method" => filter.method.is_some(),
            "outcome" => filter.outcome.is_some(),
            "about" => filter.sought.is_some(),
            "since" => filter.from.is_some(),
            _ => filter.to.is_some(),
        };
        let pairs = NAMES.into_iter().filter(|name| read(name)).map(|name| (name, query.text(name).to_owned()));
        Self { pairs: pairs.collect(), filter }
    }

    /// The value that the address has for a name; empty for none.
    fn text(&self, name: &str) -> &str {
        self.pairs.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value)
    }

    /// The address of this filter, with more, and without one of it.
    pub(crate) fn address(&self, path: &str, more: &[(&str, &str)], without: &str) -> String {
        let own = self.pairs.iter().filter(|(name, _)| *name != without).map(|(name, value)| (*name, value.as_str()));
        address(path, own.chain(more.iter().copied()))
    }

    /// What the form does not show.
    pub(crate) fn kept(&self) -> Vec<(&'static str, String)> {
        self.pairs.iter().filter(|(name, _)| ["method", "about"].contains(name)).cloned().collect()
    }

    /// What is chosen in words, each with the address without it.
    pub(crate) fn chosen(&self, chrome: &Chrome, names: &HashMap<u32, String>) -> Vec<(String, String)> {
        let words = |name: &str, value: &str| match name {
            "account" => who(chrome, names, self.filter.account),
            "kind" => chrome.t(&format!("office-access-kind-{value}")),
            "outcome" => chrome.t(&format!("office-access-outcome-{value}")),
            "about" => chrome.t("office-access-about-chosen"),
            "since" => chrome.t1("office-access-since-day", "day", value),
            "until" => chrome.t1("office-access-until-day", "day", value),
            _ => chrome.t1("office-access-method-chosen", "method", value),
        };
        let pairs = self.pairs.iter();
        pairs.map(|(name, value)| (words(name, value), self.address("/access", &[], name))).collect()
    }
}

fn address<'a>(path: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = path.to_owned();
    for (n, (name, value)) in pairs.enumerate() {
        // Numbers, words, days and hexadecimal alone: nothing of it needs escaping.
        out.push_str(&format!("{}{name}={value}", if n == 0 { '?' } else { '&' }));
    }
    out
}

fn who(chrome: &Chrome, names: &HashMap<u32, String>, account: Option<u32>) -> String {
    match account {
        None => String::new(),
        Some(0) => chrome.t("office-nobody"),
        Some(n) => names.get(&n).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| n.to_string()),
    }
}

/// The form's fields; those of a form that came back hold what was typed.
pub(crate) fn fields(
    chrome: &Chrome,
    asked: &Asked,
    sent: &Fields,
    names: &HashMap<u32, String>,
    errors: &ErrorSummary,
) -> Vec<Field> {
    let any = |name, label| Field::select(name, chrome.t(label)).choice("", chrome.t("office-access-any"));
    let kinds = AccessKind::ALL.into_iter().fold(any("kind", "office-access-kind"), |field, kind| {
        field.choice(kind.as_str(), chrome.t(&format!("office-access-kind-{}", kind.as_str())))
    });
    let outcomes = Outcome::ALL.into_iter().fold(any("outcome", "office-access-outcome"), |field, outcome| {
        field.choice(outcome.as_str(), chrome.t(&format!("office-access-outcome-{}", outcome.as_str())))
    });
    let came_back = !errors.is_empty();
    let now = |name: &str| {
        let text = if came_back { sent.text(name) } else { asked.text(name) };
        text.chars().take(LONGEST).collect::<String>()
    };
    let person = if came_back { now("who") } else { who(chrome, names, asked.filter.account.filter(|n| *n > 0)) };
    let day = |name: &str, label| Field::typed("date", name, chrome.t(label)).value(now(name)).error(errors.of(name));
    vec![
        Field::input("who", chrome.t("office-col-who"))
            .hint(chrome.t("office-access-who-hint"))
            .value(person)
            .error(errors.of("who"))
            .attribute("autocomplete", "off")
            .attribute("spellcheck", "false"),
        Field::input("about", chrome.t("office-access-about"))
            .hint(chrome.t("office-access-about-hint"))
            .value(if came_back { now("about") } else { String::new() })
            .error(errors.of("about"))
            .attribute("autocomplete", "off")
            .attribute("spellcheck", "false"),
        kinds.value(now("kind")),
        outcomes.value(now("outcome")),
        day("since", "office-access-since"),
        day("until", "office-access-until"),
    ]
}

/// Where a form leads, or what is wrong with it.
pub(crate) async fn address_of(
    office: &Office,
    visitor: &Visitor,
    sent: &Fields,
) -> Result<Result<String, ErrorSummary>, Problem> {
    let chrome = &visitor.chrome;
    let mut check = sent.check(&chrome.l);
    let name = check.text("who", LONGEST).to_owned();
    let about = check.text("about", LONGEST).to_owned();
    let days = [("since", 0), ("until", 1)].map(|(name, later)| {
        let text = sent.text(name);
        let at = day(text, &chrome.zone, later);
        if at.is_none() && !text.is_empty() {
            check.wrong(name, "office-access-day-wrong");
        }
        at
    });
    if let [Some(since), Some(until)] = days
        && since >= until
    {
        check.wrong("until", "office-access-days-wrong");
    }
    let mut errors = check.done();
    let (people, viewer) = (office.people().clone(), visitor.viewer.clone());
    let (account, mark) = blocking(move || {
        let account = match name.as_str() {
            "" => None,
            name => match people.account_named(&viewer, name) {
                Ok(account) => Some(Some(account.number)),
                Err(Error::NoAccount) => Some(None),
                Err(e) => return Err(e),
            },
        };
        // As the search reads it: a national number is one of the node's own country.
        let country = people.node()?.map(|node| node.country);
        let hints = selectors::Hints { country: country.as_deref() };
        let readings: Vec<String> =
            selectors::parse_query_with(&about, &hints).into_iter().map(|(_, value)| value).collect();
        let mark = Some(about).filter(|a| !a.is_empty()).map(|a| people.access_log().sought(&a, &readings).mark());
        Ok((account, mark))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    if account == Some(None) {
        errors.push("who", chrome.t("office-access-who-wrong"));
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let account = account.flatten().map(|n| n.to_string());
    let pairs = NAMES.into_iter().map(|name| match name {
        "account" => (name, account.as_deref().unwrap_or_default()),
        // A new text takes the place of the one before.
        "about" => (name, mark.as_deref().unwrap_or_else(|| sent.text("mark"))),
        name => (name, sent.text(name)),
    });
    let pairs: Vec<_> = pairs.filter(|(_, value)| !value.is_empty()).collect();
    // Read once more: nothing of a form stands in an address that an address would not take.
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    let safe = pairs.into_iter().filter(|(_, value)| plain(value));
    Ok(Ok(address("/access", safe)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Asked {
        Asked::read(&Fields::parse(query.as_bytes()).unwrap(), &TimeZone::UTC)
    }

    #[test]
    fn an_address_says_what_it_is_read_as_and_nothing_else() {
        let query = "account=3&kind=object&method=POST&outcome=refused&since=2026-01-02&until=2026-01-02";
        let asked = read(query);
        assert_eq!(asked.address("/access", &[("before", "7")], ""), format!("/access?{query}&before=7"));
        assert_eq!(asked.address("/access", &[], "account"), format!("/access?{}", &query[10..]));
        assert_eq!(asked.filter.to.unwrap() - asked.filter.from.unwrap(), 86_400_000_000, "a day is whole");
        let bad = read("account=x&kind=y&method=a%20b&outcome=z&since=2026-13-45&until=x&about=%2B15550100&q=secret");
        assert_eq!((bad.filter.clone(), bad.address("/access", &[], "")), (AccessFilter::default(), "/access".into()));
    }
}
