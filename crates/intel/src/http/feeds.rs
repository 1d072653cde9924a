//! `/feeds`: the reference lists that are installed.
use super::shown::{Answer, columns};
use super::{Desk, Visitor};
use askama::Template;
use axum::extract::State;
use people::Right;
use web::parts::Column;

#[derive(Template)]
#[template(path = "intel_feeds.html")]
struct FeedsPage {
    chrome: web::Chrome,
    columns: Vec<Column>,
    lists: Vec<ListLine>,
    /// Lists that cannot be read; why is for those who look after the machine.
    broken: Vec<(String, Option<String>)>,
    /// Whether the viewer looks after the machine.
    manages: bool,
}

struct ListLine {
    title: String,
    kind: &'static str,
    entries: u64,
    version: String,
    loaded: Option<jiff::Timestamp>,
    tone: &'static str,
}

pub(super) async fn feeds(State(desk): State<Desk>, visitor: Visitor) -> Answer {
    let chrome = visitor.chrome;
    let manages = visitor.viewer.may(Right::ManageMachine);
    let library = desk.intel.library();
    let line = |l: reference::ListInfo| ListLine {
        kind: match l.kind {
            reference::ListKind::Block => "intel-list-block",
            reference::ListKind::Warning => "intel-list-warning",
            reference::ListKind::Galaxy => "intel-list-galaxy",
        },
        loaded: l.loaded.and_then(|at| jiff::Timestamp::try_from(at).ok()),
        title: l.title,
        entries: l.entries,
        version: l.version.unwrap_or_default(),
        tone: if l.kind == reference::ListKind::Block { "red" } else { "grey" },
    };
    let page = FeedsPage {
        columns: {
            let mut columns = columns(
                &chrome,
                &["intel-col-list", "intel-col-kind", "intel-col-entries", "intel-col-version", "intel-col-loaded"],
            );
            columns.iter_mut().skip(2).take(1).for_each(|c| c.numeric = true);
            columns
        },
        lists: library.lists().into_iter().map(line).collect(),
        broken: library.broken().iter().map(|(list, why)| (list.clone(), manages.then(|| why.clone()))).collect(),
        manages,
        chrome: {
            let name = chrome.t("intel-feeds-title");
            chrome.titled(name)
        },
    };
    Ok(web::page(&page))
}
