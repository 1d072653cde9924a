//! What a verification notes before it walks: the head, the dictionary, the trees as they stand, what was expunged.
use super::{Report, Trust, rows};
use crate::erase::{EXPUNGE, Expunge};
use crate::{Result, log};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// The log at one moment.
pub(super) struct Noted {
    pub last_pos: u64,
    pub commits: u64,
    pub leaves: u64,
    pub heads: u64,
    pub tiles: u64,
    pub names: Vec<String>,
    pub trees: BTreeMap<u32, TreeRow>,
    pub origin: String,
}

/// A row of `trees`; the edge only by its hash.
pub(super) struct TreeRow {
    pub size: u64,
    pub root: [u8; 32],
    pub head_n: Option<u64>,
    pub edge: [u8; 32],
}

pub(super) fn note(conn: &Connection, report: &mut Report) -> Result<Noted> {
    schema(conn, report)?;
    conn.execute_batch("BEGIN")?;
    let noted = read(conn, report);
    conn.execute_batch("ROLLBACK")?;
    noted
}

fn read(conn: &Connection, report: &mut Report) -> Result<Noted> {
    let one = |sql: &str| -> Result<i64> { Ok(conn.query_row(sql, [], |r| r.get(0))?) };
    let below = [("entries", "pos", 1), ("bodies", "pos", 1), ("commits", "n", 1), ("nodelog", "n", 0)];
    for (table, key, first) in below {
        if one(&format!("SELECT count(*) FROM {table} WHERE {key} < {first}"))? > 0 {
            report.add(table, format!("a row's `{key}` is below {first}"));
        }
    }
    let mut noted = Noted {
        last_pos: log::unsigned(one("SELECT coalesce(max(pos), 0) FROM entries")?),
        commits: log::unsigned(one("SELECT coalesce(max(n), 0) FROM commits")?),
        leaves: log::unsigned(one("SELECT coalesce(max(n) + 1, 0) FROM nodelog")?),
        heads: log::unsigned(one("SELECT count(*) FROM heads")?),
        tiles: log::unsigned(one("SELECT count(*) FROM tiles")?),
        names: names(conn, report)?,
        trees: BTreeMap::new(),
        origin: log::meta_text(conn, "origin")?.unwrap_or_default(),
    };
    if one("SELECT count(*) FROM bodies WHERE pos > (SELECT coalesce(max(pos), 0) FROM entries)")? > 0 {
        report.add("bodies", "a body stands past the last entry");
    }
    if one("SELECT count(*) FROM meta WHERE key NOT IN ('layout', 'origin')")? > 0 {
        report.add("meta", "a row that nobody wrote");
    }
    match conn.query_row("SELECT value FROM meta WHERE key = 'layout'", [], |r| r.get::<_, i64>(0)) {
        Ok(log::LAYOUT) => {}
        _ => report.add("meta, layout", "the layout's number is not the one this program writes"),
    }
    let mut stmt = conn.prepare("SELECT col, size, root, head_n, edge FROM trees ORDER BY col")?;
    let mut found = stmt.query([])?;
    while let Some(row) = found.next()? {
        let tree = || -> Result<(u32, TreeRow), rows::Wrong> {
            let edge = Sha256::digest(rows::blob(row, 4, "edge")?).into();
            let (size, root) = (rows::count(row, 1, "size")?, rows::hash(row, 2, "root")?);
            Ok((rows::small(row, 0, "col")?, TreeRow { size, root, head_n: rows::maybe(row, 3, "head_n")?, edge }))
        };
        match tree() {
            Ok((col, tree)) => drop(noted.trees.insert(col, tree)),
            Err(wrong) => report.add("trees", wrong),
        }
    }
    Ok(noted)
}

/// The tables are those that this program makes.
fn schema(conn: &Connection, report: &mut Report) -> Result<()> {
    let of = |conn: &Connection| -> Result<Vec<String>> {
        let columns = "type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '')";
        let mut stmt = conn.prepare(&format!("SELECT {columns} FROM sqlite_schema ORDER BY type, name"))?;
        let rows = stmt.query_map([], |r| r.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(log::SCHEMA)?;
    if of(&fresh)? != of(conn)? {
        report.add("sqlite_schema", "the tables are not those that this program makes");
    }
    Ok(())
}

fn names(conn: &Connection, report: &mut Report) -> Result<Vec<String>> {
    let mut stmt = conn.prepare("SELECT n, text FROM names ORDER BY n")?;
    let mut found = stmt.query([])?;
    let mut names = Vec::new();
    let mut seen = HashMap::new();
    while let Some(row) = found.next()? {
        let due = names.len();
        let place = format!("names, n {due}");
        match rows::int(row, 0, "n") {
            Ok(n) if n == due as i64 => {}
            Ok(n) => report.add(&place, format!("the number is {n}")),
            Err(wrong) => report.add(&place, wrong),
        }
        let text = rows::text(row, 1, "text").map(str::to_owned).unwrap_or_else(|wrong| {
            report.add(&place, wrong);
            String::new()
        });
        if let Some(before) = seen.insert(text.clone(), due) {
            report.add(&place, format!("the name stands under {before} as well"));
        }
        names.push(text);
    }
    Ok(names)
}

/// Which entries' bodies may be absent.
#[derive(Default)]
pub(super) struct Expunges {
    /// (collection's number, entry's id) → the first expunge entry.
    pub entries: HashMap<(u32, [u8; 32]), u64>,
    /// Object → the first expunge entry.
    objects: HashMap<String, u64>,
}

/// The expunge entries after `after`, up to the log's end of now.
pub(super) fn expunges(conn: &Connection, noted: &Noted, after: u64, report: &mut Report) -> Result<Expunges> {
    let mut out = Expunges::default();
    let kind: Option<i64> = match noted.names.iter().position(|n| n == EXPUNGE) {
        Some(n) => Some(n as i64),
        // A collection that never expunged anything may have begun since.
        None => log::optional(conn.query_row("SELECT n FROM names WHERE text = ?", [EXPUNGE], |r| r.get(0)))?,
    };
    let Some(kind) = kind else { return Ok(out) };
    let mut at = after;
    loop {
        // Short transactions: 100,000 rows a statement.
        let mut stmt = conn.prepare_cached(
            "SELECT e.pos, e.col, b.body FROM entries e LEFT JOIN bodies b ON b.pos = e.pos \
             WHERE e.pos > ?1 AND e.pos <= ?1 + 100000 AND e.kind = ?2 ORDER BY e.pos",
        )?;
        let mut found = stmt.query((log::signed(at), kind))?;
        while let Some(row) = found.next()? {
            let (Ok(pos), Ok(col)) = (rows::count(row, 0, "pos"), rows::small::<u32>(row, 1, "col")) else { continue };
            let body = rows::text(row, 2, "body").ok().and_then(|text| serde_json::from_str::<Expunge>(text).ok());
            let id = body.as_ref().and_then(|b| <[u8; 32]>::try_from(hex::decode(&b.entry).ok()?).ok());
            let (Some(body), Some(id)) = (body, id) else {
                report.add(format!("bodies, pos {pos}"), format!("entry {pos} says unreadably what was expunged"));
                continue;
            };
            out.entries.entry((col, id)).or_insert(pos);
            out.objects.entry(body.object).or_insert(pos);
        }
        drop(found);
        drop(stmt);
        at += 100_000;
        let last: i64 = conn.query_row("SELECT coalesce(max(pos), 0) FROM entries", [], |r| r.get(0))?;
        if at >= log::unsigned(last) {
            return Ok(out);
        }
    }
}

/// The suppression list is what the expunge entries say.
pub(super) fn suppression(
    conn: &Connection,
    noted: &Noted,
    expunges: &Expunges,
    trust: &Trust<'_>,
    report: &mut Report,
) {
    let mut check = || -> Result<()> {
        let mut stmt = conn.prepare("SELECT h, pos FROM suppressed WHERE pos <= ? OR typeof(pos) <> 'integer'")?;
        let mut found = stmt.query([log::signed(noted.last_pos)])?;
        let mut listed: HashMap<[u8; 32], u64> = HashMap::new();
        while let Some(row) = found.next()? {
            match (rows::hash(row, 0, "h"), rows::count(row, 1, "pos")) {
                (Ok(h), Ok(pos)) => drop(listed.insert(h, pos)),
                (Err(wrong), _) | (_, Err(wrong)) => report.add("suppressed", wrong),
            }
        }
        let objects: Vec<_> = expunges.objects.iter().collect();
        let Some(key) = trust.index_hmac else { return Ok(()) };
        for (object, pos) in objects {
            if *pos <= noted.last_pos && listed.remove(&crate::commit::suppression(key, object)) != Some(*pos) {
                report.add("suppressed", format!("what entry {pos} expunged is not in the suppression list"));
            }
        }
        for pos in listed.values() {
            report.add("suppressed", format!("entry {pos} expunged no such object"));
        }
        Ok(())
    };
    let result = check();
    report.note("suppressed", result);
}
