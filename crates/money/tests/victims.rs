//! Many victims and claimed traces: what comes together, how a frozen balance is divided, and whether a claim holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::chain::{ChainCode, Mapping, Options, Room, Source, load};
use money::trace::*;
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;

/// EXERCISE: two victims pay a mule that has 50 of its own; it pays a pool 120 and somebody else 30, and has 100 left.
const ROWS: &str = "from,to,amount,time,tx,kind
,v1,100,1000,m1,mint
,v2,100,1001,m2,mint
,mule,50,1002,m3,mint
v1,mule,100,2000,p1,transfer
v2,mule,100,2001,p2,transfer
mule,pool,120,3000,o1,transfer
mule,other,30,3001,o2,transfer
pool,far,20,4000,o3,transfer
";

fn room(dir: &Path) -> (Room, ChainCode) {
    let file = dir.join("t.csv");
    std::fs::write(&file, ROWS).unwrap();
    let mapping = "from='from'\nto='to'\namount='amount'\ntime='time'\ntx='tx'\nkind='kind'\nasset_is='X'";
    let source = Source::Transfers { file, mapping: Box::new(Mapping::parse(mapping).unwrap()) };
    let (room, code) = (Room::open(&dir.join("money")), ChainCode::parse("exercise-chain").unwrap());
    load(&room, &code, &source, &Options::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    (room, code)
}

fn within(methods: &[Method]) -> Within<'_> {
    Within { methods, limits: Limits::default(), stops: &[], past: &[], decided: None, until: None }
}

fn payments() -> [String; 2] {
    ["p1".to_owned(), "p2".to_owned()]
}

#[test]
fn accounts_that_several_victims_money_reached_are_listed_by_sum() {
    let dir = tempfile::tempdir().unwrap();
    let (room, chain) = room(dir.path());
    let asked = AskedMany { chain: &chain, payments: &payments(), within: within(&[Method::Haircut]) };
    let both = collector(&room, &asked, (2, 10), (None, &|_| true)).unwrap();
    let told: Vec<_> =
        both.accounts.iter().map(|one| (one.account.as_str(), one.payments, one.amount.hi.as_str())).collect();
    // 48 of each 100 go to the pool (120 of 250), 12 to the other, and 8 of the pool's on.
    assert_eq!(told, [("mule", 2, "200"), ("pool", 2, "96"), ("other", 2, "24"), ("far", 2, "16")]);
    assert_eq!((both.found, both.method), (4, "haircut"));
    let fifo = AskedMany { within: within(&[Method::Fifo]), ..asked.clone() };
    let both = collector(&room, &fifo, (2, 1), (None, &|_| true)).unwrap();
    // First in, first out the pool gets the mule's 50 and 70 of the first victim's.
    assert_eq!((both.accounts[0].account.as_str(), both.found), ("mule", 1));
    for (texts, why) in
        [(vec!["p9".to_owned()], "not on record"), (vec!["p1".into(), "p1".into()], "named twice"), (vec![], "1 to")]
    {
        let wrong = AskedMany { payments: &texts, ..asked.clone() };
        assert!(collector(&room, &wrong, (1, 5), (None, &|_| true)).unwrap_err().to_string().contains(why), "{why}");
    }
    let past = ["pool".to_owned()];
    let bare = AskedMany { within: Within { past: &past, ..within(&[Method::Fifo]) }, ..asked };
    assert!(
        collector(&room, &bare, (1, 5), (None, &|_| true)).unwrap_err().to_string().contains("somebody's decision")
    );
}

#[test]
fn a_frozen_balance_is_divided_by_each_method_and_never_beyond_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (room, chain) = room(dir.path());
    let asked = AskedMany { chain: &chain, payments: &payments(), within: within(&Method::ALL) };
    let line = restitution(&room, "mule", &asked, (None, &|_| true)).unwrap();
    assert_eq!((line.balance.as_str(), line.asset.as_str()), ("100", "X"));
    let shares: Vec<_> = line
        .methods
        .iter()
        .map(|method| {
            (method.method, method.abated, method.shares.iter().map(|one| one.share.clone()).collect::<Vec<_>>())
        })
        .collect();
    let of = |a: &str, b: &str| vec![Some(a.to_owned()), Some(b.to_owned())];
    assert_eq!(shares[0], ("fifo", false, of("0", "100")), "the mule's own and the first victim's left first");
    assert_eq!(shares[1], ("lifo", false, of("50", "0")), "the second victim's left first");
    assert_eq!(shares[2], ("haircut", false, of("40", "40")));
    assert_eq!(shares[3], ("libr", true, of("50", "50")), "each alone claims 100 of 100");
    assert_eq!((shares[4].0, shares[4].2.clone()), ("bounds", vec![None, None]));
    assert!(restitution(&room, "nobody", &asked, (None, &|_| true)).unwrap_err().to_string().contains("not on record"));
}

fn examined(rows: &str) -> CheckLine {
    let dir = tempfile::tempdir().unwrap();
    let (room, chain) = room(dir.path());
    let file = dir.path().join("claim.csv");
    std::fs::write(&file, format!("tx,from,to,amount\n{rows}")).unwrap();
    check(&room, &chain, &ClaimTable::default().read(&file).unwrap()).unwrap()
}

/// What each method is said to do: gives it, or the row at which it departs.
fn verdicts(line: &CheckLine) -> Vec<(&str, Option<Option<u32>>)> {
    line.methods.iter().map(|method| (method.method, method.departs.as_ref().map(|at| at.row))).collect()
}

#[test]
fn a_claim_is_given_by_the_method_that_it_was_made_with_and_others_depart_where_they_differ() {
    let line = examined("p1,v1,mule,100\no1,mule,pool,70\no2,mule,other,30\n");
    assert!(line.conserves && line.sources == [2] && line.source == "100" && line.held == "100", "{line:?}");
    // Lowest intermediate balance keeps what it can; last in, first out takes the second victim's first.
    assert_eq!(
        verdicts(&line),
        [("fifo", None), ("lifo", Some(Some(3))), ("haircut", Some(Some(3))), ("libr", Some(Some(3)))]
    );
    let line = examined("p1,v1,mule,100\no1,mule,pool,48\no2,mule,other,12\n");
    assert_eq!(verdicts(&line)[2], ("haircut", None));
    let departs = line.methods[0].departs.clone().unwrap();
    assert_eq!(
        (departs.row, departs.hop, departs.claimed.as_str(), departs.method.as_str()),
        (Some(3), Some(2), "48", "70")
    );
    assert_eq!(line.methods[0].agrees, 1);
}

#[test]
fn what_is_wrong_with_a_claim_is_named_by_its_row() {
    let line = examined(
        "p1,v1,mule,100\no1,mule,pool,60\no1,mule,pool,61\no9,mule,pool,1\no2,mule,pool,1\nnobody,x,y,1\no2,mule,other,31\n",
    );
    let told: Vec<_> = line.wrong.iter().map(|one| (one.row, one.why.as_str(), one.recorded.as_deref())).collect();
    assert_eq!(
        told,
        [
            (4, "rows claim more of the payment than it paid: it is counted twice", Some("120")),
            (5, "the transaction is not on record", None),
            (6, "the transaction has no such payment of that asset", None),
            (7, "the transaction is not on record", None),
            (8, "the payment is smaller", Some("30")),
        ]
    );
    assert!(!line.conserves);
    let line = examined("p1,v1,mule,100\no1,mule,pool,90\no2,mule,other,30\n");
    assert_eq!((line.wrong[0].row, line.wrong[0].recorded.as_deref()), (4, Some("10")), "more than came");
    let line = examined("p1,v1,mule,40\no1,mule,pool,40\n");
    assert!(
        line.methods
            .iter()
            .all(|method| method.not_computable.as_ref().is_some_and(|why| why.contains("a part of a payment")))
    );
    let dir = tempfile::tempdir().unwrap();
    let (room, chain) = room(dir.path());
    let file = dir.path().join("claim.csv");
    for (text, why) in [
        ("a,b\n1,2\n", "no column \"tx\""),
        ("tx,from,to,amount\np1,v1,mule,1.5\n", "row 2: the amount"),
        ("tx,from,to,amount\n", "no row"),
    ] {
        std::fs::write(&file, text).unwrap();
        assert!(ClaimTable::default().read(&file).unwrap_err().contains(why), "{why}");
    }
    std::fs::write(&file, "tx,from,to,amount\nq,v1,mule,1\n").unwrap();
    let none = check(&room, &chain, &ClaimTable::default().read(&file).unwrap()).unwrap_err().to_string();
    assert!(none.contains("no row of the claim stands on record"), "{none}");
    assert!(ClaimTable::parse("amuont = 'x'").is_err());
    let table =
        ClaimTable::parse("tx='hash'\nfrom='a'\nto='b'\namount='v'\ndecimals=2\nthousands=','\ndelimiter=';'").unwrap();
    std::fs::write(&file, "v;b;a;hash\n1,234.50;mule;v1;p1\n").unwrap();
    assert_eq!(table.read(&file).unwrap()[0].amount, 123_450);
}

proptest! {
    #[test]
    fn shares_are_never_more_than_claims_nor_together_than_what_is_there(there: u64, claims in prop::collection::vec(any::<u128>(), 0..20)) {
        let shares = apportion(there.into(), &claims);
        prop_assert_eq!(shares.len(), claims.len());
        prop_assert!(shares.iter().zip(&claims).all(|(share, claim)| share <= claim));
        let claimed = claims.iter().fold(0_u128, |a, b| a.saturating_add(*b));
        let sum: u128 = if claimed <= u128::from(there) { claimed } else { shares.iter().sum() };
        prop_assert_eq!(sum, claimed.min(there.into()), "all of it is given, and no more");
    }
}
