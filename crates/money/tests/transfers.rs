//! Tables of transfers: exact amounts, order kept, loads that go on, and what is wrong named by line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::chain::Error;
use money::chain::*;
use money::columns::*;
use std::ops::ControlFlow;
use std::path::Path;

const HEADINGS: &str = "height,time,tx,from,to,asset,amount,kind";

fn mapping() -> Mapping {
    let columns = ["from", "to", "amount", "time", "asset", "tx", "height", "kind"];
    Mapping::parse(&columns.map(|name| format!("{name} = '{name}'")).join(
        "
",
    ))
    .unwrap()
}

fn feed(dir: &Path, rows: &str, mapping: Mapping, keep: u64) -> money::chain::Result<Loaded> {
    let file = dir.join("table.csv");
    std::fs::write(&file, rows).unwrap();
    let source = Source::Transfers { file, mapping: Box::new(mapping) };
    load(&Room::open(dir), &ChainCode::parse("exercise").unwrap(), &source, &Options { keep }, &mut |_| {
        ControlFlow::Continue(())
    })
}

fn table(rows: &[&str]) -> String {
    std::iter::once(&HEADINGS).chain(rows).map(|row| format!("{row}\n")).collect()
}

fn open(dir: &Path) -> Accounts {
    match Room::open(dir).chain(&ChainCode::parse("exercise").unwrap(), Mode::Read).unwrap() {
        Chain::Accounts(accounts) => accounts,
        Chain::Utxo(..) => panic!("not a chain of accounts"),
    }
}

const ROWS: [&str; 6] = [
    "5,1700000000,t1,ana,ben,USDX,100,mint",
    "5,1700000000,t1,ben,cyd,USDX,40,transfer",
    "5,1700000000,t1,ben,gas,COIN,0,fee",
    "6,1700000010,t2,cyd,dan,USDX,340282366920938463463374607431768211456,transfer",
    "9,1700000020,t3,,ana,COIN,18446744073709551615,reward",
    "9,1700000020,,ana,ana,COIN,18446744073709551614,transfer",
];

#[test]
fn every_row_is_kept_in_order_with_its_amount_to_the_last_unit() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = feed(dir.path(), &table(&ROWS), mapping(), 0).unwrap();
    assert_eq!((loaded.blocks, loaded.rows), (3, 6));
    let chain = open(dir.path());
    assert_eq!((chain.transfers(), chain.txs(), chain.assets()), (6, 4, 2));
    assert_eq!(chain.transfers_of(0), 0..3);
    for (number, row) in (0..).zip(ROWS) {
        let cells: Vec<&str> = row.split(',').collect();
        let transfer = chain.transfer(number).unwrap();
        assert_eq!(transfer.amount.to_string(), cells[6]);
        assert_eq!(Some(transfer.kind), Kind::named(cells[7]));
        assert_eq!(transfer.edge, cells[6] != "0");
        for (account, name) in [(transfer.from, cells[3]), (transfer.to, cells[4])] {
            match name {
                "" => assert_eq!(account, UNKNOWN),
                name => {
                    assert_eq!(chain.account(account), Some(name.as_bytes()));
                    assert_eq!(chain.find_account(name.as_bytes()), Some(account));
                }
            }
        }
        assert_eq!(chain.asset(transfer.asset), Some(cells[5].as_bytes()));
    }
    assert_eq!(chain.find_tx(b"t2"), Some(1));
    assert_eq!(chain.id(1), Some(b"t2".as_slice()));
    assert_eq!(chain.time(2), Some(1_700_000_020));
}

#[test]
fn a_transfer_takes_twenty_bytes_and_wide_amounts_stand_apart() {
    let dir = tempfile::tempdir().unwrap();
    feed(dir.path(), &table(&ROWS), mapping(), 0).unwrap();
    let parts = open(dir.path()).inspect().unwrap().parts;
    let transfer = parts.iter().filter(|part| part.name.starts_with("transfer.") && part.name != "transfer.wide");
    assert_eq!(transfer.map(|part| part.milli_bytes_a_row().unwrap()).sum::<u64>(), 20_000);
    assert_eq!(parts.iter().find(|part| part.name == "transfer.wide").unwrap().rows, 2);
}

#[test]
fn an_asset_that_overflows_or_goes_negative_is_marked_and_never_wraps() {
    let dir = tempfile::tempdir().unwrap();
    let most = u128::MAX.to_string();
    let rows = [
        "1,1,a,,ana,GOOD,100,mint".to_owned(),
        "1,1,a,ana,ben,GOOD,100,transfer".into(),
        "1,1,a,ben,ben,GOOD,100,transfer".into(),
        "1,1,a,ben,ana,SHORT,1,transfer".into(),
        format!("2,1,b,,ana,FULL,{most},mint"),
        "2,1,b,,ana,FULL,1,mint".into(),
        "2,1,b,,cyd,SELF,5,mint".into(),
        "2,1,b,cyd,cyd,SELF,6,transfer".into(),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    feed(dir.path(), &table(&rows), mapping(), 0).unwrap();
    let chain = open(dir.path());
    let standings = chain.standings().unwrap();
    let of = |asset: &str| standings[chain.find_asset(asset.as_bytes()).unwrap() as usize];
    assert_eq!(of("GOOD"), Standing::Sound);
    assert_eq!(of("SHORT"), Standing::Untraceable(Untraceable::Negative, 3));
    assert_eq!(of("FULL"), Standing::Untraceable(Untraceable::Overflow, 5));
    assert_eq!(of("SELF"), Standing::Untraceable(Untraceable::Negative, 7));
    drop(chain);
    let writer = Accounts::open(&dir.path().join("exercise"), Mode::Write).unwrap();
    assert_eq!(writer.standings().unwrap(), standings);
    drop(writer);
    assert_eq!(open(dir.path()).standings().unwrap(), standings, "read back from its file");
}

#[test]
fn a_table_that_grew_goes_on_even_within_its_last_block() {
    let dir = tempfile::tempdir().unwrap();
    feed(dir.path(), &table(&ROWS[..4]), mapping(), 0).unwrap();
    let grown = feed(dir.path(), &table(&ROWS[..5]), mapping(), 0).unwrap();
    assert_eq!((grown.known, grown.blocks, grown.unwound), (2, 1, 0));
    let grown = feed(dir.path(), &table(&ROWS), mapping(), 0).unwrap();
    assert_eq!((grown.known, grown.blocks, grown.unwound), (2, 1, 1));
    let fresh = tempfile::tempdir().unwrap();
    feed(fresh.path(), &table(&ROWS), mapping(), 0).unwrap();
    assert_eq!(open(fresh.path()).head(), open(dir.path()).head());
}

#[test]
fn another_table_about_the_same_blocks_takes_nothing_unasked() {
    let dir = tempfile::tempdir().unwrap();
    feed(dir.path(), &table(&ROWS), mapping(), 100).unwrap();
    let head = open(dir.path()).head();
    let mut changed = ROWS;
    changed[3] = "6,1700000010,t2,cyd,eve,USDX,7,transfer";
    let error = feed(dir.path(), &table(&changed), mapping(), 100).unwrap_err();
    assert!(matches!(error, Error::Fork { common: 5, depth: 2, keep: 0, .. }), "{error}");
    changed = ROWS;
    changed[4] = "9,1700000020,t3,,eve,COIN,1,reward";
    let error = feed(dir.path(), &table(&changed), mapping(), 100).unwrap_err();
    assert!(matches!(error, Error::Fork { common: 6, depth: 1, .. }), "{error}");
    assert_eq!(open(dir.path()).head(), head);
    unwind(&Room::open(dir.path()), &ChainCode::parse("exercise").unwrap(), 6).unwrap();
    let done = feed(dir.path(), &table(&changed), mapping(), 0).unwrap();
    assert_eq!((done.known, done.blocks), (2, 1));
}

#[test]
fn a_chain_with_hashes_of_its_own_is_unwound_exactly() {
    let hashed = |rows: &[&str], hashes: &[u8]| {
        let rows: Vec<String> =
            rows.iter().zip(hashes).map(|(row, hash)| format!("{row},{}", format!("{hash:02x}").repeat(32))).collect();
        std::iter::once(format!("{HEADINGS},hash")).chain(rows).map(|row| row + "\n").collect::<String>()
    };
    let mapping = || Mapping { block_hash: Some("hash".into()), ..mapping() };
    let dir = tempfile::tempdir().unwrap();
    feed(dir.path(), &hashed(&ROWS, &[5, 5, 5, 6, 9, 9]), mapping(), 0).unwrap();
    let mut changed = ROWS;
    changed[3] = "6,1700000010,t2,cyd,eve,USDX,7,transfer";
    let other = hashed(&changed, &[5, 5, 5, 16, 19, 19]);
    let error = feed(dir.path(), &other, mapping(), 1).unwrap_err();
    assert!(matches!(error, Error::Fork { common: 5, depth: 2, keep: 1, .. }), "{error}");
    let done = feed(dir.path(), &other, mapping(), 2).unwrap();
    assert_eq!((done.known, done.unwound, done.blocks), (1, 2, 2));
    let chain = open(dir.path());
    assert_eq!((chain.transfers(), chain.find_account(b"dan")), (6, None));
    assert_eq!(chain.transfer(3).unwrap().to, chain.find_account(b"eve").unwrap());
    assert_eq!(chain.head().unwrap().hash, [0x13; 32]);
    chain.store().verify().unwrap();
}

#[test]
fn without_heights_a_block_is_a_day_in_the_tables_own_zone() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "when;who;whom;sum\n2026-03-01 06:59:59;ana;ben;12.50\n2026-03-01 07:00:00;ana;ben;0.05\n2026-03-02T00:00:00Z;ana;ben;7\n";
    let mapping = Mapping::parse(
        "from = 'who'
to = 'whom'
amount = 'sum'
time = 'when'
asset_is = 'USD'
unit = { decimals = 2 }
zone = '+07:00'
delimiter = ';'",
    )
    .unwrap();
    let loaded = feed(dir.path(), rows, mapping, 0).unwrap();
    assert_eq!((loaded.blocks, loaded.rows), (3, 3));
    let chain = open(dir.path());
    let sums: Vec<_> = (0..3).map(|i| chain.transfer(i).unwrap().amount.to_string()).collect();
    assert_eq!(sums, ["1250", "5", "700"]);
    assert_eq!(chain.time(1), Some(1_772_323_200));
}

#[test]
fn times_are_read_as_the_mapping_says_they_are_written() {
    let base = "from = 'a'\nto = 'b'\namount = 'n'\ntime = 't'\nasset_is = 'THB'\n";
    let cases = [
        ("31/12/2025 23:30", "time_format = '%d/%m/%Y %H:%M'\nzone = 'Asia/Bangkok'", 1_767_198_600),
        ("31/12/2025", "time_format = '%d/%m/%Y'\nzone = 'Asia/Bangkok'", 1_767_114_000),
        ("2025-12-31T23:30+0100", "time_format = '%Y-%m-%dT%H:%M%z'", 1_767_220_200),
        ("2025-10-26 02:30:00", "zone = 'Europe/Berlin'", 1_761_438_600),
        ("2025-10-26 02:30:00 UTC", "zone = 'Europe/Berlin'", 1_761_445_800),
    ];
    for (time, more, seconds) in cases {
        let dir = tempfile::tempdir().unwrap();
        feed(dir.path(), &format!("a,b,n,t\nx,y,1,{time}\n"), Mapping::parse(&format!("{base}{more}")).unwrap(), 0)
            .unwrap();
        assert_eq!(open(dir.path()).time(0), Some(seconds), "{time}");
    }
    let dir = tempfile::tempdir().unwrap();
    let mapping = Mapping::parse(&format!("{base}time_format = '%d/%m/%Y'")).unwrap();
    let error = feed(dir.path(), "a,b,n,t\nx,y,1,12/31/2025\n", mapping, 0).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("time_format"), "{error}");
}

#[test]
fn what_is_wrong_with_a_table_is_named_by_line_and_what_came_before_is_kept() {
    let bad = [
        ("7,1,t,a,b,C,1.5,transfer", "whole number"),
        ("7,1,t,a,b,C,-1,transfer", "whole number"),
        ("7,1,t,a,b,C,NaN,transfer", "whole number"),
        ("7,1,t,a,b,,1,transfer", "asset is not named"),
        ("7,1,t,a,b,C,1,gift", "kind"),
        ("x,1,t,a,b,C,1,transfer", "height"),
        ("7,yesterday,t,a,b,C,1,transfer", "time"),
        ("7,-5,t,a,b,C,1,transfer", "time"),
        ("5,1,t,a,b,C,1,transfer", "order of blocks"),
        ("7,1,t,a,b,C,1", "cells"),
    ];
    for (row, why) in bad {
        let dir = tempfile::tempdir().unwrap();
        let rows = table(&[&ROWS[..4], &[row, "8,1,t,a,b,C,1,transfer"]].concat());
        let error = feed(dir.path(), &rows, mapping(), 0).unwrap_err().to_string();
        assert!(error.contains("table.csv line 6") || why == "order of blocks", "{row}: {error}");
        assert!(error.contains(why), "{row}: {error}");
        assert_eq!(open(dir.path()).store().blocks(), if why == "order of blocks" { 2 } else { 1 }, "{row}");
    }
    let dir = tempfile::tempdir().unwrap();
    let error = feed(dir.path(), "a,b\n1,2\n", mapping(), 0).unwrap_err().to_string();
    assert!(error.contains("no column \"from\""), "{error}");
    let long = format!("{HEADINGS}\n{}\n", "x".repeat(3 << 20));
    assert!(feed(dir.path(), &long, mapping(), 0).unwrap_err().to_string().contains("1 MiB"));
}

#[test]
fn a_chain_takes_only_sources_of_its_own_kind() {
    let dir = tempfile::tempdir().unwrap();
    let room = Room::open(dir.path());
    let blocks = Source::Blocks(Vec::new());
    let error = load(&room, &ChainCode::parse("exercise").unwrap(), &blocks, &Options::default(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(error.unwrap_err().to_string().contains("--mapping"));
    for bad in ["", "BTC", "../up", "1st", "a/b"] {
        assert!(ChainCode::parse(bad).is_err(), "{bad}");
    }
    assert!(
        room.chain(&ChainCode::parse("btc").unwrap(), Mode::Read).unwrap_err().to_string().contains("nothing of btc")
    );
}
