//! What two folds of one log have in common: rows with their numbers resolved to values, for a number depends on what was
//! named before it, and after an erasure less was.
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

const ROWS: [&str; 10] = [
    "SELECT v.col, v.pos, o.id, o.shown, v.version, v.state, w.text, v.spec, v.tlp, v.arrived, v.cause, v.author FROM versions v \
     JOIN objects o ON o.obj = v.obj JOIN words w ON w.word = v.type /* for all: compares two folds */",
    "SELECT s.kind, s.value, h.col, h.pos, o.id, h.strength, h.flags FROM holders h JOIN selectors s ON s.sel = h.sel \
     JOIN objects o ON o.obj = h.obj /* for all: compares two folds */",
    "SELECT t.id, t.shown, r.pos, w.text, r.col, s.id FROM refs r JOIN objects t ON t.obj = r.obj JOIN objects s ON s.obj = r.src \
     JOIN words w ON w.word = r.word /* for all: compares two folds */",
    "SELECT s.kind, s.value, u.links, u.author, u.arrived, u.reason, u.col FROM overrules u JOIN selectors s ON s.sel = u.sel \
     /* for all: compares two folds */",
    "SELECT col, wide, first FROM windows /* for all: compares two folds */",
    "SELECT col, objects, versions FROM stock /* for all: compares two folds */",
    "SELECT pos, col, source, format, author, arrived, state, summary FROM imports /* for all: compares two folds */",
    "SELECT cause, pos, col, again FROM brought /* for all: compares two folds */",
    // A row without its number's value is in no line above.
    "SELECT (SELECT count(*) FROM versions), (SELECT count(*) FROM holders), (SELECT count(*) FROM refs), \
     (SELECT count(*) FROM overrules) /* for all: compares two folds */",
    "SELECT id FROM texts_docsize ORDER BY id /* for all: compares two folds */",
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
    Ok(all.finalize().into())
}

fn part(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    hash.update([tag]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
