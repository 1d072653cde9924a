//! Decisions about clusters: what parts two addresses, what a decision may say, and what all of them come to (EXERCISE).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::ask::{Decision, DecisionBody, Deed, View, Witnessed, undone, with_view};
use money::chain::{ChainCode, Network, Room, address_text};
use money::columns::*;
use money::tags::{Job, Source, Tags};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;

const CHAIN: &str = "evm-31337";
const COINS: &str = "btc-regtest";

fn decision(number: u64, chain: &str, deed: Deed) -> Decision {
    let body = DecisionBody { chain: chain.into(), reason: "EXERCISE".into(), deed };
    Decision { number, id: String::new(), author: "EXERCISE".into(), when: String::new(), undone_by: None, body }
}

fn tags_of(dir: &Path) -> Tags {
    Tags::open(dir).unwrap()
}

fn view<T>(dir: &Path, chain: &str, deeds: &[Deed], ask: impl FnOnce(&mut View<'_>) -> T) -> T {
    let decisions: Vec<Decision> =
        (1..).zip(deeds).map(|(number, deed)| decision(number, chain, deed.clone())).collect();
    let (room, code, tags) = (Room::open(dir), ChainCode::parse(chain).unwrap(), tags_of(dir));
    with_view(&room, &code, (&tags, &|_| true), &decisions, |view| Ok(ask(view))).unwrap()
}

fn together(view: &View<'_>, a: &str, b: &str) -> bool {
    let label = |text| view.book.clusters().label(view.chain.address(text).unwrap());
    label(a) == label(b)
}

fn exclude(what: Witnessed) -> Deed {
    Deed::Exclude { what }
}

fn include(what: Witnessed) -> Deed {
    Deed::Include { what }
}

fn refused(view: &View<'_>, deed: &Deed, why: &str) {
    let error = view.allows(deed).unwrap_err().to_string();
    assert!(error.contains(why), "{deed:?}: {error}");
}

/// One transaction of accounts: signer, transfers of the coin (from, to, amount), records of control.
#[derive(Clone, Debug, Default)]
struct Made {
    signer: u8,
    moves: Vec<(u8, u8, u64)>,
    controls: Vec<(ControlKind, u8, Option<u8>, u32)>,
}

fn account(n: u8) -> String {
    format!("0x{}", hex::encode([n + 1; 20]))
}

/// Transaction `n` of the list, the first of the chain's being a naming of accounts.
fn tx(n: u8) -> Witnessed {
    Witnessed::Transaction(format!("0x{}", hex::encode([n + 1; 32])))
}

const ACCOUNTS: u8 = 12;

fn accounts(dir: &Path, txs: &[Made]) {
    let mut chain = Accounts::open(&dir.join(CHAIN), Mode::Write).unwrap();
    let naming = Made { moves: (0..ACCOUNTS).map(|n| (n, n, 0)).collect(), ..Made::default() };
    let mut parent = [0; 32];
    for (height, tx) in (0u8..).zip(std::iter::once(&naming).chain(txs)) {
        let mut block = TransferBlock { time: 1_000 + 60 * u32::from(height), ..TransferBlock::default() };
        let key = |block: &mut TransferBlock, n: u8| block.key(&[n + 1; 20]);
        let (signer, id) = (key(&mut block, tx.signer), block.key(&[height; 32]));
        let transfers = tx.moves.len() as u32;
        let flags = TxFlags::default();
        block.txs.push(TransferTx { id, time: block.time, transfers, place: Some(0), signer, flags });
        for &(from, to, amount) in &tx.moves {
            let (from, to, asset) = (key(&mut block, from), key(&mut block, to), block.key(b"COIN"));
            let amount = Amount::from(u128::from(amount));
            block.transfers.push(NewTransfer { from, to, asset, amount, ..NewTransfer::default() });
        }
        for &(kind, account, other, weight) in &tx.controls {
            let account = key(&mut block, account);
            let other = other.map(|other| key(&mut block, other)).unwrap_or_default();
            block.controls.push(NewControl { tx: 0, kind, account, other, weight });
        }
        let hash = [height + 1; 32];
        block.head = Some(Head { height: u64::from(height), hash, parent });
        parent = hash;
        chain.append(&block).unwrap();
    }
    chain.commit(true).unwrap();
}

/// Account 1 says that key 2 alone may act.
fn permits() -> Made {
    let controls = vec![(ControlKind::Anew, 1, None, 1), (ControlKind::Owner, 1, Some(2), 1)];
    Made { signer: 2, controls, ..Made::default() }
}

fn pays(signer: u8, from: u8, to: u8, amount: u64) -> Made {
    Made { signer, moves: vec![(from, to, amount)], ..Made::default() }
}

#[test]
fn a_permission_that_was_stated_twice_is_parted_by_both_statements_and_by_no_one_of_them() {
    let dir = tempfile::tempdir().unwrap();
    accounts(dir.path(), &[permits(), permits(), pays(2, 1, 3, 5)]);
    let (a, b) = (account(1), account(2));
    let found = view(dir.path(), CHAIN, &[], |view| {
        assert!(together(view, &a, &b));
        let found = view.apart(&a, &b).unwrap();
        assert!(together(view, &a, &b), "looking changes nothing");
        found
    });
    assert_eq!((found.without.clone(), found.fewest), (vec![tx(0), tx(1)], false));
    let split = Deed::Split { a: a.clone(), b: b.clone(), without: found.without };
    assert!(!view(dir.path(), CHAIN, &[split], |view| together(view, &a, &b)));
    for one in [tx(0), tx(1)] {
        assert!(view(dir.path(), CHAIN, &[exclude(one)], |view| together(view, &a, &b)));
    }
}

#[test]
fn of_two_statements_the_one_under_which_money_left_is_enough_and_that_is_the_fewest() {
    let dir = tempfile::tempdir().unwrap();
    accounts(dir.path(), &[permits(), pays(2, 1, 3, 5), permits()]);
    let found = view(dir.path(), CHAIN, &[], |view| view.apart(&account(1), &account(2)).unwrap());
    assert_eq!((found.without, found.fewest), (vec![tx(0)], true));
}

#[test]
fn a_merge_by_hand_beside_a_permission_is_among_what_parts_them() {
    let dir = tempfile::tempdir().unwrap();
    accounts(dir.path(), &[permits(), pays(2, 1, 3, 5)]);
    let (a, b) = (account(1), account(2));
    let merge = Deed::Merge { a: a.clone(), b: b.clone() };
    let found = view(dir.path(), CHAIN, std::slice::from_ref(&merge), |view| view.apart(&a, &b).unwrap());
    assert_eq!(found.without, [tx(0), Witnessed::Decision(1)]);
    let split = Deed::Split { a: a.clone(), b: b.clone(), without: found.without };
    assert!(!view(dir.path(), CHAIN, &[merge.clone(), split.clone()], |view| together(view, &a, &b)));
    let again = [merge, split, include(Witnessed::Decision(1))];
    let (joined, broken) =
        view(dir.path(), CHAIN, &again, |view| (together(view, &a, &b), view.broken().map(|(n, ..)| n).collect()));
    assert_eq!((joined, broken), (true, vec![2]), "a split that something joins again is told");
}

const PACK: &str = "title: EXERCISE pack\ncreator: EXERCISE bureau\nconfidence: forensic\nsource: https://tags.example/\n\
    label: EXERCISE exchange\ncategory: exchange\ncurrency: CURRENCY\ntags:\n- address: 'ADDRESS'\n";

fn tagged(dir: &Path, name: &str, currency: &str, address: &str) -> u64 {
    let file = dir.join(name);
    std::fs::write(&file, PACK.replace("CURRENCY", currency).replace("ADDRESS", address)).unwrap();
    let job = Job {
        file,
        source: Source::TagPack,
        uri: None,
        author: None,
        collection: None,
        marking: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut tags = Tags::open_to_write(dir).unwrap();
    tags.load(&job, &mut |_| ControlFlow::Continue(())).unwrap().batch.unwrap().id
}

#[test]
fn an_excluded_batch_of_tags_keeps_neither_its_names_nor_its_services() {
    let dir = tempfile::tempdir().unwrap();
    accounts(dir.path(), &[pays(5, 5, 1, 900), pays(1, 1, 7, 900)]);
    let batch = tagged(dir.path(), "EXERCISE-one.yaml", "USDT", &account(7));
    let told = |deeds: &[Deed]| {
        view(dir.path(), CHAIN, deeds, |view| {
            let parties = view.of(&account(7), (0, 9)).unwrap().parties;
            (view.summary(CHAIN).customers, parties.iter().map(|one| one.unnamed_chain).collect::<Vec<_>>())
        })
    };
    assert_eq!(told(&[]), (1, vec![true]), "a tag that names no chain counts, and says that it names none");
    let off = exclude(Witnessed::Tags(batch));
    assert_eq!(told(std::slice::from_ref(&off)), (0, vec![]));
    assert_eq!(told(&[off, include(Witnessed::Tags(batch))]), (1, vec![true]));
}

#[test]
fn a_tag_of_another_chain_of_its_kind_says_nothing_of_this_one() {
    let dir = tempfile::tempdir().unwrap();
    accounts(dir.path(), &[pays(5, 5, 1, 900)]);
    tagged(dir.path(), "EXERCISE-one.yaml", "ETH", &account(1));
    assert!(view(dir.path(), CHAIN, &[], |view| view.of(&account(1), (0, 9)).unwrap().parties.is_empty()));
}

/// A transaction of coins: the outputs that it spends (transaction, place), and whom it pays how much.
struct Spend(Vec<(u8, u32)>, Vec<(u8, u64)>);

fn coin(n: u8) -> String {
    address_text(&[&[1][..], &[n; 20]].concat(), Network::Regtest).unwrap()
}

fn coin_tx(n: u8) -> Witnessed {
    Witnessed::Transaction(hex::encode([n + 1; 32]))
}

fn coins(dir: &Path, txs: &[Spend]) {
    let mut chain = Utxo::open(&dir.join(COINS), Mode::Write).unwrap();
    let mut parent = [0; 32];
    for (height, Spend(from, to)) in (0u8..).zip(txs) {
        let mut block = Block { time: 1_000 + u32::from(height), ..Block::default() };
        for &(tx, vout) in from {
            let value = Some(txs[tx as usize].1[vout as usize].1);
            let prevout = Prevout { id: [tx + 1; 32], vout };
            block.inputs.push(Input { prevout, value, key: Span::default(), origin: Origin::Unknown });
        }
        for &(address, value) in to {
            let key = block.key(&[&[1], &[address; 20]]);
            block.outputs.push(Output { value, key });
        }
        let flags = if from.is_empty() { Flags::COINBASE } else { Flags::default() };
        let (inputs, outputs) = (from.len() as u32, to.len() as u32);
        block.txs.push(Tx { id: [height + 1; 32], flags, weight: 400, inputs, outputs });
        let hash = [height + 101; 32];
        block.head = Some(Head { height: u64::from(height), hash, parent });
        parent = hash;
        chain.append(&block).unwrap();
    }
    chain.commit(true).unwrap();
}

/// 0 makes coins; 1 and 2 spend addresses 1 and 2 together; 3 is of a CoinJoin's shape; 4 spends one address.
fn cospent() -> Vec<Spend> {
    let first: Vec<(u8, u64)> = [1, 2, 1, 2, 11, 12, 13, 14, 15, 21].into_iter().map(|n| (n, 1_000_100)).collect();
    vec![
        Spend(vec![], first),
        Spend(vec![(0, 0), (0, 1)], vec![(30, 2_000_000)]),
        Spend(vec![(0, 2), (0, 3)], vec![(31, 1_500_000), (32, 500_000)]),
        Spend((4..9).map(|vout| (0, vout)).collect(), (41..46).map(|n| (n, 1_000_000)).collect()),
        Spend(vec![(0, 9)], vec![(22, 600_000), (23, 400_000)]),
    ]
}

#[test]
fn a_decision_that_would_do_nothing_is_refused_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    coins(dir.path(), &cospent());
    let merge = Deed::Merge { a: coin(21), b: coin(22) };
    view(dir.path(), COINS, &[], |view| {
        refused(view, &include(coin_tx(3)), "shape");
        refused(view, &exclude(coin_tx(3)), "shape");
        refused(view, &include(coin_tx(1)), "no decision excludes");
        refused(view, &exclude(coin_tx(4)), "no two addresses");
        refused(view, &exclude(coin_tx(99)), "not on record");
        refused(view, &exclude(Witnessed::Tags(7)), "there is none");
        refused(view, &include(Witnessed::Tags(7)), "no decision excludes");
        refused(view, &exclude(Witnessed::Decision(7)), "no decision 7");
        refused(view, &include(Witnessed::Decision(7)), "no decision 7");
        refused(view, &exclude(Witnessed::Rule("tag".into())), "unites nothing");
        refused(view, &include(Witnessed::Rule("multi-input".into())), "no decision excludes");
        refused(view, &Deed::Change { transaction: name(coin_tx(4)), output: 9 }, "no such output");
        for good in [
            merge.clone(),
            exclude(coin_tx(1)),
            exclude(Witnessed::Rule("multi-input".into())),
            Deed::Change { transaction: name(coin_tx(4)), output: 1 },
        ] {
            view.allows(&good).unwrap();
        }
    });
    let stand = [merge.clone(), exclude(coin_tx(1)), exclude(Witnessed::Rule("multi-input".into()))];
    view(dir.path(), COINS, &stand, |view| {
        refused(view, &merge, "decision 1 says so already");
        refused(view, &Deed::Merge { a: coin(22), b: coin(21) }, "decision 1 says so already");
        refused(view, &exclude(coin_tx(1)), "excluded already");
        refused(view, &exclude(Witnessed::Rule("multi-input".into())), "excluded already");
        refused(view, &include(Witnessed::Decision(1)), "was not undone");
        view.allows(&exclude(Witnessed::Decision(1))).unwrap();
        view.allows(&include(coin_tx(1))).unwrap();
    });
}

fn name(what: Witnessed) -> String {
    match what {
        Witnessed::Transaction(id) => id,
        other => panic!("{other} is no transaction"),
    }
}

#[test]
fn addresses_that_two_transactions_spend_together_need_both_and_no_list_is_shorter() {
    let dir = tempfile::tempdir().unwrap();
    coins(dir.path(), &cospent());
    let found = view(dir.path(), COINS, &[], |view| view.apart(&coin(1), &coin(2)).unwrap());
    assert_eq!((found.without, found.fewest), (vec![coin_tx(1), coin_tx(2)], true));
    let apart = view(dir.path(), COINS, &[], |view| view.apart(&coin(11), &coin(12)).unwrap_err().to_string());
    assert!(apart.contains("different clusters"), "{apart}");
}

#[test]
fn any_decision_can_be_undone_and_an_undoing_too() {
    let dir = tempfile::tempdir().unwrap();
    coins(dir.path(), &cospent());
    let joined = |deeds: &[Deed]| view(dir.path(), COINS, deeds, |view| together(view, &coin(1), &coin(2)));
    let split = Deed::Split { a: coin(1), b: coin(2), without: vec![coin_tx(1), coin_tx(2)] };
    let undo = |number| exclude(Witnessed::Decision(number));
    assert!(!joined(std::slice::from_ref(&split)));
    assert!(joined(&[split.clone(), undo(1)]));
    assert!(!joined(&[split.clone(), undo(1), undo(2)]), "the undoing does not count any more");
    assert!(!joined(&[split.clone(), undo(1), include(Witnessed::Decision(1))]));
    assert!(joined(&[split, undo(1), undo(2), undo(3)]));
}

#[test]
fn a_decision_never_speaks_of_one_that_comes_after_it() {
    let of = |deeds: Vec<Deed>| {
        let all: Vec<Decision> = (1..).zip(deeds).map(|(number, deed)| decision(number, COINS, deed)).collect();
        undone(&all).into_iter().collect::<Vec<_>>()
    };
    let undo = |number| exclude(Witnessed::Decision(number));
    assert_eq!(of(vec![undo(2), undo(1)]), [(1, 2)]);
    assert_eq!(of(vec![undo(1)]), [], "nor of itself");
    assert_eq!(of(vec![undo(9), undo(1), include(Witnessed::Decision(1))]), []);
}

fn any_tx() -> impl Strategy<Value = Made> {
    use ControlKind::{Anew, Owner};
    let who = || 0..ACCOUNTS;
    let records = prop::sample::select(vec![ControlKind::Made, Anew, Owner, Owner, Owner, ControlKind::Admin]);
    let controls = prop::collection::vec((records, who(), prop::option::weighted(0.9, who()), 1..2_u32), 0..4);
    (who(), prop::collection::vec((who(), who(), 1..9_u64), 0..2), controls).prop_map(
        |(signer, mut moves, controls)| {
            moves.iter_mut().for_each(|one| one.0 = signer);
            Made { signer, moves, controls }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is proposed parts them when everything is solved anew with it; one alone is told to be the fewest, and of more each is needed.
    #[test]
    fn the_witnesses_that_are_told_part_two_accounts(txs in prop::collection::vec(any_tx(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        accounts(dir.path(), &txs);
        let found = view(dir.path(), CHAIN, &[], |view| {
            let pairs = (0..ACCOUNTS).flat_map(|a| (0..a).map(move |b| (account(a), account(b))));
            let joined = pairs.filter(|(a, b)| together(view, a, b)).take(3).collect::<Vec<_>>();
            let labels = view.book.clusters().labels().to_vec();
            let found: Vec<_> = joined.into_iter().map(|(a, b)| { let part = view.apart(&a, &b).unwrap(); (a, b, part) }).collect();
            assert_eq!(view.book.clusters().labels(), labels, "looking changes nothing");
            found
        });
        for (a, b, part) in found {
            let split = |without: Vec<Witnessed>| Deed::Split { a: a.clone(), b: b.clone(), without };
            let joined = |without| view(dir.path(), CHAIN, &[split(without)], |view| together(view, &a, &b));
            prop_assert!(!joined(part.without.clone()));
            prop_assert_eq!(part.fewest, part.without.len() == 1);
            for left_out in 0..part.without.len() {
                let mut less = part.without.clone();
                less.remove(left_out);
                prop_assert!(joined(less));
            }
        }
    }

    /// Excluding equals solving a chain anew without it, whatever the order, and taking all back restores everything.
    #[test]
    fn taking_all_exclusions_back_restores_the_clusters(txs in prop::collection::vec(any_tx(), 1..30), out in prop::collection::btree_set(0..30_u8, 1..5)) {
        let dir = tempfile::tempdir().unwrap();
        accounts(dir.path(), &txs);
        let off: Vec<Deed> = out.iter().filter(|n| usize::from(**n) < txs.len()).map(|n| exclude(tx(*n))).collect();
        let labels = |deeds: &[Deed]| view(dir.path(), CHAIN, deeds, |view| view.book.clusters().labels().to_vec());
        let undo = (1..=off.len() as u64).map(|number| exclude(Witnessed::Decision(number)));
        let all: Vec<Deed> = off.iter().cloned().chain(undo).collect();
        prop_assert_eq!(labels(&[]), labels(&all));
        let backwards: Vec<Deed> = off.iter().rev().cloned().collect();
        prop_assert_eq!(labels(&off), labels(&backwards));
    }
}
