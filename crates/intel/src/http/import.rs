//! `/import`: files come in, each import can be looked at and withdrawn whole.
use super::report::{place_fields, placed, places};
use super::shown::{
    Answer, Line, author, blocking, columns, lines, moment, now, once, problem, title, tried, with_done,
};
use super::{Desk, Visitor};
use crate::{ImportJob, ImportReport, ImportRow, Intel, Quarantine, Reason, SetAside};
use askama::Template;
use axum::extract::{Multipart, Path, RawQuery, State};
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
/// Bytes of a field beside the file.
const FIELD: usize = 10_000;
/// Bytes of a mapping.
const MAPPING: usize = 100_000;
const REASON: usize = 1_000;

struct Row {
    /// In its address.
    pos: String,
    source: String,
    format: String,
    collection: String,
    by: String,
    at: jiff::Timestamp,
    done: Option<crate::entry::Imported>,
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

fn row_of(intel: &Intel, viewer: &Viewer, row: ImportRow) -> Row {
    Row {
        pos: intel.mark_of(row.pos),
        source: row.source,
        format: row.format,
        collection: title(intel, row.col),
        by: author(intel, viewer, row.author),
        at: moment(row.arrived),
        done: row.done,
    }
}

pub(super) async fn list(State(desk): State<Desk>, visitor: Visitor, RawQuery(sent): RawQuery) -> Answer {
    let sent = Fields::parse(sent.unwrap_or_default().as_bytes())?;
    let before = desk.intel.pos_at(sent.text("before"));
    let places = places(&desk, &visitor).await?;
    draw(desk, visitor, &places, &Fields::default(), before, ErrorSummary::default(), StatusCode::OK).await
}

async fn draw(
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
    let rows: Vec<Row> = blocking(move || {
        Ok(intel
            .imports(&viewer, before, ROWS + 1)?
            .into_iter()
            .map(|r| row_of(&intel, &viewer, r))
            .collect::<Vec<_>>())
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
        .error(errors.of("file"));
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

/// A form with a file: the fields, the file's name and bytes.
pub(crate) struct Sent {
    fields: Fields,
    name: String,
    file: Vec<u8>,
    /// Of a CSV file; empty when none was chosen.
    mapping: Vec<u8>,
}

pub(crate) async fn receive(mut form: Multipart, most: usize) -> Result<Sent, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let (mut name, mut file, mut mapping) = (String::new(), Vec::new(), Vec::new());
    while let Some(mut field) = form.next_field().await.map_err(|_| Problem::too_large(most))? {
        let key = field.name().unwrap_or_default().to_owned();
        let is_file = key == "file";
        if is_file {
            name = field
                .file_name()
                .unwrap_or_default()
                .rsplit(['/', '\\'])
                .next()
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect();
        }
        let room = match key.as_str() {
            "file" => most,
            "mapping" => MAPPING,
            _ => FIELD,
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| Problem::too_large(most))? {
            if bytes.len() + chunk.len() > room {
                return Err(Problem::too_large(most));
            }
            bytes.extend_from_slice(&chunk);
        }
        if is_file {
            file = bytes;
        } else if key == "mapping" {
            mapping = bytes;
        } else {
            if pairs.len() >= web::form::FIELDS_LIMIT {
                return Err(Problem::bad_request("form-too-many-fields"));
            }
            pairs.push((key, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Ok(Sent { fields: Fields::parse(body.as_bytes())?, name, file, mapping })
}

pub(super) async fn upload(State(desk): State<Desk>, visitor: Visitor, form: Multipart) -> Answer {
    let Ok(_permit) = Arc::clone(&desk.uploads).try_acquire_owned() else {
        return Err(Problem::unavailable().because("intel-uploads-busy"));
    };
    let sent = receive(form, desk.intel.limits().upload).await?;
    visitor.check_csrf(&sent.fields)?;
    let places = places(&desk, &visitor).await?;
    if places.is_empty() {
        return Err(Problem::forbidden());
    }
    let mut errors = ErrorSummary::default();
    let format = match sent.fields.text("format") {
        "" => None,
        word => {
            let known = formats::Format::all().iter().find(|f| f.as_str() == word).copied();
            if known.is_none() {
                errors.push("format", visitor.chrome.t("intel-format-wrong"));
            }
            known
        }
    };
    if sent.file.is_empty() {
        errors.push("file", visitor.chrome.t("intel-file-missing"));
    }
    let mapping = mapping(&visitor.chrome, &sent.mapping, &mut errors);
    let place = placed(&visitor.chrome, &places, &sent.fields, &mut errors);
    let Some((place, marking)) = place.filter(|_| errors.is_empty()) else {
        return draw(desk, visitor, &places, &sent.fields, None, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    desk.once.spend(&visitor.chrome.csrf, sent.fields.text("once"), now())?;
    let account = visitor.viewer.account();
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    let Sent { fields, name, file, .. } = sent;
    let done = tried(move || {
        let collection = Some(place.id);
        let job = ImportJob { source: name, format, collection, marking, mapping, ..ImportJob::default() };
        intel.import(&viewer, &job, Box::new(file.as_slice()), &mut |_| {})
    })
    .await?;
    match done {
        Ok(report) => {
            let import = report.import.ok_or_else(Problem::internal)?;
            desk.remember(account, report);
            Ok(web::see_other(&format!("/import/{}", desk.intel.mark_of(import))))
        }
        // The file's own fault, told to who sent it.
        Err(e) if e.status() == 422 => {
            errors.push("file", refused(&visitor.chrome, &e));
            draw(desk, visitor, &places, &fields, None, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(e) => Err(problem(&e)),
    }
}

/// The mapping that was sent, if one was; what is wrong with it stands beside its field.
fn mapping(chrome: &Chrome, sent: &[u8], errors: &mut ErrorSummary) -> Option<formats::Mapping> {
    if sent.is_empty() {
        return None;
    }
    let read = formats::Mapping::parse(&String::from_utf8_lossy(sent));
    read.map_err(|e| errors.push("mapping", chrome.t1("intel-mapping-wrong", "why", e.to_string()))).ok()
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
        Ok((row_of(&intel, &viewer, row), brought, may_withdraw, aside, so_far, withdrawn))
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
        reason: Field::area("reason", chrome.t("intel-withdraw-reason"), 2)
            .hint(chrome.t("intel-withdraw-reason-hint"))
            .error(errors.of("reason")),
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
    let mut check = sent.check(&visitor.chrome.l);
    let reason = check.required("reason", "intel-withdraw-reason-missing", REASON).to_owned();
    let errors = check.done();
    if !errors.is_empty() {
        return draw_one(desk, visitor, import, 0, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
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

/// Why a file was not taken at all.
fn refused(chrome: &Chrome, error: &crate::Error) -> String {
    // What these say in words are options of a command, which is not at hand here.
    let e = match error {
        crate::Error::Format(_) => return chrome.t("intel-file-format"),
        crate::Error::Read(formats::ReadError::Options(_)) => return chrome.t("intel-file-operator"),
        crate::Error::Read(e) => e,
        other => return chrome.t1("intel-file-refused", "why", other.to_string()),
    };
    let reason = Reason::from(e);
    chrome.t2("intel-file-unread", "why", chrome.l.said("aside", reason.code), "detail", reason.detail)
}

/// The beginning of a record, for a page.
fn beginning(record: &str) -> String {
    record.chars().take(SHOWN).collect()
}
