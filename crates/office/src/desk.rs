//! `/desk`: the first page of those who read no intelligence. Administrators see whether the machine is well and which
//! accounts want a look; auditors where the record stands and what was asked for last. Counts and links.
use crate::access::{self, Row};
use crate::office::{Office, blocking, refused};
use crate::shown::{columns, moment, names};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use gate::Visitor;
use jiff::Timestamp;
use people::{AccessFilter, AccessKind, Error, People, Right, Viewer};
use std::sync::Arc;
use web::parts::Column;
use web::{Chrome, Problem};

/// Rows of the access log that are shown.
const NEWEST: u32 = 8;
/// Erasures that are shown.
const ERASED: u32 = 5;
/// A token that ends within so many days is about to.
pub(crate) const SOON: i64 = 30;

/// What the roof knows and this room does not: asked for each time an administrator opens the page.
#[derive(Clone)]
pub struct Facts(Arc<dyn Fn() -> Told + Send + Sync>);

/// What the roof tells.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What `eye doctor` finds wrong, in its own words.
    pub problems: Vec<String>,
    /// Records that imports have set aside and that are kept; `None` = it cannot be said now.
    pub set_aside: Option<u64>,
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").finish_non_exhaustive()
    }
}

impl Facts {
    /// Facts that `ask` gathers; it may wait for the disk.
    pub fn new(ask: impl Fn() -> Told + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

struct Administrator {
    problems: Vec<String>,
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

fn administrator(people: &People, viewer: &Viewer, facts: &Facts, now: i64) -> people::Result<Administrator> {
    let Told { problems, set_aside } = (facts.0)();
    Ok(Administrator {
        problems,
        set_aside,
        without_factor: people.without_second_factor(viewer)?.len(),
        tokens_ending: people.tokens(viewer).iter().filter(|t| ends_soon(t.expires, now)).count(),
    })
}

/// Whether a token has not ended yet and does so within [`SOON`] days.
pub(crate) fn ends_soon(expires: Option<i64>, now: i64) -> bool {
    expires.is_some_and(|end| end > now && end.saturating_sub(now) <= SOON * 86_400_000_000)
}

fn deeds(people: &People, viewer: &Viewer, method: &str, most: u32) -> people::Result<Vec<Deed>> {
    let filter =
        AccessFilter { kind: Some(AccessKind::Command), method: Some(method.to_owned()), ..AccessFilter::default() };
    let rows = people.access_log().find(viewer, &filter, None, most)?.rows;
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
    let names = names(people, rows.iter().map(|row| row.account))?;
    // One object's proof names it; a verification of the whole names none.
    let verified = deeds(people, viewer, "verify", 50)?.into_iter().find(|deed| deed.ids.is_empty());
    Ok(Auditor {
        newest: rows.into_iter().map(|row| access::row(chrome, &names, row)).collect(),
        verified,
        erased: deeds(people, viewer, "expunge", ERASED)?,
    })
}

/// `GET /desk`.
pub(crate) async fn page(State(office): State<Office>, visitor: Visitor) -> Result<Response, Problem> {
    let Visitor { viewer, chrome, .. } = visitor.titled("office-desk-title");
    let (people, facts, words) = (office.people().clone(), office.facts().clone(), chrome.clone());
    let ledger = office.ledger().clone();
    let (administrator, auditor, record) = blocking(move || {
        let manages = viewer.may(Right::ManageAccounts);
        let administrator = manages.then(|| administrator(&people, &viewer, &facts, ledger.now())).transpose()?;
        let sees = viewer.may_see_access_log();
        let auditor = sees.then(|| auditor(&people, &viewer, &words)).transpose()?;
        let head = ledger.head();
        let record = viewer.may(Right::SeeProofs).then(|| Record {
            entries: head.pos,
            newest: (head.pos > 0).then(|| moment(head.arrived)),
            unfolded: ledger.views().iter().map(ledger::View::unfolded).sum(),
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
