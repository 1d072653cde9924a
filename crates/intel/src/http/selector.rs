//! `/selectors?kind=&value=`: who holds one selector, whether it links, and a person's word on that. Of personal kinds
//! neither kind nor value stands in an address: `/selectors?at=` has both sealed, and forms send them in the body.
use super::shown::{
    Answer, Line, LinkLine, Named, author, blocking, link_lines, moment, problem, query, selector_page, tried,
    with_done,
};
use super::{Desk, Visitor};
use crate::{Overruled, Word};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use people::Right;
use selectors::Kind;
use web::parts::Column;
use web::{ErrorSummary, Field, Fields, Problem};

const HOLDERS: usize = 200;
/// Bytes of a reason.
const REASON: usize = 1_000;
/// What the form may say, in its order; a word that stands is undone by the last.
const WORDS: [(&str, &str, Word); 3] = [
    ("links", "intel-overrule-links", Word::Links),
    ("nothing", "intel-overrule-nothing", Word::LinksNothing),
    ("undo", "intel-overrule-undo", Word::Undo),
];

/// A person's word that stands.
struct Said {
    word: Overruled,
    by: String,
    at: jiff::Timestamp,
}

#[derive(Template)]
#[template(path = "intel_selector.html")]
struct SelectorPage {
    chrome: web::Chrome,
    link: LinkLine,
    columns: Vec<Column>,
    listed: Named,
    said: Option<Said>,
    /// The form's fields; empty for who may not overrule.
    fields: Vec<Field>,
    /// The one word that may be said, and its text: the button says it then.
    sole: Option<(&'static str, &'static str)>,
    errors: ErrorSummary,
}

/// The selector that a form names in its body.
fn named(sent: &Fields) -> Result<(Kind, String), Problem> {
    let kind = Kind::parse(sent.text("kind")).ok_or_else(Problem::not_found)?;
    Ok((kind, sent.text("value").to_owned()))
}

/// The selector that an address names; a personal one only by its seal.
async fn addressed(desk: &Desk, visitor: &Visitor, sent: &Fields) -> Result<(Kind, String), Problem> {
    let at = sent.text("at").to_owned();
    if at.is_empty() {
        return named(sent).and_then(|(kind, value)| match kind.is_personal() {
            true => Err(Problem::not_found()),
            false => Ok((kind, value)),
        });
    }
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    blocking(move || intel.selector_at(&viewer, &at)).await?.ok_or_else(Problem::not_found)
}

pub(super) async fn selector(State(desk): State<Desk>, mut visitor: Visitor, RawQuery(sent): RawQuery) -> Answer {
    visitor.chrome = with_done(visitor.chrome, sent.as_deref(), "");
    let sent = Fields::parse(sent.unwrap_or_default().as_bytes())?;
    let (kind, value) = addressed(&desk, &visitor, &sent).await?;
    draw(desk, visitor, kind, value, &Fields::default(), ErrorSummary::default(), StatusCode::OK).await
}

async fn draw(
    desk: Desk,
    visitor: Visitor,
    kind: Kind,
    value: String,
    sent: &Fields,
    errors: ErrorSummary,
    status: StatusCode,
) -> Answer {
    let Visitor { viewer, chrome, about, .. } = visitor;
    let intel = desk.intel.clone();
    let may = viewer.may(Right::OverruleLinks) && !viewer.writes().is_empty();
    let (link, listed, said) = blocking(move || {
        let link =
            intel.links_of_selector(&viewer, kind, &value)?.filter(|l| l.count > 0).ok_or(crate::Error::NotFound)?;
        let said = intel.overruled(&viewer, kind, &value)?.map(|word| Said {
            by: author(&intel, &viewer, word.author),
            at: moment(word.arrived),
            word,
        });
        let line = link_lines(&intel, &viewer, std::slice::from_ref(&link), HOLDERS, "")?.pop();
        let listed = Named::of(intel.library().listed(kind.as_str(), &value));
        Ok((line.ok_or(crate::Error::NotFound)?, listed, said))
    })
    .await?;
    // As a search for it: the access log keeps the keyed hash alone.
    about.asked(&link.value);
    about.objects(link.holders.iter().map(|h| &h.id));
    about.objects(link.holders.iter().flat_map(|h| &h.beside));
    let offered = if may { offered(&link, said.as_ref()) } else { Vec::new() };
    let sole = if let [(name, label)] = offered[..] { Some((name, label)) } else { None };
    let fields = fields(&chrome, &offered, sent, &errors);
    let columns = Line::columns(&chrome);
    let chrome = chrome.titled(link.value.clone());
    Ok(web::page_with(status, &SelectorPage { chrome, link, columns, listed, said, fields, sole, errors }))
}

/// The words that change something, each with its text.
fn offered(link: &LinkLine, said: Option<&Said>) -> Vec<(&'static str, &'static str)> {
    let changes = |word: Word| match (word, said) {
        (Word::Links, _) => link.suppressed.is_some(),
        (Word::LinksNothing, Some(said)) => said.word.links,
        (Word::LinksNothing, None) => link.suppressed.is_none(),
        (Word::Undo, said) => said.is_some(),
    };
    WORDS.into_iter().filter(|(_, _, word)| changes(*word)).map(|(name, label, _)| (name, label)).collect()
}

/// Which word, when there are several, and why.
fn fields(
    chrome: &web::Chrome,
    offered: &[(&'static str, &'static str)],
    sent: &Fields,
    errors: &ErrorSummary,
) -> Vec<Field> {
    let mut fields = Vec::new();
    if offered.len() > 1 {
        let radios = Field::radios("word", chrome.t("intel-overrule-word")).error(errors.of("word")).small();
        let radios = offered.iter().fold(radios, |field, (name, label)| field.choice(name, chrome.t(label)));
        fields.push(radios.value(sent.text("word")));
    }
    if !offered.is_empty() {
        let why = Field::area("reason", chrome.t("intel-overrule-reason"), 2)
            .hint(chrome.t("intel-overrule-reason-hint"))
            .value(sent.text("reason"))
            .error(errors.of("reason"));
        fields.push(why);
    }
    fields
}

pub(super) async fn overrule(State(desk): State<Desk>, visitor: Visitor, sent: Fields) -> Answer {
    let (kind, value) = named(&sent)?;
    let mut check = sent.check(&visitor.chrome.l);
    let word = check.one_of("word", &WORDS.map(|(name, _, _)| name), "intel-overrule-word-missing");
    let word = WORDS.into_iter().find(|(name, _, _)| *name == word).map(|(_, _, word)| word);
    let reason = check.required("reason", "intel-overrule-reason-missing", REASON).to_owned();
    let errors = check.done();
    let Some(word) = word.filter(|_| errors.is_empty()) else {
        return draw(desk, visitor, kind, value, &sent, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let (intel, viewer, named) = (desk.intel.clone(), visitor.viewer.clone(), value.clone());
    let done = tried(move || intel.overrule(&viewer, kind, &named, word, &reason)).await?;
    done.map_err(|e| match e {
        crate::Error::Forbidden(_) => Problem::forbidden().because("intel-overrule-nowhere"),
        other => problem(&other),
    })?;
    Ok(web::see_other(&format!("{}&{}", selector_page(&desk.intel, kind, &value), query(&[("done", "overruled")]))))
}
