//! Taking objects out of every door, and erasing them.
use crate::rows::{COLUMNS, JOINS, ObjectRow, object_row, signed, unsigned};
use crate::view::state;
use crate::{Error, Intel, Result};
use ledger::{CollectionId, Target};
use people::Viewer;
use std::collections::HashSet;

/// Which versions of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    #[default]
    All,
    /// These rows.
    Rows(Vec<u64>),
}

impl Intel {
    /// Withdraws an object: gone from every door, its body stays in the log. Returns how many versions went.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], the ledger's.
    pub fn withdraw(
        &self,
        viewer: &Viewer,
        id: &str,
        which: &Which,
        collection: Option<CollectionId>,
        reason: &str,
    ) -> Result<usize> {
        may_withdraw(viewer)?;
        let col = collection.map(|c| self.column(viewer, c)).transpose()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM versions v {JOINS} WHERE v.obj = ?1 AND see(v.col) AND v.state & {} = 0 ORDER BY v.pos",
            state::GONE
        );
        let mut rows: Vec<ObjectRow> = self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            conn.prepare_cached(&sql)?.query_map([obj], object_row)?.collect()
        })?;
        rows.retain(|r| col.is_none_or(|c| c == r.col));
        if let Which::Rows(positions) = which {
            let wanted: HashSet<&u64> = positions.iter().collect();
            rows.retain(|r| wanted.contains(&r.pos));
        }
        if rows.is_empty() {
            return Err(Error::NotFound);
        }
        // Oldest first: whoever is stopped in between has brought no older version back.
        self.withdraw_rows(viewer, rows, reason)
    }

    fn withdraw_rows(&self, viewer: &Viewer, rows: Vec<ObjectRow>, reason: &str) -> Result<usize> {
        if rows.iter().any(|r| !viewer.may_write(r.col)) {
            return Err(Error::Forbidden("it stands in a collection that you may not write to".into()));
        }
        let target = |r: ObjectRow| Target {
            pos: r.pos,
            version: (r.state & state::UNVERSIONED == 0).then_some(r.version),
            object: r.id.into(),
        };
        let targets: Vec<Target> = rows.into_iter().map(target).collect();
        for piece in targets.chunks(AT_ONCE) {
            self.inner.ledger.withdraw(piece, reason, viewer.account())?;
        }
        Ok(targets.len())
    }

    /// Withdraws what an import brought and no other import has seen. Returns how many versions went.
    ///
    /// # Errors
    /// As [`Intel::withdraw`].
    pub fn withdraw_import(&self, viewer: &Viewer, import: u64, reason: &str) -> Result<usize> {
        may_withdraw(viewer)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM brought b JOIN versions v ON v.col = b.col AND v.pos = b.pos {JOINS} WHERE b.cause = ?1 AND b.again = 0 \
             AND see(v.col) AND v.state & {} = 0 AND v.pos > ?2 \
             AND NOT EXISTS (SELECT 1 FROM brought a WHERE a.pos = b.pos AND a.again = 1 AND a.cause <> b.cause) ORDER BY v.pos LIMIT 400",
            state::GONE
        );
        let (mut gone, mut after) = (0, 0i64);
        loop {
            let rows: Vec<ObjectRow> = self.read(viewer, |conn| {
                conn.prepare_cached(&sql)?.query_map((signed(import), after), object_row)?.collect()
            })?;
            let Some(last) = rows.last() else {
                // What it set aside goes with it; somebody who may not see that has withdrawn what they may.
                if self.import_row(viewer, import).is_ok_and(|r| self.may_see_aside(viewer, r.col)) {
                    self.drop_set_aside(viewer, import)?;
                }
                return Ok(gone);
            };
            after = signed(last.pos);
            gone += self.withdraw_rows(viewer, rows, reason)?;
        }
    }

    /// Withdraws everything in a collection. Returns how many versions went.
    ///
    /// # Errors
    /// As [`Intel::withdraw`].
    pub fn withdraw_collection(&self, viewer: &Viewer, collection: CollectionId, reason: &str) -> Result<usize> {
        may_withdraw(viewer)?;
        let matching =
            crate::Match { versions: crate::VersionMatch { all: true, ..Default::default() }, ..Default::default() };
        let (mut gone, mut after) = (0, 0);
        loop {
            let page = self.page(viewer, collection, &matching, after, None, 400)?;
            let Some(last) = page.rows.last() else { return Ok(gone) };
            after = last.pos;
            gone += self.withdraw_rows(viewer, page.rows, reason)?;
        }
    }

    /// The collection of the EXERCISE world, when one was loaded that the viewer sees.
    ///
    /// # Errors
    /// The storage's.
    pub fn exercise_world(&self, viewer: &Viewer) -> Result<Option<std::sync::Arc<people::Collection>>> {
        let all = self.inner.people.collections(viewer)?;
        Ok(all.into_iter().find(|c| c.is_exercise_world()))
    }

    /// Erases an object: its bodies are in no file afterwards, all versions, all collections, withdrawn ones too; nor what they
    /// said in records that were set aside, also where those name no object. Whoever sees one of them erases all, those in closed
    /// collections and in ones that they do not read too; the command line sees every object for this.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], the ledger's.
    pub fn expunge(&self, viewer: &Viewer, id: &str, reason: &str) -> Result<usize> {
        if !viewer.may_expunge() {
            return Err(Error::Forbidden("your role may not expunge".into()));
        }
        if stix::StixId::parse(id).is_err() {
            // The keyed hash under which logs know an id finds it too, but copies and feeds would not be refused by it.
            return Err(Error::NotFound);
        }
        let (mut gone, mut said) = (0, crate::said::Said::default());
        // A version may come while its object is erased; from the first entry on none is taken any more.
        loop {
            let standing = self.not_erased(viewer, id)?;
            let seen = gone > 0 || viewer.is_local() || standing.iter().any(|(_, col)| viewer.sees(*col));
            let targets: Vec<u64> = standing.into_iter().filter(|_| seen).map(|(pos, _)| pos).collect();
            if targets.is_empty() {
                // What an import set aside meanwhile.
                self.inner.shelf.drop_saying(&said)?;
                return if gone > 0 { Ok(gone) } else { Err(Error::NotFound) };
            }
            // First, for a kill in between must leave somebody who still knows what to look for.
            self.said(&targets, &mut said)?;
            self.inner.shelf.drop_saying(&said)?;
            for targets in targets.chunks(AT_ONCE) {
                self.inner.ledger.expunge(targets, id, reason, viewer.account())?;
                gone += targets.len();
            }
        }
    }

    /// Where the versions of an object stand that were not erased yet, in order, each with its collection's small number: of every
    /// collection, whoever asks.
    fn not_erased(&self, viewer: &Viewer, id: &str) -> Result<Vec<(u64, u32)>> {
        self.read(viewer, |conn| {
            let Some(obj) = self.object_number(conn, id)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT pos, col FROM versions WHERE obj = ?1 AND state & {} = 0 ORDER BY pos /* for all: what an erasure takes */",
                state::EXPUNGED
            );
            conn.prepare_cached(&sql)?.query_map([obj], |r| Ok((unsigned(r.get(0)?), r.get(1)?)))?.collect()
        })
    }
}

/// Entries that one withdrawal or erasure takes; the ledger takes 2,000 at most.
const AT_ONCE: usize = 1_000;

fn may_withdraw(viewer: &Viewer) -> Result<()> {
    if viewer.may_withdraw() { Ok(()) } else { Err(Error::Forbidden("your role may not withdraw".into())) }
}
