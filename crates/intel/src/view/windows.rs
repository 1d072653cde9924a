use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Rows of a narrow window.
pub(crate) const NARROW: i64 = 512;
/// Narrow windows in a wide one.
const IN_WIDE: i64 = 16;

/// The word of the window that begins at `first`: two private characters, which no text that is searched for brings.
pub(crate) fn window_word(first: i64, wide: bool) -> String {
    format!("\u{E000}\u{E000}{}{first:x}", if wide { "w" } else { "n" })
}

/// The windows that a collection's rows go to now, and how many rows each has.
#[derive(Clone, Copy)]
struct Open {
    wide: (i64, i64),
    narrow: (i64, i64),
}

/// A collection's rows in windows, in the log's order. Each row's text carries the words of its windows: a search that asks
/// for one too never steps outside of the window, and so never over what its reader may not see. Wide windows are for words
/// that seldom stand in them, narrow ones for those that stand everywhere.
#[derive(Default)]
pub(super) struct Windows(HashMap<u32, Open>);

impl Windows {
    /// A row comes, the newest of its collection.
    pub(super) fn note(&mut self, view: &Connection, col: u32, pos: i64) -> rusqlite::Result<()> {
        let mut open = match self.0.get(&col) {
            Some(open) => *open,
            None => {
                let begun = |wide| -> rusqlite::Result<(i64, i64)> {
                    let Some(first) = window_of(view, col, wide, pos)? else { return Ok((pos, i64::MAX)) };
                    let mut rows = view.prepare_cached("SELECT count(*) FROM versions WHERE col = ? AND pos >= ?")?;
                    Ok((first, rows.query_row((col, first), |r| r.get(0))?))
                };
                Open { wide: begun(true)?, narrow: begun(false)? }
            }
        };
        for (window, wide, most) in [(&mut open.wide, true, NARROW * IN_WIDE), (&mut open.narrow, false, NARROW)] {
            if window.1 < most {
                window.1 += 1;
                continue;
            }
            *window = (pos, 1);
            view.prepare_cached("INSERT INTO windows(col, wide, first) VALUES (?,?,?)")?.execute((col, wide, pos))?;
        }
        self.0.insert(col, open);
        Ok(())
    }

    /// The words of the windows in which a row stands.
    pub(super) fn words(&self, view: &Connection, col: u32, pos: i64) -> rusqlite::Result<String> {
        let open = self.0.get(&col);
        let mut out = String::new();
        for (window, wide) in [(open.map(|o| o.wide.0), true), (open.map(|o| o.narrow.0), false)] {
            let window = window.filter(|first| *first <= pos);
            let first = if window.is_some() { window } else { window_of(view, col, wide, pos)? };
            out.push(' ');
            out.extend(first.map(|first| window_word(first, wide)));
        }
        Ok(out)
    }

    /// Forgets what was not written, after a rollback.
    pub(super) fn reset(&mut self) {
        self.0.clear();
    }
}

/// The first row of the window, wide or not, in which a collection's row stands.
pub(crate) const WINDOW_OF: &str = "SELECT first FROM windows WHERE col = ? AND wide = ? AND first <= ? ORDER BY first DESC LIMIT 1 /* for all: by the row's own collection */";

fn window_of(view: &Connection, col: u32, wide: bool, pos: i64) -> rusqlite::Result<Option<i64>> {
    view.prepare_cached(WINDOW_OF)?.query_row((col, wide, pos), |r| r.get(0)).optional()
}
