//! `/access`: who asked for what, for auditors: filtered, page by page, and as CSV.
mod csv;
mod filter;

pub(crate) use csv::rows;

use crate::office::{Office, blocking, refused};
use crate::shown::{columns, moment, names};
use crate::users::role_word;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use filter::Asked;
use gate::Visitor;
use http::StatusCode;
use jiff::Timestamp;
use people::{AccessRow, Error};
use std::collections::HashMap;
use web::parts::Column;
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// Rows of a page.
const PAGE: u32 = 100;
/// Ids shown of one row; the number of objects tells how many there were.
const IDS: usize = 5;

pub(crate) struct Row {
    pub(crate) n: u64,
    pub(crate) at: Timestamp,
    pub(crate) who: String,
    /// The page of this person's rows.
    pub(crate) href: String,
    pub(crate) role: String,
    pub(crate) what: String,
    pub(crate) status: u16,
    pub(crate) ids: Vec<String>,
    pub(crate) objects: u32,
    pub(crate) bytes: u64,
}

#[derive(Template)]
#[template(path = "office_access.html")]
struct AccessPage {
    chrome: Chrome,
    errors: ErrorSummary,
    columns: Vec<Column>,
    rows: Vec<Row>,
    fields: Vec<Field>,
    /// What the form keeps though it does not show it.
    kept: Vec<(&'static str, String)>,
    /// What is chosen, each with the address without it.
    chosen: Vec<(String, String)>,
    /// Rows in the whole log.
    total: u64,
    /// Where older rows are.
    next: Option<String>,
    /// Whether this is not the first page: the address of that one.
    first: Option<String>,
    broken_off: bool,
    csv: String,
    head: String,
}

pub(crate) fn row(chrome: &Chrome, names: &HashMap<u32, String>, row: AccessRow) -> Row {
    let nobody = row.account == 0;
    Row {
        n: row.n,
        at: moment(row.at),
        who: if nobody { chrome.t("office-nobody") } else { names.get(&row.account).cloned().unwrap_or_default() },
        href: format!("/access?account={}", row.account),
        role: if nobody { String::new() } else { role_word(chrome, &row.role) },
        what: format!("{} {}", row.method, row.route),
        status: row.status,
        ids: row.ids.split_whitespace().take(IDS).map(|id| id_words(chrome, names, id, &row.ids)).collect(),
        objects: row.objects,
        bytes: row.bytes,
    }
}

/// Who asked, and the accounts that the row is about.
pub(crate) fn accounts_of(row: &AccessRow) -> impl Iterator<Item = u32> {
    std::iter::once(row.account).chain(row.ids.split_whitespace().filter_map(people::account_of_id))
}

/// An id as it stands in the log; of an account, whose it is, and what it did with what stands beside it.
fn id_words(chrome: &Chrome, names: &HashMap<u32, String>, id: &str, beside: &str) -> String {
    let Some(account) = people::account_of_id(id) else { return id.to_owned() };
    let issued = beside.split_whitespace().any(people::is_link_id);
    let words = if issued { "office-access-issued-by" } else { "office-access-account" };
    chrome.t1(words, "who", names.get(&account).map_or(id, String::as_str))
}

/// `GET /access`, and `?before=N` for older rows.
pub(crate) async fn page(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes())?;
    draw(&office, visitor, &query, &query, ErrorSummary::default()).await
}

/// `POST /access`: whose name and what was typed stays out of addresses; what the log calls them stands there instead.
pub(crate) async fn look(State(office): State<Office>, visitor: Visitor, sent: Fields) -> Result<Response, Problem> {
    match filter::address_of(&office, &visitor, &sent).await? {
        Ok(address) => Ok(web::see_other(&address)),
        Err(errors) => draw(&office, visitor, &Fields::default(), &sent, errors).await,
    }
}

/// The page of what `query` asks for; its form holds what `sent` says.
async fn draw(
    office: &Office,
    visitor: Visitor,
    query: &Fields,
    sent: &Fields,
    errors: ErrorSummary,
) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-access-title");
    let asked = Asked::read(query, &chrome.zone);
    let before: Option<u64> = query.text("before").parse().ok();
    let (people, filter) = (office.people().clone(), asked.filter.clone());
    let (found, names, head) = blocking(move || {
        let log = people.access_log();
        let found = log.find(&viewer, &filter, before, PAGE)?;
        let asked = filter.account.into_iter();
        let names = names(&people, found.rows.iter().flat_map(accounts_of).chain(asked))?;
        Ok((found, names, log.head()?))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let keys = [
        "office-col-n",
        "office-col-when",
        "office-col-who",
        "office-role",
        "office-col-request",
        "office-col-status",
        "office-col-objects",
        "office-col-bytes",
    ];
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = AccessPage {
        columns: columns(&chrome, &keys),
        fields: filter::fields(&chrome, &asked, sent, &names, &errors),
        kept: asked.kept(),
        chosen: asked.chosen(&chrome, &names),
        total: head.n,
        next: found.next.map(|n| asked.address("/access", &[("before", &n.to_string())], "")),
        first: before.map(|_| asked.address("/access", &[], "")),
        broken_off: found.broken_off,
        csv: asked.address("/access/rows.csv", &[], ""),
        rows: found.rows.into_iter().map(|r| row(&chrome, &names, r)).collect(),
        head: hex::encode(head.hash),
        errors,
        chrome,
    };
    Ok(web::page_with(status, &page))
}
