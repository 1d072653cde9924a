//! Without a chain of one's own, of accounts: endpoints like Etherscan's and TronGrid's are believed in nothing that a receipt contradicts,
//! and money is followed to where it is held. Shapes and chain are made (EXERCISE).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod account_endpoints;
mod standin;

use account_endpoints::{
    BEFORE, COIN, FEE, NOW, Other, Tx, World, address, hash, like_etherscan, like_trongrid, pay, tron, world,
};
use money::chain::{Chain, ChainCode, Result, Room};
use money::columns::{Accounts, Kind};
use money::fetch::{End, FetchLine, Job, Why, fetch};
use money::node::Endpoint;
use serde_json::json;
use standin::Reply;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

const TOKEN: u8 = 200;
/// The tests' victim, who they paid, and where it went.
const VICTIM: u8 = 1;
const MULE: u8 = 2;
const POOL: u8 = 3;
const SHOP: u8 = 4;

/// A victim pays a mule, who had 5 of their own; the mule pays on to a pool and a shop.
fn story() -> World {
    let txs = vec![
        pay(10, 100, VICTIM, MULE, TOKEN, 1_000),
        pay(11, 101, MULE, POOL, TOKEN, 700),
        pay(12, 102, MULE, SHOP, TOKEN, 305),
        // Long after, others' money.
        pay(13, 300, 9, MULE, TOKEN, 50),
        pay(14, 301, MULE, 8, TOKEN, 50),
    ];
    World { had: vec![(VICTIM, TOKEN, 1_000), (MULE, TOKEN, 5), (9, TOKEN, 50)], ..world(txs) }
}

fn nobody(_: &str) -> Option<String> {
    None
}

fn none() -> Other {
    Box::new(|_, _| None)
}

fn job<'a>(url: &str, tx: Option<u8>, service: &'a dyn Fn(&str) -> Option<String>) -> Job<'a> {
    Job {
        endpoint: Endpoint { patience: Duration::from_millis(900), budget: Some(150), ..Endpoint::at(url) },
        txs: tx.map(hash).into_iter().collect(),
        addresses: Vec::new(),
        hops: 20,
        until: None,
        hub: 1_000,
        prove: false,
        anew: false,
        now: NOW,
        service,
    }
}

fn run(dir: &Path, chain: &str, job: &Job<'_>) -> Result<FetchLine> {
    fetch(&Room::open(dir), &ChainCode::parse(chain).unwrap(), job, &mut |_| ControlFlow::Continue(()))
}

fn on_record(dir: &Path, chain: &str) -> Accounts {
    match Room::open(dir).fetched_chain(&ChainCode::parse(chain).unwrap()).unwrap() {
        Some(Chain::Accounts(accounts)) => accounts,
        other => panic!("{other:?}"),
    }
}

/// Whose, why, how far, how much at most; by whose.
fn ends(line: &FetchLine) -> Vec<(String, Why, u32, String)> {
    let told = |end: &End| {
        (end.address.clone().unwrap_or_default().to_ascii_lowercase(), end.why, end.hop, end.at_most.clone())
    };
    let mut ends: Vec<_> = line.found.ends.iter().map(told).collect();
    ends.sort_by(|a, b| a.0.cmp(&b.0));
    ends
}

fn wanted(list: &[(&str, Why, u32, &str)]) -> Vec<(String, Why, u32, String)> {
    let mut all: Vec<_> =
        list.iter().map(|(a, why, hop, n)| (a.to_ascii_lowercase(), *why, *hop, (*n).to_owned())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn moved(chain: &Accounts, kind: Kind) -> Vec<String> {
    let all = (0..chain.transfers()).filter_map(|n| chain.transfer(n));
    all.filter(|one| one.kind == kind).map(|one| one.amount.to_string()).collect()
}

#[test]
fn a_payment_is_followed_to_who_holds_it_and_what_comes_after_it_is_gone_is_left_aside() {
    for (chain, named) in [("evm-31337", address as fn(u8) -> String), ("trx", tron)] {
        let dir = tempfile::tempdir().unwrap();
        let (url, asked) = match chain {
            "trx" => like_trongrid(story(), 2, none()),
            _ => like_etherscan(story(), none()),
        };
        let line = run(dir.path(), chain, &job(&url, Some(10), &nobody)).unwrap();
        let held = wanted(&[(&named(POOL), Why::Holds, 1, "700"), (&named(SHOP), Why::Holds, 1, "305")]);
        assert_eq!(ends(&line), held, "{chain}");
        assert!(line.whole && line.calls < 20, "{chain}: {} calls", line.calls);
        let before = asked.lock().unwrap().len();
        let again = run(dir.path(), chain, &job(&url, Some(10), &nobody)).unwrap();
        assert_eq!(again.found.ends, line.found.ends, "{chain}");
        assert!(asked.lock().unwrap().len() - before <= 3, "nothing is asked twice but where the chain stands");
        let record = on_record(dir.path(), chain);
        assert_eq!(moved(&record, Kind::Opening), ["5"], "{chain}: what the mule had before is one lot");
        assert!(Room::open(dir.path()).chains().unwrap().is_empty(), "it is no chain that anything else reads");
    }
}

#[test]
fn services_hubs_dust_hops_times_the_payer_and_the_budget_end_it_and_are_named() {
    let dir = || tempfile::tempdir().unwrap();
    let (url, _) = like_etherscan(story(), none());
    let shop = |who: &str| (who.to_ascii_lowercase() == address(SHOP)).then(|| "EXERCISE shop".to_owned());
    let line = run(dir().path(), "evm-31337", &job(&url, Some(10), &shop)).unwrap();
    let service = line.found.ends.iter().find(|end| end.why == Why::Service).unwrap();
    assert_eq!((service.service.as_deref(), service.at_most.as_str()), (Some("EXERCISE shop"), "305"));
    let line = run(dir().path(), "evm-31337", &Job { hops: 0, ..job(&url, Some(10), &nobody) }).unwrap();
    assert_eq!(line.found.ends.iter().map(|end| end.why).collect::<Vec<_>>(), [Why::Hops, Why::Hops]);
    let until = u32::try_from(account_endpoints::BEGIN + 101).unwrap();
    let line = run(dir().path(), "evm-31337", &Job { until: Some(until), ..job(&url, Some(10), &nobody) }).unwrap();
    let held = wanted(&[(&address(MULE), Why::After, 0, "305"), (&address(POOL), Why::Holds, 1, "700")]);
    assert_eq!(ends(&line), held, "what is left moves after the time that was asked for");
    let endpoint = |calls| Endpoint { budget: Some(calls), ..Endpoint::at(&url) };
    for calls in 1..12 {
        let dir = dir();
        let line = run(dir.path(), "evm-31337", &Job { endpoint: endpoint(calls), ..job(&url, Some(10), &nobody) });
        let line = line.unwrap();
        assert!(line.calls <= calls && (line.whole || !line.found.ends.is_empty()), "{calls}");
        assert_eq!(
            line.whole,
            !line.found.ends.iter().any(|end| end.why == Why::Budget) && line.calls > 0 && !line.found.ends.is_empty(),
            "{calls}"
        );
        let rest = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap();
        assert!(rest.whole && rest.found.ends.len() == 2, "it goes on where {calls} calls ended");
    }
    let mut back = story();
    back.txs[1].moves = vec![(MULE, VICTIM, TOKEN, 700)];
    back.txs[2].moves = vec![(MULE, SHOP, TOKEN, 304), (MULE, 77, TOKEN, 1)];
    let (url, _) = like_etherscan(
        World { had: vec![(VICTIM, TOKEN, 1_000_000), (MULE, TOKEN, 5), (9, TOKEN, 50)], ..back },
        none(),
    );
    let line = run(dir().path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap();
    let held = wanted(&[
        (&address(VICTIM), Why::Payer, 1, "700"),
        (&address(SHOP), Why::Holds, 1, "304"),
        (&address(77), Why::Holds, 1, "1"),
    ]);
    assert_eq!(ends(&line), held, "one of a thousand is no dust");
    let many: Vec<Tx> = (20..140).map(|n| pay(n, u64::from(n) + 100, MULE, n, TOKEN, 5)).collect();
    let busy = World { txs: story().txs.into_iter().take(1).chain(many).collect(), ..story() };
    let (url, _) = like_etherscan(busy.clone(), none());
    let line = run(dir().path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap();
    assert_eq!(ends(&line), wanted(&[(&address(MULE), Why::Hub, 0, "1000")]), "it pays more than a hundred others");
    let line = run(dir().path(), "evm-31337", &Job { hub: 30, ..job(&url, Some(10), &nobody) }).unwrap();
    assert_eq!(ends(&line), wanted(&[(&address(MULE), Why::Hub, 0, "1000")]), "it has more rows than asked");
}

#[test]
fn coins_inner_calls_gas_and_failed_transactions_count_as_they_are() {
    let failed = Tx { failed: true, ..pay(11, 101, MULE, POOL, COIN, 999) };
    // A contract that passes on at once what it is paid.
    let through = Tx { moves: vec![(MULE, 66, COIN, 600), (66, POOL, COIN, 600)], ..pay(12, 102, MULE, 66, COIN, 600) };
    let txs = vec![pay(10, 100, VICTIM, MULE, COIN, 1_000), failed, through];
    let dir = tempfile::tempdir().unwrap();
    let (url, _) = like_etherscan(world(txs), none());
    let line = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap();
    let told = ends(&line);
    assert!(
        told.iter().any(|end| (end.1, end.3.as_str()) == (Why::Holds, "1000") && end.0 == address(MULE)),
        "{told:?}"
    );
    let wanted = Job { addresses: vec![address(MULE)], ..job(&url, None, &nobody) };
    let line = run(dir.path(), "evm-31337", &wanted).unwrap();
    let history = &line.found.histories[0];
    assert_eq!((history.received.as_str(), history.spent.clone()), ("1000", (600 + 2 * FEE).to_string()));
    assert_eq!((history.opening.clone(), history.closed), (Some(BEFORE.to_string()), false));
    let record = on_record(dir.path(), "evm-31337");
    assert!(!moved(&record, Kind::Transfer).contains(&"999".to_owned()), "a failed transaction moves nothing");
    assert!(moved(&record, Kind::Opening).contains(&BEFORE.to_string()));
    let account = record.find_account(&[MULE; 20]).unwrap();
    let holding = record.holdings(account, record.transfers());
    let sum = holding.values().next().unwrap().balance().unwrap();
    assert_eq!(sum, BEFORE + 1_000 - 600 - 2 * FEE, "with the opening balance it adds up to what it has now");
}

#[test]
fn fakes_and_transfers_of_nothing_are_kept_and_are_no_edges() {
    let mut spam = story();
    spam.had.push((MULE, 201, 4));
    spam.txs.push(pay(15, 302, MULE, 90, 201, 4));
    spam.txs.push(pay(16, 303, MULE, 91, TOKEN, 0));
    let dir = tempfile::tempdir().unwrap();
    let (url, _) = like_trongrid(World { symbol: "USDT", ..spam }, 50, none());
    let wanted = Job { addresses: vec![tron(MULE)], ..job(&url, None, &nobody) };
    let line = run(dir.path(), "trx", &wanted).unwrap();
    let tokens = line.found.histories.iter().filter(|one| one.asset != "TRX").count();
    assert_eq!(tokens, 0, "a symbol that passes itself off as another's makes no sum");
}

#[test]
fn what_a_receipt_does_not_bear_out_is_refused_by_transaction_and_nothing_before_it_is_lost() {
    let lie = |action: &'static str, change: fn(&mut World)| -> Other {
        Box::new(move |path, world| {
            path.contains(action).then(|| {
                let mut other = world.clone();
                change(&mut other);
                Reply::Result(other.etherscan(path))
            })
        })
    };
    type Case = (&'static str, fn(&mut World), &'static str);
    let cases: [Case; 5] = [
        ("tokentx", |w| w.txs[1].moves[0].3 = 900, "does not have"),
        ("tokentx", |w| w.txs[1].height = 140, "both stand"),
        ("eth_gettransactionreceipt", |w| w.txs[1].failed = true, "do not agree on whether it failed"),
        ("eth_gettransactionbyhash", |w| w.txs[0].id = 99, "does not have that"),
        ("tokentx", |w| w.txs[1].moves = vec![(7, 8, 200, 5)], ""),
    ];
    for (action, change, why) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (url, _) = like_etherscan(story(), lie(action, change));
        let outcome = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody));
        if why.is_empty() {
            assert!(outcome.is_ok(), "a list that leaves a row out cannot be found out by receipts");
            continue;
        }
        let said = outcome.unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("127.0.0.1"), "{action}: {said}");
        assert!(why.contains("does not have that") || on_record(dir.path(), "evm-31337").txs() >= 1, "{said}");
    }
    let elsewhere: Other = Box::new(|path, world| {
        let row = || world.etherscan(&path.replace(&address(MULE), &address(9)));
        (path.contains("tokentx") && path.contains(&format!("&address={}", address(MULE))))
            .then(|| Reply::Result(row()))
    });
    let dir = tempfile::tempdir().unwrap();
    let mut more = World { had: vec![(VICTIM, TOKEN, 1_000), (MULE, TOKEN, 5), (9, TOKEN, 60)], ..story() };
    more.txs.push(pay(15, 302, 9, 7, TOKEN, 1));
    let (url, _) = like_etherscan(more, elsewhere);
    let said = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
    assert!(said.contains("another account's"), "{said}");
    // TRON: the info says another amount than the list.
    let other: Other = Box::new(|path, world| {
        path.contains("/trc20").then(|| {
            let mut other = world.clone();
            other.txs[1].moves[0].3 = 900;
            Reply::Result(other.trongrid(path, &json!({}), 50))
        })
    });
    let (url, _) = like_trongrid(story(), 50, other);
    let said = run(dir.path(), "trx", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
    assert!(said.contains("does not have") && said.contains(&hash(11)), "{said}");
}

#[test]
fn another_chain_a_stall_half_an_answer_and_a_rate_limit_are_told_apart() {
    let (url, _) = like_etherscan(story(), none());
    let dir = tempfile::tempdir().unwrap();
    let said = run(dir.path(), "eth", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
    assert!(said.contains("another chain"), "{said}");
    let said = run(dir.path(), "evm-5", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
    assert!(said.contains("another chain"), "its transactions name their chain: {said}");
    let other: Other =
        Box::new(|path, _| path.contains("getblockbynum").then(|| Reply::Result(json!({"blockID": hash(7)}))));
    let (url, _) = like_trongrid(story(), 50, other);
    let said = run(dir.path(), "trx", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
    assert!(said.contains("another chain"), "{said}");
    for (reply, why) in [(Some(Reply::Silence), "no answer in time"), (Some(Reply::Cut), "breaks off")] {
        let mut reply = reply;
        let other: Other = Box::new(move |path, _| if path.contains("tokentx") { reply.take() } else { None });
        let (url, _) = like_etherscan(story(), other);
        let said = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
    let mut often = 2;
    let limits: Other = Box::new(move |path, _| {
        often -= i32::from(path.contains("tokentx") && often > 0);
        let limit = json!({"status": "0", "message": "NOTOK", "result": "Max rate limit reached"});
        (path.contains("tokentx") && often > 0).then_some(Reply::Result(limit))
    });
    let (url, _) = like_etherscan(story(), limits);
    let dir = tempfile::tempdir().unwrap();
    assert!(run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap().whole, "it waits and asks again");
}

#[test]
fn a_key_in_the_query_reaches_the_endpoint_and_stands_in_no_error_and_no_stored_page() {
    const KEY: &str = "EXERCISEsecretKEY";
    let echo: Other = Box::new(|path, _| {
        let refused = json!({"status": "0", "message": "NOTOK", "result": format!("Invalid API Key {KEY}")});
        path.contains("tokenbalance").then_some(Reply::Result(refused))
    });
    let dir = tempfile::tempdir().unwrap();
    let (url, asked) = like_etherscan(story(), echo);
    let mut wanted = job(&url, Some(10), &nobody);
    wanted.endpoint.query = vec![("apikey".into(), KEY.into())];
    let said = run(dir.path(), "evm-31337", &wanted).unwrap_err().to_string();
    assert!(said.contains("Invalid API Key …") && !said.contains(KEY), "{said}");
    assert!(asked.lock().unwrap().iter().all(|path| path.ends_with(&format!("&apikey={}", KEY.to_ascii_lowercase()))));
    let pages = std::fs::read(dir.path().join("evm-31337~partial/pages")).unwrap();
    assert!(!pages.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()));
    let plain = Endpoint { query: wanted.endpoint.query.clone(), ..Endpoint::at("http://endpoint.example/api") };
    let said = run(dir.path(), "evm-31337", &Job { endpoint: plain, ..job(&url, Some(10), &nobody) }).unwrap_err();
    assert!(said.to_string().contains("https only"), "{said}");
}

#[test]
fn a_reorganisation_while_fetching_is_told_and_the_same_command_goes_on_on_the_new_branch() {
    let mut receipts = 0;
    let reorganises: Other = Box::new(move |path, world| {
        receipts += i32::from(path.contains("receipt"));
        // Behind the list, before the receipt of the mule's first payment.
        if receipts == 2 {
            world.branch = 2;
        }
        None
    });
    let dir = tempfile::tempdir().unwrap();
    let (url, _) = like_etherscan(story(), reorganises);
    let said = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap_err().to_string();
    assert!(said.contains("reorganised meanwhile") && said.contains(&hash(11)), "{said}");
    let line = run(dir.path(), "evm-31337", &job(&url, Some(10), &nobody)).unwrap();
    assert!(line.whole && line.calls > 5, "what named the old branch is asked for again: {line:?}");
    let held = wanted(&[(&address(POOL), Why::Holds, 1, "700"), (&address(SHOP), Why::Holds, 1, "305")]);
    assert_eq!(ends(&line), held);
    let record = on_record(dir.path(), "evm-31337");
    let old = |place| record.store().record(place).unwrap().unwrap().hash[19] == 0x10;
    assert!(!(0..record.store().blocks()).any(old), "no block of the old branch is on record");
    let amounts = moved(&record, Kind::Transfer);
    assert_eq!(amounts.iter().filter(|amount| *amount == "700").count(), 1, "each transfer once: {amounts:?}");
}

#[test]
fn a_history_over_many_pages_has_each_row_once() {
    let mut txs: Vec<Tx> = (10..40).map(|n| pay(n, 100 + u64::from(n / 4), 9, MULE, TOKEN, 7)).collect();
    txs.extend((40..45).map(|n| pay(n, 150, MULE, 9, TOKEN, 7)));
    let busy = World { had: vec![(9, TOKEN, 1_000)], ..world(txs) };
    for (chain, named) in [("evm-31337", address as fn(u8) -> String), ("trx", tron)] {
        let dir = tempfile::tempdir().unwrap();
        let (url, _) = match chain {
            "trx" => like_trongrid(busy.clone(), 3, none()),
            _ => like_etherscan(busy.clone(), none()),
        };
        let wanted = Job { addresses: vec![named(MULE)], hub: 37, ..job(&url, None, &nobody) };
        let line = run(dir.path(), chain, &wanted).unwrap();
        let token = line.found.histories.iter().find(|one| one.received == "210").unwrap();
        assert_eq!((token.spent.as_str(), token.opening.as_deref(), token.closed), ("35", Some("0"), true), "{chain}");
    }
}
