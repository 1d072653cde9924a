//! `/selectors?kind=&value=`: who holds one selector. Personal kinds have no page: their values stand in no address.
use super::shown::{Answer, Line, LinkLine, Named, blocking};
use super::{Desk, Visitor};
use askama::Template;
use axum::extract::{RawQuery, State};
use web::parts::Column;
use web::{Fields, Problem};

const HOLDERS: usize = 200;

#[derive(Template)]
#[template(path = "intel_selector.html")]
struct SelectorPage {
    chrome: web::Chrome,
    link: LinkLine,
    columns: Vec<Column>,
    listed: Named,
}

pub(super) async fn selector(State(desk): State<Desk>, visitor: Visitor, RawQuery(sent): RawQuery) -> Answer {
    let sent = Fields::parse(sent.unwrap_or_default().as_bytes())?;
    let Visitor { viewer, chrome, about, .. } = visitor;
    let kind = selectors::Kind::parse(sent.text("kind")).filter(|k| !k.is_personal()).ok_or_else(Problem::not_found)?;
    let value = sent.text("value").to_owned();
    let intel = desk.intel.clone();
    let (link, listed) = blocking(move || {
        let link =
            intel.links_of_selector(&viewer, kind, &value)?.filter(|l| l.count > 0).ok_or(crate::Error::NotFound)?;
        Ok((LinkLine::of(&intel, &link, HOLDERS, ""), Named::of(intel.library().listed(kind.as_str(), &value))))
    })
    .await?;
    about.objects(link.holders.iter().map(|h| &h.id));
    let columns = Line::columns(&chrome);
    let chrome = chrome.titled(link.value.clone());
    Ok(web::page(&SelectorPage { chrome, link, columns, listed }))
}
