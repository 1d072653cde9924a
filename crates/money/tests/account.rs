//! What an address received and paid: every entry once, however it is paged, and its last sum is the balance. A chain's bytes are
//! what was written, or it is said where they are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod core_files;

use core_files::Maker;
use money::ask::{EntryLine, Named, account};
use money::chain::{Chain, ChainCode, Mapping, Options, Room, Source, load};
use money::cli::{balances, verify_lines};
use money::columns::Mode;
use std::ops::ControlFlow;
use std::path::Path;

fn load_all(dir: &Path, code: &str, source: &Source) {
    let code = ChainCode::parse(code).unwrap();
    load(&Room::open(dir), &code, source, &Options::default(), &mut |_| ControlFlow::Continue(())).unwrap();
}

fn open(dir: &Path, code: &str) -> Named {
    Named::open(&Room::open(dir), &ChainCode::parse(code).unwrap()).unwrap()
}

/// All entries, in pages of `limit`.
fn paged(chain: &Named, who: &str, asset: Option<&str>, limit: usize) -> Vec<EntryLine> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let page = account(chain, (who, asset), (from, limit)).unwrap();
        all.extend(page.entries);
        match page.next {
            Some(next) => from = next,
            None => return all,
        }
    }
}

/// So many transfers among seven accounts in three assets, some to oneself and some of nothing, after everybody got much.
fn table(dir: &Path, transfers: u64) {
    let mut rows = String::from("from,to,asset,amount,time,tx\n");
    for who in 0..7 {
        for asset in ["x", "y", "z"] {
            rows += &format!(",a{who},{asset},1000000,1000,mint\n");
        }
    }
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for n in 0..transfers {
        let (from, to, asset, amount) = (next(7), next(7), ["x", "y", "z"][next(3) as usize], next(50));
        rows += &format!("a{from},a{to},{asset},{amount},{},t{}\n", 2_000 + n * 300, n / 3);
    }
    let file = dir.join("t.csv");
    std::fs::write(&file, rows).unwrap();
    let mapping = "from='from'\nto='to'\namount='amount'\ntime='time'\ntx='tx'\nasset='asset'";
    load_all(dir, "exercise", &Source::Transfers { file, mapping: Box::new(Mapping::parse(mapping).unwrap()) });
}

#[test]
fn pages_of_an_account_hold_every_transfer_once_and_the_last_sum_is_the_balance() {
    let dir = tempfile::tempdir().unwrap();
    table(dir.path(), 400);
    let chain = open(dir.path(), "exercise");
    let Named::Accounts(accounts, _) = &chain else { panic!("accounts") };
    for who in 0..7 {
        let name = format!("a{who}");
        let number = chain.address(&name).unwrap();
        let touches = |n: &u64| accounts.transfer(*n).is_some_and(|one| one.from == number || one.to == number);
        let expected: Vec<u64> = (0..accounts.transfers()).filter(touches).collect();
        for limit in [1, 7, 50, 10_000] {
            let numbers: Vec<u64> = paged(&chain, &name, None, limit).iter().map(|entry| entry.number).collect();
            assert_eq!(numbers, expected, "{name} in pages of {limit}");
        }
        for asset in ["x", "y", "z"] {
            let entries = paged(&chain, &name, Some(asset), 7);
            assert!(entries.iter().all(|entry| entry.asset == asset));
            let told =
                &balances(&Room::open(dir.path()), &ChainCode::parse("exercise").unwrap(), (&name, Some(asset)), None);
            assert_eq!(entries.last().unwrap().left, told.as_ref().unwrap()[0].sum);
        }
        let all = paged(&chain, &name, None, 50);
        assert!(all.iter().all(|entry| entry.counts == (entry.way != "self" && entry.amount != "0")), "{all:?}");
        assert!(
            all.iter().filter(|entry| entry.way == "in" && entry.tx != "mint").all(|entry| entry.others.len() == 1)
        );
    }
    assert!(account(&chain, ("nobody", None), (0, 5)).unwrap_err().to_string().contains("not on record"));
    assert!(account(&chain, ("a1", Some("w")), (0, 5)).unwrap_err().to_string().contains("asset is not on record"));
}

#[test]
fn pages_of_a_coins_address_are_what_its_transactions_say() {
    let dir = tempfile::tempdir().unwrap();
    let blocks = Maker::new().varied_chain();
    let files = dir.path().join("blocks");
    core_files::write(&files, 0, &blocks, None, true);
    load_all(dir.path(), "btc-regtest", &Source::Blocks(vec![files]));
    let chain = open(dir.path(), "btc-regtest");
    let Named::Utxo(utxo, _) = &chain else { panic!("coins") };
    let mut seen = 0;
    for address in 0..utxo.addresses() as u32 {
        let name = chain.text(address);
        let mut expected = Vec::new();
        for tx in 0..utxo.txs() {
            let spends: Vec<_> = utxo.inputs_of(tx).filter_map(|input| utxo.input(input)).collect();
            let own: Vec<u64> =
                spends.iter().filter(|one| one.address == address).map(|one| one.value.unwrap()).collect();
            let got: u64 = utxo
                .outputs_of(tx)
                .filter_map(|n| utxo.output(n))
                .filter(|one| one.0 == address)
                .map(|one| one.1)
                .sum();
            if !own.is_empty() {
                expected.push((tx, "out", own.iter().sum::<u64>().to_string()));
            }
            if got > 0 {
                expected.push((tx, "in", got.to_string()));
            }
        }
        for limit in [1, 3, 100] {
            let told = paged(&chain, &name, None, limit);
            let told: Vec<_> = told.into_iter().map(|entry| (entry.number, entry.way, entry.amount)).collect();
            assert_eq!(told, expected, "{name} in pages of {limit}");
        }
        seen += expected.len();
    }
    assert!(seen > 20);
}

#[test]
fn a_flipped_bit_of_a_column_or_a_history_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    table(dir.path(), 70_000);
    let (room, code) = (Room::open(dir.path()), ChainCode::parse("exercise").unwrap());
    {
        let Chain::Accounts(mut accounts) = room.chain(&code, Mode::Write).unwrap() else { panic!("accounts") };
        accounts.settle().unwrap();
    }
    let look = || verify_lines(&room, None).unwrap().remove(0).damaged;
    assert_eq!(look(), None);
    let mut found = (0, 0);
    for entry in std::fs::read_dir(dir.path().join("exercise")).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let whole = std::fs::read(&path).unwrap();
        let column = name.starts_with("amount") || name.starts_with("transfer.") || name.starts_with("from");
        let history = name.starts_with("history.") && name.ends_with(".run");
        if whole.is_empty() || !(column || history) {
            continue;
        }
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let damaged = look();
        assert!(damaged.is_some_and(|why| why.contains(if history { "derived" } else { "checksum" })), "{name}");
        std::fs::write(&path, whole).unwrap();
        found = (found.0 + u8::from(column), found.1 + u8::from(history));
    }
    assert!(found.0 > 0 && found.1 > 0, "{found:?}");
    assert_eq!(look(), None);
}
