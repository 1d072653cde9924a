//! What two folds of one log have in common: rows with their numbers resolved to values, for a number depends on what was
//! named before it, and after an erasure less was.
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

const ROWS: [&str; 11] = [
    "SELECT v.col, v.pos, o.id, o.shown, v.version, v.state, w.text, v.spec, v.tlp, v.arrived, v.cause, v.author FROM versions v \
     JOIN objects o ON o.obj = v.obj JOIN words w ON w.word = v.type /* for all: compares two folds */",
    "SELECT s.kind, s.value, h.col, h.pos, o.id, h.strength, h.flags FROM holders h JOIN selectors s ON s.sel = h.sel \
     JOIN objects o ON o.obj = h.obj /* for all: compares two folds */",
    "SELECT t.id, t.shown, r.pos, w.text, r.col, s.id FROM refs r JOIN objects t ON t.obj = r.obj JOIN objects s ON s.obj = r.src \
     JOIN words w ON w.word = r.word /* for all: compares two folds */",
    "SELECT s.kind, s.value, u.links, u.author, u.arrived, u.reason, u.col FROM overrules u JOIN selectors s ON s.sel = u.sel \
     /* for all: compares two folds */",
    "SELECT col, wide, first FROM windows /* for all: compares two folds */",
    "SELECT s.col, w.text, s.objects, s.versions FROM stock s JOIN words w ON w.word = s.type /* for all: compares two folds */",
    "SELECT g.col, g.pos, g.cause, g.author, g.arrived, r.text FROM withdrawals g JOIN reasons r ON r.reason = g.reason \
     /* for all: compares two folds */",
    "SELECT pos, col, source, format, author, arrived, state, summary FROM imports /* for all: compares two folds */",
    "SELECT cause, pos, col, again FROM brought /* for all: compares two folds */",
    // A row without its number's value is in no line above.
    "SELECT (SELECT count(*) FROM versions), (SELECT count(*) FROM holders), (SELECT count(*) FROM refs), \
     (SELECT count(*) FROM overrules), (SELECT count(*) FROM stock), (SELECT count(*) FROM withdrawals) /* for all: compares two folds */",
    "SELECT id, sz FROM texts_docsize /* for all: compares two folds */",
];

/// The same for the same rows, in whatever order they stand.
pub(super) fn of(view: &Connection) -> rusqlite::Result<[u8; 32]> {
    let mut all = Sha256::new();
    for sql in ROWS {
        // A sum of the rows' hashes: it needs no order, and a row that comes twice counts twice.
        let (mut sum, mut rows_seen) = ([0_u64; 4], 0_u64);
        let mut stmt = view.prepare(sql)?;
        let columns = stmt.column_count();
        let mut rows = stmt.query([])?;
        while let Some(row) = rows.next()? {
            rows_seen += 1;
            let mut hash = Sha256::new();
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => hash.update(b"n"),
                    ValueRef::Integer(n) => part(&mut hash, b'i', &n.to_be_bytes()),
                    ValueRef::Real(n) => part(&mut hash, b'f', &n.to_be_bytes()),
                    ValueRef::Text(bytes) => part(&mut hash, b's', bytes),
                    ValueRef::Blob(bytes) => part(&mut hash, b'b', bytes),
                }
            }
            let hash: [u8; 32] = hash.finalize().into();
            for (lane, bytes) in sum.iter_mut().zip(hash.as_chunks::<8>().0) {
                *lane = lane.wrapping_add(u64::from_be_bytes(*bytes));
            }
        }
        all.update(rows_seen.to_be_bytes());
        sum.iter().for_each(|lane| all.update(lane.to_be_bytes()));
    }
    words(view, &mut all)?;
    Ok(all.finalize().into())
}

/// Each word of the full text, in how many rows it stands and how often, as FTS5 itself counts it in its index, however its
/// segments lie. A word lost or gained in a row changes a count; that one row lost what another gained in the same measure is
/// not seen. Counting costs 0.04 µs a word of a text; telling each row and place (`instance`) would be 0.25, about what putting
/// it there costs, and the view stands still meanwhile.
fn words(view: &Connection, all: &mut Sha256) -> rusqlite::Result<()> {
    view.execute_batch("CREATE VIRTUAL TABLE temp.texts_words USING fts5vocab(main, texts, row)")?;
    let done = (|| {
        let mut stmt = view.prepare("SELECT term, doc, cnt FROM temp.texts_words /* for all: compares two folds */")?;
        let mut rows = stmt.query([])?;
        while let Some(row) = rows.next()? {
            part(all, b'w', row.get_ref(0)?.as_bytes()?);
            let counts: (i64, i64) = (row.get(1)?, row.get(2)?);
            all.update(counts.0.to_be_bytes());
            all.update(counts.1.to_be_bytes());
        }
        Ok(())
    })();
    // The connection is the fold's own and goes on.
    view.execute_batch("DROP TABLE temp.texts_words")?;
    done
}

fn part(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    hash.update([tag]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(texts: &[(i64, &str)]) -> Connection {
        let view = Connection::open_in_memory().unwrap();
        view.execute_batch(include_str!("schema.sql")).unwrap();
        for row in texts {
            view.execute("INSERT INTO texts(rowid, text) VALUES (?,?)", *row).unwrap();
        }
        view
    }

    /// Takes one word out of one row's text and leaves everything else of the row as it was.
    fn lose(view: &Connection, row: i64, word: &str) {
        let size = "SELECT sz FROM texts_docsize WHERE id = ?";
        let size: Vec<u8> = view.query_row(size, [row], |r| r.get(0)).unwrap();
        view.execute("INSERT INTO texts(texts, rowid, text) VALUES ('delete', ?, ?)", (row, word)).unwrap();
        view.execute("INSERT INTO texts_docsize(id, sz) VALUES (?, ?)", (row, size)).unwrap();
    }

    #[test]
    fn one_word_lost_in_one_row_is_a_difference() {
        let texts = [(1, "golden crane shop"), (2, "golden parcel"), (3, "visa flight golden golden")];
        let whole = of(&view(&texts)).unwrap();
        for (row, word) in [(1, "golden"), (2, "parcel"), (3, "golden")] {
            let damaged = view(&texts);
            lose(&damaged, row, word);
            let found = |word: &str| -> Vec<i64> {
                let mut stmt = damaged.prepare("SELECT rowid FROM texts WHERE texts MATCH ?").unwrap();
                stmt.query_map([word], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
            };
            assert!(!found(word).contains(&row), "the test lost the word");
            assert_ne!(of(&damaged).unwrap(), whole, "{word} of row {row}");
        }
    }

    #[test]
    fn how_the_index_lies_in_its_file_is_no_difference() {
        let texts: Vec<(i64, String)> = (0..300).map(|n| (n, format!("word{} golden w{n}", n % 7))).collect();
        let texts: Vec<(i64, &str)> = texts.iter().map(|(n, t)| (*n, t.as_str())).collect();
        let (one, other) = (view(&texts), view(&texts));
        other.execute("INSERT INTO texts(rowid, text) VALUES (900, 'comes and goes')", []).unwrap();
        other.execute("INSERT INTO texts(texts, rowid, text) VALUES ('delete', 900, 'comes and goes')", []).unwrap();
        other.execute("INSERT INTO texts(texts) VALUES ('optimize')", []).unwrap();
        assert_eq!(of(&one).unwrap(), of(&other).unwrap());
        assert_eq!(of(&one).unwrap(), of(&one).unwrap(), "asking twice changes nothing");
    }
}
