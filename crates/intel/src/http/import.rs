//! `/import`: files come in, each import can be looked at and withdrawn whole.
use super::report::{place_fields, places};
use super::shown::{
    Answer, Line, author, blocking, columns, lines, moment, once, reason_field, reason_of, title, with_done,
};
use super::{Desk, Visitor};
use crate::{ImportReport, ImportRow, Intel, Quarantine, SetAside};
use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use people::{Collection, Viewer};
use std::sync::Arc;
use web::parts::Column;
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

const ROWS: usize = 50;
/// Objects named on an import's page.
const NAMED: usize = 100;
/// Records set aside on one page.
const ASIDE: usize = 50;
/// Characters shown of one of them.
const SHOWN: usize = 2_000;

struct Row {
    /// In its address.
    pos: String,
    source: String,
    format: String,
    collection: String,
    by: String,
    at: jiff::Timestamp,
    done: Option<crate::entry::Imported>,
    /// How much of it was withdrawn, in words; empty when nothing was.
    withdrawn: String,
}

impl Row {
    fn broken(&self) -> bool {
        self.done.as_ref().is_some_and(|d| d.broken.is_some())
    }
}

#[derive(Template)]
#[template(path = "intel_imports.html")]
struct ListPage {
    chrome: Chrome,
    errors: ErrorSummary,
    once: String,
    file: Field,
    mapping: Field,
    fields: Vec<Field>,
    may_write: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// What was withdrawn of it, by account and reason.
struct Gone {
    versions: u64,
    more: bool,
    at: jiff::Timestamp,
    by: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "intel_import.html")]
struct ImportPage {
    chrome: Chrome,
    row: Row,
    report: Option<ImportReport>,
    columns: Vec<Column>,
    brought: Vec<Line>,
    more: bool,
    /// What was set aside, for those who may import there.
    aside: Option<Quarantine>,
    withdrawn: Vec<Gone>,
    next_aside: String,
    kept: u64,
    may_withdraw: bool,
    errors: ErrorSummary,
    reason: Field,
    action: String,
    /// Of an import that did not end: how many objects it brought so far, in words.
    so_far: String,
}

fn row_of(intel: &Intel, viewer: &Viewer, chrome: &Chrome, row: ImportRow) -> Row {
    Row {
        withdrawn: match row.withdrawn {
            0 => String::new(),
            _ if row.is_withdrawn() => chrome.t("intel-import-gone"),
            n if row.withdrawn_more => chrome.t1("intel-import-gone-more", "n", n),
            n => chrome.t1("intel-import-gone-part", "n", n),
        },
        pos: intel.mark_of(row.pos),
        source: row.source,
        format: row.format,
        collection: title(intel, row.col),
        by: author(intel, viewer, row.author),
        at: moment(row.arrived),
        done: row.done,
    }
}

pub(super) async fn list(State(desk): State<Desk>, mut visitor: Visitor, RawQuery(sent): RawQuery) -> Answer {
    visitor.chrome = with_done(visitor.chrome, sent.as_deref(), "");
    let sent = Fields::parse(sent.unwrap_or_default().as_bytes())?;
    let before = desk.intel.pos_at(sent.text("before"));
    let places = places(&desk, &visitor).await?;
    draw(desk, visitor, &places, &Fields::default(), before, ErrorSummary::default(), StatusCode::OK).await
}

pub(super) async fn draw(
    desk: Desk,
    visitor: Visitor,
    places: &[Arc<Collection>],
    sent: &Fields,
    before: Option<u64>,
    errors: ErrorSummary,
    status: StatusCode,
) -> Answer {
    let Visitor { viewer, chrome, .. } = visitor;
    let once = once(&desk, &chrome)?;
    let intel = desk.intel.clone();
    let words = chrome.clone();
    let rows: Vec<Row> = blocking(move || {
        let rows = intel.imports(&viewer, before, ROWS + 1)?.into_iter();
        Ok(rows.map(|r| row_of(&intel, &viewer, &words, r)).collect::<Vec<_>>())
    })
    .await?;
    let next = if rows.len() > ROWS { rows.get(ROWS - 1).map(|r| r.pos.clone()) } else { None };
    let mut format = Field::select("format", chrome.t("intel-format")).choice("", chrome.t("intel-format-guess"));
    for known in formats::Format::all() {
        format = format.choice(known.as_str(), chrome.l.term("format", known.as_str()));
    }
    let mapping = Field::file("mapping", chrome.t("intel-mapping"))
        .hint(chrome.t("intel-mapping-hint"))
        .error(errors.of("mapping"));
    let mut fields = vec![format.value(sent.text("format")).error(errors.of("format"))];
    fields.extend(place_fields(&chrome, places, sent, &errors));
    let most = desk.intel.limits().upload >> 20;
    let file = Field::file("file", chrome.t("intel-file"))
        .hint(chrome.t1("intel-file-hint", "n", most))
        .error(errors.of("file"))
        .attribute("multiple", "multiple");
    let keys = [
        "intel-col-source",
        "intel-col-format",
        "intel-col-collection",
        "intel-col-added",
        "intel-col-same",
        "intel-col-aside",
        "intel-col-by",
        "intel-col-arrived",
    ];
    let page = ListPage {
        columns: {
            let mut columns = columns(&chrome, &keys);
            columns.iter_mut().skip(3).take(3).for_each(|c| c.numeric = true);
            columns
        },
        rows: rows.into_iter().take(ROWS).collect(),
        may_write: !places.is_empty(),
        chrome: {
            let name = chrome.t("intel-import-title");
            chrome.titled(name)
        },
        errors,
        once,
        file,
        mapping,
        fields,
        next,
    };
    Ok(web::page_with(status, &page))
}

/// The import of an address.
fn import_at(desk: &Desk, address: &str) -> Result<u64, Problem> {
    desk.intel.pos_at(address).ok_or_else(Problem::not_found)
}

pub(super) async fn one(
    State(desk): State<Desk>,
    mut visitor: Visitor,
    Path(import): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    visitor.chrome = with_done(visitor.chrome, query.as_deref(), "#withdraw");
    let import = import_at(&desk, &import)?;
    let after = Fields::parse(query.unwrap_or_default().as_bytes())?.text("aside").parse().unwrap_or(0);
    draw_one(desk, visitor, import, after, ErrorSummary::default(), StatusCode::OK).await
}

async fn draw_one(
    desk: Desk,
    visitor: Visitor,
    import: u64,
    after: u64,
    errors: ErrorSummary,
    status: StatusCode,
) -> Answer {
    let Visitor { viewer, chrome, about, .. } = visitor;
    let report = desk.remembered(viewer.account(), import);
    let intel = desk.intel.clone();
    let words = chrome.clone();
    let (row, brought, may_withdraw, aside, so_far, withdrawn) = blocking(move || {
        let row = intel.import_row(&viewer, import)?;
        let so_far = row.done.is_none().then(|| intel.brought_count(&viewer, import)).transpose()?;
        let may_withdraw = viewer.may_withdraw() && viewer.may_write(row.col);
        let brought = lines(&intel, &viewer, &intel.brought(&viewer, import, NAMED + 1)?)?;
        let aside = intel
            .may_see_aside(&viewer, row.col)
            .then(|| intel.set_aside(&viewer, import, after, ASIDE))
            .transpose()?;
        let gone = |w: crate::WithdrawnOfImport| Gone {
            versions: w.versions,
            more: w.more,
            at: moment(w.at),
            by: author(&intel, &viewer, w.by),
            reason: w.reason,
        };
        let withdrawn: Vec<Gone> = intel.withdrawn_of_import(&viewer, import)?.into_iter().map(gone).collect();
        Ok((row_of(&intel, &viewer, &words, row), brought, may_withdraw, aside, so_far, withdrawn))
    })
    .await?;
    let more = brought.len() > NAMED;
    about.objects(brought.iter().take(NAMED).map(|line| &line.id));
    about.objects(brought.iter().take(NAMED).flat_map(|line| &line.beside));
    let page = ImportPage {
        so_far: match so_far {
            None => String::new(),
            Some(Some(n)) => chrome.t1("intel-import-so-far", "n", n),
            Some(None) => chrome.t("intel-import-so-far-many"),
        },
        columns: Line::columns(&chrome),
        brought: brought.into_iter().take(NAMED).collect(),
        reason: reason_field(&chrome, &errors),
        may_withdraw,
        chrome: {
            let name = chrome.t1("intel-import-of", "source", row.source.clone());
            chrome.titled(name)
        },
        action: format!("/import/{}/withdraw", row.pos),
        row,
        report,
        more,
        next_aside: aside
            .as_ref()
            .filter(|a| a.more)
            .and_then(|a| a.rows.last())
            .map(|last| format!("/import/{}?aside={}", desk.intel.mark_of(import), last.n))
            .unwrap_or_default(),
        kept: aside.as_ref().map_or(0, |a| a.kept),
        aside,
        withdrawn,
        errors,
    };
    Ok(web::page_with(status, &page))
}

pub(super) async fn withdraw(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(address): Path<String>,
    sent: Fields,
) -> Answer {
    let import = import_at(&desk, &address)?;
    let reason = match reason_of(&visitor.chrome, &sent) {
        Ok(reason) => reason,
        Err(errors) => return draw_one(desk, visitor, import, 0, errors, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    blocking(move || {
        if !viewer.may_withdraw() {
            return Err(crate::Error::Forbidden("your role may not withdraw".into()));
        }
        intel.import_row(&viewer, import)?;
        intel.withdraw_import(&viewer, import, &reason)
    })
    .await?;
    Ok(web::see_other(&format!("/import/{address}")))
}

/// Why a record was set aside, in the reader's language; `None` for a row that was kept before there were codes.
pub(super) fn said(chrome: &Chrome, row: &SetAside) -> Option<String> {
    let code = row.code.as_deref()?;
    Some(chrome.l.said("aside", code)).filter(|said| said != code)
}

/// The beginning of a record, for a page.
fn beginning(record: &str) -> String {
    record.chars().take(SHOWN).collect()
}
