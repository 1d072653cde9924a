//! Lists of every sort, hostile files, and the real packages where they are at hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use reference::{Error, Library, ListKind, MatchKind};
use std::path::Path;

fn install(dir: &Path, kind: ListKind, name: &str, text: &str) -> Result<reference::Installed, Error> {
    Library::install(dir, kind, name, "test", Box::new(text.as_bytes()))
}

fn matched(library: &Library, kind: &str, value: &str) -> Vec<String> {
    library.listed(kind, value).into_iter().map(|hit| format!("{}: {}", hit.list, hit.matched)).collect()
}

#[test]
fn each_sort_of_warninglist_matches_as_misp_says() {
    let dir = tempfile::tempdir().unwrap();
    let lists = [
        (
            "hosts",
            r#"{"name":"Hosts","type":"hostname","version":3,"list":["big.example",".dot.example"],"matching_attributes":["domain","hostname","url"]}"#,
        ),
        (
            "nets",
            r#"{"list":["198.51.100.0/24","2001:db8::/32","203.0.113.5"],"name":"Nets","type":"cidr","matching_attributes":["ip-src","ip-dst","domain|ip"]}"#,
        ),
        ("words", r#"{"name":"Words","type":"substring","list":["throwaway"]}"#),
        ("shapes", r#"{"name":"Shapes","type":"regex","list":["/^(abuse|noc)\\@.*$/i","("]}"#),
        ("hashes", r#"{"name":"Hashes","type":"string","list":["D41D8CD98F00B204E9800998ECF8427E"]}"#),
    ];
    for (name, text) in lists {
        install(dir.path(), ListKind::Warning, name, text).unwrap();
    }
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(library.lists().len(), 5);
    assert_eq!(matched(&library, "domain", "www.big.example"), ["hosts: big.example"]);
    assert_eq!(matched(&library, "url", "https://x.dot.example/a"), ["hosts: .dot.example"]);
    assert!(matched(&library, "domain", "notbig.example").is_empty());
    assert_eq!(matched(&library, "ipv4", "198.51.100.77"), ["nets: 198.51.100.0-198.51.100.255"]);
    assert_eq!(
        matched(&library, "ipv6-addr", "2001:db8::7"),
        ["nets: 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]
    );
    assert_eq!(matched(&library, "email", "x@throwaway.example"), ["words: throwaway"]);
    assert_eq!(matched(&library, "email", "NOC@somewhere.example").len(), 1);
    assert_eq!(
        matched(&library, "md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ["hashes: D41D8CD98F00B204E9800998ECF8427E"]
    );
}

#[test]
fn a_list_of_telephones_says_nothing_of_wallets() {
    let dir = tempfile::tempdir().unwrap();
    let phones = r#"{"name":"Phones","type":"regex","list":["/5550[0-9]{3}/"],"matching_attributes":["phone-number"]}"#;
    install(dir.path(), ListKind::Warning, "phones", phones).unwrap();
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(matched(&library, "phone", "+6625550100").len(), 1);
    assert!(matched(&library, "evm", "0x5550100098527886e0f7030069857d2e4169ee71").is_empty());
}

#[test]
fn a_block_list_of_mixed_values_matches_each_as_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let text = "# EXERCISE\n0.0.0.0 scam.example\nhttps://free.example/pay\n198.51.100.7\n1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n";
    assert_eq!(install(dir.path(), ListKind::Block, "mixed", text).unwrap().list.matching, MatchKind::Mixed);
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(matched(&library, "domain", "shop.SCAM.example"), ["mixed: scam.example"]);
    assert_eq!(matched(&library, "url", "https://free.example/pay"), ["mixed: https://free.example/pay"]);
    assert!(matched(&library, "domain", "free.example").is_empty(), "a listed page does not list its host");
    assert_eq!(matched(&library, "ipv4", "198.51.100.7"), ["mixed: 198.51.100.7"]);
    assert_eq!(matched(&library, "btc", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT").len(), 1);
    assert!(
        matched(&library, "btc", "1boatslrhtknngkdxeeobr76b53letTPYT").is_empty(),
        "the case of a wallet means something"
    );
}

#[test]
fn honest_names_of_a_phishing_configuration_warn_and_its_black_names_block() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"{"version":2,"tolerance":1,"fuzzylist":["honest.example"],"whitelist":["good.example"],"blacklist":["scam.example"]}"#;
    let installed = install(dir.path(), ListKind::Block, "phishing", text).unwrap();
    assert_eq!(installed.allowed.unwrap().entries, 2);
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(library.listed("domain", "scam.example")[0].what, ListKind::Block);
    assert_eq!(library.listed("domain", "honest.example")[0].what, ListKind::Warning);
}

#[test]
fn a_galaxy_answers_to_names_and_synonyms_in_any_case() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"{"name":"EXERCISE actors","type":"threat-actor","version":1,"values":[
        {"value":"Example Crew","uuid":"u1","description":"EXERCISE","meta":{"synonyms":["The Examples"],"refs":["https://example.com"]}},
        {"value":"Other Crew","meta":{"synonyms":["the examples"]}}]}"#;
    install(dir.path(), ListKind::Galaxy, "actors", text).unwrap();
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(library.galaxy(" THE EXAMPLES ").len(), 2);
    assert_eq!(library.galaxy("example crew")[0].refs, ["https://example.com"]);
    assert!(library.galaxy("nobody").is_empty());
}

#[test]
fn an_empty_file_does_not_take_a_list_away() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), ListKind::Block, "mine", "bad.example\n").unwrap();
    let refused = install(dir.path(), ListKind::Block, "mine", "").unwrap_err().to_string();
    assert!(refused.contains("keeps its 1"), "{refused}");
    assert_eq!(Library::open(dir.path()).unwrap().listed("domain", "bad.example").len(), 1);
    assert!(install(dir.path(), ListKind::Warning, "empty", "").is_ok(), "some published lists are empty");
}

#[test]
fn a_bad_file_leaves_the_installed_list_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), ListKind::Block, "sites", "scam.example\n").unwrap();
    for bad in [r#"{"list":["a.example""#, r#"{"name":"x"}"#, r#"{"type":"nonsense","list":[]}"#] {
        assert!(install(dir.path(), ListKind::Block, "sites", bad).is_err());
    }
    assert!(install(dir.path(), ListKind::Block, "../sites", "a.example").is_err());
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(matched(&library, "domain", "scam.example").len(), 1);
    assert_eq!(std::fs::read_dir(dir.path().join("blocklists")).unwrap().count(), 1);
}

#[test]
fn a_list_that_is_broken_on_disk_is_told_and_the_others_serve() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), ListKind::Block, "one", "scam.example\n").unwrap();
    install(dir.path(), ListKind::Block, "two", "scam.example\n").unwrap();
    std::fs::write(dir.path().join("blocklists/one/hashes"), b"cut off").unwrap();
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(library.broken()[0].0, "one");
    assert_eq!(matched(&library, "domain", "scam.example"), ["two: scam.example"]);
}

#[test]
fn the_gaso_list_is_installed_and_found() {
    let root = std::env::var_os("EYE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), Into::into);
    let path = root.join("data/domains/gaso_scam_domains.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), ListKind::Block, "gaso", &text).unwrap();
    let library = Library::open(dir.path()).unwrap();
    let missed = text
        .lines()
        .filter(|line| !line.is_empty() && !line.contains('/') && library.listed("domain", line).is_empty())
        .count();
    assert_eq!(missed, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_install_or_lookup_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), json in any::<bool>(), value in ".{0,60}") {
        let dir = tempfile::tempdir().unwrap();
        let bytes = if json { [b"{\"type\":\"hostname\",\"list\":[", bytes.as_slice(), b"]}"].concat() } else { bytes };
        for kind in [ListKind::Block, ListKind::Warning, ListKind::Galaxy] {
            let _any = Library::install(dir.path(), kind, "noise", "test", Box::new(bytes.as_slice()));
        }
        let library = Library::open(dir.path()).unwrap();
        prop_assert!(library.broken().is_empty());
        for kind in ["domain", "url", "ipv4", "email", "md5", "phone", "btc"] {
            let _any = library.listed(kind, &value);
        }
        let _any = library.galaxy(&value);
    }
}

#[test]
fn a_list_that_was_taken_away_names_nothing_and_comes_back_with_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let warn = || install(dir.path(), ListKind::Warning, "common", "big.example\n").unwrap();
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    assert!(warn().list.loaded.is_some_and(|at| at > before));
    install(dir.path(), ListKind::Block, "common", "bad.example\n").unwrap();
    assert_eq!(Library::kinds_of(dir.path(), "common").unwrap(), [ListKind::Block, ListKind::Warning]);
    let named = || matched(&Library::open(dir.path()).unwrap(), "domain", "big.example");
    assert_eq!(named().len(), 1);
    assert!(Library::remove(dir.path(), ListKind::Warning, "common").unwrap());
    assert!(!Library::remove(dir.path(), ListKind::Warning, "common").unwrap(), "it is gone already");
    assert!(named().is_empty());
    let library = Library::open(dir.path()).unwrap();
    assert_eq!(library.lists().iter().map(|l| l.kind).collect::<Vec<_>>(), [ListKind::Block]);
    warn();
    assert_eq!(named().len(), 1);
}

#[test]
fn a_name_that_is_none_is_the_names_fault_and_leads_out_of_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("kept")).unwrap();
    for name in ["", "..", "../kept", "a b", ".hidden", "ไทย", &"x".repeat(81)] {
        let why = install(dir.path(), ListKind::Block, name, "bad.example\n").unwrap_err();
        assert!(matches!(why, Error::Name(_)) && why.to_string().contains("is no list's name"), "{why}");
        assert!(matches!(Library::remove(dir.path(), ListKind::Block, name), Err(Error::Name(_))), "{name}");
    }
    assert!(dir.path().join("kept").is_dir());
}

#[test]
fn a_damaged_list_can_be_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), ListKind::Block, "sites", "bad.example\n").unwrap();
    std::fs::write(dir.path().join("blocklists/sites/list.json"), "{").unwrap();
    assert_eq!(Library::open(dir.path()).unwrap().broken().len(), 1);
    assert_eq!(Library::kinds_of(dir.path(), "sites").unwrap(), [ListKind::Block]);
    assert!(Library::remove(dir.path(), ListKind::Block, "sites").unwrap());
    assert!(Library::open(dir.path()).unwrap().broken().is_empty());
}
