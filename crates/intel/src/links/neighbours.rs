//! What refers to an object and what it refers to.
use crate::rows::{COLUMNS, JOINS, ObjectRow, object_row};
use crate::{Hit, Intel, Result};
use people::Viewer;
use std::collections::HashMap;

/// An object that refers to another, or is referred to.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// The other object.
    pub hit: Hit,
    /// By which property or relationship.
    pub how: String,
    /// From the object asked about to the other.
    pub outgoing: bool,
}

impl Intel {
    /// What refers to an object and what it refers to.
    ///
    /// # Errors
    /// The storage's.
    pub fn neighbours(&self, viewer: &Viewer, id: &str, limit: usize) -> Result<Vec<Neighbour>> {
        let mut how: HashMap<u64, (String, bool)> = HashMap::new();
        let incoming: Vec<(ObjectRow, String)> = self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {COLUMNS}, h.text FROM refs f JOIN versions v ON v.col = f.col AND v.pos = f.pos {JOINS} \
                 JOIN words h ON h.word = f.word WHERE f.obj = ?1 AND see(f.col) AND v.state & 13 = 1 ORDER BY f.pos DESC LIMIT ?2"
            );
            conn.prepare_cached(&sql)?.query_map((obj, limit as i64), |r| Ok((object_row(r)?, r.get(11)?)))?.collect()
        })?;
        let mut rows = Vec::new();
        for (row, word) in incoming {
            if how.insert(row.pos, (word, false)).is_none() {
                rows.push(row);
            }
        }
        if let Some((_, body)) = self.current(viewer, id)? {
            let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            for target in stix::refs_of(&value, limit) {
                if let Some(row) = self.versions(viewer, target.target)?.into_iter().next()
                    && how.insert(row.pos, (target.property.to_owned(), true)).is_none()
                {
                    rows.push(row);
                }
            }
        }
        let hits = self.named(rows)?;
        let neighbour = |hit: Hit| how.remove(&hit.row.pos).map(|(how, outgoing)| Neighbour { hit, how, outgoing });
        Ok(hits.into_iter().filter_map(neighbour).collect())
    }
}
