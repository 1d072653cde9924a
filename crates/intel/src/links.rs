//! Links are computed at read, over what the viewer sees: never stored, n holders cost n rows.
mod kin;
mod listing;
mod neighbours;
mod told;

use crate::rows::ObjectRow;
use crate::search::{cols_of_selector, count_to, current_row};
use crate::view::{OBSERVABLE, state};
use crate::{Hit, Intel, Result};
use people::Viewer;
use rusqlite::{Connection, OptionalExtension};
use selectors::{Kind, Strength};
use std::cmp::Reverse;
use std::collections::HashSet;

pub use listing::LinkPage;
pub use neighbours::{Neighbour, Statement};
pub use told::Told;

/// A selector that more objects than this hold links nothing by itself: an exchange's hot wallet, a link shortener.
pub const HUB: usize = 200;
/// A telephone number that is silent for so long may be somebody else's when it comes back: operators give a number away
/// again after 45 days (47 CFR 52.15) to a year.
const SILENT: i64 = 180;
/// µs.
const DAY: i64 = 86_400_000_000;
/// How far a link is read: holders that are named, and where counting stops.
#[derive(Clone, Copy)]
struct Depth {
    /// Holders whose dates are looked at.
    named: usize,
    /// Of those, holders that are read for their names.
    shown: usize,
    count: usize,
}
/// For a selector's own page and for lists of links.
const WHOLE: Depth = Depth { named: 200, shown: 200, count: 10_000 };
/// For each of many selectors.
const ONE_OF_MANY: Depth = Depth { named: 25, shown: 25, count: 1_000 };
/// For each of the selectors on an object's page.
const OF_OBJECT: Depth = Depth { shown: 6, ..ONE_OF_MANY };
/// Selectors of one object that are looked up; those that link best come first.
const LOOKED_UP: usize = 10_000;
/// Where the counting stops by which an object's links are ordered.
const ROUGHLY: usize = 26;

/// A page of what an object shares with others.
#[derive(Debug, Clone, Default)]
pub struct ObjectLinks {
    /// Those that link before those that do not, rare values before common ones.
    pub links: Vec<Link>,
    /// Where the next page begins; `None` = this was the last.
    pub next: Option<usize>,
    /// So many selectors of the object were not looked up, for it has too many.
    pub not_looked_up: usize,
}

/// Why a selector links nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Suppressed {
    /// A person's word, with the reason that was given.
    #[error("overruled: {0}")]
    Overruled(String),
    /// It is no value of its kind, or nobody's.
    #[error("its checksum or id is wrong, or it is a placeholder")]
    Wrong,
    /// Supporting evidence only.
    #[error("too weak to link alone")]
    Weak,
    /// So many objects hold it.
    #[error("held by {0} objects: a hub proves nothing")]
    Hub(usize),
    /// Its holders link elsewhere too, but not to each other: an exchange's wallet, a link shortener.
    #[error(
        "held by {holders} objects; of {looked_at} that link elsewhere too hardly two share anything else: a hub proves nothing"
    )]
    Unrelated {
        /// So many objects hold it.
        holders: usize,
        /// So many were looked at.
        looked_at: usize,
    },
    /// The title of the warninglist that names it.
    #[error("on the warninglist \"{0}\"")]
    Listed(String),
}

/// Whether objects that share a selector are linked by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It links them.
    Links,
    /// It links them, but less surely.
    LinksLessSurely,
    /// They share it, and that links nothing.
    LinksNothing,
}

impl Verdict {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::LinksLessSurely => "links-less-surely",
            Self::LinksNothing => "links-nothing",
        }
    }

    /// In English.
    pub fn words(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::LinksLessSurely => "links less surely",
            Self::LinksNothing => "links nothing",
        }
    }
}

/// Objects that share one selector.
#[derive(Debug, Clone)]
pub struct Link {
    /// What they share.
    pub kind: Kind,
    /// Its normal form.
    pub value: String,
    /// The newest holders, at most 200.
    pub holders: Vec<Hit>,
    /// How many objects hold it, of those the viewer sees; counted to 10,000.
    pub count: usize,
    /// There are more than are named.
    pub more: bool,
    /// How sure the value itself is, of the surest holder.
    pub strength: Strength,
    /// Why it links nothing; `None` = it links.
    pub suppressed: Option<Suppressed>,
    /// It links, but less surely: a telephone number that nobody named for so many days and that somebody names again.
    pub silent_days: Option<u32>,
    /// It links because a person said so, with the reason that was given.
    pub decided: Option<String>,
    /// Lists of what is common are installed, and were asked.
    pub lists_asked: bool,
}

impl Link {
    /// Whether sharing it links its holders.
    pub fn verdict(&self) -> Verdict {
        match (&self.suppressed, self.silent_days) {
            (Some(_), _) => Verdict::LinksNothing,
            (None, Some(_)) => Verdict::LinksLessSurely,
            (None, None) => Verdict::Links,
        }
    }

    /// Why the verdict is what it is, in English.
    pub fn why(&self) -> String {
        match (&self.suppressed, self.silent_days, &self.decided) {
            (Some(why), _, _) => why.to_string(),
            (None, Some(days), _) => {
                format!("silent for {days} days, and a number that is given up goes to somebody else")
            }
            (None, None, Some(reason)) => format!("somebody decided so: {reason}"),
            (None, None, None) if self.lists_asked => {
                "the same valid value, no hub, on no list of what is common".to_owned()
            }
            (None, None, None) => "the same valid value, no hub; no list of what is common is installed".to_owned(),
        }
    }
}

impl Intel {
    /// Who holds a selector; `None` when nobody whom the viewer sees does.
    ///
    /// # Errors
    /// The storage's.
    pub fn links_of_selector(&self, viewer: &Viewer, kind: Kind, value: &str) -> Result<Option<Link>> {
        match self.read(viewer, |conn| self.selector_number(conn, kind, value))? {
            Some(sel) => self.link(viewer, sel, None, WHOLE),
            None => Ok(None),
        }
    }

    /// What an object shares with others, by the selectors of its current version: `limit` of them, from the `from`th on. A
    /// link names its newest six holders.
    ///
    /// # Errors
    /// The storage's.
    pub fn links_of_object(&self, viewer: &Viewer, id: &str, from: usize, limit: usize) -> Result<ObjectLinks> {
        let Some((row, body)) = self.current(viewer, id)? else { return Ok(ObjectLinks::default()) };
        let found = self.selectors_of(&row, &body);
        let not_looked_up = found.len().saturating_sub(LOOKED_UP);
        let mut shared = self.read(viewer, |conn| {
            let mut shared = Vec::new();
            for found in found.iter().take(LOOKED_UP) {
                if let Some(sel) = self.selector_number(conn, found.kind, &found.value)? {
                    let count = count_to(conn, viewer, sel, ROUGHLY)?;
                    shared.extend((count > 1).then_some((Reverse(found.strength), count, sel)));
                }
            }
            Ok(shared)
        })?;
        shared.sort_by_key(|(strength, count, _)| (*strength, *count));
        let end = from.saturating_add(limit);
        let next = (shared.len() > end).then_some(end);
        let mut links = Vec::new();
        for (_, _, sel) in shared.into_iter().skip(from).take(limit) {
            // What stands in several collections is one holder.
            links.extend(self.link(viewer, sel, Some(id), OF_OBJECT)?.filter(|link| link.count > 1));
        }
        links.sort_by_key(|l| (l.suppressed.is_some(), l.count));
        Ok(ObjectLinks { links, next, not_looked_up })
    }

    /// What was read in an object: its selectors, those that link first.
    pub fn selectors_of(&self, row: &ObjectRow, body: &str) -> Vec<selectors::Found> {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(body) else { return Vec::new() };
        if row.state & state::REVOKED != 0 {
            return Vec::new();
        }
        let mut found = crate::reading::selectors_of(&value, self.inner.country.as_deref());
        found.sort_by_key(|f| std::cmp::Reverse(f.strength));
        found
    }

    fn link(&self, viewer: &Viewer, sel: i64, of: Option<&str>, depth: Depth) -> Result<Option<Link>> {
        let read = self.read(viewer, |conn| {
            let named: Option<(u16, String)> = conn
                .prepare_cached("SELECT kind, value FROM selectors WHERE sel = ? /* for all: asked by a holder or by its own value */")?
                .query_row([sel], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            let held = Held::read(conn, viewer, sel, depth)?;
            let rows =
                held.newest.iter().filter_map(|p| current_row(conn, *p).transpose()).collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((named, held, rows, overruled(conn, sel)?))
        })?;
        let (Some((code, value)), held, rows, overruled) = read else { return Ok(None) };
        let (Some(kind), Some(strength)) = (Kind::from_code(code), held.strength) else { return Ok(None) };
        // As they are counted: an object once, at its newest standing; what has no versions is each collection's own word.
        let (mut rows, mut met) = (rows, HashSet::new());
        rows.retain(|r| r.state & state::UNVERSIONED != 0 || met.insert(r.id.clone()));
        rows.sort_by_key(|r| (Some(r.id.as_str()) == of, Reverse(r.pos)));
        let said = overruled.is_some();
        let decided = overruled.clone().filter(|(links, _)| *links).map(|(_, reason)| reason);
        let mut suppressed = self.suppressed(kind, &value, held.count, strength, overruled);
        if suppressed.is_none() && !said {
            suppressed = self.unrelated(viewer, kind, &value, &held)?;
        }
        let silent_days = (kind == Kind::Phone && suppressed.is_none() && !said).then(|| silence(&rows)).flatten();
        rows.truncate(depth.shown);
        let holders = self.named(rows)?;
        let more = held.count > holders.len();
        let lists_asked = self.library().warns();
        let strength = match strength {
            0 => Strength::Never,
            1 => Strength::Weak,
            _ => Strength::Links,
        };
        Ok(Some(Link {
            kind,
            value,
            more,
            strength,
            holders,
            count: held.count,
            suppressed,
            silent_days,
            decided,
            lists_asked,
        }))
    }

    /// Whether a selector is a hub by how its holders relate; an address without a path is what its host is.
    fn unrelated(&self, viewer: &Viewer, kind: Kind, value: &str, held: &Held) -> Result<Option<Suppressed>> {
        let host = value.split_once("://").and_then(|(_, rest)| rest.strip_suffix('/'));
        if let (Kind::Url, Some(host)) = (kind, host.filter(|h| !h.contains(['/', '?', '#', '@', ':'])))
            && let Some(sel) = self.read(viewer, |conn| self.selector_number(conn, Kind::Domain, host))?
            && let Some(of_host) = self.link(viewer, sel, None, ONE_OF_MANY)?
        {
            return Ok(of_host.suppressed);
        }
        if held.plain.len() < kin::ENOUGH {
            return Ok(None);
        }
        let kin = self.kin(viewer, value, &held.plain)?;
        let unrelated = Suppressed::Unrelated { holders: held.count, looked_at: kin.holders };
        Ok(kin.unrelated().then_some(unrelated))
    }

    /// Why a selector links nothing: a person's word, its own weakness, a warninglist, or too many holders.
    fn suppressed(
        &self,
        kind: Kind,
        value: &str,
        count: usize,
        strength: i64,
        overruled: Option<(bool, String)>,
    ) -> Option<Suppressed> {
        match overruled {
            Some((true, _)) => return None,
            Some((false, reason)) => return Some(Suppressed::Overruled(reason)),
            None => {}
        }
        match strength {
            0 => return Some(Suppressed::Wrong),
            1 => return Some(Suppressed::Weak),
            _ => {}
        }
        if count > HUB {
            return Some(Suppressed::Hub(count));
        }
        let warning = |l: &reference::Listing| Suppressed::Listed(l.title.clone());
        self.library().listed(kind.as_str(), value).iter().find(|l| l.what == reference::ListKind::Warning).map(warning)
    }
}

/// The longest time in days, from [`SILENT`] on, for which none of the holders that have a version of their own spoke.
fn silence(holders: &[ObjectRow]) -> Option<u32> {
    let mut said: Vec<i64> = holders.iter().filter(|r| r.state & state::UNVERSIONED == 0).map(|r| r.version).collect();
    said.sort_unstable();
    let longest = said.iter().zip(said.iter().skip(1)).map(|(a, b)| (b - a) / DAY).max()?;
    u32::try_from(longest).ok().filter(|_| longest >= SILENT)
}

/// What holds: an object, wherever it stands; but an observable without versions is each collection's own statement.
fn holder(obj: i64, pos: i64, flags: i64) -> i64 {
    if flags & OBSERVABLE != 0 { -pos } else { obj }
}

/// A row that holds.
#[derive(Debug, Clone, Copy)]
struct Holding {
    pos: i64,
    obj: i64,
    col: u32,
}

/// The holders of a selector that the viewer sees.
struct Held {
    newest: Vec<i64>,
    /// Objects with versions, which say more than the one value; each once, at most [`HUB`], a collection's newest first.
    plain: Vec<Holding>,
    count: usize,
    strength: Option<i64>,
}

impl Held {
    fn read(conn: &Connection, viewer: &Viewer, sel: i64, depth: Depth) -> rusqlite::Result<Self> {
        let mut stmt = conn.prepare_cached(
            "SELECT pos, obj, flags, strength FROM holders WHERE sel = ? AND col = ? AND see(col) ORDER BY pos DESC LIMIT ?",
        )?;
        let (mut newest, mut plain, mut met, mut strength) = (Vec::new(), Vec::new(), HashSet::new(), None);
        for col in cols_of_selector(conn, viewer, sel)? {
            // When enough are counted, only the newest are wanted.
            let left = (depth.count + 1).saturating_sub(met.len()).max(depth.named);
            let mut rows = stmt.query((sel, col, left as i64))?;
            let mut named = 0;
            while let Some(row) = rows.next()? {
                let (pos, obj, flags, s): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                strength = strength.max(Some(s));
                if named < depth.named {
                    newest.push(pos);
                    named += 1;
                }
                let new = met.len() <= depth.count && met.insert(holder(obj, pos, flags));
                if new && flags & OBSERVABLE == 0 && plain.len() < HUB {
                    plain.push(Holding { pos, obj, col });
                }
            }
        }
        newest.sort_unstable_by(|a, b| b.cmp(a));
        newest.truncate(depth.named);
        Ok(Self { newest, plain, count: met.len(), strength })
    }
}

fn overruled(conn: &Connection, sel: i64) -> rusqlite::Result<Option<(bool, String)>> {
    conn.prepare_cached("SELECT links, reason FROM overrules WHERE sel = ? AND see(col) ORDER BY arrived DESC LIMIT 1")?
        .query_row([sel], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()
}
