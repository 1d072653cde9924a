//! `/`: what came in, what links, how much stands where. Administrators and auditors are led to `/desk`.
use super::exercise::Standing;
use super::shown::{Answer, Line, LinkLine, blocking, found_lines, link_lines, title, with_done};
use super::{Desk, Visitor};
use askama::Template;
use axum::extract::{RawQuery, State};
use std::collections::HashSet;

const NEWEST: usize = 20;
const LINKS: usize = 10;
const HOLDERS: usize = 3;

struct Stock {
    title: String,
    objects: u64,
    versions: u64,
}

#[derive(Template)]
#[template(path = "intel_overview.html")]
struct Overview {
    chrome: web::Chrome,
    writes: bool,
    rows: Vec<Line>,
    links: Vec<LinkLine>,
    stock: Vec<Stock>,
    /// An EXERCISE world stands that she may take away.
    exercise: bool,
}

pub(super) async fn overview(State(desk): State<Desk>, mut visitor: Visitor, RawQuery(query): RawQuery) -> Answer {
    visitor.chrome = with_done(visitor.chrome, query.as_deref(), "");
    let Visitor { viewer, chrome, about, .. } = visitor;
    // Who reads no intelligence has a first page of their own.
    if !viewer.may_read_bodies() {
        return Ok(web::see_other("/desk"));
    }
    let writes = !viewer.writes().is_empty();
    let intel = desk.intel.clone();
    let (rows, links, stock, exercise) = blocking(move || {
        let mut met = HashSet::new();
        let mut newest = intel.latest(&viewer, None, NEWEST)?;
        newest.retain(|hit| met.insert(hit.row.id.clone()));
        let rows = found_lines(&intel, &viewer, &newest)?;
        let links = link_lines(&intel, &viewer, &intel.latest_links(&viewer, LINKS)?, HOLDERS, "")?;
        let stock = |c: crate::CollectionCount| {
            let col = intel.people().collection(c.collection).ok().flatten()?.col;
            Some(Stock { title: title(&intel, col), objects: c.objects, versions: c.versions })
        };
        let stock: Vec<Stock> = intel.counts(&viewer)?.into_iter().filter_map(stock).collect();
        let exercise = Standing::of(&intel, &viewer)?.is_some();
        Ok((rows, links, stock, exercise))
    })
    .await?;
    about.objects(rows.iter().map(|line| &line.id));
    about.objects(links.iter().flat_map(|l| &l.holders).map(|h| &h.id));
    about.objects(rows.iter().chain(links.iter().flat_map(|l| &l.holders)).flat_map(|line| &line.beside));
    let page = Overview {
        chrome: {
            let name = chrome.t("intel-overview-title");
            chrome.titled(name)
        },
        writes,
        rows,
        links,
        stock,
        exercise,
    };
    Ok(web::page(&page))
}
