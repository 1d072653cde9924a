//! How rows become what a page shows, and errors what a reader is told.
use crate::{Error, Hit, Intel, ObjectRow, Suppressed, Told, Verdict};
use jiff::Timestamp;
use people::{Collection, Viewer};
use std::collections::HashMap;
use std::sync::Arc;
use web::parts::Tlp;
use web::{Chrome, Problem};

/// What a handler answers.
pub(super) type Answer = Result<axum::response::Response, Problem>;

/// Runs a reading or writing of the room where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    tried(f).await?.map_err(|e| problem(&e))
}

/// As [`blocking`], for who has something to say about an error of the room.
pub(super) async fn tried<T: Send + 'static>(
    f: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> Result<crate::Result<T>, Problem> {
    tokio::task::spawn_blocking(f).await.map_err(|_| Problem::internal())
}

/// An error as a reader is told of it; what is the node's own fault goes to the log.
pub(super) fn problem(error: &Error) -> Problem {
    let status = error.status();
    if status == 500 {
        tracing::error!(%error, "a page could not be read");
    }
    Problem::of(axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR))
}

/// µs since 1970 as a moment.
pub(super) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// Seconds since 1970, for once-only tokens.
pub(super) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// A once-only token for a form of this visitor.
pub(super) fn once(desk: &super::Desk, chrome: &Chrome) -> Result<String, Problem> {
    desk.once.issue(&chrome.csrf, now()).map_err(|_| Problem::internal())
}

/// STIX's levels in the hall's drawing.
pub(super) fn tlp(tlp: stix::Tlp) -> Tlp {
    match tlp {
        stix::Tlp::Clear => Tlp::Clear,
        stix::Tlp::Green => Tlp::Green,
        stix::Tlp::Amber => Tlp::Amber,
        stix::Tlp::AmberStrict => Tlp::AmberStrict,
        stix::Tlp::Red => Tlp::Red,
    }
}

/// The title of a collection by its small number; the caller has asked already whether the viewer sees it.
pub(super) fn title(intel: &Intel, col: u32) -> String {
    intel.people().collection_of(col).ok().flatten().map(|c| c.title().to_owned()).unwrap_or_default()
}

/// The collections that the viewer may write to, by title.
pub(super) fn writable(intel: &Intel, viewer: &Viewer) -> crate::Result<Vec<Arc<Collection>>> {
    let all = intel.people().collections(viewer)?;
    Ok(all.into_iter().filter(|c| viewer.may_write(c.col)).collect())
}

/// A row of a table of objects.
pub(super) struct Line {
    /// Its id.
    pub id: String,
    /// What people call it; empty when it has no name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// Its type.
    pub kind: String,
    /// Its marking.
    pub marking: Tlp,
    /// Where it stands.
    pub collection: String,
    /// When it arrived.
    pub at: Timestamp,
    /// Who reported it; empty when it does not say, or when that is not the viewer's to see.
    pub by: String,
    /// Of a relationship: its ends, as they are called, and its type.
    statement: Option<(Option<End>, String, Option<End>)>,
    /// The other objects that are named in this row.
    pub beside: Vec<String>,
    /// Other collections in which it stands, by title.
    pub also_in: Vec<String>,
}

/// An end of a relationship: its name, and its type for when it has none.
type End = (String, String);

/// Who reported each row of a page, and what its relationships say.
pub(super) type AllTold = HashMap<u64, Told>;

/// Rows of a page, in their order.
pub(super) fn lines(intel: &Intel, viewer: &Viewer, hits: &[Hit]) -> crate::Result<Vec<Line>> {
    let told = intel.told(viewer, hits.iter().map(|h| &h.row))?;
    Ok(hits.iter().map(|h| Line::of(intel, h, &told)).collect())
}

/// Rows of a search: each object once, and where else it stands.
pub(super) fn found_lines(intel: &Intel, viewer: &Viewer, hits: &[Hit]) -> crate::Result<Vec<Line>> {
    let elsewhere = intel.elsewhere(viewer, hits.iter().map(|h| &h.row))?;
    let mut lines = lines(intel, viewer, hits)?;
    for (line, hit) in lines.iter_mut().zip(hits) {
        line.also_in = elsewhere.get(&hit.row.pos).into_iter().flatten().map(|r| title(intel, r.col)).collect();
    }
    Ok(lines)
}

/// Links with at most `named` holders, without the object `of`.
pub(super) fn link_lines(
    intel: &Intel,
    viewer: &Viewer,
    links: &[crate::Link],
    named: usize,
    of: &str,
) -> crate::Result<Vec<LinkLine>> {
    let shown = links.iter().flat_map(|l| l.holders.iter().filter(|h| h.row.id != of).take(named));
    let told = intel.told(viewer, shown.map(|h| &h.row))?;
    Ok(links.iter().map(|l| LinkLine::of(intel, l, named, of, &told)).collect())
}

impl Line {
    /// Of a hit that the viewer sees.
    pub fn of(intel: &Intel, hit: &Hit, told: &AllTold) -> Self {
        let ObjectRow { id, object_type, col, arrived, .. } = &hit.row;
        let told = told.get(&hit.row.pos).cloned().unwrap_or_default();
        let mut beside: Vec<String> = Some(told.by_id).filter(|id| !id.is_empty()).into_iter().collect();
        let mut end = |hit: Option<Hit>| {
            hit.map(|h| {
                beside.push(h.row.id);
                (h.name, h.row.object_type)
            })
        };
        let statement = told.statement.map(|(from, how, to)| (end(from), how, end(to)));
        Self {
            by: told.by,
            statement,
            beside,
            id: id.clone(),
            name: hit.name.clone(),
            href: page_of(intel, id),
            kind: object_type.clone(),
            marking: tlp(hit.row.tlp),
            collection: title(intel, *col),
            at: moment(*arrived),
            also_in: Vec::new(),
        }
    }

    /// Where else it stands, in a line.
    pub fn also_in(&self) -> String {
        self.also_in.join(" · ")
    }

    /// What it is called: its name, or its type when it has none; of a relationship what it says.
    pub fn called(&self, chrome: &Chrome) -> String {
        if let Some((from, how, to)) = &self.statement {
            let end = |end: &Option<End>| match end {
                Some((name, kind)) if name.is_empty() => chrome.kind(kind),
                Some((name, _)) => name.clone(),
                None => chrome.t("intel-end-unseen"),
            };
            let args = [("from", end(from).into()), ("how", chrome.how(how).into()), ("to", end(to).into())];
            return chrome.t_args("intel-statement", &args);
        }
        if self.name.is_empty() { chrome.kind(&self.kind) } else { self.name.clone() }
    }

    /// The table's columns.
    pub fn columns(chrome: &Chrome) -> Vec<web::parts::Column> {
        columns(
            chrome,
            &["intel-col-name", "intel-col-type", "intel-col-marking", "intel-col-collection", "intel-col-arrived"],
        )
    }
}

/// Plain columns by their keys.
pub(super) fn columns(chrome: &Chrome, keys: &[&str]) -> Vec<web::parts::Column> {
    keys.iter().map(|key| web::parts::Column::new(chrome.t(key))).collect()
}

/// The address of an object's page.
pub(super) fn page_of(intel: &Intel, id: &str) -> String {
    format!("/objects/{}", intel.address_of(id))
}

/// A query string's part: names are ours, values are escaped.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs.iter().filter(|(_, v)| !v.is_empty())).finish()
}

/// The page with the notice that its address asks for (`?done=`), where one of this node's own pages led there, and where to undo it, if anywhere.
pub(super) fn with_done(mut chrome: Chrome, query: Option<&str>, undo: &str) -> Chrome {
    let sent = web::Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    if !chrome.from_here {
        return chrome;
    }
    let (key, undo) = match sent.text("done") {
        "saved" => ("intel-done-saved", undo),
        "withdrawn" => ("intel-done-withdrawn", ""),
        "erased" => ("intel-done-erased", ""),
        "overruled" => ("intel-done-overruled", ""),
        "files" => ("intel-done-files", ""),
        "exercise-removed" => ("intel-done-exercise", ""),
        _ => return chrome,
    };
    let link = (!undo.is_empty()).then(|| (undo.to_owned(), chrome.t("intel-done-undo")));
    let text = chrome.t(key);
    chrome.notices.push(web::Flash { kind: web::chrome::FlashKind::Done, text, link });
    chrome
}

/// A link or selector as a page shows it.
pub(super) struct LinkLine {
    /// The kind, for the icon.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// Its page.
    pub href: String,
    /// Holders that the viewer sees.
    pub count: usize,
    /// Why it links nothing; empty when it links.
    pub suppressed: Option<Suppressed>,
    /// It links less surely: a telephone number that was silent for so many days.
    silent_days: Option<u32>,
    /// It links because a person said so, and why.
    decided: Option<String>,
    lists_asked: bool,
    verdict: Verdict,
    /// The holders that are named.
    pub holders: Vec<Line>,
    /// There are more holders than are named here.
    pub more: bool,
}

impl LinkLine {
    /// With at most `named` holders, without the object `of`.
    fn of(intel: &Intel, link: &crate::Link, named: usize, of: &str, told: &AllTold) -> Self {
        let others = || link.holders.iter().filter(|h| h.row.id != of);
        let kind = link.kind.as_str();
        Self {
            kind: kind.to_owned(),
            value: link.value.clone(),
            href: selector_page(intel, link.kind, &link.value),
            count: link.count,
            suppressed: link.suppressed.clone(),
            silent_days: link.silent_days,
            decided: link.decided.clone(),
            lists_asked: link.lists_asked,
            verdict: link.verdict(),
            holders: others().take(named).map(|h| Line::of(intel, h, told)).collect(),
            more: link.more || others().count() > named,
        }
    }

    /// The verdict's tag.
    pub fn tone(&self) -> &'static str {
        match self.verdict {
            Verdict::Links => "green",
            Verdict::LinksLessSurely => "amber",
            Verdict::LinksNothing => "grey",
        }
    }

    /// The verdict in words, by its key.
    pub fn verdict_key(&self) -> &'static str {
        match self.verdict {
            Verdict::Links => "intel-verdict-links",
            Verdict::LinksLessSurely => "intel-verdict-links-less-surely",
            Verdict::LinksNothing => "intel-verdict-links-nothing",
        }
    }

    /// Why the verdict is what it is.
    pub fn why(&self, chrome: &Chrome) -> String {
        match (&self.suppressed, self.silent_days, &self.decided) {
            (Some(why), _, _) => why_not(chrome, why),
            (None, Some(days), _) => chrome.t1("intel-why-silent", "days", days),
            (None, None, Some(reason)) => chrome.t1("intel-why-overruled", "reason", reason),
            (None, None, None) if self.lists_asked => chrome.t("intel-why-links"),
            (None, None, None) => chrome.t("intel-why-links-unlisted"),
        }
    }
}

/// Why a selector links nothing, in the reader's language.
fn why_not(chrome: &Chrome, why: &Suppressed) -> String {
    match why {
        Suppressed::Overruled(reason) => chrome.t1("intel-why-overruled", "reason", reason),
        Suppressed::Wrong => chrome.t("intel-why-wrong"),
        Suppressed::Weak => chrome.t("intel-why-weak"),
        Suppressed::Hub(n) => chrome.t1("intel-why-hub", "n", n),
        Suppressed::Unrelated { holders, looked_at } => {
            chrome.t2("intel-why-unrelated", "n", holders, "looked", looked_at)
        }
        Suppressed::Listed(list) => chrome.t1("intel-why-listed", "list", list),
    }
}

/// The page of a selector; a personal one stands in its address sealed.
pub(super) fn selector_page(intel: &Intel, kind: selectors::Kind, value: &str) -> String {
    if kind.is_personal() {
        format!("/selectors?{}", query(&[("at", &intel.address_of_selector(kind, value))]))
    } else {
        format!("/selectors?{}", query(&[("kind", kind.as_str()), ("value", value)]))
    }
}

/// The reference lists that name a value.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Known to be bad.
    pub(super) bad: Vec<reference::Listing>,
    /// Common: proves nothing.
    pub(super) common: Vec<reference::Listing>,
    /// A name that is known, of a tool or a group.
    pub(super) names: Vec<reference::Listing>,
}

impl Named {
    pub(super) fn of(listed: Vec<reference::Listing>) -> Self {
        let mut named = Self::default();
        for l in listed {
            match l.what {
                reference::ListKind::Block => named.bad.push(l),
                reference::ListKind::Warning => named.common.push(l),
                reference::ListKind::Galaxy => named.names.push(l),
            }
        }
        named
    }
}

/// The name of the account that entered or withdrew something; empty where the viewer is not to know.
pub(super) fn author(intel: &Intel, viewer: &Viewer, account: u32) -> String {
    intel.people().author_for(viewer, account).ok().flatten().unwrap_or_default()
}

/// Characters of a reason.
const REASON: usize = 1_000;

/// The field in which somebody says why something is withdrawn.
pub(super) fn reason_field(chrome: &Chrome, errors: &web::ErrorSummary) -> web::Field {
    web::Field::area("reason", chrome.t("intel-withdraw-reason"), 2)
        .hint(chrome.t("intel-withdraw-reason-hint"))
        .error(errors.of("reason"))
}

/// The reason that was given, or that there is none.
pub(super) fn reason_of(chrome: &Chrome, sent: &web::Fields) -> Result<String, web::ErrorSummary> {
    let mut check = sent.check(&chrome.l);
    let reason = check.required("reason", "intel-withdraw-reason-missing", REASON).to_owned();
    let errors = check.done();
    if errors.is_empty() { Ok(reason) } else { Err(errors) }
}
