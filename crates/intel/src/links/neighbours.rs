//! What refers to an object and what it refers to.
use crate::rows::{COLUMNS, DEEPEST, JOINS, ObjectRow, Versions, object_row};
use crate::search::cols_referring_to;
use crate::{Hit, Intel, Result};
use people::Viewer;
use serde_json::Value;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// An object that refers to another, or is referred to.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// The other object.
    pub hit: Hit,
    /// By which property or relationship.
    pub how: String,
    /// From the object asked about to the other.
    pub outgoing: bool,
    /// Of a relationship that names the object asked about: what it says.
    pub says: Option<Statement>,
}

/// What a relationship says of the object asked about.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The relationship's type.
    pub kind: String,
    /// The object asked about is its source, the other its target; else the other way round.
    pub forward: bool,
    /// The object at its other end, where it stands here and the viewer sees it.
    pub other: Option<Hit>,
}

impl Intel {
    /// What an object refers to, and what refers to it, newest first: `limit` of both together, from the `from`th on (at most
    /// the 100,000th), and whether there is more.
    ///
    /// # Errors
    /// The storage's.
    pub fn neighbours(&self, viewer: &Viewer, id: &str, from: usize, limit: usize) -> Result<(Vec<Neighbour>, bool)> {
        let end = from.min(DEEPEST).saturating_add(limit);
        let mut how: HashMap<u64, (String, bool)> = HashMap::new();
        let incoming: Vec<(ObjectRow, String)> = self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {COLUMNS}, h.text FROM refs f JOIN versions v ON v.col = f.col AND v.pos = f.pos {JOINS} \
                 JOIN words h ON h.word = f.word WHERE f.obj = ?1 AND f.col = ?2 AND see(f.col) AND v.state & 13 = 1 \
                 ORDER BY f.pos DESC LIMIT ?3"
            );
            let mut stmt = conn.prepare_cached(&sql)?;
            let mut newest: Vec<(ObjectRow, String)> = Vec::new();
            for col in cols_referring_to(conn, viewer, obj)? {
                let rows =
                    stmt.query_map((obj, col, end.saturating_add(1) as i64), |r| Ok((object_row(r)?, r.get(11)?)))?;
                newest.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            newest.sort_by_key(|(row, _)| std::cmp::Reverse(row.pos));
            newest.truncate(end.saturating_add(1));
            Ok(newest)
        })?;
        let mut rows = Vec::new();
        if let Some((_, body)) = self.current(viewer, id)? {
            let value: Value = serde_json::from_str(&body).unwrap_or_default();
            for target in stix::refs_of(&value, end.saturating_add(1)) {
                if target.target != id
                    && let Some(row) = self.versions(viewer, target.target, &Versions::default())?.pop()
                    && how.insert(row.pos, (target.property.to_owned(), true)).is_none()
                {
                    rows.push(row);
                }
            }
        }
        let mut met = HashSet::new();
        for (row, word) in incoming {
            // What refers to itself says nothing; what stands in several collections says it once.
            if row.id == id || !met.insert((row.id.clone(), word.clone())) {
                continue;
            }
            if let Entry::Vacant(place) = how.entry(row.pos) {
                place.insert((word, false));
                rows.push(row);
            }
        }
        let more = rows.len() > end;
        let rows: Vec<ObjectRow> = rows.into_iter().take(end).skip(from).collect();
        let mut says = self.statements(viewer, id, &rows)?;
        let hits = self.named(rows)?;
        let neighbour = |hit: Hit| {
            let says = says.remove(&hit.row.pos);
            how.remove(&hit.row.pos).map(|(how, outgoing)| Neighbour { hit, how, outgoing, says })
        };
        Ok((hits.into_iter().filter_map(neighbour).collect(), more))
    }

    /// What the relationships among these rows say of an object, by their positions.
    fn statements(&self, viewer: &Viewer, id: &str, rows: &[ObjectRow]) -> Result<HashMap<u64, Statement>> {
        let mut ends: Vec<(u64, String, bool, String)> = Vec::new();
        let relationships: Vec<ObjectRow> = rows.iter().filter(|r| r.object_type == "relationship").cloned().collect();
        self.bodies(&relationships, &mut |row, body| {
            let value: Value = serde_json::from_str(body).unwrap_or_default();
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
            let (source, target) = (text("source_ref"), text("target_ref"));
            if source == id || target == id {
                let other = if source == id { target } else { source };
                ends.push((row.pos, text("relationship_type").to_owned(), source == id, other.to_owned()));
            }
        })?;
        let mut out = HashMap::new();
        let mut known: HashMap<String, Option<Hit>> = HashMap::new();
        for (pos, kind, forward, other) in ends {
            let other = match known.get(&other) {
                Some(hit) => hit.clone(),
                None => {
                    let newest = self.versions(viewer, &other, &Versions::default())?;
                    let hit = self.named(newest)?.pop();
                    known.entry(other).or_insert(hit).clone()
                }
            };
            out.insert(pos, Statement { kind, forward, other });
        }
        Ok(out)
    }
}
