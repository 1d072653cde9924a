//! The public tags and OFAC's list, where they are at hand: their publishers' and everybody's known numbers, exactly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::tags::{Job, Source, Tags, coverage, evidence};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("EYE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data").join(path);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

fn load(tags: &mut Tags, file: &Path) -> money::tags::Loaded {
    let job = Job {
        file: file.to_owned(),
        source: Source::Guess(None),
        uri: None,
        author: None,
        collection: None,
        marking: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    tags.load(&job, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|error| panic!("{error}"))
}

fn packs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(packs(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn the_public_packs_count_no_repeat_twice_no_placeholder_and_no_coinjoin_as_a_cluster() {
    let Some(folder) = shared("wallets/tagpacks/packs") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut tags = Tags::open_to_write(dir.path()).unwrap();
    let files = packs(&folder);
    let mut refused = BTreeMap::new();
    for file in &files {
        for one in load(&mut tags, file).refused {
            *refused.entry(one.why).or_insert(0_u64) += 1;
        }
    }
    let all = coverage(&tags, &[], &|_| true);
    assert_eq!((files.len(), all.batches, all.read), (86, 86, 524_170));
    assert_eq!(all.placeholders, 17);
    // Compared as they are spelled 16,058 say again what another says; one more differs from its twin in a blank alone.
    assert_eq!(all.repeats, 16_058 + 1);
    // Misspelled in their packs: EIP-55 3, Base58Check and Bech32 6, no such shape 3, two words 1.
    assert_eq!((refused.values().sum::<u64>(), all.refused), (13, 13), "{refused:?}");
    assert_eq!(all.tags, 524_170 - 16_059 - 17 - 13);
    let network = |code: &str| all.networks.iter().find(|line| line.network == code).unwrap();
    // One of them is said to be bitcoins: the address is TRON's.
    assert_eq!(network("trx").tags + network("trx").repeats, 41);
    let users = tags.batches().find(|info| info.pack == "samourai.yaml").unwrap();
    assert_eq!(users.counts.coinjoin_definers, 36_548);
    let mut numbers = BTreeMap::new();
    let said = evidence(&tags, "btc", &|_| true, |address| {
        let next = numbers.len() as u32;
        Some(*numbers.entry(address.to_owned()).or_insert(next))
    });
    assert!(said.attributions.iter().filter(|one| one.coinjoin).all(|one| !one.defines_cluster));
    assert!(said.attributions.iter().filter(|one| one.coinjoin).count() >= 36_550);
}

#[test]
fn ofacs_rows_have_their_parties_and_a_token_says_no_chain() {
    let (Some(list), Some(rows)) =
        (shared("wallets/ofac/sdn_advanced.xml.bz2"), shared("wallets/ofac/ofac_addresses_with_party.tsv"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut tags = Tags::open_to_write(dir.path()).unwrap();
    let loaded = load(&mut tags, &list);
    println!("{:?}", loaded.batch);
    let text = std::fs::read_to_string(rows).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 761);
    let mut usdt: BTreeMap<String, u32> = BTreeMap::new();
    for row in &rows {
        let answer = tags.show(row[1], &|_| true);
        let currency = if row[0] == "XBT" { "BTC" } else { row[0] };
        let named = answer.statements.iter().find(|one| {
            one.currency == currency
                && one.said_by.iter().any(|saying| saying.actor == Some(format!("ofac:{}", row[3])))
        });
        let named = named.unwrap_or_else(|| panic!("{row:?} {answer:?}"));
        // The list writes family names first, the reader given names.
        let words =
            |name: &str| name.split([' ', ',']).map(str::to_lowercase).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(words(&named.label), words(row[2]));
        if row[0] == "USDT" {
            *usdt.entry(named.network.clone()).or_default() += 1;
        }
    }
    assert_eq!(usdt, BTreeMap::from([("trx".into(), 78), ("evm".into(), 8), ("btc".into(), 7)]));
}

#[test]
fn all_public_actors_are_found_by_their_ids_and_other_names() {
    let Some(pack) = shared("wallets/tagpacks/actors/graphsense.actorpack.yaml") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut tags = Tags::open_to_write(dir.path()).unwrap();
    assert_eq!(load(&mut tags, &pack).batch.unwrap().counts.actors, 3_813);
    let of = |name| tags.actor(name, &|_| true).map(|hit| hit.row.subject.to_owned()).collect::<Vec<_>>();
    assert_eq!((of("0x"), of("0x_api")), (vec!["0x".to_owned()], vec!["0x".to_owned()]));
}
