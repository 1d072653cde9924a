//! How well found links agree with the truth, counted in pairs of reports, without ever holding a pair.
//!
//! **True pairs.** Two reports of one syndicate that name at least one selector in common whose role is
//! [`Role::Genuine`] in both (compared in normalised form). Nothing in the files links other pairs of a syndicate
//! directly, so a linker can reach every true pair and is asked for no other.
//! **Found pairs.** Two reports that stand together in at least one found group; a pair in several groups counts once.
//! **Precision** is the share of found pairs whose reports are of one syndicate; **recall** the share of true pairs that
//! were found. A pair of one syndicate that only a hub joined is right for precision and nothing for recall. A linker
//! that keeps a hub of n reports pays with about n²/2 wrong pairs, once, however many groups repeat it.
//! **Joined** counts the same over connected groups: what a reader sees who follows links from report to report. One
//! hub that joins two syndicates makes all pairs across them wrong there, so it is the harsher figure and is reported
//! beside, not instead.

use crate::truth::{Line, ReportTruth, Role};
use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::path::Path;

/// Why the truth cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The file cannot be read.
    #[error("the truth file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A line is not as this version writes it.
    #[error("truth.jsonl line {line}: {source}; write the world again with this version")]
    Line {
        /// The line, from 1.
        line: usize,
        /// The parser's words.
        source: serde_json::Error,
    },
}

/// Reports and whose they are.
#[derive(Debug, Default)]
pub struct Truth {
    ids: Vec<String>,
    /// 0 is nobody's.
    syndicates: Vec<u32>,
    names: HashMap<String, u32>,
    /// Groups of reports of one syndicate that share a genuine selector.
    genuine: Vec<Vec<u32>>,
}

impl Truth {
    /// Reads a world's `truth.jsonl`.
    ///
    /// # Errors
    /// When the file cannot be read or a line is of another version.
    pub fn open(world: &Path) -> Result<Self, TruthError> {
        Self::read(std::io::BufReader::new(std::fs::File::open(world.join("truth.jsonl"))?))
    }

    /// The same of some reports only, such as those whose format a finder can read.
    ///
    /// # Errors
    /// As [`Truth::open`].
    pub fn open_where(world: &Path, keep: impl FnMut(&ReportTruth) -> bool) -> Result<Self, TruthError> {
        Self::read_where(std::io::BufReader::new(std::fs::File::open(world.join("truth.jsonl"))?), keep)
    }

    /// Reads the lines of a truth file.
    ///
    /// # Errors
    /// As [`Truth::open`].
    pub fn read(lines: impl BufRead) -> Result<Self, TruthError> {
        Self::read_where(lines, |_| true)
    }

    fn read_where(lines: impl BufRead, mut keep: impl FnMut(&ReportTruth) -> bool) -> Result<Self, TruthError> {
        let mut reports = Vec::new();
        for (at, line) in lines.lines().enumerate() {
            let parsed = serde_json::from_str(&line?).map_err(|source| TruthError::Line { line: at + 1, source })?;
            match parsed {
                Line::Report(report) if keep(&report) => reports.push(report),
                _ => {}
            }
        }
        Ok(Self::of(reports))
    }

    /// The truth of these reports.
    pub fn of(reports: impl IntoIterator<Item = ReportTruth>) -> Self {
        let mut truth = Self::default();
        let mut codes: HashMap<String, u32> = HashMap::new();
        let mut groups: HashMap<(u32, String), Vec<u32>> = HashMap::new();
        for report in reports {
            let at = truth.ids.len() as u32;
            let next = codes.len() as u32 + 1;
            let syndicate = report.syndicate.map_or(0, |code| *codes.entry(code).or_insert(next));
            for name in report.names.iter().filter(|name| name.role == Role::Genuine && syndicate > 0) {
                let group = groups.entry((syndicate, format!("{} {}", name.selector, name.value))).or_default();
                // One report may name one value twice.
                if group.last() != Some(&at) {
                    group.push(at);
                }
            }
            truth.syndicates.push(syndicate);
            let place = match report.at {
                Some(number) => format!("{}#{number}", report.file),
                None => report.file,
            };
            // A bundle holds many reports and is nobody's name.
            if report.at.is_some() || !place.ends_with(".json") || report.stix.is_none() {
                truth.names.insert(place, at);
            }
            truth.names.extend(report.stix.into_iter().chain(report.objects).map(|id| (id, at)));
            truth.names.insert(report.id.clone(), at);
            truth.ids.push(report.id);
        }
        truth.genuine = groups.into_values().filter(|group| group.len() > 1).collect();
        truth
    }

    /// The reference of a report by any of its names: its own reference, the STIX id of the `report`, an id that
    /// belongs to it alone (an attribute's UUID), a note's file, or `file#n` for the nth line, row or tag.
    pub fn report(&self, name: &str) -> Option<&str> {
        self.names.get(name).and_then(|&at| self.ids.get(at as usize)).map(String::as_str)
    }

    /// The first reference of a report that stands in a text: `XA-000123` in a name, a note or a label.
    ///
    /// ```
    /// # use world::score::Truth;
    /// assert_eq!(Truth::of([]).reference_in("EXERCISE report XA-000123"), None);
    /// ```
    pub fn reference_in(&self, text: &str) -> Option<&str> {
        // Two letters, a dash, six digits or more.
        text.match_indices('-').find_map(|(dash, _)| {
            let rest = text.get(dash + 1..)?;
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            self.report(text.get(dash.checked_sub(2)?..dash + 1 + digits)?)
        })
    }

    /// How many reports there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no report.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn syndicate(&self, report: u32) -> u32 {
        self.syndicates.get(report as usize).copied().unwrap_or_default()
    }
}

/// Precision and recall over pairs.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Pairs {
    /// Pairs that the truth has.
    pub pairs_true: u64,
    /// Pairs that were found.
    pub pairs_found: u64,
    /// Found pairs whose reports are of one syndicate.
    pub pairs_right: u64,
    /// True pairs that were found.
    pub pairs_recalled: u64,
    /// `pairs_right / pairs_found`; 1 when nothing was found.
    pub precision: f64,
    /// `pairs_recalled / pairs_true`; 1 when there is nothing to find.
    pub recall: f64,
}

impl Pairs {
    fn of(pairs_true: u64, pairs_found: u64, pairs_right: u64, pairs_recalled: u64) -> Self {
        let share = |part: u64, whole: u64| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
        let (precision, recall) = (share(pairs_right, pairs_found), share(pairs_recalled, pairs_true));
        Self { pairs_true, pairs_found, pairs_right, pairs_recalled, precision, recall }
    }
}

/// A found group that joins most wrong pairs, to see why precision is lost.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wrong {
    /// What the finder called the group.
    pub selector: String,
    /// Reports in it.
    pub reports: u64,
    /// Its pairs that are not of one syndicate.
    pub pairs: u64,
}

/// The score of a linker.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// Reports in the truth.
    pub reports: u64,
    /// Pairs that share a group.
    pub direct: Pairs,
    /// Pairs that are connected through any number of groups.
    pub joined: Pairs,
    /// Found names that the truth does not know; they count for nothing.
    pub unknown: u64,
    /// The groups with most wrong pairs, at most ten.
    pub worst: Vec<Wrong>,
}

/// Scores links found as pairs; see [`score_groups`] for a way that holds when groups are large.
pub fn score(truth: &Truth, found: impl IntoIterator<Item = (String, String)>) -> Score {
    score_groups(truth, found.into_iter().map(|(a, b)| (format!("{a} {b}"), vec![a, b])))
}

/// Scores links found as groups: a selector (or any text that tells the group) and the reports that share it, each by
/// any name that [`Truth::report`] knows. Memory is that of the groups; time is that of the pairs within groups, but
/// the largest group of each report costs nothing.
///
/// ```
/// use world::score::{Truth, score_groups};
/// let truth = Truth::of([]);
/// assert_eq!(score_groups(&truth, []).direct.precision, 1.0);
/// ```
pub fn score_groups(truth: &Truth, found: impl IntoIterator<Item = (String, Vec<String>)>) -> Score {
    let mut unknown = 0;
    let mut labels = Vec::new();
    let mut groups = Vec::new();
    for (label, names) in found {
        let known = names.iter().filter_map(|name| {
            let at = truth.names.get(name.as_str());
            unknown += u64::from(at.is_none());
            at.copied()
        });
        let mut members: Vec<u32> = known.collect();
        members.sort_unstable();
        members.dedup();
        // Those of one syndicate stand side by side.
        members.sort_by_key(|&report| truth.syndicate(report));
        if members.len() > 1 {
            labels.push(label);
            groups.push(members);
        }
    }
    Score {
        reports: truth.len() as u64,
        direct: direct(truth, &groups),
        joined: joined(truth, &groups),
        unknown,
        worst: worst(truth, labels, &groups),
    }
}

/// For each report the groups it stands in, in order.
fn memberships(reports: usize, groups: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut of = vec![Vec::new(); reports];
    for (at, group) in groups.iter().enumerate() {
        for &report in group {
            if let Some(list) = of.get_mut(report as usize) {
                list.push(at as u32);
            }
        }
    }
    of
}

/// The reports met in one round; a round's number is its report's, so nothing is cleared between rounds.
struct Marks(Vec<u32>);

impl Marks {
    fn new(reports: usize) -> Self {
        Self(vec![u32::MAX; reports])
    }

    /// Marks a report; false when it was marked in this round already.
    fn fresh(&mut self, report: u32, round: u32) -> bool {
        self.0.get_mut(report as usize).is_some_and(|mark| std::mem::replace(mark, round) != round)
    }

    fn has(&self, report: u32, round: u32) -> bool {
        self.0.get(report as usize) == Some(&round)
    }
}

fn direct(truth: &Truth, groups: &[Vec<u32>]) -> Pairs {
    let of = memberships(truth.len(), groups);
    let genuine = memberships(truth.len(), &truth.genuine);
    let (mut met, mut same, mut own) = (Marks::new(of.len()), Marks::new(of.len()), Marks::new(of.len()));
    let (mut found, mut right, mut wanted, mut recalled) = (0_u64, 0_u64, 0_u64, 0_u64);
    for ((report, list), genuine) in (0_u32..).zip(&of).zip(&genuine) {
        found += neighbours(report, list, groups, &of, &mut met);
        let syndicate = truth.syndicate(report);
        for group in list.iter().filter_map(|&at| groups.get(at as usize)).filter(|_| syndicate > 0) {
            let start = group.partition_point(|&other| truth.syndicate(other) < syndicate);
            let fellows = group.iter().skip(start).take_while(|&&other| truth.syndicate(other) == syndicate);
            for &other in fellows.filter(|&&other| other != report) {
                right += u64::from(same.fresh(other, report));
            }
        }
        for group in genuine.iter().filter_map(|&at| truth.genuine.get(at as usize)) {
            for &other in group.iter().filter(|&&other| other != report && own.fresh(other, report)) {
                wanted += 1;
                recalled += u64::from(same.has(other, report));
            }
        }
    }
    // Each pair was met from both its ends.
    Pairs::of(wanted / 2, found / 2, right / 2, recalled / 2)
}

/// How many reports share a group with this one: all of its largest group, and of the others those not in it.
fn neighbours(report: u32, list: &[u32], groups: &[Vec<u32>], of: &[Vec<u32>], met: &mut Marks) -> u64 {
    let size = |at: u32| groups.get(at as usize).map_or(0, Vec::len);
    let Some(&largest) = list.iter().max_by_key(|&&at| size(at)) else { return 0 };
    let in_largest = |other: u32| of.get(other as usize).is_some_and(|list| list.binary_search(&largest).is_ok());
    let mut count = size(largest).saturating_sub(1) as u64;
    for group in list.iter().filter(|&&at| at != largest).filter_map(|&at| groups.get(at as usize)) {
        for &other in group.iter().filter(|&&other| other != report) {
            count += u64::from(met.fresh(other, report) && !in_largest(other));
        }
    }
    count
}

fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

/// For each report the least report it is connected with.
fn components(reports: usize, groups: &[Vec<u32>]) -> Vec<u32> {
    let mut above: Vec<u32> = (0..reports as u32).collect();
    fn top(above: &mut [u32], mut at: u32) -> u32 {
        while let Some(&next) = above.get(at as usize).filter(|&&next| next != at) {
            let further = above.get(next as usize).copied().unwrap_or(next);
            if let Some(place) = above.get_mut(at as usize) {
                *place = further;
            }
            at = further;
        }
        at
    }
    for group in groups {
        let Some(&first) = group.first() else { continue };
        for &other in group {
            let (a, b) = (top(&mut above, first), top(&mut above, other));
            if let Some(place) = above.get_mut(a.max(b) as usize) {
                *place = a.min(b);
            }
        }
    }
    (0..reports as u32).map(|at| top(&mut above, at)).collect()
}

fn joined(truth: &Truth, groups: &[Vec<u32>]) -> Pairs {
    let found = components(truth.len(), groups);
    let real = components(truth.len(), &truth.genuine);
    let mut counts: [BTreeMap<(u32, u32), u64>; 4] = Default::default();
    for (report, (&found, &real)) in (0_u32..).zip(found.iter().zip(&real)) {
        let syndicate = truth.syndicate(report);
        let nobody = syndicate == 0;
        let keys = [
            (real, 0),
            (found, 0),
            // Nobody's reports are never of one syndicate.
            (found, if nobody { u32::MAX - report } else { syndicate }),
            (found, real),
        ];
        for (map, key) in counts.iter_mut().zip(keys) {
            *map.entry(key).or_default() += 1;
        }
    }
    let [wanted, found, right, recalled] = counts.map(|map| map.into_values().map(pairs).sum());
    Pairs::of(wanted, found, right, recalled)
}

fn worst(truth: &Truth, labels: Vec<String>, groups: &[Vec<u32>]) -> Vec<Wrong> {
    let wrong = |group: &Vec<u32>| {
        let right = group.chunk_by(|&a, &b| truth.syndicate(a) == truth.syndicate(b));
        let of_one = right.filter(|run| run.first().is_some_and(|&report| truth.syndicate(report) > 0));
        pairs(group.len() as u64) - of_one.map(|run| pairs(run.len() as u64)).sum::<u64>()
    };
    let mut all: Vec<Wrong> = labels
        .into_iter()
        .zip(groups)
        .map(|(selector, group)| Wrong { selector, reports: group.len() as u64, pairs: wrong(group) })
        .filter(|group| group.pairs > 0)
        .collect();
    all.sort_by_key(|group| std::cmp::Reverse(group.pairs));
    all.truncate(10);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::Rng;
    use crate::truth::MentionTruth;
    use std::collections::BTreeSet;

    fn report(at: u64, syndicate: u64, values: &[u64]) -> ReportTruth {
        let names = values.iter().map(|value| MentionTruth {
            selector: "phone".to_owned(),
            value: value.to_string(),
            role: Role::Genuine,
        });
        ReportTruth {
            id: format!("R{at}"),
            agency: "XA".to_owned(),
            file: "f.csv".to_owned(),
            at: Some(at),
            stix: None,
            objects: Vec::new(),
            when: String::new(),
            syndicate: (syndicate > 0).then(|| format!("S{syndicate}")),
            names: names.collect(),
        }
    }

    /// The same counts by holding every pair.
    fn by_hand(reports: &[ReportTruth], groups: &[(String, Vec<String>)]) -> (u64, u64, u64, u64) {
        let whose: BTreeMap<&str, Option<&String>> =
            reports.iter().map(|report| (report.id.as_str(), report.syndicate.as_ref())).collect();
        let mut found = BTreeSet::new();
        for (_, group) in groups {
            for a in group {
                found.extend(group.iter().filter(|&b| a < b).map(|b| (a.clone(), b.clone())));
            }
        }
        let mut wanted = BTreeSet::new();
        for a in reports {
            for b in reports.iter().filter(|b| a.id < b.id && a.syndicate.is_some() && a.syndicate == b.syndicate) {
                if a.names.iter().any(|name| b.names.contains(name)) {
                    wanted.insert((a.id.clone(), b.id.clone()));
                }
            }
        }
        let right = found.iter().filter(|(a, b)| whose[a.as_str()].is_some() && whose[a.as_str()] == whose[b.as_str()]);
        let both = found.intersection(&wanted).count() as u64;
        (wanted.len() as u64, found.len() as u64, right.count() as u64, both)
    }

    #[test]
    fn overlapping_groups_count_each_pair_once_as_if_pairs_were_held() {
        for seed in 0..40 {
            let mut rng = Rng::keyed(seed, "score", 0);
            let reports: Vec<_> = (0..40)
                .map(|at| {
                    let values: Vec<u64> = (0..3).map(|_| rng.below(12)).collect();
                    report(at, rng.below(4), &values)
                })
                .collect();
            let groups: Vec<_> = (0..10)
                .map(|at| {
                    let size = rng.between(2, 25);
                    (format!("g{at}"), (0..size).map(|_| format!("R{}", rng.below(40))).collect::<Vec<_>>())
                })
                .collect();
            let expected = by_hand(&reports, &groups);
            let score = score_groups(&Truth::of(reports), groups);
            let direct = score.direct;
            let got = (direct.pairs_true, direct.pairs_found, direct.pairs_right, direct.pairs_recalled);
            assert_eq!(got, expected, "seed {seed}");
        }
    }

    #[test]
    fn a_hub_that_joins_two_syndicates_costs_all_pairs_across_them_when_joined() {
        let truth = Truth::of([report(1, 1, &[1]), report(2, 1, &[1]), report(3, 2, &[2]), report(4, 2, &[2])]);
        let group = |names: &[&str]| ("g".to_owned(), names.iter().map(|&name| name.to_owned()).collect());
        let clean = score_groups(&truth, [group(&["R1", "R2"]), group(&["f.csv#3", "R4", "stranger"])]);
        assert_eq!((clean.direct.precision, clean.direct.recall, clean.unknown), (1.0, 1.0, 1));
        let hub = score_groups(&truth, [group(&["R1", "R2"]), group(&["R3", "R4"]), group(&["R1", "R3"])]);
        assert_eq!((hub.direct.pairs_found, hub.direct.pairs_right), (3, 2));
        assert_eq!((hub.joined.pairs_found, hub.joined.pairs_right, hub.joined.recall), (6, 2, 1.0));
        assert_eq!(hub.worst.first().map(|wrong| wrong.pairs), Some(1));
    }

    #[test]
    fn a_reference_is_found_in_any_text() {
        let report = ReportTruth { id: "XA-000123".to_owned(), ..report(1, 1, &[]) };
        let truth = Truth::of([report]);
        for text in ["EXERCISE XA-000123", "报案XA-000123。", "2026-01-02 XA-000123\n"] {
            assert_eq!(truth.reference_in(text), Some("XA-000123"), "{text}");
        }
        for text in ["XA-0001234", "XA-00012", "-", "é-1"] {
            assert_eq!(truth.reference_in(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_and_groups_of_two_score_the_same() {
        let truth = Truth::of([report(1, 1, &[1]), report(2, 1, &[1]), report(3, 0, &[])]);
        let owned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let score = score(&truth, [owned("R1", "R2"), owned("R2", "R1"), owned("R1", "R3")]);
        assert_eq!((score.direct.pairs_found, score.direct.pairs_right), (2, 1));
    }
}
