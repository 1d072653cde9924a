//! `/desk`: the first page of those who read no intelligence. Administrators see whether the machine is well and which
//! accounts want a look; auditors where the record stands and what was asked for last. Counts and links.
mod facts;

pub use facts::{Facts, Look};

use crate::access::{self, Row};
use crate::office::{Office, blocking, refused};
use crate::shown::{columns, moment, names};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use gate::Visitor;
use jiff::Timestamp;
use people::{AccessFilter, DeedAbout, Error, People, Right, Viewer};
use web::parts::Column;
use web::{Chrome, Fields, Problem};

/// Rows of the access log that are shown.
const NEWEST: u32 = 8;
/// Erasures that are shown.
const ERASED: u32 = 5;
/// A token that ends within so many days is about to.
pub(crate) const SOON: i64 = 30;

struct Administrator {
    problems: Vec<String>,
    /// When the machine was looked at.
    looked: Timestamp,
    set_aside: Option<u64>,
    without_factor: usize,
    tokens_ending: usize,
}

/// A command of the access log that matters to auditors.
struct Deed {
    at: Timestamp,
    who: String,
    held: bool,
    /// Ids that it named.
    ids: Vec<String>,
}

struct Auditor {
    newest: Vec<Row>,
    verified: Option<Deed>,
    erased: Vec<Deed>,
}

/// Where the ledger stands.
struct Record {
    entries: u64,
    newest: Option<Timestamp>,
    unfolded: u64,
}

#[derive(Template)]
#[template(path = "office_desk.html")]
struct DeskPage {
    chrome: Chrome,
    columns: Vec<Column>,
    administrator: Option<Administrator>,
    auditor: Option<Auditor>,
    record: Option<Record>,
}

fn administrator(people: &People, viewer: &Viewer, facts: &Facts, look: Look) -> people::Result<Administrator> {
    let (problems, looked) = facts.problems(look);
    let now = look.now;
    Ok(Administrator {
        problems,
        looked: moment(looked),
        set_aside: facts.set_aside(),
        without_factor: people.without_second_factor(viewer)?.len(),
        tokens_ending: people.tokens(viewer).iter().filter(|t| ends_soon(t.expires, now)).count(),
    })
}

/// Whether a token has not ended yet and does so within [`SOON`] days.
pub(crate) fn ends_soon(expires: Option<i64>, now: i64) -> bool {
    expires.is_some_and(|end| end > now && end.saturating_sub(now) <= SOON * 86_400_000_000)
}

fn deeds(people: &People, viewer: &Viewer, method: &str, about: DeedAbout, most: u32) -> people::Result<Vec<Deed>> {
    let rows = people.access_log().deeds(viewer, method, about, most)?;
    let names = names(people, rows.iter().map(|row| row.account))?;
    let deed = |row: people::AccessRow| Deed {
        at: moment(row.at),
        who: names.get(&row.account).cloned().unwrap_or_default(),
        held: row.status < 400,
        ids: row.ids.split_whitespace().map(str::to_owned).collect(),
    };
    Ok(rows.into_iter().map(deed).collect())
}

fn auditor(people: &People, viewer: &Viewer, chrome: &Chrome) -> people::Result<Auditor> {
    let rows = people.access_log().find(viewer, &AccessFilter::default(), None, NEWEST)?.rows;
    let names = names(people, rows.iter().flat_map(access::accounts_of))?;
    // One object's proof names it; a verification of the whole names none.
    let verified = deeds(people, viewer, "verify", DeedAbout::Whole, 1)?.into_iter().next();
    Ok(Auditor {
        newest: rows.into_iter().map(|row| access::row(chrome, &names, row)).collect(),
        verified,
        erased: deeds(people, viewer, "expunge", DeedAbout::Objects, ERASED)?,
    })
}

/// `GET /desk`, and `?look=now` for what the machine is like this moment.
pub(crate) async fn page(
    State(office): State<Office>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let again = Fields::parse(query.unwrap_or_default().as_bytes())?.text("look") == "now";
    let Visitor { viewer, chrome, .. } = visitor.titled("office-desk-title");
    let (people, facts, words) = (office.people().clone(), office.facts().clone(), chrome.clone());
    let ledger = office.ledger().clone();
    let (administrator, auditor, record) = blocking(move || {
        let manages = viewer.may(Right::ManageAccounts);
        let unfolded = ledger.views().iter().map(ledger::View::unfolded).sum();
        let look = Look { now: ledger.now(), unfolded, erasing: ledger.is_erasing(), again };
        let administrator = manages.then(|| administrator(&people, &viewer, &facts, look)).transpose()?;
        let sees = viewer.may_see_access_log();
        let auditor = sees.then(|| auditor(&people, &viewer, &words)).transpose()?;
        let head = ledger.head();
        let record = viewer.may(Right::SeeProofs).then(|| Record {
            entries: head.pos,
            newest: (head.pos > 0).then(|| moment(head.arrived)),
            unfolded,
        });
        Ok((administrator, auditor, record))
    })
    .await?
    .map_err(|e: Error| refused(&e))?;
    let keys = ["office-col-when", "office-col-who", "office-col-request", "office-col-status"];
    let columns = columns(&chrome, &keys);
    Ok(web::page(&DeskPage { chrome, columns, administrator, auditor, record }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_about_to_end_in_its_last_thirty_days_and_not_after() {
        const DAY: i64 = 86_400_000_000;
        let now = 1_790_000_000_000_000;
        let table =
            [(None, false), (Some(31), false), (Some(30), true), (Some(1), true), (Some(0), false), (Some(-1), false)];
        for (days, due) in table {
            assert_eq!(ends_soon(days.map(|d| now + d * DAY), now), due, "{days:?}");
        }
    }
}
