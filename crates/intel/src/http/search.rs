//! `/search`: newest first, within what the filters say, paged by the log's order. The words are sent in the body and
//! stand sealed in the address (`s`); filters stand there as they are. An address with bare words (`q`) is read too.
use super::shown::{Answer, Line, Named, found_lines, problem, query, tlp, tried};
use super::{Desk, Visitor};
use crate::{Count, Error, Narrow};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use jiff::civil::Date;
use people::{Collection, Viewer};
use std::collections::BTreeMap;
use std::sync::Arc;
use web::parts::{Column, Filters, Paging, Total};
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

const ROWS: usize = 50;
/// Characters of a query that are read.
const LONGEST: usize = 1_000;
/// The filters' names in the address.
const NAMES: [&str; 5] = ["type", "marking", "in", "since", "until"];

#[derive(Template)]
#[template(path = "intel_search.html", blocks = ["results"])]
struct SearchPage {
    chrome: Chrome,
    errors: ErrorSummary,
    asked: String,
    /// Nothing was asked yet.
    blank: bool,
    filters: Filters,
    fields: Vec<Field>,
    /// What the search field above keeps of the filters.
    kept: Vec<(&'static str, String)>,
    columns: Vec<Column>,
    rows: Vec<Line>,
    listed: Named,
    paging: Paging,
    /// Time was up before everything was looked through.
    broken_off: bool,
    /// Words that were not looked for.
    ignored: usize,
    /// Types that were asked for and of which she sees nothing.
    unknown: Vec<String>,
    /// The types of which she sees something, each with the search for it.
    types: Vec<(String, String)>,
}

/// The search's form: leads to the address of what was asked.
pub(super) async fn ask(State(desk): State<Desk>, visitor: Visitor, sent: Fields) -> Answer {
    let asked: String = sent.text("q").chars().take(LONGEST).collect();
    let sealed = sealed(&desk, &visitor.viewer, &asked)?;
    Ok(web::see_other(&format!("/search?{}", query(&pairs(&sealed, &sent, "")))))
}

/// Words as an address has them; none for none.
fn sealed(desk: &Desk, viewer: &Viewer, asked: &str) -> Result<String, Problem> {
    if asked.is_empty() {
        return Ok(String::new());
    }
    desk.intel.address_of_search(viewer, asked).map_err(|e| problem(&e))
}

pub(super) async fn search(State(desk): State<Desk>, visitor: Visitor, RawQuery(sent): RawQuery) -> Answer {
    let sent = Fields::parse(sent.unwrap_or_default().as_bytes())?;
    let Visitor { viewer, chrome, about, .. } = visitor;
    let asked = match sent.text("s") {
        "" => sent.text("q").chars().take(LONGEST).collect(),
        address => desk
            .intel
            .search_at(&viewer, address)
            .ok_or_else(|| Problem::not_found().because("intel-search-not-yours"))?,
    };
    let (sealed_asked, sealed_bare) =
        (sealed(&desk, &viewer, &asked)?, sealed(&desk, &viewer, &without_types(&asked))?);
    let before = desk.intel.pos_at(sent.text("before"));
    about.asked(&asked);
    let shown_before: u64 = if before.is_some() { sent.text("shown").parse().unwrap_or(0) } else { 0 };
    let mut errors = ErrorSummary::default();
    let narrow = narrow(&chrome, &sent, &mut errors);
    let blank = asked.is_empty() && narrow == Narrow::default();
    let (intel, whole, wrong) = (desk.intel.clone(), asked.clone(), !errors.is_empty());
    let done = tried(move || {
        let places = intel.people().collections(&viewer)?;
        let places: Vec<_> = places.into_iter().filter(|c| viewer.sees(c.col)).collect();
        let types = intel.types(&viewer)?;
        if wrong {
            return Ok((Vec::new(), None, None, places, types));
        }
        let found = match intel.search_within(&viewer, &whole, &narrow, before, ROWS) {
            // A collection that is not there, or not for her: nothing is found in it.
            Err(Error::NotFound) => return Ok((Vec::new(), None, None, places, types)),
            other => other?,
        };
        let rows = found_lines(&intel, &viewer, &found.hits)?;
        Ok((rows, found.next, Some(found), places, types))
    });
    let (rows, last, found, places, types) = done.await?.map_err(|e| problem(&e))?;
    about.objects(rows.iter().map(|line| &line.id));
    about.objects(rows.iter().flat_map(|line| &line.beside));
    let shown = shown_before.saturating_add(rows.len() as u64);
    let total = match found.as_ref().map_or(Count::Exactly(0), |f| f.total) {
        Count::Exactly(n) => Total::Exactly(n as u64),
        Count::MoreThan(n) => Total::MoreThan(n as u64),
    };
    let (broken_off, ignored) = found.as_ref().map_or((false, 0), |f| (f.broken_off, f.ignored));
    let here = |without: &str| format!("/search?{}", query(&pairs(&sealed_asked, &sent, without)));
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SearchPage {
        fields: fields(&chrome, &sent, &places, &types, &errors),
        unknown: found.as_ref().map(|f| f.unknown_types.clone()).unwrap_or_default(),
        types: {
            let of =
                |kind: &String| (chrome.kind(kind), format!("/search?{}", query(&of_type(&sealed_bare, &sent, kind))));
            types.keys().map(of).collect()
        },
        filters: Filters {
            action: "/search".into(),
            kept: vec![("s".into(), sealed_asked.clone())],
            groups: Vec::new(),
            chosen: chosen(&chrome, &sent, &places, &types)
                .into_iter()
                .map(|(name, label)| (label, here(name)))
                .collect(),
            clear: format!("/search?{}", query(&[("s", &sealed_asked)])),
        },
        kept: NAMES.iter().map(|n| (*n, sent.text(n).to_owned())).filter(|(_, v)| !v.is_empty()).collect(),
        columns: Line::columns(&chrome),
        rows,
        listed: Named::of(found.map(|f| f.listed).unwrap_or_default()),
        paging: Paging {
            shown,
            total,
            next: last.map(|pos| format!("{}&before={}&shown={shown}", here(""), desk.intel.mark_of(pos))),
            previous: before.map(|_| here("")),
        },
        chrome: {
            let name = chrome.t("intel-search-title");
            chrome.titled(name)
        },
        asked,
        blank,
        errors,
        broken_off,
        ignored,
    };
    Ok(web::page_with(status, &page))
}

/// What was asked, as pairs for an address, but for one filter.
fn pairs<'a>(sealed: &'a str, sent: &'a Fields, without: &str) -> Vec<(&'static str, &'a str)> {
    let filters = NAMES.iter().filter(|n| **n != without).map(|n| (*n, sent.text(n)));
    std::iter::once(("s", sealed)).chain(filters).collect()
}

/// The same search for another type.
fn of_type<'a>(sealed: &'a str, sent: &'a Fields, kind: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut pairs = pairs(sealed, sent, "type");
    pairs.push(("type", kind));
    pairs
}

/// A query without the types that its words name.
fn without_types(asked: &str) -> String {
    asked.split_whitespace().filter(|word| !word.starts_with("type:")).collect::<Vec<_>>().join(" ")
}

fn narrow(chrome: &Chrome, sent: &Fields, errors: &mut ErrorSummary) -> Narrow {
    let mut day = |name: &str, later: i64| {
        let text = sent.text(name);
        let at = text.parse::<Date>().ok().and_then(|d| d.checked_add(jiff::Span::new().days(later)).ok());
        let at = at.and_then(|d| d.to_zoned(chrome.zone.clone()).ok());
        if at.is_none() && !text.is_empty() {
            errors.push(name, chrome.t("intel-search-day-wrong"));
        }
        at.map(|at| at.timestamp().as_microsecond())
    };
    let (since, until) = (day("since", 0), day("until", 1));
    if since.zip(until).is_some_and(|(since, until)| since >= until) {
        errors.push("until", chrome.t("intel-search-days-wrong"));
    }
    Narrow {
        types: Some(sent.text("type").to_owned()).filter(|t| !t.is_empty()).into_iter().collect(),
        marking: stix::Tlp::ALL.into_iter().find(|t| t.as_str() == sent.text("marking")),
        // What is no collection's id is the id of none: nothing stands in it.
        collection: Some(sent.text("in"))
            .filter(|c| !c.is_empty())
            .map(|c| c.parse().unwrap_or_else(|_| ledger::CollectionId::random())),
        since,
        until,
    }
}

/// The filters that are set, by name, in words.
fn chosen(
    chrome: &Chrome,
    sent: &Fields,
    places: &[Arc<Collection>],
    held: &BTreeMap<String, u64>,
) -> Vec<(&'static str, String)> {
    let words = |name: &'static str| match (name, sent.text(name)) {
        (_, "") => None,
        ("type", kind) if held.contains_key(&kind.to_ascii_lowercase()) => {
            Some(chrome.kind(&kind.to_ascii_lowercase()))
        }
        ("type", kind) => Some(chrome.t1("intel-search-type-unknown", "type", kind)),
        ("marking", level) => Some(level.to_owned()),
        ("in", id) => Some(places.iter().find(|c| c.id.to_string() == id).map_or(id, |c| c.title()).to_owned()),
        ("since", day) => Some(chrome.t1("intel-search-since-day", "day", day)),
        (_, day) => Some(chrome.t1("intel-search-until-day", "day", day)),
    };
    NAMES.into_iter().filter_map(|name| Some((name, words(name)?))).collect()
}

fn fields(
    chrome: &Chrome,
    sent: &Fields,
    places: &[Arc<Collection>],
    held: &BTreeMap<String, u64>,
    errors: &ErrorSummary,
) -> Vec<Field> {
    let kind = &*sent.text("type").to_ascii_lowercase();
    let named = |(t, n): (&'_ String, &u64)| {
        (t.clone(), chrome.t2("intel-search-type-n", "type", chrome.kind(t), "n", chrome.n(*n)))
    };
    let mut types: Vec<(String, String)> = held.iter().map(named).collect();
    if !kind.is_empty() && !held.contains_key(kind) {
        types.push((kind.to_owned(), chrome.t1("intel-search-type-unknown", "type", kind)));
    }
    types.sort_by(|a, b| a.1.cmp(&b.1));
    let any = |name, label| Field::select(name, chrome.t(label)).choice("", chrome.t("intel-search-any"));
    let kinds = types.into_iter().fold(any("type", "intel-col-type"), |f, (value, label)| f.choice(&value, label));
    let levels = stix::Tlp::ALL.into_iter();
    let levels = levels.fold(any("marking", "intel-col-marking"), |f, t| f.choice(t.as_str(), tlp(t).label()));
    let inside = places.iter().fold(any("in", "intel-col-collection"), |f, c| f.choice(&c.id.to_string(), c.title()));
    let day = |name: &str, label: &str| {
        Field::typed("date", name, chrome.t(label)).value(sent.text(name)).error(errors.of(name))
    };
    vec![
        kinds.value(kind),
        levels.value(sent.text("marking")),
        inside.value(sent.text("in")),
        day("since", "intel-search-since"),
        day("until", "intel-search-until"),
    ]
}
