//! Commands of the access log that somebody must be able to name at once, however many rows came since: when the whole record
//! was verified last, what was erased. An index of the commands alone finds them, so a page looks through no other row.
use crate::access::{AccessLog, AccessRow, COLUMNS};
use crate::{Result, Right, Viewer};

/// Which rows are commands is said in words that the planner takes for the queries' own.
pub(crate) const SCHEMA: &str =
    "CREATE INDEX IF NOT EXISTS access_deeds ON access(method, (ids = ''), n) WHERE route = 'eye';";

/// Rows of one answer at most.
const MOST: u32 = 100;

/// What a command was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeedAbout {
    /// The whole record: its row names no object.
    Whole,
    /// Objects, which its row names.
    Objects,
}

impl AccessLog {
    /// The newest rows of one of the machine's commands, such as `verify`: as far back as the log goes, found without looking
    /// through it. At most `limit` and 100.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`]; the storage's.
    pub fn deeds(&self, viewer: &Viewer, method: &str, about: DeedAbout, limit: u32) -> Result<Vec<AccessRow>> {
        viewer.need(Right::SeeAccessLog)?;
        self.flush()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM access INDEXED BY access_deeds \
             WHERE route = 'eye' AND method = ? AND (ids = '') = ? ORDER BY n DESC LIMIT ?"
        );
        Ok(self.state().read(|conn| {
            let mut stmt = conn.prepare_cached(&sql)?;
            let asked = (method, about == DeedAbout::Whole, limit.clamp(1, MOST));
            let rows = stmt.query_map(asked, AccessRow::read)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Role};

    #[test]
    fn a_command_is_found_by_the_index_of_commands_and_no_other_row_is_read() {
        let ledger = ledger::testing::temp_ledger(vec![crate::room()]);
        let log = AccessLog::open(&ledger).unwrap();
        let row = |method, route, ids: &[&str]| {
            log.record(&Access { method, route, ids, status: 200, ..Access::default() }).unwrap();
        };
        row("verify", "eye", &[]);
        row("verify", "eye", &["note--00000000-0000-4000-8000-000000000001"]);
        row("verify", "/verify", &[]);
        let auditor = Viewer::for_test(Role::Auditor, []);
        let numbers = |about| log.deeds(&auditor, "verify", about, 5).unwrap().iter().map(|r| r.n).collect::<Vec<_>>();
        assert_eq!((numbers(DeedAbout::Whole), numbers(DeedAbout::Objects)), (vec![1], vec![2]));
        let plan: String = log
            .state()
            .read(|conn| {
                let sql = "EXPLAIN QUERY PLAN SELECT n FROM access INDEXED BY access_deeds \
                           WHERE route = 'eye' AND method = 'verify' AND (ids = '') = 1 ORDER BY n DESC LIMIT 1";
                Ok(conn.query_row(sql, [], |r| r.get(3))?)
            })
            .unwrap();
        assert!(plan.contains("method=? AND <expr>=?"), "{plan}");
        let reader = Viewer::for_test(Role::Reader, []);
        assert!(log.deeds(&reader, "verify", DeedAbout::Whole, 1).is_err());
    }
}
