//! Relations of accounts: what unites, what does not, and that every conclusion is borne out by the record (EXERCISE).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::cluster::accounts::{Derived, Excluded, Known, Missing, Params, Pooled, derive, recheck};
use money::cluster::{Attribution, Book, Evidence, Exclusion, Link, Rule, Spends};
use money::columns::*;
use money::tags::TagEvidence;
use proptest::prelude::*;
use std::collections::BTreeSet;

const COIN: &[u8] = b"COIN";
const TOKEN: &[u8] = b"token";
/// Accounts of a made chain; each has its number from the first block on.
const ACCOUNTS: u8 = 24;

/// One transaction: signer, transfers (from, to, asset, amount, kind), records of control (kind, account, other, weight).
#[derive(Clone, Debug, Default)]
struct Made {
    signer: u8,
    moves: Vec<(u8, u8, &'static [u8], u64, Kind)>,
    controls: Vec<(ControlKind, u8, Option<u8>, u32)>,
}

struct Chain {
    _dir: tempfile::TempDir,
    accounts: Accounts,
}

impl Chain {
    /// Transaction `n` of the list is transaction `n + 1` of the chain, a minute after the one before.
    fn of(txs: &[Made]) -> Chain {
        let dir = tempfile::tempdir().unwrap();
        let mut accounts = Accounts::open(&dir.path().join("made"), Mode::Write).unwrap();
        // Payments of nothing give every account its number, whatever follows.
        let naming =
            Made { moves: (0..ACCOUNTS).map(|n| (n, n, TOKEN, 0, Kind::Transfer)).collect(), ..Made::default() };
        let mut parent = [0; 32];
        for (height, tx) in (0..).zip(std::iter::once(&naming).chain(txs)) {
            let mut block = TransferBlock { time: 1_000 + 60 * height, ..TransferBlock::default() };
            let key = |block: &mut TransferBlock, n: u8| block.key(&[n + 1; 20]);
            let signer = key(&mut block, tx.signer);
            let id = block.key(&height.to_be_bytes());
            let transfers = tx.moves.len() as u32;
            let flags = TxFlags::default();
            block.txs.push(TransferTx { id, time: block.time, transfers, place: Some(0), signer, flags });
            for &(from, to, asset, amount, kind) in &tx.moves {
                let (from, to, asset) = (key(&mut block, from), key(&mut block, to), block.key(asset));
                let amount = Amount::from(u128::from(amount));
                block.transfers.push(NewTransfer { from, to, asset, amount, kind, ..NewTransfer::default() });
            }
            for &(kind, account, other, weight) in &tx.controls {
                let account = key(&mut block, account);
                let other = other.map(|other| key(&mut block, other)).unwrap_or_default();
                block.controls.push(NewControl { tx: 0, kind, account, other, weight });
            }
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&(1 + height).to_be_bytes());
            block.head = Some(Head { height: u64::from(height), hash, parent });
            parent = hash;
            accounts.append(&block).unwrap();
        }
        accounts.commit(true).unwrap();
        Chain { _dir: dir, accounts }
    }

    fn derive(&self, known: &Known, excluded: &Excluded) -> Derived {
        derive(&self.accounts, Some(COIN), known, Params::default(), (&[], excluded))
    }

    fn plain(&self) -> Derived {
        self.derive(&Known::default(), &Excluded::default())
    }
}

/// Tags: these accounts are working wallets of one service.
fn service(hot: &[u32]) -> Known {
    let said = |&address: &u32| Attribution {
        address,
        party: 0,
        coinjoin: false,
        defines_cluster: false,
        unnamed_chain: false,
    };
    Known::of(&TagEvidence {
        attributions: hot.iter().map(said).collect(),
        services: hot.iter().map(|address| (*address, 0)).collect(),
        parties: vec!["EXERCISE exchange".into()],
        ..TagEvidence::default()
    })
}

fn coin(from: u8, to: u8, amount: u64) -> Made {
    Made { signer: from, moves: vec![(from, to, COIN, amount, Kind::Transfer)], ..Made::default() }
}

/// A token's transfer that costs its signer a fee.
fn token(from: u8, to: u8, amount: u64, fee: u64) -> Made {
    let fee = (from, 23, COIN, fee, Kind::Fee);
    Made { signer: from, moves: vec![fee, (from, to, TOKEN, amount, Kind::Transfer)], ..Made::default() }
}

fn moved_by(signer: u8, from: u8, to: u8, amount: u64) -> Made {
    Made { signer, moves: vec![(from, to, TOKEN, amount, Kind::Transfer)], ..Made::default() }
}

fn says(signer: u8, controls: &[(ControlKind, u8, Option<u8>, u32)]) -> Made {
    Made { signer, controls: controls.to_vec(), ..Made::default() }
}

use ControlKind::{Admin, Anew, NoOwner, Owner, Threshold};

fn united(derived: &Derived) -> Vec<(u32, u32)> {
    derived.links.iter().map(|link| (link.a, link.b)).collect()
}

/// Two addresses of an operator: paid by 5, gas from the funder 6, emptied to the pool 7, which pays 8 and 9.
fn collection() -> Vec<Made> {
    let mut txs = Vec::new();
    for address in [1, 2] {
        txs.extend([token(5, address, 900, 1), coin(6, address, 10), token(address, 7, 900, 8)]);
    }
    txs.extend([token(7, 8, 100, 1), token(7, 9, 100, 1)]);
    txs
}

#[test]
fn addresses_that_one_funder_pays_gas_for_and_one_pool_takes_are_pooled_and_not_united() {
    let chain = Chain::of(&collection());
    let found = chain.plain();
    assert_eq!(found.pools.len(), 1);
    let pool = &found.pools[0];
    assert_eq!((pool.to, pool.members.iter().map(|(m, _)| m.account).collect::<Vec<_>>()), (7, vec![1, 2]));
    assert!(
        pool.members
            .iter()
            .all(|(swept, why)| *why == Pooled::Funder(6) && recheck(&chain.accounts, &Known::default(), swept))
    );
    assert!(found.links.is_empty() && found.customers.is_empty());
    assert!(
        found.missing.contains(&Missing::Services),
        "without tags nobody's customers can be told, and that is said"
    );
}

#[test]
fn a_funder_counts_only_if_untagged_paying_gas_for_few_that_are_all_emptied_to_one_pool_at_once() {
    let with = |change: &dyn Fn(&mut Vec<Made>)| {
        let mut txs = collection();
        change(&mut txs);
        Chain::of(&txs).plain().pools.len()
    };
    assert_eq!(with(&|_| ()), 1);
    assert_eq!(with(&|txs| txs.extend([coin(6, 10, 10), token(10, 11, 5, 8)])), 0, "one whom it pays sends elsewhere");
    assert_eq!(with(&|txs| txs[1] = coin(6, 1, 1_000)), 0, "no gas but a payment: what was sent is not spent on fees");
    assert_eq!(with(&|txs| txs.truncate(6)), 0, "a place that hands nothing out may be one that victims pay");
    assert_eq!(with(&|txs| txs[2].moves[1].3 = 500), 0, "not emptied: half stays, and one alone is no pool");
    assert_eq!(
        with(&|txs| (0..70).for_each(|_| txs.insert(2, coin(20, 21, 1)))),
        0,
        "an hour later: no machine's sweep"
    );
    let spread = |txs: &mut Vec<Made>| txs[1].signer = 19;
    assert_eq!(with(&spread), 0, "coins that a contract spread are whoever's called it");
    let tagged = Chain::of(&collection()).derive(&service(&[6]), &Excluded::default());
    assert!(tagged.pools.is_empty(), "an exchange pays out: it is no funder");
}

#[test]
fn victims_who_empty_their_wallets_to_one_address_are_not_joined_by_it() {
    let mut txs = Vec::new();
    for victim in 1..=6 {
        // Each gets tokens and gas from an exchange that nobody tagged, and sends everything on.
        txs.extend([coin(15, victim, 9), token(15, victim, 500, 1), token(victim, 7, 500, 8)]);
    }
    txs.extend([coin(15, 16, 90), token(16, 17, 5, 8), token(7, 8, 100, 1), token(7, 9, 100, 1)]);
    let found = Chain::of(&txs).plain();
    assert!(found.links.is_empty() && found.pools.is_empty(), "{found:?}");
}

#[test]
fn a_deposit_address_is_its_services_and_a_persons_wallet_is_not() {
    let mut txs = Vec::new();
    for address in [1, 2] {
        txs.extend([token(5, address, 900, 1), coin(6, address, 10), token(address, 7 + address % 2, 900, 8)]);
    }
    // A person with coins of their own sends everything too; a store that the service filled goes back.
    txs.extend([token(5, 10, 900, 1), coin(11, 10, 5_000), token(10, 7, 900, 8)]);
    txs.extend([token(7, 12, 4_000, 1), coin(6, 12, 10), token(12, 7, 4_000, 8)]);
    let (chain, known) = (Chain::of(&txs), service(&[7, 8]));
    let found = chain.derive(&known, &Excluded::default());
    assert_eq!(found.customers.iter().map(|one| (one.swept.account, one.party)).collect::<Vec<_>>(), [(1, 0), (2, 0)]);
    assert!(found.customers.iter().all(|one| recheck(&chain.accounts, &known, &one.swept)));
    assert!(found.links.is_empty() && found.pools.is_empty());
    assert!(!found.missing.contains(&Missing::Services));
}

#[test]
fn whoever_alone_meets_the_threshold_controls_a_safe_and_partners_do_not() {
    let paid = |signer| [token(20, 1, 50, 1), moved_by(signer, 1, 21, 5)];
    let safe = |owners: &[u8], threshold| {
        let mut all = vec![(Anew, 1, None, threshold)];
        all.extend(owners.iter().map(|owner| (Owner, 1, Some(*owner), 1)));
        says(owners[0], &all)
    };
    let of = |first: Made, rest: &[Made]| united(&Chain::of(&[&[first][..], rest].concat()).plain());
    assert_eq!(of(safe(&[2], 1), &paid(2)), [(1, 2)]);
    assert_eq!(of(safe(&[2], 1), &[]), [], "nothing left it: nobody acted on what it says of itself");
    assert_eq!(of(safe(&[2], 1), &paid(3)), [], "a stranger moved its money");
    assert_eq!(of(safe(&[2, 3], 1), &paid(2)), [], "either partner alone may: it is neither's");
    assert_eq!(of(safe(&[2, 3], 2), &paid(2)), [], "neither alone may");
    let fewer = [says(2, &[(NoOwner, 1, Some(3), 0), (Threshold, 1, None, 1)])];
    assert_eq!(of(safe(&[2, 3], 2), &[&fewer[..], &paid(2)].concat()), [(1, 2)], "the other left before it paid");
    let sold = [&paid(2)[..], &[says(2, &[(Owner, 1, Some(3), 1), (NoOwner, 1, Some(2), 0)])], &paid(3)].concat();
    assert_eq!(of(safe(&[2], 1), &sold), [], "sold: what it did before was another's");
    let nested = [
        says(2, &[(Anew, 4, None, 2), (Owner, 4, Some(2), 1), (Owner, 4, Some(1), 1)]),
        token(20, 4, 50, 1),
        moved_by(2, 4, 21, 5),
    ];
    let all = of(safe(&[2], 1), &[&paid(2)[..], &nested].concat());
    assert_eq!(
        all.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([(1, 2), (4, 1)]),
        "owners of one party count as one"
    );
}

#[test]
fn a_permission_that_was_taken_over_and_an_administrator_who_only_maintains_unite_nobody() {
    let permit = says(1, &[(Anew, 1, None, 1), (Owner, 1, Some(2), 1)]);
    let pays = [token(20, 1, 50, 1), token(1, 21, 5, 0)];
    let own = Chain::of(&[&[permit.clone()][..], &pays].concat());
    assert_eq!(united(&own.plain()), [(1, 2)]);
    let stolen = Chain::of(&[&pays[..], &[permit], &pays].concat());
    assert_eq!(united(&stolen.plain()), [], "what it paid before was its first owner's");
    let proxy = says(3, &[(Admin, 4, Some(3), 0)]);
    let used = |by| [token(20, 4, 50, 1), moved_by(by, 4, 21, 5)];
    assert_eq!(united(&Chain::of(&[&[proxy.clone()][..], &used(3)].concat()).plain()), [(4, 3)]);
    assert_eq!(
        united(&Chain::of(&[&[proxy][..], &used(5)].concat()).plain()),
        [],
        "a customer uses what a maker maintains"
    );
}

#[test]
fn no_contract_makes_itself_a_tagged_services_by_naming_it() {
    let named = says(2, &[(Anew, 1, None, 1), (Owner, 1, Some(2), 1)]);
    let chain = Chain::of(&[named, token(20, 1, 50, 1), moved_by(2, 1, 21, 5)]);
    assert_eq!(united(&chain.plain()), [(1, 2)]);
    assert_eq!(united(&chain.derive(&service(&[2]), &Excluded::default())), []);
}

#[test]
fn a_factorys_contracts_are_whoevers_makes_and_empties_them_unless_it_serves_many() {
    let forwarder = |contract: u8, to: u8| {
        let made = says(2, &[(ControlKind::Made, contract, Some(3), 0)]);
        [made, token(20, contract, 50, 1), moved_by(2, contract, to, 50)]
    };
    let of = |txs: Vec<Made>| united(&Chain::of(&txs).plain());
    let two = [forwarder(4, 7), forwarder(5, 7)].concat();
    assert_eq!(of(two.clone()), [(4, 2), (5, 2)]);
    let bundler = [forwarder(4, 7), forwarder(5, 8)].concat();
    assert_eq!(of(bundler), [], "each pays somebody else: these are accounts of people, and it only signs");
    let relayer = [&two[..], &[moved_by(2, 20, 21, 1)]].concat();
    assert_eq!(of(relayer), [], "it moves money of accounts that it did not make");
}

fn any_tx(with_controls: bool) -> impl Strategy<Value = Made> {
    let who = || 0..ACCOUNTS - 1;
    let kind = prop::sample::select(vec![Kind::Transfer, Kind::Transfer, Kind::Transfer, Kind::Fee]);
    let asset = prop::sample::select(vec![COIN, TOKEN]);
    let moves = prop::collection::vec((who(), who(), asset, 1..20_u64, kind), 0..4);
    let records = prop::sample::select(vec![ControlKind::Made, Anew, Owner, Owner, Owner, NoOwner, Threshold, Admin]);
    let most = if with_controls { 4 } else { 1 };
    let controls = prop::collection::vec((records, who(), prop::option::weighted(0.9, who()), 1..3_u32), 0..most);
    (who(), moves, controls, any::<bool>()).prop_map(|(signer, mut moves, controls, own)| {
        if own {
            moves.iter_mut().for_each(|one| one.0 = signer);
        }
        Made { signer, moves, controls }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Without a word on the chain of who controls whom, nothing is united, whoever pays whom; and pools stand on funders.
    #[test]
    fn senders_are_never_joined(txs in prop::collection::vec(any_tx(false), 1..60), hot in prop::collection::btree_set(0..8_u32, 0..3)) {
        let chain = Chain::of(&txs);
        let known = service(&hot.into_iter().collect::<Vec<_>>());
        let found = chain.derive(&known, &Excluded::default());
        prop_assert!(found.links.is_empty());
        for (swept, why) in found.pools.iter().flat_map(|pool| &pool.members) {
            let Pooled::Funder(funder) = why else { panic!("no contract was made") };
            prop_assert_eq!(*funder, swept.funder);
        }
    }

    /// Each relation's witness is borne out by the record, and a changed one is not.
    #[test]
    fn every_witness_checks_against_the_record(txs in prop::collection::vec(any_tx(true), 1..60), hot in prop::collection::btree_set(0..8_u32, 0..3)) {
        let chain = Chain::of(&txs);
        let known = service(&hot.into_iter().collect::<Vec<_>>());
        let found = chain.derive(&known, &Excluded::default());
        let customers = found.customers.iter().map(|one| one.swept);
        let pooled = found.pools.iter().flat_map(|pool| pool.members.iter().map(|(swept, _)| *swept));
        for swept in customers.chain(pooled) {
            prop_assert!(recheck(&chain.accounts, &known, &swept));
            let naming = money::cluster::accounts::Swept { sweeps: (0, swept.sweeps.1), ..swept };
            let another = money::cluster::accounts::Swept { account: u32::from(ACCOUNTS - 1), ..swept };
            prop_assert!(!recheck(&chain.accounts, &known, &naming) && !recheck(&chain.accounts, &known, &another));
        }
        // A link's source is a transaction that says something of one of its ends.
        for link in &found.links {
            let controls = (0..chain.accounts.controls()).filter_map(|place| chain.accounts.control(place));
            prop_assert!(controls.into_iter().any(|c| c.tx == u64::from(link.source) && c.account == link.a));
        }
    }

    /// Excluding transactions gives what a chain gives in which they never said anything, and taking it back restores all.
    #[test]
    fn undo_equals_deriving_from_a_record_without_it(
        txs in prop::collection::vec(any_tx(true), 1..60),
        out in prop::collection::btree_set(0..60_usize, 0..6),
    ) {
        let chain = Chain::of(&txs);
        let excluded = Excluded { transactions: out.iter().map(|n| *n as u64 + 1).collect(), ..Excluded::default() };
        let mut without = txs.clone();
        for (_, tx) in without.iter_mut().enumerate().filter(|(n, _)| out.contains(n)) {
            // What it made stays made: only that it is a witness goes.
            tx.controls.retain(|(kind, ..)| *kind == ControlKind::Made);
        }
        let undone = chain.derive(&Known::default(), &excluded);
        let fresh = Chain::of(&without).plain();
        let counts = |link: &&Link| !excluded.transactions.contains(&u64::from(link.source));
        let sorted = |links: Vec<Link>| {
            let mut all: Vec<_> = links.into_iter().map(|link| (link.a, link.b, link.source)).collect();
            all.sort_unstable();
            all
        };
        prop_assert!(undone.links.iter().all(|link| counts(&link)));
        // A factory's contracts hang on their making alone, which stays on the fresh record: elsewhere both are equal.
        if txs.iter().all(|tx| tx.controls.iter().all(|(kind, ..)| *kind != ControlKind::Made)) {
            prop_assert_eq!(sorted(undone.links), sorted(fresh.links));
        }
        prop_assert_eq!(&chain.derive(&Known::default(), &Excluded::default()).links, &chain.plain().links);
    }

    /// A link that is switched off in the book leaves the clusters of the evidence without it.
    #[test]
    fn the_book_undoes_a_link_as_if_it_had_never_been_there(txs in prop::collection::vec(any_tx(true), 1..60)) {
        let chain = Chain::of(&txs);
        let found = chain.plain();
        let mut evidence = Evidence::new(Spends::new(&[0], &[], u32::from(ACCOUNTS)).unwrap());
        evidence.links = found.links.clone();
        let mut book = Book::open(evidence.clone()).unwrap();
        for n in 0..found.links.len() {
            book.exclude(&[Exclusion::Link(n as u32)]).unwrap();
            evidence.links_off.insert(n as u32);
            let fresh = money::cluster::Clusters::solve(&evidence).unwrap();
            prop_assert_eq!(book.clusters().labels(), fresh.labels());
        }
        prop_assert_eq!(book.clusters().count(), u32::from(ACCOUNTS));
        prop_assert!(found.links.iter().all(|link| link.rule == Rule::Controls));
    }
}
