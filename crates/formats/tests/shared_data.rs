//! The real files, where they are at hand: counts that are known from their publishers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use formats::{Format, Item, KeyedIds, Options, Summary};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
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

fn count(format: Format, path: &Path) -> (Summary, BTreeMap<String, u64>) {
    let ids = KeyedIds::new([7; 32]);
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut kinds = BTreeMap::new();
    let summary = formats::read(
        format,
        Box::new(BufReader::new(File::open(path).unwrap())),
        &Options::new(name, &ids),
        &mut |item| {
            if let Item::Object(record) = item {
                *kinds.entry(record.id.split("--").next().unwrap().to_owned()).or_insert(0) += 1;
            }
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    (summary, kinds)
}

#[test]
fn the_sdn_list_gives_all_its_parties_and_documents() {
    let Some(path) = shared("wallets/ofac/sdn_advanced.xml.bz2") else {
        return;
    };
    let (summary, kinds) = count(Format::OfacSdn, &path);
    assert_eq!(summary.bad, 0);
    assert_eq!((kinds["identity"], kinds["identity-document"]), (18_367, 21_078));
    // 761 address features name 745 different addresses.
    assert_eq!(kinds["cryptocurrency-wallet"], 745);
}

#[test]
fn attack_gives_all_its_objects_byte_for_byte() {
    let Some(path) = shared("stix/ics-attack-2.1.json") else {
        return;
    };
    let (summary, _) = count(Format::StixBundle, &path);
    assert_eq!((summary.objects, summary.bad), (1_825, 0));
}

#[test]
fn all_actors_and_the_tags_of_a_pack_are_read() {
    let (Some(actors), Some(pack)) = (
        shared("wallets/tagpacks/actors/graphsense.actorpack.yaml"),
        shared("wallets/tagpacks/packs/usdt_blacklist.yaml"),
    ) else {
        return;
    };
    assert_eq!(count(Format::ActorPack, &actors).0.objects, 3_813);
    let (summary, _) = count(Format::TagPack, &pack);
    assert_eq!(summary.bad, 0);
    assert!(
        summary.notes.iter().any(|(note, count)| note.contains("placeholder") && *count > 0),
        "{:?}",
        summary.notes
    );
}

#[test]
fn every_misp_event_is_read_and_guessed() {
    let Some(folder) = shared("misp/events") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let head = std::fs::read(&path).unwrap();
        assert_eq!(
            formats::guess("event.json", &head[..head.len().min(65_536)]).unwrap(),
            Format::MispEvent,
            "{}",
            path.display()
        );
        assert!(count(Format::MispEvent, &path).0.objects > 0);
    }
}
