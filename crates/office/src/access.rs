//! `/access`: who asked for what, for auditors.
use crate::office::{Office, blocking, refused};
use crate::shown::{columns, moment, names};
use crate::users::role_word;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use gate::Visitor;
use jiff::Timestamp;
use people::{AccessRow, Error};
use std::collections::HashMap;
use web::parts::{Column, Paging, Total};
use web::{Chrome, Fields, Problem};

/// Rows of a page.
const PAGE: u32 = 100;
/// Ids shown of one row; the number of objects tells how many there were.
const IDS: usize = 5;

struct Row {
    n: u64,
    at: Timestamp,
    who: String,
    role: String,
    what: String,
    status: u16,
    ids: Vec<String>,
    objects: u32,
    bytes: u64,
}

#[derive(Template)]
#[template(path = "office_access.html")]
struct AccessPage {
    chrome: Chrome,
    columns: Vec<Column>,
    rows: Vec<Row>,
    paging: Paging,
    head: String,
}

fn row(chrome: &Chrome, names: &HashMap<u32, String>, row: AccessRow) -> Row {
    let nobody = row.account == 0;
    Row {
        n: row.n,
        at: moment(row.at),
        who: if nobody { chrome.t("office-nobody") } else { names.get(&row.account).cloned().unwrap_or_default() },
        role: if nobody { String::new() } else { role_word(chrome, &row.role) },
        what: format!("{} {}", row.method, row.route),
        status: row.status,
        ids: row.ids.split_whitespace().take(IDS).map(str::to_owned).collect(),
        objects: row.objects,
        bytes: row.bytes,
    }
}

/// `GET /access`, and `?before=N` for older rows.
pub(crate) async fn page(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes())?;
    let before: Option<u64> = query.text("before").parse().ok();
    let Visitor { viewer, chrome, .. } = visitor.titled("office-access-title");
    let people = office.people().clone();
    let (rows, names, head) = blocking(move || {
        let rows = people.access_log().page(&viewer, before, PAGE)?;
        let names = names(&people, rows.iter().map(|row| row.account))?;
        Ok((rows, names, people.access_log().head()?))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let last = rows.last().map_or(1, |row| row.n);
    let more = rows.len() == PAGE as usize && last > 1;
    let rows: Vec<Row> = rows.into_iter().map(|r| row(&chrome, &names, r)).collect();
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
    let page = AccessPage {
        columns: columns(&chrome, &keys),
        paging: Paging {
            shown: rows.len() as u64,
            total: Total::Exactly(head.n),
            next: more.then(|| format!("/access?before={last}")),
            previous: before.map(|_| "/access".into()),
        },
        rows,
        head: hex::encode(head.hash),
        chrome,
    };
    Ok(web::page(&page))
}
