//! The store of tags: what is kept, refused, counted once, shown side by side, removed whole, and who may see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::tags::{BatchInfo, Counts, Job, Loaded, Source, Tags, coverage, evidence};
use std::ops::ControlFlow;
use std::path::Path;

const BTC: &str = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";
const EVM: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const TRX: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
const HEAD: &str =
    "title: EXERCISE pack\ncreator: EXERCISE bureau\nsource: https://tags.example/pack\nlastmod: 2025-03-01\n";

fn job(dir: &Path, name: &str, text: &str) -> Job {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    Job {
        file,
        source: Source::Guess(None),
        uri: Some("https://packs.example/".into()),
        author: None,
        collection: None,
        marking: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn go(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn all(_: &BatchInfo) -> bool {
    true
}

/// A store with these packs, `HEAD` and then the text.
fn store(dir: &Path, packs: &[&str]) -> (Tags, Vec<Loaded>) {
    let mut tags = Tags::open_to_write(dir).unwrap();
    let mut loaded = Vec::new();
    for (n, pack) in packs.iter().enumerate() {
        loaded.push(tags.load(&job(dir, &format!("pack{n}.yaml"), &format!("{HEAD}{pack}")), &mut go).unwrap());
    }
    (tags, loaded)
}

fn counts(loaded: &Loaded) -> Counts {
    loaded.batch.as_ref().unwrap().counts
}

#[test]
fn a_tag_inherits_from_the_header_and_carries_its_provenance() {
    let dir = tempfile::tempdir().unwrap();
    let pack = format!(
        "currency: BTC\nlabel: EXERCISE desk\nconfidence: forensic\nis_public: true\ntags:\n- address: {BTC}\n  category: otc_desk\n  \
         concepts: [money_mule]\n  context: '{{\"note\": 1}}'\n- address: {TRX}\n  currency: USDT\n  label: EXERCISE pool\n  \
         confidence: web_crawl\n  lastmod: 2025-04-02\n"
    );
    let (tags, loaded) = store(dir.path(), &[&pack]);
    assert_eq!(counts(&loaded[0]).tags, 2);
    let answer = tags.show(BTC, &all);
    let (statement, saying) = (&answer.statements[0], &answer.statements[0].said_by[0]);
    assert_eq!((statement.network.as_str(), statement.label.as_str()), ("btc", "EXERCISE desk"));
    assert_eq!(saying.concepts, ["otc_desk", "money_mule"]);
    assert_eq!(saying.broader, ["exchange", "service", "money_laundering", "user"]);
    assert_eq!((saying.confidence.as_deref(), saying.level, saying.class), (Some("forensic"), Some(50), "attributed"));
    assert_eq!((saying.author.as_deref(), saying.title.as_deref()), (Some("EXERCISE bureau"), Some("EXERCISE pack")));
    assert_eq!((saying.uri.as_deref(), saying.number), (Some("https://packs.example/"), 1));
    assert_eq!(saying.source.as_deref(), Some("https://tags.example/pack"));
    assert!(saying.lastmod.as_deref().unwrap().starts_with("2025-03-01") && saying.context.is_some());
    let other = &tags.show(TRX, &all).statements[0];
    assert_eq!((other.network.as_str(), other.said_by[0].level), ("trx", Some(20)));
    assert!(other.said_by[0].lastmod.as_deref().unwrap().starts_with("2025-04-02"));
    assert_eq!(tags.batches().next().unwrap().is_public, Some(true));
    assert!(tags.show("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", &all).statements.is_empty());
}

#[test]
fn what_several_say_counts_once_and_both_are_shown_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let one = format!("currency: BTC\nlabel: EXERCISE shop\ntags:\n- address: {BTC}\n  confidence: web_crawl\n");
    let two = format!("currency: BTC\nlabel: EXERCISE shop\ntags:\n- address: {BTC}\n  confidence: authority_data\n");
    let (mut tags, _) = store(dir.path(), &[&one, &two]);
    let answer = tags.show(BTC, &all);
    assert_eq!(answer.statements.len(), 1);
    let levels: Vec<_> = answer.statements[0].said_by.iter().map(|saying| saying.level).collect();
    assert_eq!(levels, [Some(60), Some(20)], "each its own, none between");
    let all_of = |tags: &Tags| {
        let all = coverage(tags, &[], &all);
        (all.read, all.tags, all.repeats)
    };
    assert_eq!(all_of(&tags), (2, 1, 1));
    tags.remove(1).unwrap();
    assert_eq!(all_of(&tags), (1, 1, 0), "the other counts from now on");
}

#[test]
fn contradictions_are_listed_with_who_says_what() {
    let dir = tempfile::tempdir().unwrap();
    let actors = "title: t\ncreator: c\nactors:\n- id: exercise_bank\n  label: EXERCISE bank\n  aliases: [exbank]\n  \
                  categories: [exchange]\n  jurisdictions: [TH]\n";
    let pack = |label: &str, actor: &str, category: &str| {
        format!("currency: BTC\nlabel: {label}\nactor: {actor}\ncategory: {category}\ntags:\n- address: {BTC}\n")
    };
    let (mut tags, _) = store(
        dir.path(),
        &[
            &pack("EXERCISE a", "exercise_bank", "exchange"),
            &pack("EXERCISE b", "exbank", "exchange"),
            &pack("EXERCISE c", "exercise_mixer", "mixing_service"),
            &pack("EXERCISE d", "exercise_bank", "collection_address"),
        ],
    );
    tags.load(&job(dir.path(), "actors.yaml", actors), &mut go).unwrap();
    let answer = tags.show(BTC, &all);
    assert_eq!(answer.statements.len(), 4);
    let about: Vec<_> = answer.conflicts.iter().map(|conflict| conflict.about).collect();
    assert_eq!(about, ["actor", "category", "owner"]);
    let actors = &answer.conflicts[0].said;
    assert_eq!(*actors, [("exercise_bank".to_owned(), vec![1, 2, 4]), ("exercise_mixer".to_owned(), vec![3])]);
    let saying = answer.statements.iter().find(|one| one.label == "EXERCISE b").unwrap().said_by[0].clone();
    assert_eq!((saying.actor_name.as_deref(), saying.jurisdictions), (Some("EXERCISE bank"), vec!["TH".to_owned()]));
}

#[test]
fn a_coinjoins_tag_is_kept_and_defines_no_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let users = format!(
        "currency: BTC\nlabel: EXERCISE wallet\nis_cluster_definer: true\ntags:\n- address: {BTC}\n  category: coinjoin\n\
         - address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n  actor: exercise_exchange\n  category: exchange\n"
    );
    let (tags, loaded) = store(dir.path(), &[&users]);
    assert_eq!((counts(&loaded[0]).tags, counts(&loaded[0]).coinjoin_definers), (2, 1));
    assert_eq!(tags.show(BTC, &all).statements[0].said_by[0].defines_cluster, "refused");
    let known = [BTC, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"];
    let said = evidence(&tags, "btc", &all, |address| Some(known.iter().position(|one| *one == address)? as u32));
    let defines: Vec<_> =
        said.attributions.iter().map(|one| (one.address, one.coinjoin, one.defines_cluster)).collect();
    assert_eq!(defines, [(0, true, false), (1, false, true)]);
    assert_eq!((said.parties.len(), said.links.len()), (2, 0));
    let line = &coverage(&tags, &[], &all).networks[0];
    assert_eq!((line.definers, line.refused_definers), (1, 1));
}

#[test]
fn what_is_misspelled_is_refused_by_number_and_what_nobody_holds_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let pack = format!(
        "currency: ETH\nlabel: EXERCISE\ntags:\n- address: '{EVM}'\n- address: '{}'\n- address: '0x0000000000000000000000000000000000000018'\n\
         - address: 'two words'\n- {{}}\n- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyU\n  currency: BTC\n- address: {TRX}\n  currency: BTC\n",
        EVM.replace("BeAed", "BeAeD")
    );
    let (tags, loaded) = store(dir.path(), &[&pack]);
    let counted = counts(&loaded[0]);
    assert_eq!((counted.tags, counted.placeholders, counted.refused, counted.misnamed), (2, 1, 4, 1));
    let said: Vec<_> = loaded[0].refused.iter().map(|one| (one.at.as_str(), one.why.as_str())).collect();
    for (at, why) in [("tag 2", "EIP-55"), ("tag 4", "one word"), ("tag 5", "tx_hash"), ("tag 6", "checksum")] {
        assert!(said.iter().any(|(place, said)| place.contains(at) && said.contains(why)), "{at} {why} in {said:?}");
    }
    let trx = tags.show(TRX, &all);
    assert!(trx.statements[0].network == "trx" && trx.statements[0].said_by[0].misnamed);
    assert!(tags.show("1BoatSLRHtKNngkdXEeobR76b53LETtpyU", &all).wrong.unwrap().contains("checksum"));
}

#[test]
fn an_address_that_looks_like_a_tagged_one_is_warned_of_and_the_same_partys_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let address = |middle: &str| format!("0xabcd{}ef01", middle.repeat(32));
    let pack = format!(
        "currency: ETH\ntags:\n- address: '{}'\n  label: EXERCISE exchange\n- address: '{}'\n  label: EXERCISE exchange\n\
         - address: '{}'\n  label: EXERCISE poisoner\n",
        address("1"),
        address("2"),
        address("3"),
    );
    let (tags, _) = store(dir.path(), &[&pack]);
    let alike = |asked: &str| tags.show(asked, &all).look_alikes.into_iter().map(|one| one.address).collect::<Vec<_>>();
    assert_eq!(alike(&address("4")), [address("1"), address("2"), address("3")], "nothing is known of it but this");
    assert_eq!(alike(&address("1")), [address("3")]);
    assert_eq!(alike(&address("3")), [address("1"), address("2")]);
    assert!(alike(EVM).is_empty());
}

#[test]
fn who_may_not_see_a_batch_sees_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let pack =
        |address: &str, label: &str| format!("{HEAD}currency: ETH\nlabel: {label}\ntags:\n- address: '{address}'\n");
    let mut tags = Tags::open_to_write(dir.path()).unwrap();
    tags.load(&job(dir.path(), "open.yaml", &pack(EVM, "EXERCISE open")), &mut go).unwrap();
    let mut closed = job(dir.path(), "closed.yaml", &pack(EVM, "EXERCISE closed"));
    (closed.collection, closed.marking) = (Some("unit".into()), Some("amber".into()));
    tags.load(&closed, &mut go).unwrap();
    let outsider = |batch: &BatchInfo| batch.collection.is_none();
    let labels = |sees: &dyn Fn(&BatchInfo) -> bool| {
        tags.show(EVM, sees).statements.into_iter().map(|one| one.label).collect::<Vec<_>>()
    };
    assert_eq!(labels(&outsider), ["EXERCISE open"]);
    assert_eq!(labels(&all).len(), 2);
    assert_eq!((coverage(&tags, &[], &outsider).tags, coverage(&tags, &[], &all).tags), (1, 2));
    let sayings = tags.show(EVM, &all).statements.into_iter().flat_map(|one| one.said_by);
    let carried: Vec<_> = sayings.filter_map(|saying| Some((saying.collection?, saying.marking?))).collect();
    assert_eq!(carried, [("unit".to_owned(), "amber".to_owned())]);
    let alike = format!("0x5aae{}beaed", "1".repeat(31));
    assert!(!tags.show(&alike, &all).look_alikes.is_empty() && tags.show(&alike, &|_| false).look_alikes.is_empty());
}

#[test]
fn a_batch_is_there_whole_or_not_at_all_and_leaves_nothing_when_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let good = format!("currency: BTC\nlabel: EXERCISE\ntags:\n- address: {BTC}\n");
    let (mut tags, _) = store(dir.path(), &[&good]);
    let files = || std::fs::read_dir(dir.path().join("_tags")).unwrap().count();
    let before = files();
    let broken = job(dir.path(), "broken.yaml", &format!("{HEAD}{good}- address: [\n"));
    let error = tags.load(&broken, &mut go).unwrap_err().to_string();
    assert!(error.contains("broken.yaml") && error.contains("nothing of it was kept"), "{error}");
    let late = job(
        dir.path(),
        "late.yaml",
        &format!("{HEAD}label: x\ntags:\n- address: {BTC}\n  currency: BTC\ncurrency: LTC\n"),
    );
    assert!(tags.load(&late, &mut go).unwrap_err().to_string().contains("move it above"));
    let mut many = format!("{HEAD}currency: EOS\nlabel: EXERCISE\ntags:\n");
    (0..3_000).for_each(|n| many.push_str(&format!("- address: exercise{n}\n")));
    let stopped = tags.load(&job(dir.path(), "many.yaml", &many), &mut |_| ControlFlow::Break(())).unwrap();
    assert!(stopped.stopped && stopped.batch.is_none());
    assert_eq!(files(), before);
    let again = tags.load(&job(dir.path(), "again.yaml", &format!("{HEAD}{good}")), &mut go).unwrap();
    assert_eq!((again.known, again.batch), (Some(1), None), "the same bytes under another name");
    let newer = tags.load(&job(dir.path(), "pack0.yaml", &format!("{HEAD}{good}# newer\n")), &mut go).unwrap();
    assert_eq!((newer.older, newer.batch.unwrap().id), (Some(1), 2));
    assert!(Tags::open_to_write(dir.path()).unwrap_err().to_string().contains("loads or removes tags"));
    let reader = Tags::open(dir.path()).unwrap();
    assert_eq!(tags.remove(1).unwrap().pack, "pack0.yaml");
    assert_eq!(reader.show(BTC, &all).statements[0].said_by.len(), 2, "who reads keeps what was there when it opened");
    assert_eq!(Tags::open(dir.path()).unwrap().batches().map(|info| info.id).collect::<Vec<_>>(), [2]);
    tags.remove(2).unwrap();
    assert_eq!(files(), 2, "lock and manifest");
    assert!(tags.remove(2).unwrap_err().to_string().contains("no batch 2"));
    drop(tags);
    let third =
        Tags::open_to_write(dir.path()).unwrap().load(&job(dir.path(), "p.yaml", &format!("{HEAD}{good}")), &mut go);
    assert_eq!(third.unwrap().batch.unwrap().id, 3, "no number is used twice");
}

#[test]
fn what_a_broken_off_load_left_is_swept_and_a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (tags, _) = store(dir.path(), &[&format!("currency: BTC\nlabel: EXERCISE\ntags:\n- address: {BTC}\n")]);
    drop(tags);
    let folder = dir.path().join("_tags");
    for left in ["2.rows", "2.subject.run", "2.subject.run.0.part", "9.text"] {
        std::fs::write(folder.join(left), "x").unwrap();
    }
    let tags = Tags::open_to_write(dir.path()).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 6, "lock, manifest, four files");
    assert!(tags.damaged().is_empty());
    drop(tags);
    let text = folder.join("1.text");
    let mut bytes = std::fs::read(&text).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&text, &bytes).unwrap();
    assert_eq!(Tags::open(dir.path()).unwrap().damaged().len(), 1);
    std::fs::write(&text, &bytes[1..]).unwrap();
    let error = Tags::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("1.text") && error.contains("eye money tags remove 1"), "{error}");
    let mut writer = Tags::open_to_write(dir.path()).unwrap();
    assert_eq!(writer.remove(1).unwrap().id, 1, "what it says to do can be done");
    drop(writer);
    assert_eq!(Tags::open(dir.path()).unwrap().batches().count(), 0);
    let manifest = folder.join("manifest");
    let written = std::fs::read_to_string(&manifest).unwrap().replace("\"version\": 1", "\"version\": 2");
    std::fs::write(&manifest, written).unwrap();
    assert!(Tags::open(dir.path()).unwrap_err().to_string().contains("version 2"));
}

#[test]
fn aliases_that_explode_and_files_that_hold_no_tags_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut tags = Tags::open_to_write(dir.path()).unwrap();
    let mut bomb = format!("{HEAD}a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f"), ("h", "g")] {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(",")));
    }
    bomb.push_str(&format!("label: x\ntags:\n- address: {BTC}\n"));
    let cases = [
        ("bomb.yaml", bomb.as_str(), "limit on aliases"),
        ("list.txt", "bad.example\nworse.example\n", "holds no tags"),
        ("table.csv", "address,label\na,b\nc,d\n", "--actor"),
        ("empty.yaml", "", "empty"),
        ("none.yaml", "title: t\ncreator: c\ntags: []\n", "nothing in it can be kept"),
    ];
    for (name, text, why) in cases {
        let error = tags.load(&job(dir.path(), name, text), &mut go).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(why), "{name}: {error}");
    }
}

#[test]
fn a_chain_without_tags_says_that_its_rules_find_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let pack = format!("currency: ETH\nlabel: EXERCISE\ncategory: exchange\ntags:\n- address: '{EVM}'\n");
    let (tags, _) = store(dir.path(), &[&pack]);
    let all = coverage(&tags, &["trx".into(), "eth".into()], &all);
    let line = |code: &str| all.networks.iter().find(|line| line.network == code).unwrap();
    assert!(line("trx").loaded && line("trx").rules.iter().all(|rule| (rule.has, rule.tags) == (0, "none")));
    let customer = &line("eth").rules[0];
    assert_eq!((customer.rule, customer.has, customer.tags), ("customer-of", 1, "few"));
    assert_eq!(all.networks[0].network, "eth", "most tags first");
}
