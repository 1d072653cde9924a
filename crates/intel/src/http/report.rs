//! `/report`: a pasted text is read, looked at, and saved. Looking and saving are two steps; only the second writes.
use super::shown::{Answer, blocking, columns, now, once, page_of, problem, selector_page, tlp, tried, writable};
use super::text::{Piece, pieces};
use super::{Desk, Visitor};
use crate::reading::{spell, unspell};
use crate::{Corrections, ImportJob};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use people::Collection;
use people::entry::Purpose;
use std::sync::Arc;
use stix::{Country, NoCountry};
use web::parts::{Column, Tlp};
use web::{Chrome, ErrorSummary, Field, Fields, Problem};

/// Characters of a pasted text; longer ones are files.
const LONGEST: usize = 200_000;
/// Selectors named in the preview; the rest is counted.
const NAMED: usize = 500;
/// Characters of a country's field: who writes a name there is told its code.
const COUNTRY: usize = 60;
/// Lines of what was added that are read.
const ADDED: usize = 50;

#[derive(Template)]
#[template(path = "intel_report.html")]
struct FormPage {
    chrome: Chrome,
    errors: ErrorSummary,
    fields: Vec<Field>,
    /// Corrections, kept while the text is changed.
    kept: Vec<(&'static str, String)>,
    may_write: bool,
}

struct ReadLine {
    /// `kind:value`, as the form sends it back.
    word: String,
    left_out: bool,
    added: bool,
    kind: String,
    value: String,
    strength: &'static str,
    why: &'static str,
    listed: Vec<reference::Listing>,
}

#[derive(Template)]
#[template(path = "intel_preview.html")]
struct Preview {
    chrome: Chrome,
    once: String,
    kept: Vec<(&'static str, String)>,
    says: Vec<Piece>,
    collection: String,
    readers: Vec<String>,
    leaves: bool,
    marking: Tlp,
    columns: Vec<Column>,
    found: Vec<ReadLine>,
    more: usize,
    errors: ErrorSummary,
    add: Field,
}

pub(super) async fn form(State(desk): State<Desk>, visitor: Visitor) -> Answer {
    let places = places(&desk, &visitor).await?;
    Ok(form_page(visitor.chrome, &places, &Fields::default(), ErrorSummary::default(), StatusCode::OK))
}

pub(super) async fn places(desk: &Desk, visitor: &Visitor) -> Result<Vec<Arc<Collection>>, Problem> {
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    blocking(move || writable(&intel, &viewer)).await
}

/// The fields that say where to and under which marking.
pub(super) fn place_fields(
    chrome: &Chrome,
    places: &[Arc<Collection>],
    sent: &Fields,
    errors: &ErrorSummary,
) -> Vec<Field> {
    let mut collection =
        Field::select("collection", chrome.t("intel-collection")).hint(chrome.t("intel-collection-hint"));
    for place in places {
        collection = collection.choice(&place.id.to_string(), place.title());
    }
    let chosen = if sent.text("collection").is_empty() {
        ledger::INTAKE.to_string()
    } else {
        sent.text("collection").to_owned()
    };
    let mut marking = Field::select("marking", chrome.t("intel-marking")).hint(chrome.t("intel-marking-hint"));
    marking = marking.choice("", chrome.t("intel-marking-default"));
    for level in stix::Tlp::ALL {
        marking = marking.choice(level.as_str(), tlp(level).label());
    }
    vec![
        collection.value(chosen).error(errors.of("collection")),
        marking.value(sent.text("marking")).error(errors.of("marking")),
    ]
}

/// What [`place_fields`] brought back.
pub(super) fn placed(
    chrome: &Chrome,
    places: &[Arc<Collection>],
    sent: &Fields,
    errors: &mut ErrorSummary,
) -> Option<(Arc<Collection>, Option<stix::Tlp>)> {
    let place = places.iter().find(|c| c.id.to_string() == sent.text("collection")).cloned();
    let marking = Some(sent.text("marking")).filter(|m| !m.is_empty());
    let level = marking.map(|m| stix::Tlp::ALL.into_iter().find(|t| t.as_str() == m));
    if place.is_none() {
        errors.push("collection", chrome.t("intel-collection-wrong"));
    }
    let place = place?;
    match level {
        Some(None) => errors.push("marking", chrome.t("intel-marking-wrong")),
        Some(Some(level)) if level > place.audience.highest => {
            errors.push("marking", chrome.t("intel-marking-too-tight"))
        }
        _ => {}
    }
    Some((place, level.flatten()))
}

/// The corrections as they were sent.
fn corrected(sent: &Fields) -> Vec<(&'static str, String)> {
    let added = Some(sent.text("add")).filter(|t| !t.is_empty()).map(|t| ("add", t.to_owned()));
    sent.all("left_out").map(|word| ("left_out", word.to_owned())).chain(added).collect()
}

/// What was left out and what was added; a line that reads as no selector is told beside its field.
fn corrections(chrome: &Chrome, sent: &Fields, country: Option<&str>, errors: &mut ErrorSummary) -> Corrections {
    let mut out = Corrections { left_out: sent.all("left_out").filter_map(unspell).collect(), added: Vec::new() };
    for line in sent.text("add").lines().map(str::trim).filter(|l| !l.is_empty()).take(ADDED) {
        let hints = selectors::Hints { country };
        let read = selectors::parse_query_with(line, &hints).into_iter().next();
        let read = read.or_else(|| {
            let found = selectors::scan(line, &hints);
            found.into_iter().next().map(|f| (f.kind, f.value))
        });
        match read {
            Some(read) => out.added.push(read),
            None => errors.push("add", chrome.t1("intel-add-wrong", "line", line)),
        }
    }
    out
}

fn form_page(
    chrome: Chrome,
    places: &[Arc<Collection>],
    sent: &Fields,
    errors: ErrorSummary,
    status: StatusCode,
) -> axum::response::Response {
    let mut fields = vec![
        Field::area("text", chrome.t("intel-report-text"), 12)
            .hint(chrome.t("intel-report-text-hint"))
            .value(sent.raw("text").unwrap_or_default())
            .attribute("dir", "auto")
            .error(errors.of("text")),
        Field::input("country", chrome.t("intel-country"))
            .hint(chrome.t("intel-country-hint"))
            .value(sent.text("country"))
            .width(10)
            .error(errors.of("country")),
    ];
    fields.extend(place_fields(&chrome, places, sent, &errors));
    let title = chrome.t("intel-report-title");
    web::page_with(
        status,
        &FormPage {
            chrome: chrome.titled(title),
            errors,
            fields,
            kept: corrected(sent),
            may_write: !places.is_empty(),
        },
    )
}

pub(super) async fn save(State(desk): State<Desk>, visitor: Visitor, sent: Fields) -> Answer {
    let places = places(&desk, &visitor).await?;
    if places.is_empty() {
        return Err(Problem::forbidden());
    }
    let mut check = sent.check(&visitor.chrome.l);
    check.required("text", "intel-report-text-missing", LONGEST);
    let country = Some(check.text("country", COUNTRY)).filter(|c| !c.is_empty()).map(str::parse::<Country>).transpose();
    let mut errors = check.done();
    let country = country.unwrap_or_else(|e| {
        errors.push("country", no_country(&visitor.chrome, &e));
        None
    });
    let placed = placed(&visitor.chrome, &places, &sent, &mut errors);
    let text = sent.raw("text").unwrap_or_default().to_owned();
    let node = desk.intel.inner.country.clone();
    let mut wrong = ErrorSummary::default();
    let said = corrections(&visitor.chrome, &sent, country.map(Country::as_str).or(node.as_deref()), &mut wrong);
    match (placed, sent.text("step")) {
        (Some((place, marking)), "save") if errors.is_empty() && wrong.is_empty() => {
            desk.once.spend(&visitor.chrome.csrf, sent.text("once"), now())?;
            write(desk, visitor, text, place, marking, country, said).await
        }
        (Some((place, marking)), "look" | "save") if errors.is_empty() => {
            preview(desk, visitor, text, place, marking, country, said, (sent.text("add").to_owned(), wrong)).await
        }
        (_, "change") => Ok(form_page(visitor.chrome, &places, &sent, ErrorSummary::default(), StatusCode::OK)),
        _ => Ok(form_page(visitor.chrome, &places, &sent, errors, StatusCode::UNPROCESSABLE_ENTITY)),
    }
}

/// Beside the field: what is wrong and what may have been meant.
fn no_country(chrome: &Chrome, wrong: &NoCountry) -> String {
    let near = |c: &Country| format!("{c} ({})", c.name().unwrap_or_default());
    let near: Vec<_> = wrong.near.iter().map(near).collect();
    match near.is_empty() {
        true => chrome.t("intel-country-wrong"),
        false => chrome.t1("intel-country-wrong-near", "near", near.join(", ")),
    }
}

#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one form")]
async fn preview(
    desk: Desk,
    visitor: Visitor,
    text: String,
    place: Arc<Collection>,
    marking: Option<stix::Tlp>,
    country: Option<Country>,
    said: Corrections,
    (typed, errors): (String, ErrorSummary),
) -> Answer {
    let (intel, scanned) = (desk.intel.clone(), text.clone());
    let (found, more, says) = blocking(move || {
        let country = country.map(Country::as_str).or(intel.inner.country.as_deref());
        let hints = selectors::Hints { country };
        let mut found = selectors::scan(&scanned, &hints);
        let mut stands = found.clone();
        said.apply(&mut stands, &hints);
        let says = pieces(&scanned, &stands, &|kind, value| selector_page(&intel, kind, value));
        found.extend(stands.into_iter().filter(|s| s.span.is_empty()));
        found.sort_by_key(|f| std::cmp::Reverse(f.strength));
        let more = found.len().saturating_sub(NAMED);
        let library = intel.library();
        let line = |f: selectors::Found| ReadLine {
            word: spell(&(f.kind, f.value.clone())),
            left_out: said.left_out.iter().any(|(kind, value)| *kind == f.kind && *value == f.value),
            added: said.added.iter().any(|(kind, value)| *kind == f.kind && *value == f.value),
            kind: f.kind.as_str().to_owned(),
            strength: match f.strength {
                selectors::Strength::Never => "intel-strength-never",
                selectors::Strength::Weak => "intel-strength-weak",
                selectors::Strength::Links => "intel-strength-links",
            },
            why: f.why,
            listed: library.listed(f.kind.as_str(), &f.value),
            value: f.value,
        };
        Ok((found.into_iter().take(NAMED).map(line).collect::<Vec<_>>(), more, says))
    })
    .await?;
    let chrome = visitor.chrome;
    let once = once(&desk, &chrome)?;
    let title = chrome.t("intel-preview-title");
    let kept = vec![
        ("text", text),
        ("country", country.map(|c| c.to_string()).unwrap_or_default()),
        ("collection", place.id.to_string()),
        ("marking", marking.map(|m| m.as_str().to_owned()).unwrap_or_default()),
    ];
    let readers: Vec<String> = place.audience.members.iter().filter_map(|m| m.peer.clone()).collect();
    let page = Preview {
        columns: columns(
            &chrome,
            &["intel-col-selector", "intel-col-strength", "intel-col-why", "intel-col-listed", "intel-col-leave-out"],
        ),
        add: Field::area("add", chrome.t("intel-add"), 2)
            .hint(chrome.t("intel-add-hint"))
            .value(typed)
            .attribute("dir", "auto")
            .error(errors.of("add")),
        collection: place.title().to_owned(),
        leaves: !readers.is_empty() || place.audience.sort == Purpose::Shared,
        marking: tlp(marking.unwrap_or(place.audience.default)),
        chrome: chrome.titled(title),
        once,
        kept,
        says,
        readers,
        found,
        more,
        errors,
    };
    let status = if page.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(web::page_with(status, &page))
}

async fn write(
    desk: Desk,
    visitor: Visitor,
    text: String,
    place: Arc<Collection>,
    marking: Option<stix::Tlp>,
    country: Option<Country>,
    corrections: Corrections,
) -> Answer {
    let account = visitor.viewer.account();
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    let done = tried(move || {
        let job = ImportJob {
            source: "report page".into(),
            format: Some(formats::Format::Text),
            collection: Some(place.id),
            marking,
            country,
            corrections,
            ..ImportJob::default()
        };
        let report = intel.import(&viewer, &job, Box::new(text.as_bytes()), &mut |_| {})?;
        let brought = match report.import {
            Some(import) => intel.brought(&viewer, import, 2)?,
            None => Vec::new(),
        };
        Ok((report, brought))
    })
    .await?;
    let (report, brought) = done.map_err(|e| problem(&e))?;
    let import = report.import;
    visitor.about.objects(brought.iter().map(|hit| &hit.row.id));
    desk.remember(account, report);
    match (brought.as_slice(), import) {
        ([one], _) => Ok(web::see_other(&format!("{}?done=saved", page_of(&desk.intel, &one.row.id)))),
        (_, Some(import)) => Ok(web::see_other(&format!("/import/{}?done=saved", desk.intel.mark_of(import)))),
        _ => Err(Problem::internal()),
    }
}
