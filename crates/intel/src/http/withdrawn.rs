//! What stands in place of an object that was withdrawn: when, by whom and why, never what it said.
use super::shown::{author, columns, moment, title, tlp};
use crate::{Intel, Withdrawn};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use people::Viewer;
use web::Chrome;
use web::parts::{Column, Event, Tlp};

/// A version that was withdrawn, as a page shows it.
pub(super) struct Gone {
    at: jiff::Timestamp,
    by: String,
    reason: String,
    collection: String,
    marking: Tlp,
    version: Option<jiff::Timestamp>,
}

#[derive(Template)]
#[template(path = "intel_withdrawn.html")]
struct WithdrawnPage {
    chrome: Chrome,
    id: String,
    kind: String,
    columns: Vec<Column>,
    rows: Vec<Gone>,
    /// Where it is erased, for whoever may.
    erase: Option<String>,
}

impl Gone {
    pub(super) fn of(intel: &Intel, viewer: &Viewer, w: Withdrawn) -> Self {
        Self {
            at: moment(w.at),
            by: author(intel, viewer, w.by),
            reason: w.reason,
            collection: title(intel, w.col),
            marking: tlp(w.tlp),
            version: w.version.map(moment),
        }
    }

    /// In the history of an object of which something else stands.
    pub(super) fn event(&self, chrome: &Chrome) -> Event {
        Event {
            title: chrome.t1("intel-withdrawn-event", "why", self.reason.as_str()),
            by: self.by.clone(),
            at: self.at,
            text: self.collection.clone(),
            link: None,
            marking: Some(self.marking),
        }
    }
}

/// The page: 410, for what stood at this address is gone.
pub(super) fn page(chrome: Chrome, id: String, rows: Vec<Gone>, erase: Option<String>) -> Response {
    let keys = [
        "intel-withdrawn-from",
        "intel-withdrawn-by",
        "intel-withdrawn-reason",
        "intel-col-collection",
        "intel-col-marking",
        "intel-col-version",
    ];
    let page = WithdrawnPage {
        kind: id.split("--").next().unwrap_or_default().to_owned(),
        columns: columns(&chrome, &keys),
        chrome: {
            let name = chrome.t("intel-withdrawn");
            chrome.titled(name)
        },
        id,
        rows,
        erase,
    };
    web::page_with(StatusCode::GONE, &page)
}
