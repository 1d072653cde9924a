//! `/access/rows.csv`: the rows of a filter as RFC 4180, for an auditor's own tools. The download is a row of the log itself.
use super::filter::Asked;
use crate::office::{Office, blocking, refused};
use crate::shown::{moment, names};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use gate::Visitor;
use http::{HeaderValue, header};
use people::{AccessRow, Error};
use web::{Fields, Problem};

/// Rows read at a time.
const BATCH: u32 = 1_000;
/// Rows of one file at most, about ten megabytes; `Link` says where the next file begins.
const MOST: usize = 50_000;
/// Pages that one file looks through at most, full or not.
const PAGES: usize = 200;

const HEAD: [&str; 13] =
    ["n", "at", "account", "name", "role", "method", "route", "status", "objects", "ids", "query", "bytes", "hash"];

/// A spreadsheet takes what begins so for a formula (OWASP, "CSV Injection"): an apostrophe makes it text.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn record(row: &AccessRow, name: &str) -> [String; 13] {
    [
        row.n.to_string(),
        moment(row.at).to_string(),
        row.account.to_string(),
        plain(name),
        row.role.clone(),
        plain(&row.method),
        plain(&row.route),
        row.status.to_string(),
        row.objects.to_string(),
        plain(&row.ids),
        row.query.as_ref().map(hex::encode).unwrap_or_default(),
        row.bytes.to_string(),
        hex::encode(&row.hash),
    ]
}

/// `GET /access/rows.csv`.
pub(crate) async fn rows(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes())?;
    let asked = Asked::read(&query, &visitor.chrome.zone);
    let (people, viewer, filter) = (office.people().clone(), visitor.viewer, asked.filter.clone());
    let mut before: Option<u64> = query.text("before").parse().ok();
    let (bytes, next) = blocking(move || {
        let (mut out, mut count) = (::csv::Writer::from_writer(Vec::new()), 0);
        let failed = |e: ::csv::Error| Error::Invalid(e.to_string());
        out.write_record(HEAD).map_err(failed)?;
        for _ in 0..PAGES {
            let page = people.access_log().find(&viewer, &filter, before, BATCH)?;
            let names = names(&people, page.rows.iter().map(|row| row.account))?;
            for row in &page.rows {
                out.write_record(record(row, names.get(&row.account).map_or("", String::as_str))).map_err(failed)?;
            }
            count += page.rows.len();
            before = page.next;
            if before.is_none() || count + BATCH as usize > MOST {
                break;
            }
        }
        let bytes = out.into_inner().map_err(|e| Error::Invalid(e.to_string()))?;
        Ok((bytes, before))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    let named = HeaderValue::from_static("attachment; filename=\"access-log.csv\"");
    let mut response = ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)], bytes).into_response();
    if let Some(n) = next {
        let older = asked.address("/access/rows.csv", &[("before", &n.to_string())], "");
        if let Ok(link) = HeaderValue::from_str(&format!("<{older}>; rel=\"next\"")) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn no_name_is_a_formula_to_a_spreadsheet() {
        for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert!(plain(name).starts_with('\''), "{name}");
        }
        assert_eq!(plain("rin"), "rin");
    }
}
