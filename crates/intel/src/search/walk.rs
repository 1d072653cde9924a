//! A search reads the viewer's own collections, newest first, and pays for each step it takes there. What it may pay is
//! fixed, and a step is one among rows that the viewer sees: where a page ends says nothing of what is hidden.
//!
//! A range is a run of neighbouring collections that are all seen, then a wide window of one collection, then a narrow one.
//! Each is probed for its rarest word: without it the range is done, with little of it it is read, else it is split. Rows
//! are read in their rising order, for FTS5 walks a list of pages to its end before it reads backwards.
use super::ask::Words;
use crate::view::{NARROW, of_text_row, text_row};
use people::VisibleSet;
use rusqlite::{Connection, Rows};
use std::collections::{BTreeMap, BinaryHeap, HashSet};

/// To open one word's list and find the range in it. One step is about a microsecond.
const OPEN: i64 = 50;
/// To read a row and ask whether it is the last version.
const READ: i64 = 2;
/// A word that stands in fewer rows of a range than this makes it light: it is read at once.
const LIGHT: i64 = 64;
/// For each word of a narrow window in which all may be common.
const HEAVY: i64 = NARROW / 8;
/// Rows that are read without words before another range takes its turn.
const TURN: i64 = 256;

/// How large a range is; a narrow window before a wide one when both begin with the same row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Run,
    Wide,
    Narrow,
}

/// Positions of a run of collections or of a window of one, both ends in it; the range that may hold the newest is the
/// greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    high: i64,
    low: i64,
    size: Size,
    cols: (u32, u32),
    /// Where its window begins.
    first: i64,
}

impl Range {
    /// The full-text rows among which it stands; of a run, also rows before and after its positions.
    fn rows(&self) -> (i64, i64) {
        (text_row(self.cols.0, self.low), text_row(self.cols.1, self.high))
    }
}

/// Ranges to read.
#[derive(Clone)]
pub(super) struct Plan {
    ranges: BinaryHeap<Range>,
    /// The last position of each collection.
    newest: BTreeMap<u32, i64>,
}

/// A row that was met, and whose it is; the newer is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Met {
    /// Where it stands.
    pub pos: i64,
    /// Its object's number.
    pub obj: i64,
}

/// What a walk found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Positions, newest first; complete down to `down_to`.
    pub positions: Vec<Met>,
    /// Nothing newer than this was left unread; 0 = everything was read.
    pub down_to: i64,
    /// The steps were spent before the walk had enough.
    pub broken_off: bool,
}

/// What is looked for.
pub(crate) struct Aim<'a> {
    /// `None`: whatever stands.
    pub words: Option<&'a Words>,
    /// This marking only.
    pub tlp: Option<i64>,
}

/// The runs of these collections (each with its last position) between two positions; the upper is not in it.
pub(super) fn plan(seen: &VisibleSet, cols: &[(u32, i64)], from: i64, before: i64) -> Plan {
    let newest: BTreeMap<u32, i64> = cols.iter().copied().filter(|(col, _)| seen.has(*col)).collect();
    let mut runs: Vec<Range> = Vec::new();
    for (col, last) in &newest {
        let high = (*last).min(before - 1);
        match runs.last_mut() {
            // What stands between two neighbours is seen too, or there is no collection between.
            Some(run) if (run.cols.1..*col).skip(1).all(|between| seen.has(between)) => {
                run.cols.1 = *col;
                run.high = run.high.max(high);
            }
            _ => runs.push(Range { high, low: from, size: Size::Run, cols: (*col, *col), first: 0 }),
        }
    }
    runs.retain(|run| run.high >= from);
    Plan { ranges: runs.into(), newest }
}

impl Plan {
    /// Puts back what a range is made of.
    fn split(&mut self, conn: &Connection, range: &Range) -> rusqlite::Result<()> {
        match range.size {
            Size::Run => {
                for (col, newest) in self.newest.range(range.cols.0..=range.cols.1) {
                    let whole = Range { cols: (*col, *col), high: range.high.min(*newest), ..*range };
                    self.ranges.extend(windows(conn, &whole, Size::Wide)?);
                }
            }
            _ => self.ranges.extend(windows(conn, range, Size::Narrow)?),
        }
        Ok(())
    }
}

/// The windows of one collection in a range.
fn windows(conn: &Connection, range: &Range, size: Size) -> rusqlite::Result<Vec<Range>> {
    let mut stmt = conn.prepare_cached(
        "SELECT first FROM windows WHERE col = ?1 AND see(col) AND wide = ?2 AND first >= ?3 AND first <= ?4 ORDER BY first DESC",
    )?;
    let mut rows = stmt.query((range.cols.0, size == Size::Wide, range.first, range.high))?;
    let (mut out, mut high) = (Vec::new(), range.high);
    while high >= range.low
        && let Some(row) = rows.next()?
    {
        let first: i64 = row.get(0)?;
        out.push(Range { high, low: first.max(range.low), first, size, ..*range });
        high = first - 1;
    }
    Ok(out)
}

/// The newest `limit` in `ranges`, for about so many steps: at least one position further than it began.
pub(super) fn walk(
    conn: &Connection,
    aim: &Aim<'_>,
    mut plan: Plan,
    limit: usize,
    mut steps: i64,
) -> rusqlite::Result<Walked> {
    let mut found: Vec<Met> = Vec::new();
    let mut before = i64::MIN;
    while let Some(range) = plan.ranges.pop() {
        let enough = limit.checked_sub(1).and_then(|at| found.get(at)).is_some_and(|met| met.pos > range.high);
        if enough || (steps <= 0 && range.high < before) {
            found.truncate(found.partition_point(|met| met.pos > range.high).min(limit));
            return Ok(Walked { positions: found, down_to: range.high, broken_off: !enough });
        }
        before = range.high;
        let held = found.len();
        steps -= read(conn, aim, &range, &mut found, &mut plan)?;
        if found.len() > held {
            found.sort_unstable_by(|a, b| b.cmp(a));
        }
    }
    let down_to = found.get(limit).map_or(0, |met| met.pos);
    found.truncate(limit);
    Ok(Walked { positions: found, down_to, broken_off: false })
}

/// The objects in ranges planned without a `before`: about `most` at most, and whether that is all.
pub(super) fn count(
    conn: &Connection,
    aim: &Aim<'_>,
    mut plan: Plan,
    most: usize,
    mut steps: i64,
) -> rusqlite::Result<(HashSet<i64>, bool)> {
    let mut found = Vec::new();
    let mut whole = true;
    while let Some(range) = plan.ranges.pop() {
        if steps <= 0 || found.len() > most {
            whole = false;
            break;
        }
        steps -= read(conn, aim, &range, &mut found, &mut plan)?;
    }
    Ok((found.iter().map(|met: &Met| met.obj).collect(), whole))
}

/// Reads a range, or puts back what it is made of; says how many steps that took.
fn read(
    conn: &Connection,
    aim: &Aim<'_>,
    range: &Range,
    found: &mut Vec<Met>,
    plan: &mut Plan,
) -> rusqlite::Result<i64> {
    let Some(words) = aim.words else { return standing(conn, aim, range, found, plan) };
    let narrow = range.size == Size::Narrow;
    if let Some(simple) = words.simple() {
        let most = if narrow { i64::MAX } else { LIGHT };
        let held = found.len();
        let read = matching(conn, &simple, aim, range, most, found)?;
        if read == most {
            found.truncate(held);
            plan.split(conn, range)?;
        }
        return Ok(words.lists * OPEN + read * READ);
    }
    let opened = (words.lists + 1) * OPEN;
    if narrow {
        let read = matching(conn, &words.within(range.first, false), aim, range, i64::MAX, found)?;
        return Ok(opened + words.lists * HEAVY + read * READ);
    }
    let (rarest, weighed) = weigh(conn, words, range)?;
    if rarest > 0 && (rarest == LIGHT || range.size == Size::Run) {
        plan.split(conn, range)?;
    } else if rarest > 0 {
        let read = matching(conn, &words.within(range.first, true), aim, range, i64::MAX, found)?;
        return Ok(weighed + opened + rarest * words.lists + read * READ);
    }
    Ok(weighed)
}

/// In how many rows of the range the rarest of the words stands, counted to [`LIGHT`]; and the steps.
fn weigh(conn: &Connection, words: &Words, range: &Range) -> rusqlite::Result<(i64, i64)> {
    let mut stmt = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM texts t WHERE texts MATCH ?1 AND t.rowid BETWEEN ?2 AND ?3 AND see(t.rowid >> 36) LIMIT ?4)",
    )?;
    let (low, high) = range.rows();
    let (mut rarest, mut steps) = (LIGHT, 0);
    for word in &words.weighed {
        let rows = stmt.query_row((word, low, high, LIGHT), |r| r.get::<_, i64>(0))?;
        steps += OPEN + rows / 4;
        rarest = rarest.min(rows);
        if rarest == 0 {
            break;
        }
    }
    Ok((rarest, steps))
}

/// At most so many rows with the words: how many there are, and the hits among them. Words of older versions stand in the
/// index too: `versions` knows the last.
fn matching(
    conn: &Connection,
    query: &str,
    aim: &Aim<'_>,
    range: &Range,
    most: i64,
    found: &mut Vec<Met>,
) -> rusqlite::Result<i64> {
    let mut stmt = conn.prepare_cached(
        "SELECT t.rowid, (SELECT v.obj << 3 | v.tlp FROM versions v WHERE v.col = t.rowid >> 36 AND v.pos = t.rowid & 68719476735 \
         AND v.state & 13 = 1 AND see(v.col)) FROM texts t WHERE texts MATCH ?1 AND t.rowid BETWEEN ?2 AND ?3 \
         AND see(t.rowid >> 36) LIMIT ?4",
    )?;
    let (low, high) = range.rows();
    Ok(take(stmt.query((query, low, high, most))?, aim, range, found)?.0)
}

/// Whatever stands, for one turn.
fn standing(
    conn: &Connection,
    aim: &Aim<'_>,
    range: &Range,
    found: &mut Vec<Met>,
    plan: &mut Plan,
) -> rusqlite::Result<i64> {
    if range.size == Size::Run {
        plan.split(conn, range)?;
        return Ok(OPEN);
    }
    let mut stmt = conn.prepare_cached(
        "SELECT v.pos, v.obj << 3 | v.tlp FROM versions v INDEXED BY versions_standing WHERE v.col = ?1 AND see(v.col) AND v.state & 13 = 1 \
         AND v.pos BETWEEN ?2 AND ?3 ORDER BY v.pos DESC LIMIT ?4",
    )?;
    let (read, last) = take(stmt.query((range.cols.0, range.low, range.high, TURN))?, aim, range, found)?;
    if read == TURN && last > range.low {
        plan.ranges.push(Range { high: last - 1, ..*range });
    }
    Ok(OPEN + read * READ)
}

/// Takes the hits out of rows of a number and, where it is the last version, its object with its marking in the lowest three
/// bits: how many rows, and the last.
fn take(mut rows: Rows<'_>, aim: &Aim<'_>, range: &Range, found: &mut Vec<Met>) -> rusqlite::Result<(i64, i64)> {
    let (mut read, mut pos) = (0, 0);
    while let Some(row) = rows.next()? {
        pos = of_text_row(row.get(0)?).1;
        read += 1;
        let Some(last) = row.get::<_, Option<i64>>(1)? else { continue };
        if aim.tlp.is_none_or(|asked| asked == last & 7) && (range.low..=range.high).contains(&pos) {
            found.push(Met { pos, obj: last >> 3 });
        }
    }
    Ok((read, pos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::window_word;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const ENDLESS: i64 = i64::MAX / 2;

    /// Rows as (collection, text, whether it is the last version), in windows of `window` rows.
    fn filled<'a>(rows: impl IntoIterator<Item = (u32, &'a str, bool)>, window: u64) -> (Connection, Vec<(u32, i64)>) {
        let conn = Connection::open_in_memory().unwrap();
        people::see::register(&conn).unwrap();
        conn.execute_batch(include_str!("../view/schema.sql")).unwrap();
        let mut cols: BTreeMap<u32, (u64, [i64; 2], i64)> = BTreeMap::new();
        for (pos, (col, text, last)) in (1_i64..).zip(rows) {
            let of = cols.entry(col).or_insert((0, [pos; 2], pos));
            for wide in [0, 1] {
                if of.0.is_multiple_of(window * (1 + 3 * wide as u64)) {
                    of.1[wide] = pos;
                    conn.execute("INSERT INTO windows VALUES (?,?,?)", (col, wide as i64, pos)).unwrap();
                }
            }
            (of.0, of.2) = (of.0 + 1, pos);
            let (narrow, wide) = (window_word(of.1[0], false), window_word(of.1[1], true));
            let text = format!("{text}\n{narrow} {wide}");
            conn.execute("INSERT INTO texts(rowid, text) VALUES (?,?)", (text_row(col, pos), text)).unwrap();
            let version = "INSERT INTO versions VALUES (?1,?2,?2,0,?3,0,21,0,0,NULL,1)";
            conn.execute(version, (col, pos, i64::from(last))).unwrap();
        }
        (conn, cols.into_iter().map(|(col, of)| (col, of.2)).collect())
    }

    fn words(asked: &str) -> Words {
        Words::new(&super::super::Query::read(asked, None).phrases, &[]).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// One word, several, a phrase, none: the same as a plain filter and sort, on every page, for any number of steps.
        #[test]
        fn pages_of_a_walk_find_the_newest_of_what_is_seen(
            rows in prop::collection::vec((1u32..9, 0usize..4, prop::bool::weighted(0.8)), 0..400),
            seen in prop::collection::vec(1u32..9, 0..8),
            asked in prop::option::of(0usize..3),
            limit in 1usize..40,
            window in 1u64..30,
            steps in 0i64..3_000,
        ) {
            let texts = ["yes now", "now", "yes", "now yes"];
            let (conn, cols) = filled(rows.iter().map(|(col, text, last)| (*col, texts[*text], *last)), window);
            let hit = |text: &str| match asked {
                Some(0) => text.contains("yes"),
                Some(1) => text.contains("yes") && text.contains("now"),
                Some(_) => text == "yes now",
                None => true,
            };
            let words = asked.map(|n| words(["yes", "yes now", "\"yes now\""][n]));
            let aim = Aim { words: words.as_ref(), tlp: None };
            let mut expected: Vec<i64> = (1..).zip(&rows)
                .filter(|(_, (col, text, last))| *last && seen.contains(col) && hit(texts[*text])).map(|(pos, _)| pos).collect();
            expected.reverse();
            let set: VisibleSet = seen.iter().copied().collect();
            people::see::with_set(&set, || {
                let whole = plan(&set, &cols, 0, i64::MAX);
                let (counted, all) = count(&conn, &aim, whole.clone(), 10_000, ENDLESS).unwrap();
                prop_assert_eq!((counted.len(), all), (expected.len(), true));
                let walked = walk(&conn, &aim, whole, limit, ENDLESS).unwrap();
                let positions = |walked: &Walked| walked.positions.iter().map(|met| met.pos).collect::<Vec<i64>>();
                prop_assert_eq!(positions(&walked), expected.iter().copied().take(limit).collect::<Vec<_>>());
                prop_assert!(!walked.broken_off);
                let (mut met, mut before) = (Vec::new(), i64::MAX);
                loop {
                    let ranges = plan(&set, &cols, 0, before);
                    let walked = walk(&conn, &aim, ranges, limit, steps).unwrap();
                    met.extend(positions(&walked));
                    let full = walked.positions.len() == limit;
                    if !full && walked.down_to == 0 {
                        break;
                    }
                    let next = if full { walked.positions[limit - 1].pos } else { walked.down_to + 1 };
                    prop_assert!(next < before, "a page goes on");
                    before = next;
                }
                prop_assert_eq!(met, expected);
                Ok(())
            })?;
        }
    }

    /// FTS5 would step over what stands between, and take its time for it.
    #[test]
    fn no_run_holds_a_collection_that_is_not_seen() {
        let cols = [(1, 90), (2, 100), (3, 95), (4, 80), (6, 60), (9, 70)];
        // 5 is seen and empty; 3 is hidden; what 7 and 8 are is not known.
        let set: VisibleSet = [1, 2, 4, 5, 6, 9].into_iter().collect();
        let runs = |before| plan(&set, &cols, 0, before).ranges.into_sorted_vec();
        let held: Vec<_> = runs(i64::MAX).iter().rev().map(|run| (run.cols, run.high)).collect();
        assert_eq!(held, [((1, 2), 100), ((4, 6), 80), ((9, 9), 70)]);
        assert!(runs(50).iter().all(|run| run.high < 50));
        assert!(plan(&VisibleSet::default(), &cols, 0, i64::MAX).ranges.is_empty());
    }

    /// What stands in collections that are not seen changes no answer and no count of steps.
    #[test]
    fn hidden_rows_cost_no_step() {
        let own = |n: usize| {
            (1 + 2 * (n as u32 % 40), if n.is_multiple_of(3) { "even here" } else { "odd" }, !n.is_multiple_of(4))
        };
        let bare: Vec<_> = (0..1_000).map(own).collect();
        let mut mixed = bare.clone();
        mixed.extend((0..3_000).map(|n| (2 + 2 * (n as u32 % 40), "even odd hidden here", true)));
        let set: VisibleSet = (0..40).map(|n| 1 + 2 * n).collect();
        let ((a, a_cols), (b, b_cols)) = (filled(bare, 8), filled(mixed, 8));
        people::see::with_set(&set, || {
            for asked in ["hidden", "even odd", "even here", "\"even odd\"", "odd hidden", "\"even here\" hidden"] {
                let words = words(asked);
                let aim = Aim { words: Some(&words), tlp: None };
                for steps in [0, 100, 1_000, 5_000, 20_000] {
                    let read = |conn: &Connection, cols: &[(u32, i64)]| {
                        let ranges = plan(&set, cols, 0, i64::MAX);
                        let page = walk(conn, &aim, ranges.clone(), 51, steps).unwrap();
                        (page, count(conn, &aim, ranges, 200, steps).unwrap())
                    };
                    assert_eq!(read(&a, &a_cols), read(&b, &b_cols), "{asked}, {steps} steps");
                }
            }
        });
    }
}
