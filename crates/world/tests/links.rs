//! Three linkers of known quality against the truth: the world must be hard for the first and fair to the last.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use world::Plan;
use world::score::{Score, Truth, score_groups};
use world::truth::{Line, MentionTruth, ReportTruth, Role};

fn reports(plan: &Plan) -> Vec<ReportTruth> {
    let dir = tempfile::tempdir().unwrap();
    world::write(plan, dir.path(), &mut |_, _| ()).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(dir.path().join("truth.jsonl")).unwrap());
    let lines = file.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    lines.filter_map(|line| if let Line::Report(report) = line { Some(report) } else { None }).collect()
}

/// Groups the reports by every value they name that passes `keep`, and drops groups over `most`.
fn link(reports: &[ReportTruth], keep: impl Fn(&MentionTruth) -> bool, most: usize) -> Score {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for report in reports {
        for name in report.names.iter().filter(|name| keep(name)) {
            groups.entry(format!("{} {}", name.selector, name.value)).or_default().insert(report.id.clone());
        }
    }
    let found = groups.into_iter().filter(|(_, group)| group.len() <= most);
    let truth = Truth::of(reports.iter().cloned());
    score_groups(&truth, found.map(|(label, group)| (label, group.into_iter().collect::<Vec<_>>())))
}

#[test]
fn the_truth_itself_scores_one_and_joining_everything_scores_low() {
    for seed in 1..=5 {
        let reports = reports(&Plan { seed, objects: 12_000, ..Plan::default() });
        let known = link(&reports, |name| name.role == Role::Genuine, usize::MAX);
        println!("seed {seed} genuine {:?} {:?}", known.direct, known.joined);
        assert_eq!(known.direct.recall, 1.0);
        // The bound on holders that the README states, per syndicate.
        let mut holders: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for report in &reports {
            for name in report.names.iter().filter(|name| name.role == Role::Genuine) {
                *holders.entry((report.syndicate.as_deref().unwrap(), &name.value)).or_default() += 1;
            }
        }
        assert!(holders.into_values().max().unwrap() <= world::rates::GENUINE_HOLDERS);
        // Re-assigned numbers are genuine for both their owners: a pair across them is what is left to lose.
        assert!(known.direct.precision > 0.99, "{known:?}");
        let naive = link(&reports, |_| true, usize::MAX);
        println!("seed {seed} naive {:?}", naive.direct);
        assert!(naive.direct.precision < 0.90, "{naive:?}");
    }
}

#[test]
fn a_linker_with_reference_lists_and_a_bound_on_holders_reaches_the_goal() {
    for seed in 1..=5 {
        // The largest, where hubs are plain to see, once.
        let sizes: &[usize] = if seed == 1 { &[4_000, 12_000, 40_000] } else { &[4_000, 12_000] };
        for &objects in sizes {
            let reports = reports(&Plan { seed, objects, ..Plan::default() });
            // What the lists say is known without the truth; a group larger than any genuine one is a hub.
            let listed = [Role::Hub, Role::Hotline, Role::Placeholder];
            let most = world::rates::GENUINE_HOLDERS as usize;
            let fair = link(&reports, |name| !listed.contains(&name.role), most);
            println!("seed {seed} {objects} {:?} {:?} {:?}", fair.direct, fair.joined, fair.worst.first());
            assert!(fair.direct.precision >= 0.99 && fair.direct.recall >= 0.98, "{seed} {objects} {fair:?}");
        }
    }
}
