use super::state;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// How much of each type stands in each collection: changes since the last flush, by the collection's and the type's numbers.
#[derive(Default)]
pub(super) struct Stock(BTreeMap<(u32, i64), (i64, i64)>);

impl Stock {
    /// A version of this type was `before` (`None`: it is new) and is `after`.
    pub(super) fn change(&mut self, col: u32, kind: i64, before: Option<i64>, after: i64) {
        let counts = |s: i64| {
            let stands = i64::from(s & state::GONE == 0);
            (stands * (s & state::LAST), stands)
        };
        let (was, is) = (before.map_or((0, 0), counts), counts(after));
        if was != is {
            let of = self.0.entry((col, kind)).or_default();
            of.0 += is.0 - was.0;
            of.1 += is.1 - was.1;
        }
    }

    /// Writes the changes; call before the transaction ends. A type of which nothing stands any longer has no row.
    pub(super) fn flush(&mut self, view: &Connection) -> rusqlite::Result<()> {
        let mut add = view.prepare_cached(
            "INSERT INTO stock(col, type, objects, versions) VALUES (?1, ?2, ?3, ?4) ON CONFLICT(col, type) DO UPDATE SET \
             objects = objects + excluded.objects, versions = versions + excluded.versions",
        )?;
        let mut clear = view.prepare_cached("DELETE FROM stock WHERE col = ? AND type = ? AND versions = 0")?;
        for ((col, kind), (objects, versions)) in std::mem::take(&mut self.0) {
            add.execute((col, kind, objects, versions))?;
            if versions <= 0 {
                clear.execute((col, kind))?;
            }
        }
        Ok(())
    }

    /// Forgets what was not written, after a rollback.
    pub(super) fn reset(&mut self) {
        self.0.clear();
    }
}
