use super::state;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// How much stands in each collection: changes since the last flush.
#[derive(Default)]
pub(super) struct Stock(BTreeMap<u32, (i64, i64)>);

impl Stock {
    /// A version's state was `before` (`None`: it is new) and is `after`.
    pub(super) fn change(&mut self, col: u32, before: Option<i64>, after: i64) {
        let counts = |s: i64| {
            let stands = i64::from(s & state::GONE == 0);
            (stands * (s & state::LAST), stands)
        };
        let (was, is) = (before.map_or((0, 0), counts), counts(after));
        let of = self.0.entry(col).or_default();
        of.0 += is.0 - was.0;
        of.1 += is.1 - was.1;
    }

    /// Writes the changes; call before the transaction ends.
    pub(super) fn flush(&mut self, view: &Connection) -> rusqlite::Result<()> {
        let mut add = view.prepare_cached(
            "INSERT INTO stock(col, objects, versions) VALUES (?1, ?2, ?3) ON CONFLICT(col) DO UPDATE SET \
             objects = objects + excluded.objects, versions = versions + excluded.versions",
        )?;
        for (col, (objects, versions)) in std::mem::take(&mut self.0) {
            add.execute((col, objects, versions))?;
        }
        Ok(())
    }

    /// Forgets what was not written, after a rollback.
    pub(super) fn reset(&mut self) {
        self.0.clear();
    }
}
