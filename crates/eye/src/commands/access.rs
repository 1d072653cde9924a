use super::Io;
use super::grants::account;
use crate::arguments::Access;
use crate::node::{Node, Problem};
use people::{AccessFilter, AccessRow, Viewer};
use serde_json::json;

/// Rows asked for at a time.
const BATCH: u32 = 1_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn run(node: &Node, me: &Viewer, asked: &Access, io: &mut Io<'_>) -> Result<(), Problem> {
    let log = node.people.access_log();
    if asked.verify {
        let head = log.verify()?;
        if asked.json {
            return io.json(&json!({"ok": true, "rows": head.n, "hash": hex(&head.hash)}));
        }
        return Ok(writeln!(io.out, "every row holds, up to row {} with the hash {}", head.n, hex(&head.hash))?);
    }
    let filter = filter(node, me, asked)?;
    let (mut before, mut left) = (asked.before, asked.limit);
    while left > 0 {
        let page = log.find(me, &filter, before, BATCH.min(u32::try_from(left).unwrap_or(BATCH)))?;
        for row in &page.rows {
            tell(node, row, asked.json, io)?;
        }
        left -= page.rows.len().min(left);
        before = page.next;
        if before.is_none() {
            return Ok(());
        }
    }
    // Whoever reads JSON Lines reads stdout alone.
    match before {
        Some(n) => Ok(writeln!(io.err, "there are older rows: go on with --before {n}")?),
        None => Ok(()),
    }
}

fn filter(node: &Node, me: &Viewer, asked: &Access) -> Result<AccessFilter, Problem> {
    let sought = asked.about.as_deref().map(|text| {
        let readings: Vec<String> = node.intel.readings(text).into_iter().map(|(_, value)| value).collect();
        node.people.access_log().sought(text, &readings)
    });
    let account = match asked.account.as_deref() {
        None => None,
        Some("nobody") => Some(0),
        Some(name) => Some(account(node, me, name)?),
    };
    Ok(AccessFilter {
        account,
        kind: asked.kind,
        method: asked.method.clone(),
        sought,
        from: asked.since,
        to: asked.until,
        outcome: asked.outcome,
    })
}

fn tell(node: &Node, row: &AccessRow, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    let name = if row.account == 0 { None } else { node.people.name_of(row.account)? };
    let at = stix::Instant(row.at).to_string();
    if json {
        let ids: Vec<&str> = row.ids.split_whitespace().collect();
        return io.json(&json!({"n": row.n, "at": at, "account": row.account, "name": name, "role": row.role,
            "method": row.method, "route": row.route, "status": row.status, "objects": row.objects, "ids": ids,
            "query": row.query.as_deref().map(hex), "bytes": row.bytes, "hash": hex(&row.hash)}));
    }
    let name = name.unwrap_or_else(|| "nobody".into());
    Ok(writeln!(
        io.out,
        "{}\t{at}\t{name}\t{}\t{} {}\t{}\t{}",
        row.n, row.role, row.method, row.route, row.status, row.ids
    )?)
}
