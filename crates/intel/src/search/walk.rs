//! The plan of a search: ranges of full-text rows that hold nothing but what the viewer sees, newest first, each small
//! enough that no query over it takes long. A clock looks between ranges; what is left is told and can be asked for.
use crate::view::{Extent, of_text_row, text_row};
use people::VisibleSet;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::time::Instant;

/// Rows of one range: FTS5 steps over at most so many postings of each word before the clock is looked at.
const ROWS: u64 = 32_768;
/// Hits of a range of several collections that are read before its collections are asked one by one.
const MANY: usize = 512;

/// A range of full-text rows, both ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    low: i64,
    high: i64,
    /// No position in it is greater.
    newest: i64,
}

impl Range {
    fn of(col: u32, oldest: i64, newest: i64) -> Self {
        Self { low: text_row(col, oldest), high: text_row(col, newest), newest }
    }

    fn cols(&self) -> (u32, u32) {
        (of_text_row(self.low).0, of_text_row(self.high).0)
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Positions, newest first; complete down to `down_to`.
    pub positions: Vec<i64>,
    /// Nothing newer than this was left unread; 0 = everything was read.
    pub down_to: i64,
    /// Time was up before the walk had enough.
    pub broken_off: bool,
}

/// The ranges of what is seen, newest first. `words`: of the query, for several cost more than one.
pub(super) fn plan(extents: &BTreeMap<u32, Extent>, seen: &VisibleSet, before: i64, words: usize) -> Vec<Range> {
    let most = ROWS / (words.max(2) as u64 / 2);
    let mut out: Vec<Range> = Vec::new();
    let mut run: Option<(Range, u64)> = None;
    for (col, extent) in extents {
        let whole = Range::of(*col, extent.oldest, extent.newest.min(before - 1));
        if !seen.has(*col) || extent.rows > most {
            out.extend(run.take().map(|(range, _)| range));
        }
        if !seen.has(*col) || extent.oldest >= before {
            continue;
        }
        if extent.rows > most {
            windows(*col, extent, before, most, &mut out);
            continue;
        }
        run = match run {
            Some((range, rows)) if rows + extent.rows <= most => {
                let newest = range.newest.max(whole.newest);
                Some((Range { low: range.low, high: whole.high, newest }, rows + extent.rows))
            }
            other => {
                out.extend(other.map(|(range, _)| range));
                Some((whole, extent.rows))
            }
        };
    }
    out.extend(run.map(|(range, _)| range));
    out.sort_by_key(|range| std::cmp::Reverse(range.newest));
    out
}

/// A large collection in windows of about `most` rows.
fn windows(col: u32, extent: &Extent, before: i64, most: u64, out: &mut Vec<Range>) {
    let span = u64::try_from(extent.newest - extent.oldest).unwrap_or(0) + 1;
    let step = (u128::from(span) * u128::from(most) / u128::from(extent.rows.max(1))).max(1);
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let mut newest = extent.newest.min(before - 1);
    while newest >= extent.oldest {
        let oldest = newest.saturating_sub(step - 1).max(extent.oldest);
        out.push(Range::of(col, oldest, newest));
        newest = oldest - 1;
    }
}

/// Words of older versions stand in the index too: `versions` knows the last.
const HITS: &str = "SELECT t.rowid FROM texts t WHERE texts MATCH ?1 AND t.rowid BETWEEN ?2 AND ?3 AND see(t.rowid >> 36) \
                    AND EXISTS (SELECT 1 FROM versions v WHERE v.col = t.rowid >> 36 AND v.pos = t.rowid & 68719476735 \
                    AND v.state & 13 = 1 AND see(v.col)) ORDER BY t.rowid DESC LIMIT ?4";

/// The newest `limit` hits in `ranges`.
pub(super) fn walk(
    conn: &Connection,
    text: &str,
    mut ranges: Vec<Range>,
    extents: &BTreeMap<u32, Extent>,
    before: i64,
    limit: usize,
    until: Instant,
) -> rusqlite::Result<Walked> {
    let mut stmt = conn.prepare_cached(HITS)?;
    let mut found: Vec<i64> = Vec::new();
    ranges.reverse();
    while let Some(range) = ranges.pop() {
        found.sort_unstable_by(|a, b| b.cmp(a));
        let enough = found.len() >= limit && found.get(limit - 1).is_some_and(|pos| *pos > range.newest);
        let late = Instant::now() >= until;
        if enough || late {
            found.truncate(found.partition_point(|pos| *pos > range.newest));
            found.truncate(limit);
            return Ok(Walked { positions: found, down_to: range.newest, broken_off: !enough });
        }
        let (first, last) = range.cols();
        let most = if first == last { limit } else { MANY };
        let hits: Vec<i64> = stmt
            .query_map((text, range.low, range.high, most as i64), |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if first != last && hits.len() == MANY {
            // So many that each collection is asked for its newest.
            for (col, extent) in extents.range(first..=last) {
                ranges.push(Range::of(*col, extent.oldest, extent.newest.min(before - 1)));
            }
            ranges.sort_by_key(|range| range.newest);
            continue;
        }
        found.extend(hits.into_iter().map(|row| of_text_row(row).1).filter(|pos| *pos < before));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    let down_to = if found.len() > limit { found.get(limit - 1).copied().unwrap_or(0) } else { 0 };
    found.truncate(limit);
    Ok(Walked { positions: found, down_to, broken_off: false })
}

/// How many hits there are in ranges planned without a `before`: up to `most`, and whether that is all.
pub(super) fn count(
    conn: &Connection,
    text: &str,
    ranges: Vec<Range>,
    most: usize,
    until: Instant,
) -> rusqlite::Result<(usize, bool)> {
    let mut stmt = conn.prepare_cached(&format!("SELECT count(*) FROM ({HITS})"))?;
    let mut found = 0;
    for range in ranges {
        if Instant::now() >= until {
            return Ok((found, false));
        }
        let left = (most + 1).saturating_sub(found);
        let n: i64 = stmt.query_row((text, range.low, range.high, left as i64), |r| r.get(0))?;
        found += usize::try_from(n).unwrap_or(0);
        if found > most {
            return Ok((most, false));
        }
    }
    Ok((found, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn extent(rows: u64, oldest: i64, newest: i64) -> Extent {
        Extent { rows, oldest, newest }
    }

    #[test]
    fn no_range_holds_a_collection_that_is_not_seen() {
        let extents = BTreeMap::from([
            (1, extent(10, 1, 100)),
            (2, extent(10, 1, 100)),
            (3, extent(500_000, 1, 1_000_000)),
            (4, extent(10, 1, 100)),
            (6, extent(10, 50, 60)),
        ]);
        let seen: VisibleSet = [1, 2, 4, 6].into_iter().collect();
        let ranges = plan(&extents, &seen, i64::MAX, 1);
        assert_eq!(ranges.iter().map(Range::cols).collect::<Vec<_>>(), [(1, 2), (4, 6)]);
        let all: VisibleSet = [1, 2, 3, 4, 6].into_iter().collect();
        let ranges = plan(&extents, &all, i64::MAX, 1);
        assert_eq!(ranges.len(), 2 + 16, "a large collection is read in windows");
        assert!(ranges.is_sorted_by_key(|range| std::cmp::Reverse(range.newest)));
        assert!(plan(&extents, &VisibleSet::default(), i64::MAX, 1).is_empty());
    }

    /// Rows of several collections, some seen, walked with every limit: the same as a plain filter and sort.
    fn check(rows: &[(u32, bool)], seen: &[u32], limit: usize, before: i64) {
        let conn = Connection::open_in_memory().unwrap();
        people::see::register(&conn).unwrap();
        conn.execute_batch(include_str!("../view/schema.sql")).unwrap();
        let mut extents: BTreeMap<u32, Extent> = BTreeMap::new();
        let (mut expected, mut all) = (Vec::new(), 0);
        for (pos, (col, hit)) in (1_i64..).zip(rows) {
            let word = if *hit { "yes" } else { "no" };
            conn.execute("INSERT INTO texts(rowid, text) VALUES (?,?)", (text_row(*col, pos), word)).unwrap();
            let version = "INSERT INTO versions VALUES (?1,?2,?2,0,1,0,21,0,0,NULL,1)";
            conn.execute(version, (*col, pos)).unwrap();
            let e = extents.entry(*col).or_insert(extent(0, pos, pos));
            (e.rows, e.newest) = (e.rows + 1, pos);
            if *hit && seen.contains(col) {
                all += 1;
                expected.extend((pos < before).then_some(pos));
            }
        }
        expected.reverse();
        let set: VisibleSet = seen.iter().copied().collect();
        let until = Instant::now() + std::time::Duration::from_secs(60);
        people::see::with_set(&set, || {
            let ranges = plan(&extents, &set, before, 1);
            let whole = plan(&extents, &set, i64::MAX, 1);
            assert_eq!(count(&conn, "yes", whole, 10_000, until).unwrap(), (all, true));
            let walked = walk(&conn, "yes", ranges, &extents, before, limit, until).unwrap();
            let wanted: Vec<i64> = expected.iter().copied().take(limit).collect();
            assert_eq!(walked.positions, wanted);
            assert!(!walked.broken_off);
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_walk_finds_the_newest_of_what_is_seen(
            rows in prop::collection::vec((1u32..9, any::<bool>()), 0..300),
            seen in prop::collection::vec(1u32..9, 0..8),
            limit in 1usize..40,
            before in 1i64..400,
        ) {
            check(&rows, &seen, limit, before);
        }
    }

    #[test]
    fn collections_with_more_hits_than_are_read_at_once_are_asked_one_by_one() {
        let rows: Vec<(u32, bool)> = (0..3_000).map(|n| (1 + n % 5, true)).collect();
        check(&rows, &[1, 2, 3, 4, 5], 51, i64::MAX);
        check(&rows, &[1, 2, 4, 5], 51, 2_000);
    }
}
