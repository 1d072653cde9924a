//! What was withdrawn, when, by whom and why, for those who could see it; never what it said.
use crate::rows::{signed, unsigned};
use crate::view::state;
use crate::{Intel, Result};
use people::Viewer;

/// Withdrawals of one object that are told.
const OF_OBJECT: usize = 200;
/// Withdrawals of one import that are counted, and reasons that are told.
const OF_IMPORT: (u64, usize) = (10_000, 20);

/// A version that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Its collection's small number; never leaves the node.
    pub col: u32,
    /// The version, µs; `None` for what has no versions.
    pub version: Option<i64>,
    /// Its effective TLP.
    pub tlp: stix::Tlp,
    /// When it had arrived, µs.
    pub arrived: i64,
    /// When it was withdrawn, µs.
    pub at: i64,
    /// Who withdrew it: an account's number.
    pub by: u32,
    /// Why, in her words.
    pub reason: String,
}

/// What was withdrawn of an import by one account for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnOfImport {
    /// How many versions.
    pub versions: u64,
    /// There may be more than were counted.
    pub more: bool,
    /// When the last of them was withdrawn, µs.
    pub at: i64,
    /// Who withdrew them: an account's number.
    pub by: u32,
    /// Why, in her words.
    pub reason: String,
}

impl Intel {
    /// The withdrawn versions of an object in the collections that the viewer sees, the last withdrawn first, at most 200; none
    /// for what was never there, for what was erased, and for what stood where the viewer does not see.
    ///
    /// # Errors
    /// The storage's.
    pub fn withdrawals(&self, viewer: &Viewer, id: &str) -> Result<Vec<Withdrawn>> {
        self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            let mut stmt = conn.prepare_cached(
                "SELECT v.col, v.version, v.state, v.tlp, v.arrived, g.arrived, g.author, r.text \
                 FROM versions v INDEXED BY versions_of_object JOIN withdrawals g ON g.col = v.col AND g.pos = v.pos \
                 JOIN reasons r ON r.reason = g.reason WHERE v.obj = ?1 AND v.col BETWEEN ?2 AND ?3 AND see(v.col) \
                 AND v.state & 12 = 4 ORDER BY g.arrived DESC LIMIT ?4",
            )?;
            let mut out: Vec<Withdrawn> = Vec::new();
            for (first, last) in viewer.set().runs() {
                let rows = stmt.query_map((obj, first, last, OF_OBJECT as i64), |r| {
                    let versioned = r.get::<_, i64>(2)? & state::UNVERSIONED == 0;
                    Ok(Withdrawn {
                        col: r.get(0)?,
                        version: versioned.then_some(r.get(1)?),
                        tlp: stix::Tlp::from_level(r.get(3)?),
                        arrived: r.get(4)?,
                        at: r.get(5)?,
                        by: r.get(6)?,
                        reason: r.get(7)?,
                    })
                })?;
                out.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            out.sort_by_key(|w| std::cmp::Reverse((w.at, w.version)));
            out.truncate(OF_OBJECT);
            Ok(out)
        })
    }

    /// What was withdrawn of what an import brought, by account and reason, the last first: of the newest 10,000 withdrawals in
    /// each run of the viewer's collections.
    ///
    /// # Errors
    /// The storage's.
    pub fn withdrawn_of_import(&self, viewer: &Viewer, import: u64) -> Result<Vec<WithdrawnOfImport>> {
        let (most, told) = OF_IMPORT;
        self.read(viewer, |conn| {
            let mut stmt = conn.prepare_cached(
                "SELECT g.author, r.text, max(g.arrived), count(*) FROM (SELECT author, reason, arrived FROM withdrawals \
                 INDEXED BY withdrawals_of_import WHERE cause = ?1 AND col BETWEEN ?2 AND ?3 AND see(col) \
                 ORDER BY col DESC, arrived DESC LIMIT ?4) g JOIN reasons r ON r.reason = g.reason GROUP BY g.author, g.reason",
            )?;
            let mut out: Vec<WithdrawnOfImport> = Vec::new();
            for (first, last) in viewer.set().runs() {
                let rows = stmt.query_map((signed(import), first, last, signed(most)), |r| {
                    Ok(WithdrawnOfImport {
                        versions: unsigned(r.get(3)?),
                        more: false,
                        at: r.get(2)?,
                        by: r.get(0)?,
                        reason: r.get(1)?,
                    })
                })?;
                let rows: Vec<WithdrawnOfImport> = rows.collect::<rusqlite::Result<_>>()?;
                let more = rows.iter().map(|w| w.versions).sum::<u64>() >= most;
                for new in rows {
                    match out.iter_mut().find(|w| (w.by, &w.reason) == (new.by, &new.reason)) {
                        Some(old) => {
                            old.versions += new.versions;
                            old.at = old.at.max(new.at);
                            old.more |= more;
                        }
                        None => out.push(WithdrawnOfImport { more, ..new }),
                    }
                }
            }
            out.sort_by_key(|w| std::cmp::Reverse(w.at));
            out.truncate(told);
            Ok(out)
        })
    }
}
