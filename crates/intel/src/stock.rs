//! How much stands where, and of which types: of the viewer's own collections alone.
use crate::rows::unsigned;
use crate::{Intel, Result};
use ledger::CollectionId;
use people::Viewer;
use std::collections::BTreeMap;

/// How much stands in a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionCount {
    /// The collection.
    pub collection: CollectionId,
    /// Objects.
    pub objects: u64,
    /// Versions of objects.
    pub versions: u64,
}

impl Intel {
    /// How much stands in each collection that the viewer sees.
    ///
    /// # Errors
    /// The storage's.
    pub fn counts(&self, viewer: &Viewer) -> Result<Vec<CollectionCount>> {
        let rows = self.stock(
            viewer,
            "SELECT col, sum(objects), sum(versions) FROM stock WHERE col BETWEEN ? AND ? AND see(col) GROUP BY col",
            |r| Ok((r.get::<_, u32>(0)?, unsigned(r.get(1)?), unsigned(r.get(2)?))),
        )?;
        let log = self.inner.ledger.log();
        let count =
            |(col, objects, versions)| Some(CollectionCount { collection: log.collection_of(col)?, objects, versions });
        Ok(rows.into_iter().filter_map(count).collect())
    }

    /// The types of what the viewer sees, by name, each with how many objects stand; one that stands in several collections
    /// counts in each. A type that only others' collections hold is not among them.
    ///
    /// # Errors
    /// The storage's.
    pub fn types(&self, viewer: &Viewer) -> Result<BTreeMap<String, u64>> {
        let rows = self.stock(viewer, "SELECT w.text, s.objects FROM stock s JOIN words w ON w.word = s.type WHERE s.col BETWEEN ? AND ? AND see(s.col) AND s.objects > 0", |r| {
            Ok((r.get::<_, String>(0)?, unsigned(r.get(1)?)))
        })?;
        let mut types = BTreeMap::new();
        for (name, objects) in rows {
            *types.entry(name).or_default() += objects;
        }
        Ok(types)
    }

    /// Rows of the viewer's runs of collections: `sql` takes the two ends of one.
    fn stock<T>(
        &self,
        viewer: &Viewer,
        sql: &str,
        mut row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.read(viewer, |conn| {
            let mut stmt = conn.prepare_cached(sql)?;
            let mut out = Vec::new();
            for run in viewer.set().runs() {
                for found in stmt.query_map(run, &mut row)? {
                    out.push(found?);
                }
            }
            Ok(out)
        })
    }
}
