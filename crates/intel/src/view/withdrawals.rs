use super::fold::IntelRoom;
use rusqlite::{Connection, OptionalExtension};

impl IntelRoom {
    /// Notes that the version at `pos` was withdrawn by `author` at `arrived`, and why.
    pub(super) fn note_withdrawal(
        &self,
        view: &Connection,
        (col, pos): (u32, i64),
        (author, arrived): (u32, i64),
        reason: &str,
    ) -> rusqlite::Result<()> {
        let mut known = view.prepare_cached("SELECT reason FROM reasons WHERE text = ?")?;
        let reason = match known.query_row([reason], |r| r.get::<_, i64>(0)).optional()? {
            Some(known) => known,
            None => {
                view.prepare_cached("INSERT INTO reasons(text) VALUES (?)")?.execute([reason])?;
                view.last_insert_rowid()
            }
        };
        view.prepare_cached(
            "INSERT OR REPLACE INTO withdrawals(col, pos, cause, author, arrived, reason) \
             SELECT col, pos, cause, ?3, ?4, ?5 FROM versions WHERE col = ?1 AND pos = ?2 /* for all: the fold's own */",
        )?
        .execute((col, pos, author, arrived, reason))?;
        Ok(())
    }

    /// Of an erased version nothing is told, nor that it was withdrawn before; nor why, when nothing else went for that reason.
    pub(super) fn forget_withdrawal(&self, view: &Connection, col: u32, pos: i64) -> rusqlite::Result<()> {
        let mut forget = view.prepare_cached("DELETE FROM withdrawals WHERE col = ? AND pos = ? RETURNING reason")?;
        let Some(reason) = forget.query_row((col, pos), |r| r.get::<_, i64>(0)).optional()? else { return Ok(()) };
        // One that still counts is met soon; one that does not costs a pass over the withdrawals, and an erasure is rare.
        let counts = "SELECT 1 FROM withdrawals WHERE reason = ? LIMIT 1 /* for all: the fold's own */";
        if !view.prepare_cached(counts)?.exists([reason])? {
            view.prepare_cached("DELETE FROM reasons WHERE reason = ?")?.execute([reason])?;
        }
        Ok(())
    }
}
