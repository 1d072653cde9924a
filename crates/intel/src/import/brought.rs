//! What an import brought and still stands.
use crate::rows::{COLUMNS, JOINS, object_row, signed, unsigned};
use crate::view::state;
use crate::{Hit, Intel, Result};
use people::Viewer;

/// Counted exactly up to here.
const COUNTED: u64 = 10_000;

impl Intel {
    /// The newest objects that an import brought, of those that stand and that the viewer sees.
    pub(crate) fn brought(&self, viewer: &Viewer, import: u64, limit: usize) -> Result<Vec<Hit>> {
        let rows = self.read(viewer, |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM brought b JOIN versions v ON v.col = b.col AND v.pos = b.pos {JOINS} WHERE b.cause = ?1 \
                 AND b.again = 0 AND see(v.col) AND v.state & {} = 0 ORDER BY v.pos DESC LIMIT ?2",
                state::GONE
            );
            conn.prepare_cached(&sql)?.query_map((signed(import), signed(limit as u64)), object_row)?.collect()
        })?;
        self.named(rows)
    }

    /// How many objects an import brought that stand and that the viewer sees: exact up to 10,000, `None` beyond. What
    /// an import that did not end has come to, above all.
    ///
    /// # Errors
    /// The storage's.
    pub fn brought_count(&self, viewer: &Viewer, import: u64) -> Result<Option<u64>> {
        let count = self.read(viewer, |conn| {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM brought b JOIN versions v ON v.col = b.col AND v.pos = b.pos WHERE b.cause = ?1 \
                 AND b.again = 0 AND see(v.col) AND v.state & {} = 0 LIMIT ?2)",
                state::GONE
            );
            conn.prepare_cached(&sql)?.query_row((signed(import), signed(COUNTED + 1)), |r| r.get::<_, i64>(0))
        })?;
        Ok(Some(unsigned(count)).filter(|n| *n <= COUNTED))
    }
}
