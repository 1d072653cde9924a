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

pub fn hit(node: &Node, hit: &Hit) -> Value {
    let collection = node.ledger.log().collection_of(hit.row.col).map(|c| c.to_string());
    json!({"id": hit.row.id, "type": hit.row.object_type, "name": hit.name, "collection": collection,
        "version": instant(hit.row.version), "date_added": instant(hit.row.arrived), "tlp": hit.row.tlp.as_str()})
}

/// A hit with what is told beside it.
fn hit_told(node: &Node, h: &Hit, told: &AllTold) -> Value {
    let mut value = hit(node, h);
    if let Some(told) = told.get(&h.row.pos) {
        told_json(&mut value, told);
    }
    value
}

fn holders<'a>(links: impl IntoIterator<Item = &'a Link>) -> impl Iterator<Item = &'a ObjectRow> {
    links.into_iter().flat_map(|l| &l.holders).map(|h| &h.row)
}

pub fn link(node: &Node, l: &Link) -> Value {
    link_told(node, l, &AllTold::new())
}

/// A link, how sure it is and why, and its holders with who reported each.
fn link_told(node: &Node, link: &Link, told: &AllTold) -> Value {
    let holders: Vec<Value> = link.holders.iter().map(|h| hit_told(node, h, told)).collect();
    json!({"strength": strength(link.strength), "kind": link.kind.as_str(), "value": link.value, "count": link.count, "suppressed": link.suppressed.as_ref().map(ToString::to_string),
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
    let told = node.intel.told(me, found.hits.iter().map(|h| &h.row))?;
    for h in &found.hits {
        if json {
            io.json(&hit_told(node, h, &told))?
        } else {
            writeln!(io.out, "{}\t{}\t{}", h.row.id, h.row.object_type, called(h, &told))?
        }
    }
    if !json {
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
    if found.ignored > 0 {
        writeln!(io.err, "only the first sixteen words were looked for; {} were left out", found.ignored)?;
    }
    Ok(())
}

pub fn show(node: &Node, me: &Viewer, id: &str, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let document = document(node, me, id)?;
    if json {
        return Ok(writeln!(io.out, "{document:#}")?);
    }
    let words = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let list = |name: &str| document.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |v: &Value, name: &str| v.get(name).map(words).unwrap_or_default();
    for (name, value) in document.get("object").and_then(Value::as_object).into_iter().flatten() {
        writeln!(io.out, "{name:<22} {}", plain(&words(value)))?;
    }
    writeln!(io.out, "\nversions")?;
    for v in list("versions") {
        let place = node.people.collections(me)?.into_iter().find(|c| c.id.to_string() == of(&v, "collection"));
        let place = place.map(|c| c.title().to_owned()).unwrap_or_default();
        writeln!(
            io.out,
            "  {}  {}  {place}  arrived {}",
            of(&v, "version"),
            of(&v, "tlp").to_uppercase(),
            of(&v, "date_added")
        )?;
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
    let links = node.intel.links_of_object(me, id)?;
    let told = node.intel.told(me, holders(&links))?;
    if !links.is_empty() {
        writeln!(io.out, "\nlinks")?;
    }
    for l in links {
        let why = l.suppressed.as_ref().map_or(String::new(), |w| format!(": links nothing, {w}"));
        writeln!(io.out, "  {} {} held by {}{why}", l.kind.as_str(), plain(&l.value), l.count)?;
        for h in l.holders.iter().filter(|h| h.row.id != id).take(5) {
            writeln!(io.out, "    {}\t{}", h.row.id, called(h, &told))?;
        }
    }
    Ok(())
}

/// Without what would steer a terminal.
fn plain(text: &str) -> String {
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
    for (kind, value) in selectors::parse_query(selector) {
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

/// An object with its versions, as one document.
pub fn document(node: &Node, me: &Viewer, id: &str) -> Result<Value, Problem> {
    let Some((row, body)) = node.intel.current(me, id)? else { return Err(intel::Error::NotFound.into()) };
    let object: Value = serde_json::from_str(&body).map_err(|e| Problem::other(e.to_string()))?;
    let versions: Vec<Value> = node
        .intel
        .versions(me, id)?
        .iter()
        .map(|r| {
            json!({"version": instant(r.version), "date_added": instant(r.arrived), "tlp": r.tlp.as_str(),
            "collection": node.ledger.log().collection_of(r.col).map(|c| c.to_string())})
        })
        .collect();
    let selectors: Vec<Value> = node
        .intel
        .selectors_of(&row, &body)
        .iter()
        .map(|s| json!({"kind": s.kind.as_str(), "value": s.value, "strength": strength(s.strength), "why": s.why}))
        .collect();
    let mut document = json!({"object": object, "versions": versions, "selectors": selectors});
    if let Some(told) = node.intel.told(me, [&row])?.get(&row.pos) {
        told_json(&mut document, told);
    }
    Ok(document)
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
            let mut readings = selectors::parse_query(word);
            for handle in selectors::parse_query(&format!("@{word}")) {
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
    let told = node.intel.told(me, holders(links.iter().chain(&suppressed)))?;
    for l in links.iter().chain(&suppressed) {
        if json {
            io.json(&link_told(node, l, &told))?;
        } else {
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
            _ => writeln!(io.err, "{} link, {} are suppressed{not_all}", links.len(), suppressed.len())?,
        }
    }
    Ok(())
}

fn write_link(l: &Link, told: &AllTold, io: &mut Io<'_>) -> Result<(), Problem> {
    let why = match (&l.suppressed, l.silent_days) {
        (Some(why), _) => format!(" (suppressed: {why})"),
        (None, Some(days)) => {
            format!(" (less sure: silent for {days} days, and a number that is given up goes to somebody else)")
        }
        (None, None) => String::new(),
    };
    writeln!(io.out, "{} {} held by {}{}", l.kind.as_str(), plain(&l.value), l.count, plain(&why))?;
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
                "exercise": c.audience.exercise}))?;
        } else {
            writeln!(io.out, "{}\t{}\t{objects} objects\tat most {}", c.id, c.title(), c.audience.highest)?;
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
