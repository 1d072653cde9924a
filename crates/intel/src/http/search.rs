//! `/search`: newest first, one type or all, paged by the log's order.
use super::shown::{Answer, Line, blocking, query, words};
use super::{Desk, Visitor};
use crate::Count;
use askama::Template;
use axum::extract::{RawQuery, State};
use web::Fields;
use web::form::Choice;
use web::parts::{Column, FilterGroup, Filters, Paging, Total};

const ROWS: usize = 50;
/// Characters of a query that are read.
const LONGEST: usize = 1_000;
/// The types that the filter offers.
const TYPES: [&str; 14] = [
    "indicator",
    "report",
    "note",
    "sighting",
    "identity",
    "threat-actor",
    "campaign",
    "infrastructure",
    "url",
    "domain-name",
    "phone-number",
    "bank-account",
    "cryptocurrency-wallet",
    "relationship",
];

#[derive(Template)]
#[template(path = "intel_search.html", blocks = ["results"])]
struct SearchPage {
    chrome: web::Chrome,
    asked: String,
    filters: Filters,
    columns: Vec<Column>,
    rows: Vec<Line>,
    listed: Vec<reference::Listing>,
    paging: Paging,
}

pub(super) async fn search(State(desk): State<Desk>, visitor: Visitor, RawQuery(sent): RawQuery) -> Answer {
    let sent = Fields::parse(sent.unwrap_or_default().as_bytes())?;
    let Visitor { viewer, chrome, .. } = visitor;
    let asked: String = sent.text("q").chars().take(LONGEST).collect();
    let kind: String = sent.text("type").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    let before: Option<u64> = sent.text("before").parse().ok();
    let shown_before: u64 = if before.is_some() { sent.text("shown").parse().unwrap_or(0) } else { 0 };
    let (intel, mut whole) = (desk.intel.clone(), asked.clone());
    if !kind.is_empty() {
        whole.push_str(" type:");
        whole.push_str(&kind);
    }
    let (rows, last, found) = blocking(move || {
        let found = intel.search(&viewer, &whole, before, ROWS)?;
        let rows: Vec<Line> = found.hits.iter().map(|h| Line::of(&intel, h)).collect();
        Ok((rows, found.next, found))
    })
    .await?;
    let shown = shown_before.saturating_add(rows.len() as u64);
    let total = match found.total {
        Count::Exactly(n) => Total::Exactly(n as u64),
        Count::MoreThan(n) => Total::MoreThan(n as u64),
    };
    let base = query(&[("q", &asked), ("type", &kind)]);
    let next = last.map(|pos| format!("/search?{base}&before={pos}&shown={shown}"));
    let previous = before.map(|_| format!("/search?{base}"));
    let page = SearchPage {
        filters: filters(&chrome, &asked, &kind),
        columns: Line::columns(&chrome),
        rows,
        listed: found.listed,
        paging: Paging { shown, total, next, previous },
        chrome: {
            let name = chrome.t("intel-search-title");
            chrome.titled(name)
        },
        asked,
    };
    Ok(web::page(&page))
}

fn filters(chrome: &web::Chrome, asked: &str, kind: &str) -> Filters {
    let choice =
        |value: &str, label: String| Choice { value: value.into(), label, hint: String::new(), chosen: value == kind };
    let mut choices = vec![choice("", chrome.t("intel-type-any"))];
    choices.extend(TYPES.iter().map(|t| choice(t, words(t))));
    if !kind.is_empty() && !TYPES.contains(&kind) {
        choices.push(choice(kind, words(kind)));
    }
    let all = format!("/search?{}", query(&[("q", asked)]));
    Filters {
        action: "/search".into(),
        kept: vec![("q".into(), asked.into())],
        groups: vec![FilterGroup { name: "type".into(), label: chrome.t("intel-col-type"), choices, single: true }],
        chosen: if kind.is_empty() { vec![] } else { vec![(words(kind), all.clone())] },
        clear: all,
    }
}
