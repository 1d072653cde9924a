use rusqlite::Connection;
use std::collections::BTreeMap;

/// Bits of a full-text row's number that are the position; the collection stands above them.
const POS_BITS: u32 = 36;
/// Bytes of text that wait before they are written.
const MOST: usize = 4 << 20;

/// The full-text row of a position: rows of one collection stand together in every posting list.
pub(crate) fn text_row(col: u32, pos: i64) -> i64 {
    i64::from(col) << POS_BITS | pos
}

/// The collection and the position of a full-text row.
pub(crate) fn of_text_row(row: i64) -> (u32, i64) {
    (u32::try_from(row >> POS_BITS).unwrap_or(u32::MAX), row & ((1 << POS_BITS) - 1))
}

/// What waits for one row.
enum Change {
    Add(String),
    Remove(String),
    Replace { old: String, new: String },
}

/// Changes of the full text, written in the order of their rows before a transaction ends: FTS5 writes out what it has
/// gathered each time that a row's number falls.
#[derive(Default)]
pub(super) struct Texts {
    waiting: BTreeMap<i64, Change>,
    bytes: usize,
}

impl Texts {
    pub(super) fn add(&mut self, view: &Connection, row: i64, new: String) -> rusqlite::Result<()> {
        self.bytes += new.len();
        let change = match self.waiting.remove(&row) {
            Some(Change::Remove(old) | Change::Replace { old, .. }) => Change::Replace { old, new },
            _ => Change::Add(new),
        };
        self.waiting.insert(row, change);
        self.bounded(view)
    }

    /// `old` must be the text that was added, word for word.
    pub(super) fn remove(&mut self, view: &Connection, row: i64, old: String) -> rusqlite::Result<()> {
        match self.waiting.remove(&row) {
            Some(Change::Add(_)) => {}
            Some(Change::Remove(old) | Change::Replace { old, .. }) => {
                self.waiting.insert(row, Change::Remove(old));
            }
            None => {
                self.bytes += old.len();
                self.waiting.insert(row, Change::Remove(old));
            }
        }
        self.bounded(view)
    }

    fn bounded(&mut self, view: &Connection) -> rusqlite::Result<()> {
        if self.bytes > MOST { self.flush(view) } else { Ok(()) }
    }

    /// Writes what waits; call before the transaction ends.
    pub(super) fn flush(&mut self, view: &Connection) -> rusqlite::Result<()> {
        self.bytes = 0;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut add = view.prepare_cached("INSERT INTO texts(rowid, text) VALUES (?,?)")?;
        let mut remove = view.prepare_cached("INSERT INTO texts(texts, rowid, text) VALUES ('delete', ?, ?)")?;
        for (row, change) in std::mem::take(&mut self.waiting) {
            match change {
                Change::Add(new) => add.execute((row, new))?,
                Change::Remove(old) => remove.execute((row, old))?,
                Change::Replace { old, new } => {
                    remove.execute((row, old))?;
                    add.execute((row, new))?
                }
            };
        }
        Ok(())
    }

    /// Forgets what waits, after a rollback.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rows_number_holds_its_collection_and_position() {
        assert_eq!(of_text_row(text_row(6_000, 123_456_789)), (6_000, 123_456_789));
        assert!(text_row(3, i64::from(u32::MAX)) < text_row(4, 1), "a collection's rows stand together");
    }

    #[test]
    fn what_is_added_and_taken_back_before_it_is_written_leaves_no_word() {
        let view = Connection::open_in_memory().unwrap();
        view.execute_batch(include_str!("schema.sql")).unwrap();
        let found = |word: &str| -> i64 {
            view.query_row("SELECT count(*) FROM texts WHERE texts MATCH ?", [word], |r| r.get(0)).unwrap()
        };
        let mut texts = Texts::default();
        texts.add(&view, 1, "alpha".into()).unwrap();
        texts.add(&view, 2, "beta".into()).unwrap();
        texts.remove(&view, 1, "alpha".into()).unwrap();
        texts.flush(&view).unwrap();
        assert_eq!((found("alpha"), found("beta")), (0, 1));
        texts.remove(&view, 2, "beta".into()).unwrap();
        texts.add(&view, 2, "gamma".into()).unwrap();
        texts.add(&view, 1, "delta".into()).unwrap();
        texts.flush(&view).unwrap();
        assert_eq!((found("beta"), found("gamma"), found("delta")), (0, 1, 1));
        view.execute("INSERT INTO texts(texts) VALUES ('integrity-check')", []).unwrap();
    }
}
