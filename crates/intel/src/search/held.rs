//! Who holds a selector, collection by collection of the viewer's own.
use people::Viewer;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashSet;

const COLS: &str = "SELECT col FROM holders WHERE sel = ?1 AND col BETWEEN ?2 AND ?3 AND see(col) ORDER BY col LIMIT 1";
const COLS_REFERRING: &str =
    "SELECT col FROM refs WHERE obj = ?1 AND col BETWEEN ?2 AND ?3 AND see(col) ORDER BY col LIMIT 1";

const COLS_OF_OBJECT: &str = "SELECT col FROM versions INDEXED BY versions_of_object \
    WHERE obj = ?1 AND col BETWEEN ?2 AND ?3 AND see(col) ORDER BY col LIMIT 1";

/// The collections in which versions of an object stand or stood, of those that the viewer sees; as [`cols_of_selector`].
pub(crate) fn cols_of_object(conn: &Connection, viewer: &Viewer, obj: i64) -> rusqlite::Result<Vec<u32>> {
    cols(conn, viewer, COLS_OF_OBJECT, obj)
}

/// The collections in which a selector has holders that the viewer sees. A step for each of them, and one for each run of
/// the viewer's collections: what is hidden costs none.
pub(crate) fn cols_of_selector(conn: &Connection, viewer: &Viewer, sel: i64) -> rusqlite::Result<Vec<u32>> {
    cols(conn, viewer, COLS, sel)
}

/// The collections in which something that the viewer sees refers to an object; as [`cols_of_selector`].
pub(crate) fn cols_referring_to(conn: &Connection, viewer: &Viewer, obj: i64) -> rusqlite::Result<Vec<u32>> {
    cols(conn, viewer, COLS_REFERRING, obj)
}

fn cols(conn: &Connection, viewer: &Viewer, sql: &str, key: i64) -> rusqlite::Result<Vec<u32>> {
    let mut next = conn.prepare_cached(sql)?;
    let mut out = Vec::new();
    for (first, last) in viewer.set().runs() {
        let mut at = first;
        while at <= last
            && let Some(col) = next.query_row((key, at, last), |r| r.get::<_, u32>(0)).optional()?
        {
            out.push(col);
            at = col.saturating_add(1);
        }
    }
    Ok(out)
}

/// How many rows that the viewer sees hold a selector, counted to `most`.
pub(crate) fn count_to(conn: &Connection, viewer: &Viewer, sel: i64, most: usize) -> rusqlite::Result<usize> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM holders WHERE sel = ? AND col = ? AND see(col) LIMIT ?)",
    )?;
    let (mut held, most) = (0, most as i64);
    for col in cols_of_selector(conn, viewer, sel)? {
        held += stmt.query_row((sel, col, most - held), |r| r.get::<_, i64>(0))?;
        if held >= most {
            break;
        }
    }
    Ok(usize::try_from(held).unwrap_or(0))
}

/// The objects that the viewer sees and that hold a selector, each once wherever it stands: one more than `most` at most, and
/// whether that is all.
pub(super) fn objects_of(
    conn: &Connection,
    viewer: &Viewer,
    sel: i64,
    most: usize,
) -> rusqlite::Result<(HashSet<i64>, bool)> {
    let mut stmt =
        conn.prepare_cached("SELECT obj FROM holders WHERE sel = ? AND col = ? AND see(col) ORDER BY pos LIMIT ?")?;
    // An object that stands in many collections has a row in each.
    let (mut met, mut left) = (HashSet::new(), 2 * most);
    for col in cols_of_selector(conn, viewer, sel)? {
        let mut rows = stmt.query((sel, col, left as i64))?;
        while let Some(row) = rows.next()? {
            met.insert(row.get::<_, i64>(0)?);
            left = left.saturating_sub(1);
            if left == 0 || met.len() > most {
                return Ok((met, false));
            }
        }
    }
    Ok((met, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    fn held_in(cols: impl IntoIterator<Item = u32>) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        people::see::register(&conn).unwrap();
        conn.execute_batch(include_str!("../view/schema.sql")).unwrap();
        for col in cols {
            // Two rows of one object in each collection, among other selectors' rows.
            for (sel, pos) in [(6, 1), (7, 1), (7, 2), (8, 1)] {
                let row = (sel, col, i64::from(col) * 10 + pos, 3, 2, 0);
                conn.execute("INSERT INTO holders VALUES (?,?,?,?,?,?)", row).unwrap();
                conn.execute("INSERT INTO refs VALUES (?,?,?,?,?)", (sel, col, row.2, 1, 3)).unwrap();
            }
        }
        conn
    }

    /// SQLite's own count of its machine's steps, and the collections.
    fn steps(conn: &Connection, viewer: &Viewer, sql: &str) -> (i32, Vec<u32>) {
        people::see::with(viewer, || {
            conn.prepare_cached(sql).unwrap().reset_status(StatementStatus::VmStep);
            let cols = cols(conn, viewer, sql, 7).unwrap();
            (conn.prepare_cached(sql).unwrap().get_status(StatementStatus::VmStep), cols)
        })
    }

    #[test]
    fn holders_and_references_in_collections_that_are_not_seen_cost_no_step() {
        let viewer = Viewer::for_test(people::Role::Analyst, [2, 3, 4, 40, 80]);
        for sql in [COLS, COLS_REFERRING] {
            let bare = steps(&held_in([3, 40]), &viewer, sql);
            let crowded = steps(&held_in((0..200).filter(|col| ![2, 4, 80].contains(col))), &viewer, sql);
            assert_eq!(bare.1, [3, 40]);
            assert!(bare.0 > 0);
            assert_eq!(bare, crowded);
        }
    }

    #[test]
    fn an_object_that_stands_in_several_collections_is_counted_once() {
        let viewer = Viewer::for_test(people::Role::Analyst, 0..9);
        let conn = held_in(0..50);
        people::see::with(&viewer, || {
            assert_eq!(objects_of(&conn, &viewer, 7, 100).unwrap(), (HashSet::from([3]), true));
            assert_eq!(count_to(&conn, &viewer, 7, 100).unwrap(), 18);
        });
    }
}
