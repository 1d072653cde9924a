//! What holds for every file of a world.

use crate::score::Truth;
use crate::truth::{Line, ReportTruth, Role};
use crate::{Plan, WorldError, phones, small, wallets, write};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn plan() -> Plan {
    Plan { seed: 3, agencies: 8, months: 4, objects: 3000, ..Plan::default() }
}

fn world(plan: &Plan) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(plan, dir.path(), &mut |_, _| ()).unwrap();
    dir
}

/// Every file by its name relative to the world, with its text.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_string_lossy().replace('\\', "/");
                out.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    out
}

fn digest(dir: &Path) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files(dir) {
        hash.update(format!("{name}\0{}\0{text}", text.len()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reports(files: &BTreeMap<String, String>) -> Vec<ReportTruth> {
    let lines = files["truth.jsonl"].lines().map(|line| serde_json::from_str(line).unwrap());
    lines.filter_map(|line| if let Line::Report(report) = line { Some(report) } else { None }).collect()
}

fn stix_objects(files: &BTreeMap<String, String>) -> Vec<Value> {
    let bundles = files.iter().filter(|(name, _)| name.contains("-police/"));
    let objects = bundles.map(|(_, text)| serde_json::from_str::<Value>(text).unwrap()["objects"].clone());
    objects.flat_map(|objects| objects.as_array().unwrap().clone()).collect()
}

/// Undoes every disguise: native and full-width digits, `hxxp`, `[.]`, spaces and dashes between digits.
fn plain(text: &str) -> String {
    let digit = |c: char| {
        let zeros = ['0', '０', '๐', '०', '០'];
        let value = zeros.iter().find_map(|&zero| u32::from(c).checked_sub(u32::from(zero)).filter(|&d| d < 10));
        value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
    };
    text.chars().map(digit).collect::<String>().replace("hxxp", "http").replace("[.]", ".").replace("[@]", "@")
}

/// The same without what separates groups of digits and letters.
fn tight(text: &str) -> String {
    plain(text).replace([' ', '-'], "")
}

#[test]
fn equal_plans_give_equal_bytes_and_other_seeds_other_worlds() {
    let (first, again) = (world(&plan()), world(&plan()));
    assert_eq!(digest(first.path()), digest(again.path()));
    let other = world(&Plan { seed: 4, ..plan() });
    assert_ne!(digest(first.path()), digest(other.path()));
    // The bytes of a plan are pinned: whoever changes them changes every stored result that names a seed.
    let pinned = world(&Plan { seed: 7, objects: 500, ..Plan::default() });
    assert_eq!(digest(pinned.path()), PINNED);
}

const PINNED: &str = "7bb7fd01fa23e101a4b6356e82a057727c554f7dae05db8ceaec332a5882cb15";

#[test]
fn a_folder_of_somebody_elses_is_refused_and_an_older_world_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let refused = write(&plan(), dir.path(), &mut |_, _| ());
    assert!(matches!(refused, Err(WorldError::NotEmpty(_))), "{refused:?}");
    assert_eq!(fs::read_to_string(dir.path().join("notes.txt")).unwrap(), "mine");

    let old = world(&Plan { seed: 9, months: 9, agencies: 12, ..plan() });
    write(&plan(), old.path(), &mut |_, _| ()).unwrap();
    assert_eq!(digest(old.path()), digest(world(&plan()).path()));

    fs::write(old.path().join("mine.txt"), "mine").unwrap();
    assert!(write(&plan(), old.path(), &mut |_, _| ()).is_err());
}

#[test]
fn a_plan_out_of_bounds_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let plans = [
        Plan { agencies: 0, ..plan() },
        Plan { agencies: 41, ..plan() },
        Plan { months: 0, ..plan() },
        Plan { objects: 0, ..plan() },
    ];
    for plan in plans {
        assert!(matches!(write(&plan, dir.path(), &mut |_, _| ()), Err(WorldError::Plan(_))), "{plan:?}");
    }
}

#[test]
fn every_value_is_reserved_or_void_and_its_checksum_right_unless_it_is_a_typo() {
    let dir = world(&plan());
    let mut seen = BTreeSet::new();
    for report in reports(&files(dir.path())) {
        for name in report.names {
            let (value, typo) = (name.value.as_str(), name.role == Role::Typo);
            match name.selector.as_str() {
                "phone" => assert!(phones::reserved(value), "{value}"),
                "wallet" => assert_eq!(wallets::valid(value), !typo, "{value}"),
                "iban" => {
                    assert_eq!(value.parse::<iban::Iban>().is_ok(), !typo, "{value}");
                    assert!(["EXER", "TEST"].contains(&&value[4..8]), "{value}");
                }
                "email" | "domain" => {
                    assert!([".example", ".test", "@example.com"].iter().any(|end| value.ends_with(end)), "{value}");
                }
                "telegram" | "line" | "wechat" => assert!(value.starts_with("exercise"), "{value}"),
                other => panic!("unknown kind {other}"),
            }
            seen.insert(name.selector);
        }
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn no_file_holds_a_domain_or_phone_number_that_is_not_reserved() {
    for (file, text) in files(world(&plan()).path()) {
        // They speak of files, ranges and columns.
        if file == "README.md" || file.ends_with("mapping.toml") {
            continue;
        }
        let text = plain(&text);
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')) {
            let Some((head, top)) = word.trim_matches('.').rsplit_once('.') else { continue };
            let lettered = top.len() > 1 && top.chars().all(|c| c.is_ascii_alphabetic());
            let known = ["example", "test", "json", "csv", "txt", "yaml"].contains(&top);
            assert!(!lettered || known || head.ends_with("example") && top == "com", "{file}: {word}");
        }
        for (at, _) in text.match_indices('+') {
            let rest = text[at + 1..].chars().take_while(|c| c.is_ascii_digit() || " -".contains(*c));
            let digits: String = rest.filter(char::is_ascii_digit).collect();
            assert!(digits.is_empty() || phones::reserved(&format!("+{digits}")), "{file}: +{digits}");
        }
    }
}

#[test]
fn everything_says_exercise() {
    let files = files(world(&plan()).path());
    for object in stix_objects(&files) {
        let (kind, text) = (object["type"].as_str().unwrap(), object.to_string());
        if kind == "marking-definition" {
            continue;
        }
        assert_eq!(object["labels"], serde_json::json!(["exercise"]), "{text}");
        for field in ["name", "description", "text"] {
            let written = object[field].as_str().is_none_or(|text| text.starts_with("EXERCISE"));
            assert!(written || kind == "extension-definition" && field == "name", "{field}: {text}");
        }
    }
    for (name, text) in &files {
        let records: Vec<&str> = match name {
            name if name.ends_with("mapping.toml") || name == "README.md" || name.starts_with("reference/") => {
                vec![text]
            }
            name if name.ends_with(".csv") => text.lines().skip(1).collect(),
            name if name.ends_with(".yaml") => text.split("- address").collect(),
            name if name.contains("-csirt/") => {
                assert!(text.contains("\"info\":\"EXERCISE"), "{name}");
                text.split("\"category\"").skip(1).collect()
            }
            name if name.contains("-exchange/") => text.lines().collect(),
            name if name.contains("-consulate/") => vec![&text[..8]],
            _ => continue,
        };
        for record in records {
            assert!(record.contains("EXERCISE"), "{name}: {record}");
        }
    }
}

#[test]
fn the_truth_agrees_with_the_files() {
    let files = files(world(&plan()).path());
    let objects = stix_objects(&files);
    let by_id: BTreeMap<&str, &Value> = objects.iter().map(|object| (object["id"].as_str().unwrap(), object)).collect();
    let reports = reports(&files);
    let truth = Truth::of(reports.clone());
    let mut kinds = BTreeSet::new();
    for report in &reports {
        let text = &files[&report.file];
        let kind = report.file.rsplit_once('-').unwrap().0.to_owned();
        let record = if report.file.contains("-police/") {
            let object = by_id[report.stix.as_deref().unwrap()];
            for id in &report.objects {
                assert!(by_id.contains_key(id.as_str()), "{id}");
                assert_eq!(truth.report(id), Some(report.id.as_str()));
            }
            object["description"].as_str().unwrap().to_owned()
        } else {
            match report.at {
                None => text.clone(),
                Some(at) if report.file.ends_with(".yaml") => text.split("- address").nth(at as usize).unwrap().into(),
                Some(at) if report.file.ends_with(".csv") => text.lines().nth(at as usize).unwrap().into(),
                Some(at) => text.lines().nth(at as usize - 1).unwrap().into(),
            }
        };
        assert!(record.contains(&report.id), "{} in {record}", report.id);
        for name in &report.names {
            assert!(tight(&record).contains(&tight(&name.value)), "{name:?} in {record}");
            assert!(name.role != Role::Genuine || report.syndicate.is_some(), "{report:?}");
        }
        kinds.insert(kind.split('/').next().unwrap().to_owned());
        assert_eq!(truth.report(&report.id), Some(report.id.as_str()));
    }
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

#[test]
fn an_exchange_lists_a_wallet_once() {
    let files = files(world(&Plan { objects: 20_000, ..plan() }).path());
    let lists = files.iter().filter(|(name, _)| name.contains("-exchange/"));
    let lines = lists.flat_map(|(_, text)| text.lines().filter(|line| !line.starts_with('#')));
    let mut seen = BTreeSet::new();
    for line in lines {
        assert!(seen.insert(line.split(' ').next().unwrap()), "{line}");
    }
    assert!(seen.len() > 50);
}

#[test]
fn stix_is_of_the_shape_that_the_node_takes() {
    let files = files(world(&plan()).path());
    let mut kinds = BTreeSet::new();
    for object in stix_objects(&files) {
        let text = object.to_string();
        stix::parse_header(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_ne!(stix::check_deterministic_id(&object), stix::IdCheck::Wrong, "{text}");
        kinds.insert(object["type"].as_str().unwrap().to_owned());
    }
    for kind in ["incident", "report", "lure", "infrastructure", "location", "threat-actor", "intrusion-set"] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
}

#[test]
fn the_other_formats_parse() {
    for (name, text) in files(world(&plan()).path()) {
        if name.ends_with(".yaml") {
            let pack: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(pack["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{name}");
        } else if name.ends_with(".toml") {
            let mapping = text.parse::<toml::Table>().unwrap();
            let objects = mapping["object"].as_table().unwrap().values();
            let mapped: BTreeSet<&String> =
                objects.flat_map(|object| object["columns"].as_table().unwrap().keys()).collect();
            let columns: BTreeSet<String> = crate::other_files::COLUMNS.map(str::to_owned).into();
            assert!(mapped.into_iter().eq(&columns));
        } else if name.ends_with(".json") {
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{name}");
        } else if name.ends_with(".csv") {
            let rows = csv::Reader::from_reader(text.as_bytes()).into_records().collect::<Result<Vec<_>, _>>();
            assert!(rows.is_ok_and(|rows| !rows.is_empty()), "{name}");
        }
    }
}

#[test]
fn the_small_world_shows_links_between_agencies_at_first_sight() {
    for seed in 1..=5 {
        let objects: Vec<Value> = small(seed).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        assert!((150..=300).contains(&objects.len()), "{}", objects.len());
        let mut ids = BTreeSet::new();
        let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for object in &objects {
            assert!(ids.insert(object["id"].as_str().unwrap().to_owned()));
            let kind = object["type"].as_str().unwrap();
            assert!(kind == "marking-definition" || object["labels"][0] == "exercise", "{object}");
        }
        for report in objects.iter().filter(|object| object["type"] == "report") {
            for id in report["object_refs"].as_array().unwrap() {
                let id = id.as_str().unwrap();
                assert!(ids.contains(id), "{id} of {report}");
                let agency = report["created_by_ref"].as_str().unwrap();
                holders.entry(id.to_owned()).or_default().insert(agency.to_owned());
            }
        }
        let across = holders.values().filter(|agencies| agencies.len() > 1).count();
        assert!(across >= 5, "seed {seed}: only {across} observables in reports of two agencies");
        assert_eq!(small(seed), small(seed));
    }
    assert_ne!(small(1), small(2));
}
