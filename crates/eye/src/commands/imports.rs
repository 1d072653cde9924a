use super::read::plain;
use super::{Io, PATIENCE};
use crate::arguments::Import;
use crate::node::{Node, Problem};
use intel::ImportRow;
use people::Viewer;
use serde_json::{Value, json};

/// Records read at a time.
const PAGE: usize = 500;

pub fn run(node: &Node, me: &Viewer, what: &Import, io: &mut Io<'_>) -> Result<(), Problem> {
    match what {
        Import::List { json, limit } => {
            for row in node.intel.imports(me, None, *limit)? {
                tell(node, me, &row, false, *json, io)?;
            }
            Ok(())
        }
        Import::Show { json, number } => show(node, me, *number, *json, io),
        Import::Quarantine { number, drop: true, .. } => {
            let gone = node.intel.drop_set_aside(me, *number)?;
            Ok(writeln!(io.out, "dropped {gone} records of import {number}")?)
        }
        Import::Quarantine { number, mapping: true, .. } => mapping(node, me, *number, io),
        Import::Quarantine { number, json, raw, .. } => quarantine(node, me, *number, *json, *raw, io),
        Import::Withdraw { number, reason } => {
            one(node, me, *number)?;
            let gone = node.intel.withdraw_import(me, *number, reason)?;
            node.ledger.level(PATIENCE)?;
            Ok(writeln!(io.out, "withdrew {gone} version(s)")?)
        }
    }
}

/// One import, and what of it was withdrawn: how many versions, when, by whom and why.
fn show(node: &Node, me: &Viewer, number: u64, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let row = one(node, me, number)?;
    let gone = node.intel.withdrawn_of_import(me, number)?;
    let by = |account| node.people.author_for(me, account).ok().flatten();
    if json {
        let told = |w: &intel::WithdrawnOfImport| json!({"versions": w.versions, "more": w.more, "at": stix::Instant(w.at).to_string(), "by": by(w.by), "reason": w.reason});
        let mut value = value(node, &row, node.intel.brought_count(me, row.pos)?);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("withdrawn".into(), gone.iter().map(told).collect());
        }
        return io.json(&value);
    }
    tell(node, me, &row, true, false, io)?;
    for w in gone {
        let (more, at) = (if w.more { "more than " } else { "" }, stix::Instant(w.at));
        let by = by(w.by).map_or(String::new(), |by| format!(" by {}", plain(&by)));
        writeln!(io.out, "  withdrawn {at}{by}: {more}{} version(s): {}", w.versions, plain(&w.reason))?;
    }
    Ok(())
}

fn one(node: &Node, me: &Viewer, number: u64) -> Result<ImportRow, Problem> {
    node.intel.import_row(me, number).map_err(|e| match e {
        intel::Error::NotFound => Problem::other(format!("there is no import {number}; `eye import list` shows them")),
        e => e.into(),
    })
}

fn value(node: &Node, row: &ImportRow, stands: Option<u64>) -> Value {
    let (added, same, aside) =
        row.done.as_ref().map_or((None, None, None), |d| (Some(d.added), Some(d.same), Some(d.aside)));
    let broken = row.done.as_ref().and_then(|d| d.broken.as_deref());
    json!({"import": row.pos, "source": row.source, "format": row.format, "at": stix::Instant(row.arrived).to_string(),
        "collection": node.ledger.log().collection_of(row.col).map(|c| c.to_string()), "ended": row.done.is_some(),
        "added": added, "same": same, "set_aside": aside, "broken": broken,
        "stands": stands, "withdrawn_versions": row.withdrawn, "withdrawn_more": row.withdrawn_more})
}

/// `counted`: says how many of its objects stand still, as it does of one that did not end.
fn tell(node: &Node, me: &Viewer, row: &ImportRow, counted: bool, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let counted = counted || row.done.is_none();
    let stands = counted.then(|| node.intel.brought_count(me, row.pos)).transpose()?;
    if json {
        return io.json(&value(node, row, stands.flatten()));
    }
    let mut came = row.done.as_ref().map_or_else(
        || "not ended".to_owned(),
        |d| {
            let broken = if d.broken.is_some() { ", not read to its end" } else { "" };
            format!("{} new, {} known, {} set aside{broken}", d.added, d.same, d.aside)
        },
    );
    if let Some(stands) = stands {
        let many = stands.map_or_else(|| "more than 10,000".to_owned(), |n| n.to_string());
        came.push_str(&format!("; {many} of its objects stand"));
    }
    if row.withdrawn > 0 {
        let all = if row.is_withdrawn() { "all of it, " } else { "" };
        let more = if row.withdrawn_more { "more than " } else { "" };
        came.push_str(&format!("; withdrawn: {all}{more}{} version(s)", row.withdrawn));
    }
    Ok(writeln!(io.out, "{}\t{}\t{}\t{}\t{came}", row.pos, stix::Instant(row.arrived), row.source, row.format)?)
}

/// The mapping with which rows set aside can be read alone.
fn mapping(node: &Node, me: &Viewer, number: u64, io: &mut Io<'_>) -> Result<(), Problem> {
    one(node, me, number)?;
    let frame = node.intel.set_aside(me, number, 0, 0)?.frame;
    let frame = frame.ok_or_else(|| Problem::other(format!("nothing of import {number} needs a mapping")))?;
    Ok(write!(io.out, "{}", frame.mapping)?)
}

fn quarantine(node: &Node, me: &Viewer, number: u64, json: bool, raw: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let row = one(node, me, number)?;
    let (mut after, mut kept, mut framed) = (0, 0, false);
    loop {
        let page = node.intel.set_aside(me, number, after, PAGE)?;
        let header = page.frame.as_ref().map(|frame| frame.header.as_str()).filter(|header| !header.is_empty());
        if raw && after == 0 && page.frame.is_some() {
            // With the mark a spreadsheet takes it for what it is.
            write!(io.out, "\u{feff}{}", header.map(|header| format!("{header}\n")).unwrap_or_default())?;
        }
        framed |= page.frame.is_some();
        for r in &page.rows {
            after = r.n;
            if json {
                let of_row = header.filter(|_| r.object.is_none() && r.record.is_some());
                io.json(&json!({"n": r.n, "place": r.place, "object": r.object, "code": r.code, "detail": r.detail,
                    "why": r.why, "header": of_row, "record": r.record, "cut": r.cut}))?;
            } else if raw {
                raw_record(r, framed, io)?;
            } else {
                writeln!(io.out, "{}\t{r}", r.n)?;
            }
        }
        kept = kept.max(page.kept);
        if !page.more {
            break;
        }
    }
    let aside = row.done.map_or(kept, |d| d.aside);
    if !json && aside > kept {
        writeln!(io.err, "{aside} were set aside, {kept} of them are kept")?;
    }
    if framed && !json && !raw {
        writeln!(
            io.err,
            "to mend rows: `eye import quarantine {number} --raw > rows.csv`, `eye import quarantine {number} --mapping > \
             rows.toml`, then `eye ingest rows.csv`"
        )?;
    }
    Ok(())
}

/// A record alone, to be mended; in a CSV file's import rows alone, which is what its header fits.
fn raw_record(r: &intel::SetAside, framed: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    match r.record.as_deref().filter(|_| !r.cut) {
        Some(_) if framed && r.object.is_some() => {
            writeln!(io.err, "  {}: an object that was made of a row, left out; --json gives it", r.place)?;
        }
        Some(record) => writeln!(io.out, "{}", one_line(record))?,
        None => writeln!(io.err, "  {}: not whole, left out", r.place)?,
    }
    Ok(())
}

/// JSON on one line; anything else as it is.
fn one_line(record: &str) -> String {
    match serde_json::from_str::<Value>(record) {
        Ok(_) => record.lines().map(str::trim).collect::<Vec<_>>().join(" "),
        Err(_) => record.trim_end().to_owned(),
    }
}
