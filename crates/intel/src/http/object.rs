//! `/objects/{id}`: one object with its versions, selectors, links and neighbours, and its withdrawal.
use super::object_pages::{BESIDE, From, LINKS, NEIGHBOURS, RAW, SELECTORS, Turn, VERSIONS, cut};
use super::shown::{
    AllTold, Answer, Line, LinkLine, author, columns, link_lines, moment, page_of, problem, reason_field, reason_of,
    selector_page, title, tlp, tried, with_done,
};
use super::text::{Piece, says};
use super::withdrawn::{self, Gone};
use super::{Desk, Visitor};
use crate::view::state;
use crate::{Intel, ObjectRow, Versions, Which};
use askama::Template;
use axum::extract::{Path, RawQuery, State};
use people::Viewer;
use web::graph::{Edge, Figure, Node};
use web::parts::{Column, Event, Tlp};
use web::{Chrome, Field, Fields, Problem};

/// Holders of one selector that are named.
const HOLDERS: usize = 5;
/// Holders of one selector that the figure names.
const DRAWN: usize = 8;

struct Selector {
    kind: String,
    value: String,
    href: String,
    strength: &'static str,
    why: &'static str,
    listed: Vec<reference::Listing>,
}

struct Beside {
    line: Line,
    how: String,
    outgoing: bool,
    says: Option<Says>,
}

/// A relationship's statement, with its other end.
struct Says {
    kind: String,
    forward: bool,
    other: Option<Line>,
}

impl Beside {
    fn of(intel: &Intel, n: crate::Neighbour) -> Self {
        // The row names both ends already.
        let plain = AllTold::new();
        let line = |hit: &crate::Hit| Line::of(intel, hit, &plain);
        let says = n.says.map(|s| Says { kind: s.kind, forward: s.forward, other: s.other.as_ref().map(line) });
        Self { line: line(&n.hit), how: n.how, outgoing: n.outgoing, says }
    }

    /// What the row is about: the other end of a relationship, where it is known.
    fn about(&self) -> &Line {
        self.says.as_ref().and_then(|s| s.other.as_ref()).unwrap_or(&self.line)
    }

    /// How the two belong together, seen from the object asked about.
    fn way(&self, chrome: &Chrome) -> String {
        match self.how.as_str() {
            "source_ref" if self.outgoing => return chrome.t("intel-end-source"),
            "target_ref" if self.outgoing => return chrome.t("intel-end-target"),
            _ => {}
        }
        let (forward, how) = match &self.says {
            Some(says) => (says.forward, chrome.how(&says.kind)),
            None => (self.outgoing, chrome.how(&self.how)),
        };
        chrome.t1(if forward { "intel-refers" } else { "intel-referred" }, "how", how)
    }

    /// A relationship in a sentence, both of its ends named.
    fn sentence(&self, chrome: &Chrome, name: &str) -> Option<String> {
        let says = self.says.as_ref()?;
        let other = says.other.as_ref().map_or_else(|| chrome.t("intel-end-unseen"), |line| line.called(chrome));
        let (from, to) = if says.forward { (name, other.as_str()) } else { (other.as_str(), name) };
        let args = [("from", from.into()), ("how", chrome.how(&says.kind).into()), ("to", to.into())];
        Some(chrome.t_args("intel-statement", &args))
    }
}

struct Version {
    collection: String,
    /// What has no versions has none.
    version: Option<jiff::Timestamp>,
    at: jiff::Timestamp,
    by: String,
    reported: String,
    import: Option<String>,
    marking: Tlp,
    body: String,
    /// The body is longer than what is shown.
    cut: bool,
}

/// Everything of an object that one viewer sees.
struct Read {
    row: ObjectRow,
    href: String,
    name: String,
    says: Vec<Piece>,
    raw: String,
    raw_cut: bool,
    by: String,
    reported: crate::Told,
    collections: Vec<String>,
    versions: Vec<Version>,
    standings: Vec<Version>,
    /// How many versions stand.
    all_versions: usize,
    withdrawn: Vec<Gone>,
    selectors: Vec<Selector>,
    links: Vec<LinkLine>,
    not_looked_up: usize,
    neighbours: Vec<Beside>,
    turns: Turns,
    may_withdraw: bool,
}

/// How each list goes on.
#[derive(Default)]
struct Turns {
    links: Turn,
    selectors: Turn,
    neighbours: Turn,
    versions: Turn,
}

#[derive(Template)]
#[template(path = "intel_object.html")]
struct ObjectPage {
    chrome: Chrome,
    id: String,
    kind: String,
    says: Vec<Piece>,
    marking: Tlp,
    arrived: jiff::Timestamp,
    by: String,
    /// Who reported it, and the page of that identity where there is one.
    reported: (String, String),
    import: Option<String>,
    revoked: bool,
    wrong_id: bool,
    collections: Vec<String>,
    selector_columns: Vec<Column>,
    selectors: Vec<Selector>,
    link_columns: Vec<Column>,
    links: Vec<LinkLine>,
    not_looked_up: usize,
    turns: Turns,
    neighbour_columns: Vec<Column>,
    neighbours: Vec<Beside>,
    figure: Option<Figure>,
    standing_columns: Vec<Column>,
    standings: Vec<Version>,
    events: Vec<Event>,
    beside: Vec<Version>,
    raw: String,
    raw_cut: bool,
    may_withdraw: bool,
    /// Where it is erased, for whoever may.
    erase: Option<String>,
    errors: web::ErrorSummary,
    reason: Field,
    action: String,
}

/// The object of an address: of what cannot have been made here there is nothing.
pub(super) fn named(desk: &Desk, visitor: &Visitor, address: &str) -> Result<String, Problem> {
    let id = desk.intel.id_at(address).ok_or_else(Problem::not_found)?;
    visitor.about.objects([&id]);
    Ok(id)
}

pub(super) async fn object(
    State(desk): State<Desk>,
    mut visitor: Visitor,
    Path(address): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    visitor.chrome = with_done(visitor.chrome, query.as_deref(), "#withdraw");
    let id = named(&desk, &visitor, &address)?;
    if desk.intel.address_of(&id) != address {
        // Whether it exists or not: a guessable id does not stay in the address bar.
        return Ok(web::see_other(&page_of(&desk.intel, &id)));
    }
    let from = From::parse(query.as_deref());
    draw(desk, visitor, (id, from), web::ErrorSummary::default(), axum::http::StatusCode::OK).await
}

async fn draw(
    desk: Desk,
    visitor: Visitor,
    (id, from): (String, From),
    errors: web::ErrorSummary,
    status: axum::http::StatusCode,
) -> Answer {
    let Visitor { viewer, chrome, about, .. } = visitor;
    let intel = desk.intel.clone();
    let named = id.clone();
    let may_expunge = viewer.may_expunge();
    let read = match tried(move || read(&intel, &viewer, &named, from)).await?.map_err(|e| problem(&e))? {
        Stands::Here(read) => *read,
        Stands::Withdrawn(rows) => {
            let erase = may_expunge.then(|| format!("{}/erase", page_of(&desk.intel, &id)));
            return Ok(withdrawn::page(chrome, id, rows, erase));
        }
    };
    about.objects(read.neighbours.iter().map(|n| &n.line.id));
    about.objects(read.neighbours.iter().map(|n| &n.about().id));
    about.objects(read.links.iter().flat_map(|l| &l.holders).map(|h| &h.id));
    about.objects(read.links.iter().flat_map(|l| &l.holders).flat_map(|h| &h.beside));
    about.objects(Some(&read.reported.by_id).filter(|id| !id.is_empty()));
    let title = title_of(&chrome, &read);
    let figure = figure(&chrome, &read, &title);
    let event = |v: &Version| Event {
        title: match &v.version {
            Some(at) => chrome.t1("intel-version", "at", chrome.when(at).text().to_owned()),
            None => chrome.t("intel-without-version"),
        },
        by: v.by.clone(),
        at: v.at,
        text: v.collection.clone(),
        link: v.import.clone().map(|n| (format!("/import/{n}"), chrome.t("intel-see-import"))),
        marking: Some(v.marking),
    };
    let mut events: Vec<Event> = read.versions.iter().map(event).collect();
    events.extend(read.withdrawn.iter().map(|gone| gone.event(&chrome)));
    events.sort_by_key(|e| std::cmp::Reverse(e.at));
    let has = |bit: i64| read.row.state & bit != 0;
    let page = ObjectPage {
        kind: read.row.object_type.clone(),
        says: read.says,
        marking: tlp(read.row.tlp),
        arrived: moment(read.row.arrived),
        by: read.by,
        reported: {
            let crate::Told { by, by_id, .. } = read.reported;
            (by, if by_id.is_empty() { by_id } else { page_of(&desk.intel, &by_id) })
        },
        import: read.row.cause.map(|pos| desk.intel.mark_of(pos)),
        revoked: has(state::REVOKED),
        wrong_id: has(state::WRONG_ID),
        collections: read.collections,
        selectors: read.selectors,
        not_looked_up: read.not_looked_up,
        turns: read.turns,
        raw_cut: read.raw_cut,
        links: read.links,
        neighbours: read.neighbours,
        figure,
        events,
        raw: read.raw,
        may_withdraw: read.may_withdraw,
        standings: read.standings,
        standing_columns: columns(
            &chrome,
            &[
                "intel-col-collection",
                "intel-col-reported",
                "intel-col-marking",
                "intel-col-version",
                "intel-col-entered",
                "intel-col-arrived",
            ],
        ),
        beside: if read.all_versions > 1 { read.versions } else { Vec::new() },
        selector_columns: columns(
            &chrome,
            &["intel-col-selector", "intel-col-strength", "intel-col-why", "intel-col-listed"],
        ),
        link_columns: columns(&chrome, &["intel-col-selector", "intel-col-also-in", "intel-col-links"]),
        neighbour_columns: columns(
            &chrome,
            &["intel-col-how", "intel-col-name", "intel-col-type", "intel-col-marking"],
        ),
        reason: reason_field(&chrome, &errors),
        action: format!("{}/withdraw", read.href),
        erase: may_expunge.then(|| format!("{}/erase", read.href)),
        id: read.row.id,
        errors,
        chrome: chrome.titled(title),
    };
    Ok(web::page_with(status, &page))
}

/// What stands of an object for one viewer.
enum Stands {
    /// At least one version.
    Here(Box<Read>),
    /// None any longer.
    Withdrawn(Vec<Gone>),
}

fn read(intel: &Intel, viewer: &Viewer, id: &str, from: From) -> crate::Result<Stands> {
    let withdrawn: Vec<Gone> = intel.withdrawals(viewer, id)?.into_iter().map(|w| Gone::of(intel, viewer, w)).collect();
    let Some((row, raw)) = intel.current(viewer, id)? else {
        return if withdrawn.is_empty() { Err(crate::Error::NotFound) } else { Ok(Stands::Withdrawn(withdrawn)) };
    };
    let value: serde_json::Value = serde_json::from_str(&raw).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&value).unwrap_or_else(|_| raw.clone());
    let (pretty, raw_cut) = cut(&pretty, RAW);
    let standing = intel.standings(viewer, id)?;
    let all_versions = intel.count_versions(viewer, id)?;
    let page = Versions { from: from.versions, limit: VERSIONS, ..Versions::default() };
    let rows = intel.versions(viewer, id, &page)?;
    let mut told = intel.told(viewer, rows.iter().chain(&standing).chain([&row]))?;
    let read_all = |rows: &[ObjectRow]| -> crate::Result<Vec<Version>> {
        let mut versions = Vec::new();
        intel.bodies(rows, &mut |r, body| {
            let reported = told.get(&r.pos).map(|t| t.by.clone()).unwrap_or_default();
            versions.push(version(intel, viewer, r, body, reported));
        })?;
        Ok(versions)
    };
    let (versions, standings) = (read_all(&rows)?, read_all(&standing)?);
    let found = intel.selectors_of(&row, &raw);
    let more_selectors = found.len() > from.selectors.saturating_add(SELECTORS);
    let library = intel.library();
    let selector = |f: selectors::Found| Selector {
        kind: f.kind.as_str().to_owned(),
        href: selector_page(intel, f.kind, &f.value),
        strength: match f.strength {
            selectors::Strength::Never => "intel-strength-never",
            selectors::Strength::Weak => "intel-strength-weak",
            selectors::Strength::Links => "intel-strength-links",
        },
        why: f.why,
        listed: library.listed(f.kind.as_str(), &f.value),
        value: f.value,
    };
    let links = intel.links_of_object(viewer, id, from.links, LINKS)?;
    let (neighbours, more_neighbours) = intel.neighbours(viewer, id, from.neighbours, NEIGHBOURS)?;
    let href = page_of(intel, id);
    let after = |here: usize, step: usize, more: bool| more.then_some(here.saturating_add(step));
    let more_versions = all_versions > from.versions.saturating_add(VERSIONS);
    let turns = Turns {
        links: Turn::new(&href, "links", from, from.links, links.next, |f, links| From { links, ..f }),
        selectors: Turn::new(
            &href,
            "selectors",
            from,
            from.selectors,
            after(from.selectors, SELECTORS, more_selectors),
            |f, selectors| From { selectors, ..f },
        ),
        neighbours: Turn::new(
            &href,
            "neighbours",
            from,
            from.neighbours,
            after(from.neighbours, NEIGHBOURS, more_neighbours),
            |f, neighbours| From { neighbours, ..f },
        ),
        versions: Turn::new(
            &href,
            "history",
            from,
            from.versions,
            after(from.versions, VERSIONS, more_versions),
            |f, versions| From { versions, ..f },
        ),
    };
    Ok(Stands::Here(Box::new(Read {
        withdrawn,
        href,
        name: crate::name_of(&value),
        says: says(intel, &value),
        raw: pretty.into_owned(),
        raw_cut,
        by: author(intel, viewer, row.author),
        reported: told.remove(&row.pos).unwrap_or_default(),
        collections: standing.iter().map(|r| title(intel, r.col)).collect(),
        versions,
        all_versions,
        standings,
        selectors: found.into_iter().skip(from.selectors).take(SELECTORS).map(selector).collect(),
        links: link_lines(intel, viewer, &links.links, HOLDERS, id)?,
        not_looked_up: links.not_looked_up,
        neighbours: neighbours.into_iter().map(|n| Beside::of(intel, n)).collect(),
        turns,
        may_withdraw: viewer.may_withdraw() && standing.iter().all(|r| viewer.may_write(r.col)),
        row,
    })))
}

/// Its name; of a relationship both ends with it, where they are known.
fn title_of(chrome: &Chrome, read: &Read) -> String {
    let end = |property: &str| {
        let found = read.neighbours.iter().find(|n| n.outgoing && n.how == property);
        found.map_or_else(|| chrome.t("intel-end-unseen"), |n| n.line.called(chrome))
    };
    match (read.row.object_type.as_str(), read.name.as_str()) {
        ("relationship", how) => {
            // `name_of` spells a relationship's type with spaces.
            let how = chrome.how(&how.replace(' ', "-"));
            let args = [("from", end("source_ref").into()), ("how", how.into()), ("to", end("target_ref").into())];
            chrome.t_args("intel-statement", &args)
        }
        (kind, "") => chrome.kind(kind),
        (_, name) => name.to_owned(),
    }
}

fn version(intel: &Intel, viewer: &Viewer, row: &ObjectRow, body: &str, reported: String) -> Version {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
    let (shown, is_cut) = cut(&pretty, BESIDE);
    Version {
        collection: title(intel, row.col),
        version: (row.state & state::UNVERSIONED == 0).then(|| moment(row.version)),
        reported,
        at: moment(row.arrived),
        by: author(intel, viewer, row.author),
        import: row.cause.map(|pos| intel.mark_of(pos)),
        marking: tlp(row.tlp),
        body: shown.into_owned(),
        cut: is_cut,
    }
}

/// The object in the middle, what refers to it, and who holds the same selectors.
fn figure(chrome: &Chrome, read: &Read, name: &str) -> Option<Figure> {
    let me = read.href.as_str();
    let node = |id: &str, label: &str, kind: &str, href: String, marking| Node {
        id: id.to_owned(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        kind_label: chrome.kind(kind),
        href,
        marking,
    };
    let mut nodes = vec![node(me, name, &read.row.object_type, read.href.clone(), Some(tlp(read.row.tlp)))];
    let mut edges = Vec::new();
    let mut known = std::collections::HashSet::from([read.href.clone()]);
    let mut edge = |from: &str, to: &str, label: &str, sure| {
        edges.push(Edge { from: from.to_owned(), to: to.to_owned(), label: label.to_owned(), sure });
    };
    let mut other = |line: &Line, nodes: &mut Vec<Node>| {
        if known.insert(line.href.clone()) {
            nodes.push(node(&line.href, &line.called(chrome), &line.kind, line.href.clone(), Some(line.marking)));
        }
    };
    for n in read.neighbours.iter().filter(|n| n.about().href != me) {
        // A relationship whose other end is known is the line between the two.
        let (line, says) = (n.about(), n.says.as_ref());
        other(line, &mut nodes);
        let forward = says.map_or(n.outgoing, |s| s.forward);
        let (from, to) = if forward { (me, line.href.as_str()) } else { (line.href.as_str(), me) };
        edge(from, to, &chrome.how(says.map_or(n.how.as_str(), |s| s.kind.as_str())), true);
    }
    for (i, link) in read.links.iter().enumerate() {
        let id = format!("selector-{i}");
        let sure = link.suppressed.is_none();
        nodes.push(node(&id, &link.value, &link.kind, link.href.clone(), None));
        edge(me, &id, &chrome.kind(&link.kind), sure);
        for holder in link.holders.iter().take(if sure { DRAWN } else { 0 }) {
            other(holder, &mut nodes);
            edge(&id, &holder.href, &chrome.kind(&link.kind), sure);
        }
    }
    (nodes.len() > 1)
        .then(|| Figure::new(&chrome.t("intel-around"), &chrome.t("intel-around-text"), me, &nodes, &edges))
}

pub(super) async fn withdraw(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(address): Path<String>,
    sent: Fields,
) -> Answer {
    let id = named(&desk, &visitor, &address)?;
    let reason = match reason_of(&visitor.chrome, &sent) {
        Ok(reason) => reason,
        Err(errors) => {
            return draw(desk, visitor, (id, From::default()), errors, axum::http::StatusCode::UNPROCESSABLE_ENTITY)
                .await;
        }
    };
    let (intel, viewer) = (desk.intel.clone(), visitor.viewer.clone());
    let done = tried(move || intel.withdraw(&viewer, &id, &Which::All, None, &reason)).await?;
    done.map_err(|e| match e {
        crate::Error::NotFound => Problem::not_found(),
        other => problem(&other),
    })?;
    Ok(web::see_other("/?done=withdrawn"))
}
