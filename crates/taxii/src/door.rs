//! What each path answers to somebody who passed its rule.
use crate::answer::Answer;
use crate::filter::Filter;
use crate::status::Statuses;
use crate::{Limits, MEDIA, cursor, media};
use axum::http::{HeaderName, header};
use intel::{Intel, ObjectRow, Page, Took, Which};
use ledger::{CollectionId, Urgency};
use people::{Collection, Viewer};
use serde_json::{Value, json};
use std::sync::Arc;

const FIRST: HeaderName = HeaderName::from_static("x-taxii-date-added-first");
const LAST: HeaderName = HeaderName::from_static("x-taxii-date-added-last");
/// More than this many objects are bulk.
const BULK: usize = 100;
/// More versions than an object can have.
const EVERY: usize = 1 << 40;

/// A request.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) accept: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

#[derive(Clone)]
pub(crate) struct Door {
    intel: Intel,
    statuses: Statuses,
    pub(crate) limits: Limits,
}

type Answered = Result<Answer, Answer>;

impl Door {
    pub(crate) fn new(intel: Intel, limits: Limits) -> Self {
        Self { statuses: Statuses::new(&intel, limits.status), intel, limits }
    }

    /// Whether a GET of this path reads one object and waits for nothing.
    pub(crate) fn at_once(&self, path: &str) -> bool {
        let mut parts = path.split('/').skip(5);
        parts.next() == Some("objects") && parts.next().is_some_and(|id| !id.is_empty()) && self.intel.is_level()
    }

    pub(crate) fn answer(&self, viewer: &Viewer, asked: &Asked<'_>) -> Answer {
        let parts: Vec<&str> = asked.path.strip_prefix("/taxii2").unwrap_or("").split('/').skip(1).collect();
        self.route(viewer, asked, &parts).unwrap_or_else(|e| e)
    }

    fn route(&self, viewer: &Viewer, asked: &Asked<'_>, parts: &[&str]) -> Answered {
        if !media::accepts(asked.accept) {
            return Err(Answer::error(406, format!("this door answers {MEDIA}")));
        }
        let get = asked.method == "GET";
        match parts {
            [""] => only(get).map(|()| self.discovery()),
            ["api", ""] => only(get).map(|()| self.api_root()),
            ["api", "status", id, ""] => only(get).and_then(|()| self.status(viewer, id)),
            ["api", "collections", ""] => only(get).and_then(|()| self.collections(viewer)),
            ["api", "collections", id, rest @ ..] => self.collection(viewer, asked, id, rest),
            _ => Err(missing()),
        }
    }

    fn collection(&self, viewer: &Viewer, asked: &Asked<'_>, id: &str, rest: &[&str]) -> Answered {
        let get = asked.method == "GET";
        let collection = self.listed(viewer, id)?;
        match rest {
            [""] => only(get).map(|()| Answer::json(200, &resource(viewer, &collection))),
            ["manifest", ""] => only(get).and_then(|()| self.manifest(viewer, &collection, asked.query)),
            ["objects", ""] => match asked.method {
                "GET" => self.objects(viewer, &collection, asked.query, None),
                "POST" => self.post(viewer, &collection, asked),
                _ => Err(not_allowed("GET, POST")),
            },
            ["objects", object, ""] if !object.is_empty() => match asked.method {
                "GET" => self.objects(viewer, &collection, asked.query, Some(object)),
                "DELETE" => self.delete(viewer, &collection, asked.query, object),
                _ => Err(not_allowed("GET, DELETE")),
            },
            ["objects", object, "versions", ""] => {
                only(get).and_then(|()| self.versions(viewer, &collection, asked.query, object))
            }
            _ => Err(missing()),
        }
    }

    fn discovery(&self) -> Answer {
        Answer::json(
            200,
            &json!({"title": "Compound Eye", "description": "A node that agencies run to fight scam compounds together",
            "default": "/taxii2/api/", "api_roots": ["/taxii2/api/"]}),
        )
    }

    fn api_root(&self) -> Answer {
        Answer::json(
            200,
            &json!({"title": "Compound Eye", "versions": [MEDIA], "max_content_length": self.limits.body}),
        )
    }

    fn status(&self, viewer: &Viewer, id: &str) -> Answered {
        let body = self.statuses.get(id, viewer.account()).ok_or_else(missing)?;
        Ok(Answer::bytes(200, body.into_bytes()))
    }

    fn collections(&self, viewer: &Viewer) -> Answered {
        let mut listed: Vec<Arc<Collection>> = self.intel.people().collections(viewer)?;
        listed.retain(|c| c.listed_for(viewer));
        listed.sort_by_key(|c| c.id.to_string());
        let resources: Vec<Value> = listed.iter().map(|c| resource(viewer, c)).collect();
        Ok(Answer::json(200, &if resources.is_empty() { json!({}) } else { json!({"collections": resources}) }))
    }

    fn listed(&self, viewer: &Viewer, id: &str) -> Answered2<Arc<Collection>> {
        let id: CollectionId = id.parse().map_err(|_| missing())?;
        let found = self.intel.people().collection(id)?;
        found.filter(|c| c.listed_for(viewer)).ok_or_else(missing)
    }

    /// A page for a query, and what its cursor is bound to: `next` belongs to the filters it was made for.
    fn page(&self, viewer: &Viewer, collection: &Collection, filter: &Filter, what: &str) -> Answered2<(Page, String)> {
        // Of this log alone: after a restore what comes next stands elsewhere.
        let origin = self.intel.ledger().origin();
        let bound = format!("{what}\n{origin}\n{}\n{}", collection.id, filter.canonical);
        let after = match &filter.next {
            None => None,
            Some(next) => Some(
                cursor::read(self.intel.ledger().keys().row(), next, &bound)
                    .ok_or_else(|| Answer::error(400, "`next` is not one of this query's: begin again without it"))?,
            ),
        };
        // An entry's `arrived` is its own, so that "after this instant" is "after this object".
        let after = after.max(filter.added_after);
        let page = self.intel.page(viewer, collection.id, &filter.matching, 0, after, filter.limit)?;
        Ok((page, bound))
    }

    /// The cursor of the page after this one.
    fn next(&self, page: &Page, bound: &str) -> Option<String> {
        let last = page.rows.last().filter(|_| page.more)?;
        Some(cursor::write(self.intel.ledger().keys().row(), last.arrived, bound))
    }

    fn manifest(&self, viewer: &Viewer, collection: &Collection, query: &str) -> Answered {
        let filter = Filter::read(query, &self.limits)?;
        let (page, bound) = self.page(viewer, collection, &filter, "manifest")?;
        let next = self.next(&page, &bound);
        let entry = |r: &ObjectRow| {
            let spec = if r.spec_20 { "2.0" } else { "2.1" };
            json!({"id": r.id, "date_added": instant(r.arrived), "version": instant(r.version),
                "media_type": format!("application/stix+json;version={spec}")})
        };
        let entries: Vec<Value> = page.rows.iter().map(entry).collect();
        Ok(dated(Answer::json(200, &listing("objects", entries, next)), &page.rows))
    }

    fn objects(&self, viewer: &Viewer, collection: &Collection, query: &str, id: Option<&str>) -> Answered {
        let mut filter = Filter::read(query, &self.limits)?;
        if let Some(id) = id {
            filter.matching.ids = vec![id.to_owned()];
        }
        let (mut page, bound) = self.page(viewer, collection, &filter, "objects")?;
        if page.rows.is_empty() {
            let known = id.map_or(Ok(true), |id| self.stands(viewer, collection, id))?;
            return if known { Ok(Answer::json(200, &json!({}))) } else { Err(missing()) };
        }
        let mut body = self.bodies(&mut page)?;
        if let Some(next) = self.next(&page, &bound) {
            body.extend_from_slice(format!(",\"more\":true,\"next\":\"{next}\"").as_bytes());
        }
        body.push(b'}');
        Ok(dated(Answer::bytes(200, body), &page.rows))
    }

    /// The objects of a page, which ends where its bytes do: the rest is the next one's. Without the last brace.
    fn bodies(&self, page: &mut Page) -> Answered2<Vec<u8>> {
        const OPEN: &[u8] = b"{\"objects\":[";
        let mut body = Vec::with_capacity((page.rows.len() * 2_048).min(self.limits.page_bytes));
        body.extend_from_slice(OPEN);
        let mut last = None;
        self.intel.bodies_while(&page.rows, &mut |row, object| {
            let first = last.is_none();
            if !first && body.len() + object.len() > self.limits.page_bytes {
                return false;
            }
            if !first {
                body.push(b',');
            }
            body.extend_from_slice(object.as_bytes());
            last = Some(row.pos);
            true
        })?;
        body.push(b']');
        if let Some(last) = last {
            let shown = page.rows.partition_point(|row| row.pos <= last);
            page.more |= shown < page.rows.len();
            page.rows.truncate(shown);
        }
        Ok(body)
    }

    fn stands(&self, viewer: &Viewer, collection: &Collection, id: &str) -> Answered2<bool> {
        let last = intel::Versions { col: Some(collection.col), ..Default::default() };
        Ok(!self.intel.versions(viewer, id, &last)?.is_empty())
    }

    fn versions(&self, viewer: &Viewer, collection: &Collection, query: &str, id: &str) -> Answered {
        let mut filter = Filter::read(query, &self.limits)?;
        filter.matching.ids = vec![id.to_owned()];
        if !filter.versions_named {
            filter.matching.versions.all = true;
        }
        let (page, bound) = self.page(viewer, collection, &filter, "versions")?;
        let next = self.next(&page, &bound);
        if page.rows.is_empty() && !self.stands(viewer, collection, id)? {
            return Err(missing());
        }
        let mut rows: Vec<&ObjectRow> = page.rows.iter().collect();
        rows.sort_by_key(|r| r.version);
        let versions = rows.iter().map(|r| Value::String(instant(r.version))).collect();
        Ok(dated(Answer::json(200, &listing("versions", versions, next)), &page.rows))
    }

    fn post(&self, viewer: &Viewer, collection: &Collection, asked: &Asked<'_>) -> Answered {
        if !media::is_taxii(asked.content_type) {
            return Err(Answer::error(415, format!("send {MEDIA}")));
        }
        if !viewer.may_write(collection.col) {
            return Err(Answer::error(403, "you may not write to this collection"));
        }
        let text = std::str::from_utf8(asked.body)
            .map_err(|e| Answer::error(400, format!("not UTF-8 after byte {}", e.valid_up_to())))?;
        let (mut bodies, most) = (Vec::new(), self.limits.objects);
        let take = |item: stix::BundleItem<'_>| {
            if bodies.len() < most {
                bodies.push(item.body.to_owned());
            }
        };
        let sent = stix::read_envelope(text, take).map_err(|e| Answer::error(422, e.to_string()))?;
        if usize::try_from(sent).is_ok_and(|sent| sent > most) {
            let said = format!("{sent} objects in one envelope: this door takes {most}; send them in several");
            return Err(Answer::error(413, said));
        }
        let urgency = if bodies.len() > BULK { Urgency::Bulk } else { Urgency::Interactive };
        let at = instant(self.intel.ledger().now());
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let taken = self.intel.take(viewer, collection.id, &bodies, urgency)?;
        let (mut successes, mut failures) = (Vec::new(), Vec::new());
        for (index, item) in taken.iter().enumerate() {
            let id = item.id.clone().unwrap_or_else(|| format!("object {index}"));
            let arrived = match item.outcome {
                Took::New { arrived, .. } => Some(arrived),
                _ => None,
            };
            let version = item.version.or(arrived).map_or_else(|| at.clone(), instant);
            match &item.outcome {
                Took::Refused { why } => failures.push(json!({"id": id, "version": version, "message": why})),
                _ => successes.push(json!({"id": id, "version": version})),
            }
        }
        let id = uuid::Uuid::new_v4().to_string();
        let status = json!({"id": id, "status": "complete", "request_timestamp": at, "total_count": taken.len(),
            "success_count": successes.len(), "successes": successes, "failure_count": failures.len(), "failures": failures,
            "pending_count": 0});
        self.statuses.keep(&id, viewer.account(), &status);
        Ok(Answer::json(202, &status).about(taken.iter().map(|t| t.id.as_deref().unwrap_or(""))))
    }

    /// Withdraws: gone from every door, the body stays in the log until it is expunged. Without `match[version]` every
    /// version goes: an older one that came back would surprise whoever deleted.
    fn delete(&self, viewer: &Viewer, collection: &Collection, query: &str, id: &str) -> Answered {
        let mut filter = Filter::read(query, &self.limits)?;
        if !filter.versions_named {
            filter.matching.versions.all = true;
        }
        filter.matching.ids = vec![id.to_owned()];
        // No page's worth: an object that kept its newest versions would not be deleted.
        let page = self.intel.page(viewer, collection.id, &filter.matching, 0, None, EVERY)?;
        if page.rows.is_empty() {
            return Err(missing());
        }
        let which = Which::Rows(page.rows.iter().map(|r| r.pos).collect());
        self.intel.withdraw(viewer, id, &which, Some(collection.id), "deleted over TAXII")?;
        Ok(Answer::json(200, &json!({})))
    }
}

type Answered2<T> = Result<T, Answer>;

fn missing() -> Answer {
    Answer::error(404, "there is nothing here, or nothing for you")
}

fn only(get: bool) -> Answered2<()> {
    if get { Ok(()) } else { Err(not_allowed("GET")) }
}

fn not_allowed(allow: &str) -> Answer {
    Answer::error(405, format!("this address takes {allow}")).with(header::ALLOW, allow)
}

fn instant(micros: i64) -> String {
    stix::Instant(micros).to_string()
}

fn resource(viewer: &Viewer, collection: &Collection) -> Value {
    json!({"id": collection.id.to_string(), "title": collection.title(), "description": collection.audience.description,
        "can_read": viewer.may_read_bodies(), "can_write": viewer.may_write(collection.col),
        "media_types": ["application/stix+json;version=2.1", "application/stix+json;version=2.0"]})
}

fn listing(name: &str, values: Vec<Value>, next: Option<String>) -> Value {
    let mut map = serde_json::Map::new();
    if let Some(next) = next {
        map.insert("more".into(), Value::Bool(true));
        map.insert("next".into(), Value::String(next));
    }
    if !values.is_empty() {
        map.insert(name.into(), Value::Array(values));
    }
    Value::Object(map)
}

fn dated(answer: Answer, rows: &[ObjectRow]) -> Answer {
    let answer = answer.about(rows.iter().map(|r| r.id.as_str()));
    match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => answer.with(FIRST, instant(first.arrived)).with(LAST, instant(last.arrived)),
        _ => answer,
    }
}
