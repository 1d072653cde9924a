//! Clusters against naive solutions, on random evidence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use money::cluster::{
    Attribution, Book, Class, Clusters, Error, Evidence, Exclusion, Link, Rule, SpendFiles, Spends, Step, Witness,
    contradictions, crc32, naming, weakest,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const ADDRESSES: u32 = 24;

#[derive(Clone, Debug)]
struct Given {
    offsets: Vec<u64>,
    inputs: Vec<u32>,
    links: Vec<Link>,
    off: Vec<u32>,
}

impl Given {
    fn evidence(&self) -> Evidence<'_> {
        let mut evidence = Evidence::new(Spends::new(&self.offsets, &self.inputs, ADDRESSES).unwrap());
        evidence.links = self.links.clone();
        evidence.off = self.off.iter().copied().collect();
        evidence
    }
}

fn given() -> impl Strategy<Value = Given> {
    let transactions = prop::collection::vec(prop::collection::vec(0..ADDRESSES, 0..5), 1..16);
    let rule = prop::sample::select(vec![Rule::SignedOwnership, Rule::Controls, Rule::Tag, Rule::Manual]);
    let links = prop::collection::vec((0..ADDRESSES, 0..ADDRESSES, rule, 0..3_u32), 0..5);
    (transactions, links, prop::collection::vec(0..16_u32, 0..3)).prop_map(|(transactions, links, off)| {
        let (mut offsets, mut inputs) = (vec![0], Vec::new());
        for t in transactions {
            inputs.extend(t);
            offsets.push(inputs.len() as u64);
        }
        let links = links.into_iter().map(|(a, b, rule, source)| Link { a, b, rule, source }).collect();
        Given { offsets, inputs, links, off }
    })
}

/// Every address carries the smallest label it can reach, found by repetition.
fn naive(evidence: &Evidence<'_>) -> Vec<u32> {
    let mut labels: Vec<u32> = (0..evidence.spends.addresses()).collect();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for t in (0..evidence.spends.transactions()).filter(|&t| evidence.spend_on(t)) {
        groups.push(evidence.spends.of(t).unwrap().to_vec());
    }
    groups.extend((0..evidence.links.len() as u32).filter_map(|n| evidence.link_on(n).map(|l| vec![l.a, l.b])));
    loop {
        let before = labels.clone();
        for group in groups.iter().filter(|g| !g.is_empty()) {
            let least = group.iter().map(|&a| labels[a as usize]).min().unwrap();
            group.iter().for_each(|&a| labels[a as usize] = least);
        }
        if labels == before {
            return labels;
        }
    }
}

fn true_step(evidence: &Evidence<'_>, step: &Step) -> bool {
    let ends = BTreeSet::from([step.from, step.to]);
    match step.witness {
        Witness::Spend { transaction, input } => {
            let start = u64::from(evidence.spends.start(transaction).unwrap());
            let spent = evidence.spends.of(transaction).unwrap();
            let inside = (start..start + spent.len() as u64).contains(&u64::from(input));
            evidence.spend_on(transaction)
                && inside
                && ends.iter().all(|e| spent.contains(e))
                && step.rule == Rule::MultiInput
        }
        Witness::Link(number) => {
            evidence.link_on(number).is_some_and(|l| BTreeSet::from([l.a, l.b]) == ends && l.rule == step.rule)
        }
    }
}

fn is_path(evidence: &Evidence<'_>, steps: &[Step], a: u32, b: u32) -> bool {
    let ends = steps.first().map_or(a, |s| s.from) == a && steps.last().map_or(a, |s| s.to) == b;
    ends && steps.windows(2).all(|w| w[0].to == w[1].from) && steps.iter().all(|s| true_step(evidence, s))
}

/// Fewest witnesses between two addresses, by widening a set.
fn distance(evidence: &Evidence<'_>, a: u32, b: u32) -> usize {
    let (mut known, mut n) = (BTreeSet::from([a]), 0);
    while !known.contains(&b) {
        let spends = (0..evidence.spends.transactions()).filter(|&t| evidence.spend_on(t));
        let groups = spends.map(|t| evidence.spends.of(t).unwrap().to_vec());
        let links = (0..evidence.links.len() as u32).filter_map(|n| evidence.link_on(n).map(|l| vec![l.a, l.b]));
        let wider: BTreeSet<u32> =
            groups.chain(links).filter(|g| g.iter().any(|x| known.contains(x))).flatten().collect();
        known.extend(wider);
        n += 1;
    }
    n
}

/// The best weakest class any chain between two addresses can have.
fn best_weakest(evidence: &Evidence<'_>, a: u32, b: u32) -> Option<Class> {
    let classes = [Class::Recorded, Class::Bound, Class::Inferred, Class::Attributed, Class::Asserted];
    classes.into_iter().find(|&most| {
        let mut part = evidence.clone();
        for rule in [Rule::SignedOwnership, Rule::Controls, Rule::MultiInput, Rule::Tag, Rule::Manual] {
            if rule.class() > most {
                part.rules_off.insert(rule);
            }
        }
        let labels = naive(&part);
        labels[a as usize] == labels[b as usize]
    })
}

fn by_hand(a: u32, b: u32) -> Link {
    Link { a, b, rule: Rule::Manual, source: 9 }
}

fn pairs(clusters: &Clusters) -> Vec<(u32, u32)> {
    let all = (0..ADDRESSES).flat_map(|a| (0..a).map(move |b| (a, b)));
    all.filter(|&(a, b)| clusters.label(a) == clusters.label(b)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn labels_equal_a_naive_solution_and_each_union_has_one_witness(given in given()) {
        let evidence = given.evidence();
        let clusters = Clusters::solve(&evidence).unwrap();
        prop_assert_eq!(clusters.labels(), naive(&evidence));
        let distinct: BTreeSet<u32> = clusters.labels().iter().copied().collect();
        prop_assert_eq!(clusters.count() as usize, distinct.len());
        prop_assert_eq!(clusters.witnesses(), ADDRESSES - clusters.count());
        prop_assert_eq!(clusters.recheck(&evidence), 0);
    }

    #[test]
    fn each_witness_joins_what_it_says_and_none_is_idle(given in given()) {
        let evidence = given.evidence();
        let clusters = Clusters::solve(&evidence).unwrap();
        let mut labels: Vec<u32> = (0..ADDRESSES).collect();
        let spends = clusters.spend_log().iter().map(|&i| {
            let (transaction, first, second) = evidence.spends.witness(i).unwrap();
            assert!(evidence.spend_on(transaction));
            (first, second)
        });
        let links = clusters.link_log().iter().map(|&l| { let l = evidence.link_on(l).unwrap(); (l.a, l.b) });
        for (a, b) in spends.chain(links) {
            let (a, b) = (labels[a as usize], labels[b as usize]);
            prop_assert_ne!(a, b);
            labels.iter_mut().filter(|l| **l == a.max(b)).for_each(|l| *l = a.min(b));
        }
        prop_assert_eq!(clusters.labels(), labels);
    }

    #[test]
    fn why_gives_the_chain_with_the_best_weakest_link_and_a_shortest_path(given in given()) {
        let book = Book::open(given.evidence()).unwrap();
        for (a, b) in pairs(book.clusters()) {
            let why = book.why(a, b).unwrap();
            prop_assert!(is_path(book.evidence(), &why.chain, a, b));
            prop_assert_eq!(why.class, weakest(&why.chain));
            prop_assert_eq!(why.class, best_weakest(book.evidence(), a, b));
            let shortest = why.shortest.unwrap();
            prop_assert!(is_path(book.evidence(), &shortest, a, b));
            prop_assert_eq!(shortest.len(), distance(book.evidence(), a, b));
        }
    }

    #[test]
    fn undo_equals_solving_from_scratch_without_it_and_taking_it_back_restores_all(
        given in given(),
        what in prop::collection::vec((0..4_u8, 0..16_u32), 1..5),
    ) {
        let mut book = Book::open(given.evidence()).unwrap();
        let start = book.clusters().clone();
        let mut done = Vec::new();
        for (kind, number) in what {
            let rules = [Rule::MultiInput, Rule::Controls, Rule::Tag, Rule::Manual];
            let exclusion = match kind {
                0 => Exclusion::Transaction(number),
                1 => Exclusion::Link(number),
                2 => Exclusion::Tag(number % 3),
                _ => Exclusion::Rule(rules[number as usize % 4]),
            };
            if let Ok(effect) = book.exclude(&[exclusion]) {
                done.push(exclusion);
                prop_assert!(effect.after.len() >= effect.before.len());
            }
            prop_assert_eq!(book.clusters(), &Clusters::solve(book.evidence()).unwrap());
            for (a, b) in pairs(book.clusters()) {
                let why = book.why(a, b).unwrap();
                prop_assert!(is_path(book.evidence(), &why.chain, a, b));
            }
        }
        for exclusion in done {
            book.include(&[exclusion]).unwrap();
        }
        prop_assert_eq!(book.clusters(), &start);
    }

    #[test]
    fn a_cut_separates_and_no_smaller_list_does(given in given()) {
        let book = Book::open(given.evidence()).unwrap();
        for (a, b) in pairs(book.clusters()).into_iter().take(3) {
            let cut = book.separate(a, b).unwrap();
            prop_assert!(cut.fewest);
            let mut split = book.clone();
            split.exclude(&cut.without).unwrap();
            prop_assert_ne!(split.clusters().label(a), split.clusters().label(b));
            for left_out in 0..cut.without.len() {
                let mut less = cut.without.clone();
                less.remove(left_out);
                let mut split = book.clone();
                split.exclude(&less).unwrap();
                prop_assert_eq!(split.clusters().label(a), split.clusters().label(b));
            }
            prop_assert!(!separable(book.evidence(), a, b, cut.without.len() - 1));
        }
    }

    #[test]
    fn a_manual_merge_unites_as_asserted(given in given(), a in 0..ADDRESSES, b in 0..ADDRESSES) {
        let mut book = Book::open(given.evidence()).unwrap();
        let apart = book.clusters().label(a) != book.clusters().label(b);
        book.merge(by_hand(a, b)).unwrap();
        prop_assert_eq!(book.clusters(), &Clusters::solve(book.evidence()).unwrap());
        let why = book.why(a, b).unwrap();
        prop_assert_eq!(why.class, if apart { Some(Class::Asserted) } else { best_weakest(book.evidence(), a, b).filter(|_| a != b) });
    }

    #[test]
    fn what_a_rule_says_anew_is_solved_as_if_it_had_never_said_anything_else(
        given in given(),
        anew in prop::collection::vec((0..ADDRESSES, 0..ADDRESSES, 0..3_u32), 0..5),
    ) {
        let mut book = Book::open(given.evidence()).unwrap();
        let start = book.clusters().labels().to_vec();
        let links: Vec<Link> = anew.into_iter().map(|(a, b, source)| Link { a, b, rule: Rule::Controls, source }).collect();
        book.restate(Rule::Controls, &links).unwrap();
        prop_assert_eq!(book.clusters(), &Clusters::solve(book.evidence()).unwrap());
        let mut fresh = given.evidence();
        fresh.links.retain(|link| link.rule != Rule::Controls);
        fresh.links.extend(links);
        let solved = Clusters::solve(&fresh).unwrap();
        prop_assert_eq!(book.clusters().labels(), solved.labels());
        for (a, b) in pairs(book.clusters()) {
            prop_assert_eq!(book.why(a, b).unwrap().class, best_weakest(&fresh, a, b));
        }
        let before: Vec<Link> = given.links.iter().copied().filter(|link| link.rule == Rule::Controls).collect();
        book.restate(Rule::Controls, &before).unwrap();
        prop_assert_eq!(book.clusters().labels(), start);
    }
}

/// Whether some list of so many transactions and links separates two addresses; all are tried.
fn separable(evidence: &Evidence<'_>, a: u32, b: u32, by: usize) -> bool {
    fn try_from(evidence: &Evidence<'_>, a: u32, b: u32, by: usize, from: u32) -> bool {
        let labels = Clusters::solve(evidence).unwrap();
        if labels.label(a) != labels.label(b) {
            return true;
        }
        let transactions = evidence.spends.transactions();
        by > 0
            && (from..transactions + evidence.links.len() as u32).any(|n| {
                let mut less = evidence.clone();
                let fresh = match n.checked_sub(transactions) {
                    None => less.off.insert(n),
                    Some(link) => less.links_off.insert(link),
                };
                fresh && try_from(&less, a, b, by - 1, n + 1)
            })
    }
    try_from(evidence, a, b, by, 0)
}

fn chain_of_three() -> Given {
    let links = vec![Link { a: 0, b: 1, rule: Rule::Controls, source: 0 }];
    Given { offsets: vec![0, 2, 4, 6], inputs: vec![0, 1, 1, 2, 3, 4], links, off: vec![2] }
}

#[test]
fn a_transaction_whose_shape_forbids_merging_stays_off_when_a_person_includes_it() {
    let given = chain_of_three();
    let mut book = Book::open(given.evidence()).unwrap();
    assert_ne!(book.clusters().label(3), book.clusters().label(4));
    book.include(&[Exclusion::Transaction(2)]).unwrap();
    assert_ne!(book.clusters().label(3), book.clusters().label(4));
}

#[test]
fn the_stronger_class_proves_what_two_classes_say() {
    let given = chain_of_three();
    let why = Book::open(given.evidence()).unwrap().why(0, 1).unwrap();
    assert_eq!((why.chain.len(), why.class), (1, Some(Class::Bound)));
}

#[test]
fn what_nobody_has_is_refused_and_nothing_changes() {
    let given = chain_of_three();
    let mut book = Book::open(given.evidence()).unwrap();
    let before = book.clusters().clone();
    for what in [Exclusion::Transaction(99), Exclusion::Link(7), Exclusion::Tag(5)] {
        assert!(matches!(book.exclude(&[what]), Err(Error::Absent(..))));
    }
    assert!(matches!(book.merge(by_hand(0, ADDRESSES)), Err(Error::Address(..))));
    assert!(matches!(book.why(0, 3), Err(Error::Different(0, 3))));
    assert!(matches!(book.separate(2, 2), Err(Error::Different(2, 2))));
    assert_eq!(book.clusters(), &before);
}

#[test]
fn broken_columns_are_refused_with_their_place() {
    assert!(matches!(Spends::new(&[0, 3], &[0, 1], 2), Err(Error::Torn(0))));
    let torn = Spends::new(&[0, 5, 2], &[0, 1], 2).unwrap();
    assert!(matches!(Clusters::solve(&Evidence::new(torn)), Err(Error::Torn(_))));
    let unknown = Spends::new(&[0, 2], &[0, 9], 2).unwrap();
    assert!(matches!(Clusters::solve(&Evidence::new(unknown)), Err(Error::Address(9, 2))));
    assert!(matches!(Book::open(Evidence::new(unknown)), Err(Error::Address(9, 2))));
}

#[test]
fn files_are_read_in_place_and_give_the_checksum_of_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(SpendFiles::open(folder.path()), Err(Error::Read(..))));
    let bytes = |values: &[u64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    std::fs::write(folder.path().join("offsets.u64.bin"), bytes(&[0, 2, 3, 5])).unwrap();
    let inputs: Vec<u8> = [0_u32, 1, 2, 2, 3].iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(folder.path().join("inputs.u32.bin"), &inputs).unwrap();
    let files = SpendFiles::open(folder.path()).unwrap();
    let clusters = Clusters::solve(&Evidence::new(files.spends(None).unwrap())).unwrap();
    assert_eq!(clusters.labels(), [0, 0, 2, 2]);
    // zlib.crc32 of 00000000 00000000 02000000 02000000
    assert_eq!(crc32(clusters.labels()), 0x0497_84A3);
    std::fs::write(folder.path().join("inputs.u32.bin"), &inputs[..19]).unwrap();
    let files = SpendFiles::open(folder.path()).unwrap();
    assert!(matches!(files.spends(None), Err(Error::Size(_))));
}

#[test]
fn a_cluster_that_holds_two_parties_is_listed_and_gets_no_name() {
    let given = chain_of_three();
    let clusters = Clusters::solve(&given.evidence()).unwrap();
    let said =
        |address, party| Attribution { address, party, coinjoin: false, defines_cluster: true, unnamed_chain: false };
    let all = [said(0, 1), said(2, 2), said(1, 2), said(3, 3), said(ADDRESSES, 4)];
    let found = contradictions(&clusters, &all);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].cluster, found[0].parties.clone()), (0, vec![(1, 0), (2, 1)]));
    assert_eq!(naming(&clusters, &all), BTreeMap::from([(3, 3)]));
}

#[test]
fn a_coinjoins_tag_never_names_a_cluster_and_is_no_party() {
    let given = chain_of_three();
    let clusters = Clusters::solve(&given.evidence()).unwrap();
    let user = Attribution { address: 0, party: 8, coinjoin: true, defines_cluster: true, unnamed_chain: false };
    let owner = Attribution { address: 1, party: 1, coinjoin: false, defines_cluster: true, unnamed_chain: false };
    assert!(contradictions(&clusters, &[user, owner]).is_empty());
    assert!(naming(&clusters, &[user]).is_empty());
    assert_eq!(naming(&clusters, &[user, owner]), BTreeMap::from([(0, 1)]));
}
