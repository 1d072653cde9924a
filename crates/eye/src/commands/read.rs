use super::Io;
use crate::node::{Node, Problem};
use intel::{Hit, Link, Match, ObjectRow, Told, VersionMatch};
use ledger::CollectionId;
use people::Viewer;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Pages of links that one command reads: about a thousand objects each.
const MOST_PAGES: usize = 200;
/// Rows read at a time while walking a collection.
const PAGE: usize = 1_000;

fn instant(micros: i64) -> String {
    stix::Instant(micros).to_string()
}

fn place(node: &Node, col: u32) -> Option<String> {
    node.ledger.log().collection_of(col).map(|c| c.to_string())
}

/// A hit with what is told beside it, and in which other collections of the viewer's the object stands.
fn hit(node: &Node, hit: &Hit, beside: &Beside) -> Value {
    let ObjectRow { pos, col, id, object_type, version, arrived, tlp, .. } = &hit.row;
    let mut value = json!({"id": id, "type": object_type, "name": hit.name, "collection": place(node, *col),
        "version": instant(*version), "date_added": instant(*arrived), "tlp": tlp.as_str()});
    if let Some(told) = beside.told.get(pos) {
        told_json(&mut value, told);
    }
    if let (Some(others), Some(fields)) = (beside.elsewhere.get(pos), value.as_object_mut()) {
        fields.insert("also_in".into(), others.iter().filter_map(|r| place(node, r.col)).collect());
    }
    value
}

/// What stands beside the hits of one answer.
#[derive(Default)]
struct Beside {
    told: AllTold,
    elsewhere: HashMap<u64, Vec<ObjectRow>>,
}

/// The hits of a search, each with who reported it and where else it stands.
pub fn hits(node: &Node, me: &Viewer, hits: &[Hit]) -> Result<Vec<Value>, Problem> {
    let rows = || hits.iter().map(|h| &h.row);
    let beside = Beside { told: node.intel.told(me, rows())?, elsewhere: node.intel.elsewhere(me, rows())? };
    Ok(hits.iter().map(|h| hit(node, h, &beside)).collect())
}

fn holders<'a>(links: impl IntoIterator<Item = &'a Link>) -> impl Iterator<Item = &'a ObjectRow> {
    links.into_iter().flat_map(|l| &l.holders).map(|h| &h.row)
}

/// Links, each with how sure it is and why, and its holders with who reported each.
pub fn link_values(node: &Node, me: &Viewer, links: &[&Link]) -> Result<Vec<Value>, Problem> {
    let told = node.intel.told(me, holders(links.iter().copied()))?;
    let beside = Beside { told, ..Beside::default() };
    Ok(links.iter().map(|l| link(node, l, &beside)).collect())
}

fn link(node: &Node, link: &Link, beside: &Beside) -> Value {
    let holders: Vec<Value> = link.holders.iter().map(|h| hit(node, h, beside)).collect();
    json!({"strength": strength(link.strength), "kind": link.kind.as_str(), "value": link.value, "count": link.count,
        "verdict": link.verdict().code(), "why": link.why(), "suppressed": link.suppressed.as_ref().map(ToString::to_string),
        "silent_days": link.silent_days, "more": link.more, "holders": holders})
}

/// Beside a hit: who reported it, and of a relationship its ends, as the viewer may see them.
fn told_json(value: &mut Value, told: &Told) {
    let Some(fields) = value.as_object_mut() else { return };
    if !told.by.is_empty() {
        fields.insert("reported_by".into(), json!(told.by));
    }
    if let Some(said) = said(told) {
        fields.insert("says".into(), json!(said));
    }
}

/// What a relationship says in a line.
fn said(told: &Told) -> Option<String> {
    let (from, how, to) = told.statement.as_ref()?;
    let end = |hit: &Option<Hit>| match hit {
        Some(hit) if hit.name.is_empty() => hit.row.object_type.clone(),
        Some(hit) => hit.name.clone(),
        None => "(not here, or not yours to see)".to_owned(),
    };
    Some(format!("{} {} {}", end(from), how.replace('-', " "), end(to)))
}

type AllTold = HashMap<u64, Told>;

/// An object's name in a line, with who reported it and when it arrived.
fn called(hit: &Hit, told: &AllTold) -> String {
    let told = told.get(&hit.row.pos);
    let name = told.and_then(said).unwrap_or_else(|| hit.name.clone());
    let by = told.filter(|t| !t.by.is_empty()).map_or(String::new(), |t| format!("reported by {}, ", t.by));
    format!("{}\t{}arrived {}", plain(&name), plain(&by), instant(hit.row.arrived))
}

pub fn search(node: &Node, me: &Viewer, query: &str, limit: usize, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let found = node.intel.search(me, query, None, limit)?;
    if json {
        for value in hits(node, me, &found.hits)? {
            io.json(&value)?;
        }
    } else {
        let told = node.intel.told(me, found.hits.iter().map(|h| &h.row))?;
        for h in &found.hits {
            writeln!(io.out, "{}\t{}\t{}", h.row.id, h.row.object_type, called(h, &told))?
        }
        for listing in &found.listed {
            let what = match listing.what {
                reference::ListKind::Block => "known to be bad",
                reference::ListKind::Warning => "common; proves nothing",
                reference::ListKind::Galaxy => "a known name",
            };
            writeln!(io.out, "listed by {} ({what})", listing.title)?;
        }
        let total = match found.total {
            intel::Count::Exactly(n) => n.to_string(),
            intel::Count::MoreThan(n) => format!("more than {n}"),
        };
        writeln!(io.err, "{} shown, {total} in all", found.hits.len())?;
    }
    if found.broken_off {
        writeln!(io.err, "not everything was looked through: older hits may be missing; use rarer words")?;
    }
    if !found.unknown_types.is_empty() {
        let held: Vec<String> = node.intel.types(me)?.into_keys().collect();
        let unknown = found.unknown_types.join("`, `");
        writeln!(
            io.err,
            "of type `{}` there is nothing that you may read; types that there are: {}",
            plain(&unknown),
            held.join(", ")
        )?;
    }
    if found.ignored > 0 {
        writeln!(io.err, "only the first sixteen words were looked for; {} were left out", found.ignored)?;
    }
    Ok(())
}

pub fn show(node: &Node, me: &Viewer, id: &str, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let document = document(node, me, id)?;
    let gone = document.get("object").is_none();
    if json {
        writeln!(io.out, "{document:#}")?;
        return if gone { Err(Problem::other("it was withdrawn")) } else { Ok(()) };
    }
    let words = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let list = |name: &str| document.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |v: &Value, name: &str| v.get(name).map(words).unwrap_or_default();
    for (name, value) in document.get("object").and_then(Value::as_object).into_iter().flatten() {
        writeln!(io.out, "{name:<22} {}", plain(&words(value)))?;
    }
    let places = node.people.collections(me)?;
    let title = |v: &Value| {
        let place = places.iter().find(|c| c.id.to_string() == of(v, "collection"));
        place.map(|c| c.title().to_owned()).unwrap_or_default()
    };
    let withdrawn: Vec<String> = list("withdrawn").iter().map(|w| taken_back(w, &title(w))).collect();
    if gone {
        for line in withdrawn {
            writeln!(io.out, "withdrawn {line}")?;
        }
        return Err(Problem::other("it was withdrawn: its content is shown nowhere, and the record keeps it"));
    }
    writeln!(io.out, "\nversions")?;
    for v in list("versions") {
        let place = title(&v);
        let by = v.get("reported_by").and_then(Value::as_str);
        let by = by.map_or(String::new(), |by| format!("  reported by {}", plain(by)));
        writeln!(
            io.out,
            "  {}  {}  {}{by}  arrived {}",
            of(&v, "version"),
            of(&v, "tlp").to_uppercase(),
            plain(&place),
            of(&v, "date_added")
        )?;
    }
    if !withdrawn.is_empty() {
        writeln!(io.out, "\nwithdrawn")?;
    }
    for line in withdrawn {
        writeln!(io.out, "  {line}")?;
    }
    if let Some(by) = document.get("reported_by").and_then(Value::as_str) {
        writeln!(io.out, "\nreported by {}", plain(by))?;
    }
    let selectors = list("selectors");
    if !selectors.is_empty() {
        writeln!(io.out, "\nselectors")?;
    }
    for s in selectors {
        writeln!(
            io.out,
            "  {:<14} {}  ({})",
            of(&s, "kind"),
            plain(&of(&s, "value")),
            of(&s, "strength").to_lowercase()
        )?;
    }
    let shared_page = node.intel.links_of_object(me, id, 0, LINKS)?;
    let links = shared_page.links;
    let told = node.intel.told(me, holders(&links))?;
    if !links.is_empty() {
        writeln!(io.out, "\nshared selectors, and whether each links")?;
    }
    for l in links {
        writeln!(io.out, "  {}", shared(&l))?;
        for h in l.holders.iter().filter(|h| h.row.id != id).take(5) {
            writeln!(io.out, "    {}\t{}", h.row.id, called(h, &told))?;
        }
    }
    if shared_page.next.is_some() || shared_page.not_looked_up > 0 {
        writeln!(io.out, "  and more: its page shows all of them")?;
    }
    Ok(())
}

/// A withdrawal in a line: when, by whom, from where, which version and why.
fn taken_back(w: &Value, title: &str) -> String {
    let of = |name: &str| w.get(name).and_then(Value::as_str).map(plain);
    let by = of("by").map_or(String::new(), |by| format!(" by {by}"));
    let version = of("version").map_or(String::new(), |v| format!(" (version {v})"));
    let (at, reason) = (of("at").unwrap_or_default(), of("reason").unwrap_or_default());
    format!("{at}{by} from {}{version}: {reason}", plain(title))
}

/// A shared selector in a line: how many hold it, how surely that links, and why.
fn shared(l: &Link) -> String {
    let (kind, value, why) = (l.kind.as_str(), plain(&l.value), plain(&l.why()));
    format!("{kind} {value} held by {}: {} ({why})", l.count, l.verdict().words())
}

/// Without what would steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Says a word on a selector in any spelling.
pub fn overrule(
    node: &Node,
    me: &Viewer,
    selector: &str,
    word: &str,
    reason: &str,
    io: &mut Io<'_>,
) -> Result<(), Problem> {
    let word = match word {
        "links" => intel::Word::Links,
        "nothing" => intel::Word::LinksNothing,
        _ => intel::Word::Undo,
    };
    for (kind, value) in node.intel.readings(selector) {
        match node.intel.overrule(me, kind, &value, word, reason) {
            Ok(places) => {
                node.ledger.level(super::PATIENCE)?;
                return Ok(writeln!(io.out, "{} {value}: written to {places} collection(s)", kind.as_str())?);
            }
            Err(intel::Error::NotFound) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(Problem::other("nothing holds such a selector; `eye links` lists those that are held"))
}

fn strength(strength: selectors::Strength) -> &'static str {
    match strength {
        selectors::Strength::Never => "Never",
        selectors::Strength::Weak => "Weak",
        selectors::Strength::Links => "Links",
    }
}

/// Versions that are told of an object, the newest.
const VERSIONS: usize = 2_000;
/// Shared selectors that are told of an object.
const LINKS: usize = 1_000;

/// An object with its versions, as one document; what was withdrawn of it says when, by whom and why. Where nothing of it
/// stands any longer, that alone is the document: it has no `object`.
pub fn document(node: &Node, me: &Viewer, id: &str) -> Result<Value, Problem> {
    let withdrawn: Vec<Value> = node.intel.withdrawals(me, id)?.iter().map(|w| withdrawal(node, me, w)).collect();
    let Some((row, body)) = node.intel.current(me, id)? else {
        return if withdrawn.is_empty() {
            Err(intel::Error::NotFound.into())
        } else {
            Ok(json!({"id": id, "withdrawn": withdrawn}))
        };
    };
    let object: Value = serde_json::from_str(&body).map_err(|e| Problem::other(e.to_string()))?;
    let newest = intel::Versions { limit: VERSIONS, ..intel::Versions::default() };
    let rows = node.intel.versions(me, id, &newest)?;
    let told = node.intel.told(me, &rows)?;
    let version = |r: &ObjectRow| {
        let by = told.get(&r.pos).map(|t| t.by.as_str()).filter(|by| !by.is_empty());
        json!({"version": instant(r.version), "date_added": instant(r.arrived), "tlp": r.tlp.as_str(),
            "collection": place(node, r.col), "reported_by": by})
    };
    let selectors: Vec<Value> = node
        .intel
        .selectors_of(&row, &body)
        .iter()
        .map(|s| json!({"kind": s.kind.as_str(), "value": s.value, "strength": strength(s.strength), "why": s.why}))
        .collect();
    let versions: Vec<Value> = rows.iter().map(version).collect();
    let mut document = json!({"object": object, "versions": versions, "selectors": selectors, "withdrawn": withdrawn});
    if let Some(told) = told.get(&row.pos) {
        told_json(&mut document, told);
    }
    Ok(document)
}

/// A withdrawn version: when, by whom (for this node's own people), why, from where; never what it said.
fn withdrawal(node: &Node, me: &Viewer, w: &intel::Withdrawn) -> Value {
    json!({"at": instant(w.at), "by": node.people.author_for(me, w.by).ok().flatten(), "reason": w.reason,
        "collection": place(node, w.col), "version": w.version.map(instant)})
}

/// What links first, then what is suppressed and why.
pub fn links(
    node: &Node,
    me: &Viewer,
    selector: Option<&str>,
    limit: usize,
    json: bool,
    io: &mut Io<'_>,
) -> Result<(), Problem> {
    let (mut links, mut suppressed, mut next) = (Vec::new(), Vec::new(), None);
    match selector {
        None => {
            for _ in 0..MOST_PAGES {
                let page = node.intel.links(me, next, limit)?;
                links.extend(page.links);
                suppressed.extend(page.suppressed);
                next = page.next;
                if next.is_none() || links.len() >= limit {
                    break;
                }
                // What is suppressed never keeps the command from what links.
                suppressed.truncate(limit);
            }
        }
        Some(word) => {
            // A bare word may be a handle of any messenger.
            let mut readings = node.intel.readings(word);
            for handle in node.intel.readings(&format!("@{word}")) {
                if !readings.contains(&handle) {
                    readings.push(handle);
                }
            }
            for (kind, value) in readings {
                let (links_it, not): (Vec<_>, Vec<_>) =
                    node.intel.links_of_selector(me, kind, &value)?.into_iter().partition(|l| l.suppressed.is_none());
                links.extend(links_it);
                suppressed.extend(not);
            }
        }
    }
    let more = next.is_some() || links.len().max(suppressed.len()) > limit;
    links.truncate(limit);
    suppressed.truncate(limit);
    let all: Vec<&Link> = links.iter().chain(&suppressed).collect();
    if json {
        for value in link_values(node, me, &all)? {
            io.json(&value)?;
        }
    } else {
        let told = node.intel.told(me, holders(all.iter().copied()))?;
        for l in all {
            write_link(l, &told, io)?;
        }
    }
    let not_all = if more { "; there are more, at older objects or beyond --limit" } else { "" };
    if !json || more {
        match selector {
            Some(word) if links.is_empty() && suppressed.is_empty() => writeln!(
                io.err,
                "nothing that you may read holds `{word}`; write the kind before it if it is a name, such as telegram:{word}"
            )?,
            _ => writeln!(io.err, "{} link, {} are shared and link nothing{not_all}", links.len(), suppressed.len())?,
        }
    }
    Ok(())
}

fn write_link(l: &Link, told: &AllTold, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(io.out, "{}", shared(l))?;
    for h in &l.holders {
        writeln!(io.out, "  {}\t{}", h.row.id, called(h, told))?;
    }
    if l.more {
        writeln!(io.out, "  ... the newest {} of them; `eye search` with it finds all", l.holders.len())?;
    }
    Ok(())
}

pub fn collections(node: &Node, me: &Viewer, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let counts = node.intel.counts(me)?;
    for c in node.people.collections(me)? {
        let count = counts.iter().find(|n| n.collection == c.id);
        let (objects, versions) = count.map_or((0, 0), |n| (n.objects, n.versions));
        if json {
            io.json(&json!({"id": c.id.to_string(), "title": c.title(), "objects": objects, "versions": versions,
                "highest": c.audience.highest.as_str(), "default": c.audience.default.as_str(), "listed": c.audience.listed,
                "exercise": c.audience.exercise, "closed": false}))?;
        } else {
            writeln!(io.out, "{}\t{}\t{objects} objects\tat most {}", c.id, c.title(), c.audience.highest)?;
        }
    }
    // Nobody reads these, so of what they hold nothing is told; who may open one again finds it here.
    if !me.may(people::Right::Grant) {
        return Ok(());
    }
    for c in node.people.grantable_collections(me)?.iter().filter(|c| c.audience.closed) {
        if json {
            io.json(&json!({"id": c.id.to_string(), "title": c.title(), "highest": c.audience.highest.as_str(),
                "default": c.audience.default.as_str(), "exercise": c.audience.exercise, "closed": true}))?;
        } else {
            writeln!(io.out, "{}\t{}\tclosed\tat most {}", c.id, c.title(), c.audience.highest)?;
        }
    }
    Ok(())
}

/// The node's numbers.
pub fn numbers(node: &Node, me: &Viewer) -> Result<Value, Problem> {
    // A count that cannot be known yet is null, never a wrong number.
    let objects = match node.intel.counts(me) {
        Ok(counts) => Some(counts.iter().map(|c| c.objects).sum::<u64>()),
        Err(intel::Error::Ledger(ledger::Error::Behind { .. })) => None,
        Err(e) => return Err(e.into()),
    };
    let behind = node.ledger.behind();
    let unfolded: u64 = node.ledger.views().iter().map(ledger::View::unfolded).sum();
    Ok(json!({"objects": objects, "entries": node.ledger.head().pos, "collections": node.people.collections(me)?.len(),
        "behind": behind, "unfolded": unfolded}))
}

pub fn stats(node: &Node, me: &Viewer, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let numbers = numbers(node, me)?;
    if json {
        return io.json(&numbers);
    }
    for (name, value) in numbers.as_object().into_iter().flatten() {
        writeln!(io.out, "{name}\t{value}")?;
    }
    Ok(())
}

/// One bundle, streamed: every standing version that the viewer sees, each once though several collections hold it.
pub fn export(node: &Node, me: &Viewer, collection: Option<CollectionId>, io: &mut Io<'_>) -> Result<(), Problem> {
    let collections = match collection {
        Some(one) => vec![one],
        None => node.people.collections(me)?.iter().map(|c| c.id).collect(),
    };
    let id = uuid::Uuid::new_v4();
    write!(io.out, "{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":[")?;
    let (mut first, mut failed) = (true, None);
    let mut told = HashSet::new();
    let matching = Match { versions: VersionMatch { all: true, ..VersionMatch::default() }, ..Match::default() };
    for collection in collections {
        let mut after = 0;
        loop {
            let page = node.intel.page(me, collection, &matching, after, None, PAGE)?;
            let Some(last) = page.rows.last() else { break };
            after = last.pos;
            node.intel.bodies(&page.rows, &mut |row, body| {
                if failed.is_some() || !told.insert((name_of(&row.id), row.version)) {
                    return;
                }
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                if let Err(e) = write!(io.out, "{comma}\n{body}") {
                    failed = Some(e);
                }
            })?;
            if let Some(e) = failed.take() {
                return Err(e.into());
            }
            if !page.more {
                break;
            }
        }
    }
    Ok(writeln!(io.out, "\n]}}")?)
}

/// A STIX id in 24 bytes, for an export remembers each it wrote: its UUID and a hash of all of it.
fn name_of(id: &str) -> (u128, u64) {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let uuid = id.rsplit_once("--").and_then(|(_, u)| uuid::Uuid::try_parse(u).ok());
    (uuid.map_or(0, |u| u.as_u128()), hasher.finish())
}
