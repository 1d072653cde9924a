//! All links, page by page: an object after the other, newest first, each link at the newest holder that the viewer sees.
//! A page looks at so many objects and selectors, whatever holds them and whoever else does.
use super::{Link, ONE_OF_MANY};
use crate::rows::{ObjectRow, signed};
use crate::search::cols_of_selector;
use crate::view::MOST_LINKED;
use crate::{Intel, Result};
use people::Viewer;
use rusqlite::Connection;
use selectors::{Kind, Strength};
use std::collections::HashSet;

/// Objects a page looks at.
const OBJECTS: usize = 1_000;
/// Selectors a page looks up; the object at which they are spent is read to its end.
const LOOKUPS: usize = 4_000;
/// Objects that [`Intel::latest_links`] looks at.
const LATEST: usize = 250;
/// Collections, those with the newest objects, of which each is looked at for itself when all together bring too little.
const APART: usize = 8;
/// Objects that are read at first, and then at a time, until there are links enough.
const AT_ONCE: (usize, usize) = (25, 225);

/// A page of links.
#[derive(Debug, Clone, Default)]
pub struct LinkPage {
    /// What links, by its newest holder, newest first.
    pub links: Vec<Link>,
    /// What several objects hold and what links nothing all the same, each with why; in the same order.
    pub suppressed: Vec<Link>,
    /// What to ask with as `before` for the next page; `None` = this was the last. A page may be short or empty before it.
    pub next: Option<u64>,
}

/// What a page looks at.
struct Extent {
    limit: usize,
    objects: usize,
    /// Selectors of one object.
    of_one: usize,
    /// Only what is strong enough to link.
    strong: bool,
    /// Of one collection, or of all.
    col: Option<u32>,
}

impl Intel {
    /// What at least two objects hold that the viewer sees: about `limit` links, as many that are suppressed at most, by
    /// the newest holder, newest first; `before` is the page before's [`LinkPage::next`]. Each link names its newest 25
    /// holders ([`Intel::links_of_selector`] names 200, a search for the selector all, page by page).
    ///
    /// # Errors
    /// The storage's.
    pub fn links(&self, viewer: &Viewer, before: Option<u64>, limit: usize) -> Result<LinkPage> {
        let extent = Extent { limit: limit.max(1), objects: OBJECTS, of_one: MOST_LINKED, strong: false, col: None };
        self.link_page(viewer, before, &extent)
    }

    /// What the newest objects share with others, newest first; at most `limit`. A large import that links nothing does not
    /// hide what the newest of other collections share.
    ///
    /// # Errors
    /// The storage's.
    pub fn latest_links(&self, viewer: &Viewer, limit: usize) -> Result<Vec<Link>> {
        let mut extent = Extent { limit, objects: LATEST, of_one: ONE_OF_MANY.named, strong: true, col: None };
        let mut links = self.link_page(viewer, None, &extent)?.links;
        let mut cols = self.inner.spread.of(viewer.set().iter());
        cols.sort_unstable_by_key(|(_, newest)| std::cmp::Reverse(*newest));
        for (col, _) in cols.into_iter().take(APART) {
            if links.len() >= limit {
                break;
            }
            extent.col = Some(col);
            for link in self.link_page(viewer, None, &extent)?.links {
                if !links.iter().any(|l| (l.kind, &l.value) == (link.kind, &link.value)) {
                    links.push(link);
                }
            }
        }
        links.sort_by_key(|l| std::cmp::Reverse(l.holders.iter().map(|h| h.row.pos).max()));
        links.truncate(limit);
        Ok(links)
    }

    fn link_page(&self, viewer: &Viewer, before: Option<u64>, extent: &Extent) -> Result<LinkPage> {
        let mut page = LinkPage { next: before, ..LinkPage::default() };
        let (mut objects, mut lookups, mut at_once) = (extent.objects, LOOKUPS, AT_ONCE.0);
        loop {
            let (rows, next) = self.latest_rows(viewer, extent.col, page.next, at_once)?;
            for (row, sels) in self.newest_of(viewer, &rows, extent, &mut lookups)? {
                for sel in sels {
                    match self.link(viewer, sel, None, ONE_OF_MANY)? {
                        Some(link) if link.count < 2 => {}
                        Some(link) if link.suppressed.is_none() => page.links.push(link),
                        Some(link) if !extent.strong => page.suppressed.push(link),
                        _ => {}
                    }
                }
                page.next = Some(row);
                if page.links.len().max(page.suppressed.len()) >= extent.limit {
                    return Ok(page);
                }
            }
            objects = objects.saturating_sub(at_once);
            at_once = AT_ONCE.1;
            if lookups > 0 {
                page.next = next;
            }
            if page.next.is_none() || objects == 0 || lookups == 0 {
                return Ok(page);
            }
        }
    }

    /// Of these objects, until the lookups are spent, the selectors of which each is the newest holder, and which have
    /// another; by the object's position.
    fn newest_of(
        &self,
        viewer: &Viewer,
        rows: &[ObjectRow],
        extent: &Extent,
        lookups: &mut usize,
    ) -> Result<Vec<(u64, Vec<i64>)>> {
        let mut held: Vec<(u64, Vec<(Kind, String)>)> = Vec::new();
        self.bodies(rows, &mut |row, body| {
            // What is very long is looked at on its own page: here it would cost more than the newest links are worth.
            if *lookups == 0 || (extent.strong && body.len() > super::kin::LONG) {
                return;
            }
            let asked = |f: &selectors::Found| !extent.strong || f.strength == Strength::Links;
            let found = self.selectors_of(row, body).into_iter().filter(asked).take(extent.of_one);
            let found: Vec<_> = found.map(|f| (f.kind, f.value)).collect();
            // Long texts cost as lookups do.
            *lookups = lookups.saturating_sub(found.len() + body.len() / 4_096);
            held.push((row.pos, found));
        })?;
        self.read(viewer, |conn| {
            let mut out = Vec::new();
            for (pos, found) in held {
                let (mut sels, mut met) = (Vec::new(), HashSet::new());
                for (kind, value) in found {
                    if let Some(sel) = self.selector_number(conn, kind, &value)?
                        && met.insert(sel)
                        && is_newest_of_two(conn, viewer, sel, signed(pos))?
                    {
                        sels.push(sel);
                    }
                }
                out.push((pos, sels));
            }
            Ok(out)
        })
    }
}

/// Whether the row at `pos` is the newest of at least two that hold a selector, of those that the viewer sees.
fn is_newest_of_two(conn: &Connection, viewer: &Viewer, sel: i64, pos: i64) -> rusqlite::Result<bool> {
    let mut stmt = conn
        .prepare_cached("SELECT pos FROM holders WHERE sel = ? AND col = ? AND see(col) ORDER BY pos DESC LIMIT 2")?;
    let (mut held, mut newest) = (0, None);
    for col in cols_of_selector(conn, viewer, sel)? {
        let mut rows = stmt.query((sel, col))?;
        while let Some(row) = rows.next()? {
            newest = newest.max(Some(row.get::<_, i64>(0)?));
            held += 1;
        }
    }
    Ok(held > 1 && newest == Some(pos))
}
