use rusqlite::Connection;

/// Rows that wait beside a table: at 200 rows a page about three megabytes.
const MOST: usize = 128_000;
/// Ranges of hashes, by their four highest bits.
const RANGES: i64 = 16;

/// A table of (hash, number) whose hashes spread evenly, so that each insert is a page of its own: at two million rows a
/// transaction of 30,000 would write nearly every page of the table. Rows wait in a small table beside it, `{table}_new`, and
/// move over one range of hashes at a time, each page once for many rows. Who reads asks both.
///
/// The room's schema has both tables:
///
/// ```sql
/// CREATE TABLE ids(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
/// CREATE TABLE ids_new(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
/// ```
pub struct Staged {
    add: String,
    move_over: String,
    clear: String,
    count: String,
    remove: [String; 2],
    most: usize,
    /// Rows in `{table}_new`, once they were counted.
    staged: Option<usize>,
    next: i64,
}

impl Staged {
    /// Rows of `table`, a word of the room's own schema.
    pub fn new(table: &'static str) -> Self {
        Self {
            add: format!("INSERT OR IGNORE INTO {table}_new(h, n) VALUES (?,?)"),
            move_over: format!(
                "INSERT OR IGNORE INTO {table}(h, n) SELECT h, n FROM {table}_new WHERE h BETWEEN ? AND ?"
            ),
            clear: format!("DELETE FROM {table}_new WHERE h BETWEEN ? AND ?"),
            count: format!("SELECT count(*) FROM {table}_new"),
            remove: [
                format!("DELETE FROM {table}_new WHERE h = ? AND n = ?"),
                format!("DELETE FROM {table} WHERE h = ? AND n = ?"),
            ],
            most: MOST,
            staged: None,
            next: 0,
        }
    }

    /// Writes rows; in the order of their hashes each page is visited once. Call before the transaction ends.
    ///
    /// # Errors
    /// SQLite's.
    pub fn write(&mut self, view: &Connection, rows: &[(i64, i64)]) -> rusqlite::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut staged = match self.staged {
            Some(staged) => staged,
            None => usize::try_from(view.query_row(&self.count, [], |r| r.get::<_, i64>(0))?).unwrap_or(0),
        };
        {
            let mut add = view.prepare_cached(&self.add)?;
            for row in rows {
                staged += add.execute(*row)?;
            }
        }
        for _ in 0..RANGES {
            if staged <= self.most {
                break;
            }
            staged = staged.saturating_sub(self.move_next(view)?);
        }
        self.staged = Some(staged);
        Ok(())
    }

    /// Moves one range over; how many rows.
    fn move_next(&mut self, view: &Connection) -> rusqlite::Result<usize> {
        let width = u64::MAX / RANGES.unsigned_abs();
        let first = i64::MIN.wrapping_add_unsigned(width * self.next.unsigned_abs() + self.next.unsigned_abs());
        let last = if self.next == RANGES - 1 { i64::MAX } else { first.wrapping_add_unsigned(width) };
        self.next = (self.next + 1) % RANGES;
        view.prepare_cached(&self.move_over)?.execute((first, last))?;
        view.prepare_cached(&self.clear)?.execute((first, last))
    }

    /// Takes one row away.
    ///
    /// # Errors
    /// SQLite's.
    pub fn remove(&mut self, view: &Connection, h: i64, n: i64) -> rusqlite::Result<()> {
        let [new, old] = &self.remove;
        let gone = view.prepare_cached(new)?.execute((h, n))?;
        self.staged = self.staged.map(|staged| staged.saturating_sub(gone));
        view.prepare_cached(old)?.execute((h, n))?;
        Ok(())
    }

    /// Forgets what memory holds, after a rollback.
    pub fn reset(&mut self) {
        self.staged = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SCHEMA: &str = "CREATE TABLE t(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
        CREATE TABLE t_new(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;";

    fn all(view: &Connection, sql: &str) -> Vec<(i64, i64)> {
        let mut stmt = view.prepare(sql).unwrap();
        stmt.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_row_stands_once_in_one_of_both_tables_and_few_wait() {
        let view = Connection::open_in_memory().unwrap();
        view.execute_batch(SCHEMA).unwrap();
        let mut staged = Staged { most: 100, ..Staged::new("t") };
        let mut expected = BTreeSet::new();
        let edges = [i64::MIN, -1, 0, 1, i64::MAX, i64::MIN + (1 << 60), i64::MIN + (1 << 60) - 1];
        for round in 0..50_i64 {
            let spread = (0..20).map(|i| (round * 20 + i).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()));
            let rows: Vec<(i64, i64)> = spread.chain(edges).map(|h| (h, round)).collect();
            if round == 20 {
                staged.reset();
            }
            staged.write(&view, &rows).unwrap();
            expected.extend(rows);
            let waiting = all(&view, "SELECT h, n FROM t_new").len();
            assert!(waiting <= 100);
            assert_eq!(Some(waiting), staged.staged);
        }
        let both = all(&view, "SELECT h, n FROM t UNION ALL SELECT h, n FROM t_new ORDER BY h, n");
        assert_eq!(both, expected.into_iter().collect::<Vec<_>>());
        assert!(!all(&view, "SELECT h, n FROM t").is_empty());
    }

    #[test]
    fn a_row_is_taken_away_wherever_it_stands() {
        let view = Connection::open_in_memory().unwrap();
        view.execute_batch(SCHEMA).unwrap();
        let mut staged = Staged { most: 1, ..Staged::new("t") };
        staged.write(&view, &[(1, 1), (2, 2), (i64::MIN, 3)]).unwrap();
        for row in [(1, 1), (2, 2), (i64::MIN, 3)] {
            staged.remove(&view, row.0, row.1).unwrap();
        }
        assert!(all(&view, "SELECT h, n FROM t UNION ALL SELECT h, n FROM t_new").is_empty());
        assert_eq!(staged.staged, Some(0));
    }
}
